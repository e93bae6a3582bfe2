"""Kernels of the thread level as text: one operand and one result of 32-bit words each."""

import hashlib
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Case:
    name: str
    function: str  # of the llvm dialect, named @k
    x: np.ndarray  # uint32
    num_results: int
    bound: object = None  # (simulated, device) -> which elements differ too much; None: those that are not equal
    beside: str = ""  # globals and functions that it names
    needs_newer_ptx: bool = False  # 8.4, where the compiler writes 8.0

    def operand(self):
        """What tells one operand from another."""
        return hashlib.sha256(self.x.tobytes()).hexdigest()[:16]


def module_text(cases):
    """A module whose @main launches each case on an input of its own."""
    inputs, results, types, body, values = [], [], [], [], []
    for number, case in enumerate(cases):
        x, y = f"tensor<{len(case.x)}xi32>", f"tensor<{case.num_results}xi32>"
        inputs.append(f'%x{number}: {x} {{tenon.name = "x{number}"}}')
        results.append(f'{y} {{tenon.name = "y{number}"}}')
        types.append(y)
        values.append(f"%y{number}")
        body.append(f"%y{number} = tenon.launch @kernels::@k{number}(%x{number}) "
                    f"{{tenon.result_shapes = [affine_map<() -> ({case.num_results})>]}} : ({x}) -> {y}")
    functions = [case.function.replace("llvm.func @k(", f"llvm.func @k{number}(") for number, case in enumerate(cases)]
    shared = "llvm.mlir.global external @shared() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>"
    lines = [f"func.func @main({', '.join(inputs)}) -> ({', '.join(results)}) {{", *body,
             f"return {', '.join(values)} : {', '.join(types)}", "}", "module @kernels {", shared, *[case.beside for case in cases], *functions, "}"]
    return "module {\n" + "\n".join(lines) + "\n}\n"


@dataclass
class Kernel:
    """The body of one kernel, op by op. `x` and `y` are global memory, `t` the thread."""

    threads: int = 32
    shared: int = 0
    grid: tuple = (1, 1, 1)
    cluster: tuple = (1, 1, 1)
    block: tuple = None  # (threads, 1, 1)
    beside: str = ""
    needs_newer_ptx: bool = False
    maps: list = field(default_factory=list)
    lines: list = field(default_factory=list)
    names: int = 0

    def __post_init__(self):
        self.block = self.block or (self.threads, 1, 1)
        self.t = self.op("nvvm.read.ptx.sreg.tid.x : i32")
        self.tiles = self.op("llvm.mlir.addressof @shared : !llvm.ptr<3>") if self.shared else None

    def name(self):
        self.names += 1
        return f"%v{self.names}"

    def op(self, text, results=1):
        name = self.name()
        self.lines.append(f"{name}{f':{results}' if results > 1 else ''} = {text}")
        return name

    def do(self, text):
        self.lines.append(text)

    def const(self, value, type="i32"):
        return self.op(f"arith.constant {value} : {type}")

    def add(self, a, b):
        return self.op(f"arith.addi {a}, {b if isinstance(b, str) else self.const(b)} : i32")

    def mul(self, a, b):
        return self.op(f"arith.muli {a}, {b if isinstance(b, str) else self.const(b)} : i32")

    def at(self, base, index, space=1, unit="i32"):
        """The address of unit number `index`."""
        index = index if isinstance(index, str) else self.const(index)
        return self.op(f"llvm.getelementptr {base}[{index}] : (!llvm.ptr<{space}>, i32) -> !llvm.ptr<{space}>, {unit}")

    def load(self, base, index, type="i32", space=1):
        return self.op(f"llvm.load {self.at(base, index, space)} : !llvm.ptr<{space}> -> {type}")

    def store(self, value, base, index, type="i32", space=1):
        self.do(f"llvm.store {value}, {self.at(base, index, space)} : {type}, !llvm.ptr<{space}>")

    def cta(self):
        """The number of this CTA in the grid."""
        x, y, z = (self.op(f"nvvm.read.ptx.sreg.ctaid.{axis} : i32") for axis in "xyz")
        return self.add(x, self.mul(self.add(y, self.mul(z, self.grid[1])), self.grid[0]))

    def mine(self, number):
        """The index of this thread's word in block `number` of as many words as there are threads."""
        return self.add(self.t, self.threads * number) if number else self.t

    def bits(self, value, type):
        return value if type == "i32" else self.op(f"llvm.bitcast {value} : {type} to i32")

    def from_bits(self, value, type):
        return value if type == "i32" else self.op(f"llvm.bitcast {value} : i32 to {type}")

    def parts(self, value, type, count):
        """The fields of a struct; a value that is none, as it is."""
        struct = f"!llvm.struct<({', '.join([type] * count)})>"
        return [self.op(f"llvm.extractvalue {value}[{number}] : {struct}") for number in range(count)]

    def fill(self, words, offset=0):
        """Shared memory gets the operand's words, from byte `offset` on."""
        last, step = self.const(words), self.const(self.threads)
        self.do(f"scf.for %i = {self.t} to {last} step {step} : i32 {{")
        self.store(self.load("%x", "%i"), self.tiles, self.add("%i", offset // 4), space=3)
        self.do("}")

    def clear(self, words):
        """Shared memory gets zeros, and may be written by TMA afterwards."""
        zero, last, step = self.const(0), self.const(words), self.const(self.threads)
        self.do(f"scf.for %i = {self.t} to {last} step {step} : i32 {{")
        self.store(zero, self.tiles, "%i", space=3)
        self.do("}")
        self.do("nvvm.fence.proxy {kind = #nvvm.proxy_kind<async>}")
        self.do("nvvm.barrier0")

    def spill(self, words, offset=0):
        """The result gets shared memory's."""
        last, step = self.const(words), self.const(self.threads)
        self.do(f"scf.for %i = {self.t} to {last} step {step} : i32 {{")
        self.store(self.load(self.tiles, self.add("%i", offset // 4), space=3), "%y", "%i")
        self.do("}")

    def first(self):
        """The lines until `}` are for thread 0."""
        is_first = self.op(f"arith.cmpi eq, {self.t}, {self.const(0)} : i32")
        self.do(f"scf.if {is_first} {{")

    def init_barriers(self, arrivals):
        """mbarriers, and how many arrivals end a phase of each; TMA and peers may signal them. For thread 0."""
        for barrier, count in arrivals.items():
            self.do(f"nvvm.mbarrier.init {barrier}, {self.const(count)} : !llvm.ptr<3>, i32")
        self.do("nvvm.fence.mbarrier.init")

    def tensor_map(self, argument, element, sizes, strides, box, swizzle=0, offset=0, fill_nan=False):
        """Its name; sizes and box in elements, innermost first, strides and offset in bytes."""

        def constant(values):
            return f"affine_map<() -> ({', '.join(str(value) for value in values)})>"

        self.maps.append(
            f"{{argument = {argument} : i64, element = {element}, box = array<i64: {', '.join(map(str, box))}>, "
            f"offset = {constant([offset])}, sizes = {constant(sizes)}, strides = {constant(strides)}, "
            f"swizzle = {swizzle} : i64{', fill_nan' if fill_nan else ''}}}"
        )
        return f"%map{len(self.maps) - 1}"

    def case(self, name, x, num_results, bound=None):
        x = np.ascontiguousarray(x, np.uint32)
        maps = "".join(
            f", %map{number}: !llvm.ptr {{llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant}}"
            for number in range(len(self.maps))
        )
        body = "\n      ".join(self.lines)
        none, block = "affine_map<() -> (0)>", ", ".join(map(str, self.block))
        function = f"""llvm.func @k(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %workspace: !llvm.ptr<1>{maps}) attributes {{
  nvvm.kernel, nvvm.reqntid = array<i32: {block}>, tenon.block = array<i64: {block}>,
  tenon.grid = affine_map<() -> ({', '.join(map(str, self.grid))})>, tenon.shared_bytes = {self.shared} : i64,
  tenon.cluster = array<i64: {', '.join(map(str, self.cluster))}>, tenon.tensor_maps = [{', '.join(self.maps)}],
  tenon.scratch_bytes = {none}, tenon.flops = {none}, tenon.bytes = {none}}} {{
      {body}
      llvm.return
}}"""
        return Case(name, function, x, num_results, bound, self.beside, self.needs_newer_ptx)
