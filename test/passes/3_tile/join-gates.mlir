// In: a product whose halves a gate reads. Out: one kernel, whose program multiplies both in one loop.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel gpu=sm_90a" --tenon-collapse-dimensions --tenon-join-gates | FileCheck %s
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=tile gpu=sm_90a" | FileCheck %s --check-prefix=TILE
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" | FileCheck %s --check-prefix=CPU

// The weights are joined at load, on a GPU; a CPU has one product for both only where there are few rows.
// CPU-LABEL: func.func @main
// CPU: tenon.kernel @linear(
// CPU: tenon.kernel @linear_swiglu(
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @concat(
// CHECK: tenon.kernel @linear_gated_swiglu(
// CHECK-NOT: tenon.kernel
// TILE: tile.kernel @linear_gated_swiglu(
// TILE: %[[SUMS:.*]]:2 = scf.for
// TILE: %[[X:.*]] = tile.load %{{.*}} -> tensor<[[ROWS:[0-9]+]]x64xbf16>
// TILE: tile.dot %[[X]],
// TILE: tile.dot %[[X]],
// TILE: scf.yield
// TILE: math.exp
// TILE: tile.store
func.func @main(%x: tensor<4x128x256xbf16>) -> tensor<4x128x512xbf16> {
  %g = tenon.weight "g" : tensor<512x256xbf16>
  %u = tenon.weight "u" : tensor<512x256xbf16>
  %0 = tenon.linear %x, %g : (tensor<4x128x256xbf16>, tensor<512x256xbf16>) -> tensor<4x128x512xbf16>
  %1 = tenon.linear %x, %u : (tensor<4x128x256xbf16>, tensor<512x256xbf16>) -> tensor<4x128x512xbf16>
  %2 = tenon.swiglu %0, %1 : (tensor<4x128x512xbf16>, tensor<4x128x512xbf16>) -> tensor<4x128x512xbf16>
  return %2 : tensor<4x128x512xbf16>
}

// -----

// One row: of a step of one sequence.
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @linear_gated_swiglu(
// CHECK-NOT: tenon.kernel @swiglu(
// TILE: tile.kernel @linear_gated_swiglu(
func.func @main(%x: tensor<1x1x256xbf16>) -> tensor<1x1x512xbf16> {
  %g = tenon.weight "g" : tensor<512x256xbf16>
  %u = tenon.weight "u" : tensor<512x256xbf16>
  %0 = tenon.linear %x, %g : (tensor<1x1x256xbf16>, tensor<512x256xbf16>) -> tensor<1x1x512xbf16>
  %1 = tenon.linear %x, %u : (tensor<1x1x256xbf16>, tensor<512x256xbf16>) -> tensor<1x1x512xbf16>
  %2 = tenon.swiglu %0, %1 : (tensor<1x1x512xbf16>, tensor<1x1x512xbf16>) -> tensor<1x1x512xbf16>
  return %2 : tensor<1x1x512xbf16>
}

// -----

// Somebody else reads the product.
// CHECK-LABEL: func.func @main
// CHECK: tenon.kernel @linear(
// CHECK: tenon.kernel @swiglu(
func.func @main(%x: tensor<64x256xbf16>, %w: tensor<1024x256xbf16>) -> (tensor<64x1024xbf16>, tensor<64x512xbf16>) {
  %0 = tenon.linear %x, %w : (tensor<64x256xbf16>, tensor<1024x256xbf16>) -> tensor<64x1024xbf16>
  %g, %u = tenon.split %0 {axis = 1 : i64, sizes = array<i64: 512, 512>} : (tensor<64x1024xbf16>) -> (tensor<64x512xbf16>, tensor<64x512xbf16>)
  %2 = tenon.swiglu %g, %u : (tensor<64x512xbf16>, tensor<64x512xbf16>) -> tensor<64x512xbf16>
  return %0, %2 : tensor<64x1024xbf16>, tensor<64x512xbf16>
}
