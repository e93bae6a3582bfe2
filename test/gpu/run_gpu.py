#!/usr/bin/env python3
"""Runs what make_cases.py compiled on this machine's GPU, against float64: quality rules N1 to N8 (N3 of products and attention).

usage: run_gpu.py FOLDER [--out FOLDER] [--jobs N] [--match REGEX] [--seconds N]
  --out: gets results.json and log.txt (default: FOLDER)
  --jobs N: processes (default 8)
  --match REGEX: only cases whose "family name" it matches
  --seconds N: begin nothing new after that; what is left counts as failed

Needs Python 3 and numpy (generators: torch and transformers), this checkout's test/ and python-frontend/, and the folder;
TENON_LIBRARY names another runtime than the folder's.
Every case is called three times for each kind of data and size: repeats are equal bit by bit, outputs hold NaN before,
no byte beside an output or of an input may change, each element lies within its bound. A line a case, then
how many have attention, and `N passed, N failed`. A case that ends its process, or hangs, is one failed case.
"""

import json
import os
import re
import select
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

TIMEOUT = 120  # seconds of a case
FATAL = "The GPU is lost to this process"


def entries_of(index):
    return index["cases"] + index["models"] + index["generators"]


def worker(folder):
    """Answers each line of stdin, an index, with a line: failures and the number of results compared."""
    from families import cases_of

    from device import DeviceBatch
    from exec_cpu.library import TenonError
    from models import run_model

    index = json.loads((folder / "index.json").read_text())
    cases = {}
    for line in sys.stdin:
        entry = entries_of(index)[int(line)]
        try:
            if "model" in entry:
                failures, checks, note = run_model(entry, folder)
            elif "generator" in entry:
                from generation import run_generator

                failures, checks, note = run_generator(entry, folder)
            else:
                family, name = entry["family"], entry["name"]
                if family not in cases:
                    cases[family] = {case.name: case for case in cases_of(family, index["seed"])}
                result = DeviceBatch(cases[family][name], index["seed"], folder / entry["file"]).run()
                failures, checks, note = result[0][name], result[1][name], ""
        except (TenonError, OSError) as error:
            failures, checks, note = [str(error)], 0, ""
        except Exception:  # of a reference, or of the test itself
            told = " | ".join(traceback.format_exc().splitlines()[-4:])
            failures, checks, note = ["the test itself failed: " + told], 0, ""
        print(json.dumps({"failures": failures, "checks": checks, "note": note}), flush=True)
        if any(FATAL in text or "CUDA_ERROR" in text for text in failures):
            os._exit(3)  # the next case gets a process with a GPU that works


class Worker:
    """A process that runs cases, made anew when it ends."""

    def __init__(self, folder, environment):
        self.command = [sys.executable, __file__, "--worker", str(folder)]
        self.environment, self.process = environment, None

    def run(self, number):
        if self.process is None or self.process.poll() is not None:
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(self.command, env=self.environment, stdin=pipe, stdout=pipe, stderr=pipe)
        process = self.process
        try:
            process.stdin.write(f"{number}\n".encode())
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], TIMEOUT)
            if not ready:
                process.kill()
                return {"failures": [f"no end after {TIMEOUT} s"], "checks": 0, "note": ""}
            line = process.stdout.readline()
            if line:
                return json.loads(line)
        except (BrokenPipeError, json.JSONDecodeError):
            pass
        process.kill()
        tail = process.stderr.read().decode(errors="replace").strip().splitlines()[-3:]
        return {"failures": [f"its process ended with {process.wait()}: {' | '.join(tail)}"], "checks": 0, "note": ""}

    def end(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()


class Run:
    """All cases, shared out over workers."""

    def __init__(self, folder, out, jobs, pattern, seconds):
        self.folder, self.log = folder, open(out / "log.txt", "w")
        self.index = json.loads((folder / "index.json").read_text())
        self.out, self.end = out, time.monotonic() + seconds
        entries = enumerate(entries_of(self.index))
        self.queue = [(number, entry) for number, entry in entries if re.search(pattern, self.title(entry))]
        self.queue.reverse()
        self.lock, self.results, self.jobs = threading.Lock(), [], jobs

    @staticmethod
    def title(entry):
        kind = next((kind for kind in ("model", "generator") if kind in entry), None)
        return f"{kind} {entry[kind]}" if kind else f"{entry['family']} {entry['name']}"

    def say(self, text):
        print(text, flush=True)
        print(text, file=self.log, flush=True)

    def work(self):
        environment = dict(os.environ, OPENBLAS_NUM_THREADS="2", OMP_NUM_THREADS="2")
        environment.setdefault("TENON_LIBRARY", str(self.folder / "libtenon-runtime.so"))
        hand = Worker(self.folder, environment)
        while True:
            with self.lock:
                if not self.queue:
                    break
                number, entry = self.queue.pop()
            if "error" in entry:
                result = {"failures": ["does not compile: " + entry["error"]], "checks": 0, "note": ""}
            elif time.monotonic() > self.end:
                result = {"failures": ["not run: no time left"], "checks": 0, "note": ""}
            else:
                result = hand.run(number)
            with self.lock:
                self.results.append({"case": self.title(entry), "attention": entry.get("attention", False), **result})
                if result["failures"]:
                    self.say(f"FAIL {self.title(entry)}\n     " + "\n     ".join(result["failures"]))
                else:
                    self.say(f"ok   {self.title(entry)}: {result['note'] or str(result['checks']) + ' results'}")
        hand.end()

    def all(self):
        begin = time.monotonic()
        self.say(f"target {self.index['target']}, seed {self.index['seed']}")
        threads = [threading.Thread(target=self.work) for _ in range(self.jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        failed = sum(bool(result["failures"]) for result in self.results)
        checks = sum(result["checks"] for result in self.results)
        (self.out / "results.json").write_text(json.dumps(self.results, indent=1))
        of_attention = [result for result in self.results if result["attention"]]
        self.say(f"{len(of_attention)} cases have attention, {sum(bool(result['failures']) for result in of_attention)} of them failed")
        self.say(f"{checks} results compared in {time.monotonic() - begin:.0f} s")
        self.say(f"{len(self.results) - failed} passed, {failed} failed")
        return 1 if failed or not self.results else 0


def main(arguments):
    arguments = list(arguments)
    if len(arguments) == 2 and arguments[0] == "--worker":
        return worker(Path(arguments[1]))
    folder, out, jobs, pattern, seconds = None, None, 8, "", 1e9
    while arguments:
        word = arguments.pop(0)
        if word == "--out" and arguments:
            out = Path(arguments.pop(0))
        elif word == "--jobs" and arguments:
            jobs = int(arguments.pop(0))
        elif word == "--match" and arguments:
            pattern = arguments.pop(0)
        elif word == "--seconds" and arguments:
            seconds = float(arguments.pop(0))
        elif folder is None and not word.startswith("-"):
            folder = Path(word)
        else:
            folder = None
            break
    if folder is None or not (folder / "index.json").is_file():
        print(__doc__, file=sys.stderr)
        return 2
    out = out or folder
    out.mkdir(parents=True, exist_ok=True)
    return Run(folder.resolve(), out, jobs, pattern, seconds).all()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
