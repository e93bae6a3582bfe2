"""Text by a generator on a GPU for run_gpu.py, beside transformers' own text there: a Llama of two layers with seeded weights,
prompt and step in one artefact, one cache in place, a CUDA graph for each of two batch sizes.

Greedy text of f32 is that of transformers; of bf16 up to the first tie (tenon/bench/texts.py). Drawn text is that of the same
sampler in plain torch on transformers' logits; the same call gives the same; and each token is among the top k and the top p.
Making and running need torch and transformers.
"""

import sys

from families import ROOT

sys.path.insert(0, str(ROOT / "python-frontend"))

CONFIG = dict(vocab_size=1000, hidden_size=512, intermediate_size=1024, num_hidden_layers=2, num_attention_heads=8,
              num_key_value_heads=2, max_position_embeddings=256, eos_token_id=None, bos_token_id=None, pad_token_id=0)
BATCHES, CONTEXT, PROMPT, COUNT = (1, 4), 96, 33, 40
HOW = {"temperature": 0.8, "top_k": 20, "top_p": 0.9, "seed": 7}
GENERATORS = ["llama:f32", "llama:bf16", "llama-draws:f32"]


def decoder(name):
    import torch
    import transformers
    from models import seeded

    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**CONFIG)).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(seeded(key, tuple(parameter.shape))))
    return model.to({"f32": torch.float32, "bf16": torch.bfloat16}[name.split(":")[1]])


def make(name, target, folder):
    """Puts the generator into `folder`; its entry of index.json. `name`: one of GENERATORS."""
    from tenon.executable import compile_artefact
    from tenon.generation.generator import entries_of
    from tenon.importer.exported_program import import_entries
    from tenon.library import check, library

    (folder / "models").mkdir(exist_ok=True)
    file = f"models/generates-{name.replace(':', '-')}.tnx"
    text, _ = import_entries(entries_of(decoder(name), BATCHES, CONTEXT, "draws" in name))
    artefact = compile_artefact(text, target)
    check(library().tenon_artefact_save(artefact.raw, str(folder / file).encode()))
    return {"generator": name, "artefact": file}


def run_generator(entry, folder, device="cuda"):
    """(failures, tokens compared, what to tell)."""
    import torch
    from tenon.generation import Generator

    name = entry["generator"]
    model = decoder(name)
    weights = {f"model.model.{key}": value.detach() for key, value in model.named_parameters()}  # in a CachedModel in a Step
    generator = Generator.load(folder / entry["artefact"], weights)
    model = model.to(device)
    check = check_drawn if "draws" in name else check_greedy
    failures, notes, tokens, caches = [], [], 0, None
    for rows in (BATCHES[1], BATCHES[0], BATCHES[1] - 1):  # the last run as the first
        prompt = torch.randint(0, CONFIG["vocab_size"], (rows, PROMPT), generator=torch.Generator().manual_seed(rows))
        found, note = check(generator, model, prompt.to(device))
        failures += [f"{rows} rows: {failure}" for failure in found]
        notes.append(note)
        tokens += rows * COUNT
        now = {key: value.data_ptr() for key, value in generator.model.state.items()}
        if caches not in (None, now):
            failures.append("a cache is at another address than in the call before")
        caches = now
    return failures, tokens, "; ".join(notes)


def check_greedy(generator, model, prompt):
    import copy

    import torch
    from tenon.bench import texts

    text = generator.generate(prompt, COUNT)
    failures = [] if text.equal(generator.generate(prompt, COUNT)) else ["repeated calls give different text"]
    theirs = model.generate(prompt, max_new_tokens=COUNT, do_sample=False)
    same = texts.logits_of(model, text, PROMPT)
    exact = texts.logits_of(copy.deepcopy(model).double(), text, PROMPT)
    bound = texts.tie_bound(exact, same)
    found, equal = texts.compare(text, theirs, PROMPT, exact, bound)
    if next(model.parameters()).dtype == torch.float32:
        found += [f"row {row}: equal up to token {count} alone" for row, count in enumerate(equal) if count < COUNT]
    return failures + found, f"equal tokens {equal} of {COUNT}, {texts.decided(exact, bound):.2f} of them no ties"


def check_drawn(generator, model, prompt):
    import torch

    text = generator.generate(prompt, COUNT, **HOW)
    failures = [] if text.equal(generator.generate(prompt, COUNT, **HOW)) else ["a seed gives different text in two calls"]
    if text.equal(generator.generate(prompt, COUNT, **{**HOW, "seed": 8})):
        failures.append("another seed gives the same text")
    best = model.generate(prompt, max_new_tokens=COUNT, do_sample=False)
    for alone in ({"top_k": 1}, {"top_p": 1e-6}, {"temperature": 1e-7}):
        if not generator.generate(prompt, COUNT, **alone).equal(best):
            failures.append(f"{alone} gives other text than the most likely")
    if not text.equal(drawn_in_torch(generator, model, prompt)):
        failures.append("other text than by the sampler in torch on transformers' logits")
    return failures + left_out(model, text), f"{len(text[:, PROMPT:].unique())} different tokens"


def drawn_in_torch(generator, model, prompt):
    """The text by transformers' logits and the sampler as torch runs it, for the rows that the generator runs."""
    import torch
    from tenon.generation.sampling import Sampler

    rows = next(batch for batch in generator.batches if batch >= len(prompt))
    text = torch.cat([prompt, prompt[-1:].expand(rows - len(prompt), -1)])
    temperature, top_k, top_p, seed = (torch.tensor(value, device=text.device) for value in HOW.values())
    with torch.no_grad():
        for _ in range(COUNT):
            logits = model(text, logits_to_keep=1).logits[:, -1]
            token = Sampler()(logits, torch.tensor(text.shape[1], device=text.device), temperature, top_k, top_p, seed)
            text = torch.cat([text, token[:, None]], 1)
    return text[:len(prompt)]


def left_out(model, text):
    """Of tokens that are not among the top k and the top p in float64, give or take what f32 rounds."""
    import copy

    import torch
    from tenon.bench import texts

    exact = texts.logits_of(copy.deepcopy(model).double(), text, PROMPT) / HOW["temperature"]
    chosen = exact.gather(-1, text[:, PROMPT:, None]) + 1e-4
    before, probabilities = exact > chosen, torch.softmax(exact, -1)
    too_far = (before.sum(-1) >= HOW["top_k"]) | (torch.where(before, probabilities, 0.0).sum(-1) >= HOW["top_p"])
    return [f"row {row}, token {place}: not among the top k and the top p" for row, place in too_far.nonzero().tolist()]
