"""The nested structure of a module's inputs and outputs: tuples, lists, dicts, dataclasses around tensors.

A compiled model takes and gives flat lists of tensors. What they were in Python is kept with the artefact as JSON
(`tenon.metadata` of the module, "metadata" in manifest.json), so that a loaded artefact is called like the module was.
No code is named in it that would run: a class is found again only among the modules that the program has imported.
"""
import json
import operator
import sys

from tenon.errors import CorruptError, InvalidArgumentError, UnsupportedError
from tenon.state import StateSpec
from tenon.tensors import is_torch, no_elements

MAX_DEPTH = 64


class Record(dict):
    """Stands for a dataclass or ModelOutput whose class is not imported: fields by key and by attribute."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Structure:
    """kind: "leaf", "tuple", "list", "dict", "namedtuple", "record", "object". Of the last four, `keys` are the fields; of
    the last three, `class_name` is where the class lives. An object is what torch takes apart and puts together by
    functions registered for its class (a key/value cache of transformers); `context` is what they need beside the
    children."""

    __slots__ = ("kind", "children", "keys", "class_name", "context", "_class")

    def __init__(self, kind, children=(), keys=(), class_name=None, cls=None, context=None):
        self.kind, self.children, self.keys, self.class_name = kind, tuple(children), tuple(keys), class_name
        self.context, self._class = context, cls

    @property
    def num_leaves(self):
        return 1 if self.kind == "leaf" else sum(child.num_leaves for child in self.children)

    # ---- JSON ----
    def to_json(self):
        if self.kind == "leaf":
            return "*"
        result = {"kind": self.kind, "children": [child.to_json() for child in self.children]}
        if self.keys:
            result["keys"] = list(self.keys)
        if self.class_name:
            result["class"] = self.class_name
        if self.kind == "object":
            result["context"] = self.context
        return result

    @staticmethod
    def from_json(value, depth=0):
        if value == "*":
            return LEAF
        good = (isinstance(value, dict) and depth < MAX_DEPTH and value.get("kind") in _KINDS
                and isinstance(value.get("children"), list) and isinstance(value.get("keys", []), list)
                and all(isinstance(key, (str, int)) for key in value.get("keys", [])))
        sequence = good and value["kind"] in ("tuple", "list")
        if not good or (not sequence and len(value.get("keys", [])) != len(value["children"])):
            raise CorruptError("the artefact's metadata describes no structure of inputs and outputs: compile it anew")
        children = [Structure.from_json(child, depth + 1) for child in value["children"]]
        name = value.get("class")
        return Structure(value["kind"], children, value.get("keys", []), name if isinstance(name, str) else None,
                         context=value.get("context"))

    # ---- values ----
    def flatten(self, value, path, into):
        """Appends the leaves of `value` to `into`; an error names the place."""
        if self.kind == "leaf":
            into.append(value)
            return
        if self.kind in ("tuple", "list", "namedtuple"):
            if not isinstance(value, (tuple, list)) or len(value) != len(self.children):
                raise InvalidArgumentError(f"{path} is {_describe(value)}, expected a {self.kind} of "
                                           f"{len(self.children)}")
            for index, (child, item) in enumerate(zip(self.children, value)):
                child.flatten(item, f"{path}[{index}]", into)
            return
        if self.kind == "object" and _class_name(type(value)) == self.class_name and _registered(type(value)):
            items, context = _registered(type(value)).flatten_fn(value)
            if _as_json(context) != self.context or len(items) != len(self.children):
                raise InvalidArgumentError(f"{path} is {_describe(value)} made up as {_as_json(context)}, expected "
                                           f"{self.context}: export the model again for this one")
            value = dict(zip(self.keys, items))
        for key, child in zip(self.keys, self.children):
            try:
                item = value[key] if isinstance(value, dict) else getattr(value, str(key))
            except (KeyError, AttributeError):
                raise InvalidArgumentError(f"{path} is {_describe(value)}, expected fields {list(self.keys)}") from None
            child.flatten(item, f"{path}[{key!r}]", into)
        if isinstance(value, dict) and len(value) != len(self.keys):
            extra = [key for key in value if key not in self.keys]
            raise InvalidArgumentError(f"{path} has fields {extra} beyond the expected {list(self.keys)}")

    def unflatten(self, leaves):
        """`leaves`: an iterator over as many values as there are leaves."""
        if self.kind == "leaf":
            return next(leaves)
        items = [child.unflatten(leaves) for child in self.children]
        if self.kind == "tuple":
            return tuple(items)
        if self.kind == "list":
            return items
        if self.kind == "dict":
            return dict(zip(self.keys, items))
        cls = self._class or self._find_class()
        if cls is None:
            return Record(zip(self.keys, items))
        if self.kind == "object":
            return _registered(cls).unflatten_fn(items, self.context)
        return cls(*items) if self.kind == "namedtuple" else cls(**dict(zip(self.keys, items)))

    def _find_class(self):
        module, _, name = (self.class_name or "").partition(":")
        found = sys.modules.get(module)
        for part in name.split(".") if found else ():
            found = getattr(found, part, None)
        fits = isinstance(found, type) and (self.kind == "namedtuple" and issubclass(found, tuple)
                                            or self.kind == "record" and hasattr(found, "__dataclass_fields__")
                                            or self.kind == "object" and _registered(found))
        self._class = found if fits else None
        return self._class

    def names(self, prefix=""):
        """A readable name for each leaf: its path."""
        if self.kind == "leaf":
            return [prefix]
        keys = self.keys or range(len(self.children))
        return [name for key, child in zip(keys, self.children)
                for name in child.names(f"{prefix}_{key}" if prefix else str(key))]


LEAF = Structure("leaf")
_KINDS = ("tuple", "list", "dict", "namedtuple", "record", "object")


def _registered(cls):
    """How torch takes instances of a class apart and puts them together; None without torch, or if it does not."""
    pytree = sys.modules.get("torch.utils._pytree")
    return pytree.SUPPORTED_NODES.get(cls) if pytree else None


def _as_json(context):
    """What a file gives back of it, or None."""
    try:
        return json.loads(json.dumps(context))
    except (TypeError, ValueError):
        return None


def _describe(value):
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"


def structure_of(spec):
    """From a pytree spec of torch.export."""
    if spec.is_leaf():
        return LEAF
    kind, context = spec.type, spec.context
    children = [structure_of(child) for child in spec.children()]
    if kind in (tuple, list):
        return Structure(kind.__name__, children)
    if getattr(kind, "__name__", "") in ("dict", "OrderedDict", "immutable_dict"):
        return Structure("dict", children, context)
    if getattr(kind, "__name__", "") == "namedtuple":
        return Structure("namedtuple", children, context._fields, _class_name(context), context)
    if isinstance(kind, type) and issubclass(kind, tuple):  # torch.return_types.max and its like
        return Structure("tuple", children)
    if getattr(kind, "__name__", "") == "immutable_list":
        return Structure("list", children)
    if hasattr(kind, "__dataclass_fields__"):
        keys = context[0] if context and isinstance(context[0], (list, tuple)) else context
        if len(keys) == len(children):
            return Structure("record", children, keys, _class_name(kind), kind)
    if _registered(kind) and _as_json(context) is not None:
        keys = context[0] if isinstance(context, (list, tuple)) and context and isinstance(context[0], list) else context
        if isinstance(keys, list) and len(keys) == len(children) and all(isinstance(key, str) for key in keys):
            return Structure("object", children, keys, _class_name(kind), kind, _as_json(context))
    raise UnsupportedError(f"a {getattr(kind, '__name__', kind)} among the module's inputs or outputs: use tuples, "
                           "lists, dicts, named tuples or dataclasses of tensors")


def _class_name(cls):
    return f"{cls.__module__}:{cls.__qualname__}"


def _integer(value, name, low, high):
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or not low <= number <= high:
        got = f"a {type(value).__name__}" if number is None else number
        raise InvalidArgumentError(f"argument '{name}' is {got}, expected an integer from {low} to {high}")
    return number


def _is_number_spec(what):
    return (isinstance(what, list) and len(what) == 3 and isinstance(what[0], str)
            and all(isinstance(bound, int) for bound in what[1:]))


class Signature:
    """How a model is called: parameters in order, the tensors they hold, and what becomes of the outputs.

    `parameters`: (name, structure); the first `num_positional` may be given by position, all by name. `inputs`: for
    each leaf of the parameters, ("tensor", name), ("constant", value), or ("number", [name, low, high]) for an integer in
    this range, which the model gets as the first size of an empty tensor. `outputs`: for each leaf of `output`,
    ("tensor", index of the model's output) or ("constant", value). `states`: buffers that the model writes, StateSpec,
    which are its last inputs. `writes`: arguments that it writes, (index among its inputs, index of its output)."""

    def __init__(self, parameters, num_positional, inputs, output, outputs, states=(), writes=()):
        self.parameters, self.num_positional = list(parameters), num_positional
        self.inputs, self.output, self.outputs = list(inputs), output, list(outputs)
        self.states, self.writes = list(states), list(writes)
        self._flat = all(structure is LEAF for _, structure in self.parameters) and all(
            kind == "tensor" for kind, _ in self.inputs)
        self._places = {name: place for place, (name, _) in enumerate(self.parameters)}

    @staticmethod
    def build(inputs, argument_names, leaves, output, outputs, states=(), writes=()):
        """From the parts of an exported program; `inputs` is ((positional...), {keyword...})."""
        positional, keywords = inputs.children
        structures = list(positional.children) + list(keywords.children)
        names = list(argument_names) if len(argument_names) == len(structures) else []
        if not names:
            names = [f"arg{index}" for index in range(len(positional.children))] + [str(key) for key in keywords.keys]
        return Signature(zip(names, structures), len(positional.children), leaves, output, outputs, states, writes)

    @staticmethod
    def plain(input_names, num_outputs):
        """Of an artefact that says nothing: tensors by position or name; one output alone, or a tuple of all."""
        output = LEAF if num_outputs == 1 else Structure("tuple", [LEAF] * num_outputs)
        return Signature([(name, LEAF) for name in input_names], len(input_names),
                         [("tensor", name) for name in input_names], output,
                         [("tensor", index) for index in range(num_outputs)])

    @property
    def output_names(self):
        """A name for each of the model's outputs: the path of the first leaf that it is."""
        names, taken = {}, set()
        for (kind, index), name in zip(self.outputs, self.output.names()):
            if kind == "tensor" and index not in names:
                name = name or "output"
                name = f"output_{name}" if name.isdigit() else name
                while name in taken:
                    name += "_"
                taken.add(name)
                names[index] = name
        written = {spec.output: f"{spec.key}_written" for spec in self.states}
        given = [what if kind == "tensor" else what[0] for kind, what in self.inputs if kind != "constant"]
        written |= {output: f"{given[index]}_written" for index, output in self.writes}
        for index, name in written.items():
            names.setdefault(index, name)
        return [names[index] for index in range(len(names))]

    @property
    def returned(self):
        """Indices of the model's outputs that the caller gets."""
        return {what for kind, what in self.outputs if kind == "tensor"}

    # ---- calling ----
    def bind(self, args, kwargs):
        """The tensors of a call, in order."""
        if self._flat and not kwargs and len(args) == len(self.parameters) == self.num_positional:
            return args
        if len(args) > self.num_positional:
            raise InvalidArgumentError(f"got {len(args)} arguments by position, expected at most "
                                       f"{self.num_positional}: {self.text()}")
        given = list(args) + [None] * (len(self.parameters) - len(args))
        have = [True] * len(args) + [False] * (len(self.parameters) - len(args))
        for name, value in kwargs.items():
            place = self._places.get(name)
            if place is None:
                raise InvalidArgumentError(f"there is no parameter '{name}': {self.text()}")
            if have[place]:
                raise InvalidArgumentError(f"parameter '{name}' is given twice")
            given[place], have[place] = value, True
        leaves = []
        for (name, structure), value, present in zip(self.parameters, given, have):
            if not present:
                start = len(leaves)
                kinds = self.inputs[start:start + structure.num_leaves]
                if any(kind != "constant" for kind, _ in kinds):
                    raise InvalidArgumentError(f"parameter '{name}' is missing: {self.text()}")
                leaves += [constant for _, constant in kinds]
                continue
            structure.flatten(value, name, leaves)
        tensors = []
        of_torch = any(is_torch(value) for (kind, _), value in zip(self.inputs, leaves) if kind == "tensor")
        for (kind, expected), value in zip(self.inputs, leaves):
            if kind == "tensor":
                tensors.append(value)
            elif kind == "number":
                tensors.append(no_elements(of_torch, _integer(value, *expected)))
            elif value is not expected and value != expected:
                raise InvalidArgumentError(f"an argument is {value!r}, but the model was exported with {expected!r} "
                                           "there; export it again for other values")
        return tensors

    def result(self, outputs):
        if self.output is LEAF and self.outputs[0][0] == "tensor":
            return outputs[self.outputs[0][1]]
        leaves = (outputs[what] if kind == "tensor" else what for kind, what in self.outputs)
        return self.output.unflatten(leaves)

    def text(self):
        names = [name for name, _ in self.parameters]
        if self.num_positional < len(names):
            names.insert(self.num_positional, "*")
        return f"the model takes ({', '.join(names)})"

    # ---- JSON ----
    def to_json(self):
        value = {"parameters": [[name, structure.to_json()] for name, structure in self.parameters],
                 "positional": self.num_positional, "inputs": self.inputs,
                 "output": self.output.to_json(), "outputs": self.outputs}
        if self.states:
            value["states"] = [spec.to_json() for spec in self.states]
        if self.writes:
            value["writes"] = self.writes
        return json.dumps({"tenon.signature": value}, separators=(",", ":"))

    @staticmethod
    def from_json(text, num_inputs, num_outputs):
        """None if the text holds no signature; CorruptError if it does not fit the artefact."""
        try:
            value = json.loads(text).get("tenon.signature") if text else None
            if value is None:
                return None
            parameters = [(str(name), Structure.from_json(structure)) for name, structure in value["parameters"]]
            inputs = [(str(kind), what) for kind, what in value["inputs"]]
            outputs = [(str(kind), what) for kind, what in value["outputs"]]
            states = [StateSpec.from_json(spec) for spec in value.get("states", [])]
            writes = [(int(index), int(output)) for index, output in value.get("writes", [])]
            signature = Signature(parameters, int(value["positional"]), inputs, Structure.from_json(value["output"]),
                                  outputs, states, writes)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise CorruptError("the artefact's metadata is not a signature: compile it anew") from None
        used = [what for kind, what in outputs if kind == "tensor"]
        used += [spec.output for spec in states] + [output for _, output in writes]
        fits = (sum(kind != "constant" for kind, _ in inputs) + len(states) == num_inputs
                and all(kind in ("tensor", "constant") or kind == "number" and _is_number_spec(what) for kind, what in inputs)
                and all(0 <= index < num_inputs for index, _ in writes)
                and len(inputs) == sum(structure.num_leaves for _, structure in parameters)
                and len(outputs) == signature.output.num_leaves
                and all(isinstance(index, int) and 0 <= index < num_outputs for index in used)
                and 0 <= signature.num_positional <= len(parameters))
        if not fits:
            raise CorruptError(f"the artefact's metadata speaks of other inputs and outputs than its {num_inputs} and "
                               f"{num_outputs}: compile it anew")
        return signature
