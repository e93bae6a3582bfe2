"""Casts between all element types."""

import numpy as np

from exec_cpu.cases import SIZES, Case, Expected, Operand, op, values_of
from exec_cpu.dtypes import ALL, F32, F64, round_to, wrap


def to_odd_double(value):
    """Integers as doubles with an odd last bit where they are not exact: rounding again is as good as rounding once."""
    near = value.astype(np.float64)
    odd = ((value >> 11 << 1) | ((value & 0x7FF) != 0)).astype(np.float64) * 1024
    return np.where(np.abs(near) < 2.0**53, near, odd)


def convert(value, source, to):
    if to.bits == 1:
        return Expected((value != 0).astype(np.int64))
    if to.is_float:
        if not source.is_float and to in (F32, F64):
            return Expected(value.astype({32: np.float32, 64: np.float64}[to.bits]).astype(np.float64))
        return Expected(round_to(to, to_odd_double(value) if not source.is_float else value))
    if source.is_float:
        return Expected(np.trunc(value).astype(np.int64))
    return Expected(wrap(to, value))


def in_range(source, to):
    """Values whose conversion is defined: to an integer only what it holds."""

    def make(rng, shape, kind):
        if not source.is_float or to.is_float or to.bits == 1:
            return values_of(rng, source, shape, kind)
        limit = min(float(to.high), source.largest, 2.0**40)
        values = rng.uniform(-limit, limit, shape) if kind == "special" else rng.uniform(-7, 7, shape)
        values = round_to(source, np.clip(values, -limit, limit))
        return np.where(np.abs(values) > to.high, 1.5, values)

    return make


def cases(rng):
    result = []
    for source in ALL:
        for to in ALL:
            n = int(rng.choice(SIZES)) if to.bits != 8 else 33  # one element beyond a vector: see CodeGeneration.cpp
            for label, dims, sizes in (("dynamic", ("n", 6), [{"n": n}, {"n": 0}, {"n": 11}]), ("static", (n,), [{}])):
                result.append(
                    Case(
                        f"cast_{source}_{to}_{label}",
                        [Operand(source, dims, in_range(source, to))],
                        [Operand(to, dims)],
                        op("cast", [0], [0]),
                        lambda x, kind, s=source, t=to: convert(x, s, t),
                        ("integers", "normal", "special"),
                        sizes,
                    )
                )
    return result
