"""all-MiniLM-L6-v2 from PyTorch to numbers: 200 varied sentences against float64, and with bf16 weights against what
PyTorch's own bf16 loses."""
import functools
import json
import random
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

import tenon
from tenon.samples import minilm

ROOT = Path(__file__).resolve().parents[2]
# (sentences of a batch, tokens of its longest): 200 sentences.
BATCHES = ((1, 1), (2, 256), (3, 255), (5, 129), (8, 128), (13, 127), (33, 33), (32, 32), (31, 31), (17, 65), (16, 64),
           (6, 63), (4, 17), (12, 16), (7, 15), (10, 7))
WORDS = """the a of and to in is was for on that with as by it at from his he an were are which this be also or has had
its not but first one their have new after two who they her she been other when time during there into school year
music river mountain engine quantum interest inflation kitten windowsill orchestra guitar street weather Tuesday über
naïve façade 3.14 2024 C++ e-mail don't 你好 мир 🙂 antidisestablishmentarianism""".split()


def sentences():
    """[(ids, mask)] batch by batch: one sentence of its longest length, the others up to it, padded."""
    chooser = random.Random(20240607)
    words = [minilm.tokenize([word])[0][0][1:-1] for word in WORDS]
    batches = []
    for size, longest in BATCHES:
        ids = np.zeros((size, longest), np.int64)
        mask = np.zeros_like(ids)
        for row in range(size):
            length = longest if row == 0 else chooser.randint(1, longest)
            tokens = [101]
            while len(tokens) < length:
                tokens.extend(chooser.choice(words))
            tokens = tokens[:length - 1] + [102] if length > 1 else [101]
            ids[row, :length], mask[row, :length] = tokens, 1
        batches.append((torch.from_numpy(ids), torch.from_numpy(mask)))
    return batches


@functools.cache
def inputs():
    batches = sentences()
    assert sum(len(ids) for ids, _ in batches) == 200
    return batches


def embed(model, batches):
    with torch.no_grad():
        return torch.cat([model(ids, mask).double() for ids, mask in batches])


@functools.cache
def exact():
    return embed(minilm.load(dtype=torch.float64), inputs())


@functools.cache
def compiled(attention):
    return tenon.compile(minilm.export(minilm.load(attention)))


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_f32_within_5e6_of_float64(attention):
    batches = inputs() if attention == "sdpa" else inputs()[:5]
    got = embed(compiled(attention), batches)
    error = (got - exact()[:len(got)]).abs().max().item()
    assert error <= 5e-6, f"largest error {error:.3g}"


def test_bf16_weights_lose_no_more_than_pytorch():
    module = minilm.load(dtype=torch.bfloat16)
    model = tenon.compile(minilm.export(module))
    batches = inputs()[:4] + inputs()[13:]
    rows = [sum(len(ids) for ids, _ in inputs()[:at]) for at in range(len(inputs()) + 1)]
    want = torch.cat([exact()[:rows[4]], exact()[rows[13]:]])
    mine, theirs = (embed(each, batches) - want for each in (model, module))

    def rms(error):
        return error.square().mean().sqrt().item()
    assert rms(mine) <= 1.25 * rms(theirs), f"root mean square error {rms(mine):.3g}, PyTorch's {rms(theirs):.3g}"
    assert mine.abs().max() <= 1.25 * theirs.abs().max(), f"largest {mine.abs().max():.3g}, {theirs.abs().max():.3g}"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """(folder with minilm.tnx and bare.tnx, the model)"""
    folder = tmp_path_factory.mktemp("minilm")
    model = compiled("sdpa")
    model.save(folder / "minilm.tnx")
    model.save(folder / "bare.tnx", weights=False)
    return folder, model


def test_artefact_embeds_the_same(saved):
    folder, model = saved
    ids, mask = inputs()[3]
    got = model(ids, mask)
    loaded = tenon.load(folder / "minilm.tnx")
    assert torch.equal(loaded(ids, mask), got)
    # Packed projections and feed-forward; query, key and value are joined on the way and do not stay. The tables are used
    # where they lie in the file.
    packed = 6 * (3 * 384 * 384 + 384 * 384 + 2 * 384 * 1536) * 4
    assert loaded.persistent_bytes < 1.01 * packed
    checkpoint = minilm.load().state_dict()
    assert torch.equal(tenon.load(folder / "bare.tnx", weights=checkpoint)(ids, mask), got)
    assert torch.equal(model(ids, mask), got), "a call is not repeatable"
    assert len((folder / "bare.tnx").read_bytes()) < 2**20


def test_program_of_the_deployment_guide(saved):
    """What docs/guides/deploy.md has a deployer copy: built as it says, it embeds a sentence with the artefact."""
    folder, _ = saved
    compiler = shutil.which("c++") or "clang++-22"
    subprocess.run([compiler, "-std=c++17", ROOT / "docs/guides/embed-sentence/EmbedSentence.cpp", "-I", ROOT / "include",
                    "-L", ROOT / "build/lib", "-ltenon-runtime", f"-Wl,-rpath,{ROOT}/build/lib", "-o",
                    folder / "embed-sentence"], check=True)
    ids, mask = (torch.from_numpy(array) for array in minilm.tokenize(["A kitten sleeps on the windowsill."]))
    said = subprocess.run([folder / "embed-sentence", folder / "minilm.tnx", *(str(int(i)) for i in ids[0])], check=True,
                          capture_output=True, text=True).stdout
    got = torch.tensor([float(line) for line in said.split()], dtype=torch.float64)
    want = embed(minilm.load(dtype=torch.float64), [(ids, mask)])[0]
    assert (got - want).abs().max() <= 5e-6


def test_resident_memory(saved):
    """Weights as packed, the arena, and 30 MB: what packing made on the way does not stay, and no table is copied."""
    folder, _ = saved
    compiler = shutil.which("c++") or "clang++-22"
    subprocess.run([compiler, "-std=c++17", "-O1", ROOT / "test/python/resident_memory.cpp", "-I", ROOT, "-I", ROOT / "include",
                    "-L", ROOT / "build/lib", "-ltenon-runtime", f"-Wl,-rpath,{ROOT}/build/lib", "-o",
                    folder / "resident-memory"], check=True)
    said = subprocess.run([folder / "resident-memory", folder / "minilm.tnx"], check=True, capture_output=True, text=True)
    own, packed, arena = (int(number) for number in said.stdout.split())
    assert own <= packed + arena + 30e6, f"{own} bytes of its own, {packed} packed, {arena} in the arena"


def test_tools_on_the_artefact(saved):
    folder, _ = saved
    sizes = ["--dim", "batch=2", "--dim", "sequence=9"]
    run = functools.partial(subprocess.run, check=True, capture_output=True, text=True, cwd=folder)
    said = run([ROOT / "build/bin/tenon-run", "minilm.tnx", *sizes, "--check", "--repeat=3"]).stdout
    assert "0 of 768 elements outside" in said and "3 calls" in said
    report = json.loads(run([ROOT / "build/bin/tenon-inspect", "minilm.tnx", *sizes, "--json"]).stdout)
    # 18 tokens through 6 layers of 4 x 384 x 384 and 2 x 384 x 1536 multiply-adds, and little else.
    assert 1 <= report["call_flops"] / (18 * 6 * 2 * (4 * 384 * 384 + 2 * 384 * 1536)) < 1.1
    assert all(weight["inside"] for weight in report["weights"])
