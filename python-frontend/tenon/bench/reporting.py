"""The results as tables for the terminal, as Markdown for the docs, and as one HTML page. Ratios are Tenon's time over the
peer's: below 1 Tenon is faster. `measured`: (name of the case, results) of each."""
import math
from html import escape

from tenon.bench.page import bars, page, table



def rows_of(results):
    """Header and a row a contestant; the ratio is Tenon's best over the contestant's (below 1: Tenon is faster)."""
    header = ["", "best ms", "median ms", "spread", "Tenon / it", "compile s", "memory MB", "largest error"]
    tenon = next((result.get("best") for result in results if result["name"] == "tenon"), None)
    rows = [header]
    for result in results:
        label = f"{result['name']} {result.get('version', '')}".strip()
        if "missing" in result:
            rows.append([label, result["missing"]])
            continue
        ratio = f"{tenon / result['best']:.2f}" if tenon and result["name"] != "tenon" else ""
        times = [f"{result[name]:.2f}" if result[name] >= 1 else f"{result[name]:.4f}" for name in ("best", "median")]
        rows.append([label, *times, f"{result['spread'] * 100:.0f} %", ratio,
                     "-" if result["compile_seconds"] is None else f"{result['compile_seconds']:.1f}",
                     f"{result['memory_bytes'] / 1e6:.0f}", f"{result['error']:.1e}"])
    return rows


def text(rows):
    """Columns under each other, numbers to the right; a row of two cells runs over."""
    widths = [max((len(row[column]) for row in rows if len(row) > 2 or column == 0), default=0)
              for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [row[1]] if len(row) == 2 else [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def markdown(rows):
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + " --- |" + " ---: |" * (len(rows[0]) - 1)]
    for row in rows[1:]:
        cells = row + [""] * (len(rows[0]) - len(row))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def ratios(results):
    """{peer: Tenon's best over its}"""
    best = {result["name"]: result["best"] for result in results if "best" in result and "missing" not in result}
    own = best.pop("tenon", None)
    return {name: own / time for name, time in best.items()} if own else {}


def overview(measured):
    """A row a case: Tenon against the best peer, and its compile time against XLA's; then the geometric mean."""
    rows, worst = [["", "Tenon ms", "best peer", "its ms", "Tenon / it", "compile s", "XLA's"]], []
    for name, results in measured:
        found, by_name = ratios(results), {result["name"]: result for result in results}
        if not found:
            continue
        peer = max(found, key=found.get)
        worst.append(found[peer])
        seconds = [f"{by_name[who]['compile_seconds']:.1f}" if by_name.get(who, {}).get("compile_seconds") is not None else ""
                   for who in ("tenon", "xla")]
        rows.append([name, f"{by_name['tenon']['best']:.3g}", peer, f"{by_name[peer]['best']:.3g}", f"{found[peer]:.2f}", *seconds])
    if worst:
        rows.append(["geometric mean", "", "", "", f"{math.exp(sum(map(math.log, worst)) / len(worst)):.2f}", "", ""])
    return rows


def losses(measured):
    """Every peer that is faster than Tenon, the worst first."""
    found = [(name, peer, ratio) for name, results in measured for peer, ratio in ratios(results).items() if ratio > 1]
    return [["", "who is faster", "Tenon / it"],
            *([name, peer, f"{ratio:.2f}"] for name, peer, ratio in sorted(found, key=lambda loss: -loss[2]))]


def html(title, measured):
    against = [(name, max(ratios(results).values()), max(ratios(results).values()) > 1)
               for name, results in measured if ratios(results)]
    parts = [f"<p>{escape(title)}</p>"]
    if against:
        parts.append(bars("Tenon's time over the best peer's", against, "as fast", max(1.5, *(value for _, value, _ in against))))
    parts.append(table("Against the best peer", overview(measured)))
    behind = losses(measured)
    parts.append(table("Losses", behind) if len(behind) > 1 else "<h2>Losses</h2>\n<p>None.</p>")
    for name, results in measured:
        rows = rows_of(results)
        parts.append(table(name, [row + [""] * (len(rows[0]) - len(row)) for row in rows]))
    return page("Tenon on the CPU", parts)


def machine():
    """The processor's name and how many cores this process may use."""
    import os
    name = "unknown processor"
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            name = line.split(":", 1)[1].strip()
            break
    return name, len(os.sched_getaffinity(0))
