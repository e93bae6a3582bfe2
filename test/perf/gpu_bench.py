#!/usr/bin/env python3
"""Kernels and whole models on a GPU against PyTorch in the same process.

usage: gpu_bench.py compile FOLDER [--target sm_90a] [NAME_REGEX]    (no GPU needed; needs libtenon.so)
       gpu_bench.py run FOLDER [--out FOLDER] [--compile] [NAME_REGEX]  (needs torch, transformers, libtenon-runtime.so)
  compile: an artefact for each case, and libtenon-runtime.so
  run: times them beside the peers, models as CUDA graphs; --compile adds torch.compile to models; writes results.json

Contenders take turns in a new random order each round, behind a sleep that hides the host's work, on random normal data; the
L2 cache is overwritten before each kernel (a model's own weights do that). Medians of 30. Ratios are peer / Tenon.
"""
import json
import os
import random
import re
import shutil
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


# ---- kernels: name -> (text, sizes of the inputs, peer, flops, bytes); all bf16 ----
def linear(m, n, k, gelu=False):
    x, w, b, y = f"tensor<{m}x{k}xbf16>", f"tensor<{n}x{k}xbf16>", f"tensor<{n}xbf16>", f"tensor<{m}x{n}xbf16>"
    body = (f"%h = tenon.linear %x, %w, %b : ({x}, {w}, {b}) -> {y}\n  %y = tenon.gelu %h : ({y}) -> {y}" if gelu
            else f"%y = tenon.linear %x, %w : ({x}, {w}) -> {y}")
    arguments = f"%x: {x}, %w: {w}" + (f", %b: {b}" if gelu else "")
    text = f"func.func @main({arguments}) -> {y} {{\n  {body}\n  return %y : {y}\n}}\n"

    def peer(torch, x, w, b=None):
        y = torch.nn.functional.linear(x, w, b)
        return torch.nn.functional.gelu(y) if gelu else y
    return text, [(m, k), (n, k)] + ([(n,)] if gelu else []), {"cuBLAS" if not gelu else "torch": peer}, \
        2 * m * n * k, 2 * (m * k + n * k + m * n)


def attention(b, h, kv, s, d, causal, q=None):
    q = q or s
    query, key = f"tensor<{b}x{h}x{q}x{d}xbf16>", f"tensor<{b}x{kv}x{s}x{d}xbf16>"
    text = (f"func.func @main(%q: {query}, %k: {key}, %v: {key}) -> {query} {{\n"
            f"  %y = tenon.attention %q, %k, %v {'{causal} ' if causal else ''}: ({query}, {key}, {key}) -> {query}\n"
            f"  return %y : {query}\n}}\n")

    def with_backend(name):
        def peer(torch, q_, k_, v_):
            from torch.nn.attention import SDPBackend, sdpa_kernel
            with sdpa_kernel(getattr(SDPBackend, name)):
                return torch.nn.functional.scaled_dot_product_attention(
                    q_, k_, v_, is_causal=causal and q == s, enable_gqa=h != kv)
        return peer
    pairs = q * s / (2 if causal and q == s else 1)
    return text, [(b, h, q, d), (b, kv, s, d), (b, kv, s, d)], \
        {"cuDNN": with_backend("CUDNN_ATTENTION"), "Flash": with_backend("FLASH_ATTENTION")}, \
        4 * b * h * pairs * d, 2 * (2 * b * h * q * d + 2 * b * kv * s * d)


def row(body, m, n, peer, vectors, inputs=1):
    x, w = f"tensor<{m}x{n}xbf16>", f"tensor<{n}xbf16>"
    names = [f"%x{i}: {x}" for i in range(inputs)] + [f"%w{i}: {w}" for i in range(vectors)]
    text = f"func.func @main({', '.join(names)}) -> {x} {{\n  {body.format(x=x, w=w)}\n  return %y : {x}\n}}\n"
    return text, [(m, n)] * inputs + [(n,)] * vectors, {"torch": peer}, 0, 2 * m * n * (inputs + 1)


def kernels():
    functional = "nn.functional"
    cases = {f"gemm {m}x{n}x{k}": linear(m, n, k) for m, n, k in [
        (8192, 8192, 8192), (4096, 4096, 4096), (2048, 2048, 2048), (1024, 1024, 1024), (4096, 14336, 4096),
        (1024, 14336, 4096), (1024, 4096, 14336), (256, 14336, 4096), (256, 4096, 14336), (256, 4096, 4096), (64, 14336, 4096),
        (16, 14336, 4096), (1, 14336, 4096), (1, 4096, 14336), (1, 4096, 4096)]}
    cases["linear+bias+gelu 4096x16384x4096"] = linear(4096, 16384, 4096, gelu=True)
    for causal in (False, True):
        label = "causal" if causal else "full"
        for s, d, b in ((2048, 128, 4), (4096, 128, 4), (16384, 128, 1), (4096, 64, 4), (512, 64, 32)):
            cases[f"attention {label} d{d} S{s}"] = attention(b, 16, 16, s, d, causal)
    cases["attention causal d128 S4096 GQA 32/8"] = attention(2, 32, 8, 4096, 128, True)
    for b, s in ((16, 8192), (64, 8192), (1, 1024), (1, 8192), (64, 1024)):
        cases[f"decode GQA 32/8 d128 B{b} S{s}"] = attention(b, 32, 8, s, 128, False, q=1)
    norm = lambda torch, x, w, b: torch.nn.functional.layer_norm(x, x.shape[-1:], w, b, 1e-5)  # noqa: E731
    rms = lambda torch, x, w: torch.nn.functional.rms_norm(x, x.shape[-1:], w, 1e-5)  # noqa: E731
    cases["layer_norm 8192x4096"] = row("%y = tenon.layer_norm %x0 weight(%w0) bias(%w1) {{epsilon = 1.0e-5 : f64}} : ({x}, {w}, {w}) -> {x}", 8192, 4096, norm, 2)
    cases["rms_norm 8192x4096"] = row("%y = tenon.rms_norm %x0, %w0 {{epsilon = 1.0e-5 : f64}} : ({x}, {w}) -> {x}", 8192, 4096, rms, 1)
    cases["add+rms_norm 8192x4096"] = row(
        "%s = tenon.add %x0, %x1 : ({x}, {x}) -> {x}\n  %y = tenon.rms_norm %s, %w0 {{epsilon = 1.0e-5 : f64}} : ({x}, {w}) -> {x}",
        8192, 4096, lambda torch, a, b, w: rms(torch, a + b, w), 1, inputs=2)
    cases["softmax 8192x8192"] = row("%y = tenon.softmax %x0 {{axis = 1 : i64}} : ({x}) -> {x}", 8192, 8192, lambda torch, x: torch.softmax(x, -1), 0)
    cases["silu*up 8192x14336"] = row(
        "%s = tenon.silu %x0 : ({x}) -> {x}\n  %y = tenon.mul %s, %x1 : ({x}, {x}) -> {x}", 8192, 14336,
        lambda torch, a, b: torch.nn.functional.silu(a) * b, 0, inputs=2)
    return cases


# ---- models: name -> (module, inputs); random weights of a fixed seed ----
def models():
    import torch
    os.environ["HF_HUB_OFFLINE"] = "1"
    import transformers
    transformers.utils.logging.set_verbosity_error()

    class Pick(torch.nn.Module):
        def __init__(self, inner, name, field):
            super().__init__()
            self.inner, self.name, self.field = inner, name, field

        def forward(self, x):
            options = {"use_cache": False} if self.field == "logits" else {}
            return getattr(self.inner(**{self.name: x}, **options), self.field)

    def bert(layers=12, hidden=768, intermediate=3072):
        config = transformers.BertConfig(num_hidden_layers=layers, hidden_size=hidden, num_attention_heads=12,
                                         intermediate_size=intermediate, attn_implementation="sdpa")
        return Pick(transformers.BertModel(config, add_pooling_layer=False), "input_ids", "last_hidden_state")

    def gpt2():
        return Pick(transformers.GPT2LMHeadModel(transformers.GPT2Config(attn_implementation="sdpa")), "input_ids", "logits")

    def vit():
        config = transformers.ViTConfig(attn_implementation="sdpa")
        return Pick(transformers.ViTModel(config, add_pooling_layer=False), "pixel_values", "last_hidden_state")

    def llama():
        config = transformers.LlamaConfig(
            vocab_size=128256, hidden_size=4096, intermediate_size=14336, num_hidden_layers=4, num_attention_heads=32,
            num_key_value_heads=8, max_position_embeddings=8192, attn_implementation="sdpa", tie_word_embeddings=False)
        return Pick(transformers.LlamaForCausalLM(config), "input_ids", "logits")

    def ids(batch, length, vocabulary):
        return lambda: torch.randint(0, vocabulary, (batch, length), generator=torch.Generator().manual_seed(1))

    def pixels(batch):
        return lambda: torch.randn(batch, 3, 224, 224, generator=torch.Generator().manual_seed(1))

    def minilm():
        return bert(6, 384, 1536)
    return {
        "MiniLM B1 S128": (minilm, ids(1, 128, 30522)), "MiniLM B64 S128": (minilm, ids(64, 128, 30522)),
        "BERT-base B1 S128": (bert, ids(1, 128, 30522)), "BERT-base B32 S128": (bert, ids(32, 128, 30522)),
        "BERT-base B8 S512": (bert, ids(8, 512, 30522)), "GPT-2 B1 S1024": (gpt2, ids(1, 1024, 50257)),
        "ViT-B/16 B1": (vit, pixels(1)), "ViT-B/16 B64": (vit, pixels(64)),
        "Llama-3-8B shape, 4 layers B1 S2048": (llama, ids(1, 2048, 128256)),
        "Llama-3-8B shape, 4 layers B8 S512": (llama, ids(8, 512, 128256)),
    }


def file_of(folder, name):
    return Path(folder) / (re.sub(r"[^A-Za-z0-9]+", "_", name) + ".tnx")


def compile_all(folder, target, pattern):
    sys.path.insert(0, str(ROOT / "python-frontend"))
    import tenon
    Path(folder).mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "build/lib/libtenon-runtime.so", folder)
    for name, (text, *_) in kernels().items():
        if re.search(pattern, name):
            tenon.compile(text, target=target).save(file_of(folder, name))
            print(name, flush=True)
    if not any(re.search(pattern, name) for name in models()):
        return
    import torch
    for name, (build, make) in models().items():
        if not re.search(pattern, name):
            continue
        torch.set_default_dtype(torch.bfloat16)  # so that the largest fits
        module = build().eval()
        torch.set_default_dtype(torch.float32)
        value = make()
        value = value.to(torch.bfloat16) if value.is_floating_point() else value
        with torch.no_grad():
            program = torch.export.export(module, (value,), strict=False)
        from tenon.importer.exported_program import import_program
        tenon.compile(import_program(program).text, target=target).save(file_of(folder, name), weights=False)
        print(name, flush=True)


# ---- on the device ----
def median_times(torch, contenders, flush=None, rounds=30):
    times = {name: [] for name in contenders}
    for call in contenders.values():
        for _ in range(3):
            call()
    torch.cuda.synchronize()
    for _ in range(rounds):
        order = list(contenders)
        random.shuffle(order)
        for name in order:
            if flush is not None:
                flush.zero_()
            torch.cuda._sleep(1000000)  # longer than it takes the host to queue a call
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            contenders[name]()
            end.record()
            torch.cuda.synchronize()
            times[name].append(begin.elapsed_time(end))
    return {name: statistics.median(values) for name, values in times.items()}


def one(value):
    return value[0] if isinstance(value, (tuple, list)) else value


def run_kernel(torch, tenon, path, case, flush):
    _, sizes, peers, flops, bytes_moved = case
    inputs = [torch.randn(*size, device="cuda", dtype=torch.bfloat16) for size in sizes]
    executable = tenon.load(path)
    got = one(executable(*inputs)).float()
    reference = next(iter(peers.values()))(torch, *[value.float() for value in inputs]) if "attention" not in str(path) and "decode" not in str(path) else None
    contenders = {"Tenon": lambda: executable(*inputs)}
    result = {}
    for name, peer in peers.items():
        try:
            out = peer(torch, *inputs).float()
        except RuntimeError:
            continue
        if reference is None:
            reference = out
        result.setdefault("error", ((got - reference).abs().max() / reference.abs().max()).item())
        contenders[name] = lambda peer=peer: peer(torch, *inputs)
    result["ms"] = median_times(torch, contenders, flush)
    ms = result["ms"]["Tenon"]
    result.update(tflops=flops / ms / 1e9, tbps=bytes_moved / ms / 1e9)
    return result


def run_model(torch, tenon, path, build, make, with_compile):
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)  # as when it was exported: what is f32 by name stays so
    with torch.device("cuda"):
        module = build().eval()
    torch.set_default_dtype(torch.float32)
    value = make().cuda()
    value = value.to(torch.bfloat16) if value.is_floating_point() else value
    weights = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    with torch.no_grad():
        executable = tenon.load(path, weights={key: w.detach().cpu().contiguous() for key, w in weights.items()})
        got, theirs = one(executable(value)).double(), module(value).double()
        result = {}
        if sum(w.numel() for w in weights.values()) < 1e9:
            exact = module.double()(value.double() if value.is_floating_point() else value)
            module = module.to(torch.bfloat16)
            for key, out in (("error", got), ("torch's error", theirs)):
                result[key] = (out - exact).abs().max().item()
        else:
            result["difference to torch"] = (got - theirs).abs().max().item()
        graph = executable.graph(value)
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                module(value)
        torch.cuda.current_stream().wait_stream(side)
        captured = torch.cuda.CUDAGraph()
        with torch.cuda.graph(captured):
            module(value)
        contenders = {"Tenon": lambda: graph(value), "torch, CUDA graph": captured.replay}
        if with_compile:
            compiled = torch.compile(module, mode="reduce-overhead")
            for _ in range(4):
                compiled(value)
            contenders["torch.compile"] = lambda: compiled(value)
        result["ms"] = median_times(torch, contenders)
        return result


def run_all(folder, out, pattern, with_compile):
    sys.path.insert(0, str(ROOT / "python-frontend"))
    os.environ.setdefault("TENON_LIBRARY", str(Path(folder).resolve() / "libtenon-runtime.so"))
    import tenon
    import torch
    results = {}
    source = torch.randn(1 << 28, device="cuda")
    target = torch.empty_like(source)
    copy = median_times(torch, {"copy": lambda: target.copy_(source)})["copy"]
    results["copy"] = {"tbps": 2 * source.numel() * 4 / copy / 1e9}
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}; a copy moves {results['copy']['tbps']:.2f} TB/s")
    del source, target
    flush = torch.empty(256 << 20, dtype=torch.uint8, device="cuda")

    def report(name, call):
        if not re.search(pattern, name) or not file_of(folder, name).exists():
            return
        try:
            result = results[name] = call()
        except Exception as error:  # the others go on
            results[name] = {"failed": str(error)}
            print(f"{name}: FAILED {str(error)[:300]}", flush=True)
            return
        own = result["ms"]["Tenon"]
        rate = f"{result['tflops']:.0f} TFLOP/s, {result['tbps']:.2f} TB/s" if "tflops" in result else ""
        error = ", ".join(f"{key} {value:.2g}" for key, value in result.items() if "error" in key or "difference" in key)
        others = "  ".join(f"{k} {v:.4f} ms ({v / own:.3f})" for k, v in result["ms"].items() if k != "Tenon")
        print(f"{name}: {own:.4f} ms {rate}  {others}  {error}", flush=True)
    for name, case in kernels().items():
        report(name, lambda: run_kernel(torch, tenon, file_of(folder, name), case, flush))
    del flush
    for name, (build, make) in models().items():
        report(name, lambda: run_model(torch, tenon, file_of(folder, name), build, make, with_compile))
    Path(out).mkdir(parents=True, exist_ok=True)
    (Path(out) / "results.json").write_text(json.dumps(results, indent=1))


def main(arguments):
    target, out, with_compile, words = "sm_90a", None, False, []
    while arguments:
        word = arguments.pop(0)
        if word == "--target" and arguments:
            target = arguments.pop(0)
        elif word == "--out" and arguments:
            out = arguments.pop(0)
        elif word == "--compile":
            with_compile = True
        else:
            words.append(word)
    if len(words) not in (2, 3) or words[0] not in ("compile", "run") or words[1].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    pattern = words[2] if len(words) == 3 else ""
    if words[0] == "compile":
        compile_all(words[1], target, pattern)
    else:
        run_all(words[1], out or words[1], pattern, with_compile)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
