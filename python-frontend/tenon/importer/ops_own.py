"""Tenon's own operators, of tenon.ops: each is an op of the dialect."""
import math

from tenon.importer.op_table import op
from tenon.importer.text_builder import plain_size


def _attention(b, query, key, value, given, attributes):
    """`given`: name -> value or None, in the dialect's order."""
    given = {name: value for name, value in given.items() if value is not None}
    mask_and_more = [name for name in given if not name.endswith("_scale")]
    scales = [name for name in given if name.endswith("_scale")]

    def form(names):
        named = dict(zip(given, names[3:]))
        parts = [f"{name}({named[name]})" for name in mask_and_more]
        parts += [f"scales({', '.join(named[name] for name in scales)})"] if scales else []
        return " ".join([", ".join(names[:3]), *parts])
    return b.op("attention", [query, key, value, *given.values()], b.results, attributes | {"log_sum_exp": True}, form)


def _number(value):
    return None if value is None else float(value)


@op("tenon.attention.default")
def attention(b, query, key, value, mask, key_lengths, query_lengths, query_scale, key_scale, value_scale, causal, window,
              soft_cap, scale, dtype):
    given = {"mask": mask, "key_lengths": key_lengths, "query_lengths": query_lengths, "query_scale": query_scale,
             "key_scale": key_scale, "value_scale": value_scale}
    return _attention(b, query, key, value, given, {"causal": causal, "window": window, "soft_cap": _number(soft_cap),
                                                    "scale": _number(scale)})


@op("tenon.paged_attention.default")
def paged_attention(b, query, key_pages, value_pages, block_table, key_lengths, position, mask, window, soft_cap, scale):
    if position is not None:
        queries, keys = query.shape[2], plain_size(block_table.shape[1] * key_pages.shape[2])
        first = b.cast(position, "i64")
        # Of one query that is all it sees at most; of several a mask says the rest.
        key_lengths = b.arithmetic("min", b.cast(key_lengths, "i64"), b.arithmetic("add", first, queries, "i64"), "i64")
        if queries != 1 or window is not None:
            mask = _also(b, mask, _by_position(b, first, queries, keys, window), query.dtype)
    given = {"mask": mask, "key_lengths": key_lengths, "block_table": block_table}
    return _attention(b, query, key_pages, value_pages, given, {"soft_cap": _number(soft_cap), "scale": _number(scale)})


def _by_position(b, first, queries, keys, window):
    """[batch, 1, queries, keys]: which keys are no further than the query's own place, `first` being each sequence's, and no
    further back than a window."""
    place = b.binary("add", b.reshape(first, (*first.shape, 1, 1, 1)), b.iota(queries, "i64", (queries, 1)))
    key = b.iota(keys, "i64")
    inside = None if window is None else b.compare("gt", key, b.arithmetic("sub", place, window, "i64"))
    return inside if queries == 1 else _also(b, inside, b.compare("le", key, place), "i1")


def _also(b, mask, seen, dtype):
    """A mask, boolean or added to the scores or none, with one more condition."""
    if mask is None:
        return seen
    if mask.dtype == "i1":
        return b.binary("logical_and", mask, seen)
    return b.select(seen, mask, -math.inf, dtype)


@op("tenon.kv_pages_append.default")
def kv_pages_append(b, pool, update, position, block_table):
    return b.op("kv_pages_append", [pool, update, position, block_table], [(pool.dtype, pool.shape)])[0]
