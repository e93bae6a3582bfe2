"""What was measured on a GPU as lines, as Markdown tables, and as one HTML page that needs nothing else. Ratios are the
contender's time over Tenon's: above 1 Tenon is faster. Times are medians; behind Tenon's stands in brackets where the middle
half of its rounds lies."""
from html import escape

from tenon.bench import explain
from tenon.bench.gpu_peers import NO_PEERS
from tenon.bench.page import bars, page, picture, roofline, table


def is_own(contender):
    return contender.split(",")[0] == "Tenon"


def ratios(result):
    """{peer: its time over Tenon's}"""
    own = result["ms"]["Tenon"]
    return {name: ms / own for name, ms in result["ms"].items() if not is_own(name)}


def best_peer(result):
    """The least of `ratios`, of all peers that were timed; None where there is none. Who computes to fewer digits is no peer."""
    return min((ratio for name, ratio in ratios(result).items() if name not in NO_PEERS), default=None)


def best_peer_text(result):
    ratio = best_peer(result)
    return "" if ratio is None else f"{ratio:.3f}"


def time_text(result, scale=1.0, digits=4):
    """Tenon's time in units of which a ms has `scale`, and in brackets where the middle half of its rounds lies; files of before
    it was kept have only the time."""
    def text(ms):
        return f"{ms * scale:.{digits}f}"
    middle = [text(ms) for ms in result.get("quartiles", {}).get("Tenon", ())]
    return text(result["ms"]["Tenon"]) + (f" ({' .. '.join(middle)})" if middle else "")


def share_of_roof(result, machine):
    """(share, what bounds it): of the copy's rate or the peak of cuBLAS, whichever is the larger."""
    if "tflops" not in result:
        return None, ""
    copy, peak = result["tbps"] / machine["copy_tbps"], result["tflops"] / machine["peak_tflops"]
    return (peak, "cuBLAS's peak") if peak > copy else (copy, "the copy")


def error_text(result):
    return ", ".join(f"{key} {result[key]:.2g}" for key in ("error", "torch's error") if key in result)


def describe_machine(machine):
    return (f"{machine['gpu']}, torch {machine['torch']}, tenon {machine['compiler']} for {machine['target']}, "
            f"{machine['date']}; a copy moves {machine['copy_tbps']:.2f} TB/s, cuBLAS reaches "
            f"{machine['peak_tflops']:.0f} TFLOP/s")


def line(name, results):
    """A case as a line for the terminal, its variants under it."""
    result, machine = results["cases"][name], results["machine"]
    if "failed" in result:
        return f"{name}: FAILED {result['failed'][:300]}"
    rate = ""
    if "tflops" in result:
        share, roof = share_of_roof(result, machine)
        rate = f" {result['tflops']:.0f} TFLOP/s, {result['tbps']:.2f} TB/s, {share:.2f} of {roof}"
    peers = "".join(f"  {peer} {result['ms'][peer]:.4f} ms ({ratio:.3f})" for peer, ratio in ratios(result).items())
    peers += "".join(f"  {peer}: none ({why[:60]})" for peer, why in result.get("missing", {}).items())
    if is_generator(result):
        rate = f" {tokens_a_second(result):.0f} tokens/s, first after {result['first']['Tenon']:.3f} ms"
    lines = [f"{name}: {time_text(result)} ms{rate}{peers}  {error_text(result)}"]
    for contender, ms in result["ms"].items():
        if is_own(contender) and contender != "Tenon":
            against = ", ".join(f"{peer} {result['ms'][peer] / ms:.3f}" for peer in ratios(result))
            lines.append(f"  {contender}: {ms:.4f} ms, {result['ms']['Tenon'] / ms:.3f} x as fast; {against}; "
                         f"error {result['errors'][contender]:.2g}")
    return "\n".join(lines)


def losses(results):
    """(case, peer, ratio) of every peer that is faster, the worst first."""
    found = [(name, peer, ratio) for name, result in results["cases"].items() if "ms" in result
             for peer, ratio in ratios(result).items() if ratio < 1]
    return sorted(found, key=lambda loss: loss[2])


def tables(results):
    """[(title, header, rows of text)]: kernels, models, generators, losses, what failed."""
    machine = results["machine"]
    done = {name: result for name, result in results["cases"].items() if "ms" in result}
    peers = list(dict.fromkeys(peer for result in done.values() for peer in ratios(result)))

    def peer_cells(result, columns):
        return [f"{ratios(result)[peer]:.3f}" if peer in ratios(result) else "" for peer in columns]
    found = []
    for title, chosen in (("kernels", {name: r for name, r in done.items() if "tflops" in r}),
                          ("models", {name: r for name, r in done.items() if "tflops" not in r and not is_generator(r)})):
        if not chosen:
            continue
        columns = [peer for peer in peers if any(peer in result["ms"] for result in chosen.values())]
        rows = []
        for name, result in chosen.items():
            cells = [name, time_text(result, 1e3, 1)]
            if title == "models":
                cells.append(f"{result['tbps'] / machine['copy_tbps']:.2f}" if "tbps" in result else "")
                cells.append(f"{result['tokens'] / result['ms']['Tenon'] * 1e3:.0f}" if "tokens" in result else "")
            if title == "kernels":
                cells += [f"{result['tflops']:.0f}" if result["tflops"] else "", f"{result['tbps']:.2f}",
                          f"{result['tflops'] / machine['peak_tflops']:.2f}" if result["tflops"] else "",
                          f"{result['tbps'] / machine['copy_tbps']:.2f}"]
            rows.append([*cells, best_peer_text(result), *peer_cells(result, columns), error_text(result)])
        rates = ["TFLOP/s", "TB/s", "of cuBLAS's peak", "of the copy"] if title == "kernels" else ["of the copy", "tokens/s"]
        ratios_of = [f"{peer} / Tenon" for peer in ("best peer", *columns)]
        found.append((title, [title[:-1], "us", *rates, *ratios_of, "largest error"], rows))
    if texts := {name: result for name, result in done.items() if is_generator(result)}:
        found.append(("generation", *generation(texts)))
    without = [[name, peer, why] for name, result in done.items() for peer, why in result.get("missing", {}).items()]
    behind = [[name, peer, f"{ratio:.3f}"] for name, peer, ratio in losses(results)]
    if behind:
        found.append(("losses", ["case", "who is faster", "its time / Tenon's"], behind))
    failed = [[name, result["failed"].splitlines()[0]] for name, result in results["cases"].items() if "failed" in result]
    for name, result in done.items():
        if "launches" in result:
            found.append((f"where the time goes: {name}", explain.HEADER,
                          explain.rows(result["launches"], machine, result["ms"]["Tenon"], result["in_graph"])))
    if without:
        found.append(("without", ["case", "peer", "why"], without))
    return found + ([("failed", ["case", "why"], failed)] if failed else [])


# ---- generators ----
#: What cells hold of a generator ahead of its peers' ratios, and behind them.
GENERATOR_CELLS = ("Tenon, ms", "first token, ms", "the best peer's, ms", "tokens/s")
TEXT_CELLS = ("tokens equal to PyTorch's, of a row", "tokens that are no ties")


def is_generator(result):
    return "generated" in result


def tokens_a_second(result):
    return result["generated"] / result["ms"]["Tenon"] * 1e3


def generator_cells(result):
    first = min((ms for name, ms in result["first"].items() if not is_own(name)), default=None)
    return [time_text(result, 1, 1), f"{result['first']['Tenon']:.2f}", "" if first is None else f"{first:.2f}",
            f"{tokens_a_second(result):.0f}"]


def text_cells(result):
    least, most = min(result["equal"]), max(result["equal"])
    return [f"{least} to {most}" if least < most else f"{most}", f"{result['decided']:.2f}"]


def generation(results):
    """(header, rows) of generators: whose time is that of a text, prompt and all."""
    peers = list(dict.fromkeys(peer for result in results.values() for peer in ratios(result)))
    rows = [[name, *generator_cells(result), best_peer_text(result),
             *[f"{ratios(result)[peer]:.3f}" if peer in ratios(result) else "" for peer in peers], *text_cells(result)]
            for name, result in results.items()]
    return ["generator", *GENERATOR_CELLS, *[f"{peer} / Tenon" for peer in ("best peer", *peers)], *TEXT_CELLS], rows


def markdown(results):
    parts = [describe_machine(results["machine"])]
    for title, header, rows in tables(results):
        body = ["| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *rows]]
        parts.append(f"### {title}\n\n" + "\n".join(body))
    return "\n\n".join(parts) + "\n"


# ---- pictures ----
def _roofline(results):
    """Of products of 16 bits, whose roof the machine's peak is."""
    machine = results["machine"]
    points = [(name.replace("gemm ", ""), result["flops"], result["bytes"], result["ms"]["Tenon"] / 1e3)
              for name, result in results["cases"].items() if result.get("flops") and "ms" in result and "gemm" in name
              and "tf32" not in name]
    return roofline(points, machine["copy_tbps"] * 1e12, machine["peak_tflops"] * 1e12) if points else ""


def svg(results):
    """The roofline of products alone, as a picture; nothing where there are none."""
    found = _roofline(results)
    return picture(found) if found else ""


# ---- the page ----
def html(results):
    """One page: bars of the time of each case's best peer over Tenon's, bars of the roofline, and the tables."""
    machine = results["machine"]
    done = {name: result for name, result in results["cases"].items() if "ms" in result}
    best = {name: best_peer(result) for name, result in done.items()}
    against = [(name, ratio, ratio < 1) for name, ratio in best.items() if ratio is not None]
    roofs = [(f"{name}: of {share_of_roof(result, machine)[1]}", share_of_roof(result, machine)[0], False)
             for name, result in done.items() if "tflops" in result]
    parts = [f"<p>{escape(describe_machine(machine))}.</p>"]
    if against:
        parts.append(bars("Best peer's time over Tenon's", against, "as fast", max(2, *(value for _, value, _ in against))))
    if roofs:
        parts.append(bars("Share of what the machine can do", roofs, "all of it", max(1.05, *(value for _, value, _ in roofs))))
    if found := _roofline(results):
        parts.append(f"<h2>Products under the roofline</h2>\n{found}")
    for title, header, rows in tables(results):
        parts.append(table(title.capitalize(), [header, *rows]))
    return page("Tenon on a GPU", parts)
