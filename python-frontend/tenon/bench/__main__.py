"""Command line of tenon-bench."""
import argparse
import json
import os
import shlex
import sys
import tempfile
import time
from pathlib import Path

from tenon.bench import reporting
from tenon.bench.cases import MINILM, Case, parse_case
from tenon.bench.contest import run_case
from tenon.bench.contestants import CONTESTANTS
from tenon.bench.gpu_command import compile_step, run_step, to_stderr
from tenon.bench.gpu_peers import LIBRARIES, OTHERS, names_of
from tenon.bench.ops import ops
from tenon.bench.subjects import models
from tenon.errors import TenonError

EXAMPLES = """examples:
  tenon-bench models
      Tenon alone on MiniLM at three sizes, BERT-base, GPT-2, ViT-B/16 and two layers of Llama-3-8B's width, f32
  tenon-bench models --vs=torch,inductor,xla,ort,tvm --markdown=cpu.md --html=cpu.html
      beside its peers (pip install -r python-frontend/requirements-peers.txt)
  tenon-bench models --case=B8S128 --case="GPT-2 B1S64" --dtype=bf16 --vs=torch --json=result.json
      MiniLM of 8 sentences and GPT-2 of 64 tokens
  tenon-bench ops --vs=torch,xla
      single ops and groups that fuse, the same way
  tenon-bench kernels --html=kernels.html
      products, attention and rows on this machine's GPU beside PyTorch's kernels
  tenon-bench kernels --vs=cublas,inductor,xla --case="gemm 4096x4096x4096"
      a product beside cuBLAS, torch.compile and XLA alone
  tenon-bench kernels --compile-only=perf && tenon-bench kernels --run-only=perf
      the same in two steps, of which the first needs no GPU

exit status: 0 done, 1 the work failed, 2 wrong use
"""


def peers_on_gpu(kind):
    """What --vs means there, for its help."""
    return (f"all that PyTorch brings (torch) is there, unless some of it is named ({', '.join(LIBRARIES[kind])}), which then "
            f"is there alone; {', '.join(OTHERS[kind])} can be there too")


def add_gpu_options(parser):
    """Those of kernels, and of models with --device=cuda."""
    parser.add_argument("--target", default="sm_90a", help="GPU architecture to compile for (default: sm_90a)")
    parser.add_argument("--compile-only", type=Path, metavar="FOLDER", help="make the artefacts there; needs no GPU")
    parser.add_argument("--run-only", type=Path, metavar="FOLDER", help="time those that --compile-only made")
    parser.add_argument("--variants", type=Path, metavar="FILE",
                        help="more artefacts of some cases, each with schedules by hand or other options:\n"
                             "{case: {variant: {\"schedule\": [lines], \"tf32\": bool}}}")


def add_files(parser):
    parser.add_argument("--html", type=Path, metavar="FILE", help="one page with tables, bars and losses")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all that was measured (-: standard output)")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="the tables, for a page (-: standard output)")


def add_cpu_options(parser):
    parser.add_argument("--dtype", default="f32", metavar="TYPES", help="f32 (default), bf16, or f32,bf16")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="(default: all cores)")
    parser.add_argument("--rounds", type=int, default=5, help="bursts of each contestant (default: 5)")
    parser.add_argument("--burst", type=float, default=0.5, metavar="SECONDS", help="its length (default: 0.5)")
    parser.add_argument("--limit", type=int, default=300, metavar="SECONDS",
                        help="a contestant that needs longer to be ready, or for a burst, is left out (default: 300)")


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="tenon-bench", formatter_class=argparse.RawDescriptionHelpFormatter, epilog=EXAMPLES,
        description="Times models compiled by Tenon, and peers on the same weights and inputs. Each contestant has a\n"
                    "process of its own; they take turns, and while one runs the others are stopped.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    whole = commands.add_parser("models", help="whole models with real weights", epilog=EXAMPLES,
                                 formatter_class=argparse.RawDescriptionHelpFormatter,
                                 description="Whole models: all-MiniLM-L6-v2, from token ids to sentence embeddings, and others\n"
                                             "of transformers with random weights, to hidden states.")
    whole.add_argument("--device", default="cpu", choices=["cpu", "cuda"],
                        help="where it runs (default: cpu); on a GPU models of several kinds, bf16, as CUDA graphs")
    whole.add_argument("--vs", default="", metavar="PEERS",
                        help=f"peers, of {', '.join(name for name in CONTESTANTS if name != 'tenon')}; on a GPU "
                             f"{peers_on_gpu('models')}")
    whole.add_argument("--case", action="append", metavar="[MODEL ]BxSy",
                       help="a model and a shape, as \"GPT-2 B1S64\" or, of MiniLM, B8S128; on a GPU a case's name; may be\n"
                            f"given many times. Models: {', '.join(models())}")
    whole.add_argument("--explain", action="store_true",
                       help="on a GPU: a waterfall of each model, the time of each kernel beside what it costs in the "
                            "graph and its own floor")
    add_cpu_options(whole)
    add_gpu_options(whole)
    add_files(whole)
    parts = commands.add_parser("ops", help="single ops and groups that fuse, on the CPU", epilog=EXAMPLES,
                                formatter_class=argparse.RawDescriptionHelpFormatter,
                                description="Ops as they stand in the models.")
    parts.add_argument("--device", default="cpu", choices=["cpu"], help="where it runs (default: cpu; for a GPU see kernels)")
    parts.add_argument("--vs", default="", metavar="PEERS", help="as of models")
    parts.add_argument("--case", action="append", metavar="TEXT", help="those whose names hold the text; may be given many times")
    add_cpu_options(parts)
    add_files(parts)
    single = commands.add_parser("kernels", help="single kernels on a GPU", epilog=EXAMPLES,
                                 formatter_class=argparse.RawDescriptionHelpFormatter,
                                 description="Products (bf16, tf32), attention, decoding and rows, beside cuBLAS, cuDNN, Flash.")
    single.add_argument("--device", default="cuda", choices=["cuda"], help="where it runs (default: cuda)")
    single.add_argument("--vs", default="", metavar="PEERS", help=f"peers: {peers_on_gpu('kernels')}")
    single.add_argument("--case", action="append", metavar="NAME", help="a case by name; may be given many times")
    add_gpu_options(single)
    add_files(single)
    options = parser.parse_args(arguments)
    if options.device == "cuda":
        return check_for_gpu(parser, options)
    wrong = [name for name in ("compile_only", "run_only", "variants", "explain") if getattr(options, name, None)]
    if wrong:
        parser.error(f"--{wrong[0].replace('_', '-')} goes with --device=cuda")
    peers = [name for name in options.vs.split(",") if name]
    unknown = [name for name in peers if name not in CONTESTANTS or name == "tenon"]
    if unknown:
        parser.error(f"no peer '{unknown[0]}'")
    chosen = chosen_ops(parser, options) if options.command == "ops" else chosen_models(parser, options)
    types = options.dtype.split(",")
    if any(name not in ("f32", "bf16") for name in types):
        parser.error(f"no type '{options.dtype}'; types are f32 and bf16")
    if options.rounds < 1 or options.burst <= 0 or options.threads < 1 or options.limit < 1:
        parser.error("rounds, burst, threads and limit are at least 1, above 0, at least 1 and at least 1")
    if options.json and options.json == options.markdown:
        parser.error("--json and --markdown go to different places")
    options.names = ["tenon"] + peers
    options.cases = [Case(batch, sequence, dtype, subject) for dtype in types for subject, batch, sequence in chosen]
    return options


def chosen_models(parser, options):
    """[(subject, batch, sequence)]"""
    if not options.case:
        return [*MINILM, *((name, *size) for name, subject in models().items() if name != "MiniLM" for size in subject.sizes)]
    try:
        return [parse_case(text, models()) for text in options.case]
    except ValueError as error:
        parser.error(f"no case '{error}'; a case is a model and a shape, as \"GPT-2 B1S64\" or B8S128 alone, with 2 to 512 tokens; "
                     f"models are {', '.join(models())}")


def chosen_ops(parser, options):
    found = [name for name in ops() if not options.case or any(text in name for text in options.case)]
    if not found:
        parser.error(f"no op's name holds '{options.case[0]}'; ops are {'; '.join(ops())}")
    return [(name, 1, 0) for name in found]


def check_for_gpu(parser, options):
    options.peers = [name for name in options.vs.split(",") if name]
    unknown = [name for name in options.peers if name not in names_of(options.command)]
    if unknown:
        parser.error(f"no peer '{unknown[0]}' of {options.command} on a GPU; there are {', '.join(names_of(options.command))}")
    if options.compile_only and options.run_only:
        parser.error("--compile-only and --run-only are one step each")
    return options


def on_gpu(options):
    kinds, names = (options.command,), options.case or []
    files = {kind: path for kind, path in (("json", options.json), ("md", options.markdown), ("html", options.html)) if path}
    with tempfile.TemporaryDirectory(prefix="tenon-bench-") as temporary:
        folder = options.compile_only or options.run_only or temporary
        if not options.run_only:
            status = compile_step(folder, options.target, kinds, names, "", options.variants)
            if status or options.compile_only:
                return status
        say = {"say": to_stderr} if "-" in map(str, files.values()) else {}
        return run_step(folder, kinds, names, "", options.peers, files,
                        explains=getattr(options, "explain", False), **say)


def write(path, content):
    if str(path) == "-":
        print(content)
    else:
        path.write_text(content + "\n")


def main(arguments=None):
    options = parse(sys.argv[1:] if arguments is None else arguments)
    if options.device == "cuda":
        return on_gpu(options)
    started = time.monotonic()

    def say(message):
        print(f"== {message} ({time.monotonic() - started:.0f} s)", file=sys.stderr, flush=True)
    processor, cores = reporting.machine()
    machine = f"{processor}, {options.threads} of {cores} cores, {options.rounds} bursts of {options.burst:g} s"
    command = shlex.join(["tenon-bench", *(sys.argv[1:] if arguments is None else arguments)])
    title = f"{time.strftime('%Y-%m-%d')}, {machine}: {command}"
    quiet = "-" in (str(options.json), str(options.markdown), str(options.html))
    tables, measured, by_name = [f"{title}\n"], [], []
    try:
        with tempfile.TemporaryDirectory(prefix="tenon-bench-") as folder:
            for case in options.cases:
                results = run_case(case, options.names, options.threads, options.rounds, options.burst, folder, say,
                                   options.limit)
                measured.append({"case": case.to_json(), "results": results})
                by_name.append((case.name, results))
                rows = reporting.rows_of(results)
                tables.append(f"### {case.name}\n\n{reporting.markdown(rows)}\n")
                if not quiet:
                    print(f"\n{case.name} ({machine})\n{reporting.text(rows)}\n", flush=True)
                if options.html and str(options.html) != "-":  # after each case: a run that is cut short leaves what it had
                    write(options.html, reporting.html(title, by_name))
        for heading, rows in (("Against the best peer", reporting.overview(by_name)), ("Losses", reporting.losses(by_name))):
            if len(rows) > 1:
                tables.append(f"### {heading}\n\n{reporting.markdown(rows)}\n")
                if not quiet:
                    print(f"\n{heading}\n{reporting.text(rows)}\n", flush=True)
        if str(options.html) == "-":
            print(reporting.html(title, by_name))
        if options.json:
            write(options.json, json.dumps({"run": title, "processor": processor, "threads": options.threads,
                                            "cases": measured}, indent=1))
        if options.markdown:
            write(options.markdown, "\n".join(tables))
    except (TenonError, OSError) as error:
        print(f"tenon-bench: {error}", file=sys.stderr)
        return 1
    tenon = [result for entry in measured for result in entry["results"] if result["name"] == "tenon"]
    failed = [result["missing"] for result in tenon if "missing" in result]
    if failed:
        print(f"tenon-bench: Tenon itself failed: {failed[0]}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
