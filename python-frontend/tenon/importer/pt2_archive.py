"""Reads a .pt2 file, what torch.export.save writes, without running anything from it.

torch.export.load trusts its file: it unpickles sample inputs and odd weights, evaluates sizes as Python, looks operators
up by any dotted name and imports modules that a structure names. Here the archive is opened by hand: pickles are never
read, tensors are views of the mapped file whose extents are checked, and the graph's JSON goes to torch's deserializer
only after every operator, expression and structure in it was found to be of a kind that names no code (pt2_vetting.py).
"""
import json
import math
import mmap
import zipfile
from dataclasses import dataclass

from tenon.errors import CorruptError, InvalidArgumentError, IoError, TenonError, UnsupportedError
from tenon.importer.pt2_vetting import vetted

MAX_ENTRIES = 1_000_000
_LOCAL_HEADER_BYTES = 30


def read_program(path):
    """The torch.export.ExportedProgram in a file. CorruptError for what breaks the format, UnsupportedError for what
    would have to be unpickled or is of another version."""
    try:
        import tenon.ops  # noqa: F401 (torch knows an operator once it is defined)
        import torch  # noqa: F401
    except ImportError:
        import sys
        raise InvalidArgumentError(f"{path}: reading an exported program needs PyTorch, which {sys.executable} lacks: "
                                   "pip install torch, or set TENON_PYTHON to a Python that has it") from None
    try:
        with open(path, "rb") as file:
            if not zipfile.is_zipfile(file):
                raise InvalidArgumentError(f"{path}: not an exported program: what torch.export.save writes is a zip")
            return _program(_Archive(file, path))
    except OSError as error:
        raise IoError(f"{path}: {error.strerror or error}") from None
    except TenonError:
        raise
    except RecursionError:
        raise CorruptError(f"{path}: its graph is nested too deeply") from None
    except MemoryError:
        raise CorruptError(f"{path}: it asks for more memory than there is") from None
    except Exception as error:  # whatever torch's deserializer says of a graph that does not fit together
        first = (str(error).strip().splitlines() or [""])[0][:300]
        raise CorruptError(f"{path}: not an exported program that this version of torch reads: "
                           f"{type(error).__name__}: {first}; write it anew with torch.export.save") from None


class _Archive:
    """The entries of the zip, which torch stores uncompressed under one folder, as parts of the mapped file."""

    def __init__(self, file, path):
        self.path = path
        file.seek(0)
        self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        try:
            entries = zipfile.ZipFile(file).infolist()
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise CorruptError(f"{path}: a broken zip: {error}") from None
        if len(entries) > MAX_ENTRIES:
            raise CorruptError(f"{path}: {len(entries)} entries, more than a model has")
        self._entries = {}
        for entry in entries:
            name = entry.filename.partition("/")[2]
            if name in self._entries:
                raise CorruptError(f"{path}: two entries are named '{entry.filename}'")
            self._entries[name] = entry

    def __contains__(self, name):
        return name in self._entries

    def names(self, folder):
        return sorted(name for name in self._entries if name.startswith(folder))

    def extent(self, name):
        """(offset, bytes) of an entry in the file."""
        entry = self._entries.get(name)
        if entry is None:
            raise CorruptError(f"{self.path}: no '{name}' in it")
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size or entry.flag_bits & 1:
            raise CorruptError(f"{self.path}: '{name}' is compressed or encrypted, which torch.export.save never does")
        header = self._map[entry.header_offset:entry.header_offset + _LOCAL_HEADER_BYTES]
        if len(header) < _LOCAL_HEADER_BYTES or header[:4] != b"PK\3\4":
            raise CorruptError(f"{self.path}: '{name}' has no header where the directory says")
        begin = (entry.header_offset + _LOCAL_HEADER_BYTES + int.from_bytes(header[26:28], "little")
                 + int.from_bytes(header[28:30], "little"))
        if begin + entry.file_size > len(self._map):
            raise CorruptError(f"{self.path}: '{name}' reaches beyond the end of the file; it was cut short")
        return begin, entry.file_size

    def text(self, name):
        begin, size = self.extent(name)
        try:
            return self._map[begin:begin + size].decode("utf-8")
        except UnicodeDecodeError:
            raise CorruptError(f"{self.path}: '{name}' is no text") from None

    def json(self, name):
        try:
            return json.loads(self.text(name))
        except ValueError as error:
            raise CorruptError(f"{self.path}: '{name}' is no JSON: {error}") from None

    @property
    def map(self):
        return self._map


def _program(archive):
    from torch._export.serde import schema
    from torch._export.serde.serialize import ExportedProgramDeserializer, _dict_to_dataclass
    _expect_text(archive, "archive_format", "pt2")
    _expect_text(archive, "byteorder", "little")
    models = archive.names("models/")
    if models != ["models/model.json"]:
        raise UnsupportedError(f"{archive.path}: it holds {', '.join(models) or 'no model'}; expected one exported program, "
                               "models/model.json")
    graph = vetted(archive.json(models[0]), archive.path)
    state = _tensors(archive, "weights")
    constants = _tensors(archive, "constants")
    return ExportedProgramDeserializer().deserialize(_dict_to_dataclass(schema.ExportedProgram, graph), state, constants,
                                                     ((), {}))


def _expect_text(archive, name, expected):
    found = archive.text(name) if name in archive else "nothing"
    if found != expected:
        raise UnsupportedError(f"{archive.path}: its {name} is '{found[:40]}', expected '{expected}': write it with "
                               "torch.export.save of torch 2.8 or newer")


# ---- tensors ----
@dataclass
class _Meta:
    dtype: object
    sizes: list
    strides: list
    offset: int

    @property
    def elements(self):
        """Elements from the start of the storage to the last that the tensor reaches."""
        if 0 in self.sizes:
            return 0
        return self.offset + 1 + sum((size - 1) * stride for size, stride in zip(self.sizes, self.strides))


def _tensors(archive, kind):
    import torch
    config = archive.json(f"data/{kind}/model_{kind}_config.json")
    entries = config.get("config") if isinstance(config, dict) else None
    if not isinstance(entries, dict):
        raise CorruptError(f"{archive.path}: the list of {kind} has no 'config'")
    result, storages = {}, {}
    for name, entry in entries.items():
        if not isinstance(entry, dict) or not isinstance(entry.get("path_name"), str):
            raise CorruptError(f"{archive.path}: '{name}' among the {kind} has no path_name")
        if entry.get("use_pickle") is not False or not isinstance(entry.get("tensor_meta"), dict):
            raise UnsupportedError(f"{archive.path}: '{name}' among the {kind} is a pickle, which is never read: a tensor "
                                   "subclass or an object; make it a plain tensor before the export")
        meta = _meta(archive, name, entry["tensor_meta"])
        storage = storages.get((entry["path_name"], meta.dtype))
        if storage is None:
            storage = _storage(archive, f"data/{kind}/{entry['path_name']}", meta.dtype)
            storages[entry["path_name"], meta.dtype] = storage
        if meta.elements > storage.numel():
            raise CorruptError(f"{archive.path}: '{name}' of shape {meta.sizes} needs {meta.elements} elements, its entry "
                               f"'{entry['path_name']}' has {storage.numel()}")
        tensor = storage.as_strided(meta.sizes, meta.strides, meta.offset) if meta.elements else torch.empty(
            meta.sizes, dtype=meta.dtype)
        result[name] = torch.nn.Parameter(tensor, requires_grad=False) if entry.get("is_param") else tensor
    return result


def _meta(archive, name, value):
    from torch._export.serde.serialize import _SERIALIZE_TO_TORCH_DTYPE
    sizes, strides = ([_integer(entry) for entry in value.get(key) or []] for key in ("sizes", "strides"))
    offset, dtype = _integer(value.get("storage_offset")), _SERIALIZE_TO_TORCH_DTYPE.get(value.get("dtype"))
    device = value.get("device") or {}
    fits = (dtype is not None and offset is not None and len(sizes) == len(strides) and None not in sizes + strides
            and math.prod(sizes) < 2**62)
    if not fits:
        raise CorruptError(f"{archive.path}: '{name}' has a shape, strides or an element type that no tensor has")
    if device.get("type") != "cpu":
        raise UnsupportedError(f"{archive.path}: '{name}' is on {device.get('type')}: export the module on the CPU")
    return _Meta(dtype, sizes, strides, offset)


def _integer(value):
    """A size or offset as the schema has it, {"as_int": n}; None for anything else."""
    number = value.get("as_int") if isinstance(value, dict) else None
    good = isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 2**48
    return number if good else None


def _storage(archive, entry, dtype):
    import torch
    begin, size = archive.extent(entry)
    if size % dtype.itemsize:
        raise CorruptError(f"{archive.path}: '{entry}' of {size} bytes holds no whole number of {dtype}")
    if size == 0:
        return torch.empty(0, dtype=dtype)
    if begin % dtype.itemsize:  # torch aligns entries to 64 bytes; other zip writers do not
        return torch.frombuffer(bytearray(archive.map[begin:begin + size]), dtype=dtype)
    return torch.frombuffer(archive.map, dtype=dtype, count=size // dtype.itemsize, offset=begin)
