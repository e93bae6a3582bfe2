"""The models of gpu_models.py as plain blocks, the best that PyTorch runs: on the same weights, with joined projections, with
the attention of one library pinned, and nothing around them. Captured as CUDA graphs and compiled by torch.compile."""
import torch
from torch.nn import functional as F


def attend(q, k, v, backend, **options):
    """Of [batch, heads, tokens, size], by cuDNN ("CUDNN_ATTENTION"), Flash ("FLASH_ATTENTION"), or what torch picks (None)."""
    if backend is None:
        return F.scaled_dot_product_attention(q, k, v, enable_gqa=q.shape[1] != k.shape[1], **options)
    from torch.nn.attention import SDPBackend, sdpa_kernel
    with sdpa_kernel(getattr(SDPBackend, backend)):
        return F.scaled_dot_product_attention(q, k, v, enable_gqa=q.shape[1] != k.shape[1], **options)


def _split(x, heads):
    """[batch, tokens, heads * size] as [batch, heads, tokens, size]."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def _join(x):
    return x.transpose(1, 2).flatten(2)


class Weights:
    """Of a state dict: single ones, and several joined along their rows."""

    def __init__(self, state):
        self._state = state

    def __getitem__(self, key):
        return self._state[key]

    def joined(self, pattern, names):
        return torch.cat([self._state[pattern.format(name)] for name in names])

    def layers(self, pattern):
        """How many of the first there are without a gap."""
        count = 0
        while pattern.format(count) in self._state:
            count += 1
        return count

    def linear(self, key):
        return self[f"{key}.weight"], self[f"{key}.bias"]


class Plain(torch.nn.Module):
    def tensors(self):
        """All that it reads beside its inputs, which stays at one address."""
        found, todo = [], [self.__dict__]
        while todo:
            item = todo.pop()
            if isinstance(item, torch.Tensor):
                found.append(item)
            elif isinstance(item, (dict, list, tuple)):
                todo += item.values() if isinstance(item, dict) else item
            elif isinstance(item, (Plain, Weights)):
                todo.append(item.__dict__)
        return found


class Encoder(Plain):
    """BERT, MiniLM and ViT; `before`: norms come before the blocks (ViT)."""

    def __init__(self, weights, heads, names, before, backend):
        super().__init__()
        self.heads, self.before, self.backend, self.blocks = heads, before, backend, []
        for layer in range(weights.layers(names["query"].format("{}", "weight"))):
            block = {name: tuple(weights[key.format(layer, kind)] for kind in ("weight", "bias"))
                     for name, key in names.items() if name not in ("query", "key", "value")}
            block["qkv"] = tuple(torch.cat([weights[names[name].format(layer, kind)] for name in ("query", "key", "value")])
                                 for kind in ("weight", "bias"))
            self.blocks.append(block)

    def forward(self, x):
        def norm(x, parameters):
            return F.layer_norm(x, x.shape[-1:], *parameters, 1e-12)
        for block in self.blocks:
            inner = norm(x, block["first"]) if self.before else x
            q, k, v = (_split(part, self.heads) for part in F.linear(inner, *block["qkv"]).chunk(3, -1))
            attended = F.linear(_join(attend(q, k, v, self.backend)), *block["output"])
            x = x + attended
            x = x if self.before else norm(x, block["first"])
            inner = norm(x, block["second"]) if self.before else x
            x = x + F.linear(F.gelu(F.linear(inner, *block["up"])), *block["down"])
            x = x if self.before else norm(x, block["second"])
        return x


class Bert(Plain):
    NAMES = {"query": "inner.encoder.layer.{}.attention.self.query.{}", "key": "inner.encoder.layer.{}.attention.self.key.{}",
             "value": "inner.encoder.layer.{}.attention.self.value.{}",
             "output": "inner.encoder.layer.{}.attention.output.dense.{}",
             "first": "inner.encoder.layer.{}.attention.output.LayerNorm.{}",
             "up": "inner.encoder.layer.{}.intermediate.dense.{}", "down": "inner.encoder.layer.{}.output.dense.{}",
             "second": "inner.encoder.layer.{}.output.LayerNorm.{}"}

    def __init__(self, state, backend, heads=12):
        super().__init__()
        self.weights = weights = Weights(state)
        self.encoder = Encoder(weights, heads, self.NAMES, False, backend)
        self.places = weights["inner.embeddings.position_embeddings.weight"]
        self.kind = weights["inner.embeddings.token_type_embeddings.weight"][0]

    def forward(self, ids):
        x = self.weights["inner.embeddings.word_embeddings.weight"][ids] + self.kind + self.places[:ids.shape[1]]
        return self.encoder(F.layer_norm(x, x.shape[-1:], *self.weights.linear("inner.embeddings.LayerNorm"), 1e-12))


class Vit(Plain):
    NAMES = {"query": "inner.layers.{}.attention.q_proj.{}", "key": "inner.layers.{}.attention.k_proj.{}",
             "value": "inner.layers.{}.attention.v_proj.{}", "output": "inner.layers.{}.attention.o_proj.{}",
             "first": "inner.layers.{}.layernorm_before.{}", "up": "inner.layers.{}.mlp.fc1.{}",
             "down": "inner.layers.{}.mlp.fc2.{}", "second": "inner.layers.{}.layernorm_after.{}"}

    def __init__(self, state, backend, heads=12):
        super().__init__()
        self.weights = weights = Weights(state)
        self.encoder = Encoder(weights, heads, self.NAMES, True, backend)

    def forward(self, pixels):
        weights = self.weights
        patch = weights["inner.embeddings.patch_embeddings.projection.weight"]
        patches = F.conv2d(pixels, *weights.linear("inner.embeddings.patch_embeddings.projection"), stride=patch.shape[-1])
        x = patches.flatten(2).transpose(1, 2)
        first = weights["inner.embeddings.cls_token"].expand(x.shape[0], -1, -1)
        x = self.encoder(torch.cat([first, x], 1) + weights["inner.embeddings.position_embeddings"])
        return F.layer_norm(x, x.shape[-1:], *weights.linear("inner.layernorm"), 1e-12)


class Gpt2(Plain):
    def __init__(self, state, backend, heads=12):
        super().__init__()
        self.weights, self.heads, self.backend = Weights(state), heads, backend
        self.layers = self.weights.layers("inner.h.{}.ln_1.weight")

    def forward(self, ids):
        weights = self.weights

        def norm(x, key):
            return F.layer_norm(x, x.shape[-1:], *weights.linear(key), 1e-5)

        def product(x, key):  # weights of GPT-2 are [in, out]
            weight, bias = weights.linear(key)
            return torch.addmm(bias, x.flatten(0, 1), weight).unflatten(0, x.shape[:2])
        x = weights["inner.wte.weight"][ids] + weights["inner.wpe.weight"][:ids.shape[1]]
        for layer in range(self.layers):
            at = f"inner.h.{layer}"
            q, k, v = (_split(part, self.heads) for part in product(norm(x, f"{at}.ln_1"), f"{at}.attn.c_attn").chunk(3, -1))
            x = x + product(_join(attend(q, k, v, self.backend, is_causal=True)), f"{at}.attn.c_proj")
            up = product(norm(x, f"{at}.ln_2"), f"{at}.mlp.c_fc")
            x = x + product(F.gelu(up, approximate="tanh"), f"{at}.mlp.c_proj")
        return norm(x, "inner.ln_f")


class Llama(Plain):
    """The prompt, or with `caches`, [batch, heads, context, size] for keys and values of each layer, one more token: its
    keys and values go into them, and it sees all places; with `sees_past` the prompt, too, goes into them, and a token sees
    those up to its own. `prefix`: of the weights' names."""

    def __init__(self, state, backend, prefix="inner", heads=32, kv_heads=8, caches=None, theta=10000.0, sees_past=False):
        super().__init__()
        weights = Weights(state)
        self.backend, self.heads, self.kv_heads = backend, heads, kv_heads
        self.table, self.final = weights[f"{prefix}.embed_tokens.weight"], weights[f"{prefix}.norm.weight"]
        self.blocks = []
        for layer in range(weights.layers(f"{prefix}.layers.{{}}.input_layernorm.weight")):
            at = f"{prefix}.layers.{layer}."
            self.blocks.append({
                "qkv": weights.joined(at + "self_attn.{}_proj.weight", "qkv"), "output": weights[at + "self_attn.o_proj.weight"],
                "gate_up": weights.joined(at + "mlp.{}_proj.weight", ("gate", "up")), "down": weights[at + "mlp.down_proj.weight"],
                "first": weights[at + "input_layernorm.weight"], "second": weights[at + "post_attention_layernorm.weight"]})
        size = self.blocks[0]["output"].shape[1] // heads
        self.size = size
        frequencies = theta ** (-torch.arange(0, size, 2, device=self.table.device, dtype=torch.float64) / size)
        self.register_buffer("frequencies", frequencies, persistent=False)
        for index, (key, value) in enumerate(caches or ()):
            self.register_buffer(f"key_{index}", key, persistent=False)
            self.register_buffer(f"value_{index}", value, persistent=False)
        self.is_cached, self.sees_past = caches is not None, sees_past

    def attend_past(self, q, k, v, visible):
        """Of one token, with the queries of a group as rows: keys and values are read once."""
        packed = attend(q.unflatten(1, (self.kv_heads, -1)).flatten(2, 3), k, v, None, attn_mask=visible[None, None])
        return packed.unflatten(2, (-1, 1)).flatten(1, 2)

    def forward(self, ids, position=None):
        def norm(x, weight):
            return F.rms_norm(x, x.shape[-1:], weight, 1e-6)

        def rotate(x):
            first, second = x.chunk(2, -1)
            return x * cos + torch.cat([-second, first], -1) * sin
        x = self.table[ids]
        is_prompt = position is None or ids.shape[1] > 1
        places = torch.arange(ids.shape[1], device=ids.device) if is_prompt else position.reshape(1)
        if self.sees_past and not is_prompt:
            visible = torch.arange(self.key_0.shape[2], device=ids.device)[None] <= places
        angles = (places[:, None].to(self.frequencies.dtype) * self.frequencies).repeat(1, 2)
        cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
        for index, block in enumerate(self.blocks):
            parts = F.linear(norm(x, block["first"]), block["qkv"])
            q, k, v = parts.split([self.heads * self.size, self.kv_heads * self.size, self.kv_heads * self.size], -1)
            q, k, v = rotate(_split(q, self.heads)), rotate(_split(k, self.kv_heads)), _split(v, self.kv_heads)
            if self.is_cached:
                keys = getattr(self, f"key_{index}").index_copy_(2, places, k)
                values = getattr(self, f"value_{index}").index_copy_(2, places, v)
            if self.sees_past and not is_prompt:
                attended = self.attend_past(q, keys, values, visible)
            elif is_prompt:
                attended = attend(q, k, v, self.backend, is_causal=True)
            else:
                attended = attend(q, keys, values, self.backend, is_causal=False)
            x = x + F.linear(_join(attended), block["output"])
            gate, up = F.linear(norm(x, block["second"]), block["gate_up"]).chunk(2, -1)
            x = x + F.linear(F.silu(gate) * up, block["down"])
        return norm(x, self.final)

    def in_jax(self, inputs):
        """(function that makes a call, result), by XLA in the order of PyTorch's stream: it waits for the ids, and who takes the
        result waits for it."""
        import jax
        from tenon.bench.gpu_plain_jax import llama

        def shared(value):
            return jax.dlpack.from_dlpack(value.contiguous())
        blocks = [{name: shared(tensor) for name, tensor in block.items()} for block in self.blocks]
        caches = [(shared(getattr(self, f"key_{index}")), shared(getattr(self, f"value_{index}")))
                  for index in range(len(blocks))] if self.is_cached else None
        step = llama(jax, self.heads, self.kv_heads, self.is_cached)
        given = [shared(value) for value in inputs]
        fixed = (blocks, shared(self.table), shared(self.final), shared(self.frequencies.float()))
        held = {"caches": caches}

        def call():
            out, held["caches"] = step(*fixed, held["caches"], shared(inputs[0]), *given[1:])
            return torch.from_dlpack(out)
        return call, call().clone()


class LlamaStep(Plain):
    """Ids and their position give the next token, the most likely one, and the position after: of a prompt, and of a token."""

    def __init__(self, llama, head):
        super().__init__()
        self.llama, self.head = llama, head

    def head_of(self, text, start):
        """The logits that each token of a text from `start` on was chosen by."""
        return F.linear(self.llama(text)[:, start - 1:-1], self.head)

    def forward(self, ids, position):
        hidden = self.llama(ids, position)[:, -1:]
        return F.linear(hidden, self.head).argmax(-1), position + ids.shape[1]
