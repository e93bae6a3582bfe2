"""What the host does alike: arithmetic and conversions bit by bit, libdevice within its stated errors."""

import numpy as np

from kernel import Kernel
from memory import doubles
from products import data
from warps import within_ulps


def binary(kernel, name, type, a, b, suffix=""):
    return kernel.op(f"{name} {a}, {b}{suffix} : {type}")


def floats():
    """Of f32, and of f16 and bf16, which are widened first where a GPU has no instruction."""
    names = ["arith.addf", "arith.subf", "arith.mulf", "arith.divf", "arith.maximumf", "arith.minimumf", "arith.maxnumf",
             "arith.minnumf", "math.copysign"]
    for kind in ["normal", "wide", "special"]:
        for name in names:
            kernel = Kernel(128)
            for number in range(4):
                a, b = (kernel.load("%x", kernel.mine(2 * number + part), "f32") for part in (0, 1))
                kernel.store(binary(kernel, name, "f32", a, b), "%y", kernel.mine(number), "f32")
            yield kernel.case(f"float.{name.split('.')[1]}.{kind}", data("f32", 1024, kind, name), 512, other_than_nan)
        for name in ["math.sqrt", "math.absf", "math.floor", "math.ceil", "math.trunc", "math.roundeven", "arith.negf"]:
            kernel = Kernel(128)
            for number in range(4):
                value = kernel.load("%x", kernel.mine(number), "f32")
                kernel.store(kernel.op(f"{name} {value} : f32"), "%y", kernel.mine(number), "f32")
            yield kernel.case(f"float.{name.split('.')[1]}.{kind}", data("f32", 512, kind, name), 512, other_than_nan)
        kernel = Kernel(128)
        a, b, c = (kernel.load("%x", kernel.mine(number), "f32") for number in range(3))
        kernel.store(kernel.op(f"math.fma {a}, {b}, {c} : f32"), "%y", kernel.t, "f32")
        for number, predicate in enumerate(["oeq", "olt", "ole", "ogt", "one", "ord", "ueq", "ult", "une", "uno"]):
            holds = kernel.op(f"arith.cmpf {predicate}, {a}, {b} : f32")
            kernel.store(kernel.op(f"arith.extui {holds} : i1 to i32"), "%y", kernel.mine(1 + number))
        yield kernel.case(f"float.fma_cmp.{kind}", data("f32", 384, kind, "fma"), 128 * 11, other_than_nan)


def other_than_nan(simulated, device):
    def is_nan(words):
        return (words & 0x7FFFFFFF) > 0x7F800000

    return (simulated != device) & ~(is_nan(simulated) & is_nan(device))


def other_than_short_nan(simulated, device):
    """Three results a thread in f16, one in f32."""

    def is_nan(words):
        return (words & 0x7FFF) > 0x7C00

    short = (simulated != device) & ~(is_nan(simulated) & is_nan(device))
    return np.where(np.arange(len(simulated)) < 384, short, other_than_nan(simulated, device))


def short_floats():
    """f16 and bf16 by ops of their own type."""
    for type in ["f16", "bf16"]:
        for kind in ["normal", "wide", "special"]:
            kernel = Kernel(128)

            def read(number, kernel=kernel, type=type):
                word = kernel.op(f"arith.trunci {kernel.load('%x', kernel.mine(number))} : i32 to i16")
                return kernel.op(f"llvm.bitcast {word} : i16 to {type}")

            def write(value, number, kernel=kernel, type=type):
                word = kernel.op(f"llvm.bitcast {value} : {type} to i16")
                kernel.store(kernel.op(f"arith.extui {word} : i16 to i32"), "%y", kernel.mine(number))

            a, b = read(0), read(1)
            for number, name in enumerate(["arith.addf", "arith.subf", "arith.mulf"]):
                write(binary(kernel, name, type, a, b), number)
            wide = kernel.op(f"arith.extf {a} : {type} to f32")
            kernel.store(wide, "%y", kernel.mine(3), "f32")
            bound = other_than_short_nan if type == "f16" else None
            yield kernel.case(f"short.{type}.{kind}", data(type, 512, kind, "short"), 512, bound)


def integers():
    for type, words in [("i32", 1), ("i64", 2)]:
        unit = "i64" if words == 2 else "i32"
        names = ["addi", "subi", "muli", "divsi", "divui", "remsi", "remui", "andi", "ori", "xori", "maxsi", "minsi", "maxui",
                 "minui", "ceildivsi", "floordivsi"]
        kernel = Kernel(64)
        a, b = (kernel.op(f"llvm.load {kernel.at('%x', kernel.mine(number), 1, unit)} : !llvm.ptr<1> -> {type}")
                for number in (0, 1))
        odd = kernel.op(f"arith.ori {b}, {kernel.const(1, type)} : {type}")  # no division by 0
        values = [binary(kernel, f"arith.{name}", type, a, odd) for name in names]
        amount = kernel.op(f"arith.andi {b}, {kernel.const(31, type)} : {type}")
        values += [binary(kernel, f"arith.{name}", type, a, amount) for name in ["shli", "shrsi", "shrui"]]
        values += [kernel.op(f"math.{name} {a} : {type}") for name in ["ctlz", "cttz", "ctpop", "absi"]]
        for predicate in ["eq", "slt", "ule", "sgt", "ugt"]:
            holds = kernel.op(f"arith.cmpi {predicate}, {a}, {b} : {type}")
            values.append(kernel.op(f"arith.extui {holds} : i1 to {type}"))
        for name in ["mulsi_extended", "mului_extended"]:
            pair = kernel.op(f"arith.{name} {a}, {b} : {type}", 2)
            values += [f"{pair}#0", f"{pair}#1"]
        for number, value in enumerate(values):
            kernel.do(f"llvm.store {value}, {kernel.at('%y', kernel.mine(number), 1, unit)} : {type}, !llvm.ptr<1>")
        yield kernel.case(f"integer.{type}", data("i32", 128 * words, "normal", type), 64 * words * len(values))


def conversions():
    """Between integers and floats, in range."""
    kernel = Kernel(128)
    word = kernel.load("%x", kernel.t)
    values = [(kernel.op(f"arith.{name} {word} : i32 to f32"), "f32") for name in ["sitofp", "uitofp"]]
    small = kernel.op(f"arith.sitofp {kernel.op(f'arith.shrsi {word}, {kernel.const(8)} : i32')} : i32 to f32")
    part = kernel.op(f"arith.divf {small}, {kernel.const('3.0', 'f32')} : f32")
    values.append((kernel.op(f"arith.fptosi {part} : f32 to i32"), "i32"))
    values.append((kernel.op(f"arith.fptoui {kernel.op(f'math.absf {part} : f32')} : f32 to i32"), "i32"))
    byte = kernel.op(f"arith.trunci {word} : i32 to i8")
    values += [(kernel.op(f"arith.{name} {byte} : i8 to i32"), "i32") for name in ["extsi", "extui"]]
    values += [(kernel.op(f"arith.{name} {byte} : i8 to f32"), "f32") for name in ["sitofp", "uitofp"]]
    wide = kernel.op(f"arith.extf {part} : f32 to f64")
    third = kernel.op(f"arith.divf {wide}, {kernel.const('3.0', 'f64')} : f64")
    values.append((kernel.op(f"arith.truncf {third} : f64 to f32"), "f32"))
    values.append((kernel.op(f"arith.trunci {kernel.op(f'arith.fptosi {third} : f64 to i64')} : i64 to i32"), "i32"))
    for number, (value, type) in enumerate(values):
        kernel.store(value, "%y", kernel.mine(number), type)
    yield kernel.case("conversion.numbers", data("i32", 128, "normal", "numbers"), 128 * len(values))


def doubles_of():
    kernel = Kernel(128)
    a, b = (kernel.op(f"llvm.load {kernel.at('%x', kernel.mine(number), 1, 'f64')} : !llvm.ptr<1> -> f64") for number in (0, 1))
    values = [binary(kernel, f"arith.{name}", "f64", a, b) for name in ["addf", "subf", "mulf", "divf", "maximumf", "minimumf"]]
    values.append(kernel.op(f"math.fma {a}, {b}, {a} : f64"))
    values.append(kernel.op(f"math.sqrt {kernel.op(f'math.absf {a} : f64')} : f64"))
    for number, value in enumerate(values):
        kernel.do(f"llvm.store {value}, {kernel.at('%y', kernel.mine(number), 1, 'f64')} : f64, !llvm.ptr<1>")
    yield kernel.case("double.arithmetic", doubles(256), 256 * len(values))


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


def cases():
    for family in (floats, short_floats, integers, conversions, doubles_of, functions):
        yield from family()
