"""A contestant's process: it answers JSON commands, a line each (worker.py, gpu_worker.py)."""
import json
import os
import select
import signal
import subprocess
from pathlib import Path


class WorkerProcess:
    """`command`: what runs it, on `cores` alone where they are given. `stops`: between commands it is stopped, so that what
    its threads do takes no processor."""

    def __init__(self, name, command, environment, folder, stops=False, cores=None):
        self.name, self._stops = name, stops
        self._log = open(Path(folder) / f"{name}.log", "a")
        narrow = (lambda: os.sched_setaffinity(0, cores)) if cores else None
        self._process = subprocess.Popen(command, env=environment, text=True, stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=self._log, preexec_fn=narrow)

    def send(self, **command):
        """Begins a command; `receive` waits for its answer."""
        if self._stops:
            self._process.send_signal(signal.SIGCONT)
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the answer says so

    def receive(self, limit=None):
        """The answer; {"missing": why} where there is none, after `limit` seconds at the latest."""
        if limit is not None and not select.select([self._process.stdout], [], [], limit)[0]:
            self.end()
            return {"missing": f"not ready after {limit} s"}
        line = self._process.stdout.readline()
        if not line:
            return {"missing": f"its process ended with status {self._process.wait()}; see {self._log.name}"}
        if self._stops:
            self._process.send_signal(signal.SIGSTOP)
        return json.loads(line)

    def ask(self, limit=None, **command):
        self.send(**command)
        return self.receive(limit)

    @property
    def has_ended(self):
        return self._process.poll() is not None

    def end(self):
        self._process.kill()
        self._process.wait()
        self._log.close()


def serve(lines, replies, answer):
    """The process's side: `answer` of each command, a dictionary; what it raises is {"missing": why}."""
    for line in lines:
        try:
            reply = answer(json.loads(line))
        except Exception as error:  # a peer's failure is a line of the table
            text = str(error).strip()
            reply = {"missing": f"{type(error).__name__}: {text.splitlines()[0][:200] if text else ''}"}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()
