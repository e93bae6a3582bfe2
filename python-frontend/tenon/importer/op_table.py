"""The table of ops: the name of an ATen overload -> the function that builds it from `tenon` ops.

A function is called with the builder and the op's own arguments: values for tensors, Python numbers, sympy expressions
for symbolic integers, lists of these. It returns a value, or a list where the op has several results.
"""
import math

from tenon.importer.not_importable import NotImportable

OPS = {}


def op(*names):
    """Enters a function for one or more overloads, "add.Tensor" for aten.add.Tensor."""
    def enter(function):
        for name in names:
            key = name if name.count(".") == 2 else f"aten.{name if '.' in name else name + '.default'}"
            assert key not in OPS, f"{key} is in the table twice"
            OPS[key] = function
        return function
    return enter


def require(condition, reason):
    if not condition:
        raise NotImportable(reason)


def axis_of(axis, rank):
    return axis % rank if rank else 0


def axes_of(axes, rank):
    """A dim argument of a reduction: None or [] means all."""
    if axes is None or (isinstance(axes, (list, tuple)) and not axes):
        return list(range(rank))
    return [axis_of(axis, rank) for axis in (axes if isinstance(axes, (list, tuple)) else [axes])]


def per_dimension(entries, count):
    """A window argument: one number for all dimensions, or one each."""
    entries = [entries] if isinstance(entries, int) else list(entries)
    require(all(isinstance(entry, int) for entry in entries), "a window that depends on a run-time size")
    return entries * count if len(entries) == 1 else entries


def is_number(value):
    return isinstance(value, (bool, int, float))


INFINITY = math.inf
