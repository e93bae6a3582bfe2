"""tenon-bench: its use, its table, and one short run of Tenon alone."""
import json
import os
import subprocess
from pathlib import Path

import pytest

from tenon.bench import reporting
from tenon.bench.cases import Case, parse_case
from tenon.bench.contest import start, summary
from tenon.bench.subjects import models

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments):
    return subprocess.run([ROOT / "build/bin/tenon-bench", *arguments], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("arguments, status, message", [
    (["--help"], 0, "examples:"),
    ([], 2, "COMMAND"),
    (["models", "--vs=tenon"], 2, "no peer 'tenon'"),
    (["models", "--vs=nobody"], 2, "no peer 'nobody'"),
    (["models", "--case=B0S4"], 2, "no case 'B0S4'"),
    (["models", "--case=128"], 2, "no case '128'"),
    (["models", "--case=GPT-3 B1S4"], 2, "models are MiniLM, BERT-base"),
    (["ops", "--case=sorting"], 2, "no op's name holds 'sorting'; ops are linear"),
    (["models", "--dtype=f16"], 2, "no type 'f16'"),
    (["models", "--device=tpu"], 2, "invalid choice"),
    (["models", "--rounds=0"], 2, "at least 1"),
    (["models", "--limit=0"], 2, "at least 1"),
])
def test_use(arguments, status, message):
    done = run(*arguments)
    assert done.returncode == status and message in done.stdout + done.stderr


def test_shapes_and_inputs():
    assert parse_case("b8s128", models()) == ("MiniLM", 8, 128)
    assert parse_case("Llama-3-8B, 2 layers B1S64", models()) == ("Llama-3-8B, 2 layers", 1, 64)
    ids, mask = Case(2, 16, "f32").inputs()
    assert ids.shape == mask.shape == (2, 16) and (ids == Case(2, 16, "bf16").inputs()[0]).all()


def test_summary():
    found = summary([float(i) for i in range(1, 12)])
    assert found == {"best": 1.0, "median": 6.0, "spread": (10 - 2) / 6, "calls": 11}


def test_table_with_a_missing_peer():
    measured = {"best": 1.0, "median": 2.0, "spread": 0.1, "compile_seconds": 1.5, "memory_bytes": 5e6, "error": 1e-7}
    rows = reporting.rows_of([{"name": "tenon", "version": "0", **measured},
                              {"name": "torch", **measured, "best": 2.0, "compile_seconds": None},
                              {"name": "xla", "missing": "not installed (No module named 'jax')"}])
    assert reporting.text(rows).splitlines() == [
        "         best ms  median ms  spread  Tenon / it  compile s  memory MB  largest error",
        "tenon 0     1.00       2.00    10 %                    1.5          5        1.0e-07",
        "torch       2.00       2.00    10 %        0.50          -          5        1.0e-07",
        "xla      not installed (No module named 'jax')"]
    assert reporting.markdown(rows).splitlines()[-1] == "| xla | not installed (No module named 'jax') |" + "  |" * 6


def test_a_short_run(tmp_path):
    done = run("models", "--case=B1S4", "--rounds=1", "--burst=0.01", "--vs=tvm", f"--json={tmp_path / 'r.json'}")
    assert done.returncode == 0, done.stderr
    tenon, tvm = json.loads((tmp_path / "r.json").read_text())["cases"][0]["results"]
    assert tenon["error"] < 5e-6 and len(tenon["milliseconds"]) >= 3 and tenon["compile_seconds"] > 0
    assert "missing" in tvm or tvm["error"] < 1e-4


def test_a_limit(tmp_path):
    """Nobody has read PyTorch within a second; what is late is a line that says so."""
    done = run("models", "--case=B1S4", "--rounds=1", "--burst=0.01", "--vs=torch", "--limit=1",
               f"--json={tmp_path / 'r.json'}")
    assert done.returncode == 1 and "not ready after 1 s" in done.stderr
    for result in json.loads((tmp_path / "r.json").read_text())["cases"][0]["results"]:
        assert result["missing"] == "not ready after 1 s"


def test_an_op_beside_its_peers(tmp_path):
    done = run("ops", "--case=add, layer norm", "--case=silu", "--rounds=1", "--burst=0.01", "--vs=torch,xla",
               f"--json={tmp_path / 'r.json'}", f"--html={tmp_path / 'r.html'}")
    assert done.returncode == 0, done.stderr
    for case in json.loads((tmp_path / "r.json").read_text())["cases"]:
        for result in case["results"]:
            assert "No module" in result["missing"] if "missing" in result else result["error"] < 2e-5, result
    page = (tmp_path / "r.html").read_text()
    assert "<svg" in page and "Losses" in page and "silu times" in page and "tenon-bench ops" in page


def result(name, best, **more):
    return {"name": name, "best": best, "median": best, "spread": 0.1, "compile_seconds": 1.0, "memory_bytes": 5e6, "error": 1e-7,
            **more}


def test_overview_and_losses():
    measured = [("A", [result("tenon", 1.0), result("torch", 2.0), result("xla", 4.0)]),
                ("B", [result("tenon", 2.0), result("torch", 1.0), result("xla", 4.0, missing="it failed")])]
    assert reporting.overview(measured)[1:] == [["A", "1", "torch", "2", "0.50", "1.0", "1.0"],
                                                ["B", "2", "torch", "1", "2.00", "1.0", "1.0"],
                                                ["geometric mean", "", "", "", "1.00", "", ""]]
    assert reporting.losses(measured)[1:] == [["B", "torch", "2.00"]]


def test_every_contestant_has_as_many_cores_as_threads(tmp_path):
    """Whatever sets its own number of threads by the cores it may use."""
    cores = os.sched_getaffinity(0)
    for threads in (1, len(cores)):
        process = start("tenon", threads, tmp_path)
        try:
            process.ask(do="memory")
            assert len(os.sched_getaffinity(process._process.pid)) == threads
        finally:
            process.end()
