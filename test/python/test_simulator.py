"""Kernels of every family in the device simulator: right against float64, and without a finding. A part of the cases of
test/gpu; `test/gpu/simulate.py` runs all of them, with every size and kind of data.
"""
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/gpu"))

import simulate  # noqa: E402

from exec_cpu.__main__ import default_seed  # noqa: E402
from exec_cpu.library import Library, TenonError  # noqa: E402

SEED = default_seed()
PART = 29
ORDERS = 3  # of the threads: as they are numbered, at random, warps by priority
SMALL = {"most": 1_000_000, "sizes": 1, "kinds": 1, "seed": SEED}


@pytest.mark.parametrize("arch,first", [("sm_90a", 0), ("sm_80", 7)])
def test_families(monkeypatch, arch, first):
    monkeypatch.setenv("TENON_CUDA_DRIVER", "")
    told = []
    passed, failed = simulate.simulate(
        simulate.FAMILIES, {**SMALL, "arch": arch, "every": PART, "from": first, "sim-seeds": ORDERS}, told.append
    )
    assert not failed, f"RERUN={SEED}\n" + "\n".join(told)
    assert passed * ORDERS > 180, told  # 360 of both: (kernel, shape, order) without a finding


def test_maxima_that_move(monkeypatch):
    """Attention by each way to look at maxima, of several turns: three warpgroups and two in turns, three CTAs a
    multiprocessor, keys that programs share; on scores that climb and have peaks."""
    monkeypatch.setenv("TENON_CUDA_DRIVER", "")
    told = []
    passed, failed = simulate.simulate(["maxima"], {**simulate.DEFAULTS, "seed": SEED, "match": "small_"}, told.append)
    assert not failed and passed == 6, f"RERUN={SEED}\n" + "\n".join(told)


@pytest.mark.parametrize("arch", ["sm_90a", "sm_80"])
def test_pages(monkeypatch, arch):
    """Each way that a tile of keys lies in pages, with and without parts of the keys, and tokens that go into pages."""
    monkeypatch.setenv("TENON_CUDA_DRIVER", "")
    told = []
    # Tiles in a page of 256, of pages of 16 and of 64; a step's; and one's own heads behind each other.
    match = "pages_bf16_(17|129|1)over|kv_pages_append_bf16"
    passed, failed = simulate.simulate(["pages"], {**SMALL, "most": 20_000_000, "arch": arch, "match": match}, told.append)
    assert not failed and passed > 6, f"RERUN={SEED}\n" + "\n".join(told)


@pytest.mark.parametrize("arch", ["sm_90a", "sm_80"])
def test_steps_of_bytes(monkeypatch, arch):
    """Keys and values of 8 bits that dots widen, of several queries, a padded head and lengths; elsewhere made f16 first."""
    monkeypatch.setenv("TENON_CUDA_DRIVER", "")
    told = []
    match = "bytes_decode_(3over31|1over31|1over255)_h(12|7)"
    passed, failed = simulate.simulate(["attention8"], {**SMALL, "most": 20_000_000, "arch": arch, "match": match}, told.append)
    assert not failed and passed > 1, f"RERUN={SEED}\n" + "\n".join(told)


def test_hidden_values_that_are_not_finite(monkeypatch):
    """A CTA has three of the twelve programs, and does those anew whose hidden values spoil what they stored."""
    import numpy as np
    import tenon
    import torch

    monkeypatch.setenv("TENON_CUDA_DRIVER", "sim:sm_90a")
    shape, last = (1, 6, 128, 64), 100
    of = f"tensor<{'x'.join(map(str, shape))}xbf16>"
    model = tenon.compile(f"func.func @main(%q: {of}, %k: {of}, %v: {of}) -> {of} {{\n  %y = tenon.attention %q, %k, %v "
                          f"{{causal}} : ({of}, {of}, {of}) -> {of}\n  return %y : {of}\n}}", target="sim:sm_90a")
    torch.manual_seed(3)
    q, k, v = (torch.randn(shape, dtype=torch.bfloat16) for _ in range(3))
    clean = torch.nn.functional.scaled_dot_product_attention(q.double(), k.double(), v.double(), is_causal=True)
    v[0, 0, last], v[0, 3, last, 5], v[0, 5, last] = float("nan"), float("inf"), float("-inf")
    got = model(q, k, v)
    got = torch.as_tensor(got[0] if isinstance(got, (tuple, list)) else got).double()
    spoilt = torch.zeros(shape, dtype=torch.bool)
    spoilt[0, 0, last:], spoilt[0, 3, last:, 5], spoilt[0, 5, last:] = True, True, True
    np.testing.assert_array_equal(~torch.isfinite(got), spoilt)
    assert torch.isnan(got[0, 0, last:]).all() and (got[0, 5, last:] == float("-inf")).all()
    assert (got - clean)[~spoilt].abs().max() < 0.03


def test_a_whole_model(monkeypatch):
    """BERT, exported by PyTorch: every launch of its plan by the runtime; a finding in one fails the call."""
    import tenon
    import torch
    from model_families import build, export
    from test_model_families import compare

    monkeypatch.setenv("TENON_CUDA_DRIVER", "sim:sm_90a")
    module, inputs = build("bert", dtype=torch.bfloat16)
    model = tenon.compile(export(module, inputs()), target="sim:sm_90a")
    compare(model, module, inputs(2, 9), 1.25, 0)


def test_minilm_by_the_tool(tmp_path):
    """16 tokens, from the exported model to outputs within the bound of the float64 reference, launch by launch."""
    import tenon
    import torch
    from tenon.samples import minilm

    model = tenon.compile(minilm.export(minilm.load(dtype=torch.bfloat16)), target="sim:sm_90a")
    model.save(tmp_path / "minilm.tnx")
    command = [ROOT / "build/bin/tenon-run", tmp_path / "minilm.tnx", "--device=sim", "--dim=batch=1", "--dim=sequence=16",
               "--range=attention_mask=1:1", "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "output: ok" in done.stdout, done.stdout + done.stderr
    assert done.stdout.count("no findings") == done.stdout.count("  sim  ") > 40, done.stdout


@pytest.mark.parametrize("rows,depth", [(64, 2048), (3, 1000)])
def test_sums_of_f32_are_added_up_in_blocks(monkeypatch, tmp_path, rows, depth):
    """Root mean square errors against float64: in blocks of 128 of the depth, the choice, and by hand in one chain."""
    import numpy
    import tenon

    monkeypatch.setenv("TENON_CUDA_DRIVER", "sim:sm_90a")
    generator = numpy.random.default_rng(SEED)
    x, w = (generator.standard_normal((n, depth), dtype="float32") for n in (rows, 32))
    exact = x.astype("float64") @ w.T.astype("float64")
    text = f"""func.func @main(%x: tensor<{rows}x{depth}xf32>, %w: tensor<32x{depth}xf32>) -> tensor<{rows}x32xf32> {{
      %y = tenon.linear %x, %w : (tensor<{rows}x{depth}xf32>, tensor<32x{depth}xf32>) -> tensor<{rows}x32xf32>
      return %y : tensor<{rows}x32xf32>
    }}"""
    schedule = tmp_path / "schedule"

    def error(promote):
        schedule.write_text(f"@linear = #tile.gemm<rows = 16, columns = 32, depth = 32, promote = {promote}>")
        y = tenon.compile(text, target="sim:sm_90a", schedule=str(schedule) if promote is not None else None)(x, w)
        return numpy.sqrt(numpy.mean((numpy.asarray(y) - exact) ** 2))

    chosen, by_hand, chain = error(None), error(128), error(0)
    assert max(chosen, by_hand) < 0.7 * chain, (chosen, by_hand, chain)
    assert error(32) < 0.7 * chain


@pytest.mark.parametrize("dtype,places,error", [("bfloat16", 8, 2 ** -12), ("float16", 11, 2 ** -16)])
def test_gelu_of_every_number(monkeypatch, dtype, places, error):
    """All 65536 values, beside float64 rounded once: half a unit of the last place, and what the approximation may have."""
    import tenon
    import torch

    monkeypatch.setenv("TENON_CUDA_DRIVER", "sim:sm_90a")
    of = "tensor<256x256xbf16>" if dtype == "bfloat16" else "tensor<256x256xf16>"
    x = torch.arange(-2 ** 15, 2 ** 15, dtype=torch.int32).to(torch.int16).view(getattr(torch, dtype)).reshape(256, 256)
    y = tenon.compile(f"func.func @main(%x: {of}) -> {of} {{\n  %y = tenon.gelu %x : ({of}) -> {of}\n  return %y : {of}\n}}",
                      target="sim:sm_90a")(x).double()
    wide = x.double()
    exact = wide * 0.5 * torch.special.erfc(-wide / 2 ** 0.5)
    assert torch.equal(y.isnan(), exact.isnan())  # of NaN, and of -Inf
    assert torch.equal(y[wide == float("inf")], wide[wide == float("inf")])
    y, exact, wide = (of[wide.isfinite()] for of in (y, exact, wide))
    unit = 2.0 ** (exact.abs().clamp(min=torch.finfo(getattr(torch, dtype)).tiny).log2().floor() - places + 1)
    # Beyond 5.7 the tail has fewer digits; a power that is below f32's normal numbers is 0.
    error = torch.where(wide > -5.7, error, torch.where(wide > -9, 2 ** -9.8, 2 ** -7.8))
    assert ((y - exact).abs() <= unit / 2 + error * exact.abs() + 13 * 2.0 ** -126).all()


def test_launches_of_a_call_are_timed(monkeypatch):
    import numpy
    import tenon

    monkeypatch.setenv("TENON_CUDA_DRIVER", "sim:sm_90a")
    text = """func.func @main(%x: tensor<?x32xf32> {tenon.dims = ["rows", ""]}, %w: tensor<16x32xf32>) -> tensor<?x16xf32> {
      %y = tenon.linear %x, %w : (tensor<?x32xf32>, tensor<16x32xf32>) -> tensor<?x16xf32>
      %z = tenon.softmax %y {axis = 1 : i64} : (tensor<?x16xf32>) -> tensor<?x16xf32>
      return %z : tensor<?x16xf32>
    }"""
    x, w = numpy.ones((8, 32), "float32"), numpy.ones((16, 32), "float32")
    linear, softmax = tenon.compile(text, target="sim:sm_90a").time_launches(x, w)
    assert (linear["kernel"], softmax["kernel"]) == ("linear", "softmax") and min(linear["ms"], softmax["ms"]) > 0
    assert linear["flops"] == 2 * 8 * 16 * 32 and linear["bytes"] == 4 * (8 * 32 + 16 * 32 + 8 * 16)
    with pytest.raises(tenon.UnsupportedError, match="times of launches are for models on a GPU"):
        tenon.compile(text).time_launches(x, w)


def test_a_graph_without_kernels(monkeypatch):
    """What is left reads what the kernel's last launch gave in a call of the inputs that the graph was captured for."""
    import numpy
    import tenon

    monkeypatch.setenv("TENON_CUDA_DRIVER", "sim:sm_90a")
    model = tenon.compile("""
      func.func @main(%x: tensor<8x32xf32>, %w: tensor<16x32xf32>, %table: tensor<4x8xf32>)
          -> (tensor<8x16xf32>, tensor<8x16x8xf32>) {
        %y = tenon.linear %x, %w : (tensor<8x32xf32>, tensor<16x32xf32>) -> tensor<8x16xf32>
        %z = tenon.softmax %y {axis = 1 : i64} : (tensor<8x16xf32>) -> tensor<8x16xf32>
        %i = tenon.cast %z : (tensor<8x16xf32>) -> tensor<8x16xi32>
        %ids = tenon.cumsum %i {axis = 1 : i64} : (tensor<8x16xi32>) -> tensor<8x16xi32>
        %rows = tenon.embedding %table, %ids : (tensor<4x8xf32>, tensor<8x16xi32>) -> tensor<8x16x8xf32>
        return %z, %rows : tensor<8x16xf32>, tensor<8x16x8xf32>
      }""", target="sim:sm_90a")
    x, w = 100 * numpy.arange(8 * 32, dtype="float32").reshape(8, 32), numpy.eye(16, 32, dtype="float32")
    table = numpy.repeat(numpy.arange(4, dtype="float32"), 8).reshape(4, 8)
    launched = ("linear", "softmax", "cast_cumsum", "embedding")
    assert tuple(launch["kernel"] for launch in model.manifest["launches"]) == launched
    softmax, rows = model.graph(x, w, table)(x, w, table)
    assert (rows[:, 15] == 1).all() and (rows[:, :15] == 0).all()
    for kernels in (["linear"], ["cast_cumsum"], launched[:3]):
        rest = model.graph_without(kernels, x, w, table)
        assert all((rest(0 * x, w, table)[1] == rows).all() for _ in range(2)), kernels
    model.graph_without(launched, x, w, table)(x, w, table)
    with pytest.raises(tenon.NotFoundError, match="a call launches no kernel 'cumsum'; it launches cast_cumsum, embedding, "
                                                  "linear, softmax"):
        model.graph_without(["softmax", "cumsum"], x, w, table)
    with pytest.raises(tenon.UnsupportedError, match="graphs are for models on a GPU"):
        tenon.compile(MODEL).graph_without(["neg"], numpy.zeros(4, "float32"))


MODEL = """func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = tenon.neg %x : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}"""


def test_what_the_simulator_does_not_run(monkeypatch):
    library = Library()
    artefact = library.compile(MODEL, "sim:sm_80")
    monkeypatch.setenv("TENON_CUDA_DRIVER", "sim:sm_90a")
    with pytest.raises(TenonError, match="compiled for sm_80, cuda:0 .the device simulator. is sm_90"):
        library.load(artefact, {})
    library.free_artefact(artefact)
    with pytest.raises(TenonError, match="target 'sim:sm_1' .*|GPU architecture 'sm_1'"):
        library.compile(MODEL, "sim:sm_1")


def test_wrong_use_prints_the_usage():
    done = subprocess.run([sys.executable, str(ROOT / "test/gpu/simulate.py"), "--nothing"], capture_output=True, text=True)
    assert done.returncode == 2 and "usage: simulate.py" in done.stderr
