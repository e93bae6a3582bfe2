// In: attention whose keys are all in one tile. Out: powers relative to the largest of a few scores; the maximum is looked
// for where a sum has outgrown that, and nothing summed before is scaled.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=tile gpu=sm_90a" | FileCheck %s

// CHECK: tile.kernel @attention
// CHECK: %[[LOWEST:.*]] = arith.constant dense<3.40282347E+38> : tensor<64xf32>
// CHECK: %[[S:.*]] = tile.dot
// CHECK: %[[FEW:.*]] = arith.select %{{.*}}, %[[S]], %{{.*}} : tensor<64x128xi1>, tensor<64x128xf32>
// CHECK: %[[PEAK:.*]] = tile.reduce max %[[FEW]]
// CHECK: %[[SCALED:.*]] = arith.mulf %[[PEAK]]
// CHECK: %[[NEGATED:.*]] = arith.negf %[[SCALED]]
// CHECK: %[[BASE:.*]] = arith.minimumf %[[NEGATED]], %[[LOWEST]]
// CHECK: %[[WIDE:.*]] = tile.broadcast %[[BASE]]
// CHECK: math.fma %[[S]], %{{.*}}, %[[WIDE]]
// CHECK-NOT: tile.reduce max
// CHECK: tile.unlikely
// CHECK: tile.reduce max %[[S]]
// CHECK-NOT: arith.mulf {{.*}} : tensor<64x64xf32>
// CHECK: tile.yield
func.func @main(%q: tensor<32x12x128x64xbf16>) -> tensor<32x12x128x64xbf16> {
  %0 = tenon.attention %q, %q, %q : (tensor<32x12x128x64xbf16>, tensor<32x12x128x64xbf16>, tensor<32x12x128x64xbf16>) -> tensor<32x12x128x64xbf16>
  return %0 : tensor<32x12x128x64xbf16>
}

// -----

// A loop's first turn looks at all of its scores; what is seldom needed holds the maximum alone.
// CHECK: tile.kernel @attention
// CHECK: scf.for
// CHECK: %[[S:.*]] = tile.dot
// CHECK-NOT: arith.select
// CHECK: tile.unlikely
// CHECK: tile.reduce max %[[S]]
func.func @main(%q: tensor<32x12x512x64xbf16>) -> tensor<32x12x512x64xbf16> {
  %0 = tenon.attention %q, %q, %q : (tensor<32x12x512x64xbf16>, tensor<32x12x512x64xbf16>, tensor<32x12x512x64xbf16>) -> tensor<32x12x512x64xbf16>
  return %0 : tensor<32x12x512x64xbf16>
}
