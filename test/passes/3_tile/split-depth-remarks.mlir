// In: a split that cannot be. Out: the product in one, and why.
// RUN: tenon-opt %s --tenon-split-depth --remark-format=emitRemark --remarks-filter-missed=tenon-split-depth 2>&1 | FileCheck %s

// CHECK: remark: [Missed] {{.*}}@linear keeps its depth in one program: its depth is no multiple of 3
// CHECK: tenon.schedule = #tile.gemm<rows = 16, columns = 16, depth = 16>
func.func @main(%x: tensor<4x64xf32>, %w: tensor<8x64xf32>) -> tensor<4x8xf32> {
  %y = tenon.kernel @linear(%X = %x, %W = %w) attributes {tenon.schedule = #tile.gemm<rows = 16, columns = 16, depth = 16, split_k = 3>} : (tensor<4x64xf32>, tensor<8x64xf32>) -> tensor<4x8xf32> {
    %zero = arith.constant 0.0 : f32
    %empty = tensor.empty() : tensor<4x8xf32>
    %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x8xf32>) -> tensor<4x8xf32>
    %0 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>],
                         iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%X, %W : tensor<4x64xf32>, tensor<8x64xf32>) outs(%init : tensor<4x8xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %c, %p : f32
      linalg.yield %s : f32
    } -> tensor<4x8xf32>
    tenon.yield %0 : tensor<4x8xf32>
  }
  return %y : tensor<4x8xf32>
}
