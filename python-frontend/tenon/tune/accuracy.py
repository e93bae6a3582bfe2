"""Whether a schedule's results are right, on two kinds of data, as docs/guides/tuning.md says:

N1  small integers, no zeros: sums are exact in any order, so that all schedules agree bit by bit, epilogue included; what is
    nothing but a product is the exact result.
N2  random normal numbers: every element within u |r| + 4 sqrt(K) 2^-24 s of the result r in f64, where u is the unit
    roundoff of the result's type and s the same kernel of the operands' magnitudes. Where a kernel rounds on its way to the
    result, twice the largest difference in the row that those roundings make in f64 is allowed beside it.

    Of 8-bit floats each step of 32 cuts 34 addends at 2^-13 of the largest: a product, or what is summed of the 128 before
    or after it (docs/decisions/0014). 4 times the root of the sum of the squares of these is allowed beside it. The largest
    product squared is no more than the sum Q of the squares of all; the sums of normal data squared are, step by step, 1/4
    to 4/4 and 0 to 3/4 of the block's Q: (1 + 10/4 + 6/4) Q together. Q is the same kernel of the operands' squares.
"""
import math

UNIT = {"bf16": 2.0**-8, "f16": 2.0**-11, "f32": 2.0**-24, "f8E4M3FN": 2.0**-4, "f8E5M2": 2.0**-3}
FLOATS = {"bf16": "bfloat16", "f16": "float16", "f32": "float32", "f64": "float64", "f8E4M3FN": "float8_e4m3fn",
          "f8E5M2": "float8_e5m2"}


def why_not(ios):
    """Why inputs of these types cannot be made up; None where they can."""
    strange = [io.dtype for io in ios if io.dtype not in FLOATS and io.dtype != "i8"]
    return f"it takes {strange[0]}, of which no values are made up" if strange else None


def inputs(torch, ios, kind, device, generator):
    """Tensors of a kind, "integers" or "normal"."""
    made = []
    for io in ios:
        if kind == "integers":
            values = torch.randint(0, 4, io.shape, device=device, generator=generator)
            values = torch.tensor([-2, -1, 1, 2], device=device)[values]
        elif io.dtype == "i8":
            values = torch.randint(-127, 128, io.shape, device=device, generator=generator)
        else:
            values = torch.randn(io.shape, device=device, generator=generator)
        made.append(values.float().to(torch.int8 if io.dtype == "i8" else getattr(torch, FLOATS[io.dtype])))
    return made


def wide(torch, tensors):
    """As the reference takes them."""
    return [value.float().double() if value.is_floating_point() else value for value in tensors]


class Gate:
    """The two kinds of data of a task and what is right for them. `reference`, `rounded`: calls in f64, the second may be
    None; `model`: the call of the schedule that the model chose, which all others agree with."""

    def __init__(self, torch, task, ios, results, device, reference, rounded, model, seed):
        self.torch, self.depth, self.dtypes = torch, task["depth"], [io.dtype for io in results]
        generator = torch.Generator(device=device).manual_seed(seed)
        self.integers, self.normal = (inputs(torch, ios, kind, device, generator) for kind in ("integers", "normal"))
        self.exact = _all(model(*self.integers))
        self.problem = None
        if task["is_product"]:
            for got, right in zip(self.exact, _all(reference(*wide(torch, self.integers)))):
                if not torch.equal(got.double(), right.to(got.dtype).double()):
                    self.problem = "the model's own schedule is not exact on small integers"
        operands = wide(torch, self.normal)
        self.right = _all(reference(*operands))
        magnitudes = _all(reference(*[abs(value) for value in operands]))
        terms = 4 * math.sqrt(self.depth) * 2.0**-24
        self.bounds = [UNIT.get(dtype, 0) * right.abs() + terms * size.abs()
                       for dtype, right, size in zip(self.dtypes, self.right, magnitudes)]
        if all(name.startswith("f8") for name in task["types"].split("->")[0].split("*")):
            squares = _all(reference(*[value * value for value in operands]))
            for bound, square in zip(self.bounds, squares):
                bound += 4 * 2.0**-13 * (34 * 5 * square.abs()).sqrt()
        if rounded:
            for bound, right, other in zip(self.bounds, self.right, _all(rounded(*operands))):
                difference = (right - other).abs()
                bound += 2 * (difference.amax(-1, keepdim=True) if difference.dim() else difference)
        self.problem = self.problem or self.check(model, "the model's own schedule")

    def check(self, call, name="it"):
        """What is wrong with a schedule's results; None if they are right."""
        torch = self.torch
        for got, exact in zip(_all(call(*self.integers)), self.exact):
            if not torch.equal(got, exact):
                return f"{name} differs from the model's schedule on small integers: {int((got != exact).sum())} elements"
        for got, right, bound in zip(_all(call(*self.normal)), self.right, self.bounds):
            wrong = ~((got.double() - right).abs() <= bound)
            if wrong.any():
                return f"{name} is out of its bound in {int(wrong.sum())} elements on normal data"
        return None


def _all(value):
    return list(value) if isinstance(value, (tuple, list)) else [value]
