"""Finds libtenon.so and speaks its C API (include/tenon-c/tenon.h) through ctypes.

Looked for in this order: TENON_LIBRARY; the folder of this package (a wheel); build/lib of the checkout that this file
is in. Where there is only libtenon-runtime.so, models can be loaded and run, but not compiled.
"""
import ctypes
import functools
import os
from ctypes import POINTER, c_char_p, c_int32, c_int64, c_size_t, c_void_p
from pathlib import Path

from tenon.errors import BY_KIND, InternalError, NotFoundError, UnsupportedError

API_VERSION = 1
NAMES = ("libtenon.so", "libtenon-runtime.so")


class Tensor(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("data", c_void_p), ("dtype", c_int32), ("rank", c_int32),
                ("shape", POINTER(c_int64)), ("strides", POINTER(c_int64)), ("device_type", c_int32),
                ("device_index", c_int32)]


class NamedTensor(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("name", c_char_p), ("tensor", Tensor)]


class CompileOptions(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("target", c_char_p), ("dump_dir", c_char_p), ("filename", c_char_p),
                ("weights_path", c_char_p), ("collect_remarks", c_int32), ("tf32", c_int32),
                ("fail_on_fallback", c_int32), ("schedule", c_char_p), ("tuning", c_char_p), ("from_phase", c_char_p)]


class LoadOptions(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("weights_path", c_char_p), ("named_weights", POINTER(NamedTensor)),
                ("num_named_weights", c_size_t), ("device_index", c_int32)]


class LaunchTime(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("kernel", c_char_p), ("milliseconds", ctypes.c_double), ("flops", c_int64),
                ("bytes", c_int64)]


_ERROR, _HANDLE = c_void_p, c_void_p
_COMPILING = ("tenon_compile", "tenon_tuning_tasks", "tenon_text_get", "tenon_text_free")  # libtenon.so alone has these
# name -> (result, arguments); an _ERROR result is checked by `call`.
_PROTOTYPES = {
    "tenon_api_version": (c_int32, []),
    "tenon_version": (c_char_p, []),
    "tenon_num_threads": (c_int32, []),
    "tenon_error_get_kind": (c_int32, [_ERROR]),
    "tenon_error_message": (c_char_p, [_ERROR]),
    "tenon_error_free": (None, [_ERROR]),
    "tenon_compile": (_ERROR, [c_char_p, c_size_t, POINTER(CompileOptions), POINTER(_HANDLE)]),
    "tenon_tuning_tasks": (_ERROR, [c_char_p, c_size_t, POINTER(CompileOptions), POINTER(_HANDLE)]),
    "tenon_text_get": (None, [_HANDLE, POINTER(c_void_p), POINTER(c_size_t)]),
    "tenon_text_free": (None, [_HANDLE]),
    "tenon_artefact_open": (_ERROR, [c_char_p, POINTER(_HANDLE)]),
    "tenon_artefact_save": (_ERROR, [_HANDLE, c_char_p]),
    "tenon_artefact_save_with_weights": (_ERROR, [_HANDLE, c_char_p, c_char_p]),
    "tenon_artefact_manifest": (None, [_HANDLE, POINTER(c_void_p), POINTER(c_size_t)]),
    "tenon_artefact_report": (None, [_HANDLE, POINTER(c_void_p), POINTER(c_size_t)]),
    "tenon_artefact_free": (None, [_HANDLE]),
    "tenon_executable_load": (_ERROR, [_HANDLE, POINTER(LoadOptions), POINTER(_HANDLE)]),
    "tenon_executable_entry": (_ERROR, [_HANDLE, c_char_p, POINTER(_HANDLE)]),
    "tenon_executable_free": (None, [_HANDLE]),
    "tenon_executable_persistent_bytes": (c_int64, [_HANDLE]),
    "tenon_context_create": (_ERROR, [_HANDLE, POINTER(_HANDLE)]),
    "tenon_context_free": (None, [_HANDLE]),
    "tenon_context_output_shapes": (_ERROR, [_HANDLE, POINTER(Tensor), c_size_t, POINTER(Tensor), c_size_t]),
    "tenon_context_run": (_ERROR, [_HANDLE, POINTER(Tensor), c_size_t, POINTER(Tensor), c_size_t]),
    "tenon_context_time_launches": (_ERROR, [_HANDLE, POINTER(Tensor), c_size_t, POINTER(Tensor), c_size_t,
                                             POINTER(LaunchTime), c_size_t]),
    "tenon_context_arena_bytes": (c_int64, [_HANDLE]),
    "tenon_context_set_stream": (_ERROR, [_HANDLE, c_void_p]),
    "tenon_context_synchronize": (_ERROR, [_HANDLE]),
    "tenon_graph_capture_without": (_ERROR, [_HANDLE, POINTER(Tensor), c_size_t, POINTER(c_char_p), c_size_t,
                                             POINTER(_HANDLE)]),
    "tenon_graph_run": (_ERROR, [_HANDLE, POINTER(Tensor), c_size_t, POINTER(Tensor), c_size_t]),
    "tenon_graph_output": (_ERROR, [_HANDLE, c_size_t, POINTER(Tensor)]),
    "tenon_graph_free": (None, [_HANDLE]),
}


def candidates():
    """The places looked at, in order."""
    named = os.environ.get("TENON_LIBRARY")
    if named:
        return [Path(named)]
    here = Path(__file__).resolve().parent
    return [folder / name for folder in (here, here.parents[1] / "build" / "lib") for name in NAMES]


@functools.cache
def library():
    """The loaded library with its prototypes set."""
    places = candidates()
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        looked = "\n".join(f"  {place}" for place in places)
        remedy = ("TENON_LIBRARY names no file: correct it, or unset it" if os.environ.get("TENON_LIBRARY") else
                  "build it, `scripts/setup` in a checkout, or name it, TENON_LIBRARY=/path/to/libtenon.so")
        raise NotFoundError(f"Tenon's library is not there. Looked for:\n{looked}\nNext: {remedy}.")
    try:
        loaded = ctypes.CDLL(str(found))
        version = loaded.tenon_api_version()
    except (OSError, AttributeError) as error:
        raise NotFoundError(f"{found} cannot be loaded: {error}\nNext: build it anew for this machine, or set "
                            "TENON_LIBRARY to another.") from None
    if version != API_VERSION:
        raise UnsupportedError(f"{found} has version {version} of the C API, this package speaks {API_VERSION}: use "
                               "the library and the package of one build")
    for name, (result, arguments) in _PROTOTYPES.items():
        function = getattr(loaded, name, None)
        if function is not None:
            function.restype, function.argtypes = result, arguments
        elif name not in _COMPILING:
            raise UnsupportedError(f"{found} lacks {name}: use the library and the package of one build")
    loaded.path = found
    return loaded


def can_compile():
    return hasattr(library(), "tenon_compile")


def check(error):
    """Raises what a function of the C API returned, if it is an error."""
    if not error:
        return
    api = library()
    kind, message = api.tenon_error_get_kind(error), api.tenon_error_message(error).decode(errors="replace")
    api.tenon_error_free(error)
    raise BY_KIND.get(kind, InternalError)(message)


def text_of(getter, handle):
    """A string that a function gives as address and size."""
    data, size = c_void_p(), c_size_t()
    getter(handle, ctypes.byref(data), ctypes.byref(size))
    return ctypes.string_at(data, size.value).decode() if size.value else ""


class Handle:
    """An object of the C API, freed with the last reference."""

    def __init__(self, free_name):
        self._free_name, self.raw = free_name, c_void_p()

    def __del__(self):
        if self.raw:
            getattr(library(), self._free_name)(self.raw)
