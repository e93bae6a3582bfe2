"""The second step, on the machine with the GPU: each task's schedules are checked, then timed against each other, in a new
random order each round and with the L2 cache full of something else. Who is clearly slower leaves early. A line of results a
task is kept as soon as it is there."""
import json
import os
import random
import statistics
import time
from pathlib import Path

from tenon.errors import CorruptError, NotFoundError, TenonError, UnsupportedError
from tenon.tune.accuracy import Gate, why_not
from tenon.tune.database import FIELDS, KEY, key_of

# Rounds, and then who stays: within this of the best median, no more than so many. The model's own always does.
STAGES = ((4, 1.12, 12), (6, 1.04, 6), (14, 1.0, 1))
CLEARLY = 0.99  # of the time that the model's own schedule takes: what is no faster than that does not replace it
RESULTS = "results.jsonl"


class Cuda:
    """The GPU of this machine, through PyTorch."""

    def __init__(self):
        import torch
        from tenon.bench.gpu_contest import Clock
        if not torch.cuda.is_available():
            raise NotFoundError("PyTorch finds no GPU here; compile here with --compile-only, and run where there is one")
        self.torch, self.where, self.name = torch, "cuda", torch.cuda.get_device_name()
        self.clock, self.flush = Clock(torch), torch.zeros(64 << 20, device="cuda")  # 256 MiB

    def milliseconds(self, call):
        return self.clock.one(call, self.flush)


class Simulated:
    """The device simulator: everything is as on a GPU but the times, which say nothing."""
    name, where = "simulator", "cpu"

    def __init__(self):
        import torch
        self.torch = torch
        os.environ.setdefault("TENON_CUDA_DRIVER", "sim:sm_90a")

    def milliseconds(self, call):
        begin = time.perf_counter()
        call()
        return (time.perf_counter() - begin) * 1e3


DEVICES = {"cuda": Cuda, "sim": Simulated}


def race(contenders, model, milliseconds, rng, stages=STAGES):
    """{name: [ms]} of {name: call}: all in the first rounds, then those that may be the fastest."""
    times, racing = {name: [] for name in contenders}, list(contenders)
    for rounds, slack, most in stages:
        for _ in range(rounds):
            rng.shuffle(racing)
            for name in racing:
                times[name].append(milliseconds(contenders[name]))
        medians = {name: statistics.median(times[name]) for name in racing}
        racing = sorted((name for name in racing if medians[name] <= slack * min(medians.values())), key=medians.get)[:most]
        racing += [model] if model not in racing else []
    return times


def pick(times, model):
    """The fastest of those that were in the race to its end; the model's own unless another is clearly faster."""
    longest = max(map(len, times.values()))
    medians = {name: statistics.median(values) for name, values in times.items() if len(values) == longest}
    best = min(medians, key=medians.get)
    return best if medians[best] < CLEARLY * medians[model] else model


def measure(task, folder, device, stages=STAGES):
    """The line of results of a task."""
    import tenon
    begun, torch = time.monotonic(), device.torch
    calls = {name: tenon.load(Path(folder) / task[name]) for name in ("reference", "rounded") if name in task}
    model = tenon.load(Path(folder) / task["model"]["file"])
    problem = why_not(model.inputs)
    if problem:
        raise UnsupportedError(problem)
    seed = int.from_bytes(task["shape"].encode()[-4:], "big")
    gate = Gate(torch, task, model.inputs, model.outputs, device.where, calls["reference"], calls.get("rounded"), model, seed)
    if gate.problem:
        raise TenonError(gate.problem)
    del calls
    chosen = task["model"]["schedule"]
    executables, told = {chosen: model}, [{"schedule": chosen}]
    for candidate in task["candidates"]:
        line = {name: candidate[name] for name in ("schedule", "model_us", "refused") if name in candidate}
        told.append(line)
        if "refused" in candidate:
            continue
        try:
            executable = tenon.load(Path(folder) / candidate["file"])
            wrong = gate.check(executable)
        except tenon.DeviceError:
            raise
        except TenonError as error:
            wrong = str(error).splitlines()[0]
        if wrong:
            line["wrong"] = wrong
        else:
            executables[candidate["schedule"]] = executable
    operands = gate.normal
    contenders = {name: lambda call=call: call(*operands) for name, call in executables.items()}
    times = race(contenders, chosen, device.milliseconds, random.Random(seed), stages)
    best = pick(times, chosen)
    for line in told:
        if line["schedule"] in times:
            values = times[line["schedule"]]
            line.update(us=round(statistics.median(values) * 1e3, 3), rounds=len(values))
    microseconds = {line["schedule"]: line["us"] for line in told if "us" in line}
    return {**{name: task[name] for name in (*KEY, "name", "uses")}, "schedule": best, "us": microseconds[best],
            "model_schedule": chosen, "model_us": microseconds[chosen], "candidates": len(times), "device": device.name,
            "date": time.strftime("%Y-%m-%d %H:%M", time.gmtime()), "took": round(time.monotonic() - begun, 2), "all": told}


def read_results(path, begun=None):
    """The results of a file; one that a cut left unfinished at its end is not there. `begun` gets the keys that were begun, one
    for each time."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError as error:
        raise NotFoundError(f"results {path}: {error}") from None
    results = []
    for number, line in enumerate(lines, 1):
        try:
            value = json.loads(line)
            if "begun" in value:
                if begun is not None:
                    begun.append(tuple(value["begun"]))
                continue
            results.append({name: value[name] for name in (*FIELDS, "name", "uses", "all")})
        except (ValueError, KeyError, TypeError):
            if number == len(lines):
                break
            raise CorruptError(f"{path}:{number}: no line of results of tenon-tune") from None
    return results


class Results:
    """A file of results that grows. A kernel is left out that has a result, and one that was begun twice without: it takes the
    process with it."""

    def __init__(self, path, resume):
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.lines, self.begun = [], []
        if self.path.exists() and self.path.stat().st_size:
            if not resume:
                raise TenonError(f"{self.path} is there already: --resume goes on from it, else move it away")
            self.lines = read_results(self.path, self.begun)
            kept = [{"begun": key} for key in self.begun] + self.lines
            self.path.write_text("".join(json.dumps(line) + "\n" for line in kept))  # without an unfinished one

    def has(self, task):
        key = key_of(task)
        return self.begun.count(key) > 1 or any(key_of(line) == key for line in self.lines)

    def begin(self, task):
        self._write({"begun": key_of(task)})

    def add(self, line):
        self.lines.append(line)
        self._write(line)

    def _write(self, line):
        with open(self.path, "a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
