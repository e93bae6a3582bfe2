"""Pooling over windows and resampling of images."""
from tenon.importer.op_table import INFINITY, op, per_dimension, require
from tenon.importer.text_builder import is_static


def _pool(b, mnemonic, x, window, stride, padding, ceil_mode, count, fill):
    """(result, with a batch dimension; whether the input had one)."""
    window = per_dimension(window, count)
    stride = per_dimension(stride, count) if stride not in ([], None) else window
    padding = per_dimension(padding, count)
    unbatched = x.rank == count + 1
    if unbatched:
        x = b.unsqueeze(x, 0)
    shape = list(b.results[0][1])
    shape = [1] + shape if unbatched else shape
    if ceil_mode:
        # The last window may hang over the edge: what it misses is filled in.
        high = []
        for size, result, w, s, p in zip(x.shape[2:], shape[2:], window, stride, padding):
            require(is_static(size), "ceil_mode over a run-time size")
            high.append(max((result - 1) * s + w - size - 2 * p, 0))
        if any(high):
            require(mnemonic == "max_pool", "average pooling with a window that hangs over the edge (ceil_mode)")
            padded = [size + more for size, more in zip(x.shape, [0, 0] + high)]
            x, = b.op("pad", [x], [(x.dtype, padded)], {"low": [0] * x.rank, "high": [0, 0] + high, "value": fill})
    result, = b.op(mnemonic, [x], [(x.dtype, shape)], {"window": window, "stride": stride, "padding": padding})
    return result, window, stride, padding


def _max_pool(count):
    def build(b, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
        require(all(d == 1 for d in per_dimension(dilation, count)), "max pooling with dilation")
        result = _pool(b, "max_pool", x, kernel_size, stride, padding, ceil_mode, count, -INFINITY)[0]
        result = b.reshape(result, b.result_shape)
        return [result, None] if len(b.results) > 1 else result
    return build


op("max_pool1d")(_max_pool(1))
op("max_pool2d", "max_pool2d_with_indices")(_max_pool(2))


def _avg_pool(count):
    def build(b, x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
              divisor_override=None):
        result, window, stride, padding = _pool(b, "avg_pool", x, kernel_size, stride, padding, ceil_mode, count, 0.0)
        if divisor_override:
            elements = 1
            for size in window:
                elements *= size
            result = b.arithmetic("mul", result, elements / divisor_override)
        elif not count_include_pad and any(padding):
            # The share of a window that is not padding is the mean of ones.
            spatial = x.shape[-count:]
            ones = b.full((1, 1) + tuple(spatial), 1.0, x.dtype)
            share, = b.op("avg_pool", [ones], [(x.dtype, (1, 1) + tuple(b.result_shape[-count:]))],
                          {"window": window, "stride": stride, "padding": padding})
            result = b.binary("div", result, share)
        return b.reshape(result, b.result_shape)
    return build


op("avg_pool1d")(_avg_pool(1))
op("avg_pool2d")(_avg_pool(2))


def _adaptive_avg_pool(count):
    def build(b, x, output_size):
        sizes = per_dimension(output_size, count)
        if all(size == 1 for size in sizes):
            return b.reduce("reduce_mean", x, range(x.rank - count, x.rank), True)
        spatial = x.shape[-count:]
        require(all(is_static(size) and size % to == 0 for size, to in zip(spatial, sizes)),
                "adaptive pooling to sizes that do not divide the input's")
        window = [size // to for size, to in zip(spatial, sizes)]
        if all(step == 1 for step in window):
            return x
        result = _pool(b, "avg_pool", x, window, window, 0, False, count, 0.0)[0]
        return b.reshape(result, b.result_shape)
    return build


op("adaptive_avg_pool1d")(_adaptive_avg_pool(1))
op("adaptive_avg_pool2d", "_adaptive_avg_pool2d")(_adaptive_avg_pool(2))


@op("adaptive_max_pool1d", "adaptive_max_pool2d")
def adaptive_max_pool(b, x, output_size):
    require(all(size == 1 for size in per_dimension(output_size, 1)), "adaptive max pooling to other sizes than 1")
    count = len(per_dimension(output_size, 1))
    return [b.reduce("reduce_max", x, range(x.rank - count, x.rank), True), None]


@op("upsample_nearest2d.vec", "upsample_nearest1d.vec", "upsample_nearest2d", "upsample_nearest1d")
def upsample_nearest(b, x, output_size, *unused):
    """Whole factors only: every element repeated."""
    shape = b.result_shape
    require(all(map(is_static, x.shape[2:])) and all(to % size == 0 for size, to in zip(x.shape[2:], shape[2:])),
            "upsampling by a factor that is not whole")
    apart, spread = list(x.shape[:2]), list(x.shape[:2])
    for size, to in zip(x.shape[2:], shape[2:]):
        apart += [size, 1]
        spread += [size, to // size]
    return b.reshape(b.expand(b.reshape(x, apart), spread), shape)


@op("pixel_shuffle")
def pixel_shuffle(b, x, factor):
    *lead, channels, height, width = x.shape
    apart = b.reshape(x, lead + [channels // factor**2, factor, factor, height, width])
    n = len(lead)
    order = list(range(n)) + [n, n + 3, n + 1, n + 4, n + 2]
    return b.reshape(b.transpose(apart, order), b.result_shape)


@op("pixel_unshuffle")
def pixel_unshuffle(b, x, factor):
    *lead, channels, height, width = x.shape
    apart = b.reshape(x, lead + [channels, height // factor, factor, width // factor, factor])
    n = len(lead)
    order = list(range(n)) + [n, n + 2, n + 4, n + 1, n + 3]
    return b.reshape(b.transpose(apart, order), b.result_shape)
