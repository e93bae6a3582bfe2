"""Generation of text by one compiled model with an entry for the prompt and one for each token after it, which share weights
and cache; and a pair of these for each batch size that there is to be a CUDA graph for.

Each is a module of ids and position that gives the next token of every row, chosen where the model runs, and the position
after it: so that a step takes what the step before gave, and nobody waits for a token before the end.
"""
import torch

from tenon.compiler import compile as compile_program
from tenon.compiler import load as load_program
from tenon.errors import InvalidArgumentError
from tenon.generation.cached_model import CachedModel
from tenon.generation.sampling import Greedy, Sampler
from tenon.tensors import to_device


class Step(torch.nn.Module):
    """Ids and the position of the first give the next tokens, [batch, 1], and the position after."""

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


class _Bucket:
    """The two entries for one batch size, and on a GPU a step as a CUDA graph: one for all calls, as sizes are fixed and the
    cache stays."""

    def __init__(self, prefill, decode):
        self.prefill, self.decode, self._graph = prefill, decode, None
        self.batch = decode.inputs[0].shape[0]

    def step(self, token, position, how):
        if self.decode.device < 0:
            return self.decode
        if self._graph is None:
            self._graph = self.decode.graph(token, position, *how)
        return self._graph


class Generator:
    """Made by `compile_generator` or `Generator.load`. Call `generate`. `model`: the compiled model, with entries `prefill` and
    `decode`, or these with `_` and the batch size for each of several."""

    def __init__(self, model):
        pairs = [(name, name.replace("decode", "prefill", 1)) for name in model.entries if name.startswith("decode")]
        if not pairs or any(prefill not in model.entries for _, prefill in pairs):
            raise InvalidArgumentError(f"the model has the entries {list(model.entries)}, expected 'prefill' and 'decode' of a "
                                       "generator")
        self.model = model
        self._buckets = sorted((_Bucket(model.entry(prefill), model.entry(decode)) for decode, prefill in pairs),
                               key=lambda bucket: bucket.batch)
        self.batches = [bucket.batch for bucket in self._buckets]
        self.samples = len(self._buckets[0].decode.inputs) - len(model.state) > 2  # beside ids and position
        self.context = next(iter(model.state.values())).shape[2]

    def generate(self, ids, count, *, temperature=1.0, top_k=0, top_p=1.0, seed=0, end=None):
        """[batch, length + count] of a prompt [batch, length], all rows of one length: `count` tokens more. With `end`, a
        token, it stops when every row has it; what a row has after it means nothing. The other options are for a generator
        that samples. Rows that no batch size is there for are made up to the next by copies of the last row."""
        length = self._check(ids, count, temperature, top_k, top_p)
        bucket = next(each for each in self._buckets if each.batch >= ids.shape[0])
        wanted = ids.shape[0]
        ids = torch.cat([ids, ids[-1:].expand(bucket.batch - wanted, -1)])
        device = self.model.device
        how = [to_device(torch.tensor(value, dtype=dtype), device) for value, dtype in (
            (float(temperature), torch.float32), (top_k, torch.int64), (float(top_p), torch.float32),
            (seed, torch.int64))] if self.samples else []
        ids, position = to_device(ids, device), to_device(torch.tensor(0), device)
        rows = [ids]
        token, position = (bucket.decode if length == 1 else bucket.prefill)(ids, position, *how)
        rows.append(token)
        ended = (token == end) if end is not None else None
        step = bucket.step(token, position, how)
        for _ in range(count - 1):
            if ended is not None and bool(ended.all()):
                break
            token, position = step(token, position, *how)
            rows.append(token)
            if ended is not None:
                ended |= token == end
        return torch.cat(rows, 1)[:wanted]

    def _check(self, ids, count, temperature, top_k, top_p):
        if ids.dtype != torch.int64 or ids.dim() != 2 or not 1 <= ids.shape[0] <= self.batches[-1] or ids.shape[1] < 1:
            rows = f"1 to {self.batches[-1]}" if self.batches[-1] > 1 else "1"
            raise InvalidArgumentError(f"the prompt is {ids.dtype} {list(ids.shape)}, expected int64 of [{rows}, length]")
        if count < 1 or ids.shape[1] + count > self.context + 1:
            raise InvalidArgumentError(f"{count} tokens after {ids.shape[1]}, expected 1 to {self.context + 1 - ids.shape[1]}: "
                                       f"the cache has room for {self.context}")
        if not temperature > 0 or top_k < 0 or not 0 < top_p <= 1:
            raise InvalidArgumentError(f"temperature {temperature}, top_k {top_k}, top_p {top_p}; expected above 0, 0 (all) or "
                                       "more, and above 0 up to 1")
        return ids.shape[1]

    # ---- keeping ----
    def save(self, path, weights=True):
        """One `.tnx` file. With weights=False it holds none: they are given when it is loaded."""
        self.model.save(path, weights)

    @staticmethod
    def load(path, weights=None, *, device=0):
        """As tenon.load."""
        return Generator(load_program(path, weights, device=device))


def entries_of(model, batch=1, context=1024, samples=False):
    """{name: torch.export.ExportedProgram} that compile_generator compiles."""
    if model.get_output_embeddings() is None:
        raise InvalidArgumentError(f"a {type(model).__name__} has no head: give a model for causal language modelling")
    batches = [batch] if isinstance(batch, int) else sorted(set(batch))
    if not batches or any(not isinstance(rows, int) or rows < 1 for rows in batches):
        raise InvalidArgumentError(f"a batch of {batch}, expected 1 or more rows, or several such numbers")
    how = (torch.tensor(1.0), torch.tensor(0), torch.tensor(1.0), torch.tensor(0)) if samples else ()
    programs = {}
    for rows in batches:
        step = Step(CachedModel(model, rows, context), Sampler() if samples else Greedy()).eval()
        for name, count in (("prefill", min(7, context)), ("decode", 1)):
            programs[name if len(batches) == 1 else f"{name}_{rows}"] = _export(step, count, context, how)
    return programs


def compile_generator(model, *, batch=1, context=1024, samples=False, target="cpu", device=0):
    """Compiles a decoder of transformers with a head for generation: `context` tokens at most, prompt and all. `batch`: how
    many rows, or several such numbers, which have kernels, and on a GPU a CUDA graph, each, and one cache. `samples`: tokens
    are drawn, by a temperature, top k, top p and a seed of each call; else the most likely one is taken."""
    return Generator(compile_program(entries_of(model, batch, context, samples), target=target, device=device))
