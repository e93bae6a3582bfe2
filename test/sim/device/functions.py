"""Elementary functions: libdevice's, and the host's that stand for them, within the errors that are stated of the GPU's."""

import numpy as np

from kernel import Kernel
from memory import doubles
from products import data, seed_of
from scalars import binary, special_doubles, within_ulps_of_doubles
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


def close(relative, absolute=0.0):
    """|simulated - device| <= relative * |simulated| + absolute, of f32; an infinity may be what overflows there."""

    def differ(simulated, device):
        a, b = (words.view(np.float32).astype(np.float64) for words in (simulated, device))
        with np.errstate(invalid="ignore"):
            far = ~(np.abs(a - b) <= relative * np.abs(a) + absolute) & (a != b)
        return np.where(np.isnan(a) | np.isnan(b), np.isnan(a) != np.isnan(b), far)

    return differ


def approximations():
    """What `afn` allows: libdevice's short forms around the approximate instructions, within what the CUDA programming
    guide states of them, where it does: sines within [-pi, pi], logarithms within [0.5, 2]."""
    # The operand's size by `scale`; of an absolute value where a logarithm is taken.
    forms = {"exp": (1, 2.0**-20, 0), "exp2": (1, 2.0**-21, 0), "log": (1, 2.0**-20, 2.0**-20), "log2": (1, 2.0**-20, 2.0**-20),
             "log10": (1, 2.0**-20, 2.0**-20), "sin": (1, 0, 2.0**-21), "cos": (1, 0, 2.0**-21), "tan": (0.25, 2.0**-18, 2.0**-20),
             "tanh": (1, 2.0**-10, 0)}
    for name, (scale, relative, absolute) in forms.items():
        kernel = Kernel(128)
        for number in range(4):
            value = kernel.load("%x", kernel.mine(number), "f32")
            if name.startswith("log"):
                value = kernel.op(f"math.absf {value} : f32")
            elif scale != 1:
                value = kernel.op(f"arith.mulf {value}, {kernel.const(scale, 'f32')} : f32")
            kernel.store(kernel.op(f"math.{name} {value} fastmath<afn> : f32"), "%y", kernel.mine(number), "f32")
        x = data("f32", 512, "normal" if name != "tanh" else "wide", "afn", name)
        yield kernel.case(f"math.{name}.afn", x, 512, close(relative, absolute))
    kernel = Kernel(128)
    a, b = (kernel.load("%x", kernel.mine(number), "f32") for number in (0, 1))
    a = kernel.op(f"math.absf {a} : f32")
    kernel.store(kernel.op(f"math.powf {a}, {b} fastmath<afn> : f32"), "%y", kernel.t, "f32")
    yield kernel.case("math.powf.afn", data("f32", 256, "normal", "afn", "powf"), 128, close(2.0**-18))


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
