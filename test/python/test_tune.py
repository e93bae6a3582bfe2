"""tenon-tune where there is no GPU: all of it on the device simulator, whose times say nothing."""
import json
import random
import re
import subprocess
from pathlib import Path

import pytest

from tenon.errors import CorruptError, InvalidArgumentError, TenonError
from tenon.tune import database, report
from tenon.tune.accuracy import Gate
from tenon.tune.measuring import Results, pick, race, read_results
from tenon.tune.sources import text_of_op, texts_of
from tenon.tune.tasks import choose

ROOT = Path(__file__).resolve().parents[2]
OP = "linear 24x32x64"


def run(*arguments, tool="build/bin/tenon-tune"):
    done = subprocess.run([str(ROOT / tool), *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    return done.returncode, done.stdout


def record(shape="1x16x32x64", date="2026-01-01 00:00", us=2.0, **others):
    return {"op": "product nt", "shape": shape, "types": "bf16*bf16->bf16", "epilogue": "", "arch": "sm_90a", "build": "0.1.0",
            "schedule": "#tile.gemm<rows = 16, columns = 32, depth = 64>", "us": us,
            "model_schedule": "#tile.gemm<rows = 16, columns = 16, depth = 64>", "model_us": us * 1.1, "candidates": 3,
            "device": "H", "date": date} | others


@pytest.mark.parametrize("arguments, status, message", [
    ([], 2, "nothing to tune: name a model"),
    (["--op=linear 1x2x3"], 2, "--database=FILE says where records go"),
    (["--op=linear 1x2x3", "--run-only=a"], 2, "--run-only takes no sources"),
    (["--merge", "a", "--run-only=a"], 2, "one step each"),
    (["--merge", "a"], 2, "--database=FILE"),
    (["--op=linear 1x2x3", "--database=a", "--candidates=0"], 2, "--candidates is 1 to 40"),
    (["--op=linear 1x2x3", "--database=a", "--candidates=41"], 2, "--candidates is 1 to 40"),
    (["--help"], 0, "schedules a kernel, 1 to 40 (default: 20)"),
    (["--op=linear 1x2", "--compile-only=/tmp/none"], 1, "no op 'linear 1x2': an op is `linear MxNxK"),
    (["nowhere.mlir", "--compile-only=/tmp/none"], 1, "a source is a model (.mlir, .pt2, .tnx) or a file of ops (.ops)"),
    (["--op=" + OP, "--target=cpu", "--compile-only=/tmp/none"], 1, "'cpu' is no GPU"),
    (["--run-only=/tmp", "--device=sim"], 1, "no folder of tenon-tune --compile-only"),
    (["--merge", "nowhere", "--database=/tmp/none"], 1, "nowhere"),
])
def test_use(arguments, status, message):
    done, said = run(*arguments)
    assert done == status and message in said, said


def test_in_two_steps(tmp_path):
    """Compiled, cut by its budget, gone on with, merged, and chosen by a compilation."""
    ops = tmp_path / "some.ops"
    ops.write_text(f"{OP}  # a product\n\n{OP} bias gelu residual\n{OP} silu\ngated 16x32x64\n")
    status, said = run(ops, "--device=sim", "--candidates=3", f"--compile-only={tmp_path / 'made'}")
    assert status == 0 and said.count(" schedules") == 4, said
    assert "gated 16x32x64 (product nt, gated 1x16x32x64 " in said, said  # as in a model: one kernel
    status, said = run(ops, "--device=sim", "--candidates=3", "--resume", f"--compile-only={tmp_path / 'made'}")
    assert status == 0 and " schedules" not in said, said
    step = ["--device=sim", f"--run-only={tmp_path / 'made'}", f"--out={tmp_path / 'out'}"]
    status, said = run(*step, "--budget=0.001")
    assert status == 0 and "the budget is spent: 4 kernels are left; --resume goes on" in said, said
    status, said = run(*step, "--budget=100")
    assert status == 0 and said.count(" us by #tile.gemm<") == 4 and "WRONG" not in said, said
    status, said = run(*step)
    assert status == 1 and "is there already: --resume goes on from it" in said
    status, said = run(*step, "--resume")
    assert status == 0 and " us by " not in said and "4 kernels: the model's schedules take" in said, said
    results = tmp_path / "out/results.jsonl"
    status, said = run("--merge", results, f"--database={tmp_path / 'tuned.jsonl'}", f"--report={tmp_path / 'tuned.md'}")
    assert status == 0 and "tuned.jsonl: 4 records" in said
    assert (tmp_path / "tuned.md").read_text().count("| product nt") == 4
    model = tmp_path / "m.mlir"
    model.write_text(text_of_op(OP))
    status, said = run(model, "--target=sm_90a", f"--tuning={tmp_path / 'tuned.jsonl'}", "--to=tile", "--remarks",
                       tool="build/bin/tenon-compile")
    assert status == 0 and "from the database" in said and "on simulator on 20" in said, said


def test_in_one_step_a_model_and_its_resumption(tmp_path):
    (tmp_path / "m.mlir").write_text(text_of_op(f"{OP} f16 silu"))
    base = [tmp_path / "m.mlir", "--device=sim", "--candidates=2", f"--database={tmp_path / 'd.jsonl'}"]
    status, said = run(*base)
    assert status == 0 and "d.jsonl: 1 records" in said, said
    status, said = run(*base, "--resume", f"--op={OP}")
    assert status == 0 and said.count(" us by ") == 1 and "d.jsonl: 2 records" in said, said
    status, said = run(*base, "--resume", f"--op={OP} f32 bias")
    assert status == 0 and said.count(" us by ") == 1 and "d.jsonl: 3 records" in said, said
    types = [line["types"] for line in database.read(tmp_path / "d.jsonl")]
    assert types == ["bf16*bf16->bf16", "f16*f16->f16", "f32*f32->f32"]


def test_what_is_no_task_is_told(tmp_path):
    (tmp_path / "m.mlir").write_text("""
func.func @main(%x: tensor<8x16xf32>, %v: tensor<8x16xf64>, %w: tensor<4x16xf64>) -> (tensor<8x16xf32>, tensor<8x4xf64>) {
  %s = tenon.softmax %x {axis = 1 : i64} : (tensor<8x16xf32>) -> tensor<8x16xf32>
  %y = tenon.linear %v, %w : (tensor<8x16xf64>, tensor<4x16xf64>) -> tensor<8x4xf64>
  return %s, %y : tensor<8x16xf32>, tensor<8x4xf64>
}""")
    status, said = run(tmp_path / "m.mlir", f"--compile-only={tmp_path / 'made'}")
    assert status == 0
    assert "m, softmax: not tuned: it is no product" in said
    assert "m, linear: not tuned: its operands have more than 32 bits" in said


@pytest.mark.parametrize("line", ["matmul 1x2x3", "linear", "linear 0x2x3", "linear 1x2x3 f64", "linear 1x2x3 bias bias",
                                  "linear 1x2x3 residual bias", "gated 1x2x3 bias", "quantised 1x2x3 i8", "quantised 1x2x3 row e4m3",
                                  "quantised 1x2x3 bf16 row"])
def test_ops_that_are_none(line):
    with pytest.raises(InvalidArgumentError, match="an op is `linear MxNxK"):
        text_of_op(line)


def test_candidates_are_listed():
    status, said = run("--list", "--op=linear 256x4096x14336", "--candidates=12")
    assert status == 0 and said.count(" us  #tile.gemm<") == 12, said
    assert "256x4096x14336, 1 times (product nt 1x256x4096x14336" in said


def test_artefacts_are_sources(tmp_path):
    (tmp_path / "m.mlir").write_text(text_of_op(OP))
    for flags, said in (([], None), (["--no-model"], "holds no model.mlir")):
        done = subprocess.run([ROOT / "build/bin/tenon-compile", tmp_path / "m.mlir", "-o", tmp_path / "m.tnx", *flags])
        assert done.returncode == 0
        if said:
            with pytest.raises(InvalidArgumentError, match=said):
                texts_of(tmp_path / "m.tnx")
        else:
            assert "tenon.linear" in texts_of(tmp_path / "m.tnx")[0][1]


# ---- the database ----
def test_merging_gives_the_same_in_any_order(tmp_path):
    records = [record(), record(date="2026-01-02 00:00", us=3.0), record("1x1024x32x64"), record("1x64x32x64"),
               record(us=1.0), record(build="0.2.0")]
    rng, made = random.Random(1), set()
    for _ in range(8):
        rng.shuffle(records)
        cut = rng.randrange(len(records))
        database.write(tmp_path / "d", database.merge(records[:cut], records[cut:]))
        made.add((tmp_path / "d").read_text())
    merged = database.read(tmp_path / "d")
    assert len(made) == 1 and database.merge(merged, merged) == merged
    assert [line["shape"] for line in merged] == ["1x16x32x64", "1x16x32x64", "1x64x32x64", "1x1024x32x64"]
    assert merged[0]["us"] == 3.0  # the newest


@pytest.mark.parametrize("text, message", [
    ("", "the file is empty"),
    ("{}\n", ":1: expected {\"tenon-tuning\": 1}"),
    ('{"tenon-tuning": 2}\n', ":1: the database has version 2"),
    ('{"tenon-tuning": 1}\nnonsense\n', ":2: no JSON: nonsense"),
    ('{"tenon-tuning": 1}\n[]\n', ":2: expected a JSON object"),
    ('{"tenon-tuning": 1}\n' + json.dumps(record() | {"us": "fast"}), ":2: 'us' is missing or not a number"),
])
def test_databases_that_are_none(tmp_path, text, message):
    (tmp_path / "d").write_text(text)
    with pytest.raises(TenonError) as error:
        database.read(tmp_path / "d")
    assert message in str(error.value)


def test_results_survive_a_cut(tmp_path):
    line = record() | {"name": "a", "uses": 1, "all": []}
    results = Results(tmp_path / "r", False)
    results.begin(line)
    results.add(line)
    results.begin(other := record("1x1x1x1"))
    with open(tmp_path / "r", "a") as file:
        file.write(json.dumps(line)[:40])
    with pytest.raises(TenonError, match="--resume"):
        Results(tmp_path / "r", False)
    again = Results(tmp_path / "r", True)
    assert again.has(line) and not again.has(other)
    again.begin(other)  # and it ends the process once more
    assert Results(tmp_path / "r", True).has(other)
    assert len(read_results(tmp_path / "r")) == 1
    (tmp_path / "r").write_text("nonsense\n" + json.dumps(line) + "\n")
    with pytest.raises(CorruptError, match=":1: no line of results"):
        read_results(tmp_path / "r")


# ---- choosing ----
def test_the_fastest_right_one_wins_by_a_margin():
    speeds = {"model": 10.0, "fast": 9.0, "close": 9.95, "slow": 40.0, "twin": 9.05}
    rng = random.Random(3)
    times = race({name: name for name in speeds}, "model", lambda name: speeds[name] * rng.uniform(0.995, 1.005), rng)
    assert len(times["slow"]) == 4 and len(times["model"]) == len(times["fast"]) == 24
    assert pick(times, "model") == "fast"
    assert pick({"model": [10.0, 10.0], "close": [9.95, 9.95], "lucky": [1.0]}, "model") == "model"


def test_candidates_are_ranked_and_of_every_family():
    ranked = [{"schedule": f"#tile.gemm<rows = {rows}, columns = {columns}, depth = 64>", "seconds": seconds}
              for seconds, (rows, columns) in enumerate([(64, 8 * n) for n in range(1, 30)] + [(128, 8), (256, 8), (16, 8)], 100)]
    ranked[-1]["seconds"] = 1000
    chosen = [candidate["schedule"] for candidate in choose(ranked, 6)]
    assert chosen[:4] == [candidate["schedule"] for candidate in ranked[:4]]
    assert "rows = 128" in chosen[4] and "rows = 256" in chosen[5]
    sums = [{"schedule": f"#tile.gemm<rows = 64, columns = {columns}, depth = 64, split_k = 2{adds}>", "seconds": 150.0}
            for adds in ("", ", joined = true", ", by_last = true") for columns in (64, 96)]
    chosen = [candidate["schedule"] for candidate in choose(ranked[:12] + sums, 10)]
    assert [schedule.count("joined") + 2 * schedule.count("by_last") for schedule in chosen[6:9]] == [0, 1, 2]
    assert len(choose(ranked, 40)) == len(ranked) - 1  # the last is hopeless
    assert len(choose(ranked[-1:] * 20, 40)) == 20 and len(choose(ranked[:1] + ranked[-1:] * 20, 40)) == 10


def test_the_gate_stops_what_is_wrong():
    import torch

    class Io:
        def __init__(self, *shape):
            self.shape, self.dtype = shape, "bf16"

    def product(x, w):
        return x.double() @ w.double().T

    def right(x, w):
        return (x.float() @ w.float().T).to(torch.bfloat16)

    def short(x, w):  # one key is missing
        x = x.clone()
        x[3, 17] = 0
        return right(x, w)

    def rough(x, w):  # sums in 16 bits: exact on small integers
        whole = sum((x[:, part:part + 8].float() @ w[:, part:part + 8].float().T).to(torch.bfloat16) for part in range(0, 64, 8))
        return whole.to(torch.bfloat16)

    def make(model, is_product=True):
        return Gate(torch, {"depth": 64, "is_product": is_product, "types": "bf16*bf16->bf16"}, [Io(8, 64), Io(16, 64)], [Io(8, 16)], "cpu", product, None,
                    model, 1)
    gate = make(right)
    assert gate.problem is None and gate.check(right) is None
    assert "on small integers: 16 elements" in gate.check(short)
    assert "out of its bound" in gate.check(rough)
    assert make(short).problem == "the model's own schedule is not exact on small integers"
    assert "the model's own schedule is out of its bound" in make(rough).problem


def test_the_gate_knows_what_sums_of_8_bit_floats_cut():
    import torch

    class Io:
        def __init__(self, dtype, *shape):
            self.shape, self.dtype = shape, dtype

    def product(x, w, scale):
        return x.double() @ w.double().T * scale.double()

    def cut(x, w, scale, promote=128, skipped=None):  # as the instruction adds: addends are cut 13 bits behind the largest's first
        total = torch.zeros(x.shape[0], w.shape[0], dtype=torch.float64)
        for first in range(0, x.shape[1], promote):
            part = torch.zeros_like(total)
            for at in range(first, first + promote, 32):
                if at != skipped:
                    addends = x[:, None, at:at + 32].double() * w[None, :, at:at + 32].double()
                    addends = torch.cat([addends, part[..., None]], -1)
                    unit = 2.0 ** (addends.abs().amax(-1, keepdim=True).log2().floor() - 13)
                    part = ((addends / unit).trunc() * unit).sum(-1)
            total += part
        return (total * scale.double()).to(torch.bfloat16)

    types = "f8E4M3FN*f8E4M3FN->bf16"
    ios = [Io("f8E4M3FN", 64, 1024), Io("f8E4M3FN", 96, 1024), Io("f32", 1, 96)]

    def make(types, call):
        return Gate(torch, {"depth": 1024, "is_product": False, "types": types}, ios, [Io("bf16", 64, 96)], "cpu", product, None,
                    call, 1)
    gate = make(types, cut)
    assert gate.problem is None
    assert "out of its bound" in make(types.replace("f8", "bf"), cut).problem
    assert "out of its bound" in make(types, lambda *operands: cut(*operands, skipped=992)).problem


def test_kernels_find_the_records_that_come_with_tenon(tmp_path):
    """Each product with no more behind it than a bias or a residual: its kernel makes the key that its record has."""
    shipped = [record for record in database.read(ROOT / "lib/Schedule/tuning/sm_90a.jsonl")
               if record["op"] == "product nt" and record["types"].startswith("bf16")
               and record["epilogue"] in ("", "addf(n)", "addf(mn)")]
    assert len(shipped) > 60
    arguments, body, results = [], [], []
    for at, record in enumerate(shipped):
        _, m, n, k = map(int, record["shape"].split("x"))
        x, w, y, b = (f"tensor<{size}xbf16>" for size in (f"{m}x{k}", f"{n}x{k}", f"{m}x{n}", f"{n}"))
        arguments += [f"%x{at}: {x}", f"%w{at}: {w}", f"%b{at}: {b}", f"%z{at}: {y}"]
        has_bias = record["epilogue"] == "addf(n)"
        body.append(f"%y{at} = tenon.linear %x{at}, %w{at}{f', %b{at}' * has_bias} : ({x}, {w}{f', {b}' * has_bias}) -> {y}")
        body.append(f"%r{at} = tenon.add %y{at}, %z{at} : ({y}, {y}) -> {y}" if record["epilogue"] == "addf(mn)" else "")
        results.append((f"%r{at}" if body[-1] else f"%y{at}", y))
    values, types = (", ".join(part) for part in zip(*results))
    model = tmp_path / "model.mlir"
    lines = "\n".join(body)
    model.write_text(f"func.func @main({', '.join(arguments)}) -> ({types}) {{\n{lines}\nreturn {values} : {types}\n}}\n")
    status, said = run(model, "--tenon-phases=to=kernel", "--tenon-choose-tile-schedules", "-o", "/dev/null",
                       "--remark-format=emitRemark", "--remarks-filter-passed=tenon-choose-tile-schedules",
                       tool="build/bin/tenon-opt")
    chosen = re.findall(r"has (#tile\.gemm<.*?>): from the database that comes with Tenon: ([\d.]+) us", said)
    assert status == 0 and sorted(chosen) == sorted((record["schedule"], f"{record['us']:.1f}") for record in shipped), said


def test_the_report_tells_how_far_the_model_is():
    same = record("1x64x1x1", us=2.0, model_us=2.0, model_schedule=record()["schedule"])
    said = report.markdown([record(us=1.0), same])
    assert "2 kernels: the model's schedules take 1.049 times as long" in said
    assert "1.100 at worst (product nt 1x16x32x64" in said
    assert "| the same | 1.000 |" in said
    assert report.summary([]) == "nothing was measured"
