"""A decoder of transformers with a key/value cache of fixed size in its buffers, as one module of ids and a position.

transformers' own static cache counts in a buffer where it is, so that each layer asks for a number that the step before wrote;
here the position is an argument, the same for all layers, and the mask follows from it.
"""
import torch

from tenon.errors import InvalidArgumentError, UnsupportedError


class _Cache:
    """What attention of transformers asks of a cache: to take new keys and values and to give all."""
    is_compileable = True
    is_sliding = ()
    layers = ()

    def __init__(self, owner, places):
        self._owner, self._places = owner, places

    def update(self, key_states, value_states, layer_idx, *args, **kwargs):
        key, value = getattr(self._owner, f"key_{layer_idx}"), getattr(self._owner, f"value_{layer_idx}")
        return key.index_copy_(2, self._places, key_states), value.index_copy_(2, self._places, value_states)

    def get_seq_length(self, layer_idx=0):
        return 0


class CachedModel(torch.nn.Module):
    """`model`: a decoder of transformers, with a head (then the result are the logits of the last token) or without (its
    hidden states). Called with ids [batch, count] and the position of the first, a tensor of one number; `context` is how
    many tokens there can be."""

    def __init__(self, model, batch, context):
        super().__init__()
        config = model.config
        if getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True):
            raise UnsupportedError("a cache of fixed size with a sliding window; use a model whose config has "
                                   "sliding_window=None")
        if not 1 <= context <= config.max_position_embeddings:
            raise InvalidArgumentError(f"a context of {context} tokens, expected 1 to the model's "
                                       f"{config.max_position_embeddings}")
        self.model, self.batch, self.context = model, batch, context
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        weight = next(model.parameters())
        for layer in range(config.num_hidden_layers):
            for name in ("key", "value"):
                cache = torch.zeros(batch, heads, context, size, dtype=weight.dtype, device=weight.device)
                self.register_buffer(f"{name}_{layer}", cache)

    def forward(self, ids, position):
        places = torch.arange(ids.shape[1], device=ids.device) + position
        visible = torch.arange(self.context, device=ids.device) <= places[:, None]
        has_head = self.model.get_output_embeddings() is not None
        result = self.model(input_ids=ids, position_ids=places[None], attention_mask=visible[None, None],
                            past_key_values=_Cache(self, places), use_cache=True,
                            **({"logits_to_keep": 1} if has_head else {}))
        return result.logits[:, -1] if has_head else result.last_hidden_state
