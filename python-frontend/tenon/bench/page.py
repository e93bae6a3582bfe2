"""A page of results: HTML with its style and its SVG charts inside, which needs nothing else."""
import math
from html import escape

STYLE = """
:root { color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif; --own: #2a6fdb; --lost: #c4572b; --grid: #8884; }
body { max-width: 1150px; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; margin-bottom: 2em; font-variant-numeric: tabular-nums; }
td, th { border-bottom: 1px solid var(--grid); padding: .2em .7em; text-align: right; }
td:first-child, th:first-child { text-align: left; }
svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
.won { fill: var(--own); } .lost { fill: var(--lost); } .edge { stroke: currentColor; }
.grid { stroke: var(--grid); } svg text.small { font-size: 9px; }
"""


def bars(title, entries, unit_label, scale_to):
    """An SVG of horizontal bars, [(name, value, whether it counts as lost)], with a line at 1."""
    height, left, width = 20, 320, 640
    bottom, at = len(entries) * height + 28, left + width / scale_to
    lines = [f'<line class="edge" x1="{at:.1f}" y1="20" x2="{at:.1f}" y2="{bottom}"/>'
             f'<text x="{at:.1f}" y="14" text-anchor="middle">{escape(unit_label)}</text>']
    for row, (name, value, is_lost) in enumerate(entries):
        y, length = row * height + 24, min(value / scale_to, 1) * width
        label = left + length + 6
        if label - 4 < at < label + 30:  # the line does not go through the number
            label = at + 4
        lines.append(f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
                     f'<rect class="{"lost" if is_lost else "won"}" x="{left}" y="{y + 2}" width="{length:.1f}" height="14"/>'
                     f'<text x="{label:.1f}" y="{y + 13}">{value:.2f}</text>')
    return f"<h2>{escape(title)}</h2>\n<svg width=\"{left + width + 60}\" height=\"{bottom + 4}\">{''.join(lines)}</svg>"


def roofline(points, bytes_rate, flops_rate):
    """An SVG of [(name, FLOP, bytes, seconds)], rates against FLOP a byte, both logarithmic, below what the rates of the
    machine allow, in bytes and FLOP a second."""
    left, top, width, height = 70, 20, 900, 460
    ridge = flops_rate / bytes_rate
    first, last = math.log10(min([ridge / 10, *(flops / moved for _, flops, moved, _ in points)])), math.log10(
        max([ridge * 10, *(flops / moved for _, flops, moved, _ in points)]))
    highest = math.log10(flops_rate * 1.3)
    lowest = min([highest - 2, *(math.log10(flops / seconds) - .1 for _, flops, _, seconds in points)])

    def place(intensity, rate):
        return (left + (math.log10(intensity) - first) / (last - first) * width,
                top + (highest - math.log10(rate)) / (highest - lowest) * height)
    lines = []
    for power in range(math.ceil(first), math.floor(last) + 1):
        x, _ = place(10**power, flops_rate)
        lines.append(f'<line class="grid" x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{top + height}"/>'
                     f'<text x="{x:.1f}" y="{top + height + 16}" text-anchor="middle">{10**power:g}</text>')
    for power in range(math.ceil(lowest), math.floor(highest) + 1):
        _, y = place(10**first, 10**power)
        lines.append(f'<line class="grid" x1="{left}" y1="{y:.1f}" x2="{left + width}" y2="{y:.1f}"/>'
                     f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{10 ** (power - 12):g}</text>')
    lines.append(f'<text x="{left + width}" y="{top + height + 34}" text-anchor="end">FLOP a byte</text>'
                 f'<text x="{left - 6}" y="{top - 6}" text-anchor="middle">TFLOP/s</text>')
    corners = [(10**first, max(bytes_rate * 10**first, 10**lowest)), (ridge, flops_rate), (10**last, flops_rate)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*corner) for corner in corners))
    lines.append(f'<polyline class="edge" fill="none" points="{path}"/>')
    taken = []  # by labels; one that finds no room near its point is seen where the pointer is
    for name, flops, moved, seconds in points:
        x, y = place(flops / moved, flops / seconds)
        lines.append(f'<circle class="won" cx="{x:.1f}" cy="{y:.1f}" r="4"><title>{escape(name)}: {flops / seconds / 1e12:.0f} '
                     f'TFLOP/s</title></circle>')
        size, is_late = 5.7 * len(name), x > left + width / 2
        start = x - 7 - size if is_late else x + 7
        free = [at for at in (y + 4 + step for step in (0, 11, -11, 22, 33, 44, 55, 66))
                if all(abs(at - other) >= 10 or start > end or start + size < begin for other, begin, end in taken)]
        if free:
            taken.append((free[0], start, start + size))
            lines.append(f'<text class="small" x="{start:.1f}" y="{free[0]:.1f}">{escape(name)}</text>')
    return (f'<svg width="{left + width + 20}" height="{top + height + 44}" '
            f'viewBox="0 0 {left + width + 20} {top + height + 44}">{"".join(lines)}</svg>')


def picture(svg):
    """An SVG as a file of its own."""
    style = STYLE.replace(":root {", "svg { background: Canvas; color: CanvasText;", 1)
    return svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace(">", f"><style>{style}</style>", 1)


def table(title, rows):
    """The first row is the header."""
    cells = "".join("<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) + "</tr>\n"
                    for tag, row in [("th", rows[0]), *(("td", row) for row in rows[1:])])
    return f"<h2>{escape(title)}</h2>\n<table>\n{cells}</table>"


def page(title, parts):
    head = f"<!doctype html>\n<meta charset=\"utf-8\">\n<title>{escape(title)}</title>\n<style>{STYLE}</style>\n"
    return head + f"<h1>{escape(title)}</h1>\n" + "\n".join(parts) + "\n"
