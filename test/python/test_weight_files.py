"""Safetensors files that lie: sizes, types, places, or any byte changed at random. Each is read or refused with a typed error
that names the file."""
import json
import random
import struct

import pytest
import torch
from safetensors.torch import save_file

import tenon

TEXT = """
func.func @main(%x: tensor<8x6xf32> {tenon.name = "x"}) -> tensor<8x6xf32> {
  %w = tenon.weight "a.weight" : tensor<6xf32>
  %v = tenon.weight "b.weight" : tensor<8x6xf32>
  %p = tenon.mul %x, %w : (tensor<8x6xf32>, tensor<6xf32>) -> tensor<8x6xf32>
  %r = tenon.add %p, %v : (tensor<8x6xf32>, tensor<8x6xf32>) -> tensor<8x6xf32>
  return %r : tensor<8x6xf32>
}
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "whole.safetensors"
    save_file({"a.weight": torch.randn(6), "b.weight": torch.randn(8, 6)}, path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """An artefact without weights: loading it is what reads the file, and takes no compilation."""
    folder = tmp_path_factory.mktemp("bare")
    model = tenon.compile(TEXT, weights={"a.weight": torch.zeros(6), "b.weight": torch.zeros(8, 6)})
    model.save(folder / "bare.tnx", weights=False)
    return folder / "bare.tnx"


def with_header(whole, change):
    size = struct.unpack("<Q", whole[:8])[0]
    header = json.loads(whole[8:8 + size])
    change(header)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + whole[8 + size:]


def entry(**fields):
    return lambda header: header["a.weight"].update(fields)


LIES = [
    ("another type of the same size", entry(dtype="I32")),
    ("a type of half the size", entry(dtype="F16")),
    ("a type that is none", entry(dtype="F33")),
    ("a type that is a number", entry(dtype=3)),
    ("a shape of more elements", entry(shape=[7])),
    ("a shape of the same elements", entry(shape=[2, 3])),
    ("a shape past all memory", entry(shape=[2**62, 4])),
    ("a negative shape", entry(shape=[-6])),
    ("offsets past the end", entry(data_offsets=[0, 2**40])),
    ("offsets backwards", entry(data_offsets=[24, 0])),
    ("offsets of text", entry(data_offsets=["0", "24"])),
    ("offsets over another tensor", entry(data_offsets=[4, 28])),
    ("no offsets", lambda header: header["a.weight"].pop("data_offsets")),
    ("no such weight", lambda header: header.pop("a.weight")),
    ("an entry that is a list", lambda header: header.update({"a.weight": []})),
]


@pytest.mark.parametrize("lie", [lie for _, lie in LIES], ids=[name for name, _ in LIES])
def test_headers_that_lie(whole, bare, tmp_path, lie):
    path = tmp_path / "w.safetensors"
    path.write_bytes(with_header(whole, lie))
    with pytest.raises(tenon.TenonError) as caught:
        tenon.load(bare, weights=path)
    assert "w.safetensors" in str(caught.value) or "a.weight" in str(caught.value)


@pytest.mark.parametrize("size", [0, 7, 8, 20, 100, -1])
def test_files_cut_short(whole, bare, tmp_path, size):
    path = tmp_path / "w.safetensors"
    path.write_bytes(whole[:size])
    with pytest.raises(tenon.CorruptError, match="w.safetensors"):
        tenon.load(bare, weights=path)


def test_mutations_are_typed_errors(whole, bare, tmp_path):
    seed = 20261127
    print(f"seed {seed}")
    numbers, path, refused = random.Random(seed), tmp_path / "w.safetensors", 0
    header_end = 8 + struct.unpack("<Q", whole[:8])[0]
    for _ in range(400):
        changed = bytearray(whole)
        for _ in range(numbers.randint(1, 4)):
            changed[numbers.randrange(header_end)] = numbers.choice(b'0123456789"{}[],:FIabx\x00\xff')
        path.write_bytes(changed)
        try:
            tenon.load(bare, weights=path)
        except tenon.TenonError:
            refused += 1
    assert 200 < refused <= 400, refused


AT_LOAD = """
func.func @main(%x: tensor<64xf32> {tenon.name = "x"}) -> tensor<64xf32> {
  %w = tenon.weight "a.weight" : tensor<64xf32>
  %v = tenon.weight "b.weight" : tensor<64xf32>
  %s = tenon.add %w, %v : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
  %p = tenon.mul %x, %s : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
  %r = tenon.add %p, %v : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
  return %r : tensor<64xf32>
}
"""


@pytest.mark.parametrize("more", range(0, 64, 4))
def test_weights_lie_anywhere(tmp_path, more):
    """A file's header has any length; what runs at load reads the weights where they are."""
    first, second, x = torch.randn(64), torch.randn(64), torch.randn(64)
    model = tenon.compile(AT_LOAD, weights={"a.weight": first, "b.weight": second})
    model.save(tmp_path / "bare.tnx", weights=False)
    save_file({"a.weight": first, "b.weight": second}, tmp_path / "w.safetensors")
    data = (tmp_path / "w.safetensors").read_bytes()
    size = struct.unpack("<Q", data[:8])[0] + more
    (tmp_path / "w.safetensors").write_bytes(struct.pack("<Q", size) + data[8:8 + size - more] + b" " * more + data[8 + size - more:])
    result = tenon.load(tmp_path / "bare.tnx", weights=tmp_path / "w.safetensors")(x)
    torch.testing.assert_close(result, x * (first + second) + second)
