"""Low-precision storage and products. quantise must give the bits of its formula; a quantised product of integers is
exact up to its scales.
"""

import numpy as np

from exec_cpu.cases import SIZES, Case, Expected, Operand, op
from exec_cpu.dtypes import F8E4M3, F8E5M2, F16, BF16, F32, F64, FLOATS, I4, I8, round_to

STORED = [I8, I4, F8E4M3, F8E5M2]
cuts_floats = False  # a GPU adds up products of 8-bit floats with 14 bits, for at most 128 of the depth or a block
CUT, STEP, PROMOTED = 2.0**-13, 32, 128  # of the largest addend, by an instruction; before a sum in f32


def scales(powers_of_two):
    def make(rng, shape, kind):
        if powers_of_two:
            return np.exp2(rng.integers(-3, 3, shape)).astype(np.float64)
        return round_to(F32, rng.uniform(0.01, 0.5, shape))

    return make


def spread(scale, shape, block):
    """One scale an element."""
    if scale.ndim == 0 or scale.size == 1:
        return np.broadcast_to(scale.reshape((1,) * len(shape)), shape)
    if block:
        scale = np.repeat(np.repeat(scale, block[0], axis=-2), block[1], axis=-1)
    return np.broadcast_to(scale, shape)


def granularity(form, dims, block):
    if form == "block":
        return dims[:-2] + tuple(d if b == 1 else d // b for d, b in zip(dims[-2:], block))
    return {"tensor": (), "ones": (1,) * len(dims), "row": dims[:-1] + (1,)}[form]


def quantise(name, source, stored, dims, form, block, sizes):
    def compute(x, s, kind):
        wide = source.compute
        inverse = round_to(wide, 1 / spread(s, x.shape, block if form == "block" else None))
        scaled = round_to(wide, x * inverse)
        if stored.is_float:
            return Expected(
                round_to(stored, np.where(np.isnan(scaled), scaled, np.clip(scaled, -stored.largest, stored.largest)))
            )
        return Expected(np.clip(np.rint(np.nan_to_num(scaled, nan=0)), stored.low, stored.high).astype(np.int64))

    attributes = f"block = array<i64: {block[0]}, {block[1]}>" if form == "block" else ""
    return Case(
        name,
        [Operand(source, dims), Operand(F32, granularity(form, dims, block), scales(True))],
        [Operand(stored, dims)],
        op("quantise", [0, 1], [0], attributes),
        compute,
        ("integers", "normal", "special"),
        sizes,
    )


def dequantise(name, stored, result, dims, form, block, sizes):
    def compute(q, s, kind):
        return Expected(round_to(F32, q * spread(s, q.shape, block if form == "block" else None)))

    attributes = f"block = array<i64: {block[0]}, {block[1]}>" if form == "block" else ""
    return Case(
        name,
        [Operand(stored, dims), Operand(F32, granularity(form, dims, block), scales(False))],
        [Operand(result, dims)],
        op("dequantise", [0, 1], [0], attributes),
        compute,
        ("normal", "special"),
        sizes,
    )


def cut_error(x, w, scales, depth):
    """Of x @ w^T where each instruction cuts off 32 products, the sum before and that after at 2^-13 of the largest of them, at
    random, so that 4 times the root of the squares is enough; and never more than their sum. `scales`: of each `depth`."""
    total, squares = 0.0, 0.0
    for first in range(0, x.shape[-1], depth):
        sums = np.zeros(x.shape[:-1] + (w.shape[0],))
        scale = scales(first)
        for at in range(first, min(first + depth, x.shape[-1]), STEP):
            end = min(at + STEP, first + depth)
            left, right = x[..., at:end], w[:, at:end]
            before, sums = np.abs(sums), sums + np.matmul(left, right.T)
            most = np.maximum(before, np.abs(sums))
            most = np.maximum(most, np.abs(left).max(-1)[..., None] * np.abs(right).max(-1)) * scale * CUT
            total, squares = total + (STEP + 2) * most, squares + (STEP + 2) * most**2
    return np.minimum(total, 4 * np.sqrt(squares))


def product(name, source, stored, result, lead, n, k, input_form, weight_form, block, sizes):
    has_scale = source in STORED

    def compute(x, *rest, kind):
        xs, w, ws = rest if has_scale else (np.array(1.0),) + rest
        left = x.astype(np.float64) * spread(xs, x.shape, input_block)
        right = w * spread(ws, w.shape, block)
        u = F64.u if source is F64 else F32.u
        value, size = np.matmul(left, right.T), np.matmul(np.abs(left), np.abs(right.T))
        bound = (4 * np.sqrt(max(k, 1)) + 6) * u * size
        if cuts_floats and source.is_float and stored.is_float and source.bits == 8 and kind != "integers":
            rows_, columns = spread(xs, x.shape, input_block), spread(ws, w.shape, block)
            scales_at = lambda k: rows_[..., k : k + 1] * columns[:, k]
            bound = bound + cut_error(x, w, scales_at, block[1] if block else PROMOTED)
        return Expected(value, bound)

    input_block = (1, block[1]) if input_form == "block" else None
    block = block if weight_form == "block" else None
    dims = lead + (k,)
    operands = [Operand(source, dims)]
    call = "{0}"
    if has_scale:
        operands.append(Operand(F32, granularity(input_form, dims, input_block), scales(False)))
        call += " scale({1})"
    first = len(operands)
    operands += [
        Operand(stored, (n, k), weight=True),
        Operand(F32, granularity(weight_form, (n, k), block), scales(False), True),
    ]
    call += f", {{{first}}} scale({{{first + 1}}})"
    attributes = f"block = array<i64: {block[0]}, {block[1]}>" if block else ""
    return Case(
        name,
        operands,
        [Operand(result, lead + (n,))],
        op("quantised_matmul", operands, [0], attributes, call),
        compute,
        ("integers", "normal"),
        sizes,
    )


def quantised(case, stored, form):
    """The case with its result, of two dimensions and known sizes or rows, quantised by given scales."""
    (middle,) = case.results

    def compute(*values, kind):
        *operands, s = values
        before = case.reference(*operands, kind=kind)
        inverse = 1 / spread(s, before.value.shape, None)
        bound = (before.bound + (middle.dtype.u + 2 * F32.u) * np.abs(before.value)) * inverse
        rounded = round_to(middle.dtype, before.value)
        value = np.where(np.isinf(rounded), rounded, before.value)  # f16 ends at 65504
        return Expected(np.clip(value * inverse, -stored.largest, stored.largest), bound)

    number, dims = len(case.operands), middle.dims
    rows = np.exp2(np.arange(8) - 4.0)  # from where some are clamped to where some are denormals
    scale = Operand(F32, granularity(form, dims, None), lambda rng, shape, kind: rng.choice(rows, shape))
    body = case.body.replace("{r0}", "{p}q").replace("{rt0}", middle.type())
    quantise = f"{{r0}} = tenon.quantise {{p}}q, {{{number}}} : ({middle.type()}, {{t{number}}}) -> {{rt0}}"
    return Case(
        f"{case.name}_to_{stored}_{form}",
        [*case.operands, scale],
        [Operand(stored, dims)],
        f"{body}\n{quantise}",
        compute,
        ("normal",),
        case.sizes,
    )


def cases(rng):
    result = []
    forms = ["tensor", "ones", "row", "block"]
    count = 0
    for stored in STORED:
        for number, form in enumerate(forms * 2):
            source, count = FLOATS[count % 4], count + 1
            block = [(1, 32), (2, 4), (4, 1), (8, 16)][count % 4]
            a, b = int(rng.choice([1, 2, 3, 7])) * block[0], int(rng.choice([1, 2, 3, 5])) * block[1]
            if number < 4:
                dims = (2, "a", b) if form != "block" or block[0] == 1 else (2, a, b)
                sizes = [{"a": 17}, {"a": 1}, {"a": 0}] if "a" in dims else [{}]
            else:
                dims, sizes = (a, b), [{}]
            if stored is I4:  # a dynamic shape of i4 has an even innermost size
                b, dims = b * 2, dims[:-1] + (b * 2,)
            label = f"{stored}_{form}_{number}"
            result.append(quantise(f"quantise_{source}_{label}", source, stored, dims, form, block, sizes))
            result.append(dequantise(f"dequantise_{source}_{label}", stored, source, dims, form, block, sizes))
    kinds = [
        (I8, I8),
        (I8, I4),
        (I4, I4),
        (I4, I8),
        (F8E4M3, F8E4M3),
        (F8E5M2, F8E4M3),
        (F8E4M3, F8E5M2),
        (F32, I8),
        (F32, I4),
        (F16, I4),
        (BF16, I8),
        (BF16, F8E4M3),
        (F64, I8),
    ]
    for source, stored in kinds:
        for number, weight_form in enumerate(["tensor", "row", "block", "block"]):
            block = [(1, 32), (1, 16), (8, 16), (4, 64)][int(rng.integers(4))] if weight_form == "block" else None
            n, k = int(rng.choice(SIZES[:-1])), int(rng.choice(SIZES[:-1]))
            if block:
                n, k = block[0] * int(rng.choice([1, 2, 5])), block[1] * int(rng.choice([1, 2, 3]))
            if source is I4:
                k = k + k % 2
            to = source if source in FLOATS else FLOATS[(count := count + 1) % 3]
            label = f"quantised_matmul_{source}_{stored}_{weight_form}_{number}_n{n}_k{k}"
            lead, sizes = (
                (("m",), [{"m": m} for m in (1, 7, 16, 33, 65, 0)]) if number % 2 else ((2, "m"), [{"m": 3}, {"m": 17}])
            )
            input_form = "block" if number == 3 and source in STORED else ["row", "tensor"][number % 2]
            result.append(product(label, source, stored, to, lead, n, k, input_form, weight_form, block, sizes))
    return result
