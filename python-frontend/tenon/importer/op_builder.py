"""What op tables build with: `tenon` ops with types worked out, casts, broadcasting, scalars and run-time sizes.

Every method takes and returns values; Python numbers become constants and symbolic sizes become rank-0 tensors computed
from `tenon.dim` of the arguments. `result_dtype` and `result_shape` say what the node being imported has to give.
"""
import math

import torch

from tenon.importer import text_builder
from tenon.importer.data_types import is_float, is_narrow_float, tenon_dtype, torch_dtype
from tenon.importer.not_importable import NotImportable
from tenon.importer.symbolic_sizes import SizeBuilder
from tenon.importer.text_builder import INT64_MAX, INT64_MIN, Value, is_static, plain_size


def broadcast_shapes(*shapes):
    """NumPy's rule; of two equal sizes the one that is known statically."""
    result = []
    for shape in shapes:
        shape = list(shape)
        short = len(shape) - len(result)
        result = [1] * max(short, 0) + result
        for back in range(1, len(shape) + 1):
            mine, theirs = result[-back], shape[-back]
            if mine == 1 or (theirs != 1 and is_static(theirs)):
                result[-back] = theirs if theirs != 1 or mine == 1 else mine
    return tuple(result)


class OpBuilder(text_builder.TextBuilder):
    def __init__(self, entry=None):
        super().__init__(entry)
        self.sizes = SizeBuilder(self)
        self.results = []  # (dtype, shape) of each result of the node being imported
        self._scalars = {}

    # ---- the node being imported ----
    @property
    def result_dtype(self):
        return self.results[0][0]

    @property
    def result_shape(self):
        return self.results[0][1]

    # ---- operands ----
    def scalar(self, value, dtype):
        """A rank-0 tensor of a Python number or a symbolic size."""
        if not isinstance(value, (bool, int, float)):
            return self.cast(self.sizes.scalar(plain_size(value)), dtype)
        key = (repr(value), dtype)
        if key not in self._scalars:
            if dtype.startswith("i") and not isinstance(value, (bool, int)) and not math.isfinite(value):
                raise NotImportable(f"{value} as an element of {dtype}")
            self._scalars[key] = self.constant(text_builder.scalar_text(value, dtype), dtype, ())
            self._scalars[key].nonneg = value >= 0
        return self._scalars[key]

    def operand(self, value, dtype):
        return self.cast(value, dtype) if isinstance(value, Value) else self.scalar(value, dtype)

    def cast(self, value, dtype):
        if value.dtype == dtype:
            return value
        result, = self.op("cast", [value], [(dtype, value.shape)])
        result.nonneg = value.nonneg or value.dtype == "i1"
        return result

    def compute_dtype(self, dtype, *operands):
        """Where to compute a 16-bit result: in f32 if an operand is no element of it, as PyTorch takes scalars and
        rank-0 tensors as they are and rounds once."""
        if not is_narrow_float(dtype):
            return dtype
        for operand in operands:
            if isinstance(operand, Value):
                if operand.rank == 0 and operand.dtype in ("f32", "f64"):
                    return "f32"
            elif isinstance(operand, float) and not text_builder.round_trips(operand, dtype):
                return "f32"
            elif isinstance(operand, int) and not text_builder.round_trips(float(operand), dtype):
                return "f32"
        return dtype

    @staticmethod
    def promoted(*operands):
        """The element type that PyTorch compares or combines these in."""
        def sample(operand):
            if isinstance(operand, Value):
                return torch.empty((1,) * min(operand.rank, 1), dtype=torch_dtype(operand.dtype), device="meta")
            return operand if isinstance(operand, (bool, int, float)) else 1
        result = sample(operands[0])
        dtype = result.dtype if isinstance(result, torch.Tensor) else None
        for operand in operands[1:]:
            other = sample(operand)
            dtype = torch.result_type(result, other)
            rank = max(result.dim() if isinstance(result, torch.Tensor) else 0,
                       other.dim() if isinstance(other, torch.Tensor) else 0)
            result = torch.empty((1,) * rank, dtype=dtype, device="meta")
        return tenon_dtype(dtype)

    # ---- elementwise ----
    def unary(self, mnemonic, x, **attributes):
        return self.op(mnemonic, [x], [(x.dtype, x.shape)], attributes)[0]

    def binary(self, mnemonic, lhs, rhs):
        """Both of one element type."""
        result, = self.op(mnemonic, [lhs, rhs], [(lhs.dtype, broadcast_shapes(lhs.shape, rhs.shape))])
        result.nonneg = mnemonic in ("add", "mul", "max", "floor_div") and lhs.nonneg and rhs.nonneg
        return result

    def arithmetic(self, mnemonic, lhs, rhs, dtype=None):
        """A binary op with PyTorch's rules for mixed operands, result of element type `dtype` or the node's."""
        dtype = dtype or self.result_dtype
        compute = self.compute_dtype(dtype, lhs, rhs)
        return self.cast(self.binary(mnemonic, self.operand(lhs, compute), self.operand(rhs, compute)), dtype)

    def compare(self, predicate, lhs, rhs):
        dtype = self.promoted(lhs, rhs)
        compute = self.compute_dtype(dtype, lhs, rhs)
        if compute == "i1" and predicate not in ("eq", "ne"):
            compute = "i32"
        lhs, rhs = self.operand(lhs, compute), self.operand(rhs, compute)
        shape = broadcast_shapes(lhs.shape, rhs.shape)
        return self.op("compare", [lhs, rhs], [("i1", shape)], {"predicate": f"#tenon.compare<{predicate}>"})[0]

    def truth(self, x):
        """As boolean: not 0."""
        return x if x.dtype == "i1" else self.cast(x, "i1")

    def logical_not(self, x):
        return self.unary("logical_not", self.truth(x))

    def select(self, condition, on_true, on_false, dtype=None):
        dtype = dtype or self.result_dtype
        on_true, on_false = self.operand(on_true, dtype), self.operand(on_false, dtype)
        shape = broadcast_shapes(condition.shape, on_true.shape, on_false.shape)
        result, = self.op("select", [condition, on_true, on_false], [(dtype, shape)])
        result.nonneg = on_true.nonneg and on_false.nonneg
        return result

    # ---- shapes ----
    def _size_operands(self, shape):
        return [self.sizes.scalar(size) for size in shape if not is_static(size)]

    def reshape(self, x, shape):
        shape = tuple(plain_size(size) for size in shape)
        if shape == x.shape:
            return x
        sizes = self._size_operands(shape)
        result, = self.op("reshape", [x] + (sizes if len(sizes) > 1 else []), [(x.dtype, shape)])
        result.nonneg = x.nonneg
        return result

    def unsqueeze(self, x, *axes):
        """Size-1 dimensions at these places of the result."""
        shape = list(x.shape)
        for axis in sorted(axes):
            shape.insert(axis, 1)
        return self.reshape(x, shape)

    def squeeze(self, x, *axes):
        return self.reshape(x, [size for axis, size in enumerate(x.shape) if axis not in axes])

    def transpose(self, x, permutation):
        permutation = [int(axis) % max(x.rank, 1) for axis in permutation]
        if permutation == list(range(x.rank)):
            return x
        result, = self.op("transpose", [x], [(x.dtype, [x.shape[axis] for axis in permutation])],
                          {"permutation": permutation})
        result.nonneg = x.nonneg
        return result

    def swap(self, x, a, b):
        permutation = list(range(x.rank))
        permutation[a], permutation[b] = permutation[b], permutation[a]
        return self.transpose(x, permutation)

    def expand(self, x, shape):
        shape = tuple(plain_size(size) for size in shape)
        if shape == x.shape:
            return x
        missing = len(shape) - x.rank
        own = all(is_static(size) or (axis >= missing and x.shape[axis - missing] == size)
                  for axis, size in enumerate(shape))
        result, = self.op("expand", [x] + ([] if own else self._size_operands(shape)), [(x.dtype, shape)])
        result.nonneg = x.nonneg
        return result

    def slice(self, x, axis, start=0, end=INT64_MAX, step=1, size=None):
        """x[.., start:end:step, ..] by Python's rules; `size` is the result's where it is not simply end - start."""
        starts, ends, steps = [0] * x.rank, [INT64_MAX] * x.rank, [1] * x.rank
        full = x.shape[axis]
        start, end = self._bound(start, full), self._bound(end, full)
        if is_static(end) and is_static(full) and end >= full or end == full:
            end = INT64_MAX
        if size is None:
            size = self._slice_size(full, start, end, step)
        if is_static(start) and start == 0 and end == INT64_MAX and step == 1:
            return x
        operands = [x]
        for bound, entries in ((start, starts), (end, ends)):
            entries[axis] = bound if is_static(bound) else INT64_MIN
            if not is_static(bound):
                operands.append(self.sizes.scalar(bound))
        steps[axis] = step
        shape = list(x.shape)
        shape[axis] = size
        result, = self.op("slice", operands, [(x.dtype, shape)], {"starts": starts, "ends": ends, "steps": steps})
        result.nonneg = x.nonneg
        return result

    @staticmethod
    def _bound(bound, full):
        """A symbolic bound is given at least 0, so one that counts from the end is turned round."""
        bound = plain_size(bound)
        if not is_static(bound) and bound.is_negative:
            return plain_size(bound + full)
        return bound

    @staticmethod
    def _slice_size(full, start, end, step):
        if all(map(is_static, (full, start, end))):
            return len(range(*slice(start, end, step).indices(full)))
        last = full if is_static(end) and end == INT64_MAX else (full + end if is_static(end) and end < 0 else end)
        first = full + start if is_static(start) and start < 0 else start
        if step != 1:
            raise NotImportable("a slice with a step and run-time bounds")
        return plain_size(last - first)

    def concat(self, values, axis):
        if len(values) == 1:
            return values[0]
        shape = list(values[0].shape)
        shape[axis] = plain_size(sum(value.shape[axis] for value in values))
        result, = self.op("concat", values, [(values[0].dtype, shape)], {"axis": axis})
        result.nonneg = all(value.nonneg for value in values)
        return result

    # ---- constants ----
    def full(self, shape, value, dtype):
        """A tensor of one value."""
        shape = tuple(plain_size(size) for size in shape)
        if not isinstance(value, Value) and isinstance(value, (bool, int, float)) and all(map(is_static, shape)):
            if 0 in shape:
                return self.constant("", dtype, shape)
            result = self.constant(text_builder.scalar_text(value, dtype), dtype, shape)
            result.nonneg = value >= 0
            return result
        return self.expand(self.operand(value, dtype), shape)

    def iota(self, size, dtype, shape=None, axis=0, start=0, step=1):
        """start, start + step, ... along `axis` of `shape` (default: a vector of `size`)."""
        shape = tuple(plain_size(s) for s in (shape or [size]))
        result, = self.op("iota", self._size_operands(shape), [(dtype, shape)],
                          {"axis": axis, "start": float(start), "step": float(step)})
        result.nonneg = start >= 0 and step >= 0
        return result

    # ---- rows ----
    def reduce(self, mnemonic, x, axes, keep_dims=False):
        axes = sorted({axis % max(x.rank, 1) for axis in axes})
        if x.rank == 0:
            return x
        shape = [1 if axis in axes else size for axis, size in enumerate(x.shape) if keep_dims or axis not in axes]
        return self.op(mnemonic, [x], [(x.dtype, shape)], {"axes": axes, "keep_dims": bool(keep_dims)})[0]

    def matmul(self, lhs, rhs, transpose_b=False):
        columns = rhs.shape[-2] if transpose_b else rhs.shape[-1]
        shape = broadcast_shapes(lhs.shape[:-2], rhs.shape[:-2]) + (lhs.shape[-2], columns)
        return self.op("matmul", [lhs, rhs], [(lhs.dtype, shape)], {"transpose_b": transpose_b})[0]

    def gather(self, x, indices, axis):
        shape = x.shape[:axis] + indices.shape + x.shape[axis + 1:]
        return self.op("gather", [x, indices], [(x.dtype, shape)], {"axis": axis})[0]

    def index(self, indices, size):
        """Indices made non-negative: PyTorch counts negative ones from the end."""
        if indices.dtype not in ("i64", "i32"):
            indices = self.cast(indices, "i64")
        if indices.nonneg:
            return indices
        wrapped = self.binary("add", indices, self.scalar(size, indices.dtype))
        return self.select(self.compare("lt", indices, 0), wrapped, indices, indices.dtype)

    def wide(self, x):
        """16-bit floats as f32, in which a chain of ops is rounded once at its end."""
        return self.cast(x, "f32") if is_narrow_float(x.dtype) else x

    def floating(self, x):
        """The node's float type for an operand that may be an integer."""
        return x if is_float(x.dtype) else self.cast(x, self.result_dtype)
