"""wgmma: every type, every width, and every way in which an operand may lie, on data of many kinds."""

import numpy as np

from kernel import Kernel
from products import FP8, INTEGERS, NVVM, data, seed_of
from words import BITS, elements, packed


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


class Operands:
    """A (64 rows) and B (n rows) of `steps` steps of the depth, in shared memory, and A in registers' words too."""

    def __init__(self, lhs, rhs, n, span, kind, registers=False, transposes=(False, False), steps=2):
        self.lhs, self.rhs, self.steps, self.transposes = lhs, rhs, steps, transposes
        self.is_integer, self.in_registers = lhs in INTEGERS, registers
        bits = BITS[lhs]
        depth = steps * 256 // bits
        self.layouts = [Layout(bits, span, depth if is_transposed else rows)
                        for is_transposed, rows in zip(transposes, (64, n))]
        inner = [rows if is_transposed else depth for is_transposed, rows in zip(transposes, (64, n))]
        sizes = [layout.bytes(side) for layout, side in zip(self.layouts, inner)]
        self.starts = [0, sizes[0]]
        self.image = np.zeros(sum(sizes), np.uint8)
        codes = [elements(element, rows * depth, kind, seed_of("wgmma", element, rows, depth, kind, number))
                 .reshape(rows, depth) for number, (element, rows) in enumerate(zip((lhs, rhs), (64, n)))]
        for number, (layout, is_transposed) in enumerate(zip(self.layouts, transposes)):
            for row in range(codes[number].shape[0]):
                for k in range(depth):
                    at = layout.place(row, k) if is_transposed else layout.place(k, row)
                    code = int(codes[number][row, k]).to_bytes(bits // 8, "little")
                    self.image[self.starts[number] + at :][: bits // 8] = np.frombuffer(code, np.uint8)
        self.words = self.words_of_lhs(codes[0])

    def words_of_lhs(self, codes):
        each = 32 // BITS[self.lhs]
        words = np.zeros((4 * self.steps, 128, each), np.uint64)
        for word in range(4 * self.steps):
            for thread in range(128):
                row = 16 * (thread // 32) + thread % 32 // 4 + 8 * (word % 2)
                k = word // 4 * 8 * each + word % 4 // 2 * 4 * each + thread % 4 * each
                words[word, thread] = codes[row, k : k + each]
        return packed(words.reshape(-1), BITS[self.lhs])

    @property
    def type(self):
        return "i32" if self.is_integer else "f32"

    def begin(self):
        """A kernel that has the operands where they belong. Its operand has their words first, then the sums."""
        kernel = Kernel(128, shared=len(self.image), needs_newer_ptx=self.is_integer and self.lhs != self.rhs)
        kernel.fill(len(self.image) // 4)
        kernel.do("nvvm.fence.proxy {kind = #nvvm.proxy_kind<async>}")
        kernel.do("nvvm.barrier0")
        start = kernel.op(f"llvm.ptrtoint {kernel.tiles} : !llvm.ptr<3> to i64")
        units = kernel.op(f"arith.shrui {start}, {kernel.const(4, 'i64')} : i64")

        def descriptor(number):
            value = self.layouts[number].descriptor(self.starts[number])
            value = kernel.const(value - (1 << 64) if value >> 63 else value, "i64")
            return kernel.op(f"arith.addi {units}, {value} : i64")

        if self.in_registers:
            self.a = ", ".join(self.word(kernel, number) for number in range(4 * self.steps))
        else:
            self.a = descriptor(0)
        self.b = descriptor(1)
        return kernel

    def word(self, kernel, number):
        return kernel.load("%x", kernel.add(kernel.mine(number), len(self.image) // 4))

    def sum(self, kernel, number):
        return kernel.from_bits(self.word(kernel, 4 * self.steps + number), self.type)

    def multiply(self, kernel, sums, signs=(1, 1)):
        """The results' names, which are under way."""
        offsets = [", ".join(str(layout.step(step, is_transposed)) for step in range(self.steps))
                   for layout, is_transposed in zip(self.layouts, self.transposes)]
        attributes = [f"element = {self.lhs}", f"lhs_offsets = array<i64{'' if self.in_registers else ': ' + offsets[0]}>",
                      f"rhs_offsets = array<i64: {offsets[1]}>"]
        attributes += [f"rhs_element = {self.rhs}"] if self.rhs != self.lhs else []
        attributes += ["transpose_lhs"] if self.transposes[0] else []
        attributes += ["transpose_rhs"] if self.transposes[1] else []
        attributes += ["negate_lhs"] if signs[0] < 0 else []
        attributes += ["negate_rhs"] if signs[1] < 0 else []
        lhs_type = "i32" if self.in_registers else "i64"
        d = kernel.op(f"ptx.wgmma {self.a}, {self.b}, ({', '.join(sums)}) {{{', '.join(attributes)}}} : {lhs_type}",
                      len(sums))
        return [f"{d}#{number}" for number in range(len(sums))]

    def wait(self, kernel, values, pending=0):
        type = " : i32" if self.is_integer else ""
        e = kernel.op(f"ptx.wgmma.wait {', '.join(values)} {{pending = {pending} : i64}}{type}", len(values))
        return [f"{e}#{number}" for number in range(len(values))]

    def case(self, kernel, name, sums, num_results):
        return kernel.case(name, np.concatenate([self.image.view(np.uint32), self.words, sums]), num_results)


def zero(kernel, type):
    return kernel.const("0" if type == "i32" else "0.0", type)


def wgmma(lhs, rhs, n, span, kind, registers=False, transposes=(False, False), signs=(1, 1), steps=2, sum_kind="normal"):
    """`sum_kind` none: the sums are constants of 0, which the instruction does not read."""
    operands = Operands(lhs, rhs, n, span, kind, registers, transposes, steps)
    kernel, type, count = operands.begin(), operands.type, n // 2
    is_zero = sum_kind == "none"
    c = [zero(kernel, type) if is_zero else operands.sum(kernel, number) for number in range(count)]
    for number, value in enumerate(operands.wait(kernel, operands.multiply(kernel, c, signs))):
        kernel.store(value, "%y", kernel.mine(number), type)
    name = (f"wgmma.{NVVM[lhs]}.{NVVM[rhs]}.n{n}.span{span}{'.registers' if registers else ''}"
            f"{'.tA' if transposes[0] else ''}{'.tB' if transposes[1] else ''}"
            f"{'.-A' if signs[0] < 0 else ''}{'.-B' if signs[1] < 0 else ''}.{kind}"
            f"{'' if steps == 2 else f'.steps{steps}'}{'' if sum_kind == 'normal' else f'.sums_{sum_kind}'}")
    sums = np.zeros(0, np.uint32) if is_zero else data(type, 128 * count, sum_kind, "wgmma sums")
    return operands.case(kernel, name, sums, 128 * count)


def folded(lhs, rhs, registers):
    """All widths, one after the other. A thread folds its sums of each into a word, so that the results stay few."""
    operands = Operands(lhs, rhs, 256, 64, "normal", registers)
    kernel, type = operands.begin(), operands.type
    widths = [8, 16, 24] + list(range(32, 257, 16 if operands.is_integer else 8))
    for place, n in enumerate(widths):
        c = [operands.sum(kernel, number) for number in range(n // 2)]
        word = kernel.const(n)
        for value in operands.wait(kernel, operands.multiply(kernel, c)):
            word = kernel.op(f"arith.xori {kernel.mul(word, 16777619)}, {kernel.bits(value, type)} : i32")
        kernel.store(word, "%y", kernel.mine(place))
    name = f"wgmma.{NVVM[lhs]}.{NVVM[rhs]}.all_n{'.registers' if registers else ''}"
    return operands.case(kernel, name, data(type, 128 * 128, "normal", "wgmma sums"), 128 * len(widths))


def two_groups(lhs):
    """The first group is waited for while the second is under way."""
    operands = Operands(lhs, lhs, 16, 64, "normal")
    kernel, type = operands.begin(), operands.type
    first = operands.multiply(kernel, [operands.sum(kernel, number) for number in range(8)])
    second = operands.multiply(kernel, [operands.sum(kernel, 8 + number) for number in range(8)])
    for number, value in enumerate(operands.wait(kernel, first, pending=1)):
        kernel.store(value, "%y", kernel.mine(number), type)
    for number, value in enumerate(operands.wait(kernel, second)):
        kernel.store(value, "%y", kernel.mine(8 + number), type)
    return operands.case(kernel, f"wgmma.{NVVM[lhs]}.two_groups", data(type, 128 * 16, "normal", "two groups"), 128 * 16)


def types():
    for element in ["f16", "bf16", "tf32"]:
        yield element, element
    for few in [FP8, INTEGERS]:
        for lhs in few:
            for rhs in few:
                yield lhs, rhs


def cases():
    for lhs, rhs in types():
        is_integer = lhs in INTEGERS
        for registers in [False, True]:
            for span in [16, 32, 64, 128]:
                yield wgmma(lhs, rhs, 8, span, "normal", registers)
            yield folded(lhs, rhs, registers)
        for kind in ["special"] if is_integer else ["near", "wide", "integers", "special"]:
            yield wgmma(lhs, rhs, 8, 128, kind)
        yield wgmma(lhs, rhs, 8, 64, "normal", sum_kind="none")
        if not is_integer:
            yield wgmma(lhs, rhs, 8, 128, "normal", sum_kind="wide")
            yield wgmma(lhs, rhs, 8, 32, "near", steps=1, sum_kind="near")
            yield wgmma(lhs, rhs, 8, 128, "normal", steps=4)
            for signs in [(-1, 1), (1, -1), (-1, -1)]:
                for registers in [False, True]:
                    yield wgmma(lhs, rhs, 8, 64, "special", registers, signs=signs)
        if lhs == rhs:
            yield two_groups(lhs)
    for element in ["f16", "bf16"]:
        for span in [32, 64, 128]:
            for transposes in [(True, False), (False, True), (True, True)]:
                yield wgmma(element, element, 64, span, "integers", transposes=transposes)
            yield wgmma(element, element, 64, span, "normal", registers=True, transposes=(False, True))
