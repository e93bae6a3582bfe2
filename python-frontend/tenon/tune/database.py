"""The database of measured schedules: JSON lines, the first of which names the format, a record a line in the order of the
keys. lib/Schedule/TuningDatabase.cpp reads it. Merging files gives the same bytes in any order: of records with one key the
newest stays."""
import json
from pathlib import Path

from tenon.errors import CorruptError, IoError, UnsupportedError

HEADER = {"tenon-tuning": 1}
KEY = ("op", "shape", "types", "epilogue", "arch", "build")
FIELDS = (*KEY, "schedule", "us", "model_schedule", "model_us", "candidates", "device", "date")
NUMBERS = ("us", "model_us", "candidates")


def key_of(record):
    return tuple(record[name] for name in KEY)


def shape_order(key):
    """Sizes by number, so that 64 comes ahead of 1024."""
    op, shape, *others = key
    return op, [int(size) for size in shape.split("x")], others


def read(path):
    """The records of a file; CorruptError or UnsupportedError that name the line."""
    try:
        lines = Path(path).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise IoError(f"database {path}: {error}") from None
    records, has_header = [], False
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            value = json.loads(line)
        except ValueError:
            raise CorruptError(f"{where}: no JSON: {line[:60]}") from None
        if not has_header:
            if not isinstance(value, dict) or "tenon-tuning" not in value:
                raise CorruptError(f"{where}: expected {json.dumps(HEADER)}, the first line of a database of tenon-tune")
            if value != HEADER:
                raise UnsupportedError(f"{where}: the database has version {value['tenon-tuning']}, this tenon-tune writes "
                                       f"{HEADER['tenon-tuning']}; tune again")
            has_header = True
            continue
        records.append(check_record(value, where))
    if not has_header:
        raise CorruptError(f"{path}: the file is empty; a database begins with {json.dumps(HEADER)}")
    return records


def check_record(value, where):
    if not isinstance(value, dict):
        raise CorruptError(f"{where}: expected a JSON object, the record of a kernel")
    for name in FIELDS:
        kind, said = ((int, float), "a number") if name in NUMBERS else (str, "text")
        if not isinstance(value.get(name), kind):
            raise CorruptError(f"{where}: '{name}' is missing or not {said}")
    return {name: value[name] for name in FIELDS}


def merge(*groups):
    """The records of all groups, in order."""
    newest = {}
    for record in (record for group in groups for record in group):
        other = newest.get(key_of(record))
        if other is None or _rank(other) < _rank(record):
            newest[key_of(record)] = record
    return [newest[key] for key in sorted(newest, key=shape_order)]


def _rank(record):
    """Newest, then what decides between equals in any order."""
    return record["date"], json.dumps(record, sort_keys=True)


def write(path, records):
    path = Path(path)
    text = "".join(json.dumps(line) + "\n" for line in [HEADER, *records])
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text)
    temporary.replace(path)
