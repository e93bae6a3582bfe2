"""What the host does alike: arithmetic and conversions bit by bit."""

import numpy as np

from kernel import Kernel
from memory import doubles, special_doubles
from products import data, seed_of
from words import FLOATS as WORD_FLOATS
from words import other_than_nan, packed, raw


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


def classes():
    """What a float is, and the rounding of halves away from zero."""
    for kind in ["normal", "wide", "special"]:
        kernel = Kernel(128)
        value = kernel.load("%x", kernel.t, "f32")
        kernel.store(kernel.op(f"math.round {value} : f32"), "%y", kernel.t, "f32")
        for number, name in enumerate(["isnan", "isfinite"]):
            holds = kernel.op(f"math.{name} {value} : f32")
            kernel.store(kernel.op(f"arith.extui {holds} : i1 to i32"), "%y", kernel.mine(1 + number))
        yield kernel.case(f"float.classes.{kind}", data("f32", 128, kind, "classes"), 384, other_than_nan)


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


def within_ulps_of_doubles(most):
    """Of the last place of an f64, in two words each."""

    def differ(simulated, device):
        def ordered(words):
            bits = words.view(np.int64)
            return np.where(bits < 0, np.int64(-2**63) - bits, bits)

        def is_nan(words):
            return np.isnan(words.view(np.float64))

        a, b = ordered(simulated), ordered(device)
        far = np.where((a < 0) == (b < 0), np.abs(a - b), np.abs(a // 2 - b // 2)) > most
        return np.where(is_nan(simulated) | is_nan(device), is_nan(simulated) != is_nan(device), far).repeat(2)

    return differ


def more_doubles():
    """What is exact, of every kind of f64, and conversions to and from the shorter."""
    kernel = Kernel(128)
    a, b = (kernel.op(f"llvm.load {kernel.at('%x', kernel.mine(number), 1, 'f64')} : !llvm.ptr<1> -> f64") for number in (0, 1))
    names = ["addf", "subf", "mulf", "divf", "maximumf", "minimumf", "maxnumf", "minnumf"]
    values = [binary(kernel, f"arith.{name}", "f64", a, b) for name in names]
    values.append(binary(kernel, "math.copysign", "f64", a, b))
    values += [kernel.op(f"math.{name} {a} : f64") for name in ["sqrt", "absf", "floor", "ceil", "trunc", "roundeven", "round"]]
    values += [kernel.op(f"arith.negf {a} : f64"), kernel.op(f"math.fma {a}, {b}, {b} : f64")]
    for type in ["f32", "f16", "bf16"]:
        values.append(kernel.op(f"arith.extf {kernel.op(f'arith.truncf {a} : f64 to {type}')} : {type} to f64"))
    for number, value in enumerate(values):
        kernel.do(f"llvm.store {value}, {kernel.at('%y', kernel.mine(number), 1, 'f64')} : f64, !llvm.ptr<1>")
    yield kernel.case("double.special", special_doubles(256, seed_of("doubles")), 256 * len(values), within_ulps_of_doubles(0))


def fused_ties(type):
    """Words of 256 a, b and c whose a * b is half a unit, on one side of which c is, too small for f32 to tell."""
    exponent_bits, fraction_bits = WORD_FLOATS[type]
    bias = (1 << (exponent_bits - 1)) - 1
    bits = raw(seed_of("fused", type), 256)
    left = (bits % np.uint64(fraction_bits - 2)).astype(int) + 2  # a = 1 + 2^-left, b = 1 + 2^-right
    right = fraction_bits + 1 - left
    scale = (bits >> np.uint64(20)) % np.uint64(4)
    a = (np.uint64(bias) + scale) << np.uint64(fraction_bits) | np.uint64(1) << (fraction_bits - left).astype(np.uint64)
    b = np.uint64(bias << fraction_bits) | np.uint64(1) << (fraction_bits - right).astype(np.uint64)
    least = 1 if type == "f16" else (bias - 40) << fraction_bits
    c = np.uint64(least) | (bits >> np.uint64(63)) << np.uint64(15)
    return np.concatenate([packed(codes, 16) for codes in (a, b, c)])


def more_short_floats():
    """The other ops of f16 and bf16, of one and of two."""
    for type in ["f16", "bf16"]:
        for kind in ["normal", "wide", "special", "ties"]:
            kernel = Kernel(128)

            def read(number, kernel=kernel, type=type):
                word = kernel.op(f"arith.trunci {kernel.load('%x', kernel.mine(number))} : i32 to i16")
                return kernel.op(f"llvm.bitcast {word} : i16 to {type}")

            a, b, c = read(0), read(1), read(2)
            names = ["divf", "maximumf", "minimumf", "maxnumf", "minnumf"]
            values = [binary(kernel, f"arith.{name}", type, a, b) for name in names]
            values.append(kernel.op(f"math.fma {a}, {b}, {c} : {type}"))
            values.append(kernel.op(f"arith.negf {a} : {type}"))
            values += [kernel.op(f"math.{name} {a} : {type}") for name in ["sqrt", "absf", "floor", "ceil", "trunc", "roundeven"]]
            for number, value in enumerate(values):
                word = kernel.op(f"llvm.bitcast {value} : {type} to i16")
                kernel.store(kernel.op(f"arith.extui {word} : i16 to i32"), "%y", kernel.mine(number))
            for number, predicate in enumerate(["oeq", "olt", "ole", "one", "ord", "ult"]):
                holds = kernel.op(f"arith.cmpf {predicate}, {a}, {b} : {type}")
                kernel.store(kernel.op(f"arith.extui {holds} : i1 to i32"), "%y", kernel.mine(len(values) + number))
            x = fused_ties(type) if kind == "ties" else data(type, 768, kind, "more")
            yield kernel.case(f"short.more.{type}.{kind}", x, 128 * (len(values) + 6), other_than_nan_of(type))
            kernel = Kernel(128)
            pairs = [kernel.op(f"llvm.bitcast {kernel.load('%x', kernel.mine(number))} : i32 to vector<2x{type}>") for number in range(3)]
            pair_type = f"vector<2x{type}>"
            values = [binary(kernel, f"arith.{name}", pair_type, *pairs[:2]) for name in ["addf", "subf", "mulf", "maximumf", "minimumf"]]
            values.append(kernel.op(f"math.fma {', '.join(pairs)} : {pair_type}"))
            wide = kernel.op(f"arith.extf {pairs[0]} : {pair_type} to vector<2xf32>")
            other = kernel.op(f"arith.extf {pairs[1]} : {pair_type} to vector<2xf32>")
            third = kernel.op(f"arith.mulf {wide}, {other} : vector<2xf32>")
            values.append(kernel.op(f"arith.truncf {third} : vector<2xf32> to {pair_type}"))
            for number, value in enumerate(values):
                kernel.store(kernel.op(f"llvm.bitcast {value} : {pair_type} to i32"), "%y", kernel.mine(number))
            x = fused_ties(type) if kind == "ties" else data(type, 768, kind, "pairs")
            yield kernel.case(f"short.pairs.{type}.{kind}", x, 128 * len(values), other_than_nan_of(type))


def other_than_nan_of(type):
    """Bits of two f16, or bf16, each; NaN is NaN."""
    infinity = 0x7C00 if type == "f16" else 0x7F80

    def differ(simulated, device):
        def halves(words):
            return np.stack([words & 0xFFFF, words >> 16])

        a, b = halves(simulated), halves(device)
        return ((a != b) & ~(((a & 0x7FFF) > infinity) & ((b & 0x7FFF) > infinity))).any(axis=0)

    return differ


def short_integers():
    """i8 and i16, and conversions of numbers that fit."""
    for type, bits in [("i8", 8), ("i16", 16)]:
        kernel = Kernel(64)
        a, b = (kernel.op(f"arith.trunci {kernel.load('%x', kernel.mine(number))} : i32 to {type}") for number in (0, 1))
        odd = kernel.op(f"arith.ori {b}, {kernel.const(1, type)} : {type}")
        names = ["addi", "subi", "muli", "divui", "remui", "andi", "ori", "xori", "maxsi", "minsi", "maxui", "minui"]
        values = [binary(kernel, f"arith.{name}", type, a, odd) for name in names]
        even = kernel.op(f"arith.ori {odd}, {kernel.const(2, type)} : {type}")  # 1 and -1 apart, whose quotient may not fit
        positive = kernel.op(f"arith.andi {even}, {kernel.const((1 << (bits - 1)) - 1, type)} : {type}")
        values += [binary(kernel, f"arith.{name}", type, a, positive) for name in ["divsi", "remsi", "ceildivsi", "floordivsi"]]
        amount = kernel.op(f"arith.andi {b}, {kernel.const(bits - 1, type)} : {type}")
        values += [binary(kernel, f"arith.{name}", type, a, amount) for name in ["shli", "shrsi", "shrui"]]
        values += [kernel.op(f"math.{name} {a} : {type}") for name in ["ctlz", "cttz", "ctpop"]]
        for predicate in ["eq", "slt", "ule", "sgt", "ugt"]:
            values.append(kernel.op(f"arith.extui {kernel.op(f'arith.cmpi {predicate}, {a}, {b} : {type}')} : i1 to {type}"))
        small = kernel.op(f"arith.shrsi {a}, {kernel.const(bits - 7, type)} : {type}")
        for float in ["f16", "bf16", "f32", "f64"]:
            number = kernel.op(f"arith.sitofp {small} : {type} to {float}")
            values.append(kernel.op(f"arith.fptosi {number} : {float} to {type}"))
            values.append(kernel.op(f"arith.fptoui {kernel.op(f'math.absf {number} : {float}')} : {float} to {type}"))
        for number, value in enumerate(values):
            kernel.store(kernel.op(f"arith.extui {value} : {type} to i32"), "%y", kernel.mine(number))
        yield kernel.case(f"integer.{type}", data("i32", 128, "normal", type), 64 * len(values))


def conversions_of_doubles():
    """Numbers of i64 and i32 as floats of every type, rounded."""
    kernel = Kernel(128)
    wide = kernel.op(f"llvm.load {kernel.at('%x', kernel.t, 1, 'i64')} : !llvm.ptr<1> -> i64")
    word = kernel.op(f"arith.trunci {wide} : i64 to i32")
    values = []
    for value, type in [(wide, "i64"), (word, "i32")]:
        for name in ["sitofp", "uitofp"]:
            values += [(kernel.op(f"arith.{name} {value} : {type} to {float}"), float) for float in ["f32", "f64"]]
    short = kernel.op(f"arith.shrsi {word}, {kernel.const(14)} : i32")
    for float in ["f16", "bf16"]:
        number = kernel.op(f"arith.sitofp {short} : i32 to {float}")
        values.append((kernel.op(f"arith.extf {number} : {float} to f32"), "f32"))
    for number, (value, type) in enumerate(values):
        wide = value if type == "f64" else kernel.op(f"arith.extf {value} : f32 to f64")
        kernel.do(f"llvm.store {wide}, {kernel.at('%y', kernel.mine(number), 1, 'f64')} : f64, !llvm.ptr<1>")
    yield kernel.case("conversion.rounded", data("i32", 256, "normal", "rounded"), 256 * len(values))


def cases():
    families = (floats, classes, short_floats, more_short_floats, integers, short_integers, conversions, conversions_of_doubles,
                doubles_of, more_doubles)
    for family in families:
        yield from family()
