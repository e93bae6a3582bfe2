"""Times calls on a GPU: behind a sleep on the device that hides the host's work, in a new random order each round."""
import random
import statistics
import time

from tenon.bench.explain import kernels_to_leave_out, median_launches

ROUNDS = 30
SLEEP, LONGEST_SLEEP = 1_000_000, 16_000_000  # clocks of the device: half a millisecond, 8


def summed_up(times):
    """What results keep of {name: [ms]}: {"ms": {name: median}, "quartiles": {name: [ms, ms]}}, between which the middle half of
    the rounds lies."""
    found = {"ms": {}, "quartiles": {}}
    for name, values in times.items():
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
        found["ms"][name], found["quartiles"][name] = middle, [low, high]
    return found


class Clock:
    """Times calls on the current GPU. `sleep`: of the device ahead of each call, the same for all contenders of a contest: a card
    that idled for longer runs faster."""

    def __init__(self, torch, rounds=ROUNDS, sleep=SLEEP):
        self.torch, self.rounds, self.sleep = torch, rounds, sleep

    def one(self, call, flush=None):
        """Milliseconds of a call on the device. Where the device woke before the host had queued all of it, the host's time is in
        them: then again, and from then on, behind a longer sleep."""
        while True:
            milliseconds, is_late = self._behind_sleep(call, flush)
            if not is_late or self.sleep >= LONGEST_SLEEP:
                return milliseconds
            self.sleep *= 2

    def _behind_sleep(self, call, flush):
        """(milliseconds, whether the host was late)"""
        cuda = self.torch.cuda
        if flush is not None:
            flush.sum()
        cuda._sleep(self.sleep)
        begin, end = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
        begin.record()
        call()
        end.record()
        is_late = begin.query()
        cuda.synchronize()
        return begin.elapsed_time(end), is_late

    def rounds_of(self, contenders, rounds, flush=None, warm_up=3):
        """{name: [ms]} of {name: call}"""
        times = {name: [] for name in contenders}
        for call in contenders.values():
            for _ in range(warm_up):
                call()
        self.torch.cuda.synchronize()
        for call in contenders.values():
            self.one(call, flush)  # so that the sleep is as long as it will be from the first round on
        for _ in range(rounds):
            order = list(contenders)
            random.shuffle(order)
            for name in order:
                times[name].append(self.one(contenders[name], flush))
        return times

    def measured(self, contenders, flush=None):
        """`rounds_of` all rounds, summed up."""
        self.sleep = SLEEP
        return summed_up(self.rounds_of(contenders, self.rounds, flush))

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
    """The same by the host's clock: of calls that end on the host, and of a processor, for the benchmark's own tests."""

    def one(self, call, flush=None):
        begin = time.perf_counter()
        call()
        return (time.perf_counter() - begin) * 1e3

    def rounds_of(self, contenders, rounds, flush=None, warm_up=1):
        times = {name: [] for name in contenders}
        for _ in range(rounds):
            for name, call in contenders.items():
                times[name].append(self.one(call))
        return times
