"""A sum of many terms is added up in several chains: its error against float64 is well below that of one chain."""
import numpy
import pytest
import torch
from torch import nn

import tenon


class Sum(nn.Module):
    def forward(self, x):
        return x.sum(0)


class Product(nn.Module):
    def forward(self, x):
        return x @ x.transpose(0, 1)


def random(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def one_chain(terms):
    """Root mean square error of sums along the last axis, a term at a time in float32."""
    return numpy.sqrt(numpy.square(numpy.cumsum(terms.numpy(), -1)[..., -1] - terms.double().sum(-1).numpy()).mean())


# A module, its input, and the terms of some of its sums. Dynamic: the first size of the input is not known.
CASES = {
    "linear": (lambda: nn.Linear(3072, 64, bias=False), random(32, 3072), lambda m, x: x[:, None] * m.weight[None]),
    "linear, a depth without divisors": (lambda: nn.Linear(3067, 64, bias=False), random(32, 3067),
                                         lambda m, x: x[:, None] * m.weight[None]),
    "product of dynamic depth": (Product, random(2048, 24).t(), lambda m, x: x[:, None] * x[None]),
    "convolution": (lambda: nn.Conv2d(256, 32, 3, bias=False), random(1, 256, 8, 8),
                    lambda m, x: (x[0, None, :, 2:5, 2:5] * m.weight).flatten(1)),
    "convolution of single places": (lambda: nn.Conv2d(2048, 32, 1, stride=2, bias=False), random(1, 2048, 8, 8),
                                     lambda m, x: x[0, None, :, 2, 2] * m.weight[:, :, 0, 0]),
    "sum over rows": (Sum, random(4096, 64), lambda m, x: x.t()),
}


@pytest.mark.parametrize("name", CASES)
def test_deep_sum(name):
    make, x, terms = CASES[name]
    torch.manual_seed(0)
    module = make().requires_grad_(False)
    dynamic = {0: {1: torch.export.Dim("depth", min=2, max=4096)}} if "dynamic" in name else None
    program = torch.export.export(module, (x,), dynamic_shapes=tuple(dynamic.values()) if dynamic else None)
    result = tenon.compile(program)(x)
    one = one_chain(terms(module, x).contiguous())
    error = (result.double() - module.double()(x.double())).square().mean().sqrt().item()
    assert error <= 0.6 * one, f"error {error:.2g}, of one chain {one:.2g}"
