"""Where a model's time goes: a waterfall. Each kernel's time on the device in a call, the launches of a kernel together, beside
its floor: the time that its bytes take at the rate of a copy, or its operations at cuBLAS's best rate, whichever is the
longer, both measured in the same run. What a whole call takes less than its launches, timed one by one, ran beside others;
so there is also what a kernel costs in the graph: what that takes longer than one without the kernel's launches."""
import statistics
from collections import Counter


def median_launches(rounds):
    """[{"kernel", "ms", "flops", "bytes"}] of several rounds, launch by launch; the median time of each."""
    return [{**launches[0], "ms": statistics.median(launch["ms"] for launch in launches)} for launches in zip(*rounds)]


PLACES = ("i64", "i32")  # the types that an op takes places and lengths of


def kernels_to_leave_out(manifest):
    """The kernels of a call, by name, without whose launches the others do the same work. They read what a kernel's last
    launch gives, which are other places or lengths than those of its launches before."""
    values, launches = manifest["values"], manifest["launches"]
    counts = Counter(launch["kernel"] for launch in launches)
    places = {launch["kernel"] for launch in launches if any(values[result]["dtype"] in PLACES for result in launch["results"])}
    return [kernel for kernel, count in counts.items() if count == 1 or kernel not in places]


def floor_of(launch, machine):
    """(ms, "bytes" or "flops"): the least time of a launch, and what says so."""
    by_bytes = launch["bytes"] / machine["copy_tbps"] / 1e9
    by_flops = launch["flops"] / machine["peak_tflops"] / 1e9
    return (by_flops, "flops") if by_flops > by_bytes else (by_bytes, "bytes")


def waterfall(launches, machine):
    """[{"kernel", "launches", "ms", "floor_ms", "bound", "lost_ms"}] by kernel, what loses the most time first."""
    found = {}
    for launch in launches:
        entry = found.setdefault(launch["kernel"], {"kernel": launch["kernel"], "launches": 0, "ms": 0.0, "floor_ms": 0.0})
        least, entry["bound"] = floor_of(launch, machine)
        entry["launches"] += 1
        entry["ms"] += launch["ms"]
        entry["floor_ms"] += least
    for entry in found.values():
        entry["lost_ms"] = entry["ms"] - entry["floor_ms"]
    return sorted(found.values(), key=lambda entry: -entry["lost_ms"])


HEADER = ["kernel", "launches", "us", "in the graph, us", "floor, us", "by", "times its floor", "lost, us", "of the time"]


def rows(launches, machine, call_ms, in_graph):
    """The waterfall as rows of text, and what it comes to: all launches, and the call as a whole, a CUDA graph. `in_graph`:
    {kernel: ms} of those that were left out."""
    entries, found = waterfall(launches, machine), []
    total, floor = (sum(entry[key] for entry in entries) for key in ("ms", "floor_ms"))

    def row(name, count, ms, cost_ms, least, bound):
        times, cost = f"{ms / least:.2f}" if least else "", "" if cost_ms is None else f"{cost_ms * 1e3:.1f}"
        return [name, count, f"{ms * 1e3:.1f}", cost, f"{least * 1e3:.1f}", bound, times, f"{(ms - least) * 1e3:.1f}",
                f"{ms / total:.2f}" if total else ""]
    for entry in entries:
        name = entry["kernel"]
        found.append(row(name, str(entry["launches"]), entry["ms"], in_graph.get(name), entry["floor_ms"], entry["bound"]))
    found.append(row("all launches, one by one", str(len(launches)), total, sum(in_graph.values()), floor, ""))
    return [*found, row("the call as a graph", "", call_ms, None, floor, "")]
