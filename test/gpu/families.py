"""The cases of a family, which make_cases.py compiles and run_gpu.py makes again from the seed: those of exec_cpu, and
`tiles`: what a GPU does with tiles, around the sides of tiles; `tf32`: products of f32 that may be rounded to tf32;
`bytes`: products of 8-bit operands with scales; `schedules`: each tile that a schedule for Hopper may have, clusters and
teams; `swapped`: products of few rows by the transposed dot; `chains`: kernels that passes put together, gates with their
products, norms with the parts they add, small ones in one launch; `lengths`: attention to as many keys as data say, with the log-sum-exp;
`pages`: attention to keys and values in pages; `attention8`: attention of 8-bit floats; `maxima`: attention with each way to
look at maxima, by hand (maxima.py); `joined`: programs that share sums, in a cluster or by the last of them; `behind`: residuals;
`folds`: programs that share what is folded of few rows; `tuned` and `picked`: schedules that compilations choose, by hand."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/python"))

from exec_cpu import attention, contractions, gathers, quantisation, rows  # noqa: E402
from exec_cpu.approximate import Approximate  # noqa: E402
from exec_cpu.__main__ import FAMILIES as CPU_FAMILIES  # noqa: E402
from exec_cpu.__main__ import cases_of as cpu_cases_of  # noqa: E402
from exec_cpu.cases import Operand, op, Case, values_of  # noqa: E402
from exec_cpu.cases import rows as table  # noqa: E402
from exec_cpu.dtypes import BF16, F8E4M3, F8E5M2, F16, F32, I8, I32, I64  # noqa: E402
from exec_cpu.unary import gelu  # noqa: E402

from maxima import maxima  # noqa: E402
from tuned_schedules import gated, picked, silu, tuned  # noqa: E402

FAMILIES = ["tiles", "tf32", "bytes", "schedules", "swapped", "chains", "lengths", "pages", "attention8", "maxima", "joined", "behind", "folds",
            "tuned", "picked", *CPU_FAMILIES]
attention.weights_are_rounded = True
quantisation.cuts_floats = True

SIDES = [1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 255, 256, 257, 513]
DEPTHS = [8, 31, 32, 33, 63, 64, 65, 128, 200, 512, 1023, 1024, 1025, 4096]
WIDTHS = [96, 384, 768, 1000, 1023, 1024, 1025, 4096, 5120, 8193]


def cases_of(family, seed):
    if family == "tiles":
        return tiles(np.random.default_rng(seed))
    if family == "tf32":
        return tf32(np.random.default_rng(seed))
    if family == "bytes":
        return products_of_bytes(np.random.default_rng(seed))
    if family == "schedules":
        return schedules(np.random.default_rng(seed))
    if family == "swapped":
        return swapped(np.random.default_rng(seed))
    if family == "chains":
        return chains(np.random.default_rng(seed))
    if family == "lengths":
        return with_lengths(np.random.default_rng(seed))
    if family == "pages":
        return in_pages(np.random.default_rng(seed))
    if family == "attention8":
        return attention_of_bytes(np.random.default_rng(seed))
    if family == "maxima":
        return maxima(np.random.default_rng(seed))
    if family == "joined":
        return joined(np.random.default_rng(seed))
    if family == "behind":
        return list(behind())
    if family == "folds":
        return list(folds())
    if family == "tuned":
        return tuned()
    if family == "picked":
        return picked()
    return cpu_cases_of(family, seed)


def tiles(rng):
    result = []
    for dtype in (F16, BF16, F32):
        for m, n, k in table(rng, SIDES, SIDES, DEPTHS):
            name = f"linear_{dtype}_{m}x{n}x{k}"
            result.append(contractions.linear_case(name, dtype, (m,), n, k, bool(m % 2), True, [{}]))
        for number, (n, k) in enumerate(table(rng, SIDES, DEPTHS)[:8]):
            sizes = [{"m": m} for m in (1, 16, 64, 127, 128, 129, 300)]
            name = f"linear_{dtype}_rows_n{n}_k{k}"
            result.append(contractions.linear_case(name, dtype, ("m",), n, k, True, number % 2 == 0, sizes))
        for number, (m, n, k) in enumerate(table(rng, SIDES, SIDES, DEPTHS)[:12]):
            ta, tb = bool(number & 1), bool(number & 2)
            name = f"matmul_{dtype}_{m}x{n}x{k}_{'ta' * ta}{'tb' * tb}"
            lhs, rhs, out = (2, m, k), (2, k, n), (2, m, n)
            result.append(contractions.matmul_case(name, dtype, lhs, rhs, out, ta, tb, [{}]))
        lengths = [1, 16, 63, 64, 65, 127, 128, 129, 257, 513]
        heads = [(2, 2), (4, 2), (4, 1), (7, 1), (8, 8)]
        sides = [(False, None), (True, None), (True, 64), (False, 100)]
        head_sizes = [32, 64, 80, 96, 128, 256]
        masks = [None, None, ("bool", ("b", 1, 1, "k")), ("float", (1, 1, "q", "k"))]
        for q, k, (h, kv), (causal, window), d, mask in table(
            rng, lengths * 2, lengths * 2, heads * 4, sides * 5, head_sizes * 4, masks * 5
        ):
            name = f"attention_{dtype}_{q}over{k}_h{h}over{kv}_d{d}{'_causal' * causal}"
            label = (f"_window{window}" if window else "") + ("" if mask is None else f"_{mask[0]}")
            if all(case.name != name + label for case in result):
                result.append(
                    attention.build(
                        name + label, dtype, 2, h, kv, q, k, d, d, [{}], mask, causal, window, None, attention.BESIDE
                    )
                )
        caps = [50.0, 20.0, 0.5]
        for q, k, (h, kv), (causal, window), d, mask, cap in table(
            rng, lengths[1:], lengths[:0:-1], heads * 2, sides * 3, head_sizes * 2, masks * 3, caps * 3
        ):
            name = f"attention_{dtype}_{q}over{k}_h{h}over{kv}_d{d}{'_causal' * causal}"
            label = (f"_window{window}" if window else "") + ("" if mask is None else f"_{mask[0]}") + f"_cap{cap:g}"
            given = (dtype, 2, h, kv, q, k, d, d, [{}], mask, causal, window, None, attention.BESIDE, cap)
            result.append(attention.build(name + label, *given))
        for number, n in enumerate(WIDTHS):
            sizes = [{"a": a} for a in (1, 3, 64, 257)]
            result.append(
                rows.norm_case(f"layer_norm_{dtype}_{n}", dtype, ("a", n), 1, True, number % 2 == 0, 1e-5, sizes)
            )
            result.append(rows.rms_case(f"rms_norm_{dtype}_{n}", dtype, ("a", n), True, sizes))
            result.append(
                Case(
                    f"softmax_{dtype}_{n}",
                    [Operand(dtype, ("a", n))],
                    [Operand(dtype, ("a", n))],
                    op("softmax", [0], [0], "axis = 1 : i64"),
                    rows.softmax(dtype, 1, False),
                    ("normal", "special"),
                    sizes,
                )
            )
    return result + decode_steps(rng)


def decode_steps(rng):
    """Attention of few programs, which share the keys. Lengths around a share of whole tiles, windows that hide shares, no keys."""
    result = []
    for dtype in (F16, BF16, F32):
        lengths, heads, head_sizes = [255, 1024, 1025, 2000, 4096, 9001], [(32, 8), (8, 1), (12, 12)], [128, 64, 80]
        for number, (k, (h, kv), d) in enumerate(table(rng, lengths, heads * 2, head_sizes * 2)):
            mask, window = [(None, None), (("bool", ("b", 1, 1, "k")), None), (None, 300)][number % 3]
            label = f"{dtype}_1over{k}_h{h}over{kv}_d{d}{'_bool' * bool(mask)}{'_window' * bool(window)}"
            causal = number % 2 == 0 or window is not None
            result.append(
                attention.build(f"decode_{label}", dtype, 1, h, kv, 1, k, d, d, [{}], mask, causal, window, None)
            )
        for k, h, kv in ((1025, 8, 2), (4096, 32, 8)):
            given = (dtype, 1, h, kv, 1, k, 128, 128, [{}], None, True, None, None, attention.HOSTILE, 30.0)
            result.append(attention.build(f"decode_{dtype}_1over{k}_h{h}over{kv}_d128_cap30", *given))
        sizes = [{"b": b, "k": k} for b, k in ((1, 0), (1, 1), (1, 64), (3, 65), (1, 1000), (2, 4097))]
        mask = ("bool", ("b", 1, 1, "k"))
        for q in (1, 5):
            name = f"decode_{dtype}_{q}_dynamic"
            result.append(attention.build(name, dtype, "b", 8, 2, q, "k", 64, 64, sizes, mask, q > 1))
    return result


def with_lengths(rng):
    """Around the sides of tiles, by the kernels of many queries and those of a step, whose keys programs may share."""
    result = []
    lengths = [16, 64, 65, 127, 128, 129, 200, 257, 513]
    heads, head_sizes = [(2, 2), (4, 2), (8, 1)], [32, 64, 80, 96, 128, 256]
    sides = [(False, None), (True, None), (True, 64), (False, 100)]
    masks = [None, None, ("bool", ("b", 1, 1, "k")), ("float", (1, 1, "q", "k"))]
    kinds = [(I32, None), (I64, None), (I32, I32), (None, I64)]
    for dtype in (F16, BF16, F32):
        for q, k, (h, kv), (causal, window), d, mask, (keys, queries) in table(
            rng, lengths, lengths[::-1], heads * 3, sides * 3, head_sizes * 2, masks * 3, kinds * 3
        ):
            given = (dtype, 3, h, kv, q, k, d, d, [{}], mask, causal, window, None, attention.BESIDE)
            lse = (q + k) % 2 == 1
            label = f"{q}over{k}_h{h}over{kv}_d{d}{'_causal' * causal}{f'_window{window}' if window else ''}"
            label += f"{'' if mask is None else '_' + mask[0]}_keys_{keys}_queries_{queries}{'_lse' * lse}"
            lengths_ = {"key_lengths": keys, "query_lengths": queries}
            result.append(attention.build(f"lengths_{dtype}_{label}", *given, **lengths_, log_sum_exp=lse))
        for b, k, (h, kv), d in ((4, 1025, (8, 2), 128), (1, 4096, (32, 8), 128), (2, 2000, (12, 12), 64)):
            given = (dtype, b, h, kv, 1, k, d, d, [{}], None, False, None, None, attention.BESIDE)
            for lse in (False, True):
                name = f"lengths_{dtype}_step_{b}x1over{k}_h{h}over{kv}_d{d}{'_lse' * lse}"
                result.append(attention.build(name, *given, key_lengths=I32, log_sum_exp=lse))
        for q, k, h, kv in ((1, 3000, 8, 2), (64, 300, 4, 4), (300, 300, 2, 1)):
            given = (dtype, 2, h, kv, q, k, 128, 128, [{}], None, q == k, None, None, attention.BESIDE)
            result.append(attention.build(f"lse_{dtype}_{q}over{k}_h{h}over{kv}", *given, log_sum_exp=True))
        # So many programs that they are taken in turn.
        given = (dtype, 24, 8, 8, 300, 300, 64, 64, [{}], None)
        for causal in (False, True):
            name = f"lengths_{dtype}_many{'_causal' * causal}"
            result.append(attention.build(name, *given, causal, key_lengths=I32, query_lengths=I32))
    return result


def in_pages(rng):
    """A page is some tiles of keys, or a tile some pages; by copies of whole boxes, of rows apart and none that a tile fits;
    for many queries, and for a step, whose keys programs may share. And the tokens that go into pages."""
    result = []
    heads = [(2, 2), (8, 2), (4, 1), (3, 3)]
    sides = [(False, None), (True, None), (True, 70), (False, 100)]
    masks = [None, None, ("bool", ("b", 1, 1, "k")), ("float", (1, 1, "q", "k"))]
    for dtype in (F16, BF16, F32):
        for page, p, q, (h, kv), (causal, window), d, mask, keys in table(
            rng, [16, 32, 64, 128, 256, 16, 24], [9, 8, 5, 3, 2, 1, 17], [1, 17, 64, 129, 300, 1, 1, 2], heads * 2, sides * 2,
            [32, 64, 80, 96, 128, 128, 256], masks * 2, [I32, I64, None, I32] * 2,
        ):
            given = (dtype, 3, h, kv, q, page, d, d, [{}], mask, causal, window, None, attention.BESIDE, None, keys)
            label = f"{q}over{p}x{page}_h{h}over{kv}_d{d}{'_causal' * causal}{f'_window{window}' if window else ''}"
            label += f"{'' if mask is None else '_' + mask[0]}_keys_{keys}"
            lse = (page + q) % 3 == 0
            name = f"pages_{dtype}_{label}{'_lse' * lse}"
            result.append(attention.build(name, *given, log_sum_exp=lse, pages=(p, 3 * p + 2, (I32, I64)[q % 2])))
            if page in (32, 128):
                result.append(attention.with_heads_inside(result[-1]))
        for page, p, b, (h, kv), d in ((64, 33, 4, (8, 2), 128), (16, 250, 2, (32, 8), 128), (32, 64, 1, (12, 12), 64)):
            given = (dtype, b, h, kv, 1, page, d, d, [{}], None, False, None, None, attention.BESIDE, None, I32)
            name = f"pages_{dtype}_step_{b}x1over{p}x{page}_h{h}over{kv}_d{d}"
            result.append(attention.build(name, *given, pages=(p, b * p + 3, I32)))
        result += gathers.appends_to_pages(dtype)
    return result + bytes_in_pages(rng)


def bytes_in_pages(rng):
    """Keys and values of 8 bits in pages: a step's, which dots widen, and those of many queries, which have no kernel ahead."""
    result = []
    heads, forms = [(32, 8), (8, 2), (4, 1), (3, 3)], ["tensor", "head", "row", None]
    for page, p, q, (h, kv), d, keys, form, to in table(
        rng, [16, 32, 64, 128, 256, 16, 24, 64], [70, 8, 33, 3, 2, 250, 17, 1], [1, 1, 1, 1, 2, 17, 64, 129], heads * 2,
        [32, 64, 80, 96, 128, 128, 128, 256], [I32, I32, None, I64] * 2, forms * 2, [BF16, F16, BF16, F32] * 2,
    ):
        label = f"{q}over{p}x{page}_h{h}over{kv}_d{d}_keys_{keys}_scale_{form}_{to}"
        given = (F8E4M3, 2, h, kv, q, page, d, d, [{}], None, q > 1, None, None, attention.HOSTILE, None, keys)
        scales = attention.scale_shapes(form, 2, h, kv, q, d) if form else None
        result.append(attention.build(f"pages_bytes_{label}", *given, result=to, scales=scales, pages=(p, 2 * p + 3, I32)))
    return result


def attention_of_bytes(rng):
    """Around the sides of tiles, with scales of each form, each mask, and each way to look at maxima."""
    result = []
    lengths = [1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 200, 257, 300, 513, 1025]
    heads, head_sizes = [(2, 2), (4, 2), (4, 1), (7, 1)], [32, 64, 80, 96, 128, 256, 40]
    sides = [(False, None), (True, None), (True, 64), (False, 100)]
    masks = [None, None, None, ("bool", ("b", 1, 1, "k")), ("float", (1, 1, "q", "k"))]
    forms, results = ["tensor", "head", "row", None], [BF16, F16, F32]
    for q, k, (h, kv), (causal, window), d, mask, form, to in table(
        rng, lengths * 4, lengths[::-1] * 4, heads * 15, sides * 15, head_sizes * 9, masks * 12, forms * 15, results * 20
    ):
        label = f"{q}over{k}_h{h}over{kv}_d{d}{'_causal' * causal}{f'_window{window}' if window else ''}"
        label += f"{'' if mask is None else '_' + mask[0]}_scale_{form}_{to}"
        given = (F8E4M3, 2, h, kv, q, k, d, d, [{}], mask, causal, window, None, attention.HOSTILE)
        scales = attention.scale_shapes(form, 2, h, kv, q, d) if form else None
        case = attention.build(f"bytes_{label}", *given, result=to, scales=scales)
        result.append(case)
        if len(result) % 3 == 0:
            keys = 64 if d > 128 else 128
            by_hand = f"@attention = #tile.attention<queries = 64, keys = {keys}, maximum = online>"
            result.append(replace(case, name=case.name + "_online", schedule=(by_hand,)))
    many = ((2, 16, 1024, 1024, 128, False), (2, 16, 1000, 1000, 128, True), (1, 8, 640, 4096, 64, False), (1, 1, 128, 512, 128, False))
    for b, h, q, k, d, causal in many:
        given = (F8E4M3, b, h, h, q, k, d, d, [{}], None, causal, None, None, attention.HOSTILE)
        scales = attention.scale_shapes("tensor", b, h, h, q, d)
        result.append(attention.build(f"bytes_many_{q}over{k}_d{d}{'_causal' * causal}", *given, result=BF16, scales=scales))
    sizes = [{"b": b, "q": q, "k": k} for b, q, k in ((1, 1, 1), (2, 130, 200), (1, 64, 1025), (3, 17, 16))]
    for causal in (False, True):
        name = f"bytes_dynamic{'_causal' * causal}"
        scales = attention.scale_shapes("tensor", 1, 4, 2, 1, 64)
        given = ("b", 4, 2, "q", "k", 64, 64, sizes, None, causal)
        result.append(attention.build(name, F8E4M3, *given, result=BF16, scales=scales))
    return result + decode_steps_of_bytes(rng)


def decode_steps_of_bytes(rng):
    """Few queries of 8-bit floats, which programs widen and share the keys of: each form of scales, masks, lengths that data
    say, windows that hide shares, head sizes that are no whole steps of a dot, no keys."""
    result = []
    lengths, heads, head_sizes = [31, 255, 1024, 1025, 2000, 4096, 9001], [(32, 8), (8, 1), (12, 12), (7, 1)], [128, 64, 80, 40]
    hidden = [(None, None, None), (("bool", ("b", 1, 1, "k")), None, None), (None, 300, None), (None, None, I32),
              (("float", ("b", 1, 1, "k")), None, None)]
    forms, results = ["tensor", "head", "row", None], [BF16, F16, F32]
    for number, (k, (h, kv), d, (mask, window, to_keys), form, to, q) in enumerate(
        table(rng, lengths * 4, heads * 7, head_sizes * 7, hidden * 6, forms * 7, results * 10, [1, 1, 1, 3, 17] * 6)
    ):
        causal = number % 2 == 0 or window is not None
        label = f"{q}over{k}_h{h}over{kv}_d{d}{'_causal' * causal}{f'_window{window}' if window else ''}"
        label += f"{'' if mask is None else '_' + mask[0]}{'_lengths' * bool(to_keys)}_scale_{form}_{to}"
        given = (F8E4M3, 2, h, kv, q, k, d, d, [{}], mask, causal, window, None, attention.HOSTILE)
        scales = attention.scale_shapes(form, 2, h, kv, q, d) if form else None
        lse = number % 4 == 0
        result.append(attention.build(f"bytes_decode_{label}", *given, result=to, scales=scales, key_lengths=to_keys, log_sum_exp=lse))
    sizes = [{"b": b, "k": k} for b, k in ((1, 0), (1, 1), (1, 64), (3, 65), (1, 1000), (2, 4097))]
    for q in (1, 5):
        scales = attention.scale_shapes("head", 1, 8, 2, q, 64)
        given = ("b", 8, 2, q, "k", 64, 64, sizes, ("bool", ("b", 1, 1, "k")), q > 1)
        result.append(attention.build(f"bytes_decode_{q}_dynamic", F8E4M3, *given, result=BF16, scales=scales))
    return result


def tf32(rng):
    """Around the sides of tiles, with every transposition, and with rows that are known at a call only."""
    result = []
    for number, (m, n, k) in enumerate(table(rng, SIDES * 2, SIDES * 2, DEPTHS * 2)):
        result.append(contractions.linear_case(f"linear_{m}x{n}x{k}", F32, (m,), n, k, bool(number % 2), True, [{}], True))
    for number, (m, n, k) in enumerate(table(rng, SIDES, SIDES, DEPTHS)):
        ta, tb = bool(number & 1), bool(number & 2)
        lhs, rhs, out = (2, m, k), (2, k, n), (2, m, n)
        name = f"matmul_{m}x{n}x{k}_{'ta' * ta}{'tb' * tb}"
        result.append(contractions.matmul_case(name, F32, lhs, rhs, out, ta, tb, [{}], tf32=True))
    for n, k in table(rng, SIDES, DEPTHS)[:8]:
        sizes = [{"m": m} for m in (1, 16, 64, 127, 128, 129, 300)]
        result.append(contractions.linear_case(f"linear_rows_n{n}_k{k}", F32, ("m",), n, k, True, True, sizes, True))
    return [*result, *tf32_by_hand(rng), *tf32_behind(rng)]


def tf32_by_hand(rng):
    """Tiles of warpgroups, sums that programs share in each way, the transposed dot, clusters, teams and early weights."""
    tiles_ = [(64, c) for c in (16, 48, 64, 96, 128, 256)] + [(128, c) for c in (16, 64, 80, 128, 176, 208, 256)]
    depths, sides = [32, 64, 200, 264, 1000, 1001, 1024], [1, 8, 64, 100, 129, 300, 520]
    for number, ((r, c), m, n, k) in enumerate(table(rng, tiles_ * 2, sides * 4, sides * 4, depths * 4)):
        depth = 64 if r + c <= 192 and number % 2 else 32
        case = contractions.linear_case(f"linear_tile{r}x{c}x{depth}_{m}x{n}x{k}", F32, (m,), n, k, bool(m % 2), True, [{}], True)
        yield replace(case, schedule=(f"@linear = #tile.gemm<rows = {r}, columns = {c}, depth = {depth}>",))
    shares = [", split_k = 4", ", split_k = 2, joined = true", ", split_k = 4, joined = true", ", split_k = 3, by_last = true"]
    shared = [(64, 64, 64), (64, 128, 32), (128, 128, 32), (128, 64, 32)]
    few = [(8, 64, 64), (16, 128, 64), (24, 64, 128), (64, 64, 32)]
    for number, (more, tile, rows_, m, n) in enumerate(table(rng, shares * 3, shared * 3, few * 3, [1, 65, 200], [64, 129, 520])):
        for (r, c, depth), form in ((tile, ""), (rows_, ", swapped = true")):
            rows_of = min(m, r) if form else m
            name = f"linear_{r}x{c}x{depth}{(more + form).replace(', ', '_').replace(' = ', '').replace('true', '')}_{rows_of}x{n}_{number}"
            case = contractions.linear_case(name, F32, (rows_of,), n, 1536, bool(number % 2), True, [{}], True)
            yield replace(case, schedule=(f"@linear = #tile.gemm<rows = {r}, columns = {c}, depth = {depth}{more}{form}>",))
    for number, ((r, c, warps, stages, rest), m) in enumerate(
        table(rng, [(64, 128, 4, 5, "cluster = 2"), (128, 128, 8, 4, "cluster = 4"), (64, 128, 4, 6, "teams = 2"), (64, 64, 4, 3, "early = 7")],
              [1, 100, 300, 700])
    ):
        case = contractions.linear_case(f"linear_{rest.replace(' = ', '')}_{m}", F32, (m,), 1000, 520, True, True, [{}], True)
        by_hand = warp_schedule(warps, stages, f", {rest}").replace("tf32 = false", "tf32 = true")
        yield replace(case, schedule=(f"@linear = #tile.gemm<rows = {r}, columns = {c}, depth = 32>", f"@linear = {by_hand}"))


def tf32_behind(rng):
    """Bias, gelu and a residual behind the product."""
    for m, n, k in table(rng, [1, 64, 129, 300, 513], [64, 129, 384, 1024], [64, 200, 512, 1023]):
        x, w, b, r = Operand(F32, (m, k)), Operand(F32, (n, k), weight=True), Operand(F32, (n,), weight=True), Operand(F32, (m, n))
        body = "\n".join(
            [
                "{p}0 = tenon.linear {0}, {1}, {2} : ({t0}, {t1}, {t2}) -> {rt0}",
                "{p}1 = tenon.gelu {p}0 : ({rt0}) -> {rt0}",
                "{r0} = tenon.add {p}1, {3} : ({rt0}, {t3}) -> {rt0}",
            ]
        )

        def reference(x, w, b, r, kind):
            product = Approximate(F32, x).linear(w, b)
            product.error = product.error + contractions.tf32_error(x, w.T)
            return product.map(gelu, 1.13).plus(Approximate(F32, r)).expected

        yield Case(f"linear_gelu_add_{m}x{n}x{k}", [x, w, b, r], [r], body, reference, ("normal",), tf32=True)


# Multiples of 16, whose rows TMA takes, and others.
BYTE_DEPTHS = [16, 48, 96, 112, 128, 144, 256, 272, 384, 512, 1024, 1040, 31, 65, 200]


def products_of_bytes(rng):
    """Around the sides of tiles, with scales of every granularity, and with rows that are known at a call only."""
    result = []
    for source, stored in ((I8, I8), (F8E4M3, F8E4M3), (F8E5M2, F8E4M3), (F8E4M3, F8E5M2)):
        forms = [("row", "row"), ("tensor", "tensor"), ("ones", "row"), ("row", "ones")] * 4
        results = [BF16, F16, F32] * 5
        for m, n, k, (x, w), to in table(rng, SIDES, SIDES, BYTE_DEPTHS, forms, results):
            name = f"{source}_{stored}_{m}x{n}x{k}_{x}_{w}_{to}"
            result.append(quantisation.product(name, source, stored, to, (m,), n, k, x, w, None, [{}]))
        # What follows takes operands of 8 bits again.
        forms = ["row", "tensor", "ones"] * 3
        targets = [F8E4M3, F8E5M2] * 4
        for m, n, k, to, form, middle in table(rng, SIDES[::2], SIDES[::2], BYTE_DEPTHS[::2], targets, forms, results):
            case = quantisation.product(f"{source}_{stored}_{m}x{n}x{k}", source, stored, middle, (m,), n, k, "row", "row", None, [{}])
            result.append(quantisation.quantised(case, to, form))
        # As many programs as take the largest tiles.
        for m, n, k, x in ((4097, 4112, 528, "row"), (2055, 8193, 400, "tensor")):
            name = f"{source}_{stored}_{m}x{n}x{k}_{x}_row_bf16"
            case = quantisation.product(name, source, stored, BF16, (m,), n, k, x, "row", None, [{}])
            result.append(replace(case, kinds=("normal",)))
        for n, k in table(rng, SIDES, BYTE_DEPTHS)[:6]:
            sizes = [{"m": m} for m in (1, 16, 64, 127, 128, 129, 300)]
            name = f"{source}_{stored}_rows_n{n}_k{k}"
            result.append(quantisation.product(name, source, stored, BF16, ("m",), n, k, "row", "row", None, sizes))
        blocks = [(128, 128)] * 6 + [(64, 128), (128, 64), (1, 32), (8, 16), (32, 256), (48, 128)]
        for m, (r, c), rows_, columns, x in table(rng, SIDES, blocks, [1, 2, 3, 5], [1, 2, 3, 5], ["row", "tensor", "block"] * 4):
            n, k = r * rows_, c * columns
            name = f"{source}_{stored}_{m}x{n}x{k}_blocks_{r}x{c}_{x}"
            result.append(quantisation.product(name, source, stored, BF16, (m,), n, k, x, "block", (r, c), [{}]))
        name = f"{source}_{stored}_4097x4224x512_blocks_128x128"
        case = quantisation.product(name, source, stored, BF16, (4097,), 4224, 512, "block", "block", (128, 128), [{}])
        result.append(replace(case, kinds=("normal",)))
    return result


WIDE = [64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256]  # columns of tiles of 128 rows
TEAMS = [(128, 128, 2, 5), (64, 256, 1, 4), (64, 192, 1, 5), (128, 96, 2, 5), (64, 128, 1, 6), (128, 192, 2, 4),
         (128, 160, 2, 5), (192, 96, 3, 4)]  # rows, columns, parts, slots
CLUSTERS = [(64, 128, 5), (128, 64, 4), (128, 128, 4), (128, 256, 4), (128, 176, 4)]  # rows, columns, slots of the ring


def warp_schedule(warps, stages, rest):
    return f"#warp.schedule<warps = [{warps}, 1], stages = {stages}, tf32 = false, wgmma = true, producer = true{rest}>"


def gemm_schedule(rows_, columns, split=1, parts=1):
    rest = (f", split_k = {split}" if split > 1 else "") + (f", parts = {parts}" if parts > 1 else "")
    return f"#tile.gemm<rows = {rows_}, columns = {columns}, depth = 64{rest}>"


def schedules(rng):
    """Tiles of warpgroups by hand, splits, every transposition; clusters, of whose programs some are past the end; teams,
    whose programs are few, of an odd number, or many a CTA, with transfers that go round the ring; and attention whose keys
    are all in one tile, by one or several CTAs a multiprocessor."""
    result = []
    tiles_ = [(64, c) for c in (16, 32, 48, 64, 80, 96, 112, 128)] + [(128, c) for c in (16, 32, 48, *WIDE)]
    depths, sides = [64, 200, 264, 1024], [1, 64, 100, 129, 300, 520]
    for number, ((r, c), m, n, k, dtype) in enumerate(
        table(rng, tiles_ * 4, sides * 16, sides * 16, depths * 24, [BF16, F16] * 48)
    ):
        n, split = (n + 7) // 8 * 8, 4 if number % 5 == 0 else 1
        k = 1024 if split > 1 else k
        # Of the widest tiles a thread's registers do not hold the addresses of a right operand stored by rows as well.
        ta, tb = bool(number & 1), bool(number & 2) or c >= 240
        m_ = (m + 7) // 8 * 8 if ta else m  # rows that TMA takes
        name = f"matmul_{dtype}_tile{r}x{c}_{m_}x{n}x{k}_{'ta' * ta}{'tb' * tb}_split{split}_{number}"
        case = contractions.matmul_case(name, dtype, (1, m_, k), (1, k, n), (1, m_, n), ta, tb, [{}])
        result.append(replace(case, schedule=(f"@matmul = {gemm_schedule(r, c, split)}",)))
    for number, ((r, c, stages), m, n, size, dtype) in enumerate(
        table(rng, CLUSTERS * 6, [1, 100, 300, 513, 700] * 6, [8, 136, 512, 1000] * 8, [2, 4] * 15, [BF16, F16] * 15)
    ):
        by_hand = (
            f"@linear = {gemm_schedule(r, c)}",
            f"@linear = {warp_schedule(r // 16, stages, f', cluster = {size}')}",
        )
        name = f"linear_{dtype}_cluster{size}_tile{r}x{c}_{m}x{n}_{number}"
        case = contractions.linear_case(name, dtype, (m,), n, 520, bool(number & 1), True, [{}])
        result.append(replace(case, schedule=by_hand))
    for number, ((r, c, parts, stages), (m, n), k, size, dtype) in enumerate(
        table(rng, TEAMS * 6, [(1, 8), (300, 136), (700, 1000), (2100, 1512), (4100, 1000)] * 6, [392, 520, 1000] * 10,
              [1, 2, 1] * 10, [BF16, F16] * 15)
    ):
        by_hand = (
            f"@linear = {gemm_schedule(r, c, parts=parts)}",
            f"@linear = {warp_schedule(4, stages, f', cluster = {size}, teams = 2' if size > 1 else ', teams = 2')}",
        )
        name = f"linear_{dtype}_teams_cluster{size}_tile{r}x{c}_{m}x{n}x{k}_{number}"
        case = contractions.linear_case(name, dtype, (m,), n, k, bool(number & 1), True, [{}])
        result.append(replace(case, schedule=by_hand))
    for number, (d, q, k, size) in enumerate(table(rng, [64, 128, 96], [100, 300, 600], [64, 200, 1000], [2, 4] * 3)):
        keys, groups = 128, 8
        by_hand = (
            f"@attention = #tile.attention<queries = 128, keys = {keys}, maximum = first>",
            f"@attention = {warp_schedule(groups, 2, f', turns = true, cluster = {size}')}",
        )
        name = f"attention_bf16_cluster{size}_{q}over{k}_d{d}_{number}"
        case = attention.build(name, BF16, 2, 2, 2, q, k, d, d, [{}])
        result.append(replace(case, schedule=by_hand))
    for number, ((queries, resident), q, k, d, dtype, maximum) in enumerate(
        table(rng, [(64, 3), (64, 3), (64, 2), (128, 1)] * 3, [40, 100, 300] * 4, [16, 100, 128, 197] * 3, [32, 64] * 6,
              [BF16, F16] * 6, ["first", "first", "lazy"] * 4)
    ):
        k = min(k, 128) if resident > 1 else k
        by_hand = (
            f"@attention = #tile.attention<queries = {queries}, keys = {(k + 15) // 16 * 16}, maximum = {maximum}>",
            f"@attention = {warp_schedule(queries // 16, 1, f', resident = {resident}')}",
        )
        name = f"attention_{dtype}_resident{resident}_{maximum}_{q}over{k}_d{d}_{number}"
        case = attention.build(name, dtype, 2, 3, 3, q, k, d, d, [{}], kinds=attention.BESIDE)
        result.append(replace(case, schedule=by_hand))
    return result


def swapped(rng):
    """Columns in the places of an instruction's rows, by schedules by hand: rows in eights, turns of several depths."""
    result = []
    rows_ = [(1, 8), (5, 8), (8, 8), (15, 16), (16, 16), (17, 24), (33, 40), (48, 48), (63, 64), (64, 64)]
    columns, widths = [8, 63, 64, 65, 129, 200, 512, 1000], [64, 128, 256]
    for dtype in (F16, BF16):
        for (m, tile), n, k, width, depth in table(rng, rows_, columns, DEPTHS[3:], widths, [64, 128]):
            case = contractions.linear_case(f"{dtype}_{m}x{n}x{k}_{tile}x{width}x{depth}", dtype, (m,), n, k, bool(m % 2), True, [{}])
            result.append(replace(case, schedule=(swapped_schedule("linear", tile, width, depth),)))
        for m, tile, width, more in ((197, 104, 64, ""), (333, 112, 128, ""), (197, 104, 64, ", split_k = 2, joined = true"), (100, 104, 64, ", split_k = 2, by_last = true")):
            case = contractions.linear_case(f"{dtype}_{m}_by_{tile}{more.replace(', split_k = 2, ', '_').replace(' = true', '')}", dtype, (m,), 264, 520, True, True, [{}])
            result.append(replace(case, schedule=(swapped_schedule("linear", tile, width, 64, more),)))
        for splits, (m, tile) in ((2, rows_[4]), (4, rows_[0]), (8, rows_[9])):
            case = contractions.linear_case(f"{dtype}_{m}_in_{splits}_splits", dtype, (m,), 520, 2048, True, True, [{}])
            result.append(replace(case, schedule=(swapped_schedule("linear", tile, 128, 128, f", split_k = {splits}"),)))
        for number, (m, tile) in enumerate(rows_[::3]):
            ta, tb = bool(number & 1), bool(number & 2)
            lhs, rhs, out = (2, m, 200), (2, 200, 136), (2, m, 136)
            name = f"matmul_{dtype}_{m}_{'ta' * ta}{'tb' * tb}"
            case = contractions.matmul_case(name, dtype, lhs, rhs, out, ta, tb, [{}])
            result.append(replace(case, schedule=(swapped_schedule("matmul", tile, 64, 64),)))
    for source, promote in ((I8, ""), (F8E4M3, ", promote = 128")):
        for (m, tile), n, k, to in table(rng, rows_[:2] + rows_[3:5] + rows_[7:], columns, BYTE_DEPTHS[:12], [BF16, F32, F16]):
            if source is I8 and tile % 16 and tile not in (8, 24):
                continue  # integers have fewer widths
            name = f"{source}_{m}x{n}x{k}_{tile}_{to}"
            case = quantisation.product(name, source, source, to, (m,), n, k, "row", "row", None, [{}])
            result.append(replace(case, schedule=(swapped_schedule("quantised_matmul", tile, 128, 128, promote),)))
    return result


def joined(rng):
    """Programs of a cluster that share sums, by schedules by hand: parts of the depth that end anywhere, several rounds, weights
    that come early; and rings of more slots for what is streamed."""
    result = []
    tiles_ = [(64, 64, 64), (64, 128, 64), (128, 64, 64), (128, 128, 64), (128, 192, 64), (128, 96, 32), (64, 256, 64), (256, 64, 64)]
    rows_, columns = [1, 63, 64, 65, 128, 129, 200, 333], [8, 63, 96, 128, 129, 200, 512, 1000]
    depths = [320, 384, 520, 576, 1000, 1023, 1024, 2048]
    eights = [(1, 16), (16, 16), (15, 32), (33, 48), (64, 64), (100, 112), (130, 144), (64, 64)]
    for dtype in (F16, BF16):
        for m, n, k, tile, few in table(rng, rows_, columns, depths, tiles_, eights):
            splits = 2 + 2 * int(tile[0] < 256 and tile[1] % 64 == 0 and k > 4 * tile[2])
            case = contractions.linear_case(f"{dtype}_{m}x{n}x{k}_{'x'.join(map(str, tile))}_by_{splits}", dtype, (m,), n, k, bool(m % 2), True, [{}])
            result.append(replace(case, schedule=(joined_schedule("linear", tile, splits),)))
            m, eight = few
            splits, width = 4 if eight in (32, 64) else 2, 128 if n > 100 else 64
            case = contractions.linear_case(f"{dtype}_{m}x{n}x{k}_{eight}x{width}_swapped_by_{splits}", dtype, (m,), n, k, bool(m % 2), True, [{}])
            result.append(replace(case, schedule=(joined_schedule("linear", (eight, width, 64), splits, ", swapped = true"),)))
        for number, tile in enumerate(tiles_[:4]):
            ta, tb = bool(number & 1), bool(number & 2)
            name = f"matmul_{dtype}_{'ta' * ta}{'tb' * tb}_{'x'.join(map(str, tile))}"
            case = contractions.matmul_case(name, dtype, (2, 200, 520), (2, 520, 136), (2, 200, 136), ta, tb, [{}])
            result.append(replace(case, schedule=(joined_schedule("matmul", tile, 2),)))
        case = contractions.linear_case(f"{dtype}_rounds", dtype, (600,), 520, 200, True, True, [{}])
        result.append(replace(case, schedule=(joined_schedule("linear", (64, 64, 64), 2),)))
        case = contractions.linear_case(f"{dtype}_rounds_of_rows", dtype, ("m",), 600, 260, True, True, [{"m": 1}, {"m": 300}])
        result.append(replace(case, schedule=(joined_schedule("linear", (64, 64, 64), 4),)))
        result += streamed(dtype)
        result += sums_by_last(dtype)
        for m, n, splits in [(1, 128, 2), (64, 200, 2), (65, 384, 4), (300, 96, 2)]:
            result.append(normed(f"normed_{dtype}_{m}x{n}_by_{splits}", dtype, m, n, splits, m % 2 == 0, ", joined = true"))
    for source, promote in ((I8, ""), (F8E4M3, ", promote = 128")):
        for m, n, k, tile in table(rng, rows_[:4], columns[3:7], [640, 768, 1024, 1040], tiles_[:4]):
            case = quantisation.product(f"{source}_{m}x{n}x{k}_{'x'.join(map(str, tile))}", source, source, BF16, (m,), n, k, "row", "row", None, [{}])
            result.append(replace(case, schedule=(joined_schedule("quantised_matmul", (*tile[:2], 128), 2, promote),)))
    return result


def sums_by_last(dtype):
    """Sums that the last program adds up: tiles that reach past the result, parts that reach past the depth, batches, more
    programs than multiprocessors, the transposed dot, work behind the sum, and launches that use the same counters."""
    for m, n, k, tile, splits in [(1, 8, 576, (64, 64, 64), 2), (65, 200, 1000, (64, 64, 64), 3), (200, 129, 520, (128, 64, 64), 2),
                                  (256, 512, 2048, (128, 128, 64), 3), (130, 136, 1023, (64, 48, 64), 4), (64, 64, 1088, (64, 64, 64), 8),
                                  (333, 1000, 1024, (128, 192, 64), 2), (700, 1500, 512, (64, 128, 64), 2)]:
        case = contractions.linear_case(f"{dtype}_{m}x{n}x{k}_{'x'.join(map(str, tile))}_last_of_{splits}", dtype, (m,), n, k, bool(m % 2), True, [{}])
        yield replace(case, schedule=(last_schedule("linear", tile, splits),))
    for m, n, k, tile, splits in [(15, 200, 1000, (16, 64, 64), 2), (100, 130, 2048, (112, 128, 128), 3)]:
        case = contractions.linear_case(f"{dtype}_{m}x{n}x{k}_swapped_last_of_{splits}", dtype, (m,), n, k, True, True, [{}])
        yield replace(case, schedule=(last_schedule("linear", tile, splits, ", swapped = true"),))
    for ta, tb in [(False, False), (True, True)]:
        case = contractions.matmul_case(f"matmul_{dtype}_{'ta' * ta}{'tb' * tb}_last", dtype, (2, 200, 520), (2, 520, 136), (2, 200, 136), ta, tb, [{}])
        yield replace(case, schedule=(last_schedule("matmul", (64, 128, 64), 2),))
    case = contractions.linear_case(f"{dtype}_any_rows_last", dtype, ("m",), 200, 520, True, True, [{"m": 1}, {"m": 130}])
    yield replace(case, schedule=(last_schedule("linear", (64, 64, 64), 2),))  # a second kernel adds them up
    for m, n, splits in [(64, 200, 2), (65, 384, 3), (300, 96, 2)]:
        yield normed(f"normed_{dtype}_{m}x{n}_last_of_{splits}", dtype, m, n, splits, m % 2 == 0, ", by_last = true")
    for m, n, splits in [(65, 576, 2), (256, 640, 3)]:
        yield three_products(f"three_{dtype}_{m}x{n}_last_of_{splits}", dtype, m, n, splits)


def behind():
    """A residual read behind a product, with a bias and a gelu or without: brought by the producer where there is room, also beside
    weights that come early, past the ends of rows and columns, and not at all where TMA takes none; and read by teams."""
    sizes = [(1, 64, 96), (100, 768, 768), (300, 384, 200), (513, 1000, 1024), (700, 136, 392), (4100, 192, 128), (200, 264, 328)]
    tiles_ = [(128, 192, 64), (64, 96, 128), (128, 128, 64), (64, 64, 64), (128, 176, 64), (128, 96, 64, 2), (128, 128, 64, 2)]
    for number, (tile, dtype) in enumerate((tile, dtype) for tile in tiles_ for dtype in (BF16, F16)):
        for m, n, k in sizes[number % 2::2] + [(65, 100, 328)]:
            kernel = "linear_gelu_add" if (number + m) % 3 == 0 else "linear_add"
            r, c, depth, parts = (*tile, 1)[:4]
            if parts > 1 and k <= 4 * depth:  # a loop of so few turns is unrolled, which takes registers
                continue
            schedule = [f"@{kernel} = #tile.gemm<rows = {r}, columns = {c}, depth = {depth}, parts = {parts}>"]
            if parts == 1 and number % 3 == 0 and k > 2 * depth:
                schedule.append(f"@{kernel} = {warp_schedule(r // 16, 3, ', early = 3')}")
            name = f"{kernel}_{dtype}_{m}x{n}x{k}_tile{r}x{c}x{depth}_parts{parts}"
            yield residual_case(name, dtype, m, n, k, kernel == "linear_gelu_add", tuple(schedule))


def residual_case(name, dtype, m, n, k, has_gelu, schedule):
    x, b, r = Operand(dtype, (m, k)), Operand(dtype, (n,), weight=True), Operand(dtype, (m, n))
    w = Operand(dtype, (n, k), lambda rng, shape, kind: values_of(rng, dtype, shape, kind) / 16, True)
    body = ["{p}0 = tenon.linear {0}, {1}, {2} : ({t0}, {t1}, {t2}) -> {rt0}"]
    if has_gelu:
        body.append("{p}1 = tenon.gelu {p}0 : ({rt0}) -> {rt0}")
    body.append(f"{{r0}} = tenon.add {{p}}{len(body) - 1}, {{3}} : ({{rt0}}, {{t3}}) -> {{rt0}}")

    def reference(x, w, b, r, kind):
        sums = Approximate(dtype, x).linear(w, b)
        return (sums.map(gelu, 1.13) if has_gelu else sums).plus(Approximate(dtype, r)).expected

    return Case(name, [x, w, b, r], [r], "\n".join(body), reference, ("normal",), schedule=schedule)


def three_products(name, dtype, m, n, splits):
    """The same kernel three times in a call, then one with bias, gelu and residual."""
    x, b = Operand(dtype, (m, n)), Operand(dtype, (n,), weight=True)
    w = Operand(dtype, (n, n), lambda rng, shape, kind: values_of(rng, dtype, shape, kind) / 32, True)  # sums stay small
    body = "\n".join(
        [
            "{p}0 = tenon.linear {0}, {1} : ({t0}, {t1}) -> {rt0}",
            "{p}1 = tenon.linear {p}0, {2} : ({rt0}, {t2}) -> {rt0}",
            "{p}2 = tenon.linear {p}1, {1}, {3} : ({rt0}, {t1}, {t3}) -> {rt0}",
            "{p}3 = tenon.gelu {p}2 : ({rt0}) -> {rt0}",
            "{r0} = tenon.add {p}3, {0} : ({rt0}, {t0}) -> {rt0}",
        ]
    )

    def reference(x, w, v, b, kind):
        last = Approximate(dtype, x).linear(w).linear(v).linear(w, b)
        return last.map(gelu, 1.13).plus(Approximate(dtype, x)).expected

    tile = (128, 64, 64) if m > 65 else (64, 96, 64)
    schedule = tuple(last_schedule(kernel, tile, splits) for kernel in ("linear", "linear_gelu_add"))
    return Case(name, [x, w, w, b], [x], body, reference, ("normal",), schedule=schedule)


def last_schedule(kernel, tile, splits, more=""):
    return joined_schedule(kernel, tile, splits, more).replace("joined", "by_last")


def streamed(dtype):
    """What a program alone reads through a ring of its own: sums of one program, joined, transposed; clusters that share the rest."""
    for m, n, k, tile, splits, more, stages, rest in [(50, 200, 1000, (64, 64, 64), 1, "", 3, "early = 7"),
                                                      (64, 328, 1032, (64, 64, 64), 2, "", 3, "early = 9"),
                                                      (64, 100, 2048, (64, 64, 64), 4, "", 5, "early = 2"),
                                                      (16, 200, 1024, (16, 64, 128), 2, ", swapped = true", 2, "early = 5"),
                                                      (63, 256, 512, (64, 32, 64), 1, "", 4, "cluster = 2, early = 8")]:
        case = contractions.linear_case(f"{dtype}_{m}x{n}x{k}_streamed", dtype, (m,), n, k, True, True, [{}])
        tile = joined_schedule("linear", tile, splits, more)
        tile = tile if splits > 1 else tile.replace(", split_k = 1, joined = true", "")
        yield replace(case, schedule=(tile, f"@linear = {warp_schedule(4, stages, f', {rest}')}"))


def folds():
    """Sums and extremes of few rows, with their places, whose columns programs share: shares of one turn and of several, past the
    end, without any column, of a number known at a call only; those that are chosen; and sums beside their norms."""
    shapes = [(1, 1, 1, 64, 2), (1, 63, 1, 64, 4), (3, 1000, 1, 64, 8), (2, 513, 1, 128, 16), (5, 4096, 1, 64, 64), (64, 777, 4, 32, 4),
              (7, 129, 1, 64, 128), (2, 515, 2, 256, 2), (1, 50257, 0, 0, 0), (64, 4099, 0, 0, 0)]
    kinds = ["argmax", "sum", "max", "argmin", "mean", "min"]
    for shift, dtype in enumerate((F32, BF16, F16, I32)):
        for number, (m, n, columns, part, splits) in enumerate(shapes):
            for kind in {kinds[(number + shift) % 6], kinds[(number + shift + 3) % 6]}:
                if kind == "mean" and not dtype.is_float:
                    continue
                schedule = f"rows = 1, columns = {columns}, part = {part}, splits = {splits}"
                label = f"{kind}_{dtype}_{m}x{n}" + (f"_{columns}x{part}_by_{splits}" if splits else "")
                keep, is_place = number % 2 == 1, kind.startswith("arg")
                some = [{"b": b} for b in ((1, n) if is_place else (0, 1, n))]
                dims, sizes = ((m, "b"), some) if number % 3 == 2 else ((m, n), [{}])
                case = (rows.arg_case(label, kind, dtype, I32 if keep else I64, dims, 1, keep, sizes) if is_place
                        else rows.reduction_case(label, kind, dtype, dims, [1], keep, sizes))
                kernel = kind if is_place else f"reduce_{kind}"
                yield replace(case, schedule=(f"@{kernel} = #tile.row<{schedule}>",)) if splits else case
    for dtype in (BF16, F16, F32):
        for m, n, rank in [(1, 4096, 2), (17, 768, 3), (5, 1000, 2), (3, 8200, 2), (300, 96, 3)]:
            yield added_and_normed(f"added_{dtype}_{m}x{n}_rank{rank}", dtype, m, n, rank)


def added_and_normed(name, dtype, m, n, rank):
    """A sum that others read too, and its norm: one kernel."""
    x, w = Operand(dtype, (2, m, n)[3 - rank:]), Operand(dtype, (n,), weight=True)
    body = "\n".join(["{r0} = tenon.add {0}, {1} : ({t0}, {t0}) -> {t0}",
                      "{r1} = tenon.layer_norm {r0} weight({2}) bias({3}) {{epsilon = 1.0e-5 : f64}} : ({t0}, {t2}, {t3}) -> {t0}"])

    def reference(x, r, scale, shift, kind):
        total = Approximate(dtype, x).plus(Approximate(dtype, r))
        return [total.expected, total.layer_norm(scale, shift, 1e-5).expected]
    return Case(name, [x, x, w, w], [x, x], body, reference, ("normal",))


def joined_schedule(kernel, tile, splits, more=""):
    rows_, columns, depth = tile
    return f"@{kernel} = #tile.gemm<rows = {rows_}, columns = {columns}, depth = {depth}, split_k = {splits}{more}, joined = true>"


def swapped_schedule(kernel, rows_, columns, depth, more=""):
    return f"@{kernel} = #tile.gemm<rows = {rows_}, columns = {columns}, depth = {depth}{more}, swapped = true>"


def chains(rng):
    """Gates of products, norms behind products whose depth programs share, and what is small in one launch."""
    result = []
    counts, widths = [1, 3, 8, 16, 17, 64, 65, 100, 129, 300], [16, 64, 72, 128, 200, 512, 1000]
    for dtype in (F16, BF16, F32):
        for m, n, k in table(rng, counts, widths, DEPTHS[4:]):
            result.append(gated(f"gated_{dtype}_{m}x{n}x{k}", dtype, m, n, k))
        for number, (m, n) in enumerate(table(rng, counts[2:], [64, 96, 200, 384, 768, 1024])):
            splits = (2, 4, 8)[number % 3]
            result.append(normed(f"normed_{dtype}_{m}x{n}_in_{splits}", dtype, m, n, splits, number % 2 == 0))
        for m, n in table(rng, counts[:6], [1, 8, 63, 64, 65, 128]):
            result.append(side_by_side(f"side_by_side_{dtype}_{m}x{n}", dtype, m, n))
    return result


def normed(name, dtype, m, n, splits, gives_sum, more=""):
    """A product by a schedule by hand, a residual, a norm, and a product that reads it."""
    k = 64 * splits * 2
    x, w, r = Operand(dtype, (m, k)), Operand(dtype, (n, k), weight=True), Operand(dtype, (m, n))
    p, v = Operand(dtype, (n,), weight=True), Operand(dtype, (64, n), weight=True)
    results = [Operand(dtype, (m, 64))] + [r] * gives_sum
    total = "{r1}" if gives_sum else "{p}1"
    body = "\n".join(
        [
            "{p}0 = tenon.linear {0}, {1} : ({t0}, {t1}) -> {t2}",
            total + " = tenon.add {p}0, {2} : ({t2}, {t2}) -> {t2}",
            "{p}2 = tenon.layer_norm " + total + " weight({3}) bias({4}) {{epsilon = 1.0e-5 : f64}}"
            " : ({t2}, {t3}, {t4}) -> {t2}",
            "{r0} = tenon.linear {p}2, {5} : ({t2}, {t5}) -> {rt0}",
        ]
    )

    def reference(x, w, r, scale, shift, v, kind):
        added = Approximate(dtype, x).linear(w).plus(Approximate(dtype, r))
        last = added.layer_norm(scale, shift, 1e-5).linear(v).expected
        return [last, added.expected] if gives_sum else last

    tile = f"rows = {64 if dtype is F32 or m <= 64 else 128}, columns = 64, depth = {32 if dtype is F32 else 64}"
    schedule = (f"@linear_add = #tile.gemm<{tile}, split_k = {splits}{more}>",)
    return Case(name, [x, w, r, p, p, v], results, body, reference, ("normal",), schedule=schedule)


def side_by_side(name, dtype, m, n):
    x, y = Operand(dtype, (m, n)), Operand(dtype, (3, m, n))
    body = "\n".join(
        [
            "{r0} = tenon.silu {0} : ({t0}) -> {rt0}",
            "{r1} = tenon.add {1}, {0} : ({t1}, {t0}) -> {rt1}",
            "{r2} = tenon.neg {0} : ({t0}) -> {rt0}",
        ]
    )

    def reference(x, y, kind):
        first, second = Approximate(dtype, x), Approximate(dtype, y)
        return [
            first.map(silu, 1.1).expected,
            second.plus(Approximate(dtype, np.broadcast_to(x, y.shape))).expected,
            first.map(np.negative, 1).expected,
        ]

    return Case(name, [x, y], [x, y, x], body, reference, ("normal",))
