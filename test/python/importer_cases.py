"""One case an op of the importer's table: a function of the shared inputs, written as a model's author would.

Every case of a group goes into one module, which is exported, compiled and run once. `t` holds the inputs:
x, y: f32 [b, 4, 6], any sign; p: f32 [b, 4, 6], in 0.1 .. 2; s: f32 [b, 6]; i: i64 [b, 4], in 0 .. 3; n: i64 [b, 4],
in -4 .. 3; k: bool [b, 4, 6]; img: f32 [b, 4, 8, 8]. b is dynamic.
"""
import math

import torch
import torch.nn.functional as F

INPUTS = ("x", "y", "p", "s", "i", "n", "k", "img")


def make_inputs(batch, dtype=torch.float32):
    generator = torch.Generator().manual_seed(1234 + batch)

    def normal(*shape):
        return torch.randn(*shape, generator=generator).to(dtype)
    return {
        "x": normal(batch, 4, 6),
        "y": normal(batch, 4, 6),
        "p": (torch.rand(batch, 4, 6, generator=generator) * 1.9 + 0.1).to(dtype),
        "s": normal(batch, 6),
        "i": torch.randint(0, 4, (batch, 4), generator=generator),
        "n": torch.randint(-4, 4, (batch, 4), generator=generator),
        "k": torch.rand(batch, 4, 6, generator=generator) > 0.5,
        "img": normal(batch, 4, 8, 8),
    }


CONST = torch.Generator().manual_seed(7)


def const(*shape, dtype=torch.float32):
    return torch.randn(*shape, generator=CONST).to(dtype)


W64, B4, W6x6, W4, KERNEL1, KERNEL2, KERNEL_G = (const(4, 6), const(4), const(6, 6), const(6), const(5, 4, 3),
                                                 const(5, 4, 3, 3), const(8, 2, 3, 3))
VARIANCE = torch.rand(4, generator=CONST) + 0.5
TABLE = const(10, 5)
TRILINEAR = const(4, 6, 6)
LOWER = torch.ones(8, 8).tril().bool()
PICK = torch.tensor([2, 0, 1])


def like(constant, t):
    """A constant in the type of the inputs, so that a case also runs in float64."""
    return constant.to(t.x.dtype)


POINTWISE = {
    "abs": lambda t: t.x.abs(),
    "neg": lambda t: -t.x,
    "sign": lambda t: t.x.sign(),
    "exp": lambda t: t.x.exp(),
    "exp2": lambda t: t.x.exp2(),
    "log": lambda t: t.p.log(),
    "log2": lambda t: t.p.log2(),
    "log10": lambda t: t.p.log10(),
    "log1p": lambda t: (t.x.abs() * 1e-4).log1p(),
    "log1p_large": lambda t: t.p.log1p(),
    "expm1": lambda t: (t.x * 1e-4).expm1(),
    "expm1_large": lambda t: t.x.expm1(),
    "sqrt": lambda t: t.p.sqrt(),
    "rsqrt": lambda t: t.p.rsqrt(),
    "reciprocal": lambda t: t.p.reciprocal(),
    "sin": lambda t: t.x.sin(),
    "cos": lambda t: t.x.cos(),
    "tan": lambda t: t.x.tan() * 0.1,
    "sinh": lambda t: t.x.sinh(),
    "cosh": lambda t: t.x.cosh(),
    "tanh": lambda t: t.x.tanh(),
    "erf": lambda t: t.x.erf(),
    "sigmoid": lambda t: t.x.sigmoid(),
    "floor": lambda t: (t.x * 3).floor(),
    "ceil": lambda t: (t.x * 3).ceil(),
    "round": lambda t: (t.x * 3).round(),
    "trunc": lambda t: (t.x * 3).trunc(),
    "frac": lambda t: (t.x * 3).frac(),
    "square": lambda t: t.x.square(),
    "relu": lambda t: t.x.relu(),
    "silu": lambda t: F.silu(t.x),
    "mish": lambda t: F.mish(t.x),
    "gelu": lambda t: F.gelu(t.x),
    "gelu_tanh": lambda t: F.gelu(t.x, approximate="tanh"),
    "hardsigmoid": lambda t: F.hardsigmoid(t.x * 4),
    "hardswish": lambda t: F.hardswish(t.x * 4),
    "leaky_relu": lambda t: F.leaky_relu(t.x, 0.2),
    "elu": lambda t: F.elu(t.x, 0.7),
    "selu": lambda t: F.selu(t.x),
    "celu": lambda t: F.celu(t.x, 1.5),
    "softplus": lambda t: F.softplus(t.x),
    "softplus_beta": lambda t: F.softplus(t.x, 2.0),
    "logsigmoid": lambda t: F.logsigmoid(t.x),
    "softshrink": lambda t: F.softshrink(t.x, 0.3),
    "hardshrink": lambda t: F.hardshrink(t.x, 0.3),
    "threshold": lambda t: F.threshold(t.x, 0.1, -3.0),
    "glu": lambda t: F.glu(t.x, -1),
    "prelu": lambda t: F.prelu(t.x, like(B4, t)),
    "clamp": lambda t: t.x.clamp(-0.5, 0.7),
    "clamp_min": lambda t: t.x.clamp(min=0.1),
    "clamp_max": lambda t: t.x.clamp(max=0.1),
    "clamp_int": lambda t: t.i.clamp(1, 2),
    "clamp_tensor": lambda t: t.x.clamp(min=t.y),
    "hardtanh": lambda t: F.hardtanh(t.x),
    "relu6": lambda t: F.relu6(t.x * 5),
    "isnan": lambda t: (t.x / 0 * 0).isnan(),
    "isinf": lambda t: (t.x / 0).isinf(),
    "isfinite": lambda t: torch.where(t.k, t.x, t.x / 0).isfinite(),
    "nan_to_num": lambda t: torch.nan_to_num(torch.where(t.k, t.x, t.x / 0), posinf=5.0, neginf=-5.0),
    "logical_not": lambda t: t.k.logical_not(),
    "bitwise_not": lambda t: ~t.k,
    "bitwise_not_int": lambda t: ~t.n,
    "to_int": lambda t: (t.x * 5).to(torch.int64),
    "to_bool": lambda t: t.i.bool(),
    "to_float": lambda t: t.i.float(),
    "to_half": lambda t: t.x.half().float(),
    "to_bf16": lambda t: t.x.bfloat16().float(),
    "type_as": lambda t: t.i.type_as(t.x),
    "exp_int": lambda t: t.i.exp(),
    "dropout": lambda t: F.dropout(t.x, 0.5, False),
    "clone": lambda t: t.x.clone(),
    "contiguous": lambda t: t.x.transpose(1, 2).contiguous(),
    "detach": lambda t: t.x.detach(),
}

ARITHMETIC = {
    "add": lambda t: t.x + t.y,
    "add_scalar": lambda t: t.x + 1.5,
    "add_alpha": lambda t: torch.add(t.x, t.y, alpha=0.3),
    "add_broadcast": lambda t: t.x + t.s[:, None, :],
    "add_int": lambda t: t.i + t.n,
    "add_int_scalar": lambda t: t.i + 3,
    "convert_element_type": lambda t: torch.ops.prims.convert_element_type(t.i, torch.float32) / 3,
    "add_mixed": lambda t: t.x + t.i[:, :, None],
    "add_bool": lambda t: t.k + t.k,
    "sub": lambda t: t.x - t.y,
    "rsub": lambda t: 1 - t.x,
    "mul": lambda t: t.x * t.y,
    "mul_bool": lambda t: t.k * t.x,
    "mul_bools": lambda t: t.k * ~t.k,
    "div": lambda t: t.x / t.p,
    "div_int": lambda t: t.i / 3,
    "div_floor": lambda t: torch.div(t.x, t.p, rounding_mode="floor"),
    "div_trunc": lambda t: torch.div(t.x, t.p, rounding_mode="trunc"),
    "div_trunc_int": lambda t: torch.div(t.n, 3, rounding_mode="trunc"),
    "floor_divide": lambda t: t.n // 3,
    "remainder": lambda t: t.n % 3,
    "remainder_float": lambda t: t.x % 0.7,
    "fmod": lambda t: torch.fmod(t.n, 3),
    "pow2": lambda t: t.x ** 2,
    "pow3": lambda t: t.x ** 3,
    "pow4": lambda t: t.x ** 4,
    "pow_half": lambda t: t.p ** 0.5,
    "pow_minus_half": lambda t: t.p ** -0.5,
    "pow_minus_one": lambda t: t.p ** -1,
    "pow_scalar": lambda t: t.p ** 1.7,
    "pow_tensor": lambda t: t.p ** t.y,
    "pow_base": lambda t: 2.5 ** t.x,
    "pow_int": lambda t: t.n ** 2,
    "maximum": lambda t: torch.maximum(t.x, t.y),
    "minimum": lambda t: torch.minimum(t.x, t.y),
    "addcmul": lambda t: torch.addcmul(t.x, t.y, t.p, value=0.5),
    "addcdiv": lambda t: torch.addcdiv(t.x, t.y, t.p, value=0.5),
    "lerp": lambda t: torch.lerp(t.x, t.y, 0.3),
    "hypot": lambda t: torch.hypot(t.x, t.y),
    "eq": lambda t: t.i == t.n,
    "ne": lambda t: t.i != 2,
    "lt": lambda t: t.x < t.y,
    "le": lambda t: t.i <= 1,
    "gt": lambda t: t.x > 0.25,
    "ge": lambda t: t.n >= 0,
    "compare_mixed": lambda t: t.i > 1.5,
    "eq_bool": lambda t: t.k == t.k,
    "compare_bool_int": lambda t: t.k == 1,
    "logical_and": lambda t: torch.logical_and(t.k, t.x > 0),
    "logical_or": lambda t: torch.logical_or(t.k, t.x > 0),
    "logical_xor": lambda t: torch.logical_xor(t.k, t.x > 0),
    "logical_and_numbers": lambda t: torch.logical_and(t.i, t.n),
    "and": lambda t: t.k & (t.x > 0),
    "or": lambda t: t.k | (t.x > 0),
    "xor": lambda t: t.k ^ (t.x > 0),
    "where": lambda t: torch.where(t.k, t.x, t.y),
    "where_scalar": lambda t: torch.where(t.k, t.x, 0.0),
    "where_scalars": lambda t: torch.where(t.k, 1.0, 0.0) * t.x,
    "where_mixed": lambda t: torch.where(t.k, t.x, t.i[:, :, None]),
    "masked_fill": lambda t: t.x.masked_fill(t.k, -1e9),
    "masked_fill_inf": lambda t: t.x.masked_fill(t.k, -math.inf),
    "masked_fill_tensor": lambda t: t.x.masked_fill(t.k, t.s[0, 0]),
    "size_as_number": lambda t: t.x / t.x.shape[0],
    "size_times": lambda t: t.x * (t.x.shape[0] * 2 + 1),
}

ROWS = {
    "softmax": lambda t: t.x.softmax(-1),
    "softmax_middle": lambda t: t.x.softmax(1),
    "softmax_dtype": lambda t: t.x.softmax(-1, dtype=torch.float32),
    "softmax_batch": lambda t: t.s.softmax(0),
    "log_softmax": lambda t: t.x.log_softmax(-1),
    "logsumexp": lambda t: t.x.logsumexp(1),
    "logsumexp_inf": lambda t: t.x.masked_fill(t.k | ~t.k, -math.inf).logsumexp(-1),
    "layer_norm": lambda t: F.layer_norm(t.x, (6,), like(W4, t), like(W4, t), 1e-6),
    "layer_norm_2d": lambda t: F.layer_norm(t.x, (4, 6)),
    "layer_norm_weight": lambda t: F.layer_norm(t.x, (6,), like(W4, t)),
    "rms_norm": lambda t: F.rms_norm(t.x, (6,), like(W4, t), 1e-6),
    "rms_norm_plain": lambda t: F.rms_norm(t.x, (6,), eps=1e-5),
    "group_norm": lambda t: F.group_norm(t.img, 2, like(B4, t), like(B4, t)),
    "instance_norm": lambda t: F.instance_norm(t.img),
    "batch_norm": lambda t: F.batch_norm(t.img, like(B4, t), like(VARIANCE, t), like(B4, t), like(B4, t)),
    "batch_norm_by_batch": lambda t: torch.ops.aten._native_batch_norm_legit.no_stats(
        t.img, like(B4, t), like(VARIANCE, t), True, 0.1, 1e-5)[0],
    "batch_norm_plain": lambda t: F.batch_norm(t.img, like(B4, t), like(VARIANCE, t)),
    "sum": lambda t: t.x.sum(),
    "sum_dim": lambda t: t.x.sum(1),
    "sum_keep": lambda t: t.x.sum((1, 2), keepdim=True),
    "sum_batch": lambda t: t.x.sum(0),
    "sum_int": lambda t: t.i.sum(1),
    "sum_bool": lambda t: t.k.sum(-1),
    "mean": lambda t: t.x.mean(),
    "mean_dim": lambda t: t.x.mean(-1, keepdim=True),
    "mean_batch": lambda t: t.x.mean(0),
    "amax": lambda t: t.x.amax(-1),
    "amin": lambda t: t.x.amin((1, 2)),
    "max": lambda t: t.x.max(),
    "min": lambda t: t.i.min(),
    "max_dim": lambda t: t.x.max(-1),
    "min_dim": lambda t: t.x.min(1, keepdim=True),
    "argmax": lambda t: t.x.argmax(-1),
    "argmax_flat": lambda t: t.x.argmax(),
    "argmin_keep": lambda t: t.x.argmin(1, keepdim=True),
    "topk": lambda t: t.x.topk(3),
    "topk_smallest": lambda t: t.x.topk(2, dim=1, largest=False),
    "topk_all": lambda t: t.s.topk(6),
    "topk_of_infinities": lambda t: t.x.masked_fill(t.x > -0.5, -math.inf).topk(4)[0],
    "any": lambda t: t.k.any(),
    "any_dim": lambda t: t.k.any(-1),
    "all_dim": lambda t: (t.x < 1.5).all(1, keepdim=True),
    "all_numbers": lambda t: t.i.all(-1),
    "var": lambda t: t.x.var(-1),
    "var_biased": lambda t: t.x.var((1, 2), unbiased=False, keepdim=True),
    "std": lambda t: t.x.std(-1, keepdim=True),
    "var_all": lambda t: t.x.var(),
    "var_batch": lambda t: t.x.var((0, 1)),
    "var_mean": lambda t: torch.var_mean(t.x, -1),
    "norm": lambda t: t.x.norm(dim=-1),
    "norm1": lambda t: t.x.norm(1, dim=1),
    "norm_inf": lambda t: torch.linalg.vector_norm(t.x, math.inf, -1),
    "norm3": lambda t: torch.linalg.vector_norm(t.x, 3, -1),
    "normalize": lambda t: F.normalize(t.x, dim=-1),
    "cumsum": lambda t: t.x.cumsum(1),
    "cumsum_int": lambda t: t.i.cumsum(-1),
    "cumsum_bool": lambda t: t.k.cumsum(-1),
    "cosine": lambda t: F.cosine_similarity(t.x, t.y, dim=-1),
}

SHAPES = {
    "view": lambda t: t.x.view(t.x.shape[0], 24),
    "view_minus": lambda t: t.x.view(-1, 6),
    "reshape": lambda t: t.x.reshape(-1, 2, 12),
    "flatten": lambda t: t.x.flatten(1),
    "flatten_batch": lambda t: t.x.flatten(0, 1),
    "unflatten": lambda t: t.x.unflatten(2, (2, 3)),
    "squeeze": lambda t: t.x[:, :1].squeeze(1),
    "unsqueeze": lambda t: t.x.unsqueeze(2),
    "unsqueeze_last": lambda t: t.s.unsqueeze(-1),
    "transpose": lambda t: t.x.transpose(1, 2),
    "permute": lambda t: t.x.permute(2, 0, 1),
    "t": lambda t: t.s.t(),
    "mT": lambda t: t.x.mT,
    "movedim": lambda t: t.x.movedim(0, 2),
    "movedim_list": lambda t: t.img.movedim((1, 2), (3, 0)),
    "expand": lambda t: t.s[:, None].expand(-1, 3, -1),
    "expand_new": lambda t: t.s.expand(2, *t.s.shape),
    "expand_as": lambda t: t.s[:, None].expand_as(t.x),
    "broadcast_to": lambda t: t.s[:, None].broadcast_to(t.x.shape),
    "slice": lambda t: t.x[:, 1:3, 2:],
    "slice_step": lambda t: t.x[:, ::2, 1::3],
    "slice_negative": lambda t: t.x[:, -2:, :-1],
    "slice_batch": lambda t: t.x[1:],
    "slice_batch_end": lambda t: t.x[:-1],
    "slice_beyond": lambda t: t.x[:, 2:100],
    "slice_by_size": lambda t: t.x.flatten(0, 1)[:t.x.shape[0]],
    "narrow": lambda t: t.x.narrow(2, 1, 3),
    "select": lambda t: t.x[:, 2],
    "select_negative": lambda t: t.x[:, -1],
    "select_first": lambda t: t.x[0],
    "split": lambda t: t.x.split(4, dim=2),
    "split_sizes": lambda t: t.x.split([1, 2, 3], dim=-1),
    "chunk": lambda t: t.x.chunk(3, -1),
    "chunk_two": lambda t: torch.cat(t.x.chunk(2, -1)[::-1], -1),
    "unbind": lambda t: t.x.unbind(1),
    "cat": lambda t: torch.cat([t.x, t.y], 1),
    "cat_batch": lambda t: torch.cat([t.x, t.y, t.x], 0),
    "cat_mixed": lambda t: torch.cat([t.x[:, :, 0], t.i], 1),
    "stack": lambda t: torch.stack([t.x, t.y], -1),
    "stack_first": lambda t: torch.stack([t.x, t.y]),
    "hstack": lambda t: torch.hstack([t.x, t.y]),
    "repeat": lambda t: t.x.repeat(1, 2, 3),
    "repeat_new": lambda t: t.s.repeat(2, 1, 1),
    "tile": lambda t: t.x.tile(2, 1),
    "repeat_batch": lambda t: t.x.repeat(3, 1, 1),
    "repeat_interleave": lambda t: t.x.repeat_interleave(2, dim=1),
    "repeat_interleave_batch": lambda t: t.s.repeat_interleave(3, 0),
    "pad": lambda t: F.pad(t.x, (1, 2, 0, 3), value=1.5),
    "pad_negative": lambda t: F.pad(t.x, (-1, 2)),
    "pad_batch": lambda t: F.pad(t.s, (0, 0, 1, 1)),
    "pad_bool": lambda t: F.pad(t.k, (1, 0), value=True),
    "flip": lambda t: t.x.flip(1, 2),
    "flip_batch": lambda t: t.s.flip(0),
    "roll": lambda t: t.x.roll(2, 1),
    "roll_two": lambda t: t.x.roll((1, -1), (1, 2)),
    "unfold": lambda t: t.x.unfold(2, 3, 2),
    "slice_scatter": lambda t: torch.slice_scatter(t.x, t.y[:, 1:3], 1, 1, 3),
    "select_scatter": lambda t: torch.select_scatter(t.x, t.s, 1, -1),
    "write_slice": lambda t: written(t),
    "diff": lambda t: t.x.diff(dim=1),
    "diff_prepend": lambda t: t.i.diff(prepend=t.i[:, :1]),
    "swapaxes": lambda t: t.x.swapaxes(0, 1),
}


def written(t):
    """An in-place write to a part: torch makes it functional."""
    z = t.x.clone()
    z[:, 1] = t.s
    z[:, :, 0] += 2.0
    return z


INDEXING = {
    "embedding": lambda t: F.embedding(t.i, like(TABLE, t)),
    "index": lambda t: t.x[:, PICK],
    "index_first": lambda t: t.x[t.i[:, 0].clamp(max=0)],
    "index_negative": lambda t: t.x[:, t.n[0]],
    "index_2d": lambda t: like(TABLE, t)[t.i],
    "index_last": lambda t: t.x[:, :, PICK],
    "index_two": lambda t: t.img[:, PICK, PICK],
    "index_two_apart": lambda t: t.img[:, PICK, :, PICK],
    "index_broadcast": lambda t: t.x[torch.arange(t.x.shape[0])[:, None], t.i],
    "index_diagonal": lambda t: t.x[torch.arange(t.x.shape[0]), t.i[:, 0]],
    "index_select": lambda t: t.x.index_select(1, PICK),
    "gather": lambda t: t.x.gather(1, t.i[:, :, None].expand(-1, -1, 6)),
    "gather_small": lambda t: t.x.gather(2, t.i[:, :, None]),
    "index_put": lambda t: put(t),
    "index_put_mask": lambda t: put_mask(t),
    "index_copy": lambda t: t.x.index_copy(1, PICK, t.y[:, :3]),
    "index_fill": lambda t: t.x.index_fill(1, PICK, 2.0),
    "index_put_adds": lambda t: t.x.index_put((torch.tensor([0, 2, 0]),), t.y[:1], accumulate=True),
    "index_put_adds_inner": lambda t: t.x.index_put((torch.arange(t.x.shape[0])[:, None], t.i), t.y, accumulate=True),
    "index_put_two": lambda t: t.x.index_put((torch.arange(t.x.shape[0]), t.n[:, 0]), t.s),
    "index_add": lambda t: t.x.index_add(1, torch.tensor([3, 1, 3]), t.y[:, :3], alpha=0.5),
    "index_of_tensor": lambda t: t.x[:, t.n.flatten()[0]],
    "scatter": lambda t: t.x.scatter(1, distinct(t), t.y),
    "scatter_part": lambda t: t.x.scatter(1, distinct(t)[:, :2], t.y),
    "scatter_value": lambda t: t.x.scatter(1, t.i[:, :, None].expand(-1, -1, 6), 1.5),
    "scatter_last": lambda t: t.k.scatter(-1, t.k[:, :, :1].long(), False),
    "scatter_add": lambda t: t.x.scatter_add(1, t.i[:, :, None].expand(-1, -1, 6), t.y),
    "scatter_add_int": lambda t: t.n.scatter_add(1, t.i, t.n),
    "scatter_reduce": lambda t: t.x.scatter_reduce(1, t.i[:, :, None].expand(-1, -1, 6), t.y, "amax"),
    "scatter_reduce_amin": lambda t: t.n.scatter_reduce(1, t.i, t.n, "amin"),
    "one_hot": lambda t: F.one_hot(t.i, 4),
    "tril": lambda t: t.x.tril(),
    "triu": lambda t: t.x.triu(1),
    "tril_bool": lambda t: t.k.tril(-1),
    "diagonal": lambda t: t.x.diagonal(0, 1, 2),
    "diagonal_offset": lambda t: t.x.diagonal(1, 1, 2),
    "arange": lambda t: torch.arange(t.x.shape[0]) + t.i[:, 0],
    "arange_start": lambda t: torch.arange(2, 10, dtype=t.x.dtype) * t.x[0, 0, 0],
    "arange_step": lambda t: torch.arange(10, 0, -3) + t.i[0, 0],
    "arange_from_size": lambda t: torch.arange(t.x.shape[0], t.x.shape[0] * 2) + t.i[:, 0],
    "linspace": lambda t: torch.linspace(0, 1, 5, dtype=t.x.dtype) * t.x[0, 0, 0],
    "full": lambda t: torch.full((2, 3), 1.5) + t.i[0, 0],
    "full_size": lambda t: torch.full((t.x.shape[0], 2), 7) + t.i[:, :2],
    "zeros": lambda t: torch.zeros(t.x.shape[0], 3) + t.i[:, :3],
    "ones_like": lambda t: torch.ones_like(t.x) + t.x,
    "zeros_like": lambda t: torch.zeros_like(t.x) - t.x,
    "full_like": lambda t: torch.full_like(t.x, 2.5) * t.x,
    "new_ones": lambda t: t.x.new_ones(3) + t.i[0, 0],
    "eye": lambda t: torch.eye(4, 6, dtype=t.x.dtype) * t.x,
    "meshgrid": lambda t: torch.meshgrid(t.i[0], t.n[0], indexing="ij"),
    "meshgrid_xy": lambda t: torch.meshgrid(t.i[0], PICK, indexing="xy"),
    "causal_mask": lambda t: torch.full((4, 4), -math.inf).triu(1) + t.i[0, 0],
    "tensor_constant": lambda t: t.x * torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], dtype=t.x.dtype),
    "bool_constant": lambda t: t.k & torch.tensor([True, False] * 3),
    "scalar_constant": lambda t: t.x + torch.tensor(0.1, dtype=t.x.dtype),
}


def distinct(t):
    """Places along axis 1, each once."""
    return (t.i[:, :1, None] + torch.arange(4)[None, :, None]).expand(-1, -1, 6) % 4


def put(t):
    z = t.x.clone()
    z[:, PICK] = t.y[:, :3]
    return z


def put_mask(t):
    z = t.x.clone()
    z[t.k] = 0.5
    return z


CONTRACTIONS = {
    "linear": lambda t: F.linear(t.x, like(W64, t), like(B4, t)),
    "linear_plain": lambda t: F.linear(t.x, like(W64, t)),
    "linear_vector": lambda t: F.linear(t.x[0, 0], like(W64, t), like(B4, t)),
    "mm": lambda t: torch.mm(t.s, like(W6x6, t)),
    "bmm": lambda t: torch.bmm(t.x, t.y.mT),
    "matmul": lambda t: t.x @ t.y.transpose(1, 2),
    "matmul_broadcast": lambda t: t.x @ like(W6x6, t),
    "matmul_vector": lambda t: t.x @ like(W4, t),
    "vector_matmul": lambda t: like(B4, t) @ t.x,
    "dot": lambda t: like(W4, t) @ t.s[0],
    "mv": lambda t: torch.mv(t.s, like(W4, t)),
    "addmm": lambda t: torch.addmm(like(W4, t), t.s, like(W6x6, t)),
    "addmm_scaled": lambda t: torch.addmm(like(W4, t), t.s, like(W6x6, t), beta=0.5, alpha=2.0),
    "baddbmm": lambda t: torch.baddbmm(t.x, t.img[:, :, 0, :4], t.y),
    "einsum": lambda t: torch.einsum("bij,bkj->bik", t.x, t.y),
    "einsum_heads": lambda t: torch.einsum("bhd,nd->bhn", t.x, like(W6x6, t)),
    "matmul_4d": lambda t: t.img @ t.img.mT,
    "attention": lambda t: F.scaled_dot_product_attention(*qkv(t)),
    "attention_causal": lambda t: F.scaled_dot_product_attention(*qkv(t), is_causal=True),
    "attention_scale": lambda t: F.scaled_dot_product_attention(*qkv(t), scale=0.3),
    "attention_sums": lambda t: torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(*qkv(t), is_causal=True),
    "attention_3d": lambda t: F.scaled_dot_product_attention(t.x, t.y, t.p),
    "attention_bool": lambda t: F.scaled_dot_product_attention(*qkv(t), attn_mask=t.k[:, None, :1, :1] | LOWER),
    "attention_additive": lambda t: F.scaled_dot_product_attention(*qkv(t), attn_mask=t.img[:, :1]),
    "attention_causal_longer": lambda t: F.scaled_dot_product_attention(t.img[:, :, :3], t.img, t.img, is_causal=True),
    "attention_gqa": lambda t: F.scaled_dot_product_attention(t.img, t.img[:, :2], t.img[:, 2:], enable_gqa=True),
    "bilinear": lambda t: F.bilinear(t.x, t.y, like(TRILINEAR, t), like(B4, t)),
    "conv1d": lambda t: F.conv1d(t.x, like(KERNEL1, t), stride=2, padding=1),
    "conv2d": lambda t: F.conv2d(t.img, like(KERNEL2, t), like(KERNEL2, t)[:, 0, 0, 0], stride=2, padding=1),
    "conv2d_dilated": lambda t: F.conv2d(t.img, like(KERNEL2, t), dilation=2),
    "conv2d_groups": lambda t: F.conv2d(t.img, like(KERNEL_G, t), groups=2),
    "conv2d_same": lambda t: F.conv2d(t.img, like(KERNEL2, t)[:, :, :2, :2], padding="same"),
    "conv1d_valid": lambda t: F.conv1d(t.x, like(KERNEL1, t), padding="valid"),
    "conv1d_unbatched": lambda t: F.conv1d(t.x[0], like(KERNEL1, t)),
    "max_pool1d": lambda t: F.max_pool1d(t.x, 2),
    "max_pool2d": lambda t: F.max_pool2d(t.img, 3, 2, 1),
    "max_pool2d_ceil": lambda t: F.max_pool2d(t.img, 3, 2, ceil_mode=True),
    "avg_pool1d": lambda t: F.avg_pool1d(t.x, 3, 1),
    "avg_pool2d": lambda t: F.avg_pool2d(t.img, 2),
    "avg_pool2d_padded": lambda t: F.avg_pool2d(t.img, 3, 2, 1),
    "avg_pool2d_without_padding": lambda t: F.avg_pool2d(t.img, 3, 2, 1, count_include_pad=False),
    "adaptive_avg_pool2d": lambda t: F.adaptive_avg_pool2d(t.img, 1),
    "adaptive_avg_pool2d_two": lambda t: F.adaptive_avg_pool2d(t.img, 2),
    "adaptive_avg_pool1d": lambda t: F.adaptive_avg_pool1d(t.x, 1),
    "adaptive_max_pool2d": lambda t: F.adaptive_max_pool2d(t.img, 1),
    "interpolate": lambda t: F.interpolate(t.img, scale_factor=2),
    "pixel_shuffle": lambda t: F.pixel_shuffle(t.img, 2),
    "pixel_unshuffle": lambda t: F.pixel_unshuffle(t.img, 2),
}


def qkv(t):
    return t.img, t.img * 0.5, t.img + 1


GROUPS = {"pointwise": POINTWISE, "arithmetic": ARITHMETIC, "rows": ROWS, "shapes": SHAPES, "indexing": INDEXING,
          "contractions": CONTRACTIONS}
