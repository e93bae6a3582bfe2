"""Values that carry the bound of their error through formulas. Between two ops a value may be rounded to storage or
not: both are within the bound.
"""

import numpy as np

from exec_cpu.cases import Expected
from exec_cpu.unary import ERROR


class Approximate:
    """A value and the bound of its error, in one storage type."""

    def __init__(self, dtype, value, error=0.0):
        self.dtype, self.value = dtype, np.asarray(value, np.float64)
        self.error = np.broadcast_to(error, self.value.shape)

    def stored(self, value, error):
        """A result that may be rounded to storage before it is read."""
        return Approximate(self.dtype, value, error * (1 + self.dtype.u) + self.dtype.u * np.abs(value))

    @property
    def u(self):
        return self.dtype.compute.u

    def linear(self, weight, bias=None):
        k = self.value.shape[-1]
        value = np.matmul(self.value, weight.T)
        size = np.matmul(np.abs(self.value) + self.error, np.abs(weight.T))
        if bias is not None:
            value, size = value + bias, size + np.abs(bias)
        return self.stored(
            value, np.matmul(self.error, np.abs(weight.T)) + (4 * np.sqrt(max(k, 1)) + 1) * self.u * size
        )

    def plus(self, other):
        value = self.value + other.value
        return self.stored(value, self.error + other.error + self.u * np.abs(value))

    def times(self, other):
        value = self.value * other.value
        error = self.error * np.abs(other.value) + other.error * np.abs(self.value) + self.error * other.error
        return self.stored(value, error + self.u * np.abs(value))

    def map(self, function, slope, units=ERROR):
        """A function whose derivative is at most `slope`, computed within `units` of max(|x|, |f(x)|)."""
        value = function(self.value)
        return self.stored(value, slope * self.error + units * self.u * np.maximum(np.abs(value), np.abs(self.value)))

    def layer_norm(self, weight, bias, epsilon):
        n, u, x = self.value.shape[-1], self.u, self.value
        root = 4 * np.sqrt(n)
        mean = x.mean(-1, keepdims=True)
        d_mean = u * (root * np.abs(x).mean(-1, keepdims=True) + np.abs(mean)) + self.error.mean(-1, keepdims=True)
        difference = x - mean
        d_difference = self.error + u * np.abs(difference) + d_mean
        variance = (difference**2).mean(-1, keepdims=True)
        d_variance = (2 * np.abs(difference) * d_difference + d_difference**2).mean(-1, keepdims=True) + (
            root + 4
        ) * u * variance
        shifted = variance + epsilon
        relative = 1 / np.sqrt(np.maximum(1 - d_variance / shifted, 0.01)) - 1 + 4 * u
        value = difference / np.sqrt(shifted)
        error = d_difference / np.sqrt(shifted) * (1 + relative) + np.abs(value) * relative
        value, error = value * weight + bias, error * np.abs(weight) + 3 * u * (np.abs(value * weight) + np.abs(bias))
        return self.stored(value, error)

    def softmax(self):
        n = self.value.shape[-1]
        shifted = self.value - self.value.max(-1, keepdims=True)
        p = np.exp(shifted)
        p = p / p.sum(-1, keepdims=True)
        relative = (
            np.expm1(2 * (self.error + self.u * np.abs(shifted)).max(-1, keepdims=True))
            + (12 + 4 * np.sqrt(n)) * self.u
        )
        return self.stored(p, p * relative)

    def matmul(self, other):
        k = self.value.shape[-1]
        left, right = np.abs(self.value), np.abs(other.value)
        value = np.matmul(self.value, other.value)
        error = (
            np.matmul(self.error, right + other.error)
            + np.matmul(left, other.error)
            + 4 * np.sqrt(max(k, 1)) * self.u * np.matmul(left + self.error, right + other.error)
        )
        return self.stored(value, error)

    def moved(self, function):
        return Approximate(self.dtype, function(self.value), function(self.error))

    @property
    def expected(self):
        # The check adds the error of the last rounding once more.
        return Expected(self.value, self.error)


def attend(q, k, v, scale, mask=None):
    scores = q.matmul(k.moved(lambda x: np.swapaxes(x, -1, -2)))
    scores = scores.map(lambda s: s * scale, scale, 1)
    if mask is not None:
        scores = scores.plus(Approximate(q.dtype, mask))
    return scores.softmax().matmul(v)


def heads(x, count):
    return x.moved(
        lambda a: (
            a.reshape(a.shape[:2] + (count, -1)).swapaxes(1, 2)
            if a.shape[1]
            else a.reshape(a.shape[:2] + (count, a.shape[2] // count)).swapaxes(1, 2)
        )
    )


def joined(x):
    return x.moved(lambda a: a.swapaxes(1, 2).reshape(a.shape[0], a.shape[2], a.shape[1] * a.shape[3]))
