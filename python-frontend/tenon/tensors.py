"""torch and numpy tensors, and whatever speaks DLPack, as the C API's tensors, in host memory or on a GPU. Torch is
used only if the program has imported it; nothing is copied that is dense already."""
import ctypes
import math
import sys

from tenon.errors import InvalidArgumentError, UnsupportedError
from tenon.library import Tensor

# In the order of tenon_dtype: the dialect's names, and those of torch and numpy (with ml_dtypes).
NAMES = ("f64", "f32", "f16", "bf16", "f8E4M3FN", "f8E5M2", "i64", "i32", "i16", "i8", "i4", "i1", "u8")
_PYTHON_NAMES = ("float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "int64", "int32", "int16",
                 "int8", None, "bool", "uint8")
_NUMPY_CODE = {name: code for code, name in enumerate(_PYTHON_NAMES) if name}
TENSOR_SIZE = ctypes.sizeof(Tensor)

_torch_codes, _torch_dtypes = {}, {}


def _torch():
    """The torch module if the program uses it."""
    torch = sys.modules.get("torch")
    if torch is not None and not _torch_codes:
        for code, name in enumerate(_PYTHON_NAMES):
            if name and hasattr(torch, name):
                _torch_codes[getattr(torch, name)] = code
                _torch_dtypes[code] = getattr(torch, name)
    return torch


HOST = -1  # in place of a GPU's number


def as_dense(value, where):
    """(what keeps the bytes alive, address, dtype code, shape, GPU or HOST) of a torch tensor, a numpy array or a
    DLPack object."""
    torch = _torch()
    if torch is None or not isinstance(value, torch.Tensor):
        value = _from_gpu(value, where, torch)
    if torch is not None and isinstance(value, torch.Tensor):
        if value.device.type not in ("cpu", "cuda"):
            raise InvalidArgumentError(f"{where} is on {value.device}, expected the CPU or a GPU of CUDA: pass "
                                       "tensor.cpu()")
        code = _torch_codes.get(value.dtype)
        if code is None:
            raise InvalidArgumentError(f"{where} is of {value.dtype}, which Tenon does not take")
        if value.layout is not torch.strided:
            raise InvalidArgumentError(f"{where} is {str(value.layout).removeprefix('torch.')}, expected a dense tensor: pass "
                                       "tensor.to_dense()")
        if not value.is_contiguous() or value.is_neg():  # a view that negates has the memory of what it negates
            value = value.resolve_neg().contiguous()
        return value, value.data_ptr(), code, value.shape, value.device.index if value.is_cuda else HOST
    import numpy
    if not isinstance(value, numpy.ndarray):
        value = _as_array(value, where, numpy)
    code = _NUMPY_CODE.get(value.dtype.name)
    if code is None or not value.dtype.isnative:
        raise InvalidArgumentError(f"{where} is of {value.dtype}, which Tenon does not take")
    if not value.flags.c_contiguous:
        value = numpy.ascontiguousarray(value).reshape(value.shape)
    return value, value.ctypes.data, code, value.shape, HOST


def place(device):
    """device_type and device_index of the C API."""
    return (0, 0) if device == HOST else (1, device)


def _from_gpu(value, where, torch):
    """A tensor of another library that is on a GPU, as torch's, over the same memory; anything else as it is."""
    cuda = 2  # kDLCUDA
    if not hasattr(value, "__dlpack_device__") or value.__dlpack_device__()[0] != cuda:
        return value
    if torch is None:
        raise InvalidArgumentError(f"{where} is on a GPU; tensors of other libraries are taken from there through "
                                   "torch: import torch first")
    return torch.from_dlpack(value)


def _as_array(value, where, numpy):
    if isinstance(value, (bool, int, float, numpy.generic)):
        return numpy.asarray(value)
    if hasattr(value, "__dlpack__"):
        try:
            return numpy.from_dlpack(value)
        except (BufferError, RuntimeError, TypeError, ValueError) as error:
            raise InvalidArgumentError(f"{where} cannot be read through DLPack: {error}") from None
    try:
        return numpy.asarray(memoryview(value))
    except TypeError:
        raise InvalidArgumentError(f"{where} is a {type(value).__name__}, expected a tensor (torch, numpy, or any with "
                                   "DLPack or the buffer protocol)") from None


class Blocks:
    """Memory of large results of numpy. numpy's own begins at a multiple of 16 bytes, kernels store at multiples of 64, so that
    the library would copy; and fresh pages of the system cost a fault for every 4 KB. Two blocks are kept, and given again
    once nobody has an array in them any more. For one caller at a time."""
    LEAST, MOST, ALIGNMENT = 1 << 16, 2, 64

    def __init__(self):
        self._blocks = []

    def empty(self, shape, dtype):
        import numpy
        size = math.prod(shape) * dtype.itemsize
        if size < self.LEAST:
            return numpy.empty(shape, dtype)
        for block in self._blocks:
            # Referred to by the list, by this loop, and by the call itself; each array in it refers to it as its base.
            if block.nbytes == size + self.ALIGNMENT and sys.getrefcount(block) == 3:
                break
        else:
            block = numpy.empty(size + self.ALIGNMENT, numpy.uint8)
            self._blocks = [block, *self._blocks[:self.MOST - 1]]
        first = -block.ctypes.data % self.ALIGNMENT
        return block[first:first + size].view(dtype).reshape(shape)


def empty(like_torch, code, shape, device=HOST, blocks=None):
    """A new dense tensor and its address, of torch, there on a GPU perhaps, or of numpy, in one of `blocks`."""
    if like_torch:
        torch = _torch()
        if code not in _torch_dtypes:
            raise UnsupportedError(f"an output is of {NAMES[code]}, which torch has no type for")
        tensor = torch.empty(shape, dtype=_torch_dtypes[code],
                             device="cpu" if device == HOST else torch.device("cuda", device))
        return tensor, tensor.data_ptr()
    import numpy
    name = _PYTHON_NAMES[code]
    if name is None:
        raise UnsupportedError(f"an output is of {NAMES[code]}, which numpy has no type for")
    if name.startswith(("bfloat", "float8")):
        try:
            import ml_dtypes
        except ImportError:
            raise UnsupportedError(f"an output is of {NAMES[code]}, which numpy has only with the package ml_dtypes: "
                                   "install it, or pass torch tensors") from None
        dtype = numpy.dtype(getattr(ml_dtypes, name))
    else:
        dtype = numpy.dtype(name)
    array = blocks.empty(shape, dtype) if blocks else numpy.empty(shape, dtype)
    return array, array.ctypes.data


def no_elements(like_torch, size):
    """A tensor of shape [size, 0]."""
    return empty(like_torch, NAMES.index("i1"), (size, 0))[0]


def _has_gpu(device):
    torch = _torch()
    return device != HOST and torch is not None and torch.cuda.is_available()


def to_device(tensor, device):
    """A tensor of torch on that GPU, where the program has torch and torch the GPU; else the tensor itself."""
    return tensor.to(f"cuda:{device}") if is_torch(tensor) and _has_gpu(device) else tensor


def from_bytes(code, shape, content, device=HOST):
    """A new tensor with these elements, zeros for None; of torch if the program uses it, on that GPU where torch has it."""
    if _has_gpu(device):
        if content is not None:
            return to_device(from_bytes(code, shape, content), device)
        return empty(True, code, shape, device)[0].zero_()
    tensor, address = empty(_torch() is not None, code, shape)
    size = math.prod(shape) * (tensor.element_size() if is_torch(tensor) else tensor.itemsize)
    if content is None:
        ctypes.memset(address, 0, size)
    else:
        ctypes.memmove(address, content, size)
    return tensor


def write_into(target, value):
    """target[...] = value, of torch or numpy."""
    if is_torch(target):
        torch = _torch()
        with torch.no_grad():
            target.copy_(value if is_torch(value) else torch.from_numpy(value))
    else:
        target[...] = value.numpy() if is_torch(value) else value


def is_torch(value):
    torch = _torch()
    return torch is not None and isinstance(value, torch.Tensor)


def current_stream(device):
    """The address of torch's current stream on a GPU."""
    return _torch().cuda.current_stream(device).cuda_stream
