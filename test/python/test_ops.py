"""tenon.ops: operators of attention that torch has none of, in plain torch and compiled, against float64 within the bounds
that each result's sums allow; and masks of lengths that models write themselves."""
import copy
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import tenon
import tenon.ops as ops
from exec_cpu import dtypes
from exec_cpu.attention import reference
from exec_cpu.check import mismatch
from tenon.importer.exported_program import import_program
from tenon.importer.pt2_archive import read_program

ROOT = Path(__file__).resolve().parents[2]
DTYPES = {torch.float64: dtypes.F64, torch.float32: dtypes.F32, torch.float16: dtypes.F16, torch.bfloat16: dtypes.BF16,
          torch.float8_e4m3fn: dtypes.F8E4M3}


class Call(torch.nn.Module):
    """A module whose forward is one function of tensors."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *tensors):
        return self.function(*tensors)


def export(module, tensors, dims=None):
    shapes = None if dims is None else (tuple(dims),)
    return torch.export.export(module.eval(), tuple(tensors), dynamic_shapes=shapes, strict=False)


def normal(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed + 7 * sum(shape))).to(dtype)


def heads(queries, keys, size=16, batch=3, shared=2, groups=4, dtype=torch.float32, values=None):
    return (normal(batch, shared * groups, queries, size, dtype=dtype), normal(batch, shared, keys, size, seed=1, dtype=dtype),
            normal(batch, shared, keys, values or size, seed=2, dtype=dtype))


def expected(tensors, others=(), causal=False, window=None, scale=None, soft_cap=None, lse=False):
    """What the op gives of these, by the reference of its own tests. `others`: what the tensors after the values are."""
    dtype = DTYPES[tensors[0].dtype]
    compute = reference(dtype, causal, window, scale, soft_cap, list(others), lse)
    arrays = [(t.double() if t.is_floating_point() else t.long()).numpy() for t in tensors]
    return compute(*arrays, kind="normal")


def check(got, want, result=None):
    for one, exact in zip(got if isinstance(want, list) else [got], want if isinstance(want, list) else [want]):
        wrong = mismatch(DTYPES[result or one.dtype], one.double().numpy(), exact)
        assert wrong is None, wrong


# ---- attention ----
def lengths(*numbers, dtype=torch.int32):
    return torch.tensor(numbers, dtype=dtype)


EDGES = lengths(0, 5, 17)  # none, some, all of 17
ATTENTION = {
    "key_lengths": ((5, 17), {"key_lengths": EDGES}, {}),
    "lengths_past_the_ends": ((5, 17), {"key_lengths": lengths(-3, 99, 1, dtype=torch.int64)}, {}),
    "both_lengths": ((17, 17), {"key_lengths": EDGES, "query_lengths": EDGES}, {"causal": True}),
    "one_query": ((1, 33), {"key_lengths": lengths(33, 1, 32)}, {}),
    "one_key": ((3, 1), {"key_lengths": lengths(0, 1, 1)}, {}),
    "no_keys": ((3, 0), {}, {}),
    "window": ((17, 17), {}, {"causal": True, "window": 3}),
    "window_of_more_keys": ((5, 17), {"key_lengths": EDGES}, {"causal": True, "window": 8}),
    "soft_cap": ((9, 17), {"key_lengths": EDGES}, {"soft_cap": 2.5, "scale": 0.5}),
    "boolean_mask": ((5, 17), {"mask": normal(5, 17) > 0, "key_lengths": EDGES}, {"causal": True}),
    "added_mask": ((5, 17), {"mask": normal(3, 1, 5, 17).masked_fill(normal(3, 1, 5, 17, seed=3) > 1, -torch.inf)}, {}),
}


def attention_case(name, dtype):
    """(function of tensors, tensors, what they give)."""
    (queries, keys), given, numbers = ATTENTION[name]
    given = {key: value.to(dtype) if value.is_floating_point() else value for key, value in given.items()}
    tensors = (*heads(queries, keys, dtype=dtype, values=12), *given.values())

    def function(query, key, value, *others):
        return ops.attention(query, key, value, **dict(zip(given, others)), **numbers, return_lse=True)
    numbers_of = {key: numbers.get(key) for key in ("window", "scale", "soft_cap")}
    return function, tensors, expected(tensors, given, numbers.get("causal", False), lse=True, **numbers_of)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ATTENTION)
def test_attention(name, dtype):
    function, tensors, want = attention_case(name, dtype)
    check(function(*tensors), want)
    check(tenon.compile(export(Call(function), tensors))(*tensors), want)


def test_one_artefact_serves_all_sizes():
    batch, queries, keys = (torch.export.Dim(name, min=1, max=64) for name in ("batch", "queries", "keys"))
    dims = ({0: batch, 2: queries}, {0: batch, 2: keys}, {0: batch, 2: keys}, {0: batch})
    module = Call(lambda q, k, v, n: ops.attention(q, k, v, key_lengths=n))
    model = tenon.compile(export(module, (*heads(5, 17), EDGES), dims))
    for rows, asked, count in ((3, 5, 17), (1, 1, 1), (4, 9, 33)):
        tensors = (*heads(asked, count, batch=rows), torch.arange(rows, dtype=torch.int32) * 5)
        check(model(*tensors), expected(tensors, ["key_lengths"]))


def test_float8():
    tensors = [t.to(torch.float8_e4m3fn) for t in heads(5, 32)]
    scales = (normal(3, 8, 5, 1).abs() + 0.5, normal(3, 2, 1, 1).abs() + 0.5, normal(2, 1, 16).abs() + 0.5)
    def function(q, k, v, *scales):
        return ops.attention(q, k, v, scales=scales, dtype=torch.float32)
    want = expected((*tensors, *scales), ("query_scale", "key_scale", "value_scale"))
    check(function(*tensors, *scales), want)
    check(tenon.compile(export(Call(function), (*tensors, *scales)))(*tensors, *scales), want)
    assert ops.attention(*tensors).dtype == torch.bfloat16


@pytest.mark.parametrize("name", ATTENTION)
def test_torch_compile_keeps_it_whole(name, monkeypatch):
    monkeypatch.setenv("TENON_FALLBACK", "error")
    torch._dynamo.reset()
    function, tensors, want = attention_case(name, torch.float32)
    fast = torch.compile(Call(function), backend="tenon")
    with torch.no_grad():
        check(fast(*tensors), want)
    assert tenon.report(fast).startswith("1 graph;"), tenon.report(fast)


def test_what_is_hidden_does_not_count():
    """NaN past the end, and one that some queries see and others do not."""
    query, key, value = heads(17, 17)
    for tensor in (key, value):
        tensor[:, :, 9:] = torch.nan
        tensor[0, 0, 3, 5] = torch.nan
    tensors = (query, key, value, torch.tensor([9, 4, 0]))
    def function(q, k, v, n):
        return ops.attention(q, k, v, key_lengths=n, causal=True)
    want = expected(tensors, ["key_lengths"], causal=True)
    assert np.isnan(want.value).any() and not np.isnan(want.value).all(axis=(1, 3)).any()
    check(function(*tensors), want)
    check(tenon.compile(export(Call(function), tensors))(*tensors), want)


# ---- keys in pages ----
TABLE = torch.tensor([[7, 4, -1], [3, 0, 5], [-1, -1, -1]], dtype=torch.int32)  # of pools of 9 pages
PAGE = 16


class Pages(torch.nn.Module):
    """A step of a server: appends to pools that it keeps, and attends to them."""

    def __init__(self, window=None, size=16, dtype=torch.float32):
        super().__init__()
        self.window = window
        for name in ("keys", "values"):
            self.register_buffer(name, torch.zeros(9, 2, PAGE, size, dtype=dtype))

    def forward(self, query, key, value, position, lengths, table):
        ops.kv_pages_append_(self.keys, key, position, table)
        ops.kv_pages_append_(self.values, value, position, table)
        return ops.paged_attention(query, self.keys, self.values, table, lengths, position=position, window=self.window)


def step(new, before, dtype=torch.float32):
    """New tokens of two sequences that have so many, and of one that is done."""
    position = torch.tensor([*before, 0], dtype=torch.int32)
    return (*heads(new, new, dtype=dtype), position, torch.tensor([before[0] + new, before[1] + new, 0]), TABLE)


def by_hand(history, query, position, window):
    """What a step gives, of each sequence's keys and values in order."""
    rows = []
    for row in range(2):
        key, value = (torch.cat([each[index][row:row + 1] for each in history], 2) for index in (0, 1))
        keys, queries = torch.arange(key.shape[2]), position[row] + torch.arange(query.shape[2])
        seen = keys <= queries[:, None]
        if window:
            seen &= keys > queries[:, None] - window
        rows.append(expected((query[row:row + 1], key, value, seen), ["mask"]))
    return rows


@pytest.mark.parametrize("window", [None, 7])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_steps_on_pages(dtype, window):
    """A prompt, a part of one and single tokens, over the ends of pages; eagerly, exported, and by torch.compile."""
    torch._dynamo.reset()
    history, before = [], [0, 0]
    eager = Pages(window, dtype=dtype).eval()
    captured = torch.compile(Pages(window, dtype=dtype).eval(), backend="tenon", dynamic=False)
    state = None
    for new in (13, 5, 1, 1):
        given = step(new, before, dtype)
        history.append((given[1], given[2]))
        model = tenon.compile(export(Pages(window, dtype=dtype), given))
        for key, value in (state or {}).items():
            model.state[key].copy_(value)
        want = by_hand(history, given[0], given[3], window)
        with torch.no_grad():
            results = eager(*given), model(*given), captured(*given)
        state = {key: value.clone() for key, value in model.state.items()}
        for got in results:
            for row in range(2):
                check(got[row:row + 1], want[row])
            assert not got[2].any()
        for name in ("keys", "values"):
            assert torch.equal(getattr(eager, name), model.state[name]), name
            assert torch.equal(getattr(eager, name), getattr(captured, name)), name
        before = [count + new for count in before]


def test_pools_are_written_where_they_lie():
    """Pools that are arguments: the caller's memory, and only what is new."""
    class Append(torch.nn.Module):
        def forward(self, pool, update, position, table):
            ops.kv_pages_append_(pool, update, position, table)
            return update.sum()
    pool, update = normal(9, 2, PAGE, 16), normal(3, 2, 5, 16)
    position = torch.tensor([-2, 46, 0])  # begins before the first key; goes on past the last page; has no page
    model = tenon.compile(export(Append(), (pool.clone(), update, position, TABLE)))
    want = ops.kv_pages_append(pool, update, position, TABLE)
    given = pool.clone()
    model(given, update, position, TABLE)
    assert torch.equal(given, want) and (want != pool).any(-1).sum() == 2 * (3 + 2)


def test_pages_without_positions():
    tensors = (normal(3, 8, 2, 16), normal(9, 2, PAGE, 16), normal(9, 2, PAGE, 16, seed=4), TABLE, torch.tensor([20, 33, 0]),
               normal(3, 1, 2, 48).masked_fill(normal(2, 48) > 0.5, -torch.inf))
    def function(q, k, v, table, lengths, mask):
        return ops.paged_attention(q, k, v, table, lengths, mask=mask, soft_cap=3.0, scale=0.5, return_lse=True)
    given = (*tensors[:3], tensors[5], tensors[4], TABLE)
    want = expected(given, ("mask", "key_lengths", "block_table"), scale=0.5, soft_cap=3.0, lse=True)
    check(function(*tensors), want)
    check(tenon.compile(export(Call(function), tensors))(*tensors), want)


def test_added_masks_and_positions_join():
    tensors = (normal(3, 8, 4, 16), normal(9, 2, PAGE, 16), normal(9, 2, PAGE, 16, seed=4), TABLE, torch.tensor([20, 33, 9]),
               torch.tensor([16, 30, 2]), normal(4, 48))
    def function(q, k, v, table, lengths, position, mask):
        return ops.paged_attention(q, k, v, table, lengths, position=position, window=9, mask=mask)
    places = tensors[5][:, None, None, None] + torch.arange(4)[:, None]
    keys = torch.arange(48)
    added = tensors[6].masked_fill((keys > places) | (keys <= places - 9), -torch.inf)
    want = expected((*tensors[:3], added, tensors[4], TABLE), ("mask", "key_lengths", "block_table"))
    check(function(*tensors), want)
    check(tenon.compile(export(Call(function), tensors))(*tensors), want)


# ---- masks that models write ----
def below(lengths, count):
    return torch.arange(count)[None] < lengths[:, None]


MASKS = {
    "between_ones": lambda q, n: below(n, q.shape[2])[:, None, None, :],
    "written_out": lambda q, n: below(n, q.shape[2]).view(-1, 1, 1, q.shape[2]).expand(-1, 1, q.shape[2], -1),
    "for_each_head": lambda q, n: below(n, q.shape[2])[:, None, None, :].expand(*q.shape[:3], -1),
    "up_to_the_last": lambda q, n: (torch.arange(q.shape[2]) <= (n - 1)[:, None])[:, None, None, :],
    "turned_round": lambda q, n: (n[:, None, None, None] > torch.arange(q.shape[2])),
    "added": lambda q, n: torch.zeros(q.shape[0], 1, 1, q.shape[2]).masked_fill(~below(n, q.shape[2])[:, None, None], -torch.inf),
    "where": lambda q, n: torch.where(below(n, q.shape[2]), 0.0, -torch.inf)[:, None, None],
}


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
@pytest.mark.parametrize("name", MASKS)
def test_masks_of_lengths_become_lengths(name, dtype, dynamic):
    module = Call(lambda q, k, v, n: F.scaled_dot_product_attention(q, k, v, MASKS[name](q, n)))
    batch, length = torch.export.Dim("batch", min=2, max=64), torch.export.Dim("length", min=2, max=64)
    sides = {0: batch, 2: length}
    tensors = (*heads(9, 9, groups=1), torch.tensor([9, 4, 1], dtype=dtype))
    program = export(module, tensors, (sides, sides, sides, {0: batch}) if dynamic else None)
    assert attentions(program) == ["key_lengths"]
    check(tenon.compile(program)(*tensors), expected(tensors, ["key_lengths"]))


def test_masks_of_both_lengths_and_a_triangle():
    def function(q, k, v, n):
        valid = below(n, q.shape[2])
        triangle = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool).tril()
        return F.scaled_dot_product_attention(q, k, v, (valid[:, :, None] & valid[:, None, :] & triangle)[:, None])
    tensors = (*heads(9, 9, groups=1), torch.tensor([9, 4, 0]))
    program = export(Call(function), tensors)
    assert attentions(program) == ["key_lengths query_lengths causal"]
    want = expected((*tensors, tensors[3]), ["key_lengths", "query_lengths"], causal=True)
    check(tenon.compile(program)(*tensors), want)


class Padded(torch.nn.Module):
    """Layers of torch.nn that take a padding mask, here one of lengths."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.attention = torch.nn.MultiheadAttention(16, 2, batch_first=True)

    def forward(self, x, lengths):
        past = ~below(lengths, x.shape[1])
        x = self.layer(x, src_key_padding_mask=past)
        return self.attention(x, x, x + 1, key_padding_mask=past, need_weights=False)[0]


def test_padding_masks_of_torch_layers_become_lengths():
    module, tensors = Padded().eval(), (normal(3, 9, 16), torch.tensor([9, 4, 1]))
    with torch.no_grad():
        program = export(module, tensors)
        want = copy.deepcopy(module).double()(tensors[0].double(), tensors[1])
    assert attentions(program) == ["key_lengths", "key_lengths"]
    # 32 roundings in a row, as for each op of the importer.
    bound = 32 * 2.0**-24 * (want.abs() + want.abs().mean())
    assert ((tenon.compile(program)(*tensors) - want).abs() <= bound).all()


@pytest.mark.parametrize("first", [0, 11, 2**63 - 3])
def test_a_prompt_in_a_cache_ends_keys(first):
    """Keys past the last query's own place are not read, and the mask says which of the others each query sees."""
    def function(q, k, v, position):
        places = torch.arange(q.shape[2]) + position
        return F.scaled_dot_product_attention(q, k, v, (torch.arange(k.shape[2]) <= places[:, None])[None, None])
    tensors = (*heads(5, 33, groups=1), torch.tensor(first))
    dims = ({2: torch.export.Dim("new", min=2, max=33)}, None, None, None)
    for program in (export(Call(function), tensors), export(Call(function), tensors, dims)):
        assert attentions(program) == ["mask key_lengths"]
        seen = torch.arange(33) <= (torch.arange(5) + first)[:, None]
        check(tenon.compile(program)(*tensors), expected((*tensors[:3], seen), ["mask"]))


def test_a_mask_given_as_data_stays_one():
    """What transformers call attention_mask: zeros may stand anywhere."""
    tensors = (*heads(9, 9, groups=1), below(torch.tensor([9, 4, 1]), 9).long())
    program = export(Call(lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, m.bool()[:, None, None, :])), tensors)
    assert attentions(program) == ["mask"]


def attentions(program):
    """What each attention of a compiled model is given, in its canonical form."""
    text = import_program(program).text
    done = subprocess.run([ROOT / "build/bin/tenon-opt", "-", "--tenon-phases=from=graph to=graph"], input=text, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if "tenon.attention" in line]
    words = ("mask", "key_lengths", "query_lengths", "causal", "window")
    return [" ".join(word for word in words if re.search(rf"\b{word}\b", line)) for line in lines]


# ---- programs and files ----
def test_it_is_one_op_of_the_dialect():
    module = Call(lambda q, k, v, n: ops.attention(q, k, v, key_lengths=n, causal=True, window=4, soft_cap=5.0, return_lse=True))
    text = import_program(export(module, (*heads(5, 17), EDGES))).module
    assert len(re.findall(r"= tenon\.", text)) == 1
    assert "key_lengths(%" in text and "{causal, window = 4 : i64, soft_cap = 5.0 : f64, log_sum_exp}" in text, text


def test_a_file_has_them(tmp_path):
    tensors = (*heads(5, 17), EDGES)
    program = export(Call(lambda q, k, v, n: ops.attention(q, k, v, key_lengths=n)), tensors)
    torch.export.save(program, tmp_path / "m.pt2")
    code = (f"import tenon.importer.pt2_archive as archive, tenon, torch, sys; assert 'tenon.ops' not in sys.modules\n"
            f"program = archive.read_program({str(tmp_path / 'm.pt2')!r})\n"
            "print('tenon.attention' in str(program.graph))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "True", done.stderr
    check(tenon.compile(read_program(tmp_path / "m.pt2"))(*tensors), expected(tensors, ["key_lengths"]))


def test_modules_with_parameters_export_with_gradients_on():
    class Projected(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.out = torch.nn.Linear(16, 16)

        def forward(self, query, key, value, lengths):
            return self.out(ops.attention(self.out(query), key, value, key_lengths=lengths))
    module, tensors = Projected(), (*heads(5, 17), EDGES)
    got = tenon.compile(export(module, tensors))(*tensors)
    torch.testing.assert_close(got, module(*tensors).detach())
    with pytest.raises(tenon.UnsupportedError, match=r"tenon.ops.attention has no gradient. Next: call the model under torch.no_gr"):
        module(*tensors).sum().backward()


# ---- wrong calls ----
Q, K, V = heads(5, 17)
POOL = torch.zeros(9, 2, PAGE, 16)
WRONG = {
    "rank": (lambda: ops.attention(Q[0], K[0], V[0]), r"query is float32 \[8, 5, 16\], expected rank 4: \[batch, heads, length"),
    "type": (lambda: ops.attention(Q, K.double(), V), r"key is float64 .*, expected the type of query, float32"),
    "integers": (lambda: ops.attention(Q.long(), K.long(), V.long()), r"query is int64 .*, expected float16, bfloat16, float32"),
    "batch": (lambda: ops.attention(Q, K[:2], V), r"key is float32 \[2, 2, 17, 16\], expected \[3, 2, 17, 16\], query's batch"),
    "shared": (lambda: ops.attention(Q[:, :7], K, V), r"query has 7 heads and key 2, expected a multiple"),
    "size": (lambda: ops.attention(Q[..., :8], K, V), r"key is float32 \[3, 2, 17, 16\], expected query's head size 8"),
    "values": (lambda: ops.attention(Q, K, V[:, :, :9]), r"value is .* \[3, 2, 9, 16\], expected the sizes of key but the last"),
    "mask": (lambda: ops.attention(Q, K, V, mask=Q.new_ones(5, 9) > 0), r"mask is bool \[5, 9\], expected one that broadcasts to"),
    "mask_type": (lambda: ops.attention(Q, K, V, mask=Q.new_ones(5, 17).int()), r"mask is int32 .*, expected bool or float32"),
    "length": (lambda: ops.attention(Q, K, V, key_lengths=EDGES[:2]), r"key_lengths is int32 \[2\], expected \[3\], the batch"),
    "length_type": (lambda: ops.attention(Q, K, V, query_lengths=EDGES.float()), r"query_lengths is float32 .*, expected int32"),
    "window": (lambda: ops.attention(Q, K, V, window=0), r"window is 0, expected at least 1"),
    "cap": (lambda: ops.attention(Q, K, V, soft_cap=float("inf")), r"soft_cap is inf, expected a finite number above 0"),
    "scales": (lambda: ops.attention(Q, K, V, scales=(Q, Q, Q)), r"scales or dtype are given for float32 .*, expected them for float8"),
    "table": (lambda: ops.paged_attention(Q, POOL, POOL, TABLE[0], EDGES), r"block_table is int32 \[3\], expected \[batch, pages"),
    "pages": (lambda: ops.paged_attention(Q, POOL, POOL[:8], TABLE, EDGES), r"value_pages is .* expected the sizes of key_pages"),
    "place": (lambda: ops.paged_attention(Q, POOL, POOL, TABLE, EDGES, window=3), r"window is 3 and there is no position"),
    "update": (lambda: ops.kv_pages_append_(POOL, Q, EDGES, TABLE), r"update is .* expected \[3, 2, 5, 16\], \[batch, the pool's"),
    "position": (lambda: ops.kv_pages_append(POOL, K, EDGES[:1], TABLE), r"position is int32 \[1\], expected \[3\], update's batch"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_calls(name):
    call, message = WRONG[name]
    with pytest.raises(tenon.InvalidArgumentError, match=rf"tenon\.ops\.\w+: {message}.*\. Next: ") as raised:
        call()
    assert str(raised.value).count("Next: ") == 1


def test_wrong_shapes_are_told_at_the_export():
    with pytest.raises(Exception, match=r"tenon.ops.attention: key_lengths is int32 \[2\], expected \[3\]"):
        export(Call(lambda q, k, v, n: ops.attention(q, k, v, key_lengths=n)), (Q, K, V, EDGES[:2]))
