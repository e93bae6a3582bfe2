"""Softmax, norms, reductions, scans: ops with statistics along some dimensions."""
import math

import torch

from tenon.importer.data_types import is_float, torch_dtype
from tenon.importer.op_table import INFINITY, axes_of, axis_of, is_number, op, require
from tenon.importer.text_builder import is_static


# ---- softmax ----
def _softmax(mnemonic):
    def build(b, x, dim, *unused, **options):
        dtype = b.result_dtype
        if x.rank == 0:
            return b.full((), 1.0 if mnemonic == "softmax" else 0.0, dtype)
        return b.op(mnemonic, [b.cast(x, dtype)], [(dtype, x.shape)], {"axis": axis_of(dim, x.rank)})[0]
    return build


op("softmax.int", "_softmax", "special_softmax")(_softmax("softmax"))
op("log_softmax.int", "_log_softmax", "special_log_softmax")(_softmax("log_softmax"))


@op("_safe_softmax")
def safe_softmax(b, x, dim, dtype=None):
    """softmax whose rows of nothing but -inf are 0."""
    axis = axis_of(dim, x.rank)
    x = b.cast(x, b.result_dtype)
    result, = b.op("softmax", [x], [(x.dtype, x.shape)], {"axis": axis})
    empty = b.compare("eq", b.reduce("reduce_max", x, [axis], True), -INFINITY)
    return b.select(empty, 0.0, result)


@op("logsumexp")
def logsumexp(b, x, dim, keepdim=False):
    axes = axes_of(dim, x.rank)
    x = b.wide(b.floating(x))
    top = b.reduce("reduce_max", x, axes, True)
    # The maximum is not taken off where it is infinite: inf - inf would be NaN.
    top = b.select(b.compare("lt", b.unary("abs", top), INFINITY), top, 0.0, x.dtype)
    total = b.reduce("reduce_sum", b.unary("exp", b.binary("sub", x, top)), axes, True)
    result = b.binary("add", b.unary("log", total), top)
    return b.cast(b.reshape(result, b.result_shape), b.result_dtype)


# ---- norms ----
def _norm(b, mnemonic, x, weight, bias, attributes):
    dtype = x.dtype
    if any(value is not None and value.dtype != dtype for value in (weight, bias)):  # f32 weights of a 16-bit model
        x, weight, bias = (value if value is None else b.cast(value, "f32") for value in (x, weight, bias))
    operands = [x] + [value for value in (weight, bias) if value is not None]

    def form(names):
        rest = iter(names[1:])
        text = names[0]
        for keyword, value in (("weight", weight), ("bias", bias)):
            text += f" {keyword}({next(rest)})" if value is not None else ""
        return text
    return b.cast(b.op(mnemonic, operands, [(x.dtype, x.shape)], attributes, form)[0], dtype)


@op("layer_norm")
def layer_norm(b, x, normalized_shape, weight=None, bias=None, eps=1e-5, *unused):
    spans = len(normalized_shape)
    return _norm(b, "layer_norm", x, weight, bias, {"num_dims": spans if spans > 1 else None, "epsilon": float(eps)})


@op("native_layer_norm")
def native_layer_norm(b, x, normalized_shape, weight, bias, eps):
    return [layer_norm(b, x, normalized_shape, weight, bias, eps), None, None]


@op("rms_norm", "_fused_rms_norm")
def rms_norm(b, x, normalized_shape, weight=None, eps=None):
    require(len(normalized_shape) == 1, "rms_norm over more than one dimension")
    epsilon = torch.finfo(torch_dtype(x.dtype)).eps if eps is None else eps
    result, = b.op("rms_norm", [x] + ([weight] if weight is not None else []), [(x.dtype, x.shape)],
                   {"epsilon": float(epsilon)})
    return [result, None] if len(b.results) > 1 else result


@op("group_norm")
def group_norm(b, x, num_groups, weight=None, bias=None, eps=1e-5, *unused):
    return _norm(b, "group_norm", x, weight, bias, {"groups": num_groups, "epsilon": float(eps)})


@op("native_group_norm")
def native_group_norm(b, x, weight, bias, batch, channels, pixels, groups, eps):
    return [group_norm(b, x, groups, weight, bias, eps), None, None]


@op("instance_norm")
def instance_norm(b, x, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, *unused):
    require(use_input_stats, "instance_norm by running statistics")
    require(is_static(x.shape[1]), "instance_norm over a run-time number of channels")
    return group_norm(b, x, x.shape[1], weight, bias, eps)


def _batch_norm(b, x, weight, bias, mean, variance, eps):
    """x scale + shift; scale and shift come from weights only, so they are computed once, at load."""
    dtype = "f32" if x.dtype in ("f16", "bf16") else x.dtype
    mean, variance = b.cast(mean, dtype), b.cast(variance, dtype)
    scale = b.unary("rsqrt", b.binary("add", variance, b.scalar(float(eps), dtype)))
    if weight is not None:
        scale = b.binary("mul", scale, b.cast(weight, dtype))
    shift = b.unary("neg", b.binary("mul", mean, scale))
    if bias is not None:
        shift = b.binary("add", shift, b.cast(bias, dtype))
    shape = [x.shape[1]] + [1] * (x.rank - 2)
    product = b.binary("mul", b.cast(x, dtype), b.reshape(scale, shape))
    return b.cast(b.binary("add", product, b.reshape(shift, shape)), x.dtype)


@op("batch_norm")
def batch_norm(b, x, weight, bias, running_mean, running_var, training, momentum, eps, *unused):
    require(not training, "batch_norm in training mode: export the model after model.eval()")
    return _batch_norm(b, x, weight, bias, running_mean, running_var, eps)


@op("_native_batch_norm_legit_no_training")
def native_batch_norm(b, x, weight, bias, running_mean, running_var, momentum, eps):
    return [_batch_norm(b, x, weight, bias, running_mean, running_var, eps), None, None]


@op("_native_batch_norm_legit.no_stats")
def batch_norm_by_batch(b, x, weight, bias, training, momentum, eps):
    """Statistics of the batch itself: instance_norm, taken apart."""
    wide = b.wide(x)
    mean, variance = _variance(b, wide, [axis for axis in range(x.rank) if axis != 1], 0, True)
    scale = b.unary("rsqrt", b.binary("add", variance, b.scalar(float(eps), wide.dtype)))
    result = b.binary("mul", b.binary("sub", wide, mean), scale)
    shape = [x.shape[1]] + [1] * (x.rank - 2)
    for mnemonic, part in (("mul", weight), ("add", bias)):
        if part is not None:
            result = b.binary(mnemonic, result, b.reshape(b.cast(part, wide.dtype), shape))
    return [b.cast(result, x.dtype), None, None]


# ---- reductions ----
def _reduced(mnemonic):
    def build(b, x, dim=None, keepdim=False, *, dtype=None):
        return b.reduce(mnemonic, b.cast(x, b.result_dtype), axes_of(dim, x.rank), keepdim)
    return build


op("sum.dim_IntList")(_reduced("reduce_sum"))
op("mean.dim")(_reduced("reduce_mean"))
op("amax")(_reduced("reduce_max"))
op("amin")(_reduced("reduce_min"))


def _reduced_whole(mnemonic):
    def build(b, x, *, dtype=None):
        return b.reduce(mnemonic, b.cast(x, b.result_dtype), range(x.rank))
    return build


op("sum")(_reduced_whole("reduce_sum"))
op("mean")(_reduced_whole("reduce_mean"))
op("max")(_reduced_whole("reduce_max"))
op("min")(_reduced_whole("reduce_min"))


def _arg(b, mnemonic, x, dim, keepdim):
    if x.dtype == "i1":
        x = b.cast(x, "i8")
    if dim is None:
        x = b.reshape(x, [_count(x.shape)])
        dim, keepdim = 0, False
    if x.rank == 0:
        return b.full((), 0, "i64")
    axis = axis_of(dim, x.rank)
    shape = [1 if a == axis else size for a, size in enumerate(x.shape) if keepdim or a != axis]
    result, = b.op(mnemonic, [x], [("i64", shape)], {"axis": axis, "keep_dims": bool(keepdim)})
    result.nonneg = True
    return result


def _count(shape):
    total = 1
    for size in shape:
        total = total * size
    return total


@op("argmax")
def argmax(b, x, dim=None, keepdim=False):
    return b.reshape(_arg(b, "argmax", x, dim, keepdim), b.result_shape)


@op("argmin")
def argmin(b, x, dim=None, keepdim=False):
    return b.reshape(_arg(b, "argmin", x, dim, keepdim), b.result_shape)


@op("max.dim")
def max_dim(b, x, dim, keepdim=False):
    return [b.reduce("reduce_max", x, [dim], keepdim), _arg(b, "argmax", x, dim, keepdim)]


@op("min.dim")
def min_dim(b, x, dim, keepdim=False):
    return [b.reduce("reduce_min", x, [dim], keepdim), _arg(b, "argmin", x, dim, keepdim)]


MOST_SELECTED = 64  # by topk, one reduction after the other


@op("topk")
def topk(b, x, k, dim=-1, largest=True, sorted=True):
    """The extreme, then that of what is left, k times; of equal ones the first, as good as any by torch's rule."""
    if x.rank == 0:
        return [x, b.full((), 0, "i64")]
    axis = axis_of(dim, x.rank)
    require(isinstance(k, int) and k <= MOST_SELECTED, f"topk of more than {MOST_SELECTED}")
    require(x.dtype != "i1", "topk of booleans")
    if k == 0:
        return [b.full(shape, 0, dtype) for dtype, shape in b.results]
    worst = b.scalar(_extreme(x.dtype, low=largest), x.dtype)
    positions = b.iota(x.shape[axis], "i64", [size if a == axis else 1 for a, size in enumerate(x.shape)], axis)
    left, values, places = None, [], []
    for _ in range(k):
        seen = x if left is None else b.select(left, x, worst, x.dtype)
        value = b.reduce("reduce_max" if largest else "reduce_min", seen, [axis], True)
        place = _arg(b, "argmax" if largest else "argmin", seen, axis, True)
        if left is not None:  # where all that is left is as bad as what was taken, the first of those left
            first = _arg(b, "argmax", b.cast(left, "i8"), axis, True)
            place = b.select(b.compare("eq", value, worst), first, place, "i64")
        place.nonneg = True
        values.append(value)
        places.append(place)
        others = b.compare("ne", positions, place)
        left = others if left is None else b.op("logical_and", [left, others], [("i1", x.shape)])[0]
    return [b.concat(values, axis), b.concat(places, axis)]


def _extreme(dtype, low):
    if is_float(dtype):
        return -math.inf if low else math.inf
    bits = int(dtype[1:])
    return -2**(bits - 1) if low else 2**(bits - 1) - 1


def _test(mnemonic):
    def build(b, x, dim=None, keepdim=False):
        # i8 in place of i1, which has no maximum; of nothing the extremes are -128 and 127, so > 0 is right there too.
        bytes_ = b.cast(b.truth(x), "i8")
        return b.compare("gt", b.reduce(mnemonic, bytes_, axes_of(dim, x.rank), keepdim), 0)
    return build


op("any", "any.dim", "any.dims")(_test("reduce_max"))
op("all", "all.dim", "all.dims")(_test("reduce_min"))


def _variance(b, x, dim, correction, keepdim):
    """(mean, variance), both with kept dimensions, in f32 for 16-bit floats."""
    axes = axes_of(dim, x.rank)
    x = b.wide(x)
    mean = b.reduce("reduce_mean", x, axes, True)
    squares = b.unary("square", b.binary("sub", x, mean))
    count = _count([x.shape[axis] for axis in axes])
    correction = 1 if correction is None else correction
    if correction == 0:
        return mean, b.reduce("reduce_mean", squares, axes, True)
    total = b.reduce("reduce_sum", squares, axes, True)
    divisor = b.scalar(float(count - correction), x.dtype) if is_static(count) else b.binary(
        "sub", b.scalar(count, x.dtype), b.scalar(float(correction), x.dtype))
    return mean, b.binary("div", total, divisor)


def _finish(b, value, result=0):
    dtype, shape = b.results[result]
    return b.cast(b.reshape(value, shape), dtype)


@op("var.correction")
def var(b, x, dim=None, *, correction=None, keepdim=False):
    return _finish(b, _variance(b, x, dim, correction, keepdim)[1])


@op("std.correction")
def std(b, x, dim=None, *, correction=None, keepdim=False):
    return _finish(b, b.unary("sqrt", _variance(b, x, dim, correction, keepdim)[1]))


@op("var.dim")
def var_dim(b, x, dim, unbiased=True, keepdim=False):
    return var(b, x, dim, correction=int(unbiased), keepdim=keepdim)


@op("std.dim")
def std_dim(b, x, dim, unbiased=True, keepdim=False):
    return std(b, x, dim, correction=int(unbiased), keepdim=keepdim)


@op("var")
def var_whole(b, x, unbiased=True):
    return var(b, x, None, correction=int(unbiased))


@op("std")
def std_whole(b, x, unbiased=True):
    return std(b, x, None, correction=int(unbiased))


@op("var_mean.correction")
def var_mean(b, x, dim=None, *, correction=None, keepdim=False):
    mean, variance = _variance(b, x, dim, correction, keepdim)
    return [_finish(b, variance, 0), _finish(b, mean, 1)]


@op("linalg_vector_norm")
def vector_norm(b, x, ord=2, dim=None, keepdim=False, *, dtype=None):
    require(is_number(ord), "a norm of an order known only at run time")
    axes = axes_of(dim, x.rank)
    x = b.wide(b.cast(x, b.result_dtype))
    if ord == 2:
        result = b.unary("sqrt", b.reduce("reduce_sum", b.unary("square", x), axes, keepdim))
    elif ord == 1:
        result = b.reduce("reduce_sum", b.unary("abs", x), axes, keepdim)
    elif math.isinf(ord):
        result = b.reduce("reduce_max" if ord > 0 else "reduce_min", b.unary("abs", x), axes, keepdim)
    elif ord == 0:
        result = b.reduce("reduce_sum", b.cast(b.compare("ne", x, 0.0), x.dtype), axes, keepdim)
    else:
        powers = b.arithmetic("pow", b.unary("abs", x), float(ord), x.dtype)
        result = b.arithmetic("pow", b.reduce("reduce_sum", powers, axes, keepdim), 1.0 / ord, x.dtype)
    return b.cast(result, b.result_dtype)


@op("norm.ScalarOpt_dim", "norm.Scalar", "norm.ScalarOpt_dim_dtype", "norm.ScalarOpt_dtype")
def norm(b, x, p=2, dim=None, keepdim=False, **options):
    return vector_norm(b, x, 2 if p is None else p, dim, keepdim)


# ---- scans ----
@op("cumsum")
def cumsum(b, x, dim, *, dtype=None):
    x = b.cast(x, b.result_dtype)
    if x.rank == 0:
        return x
    result, = b.op("cumsum", [x], [(x.dtype, x.shape)], {"axis": axis_of(dim, x.rank)})
    result.nonneg = x.nonneg and not is_float(x.dtype)
    return result
