"""A graph that torch.compile captured -> text in the `tenon` dialect.

It differs from an exported program in what its inputs are: parameters come as arguments of each call, sizes come beside
the tensors as integers, and parts of a graph take what other parts computed, whose sizes are any expression. A size that
no tensor shows becomes an argument of shape [size, 0]: it holds no element, and its first dimension is the number.
"""
from dataclasses import dataclass

import sympy
import torch

from tenon.importer.data_types import tenon_dtype
from tenon.importer.graph import GraphImport, is_number
from tenon.importer.op_builder import OpBuilder
from tenon.importer.parameters import Parameters
from tenon.importer.symbolic_sizes import Symbols, size_range
from tenon.importer.text_builder import Value, is_static, plain_size
from tenon.importer.unsupported import Unsupported


@dataclass
class ImportedGraph:
    """`inputs`: for each input of the model ("tensor" or "size", index of the graph's argument). `weights`: key -> index
    of the graph's argument. `constants`: key -> tensor that the graph holds. `outputs`: for each result of the graph
    ("tensor", index of the model's output) or ("constant", value)."""
    text: str
    inputs: list
    weights: dict
    constants: dict
    outputs: list
    unsupported: Unsupported


def import_captured(graph_module, names, weights=()):
    """`names`: one for each argument, `weights`: indices of those that rarely change. What is lacking is in the result's
    `unsupported`, and then its text means nothing."""
    return _Import(graph_module, names, set(weights)).run()


def unsupported_in(graph_module):
    """What import_captured would lack, sizes aside: a size that depends on data is known where a part begins after it."""
    names = [node.name for node in graph_module.graph.nodes if node.op == "placeholder"]
    attempt = _Import(graph_module, names, set())
    attempt.take_any_size()
    return attempt.run().unsupported


class _Weights(Parameters):
    """Weights are arguments of the graph here; which tensors they are is known at the first call."""

    def __init__(self, placeholders):
        super().__init__()
        self._placeholders = placeholders  # name -> (key, fake tensor)
        self._made = {}

    def owns(self, placeholder):
        return placeholder in self._placeholders

    def value(self, builder, placeholder):
        if placeholder not in self._made:
            key, fake = self._placeholders[placeholder]
            self._made[placeholder] = builder.weight(key, tenon_dtype(fake.dtype), tuple(fake.shape))
        return self._made[placeholder]

    @property
    def keys_used(self):
        return {self._placeholders[name][0] for name in self._made}


class _Import:
    def __init__(self, graph_module, names, weights):
        self._graph_module = graph_module
        self._builder = OpBuilder()
        self._unsupported = Unsupported()
        self._placeholders = [node for node in graph_module.graph.nodes if node.op == "placeholder"]
        self._names = _unique(names)
        fakes = [node.meta.get("val") for node in self._placeholders]
        self._weights = {index for index in weights if isinstance(fakes[index], torch.Tensor)
                         and tenon_dtype(fakes[index].dtype) and all(isinstance(n, int) for n in fakes[index].shape)}
        self._parameters = _Weights({self._placeholders[index].name: (self._names[index], fakes[index])
                                     for index in self._weights})
        self._arguments, self._inputs = [], []  # of the model: (value, name, dimension names); (kind, index)

    def take_any_size(self):
        self._builder.sizes.on_demand = _AnySize()

    def run(self):
        environment = {}
        tensors = {index: node.meta["val"] for index, node in enumerate(self._placeholders)
                   if isinstance(node.meta.get("val"), torch.Tensor) and index not in self._weights}
        shape_env = _shape_env(tensors.values(), [node.meta.get("val") for node in self._placeholders])

        def range_of(size):
            return shape_env.bound_sympy(size) if shape_env else None
        symbols = Symbols({self._names[index]: fake for index, fake in tensors.items()}, range_of, compound=True)
        for index, fake in tensors.items():
            sizes = [plain_size(size) for size in fake.shape]
            value = Value(self._builder.unique(self._names[index]), tenon_dtype(fake.dtype) or "f32", fake.shape)
            environment[self._placeholders[index]] = value
            self._add(value, index, "tensor", [symbols.names.get(size, "") for size in sizes])
            for axis, size in enumerate(sizes):
                if not is_static(size):
                    self._builder.sizes.dims.setdefault(size, (value, axis))
        self._bounds = symbols.dim_bounds()
        for index, node in enumerate(self._placeholders):
            size = node.meta.get("val")
            if isinstance(size, torch.SymInt) and not size.node.expr.is_number:
                self._builder.sizes.on_demand[size.node.expr] = self._size_argument(index, range_of)
        outputs = GraphImport(self._builder, self._parameters, self._unsupported).graph(self._graph_module, environment)
        values, leaves = [], []
        for output in outputs if isinstance(outputs, (list, tuple)) else [outputs]:
            if isinstance(output, Value):
                if output not in values:
                    values.append(output)
                leaves.append(("tensor", values.index(output)))
            else:
                leaves.append(("constant", output))
        text = "" if self._unsupported else "".join(self._builder.module(
            self._arguments, [(value, f"output_{index}") for index, value in enumerate(values)], self._bounds, None))
        used = self._parameters.keys_used
        weights = {self._names[index]: index for index in sorted(self._weights) if self._names[index] in used}
        return ImportedGraph(text, self._inputs, weights, self._parameters.used, leaves, self._unsupported)

    def _add(self, value, index, kind, dims):
        self._arguments.append((value, self._names[index], dims))
        self._inputs.append((kind, index))

    def _size_argument(self, index, range_of):
        def make():
            name = self._names[index]
            while name in self._bounds:
                name += "_"
            size = plain_size(self._placeholders[index].meta["val"])
            value = Value(self._builder.unique(name), "i1", (size, 0))
            self._add(value, index, "size", [name, ""])
            self._bounds[name] = size_range(range_of(size))
            return value, 0
        return make


class _AnySize(dict):
    def __contains__(self, size):
        return True

    def __missing__(self, size):
        return lambda: (Value("any", "i1", (size, 0)), 0)


def is_outside(node):
    """Nodes that compute no tensor: sizes, and checks that give nothing. A graph's runner keeps them."""
    return node.op == "call_function" and is_number(node.meta.get("val"))


def sizes_of(node):
    """The symbols in the shapes of what a node computes."""
    values = node.meta.get("val")
    values = values if isinstance(values, (list, tuple)) else [values]
    symbols = set()
    for value in values:
        sizes = value.shape if isinstance(value, torch.Tensor) else [value]
        for size in sizes:
            size = plain_size(size) if isinstance(size, torch.SymInt) else 0
            symbols |= size.free_symbols if isinstance(size, sympy.Basic) else set()
    return symbols


def _shape_env(tensors, numbers):
    for value in [*(size for tensor in tensors for size in tensor.shape), *numbers]:
        if isinstance(value, torch.SymInt) and value.node.shape_env is not None:
            return value.node.shape_env
    return None


def _unique(names):
    result, taken = [], set()
    for name in names:
        candidate, count = name, 0
        while candidate in taken:
            count += 1
            candidate = f"{name}_{count}"
        taken.add(candidate)
        result.append(candidate)
    return result
