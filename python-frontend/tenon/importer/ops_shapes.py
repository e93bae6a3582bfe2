"""Views and data movement by position: reshape, transpose, slice, concat, pad and their many names."""
from tenon.importer.op_table import axes_of, axis_of, is_number, op, require
from tenon.importer.text_builder import INT64_MAX, is_static, plain_size


@op("view", "reshape", "_unsafe_view", "flatten.using_ints", "unflatten.int", "squeeze", "squeeze.dim", "squeeze.dims",
    "unsqueeze", "view_copy", "_reshape_alias", "ravel", "reshape_as", "view_as", "unsqueeze_copy", "squeeze_copy.dims",
    "atleast_1d", "atleast_2d")
def reshape(b, x, *unused, **options):
    """All of these keep the elements in row-major order; the node says the shape."""
    return b.reshape(x, b.result_shape)


@op("view.dtype")
def view_dtype(b, x, dtype):
    require(b.result_dtype == x.dtype, "a view of the bytes as another element type")
    return x


@op("transpose.int", "swapaxes", "swapdims", "transpose_copy.int")
def transpose(b, x, dim0, dim1):
    return b.swap(x, axis_of(dim0, x.rank), axis_of(dim1, x.rank)) if x.rank else x


@op("permute", "permute_copy")
def permute(b, x, dims):
    return b.transpose(x, dims)


@op("t", "numpy_T", "mT", "t_copy")
def transpose_last(b, x):
    return x if x.rank < 2 else b.swap(x, x.rank - 2, x.rank - 1)


@op("movedim.int", "movedim.intlist", "moveaxis.int")
def movedim(b, x, source, destination):
    source, destination = axes_of(source, x.rank), axes_of(destination, x.rank)
    order = [axis for axis in range(x.rank) if axis not in source]
    for to, axis in sorted(zip(destination, source)):
        order.insert(to, axis)
    return b.transpose(x, order)


@op("expand", "expand_as", "broadcast_to", "expand_copy")
def expand(b, x, *unused, **options):
    return b.expand(x, b.result_shape)


@op("slice.Tensor", "slice_copy.Tensor")
def slice_(b, x, dim=0, start=None, end=None, step=1):
    axis = axis_of(dim, x.rank)
    return b.slice(x, axis, 0 if start is None else start, INT64_MAX if end is None else end, step,
                   b.result_shape[axis])


@op("narrow")
def narrow(b, x, dim, start, length):
    axis = axis_of(dim, x.rank)
    if is_static(start) and start < 0:
        start = x.shape[axis] + start
    return b.slice(x, axis, start, plain_size(start + length), 1, b.result_shape[axis])


@op("select.int", "select_copy.int")
def select(b, x, dim, index):
    axis = axis_of(dim, x.rank)
    index = plain_size(index)
    if index in b.sizes.read:  # x[i] of a tensor i
        return b.squeeze(b.gather(x, b.index(b.unsqueeze(b.sizes.read[index], 0), x.shape[axis]), axis), axis)
    end = INT64_MAX if is_static(index) and index == -1 else plain_size(index + 1)
    return b.squeeze(b.slice(x, axis, index, end, 1, 1), axis)


def _pieces(b, x, axis, sizes):
    """x cut along `axis`; sizes may be symbolic."""
    if all(map(is_static, sizes)) and is_static(x.shape[axis]):
        if len(sizes) == 1:
            return [x]
        shapes = [(x.dtype, x.shape[:axis] + (size,) + x.shape[axis + 1:]) for size in sizes]
        pieces = b.op("split", [x], shapes, {"axis": axis, "sizes": list(sizes)})
        for piece in pieces:
            piece.nonneg = x.nonneg
        return pieces
    pieces, start = [], 0
    for size in sizes:
        pieces.append(b.slice(x, axis, start, plain_size(start + size), 1, size))
        start = plain_size(start + size)
    return pieces


@op("split.Tensor", "split_with_sizes", "split.sizes", "chunk", "unsafe_split.Tensor", "unsafe_split_with_sizes",
    "unsafe_chunk", "tensor_split.sections", "split_with_sizes_copy", "split_copy.Tensor")
def split(b, x, sizes, dim=0):
    axis = axis_of(dim, x.rank)
    return _pieces(b, x, axis, [plain_size(shape[axis]) for _, shape in b.results])


@op("unbind.int", "unbind_copy.int")
def unbind(b, x, dim=0):
    axis = axis_of(dim, x.rank)
    return [b.squeeze(piece, axis) for piece in _pieces(b, x, axis, [1] * len(b.results))]


@op("cat", "concat", "concatenate")
def cat(b, tensors, dim=0):
    rank = len(b.result_shape)
    tensors = [x for x in tensors if not (x.rank == 1 and rank > 1 and x.shape[0] == 0)]  # torch skips those
    return b.concat([b.cast(x, b.result_dtype) for x in tensors], axis_of(dim, rank))


@op("stack")
def stack(b, tensors, dim=0):
    axis = axis_of(dim, len(b.result_shape))
    return b.concat([b.unsqueeze(b.cast(x, b.result_dtype), axis) for x in tensors], axis)


@op("hstack")
def hstack(b, tensors):
    return b.concat([b.cast(x, b.result_dtype) for x in tensors], 0 if tensors[0].rank == 1 else 1)


@op("repeat", "tile")
def repeat(b, x, repeats):
    rank = len(b.result_shape)
    repeats = [1] * (rank - len(repeats)) + [plain_size(count) for count in repeats]
    shape = [1] * (rank - x.rank) + list(x.shape)
    apart, spread = [], []
    for count, size in zip(repeats, shape):
        if is_static(count) and count == 1:
            apart.append(size)
            spread.append(size)
        else:
            apart += [1, size]
            spread += [count, size]
    return b.reshape(b.expand(b.reshape(x, apart), spread), b.result_shape)


@op("repeat_interleave.self_int")
def repeat_interleave(b, x, repeats, dim=None, *, output_size=None):
    if dim is None:
        total = 1
        for size in x.shape:
            total = total * size
        x, dim = b.reshape(x, [total]), 0
    axis = axis_of(dim, x.rank)
    apart = b.unsqueeze(x, axis + 1)
    spread = list(apart.shape)
    spread[axis + 1] = repeats
    return b.reshape(b.expand(apart, spread), b.result_shape)


@op("constant_pad_nd")
def constant_pad(b, x, pad, value=0):
    require(all(isinstance(entry, int) for entry in pad), "padding by a run-time size")
    low, high = [0] * x.rank, [0] * x.rank
    for position in range(len(pad) // 2):
        axis = x.rank - 1 - position
        before, after = pad[2 * position], pad[2 * position + 1]
        if before < 0 or after < 0:
            x = b.slice(x, axis, max(-before, 0), after if after < 0 else INT64_MAX, 1)
        low[axis], high[axis] = max(before, 0), max(after, 0)
    if not any(low) and not any(high):
        return x
    shape = [plain_size(size + l + h) for size, l, h in zip(x.shape, low, high)]
    return b.op("pad", [x], [(x.dtype, shape)], {"low": low, "high": high, "value": float(value)})[0]


@op("pad")
def pad(b, x, pad, mode="constant", value=None):
    require(mode == "constant", f"padding of mode '{mode}'")
    return constant_pad(b, x, pad, 0 if value is None else value)


@op("flip")
def flip(b, x, dims):
    for axis in axes_of(dims, x.rank):
        size = x.shape[axis]
        if is_static(size):
            order = b.iota(size, "i64", start=size - 1, step=-1) if size else None
        else:
            order = b.binary("sub", b.scalar(plain_size(size - 1), "i64"), b.iota(size, "i64"))
        x = b.gather(x, order, axis) if order is not None else x
    return x


@op("roll")
def roll(b, x, shifts, dims=()):
    shape = b.result_shape
    if not dims:
        total = 1
        for size in x.shape:
            total = total * size
        x, dims = b.reshape(x, [total]), [0]
    for shift, dim in zip(shifts, dims):
        axis = axis_of(dim, x.rank)
        size = x.shape[axis]
        require(is_number(shift) and is_static(size), "roll over a run-time size")
        place = -shift % size if size else 0
        if place:
            x = b.concat([b.slice(x, axis, place), b.slice(x, axis, 0, place)], axis)
    return b.reshape(x, shape)


@op("diff")
def diff(b, x, n=1, dim=-1, prepend=None, append=None):
    axis = axis_of(dim, x.rank)
    x = b.concat([part for part in (prepend, x, append) if part is not None], axis)
    for _ in range(n):
        later, earlier = b.slice(x, axis, 1), b.slice(x, axis, 0, -1)
        x = b.compare("ne", later, earlier) if x.dtype == "i1" else b.binary("sub", later, earlier)
    return x


@op("slice_scatter")
def slice_scatter(b, x, source, dim=0, start=None, end=None, step=1):
    axis, size = axis_of(dim, x.rank), x.shape[dim]
    require(step == 1, "slice_scatter with a step")
    require(is_static(size) and all(bound is None or is_static(plain_size(bound)) for bound in (start, end)),
            "slice_scatter with run-time bounds")
    first, last, _ = slice(start, end).indices(size)
    parts = [b.cast(source, x.dtype)]
    if first > 0:
        parts.insert(0, b.slice(x, axis, 0, first))
    if last < size:
        parts.append(b.slice(x, axis, last))
    return b.concat(parts, axis)


@op("select_scatter")
def select_scatter(b, x, source, dim, index):
    axis = axis_of(dim, x.rank)
    require(is_static(x.shape[axis]), "select_scatter along a run-time size")
    index = index % x.shape[axis]
    return slice_scatter(b, x, b.unsqueeze(source, axis), axis, index, index + 1)


@op("unfold")
def unfold(b, x, dim, size, step):
    """Windows along one dimension, as gathered rows."""
    axis = axis_of(dim, x.rank)
    count = b.result_shape[axis]
    starts = b.iota(count, "i64", step=step)
    places = b.binary("add", b.unsqueeze(starts, 1), b.unsqueeze(b.iota(size, "i64"), 0))
    windows = b.gather(x, places, axis)  # [.., count, size, ..]
    order = [a for a in range(windows.rank) if a != axis + 1] + [axis + 1]
    return b.transpose(windows, order)
