"""What models do: several ops that become one kernel, or that a pass rewrites. Their values
carry the bounds of their errors (approximate.py).
"""

import numpy as np

from exec_cpu.approximate import Approximate, attend, heads, joined
from exec_cpu.cases import SIZES, Case, Expected, Operand, rows
from exec_cpu.dtypes import F32, F64, FLOATS, I64, round_to
from exec_cpu.unary import gelu, sigmoid


def lines(*texts):
    return "\n".join(texts)


def cases(rng):
    result = []
    rows_m = [{"m": m} for m in (1, 2, 7, 16, 17, 64, 129)]
    for dtype in FLOATS:
        for number, (n, k) in enumerate(rows(rng, SIZES[:-1], SIZES[:-1])[: 10 if dtype is F32 else 3]):
            result += epilogues(dtype, number, n, k, rows_m)
        result += norms(dtype) + blocks(dtype, rng) + pooling(dtype)
    return result


def epilogues(dtype, number, n, k, sizes):
    """Work at the end of a contraction, in its registers."""
    x, w, b = Operand(dtype, ("m", k)), Operand(dtype, (n, k), weight=True), Operand(dtype, (n,), weight=True)
    r, out = Operand(dtype, ("m", n)), [Operand(dtype, ("m", n))]
    first = "{p}0 = tenon.linear {0}, {1}, {2} : ({t0}, {t1}, {t2}) -> {rt0}"
    unary = "%s = tenon.%s %s : ({rt0}) -> {rt0}"
    binary = "%s = tenon.%s %s, %s : ({rt0}, {rt0}) -> {rt0}"

    def start(x, w, b):
        return Approximate(dtype, x).linear(w, b)

    label = f"{dtype}_{number}_n{n}_k{k}"
    kinds = ("normal",)
    result = []
    for name, function, slope in (
        ("gelu", gelu, 1.13),
        ("relu", lambda x: np.maximum(x, 0), 1),
        ("silu", lambda x: x * sigmoid(x), 1.1),
        ("tanh", np.tanh, 1),
    ):
        result.append(
            Case(
                f"linear_{name}_{label}",
                [x, w, b],
                out,
                lines(first, unary % ("{r0}", name, "{p}0")),
                lambda x, w, b, kind, f=function, s=slope: start(x, w, b).map(f, s).expected,
                kinds,
                sizes,
            )
        )
    result.append(
        Case(
            f"linear_residual_{label}",
            [x, w, b, r],
            out,
            lines(first, binary % ("{r0}", "add", "{p}0", "{3}")),
            lambda x, w, b, r, kind: start(x, w, b).plus(Approximate(dtype, r)).expected,
            kinds,
            sizes,
        )
    )
    result.append(
        Case(
            f"linear_gelu_residual_{label}",
            [x, w, b, r],
            out,
            lines(first, unary % ("{p}1", "gelu", "{p}0"), binary % ("{r0}", "add", "{3}", "{p}1")),
            lambda x, w, b, r, kind: start(x, w, b).map(gelu, 1.13).plus(Approximate(dtype, r)).expected,
            kinds,
            sizes,
        )
    )
    result.append(
        Case(
            f"linear_gated_{label}",
            [x, w, b, r],
            out,
            lines(first, "{r0} = tenon.swiglu {p}0, {3} : ({rt0}, {t3}) -> {rt0}"),
            lambda x, w, b, r, kind: start(x, w, b)
            .map(lambda a: a * sigmoid(a), 1.1)
            .times(Approximate(dtype, r))
            .expected,
            kinds,
            sizes,
        )
    )
    column = Operand(dtype, ("m", 1))
    result.append(
        Case(
            f"linear_scaled_rows_{label}",
            [x, w, b, column],
            out,
            lines(first, "{r0} = tenon.mul {p}0, {3} : ({rt0}, {t3}) -> {rt0}"),
            lambda x, w, b, c, kind: start(x, w, b).times(Approximate(dtype, c)).expected,
            kinds,
            sizes,
        )
    )
    wide = F32 if dtype.bits < 32 else F64 if dtype is F32 else F32
    result.append(
        Case(
            f"linear_cast_{label}",
            [x, w, b],
            [Operand(wide, ("m", n))],
            lines(
                first.replace("{rt0}", f"tensor<?x{n}x{dtype}>"),
                f"{{r0}} = tenon.cast {{p}}0 : (tensor<?x{n}x{dtype}>) -> {{rt0}}",
            ),
            lambda x, w, b, kind: start(x, w, b).expected,
            kinds,
            sizes,
        )
    )
    return result


def norms(dtype):
    result = []
    for n in (7, 32, 33, 384):
        x, p = Operand(dtype, ("a", "b", n)), Operand(dtype, (n,), weight=True)
        sizes = [{"a": a, "b": b} for a, b in ((1, 1), (2, 17), (3, 8), (0, 4))]
        result.append(
            Case(
                f"residual_layer_norm_{dtype}_{n}",
                [x, x, p, p],
                [x],
                lines(
                    "{p}0 = tenon.add {0}, {1} : ({t0}, {t1}) -> {rt0}",
                    "{r0} = tenon.layer_norm {p}0 weight({2}) bias({3}) {{epsilon = 1.0e-12 : f64}}"
                    " : ({rt0}, {t2}, {t3}) -> {rt0}",
                ),
                lambda x, y, w, b, kind: Approximate(dtype, x)
                .plus(Approximate(dtype, y))
                .layer_norm(w, b, 1e-12)
                .expected,
                ("normal", "positive"),
                sizes,
            )
        )
        # As exporters decompose it.
        keep = f"tensor<?x?x1x{dtype}>"
        result.append(
            Case(
                f"decomposed_layer_norm_{dtype}_{n}",
                [x, p, p],
                [x],
                lines(
                    f"{{p}}m = tenon.reduce_mean {{0}} {{{{axes = array<i64: 2>, keep_dims}}}} : ({{t0}}) -> {keep}",
                    f"{{p}}d = tenon.sub {{0}}, {{p}}m : ({{t0}}, {keep}) -> {{rt0}}",
                    "{p}s = tenon.mul {p}d, {p}d : ({rt0}, {rt0}) -> {rt0}",
                    f"{{p}}v = tenon.reduce_mean {{p}}s {{{{axes = array<i64: 2>, keep_dims}}}} : ({{rt0}}) -> {keep}",
                    f"{{p}}e = tenon.constant dense<1.0e-3> : tensor<{dtype}>",
                    f"{{p}}a = tenon.add {{p}}v, {{p}}e : ({keep}, tensor<{dtype}>) -> {keep}",
                    f"{{p}}r = tenon.rsqrt {{p}}a : ({keep}) -> {keep}",
                    f"{{p}}n = tenon.mul {{p}}d, {{p}}r : ({{rt0}}, {keep}) -> {{rt0}}",
                    "{p}w = tenon.mul {p}n, {1} : ({rt0}, {t1}) -> {rt0}",
                    "{r0} = tenon.add {p}w, {2} : ({rt0}, {t2}) -> {rt0}",
                ),
                lambda x, w, b, kind: decomposed_norm(dtype, x, w, b),
                ("normal",),
                sizes,
            )
        )
    return result


def decomposed_norm(dtype, x, w, b):
    """The steps one by one, each of which may be rounded to storage."""
    if x.size == 0:
        return Expected(x)
    eps, u, n = round_to(dtype, 1e-3), dtype.compute.u, x.shape[-1]
    start = Approximate(dtype, x)

    def mean(a):
        value = a.value.mean(-1, keepdims=True)
        size = (np.abs(a.value) + a.error).mean(-1, keepdims=True)
        return a.stored(value, a.error.mean(-1, keepdims=True) + (4 * np.sqrt(n) + 1) * u * size)

    m = mean(start)
    d = start.plus(Approximate(dtype, -m.value, m.error))
    v = mean(d.times(d))
    shifted = v.plus(Approximate(dtype, eps))
    low = np.maximum(shifted.value - shifted.error, eps * 0.9)
    r = shifted.stored(
        1 / np.sqrt(shifted.value), 1 / np.sqrt(low) - 1 / np.sqrt(shifted.value) + 4 * u / np.sqrt(shifted.value)
    )
    return d.times(r).times(Approximate(dtype, w)).plus(Approximate(dtype, b)).expected


def blocks(dtype, rng):
    """Attention between its projections, and as exporters decompose it."""
    result = []
    for width, count in ((32, 4), (48, 3), (64, 1)):
        d = width // count
        x, w = Operand(dtype, ("a", "s", width)), Operand(dtype, (3 * width, width), weight=True)
        b, o = Operand(dtype, (3 * width,), weight=True), Operand(dtype, (width, width), weight=True)
        split, whole, four = (
            f"tensor<?x?x{width}x{dtype}>",
            f"tensor<?x?x{3 * width}x{dtype}>",
            f"tensor<?x?x{count}x{d}x{dtype}>",
        )
        turned = f"tensor<?x{count}x?x{d}x{dtype}>"
        sizes = [{"a": a, "s": s} for a, s in ((1, 1), (2, 7), (1, 33), (3, 16), (2, 0))]

        def reference(x, w, b, o, kind, count=count, d=d):
            merged = Approximate(dtype, x).linear(w, b)
            q, k, v = (heads(merged.moved(lambda a, i=i: np.split(a, 3, -1)[i]), count) for i in range(3))
            return joined(attend(q, k, v, 1 / np.sqrt(d))).linear(o).expected if x.shape[1] else Expected(x)

        text = [
            "{p}n = tenon.dim {0} {{axis = 0 : i64}} : ({t0}) -> tensor<i64>",
            "{p}m = tenon.dim {0} {{axis = 1 : i64}} : ({t0}) -> tensor<i64>",
            f"{{p}}w = tenon.linear {{0}}, {{1}}, {{2}} : ({{t0}}, {{t1}}, {{t2}}) -> {whole}",
            f"{{p}}q, {{p}}k, {{p}}v = tenon.split {{p}}w {{{{axis = 2 : i64, sizes = array<i64: "
            f"{width}, {width}, {width}>"
            f"}}}} : ({whole}) -> ({split}, {split}, {split})",
        ]
        for name in "qkv":
            text.append(
                f"{{p}}{name}4 = tenon.reshape {{p}}{name}, {{p}}n, {{p}}m"
                f" : ({split}, tensor<i64>, tensor<i64>) -> {four}"
            )
            text.append(
                f"{{p}}{name}t = tenon.transpose {{p}}{name}4 {{{{permutation = array<i64: 0, 2, 1, 3>}}}}"
                f" : ({four}) -> {turned}"
            )
        text += [
            f"{{p}}a = tenon.attention {{p}}qt, {{p}}kt, {{p}}vt : ({turned}, {turned}, {turned}) -> {turned}",
            f"{{p}}at = tenon.transpose {{p}}a {{{{permutation = array<i64: 0, 2, 1, 3>}}}} : ({turned}) -> {four}",
            f"{{p}}j = tenon.reshape {{p}}at, {{p}}n, {{p}}m : ({four}, tensor<i64>, tensor<i64>) -> {split}",
            f"{{r0}} = tenon.linear {{p}}j, {{3}} : ({split}, {{t3}}) -> {{rt0}}",
        ]
        result.append(
            Case(
                f"self_attention_{dtype}_{width}_{count}",
                [x, w, b, o],
                [x],
                lines(*text),
                reference,
                ("normal",),
                sizes,
            )
        )

        q, mask = Operand(dtype, ("a", count, "s", d)), Operand(dtype, ("a", 1, 1, "s"))
        scores = f"tensor<?x{count}x?x?x{dtype}>"
        result.append(
            Case(
                f"decomposed_attention_{dtype}_{width}_{count}",
                [q, q, q, mask],
                [q],
                lines(
                    f"{{p}}s = tenon.matmul {{0}}, {{1}} {{{{transpose_b}}}} : ({{t0}}, {{t1}}) -> {scores}",
                    f"{{p}}c = tenon.constant dense<0.25> : tensor<{dtype}>",
                    f"{{p}}f = tenon.mul {{p}}s, {{p}}c : ({scores}, tensor<{dtype}>) -> {scores}",
                    f"{{p}}m = tenon.add {{p}}f, {{3}} : ({scores}, {{t3}}) -> {scores}",
                    f"{{p}}p = tenon.softmax {{p}}m {{{{axis = 3 : i64}}}} : ({scores}) -> {scores}",
                    f"{{r0}} = tenon.matmul {{p}}p, {{2}} : ({scores}, {{t2}}) -> {{rt0}}",
                ),
                lambda q, k, v, m, kind: (
                    attend(*(Approximate(dtype, a) for a in (q, k, v)), 0.25, m).expected if q.shape[2] else Expected(q)
                ),
                ("normal",),
                sizes,
            )
        )
    # Embeddings of tokens and positions, added and normalised.
    t, p, n = (
        Operand(dtype, (50, 24), weight=True),
        Operand(dtype, (64, 24), weight=True),
        Operand(dtype, (24,), weight=True),
    )
    ids = Operand(I64, ("a", "s"), lambda rng, shape, kind: rng.integers(0, 50, shape))
    whole = f"tensor<?x?x24x{dtype}>"
    result.append(
        Case(
            f"embeddings_{dtype}",
            [ids, t, p, n, n],
            [Operand(dtype, ("a", "s", 24))],
            lines(
                "{p}s = tenon.dim {0} {{axis = 1 : i64}} : ({t0}) -> tensor<i64>",
                "{p}i = tenon.iota {p}s {{axis = 0 : i64}} : (tensor<i64>) -> tensor<?xi64>",
                f"{{p}}t = tenon.embedding {{1}}, {{0}} : ({{t1}}, {{t0}}) -> {whole}",
                f"{{p}}q = tenon.embedding {{2}}, {{p}}i : ({{t2}}, tensor<?xi64>) -> tensor<?x24x{dtype}>",
                f"{{p}}e = tenon.add {{p}}t, {{p}}q : ({whole}, tensor<?x24x{dtype}>) -> {whole}",
                f"{{r0}} = tenon.layer_norm {{p}}e weight({{3}}) bias({{4}}) {{{{epsilon = 1.0e-12 : f64}}}}"
                f" : ({whole}, {{t3}}, {{t4}}) -> {{rt0}}",
            ),
            lambda i, t, p, w, b, kind: Approximate(dtype, t[i])
            .plus(Approximate(dtype, np.broadcast_to(p[: i.shape[1]], i.shape + (24,))))
            .layer_norm(w, b, 1e-12)
            .expected,
            ("normal",),
            [{"a": a, "s": s} for a, s in ((1, 1), (2, 9), (3, 64), (1, 0))],
        )
    )
    return result


def pooling(dtype):
    """The mean of the visible rows: a mask of integers becomes numbers, products are summed, counts are at least 1."""
    x, mask = Operand(dtype, ("a", "s", 40)), Operand(
        I64, ("a", "s"), lambda rng, shape, kind: rng.integers(0, 2, shape)
    )
    whole, row = f"tensor<?x?x40x{dtype}>", f"tensor<?x40x{dtype}>"

    def reference(x, m, kind):
        a, weights = Approximate(dtype, x), Approximate(dtype, np.broadcast_to(m[..., None], x.shape).astype(float))
        n, product = max(x.shape[1], 1), a.times(weights)
        size = (np.abs(product.value) + product.error).sum(1)
        total = product.stored(product.value.sum(1), product.error.sum(1) + 4 * np.sqrt(n) * a.u * size)
        count = np.maximum(m.sum(1), 1)[:, None].astype(float)
        # Counts up to 256 are exact in bf16 too.
        return total.stored(total.value / count, total.error / count + 2 * a.u * np.abs(total.value / count)).expected

    return [
        Case(
            f"mean_pooling_{dtype}",
            [x, mask],
            [Operand(dtype, ("a", 40))],
            lines(
                "{p}a = tenon.dim {1} {{axis = 0 : i64}} : ({t1}) -> tensor<i64>",
                "{p}b = tenon.dim {1} {{axis = 1 : i64}} : ({t1}) -> tensor<i64>",
                "{p}m = tenon.reshape {1}, {p}a, {p}b : ({t1}, tensor<i64>, tensor<i64>) -> tensor<?x?x1xi64>",
                f"{{p}}f = tenon.cast {{p}}m : (tensor<?x?x1xi64>) -> tensor<?x?x1x{dtype}>",
                f"{{p}}x = tenon.mul {{0}}, {{p}}f : ({{t0}}, tensor<?x?x1x{dtype}>) -> {whole}",
                f"{{p}}t = tenon.reduce_sum {{p}}x {{{{axes = array<i64: 1>}}}} : ({whole}) -> {row}",
                f"{{p}}n = tenon.reduce_sum {{p}}f {{{{axes = array<i64: 1>}}}}"
                f" : (tensor<?x?x1x{dtype}>) -> tensor<?x1x{dtype}>",
                f"{{p}}c = tenon.clamp {{p}}n {{{{low = 1.0 : f64, high = 1.0e6 : f64}}}}"
                f" : (tensor<?x1x{dtype}>) -> tensor<?x1x{dtype}>",
                f"{{r0}} = tenon.div {{p}}t, {{p}}c : ({row}, tensor<?x1x{dtype}>) -> {{rt0}}",
            ),
            reference,
            ("normal",),
            [{"a": a, "s": s} for a, s in ((1, 1), (2, 9), (3, 64), (4, 129), (2, 0))],
        )
    ]
