"""The program of test/gpu on a driver that is a fake: it copies, so that a view comes out right, and has no kernels, so
that every other case must fail."""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CASES = [("shapes", "reshape_bf16_4"), ("rows", "reduce_sum_f32_rank2_1_dynamic")]


def run(program, *arguments):
    environment = dict(os.environ, TENON_CUDA_DRIVER=str(ROOT / "build/lib/libtenon-fake-cuda.so"), TENON_CACHE_DIR="")
    environment.setdefault("TENON_LIBRARY", str(ROOT / "build/lib/libtenon.so"))
    return subprocess.run([sys.executable, str(ROOT / "test/gpu" / program), *map(str, arguments)], env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_what_fails_is_told_and_what_is_right_passes(tmp_path):
    sys.path.insert(0, str(ROOT / "test/gpu"))
    from families import cases_of
    from make_cases import compile_case
    from exec_cpu.runner import module_text
    entries = []
    for family, name in CASES:
        case = next(case for case in cases_of(family, 1) if case.name == name)
        assert compile_case(module_text([case]), "sm_90a", tmp_path / f"{name}.tnx") is None
        entries.append({"family": family, "name": name, "file": f"{name}.tnx"})
    entries.append({"family": "rows", "name": "refused", "file": "", "error": "an op that has no lowering"})
    index = {"target": "sm_90a", "seed": 1, "cases": entries, "models": [], "generators": []}
    (tmp_path / "index.json").write_text(json.dumps(index))
    done = run("run_gpu.py", tmp_path, "--out", tmp_path / "out", "--jobs", 1)
    assert done.returncode == 1 and done.stdout.splitlines()[-1] == "1 passed, 2 failed", done.stdout
    assert "ok   shapes reshape_bf16_4: 2 results" in done.stdout
    assert "FAIL rows reduce_sum_f32_rank2_1_dynamic" in done.stdout and "cuModuleLoadData" in done.stdout
    assert "does not compile: an op that has no lowering" in done.stdout
    results = json.loads((tmp_path / "out/results.json").read_text())
    assert [result["case"].split()[1] for result in results if not result["failures"]] == ["reshape_bf16_4"]
    assert run("run_gpu.py", tmp_path, "--match", "reshape").stdout.splitlines()[-1] == "1 passed, 0 failed"


def test_wrong_use_prints_the_usage():
    for program in ("run_gpu.py", "make_cases.py"):
        done = run(program, "--nothing")
        assert done.returncode == 2 and f"usage: {program} FOLDER" in done.stdout


@pytest.fixture
def small_generators(monkeypatch):
    sys.path.insert(0, str(ROOT / "test/gpu"))
    import generation
    small = dict(vocab_size=199, hidden_size=64, intermediate_size=128, num_attention_heads=4)
    monkeypatch.setattr(generation, "CONFIG", generation.CONFIG | small)
    for name, value in dict(BATCHES=(1, 3), CONTEXT=16, PROMPT=7, COUNT=8).items():
        monkeypatch.setattr(generation, name, value)
    return generation


@pytest.mark.parametrize("name", ["llama:f32", "llama-draws:f32"])
def test_generators_on_this_processor(name, small_generators, tmp_path):
    """Artefacts take their weights by name, and what run_gpu.py asks of them holds."""
    entry = small_generators.make(name, "cpu", tmp_path)
    failures, tokens, _ = small_generators.run_generator(entry, tmp_path, "cpu")
    assert not failures and tokens == (3 + 1 + 2) * 8


def test_wrong_text_is_told(small_generators):
    """A generator whose last token is another one, and one that draws what is not among the top k."""
    import torch
    model = small_generators.decoder("llama:f32")
    prompt = torch.arange(14).reshape(2, 7)

    class Wrong:
        batches = (2,)

        def generate(self, ids, count, **how):
            text = model.generate(ids, max_new_tokens=count, do_sample=False)
            text[:, -1] = (text[:, -1] + 1) % 199
            return text
    greedy, _ = small_generators.check_greedy(Wrong(), model, prompt)
    assert any("row 1, token 7" in failure for failure in greedy) and "row 1: equal up to token 7 alone" in greedy
    drawn, _ = small_generators.check_drawn(Wrong(), model, prompt)
    assert "another seed gives the same text" in drawn and "other text than by the sampler in torch on transformers' logits" in drawn
    assert any("not among the top k" in failure for failure in drawn)
