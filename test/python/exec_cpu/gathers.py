"""Ops whose addresses are data, the key and value cache, and tensors that come of nothing: iota, constants, weights.
Special indices are wrong ones: generated code moves them to the nearest right one and touches no other memory.
"""

import numpy as np

from exec_cpu.cases import SIZES, Case, Expected, Operand, op
from exec_cpu.dtypes import ALL, F32, FLOATS, I1, I8, I32, I64
from exec_cpu.shapes import KINDS, moves


def indices(limit):
    def make(rng, shape, kind):
        if kind != "special":
            return rng.integers(0, limit, shape)
        wrong = np.array([-1, limit, -limit - 1, 2**31 - 1, -(2**31), 7 * limit])
        return np.where(
            rng.random(shape) < 0.3, wrong[rng.integers(0, len(wrong), shape)], rng.integers(0, limit, shape)
        )

    return make


def near(index, limit):
    return np.clip(index, 0, limit - 1)


def pages_of(count):
    """Each page once, in no order; some numbers that are none."""

    def make(rng, shape, kind):
        pages = rng.permutation(max(count, shape[0] * shape[1]))[: shape[0] * shape[1]].reshape(shape)
        if kind == "special":
            pages = np.where(rng.random(shape) < 0.3, rng.choice([-1, 2**31 - 1, -(2**31)], shape), pages)
        return pages

    return make


def appends_to_pages(dtype):
    def positions(rng, shape, kind):
        return rng.choice([-3, 2**31 - 1, 60] if kind == "special" else [0, 1, 5, 15, 16, 30], shape)

    def append(pool, update, at, table):
        value = pool.copy()
        page = pool.shape[2]
        for b, s in np.ndindex(update.shape[0], update.shape[2]):
            key = int(at[b]) + s
            if not 0 <= key < table.shape[1] * page:
                continue
            number = int(table[b, key // page])
            if 0 <= number < pool.shape[0]:
                value[number, :, key % page] = update[b, :, s]
        return value

    result = []
    for sizes, numbers in (((40, 3, 16, 8, 3, 1, 4), I32), ((9, 1, 8, 5, 1, 1, 6), I64), ((70, 2, 1, 8, 2, 3, 30), I32)):
        n, h, page, d, b, s, p = sizes
        operands = [
            Operand(dtype, (n, h, page, d)),
            Operand(dtype, (b, h, s, d)),
            Operand(I64, (b,), positions),
            Operand(numbers, (b, p), pages_of(n)),
        ]
        text = op("kv_pages_append", [0, 1, 2, 3], [0])
        result.append(moves(f"kv_pages_append_{dtype}_page{page}", operands, operands[:1], text, append, [{}]))
    operands = [
        Operand(dtype, ("n", 2, 16, 8)),
        Operand(dtype, ("b", 2, "s", 8)),
        Operand(I32, ("b",), positions),
        Operand(I32, ("b", "p"), pages_of(0)),
    ]
    sizes = [{"n": n, "b": b, "s": s, "p": p} for n, b, s, p in ((9, 2, 5, 3), (4, 1, 40, 4), (8, 0, 1, 2), (8, 2, 0, 2))]
    text = op("kv_pages_append", [0, 1, 2, 3], [0])
    result.append(moves(f"kv_pages_append_{dtype}_dynamic", operands, operands[:1], text, append, sizes))
    return result


def cases(rng):
    result, types = sources(), iter(ALL * 10)

    def size():
        return int(rng.choice(SIZES[:-1]))

    def two():
        return [{"a": size(), "b": size()} for _ in range(3)] + [{"a": 0, "b": 3}, {"a": 2, "b": 0}]

    for dtype in FLOATS:
        for index in (I64, I32):
            n, width = size(), size()
            result.append(
                moves(
                    f"embedding_{dtype}_{index}",
                    [Operand(dtype, (n, width), weight=True), Operand(index, ("a", "b"), indices(n))],
                    [Operand(dtype, ("a", "b", width))],
                    op("embedding", [0, 1], [0]),
                    lambda t, i: t[near(i, len(t))],
                    two(),
                )
            )
    for axis in (0, 1, 2):
        for dtype in (next(types), next(types), F32):
            shape = [size(), size(), 5]
            limit = shape[axis]
            for dims in ((3,), ("a", 2), ()):
                out = tuple(shape[:axis]) + dims + tuple(shape[axis + 1 :])
                result.append(
                    moves(
                        f"gather_{dtype}_{axis}_rank{len(dims)}_{len(result)}",
                        [Operand(dtype, tuple(shape)), Operand(I64, dims, indices(limit))],
                        [Operand(dtype, out)],
                        op("gather", [0, 1], [0], f"axis = {axis} : i64"),
                        lambda x, i, a=axis: np.take(x, near(i, x.shape[a]), a),
                        [{"a": 4}, {"a": 17}, {"a": 0}] if "a" in dims else [{}],
                    )
                )
        dtype, shape = next(types), [size(), size(), 4]
        taken = list(shape)
        taken[axis] = 6
        result.append(
            moves(
                f"gather_elements_{dtype}_{axis}",
                [Operand(dtype, tuple(shape)), Operand(I32, tuple(taken), indices(shape[axis]))],
                [Operand(dtype, tuple(taken))],
                op("gather_elements", [0, 1], [0], f"axis = {axis} : i64"),
                lambda x, i, a=axis: np.take_along_axis(x, near(i, x.shape[a]), a),
            )
        )
        # Equal indices: the last wins.
        for dims in ((4,), (2, 3), ()):
            dtype, shape = next(types), (5, size(), 6)
            out = shape[:axis] + dims + shape[axis + 1 :]

            def scatter(x, i, u, a=axis):
                moved, updates = np.moveaxis(x.copy(), a, 0), u.reshape(u.shape[:a] + (i.size,) + u.shape[a + i.ndim :])
                for number, place in enumerate(near(i, x.shape[a]).reshape(-1)):
                    moved[place] = np.take(updates, number, a)
                return np.moveaxis(moved, 0, a)

            result.append(
                moves(
                    f"scatter_{dtype}_{axis}_rank{len(dims)}",
                    [Operand(dtype, shape), Operand(I64, dims, indices(shape[axis])), Operand(dtype, out)],
                    [Operand(dtype, shape)],
                    op("scatter", [0, 1, 2], [0], f"axis = {axis} : i64"),
                    scatter,
                )
            )
    for named, tuples in ((1, (3,)), (2, (2, 2)), (3, ()), (2, ("a",)), (0, (3,))):
        for dtype in (next(types), F32):
            shape = (3, 4, 5)

            def tuples_of(rng, place, kind, named=named, shape=shape):
                columns = [indices(shape[d])(rng, place[:-1], kind) for d in range(named)]
                return np.stack(columns, -1) if named else np.zeros(place, np.int64)

            def gather(x, i, named=named):
                if named == 0:
                    return np.broadcast_to(x, i.shape[:-1] + x.shape)
                return x[tuple(near(i[..., d], x.shape[d]) for d in range(named))]

            result.append(
                moves(
                    f"gather_nd_{dtype}_{named}_rank{len(tuples)}_{len(result)}",
                    [Operand(dtype, shape), Operand(I64, tuples + (named,), tuples_of)],
                    [Operand(dtype, tuples + shape[named:])],
                    op("gather_nd", [0, 1], [0]),
                    gather,
                    [{"a": 6}, {"a": 0}] if "a" in tuples else [{}],
                )
            )
    for dtype in FLOATS:

        def position(rng, shape, kind):
            return np.array(rng.integers(0, 17) if kind != "special" else rng.choice([-5, 40, 2**62, -(2**62)]))

        def append(cache, update, at):
            value = cache.copy()
            at = int(near(at, cache.shape[2] - update.shape[2] + 1))  # where there is room for all
            value[:, :, at : at + update.shape[2]] = update
            return value

        result.append(
            moves(
                f"kv_cache_append_{dtype}",
                [Operand(dtype, (2, 3, 33, 8)), Operand(dtype, (2, 3, "s", 8)), Operand(I64, (), position)],
                [Operand(dtype, (2, 3, 33, 8))],
                op("kv_cache_append", [0, 1, 2], [0]),
                append,
                [{"s": 1}, {"s": 16}, {"s": 0}, {"s": 33}],
            )
        )
        result += appends_to_pages(dtype)
        result.append(
            moves(
                f"kv_cache_read_{dtype}",
                [Operand(dtype, (2, 3, 33, 8)), Operand(F32, ("s",))],
                [Operand(dtype, (2, 3, "s", 8))],
                "{p}n = tenon.dim {1} {{axis = 0 : i64}} : ({t1}) -> tensor<i64>\n"
                "{r0} = tenon.kv_cache_read {0}, {p}n : ({t0}, tensor<i64>) -> {rt0}",
                lambda cache, like: cache[:, :, : like.shape[0]],
                [{"s": 1}, {"s": 16}, {"s": 0}, {"s": 33}],
            )
        )
    return result


def sources():
    """iota, constant, weight, dim."""
    result = []
    for dtype in FLOATS + [I64, I32, I8]:
        result.append(
            Case(
                f"iota_{dtype}_static",
                [],
                [Operand(dtype, (3, 17))],
                op("iota", [], [0], "axis = 1 : i64, start = 2.0 : f64, step = -3.0 : f64"),
                lambda kind, t=dtype: Expected(
                    np.broadcast_to(2 - 3 * np.arange(17), (3, 17)).astype(float if t.is_float else np.int64)
                ),
                ("normal",),
            )
        )
        result.append(
            Case(
                f"iota_{dtype}_dynamic",
                [Operand(F32, ("a", "b"))],
                [Operand(dtype, ("b", 2))],
                "{p}n = tenon.dim {0} {{axis = 1 : i64}} : ({t0}) -> tensor<i64>\n"
                "{r0} = tenon.iota {p}n {{axis = 0 : i64}} : (tensor<i64>) -> {rt0}",
                lambda x, kind, t=dtype: Expected(
                    np.broadcast_to(np.arange(x.shape[1])[:, None], (x.shape[1], 2)).astype(
                        float if t.is_float else np.int64
                    )
                ),
                ("normal",),
                [{"a": 1, "b": b} for b in (1, 9, 65, 0)],
            )
        )
    for dtype in ALL:
        number = "true" if dtype is I1 else "1.5" if dtype.is_float else "-3"
        value = 1 if dtype is I1 else 1.5 if dtype.is_float else -3
        result.append(
            Case(
                f"constant_{dtype}",
                [Operand(dtype, (2, 3))],
                [Operand(dtype, (4,))],
                f"{{r0}} = tenon.constant dense<{number}> : {{rt0}}",
                lambda x, kind, v=value: Expected(np.full(4, v)),
                ("normal",),
            )
        )
        listed = "[true, false, true]" if dtype is I1 else "[1.0, -2.0, 0.5]" if dtype.is_float else "[1, -2, 7]"
        values = [1, 0, 1] if dtype is I1 else [1.0, -2.0, 0.5] if dtype.is_float else [1, -2, 7]
        result.append(
            Case(
                f"constant_{dtype}_chosen",
                [Operand(I1, (3,)), Operand(dtype, (3,))],
                [Operand(dtype, (3,))],
                f"{{p}}c = tenon.constant dense<{listed}> : {{rt0}}\n"
                "{r0} = tenon.select {0}, {p}c, {1} : ({t0}, {rt0}, {t1}) -> {rt0}",
                lambda c, x, kind, v=values: Expected(np.where(c != 0, np.array(v), x)),
                ("normal",),
            )
        )
        result.append(
            Case(
                f"weight_{dtype}",
                [Operand(dtype, (7, 9), weight=True)],
                [Operand(dtype, (9, 7))],
                op("transpose", [0], [0], "permutation = array<i64: 1, 0>"),
                lambda x, kind: Expected(x.T),
                KINDS,
            )
        )
    result.append(
        Case(
            "dim_as_number",
            [Operand(F32, ("a", "b"))],
            [Operand(I64, ())],
            "{p}a = tenon.dim {0} {{axis = 0 : i64}} : ({t0}) -> tensor<i64>\n"
            "{p}b = tenon.dim {0} {{axis = 1 : i64}} : ({t0}) -> tensor<i64>\n"
            "{r0} = tenon.mul {p}a, {p}b : (tensor<i64>, tensor<i64>) -> tensor<i64>",
            lambda x, kind: Expected(np.array(x.size)),
            ("normal",),
            [{"a": 3, "b": 5}, {"a": 0, "b": 7}],
        )
    )
    return result
