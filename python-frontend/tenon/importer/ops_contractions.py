"""Matrix products, attention and convolution: kept whole, as they are what kernels grow around."""
from tenon.importer.op_table import is_number, op, per_dimension, require


@op("linear")
def linear(b, x, weight, bias=None):
    dtype = b.result_dtype
    operands = [b.cast(value, dtype) for value in (x, weight, bias) if value is not None]
    return b.op("linear", operands, [(dtype, x.shape[:-1] + weight.shape[:1])])[0]


@op("matmul")
def matmul(b, x, y):
    if x.rank >= 2 and y.rank >= 2:
        return b.matmul(x, y)
    left = x if x.rank > 1 else b.unsqueeze(x, 0)
    right = y if y.rank > 1 else b.unsqueeze(y, 1)
    return b.reshape(b.matmul(left, right), b.result_shape)


@op("mm", "bmm", "dot", "mv", "vdot", "linalg_vecdot", "inner")
def plain_product(b, x, y):
    require(x.rank <= 3 and y.rank <= 3, "a product of these ranks")
    return matmul(b, x, y)


def _add_product(b, bias, product, beta, alpha):
    """beta bias + alpha product, rounded once."""
    if beta == 0:
        return product if alpha == 1 else b.arithmetic("mul", product, alpha)
    if alpha != 1:
        product = b.arithmetic("mul", product, alpha, "f32" if product.dtype in ("f16", "bf16") else product.dtype)
    if beta != 1:
        bias = b.arithmetic("mul", bias, beta, product.dtype)
    return b.arithmetic("add", b.cast(bias, product.dtype), product)


@op("addmm", "addmv", "baddbmm")
def addmm(b, bias, x, y, *, beta=1, alpha=1):
    product = matmul(b, x, y) if x.rank == y.rank else b.reshape(b.matmul(x, b.unsqueeze(y, 1)), b.result_shape)
    return _add_product(b, bias, product, beta, alpha)


@op("_trilinear")
def trilinear(b, first, second, third, expand1, expand2, expand3, sumdim, unroll_dim=1):
    """What torch.nn.Bilinear becomes: a product of three, summed."""
    parts = [b.unsqueeze(part, *axes) for part, axes in ((first, expand1), (second, expand2), (third, expand3))]
    product = b.binary("mul", b.binary("mul", *map(b.wide, parts[:2])), b.wide(parts[2]))
    return b.cast(b.reduce("reduce_sum", product, sumdim), b.result_dtype)


# ---- attention ----
@op("scaled_dot_product_attention")
def attention(b, query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, *, scale=None, enable_gqa=False):
    return attention_and_sums(b, query, key, value, attn_mask, dropout_p, is_causal, scale, False)[0]


def attention_and_sums(b, query, key, value, attn_mask, dropout_p, is_causal, scale, log_sum_exp):
    """[result], and the logarithms of its rows' sums where they are asked for."""
    require(dropout_p == 0, "attention with dropout: export the model after model.eval()")
    require(scale is None or is_number(scale), "attention with a scale known only at run time")
    shape = b.result_shape
    rank = len(shape)
    require(rank >= 2, "attention of rank 1")
    query, key, value = (_heads(b, tensor) for tensor in (query, key, value))
    batch, heads, length, _ = query.shape
    positions = key.shape[2]
    causal = bool(is_causal) and length == positions
    if is_causal and not causal:
        # PyTorch aligns the triangle at the first query, the dialect at the last.
        rows, columns = b.iota(length, "i64"), b.iota(positions, "i64")
        attn_mask = b.compare("ge", b.unsqueeze(rows, 1), b.unsqueeze(columns, 0))
    operands, masked = [query, key, value], attn_mask is not None
    if masked:
        if attn_mask.rank > 4:
            attn_mask = b.reshape(attn_mask, _merged(attn_mask.shape))
        elif attn_mask.rank == 3 and rank == 3:
            attn_mask = b.unsqueeze(attn_mask, 1)
        if attn_mask.dtype not in ("i1", query.dtype):
            attn_mask = b.cast(attn_mask, query.dtype)
        operands.append(attn_mask)

    def form(names):
        return ", ".join(names[:3]) + (f" mask({names[3]})" if masked else "")
    types = [(query.dtype, (batch, heads, length, value.shape[3]))]
    if log_sum_exp:
        types.append(("f64" if query.dtype == "f64" else "f32", (batch, heads, length)))
    result, *sums = b.op("attention", operands, types, {"causal": causal, "log_sum_exp": log_sum_exp,
                                                        "scale": None if scale is None else float(scale)}, form)
    return [b.reshape(result, shape), *sums]


def _merged(shape):
    """Leading dimensions beyond [batch, heads, sequence, size] become one."""
    lead = 1
    for size in shape[:-3]:
        lead = lead * size
    return (lead,) + tuple(shape[-3:])


def _heads(b, tensor):
    if tensor.rank == 4:
        return tensor
    if tensor.rank < 4:  # one head, as their number has to be static; what comes first is the batch
        return b.unsqueeze(tensor, 1) if tensor.rank == 3 else b.unsqueeze(tensor, 0, 1)
    return b.reshape(tensor, _merged(tensor.shape))


@op("_scaled_dot_product_flash_attention_for_cpu")
def flash_attention_for_cpu(b, query, key, value, dropout_p=0.0, is_causal=False, *, attn_mask=None, scale=None):
    return attention_and_sums(b, query, key, value, attn_mask, dropout_p, is_causal, scale, True)


# ---- convolution ----
def _convolution(b, x, weight, bias, stride, padding, dilation, groups):
    count = weight.rank - 2
    require(count in (1, 2), f"a convolution over {count} dimensions; 1 and 2 are supported")
    unbatched = x.rank == count + 1
    if unbatched:
        x = b.unsqueeze(x, 0)
    stride, dilation = per_dimension(stride, count), per_dimension(dilation, count)
    if padding == "valid":
        padding = [0] * count
    elif padding == "same":
        totals = [step * (window - 1) for step, window in zip(dilation, weight.shape[2:])]
        padding = [total // 2 for total in totals]
        odd = [total % 2 for total in totals]
        if any(odd):  # the odd element goes to the far side
            low, high = [0] * x.rank, [0, 0] + odd
            shape = [size + more for size, more in zip(x.shape, high)]
            x, = b.op("pad", [x], [(x.dtype, shape)], {"low": low, "high": high, "value": 0.0})
    else:
        padding = per_dimension(padding, count)
    shape = tuple(b.result_shape)
    attributes = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    operands = [x, weight] + ([] if bias is None else [bias])
    result, = b.op("convolution", operands, [(x.dtype, (1,) + shape if unbatched else shape)], attributes)
    return b.reshape(result, shape)


@op("conv1d", "conv2d", "conv1d.padding", "conv2d.padding", "conv3d")
def convolution_nd(b, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return _convolution(b, x, weight, bias, stride, padding, dilation, groups)


@op("convolution", "_convolution")
def convolution(b, x, weight, bias, stride, padding, dilation, transposed, output_padding, groups, *unused):
    require(not transposed, "a transposed convolution")
    return _convolution(b, x, weight, bias, stride, padding, dilation, groups)
