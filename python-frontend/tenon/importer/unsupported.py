"""All that a model has and the importer lacks, in one error."""
from collections import OrderedDict

from tenon.errors import UnsupportedError
from tenon.importer.source_locations import place_text

PLACES_SHOWN = 4


class Unsupported:
    """Gathers (op, reason) -> nodes."""

    def __init__(self):
        self._found = OrderedDict()

    def add(self, name, reason, node):
        self._found.setdefault((name, reason), []).append(node)

    def __bool__(self):
        return bool(self._found)

    def error(self):
        ops = []
        lines = []
        for (name, reason), nodes in self._found.items():
            places = list(OrderedDict.fromkeys(map(place_text, nodes)))
            ops.append((name, reason, tuple(places)))
            count = "once" if len(nodes) == 1 else f"{len(nodes)} times"
            lines.append(f"  {name}, {count}: {reason}")
            lines += [f"      at {place}" for place in places[:PLACES_SHOWN]]
            if len(places) > PLACES_SHOWN:
                lines.append(f"      and {len(places) - PLACES_SHOWN} more places")
        what = "op" if len(ops) == 1 else "ops"
        head = f"the model has {len(ops)} {what} that Tenon does not import:"
        tail = ("Next: rewrite these places with supported ops, or add an op to the table in tenon/importer/ops_*.py "
                "(docs/guides/python.md).")
        return UnsupportedError("\n".join([head, *lines, tail]), ops)
