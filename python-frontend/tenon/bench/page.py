"""A page of results: HTML with its style and its SVG charts inside, which needs nothing else."""
from html import escape

STYLE = """
:root { color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif; --own: #2a6fdb; --lost: #c4572b; --grid: #8884; }
body { max-width: 1150px; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; margin-bottom: 2em; font-variant-numeric: tabular-nums; }
td, th { border-bottom: 1px solid var(--grid); padding: .2em .7em; text-align: right; }
td:first-child, th:first-child { text-align: left; }
svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
.won { fill: var(--own); } .lost { fill: var(--lost); } .edge { stroke: currentColor; }
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


def table(title, rows):
    """The first row is the header."""
    cells = "".join("<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) + "</tr>\n"
                    for tag, row in [("th", rows[0]), *(("td", row) for row in rows[1:])])
    return f"<h2>{escape(title)}</h2>\n<table>\n{cells}</table>"


def page(title, parts):
    head = f"<!doctype html>\n<meta charset=\"utf-8\">\n<title>{escape(title)}</title>\n<style>{STYLE}</style>\n"
    return head + f"<h1>{escape(title)}</h1>\n" + "\n".join(parts) + "\n"
