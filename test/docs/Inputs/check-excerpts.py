"""Every line of code that a guide shows under a heading `## dump/FILE` stands in that file of the dump folder, in this
order. Names of values, maps and registers and all white space are overlooked; `...` stands for anything.

usage: check-excerpts.py GUIDE.md FOLDER
"""
import re
import sys
from pathlib import Path

guide, folder = Path(sys.argv[1]), Path(sys.argv[2])


def plain(line):
    line = re.sub(r"%\w+(:\d+|#\d+)?|#map\d*", "%", line)
    return re.sub(r"\s+", " ", line).strip()


checked = bad = 0
for section in re.split(r"^## dump/", guide.read_text(), flags=re.M)[1:]:
    name = section.split("\n", 1)[0].strip()
    lines = [plain(line) for line in (folder / name).read_text().splitlines()]
    # What follows a heading without a file is no excerpt.
    text = re.split(r"^## ", section, flags=re.M)[0]
    at = 0
    for block in re.findall(r"^```(?:mlir|asm)\n(.*?)^```", text, flags=re.M | re.S):
        for shown in block.splitlines():
            pattern = re.compile(".*".join(re.escape(part) for part in plain(shown).split("...")).rstrip())
            found = next((i for i in range(at, len(lines)) if pattern.match(lines[i])), None)
            checked += 1
            if found is None:
                print(f"{guide.name}: not in {name} after line {at}: {shown}")
                bad += 1
            else:
                at = found + 1
print(f"{checked} lines checked, {bad} missing")
sys.exit(bad != 0)
