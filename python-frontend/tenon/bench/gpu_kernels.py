"""Single kernels that are measured on a GPU: linears, attention, decoding, rows (gpu_rows.py), of bf16, some of f16; products of f32 as
tf32; and products and attention of 8-bit operands."""
import itertools
import random
from dataclasses import replace

from tenon.bench import cudnn_graphs
from tenon.bench.gpu_cases import KernelCase
from tenon.bench.gpu_peers import SUMS_OF_14_BITS
from tenon.bench.gpu_rows import row_kernels


def in_f16(case):
    """The same of f16."""
    def inputs(torch):
        return [torch.randn(*size, device="cuda", dtype=torch.float16) for size in case.sizes]
    return replace(case, text=case.text.replace("bf16", "f16"), inputs=inputs)


def by_hand(case, *lines):
    return replace(case, options={"schedule": list(lines)})


def linear(m, n, k, gelu=False):
    x, w, b, y = f"tensor<{m}x{k}xbf16>", f"tensor<{n}x{k}xbf16>", f"tensor<{n}xbf16>", f"tensor<{m}x{n}xbf16>"
    body = (f"%h = tenon.linear %x, %w, %b : ({x}, {w}, {b}) -> {y}\n  %y = tenon.gelu %h : ({y}) -> {y}" if gelu
            else f"%y = tenon.linear %x, %w : ({x}, {w}) -> {y}")
    arguments = f"%x: {x}, %w: {w}" + (f", %b: {b}" if gelu else "")
    text = f"func.func @main({arguments}) -> {y} {{\n  {body}\n  return %y : {y}\n}}\n"

    def peer(torch, x, w, b=None):
        y = torch.nn.functional.linear(x, w, b)
        return torch.nn.functional.gelu(y) if gelu else y

    def in_jax(jax, x, w, b=None):
        y = x @ w.T
        return jax.nn.gelu(y + b, approximate=False) if gelu else y
    return KernelCase(text, [(m, k), (n, k)] + ([(n,)] if gelu else []), {"cuBLAS" if not gelu else "torch": peer},
                      in_jax, 2 * m * n * k, 2 * (m * k + n * k + m * n), is_fused=gelu)


def linear_tf32(m, n, k):
    """Of f32, which the libraries may round to tf32 for this product alone."""
    x, w, y = f"tensor<{m}x{k}xf32>", f"tensor<{n}x{k}xf32>", f"tensor<{m}x{n}xf32>"
    text = (f"func.func @main(%x: {x}, %w: {w}) -> {y} {{\n  %y = tenon.linear %x, %w : ({x}, {w}) -> {y}\n"
            f"  return %y : {y}\n}}\n")

    def inputs(torch):
        return [torch.randn(*size, device="cuda") for size in ((m, k), (n, k))]

    def peer(torch, x, w):
        matmuls = torch.backends.cuda.matmul
        before, matmuls.allow_tf32 = matmuls.allow_tf32, True
        try:
            return torch.nn.functional.linear(x, w)
        finally:
            matmuls.allow_tf32 = before

    def reference(torch, x, w):
        return torch.nn.functional.linear(x.double(), w.double()).float()

    def in_jax(jax, x, w):
        return jax.numpy.matmul(x, w.T, precision="tensorfloat32")
    return KernelCase(text, [], {"cuBLAS": peer}, in_jax, 2 * m * n * k, 4 * (m * k + n * k + m * n), inputs=inputs,
                      reference=reference, options={"tf32": True})


def matmul(batch, m, n, k, transpose_a, transpose_b):
    """`transpose_a`: the left operand is stored k x m; `transpose_b`: the right one n x k."""
    lead = (batch,) if batch > 1 else ()
    a, b = lead + ((k, m) if transpose_a else (m, k)), lead + ((n, k) if transpose_b else (k, n))

    def tensor(sizes):
        return f"tensor<{'x'.join(map(str, sizes))}xbf16>"
    words = [word for word, is_set in (("transpose_a", transpose_a), ("transpose_b", transpose_b)) if is_set]
    y, attributes = tensor(lead + (m, n)), f"{{{', '.join(words)}}} " if words else ""
    text = (f"func.func @main(%a: {tensor(a)}, %b: {tensor(b)}) -> {y} {{\n"
            f"  %y = tenon.matmul %a, %b {attributes}: ({tensor(a)}, {tensor(b)}) -> {y}\n  return %y : {y}\n}}\n")

    def product(left, right):
        return (left.swapaxes(-1, -2) if transpose_a else left) @ (right.swapaxes(-1, -2) if transpose_b else right)
    return KernelCase(text, [a, b], {"cuBLAS": lambda torch, left, right: product(left, right)},
                      lambda jax, left, right: product(left, right), 2 * batch * m * n * k,
                      2 * batch * (m * k + n * k + m * n))


def fused_linear(m, n, k, kind):
    """`kind`: "residual", which adds a matrix of the result's size, or "gated silu", silu(x w^T) (x u^T), whose matrices are
    weights, as a model's are: they are joined when they are loaded."""
    x, w, y = f"tensor<{m}x{k}xbf16>", f"tensor<{n}x{k}xbf16>", f"tensor<{m}x{n}xbf16>"
    if kind == "residual":
        operands, sizes, products = f"%x: {x}, %w: {w}, %r: {y}", [(m, k), (n, k), (m, n)], 1
        body = f"%h = tenon.linear %x, %w : ({x}, {w}) -> {y}\n  %y = tenon.add %h, %r : ({y}, {y}) -> {y}"

        def peer(torch, x, w, r):
            return torch.nn.functional.linear(x, w) + r

        def in_jax(jax, x, w, r):
            return x @ w.T + r
    else:
        operands, sizes, products = f"%x: {x}", [(m, k), (n, k), (n, k)], 2
        body = (f"%w = tenon.weight \"w\" : {w}\n  %u = tenon.weight \"u\" : {w}\n"
                f"  %g = tenon.linear %x, %w : ({x}, {w}) -> {y}\n  %h = tenon.linear %x, %u : ({x}, {w}) -> {y}\n"
                f"  %s = tenon.silu %g : ({y}) -> {y}\n  %y = tenon.mul %s, %h : ({y}, {y}) -> {y}")

        def peer(torch, x, w, u):
            linear_ = torch.nn.functional.linear
            return torch.nn.functional.silu(linear_(x, w)) * linear_(x, u)

        def in_jax(jax, x, w, u):
            return jax.nn.silu(x @ w.T) * (x @ u.T)
    text = f"func.func @main({operands}) -> {y} {{\n  {body}\n  return %y : {y}\n}}\n"
    return KernelCase(text, sizes, {"torch": peer}, in_jax, 2 * products * m * n * k,
                      2 * (m * k + products * n * k + m * n * (2 if kind == "residual" else 1)), is_fused=True,
                      weights=() if kind == "residual" else ("w", "u"))


def attention(b, h, kv, s, d, causal, q=None):
    q = q or s
    query, key = f"tensor<{b}x{h}x{q}x{d}xbf16>", f"tensor<{b}x{kv}x{s}x{d}xbf16>"
    text = (f"func.func @main(%q: {query}, %k: {key}, %v: {key}) -> {query} {{\n"
            f"  %y = tenon.attention %q, %k, %v {'{causal} ' if causal else ''}: ({query}, {key}, {key}) -> {query}\n"
            f"  return %y : {query}\n}}\n")

    def pinned(name):
        def peer(torch, q_, k_, v_):
            from torch.nn.attention import SDPBackend, sdpa_kernel
            with sdpa_kernel(getattr(SDPBackend, name)):
                return torch.nn.functional.scaled_dot_product_attention(
                    q_, k_, v_, is_causal=causal and q == s, enable_gqa=h != kv)
        return peer

    def in_jax(jax, q_, k_, v_):
        swapped = [jax.numpy.swapaxes(value, 1, 2) for value in (q_, k_, v_)]
        out = jax.nn.dot_product_attention(*swapped, is_causal=causal and q == s)
        return jax.numpy.swapaxes(out, 1, 2)
    pairs = q * s / (2 if causal and q == s else 1)
    return KernelCase(text, [(b, h, q, d), (b, kv, s, d), (b, kv, s, d)],
                      {"cuDNN": pinned("CUDNN_ATTENTION"), "Flash": pinned("FLASH_ATTENTION")}, in_jax,
                      4 * b * h * pairs * d, 2 * (2 * b * h * q * d + 2 * b * kv * s * d), has_f32=False)


def windowed(b, h, s, d, window):
    """Causal attention to the last `window` keys. Of the libraries Flash Attention has it, and cuDNN by its front end."""
    tensor = f"tensor<{b}x{h}x{s}x{d}xbf16>"
    text = (f"func.func @main(%q: {tensor}, %k: {tensor}, %v: {tensor}) -> {tensor} {{\n"
            f"  %y = tenon.attention %q, %k, %v {{causal, window = {window} : i64}} : ({tensor}, {tensor}, {tensor}) -> {tensor}\n"
            f"  return %y : {tensor}\n}}\n")

    def flash(torch, q_, k_, v_):
        by_token = [value.transpose(1, 2) for value in (q_, k_, v_)]
        out = torch.ops.aten._flash_attention_forward(*by_token, None, None, s, s, 0.0, True, False,
                                                      window_size_left=window - 1, window_size_right=0)[0]
        return out.transpose(1, 2)

    made = {}  # of the last inputs

    def cudnn(torch, q_, k_, v_):
        if made.get("of") is not q_:
            made.update(of=q_, graph=cudnn_graphs.attention(torch, q_, k_, v_, True, window))
        return made["graph"]()

    def in_jax(jax, q_, k_, v_):
        swapped = [jax.numpy.swapaxes(value, 1, 2) for value in (q_, k_, v_)]
        out = jax.nn.dot_product_attention(*swapped, is_causal=True, local_window_size=(window - 1, 0))
        return jax.numpy.swapaxes(out, 1, 2)
    pairs = window * (s - window) + window * (window + 1) / 2
    return KernelCase(text, [(b, h, s, d)] * 3, {"Flash": flash, "cuDNN": cudnn}, in_jax, 4 * b * h * pairs * d,
                      2 * 4 * b * h * s * d, has_f32=False)


def of_lengths(b, h, kv, longest, d, causal, q=None):
    """Sequences of 100 to `longest` tokens in tensors of the next multiple of 4096; with `q` 1 a step of each. Flash Attention
    has them without padding (packed before they are timed), cuDNN, by its front end, and XLA with a padding mask."""
    s = -(-longest // 4096) * 4096
    lengths = random.Random(1)
    lengths = [lengths.randint(100, longest) for _ in range(b)]
    is_step, q = q is not None, q or s
    query, key, counts = f"tensor<{b}x{h}x{q}x{d}xbf16>", f"tensor<{b}x{kv}x{s}x{d}xbf16>", f"tensor<{b}xi32>"
    operands = f"%q: {query}, %k: {key}, %v: {key}, %n: {counts}"
    limits = "key_lengths(%n)" + ("" if is_step else " query_lengths(%n)")
    types = f"{query}, {key}, {key}, {counts}" + ("" if is_step else f", {counts}")
    text = (f"func.func @main({operands}) -> {query} {{\n"
            f"  %y = tenon.attention %q, %k, %v {limits} {'{causal} ' if causal else ''}: ({types}) -> {query}\n"
            f"  return %y : {query}\n}}\n")

    def inputs(torch):
        sizes = [(b, h, q, d), (b, kv, s, d), (b, kv, s, d)]
        values = [torch.randn(*size, device="cuda", dtype=torch.bfloat16) for size in sizes]
        return [*values, torch.tensor(lengths, device="cuda", dtype=torch.int32)]

    def reference(torch, q_, k_, v_, n):
        result = torch.zeros(b, h, q, d, device="cuda")
        for at, length in enumerate(lengths):
            rows = q if is_step else length
            wide = [value[at:at + 1, :, :size].float() for value, size in ((q_, rows), (k_, length), (v_, length))]
            result[at, :, :rows] = torch.nn.functional.scaled_dot_product_attention(
                *wide, is_causal=causal, enable_gqa=h != kv)[0]
        return result

    made = {}  # of the last inputs: without padding, and where each sequence begins

    def packed(torch, *values):
        if made.get("of") is not values[0]:
            rows = [1] * b if is_step else lengths
            starts = [torch.tensor([0, *itertools.accumulate(sizes)], device="cuda", dtype=torch.int32)
                      for sizes in (rows, lengths)]
            joined = [torch.cat([value[at, :, :size].transpose(0, 1) for at, size in enumerate(sizes)])
                      for value, sizes in zip(values, (rows, lengths, lengths))]
            made.update(of=values[0], packed=(*joined, *starts, max(rows), max(lengths)))
        return made["packed"]

    def flash(torch, q_, k_, v_, n):
        return torch.ops.aten._flash_attention_forward(*packed(torch, q_, k_, v_), 0.0, causal, False)[0]

    def cudnn(torch, q_, k_, v_, n):
        if made.get("padded of") is not q_:
            queries = torch.ones_like(n) if is_step else n
            made.update({"padded of": q_, "graph": cudnn_graphs.attention(torch, q_, k_, v_, causal, None, queries, n)})
        return made["graph"]()

    def in_jax(jax, q_, k_, v_, n):
        swapped = [jax.numpy.swapaxes(value, 1, 2) for value in (q_, k_, v_)]
        out = jax.nn.dot_product_attention(
            *swapped, is_causal=causal, query_seq_lengths=jax.numpy.ones_like(n) if is_step else n,
            key_value_seq_lengths=n, implementation="cudnn")
        return jax.numpy.swapaxes(out, 1, 2)
    tokens = sum(lengths)
    pairs = tokens if is_step else sum(length * length for length in lengths) / (2 if causal else 1)
    return KernelCase(text, [], {"Flash, packed": flash, "cuDNN": cudnn}, in_jax, 4 * h * pairs * d,
                      2 * d * (2 * kv * tokens + 2 * h * (b if is_step else tokens)), has_f32=False, inputs=inputs,
                      reference=reference)


def step_in_pages(b, h, kv, s, d, page, is_fp8=False):
    """A step of sequences of `s` tokens whose keys and values lie in pages of pools, in no order, in bf16 or e4m3. The libraries
    in bf16 without pages, on tensors that were put in order before they are timed; and Flash Attention with them, where it
    takes the page."""
    pages, element, size = s // page, "f8E4M3FN" if is_fp8 else "bf16", 1 if is_fp8 else 2
    query, pool = f"tensor<{b}x{h}x1x{d}x{element}>", f"tensor<{b * pages}x{kv}x{page}x{d}x{element}>"
    counts, table, y = f"tensor<{b}xi32>", f"tensor<{b}x{pages}xi32>", f"tensor<{b}x{h}x1x{d}xbf16>"
    text = (f"func.func @main(%q: {query}, %k: {pool}, %v: {pool}, %n: {counts}, %t: {table}) -> {y} {{\n"
            f"  %y = tenon.attention %q, %k, %v key_lengths(%n) block_table(%t) : ({query}, {pool}, {pool}, {counts}, {table})"
            f" -> {y}\n  return %y : {y}\n}}\n")

    def inputs(torch):
        values = [torch.randn(*size, device="cuda", dtype=torch.bfloat16).to(torch.float8_e4m3fn if is_fp8 else torch.bfloat16)
                  for size in ((b, h, 1, d), (b * pages, kv, page, d), (b * pages, kv, page, d))]
        order = torch.randperm(b * pages, generator=torch.Generator().manual_seed(1)).to("cuda", torch.int32)
        return [*values, torch.full((b,), s, device="cuda", dtype=torch.int32), order.view(b, pages)]
    made = {}  # of the last inputs: keys and values in order, and with the heads behind the keys of a page

    def prepared(torch, kind, q_, k_, v_, t):
        if made.get("of") is not q_:
            made.clear()
            made["of"], made["query"] = q_, q_.bfloat16()
        if kind not in made and kind == "in order":
            made[kind] = [x.bfloat16()[t.long()].transpose(1, 2).reshape(b, kv, s, d) for x in (k_, v_)]
        elif kind not in made:
            made[kind] = [x.bfloat16().transpose(1, 2).contiguous() for x in (k_, v_)]
        return [made["query"], *made[kind]]

    def pinned(name):
        def peer(torch, q_, k_, v_, n, t):
            from torch.nn.attention import SDPBackend, sdpa_kernel
            with sdpa_kernel(getattr(SDPBackend, name)):
                return torch.nn.functional.scaled_dot_product_attention(
                    *prepared(torch, "in order", q_, k_, v_, t), enable_gqa=h != kv)
        return peer

    def flash_in_pages(torch, q_, k_, v_, n, t):
        from torch.nn.attention.varlen import varlen_attn
        starts = torch.arange(b + 1, device="cuda", dtype=torch.int32)
        query, *pools = prepared(torch, "heads behind", q_, k_, v_, t)
        try:
            made["call"] = made.get("call") or captured(torch, lambda: varlen_attn(
                query.view(b, h, d), *pools, starts, None, 1, s, enable_gqa=h != kv,
                seqused_k=n, block_table=t))
        except TypeError as error:  # a PyTorch whose call has no pages
            raise RuntimeError(str(error)) from error
        return made["call"]().view(b, h, 1, d)

    def in_jax(jax, *given):
        raise NotImplementedError("not compared with XLA")
    return KernelCase(text, [], {"cuDNN, no pages": pinned("CUDNN_ATTENTION"), "Flash, no pages": pinned("FLASH_ATTENTION"),
                                 "Flash": flash_in_pages}, in_jax, 4 * b * h * s * d,
                      (size + 2) * b * h * d + 2 * size * b * kv * s * d, has_f32=False, inputs=inputs)


def captured(torch, call):
    """The kernels of a call without what the host does for them, a CUDA graph: a function that gives the call's result."""
    call()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, capture_error_mode="relaxed"):  # the library may load code meanwhile
        result = call()

    def replay():
        graph.replay()
        return result
    return replay


def attention_fp8(b, h, kv, s, d, q=None):
    """Queries, keys and values in e4m3 with a scale a tensor, bf16 out; beside cuDNN's in bf16, of the same values, and its own
    in fp8 where cuDNN's front end is installed."""
    q = q or s
    query, key, y = f"tensor<{b}x{h}x{q}x{d}xf8E4M3FN>", f"tensor<{b}x{kv}x{s}x{d}xf8E4M3FN>", f"tensor<{b}x{h}x{q}x{d}xbf16>"
    types = ", ".join([query, key, key] + ["tensor<f32>"] * 3)
    text = (f"func.func @main(%q: {query}, %k: {key}, %v: {key}, %qs: tensor<f32>, %ks: tensor<f32>, %vs: tensor<f32>) -> {y} {{\n"
            f"  %y = tenon.attention %q, %k, %v scales(%qs, %ks, %vs) : ({types}) -> {y}\n  return %y : {y}\n}}\n")

    def inputs(torch):
        sizes = [(b, h, q, d), (b, kv, s, d), (b, kv, s, d)]
        values = [torch.randn(*size, device="cuda").to(torch.float8_e4m3fn) for size in sizes]
        return values + [torch.tensor(scale, device="cuda") for scale in (1.0, 0.75, 0.5)]
    made = {}  # of the last inputs: what the libraries take

    def wide(torch, values, scales):
        if made.get("of") is not values[0]:
            made.update(of=values[0], wide=[(v.float() * scale).bfloat16() for v, scale in zip(values, scales)], graph=None)
        return made["wide"]

    def cudnn_bf16(torch, *given):
        from torch.nn.attention import SDPBackend, sdpa_kernel
        with sdpa_kernel(SDPBackend.CUDNN_ATTENTION):
            return torch.nn.functional.scaled_dot_product_attention(*wide(torch, given[:3], given[3:]), enable_gqa=h != kv)

    def cudnn_fp8(torch, *given):
        wide(torch, given[:3], given[3:])
        made["graph"] = made["graph"] or cudnn_graphs.attention_fp8(torch, *given[:3], given[3:])
        return made["graph"]()

    def in_jax(jax, *given):
        raise NotImplementedError("not compared with XLA")
    return KernelCase(text, [], {"cuDNN in bf16": cudnn_bf16, "cuDNN in fp8": cudnn_fp8}, in_jax, 4 * b * h * q * s * d,
                      2 * b * kv * s * d + 3 * b * h * q * d, has_f32=False, inputs=inputs)


def quantised(kind, scales, side):
    """A cube of `side` in "fp8" or "i8", bf16 out. `scales`: one a "tensor", one a "row" of both operands, one a row of the
    input and one a "block" of 128 x 128 of the weight, or one each 1 x 128 and 128 x 128: "1x128 and block"."""
    element = {"fp8": "f8E4M3FN", "i8": "i8"}[kind]
    x, y, blocks = f"tensor<{side}x{side}x{element}>", f"tensor<{side}x{side}xbf16>", side // 128
    xs, ws = {"tensor": ("tensor<f32>",) * 2, "row": (f"tensor<{side}x1xf32>",) * 2,
              "block": (f"tensor<{side}x1xf32>", f"tensor<{blocks}x{blocks}xf32>"),
              "1x128 and block": (f"tensor<{side}x{blocks}xf32>", f"tensor<{blocks}x{blocks}xf32>")}[scales]
    has_blocks = scales.endswith("block")
    attributes = "{block = array<i64: 128, 128>} " if has_blocks else ""
    text = (f"func.func @main(%x: {x}, %xs: {xs}, %w: {x}, %ws: {ws}) -> {y} {{\n"
            f"  %y = tenon.quantised_matmul %x scale(%xs), %w scale(%ws) {attributes}: ({x}, {xs}, {x}, {ws}) -> {y}\n"
            f"  return %y : {y}\n}}\n")

    def inputs(torch):
        def values():
            normal = torch.randn(side, side, device="cuda")
            return normal.to(torch.float8_e4m3fn) if kind == "fp8" else (normal * 30).clamp(-127, 127).to(torch.int8)

        def scale(size):
            return torch.rand(size, device="cuda") + 0.5
        sizes = {"tensor": ((), ()), "row": ((side, 1), (side, 1)), "block": ((side, 1), (blocks, blocks)),
                 "1x128 and block": ((side, blocks), (blocks, blocks))}[scales]
        return [values(), scale(sizes[0]), values(), scale(sizes[1])]

    def reference(torch, x, xs, w, ws):
        if has_blocks:
            ws = ws.repeat_interleave(128, 0).repeat_interleave(128, 1)
        if xs.shape[-1:] == (blocks,):
            xs = xs.repeat_interleave(128, 1)
        return (x.float() * xs) @ (w.float() * ws).T

    made = {}  # of the last inputs: the scales as the library takes them

    def scaled(is_fast):
        def peer(torch, x, xs, w, ws):
            if made.get("of") is not xs:
                made.update(of=xs, scales=(xs, ws) if scales == "tensor" else (xs, ws.T))
                if has_blocks:  # one each 128 of a row
                    made["scales"] = (xs.expand(side, blocks).T.contiguous().T, ws.T)
            return torch._scaled_mm(x, w.T, scale_a=made["scales"][0], scale_b=made["scales"][1],
                                    out_dtype=torch.bfloat16, use_fast_accum=is_fast)
        return peer

    def integers(torch, x, xs, w, ws):
        return torch._int_mm(x, w.T)

    def in_jax(jax, x, xs, w, ws):
        raise NotImplementedError("not compared with XLA")
    peers = {"cuBLAS, no scales": integers} if kind == "i8" else {"cuBLAS": scaled(False)}
    if kind == "fp8" and not has_blocks:
        peers[SUMS_OF_14_BITS] = scaled(True)
    return KernelCase(text, [], peers, in_jax, 2 * side**3, 2 * side**2 + 2 * side**2, inputs=inputs, reference=reference)


LLAMA = [(6144, 4096), (4096, 4096), (14336, 4096), (4096, 14336)]  # columns, depth of an 8B model's products
LINEARS = [(side, side, side) for side in (8192, 4096, 2048, 1024)] + [
    (rows, *columns) for rows in (4096, 2048, 1024, 256, 64, 16, 1) for columns in LLAMA if (rows, *columns) != (4096,) * 3] + [
    (4095, 4097, 4104), (1000, 1000, 1000), (333, 11008, 4096)]
TF32_LINEARS = [(8192, 8192, 8192), (4096, 4096, 4096), (1024, 4096, 4096), (256, 4096, 4096)]
ONLINE = "@attention = #tile.attention<queries = 128, keys = 128, maximum = online>"
IN_TURNS = ("@attention = #warp.schedule<warps = [8, 1], stages = 2, tf32 = false, wgmma = true, producer = true, "
            "turns = true>")


def kernels():
    """{name: KernelCase}"""
    cases = {f"gemm {m}x{n}x{k}": linear(m, n, k) for m, n, k in LINEARS}
    for transpose_a, transpose_b in ((False, False), (True, True), (True, False)):
        name = "".join("NT"[is_set] for is_set in (transpose_a, transpose_b))
        cases[f"gemm {name} 4096x4096x4096"] = matmul(1, 4096, 4096, 4096, transpose_a, transpose_b)
    for m, n, k in TF32_LINEARS:
        cases[f"gemm tf32 {m}x{n}x{k}"] = linear_tf32(m, n, k)
    cases["gemm 4096x4096x4096 f16"] = in_f16(cases["gemm 4096x4096x4096"])
    cases["gemm NN 64 of 512x512x64"] = matmul(64, 512, 512, 64, False, False)
    for side in (8192, 4096):
        for kind, scales in (("fp8", "tensor"), ("fp8", "row"), ("fp8", "block"), ("fp8", "1x128 and block"),
                             ("i8", "tensor"), ("i8", "row")):
            cases[f"{kind} {scales} scales {side}x{side}x{side}"] = quantised(kind, scales, side)
    cases["linear+bias+gelu 4096x16384x4096"] = linear(4096, 16384, 4096, gelu=True)
    for kind in ("residual", "gated silu"):
        cases[f"linear+{kind} 4096x16384x4096"] = fused_linear(4096, 16384, 4096, kind)
    cases["gemm 4096x16384x4096"] = linear(4096, 16384, 4096)
    for causal in (False, True):
        label = "causal" if causal else "full"
        for s, d, b in ((2048, 128, 4), (4096, 128, 4), (16384, 128, 1), (512, 128, 16), (4096, 64, 4), (512, 64, 32),
                        (4096, 96, 4), (4096, 256, 2)):
            cases[f"attention {label} d{d} S{s}"] = attention(b, 16, 16, s, d, causal)
        for s in (2048, 4096, 16384):
            cases[f"attention {label} d128 S{s} online"] = by_hand(
                cases[f"attention {label} d128 S{s}"], ONLINE, *[IN_TURNS] * causal)
        cases[f"attention {label} d128 S4096 f16"] = in_f16(cases[f"attention {label} d128 S4096"])
    for s, b in ((4096, 4), (16384, 1)):
        cases[f"attention fp8 full d128 S{s}"] = attention_fp8(b, 16, 16, s, 128)
    cases["attention causal d128 S4096 GQA 32/8"] = attention(2, 32, 8, 4096, 128, True)
    cases["attention window 1024 d128 S16384"] = windowed(1, 16, 16384, 128, 1024)
    for causal in (False, True):
        label = "causal" if causal else "full"
        cases[f"attention {label} d128 lengths 100-4000 GQA 32/8"] = of_lengths(16, 32, 8, 4000, 128, causal)
    for longest in (4000, 8000):
        cases[f"decode GQA 32/8 d128 B64 lengths 100-{longest}"] = of_lengths(64, 32, 8, longest, 128, False, q=1)
    for b in (64, 1):
        cases[f"decode fp8 GQA 32/8 d128 B{b} S8192"] = attention_fp8(b, 32, 8, 8192, 128, q=1)
    for b, s in ((16, 8192), (64, 8192), (1, 1024), (1, 8192), (64, 1024)):
        cases[f"decode GQA 32/8 d128 B{b} S{s}"] = attention(b, 32, 8, s, 128, False, q=1)
    for b, page in itertools.product((16, 64), (64, 16)):
        cases[f"decode GQA 32/8 d128 B{b} S8192 pages of {page}"] = step_in_pages(b, 32, 8, 8192, 128, page)
    for page in (64, 16):
        cases[f"decode fp8 GQA 32/8 d128 B64 S8192 pages of {page}"] = step_in_pages(64, 32, 8, 8192, 128, page, is_fp8=True)
    cases |= row_kernels()
    return cases
