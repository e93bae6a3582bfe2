"""The simulator on the kernels of test/sim/device, each form of each op: without a finding, and bit by bit what a GPU gave.
What the GPU gave is in reference.json and reference.npz there, as run_device.py wrote them; without-reference.txt names
the cases that no GPU has run yet.
"""
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
DEVICE = ROOT / "test/sim/device"
sys.path.insert(0, str(DEVICE))

from kernel import module_text  # noqa: E402
from make_kernels import all_cases  # noqa: E402
from tensor_maps import all_maps  # noqa: E402

GROUP = 40  # cases of one process


def run_group(cases, folder):
    """The words of each case, and what the simulator says."""
    folder.mkdir()
    np.savez(folder / "x.npz", **{f"x{number}": case.x.view(np.int32) for number, case in enumerate(cases)})
    (folder / "cases.mlir").write_text(module_text(cases))
    command = [ROOT / "build/bin/tenon-run", folder / "cases.mlir", "--from=artefact", "--device=sim", "--sim-short-sums",
               f"--input={folder / 'x.npz'}", f"--output={folder / 'y.npz'}"]
    done = subprocess.run(command, capture_output=True, text=True)
    said = done.stdout + done.stderr
    if not (folder / "y.npz").exists():
        return None, said
    made = np.load(folder / "y.npz")
    return [made[f"y{number}"].view(np.uint32) for number in range(len(cases))], said


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """(case, words) of all, and what was found in them."""
    folder = tmp_path_factory.mktemp("cases")
    cases = all_cases()
    groups = [cases[first : first + GROUP] for first in range(0, len(cases), GROUP)]
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(run_group, group, folder / str(number)) for number, group in enumerate(groups)]
    made, told = [], []
    for group, job in zip(groups, jobs):
        words, said = job.result()
        assert words, said
        made += zip(group, words)
        if said.count("no findings") != len(group):
            told.append(said)
    return made, told


def test_no_form_has_a_finding(simulated):
    made, told = simulated
    assert not told, "\n".join(told)
    assert len(made) >= 1200


def test_the_simulator_gives_what_a_gpu_gave(simulated):
    if not (DEVICE / "reference.json").exists():
        pytest.skip("test/sim/device has no results of a GPU to compare with: make_kernels.py there says how to make them")
    reference, words = json.loads((DEVICE / "reference.json").read_text()), np.load(DEVICE / "reference.npz")
    wrong, missing = [], []
    for case, mine in simulated[0]:
        entry = reference["cases"].get(case.name)
        if entry is None or entry["operand"] != case.operand():
            missing.append(case.name)
            continue
        theirs = words[entry["words"]]
        differs = case.bound(mine, theirs) if case.bound else mine != theirs
        if differs.any():
            at = np.flatnonzero(differs)
            wrong.append(f"{case.name}: {len(at)} of {len(mine)} words, first at {at[0]}: {mine[at[0]]:08x}, "
                         f"on {reference['device']} {theirs[at[0]]:08x}")
    younger = (DEVICE / "without-reference.txt").read_text().split()
    assert missing == younger, "run test/sim/device/make_kernels.py --new anew, or list these in without-reference.txt there: " + (
        " ".join(sorted(set(missing) ^ set(younger))))
    assert not wrong, "\n".join(wrong)


def test_a_driver_was_asked_of_every_tensor_map():
    asked = json.loads((DEVICE / "tensor-maps.json").read_text())["maps"]
    assert {name: {field: value for field, value in map.items() if field != "answer"} for name, map in asked.items()} == all_maps(), (
        "run test/sim/device/tensor_maps.py anew on a machine with an H100 or H200")
