"""Softmax, norms, reductions and scans. The bounds follow the errors of the statistics through the formulas."""

import numpy as np

from exec_cpu.cases import SIZES, Case, Expected, Operand, op, pairs, values_of
from exec_cpu.dtypes import F32, FLOATS, I32, I64, INTEGERS, round_to, wrap
from exec_cpu.unary import FLUSH


def mild(dtype):
    """Special values without numbers whose square overflows."""

    def make(rng, shape, kind):
        if kind != "special":
            return values_of(rng, dtype, shape, kind)
        values = rng.standard_normal(shape)
        chosen = rng.random(shape) < 0.5 / max(shape[-1] if shape else 1, 1)
        picks = np.array([np.nan, np.inf, -np.inf, 0.0])
        return round_to(dtype, np.where(chosen, picks[rng.integers(0, 4, shape)], values))

    return make


def softmax(dtype, axis, log):
    def compute(x, kind):
        u, n = dtype.compute.u, x.shape[axis]
        if x.size == 0:
            return Expected(x)
        shifted = x - x.max(axis, keepdims=True)
        powers = np.exp(shifted)
        total = powers.sum(axis, keepdims=True)
        finite = np.nan_to_num(np.abs(shifted), nan=0, posinf=0)
        spread = (np.nan_to_num(powers) * finite).sum(axis, keepdims=True) / total
        terms = 8 + 4 * np.sqrt(n) + spread
        if log:
            return Expected(shifted - np.log(total), u * (2 * finite + terms + 4 * np.abs(np.log(total))))
        p = powers / total
        # A denormal power is off by half a step.
        return Expected(p, u * p * (finite + terms) + 4 * dtype.compute.tiny, FLUSH[str(dtype.compute)])

    return compute


def normalised(dtype, x, axes, epsilon):
    """Value of (x - mean) / sqrt(variance + epsilon), and the bound of its error."""
    u = dtype.compute.u
    n = int(np.prod([x.shape[a] for a in axes]))
    root = 4 * np.sqrt(n)
    mean = x.mean(axes, keepdims=True)
    d_mean = u * (root * np.abs(x).mean(axes, keepdims=True) + np.abs(mean))
    difference = x - mean
    d_difference = u * np.abs(difference) + d_mean
    variance = (difference**2).mean(axes, keepdims=True)
    d_variance = (2 * np.abs(difference) * d_difference + d_difference**2).mean(axes, keepdims=True) + (
        root + 4
    ) * u * variance
    shifted = variance + epsilon
    relative = 1 / np.sqrt(np.maximum(1 - d_variance / shifted, 0.01)) - 1 + 4 * u
    value = difference / np.sqrt(shifted)
    return value, d_difference / np.sqrt(shifted) * (1 + relative) + np.abs(value) * relative


def affine(dtype, value, error, weight, bias):
    u = dtype.compute.u
    if weight is not None:
        value, error = value * weight, np.abs(weight) * error + u * np.abs(value * weight)
    if bias is not None:
        value, error = value + bias, error + u * (np.abs(value) + np.abs(bias))
    return Expected(value, error + 2 * u * np.abs(value))


def norm_case(name, dtype, dims, num_dims, weight, bias, epsilon, sizes):
    def compute(x, *parameters, kind):
        axes = tuple(range(x.ndim - num_dims, x.ndim))
        value, error = normalised(dtype, x, axes, epsilon)
        parameters = list(parameters)
        return affine(dtype, value, error, parameters.pop(0) if weight else None, parameters.pop(0) if bias else None)

    inner = dims[len(dims) - num_dims :]
    operands = [Operand(dtype, dims, mild(dtype))] + [Operand(dtype, inner, weight=True)] * (weight + bias)
    call = "{0}" + " weight({1})" * weight + f" bias({{{1 + weight}}})" * bias
    attributes = f"epsilon = {epsilon:.1e} : f64" + (f", num_dims = {num_dims} : i64" if num_dims > 1 else "")
    return Case(
        name,
        operands,
        [Operand(dtype, dims)],
        op("layer_norm", operands, [0], attributes, call),
        compute,
        ("normal", "special", "positive", "wide") if dtype.bits > 16 else ("normal", "special", "positive"),
        sizes,
    )


def group_norm_case(name, dtype, n, channels, groups, spatial, parameters, sizes):
    def compute(x, *affine_parameters, kind):
        grouped = x.reshape((x.shape[0], groups, channels // groups) + x.shape[2:])
        if x.size == 0:
            return Expected(x)
        value, error = normalised(dtype, grouped, tuple(range(2, grouped.ndim)), 1e-5)
        column = (channels,) + (1,) * (x.ndim - 2)
        weight, bias = (p.reshape(column) for p in affine_parameters) if parameters else (None, None)
        return affine(dtype, value.reshape(x.shape), error.reshape(x.shape), weight, bias)

    dims = (n, channels) + spatial
    operands = [Operand(dtype, dims, mild(dtype))] + [Operand(dtype, (channels,), weight=True)] * (2 * parameters)
    call = "{0}" + " weight({1}) bias({2})" * parameters
    return Case(
        name,
        operands,
        [Operand(dtype, dims)],
        op("group_norm", operands, [0], f"groups = {groups} : i64, epsilon = 1.0e-5 : f64", call),
        compute,
        ("normal", "special", "positive"),
        sizes,
    )


def rms_case(name, dtype, dims, weight, sizes):
    def compute(x, *parameters, kind):
        n, u = x.shape[-1], dtype.compute.u
        value = x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6)
        if parameters:
            value = value * parameters[0]
        return Expected(value, np.abs(value) * (2 * np.sqrt(n) + 8) * u)

    operands = [Operand(dtype, dims, mild(dtype))] + [Operand(dtype, dims[-1:], weight=True)] * weight
    return Case(
        name,
        operands,
        [Operand(dtype, dims)],
        op("rms_norm", operands, [0], "epsilon = 1.0e-6 : f64"),
        compute,
        ("normal", "special", "positive"),
        sizes,
    )


def reduction_case(name, kind_of, dtype, dims, axes, keep, sizes):
    def compute(x, kind):
        axis = tuple(axes)
        if kind_of in ("max", "min"):
            if not dtype.is_float:
                start = dtype.low if kind_of == "max" else dtype.high
            else:
                start = -np.inf if kind_of == "max" else np.inf
            return Expected(getattr(np, kind_of)(x, axis=axis, keepdims=keep, initial=start))
        value = x.sum(axis=axis, keepdims=keep)
        if not dtype.is_float:
            return Expected(wrap(dtype, value))
        n = int(np.prod([x.shape[a] for a in axes]))
        size = 4 * np.sqrt(n) * dtype.compute.u * np.abs(x).sum(axis=axis, keepdims=keep)
        if kind_of == "mean":
            return Expected(value / n, size / n + dtype.compute.u * np.abs(value / n))
        return Expected(value) if kind == "integers" else Expected(value, size)

    kept = tuple(1 if d in axes else size for d, size in enumerate(dims) if keep or d not in axes)
    attributes = f"axes = array<i64{': ' if axes else ''}{', '.join(map(str, axes))}>" + ", keep_dims" * keep
    return Case(
        name,
        [Operand(dtype, dims)],
        [Operand(dtype, kept)],
        op(f"reduce_{kind_of}", [0], [0], attributes),
        compute,
        ("integers", "normal", "special"),
        sizes,
    )


def arg_case(name, kind_of, dtype, index, dims, axis, keep, sizes):
    def compute(x, kind):
        return Expected(getattr(np, kind_of)(x, axis=axis, keepdims=keep))  # the first NaN wins in numpy too

    def equal_values(rng, shape, kind):
        pool = values_of(rng, dtype, (4,), kind)
        return pool[rng.integers(0, 4, shape)]

    kept = tuple(1 if d == axis else size for d, size in enumerate(dims) if keep or d != axis)
    return Case(
        name,
        [Operand(dtype, dims, equal_values)],
        [Operand(index, kept)],
        op(kind_of, [0], [0], f"axis = {axis} : i64" + ", keep_dims" * keep),
        compute,
        ("integers", "normal", "special"),
        sizes,
    )


def cumsum_case(name, dtype, dims, axis, sizes):
    def compute(x, kind):
        value = np.cumsum(x, axis=axis)
        if not dtype.is_float:
            return Expected(wrap(dtype, value))
        if kind == "integers":
            return Expected(value)
        terms = np.sqrt(np.arange(1, x.shape[axis] + 1)).reshape([-1 if d == axis else 1 for d in range(x.ndim)])
        return Expected(value, 4 * terms * dtype.compute.u * np.cumsum(np.abs(x), axis=axis))

    return Case(
        name,
        [Operand(dtype, dims)],
        [Operand(dtype, dims)],
        op("cumsum", [0], [0], f"axis = {axis} : i64"),
        compute,
        ("integers", "normal", "special"),
        sizes,
    )


def cases(rng):
    result = []
    every = pairs(rng, SIZES, SIZES)
    widths = iter(SIZES * 40)

    def sizes(count):
        return [
            {"a": a, "b": b} for a, b in [every[i] for i in rng.choice(len(every), count, replace=False)] + [(0, 3)]
        ]

    for dtype in FLOATS:
        count = 12 if dtype is F32 else 4
        for name in ("softmax", "log_softmax"):
            for dims, axis in ((("a", "b"), 1), (("a", "b"), 0), ((2, "a", 3, "b"), 3), ((2, "a", "b", 5), 2)):
                result.append(
                    Case(
                        f"{name}_{dtype}_rank{len(dims)}_axis{axis}_dynamic",
                        [Operand(dtype, dims)],
                        [Operand(dtype, dims)],
                        op(name, [0], [0], f"axis = {axis} : i64"),
                        softmax(dtype, axis, name != "softmax"),
                        ("normal", "special", "wide"),
                        sizes(count),
                    )
                )
                dims = tuple({"a": int(rng.choice(SIZES[:12])), "b": next(widths)}.get(d, d) for d in dims)
                result.append(
                    Case(
                        f"{name}_{dtype}_{'x'.join(map(str, dims))}_axis{axis}",
                        [Operand(dtype, dims)],
                        [Operand(dtype, dims)],
                        op(name, [0], [0], f"axis = {axis} : i64"),
                        softmax(dtype, axis, name != "softmax"),
                        ("normal", "special", "wide"),
                    )
                )
        every_row = [{"a": a} for a in (SIZES if dtype is F32 else SIZES[::4]) + [0]]
        for number in range(10 if dtype is F32 else 5):
            n, weight, bias = next(widths), number % 4 != 3, number % 2 == 0
            result.append(
                norm_case(f"layer_norm_{dtype}_{number}_{n}", dtype, ("a", n), 1, weight, bias, 1e-5, every_row)
            )
            result.append(rms_case(f"rms_norm_{dtype}_{number}_{n}", dtype, ("a", n), weight, every_row))
        result.append(
            norm_case(f"layer_norm_{dtype}_two_dims", dtype, ("a", 5, 13), 2, True, True, 1e-12, every_row[:5])
        )
        result.append(norm_case(f"layer_norm_{dtype}_static", dtype, (3, 7, 384), 1, True, True, 1e-12, [{}]))
        result.append(norm_case(f"layer_norm_{dtype}_bias_alone", dtype, (3, 33), 1, False, True, 1e-5, [{}]))
        result.append(
            norm_case(
                f"layer_norm_{dtype}_every_dim_dynamic",
                dtype,
                (4, "b"),
                1,
                False,
                False,
                1e-5,
                [{"b": b} for b in SIZES],
            )
        )
        for number, (c, g, spatial) in enumerate(
            ((8, 2, ("s",)), (6, 3, (5, "s")), (7, 1, ()), (32, 32, (3, 3)), (4, 2, (65,)))
        ):
            result.append(
                group_norm_case(
                    f"group_norm_{dtype}_{number}",
                    dtype,
                    "a",
                    c,
                    g,
                    spatial,
                    number % 2 == 0,
                    [{"a": a, "s": s} if "s" in spatial else {"a": a} for a, s in ((1, 1), (2, 9), (3, 64), (1, 129))],
                )
            )

    for dtype in FLOATS + INTEGERS:
        for kind_of in ("sum", "mean", "max", "min"):
            if kind_of == "mean" and not dtype.is_float:
                continue
            for dims, axes, keep in (
                (("a", "b"), [1], False),
                (("a", "b"), [0], False),
                (("a", 3, "b"), [0, 2], True),
                (("a", "b"), [0, 1], False),
                (("a", 2, "b"), [1], True),
                (("a", "b"), [], False),
            ):
                label = f"reduce_{kind_of}_{dtype}_rank{len(dims)}_{''.join(map(str, axes)) or 'none'}{'_keep' * keep}"
                empty = [{"a": 4, "b": 0}, {"a": 0, "b": 3}]
                result.append(reduction_case(f"{label}_dynamic", kind_of, dtype, dims, axes, keep, sizes(3) + empty))
                if dtype is F32 or len(axes) == 1:
                    static = tuple({"a": int(rng.choice(SIZES)), "b": next(widths)}.get(d, d) for d in dims)
                    result.append(reduction_case(f"{label}_static", kind_of, dtype, static, axes, keep, [{}]))
        # down columns, several vectors side by side, and a rest
        for kind_of in ("sum", "max"):
            result.append(reduction_case(f"reduce_{kind_of}_{dtype}_columns", kind_of, dtype, (40, 202), [0], False, [{}]))
        result.append(arg_case(f"argmax_{dtype}_columns", "argmax", dtype, I64, (40, 202), 0, False, [{}]))
        for kind_of in ("argmax", "argmin"):
            for dims, axis, keep, index in (
                (("a", "b"), 1, False, I64),
                (("a", "b"), 0, True, I32),
                (("a", 4, "b"), 1, False, I64),
            ):
                plain = [size for size in sizes(3)[:-1]] + [{"a": 1, "b": 1}]
                result.append(
                    arg_case(
                        f"{kind_of}_{dtype}_rank{len(dims)}_{axis}", kind_of, dtype, index, dims, axis, keep, plain
                    )
                )
        for dims, axis in ((("a", "b"), 1), (("a", "b"), 0), ((2, "a", 3), 1)):
            some = sizes(3)
            if "b" not in dims:
                some = [{"a": size["a"]} for size in some]
            result.append(cumsum_case(f"cumsum_{dtype}_rank{len(dims)}_axis{axis}", dtype, dims, axis, some))
    return result
