"""Models of transformers 5, exported with dynamic sizes, imported, compiled and compared with float64: one artefact for all
batches and lengths in the range."""
import copy
import subprocess
from pathlib import Path

import pytest
import torch
import transformers
from model_families import DECODER, FAMILIES, build, export, random, tokens
from torch.utils._pytree import tree_leaves
from transformers.integrations.executorch import (TorchExportableModuleWithStaticCache,
                                                   register_dynamic_cache_export_support)

import tenon

RUN = Path(__file__).resolve().parents[2] / "build/bin/tenon-run"
EAGER_ALONE = {"gemma2", "resnet", "convnext"}


def tensors_of(result):
    return [leaf for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)]


def wide(inputs):
    return {name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in inputs.items()}


def errors(model, module, inputs):
    """For each result (Tenon's, PyTorch's own) errors against float64, where that is finite; checks all that is exact."""
    dtype = next(module.parameters()).dtype
    inputs = {name: tensor.to(dtype) if tensor.is_floating_point() else tensor for name, tensor in inputs.items()}
    got, again = model(**inputs), model(**inputs)
    with torch.no_grad():
        same, exact = module(**inputs), module.double()(**wide(inputs))
        module.to(dtype)
    assert type(got) is type(same) and list(got) == list(same)
    for mine, repeated, theirs, right in zip(*map(tensors_of, (got, again, same, exact)), strict=True):
        assert mine.shape == theirs.shape and mine.dtype == theirs.dtype
        # A padded position with nothing but padding in its window is NaN in eager attention, PyTorch's own.
        defined = right.isfinite()
        assert bool(mine[defined].isfinite().all()) and defined.double().mean() >= 0.5
        assert torch.equal(mine[defined], repeated[defined]), "the same call twice gives two results"
        yield tuple((value - right)[defined].double().abs() for value in (mine, theirs))


def compare(model, module, inputs, own_factor, floor):
    """Tenon's largest error against float64 is at most so many times PyTorch's own, or of the order of a few roundings."""
    for error, own in errors(model, module, inputs):
        error, own = error.max().item(), own.max().item()
        assert error <= max(own_factor * own, floor), f"error {error:.3g}, PyTorch's own {own:.3g}"


SIZES = ((1, 2), (3, 9), (16, 32))  # the least, one between, the greatest
CASES = [(name, kind) for name in FAMILIES for kind in (["eager"] if name in EAGER_ALONE else ["sdpa", "eager"])]


def cases_of(inputs, sizes):
    """Inputs of these sizes; then, of a model with a mask, some whose second row is padding alone."""
    yield from (inputs(batch, length) for batch, length in sizes)
    given = inputs(3, 7)
    if "attention_mask" in given:
        given["attention_mask"][1] = 0
        yield given


def check_each_element(model, folder):
    """Every element within the bound that follows from the arithmetic, at random inputs: tenon-run --check."""
    model.save(folder / "m.tnx")
    named = {dim for io in model.inputs for dim in io.dims if isinstance(dim, str)}
    sizes = [f"--dim={name}={size}" for name, size in (("batch", 3), ("length", 9), ("decoded", 5)) if name in named]
    done = subprocess.run([RUN, folder / "m.tnx", "--check", *sizes], capture_output=True, text=True)
    assert done.returncode == 0 and " 0 of " in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("name, attention", CASES, ids=[f"{name}-{kind}" for name, kind in CASES])
def test_family(name, attention, tmp_path):
    module, inputs = build(name, attention)
    model = tenon.compile(export(module, inputs()))
    check_each_element(model, tmp_path)
    for given in cases_of(inputs, SIZES):
        # Hidden states are of order 1: some tens of roundings of f32 on the way there.
        compare(model, module, given, 4, 4e-6)


@pytest.mark.parametrize("name", FAMILIES)
def test_family_in_bf16(name, tmp_path):
    """The root of the mean squared error over all sizes is at most 1.25 times PyTorch's own."""
    module, inputs = build(name, dtype=torch.bfloat16)
    model = tenon.compile(export(module, in_bf16(inputs())))
    check_each_element(model, tmp_path)
    squares = {}
    for given in cases_of(inputs, SIZES):
        for index, pair in enumerate(errors(model, module, given)):
            for mine, error in enumerate(pair):
                squares.setdefault((index, mine), []).append(error.flatten().square())
    for index in {index for index, _ in squares}:
        error, own = (torch.cat(squares[index, mine]).mean().sqrt().item() for mine in (0, 1))
        assert error <= 1.25 * own, f"result {index}: error {error:.3g}, PyTorch's own {own:.3g}"


@pytest.mark.parametrize("name, attention", [("bert", "sdpa"), ("bert", "eager"), ("llama", "sdpa"), ("llama", "eager")])
def test_masks_of_four_dimensions(name, attention):
    """The caller's own mask, a choice for each pair of places: booleans as SDPA takes them, or what is added to scores."""
    module, _ = build(name, attention)
    ids = tokens(2, 9)["input_ids"]
    allowed = (torch.rand(2, 1, 9, 9, generator=random(3)) > 0.4) | torch.eye(9, dtype=torch.bool)
    masks = [torch.where(allowed, 0.0, torch.finfo(torch.float32).min)] + [allowed] * (attention == "sdpa")
    for mask in masks:
        with torch.no_grad():
            model = tenon.compile(torch.export.export(module, (), dict(input_ids=ids, attention_mask=mask), strict=False))
        compare(model, module, dict(input_ids=ids, attention_mask=mask), 4, 4e-6)


def in_bf16(inputs):
    return {name: tensor.bfloat16() if tensor.is_floating_point() else tensor for name, tensor in inputs.items()}


def generating(cls, config):
    """A decoder whose key/value cache is in buffers, as transformers exports it."""
    torch.manual_seed(0)
    module = cls(config(**{**DECODER, "use_cache": True})).eval()
    module.generation_config = transformers.GenerationConfig(
        use_cache=True, cache_implementation="static", cache_config={"batch_size": 1, "max_cache_len": 16})
    return module


def test_prefill_and_decode_with_a_static_cache(tmp_path):
    """One artefact takes the prompt and then a token a call; the cache is state, kept between calls and over save and load."""
    module = generating(transformers.LlamaForCausalLM, transformers.LlamaConfig)
    count = torch.export.Dim("count", min=1, max=16)
    with torch.no_grad():
        program = torch.export.export(
            TorchExportableModuleWithStaticCache(module), (),
            {"input_ids": torch.tensor([[5, 6, 7]]), "cache_position": torch.arange(3)},
            dynamic_shapes={"input_ids": {1: count}, "cache_position": {0: count}}, strict=False)
        ids = tokens(1, 11, padded=False)["input_ids"]
        expected = module(ids, use_cache=False).logits
    model = tenon.compile(program)
    assert {"key_cache_0", "value_cache_1"} <= set(model.state) and not model.state["key_cache_0"].any()

    def generate(model):
        steps = [range(0, 4), *(range(place, place + 1) for place in range(4, 11))]
        logits = [model(input_ids=ids[:, step.start:step.stop], cache_position=torch.tensor(list(step))) for step in steps]
        return torch.cat(logits, 1)
    torch.testing.assert_close(generate(model), expected, rtol=0, atol=2e-6)
    assert model.state["key_cache_0"][0, 0, 10].any() and not model.state["key_cache_0"][0, 0, 11].any()
    model.reset_state()
    assert not model.state["key_cache_0"].any()
    model.save(tmp_path / "decoder.tnx")
    torch.testing.assert_close(generate(tenon.load(tmp_path / "decoder.tnx")), expected, rtol=0, atol=2e-6)


def test_a_cache_that_is_passed_in_and_out():
    """The caller's DynamicCache: with past keys of any number, two steps, each given what the one before returned."""
    register_dynamic_cache_export_support()
    torch.manual_seed(0)
    module = transformers.LlamaForCausalLM(transformers.LlamaConfig(**{**DECODER, "use_cache": True})).eval()
    ids = tokens(3, 12, padded=False)["input_ids"]
    with torch.no_grad():
        expected, cache = module(ids).logits, module(ids[:, :7]).past_key_values
        batch, past = torch.export.Dim("batch", min=1, max=8), torch.export.Dim.AUTO
        sizes = [[{0: batch, 2: past}] * 2] * 2
        program = torch.export.export(
            module, (), {"input_ids": ids[:, 7:8], "past_key_values": copy.deepcopy(cache)}, strict=False,
            dynamic_shapes={"input_ids": {0: batch}, "past_key_values": sizes})
    model = tenon.compile(program)
    for place in range(7, 12):
        result = model(input_ids=ids[:, place:place + 1], past_key_values=cache)
        torch.testing.assert_close(result.logits, expected[:, place:place + 1], rtol=0, atol=2e-6)
        cache = result.past_key_values
        assert type(cache) is transformers.DynamicCache and cache.get_seq_length() == place + 1
    with pytest.raises(tenon.InvalidArgumentError, match="past_key_values is a list of 0, expected fields .'key_c"):
        model(input_ids=ids[:, :1], past_key_values=[])
