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

def Ptx_Sum : AnyTypeOf<[F32, I32]>;
def Ptx_Word : AnyTypeOf<[AnySignlessInteger, VectorOfRankAndType<[1], [AnySignlessInteger]>]>;

def LdGlobalOp : PtxOp<"ld.global", [MemoryEffects<[MemRead]>]> {
  let summary = "a load where a predicate holds";
  let description = [{
    Formula: `r = predicate ? *address : 0`; memory is not touched where the predicate does not hold. `nc`: nobody writes
    there while the kernel runs, so that the read-only cache may serve.

    (C1) The value is an i8, i16, i32 or i64, or two or four i32. The address is a multiple of its bytes.

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
  let hasVerifier = 1;
}

def StGlobalOp : PtxOp<"st.global", [MemoryEffects<[MemWrite]>]> {
  let summary = "a store where a predicate holds";
  let description = [{
    Formula: `if predicate: *address = value`.

    (C1) The value is an i8, i16, i32 or i64, or two or four i32. The address is a multiple of its bytes.

    ```mlir
    llvm.func @example(%p: !llvm.ptr<1>, %c: i1, %x: i32) {
      ptx.st.global %x, %p, %c : i32
      llvm.return
    }
    ```
  }];
  let arguments = (ins Ptx_Word:$value, LLVM_PointerInAddressSpace<1>:$address, I1:$predicate);
  let assemblyFormat = "$value `,` $address `,` $predicate attr-dict `:` type($value)";
  let hasVerifier = 1;
}

def MmaF8Op : PtxOp<"mma.f8", [Pure]> {
  let summary = "mma.sync.m16n8k32 of 8-bit floats (sm_89 and later)";
  let description = [{
    Formula: `results = accumulators + A * B`, of a warp: 16 x 8 sums in f32, 32 of the depth. A is four registers, B two,
    accumulators and results four (PTX ISA, "Matrix Fragments for mma.m16n8k32"). `nvvm.mma.sync` has every other type.

    (C1) The elements are f8E4M3FN or f8E5M2.

    ```mlir
    llvm.func @example(%a: i32, %w: i32, %c: f32) {
      %d:4 = ptx.mma.f8 %a, %a, %a, %a, %w, %w, %c, %c, %c, %c {lhs_element = f8E4M3FN, rhs_element = f8E5M2}
      llvm.return
    }
    ```
  }];
  let arguments = (ins I32:$a0, I32:$a1, I32:$a2, I32:$a3, I32:$b0, I32:$b1, F32:$c0, F32:$c1, F32:$c2, F32:$c3,
                   TypeAttr:$lhs_element, TypeAttr:$rhs_element);
  let results = (outs F32:$d0, F32:$d1, F32:$d2, F32:$d3);
  let assemblyFormat = "operands attr-dict";
  let hasVerifier = 1;
}

def WgmmaOp : PtxOp<"wgmma", [MemoryEffects<[MemRead, MemWrite]>, AttrSizedOperandSegments]> {
  let summary = "one group of wgmma.mma_async";
  let description = [{
    Formula: `wgmma.fence`; for each step `accumulators += A_step * B_step`, 64 x n results a warpgroup, 32 bytes of the
    depth a step; `wgmma.commit_group`. The results are under way until `ptx.wgmma.wait`.

    `element`: what A and B hold, `rhs_element` what B does where it is another type. `i8` is signed. `negate_lhs`,
    `negate_rhs`: the operand times -1.

    A is a shared memory descriptor, or four registers a step; B a descriptor. Descriptors advance by `lhs_offsets` and
    `rhs_offsets`, in units of 16 bytes, from step to step. `transpose_lhs`, `transpose_rhs`: the operand lies with M, N
    contiguous instead of the depth (PTX ISA, "Matrix Descriptor Format").

    (C1) There are n / 2 accumulators, n a multiple of 8 up to 256; of integers a multiple of 16, or 8 or 24.

    (C2) `rhs_offsets` has an offset a step, `lhs_offsets` too where A is a descriptor; else A has four words a step.

    (C3) The elements are f16, bf16, tf32, f8E4M3FN, f8E5M2, i8 or ui8; B's are A's, or both are of 8 bits and floats, or
    of 8 bits and integers.

    (C4) Accumulators are i32 for integers, else f32.

    (C5) Only operands of 16 bits are transposed, only floats negated.

    ```mlir
    llvm.func @example(%a: i64, %w: i64, %c0: f32, %c1: f32, %c2: f32, %c3: f32) {
      %d:4 = ptx.wgmma %a, %w, (%c0, %c1, %c2, %c3) {element = bf16, lhs_offsets = array<i64: 0, 2>, rhs_offsets = array<i64: 0, 2>} : i64
      llvm.return
    }
    ```
  }];
  let arguments = (ins Variadic<AnyTypeOf<[I32, I64]>>:$lhs, I64:$rhs, Variadic<Ptx_Sum>:$accumulators, TypeAttr:$element,
                   OptionalAttr<TypeAttr>:$rhs_element, DenseI64ArrayAttr:$lhs_offsets, DenseI64ArrayAttr:$rhs_offsets,
                   UnitAttr:$transpose_lhs, UnitAttr:$transpose_rhs, UnitAttr:$negate_lhs, UnitAttr:$negate_rhs);
  let results = (outs Variadic<Ptx_Sum>:$results);
  let extraClassDeclaration = [{
    ::mlir::Type elementOfRhs() { return getRhsElement().value_or(getElement()); }
    /// Of an element where it lies: a tf32 has 32.
    int64_t elementBits();
    /// Elements that a step takes.
    int64_t depthOfStep() { return 256 / elementBits(); }
  }];
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def WgmmaWaitOp : PtxOp<"wgmma.wait", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "wgmma.wait_group, tied to the registers it is for";
  let description = [{
    Formula: `results = values`, once all groups but the last `pending` are done.

    (C1) There is a result for each value, and all are of one type, which is printed where it is i32.

    ```mlir
    llvm.func @example(%c0: f32, %c1: f32) {
      %d:2 = ptx.wgmma.wait %c0, %c1 {pending = 0 : i64}
      llvm.return
    }
    ```
  }];
  let arguments = (ins Variadic<Ptx_Sum>:$values, I64Attr:$pending);
  let results = (outs Variadic<Ptx_Sum>:$results);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def BarrierOrOp : PtxOp<"barrier.or", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "a named barrier that tells whether a predicate holds in some thread";
  let description = [{
    Formula: `r = the disjunction of the threads' predicates` (`barrier.cta.red.or.pred.aligned`), once all `threads` have
    come to barrier `id`; what they wrote to shared memory before can be read then.

    (C1) `id` is 0 to 15, `threads` a multiple of 32 up to 1024.

    ```mlir
    llvm.func @example(%p: i1) {
      %r = ptx.barrier.or %p {id = 1 : i32, threads = 256 : i32}
      llvm.return
    }
    ```
  }];
  let arguments = (ins I1:$predicate, I32Attr:$id, I32Attr:$threads);
  let results = (outs I1:$result);
  let assemblyFormat = "$predicate attr-dict";
  let hasVerifier = 1;
}

def MbarrierWaitOp : PtxOp<"mbarrier.wait", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "waits for a phase of an mbarrier";
  let description = [{
    Formula: returns once the phase of that parity is complete (`mbarrier.try_wait.parity` until it holds); what was
    written before by whoever arrived, and by copies that count on it, is visible then.

    (C1) The parity is 0 or 1; a constant is checked here.

    ```mlir
    llvm.func @example(%p: !llvm.ptr<3>, %x: i32) {
      ptx.mbarrier.wait %p, %x
      llvm.return
    }
    ```
  }];
  let arguments = (ins LLVM_PointerInAddressSpace<3>:$barrier, I32:$parity);
  let assemblyFormat = "$barrier `,` $parity attr-dict";
  let hasVerifier = 1;
}

def MbarrierArriveOp : PtxOp<"mbarrier.arrive", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "arrives at an mbarrier where a predicate holds";
  let description = [{
    Formula: `if predicate: mbarrier.arrive [barrier]`.

    ```mlir
    llvm.func @example(%p: !llvm.ptr<3>, %c: i1) {
      ptx.mbarrier.arrive %p, %c
      llvm.return
    }
    ```
  }];
  let arguments = (ins LLVM_PointerInAddressSpace<3>:$barrier, I1:$predicate);
  let assemblyFormat = "$barrier `,` $predicate attr-dict";
}

def MbarrierArriveClusterOp : PtxOp<"mbarrier.arrive.cluster", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "arrives at an mbarrier of a CTA of the cluster where a predicate holds";
  let description = [{
    Formula: `if predicate: mbarrier.arrive [barrier']`, where barrier' lies in the shared memory of the CTA with that rank
    in the cluster as `barrier` does in one's own (`mapa`). It is PTX's default form: what the thread, or a dot that it has
    waited for, read of shared memory before has been read, so that whoever waits for the phase may have it written
    again; of what it wrote it tells its own CTA alone. (`.release.cluster` would be a fence of the whole GPU.)

    (C1) The rank is 0 to 7, of the 8 CTAs that a portable cluster has at most; a constant is checked here.

    ```mlir
    llvm.func @example(%p: !llvm.ptr<3>, %rank: i32, %c: i1) {
      ptx.mbarrier.arrive.cluster %p, %rank, %c
      llvm.return
    }
    ```
  }];
  let arguments = (ins LLVM_PointerInAddressSpace<3>:$barrier, I32:$rank, I1:$predicate);
  let assemblyFormat = "$barrier `,` $rank `,` $predicate attr-dict";
  let hasVerifier = 1;
}

def StAsyncOp : PtxOp<"st.async", [MemoryEffects<[MemWrite]>]> {
  let summary = "a store to the shared memory of a CTA of the cluster, counted on an mbarrier there (sm_90)";
  let description = [{
    Formula: `*address' = value`, and then 16 bytes less are missing at barrier': `address` and `barrier` as they lie in the
    shared memory of the CTA with that rank in the cluster (`mapa`). Whoever waits for the phase sees the value.

    (C1) The value is four i32; the address is a multiple of 16.

    (C2) The rank is 0 to 7, of the 8 CTAs that a portable cluster has at most; a constant is checked here.

    ```mlir
    llvm.func @example(%x: vector<4xi32>, %p: !llvm.ptr<3>, %m: !llvm.ptr<3>, %rank: i32) {
      ptx.st.async %x, %p, %m, %rank : vector<4xi32>
      llvm.return
    }
    ```
  }];
  let arguments = (ins Ptx_Word:$value, LLVM_PointerInAddressSpace<3>:$address,
                       LLVM_PointerInAddressSpace<3>:$barrier, I32:$rank);
  let assemblyFormat = "$value `,` $address `,` $barrier `,` $rank attr-dict `:` type($value)";
  let hasVerifier = 1;
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
    ```mlir
    llvm.func @example(%x: f32) -> f32 {
      %r = ptx.ex2.approx.ftz %x
      llvm.return %r : f32
    }
    ```
  }];
}

def RcpOp : PtxApprox<"rcp.approx.ftz"> {
  let summary = "1 / x, approximately";
  let description = [{
    Formula: `r = 1 / operand`, within one unit of the last place; a denormal operand counts as 0, and a denormal result is 0
    (PTX ISA, "rcp").
    ```mlir
    llvm.func @example(%x: f32) -> f32 {
      %r = ptx.rcp.approx.ftz %x
      llvm.return %r : f32
    }
    ```
  }];
}

def TanhOp : PtxApprox<"tanh.approx"> {
  let summary = "the hyperbolic tangent, approximately";
  let description = [{
    Formula: `r = tanh(operand)` with a relative error of up to 2^-11 (PTX ISA, "tanh").
    ```mlir
    llvm.func @example(%x: f32) -> f32 {
      %r = ptx.tanh.approx %x
      llvm.return %r : f32
    }
    ```
  }];
}

def CvtF8Op : PtxOp<"cvt.f8x2", [Pure]> {
  let summary = "cvt.rn.satfinite of two f32 to 8-bit floats (sm_89 and later)";
  let description = [{
    Formula: `r = round(high) * 256 + round(low)` as bits, to the nearest, halves to even. What is larger than the largest
    finite value, and an infinity, becomes that; NaN becomes 0x7F (PTX ISA, "cvt").

    (C1) The element is f8E4M3FN or f8E5M2.

    ```mlir
    llvm.func @example(%high: f32, %low: f32) -> i16 {
      %r = ptx.cvt.f8x2 %high, %low {element = f8E4M3FN}
      llvm.return %r : i16
    }
    ```
  }];
  let arguments = (ins F32:$high, F32:$low, TypeAttr:$element);
  let results = (outs I16:$result);
  let assemblyFormat = "operands attr-dict";
  let hasVerifier = 1;
}

def WidenF8Op : PtxOp<"cvt.f16x2", [Pure]> {
  let summary = "cvt.rn of two 8-bit floats to f16 (sm_89 and later)";
  let description = [{
    Formula: the halves of `r` are the bytes of `pair` as f16, the lower byte in the lower half. Each 8-bit float is one of f16; NaN
    becomes 0x7FFF (PTX ISA, "cvt").

    (C1) The element is f8E4M3FN or f8E5M2.

    ```mlir
    llvm.func @example(%pair: i16) -> i32 {
      %r = ptx.cvt.f16x2 %pair {element = f8E4M3FN}
      llvm.return %r : i32
    }
    ```
  }];
  let arguments = (ins I16:$pair, TypeAttr:$element);
  let results = (outs I32:$result);
  let assemblyFormat = "operands attr-dict";
  let hasVerifier = 1;
}

#endif
