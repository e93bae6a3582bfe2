"""One contestant in its process: reads a JSON command a line, answers with a JSON line. Between commands it sleeps.

usage: python -m tenon.bench.worker NAME
"""
import os
import sys
import time

from tenon.bench.cases import Case
from tenon.bench.contestants import CONTESTANTS, Refused
from tenon.bench.process import serve

WARM_UP_CALLS = 2  # of each burst, not counted: threads wake and caches fill


def memory_bytes():
    """(now, most so far) of resident memory."""
    fields = dict(line.split(":", 1) for line in open("/proc/self/status") if line.startswith(("VmRSS", "VmHWM")))
    return tuple(int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))


def burst(contestant, seconds):
    """Times of calls in milliseconds: for so many seconds, and three at least. A call that takes ten times as long, and
    more than a second, is the only one: waking up is nothing in it."""
    begin = time.perf_counter()
    contestant.call()
    first = time.perf_counter() - begin
    if first > max(10 * seconds, 1):
        return [first * 1e3]
    for _ in range(WARM_UP_CALLS - 1):
        contestant.call()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        begin = time.perf_counter()
        contestant.call()
        times.append((time.perf_counter() - begin) * 1e3)
    return times


def answer(contestant, command):
    if command["do"] == "prepare":
        seconds = contestant.prepare(Case(**command["case"]), command["folder"])
        return {"compile_seconds": seconds, "version": contestant.version}
    if command["do"] == "output":
        import numpy
        numpy.save(command["path"], contestant.to_numpy(contestant.call()))
        return {}
    if command["do"] == "burst":
        return {"milliseconds": burst(contestant, command["seconds"])}
    now, most = memory_bytes()
    return {"memory_bytes": now, "peak_bytes": most}


def main(name):
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no reply
    contestant = CONTESTANTS[name]()

    def told(command):
        try:
            return answer(contestant, command)
        except ImportError as error:
            return {"missing": f"not installed ({error})"}
        except Refused as error:
            return {"missing": str(error)}
    serve(sys.stdin, replies, told)


if __name__ == "__main__":
    main(sys.argv[1])
