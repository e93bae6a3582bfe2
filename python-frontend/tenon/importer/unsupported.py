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

    @property
    def nodes(self):
        return {node for nodes in self._found.values() for node in nodes}

    def ops(self):
        """[(op, reason, count, places)], places in the model's order, each once."""
        return [(name, reason, len(nodes), tuple(OrderedDict.fromkeys(map(place_text, nodes))))
                for (name, reason), nodes in self._found.items()]

    def error(self, who="the model"):
        found = self.ops()
        what = "op" if len(found) == 1 else "ops"
        head = f"{who} has {len(found)} {what} that Tenon does not import:"
        tail = ("Next: rewrite these places with supported ops, or add an op to the table in tenon/importer/ops_*.py "
                "(docs/guides/python.md).")
        ops = [(name, reason, places) for name, reason, _, places in found]
        return UnsupportedError("\n".join([head, *lines_of(found), tail]), ops)


def lines_of(ops, every_place=False):
    """What Unsupported.ops() lists, as lines of text."""
    lines = []
    for name, reason, count, places in ops:
        lines.append(f"  {name}, {'once' if count == 1 else f'{count} times'}: {reason}")
        shown = places if every_place else places[:PLACES_SHOWN]
        lines += [f"      at {place}" for place in shown]
        if len(places) > len(shown):
            lines.append(f"      and {len(places) - len(shown)} more places")
    return lines
