"""The function that torch.compile calls with every graph it captured.

torch's AOTAutograd makes the graph functional first: what a model writes in place (buffers, its inputs) becomes results
that are copied back around the compiled graph, and outputs that share memory with inputs are made views again.
"""
import functools
import sys

import torch
from functorch.compile import make_boxed_func
from torch._dynamo.backends.common import aot_autograd
from torch.utils._python_dispatch import _disable_current_modes

from tenon.errors import InvalidArgumentError, TenonError, UnsupportedError
from tenon.importer.captured_graph import import_captured, is_outside, unsupported_in
from tenon.importer.decompositions import decompositions
from tenon.importer.source_locations import place_text
from tenon.torch_backend.part import CompiledPart
from tenon.torch_backend.policy import forget_warnings, policy, warn_once
from tenon.torch_backend.records import Record, argument_name, records_of
from tenon.torch_backend.split import Left, split


def tenon_backend(graph_module, example_inputs, **options):
    """The backend "tenon" of torch.compile."""
    if options:
        raise InvalidArgumentError(f"the backend 'tenon' takes no {' and no '.join(options)}; torch.compile(model, "
                                   "backend=\"tenon\") is all")
    caller = sys._getframe(1).f_locals.get("self")  # what torch.compile made of the backend: one object a compiled model
    record = Record.of_current_graph(graph_module)
    records_of(caller)[record.name] = record  # again where torch starts over with a graph
    training = _training_message(graph_module, example_inputs)
    if training:
        record.refused = training
        return _raising(UnsupportedError(training))
    names = [argument_name(node) for node in graph_module.graph.nodes if node.op == "placeholder"]
    weights = {index for index, value in enumerate(example_inputs) if isinstance(value, torch.Tensor)
               and value.is_inference()}
    compiler = functools.partial(_compile, record, names, weights)
    try:
        return aot_autograd(fw_compiler=compiler, decompositions=decompositions())(graph_module, example_inputs)
    except TenonError as error:
        record.refused = str(error)
        return _raising(error)


tenon_backend.reset = forget_warnings  # torch._dynamo.reset()


def _training_message(graph_module, example_inputs):
    if not torch.is_grad_enabled():
        return None
    nodes = [node for node in graph_module.graph.nodes if node.op == "placeholder"]
    names = [argument_name(node) for node, value in zip(nodes, example_inputs)
             if isinstance(value, torch.Tensor) and value.requires_grad]
    if not names:
        return None
    shown = ", ".join(f"'{name}'" for name in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return (f"this call would record gradients: grad mode is on and {shown} require them. The backend 'tenon' compiles "
            "inference. Next: call the model under torch.no_grad() or torch.inference_mode(), or switch gradients off, "
            "model.requires_grad_(False)")


def _raising(error):
    """Raised at the call rather than inside of torch.compile, which would wrap it; other modes compile anew."""
    @torch._dynamo.disable
    def refuse(*args):
        raise type(error)(str(error))
    return refuse


def _compile(record, names, inference_weights, graph_module, example_inputs):
    """The compiler that AOTAutograd calls with the functional graph."""
    with _disable_current_modes():  # tensors that the graph holds are real ones
        return make_boxed_func(_runner(record, names, inference_weights, graph_module))


def _runner(record, names, inference_weights, graph_module):
    placeholders = [node for node in graph_module.graph.nodes if node.op == "placeholder"]
    metadata = torch._guards.TracingContext.get().fw_metadata
    tokens = len(metadata.tokens)  # ahead of the arguments: they order checks and prints
    if len(names) + tokens == len(placeholders):
        names = [f"token_{index}" for index in range(tokens)] + names
        # Of writes to an inference tensor nothing is known, so such a parameter is read at each call, as one is that the
        # graph itself writes.
        varying = inference_weights | {index for index, info in enumerate(metadata.input_info)
                                       if info.mutates_data or info.mutates_metadata}
        weights = set(metadata.static_input_indices) - {index + tokens for index in varying}
    else:  # AOTAutograd merged inputs that share memory
        names, weights = [node.name for node in placeholders], set()
    left = Left(graph_module, unsupported_in(graph_module))
    record.left = left.unsupported.ops()
    if not left.none:
        _report_left(left.unsupported)
    outputs = next(node for node in graph_module.graph.nodes if node.op == "output").args[0]
    whole = left.none and not any(is_outside(node) for node in (*outputs, *_checks(graph_module)) if node is not None)
    if whole and any(node.op == "call_function" for node in graph_module.graph.nodes):
        part = _part(record, graph_module, names, weights)
        return part or graph_module.forward
    known = {node.name: name for node, name in zip(placeholders, names)}  # the split makes nodes anew
    static = {placeholders[index].name for index in weights}
    for node in split(graph_module, left):
        inner = getattr(graph_module, node.target)
        held = {index for index, each in enumerate(node.args) if each.name in static or each.op == "get_attr"}
        part = _part(record, inner, [known.get(each.name, each.name) for each in node.args], held)
        if part:
            delattr(graph_module, node.target)
            graph_module.__dict__[node.target] = part
    return graph_module.forward


def _checks(graph_module):
    """Nodes that give nothing and are there for what they do."""
    return [node for node in graph_module.graph.nodes
            if node.op == "call_function" and node.meta.get("val") is None and not node.users]


def _part(record, graph_module, names, weights):
    """A compiled part, or None where it stays in torch after all; why is in the record."""
    imported = import_captured(graph_module, names, weights)
    if imported.unsupported:
        record.left += imported.unsupported.ops()
        _report_left(imported.unsupported)
        return None
    part = CompiledPart(imported, graph_module)
    record.parts.append(part)
    return part


# What a module does in training mode alone: (op, index of the argument that says so, or None where the op is enough).
_TRAINING = {"aten.native_dropout.default": 2, "aten._native_batch_norm_legit_functional.default": 5,
             "aten._native_batch_norm_legit.default": 5, "aten.rrelu_with_noise.default": 4}


def _refuse_training(unsupported):
    """A module that was not switched to evaluation gives random or batch-dependent numbers; that is rarely wanted, and then
    it is allowed by name."""
    nodes = [node for node in unsupported.nodes
             if str(node.target) in _TRAINING and len(node.args) > _TRAINING[str(node.target)]
             and node.args[_TRAINING[str(node.target)]] is True]
    if nodes:
        first = min(nodes, key=lambda node: node.name)
        more = f" and {len(nodes) - 1} more" if len(nodes) > 1 else ""
        raise UnsupportedError(
            f"the model is in training mode, by {first.target} at {place_text(first)}{more}. The backend 'tenon' compiles "
            "inference. Next: model.eval(); or, if it is meant, TENON_FALLBACK=allow, which runs such ops in torch")


def _report_left(unsupported):
    chosen = policy()
    if chosen != "allow":
        _refuse_training(unsupported)
    if chosen == "error":
        raise unsupported.error("TENON_FALLBACK=error, and the graph")
    if chosen == "warn":
        ops = unsupported.ops()
        count = sum(entry[2] for entry in ops)
        names = ", ".join(dict.fromkeys(entry[0] for entry in ops))
        warn_once([entry[0] for entry in ops],
                  f"{count} {'op stays' if count == 1 else 'ops stay'} in torch: {names}. print(tenon.report(model)) says "
                  "why and where; TENON_FALLBACK=error makes it an error, TENON_FALLBACK=allow silences this")
