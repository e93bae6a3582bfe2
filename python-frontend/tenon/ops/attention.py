"""Attention to sequences that end where data say, and to keys in pages."""
from typing import Optional

import torch

from tenon.ops import checks, reference

Results = tuple[torch.Tensor, torch.Tensor]


def attention(query, key, value, *, mask=None, key_lengths=None, query_lengths=None, causal=False, window=None, soft_cap=None,
              scale=None, scales=None, dtype=None, return_lse=False):
    """softmax(scale query key^T) value, of query [batch, heads, queries, size] and key and value [batch, shared heads, keys,
    size], the heads a multiple of the shared ones.

    `mask`: boolean, true where a query sees a key, or added to the scores; broadcasts to [batch, heads, queries, keys].
    `key_lengths`, `query_lengths`: integers [batch]; keys at and past a length are not seen, queries there see none.
    `causal`: query i sees keys up to i + keys - queries. `window`: and only so many of the last of these. Positions are those
    of the padded tensors, whatever the lengths.
    `soft_cap`: scores become cap tanh(scores / cap), before the mask. `scale`: 1 / sqrt(size) where left out.
    `scales`: of 8-bit floats (float8_e4m3fn), three of float32, for query, key and value, which broadcast to [batch, heads,
    queries, 1], [batch, shared heads, 1, 1] and [batch, shared heads, 1, size]; `dtype`: the result's then, bfloat16 where
    left out. A query that sees no key gives 0. `return_lse`: gives (result, log of the sum of the exponentials of its
    scores [batch, heads, queries], -inf where there is none)."""
    query_scale, key_scale, value_scale = scales or (None, None, None)
    result, lse = torch.ops.tenon.attention(query, key, value, mask, key_lengths, query_lengths, query_scale, key_scale,
                                            value_scale, causal, window, soft_cap, scale, dtype)
    return (result, lse) if return_lse else result


def paged_attention(query, key_pages, value_pages, block_table, key_lengths, *, position=None, window=None, mask=None,
                    soft_cap=None, scale=None, return_lse=False):
    """Attention of query [batch, heads, queries, size] to keys and values in pages of pools [pages, shared heads, page, size].

    `block_table`: integers [batch, P]; key j of a sequence is at j % page in page block_table[.., j // page] of the pools. A
    number out of range counts as the nearest page; past a sequence's length it may be anything.
    `key_lengths`: integers [batch], how many keys each sequence has.
    `position`: integers [batch], where the first query of each sequence is, as for kv_pages_append: query i then sees keys up
    to its own place, position + i, and with `window` only so many of the last of these.
    `mask` broadcasts to [batch, heads, queries, P page]; the rest is as for `attention`."""
    result, lse = torch.ops.tenon.paged_attention(query, key_pages, value_pages, block_table, key_lengths, position, mask,
                                                  window, soft_cap, scale)
    return (result, lse) if return_lse else result


# ---- attention ----
def _check(query, key, value, mask, key_lengths, query_lengths, scales, window, soft_cap, dtype):
    op = "attention"
    checks.require_heads(op, query=query, key=key, value=value)
    batch = query.shape[0]
    is_float8 = query.dtype == checks.FLOAT8
    checks.require(is_float8 or query.dtype in checks.FLOATS, op, f"query is {checks.shown(query)}",
                   "float16, bfloat16, float32, float64 or float8_e4m3fn", "query.to(torch.float32)")
    checks.require_shape(op, "key", key, (batch, *key.shape[1:]), "query's batch first", "expand key to query's batch")
    checks.require_shared_heads(op, query, key, value, ("key", "value"))
    checks.require_numbers(op, window, soft_cap)
    result = _result_type(query, dtype)
    checks.require(not is_float8 or result in (torch.float16, torch.bfloat16, torch.float32), op, f"dtype is {dtype}",
                   "float16, bfloat16 or float32", "cast the result")
    if mask is not None:
        checks.require_mask(op, mask, (*query.shape[:3], key.shape[2]), result)
    for name, lengths in (("key_lengths", key_lengths), ("query_lengths", query_lengths)):
        if lengths is not None:
            checks.require_integers(op, name, lengths, (batch,), "the batch")
    given = [scale is not None for scale in scales]
    checks.require(all(given) or not any(given), op, f"{sum(given)} scales are given", "three, or none",
                   "scales=(query's, key's, value's)")
    checks.require(is_float8 or not any(given) and dtype in (None, query.dtype), op,
                   f"scales or dtype are given for {checks.shown(query)}", "them for float8_e4m3fn alone",
                   "multiply by the scales, and cast the result")
    if is_float8 and all(given):
        _check_scales(op, query, key, value, scales)


def _check_scales(op, query, key, value, scales):
    batch, shared = key.shape[:2]
    wanted = ((*query.shape[:3], 1), (batch, shared, 1, 1), (batch, shared, 1, value.shape[3]))
    said = ("[batch, heads, queries, 1]", "[batch, shared heads, 1, 1]", "[batch, shared heads, 1, size]")
    for name, scale, shape, names in zip(("query", "key", "value"), scales, wanted, said):
        checks.require(scale.dtype == torch.float32, op, f"the scale of {name} is {checks.shown(scale)}", "float32",
                       "scale.float()")
        checks.require_broadcast(op, f"the scale of {name}", scale, shape, names)


def _result_type(query, dtype):
    return dtype or (torch.bfloat16 if query.dtype == checks.FLOAT8 else query.dtype)


def _wide(tensor):
    return tensor if tensor.dtype == torch.float64 else tensor.float()


@torch.library.custom_op("tenon::attention", mutates_args=())
def _attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: Optional[torch.Tensor],
               key_lengths: Optional[torch.Tensor], query_lengths: Optional[torch.Tensor],
               query_scale: Optional[torch.Tensor], key_scale: Optional[torch.Tensor], value_scale: Optional[torch.Tensor],
               causal: bool, window: Optional[int], soft_cap: Optional[float], scale: Optional[float],
               dtype: Optional[torch.dtype]) -> Results:
    scales = (query_scale, key_scale, value_scale)
    _check(query, key, value, mask, key_lengths, query_lengths, scales, window, soft_cap, dtype)
    queries, keys = query.shape[2], key.shape[2]
    result = _result_type(query, dtype)
    operands = [_wide(tensor) if factor is None else _wide(tensor) * factor
                for tensor, factor in zip((query, key, value), scales)]
    positions = torch.arange(queries, device=query.device) + (keys - queries)
    is_boolean = mask is not None and mask.dtype == torch.bool
    visible = reference.joined(
        reference.visible_by_position(positions, keys, causal, window), mask if is_boolean else None,
        None if key_lengths is None else reference.visible_by_length(key_lengths, keys, -1),
        None if query_lengths is None else reference.visible_by_length(query_lengths, queries, -2))
    return reference.attend(*operands, visible, None if is_boolean else mask, scale, soft_cap, result)


def _shapes(query, columns, dtype):
    return (query.new_empty((*query.shape[:3], columns), dtype=dtype),
            query.new_empty(query.shape[:3], dtype=torch.float64 if dtype == torch.float64 else torch.float32))


@_attention.register_fake
def _attention_shapes(query, key, value, mask, key_lengths, query_lengths, query_scale, key_scale, value_scale, causal, window,
                      soft_cap, scale, dtype):
    _check(query, key, value, mask, key_lengths, query_lengths, (query_scale, key_scale, value_scale), window, soft_cap, dtype)
    return _shapes(query, value.shape[3], _result_type(query, dtype))


# ---- keys in pages ----
def _check_paged(query, key_pages, value_pages, block_table, key_lengths, position, mask, window, soft_cap):
    op = "paged_attention"
    checks.require_heads(op, query=query, key_pages=key_pages, value_pages=value_pages)
    batch = query.shape[0]
    checks.require(query.dtype in checks.FLOATS, op, f"query is {checks.shown(query)}",
                   "float16, bfloat16, float32 or float64", "keep pages in one of these")
    checks.require_shared_heads(op, query, key_pages, value_pages, ("key_pages", "value_pages"))
    checks.require_numbers(op, window, soft_cap)
    checks.require(window is None or position is not None, op, f"window is {window} and there is no position",
                   "both: a window ends at the query's own place", "position=, where each sequence's first query is")
    checks.require(block_table.dim() == 2, op, f"block_table is {checks.shown(block_table)}", "[batch, pages of each]",
                   "a row of page numbers for each sequence")
    checks.require_integers(op, "block_table", block_table, (batch, block_table.shape[1]), "query's batch first")
    checks.require_integers(op, "key_lengths", key_lengths, (batch,), "the batch")
    if position is not None:
        checks.require_integers(op, "position", position, (batch,), "the batch")
    if mask is not None:
        checks.require_mask(op, mask, (*query.shape[:3], block_table.shape[1] * key_pages.shape[2]), query.dtype)


def _in_order(pool, block_table):
    """[batch, heads, keys, size] of pages [N, heads, page, size]."""
    pages = pool[block_table.long().clamp(0, pool.shape[0] - 1)]
    return pages.transpose(1, 2).flatten(2, 3)


@torch.library.custom_op("tenon::paged_attention", mutates_args=())
def _paged_attention(query: torch.Tensor, key_pages: torch.Tensor, value_pages: torch.Tensor, block_table: torch.Tensor,
                     key_lengths: torch.Tensor, position: Optional[torch.Tensor], mask: Optional[torch.Tensor],
                     window: Optional[int], soft_cap: Optional[float], scale: Optional[float]) -> Results:
    _check_paged(query, key_pages, value_pages, block_table, key_lengths, position, mask, window, soft_cap)
    key, value = _in_order(key_pages, block_table), _in_order(value_pages, block_table)
    visible = reference.visible_by_length(key_lengths, key.shape[2], -1)
    if position is not None:
        places = position.long()[:, None] + torch.arange(query.shape[2], device=query.device)
        visible = visible & reference.visible_by_position(places, key.shape[2], True, window)[:, None]
    is_boolean = mask is not None and mask.dtype == torch.bool
    visible = reference.joined(visible, mask if is_boolean else None)
    return reference.attend(_wide(query), _wide(key), _wide(value), visible, None if is_boolean else mask, scale, soft_cap,
                            query.dtype)


@_paged_attention.register_fake
def _paged_attention_shapes(query, key_pages, value_pages, block_table, key_lengths, position, mask, window, soft_cap, scale):
    _check_paged(query, key_pages, value_pages, block_table, key_lengths, position, mask, window, soft_cap)
    return _shapes(query, value_pages.shape[3], query.dtype)


for _operator in (_attention, _paged_attention):
    checks.without_gradient(_operator, "train with torch.nn.functional.scaled_dot_product_attention")
