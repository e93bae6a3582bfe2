"""Operators for what torch has none of: attention to sequences that end where data say, and to keys in pages.

    import tenon.ops

    tenon.ops.attention(query, key, value, key_lengths=lengths, causal=True)
    tenon.ops.kv_pages_append_(key_pages, key, position, block_table)
    tenon.ops.paged_attention(query, key_pages, value_pages, block_table, key_lengths)

A model that calls them runs without Tenon, in plain torch; torch.export and torch.compile keep them whole, and Tenon
compiles each as what it is. They have no gradients.
"""
from tenon.ops.attention import attention, paged_attention
from tenon.ops.pages import kv_pages_append, kv_pages_append_

__all__ = ["attention", "kv_pages_append", "kv_pages_append_", "paged_attention"]
