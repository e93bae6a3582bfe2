"""Takes a captured graph apart: parts that Tenon compiles, and what stays in torch between them."""
import operator

import torch
from torch.fx.passes.infra.partitioner import CapabilityBasedPartitioner
from torch.fx.passes.operator_support import OperatorSupportBase

from tenon.importer.captured_graph import is_outside, sizes_of
from tenon.importer.data_types import tenon_dtype
from tenon.importer.text_builder import plain_size

# A part of nothing but these computes nothing: it stays in torch, where they cost little or nothing.
_MOVES = {"view", "_unsafe_view", "reshape", "t", "transpose", "permute", "expand", "slice", "select", "unsqueeze", "squeeze",
          "alias", "detach", "full", "empty", "zeros", "ones", "scalar_tensor", "lift_fresh_copy", "unbind", "split",
          "split_with_sizes", "clone", "_to_copy"}


class Left:
    """Why nodes stay in torch: what the importer lacks, and what it cannot take on the way in or out."""

    def __init__(self, graph_module, unsupported):
        self.unsupported = unsupported
        lacking = unsupported.nodes
        self._compiled = set()
        for node in graph_module.graph.nodes:
            if node.op != "call_function" or is_outside(node):
                continue
            if node.target is operator.getitem:
                if node.args[0] in self._compiled and node not in lacking:
                    self._compiled.add(node)
            elif node not in lacking:
                reason = _untakeable(node)
                if reason:
                    unsupported.add(str(node.target), reason, node)
                else:
                    self._compiled.add(node)
        # Of an op one of whose results is not offered, none is.
        for node in graph_module.graph.nodes:
            if node.target is operator.getitem and node in lacking:
                self._compiled -= {node.args[0], *node.args[0].users}

    def __contains__(self, node):
        return node not in self._compiled

    @property
    def none(self):
        return not self.unsupported


def _untakeable(node):
    """A reason if an operand or result is of a kind that Tenon has no tensors of."""
    values = []
    for each in (*node.all_input_nodes, node):
        value = each.meta.get("val")
        values += value if isinstance(value, (list, tuple)) else [value]
    for value in values:
        if isinstance(value, torch.Tensor):
            if value.device.type != "cpu":
                return f"on {value.device}, compiled for the CPU"
            if value.layout is not torch.strided:
                return f"a tensor of layout {value.layout}"
            if tenon_dtype(value.dtype) is None:
                return f"a tensor of {value.dtype}, which the dialect lacks"
    return None


class _Taken(OperatorSupportBase):
    def __init__(self, left):
        self._left = left

    def is_node_supported(self, submodules, node):
        return node.op == "call_function" and node not in self._left


def split(graph_module, left):
    """Rewrites the graph so that each part is one call_module node; returns these nodes."""
    partitioner = CapabilityBasedPartitioner(graph_module, _Taken(left), allows_single_node_partition=True)
    partitions = [partition for partition in partitioner.propose_partitions()
                  if any(_computes(node) for node in partition.nodes)]
    partitioner.fuse_partitions(partitions)
    nodes = [node for node in graph_module.graph.nodes if node.op == "call_module"]
    for node in nodes:
        _give_sizes(graph_module.graph, node, getattr(graph_module, node.target))
    graph_module.recompile()
    return nodes


def _computes(node):
    return isinstance(node.target, torch._ops.OpOverload) and node.target._schema.name.split("::")[1] not in _MOVES


def _give_sizes(graph, node, part):
    """A part gets as arguments the sizes that it uses and none of its tensors shows."""
    inner = [each for each in part.graph.nodes if each.op == "placeholder"]
    shown = {plain_size(size) for each in inner if isinstance(each.meta.get("val"), torch.Tensor)
             for size in each.meta["val"].shape}
    shown |= {plain_size(each.meta["val"]) for each in inner if isinstance(each.meta.get("val"), torch.SymInt)}
    wanted = {symbol for each in part.graph.nodes for symbol in sizes_of(each)} - shown
    for symbol in sorted(wanted, key=str):
        source = _size_node(graph, node, symbol)
        if source is None:
            continue
        with part.graph.inserting_after(inner[-1] if inner else None):
            placeholder = part.graph.placeholder(f"size_{symbol}")
        placeholder.meta["val"] = source.meta["val"]
        inner.append(placeholder)
        node.args = (*node.args, source)
    part.recompile()


def _size_node(graph, before, symbol):
    """A node that computes `symbol` ahead of `before`."""
    for node in graph.nodes:
        if node is before:
            return None
        value = node.meta.get("val")
        if isinstance(value, torch.SymInt) and plain_size(value) == symbol:
            return node
        if isinstance(value, torch.Tensor):
            for axis, size in enumerate(value.shape):
                if isinstance(size, torch.SymInt) and plain_size(size) == symbol:
                    with graph.inserting_after(node):
                        made = graph.call_function(torch.ops.aten.sym_size.int, (node, axis))
                    made.meta["val"] = size
                    return made
    return None
