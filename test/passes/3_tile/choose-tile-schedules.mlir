// In: kernels. Out: each with its schedule on tiles; a choice by hand stays.
// RUN: tenon-opt %s --split-input-file --tenon-phases="from=kernel to=kernel" --tenon-choose-tile-schedules | FileCheck %s

// The depth of a step is 128 bytes; few rows make a flat tile.
// CHECK: @linear({{.*}}#tile.gemm<rows = 128, columns = 128, depth = 64>
// CHECK: @linear_1({{.*}}#tile.gemm<rows = 16, columns = 128, depth = 32>
func.func @main(%x: tensor<?x384xbf16> {tenon.dims = ["rows", ""]}, %y: tensor<3x384xf32>, %w: tensor<1000x384xbf16>, %v: tensor<1000x384xf32>) -> (tensor<?x1000xbf16>, tensor<3x1000xf32>) {
  %0 = tenon.linear %x, %w : (tensor<?x384xbf16>, tensor<1000x384xbf16>) -> tensor<?x1000xbf16>
  %1 = tenon.linear %y, %v : (tensor<3x384xf32>, tensor<1000x384xf32>) -> tensor<3x1000xf32>
  return %0, %1 : tensor<?x1000xbf16>, tensor<3x1000xf32>
}

// -----

// CHECK: @softmax({{.*}}#tile.row<rows = 128, columns = 32, part = 128>
// CHECK: @attention({{.*}}#tile.attention<queries = 128, keys = 128>
func.func @main(%x: tensor<2x4x?x32xf32> {tenon.dims = ["", "", "n", ""]}) -> tensor<2x4x?x32xf32> {
  %0 = tenon.softmax %x {axis = 3 : i64} : (tensor<2x4x?x32xf32>) -> tensor<2x4x?x32xf32>
  %1 = tenon.attention %0, %0, %0 : (tensor<2x4x?x32xf32>, tensor<2x4x?x32xf32>, tensor<2x4x?x32xf32>) -> tensor<2x4x?x32xf32>
  return %1 : tensor<2x4x?x32xf32>
}

// -----

// CHECK: @copy({{.*}}tenon.schedule = #tile.row<rows = 1, columns = 2, part = 3>
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = tenon.kernel @copy(%X = %x) attributes {tenon.schedule = #tile.row<rows = 1, columns = 2, part = 3>} : (tensor<4xf32>) -> tensor<4xf32> {
    tenon.yield %X : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}
