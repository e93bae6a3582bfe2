"""Whole models that are measured on a GPU: those of `transformers`, with random weights of a fixed seed, and the same as plain
blocks (gpu_plain.py) for peers."""
import os
from dataclasses import dataclass

LLAMA = dict(vocab_size=128256, hidden_size=4096, intermediate_size=14336, num_hidden_layers=4, num_attention_heads=32,
             num_key_value_heads=8, max_position_embeddings=8192, attn_implementation="sdpa")
CONTEXT = 1024  # of a decode step
PROMPT, COUNT = 512, 64  # tokens that a generator is given, and makes


@dataclass
class ModelCase:
    """`build`: the module. `inputs`: what it is called with, on the CPU. `plain`: function(state dict, attention's backend,
    caches) that gives the plain blocks; None where there are none. `batch`: of a decode step, 0 of another model. `in_tvm`: TVM
    takes part; Llama is not what its importer was tried with. `count`: how many tokens it generates, greedily, after a prompt,
    its input; 0 of what is one call of a model (gpu_generation.py)."""
    build: callable
    inputs: callable
    plain: callable = None
    batch: int = 0
    in_tvm: bool = True
    count: int = 0

    @property
    def is_decode(self):
        return self.batch > 0 and not self.count


def context_of(case):
    """How many places the cache of a generator has."""
    return PROMPT + case.count


def models():
    """{name: ModelCase}"""
    import torch
    os.environ["HF_HUB_OFFLINE"] = "1"
    import transformers
    from tenon.bench import gpu_plain
    from tenon.generation import CachedModel
    transformers.utils.logging.set_verbosity_error()

    class Pick(torch.nn.Module):
        def __init__(self, inner, name="input_ids", field="last_hidden_state", **options):
            super().__init__()
            self.inner, self.name, self.field, self.options = inner, name, field, options

        def forward(self, x):
            return getattr(self.inner(**{self.name: x}, **self.options), self.field)

    def bert(layers=12, hidden=768, intermediate=3072):
        config = transformers.BertConfig(num_hidden_layers=layers, hidden_size=hidden, num_attention_heads=12,
                                         intermediate_size=intermediate, attn_implementation="sdpa")
        return Pick(transformers.BertModel(config, add_pooling_layer=False))

    def gpt2():
        return Pick(transformers.GPT2Model(transformers.GPT2Config(attn_implementation="sdpa")), use_cache=False)

    def gpt2_logits():
        inner = transformers.GPT2LMHeadModel(transformers.GPT2Config(attn_implementation="sdpa"))
        return Pick(inner, field="logits", use_cache=False)

    def vit():
        config = transformers.ViTConfig(attn_implementation="sdpa")
        return Pick(transformers.ViTModel(config, add_pooling_layer=False), "pixel_values")

    def llama():
        return Pick(transformers.LlamaModel(transformers.LlamaConfig(**LLAMA)), use_cache=False)

    def llama_step(batch):
        return lambda: CachedModel(transformers.LlamaModel(transformers.LlamaConfig(**LLAMA)), batch, CONTEXT)

    def llama_with_head():
        return transformers.LlamaForCausalLM(transformers.LlamaConfig(**LLAMA))

    def ids(batch, length, vocabulary):
        return lambda: (torch.randint(0, vocabulary, (batch, length), generator=torch.Generator().manual_seed(1)),)

    def pixels(batch):
        return lambda: (torch.randn(batch, 3, 224, 224, generator=torch.Generator().manual_seed(1)),)

    def step(batch):
        return lambda: (*ids(batch, 1, 128256)(), torch.tensor(CONTEXT - 1))

    def minilm():
        return bert(6, 384, 1536)

    def plain(kind, **options):
        return lambda state, backend, caches=None: kind(state, backend, **options, **({"caches": caches} if caches else {}))

    def plain_step(state, backend, caches=None):
        llama = gpu_plain.Llama(state, backend, "model.model.model", caches=caches, sees_past=True)
        return gpu_plain.LlamaStep(llama, state["model.model.lm_head.weight"])
    cases = {
        "MiniLM B1 S128": ModelCase(minilm, ids(1, 128, 30522), plain(gpu_plain.Bert)),
        "MiniLM B64 S128": ModelCase(minilm, ids(64, 128, 30522), plain(gpu_plain.Bert)),
        "BERT-base B1 S128": ModelCase(bert, ids(1, 128, 30522), plain(gpu_plain.Bert)),
        "BERT-base B32 S128": ModelCase(bert, ids(32, 128, 30522), plain(gpu_plain.Bert)),
        "BERT-base B8 S512": ModelCase(bert, ids(8, 512, 30522), plain(gpu_plain.Bert)),
        "GPT-2 B1 S1024": ModelCase(gpt2, ids(1, 1024, 50257), plain(gpu_plain.Gpt2)),
        "GPT-2 with logits B1 S1024": ModelCase(gpt2_logits, ids(1, 1024, 50257)),
        "ViT-B/16 B1": ModelCase(vit, pixels(1), plain(gpu_plain.Vit)),
        "ViT-B/16 B64": ModelCase(vit, pixels(64), plain(gpu_plain.Vit)),
        "Llama-3-8B shape, 4 layers B1 S2048": ModelCase(llama, ids(1, 2048, 128256), plain(gpu_plain.Llama), in_tvm=False),
        "Llama-3-8B shape, 4 layers B8 S512": ModelCase(llama, ids(8, 512, 128256), plain(gpu_plain.Llama), in_tvm=False),
    }
    for batch in (1, 16, 64):
        cases[f"Llama-3-8B shape, 4 layers, decode B{batch} context 1k"] = ModelCase(
            llama_step(batch), step(batch), plain(gpu_plain.Llama, prefix="model"), batch, in_tvm=False)
    for batch in (1, 16):
        cases[f"Llama-3-8B shape, 4 layers, generates B{batch}"] = ModelCase(
            llama_with_head, ids(batch, PROMPT, 128256), plain_step, batch, False, COUNT)
    return cases
