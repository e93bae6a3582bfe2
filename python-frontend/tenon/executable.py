"""A compiled model: called like the module it came from, saved, described."""
import contextlib
import ctypes
import json
import os
import tempfile
from pathlib import Path

from tenon.errors import InvalidArgumentError, UnsupportedError
from tenon.executable_report import report_text
from tenon.library import CompileOptions, Handle, LaunchTime, Tensor, check, library, text_of
from tenon.program import Program
from tenon.state import State
from tenon.structure import Signature
from tenon.tensors import HOST, TENSOR_SIZE, Blocks, as_dense, current_stream, empty, is_torch, place, write_into
from tenon.weights import write_safetensors


class Io:
    """An input or output: name, dtype as "f32", shape with None where it varies, names and bounds of its dimensions."""

    def __init__(self, value, bounds):
        """`value`: of the launch plan; `bounds`: of the named dimensions."""
        self.name, self.dtype = value["name"], value["dtype"]
        self.shape = tuple(size if isinstance(size, int) else None for size in value["shape"])
        self.dims = tuple(size if isinstance(size, str) else "" for size in value["shape"])
        self.bounds = tuple((size, size) if isinstance(size, int) else
                            bounds[size] if isinstance(size, str) else (0, 2**63 - 1) for size in value["shape"])

    def __repr__(self):
        sizes = ", ".join(dim or ("?" if size is None else str(size)) for dim, size in zip(self.dims, self.shape))
        return f"{self.name}: {self.dtype}[{sizes}]"


def _interface(plan):
    """Inputs, outputs and the Signature of an entry."""
    bounds = {dim["name"]: (dim["lo"], dim["hi"]) for dim in plan["dims"]}
    inputs, outputs = ([Io(plan["values"][number], bounds) for number in plan[what]] for what in ("inputs", "outputs"))
    signature = (Signature.from_json(plan.get("metadata"), len(inputs), len(outputs))
                 or Signature.plain([io.name for io in inputs], len(outputs)))
    return inputs, outputs, signature


class _Context:
    """What one call at a time uses: an arena, and the arrays that describe its tensors."""

    def __init__(self, executable, inputs, outputs):
        self.handle = Handle("tenon_context_free")
        check(library().tenon_context_create(executable.raw, ctypes.byref(self.handle.raw)))
        self.inputs, self.outputs = (Tensor * len(inputs))(), (Tensor * len(outputs))()
        self.shapes = [(ctypes.c_int64 * len(io.shape))() for io in inputs]
        self.blocks = [Blocks() for _ in outputs]
        self.stream = None  # the caller's, once one was given
        for tensor in list(self.inputs) + list(self.outputs):
            tensor.struct_size = TENSOR_SIZE
        for tensor, shape in zip(self.inputs, self.shapes):
            tensor.struct_size, tensor.shape, tensor.strides = TENSOR_SIZE, shape, None

    def bind(self, tensors, ios, device):
        """Describes the tensors of a call, and queues it on torch's current stream where one of them is on the GPU.
        Gives what keeps them alive, whether results are torch's, and where they are."""
        kept, places = [], []
        for index, value in enumerate(tensors):
            dense, address, code, shape, where = as_dense(value, f"input {index} '{ios[index].name}'")
            kept.append(dense)
            places.append(where)
            entry = self.inputs[index]
            entry.data, entry.dtype, entry.rank = address, code, len(shape)
            entry.device_type, entry.device_index = place(where)
            sizes = self.shapes[index]
            if len(shape) == len(sizes):
                sizes[:] = shape
                entry.shape = sizes
            else:  # the library says what is wrong
                entry.shape = (ctypes.c_int64 * len(shape))(*shape)
        on_gpu = device != HOST and device in places
        if on_gpu:
            stream = current_stream(device)
            if self.stream != stream:
                check(library().tenon_context_set_stream(self.handle.raw, stream))
                self.stream = stream
        return kept, is_torch(kept[0]) if kept else True, device if on_gpu else HOST

    def new_outputs(self, like_torch, where, given):
        """Tensors of the shapes that the inputs give: fresh, but for `given`, {index: dense tensor that is written}."""
        api, raw = library(), self.handle.raw
        check(api.tenon_context_output_shapes(raw, self.inputs, len(self.inputs), self.outputs, len(self.outputs)))
        results = []
        for index, entry in enumerate(self.outputs):
            if index in given:
                result, entry.data, _, _, at = as_dense(given[index], f"output {index}")
            else:
                result, entry.data = empty(like_torch or where != HOST, entry.dtype, entry.shape[:entry.rank], where,
                                           self.blocks[index])
                at = where
            entry.device_type, entry.device_index = place(at)
            results.append(result)
        return results


class Executable:
    """Call it with torch or numpy tensors; the result has the structure of the module's and is of the first tensor's
    kind. It may be called from many threads at once: each call has a context of its own.

    A model for a GPU is loaded there by the first call, so that it can be compiled and saved where there is none. With
    a torch tensor on that GPU among the inputs a call is queued on torch's current stream, and the results are on the
    GPU; else it copies, and waits.

    A model may have several entries, as one for a prompt and one for the token after it; an executable is one of them, the
    first unless `entry` is asked for another. They share weights and the buffers that they write."""

    def __init__(self, artefact, weights=None, weights_path=None, device=0):
        """`artefact`: a Handle. `weights`: {key: tensor}, looked at before `weights_path`. `device`: which GPU."""
        program = Program(artefact, weights, weights_path, device)
        self._become(program, program.first)
        if self.device == HOST:
            self._loaded()

    def _become(self, program, entry):
        self._program, self.entry_name = program, entry
        program.executables[entry] = self
        self.manifest, self.device = program.plan(entry), program.device
        self.inputs, self.outputs, self._signature = _interface(self.manifest)
        # Outputs that may have the memory of an input, as a cache that is appended to: {output: input}.
        self._over = {index: self.manifest["inputs"].index(value["over"]) for index, value in
                      enumerate(self.manifest["values"][number] for number in self.manifest["outputs"]) if "over" in value}
        self._handle = None
        self._states = self._signature.states
        if self._states and program.state is None:
            program.state = State([state for plan in program.plans.values() for state in _interface(plan)[2].states],
                                  self.device)
        self._free = []  # contexts that are in no call

    @property
    def entries(self):
        """The names of the model's entries; "main", where there is one."""
        return tuple(self._program.plans)

    def entry(self, name):
        """The executable of another entry of the same loaded model, always the same one."""
        self._program.plan(name)
        if name not in self._program.executables:
            Executable.__new__(Executable)._become(self._program, name)
        return self._program.executables[name]

    @property
    def _state(self):
        return self._program.state if self._states else None

    def _loaded(self):
        """The handle of this entry of the loaded model."""
        if self._handle is None:
            self._handle = self._program.handle(self.entry_name)
        return self._handle

    # ---- running ----
    def __call__(self, /, *args, **kwargs):
        signature = self._signature
        tensors = signature.bind(args, kwargs)
        if self._state is None:
            outputs = self.run_flat(tensors)
        else:
            with self._state.lock:
                values = self._state.values(self._states)
                first = len(tensors)
                outputs = self.run_flat([*tensors, *values], {
                    spec.output: value for index, (spec, value) in enumerate(zip(self._states, values))
                    if self._over.get(spec.output) == first + index})
                self._state.take(self._states, outputs, signature.returned)
        for argument, output in signature.writes:
            write_into(tensors[argument], outputs[output])
        return signature.result(outputs)

    def run_flat(self, tensors, written=None):
        """The outputs in order, of the inputs in order. `written`: {output: the input tensor whose memory it gets}."""
        try:
            context = self._free.pop()
        except IndexError:  # all contexts are in calls of other threads
            context = _Context(self._loaded(), self.inputs, self.outputs)
        try:
            return self._run(context, tensors, written or {})
        finally:
            self._free.append(context)

    def _run(self, context, tensors, written):
        kept, like_torch, where = context.bind(tensors, self.inputs, self.device)
        results = context.new_outputs(like_torch, where, written)
        check(library().tenon_context_run(context.handle.raw, context.inputs, len(context.inputs), context.outputs,
                                          len(context.outputs)))
        return results

    def graph(self, /, *args, **kwargs):
        """A call with inputs of these shapes as a CUDA graph: called in the same way, it costs one launch. Buffers that the
        model writes are those of the model itself, which may be called between."""
        return self._captured(None, args, kwargs)

    def graph_without(self, kernels, /, *args, **kwargs):
        """For measuring alone, for its results are wrong: the graph without the launches of these kernels, named as
        `time_launches` names them. What it takes less than the whole graph is what they cost there. A whole call comes first:
        the other launches read what the last launch of such a kernel gave then. Buffers that the model writes are copies."""
        return self._captured(tuple(kernels), args, kwargs)

    def _captured(self, without, args, kwargs):
        if self.device == HOST:
            raise UnsupportedError("graphs are for models on a GPU: compile with target=\"sm_90a\"")
        return Graph(self, self._signature, self._signature.bind(args, kwargs), without)

    def time_launches(self, /, *args, **kwargs):
        """[{"kernel", "ms", "flops", "bytes"}] of the launches of a call on a GPU, in their order, each timed there with
        nothing beside it; flops and bytes are the least that its result needs. The results are dropped."""
        if self.device == HOST:
            raise UnsupportedError("times of launches are for models on a GPU: compile with target=\"sm_90a\"")
        given = self._signature.bind(args, kwargs)
        context = _Context(self._loaded(), self.inputs, self.outputs)
        with self._state.lock if self._state else contextlib.nullcontext():
            tensors = [*given, *(self._state.values(self._states) if self._state else [])]
            kept, like_torch, where = context.bind(tensors, self.inputs, self.device)
            written = {output: tensors[index] for output, index in self._over.items()} if where != HOST else {}
            results = context.new_outputs(like_torch, where, written)
            times = (LaunchTime * len(self.manifest["launches"]))()
            for time in times:
                time.struct_size = ctypes.sizeof(LaunchTime)
            check(library().tenon_context_time_launches(context.handle.raw, context.inputs, len(context.inputs),
                                                        context.outputs, len(context.outputs), times, len(times)))
        return [{"kernel": time.kernel.decode(), "ms": time.milliseconds, "flops": time.flops, "bytes": time.bytes}
                for time in times]

    # ---- buffers that the model writes ----
    @property
    def state(self):
        """{key: tensor} of the buffers that the model writes, those of all entries, as the last call left them; to be read, or
        replaced."""
        return {} if self._state is None else self._state.tensors

    def reset_state(self):
        """Gives these buffers the values that they had when the module was exported, in place."""
        if self._state is not None:
            with self._state.lock:
                self._state.reset()

    # ---- keeping ----
    def save(self, path, weights=True):
        """Writes a `.tnx` file, of all entries. With weights=False it holds no weights: they are given when it is loaded."""
        api, path = library(), Path(path)
        if not path.parent.is_dir():
            raise InvalidArgumentError(f"{path}: the folder {path.parent} does not exist")
        program = self._program
        if not weights or not (program.weights or program.weights_path):
            check(api.tenon_artefact_save(program.artefact.raw, os.fsencode(path)))
        elif program.weights:
            with tempfile.TemporaryDirectory(prefix=".tenon-", dir=path.parent) as folder:
                file = Path(folder) / "weights.safetensors"
                self.save_weights(file)
                check(api.tenon_artefact_save_with_weights(program.artefact.raw, os.fsencode(path), os.fsencode(file)))
        else:
            check(api.tenon_artefact_save_with_weights(program.artefact.raw, os.fsencode(path),
                                                       os.fsencode(program.weights_path)))

    def save_weights(self, path):
        """Writes the weights of a model compiled from memory as a safetensors file."""
        if not self._program.weights:
            raise InvalidArgumentError("this model's weights are in a file already, or inside its artefact")
        write_safetensors(self._program.weights, path)

    # ---- describing ----
    @property
    def is_loaded(self):
        """Whether it is where it runs; a model for a GPU gets there by its first call."""
        return self._program.is_loaded

    @property
    def persistent_bytes(self):
        """Packed weights and copies made when the model was loaded, of all entries."""
        return library().tenon_executable_persistent_bytes(self._loaded().raw)

    @property
    def arena_bytes(self):
        """Arena and scratch of all contexts that are not running."""
        return sum(library().tenon_context_arena_bytes(context.handle.raw) for context in list(self._free))

    @property
    def compile_report(self):
        """{"seconds": [[step, seconds]], "remarks": [...]} of a model compiled by this program, else None."""
        text = text_of(library().tenon_artefact_report, self._program.artefact.raw)
        return json.loads(text) if text else None

    def report(self):
        """What the model is made of, as text."""
        return report_text(self)

    def __repr__(self):
        ins, outs = ", ".join(map(repr, self.inputs)), ", ".join(map(repr, self.outputs))
        which = f" {self.entry_name} of {', '.join(self.entries)}" if len(self.entries) > 1 else ""
        return f"<tenon.Executable{which} for {self.manifest['target']}: ({ins}) -> ({outs})>"


class Graph:
    """The launches of a call with fixed shapes. Inputs are copied in; results are fresh tensors. Buffers that the model only
    appends to are read and written where they lie."""

    def __init__(self, executable, signature, tensors, without=None):
        """`without`: kernels, of Executable.graph_without."""
        self._executable, self._signature = executable, signature
        self._state, self._states = executable._state, executable._states
        if without is not None and self._state:
            self._state = self._state.copied()
        self._context = _Context(executable._loaded(), executable.inputs, executable.outputs)
        self._handle = Handle("tenon_graph_free")
        self._buffers = self._state.values(self._states) if self._state else []  # kept: the graph has their addresses
        kept, _, _ = self._context.bind([*tensors, *self._buffers], executable.inputs, executable.device)
        names = [name.encode() for name in without or ()]
        check(library().tenon_graph_capture_without(self._context.handle.raw, self._context.inputs,
                                                    len(self._context.inputs), (ctypes.c_char_p * len(names))(*names),
                                                    len(names), ctypes.byref(self._handle.raw)))

    def __call__(self, /, *args, **kwargs):
        tensors = self._signature.bind(args, kwargs)
        if self._state is None:
            results = self._run(tensors, {})
        else:
            with self._state.lock:
                values = self._state.values(self._states)
                results = self._run([*tensors, *values],
                                    {spec.output: value for spec, value in zip(self._states, values)})
                self._state.take(self._states, results, self._signature.returned)
        return self._signature.result(results)

    def _run(self, tensors, written):
        context, executable = self._context, self._executable
        kept, like_torch, where = context.bind(tensors, executable.inputs, executable.device)
        results = context.new_outputs(like_torch, where, written)
        check(library().tenon_graph_run(self._handle.raw, context.inputs, len(context.inputs), context.outputs,
                                        len(context.outputs)))
        return results


def compile_options(target="cpu", dump=None, filename=None, remarks=False, tf32=False, schedule=None, tuning=None,
                    from_phase=None):
    """What the C API is told; `from_phase`: the first phase to run on text that is past those before it."""
    def path(value):
        return os.fsencode(value) if value else None
    return CompileOptions(ctypes.sizeof(CompileOptions), target.encode(), path(dump), path(filename), None, int(remarks),
                          int(tf32), 0, path(schedule), path(tuning), from_phase.encode() if from_phase else None)


def compile_artefact(text, *options, **named):
    """Compiles text in the `tenon` dialect to an artefact, of which executables are made; options of compile_options."""
    options = compile_options(*options, **named)
    artefact = Handle("tenon_artefact_free")
    data = text.encode()
    check(library().tenon_compile(data, len(data), ctypes.byref(options), ctypes.byref(artefact.raw)))
    return artefact


def compile_text(text, target="cpu", weights=None, weights_path=None, dump=None, filename=None, remarks=False,
                 device=0, tf32=False, schedule=None, tuning=None):
    """Compiles text in the `tenon` dialect and loads the result."""
    artefact = compile_artefact(text, target, dump, filename, remarks, tf32, schedule, tuning)
    return Executable(artefact, weights, weights_path, device)


def load_artefact(path, weights=None, weights_path=None, device=0):
    artefact = Handle("tenon_artefact_free")
    check(library().tenon_artefact_open(os.fsencode(path), ctypes.byref(artefact.raw)))
    return Executable(artefact, weights, weights_path, device)
