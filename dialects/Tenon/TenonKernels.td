// The boundary of L1 and L2: what is one launch.
#ifndef TENON_DIALECTS_TENON_TENONKERNELS_TD
#define TENON_DIALECTS_TENON_TENONKERNELS_TD

include "dialects/Tenon/TenonBase.td"

def KernelOp : Op<TenonDialect, "kernel", [IsolatedFromAbove, RecursiveMemoryEffects, SingleBlock]> {
  let summary = "a region that becomes one launch";
  let description = [{
    Formula: the results are what `tenon.yield` gives when the block's arguments are the operands. Inside: `linalg`,
    `tensor`, `arith`, `math` and `tenon.attention` on tensors; before lowering any `tenon` op.

    (C1) The block has one argument for each operand, of its type.

    (C2) The block ends in `tenon.yield`.

    (C3) It yields values of the result types.

    ```mlir
    func.func @example(%x: tensor<8x16xf32>, %w: tensor<4x16xf32>) -> tensor<8x4xf32> {
      %y = tenon.kernel @linear_gelu(%X = %x, %W = %w) : (tensor<8x16xf32>, tensor<4x16xf32>) -> tensor<8x4xf32> {
        %0 = tenon.linear %X, %W : (tensor<8x16xf32>, tensor<4x16xf32>) -> tensor<8x4xf32>
        %1 = tenon.gelu %0 : (tensor<8x4xf32>) -> tensor<8x4xf32>
        tenon.yield %1 : tensor<8x4xf32>
      }
      return %y : tensor<8x4xf32>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$kernel_name, Variadic<AnyT>:$inputs);
  let results = (outs Variadic<AnyT>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    mlir::Block &getBlock() { return getBody().front(); }
    /// The values that the terminator yields.
    mlir::OperandRange getYielded() { return getBlock().getTerminator()->getOperands(); }
  }];
}
def YieldOp : TenonOp<"yield", [Pure, ReturnLike, Terminator, ParentOneOf<["KernelOp"]>]> {
  let summary = "the results of a kernel";
  let description = [{
    Formula: the kernel's results are the operands. The kernel checks their types.

    ```mlir
    func.func @example(%x: tensor<8xf32>) -> tensor<8xf32> {
      %r = tenon.kernel @copy(%X = %x) : (tensor<8xf32>) -> tensor<8xf32> {
        tenon.yield %X : tensor<8xf32>
      }
      return %r : tensor<8xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<AnyT>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}
def LaunchOp : TenonOp<"launch", [Pure]> {
  let summary = "a call of an outlined kernel, a function generated for the target";
  let description = [{
    Formula: the results are those of the kernel that `callee` names, `@kernels::@name`, on the operands.

    (C1) `callee` names a symbol inside a symbol.

    ```mlir
    func.func @example(%x: tensor<8x16xf32>, %w: tensor<4x16xf32>) -> tensor<8x4xf32> {
      %r = tenon.launch @kernels::@linear_gelu(%x, %w) : (tensor<8x16xf32>, tensor<4x16xf32>) -> tensor<8x4xf32>
      return %r : tensor<8x4xf32>
    }
    ```
  }];
  let hasVerifier = 1;
  let arguments = (ins SymbolRefAttr:$callee, Variadic<AnyT>:$inputs);
  let results = (outs Variadic<AnyT>:$results);
  let assemblyFormat = "$callee `(` $inputs `)` attr-dict `:` functional-type($inputs, $results)";
}

#endif
