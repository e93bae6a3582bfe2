"""The cases of the family `maxima`: attention of 16 bits by hand, with each way to look at a query's maximum (`online`, `lazy`,
`first`), on every kind of data: prompts of several turns, by two, three and one warpgroups, in turns and not; one turn, by one
CTA a multiprocessor and by several; steps whose keys programs share; lengths that data say, and pages. Steps of few and of
very many keys, and of many sequences, by what is chosen. And small ones of each form, `small_`, for the simulator."""

from dataclasses import replace

from exec_cpu import attention
from exec_cpu.cases import rows as table
from exec_cpu.dtypes import BF16, F16, I32, I64

WAYS = ["online", "lazy", "first"]
# Queries, keys, head size.
TILES = [(128, 128, 128), (128, 128, 64), (128, 32, 256), (128, 96, 96), (128, 112, 80), (64, 64, 128), (64, 128, 32),
         (192, 64, 128), (192, 128, 64), (192, 64, 96), (64, 64, 256), (128, 64, 128)]
IN_TURNS = [(128, 128, 128), (192, 64, 128), (192, 128, 64), (128, 32, 256)]
HEADS = [(2, 2), (4, 2), (4, 1), (7, 1), (2, 2)]
SIDES = [(False, None), (True, None), (True, 64), (False, 100), (True, 200)]
MASKS = [None, None, None, ("bool", ("b", 1, 1, "k")), ("float", (1, 1, "q", "k"))]


def maxima(rng):
    result = []
    for dtype in (BF16, F16):
        for way in WAYS:
            result += prompts(rng, dtype, way)
            result += one_turn(rng, dtype, way)
            result += steps(rng, dtype, way)
            result += by_data(rng, dtype, way)
        result += ends(dtype)
    return result + list(small())


def tile(way, queries, keys, split=1):
    split = f", split_keys = {split}" if split > 1 else ""
    return f"@attention = #tile.attention<queries = {queries}, keys = {keys}{split}, maximum = {way}>"


def warpgroups(queries, stages, more):
    return (f"@attention = #warp.schedule<warps = [{queries // 16}, 1], stages = {stages}, tf32 = false, wgmma = true, "
            f"producer = true, {more}>")


def named(dtype, way, q, k, h, kv, d, causal, window, mask, more=""):
    sides = f"{'_causal' * causal}{f'_window{window}' if window else ''}{'' if mask is None else '_' + mask[0]}"
    return f"{way}_{dtype}_{q}over{k}_h{h}over{kv}_d{d}{sides}{more}"


def prompts(rng, dtype, way):
    """Two turns or more of a program, past the sides of tiles; soft caps and the log-sum-exp."""
    lengths = [100, 128, 129, 190, 200, 300, 385]
    keys_ = [257, 300, 384, 385, 500, 640]
    tiles = [(*each, False) for each in TILES] + [(*each, True) for each in IN_TURNS]
    for number, ((queries, keys, d, in_turns), q, k, (h, kv), (causal, window), mask, cap) in enumerate(
        table(rng, tiles, lengths * 2, keys_ * 2, HEADS * 3, SIDES * 3, MASKS * 3, [None, None, 20.0, None] * 4)
    ):
        if (keys + d) * max(queries, 128) >= 256 * 128:  # registers hold no more
            mask = cap = window = None
        lse, more = number % 3 == 0, f"_tile{queries}x{keys}" + "_turns" * in_turns
        more += (f"_cap{cap:g}" if cap else "") + "_lse" * lse
        given = (dtype, 2, h, kv, q, k, d, d, [{}], mask, causal, window, None, attention.ALL_KINDS, cap)
        name = named(dtype, way, q, k, h, kv, d, causal, window, mask, more)
        case = attention.build(name, *given, log_sum_exp=lse)
        schedule = (tile(way, queries, keys),) + in_turns * (warpgroups(queries, 2, "turns = true"),)
        yield replace(case, schedule=schedule)


def one_turn(rng, dtype, way):
    """All keys are in one tile."""
    forms = [(64, 3), (64, 2), (64, 1), (128, 1), (128, 1)]
    for (queries, resident), q, k, d, (h, kv) in table(rng, forms, [40, 64, 100, 200, 300], [16, 100, 128, 80, 97], [32, 64] * 2, HEADS):
        more = f"_tile{queries}_resident{resident}"
        given = (dtype, 2, h, kv, q, k, d, d, [{}], None, False, None, None, attention.ALL_KINDS)
        case = attention.build(named(dtype, way, q, k, h, kv, d, False, None, None, more), *given)
        schedule = (tile(way, queries, (k + 15) // 16 * 16),)
        yield replace(case, schedule=schedule + (resident > 1) * (warpgroups(queries, 1, f"resident = {resident}"),))


def steps(rng, dtype, way):
    """Few queries by single warps, whose keys programs share, also more of them than there are tiles of keys."""
    tiles = [(16, 32), (16, 64), (16, 128), (32, 64)]
    for (queries, keys), split, q, k, (h, kv), d, (causal, window), mask in table(
        rng, tiles * 3, [1, 2, 3, 5, 9] * 2, [1, 1, 1, 3], [65, 255, 500, 1000, 1025], [(8, 2), (8, 1), (4, 4), (7, 1)],
        [128, 64, 80, 96], [(False, None), (True, None), (True, 300)], MASKS[2:4] * 2,
    ):
        given = (dtype, 2, h, kv, q, k, d, d, [{}], mask, causal, window, None, attention.ALL_KINDS)
        more = f"_tile{queries}x{keys}_by_{split}"
        case = attention.build(named(dtype, way, q, k, h, kv, d, causal, window, mask, more), *given)
        yield replace(case, schedule=(tile(way, queries, keys, split),))


def by_data(rng, dtype, way):
    """Ends of loops that data say, and tiles of keys that lie in pages."""
    sides = [(False, None), (True, None), (True, 70)]
    for (queries, keys, d), q, k, (h, kv), (causal, window), (to_keys, to_queries) in table(
        rng, [(128, 128, 128), (64, 64, 128), (192, 128, 64)], [100, 200, 300], [300, 513, 257], HEADS[:3], sides,
        [(I32, None), (I64, I32), (I32, I32)],
    ):
        given = (dtype, 3, h, kv, q, k, d, d, [{}], None, causal, window, None, attention.ALL_KINDS)
        name = named(dtype, way, q, k, h, kv, d, causal, window, None, f"_keys_{to_keys}_queries_{to_queries}_tile{queries}x{keys}")
        case = attention.build(name, *given, key_lengths=to_keys, query_lengths=to_queries)
        yield replace(case, schedule=(tile(way, queries, keys),))
    for (queries, keys, split), page, q, (h, kv), d in table(
        rng, [(128, 128, 1), (16, 64, 2)], [64, 16], [130, 1], [(2, 2), (8, 2)], [128, 64]
    ):
        queries, keys, split = (queries, keys, split) if q > 16 else (16, 64, 2)
        given = (dtype, 2, h, kv, q, page, d, d, [{}], None, q > 1, None, None, attention.ALL_KINDS, None, I32)
        name = named(dtype, way, q, f"9x{page}", h, kv, d, q > 1, None, None, f"_tile{queries}x{keys}_by_{split}")
        case = attention.build(name, *given, pages=(9, 20, I32))
        yield replace(case, schedule=(tile(way, queries, keys, split),))


def small():
    """Two turns or three, but for one, on data that makes a maximum move."""
    for way, dtype, queries, keys, more, q, k, h, kv, d, causal, kinds in (
        ("online", BF16, 192, 64, (2, "turns = true"), 192, 150, 1, 1, 32, False, ("normal", "ramp")),
        ("first", BF16, 192, 64, (2, "turns = true"), 130, 130, 1, 1, 32, True, ("normal", "ramp")),
        ("lazy", F16, 128, 64, (), 100, 130, 1, 1, 64, True, ("ramp", "peak")),
        ("first", F16, 128, 64, (2, "turns = true"), 100, 190, 1, 1, 32, False, ("ramp", "far")),
        ("first", BF16, 64, 96, (1, "resident = 3"), 100, 90, 2, 1, 32, False, ("peak", "wide")),
        ("online", F16, 16, 32, (), 1, 150, 4, 1, 64, False, ("normal", "ramp", "peak")),
    ):
        split = 3 if q == 1 else 1
        given = (dtype, 1, h, kv, q, k, d, d, [{}], None, causal)
        name = named(dtype, way, q, k, h, kv, d, causal, None, None, f"_tile{queries}x{keys}_by_{split}")
        schedule = (tile(way, queries, keys, split),)
        schedule += (warpgroups(queries, *more),) if more else ()
        yield replace(attention.build(f"small_{name}", *given), kinds=kinds, schedule=schedule)


def ends(dtype):
    """Steps of 128 keys and of 131072, of one sequence and of 256."""
    for b, k, h, kv, d, kinds in ((1, 128, 32, 8, 128, attention.ALL_KINDS), (256, 128, 4, 1, 128, attention.HOSTILE),
                                  (1, 131072, 4, 1, 128, attention.HOSTILE), (256, 700, 4, 1, 64, attention.HOSTILE)):
        case = attention.build(f"step_{dtype}_{b}x1over{k}_h{h}over{kv}_d{d}", dtype, b, h, kv, 1, k, d, d, [{}], kinds=kinds)
        large = b * k * kv * d > 2**22
        yield replace(case, kinds=("normal", "ramp", "peak")) if large else case
