"""The report of a compiled model: its signature, what it holds, and each kernel with its schedule and its source."""
from collections import Counter


def _table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def report_text(executable):
    manifest = executable.manifest
    runs = Counter(launch["kernel"] for launch in manifest["launches"])
    lines = [f"target    {manifest['target']}, by {manifest['compiler']}"]
    if len(executable.entries) > 1:
        lines.append(f"entry     {executable.entry_name} of {', '.join(executable.entries)}")
    lines += [f"{'inputs' if i == 0 else '':9} {io}" for i, io in enumerate(executable.inputs)]
    lines += [f"{'outputs' if i == 0 else '':9} {io}" for i, io in enumerate(executable.outputs)]
    lines.append(f"launches  {sum(runs.values())} a call of {len(runs)} kernels, {len(manifest['init'])} at load")
    weights = sum(value["kind"] == "weight" for value in manifest["values"])
    packed = f", packed or copied at load: {executable.persistent_bytes / 1e6:.1f} MB" if executable.is_loaded else ""
    lines.append(f"weights   {weights}{packed}")
    compiled = executable.compile_report
    if compiled:
        steps = ", ".join(f"{name} {seconds:.2f}" for name, seconds in compiled["seconds"])
        total = sum(seconds for _, seconds in compiled["seconds"])
        lines.append(f"compiled  in {total:.2f} s: {steps}")
    rows = [("kernel", "runs", "schedule", "from")]
    for name, kernel in manifest["kernels"].items():
        rows.append((name, str(runs.get(name, 0)) if runs.get(name) else "at load", kernel["schedule"].split("\n")[0] or "-",
                     ", ".join(kernel["sources"][:2]) + (" .." if len(kernel["sources"]) > 2 else "")))
    lines += [""] + _table(rows)
    missed = [remark for remark in (compiled or {}).get("remarks", []) if remark["kind"] in ("missed", "failure")]
    if missed:
        lines += ["", "not done:"]
        lines += [f"  {remark['location'] or '-'}: {remark['message']} [{remark['category']}]" for remark in missed]
    return "\n".join(lines)
