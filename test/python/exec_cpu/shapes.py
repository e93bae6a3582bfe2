"""Data movement: every element is exactly one of an operand's."""

import numpy as np

from exec_cpu.cases import SIZES, Case, Expected, Operand, op
from exec_cpu.dtypes import ALL, BF16, F32, I4, I8, I64
from exec_cpu.windows import array

KINDS = ("normal", "special")
END = 9223372036854775807


def moves(name, operands, results, body, reference, sizes=({},), kinds=KINDS):
    def compute(*values, kind):
        moved = reference(*values)
        return [Expected(part) for part in moved] if isinstance(moved, (list, tuple)) else Expected(moved)

    return Case(name, operands, results, body, compute, kinds, list(sizes))


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
            dtype, dims = next(types), [
                size() if d < 2 else int(rng.choice([2, 3, 8, 17])) for d in range(len(permutation))
            ]
            label = f"transpose_{dtype}_{''.join(map(str, permutation))}"
            if dtype is I4:  # a dynamic shape of i4 has an even innermost size
                dims = [d * 2 for d in dims]
            for kind, shape, sizes in (("static", tuple(dims), [{}]), ("dynamic", ("a", "b", *dims[2:]), two())):
                if dtype is I4 and kind == "dynamic" and max(permutation[-1], len(dims) - 1) < 3:
                    continue
                to = tuple(shape[p] for p in permutation)
                result.append(
                    moves(
                        f"{label}_{kind}",
                        [Operand(dtype, shape)],
                        [Operand(dtype, to)],
                        op("transpose", [0], [0], f"permutation = {array(permutation)}"),
                        lambda x, p=permutation: np.transpose(x, p),
                        sizes,
                    )
                )
    # more than one block of lanes each way, whole and with a rest, and a pointwise op on what is turned
    for dtype in ALL:
        for kind, shape, sizes in (
            ("whole", (64, 32), [{}]),
            ("rest", (46, 34), [{}]),
            ("batch", (3, 18, 40), [{}]),
            ("dynamic", ("a", "b"), [{"a": 48, "b": 34}, {"a": 14, "b": 64}, {"a": 16, "b": 16}, {"a": 130, "b": 18}]),
        ):
            if dtype is I4 and kind == "dynamic":
                continue
            turned = (*shape[:-2], shape[-1], shape[-2])
            permutation = (*range(len(shape) - 2), len(shape) - 1, len(shape) - 2)
            result.append(
                moves(
                    f"turn_{dtype}_{kind}",
                    [Operand(dtype, shape)],
                    [Operand(dtype, turned)],
                    op("transpose", [0], [0], f"permutation = {array(permutation)}"),
                    lambda x: np.swapaxes(x, -1, -2),
                    sizes,
                )
            )
    for dtype in (F32, BF16, I8, I64):
        for axis, shapes, to in ((0, ((40, 33), (5, 40)), (38, 40)), (1, ((40, 33), (33, 7)), (33, 47))):
            result.append(
                moves(
                    f"concat_of_turned_{dtype}_{axis}",
                    [Operand(dtype, shape) for shape in shapes],
                    [Operand(dtype, to)],
                    f"{{p}}t = tenon.transpose {{0}} {{{{permutation = array<i64: 1, 0>}}}} : ({{t0}}) -> tensor<33x40x{dtype}>\n"
                    f"{{r0}} = tenon.concat {{p}}t, {{1}} {{{{axis = {axis} : i64}}}} : (tensor<33x40x{dtype}>, {{t1}}) -> {{rt0}}",
                    lambda x, y, axis=axis: np.concatenate((x.T, y), axis),
                )
            )
    # reshape
    for n, (start, to) in enumerate(
        (
            ((4, 6), (24,)),
            ((24,), (2, 3, 4)),
            ((2, 3, 4), (6, 4)),
            ((6, 4), (3, 8)),
            ((1,), ()),
            ((), (1, 1)),
            ((5, 1, 3), (5, 3)),
            ((0, 4), (2, 0)),
            ((2, 6), (2, 2, 3)),
        )
    ):
        for dtype in (next(types), next(types)):
            result.append(
                moves(
                    f"reshape_{dtype}_{n}",
                    [Operand(dtype, start)],
                    [Operand(dtype, to)],
                    op("reshape", [0], [0]),
                    lambda x, to=to: x.reshape(to),
                )
            )
    for dtype in (F32, I64, BF16, I4):
        result.append(
            moves(
                f"reshape_{dtype}_heads",
                [Operand(dtype, ("a", "b", 24))],
                [Operand(dtype, ("a", "b", 3, 8))],
                "{p}a = tenon.dim {0} {{axis = 0 : i64}} : ({t0}) -> tensor<i64>\n"
                "{p}b = tenon.dim {0} {{axis = 1 : i64}} : ({t0}) -> tensor<i64>\n"
                "{r0} = tenon.reshape {0}, {p}a, {p}b : ({t0}, tensor<i64>, tensor<i64>) -> {rt0}",
                lambda x: x.reshape(x.shape[:2] + (3, 8)),
                two(),
            )
        )
        result.append(
            moves(
                f"reshape_{dtype}_rows",
                [Operand(dtype, ("a", "b", 6))],
                [Operand(dtype, ("r", 6))],
                op("reshape", [0], [0]),
                lambda x: x.reshape((x.shape[0] * x.shape[1], 6)),
                two(),
            )
        )
    # expand
    for start, to in (((1, 5), (3, 5)), ((5,), (2, 3, 5)), ((3, 1), (3, 17)), ((), (4, 9)), ((1, 1), (33, 65))):
        dtype = next(types)
        result.append(
            moves(
                f"expand_{dtype}_{'x'.join(map(str, start))}",
                [Operand(dtype, start)],
                [Operand(dtype, to)],
                op("expand", [0], [0]),
                lambda x, to=to: np.broadcast_to(x, to),
            )
        )
    for dtype in (F32, I8):
        result.append(
            moves(
                f"expand_{dtype}_dynamic",
                [Operand(dtype, (1, "b")), Operand(F32, ("a",))],
                [Operand(dtype, (2, "a", "b"))],
                "{p}a = tenon.dim {1} {{axis = 0 : i64}} : ({t1}) -> tensor<i64>\n"
                "{p}b = tenon.dim {0} {{axis = 1 : i64}} : ({t0}) -> tensor<i64>\n"
                "{r0} = tenon.expand {0}, {p}a, {p}b : ({t0}, tensor<i64>, tensor<i64>) -> {rt0}",
                lambda x, y: np.broadcast_to(x, (2, y.shape[0], x.shape[1])),
                two(),
            )
        )
    # slice
    for n, (starts, ends, steps) in enumerate(
        (
            ((0, 1), (END, END), (1, 1)),
            ((-3, 0), (END, -1), (1, 2)),
            ((2, 5), (9, 6), (3, 1)),
            ((0, -100), (100, 100), (2, 3)),
            ((4, 4), (2, END), (1, 1)),
            ((0, 0), (-1, 7), (1, 1)),
        )
    ):

        def cut(x, s=starts, e=ends, t=steps):
            return x[tuple(slice(a, None if b == END else b, c) for a, b, c in zip(s, e, t))]

        attributes = f"starts = {array(starts)}, ends = {array(ends)}, steps = {array(steps)}"
        for dtype in (next(types), next(types)):
            shape = (size() + 3, size() + 7)
            out = cut(np.zeros(shape)).shape
            result.append(
                moves(
                    f"slice_{dtype}_{n}_static",
                    [Operand(dtype, shape)],
                    [Operand(dtype, out)],
                    op("slice", [0], [0], attributes),
                    cut,
                )
            )
        if n != 4:
            # Dynamic sizes are inferred where a bound is 0 or the end; the result type says '?' elsewhere too.
            result.append(
                moves(
                    f"slice_f32_{n}_dynamic",
                    [Operand(F32, ("a", "b"))],
                    [Operand(F32, ("x", "y"))],
                    op("slice", [0], [0], attributes),
                    cut,
                    [{"a": 12, "b": 9}, {"a": 9, "b": 7}, {"a": 65, "b": 33}],
                )
            )
    least = -9223372036854775808
    result.append(
        moves(
            "slice_f32_bounds",
            [Operand(F32, ("a", 8)), Operand(F32, ("b",))],
            [Operand(F32, ("x", 8))],
            "{p}n = tenon.dim {1} {{axis = 0 : i64}} : ({t1}) -> tensor<i64>\n"
            f"{{r0}} = tenon.slice {{0}}, {{p}}n {{{{starts = {array((0, 0))}, ends = {array((least, END))}, "
            f"steps = {array((1, 1))}}}}} : ({{t0}}, tensor<i64>) -> {{rt0}}",
            lambda x, y: x[: y.shape[0]],
            [{"a": 9, "b": 4}, {"a": 65, "b": 7}, {"a": 9, "b": 0}],
        )
    )
    # concat and split
    for dtype in ALL:
        axis = int(rng.integers(2))
        parts = [(size(), 5), (2, 5), (size(), 5)] if axis == 0 else [(7, 3), (7, size()), (7, 1)]
        total = sum(part[axis] for part in parts)
        whole = (total, 5) if axis == 0 else (7, total)
        result.append(
            moves(
                f"concat_{dtype}_{axis}",
                [Operand(dtype, part) for part in parts],
                [Operand(dtype, whole)],
                op("concat", parts, [0], f"axis = {axis} : i64"),
                lambda *x, a=axis: np.concatenate(x, a),
            )
        )
        result.append(
            moves(
                f"split_{dtype}_{axis}",
                [Operand(dtype, whole)],
                [Operand(dtype, part) for part in parts],
                op("split", [0], parts, f"axis = {axis} : i64, sizes = {array([part[axis] for part in parts])}"),
                lambda x, a=axis, p=parts: np.split(x, np.cumsum([part[a] for part in p])[:-1], a),
            )
        )
    for axis in (0, 1, 2):
        dims = [("a", 3, "b"), ("a", 3, "b")] if axis != 1 else [("a", 2, "b"), ("a", 5, "b")]
        out = {0: ("x", 3, "b"), 1: ("a", 7, "b"), 2: ("a", 3, "x")}[axis]
        result.append(
            moves(
                f"concat_f32_dynamic_{axis}",
                [Operand(F32, d) for d in dims],
                [Operand(F32, out)],
                op("concat", [0, 1], [0], f"axis = {axis} : i64"),
                lambda *x, a=axis: np.concatenate(x, a),
                two(),
            )
        )
    result.append(
        moves(
            "split_f32_dynamic",
            [Operand(F32, ("a", 12, "b"))],
            [Operand(F32, ("a", 4, "b")), Operand(F32, ("a", 8, "b"))],
            op("split", [0], [0, 1], f"axis = 1 : i64, sizes = {array((4, 8))}"),
            lambda x: [x[:, :4], x[:, 4:]],
            two(),
        )
    )
    # pad
    for dtype in ALL:
        low, high, value = (0, 3), (2, int(rng.integers(5))), 1.0
        shape = (size(), size())
        out = tuple(s + a + b for s, a, b in zip(shape, low, high))
        result.append(
            moves(
                f"pad_{dtype}",
                [Operand(dtype, shape)],
                [Operand(dtype, out)],
                op("pad", [0], [0], f"low = {array(low)}, high = {array(high)}, value = {value} : f64"),
                lambda x, l=low, h=high, v=value: np.pad(
                    x, list(zip(l, h)), constant_values=int(v) if x.dtype == np.int64 else v
                ),
            )
        )
    result.append(
        moves(
            "pad_f32_dynamic",
            [Operand(F32, ("a", "b"))],
            [Operand(F32, ("x", "y"))],
            op("pad", [0], [0], f"low = {array((1, 0))}, high = {array((0, 9))}, value = -2.5 : f64"),
            lambda x: np.pad(x, ((1, 0), (0, 9)), constant_values=-2.5),
            two(),
        )
    )
    return result
