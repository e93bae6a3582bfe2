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

def RaiseAttentionPass : Pass<"tenon-raise-attention", "::mlir::ModuleOp"> {
  let summary = "matmul, softmax, matmul become attention; masks of positions become attributes";
  let description = [{
    Why: apart, the score matrix is written and read for the scale, the mask, the softmax and the second product. As one op it
    never exists, and what a causal mask hides is not computed.

    Before:
    ```mlir
    func.func @main(%q: tensor<1x2x5x8xf32>, %k: tensor<1x2x5x8xf32>, %v: tensor<1x2x5x8xf32>, %m: tensor<5xf32>) -> tensor<1x2x5x8xf32> {
      %c = tenon.constant dense<0.25> : tensor<f32>
      %0 = tenon.matmul %q, %k {transpose_b} : (tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>) -> tensor<1x2x5x5xf32>
      %1 = tenon.mul %0, %c : (tensor<1x2x5x5xf32>, tensor<f32>) -> tensor<1x2x5x5xf32>
      %2 = tenon.add %1, %m : (tensor<1x2x5x5xf32>, tensor<5xf32>) -> tensor<1x2x5x5xf32>
      %3 = tenon.softmax %2 {axis = 3 : i64} : (tensor<1x2x5x5xf32>) -> tensor<1x2x5x5xf32>
      %4 = tenon.matmul %3, %v : (tensor<1x2x5x5xf32>, tensor<1x2x5x8xf32>) -> tensor<1x2x5x8xf32>
      return %4 : tensor<1x2x5x8xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%q: tensor<1x2x5x8xf32>, %k: tensor<1x2x5x8xf32>, %v: tensor<1x2x5x8xf32>, %m: tensor<5xf32>) -> tensor<1x2x5x8xf32> {
      %0 = tenon.attention %q, %k, %v mask(%m) {scale = 0.25 : f64} : (tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>, tensor<5xf32>) -> tensor<1x2x5x8xf32>
      return %0 : tensor<1x2x5x8xf32>
    }
    ```
    Requires: canonical IR with equal values one value (cse), softmax raised (tenon-raise-softmax), heads not flattened into
    the batch (tenon-sink-reshapes).
    Ensures: a softmax over scores between two products, which nothing else reads, is an attention: with a scale on scores,
    query or key, before the mask; with a mask that is added, or selects -Inf or a number that absorbs every score; keys and
    values repeated for query heads are read unrepeated. Masks by position become `causal` and `window`. A row that sees no
    key gives 0 where the decomposed form gives NaN; 16-bit floats lose the roundings in between.
    Leaves alone: with a missed remark, scores that others read, two masks, a scale after the mask, a mask whose hidden
    number tells scores apart, batches that differ. A mask in which a finite number hides stays a float mask.
  }];
}

def RaiseLinearPass : Pass<"tenon-raise-linear", "::mlir::ModuleOp"> {
  let summary = "matmul with a weight, and the bias after it, become linear";
  let description = [{
    Why: exporters take a linear apart. As one op its weight is known as such and packed once, at load, and the bias is added
    before the one rounding.

    Before:
    ```mlir
    func.func @main(%x: tensor<4x8xf32>) -> tensor<4x16xf32> {
      %w = tenon.weight "w" : tensor<16x8xf32>
      %b = tenon.weight "b" : tensor<16xf32>
      %t = tenon.transpose %w {permutation = array<i64: 1, 0>} : (tensor<16x8xf32>) -> tensor<8x16xf32>
      %0 = tenon.matmul %x, %t : (tensor<4x8xf32>, tensor<8x16xf32>) -> tensor<4x16xf32>
      %1 = tenon.add %b, %0 : (tensor<16xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
      return %1 : tensor<4x16xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4x8xf32>) -> tensor<4x16xf32> {
      %w = tenon.weight "w" : tensor<16x8xf32>
      %b = tenon.weight "b" : tensor<16xf32>
      %0 = tenon.linear %x, %w, %b : (tensor<4x8xf32>, tensor<16x8xf32>, tensor<16xf32>) -> tensor<4x16xf32>
      return %0 : tensor<4x16xf32>
    }
    ```
    Requires: canonical IR.
    Ensures: no matmul multiplies floats by a matrix known at load; a sum of a linear that nothing else reads and a bias
    known at load is a linear. A matrix stored [K, N] is transposed by an op on weights. 16-bit floats lose one rounding.
    Leaves alone: products of activations or of integers; with missed remarks a product whose input is read transposed, or
    that others read without the bias, and what is added but is not one number an output.
  }];
}

def SinkReshapesPass : Pass<"tenon-sink-reshapes", "::mlir::ModuleOp"> {
  let summary = "flattening reshapes move down to where they cancel";
  let description = [{
    Why: exporters flatten batch and sequence to rows before each product and unflatten after it, and batch and heads to one
    batch around batched products. Nothing joins ops whose shapes differ, so the residual add would be a launch of its own.

    Before:
    ```mlir
    func.func @main(%x: tensor<?x?x8xf32> {tenon.dims = ["batch", "seq", ""]}) -> tensor<?x?x8xf32> {
      %w = tenon.weight "w" : tensor<8x8xf32>
      %b = tenon.dim %x {axis = 0 : i64} : (tensor<?x?x8xf32>) -> tensor<i64>
      %s = tenon.dim %x {axis = 1 : i64} : (tensor<?x?x8xf32>) -> tensor<i64>
      %0 = tenon.reshape %x : (tensor<?x?x8xf32>) -> tensor<?x8xf32>
      %1 = tenon.linear %0, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
      %2 = tenon.reshape %1, %b, %s : (tensor<?x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x8xf32>
      %3 = tenon.add %2, %x : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
      return %3 : tensor<?x?x8xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<?x?x8xf32> {tenon.dims = ["batch", "seq", ""]}) -> tensor<?x?x8xf32> {
      %w = tenon.weight "w" : tensor<8x8xf32>
      %0 = tenon.linear %x, %w : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
      %1 = tenon.add %0, %x : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
      return %1 : tensor<?x?x8xf32>
    }
    ```
    Requires: dynamic dimensions named (`tenon.dims`), every size an expression over the names.
    Ensures: linear, matmul, softmax, the norms and pointwise ops read no value that a reshape has flattened in dimensions
    that they treat alike; a reshape back to a shape the value had before is gone.
    Leaves alone: reshapes that an op's own dimensions go into, and pointwise ops that join a flattened value with one that
    never had the other shape. Where sizes are not known, everything, with a missed remark.
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
