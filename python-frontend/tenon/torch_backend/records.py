"""What was compiled for which model, and why again: kept for tenon.report."""
import re
from dataclasses import dataclass, field

import torch
from torch._dynamo.utils import get_metrics_context

_elsewhere = {}  # of graphs that were not compiled through torch.compile


@dataclass
class Record:
    """One captured graph. `name` as torch's logs have it, "1/0": the second frame, its first graph. `recompiled`: why an
    earlier graph of that frame did not do. `broken`: why the frame was left after it. `left`: what stays in torch, as
    Unsupported.ops() lists it."""
    name: str
    place: str
    recompiled: str = ""
    broken: str = ""
    refused: str = ""
    left: list = field(default_factory=list)
    parts: list = field(default_factory=list)

    @staticmethod
    def of_current_graph(graph_module):
        compiling = torch._guards.CompileContext.current_compile_id()
        metrics = getattr(get_metrics_context(), "_metrics", {})
        reason = getattr(graph_module, "compile_subgraph_reason", None)
        broken = reason is not None and reason.graph_break
        frame = reason.user_stack[-1] if reason is not None and reason.user_stack else None
        inside = frame is not None and "/torch/_dynamo/" in frame.filename  # a module of torch.nn compiled itself
        place = f"{frame.name} ({frame.filename}:{frame.lineno})" if frame and not inside else ""
        return Record(str(compiling) if compiling else "-", place, _first_line(metrics.get("recompile_reason") or "").split("  #")[0].rstrip(),
                      f"{_first_line(reason.reason)} at {place}" if broken else "")


def _first_line(text):
    return text.strip().splitlines()[0] if text.strip() else ""


def records_of(compiled):
    """Name -> record, kept with what torch.compile made of the backend for one model."""
    if not isinstance(compiled, torch._TorchCompileWrapper):
        return _elsewhere
    return vars(compiled).setdefault("tenon_records", {})


_HOLDERS = ("_modules", "_parameters", "_buffers")
_PART = re.compile(r"\['([^']*)'\]|\.([A-Za-z_]\w*)")


def argument_name(node):
    """"layers.0.weight" of L['self']._modules['layers']._modules['0']._parameters['weight'], "x" of L['x']."""
    source = getattr(node, "_dynamo_source", None)
    if source is None:
        return node.name
    text = source.name() if callable(source.name) else source.name
    parts = [first or second for first, second in _PART.findall(text)]
    if any(part in _HOLDERS for part in parts):
        parts = parts[1:]  # the module itself
    return ".".join(part for part in parts if part not in _HOLDERS) or node.name
