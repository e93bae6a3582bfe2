"""Elementwise ops of two and three operands under every form of broadcasting, and rope."""

import numpy as np

from exec_cpu.cases import SIZES, Case, Expected, Operand, op, pairs, values_of
from exec_cpu.contractions import product_data
from exec_cpu.dtypes import F32, F8E4M3, F8E5M2, FLOATS, I1, I4, I8, I32, I64, INTEGERS, wrap
from exec_cpu.unary import close, exact

# Dims of lhs, rhs and result over two sizes.
FORMS = {
    "same": (("a", "b"), ("a", "b"), ("a", "b")),
    "scalar": (("a", "b"), (), ("a", "b")),
    "scalar_left": ((), ("a", "b"), ("a", "b")),
    "row": (("a", "b"), ("b",), ("a", "b")),
    "column": (("a", "b"), ("a", 1), ("a", "b")),
    "outer": (("a", 1), ("b",), ("a", "b")),
    "batched": ((2, "a", "b"), ("a", "b"), (2, "a", "b")),
    "ones": ((1, 3, "a", 1), (2, 1, 1, "b"), (2, 3, "a", "b")),
    "vector": (("b",), ("b",), ("b",)),
}


def floor_remainder(x, y):
    remainder = np.fmod(x, y)
    return np.where((remainder != 0) & ((remainder < 0) != (y < 0)), remainder + y, remainder)


def either_nan(function):
    return lambda x, y: np.where(np.isnan(x) | np.isnan(y), np.nan, function(x, y))


FLOAT = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "max": either_nan(np.fmax),
    "min": either_nan(np.fmin),
}


def quotient(x, y):
    """Towards zero; without overflow or division by 0 (the data have neither)."""
    return np.sign(x) * np.sign(y) * (np.abs(x) // np.abs(y))


INTEGER = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": quotient,
    "floor_div": np.floor_divide,
    "rem": np.remainder,
    "max": np.maximum,
    "min": np.minimum,
}
COMPARE = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}


def divisors(dtype):
    """Small integers but 0."""

    def make(rng, shape, kind):
        values = rng.integers(-9, 10, shape)
        return np.where(values == 0, 7, values)

    return make


def ordinary(dtype):
    """Integers whose quotients do not overflow."""
    return lambda rng, shape, kind: rng.integers(max(dtype.low + 1, -(10**6)), min(dtype.high, 10**6), shape)


def forms(rng):
    """The forms in turn, for ever; a static or dynamic pair of sizes each."""
    names = list(FORMS)
    while True:
        for name in rng.permutation(names):
            yield str(name)


def build(
    name, form, rng, static, dtypes, result_dtype, body, reference, data=(None, None), kinds=("normal", "special")
):
    """A case of a form with static or dynamic sizes."""
    chosen = pairs(rng, SIZES[:-1], SIZES)
    dims = FORMS[form]
    sizes = [{}]
    if static:
        a, b = chosen[rng.integers(len(chosen))]
        dims = [tuple({"a": a, "b": b}.get(d, d) for d in part) for part in dims]
    else:
        used = {d for part in dims for d in part if isinstance(d, str)}
        picked = [chosen[i] for i in rng.choice(len(chosen), 5, replace=False)] + [(3, 0), (0, 5)]
        sizes = [{k: v for k, v in (("a", a), ("b", b)) if k in used} for a, b in picked]
    operands = [Operand(dtype, part, make) for dtype, part, make in zip(dtypes, dims, data)]
    label = "static" if static else "dynamic"
    return Case(f"{name}_{form}_{label}", operands, [Operand(result_dtype, dims[2])], body, reference, kinds, sizes)


def cases(rng):
    result, form = [], forms(rng)

    def both(name, dtypes, *rest, **named):
        # Two elements of i4 share a byte, so a dynamic shape has to end in an even size: casts have one.
        for static in (False, True) if dtypes[0] is not I4 else (True,):
            result.append(build(name, next(form), rng, static, dtypes, *rest, **named))

    for dtype in FLOATS:
        for name, function in FLOAT.items():
            both(
                f"{name}_{dtype}",
                [dtype] * 2,
                dtype,
                op(name, [0, 1], [0]),
                lambda x, y, kind, f=function, t=dtype: exact(t, f(x, y)),
            )

        def floor_div(x, y, kind, t=dtype):
            # The quotient is rounded before its floor is taken.
            return exact(t, np.floor(exact(t, x / y).value))

        both(f"floor_div_{dtype}", [dtype] * 2, dtype, op("floor_div", [0, 1], [0]), floor_div)
        both(
            f"rem_{dtype}",
            [dtype] * 2,
            dtype,
            op("rem", [0, 1], [0]),
            lambda x, y, kind, t=dtype: exact(t, floor_remainder(x, y)),
        )

        def power(x, y, kind, t=dtype):
            value = np.power(x, y)
            # An error of the logarithm is multiplied by the exponent.
            size = np.abs(value) * (1 + np.abs(np.nan_to_num(y * np.log(np.abs(x)), posinf=0, neginf=0)))
            return close(t, value, size)

        both(f"pow_{dtype}", [dtype] * 2, dtype, op("pow", [0, 1], [0]), power)
    # Every form of broadcasting once more with the op most used.
    for name in FORMS:
        for static in (False, True):
            result.append(
                build(
                    "add_every",
                    name,
                    rng,
                    static,
                    [F32] * 2,
                    F32,
                    op("add", [0, 1], [0]),
                    lambda x, y, kind: exact(F32, x + y),
                )
            )
    for dtype in INTEGERS:
        for name, function in INTEGER.items():
            divides = name in ("div", "floor_div", "rem")
            both(
                f"{name}_{dtype}",
                [dtype] * 2,
                dtype,
                op(name, [0, 1], [0]),
                lambda x, y, kind, f=function, t=dtype: Expected(wrap(t, f(x, y))),
                data=(ordinary(dtype), divisors(dtype)) if divides else (None, None),
                kinds=("normal",) if divides else ("normal", "special"),
            )
    for name, function in (("and", np.bitwise_and), ("or", np.bitwise_or), ("xor", np.bitwise_xor)):
        both(
            f"logical_{name}",
            [I1] * 2,
            I1,
            op(f"logical_{name}", [0, 1], [0]),
            lambda x, y, kind, f=function: Expected(f(x, y)),
            kinds=("normal",),
        )
    for dtype in FLOATS + INTEGERS + [F8E4M3, F8E5M2, I4, I1]:
        for predicate in COMPARE if dtype in (F32, I64) else ("eq", "ne") if dtype is I1 else ("lt", "ne", "ge"):
            both(
                f"compare_{predicate}_{dtype}",
                [dtype] * 2,
                I1,
                op("compare", [0, 1], [0], f"predicate = #tenon.compare<{predicate}>"),
                lambda x, y, kind, f=COMPARE[predicate]: Expected(f(x, y).astype(np.int64)),
                data=(few(dtype), few(dtype)),
                kinds=("integers", "special"),
            )
    for dtype in FLOATS + [I64, I32, I8, I1, I4, F8E4M3, F8E5M2]:
        for condition, on_true, on_false in ((0, 1, 2), (1, 0, 2), (2, 1, 0)):
            name = list(FORMS)[rng.integers(len(FORMS))]
            dims = list(FORMS[name])
            types = [I1, dtype, dtype]
            sizes = (
                [{"a": 3, "b": 17}, {"a": 1, "b": 1}, {"a": 33, "b": 64}]
                if name != "vector"
                else [{"b": 17}, {"b": 509}]
            )
            if dtype is I4:
                dims, sizes = [tuple({"a": 3, "b": 17}.get(d, d) for d in part) for part in dims], [{}]
            operands = [Operand(t, dims[i]) for t, i in zip(types, (condition, on_true, on_false))]
            result.append(
                Case(
                    f"select_{dtype}_{name}_{condition}",
                    operands,
                    [Operand(dtype, dims[2])],
                    op("select", [0, 1, 2], [0]),
                    lambda c, x, y, kind: Expected(np.where(c != 0, x, y)),
                    ("normal", "special"),
                    sizes,
                )
            )
    return result + rope_cases(rng)


def few(dtype):
    """Values that are often equal."""

    def make(rng, shape, kind):
        if kind == "integers" or dtype.bits < 8:
            return values_of(rng, dtype, shape, "integers")
        pool = values_of(rng, dtype, (5,), kind)
        return pool[rng.integers(0, 5, shape)]

    return make


def rope_cases(rng):
    result = []
    for dtype in FLOATS:
        for interleaved in (False, True):
            for whole in (False, True):
                d = int(rng.choice([2, 8, 32, 34, 64]))
                width = d if whole else d // 2
                attributes = "interleaved" if interleaved else ""

                def reference(x, cos, sin, kind, t=dtype, d=d, interleaved=interleaved):
                    h = d // 2
                    first, second = (slice(0, d, 2), slice(1, d, 2)) if interleaved else (slice(0, h), slice(h, d))
                    c, s = cos[..., :h], sin[..., :h]
                    value, size = np.empty(x.shape), np.empty(x.shape)
                    value[..., first] = x[..., first] * c - x[..., second] * s
                    value[..., second] = x[..., second] * c + x[..., first] * s
                    size[..., first] = np.abs(x[..., first] * c) + np.abs(x[..., second] * s)
                    size[..., second] = np.abs(x[..., second] * c) + np.abs(x[..., first] * s)
                    return Expected(value, 3 * t.compute.u * size)

                label = f"rope_{dtype}_{d}{'_interleaved' * interleaved}{'_whole' * whole}"
                table = Operand(dtype, ("s", width), product_data(dtype))
                result.append(
                    Case(
                        label,
                        [Operand(dtype, ("b", 3, "s", d), product_data(dtype)), table, table],
                        [Operand(dtype, ("b", 3, "s", d))],
                        op("rope", [0, 1, 2], [0], attributes),
                        reference,
                        ("normal", "special"),
                        [{"b": b, "s": s} for b, s in ((1, 1), (2, 7), (1, 65), (3, 16), (1, 0))],
                    )
                )
    return result
