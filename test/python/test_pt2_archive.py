"""Reading .pt2 files: what torch.export.save writes comes back whole, nothing in a file is run, and a broken one is a typed
error that says what is wrong."""
import io
import json
import pickle
import random
import struct
import zipfile

import pytest
import torch

import tenon
from tenon.importer.exported_program import import_program
from tenon.importer.pt2_archive import read_program


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = torch.nn.Linear(8, 6)
        self.tied = torch.nn.Linear(8, 6, bias=False)
        self.tied.weight = self.proj.weight
        self.register_buffer("scale", torch.arange(6).half(), persistent=False)
        self.offset = torch.tensor([1.0, 2.0, 3.0])

    def forward(self, x, *, more):
        with torch.no_grad():
            y = self.proj(x) * self.scale + self.offset.sum()
        return {"a": y, "b": (self.tied(more["x"]).reshape(x.shape[0] * 2, 3), 3)}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("pt2") / "m.pt2"
    torch.manual_seed(0)
    rows = torch.export.Dim("rows", min=1, max=64)
    program = torch.export.export(Model().eval(), (torch.randn(3, 8),), {"more": {"x": torch.randn(3, 8)}},
                                  dynamic_shapes={"x": {0: rows}, "more": {"x": {0: rows}}})
    torch.export.save(program, path)
    return path


def rewritten(path, change, tmp_path):
    """A copy whose entries went through `change`, name -> bytes -> bytes or None to leave it out."""
    copy = tmp_path / "changed.pt2"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(copy, "w") as target:
        for entry in source.infolist():
            data = change(entry.filename.partition("/")[2], source.read(entry))
            if data is not None:
                target.writestr(entry.filename, data)
    return copy


def with_json(path, tmp_path, change, name="models/model.json"):
    def edit(entry, data):
        if entry != name:
            return data
        value = json.loads(data)
        change(value)
        return json.dumps(value).encode()
    return rewritten(path, edit, tmp_path)


def refusal(path, kind=tenon.CorruptError):
    with pytest.raises(kind) as caught:
        read_program(path)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value)


def test_it_is_what_torch_reads(path):
    mine, theirs = read_program(path), torch.export.load(path)
    first, second = import_program(mine), import_program(theirs)
    assert first.text == second.text
    assert list(first.weights) == list(second.weights) and len(first.weights) == 2
    assert all(torch.equal(first.weights[name], second.weights[name]) for name in first.weights)
    model, x = tenon.compile(mine), torch.randn(5, 8)
    torch.testing.assert_close(model(x, more={"x": x}), theirs.module()(x, more={"x": x}))


def test_sample_inputs_and_guards_are_not_read(path, tmp_path):
    class Trap:
        def __reduce__(self):
            return exec, ("raise SystemExit('the file ran')",)

    def poison(name, data):
        return pickle.dumps(Trap()) if name == "data/sample_inputs/model.pt" else data
    assert len(import_program(read_program(rewritten(path, poison, tmp_path))).text) > 100

    def guard(program):
        program["guards_code"] = ["__import__('os').abort()"]
    read_program(with_json(path, tmp_path, guard))


def test_pickled_weights_are_refused(path, tmp_path):
    def change(config):
        config["config"]["proj.weight"]["use_pickle"] = True
    changed = with_json(path, tmp_path, change, "data/weights/model_weights_config.json")
    assert "'proj.weight' among the weights is a pickle, which is never read" in refusal(changed, tenon.UnsupportedError)


@pytest.mark.parametrize("size", [
    "__import__('os').abort()", "Symbol('s0').__class__", "(lambda: 1)()", "Pow(Integer(10), Integer(999999999))",
    "Integer(10**10**10)", "Symbol('s0', commutative=print)", "[Symbol('s0')]", "x" * 70000, "Integer(", "eval('1')"])
def test_sizes_are_not_evaluated(path, tmp_path, size):
    def change(program):
        sizes = program["graph_module"]["graph"]["tensor_values"]["x"]["sizes"]
        sizes[0]["as_expr"]["expr_str"] = size
    assert "is no expression over sizes" in refusal(with_json(path, tmp_path, change))


@pytest.mark.parametrize("target", ["torch.hub.load", "torch.ops.load_library", "torch.ops.mine.op.default", "#custom",
                                    "_operator.methodcaller", "math.fsum", "os.system", "torch.ops.aten.add.Tensor.x"])
def test_only_operators_of_torch_are_looked_up(path, tmp_path, target):
    def change(program):
        program["graph_module"]["graph"]["nodes"][0]["target"] = target
    said = refusal(with_json(path, tmp_path, change), tenon.UnsupportedError)
    assert f"the graph calls '{target}', which is no operator of torch's own" in said


def test_structures_import_nothing(path, tmp_path):
    def change(program):
        program["graph_module"]["module_call_graph"][0]["signature"]["out_spec"] = json.dumps(
            [1, {"type": "collections.defaultdict", "children_spec": [],
                 "context": {"default_factory_module": "antigravity", "default_factory_name": "x", "dict_context": []}}])
    assert "a collections.defaultdict among the module's" in refusal(with_json(path, tmp_path, change),
                                                                     tenon.UnsupportedError)


@pytest.mark.parametrize("change, expected", [
    (lambda meta: meta.update(sizes=[{"as_int": 600}, {"as_int": 8}]), "needs 4800 elements, its entry 'weight_0' has 48"),
    (lambda meta: meta.update(strides=[{"as_int": 8}]), "a shape, strides or an element type that no tensor has"),
    (lambda meta: meta.update(sizes=[{"as_int": -6}, {"as_int": 8}]), "that no tensor has"),
    (lambda meta: meta.update(sizes=[{"as_int": 2**40}] * 2, strides=[{"as_int": 0}] * 2), "that no tensor has"),
    (lambda meta: meta.update(storage_offset={"as_int": 7}), "needs 55 elements"),
    (lambda meta: meta.update(dtype=8), "needs 48 elements, its entry 'weight_0' has 24"),
    (lambda meta: meta.update(dtype="f32"), "that no tensor has"),
])
def test_tensors_that_lie(path, tmp_path, change, expected):
    def edit(config):
        change(config["config"]["proj.weight"]["tensor_meta"])
    assert expected in refusal(with_json(path, tmp_path, edit, "data/weights/model_weights_config.json"))


def test_archives_that_lie(path, tmp_path):
    data = path.read_bytes()
    cut = tmp_path / "cut.pt2"
    cut.write_bytes(data[:len(data) // 2])
    assert "what torch.export.save writes is a zip" in refusal(cut, tenon.InvalidArgumentError)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entry = archive.getinfo("m/data/weights/weight_0")
    far = bytearray(data)  # the directory's copy of the offset leads beyond the file
    at = far.rindex(struct.pack("<I", entry.header_offset) + b"m/data/weights/weight_0")
    far[at:at + 4] = struct.pack("<I", len(data) - 10)
    cut.write_bytes(far)
    assert "'data/weights/weight_0' has no header where the directory says" in refusal(cut)
    bare = rewritten(path, lambda name, data: None if name.startswith("models/") else data, tmp_path)
    assert "it holds no model; expected one exported program" in refusal(bare, tenon.UnsupportedError)
    assert "is no JSON" in refusal(rewritten(path, lambda name, data: b"{" if name == "models/model.json" else data, tmp_path))
    deep = b'{"graph_module": ' + b"[" * 200000
    assert "too deep" in refusal(rewritten(path, lambda name, data: deep if name == "models/model.json" else data, tmp_path))
    with pytest.raises(tenon.IoError, match="nowhere.pt2: No such file"):
        read_program(tmp_path / "nowhere.pt2")


def test_mutations_are_typed_errors(path, tmp_path):
    """Bytes changed at random, in the file and inside of the JSON: each copy is read or refused, with a typed error."""
    seed = 20261126
    print(f"seed {seed}")
    numbers, data = random.Random(seed), path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        graph = archive.read("m/models/model.json")
    refused = 0
    for turn in range(120):
        copy = tmp_path / "mutated.pt2"
        if turn % 2:
            changed = bytearray(data)
            for _ in range(numbers.randint(1, 8)):
                changed[numbers.randrange(len(changed))] = numbers.randrange(256)
            copy.write_bytes(changed)
        else:
            changed = bytearray(graph)
            for _ in range(numbers.randint(1, 4)):
                changed[numbers.randrange(len(changed))] = numbers.choice(b'0123456789"{}[],:abcxyz_.-')
            copy = rewritten(path, lambda name, entry: bytes(changed) if name == "models/model.json" else entry, tmp_path)
        try:
            import_program(read_program(copy))
        except tenon.TenonError:
            refused += 1
    assert 30 < refused < 120
