"""The BERT encoder of MiniLM in jax.numpy, on the same weights: what XLA is measured with."""
import json
import math
from pathlib import Path

import jax
import jax.numpy as jnp


def read(folder, dtype):
    """(parameters, config) of a model folder."""
    from safetensors.numpy import load_file
    config = json.loads((Path(folder) / "config.json").read_text())
    kind = {"f32": jnp.float32, "bf16": jnp.bfloat16}[dtype]
    tensors = load_file(str(Path(folder) / "model.safetensors"))
    parameters = {name: jnp.asarray(tensor).astype(kind) for name, tensor in tensors.items()
                  if not name.endswith("position_ids")}
    return parameters, config


def _linear(parameters, name, x):
    return x @ parameters[f"{name}.weight"].T + parameters[f"{name}.bias"]


def _layer_norm(parameters, name, x, epsilon):
    wide = x.astype(jnp.float32)
    mean = wide.mean(-1, keepdims=True)
    variance = ((wide - mean) ** 2).mean(-1, keepdims=True)
    scaled = (wide - mean) * jax.lax.rsqrt(variance + epsilon)
    return scaled.astype(x.dtype) * parameters[f"{name}.weight"] + parameters[f"{name}.bias"]


def _attention(parameters, name, x, bias, heads):
    batch, length, width = x.shape

    def split(part):
        return _linear(parameters, f"{name}.self.{part}", x).reshape(batch, length, heads, width // heads)
    query, key, value = map(split, ("query", "key", "value"))
    scores = jnp.einsum("bqhd,bkhd->bhqk", query, key) / math.sqrt(width // heads) + bias
    weights = jax.nn.softmax(scores.astype(jnp.float32), axis=-1).astype(x.dtype)
    context = jnp.einsum("bhqk,bkhd->bqhd", weights, value).reshape(batch, length, width)
    return _linear(parameters, f"{name}.output.dense", context)


def embed(parameters, config, ids, mask):
    """Unit embeddings [batch, width]."""
    epsilon = config["layer_norm_eps"]
    x = (parameters["embeddings.word_embeddings.weight"][ids]
         + parameters["embeddings.token_type_embeddings.weight"][0]
         + parameters["embeddings.position_embeddings.weight"][:ids.shape[1]])
    x = _layer_norm(parameters, "embeddings.LayerNorm", x, epsilon)
    bias = jnp.where(mask[:, None, None, :] != 0, 0.0, jnp.finfo(x.dtype).min).astype(x.dtype)
    for layer in range(config["num_hidden_layers"]):
        name = f"encoder.layer.{layer}"
        attended = _attention(parameters, f"{name}.attention", x, bias, config["num_attention_heads"])
        x = _layer_norm(parameters, f"{name}.attention.output.LayerNorm", x + attended, epsilon)
        inner = jax.nn.gelu(_linear(parameters, f"{name}.intermediate.dense", x), approximate=False)
        outer = _linear(parameters, f"{name}.output.dense", inner)
        x = _layer_norm(parameters, f"{name}.output.LayerNorm", x + outer, epsilon)
    counts = mask[:, :, None].astype(x.dtype)
    mean = (x * counts).sum(1) / jnp.maximum(counts.sum(1), 1e-9)
    return mean / jnp.maximum(jnp.linalg.norm(mean, axis=-1, keepdims=True), 1e-12)
