"""The importer as a whole: what its text says of names, dimensions, weights, constants and places, that tenon-opt
accepts it, and how it refuses."""
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

import tenon
from tenon.importer.exported_program import import_program
from tenon.importer.pt2_archive import read_program

ROOT = Path(__file__).resolve().parents[2]


def line_of(text):
    """Where the only other occurrence of `text` in this file is."""
    return next(number for number, line in enumerate(Path(__file__).read_text().splitlines(), 1) if text in line)


def export(module, *inputs, **options):
    return torch.export.export(module.eval(), inputs, strict=False, **options)


def imported(module, *inputs, **options):
    """The import of a module, its text verified."""
    result = import_program(export(module, *inputs, **options))
    done = subprocess.run([ROOT / "build/bin/tenon-opt", "-"], input=result.text, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr + result.text
    return result


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = torch.nn.Linear(4, 4)

    def forward(self, x):
        return self.proj(x).relu() + 1.0


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = torch.nn.ModuleList([Block(), Block()])
        self.register_buffer("scale", torch.full((4,), 2.0))
        self.register_buffer("steps", torch.arange(4), persistent=False)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x * self.scale + self.steps


def test_each_node_says_module_and_line():
    text = imported(Model(), torch.randn(2, 4)).text
    line = line_of(".relu() + 1.0")
    linear = re.search(r"%linear_1 = tenon.linear .* loc\(#(\w+)\)", text).group(1)
    assert f'#{linear} = loc("blocks.1.proj"("test/python/test_importer.py":{line}:0))' in text


class Windows(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.tall, self.wide = torch.nn.Conv2d(1, 2, (3, 1)), torch.nn.Conv2d(2, 1, (1, 3))

    def forward(self, x):
        return self.wide(self.tall(x))  # two windows


def test_places_survive_into_the_report_and_remarks():
    """The module's path and the line of the author's code, of each kernel and of what was not done."""
    line = line_of("  # two windows")
    report = tenon.compile(export(Windows(), torch.randn(1, 1, 8, 8)), remarks=True).report()
    for name in ("tall", "wide"):
        assert f"test/python/test_importer.py:{line} ({name})" in report.split("not done:")[0], report
        assert f"test/python/test_importer.py:{line}:0 ({name}): convolution is no linear of patches" in report, report


def test_weights_buffers_and_constants():
    result = imported(Model(), torch.randn(2, 4))
    assert list(result.weights) == ["blocks.0.proj.weight", "blocks.0.proj.bias", "blocks.1.proj.weight",
                                    "blocks.1.proj.bias", "scale"]
    assert '%scale = tenon.weight "scale" : tensor<4xf32>' in result.text
    # Not in any checkpoint, so in the text.
    assert '%steps = tenon.constant dense<"0x0000000000000000010000000000000002' in result.text


class Tied(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(10, 4)
        self.head = torch.nn.Linear(4, 10, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, ids):
        return self.head(self.embed(ids))


def test_tied_weights_are_one():
    result = imported(Tied(), torch.tensor([[1, 2]]))
    assert list(result.weights) == ["embed.weight"] and result.text.count("tenon.weight") == 1
    model = tenon.compile(export(Tied(), torch.tensor([[1, 2]])))
    assert model(torch.tensor([[3, 4]])).shape == (1, 2, 10)


class Sizes(torch.nn.Module):
    def forward(self, x, y):
        both = torch.cat([x, y], 1)
        return both.reshape(both.shape[0] * both.shape[1], -1), both.shape[1] * x


def test_dimensions_have_names_and_bounds():
    batch, length = torch.export.Dim("batch", min=2, max=8), torch.export.Dim("length", max=100)
    x, y = torch.randn(3, 5, 4), torch.randn(3, 5, 4)
    result = imported(Sizes(), x, y, dynamic_shapes=({0: batch, 1: length}, {0: batch, 1: length}))
    assert '"batch" = array<i64: 2, 8>, "length" = array<i64: 2, 100>' in result.text.splitlines()[0] or \
        '"length" = array<i64: 0, 100>' in result.text.splitlines()[0]
    assert result.text.count('tenon.dims = ["batch", "length", ""]') == 2
    model = tenon.compile(export(Sizes(), x, y, dynamic_shapes=({0: batch, 1: length}, {0: batch, 1: length})))
    x, y = torch.randn(2, 7, 4), torch.randn(2, 7, 4)
    for mine, theirs in zip(model(x, y), Sizes()(x, y)):
        assert torch.equal(mine, theirs)


def test_a_saved_program_has_forgotten_the_names(tmp_path):
    batch = torch.export.Dim("batch", min=2, max=8)
    torch.export.save(export(Block(), torch.randn(3, 4), dynamic_shapes=({0: batch},)), tmp_path / "m.pt2")
    program = torch.export.load(tmp_path / "m.pt2")
    assert 'tenon.dims = ["x_0", ""]' in import_program(program).text
    assert 'tenon.dims = ["rows", ""]' in import_program(program, dims={"x": ("rows", None)}).text


class Outputs(torch.nn.Module):
    def forward(self, x):
        return {"logits": x + 1, "hidden": (x, x * 2)}


def test_names_of_inputs_and_outputs():
    text = imported(Outputs(), torch.randn(3)).text
    assert re.findall(r'tenon.name = "(\w+)"', text.splitlines()[1]) == ["x", "logits", "hidden_0", "hidden_1"]


class Unsupported(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = Sorter()

    def forward(self, x):
        y = self.inner(x) + self.inner(x * 2)
        return y + torch.linalg.inv(x[:, :, None] @ x[:, None, :])[0, 0, 0], (y.to(torch.int16) + 1).float()


class Sorter(torch.nn.Module):
    def forward(self, x):
        return x.sort(-1).values.kthvalue(1).values[..., None]


def test_all_unsupported_ops_in_one_error():
    with pytest.raises(tenon.UnsupportedError) as caught:
        import_program(export(Unsupported(), torch.randn(2, 3)))
    names = [name for name, _, _ in caught.value.ops]
    assert names[:2] == ["aten.sort.default", "aten.kthvalue.default"] and len(names) >= 4
    message = str(caught.value)
    line = line_of("x.sort(-1)")
    assert f"the model has {len(names)} ops that Tenon does not import" in message
    place = f"at inner (test/python/test_importer.py:{line})"
    assert f"aten.sort.default, 2 times: not in the importer's table\n      {place}" in message
    assert "torch.int16, which the dialect lacks" in message and "Next: " in message
    with pytest.raises(NotImplementedError):
        tenon.compile(export(Unsupported(), torch.randn(2, 3)))


class Stateful(torch.nn.Module):
    def __init__(self, size=1):
        super().__init__()
        self.register_buffer("count", torch.full((size,), 2.0))

    def forward(self, x, into):
        self.count += 1
        into[0] = x[0]
        return x + self.count


class DataDependent(torch.nn.Module):
    def forward(self, x):
        return x[x > 0]


class Training(torch.nn.Module):
    def forward(self, x):
        return torch.nn.functional.dropout(x, 0.5, True)


class Bytes(torch.nn.Module):
    def forward(self, x):
        return x + 1


class Number(torch.nn.Module):
    def forward(self, n: int, x, *, m: int = 3):
        return x[:n] * n + torch.arange(n) // 2, x.new_full((m,), 2.0)


def test_integers_among_the_inputs(tmp_path):
    x, varying = torch.randn(9), torch.export.Dim.DYNAMIC
    program = torch.export.export(Number(), (4, x), {"m": 3}, dynamic_shapes={"n": varying, "x": None, "m": varying})
    model = tenon.compile(program)
    model.save(tmp_path / "m.tnx")
    torch.export.save(program, tmp_path / "m.pt2")
    for model in (model, tenon.load(tmp_path / "m.tnx"), tenon.compile(read_program(tmp_path / "m.pt2"))):
        for n, m in ((4, 3), (2, 7), (9, 2)):
            for mine, theirs in zip(model(n, x, m=m), Number()(n, x, m=m), strict=True):
                assert torch.equal(mine, theirs)
        assert isinstance(model(2, x.numpy(), m=2)[0], np.ndarray)
    for wrong, got in ((-1, "-1"), (10, "10"), (2.0, "a float"), (True, "a bool"), ("2", "a str"), (x, "a Tensor")):
        with pytest.raises(tenon.InvalidArgumentError, match=f"argument 'n' is {got}, expected an integer from 2 to 9"):
            model(wrong, x, m=3)


class NumberOut(torch.nn.Module):
    def forward(self, n: int, x):
        return x * n, n + 1


def test_an_integer_among_the_outputs_is_refused():
    program = torch.export.export(NumberOut(), (4, torch.randn(2)), dynamic_shapes=(torch.export.Dim.DYNAMIC, None))
    with pytest.raises(tenon.UnsupportedError, match="output 1 is .* a number known only at run time; return a tensor of it"):
        tenon.compile(program)


@pytest.mark.parametrize("module, example, message", [
    (Training(), torch.randn(2), "dropout in training mode: export the model after model.eval"),
    (Bytes(), torch.zeros(2, dtype=torch.uint8), "input 'x' is of torch.uint8, which Tenon does not take"),
])
def test_refused(module, example, message):
    with pytest.raises(tenon.UnsupportedError, match=message):
        import_program(export(module, example))


def test_buffers_and_inputs_that_a_model_writes(tmp_path):
    module, x, into = Stateful(), torch.randn(2), torch.zeros(3)
    model = tenon.compile(export(module, x, into))  # the buffer as it is at the export: 2
    assert [io.name for io in model.inputs] == ["x", "into", "count"]
    for turn in range(1, 4):
        assert torch.equal(model(x, into), x + (2 + turn)) and float(model.state["count"]) == 2 + turn
        assert into[0] == x[0] and not into[1:].any()
    model.save(tmp_path / "m.tnx")
    again = tenon.load(tmp_path / "m.tnx")
    target = np.zeros(3, np.float32)
    assert np.array_equal(again(x.numpy(), target), x.numpy() + 3) and target[0] == x[0]
    model.reset_state()
    model.state["count"].fill_(7.0)
    assert torch.equal(model(x, into), x + 8)


def test_a_large_buffer_that_is_written_starts_at_zero():
    with pytest.raises(tenon.UnsupportedError, match="its buffer 'count', which holds 80000 bytes that are not zero"):
        import_program(export(Stateful(20000), torch.randn(1), torch.zeros(3)))


def test_selection_by_mask_depends_on_data():
    with pytest.raises(tenon.UnsupportedError, match="depends on data"):
        import_program(torch.export.export(DataDependent(), (torch.randn(4),), strict=False))


def test_an_idle_input_is_worth_a_warning():
    x = torch.randn(2)  # given twice: torch.export makes one input of it
    with pytest.warns(UserWarning, match="does not use its input"):
        import_program(export(Twice(), x, x))


class Twice(torch.nn.Module):
    def forward(self, x, y):
        return x * 2 + y


class Modes(torch.nn.Module):
    def forward(self, x):
        with torch.no_grad():
            y = x * 2
        with torch.autocast("cpu", enabled=False):
            return y.float() + 1


def test_modes_are_looked_through():
    text = imported(Modes(), torch.randn(2)).text
    assert "tenon.mul" in text and "tenon.add" in text


def test_special_floats_and_large_constants():
    class Special(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("table", torch.arange(8192.0), persistent=False)

        def forward(self, x):
            return torch.where(x > 0, float("inf"), float("-inf")) + x * 1e-30, self.table[:4] * x
    result = imported(Special(), torch.ones(4))
    assert "0x7F800000" in result.text and "0xFF800000" in result.text and "1.0e-30" in result.text
    assert list(result.weights) == ["table"]  # too large to stand in the text


def test_same_program_same_text():
    program = export(Model(), torch.randn(2, 4))
    assert import_program(program).text == import_program(program).text == \
        import_program(export(Model(), torch.randn(2, 4))).text


class InPlace(torch.nn.Module):
    def forward(self, x):
        y = x * 2
        y += 1  # nothing else sees y
        z = torch.nn.functional.relu(y, inplace=True)
        z.mul_(0.5)
        return z.t()


class Observed(torch.nn.Module):
    def forward(self, x):
        y = x * 2
        first = y[0]
        y += 1  # first sees it
        return first, y


def test_in_place(monkeypatch):
    x = torch.randn(3, 4)
    program = export(InPlace(), x)
    with monkeypatch.context() as patch:
        patch.setattr(torch.export.ExportedProgram, "run_decompositions", None)  # not needed, as it takes seconds
        assert re.findall(r"tenon\.(add|relu|mul) ", import_program(program).text) == ["mul", "add", "relu", "mul"]
    assert torch.allclose(tenon.compile(program)(x), InPlace()(x))
    got, want = tenon.compile(export(Observed(), x))(x), Observed()(x)
    assert torch.allclose(got[0], want[0]) and torch.allclose(got[1], want[1])
