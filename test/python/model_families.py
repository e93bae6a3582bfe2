"""Small models of the large families with random weights, unmodified as transformers builds them, and inputs for each."""
import torch
import transformers as hf
from transformers.models.whisper.modeling_whisper import WhisperEncoder

SMALL = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
TEXT = dict(SMALL, vocab_size=99, max_position_embeddings=64)
SPECIAL = dict(pad_token_id=0, bos_token_id=1, eos_token_id=2)
DECODER = dict(TEXT, **SPECIAL, num_key_value_heads=2, use_cache=False)
SPEECH = dict(d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=4,
              encoder_ffn_dim=64, decoder_ffn_dim=64, vocab_size=99, max_source_positions=20, max_target_positions=16,
              num_mel_bins=8, use_cache=False, **SPECIAL, decoder_start_token_id=1)
PICTURE = dict(SMALL, image_size=16, patch_size=4)


def random(seed):
    return torch.Generator().manual_seed(seed)


def tokens(batch=2, length=9, padded=True):
    """The last rows end in padding."""
    mask = torch.ones(batch, length, dtype=torch.int64)
    if padded:
        mask[batch // 2:, length - length // 3:] = 0
    return dict(input_ids=torch.randint(3, 90, (batch, length), generator=random(length)), attention_mask=mask)


def with_decoder(batch=2, length=9):
    return dict(tokens(batch, length), decoder_input_ids=torch.randint(3, 90, (batch, 5), generator=random(5)))


def picture(batch=2, length=None, size=16):
    return dict(pixel_values=torch.randn(batch, 3, size, size, generator=random(size)))


def text_and_picture(batch=2, length=9):
    """As many texts as pictures."""
    return dict(tokens(batch, length), **picture(batch))


def sound(batch=2, length=None):
    return dict(input_features=torch.randn(batch, 8, 40, generator=random(1)))


def sound_and_text(batch=2, length=None):
    return dict(sound(batch), decoder_input_ids=torch.randint(3, 90, (batch, 5), generator=random(5)))


def wave(batch=2, length=None):
    return dict(input_values=torch.randn(batch, 400, generator=random(2)))


def large_picture(batch=2, length=None):
    return picture(batch, size=32)


# Name: (class, config, inputs of a batch and a length).
FAMILIES = {
    "bert": (hf.BertModel, hf.BertConfig, TEXT, tokens),
    "roberta": (hf.RobertaModel, hf.RobertaConfig, dict(TEXT, **SPECIAL), tokens),
    "distilbert": (hf.DistilBertModel, hf.DistilBertConfig,
                   dict(dim=32, n_layers=2, n_heads=4, hidden_dim=64, vocab_size=99, max_position_embeddings=64), tokens),
    "modernbert": (hf.ModernBertModel, hf.ModernBertConfig, dict(TEXT, **SPECIAL, cls_token_id=1, sep_token_id=2), tokens),
    "gpt2": (hf.GPT2LMHeadModel, hf.GPT2Config,
             dict(n_embd=32, n_layer=2, n_head=4, vocab_size=99, n_positions=64, use_cache=False, **SPECIAL), tokens),
    "llama": (hf.LlamaForCausalLM, hf.LlamaConfig, DECODER, tokens),
    "mistral": (hf.MistralForCausalLM, hf.MistralConfig, dict(DECODER, sliding_window=4), tokens),
    "qwen2": (hf.Qwen2ForCausalLM, hf.Qwen2Config, DECODER, tokens),
    "qwen3": (hf.Qwen3ForCausalLM, hf.Qwen3Config, dict(DECODER, head_dim=8), tokens),
    "gemma2": (hf.Gemma2ForCausalLM, hf.Gemma2Config, dict(DECODER, head_dim=8, sliding_window=4), tokens),
    "mixtral": (hf.MixtralForCausalLM, hf.MixtralConfig,
                dict(DECODER, num_local_experts=4, experts_implementation="batched_mm"), tokens),
    "t5": (hf.T5ForConditionalGeneration, hf.T5Config,
           dict(d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, vocab_size=99, use_cache=False), with_decoder),
    "t5_encoder": (hf.T5EncoderModel, hf.T5Config,
                   dict(d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, vocab_size=99), tokens),
    "whisper": (hf.WhisperForConditionalGeneration, hf.WhisperConfig, SPEECH, sound_and_text),
    "whisper_encoder": (WhisperEncoder, hf.WhisperConfig, SPEECH, sound),
    "wav2vec2": (hf.Wav2Vec2Model, hf.Wav2Vec2Config,
                 dict(SMALL, vocab_size=32, conv_dim=(8, 8), conv_stride=(5, 2), conv_kernel=(10, 3), num_feat_extract_layers=2,
                      num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2), wave),
    "vit": (hf.ViTForImageClassification, hf.ViTConfig, PICTURE, picture),
    "clip_text": (hf.CLIPTextModel, hf.CLIPTextConfig, dict(TEXT, **SPECIAL), tokens),
    "clip_vision": (hf.CLIPVisionModel, hf.CLIPVisionConfig, PICTURE, picture),
    "clip": (hf.CLIPModel, hf.CLIPConfig,
             dict(text_config=dict(TEXT, **SPECIAL), vision_config=PICTURE, projection_dim=16), text_and_picture),
    "resnet": (hf.ResNetForImageClassification, hf.ResNetConfig,
               dict(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="bottleneck"), large_picture),
    "convnext": (hf.ConvNextModel, hf.ConvNextConfig, dict(hidden_sizes=[8, 16], depths=[1, 1], num_stages=2), large_picture),
}


def build(name, attention=None, dtype=torch.float32):
    """(module in inference mode, function of batch and length that gives inputs)."""
    make, config, options, inputs = FAMILIES[name]
    torch.manual_seed(0)
    with torch.no_grad():
        module = make(config(**options, **({"attn_implementation": attention} if attention else {})))
        for buffer in module.buffers():  # statistics of batch norms that are not 0 and 1
            if buffer.is_floating_point() and buffer.dim() == 1 and buffer.numel() in (8, 16):
                buffer.uniform_(0.5, 1.5, generator=random(3))
    return module.eval().to(dtype), inputs


def export(module, inputs, batch=16, length=32):
    """With batch and length of token ids dynamic, up to these."""
    batches, lengths = torch.export.Dim("batch", min=1, max=batch), torch.export.Dim("length", min=2, max=length)
    decoded = torch.export.Dim("decoded", min=2, max=16)

    def dims(name, tensor):
        if tensor.dtype != torch.int64:
            return {0: batches}
        return {0: batches, 1: decoded if name == "decoder_input_ids" else lengths}
    with torch.no_grad():
        return torch.export.export(module, (), inputs, strict=False,
                                   dynamic_shapes={name: dims(name, tensor) for name, tensor in inputs.items()})
