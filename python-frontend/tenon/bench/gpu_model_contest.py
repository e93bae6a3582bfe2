"""Whole models on a GPU: Tenon's graph beside the model as transformers writes it, and beside plain blocks at their best, as
CUDA graphs with cuDNN or Flash attention, by torch.compile with graphs, and by XLA. Each peer has a time limit; one that
fails is told and left out. Errors are against float64 with the same weights, on the GPU."""
import contextlib
import json
import signal
import zipfile

BACKENDS = {"cuDNN": "CUDNN_ATTENTION", "Flash": "FLASH_ATTENTION"}
LIMITS = {"torch.compile": 100, "XLA": 60}  # seconds to get ready
OTHER_LIMIT = 30


@contextlib.contextmanager
def time_limit(seconds):
    """TimeoutError after so many seconds; in the main thread, between Python's instructions."""
    def stop(*unused):
        raise TimeoutError(f"not ready after {seconds} s")
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def first(value):
    return value[0] if isinstance(value, (tuple, list)) else value


def captured(torch, call):
    """The launches of a call as a CUDA graph."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph


class ModelContest:
    """`artefacts`: {contender: path}; `clock`: what times calls."""

    def __init__(self, torch, tenon, clock, peers):
        self.torch, self.tenon, self.clock, self.peers = torch, tenon, clock, peers

    def run(self, case, artefacts):
        with self.torch.no_grad():
            return self._decode(case, artefacts) if case.is_decode else self._whole(case, artefacts)

    # ---- the two kinds ----
    def _inputs(self, case):
        torch = self.torch
        return tuple(value.cuda().to(torch.bfloat16) if value.is_floating_point() else value.cuda() for value in case.inputs())

    def _whole(self, case, artefacts):
        torch = self.torch
        torch.manual_seed(0)
        torch.set_default_dtype(torch.bfloat16)  # as when it was exported: what is f32 by name stays so
        with torch.device("cuda"):
            module = case.build().eval()
        torch.set_default_dtype(torch.float32)
        inputs = self._inputs(case)
        state = {**dict(module.named_parameters(remove_duplicate=False)), **dict(module.named_buffers())}
        state = {key: value.detach() for key, value in state.items()}
        held = {key: value.cpu().contiguous() for key, value in state.items()}
        loaded = {key: self.tenon.load(path, weights=held) for key, path in artefacts.items()}
        got = {key: first(each(*inputs)).double() for key, each in loaded.items()}
        theirs = module(*inputs).double()
        ready = {"torch as written, graph": lambda: (captured(torch, lambda: module(*inputs)).replay, None)}
        ready |= self._plain_peers(case, state, inputs, {})
        contenders = {key: lambda graph=each.graph(*inputs): graph(*inputs) for key, each in loaded.items()}

        def exact():
            wide = tuple(value.double() if value.is_floating_point() else value for value in inputs)
            return module.double()(*wide)  # last: it changes the module
        return self._measure(contenders, ready, got, theirs, exact)

    def _decode(self, case, artefacts):
        """The weights are made here, by the artefact's names: no module of transformers is needed. The cache is full."""
        torch = self.torch
        inputs = self._inputs(case)
        with zipfile.ZipFile(artefacts["Tenon"]) as archive:
            values = json.loads(archive.read("manifest.json"))["values"]
        generator = torch.Generator("cuda").manual_seed(0)

        def made(shape, scale):
            return (torch.randn(shape, generator=generator, device="cuda") * scale).to(torch.bfloat16)
        state = {value["name"]: made(value["shape"], 0.02) + (len(value["shape"]) == 1)
                 for value in values if value["kind"] == "weight"}
        caches = {value["name"]: made(value["shape"], 1) for value in values
                  if value["kind"] == "input" and value["name"].startswith(("key_", "value_"))}
        pairs = [(caches[f"key_{layer}"], caches[f"value_{layer}"]) for layer in range(len(caches) // 2)]

        def copies(dtype=torch.bfloat16):
            return [(key.to(dtype, copy=True), value.to(dtype, copy=True)) for key, value in pairs]
        torch.cuda.synchronize()  # the library reads the weights on a stream of its own
        got, contenders = {}, {}
        for key, path in artefacts.items():
            each = self.tenon.load(path, weights=state)
            for name, cache in caches.items():
                each.state[name] = cache.clone()
            got[key] = first(each(*inputs)).double()
            contenders[key] = lambda graph=each.graph(*inputs): graph(*inputs)
        theirs = case.plain(state, None, copies())(*inputs).double()
        ready = self._plain_peers(case, state, inputs, {"caches": copies})

        def exact():
            wide = {key: value.double() for key, value in state.items()}
            return case.plain(wide, None, copies(torch.float64))(*inputs)
        table = next(value for key, value in state.items() if "embed_tokens" in key)
        size = 2 * (sum(value.numel() for value in state.values()) - table.numel() + sum(c.numel() for c in caches.values()))
        return {"bytes": size, **self._measure(contenders, ready, got, theirs, exact, size)}

    # ---- peers ----
    def _plain_peers(self, case, state, inputs, options):
        """{name: function that gets it ready and gives (call, its result or None)}"""
        torch = self.torch
        if case.plain is None:
            return {}

        def plain(backend):
            given = {name: make() for name, make in options.items()}
            return case.plain(state, backend, **given).eval()

        def graph(backend):
            module = plain(backend)
            return captured(torch, lambda: module(*inputs)).replay, module(*inputs)
        ready = {f"plain graph, {name}": lambda backend=backend: graph(backend) for name, backend in BACKENDS.items()}
        if "inductor" in self.peers:
            ready["torch.compile"] = lambda: self._compiled(plain, inputs)
        if "xla" in self.peers and hasattr(plain(None), "in_jax"):
            ready["XLA"] = lambda: plain(None).in_jax(inputs)
        return ready

    def _compiled(self, plain, inputs):
        torch = self.torch
        module = plain("CUDNN_ATTENTION")
        for tensor in module.tensors():
            torch._dynamo.mark_static_address(tensor)
        compiled = torch.compile(module, mode="reduce-overhead")
        for _ in range(4):
            result = compiled(*inputs).clone()
        return lambda: compiled(*inputs), result

    # ---- measuring ----
    def _measure(self, contenders, ready, got, theirs, exact, size=None):
        torch = self.torch
        missing, results, hosted = {}, {}, set()
        for name, make in ready.items():
            try:
                with time_limit(LIMITS.get(name, OTHER_LIMIT)):
                    call, result = make()
            except Exception as error:  # a peer's failure is a line
                missing[name] = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
                continue
            contenders[name] = call
            if name == "XLA":
                hosted.add(name)
            if result is not None:
                results[name] = torch.from_dlpack(result).double() if name == "XLA" else result.double()
        result = {"ms": self.clock.medians(contenders, None, hosted)}
        right = exact()
        result["errors"] = {key: (out - right).abs().max().item() for key, out in got.items()}
        result["error"], result["torch's error"] = result["errors"]["Tenon"], (theirs - right).abs().max().item()
        for name, out in results.items():  # it must have computed the same to count
            error = (out - right).abs().max().item()
            if not error <= 4 * result["torch's error"]:
                missing[name] = f"a wrong result, error {error:.2g}"
                del result["ms"][name]
        if size:
            result["tbps"] = size / result["ms"]["Tenon"] / 1e9
        return result | ({"missing": missing} if missing else {})
