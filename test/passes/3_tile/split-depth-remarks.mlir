// In: splits that cannot be. Out: the products in one, and why.
// RUN: tenon-opt %s --tenon-split-depth --remark-format=emitRemark --remarks-filter-missed=tenon-split-depth 2>&1 | FileCheck %s

// CHECK: remark: [Missed] {{.*}}@linear keeps its depth in one program: its depth is no multiple of 3
// CHECK: remark: [Missed] {{.*}}a second kernel adds up the sums of @added: it does not start at 0
// CHECK: remark: [Missed] {{.*}}@added keeps its depth in one program: it does not start at 0

// CHECK: @linear({{.*}}tenon.schedule = #tile.gemm<rows = 16, columns = 16, depth = 16>
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

// Parts that each begin with what a sum begins with have it as often as they are.
// CHECK: @added({{.*}}tenon.schedule = #tile.gemm<rows = 64, columns = 64, depth = 64>
func.func @from_something(%x: tensor<64x256xbf16>, %w: tensor<64x256xbf16>, %b: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %y = tenon.kernel @added(%X = %x, %W = %w, %B = %b) attributes {tenon.schedule = #tile.gemm<rows = 64, columns = 64, depth = 64, split_k = 2, joined = true>} : (tensor<64x256xbf16>, tensor<64x256xbf16>, tensor<64x64xf32>) -> tensor<64x64xf32> {
    %0 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>],
                         iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%X, %W : tensor<64x256xbf16>, tensor<64x256xbf16>) outs(%B : tensor<64x64xf32>) {
    ^bb0(%a: bf16, %b0: bf16, %c: f32):
      %wide = arith.extf %a : bf16 to f32
      %other = arith.extf %b0 : bf16 to f32
      %p = arith.mulf %wide, %other : f32
      %s = arith.addf %c, %p : f32
      linalg.yield %s : f32
    } -> tensor<64x64xf32>
    tenon.yield %0 : tensor<64x64xf32>
  }
  return %y : tensor<64x64xf32>
}
