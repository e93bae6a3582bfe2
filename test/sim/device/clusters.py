"""What the CTAs of a cluster do to each other: boxes for several, words, arrivals, meetings."""

from copies import BYTES, copy, elements_of, map_text, places, strides_of, words_of
from kernel import Kernel
from memory import WORDS
from products import data


def cluster_sync(kernel):
    kernel.do("nvvm.cluster.arrive {aligned}")
    kernel.do("nvvm.cluster.wait {aligned}")


def rank_in_cluster(kernel):
    return kernel.op("nvvm.read.ptx.sreg.cluster.ctarank : i32")


def neighbour(kernel, rank):
    """The other CTA of a pair."""
    return kernel.op(f"arith.xori {rank}, {kernel.const(1)} : i32")


def at_peer(kernel, pointer, peer):
    """What lies there in the shared memory of a peer."""
    return kernel.op(f"nvvm.mapa {pointer}, {peer} : !llvm.ptr<3> -> !llvm.ptr<7>")


def init_barriers(kernel, arrivals):
    kernel.first()
    kernel.init_barriers(arrivals)
    kernel.do("}")


def cluster_registers():
    names = ["cluster.ctarank", "cluster.nctarank"]
    names += [f"{name}.{axis}" for name in ("cluster.ctaid", "cluster.nctaid", "clusterid", "nclusterid", "ctaid", "nctaid")
              for axis in "xyz"]
    for cluster, grid in [((2, 1, 1), (6, 1, 1)), ((4, 1, 1), (4, 2, 1)), ((2, 2, 1), (4, 2, 1)), ((1, 2, 2), (2, 4, 6))]:
        kernel = Kernel(32, grid=grid, cluster=cluster)
        first = kernel.mul(kernel.cta(), 32 * len(names))
        for number, name in enumerate(names):
            value = kernel.op(f"nvvm.read.ptx.sreg.{name} : i32")
            kernel.store(value, "%y", kernel.add(first, kernel.mine(number)))
        ctas = elements_of(grid)
        yield kernel.case(f"cluster.registers.{'x'.join(map_text(cluster))}", data("i32", 4, "normal"),
                          ctas * 32 * len(names))


def peers():
    """Each CTA reads, or writes, the shared memory of the next one of its cluster."""
    for size in [2, 4]:
        for how in ["reads", "writes"]:
            kernel = Kernel(64, shared=1024, grid=(2 * size, 1, 1), cluster=(size, 1, 1))
            cta = kernel.op("nvvm.read.ptx.sreg.ctaid.x : i32")
            rank = rank_in_cluster(kernel)
            peer = kernel.op(f"arith.remui {kernel.add(rank, 1)}, {kernel.const(size)} : i32")
            at = kernel.add(kernel.mul(cta, 64), kernel.t)
            value = kernel.load("%x", at)
            if how == "reads":
                kernel.store(value, kernel.tiles, kernel.t, space=3)
            cluster_sync(kernel)
            there = at_peer(kernel, kernel.tiles, peer)
            if how == "reads":
                result = kernel.load(there, kernel.t, space=7)
                cluster_sync(kernel)
            else:
                kernel.store(value, there, kernel.t, space=7)
                cluster_sync(kernel)
                result = kernel.load(kernel.tiles, kernel.t, space=3)
            kernel.store(result, "%y", at)
            yield kernel.case(f"cluster.{how}.{size}", data("i32", 128 * size, "normal", how), 128 * size)


def multicast(name, size, mask, element, sizes, box, swizzle, place, issuer=0, holds=True):
    """CTA `issuer` of a cluster loads a box for the CTAs of a mask; the others' mbarriers count it too."""
    bytes = elements_of(box) * BYTES[element]
    words = bytes // 4
    kernel = Kernel(64, shared=-(-bytes // 1024) * 1024 + 1024, grid=(size, 1, 1), cluster=(size, 1, 1))
    map = kernel.tensor_map(0, element, sizes, strides_of(element, sizes), box, swizzle)
    barrier = kernel.at(kernel.tiles, (kernel.shared - 8) // 4, space=3)
    rank = rank_in_cluster(kernel)
    is_member = kernel.op(f"arith.trunci {kernel.op(f'arith.shrui {kernel.const(mask)}, {rank} : i32')} : i32 to i1")
    init_barriers(kernel, {barrier: 1})
    cluster_sync(kernel)
    kernel.first()
    kernel.do(f"scf.if {is_member} {{")
    kernel.do(f"nvvm.mbarrier.arrive.expect_tx {barrier}, {kernel.const(bytes)} : !llvm.ptr<3>, i32")
    kernel.do("}")
    is_issuer = kernel.op(f"arith.cmpi eq, {rank}, {kernel.const(issuer)} : i32")
    predicate = f" predicate = {is_issuer}"
    kernel.do(f"scf.if {kernel.op('arith.constant true') if not holds else is_issuer} {{")
    copy(kernel, map, barrier, place, f" multicast_mask = {kernel.const(mask, 'i16')}" + ("" if holds else predicate))
    kernel.do("}")
    kernel.do("}")
    kernel.do(f"scf.if {is_member} {{")
    kernel.do(f"ptx.mbarrier.wait {barrier}, {kernel.const(0)}")
    kernel.do("}")
    for number in range(words // 64):
        at = kernel.mine(number)
        kernel.do(f"scf.if {is_member} {{")
        kernel.store(kernel.load(kernel.tiles, at, space=3), "%y", kernel.add(at, kernel.mul(rank, words)))
        kernel.do("} else {")
        kernel.store(kernel.const(7), "%y", kernel.add(at, kernel.mul(rank, words)))
        kernel.do("}")
    cluster_sync(kernel)
    x = data("i32", words_of(element, sizes), "normal", element, sizes)
    return kernel.case(name, x, words * size)


def multicasts():
    for size, mask in [(2, 3), (4, 15), (4, 5)]:
        case = multicast(f"cluster.multicast.{size}.mask{mask}", size, mask, "f32", (32, 8), (32, 8), 128, (0, 0))
        case.x = data("i32", 256, "normal", size)
        yield case
    shapes = [("i32", (300,), (64,), 0), ("i8", (80, 9), (64, 8), 0), ("f16", (40, 5, 7), (16, 4, 4), 0),
              ("bf16", (24, 3, 5, 4), (16, 2, 4, 2), 0), ("f32", (12, 3, 2, 3, 4), (4, 2, 2, 2, 4), 0), ("f64", (12, 9), (8, 8), 0)]
    shapes += [(element, (swizzle // BYTES[element] + 8, 21), (swizzle // BYTES[element], 16), swizzle)
               for swizzle in (32, 64, 128) for element in ("i8", "f16", "f32")]
    shapes += [("f16", (swizzle // 2, 9, 3), (swizzle // 2, 8, 2), swizzle) for swizzle in (32, 64, 128)]
    for number, (element, sizes, box, swizzle) in enumerate(shapes):
        for where, place in list(places(element, box, sizes))[number % 2 :: 2]:
            size = (2, 4, 8)[number % 3]
            mask, issuer = [((1 << size) - 1, 1), (1 << (size - 1), 0), (1 | 1 << (size - 1), 1)][number % 3]
            name = (f"cluster.multicast.{element}.{'x'.join(map_text(sizes))}.box{'x'.join(map_text(box))}.swizzle{swizzle}."
                    f"{where}.{size}.mask{mask}")
            yield multicast(name, size, mask, element, sizes, box, swizzle, place, issuer, holds=number % 4 != 3)


def load_that_a_peer_expects():
    """Each CTA of a pair tells the other's mbarrier how many bytes come."""
    for scope in ["cta", "cluster"]:
        kernel = Kernel(64, shared=2048, grid=(2, 1, 1), cluster=(2, 1, 1))
        map = kernel.tensor_map(0, "i32", (64, 2), (256,), (64, 1))
        barrier = kernel.at(kernel.tiles, 256, space=3)
        init_barriers(kernel, {barrier: 1})
        cluster_sync(kernel)
        rank = rank_in_cluster(kernel)
        peer = neighbour(kernel, rank)
        its = at_peer(kernel, barrier, peer)
        kernel.first()
        kernel.do(f"nvvm.mbarrier.arrive.expect_tx {its}, {kernel.const(256)} {{scope = #nvvm.mem_scope<{scope}>}} : "
                  "!llvm.ptr<7>, i32")
        to = kernel.op(f"llvm.addrspacecast {kernel.tiles} : !llvm.ptr<3> to !llvm.ptr<7>")
        kernel.do(f"nvvm.cp.async.bulk.tensor.shared.cluster.global {to}, {map}, {barrier}, box[{kernel.const(0)}, {rank}] : "
                  "!llvm.ptr<7>, !llvm.ptr")
        kernel.do("}")
        kernel.do(f"ptx.mbarrier.wait {barrier}, {kernel.const(0)}")
        kernel.store(kernel.load(kernel.tiles, kernel.t, space=3), "%y", kernel.add(kernel.t, kernel.mul(rank, 64)))
        cluster_sync(kernel)
        yield kernel.case(f"mbarrier.peer_expects.{scope}", data("i32", 128, "normal", "expects"), 128)


def arrivals_of_peers():
    """Each CTA of a cluster writes to the next one's shared memory and arrives at its mbarrier."""
    kernel = Kernel(64, shared=1024, grid=(4, 1, 1), cluster=(2, 1, 1))
    barrier = kernel.at(kernel.tiles, 128, space=3)
    init_barriers(kernel, {barrier: 64})
    kernel.do("nvvm.cluster.arrive.relaxed {aligned}")
    kernel.do("nvvm.cluster.wait {aligned}")
    rank = rank_in_cluster(kernel)
    cta = kernel.op("nvvm.read.ptx.sreg.ctaid.x : i32")
    peer = neighbour(kernel, rank)
    there = at_peer(kernel, kernel.tiles, peer)
    its = at_peer(kernel, barrier, peer)
    at = kernel.add(kernel.mul(cta, 64), kernel.t)
    kernel.store(kernel.load("%x", at), there, kernel.t, space=7)
    kernel.do(f"nvvm.mbarrier.arrive {its} : !llvm.ptr<7>")
    kernel.do(f"ptx.mbarrier.wait {barrier}, {kernel.const(0)}")
    cluster_sync(kernel)  # the arrival's scope is the CTA: it does not tell what was written
    kernel.store(kernel.load(kernel.tiles, kernel.t, space=3), "%y", at)
    yield kernel.case("mbarrier.peer", data("i32", 256, "normal", "peer"), 256)


def peer_arrivals_of_rings():
    """CTA 0 fills a slot of all CTAs of the cluster again once each has told it that the slot is read: three rounds."""
    for size in [2, 4, 8]:
        kernel = Kernel(64, shared=2048, grid=(2 * size, 1, 1), cluster=(size, 1, 1))
        map = kernel.tensor_map(0, "i32", (64, 6), (256,), (64, 1))
        full, free = (kernel.at(kernel.tiles, 256 + 2 * number, space=3) for number in (0, 1))
        rank = rank_in_cluster(kernel)
        cta = kernel.op("nvvm.read.ptx.sreg.ctaid.x : i32")
        cluster = kernel.op("nvvm.read.ptx.sreg.clusterid.x : i32")
        init_barriers(kernel, {full: 1, free: 2 * size})
        cluster_sync(kernel)
        is_first = kernel.op(f"arith.cmpi eq, {rank}, {kernel.const(0)} : i32")
        lane = kernel.op(f"arith.andi {kernel.t}, {kernel.const(31)} : i32")
        is_low = kernel.op(f"arith.cmpi eq, {lane}, {kernel.const(0)} : i32")
        for round in range(3):
            kernel.first()
            kernel.do(f"nvvm.mbarrier.arrive.expect_tx {full}, {kernel.const(256)} : !llvm.ptr<3>, i32")
            kernel.do(f"scf.if {is_first} {{")
            if round > 0:
                kernel.do(f"ptx.mbarrier.wait {free}, {kernel.const((round - 1) % 2)}")
            row = kernel.add(kernel.mul(cluster, 3), round)
            to = kernel.op(f"llvm.addrspacecast {kernel.tiles} : !llvm.ptr<3> to !llvm.ptr<7>")
            kernel.do(f"nvvm.cp.async.bulk.tensor.shared.cluster.global {to}, {map}, {full}, box[{kernel.const(0)}, {row}] "
                      f"multicast_mask = {kernel.const((1 << size) - 1, 'i16')} : !llvm.ptr<7>, !llvm.ptr")
            kernel.do("}")
            kernel.do("}")
            kernel.do(f"ptx.mbarrier.wait {full}, {kernel.const(round % 2)}")
            opposite = kernel.op(f"arith.xori {kernel.t}, {rank} : i32")
            value = kernel.load(kernel.tiles, opposite, space=3)
            kernel.store(value, "%y", kernel.add(kernel.mine(round), kernel.mul(cta, 192)))
            kernel.do(f"nvvm.bar.warp.sync {kernel.const(-1)} : i32")
            kernel.do(f"ptx.mbarrier.arrive.cluster {free}, {kernel.const(0)}, {is_low}")
        cluster_sync(kernel)
        yield kernel.case(f"mbarrier.arrive_cluster.{size}", data("i32", 384, "normal", "ring", size), 384 * size)


def peer_arrivals_of_readers():
    """A CTA reads what the next one has, and tells it, by the rank, that it may write there again."""
    size = 4
    kernel = Kernel(64, shared=1024, grid=(size, 1, 1), cluster=(size, 1, 1))
    barrier = kernel.at(kernel.tiles, 128, space=3)
    rank = rank_in_cluster(kernel)
    init_barriers(kernel, {barrier: 16})
    at = kernel.add(kernel.mul(rank, 64), kernel.t)
    kernel.store(kernel.load("%x", at), kernel.tiles, kernel.t, space=3)
    cluster_sync(kernel)
    peer = kernel.op(f"arith.remui {kernel.add(rank, 1)}, {kernel.const(size)} : i32")
    there = at_peer(kernel, kernel.tiles, peer)
    value = kernel.load(there, kernel.t, space=7)
    fourth = kernel.op(f"arith.cmpi eq, {kernel.op(f'arith.andi {kernel.t}, {kernel.const(3)} : i32')}, {kernel.const(1)} : i32")
    kernel.do(f"nvvm.bar.warp.sync {kernel.const(-1)} : i32")
    kernel.do(f"ptx.mbarrier.arrive.cluster {barrier}, {peer}, {fourth}")
    kernel.do(f"ptx.mbarrier.wait {barrier}, {kernel.const(0)}")
    kernel.store(kernel.const(7), kernel.tiles, kernel.t, space=3)
    kernel.store(value, "%y", at)
    cluster_sync(kernel)
    kernel.store(kernel.load(there, kernel.t, space=7), "%y", kernel.add(at, 256))
    cluster_sync(kernel)
    yield kernel.case("mbarrier.arrive_cluster.reader", data("i32", 256, "normal", "reader"), 512)


def counted_stores():
    """A thread sends four words to each other CTA of its cluster, whose mbarriers count them."""
    for size in (2, 4):
        kernel = Kernel(64, shared=4096 + 1024, grid=(2 * size, 1, 1), cluster=(size, 1, 1))
        barrier = kernel.at(kernel.tiles, 1024, space=3)
        rank = rank_in_cluster(kernel)
        cta = kernel.op("nvvm.read.ptx.sreg.ctaid.x : i32")
        init_barriers(kernel, {barrier: 1})
        cluster_sync(kernel)
        kernel.first()
        kernel.do(f"nvvm.mbarrier.arrive.expect_tx {barrier}, {kernel.const((size - 1) * 1024)} : !llvm.ptr<3>, i32")
        kernel.do("}")
        words = kernel.op("llvm.mlir.poison : vector<4xi32>")
        for number in range(4):
            word = kernel.load("%x", kernel.add(kernel.mine(number), kernel.mul(cta, 256)))
            words = kernel.op(f"llvm.insertelement {word}, {words}[{kernel.const(number)} : i32] : vector<4xi32>")
        for distance in range(1, size):
            peer = kernel.op(f"arith.xori {rank}, {kernel.const(distance)} : i32")
            place = kernel.at(kernel.tiles, kernel.add(kernel.mul(kernel.t, 4), 256 * (distance - 1)), space=3)
            kernel.do(f"ptx.st.async {words}, {place}, {barrier}, {peer} : vector<4xi32>")
        kernel.do(f"ptx.mbarrier.wait {barrier}, {kernel.const(0)}")
        for number in range(4 * (size - 1)):
            word = kernel.load(kernel.tiles, kernel.mine(number), space=3)
            kernel.store(word, "%y", kernel.add(kernel.mine(number), kernel.mul(cta, 256 * (size - 1))))
        cluster_sync(kernel)
        yield kernel.case(f"st.async.{size}", data("i32", 512 * size, "normal", "sent", size), 512 * size * (size - 1))


def unaligned_clusters():
    """The barrier of the cluster without `aligned`."""
    kernel = Kernel(64, shared=1024, grid=(2, 1, 1), cluster=(2, 1, 1))
    rank = rank_in_cluster(kernel)
    at = kernel.add(kernel.mul(rank, 64), kernel.t)
    kernel.store(kernel.load("%x", at), kernel.tiles, kernel.t, space=3)
    kernel.do("nvvm.cluster.arrive")
    kernel.do("nvvm.cluster.wait")
    peer = neighbour(kernel, rank)
    there = at_peer(kernel, kernel.tiles, peer)
    value = kernel.load(there, kernel.t, space=7)
    kernel.do("nvvm.cluster.arrive")
    kernel.do("nvvm.cluster.wait")
    kernel.store(value, "%y", at)
    yield kernel.case("cluster.unaligned", data("i32", 128, "normal", "unaligned"), 128)


def relaxed_clusters():
    """A relaxed arrival without `aligned`, which orders nothing, ahead of a full one."""
    kernel = Kernel(64, shared=1024, grid=(2, 1, 1), cluster=(2, 1, 1))
    rank = rank_in_cluster(kernel)
    at = kernel.add(kernel.mul(rank, 64), kernel.t)
    kernel.do("nvvm.cluster.arrive.relaxed")
    kernel.do("nvvm.cluster.wait")
    peer = neighbour(kernel, rank)
    there = at_peer(kernel, kernel.tiles, peer)
    kernel.store(kernel.load("%x", at), there, kernel.t, space=7)
    cluster_sync(kernel)
    kernel.store(kernel.load(kernel.tiles, kernel.t, space=3), "%y", at)
    yield kernel.case("cluster.relaxed", data("i32", 128, "normal", "relaxed"), 128)


def generic_pointers():
    """Accesses and updates through pointers without a space, to global memory, shared memory and that of a peer."""
    for of in ["global", "shared", "peer"]:
        kernel = Kernel(64, shared=2048, grid=(2, 1, 1), cluster=(2, 1, 1))
        rank = rank_in_cluster(kernel)
        at = kernel.add(kernel.mul(rank, 64), kernel.t)
        space, base = {"global": (1, "%y"), "shared": (3, kernel.tiles), "peer": (7, None)}[of]
        kernel.store(kernel.load("%x", at), "%y" if of == "global" else kernel.tiles, at if of == "global" else kernel.t,
                     space=min(space, 3))
        cluster_sync(kernel)
        if of == "peer":
            peer = neighbour(kernel, rank)
            base = at_peer(kernel, kernel.tiles, peer)
        place = kernel.op(f"llvm.addrspacecast {base} : !llvm.ptr<{space}> to !llvm.ptr")
        word = kernel.at(place, at if of == "global" else kernel.t, space=0)
        value = kernel.op(f"llvm.load {word} : !llvm.ptr -> i32")
        old = kernel.op(f"llvm.atomicrmw add {word}, {kernel.const(5)} monotonic : !llvm.ptr, i32")
        cluster_sync(kernel)
        kernel.do(f"llvm.store {kernel.op(f'arith.xori {value}, {old} : i32')}, {word} : i32, !llvm.ptr")
        cluster_sync(kernel)
        own = kernel.load("%y" if of == "global" else kernel.tiles, at if of == "global" else kernel.t, space=min(space, 3))
        kernel.store(kernel.add(own, value), "%y", at)
        yield kernel.case(f"access.generic.{of}", data("i32", 128, "normal", of, "generic"), 128)


def peer_accesses():
    """Every unit from and to the shared memory of a peer."""
    for type, words in WORDS.items():
        kernel = Kernel(64, shared=4096, grid=(2, 1, 1), cluster=(2, 1, 1))
        rank = rank_in_cluster(kernel)
        kernel.fill(64 * words)
        for number in range(words):
            kernel.store(kernel.const(-1), kernel.tiles, kernel.mine(words + number), space=3)
        cluster_sync(kernel)
        peer = neighbour(kernel, rank)
        there = at_peer(kernel, kernel.tiles, peer)
        unit = f"vector<{words}xi32>" if words > 1 else "i32"
        opposite = kernel.op(f"arith.xori {kernel.t}, {rank} : i32")
        value = kernel.op(f"llvm.load {kernel.at(there, opposite, 7, unit)} : !llvm.ptr<7> -> {type}")
        to = kernel.at(there, kernel.add(kernel.t, 64), 7, unit)
        kernel.do(f"llvm.store {value}, {to} : {type}, !llvm.ptr<7>")
        cluster_sync(kernel)
        for number in range(words):
            at = kernel.mine(number)
            kernel.store(kernel.load(kernel.tiles, kernel.add(at, 64 * words), space=3), "%y",
                         kernel.add(at, kernel.mul(rank, 64 * words)))
        yield kernel.case(f"access.peer.{type.strip('vector<>')}", data("i32", 64 * words, "normal", type), 128 * words)


def peer_updates():
    """Updates and exchanges of what is in the shared memory of a peer, a thread each."""
    kinds = {"i32": ["xchg", "add", "_and", "_or", "_xor", "max", "min", "umax", "umin"], "i64": ["add"], "f32": ["fadd"]}
    for type, names in kinds.items():
        words = 2 if type == "i64" else 1
        unit = "i64" if words == 2 else "i32"
        for kind in names + ["cmpxchg"] * (type != "f32"):
            kernel = Kernel(64, shared=1024, grid=(2, 1, 1), cluster=(2, 1, 1))
            rank = rank_in_cluster(kernel)
            kernel.fill(64 * words)
            cluster_sync(kernel)
            peer = neighbour(kernel, rank)
            there = at_peer(kernel, kernel.tiles, peer)
            value = kernel.op(f"llvm.load {kernel.at('%x', kernel.add(kernel.t, 64), 1, unit)} : !llvm.ptr<1> -> {type}")
            to = kernel.at(there, kernel.t, 7, unit)
            if kind == "cmpxchg":
                is_odd = kernel.op(f"arith.trunci {kernel.t} : i32 to i1")
                mine = kernel.op(f"llvm.load {kernel.at('%x', kernel.t, 1, unit)} : !llvm.ptr<1> -> {type}")
                wanted = kernel.op(f"arith.select {is_odd}, {mine}, {value} : {type}")
                both = kernel.op(f"llvm.cmpxchg {to}, {wanted}, {value} acq_rel monotonic : !llvm.ptr<7>, {type}")
                old = kernel.op(f"llvm.extractvalue {both}[0] : !llvm.struct<({type}, i1)>")
            else:
                old = kernel.op(f"llvm.atomicrmw {kind} {to}, {value} monotonic : !llvm.ptr<7>, {type}")
            place = kernel.at("%y", kernel.mul(rank, 128), 1, unit)
            kernel.do(f"llvm.store {old}, {kernel.at(place, kernel.add(kernel.t, 64), 1, unit)} : {type}, !llvm.ptr<1>")
            cluster_sync(kernel)
            own = kernel.op(f"llvm.load {kernel.at(kernel.tiles, kernel.t, 3, unit)} : !llvm.ptr<3> -> {type}")
            kernel.do(f"llvm.store {own}, {kernel.at(place, kernel.t, 1, unit)} : {type}, !llvm.ptr<1>")
            x = data("i32" if type == "i64" else type, 128 * words, "normal", "update", kind)
            yield kernel.case(f"update.peer.{type}.{kind.strip('_')}", x, 256 * words)


def cases():
    families = (cluster_registers, peers, multicasts, load_that_a_peer_expects, arrivals_of_peers, peer_arrivals_of_rings,
                peer_arrivals_of_readers, counted_stores, unaligned_clusters, relaxed_clusters, generic_pointers, peer_accesses, peer_updates)
    for family in families:
        yield from family()
