"""torch.export.ExportedProgram -> text in the `tenon` dialect, weights, and the structure of inputs and outputs."""
import copy
import re
import warnings
from collections import Counter
from dataclasses import dataclass, field

import torch

from tenon.errors import InvalidArgumentError, UnsupportedError
from tenon.importer.data_types import tenon_dtype
from tenon.importer.decompositions import decompositions
from tenon.importer.graph import GraphImport, is_number
from tenon.importer.in_place import is_mutable, is_unobservable
from tenon.importer.op_builder import OpBuilder
from tenon.importer.op_table import OPS
from tenon.importer.parameters import Parameters, same_elements, tensor_bytes
from tenon.importer.symbolic_sizes import Symbols
from tenon.importer.text_builder import Value, plain_size
from tenon.importer.unsupported import Unsupported
from tenon.state import StateSpec
from tenon.structure import Signature, structure_of


@dataclass
class ImportedModel:
    module: str              # in the `tenon` dialect
    locations: str           # those that it names, to stand behind all modules
    weights: dict            # key -> torch tensor
    signature: Signature     # structure of inputs and outputs
    unsupported: list = field(default_factory=list)

    @property
    def text(self):
        return self.module + self.locations


@dataclass
class Coverage:
    """`ops`: (name, count) of all ops, most frequent first. `unsupported`: (op, reason, count, places), in the model's
    order. `refused`: what else stands in the way, or None."""
    ops: list
    unsupported: list
    refused: str | None

    @property
    def complete(self):
        return not self.unsupported and self.refused is None


def coverage(program):
    """What of an exported program can be imported; the ops are those left after torch's decompositions."""
    program = _prepared(program)
    ops = Counter(str(node.target) for node in _calls(program.graph_module)
                  if isinstance(node.target, torch._ops.OpOverload) and not is_number(node.meta.get("val")))
    importing = _Import(program, None)
    refused = None
    try:
        importing.run()
    except UnsupportedError as error:
        refused = None if error.ops else str(error)
    return Coverage(ops.most_common(), importing.unsupported.ops(), refused)


def import_entries(programs, dims=None):
    """Imports several exported programs as entries of one model, {name: program}: (text, weights). A weight of the same name
    and content is one; where another entry before has another of that name, it is called by both names."""
    weights, modules, locations = {}, [], []
    for name, program in programs.items():
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", name):
            raise InvalidArgumentError(f"an entry is called {name!r}, expected letters, digits, '_' and '-', at most 100")
        try:
            imported = import_program(program, dims, entry=name, taken=weights)
        except UnsupportedError as error:
            raise UnsupportedError(f"entry '{name}': {error}", error.ops) from None
        weights |= imported.weights
        modules.append(imported.module)
        locations.append(imported.locations)
    return "module {\n" + "".join(modules) + "}\n" + "".join(locations), weights


def import_program(program, dims=None, *, entry=None, taken=None):
    """Imports an exported program. `dims`: names for dynamic dimensions, {"input_ids": ("batch", "seq")}, where the
    program has forgotten those of its torch.export.Dim (after torch.export.load). `entry`: its name among a model's
    entries, and `taken` the weights of those before. Raises UnsupportedError that lists every op the importer lacks."""
    if not isinstance(program, torch.export.ExportedProgram):
        raise InvalidArgumentError(f"expected a torch.export.ExportedProgram, got {type(program).__name__}: export the "
                                   "module first, torch.export.export(module.eval(), example_inputs)")
    return _Import(_prepared(program), dims, entry, taken).run()


# ---- the graph in a form the table knows ----
def _calls(graph_module):
    """Every call of the graph and of the graphs it calls."""
    for node in graph_module.graph.nodes:
        if node.op == "call_function":
            yield node
    for child in graph_module.children():
        if isinstance(child, torch.fx.GraphModule):
            yield from _calls(child)


def _without_aliases(program):
    """A tensor under several names as one: an export that is not strict lifts what the model reaches past its buffers (the
    layers of a key/value cache) as constants, and torch's decompositions refuse a write to a tensor with two names."""
    first, doubles = {}, {}
    for spec in program.graph_signature.input_specs:
        tensor = program.state_dict.get(spec.target, program.constants.get(spec.target)) if spec.target else None
        if isinstance(tensor, torch.Tensor) and tensor.numel():
            primary = first.setdefault(same_elements(tensor), spec.arg.name)
            if primary != spec.arg.name:
                doubles[spec.arg.name] = primary
    if not doubles:
        return program
    graph_module = copy.copy(program.graph_module)
    nodes = {node.name: node for node in graph_module.graph.nodes if node.op == "placeholder"}
    for double, primary in doubles.items():
        nodes[double].replace_all_uses_with(nodes[primary])
        graph_module.graph.erase_node(nodes[double])
    signature = copy.copy(program.graph_signature)
    signature.input_specs = [spec for spec in signature.input_specs if spec.arg.name not in doubles]
    return program._update(graph_module, signature)


def _prepared(program):
    """Exported graphs may write in place and hold composite ops. Both are taken apart by torch's own decompositions,
    and only where there are any: that takes seconds, and what is whole (linear, attention) stays whole."""
    calls = [node for node in _calls(program.graph_module)
             if isinstance(node.target, torch._ops.OpOverload) and not is_number(node.meta.get("val"))]
    positions = {}
    for node in calls:
        if is_mutable(node) and node.graph not in positions:
            positions[node.graph] = {each: place for place, each in enumerate(node.graph.nodes)}
    mutating = any(is_mutable(node) and not is_unobservable(node, positions[node.graph]) for node in calls)
    missing = {node.target for node in calls if str(node.target) not in OPS and not is_mutable(node)}
    # All that the table lacks: what a decomposition gives may have to be taken apart in turn.
    table = decompositions() if missing & decompositions().keys() else {}
    if not (mutating or table):
        return program
    with torch.no_grad():  # else it traces gradients too
        return (_without_aliases(program) if mutating else program).run_decompositions(table)


class _Number:
    """An integer among the inputs. It is the first size of a tensor without elements, so that what a module computes of
    it is what it computes of sizes."""
    dtype = torch.bool

    def __init__(self, number):
        self.shape = (number, 0)


class _Import:
    def __init__(self, program, dims, entry=None, taken=None):
        self._program = program
        self._builder = OpBuilder(entry)
        self._written = {spec.target for spec in program.graph_signature.output_specs if spec.kind.name == "BUFFER_MUTATION"}
        self._parameters = Parameters(program, self._written, entry, taken)
        self._numbers = {}  # name of an input that is an integer -> what the signature says of it
        self._states = {}  # key -> tensor: buffers that the model writes, in the order of its last inputs
        self.unsupported = Unsupported()
        self._dims = dims or {}

    def run(self):
        graph_module = self._program.graph_module
        arguments, environment, symbols = self._arguments(graph_module.graph)
        self._warn_of_unused([node for node in environment if not node.users])
        importer = GraphImport(self._builder, self._parameters, self.unsupported)
        outputs = importer.graph(graph_module, environment)
        if self.unsupported:
            raise self.unsupported.error()
        results, signature = self._results(outputs)
        module, locations = self._builder.module(arguments, results, symbols.dim_bounds(), signature.to_json())
        return ImportedModel(module, locations, self._parameters.used, signature)

    # ---- inputs ----
    def _arguments(self, graph):
        specs = self._program.graph_signature.input_specs
        placeholders = [node for node in graph.nodes if node.op == "placeholder"]
        tensors, environment, buffers = {}, {}, {}
        for spec, node in zip(specs, placeholders):
            if spec.kind.name == "BUFFER" and spec.target in self._written:
                buffers[spec.target] = node
            if spec.kind.name != "USER_INPUT":
                continue
            value = node.meta.get("val")
            if isinstance(value, torch.SymInt) and not value.node.expr.is_number:
                tensors[node.name] = (node, _Number(value))
            elif isinstance(value, torch.Tensor):
                tensors[node.name] = (node, value)
            elif isinstance(value, (torch.SymFloat, torch.SymBool)):
                raise UnsupportedError(f"input '{node.name}' is a number that may differ from call to call and no integer; "
                                       "make it a tensor, or export with its value fixed")
        try:
            names = {(name, axis): given for name, axes in self._dims.items() for axis, given in enumerate(axes)}
            names |= {(name, 0): name for name, (_, value) in tensors.items() if isinstance(value, _Number)}
            symbols = Symbols({name: value for name, (_, value) in tensors.items()},
                              self._program.range_constraints.get, names)
        except ValueError as error:
            raise UnsupportedError(str(error)) from None
        arguments, values = [], {}
        for name, (node, fake) in tensors.items():
            dtype = tenon_dtype(fake.dtype)
            if dtype is None:
                raise UnsupportedError(f"input '{name}' is of {fake.dtype}, which Tenon does not take; cast it outside "
                                       "of the module")
            value = Value(self._builder.unique(name), dtype, fake.shape)
            values[name] = value
            sizes = [plain_size(size) for size in fake.shape]
            arguments.append((value, name, [symbols.names.get(size, "") for size in sizes]))
            if isinstance(fake, _Number):
                self._numbers[name] = [name, *symbols.bounds[sizes[0]]]
            else:
                environment[node] = value
        for key, node in buffers.items():
            tensor = self._parameters.tensor(key)
            dtype = tenon_dtype(tensor.dtype)
            if dtype is None:
                raise UnsupportedError(f"the model writes to its buffer '{key}' of {tensor.dtype}, which Tenon does not take")
            value = Value(self._builder.unique(key), dtype, tuple(tensor.shape))
            environment[node], self._states[key] = value, tensor
            arguments.append((value, key, [""] * tensor.dim()))
        for symbol in symbols.names:
            name, axis = symbols.source(symbol)
            self._builder.sizes.dims[symbol] = (values[name], axis)
        return arguments, environment, symbols

    @staticmethod
    def _warn_of_unused(nodes):
        """Of one example tensor given for two arguments, torch.export makes one input and leaves the other idle."""
        if nodes:
            names = ", ".join(f"'{node.name}'" for node in nodes)
            warnings.warn(f"the exported model does not use its input {names}; if it should, check that torch.export "
                          "got a tensor of its own for each argument, not one for two", stacklevel=4)

    # ---- outputs ----
    def _results(self, outputs):
        """Unique values for @main to return, and how they are put together again."""
        leaves, values, states, written = [], [], [], {}
        specs = self._program.graph_signature.output_specs

        def place(value):
            if value not in values:
                values.append(value)
            return values.index(value)
        for spec, output in zip(specs, outputs):
            kind = spec.kind.name
            if kind == "TOKEN":  # orders checks, which are not imported
                continue
            if kind == "BUFFER_MUTATION":
                tensor = self._states[spec.target]
                states.append(StateSpec.of(spec.target, tenon_dtype(tensor.dtype), tensor.shape, tensor_bytes(tensor),
                                           place(output)))
            elif kind == "USER_INPUT_MUTATION":
                written[spec.target] = place(output)
            elif kind != "USER_OUTPUT":
                raise UnsupportedError(f"the model writes to '{spec.target}' ({kind.lower()}), which is not supported; pass it "
                                       "in and return it")
            elif isinstance(output, Value):
                leaves.append(("tensor", place(output)))
            elif output is None or isinstance(output, (bool, int, float, str)):
                leaves.append(("constant", output))
            else:
                raise UnsupportedError(f"output {len(leaves)} is {output}, a number known only at run time; return a "
                                       "tensor of it")
        states.sort(key=lambda state: list(self._states).index(state.key))
        names = [spec.arg.name for spec in self._program.graph_signature.input_specs if spec.kind.name == "USER_INPUT"]
        constants = {spec.arg.name: spec.arg.value for spec in self._program.graph_signature.input_specs
                     if spec.kind.name == "USER_INPUT" and hasattr(spec.arg, "value")}
        entry = self._program.module_call_graph[0].signature
        inputs = structure_of(entry.in_spec)
        output_structure = structure_of(entry.out_spec)
        given = [name for name in names if name not in constants]
        writes = [(given.index(name), index) for name, index in written.items()]
        inputs_leaves = [("constant", constants[name]) if name in constants else
                         ("number", self._numbers[name]) if name in self._numbers else ("tensor", name) for name in names]
        signature = Signature.build(inputs, list(entry.forward_arg_names or []), inputs_leaves, output_structure,
                                    leaves, states, writes)
        return [(value, name) for value, name in zip(values, signature.output_names)], signature
