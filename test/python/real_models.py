"""Models of transformers at the sizes they are used at, random weights, f32 and bf16: Tenon's error against float64 beside
PyTorch's own. A table for docs/performance/accuracy.md; each model runs in a process of its own.

usage: python -m real_models [NAME...]        all: half an hour on two cores, 6 GB of memory
"""
import subprocess
import sys

import torch
import transformers as hf
from transformers.integrations.executorch import TorchExportableModuleWithStaticCache

WIDE = dict(vocab_size=4096, num_hidden_layers=1, use_cache=False)  # one layer and few words of a model of 7 or 8 billion
LLAMA3 = dict(WIDE, hidden_size=4096, intermediate_size=14336, num_attention_heads=32, num_key_value_heads=8,
              max_position_embeddings=8192)
QWEN = dict(vocab_size=16384, hidden_size=896, intermediate_size=4864, num_hidden_layers=4, num_attention_heads=14,
            num_key_value_heads=2, use_cache=False)


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def tokens(batch, length, vocabulary, decoder=False):
    mask = torch.ones(batch, length, dtype=torch.int64)
    mask[batch // 2:, length - length // 3:] = 0  # padding behind
    ids = torch.randint(3, vocabulary, (batch, length), generator=random())
    inputs = dict(input_ids=ids, attention_mask=mask)
    return dict(inputs, decoder_input_ids=ids[:, :length // 2].clone()) if decoder else inputs


def pictures(batch, size=224):
    return dict(pixel_values=torch.randn(batch, 3, size, size, generator=random()))


def minilm():
    """The one model that has its real weights."""
    from tenon.samples.minilm import load
    return load().encoder


# Name: (what its size is, function that makes the module, inputs).
MODELS = {
    "all-MiniLM-L6-v2": ("B2 S128", minilm, lambda: tokens(2, 128, 30000)),
    "BERT-base": ("B2 S128", lambda: hf.BertModel(hf.BertConfig()), lambda: tokens(2, 128, 30522)),
    "RoBERTa-base": ("B2 S128", lambda: hf.RobertaModel(hf.RobertaConfig(max_position_embeddings=514)),
                     lambda: tokens(2, 128, 50000)),
    "DistilBERT": ("B2 S128", lambda: hf.DistilBertModel(hf.DistilBertConfig()), lambda: tokens(2, 128, 30522)),
    "ModernBERT-base": ("B2 S128", lambda: hf.ModernBertModel(hf.ModernBertConfig()), lambda: tokens(2, 128, 50000)),
    "GPT-2": ("B1 S128", lambda: hf.GPT2LMHeadModel(hf.GPT2Config(use_cache=False)), lambda: tokens(1, 128, 50257)),
    "Llama-3-8B, 1 layer": ("B1 S128", lambda: hf.LlamaForCausalLM(hf.LlamaConfig(**LLAMA3)), lambda: tokens(1, 128, 4096)),
    "Mistral-7B, 1 layer": ("B1 S128", lambda: hf.MistralForCausalLM(hf.MistralConfig(**LLAMA3, sliding_window=64)),
                             lambda: tokens(1, 128, 4096)),
    "Qwen2.5-0.5B, 4 layers": ("B1 S128", lambda: hf.Qwen2ForCausalLM(hf.Qwen2Config(**QWEN)), lambda: tokens(1, 128, 16384)),
    "ViT-B/16": ("B2", lambda: hf.ViTModel(hf.ViTConfig()), lambda: pictures(2)),
    "CLIP-B/32 text": ("B2 S77", lambda: hf.CLIPTextModel(hf.CLIPTextConfig()), lambda: tokens(2, 77, 49000)),
    "CLIP-B/32 vision": ("B2", lambda: hf.CLIPVisionModel(hf.CLIPVisionConfig()), lambda: pictures(2)),
    "Whisper-tiny": ("B1, 30 s", lambda: hf.WhisperForConditionalGeneration(hf.WhisperConfig(use_cache=False)), lambda: dict(
        input_features=torch.randn(1, 80, 3000, generator=random()),
        decoder_input_ids=torch.randint(0, 50000, (1, 16), generator=random()))),
    "T5-small": ("B2 S128", lambda: hf.T5ForConditionalGeneration(hf.T5Config(use_cache=False)),
                 lambda: tokens(2, 128, 32000, decoder=True)),
    "ResNet-50": ("B2", lambda: hf.ResNetModel(hf.ResNetConfig()), lambda: pictures(2)),
    "ConvNeXt-tiny": ("B2", lambda: hf.ConvNextModel(hf.ConvNextConfig()), lambda: pictures(2)),
}


# Decoders whose key/value cache is in buffers: one artefact, called with a prompt and then with a token a call.
CACHED = {
    "Llama-3-8B, 1 layer, static cache": (hf.LlamaForCausalLM, hf.LlamaConfig, LLAMA3),
    "GPT-2, static cache": (hf.GPT2LMHeadModel, hf.GPT2Config, {}),
    "Qwen2.5-0.5B, 4 layers, static cache": (hf.Qwen2ForCausalLM, hf.Qwen2Config, QWEN),
}
PROMPT, STEPS, PLACES = 112, 16, 256


def cast(inputs, dtype):
    return {name: tensor.to(dtype) if tensor.is_floating_point() else tensor for name, tensor in inputs.items()}


def row(name, size, dtype, ours, theirs, exact):
    assert bool(ours.isfinite().all()) and ours.shape == theirs.shape
    (most, square), (their_most, their_square) = (
        (error.max().item(), error.square().mean().sqrt().item()) for error in
        ((result.double() - exact).abs() for result in (ours, theirs)))
    agree = (ours.argmax(-1) == exact.argmax(-1)).double().mean().item()
    print(f"| {name} | {size} | {'f32' if dtype == torch.float32 else 'bf16'} | {most:.1e} | {their_most:.1e} | {square:.1e} | "
          f"{their_square:.1e} | {square / their_square:.2f} | {agree * 100:.1f} % |", flush=True)


def measure(name):
    """A row for each type. Errors are over the first result (hidden states or logits): largest, and root mean square."""
    import tenon
    size, make, inputs = MODELS[name]
    for dtype in (torch.float32, torch.bfloat16):
        torch.manual_seed(0)
        with torch.no_grad():
            module, given = make().eval().to(dtype), cast(inputs(), dtype)
            theirs = module(**given)[0]
            model = tenon.compile(torch.export.export(module, (), given, strict=False))
            ours = next(iter(model(**given).values()))
            # The weights of this type, in float64: what is measured is the arithmetic.
            row(name, size, dtype, ours, theirs, module.double()(**cast(given, torch.float64))[0])


def measure_cached(name):
    """Rows for the prompt and for the steps after it."""
    import tenon
    cls, config, options = CACHED[name]
    ids = torch.randint(3, 4000, (1, PROMPT + STEPS), generator=random())
    parts = [range(PROMPT), *(range(place, place + 1) for place in range(PROMPT, PROMPT + STEPS))]
    for dtype in (torch.float32, torch.bfloat16):
        torch.manual_seed(0)
        with torch.no_grad():
            module = cls(config(**{**options, "use_cache": True})).eval().to(dtype)
            module.generation_config = hf.GenerationConfig(
                use_cache=True, cache_implementation="static", cache_config={"batch_size": 1, "max_cache_len": PLACES})
            cached, count = TorchExportableModuleWithStaticCache(module), torch.export.Dim("count", min=1, max=PROMPT)
            model = tenon.compile(torch.export.export(
                cached, (), {"input_ids": ids[:, :7], "cache_position": torch.arange(7)},
                dynamic_shapes={"input_ids": {1: count}, "cache_position": {0: count}}, strict=False))

            def logits(decode):
                return [decode(input_ids=ids[:, part.start:part.stop], cache_position=torch.tensor(list(part))).clone()
                        for part in parts]
            ours, theirs = logits(model), logits(cached)
            exact = module.double()(ids, use_cache=False).logits
        row(f"{name}: prompt", f"B1 S{PROMPT}", dtype, ours[0], theirs[0], exact[:, :PROMPT])
        row(f"{name}: steps", f"{STEPS} of 1", dtype, torch.cat(ours[1:], 1), torch.cat(theirs[1:], 1), exact[:, PROMPT:])


def main(names):
    if len(names) == 1:
        hf.utils.logging.set_verbosity_error()
        return measure_cached(names[0]) if names[0] in CACHED else measure(names[0])
    print("| | size | type | Tenon's largest | PyTorch's | Tenon's root mean square | PyTorch's | ratio | same largest entry |\n"
          "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    failed = [name for name in names or [*MODELS, *CACHED]
              if subprocess.run([sys.executable, "-W", "ignore", "-m", "real_models", name]).returncode]
    return f"failed: {', '.join(failed)}" if failed else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
