"""Random valid graphs in the dialect: several ops deep, values used more than once, several results, weights shared between
ops, static and dynamic sizes, all float types. tenon-run compiles each and compares every element with the float64
reference, within the bounds that follow from the graph's arithmetic.

usage: python -m random_graphs [COUNT [SEED]]        500 graphs, seed 1; 20000 takes half an hour on two cores

Graphs go to tenon-run some at a time, as one module; when one is wrong, each is run alone, and the text of those that
are wrong is printed, to be kept as a test.
"""
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sympy

import tenon.importer.graph  # noqa: F401 (fills OPS)
from tenon.importer.op_builder import OpBuilder, broadcast_shapes
from tenon.importer.op_table import OPS
from tenon.importer.text_builder import Value, is_static

RUN = Path(__file__).resolve().parents[2] / "build/bin/tenon-run"
TOGETHER = 10  # graphs in a module: starting a process costs as much as compiling one
SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33]
DYNAMIC_SIZES = [1, 2, 5, 8, 17, 33]
DATA = ["normal", "integers", "positive"]
N = sympy.Symbol("n", positive=True, integer=True)
GREATEST = 30.0  # above it a value goes through tanh, as what overflows in f16 is rounding's choice


class Graph:
    """Grows one graph in `builder`. `pool`: values and a rough bound on their elements."""

    def __init__(self, builder, chooser, name):
        self.builder, self.chooser, self.name = builder, chooser, name
        self.arguments, self.pool, self.weights = [], [], {}
        self.dtype = chooser.choice(["f32", "f32", "f32", "bf16", "f16", "f64"])
        self.dynamic = chooser.random() < 0.4
        for _ in range(chooser.randint(1, 3)):
            self.argument(self.shape())

    def shape(self):
        rank = self.chooser.randint(1, 4)
        shape = [self.chooser.choice(SIZES if rank < 4 else SIZES[:8]) for _ in range(rank)]
        if self.dynamic and rank > 1 and self.chooser.random() < 0.7:
            shape[0] = N
        return tuple(shape)

    # ---- values ----
    def argument(self, shape):
        value = Value(self.builder.unique(f"{self.name}x{len(self.arguments)}"), self.dtype, shape)
        self.arguments.append(value)
        for axis, size in enumerate(shape):
            if not is_static(size):
                self.builder.sizes.dims.setdefault(size, (value, axis))
        self.pool.append((value, 4.0))
        return value

    def weight(self, shape):
        """One that another op has already, half of the time."""
        made = self.weights.setdefault(shape, [])
        if made and self.chooser.random() < 0.5:
            return self.chooser.choice(made)
        name = self.builder.unique(f"{self.name}w{sum(map(len, self.weights.values()))}")
        made.append(self.builder.weight(name, self.dtype, shape))
        return made[-1]

    def pick(self, fits=lambda value: True):
        """(value, bound) of the pool, the newer more often; None if none fits."""
        fitting = [entry for entry in self.pool if fits(entry[0])]
        if not fitting:
            return None
        return fitting[max(self.chooser.randrange(len(fitting)) for _ in range(2))]

    def add(self, value, bound):
        if bound > GREATEST:
            value, bound = self.builder.unary("tanh", value), 1.0
        self.pool.append((value, bound))

    def table(self, op, shape, *operands, **options):
        """An op by the importer's table, one result of this shape."""
        self.builder.results = [(self.dtype, tuple(shape))]
        return OPS[f"aten.{op}"](self.builder, *operands, **options)

    # ---- ops ----
    def step(self):
        kind = self.chooser.choice(OPERATIONS)
        getattr(self, kind)()

    def unary(self):
        value, bound = self.pick()
        name = self.chooser.choice(["relu", "silu", "tanh", "gelu", "sigmoid", "square", "abs", "neg"])
        self.add(self.builder.unary(name, value), bound * bound if name == "square" else bound)

    def binary(self):
        value, bound = self.pick()
        partner = self.pick(lambda other: _broadcasts(value.shape, other.shape))
        other, more = partner
        name = self.chooser.choice(["add", "sub", "mul", "max", "min"])
        self.add(self.builder.binary(name, value, other), bound * more if name == "mul" else bound + more)

    def broadcast(self):
        """With a vector, or with a reduced form of the value itself."""
        value, bound = self.pick()
        if self.chooser.random() < 0.5 and is_static(value.shape[-1]):
            self.add(self.builder.binary("add", value, self.weight(value.shape[-1:])), bound + 4)
        else:
            axis = self.chooser.randrange(value.rank)
            mean = self.builder.reduce("reduce_mean", value, [axis], True)
            self.add(self.builder.binary("sub", value, mean), 2 * bound)

    def scale(self):
        value, bound = self.pick()
        self.add(self.builder.arithmetic("mul", value, self.chooser.choice([0.5, -1.5, 2.0]), self.dtype), 2 * bound)

    def linear(self):
        value, bound = self.pick(lambda value: is_static(value.shape[-1]))
        size, out = value.shape[-1], self.chooser.choice(SIZES)
        bias = [self.weight((out,))] if self.chooser.random() < 0.6 else []
        result, = self.builder.op("linear", [value, self.weight((out, size)), *bias], [(self.dtype, value.shape[:-1] + (out,))])
        self.add(result, bound * 4 * size + 4)

    def matmul(self):
        picked = self.pick(lambda value: value.rank >= 2)
        if picked is None:
            return
        (left, bound), transposed = picked, self.chooser.random() < 0.5
        rows = [entry for entry in self.pool if entry[0].rank == left.rank and entry[0].shape[:-2] == left.shape[:-2]
                and entry[0].shape[-1 if transposed else -2] == left.shape[-1]]
        if not rows:
            return
        right, more = self.chooser.choice(rows)
        self.add(self.builder.matmul(left, right, transposed), bound * more * 33)

    def softmax(self):
        value, _ = self.pick()
        axis = self.chooser.randrange(value.rank)
        self.add(self.builder.op("softmax", [value], [(value.dtype, value.shape)], {"axis": axis})[0], 1.0)

    def norm(self):
        value, _ = self.pick(lambda value: is_static(value.shape[-1]))
        size = value.shape[-1]
        weight = self.weight((size,))
        if self.chooser.random() < 0.5:
            result = self.table("layer_norm.default", value.shape, value, [size], weight, self.weight((size,)), 1e-2)
        else:
            result = self.table("rms_norm.default", value.shape, value, [size], weight, 1e-2)
        self.add(result, 20.0)

    def reduction(self):
        value, bound = self.pick(lambda value: value.rank > 1) or (None, 0)
        if value is None:
            return
        axes = self.chooser.sample(range(value.rank), self.chooser.randint(1, value.rank - 1))
        name = self.chooser.choice(["reduce_sum", "reduce_mean", "reduce_max", "reduce_min"])
        self.add(self.builder.reduce(name, value, axes, self.chooser.random() < 0.5), bound * (33 if "sum" in name else 1))

    def transpose(self):
        value, bound = self.pick()
        self.add(self.builder.transpose(value, self.chooser.sample(range(value.rank), value.rank)), bound)

    def reshape(self):
        value, bound = self.pick(lambda value: value.rank > 1) or (None, 0)
        if value is None:
            return
        axis = self.chooser.randrange(value.rank - 1)
        merged = value.shape[axis] * value.shape[axis + 1]
        self.add(self.builder.reshape(value, value.shape[:axis] + (merged,) + value.shape[axis + 2:]), bound)

    def split(self):
        value, bound = self.pick(lambda value: value.rank < 4 and any(is_static(size) and size % 2 == 0
                                                                      for size in value.shape)) or (None, 0)
        if value is None:
            return
        axis = next(axis for axis, size in enumerate(value.shape) if is_static(size) and size % 2 == 0)
        shape = value.shape[:axis] + (2, value.shape[axis] // 2) + value.shape[axis + 1:]
        self.add(self.builder.reshape(value, shape), bound)

    def slice(self):
        value, bound = self.pick(lambda value: any(is_static(size) and size > 2 for size in value.shape)) or (None, 0)
        if value is None:
            return
        axis = self.chooser.choice([axis for axis, size in enumerate(value.shape) if is_static(size) and size > 2])
        start, step = self.chooser.randint(0, 1), self.chooser.choice([1, 1, 2])
        self.add(self.builder.slice(value, axis, start, value.shape[axis] - 1, step), bound)

    def concat(self):
        value, bound = self.pick()
        axis = self.chooser.randrange(value.rank)
        others = [entry for entry in self.pool if entry[0].rank == value.rank
                  and all(a == axis or mine == theirs for a, (mine, theirs) in enumerate(zip(value.shape, entry[0].shape)))]
        if not is_static(value.shape[axis]):
            return
        other, more = self.chooser.choice(others)
        if not is_static(other.shape[axis]):
            return
        self.add(self.builder.concat([value, other], axis), max(bound, more))

    def choose(self):
        value, bound = self.pick()
        other, more = self.pick(lambda other: _broadcasts(value.shape, other.shape))
        predicate = self.chooser.choice(["lt", "ge", "gt", "le"])
        self.add(self.builder.select(self.builder.compare(predicate, value, other), value, other, self.dtype), max(bound, more))

    def scan(self):
        value, bound = self.pick()
        axis = self.chooser.randrange(value.rank)
        if is_static(value.shape[axis]):
            self.add(self.table("cumsum.default", value.shape, value, axis), bound * 33)

    def attention(self):
        value, _ = self.pick(lambda value: value.rank == 4 and all(map(is_static, value.shape[1:]))) or (None, 0)
        if value is None:
            return
        key = self.builder.unary("tanh", value)
        causal = self.chooser.random() < 0.5
        result = self.table("scaled_dot_product_attention.default", value.shape, self.builder.unary("tanh", value), key, value,
                            is_causal=causal)
        self.add(result, GREATEST)

    def results(self):
        """What nothing uses, and sometimes something that is used."""
        used = {operand for record in self.builder._records if record[1] for operand in record[2]}
        made = [value for value, _ in self.pool if value not in self.arguments]
        ends, inner = [value for value in made if value not in used], [value for value in made if value in used]
        if inner and self.chooser.random() < 0.3:
            ends.append(self.chooser.choice(inner))
        return ends


OPERATIONS = ["unary", "unary", "binary", "binary", "broadcast", "scale", "linear", "linear", "matmul", "softmax", "norm",
              "reduction", "reduction", "transpose", "reshape", "split", "slice", "concat", "choose", "scan", "attention"]


def _broadcasts(shape, other):
    """Whether the two have a common shape for sure."""
    if any(not is_static(size) for size in shape + other):
        return shape == other
    pairs = list(zip(reversed(shape), reversed(other)))
    return all(a == b or 1 in (a, b) for a, b in pairs) and broadcast_shapes(shape, other) is not None


def text_of(seeds):
    """A module of one graph a seed."""
    builder, arguments, results = OpBuilder(), [], []
    for seed in seeds:
        chooser = random.Random(seed)
        graph = Graph(builder, chooser, f"g{seed}")
        builder.sizes._made.clear()  # sizes of this graph's own arguments
        for _ in range(chooser.randint(3, 12)):
            graph.step()
        ends = graph.results() or [builder.unary("neg", graph.arguments[0])]
        arguments += [(value, value.name, ["n" if size == N else "" for size in value.shape]) for value in graph.arguments]
        results += [(value, f"g{seed}y{index}") for index, value in enumerate(ends)]
    dynamic = any("n" in dims for _, _, dims in arguments)
    return "".join(builder.module(arguments, results, {"n": (1, 64)} if dynamic else {}, None))


def check(seeds):
    """None, or what tenon-run says against the graphs of these seeds."""
    text, chooser = text_of(seeds), random.Random(seeds[0])
    arguments = ["--check", "--weights=random", f"--random={chooser.choice(DATA)}", f"--seed={seeds[0]}"]
    if '"n" = ' in text:
        arguments.append(f"--dim=n={chooser.choice(DYNAMIC_SIZES)}")
    done = subprocess.run([RUN, "-", *arguments], input=text, capture_output=True, text=True, timeout=600)
    return None if done.returncode == 0 else f"tenon-run - {' '.join(arguments)}\n{(done.stdout + done.stderr)[-1500:]}"


def run(count, seed, say=print):
    """Checks graphs seed * 10^6, seed * 10^6 + 1, ...; returns how many are wrong."""
    seeds = range(seed * 1000000, seed * 1000000 + count)
    modules = [seeds[begin:begin + TOGETHER] for begin in range(0, count, TOGETHER)]
    wrong = 0
    with ThreadPoolExecutor(2) as pool:
        for module, said in zip(modules, pool.map(check, modules)):
            if said is None:
                continue
            alone = [(each, text) for each in module if (text := check([each]))]
            wrong += max(len(alone), 1)
            for each, text in alone or [(module[0], said)]:
                say(f"graph {each}: {text}\n{text_of([each] if alone else module)}")
    say(f"{count} graphs of seed {seed}: {wrong} wrong")
    return wrong


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    sys.exit(1 if run(*(numbers + [500, 1][len(numbers):])) else 0)
