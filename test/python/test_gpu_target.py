"""Models for GPUs where there is none: compiled, described, saved; and called through a driver that is a fake, which
copies but has no kernels."""
import json
import os
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import pytest

import tenon

ROOT = Path(__file__).resolve().parents[2]
FAKE = ROOT / "build/lib/libtenon-fake-cuda.so"
VIEW = """
module attributes {tenon.dim_bounds = {batch = array<i64: 1, 8>}} {
  func.func @main(%x: tensor<?x4xf32> {tenon.dims = ["batch", ""], tenon.name = "x"})
      -> (tensor<?x2x2xf32> {tenon.name = "y"}) {
    %y = tenon.reshape %x : (tensor<?x4xf32>) -> tensor<?x2x2xf32>
    return %y : tensor<?x2x2xf32>
  }
}"""
CUMSUM = """
func.func @main(%x: tensor<6x5xf32> {tenon.name = "x"}) -> tensor<6x5xf32> {
  %y = tenon.cumsum %x {axis = 1 : i64} : (tensor<6x5xf32>) -> tensor<6x5xf32>
  return %y : tensor<6x5xf32>
}"""


def run(program, driver, **variables):
    """What a program prints in a process whose CUDA driver is `driver`: one process has one."""
    environment = dict(os.environ, TENON_CUDA_DRIVER=str(driver), PYTHONPATH=str(ROOT / "python-frontend"), **variables)
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_compiles_describes_and_saves_without_a_gpu(tmp_path):
    model = tenon.compile(CUMSUM, target="sm_90a")
    assert repr(model.inputs) == "[x: f32[6, 5]]" and not model.is_loaded
    assert "cuda:sm_90a" in model.report() and "cumsum" in model.report()
    model.save(tmp_path / "m.tnx")
    with zipfile.ZipFile(tmp_path / "m.tnx") as archive:
        names = archive.namelist()
        plan = json.loads(archive.read("manifest.json"))
    assert plan["format"] == 2 and plan["target"] == "cuda:sm_90a"
    assert {f"kernels/{kernel['cuda']['cubin']}.cubin" for kernel in plan["kernels"].values()} <= set(names)
    again = tenon.load(tmp_path / "m.tnx", device=1)
    assert again.device == 1 and again.outputs[0].shape == (6, 5)


def test_a_call_without_a_driver_says_what_is_missing():
    printed = run(f"""
        import numpy, tenon
        model = tenon.compile({CUMSUM!r}, target="sm_80")
        try:
            model(numpy.zeros((6, 5), numpy.float32))
        except tenon.NotFoundError as error:
            print(error)
        try:
            tenon.compile({CUMSUM!r}, target="cuda")
        except tenon.NotFoundError as error:
            print(error)
    """, "/nowhere/libcuda.so.1")
    assert printed.count("no CUDA driver: /nowhere/libcuda.so.1") == 2
    assert "target 'cuda' is this machine's GPU; name one to compile without it, sm_80" in printed


def test_calls_and_graphs_on_a_fake_gpu():
    printed = run(f"""
        import numpy as np, tenon, torch
        model = tenon.compile({VIEW!r}, target="cuda")
        assert not model.is_loaded
        x = np.arange(12, dtype=np.float32).reshape(3, 4)
        y = model(x)
        assert isinstance(y, np.ndarray) and (y == x.reshape(3, 2, 2)).all() and model.is_loaded
        z = model(torch.from_numpy(x))
        assert isinstance(z, torch.Tensor) and z.device.type == "cpu" and (z.numpy() == y).all()
        graph = model.graph(x)
        first, second = graph(x), graph(x + 1)
        assert (first == y).all() and (second == y + 1).all()
        try:
            model(x.astype(np.float64))
        except tenon.InvalidArgumentError as error:
            print(error)
        try:
            graph(x[:2])
        except tenon.InvalidArgumentError as error:
            print(error)
        print(model.manifest["target"])
    """, FAKE)
    assert "input 0 'x' is f64, expected f32" in printed and "cuda:sm_90a" in printed
    assert "[2, 4]" in printed and "[3, 4]" in printed


def test_what_the_gpu_refuses_names_kernel_and_gpu():
    printed = run(f"""
        import numpy, tenon
        model = tenon.compile({CUMSUM!r}, target="sm_90a")
        try:
            model(numpy.zeros((6, 5), numpy.float32))
        except tenon.UnsupportedError as error:
            print(error)
        try:
            tenon.compile({CUMSUM!r}, target="sm_80")(numpy.zeros((6, 5), numpy.float32))
        except tenon.UnsupportedError as error:
            print(error)
    """, FAKE)
    assert "cuModuleLoadData" in printed and "cumsum" in printed
    assert "the kernels were compiled for sm_80" in printed and "compile the model for sm_90" in printed


def test_graphs_are_for_gpus():
    with pytest.raises(tenon.UnsupportedError, match="graphs are for models on a GPU"):
        tenon.compile(VIEW).graph(np.zeros((1, 4), np.float32))
