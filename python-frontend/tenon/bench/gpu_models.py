"""Whole models that are measured on a GPU: those of `transformers`, with random weights of a fixed seed."""
import os


def models():
    """{name: (function that builds the module, function that makes its input)}"""
    import torch
    os.environ["HF_HUB_OFFLINE"] = "1"
    import transformers
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
        config = transformers.LlamaConfig(
            vocab_size=128256, hidden_size=4096, intermediate_size=14336, num_hidden_layers=4, num_attention_heads=32,
            num_key_value_heads=8, max_position_embeddings=8192, attn_implementation="sdpa")
        return Pick(transformers.LlamaModel(config), use_cache=False)

    def ids(batch, length, vocabulary):
        return lambda: torch.randint(0, vocabulary, (batch, length), generator=torch.Generator().manual_seed(1))

    def pixels(batch):
        return lambda: torch.randn(batch, 3, 224, 224, generator=torch.Generator().manual_seed(1))

    def minilm():
        return bert(6, 384, 1536)
    return {
        "MiniLM B1 S128": (minilm, ids(1, 128, 30522)), "MiniLM B64 S128": (minilm, ids(64, 128, 30522)),
        "BERT-base B1 S128": (bert, ids(1, 128, 30522)), "BERT-base B32 S128": (bert, ids(32, 128, 30522)),
        "BERT-base B8 S512": (bert, ids(8, 512, 30522)),
        "GPT-2 B1 S1024": (gpt2, ids(1, 1024, 50257)), "GPT-2 with logits B1 S1024": (gpt2_logits, ids(1, 1024, 50257)),
        "ViT-B/16 B1": (vit, pixels(1)), "ViT-B/16 B64": (vit, pixels(64)),
        "Llama-3-8B shape, 4 layers B1 S2048": (llama, ids(1, 2048, 128256)),
        "Llama-3-8B shape, 4 layers B8 S512": (llama, ids(8, 512, 128256)),
    }
