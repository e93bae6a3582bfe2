"""A loaded model among threads, in a forked child, and while the interpreter shuts down."""
import os
import subprocess
import sys
import threading
from pathlib import Path

import torch

import tenon

ROOT = Path(__file__).resolve().parents[2]
# Large enough that a launch is shared out over the threads of the pool.
WIDE_TEXT = """
func.func @main(%x: tensor<512x512xf32> {tenon.name = "x"}) -> tensor<512x512xf32> {
  %r = tenon.matmul %x, %x : (tensor<512x512xf32>, tensor<512x512xf32>) -> tensor<512x512xf32>
  return %r : tensor<512x512xf32>
}
"""


def run_python(code, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python-frontend"), "TENON_THREADS": "3"}
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], env=environment, capture_output=True, text=True,
                          timeout=120)


def test_two_threads_share_one_executable_and_its_pool():
    model, failures = tenon.compile(WIDE_TEXT), []
    x = torch.randn(512, 512)
    right = model(x)

    def work():
        failures.extend(not torch.equal(model(x), right) for _ in range(20))
    threads = [threading.Thread(target=work) for _ in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(failures) == 40 and not any(failures)


def test_fork_after_load(tmp_path):
    """The child has the model, but none of the pool's threads: it computes alone, also what it loads anew."""
    tenon.compile(WIDE_TEXT).save(tmp_path / "m.tnx")
    code = """
import os, sys, numpy, tenon
model, x = tenon.load(sys.argv[1]), numpy.random.default_rng(0).standard_normal((512, 512), numpy.float32)
right = model(x)
for turn in range(3):
    child = os.fork()
    if child == 0:
        again = tenon.load(sys.argv[1])
        os._exit(0 if all((each(x) == right).all() for each in (model, again, model)) else 1)
    assert os.waitpid(child, 0)[1] == 0 and (model(x) == right).all()
print("ok")
"""
    done = run_python(code, tmp_path / "m.tnx")
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")


def test_calls_while_the_interpreter_shuts_down(tmp_path):
    """From a function that runs at exit, from a thread that nobody ends, and from a finaliser after the modules are gone."""
    tenon.compile(WIDE_TEXT).save(tmp_path / "m.tnx")
    code = """
import atexit, sys, threading, time, numpy, tenon
model, x = tenon.load(sys.argv[1]), numpy.ones((512, 512), numpy.float32)

class Last:
    def __init__(self):
        self.model, self.x = model, x
    def __del__(self):
        assert self.model(self.x)[0, 0] == 512

last = Last()
last.itself = last  # freed by the collector's last turn
atexit.register(lambda: print("at exit", model(x)[0, 0]))

def work():
    while True:
        model(x)
threading.Thread(target=work, daemon=True).start()
time.sleep(0.1)
"""
    for _ in range(3):
        done = run_python(code, tmp_path / "m.tnx")
        assert (done.returncode, done.stdout, done.stderr) == (0, "at exit 512.0\n", "")
