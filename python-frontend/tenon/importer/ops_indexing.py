"""Reads by index tensors, triangles and diagonals."""
from tenon.importer.op_builder import broadcast_shapes
from tenon.importer.op_table import axis_of, is_number, op, require
from tenon.importer.text_builder import is_static


@op("embedding")
def embedding(b, weight, indices, *unused, **options):
    indices = indices if indices.dtype in ("i64", "i32") else b.cast(indices, "i64")
    return b.op("embedding", [weight, indices], [(weight.dtype, indices.shape + weight.shape[1:])])[0]


@op("index.Tensor", "_unsafe_index.Tensor")
def index(b, x, indices):
    places = [axis for axis, entry in enumerate(indices) if entry is not None]
    tensors = [indices[axis] for axis in places]
    require(all(tensor.dtype != "i1" for tensor in tensors),
            "selection by a boolean mask, whose result's size depends on data; use torch.where")
    tensors = [b.index(tensor, x.shape[axis]) for axis, tensor in zip(places, tensors)]
    if len(places) == 1:
        return b.gather(x, tensors[0], places[0])
    # Several: the indexed dimensions go to the front, and the index tensors become one tensor of tuples.
    rest = [axis for axis in range(x.rank) if axis not in places]
    x = b.transpose(x, places + rest)
    shape = broadcast_shapes(*(tensor.shape for tensor in tensors))
    columns = [b.expand(b.cast(tensor, "i64"), shape) for tensor in tensors]
    tuples = b.concat([b.unsqueeze(column, len(shape)) for column in columns], len(shape))
    result, = b.op("gather_nd", [x, tuples], [(x.dtype, shape + x.shape[len(places):])])
    first = places[0]
    if places == list(range(first, first + len(places))) and first:
        # Indices that stand side by side leave their result in place; others leave it in front.
        inner, lead = len(shape), list(range(len(shape), len(shape) + first))
        result = b.transpose(result, lead + list(range(inner)) + list(range(inner + first, result.rank)))
    return result


@op("index_select")
def index_select(b, x, dim, indices):
    if x.rank == 0:
        return x
    indices = b.unsqueeze(indices, 0) if indices.rank == 0 else indices
    return b.gather(x, indices, axis_of(dim, x.rank))


@op("gather")
def gather(b, x, dim, indices, *, sparse_grad=False):
    if x.rank == 0:
        return b.reshape(x, b.result_shape)
    return b.op("gather_elements", [x, indices], [(x.dtype, indices.shape)], {"axis": axis_of(dim, x.rank)})[0]


@op("copy")
def copy(b, x, source, non_blocking=False):
    return b.expand(b.cast(source, x.dtype), x.shape)


@op("fill.Scalar", "fill.Tensor")
def fill(b, x, value):
    return b.full(x.shape, value, x.dtype)


@op("one_hot")
def one_hot(b, x, num_classes=-1):
    require(is_number(num_classes) and num_classes > 0, "one_hot with a number of classes that depends on data")
    classes = b.iota(num_classes, x.dtype)
    return b.cast(b.compare("eq", b.unsqueeze(x, x.rank), classes), "i64")


def _triangle(predicate):
    def build(b, x, diagonal=0):
        rows, columns = x.shape[-2:]
        place = b.iota(rows, "i64", (rows, 1), 0, start=diagonal)
        kept = b.compare(predicate, b.iota(columns, "i64", (1, columns), 1), place)
        if x.dtype == "i1":
            return b.op("logical_and", [x, kept], [("i1", x.shape)])[0]
        return b.select(kept, x, 0)
    return build


op("tril")(_triangle("le"))
op("triu")(_triangle("ge"))


@op("diagonal")
def diagonal(b, x, offset=0, dim1=0, dim2=1):
    first, second = axis_of(dim1, x.rank), axis_of(dim2, x.rank)
    require(all(is_static(x.shape[axis]) for axis in (first, second)), "the diagonal of a run-time size")
    rest = [axis for axis in range(x.rank) if axis not in (first, second)]
    x = b.transpose(x, [first, second] + rest)
    count = b.result_shape[-1]
    start = (max(-offset, 0), max(offset, 0))
    columns = [b.iota(count, "i64", (count, 1), 0, start=place) for place in start]
    result, = b.op("gather_nd", [x, b.concat(columns, 1)], [(x.dtype, (count,) + x.shape[2:])])
    return b.transpose(result, list(range(1, result.rank)) + [0])
