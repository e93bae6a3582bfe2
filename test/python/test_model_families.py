"""One small model with random weights of each large family, as transformers builds it: exported with dynamic sizes,
imported, compiled and compared with PyTorch."""
import pytest
import torch
import transformers

import tenon

SMALL = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
TEXT = dict(SMALL, vocab_size=99, max_position_embeddings=64)


def ids(length=9):
    return torch.randint(3, 90, (2, length), generator=torch.Generator().manual_seed(length))


def masked():
    mask = torch.ones(2, 9, dtype=torch.int64)
    mask[1, 6:] = 0
    return dict(input_ids=ids(), attention_mask=mask)


def image(size):
    return dict(pixel_values=torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(size)))


def gpt2():
    config = transformers.GPT2Config(n_embd=32, n_layer=2, n_head=4, vocab_size=99, n_positions=64, use_cache=False)
    return transformers.GPT2LMHeadModel(config), masked()


def llama():
    config = transformers.LlamaConfig(**TEXT, num_key_value_heads=2, use_cache=False)
    return transformers.LlamaForCausalLM(config), masked()


def mistral():
    config = transformers.MistralConfig(**TEXT, num_key_value_heads=2, sliding_window=4, use_cache=False,
                                        attn_implementation="eager")
    return transformers.MistralForCausalLM(config), masked()


def modernbert():
    tokens = dict(pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2)
    return transformers.ModernBertModel(transformers.ModernBertConfig(**TEXT, **tokens)), masked()


def t5():
    config = transformers.T5Config(d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, vocab_size=99,
                                   use_cache=False)
    return transformers.T5ForConditionalGeneration(config), dict(masked(), decoder_input_ids=ids(5))


def whisper():
    config = transformers.WhisperConfig(
        d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=4,
        encoder_ffn_dim=64, decoder_ffn_dim=64, vocab_size=99, max_source_positions=20, max_target_positions=16,
        num_mel_bins=8, use_cache=False, pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1)
    sound = torch.randn(2, 8, 40, generator=torch.Generator().manual_seed(1))
    return transformers.WhisperForConditionalGeneration(config), dict(input_features=sound, decoder_input_ids=ids(5))


def vit():
    config = transformers.ViTConfig(**SMALL, image_size=16, patch_size=4)
    return transformers.ViTForImageClassification(config), image(16)


def resnet():
    config = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    return transformers.ResNetForImageClassification(config), image(32)


def export(module, inputs):
    batch = torch.export.Dim("batch", min=1, max=16)
    lengths = {9: torch.export.Dim("length", min=2, max=32), 5: torch.export.Dim("decoded", min=2, max=16)}

    def dims(tensor):
        dynamic = tensor.dtype == torch.int64
        return {0: batch, 1: lengths[tensor.shape[1]]} if dynamic else {0: batch}
    with torch.no_grad():
        return torch.export.export(module, (), inputs, strict=False,
                                   dynamic_shapes={name: dims(tensor) for name, tensor in inputs.items()})


@pytest.mark.parametrize("family", [gpt2, llama, mistral, modernbert, t5, whisper, vit, resnet])
def test_family(family):
    torch.manual_seed(0)
    module, inputs = family()
    module.eval()
    model = tenon.compile(export(module, inputs))
    for more in (inputs, {name: torch.cat([tensor, tensor.flip(0)[:1]]) for name, tensor in inputs.items()}):
        got = model(**more)
        with torch.no_grad():
            same = module(**more)
            exact = module.double()(**{name: tensor.double() if tensor.is_floating_point() else tensor
                                       for name, tensor in more.items()})
            module.float()
        assert type(got) is type(same) and list(got) == list(same)
        for name in same:
            # Hidden states are of order 1: some tens of roundings of f32 on the way there.
            error = (got[name].double() - exact[name].double()).abs().max().item()
            own = (same[name].double() - exact[name].double()).abs().max().item()
            assert error <= max(4 * own, 2e-6), f"{name}: error {error:.3g}, PyTorch's own {own:.3g}"
