"""Element types: how they round, how they are stored, how exact they are.

Values are float64 arrays for floats and int64 arrays for integers; storage is what a buffer holds (i1 a byte each, i4
two to a byte, the low nibble first).
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class DType:
    name: str
    code: int  # tenon_dtype
    bits: int
    is_float: bool
    precision: int = 0  # significand bits, the hidden one included
    least: int = 0  # exponent of the least normal number
    largest: float = 0.0

    @property
    def u(self):
        """Unit roundoff: the relative error of rounding to nearest."""
        return 2.0**-self.precision

    @property
    def tiny(self):
        """Half the distance of denormals: the absolute error of rounding near 0."""
        return max(2.0 ** (self.least - self.precision), 5e-324)  # half a step, which f64 itself cannot say

    @property
    def compute(self):
        """The type that elements are computed in."""
        return F32 if self.is_float and self.bits < 32 else self

    @property
    def low(self):
        return -(1 << (self.bits - 1)) if self.bits > 1 else 0

    @property
    def high(self):
        return (1 << (self.bits - 1)) - 1 if self.bits > 1 else 1

    def __str__(self):
        return self.name


F64 = DType("f64", 0, 64, True, 53, -1022, float(np.finfo(np.float64).max))
F32 = DType("f32", 1, 32, True, 24, -126, float(np.finfo(np.float32).max))
F16 = DType("f16", 2, 16, True, 11, -14, 65504.0)
BF16 = DType("bf16", 3, 16, True, 8, -126, 255 * 2.0**120)
F8E4M3 = DType("f8E4M3FN", 4, 8, True, 4, -6, 448.0)
F8E5M2 = DType("f8E5M2", 5, 8, True, 3, -14, 57344.0)
I64 = DType("i64", 6, 64, False)
I32 = DType("i32", 7, 32, False)
I8 = DType("i8", 9, 8, False)
I4 = DType("i4", 10, 4, False)
I1 = DType("i1", 11, 1, False)

FLOATS = [F32, BF16, F16, F64]
INTEGERS = [I64, I32, I8]
ALL = [F64, F32, F16, BF16, F8E4M3, F8E5M2, I64, I32, I8, I4, I1]


def round_to(dtype, values):
    """The nearest value of the type, halves to even; above the range an infinity, in f8E4M3FN NaN. Integers wrap."""
    if not dtype.is_float:
        return wrap(dtype, values)
    values = np.asarray(values, np.float64)
    if dtype is F64:
        return values
    with np.errstate(all="ignore"):
        _, exponent = np.frexp(values)
        quantum = np.ldexp(1.0, np.maximum(exponent - dtype.precision, dtype.least - dtype.precision + 1))
        rounded = np.rint(values / quantum) * quantum
        rounded = np.where(np.isfinite(values), rounded, values)
        beyond = np.abs(rounded) > dtype.largest
        outside = np.nan if dtype is F8E4M3 else np.copysign(np.inf, rounded)
        return np.where(beyond, outside, rounded)


def wrap(dtype, values):
    values = np.asarray(values).astype(np.int64, copy=False)
    if dtype.bits == 64:
        return values
    if dtype.bits == 1:
        return values & 1
    shift = np.int64(64 - dtype.bits)
    return (values << shift) >> shift


def _e4m3_table():
    codes = np.arange(128)
    exponent, mantissa = codes >> 3, codes & 7
    table = np.where(exponent == 0, mantissa * 2.0**-9, (8 + mantissa) * 2.0 ** (exponent - 10.0))
    table[127] = np.nan
    return table


_E4M3 = _e4m3_table()


def encode(dtype, values):
    """Storage of values that the type can represent, as a flat array of bytes."""
    flat = np.ascontiguousarray(values).reshape(-1)
    if dtype is F64:
        stored = flat.astype(np.float64)
    elif dtype is F32:
        stored = flat.astype(np.float32)
    elif dtype is F16:
        stored = flat.astype(np.float16)
    elif dtype is BF16:
        stored = (flat.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
        stored = np.where(np.isnan(flat), np.uint16(0x7FC0), stored)
    elif dtype is F8E5M2:
        stored = (flat.astype(np.float16).view(np.uint16) >> 8).astype(np.uint8)
        stored = np.where(np.isnan(flat), np.uint8(0x7E), stored)
    elif dtype is F8E4M3:
        code = np.searchsorted(_E4M3[:127], np.abs(flat)).astype(np.uint8)
        code = np.where(np.isnan(flat), np.uint8(0x7F), code)
        stored = code | (np.signbit(flat).astype(np.uint8) << 7)
    elif dtype is I4:
        nibbles = (flat & 15).astype(np.uint8)
        nibbles = np.append(nibbles, np.zeros(len(nibbles) % 2, np.uint8))
        stored = nibbles[0::2] | (nibbles[1::2] << 4)
    else:
        stored = flat.astype({64: np.int64, 32: np.int32, 8: np.int8, 1: np.uint8}[dtype.bits])
    return np.frombuffer(stored.tobytes(), np.uint8)


def decode(dtype, stored, shape):
    """The inverse: values of `shape` from bytes."""
    count = int(np.prod(shape, dtype=np.int64))
    raw = np.frombuffer(stored.tobytes(), np.uint8)
    if dtype is I4:
        nibbles = np.stack([raw & 15, raw >> 4], axis=1).reshape(-1)[:count].astype(np.int64)
        return wrap(I4, nibbles).reshape(shape)
    if dtype is BF16:
        single = (raw.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
        with np.errstate(invalid="ignore"):  # a signalling NaN
            values = single.astype(np.float64)
    elif dtype is F8E5M2:
        values = (raw.astype(np.uint16) << 8).view(np.float16).astype(np.float64)
    elif dtype is F8E4M3:
        values = np.where(raw & 128, -1.0, 1.0) * _E4M3[raw & 127]
    elif dtype.is_float:
        values = raw.view({64: np.float64, 32: np.float32, 16: np.float16}[dtype.bits]).astype(np.float64)
    else:
        values = raw.view({64: np.int64, 32: np.int32, 8: np.int8, 1: np.uint8}[dtype.bits]).astype(np.int64)
    return values.reshape(shape)


def num_bytes(dtype, shape):
    count = int(np.prod(shape, dtype=np.int64))
    return (count + 1) // 2 if dtype is I4 else count * max(dtype.bits // 8, 1)
