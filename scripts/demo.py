"""The work of scripts/demo: export, compile (once), embed, search, compare. Run by it, in .venv, after the build."""
import hashlib
import os
import sys
import time
import warnings
from pathlib import Path

warnings.filterwarnings("ignore", category=FutureWarning)
import tenon  # noqa: E402
from tenon.library import library  # noqa: E402
from tenon.samples import minilm  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "build" / "demo"
OWN = [
    "A man is playing a guitar on the street.",
    "Someone performs music outdoors.",
    "The orchestra rehearsed until midnight.",
    "The cat sleeps on the warm windowsill.",
    "A small dog chases a ball across the park.",
    "Our kitten dozes in the sun.",
    "The central bank raised interest rates again.",
    "Stocks fell after the inflation report.",
    "Borrowing money has become more expensive.",
    "Mix flour, butter and sugar, then bake for half an hour.",
    "How do I make a simple cake?",
    "Heavy rain is expected over the weekend.",
]
BATCH = 32        # sentences of one call
SHOWN = 24        # rows of the table
TOLERANCE = 5e-6  # of an embedding's element, in f32
started = time.monotonic()


def say(text):
    print(f"== {text} ({time.monotonic() - started:.0f} s)", flush=True)


def key():
    """What the artefact is made from: the model, the compiler, the importer, torch, and the processor it is for."""
    digest = hashlib.sha256()
    folder = minilm.folder()
    sources = sorted((ROOT / "python-frontend" / "tenon").rglob("*.py"))
    for path in [folder / "model.safetensors", folder / "config.json", library().path, *sources]:
        digest.update(str(path.name).encode())
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    cpu = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith(("model name", "flags"))]
    from importlib.metadata import version
    digest.update(repr((cpu[:2], version("torch"), version("transformers"))).encode())
    return digest.hexdigest()[:16]


def compiled():
    path = KEPT / f"minilm-{key()}.tnx"
    if path.is_file():
        say(f"loading {path.relative_to(ROOT)}, compiled before")
        return tenon.load(path)
    say("loading all-MiniLM-L6-v2 into PyTorch")
    module = minilm.load()
    say("exporting it with dynamic batch and sequence")
    program = minilm.export(module)
    say("compiling it with Tenon")
    begin = time.monotonic()
    model = tenon.compile(program)
    say(f"compiled in {time.monotonic() - begin:.1f} s, saving {path.relative_to(ROOT)}")
    KEPT.mkdir(parents=True, exist_ok=True)
    for old in KEPT.glob("minilm-*.tnx"):
        old.unlink()
    model.save(path)
    return model


def embed(model, ids, mask):
    """All sentences, a batch at a time."""
    import numpy
    parts = [model(ids[at:at + BATCH], mask[at:at + BATCH]) for at in range(0, len(ids), BATCH)]
    return numpy.concatenate(parts)


def print_matches(sentences, embeddings):
    scores = embeddings @ embeddings.T
    width = min(max(map(len, sentences)), 56)

    def cut(text):
        return (text if len(text) <= width else text[:width - 2] + "..").ljust(width)
    print(f"\n{'query'.ljust(width)}  score  best matches")
    for index, sentence in enumerate(sentences[:SHOWN]):
        order = [other for other in (-scores[index]).argsort() if other != index][:2]
        for rank, other in enumerate(order):
            query = cut(sentence) if rank == 0 else " " * width
            print(f"{query}  {scores[index, other]:5.2f}  {cut(sentences[other])}".rstrip())
    if len(sentences) > SHOWN:
        print(f"(and {len(sentences) - SHOWN} more sentences)")
    print()


def batch_milliseconds(model, ids, mask):
    """(best, median) of the calls of two seconds."""
    ids, mask = ids[:BATCH], mask[:BATCH]
    times = []
    end = time.monotonic() + 2
    while len(times) < 3 or (len(times) < 50 and time.monotonic() < end):
        begin = time.perf_counter()
        model(ids, mask)
        times.append(time.perf_counter() - begin)
    return min(times) * 1e3, sorted(times)[len(times) // 2] * 1e3


def main():
    if len(sys.argv) > 1:
        text = Path(sys.argv[1]).read_text(encoding="utf-8", errors="replace")
        sentences = [line.strip() for line in text.splitlines() if line.strip()]
        if len(sentences) < 2:
            print(f"scripts/demo: '{sys.argv[1]}' has {len(sentences)} sentences, one a line; two are needed",
                  file=sys.stderr)
            return 1
    else:
        sentences = OWN
    model = compiled()
    ids, mask = minilm.tokenize(sentences)
    say(f"embedding {len(sentences)} sentences")
    embeddings = embed(model, ids, mask)
    print_matches(sentences, embeddings)
    shape = ids[:BATCH].shape
    best, median = batch_milliseconds(model, ids, mask)
    print(f"a batch of {shape[0]} sentences, {shape[1]} tokens each: {best:.1f} ms at best, {median:.1f} in the median, on "
          f"{tenon.num_threads()} threads")
    say("comparing with PyTorch in float64")
    import torch
    checked = min(len(sentences), BATCH)
    with torch.no_grad():
        exact = minilm.load(dtype=torch.float64)(torch.from_numpy(ids[:checked]), torch.from_numpy(mask[:checked]))
    difference = abs(embeddings[:checked] - exact.numpy()).max()
    print(f"largest difference from PyTorch in float64: {difference:.1e} (embeddings have length 1)")
    if not difference <= TOLERANCE:
        print(f"scripts/demo: that is more than {TOLERANCE:.0e}: the compiled model is wrong, please report it",
              file=sys.stderr)
        return 1
    say("done")
    return 0


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        sys.exit(main())
    except tenon.TenonError as error:
        print(f"scripts/demo: {error}", file=sys.stderr)
        sys.exit(1)
