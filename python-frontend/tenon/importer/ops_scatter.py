"""Writes by index tensors. The dialect's scatter writes whole rows; what adds up, or goes an element at a time, is said by
comparing every place with every index, without a loop over updates: a fold over those that are meant for the place."""
import math

from tenon.importer import text_builder
from tenon.importer.op_builder import broadcast_shapes
from tenon.importer.op_table import axis_of, is_number, op, require


@op("index_put", "_unsafe_index_put")
def index_put(b, x, indices, values, accumulate=False):
    places = [axis for axis, entry in enumerate(indices) if entry is not None]
    values = b.cast(values, x.dtype)
    if indices[places[0]].dtype == "i1":
        require(len(places) == 1 and not accumulate, "a write by boolean mask that adds, or beside other indices; use torch.where")
        require(values.rank == 0 or all(size == 1 for size in values.shape),
                "a write by boolean mask of more than one value; use torch.where")
        axis, mask = places[0], indices[places[0]]
        mask = b.reshape(mask, mask.shape + (1,) * (x.rank - axis - mask.rank))
        return b.select(mask, b.reshape(values, ()), x)
    tensors = [b.cast(b.index(indices[axis], x.shape[axis]), "i64") for axis in places]
    if len(places) == 1:
        axis, (tensor,) = places[0], tensors
        values = b.expand(values, x.shape[:axis] + tensor.shape + x.shape[axis + 1:])
        if accumulate:
            return _add_rows(b, x, axis, tensor, values)
        return b.op("scatter", [x, tensor, values], [(x.dtype, x.shape)], {"axis": axis})[0]
    # Several: the indexed dimensions become one, in front, and the index tensors its places.
    require(places == list(range(places[0], places[0] + len(places))), "index_put by index tensors that stand apart")
    shape, first, last = broadcast_shapes(*(tensor.shape for tensor in tensors)), places[0], places[-1] + 1
    values = b.expand(values, x.shape[:first] + shape + x.shape[last:])
    lead, sizes, place = list(range(first)), x.shape[first:last], tensors[0]
    for tensor, size in zip(tensors[1:], sizes[1:]):
        place = b.arithmetic("add", b.arithmetic("mul", place, size, "i64"), tensor, "i64")
    moved = b.reshape(x, x.shape[:first] + (math.prod(sizes),) + x.shape[last:])
    place = b.expand(place, shape)
    if accumulate:
        return b.reshape(_add_rows(b, moved, len(lead), place, values), x.shape)
    return b.reshape(b.op("scatter", [moved, place, values], [(x.dtype, moved.shape)], {"axis": first})[0], x.shape)


def _add_rows(b, x, axis, indices, updates):
    """x plus, at each place along `axis`, the updates whose index it is: [.., indices.., ..] of them."""
    count = math.prod(indices.shape)
    indices = b.reshape(indices, (count,))
    updates = b.reshape(updates, x.shape[:axis] + (count,) + x.shape[axis + 1:])
    behind = (1,) * (x.rank - axis - 1)
    here = b.compare("eq", b.reshape(indices, (1, count) + behind), b.iota(x.shape[axis], "i64", (x.shape[axis], 1) + behind, 0))
    return _fold("sum", b, x, axis, here, updates)


# How updates are folded, by the name of torch: the ops, and what a place without an update folds.
_FOLDS = {"sum": ("reduce_sum", "add", 0), "amax": ("reduce_max", "max", -math.inf), "amin": ("reduce_min", "min", math.inf)}


def _fold(kind, b, x, axis, here, updates):
    """`here`: which update, along the dimension behind `axis`, counts at a place of x."""
    mnemonic, join, neutral = _FOLDS[kind]
    if x.dtype.startswith("i") and neutral:
        neutral = text_builder.INT64_MIN if neutral < 0 else text_builder.INT64_MAX
        require(x.dtype == "i64", f"scatter_reduce of {x.dtype}")
    wide = b.wide(x)
    chosen = b.select(here, b.unsqueeze(b.wide(updates), axis), neutral, wide.dtype)
    return b.cast(b.binary(join, wide, b.reduce(mnemonic, chosen, [axis + 1])), x.dtype)


def _places(b, x, axis, indices):
    """Whether an element of `indices` [.., n, ..] is the place along `axis`: [.., size, n, ..]; the other dimensions of x must
    be those of the indices."""
    others = [d for d in range(x.rank) if d != axis and x.shape[d] != indices.shape[d]]
    require(not others, "a scatter whose indices cover a part of the other dimensions")
    ones = tuple(x.shape[d] if d == axis else 1 for d in range(x.rank))
    at = b.unsqueeze(b.iota(x.shape[axis], "i64", ones, axis), axis + 1)
    return b.compare("eq", b.unsqueeze(b.cast(indices, "i64"), axis), at)


def _sliced_like(b, source, indices):
    for axis, (have, want) in enumerate(zip(source.shape, indices.shape)):
        if have != want:
            source = b.slice(source, axis, 0, want, 1, want)
    return source


@op("scatter.src", "scatter.value")
def scatter(b, x, dim, indices, source):
    """Of several updates of one element the last counts."""
    if x.rank == 0:
        return b.full((), source, x.dtype) if is_number(source) else b.reshape(b.cast(source, x.dtype), ())
    axis = axis_of(dim, x.rank)
    here = _places(b, x, axis, indices)
    count = indices.shape[axis]
    turn = b.iota(count, "i64", (count,) + (1,) * (x.rank - axis - 1), 0)
    last = b.reduce("reduce_max", b.select(here, turn, -1, "i64"), [axis + 1])
    written = b.compare("ge", last, 0)
    if is_number(source):
        return b.select(written, source, x, x.dtype)
    source = _sliced_like(b, b.cast(source, x.dtype), indices)
    last = b.binary("max", last, b.scalar(0, "i64"))
    chosen, = b.op("gather_elements", [source, last], [(x.dtype, x.shape)], {"axis": axis})
    return b.select(written, chosen, x)


@op("scatter_add")
def scatter_add(b, x, dim, indices, source):
    return scatter_reduce(b, x, dim, indices, source, "sum")


@op("scatter_reduce.two")
def scatter_reduce(b, x, dim, indices, source, reduce, *, include_self=True):
    require(reduce in _FOLDS and include_self, f"scatter_reduce by '{reduce}'" + ("" if include_self else " without itself"))
    require(x.rank > 0, "scatter_reduce of a scalar")
    axis = axis_of(dim, x.rank)
    return _fold(reduce, b, x, axis, _places(b, x, axis, indices), _sliced_like(b, b.cast(source, x.dtype), indices))


@op("index_add")
def index_add(b, x, dim, indices, source, *, alpha=1):
    source = source if alpha == 1 else b.arithmetic("mul", source, alpha, x.dtype)
    return _add_rows(b, x, axis_of(dim, x.rank), b.cast(indices, "i64"), source)


@op("index_copy")
def index_copy(b, x, dim, indices, source):
    return b.op("scatter", [x, indices, source], [(x.dtype, x.shape)], {"axis": axis_of(dim, x.rank)})[0]


@op("index_fill.int_Scalar")
def index_fill(b, x, dim, indices, value):
    axis = axis_of(dim, x.rank)
    shape = x.shape[:axis] + indices.shape + x.shape[axis + 1:]
    updates = b.full(shape, value, x.dtype)
    return b.op("scatter", [x, b.index(indices, x.shape[axis]), updates], [(x.dtype, x.shape)], {"axis": axis})[0]
