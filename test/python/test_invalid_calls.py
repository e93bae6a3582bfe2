"""Wrong calls, a table of more than 300: each is refused before anything runs, with an error that names the argument, what
it got and what was expected; afterwards the model still gives the right numbers."""
import collections
import datetime

import numpy as np
import pytest
import torch

import tenon

BATCH, LENGTH = (1, 8), (1, 16)


class Model(torch.nn.Module):
    """One input of each kind: a table's indices, a mask, floats of two types, a scalar, an integer, a structure."""

    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding(10, 4)

    def forward(self, ids, mask, x, half, scale, count: int, *, pair):
        hidden = self.table(ids) * mask[:, :, None] + x[:, None]
        return (hidden * scale + half.float()) * count + pair["left"] * pair["right"]


NAMES = {"ids": "i64", "mask": "i1", "x": "f32", "half": "bf16", "scale": "f32", "left": "f32", "right": "f32"}


def arguments(batch=2, length=3):
    """By name; "left" and "right" go into `pair`."""
    return dict(ids=torch.randint(0, 10, (batch, length)), mask=torch.rand(batch, length) > 0.5, x=torch.randn(batch, 4),
                half=torch.randn(4).bfloat16(), scale=torch.tensor(2.0), count=3, left=torch.randn(4), right=torch.randn(4))


def call(model, given):
    given = dict(given)
    pair = given.pop("pair") if "pair" in given else {name: given.pop(name) for name in ("left", "right") if name in given}
    return model(**given, pair=pair)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    batch, length = torch.export.Dim("batch", min=1, max=8), torch.export.Dim("length", min=1, max=16)
    given = arguments()
    pair = {"left": given.pop("left"), "right": given.pop("right")}
    return tenon.compile(torch.export.export(
        Model().eval(), (), {**given, "pair": pair}, strict=False,
        dynamic_shapes={"ids": {0: batch, 1: length}, "mask": {0: batch, 1: length}, "x": {0: batch}, "half": None,
                        "scale": None, "count": torch.export.Dim.DYNAMIC, "pair": {"left": None, "right": None}}))


class NoTensor:
    def __repr__(self):
        return "NoTensor"


NOT_TENSORS = [None, "text", [1.0, 2.0], (1, 2), {"a": 1}, {1, 2}, NoTensor(), NoTensor, len, ..., range(3), 1j,
               datetime.date(2026, 1, 1), iter([1.0])]
TORCH_TYPES = {torch.float64: "f64", torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16", torch.int64: "i64",
               torch.int32: "i32", torch.int16: "i16", torch.int8: "i8", torch.uint8: "ui8", torch.bool: "i1",
               torch.float8_e4m3fn: "f8E4M3FN", torch.complex64: "torch.complex64", torch.uint32: "torch.uint32"}
NUMPY_TYPES = {"float64": "f64", "float32": "f32", "float16": "f16", "int64": "i64", "int32": "i32", "int16": "i16",
               "int8": "i8", "uint8": "ui8", "bool": "i1", "complex128": "complex128", "uint64": "uint64", ">f4": ">f4",
               "datetime64[s]": "datetime64", "U3": "<U3", "object": "object"}


def named(name):
    return f"'pair_{name}'" if name in ("left", "right") else f"'{name}'"


def wrong_types():
    for name, right in NAMES.items():
        shape = tuple(arguments()[name].shape)
        for dtype, spelled in TORCH_TYPES.items():
            if spelled != right:
                yield f"{name}-{dtype}", {name: torch.zeros(shape).to(dtype)}, [named(name), spelled]
        for dtype, spelled in NUMPY_TYPES.items():
            if spelled != right:
                yield f"{name}-numpy-{dtype}", {name: np.zeros(shape, dtype)}, [named(name), spelled]


def wrong_shapes():
    for name in NAMES:
        right = arguments()[name]
        for shape in ((), (1,), (4, 4), (2, 3, 1), (1, 1, 2, 3)):
            if len(shape) != right.dim():
                yield (f"{name}-rank-{len(shape)}", {name: torch.zeros(shape).to(right.dtype)},
                       [named(name), f"has rank {len(shape)}", f"expected rank {right.dim()}"])
    for name in ("x", "half", "left", "right"):
        for size in (0, 1, 2, 3, 5, 8, 4000):
            right = arguments()[name]
            yield (f"{name}-size-{size}", {name: torch.zeros(*right.shape[:-1], size).to(right.dtype)},
                   [named(name), f"has size {size} at axis {right.dim() - 1}", "expected 4"])
    for batch in (0, 9, 10, 100):
        yield (f"batch-{batch}", {name: arguments(batch)[name] for name in ("ids", "mask", "x")},
               ["'ids'", f"has size {batch} at axis 0 (batch)", "expected 1 to 8"])
    for length in (0, 17, 18, 1000):
        yield (f"length-{length}", {name: arguments(2, length)[name] for name in ("ids", "mask")},
               ["'ids'", f"has size {length} at axis 1 (length)", "expected 1 to 16"])
    for name, axis, dim in (("mask", 0, "batch"), ("x", 0, "batch"), ("mask", 1, "length")):
        for size in (1, 4, 5, 8):
            other = arguments(size, 3) if axis == 0 else arguments(2, size)
            yield f"{name}-other-{dim}-{size}", {name: other[name]}, [named(name), f"has size {size}", dim]


def wrong_places():
    for name in NAMES:
        yield f"{name}-meta", {name: arguments()[name].to("meta")}, [named(name), "is on meta", "expected the CPU"]
    for name in ("ids", "mask", "x", "left"):
        yield f"{name}-sparse", {name: torch.ones(arguments()[name].shape).to(arguments()[name].dtype).to_sparse()}, [
            named(name), "sparse", "expected a dense tensor"]


def wrong_values():
    for name in NAMES:
        for number, value in enumerate(NOT_TENSORS):
            yield f"{name}-no-tensor-{number}", {name: value}, [named(name), type(value).__name__, "expected"]
    for number, value in enumerate([*NOT_TENSORS, 2.0, True, "3", np.float32(3), torch.tensor([3, 4]), torch.tensor(3.0)]):
        yield f"count-{number}", {"count": value}, ["'count'", type(value).__name__, "expected an integer"]
    for value in (-1, -3, 2**31, 2**62, 2**64, 10**30):
        yield f"count-{value}", {"count": value}, ["'count'", str(value), "expected an integer"]


def wrong_structures():
    left, right = torch.randn(4), torch.randn(4)
    named = collections.namedtuple("Pair", "left other")(left, right)
    for number, pair in enumerate([None, left, [left, right], (left, right), {}, {"left": left}, {"right": right},
                                   {"Left": left, "right": right}, named, "pair", 3]):
        yield f"pair-{number}", {"pair": pair}, ["pair is a", type(pair).__name__, "expected fields ['left', 'right']"]
    yield "pair-more", {"pair": {"left": left, "right": right, "up": left}}, ["pair has fields ['up'] beyond the expected"]


CASES = [*wrong_types(), *wrong_shapes(), *wrong_places(), *wrong_values(), *wrong_structures()]


def test_there_are_300():
    assert len(CASES) >= 300 and len({name for name, _, _ in CASES}) == len(CASES), len(CASES)


def refusal(model, wrong):
    given = arguments() | wrong
    if "pair" in wrong:
        del given["left"], given["right"]
    with pytest.raises(tenon.InvalidArgumentError) as caught:
        call(model, given)
    return str(caught.value)


def test_each_is_refused(model):
    unclear = []
    for name, wrong, words in CASES:
        try:
            message = refusal(model, wrong)
        except BaseException as error:  # pytest's own where nothing is raised, or an error of another kind
            unclear.append(f"{name}: {type(error).__name__}: {error}")
            continue
        if not all(word in message for word in words):
            unclear.append(f"{name}: {message!r}, expected {words}")
    assert not unclear, f"{len(unclear)} of {len(CASES)}:\n" + "\n".join(unclear)
    given = arguments(8, 16)
    torch.testing.assert_close(call(model, given).shape, torch.Size([8, 16, 4]))


def test_names_and_counts(model):
    given = arguments()
    pair = {"left": given["left"], "right": given["right"]}
    positional = [given[name] for name in ("ids", "mask", "x", "half", "scale", "count")]
    takes = "the model takes (*, ids, mask, x, half, scale, count, pair)"
    for left_out in ("ids", "mask", "x", "half", "scale", "count"):
        some = {name: value for name, value in given.items() if name not in (left_out, "left", "right")}
        with pytest.raises(tenon.InvalidArgumentError) as caught:
            model(**some, pair=pair)
        assert str(caught.value) == f"parameter '{left_out}' is missing: {takes}"
    for unknown in ("id", "Mask", "x_", "", "self", "args", "left"):
        with pytest.raises(tenon.InvalidArgumentError) as caught:
            model(**dict(zip(("ids", "mask", "x", "half", "scale", "count"), positional)), pair=pair, **{unknown: given["x"]})
        assert str(caught.value) == f"there is no parameter '{unknown}': {takes}"
    for count in range(1, 7):
        with pytest.raises(tenon.InvalidArgumentError, match="got . arguments by position, expected at most 0"):
            model(*positional[:count], pair=pair)
