#!/usr/bin/env python3
"""Compiles the cases of run_gpu.py, and models, for a GPU; none is needed here.

usage: make_cases.py FOLDER [--target sm_90a] [--seed N] [--every N] [--jobs N] [--model NAME:DTYPE].. [--generator NAME]..
                     [FAMILY..]
  FOLDER gets an artefact a case, the models, index.json, and libtenon-runtime.so: all that has to be carried
  --every N: each Nth case of a family
  --model: minilm:f32, minilm:f16, minilm:bf16 and others (models.py), any number of times
  --generator: llama:f32, llama:bf16, llama-draws:f32 (generation.py), any number of times
What does not compile is a case that fails there, and is listed here.
"""

import ctypes
import json
import multiprocessing
import os
import shutil
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from families import FAMILIES, ROOT, cases_of  # noqa: E402

from exec_cpu.library import Library, TenonError  # noqa: E402
from exec_cpu.runner import module_text  # noqa: E402

TIMEOUT = 300  # seconds of a case


def compile_case(text, target, path, *options):
    """Writes the artefact; the text of what is wrong otherwise. In a process of its own, which may crash or hang."""
    child = multiprocessing.get_context("fork").Process(target=_compile, args=(text, target, path, *options))
    error = path.with_suffix(".error")
    child.start()
    ends = time.monotonic() + TIMEOUT
    while child.exitcode is None and time.monotonic() < ends:
        child.join(1)  # a start() in another thread may reap this child, and know of its end a moment before us
    if child.exitcode is None:
        child.kill()
        child.join()
        return f"no end after {TIMEOUT} s"
    if child.exitcode < 0:
        return f"the compiler was killed by signal {signal.Signals(-child.exitcode).name}"
    if not error.exists():
        return None if child.exitcode == 0 else f"the compiler ended with status {child.exitcode}"
    said = error.read_text()
    error.unlink()
    return said


def _compile(text, target, path, *options):
    library = Library()
    library.lib.tenon_artefact_save.restype = ctypes.c_void_p
    try:
        artefact = library.compile(text, target, *options)
        library._check(library.lib.tenon_artefact_save(artefact, str(path).encode()))
        library.free_artefact(artefact)
    except TenonError as error:
        path.with_suffix(".error").write_text(str(error))
    os._exit(0)  # Python's own end would join the pool's thread, which this process is a copy of


def parse(arguments):
    options = {"target": "sm_90a", "seed": 1, "every": 1, "jobs": 2}
    models, generators, words = [], [], []
    arguments = list(arguments)
    while arguments:
        word = arguments.pop(0)
        if word == "--model" and arguments:
            models.append(arguments.pop(0))
        elif word == "--generator" and arguments:
            generators.append(arguments.pop(0))
        elif word[2:] in options and word.startswith("--") and arguments:
            options[word[2:]] = type(options[word[2:]])(arguments.pop(0))
        elif word.startswith("-"):
            return None
        else:
            words.append(word)
    if not words or any(word not in FAMILIES for word in words[1:]):
        return None
    return Path(words[0]), options, words[1:] or ([] if models or generators else FAMILIES), models, generators


def main(arguments):
    parsed = parse(arguments)
    if not parsed:
        print(__doc__, file=sys.stderr)
        return 2
    folder, options, families, models, generators = parsed
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "build/lib/libtenon-runtime.so", folder)
    entries, jobs = [], []
    begin = time.monotonic()
    with ThreadPoolExecutor(options["jobs"]) as pool:
        for family in families:
            (folder / family).mkdir(exist_ok=True)
            for case in cases_of(family, options["seed"])[:: options["every"]]:
                file = f"{family}/{case.name}.tnx"
                has_attention = "tenon.attention" in case.body
                entries.append({"family": family, "name": case.name, "file": file, "attention": has_attention})
                text = module_text([case])
                path = folder / file
                jobs.append(pool.submit(compile_case, text, options["target"], path, case.tf32, case.schedule))
        for number, (entry, job) in enumerate(zip(entries, jobs), 1):
            if error := job.result():
                entry["error"] = error
                print(f"FAIL {entry['family']} {entry['name']}: {error.splitlines()[0]}", flush=True)
            if number % 100 == 0:
                print(f"{number} of {len(jobs)} cases, {time.monotonic() - begin:.0f} s", flush=True)
    made, generating = [], []
    for model in models:
        from models import make

        made.append(make(model, options["target"], folder))
        print(f"model {model}", flush=True)
    for name in generators:
        import generation

        generating.append(generation.make(name, options["target"], folder))
        print(f"generator {name}", flush=True)
    index = {"target": options["target"], "seed": options["seed"], "cases": entries, "models": made,
             "generators": generating}
    (folder / "index.json").write_text(json.dumps(index, indent=1))
    bad = sum("error" in entry for entry in entries)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(f"{sum(entry['attention'] for entry in entries)} cases have attention")
    print(f"{len(entries)} cases, {bad} do not compile, {len(made)} models, {len(generating)} generators, "
          f"{size / 2**20:.1f} MiB, {time.monotonic() - begin:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
