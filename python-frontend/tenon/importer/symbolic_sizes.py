"""Sizes known only at run time: what dimension each symbol of an exported program is, and expressions over them as ops.

A symbolic size of a node is an expression over symbols, each the size of some dimension of some argument. Whatever the
graph computed on the way to it (sym_size, add, floordiv) is not imported: the expression on the node says it all.
"""
import sympy

from tenon.importer.not_importable import NotImportable
from tenon.importer.text_builder import is_static, plain_size

GREATEST_SIZE = 2**31 - 1  # what the compiler takes a dimension without an upper bound to be bounded by


class Symbols:
    """Names and bounds of the dynamic dimensions of a graph's inputs."""

    def __init__(self, fake_tensors, range_of, dim_names=None, compound=False):
        """`fake_tensors`: input name -> tensor with symbolic shape. `range_of`: size -> its ValueRanges or None.
        `dim_names`: (input name, axis) -> name. `compound`: sizes such as 2*s0 are dimensions of their own."""
        self.names, self.bounds, self._sources = {}, {}, {}
        given = _names_from_export(fake_tensors)
        for name, tensor in fake_tensors.items():
            for axis, size in enumerate(tensor.shape):
                size = plain_size(size)
                if is_static(size):
                    continue
                if not isinstance(size, sympy.Symbol) and not compound:
                    raise ValueError(f"input '{name}' has size {size} in dimension {axis}: a size that depends on "
                                     f"another is not supported; give the dimension a torch.export.Dim of its own")
                self._sources.setdefault(size, (name, axis))
                wanted = (dim_names or {}).get((name, axis))
                if wanted:
                    self.names[size] = wanted
        taken = set(self.names.values())
        for symbol, (name, axis) in self._sources.items():
            if symbol not in self.names:
                candidate = given.get(symbol) or f"{name}_{axis}"
                while candidate in taken:
                    candidate += "_"
                taken.add(candidate)
                self.names[symbol] = candidate
            self.bounds[symbol] = size_range(range_of(symbol))

    def dim_bounds(self):
        return {self.names[symbol]: self.bounds[symbol] for symbol in sorted(self.names, key=self.names.get)}

    def source(self, symbol):
        """(input name, axis) whose size the symbol is; KeyError for a size that depends on data."""
        return self._sources[symbol]


def size_range(bounds):
    """(low, high) of a size from ValueRanges, or None where nothing is known."""
    low, high = 0, GREATEST_SIZE
    if bounds is not None:
        if bounds.lower.is_number and bounds.lower.is_finite:
            low = max(int(bounds.lower), 0)
        if bounds.upper.is_number and bounds.upper.is_finite and "oo" not in str(bounds.upper):
            high = min(int(bounds.upper), GREATEST_SIZE)
    return low, high


def _names_from_export(fake_tensors):
    """The names of torch.export.Dim: they live in the shape environment of the export, which a saved program lacks."""
    names = {}
    for tensor in fake_tensors.values():
        mode = getattr(tensor, "fake_mode", None)
        environment = getattr(mode, "shape_env", None)
        debug_names = getattr(environment, "source_name_to_debug_name", {})
        for symbol, sources in getattr(environment, "var_to_sources", {}).items():
            for source in sources:
                text = source.name() if callable(source.name) else source.name
                if text in debug_names:
                    names.setdefault(symbol, debug_names[text])
    return names


class SizeBuilder:
    """Emits rank-0 i64 tensors that hold sizes, each once."""

    def __init__(self, builder):
        self._builder, self._made = builder, {}
        self.dims = {}       # size -> (argument value, axis)
        self.read = {}       # symbol -> the i64 tensor of rank 0 whose element it is: data, which no shape may depend on
        self.on_demand = {}  # size -> function that makes such an argument, asked when the size is first used

    def scalar(self, size):
        if size not in self._made:
            self._made[size] = self._make(size)
            self._made[size].nonneg = True
        return self._made[size]

    def _make(self, size):
        builder = self._builder
        if is_static(size):
            return builder.constant(str(size), "i64", ())
        if size not in self.dims and size in self.on_demand:
            self.dims[size] = self.on_demand[size]()
        if size in self.dims:
            value, axis = self.dims[size]
            return builder.op("dim", [value], [("i64", ())], {"axis": axis})[0]
        if isinstance(size, sympy.Symbol):
            raise NotImportable(f"the size {size} depends on data, so no shape can be known before the run")
        kind = type(size).__name__
        if kind in ("Add", "Mul", "Max", "Min"):
            # sympy's order of arguments is its own; the constant goes last to read well.
            arguments = sorted(size.args, key=lambda argument: bool(argument.is_number))
            result = self._operand(arguments[0])
            for argument in arguments[1:]:
                result = self._binary(kind.lower(), result, self._operand(argument))
            return result
        if kind in ("FloorDiv", "CleanDiv"):
            return self._binary("floor_div", *map(self._operand, size.args))
        if kind in ("Mod", "PythonMod"):
            left, right = map(self._operand, size.args)
            whole = self._binary("mul", self._binary("floor_div", left, right), right)
            return self._binary("sub", left, whole)
        if kind == "ModularIndexing":
            base, divisor, modulus = map(plain_size, size.args)
            from torch.utils._sympy.functions import FloorDiv, PythonMod
            return self._operand(PythonMod(FloorDiv(base, divisor), modulus))
        if kind in ("Pow", "PowByNatural") and size.args[1].is_Integer and size.args[1] > 0:
            base = result = self._operand(size.args[0])
            for _ in range(int(size.args[1]) - 1):
                result = self._binary("mul", result, base)
            return result
        raise NotImportable(f"the size {size}, of kind {kind}")

    def _operand(self, size):
        size = plain_size(size)
        if is_static(size) and size < 0:
            return self._builder.constant(str(size), "i64", ())
        return self.scalar(size)

    def _binary(self, mnemonic, lhs, rhs):
        return self._builder.op(mnemonic, [lhs, rhs], [("i64", ())])[0]
