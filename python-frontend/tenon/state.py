"""Buffers that a model writes: inputs and outputs of the compiled model that its callers do not see.

A compiled model itself has no state. What the module kept in a buffer (a key/value cache, a counter) goes in with every call
and comes out changed; this keeps it between calls, where the model runs, at one address: what the model only appends to is
written in place. The values at the start are all zero, as those of a cache, or small enough to stand in the artefact's metadata.
"""
import base64
import copy
import math
import threading

from tenon.errors import InvalidArgumentError, UnsupportedError
from tenon.tensors import HOST, NAMES, from_bytes, to_device, write_into

LARGEST_INITIAL_BYTES = 65536  # of a buffer that is not zero at the start


class StateSpec:
    """`output`: index of the model's output that is the new value. `initial`: bytes, None for zeros."""

    def __init__(self, key, dtype, shape, initial, output):
        self.key, self.dtype, self.shape, self.initial, self.output = key, dtype, tuple(shape), initial, output

    @staticmethod
    def of(key, dtype, shape, content, output):
        """`content`: the bytes of the buffer at the time of the export."""
        if not any(content):
            return StateSpec(key, dtype, shape, None, output)
        if len(content) > LARGEST_INITIAL_BYTES:
            raise UnsupportedError(f"the model writes to its buffer '{key}', which holds {len(content)} bytes that are not zero "
                                   f"at the start, more than {LARGEST_INITIAL_BYTES}; pass it in and return it")
        return StateSpec(key, dtype, shape, bytes(content), output)

    def to_json(self):
        return [self.key, self.dtype, list(self.shape),
                None if self.initial is None else base64.b64encode(self.initial).decode(), self.output]

    @staticmethod
    def from_json(value):
        """ValueError and its like where it is none."""
        key, dtype, shape, initial, output = value
        spec = StateSpec(str(key), str(dtype), [int(size) for size in shape],
                         None if initial is None else base64.b64decode(initial, validate=True), int(output))
        bits = {"i1": 8}.get(spec.dtype) or int("".join(char for char in spec.dtype[1:].split("E")[0] if char.isdigit()))
        wrong = (spec.dtype not in NAMES or any(size < 0 for size in spec.shape) or initial is not None
                 and len(spec.initial) != math.prod(spec.shape) * bits // 8)
        if wrong:
            raise ValueError(f"the state '{key}'")
        return spec


class State:
    """The buffers that the entries of one model write, on the GPU `device` or in host memory; one of those with the same
    name. An entry whose buffer is smaller along the first dimension, as a cache for fewer rows, has the first of the larger
    one. Calls that use them take turns."""

    def __init__(self, specs, device=HOST):
        """`specs`: of all entries."""
        self.lock, self._device, self._specs = threading.Lock(), device, {}
        for spec in specs:
            known = self._specs.setdefault(spec.key, spec)
            alike = (known.dtype, known.shape[1:], known.initial) == (spec.dtype, spec.shape[1:], spec.initial)
            if not alike or len(known.shape) != len(spec.shape):
                raise InvalidArgumentError(f"two entries of the model write to a buffer '{spec.key}', and neither is a part of "
                                           f"the other: {known.dtype}{list(known.shape)} and {spec.dtype}{list(spec.shape)}")
            if spec.shape > known.shape:
                self._specs[spec.key] = spec
        self.tensors = {spec.key: self._initial(spec) for spec in self._specs.values()}

    def _initial(self, spec):
        return from_bytes(NAMES.index(spec.dtype), spec.shape, spec.initial, self._device)

    def reset(self):
        """Back to the values at the time of the export, in place: graphs have their addresses."""
        for spec in self._specs.values():
            write_into(self.tensors[spec.key], self._initial(spec))

    def copied(self):
        """The same buffers with these values, in memory of their own."""
        made = copy.copy(self)
        with self.lock:
            made.tensors = {key: self._duplicate(value) for key, value in self.tensors.items()}
        made.lock = threading.Lock()
        return made

    @staticmethod
    def _duplicate(value):
        return value.clone() if hasattr(value, "clone") else value.copy()

    def values(self, specs):
        """Those of an entry, where the model runs: one that was replaced may have come from elsewhere."""
        for spec in specs:
            self.tensors[spec.key] = to_device(self.tensors[spec.key], self._device)
        return [self._part(spec) for spec in specs]

    def _part(self, spec):
        whole = self.tensors[spec.key]
        return whole if spec.shape == self._specs[spec.key].shape else whole[:spec.shape[0]]

    def take(self, specs, outputs, returned):
        """Keeps the new values of an entry's. `returned`: indices of outputs that the caller gets too, and might write: these
        become copies."""
        for spec in specs:
            value = outputs[spec.output]
            if spec.shape == self._specs[spec.key].shape:
                self.tensors[spec.key] = value
            else:
                write_into(self._part(spec), value)  # nothing, where it was written in place
            if spec.output in returned:
                outputs[spec.output] = self._duplicate(value)
