"""A compiled model: called like the module it came from, saved, described."""
import ctypes
import json
import os
import tempfile
from pathlib import Path

from tenon.errors import InvalidArgumentError
from tenon.executable_report import report_text
from tenon.library import CompileOptions, Handle, IoInfo, LoadOptions, Tensor, check, library, text_of
from tenon.structure import Signature
from tenon.tensors import NAMES, TENSOR_SIZE, as_dense, empty, is_torch
from tenon.weights import NamedWeights, write_safetensors


class Io:
    """An input or output: name, dtype as "f32", shape with None where it varies, names and bounds of its dimensions."""

    def __init__(self, info):
        self.name, self.dtype = info.name.decode(), NAMES[info.dtype]
        sizes = range(info.rank)
        self.shape = tuple(info.shape[i] if info.shape[i] >= 0 else None for i in sizes)
        self.dims = tuple(info.dims[i].decode() for i in sizes)
        self.bounds = tuple((info.lower[i], info.upper[i]) for i in sizes)

    def __repr__(self):
        sizes = ", ".join(dim or ("?" if size is None else str(size)) for dim, size in zip(self.dims, self.shape))
        return f"{self.name}: {self.dtype}[{sizes}]"


class _Context:
    """What one call at a time uses: an arena, and the arrays that describe its tensors."""

    def __init__(self, executable, inputs, outputs):
        self.handle = Handle("tenon_context_free")
        check(library().tenon_context_create(executable.raw, ctypes.byref(self.handle.raw)))
        self.inputs, self.outputs = (Tensor * len(inputs))(), (Tensor * len(outputs))()
        self.shapes = [(ctypes.c_int64 * len(io.shape))() for io in inputs]
        for tensor in list(self.inputs) + list(self.outputs):
            tensor.struct_size = TENSOR_SIZE
        for tensor, shape in zip(self.inputs, self.shapes):
            tensor.struct_size, tensor.shape, tensor.strides = TENSOR_SIZE, shape, None


class Executable:
    """Call it with torch or numpy tensors; the result has the structure of the module's and is of the first tensor's
    kind. It may be called from many threads at once: each call has a context of its own."""

    def __init__(self, artefact, weights=None, weights_path=None):
        """`artefact`: a Handle. `weights`: {key: tensor}, looked at before `weights_path`."""
        api = library()
        self._artefact, self._weights, self._weights_path = artefact, weights, weights_path
        named = NamedWeights(weights) if weights else None
        options = LoadOptions(ctypes.sizeof(LoadOptions), os.fsencode(weights_path) if weights_path else None,
                              named.array if named else None, named.count if named else 0)
        self._named = named
        self._handle = Handle("tenon_executable_free")
        check(api.tenon_executable_load(artefact.raw, ctypes.byref(options), ctypes.byref(self._handle.raw)))
        self.inputs = self._describe(api.tenon_executable_num_inputs, api.tenon_executable_input)
        self.outputs = self._describe(api.tenon_executable_num_outputs, api.tenon_executable_output)
        self.manifest = json.loads(text_of(api.tenon_artefact_manifest, artefact.raw))
        self._signature = (Signature.from_json(self.manifest.get("metadata"), len(self.inputs), len(self.outputs))
                           or Signature.plain([io.name for io in self.inputs], len(self.outputs)))
        self._free = []  # contexts that are in no call

    def _describe(self, count, describe):
        result = []
        for index in range(count(self._handle.raw)):
            info = IoInfo(ctypes.sizeof(IoInfo))
            check(describe(self._handle.raw, index, ctypes.byref(info)))
            result.append(Io(info))
        return result

    # ---- running ----
    def __call__(self, *args, **kwargs):
        return self._signature.result(self.run_flat(self._signature.bind(args, kwargs)))

    def run_flat(self, tensors):
        """The outputs in order, of the inputs in order."""
        try:
            context = self._free.pop()
        except IndexError:  # all contexts are in calls of other threads
            context = _Context(self._handle, self.inputs, self.outputs)
        try:
            return self._run(context, tensors)
        finally:
            self._free.append(context)

    def _run(self, context, tensors):
        api, inputs, outputs = library(), context.inputs, context.outputs
        kept = []
        for index, value in enumerate(tensors):
            dense, address, code, shape = as_dense(value, f"input {index} '{self.inputs[index].name}'")
            kept.append(dense)
            entry = inputs[index]
            entry.data, entry.dtype, entry.rank = address, code, len(shape)
            sizes = context.shapes[index]
            if len(shape) == len(sizes):
                sizes[:] = shape
                entry.shape = sizes
            else:  # the library says what is wrong
                entry.shape = (ctypes.c_int64 * len(shape))(*shape)
        raw = context.handle.raw
        check(api.tenon_context_output_shapes(raw, inputs, len(inputs), outputs, len(outputs)))
        like_torch = is_torch(kept[0]) if kept else True
        results = []
        for entry in outputs:
            result, entry.data = empty(like_torch, entry.dtype, entry.shape[:entry.rank])
            results.append(result)
        check(api.tenon_context_run(raw, inputs, len(inputs), outputs, len(outputs)))
        return results

    # ---- keeping ----
    def save(self, path, weights=True):
        """Writes a `.tnx` file. With weights=False it holds none: they are given when it is loaded."""
        api, path = library(), Path(path)
        if not path.parent.is_dir():
            raise InvalidArgumentError(f"{path}: the folder {path.parent} does not exist")
        if not weights or not (self._weights or self._weights_path):
            check(api.tenon_artefact_save(self._artefact.raw, os.fsencode(path)))
        elif self._weights:
            with tempfile.TemporaryDirectory(prefix=".tenon-", dir=path.parent) as folder:
                file = Path(folder) / "weights.safetensors"
                self.save_weights(file)
                check(api.tenon_artefact_save_with_weights(self._artefact.raw, os.fsencode(path), os.fsencode(file)))
        else:
            check(api.tenon_artefact_save_with_weights(self._artefact.raw, os.fsencode(path),
                                                       os.fsencode(self._weights_path)))

    def save_weights(self, path):
        """Writes the weights of a model compiled from memory as a safetensors file."""
        if not self._weights:
            raise InvalidArgumentError("this model's weights are in a file already, or inside its artefact")
        write_safetensors(self._weights, path)

    # ---- describing ----
    @property
    def persistent_bytes(self):
        """Packed weights and copies made when the model was loaded."""
        return library().tenon_executable_persistent_bytes(self._handle.raw)

    @property
    def arena_bytes(self):
        """Arena and scratch of all contexts that are not running."""
        return sum(library().tenon_context_arena_bytes(context.handle.raw) for context in list(self._free))

    @property
    def compile_report(self):
        """{"seconds": [[step, seconds]], "remarks": [...]} of a model compiled by this program, else None."""
        text = text_of(library().tenon_artefact_report, self._artefact.raw)
        return json.loads(text) if text else None

    def report(self):
        """What the model is made of, as text."""
        return report_text(self)

    def __repr__(self):
        ins, outs = ", ".join(map(repr, self.inputs)), ", ".join(map(repr, self.outputs))
        return f"<tenon.Executable for {self.manifest['target']}: ({ins}) -> ({outs})>"


def compile_artefact(text, target="cpu", dump=None, filename=None, remarks=False):
    """Compiles text in the `tenon` dialect to an artefact, of which executables are made."""
    options = CompileOptions(ctypes.sizeof(CompileOptions), target.encode(), os.fsencode(dump) if dump else None,
                             os.fsencode(filename) if filename else None, None, int(remarks))
    artefact = Handle("tenon_artefact_free")
    data = text.encode()
    check(library().tenon_compile(data, len(data), ctypes.byref(options), ctypes.byref(artefact.raw)))
    return artefact


def compile_text(text, target="cpu", weights=None, weights_path=None, dump=None, filename=None, remarks=False):
    """Compiles text in the `tenon` dialect and loads the result."""
    return Executable(compile_artefact(text, target, dump, filename, remarks), weights, weights_path)


def load_artefact(path, weights=None, weights_path=None):
    artefact = Handle("tenon_artefact_free")
    check(library().tenon_artefact_open(os.fsencode(path), ctypes.byref(artefact.raw)))
    return Executable(artefact, weights, weights_path)
