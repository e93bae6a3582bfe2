"""Convolution and pooling, one and two spatial dimensions."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from exec_cpu.cases import Case, Expected, Operand, op, rows
from exec_cpu.contractions import kinds_of, product_data, summed
from exec_cpu.dtypes import F32, FLOATS


def windows(x, window, stride, padding, dilation, outside):
    """[N, C, position.., tap..]"""
    spatial = len(window)
    x = np.pad(x, [(0, 0), (0, 0)] + [(p, p) for p in padding], constant_values=outside)
    reach = [d * (w - 1) + 1 for w, d in zip(window, dilation)]
    views = sliding_window_view(x, reach, axis=tuple(range(2, 2 + spatial)))
    index = (
        (slice(None),) * 2 + tuple(slice(None, None, s) for s in stride) + tuple(slice(None, None, d) for d in dilation)
    )
    return views[index]


def array(values):
    return f"array<i64: {', '.join(map(str, values))}>"


def convolution(
    name, dtype, n, channels, outputs, groups, spatial, window, stride, padding, dilation, bias, weight, sizes
):
    count = len(window)

    def compute(x, w, *b, kind):
        taps = windows(x, window, stride, padding, dilation, 0.0)
        letters, positions = "uv"[:count], "pq"[:count]
        parts = []
        for values, weights in ((taps, w), (np.abs(taps), np.abs(w))):
            grouped = values.reshape((values.shape[0], groups, channels // groups) + values.shape[2:])
            weights = weights.reshape((groups, outputs // groups) + weights.shape[1:])
            part = np.einsum(f"ngc{positions}{letters},goc{letters}->ngo{positions}", grouped, weights)
            parts.append(part.reshape((part.shape[0], outputs) + part.shape[3:]))
        value, size = parts
        if b:
            column = b[0].reshape((-1,) + (1,) * count)
            value, size = value + column, size + np.abs(column)
        return summed(dtype, value, size, channels // groups * int(np.prod(window)), kind, 1 if b else 0)

    operands = [
        Operand(dtype, (n, channels) + spatial, product_data(dtype)),
        Operand(dtype, (outputs, channels // groups) + window, product_data(dtype), weight),
    ]
    if bias:
        operands.append(Operand(dtype, (outputs,), product_data(dtype), weight))
    attributes = f"stride = {array(stride)}, padding = {array(padding)}, dilation = {array(dilation)}" + (
        f", groups = {groups} : i64" if groups > 1 else ""
    )
    out = tuple(size_of(s, *rest) for s, *rest in zip(spatial, window, stride, padding, dilation))
    return Case(
        name,
        operands,
        [Operand(dtype, (n, outputs) + out)],
        op("convolution", operands, [0], attributes),
        compute,
        [k for k in kinds_of(dtype) if k != "wide"],
        sizes,
    )


def size_of(size, window, stride, padding, dilation):
    return "out" if isinstance(size, str) else (size + 2 * padding - dilation * (window - 1) - 1) // stride + 1


def pool(name, kind_of, dtype, n, channels, spatial, window, stride, padding, sizes):
    def compute(x, kind):
        ones = (1,) * len(window)
        taps = windows(x, window, stride, padding, ones, -np.inf if kind_of == "max" else 0.0)
        axes, count = tuple(range(-len(window), 0)), int(np.prod(window))
        if kind_of == "max":
            return Expected(taps.max(axes))
        value = taps.mean(axes)
        size = (4 * np.sqrt(count) + 1) * dtype.compute.u * np.abs(taps).mean(axes)
        return Expected(value, size)

    attributes = f"window = {array(window)}, stride = {array(stride)}, padding = {array(padding)}"
    out = tuple(size_of(s, w, st, p, 1) for s, w, st, p in zip(spatial, window, stride, padding))
    return Case(
        name,
        [Operand(dtype, (n, channels) + spatial)],
        [Operand(dtype, (n, channels) + out)],
        op(f"{kind_of}_pool", [0], [0], attributes),
        compute,
        ("integers", "normal", "special"),
        sizes,
    )


def cases(rng):
    result = []
    shapes = [(1, 1, 1), (3, 8, 1), (4, 4, 4), (6, 9, 3), (16, 17, 1), (32, 32, 32), (8, 16, 2), (3, 64, 1)]
    steps = [(1, 0, 1), (2, 1, 1), (1, 2, 2), (4, 0, 1), (3, 3, 3)]
    for number, ((c, o, g), (stride, padding, dilation), window, length, n) in enumerate(
        rows(rng, shapes * 3, steps * 5, [1, 2, 3, 4, 5] * 5, [13, 16, 17, 31, 32, 33, 65], [1, 2, 3])
    ):
        dtype = F32 if number % 3 else FLOATS[number // 3 % 4]
        label = f"{dtype}_{number}_c{c}o{o}g{g}_w{window}s{stride}p{padding}d{dilation}"
        options = ((window,), (stride,), (padding,), (dilation,), number % 2 == 0, number % 4 < 2)
        dynamic = [{"n": 2, "s": length}, {"n": 1, "s": length + 7}, {"n": 0, "s": length}]
        result.append(convolution(f"convolution1_{label}", dtype, "n", c, o, g, ("s",), *options, dynamic))
        width = max(int(rng.choice([9, 15, 16, 17])), dilation * (window - 1) + 1)
        height = dilation * window
        options = ((window, 2), (stride, 1), (padding, 0), (dilation, 2), number % 2 == 0, number % 4 < 2)
        result.append(convolution(f"convolution2_{label}", dtype, n, c, o, g, (height, width), *options, [{}]))
    result.append(
        convolution(
            "convolution2_patches",
            F32,
            "n",
            3,
            24,
            1,
            (32, 32),
            (16, 16),
            (16, 16),
            (0, 0),
            (1, 1),
            True,
            True,
            [{"n": 1}, {"n": 3}],
        )
    )
    result.append(
        convolution(
            "convolution1_depthwise",
            F32,
            "n",
            17,
            17,
            17,
            ("s",),
            (4,),
            (1,),
            (3,),
            (1,),
            True,
            True,
            [{"n": 1, "s": 1}, {"n": 2, "s": 33}],
        )
    )
    for dtype in FLOATS:
        for kind_of in ("max", "avg"):
            for number, (window, stride, padding, size) in enumerate(
                ((2, 2, 0, 16), (3, 2, 1, 17), (3, 1, 1, 33), (1, 1, 0, 7), (5, 3, 2, 9))
            ):
                result.append(
                    pool(
                        f"{kind_of}_pool1_{dtype}_{number}",
                        kind_of,
                        dtype,
                        "n",
                        3,
                        ("s",),
                        (window,),
                        (stride,),
                        (padding,),
                        [{"n": 2, "s": size}, {"n": 1, "s": size + 3}, {"n": 0, "s": size}],
                    )
                )
                result.append(
                    pool(
                        f"{kind_of}_pool2_{dtype}_{number}",
                        kind_of,
                        dtype,
                        2,
                        5,
                        (size, 8),
                        (window, 3),
                        (stride, 2),
                        (padding, 1),
                        [{}],
                    )
                )
    return result
