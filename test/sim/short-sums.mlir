// Products of 8-bit floats by the short sums of a GPU, of tensors' and of blocks' scales: within the bound that such sums
// have, and outside of the one that whole sums have.
// RUN: tenon-compile %s --target=sim:sm_90a -o %t.tnx
// RUN: tenon-run %t.tnx --device=sim --sim-short-sums --check | FileCheck %s
// CHECK-COUNT-2: no findings
// CHECK: output0: ok
// CHECK: output1: ok
// RUN: tenon-run %t.tnx --device=sim --check | FileCheck %s
// RUN: tenon-run %t.tnx --device=sim --sim-short-sums --output=%t.npz
// RUN: tenon-run %t.tnx --device=sim --output=%t-whole.npz
// RUN: not tenon-run %t.tnx --device=sim --sim-short-sums --expected=%t-whole.npz --rtol=1e-6 --atol=1e-6
func.func @main(%x: tensor<40x512xf8E4M3FN>, %xs: tensor<40x1xf32>, %xb: tensor<40x4xf32>, %w: tensor<128x512xf8E4M3FN>,
                %ws: tensor<128x1xf32>, %wb: tensor<1x4xf32>) -> (tensor<40x128xf32>, tensor<40x128xf32>) {
  %r = tenon.quantised_matmul %x scale(%xs), %w scale(%ws)
      : (tensor<40x512xf8E4M3FN>, tensor<40x1xf32>, tensor<128x512xf8E4M3FN>, tensor<128x1xf32>) -> tensor<40x128xf32>
  %b = tenon.quantised_matmul %x scale(%xb), %w scale(%wb) {block = array<i64: 128, 128>}
      : (tensor<40x512xf8E4M3FN>, tensor<40x4xf32>, tensor<128x512xf8E4M3FN>, tensor<1x4xf32>) -> tensor<40x128xf32>
  return %r, %b : tensor<40x128xf32>, tensor<40x128xf32>
}
