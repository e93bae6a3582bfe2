#ifndef TENON_PASSES_HOST_PASSES
#define TENON_PASSES_HOST_PASSES

include "mlir/Pass/PassBase.td"

def ResolveSizesPass : Pass<"tenon-resolve-sizes", "mlir::ModuleOp"> {
  let summary = "states every dynamic size in @main over the named dimensions";
  let description = [{
    Why: the launch plan needs each buffer's shape from the arguments' sizes alone. While ops are still of the dialect
    `tenon` each can say its result sizes; after lowering and outlining nothing can. So the answer is written down in
    `tenon.result_shapes`, one affine map a result over the dimension names in alphabetical order.

    Before:
    ```mlir
    module attributes {tenon.dim_bounds = {batch = array<i64: 1, 4>, seq = array<i64: 1, 8>}} {
      func.func @main(%x: tensor<?x?x6xf32> {tenon.dims = ["batch", "seq", ""]}) -> tensor<?x6xf32> {
        %y = tenon.reshape %x : (tensor<?x?x6xf32>) -> tensor<?x6xf32>
        return %y : tensor<?x6xf32>
      }
    }
    ```
    After:
    ```mlir
    module attributes {tenon.dim_bounds = {batch = array<i64: 1, 4>, seq = array<i64: 1, 8>}} {
      func.func @main(%x: tensor<?x?x6xf32> {tenon.dims = ["batch", "seq", ""]}) -> tensor<?x6xf32> {
        %y = tenon.reshape %x {tenon.result_shapes = [affine_map<()[s0, s1] -> (s0 * s1, 6)>]} : (tensor<?x?x6xf32>) -> tensor<?x6xf32>
        return %y : tensor<?x6xf32>
      }
    }
    ```
    Requires: @main of one block; names in `tenon.dims` for its arguments' dynamic dimensions.
    Ensures: every op in @main with a dynamic result has `tenon.result_shapes`.
    Leaves alone: the ops themselves, and ops that have the attribute already.
  }];
}

#endif
