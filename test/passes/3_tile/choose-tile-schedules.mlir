// In: kernels. Out: each with its schedule on tiles, and why; a choice by hand stays, but for that of a file.
// RUN: split-file %s %t
// RUN: tenon-opt %t/kernels.mlir --split-input-file --tenon-phases="to=kernel" --tenon-choose-tile-schedules | FileCheck %t/kernels.mlir
// RUN: tenon-opt %t/kernels.mlir --split-input-file --tenon-phases="to=kernel" --tenon-choose-tile-schedules -o /dev/null --remark-format=emitRemark \
// RUN:   --remarks-filter-passed=tenon-choose-tile-schedules 2>&1 | FileCheck %t/kernels.mlir --check-prefix=REMARK
// RUN: tenon-opt %t/floats.mlir --tenon-phases="to=kernel" --tenon-choose-tile-schedules | FileCheck %t/floats.mlir
// RUN: tenon-opt %t/sums.mlir --tenon-phases="to=kernel" --tenon-choose-tile-schedules | FileCheck %t/sums.mlir
// RUN: tenon-opt %t/sums.mlir --tenon-phases="to=kernel" --tenon-choose-tile-schedules=tf32=true | FileCheck %t/sums.mlir --check-prefix=TF32
// RUN: tenon-opt %t/across.mlir --tenon-phases="to=kernel" --tenon-choose-tile-schedules=tf32=true | FileCheck %t/across.mlir
// RUN: tenon-opt %t/across.mlir --tenon-phases="to=kernel" --tenon-choose-tile-schedules=tf32=true -o /dev/null --remark-format=emitRemark \
// RUN:   --remarks-filter-passed=tenon-choose-tile-schedules 2>&1 | FileCheck %t/across.mlir --check-prefix=WHY
// RUN: tenon-opt %t/shared.mlir --tenon-phases="to=kernel" --tenon-choose-tile-schedules=tuning=none | FileCheck %t/shared.mlir
// RUN: tenon-opt %t/integers.mlir --tenon-phases="to=kernel" --tenon-choose-tile-schedules | FileCheck %t/integers.mlir
// RUN: tenon-opt %t/shared.mlir --tenon-phases="to=kernel" --tenon-choose-tile-schedules="tuning=none arch=sm_80" | FileCheck %t/shared.mlir --check-prefix=WARP
// RUN: tenon-opt %t/floats.mlir --tenon-phases="to=kernel" --tenon-choose-tile-schedules=arch=sm_80 | FileCheck %t/floats.mlir --check-prefix=SM80
// RUN: tenon-opt %t/floats.mlir --tenon-phases="to=kernel" --tenon-choose-tile-schedules=arch=sm_89 | FileCheck %t/floats.mlir --check-prefix=SM89
// RUN: tenon-opt %t/by-hand.mlir --tenon-choose-tile-schedules=schedules=%t/schedules | FileCheck %t/by-hand.mlir
// RUN: not tenon-opt %t/by-hand.mlir --tenon-choose-tile-schedules=schedules=%t/none 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not tenon-opt %t/by-hand.mlir --tenon-choose-tile-schedules=schedules=%t/no-schedule 2>&1 | FileCheck %s --check-prefix=SCHEDULE
// RUN: not tenon-opt %t/by-hand.mlir --tenon-choose-tile-schedules=schedules=%t/no-name 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not tenon-opt %t/by-hand.mlir --tenon-choose-tile-schedules=schedules=%t/twice 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not tenon-opt %t/by-hand.mlir --tenon-choose-tile-schedules=schedules=%t/unknown 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not tenon-opt %t/by-hand.mlir --tenon-choose-tile-schedules=arch=sm_10 2>&1 | FileCheck %s --check-prefix=ARCH
// NONE: error: file of schedules '{{.*}}none' cannot be read
// SCHEDULE: no-schedule:1: '17 : i64' is no schedule; a line is `@kernel = #tile.gemm<..>`, `#tile.attention<..>`, `#tile.row<..>` or `#warp.schedule<..>`
// NAME: no-name:2: 'copy = #tile.row<rows = 1, columns = 8, part = 3>' names no kernel and its schedule
// TWICE: twice:2: @copy has a schedule already
// UNKNOWN: unknown: @no_kernel is no kernel of the model
// ARCH: GPU architecture 'sm_10' is unknown

//--- schedules
// A comment, then a line a kernel; those of the next phase are no business of this one.
@other = #warp.schedule<warps = [1, 3], stages = 2, tf32 = false>
@copy = #tile.row<rows = 1, columns = 8, part = 3>  // and another
//--- no-schedule
@copy = 17 : i64
//--- no-name

copy = #tile.row<rows = 1, columns = 8, part = 3>
//--- twice
@copy = #tile.row<rows = 1, columns = 8, part = 3>
@copy = #tile.row<rows = 1, columns = 8, part = 3>
//--- unknown
@no_kernel = #tile.row<rows = 1, columns = 8, part = 3>

//--- by-hand.mlir
// CHECK: @copy({{.*}}tenon.schedule = #tile.row<rows = 1, columns = 8, part = 3>
// CHECK: @other({{.*}}tenon.schedule = #tile.row<rows = 1, columns = 2, part = 3>
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = tenon.kernel @copy(%X = %x) attributes {tenon.schedule = #tile.row<rows = 1, columns = 2, part = 3>} : (tensor<4xf32>) -> tensor<4xf32> {
    tenon.yield %X : tensor<4xf32>
  }
  %z = tenon.kernel @other(%X = %y) attributes {tenon.schedule = #tile.row<rows = 1, columns = 2, part = 3>} : (tensor<4xf32>) -> tensor<4xf32> {
    tenon.yield %X : tensor<4xf32>
  }
  return %z : tensor<4xf32>
}

//--- kernels.mlir
// The depth of a step is 128 bytes; of many programs two warpgroups have one each. Three rows make a flat tile, and programs
// share the depth.
// REMARK: remark: [Passed] {{.*}}@linear has #tile.gemm<{{.*}}>: {{[0-9]+}} programs, {{[0-9]+}} on the busiest multiprocessor, bound by {{.*}}, {{.*}} us by the model; next of {{[0-9]+}}: {{[0-9]+}} x {{[0-9]+}}
// CHECK: @linear({{.*}}#tile.gemm<rows = 128, columns = {{[0-9]+}}, depth = 64, parts = 2>
// CHECK: @linear_1({{.*}}#tile.gemm<rows = 16, columns = {{[0-9]+}}, depth = 32, split_k = {{[0-9]+}}, promote = 128>
func.func @main(%x: tensor<?x4096xbf16> {tenon.dims = ["rows", ""]}, %y: tensor<3x4096xf32>, %w: tensor<4096x4096xbf16>, %v: tensor<1024x4096xf32>) -> (tensor<?x4096xbf16>, tensor<3x1024xf32>) {
  %0 = tenon.linear %x, %w : (tensor<?x4096xbf16>, tensor<4096x4096xbf16>) -> tensor<?x4096xbf16>
  %1 = tenon.linear %y, %v : (tensor<3x4096xf32>, tensor<1024x4096xf32>) -> tensor<3x1024xf32>
  return %0, %1 : tensor<?x4096xbf16>, tensor<3x1024xf32>
}

// -----

// REMARK: @softmax has {{.*}}: a row fits registers: it is read once
// CHECK: @softmax({{.*}}#tile.row<rows = 128, columns = 32, part = 128>
// CHECK: @attention({{.*}}#tile.attention<queries = 64, keys = 64>
func.func @main(%x: tensor<2x4x?x32xf32> {tenon.dims = ["", "", "n", ""]}) -> tensor<2x4x?x32xf32> {
  %0 = tenon.softmax %x {axis = 3 : i64} : (tensor<2x4x?x32xf32>) -> tensor<2x4x?x32xf32>
  %1 = tenon.attention %0, %0, %0 : (tensor<2x4x?x32xf32>, tensor<2x4x?x32xf32>, tensor<2x4x?x32xf32>) -> tensor<2x4x?x32xf32>
  return %1 : tensor<2x4x?x32xf32>
}


// -----

// Keys of one turn are one page: pages are put side by side in a ring, and that needs a loop.
// CHECK: @attention({{.*}}#tile.attention<queries = 16, keys = 16>
func.func @main(%q: tensor<3x8x1x64xbf16>, %k: tensor<5x2x16x64xbf16>, %v: tensor<5x2x16x64xbf16>, %pages: tensor<3x2xi64>) -> tensor<3x8x1x64xbf16> {
  %0 = tenon.attention %q, %k, %v block_table(%pages) {} : (tensor<3x8x1x64xbf16>, tensor<5x2x16x64xbf16>, tensor<5x2x16x64xbf16>, tensor<3x2xi64>) -> tensor<3x8x1x64xbf16>
  return %0 : tensor<3x8x1x64xbf16>
}
//--- sums.mlir
// Products of f32 by multiply-adds are added up in blocks of the depth where it has more than one: not by the Tensor Cores' tf32, and
// not of f64. A thread has room for both sums: 32 of each.
// CHECK: @linear({{.*}}#tile.gemm<rows = 64, columns = 64, depth = 32, promote = 128>
// CHECK: @linear_1({{.*}}#tile.gemm<rows = {{[0-9]+}}, columns = {{[0-9]+}}, depth = 32>
// CHECK: @linear_2({{.*}}#tile.gemm<rows = {{[0-9]+}}, columns = {{[0-9]+}}, depth = 16, split_k = 16>
// TF32: @linear({{.*}}#tile.gemm<rows = 128, columns = 256, depth = 32>
// TF32: @linear_1({{.*}}#tile.gemm<rows = {{[0-9]+}}, columns = {{[0-9]+}}, depth = 32>
func.func @main(%x: tensor<4096x1024xf32>, %w: tensor<4096x1024xf32>, %y: tensor<4096x128xf32>, %v: tensor<4096x128xf32>, %z: tensor<64x256xf64>, %u: tensor<64x256xf64>) -> (tensor<4096x4096xf32>, tensor<4096x4096xf32>, tensor<64x64xf64>) {
  %0 = tenon.linear %x, %w : (tensor<4096x1024xf32>, tensor<4096x1024xf32>) -> tensor<4096x4096xf32>
  %1 = tenon.linear %y, %v : (tensor<4096x128xf32>, tensor<4096x128xf32>) -> tensor<4096x4096xf32>
  %2 = tenon.linear %z, %u : (tensor<64x256xf64>, tensor<64x256xf64>) -> tensor<64x64xf64>
  return %0, %1, %2 : tensor<4096x4096xf32>, tensor<4096x4096xf32>, tensor<64x64xf64>
}

//--- across.mlir
// Tensor Cores take f32 as tf32 along the depth alone: else it is as without.
// CHECK: @matmul({{.*}}#tile.gemm<rows = 64, columns = 64, depth = 32, promote = 128>
// CHECK: @matmul_1({{.*}}#tile.gemm<rows = 64, columns = 64, depth = 32, promote = 128>
// CHECK: @matmul_2({{.*}}#tile.gemm<rows = 128, columns = 256, depth = 32>
// WHY: @matmul has {{.*}}; by multiply-adds, for Tensor Cores take tf32 along the depth alone; next of
// WHY: @matmul_1 has {{.*}}; by multiply-adds, for Tensor Cores take tf32 along the depth alone; next of
// WHY-NOT: multiply-adds
func.func @main(%x: tensor<1024x4096xf32>, %w: tensor<4096x4096xf32>, %y: tensor<4096x1024xf32>) -> (tensor<1024x4096xf32>, tensor<1024x4096xf32>, tensor<1024x4096xf32>) {
  %0 = tenon.matmul %x, %w : (tensor<1024x4096xf32>, tensor<4096x4096xf32>) -> tensor<1024x4096xf32>
  %1 = tenon.matmul %y, %w {transpose_a, transpose_b} : (tensor<4096x1024xf32>, tensor<4096x4096xf32>) -> tensor<1024x4096xf32>
  %2 = tenon.matmul %x, %w {transpose_b} : (tensor<1024x4096xf32>, tensor<4096x4096xf32>) -> tensor<1024x4096xf32>
  return %0, %1, %2 : tensor<1024x4096xf32>, tensor<1024x4096xf32>, tensor<1024x4096xf32>
}

//--- shared.mlir
// Programs that share the depth of few tiles add up their sum themselves, as a cluster or by the last of them; not where a norm comes next,
// which adds the parts, and not without warpgroups.
// CHECK: @linear({{.*}}#tile.gemm<rows = {{[0-9]+}}, columns = {{[0-9]+}}, depth = {{[0-9]+}}, split_k = {{[0-9]+}}, joined = true>
// CHECK: @linear_1({{.*}}#tile.gemm<rows = 128, columns = 128, depth = 64, split_k = 2, by_last = true>
// CHECK: @linear_2({{.*}}#tile.gemm<rows = {{[0-9]+}}, columns = {{[0-9]+}}, depth = {{[0-9]+}}, split_k = {{[0-9]+}}>
// WARP-NOT: joined
// WARP-NOT: by_last
func.func @main(%x: tensor<128x3072xbf16>, %w: tensor<768x3072xbf16>, %y: tensor<256x14336xbf16>, %v: tensor<4096x14336xbf16>, %u: tensor<1024x3072xbf16>, %h: tensor<1024xbf16>) -> (tensor<128x768xbf16>, tensor<256x4096xbf16>, tensor<128x1024xbf16>) {
  %0 = tenon.linear %x, %w : (tensor<128x3072xbf16>, tensor<768x3072xbf16>) -> tensor<128x768xbf16>
  %1 = tenon.linear %y, %v : (tensor<256x14336xbf16>, tensor<4096x14336xbf16>) -> tensor<256x4096xbf16>
  %2 = tenon.linear %x, %u : (tensor<128x3072xbf16>, tensor<1024x3072xbf16>) -> tensor<128x1024xbf16>
  %3 = tenon.rms_norm %2, %h {epsilon = 1.0e-5 : f64} : (tensor<128x1024xbf16>, tensor<1024xbf16>) -> tensor<128x1024xbf16>
  return %0, %1, %3 : tensor<128x768xbf16>, tensor<256x4096xbf16>, tensor<128x1024xbf16>
}

//--- floats.mlir
// Sums of 8-bit floats are promoted; of rows in two parts, the registers of a turn's sums are needed once. Scales of blocks say so
// themselves, and one tile has one a turn. Before sm_89 no instruction multiplies 8-bit floats.
// CHECK: @quantised_matmul({{.*}}#tile.gemm<rows = 256, columns = 128, depth = 128, parts = 2, promote = 128>
// CHECK: @quantised_matmul_1({{.*}}#tile.gemm<rows = 256, columns = 128, depth = 128, parts = 2>
// SM80: @quantised_matmul({{.*}}"sm_80 multiplies no 8-bit floats"
// SM80-NOT: #tile.gemm
// SM89: @quantised_matmul({{.*}}#tile.gemm<rows = {{[0-9]+}}, columns = {{[0-9]+}}, depth = 128, promote = 128>
// SM89: @quantised_matmul_1({{.*}}#tile.gemm<rows = {{[0-9]+}}, columns = {{[0-9]+}}, depth = 128>
func.func @main(%x: tensor<4096x4096xf8E4M3FN>, %s: tensor<f32>, %w: tensor<4096x4096xf8E4M3FN>, %b: tensor<32x32xf32>) -> (tensor<4096x4096xbf16>, tensor<4096x4096xbf16>) {
  %0 = tenon.quantised_matmul %x scale(%s), %w scale(%s) : (tensor<4096x4096xf8E4M3FN>, tensor<f32>, tensor<4096x4096xf8E4M3FN>, tensor<f32>) -> tensor<4096x4096xbf16>
  %1 = tenon.quantised_matmul %x scale(%s), %w scale(%b) {block = array<i64: 128, 128>} : (tensor<4096x4096xf8E4M3FN>, tensor<f32>, tensor<4096x4096xf8E4M3FN>, tensor<32x32xf32>) -> tensor<4096x4096xbf16>
  return %0, %1 : tensor<4096x4096xbf16>, tensor<4096x4096xbf16>
}

//--- integers.mlir
// The transposed dot of integers has no 40 columns.
// CHECK: @quantised_matmul({{.*}}#tile.gemm<rows = 48, columns = {{[0-9]+}}, {{.*}}swapped = true>
func.func @main(%x: tensor<40x14336xi8>, %s: tensor<40x1xf32>, %w: tensor<4096x14336xi8>, %t: tensor<4096x1xf32>) -> tensor<40x4096xbf16> {
  %0 = tenon.quantised_matmul %x scale(%s), %w scale(%t) : (tensor<40x14336xi8>, tensor<40x1xf32>, tensor<4096x14336xi8>, tensor<4096x1xf32>) -> tensor<40x4096xbf16>
  return %0 : tensor<40x4096xbf16>
}
