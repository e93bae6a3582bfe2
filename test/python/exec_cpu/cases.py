"""What a test case is, and the shapes that cases take."""

import itertools
from dataclasses import dataclass, field
from typing import Callable

import numpy as np

from exec_cpu.dtypes import DType, round_to

# Around vectors, tiles and their tails; 509 is a prime above every tile.
SIZES = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 509]
SMALL = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33]


@dataclass
class Operand:
    """A tensor of the case's function. Sizes are numbers, or names of dynamic dimensions."""

    dtype: DType
    dims: tuple
    data: Callable = None  # (rng, shape, kind) -> values; None: values of the kind
    weight: bool = False  # named, bound when the model is loaded, else an argument

    def type(self):
        return f"tensor<{''.join('?x' if isinstance(d, str) else f'{d}x' for d in self.dims)}{self.dtype}>"

    def shape(self, sizes):
        return tuple(sizes[d] if isinstance(d, str) else d for d in self.dims)


@dataclass
class Expected:
    """A result: exact values (bound None: rounded to the type they must come bit by bit), else an absolute bound that
    holds the error before the last rounding, whose own error is added by the check. `flush`: values below it may be 0.
    `plain`: what a plain kernel gives at some rows and columns, (rows, columns, values), where leading dimensions are rows.
    """

    value: np.ndarray
    bound: np.ndarray = None
    flush: float = 0.0
    plain: tuple = None


@dataclass
class Case:
    """`body` computes the results from {0}, {1}, ..; the last lines of it name them {r0}, {r1}, ..; {t0}, .. are the
    operands' types, {rt0}, .. the results'. `reference` takes the operands' values and the kind of data."""

    name: str
    operands: list
    results: list
    body: str
    reference: Callable  # (values.., kind=) -> Expected or list of Expected
    kinds: tuple = ("integers", "normal", "special")
    sizes: list = field(default_factory=lambda: [{}])
    tf32: bool = False  # compiled so that products of f32 may be rounded to tf32, on a GPU
    schedule: tuple = ()  # lines of schedules by hand, on a GPU


def op(name, operands, results, attributes="", call=None):
    """The body of one op. `call`: how its operands are written, where that is not a plain list."""
    written = call or ", ".join(f"{{{i}}}" for i in range(len(operands)))
    inputs = ", ".join(f"{{t{i}}}" for i in range(len(operands)))
    named = ", ".join(f"{{r{i}}}" for i in range(len(results)))
    outputs = ", ".join(f"{{rt{i}}}" for i in range(len(results)))
    attributes = f" {{{{{attributes}}}}}" if attributes else ""
    return f"{named} = tenon.{name} {written}{attributes} : ({inputs}) -> ({outputs})"


def pairs(rng, *factors):
    """Tuples, one value of each factor, in which every two values of two factors meet: greedy."""
    factors = [list(dict.fromkeys(f)) for f in factors]
    if len(factors) == 1:
        return [(value,) for value in factors[0]]
    columns = list(itertools.combinations(range(len(factors)), 2))
    missing = {(i, j, a, b) for i, j in columns for a in factors[i] for b in factors[j]}
    rows = []
    while missing:
        best, best_gain = None, -1
        i, j, a, b = min(missing, key=str) if len(rows) % 2 else max(missing, key=str)
        for _ in range(12):
            row = [f[rng.integers(len(f))] for f in factors]
            row[i], row[j] = a, b
            gain = sum((p, q, row[p], row[q]) in missing for p, q in columns)
            if gain > best_gain:
                best, best_gain = row, gain
        missing -= {(p, q, best[p], best[q]) for p, q in columns}
        rows.append(tuple(best))
    return rows


def rows(rng, *factors):
    """Tuples in which every value of every factor comes once or more often, at random beside the others."""
    length = max(len(f) for f in factors)
    columns = []
    for values in factors:
        column = [v for _ in range(-(-length // len(values))) for v in rng.permutation(np.array(values, object))]
        columns.append(column[:length])
    return list(zip(*columns))


SPECIALS = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e30, -1e30, 1e-40, -1e-40, 88.9, -104.5, 1.0, -1.0, 0.5, -2.5]


def values_of(rng, dtype, shape, kind):
    """Data of a kind, as the type stores it."""
    if dtype.bits == 1:
        return rng.integers(0, 2, shape)
    if not dtype.is_float:
        if kind == "special":
            edge = np.array([dtype.low, dtype.high, 0, -1, 1, dtype.low + 1])
            return edge[rng.integers(0, len(edge), shape)]
        if kind == "normal":
            return rng.integers(max(dtype.low, -100), min(dtype.high, 100) + 1, shape)
        return rng.choice([-2, -1, 1, 2], shape).astype(np.int64)
    if kind == "integers":
        return rng.choice([-2.0, -1.0, 1.0, 2.0], shape)
    if kind == "positive":
        return round_to(dtype, rng.random(shape))
    values = rng.standard_normal(shape)
    if kind == "wide":
        values = values * np.exp2(rng.integers(-14, 15, shape[:-1] + (1,) if shape else shape))
    if kind == "special":
        chosen = rng.random(shape) < 0.3
        values = np.where(chosen, np.array(SPECIALS)[rng.integers(0, len(SPECIALS), shape)], 3 * values)
    return round_to(dtype, values)
