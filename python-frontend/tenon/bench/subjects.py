"""The models that are measured on the CPU, each as a torch module from arrays to one tensor, and as a function of jax on the
same weights. MiniLM has its real weights and dynamic sizes; the others have random weights of a fixed seed, as
transformers makes them, and are exported at the size that is measured."""
import functools
import os

import numpy


def torch_dtype(case):
    import torch
    return {"f32": torch.float32, "bf16": torch.bfloat16, "f64": torch.float64}[case.dtype]


def torch_inputs(case):
    """Floats in the case's type."""
    import torch
    inputs = [torch.from_numpy(array) for array in case.inputs()]
    return [tensor.to(torch_dtype(case)) if tensor.is_floating_point() else tensor for tensor in inputs]


class Subject:
    """`jax_form`: the name of a function in jax_models.py, (parameters, *inputs) -> array, with the weights by the names of
    the module's state_dict. `dynamic`: whether one export serves all sizes."""
    dynamic, jax_form, sizes = False, None, ((1, 128),)

    def load(self, dtype):
        """The module in evaluation mode, its weights cast to the type."""
        raise NotImplementedError

    def inputs(self, batch, sequence):
        raise NotImplementedError

    def export(self, module, case):
        import torch
        with torch.no_grad():
            return torch.export.export(module, tuple(torch_inputs(case)), strict=False)

    def weights(self, dtype):
        """{name: tensor} for jax."""
        return {name.removeprefix("inner."): tensor for name, tensor in self.load(dtype).state_dict().items()}


class MiniLM(Subject):
    dynamic, jax_form = True, "minilm"

    def load(self, dtype):
        from tenon.samples import minilm
        return minilm.load(dtype=dtype)

    def export(self, module, case):
        from tenon.samples import minilm
        return minilm.export(module)

    def inputs(self, batch, sequence):
        """(ids, mask): every token counts."""
        random = numpy.random.default_rng(batch * 1000 + sequence)
        ids = random.integers(1000, 29000, (batch, sequence))
        ids[:, 0], ids[:, -1] = 101, 102
        return ids.astype(numpy.int64), numpy.ones_like(ids, dtype=numpy.int64)

    def weights(self, dtype):
        return {name.removeprefix("encoder."): tensor for name, tensor in self.load(dtype).state_dict().items()}


class OfTransformers(Subject):
    """A model of transformers without its head: token ids, or pixels, to hidden states."""

    def __init__(self, make, jax_form, vocabulary=None, sizes=((1, 128),)):
        self._make, self.jax_form, self._vocabulary, self.sizes = make, jax_form, vocabulary, sizes

    def load(self, dtype):
        os.environ["HF_HUB_OFFLINE"] = "1"
        import torch
        import transformers
        transformers.utils.logging.set_verbosity_error()
        torch.manual_seed(0)
        field = "pixel_values" if self._vocabulary is None else "input_ids"
        return hidden_states(self._make(transformers), field).eval().requires_grad_(False).to(dtype)

    def inputs(self, batch, sequence):
        random = numpy.random.default_rng(batch * 1000 + sequence)
        if self._vocabulary is None:
            return (random.standard_normal((batch, 3, 224, 224)).astype(numpy.float32),)
        return (random.integers(0, self._vocabulary, (batch, sequence)).astype(numpy.int64),)


def hidden_states(inner, field):
    import torch

    class HiddenStates(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return self.inner(**{field: x}).last_hidden_state
    return HiddenStates()


def bert(transformers):
    return transformers.BertModel(transformers.BertConfig(), add_pooling_layer=False)


def gpt2(transformers):
    return transformers.GPT2Model(transformers.GPT2Config(use_cache=False))


def vit(transformers):
    return transformers.ViTModel(transformers.ViTConfig(), add_pooling_layer=False)


def llama(transformers):
    """Two layers of Llama-3-8B's width. The vocabulary is small: what an embedding takes does not depend on it."""
    return transformers.LlamaModel(transformers.LlamaConfig(
        vocab_size=1024, hidden_size=4096, intermediate_size=14336, num_hidden_layers=2, num_attention_heads=32,
        num_key_value_heads=8, max_position_embeddings=8192, rope_theta=500000.0, use_cache=False))


@functools.cache
def models():
    return {"MiniLM": MiniLM(), "BERT-base": OfTransformers(bert, "bert", 30522), "GPT-2": OfTransformers(gpt2, "gpt2", 50257),
            "ViT-B/16": OfTransformers(vit, "vit", sizes=((1, 197),)), "Llama-3-8B, 2 layers": OfTransformers(llama, "llama", 1024)}


def subject_of(case):
    from tenon.bench.ops import ops
    return models().get(case.subject) or ops()[case.subject]
