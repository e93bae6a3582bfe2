"""Texts of two programs with the same weights, compared: equal up to the first token that is a tie.

A program's logits are within a bound of those in float64: rule N7 of models, 1.25 times PyTorch's own largest error in the same
type. So what a program takes for the best is at most two such bounds below the best in float64, and where two programs differ,
their choices lie that close together. After a difference the texts are two: of what follows only the first is asked.
"""
MARGIN = 1.25  # times PyTorch's own error


def logits_of(model, text, start):
    """The logits in float64 that each token from `start` on was chosen by, [batch, length - start, vocabulary]."""
    import torch
    with torch.no_grad():
        return model(text).logits[:, start - 1:-1].double()


def tie_bound(exact, same):
    """How far apart the float64 logits of two choices may be: `exact` in float64, `same` by PyTorch in the program's type."""
    return 2 * MARGIN * (same - exact).abs().max().item()


def decided(exact, bound):
    """The part of the tokens that are no tie: the best is more than the bound above the second. What it leaves a program to get
    right."""
    best = exact.topk(2, -1).values
    return (best[..., 0] - best[..., 1] > bound).double().mean().item()


def compare(text, other, start, exact, bound):
    """(failures, how many tokens of each row are equal) of `text` beside `other`, both [batch, length] with a prompt of `start`
    tokens; `exact`: logits_of(text), in float64."""
    failures, equal = [], []
    if text.shape != other.shape or not text[:, :start].equal(other[:, :start]):
        return [f"a text of {list(text.shape)} beside one of {list(other.shape)}, or of another prompt"], equal
    for row, (ours, theirs, logits) in enumerate(zip(text[:, start:], other[:, start:], exact)):
        behind = logits.max(-1).values - logits.gather(-1, ours[:, None])[:, 0]
        for place in (behind > bound).nonzero().flatten().tolist():
            failures.append(f"row {row}, token {place}: {behind[place]:.3g} below the best, at most {bound:.3g}")
        differs = (ours != theirs).nonzero().flatten().tolist()
        equal.append(differs[0] if differs else len(ours))
        if differs:
            place = differs[0]
            apart = abs(logits[place, ours[place]] - logits[place, theirs[place]]).item()
            if apart > bound:
                failures.append(f"row {row}, token {place}: {int(ours[place])}, and the other has {int(theirs[place])}, "
                                f"{apart:.3g} apart, at most {bound:.3g}")
    return failures, equal
