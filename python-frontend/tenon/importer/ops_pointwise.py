"""Elementwise ops of one operand and the activations."""
from tenon.importer.data_types import is_float
from tenon.importer.op_table import INFINITY, is_number, op, require

# ATen name -> op of the dialect; an integer operand is converted to the result's float type first.
_FLOAT_UNARY = {
    "exp": "exp", "exp2": "exp2", "log": "log", "log2": "log2", "sqrt": "sqrt", "rsqrt": "rsqrt",
    "reciprocal": "reciprocal", "sin": "sin", "cos": "cos", "tanh": "tanh", "erf": "erf", "special_erf": "erf",
    "sigmoid": "sigmoid", "special_expit": "sigmoid", "silu": "silu", "mish": "mish", "hardsigmoid": "hard_sigmoid",
    "hardswish": "hard_swish",
}
_NUMBER_UNARY = {"abs": "abs", "neg": "neg", "sign": "sign", "sgn": "sign", "relu": "relu", "square": "square"}
_ROUNDING = {"floor": "floor", "ceil": "ceil", "round": "round"}


for _name, _mnemonic in {**_FLOAT_UNARY, **_NUMBER_UNARY}.items():
    def _build(b, x, _mnemonic=_mnemonic):
        return b.unary(_mnemonic, b.cast(x, b.result_dtype))
    op(_name)(_build)

for _name, _mnemonic in _ROUNDING.items():
    def _build_rounding(b, x, _mnemonic=_mnemonic):
        return b.unary(_mnemonic, x) if is_float(x.dtype) else x
    op(_name)(_build_rounding)


@op("detach", "clone", "contiguous", "alias", "lift_fresh", "lift_fresh_copy", "positive", "detach_copy", "alias_copy",
    "resolve_conj", "resolve_neg", "lift")
def identity(b, x, *unused, **memory_format):
    return x


@op("dropout", "feature_dropout", "alpha_dropout")
def dropout(b, x, p, train):
    require(not train or p == 0, "dropout in training mode: export the model after model.eval()")
    return x


@op("native_dropout")
def native_dropout(b, x, p, train):
    return [dropout(b, x, p, train), b.full(x.shape, True, "i1")]


@op("to.dtype", "to.device", "to.dtype_layout", "to.other", "_to_copy", "type_as", "to.prim_Device", "to.prim_dtype",
    "prims.convert_element_type.default")
def convert(b, x, *unused, **options):
    return b.cast(x, b.result_dtype)


@op("gelu")
def gelu(b, x, *, approximate="none"):
    return b.unary("gelu", x, approximation="#tenon.gelu<tanh>" if approximate == "tanh" else None)


@op("trunc", "fix")
def trunc(b, x):
    if not is_float(x.dtype):
        return x
    return b.select(b.compare("lt", x, 0.0), b.unary("ceil", x), b.unary("floor", x))


@op("frac")
def frac(b, x):
    return b.binary("sub", x, trunc(b, x))


@op("log10")
def log10(b, x):
    return b.arithmetic("mul", b.unary("log", b.wide(b.floating(x))), 0.4342944819032518)


@op("log1p")
def log1p(b, x):
    """log(u) x / (u - 1) with u = 1 + x, which is x where u rounds to 1 (Kahan): exact to rounding for small x."""
    x = b.wide(b.floating(x))
    u = b.binary("add", x, b.scalar(1.0, x.dtype))
    difference = b.binary("sub", u, b.scalar(1.0, x.dtype))
    curved = b.binary("mul", b.unary("log", u), b.binary("div", x, difference))
    # Infinity: u / u would be NaN.
    plain = b.op("logical_or", [b.compare("eq", difference, 0.0), b.compare("eq", x, INFINITY)], [("i1", x.shape)])[0]
    return b.cast(b.select(plain, x, curved, x.dtype), b.result_dtype)


@op("expm1")
def expm1(b, x):
    """(u - 1) x / log(u) with u = e^x (Kahan)."""
    x = b.wide(b.floating(x))
    u = b.unary("exp", x)
    difference = b.binary("sub", u, b.scalar(1.0, x.dtype))
    curved = b.binary("mul", difference, b.binary("div", x, b.unary("log", u)))
    # Far from 0 the difference is exact enough, and log(u) of 0 or infinity is not.
    near = b.compare("lt", b.unary("abs", x), 1.0)
    result = b.select(near, b.select(b.compare("eq", difference, 0.0), x, curved, x.dtype), difference, x.dtype)
    return b.cast(result, b.result_dtype)


@op("tan")
def tan(b, x):
    x = b.wide(b.floating(x))
    return b.cast(b.binary("div", b.unary("sin", x), b.unary("cos", x)), b.result_dtype)


@op("sinh")
def sinh(b, x):
    x = b.wide(b.floating(x))
    difference = b.binary("sub", b.unary("exp", x), b.unary("exp", b.unary("neg", x)))
    return b.arithmetic("mul", difference, 0.5)


@op("cosh")
def cosh(b, x):
    x = b.wide(b.floating(x))
    total = b.binary("add", b.unary("exp", x), b.unary("exp", b.unary("neg", x)))
    return b.arithmetic("mul", total, 0.5)


# ---- activations with parameters ----
@op("leaky_relu")
def leaky_relu(b, x, negative_slope=0.01):
    return b.unary("leaky_relu", x, slope=float(negative_slope))


@op("elu")
def elu(b, x, alpha=1, scale=1, input_scale=1):
    require(input_scale == 1, "elu with an input scale")
    result = b.unary("elu", b.wide(x), alpha=float(alpha))
    return b.cast(result, b.result_dtype) if scale == 1 else b.arithmetic("mul", result, float(scale))


@op("selu")
def selu(b, x):
    return elu(b, x, 1.6732632423543772, 1.0507009873554805)


@op("celu")
def celu(b, x, alpha=1.0):
    """max(0, x) + min(0, alpha (e^(x / alpha) - 1)), which is alpha elu(x / alpha)."""
    x = b.wide(x)
    scaled = b.binary("div", x, b.scalar(float(alpha), x.dtype))
    return b.arithmetic("mul", b.unary("elu", scaled, alpha=1.0), float(alpha))


@op("softplus")
def softplus(b, x, beta=1, threshold=20):
    x = b.wide(x)
    if beta == 1:
        return b.cast(b.unary("softplus", x), b.result_dtype)
    scaled = b.unary("softplus", b.binary("mul", x, b.scalar(float(beta), x.dtype)))
    return b.cast(b.binary("div", scaled, b.scalar(float(beta), x.dtype)), b.result_dtype)


@op("log_sigmoid")
def log_sigmoid(b, x):
    return b.unary("neg", b.unary("softplus", b.unary("neg", x)))


@op("softshrink")
def softshrink(b, x, lambd=0.5):
    above = b.select(b.compare("gt", x, float(lambd)), b.arithmetic("sub", x, float(lambd)), 0.0)
    return b.select(b.compare("lt", x, -float(lambd)), b.arithmetic("add", x, float(lambd)), above)


@op("hardshrink")
def hardshrink(b, x, lambd=0.5):
    return b.select(b.compare("le", b.unary("abs", x), float(lambd)), 0.0, x)


@op("threshold")
def threshold(b, x, threshold, value):
    return b.select(b.compare("le", x, threshold), value, x)


@op("glu")
def glu(b, x, dim=-1):
    axis = dim % x.rank
    require(isinstance(x.shape[axis], int), "glu over a run-time size")
    half = x.shape[axis] // 2
    return b.binary("mul", b.slice(x, axis, 0, half), b.unary("sigmoid", b.slice(x, axis, half)))


@op("prelu", "_prelu_kernel")
def prelu(b, x, weight):
    if weight.rank == 1 and x.rank > 1:
        weight = b.reshape(weight, [weight.shape[0] if axis == 1 else 1 for axis in range(x.rank)])
    return b.select(b.compare("gt", x, 0.0), x, b.binary("mul", weight, x))


# ---- limits ----
@op("clamp", "clip", "clamp.Tensor")
def clamp(b, x, min=None, max=None):
    dtype = b.result_dtype
    numbers = all(limit is None or is_number(limit) for limit in (min, max))
    low, high = (-INFINITY if min is None else min), (INFINITY if max is None else max)
    if numbers and is_float(dtype) and low <= high:
        return b.unary("clamp", b.cast(x, dtype), low=float(low), high=float(high))
    x = b.cast(x, dtype)
    if min is not None:
        x = b.binary("max", x, b.operand(min, dtype))
    return x if max is None else b.binary("min", x, b.operand(max, dtype))


@op("clamp_min", "clamp_min.Tensor")
def clamp_min(b, x, min):
    return clamp(b, x, min)


@op("clamp_max", "clamp_max.Tensor")
def clamp_max(b, x, max):
    return clamp(b, x, None, max)


@op("hardtanh")
def hardtanh(b, x, min_val=-1, max_val=1):
    return clamp(b, x, min_val, max_val)


@op("relu6")
def relu6(b, x):
    return clamp(b, x, 0, 6)


# ---- classes of numbers ----
@op("isnan")
def isnan(b, x):
    return b.compare("ne", x, x) if is_float(x.dtype) else b.full(x.shape, False, "i1")


@op("isinf")
def isinf(b, x):
    return b.compare("eq", b.unary("abs", x), INFINITY) if is_float(x.dtype) else b.full(x.shape, False, "i1")


@op("isfinite")
def isfinite(b, x):
    return b.compare("lt", b.unary("abs", x), INFINITY) if is_float(x.dtype) else b.full(x.shape, True, "i1")


@op("isposinf")
def isposinf(b, x):
    return b.compare("eq", x, INFINITY)


@op("isneginf")
def isneginf(b, x):
    return b.compare("eq", x, -INFINITY)


@op("nan_to_num")
def nan_to_num(b, x, nan=None, posinf=None, neginf=None):
    import torch

    from tenon.importer.data_types import torch_dtype
    limits = torch.finfo(torch_dtype(x.dtype))
    clean = b.select(isnan(b, x), float(nan or 0.0), x)
    clean = b.select(b.compare("eq", clean, INFINITY), limits.max if posinf is None else float(posinf), clean)
    return b.select(b.compare("eq", clean, -INFINITY), limits.min if neginf is None else float(neginf), clean)


# ---- booleans ----
@op("logical_not")
def logical_not(b, x):
    return b.logical_not(x)


@op("bitwise_not")
def bitwise_not(b, x):
    if x.dtype == "i1":
        return b.logical_not(x)
    return b.binary("sub", b.unary("neg", x), b.scalar(1, x.dtype))
