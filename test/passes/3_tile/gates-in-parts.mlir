// In: gates by a schedule whose programs compute two parts of their rows. Out: one loop for both gates and both parts, in
// which each part's rows, and each gate's columns, are loaded once.
// RUN: split-file %s %t
// RUN: tenon-compile %t/gates.mlir --target=sm_90a --to=tile --schedule=%t/parts.txt | FileCheck %s

// CHECK: tile.kernel @linear_gated_swiglu(%[[X:.*]]: !tile.view<512x640xbf16>, %[[W:.*]]: !tile.view<1024x640xbf16>
// CHECK: tile.grid
// CHECK-NEXT: %[[SUMS:.*]]:4 = scf.for
// CHECK-DAG: %[[UPPER:.*]] = tile.load %[[X]]{{.*}} -> tensor<64x64xbf16>
// CHECK-DAG: %[[GATE:.*]] = tile.load %[[W]]{{.*}} -> tensor<80x64xbf16>
// CHECK: tile.dot %[[UPPER]], %[[GATE]]
// CHECK: %[[UP:.*]] = tile.load %[[W]]{{.*}} -> tensor<80x64xbf16>
// CHECK: tile.dot %[[UPPER]], %[[UP]]
// CHECK: %[[LOWER:.*]] = tile.load %[[X]]{{.*}} -> tensor<64x64xbf16>
// CHECK: tile.dot %[[LOWER]], %[[GATE]]
// CHECK: tile.dot %[[LOWER]], %[[UP]]
// CHECK: scf.yield
// CHECK-NOT: scf.for
// CHECK-COUNT-2: tile.store

//--- gates.mlir
func.func @main(%x: tensor<512x640xbf16>) -> tensor<512x512xbf16> {
  %g = tenon.weight "g" : tensor<512x640xbf16>
  %u = tenon.weight "u" : tensor<512x640xbf16>
  %0 = tenon.linear %x, %g : (tensor<512x640xbf16>, tensor<512x640xbf16>) -> tensor<512x512xbf16>
  %1 = tenon.linear %x, %u : (tensor<512x640xbf16>, tensor<512x640xbf16>) -> tensor<512x512xbf16>
  %2 = tenon.swiglu %0, %1 : (tensor<512x512xbf16>, tensor<512x512xbf16>) -> tensor<512x512xbf16>
  return %2 : tensor<512x512xbf16>
}
//--- parts.txt
@linear_gated_swiglu = #tile.gemm<rows = 128, columns = 80, depth = 64, parts = 2>
