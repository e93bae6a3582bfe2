"""What is tuned: models, or single ops by name. An op is a line such as

    linear 4096x16384x4096 bias gelu      x @ w.T of rows x columns x depth, bf16; then what is said, in this order
    linear 64x4096x4096 f16               residual: + z; gate: silu(z) * it; quantise: to e4m3 by a scale a row
    gated 4096x14336x4096                 silu(x @ g.T) * (x @ u.T); g and u are weights, as a model's are: they are joined
    quantised 4096x4096x4096 i8 row       of 8-bit operands with scales of tensors, rows or blocks (128 of a row of x, 128 x 128 of w)
"""
import re
import zipfile
from pathlib import Path

from tenon.errors import InvalidArgumentError

TYPES = ("bf16", "f16", "f32")
BYTES = {"i8": "i8", "e4m3": "f8E4M3FN"}
SCALES = ("tensor", "ones", "row", "block")
UNARY = {"gelu": "gelu {}", "gelu_tanh": "gelu {} {{approximation = #tenon.gelu<tanh>}}", "silu": "silu {}", "relu": "relu {}"}
STEPS = ("bias", *UNARY, "residual", "gate", "quantise")
FORM = ("an op is `linear MxNxK [bf16|f16|f32] [bias] [gelu|gelu_tanh|silu|relu] [residual|gate] [quantise]`, "
        "`gated MxNxK [bf16|f16|f32]` or `quantised MxNxK i8|e4m3 tensor|ones|row|block`")


def text_of_op(line):
    """The model, text in the tenon dialect, of an op's line."""
    kind, *words = line.split()
    sizes = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)x([1-9]\d*)", words[0]) if words else None
    makers = {"linear": _linear, "gated": _gated, "quantised": _quantised}
    if not sizes or kind not in makers:
        raise InvalidArgumentError(f"no op '{line}': {FORM}")
    try:
        arguments, body, result = makers[kind](*map(int, sizes.groups()), words[1:])
    except _Misplaced as why:
        raise InvalidArgumentError(f"no op '{line}': {why}; {FORM}") from None
    lines = "\n  ".join(body)
    return f"func.func @main({', '.join(arguments)}) -> {result} {{\n  {lines}\n  return %r : {result}\n}}\n"


class _Misplaced(Exception):
    """What is wrong with an op's words."""


def _tensor(element, *sizes):
    return f"tensor<{''.join(f'{size}x' for size in sizes)}{element}>"


def _element(words):
    return words.pop(0) if words and words[0] in TYPES else "bf16"


def _linear(m, n, k, words):
    """Arguments, lines of the body, the result's type; %r is the result."""
    element = _element(words)
    for number, word in enumerate(words):
        if word not in STEPS or STEPS.index(word) <= max((STEPS.index(before) for before in words[:number]), default=-1):
            raise _Misplaced(f"'{word}' has no place in it")
    x, w, b, y = (_tensor(element, *size) for size in ((m, k), (n, k), (n,), (m, n)))
    has_bias = "bias" in words
    arguments = [f"%x: {x}", f"%w: {w}"] + [f"%b: {b}"] * has_bias
    body = [f"%0 = tenon.linear %x, %w{', %b' * has_bias} : ({x}, {w}{f', {b}' * has_bias}) -> {y}"]
    result = y
    for number, word in enumerate(words[has_bias:], 1):
        before, given = f"%{number - 1}", f"%z{number}"
        if word in UNARY:
            body.append(f"%{number} = tenon.{UNARY[word].format(before)} : ({y}) -> {y}")
        elif word == "quantise":
            scale, result = _tensor("f32", m, 1), _tensor(BYTES["e4m3"], m, n)
            arguments.append(f"{given}: {scale}")
            body.append(f"%{number} = tenon.quantise {before}, {given} : ({y}, {scale}) -> {result}")
        else:
            arguments.append(f"{given}: {y}")
            call = f"add {before}, {given}" if word == "residual" else f"swiglu {given}, {before}"
            body.append(f"%{number} = tenon.{call} : ({y}, {y}) -> {y}")
    body[-1] = re.sub(r"^%\d+ =", "%r =", body[-1])
    return arguments, body, result


def _gated(m, n, k, words):
    element = _element(words)
    if words:
        raise _Misplaced(f"'{words[0]}' has no place in it")
    x, w, y = (_tensor(element, *size) for size in ((m, k), (n, k), (m, n)))
    body = [f'%{name} = tenon.weight "{name}" : {w}' for name in "gu"]
    body += [f"%{of} = tenon.linear %x, %{name} : ({x}, {w}) -> {y}" for name, of in (("g", "a"), ("u", "b"))]
    return [f"%x: {x}"], [*body, f"%r = tenon.swiglu %a, %b : ({y}, {y}) -> {y}"], y


def _quantised(m, n, k, words):
    if len(words) != 2 or words[0] not in BYTES or words[1] not in SCALES:
        raise _Misplaced("expected the operands' type and the form of their scales")
    element, form, side = BYTES[words[0]], words[1], 128
    scales = {"tensor": ((), ()), "ones": ((1, 1), (1, 1)), "row": ((m, 1), (n, 1)),
              "block": ((m, 1), (-(-n // side), -(-k // side)))}[form]
    x, w, y = _tensor(element, m, k), _tensor(element, n, k), _tensor("bf16", m, n)
    of_x, of_w = (_tensor("f32", *shape) for shape in scales)
    blocks = f" {{block = array<i64: {side}, {side}>}}" * (form == "block")
    call = f"%r = tenon.quantised_matmul %x scale(%s), %w scale(%t){blocks} : ({x}, {of_x}, {w}, {of_w}) -> {y}"
    return [f"%x: {x}", f"%s: {of_x}", f"%w: {w}", f"%t: {of_w}"], [call], y


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
