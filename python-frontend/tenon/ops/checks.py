"""What the operators ask of their arguments. Each message says what is wrong, what there was, what was expected and what
to do. Sizes may be symbolic: what is not known to be wrong passes."""
import math

import torch

from tenon.errors import InvalidArgumentError, UnsupportedError

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
FLOAT8 = torch.float8_e4m3fn
HEADS = "[batch, heads, length, head size]"


def shown(tensor):
    return f"{str(tensor.dtype).removeprefix('torch.')} {sizes(tensor.shape)}"


def sizes(shape):
    return f"[{', '.join(map(str, shape))}]"


def require(condition, op, what, expected, step):
    """`what`: an argument and what it is."""
    if not condition:
        raise InvalidArgumentError(f"tenon.ops.{op}: {what}, expected {expected}. Next: {step}")


def require_shape(op, name, tensor, shape, said, step):
    """`said`: the names of the sizes."""
    fits = tensor.dim() == len(shape) and all(have == want for have, want in zip(tensor.shape, shape))
    require(fits, op, f"{name} is {shown(tensor)}", f"{sizes(shape)}, {said}", step)


def require_integers(op, name, tensor, shape, said):
    require(tensor.dtype in (torch.int32, torch.int64), op, f"{name} is {shown(tensor)}", "int32 or int64",
            f"{name}.to(torch.int32)")
    require_shape(op, name, tensor, shape, said, f"give {name} a number for each of these places")


def require_heads(op, **tensors):
    """Tensors of rank 4 and of one float type."""
    first, *_ = tensors
    for name, tensor in tensors.items():
        require(tensor.dim() == 4, op, f"{name} is {shown(tensor)}", f"rank 4: {HEADS}",
                "transpose(1, 2) turns [batch, length, heads, head size]; unsqueeze(1) gives a tensor without heads one")
        require(tensor.dtype == tensors[first].dtype, op, f"{name} is {shown(tensor)}",
                f"the type of {first}, {shown(tensors[first])}", f"{name}.to({first}.dtype)")


def require_shared_heads(op, query, key, value, names):
    """Head sizes, and how many heads there are."""
    heads, shared = query.shape[1], key.shape[1]
    require(shared != 0 and heads % shared == 0, op, f"query has {heads} heads and {names[0]} {shared}",
            "a multiple of the keys' heads", "repeat no heads: each of the keys' serves as many of the queries' in a row")
    require(key.shape[3] == query.shape[3], op, f"{names[0]} is {shown(key)}", f"query's head size {query.shape[3]}",
            "project keys to as many columns as queries")
    require(value.shape[:3] == key.shape[:3], op, f"{names[1]} is {shown(value)}",
            f"the sizes of {names[0]} but the last, {sizes(key.shape[:3])}", "give a value for each key")


def require_numbers(op, window, soft_cap):
    require(window is None or window >= 1, op, f"window is {window}", "at least 1, the key at the query's own place",
            "leave window out to see all keys")
    require(soft_cap is None or math.isfinite(soft_cap) and soft_cap > 0, op, f"soft_cap is {soft_cap}",
            "a finite number above 0", "leave soft_cap out for none")


def require_mask(op, mask, scores, dtype):
    require(mask.dtype in (torch.bool, dtype), op, f"mask is {shown(mask)}", f"bool or {str(dtype).removeprefix('torch.')}",
            "a boolean mask is true where a query sees a key, another is added to the scores")
    require_broadcast(op, "mask", mask, scores, "[batch, heads, queries, keys]")


def require_broadcast(op, name, tensor, shape, said):
    fits = tensor.dim() <= len(shape) and all(
        have == 1 or have == want for have, want in zip(reversed(tensor.shape), reversed(shape)))
    require(fits, op, f"{name} is {shown(tensor)}", f"one that broadcasts to {sizes(shape)}, {said}",
            "add dimensions of size 1 with unsqueeze")


def without_gradient(operator, instead):
    """Says so when a gradient is asked for: a forward pass that records may be one that nobody goes back through."""
    name = operator._name.removeprefix("tenon::")

    def backward(context, *gradients):
        raise UnsupportedError(f"tenon.ops.{name} has no gradient. Next: call the model under torch.no_grad(), or {instead}")
    operator.register_autograd(backward)
