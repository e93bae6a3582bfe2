"""Runs cases of the exec-cpu suite.

usage: python -m exec_cpu [--seed N] [--target cpu:NAME|threads] [--every N] [--list] [--text] [--json] [FAMILY..]
                          [CASE_REGEX]
  FAMILY: a module of exec_cpu with a function cases(rng); default all
  CASE_REGEX: only cases whose name it matches (it has to hold a character that no family name has)
  --target threads: what the threads of a GPU do on its general path, one after the other on this machine
  --every N: each Nth case of a family
  --list: the names; --text: the modules that would be compiled; --json: a line of JSON a case
The seed is RERUN from the environment, or 1.
"""

import importlib
import json
import os
import re
import sys
import time

import numpy as np

from exec_cpu.runner import batches, module_text, run_cases

# The long ones first, where they run side by side.
FAMILIES = [
    "contractions",
    "attention",
    "fusions",
    "rows",
    "unary",
    "windows",
    "binary",
    "casts",
    "quantisation",
    "shapes",
    "gathers",
]


def default_seed():
    return int(os.environ.get("RERUN") or 1)


def cases_of(family, seed, every=1):
    cases = importlib.import_module(f"exec_cpu.{family}").cases(np.random.default_rng(seed))
    assert len({case.name for case in cases}) == len(cases), f"{family}: two cases of one name"
    return cases[::every]


def main(arguments):
    seed, target, every, families, pattern, flags = default_seed(), "cpu", 1, [], "", set()
    arguments = list(arguments)
    while arguments:
        word = arguments.pop(0)
        if word == "--seed" and arguments:
            seed = int(arguments.pop(0))
        elif word == "--target" and arguments:
            target = arguments.pop(0)
        elif word == "--every" and arguments:
            every = int(arguments.pop(0))
        elif word in ("--list", "--text", "--json"):
            flags.add(word)
        elif word in FAMILIES:
            families.append(word)
        elif word.startswith("-") or pattern:
            print(__doc__, file=sys.stderr)
            return 2
        else:
            pattern = word
    print(f"seed {seed} (RERUN={seed} repeats it)", flush=True)
    bad = total = checks = 0

    def report(case, failures, count):
        nonlocal bad, total, checks
        bad, total, checks = bad + bool(failures), total + 1, checks + count
        if "--json" in flags:
            print(json.dumps({"case": case.name, "failures": failures, "checks": count}), flush=True)
        elif failures:
            print(f"FAIL {case.name}\n     " + "\n     ".join(failures), flush=True)

    for family in families or FAMILIES:
        cases = [case for case in cases_of(family, seed, every) if re.search(pattern, case.name)]
        if "--list" in flags:
            print("\n".join(case.name for case in cases))
            continue
        begin = time.monotonic()
        for batch in batches(cases):
            if "--text" in flags:
                print(module_text(batch))
            else:
                run_cases(batch, seed, report, target)
        if cases and not flags:
            print(f"{family}: {len(cases)} cases in {time.monotonic() - begin:.1f} s", flush=True)
    if not flags:
        print(f"{total} cases, {checks} results compared, {bad} cases failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
