"""scripts/demo: how it is used and misused, and one run of its work on a file of sentences (without its set-up)."""
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("arguments, status, message", [
    (["--help"], 0, "usage: scripts/demo"),
    (["--device=tpu"], 2, "no device 'tpu'"),
    (["--fast"], 2, "no option '--fast'"),
    (["a.txt", "b.txt"], 2, "one file at most"),
    (["none.txt"], 1, "'none.txt' is no file that can be read"),
    (["--device=cuda"], 1, "no GPU path yet"),
])
def test_use(arguments, status, message):
    done = run("scripts/demo", *arguments)
    assert done.returncode == status and message in done.stdout + done.stderr


def test_searches_a_file(tmp_path):
    file = tmp_path / "sentences.txt"
    file.write_text("The train was late again.\n\nBread is baked at dawn.\nOur railway has delays.\n")
    for expected in ("compiled in", "compiled before"):
        done = run(sys.executable, "scripts/demo.py", str(file))
        assert done.returncode == 0, done.stderr
        if "compiled before" not in done.stdout:  # the first time, unless someone ran the demo with this build
            assert expected in done.stdout
    rows = done.stdout.splitlines()
    first = next(row for row in rows if row.startswith("The train was late again."))
    assert first.endswith("Our railway has delays.")
    assert "3 sentences" in done.stdout and "largest difference from PyTorch in float64" in done.stdout
    file.write_text("Only one.\n")
    done = run(sys.executable, "scripts/demo.py", str(file))
    assert done.returncode == 1 and "has 1 sentences" in done.stderr
