"""The measured models in jax.numpy, on the same weights: what XLA is measured with. `parameters`: arrays by the names of the
torch module's state_dict."""
import math

import jax
import jax.numpy as jnp


def _linear(parameters, name, x):
    y = x @ parameters[f"{name}.weight"].T
    return y + parameters[f"{name}.bias"] if f"{name}.bias" in parameters else y


def _layer_norm(parameters, name, x, epsilon):
    wide = x.astype(jnp.float32)
    mean = wide.mean(-1, keepdims=True)
    variance = ((wide - mean) ** 2).mean(-1, keepdims=True)
    scaled = (wide - mean) * jax.lax.rsqrt(variance + epsilon)
    return scaled.astype(x.dtype) * parameters[f"{name}.weight"] + parameters[f"{name}.bias"]


def _rms_norm(weight, x, epsilon):
    wide = x.astype(jnp.float32)
    return weight * (wide * jax.lax.rsqrt((wide * wide).mean(-1, keepdims=True) + epsilon)).astype(x.dtype)


def _heads(x, heads):
    batch, length, width = x.shape
    return x.reshape(batch, length, heads, width // heads)


def attention(query, key, value, bias=None):
    """[batch, length, heads, size] each -> [batch, length, heads * size]."""
    scores = jnp.einsum("bqhd,bkhd->bhqk", query, key) / math.sqrt(query.shape[-1])
    scores = scores.astype(jnp.float32) if bias is None else scores.astype(jnp.float32) + bias
    weights = jax.nn.softmax(scores, axis=-1).astype(query.dtype)
    return jnp.einsum("bhqk,bkhd->bqhd", weights, value).reshape(*query.shape[:2], -1)


def causal_bias(length):
    return jnp.where(jnp.tril(jnp.ones((length, length), bool)), 0.0, jnp.finfo(jnp.float32).min)


def _layers(parameters, prefix):
    return range(1 + max(int(name.removeprefix(prefix).split(".")[0]) for name in parameters if name.startswith(prefix)))


# ---- encoders ----
def _encode(parameters, ids, mask, heads):
    x = (parameters["embeddings.word_embeddings.weight"][ids]
         + parameters["embeddings.token_type_embeddings.weight"][0]
         + parameters["embeddings.position_embeddings.weight"][:ids.shape[1]])
    x = _layer_norm(parameters, "embeddings.LayerNorm", x, 1e-12)
    bias = None if mask is None else jnp.where(mask[:, None, None, :] != 0, 0.0, jnp.finfo(jnp.float32).min)
    for layer in _layers(parameters, "encoder.layer."):
        name = f"encoder.layer.{layer}"
        query, key, value = (_heads(_linear(parameters, f"{name}.attention.self.{part}", x), heads)
                             for part in ("query", "key", "value"))
        attended = _linear(parameters, f"{name}.attention.output.dense", attention(query, key, value, bias))
        x = _layer_norm(parameters, f"{name}.attention.output.LayerNorm", x + attended, 1e-12)
        inner = jax.nn.gelu(_linear(parameters, f"{name}.intermediate.dense", x), approximate=False)
        x = _layer_norm(parameters, f"{name}.output.LayerNorm", x + _linear(parameters, f"{name}.output.dense", inner), 1e-12)
    return x


def minilm(parameters, ids, mask):
    """Unit embeddings [batch, width]."""
    x = _encode(parameters, ids, mask, 12)
    counts = mask[:, :, None].astype(x.dtype)
    mean = (x * counts).sum(1) / jnp.maximum(counts.sum(1), 1e-9)
    return mean / jnp.maximum(jnp.linalg.norm(mean, axis=-1, keepdims=True), 1e-12)


def bert(parameters, ids):
    return _encode(parameters, ids, None, 12)


def vit(parameters, pixels):
    weight = parameters["embeddings.patch_embeddings.projection.weight"]
    x = jax.lax.conv_general_dilated(pixels.astype(weight.dtype), weight, (16, 16), "VALID")
    x = x.reshape(*x.shape[:2], -1).swapaxes(1, 2) + parameters["embeddings.patch_embeddings.projection.bias"]
    first = jnp.broadcast_to(parameters["embeddings.cls_token"], (x.shape[0], 1, x.shape[2]))
    x = jnp.concatenate([first, x], 1) + parameters["embeddings.position_embeddings"]
    for layer in _layers(parameters, "layers."):
        name = f"layers.{layer}"
        y = _layer_norm(parameters, f"{name}.layernorm_before", x, 1e-12)
        query, key, value = (_heads(_linear(parameters, f"{name}.attention.{part}_proj", y), 12) for part in "qkv")
        x = x + _linear(parameters, f"{name}.attention.o_proj", attention(query, key, value))
        y = _linear(parameters, f"{name}.mlp.fc1", _layer_norm(parameters, f"{name}.layernorm_after", x, 1e-12))
        x = x + _linear(parameters, f"{name}.mlp.fc2", jax.nn.gelu(y, approximate=False))
    return _layer_norm(parameters, "layernorm", x, 1e-12)


# ---- decoders ----
def gpt2(parameters, ids):
    def dense(name, x):
        return x @ parameters[f"{name}.weight"] + parameters[f"{name}.bias"]
    bias = causal_bias(ids.shape[1])
    x = parameters["wte.weight"][ids] + parameters["wpe.weight"][:ids.shape[1]]
    for layer in _layers(parameters, "h."):
        name = f"h.{layer}"
        parts = dense(f"{name}.attn.c_attn", _layer_norm(parameters, f"{name}.ln_1", x, 1e-5))
        query, key, value = (_heads(part, 12) for part in jnp.split(parts, 3, -1))
        x = x + dense(f"{name}.attn.c_proj", attention(query, key, value, bias))
        y = dense(f"{name}.mlp.c_fc", _layer_norm(parameters, f"{name}.ln_2", x, 1e-5))
        x = x + dense(f"{name}.mlp.c_proj", jax.nn.gelu(y, approximate=True))
    return _layer_norm(parameters, "ln_f", x, 1e-5)


def llama(parameters, ids):
    heads, size, length = 32, 128, ids.shape[1]
    angles = jnp.arange(length)[:, None] / 500000.0 ** (jnp.arange(0, size, 2) / size)
    cosine, sine = (jnp.concatenate([wave(angles)] * 2, -1)[None, :, None] for wave in (jnp.cos, jnp.sin))

    def turned(x):
        rotated = jnp.concatenate([-x[..., size // 2:], x[..., :size // 2]], -1)
        return x * cosine.astype(x.dtype) + rotated * sine.astype(x.dtype)
    bias = causal_bias(length)
    x = parameters["embed_tokens.weight"][ids]
    for layer in _layers(parameters, "layers."):
        name = f"layers.{layer}"
        y = _rms_norm(parameters[f"{name}.input_layernorm.weight"], x, 1e-6)
        query, key, value = (_linear(parameters, f"{name}.self_attn.{part}_proj", y).reshape(*y.shape[:2], -1, size)
                             for part in "qkv")
        key, value = (jnp.repeat(part, heads // part.shape[2], 2) for part in (turned(key), value))
        x = x + _linear(parameters, f"{name}.self_attn.o_proj", attention(turned(query), key, value, bias))
        y = _rms_norm(parameters[f"{name}.post_attention_layernorm.weight"], x, 1e-6)
        gated = jax.nn.silu(_linear(parameters, f"{name}.mlp.gate_proj", y)) * _linear(parameters, f"{name}.mlp.up_proj", y)
        x = x + _linear(parameters, f"{name}.mlp.down_proj", gated)
    return _rms_norm(parameters["norm.weight"], x, 1e-6)
