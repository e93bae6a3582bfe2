"""A contestant of whole models in a process of its own: what one does to a process (torch.compile that fails, XLA's streams
and memory) is no other's. It makes the model with the weights that all have, from a fixed seed on the device, gets its
contenders ready, and times them in bursts when it is its turn.

usage: python -m tenon.bench.gpu_worker PEER DEVICE      (cuda; cpu is for the tests of this)
"""
import json
import os
import random
import sys
import zipfile
from pathlib import Path

from tenon.bench import gpu_generation
from tenon.bench.gpu_clock import Clock, HostClock
from tenon.bench.gpu_peers import TVM
from tenon.bench.process import serve

BACKENDS = {"plain graph, cuDNN": "CUDNN_ATTENTION", "plain graph, Flash": "FLASH_ATTENTION"}


def first(value):
    return value[0] if isinstance(value, (tuple, list)) else value


class Model:
    """What all contestants share: the case's weights, inputs and caches, in bf16."""

    def __init__(self, case, artefact, device):
        import torch
        self.torch, self.case, self.device = torch, case, device
        self.inputs = tuple(value.to(device).to(torch.bfloat16) if value.is_floating_point() else value.to(device)
                            for value in case.inputs())
        self.module, self.caches, self.executables = None, {}, {}
        if case.batch:
            self._make_step(artefact)
        else:
            self._make_module()

    def built(self):
        """The module in bf16 with weights of a seed."""
        torch = self.torch
        torch.manual_seed(0)
        torch.set_default_dtype(torch.bfloat16)  # as when it was exported: what is f32 by name stays so
        with torch.device(self.device):
            module = self.case.build().eval()
        torch.set_default_dtype(torch.float32)
        return module

    def _make_module(self):
        self.module = self.built()
        state = {**dict(self.module.named_parameters(remove_duplicate=False)), **dict(self.module.named_buffers())}
        self.state = {key: value.detach() for key, value in state.items()}

    def _make_step(self, artefact):
        """The weights are made here, by the artefact's names: no module of transformers is needed. The cache is full; of a
        generator it is empty."""
        torch = self.torch
        with zipfile.ZipFile(artefact) as archive:
            manifest = json.loads(archive.read("manifest.json"))
        values = (manifest["entries"][0]["plan"] if self.case.count else manifest)["values"]
        generator = torch.Generator(self.device).manual_seed(0)

        def made(shape, scale):
            return (torch.randn(shape, generator=generator, device=self.device) * scale).to(torch.bfloat16)
        self.state = {value["name"]: made(value["shape"], 0.02) + (len(value["shape"]) == 1)
                      for value in values if value["kind"] == "weight"}
        scale = 0 if self.case.count else 1
        shapes = {value["name"].removeprefix("model."): value["shape"] for value in values if value["kind"] == "input"}
        self.caches = {name: made(shape, scale) for name, shape in shapes.items() if name.startswith(("key_", "value_"))}

    def copies(self, dtype):
        """Caches to write into, [(keys, values)] of the layers; None of a model without."""
        pairs = [(self.caches[f"key_{layer}"], self.caches[f"value_{layer}"]) for layer in range(len(self.caches) // 2)]
        return [(key.to(dtype, copy=True), value.to(dtype, copy=True)) for key, value in pairs] or None

    def bytes_read(self):
        """Of a decode step: its weights but for the table of tokens, and its caches."""
        table = next(value for key, value in self.state.items() if "embed_tokens" in key)
        numbers = sum(value.numel() for value in self.state.values()) - table.numel()
        return 2 * (numbers + sum(cache.numel() for cache in self.caches.values()))

    def plain(self, backend, dtype=None):
        state = {key: value.to(dtype) for key, value in self.state.items()} if dtype else self.state
        return self.case.plain(state, backend, self.copies(dtype or self.torch.bfloat16)).eval()

    def captured(self, call):
        """What replays the launches of a call, a CUDA graph; on a processor the call itself."""
        torch = self.torch
        if self.device == "cpu":
            return call
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                call()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            call()
        return graph.replay


# ---- the contestants: each gives {contender: (call, result)} ----
def tenon(model, artefacts):
    import tenon
    found = {}
    if model.device != "cpu":
        model.torch.cuda.synchronize()  # the library reads the weights on a stream of its own
    weights = model.state if model.case.is_decode else {key: v.cpu().contiguous() for key, v in model.state.items()}
    for name, path in artefacts.items():
        each = tenon.load(path, weights=weights)
        for key, cache in model.caches.items():
            each.state[key] = cache.clone()
        out = first(each(*model.inputs))
        graph = each if model.device == "cpu" else each.graph(*model.inputs)
        found[name] = (lambda graph=graph: graph(*model.inputs), out)
        model.executables[name] = each
    return found


def as_written(model, artefacts):
    if model.module is None:
        return {}
    return {"torch as written, graph": (model.captured(lambda: model.module(*model.inputs)), model.module(*model.inputs))}


def plain_graph(name):
    def make(model, artefacts):
        module = model.plain(BACKENDS[name])
        return {name: (model.captured(lambda: module(*model.inputs)), module(*model.inputs))}
    return make


def inductor(model, artefacts):
    torch = model.torch
    module = model.plain("CUDNN_ATTENTION")
    for tensor in module.tensors():
        torch._dynamo.mark_static_address(tensor)
    compiled = torch.compile(module, mode="reduce-overhead")
    for _ in range(4):
        result = compiled(*model.inputs).clone()
    return {"torch.compile": (lambda: compiled(*model.inputs), result)}


def xla(model, artefacts):
    module = model.plain(None)
    if not hasattr(module, "in_jax"):
        return {}
    return {"XLA": module.in_jax(model.inputs)}


def tvm(model, artefacts):
    from tenon.bench.tvm_models import caller
    half = model.torch.float16
    state = {key: value.cpu().to(half) for key, value in model.state.items()}
    inputs = tuple(value.to(half) if value.is_floating_point() else value for value in model.inputs)
    call = caller(model.case.plain(state, None).eval(), inputs, model.device)
    return {TVM: (call, model.torch.from_dlpack(call()).clone())}


PEERS = {"Tenon": tenon, "torch as written": as_written, **{name: plain_graph(name) for name in BACKENDS},
         "torch.compile": inductor, "XLA": xla, TVM: tvm}
NEED_PLAIN = (*BACKENDS, "torch.compile", "XLA", TVM)
REFERENCE = "float64"


class Contestant:
    def __init__(self, peer, device):
        self.peer, self.device = peer, device
        self.contenders, self.results, self.own = {}, {}, None

    def answer(self, command):
        return getattr(self, command.pop("do"))(**command)

    def prepare(self, case, artefacts, exact):
        """`exact`: the file that the reference goes to."""
        if self.peer == TVM:
            import tvm  # noqa: F401  before torch
        from tenon.bench.gpu_models import models
        found = models()[case]
        self.contenders, self.results = {}, {}
        if found.count:
            return self._prepare_generator(found, artefacts["Tenon"])
        if self.peer in NEED_PLAIN and found.plain is None:
            return {"contenders": []}
        if self.peer == TVM and not found.in_tvm:
            return {"contenders": []}
        with no_grad():
            model = Model(found, artefacts["Tenon"], self.device)
            if self.peer == REFERENCE:
                return self._refer(model, exact)
            for name, (call, result) in PEERS[self.peer](model, artefacts).items():
                self.contenders[name], self.results[name] = call, result
        self.own = model
        return {"contenders": list(self.contenders)}

    def _prepare_generator(self, case, artefact):
        with no_grad():
            self.own = Model(case, artefact, self.device)
            self.contenders, text = gpu_generation.contenders(self.peer, self.own, artefact)
        return {"contenders": list(self.contenders), "text": text.tolist(), "generated": case.batch * case.count}

    def judge(self, case, artefact, given):
        """Of generators: their texts, {contender: text}."""
        from tenon.bench.gpu_models import models
        with no_grad():
            return gpu_generation.judge(Model(models()[case], artefact, self.device), given)

    def _refer(self, model, exact):
        """The model in float64, saved, and the error of PyTorch in bf16."""
        torch = model.torch
        if model.case.is_decode:
            theirs, right = model.plain(None)(*model.inputs), model.plain(None, torch.float64)(*model.inputs)
        else:
            theirs = model.module(*model.inputs)
            wide = tuple(value.double() if value.is_floating_point() else value for value in model.inputs)
            right = model.module.double()(*wide)
        torch.save(right.cpu(), exact)
        reply = {"torch's error": (theirs.double() - right).abs().max().item()}
        return reply | ({"bytes": model.bytes_read(), "tokens": model.case.batch} if model.case.is_decode else {})

    def compare(self, exact):
        import torch
        right = torch.load(exact).to(self.device)
        return {"errors": {name: (out.to(right.device).double() - right).abs().max().item()
                           for name, out in self.results.items()}}

    def explain(self):
        """Of Tenon: its launches, each timed by itself, and what each kernel costs in the graph."""
        import torch
        clock, executable = Clock(torch), self.own.executables["Tenon"]
        return {"launches": clock.launches(executable, self.own.inputs),
                "in_graph": clock.costs_in_graph(executable, self.own.inputs)}

    def time(self, rounds, names, sleep):
        """`sleep`: of the device, as the other contestants have it; the answer has what it had to be."""
        import torch
        is_hosted = self.device == "cpu" or self.own is not None and self.own.case.count  # a text ends on the host
        clock = (HostClock if is_hosted else Clock)(torch, sleep=sleep)
        chosen = {name: self.contenders[name] for name in random.sample(names, len(names))}
        with no_grad():
            return {"ms": clock.rounds_of(chosen, rounds), "sleep": clock.sleep}


def no_grad():
    import torch
    return torch.no_grad()


def main(peer, device):
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no reply
    serve(sys.stdin, replies, Contestant(peer, device).answer)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    main(*sys.argv[1:])
