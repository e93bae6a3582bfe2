"""torch.compile(model, backend="tenon"): small modules as torch tests its backends, and what the backend promises about
guards, sizes, parameters, modes, fallback and threads."""
import copy
import re
import subprocess
import sys
import threading
import warnings

import pytest
import torch
from small_modules import MODULES, Of, rand
from torch import nn
from torch._dynamo.testing import same

import tenon
from tenon.torch_backend import policy, tenon_backend

# Modules with ops that stay in torch; of all others every op is compiled.
IN_PARTS = {"sort_between", "inverse", "complex", "small_integers"}


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    torch._dynamo.reset()
    monkeypatch.delenv("TENON_FALLBACK", raising=False)


def compiled(module, **options):
    return torch.compile(module, backend=tenon_backend, **options)


@pytest.mark.parametrize("name", MODULES)
def test_same(name, monkeypatch):
    monkeypatch.setenv("TENON_FALLBACK", "allow" if name in IN_PARTS else "error")
    torch.manual_seed(0)
    module, inputs = MODULES[name]()
    eager, given = copy.deepcopy(module.eval()), copy.deepcopy(inputs)
    fast = compiled(module)
    with torch.no_grad():
        for _ in range(2):
            result, expected = fast(*given), eager(*inputs)
            assert same(expected, result, tol=1e-5), name
            assert same(inputs, given) and same(list(eager.buffers()), list(module.buffers())), "what it wrote"
    report = tenon.report(fast)
    assert ("left to torch" in report) == (name in IN_PARTS), report
    assert "compiled: (" in report, report


def test_it_is_found_by_entry_point():
    """In a fresh process that never imports tenon."""
    code = ("import torch; f = torch.compile(torch.nn.Linear(3, 2), backend='tenon')\n"
            "with torch.no_grad(): print(tuple(f(torch.ones(4, 3)).shape))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "(4, 2)", f"{done.stderr[-2000:]}\nis scripts/setup's installation up to date?"


# ---- sizes and guards ----
def test_sizes_are_dynamic_after_the_second():
    module = nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.LayerNorm(8))
    fast = compiled(module)
    with torch.no_grad():
        for batch in (2, 3, 7, 64, 33):
            x = rand(batch, 8)
            assert same(module(x), fast(x), tol=1e-5)
    report = tenon.report(fast)
    assert report.startswith("2 graphs"), report
    assert re.search(r"compiled again: 0/0: tensor .* size mismatch at index 0. expected 2, actual 3\n", report), report
    assert "f32[2, 8]) ->" in report and "_0, 8]) ->" in report


def test_recompiles_are_limited():
    module = Of(lambda self, x, mode: x * len(mode) if mode else x)
    fast = compiled(module, dynamic=False)
    with torch.no_grad(), torch._dynamo.config.patch(recompile_limit=3):
        for mode in ("a", "bb", "ccc", "dddd", "eeeee"):
            assert same(module(rand(4), mode), fast(rand(4), mode))
        report = tenon.report(fast)
    assert report.startswith("3 graphs; a frame gets at most 3 (torch._dynamo.config.recompile_limit)")
    assert report.count("compiled again: ") == 2 and "compiled again: 0/1: args[1] == 'bb'" in report


def test_numbers_that_change_become_inputs():
    module = Of(lambda self, x, n, f: torch.arange(n) * f + x[:n] * n)
    fast = compiled(module)
    with torch.no_grad():
        for n, f in ((3, 0.5), (4, 1.5), (6, -2.5), (9, 1e-3)):
            assert same(module(rand(9), n, f), fast(rand(9), n, f), tol=1e-6)
    assert tenon.report(fast).startswith("2 graphs")


# ---- parameters ----
def test_parameters_written_in_place_are_seen():
    module = nn.Linear(70, 30)
    fast, x = compiled(module), rand(3, 70)
    with torch.no_grad():
        def check():
            assert same(module(x), fast(x), tol=1e-5)
        check()
        module.weight.mul_(2)
        check()
        module.bias[3] = 7.0
        check()
        module.weight.data.add_(0.5)  # not counted in _version
        check()
        module.load_state_dict({"weight": rand(30, 70), "bias": rand(30)})
        check()
        module.weight.data = rand(30, 70, seed=5)
        check()
        module.bias = nn.Parameter(rand(30, seed=6))
        check()
    assert "weights packed again" in tenon.report(fast)


def test_modules_built_alike_share_a_graph_but_no_weights():
    layers = nn.ModuleList(nn.Linear(8, 8) for _ in range(3))
    for layer in layers:
        layer.compile(backend=tenon_backend)
    x = rand(2, 8)
    with torch.no_grad():
        for _ in range(2):
            for layer in layers:
                assert same(nn.functional.linear(x, layer.weight, layer.bias), layer(x), tol=1e-6)


def test_weights_of_a_module_that_is_gone_are_let_go():
    from tenon.torch_backend.part import CompiledPart
    made = []
    original = CompiledPart.__init__

    def note(self, *args):
        original(self, *args)
        made.append(self)
    CompiledPart.__init__ = note
    try:
        module = nn.Linear(8, 8)
        with torch.no_grad():
            compiled(module)(rand(2, 8))
        part, = made
        assert len(part._bindings) == 1
        torch._dynamo.reset()
        del module
        assert not part._bindings
    finally:
        CompiledPart.__init__ = original


# ---- modes ----
def test_gradients_are_refused_and_other_modes_are_not():
    module, x = nn.Linear(4, 2), rand(3, 4)
    fast = compiled(module)
    with pytest.raises(tenon.UnsupportedError) as caught:
        fast(x)
    assert str(caught.value) == (
        "this call would record gradients: grad mode is on and 'weight', 'bias' require them. The backend 'tenon' compiles "
        "inference. Next: call the model under torch.no_grad() or torch.inference_mode(), or switch gradients off, "
        "model.requires_grad_(False)")
    expected = module(x).detach()
    with torch.no_grad():
        assert same(expected, fast(x), tol=1e-6)
    with torch.inference_mode():
        result = fast(x)
        assert same(expected, result, tol=1e-6) and result.is_inference()
    with pytest.raises(tenon.UnsupportedError):
        fast(x)
    module.requires_grad_(False)
    assert same(expected, fast(x), tol=1e-6)


@pytest.mark.parametrize("layer", [nn.Dropout(0.5), nn.BatchNorm1d(8)])
@pytest.mark.parametrize("fallback", ["warn", "error"])
def test_training_mode_is_refused(monkeypatch, layer, fallback):
    monkeypatch.setenv("TENON_FALLBACK", fallback)
    module = nn.Sequential(nn.Linear(8, 8), layer).train()
    fast = compiled(module)
    with torch.no_grad(), pytest.raises(tenon.UnsupportedError, match="the model is in training mode, by aten.*model.eval"):
        fast(rand(2, 8))
    module.eval()
    with torch.no_grad():
        assert same(module(rand(2, 8)), fast(rand(2, 8)), tol=1e-5)


def test_random_ops_of_training_stay_in_torch(monkeypatch):
    monkeypatch.setenv("TENON_FALLBACK", "allow")
    module = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.Linear(8, 8)).train()
    fast, x = compiled(module), rand(2, 8)
    with torch.no_grad():
        torch.manual_seed(3)
        expected = module(x)
        torch.manual_seed(3)
        assert same(expected, fast(x), tol=1e-5)
    assert "left to torch" in tenon.report(fast)


def test_parameters_made_under_inference_mode():
    with torch.inference_mode():
        module = nn.Linear(8, 3)
        fast, x = compiled(module), rand(2, 8)
        for _ in range(3):
            assert same(module(x), fast(x), tol=1e-6)
            module.weight.mul_(2)


# ---- what stays in torch ----
def inverse():
    return Of(lambda self, x: torch.linalg.inv(self.a(x)) + 1, a=nn.Linear(4, 4))


def test_fallback_warns_once():
    policy.forget_warnings()
    with torch.no_grad():
        with pytest.warns(policy.FallbackWarning, match=r"stay in torch: aten.linalg_inv_ex.default.*TENON_FALLBACK=error"):
            compiled(inverse())(rand(4, 4))
        torch.compiler.reset()
        with warnings.catch_warnings():
            warnings.simplefilter("error", policy.FallbackWarning)
            policy._warned.add("aten.linalg_inv_ex.default"), policy._warned.add("with_effects")
            compiled(inverse())(rand(4, 4))


def test_fallback_error_lists_every_op(monkeypatch):
    monkeypatch.setenv("TENON_FALLBACK", "error")
    module = Of(lambda self, x: torch.linalg.inv(x.sort(-1).values))
    with torch.no_grad(), pytest.raises(tenon.UnsupportedError) as caught:
        compiled(module)(rand(4, 4))
    assert "TENON_FALLBACK=error, and the graph has" in str(caught.value)
    assert "aten.sort.default, once: not in the importer's table" in str(caught.value)
    assert "test_torch_compile.py" in str(caught.value) and "aten.linalg_inv_ex" in str(caught.value)


def test_fallback_of_a_wrong_name(monkeypatch):
    monkeypatch.setenv("TENON_FALLBACK", "maybe")
    with torch.no_grad(), pytest.raises(tenon.InvalidArgumentError) as caught:
        compiled(inverse())(rand(4, 4))
    assert str(caught.value) == "TENON_FALLBACK is 'maybe', expected one of error, warn, allow"


def test_report_says_what_and_where(monkeypatch):
    monkeypatch.setenv("TENON_FALLBACK", "allow")
    fast = compiled(inverse())
    assert tenon.report(fast) == "no graph has been compiled yet: torch.compile compiles at the first call"
    with torch.no_grad():
        fast(rand(4, 4))
    report = tenon.report(fast)
    assert "compiled: (args: f32[4, 4]) -> (output_0: f32[4, 4]), 1 launch, 2 weights" in report
    assert "aten.linalg_inv_ex.default, once: not in the importer's table" in report
    assert "test_torch_compile.py:" in report
    with pytest.raises(tenon.InvalidArgumentError, match="a Linear is not what torch.compile"):
        tenon.report(nn.Linear(2, 2))


def test_options_are_refused():
    fast = torch.compile(nn.Linear(2, 2), backend=tenon_backend, options={"speed": 3})
    with torch.no_grad(), pytest.raises(Exception, match="the backend 'tenon' takes no options"):
        fast(rand(1, 2))


# ---- results ----
def test_results_have_the_strides_of_torch():
    module = Of(lambda self, x: (x.transpose(1, 2) * 2, (x + 1).permute(2, 0, 1), x.relu()))
    for dynamic in (False, True):
        with torch.no_grad():
            fast = torch.compile(module, backend=tenon_backend, dynamic=dynamic)
            for expected, result in zip(module(rand(2, 3, 4)), fast(rand(2, 3, 4))):
                assert same(expected, result, tol=1e-6) and result.stride() == expected.stride()


def test_views_share_memory_with_inputs():
    fast = compiled(Of(lambda self, x: (x[1:], x * 2)))
    x = rand(4, 3)
    with torch.no_grad():
        view, _ = fast(x)
        x[2] = 9.0
    assert view.data_ptr() == x[1:].data_ptr() and bool((view[1] == 9.0).all())


def test_threads():
    module = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 16))
    fast, failed = compiled(module, dynamic=True), []

    def work(number):
        with torch.no_grad():
            for turn in range(20):
                x = rand(2 + (number + turn) % 7, 32, seed=number)
                if not same(module(x), fast(x), tol=1e-5):
                    failed.append((number, turn))
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
