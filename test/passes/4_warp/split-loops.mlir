// In: attention of which some turns are cut by a mask or an end. Out: the others have a loop of their own.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=tile gpu=sm_90a" --tenon-choose-warp-schedules --tenon-stage-copies \
// RUN:   --tenon-assign-layouts --tenon-skew-dots --tenon-split-loops --canonicalize --cse | FileCheck %s

// The last turns are cut.
// CHECK-LABEL: tile.kernel @attention
// CHECK: %[[WHOLE:.*]]:4 = scf.for %{{.*}} = %c128 to %[[END:.*]] step %c128 iter_args
// CHECK-NOT: scf.if
// CHECK: scf.yield
// CHECK: scf.for %{{.*}} = %{{.*}} to %{{.*}} step %c128 iter_args({{.*}} = %[[WHOLE]]#0, {{.*}} = %[[WHOLE]]#1, {{.*}} = %[[WHOLE]]#2, {{.*}} = %[[WHOLE]]#3)
// CHECK-NOT: scf.if
// CHECK: arith.cmpi sle
// CHECK: scf.yield
func.func @main(%q: tensor<2x64x512x64xf16>, %k: tensor<2x64x512x64xf16>, %v: tensor<2x64x512x64xf16>) -> tensor<2x64x512x64xf16> {
  %0 = tenon.attention %q, %k, %v {causal} : (tensor<2x64x512x64xf16>, tensor<2x64x512x64xf16>, tensor<2x64x512x64xf16>) -> tensor<2x64x512x64xf16>
  return %0 : tensor<2x64x512x64xf16>
}

// -----

// The first too, by the window.
// CHECK-LABEL: tile.kernel @attention
// CHECK: %[[FIRST:.*]]:4 = scf.for
// CHECK: arith.cmpi sgt
// CHECK: scf.yield
// CHECK: %[[WHOLE:.*]]:4 = scf.for {{.*}} iter_args({{.*}} = %[[FIRST]]#0
// CHECK-NOT: arith.cmpi
// CHECK: scf.yield
// CHECK: scf.for {{.*}} iter_args({{.*}} = %[[WHOLE]]#0
// CHECK: arith.cmpi sgt
// CHECK: scf.yield
func.func @main(%q: tensor<2x16x2048x64xf16>, %k: tensor<2x16x2048x64xf16>, %v: tensor<2x16x2048x64xf16>) -> tensor<2x16x2048x64xf16> {
  %0 = tenon.attention %q, %k, %v {causal, window = 512 : i64} : (tensor<2x16x2048x64xf16>, tensor<2x16x2048x64xf16>, tensor<2x16x2048x64xf16>) -> tensor<2x16x2048x64xf16>
  return %0 : tensor<2x16x2048x64xf16>
}
