"""Builds the text of a module in the `tenon` dialect: values, types, attributes, locations.

An op is kept as a record until the text is asked for, so that a value can still get the name of the graph node that it
turned out to be the result of. A size in a shape is an int, or a sympy expression where it is known only at run time.
"""
import math
import re
import struct

import sympy

INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)  # in tenon.slice: "given by an operand"


class Value:
    """An SSA value. `nonneg`: its elements are known to be at least 0, so they index without a look at their sign."""

    __slots__ = ("name", "dtype", "shape", "nonneg")

    def __init__(self, name, dtype, shape, nonneg=False):
        self.name, self.dtype, self.shape, self.nonneg = name, dtype, tuple(plain_size(s) for s in shape), nonneg

    @property
    def rank(self):
        return len(self.shape)

    @property
    def type(self):
        return type_text(self.dtype, self.shape)

    def __repr__(self):
        return f"%{self.name}: {self.type}"


def plain_size(size):
    """A static size as int, another as sympy expression."""
    if isinstance(size, int):
        return size
    expr = size.node.expr if hasattr(size, "node") else size
    return int(expr) if expr.is_number else expr


def is_static(size):
    return isinstance(size, int)


def type_text(dtype, shape):
    sizes = "".join(f"{size}x" if is_static(size) else "?x" for size in shape)
    return f"tensor<{sizes}{dtype}>"


def quote(text):
    """A string of MLIR."""
    out = ['"']
    for byte in text.encode():
        char = chr(byte)
        out.append(char if 32 <= byte < 127 and char not in '"\\' else f"\\{byte:02X}")
    return "".join(out) + '"'


def float_text(value, dtype):
    """A float literal of the given type; infinities and NaN have hexadecimal spelling only."""
    if math.isfinite(value):
        text = repr(float(value))
        if "e" in text:
            mantissa, exponent = text.split("e")
            return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent}"
        return text
    bits, exponent_bits = {"f64": (64, 11), "f32": (32, 8), "f16": (16, 5), "bf16": (16, 8)}[dtype]
    pattern = ((1 << exponent_bits) - 1) << (bits - 1 - exponent_bits)
    if math.isnan(value):
        pattern |= 1 << (bits - 2 - exponent_bits)
    elif value < 0:
        pattern |= 1 << (bits - 1)
    return f"0x{pattern:0{bits // 4}X}"


def scalar_text(value, dtype):
    """One element of a `dense` attribute."""
    if dtype == "i1":
        return "true" if value else "false"
    if dtype.startswith("i"):
        return str(int(value))
    return float_text(float(value), dtype)


def attribute_text(value):
    """int: i64, float: f64, list of int: array<i64>, True: unit (name only), str: verbatim."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return f"{value} : i64"
    if isinstance(value, float):
        return f"{float_text(value, 'f64')} : f64"
    if isinstance(value, (list, tuple)):
        return f"array<i64: {', '.join(map(str, value))}>" if value else "array<i64>"
    return value


def attributes_text(attributes):
    parts = []
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        text = attribute_text(value)
        parts.append(name if text is None else f"{name} = {text}")
    return f" {{{', '.join(parts)}}}" if parts else ""


class TextBuilder:
    """The body of @main, growing op by op. `entry`: the name of the module, where it is one of a model's entries."""

    def __init__(self, entry=None):
        self._entry = entry
        self._records = []  # (results, text before the types, operands, location) or a ready line
        self._names = set()
        self._locations = {}  # text -> index
        self._location = None
        self._prefix = "v"

    # ---- names and locations ----
    def begin(self, prefix, location):
        """Ops from here on belong to the node `prefix`."""
        self._prefix = re.sub(r"[^A-Za-z0-9_.$-]", "_", prefix) or "v"
        if not re.match(r"[A-Za-z_$.-]", self._prefix):
            self._prefix = "_" + self._prefix
        self._location = location

    def unique(self, name):
        name = re.sub(r"[^A-Za-z0-9_.$-]", "_", name)
        if not re.match(r"[A-Za-z_$-]", name):
            name = "_" + name
        candidate, count = name, 0
        while candidate in self._names:
            count += 1
            candidate = f"{name}_{count}"
        self._names.add(candidate)
        return candidate

    def claim(self, value, name):
        """Gives `value` the name of the node whose result it is."""
        if name not in self._names:
            self._names.add(name)
            value.name = name

    def _location_reference(self):
        if self._location is None:
            return ""
        index = self._locations.setdefault(self._location, len(self._locations) + 1)
        return f" loc(#{self._location_name(index)})"

    def _location_name(self, index):
        return f"{self._entry}_loc{index}" if self._entry else f"loc{index}"

    @property
    def num_ops(self):
        return len(self._records)

    def made_since(self, mark, value):
        """Whether `value` is the result of an op recorded after `num_ops` was `mark`."""
        return any(value in record[0] for record in self._records[mark:])

    # ---- ops ----
    def op(self, mnemonic, operands, results, attributes=None, form=None):
        """Records `tenon.<mnemonic>` and returns its result values; `results` are (dtype, shape) pairs. `form` replaces
        the text between mnemonic and types, a function of the operands' names and the attributes' text."""
        values = [Value(self.unique(f"{self._prefix}.{mnemonic}"), dtype, shape) for dtype, shape in results]
        self._records.append((values, mnemonic, tuple(operands), attributes or {}, form, self._location_reference()))
        return values

    def constant(self, elements, dtype, shape, name=None):
        """tenon.constant; `elements` is the text inside dense<...>."""
        value = Value(self.unique(name or f"{self._prefix}.constant"), dtype, shape)
        self._records.append(([value], None, f"tenon.constant dense<{elements}> : {value.type}",
                              self._location_reference()))
        return value

    def weight(self, key, dtype, shape):
        value = Value(self.unique(key), dtype, shape)
        self._records.append(([value], None, f"tenon.weight {quote(key)} : {value.type}", self._location_reference()))
        return value

    # ---- the module ----
    @staticmethod
    def _line(record):
        values = record[0]
        left = ", ".join(f"%{value.name}" for value in values)
        if record[1] is None:
            return f"    {left} = {record[2]}{record[3]}"
        _, mnemonic, operands, attributes, form, location = record
        names = [f"%{operand.name}" for operand in operands]
        text = form(names) if form else ", ".join(names)
        types = ", ".join(operand.type for operand in operands)
        results = ", ".join(value.type for value in values)
        results = results if len(values) == 1 else f"({results})"
        space = " " if text else ""
        return (f"    {left} = tenon.{mnemonic}{space}{text}{attributes_text(attributes)} : "
                f"({types}) -> {results}{location}")

    def module(self, arguments, results, dim_bounds, metadata):
        """The text of the module, and that of the locations which it names. `arguments`: (value, public name, dimension
        names); `results`: (value, public name)."""
        attributes = []
        if dim_bounds:
            bounds = ", ".join(f"{quote(name)} = array<i64: {low}, {high}>" for name, (low, high) in dim_bounds.items())
            attributes.append(f"tenon.dim_bounds = {{{bounds}}}")
        if metadata:
            attributes.append(f"tenon.metadata = {quote(metadata)}")
        head = "module " + (f"@{quote(self._entry)} " if self._entry else "")
        head += f"attributes {{{', '.join(attributes)}}} {{" if attributes else "{"
        inputs = []
        for value, name, dims in arguments:
            notes = [f"tenon.name = {quote(name)}"]
            if any(dims):
                notes.insert(0, f"tenon.dims = [{', '.join(map(quote, dims))}]")
            inputs.append(f"%{value.name}: {value.type} {{{', '.join(notes)}}}")
        outputs = ", ".join(f"{value.type} {{tenon.name = {quote(name)}}}" for value, name in results)
        lines = [head, f"  func.func @main({', '.join(inputs)}) -> ({outputs}) {{"]
        lines += [self._line(record) for record in self._records]
        names = ", ".join(f"%{value.name}" for value, _ in results)
        types = ", ".join(value.type for value, _ in results)
        lines.append(f"    return {names} : {types}" if results else "    return")
        lines += ["  }", "}"]
        locations = [f"#{self._location_name(index)} = loc({text})\n" for text, index in self._locations.items()]
        return "\n".join(lines) + "\n", "".join(locations)


def dense_bytes_text(data, dtype, shape):
    """The elements of a dense attribute from little-endian bytes."""
    if dtype == "i1":  # hexadecimal i1 is packed by bits, so it is spelled out
        return nest([scalar_text(byte, "i1") for byte in data], shape)
    return f'"0x{data.hex().upper()}"'


def nest(elements, shape):
    if not shape:
        return elements[0]
    if len(shape) == 1:
        return f"[{', '.join(elements)}]"
    step = math.prod(shape[1:])
    return f"[{', '.join(nest(elements[i * step:(i + 1) * step], shape[1:]) for i in range(shape[0]))}]"


def round_trips(value, dtype):
    """Whether a Python number is exactly an element of the given float type."""
    if dtype == "f64" or not math.isfinite(value):
        return True
    try:
        single = struct.unpack("<f", struct.pack("<f", value))[0]
        if dtype == "f16":
            return struct.unpack("<e", struct.pack("<e", value))[0] == value
    except OverflowError:
        return False
    if single != value:
        return False
    return dtype == "f32" or struct.pack("<f", single)[:2] == b"\0\0"


def as_expression(size):
    return size if isinstance(size, sympy.Basic) else sympy.Integer(size)
