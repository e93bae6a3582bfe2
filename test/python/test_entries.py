"""Models with several entries, from Python: exported programs by name become one artefact."""
import json
import zipfile

import numpy as np
import pytest
import torch

import tenon
from tenon.state import State, StateSpec


class Table(torch.nn.Module):
    """Rows that are remembered, and what they come to."""

    def __init__(self, rows=4):
        super().__init__()
        self.head = torch.nn.Linear(8, 6)
        self.register_buffer("kept", torch.zeros(rows, 8))

    def remember(self, x):
        self.kept.copy_(x)
        return self.head(x)

    def recall(self, scale):
        self.kept.mul_(scale)
        return self.head(self.kept)


class Call(torch.nn.Module):
    def __init__(self, table, method):
        super().__init__()
        self.table, self.method = table, method

    def forward(self, x):
        return getattr(self.table, self.method)(x)


def exported(table, method, *inputs, **options):
    return torch.export.export(Call(table, method).eval(), inputs, strict=False, **options)


@pytest.fixture(scope="module")
def table():
    torch.manual_seed(1)
    return Table()


@pytest.fixture(scope="module")
def model(table):
    return tenon.compile({"remember": exported(table, "remember", torch.zeros(4, 8)),
                          "recall": exported(table, "recall", torch.tensor(1.0))})


def test_entries_share_weights_and_buffers(model, table, tmp_path):
    model.save(tmp_path / "m.tnx")
    for made in (model, tenon.load(tmp_path / "m.tnx")):
        x = torch.randn(4, 8)
        assert made.entries == ("remember", "recall") and made.entry_name == "remember" and made.entry("remember") is made
        recall = made.entry("recall")
        assert recall is made.entry("recall") and recall.inputs[0].shape == ()
        torch.testing.assert_close(made(x), table.head(x))
        torch.testing.assert_close(recall(torch.tensor(3.0)), table.head(3 * x))
        torch.testing.assert_close(made.state["table.kept"], 3 * x)
        assert made.state is recall.state
        recall.reset_state()
        torch.testing.assert_close(recall(torch.tensor(1.0)), table.head(torch.zeros(4, 8)))
    archive = zipfile.ZipFile(tmp_path / "m.tnx")
    manifest = json.loads(archive.read("manifest.json"))
    assert manifest["format"] == 4 and archive.namelist().count("weights.safetensors") == 1
    assert "entry     recall of remember, recall" in recall.report() and "recall of remember, recall" in repr(recall)


def test_numpy_without_torch_tensors(model, table):
    x = np.random.default_rng(0).standard_normal((4, 8), dtype=np.float32)
    np.testing.assert_allclose(model(x), table.head(torch.from_numpy(x)).detach(), atol=1e-5)


def test_a_smaller_buffer_is_the_start_of_a_larger(table):
    small = Table(2)
    small.head = table.head
    made = tenon.compile({"two": exported(small, "remember", torch.zeros(2, 8)),
                          "four": exported(table, "recall", torch.tensor(1.0))})
    x = torch.randn(2, 8)
    made.entry("four")(torch.tensor(0.0))
    address = made.state["table.kept"].data_ptr()
    made(x)
    assert made.state["table.kept"].data_ptr() == address
    expected = torch.cat([x, torch.zeros(2, 8)])
    torch.testing.assert_close(made.state["table.kept"], expected)
    torch.testing.assert_close(made.entry("four")(torch.tensor(2.0)), table.head(2 * expected))


def test_other_weights_of_one_name_are_called_by_both(table):
    other = Table()
    made = tenon.compile({"remember": exported(table, "remember", torch.zeros(4, 8)),
                          "other": exported(other, "remember", torch.zeros(4, 8))})
    x = torch.randn(4, 8)
    torch.testing.assert_close(made(x), table.head(x))
    torch.testing.assert_close(made.entry("other")(x), other.head(x))
    names = {value["name"] for value in made.entry("other").manifest["values"] if value["kind"] == "weight"}
    assert names == {"other.table.head.weight", "other.table.head.bias"}


def test_dynamic_sizes_and_text(table):
    batch = {"x": {0: torch.export.Dim("batch", max=16)}}
    made = tenon.compile({"many": exported(table.head, "forward", torch.zeros(3, 8), dynamic_shapes=batch),
                          "one": exported(table.head, "forward", torch.zeros(1, 8))})
    for rows in (1, 7, 16):
        x = torch.randn(rows, 8)
        torch.testing.assert_close(made(x), table.head(x))
    torch.testing.assert_close(made.entry("one")(x[:1]), table.head(x[:1]))
    with pytest.raises(tenon.InvalidArgumentError, match="'x' has size 2 at axis 0, expected 1"):
        made.entry("one")(x[:2])


class Inverse(torch.nn.Module):
    def forward(self, x):
        return torch.linalg.inv(x)


@pytest.mark.parametrize("make, kind, message", [
    (lambda table, model: model.entry("recal"), tenon.NotFoundError,
     "the model has no entry 'recal'; its entries are 'remember', 'recall'"),
    (lambda table, model: tenon.compile(torch.export.export(torch.nn.ReLU(), (torch.zeros(3),))).entry("decode"),
     tenon.NotFoundError, "no entry 'decode'; its entry is 'main'"),
    (lambda table, model: tenon.compile({}), tenon.InvalidArgumentError, "a model without entries"),
    (lambda table, model: tenon.compile({"a/b": exported(table, "remember", torch.zeros(4, 8))}), tenon.InvalidArgumentError,
     "an entry is called 'a/b', expected letters"),
    (lambda table, model: tenon.compile({"a": table}), tenon.InvalidArgumentError,
     "expected a torch.export.ExportedProgram, got Table"),
    (lambda table, model: tenon.compile({"a": torch.export.export(Inverse(), (torch.eye(3),))}), tenon.UnsupportedError,
     r"entry 'a': the model has \d ops (?s:.)*linalg_inv"),
    (lambda table, model: tenon.compile({"a": exported(Table().double(), "remember", torch.zeros(4, 8).double()),
                                         "b": exported(table, "remember", torch.zeros(4, 8))}), tenon.InvalidArgumentError,
     "two entries of the model write to a buffer 'table.kept', and neither is a part of the other"),
])
def test_errors(table, model, make, kind, message):
    with pytest.raises(kind, match=message):
        make(table, model)


def test_a_copy_of_the_buffers_leaves_them_alone():
    spec = StateSpec("kept", "f32", (2, 3), None, 0)
    state = State([spec])
    state.tensors["kept"][0] = 1
    copied = state.copied()
    kept, = copied.values([spec])
    np.testing.assert_array_equal(kept, state.tensors["kept"])
    kept[1] = 2
    with copied.lock, state.lock:
        copied.take([spec], [np.full((2, 3), 7, np.float32)], ())
    np.testing.assert_array_equal(state.tensors["kept"], [[1, 1, 1], [0, 0, 0]])
    np.testing.assert_array_equal(copied.tensors["kept"], np.full((2, 3), 7))
