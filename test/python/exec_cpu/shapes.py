"""Data movement: every element is exactly one of an operand's."""
import numpy as np

from exec_cpu.cases import SIZES, Case, Expected, Operand, op, rows
from exec_cpu.dtypes import ALL, BF16, F16, F32, F64, I1, I4, I8, I32, I64, FLOATS, round_to
from exec_cpu.windows import array

KINDS = ("normal", "special")
END = 9223372036854775807


def moves(name, operands, results, body, reference, sizes=({},), kinds=KINDS):
    def compute(*values, kind):
        moved = reference(*values)
        return [Expected(part) for part in moved] if isinstance(moved, (list, tuple)) else Expected(moved)
    return Case(name, operands, results, body, compute, kinds, list(sizes))


def indices(limit):
    return lambda rng, shape, kind: rng.integers(0, limit, shape)


def cases(rng):
    result = []
    types = iter(ALL * 40)

    def size():
        return int(rng.choice(SIZES[:-1]))

    def two():
        return [{"a": size(), "b": size()} for _ in range(3)] + [{"a": 0, "b": 3}, {"a": 2, "b": 0}]

    # transpose
    for permutation in ((1, 0), (0, 2, 1), (2, 1, 0), (1, 0, 2), (0, 2, 1, 3), (0, 1, 3, 2), (3, 1, 2, 0), (0, 1)):
        for _ in range(2):
            dtype, dims = next(types), [size() if d < 2 else int(rng.choice([2, 3, 8, 17])) for d in range(len(permutation))]
            label = f"transpose_{dtype}_{''.join(map(str, permutation))}"
            if dtype is I4:  # a dynamic shape of i4 has an even innermost size
                dims = [d * 2 for d in dims]
            for kind, shape, sizes in (("static", tuple(dims), [{}]), ("dynamic", ("a", "b", *dims[2:]), two())):
                if dtype is I4 and kind == "dynamic" and max(permutation[-1], len(dims) - 1) < 3:
                    continue
                to = tuple(shape[p] for p in permutation)
                result.append(moves(f"{label}_{kind}", [Operand(dtype, shape)], [Operand(dtype, to)],
                                    op("transpose", [0], [0], f"permutation = {array(permutation)}"),
                                    lambda x, p=permutation: np.transpose(x, p), sizes))
    # reshape
    for n, (start, to) in enumerate((((4, 6), (24,)), ((24,), (2, 3, 4)), ((2, 3, 4), (6, 4)), ((6, 4), (3, 8)), ((1,), ()),
                                     ((), (1, 1)), ((5, 1, 3), (5, 3)), ((0, 4), (2, 0)), ((2, 6), (2, 2, 3)))):
        for dtype in (next(types), next(types)):
            result.append(moves(f"reshape_{dtype}_{n}", [Operand(dtype, start)], [Operand(dtype, to)], op("reshape", [0], [0]),
                                lambda x, to=to: x.reshape(to)))
    for dtype in (F32, I64, BF16, I4):
        result.append(moves(f"reshape_{dtype}_heads", [Operand(dtype, ("a", "b", 24))], [Operand(dtype, ("a", "b", 3, 8))],
                            "%{p}a = tenon.dim {0} {{axis = 0 : i64}} : ({t0}) -> tensor<i64>\n"
                            "%{p}b = tenon.dim {0} {{axis = 1 : i64}} : ({t0}) -> tensor<i64>\n"
                            "{r0} = tenon.reshape {0}, %{p}a, %{p}b : ({t0}, tensor<i64>, tensor<i64>) -> {rt0}".replace("%{p}", "{p}"),
                            lambda x: x.reshape(x.shape[:2] + (3, 8)), two()))
        result.append(moves(f"reshape_{dtype}_rows", [Operand(dtype, ("a", "b", 6))], [Operand(dtype, ("r", 6))],
                            op("reshape", [0], [0]), lambda x: x.reshape((x.shape[0] * x.shape[1], 6)), two()))
    # expand
    for start, to in (((1, 5), (3, 5)), ((5,), (2, 3, 5)), ((3, 1), (3, 17)), ((), (4, 9)), ((1, 1), (33, 65))):
        dtype = next(types)
        result.append(moves(f"expand_{dtype}_{'x'.join(map(str, start))}", [Operand(dtype, start)], [Operand(dtype, to)],
                            op("expand", [0], [0]), lambda x, to=to: np.broadcast_to(x, to)))
    for dtype in (F32, I8):
        result.append(moves(f"expand_{dtype}_dynamic", [Operand(dtype, (1, "b")), Operand(F32, ("a",))],
                            [Operand(dtype, (2, "a", "b"))],
                            "{p}a = tenon.dim {1} {{axis = 0 : i64}} : ({t1}) -> tensor<i64>\n"
                            "{p}b = tenon.dim {0} {{axis = 1 : i64}} : ({t0}) -> tensor<i64>\n"
                            "{r0} = tenon.expand {0}, {p}a, {p}b : ({t0}, tensor<i64>, tensor<i64>) -> {rt0}",
                            lambda x, y: np.broadcast_to(x, (2, y.shape[0], x.shape[1])), two()))
    # slice
    for n, (starts, ends, steps) in enumerate((((0, 1), (END, END), (1, 1)), ((-3, 0), (END, -1), (1, 2)), ((2, 5), (9, 6), (3, 1)),
                                               ((0, -100), (100, 100), (2, 3)), ((4, 4), (2, END), (1, 1)), ((0, 0), (-1, 7), (1, 1)))):
        def cut(x, s=starts, e=ends, t=steps):
            return x[tuple(slice(a, None if b == END else b, c) for a, b, c in zip(s, e, t))]
        attributes = f"starts = {array(starts)}, ends = {array(ends)}, steps = {array(steps)}"
        for dtype in (next(types), next(types)):
            shape = (size() + 3, size() + 7)
            out = cut(np.zeros(shape)).shape
            result.append(moves(f"slice_{dtype}_{n}_static", [Operand(dtype, shape)], [Operand(dtype, out)],
                                op("slice", [0], [0], attributes), cut))
        if n != 4:
            # Dynamic sizes are inferred where a bound is 0 or the end; the result type says '?' elsewhere too.
            result.append(moves(f"slice_f32_{n}_dynamic", [Operand(F32, ("a", "b"))], [Operand(F32, ("x", "y"))],
                                op("slice", [0], [0], attributes), cut, [{"a": 12, "b": 9}, {"a": 9, "b": 7}, {"a": 65, "b": 33}]))
    least = -9223372036854775808
    result.append(moves("slice_f32_bounds", [Operand(F32, ("a", 8)), Operand(F32, ("b",))], [Operand(F32, ("x", 8))],
                        "{p}n = tenon.dim {1} {{axis = 0 : i64}} : ({t1}) -> tensor<i64>\n"
                        f"{{r0}} = tenon.slice {{0}}, {{p}}n {{{{starts = {array((0, 0))}, ends = {array((least, END))}, "
                        f"steps = {array((1, 1))}}}}} : ({{t0}}, tensor<i64>) -> {{rt0}}",
                        lambda x, y: x[:y.shape[0]], [{"a": 9, "b": 4}, {"a": 65, "b": 7}, {"a": 9, "b": 0}]))
    # concat and split
    for dtype in ALL:
        axis = int(rng.integers(2))
        parts = [(size(), 5), (2, 5), (size(), 5)] if axis == 0 else [(7, 3), (7, size()), (7, 1)]
        total = sum(part[axis] for part in parts)
        whole = (total, 5) if axis == 0 else (7, total)
        result.append(moves(f"concat_{dtype}_{axis}", [Operand(dtype, part) for part in parts], [Operand(dtype, whole)],
                            op("concat", parts, [0], f"axis = {axis} : i64"), lambda *x, a=axis: np.concatenate(x, a)))
        result.append(moves(f"split_{dtype}_{axis}", [Operand(dtype, whole)], [Operand(dtype, part) for part in parts],
                            op("split", [0], parts, f"axis = {axis} : i64, sizes = {array([part[axis] for part in parts])}"),
                            lambda x, a=axis, p=parts: np.split(x, np.cumsum([part[a] for part in p])[:-1], a)))
    for axis in (0, 1, 2):
        dims = [("a", 3, "b"), ("a", 3, "b")] if axis != 1 else [("a", 2, "b"), ("a", 5, "b")]
        out = {0: ("x", 3, "b"), 1: ("a", 7, "b"), 2: ("a", 3, "x")}[axis]
        result.append(moves(f"concat_f32_dynamic_{axis}", [Operand(F32, d) for d in dims], [Operand(F32, out)],
                            op("concat", [0, 1], [0], f"axis = {axis} : i64"), lambda *x, a=axis: np.concatenate(x, a), two()))
    result.append(moves("split_f32_dynamic", [Operand(F32, ("a", 12, "b"))], [Operand(F32, ("a", 4, "b")), Operand(F32, ("a", 8, "b"))],
                        op("split", [0], [0, 1], f"axis = 1 : i64, sizes = {array((4, 8))}"), lambda x: [x[:, :4], x[:, 4:]], two()))
    # pad
    for dtype in ALL:
        low, high, value = (0, 3), (2, int(rng.integers(5))), 1.0
        shape = (size(), size())
        out = tuple(s + a + b for s, a, b in zip(shape, low, high))
        result.append(moves(f"pad_{dtype}", [Operand(dtype, shape)], [Operand(dtype, out)],
                            op("pad", [0], [0], f"low = {array(low)}, high = {array(high)}, value = {value} : f64"),
                            lambda x, l=low, h=high, v=value: np.pad(x, list(zip(l, h)), constant_values=int(v) if x.dtype == np.int64 else v)))
    result.append(moves("pad_f32_dynamic", [Operand(F32, ("a", "b"))], [Operand(F32, ("x", "y"))],
                        op("pad", [0], [0], f"low = {array((1, 0))}, high = {array((0, 9))}, value = -2.5 : f64"),
                        lambda x: np.pad(x, ((1, 0), (0, 9)), constant_values=-2.5), two()))
    return result + by_index(rng, types, size, two) + sources(rng)


def by_index(rng, types, size, two):
    result = []
    for dtype in FLOATS:
        for index in (I64, I32):
            n, width = size(), size()
            result.append(moves(f"embedding_{dtype}_{index}", [Operand(dtype, (n, width), weight=True),
                                                               Operand(index, ("a", "b"), indices(n))],
                                [Operand(dtype, ("a", "b", width))], op("embedding", [0, 1], [0]), lambda t, i: t[i], two()))
    for axis in (0, 1, 2):
        for dtype in (next(types), next(types), F32):
            shape = [size(), size(), 5]
            limit = shape[axis]
            for dims in ((3,), ("a", 2), ()):
                out = tuple(shape[:axis]) + dims + tuple(shape[axis + 1:])
                result.append(moves(f"gather_{dtype}_{axis}_rank{len(dims)}_{len(result)}", [Operand(dtype, tuple(shape)), Operand(I64, dims, indices(limit))],
                                    [Operand(dtype, out)], op("gather", [0, 1], [0], f"axis = {axis} : i64"),
                                    lambda x, i, a=axis: np.take(x, i, a), [{"a": 4}, {"a": 17}, {"a": 0}] if "a" in dims else [{}]))
        dtype, shape = next(types), [size(), size(), 4]
        taken = list(shape)
        taken[axis] = 6
        result.append(moves(f"gather_elements_{dtype}_{axis}", [Operand(dtype, tuple(shape)), Operand(I32, tuple(taken), indices(shape[axis]))],
                            [Operand(dtype, tuple(taken))], op("gather_elements", [0, 1], [0], f"axis = {axis} : i64"),
                            lambda x, i, a=axis: np.take_along_axis(x, i, a)))
        # Equal indices: the last wins.
        for dims in ((4,), (2, 3), ()):
            dtype, shape = next(types), (5, size(), 6)
            out = shape[:axis] + dims + shape[axis + 1:]

            def scatter(x, i, u, a=axis):
                moved, updates = np.moveaxis(x.copy(), a, 0), u.reshape(u.shape[:a] + (i.size,) + u.shape[a + i.ndim:])
                for number, place in enumerate(i.reshape(-1)):
                    moved[place] = np.take(updates, number, a)
                return np.moveaxis(moved, 0, a)
            result.append(moves(f"scatter_{dtype}_{axis}_rank{len(dims)}", [Operand(dtype, shape), Operand(I64, dims, indices(shape[axis])),
                                                                          Operand(dtype, out)],
                                [Operand(dtype, shape)], op("scatter", [0, 1, 2], [0], f"axis = {axis} : i64"), scatter))
    for named, tuples in ((1, (3,)), (2, (2, 2)), (3, ()), (2, ("a",)), (0, (3,))):
        for dtype in (next(types), F32):
            shape = (3, 4, 5)

            def limits(rng, place, kind, named=named, shape=shape):
                return np.stack([rng.integers(0, shape[d], place[:-1]) for d in range(named)], -1) if named else np.zeros(place, np.int64)
            result.append(moves(f"gather_nd_{dtype}_{named}_rank{len(tuples)}_{len(result)}", [Operand(dtype, shape), Operand(I64, tuples + (named,), limits)],
                                [Operand(dtype, tuples + shape[named:])], op("gather_nd", [0, 1], [0]),
                                lambda x, i, n=named: x[tuple(np.moveaxis(i, -1, 0))] if n else np.broadcast_to(x, i.shape[:-1] + x.shape),
                                [{"a": 6}, {"a": 0}] if "a" in tuples else [{}]))
    for dtype in FLOATS:
        def position(rng, shape, kind):
            return np.array(rng.integers(0, 17))

        def append(cache, update, at):
            value = cache.copy()
            at = min(int(at), cache.shape[2] - update.shape[2])  # where there is room for all
            value[:, :, at:at + update.shape[2]] = update
            return value
        result.append(moves(f"kv_cache_append_{dtype}", [Operand(dtype, (2, 3, 33, 8)), Operand(dtype, (2, 3, "s", 8)), Operand(I64, (), position)],
                            [Operand(dtype, (2, 3, 33, 8))], op("kv_cache_append", [0, 1, 2], [0]), append,
                            [{"s": 1}, {"s": 16}, {"s": 0}, {"s": 33}]))
        result.append(moves(f"kv_cache_read_{dtype}", [Operand(dtype, (2, 3, 33, 8)), Operand(F32, ("s",))], [Operand(dtype, (2, 3, "s", 8))],
                            "{p}n = tenon.dim {1} {{axis = 0 : i64}} : ({t1}) -> tensor<i64>\n"
                            "{r0} = tenon.kv_cache_read {0}, {p}n : ({t0}, tensor<i64>) -> {rt0}",
                            lambda cache, like: cache[:, :, :like.shape[0]], [{"s": 1}, {"s": 16}, {"s": 0}, {"s": 33}]))
    return result


def sources(rng):
    """iota, constant, weight, dim."""
    result = []
    for dtype in FLOATS + [I64, I32, I8]:
        result.append(Case(f"iota_{dtype}_static", [], [Operand(dtype, (3, 17))], op("iota", [], [0], "axis = 1 : i64, start = 2.0 : f64, step = -3.0 : f64"),
                           lambda kind, t=dtype: Expected(np.broadcast_to(2 - 3 * np.arange(17), (3, 17)).astype(float if t.is_float else np.int64)), ("normal",)))
        result.append(Case(f"iota_{dtype}_dynamic", [Operand(F32, ("a", "b"))], [Operand(dtype, ("b", 2))],
                           "{p}n = tenon.dim {0} {{axis = 1 : i64}} : ({t0}) -> tensor<i64>\n{r0} = tenon.iota {p}n {{axis = 0 : i64}} : (tensor<i64>) -> {rt0}",
                           lambda x, kind, t=dtype: Expected(np.broadcast_to(np.arange(x.shape[1])[:, None], (x.shape[1], 2)).astype(float if t.is_float else np.int64)),
                           ("normal",), [{"a": 1, "b": b} for b in (1, 9, 65, 0)]))
    for dtype in ALL:
        number = "true" if dtype is I1 else "1.5" if dtype.is_float else "-3"
        value = 1 if dtype is I1 else 1.5 if dtype.is_float else -3
        result.append(Case(f"constant_{dtype}", [Operand(dtype, (2, 3))], [Operand(dtype, (4,))],
                           f"{{r0}} = tenon.constant dense<{number}> : {{rt0}}",
                           lambda x, kind, v=value: Expected(np.full(4, v)), ("normal",)))
        listed = "[true, false, true]" if dtype is I1 else "[1.0, -2.0, 0.5]" if dtype.is_float else "[1, -2, 7]"
        values = [1, 0, 1] if dtype is I1 else [1.0, -2.0, 0.5] if dtype.is_float else [1, -2, 7]
        result.append(Case(f"constant_{dtype}_chosen", [Operand(I1, (3,)), Operand(dtype, (3,))], [Operand(dtype, (3,))],
                           f"{{p}}c = tenon.constant dense<{listed}> : {{rt0}}\n"
                           "{r0} = tenon.select {0}, {p}c, {1} : ({t0}, {rt0}, {t1}) -> {rt0}",
                           lambda c, x, kind, v=values: Expected(np.where(c != 0, np.array(v), x)), ("normal",)))
        result.append(Case(f"weight_{dtype}", [Operand(dtype, (7, 9), weight=True)], [Operand(dtype, (9, 7))],
                           op("transpose", [0], [0], "permutation = array<i64: 1, 0>"), lambda x, kind: Expected(x.T), KINDS))
    result.append(Case("dim_as_number", [Operand(F32, ("a", "b"))], [Operand(I64, ())],
                       "{p}a = tenon.dim {0} {{axis = 0 : i64}} : ({t0}) -> tensor<i64>\n"
                       "{p}b = tenon.dim {0} {{axis = 1 : i64}} : ({t0}) -> tensor<i64>\n"
                       "{r0} = tenon.mul {p}a, {p}b : (tensor<i64>, tensor<i64>) -> tensor<i64>",
                       lambda x, kind: Expected(np.array(x.size)), ("normal",), [{"a": 3, "b": 5}, {"a": 0, "b": 7}]))
    return result
