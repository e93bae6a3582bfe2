#!/usr/bin/env python3
"""Runs what make_kernels.py compiled on this machine's GPU and writes what each case gives.

usage: run_device.py FOLDER [--match REGEX] [--seconds N]
  FOLDER gets reference.json (date, device, driver, what failed) and reference.npz (the words, equal ones once)
  --seconds N: begin no case after that (default 150)
Each case runs twice, and must give the same; one that ends the process, or hangs, fails alone. What passed is written
whatever else fails.
"""

import ctypes
import datetime
import hashlib
import json
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

TIMEOUT = 20  # seconds of a case


def artefact_of(case, folder):
    return folder / "cases" / f"{case.name}.tnx"


def run_case(library, case, folder):
    from exec_cpu.dtypes import I32
    from exec_cpu.library import Buffer

    artefact = ctypes.c_void_p()
    library._check(library.lib.tenon_artefact_open(str(artefact_of(case, folder)).encode(), ctypes.byref(artefact)))
    executable, context = library.load(artefact, {})
    x = Buffer(I32, (len(case.x),), case.x.view(np.uint8))
    results = []
    for _ in range(2):
        y = Buffer(I32, (case.num_results,))
        y.fill(0xFF)
        library.run(context, [x], [y])
        results.append(y.data.copy())
    library.free(executable, context)
    library.free_artefact(artefact)
    if not np.array_equal(*results):
        raise ValueError("two runs differ")
    return results[0]


def worker(folder):
    """Answers each line of stdin, the number of a case, with a line: its words in hex, or an error."""
    from exec_cpu.library import Library
    from make_kernels import all_cases

    library, cases = Library(folder / "libtenon-runtime.so"), all_cases()
    for line in sys.stdin:
        try:
            answer = {"words": run_case(library, cases[int(line)], folder).tobytes().hex()}
        except Exception as error:  # of the driver, the runtime or the case
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)
        if "error" in answer:
            return  # the next case gets a GPU that works


def device():
    driver = ctypes.CDLL("libcuda.so.1")
    name, version, handle = ctypes.create_string_buffer(128), ctypes.c_int(), ctypes.c_int()
    driver.cuInit(0)
    driver.cuDeviceGet(ctypes.byref(handle), 0)
    driver.cuDeviceGetName(name, 128, handle)
    driver.cuDriverGetVersion(ctypes.byref(version))
    said = Path("/proc/driver/nvidia/version")
    match = re.search(r"\d+\.\d+\.\d+", said.read_text()) if said.exists() else None
    return {"device": name.value.decode(), "cuda": version.value, "driver": match.group() if match else "unknown"}


def main(arguments):
    if arguments[:1] == ["--worker"]:
        return worker(Path(arguments[1]))
    options = dict(zip(arguments[1::2], arguments[2::2]))
    if len(arguments) % 2 == 0 or arguments[0].startswith("-") or not options.keys() <= {"--match", "--seconds"}:
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(arguments[0]).resolve()
    from make_kernels import all_cases

    index = {**device(), "date": datetime.date.today().isoformat(), "cases": {}, "errors": {}}
    words, process, families, began = {}, None, {}, time.monotonic()
    for number, case in enumerate(all_cases()):
        if not re.search(options.get("--match", ""), case.name) or not artefact_of(case, folder).exists():
            continue
        family = families.setdefault(".".join(case.name.split(".")[:2]), [0, 0])
        if time.monotonic() - began > float(options.get("--seconds", 150)):
            index["errors"][case.name] = "no time was left"
            family[1] += 1
            continue
        if process is None or process.poll() is not None:
            command = [sys.executable, __file__, "--worker", str(folder)]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdin.write(f"{number}\n".encode())
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], TIMEOUT)
        line = process.stdout.readline() if ready else b""
        answer = json.loads(line) if line else {"error": "the process ended" if ready else f"no end after {TIMEOUT} s"}
        if "error" in answer:
            process.kill()
            process.wait()
            index["errors"][case.name] = answer["error"]
            print(f"FAIL {case.name}: {answer['error']}", flush=True)
            family[1] += 1
            continue
        family[0] += 1
        data = bytes.fromhex(answer["words"])
        key = hashlib.sha256(data).hexdigest()[:16]
        words[key] = np.frombuffer(data, np.uint32)
        index["cases"][case.name] = {"words": key, "operand": case.operand()}
    if process:
        process.stdin.close()
    np.savez_compressed(folder / "reference.npz", **words)
    (folder / "reference.json").write_text(json.dumps(index, indent=1, sort_keys=True) + "\n")
    for family, (passed, failed) in families.items():
        print(f"{family}: {passed} passed, {failed} failed")
    print(f"{len(index['cases'])} passed, {len(index['errors'])} failed on {index['device']}, driver {index['driver']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
