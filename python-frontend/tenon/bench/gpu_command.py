"""The two steps of a benchmark on a GPU, as commands: each tells its errors and gives an exit status."""
import json
import sys
from pathlib import Path

from tenon.bench import gpu_report
from tenon.bench.gpu_artefacts import Selection, compile_cases, read_variants
from tenon.bench.gpu_contest import run_cases
from tenon.errors import TenonError


def _print(text):
    print(text, flush=True)


def to_stderr(text):
    print(text, file=sys.stderr, flush=True)


def compile_step(folder, target, kinds, names=(), pattern="", variants=None, say=_print):
    try:
        selection = Selection(tuple(kinds), list(names), pattern)
        selection.check()
        refused = compile_cases(folder, target, selection, read_variants(variants) if variants else {}, say)
    except (TenonError, OSError) as error:
        print(f"tenon-bench: {error}", file=sys.stderr)
        return 1
    return 1 if refused else 0


FORMATS = {"json": lambda results: json.dumps(results, indent=1) + "\n", "md": gpu_report.markdown,
           "html": gpu_report.html, "svg": gpu_report.svg}


def files_in(folder):
    """{format: file} of all formats in a folder."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    return {kind: Path(folder) / f"results.{kind}" for kind in FORMATS}


def run_step(folder, kinds, names=(), pattern="", peers=("torch",), files=None, say=_print, explains=False):
    """`explains`: of models, each kernel's time beside its floor too. `files`: {format: file}, written after each case, so that a run that is cut short leaves what it had; `-` is
    standard output, at the end."""
    def told(name, results):
        if len(results["cases"]) == 1:
            say(gpu_report.describe_machine(results["machine"]))
        say(gpu_report.line(name, results))
        for kind, file in (files or {}).items():
            if str(file) != "-":
                Path(file).write_text(FORMATS[kind](results))
    try:
        selection = Selection(tuple(kinds), list(names), pattern)
        selection.check()
        results = run_cases(folder, selection, peers, told, explains)
    except (TenonError, OSError) as error:
        print(f"tenon-bench: {error}", file=sys.stderr)
        return 1
    for kind, file in (files or {}).items():
        if str(file) == "-":
            print(FORMATS[kind](results))
    behind = gpu_report.losses(results)
    say(f"{len(results['cases'])} cases; another contender is faster in {len({name for name, *_ in behind})} of them")
    return 1 if any("failed" in result for result in results["cases"].values()) else 0
