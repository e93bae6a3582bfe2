"""Each op of the importer against PyTorch, at two batch sizes: f32 against a run in float64, integers and booleans
exactly. A group of cases is one module, exported and compiled once."""
import functools
from types import SimpleNamespace

import pytest
import torch

import tenon
from importer_cases import GROUPS, INPUTS, make_inputs

BATCHES = (4, 3)


class Group(torch.nn.Module):
    def __init__(self, cases):
        super().__init__()
        self.cases = cases

    def forward(self, *tensors):
        inputs = SimpleNamespace(**dict(zip(INPUTS, tensors)))
        return {name: case(inputs) for name, case in self.cases.items()}


def export(cases, batch=BATCHES[0]):
    inputs = tuple(make_inputs(batch)[name] for name in INPUTS)
    dim = torch.export.Dim("batch", min=3, max=64)
    return torch.export.export(Group(cases), inputs, dynamic_shapes=(tuple({0: dim} for _ in inputs),), strict=False)


@functools.cache
def results(group):
    """{batch: {case: result}}; None where the group does not compile: its cases then are, one by one, to tell which."""
    try:
        model = tenon.compile(export(GROUPS[group]))
    except tenon.TenonError:
        return None
    found = {}
    for batch in BATCHES:
        inputs = make_inputs(batch)
        found[batch] = model(*(inputs[name] for name in INPUTS))
    return found


def check(name, got, want, exact):
    if isinstance(want, (tuple, list)):
        assert len(got) == len(want), name
        for index, (g, w, e) in enumerate(zip(got, want, exact)):
            check(f"{name}[{index}]", g, w, e)
        return
    assert (got.dtype, got.shape) == (exact.dtype, exact.shape), name
    if not got.is_floating_point():
        assert torch.equal(got, exact), f"{name}: {got} is not {exact}"
        return
    got, want = got.double(), want.double()
    assert torch.equal(got.isfinite(), want.isfinite()), f"{name}: special values differ: {got} and {want}"
    assert torch.equal(got[~got.isfinite()].nan_to_num(), want[~want.isfinite()].nan_to_num()), name
    got, want = got[got.isfinite()], want[want.isfinite()]
    # 32 roundings of f32 in a row, of values as large as the result's largest.
    bound = 32 * 2.0**-24 * (want.abs() + (want.abs().mean() if want.numel() else 0.0)) + 1e-7
    worst = ((got - want).abs() / bound).max().item() if want.numel() else 0.0
    assert worst <= 1, f"{name}: error {(got - want).abs().max().item():.3g}, {worst:.3g} x the bound"


@pytest.mark.parametrize("group", GROUPS)
def test_group_compiles_as_one(group):
    assert results(group) is not None or tenon.compile(export(GROUPS[group]))


@pytest.mark.parametrize("group,name", [(group, name) for group, cases in GROUPS.items() for name in cases])
def test_op(group, name):
    case = GROUPS[group][name]
    found = results(group)
    model = tenon.compile(export({name: case})) if found is None else None
    for batch in BATCHES:
        inputs = make_inputs(batch)
        got = model(*(inputs[key] for key in INPUTS))[name] if model else found[batch][name]
        exact = case(SimpleNamespace(**inputs))
        try:
            want = case(SimpleNamespace(**{key: value.double() if value.is_floating_point() else value
                                           for key, value in inputs.items()}))
        except RuntimeError:
            want = exact  # names f32 itself
        check(name, got, want, exact)
