#ifndef TENON_PASSES_3_TILE_PASSES
#define TENON_PASSES_3_TILE_PASSES

include "mlir/Pass/PassBase.td"

def CollapseDimensionsPass : Pass<"tenon-collapse-dimensions"> {
  let summary = "dimensions that lie together and are run through together become one";
  let description = [{
    Why: a program takes its rows along one dimension. Of [batch, sequence, hidden] it would take them along the sequence
    alone, one row where a decoder generates a token at a time; as [batch * sequence, hidden] it takes what there is, and
    a product of it with a weight is one product.

    Before:
    ```mlir
    func.func @main(%x: tensor<2x3x16xf32>) -> tensor<2x3x16xf32> {
      %y = tenon.kernel @negate(%X = %x) : (tensor<2x3x16xf32>) -> tensor<2x3x16xf32> {
        %empty = tensor.empty() : tensor<2x3x16xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>],
                             iterator_types = ["parallel", "parallel", "parallel"]}
            ins(%X : tensor<2x3x16xf32>) outs(%empty : tensor<2x3x16xf32>) {
        ^bb0(%in: f32, %out: f32):
          %1 = arith.negf %in : f32
          linalg.yield %1 : f32
        } -> tensor<2x3x16xf32>
        tenon.yield %0 : tensor<2x3x16xf32>
      }
      return %y : tensor<2x3x16xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<2x3x16xf32>) -> tensor<2x3x16xf32> {
      %y = tenon.kernel @negate(%X = %x) : (tensor<2x3x16xf32>) -> tensor<2x3x16xf32> {
        %rows = tensor.collapse_shape %X [[0, 1, 2]] : tensor<2x3x16xf32> into tensor<96xf32>
        %empty = tensor.empty() : tensor<96xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
            ins(%rows : tensor<96xf32>) outs(%empty : tensor<96xf32>) {
        ^bb0(%in: f32, %out: f32):
          %1 = arith.negf %in : f32
          linalg.yield %1 : f32
        } -> tensor<96xf32>
        %expanded = tensor.expand_shape %0 [[0, 1, 2]] output_shape [2, 3, 16] : tensor<96xf32> into tensor<2x3x16xf32>
        tenon.yield %expanded : tensor<2x3x16xf32>
      }
      return %y : tensor<2x3x16xf32>
    }
    ```
    Requires: kernels lowered to linalg.
    Ensures: no two neighbouring loops of a kernel could be one; operands and results of kernels are as before.
    Leaves alone: dimensions that some op of the kernel reads apart: by their index, in another order, one without the other.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def ChooseTileSchedulesPass : Pass<"tenon-choose-tile-schedules", "::mlir::ModuleOp"> {
  let summary = "each kernel gets its schedule on tiles";
  let description = [{
    Why: how a kernel is cut into programs is chosen here, by lib/Schedule, and stands on the kernel as an attribute; the
    passes after this one only carry it out, and a choice by hand overrides it.

    Before:
    ```mlir
    func.func @main(%x: tensor<4x16xf32>) -> tensor<4x16xf32> {
      %y = tenon.kernel @negate(%X = %x) : (tensor<4x16xf32>) -> tensor<4x16xf32> {
        %0 = arith.negf %X : tensor<4x16xf32>
        tenon.yield %0 : tensor<4x16xf32>
      }
      return %y : tensor<4x16xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4x16xf32>) -> tensor<4x16xf32> {
      %y = tenon.kernel @negate(%X = %x) attributes {tenon.schedule = #tile.row<rows = 4, columns = 16, part = 1>} : (tensor<4x16xf32>) -> tensor<4x16xf32> {
        %0 = arith.negf %X : tensor<4x16xf32>
        tenon.yield %0 : tensor<4x16xf32>
      }
      return %y : tensor<4x16xf32>
    }
    ```
    Requires: kernels lowered to linalg.
    Ensures: every kernel with a result has `tenon.schedule`.
    Leaves alone: schedules that are there already.
  }];
  let dependentDialects = ["::tenon::tile::TileDialect"];
}

def TileKernelsPass : Pass<"tenon-tile-kernels", "::mlir::ModuleOp"> {
  let summary = "kernels become programs on tiles";
  let description = [{
    Why: what one CTA computes, and where, is one screen of loads, dots, folds and stores; threads, layouts and barriers
    are the business of the level below.

    Before:
    ```mlir
    func.func @main(%x: tensor<4x16xf32>) -> tensor<4x16xf32> {
      %y = tenon.kernel @negate(%X = %x) attributes {tenon.schedule = #tile.row<rows = 4, columns = 16, part = 128>} : (tensor<4x16xf32>) -> tensor<4x16xf32> {
        %empty = tensor.empty() : tensor<4x16xf32>
        %0 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>],
                             iterator_types = ["parallel", "parallel"]} ins(%X : tensor<4x16xf32>) outs(%empty : tensor<4x16xf32>) {
        ^bb0(%in: f32, %out: f32):
          %1 = arith.negf %in : f32
          linalg.yield %1 : f32
        } -> tensor<4x16xf32>
        tenon.yield %0 : tensor<4x16xf32>
      }
      return %y : tensor<4x16xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4x16xf32>) -> tensor<4x16xf32> {
      %y = tenon.launch @kernels::@negate(%x) : (tensor<4x16xf32>) -> tensor<4x16xf32>
      return %y : tensor<4x16xf32>
    }
    module @kernels {
      tile.kernel @negate(%X: !tile.view<4x16xf32>, %Y: !tile.view<4x16xf32>)
          attributes {tenon.schedule = #tile.row<rows = 4, columns = 16, part = 128>} {
        %c0 = arith.constant 0 : index
        %c1 = arith.constant 1 : index
        tile.grid (%i, %j) = (%c1, %c1) {
          %0 = tile.load %X[%c0, %c0] : !tile.view<4x16xf32> -> tensor<4x16xf32>
          %1 = arith.negf %0 : tensor<4x16xf32>
          tile.store %1, %Y[%c0, %c0] : tensor<4x16xf32>, !tile.view<4x16xf32>
        }
      }
    }
    ```
    Requires: kernels lowered to linalg, schedules chosen (tenon-choose-tile-schedules).
    Ensures: a kernel that has a program is launched by name; programs of one kernel store to disjoint places.
    Leaves alone: kernels with windows, gathers along several dimensions and other ops without a form on tiles, each with a
    missed remark that says why.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect", "::tenon::tile::TileDialect"];
}

#endif
