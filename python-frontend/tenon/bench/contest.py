"""Runs the contestants of a case in turn and gathers what they measured."""
import os
import statistics
import subprocess
import sys
from pathlib import Path

import numpy

from tenon.bench.cases import reference_path
from tenon.bench.process import WorkerProcess
from tenon.errors import InternalError


def start(name, threads, folder):
    """A contestant's process: stopped but while it works."""
    environment = dict(os.environ)
    for variable in ("TENON_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "TVM_NUM_THREADS"):
        environment[variable] = str(threads)
    environment["HF_HUB_OFFLINE"] = "1"
    environment["JAX_PLATFORMS"] = "cpu"
    # Cold: what an earlier run compiled is not used.
    environment["TORCHINDUCTOR_CACHE_DIR"] = str(Path(folder) / "inductor")
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).resolve().parents[2]),
                                                 environment.get("PYTHONPATH", "")])
    if name == "tenon":
        from tenon.library import library
        runtime = library().path.with_name("libtenon-runtime.so")
        if runtime.is_file():
            environment["TENON_LIBRARY"] = str(runtime)
    # XLA has no setting for its threads; it takes as many as it may use cores.
    available = sorted(os.sched_getaffinity(0))
    cores = available[-threads:] if threads < len(available) else None
    return WorkerProcess(name, [sys.executable, "-m", "tenon.bench.worker", name], environment, folder, stops=True,
                         cores=cores)


def make_reference(case, folder):
    """The case in float64, by PyTorch in a process of its own."""
    path = reference_path(folder, case)
    code = ("import dataclasses, numpy, torch; from tenon.bench.cases import Case\n"
            "from tenon.bench.subjects import subject_of, torch_inputs\n"
            f"case = dataclasses.replace(Case(**{case.to_json()!r}), dtype='f64')\n"
            "with torch.no_grad(): result = subject_of(case).load(torch.float64)(*torch_inputs(case))\n"
            f"numpy.save({str(path)!r}, result.numpy())")
    environment = dict(os.environ, HF_HUB_OFFLINE="1", PYTHONPATH=str(Path(__file__).resolve().parents[2]))
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise InternalError(f"the float64 reference of {case.name} failed: {done.stderr.strip().splitlines()[-1:]}")
    return numpy.load(path)


def run_case(case, names, threads, rounds, seconds, folder, say, limit=None):
    """A dictionary a contestant, in the order of `names`: what it measured, or why it is "missing". `limit`: seconds that
    a contestant may take to be ready, and for a burst."""
    exact = make_reference(case, folder)
    processes, results = {}, {name: {"name": name} for name in names}
    try:
        for name in names:
            say(f"{case.name}: {name} prepares")
            process = start(name, threads, folder)
            reply = process.ask(do="prepare", case=case.to_json(), folder=str(folder), limit=limit)
            if "missing" not in reply:
                output = Path(folder) / f"output-{name}.npy"
                reply |= process.ask(do="output", path=str(output), limit=limit)
            results[name] |= reply
            if "missing" in reply:
                process.end()
                continue
            error = numpy.abs(numpy.load(output).astype(numpy.float64).reshape(exact.shape) - exact).max()
            results[name] |= {"error": float(error), "milliseconds": []}
            processes[name] = process
        for turn in range(rounds):
            say(f"{case.name}: round {turn + 1} of {rounds}")
            order = list(processes)
            for name in order[turn % max(len(order), 1):] + order[:turn % max(len(order), 1)]:
                reply = processes[name].ask(do="burst", seconds=seconds, limit=limit)
                results[name]["milliseconds"] += reply.get("milliseconds", [])
                if "missing" in reply:
                    results[name]["missing"] = reply["missing"]
                    processes.pop(name).end()
        for name, process in processes.items():
            results[name] |= process.ask(do="memory")
    finally:
        for process in processes.values():
            process.end()
    for result in results.values():
        if result.get("milliseconds"):
            result |= summary(result["milliseconds"])
    return list(results.values())


def summary(times):
    """Best, median, and spread: the range of the middle 80 % over the median."""
    ordered = sorted(times)
    median = statistics.median(ordered)
    low, high = ordered[len(ordered) // 10], ordered[-1 - len(ordered) // 10]
    return {"best": ordered[0], "median": median, "spread": (high - low) / median, "calls": len(ordered)}
