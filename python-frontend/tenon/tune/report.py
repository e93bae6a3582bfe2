"""What was tuned, as a table: how far the model's choices are from the fastest schedules that were found."""
import math


def summary(lines):
    ratios = [line["model_us"] / line["us"] for line in lines]
    if not ratios:
        return "nothing was measured"
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    worst = max(lines, key=lambda line: line["model_us"] / line["us"])
    behind = sum(ratio > 1.07 for ratio in ratios)
    return (f"{len(lines)} kernels: the model's schedules take {mean:.3f} times as long as the tuned ones (geometric mean), "
            f"{max(ratios):.3f} at worst ({title(worst)}); {behind} more than 1.07 times")


def title(line):
    return f"{line['op']} {line['shape']} {line['types']}" + (f" {line['epilogue']}" if line["epilogue"] else "")


def markdown(lines):
    rows = ["| kernel | tuned, us | schedule | the model's, us | its schedule | times as long |",
            "| --- | --- | --- | --- | --- | --- |"]
    for line in lines:
        same = line["schedule"] == line["model_schedule"]
        rows.append(f"| {title(line)} | {line['us']:.1f} | {line['schedule']} | {line['model_us']:.1f} | "
                    f"{'the same' if same else line['model_schedule']} | {line['model_us'] / line['us']:.3f} |")
    return "\n".join([summary(lines), "", *rows, ""])
