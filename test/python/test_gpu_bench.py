"""The benchmark on a GPU where there is none: what it compiles, and how contenders take turns."""
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from tenon.bench import explain
from tenon.bench.gpu_artefacts import read_variants
from tenon.bench.gpu_clock import LONGEST_SLEEP, SLEEP, Clock, summed_up
from tenon.bench.gpu_contest import Contest
from tenon.bench.gpu_kernels import kernels
from tenon.bench.gpu_model_contest import ModelContest
from tenon.bench.process import WorkerProcess
from tenon.errors import InternalError, InvalidArgumentError

ROOT = Path(__file__).resolve().parents[2]
SMALL = "gemm 1x4096x4096"


def run(*command):
    return subprocess.run(list(map(str, command)), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def gpu_bench(*arguments):
    return run(sys.executable, "test/perf/gpu_bench.py", *arguments)


@pytest.mark.parametrize("arguments, status, message", [
    (["kernels", "--vs=tvm"], 2, "no peer 'tvm' of kernels on a GPU; there are torch, cublas, cudnn, flash, inductor, xla"),
    (["models", "--device=cuda", "--vs=ort"], 2, "no peer 'ort' of models on a GPU; there are torch, cudnn, flash, inductor, xla, tvm"),
    (["models", "--device=cuda", "--vs=tvm", "--case=nothing", "--compile-only=/tmp"], 1, "no case 'nothing'"),
    (["kernels", "--vs=cublas,inductor,xla", "--case=nothing", "--compile-only=/tmp"], 1, "no case 'nothing'"),
    (["models", "--device=cuda", "--vs=cublas"], 2, "no peer 'cublas' of models on a GPU"),
    (["kernels", "--device=cpu"], 2, "invalid choice"),
    (["kernels", "--compile-only=a", "--run-only=b"], 2, "one step each"),
    (["models", "--variants=x"], 2, "--variants goes with --device=cuda"),
    (["kernels", "--case=nothing", "--compile-only=/tmp"], 1, "no case 'nothing'; cases are gemm"),
    (["kernels", "--variants=/nowhere", "--compile-only=/tmp"], 1, "variants /nowhere"),
])
def test_use(arguments, status, message):
    done = run("build/bin/tenon-bench", *arguments)
    assert done.returncode == status and message in done.stdout


def test_compiles_named_cases_and_their_variants(tmp_path):
    variants = {SMALL: {"small": {"schedule": ["@linear = #tile.gemm<rows = 16, columns = 32, depth = 64>"]},
                        "huge": {"schedule": ["@linear = #tile.gemm<rows = 512, columns = 512, depth = 64>"]}}}
    (tmp_path / "variants.json").write_text(json.dumps(variants))
    done = gpu_bench("compile", tmp_path / "made", "--variants", tmp_path / "variants.json", "--case", SMALL)
    assert done.returncode == 1 and f"{SMALL}, huge: does not compile: " in done.stdout, done.stdout
    index = json.loads((tmp_path / "made/index.json").read_text())
    assert list(index["cases"]) == [SMALL] and list(index["cases"][SMALL]["variants"]) == ["small"]
    assert (tmp_path / "made/libtenon-runtime.so").exists()
    schedules = []
    for file in (index["cases"][SMALL]["file"], index["cases"][SMALL]["variants"]["small"]["file"]):
        with zipfile.ZipFile(tmp_path / "made" / file) as archive:
            kernels_made = json.loads(archive.read("manifest.json"))["kernels"]
            schedules.append([kernel["schedule"].split(" #warp")[0] for kernel in kernels_made.values()])
    assert schedules[1] == ["#tile.gemm<rows = 16, columns = 32, depth = 64>"] != schedules[0]
    done = gpu_bench("run", tmp_path / "made", "--compile", "--xla", "--tvm")
    assert done.returncode == 1 and "PyTorch finds no GPU here" in done.stdout


@pytest.mark.parametrize("variants, message", [
    ([], "expected an object"),
    ({SMALL: {"x": 3}}, "expected an object"),
    ({"nothing": {}}, "no case 'nothing'"),
    ({SMALL: {"x": {"schedule": "@linear"}}}, "'schedule' is no option, or not of its type"),
    ({SMALL: {"x": {"warps": 3}}}, "'warps' is no option"),
])
def test_variants_that_are_none(tmp_path, variants, message):
    (tmp_path / "v.json").write_text(json.dumps(variants))
    with pytest.raises(InvalidArgumentError, match=message):
        read_variants(tmp_path / "v.json")


def on_the_cpu(torch):
    """torch as far as a contest of kernels uses it, with tensors on the CPU and events that count calls."""
    class Event:
        now = 0

        def __init__(self, enable_timing):
            pass

        def record(self):
            self.at = Event.now

        def elapsed_time(self, end):
            return float(end.at - self.at)

        def query(self):
            return False

    def randn(*size, device, dtype):
        return torch.randn(*size, dtype=dtype)
    cuda = SimpleNamespace(Event=Event, synchronize=lambda: None, _sleep=lambda cycles: None)
    return SimpleNamespace(randn=randn, bfloat16=torch.bfloat16, cuda=cuda, nn=torch.nn, softmax=torch.softmax), Event


def test_contenders_take_turns():
    import torch
    fake, event = on_the_cpu(torch)
    case = kernels()["softmax 8192x8192"]
    case.sizes, flushed = [(4, 8)], []

    def executable(milliseconds, wrong):
        def call(x):
            event.now += milliseconds
            return torch.softmax(x.float(), -1).to(torch.bfloat16) + wrong
        return call
    made = {"softmax.tnx": executable(5, 0), "other.tnx": executable(3, 1)}
    index = {"cases": {"softmax": {"file": "softmax.tnx", "variants": {"other": {"file": "other.tnx"}}}}}
    contest = Contest(fake, SimpleNamespace(load=lambda path, weights: made[path.name]), "", index, Clock(fake, rounds=3), ["torch"])
    flush = SimpleNamespace(sum=lambda: flushed.append(1))
    result = contest.kernel("softmax", case, flush)
    assert result["ms"] == {"Tenon": 5.0, "Tenon, other": 3.0, "torch": 0.0} and len(flushed) == 3 + 9
    assert result["quartiles"] == {"Tenon": [5.0, 5.0], "Tenon, other": [3.0, 3.0], "torch": [0.0, 0.0]}
    assert result["error"] < 0.01 < 1 <= result["errors"]["Tenon, other"]


@pytest.mark.parametrize("peers, names", [
    ([], ["cuDNN", "Flash, packed", "torch"]), (["torch", "xla"], ["cuDNN", "Flash, packed", "torch"]),
    (["xla"], ["cuDNN", "Flash, packed", "torch"]), (["flash", "inductor"], ["Flash, packed"]), (["cublas"], []),
    (["cudnn", "torch"], ["cuDNN", "Flash, packed", "torch"])])
def test_libraries_of_torch_are_all_there_unless_some_are_named(peers, names):
    """Only they are timed; the first one gives the reference in either case."""
    import torch
    fake, event = on_the_cpu(torch)
    called = []

    def peer(name, wrong):
        def call(torch_, x):
            called.append(name)
            return x + wrong
        return call

    def tenon_own(x):
        event.now += 1
        return x
    case = SimpleNamespace(sizes=[(4, 8)], inputs=None, reference=None, has_f32=False, is_fused=False, weights=(), flops=1, bytes=1,
                           peers={"cuDNN": peer("cuDNN", 0), "Flash, packed": peer("Flash, packed", 1), "torch": peer("torch", 2)},
                           in_jax=None)
    made = SimpleNamespace(load=lambda path, weights: tenon_own)
    contest = Contest(fake, made, "", {"cases": {"case": {"file": "x.tnx", "variants": {}}}}, Clock(fake, rounds=1), peers)
    result = contest.kernel("case", case, SimpleNamespace(sum=lambda: None))
    in_time = [name for name in result["ms"] if name not in ("Tenon", "XLA")]
    assert in_time == names and result["error"] == 0 and set(called) == {"cuDNN", *names}


def test_of_models_named_libraries_are_plain_graphs():
    def contestants(*peers):
        with ModelContest(peers) as contest:
            return contest.peers
    assert contestants() == ["Tenon", "torch as written", "plain graph, cuDNN", "plain graph, Flash"]
    assert contestants("flash", "tvm") == ["Tenon", "plain graph, Flash", "TVM, f16"]
    assert contestants("torch", "flash", "xla") == [*contestants(), "XLA"]


@pytest.mark.parametrize("name, kernel, schedule", [
    ("linear+gated silu 4096x16384x4096", "linear_gated_swiglu", "tf32 = false, wgmma = true"),
    ("gemm tf32 1024x4096x4096", "linear", "tf32 = true, wgmma = true"),
])
def test_a_case_is_one_kernel(tmp_path, name, kernel, schedule):
    done = gpu_bench("compile", tmp_path, "--case", name)
    assert done.returncode == 0, done.stdout
    index = json.loads((tmp_path / "index.json").read_text())
    with zipfile.ZipFile(tmp_path / index["cases"][name]["file"]) as archive:
        plan = json.loads(archive.read("manifest.json"))
    assert [launch["kernel"] for launch in plan["launches"]] == [kernel]
    assert schedule in plan["kernels"][kernel]["schedule"]


def test_gates_have_their_weights_by_name():
    import torch
    fake, event = on_the_cpu(torch)
    name, given = "linear+gated silu 4096x16384x4096", {}
    case = kernels()[name]
    case.sizes = [(4, 8), (16, 8), (16, 8)]

    def load(path, weights):
        given.update(weights)

        def call(x):
            event.now += 1
            return next(iter(case.peers.values()))(torch, x, weights["w"], weights["u"])
        return call
    index = {"cases": {name: {"file": "gated.tnx", "variants": {}}}}
    result = Contest(fake, SimpleNamespace(load=load), "", index, Clock(fake, rounds=1), ["torch"]).kernel(
        name, case, SimpleNamespace(sum=lambda: None))
    assert list(given) == ["w", "u"] and result["error"] < 0.02


def test_products_of_tf32_are_compared_as_such():
    import torch
    matmuls, allowed = torch.backends.cuda.matmul, []

    def product(x, w):
        allowed.append(matmuls.allow_tf32)
        return x @ w.T
    before, case = matmuls.allow_tf32, kernels()["gemm tf32 1024x4096x4096"]
    fake = SimpleNamespace(backends=torch.backends, nn=SimpleNamespace(functional=SimpleNamespace(linear=product)))
    x, w = torch.randn(4, 8), torch.randn(16, 8)
    assert torch.equal(case.peers["cuBLAS"](fake, x, w), x @ w.T)
    assert allowed == [True] and matmuls.allow_tf32 == before
    torch.testing.assert_close(case.reference(torch, x, w), x @ w.T)


class Told:
    """A contestant whose answers are written down; it ends where there are none left."""

    def __init__(self, name, answers, log):
        self.name, self.answers, self.log, self.has_ended = name, answers, log, False

    def send(self, **command):
        self.log.append((self.name, command["do"]))
        self.sleeps = [*getattr(self, "sleeps", []), *([command["sleep"]] if "sleep" in command else [])]
        self.command = command["do"]

    def receive(self, limit):
        queue = self.answers.get(self.command, [])
        return queue.pop(0) if queue else {"missing": "its process ended with status -11"}

    def end(self):
        self.has_ended = True


def contest_of(told, log):
    contest = ModelContest(["inductor"], begin=lambda name, device, folder: Told(name, told[name], log), turns=3)
    contest.peers = [name for name in told if name != "float64"]
    return contest


def of(name, milliseconds, error, turns=3, sleep=SLEEP):
    """What a contestant answers; the first time is that of the turn that does not count."""
    return {"prepare": [{"contenders": [name]}], "compare": [{"errors": {name: error}}],
            "time": [{"ms": {name: [milliseconds + turn] * 5}, "sleep": sleep} for turn in (99, *range(turns))]}


def test_models_have_a_process_each():
    log, told = [], {
        "float64": {"prepare": [{"torch's error": 0.1, "bytes": 4e9, "tokens": 16}]}, "Tenon": of("Tenon", 2, 0.1),
        "plain graph, cuDNN": of("plain graph, cuDNN", 4, 0.2), "plain graph, Flash": of("plain graph, Flash", 1, 0.5),
        "torch as written": {"prepare": [{"contenders": []}]}, "torch.compile": {"prepare": [{"missing": "an error of its own"}]},
        "XLA": of("XLA", 3, 0.1, turns=1, sleep=4 * SLEEP)}
    with contest_of(told, log) as contest:
        result = contest.run("a case", {"Tenon": "x.tnx"})
        # Another case: who failed has a new process, and so has the reference.
        for name in ("float64", "torch.compile"):
            assert name not in contest._processes
        assert contest._processes["Tenon"].sleeps[1:] == [4 * SLEEP] * 3  # as long as the longest
    assert result["ms"] == {"Tenon": 3.0, "plain graph, cuDNN": 5.0} and result["error"] == 0.1
    assert result["quartiles"] == {"Tenon": [2.0, 4.0], "plain graph, cuDNN": [4.0, 6.0]}
    assert result["missing"] == {"torch.compile": "an error of its own", "plain graph, Flash": "a wrong result, error 0.5",
                                 "XLA": "its process ended with status -11"}
    assert result["tbps"] == pytest.approx(4 / 3, rel=1e-3)
    turns = [name for name, command in log if command == "time"]
    assert sorted(turns[:3]) == ["Tenon", "XLA", "plain graph, cuDNN"] and turns.count("Tenon") == 1 + 3


@pytest.mark.parametrize("who", ["float64", "Tenon"])
def test_a_case_without_tenon_or_its_reference_is_an_error(who):
    told = {"float64": {"prepare": [{"torch's error": 0.1}]}, "Tenon": of("Tenon", 2, 0.1)}
    told[who] = {"prepare": [{"missing": "it has no memory"}]}
    with contest_of(told, []) as contest, pytest.raises(InternalError, match="it has no memory"):
        contest.run("a case", {"Tenon": "x.tnx"})


def test_a_process_that_dies_or_hangs(tmp_path):
    def begin(code):
        return WorkerProcess("peer", [sys.executable, "-c", code], None, tmp_path)
    dies, hangs = begin("import os; input(); os._exit(3)"), begin("import time; time.sleep(60)")
    assert "its process ended with status 3" in dies.ask(do="x")["missing"]
    assert hangs.ask(limit=0.2, do="x") == {"missing": "not ready after 0.2 s"} and hangs.has_ended
    dies.end()


def test_a_model_beside_a_peer_on_this_processor(tmp_path):
    """The processes themselves: the same weights in each, results within the peer's bound."""
    from tenon.bench.gpu_artefacts import Selection, compile_cases
    case = "MiniLM B1 S128"
    assert compile_cases(tmp_path, "cpu", Selection(("models",), [case]), {}, print) == 0
    with ModelContest([], device="cpu", turns=1, limit=1200) as contest:  # bf16 and f64 on a processor that others use, too
        contest.peers = ["Tenon", "plain graph, Flash"]
        result = contest.run(case, {"Tenon": tmp_path / "MiniLM_B1_S128.tnx"})
    assert set(result["ms"]) == {"Tenon", "plain graph, Flash"} and "missing" not in result, result
    assert result["error"] < 2 * result["torch's error"]


IN_TVM = """
import sys
try:
    import tvm  # before torch
except ImportError:
    sys.exit("no tvm")
import torch
from torch.nn import functional as F
from tenon.bench.tvm_models import caller
torch.manual_seed(0)

class Block(torch.nn.Module):
    patch, first, up, down = (0.1 * torch.randn(*size, dtype=torch.half) for size in ((16, 3, 4, 4), (16, 48), (32, 16), (16, 32)))
    bias = {size: torch.randn(size, dtype=torch.half) for size in (16, 32, 48)}
    def forward(self, x):
        x = F.conv2d(x, self.patch, self.bias[16], stride=4).flatten(2).transpose(1, 2)
        qkv = torch.addmm(self.bias[48], x.flatten(0, 1), self.first).unflatten(0, x.shape[:2])
        q, k, v = (part.unflatten(-1, (2, -1)).transpose(1, 2) for part in qkv.chunk(3, -1))
        for causal in (False, True):
            x = x + F.scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(1, 2).flatten(2)
        return x + F.linear(F.gelu(F.linear(x, self.up, self.bias[32])), self.down)

x = torch.randn(2, 3, 8, 12, dtype=torch.half)
with torch.no_grad():
    right = Block()(x)
print("error", (torch.from_dlpack(caller(Block(), (x,), "cpu")()) - right).abs().max().item())
"""


def test_rules_of_tvm_in_f16():
    done = subprocess.run([sys.executable, "-c", IN_TVM], cwd=ROOT / "python-frontend", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.stdout.strip() == "no tvm":
        pytest.skip("no tvm")
    assert done.returncode == 0, done.stdout
    assert float(done.stdout.rsplit("error ", 1)[1]) < 0.02


def test_tvm_is_left_out_where_it_is_not(tmp_path, monkeypatch):
    from tenon.bench.gpu_model_contest import start
    from tenon.bench.gpu_peers import TVM
    (tmp_path / "tvm.py").write_text("raise ImportError('no TVM on this machine')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    process = start(TVM, "cpu", tmp_path)
    answer = process.ask(do="prepare", case="MiniLM B1 S128", artefacts={"Tenon": "x.tnx"}, exact="x.pt")
    process.end()
    assert answer == {"missing": "ImportError: no TVM on this machine"}


def test_a_late_host_is_given_a_longer_sleep():
    import torch
    fake, event = on_the_cpu(torch)
    slept = []
    fake.cuda._sleep = slept.append
    event.query = lambda self: slept[-1] < needs
    clock = Clock(fake)

    def call():
        event.now += 1
    needs = 3 * SLEEP
    assert clock.one(call) == clock.one(call) == 1.0 and slept == [SLEEP, 2 * SLEEP, 4 * SLEEP, 4 * SLEEP]
    needs = 10 * LONGEST_SLEEP  # it waits for the device itself
    assert clock.one(call) == 1.0 and slept[-1] == LONGEST_SLEEP
    slept.clear()
    needs = 2 * SLEEP
    clock.measured({"a": call, "b": call})
    assert slept == [SLEEP] + [2 * SLEEP] * (2 + 2 * clock.rounds)  # found out ahead of the rounds, and the same for all


def test_xla_is_timed_in_the_order_of_the_stream(monkeypatch):
    """An input is handed over and the result taken back with each call; no host's clock."""
    import torch
    fake, event = on_the_cpu(torch)
    handed, taken = [], []
    fake.from_dlpack = lambda value: taken.append(value)

    def product(value, other):
        event.now += 7
        return SimpleNamespace(of=(value, other), block_until_ready=lambda: None)
    jax = SimpleNamespace(jit=lambda function: product, dlpack=SimpleNamespace(from_dlpack=lambda value: handed.append(value) or value))
    monkeypatch.setitem(sys.modules, "jax", jax)
    contest = Contest(fake, None, "", {}, Clock(fake, rounds=2), ["xla"])
    inputs = [torch.ones(2), torch.ones(3)]
    call = contest.in_xla(SimpleNamespace(in_jax=None), inputs)
    assert [len(value) for value in handed] == [2, 3] and contest.clock.one(call) == 7.0
    assert [len(value) for value in handed] == [2, 3, 2] and [len(value) for value in taken[0].of] == [2, 3]


def test_the_middle_half_of_the_rounds_is_kept():
    times = {"Tenon": [9.0, 1.0, 3.0, 2.0, 4.0], "even": [4.0, 1.0, 2.0, 3.0], "once": [7.0]}
    assert summed_up(times) == {"ms": {"Tenon": 3.0, "even": 2.5, "once": 7.0},
                                "quartiles": {"Tenon": [2.0, 4.0], "even": [1.75, 3.25], "once": [7.0, 7.0]}}


def test_launches_are_timed_one_by_one():
    import torch
    fake, event = on_the_cpu(torch)
    rounds = iter([[{"kernel": "a", "ms": ms, "flops": 1, "bytes": 2}] for ms in (3, 1, 9)])
    executable = SimpleNamespace(time_launches=lambda x: next(rounds))
    assert Clock(fake).launches(executable, (0,), rounds=3) == [{"kernel": "a", "ms": 3, "flops": 1, "bytes": 2}]


def test_kernels_are_left_out_of_the_graph_in_turns():
    import torch
    fake, event = on_the_cpu(torch)
    values = [{"dtype": dtype} for dtype in ("bf16", "i64", "i1", "i32")]
    launches = [("a", [0]), ("places", [0, 1]), ("b", [2]), ("a", [0]), ("mixed", [0]), ("places", [0, 1]), ("mixed", [3]), ("one", [3])]
    manifest = {"values": values, "launches": [{"kernel": kernel, "results": results} for kernel, results in launches]}
    assert explain.kernels_to_leave_out(manifest) == ["a", "b", "one"]
    manifest["launches"], log = [manifest["launches"][at] for at in (0, 2, 3)], []

    def graph(name, milliseconds):
        def call(x):
            log.append((name, x))
            event.now += milliseconds
        return call
    executable = SimpleNamespace(manifest=manifest, graph=lambda x: graph("all", 9),
                                 graph_without=lambda kernels, x: graph("no " + "".join(kernels), {"a": 5, "b": 8}[kernels[0]]))
    assert Clock(fake, rounds=4).costs_in_graph(executable, ("x",)) == {"a": 4, "b": 1}
    warm = 3 + 1  # calls of each ahead of the rounds, the last of which finds out the sleep
    names = [name for name, x in log if x == "x"]
    assert len(names) == 4 * (warm + 4) and [names.count(name) for name in ("all", "no a", "no b")] == [16, 8, 8]
    assert names.index("no b") > len(names) // 2 > max(at for at, name in enumerate(names) if name == "no a")
