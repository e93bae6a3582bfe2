"""Attention in plain torch, for models that run without Tenon: scores, statistics and sums in f32, in f64 for f64. Every
score exists, so it is for checking results, not for speed."""
import math

import torch


def visible_by_position(query_positions, keys, causal, window):
    """[.., queries, keys], or None where all are: of queries at these positions, of keys at 0, 1, .."""
    key_positions = torch.arange(keys, device=query_positions.device)
    visible = None
    if causal:
        visible = key_positions <= query_positions[..., None]
    if window is not None:
        inside = key_positions > query_positions[..., None] - window
        visible = inside if visible is None else visible & inside
    return visible


def visible_by_length(lengths, count, along):
    """Which of `count` places along a dimension of the scores, -1 for keys and -2 for queries, are before its end."""
    inside = torch.arange(count, device=lengths.device) < lengths[:, None]
    return inside[:, None, None, :] if along == -1 else inside[:, None, :, None]


def joined(*masks):
    masks = [mask for mask in masks if mask is not None]
    result = masks[0] if masks else None
    for mask in masks[1:]:
        result = result & mask
    return result


def attend(query, key, value, visible, added, scale, soft_cap, dtype):
    """(result of `dtype`, log-sum-exp). `visible` and `added` broadcast to the scores, or are None."""
    groups = query.shape[1] // key.shape[1]
    key, value = (tensor.repeat_interleave(groups, 1) for tensor in (key, value))
    scores = query @ key.mT * (1 / math.sqrt(query.shape[3]) if scale is None else scale)
    if soft_cap is not None:
        scores = soft_cap * torch.tanh(scores / soft_cap)
    if added is not None:
        scores = scores + added
        visible = joined(visible, (added != -math.inf) | scores.isnan())
    visible = torch.ones_like(scores, dtype=torch.bool) if visible is None else visible.expand(scores.shape)
    scores = scores.masked_fill(~visible, -math.inf)
    if scores.shape[3] == 0:
        return (query.new_zeros((*query.shape[:3], value.shape[3]), dtype=dtype),
                query.new_full(query.shape[:3], -math.inf))
    largest = scores.amax(-1, keepdim=True)
    nothing = largest == -math.inf
    weights = torch.exp(scores - largest.masked_fill(nothing, 0.0))
    total = weights.sum(-1, keepdim=True)
    result = _weighted_sum(weights / total.masked_fill(nothing, 1.0), value, visible).masked_fill(nothing, 0.0)
    return result.to(dtype), (largest + total.log()).masked_fill(nothing, -math.inf).squeeze(-1)


def _weighted_sum(weights, value, visible):
    """What is hidden does not count, be it NaN, which a product would let through."""
    value = value.masked_fill(~visible.any(-2)[..., None], 0.0)
    if value.isfinite().all():
        return weights @ value
    products = weights[..., None] * value[..., None, :, :]
    return products.masked_fill(~visible[..., None], 0.0).sum(-2)
