"""Whole layers that torch.nn makes one op of in inference: taken apart into what the dialect has."""
from tenon.importer.op_table import op, require
from tenon.importer.ops_contractions import attention, linear
from tenon.importer.ops_rows import layer_norm
from tenon.importer.text_builder import is_static


def _typed(b, dtype, shape, build, *args, **kwargs):
    """Builds an op of a layer as if it were a node of its own with this result."""
    outer, b.results = b.results, [(dtype, tuple(shape))]
    try:
        return build(b, *args, **kwargs)
    finally:
        b.results = outer


def _linear(b, x, weight, bias):
    return _typed(b, x.dtype, x.shape[:-1] + weight.shape[:1], linear, x, weight, bias)


def _visible(b, mask, mask_type):
    """torch's mask, in which what counts is 0, as [batch, heads, queries, keys] that is true for it."""
    mask = b.logical_not(mask)
    if mask_type == 0:
        return b.unsqueeze(mask, 0, 1) if mask.rank == 2 else mask
    return b.unsqueeze(mask, 1, 2) if mask_type == 1 else mask


def _self_attention(b, x, embed_dim, num_heads, qkv_weight, qkv_bias, proj_weight, proj_bias, mask, mask_type):
    require(x.rank == 3 and is_static(x.shape[2]), "self-attention of nested or unbatched tensors")
    size = embed_dim // num_heads
    qkv = b.reshape(_linear(b, x, qkv_weight, qkv_bias), x.shape[:2] + (3, num_heads, size))
    qkv = b.transpose(qkv, (2, 0, 3, 1, 4))
    parts = [b.reshape(b.slice(qkv, 0, place, place + 1, size=1), qkv.shape[1:]) for place in range(3)]
    visible = None if mask is None else _visible(b, mask, mask_type)
    heads = _typed(b, x.dtype, parts[0].shape, attention, *parts, visible)
    return _linear(b, b.reshape(b.swap(heads, 1, 2), x.shape), proj_weight, proj_bias)


@op("_native_multi_head_attention")
def native_multi_head_attention(b, query, key, value, embed_dim, num_head, qkv_weight, qkv_bias, proj_weight, proj_bias,
                                mask=None, need_weights=True, average_attn_weights=True, mask_type=None):
    require(query is key and key is value, "the fused op of torch.nn.MultiheadAttention on different tensors")
    return [_self_attention(b, query, embed_dim, num_head, qkv_weight, qkv_bias, proj_weight, proj_bias, mask, mask_type),
            None]


@op("_transformer_encoder_layer_fwd")
def transformer_encoder_layer(b, x, embed_dim, num_heads, qkv_weight, qkv_bias, proj_weight, proj_bias, use_gelu, norm_first,
                              eps, norm_weight_1, norm_bias_1, norm_weight_2, norm_bias_2, ffn_weight_1, ffn_bias_1,
                              ffn_weight_2, ffn_bias_2, mask=None, mask_type=None):
    def norm(value, weight, bias):
        return _typed(b, value.dtype, value.shape, layer_norm, value, [embed_dim], weight, bias, eps)

    def attend(value):
        return _self_attention(b, value, embed_dim, num_heads, qkv_weight, qkv_bias, proj_weight, proj_bias, mask, mask_type)

    def feed(value):
        inner = b.unary("gelu" if use_gelu else "relu", _linear(b, value, ffn_weight_1, ffn_bias_1))
        return _linear(b, inner, ffn_weight_2, ffn_bias_2)
    if norm_first:
        x = b.binary("add", x, attend(norm(x, norm_weight_1, norm_bias_1)))
        return b.binary("add", x, feed(norm(x, norm_weight_2, norm_bias_2)))
    x = norm(b.binary("add", x, attend(x)), norm_weight_1, norm_bias_1)
    return norm(b.binary("add", x, feed(x)), norm_weight_2, norm_bias_2)
