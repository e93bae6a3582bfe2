"""libtenon.so by ctypes, as far as running a compiled module on guarded buffers needs it."""

import ctypes
import os
import subprocess
import tempfile
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_size_t, c_void_p, sizeof
from pathlib import Path

import numpy as np

from exec_cpu.dtypes import num_bytes

ROOT = Path(__file__).resolve().parents[3]
GUARD = 256  # bytes on both sides of every buffer
SENTINEL = 0xC3
THREADS = "threads"  # a target: what threads of a GPU do, each kernel by the general path


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("data", c_void_p),
        ("dtype", c_int32),
        ("rank", c_int32),
        ("shape", POINTER(c_int64)),
        ("strides", POINTER(c_int64)),
        ("device_type", c_int32),
        ("device_index", c_int32),
    ]


class _NamedTensor(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("name", c_char_p), ("tensor", _Tensor)]


class _LoadOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("weights_path", c_char_p),
        ("named_weights", POINTER(_NamedTensor)),
        ("num_named_weights", c_size_t),
    ]


class _CompileOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("target", c_char_p),
        ("dump_dir", c_char_p),
        ("filename", c_char_p),
        ("weights_path", c_char_p),
        ("collect_remarks", c_int32),
        ("tf32", c_int32),
        ("fail_on_fallback", c_int32),
        ("schedule", c_char_p),
    ]


class TenonError(Exception):
    """An error of the library."""


class Buffer:
    """Memory of one tensor between two red zones, 64-byte aligned."""

    device_type = 0  # host

    def __init__(self, dtype, shape, stored=None):
        self.dtype, self.shape = dtype, tuple(int(size) for size in shape)
        self.bytes = num_bytes(dtype, self.shape)
        self.memory = np.full(self.bytes + 2 * GUARD + 64, SENTINEL, np.uint8)
        self.start = GUARD + -(self.memory.ctypes.data + GUARD) % 64
        self.before = None
        if stored is not None:
            self.data[:] = stored
            self.before = self.memory.copy()

    @property
    def address(self):
        return self.memory.ctypes.data + self.start

    @property
    def data(self):
        return self.memory[self.start : self.start + self.bytes]

    def fill(self, byte):
        self.data[:] = byte

    def damage(self):
        """What was written where nothing may be: text, or None."""
        outside = [("before", self.memory[: self.start]), ("behind", self.memory[self.start + self.bytes :])]
        for where, zone in outside:
            bad = np.flatnonzero(zone != SENTINEL)
            if len(bad):
                return f"{len(bad)} bytes {where} the buffer are overwritten"
        if self.before is not None and not np.array_equal(self.memory, self.before):
            return "an input is overwritten"
        return None


class Library:
    """The loaded library. One thread uses it."""

    def __init__(self, path=None):
        path = path or os.environ.get("TENON_LIBRARY") or ROOT / "build/lib/libtenon.so"
        self.lib = ctypes.CDLL(str(path))
        self.lib.tenon_error_message.restype = c_char_p
        for name in ("tenon_artefact_open", "tenon_executable_load", "tenon_context_create", "tenon_context_run"):
            getattr(self.lib, name).restype = c_void_p
        for name in (
            "tenon_error_message",
            "tenon_error_free",
            "tenon_artefact_free",
            "tenon_executable_free",
            "tenon_context_free",
        ):
            getattr(self.lib, name).argtypes = [c_void_p]

    def _check(self, error):
        if not error:
            return
        message = self.lib.tenon_error_message(error).decode(errors="replace")
        self.lib.tenon_error_free(error)
        raise TenonError(message)

    def compile(self, text, target="cpu", tf32=False, schedule=()):
        """`schedule`: lines of schedules by hand, for a GPU."""
        if target == THREADS:
            return self._compile_threads(text)
        artefact, encoded = c_void_p(), text.encode()
        self.lib.tenon_compile.restype = c_void_p  # not in the constructor: the run-only library has none
        options = _CompileOptions(sizeof(_CompileOptions), target.encode(), tf32=int(tf32))
        with tempfile.NamedTemporaryFile("w", prefix="tenon-schedule-") as file:
            if schedule:
                file.write("".join(line + "\n" for line in schedule))
                file.flush()
                options.schedule = file.name.encode()
            self._check(
                self.lib.tenon_compile(c_char_p(encoded), c_size_t(len(encoded)), byref(options), byref(artefact)))
        return artefact

    def _compile_threads(self, text):
        """The kernels are the code of a GPU's threads, run on the CPU."""
        bin = ROOT / "build/bin"
        artefact = c_void_p()
        with tempfile.TemporaryDirectory(prefix="tenon-threads-") as folder:
            made = f"{folder}/threads.tnx"
            lowered = _output([bin / "tenon-threads-on-cpu"], text)
            _output([bin / "tenon-compile", "--from=llvm", "--no-model", "-o", made, "-"], lowered)
            self._check(self.lib.tenon_artefact_open(made.encode(), byref(artefact)))
        return artefact

    def load(self, artefact, weights):
        """weights: name -> Buffer, kept by the caller as long as the executable."""
        named = (_NamedTensor * max(len(weights), 1))()
        keep = []
        for entry, (name, buffer) in zip(named, weights.items()):
            keep.append(name.encode())
            entry.struct_size, entry.name, entry.tensor = sizeof(_NamedTensor), keep[-1], _tensor(buffer, keep)
        options = _LoadOptions(sizeof(_LoadOptions), None, named, len(weights))
        executable, context = c_void_p(), c_void_p()
        self._check(self.lib.tenon_executable_load(artefact, byref(options), byref(executable)))
        self._check(self.lib.tenon_context_create(executable, byref(context)))
        return executable, context

    def run(self, context, inputs, outputs):
        keep = []
        given = (_Tensor * max(len(inputs), 1))(*[_tensor(buffer, keep) for buffer in inputs])
        wanted = (_Tensor * max(len(outputs), 1))(*[_tensor(buffer, keep) for buffer in outputs])
        self._check(self.lib.tenon_context_run(context, given, c_size_t(len(inputs)), wanted, c_size_t(len(outputs))))

    def free(self, executable, context):
        self.lib.tenon_context_free(context)
        self.lib.tenon_executable_free(executable)

    def free_artefact(self, artefact):
        self.lib.tenon_artefact_free(artefact)


def _output(command, text):
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise TenonError(f"{command[0].name} ended with status {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def _tensor(buffer, keep):
    shape = (c_int64 * max(len(buffer.shape), 1))(*buffer.shape)
    keep.append(shape)
    return _Tensor(
        sizeof(_Tensor), buffer.address, buffer.dtype.code, len(buffer.shape), shape, None, buffer.device_type, 0
    )
