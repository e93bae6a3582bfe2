"""Generation of text by two compiled models, one for the prompt and one for each token after it, which share weights and cache.

Each is a module of ids and position that gives the next token of every row, chosen where the model runs, and the position
after it: so that a step takes what the step before gave, and nobody waits for a token before the end.
"""
import json
from pathlib import Path

import torch

from tenon.compiler import compile as compile_program
from tenon.errors import CorruptError, InvalidArgumentError
from tenon.executable import load_artefact
from tenon.generation.cached_model import CachedModel
from tenon.generation.sampling import Greedy, Sampler
from tenon.tensors import to_device

FILES = {"prefill": "prefill.tnx", "decode": "decode.tnx"}
DESCRIPTION, WEIGHTS = "generation.json", "weights.safetensors"


class _Step(torch.nn.Module):
    def __init__(self, model, choice):
        super().__init__()
        self.model, self.choice = model, choice

    def forward(self, ids, position, *how):
        logits = self.model(ids, position)
        last = position + ids.shape[1]
        return self.choice(logits, last, *how)[:, None], last


def _export(step, count, context, how):
    ids = torch.zeros(step.model.batch, count, dtype=torch.int64)
    sizes = {1: torch.export.Dim("count", min=2, max=context)} if count > 1 else {}
    with torch.no_grad():
        return torch.export.export(step, (ids, torch.tensor(0), *how), strict=False,
                                   dynamic_shapes=((sizes, {}, *[{}] * len(how)) if not how else
                                                   (sizes, {}, tuple({} for _ in how))) if sizes else None)


class Generator:
    """Made by `compile_generator` or `Generator.load`. Call `generate`."""

    def __init__(self, prefill, decode, batch, context, samples):
        self.prefill, self.decode, self.batch, self.context, self.samples = prefill, decode, batch, context, samples
        decode.share_weights(prefill)
        decode.share_state(prefill)
        self._graph = None

    def generate(self, ids, count, *, temperature=1.0, top_k=0, top_p=1.0, seed=0, end=None):
        """[batch, length + count] of a prompt [batch, length], all rows of one length: `count` tokens more. With `end`, a
        token, it stops when every row has it; what a row has after it means nothing. The other options are for a generator
        that samples."""
        length = self._check(ids, count, temperature, top_k, top_p)
        device = self.decode.device
        how = [to_device(torch.tensor(value, dtype=dtype), device) for value, dtype in (
            (float(temperature), torch.float32), (top_k, torch.int64), (float(top_p), torch.float32),
            (seed, torch.int64))] if self.samples else []
        ids, position = to_device(ids, device), to_device(torch.tensor(0), device)
        rows = [ids]
        if length == 1:
            token, position = self.decode(ids, position, *how)
        else:
            token, position = self.prefill(ids, position, *how)
        rows.append(token)
        ended = (token == end) if end is not None else None
        step = self._step(token, position, how)
        for _ in range(count - 1):
            if ended is not None and bool(ended.all()):
                break
            token, position = step(token, position, *how)
            rows.append(token)
            if ended is not None:
                ended |= token == end
        return torch.cat(rows, 1)

    def _step(self, token, position, how):
        """A step as a CUDA graph where there is a GPU; one for all calls, as sizes are fixed and the cache stays."""
        if self.decode.device < 0:
            return self.decode
        if self._graph is None:
            self._graph = self.decode.graph(token, position, *how)
        return self._graph

    def _check(self, ids, count, temperature, top_k, top_p):
        if ids.dtype != torch.int64 or ids.dim() != 2 or ids.shape[0] != self.batch or ids.shape[1] < 1:
            raise InvalidArgumentError(f"the prompt is {ids.dtype} {list(ids.shape)}, expected int64 of [{self.batch}, length]")
        if count < 1 or ids.shape[1] + count > self.context + 1:
            raise InvalidArgumentError(f"{count} tokens after {ids.shape[1]}, expected 1 to {self.context + 1 - ids.shape[1]}: "
                                       f"the cache has room for {self.context}")
        if not temperature > 0 or top_k < 0 or not 0 < top_p <= 1:
            raise InvalidArgumentError(f"temperature {temperature}, top_k {top_k}, top_p {top_p}; expected above 0, 0 (all) or "
                                       "more, and above 0 up to 1")
        return ids.shape[1]

    # ---- keeping ----
    def save(self, folder):
        """Both models and one file of weights, in a folder."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, file in FILES.items():
            getattr(self, name).save(folder / file, weights=False)
        self.decode.save_weights(folder / WEIGHTS)
        (folder / DESCRIPTION).write_text(json.dumps({
            "format": 1, "batch": self.batch, "context": self.context, "samples": self.samples}) + "\n")

    @staticmethod
    def load(folder, device=0):
        folder = Path(folder)
        try:
            described = json.loads((folder / DESCRIPTION).read_text())
            batch, context, samples = (described[key] for key in ("batch", "context", "samples"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorruptError(f"{folder / DESCRIPTION}: {error}: no folder that a generator was saved to") from None
        from safetensors.torch import load_file
        weights = load_file(str(folder / WEIGHTS))
        models = [load_artefact(folder / file, weights, None, device) for file in FILES.values()]
        return Generator(*models, batch, context, samples)


def compile_generator(model, *, batch=1, context=1024, samples=False, target="cpu", device=0):
    """Compiles a decoder of transformers with a head for generation: `context` tokens at most, prompt and all. `samples`:
    tokens are drawn, by a temperature, top k, top p and a seed of each call; else the most likely one is taken."""
    if model.get_output_embeddings() is None:
        raise InvalidArgumentError(f"a {type(model).__name__} has no head: give a model for causal language modelling")
    step = _Step(CachedModel(model, batch, context), Sampler() if samples else Greedy()).eval()
    how = (torch.tensor(1.0), torch.tensor(0), torch.tensor(1.0), torch.tensor(0)) if samples else ()
    made = {name: compile_program(_export(step, count, context, how), target=target, device=device)
            for name, count in (("prefill", min(7, context)), ("decode", 1))}
    return Generator(made["prefill"], made["decode"], batch, context, samples)
