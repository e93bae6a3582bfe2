"""A graph of ATen ops -> ops of the dialect: each node by the table, what is lacking gathered with its place."""
import operator

import torch

from tenon.importer import (ops_arithmetic, ops_contractions, ops_creation, ops_fused,  # noqa: F401 (fill OPS)
                            ops_indexing, ops_own, ops_pointwise, ops_pooling, ops_rows, ops_scatter, ops_shapes)
from tenon.importer.data_types import tenon_dtype
from tenon.importer.in_place import functional_name, is_mutable
from tenon.importer.not_importable import NotImportable
from tenon.importer.op_table import OPS
from tenon.importer.source_locations import location_text
from tenon.importer.text_builder import Value, plain_size

# Higher-order ops that only set a mode; the graph they call is imported in place. Value: index of that graph.
_MODES = {"wrap_with_set_grad_enabled": 1, "wrap_with_autocast": 4}

# What makes a number of a tensor's only element.
_READS = ("aten.item.default", "aten._local_scalar_dense.default")


def is_number(value):
    """What the expression on a node says in full, or nothing (a check of the export, which the run repeats)."""
    return value is None or isinstance(value, (torch.SymInt, torch.SymFloat, torch.SymBool, int, float, bool))


def _live_nodes(graph):
    """The nodes that outputs depend on."""
    live, todo = set(), [node for node in graph.nodes if node.op == "output"]
    while todo:
        node = todo.pop()
        if node not in live:
            live.add(node)
            todo.extend(node.all_input_nodes)
    return live


class GraphImport:
    """Imports graphs into `builder`. `parameters` has the values of inputs that are no arguments; what the table lacks
    goes to `unsupported`, and the import goes on."""

    def __init__(self, builder, parameters, unsupported):
        self._builder, self._parameters, self._unsupported = builder, parameters, unsupported

    def graph(self, graph_module, environment):
        """Imports a graph whose arguments are in `environment`; returns what it returns."""
        live = _live_nodes(graph_module.graph)
        for node in graph_module.graph.nodes:
            if node.op == "output":
                return self._resolve(node.args[0], environment)
            # A parameter is made at its first use, where it reads best.
            late = node.op == "placeholder" and self._parameters.owns(node.name)
            if node in live and node not in environment and not late:
                environment[node] = self._node(node, graph_module, environment)

    def _node(self, node, graph_module, environment):
        self._builder.begin(node.name, location_text(node))
        if node.op == "placeholder":
            return node.meta.get("val")  # a constant argument
        if node.op == "get_attr":
            found = graph_module
            for part in node.target.split("."):
                found = getattr(found, part)
            if isinstance(found, torch.Tensor):
                return self._attempt(node, node.target,
                                     lambda: self._parameters.tensor_value(self._builder, node.target, found))
            return found
        if node.target is operator.getitem:
            return self._item(node, environment)
        if isinstance(node.target, torch._ops.HigherOrderOperator):
            return self._mode(node, environment)
        if is_number(node.meta.get("val")):
            if str(node.target) in _READS and isinstance(environment[node.args[0]], Value):
                self._builder.sizes.read[plain_size(node.meta["val"])] = environment[node.args[0]]
            return node.meta.get("val")
        return self._op(node, environment)

    def _item(self, node, environment):
        source = environment[node.args[0]]
        item = source[node.args[1]]
        if item is None and isinstance(node.meta.get("val"), torch.Tensor):
            name = str(node.args[0].target)
            self._unsupported.add(name, f"its result {node.args[1]} is not offered", node)
            return self._stand_in(node.meta["val"])
        if isinstance(item, Value):
            self._builder.claim(item, node.name)
        return item

    def _mode(self, node, environment):
        name = node.target.__name__
        if name not in _MODES:
            self._unsupported.add(name, "a higher-order op", node)
            return self._stand_ins(node)
        if name == "wrap_with_autocast" and node.args[2]:
            self._unsupported.add(name, "autocast: cast the model instead, module.to(dtype)", node)
            return self._stand_ins(node)
        at = _MODES[name]
        called = environment[node.args[at]]
        inner = [n for n in called.graph.nodes if n.op == "placeholder"]
        given = self._resolve(list(node.args[at + 1:]), environment)
        return self.graph(called, dict(zip(inner, given)))

    def _op(self, node, environment):
        name = str(node.target)
        build = OPS.get(functional_name(node.target) if is_mutable(node) else name)
        if build is None:
            self._unsupported.add(name, "not in the importer's table", node)
            return self._stand_ins(node)
        builder = self._builder
        mark = builder.num_ops

        def call():
            builder.results = _result_types(node.meta["val"])
            return build(builder, *self._resolve(node.args, environment), **self._resolve(node.kwargs, environment))
        result = self._attempt(node, name, call)
        if isinstance(result, Value) and builder.made_since(mark, result):
            builder.claim(result, node.name)
        return result

    def _attempt(self, node, name, make):
        try:
            return make()
        except NotImportable as reason:
            self._unsupported.add(name, str(reason), node)
            return self._stand_ins(node)

    # ---- values ----
    def _resolve(self, argument, environment):
        if isinstance(argument, torch.fx.Node):
            if argument not in environment:
                environment[argument] = self._attempt(
                    argument, argument.name, lambda: self._parameters.value(self._builder, argument.name))
            value = environment[argument]
            return plain_size(value) if isinstance(value, torch.SymInt) else value
        if isinstance(argument, (list, tuple)):
            return [self._resolve(item, environment) for item in argument]
        if isinstance(argument, dict):
            return {key: self._resolve(item, environment) for key, item in argument.items()}
        return argument

    def _stand_ins(self, node):
        """What a node that was refused gives to its users, so that the import goes on and finds the others."""
        value = node.meta.get("val")
        if isinstance(value, (list, tuple)):
            return [self._stand_in(item) if isinstance(item, torch.Tensor) else item for item in value]
        return self._stand_in(value) if isinstance(value, torch.Tensor) else value

    def _stand_in(self, fake):
        return Value(self._builder.unique("unsupported"), tenon_dtype(fake.dtype) or "f32", fake.shape)


def _result_types(value):
    values = value if isinstance(value, (list, tuple)) else [value]
    types = []
    for item in values:
        if not isinstance(item, torch.Tensor):
            types.append((None, ()))
            continue
        dtype = tenon_dtype(item.dtype)
        if dtype is None:
            raise NotImportable(f"a result of {item.dtype}, which the dialect lacks")
        types.append((dtype, tuple(plain_size(size) for size in item.shape)))
    return types
