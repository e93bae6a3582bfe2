"""Accesses of every width, under predicates, atomic ones; mbarriers and named barriers; what orders and hints alone."""

import numpy as np

from kernel import Kernel
from products import data, seed_of
from words import other_than_nan, raw

SPACES = {1: "global", 3: "shared"}
WORDS = {"i8": 1, "i16": 1, "i32": 1, "i64": 2, "f16": 1, "bf16": 1, "f32": 1, "f64": 2, "vector<2xi32>": 2,
         "vector<4xi32>": 4, "vector<2xf32>": 2, "vector<4xf32>": 4, "vector<8xbf16>": 4, "vector<4xi8>": 1,
         "vector<2xf16>": 1, "vector<2xi64>": 4}


def shared_copy(kernel, words):
    """Where the operand's words are in shared memory."""
    kernel.fill(words)
    kernel.do("nvvm.barrier0")
    return kernel.tiles


def accesses():
    """Each thread moves a unit from one place to another, whose other bytes it has set."""
    for type, words in WORDS.items():
        for space, name in SPACES.items():
            kernel = Kernel(64, shared=2048)
            base = "%x" if space == 1 else shared_copy(kernel, 64 * words)
            for number in range(words):
                kernel.store(kernel.const(-1), "%y", kernel.mine(number))
            kernel.do("nvvm.barrier0")
            unit = f"vector<{words}xi32>" if words > 1 else "i32"
            value = kernel.op(f"llvm.load {kernel.at(base, kernel.t, space, unit)} : !llvm.ptr<{space}> -> {type}")
            kernel.do(f"llvm.store {value}, {kernel.at('%y', kernel.t, 1, unit)} : {type}, !llvm.ptr<1>")
            yield kernel.case(f"access.{name}.{type.strip('vector<>')}", data("i32", 64 * words, "normal", type), 64 * words)


def orders():
    """Volatile and atomic accesses of all orders and scopes."""
    for space, name in SPACES.items():
        kernel = Kernel(64, shared=2048)
        base = "%x" if space == 1 else shared_copy(kernel, 64)
        to = "%y" if space == 1 else kernel.tiles
        loads = ["volatile", "monotonic", "acquire", 'syncscope("device") acquire', 'syncscope("block") monotonic']
        stores = ["volatile", "monotonic", "release", 'syncscope("device") release', 'syncscope("block") monotonic']
        for number, (load, store) in enumerate(zip(loads, stores)):
            def place(base, index):
                return kernel.at(base, index, space)

            before, atomic = ("volatile ", "") if load == "volatile" else ("", "atomic ")
            value = kernel.op(f"llvm.load {before}{place(base, kernel.t)} {atomic and 'atomic ' + load + ' '}"
                              f"{{alignment = 4 : i64}} : !llvm.ptr<{space}> -> i32")
            value = kernel.add(value, number)
            kernel.do(f"llvm.store {before}{value}, {place(to, kernel.mine(1 + number))} "
                      f"{atomic and 'atomic ' + store + ' '}{{alignment = 4 : i64}} : i32, !llvm.ptr<{space}>")
        if space == 1:
            kernel.store(kernel.load("%x", kernel.t), "%y", kernel.t)
        else:
            kernel.do("nvvm.barrier0")
            kernel.spill(64 * 6)
        yield kernel.case(f"access.{name}.orders", data("i32", 64, "normal"), 64 * 6)


def predicates():
    """Loads and stores of which every third thread's, no thread's and each thread's predicate holds."""
    for type in ["i8", "i16", "i32", "i64", "vector<2xi32>", "vector<4xi32>"]:
        words = WORDS[type]
        unit = f"vector<{words}xi32>" if words > 1 else "i32"
        for nc in ["", " {nc}"]:
            kernel = Kernel(64)
            third = kernel.op(f"arith.remui {kernel.t}, {kernel.const(3)} : i32")
            predicates = [kernel.op(f"arith.cmpi eq, {third}, {kernel.const(0)} : i32"),
                          kernel.op(f"arith.cmpi eq, {third}, {kernel.const(7)} : i32"),
                          kernel.op(f"arith.cmpi ult, {third}, {kernel.const(7)} : i32")]
            always = predicates[2]
            for number in range(6 * words):
                kernel.store(kernel.const(-1), "%y", kernel.mine(number))
            kernel.do("nvvm.barrier0")
            for number, predicate in enumerate(predicates):
                for part, (reads, writes) in enumerate([(predicate, always), (always, predicate)]):
                    start, to = kernel.add(kernel.t, 64 * number), kernel.add(kernel.t, 64 * (2 * number + part))
                    value = kernel.op(f"ptx.ld.global {kernel.at('%x', start, 1, unit)}, {reads}{nc} : {type}")
                    kernel.do(f"ptx.st.global {value}, {kernel.at('%y', to, 1, unit)}, {writes} : {type}")
            name = f"predicate.{type.strip('vector<>')}{'.nc' if nc else ''}"
            yield kernel.case(name, data("i32", 192 * words, "normal", type), 384 * words)


def update(type, kind, space, order, x):
    """A kernel where each thread has an address of its own: what was there, and what is then."""
    words = 2 if type in ("i64", "f64") else 1
    unit = "i64" if words == 2 else "i32"
    kernel = Kernel(64, shared=1024)
    base = "%y" if space == 1 else kernel.tiles
    for number in range(words):
        kernel.store(kernel.load("%x", kernel.mine(number)), base, kernel.mine(number), space=space)
    kernel.do("nvvm.barrier0")
    value = kernel.op(f"llvm.load {kernel.at('%x', kernel.add(kernel.t, 64), 1, unit)} : !llvm.ptr<1> -> {type}")
    old = kernel.op(f"llvm.atomicrmw {kind} {kernel.at(base, kernel.t, space, unit)}, {value} {order} : "
                    f"!llvm.ptr<{space}>, {type}")
    if type in ("f16", "bf16"):  # the rest of the word is not touched
        old, type = kernel.op(f"llvm.bitcast {old} : {type} to i16"), "i16"
    if type in ("i8", "i16"):
        old, type = kernel.op(f"arith.extui {old} : {type} to i32"), "i32"
    kernel.do(f"llvm.store {old}, {kernel.at('%y', kernel.add(kernel.t, 64), 1, unit)} : {type}, !llvm.ptr<1>")
    kernel.do("nvvm.barrier0")
    if space == 3:
        kernel.spill(64 * words)
    return kernel, x, 128 * words


def updates():
    """atomicrmw in every type and kind."""
    kinds = {"i32": ["xchg", "add", "sub", "_and", "nand", "_or", "_xor", "max", "min", "umax", "umin", "uinc_wrap",
                     "udec_wrap"],
             "i64": ["xchg", "add", "sub", "_and", "_or", "_xor", "max", "min", "umax", "umin"],
             "f32": ["xchg", "fadd"], "f64": ["fadd"], "f16": ["fadd"], "bf16": ["fadd"], "vector<2xf16>": ["fadd"]}
    for type, names in kinds.items():
        for space, of in SPACES.items():
            for kind in names:
                floats = {"vector<2xf16>": "f16", "i64": "i32"}.get(type, type)
                count = {"i64": 256, "f16": 256, "bf16": 256, "vector<2xf16>": 256}.get(type, 128)
                x = doubles(128) if type == "f64" else data(floats, count, "normal", "update", kind)
                kernel, *rest = update(type, kind, space, "monotonic", x)
                yield kernel.case(f"update.{of}.{type.strip('vector<>')}.{kind.strip('_')}", *rest)


def more_updates():
    """The kinds that a GPU makes of others, by cmpxchg, and other orders and scopes."""
    kinds = [("f32", "fsub"), ("f32", "fmax"), ("f32", "fmin"), ("f64", "xchg"), ("f64", "fsub"), ("f64", "fmax"), ("i64", "nand"),
             ("i64", "uinc_wrap"), ("i64", "udec_wrap"), ("vector<2xbf16>", "fadd"), ("i16", "add"), ("i8", "umax"),
             ("i32", "usub_cond"), ("i32", "usub_sat")]
    for type, kind in kinds:
        for space, of in SPACES.items():
            order = 'syncscope("device") acq_rel' if space == 1 else 'syncscope("block") acq_rel'
            floats = {"vector<2xbf16>": "bf16", "i64": "i32", "i8": "i32", "i16": "i32"}.get(type, type)
            count = 256 if type in ("i64", "vector<2xbf16>") else 128
            x = doubles(128) if type == "f64" else data(floats, count, "normal", "update", kind)
            kernel, *rest = update(type, kind, space, order, x)
            yield kernel.case(f"update.{of}.{type.strip('vector<>')}.{kind}", *rest)


def updates_at_the_edges():
    """Floats of zeros, denormals, the largest, infinities and NaN."""
    kinds = {"f32": ["fadd", "fsub", "fmax", "fmin"], "f64": ["fadd", "fsub", "fmax", "fmin"], "f16": ["fadd"], "bf16": ["fadd"],
             "vector<2xf16>": ["fadd"], "vector<2xbf16>": ["fadd"]}
    for type, names in kinds.items():
        for space, of in SPACES.items():
            for kind in names:
                floats = type.removeprefix("vector<2x").strip(">")
                if type == "f64":
                    x = special_doubles(128, seed_of("update", kind))
                else:
                    x = data(floats, 128 if type == "f32" else 256, "edges", "update", kind)
                kernel, *rest = update(type, kind, space, "monotonic", x)
                # the others of f32 are loops, whose arithmetic is the host's
                bound = other_than_nan if type == "f32" and kind != "fadd" else None
                yield kernel.case(f"update.{of}.{type.strip('vector<>')}.{kind}.edges", *rest, bound)


def doubles(count):
    """Numbers of f64 as words."""
    words = data("i32", 2 * count, "normal", "doubles").reshape(count, 2).copy()
    words[:, 1] = (words[:, 1] & 0x800FFFFF) | ((1020 + words[:, 0] % 8).astype(np.uint32) << 20)
    return words.reshape(-1)


def special_doubles(count, seed):
    """Of every size, with zeros, denormals, the largest, infinities and NaN among them."""
    bits = raw(seed, count)
    values = bits & np.uint64(0x800FFFFFFFFFFFFF) | (np.uint64(1003) + (bits >> np.uint64(52)) % np.uint64(40)) << np.uint64(52)
    which = (bits >> np.uint64(20)) % np.uint64(32)
    top = 0x7FF << 52
    for index, choice in enumerate([0, 1, (1 << 52) - 1, 1 << 52, top - 1, top, top | 1 << 51, 0x3FF << 52]):
        values = np.where(which == index, bits & np.uint64(1 << 63) | np.uint64(choice), values)
    return values.view(np.uint32)


def exchanges():
    """cmpxchg: of the threads that want a word, the one that has what lies there gets it."""
    for type, words in [("i32", 1), ("i64", 2)]:
        unit = "i64" if words == 2 else "i32"
        for space, of in SPACES.items():
            kernel = Kernel(64, shared=1024)
            base = "%y" if space == 1 else kernel.tiles
            for number in range(words):
                kernel.store(kernel.load("%x", kernel.mine(number)), base, kernel.mine(number), space=space)
            kernel.do("nvvm.barrier0")
            group = kernel.op(f"arith.divui {kernel.t}, {kernel.const(4)} : i32")
            mine = kernel.op(f"llvm.load {kernel.at('%x', kernel.t, 1, unit)} : !llvm.ptr<1> -> {type}")
            given = kernel.op(f"arith.addi {mine}, {kernel.const(1, type)} : {type}")
            struct = f"!llvm.struct<({type}, i1)>"
            to = kernel.at(base, group, space, unit)
            both = kernel.op(f"llvm.cmpxchg {to}, {mine}, {given} acq_rel monotonic : !llvm.ptr<{space}>, {type}")
            won = kernel.op(f"arith.extui {kernel.op(f'llvm.extractvalue {both}[1] : {struct}')} : i1 to i32")
            kernel.do("nvvm.barrier0")
            kernel.store(won, "%y", kernel.mine(words))
            if space == 3:
                kernel.spill(64 * words)
            x = data("i32", 64 * words, "normal", type)
            yield kernel.case(f"exchange.{of}.{type}", x, 64 * words + 64)


def mbarriers():
    """One warp writes to shared memory, and the other reads it once its mbarrier's phase is over, four times."""
    for arrives in ["ptx.mbarrier.arrive", "nvvm.mbarrier.arrive"]:
        for waits in ["ptx.mbarrier.wait", "nvvm.mbarrier.try_wait.parity"]:
            kernel = Kernel(64, shared=1024)
            full, free = (kernel.at(kernel.tiles, 128 + 2 * number, space=3) for number in (0, 1))
            kernel.first()
            for barrier in (full, free):
                kernel.do(f"nvvm.mbarrier.init {barrier}, {kernel.const(32)} : !llvm.ptr<3>, i32")
            kernel.do("}")
            kernel.do("nvvm.barrier0")

            def arrive(barrier, kernel=kernel, arrives=arrives):
                if arrives == "ptx.mbarrier.arrive":
                    kernel.do(f"ptx.mbarrier.arrive {barrier}, {kernel.op('arith.constant true')}")
                else:
                    kernel.op(f"nvvm.mbarrier.arrive {barrier} : !llvm.ptr<3> -> i64")

            def wait(barrier, parity, kernel=kernel, waits=waits):
                if waits == "ptx.mbarrier.wait":
                    kernel.do(f"ptx.mbarrier.wait {barrier}, {kernel.const(parity)}")
                else:
                    ticks = kernel.const(10000000)
                    kernel.do(f"nvvm.mbarrier.try_wait.parity {barrier}, {kernel.const(parity)}, {ticks} : "
                              "!llvm.ptr<3>, i32, i32")

            is_low = kernel.op(f"arith.cmpi ult, {kernel.t}, {kernel.const(32)} : i32")
            lane = kernel.op(f"arith.andi {kernel.t}, {kernel.const(31)} : i32")
            opposite = kernel.op(f"arith.xori {lane}, {kernel.const(31)} : i32")
            kernel.do(f"scf.if {is_low} {{")
            for round in range(4):
                wait(free, 1 - round % 2)
                kernel.store(kernel.load("%x", kernel.add(lane, 32 * round)), kernel.tiles, lane, space=3)
                arrive(full)
            kernel.do("} else {")
            for round in range(4):
                wait(full, round % 2)
                kernel.store(kernel.load(kernel.tiles, opposite, space=3), "%y", kernel.add(lane, 32 * round))
                arrive(free)
            kernel.do("}")
            short = f"{arrives.split('.')[0]}_arrive.{waits.split('.')[0]}_wait"
            yield kernel.case(f"mbarrier.{short}", data("i32", 128, "normal", short), 128)


def arrivals_under_predicates():
    """Only every fourth thread arrives, by its predicate."""
    kernel = Kernel(64, shared=1024)
    barrier = kernel.at(kernel.tiles, 128, space=3)
    kernel.first()
    kernel.do(f"nvvm.mbarrier.init {barrier}, {kernel.const(16)} : !llvm.ptr<3>, i32")
    kernel.do("}")
    kernel.do("nvvm.barrier0")
    fourth = kernel.op(f"arith.andi {kernel.t}, {kernel.const(3)} : i32")
    arrives = kernel.op(f"arith.cmpi eq, {fourth}, {kernel.const(2)} : i32")
    kernel.do(f"scf.if {arrives} {{")
    kernel.store(kernel.load("%x", kernel.t), kernel.tiles, kernel.t, space=3)
    kernel.do("}")
    kernel.do(f"ptx.mbarrier.arrive {barrier}, {arrives}")
    kernel.do(f"ptx.mbarrier.wait {barrier}, {kernel.const(0)}")
    from_lane = kernel.op(f"arith.ori {kernel.op(f'arith.andi {kernel.t}, {kernel.const(60)} : i32')}, {kernel.const(2)} : i32")
    kernel.store(kernel.load(kernel.tiles, from_lane, space=3), "%y", kernel.t)
    yield kernel.case("mbarrier.predicate", data("i32", 64, "normal", "predicate"), 64)


def named_barriers():
    """One warp fills what two others read: it arrives, they wait. Then all tell by ptx.barrier.or."""
    kernel = Kernel(96, shared=1024)
    count, one = kernel.const(96), kernel.const(1)
    is_low = kernel.op(f"arith.cmpi ult, {kernel.t}, {kernel.const(32)} : i32")
    kernel.do(f"scf.if {is_low} {{")
    kernel.store(kernel.load("%x", kernel.t), kernel.tiles, kernel.t, space=3)
    kernel.do(f"nvvm.barrier.arrive id = {one} number_of_threads = {count}")
    kernel.do("} else {")
    kernel.do(f"nvvm.barrier id = {one} number_of_threads = {count}")
    lane = kernel.op(f"arith.andi {kernel.t}, {kernel.const(31)} : i32")
    kernel.store(kernel.load(kernel.tiles, lane, space=3), "%y", kernel.t)
    kernel.do("}")
    kernel.do(f"scf.if {is_low} {{")
    kernel.store(kernel.const(7), "%y", kernel.t)
    kernel.do("}")
    for repeat, limit in enumerate([0, 17, 40, 96]):
        predicate = kernel.op(f"arith.cmpi eq, {kernel.t}, {kernel.const(limit)} : i32")
        any = kernel.op(f"ptx.barrier.or {predicate} {{id = {repeat + 2} : i32, threads = 96 : i32}}")
        kernel.store(kernel.op(f"arith.extui {any} : i1 to i32"), "%y", kernel.mine(1 + repeat))
    yield kernel.case("barrier.named", data("i32", 96, "normal", "named"), 96 * 5)


def warp_barrier():
    """Half of a warp writes to shared memory, and reads what the others of that half wrote."""
    kernel = Kernel(32, shared=1024)
    mask = kernel.const(0xFFFF)
    is_low = kernel.op(f"arith.cmpi ult, {kernel.t}, {kernel.const(16)} : i32")
    kernel.do(f"scf.if {is_low} {{")
    kernel.store(kernel.load("%x", kernel.t), kernel.tiles, kernel.t, space=3)
    kernel.do(f"nvvm.bar.warp.sync {mask} : i32")
    opposite = kernel.op(f"arith.xori {kernel.t}, {kernel.const(15)} : i32")
    kernel.store(kernel.load(kernel.tiles, opposite, space=3), "%y", kernel.t)
    kernel.do("} else {")
    kernel.store(kernel.const(7), "%y", kernel.t)
    kernel.do("}")
    yield kernel.case("warp.sync", data("i32", 32, "normal", "warp sync"), 32)


def hints():
    """Fences, prefetches, naps, griddepcontrol and setmaxnreg change no value."""
    kernel = Kernel(256)
    kernel.do("nvvm.griddepcontrol wait")
    kernel.do("nvvm.griddepcontrol launch_dependents")
    value = kernel.load("%x", kernel.t)
    for scope in ["cta", "cluster", "gpu", "sys"]:
        kernel.do(f"nvvm.memory.barrier #nvvm.mem_scope<{scope}>")
    kernel.do("llvm.fence acq_rel")
    kernel.do('llvm.fence syncscope("device") seq_cst')
    kernel.do('llvm.fence syncscope("block") acq_rel')
    for kind in ["async", "async.shared", "async.global"]:
        space = ", space = #nvvm.shared_space<cta>" if kind == "async.shared" else ""
        kernel.do(f"nvvm.fence.proxy {{kind = #nvvm.proxy_kind<{kind}>{space}}}")
    kernel.do(f"nvvm.prefetch level = L2, {kernel.at('%x', 0)} : !llvm.ptr<1>")
    kernel.do(f"nvvm.nanosleep {kernel.const(100)}")
    is_low = kernel.op(f"arith.cmpi ult, {kernel.t}, {kernel.const(128)} : i32")
    kernel.do(f"scf.if {is_low} {{")
    kernel.do("nvvm.setmaxregister decrease 40")
    kernel.do("} else {")
    kernel.do("nvvm.setmaxregister increase 152")
    kernel.do("}")
    kernel.store(value, "%y", kernel.t)
    yield kernel.case("hints", data("i32", 256, "normal", "hints"), 256)


def prefetches():
    """Of every level and hint, of global memory and of a tensor map."""
    kernel = Kernel(64, shared=2048)
    map = kernel.tensor_map(0, "i32", (64,), (), (64,))
    start = kernel.at("%x", 0)
    for level in ["L1", "L2"]:
        kernel.do(f"nvvm.prefetch level = {level}, {start} : !llvm.ptr<1>")
    for priority in ["evict_last", "evict_normal"]:
        kernel.do(f"nvvm.prefetch level = L2, evict_priority = {priority}, {start} : !llvm.ptr<1>")
    generic = kernel.op(f"llvm.addrspacecast {start} : !llvm.ptr<1> to !llvm.ptr")
    kernel.do(f"nvvm.prefetch level = L1 uniform, {generic} : !llvm.ptr")
    kernel.do(f"nvvm.prefetch tensormap, {map} : !llvm.ptr")
    kernel.store(kernel.load("%x", kernel.t), "%y", kernel.t)
    yield kernel.case("hints.prefetch", data("i32", 64, "normal", "prefetch"), 64)


def names():
    """Two shared arrays of the module beside the dynamic one, an array of the thread's, a call."""
    beside = """llvm.mlir.global internal @first() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<64 x i32>
  llvm.mlir.global internal @second() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<64 x i32>
  llvm.func internal @twice(%a: i32, %b: i32) -> i32 attributes {no_inline} {
    %c = llvm.add %a, %b : i32
    %d = llvm.mul %c, %b : i32
    llvm.return %d : i32
  }"""
    kernel = Kernel(64, shared=1024, beside=beside)
    first, second = (kernel.op(f"llvm.mlir.addressof @{name} : !llvm.ptr<3>") for name in ("first", "second"))
    for number, base in enumerate([first, second, kernel.tiles]):
        kernel.store(kernel.load("%x", kernel.mine(number)), base, kernel.t, space=3)
    kernel.do("nvvm.barrier0")
    opposite = kernel.op(f"arith.xori {kernel.t}, {kernel.const(63)} : i32")
    a, b, c = (kernel.load(base, opposite, space=3) for base in (first, second, kernel.tiles))
    kernel.store(kernel.op(f"llvm.call @twice({a}, {b}) : (i32, i32) -> i32"), "%y", kernel.t)
    own = kernel.op(f"llvm.alloca {kernel.const(4)} x i32 : (i32) -> !llvm.ptr")
    third = kernel.op(f"arith.andi {kernel.t}, {kernel.const(3)} : i32")
    for number, value in enumerate([a, b, c, a]):
        kernel.store(value, own, number, space=0)
    kernel.store(kernel.load(own, third, space=0), "%y", kernel.mine(1))
    yield kernel.case("names", data("i32", 192, "normal", "names"), 128)


def cases():
    for family in (accesses, orders, predicates, updates, more_updates, updates_at_the_edges, exchanges, mbarriers,
                   arrivals_under_predicates, named_barriers, warp_barrier, hints, prefetches, names):
        yield from family()
