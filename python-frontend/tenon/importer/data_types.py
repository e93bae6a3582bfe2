"""Element types: PyTorch's, and their names in the dialect."""
import torch

_NAMES = {
    torch.float64: "f64",
    torch.float32: "f32",
    torch.float16: "f16",
    torch.bfloat16: "bf16",
    torch.float8_e4m3fn: "f8E4M3FN",
    torch.float8_e5m2: "f8E5M2",
    torch.int64: "i64",
    torch.int32: "i32",
    torch.int8: "i8",
    torch.bool: "i1",
}
_DTYPES = {name: dtype for dtype, name in _NAMES.items()}


def tenon_dtype(dtype):
    """None where the dialect has no such type."""
    return _NAMES.get(dtype)


def torch_dtype(name):
    return _DTYPES[name]


def is_float(name):
    return "f" in name


def is_narrow_float(name):
    """16-bit floats, which Tenon and PyTorch compute in f32."""
    return name in ("f16", "bf16")
