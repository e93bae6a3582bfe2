#!/usr/bin/env python3
"""Runs the cases of run_gpu.py in the device simulator, on this machine: values against float64, races, deadlocks.

usage: simulate.py [--arch sm_90a] [--every N] [--from N] [--most WORK] [--sizes N] [--kinds N] [--seed N]
                   [--sim-seed N] [--sim-seeds N] [--jobs N] [--match REGEX] [FAMILY..]
  --every N, --from N: each Nth case of a family, from that one on
  --most WORK: no case or size with more multiplications, or so, than that (default 20000000)
  --sizes N, --kinds N: at most that many sizes and kinds of data of a case (default: all)
  --sim-seed N, --sim-seeds N: another order of the threads, and how many of them from that one on
A line a case that fails, then `N passed, N failed`.
"""

import math
import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from families import FAMILIES, cases_of  # noqa: E402

from exec_cpu.runner import run_cases  # noqa: E402

PRODUCTS = re.compile(r"tenon\.(linear|matmul|attention|conv|quantised|dequant)")


def work(case, sizes):
    """About the multiplications: m n k where there is a product, else a number that all elements count for."""
    known = [each for each in case.results if all(d in sizes or not isinstance(d, str) for d in each.dims)]
    tensors = case.operands + known
    shapes = [tensor.shape(sizes) for tensor in tensors]
    counts = sorted((math.prod(shape) for shape in shapes), reverse=True)
    if PRODUCTS.search(case.body):
        return math.isqrt(math.prod(counts[:3]))
    return 64 * sum(counts)


def reduced(case, most, num_sizes, num_kinds):
    """The case with the sizes that are not too much work, the largest of them first; None where there is none."""
    sizes = sorted((each for each in case.sizes if work(case, each) <= most), key=lambda each: -work(case, each))
    if len(sizes) > num_sizes:
        sizes = sizes[: num_sizes - 1] + sizes[-1:]
    return replace(case, sizes=sizes, kinds=case.kinds[:num_kinds]) if sizes else None


def selected(family, options):
    made = cases_of(family, options["seed"])
    made = [case for case in made if re.search(options["match"], f"{family} {case.name}")]
    made = [reduced(case, options["most"], options["sizes"], options["kinds"]) for case in made]
    return [case for case in made if case][options["from"] :: options["every"]]


DEFAULTS = {"arch": "sm_90a", "every": 1, "from": 0, "most": 20_000_000, "sizes": 1000, "kinds": 1000, "seed": 1,
            "sim-seed": 0, "sim-seeds": 1, "jobs": 2, "match": ""}


def simulate(families, given, told=print):
    """(passed, failures by case). In a process of its own for each case."""
    options = {**DEFAULTS, **given}
    arch = options["arch"]
    os.environ["TENON_CUDA_DRIVER"] = f"sim:{arch},seed={options['sim-seed']},seeds={options['sim-seeds']}"
    passed, failed = 0, {}

    def run(case):
        results = []
        run_cases([case], options["seed"], lambda *result: results.append(result), f"sim:{arch}")
        return results[0]

    with ThreadPoolExecutor(options["jobs"]) as pool:
        for family in families:
            begin = time.monotonic()
            cases = selected(family, options)
            for case, failures, _ in pool.map(run, cases):
                passed += not failures
                if failures:
                    failed[f"{family} {case.name}"] = failures
                    told(f"FAIL {family} {case.name}\n     " + "\n     ".join(failures))
            told(f"{family}: {len(cases)} cases for {arch}, {time.monotonic() - begin:.0f} s")
    return passed, failed


def parse(arguments):
    options, families, arguments = {}, [], list(arguments)
    while arguments:
        word = arguments.pop(0)
        if word[:2] == "--" and word[2:] in DEFAULTS and arguments:
            options[word[2:]] = type(DEFAULTS[word[2:]])(arguments.pop(0))
        elif word in FAMILIES:
            families.append(word)
        else:
            return None
    return families or FAMILIES, options


def main(arguments):
    parsed = parse(arguments)
    if not parsed:
        print(__doc__, file=sys.stderr)
        return 2
    passed, failed = simulate(*parsed, told=lambda text: print(text, flush=True))
    print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
