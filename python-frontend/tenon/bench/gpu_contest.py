"""Tenon and its peers on a GPU. Kernels in one process: they take turns in a new random order each round, behind a sleep on
the device that hides the host's work, on random normal data; the L2 cache is filled with something else before each kernel (a
model's own weights and activations do that), by reads: what a write leaves there the kernel would write back. Medians and quartiles.
Models: gpu_model_contest.py."""
import json
import os
import time
from pathlib import Path

from tenon.bench.gpu_artefacts import INDEX
from tenon.bench.gpu_clock import Clock
from tenon.bench.gpu_generation_contest import GenerationContest
from tenon.bench.gpu_kernels import kernels
from tenon.bench.gpu_model_contest import ModelContest
from tenon.bench.gpu_models import models
from tenon.bench.gpu_peers import takes
from tenon.errors import InternalError


def results_of(value):
    return [each.float() for each in (value if isinstance(value, (tuple, list)) else [value])]


def relative_error(got, references):
    """The largest of all results, each in f32; against that result's largest element."""
    return max(((each - reference).abs().max() / reference.abs().max()).item()
               for each, reference in zip(results_of(got), references, strict=True))


class Contest:
    def __init__(self, torch, tenon, folder, index, clock, peers):
        self.torch, self.tenon, self.folder, self.index, self.clock = torch, tenon, Path(folder), index, clock
        self.peers = peers

    def artefacts(self, name):
        """{contender: path}: "Tenon", and "Tenon, VARIANT" for each."""
        entry = self.index["cases"][name]
        paths = {"Tenon": self.folder / entry["file"]}
        return paths | {f"Tenon, {variant}": self.folder / made["file"] for variant, made in entry["variants"].items()}

    # ---- kernels ----
    def in_xla(self, case, inputs):
        """A call of XLA in the order of PyTorch's stream, whose events time it: XLA has streams of its own, but one that takes an
        input waits for the stream it is from, and a stream that takes a result for XLA's."""
        import jax
        jitted = jax.jit(lambda *values: case.in_jax(jax, *values))
        values = [jax.dlpack.from_dlpack(value) for value in inputs]
        jitted(*values).block_until_ready()
        return lambda: self.torch.from_dlpack(jitted(jax.dlpack.from_dlpack(inputs[0]), *values[1:]))

    def reference_of(self, case, inputs):
        """The results in f32; where a library has no f32, in bf16 by the first that has such a kernel, in the contest or not."""
        first_peer = next(iter(case.peers.values()))
        if case.reference:
            return results_of(case.reference(self.torch, *inputs))
        if case.has_f32:
            return results_of(first_peer(self.torch, *[value.float() for value in inputs]))
        for peer in case.peers.values():
            try:
                return results_of(peer(self.torch, *inputs))
            except RuntimeError:  # it has no such kernel
                pass
        raise InternalError("no library has such a kernel: there is nothing to compare with")

    def contenders_of(self, case, inputs):
        """({peer: call}, {peer: why it is not there})"""
        torch = self.torch
        calls = {peer: lambda call=call: call(torch, *inputs) for peer, call in case.peers.items()
                 if takes("kernels", self.peers, peer)}
        if "inductor" in self.peers and case.is_fused:
            plain = next(iter(case.peers.values()))
            torch._dynamo.reset()  # it gives up on the ninth function that is made here, and runs it as it stands
            compiled = torch.compile(lambda *values: plain(torch, *values))
            calls["torch.compile"] = lambda: compiled(*inputs)
        missing = {}
        for peer, call in list(calls.items()):
            try:
                call()
            except RuntimeError as error:  # it has no such kernel
                missing[peer] = str(error).splitlines()[0]
                del calls[peer]
        if "xla" in self.peers:
            try:
                calls["XLA"] = self.in_xla(case, inputs)
            except Exception as error:  # not installed, or it has no such kernel
                missing["XLA"] = (str(error).splitlines() or [type(error).__name__])[0]
        return calls, missing

    def kernel(self, name, case, flush):
        torch = self.torch
        inputs = [torch.randn(*size, device="cuda", dtype=torch.bfloat16) for size in case.sizes]
        if case.inputs:
            inputs = case.inputs(torch)
        reference = self.reference_of(case, inputs)
        contenders, missing = self.contenders_of(case, inputs)
        result = {"errors": {}}
        own, given = {}, inputs[:len(inputs) - len(case.weights)]
        weights = dict(zip(case.weights, inputs[len(given):]))
        if weights:
            torch.cuda.synchronize()  # the library reads them on a stream of its own
        for contender, path in self.artefacts(name).items():
            executable = self.tenon.load(path, weights=weights or None)
            result["errors"][contender] = relative_error(executable(*given), reference)
            own[contender] = lambda executable=executable: executable(*given)
        result |= self.clock.measured({**own, **contenders}, flush)
        ms = result["ms"]["Tenon"]
        result.update(error=result["errors"]["Tenon"], tflops=case.flops / ms / 1e9, tbps=case.bytes / ms / 1e9,
                      flops=case.flops, bytes=case.bytes)
        return result | ({"missing": missing} if missing else {})


# ---- what the machine can do, measured in the same run ----
def measure_copy(torch, clock):
    """TB/s of a copy of 1 GiB, both ways counted."""
    source = torch.randn(1 << 28, device="cuda")
    target = torch.empty_like(source)
    return 2 * source.numel() * 4 / clock.measured({"copy": lambda: target.copy_(source)})["ms"]["copy"] / 1e9


def measure_peak(torch, clock):
    """TFLOP/s of cuBLAS's better product of 4096 and 8192 cubed, bf16."""
    rates = []
    for side in (4096, 8192):
        a, b = (torch.randn(side, side, device="cuda", dtype=torch.bfloat16) for _ in range(2))
        rates.append(2 * side**3 / clock.measured({"product": lambda: a @ b.T})["ms"]["product"] / 1e9)
    return max(rates)


def run_cases(folder, selection, peers, say, explains=False):
    """All that was measured: {"machine": {..}, "cases": {name: {"ms": {contender: ms}, "quartiles": {contender: [ms, ms]}, "error", ..}
    or {"failed"}}}."""
    folder = Path(folder).resolve()
    os.environ.setdefault("TENON_LIBRARY", str(folder / "libtenon-runtime.so"))
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # the memory is torch's too
    import tenon
    import torch
    if not torch.cuda.is_available():
        raise tenon.NotFoundError("PyTorch finds no GPU here; compile here, and run where there is one")
    index = json.loads((folder / INDEX).read_text())
    contest = Contest(torch, tenon, folder, index, Clock(torch), peers)
    machine = {"gpu": torch.cuda.get_device_name(), "torch": torch.__version__, "target": index["target"],
               "compiler": index["compiler"], "date": time.strftime("%Y-%m-%d"),
               "copy_tbps": measure_copy(torch, contest.clock), "peak_tflops": measure_peak(torch, contest.clock)}
    results = {"machine": machine, "cases": {}}

    def measure(name, call):
        try:
            results["cases"][name] = call()
        except Exception as error:  # the others go on
            results["cases"][name] = {"failed": str(error)[:2000]}
        say(name, results)
    flush = torch.zeros(64 << 20, device="cuda")  # 256 MiB
    for name, case in selection.of("kernels", kernels()).items():
        if name in index["cases"]:
            measure(name, lambda: contest.kernel(name, case, flush))
    del flush
    if selection.wants_models():
        there = {name: case for name, case in selection.of("models", models()).items() if name in index["cases"]}
        for kind, chosen in ((ModelContest, [name for name in there if not there[name].count]),
                             (GenerationContest, [name for name in there if there[name].count])):
            with kind(peers, explains=explains) as contestants:
                for name in chosen:
                    measure(name, lambda: contestants.run(name, contest.artefacts(name)))
    return results
