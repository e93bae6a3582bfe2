"""Times calls on a GPU: behind a sleep on the device that hides the host's work, in a new random order each round."""
import random
import statistics
import time

from tenon.bench.explain import kernels_to_leave_out, median_launches

ROUNDS, HOST_CALLS = 30, 20


def summed_up(times):
    """What results keep of {name: [ms]}: {"ms": {name: median}, "quartiles": {name: [ms, ms]}}, between which the middle half of
    the rounds lies."""
    found = {"ms": {}, "quartiles": {}}
    for name, values in times.items():
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
        found["ms"][name], found["quartiles"][name] = middle, [low, high]
    return found


class Clock:
    """Times calls on the current GPU."""

    def __init__(self, torch, rounds=ROUNDS):
        self.torch, self.rounds = torch, rounds

    def one(self, call, flush=None):
        cuda = self.torch.cuda
        if flush is not None:
            flush.sum()
        cuda._sleep(1000000)  # longer than it takes the host to queue a call
        begin, end = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
        begin.record()
        call()
        end.record()
        cuda.synchronize()
        return begin.elapsed_time(end)

    def by_host(self, call):
        """`call` begins a call and returns what waits for it; the mean of many that follow each other."""
        self.torch.cuda.synchronize()
        begin = time.perf_counter()
        for _ in range(HOST_CALLS):
            waits = call()
        waits()
        return (time.perf_counter() - begin) * 1e3 / HOST_CALLS

    def rounds_of(self, contenders, rounds, flush=None, hosted=(), warm_up=3):
        """{name: [ms]} of {name: call}; those named by `hosted` are timed by the host."""
        times = {name: [] for name in contenders}
        for call in contenders.values():
            for _ in range(warm_up):
                call()
        self.torch.cuda.synchronize()
        for _ in range(rounds):
            order = list(contenders)
            random.shuffle(order)
            for name in order:
                call = contenders[name]
                times[name].append(self.by_host(call) if name in hosted else self.one(call, flush))
        return times

    def measured(self, contenders, flush=None, hosted=()):
        """`rounds_of` all rounds, summed up."""
        return summed_up(self.rounds_of(contenders, self.rounds, flush, hosted))

    def launches(self, executable, inputs, rounds=5):
        """[{"kernel", "ms", "flops", "bytes"}] of an executable's launches: medians, less what two events in a row take."""
        torch, found, empty = self.torch, [], []
        for _ in range(rounds):
            torch.cuda._sleep(20_000_000)  # longer than it takes the host to queue all launches of a call
            found.append(executable.time_launches(*inputs))
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            torch.cuda._sleep(1000000)
            begin.record()
            end.record()
            torch.cuda.synchronize()
            empty.append(begin.elapsed_time(end))
        nothing = statistics.median(empty)
        return [{**launch, "ms": max(launch["ms"] - nothing, 0.0)} for launch in median_launches(found)]

    def costs_in_graph(self, executable, inputs):
        """{kernel: ms}: what the graph of a call takes longer than one without that kernel's launches: medians of what two that
        follow each other differ by. The next kernel's comes after, so that no more than two are in memory."""
        whole, costs = executable.graph(*inputs), {}
        for kernel in kernels_to_leave_out(executable.manifest):
            rest = executable.graph_without([kernel], *inputs)
            times = self.rounds_of({"whole": lambda: whole(*inputs), "rest": lambda: rest(*inputs)}, self.rounds)
            costs[kernel] = statistics.median(all_of - rest_of for all_of, rest_of in zip(times["whole"], times["rest"]))
        return costs


class HostClock(Clock):
    """The same of a processor, for the benchmark's own tests."""

    def one(self, call, flush=None):
        begin = time.perf_counter()
        call()
        return (time.perf_counter() - begin) * 1e3

    def rounds_of(self, contenders, rounds, flush=None, hosted=(), warm_up=1):
        times = {name: [] for name in contenders}
        for _ in range(rounds):
            for name, call in contenders.items():
                times[name].append(self.one(call))
        return times
