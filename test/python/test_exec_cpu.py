"""exec-cpu: every case of test/python/exec_cpu is a test of its own. Runs are processes, two at a time: one a family for
this machine, and with a part of all families one for a processor without AVX-512 and one of what the threads of a GPU do
on its general path.
"""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from exec_cpu.__main__ import FAMILIES, cases_of, default_seed

SEED = default_seed()
CASES, OPS = [], set()
for each in FAMILIES:
    for made in cases_of(each, SEED):
        CASES.append((each, made.name))
        OPS.update(re.findall(r"tenon\.(\w+)", made.body))
MINUTES = 15  # of a run; a batch that hangs is ended before, by the run itself
PART = 7
RUNS = {family: [family] for family in FAMILIES}
RUNS["haswell"] = ["--target", "cpu:haswell", "--every", str(PART)]
RUNS["threads"] = ["--target", "threads", "--every", str(PART)]
PARTS = [case.name for family in FAMILIES for case in cases_of(family, SEED, PART)]
CASES += [(run, name) for run in ("haswell", "threads") for name in PARTS]


def start(run):
    """(case -> failures, everything it printed)."""
    here = Path(__file__).parent
    try:
        done = subprocess.run(
            [sys.executable, "-m", "exec_cpu", "--json", "--seed", str(SEED), *RUNS[run]],
            cwd=here,
            env=dict(os.environ, PYTHONPATH=str(here)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60 * MINUTES,
        )
        output = done.stdout
    except subprocess.TimeoutExpired as error:
        output = f"no end after {MINUTES} minutes\n{error.stdout or ''}"
    results = {}
    for line in output.splitlines():
        if line.startswith('{"case"'):
            entry = json.loads(line)
            results[entry["case"]] = entry["failures"]
    return results, output


@pytest.fixture(scope="session")
def results():
    print(f"seed {SEED} (RERUN={SEED} repeats it)")
    with ThreadPoolExecutor(2) as pool:
        yield {run: pool.submit(start, run) for run in RUNS}


@pytest.mark.parametrize("run,name", CASES, ids=[f"{run}-{name}" for run, name in CASES])
def test_case(results, run, name):
    failures, output = results[run].result()
    assert name in failures, f"{run} ended before this case; it printed:\n{output[-4000:]}"
    command = " ".join(["python -m exec_cpu", *RUNS[run], f"'^{name}$'"])
    assert not failures[name], f"RERUN={SEED} {command} in test/python:\n" + "\n".join(failures[name])


def test_every_op_has_cases():
    page = Path(__file__).resolve().parents[2] / "build/docs/Tenon.md"
    documented = set(re.findall(r"^### `tenon\.(\w+)` \(", page.read_text(), flags=re.M))
    # Of a compiled module, not of a case's body; attention_parts and pack_values are what tenon-split-keys and tenon-pack-values
    # make of an attention on a GPU.
    structure = {"kernel", "yield", "launch", "weight", "attention_parts", "pack_values"}
    assert len(documented) > 50 and documented - structure - OPS == set()
