"""Models of transformers 5, exported with dynamic sizes, imported, compiled and compared with float64: one artefact for all
batches and lengths in the range."""
import pytest
import torch
import transformers
from model_families import DECODER, FAMILIES, build, export, tokens
from torch.utils._pytree import tree_leaves
from transformers.integrations.executorch import TorchExportableModuleWithStaticCache

import tenon

BOTH_KINDS_OF_ATTENTION = {"bert", "llama", "mistral"}
EAGER_ALONE = {"gemma2"}


def tensors_of(result):
    return [leaf for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)]


def wide(inputs):
    return {name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in inputs.items()}


def compare(model, module, inputs, own_factor, floor):
    """Tenon's largest error against float64 is at most so many times PyTorch's own, or of the order of a few roundings."""
    dtype = next(module.parameters()).dtype
    inputs = {name: tensor.to(dtype) if tensor.is_floating_point() else tensor for name, tensor in inputs.items()}
    got = model(**inputs)
    with torch.no_grad():
        same, exact = module(**inputs), module.double()(**wide(inputs))
        module.to(dtype)
    assert type(got) is type(same) and list(got) == list(same)
    for mine, theirs, right in zip(tensors_of(got), tensors_of(same), tensors_of(exact), strict=True):
        assert mine.shape == theirs.shape and mine.dtype == theirs.dtype
        # A padded position with nothing but padding in its window is NaN in eager attention, PyTorch's own.
        defined = right.isfinite()
        assert bool(mine[defined].isfinite().all()) and defined.double().mean() >= 0.5
        error, own = ((value - right)[defined].double().abs().max().item() for value in (mine, theirs))
        assert error <= max(own_factor * own, floor), f"error {error:.3g}, PyTorch's own {own:.3g}"


CASES = [(name, kind) for name in FAMILIES
         for kind in (["sdpa", "eager"] if name in BOTH_KINDS_OF_ATTENTION else ["eager"] if name in EAGER_ALONE else [None])]


@pytest.mark.parametrize("name, attention", CASES, ids=[f"{name}-{kind}" if kind else name for name, kind in CASES])
def test_family(name, attention):
    module, inputs = build(name, attention)
    model = tenon.compile(export(module, inputs()))
    for batch, length in ((1, 2), (3, 9), (16, 32)):
        # Hidden states are of order 1: some tens of roundings of f32 on the way there.
        compare(model, module, inputs(batch, length), 4, 4e-6)


@pytest.mark.parametrize("name", ["bert", "llama"])
def test_family_in_bf16(name):
    module, inputs = build(name, dtype=torch.bfloat16)
    model = tenon.compile(export(module, inputs()))
    for batch, length in ((2, 9), (3, 32)):
        compare(model, module, inputs(batch, length), 1.25, 0)


@pytest.mark.parametrize("name", ["bert", "llama"])
def test_rows_of_padding_alone(name):
    module, inputs = build(name)
    model = tenon.compile(export(module, inputs()))
    given = inputs(3, 7)
    given["attention_mask"][1] = 0
    compare(model, module, given, 4, 4e-6)


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
