"""Command line of tenon-tune."""
import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from tenon.errors import DeviceError, TenonError
from tenon.tune import database, report
from tenon.tune.measuring import DEVICES, RESULTS, Results, measure, read_results

EXAMPLES = """examples:
  tenon-tune bert.mlir --database=bert.jsonl && tenon-compile bert.mlir --target=sm_90a --tuning=bert.jsonl
      where there is a GPU: the kernels of a model are timed, and later compilations need no GPU
  tenon-tune bert.pt2 --op="linear 4096x14336x4096 bias gelu" --compile-only=tuning
  PYTHONPATH=python-frontend python3 -m tenon.tune --run-only=tuning --out=out --budget=300
  tenon-tune --merge out/results.jsonl --database=bert.jsonl
      in two steps: the first needs no GPU, the second torch, python-frontend and the folder; --resume goes on where a run
      was cut
  tenon-tune --merge a.jsonl b.jsonl --database=c.jsonl --report=tuned.md
      of records with one key the newest stays

exit status: 0 done, 1 some of the work failed, 2 wrong use
"""
MOST_CANDIDATES = 40  # of a kernel


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="tenon-tune", formatter_class=argparse.RawDescriptionHelpFormatter, epilog=EXAMPLES,
        description="Times the schedules that kernels may have on a GPU, checks their results, and keeps the fastest in a\n"
                    "database that compilations choose from.")
    parser.add_argument("sources", nargs="*", metavar="SOURCE",
                        help="a model (.mlir, .pt2, .tnx), or a file of ops, a line each (.ops)")
    parser.add_argument("--op", action="append", default=[], metavar="LINE",
                        help="an op, as \"linear 4096x14336x4096 bias gelu\"; may be given many times")
    parser.add_argument("--target", default="sm_90a", help="GPU architecture (default: sm_90a)")
    parser.add_argument("--candidates", type=int, default=20, metavar="N",
                        help=f"schedules a kernel, 1 to {MOST_CANDIDATES} (default: 20)")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)),
                        help="compilations at once (default: all cores)")
    parser.add_argument("--database", type=Path, metavar="FILE", help="where records go; those that are there stay")
    parser.add_argument("--budget", type=float, metavar="SECONDS", help="begin no kernel after that")
    parser.add_argument("--resume", action="store_true", help="leave out what was measured before")
    parser.add_argument("--list", action="store_true", help="print the kernels and their candidates with the model's times")
    parser.add_argument("--compile-only", type=Path, metavar="FOLDER", help="make the artefacts there; needs no GPU")
    parser.add_argument("--run-only", type=Path, metavar="FOLDER", help="time those that --compile-only made")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help=f"gets {RESULTS} (default: the folder of the artefacts)")
    parser.add_argument("--device", default="cuda", choices=list(DEVICES),
                        help="cuda (default), or sim: the device simulator, whose times say nothing")
    parser.add_argument("--merge", nargs="+", type=Path, metavar="FILE", help="databases and results that --database gets")
    parser.add_argument("--report", type=Path, metavar="FILE", help="a table, how far the model's choices are from the fastest")
    options = parser.parse_args(arguments)
    has_sources = bool(options.sources or options.op)
    steps = [name for name in ("list", "compile_only", "run_only", "merge") if getattr(options, name)]
    if len(steps) > 1:
        parser.error(f"--{steps[0].replace('_', '-')} and --{steps[1].replace('_', '-')} are one step each")
    if steps in (["run_only"], ["merge"]) and has_sources:
        parser.error(f"--{steps[0].replace('_', '-')} takes no sources: they were compiled before")
    if steps not in (["run_only"], ["merge"]) and not has_sources:
        parser.error("nothing to tune: name a model, a file of ops, or --op=\"linear 4096x14336x4096\"")
    if (steps == ["merge"] or not steps) and not options.database:
        parser.error("--database=FILE says where records go")
    if not 1 <= options.candidates <= MOST_CANDIDATES or options.jobs < 1 or (options.budget is not None and options.budget <= 0):
        parser.error(f"--candidates is 1 to {MOST_CANDIDATES}, --jobs at least 1, --budget above 0")
    return options


def say(text):
    print(text, flush=True)


class Tuner:
    """One run: counts, tells and keeps."""

    def __init__(self, options):
        self.options, self.begun, self.failed = options, time.monotonic(), 0

    def is_over(self):
        return self.options.budget is not None and time.monotonic() - self.begun >= self.options.budget

    def progress(self, number, count):
        of = f" of {self.options.budget:.0f}" if self.options.budget else ""
        return f"[{number}/{count}, {time.monotonic() - self.begun:.0f}{of} s]"

    def tasks(self):
        from tenon.tune.sources import text_of_op, texts_of
        from tenon.tune.tasks import find_tasks
        texts = [item for source in self.options.sources for item in texts_of(source)]
        texts += [(line, text_of_op(line)) for line in self.options.op]
        target = f"sim:{self.options.target}" if self.options.device == "sim" else self.options.target
        tasks, left_out = find_tasks(texts, target)
        for name, kernel, why in left_out:
            say(f"{name}, {kernel}: not tuned: {why}")
        return tasks, target

    def list(self):
        from tenon.tune.tasks import choose
        for task in self.tasks()[0]:
            say(f"{task['name']}, {task['uses']} times ({report.title(task)}): {len(task['candidates'])} candidates")
            for candidate in choose(task["candidates"], self.options.candidates):
                say(f"  {candidate['seconds'] * 1e6:8.1f} us  {candidate['schedule']}: {candidate['reason']}")

    def compile(self, folder, measured=None):
        """All tasks, into a folder; `measured` gets each entry at once."""
        from tenon.tune.tasks import Folder
        tasks, target = self.tasks()
        made = Folder(folder, target)
        for number, task in enumerate(tasks, 1):
            if self.is_over():
                return say(f"the budget is spent: {len(tasks) - number + 1} kernels are left; --resume goes on")
            place = self.progress(number, len(tasks))
            if measured is None and self.options.resume and made.has(task):
                continue
            if measured is not None and measured.has(task):
                continue
            try:
                entry = made.add(task, self.options.candidates, self.options.jobs)
            except TenonError as error:
                self.failed += 1
                say(f"{place} {task['name']}: does not compile: {error}")
                continue
            refused = sum("refused" in candidate for candidate in entry["candidates"])
            say(f"{place} {task['name']} ({report.title(task)}): {len(entry['candidates']) - refused + 1} schedules"
                + (f", {refused} refused" if refused else ""))
            if measured is not None:
                measured.add(place, entry, folder)

    def run(self, folder):
        from tenon.tune.tasks import read_index
        entries = list(read_index(folder)["tasks"].values())
        measured = Measured(self, Results((self.options.out or folder) / RESULTS, self.options.resume),
                            DEVICES[self.options.device]())
        for number, entry in enumerate(entries, 1):
            if measured.has(entry):
                continue
            if self.is_over():
                say(f"the budget is spent: {len(entries) - number + 1} kernels are left; --resume goes on")
                break
            measured.add(self.progress(number, len(entries)), entry, folder)
        return measured.results.lines


class Measured:
    """What is measured, into results."""

    def __init__(self, tuner, results, device):
        self.tuner, self.results, self.device = tuner, results, device

    def has(self, task):
        return self.results.has(task)

    def add(self, place, entry, folder):
        self.results.begin(entry)
        try:
            line = measure(entry, folder, self.device)
        except (TenonError, RuntimeError) as error:
            if isinstance(error, DeviceError) or "CUDA error" in str(error):  # Tenon's, or PyTorch's: all that follow would fail
                raise DeviceError(f"{entry['name']}: {error}; --resume goes on, in another process") from None
            self.tuner.failed += 1
            return say(f"{place} {entry['name']}: not measured: {str(error).splitlines()[0]}")
        self.results.add(line)
        wrong = [told for told in line["all"] if "wrong" in told]
        say(f"{place} {entry['name']}: {line['us']:.1f} us by {line['schedule']}"
            + (", as the model chose" if line["schedule"] == line["model_schedule"] else
               f", {line['model_us']:.1f} as the model chose, {line['model_schedule']}")
            + (f"; {len(wrong)} WRONG: {wrong[0]['schedule']}: {wrong[0]['wrong']}" if wrong else ""))
        self.tuner.failed += len(wrong)


def records_of(path):
    """Of a database, or of results."""
    with open(path) as file:
        first = file.readline()
    if "tenon-tuning" in first:
        return database.read(path)
    return [{name: line[name] for name in database.FIELDS} for line in read_results(path)]


def keep(options, groups):
    """Into the database and the report."""
    groups = list(groups)
    if options.database and options.database.exists():
        groups.append(database.read(options.database))
    records = database.merge(*groups)
    if options.database:
        database.write(options.database, records)
        say(f"{options.database}: {len(records)} records")
    if options.report:
        options.report.write_text(report.markdown(records))
    say(report.summary(records))


def work(options):
    tuner = Tuner(options)
    if options.merge:
        keep(options, [records_of(path) for path in options.merge])
    elif options.list:
        tuner.list()
    elif options.compile_only:
        tuner.compile(options.compile_only)
    elif options.run_only:
        runtime = options.run_only.resolve() / "libtenon-runtime.so"
        if runtime.exists() and options.device == "cuda":  # the simulator is in the library that compiles
            os.environ.setdefault("TENON_LIBRARY", str(runtime))
        lines = tuner.run(options.run_only)
        keep(options, [[{name: line[name] for name in database.FIELDS} for line in lines]])
    else:
        with tempfile.TemporaryDirectory(prefix="tenon-tune-") as temporary:
            results = Results((options.out or Path(temporary)) / RESULTS, options.resume)
            if options.resume and options.database.exists():
                results.lines += database.read(options.database)
            measured = Measured(tuner, results, DEVICES[options.device]())
            tuner.compile(Path(temporary), measured)
            keep(options, [[{name: line[name] for name in database.FIELDS} for line in results.lines]])
    return 1 if tuner.failed else 0


def main(arguments=None):
    options = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        return work(options)
    except (TenonError, OSError) as error:
        print(f"tenon-tune: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
