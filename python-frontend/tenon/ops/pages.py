"""New keys or values put into pages of a pool, where a table says."""
import torch

from tenon.ops import checks


def kv_pages_append(pool, update, position, block_table):
    """`pool` [pages, heads, page, size] with update [batch, heads, new, size] in it: the s-th of a sequence goes to place
    j = position + s, which is j % page in page block_table[.., j // page].

    `position`: integers [batch]; `block_table`: integers [batch, P]. What has no place, its page number being out of range
    or j past P pages, is dropped: a sequence that is done has a row of -1."""
    return torch.ops.tenon.kv_pages_append(pool, update, position, block_table)


def kv_pages_append_(pool, update, position, block_table):
    """The same in place; returns the pool. A compiled model whose pool is a buffer or an argument writes what is new and
    nothing else."""
    if torch.compiler.is_compiling():  # in a graph a pool is a value: who runs it knows that it may be written
        return pool.copy_(kv_pages_append(pool, update, position, block_table))
    _check(pool, update, position, block_table)
    _write(pool, update, position, block_table)
    return pool


def _check(pool, update, position, block_table):
    op = "kv_pages_append"
    checks.require_heads(op, pool=pool, update=update)
    checks.require(pool.dtype in checks.FLOATS, op, f"pool is {checks.shown(pool)}", "float16, bfloat16, float32 or float64",
                   "keep pages in one of these")
    batch, new = update.shape[0], update.shape[2]
    checks.require_shape(op, "update", update, (batch, pool.shape[1], new, pool.shape[3]),
                         "[batch, the pool's heads, new, the pool's size]",
                         "transpose(1, 2) turns [batch, new, heads, size]; pages have the heads before the keys as well")
    checks.require(block_table.dim() == 2, op, f"block_table is {checks.shown(block_table)}", "[batch, pages of each]",
                   "a row of page numbers for each sequence")
    checks.require_integers(op, "block_table", block_table, (batch, block_table.shape[1]), "update's batch first")
    checks.require_integers(op, "position", position, (batch,), "update's batch")


def _write(pool, update, position, block_table):
    pages, _, page, _ = pool.shape
    place = position.long()[:, None] + torch.arange(update.shape[2], device=pool.device)  # [batch, new]
    most = block_table.shape[1]
    if most == 0 or page == 0:
        return
    number = block_table.long().gather(1, (place // page).clamp(0, most - 1))
    kept = (place >= 0) & (place < most * page) & (number >= 0) & (number < pages)
    pool[number[kept], :, place[kept] % page] = update.transpose(1, 2)[kept]


@torch.library.custom_op("tenon::kv_pages_append", mutates_args=())
def _kv_pages_append(pool: torch.Tensor, update: torch.Tensor, position: torch.Tensor,
                     block_table: torch.Tensor) -> torch.Tensor:
    _check(pool, update, position, block_table)
    result = pool.clone(memory_format=torch.contiguous_format)
    _write(result, update, position, block_table)
    return result


@_kv_pages_append.register_fake
def _kv_pages_append_shapes(pool, update, position, block_table):
    _check(pool, update, position, block_table)
    return pool.new_empty(pool.shape)


checks.without_gradient(_kv_pages_append, "keep pages out of what is trained")
