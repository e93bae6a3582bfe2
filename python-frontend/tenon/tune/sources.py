"""What is tuned: models, or single ops by name. An op is a line such as

    linear 4096x16384x4096 bias gelu      x @ w.T of rows x columns x depth, bf16; then bias, gelu or silu, residual
    linear 64x4096x4096 f16
    gated 4096x14336x4096                 silu(x @ g.T) * (x @ u.T)
"""
import re
import zipfile
from pathlib import Path

from tenon.errors import InvalidArgumentError

TYPES = ("bf16", "f16", "f32")
STEPS = ("bias", "gelu", "silu", "residual")
FORM = "an op is `linear MxNxK [bf16|f16|f32] [bias] [gelu|silu] [residual]` or `gated MxNxK [bf16|f16|f32]`"


def text_of_op(line):
    """The model, text in the tenon dialect, of an op's line."""
    words = line.split()
    sizes = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)x([1-9]\d*)", words[1]) if len(words) > 1 else None
    if not sizes or words[0] not in ("linear", "gated"):
        raise InvalidArgumentError(f"no op '{line}': {FORM}")
    m, n, k = map(int, sizes.groups())
    rest = words[2:]
    element = rest.pop(0) if rest and rest[0] in TYPES else "bf16"
    unknown = [word for word in rest if word not in STEPS or words[0] == "gated" or rest.count(word) > 1]
    if unknown:
        raise InvalidArgumentError(f"no op '{line}': '{unknown[0]}' has no place in it; {FORM}")
    x, w, b, y = (f"tensor<{size}x{element}>" for size in (f"{m}x{k}", f"{n}x{k}", f"{n}", f"{m}x{n}"))
    arguments, body = [f"%x: {x}", f"%w: {w}"], []

    def product(name, weight, bias=""):
        more = (f", {bias}", f", {b}") if bias else ("", "")
        body.append(f"{name} = tenon.linear %x, {weight}{more[0]} : ({x}, {w}{more[1]}) -> {y}")
    if words[0] == "gated":
        arguments.append(f"%u: {w}")
        product("%a", "%w")
        product("%b", "%u")
        body += [f"%s = tenon.silu %a : ({y}) -> {y}", f"%r = tenon.mul %s, %b : ({y}, {y}) -> {y}"]
    else:
        if "bias" in rest:
            arguments.append(f"%b: {b}")
        product("%r0", "%w", "%b" if "bias" in rest else "")
        last = "%r0"
        for word in rest:
            if word in ("gelu", "silu"):
                body.append(f"%s = tenon.{word} {last} : ({y}) -> {y}")
                last = "%s"
            if word == "residual":
                arguments.append(f"%z: {y}")
                body.append(f"%t = tenon.add {last}, %z : ({y}, {y}) -> {y}")
                last = "%t"
        body[-1] = body[-1].replace(last + " =", "%r =", 1)
    lines = "\n  ".join(body)
    return f"func.func @main({', '.join(arguments)}) -> {y} {{\n  {lines}\n  return %r : {y}\n}}\n"


def texts_of(path):
    """[(name, text)] of a file: a model as text, artefact or exported program, or lines of ops (.ops)."""
    path = Path(path)
    if path.suffix == ".ops":
        lines = [line.split("#")[0].strip() for line in _read(path).splitlines()]
        return [(line, text_of_op(line)) for line in lines if line]
    if path.suffix == ".pt2":
        import torch
        from tenon.importer.exported_program import import_program
        return [(path.stem, import_program(torch.export.load(path)).text)]
    if path.suffix == ".tnx":
        try:
            with zipfile.ZipFile(path) as archive:
                return [(path.stem, archive.read("model.mlir").decode())]
        except (OSError, zipfile.BadZipFile) as error:
            raise InvalidArgumentError(f"{path}: {error}") from None
        except KeyError:
            raise InvalidArgumentError(f"{path}: the artefact holds no model.mlir, it was compiled with --no-model or from a "
                                       "later phase; tune the model's text") from None
    return [(path.stem, _read(path))]


def _read(path):
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidArgumentError(f"{path}: {error}; a source is a model (.mlir, .pt2, .tnx) or a file of ops "
                                   "(.ops)") from None
