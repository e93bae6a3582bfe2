// What the machine runs of a register block: its 24 sums stay in registers while the loop along a chain of the depth runs,
// and where a row begins was computed before.
// RUN: tenon-compile %s --target=cpu:skylake-avx512 --dump=%t -o %t.tnx && FileCheck %s < %t/kernels.s

// CHECK-LABEL: linear_gelu.tasks:
// CHECK: vfmadd231ps
// CHECK-NOT: %zmm{{[0-9]+}}, {{[-0-9]*}}(%rsp)
// CHECK-NOT: {{[-0-9]*}}(%rsp), %zmm
// CHECK-NOT: cmov
// CHECK: jne
func.func @main(%x: tensor<?x?x384xf32> {tenon.dims = ["batch", "seq", ""]}) -> tensor<?x?x1536xf32> {
  %w = tenon.weight "w" : tensor<1536x384xf32>
  %b = tenon.weight "b" : tensor<1536xf32>
  %0 = tenon.linear %x, %w, %b : (tensor<?x?x384xf32>, tensor<1536x384xf32>, tensor<1536xf32>) -> tensor<?x?x1536xf32>
  %1 = tenon.gelu %0 : (tensor<?x?x1536xf32>) -> tensor<?x?x1536xf32>
  return %1 : tensor<?x?x1536xf32>
}
