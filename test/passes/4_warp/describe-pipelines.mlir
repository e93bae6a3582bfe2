// In: programs of warps. Out: what each one's pipeline is, in lines.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=warp gpu=sm_90a" | tenon-opt --split-input-file --tenon-describe-pipelines | FileCheck %s
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=warp gpu=sm_80" | FileCheck %s --check-prefix=SM80

// Two teams, which take programs in turn.
// CHECK: tile.kernel @linear({{.*}} tenon.pipeline = ["384 threads a CTA: 8 warps in 2 teams of 240 registers a thread, 192 for dots, and a producer of 24"
// CHECK-SAME: "229504 of 232448 bytes of shared memory: 229376 for tiles, 0 for exchanges, 128 for barriers"
// CHECK-SAME: "ring of 4 slots of 32768 bytes (64x64xbf16, 192x64xbf16) by TMA"
// CHECK-SAME: "ring of 4 slots of 8192 bytes (64x64xbf16) by TMA"
// CHECK-SAME: "a turn of 2 dots takes at least 768 clocks of Tensor Cores, 512 of reads of shared memory, 607 of copies by TMA"
// CHECK-SAME: "results leave through 2 slots of 8192 bytes by TMA"
// CHECK-SAME: "results leave through 2 slots of 8192 bytes by TMA"
// CHECK-SAME: "all of it takes at least 6.0 us of memory, 14.7 of Tensor Cores, at the peak rates of H200 SXM"
// SM80: tile.kernel @linear({{.*}} tenon.pipeline = ["256 threads a CTA: 8 warps of 255 registers a thread, 64 for dots"
// SM80-SAME: "65536 of 166912 bytes of shared memory: 65536 for tiles, 0 for exchanges, 0 for barriers"
// SM80-SAME: "ring of 2 slots of 32768 bytes (128x64xbf16, 128x64xbf16) by cp.async"
// SM80-SAME: "a turn of 1 dot takes at least 1024 clocks of Tensor Cores"
// SM80-SAME: "all of it takes at least 14.1 us of memory, 46.5 of Tensor Cores, at the peak rates of A100 SXM 80GB"
func.func @main(%x: tensor<4096x768xbf16>, %w: tensor<2304x768xbf16>, %b: tensor<2304xbf16>) -> tensor<4096x2304xbf16> {
  %0 = tenon.linear %x, %w, %b : (tensor<4096x768xbf16>, tensor<2304x768xbf16>, tensor<2304xbf16>) -> tensor<4096x2304xbf16>
  return %0 : tensor<4096x2304xbf16>
}

// -----

// Keys and values by rings of their own, powers in registers.
// CHECK: tile.kernel @attention({{.*}} tenon.pipeline = ["384 threads a CTA: 8 warps of 240 registers a thread, 164 for dots, and a producer of 24"
// CHECK-SAME: "229472 of 232448 bytes of shared memory: 229376 for tiles, 0 for exchanges, 96 for barriers"
// CHECK-SAME: "ring of 2 slots of 32768 bytes (128x128xbf16) by TMA"
// CHECK-SAME: "ring of 2 slots of 32768 bytes (128x128xbf16) by TMA"
// CHECK-SAME: "ring of 2 slots of 32768 bytes (128x128xbf16) by TMA"
// CHECK-SAME: "a turn of 2 dots takes at least 2048 clocks of Tensor Cores, 1280 of reads of shared memory, 972 of copies by TMA"
// CHECK-SAME: "results leave through 2 slots of 16384 bytes by TMA"
// CHECK-SAME: "all of it takes at least 27.9 us of memory, 280.5 of Tensor Cores, at the peak rates of H200 SXM"
func.func @main(%q: tensor<2x16x4096x128xbf16>, %k: tensor<2x16x4096x128xbf16>, %v: tensor<2x16x4096x128xbf16>) -> tensor<2x16x4096x128xbf16> {
  %0 = tenon.attention %q, %k, %v : (tensor<2x16x4096x128xbf16>, tensor<2x16x4096x128xbf16>, tensor<2x16x4096x128xbf16>) -> tensor<2x16x4096x128xbf16>
  return %0 : tensor<2x16x4096x128xbf16>
}

// -----

// CHECK: tile.kernel @quantised_matmul({{.*}} tenon.pipeline = ["384 threads a CTA: 8 warps of 240 registers a thread, 128 for dots, and a producer of 24"
// CHECK-SAME: "229440 of 232448 bytes of shared memory: 229376 for tiles, 0 for exchanges, 64 for barriers"
// CHECK-SAME: "ring of 4 slots of 49152 bytes (128x128xi8, 256x128xi8) by TMA"
// CHECK-SAME: "a turn of 1 dot takes at least 1024 clocks of Tensor Cores, 640 of reads of shared memory, 729 of copies by TMA"
// CHECK-SAME: "results leave through 2 slots of 16384 bytes by TMA"
// CHECK-SAME: "all of it takes at least 10.5 us of memory, 34.7 of Tensor Cores, at the peak rates of H200 SXM"
// SM80: tile.kernel @quantised_matmul({{.*}} tenon.pipeline = ["256 threads a CTA: 8 warps of 255 registers a thread, 64 for dots"
// SM80-SAME: "65536 of 166912 bytes of shared memory: 65536 for tiles, 0 for exchanges, 0 for barriers"
// SM80-SAME: "ring of 2 slots of 32768 bytes (128x128xi8, 128x128xi8) by cp.async"
// SM80-SAME: "a turn of 1 dot takes at least 1024 clocks of Tensor Cores"
// SM80-SAME: "all of it takes at least 24.7 us of memory, 110.2 of Tensor Cores, at the peak rates of A100 SXM 80GB"
func.func @main(%x: tensor<4096x2048xi8>, %s: tensor<f32>, %w: tensor<4096x2048xi8>) -> tensor<4096x4096xbf16> {
  %0 = tenon.quantised_matmul %x scale(%s), %w scale(%s) : (tensor<4096x2048xi8>, tensor<f32>, tensor<4096x2048xi8>, tensor<f32>) -> tensor<4096x4096xbf16>
  return %0 : tensor<4096x4096xbf16>
}

// -----

// Rows: sizes of a call are not known here.
// CHECK: tile.kernel @rms_norm({{.*}} tenon.pipeline = ["128 threads a CTA: 4 warps of 255 registers a thread"
// CHECK-SAME: "512 of 232448 bytes of shared memory: 0 for tiles, 512 for exchanges, 0 for barriers"
func.func @main(%x: tensor<?x4096xbf16> {tenon.dims = ["n", ""]}, %w: tensor<4096xbf16>) -> tensor<?x4096xbf16> {
  %0 = tenon.rms_norm %x, %w {epsilon = 1.0e-5 : f64} : (tensor<?x4096xbf16>, tensor<4096xbf16>) -> tensor<?x4096xbf16>
  return %0 : tensor<?x4096xbf16>
}
