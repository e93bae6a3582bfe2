#!/usr/bin/env python3
"""Compiles several hundred small kernels, each form of each op that the simulator knows, for an H100 or H200.

usage: make_kernels.py FOLDER [--match REGEX | --new]
  --new: those alone of which reference.json has nothing
  FOLDER gets an artefact a case and all that run_device.py needs besides Python 3 and numpy: carry it to a GPU, run
  `python3 FOLDER/run_device.py FOLDER` there, and put the reference.json and reference.npz that it writes beside this
  file. test/python/test_simulator_device.py compares the simulator with them.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent  # of the checkout; nothing where this is a copy beside the cases
sys.path.insert(0, str(HERE))

from kernel import module_text  # noqa: E402


def all_cases():
    import clusters
    import copies
    import functions
    import memory
    import products
    import registers
    import scalars
    import warps
    import wgmma

    families = (warps, memory, copies, clusters, products, wgmma, scalars, registers, functions)
    return [case for family in families for case in family.cases()]


def has_reference(case):
    known = json.loads((HERE / "reference.json").read_text())["cases"].get(case.name)
    return known is not None and known["operand"] == case.operand()


def write_newer_ptxas(path):
    """A ptxas that takes what it is given as PTX 8.4: the compiler writes 8.0 for sm_90a, for the sake of older drivers,
    and a few forms that the simulator knows are younger."""
    ptxas = os.environ.get("TENON_PTXAS") or shutil.which("ptxas")
    path.write_text("#!/bin/sh\n[ ! -f kernel.ptx ] || sed -i 's/^\\.version .*/.version 8.4/' kernel.ptx\n"
                    f'exec {ptxas} "$@"\n')
    path.chmod(0o755)


def compile_case(case, folder):
    """What is wrong, or an empty text."""
    command = [ROOT / "build/bin/tenon-compile", "--from=ptx", "--target=sm_90a", "--no-model", "-o",
               folder / f"{case.name}.tnx", "-"]
    environment = dict(os.environ)
    if case.needs_newer_ptx:
        command.insert(1, f"--ptxas={folder / 'newer-ptxas'}")
        environment["TENON_CACHE_DIR"] = ""  # where cubins are known by the text of 8.0
    done = subprocess.run(command, input=module_text([case]), capture_output=True, text=True, env=environment)
    return done.stderr.strip() if done.returncode else ""


def main(arguments):
    only = arguments[1:]
    is_known = only in ([], ["--new"]) or (len(only) == 2 and only[0] == "--match")
    if not arguments or arguments[0].startswith("-") or not is_known:
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(arguments[0]).resolve()
    cases = all_cases()
    if only == ["--new"]:
        cases = [case for case in cases if not has_reference(case)]
    elif only:
        cases = [case for case in cases if re.search(only[1], case.name)]
    (folder / "exec_cpu").mkdir(parents=True, exist_ok=True)
    (folder / "cases").mkdir(exist_ok=True)
    shutil.copy(ROOT / "build/lib/libtenon-runtime.so", folder)
    for file in HERE.glob("*.py"):
        shutil.copy(file, folder)
    for name in ("__init__.py", "library.py", "dtypes.py"):
        shutil.copy(ROOT / "test/python/exec_cpu" / name, folder / "exec_cpu")
    write_newer_ptxas((folder / "cases" / "newer-ptxas").resolve())
    with ThreadPoolExecutor(2) as pool:
        errors = list(pool.map(lambda case: compile_case(case, folder / "cases"), cases))
    for case, error in zip(cases, errors):
        if error:
            print(f"FAIL {case.name}: {error}")
    print(f"{len(cases)} cases, {sum(map(bool, errors))} do not compile")
    return 1 if any(errors) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
