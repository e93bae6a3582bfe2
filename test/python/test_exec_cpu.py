"""exec-cpu: every case of test/python/exec_cpu is a test of its own. Families run as processes, two at a time."""

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
MINUTES = 10  # of a family; a batch that hangs is ended before, by the family itself


def run_family(family):
    """(case -> failures, everything it printed)."""
    command = [sys.executable, "-m", "exec_cpu", "--json", "--seed", str(SEED), family]
    try:
        done = subprocess.run(
            command,
            cwd=Path(__file__).parent,
            env=dict(os.environ, PYTHONPATH=str(Path(__file__).parent)),
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
def families():
    print(f"seed {SEED} (RERUN={SEED} repeats it)")
    with ThreadPoolExecutor(2) as pool:
        yield {family: pool.submit(run_family, family) for family in FAMILIES}


@pytest.mark.parametrize("family,name", CASES, ids=[f"{family}-{name}" for family, name in CASES])
def test_case(families, family, name):
    results, output = families[family].result()
    assert name in results, f"{family} ended before this case; it printed:\n{output[-4000:]}"
    assert not results[name], f"RERUN={SEED} python -m exec_cpu {family} '^{name}$' fails:\n" + "\n".join(results[name])


def test_every_op_has_cases():
    page = Path(__file__).resolve().parents[2] / "build/docs/Tenon.md"
    documented = set(re.findall(r"^### `tenon\.(\w+)` \(", page.read_text(), flags=re.M))
    structure = {"kernel", "yield", "launch", "weight"}  # of a compiled module, not of a case's body
    assert len(documented) > 50 and documented - structure - OPS == set()
