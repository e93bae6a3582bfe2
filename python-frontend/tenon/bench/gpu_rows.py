"""Kernels on rows that are measured on a GPU: norms, activations, folds, and what moves elements, all bf16. Memory is what
takes their time."""
from tenon.bench.gpu_cases import KernelCase

NORM = "{epsilon = 1.0e-5 : f64}"


def tensor(sizes, element="bf16"):
    return f"tensor<{'x'.join(map(str, [*sizes, element]))}>"


def rows(body, sizes, results, peer, in_jax, moved, inputs=None):
    """`body`: lines that make %y, and %s where there are two results, of %x0, %x1, ..; `sizes`: of these, and `results`: the
    types of %y and %s; `moved`: elements of 16 bits that are read and written, at least."""
    operands = ", ".join(f"%x{number}: {size if isinstance(size, str) else tensor(size)}" for number, size in enumerate(sizes))
    names, types = ", ".join(["%y", "%s"][:len(results)]), ", ".join(results)
    text = f"func.func @main({operands}) -> ({types}) {{\n  {body}\n  return {names} : {types}\n}}\n"
    return KernelCase(text, [] if inputs else sizes, {"torch": peer}, in_jax, 0, 2 * moved, is_fused=True, inputs=inputs)


# ---- norms and activations as peers write them ----
def layer_norm(torch, x, w, b):
    return torch.nn.functional.layer_norm(x, x.shape[-1:], w, b, 1e-5)


def rms_norm(torch, x, w):
    return torch.nn.functional.rms_norm(x, x.shape[-1:], w, 1e-5)


def add_rms_norm(torch, a, b, w):
    total = a + b
    return rms_norm(torch, total, w), total


def rotated(torch, x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


def jax_layer_norm(jax, x, w, b):
    wide = x.astype("float32")
    mean = wide.mean(-1, keepdims=True)
    scaled = (wide - mean) * jax.lax.rsqrt(((wide - mean) ** 2).mean(-1, keepdims=True) + 1e-5)
    return (scaled * w + b).astype(x.dtype)


def jax_rms_norm(jax, x, w):
    wide = x.astype("float32")
    return (wide * jax.lax.rsqrt((wide * wide).mean(-1, keepdims=True) + 1e-5) * w).astype(x.dtype)


def jax_add_rms_norm(jax, a, b, w):
    total = a + b
    return jax_rms_norm(jax, total, w), total


def jax_rotated(jax, x, cos, sin):
    a, b = jax.numpy.split(x, 2, -1)
    return jax.numpy.concatenate((a * cos - b * sin, b * cos + a * sin), -1)


def norms(m, n):
    x, w = tensor((m, n)), tensor((n,))
    yield f"layer_norm {m}x{n}", rows(
        f"%y = tenon.layer_norm %x0 weight(%x1) bias(%x2) {NORM} : ({x}, {w}, {w}) -> {x}", [(m, n), (n,), (n,)], [x],
        layer_norm, jax_layer_norm, 2 * m * n)
    yield f"rms_norm {m}x{n}", rows(f"%y = tenon.rms_norm %x0, %x1 {NORM} : ({x}, {w}) -> {x}", [(m, n), (n,)], [x],
                                    rms_norm, jax_rms_norm, 2 * m * n)
    yield f"add+rms_norm {m}x{n}, both", rows(
        f"%s = tenon.add %x0, %x1 : ({x}, {x}) -> {x}\n  %y = tenon.rms_norm %s, %x2 {NORM} : ({x}, {w}) -> {x}",
        [(m, n), (m, n), (n,)], [x, x], add_rms_norm, jax_add_rms_norm, 4 * m * n)


def softmax(m, n):
    x = tensor((m, n))
    return rows(f"%y = tenon.softmax %x0 {{axis = 1 : i64}} : ({x}) -> {x}", [(m, n)], [x],
                lambda torch, x: torch.softmax(x, -1),
                lambda jax, x: jax.nn.softmax(x.astype("float32"), axis=-1).astype(x.dtype), 2 * m * n)


def gated(kind, m, n):
    """`kind`: silu or gelu, exact, of a gate times another matrix."""
    x = tensor((m, n))
    return rows(f"%a = tenon.{kind} %x0 : ({x}) -> {x}\n  %y = tenon.mul %a, %x1 : ({x}, {x}) -> {x}", [(m, n)] * 2, [x],
                lambda torch, a, b: getattr(torch.nn.functional, kind)(a) * b,
                lambda jax, a, b: (jax.nn.silu(a) if kind == "silu" else jax.nn.gelu(a, approximate=False)) * b, 3 * m * n)


def argmax(m, n):
    x, y = tensor((m, n)), tensor((m,), "i64")
    return rows(f"%y = tenon.argmax %x0 {{axis = 1 : i64}} : ({x}) -> {y}", [(m, n)], [y],
                lambda torch, x: x.argmax(-1), lambda jax, x: x.argmax(-1), m * n)


def rope(tokens, heads, size):
    x, table = tensor((1, heads, tokens, size)), tensor((tokens, size // 2))
    return rows(f"%y = tenon.rope %x0, %x1, %x2 : ({x}, {table}, {table}) -> {x}",
                [(1, heads, tokens, size), (tokens, size // 2), (tokens, size // 2)], [x], rotated, jax_rotated,
                2 * heads * tokens * size)


def embedding(tokens, size, vocabulary):
    table, ids, y = tensor((vocabulary, size)), tensor((tokens,), "i64"), tensor((tokens, size))

    def inputs(torch):
        return [torch.randn(vocabulary, size, device="cuda", dtype=torch.bfloat16),
                torch.randint(0, vocabulary, (tokens,), device="cuda")]
    return rows(f"%y = tenon.embedding %x0, %x1 : ({table}, {ids}) -> {y}", [table, ids], [y],
                lambda torch, table, ids: torch.nn.functional.embedding(ids.long(), table), lambda jax, table, ids: table[ids],
                2 * tokens * size, inputs=inputs)


def transpose(sizes, permutation):
    x, y = tensor(sizes), tensor([sizes[d] for d in permutation])
    moved = 2
    for size in sizes:
        moved *= size
    return rows(f"%y = tenon.transpose %x0 {{permutation = array<i64: {', '.join(map(str, permutation))}>}} : ({x}) -> {y}",
                [sizes], [y], lambda torch, x: x.permute(permutation).contiguous(),
                lambda jax, x: jax.numpy.transpose(x, permutation), moved)


def row_kernels():
    """{name: KernelCase}"""
    cases = dict(norms(8192, 4096))
    cases["softmax 8192x8192"] = softmax(8192, 8192)
    cases["silu*up 8192x14336"] = gated("silu", 8192, 14336)
    cases["gelu*up 8192x14336"] = gated("gelu", 8192, 14336)
    for m in (1, 64):
        cases[f"argmax {m}x128256"] = argmax(m, 128256)
    cases["rope 2048 tokens x 32 heads x 128"] = rope(2048, 32, 128)
    cases["embedding 8192 tokens x 4096 of 128256"] = embedding(8192, 4096, 128256)
    cases["transpose 8192x8192"] = transpose((8192, 8192), (1, 0))
    cases["transpose [4,2048,32,128] to heads first"] = transpose((4, 2048, 32, 128), (0, 2, 1, 3))
    return cases
