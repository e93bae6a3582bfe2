"""Elementwise ops of one operand and the gated activations.

Bounds: `exact` ops are a rounding to the compute type and one to storage, and must give those bits. The others may be
off by `error` units of the compute type, relative to `scale(x)`: the largest value their formula goes through.
"""

import math

import numpy as np

from exec_cpu.cases import SIZES, Case, Expected, Operand, op, pairs, rows, values_of
from exec_cpu.dtypes import FLOATS, I1, INTEGERS, round_to, wrap

# A function of exact input is off by this many units of the compute type: the functions' own error and the roundings of
# a formula of a few steps.
ERROR = 6
# Where e^x leaves the range of f32 (|x| > 88.7) a formula may give 0 for what is below this; in f64 likewise.
FLUSH = {"f32": 2.0**-119, "f64": 2.0**-1010}

erf = np.vectorize(math.erf, otypes=[float])
erfc = np.vectorize(math.erfc, otypes=[float])


def sigmoid(x):
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)  # NaN stays, by the exponential


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def gelu(x):
    return 0.5 * x * erfc(-x / math.sqrt(2))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))


def hard_sigmoid(x):
    return np.clip(x / 6 + 0.5, 0, 1)


EXACT = {
    "abs": np.abs,
    "neg": np.negative,
    "sign": lambda x: np.where(x == 0, x, np.sign(x)),
    "sqrt": np.sqrt,
    "reciprocal": lambda x: 1 / x,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.rint,
    "square": lambda x: x * x,
    "relu": lambda x: np.where(x < 0, 0.0, x),
}

# op, attributes: function, scale of the error (None: the result's own size)
CLOSE = {
    ("exp", ""): (np.exp, None),
    ("exp2", ""): (np.exp2, None),
    ("log", ""): (np.log, None),
    ("log2", ""): (np.log2, None),
    ("rsqrt", ""): (lambda x: 1 / np.sqrt(x), None),
    ("sin", ""): (np.sin, None),
    ("cos", ""): (np.cos, None),
    ("tanh", ""): (np.tanh, None),
    ("erf", ""): (erf, None),
    ("sigmoid", ""): (sigmoid, None),
    ("silu", ""): (lambda x: x * sigmoid(x), None),
    ("softplus", ""): (softplus, None),
    ("mish", ""): (lambda x: x * np.tanh(softplus(x)), None),
    ("hard_sigmoid", ""): (hard_sigmoid, lambda x: np.clip(np.abs(x) / 6 + 0.5, 0, 2)),
    ("hard_swish", ""): (lambda x: x * hard_sigmoid(x), lambda x: np.abs(x) * np.clip(np.abs(x) / 6 + 0.5, 0, 2)),
    ("quick_gelu", ""): (lambda x: x * sigmoid(1.702 * x), lambda x: np.abs(x) * sigmoid(1.702 * x) * (2 + np.abs(x))),
    ("gelu", ""): (gelu, np.abs),
    ("gelu", "approximation = #tenon.gelu<tanh>"): (gelu_tanh, np.abs),
    ("leaky_relu", "slope = 0.01 : f64"): (lambda x: np.where(x >= 0, x, 0.01 * x), None),
    ("elu", "alpha = 1.5 : f64"): (lambda x: np.where(x > 0, x, 1.5 * np.expm1(np.minimum(x, 0))), None),
    ("clamp", "low = -1.25 : f64, high = 0.75 : f64"): (lambda x: np.clip(x, -1.25, 0.75), None),
    ("clamp", "low = 0.0 : f64, high = 0x7FF0000000000000 : f64"): (lambda x: np.clip(x, 0, np.inf), None),
}


def exact(dtype, value):
    """Rounded to the compute type, then to storage."""
    return Expected(round_to(dtype.compute, value) if dtype.is_float else wrap(dtype, value))


def close(dtype, value, scale=None, error=ERROR):
    """Within `error` units of the compute type of `scale`, before the rounding to storage. A denormal on the way is off
    by half a step, which a factor up to 2^8 may follow (a larger x has no denormal on its way)."""
    flush = FLUSH[str(dtype.compute)]
    size = np.abs(value) if scale is None else np.maximum(np.abs(value), scale)
    return Expected(value, error * dtype.compute.u * size + 256 * dtype.compute.tiny, flush)


def no_infinity(dtype):
    """A factor of what may have been flushed to 0: 0 * Inf would be NaN."""

    def make(rng, shape, kind):
        values = values_of(rng, dtype, shape, kind)
        return np.where(np.isinf(values), 1.5, values)

    return make


def shapes(rng, count):
    """Dynamic sizes of a matrix: some pairs, and empty ones."""
    chosen = pairs(rng, SIZES[:-1], SIZES)
    picked = [chosen[i] for i in rng.choice(len(chosen), count, replace=False)]
    return [{"a": a, "b": b} for a, b in picked + [(0, 7), (5, 0), (1, 509)]]


def elementwise(name, dtype, rng, static, make):
    """A dynamic and a static case; make(operand dims) -> Case without sizes."""
    dynamic = make(f"{name}_{dtype}_dynamic", ("a", "b"))
    dynamic.sizes = shapes(rng, 5)
    return [dynamic, make(f"{name}_{dtype}_{'x'.join(map(str, static)) or 'scalar'}", static)]


def cases(rng):
    result = []
    static = iter([])

    def next_static():
        nonlocal static
        shape = next(static, None)
        if shape is None:
            static = iter([(a, b) for a, b in rows(rng, SIZES, SIZES)] + [(509,), (4, 3, 33), (), (2, 1, 65), (0, 3)])
            shape = next(static)
        return shape

    for dtype in FLOATS + INTEGERS:
        for name, function in EXACT.items():
            if not dtype.is_float and name not in ("abs", "neg", "sign", "square", "relu"):
                continue
            integer = (lambda x: np.where(x < 0, 0, x)) if name == "relu" else np.sign if name == "sign" else function

            def make(case, dims, name=name, dtype=dtype, function=function if dtype.is_float else integer):
                return Case(
                    case,
                    [Operand(dtype, dims)],
                    [Operand(dtype, dims)],
                    op(name, [0], [0]),
                    lambda x, kind: exact(dtype, function(x)),
                    ("normal", "special", "wide"),
                )

            result += elementwise(name, dtype, rng, next_static(), make)
    for dtype in FLOATS:
        for number, ((name, attributes), (function, scale)) in enumerate(CLOSE.items()):

            def make(case, dims, name=name, attributes=attributes, function=function, scale=scale, dtype=dtype):
                return Case(
                    case,
                    [Operand(dtype, dims)],
                    [Operand(dtype, dims)],
                    op(name, [0], [0], attributes),
                    lambda x, kind: close(dtype, function(x), scale and scale(x)),
                    ("normal", "special", "wide"),
                )

            variant = f"{name}{number}" if attributes else name
            result += elementwise(variant, dtype, rng, next_static(), make)
        for name, function in (("swiglu", lambda x: x * sigmoid(x)), ("geglu", gelu), ("geglu_tanh", gelu_tanh)):

            def make(case, dims, name=name, function=function, dtype=dtype):
                attributes = "approximation = #tenon.gelu<tanh>" if name == "geglu_tanh" else ""
                return Case(
                    case,
                    [Operand(dtype, dims), Operand(dtype, dims, no_infinity(dtype))],
                    [Operand(dtype, dims)],
                    op(name.split("_")[0], [0, 1], [0], attributes),
                    lambda x, y, kind: close(dtype, function(x) * y, np.abs(x * y)),
                    ("normal", "special"),
                )

            result += elementwise(name, dtype, rng, next_static(), make)

    def make_not(case, dims):
        return Case(
            case,
            [Operand(I1, dims)],
            [Operand(I1, dims)],
            op("logical_not", [0], [0]),
            lambda x, kind: Expected(1 - x),
            ("normal",),
        )

    result += elementwise("logical_not", I1, rng, next_static(), make_not)
    return result
