"""cp.async, TMA of every rank, swizzle and reduction, also past the sides of a tensor."""

from kernel import Kernel
from memory import special_doubles
from products import data, seed_of

BYTES = {"i8": 1, "i16": 2, "f16": 2, "bf16": 2, "f32": 4, "i32": 4, "i64": 8, "f64": 8}


def cp_async():
    for size in [4, 8, 16]:
        for source in [None, 0, 3, size]:
            kernel = Kernel(64, shared=1024)
            kernel.store(kernel.const(-1), kernel.tiles, kernel.t, space=3)
            unit = f"vector<{size}xi8>"
            to, start = kernel.at(kernel.tiles, kernel.t, 3, unit), kernel.at("%x", kernel.t, 1, unit)
            how = "cache = cg" if size == 16 else "cache = ca"
            count = f", {kernel.const(source)}" if source is not None else ""
            types = "!llvm.ptr<3>, !llvm.ptr<1>" + (", i32" if source is not None else "")
            kernel.do("nvvm.barrier0")
            kernel.do(f"nvvm.cp.async.shared.global {to}, {start}, {size}, {how}{count} : {types}")
            kernel.do("nvvm.cp.async.commit.group")
            kernel.do("nvvm.cp.async.wait.group 0")
            kernel.do("nvvm.barrier0")
            kernel.spill(16 * size)
            yield kernel.case(f"cp.async.{size}.of_{'all' if source is None else source}", data("i32", 256, "normal", size),
                              16 * size)


def cp_async_groups():
    """Four groups, of which the oldest are waited for one by one."""
    for cache in ["ca", "cg"]:
        kernel = Kernel(32, shared=4096)
        for group in range(4):
            at = kernel.mine(group)
            to, start = (kernel.at(base, at, space, "vector<4xi32>") for base, space in ((kernel.tiles, 3), ("%x", 1)))
            kernel.do(f"nvvm.cp.async.shared.global {to}, {start}, 16, cache = {cache} : !llvm.ptr<3>, !llvm.ptr<1>")
            kernel.do("nvvm.cp.async.commit.group")
        for group in range(4):
            kernel.do(f"nvvm.cp.async.wait.group {3 - group}")
            place = kernel.mul(kernel.mine(group), 4)
            for word in range(4):
                at = kernel.add(place, word)
                kernel.store(kernel.load(kernel.tiles, at, space=3), "%y", at)
        yield kernel.case(f"cp.async.groups.{cache}", data("i32", 512, "normal", "groups"), 512)


def begin_copy(kernel, size):
    """An mbarrier past the tiles that awaits so many bytes."""
    barrier = kernel.at(kernel.tiles, (kernel.shared - 8) // 4, space=3)
    kernel.first()
    kernel.init_barriers({barrier: 1})
    kernel.do(f"nvvm.mbarrier.arrive.expect_tx {barrier}, {kernel.const(size)} : !llvm.ptr<3>, i32")
    return barrier


def copy(kernel, map, barrier, place, extra="", to=None):
    at = ", ".join(kernel.const(each) for each in place)
    to = kernel.op(f"llvm.addrspacecast {to or kernel.tiles} : !llvm.ptr<3> to !llvm.ptr<7>")
    kernel.do(f"nvvm.cp.async.bulk.tensor.shared.cluster.global {to}, {map}, {barrier}, box[{at}]{extra} : "
              "!llvm.ptr<7>, !llvm.ptr")


def tensors():
    """(element, sizes, box, swizzle): rows of the tensor are as long as sizes[0], padded to 16 bytes."""
    for element, inner in [("i8", 64), ("f16", 32), ("f32", 16)]:
        yield element, (inner, 20), (inner, 8), 0
    yield "bf16", (37,), (16,), 0
    yield "f16", (40, 5, 7), (16, 3, 4), 0
    yield "f16", (24, 3, 5, 4), (8, 2, 3, 2), 0
    yield "f32", (12, 3, 2, 3, 4), (4, 2, 2, 2, 3), 0
    for element in ["i16", "bf16", "i32", "i64", "f64"]:
        yield element, (64 // BYTES[element], 5), (32 // BYTES[element], 4), 0
    for swizzle in [32, 64, 128]:
        for element in ["i8", "f16", "f32"]:
            yield element, (swizzle // BYTES[element] + 5, 21), (swizzle // BYTES[element], 16), swizzle
        yield "f16", (swizzle // 2, 9, 3), (swizzle // 2, 5, 2), swizzle
        yield "f16", (swizzle // 2, 9), (swizzle // 4, 8), swizzle  # rows narrower than what is mixed


def strides_of(element, sizes):
    strides, at = [], BYTES[element]
    for number, size in enumerate(sizes[:-1]):
        at *= size
        if number == 0:
            at = -(-at // 16) * 16
        strides.append(at)
    return strides


def places(element, box, sizes):
    """The innermost coordinate is a multiple of 16 bytes, or the GPU stops with an illegal instruction."""
    unit = 16 // BYTES[element]
    yield "inside", [0] * len(box)
    yield "before", [-(side // 2) if number else 0 for number, side in enumerate(box)]
    yield "left", [-unit if number == 0 else 1 for number in range(len(box))]
    yield "past", [max(size - side // 2, 0) // (1 if number else unit) * (1 if number else unit)
                   for number, (side, size) in enumerate(zip(box, sizes))]
    yield "outside", [size + 3 if number else -(-size // unit) * unit for number, size in enumerate(sizes)]


def elements_of(box):
    count = 1
    for side in box:
        count *= side
    return count


def words_of(element, sizes):
    strides = strides_of(element, sizes)
    return ((strides[-1] * sizes[-1] if strides else sizes[0] * BYTES[element]) + 64) // 4


def load(name, element, sizes, box, swizzle, place, fill_nan=False):
    size = elements_of(box) * BYTES[element]
    kernel = Kernel(64, shared=-(-size // 1024) * 1024 + 1024)
    map = kernel.tensor_map(0, element, sizes, strides_of(element, sizes), box, swizzle, fill_nan=fill_nan)
    if box[0] * BYTES[element] < swizzle and not fill_nan:  # what lies between the rows stays as it is
        kernel.clear(kernel.shared // 4 - 256)
    barrier = begin_copy(kernel, size)
    copy(kernel, map, barrier, place)
    kernel.do("}")
    kernel.do("nvvm.barrier0")
    kernel.do(f"ptx.mbarrier.wait {barrier}, {kernel.const(0)}")
    kernel.spill(size // 4)
    return kernel.case(name, data("i32", words_of(element, sizes), "normal", element, sizes), size // 4)


def loads():
    for element, sizes, box, swizzle in tensors():
        for where, place in places(element, box, sizes):
            name = f"tma.load.{element}.{'x'.join(map_text(sizes))}.box{'x'.join(map_text(box))}.swizzle{swizzle}.{where}"
            yield load(name, element, sizes, box, swizzle, place)


def filled_loads():
    """What lies outside of a tensor of floats is NaN."""
    shapes = [(element, (64 // BYTES[element] + 8, 9), (64 // BYTES[element], 8), 0) for element in ("f16", "bf16", "f32", "f64")]
    shapes += [(element, (swizzle // BYTES[element] - 4, 5, 3), (swizzle // BYTES[element], 4, 2), swizzle)
               for element, swizzle in (("f16", 32), ("bf16", 64), ("f32", 128))]
    for element, sizes, box, swizzle in shapes:
        for where, place in places(element, box, sizes):
            name = f"tma.load_nan.{element}.{'x'.join(map_text(sizes))}.swizzle{swizzle}.{where}"
            yield load(name, element, sizes, box, swizzle, place, fill_nan=True)


def hinted_copies():
    """A load and a store with hints for the cache of the GPU, and a load that is of the CTA alone."""
    for op in ["store", "add"]:
        kernel = Kernel(64, shared=2048)
        source, target = (kernel.tensor_map(argument, "i32", (64,), (), (64,)) for argument in (0, 1))
        hint = kernel.const(0x12F0000000000000, "i64")  # evict_first, as createpolicy has it
        kernel.store(kernel.load("%x", kernel.mine(1)), "%y", kernel.t)
        kernel.do("nvvm.fence.proxy {kind = #nvvm.proxy_kind<async>}")
        kernel.do("nvvm.barrier0")
        barrier = begin_copy(kernel, 256)
        copy(kernel, source, barrier, (0,), f" l2_cache_hint = {hint}")
        kernel.do(f"ptx.mbarrier.wait {barrier}, {kernel.const(0)}")
        place = kernel.const(0)
        if op == "store":
            kernel.do(f"nvvm.cp.async.bulk.tensor.global.shared.cta {target}, {kernel.tiles}, box[{place}] "
                      f"l2_cache_hint = {hint} : !llvm.ptr, !llvm.ptr<3>")
        else:
            kernel.do(f"nvvm.cp.async.bulk.tensor.reduce {target}, {kernel.tiles}, box[{place}] l2_cache_hint = {hint} "
                      f"{{redKind = #nvvm.tma_redux_kind<{op}>}} : !llvm.ptr, !llvm.ptr<3>")
        kernel.do("nvvm.cp.async.bulk.commit.group")
        kernel.do("nvvm.cp.async.bulk.wait_group 0")
        kernel.do("}")
        yield kernel.case(f"tma.hint.{op}", data("i32", 128, "normal", "hint"), 64)


def store_groups():
    """Three groups of stores, of which the oldest is waited for while others are under way, before its buffer is used again."""
    kernel = Kernel(64, shared=1024)
    map = kernel.tensor_map(1, "i32", (64, 4), (256,), (64, 1))
    for number in range(4):
        if number >= 2:
            kernel.first()
            kernel.do("nvvm.cp.async.bulk.wait_group 1 {read}")
            kernel.do("}")
            kernel.do("nvvm.barrier0")
        buffer = kernel.at(kernel.tiles, number % 2 * 64, space=3)
        kernel.store(kernel.load("%x", kernel.mine(number)), buffer, kernel.t, space=3)
        kernel.do("nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}")
        kernel.do("nvvm.barrier0")
        kernel.first()
        kernel.do(f"nvvm.cp.async.bulk.tensor.global.shared.cta {map}, {buffer}, box[{kernel.const(0)}, {kernel.const(number)}]"
                  " : !llvm.ptr, !llvm.ptr<3>")
        kernel.do("nvvm.cp.async.bulk.commit.group")
        kernel.do("}")
    kernel.first()
    kernel.do("nvvm.cp.async.bulk.wait_group 0")
    kernel.do("}")
    yield kernel.case("tma.store.groups", data("i32", 256, "normal", "groups"), 256)


def map_text(numbers):
    return [str(number) for number in numbers]


FLOATS = {"f16", "bf16", "f32", "f64"}
# Of i32 an H200 stops at inc and dec with an illegal instruction, of i64 at add, and, or, xor.
REDUCTIONS = {"i32": ["add", "max", "min", "and", "or", "xor"], "i64": ["max", "min"], "f16": ["add", "max", "min"],
              "bf16": ["add", "max", "min"], "f32": ["add"], "f64": ["add"]}


def writes():
    """(element, sizes, box, swizzle, op, kind of data). The box covers the whole tensor, so that no word of the result stays unwritten."""
    shapes = [("i8", (32, 8), (32, 8), 0), ("f16", (40, 6), (40, 8), 0), ("f32", (4, 3, 2), (4, 4, 4), 0),
              ("f32", (4, 3, 2, 2, 3), (4, 4, 2, 2, 3), 0), ("f32", (8,), (8,), 0), ("i32", (4, 3, 2, 3), (4, 4, 2, 3), 0)]
    shapes += [(element, (32 // BYTES[element], 5), (32 // BYTES[element], 8), 0) for element in ("i16", "bf16", "i64", "f64")]
    for swizzle in [32, 64, 128]:
        shapes.append(("f16", (swizzle // 2, 7), (swizzle // 2, 8), swizzle))
        shapes.append(("i32", (swizzle // 4, 3, 3), (swizzle // 4, 5, 4), swizzle))
    for element, sizes, box, swizzle in shapes:
        yield element, sizes, box, swizzle, "store", "normal"
        for op in REDUCTIONS.get(element, []):
            yield element, sizes, box, swizzle, op, "normal"
    for element in sorted(FLOATS):
        sizes = (64 // BYTES[element], 5)
        for op in REDUCTIONS[element]:
            yield element, sizes, (*sizes[:1], 8), 0, op, "edges"


def stores():
    for element, sizes, box, swizzle, op, kind in writes():
        size, words = elements_of(box) * BYTES[element], elements_of(sizes) * BYTES[element] // 4
        kernel = Kernel(64, shared=-(-size // 1024) * 1024)
        map = kernel.tensor_map(1, element, sizes, strides_of(element, sizes), box, swizzle)
        kernel.fill(size // 4)
        last, step = kernel.const(words), kernel.const(64)
        if op != "store":
            kernel.do(f"scf.for %j = {kernel.t} to {last} step {step} : i32 {{")
            kernel.store(kernel.load("%x", kernel.add("%j", size // 4)), "%y", "%j")
            kernel.do("}")
        kernel.do("nvvm.fence.proxy {kind = #nvvm.proxy_kind<async>}")
        kernel.do("nvvm.barrier0")
        kernel.first()
        place = ", ".join(kernel.const(0) for _ in box)
        if op == "store":
            kernel.do(f"nvvm.cp.async.bulk.tensor.global.shared.cta {map}, {kernel.tiles}, box[{place}] : !llvm.ptr, "
                      "!llvm.ptr<3>")
        else:
            kernel.do(f"nvvm.cp.async.bulk.tensor.reduce {map}, {kernel.tiles}, box[{place}] "
                      f"{{redKind = #nvvm.tma_redux_kind<{op}>}} : !llvm.ptr, !llvm.ptr<3>")
        kernel.do("nvvm.cp.async.bulk.commit.group")
        kernel.do("nvvm.cp.async.bulk.wait_group 0")
        kernel.do("}")
        name = f"tma.{op}.{element}.{'x'.join(map_text(sizes))}.swizzle{swizzle}"
        of = element if element in FLOATS - {"f64"} else "i32"
        x = data(of, (size // 4 + words) * (4 // BYTES[of]), kind, "store", sizes)
        if kind == "edges":
            x = special_doubles((size // 4 + words) // 2, seed_of("store")) if element == "f64" else x
            name += ".edges"
        yield kernel.case(name, x, words)


def store_twice():
    """The same buffer holds a second box once the first is read, under predicates, of which the last does not hold."""
    kernel = Kernel(64, shared=1024)
    map = kernel.tensor_map(1, "i32", (64, 3), (256,), (64, 1))
    holds = [kernel.op("arith.constant true"), kernel.op("arith.constant true"), kernel.op("arith.constant false")]
    kernel.store(kernel.const(7), "%y", kernel.mine(2))
    for number in range(3):
        kernel.store(kernel.load("%x", kernel.mine(number)), kernel.tiles, kernel.t, space=3)
        kernel.do("nvvm.fence.proxy {kind = #nvvm.proxy_kind<async>}")
        kernel.do("nvvm.barrier0")
        kernel.first()
        place = f"{kernel.const(0)}, {kernel.const(number)}"
        kernel.do(f"nvvm.cp.async.bulk.tensor.global.shared.cta {map}, {kernel.tiles}, box[{place}], "
                  f"predicate = {holds[number]} : !llvm.ptr, !llvm.ptr<3>")
        kernel.do("nvvm.cp.async.bulk.commit.group")
        kernel.do("nvvm.cp.async.bulk.wait_group 0 {read}" if number < 2 else "nvvm.cp.async.bulk.wait_group 0")
        kernel.do("}")
        kernel.do("nvvm.barrier0")
    yield kernel.case("tma.store.twice", data("i32", 192, "normal", "twice"), 192)


def load_under_predicate():
    """Of two loads the one whose predicate holds comes, and its bytes alone are expected, by a predicate too."""
    kernel = Kernel(64, shared=2048)
    map = kernel.tensor_map(0, "i32", (64, 2), (256,), (64, 1))
    barrier = kernel.at(kernel.tiles, (kernel.shared - 8) // 4, space=3)
    yes, no = kernel.op("arith.constant true"), kernel.op("arith.constant false")
    kernel.first()
    kernel.init_barriers({barrier: 1})
    for holds, bytes in [(no, 512), (yes, 256)]:
        kernel.do(f"nvvm.mbarrier.arrive.expect_tx {barrier}, {kernel.const(bytes)}, predicate = {holds} : !llvm.ptr<3>, "
                  "i32, i1")
    for row, holds in enumerate([no, yes]):
        copy(kernel, map, barrier, (0, row), f" predicate = {holds}")
    kernel.do("}")
    kernel.do("nvvm.barrier0")
    kernel.do(f"ptx.mbarrier.wait {barrier}, {kernel.const(0)}")
    kernel.spill(64)
    yield kernel.case("tma.load.predicate", data("i32", 128, "normal", "predicate"), 64)


def load_for_generic_mbarrier():
    """An mbarrier that is named without its space counts a box and an arrival."""
    kernel = Kernel(64, shared=2048)
    map = kernel.tensor_map(0, "i32", (64,), (), (64,))
    place = kernel.at(kernel.tiles, 256, space=3)
    barrier = kernel.op(f"llvm.addrspacecast {place} : !llvm.ptr<3> to !llvm.ptr")
    kernel.first()
    kernel.do(f"nvvm.mbarrier.init {barrier}, {kernel.const(2)} : !llvm.ptr, i32")
    kernel.do("nvvm.fence.mbarrier.init")
    kernel.op(f"nvvm.mbarrier.arrive {barrier} : !llvm.ptr -> i64")
    kernel.do(f"nvvm.mbarrier.arrive.expect_tx {barrier}, {kernel.const(256)} : !llvm.ptr, i32")
    copy(kernel, map, place, (0,))
    kernel.do("}")
    kernel.do("nvvm.barrier0")
    kernel.do(f"nvvm.mbarrier.try_wait.parity {barrier}, {kernel.const(0)}, {kernel.const(10000000)} : !llvm.ptr, i32, i32")
    kernel.spill(64)
    yield kernel.case("mbarrier.generic", data("i32", 64, "normal", "generic"), 64)


def cases():
    families = (cp_async, cp_async_groups, loads, filled_loads, hinted_copies, stores, store_twice, store_groups,
                load_under_predicate, load_for_generic_mbarrier)
    for family in families:
        yield from family()
