// Instructions of PTX that neither nvvm nor llvm have, one op each (level L5).
#ifndef TENON_DIALECTS_PTX_PTX_TD
#define TENON_DIALECTS_PTX_PTX_TD

include "mlir/Dialect/LLVMIR/LLVMTypes.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def PtxDialect : Dialect {
  let name = "ptx";
  let cppNamespace = "::tenon::ptx";
  let description = [{
    Instructions of one thread that MLIR's `nvvm` and `llvm` cannot say. Each op is one instruction, named as the PTX ISA
    names it, and becomes inline assembly in phase `ptx`; the simulator runs the ops themselves.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

class PtxOp<string mnemonic, list<Trait> traits = []> : Op<PtxDialect, mnemonic, traits>;

def Ptx_Word : AnyTypeOf<[I8, I16, I32, I64, FixedVectorOfLengthAndType<[2, 4], [I32]>]>;

def LdGlobalOp : PtxOp<"ld.global", [MemoryEffects<[MemRead]>]> {
  let summary = "a load where a predicate holds";
  let description = [{
    Formula: `r = predicate ? *address : 0`; memory is not touched where the predicate does not hold. `nc`: nobody writes
    there while the kernel runs, so that the read-only cache may serve.

    (C1) The value is of 8 to 128 bits; the address is a multiple of its bytes.

    ```mlir
    llvm.func @example(%p: !llvm.ptr<1>, %c: i1) -> vector<4xi32> {
      %x = ptx.ld.global %p, %c {nc} : vector<4xi32>
      llvm.return %x : vector<4xi32>
    }
    ```
  }];
  let arguments = (ins LLVM_PointerInAddressSpace<1>:$address, I1:$predicate, UnitAttr:$nc);
  let results = (outs Ptx_Word:$result);
  let assemblyFormat = "$address `,` $predicate attr-dict `:` type($result)";
}

def StGlobalOp : PtxOp<"st.global", [MemoryEffects<[MemWrite]>]> {
  let summary = "a store where a predicate holds";
  let description = [{
    Formula: `if predicate: *address = value`.

    (C1) The value is of 8 to 128 bits; the address is a multiple of its bytes.

    ```mlir
    llvm.func @example(%p: !llvm.ptr<1>, %c: i1, %x: i32) {
      ptx.st.global %x, %p, %c : i32
      llvm.return
    }
    ```
  }];
  let arguments = (ins Ptx_Word:$value, LLVM_PointerInAddressSpace<1>:$address, I1:$predicate);
  let assemblyFormat = "$value `,` $address `,` $predicate attr-dict `:` type($value)";
}

class PtxApprox<string mnemonic> : PtxOp<mnemonic, [Pure]> {
  let arguments = (ins F32:$operand);
  let results = (outs F32:$result);
  let assemblyFormat = "$operand attr-dict";
}

def Ex2Op : PtxApprox<"ex2.approx.ftz"> {
  let summary = "2 to the power of x, approximately";
  let description = [{
    Formula: `r = 2^operand`, within 2 units of the last place; a denormal operand counts as 0, and a denormal result is 0
    (PTX ISA, "ex2").

    (C1) Operand and result are f32.

    ```mlir
    llvm.func @example(%x: f32) -> f32 {
      %r = ptx.ex2.approx.ftz %x
      llvm.return %r : f32
    }
    ```
  }];
}

def TanhOp : PtxApprox<"tanh.approx"> {
  let summary = "the hyperbolic tangent, approximately";
  let description = [{
    Formula: `r = tanh(operand)` with a relative error of up to 2^-11 (PTX ISA, "tanh").

    (C1) Operand and result are f32.

    ```mlir
    llvm.func @example(%x: f32) -> f32 {
      %r = ptx.tanh.approx %x
      llvm.return %r : f32
    }
    ```
  }];
}

#endif
