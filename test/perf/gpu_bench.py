#!/usr/bin/env python3
"""Kernels and whole models on a GPU against their peers: the whole benchmark, in two steps.

usage: gpu_bench.py compile FOLDER [--target sm_90a] [--variants FILE] [--case NAME].. [NAME_REGEX]
       gpu_bench.py run FOLDER [--out FOLDER] [--compile] [--xla] [--tvm] [--explain] [--case NAME].. [NAME_REGEX]
  compile: an artefact for each case, and libtenon-runtime.so; needs libtenon.so and no GPU
  run: times them beside the peers, models as CUDA graphs; needs torch, transformers and the folder; writes results.json,
  results.md and results.html to --out (default: FOLDER); --compile adds torch.compile, --xla adds XLA, --tvm adds
  TVM in f16, --explain a waterfall of each model: the time of each kernel beside what it costs in the graph and its own
  floor
  --variants: more artefacts of some cases, which take turns with the others: python-frontend/tenon/bench/gpu_artefacts.py
  --case: only the cases of these names; NAME_REGEX: only those that it is found in

`tenon-bench kernels|models --device=cuda` does both steps on one machine.
"""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python-frontend"))

from tenon.bench.gpu_command import compile_step, files_in, run_step  # noqa: E402


MORE_PEERS = {"--compile": "inductor", "--xla": "xla", "--tvm": "tvm"}


def main(arguments):
    with_value = {"--target": "sm_90a", "--out": None, "--variants": None}
    flags, names, words = set(), [], []
    while arguments:
        word = arguments.pop(0)
        if word == "--case" and arguments:
            names.append(arguments.pop(0))
        elif word in with_value and arguments:
            with_value[word] = arguments.pop(0)
        elif word in (*MORE_PEERS, "--explain"):
            flags.add(word)
        else:
            words.append(word)
    if len(words) not in (2, 3) or words[0] not in ("compile", "run") or any(word.startswith("-") for word in words):
        print(__doc__, file=sys.stderr)
        return 2
    step, folder, pattern = words[0], words[1], "".join(words[2:])
    kinds = ("kernels", "models")
    if step == "compile":
        return compile_step(folder, with_value["--target"], kinds, names, pattern, with_value["--variants"])
    peers = ["torch"] + [peer for flag, peer in MORE_PEERS.items() if flag in flags]
    return run_step(folder, kinds, names, pattern, peers, files_in(with_value["--out"] or folder),
                    explains="--explain" in flags)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
