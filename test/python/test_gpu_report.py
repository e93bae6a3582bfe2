"""What the benchmark on a GPU reports: lines, tables, pages, and the tables of docs/performance."""
import importlib.machinery
import importlib.util
from pathlib import Path

import pytest

from tenon.bench import explain, gpu_report
from tenon.bench.gpu_kernels import kernels
from tenon.bench.gpu_peers import SUMS_OF_14_BITS

ROOT = Path(__file__).resolve().parents[2]
RESULTS = {
    "machine": {"gpu": "A <GPU>", "torch": "2", "target": "sm_90a", "compiler": "0", "date": "2026-01-01",
                "copy_tbps": 4.0, "peak_tflops": 800.0},
    "cases": {
        "fast": {"ms": {"Tenon": 1.0, "Tenon, wide": 0.5, "cuBLAS": 1.5}, "quartiles": {"Tenon": [0.99, 1.02]},
                 "errors": {"Tenon": 1e-3, "Tenon, wide": 2e-3}, "error": 1e-3, "tflops": 400.0, "tbps": 1.0},
        "slow": {"ms": {"Tenon": 2.0, "torch": 1.0}, "errors": {"Tenon": 1e-3}, "error": 1e-3, "tflops": 0.0, "tbps": 3.0,
                 "missing": {"XLA": "No module named 'jax'"}},
        "model": {"ms": {"Tenon": 1.0, "torch, CUDA graph": 3.0}, "errors": {"Tenon": 0.1}, "error": 0.1,
                  "torch's error": 0.2},
        "step": {"ms": {"Tenon": 0.5, "torch, CUDA graph": 1.0}, "errors": {"Tenon": 0.1}, "error": 0.1,
                 "torch's error": 0.2, "tbps": 2.0, "tokens": 16, "in_graph": {"linear": 0.35},
                 "launches": [{"kernel": "linear", "ms": 0.2, "flops": 0, "bytes": 400_000_000},
                              {"kernel": "softmax", "ms": 0.2, "flops": 10, "bytes": 40_000_000},
                              {"kernel": "linear", "ms": 0.2, "flops": 160_000_000_000, "bytes": 4}]},
        "text": {"ms": {"Tenon": 50.0, "torch.compile": 75.0}, "quartiles": {"Tenon": [49.0, 51.0]}, "generated": 64,
                 "first": {"Tenon": 3.0, "torch.compile": 2.0}, "equal": [64, 20], "decided": 0.9},
        "broken": {"failed": "illegal address\nmore"}}}


def test_report():
    assert gpu_report.losses(RESULTS) == [("slow", "torch", 0.5)]
    assert gpu_report.line("fast", RESULTS).splitlines() == [
        "fast: 1.0000 (0.9900 .. 1.0200) ms 400 TFLOP/s, 1.00 TB/s, 0.50 of cuBLAS's peak  cuBLAS 1.5000 ms (1.500)  error 0.001",
        "  Tenon, wide: 0.5000 ms, 2.000 x as fast; cuBLAS 3.000; error 0.002"]
    assert "XLA: none (No module named 'jax')" in gpu_report.line("slow", RESULTS)
    assert gpu_report.line("broken", RESULTS).startswith("broken: FAILED illegal address")
    text = gpu_report.markdown(RESULTS)
    assert "| fast | 1000.0 (990.0 .. 1020.0) | 400 | 1.00 | 0.50 | 0.25 | 1.500 | 1.500 |  | error 0.001 |" in text
    assert "### losses\n\n| case | who is faster | its time / Tenon's |\n| --- | --- | --- |\n| slow | torch | 0.500 |" in text
    assert "| broken | illegal address |" in text
    assert "| text | 50.0 (49.0 .. 51.0) | 3.00 | 2.00 | 1280 | 1.500 | 1.500 | 20 to 64 | 0.90 |" in text
    assert "text: 50.0000 (49.0000 .. 51.0000) ms 1280 tokens/s, first after 3.000 ms" in gpu_report.line("text", RESULTS)
    assert "### without\n\n| case | peer | why |\n| --- | --- | --- |\n| slow | XLA | No module named 'jax' |" in text
    assert "| model | 1000.0 |  |  | 3.000 | 3.000 | error 0.1, torch's error 0.2 |" in text
    assert "| step | 500.0 | 0.50 | 32000 | 2.000 | 2.000 | error 0.1, torch's error 0.2 |" in text


def test_the_best_peer_computes_the_same():
    assert gpu_report.best_peer({"ms": {"Tenon": 1.0, "Tenon, wide": 0.1, "cuBLAS": 1.5, "XLA": 1.2}}) == 1.2
    assert gpu_report.best_peer({"ms": {"Tenon": 2.0, "cuBLAS": 2.5, SUMS_OF_14_BITS: 1.0}}) == 1.25
    assert gpu_report.best_peer({"ms": {"Tenon": 2.0, SUMS_OF_14_BITS: 1.0}}) is None
    assert SUMS_OF_14_BITS in kernels()["fp8 row scales 4096x4096x4096"].peers


@pytest.fixture
def performance_tables():
    path = str(ROOT / "tools/dev/performance-tables")
    loader = importlib.machinery.SourceFileLoader("performance_tables", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("performance_tables", loader))
    loader.exec_module(module)
    return module


def test_tables_of_the_pages(performance_tables, capsys):
    """Rows of a run take their places, new columns come; a row that was in no run keeps what it had, by its columns' names."""
    page = ["text", "| kernel (bf16) | us | XLA / Tenon |", "| --- | --- | --- |", "| old | 3.0 | 1.100 |", "| fast | 2.0 |  |", "text"]
    header, row_of = next((header, row_of) for header, _, row_of in performance_tables.TABLES if header[0] == "kernel (bf16)")
    rows = {"fast": row_of("fast", RESULTS["cases"]["fast"], RESULTS["machine"])}
    found = performance_tables.replace_rows(page, header, rows)
    assert found[:2] + found[-1:] == ["text", "| " + " | ".join(header) + " |", "text"] and len(found) == len(page)
    old, new = ([cell.strip() for cell in line.split("|")[1:-1]] for line in found[3:5])
    assert dict(zip(header, old)) == {**dict.fromkeys(header, ""), "kernel (bf16)": "old", "us": "3.0", "XLA / Tenon": "1.100"}
    assert dict(zip(header, new))["us"] == "1000.0 (990.0 .. 1020.0)" and dict(zip(header, new))["best peer / Tenon"] == "1.500"
    assert "gpu.md: old was not in the run" in capsys.readouterr().out
    lines = (ROOT / "docs/performance/gpu.md").read_text().split("\n")
    assert all("| " + " | ".join(header) + " |" in lines for header, *_ in performance_tables.TABLES)


def test_waterfalls_of_the_page_are_written_anew(performance_tables):
    done = [(name, result, RESULTS["machine"]) for name, result in RESULTS["cases"].items()]
    page = performance_tables.with_waterfalls("# Page\n\n## step\n\n| old |\n\n## other\n\n| old |\n", done)
    table = explain.rows(RESULTS["cases"]["step"]["launches"], RESULTS["machine"], 0.5, {"linear": 0.35})
    rows = ["| " + " | ".join(row) + " |\n" for row in [explain.HEADER, ["---"] * len(explain.HEADER), *table]]
    assert page == "# Page\n\n## step\n\n" + "".join(rows) + "\n## other\n\n| old |\n"
    assert performance_tables.with_waterfalls("# Page\n", done).endswith("\n## step\n\n" + "".join(rows))


def test_waterfall():
    text = gpu_report.markdown(RESULTS)
    assert "### where the time goes: step" in text
    lines = text[text.index("### where"):].splitlines()[4:8]
    assert lines == ["| softmax | 1 | 200.0 |  | 10.0 | bytes | 20.00 | 190.0 | 0.33 |",
                     "| linear | 2 | 400.0 | 350.0 | 300.0 | flops | 1.33 | 100.0 | 0.67 |",
                     "| all launches, one by one | 3 | 600.0 | 350.0 | 310.0 |  | 1.94 | 290.0 | 1.00 |",
                     "| the call as a graph |  | 500.0 |  | 310.0 |  | 1.61 | 190.0 | 0.83 |"]
    rounds = [[{"kernel": "a", "ms": ms, "flops": 1, "bytes": 2}] for ms in (3, 1, 9)]
    assert explain.median_launches(rounds) == [{"kernel": "a", "ms": 3, "flops": 1, "bytes": 2}]


def test_roofline():
    case = {"ms": {"Tenon": 1.0}, "flops": 2e12, "bytes": 4e9, "tflops": 2000, "tbps": 4}
    results = {"machine": {"copy_tbps": 4.0, "peak_tflops": 800.0, "gpu": "A GPU"},
               "cases": {"gemm 1x1x1": case, "gemm tf32 1x1x1": case, "softmax": {**case, "flops": 0}, "gemm 2x2x2": {"failed": "lost"}}}
    text = gpu_report.svg(results)
    assert text.startswith('<svg xmlns="http://www.w3.org/2000/svg"') and text.count("<circle") == 1
    assert "1x1x1: 2000 TFLOP/s" in text and "polyline" in text
    import xml.etree.ElementTree
    xml.etree.ElementTree.fromstring(text)
    assert gpu_report.svg({**results, "cases": {}}) == ""


def test_page_stands_alone():
    page = gpu_report.html(RESULTS)
    assert page.startswith("<!doctype html>") and "http" not in page and "A &lt;GPU&gt;" in page
    assert page.count("<svg") == 2 and page.count('class="lost"') == 1 and page.count("<table") == 7
