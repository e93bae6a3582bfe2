// Launches and programs on tiles are left alone.
// RUN: tenon-opt %s --tenon-thread-general-kernels | FileCheck %s

// CHECK: tenon.launch @kernels::@tiled
// CHECK: tile.kernel @tiled
// CHECK: llvm.func @other
func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %y = tenon.launch @kernels::@tiled(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %z = tenon.kernel @other(%X = %x) : (tensor<4xf32>) -> tensor<4xf32> {
    tenon.yield %X : tensor<4xf32>
  }
  return %y, %z : tensor<4xf32>, tensor<4xf32>
}
module @kernels {
  tile.kernel @tiled(%X: !tile.view<4xf32>, %Y: !tile.view<4xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    tile.grid (%i) = (%c1) {
      %x = tile.load %X[%c0] : <4xf32> -> tensor<4xf32>
      tile.store %x, %Y[%c0] : tensor<4xf32>, <4xf32>
    }
  }
}
