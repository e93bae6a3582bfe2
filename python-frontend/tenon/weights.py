"""Weights in memory: handed to the library by name, or written as a safetensors file."""
import ctypes
import os
import tempfile
from pathlib import Path

from tenon.errors import InvalidArgumentError, IoError, UnsupportedError
from tenon.library import NamedTensor, Tensor
from tenon.tensors import TENSOR_SIZE, as_dense, is_torch, place


class NamedWeights:
    """An array of tenon_named_tensor over tensors that this object keeps."""

    def __init__(self, tensors):
        self._kept, self._shapes = [], []
        self.count = len(tensors)
        self.array = (NamedTensor * self.count)()
        for entry, (name, tensor) in zip(self.array, tensors.items()):
            kept, address, code, shape, device = as_dense(tensor, f"weight '{name}'")
            sizes = (ctypes.c_int64 * len(shape))(*shape)
            self._kept.append((kept, name.encode()))
            self._shapes.append(sizes)
            entry.struct_size = ctypes.sizeof(NamedTensor)
            entry.name = self._kept[-1][1]
            entry.tensor = Tensor(TENSOR_SIZE, address, code, len(shape), sizes, None, *place(device))


def write_safetensors(tensors, path):
    """Writes the file whole or not at all."""
    path = Path(path)
    try:
        if all(is_torch(tensor) for tensor in tensors.values()):
            from safetensors.torch import save_file
            tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        else:
            from safetensors.numpy import save_file
    except ImportError:
        raise UnsupportedError("writing weights needs the package safetensors: pip install safetensors") from None
    if not path.parent.is_dir():
        raise InvalidArgumentError(f"{path}: the folder {path.parent} does not exist")
    handle, temporary = tempfile.mkstemp(prefix=path.name + ".", suffix=".part", dir=path.parent)
    os.close(handle)
    try:
        save_file(tensors, temporary)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except Exception as error:
        Path(temporary).unlink(missing_ok=True)
        raise IoError(f"{path}: the weights could not be written: {error}; an old file is kept") from None
