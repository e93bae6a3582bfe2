// In: dots whose right operand is 8-bit floats made f16. Out: copies bring the bytes, and the dots widen them as they read
// them: of a contiguous depth a lane has words of four, of contiguous columns both columns of each two bytes.
// RUN: tenon-opt %s --split-input-file --tenon-stage-copies --tenon-assign-layouts --canonicalize --cse | FileCheck %s
// RUN: tenon-opt %s --split-input-file --tenon-stage-copies --tenon-assign-layouts --canonicalize --cse --tenon-expand-to-threads --canonicalize --cse | FileCheck %s --check-prefix=THREAD
// RUN: tenon-opt %s --split-input-file --tenon-stage-copies=arch=sm_80 --tenon-assign-layouts --canonicalize --cse | FileCheck %s --check-prefix=SM80
// RUN: not tenon-opt %s --split-input-file --tenon-stage-copies --tenon-assign-layouts --canonicalize --cse --tenon-expand-to-threads=arch=sm_80 2>&1 | FileCheck %s --check-prefix=ERROR
// ERROR: 'warp.dot' op widens 8-bit floats, for which the architecture has no instruction; make its right operand f16 first

// CHECK-LABEL: tile.kernel @attention
// CHECK: warp.ring.create : <2, <32x64xf8E4M3FN, 64>, <32x32xf8E4M3FN, 32>>
// CHECK: scf.for
// CHECK-NOT: warp.read
// CHECK-NOT: warp.stage
// CHECK: %[[S:.*]] = warp.dot %{{.*}}, %{{.*}}, %{{.*}} {atom = #warp.mma_sync<m = 16, n = 8, k = 32>, transpose_b} : tensor<16x64xf16, #warp.layout<[r2, l8*4], [r4, l4, r4]>>, !warp.smem<32x64xf8E4M3FN, 64> -> tensor<16x32xf32, #warp.layout<[r2, l8*4], [r4, l4, r2]>>
// CHECK: %[[P:.*]] = arith.truncf %[[S]]
// CHECK: warp.dot %[[P]], %{{.*}}, %{{.*}} {atom = #warp.mma_sync<m = 16, n = 8, k = 16>} : tensor<16x32xf16, #warp.layout<[r2, l8*4], [r4, l4, r2]>>, !warp.smem<32x32xf8E4M3FN, 32> -> tensor<16x32xf32, #warp.layout<[r2, l8*4], [r2, l4, r4]>>
// Four columns of f32 are one store.
// THREAD-LABEL: llvm.func @attention
// THREAD: scf.for
// THREAD: %[[K:.*]] = nvvm.ldmatrix %{{.*}} {{{.*}}layout = #nvvm.mma_layout<row>
// THREAD: ptx.cvt.f16x2 %{{.*}} {element = f8E4M3FN}
// THREAD: nvvm.mma.sync
// THREAD: nvvm.ldmatrix %{{.*}} {{{.*}}layout = #nvvm.mma_layout<col>
// THREAD: llvm.shufflevector %{{.*}} [0, 2, 1, 3] : vector<4xi8>
// THREAD: ptx.cvt.f16x2
// THREAD: nvvm.mma.sync
// THREAD: llvm.store {{.*}} : vector<4xf32>
// Where no instruction widens, arithmetic does one by one, and what it makes goes to shared memory.
// SM80-LABEL: tile.kernel @attention
// SM80-NOT: ring
// SM80: scf.for
// SM80: arith.extf
// SM80: warp.stage
// SM80: warp.dot {{.*}} {atom = #warp.mma_sync<m = 16, n = 8, k = 16>, transpose_b} : {{.*}}, !warp.smem<32x64xf16, 128>
module @kernels {
  tile.kernel @attention(%Q: !tile.view<16x64xf8E4M3FN>, %K: !tile.view<128x64xf8E4M3FN>, %V: !tile.view<128x32xf8E4M3FN>, %Y: !tile.view<16x32xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
    %c0 = arith.constant 0 : index
    %c32 = arith.constant 32 : index
    %c128 = arith.constant 128 : index
    %none = arith.constant dense<0.0> : tensor<16x32xf32>
    tile.grid () = () {
      %q = tile.load %Q[%c0, %c0] : !tile.view<16x64xf8E4M3FN> -> tensor<16x64xf8E4M3FN>
      %wide = arith.extf %q : tensor<16x64xf8E4M3FN> to tensor<16x64xf16>
      %sum = scf.for %j = %c0 to %c128 step %c32 iter_args(%acc = %none) -> (tensor<16x32xf32>) {
        %k = tile.load %K[%j, %c0] : !tile.view<128x64xf8E4M3FN> -> tensor<32x64xf8E4M3FN>
        %keys = arith.extf %k : tensor<32x64xf8E4M3FN> to tensor<32x64xf16>
        %s = tile.dot %wide, %keys, %none {transpose_b} : tensor<16x64xf16>, tensor<32x64xf16> -> tensor<16x32xf32>
        %p = arith.truncf %s : tensor<16x32xf32> to tensor<16x32xf16>
        %v = tile.load %V[%j, %c0] : !tile.view<128x32xf8E4M3FN> -> tensor<32x32xf8E4M3FN>
        %values = arith.extf %v : tensor<32x32xf8E4M3FN> to tensor<32x32xf16>
        %d = tile.dot %p, %values, %acc : tensor<16x32xf16>, tensor<32x32xf16> -> tensor<16x32xf32>
        scf.yield %d : tensor<16x32xf32>
      }
      tile.store %sum, %Y[%c0, %c0] : tensor<16x32xf32>, !tile.view<16x32xf32>
    }
  }
}

// -----

// A depth of 48 bytes is no whole number of steps: the bytes are copied, and read to be made f16 elsewhere.
// CHECK-LABEL: tile.kernel @negative_depth
// CHECK: warp.ring.create : <2, <16x48xf8E4M3FN, 16>>
// CHECK: warp.read
// CHECK: arith.extf
// CHECK: warp.stage
// CHECK: warp.dot {{.*}}xf16, {{[0-9]+}}> -> tensor<16x16xf32
// THREAD-LABEL: llvm.func @negative_depth
module @kernels {
  tile.kernel @negative_depth(%X: !tile.view<16x192xf16>, %W: !tile.view<16x192xf8E4M3FN>, %Y: !tile.view<16x16xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
    %c0 = arith.constant 0 : index
    %c48 = arith.constant 48 : index
    %c192 = arith.constant 192 : index
    %none = arith.constant dense<0.0> : tensor<16x16xf32>
    tile.grid () = () {
      %x = tile.load %X[%c0, %c0] : !tile.view<16x192xf16> -> tensor<16x48xf16>
      %sum = scf.for %k = %c0 to %c192 step %c48 iter_args(%acc = %none) -> (tensor<16x16xf32>) {
        %w = tile.load %W[%c0, %k] : !tile.view<16x192xf8E4M3FN> -> tensor<16x48xf8E4M3FN>
        %wide = arith.extf %w : tensor<16x48xf8E4M3FN> to tensor<16x48xf16>
        %d = tile.dot %x, %wide, %acc {transpose_b} : tensor<16x48xf16>, tensor<16x48xf16> -> tensor<16x16xf32>
        scf.yield %d : tensor<16x16xf32>
      }
      tile.store %sum, %Y[%c0, %c0] : tensor<16x16xf32>, !tile.view<16x16xf32>
    }
  }
}
