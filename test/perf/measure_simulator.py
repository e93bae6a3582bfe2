#!/usr/bin/env python3
"""Time and memory of the device simulator: a product of 256 x 256 x 256 in bf16 by TMA, wgmma and roles, on one core.

usage: measure_simulator.py [RUNS]
Prints the fastest of RUNS (default 5) with all checks and with deadlocks alone, of the clock and of the processor, and the
most memory that a run took. The kernel's compilation for this machine is part of each.
"""
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BIN = Path(__file__).resolve().parents[2] / "build/bin"
MODEL = """func.func @main(%x: tensor<256x256xbf16>, %w: tensor<256x256xbf16>) -> tensor<256x256xbf16> {
  %y = tenon.linear %x, %w : (tensor<256x256xbf16>, tensor<256x256xbf16>) -> tensor<256x256xbf16>
  return %y : tensor<256x256xbf16>
}
"""
GOALS = {"races,init,deadlock": 10, "deadlock": 2}  # seconds


def run(command):
    """(seconds, of the processor, MiB) of a process that must succeed."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(said.decode())
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main(arguments):
    if len(arguments) > 1 or not all(each.isdigit() for each in arguments):
        print(__doc__, file=sys.stderr)
        return 2
    runs = int(arguments[0]) if arguments else 5
    with tempfile.TemporaryDirectory() as folder:
        model, artefact = Path(folder) / "product.mlir", Path(folder) / "product.tnx"
        model.write_text(MODEL)
        run([BIN / "tenon-compile", model, "--target=sim:sm_90a", "-o", artefact])
        for checks, goal in GOALS.items():
            command = [BIN / "tenon-run", artefact, "--device=sim", "--sim-threads=1", f"--sim-check={checks}"]
            measured = [run(command) for _ in range(runs)]
            seconds, busy, memory = zip(*measured)
            print(f"{checks}: {min(seconds):.2f} s, {min(busy):.2f} s of the processor (at most {goal} s), "
                  f"{max(memory):.0f} MiB (at most 2048 MiB)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
