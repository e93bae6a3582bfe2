"""What the lanes of a warp, and the threads of a CTA, tell each other; matrices to and from shared memory; conversions."""

import numpy as np

from kernel import Kernel
from products import data, seed_of
from words import raw

ALL = "-1"


def shuffles():
    for kind in ["idx", "up", "down", "bfly"]:
        for width in [32, 16, 8, 2]:
            kernel = Kernel()
            mask = kernel.const(ALL)
            clamp = kernel.const(((32 - width) << 8) | (0 if kind == "up" else 31))
            for repeat in range(8):
                value, offset = (kernel.load("%x", kernel.mine(2 * repeat + part)) for part in (0, 1))
                struct = "!llvm.struct<(i32, i1)>"
                both = kernel.op(f"nvvm.shfl.sync {kind} {mask}, {value}, {offset}, {clamp} "
                                 f"{{return_value_and_is_valid}} : i32 -> {struct}")
                result = kernel.op(f"llvm.extractvalue {both}[0] : {struct}")
                is_valid = kernel.op(f"arith.extui {kernel.op(f'llvm.extractvalue {both}[1] : {struct}')} : i1 to i32")
                kernel.store(result, "%y", kernel.mine(2 * repeat))
                kernel.store(is_valid, "%y", kernel.mine(2 * repeat + 1))
            yield kernel.case(f"shfl.{kind}.{width}", data("i32", 512, "normal", kind, width), 512)
        kernel = Kernel()
        mask, clamp = kernel.const(ALL), kernel.const(0 if kind == "up" else 31)
        for repeat in range(8):
            value, offset = kernel.load("%x", kernel.mine(2 * repeat), "f32"), kernel.load("%x", kernel.mine(2 * repeat + 1))
            result = kernel.op(f"nvvm.shfl.sync {kind} {mask}, {value}, {offset}, {clamp} : f32 -> f32")
            kernel.store(result, "%y", kernel.mine(repeat), "f32")
        yield kernel.case(f"shfl.{kind}.f32", data("i32", 512, "normal", kind), 256)


def shuffles_of_some():
    """Of the lanes of a mask alone, from lanes of it: what comes from another one is undefined."""
    for kind in ["idx", "up", "down", "bfly"]:
        for lanes, width in [(0x0000FFFF, 16), (0x00FF00FF, 8), (0xAAAAAAAA, 32)]:
            kernel = Kernel()
            mask = kernel.const(lanes)
            clamp = kernel.const(((32 - width) << 8) | (0 if kind == "up" else 31))
            kernel.do(f"scf.if {odd_bit(kernel, kernel.op(f'arith.shrui {mask}, {kernel.t} : i32'))} {{")
            for repeat in range(4):
                value, offset = (kernel.load("%x", kernel.mine(2 * repeat + part)) for part in (0, 1))
                if width == 32:  # odd lanes
                    offset = kernel.op(f"arith.andi {offset}, {kernel.const(30)} : i32")
                    offset = kernel.add(offset, 1) if kind == "idx" else offset
                else:
                    offset = kernel.op(f"arith.andi {offset}, {kernel.const(width - 1)} : i32")
                struct = "!llvm.struct<(f32, i1)>"
                both = kernel.op(f"nvvm.shfl.sync {kind} {mask}, {kernel.from_bits(value, 'f32')}, {offset}, {clamp} "
                                 f"{{return_value_and_is_valid}} : f32 -> {struct}")
                result = kernel.op(f"llvm.extractvalue {both}[0] : {struct}")
                is_valid = kernel.op(f"arith.extui {kernel.op(f'llvm.extractvalue {both}[1] : {struct}')} : i1 to i32")
                kernel.store(result, "%y", kernel.mine(2 * repeat), "f32")
                kernel.store(is_valid, "%y", kernel.mine(2 * repeat + 1))
            kernel.do("} else {")
            for repeat in range(8):
                kernel.store(kernel.const(7), "%y", kernel.mine(repeat))
            kernel.do("}")
            yield kernel.case(f"shfl.{kind}.some.{lanes:08x}", data("i32", 256, "normal", kind, lanes), 256)


def odd_bit(kernel, value, shift=0):
    shifted = kernel.op(f"arith.shrui {value}, {kernel.const(shift)} : i32")
    return kernel.op(f"arith.trunci {shifted} : i32 to i1")


def votes():
    for kind in ["any", "all", "uni", "ballot"]:
        for mask in [ALL, str(0x0F0F0F0F)]:
            kernel = Kernel()
            name = kernel.const(mask)
            takes_part = kernel.op(f"arith.shrui {name}, {kernel.t} : i32")
            kernel.do(f"scf.if {odd_bit(kernel, takes_part)} {{")
            for repeat, combined in enumerate(["andi", "ori", "xori"]):
                words = [kernel.load("%x", kernel.mine(number)) for number in range(4)]
                value = words[0]
                for word in words[1:] if combined != "xori" else []:
                    value = kernel.op(f"arith.{combined} {value}, {word} : i32")
                type = "i32" if kind == "ballot" else "i1"
                vote = kernel.op(f"nvvm.vote.sync {kind} {name}, {odd_bit(kernel, value)} -> {type}")
                vote = vote if type == "i32" else kernel.op(f"arith.extui {vote} : i1 to i32")
                kernel.store(vote, "%y", kernel.mine(repeat))
            kernel.do("} else {")
            for repeat in range(3):
                kernel.store(kernel.const(7), "%y", kernel.mine(repeat))
            kernel.do("}")
            yield kernel.case(f"vote.{kind}.{'all' if mask == ALL else 'some'}", data("i32", 128, "normal", kind), 96)


def reductions():
    for kind in ["add", "max", "min", "umax", "umin", "and", "or", "xor"]:
        for mask in [ALL, str(0x00FF00F0)]:
            kernel = Kernel()
            name = kernel.const(mask)
            kernel.do(f"scf.if {odd_bit(kernel, kernel.op(f'arith.shrui {name}, {kernel.t} : i32'))} {{")
            for repeat in range(2):
                value = kernel.load("%x", kernel.mine(repeat))
                kernel.store(kernel.op(f"nvvm.redux.sync {kind} {value}, {name} : i32 -> i32"), "%y", kernel.mine(repeat))
            kernel.do("} else {")
            for repeat in range(2):
                kernel.store(kernel.const(7), "%y", kernel.mine(repeat))
            kernel.do("}")
            yield kernel.case(f"redux.{kind}.{'all' if mask == ALL else 'some'}", data("i32", 64, "normal", kind), 64)


def elections():
    for mask in [ALL, str(0x00FF00F0), str(1 << 30)]:
        kernel = Kernel()
        name = kernel.const(mask)
        kernel.do(f"scf.if {odd_bit(kernel, kernel.op(f'arith.shrui {name}, {kernel.t} : i32'))} {{")
        elected = kernel.op(f"nvvm.elect.sync {name} -> i1")
        kernel.store(kernel.op(f"arith.extui {elected} : i1 to i32"), "%y", kernel.t)
        kernel.do("} else {")
        kernel.store(kernel.const(7), "%y", kernel.t)
        kernel.do("}")
        yield kernel.case(f"elect.{int(mask) & 0xFFFFFFFF:08x}", np.zeros(1), 32)


def election_of_all():
    kernel = Kernel()
    kernel.store(kernel.op(f"arith.extui {kernel.op('nvvm.elect.sync -> i1')} : i1 to i32"), "%y", kernel.t)
    yield kernel.case("elect", np.zeros(1), 32)


def matches():
    kernel = Kernel()
    value = kernel.op(f"arith.andi {kernel.load('%x', kernel.t)}, {kernel.const(3)} : i32")
    mask = kernel.const(ALL)
    kernel.store(kernel.op(f"nvvm.match.sync any {mask}, {value} : i32 -> i32"), "%y", kernel.t)
    struct = "!llvm.struct<(i32, i1)>"
    for number, of in enumerate([value, kernel.const(5)]):
        both = kernel.op(f"nvvm.match.sync all {mask}, {of} : i32 -> {struct}")
        kernel.store(kernel.op(f"llvm.extractvalue {both}[0] : {struct}"), "%y", kernel.mine(1 + number))
    yield kernel.case("match", data("i32", 32, "normal"), 96)


def matches_of_some():
    for lanes in [0x0F0F0F0F, 0x00FF00F0, 1 << 30]:
        kernel = Kernel()
        mask = kernel.const(lanes)
        value = kernel.op(f"arith.andi {kernel.load('%x', kernel.t)}, {kernel.const(3)} : i32")
        kernel.do(f"scf.if {odd_bit(kernel, kernel.op(f'arith.shrui {mask}, {kernel.t} : i32'))} {{")
        kernel.store(kernel.op(f"nvvm.match.sync any {mask}, {value} : i32 -> i32"), "%y", kernel.t)
        struct = "!llvm.struct<(i32, i1)>"
        for number, of in enumerate([value, kernel.const(5)]):
            both = kernel.op(f"nvvm.match.sync all {mask}, {of} : i32 -> {struct}")
            is_equal = kernel.op(f"llvm.extractvalue {both}[1] : {struct}")
            kernel.store(kernel.op(f"llvm.extractvalue {both}[0] : {struct}"), "%y", kernel.mine(1 + 2 * number))
            kernel.store(kernel.op(f"arith.extui {is_equal} : i1 to i32"), "%y", kernel.mine(2 + 2 * number))
        kernel.do("} else {")
        for number in range(5):
            kernel.store(kernel.const(7), "%y", kernel.mine(number))
        kernel.do("}")
        yield kernel.case(f"match.some.{lanes:08x}", data("i32", 32, "normal", "match", lanes), 160)


def registers():
    """Special registers, of a grid whose CTAs write side by side."""
    names = ["laneid", "warpsize", *[f"lanemask.{each}" for each in ("eq", "le", "lt", "ge", "gt")]]
    names += [f"{name}.{axis}" for name in ("tid", "ntid", "ctaid", "nctaid") for axis in "xyz"]
    for block, grid in [((96, 1, 1), (3, 1, 1)), ((8, 4, 3), (2, 3, 2))]:
        kernel = Kernel(96, block=block, grid=grid)
        y, z = (kernel.op(f"nvvm.read.ptx.sreg.tid.{axis} : i32") for axis in "yz")
        kernel.t = kernel.add(kernel.t, kernel.mul(kernel.add(y, kernel.mul(z, block[1])), block[0]))
        first = kernel.mul(kernel.cta(), 96 * len(names))
        for number, name in enumerate(names):
            value = kernel.op(f"nvvm.read.ptx.sreg.{name} : i32")
            kernel.store(value, "%y", kernel.add(first, kernel.mine(number)))
        ctas = grid[0] * grid[1] * grid[2]
        yield kernel.case(f"registers.{'x'.join(map(str, block))}", np.zeros(1), ctas * 96 * len(names))


def barriers():
    for kind in ["popc", "and", "or"]:
        kernel = Kernel(96)
        for repeat in range(3):
            value = kernel.load("%x", kernel.mine(repeat))
            if repeat == 1:
                value = kernel.op(f"arith.ori {value}, {kernel.const(1)} : i32")
            if repeat == 2:
                value = kernel.const(0)
            predicate = kernel.op(f"arith.andi {value}, {kernel.const(1)} : i32")
            kernel.store(kernel.op(f"nvvm.barrier #nvvm.reduction<{kind}> {predicate} -> i32"), "%y", kernel.mine(repeat))
        yield kernel.case(f"barrier.{kind}", data("i32", 288, "normal", kind), 288)


def barriers_of_defaults():
    """An arrival at barrier 0, for which two other warps wait, and barrier 5 of all threads: what is left out is the default."""
    kernel = Kernel(96, shared=1024)
    count = kernel.const(96)
    is_low = kernel.op(f"arith.cmpi ult, {kernel.t}, {kernel.const(32)} : i32")
    kernel.do(f"scf.if {is_low} {{")
    kernel.store(kernel.load("%x", kernel.t), kernel.tiles, kernel.t, space=3)
    kernel.do(f"nvvm.barrier.arrive number_of_threads = {count}")
    kernel.do("} else {")
    kernel.do(f"nvvm.barrier id = {kernel.const(0)} number_of_threads = {count}")
    lane = kernel.op(f"arith.andi {kernel.t}, {kernel.const(31)} : i32")
    kernel.store(kernel.load(kernel.tiles, lane, space=3), kernel.tiles, kernel.t, space=3)
    kernel.do("}")
    kernel.do(f"nvvm.barrier id = {kernel.const(5)}")
    opposite = kernel.op(f"arith.subi {kernel.const(95)}, {kernel.t} : i32")
    kernel.store(kernel.load(kernel.tiles, opposite, space=3), "%y", kernel.t)
    yield kernel.case("barrier.defaults", data("i32", 32, "normal", "defaults"), 96)


def matrices():
    shape = "shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, eltType = #nvvm.ld_st_matrix_elt_type<b16>"
    for num in [1, 2, 4]:
        for layout in ["row", "col"]:
            for is_load in [True, False]:
                kernel = Kernel(shared=4096)
                kernel.fill(512)
                kernel.do("nvvm.barrier0")
                # Rows in an order of their own, 32 bytes apart.
                row = kernel.op(f"arith.remui {kernel.mul(kernel.t, 5)}, {kernel.const(32)} : i32")
                place = kernel.at(kernel.tiles, kernel.mul(row, 8), space=3)
                attributes = f"layout = #nvvm.mma_layout<{layout}>, {shape}"
                if is_load:
                    type = "i32" if num == 1 else f"!llvm.struct<({', '.join(['i32'] * num)})>"
                    value = kernel.op(f"nvvm.ldmatrix {place} {{num = {num} : i32, {attributes}}} : (!llvm.ptr<3>) -> {type}")
                    parts = [value] if num == 1 else kernel.parts(value, "i32", num)
                    for number, part in enumerate(parts):
                        kernel.store(part, "%y", kernel.mine(number))
                else:
                    values = ", ".join(kernel.load("%x", kernel.mine(16 + number)) for number in range(num))
                    types = ", ".join(["i32"] * num)
                    kernel.do(f"nvvm.stmatrix {place}, {values} {{{attributes}}} : !llvm.ptr<3>, {types}")
                    kernel.do("nvvm.barrier0")
                    kernel.spill(512)
                yield kernel.case(f"{'ld' if is_load else 'st'}matrix.x{num}.{layout}",
                                  data("i32", 32 * 20, "normal", num, layout), 32 * num if is_load else 512)


def conversions():
    for kind in ["normal", "wide", "special"]:
        x = data("f32", 1024, kind, "conversion")

        def made(name, emit, kind=kind, x=x):
            kernel = Kernel(128)
            for number in range(8):
                value = kernel.load("%x", kernel.mine(number), "f32")
                kernel.store(emit(kernel, value), "%y", kernel.mine(number))
            return kernel.case(f"convert.{name}.{kind}", x, 1024, other_than_nan if name == "f16" else None)

        for type in ["f16", "bf16"]:
            def short(kernel, value, type=type):
                short = kernel.op(f"arith.truncf {value} : f32 to {type}")
                return kernel.op(f"arith.extui {kernel.op(f'llvm.bitcast {short} : {type} to i16')} : i16 to i32")

            yield made(type, short)
        for mode in ["rna", "rn", "rz"]:
            yield made(f"tf32.{mode}", lambda kernel, value, mode=mode: kernel.op(
                f"nvvm.convert.float.to.tf32 {value} {{rnd = #nvvm.fp_rnd_mode<{mode}>}}"))


def float8_ties(mantissa_bits):
    """Halves between two 8-bit floats, and one unit beside them, from below the least to above the largest."""
    bits = raw(seed_of("ties", mantissa_bits), 1024)
    half = np.uint64(1 << (22 - mantissa_bits))
    exponent = (bits >> np.uint64(40)) % np.uint64(40) + np.uint64(127 - 20)
    fraction = bits & np.uint64((1 << 23) - 1) & ~(np.uint64(2) * half - np.uint64(1))
    beside = np.array([0, 1, -1, -int(half)])[(bits >> np.uint64(32)) % np.uint64(4)]
    magnitude = (exponent << np.uint64(23) | fraction | half).astype(np.int64) + beside
    return (magnitude | (bits >> np.uint64(63)).astype(np.int64) << 31).astype(np.uint32)


def float8_conversions():
    for element, name, mantissa_bits in [("f8E4M3FN", "e4m3x2", 3), ("f8E5M2", "e5m2x2", 2)]:
        for kind in ["normal", "wide", "special", "ties"]:
            kernel = Kernel(128)
            for number in range(4):
                high, low = (kernel.load("%x", kernel.mine(2 * number + part), "f32") for part in (0, 1))
                pair = kernel.op(f"ptx.cvt.f8x2 {high}, {low} {{element = {element}}}")
                kernel.store(kernel.op(f"arith.extui {pair} : i16 to i32"), "%y", kernel.mine(number))
            x = float8_ties(mantissa_bits) if kind == "ties" else data("f32", 1024, kind, "conversion", name)
            yield kernel.case(f"convert.{name}.{kind}", x, 512)


def other_than_nan(simulated, device):
    """The host's conversion to f16 keeps the sign and payload of NaN."""

    def is_nan(words):
        return (words & 0x7FFF) > 0x7C00

    return (simulated != device) & ~(is_nan(simulated) & is_nan(device))


def functions():
    """Approximations: each within what the PTX manual says of it."""
    for name, ulps in [("ptx.ex2.approx.ftz", 4), ("ptx.rcp.approx.ftz", 2), ("ptx.tanh.approx", 2**13 + 1)]:
        for kind in ["normal", "wide", "special"]:
            kernel = Kernel(128)
            for number in range(8):
                value = kernel.load("%x", kernel.mine(number), "f32")
                kernel.store(kernel.op(f"{name} {value}"), "%y", kernel.mine(number), "f32")
            yield kernel.case(f"{name[4:]}.{kind}", data("f32", 1024, kind, name), 1024, within_ulps(ulps))


def within_ulps(most):
    """Of the last place: |simulated - device| <= most, and the same class."""

    def differ(simulated, device):
        def ordered(words):
            words = words.astype(np.int64)
            return np.where(words >> 31, 0x80000000 - words, words)

        def is_nan(words):
            return (words & 0x7FFFFFFF) > 0x7F800000

        far = np.abs(ordered(simulated) - ordered(device)) > most
        return np.where(is_nan(simulated) | is_nan(device), is_nan(simulated) != is_nan(device), far)

    return differ


def atomics():
    for kind, type in [("add", "i32"), ("max", "i32"), ("umin", "i32"), ("_and", "i32"), ("_or", "i32"), ("_xor", "i32")]:
        for space in [1, 3]:
            kernel = Kernel(64, shared=1024)
            base = "%y" if space == 1 else kernel.tiles
            kernel.store(kernel.load("%x", kernel.t), base, kernel.t, space=space)
            kernel.do("nvvm.barrier0")
            to = kernel.op(f"arith.remui {kernel.t}, {kernel.const(8)} : i32")
            value = kernel.load("%x", kernel.mine(1))
            kernel.op(f"llvm.atomicrmw {kind} {kernel.at(base, to, space)}, {value} monotonic : !llvm.ptr<{space}>, {type}")
            kernel.do("nvvm.barrier0")
            if space == 3:
                kernel.spill(64)
            yield kernel.case(f"atomic.{kind.strip('_')}.{'global' if space == 1 else 'shared'}",
                              data("i32", 128, "normal", kind), 64)


def cases():
    for family in (shuffles, shuffles_of_some, votes, reductions, elections, election_of_all, matches, matches_of_some, registers,
                   barriers, barriers_of_defaults, matrices, conversions, float8_conversions, functions, atomics):
        yield from family()
