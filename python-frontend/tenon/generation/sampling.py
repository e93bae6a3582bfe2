"""The next token of logits, where the model runs: the most likely one, or one drawn at a temperature among the top k and the
top p. Drawing is by a seed and the token's position alone: one compiled model gives the same text for the same call each time.
On another target the uniform numbers are the same bit by bit; logits and logarithms are the same but for their rounding, so
that the text is the same up to the first draw that is as close as that.

A draw is the largest of logit / temperature + noise, the noise of Gumbel's distribution: so a choice is one argmax, without a
sum over the vocabulary that would have to be searched. What top k and top p leave out is found by narrowing an interval of
likelihoods, without a sort: each pass tries many thresholds at once, so that it is one reduction over the vocabulary for all of
them, and a few passes are enough.
"""
import torch

WAYS, PASSES = 32, 6  # an interval of 2^-30 of the largest probability: what differs by less counts as equally likely
_PRIME = 2**31 - 1  # products of two residues fit i64; x**5 is a permutation of them
_CONSTANTS = (1353180883, 1012871347, 478163327, 107420369, 1836311903)


def _mixed(state, constant):
    state = (state + constant) % _PRIME
    square = state * state % _PRIME
    return square * square % _PRIME * state % _PRIME


def uniform(seed, position, batch, count, device=None):
    """Numbers above 0 and at most 1, [batch, count], of a hash of seed, position, row and column: one after the other is added
    to a residue that is raised to the fifth power (the cipher MiMC). Integers of 64 bits do that alike everywhere."""
    column = torch.arange(count, device=device)[None]
    row = torch.arange(batch, device=device)[:, None]
    state = _mixed(_mixed(seed % _PRIME, _CONSTANTS[0]) + seed // _PRIME % _PRIME, _CONSTANTS[1])
    state = _mixed(_mixed(state + position, _CONSTANTS[2]) + row, _CONSTANTS[3]) + column
    for constant in _CONSTANTS[:4]:
        state = _mixed(state, constant)
    return (state.to(torch.float32) + 0.5) / _PRIME


def kept(logits, top_k, top_p):
    """Which tokens are among the `top_k` most likely, and among the fewest whose probabilities sum to `top_p`. Both are tensors
    of one number; top_k 0 keeps all. Of equally likely ones all stay."""
    relative = torch.exp(logits - logits.amax(-1, keepdim=True))  # probabilities over the largest, so that thresholds are exact
    most = torch.where(top_k > 0, top_k, logits.shape[-1]).to(torch.float32)
    top_p = torch.where(top_p < 1, top_p, 2.0)  # all of them: their sum is 1 but for its rounding
    is_mass = torch.arange(2, device=logits.device)[:, None] > 0
    summand = torch.where(is_mass, relative[:, None], 1.0)[:, :, None]  # how many pass, and what their probabilities sum to
    digits = torch.arange(WAYS, device=logits.device).expand(2, -1)  # of each sum: then all of a pass is one kernel
    low, needed = torch.zeros_like(relative[:, :1, None]), None
    for number in range(1, PASSES + 1):  # the largest threshold at which those that pass are enough, to the next digit
        thresholds = low + digits * WAYS**-number
        passing = relative[:, None, None] > thresholds[..., None]
        sums = torch.where(passing, summand, 0.0).sum(-1)  # [batch, 2, thresholds]
        if needed is None:  # the first threshold is 0, which all pass
            needed = torch.where(is_mass, top_p * sums[:, 1:, :1], most)
        low = torch.where(sums >= needed, thresholds, low).amax((1, 2), keepdim=True)
    return relative > low[:, 0]


class Sampler(torch.nn.Module):
    """Tokens [batch] of logits [batch, vocabulary]. `temperature`, `top_k`, `top_p` and `seed`: tensors of one number."""

    def forward(self, logits, position, temperature, top_k, top_p, seed):
        scaled = logits.to(torch.float32) / temperature
        # Near 0, where the largest noise comes from, numbers are finer than near 1.
        gumbel = -torch.log(-torch.log1p(-uniform(seed, position, *scaled.shape, device=logits.device)))
        return torch.where(kept(scaled, top_k, top_p), scaled + gumbel, -torch.inf).argmax(-1)


class Greedy(torch.nn.Module):
    def forward(self, logits, position):
        return logits.argmax(-1)
