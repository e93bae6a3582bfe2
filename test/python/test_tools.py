"""The command-line tools on what PyTorch writes: an exported program compiles and runs like text, weights and all, and
gives what the module gives; what cannot be imported is said."""
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

BIN = Path(__file__).resolve().parents[2] / "build/bin"


class Mlp(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.down, self.norm = torch.nn.Linear(16, 40), torch.nn.Linear(40, 16), torch.nn.LayerNorm(16)

    def forward(self, x):
        return self.norm(x + self.down(torch.nn.functional.gelu(self.up(x))))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """mlp.pt2, an input for it and what the module gives, in float64."""
    path = tmp_path_factory.mktemp("tools")
    torch.manual_seed(0)
    module, x = Mlp().eval(), torch.randn(7, 16)
    rows = torch.export.Dim("rows", min=1, max=64)
    torch.export.save(torch.export.export(module, (x,), dynamic_shapes=({0: rows},)), path / "mlp.pt2")
    np.save(path / "x.npy", x.numpy())
    np.save(path / "y.npy", module.double()(x.double()).detach().numpy())
    return path


def run(*arguments, cwd, status=0, **environment):
    done = subprocess.run([str(BIN / arguments[0]), *arguments[1:]], cwd=cwd, capture_output=True, text=True,
                          env={**os.environ, **environment})
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_exported_program_runs_and_is_right(folder):
    said = run("tenon-run", "mlp.pt2", "--input=x.npy", "--expected=y.npy", "--check", cwd=folder)
    assert "expected" in said and "check" in said and "WRONG" not in said


def test_exported_program_becomes_an_artefact_with_its_weights(folder):
    run("tenon-compile", "mlp.pt2", cwd=folder)
    assert "WRONG" not in run("tenon-run", "mlp.tnx", "--input=x.npy", "--expected=y.npy", cwd=folder)
    assert "from a file at load" not in run("tenon-inspect", "mlp.tnx", "--weights", cwd=folder)


def test_op_that_cannot_be_imported_is_named_with_its_place(folder):
    class Sorts(torch.nn.Module):
        def forward(self, x):
            return torch.linalg.qr(x)[0]

    torch.export.save(torch.export.export(Sorts(), (torch.randn(4, 4),)), folder / "qr.pt2")
    said = run("tenon-run", "qr.pt2", cwd=folder, status=1)
    assert "qr" in said and "test_tools.py" in said


def test_coverage_lists_every_op_at_once(folder):
    class Inner(torch.nn.Module):
        def forward(self, x):
            return x.sort(-1).values.kthvalue(2).values

    class Outer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.proj = Inner(), torch.nn.Linear(4, 4)

        def forward(self, x):
            return self.inner(self.proj(x)) + self.inner(x) + torch.linalg.qr(x)[0].sum()

    torch.export.save(torch.export.export(Outer(), (torch.randn(4, 4),)), folder / "outer.pt2")
    said = run("tenon-import", "--coverage", "outer.pt2", cwd=folder, status=1)
    lines = Path(__file__).read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "x.sort(-1).values" in text)
    assert "nodes of" in said.splitlines()[0] and "3 unsupported" in said.splitlines()[0]
    assert "  aten.sort.default, 2 times: not in the importer's table" in said
    assert f"      at inner ({Path(__file__).name}:{line})" in said or f"test_tools.py:{line})" in said
    assert "aten.kthvalue.default, 2 times" in said and "linalg_qr" in said and "  aten.linear.default, once" in said
    found = json.loads(run("tenon-import", "--coverage", "--json", "outer.pt2", cwd=folder, status=1))
    assert [entry["count"] for entry in found["unsupported"]] == [2, 2, 1] and found["refused"] is None
    assert found["unsupported"][0]["places"][0].startswith("inner (")
    assert "0 unsupported" in run("tenon-import", "--coverage", "mlp.pt2", cwd=folder)


def test_import_to_a_folder(folder):
    (folder / "imported").mkdir()
    run("tenon-import", "mlp.pt2", "imported", cwd=folder)
    said = run("tenon-run", "imported/model.mlir", "--weights=imported/model.safetensors", "--input=x.npy",
               "--expected=y.npy", cwd=folder)
    assert "WRONG" not in said
    assert "--coverage" in run("tenon-import", "mlp.pt2", cwd=folder, status=2)


def test_file_that_is_no_program(folder):
    (folder / "text.pt2").write_text("no zip")
    assert "text.pt2: not an exported program: what" in run("tenon-run", "text.pt2", cwd=folder, status=1)
    assert "cannot open 'nowhere.pt2'" in run("tenon-run", "nowhere.pt2", cwd=folder, status=1)


def test_python_that_cannot_import(folder):
    said = run("tenon-run", "mlp.pt2", cwd=folder, status=1, TENON_PYTHON="/nowhere/python")
    assert "cannot start '/nowhere/python'" in said and "set TENON_PYTHON" in said
    bare = folder / "bare-python"  # this Python without its packages
    bare.write_text("#!/bin/sh\nexec /usr/bin/env python3 -I -S \"$@\"\n")
    bare.chmod(0o755)
    said = run("tenon-run", "mlp.pt2", cwd=folder, status=1, TENON_PYTHON=str(bare))
    assert "needs the Python package tenon" in said and "set TENON_PYTHON" in said
