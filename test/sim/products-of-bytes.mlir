// A product of 8-bit floats whose rows are computed in two parts, with tails on every side, in the device simulator.
// RUN: echo "@quantised_matmul = #tile.gemm<rows = 256, columns = 64, depth = 128, parts = 2, promote = 128>" > %t.schedules
// RUN: tenon-compile %s --target=sim:sm_90a --schedule=%t.schedules -o %t.tnx
// RUN: tenon-run %t.tnx --device=sim --check | FileCheck %s
// CHECK: quantised_matmul {{.*}} no findings
// CHECK: output0: ok
func.func @main(%x: tensor<300x272xf8E4M3FN>, %xs: tensor<300x1xf32>, %w: tensor<72x272xf8E5M2>, %ws: tensor<72x1xf32>) -> tensor<300x72xbf16> {
  %r = tenon.quantised_matmul %x scale(%xs), %w scale(%ws)
      : (tensor<300x272xf8E4M3FN>, tensor<300x1xf32>, tensor<72x272xf8E5M2>, tensor<72x1xf32>) -> tensor<300x72xbf16>
  return %r : tensor<300x72xbf16>
}
