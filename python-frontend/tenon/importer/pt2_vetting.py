"""What the JSON of an exported program may name: operators of torch's own tables, sizes made of integers and symbols,
structures of plain containers. Everything else that torch's deserializer would look up, import or evaluate is refused."""
import ast
import json
import re

from tenon.errors import CorruptError, UnsupportedError

# "torch.ops.aten.add.Tensor"; namespaces of torch's own libraries of operators, and of tenon.ops.
_OPERATOR = re.compile(r"torch\.ops\.(aten|prims|prim|higher_order|tenon)\.[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)?")
_FUNCTION = re.compile(r"_operator\.(getitem|add|sub|mul|floordiv|truediv|mod|pow|neg|pos|eq|ne|lt|le|gt|ge|and_|or_|not_"
                       r"|lshift|rshift|abs|index|is_|is_not)|math\.(ceil|floor|trunc|sqrt)"
                       r"|torch\.(sym_\w+|_sym_sqrt|_check\w*)")

# Calls in a size, as sympy's srepr writes it, with torch's own functions.
_CALLS = {"Symbol", "Integer", "Rational", "Float", "Add", "Mul", "Pow", "Max", "Min", "floor", "ceiling", "Abs", "Not", "And",
          "Or", "Equality", "Unequality", "StrictLessThan", "LessThan", "StrictGreaterThan", "GreaterThan", "Eq", "Ne", "Lt",
          "Le", "Gt", "Ge", "FloorDiv", "ModularIndexing", "Where", "PythonMod", "Mod", "CleanDiv", "CeilToInt", "FloorToInt",
          "CeilDiv", "LShift", "RShift", "PowByNatural", "FloatPow", "FloatTrueDiv", "IntTrueDiv",
          "IsNonOverlappingAndDenseIndicator", "TruncToFloat", "TruncToInt", "RoundToInt", "RoundDecimal", "ToFloat", "Identity"}
_ASSUMPTIONS = {"positive", "integer", "nonnegative", "negative", "nonzero", "real", "zero", "precision"}
_SYMBOL = re.compile(r"[a-z]+\d*|-?\d{1,18}(\.\d{1,20})?(e[+-]?\d{1,3})?")
_GREATEST_EXPONENT = 64
_LONGEST_EXPRESSION, _DEEPEST = 65536, 256

_CONTAINERS = {"builtins.tuple", "builtins.list", "builtins.dict", "collections.OrderedDict", "collections.namedtuple",
               "torch.fx.immutable_collections.immutable_list", "torch.fx.immutable_collections.immutable_dict"}


def vetted(program, path):
    """The JSON of a program, fit for torch's deserializer."""
    if not isinstance(program, dict) or not isinstance(program.get("graph_module"), dict):
        raise CorruptError(f"{path}: its model.json holds no graph")
    program["guards_code"] = []  # Python source, which a call through torch would compile
    _Vetting(path).value(program, 0)
    return program


class _Vetting:
    def __init__(self, path):
        self._path = path

    def value(self, value, depth):
        if depth > _DEEPEST:
            raise CorruptError(f"{self._path}: its graph is nested too deeply")
        if isinstance(value, list):
            for item in value:
                self.value(item, depth + 1)
        elif isinstance(value, dict):
            for key, item in value.items():
                self._member(value, key, item)
                self.value(item, depth + 1)

    def _member(self, holder, key, item):
        if key in ("target", "as_operator") and isinstance(item, str) and ("inputs" in holder or key == "as_operator"):
            if not (_OPERATOR.fullmatch(item) or _FUNCTION.fullmatch(item)):
                raise UnsupportedError(f"{self._path}: the graph calls '{item[:100]}', which is no operator of torch's own or of "
                                       "tenon.ops; other custom operators are not imported")
        elif key in ("expr_str", "sym_expr"):
            _check_expression(item, self._path)
        elif key in ("in_spec", "out_spec") and isinstance(item, str):
            holder[key] = json.dumps(_structure(self._json(item), self._path, 0))
        elif key in ("as_custom_obj", "custom_obj_values") and item:
            raise UnsupportedError(f"{self._path}: the graph holds an object that is no tensor")

    def _json(self, text):
        try:
            return json.loads(text)
        except ValueError:
            raise CorruptError(f"{self._path}: a structure of inputs or outputs is no JSON") from None


def _check_expression(text, path):
    bad = CorruptError(f"{path}: the size '{str(text)[:100]}' is no expression over sizes")
    if not isinstance(text, str) or len(text) > _LONGEST_EXPRESSION:
        raise bad
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, MemoryError):
        raise bad from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            named = isinstance(node.func, ast.Name) and node.func.id in _CALLS
            power = named and "Pow" in node.func.id
            if not named or power and not _small(node.args[-1] if node.args else None):
                raise bad
        elif isinstance(node, ast.Constant):
            good = (isinstance(node.value, (bool, float)) or isinstance(node.value, int) and abs(node.value) < 2**63
                    or isinstance(node.value, str) and _SYMBOL.fullmatch(node.value))
            if not good:
                raise bad
        elif isinstance(node, ast.keyword):
            if node.arg not in _ASSUMPTIONS or not isinstance(node.value, ast.Constant):
                raise bad
        elif isinstance(node, ast.Name):
            if node.id not in _CALLS and not re.fullmatch(r"[a-z]+\d+", node.id):
                raise bad
        elif not isinstance(node, (ast.Expression, ast.UnaryOp, ast.USub, ast.UAdd, ast.Load)):
            raise bad


def _small(node):
    """Whether an exponent is a small number: a great one takes for ever to work out."""
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    if isinstance(node, ast.Call) and node.args:
        return all(isinstance(each, ast.Constant) and isinstance(each.value, int) and abs(each.value) <= _GREATEST_EXPONENT
                   for each in node.args)
    return isinstance(node, ast.Constant) and isinstance(node.value, int) and abs(node.value) <= _GREATEST_EXPONENT


def _structure(spec, path, depth):
    """A pytree's JSON. A class that this process does not know (a ModelOutput whose module is not imported) becomes a
    dictionary of its fields."""
    if isinstance(spec, list) and depth == 0 and len(spec) == 2:
        return [spec[0], _structure(spec[1], path, 1)]
    if depth > _DEEPEST or not isinstance(spec, dict) or not isinstance(spec.get("children_spec"), list):
        raise CorruptError(f"{path}: a structure of inputs or outputs is broken")
    kind, context = spec.get("type"), spec.get("context")
    children = [_structure(child, path, depth + 1) for child in spec["children_spec"]]
    if kind is None or kind in _CONTAINERS:
        if "__enum__" in str(context):
            raise UnsupportedError(f"{path}: keys of a dictionary among inputs or outputs are an enum's; use strings")
        return {"type": kind, "context": context, "children_spec": children}
    keys = _fields(context)
    if keys is None or len(keys) != len(children):
        raise UnsupportedError(f"{path}: a {str(kind)[:100]} among the module's inputs or outputs: use tuples, lists, dicts, "
                               "named tuples or dataclasses of tensors")
    return {"type": "builtins.dict", "context": json.dumps(keys), "children_spec": children}


def _fields(context):
    """The names in the context of a dataclass: a list of strings, alone or first in a list."""
    try:
        value = json.loads(context) if isinstance(context, str) else context
    except ValueError:
        return None
    if isinstance(value, list) and value and isinstance(value[0], list):
        value = value[0]
    good = isinstance(value, list) and all(isinstance(key, str) for key in value)
    return value if good else None
