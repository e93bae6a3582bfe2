"""Schedules by hand that compilations choose. `tuned`: each of the database that comes with Tenon, with what its records have
behind their products; `picked`: those of picked-schedules.txt, which the model chooses for some product and no record has.
Shapes are a whole tile and one that is cut, in each direction, and depths of some turns and a part of one."""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from exec_cpu import contractions, quantisation
from exec_cpu.approximate import Approximate
from exec_cpu.cases import Case, Operand, values_of
from exec_cpu.dtypes import BF16, F8E4M3, F16, F32, I8
from exec_cpu.unary import gelu, gelu_tanh, sigmoid

ROOT = Path(__file__).resolve().parents[2]
DATABASE = ROOT / "lib/Schedule/tuning/sm_90a.jsonl"
PICKED = Path(__file__).with_name("picked-schedules.txt")

# Of a record's key: ops behind a product, and how 8-bit operands are scaled.
STEPS = {"": (), "addf(n)": ("bias",), "addf(mn)": ("residual",), "addf(n) addf(mn)": ("bias", "residual"),
         "addf(n) mulf mulf erfc mulf": ("bias", "gelu"), "addf(n) mulf mulf addf mulf exp addf divf": ("bias", "gelu_tanh"),
         "maximumf": ("relu",), "negf(mn) exp addf divf mulf": ("gate",), "divf(m*) mulf maximumf minimumf": ("quantise",),
         "extract_slice extract_slice negf exp addf divf mulf": ("gates",)}
SCALES = {"mulf(**,**) mulf": "ones", "mulf(1,1) mulf": "tensor", "mulf(m*,n*) mulf": "row", "mulf(*2) addf mulf(m*)": "block"}
TYPES = {"bf16": (BF16, F16), "f16": (F16, BF16), "f32": (F32,), "i8": (I8,), "f8E4M3FN": (F8E4M3,)}
KERNELS = {"gelu": "_gelu", "gelu_tanh": "_gelu", "relu": "_relu", "residual": "_add", "gate": "_swiglu", "quantise": "_quantise"}


@dataclass(frozen=True, order=True)
class Tile:
    rows: int
    columns: int
    depth: int
    split_k: int = 1
    parts: int = 1
    promote: int = 0
    swapped: bool = False
    joined: bool = False
    by_last: bool = False

    @classmethod
    def of_schedule(cls, text):
        """Of `#tile.gemm<rows = 16, ..>`."""
        words = re.findall(r"(\w+) = (\w+)", text)
        return cls(**{name: value == "true" if value in ("true", "false") else int(value) for name, value in words})

    @classmethod
    def of_name(cls, name):
        """Of `16x64x256/4/1sl`."""
        sizes, flags = re.fullmatch(r"([\dx/]+)([sjl]*)", name).groups()
        return cls(*map(int, re.split("[x/]", sizes)), 0, *(flag in flags for flag in "sjl"))

    def schedule(self):
        given = [f"{name} = {'true' if value is True else value}" for name, value in vars(self).items()
                 if name in ("rows", "columns", "depth") or value != getattr(Tile, name)]
        return f"#tile.gemm<{', '.join(given)}>"

    def name(self):
        flags = "".join(flag for flag, is_set in zip("sjl", (self.swapped, self.joined, self.by_last)) if is_set)
        return f"{self.rows}x{self.columns}x{self.depth}_{self.split_k}_{self.parts}{flags}"

    def shapes(self, bits, block=0):
        """(rows, columns, depth), twice. TMA takes steps of 16 bytes; a second kernel adds up what equal parts leave."""
        step, turn = max(128 // bits, 8), max(self.depth, self.promote)
        ends = 0 if self.split_k > 1 and not self.joined and not self.by_last else step
        turns = 5 if self.parts > 1 else 2  # a loop of teams that is unrolled takes registers
        few, many = turns * self.split_k * turn + ends, (2 if self.split_k > 1 else 6) * self.split_k * turn + 2 * turn * (ends > 0) - ends
        if block:
            return (self.rows + 1, 2 * block, 3 * block), (self.rows // 2 + 1, 3 * block, 7 * block)
        return ((1 if self.rows <= 16 else self.rows + 1, self.columns + step, few),
                (self.rows + 1 if self.rows <= 16 else self.rows // 2 + 1, 2 * self.columns - step, many))


def records():
    """(types, ops behind or form of scales, tile), each once."""
    lines = [json.loads(line) for line in DATABASE.read_text().splitlines()[1:]]
    return sorted({(line["types"].split("*")[0], STEPS.get(line["epilogue"]) or SCALES.get(line["epilogue"]) or (),
                    Tile.of_schedule(line["schedule"])) for line in map(known, lines)}, key=repr)


def known(record):
    if record["epilogue"] not in (*STEPS, *SCALES):
        raise KeyError(f"no case for what is behind the product of {record}: tell STEPS what it is")
    return record


def tuned():
    result = []
    for source, behind, tile in records():
        for dtype in TYPES[source]:
            result += [case_of(dtype, behind, tile, shape) for shape in tile.shapes(dtype.bits, 128 * (behind == "block"))]
    return result


def picks():
    """{section of picked-schedules.txt: tiles}"""
    sections = {}
    for word in " ".join(line for line in PICKED.read_text().splitlines() if not line.startswith("#")).split():
        if word.endswith(":"):
            tiles = sections.setdefault(word[:-1], [])
        else:
            tiles.append(Tile.of_name(word))
    return sections


def picked():
    """One case each, by turns of both types and shapes."""
    result = []
    recorded = {(source, tile) for source, _, tile in records()}
    for section, tiles in picks().items():
        for number, tile in enumerate(tiles):
            dtype = {"i8": I8, "e4m3": F8E4M3, "blocks": F8E4M3}.get(section) or (BF16, F16)[number % 2]
            behind = {"products": ("bias",), "gates": ("gates",), "blocks": "block"}.get(section, "row")
            tile = replace(tile, promote=max(128, tile.depth)) if section == "e4m3" else tile
            source = str(dtype) if dtype.bits == 8 else "bf16"
            if section == "gates" or (source, tile) not in recorded:
                shape = tile.shapes(dtype.bits, 128 * (section == "blocks"))[number // 2 % 2]
                result.append(case_of(dtype, behind, tile, shape))
    return result


def name_of(dtype, behind, tile):
    label = behind if isinstance(behind, str) else "_".join(behind)
    return f"{dtype}_{label or 'plain'}_{tile.name()}"


def case_of(dtype, behind, tile, shape):
    m, n, k = shape
    name = f"{name_of(dtype, behind, tile)}_{m}x{n}x{k}"
    if isinstance(behind, str):
        block = (128, 128) if behind == "block" else None
        case = quantisation.product(name, dtype, dtype, BF16, (m,), n, k, "row" if block else behind, behind, block, [{}])
        kernel = "quantised_matmul"
    elif behind in ((), ("bias",)):
        case, kernel = contractions.linear_case(name, dtype, (m,), n, k, "bias" in behind, True, [{}]), "linear"
    elif behind == ("quantise",):
        case = quantisation.quantised(contractions.linear_case(name, dtype, (m,), n, k, False, True, [{}]), F8E4M3, "row")
        case, kernel = replace(case, name=name, kinds=("normal",)), "linear_quantise"
    elif behind == ("gates",):
        case, kernel = gated(name, dtype, m, n, k), "linear_gated_swiglu"
    else:
        case = with_steps(name, dtype, m, n, k, behind)
        kernel = "linear" + "".join(KERNELS.get(step, "") for step in behind)
    return replace(case, schedule=(f"@{kernel} = {tile.schedule()}",))


def silu(x):
    return x * sigmoid(x)


def weights_of(dtype, n, k):
    """So small that sums stay as large as what is added to them."""
    return Operand(dtype, (n, k), lambda rng, shape, kind: values_of(rng, dtype, shape, kind) / 16, True)


def with_steps(name, dtype, m, n, k, steps):
    x, w, b, y = Operand(dtype, (m, k)), weights_of(dtype, n, k), Operand(dtype, (n,), weight=True), Operand(dtype, (m, n))
    has_bias = "bias" in steps
    operands = [x, w] + [b] * has_bias
    types = ", ".join(f"{{t{i}}}" for i in range(len(operands)))
    body = [f"{{p}}0 = tenon.linear {', '.join(f'{{{i}}}' for i in range(len(operands)))} : ({types}) -> {{rt0}}"]
    unary = {"gelu": ("gelu {}", gelu, 1.13), "gelu_tanh": ("gelu {} {{{{approximation = #tenon.gelu<tanh>}}}}", gelu_tanh, 1.13),
             "relu": ("relu {}", lambda x: np.maximum(x, 0), 1)}
    for number, step in enumerate(steps[has_bias:]):
        before = f"{{p}}{number}"
        if step in unary:
            body.append(f"{{p}}{number + 1} = tenon.{unary[step][0].format(before)} : ({{rt0}}) -> {{rt0}}")
            continue
        given = len(operands)
        operands.append(y)
        call = f"add {before}, {{{given}}}" if step == "residual" else f"swiglu {{{given}}}, {before}"
        body.append(f"{{p}}{number + 1} = tenon.{call} : ({{rt0}}, {{t{given}}}) -> {{rt0}}")
    body[-1] = re.sub(r"^\{p\}\d+ =", "{r0} =", body[-1])

    def reference(x, w, *rest, kind):
        rest = list(rest)
        value = Approximate(dtype, x).linear(w, rest.pop(0) if has_bias else None)
        for step in steps[has_bias:]:
            if step in unary:
                value = value.map(*unary[step][1:])
            elif step == "residual":
                value = value.plus(Approximate(dtype, rest.pop(0)))
            else:
                value = Approximate(dtype, rest.pop(0)).map(silu, 1.1).times(value)
        return value.expected

    return Case(name, operands, [y], "\n".join(body), reference, ("normal",), [{}])


def gated(name, dtype, m, n, k):
    """silu(x g^T) (x u^T): two products of one program, whose matrices are joined when they are loaded."""
    x, w, y = Operand(dtype, (m, k)), Operand(dtype, (n, k), weight=True), Operand(dtype, (m, n))
    body = "\n".join(
        [
            "{p}0 = tenon.linear {0}, {1} : ({t0}, {t1}) -> {rt0}",
            "{p}1 = tenon.linear {0}, {2} : ({t0}, {t2}) -> {rt0}",
            "{r0} = tenon.swiglu {p}0, {p}1 : ({rt0}, {rt0}) -> {rt0}",
        ]
    )

    def reference(x, gate, up, kind):
        start = Approximate(dtype, x)
        return start.linear(gate).map(silu, 1.1).times(start.linear(up)).expected

    return Case(name, [x, w, w], [y], body, reference, ("normal",))
