"""Data for kernels as 32-bit words, made of bits alone, so that every machine makes the same."""

import numpy as np

FLOATS = {"f16": (5, 10), "bf16": (8, 7), "tf32": (8, 23), "f32": (8, 23), "f8E4M3FN": (4, 3), "f8E5M2": (5, 2)}
BITS = {"f16": 16, "bf16": 16, "tf32": 32, "f32": 32, "f8E4M3FN": 8, "f8E5M2": 8, "i8": 8, "ui8": 8, "i32": 32}
RANGES = {"normal": (-4, 1), "near": (0, 0), "wide": (-10, 10), "special": (-4, 1), "edges": (-4, 1)}  # of the exponent


def raw(seed, count):
    return np.random.PCG64(seed).random_raw(count)


def floats(element, count, kind, seed):
    """`integers`: -4 to 4; `near`: one exponent; `wide`: many; `special`: zeros, denormals, the largest, inf, NaN too, of
    which most of `edges` are."""
    exponent_bits, fraction_bits = FLOATS[element]
    bias = (1 << (exponent_bits - 1)) - 1
    bits = raw(seed, count)
    sign = (bits >> np.uint64(63)) << np.uint64(exponent_bits + fraction_bits)
    if kind == "integers":
        values = (bits % np.uint64(5)).astype(int)
        exponent = np.array([0, 0, 1, 1, 2])[values] + bias
        fraction = np.where(values == 3, 1 << (fraction_bits - 1), 0)
        magnitude = np.where(values == 0, 0, exponent << fraction_bits | fraction)
        return sign | magnitude.astype(np.uint64)
    low, high = RANGES[kind]
    most = (1 << exponent_bits) - (1 if element == "f8E4M3FN" else 2) - bias
    low, high = max(low, 1 - bias), min(high, most - 1)
    exponent = (bits >> np.uint64(32)) % np.uint64(high - low + 1) + np.uint64(low + bias)
    magnitude = exponent << np.uint64(fraction_bits) | (bits & np.uint64((1 << fraction_bits) - 1))
    if kind in ("special", "edges"):
        ones = (1 << exponent_bits) - 1
        if element == "f8E4M3FN":  # no infinity
            choices = [0, 1, 7, 8, 0x7E, 0x7F]
        else:
            top = ones << fraction_bits
            choices = [0, 1, (1 << fraction_bits) - 1, 1 << fraction_bits, top - 1, top, top | 1 << (fraction_bits - 1)]
        # Where sums are long most stay as they are, or none would be finite.
        which = (bits >> np.uint64(40)) % np.uint64(96 if kind == "special" else 9)
        for index, choice in enumerate(choices):
            magnitude = np.where(which == index, np.uint64(choice), magnitude)
    return sign | magnitude


def elements(element, count, kind, seed):
    if element not in FLOATS:
        bits = raw(seed, count)
        if kind == "special":
            top = 1 << (BITS[element] - 1)
            return np.array([top, top - 1, 2 * top - 1, 0], np.uint64)[(bits % np.uint64(4)).astype(int)]
        return bits & np.uint64((1 << BITS[element]) - 1)
    return floats(element, count, kind, seed)


def packed(codes, bits):
    """Codes of elements as words, the first in the lowest bits."""
    each = 32 // bits
    codes = np.asarray(codes, np.uint64).reshape(-1, each)
    shifts = (np.arange(each) * bits).astype(np.uint64)
    return np.bitwise_or.reduce(codes << shifts, axis=1).astype(np.uint32)


def other_than_nan(simulated, device):
    """Which words of f32 differ, where NaN is NaN."""
    def is_nan(words):
        return (words & 0x7FFFFFFF) > 0x7F800000

    return (simulated != device) & ~(is_nan(simulated) & is_nan(device))
