#ifndef TENON_PASSES_1_GRAPH_PASSES
#define TENON_PASSES_1_GRAPH_PASSES

include "mlir/Pass/PassBase.td"

def FoldConstantsPass : Pass<"tenon-fold-constants", "::mlir::ModuleOp"> {
  let summary = "ops on constants are computed now, where the result is small";
  let description = [{
    Why: exporters leave arithmetic on constants in the graph: a scale as 1 / sqrt(64), a table of frequencies. Each would
    be a launch, and a form that looks for the number would not find it.

    Before:
    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %d = tenon.constant dense<64.0> : tensor<f32>
      %0 = tenon.rsqrt %d : (tensor<f32>) -> tensor<f32>
      %1 = tenon.mul %x, %0 : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
      return %1 : tensor<4xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %0 = tenon.constant dense<0.125> : tensor<f32>
      %1 = tenon.mul %x, %0 : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
      return %1 : tensor<4xf32>
    }
    ```
    Requires: nothing.
    Ensures: no op reads constants alone, but where its result would be over 64 KiB, or over 1 KiB and over four times what
    it reads. Values are the float64 reference's, rounded to the element type op by op.
    Leaves alone: iota, which reads nothing and is cheaper computed than read; weights; what has no defined value (an
    integer divided by 0), with a missed remark.
  }];
}

def MergeProjectionsPass : Pass<"tenon-merge-projections", "::mlir::ModuleOp"> {
  let summary = "query, key and value become one product";
  let description = [{
    Why: three narrow products read the whole input three times, and each alone keeps fewer cores busy. Attention reads the
    parts of the joined result in place; the joining of weights runs once, at load.

    Before:
    ```mlir
    func.func @main(%x: tensor<2x5x8xf32>) -> tensor<2x1x5x8xf32> {
      %wq = tenon.weight "q" : tensor<8x8xf32>
      %wk = tenon.weight "k" : tensor<8x8xf32>
      %q = tenon.linear %x, %wq : (tensor<2x5x8xf32>, tensor<8x8xf32>) -> tensor<2x5x8xf32>
      %k = tenon.linear %x, %wk : (tensor<2x5x8xf32>, tensor<8x8xf32>) -> tensor<2x5x8xf32>
      %qh = tenon.reshape %q : (tensor<2x5x8xf32>) -> tensor<2x1x5x8xf32>
      %kh = tenon.reshape %k : (tensor<2x5x8xf32>) -> tensor<2x1x5x8xf32>
      %r = tenon.attention %qh, %kh, %kh : (tensor<2x1x5x8xf32>, tensor<2x1x5x8xf32>, tensor<2x1x5x8xf32>) -> tensor<2x1x5x8xf32>
      return %r : tensor<2x1x5x8xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<2x5x8xf32>) -> tensor<2x1x5x8xf32> {
      %wq = tenon.weight "q" : tensor<8x8xf32>
      %wk = tenon.weight "k" : tensor<8x8xf32>
      %w = tenon.concat %wq, %wk {axis = 0 : i64} : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<16x8xf32>
      %qk = tenon.linear %x, %w : (tensor<2x5x8xf32>, tensor<16x8xf32>) -> tensor<2x5x16xf32>
      %q, %k = tenon.split %qk {axis = 2 : i64, sizes = array<i64: 8, 8>} : (tensor<2x5x16xf32>) -> (tensor<2x5x8xf32>, tensor<2x5x8xf32>)
      %qh = tenon.reshape %q : (tensor<2x5x8xf32>) -> tensor<2x1x5x8xf32>
      %kh = tenon.reshape %k : (tensor<2x5x8xf32>) -> tensor<2x1x5x8xf32>
      %r = tenon.attention %qh, %kh, %kh : (tensor<2x1x5x8xf32>, tensor<2x1x5x8xf32>, tensor<2x1x5x8xf32>) -> tensor<2x1x5x8xf32>
      return %r : tensor<2x1x5x8xf32>
    }
    ```
    Requires: linears raised (tenon-raise-linear), equal values one value (cse).
    Ensures: linears that read one input, have weights known at load, and whose results attention alone reads, through
    reshapes and transposes, are one linear and a split. A missing bias beside others is -0.0, which changes no sum.
    Leaves alone: a result that anything else reads: it would be copied out of the joined one. A missed remark says so.
  }];
}

def VerifyGraphPass : Pass<"tenon-verify-graph", "::mlir::ModuleOp"> {
  let summary = "what holds after phase graph is checked";
  let description = [{
    Why: kernels are formed from what stands in @main. An op that is dead, or a view of a view, would become a launch of its
    own; here it is named, with its line in the model.

    Before:
    ```mlir
    func.func @main(%x: tensor<4x6xf32>) -> tensor<6x4xf32> {
      %0 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<4x6xf32>) -> tensor<6x4xf32>
      return %0 : tensor<6x4xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4x6xf32>) -> tensor<6x4xf32> {
      %0 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<4x6xf32>) -> tensor<6x4xf32>
      return %0 : tensor<6x4xf32>
    }
    ```
    Requires: nothing.
    Ensures: functions are one block of tenon ops, none of them a kernel or a launch; no result is without a reader; no
    reshape reads a reshape, no transpose a transpose, no expand an expand. Anything else is an error.
    Leaves alone: everything.
  }];
}

#endif
