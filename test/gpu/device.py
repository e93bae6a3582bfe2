"""Tensors in the memory of a GPU, between red zones, for the cases of exec_cpu. Of CUDA only the driver is needed."""

import ctypes
import os
from ctypes import byref, c_char_p, c_int, c_size_t, c_uint, c_uint64, c_void_p

import numpy as np

from exec_cpu.dtypes import num_bytes
from exec_cpu.library import SENTINEL, Library
from exec_cpu.runner import Batch

GUARD = 1024  # bytes on both sides: a wrong row of a tile lands in it, and addresses stay multiples of 256


class Driver:
    """The calls of libcuda that tests make, on the first GPU's primary context, which the runtime uses too."""

    def __init__(self):
        self.lib = ctypes.CDLL(os.environ.get("TENON_CUDA_DRIVER") or "libcuda.so.1")
        context, device = c_void_p(), c_int()
        self.call("cuInit", c_uint(0))
        self.call("cuDeviceGet", byref(device), c_int(0))
        self.call("cuDevicePrimaryCtxRetain", byref(context), device)
        self.call("cuCtxPushCurrent_v2", context)
        name = ctypes.create_string_buffer(128)
        self.call("cuDeviceGetName", name, c_int(128), device)
        self.name = name.value.decode()

    def call(self, function, *arguments):
        result = getattr(self.lib, function)(*arguments)
        if result:
            text = c_char_p()
            self.lib.cuGetErrorName(c_int(result), byref(text))
            raise OSError(f"{function}: {(text.value or b'?').decode()} ({result})")

    def allocate(self, size):
        address = c_uint64()
        self.call("cuMemAlloc_v2", byref(address), c_size_t(size))
        return address.value

    def free(self, address):
        self.call("cuMemFree_v2", c_uint64(address))

    def upload(self, address, data):
        self.call("cuMemcpyHtoDAsync_v2", c_uint64(address), c_void_p(data.ctypes.data), c_size_t(data.nbytes), None)
        self.wait()

    def download(self, address, size):
        data = np.empty(size, np.uint8)
        if size:
            self.call("cuMemcpyDtoHAsync_v2", c_void_p(data.ctypes.data), c_uint64(address), c_size_t(size), None)
            self.wait()
        return data

    def fill(self, address, byte, size):
        if size:
            self.call("cuMemsetD8Async", c_uint64(address), ctypes.c_ubyte(byte), c_size_t(size), None)

    def wait(self):
        """For what was queued on the default stream, which the runtime's own streams do not wait for."""
        self.call("cuStreamSynchronize", None)


_driver = None


def driver():
    global _driver
    _driver = _driver or Driver()
    return _driver


class DeviceBuffer:
    """As exec_cpu.library.Buffer, on the GPU."""

    device_type = 1  # CUDA

    def __init__(self, dtype, shape, stored=None):
        self.block = 0
        self.dtype, self.shape = dtype, tuple(int(size) for size in shape)
        self.bytes = num_bytes(dtype, self.shape)
        whole = np.full(self.bytes + 2 * GUARD, SENTINEL, np.uint8)
        if stored is not None:
            whole[GUARD : GUARD + self.bytes] = stored
        self.before = whole if stored is not None else None
        self.block = driver().allocate(whole.nbytes)
        driver().upload(self.block, whole)

    def __del__(self):
        if self.block:
            driver().free(self.block)

    @property
    def address(self):
        return self.block + GUARD

    @property
    def data(self):
        return driver().download(self.address, self.bytes)

    def fill(self, byte):
        driver().fill(self.address, byte, self.bytes)

    def damage(self):
        whole = driver().download(self.block, self.bytes + 2 * GUARD)
        for where, zone in (("before", whole[:GUARD]), ("behind", whole[GUARD + self.bytes :])):
            bad = np.flatnonzero(zone != SENTINEL)
            if len(bad):
                return f"{len(bad)} bytes {where} the buffer are overwritten"
        if self.before is not None and not np.array_equal(whole, self.before):
            return "an input is overwritten"
        return None


class DeviceLibrary(Library):
    """libtenon-runtime.so: artefacts are opened, not compiled."""

    def open(self, path):
        artefact = c_void_p()
        self._check(self.lib.tenon_artefact_open(str(path).encode(), byref(artefact)))
        return artefact

    def run(self, context, inputs, outputs):
        driver().wait()  # inputs and fills are there
        super().run(context, inputs, outputs)
        self.lib.tenon_context_synchronize.restype = c_void_p
        self._check(self.lib.tenon_context_synchronize(context))


class DeviceBatch(Batch):
    """One case, from its artefact: three times, with outputs that hold NaN, something else, and NaN again."""

    buffer = DeviceBuffer
    fills = (0xFF, 0x5A, 0xFF)

    def __init__(self, case, seed, path):
        super().__init__([case], seed, None)
        self.path = path

    def open(self):
        library = DeviceLibrary()
        return library, library.open(self.path)
