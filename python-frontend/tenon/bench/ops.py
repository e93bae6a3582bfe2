"""Single ops and groups that fuse, as they stand in the measured models: 128 tokens of BERT-base's width unless the name says
otherwise. Each is a torch module and a function of jax on the same weights."""
import functools

import numpy

from tenon.bench.subjects import Subject

TOKENS, WIDTH, INNER, HEADS = 128, 768, 3072, 12


class Op(Subject):
    """`make`: gives the torch module. `jax_form`: a function (parameters, *inputs). `shapes`: of the inputs, all floats."""
    sizes = ((1, 0),)

    def __init__(self, make, jax_form, *shapes):
        self._make, self.jax_form, self._shapes = make, jax_form, shapes

    def load(self, dtype):
        import torch
        torch.manual_seed(0)
        return self._make(torch).eval().requires_grad_(False).to(dtype)

    def inputs(self, batch, sequence):
        random = numpy.random.default_rng(1)
        return tuple(random.standard_normal(shape).astype(numpy.float32) for shape in self._shapes)

    def weights(self, dtype):
        return dict(self.load(dtype).state_dict())


def function(forward, **children):
    """Makes a module of a function of (module, *inputs) and children, each made from torch.nn."""
    def make(torch):
        class Of(torch.nn.Module):
            def __init__(self):
                super().__init__()
                for name, child in children.items():
                    setattr(self, name, child(torch.nn))

            def forward(self, *inputs):
                return forward(torch.nn.functional, self, *inputs)
        return Of()
    return make


def _jax():
    from tenon.bench import jax_models
    return jax_models


def _dense(p, x, name="a"):
    return _jax()._linear(p, name, x)


def _gelu(x):
    import jax
    return jax.nn.gelu(x, approximate=False)


def _attend(causal):
    def run(p, query, key, value):
        bias = _jax().causal_bias(query.shape[2]) if causal else None
        return _jax().attention(*(x.swapaxes(1, 2) for x in (query, key, value)), bias)
    return run


def _softmax(p, x):
    import jax
    return jax.nn.softmax(x, -1)


def _silu_mul(p, x, y):
    import jax
    return jax.nn.silu(x) * y


def _patches(p, x):
    import jax
    return jax.lax.conv_general_dilated(x, p["a.weight"], (16, 16), "VALID") + p["a.bias"][:, None, None]


def _merge(x):
    return x.transpose(1, 2).flatten(2)


@functools.cache
def ops():
    def dense(inputs, outputs, bias=True):
        return lambda nn: nn.Linear(inputs, outputs, bias)
    rows, heads = (TOKENS, WIDTH), (1, HEADS, TOKENS, WIDTH // HEADS)
    long_heads = (1, HEADS, 512, 64)
    return {
        "linear 768 to 3072": Op(function(lambda f, m, x: m.a(x), a=dense(WIDTH, INNER)), _dense, rows),
        "linear 3072 to 768": Op(function(lambda f, m, x: m.a(x), a=dense(INNER, WIDTH)), _dense, (TOKENS, INNER)),
        "linear of one row, 4096 to 4096": Op(function(lambda f, m, x: m.a(x), a=dense(4096, 4096, False)), _dense, (1, 4096)),
        "linear 768 to 3072, gelu": Op(function(lambda f, m, x: f.gelu(m.a(x)), a=dense(WIDTH, INNER)),
                                       lambda p, x: _gelu(_dense(p, x)), rows),
        "linear 3072 to 768, add, layer norm": Op(
            function(lambda f, m, x, y: m.b(m.a(x) + y), a=dense(INNER, WIDTH), b=lambda nn: nn.LayerNorm(WIDTH)),
            lambda p, x, y: _jax()._layer_norm(p, "b", _dense(p, x) + y, 1e-5), (TOKENS, INNER), rows),
        "attention of 12 heads, 128 tokens": Op(
            function(lambda f, m, q, k, v: _merge(f.scaled_dot_product_attention(q, k, v))), _attend(False), *[heads] * 3),
        "causal attention of 12 heads, 512 tokens": Op(
            function(lambda f, m, q, k, v: _merge(f.scaled_dot_product_attention(q, k, v, is_causal=True))),
            _attend(True), *[long_heads] * 3),
        "softmax of 1536 rows of 128": Op(function(lambda f, m, x: x.softmax(-1)), _softmax, (HEADS * TOKENS, TOKENS)),
        "layer norm of 1024 rows of 768": Op(function(lambda f, m, x: m.a(x), a=lambda nn: nn.LayerNorm(WIDTH)),
                                             lambda p, x: _jax()._layer_norm(p, "a", x, 1e-5), (1024, WIDTH)),
        "add, RMS norm of 128 rows of 4096": Op(
            function(lambda f, m, x, y: m.a(x + y), a=lambda nn: nn.RMSNorm(4096, 1e-6)),
            lambda p, x, y: _jax()._rms_norm(p["a.weight"], x + y, 1e-6), *[(TOKENS, 4096)] * 2),
        "silu times of 128 rows of 14336": Op(function(lambda f, m, x, y: f.silu(x) * y), _silu_mul, *[(TOKENS, 14336)] * 2),
        "gelu of 128 rows of 3072": Op(function(lambda f, m, x: f.gelu(x)), lambda p, x: _gelu(x), (TOKENS, INNER)),
        "patch embedding of ViT-B/16": Op(function(lambda f, m, x: m.a(x), a=lambda nn: nn.Conv2d(3, WIDTH, 16, 16)),
                                          _patches, (1, 3, 224, 224)),
        "mean over 512 tokens of 8 x 768": Op(function(lambda f, m, x: x.mean(1)), lambda p, x: x.mean(1), (8, 512, WIDTH)),
        "transpose of 12 heads": Op(function(lambda f, m, x: x.view(8, TOKENS, HEADS, 64).transpose(1, 2).contiguous()),
                                    lambda p, x: x.reshape(8, TOKENS, HEADS, 64).swapaxes(1, 2), (8, TOKENS, WIDTH)),
    }
