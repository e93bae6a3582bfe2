"""Whole models on a GPU: Tenon's graph beside the model as transformers writes it, and beside plain blocks at their best, as
CUDA graphs with cuDNN or Flash attention, by torch.compile with graphs, by XLA and by TVM. Each has a process of its own
(gpu_worker.py), which lives from case to case and is started anew where it failed; they take turns in bursts, in a new
random order each round. One that is not ready in time, that fails, or whose result is wrong is told and left out. Errors
are against float64 with the same weights."""
import os
import random
import sys
import tempfile
from pathlib import Path

from tenon.bench.gpu_clock import SLEEP, summed_up
from tenon.bench.gpu_peers import OTHERS, takes
from tenon.bench.gpu_worker import BACKENDS, REFERENCE
from tenon.bench.process import WorkerProcess
from tenon.errors import InternalError

TURNS, BURST = 6, 5  # bursts of each contestant, and how often one times each of its contenders
LIMIT = 150          # seconds to get ready


def start(peer, device, folder):
    environment = dict(os.environ, HF_HUB_OFFLINE="1", XLA_PYTHON_CLIENT_PREALLOCATE="false")
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).resolve().parents[2]),
                                                 environment.get("PYTHONPATH", "")])
    return WorkerProcess(peer, [sys.executable, "-m", "tenon.bench.gpu_worker", peer, device], environment, folder)


class ModelContest:
    """`peers`: as --vs names them (gpu_peers.py). `begin`: starts a contestant's process. `explains`: Tenon's
    launches are timed one by one too. `limit`: seconds that each has to get ready, beside all others."""

    def __init__(self, peers, device="cuda", begin=start, turns=TURNS, explains=False, limit=LIMIT):
        self.device, self.begin, self.turns, self.explains, self.limit = device, begin, turns, explains, limit
        of_torch = [name for name in ("torch as written", *BACKENDS) if takes("models", peers, name)]
        others = [name for peer, name in OTHERS["models"].items() if peer in peers]
        self.peers = ["Tenon", *of_torch, *others]
        self._folder = tempfile.TemporaryDirectory(prefix="tenon-bench-")
        self._processes = {}

    def end(self):
        for process in self._processes.values():
            process.end()
        self._processes = {}
        self._folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.end()

    def _all(self, peers, **command):
        """{peer: its answer} of a command that all do at once. A process that has none is begun anew the next time."""
        for peer in peers:
            if peer not in self._processes or self._processes[peer].has_ended:
                self._processes[peer] = self.begin(peer, self.device, self._folder.name)
        for peer in peers:
            self._processes[peer].send(**command)
        answers = {peer: self._processes[peer].receive(self.limit) for peer in peers}
        for peer, answer in answers.items():
            if "missing" in answer:
                self._processes.pop(peer).end()
        return answers

    def run(self, name, artefacts):
        """`artefacts`: {contender: path}."""
        exact = str(Path(self._folder.name) / "exact.pt")
        paths = {contender: str(path) for contender, path in artefacts.items()}
        ready = self._all([REFERENCE, *self.peers], do="prepare", case=name, artefacts=paths, exact=exact)
        reference = ready.pop(REFERENCE)
        for peer, answer in (("the float64 reference", reference), ("Tenon", ready["Tenon"])):
            if "missing" in answer:
                raise InternalError(f"{peer}: {answer['missing']}")
        self._processes.pop(REFERENCE).end()  # its memory
        missing = {peer: answer["missing"] for peer, answer in ready.items() if "missing" in answer}
        there = {peer: answer["contenders"] for peer, answer in ready.items() if answer.get("contenders")}
        result = {"errors": {}, "torch's error": reference["torch's error"]}
        for peer, answer in self._all(list(there), do="compare", exact=exact).items():
            if "missing" in answer:
                missing[peer] = answer["missing"]
                del there[peer]
            elif peer == "Tenon":
                result["errors"] = answer["errors"]
            else:  # it must have computed the same to count
                for contender, error in answer["errors"].items():
                    if not error <= 4 * result["torch's error"]:
                        missing[contender] = f"a wrong result, error {error:.2g}"
                        there[peer].remove(contender)
        times = self._take_turns({peer: names for peer, names in there.items() if names}, missing)
        if "Tenon" not in times:
            raise InternalError(f"Tenon: {missing['Tenon']}")
        result["error"] = result["errors"]["Tenon"]
        result |= summed_up(times)
        if self.explains:
            answer = self._all(["Tenon"], do="explain")["Tenon"]
            if "missing" in answer:
                raise InternalError(f"Tenon: {answer['missing']}")
            result |= answer
        if "bytes" in reference:
            result |= {"bytes": reference["bytes"], "tbps": reference["bytes"] / result["ms"]["Tenon"] / 1e9,
                       "tokens": reference["tokens"]}
        return result | ({"missing": missing} if missing else {})

    def _take_turns(self, there, missing):
        """{contender: [ms]}; Tenon's first. A turn that does not count finds out the sleep that all have ahead of their calls."""
        times = {contender: [] for names in there.values() for contender in names}
        sleep = SLEEP
        for turn in range(self.turns + 1):
            for peer in random.sample(list(there), len(there)):
                answer = self._all([peer], do="time", rounds=BURST if turn else 1, names=there[peer], sleep=sleep)[peer]
                if "missing" in answer:
                    missing[peer] = answer["missing"]
                    for contender in there.pop(peer):
                        del times[contender]
                    continue
                sleep = max(sleep, answer["sleep"])
                for contender, values in answer["ms"].items():
                    times[contender] += values if turn else []
        return times
