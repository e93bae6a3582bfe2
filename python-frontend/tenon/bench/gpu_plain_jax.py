"""Llama's plain blocks for XLA: the prompt, or one more token with a cache that XLA gets back for itself."""


def llama(jax, heads, kv_heads, is_cached):
    """A jitted function(blocks, table, final norm, frequencies, caches, ids, position) that gives (hidden states, caches)."""
    jnp = jax.numpy

    def norm(x, weight):
        wide = x.astype(jnp.float32)
        scaled = wide * jax.lax.rsqrt((wide * wide).mean(-1, keepdims=True) + 1e-6)
        return (scaled * weight.astype(jnp.float32)).astype(x.dtype)

    def attend(q, k, v):
        """Of [batch, tokens, heads, size]."""
        if is_cached:
            return jax.nn.dot_product_attention(q, k, v)
        return jax.nn.dot_product_attention(q, k, v, is_causal=True, implementation="cudnn")

    def run(blocks, table, final, frequencies, caches, ids, position=0):
        x = table[ids]
        batch, count = ids.shape
        places = jnp.arange(count) + position
        angles = places[:, None].astype(jnp.float32) * frequencies
        angles = jnp.concatenate([angles, angles], -1)[:, None]
        cos, sin = jnp.cos(angles).astype(x.dtype), jnp.sin(angles).astype(x.dtype)

        def rotate(x):
            first, second = jnp.split(x, 2, -1)
            return x * cos + jnp.concatenate([-second, first], -1) * sin
        updated = []
        for index, block in enumerate(blocks):
            size = block["output"].shape[1] // heads
            parts = norm(x, block["first"]) @ block["qkv"].T
            q, k, v = jnp.split(parts, [heads * size, (heads + kv_heads) * size], -1)
            q, k = rotate(q.reshape(batch, count, heads, size)), rotate(k.reshape(batch, count, kv_heads, size))
            v = v.reshape(batch, count, kv_heads, size)
            if is_cached:
                kept = [jax.lax.dynamic_update_slice(cache, jnp.swapaxes(new, 1, 2), (0, 0, position, 0))
                        for cache, new in zip(caches[index], (k, v))]
                updated.append(tuple(kept))
                k, v = (jnp.swapaxes(cache, 1, 2) for cache in kept)
            x = x + attend(q, k, v).reshape(batch, count, -1) @ block["output"].T
            gate, up = jnp.split(norm(x, block["second"]) @ block["gate_up"].T, 2, -1)
            x = x + (jax.nn.silu(gate) * up) @ block["down"].T
        return norm(x, final), updated
    return jax.jit(run, donate_argnums=(4,))
