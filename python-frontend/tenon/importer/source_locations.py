"""Where in the model a graph node comes from: its module path and the line of the author's own code."""
import re
from pathlib import Path

from tenon.importer.text_builder import quote

_FRAME = re.compile(r'File "([^"]+)", line (\d+)')
_INSTALLED = ("site-packages/", "dist-packages/")


def module_path(node):
    """"encoder.layer.0.attention.self", "" for the root module."""
    stack = node.meta.get("nn_module_stack") or {}
    path = ""
    for entry in stack.values():
        name = entry[0] if isinstance(entry, tuple) else ""
        path = name if isinstance(name, str) and not name.startswith("_empty") else path
    # A path of torch.export: "L['self'].encoder", "encoder.layer.0@1" for a module called twice.
    return re.sub(r"@\d+", "", re.sub(r"^L\['\w+'\]\.?", "", path))


def source_line(node):
    """(file, line): the innermost frame outside of torch, a package's file relative to where it is installed, so that
    the same model gives the same text on every machine. None if the node has no stack."""
    frames = _FRAME.findall(node.meta.get("stack_trace") or "")
    frames = [(file, int(line)) for file, line in frames if not file.startswith("<")]
    own = [frame for frame in frames if "/torch/" not in frame[0] and not frame[0].startswith("torch/")]
    if not frames:
        return None
    file, line = (own or frames)[-1]
    for marker in _INSTALLED:
        if marker in file:
            return file.rsplit(marker, 1)[1], line
    try:
        return str(Path(file).relative_to(Path.cwd())), line
    except ValueError:
        return file, line


def place_text(node):
    """"encoder.layer.0 (modeling_bert.py:175)", for messages."""
    line = source_line(node)
    return f"{module_path(node) or 'the root module'} ({f'{line[0]}:{line[1]}' if line else 'no source line'})"


def location_text(node):
    """The inside of `loc(...)`; None where nothing is known."""
    path, line = module_path(node), source_line(node)
    at = f"{quote(line[0])}:{line[1]}:0" if line else None
    if path:
        return f"{quote(path)}({at})" if at else quote(path)
    return at
