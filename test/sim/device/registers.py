"""Ops of registers beside arith and math: vectors, control flow, what the llvm dialect has of its own."""

from kernel import Kernel
from products import data
from words import other_than_nan


def vectors():
    """vector in registers."""
    kernel = Kernel(64)
    four, eight = "vector<4xf32>", "vector<8xf32>"
    a, b = (kernel.op(f"llvm.load {kernel.at('%x', kernel.mine(number), 1, four)} : !llvm.ptr<1> -> {four}") for number in (0, 1))
    words = kernel.op(f"vector.bitcast {a} : {four} to vector<4xi32>")
    values = [(kernel.op(f"vector.fma {a}, {b}, {a} : {four}"), four),
              (kernel.op(f"vector.shuffle {a}, {b} [7, 0, 5, 2] : {four}, {four}"), four),
              (kernel.op(f"vector.broadcast {kernel.op(f'vector.extract {a}[2] : f32 from {four}')} : f32 to {four}"), four)]
    both = kernel.op(f"vector.interleave {a}, {b} : {four} -> {eight}")
    values.append((kernel.op(f"vector.extract_strided_slice {both} {{offsets = [2], sizes = [4], strides = [1]}} : {eight} to {four}"), four))
    values.append((kernel.op(f"vector.insert {kernel.op(f'vector.extract {b}[3] : f32 from {four}')}, {a} [1] : f32 into {four}"), four))
    for kind in ["add", "mul", "maximumf", "minnumf"]:
        values.append((kernel.op(f"vector.reduction <{kind}>, {a} : {four} into f32"), "f32"))
    for kind in ["add", "mul", "maxsi", "minui", "and", "or", "xor"]:
        values.append((kernel.op(f"vector.reduction <{kind}>, {words} : vector<4xi32> into i32"), "i32"))
    at = 0
    for value, type in values:
        unit = 4 if type == four else 1
        kernel.do(f"llvm.store {value}, {kernel.at('%y', kernel.add(kernel.mul(kernel.t, unit), 64 * at))} "
                  f"{{alignment = 4 : i64}} : {type}, !llvm.ptr<1>")
        at += unit
    yield kernel.case("vector", data("f32", 512, "normal", "vector"), 64 * at)


def control():
    """Loops, branches and choices of scf and cf, and an index of affine."""
    kernel = Kernel(64)
    x = kernel.load("%x", kernel.t)
    zero, one, limit = kernel.const(0), kernel.const(1), kernel.op(f"arith.andi {x}, {kernel.const(15)} : i32")
    name = kernel.name()
    kernel.do(f"{name}:2 = scf.while (%a = {zero}, %b = {x}) : (i32, i32) -> (i32, i32) {{")
    kernel.do(f"%more = arith.cmpi ult, %a, {limit} : i32")
    kernel.do("scf.condition(%more) %a, %b : i32, i32")
    kernel.do("} do {")
    kernel.do("^bb0(%a: i32, %b: i32):")
    kernel.do(f"%c = arith.addi %a, {one} : i32")
    kernel.do("%d = arith.muli %b, %c : i32")
    kernel.do("scf.yield %c, %d : i32, i32")
    kernel.do("}")
    kernel.store(f"{name}#1", "%y", kernel.t)
    index = kernel.op(f"arith.index_castui {kernel.op(f'arith.andi {x}, {kernel.const(3)} : i32')} : i32 to index")
    chosen = kernel.name()
    kernel.do(f"{chosen} = scf.index_switch {index} -> i32")
    for number in range(3):
        kernel.do(f"case {number} {{ %c{number} = arith.constant {number * 7} : i32 scf.yield %c{number} : i32 }}")
    kernel.do(f"default {{ scf.yield {x} : i32 }}")
    kernel.store(chosen, "%y", kernel.mine(1))
    place = kernel.op(f"affine.apply affine_map<(d0) -> (d0 * 5 + d0 floordiv 2 + d0 mod 3)>({index})")
    kernel.store(kernel.op(f"arith.index_castui {place} : index to i32"), "%y", kernel.mine(2))
    other = kernel.op(f"arith.select {kernel.op(f'arith.cmpi slt, {x}, {zero} : i32')}, {limit}, {x} : i32")
    kernel.store(other, "%y", kernel.mine(3))
    yield kernel.case("control", data("i32", 64, "normal", "control"), 256)


def llvm_integers():
    """Intrinsics of the llvm dialect on integers."""
    kernel = Kernel(64)
    a, b, c = (kernel.load("%x", kernel.mine(number)) for number in range(3))
    values = [kernel.op(f"llvm.intr.{name}({a}) : (i32) -> i32") for name in ["bitreverse", "bswap", "ctpop"]]
    values += [kernel.op(f'"llvm.intr.{name}"({a}) <{{is_zero_poison = false}}> : (i32) -> i32') for name in ["ctlz", "cttz"]]
    values += [kernel.op(f"llvm.intr.{name}({a}, {b}) : (i32, i32) -> i32")
               for name in ["smax", "smin", "umax", "umin", "sadd.sat", "uadd.sat", "ssub.sat", "usub.sat"]]
    values += [kernel.op(f"llvm.intr.{name}({a}, {b}, {c}) : (i32, i32, i32) -> i32") for name in ["fshl", "fshr"]]
    for name in ["sadd", "uadd", "ssub", "usub", "smul", "umul"]:
        struct = "!llvm.struct<(i32, i1)>"
        both = kernel.op(f'"llvm.intr.{name}.with.overflow"({a}, {b}) : (i32, i32) -> {struct}')
        values.append(kernel.op(f"llvm.extractvalue {both}[0] : {struct}"))
        values.append(kernel.op(f"arith.extui {kernel.op(f'llvm.extractvalue {both}[1] : {struct}')} : i1 to i32"))
    for number, value in enumerate(values):
        kernel.store(value, "%y", kernel.mine(number))
    yield kernel.case("llvm.integers", data("i32", 192, "normal", "llvm"), 64 * len(values))


def llvm_floats():
    """Intrinsics of the llvm dialect on floats, and its remainder."""
    for kind in ["normal", "wide", "special"]:
        kernel = Kernel(128)
        a, b, c = (kernel.load("%x", kernel.mine(number), "f32") for number in range(3))
        names = ["fabs", "floor", "ceil", "trunc", "rint", "nearbyint", "round", "roundeven", "sqrt"]
        values = [kernel.op(f"llvm.intr.{name}({a}) : (f32) -> f32") for name in names]
        values += [kernel.op(f"llvm.intr.{name}({a}, {b}) : (f32, f32) -> f32")
                   for name in ["copysign", "maxnum", "minnum", "maximum", "minimum"]]
        values += [kernel.op(f"llvm.intr.{name}({a}, {b}, {c}) : (f32, f32, f32) -> f32") for name in ["fma", "fmuladd"]]
        for number, value in enumerate(values):
            kernel.store(value, "%y", kernel.mine(number), "f32")
        yield kernel.case(f"llvm.floats.{kind}", data("f32", 384, kind, "llvm"), 128 * len(values), other_than_nan)
        kernel = Kernel(128)
        a, b = (kernel.load("%x", kernel.mine(number), "f32") for number in (0, 1))
        kernel.store(kernel.op(f"llvm.frem {a}, {b} : f32"), "%y", kernel.t, "f32")
        yield kernel.case(f"llvm.frem.{kind}", data("f32", 256, kind, "frem"), 128, other_than_nan)


def cases():
    for family in (vectors, control, llvm_integers, llvm_floats):
        yield from family()
