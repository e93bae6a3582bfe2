"""The binding: how models are called, kept and loaded, and what wrong use says. The models are small, so that each
compiles in well under a second."""
import collections
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

import tenon

ROOT = Path(__file__).resolve().parents[2]
TEXT = """
module attributes {tenon.dim_bounds = {rows = array<i64: 1, 8>}} {
  func.func @main(%x: tensor<?x4xf32> {tenon.dims = ["rows", ""], tenon.name = "x"},
                  %y: tensor<4xf32> {tenon.name = "y"}) -> (tensor<?x4xf32> {tenon.name = "sum"}) {
    %r = tenon.add %x, %y : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
    return %r : tensor<?x4xf32>
  }
}
"""
WEIGHT_TEXT = """
func.func @main(%x: tensor<4xf32> {tenon.name = "x"}) -> tensor<4xf32> {
  %w = tenon.weight "layer.weight" : tensor<4xf32>
  %r = tenon.mul %x, %w : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}
"""


@pytest.fixture(scope="module")
def add():
    return tenon.compile(TEXT)


def export(module, *args, **kwargs):
    return torch.export.export(module.eval(), args, kwargs, strict=False)


# ---- tensors in and out ----
def test_torch_in_torch_out(add):
    x, y = torch.randn(3, 4), torch.randn(4)
    got = add(x, y)
    assert isinstance(got, torch.Tensor) and torch.equal(got, x + y)


def test_numpy_in_numpy_out(add):
    x, y = np.ones((2, 4), np.float32), np.arange(4, dtype=np.float32)
    got = add(x, y)
    assert isinstance(got, np.ndarray) and np.array_equal(got, x + y)


def test_memory_of_large_results_of_numpy_is_used_again():
    """But not while an array, or a view of it, is there."""
    model = tenon.compile("""
func.func @main(%x: tensor<256x256xf32>) -> tensor<256x256xf32> {
  %r = tenon.add %x, %x : (tensor<256x256xf32>, tensor<256x256xf32>) -> tensor<256x256xf32>
  return %r : tensor<256x256xf32>
}""")
    x = np.ones((256, 256), np.float32)
    results = [model(factor * x) for factor in range(5)]
    assert all((result == 2 * factor).all() and result.ctypes.data % 64 == 0 for factor, result in enumerate(results))
    part = results[4][7:]
    del results
    for _ in range(4):
        model(3 * x)
        assert (part == 8).all()
    first = model(x).ctypes.data
    assert model(x).ctypes.data == first


def test_by_name(add):
    x, y = torch.randn(3, 4), torch.randn(4)
    assert torch.equal(add(y=y, x=x), x + y)
    assert torch.equal(add(x, y=y), x + y)


def test_dlpack_and_buffers(add):
    class Foreign:
        def __init__(self, array):
            self.array = array

        def __dlpack__(self, **options):
            return self.array.__dlpack__(**options)

        def __dlpack_device__(self):
            return self.array.__dlpack_device__()
    x, y = np.ones((2, 4), np.float32), np.arange(4, dtype=np.float32)
    assert np.array_equal(add(Foreign(x), memoryview(y)), x + y)


def test_views_are_copied_dense(add):
    x, y = torch.randn(4, 3).t(), torch.randn(8)[::2]
    assert torch.equal(add(x, y), x + y)
    assert np.array_equal(add(x.numpy(), y.numpy()), (x + y).numpy())


def test_views_that_negate(add):
    x, y = torch.randn(2, 4), torch.randn(4)
    assert torch.equal(add(torch._neg_view(x), y), y - x)


def test_memory_at_any_address(add):
    """Tensors that begin anywhere, as a slice of another does, not where an allocator would put them."""
    whole, y = torch.randn(8, 4 + 1), torch.randn(5)
    for start in range(4):
        x = whole.flatten()[start:start + 12].view(3, 4)
        assert torch.equal(add(x, y[1:]), x + y[1:])


def test_every_call_gives_memory_of_its_own(add):
    y = torch.zeros(4)
    first = add(torch.ones(2, 4), y)
    add(torch.full((2, 4), 5.0), y)
    assert torch.equal(first, torch.ones(2, 4))


def test_bf16():
    module = torch.nn.Linear(8, 4).to(torch.bfloat16)
    x = torch.randn(3, 8).bfloat16()
    model = tenon.compile(export(module, x))
    got = model(x)
    exact = torch.nn.functional.linear(x.double(), module.weight.double(), module.bias.double())
    assert got.dtype == torch.bfloat16 and ((got.double() - exact).abs() <= 2.0**-8 * (exact.abs() + 1e-3)).all()
    with pytest.raises(tenon.UnsupportedError, match="ml_dtypes"):
        sys.modules["ml_dtypes"] = None  # as if it were not installed
        try:
            tenon.compile(export(Casts(), torch.randn(2, 2)))(np.zeros((2, 2), np.float32))
        finally:
            del sys.modules["ml_dtypes"]


class Casts(torch.nn.Module):
    def forward(self, x):
        return x.bfloat16()


def test_threads(add):
    failures = []

    def work(seed):
        x, y = torch.full((seed % 8 + 1, 4), float(seed)), torch.ones(4)
        for _ in range(50):
            if not torch.equal(add(x, y), x + y):
                failures.append(seed)
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not failures


# ---- structures ----
@dataclasses.dataclass
class Pair:
    first: torch.Tensor
    second: torch.Tensor


torch.export.register_dataclass(Pair)
Named = collections.namedtuple("Named", "left right")


class Nested(torch.nn.Module):
    def forward(self, x, pair, *, options):
        total = x + pair[0] * pair[1]["deep"]
        return {"total": total, "many": [total, (x * 2, None, 3)], "pair": Pair(options["a"], total),
                "named": Named(x + 1, options["a"] - x)}


def test_nested_structures(tmp_path):
    a, b, c, d = (torch.randn(2, 3) for _ in range(4))
    model = tenon.compile(export(Nested(), a, (b, {"deep": c}), options={"a": d}))
    want = Nested()(a, (b, {"deep": c}), options={"a": d})
    model.save(tmp_path / "m.tnx")
    for exe in (model, tenon.load(tmp_path / "m.tnx")):
        got = exe(a, (b, {"deep": c}), options={"a": d})
        assert type(got) is dict and list(got) == list(want)
        assert torch.equal(got["total"], want["total"])
        assert type(got["many"]) is list and type(got["many"][1]) is tuple and got["many"][1][1:] == (None, 3)
        assert torch.equal(got["many"][1][0], want["many"][1][0])
        assert type(got["pair"]) is Pair and torch.equal(got["pair"].first, d)
        assert type(got["named"]) is Named and torch.equal(got["named"].right, want["named"].right)
        assert torch.equal(exe(options={"a": d}, pair=(b, {"deep": c}), x=a)["total"], want["total"])
        with pytest.raises(tenon.InvalidArgumentError, match=r"pair\[1\] is .* expected fields \['deep'\]"):
            exe(a, (b, {"shallow": c}), options={"a": d})


def test_class_that_is_not_imported_becomes_a_record(tmp_path):
    a = torch.randn(2, 3)
    tenon.compile(export(Nested(), a, (a, {"deep": a}), options={"a": a})).save(tmp_path / "m.tnx")
    code = (f"import sys; sys.path.insert(0, {str(ROOT / 'python-frontend')!r}); import numpy as np, tenon\n"
            f"a = np.ones((2, 3), np.float32); y = tenon.load({str(tmp_path / 'm.tnx')!r})(a, (a, {{'deep': a}}), "
            "options={'a': a})\n"
            "assert y['pair'].second[0, 0] == 2 and y['named'].left[0, 0] == 2 and 'torch' not in sys.modules")
    subprocess.run([sys.executable, "-c", code], check=True)


class Aliases(torch.nn.Module):
    def forward(self, x):
        y = x.exp()
        return y, x, y, y.view(-1), x


def test_aliased_outputs():
    x = torch.randn(2, 3)
    model = tenon.compile(export(Aliases(), x))
    got = model(x)
    assert len(model.outputs) == 3
    for mine, theirs in zip(got, Aliases()(x)):
        assert torch.allclose(mine, theirs)
    assert got[1].data_ptr() != x.data_ptr()


class Optional(torch.nn.Module):
    def forward(self, x, mask=None, scale=2):
        return x * scale if mask is None else x * mask


def test_constant_arguments():
    x = torch.randn(2)
    model = tenon.compile(export(Optional(), x, None, 2))
    assert torch.equal(model(x, None, 2), x * 2)
    assert torch.equal(model(x), x * 2)
    with pytest.raises(tenon.InvalidArgumentError, match="an argument is 3, but the model was exported with 2"):
        model(x, scale=3)


# ---- wrong calls, refused before anything runs ----
@pytest.mark.parametrize("arguments, message", [
    ((torch.ones(2, 4),), "parameter 'y' is missing: the model takes \\(x, y\\)"),
    ((torch.ones(2, 4), torch.ones(4), torch.ones(4)), "got 3 arguments by position, expected at most 2"),
    ((torch.ones(2, 4), torch.ones(5)), "input 1 'y' has size 5 at axis 0, expected 4"),
    ((torch.ones(9, 4), torch.ones(4)), "input 0 'x' has size 9 at axis 0 \\(rows\\), expected 1 to 8"),
    ((torch.ones(4), torch.ones(4)), "input 0 'x' has rank 1 \\[4\\], expected rank 2 \\[rows, 4\\]"),
    ((torch.ones(2, 4).double(), torch.ones(4)), "input 0 'x' is f64, expected f32"),
    ((torch.ones(2, 4), "four"), "input 1 'y' is a str, expected a tensor"),
    ((torch.ones(2, 4), torch.ones(4, device="meta")), "input 1 'y' is on meta, expected the CPU"),
    ((torch.ones(2, 4), torch.ones(4, dtype=torch.complex64)), "input 1 'y' is of torch.complex64"),
    ((np.ones((2, 4), ">f4"), np.ones(4, np.float32)), "input 0 'x' is of >f4"),
])
def test_wrong_call(add, arguments, message):
    with pytest.raises(tenon.InvalidArgumentError, match=message):
        add(*arguments)
    with pytest.raises(ValueError):  # the class of Python's own
        add(*arguments)


def test_unknown_and_double_names(add):
    with pytest.raises(tenon.InvalidArgumentError, match="there is no parameter 'z'"):
        add(torch.ones(2, 4), z=torch.ones(4))
    with pytest.raises(tenon.InvalidArgumentError, match="parameter 'x' is given twice"):
        add(torch.ones(2, 4), torch.ones(4), x=torch.ones(4))


# ---- compiling, saving, loading ----
@pytest.mark.parametrize("text, options, kind, message", [
    ("func.func @main(", {}, tenon.InvalidArgumentError, "error: "),
    ("module {}", {}, tenon.UnsupportedError, "main"),
    (TEXT, {"target": "tpu"}, tenon.InvalidArgumentError, "target 'tpu' is unknown"),
    (TEXT, {"dump": "/proc/none"}, tenon.IoError, "/proc/none"),
    ("(" * 300, {}, tenon.InvalidArgumentError, "nested more than 256 deep"),
    (WEIGHT_TEXT, {}, tenon.NotFoundError, "layer.weight"),
    (WEIGHT_TEXT, {"weights": {"layer.weight": torch.ones(5)}}, tenon.InvalidArgumentError, "layer.weight.*expected"),
    (torch.nn.Linear(2, 2), {}, tenon.InvalidArgumentError, "torch.export.export"),
])
def test_wrong_compile(text, options, kind, message):
    with pytest.raises(kind, match=message):
        tenon.compile(text, **options)


def test_save_and_load(tmp_path):
    weight = torch.arange(4.0)
    model = tenon.compile(WEIGHT_TEXT, weights={"layer.weight": weight})
    x = torch.randn(4)
    model.save(tmp_path / "whole.tnx")
    model.save(tmp_path / "bare.tnx", weights=False)
    model.save_weights(tmp_path / "w.safetensors")
    assert (tmp_path / "bare.tnx").stat().st_size < (tmp_path / "whole.tnx").stat().st_size
    assert torch.equal(tenon.load(tmp_path / "whole.tnx")(x), x * weight)
    assert torch.equal(tenon.load(tmp_path / "bare.tnx", weights=tmp_path / "w.safetensors")(x), x * weight)
    assert torch.equal(tenon.load(tmp_path / "bare.tnx", weights={"layer.weight": weight + 1})(x), x * (weight + 1))
    other = tenon.load(tmp_path / "whole.tnx", weights={"layer.weight": torch.ones(4)})
    assert torch.equal(other(x), x)
    with pytest.raises(tenon.NotFoundError, match="layer.weight"):
        tenon.load(tmp_path / "bare.tnx")
    # From a file to a file that holds them.
    tenon.load(tmp_path / "bare.tnx", weights=tmp_path / "w.safetensors").save(tmp_path / "again.tnx")
    assert torch.equal(tenon.load(tmp_path / "again.tnx")(x), x * weight)
    assert {path.name for path in tmp_path.iterdir()} == {"whole.tnx", "bare.tnx", "again.tnx", "w.safetensors"}


def test_same_model_same_bytes(tmp_path):
    for name in ("a.tnx", "b.tnx"):
        tenon.compile(export(torch.nn.LayerNorm(8), torch.ones(2, 8))).save(tmp_path / name)
    assert (tmp_path / "a.tnx").read_bytes() == (tmp_path / "b.tnx").read_bytes()


def test_wrong_files(tmp_path):
    (tmp_path / "text.tnx").write_text("not an artefact")
    with pytest.raises(tenon.CorruptError, match="text.tnx"):
        tenon.load(tmp_path / "text.tnx")
    with pytest.raises(tenon.NotFoundError, match="none.tnx"):
        tenon.load(tmp_path / "none.tnx")
    model = tenon.compile(TEXT)
    model.save(tmp_path / "m.tnx")
    whole = (tmp_path / "m.tnx").read_bytes()
    (tmp_path / "cut.tnx").write_bytes(whole[:len(whole) // 2])
    with pytest.raises(tenon.CorruptError, match="cut.tnx"):
        tenon.load(tmp_path / "cut.tnx")
    with pytest.raises(tenon.InvalidArgumentError, match="the folder .* does not exist"):
        model.save(tmp_path / "nowhere" / "m.tnx")
    with pytest.raises(tenon.InvalidArgumentError, match="expected a path"):
        tenon.load(tmp_path / "m.tnx", weights=[1])


def test_old_file_stays_when_saving_fails(tmp_path):
    model = tenon.compile(WEIGHT_TEXT, weights={"layer.weight": torch.ones(4)})
    target = tmp_path / "m.tnx"
    target.mkdir()
    (target / "kept").write_text("x")
    with pytest.raises(tenon.TenonError):
        model.save(target)
    assert [path.name for path in tmp_path.iterdir()] == ["m.tnx"] and (target / "kept").exists()


def test_dump_and_report(tmp_path):
    model = tenon.compile(TEXT, dump=tmp_path / "dump", remarks=True)
    names = {path.name for path in (tmp_path / "dump").iterdir()}
    assert {"00-input.mlir", "01-graph.mlir", "02-kernel.mlir", "03-cpu.mlir", "04-llvm.mlir", "kernels.ll"} <= names
    report = model.report()
    assert "x: f32[rows, 4]" in report and "launches  1 a call of 1 kernels" in report and "compiled  in" in report
    assert model.inputs[0].bounds[0] == (1, 8) and model.inputs[0].shape == (None, 4)
    assert model.compile_report["seconds"][0][0] == "parse"
    assert repr(model).startswith("<tenon.Executable for cpu:")
    model(torch.ones(2, 4), torch.ones(4))
    assert model.arena_bytes >= 0 and model.persistent_bytes == 0


def test_metadata_that_fits_no_artefact():
    parts = {"parameters": [["x", "*"]], "positional": 1, "inputs": [["tensor", "x"]], "output": "*",
             "outputs": [["tensor", 5]]}
    signature = json.dumps({"tenon.signature": parts})
    escaped = signature.replace('"', "\\22")
    text = TEXT.replace("attributes {", f'attributes {{tenon.metadata = "{escaped}", ')
    with pytest.raises(tenon.CorruptError, match="speaks of other inputs and outputs"):
        tenon.compile(text)
    with pytest.raises(tenon.CorruptError, match="is not a signature"):
        tenon.compile(text.replace("\\22positional\\22", "\\22elsewhere\\22"))


# ---- finding the library ----
def run_with_library(value, code="import tenon; tenon.version()", package=ROOT / "python-frontend"):
    environment = {**os.environ, "TENON_LIBRARY": value, "PYTHONPATH": str(package)}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)


def test_library_beside_the_package_or_nowhere(tmp_path):
    shutil.copytree(ROOT / "python-frontend" / "tenon", tmp_path / "tenon", ignore=shutil.ignore_patterns("__pycache__"))
    nowhere = run_with_library("", package=tmp_path)
    assert "Tenon's library is not there" in nowhere.stderr and "scripts/setup" in nowhere.stderr
    shutil.copy(ROOT / "build/lib/libtenon-runtime.so", tmp_path / "tenon")
    beside = run_with_library("", "from tenon.library import library; print(library().path)", tmp_path)
    assert beside.stdout.strip() == str(tmp_path / "tenon" / "libtenon-runtime.so"), beside.stderr


def test_library_that_is_missing_or_foreign(tmp_path):
    missing = run_with_library(str(tmp_path / "none.so"))
    assert "TENON_LIBRARY names no file" in missing.stderr and "none.so" in missing.stderr
    (tmp_path / "foreign.so").write_text("x")
    assert "cannot be loaded" in run_with_library(str(tmp_path / "foreign.so")).stderr


def test_runtime_library_runs_but_does_not_compile(tmp_path):
    tenon.compile(TEXT).save(tmp_path / "m.tnx")
    code = (f"import numpy as np, tenon; m = tenon.load({str(tmp_path / 'm.tnx')!r})\n"
            "assert m(np.ones((1, 4), 'f4'), np.ones(4, 'f4'))[0, 0] == 2\n"
            "try:\n  tenon.compile('module {}')\nexcept tenon.UnsupportedError as error:\n  print(error)")
    done = run_with_library(str(ROOT / "build/lib/libtenon-runtime.so"), code)
    assert done.returncode == 0 and "only runs models" in done.stdout, done.stderr
