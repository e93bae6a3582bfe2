// In: programs that count in 32 bits. Out: the sizes that a call must keep below 2^31, and whether CTAs take turns.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=thread gpu=sm_90a" | FileCheck %s

// The rows are counted by a loop; those of the producer's loop by TMA too. The depth is known.
// CHECK-DAG: [[ONE:#.*]] = affine_map<()[s0, s1] -> (s0, s1)>
// CHECK: llvm.func @linear({{.*}}tenon.counted_sizes = #{{.*}}tenon.grid = #{{.*}}tenon.one_wave = 1 : i64
func.func @main(%x: tensor<?x4096xbf16> {tenon.dims = ["rows", ""]}, %w: tensor<4096x4096xbf16>) -> tensor<?x4096xbf16> {
  %y = tenon.linear %x, %w : (tensor<?x4096xbf16>, tensor<4096x4096xbf16>) -> tensor<?x4096xbf16>
  return %y : tensor<?x4096xbf16>
}

// -----

// No loop and no index: any size will do, 2^32 elements too.
// CHECK: llvm.func @silu(
// CHECK-NOT: tenon.counted_sizes
// CHECK-SAME: tenon.grid
func.func @main(%x: tensor<65536x65536xbf16>) -> tensor<65536x65536xbf16> {
  %y = tenon.silu %x : (tensor<65536x65536xbf16>) -> tensor<65536x65536xbf16>
  return %y : tensor<65536x65536xbf16>
}

// -----

// Three CTAs a multiprocessor, each a warpgroup and one warp that brings tiles.
// CHECK: llvm.func @attention({{.*}}nvvm.minctasm = 3 : i32, nvvm.reqntid = array<i32: 160, 1, 1>{{.*}}tenon.one_wave = 3 : i64
func.func @main(%q: tensor<32x12x128x64xbf16>) -> tensor<32x12x128x64xbf16> {
  %0 = tenon.attention %q, %q, %q : (tensor<32x12x128x64xbf16>, tensor<32x12x128x64xbf16>, tensor<32x12x128x64xbf16>) -> tensor<32x12x128x64xbf16>
  return %0 : tensor<32x12x128x64xbf16>
}
