"""tenon.report: what of a model was compiled, and what was left to torch and why."""
import torch
from torch._dynamo.eval_frame import innermost_backend

from tenon.errors import InvalidArgumentError
from tenon.importer.unsupported import lines_of
from tenon.torch_backend.records import records_of


def report(compiled):
    """Text about a model compiled with torch.compile(model, backend="tenon")."""
    records = records_of(_backend_of(compiled))
    if not records:
        return "no graph has been compiled yet: torch.compile compiles at the first call"
    limit = torch._dynamo.config.recompile_limit
    lines = [f"{len(records)} {'graph' if len(records) == 1 else 'graphs'}; a frame gets at most {limit} "
             "(torch._dynamo.config.recompile_limit), then torch runs it"]
    for record in records.values():
        lines += ["", *_record_lines(record)]
    return "\n".join(lines)


def _backend_of(compiled):
    context = getattr(compiled, "dynamo_ctx", None) or getattr(compiled, "_torchdynamo_inline", None)
    context = getattr(compiled, "dynamo_ctx", context)
    callback = getattr(context, "callback", None)
    if callback is None:
        raise InvalidArgumentError(f"a {type(compiled).__name__} is not what torch.compile(model, backend=\"tenon\") or "
                                   "tenon.compile gave")
    return innermost_backend(callback)


def _record_lines(record):
    lines = [f"graph {record.name}" + (f", ends in {record.place}" if record.place else "")]
    if record.recompiled:
        lines.append(f"  compiled again: {record.recompiled}")
    if record.refused:
        return [*lines, f"  refused: {record.refused}"]
    for part in record.parts:
        lines.append(f"  compiled: {part.describe()}")
    if not record.parts:
        lines.append("  nothing was compiled")
    if record.left:
        lines.append("  left to torch:")
        lines += ["  " + line for line in lines_of(record.left)]
    if record.broken:
        lines.append(f"  the graph ends there: {record.broken}")
    return lines
