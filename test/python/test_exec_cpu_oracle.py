"""What judges in exec-cpu is judged itself: rounding and storage against torch, and mismatches that must be seen."""

import numpy as np
import pytest
import torch

from exec_cpu import attention, contractions
from exec_cpu.cases import Expected, pairs, rows
from exec_cpu.check import mismatch
from exec_cpu.dtypes import ALL, BF16, F8E4M3, F8E5M2, F16, F32, I4, decode, encode, round_to
from exec_cpu.runner import KINDS, Batch

TORCH = {F16: torch.float16, BF16: torch.bfloat16, F8E4M3: torch.float8_e4m3fn, F8E5M2: torch.float8_e5m2}


@pytest.mark.parametrize("dtype", TORCH, ids=str)
def test_rounds_and_stores_as_torch_does(dtype):
    # Every stored number, every middle between neighbours, and a little beside each.
    raw = np.arange(1 << dtype.bits, dtype=np.uint64).astype({8: np.uint8, 16: np.uint16}[dtype.bits])
    numbers = decode(dtype, raw, raw.shape)
    numbers = np.unique(numbers[np.isfinite(numbers)])
    middles = (numbers[1:] + numbers[:-1]) / 2
    beside = [np.nextafter(middles.astype(np.float32), np.float32(side)) for side in (-np.inf, np.inf)]
    values = np.concatenate([numbers, middles, *beside]).astype(np.float32).astype(np.float64)
    stored = torch.from_numpy(values.astype(np.float32)).to(TORCH[dtype])
    assert np.array_equal(round_to(dtype, values), stored.to(torch.float64).numpy(), equal_nan=True)
    assert encode(dtype, round_to(dtype, values)).tobytes() == stored.view(torch.uint8).numpy().tobytes()
    assert np.array_equal(decode(dtype, encode(dtype, numbers), numbers.shape), numbers)


def test_two_i4_share_a_byte():
    assert encode(I4, np.array([-8, 7, 1])).tolist() == [0x78, 0x01]
    assert decode(I4, np.array([0x78, 0x01], np.uint8), (3,)).tolist() == [-8, 7, 1]


def test_special_values_survive_storage():
    for dtype in ALL:
        values = np.array([np.nan, 1, 0]) if dtype.is_float else np.array([dtype.low, dtype.high, 0])
        assert np.array_equal(decode(dtype, encode(dtype, values), (3,)), values, equal_nan=True)


def test_differences_are_seen():
    value = np.array([1.0, 2.0, np.nan, np.inf])
    bound = np.full(4, 1e-6)
    assert mismatch(F32, value, Expected(value)) is None
    assert mismatch(F32, value, Expected(value, bound)) is None
    for index, wrong in [(0, 1 + 1e-5), (1, np.nan), (2, 0.0), (3, -np.inf), (3, 3e38)]:
        got = value.copy()
        got[index] = wrong
        assert f"at [{index}]" in mismatch(F32, got, Expected(value, bound))
        assert f"at [{index}]" in mismatch(F32, got, Expected(value))
    # Within the bound, but not the bits of an exact result.
    assert mismatch(F32, value + np.array([2.0**-23, 0, 0, 0]), Expected(value, bound)) is None
    assert mismatch(F32, value + np.array([2.0**-23, 0, 0, 0]), Expected(value)) is not None
    assert "shape" in mismatch(F32, value[:3], Expected(value))


def test_thinned_shapes_cover_what_they_say():
    rng = np.random.default_rng(1)
    factors = [1, 2, 3, 7], [8, 9, 15], [16, 17]
    some = pairs(rng, *factors)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert {(row[i], row[j]) for row in some} == {(a, b) for a in factors[i] for b in factors[j]}
    for column, factor in zip(zip(*rows(rng, *factors)), factors):
        assert set(column) == set(factor)


def rounded_to(value, bits):
    mantissa, exponent = np.frexp(value)
    return np.ldexp(np.rint(np.ldexp(mantissa, bits)), exponent - bits)


def cut_to(values, bits):
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.trunc(np.ldexp(mantissa, bits)), exponent - bits)


def tf32_product(bits, shorten=rounded_to):
    """What is wrong with a product of f32 whose operands are rounded to that many bits, the rest exact; or None."""
    rng = np.random.default_rng(1)
    case = contractions.linear_case("linear", F32, (33,), 65, 512, False, False, [{}], tf32=True)
    for kind in ("integers", "normal", "positive", "wide"):
        x, w = (round_to(F32, operand.data(rng, operand.shape({}), kind)) for operand in case.operands)
        got = round_to(F32, shorten(x, bits) @ shorten(w, bits).T)
        if problem := mismatch(F32, got, case.reference(x, w, kind=kind)):
            return f"{kind}: {problem}"
    return None


def test_tf32_may_round_operands_to_11_bits_and_no_more():
    assert tf32_product(24) is None and tf32_product(11) is None
    assert tf32_product(8) is not None
    assert "positive" in tf32_product(11, cut_to)  # as wgmma does where nobody rounds ahead of it


def product_of_sums(bits):
    """What is wrong with a product of f32 whose sums keep that many bits after each step; or None."""
    rng = np.random.default_rng(1)
    case = contractions.linear_case("linear", F32, (33,), 65, 512, False, False, [{}])
    x, w = (round_to(F32, operand.data(rng, operand.shape({}), "normal")) for operand in case.operands)
    sums = np.zeros((33, 65))
    for step in range(512):
        sums = rounded_to(sums + x[:, step : step + 1] * w[:, step], bits)
    return mismatch(F32, round_to(F32, sums), case.reference(x, w, kind="normal"))


def test_sums_may_err_as_those_of_f32_and_no_more():
    assert product_of_sums(30) is None and product_of_sums(24) is None
    assert "root mean square error" in product_of_sums(23)  # each element is within its bound


def softmax_at_once(q, k, v, with_maximum):
    """Attention of f32 that does not go key by key."""
    with np.errstate(all="ignore"):
        scores = (q @ np.swapaxes(k, -1, -2) / np.sqrt(np.float32(q.shape[-1]))).astype(np.float32)
        weights = np.exp(scores - scores.max(-1, keepdims=True) * np.float32(with_maximum))
        return weights / weights.sum(-1, keepdims=True) @ v


@pytest.mark.parametrize("kind", attention.HOSTILE)
def test_hostile_scores_are_where_they_should_be(kind):
    case = attention.build("attention", F32, 2, 2, 2, 65, 129, 64, 64, [{}], kinds=attention.HOSTILE)
    rng = np.random.default_rng(1)
    operands = [round_to(F32, operand.data(rng, operand.shape({}), kind)) for operand in case.operands]
    expected = case.reference(*operands, kind=kind)
    q, k, v = (value.astype(np.float32) for value in operands)
    assert mismatch(F32, softmax_at_once(q, k, v, True).astype(np.float64), expected) is None
    largest = np.abs(q @ np.swapaxes(k, -1, -2)).max() / 8
    assert largest > {"ramp": 30, "peak": 90, "far": 350}[kind]
    if kind != "ramp":  # exp overflows, or all weights are 0
        assert mismatch(F32, softmax_at_once(q, k, v, False).astype(np.float64), expected) is not None


def softmax_by_keys(dtype, q, k, v, turn, rounded=round_to, bits=24, store=lambda x: x):
    """Attention as a GPU computes it, `turn` keys at a time by online softmax: weights rounded by `rounded`, sums kept in so
    many bits, values as `store` leaves them."""
    scores = (q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])).astype(np.float32).astype(np.float64)
    base, sums = np.full((*scores.shape[:-1], 1), -np.inf), 0.0
    total = np.zeros((*scores.shape[:-1], v.shape[-1]))
    for first in range(0, scores.shape[-1], turn):
        some = scores[..., first : first + turn]
        peak = np.maximum(base, some.max(-1, keepdims=True))
        weights = np.exp(some - peak)
        sums = rounded_to(sums * np.exp(base - peak) + weights.sum(-1, keepdims=True), bits)
        total = rounded_to(total * np.exp(base - peak) + rounded(dtype, weights) @ store(v[..., first : first + turn, :]), bits)
        base = peak
    return round_to(dtype, total / sums)


def wrong_attention(monkeypatch, kind, dtype=BF16, keys=300, turn=64, **how):
    """What is wrong with it on data of a kind, or None."""
    monkeypatch.setattr(attention, "weights_are_rounded", True)
    case = attention.build("attention", dtype, 2, 2, 2, 65, keys, 64, 64, [{}], kinds=attention.ALL_KINDS)
    rng = np.random.default_rng(1)
    q, k, v = (round_to(dtype, operand.data(rng, operand.shape({}), kind)) for operand in case.operands)
    return mismatch(dtype, softmax_by_keys(dtype, q, k, v, turn, **how), case.reference(q, k, v, kind=kind))


@pytest.mark.parametrize("dtype", [BF16, F16], ids=str)
@pytest.mark.parametrize("kind", ["normal", "positive", "wide", "ramp", "peak", "far"])
def test_attention_by_keys_is_right(monkeypatch, kind, dtype):
    assert wrong_attention(monkeypatch, kind, dtype) is None


def cut(dtype, values):
    return cut_to(values, dtype.precision)


def without_denormals(values):
    return np.where(np.abs(values) < 2.0**-126, 0.0, values)


def test_each_kind_of_attention_can_fail(monkeypatch):
    # N3: weights that are cut off, not rounded. Each element is within its bound.
    assert "root mean square error" in wrong_attention(monkeypatch, "normal", rounded=cut)
    assert "root mean square error" in wrong_attention(monkeypatch, "normal", F16, rounded=cut)
    # N4: a sum that keeps 8 bits from turn to turn.
    assert wrong_attention(monkeypatch, "positive", keys=2000, bits=8) is not None
    # N5: denormal values that are lost.
    assert wrong_attention(monkeypatch, "wide", store=without_denormals) is not None
    assert wrong_attention(monkeypatch, "positive", store=without_denormals) is None
    assert wrong_attention(monkeypatch, "normal", store=without_denormals) is None


def test_a_kind_of_data_that_nobody_runs_is_an_error():
    case = attention.build("attention", F32, 1, 1, 1, 2, 2, 8, 8, [{}], kinds=("rampant",))
    with pytest.raises(ValueError, match="rampant"):
        Batch([case], 1, "cpu")
    assert {*attention.ALL_KINDS} <= {*KINDS}


@pytest.mark.parametrize("dtype", [BF16, F16, F32, F8E4M3], ids=str)
def test_data_of_attention_are_what_the_type_stores(dtype):
    kinds = attention.HOSTILE if dtype is F8E4M3 else attention.ALL_KINDS  # the former has no infinity
    case = attention.build("attention", dtype, 2, 2, 2, 5, 16, 32, 32, [{}], kinds=kinds)
    rng = np.random.default_rng(1)
    for kind in case.kinds:
        for operand in case.operands:
            values = operand.data(rng, operand.shape({}), kind)
            stored = decode(dtype, encode(dtype, values), values.shape)
            assert np.array_equal(stored, values, equal_nan=True), kind
