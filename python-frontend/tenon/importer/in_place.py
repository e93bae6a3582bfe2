"""Ops that write in place, where nobody can tell: a residual `x += y` or an activation with inplace=True.

torch's own functionalisation handles every case, but takes seconds. Most in-place ops of models write to a tensor that
was computed just before and that nothing reads afterwards under its old name; they are the op without the underscore.
"""
from tenon.importer.op_table import OPS


def functional_name(target):
    """"aten.add.Tensor" of "aten.add_.Tensor"; None if the table has no such op."""
    space, name, overload = str(target).split(".")
    found = f"{space}.{name[:-1]}.{overload}"
    return found if name.endswith("_") and not name.endswith("__") and found in OPS else None


def is_mutable(node):
    return getattr(getattr(node.target, "_schema", None), "is_mutable", False)


def is_view(node):
    """Whether the result may be memory of an operand."""
    schema = getattr(node.target, "_schema", None)
    return schema is None or any(result.alias_info is not None for result in schema.returns)


def is_unobservable(node, position):
    """`position`: node -> its place in the graph. True if no other node can see what `node` wrote but through its
    result."""
    written = node.args[0] if node.args else None
    if functional_name(node.target) is None or getattr(written, "op", None) != "call_function":
        return False
    if is_view(written) and not (is_mutable(written) and is_unobservable(written, position)):
        return False
    # Neither the tensor nor a view of it is read later.
    todo = [written]
    while todo:
        for user in todo.pop().users:
            if user is node:
                continue
            if user.op == "output" or position[user] > position[node]:
                return False
            if is_view(user):
                todo.append(user)
    return True
