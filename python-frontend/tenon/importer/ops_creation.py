"""Tensors made from nothing: constants, ranges, masks."""
from tenon.importer.op_table import is_number, op, require
from tenon.importer.text_builder import is_static, plain_size


@op("full", "new_full")
def full(b, *arguments, **options):
    return b.full(b.result_shape, arguments[-1], b.result_dtype)


@op("full_like")
def full_like(b, x, value, **options):
    return b.full(b.result_shape, value, b.result_dtype)


@op("scalar_tensor")
def scalar_tensor(b, value, **options):
    return b.operand(value, b.result_dtype)


def _filled(value):
    def build(b, *unused, **options):
        return b.full(b.result_shape, bool(value) if b.result_dtype == "i1" else value, b.result_dtype)
    return build


op("zeros", "zeros_like", "new_zeros", "empty.memory_format", "empty_like", "new_empty", "empty_permuted",
   "new_empty_strided", "empty_strided", "zero")(_filled(0))
op("ones", "ones_like", "new_ones")(_filled(1))


def _range(b, start, step, shape):
    """start, start + step, ...; a start known only at run time is added."""
    dtype, size = b.result_dtype, shape[0]
    require(is_number(step), "a range with a run-time step")
    start = start if is_number(start) else plain_size(start)
    if is_number(start) or is_static(start):
        return b.iota(size, dtype, start=start, step=step)
    counted = b.iota(size, dtype, step=step)
    return b.binary("add", counted, b.scalar(start, dtype))


@op("arange")
def arange(b, end, **options):
    return _range(b, 0, 1, b.result_shape)


@op("arange.start")
def arange_start(b, start, end, **options):
    return _range(b, start, 1, b.result_shape)


@op("arange.start_step")
def arange_start_step(b, start, end, step=1, **options):
    return _range(b, start, step, b.result_shape)


@op("linspace")
def linspace(b, start, end, steps, **options):
    require(is_number(start) and is_number(end) and is_number(steps), "linspace between run-time values")
    step = (end - start) / (steps - 1) if steps > 1 else 0.0
    return b.iota(steps, b.result_dtype, start=start, step=step)


@op("eye", "eye.m")
def eye(b, rows, columns=None, **options):
    rows, columns = b.result_shape
    equal = b.compare("eq", b.iota(rows, "i64", (rows, 1), 0), b.iota(columns, "i64", (1, columns), 1))
    return b.cast(equal, b.result_dtype)


@op("meshgrid", "meshgrid.indexing")
def meshgrid(b, tensors, *, indexing="ij"):
    shape = b.result_shape
    order = list(range(len(tensors)))
    if indexing == "xy" and len(order) > 1:
        order[0], order[1] = 1, 0
    results = []
    for axis, tensor in zip(order, tensors):
        place = [1] * len(shape)
        place[axis] = tensor.shape[0] if tensor.rank else 1
        results.append(b.expand(b.reshape(tensor, place), shape))
    return results
