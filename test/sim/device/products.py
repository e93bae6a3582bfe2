"""mma.sync and wgmma: every form, on data of many kinds."""

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
    for lhs in INTEGERS:
        for rhs in INTEGERS:
            for depth in [16, 32]:
                for overflow in ["wrapped", "satfinite"]:
                    yield lhs, rhs, depth, "i32", overflow


def mma(lhs, rhs, depth, total_type, overflow, kind, repeats=4):
    """Each lane's registers are words of its own: layouts are the simulator's to know."""
    kernel = Kernel()
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
        extra = f", intOverflowBehavior = #nvvm.mma_int_overflow<{overflow}>" if overflow else ""
        struct = f"!llvm.struct<({', '.join([sum_type] * sums)})>"
        value = kernel.op(
            f"nvvm.mma.sync A[{a}] B[{b}] C[{c}] {{layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, "
            f"shape = #nvvm.shape<m = 16, n = 8, k = {depth}>, multiplicandAPtxType = #nvvm.mma_type<{NVVM[lhs]}>, "
            f"multiplicandBPtxType = #nvvm.mma_type<{NVVM[rhs]}>{extra}}} : ({type}, {type}, {sum_type}) -> {struct}"
        )
        for number, part in enumerate(kernel.parts(value, sum_type, sums)):
            kernel.store(kernel.bits(part, sum_type), "%y", kernel.mine(repeat * sums + number))
        per_word = 32 // BITS[lhs]
        x += [data(lhs, 64 * words * per_word, kind, "a", repeat), data(rhs, 32 * words * per_word, kind, "b", repeat)]
        x += [data("i32" if total_type == "i32" else total_type, 32 * sums * (2 if total_type == "f16" else 1), kind, "c", repeat)]
    name = f"mma.{NVVM[lhs]}.{NVVM[rhs]}.k{depth}.{total_type}{'.' + overflow if overflow else ''}.{kind}"
    return kernel.case(name, np.concatenate(x), repeats * sums * 32)


class Layout:
    """An operand of wgmma in shared memory: slabs of `span` bytes of its contiguous side, whose lines follow each other,
    and in them 16 bytes moved as the swizzle says."""

    def __init__(self, bits, span, lines):
        self.bits, self.span, self.lines = bits, span, lines

    def place(self, inner, line):
        at = inner * self.bits // 8
        slab, chunk, chunks = at // self.span, at % self.span // 16, self.span // 16
        turn = {8: line % 8, 4: line // 2 % 4, 2: line // 4 % 2, 1: 0}[chunks]
        return slab * self.lines * self.span + line * self.span + (chunk ^ turn) * 16 + at % 16

    def bytes(self, inner):
        slabs = -(-inner * self.bits // 8 // self.span)
        return -(-slabs * self.lines * self.span // 1024) * 1024

    def descriptor(self, address):
        swizzle = {128: 1, 64: 2, 32: 3, 16: 0}[self.span]
        return address // 16 | self.lines * self.span // 16 << 16 | 8 * self.span // 16 << 32 | swizzle << 62

    def step(self, number, is_transposed):
        if is_transposed:
            return number * 256 // self.bits * self.span // 16
        return (32 * number // self.span * self.lines * self.span + 32 * number % self.span) // 16


def wgmma(lhs, rhs, n, span, kind, registers=False, transposes=(False, False), signs=(1, 1), steps=2, sum_kind="normal"):
    bits, each = BITS[lhs], 32 // BITS[lhs]
    depth = steps * 8 * each
    is_integer = lhs in INTEGERS
    layouts = [Layout(bits, span, depth if is_transposed else rows)
               for is_transposed, rows in zip(transposes, (64, n))]
    inner = [rows if is_transposed else depth for is_transposed, rows in zip(transposes, (64, n))]
    sizes = [layout.bytes(side) for layout, side in zip(layouts, inner)]
    image = np.zeros(sum(sizes), np.uint8)
    codes = [elements(element, rows * depth, kind, seed_of("wgmma", element, rows, depth, kind, number))
             .reshape(rows, depth) for number, (element, rows) in enumerate(zip((lhs, rhs), (64, n)))]
    for number, (layout, is_transposed) in enumerate(zip(layouts, transposes)):
        for row in range(codes[number].shape[0]):
            for k in range(depth):
                at = layout.place(row, k) if is_transposed else layout.place(k, row)
                code = int(codes[number][row, k]).to_bytes(bits // 8, "little")
                image[sum_before(sizes, number) + at :][: bits // 8] = np.frombuffer(code, np.uint8)
    words = np.zeros((4 * steps, 128, each), np.uint64)
    for word in range(4 * steps):
        for thread in range(128):
            row = 16 * (thread // 32) + thread % 32 // 4 + 8 * (word % 2)
            k = word // 4 * 8 * each + word % 4 // 2 * 4 * each + thread % 4 * each
            words[word, thread] = codes[0][row, k : k + each]
    count = n // 2
    sums = data("i32" if is_integer else "f32", 128 * count, sum_kind, "wgmma sums")
    x = np.concatenate([image.view(np.uint32), packed(words.reshape(-1), bits), sums])

    kernel = Kernel(128, shared=len(image))
    kernel.fill(len(image) // 4)
    kernel.do("nvvm.fence.proxy {kind = #nvvm.proxy_kind<async>}")
    kernel.do("nvvm.barrier0")
    start = kernel.op(f"llvm.ptrtoint {kernel.tiles} : !llvm.ptr<3> to i64")
    units = kernel.op(f"arith.shrui {start}, {kernel.const(4, 'i64')} : i64")

    def descriptor(number):
        value = layouts[number].descriptor(sum_before(sizes, number))
        return kernel.op(f"arith.addi {units}, {kernel.const(value - (1 << 64) if value >> 63 else value, 'i64')} : i64")

    def block(number):
        return kernel.load("%x", kernel.add(kernel.mine(number), len(image) // 4))

    a = ", ".join(block(number) for number in range(4 * steps)) if registers else descriptor(0)
    b = descriptor(1)
    type = "i32" if is_integer else "f32"
    c = ", ".join(kernel.from_bits(block(4 * steps + number), type) for number in range(count))
    offsets = [", ".join(str(layout.step(step, is_transposed)) for step in range(steps))
               for layout, is_transposed in zip(layouts, transposes)]
    attributes = [f"element = {lhs}", f"lhs_offsets = array<i64{'' if registers else ': ' + offsets[0]}>",
                  f"rhs_offsets = array<i64: {offsets[1]}>"]
    attributes += [f"rhs_element = {rhs}"] if rhs != lhs else []
    attributes += ["transpose_lhs"] if transposes[0] else []
    attributes += ["transpose_rhs"] if transposes[1] else []
    attributes += ["negate_lhs"] if signs[0] < 0 else []
    attributes += ["negate_rhs"] if signs[1] < 0 else []
    lhs_type = "i32" if registers else "i64"
    d = kernel.op(f"ptx.wgmma {a}, {b}, ({c}) {{{', '.join(attributes)}}} : {lhs_type}", count)
    values = ", ".join(f"{d}#{number}" for number in range(count))
    e = kernel.op(f"ptx.wgmma.wait {values} {{pending = 0 : i64}}{' : i32' if is_integer else ''}", count)
    for number in range(count):
        kernel.store(f"{e}#{number}", "%y", kernel.mine(number), type)
    name = (f"wgmma.{NVVM[lhs]}.{NVVM[rhs]}.n{n}.span{span}{'.registers' if registers else ''}"
            f"{'.tA' if transposes[0] else ''}{'.tB' if transposes[1] else ''}"
            f"{'.-A' if signs[0] < 0 else ''}{'.-B' if signs[1] < 0 else ''}.{kind}"
            f"{'' if steps == 2 else f'.steps{steps}'}{'' if sum_kind == 'normal' else f'.sums_{sum_kind}'}")
    return kernel.case(name, x, 128 * count)


def sum_before(sizes, number):
    return sum(sizes[:number])


def wgmma_types():
    for element in ["f16", "bf16", "tf32"]:
        yield element, element
    for lhs in FP8:
        for rhs in FP8:
            yield lhs, rhs
    for element in INTEGERS:  # two types of integers need a newer PTX than the compiler writes
        yield element, element


def cases():
    for form in mma_forms():
        for kind in ["normal", "special"] if form[3] == "i32" else ["normal", "near", "wide", "integers", "special"]:
            yield mma(*form, kind)
    for lhs, rhs in wgmma_types():
        for span in [16, 32, 64, 128]:
            for registers in [False, True]:
                yield wgmma(lhs, rhs, 8, span, "normal", registers)
        for kind in ["special"] if lhs in INTEGERS else ["near", "wide", "integers", "special"]:
            yield wgmma(lhs, rhs, 8, 128, kind)
        if lhs not in INTEGERS:
            yield wgmma(lhs, rhs, 8, 128, "normal", sum_kind="wide")
            yield wgmma(lhs, rhs, 8, 32, "near", steps=1, sum_kind="near")
            yield wgmma(lhs, rhs, 8, 128, "normal", steps=4)
    for span in [32, 64, 128]:
        for transposes in [(True, False), (False, True), (True, True)]:
            yield wgmma("bf16", "bf16", 64, span, "integers", transposes=transposes)
    for n in [16, 104, 256]:
        yield wgmma("f16", "f16", n, 128, "integers")
    yield wgmma("i8", "i8", 24, 64, "normal")
    yield wgmma("bf16", "bf16", 16, 64, "normal", signs=(-1, 1))
    yield wgmma("f8E5M2", "f8E4M3FN", 16, 64, "normal", registers=True, signs=(1, -1))
