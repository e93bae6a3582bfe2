"""Elementwise ops of several operands: arithmetic, comparison, choice. PyTorch's type promotion is made explicit."""
from tenon.importer.data_types import is_float
from tenon.importer.op_table import is_number, op, require
from tenon.importer.ops_pointwise import trunc


def _scaled(b, value, factor):
    if is_number(factor) and factor == 1:
        return value
    return b.arithmetic("mul", value, factor)


@op("add.Tensor", "add.Scalar")
def add(b, x, y, alpha=1):
    if b.result_dtype == "i1":
        return b.op("logical_or", [b.operand(x, "i1"), b.operand(y, "i1")], [("i1", b.result_shape)])[0]
    return b.arithmetic("add", x, _scaled(b, y, alpha))


@op("sub.Tensor", "sub.Scalar", "subtract.Tensor")
def sub(b, x, y, alpha=1):
    return b.arithmetic("sub", x, _scaled(b, y, alpha))


@op("rsub.Tensor", "rsub.Scalar")
def rsub(b, x, y, alpha=1):
    return b.arithmetic("sub", y, _scaled(b, x, alpha))


@op("mul.Tensor", "mul.Scalar", "multiply.Tensor")
def mul(b, x, y):
    if b.result_dtype == "i1":
        return b.op("logical_and", [b.operand(x, "i1"), b.operand(y, "i1")], [("i1", b.result_shape)])[0]
    return b.arithmetic("mul", x, y)


@op("div.Tensor", "div.Scalar", "true_divide.Tensor")
def div(b, x, y):
    return b.arithmetic("div", x, y)


@op("div.Tensor_mode", "div.Scalar_mode")
def div_mode(b, x, y, *, rounding_mode=None):
    if rounding_mode is None:
        return b.arithmetic("div", x, y)
    if rounding_mode == "floor":
        return b.arithmetic("floor_div", x, y)
    quotient = b.arithmetic("div", x, y)  # of integers towards zero
    return trunc(b, quotient)


@op("floor_divide", "floor_divide.Scalar")
def floor_divide(b, x, y):
    return b.arithmetic("floor_div", x, y)


@op("remainder.Tensor", "remainder.Scalar", "remainder.Scalar_Tensor")
def remainder(b, x, y):
    return b.arithmetic("rem", x, y)


@op("fmod.Tensor", "fmod.Scalar")
def fmod(b, x, y):
    whole = trunc(b, b.arithmetic("div", x, y))
    return b.arithmetic("sub", x, b.arithmetic("mul", whole, y))


@op("pow.Tensor_Scalar")
def pow_scalar(b, x, exponent):
    dtype = b.result_dtype
    x = b.cast(x, dtype)
    if exponent == 1:
        return x
    if exponent == 2:
        return b.unary("square", x)
    if isinstance(exponent, int) and 3 <= exponent <= 4:
        wide = b.wide(x)
        square = b.unary("square", wide)
        return b.cast(b.binary("mul", square, wide) if exponent == 3 else b.unary("square", square), dtype)
    require(is_float(dtype), f"an integer to the power {exponent}")
    special = {0.5: "sqrt", -0.5: "rsqrt", -1: "reciprocal"}.get(exponent)
    return b.unary(special, x) if special else b.arithmetic("pow", x, float(exponent))


@op("pow.Tensor_Tensor", "pow.Scalar")
def power(b, x, exponent):
    require(is_float(b.result_dtype), "integers to the power of a tensor")
    return b.arithmetic("pow", x, exponent)


@op("maximum", "max.other", "fmax")
def maximum(b, x, y):
    return b.arithmetic("max", x, y)


@op("minimum", "min.other", "fmin")
def minimum(b, x, y):
    return b.arithmetic("min", x, y)


@op("addcmul")
def addcmul(b, x, first, second, *, value=1):
    product = b.binary("mul", b.wide(first), b.wide(second))
    return b.arithmetic("add", b.wide(x), product if value == 1 else b.arithmetic("mul", product, value, product.dtype))


@op("addcdiv")
def addcdiv(b, x, first, second, *, value=1):
    quotient = b.binary("div", b.wide(first), b.wide(second))
    scaled = quotient if value == 1 else b.arithmetic("mul", quotient, value, quotient.dtype)
    return b.arithmetic("add", b.wide(x), scaled)


@op("lerp.Scalar", "lerp.Tensor")
def lerp(b, start, end, weight):
    start, end = b.wide(start), b.wide(end)
    step = b.arithmetic("mul", b.binary("sub", end, start), weight, start.dtype)
    return b.arithmetic("add", start, step)


@op("hypot")
def hypot(b, x, y):
    x, y = b.wide(b.floating(x)), b.wide(b.floating(y))
    return b.cast(b.unary("sqrt", b.binary("add", b.unary("square", x), b.unary("square", y))), b.result_dtype)


# ---- comparison ----
for _predicate in ("eq", "ne", "lt", "le", "gt", "ge"):
    def _compare(b, x, y, _predicate=_predicate):
        return b.compare(_predicate, x, y)
    op(f"{_predicate}.Tensor", f"{_predicate}.Scalar")(_compare)


def _logical(mnemonic):
    def build(b, x, y):
        x, y = (b.truth(v) if hasattr(v, "dtype") else b.scalar(bool(v), "i1") for v in (x, y))
        return b.op(mnemonic, [x, y], [("i1", b.result_shape)])[0]
    return build


op("logical_and")(_logical("logical_and"))
op("logical_or")(_logical("logical_or"))
op("logical_xor")(_logical("logical_xor"))


def _bitwise(mnemonic):
    build = _logical(mnemonic)

    def checked(b, x, y):
        require(b.result_dtype == "i1", "bits of integers; only booleans are supported")
        return build(b, x, y)
    return checked


op("bitwise_and.Tensor", "bitwise_and.Scalar", "__and__.Tensor", "__and__.Scalar")(_bitwise("logical_and"))
op("bitwise_or.Tensor", "bitwise_or.Scalar", "__or__.Tensor", "__or__.Scalar")(_bitwise("logical_or"))
op("bitwise_xor.Tensor", "bitwise_xor.Scalar", "__xor__.Tensor", "__xor__.Scalar")(_bitwise("logical_xor"))


# ---- choice ----
@op("where.self", "where.ScalarOther", "where.ScalarSelf", "where.Scalar")
def where(b, condition, x, y):
    dtype = b.result_dtype
    return b.select(b.truth(condition), x, y, dtype)


@op("masked_fill.Scalar", "masked_fill.Tensor")
def masked_fill(b, x, mask, value):
    return b.select(mask, value, x)
