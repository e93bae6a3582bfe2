"""Parameters, buffers and constants of an exported program: what becomes a named weight and what stands in the text.

A weight goes by its name in the module's state_dict, so that the checkpoint the module came from also fits the
artefact. Tied weights are one weight under the first name. What is no part of a checkpoint (constants, buffers that are
not persistent) stands in the text where it is small, and becomes a weight under its own name where it is not.
"""
import torch

from tenon.importer.data_types import tenon_dtype
from tenon.importer.not_importable import NotImportable
from tenon.importer.text_builder import dense_bytes_text

LARGEST_CONSTANT_BYTES = 16384


def tensor_bytes(tensor):
    """Little-endian bytes of a tensor, row-major."""
    tensor = tensor.detach().cpu().contiguous()
    return bytes(tensor.reshape(-1).view(torch.uint8).numpy()) if tensor.numel() else b""


class Parameters:
    """Makes values for the non-user inputs of a graph, each when it is first used."""

    def __init__(self, program=None, written=(), entry=None, taken=None):
        """Without a program: only the tensors that the graph itself holds. `written`: buffers that are none of these, as
        the model writes them. `entry`: a name ahead of a weight's, where `taken` has another weight of its name."""
        self._entry, self._taken = entry, taken or {}
        self._state, self._constants = (program.state_dict, program.constants) if program else ({}, {})
        self._targets = {}  # placeholder -> (name, whether it is in checkpoints)
        for spec in program.graph_signature.input_specs if program else ():
            kind = spec.kind.name
            if kind == "PARAMETER":
                self._targets[spec.arg.name] = (spec.target, True)
            elif kind == "BUFFER" and spec.target not in written:
                self._targets[spec.arg.name] = (spec.target, bool(spec.persistent))
            elif kind == "CONSTANT_TENSOR":
                self._targets[spec.arg.name] = (spec.target, False)
        self._keys = {}    # storage -> key: the first name of tied weights
        for name, tensor in self._state.items():
            if tensor.numel():
                self._keys.setdefault(same_elements(tensor), name)
        self._values = {}  # key -> value
        self.used = {}     # key -> tensor

    def owns(self, placeholder):
        return placeholder in self._targets

    def tensor(self, name):
        return self._state[name] if name in self._state else self._constants[name]

    def value(self, builder, placeholder):
        name, kept = self._targets[placeholder]
        return self.tensor_value(builder, name, self.tensor(name), kept)

    def tensor_value(self, builder, name, tensor, kept=False):
        dtype = tenon_dtype(tensor.dtype)
        if dtype is None:
            raise NotImportable(f"'{name}' is of {tensor.dtype}, which the dialect lacks")
        key = self._keys.setdefault(same_elements(tensor), name) if tensor.numel() else name
        if key not in self._values:
            if not kept and tensor.numel() * tensor.element_size() <= LARGEST_CONSTANT_BYTES:
                self._values[key] = _constant(builder, key, tensor, dtype)
            else:
                name = key
                while name in self._taken and not _equal(self._taken[name], tensor):
                    name = f"{self._entry}.{name}"
                self._values[key] = builder.weight(name, dtype, tuple(tensor.shape))
                self.used[name] = tensor.detach()
        return self._values[key]


def same_elements(tensor):
    """Equal for tensors that are the same elements of the same memory."""
    return (tensor.untyped_storage().data_ptr(), tensor.storage_offset(), tuple(tensor.shape), tensor.stride(),
            tensor.dtype)


def _equal(one, other):
    return same_elements(one) == same_elements(other) or (
        one.dtype == other.dtype and one.shape == other.shape and tensor_bytes(one) == tensor_bytes(other))


def _constant(builder, name, tensor, dtype):
    shape = tuple(tensor.shape)
    text = dense_bytes_text(tensor_bytes(tensor), dtype, shape) if tensor.numel() else ""
    value = builder.constant(text, dtype, shape, name)
    if not tensor.is_floating_point():
        value.nonneg = bool((tensor >= 0).all())
    return value
