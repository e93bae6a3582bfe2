"""A part of a captured graph, compiled: called with the graph's arguments, gives the graph's results.

The parameters of a module are arguments of every call, but the executable wants them once, to pack them. So an executable
is bound to the tensors of its first call and looked up by their addresses at later ones. A module whose parameters are
written in place keeps its addresses: PyTorch counts writes in `_version`, and writes past the counter (`p.data`, numpy
memory) show in a sample of each tensor's elements. One graph serves many modules where they are built alike (the layers
of a model compiled one by one); each has its binding, dropped when its parameters die.
"""
import functools
import threading
import weakref

import torch

from tenon.executable import Executable, compile_artefact

SAMPLED_ELEMENTS = 4  # of each weight, compared at every call: each costs a cache miss
_INTEGER = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


class CompiledPart:
    """Call it with the arguments of the graph that `imported` came from. `graph_module` is that graph, in torch."""

    def __init__(self, imported, graph_module):
        self.imported, self._graph_module = imported, graph_module
        self.artefact = compile_artefact(imported.text, filename="torch.compile")
        self.__name__ = "tenon_part"
        self._weights = list(imported.weights.items())
        self._indices = [index for _, index in self._weights]
        self._bindings, self._lock = {}, threading.Lock()
        node = next(node for node in graph_module.graph.nodes if node.op == "output")
        results = node.args[0]
        self._alone = not isinstance(results, (list, tuple))
        results = [results] if self._alone else results
        orders = [_memory_order(result.meta.get("val")) if isinstance(result, torch.fx.Node) else None
                  for result in results]
        self._outputs = [(kind, what, order) for (kind, what), order in zip(imported.outputs, orders)]
        self.rebound = 0  # how often weights had changed

    def __call__(self, *args):
        tensors = []
        for kind, index in self.imported.inputs:
            value = args[index]
            if kind == "size":
                if value < 0:  # no size after all
                    return self._graph_module(*args)
                value = torch.empty((value, 0), dtype=torch.bool)
            tensors.append(value)
        results = self._executable(args).run_flat(tensors)
        results = [_with_order(results[what], order) if kind == "tensor" else what
                   for kind, what, order in self._outputs]
        return results[0] if self._alone else tuple(results)

    # ---- weights ----
    def _executable(self, args):
        weights = [args[index] for index in self._indices]
        key = tuple([weight.data_ptr() for weight in weights])
        binding = self._bindings.get(key)
        if binding is None or not binding.holds(weights):
            with self._lock:
                binding = self._bindings.get(key)
                if binding is None or not binding.holds(weights):
                    binding = self._bind(key, weights)
        return binding.executable

    def _bind(self, key, weights):
        if key in self._bindings:
            self.rebound += 1
        binding = _Binding(self.artefact, dict(zip([name for name, _ in self._weights], weights)),
                           self.imported.constants)
        self._bindings[key] = binding
        if weights:
            forget = functools.partial(_forget, weakref.ref(self), key)
            binding.watch = weakref.ref(weights[0], forget)
        return binding

    # ---- describing ----
    def describe(self):
        bound = next(iter(self._bindings.values()), None)
        if bound is None:
            return "a part that has not been called yet"
        model = bound.executable
        launches = len(model.manifest["launches"])
        packed = f", weights packed again {self.rebound} times" if self.rebound else ""
        return (f"({', '.join(map(repr, model.inputs))}) -> ({', '.join(map(repr, model.outputs))}), "
                f"{launches} {'launch' if launches == 1 else 'launches'}, {len(self._weights)} weights{packed}")


def _forget(part, key, _):
    part = part()
    if part is not None:
        part._bindings.pop(key, None)


class _Binding:
    def __init__(self, artefact, weights, constants):
        tensors = list(weights.values())
        self._versions = [tensor._version for tensor in tensors]
        self._samples = _Samples(tensors)
        self.executable = Executable(artefact, {name: tensor.detach() for name, tensor in weights.items()} | constants)
        self.watch = None

    def holds(self, weights):
        return [weight._version for weight in weights] == self._versions and self._samples.hold()


class _Samples:
    """Some elements of each tensor, as they were and as they are."""

    def __init__(self, tensors):
        groups = {}
        for tensor in tensors:
            if tensor.numel():
                span = 1 + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride()))
                step = -(-span // SAMPLED_ELEMENTS)
                sample = tensor.detach().as_strided((1 + (span - 1) // step,), (step,))
                groups.setdefault(tensor.element_size(), []).append(sample.view(_INTEGER[tensor.element_size()]))
        self._views = list(groups.values())
        self._seen = [torch.cat(views) for views in self._views]

    def hold(self):
        return all(torch.equal(torch.cat(views), seen) for views, seen in zip(self._views, self._seen))


# ---- strides ----
def _memory_order(fake):
    """The axes of a result from the outermost in memory, where PyTorch would not give them in order; else None."""
    if not isinstance(fake, torch.Tensor):
        return None
    sizes, strides = ([size.node.hint if isinstance(size, torch.SymInt) else size for size in each]
                      for each in (fake.shape, fake.stride()))
    if None in sizes or None in strides or 0 in sizes or 0 in strides:
        return None
    order = sorted(range(len(sizes)), key=lambda axis: (-strides[axis], -sizes[axis], axis))
    moved = [axis for axis in order if sizes[axis] != 1]
    return None if moved == sorted(moved) else order


def _with_order(result, order):
    if order is None:
        return result
    inverse = [order.index(axis) for axis in range(len(order))]
    return result.permute(order).contiguous().permute(inverse)
