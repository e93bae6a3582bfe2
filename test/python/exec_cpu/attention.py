"""Attention with every kind of mask, grouped heads and lengths that differ.

`integers` has queries of 0: every visible key weighs the same, and one key too many or too few shows. Bounds: an error
of a score is one of its weight, relatively; see `reference`. The hostile kinds are against what keeps a softmax in range
key by key: in `ramp` each key has a larger score than all before, or a smaller one; in `peak` one key outweighs all; in
`far` scores are 360 or -360, beyond what the exponential of any of the types holds. In `lowest` one key has the score
-Infinity for every query, which no mask makes, and a value with NaN: who sees it has NaN there, who does not has not.
N4: of `positive` data no error cancels another. N5: in `wide` columns and keys differ by powers of 2 that leave scores as
they are, and values are denormal or -0. N3: of normal data, where weights are rounded, the error of the whole is no more
than 1.25 times that of a plain softmax whose weights are rounded once.
"""

from dataclasses import replace

import numpy as np

from exec_cpu.cases import SIZES, Case, Expected, Operand, op, pairs, rows, values_of
from exec_cpu.dtypes import BF16, F8E4M3, F16, F32, FLOATS, I1, I32, I64, round_to

weights_are_rounded = False  # on a GPU


def finite(x):
    return np.where(np.isfinite(x), x, 0.0)


def weighted_sum(p, values, visible):
    """p @ values, in which what is not visible does not count, be it NaN; an infinity of weight 0 is NaN. A score of -Inf
    that no mask makes is visible: so is its value's NaN."""
    total = np.matmul(p, finite(values))
    seen = np.ascontiguousarray(visible, np.float64)  # else numpy multiplies without BLAS
    nan, up, down = (
        np.matmul(seen, which.astype(np.float64)) > 0
        for which in (np.isnan(values), values == np.inf, values == -np.inf)
    )
    nan |= np.matmul(seen * (p == 0), np.isinf(values).astype(np.float64)) > 0
    return np.where(nan | (up & down) | np.isnan(total), np.nan, np.where(up, np.inf, np.where(down, -np.inf, total)))


CUT = 2.0**-13  # at which an instruction cuts off what it adds up of 8-bit floats, relative to the largest addend
LOST = 2.0**-124  # no power of f32 is smaller, and the scales may make that of use
LEAST = 2.0**-16  # half the least power that e4m3 holds, relative to the largest one of a row, which is 2^6 or more


def rounding_error(p, values):
    """Of weights that are rounded to e4m3 at random: 4 times the root of the squares, and never more than their sum. Less of
    those that e4m3 cannot hold, which are below what it can."""
    size, least = np.abs(finite(values)), np.minimum(p, LEAST * p.max(-1, keepdims=True))
    total = np.matmul(p, size) * 2.0**-4 + np.matmul(least, size)
    squares = np.matmul(p**2, size**2) * 2.0**-8
    return np.minimum(total, 4 * np.sqrt(squares) + np.matmul(least, size))


def in_order(pool, table):
    """[batch, heads, keys, width] of pages [N, heads, page, width]."""
    pages = pool[np.clip(table, 0, pool.shape[0] - 1)]  # [batch, P, heads, page, width]
    batch, count, heads, page, width = pages.shape
    return np.swapaxes(pages, 1, 2).reshape(batch, heads, count * page, width)




MOST_ROWS, MOST_COLUMNS, FEWEST_PLACES, FEWEST_KEYS = 32, 64, 256, 16  # of results beside a plain softmax; fewer say little


def plain_softmax(dtype, scores, values):
    """(rows, columns, values): sums of f32, of weights relative to the row's largest and rounded once; `scores` and `values`
    are of every head. None where few results would be compared."""
    rows_, columns = (np.unique(np.linspace(0, size - 1, min(size, most)).astype(int)) if size else np.arange(0)
                      for size, most in ((scores[..., 0].size, MOST_ROWS), (values.shape[-1], MOST_COLUMNS)))
    if len(rows_) * len(columns) < FEWEST_PLACES or scores.shape[-1] < FEWEST_KEYS:
        return None
    some = scores.reshape(-1, scores.shape[-1])[rows_]
    largest = some.max(-1, keepdims=True)
    weights = np.exp(some - np.where(np.isfinite(largest), largest, 0)).astype(np.float32)
    sums = weights.sum(-1, dtype=np.float32)
    heads = values.reshape(-1, *values.shape[-2:])
    totals = [round_to(dtype, row).astype(np.float32) @ heads[at // scores.shape[-2]][:, columns].astype(np.float32)
              for at, row in zip(rows_, weights)]
    return rows_, columns, round_to(dtype, np.stack(totals) / np.where(sums == 0, 1, sums)[:, None])


def reference(dtype, causal, window, scale, soft_cap, others, log_sum_exp):
    """`others`: what the operands behind the values are."""
    is_f8 = dtype is F8E4M3

    def compute(q, k, v, *rest, kind):
        given = dict(zip(others, rest))
        mask, u = given.get("mask"), dtype.compute.u
        if "block_table" in given:
            k, v = in_order(k, given["block_table"]), in_order(v, given["block_table"])
        groups = q.shape[1] // max(k.shape[1], 1)
        cut = weights_are_rounded and is_f8 and kind != "integers"  # whose weights are powers of two
        if "query_scale" in given:
            q, k, v = (x * given[name] for x, name in zip((q, k, v), ("query_scale", "key_scale", "value_scale")))
        keys, values = np.repeat(k, groups, axis=1), np.repeat(v, groups, axis=1)
        factor = 1 / np.sqrt(q.shape[3]) if scale is None else scale
        d, sq, sk = q.shape[3], q.shape[2], k.shape[2]

        def units(terms):  # that a sum of so many may be wrong by
            return terms / 4 if kind == "positive" else 4 * np.sqrt(terms)

        dots = np.matmul(q, np.ascontiguousarray(np.swapaxes(keys, -1, -2)))
        sizes = np.matmul(np.abs(finite(q)), np.ascontiguousarray(np.abs(finite(np.swapaxes(keys, -1, -2)))))
        scores = factor * dots
        error = u * (abs(factor) * (units(d) + 2) * sizes)
        if cut:  # 34 addends an instruction, at random
            error = error + 4 * np.sqrt(34 * -(-d // 32)) * CUT * abs(factor) * sizes
        if soft_cap:  # no steeper than 1, and of tanh's own; where weights are rounded it may be one near the cap
            own = 20 * soft_cap if weights_are_rounded and dtype.u > u else 8 * np.minimum(np.abs(scores), soft_cap)
            scores = soft_cap * np.tanh(scores / soft_cap)
            error = error + u * own
        i, j = np.arange(sq)[:, None] + (sk - sq), np.arange(sk)[None, :]
        visible = np.ones((sq, sk), bool)
        if causal:
            visible &= j <= i
        if window:
            visible &= j > i - window
        visible = np.broadcast_to(visible, scores.shape)
        for name, number in (("key_lengths", np.arange(sk)), ("query_lengths", np.arange(sq)[:, None])):
            if name in given:
                visible = visible & (number < given[name][:, None, None, None])
        if mask is not None and mask.dtype == np.int64:
            visible = visible & (mask != 0)
        elif mask is not None:
            scores = scores + mask
            visible = visible & ((mask != -np.inf) | np.isnan(scores))
            error = error + u * np.abs(finite(scores))
        scores = np.where(visible, scores, -np.inf)
        if sk == 0:
            nothing = [Expected(np.zeros(q.shape[:3] + v.shape[3:])), Expected(np.full(q.shape[:3], -np.inf))]
            return nothing if log_sum_exp else nothing[0]
        largest = scores.max(-1, keepdims=True)
        nothing = largest == -np.inf
        weights = np.where(scores == -np.inf, 0.0, np.exp(scores - np.where(nothing, 0, largest)))
        p = weights / np.where(nothing, 1, weights.sum(-1, keepdims=True))
        hidden = scores == -np.inf
        value, size = weighted_sum(p, values, visible), np.matmul(np.nan_to_num(p), np.abs(finite(values)))
        value = np.where(nothing & ~np.isnan(largest), 0.0, value)
        shifted = np.where(
            hidden | ~np.isfinite(scores), 0, np.abs(scores - np.where(np.isfinite(largest), largest, 0))
        )
        # Tensor Cores take the weights rounded to the type of the values.
        rounding = dtype.u if weights_are_rounded and not is_f8 else 0
        relative = rounding + (
            2 * np.where(hidden, 0, np.nan_to_num(error) + u * np.nan_to_num(shifted)).max(-1, keepdims=True)
            + (16 + 2 * units(sk)) * u
        )
        bound = relative * size + (LOST * np.abs(finite(values)).sum(-2, keepdims=True) if is_f8 else 0)
        if cut:  # and what is added up of the products, a tile of keys at a time
            bound = bound + rounding_error(np.nan_to_num(p), values) + 4 * np.sqrt(34 * -(-sk // 32)) * CUT * size
        plain = None
        if kind == "normal" and weights_are_rounded and dtype in (F16, BF16):
            plain = plain_softmax(dtype, scores, values)
        if not log_sum_exp:
            return Expected(value, bound, plain=plain)
        logarithm = np.where(nothing, largest, largest + np.log(weights.sum(-1, keepdims=True)))[..., 0]
        own = np.where(hidden, 0, np.nan_to_num(error)).max(-1) + (16 + 2 * units(sk) + 4 * np.abs(logarithm)) * u
        return [Expected(value, bound, plain=plain), Expected(logarithm, np.where(np.isfinite(logarithm), own, 0))]

    return compute


HOSTILE = ("ramp", "peak", "far")
BESIDE = (*HOSTILE, "lowest")
ALL_KINDS = (*BESIDE, "positive", "wide")


def hostile(rng, dtype, role, shape, kind):
    """Queries and keys along one direction, nearly: the score of a pair is the product of two numbers, one of each."""
    length, d = shape[-2], shape[-1]
    direction = np.where(np.arange(d) % 2, -1.0, 1.0)
    if role == "q":
        along = rng.choice([1.0, -1.0], shape[:-1])
    elif kind == "ramp":
        along = np.broadcast_to((np.arange(length) - length / 2) * min(0.5, 200 / max(length, 1)), shape[:-1])
    elif kind == "peak":
        along = np.where(np.arange(length) == rng.integers(max(length, 1), size=shape[:-2] + (1,)), 100.0, 0.0)
    else:
        along = rng.choice([360.0, -360.0], shape[:-1])
    if role == "k":
        along = along / np.sqrt(d)
    return round_to(dtype, along[..., None] * direction + 0.05 * rng.standard_normal(shape))


def wide(rng, dtype, role, shape):
    """Columns of queries that differ by powers of 2, and of keys by their inverses; columns and keys of values that do, and
    elements that are denormal or -0."""
    most = 12 if dtype is F16 else 14  # so that normal numbers times 2^most are in range
    values, column = rng.standard_normal(shape), np.arange(shape[-1])
    powers = column * 7 % (2 * most + 1) - most
    values = values * np.exp2(-powers if role == "k" else powers)
    if role == "v":
        values = values * np.exp2(rng.integers(-most, 1, (*shape[:-1], 1)))
        denormal = rng.integers(-(2 ** (dtype.precision - 1)), 2 ** (dtype.precision - 1), shape) * (2 * dtype.tiny)
        values = np.where((column % 8 == 3) | (rng.random(shape) < 0.1), denormal, values)
        values = np.where(rng.random(shape) < 0.05, -0.0, values)
    return round_to(dtype, values)


def data(dtype, role):
    def make(rng, shape, kind):
        if kind == "positive":
            return values_of(rng, dtype, shape, kind)
        if kind == "wide":
            return wide(rng, dtype, role, shape)
        if kind in HOSTILE and role != "v":
            return hostile(rng, dtype, role, shape, kind)
        if kind == "integers":
            return np.zeros(shape) if role == "q" else values_of(rng, dtype, shape, kind)
        values = values_of(rng, dtype, shape, "normal")
        if kind == "lowest":
            values = round_to(dtype, np.abs(values) + 0.125) if role == "q" else values
            key = slice(shape[-2] // 2, shape[-2] // 2 + 1)
            if role == "k":
                values[..., key, :] = -np.inf
            if role == "v":
                values[..., key, ::2] = np.nan
        if kind == "special":
            chosen = rng.random(shape) < 0.2 / max(shape[-1] * shape[-2], 1) * (1 if role == "q" else 3)
            special = [np.nan] * 4 if dtype is F8E4M3 else [np.nan, np.inf, -np.inf, np.nan]
            values = np.where(chosen, np.array(special)[rng.integers(0, 4, shape)], values)
        return values

    return make


def bool_mask(rng, shape, kind):
    keep = rng.random(shape) < 0.7
    if len(shape) > 1 and shape[-2] > 1:
        keep[..., rng.integers(shape[-2]), :] = False  # a row without a visible key
    return keep.astype(np.int64)


def float_mask(dtype):
    """Nothing, a bias, -Inf, and the least number that exporters write; some rows are all -Inf."""

    def make(rng, shape, kind):
        values = round_to(dtype, np.where(rng.random(shape) < 0.5, 0.0, rng.standard_normal(shape)))
        if kind == "integers":
            values = np.zeros(shape)
        values = np.where(rng.random(shape) < 0.3, -np.inf, values)
        if shape[-1] > 1:  # not in the first column, so that some key is visible beside it
            least = rng.random(shape) < 0.1
            least[..., 0] = False
            values = np.where(least & (values[..., :1] > -100), -dtype.largest, values)
        if len(shape) > 1 and shape[-2] > 1:
            values[..., rng.integers(shape[-2]), :] = -np.inf
        return values

    return make


def lengths_up_to(most):
    """None, all, some, and numbers that no length is, which count as the nearest one."""

    def make(rng, shape, kind):
        size = most if isinstance(most, int) else 40
        some = rng.integers(0, size + 1, shape)
        odd = np.array([0, size, size + 7, -3, min(size, 1), 1 << 20])[rng.integers(0, 6, shape)]
        return np.where(rng.random(shape) < 0.6, some, odd).astype(np.int64)

    return make


def page_numbers(count):
    """In no order; some of them several times, and some out of range, which count as the nearest one."""

    def make(rng, shape, kind):
        most = count if isinstance(count, int) else 3
        pages = np.resize(rng.permutation(max(most, 1)), shape)
        odd = rng.choice([-1, most, -(2**31), 2**31 - 1, 0], shape)
        return np.where(rng.random(shape) < 0.9, pages, odd)

    return make


def build(
    name,
    dtype,
    b,
    heads,
    kv_heads,
    sq,
    sk,
    d,
    dv,
    sizes,
    mask=None,
    causal=False,
    window=None,
    scale=None,
    kinds=(),
    soft_cap=None,
    key_lengths=None,
    query_lengths=None,
    log_sum_exp=False,
    result=None,
    scales=None,
    pages=None,
):
    """`kinds`: of ALL_KINDS, beside the usual ones. Lengths: their type. `result`: its type where it is not the operands'.
    `scales`: the shapes of those of queries, keys and values. `pages`: how many each batch and the pools have, and the type
    of the table; `sk` keys are a page then, by number."""
    result = result or dtype
    lead = pages[1] if pages else b
    operands = [
        Operand(dtype, (b, heads, sq, d), data(dtype, "q")),
        Operand(dtype, (lead, kv_heads, sk, d), data(dtype, "k")),
        Operand(dtype, (lead, kv_heads, sk, dv), data(dtype, "v")),
    ]
    all_keys = sk * pages[0] if pages and isinstance(pages[0], int) else sk
    call, others = "{0}, {1}, {2}", []
    if mask:
        kind, dims = mask
        dims = tuple({"b": b, "h": heads, "q": sq, "k": all_keys}.get(dim, dim) for dim in dims)
        operands.append(Operand(I1, dims, bool_mask) if kind == "bool" else Operand(result, dims, float_mask(result)))
        call += " mask({3})"
        others.append("mask")
    for kind, dtype_, most in (("key_lengths", key_lengths, all_keys), ("query_lengths", query_lengths, sq)):
        if dtype_:
            call += f" {kind}({{{len(operands)}}})"
            operands.append(Operand(dtype_, (b,), lengths_up_to(most)))
            others.append(kind)
    if pages:
        call += f" block_table({{{len(operands)}}})"
        operands.append(Operand(pages[2], (b, pages[0]), page_numbers(pages[1])))
        others.append("block_table")
    if scales:
        first = len(operands)
        call += f" scales({{{first}}}, {{{first + 1}}}, {{{first + 2}}})"
        operands += [Operand(F32, dims, some_scales) for dims in scales]
        others += ["query_scale", "key_scale", "value_scale"]
    attributes = ["causal"] if causal else []
    if window:
        attributes.append(f"window = {window} : i64")
    if scale is not None:
        attributes.append(f"scale = {scale!r} : f64")
    if soft_cap is not None:
        attributes.append(f"soft_cap = {soft_cap!r} : f64")
    results = [Operand(result, (b, heads, sq, dv))]
    if log_sum_exp:
        attributes.append("log_sum_exp")
        results.append(Operand(dtype.compute, (b, heads, sq)))
    return Case(
        name,
        operands,
        results,
        op("attention", operands, results, ", ".join(attributes), call),
        reference(dtype, causal, window, scale, soft_cap, others, log_sum_exp),
        ("integers", "normal", "special", *kinds),
        sizes,
    )


def some_scales(rng, shape, kind):
    return np.exp2(rng.integers(-1, 2, shape)).astype(np.float64) if kind == "integers" else round_to(F32, rng.uniform(0.5, 1.5, shape))


MASKS = [
    None,
    ("bool", ("b", 1, 1, "k")),
    ("bool", ("b", "h", "q", "k")),
    ("bool", ("q", "k")),
    ("float", (1, 1, "q", "k")),
    ("float", ("b", 1, 1, "k")),
    ("float", ("h", "q", "k")),
]
HEADS = [(1, 1), (2, 2), (4, 2), (4, 1), (8, 1), (7, 1), (12, 12)]
SIDES = [(False, None), (True, None), (False, 3), (True, 5), (True, 64)]
HEAD_SIZES = [1, 2, 3, 8, 16, 17, 32, 33, 64, 65, 128]


def cases(rng):
    result = []
    lengths = pairs(rng, SIZES, SIZES)
    table = rows(rng, list(range(28)), MASKS * 4, HEADS * 4, SIDES * 6, HEAD_SIZES * 3)
    for number, mask, (heads, kv_heads), (causal, window), d in table:
        dtype = F32 if number % 2 else FLOATS[number // 2 % 4]
        b, dv = int(rng.choice([1, 2, 3])), d if number % 3 else int(rng.choice(HEAD_SIZES))
        scale = 0.25 if number % 4 == 0 else None
        label = (
            f"{'nomask' if mask is None else mask[0] + str(len(mask[1]))}_h{heads}over{kv_heads}"
            f"{'_causal' * causal}{f'_window{window}' if window else ''}_d{d}v{dv}"
        )
        some = [lengths[i] for i in rng.choice(len(lengths), 5, replace=False)]
        if number % 2:
            some += [(1, 509), (64, 64), (0, 5), (4, 0)]
        some = [(q, k) for q, k in some if q * k * heads * max(d, dv) < 4 * 10**6]
        sizes = [{"b": b, "q": q, "k": k} for q, k in some]
        result.append(
            build(
                f"attention_{dtype}_{number}_{label}_dynamic",
                dtype,
                "b",
                heads,
                kv_heads,
                "q",
                "k",
                d,
                dv,
                sizes,
                mask,
                causal,
                window,
                scale,
            )
        )
        sq, sk = some[0]
        result.append(
            build(
                f"attention_{dtype}_{number}_{label}_{sq}over{sk}",
                dtype,
                b,
                heads,
                kv_heads,
                sq,
                sk,
                d,
                dv,
                [{}],
                mask,
                causal,
                window,
                scale,
                BESIDE if scale is None else ("lowest",),
            )
        )
    return result + capped(rng) + with_lengths(rng) + with_log_sum_exp(rng) + of_bytes(rng) + in_pages(rng)


def capped(rng):
    """Scores of all sizes beside the cap, under each kind of mask."""
    result = []
    lengths = pairs(rng, SIZES, SIZES)
    for case, (number, mask, (causal, window)) in enumerate(rows(rng, list(range(8)), MASKS * 2, SIDES * 2)):
        dtype, soft_cap, d = FLOATS[number % 4], [50.0, 0.75, 20.0, 1e4][number // 2], HEAD_SIZES[3 + number]
        label = f"{case}_{'nomask' if mask is None else mask[0]}{'_causal' * causal}"
        label += f"_window{window}" if window else ""
        some = [lengths[i] for i in rng.choice(len(lengths), 5, replace=False)]
        sizes = [{"b": 2, "q": q, "k": k} for q, k in some if q * k < 2 * 10**4]
        name = f"attention_{dtype}_cap{soft_cap:g}_{label}_d{d}"
        given = (dtype, "b", 4, 2, "q", "k", d, d, sizes, mask, causal, window, 1.0 if number % 2 else None, BESIDE)
        result.append(build(name, *given, soft_cap))
    return result


def with_lengths(rng):
    """Lengths of keys, of queries, of both, under each kind of mask."""
    result = []
    lengths = pairs(rng, SIZES, SIZES)
    kinds = [(I32, None), (I64, None), (None, I32), (I32, I64)]
    table = rows(rng, list(range(12)), MASKS * 2, SIDES * 3, kinds * 3)
    for case, (number, mask, (causal, window), (keys, queries)) in enumerate(table):
        dtype, d = FLOATS[number % 4], HEAD_SIZES[number % 11]
        label = f"{case}_{'nomask' if mask is None else mask[0]}{'_causal' * causal}"
        label += f"_window{window}" if window else ""
        label += f"{f'_keys_{keys}' if keys else ''}{f'_queries_{queries}' if queries else ''}"
        some = [lengths[i] for i in rng.choice(len(lengths), 5, replace=False)]
        sizes = [{"b": 3, "q": q, "k": k} for q, k in some if q * k < 2 * 10**4]
        given = {"key_lengths": keys, "query_lengths": queries, "log_sum_exp": number % 2 == 0}
        label += "_lse" * given["log_sum_exp"]
        name, kinds_ = f"attention_{dtype}_lengths_{label}_d{d}", BESIDE
        result.append(
            build(name, dtype, "b", 4, 2, "q", "k", d, d, sizes, mask, causal, window, None, kinds_, **given)
        )
        sq, sk = some[0]
        name += f"_{sq}over{sk}"
        result.append(build(name, dtype, 5, 4, 2, sq, sk, d, d, [{}], mask, causal, window, None, kinds_, **given))
    return result


def with_log_sum_exp(rng):
    """Two results, under each kind of mask."""
    result = []
    lengths = pairs(rng, SIZES, SIZES)
    for case, (number, mask, (causal, window)) in enumerate(rows(rng, list(range(8)), MASKS * 2, SIDES * 2)):
        dtype, d, cap = FLOATS[number % 4], HEAD_SIZES[3 + number], 20.0 if number % 3 == 0 else None
        label = f"{case}_{'nomask' if mask is None else mask[0]}{'_causal' * causal}"
        label += f"_window{window}" if window else ""
        some = [lengths[i] for i in rng.choice(len(lengths), 5, replace=False)]
        sizes = [{"b": 2, "q": q, "k": k} for q, k in [*some, (3, 0)] if q * k < 2 * 10**4]
        given = (dtype, "b", 4, 2, "q", "k", d, d, sizes, mask, causal, window, None, BESIDE, cap)
        result.append(build(f"attention_{dtype}_lse_{label}_d{d}", *given, log_sum_exp=True))
    return result


def scale_shapes(form, b, heads, kv_heads, sq, dv):
    """One a tensor, a head, or a query and a column of the values."""
    return {
        "tensor": [(), (), ()],
        "head": [(1, heads, 1, 1), (b, kv_heads, 1, 1), (kv_heads, 1, 1)],
        "row": [(b, heads, sq, 1), (1, 1, 1, 1), (b, kv_heads, 1, dv)],
    }[form]


def of_bytes(rng):
    """8-bit floats with scales of each form, under each kind of mask, to each type of result."""
    result = []
    lengths = pairs(rng, SIZES, SIZES)
    for number, mask, (causal, window), form in rows(
        rng, list(range(12)), MASKS * 2, SIDES * 3, ["tensor", "head", "row", None] * 3
    ):
        to, d, dv = [BF16, F16, F32][number % 3], HEAD_SIZES[1 + number % 10], HEAD_SIZES[(number * 3) % 11]
        label = f"{'nomask' if mask is None else mask[0]}{'_causal' * causal}{f'_window{window}' if window else ''}"
        label += f"_scale_{form}_{to}_d{d}v{dv}"
        sq, sk = lengths[int(rng.integers(len(lengths)))]
        given = {"result": to, "scales": scale_shapes(form, 2, 4, 2, sq, dv) if form else None}
        name = f"attention_bytes_{label}_{sq}over{sk}"
        result.append(
            build(name, F8E4M3, 2, 4, 2, sq, sk, d, dv, [{}], mask, causal, window, None, ("peak",), **given)
        )
        if form in ("tensor", None):
            sizes = [{"b": 2, "q": q, "k": k} for q, k in lengths[:4] if q * k < 2 * 10**4]
            name = f"attention_bytes_{label}_dynamic"
            result.append(
                build(name, F8E4M3, "b", 4, 2, "q", "k", d, dv, sizes, mask, causal, window, None, ("peak",), **given)
            )
    return result


def with_heads_inside(case):
    """The case with pools [N, page, heads, width], seen through a transpose."""
    operands, seen, names = list(case.operands), "", {}
    for number in (1, 2):
        n, heads, page, width = operands[number].dims
        pool, made = operands[number], operands[number].data

        def transposed(rng, shape, kind, made=made):
            n, page, heads, width = shape
            return np.swapaxes(made(rng, (n, heads, page, width), kind), 1, 2)

        operands[number] = replace(pool, dims=(n, page, heads, width), data=transposed)
        seen += f"{{r0}}_{number} = tenon.transpose {{{number}}} {{{{permutation = array<i64: 0, 2, 1, 3>}}}} : "
        seen += f"({{t{number}}}) -> {pool.type()}\n    "
        names |= {f"{{{number}}}": f"{{r0}}_{number}", f"{{t{number}}}": pool.type()}
    body = case.body
    for before, after in names.items():
        body = body.replace(before, after)

    def compute(q, k, v, *rest, kind):
        return case.reference(q, np.swapaxes(k, 1, 2), np.swapaxes(v, 1, 2), *rest, kind=kind)

    return replace(case, name=f"{case.name}_heads_inside", operands=operands, body=seen + body, reference=compute)


def in_pages(rng):
    """Keys and values in pages of pools."""
    result = []
    for number, page, (causal, window), keys in rows(rng, list(range(8)), [1, 3, 16, 32] * 2, SIDES * 2, [None, I32] * 4):
        dtype, d, table = FLOATS[number % 4], HEAD_SIZES[3 + number], (I32, I64)[number % 2]
        label = f"{dtype}_page{page}{'_causal' * causal}{f'_window{window}' if window else ''}{'_lengths' * bool(keys)}"
        sizes = [{"b": b, "q": q, "p": p, "n": n} for b, q, p, n in ((2, 1, 4, 9), (1, 5, 1, 1), (3, 7, 5, 3), (2, 3, 0, 2))]
        given = (dtype, "b", 4, 2, "q", page, d, d, sizes, None, causal, window, None, ("ramp",), None, keys)
        result.append(build(f"attention_pages_{label}", *given, pages=("p", "n", table)))
    for number, (page, form) in enumerate(((16, "tensor"), (16, "head"), (3, "tensor"), (32, None))):
        scales = scale_shapes(form, 1 if form == "tensor" else 2, 4, 2, 1, 32) if form else None
        sizes = [{"p": p, "n": n} for p, n in ((4, 9), (1, 1), (5, 3))]
        given = (F8E4M3, 2, 4, 2, (1, 5)[number % 2], page, 32, 32, sizes, None, number == 1, None, None, ("ramp",), None, I32)
        name = f"attention_pages_bytes_page{page}_scale_{form}"
        result.append(build(name, *given, result=(BF16, F32)[number % 2], scales=scales, pages=("p", "n", I32)))
    return result + [with_heads_inside(case) for case in result[::3]]
