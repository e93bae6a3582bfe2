"""Elementary functions: libdevice's, and the host's that stand for them, within the errors that are stated of the GPU's."""

import numpy as np

from kernel import Kernel
from memory import doubles, special_doubles
from products import data, seed_of
from scalars import binary, within_ulps_of_doubles
from warps import within_ulps


def functions():
    """libdevice, and the host's: each within the error that the CUDA programming guide states, and one unit more."""
    ulps = {"exp": 2, "exp2": 2, "expm1": 1, "log": 1, "log2": 1, "log10": 2, "log1p": 1, "rsqrt": 2, "cbrt": 1, "sin": 2,
            "cos": 2, "tan": 4, "asin": 2, "acos": 2, "atan": 2, "sinh": 3, "cosh": 2, "tanh": 2, "asinh": 3, "acosh": 4,
            "atanh": 3, "erf": 2, "erfc": 4}
    for name, most in ulps.items():
        for kind in ["normal", "special"]:
            kernel = Kernel(128)
            for number in range(2):
                value = kernel.load("%x", kernel.mine(number), "f32")
                kernel.store(kernel.op(f"math.{name} {value} : f32"), "%y", kernel.mine(number), "f32")
            yield kernel.case(f"math.{name}.{kind}", data("f32", 256, kind, "math", name), 256, within_ulps(most + 1))
    for name, most in [("math.powf", 4), ("math.atan2", 3), ("arith.remf", 0)]:
        for kind in ["normal", "special"]:
            kernel = Kernel(128)
            a, b = (kernel.load("%x", kernel.mine(number), "f32") for number in (0, 1))
            kernel.store(binary(kernel, name, "f32", a, b), "%y", kernel.t, "f32")
            yield kernel.case(f"{name}.{kind}", data("f32", 256, kind, "math", name), 128, within_ulps(most + bool(most)))


def functions_of_doubles():
    """libdevice in f64: within the error that the CUDA programming guide states, and one unit more."""
    ulps = {"exp": 1, "exp2": 1, "expm1": 1, "log": 1, "log2": 1, "log10": 1, "log1p": 1, "rsqrt": 1, "cbrt": 1, "sin": 2, "cos": 2,
            "tan": 2, "asin": 2, "acos": 2, "atan": 2, "sinh": 2, "cosh": 1, "tanh": 1, "asinh": 3, "acosh": 3, "atanh": 2,
            "erf": 2, "erfc": 5}
    binary_ulps = {"math.powf": 2, "math.atan2": 2, "arith.remf": 0}
    for name, most in [*[(f"math.{name}", most) for name, most in ulps.items()], *binary_ulps.items()]:
        for kind in ["normal", "special"]:
            kernel = Kernel(128)
            a, b = (kernel.op(f"llvm.load {kernel.at('%x', kernel.mine(number), 1, 'f64')} : !llvm.ptr<1> -> f64")
                    for number in (0, 1))
            if name in binary_ulps:
                results = [binary(kernel, name, "f64", a, b)]
            else:
                results = [kernel.op(f"{name} {value} : f64") for value in (a, b)]
            for number, value in enumerate(results):
                kernel.do(f"llvm.store {value}, {kernel.at('%y', kernel.mine(number), 1, 'f64')} : f64, !llvm.ptr<1>")
            x = doubles(256) if kind == "normal" else special_doubles(256, seed_of("math", name, "f64"))
            bound = within_ulps_of_doubles(most + bool(most))
            yield kernel.case(f"{name}.f64.{kind}", x, 256 * len(results), bound)


def ulp(value):
    return np.spacing(np.abs(value).astype(np.float32)).astype(np.float64)


def within_error(error, *operands):
    """|simulated - device| <= error(*operands, simulated) and one unit in the last place, of f32 that are numbers."""
    operands = [words.view(np.float32).astype(np.float64) for words in operands]

    def differ(simulated, device):
        a, b = (words.view(np.float32).astype(np.float64) for words in (simulated, device))
        return ~(np.abs(a - b) <= error(*operands, a) + ulp(a))

    return differ


def error_of_sin(x):
    """__sinf: the guide's within [-pi, pi], the PTX manual's of sin.approx up to 2 pi."""
    return np.where(np.abs(x) <= np.pi, 2.0**-21.41, 2.0**-20.5)


def error_of_cos(x):
    return np.where(np.abs(x) <= np.pi, 2.0**-21.19, 2.0**-20.5)


def error_of_log(near, far):
    """__logf and the like: absolute near 1, else in units in the last place."""
    return lambda x, y: np.where((np.abs(x) >= 0.5) & (np.abs(x) <= 2), near, far * ulp(y))


def approximations():
    """What `afn` allows: libdevice's short forms around the approximate instructions, within what the CUDA programming
    guide states of them, or of what they are made of."""
    log2 = error_of_log(2.0**-22, 2)
    errors = {
        "exp": lambda x, y: (2 + np.floor(np.abs(1.173 * x))) * ulp(y),
        "exp2": lambda x, y: 2 * ulp(y),
        "log": error_of_log(2.0**-21.41, 3),
        "log2": log2,
        "log10": error_of_log(2.0**-24, 3),
        "sin": lambda x, y: error_of_sin(x),
        "cos": lambda x, y: error_of_cos(x),
        # a quotient, of 2 ulp
        "tan": lambda x, y: (error_of_sin(x / 4) + np.abs(y) * error_of_cos(x / 4)) / np.cos(x / 4) + 2 * ulp(y),
        "tanh": lambda x, y: 2.0**-11 * np.abs(y),
    }
    for name, error in errors.items():
        kernel = Kernel(128)
        for number in range(4):
            value = kernel.load("%x", kernel.mine(number), "f32")
            if name.startswith("log"):
                value = kernel.op(f"math.absf {value} : f32")
            elif name == "tan":
                value = kernel.op(f"arith.mulf {value}, {kernel.const(0.25, 'f32')} : f32")
            kernel.store(kernel.op(f"math.{name} {value} fastmath<afn> : f32"), "%y", kernel.mine(number), "f32")
        x = data("f32", 512, "normal" if name != "tanh" else "wide", "afn", name)
        yield kernel.case(f"math.{name}.afn", x, 512, within_error(error, x))

    def error_of_power(x, exponent, y):
        """Of exp2(exponent * log2(x)): what the logarithm and the product lack, as a factor; then 2 ulp."""
        product = exponent * np.log2(np.abs(x))
        lack = np.abs(exponent) * log2(x, np.log2(np.abs(x))) + ulp(product) / 2
        return np.abs(y) * (2**lack - 1) + 2 * ulp(y)

    kernel = Kernel(128)
    a, b = (kernel.load("%x", kernel.mine(number), "f32") for number in (0, 1))
    a = kernel.op(f"math.absf {a} : f32")
    kernel.store(kernel.op(f"math.powf {a}, {b} fastmath<afn> : f32"), "%y", kernel.t, "f32")
    x = data("f32", 256, "normal", "afn", "powf")
    yield kernel.case("math.powf.afn", x, 128, within_error(error_of_power, x[:128], x[128:]))


def short_functions():
    """Functions of f16 and bf16, by f32: as exact as the type, so that they differ by a unit where f32's do."""
    for type in ["f16", "bf16"]:
        def differ(simulated, device):
            def ordered(words):
                words = (words & 0xFFFF).astype(np.int64)
                return np.where(words >> 15, 0x8000 - words, words)

            return np.abs(ordered(simulated) - ordered(device)) > 1

        kernel = Kernel(128)
        word = kernel.op(f"arith.trunci {kernel.load('%x', kernel.t)} : i32 to i16")
        value = kernel.op(f"llvm.bitcast {word} : i16 to {type}")
        for number, name in enumerate(["exp", "sin", "tanh", "erf", "cbrt"]):
            result = kernel.op(f"llvm.bitcast {kernel.op(f'math.{name} {value} : {type}')} : {type} to i16")
            kernel.store(kernel.op(f"arith.extui {result} : i16 to i32"), "%y", kernel.mine(number))
        yield kernel.case(f"math.{type}", data(type, 256, "normal", "math"), 640, differ)


def cases():
    for family in (functions, functions_of_doubles, approximations, short_functions):
        yield from family()
