"""The results as a table for the terminal and as Markdown for the docs."""


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
        times = [f"{result[name]:.2f}" for name in ("best", "median")]
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


def machine():
    """The processor's name and how many cores this process may use."""
    import os
    name = "unknown processor"
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            name = line.split(":", 1)[1].strip()
            break
    return name, len(os.sched_getaffinity(0))
