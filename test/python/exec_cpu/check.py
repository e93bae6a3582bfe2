"""Whether a result is right: quality rules N1 (exact data, equal bits), N2 (every element within a derived bound), N3 (a
root mean square error of at most 1.25 times a plain kernel's), N6 (NaN and infinities where the reference has them)."""

import numpy as np

from exec_cpu.dtypes import round_to


def mismatch(dtype, got, expected):
    """What is wrong with `got`, or None."""
    value = np.asarray(expected.value)
    if got.shape != value.shape:
        return f"shape {list(got.shape)}, the reference has {list(value.shape)}"
    if not dtype.is_float:
        return _first(got, value, got != round_to(dtype, value))
    value = value.astype(np.float64, copy=False)
    with np.errstate(all="ignore"):
        rounded = round_to(dtype, value)
        same = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
        if expected.bound is None:
            return _first(got, rounded, ~same)
        bound = np.broadcast_to(expected.bound, value.shape) + dtype.u * np.abs(value) + dtype.tiny
        # Near the end of the range both an infinity and the largest number may be right.
        top = dtype.largest * (1 + dtype.u)
        may_overflow = np.isinf(got) & (np.abs(value) + bound >= top) & (np.sign(got) == np.sign(value))
        near = np.isfinite(got) & np.isfinite(value) & (np.abs(got - value) <= bound)
        flushed = (got == 0) & (np.abs(value) <= expected.flush)
        outside = _first(got, value, ~(same | near | may_overflow | flushed), bound)
        return outside or (_beside_plain(got, value, *expected.plain) if expected.plain else None)


MOST_BESIDE_PLAIN = 1.25


def _beside_plain(got, value, rows, columns, plain):
    places = np.ix_(rows, columns)
    exact, seen = (each.reshape(-1, each.shape[-1])[places] for each in (value, got))
    error, usual = (float(np.sqrt(np.mean((each - exact) ** 2))) for each in (seen, plain))
    if error <= MOST_BESIDE_PLAIN * usual:
        return None
    return f"root mean square error {error:.3g}, of a plain kernel {usual:.3g}: {error / max(usual, 1e-300):.3g} times"


def _first(got, value, bad, bound=None):
    if not bad.any():
        return None
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape))
    text = f"{int(bad.sum())} of {bad.size} elements; at {list(index)} got {got[index]!r}, expected {value[index]!r}"
    return text if bound is None else f"{text} within {bound[index]:.3g}"
