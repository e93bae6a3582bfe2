"""Matrix products. N1: exact sums of small integers. N3: no more error than one f32 sum after the other. N2, N4, N5: within 4 sqrt(K) units of the accumulator, or K / 4 of
positive data, of sum |a b|. N6: NaN and infinities as IEEE arithmetic gives them.
"""

import numpy as np

from exec_cpu.cases import SIZES, Case, Expected, Operand, op, pairs, rows, values_of
from exec_cpu.dtypes import BF16, F16, F32, FLOATS, INTEGERS, round_to, wrap

KINDS = ("integers", "normal", "special", "positive", "wide")


def product_data(dtype):
    """Few special values, so that most sums stay finite; no number whose product overflows."""

    def make(rng, shape, kind):
        if not dtype.is_float or kind != "special":
            return values_of(rng, dtype, shape, kind)
        values = rng.standard_normal(shape)
        chosen = rng.random(shape) < 0.4 / max(shape[-1] if shape else 1, 1)
        picks = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0])
        return round_to(dtype, np.where(chosen, picks[rng.integers(0, 5, shape)], values))

    return make


def kinds_of(dtype):
    if not dtype.is_float:
        return ("integers", "special")
    return KINDS[:-1] if dtype is F16 else KINDS  # the wide range leaves that of f16


def matmul(a, b):
    """With IEEE rules for NaN and infinities, which BLAS keeps only where every value is finite."""
    if a.dtype != np.float64 or (np.isfinite(a).all() and np.isfinite(b).all()):
        return np.matmul(a, b)
    # Rows at a time: all products at once are gigabytes.
    rows_ = max(1, 2**26 // max(1, b[..., :, :].size))
    parts = [a[..., first : first + rows_, :] for first in range(0, a.shape[-2], rows_)] or [a]
    return np.concatenate([(part[..., :, :, None] * b[..., None, :, :]).sum(axis=-2) for part in parts], axis=-2)


MOST_ROWS, MOST_COLUMNS, FEWEST_PLACES = 32, 64, 256  # of results that plain sums are made of; fewer say little


def plain_sums(dtype, a, b, bias=None):
    """(rows, columns, values): a product in which each sum is one chain of multiply-adds of f32. None where few results
    would be compared. a is [rows, k], b is [k, columns]."""
    rows_, columns = (np.unique(np.linspace(0, size - 1, min(size, most)).astype(int)) if size else np.arange(0)
                      for size, most in ((a.shape[0], MOST_ROWS), (b.shape[1], MOST_COLUMNS)))
    if dtype not in (F16, BF16, F32) or len(rows_) * len(columns) < FEWEST_PLACES:
        return None
    left, right = a[rows_], b[:, columns]
    sums = np.zeros((len(rows_), len(columns)))
    for step in range(a.shape[1]):
        sums = round_to(F32, sums + left[:, step : step + 1] * right[step])
    return rows_, columns, round_to(dtype, sums if bias is None else round_to(F32, sums + bias[columns]))


def summed(dtype, value, size, k, kind, steps=0, operands=0.0, plain=None):
    """Expected of a sum of k products of the given size; `steps` more roundings come before the last. `operands`: the error
    that it has since its operands are rounded. `plain` makes the plain sums."""
    if kind == "integers":
        return Expected(value)
    terms = max(4 * np.sqrt(k), k / 4 if kind == "positive" else 0)
    expected = Expected(value, (terms + steps) * dtype.compute.u * size + operands)
    if plain and kind == "normal":
        expected.plain = plain()
    return expected


def tf32_error(a, b):
    """Of a @ b whose operands are rounded to the 11 bits of tf32: each product is off by 2u at most, at random, so that the
    errors of a sum add up as their squares do, and never to more than their sum. Small integers stay as they are."""
    most = 2 * 2.0**-11 * 1.001
    return most * np.minimum(4 * np.sqrt(matmul(a * a, b * b)), matmul(np.abs(a), np.abs(b)))


def matmul_case(name, dtype, lhs, rhs, result, ta, tb, sizes, weight=False, tf32=False):
    attributes = ", ".join(word for word, is_set in (("transpose_a", ta), ("transpose_b", tb)) if is_set)

    def reference(a, b, kind):
        a, b = np.swapaxes(a, -1, -2) if ta else a, np.swapaxes(b, -1, -2) if tb else b
        if not dtype.is_float:
            return Expected(wrap(dtype, np.matmul(a, b)))
        size = matmul(np.abs(a), np.abs(b))
        if tf32:
            return summed(dtype, matmul(a, b), size, a.shape[-1], kind, operands=tf32_error(a, b))

        def plain():  # of the batch's first
            first = [each[(0,) * (each.ndim - 2)] for each in (a, b)] if a.size and b.size else None
            return plain_sums(dtype, *first) if first else None

        return summed(dtype, matmul(a, b), size, a.shape[-1], kind, plain=plain)

    def turned(dims, transposed):
        return dims[:-2] + (dims[-1], dims[-2]) if transposed else dims

    operands = [
        Operand(dtype, turned(lhs, ta), product_data(dtype)),
        Operand(dtype, turned(rhs, tb), product_data(dtype), weight),
    ]
    return Case(
        name,
        operands,
        [Operand(dtype, result)],
        op("matmul", [0, 1], [0], attributes),
        reference,
        kinds_of(dtype),
        sizes,
        tf32,
    )


def linear_case(name, dtype, rows_, n, k, bias, weight, sizes, tf32=False):
    def reference(x, w, *b, kind):
        shape = x.shape[:-1] + (w.shape[0],)
        flat = x.reshape(int(np.prod(x.shape[:-1])), x.shape[-1])
        value = matmul(flat, w.T).reshape(shape)
        size = matmul(np.abs(flat), np.abs(w.T)).reshape(shape)
        if b:
            value, size = value + b[0], size + np.abs(b[0])
        if tf32:
            return summed(dtype, value, size, x.shape[-1], kind, len(b), tf32_error(flat, w.T).reshape(shape))
        return summed(dtype, value, size, x.shape[-1], kind, len(b), plain=lambda: plain_sums(dtype, flat, w.T, *b))

    operands = [Operand(dtype, rows_ + (k,), product_data(dtype)), Operand(dtype, (n, k), product_data(dtype), weight)]
    if bias:
        operands.append(Operand(dtype, (n,), product_data(dtype), weight))
    results, body = [Operand(dtype, rows_ + (n,))], op("linear", operands, [0])
    return Case(name, operands, results, body, reference, kinds_of(dtype), sizes, tf32)


def cases(rng):
    result = []
    # Every pair of sizes, all of them dynamic, and each size static.
    every = pairs(rng, SIZES, SIZES, SIZES)
    chosen = [every[i] for i in rng.choice(len(every), 60, replace=False)] + [(0, 3, 5), (3, 0, 5), (3, 5, 0)]
    result.append(
        matmul_case(
            "matmul_f32_dynamic_all",
            F32,
            ("m", "k"),
            ("k", "n"),
            ("m", "n"),
            False,
            False,
            [{"m": m, "n": n, "k": k} for m, n, k in chosen],
        )
    )
    variants = [(False, False), (False, True), (True, False), (True, True)]
    for number, (m, n, k) in enumerate(rows(rng, SIZES, SIZES, SIZES)):
        ta, tb = variants[number % 4]
        result.append(
            matmul_case(
                f"matmul_f32_{m}x{n}x{k}_{'ta' * ta}{'tb' * tb}",
                F32,
                (m, k),
                (k, n),
                (m, n),
                ta,
                tb,
                [{}],
                weight=number % 3 == 0,
            )
        )
    # Batches: dynamic, broadcast, and of every type and transposition.
    batches = [
        (("b", 3), ("b", 3), ("b", 3)),
        (("b", 3), (), ("b", 3)),
        ((), (2,), (2,)),
        ((2, 1), (3,), (2, 3)),
        (("b",), ("b",), ("b",)),
        ((1,), ("b",), ("b",)),
    ]
    for number, dtype in enumerate(FLOATS + INTEGERS):
        for ta, tb in variants:
            left, right, out = batches[number % len(batches)]
            number += 1
            some = [every[i] for i in rng.choice(len(every), 4, replace=False)]
            sizes = [
                {"b": b, "m": m, "n": n, "k": k}
                for (m, n, k), b in zip(some + [(7, 5, 0), (2, 9, 3)], (2, 1, 3, 1, 2, 0))
            ]
            if "b" not in left + right:
                sizes = [{d: size[d] for d in "mnk"} for size in sizes]
            result.append(
                matmul_case(
                    f"matmul_{dtype}_batched_{'ta' * ta}{'tb' * tb}",
                    dtype,
                    left + ("m", "k"),
                    right + ("k", "n"),
                    out + ("m", "n"),
                    ta,
                    tb,
                    sizes,
                )
            )
            m, n, k = (int(rng.choice(SIZES[:-1])) for _ in range(3))
            result.append(
                matmul_case(
                    f"matmul_{dtype}_static_{'ta' * ta}{'tb' * tb}",
                    dtype,
                    (m, k),
                    (k, n),
                    (m, n),
                    ta,
                    tb,
                    [{}],
                    weight=tb,
                )
            )

    # The weight is packed when the model is loaded; rows are dynamic.
    every_row = [{"m": m} for m in SIZES + [0]]
    for number, (n, k) in enumerate(rows(rng, SIZES, SIZES)):
        result.append(linear_case(f"linear_f32_n{n}_k{k}", F32, ("m",), n, k, number % 2 == 0, True, every_row))
    for dtype in FLOATS:
        for number, (n, k) in enumerate(rows(rng, SIZES, SIZES)[: 4 if dtype is F32 else 8]):
            name = f"linear_{dtype}_{number}_n{n}_k{k}"
            m = int(rng.choice(SIZES))
            result.append(linear_case(f"{name}_static_m{m}", dtype, (m,), n, k, number % 2 == 1, True, [{}]))
            result.append(
                linear_case(
                    f"{name}_argument",
                    dtype,
                    ("m",),
                    n,
                    k,
                    number % 2 == 0,
                    False,
                    [{"m": int(v)} for v in rng.choice(SIZES, 4, replace=False)],
                )
            )
            if dtype is not F32:
                result.append(
                    linear_case(
                        f"{name}_dynamic",
                        dtype,
                        ("m",),
                        n,
                        k,
                        True,
                        True,
                        [{"m": int(v)} for v in rng.choice(SIZES, 6, replace=False)],
                    )
                )
        result.append(
            linear_case(
                f"linear_{dtype}_rank3",
                dtype,
                ("b", "s"),
                65,
                33,
                True,
                True,
                [{"b": b, "s": s} for b, s in ((1, 1), (2, 16), (3, 31), (1, 129), (0, 4), (2, 0))],
            )
        )
        result.append(linear_case(f"linear_{dtype}_vector", dtype, (), 17, 64, True, True, [{}]))
        result.append(
            linear_case(f"linear_{dtype}_sums_nothing", dtype, ("m",), 9, 0, True, True, [{"m": 3}, {"m": 0}])
        )
        result.append(linear_case(f"linear_{dtype}_no_columns", dtype, ("m",), 0, 9, True, True, [{"m": 3}, {"m": 0}]))
    return result
