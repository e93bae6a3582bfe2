"""mma.sync: every form, on data of many kinds."""

import numpy as np

from kernel import Kernel
from words import BITS, elements, packed

NVVM = {"f16": "f16", "bf16": "bf16", "tf32": "tf32", "i8": "s8", "ui8": "u8", "f8E4M3FN": "e4m3", "f8E5M2": "e5m2"}
INTEGERS = ["i8", "ui8"]
FP8 = ["f8E4M3FN", "f8E5M2"]


def seed_of(*parts):
    """A number that stays the same from one Python to the next."""
    value = 0
    for byte in " ".join(map(str, parts)).encode():
        value = (value * 1000003 + byte) % (1 << 61)
    return value


def data(element, count, kind, *seed):
    return packed(elements(element, count, kind, seed_of(element, count, kind, *seed)), BITS[element])


def mma_forms():
    for element, depths in [("f16", [8, 16]), ("bf16", [8, 16]), ("tf32", [4, 8])]:
        for depth in depths:
            yield element, element, depth, "f32", ""
            if element == "f16":
                yield element, element, depth, "f16", ""
    for lhs in FP8:
        for rhs in FP8:
            yield lhs, rhs, 32, "f32", ""
    for lhs in INTEGERS:
        for rhs in INTEGERS:
            for depth in [16, 32]:
                for overflow in ["wrapped", "satfinite"]:
                    yield lhs, rhs, depth, "i32", overflow


def mma_op(kernel, lhs, rhs, depth, overflow, operands, types, sums):
    """The sums that one instruction gives."""
    a, b, c = operands
    type, sum_type = types
    if lhs in FP8:
        d = kernel.op(f"ptx.mma.f8 {a}, {b}, {c} {{lhs_element = {lhs}, rhs_element = {rhs}}}", sums)
        return [f"{d}#{number}" for number in range(sums)]
    extra = f", intOverflowBehavior = #nvvm.mma_int_overflow<{overflow}>" if overflow else ""
    struct = f"!llvm.struct<({', '.join([sum_type] * sums)})>"
    value = kernel.op(
        f"nvvm.mma.sync A[{a}] B[{b}] C[{c}] {{layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, "
        f"shape = #nvvm.shape<m = 16, n = 8, k = {depth}>, multiplicandAPtxType = #nvvm.mma_type<{NVVM[lhs]}>, "
        f"multiplicandBPtxType = #nvvm.mma_type<{NVVM[rhs]}>{extra}}} : ({type}, {type}, {sum_type}) -> {struct}"
    )
    return kernel.parts(value, sum_type, sums)


def mma(lhs, rhs, depth, total_type, overflow, kind, repeats=4):
    """Each lane's registers are words of its own: layouts are the simulator's to know."""
    kernel = Kernel(needs_newer_ptx=lhs in FP8)
    words = depth * BITS[lhs] // 128  # registers of B; A has twice as many
    type = "vector<2xf16>" if lhs == "f16" else "i32"
    sums = 2 if total_type == "f16" else 4
    sum_type = {"f16": "vector<2xf16>"}.get(total_type, total_type)
    total = 3 * words + sums
    x = []
    for repeat in range(repeats):
        def read(number, as_type, first=repeat * total):
            return kernel.from_bits(kernel.load("%x", kernel.mine(first + number)), as_type)

        a = ", ".join(read(number, type) for number in range(2 * words))
        b = ", ".join(read(2 * words + number, type) for number in range(words))
        c = ", ".join(read(3 * words + number, sum_type) for number in range(sums))
        results = mma_op(kernel, lhs, rhs, depth, overflow, (a, b, c), (type, sum_type), sums)
        for number, part in enumerate(results):
            kernel.store(kernel.bits(part, sum_type), "%y", kernel.mine(repeat * sums + number))
        per_word = 32 // BITS[lhs]
        x += [data(lhs, 64 * words * per_word, kind, "a", repeat), data(rhs, 32 * words * per_word, kind, "b", repeat)]
        x += [data("i32" if total_type == "i32" else total_type, 32 * sums * (2 if total_type == "f16" else 1), kind, "c", repeat)]
    name = f"mma.{NVVM[lhs]}.{NVVM[rhs]}.k{depth}.{total_type}{'.' + overflow if overflow else ''}.{kind}"
    return kernel.case(name, np.concatenate(x), repeats * sums * 32)


def cases():
    for form in mma_forms():
        for kind in ["normal", "special"] if form[3] == "i32" else ["normal", "near", "wide", "integers", "special"]:
            yield mma(*form, kind)
