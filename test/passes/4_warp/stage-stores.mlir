// In: products by wgmma with a producer. Out: their results leave by TMA, through as many slots as there is room for.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=tile gpu=sm_90a" --tenon-choose-warp-schedules --tenon-stage-copies \
// RUN:   --tenon-assign-layouts --tenon-overlap-dots --tenon-stage-stores --canonicalize --cse | FileCheck %s
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=thread gpu=sm_90a" | FileCheck %s --check-prefix=THREAD
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=warp gpu=sm_90a" --remarks-filter=tenon-verify-warp --remark-format=emitRemark 2>&1 \
// RUN:   | grep -o "bank-conflicts.*" | FileCheck %s --check-prefix=BANKS
// Pairs of f32 of two neighbouring rows would share banks: odd rows write other columns first.
// BANKS: 512 wavefronts of shared memory, 0 more
// BANKS: 1024 wavefronts of shared memory, 0 more
// Pairs of bytes: four lanes share two banks.
// BANKS: 512 wavefronts of shared memory, 0 more

// Four slabs of 64 columns; a slot is written again once its copy has read it.
// CHECK-LABEL: tile.kernel @linear
// CHECK: tile.grid
// CHECK: warp.store %{{.*}} slots 2 : tensor<128x256xbf16
// CHECK-NOT: tile.store
// THREAD-LABEL: llvm.func @linear
// THREAD: nvvm.cp.async.bulk.wait_group 0 {read}
// THREAD-NEXT: nvvm.bar.warp.sync
// THREAD-COUNT-4: nvvm.stmatrix
// THREAD: nvvm.fence.proxy
// THREAD-NEXT: nvvm.bar.warp.sync
// THREAD: nvvm.cp.async.bulk.tensor.global.shared.cta %{{.*}}, %{{.*}}, box[%{{.*}}, %{{.*}}]
// THREAD-NEXT: nvvm.cp.async.bulk.commit.group
// THREAD-NOT: wait_group
// THREAD-COUNT-4: nvvm.stmatrix
// THREAD: nvvm.cp.async.bulk.wait_group 1 {read}
// THREAD-COUNT-4: nvvm.stmatrix
// THREAD: nvvm.cp.async.bulk.wait_group 1 {read}
// THREAD-COUNT-4: nvvm.stmatrix
// THREAD: nvvm.cp.async.bulk.commit.group
// THREAD: nvvm.cp.async.bulk.wait_group 0 {read}
// THREAD: llvm.return
func.func @main(%x: tensor<1024x4096xbf16>, %w: tensor<4096x4096xbf16>) -> tensor<1024x4096xbf16> {
  %0 = tenon.linear %x, %w : (tensor<1024x4096xbf16>, tensor<4096x4096xbf16>) -> tensor<1024x4096xbf16>
  return %0 : tensor<1024x4096xbf16>
}

// -----

// Results of 32 bits: slabs of 32 columns, written two elements at a time.
// CHECK-LABEL: tile.kernel @linear_cast
// CHECK: warp.store %{{.*}} slots {{[1-4]}} : tensor<128x{{.*}}xf32
// THREAD-LABEL: llvm.func @linear_cast
// THREAD-NOT: nvvm.stmatrix
// THREAD: llvm.store %{{.*}} {alignment = 8 : i64} : vector<2xf32>, !llvm.ptr<3>
// THREAD: nvvm.cp.async.bulk.tensor.global.shared.cta
func.func @main(%x: tensor<1024x4096xbf16>, %w: tensor<4096x4096xbf16>) -> tensor<1024x4096xf32> {
  %0 = tenon.linear %x, %w : (tensor<1024x4096xbf16>, tensor<4096x4096xbf16>) -> tensor<1024x4096xbf16>
  %1 = tenon.cast %0 : (tensor<1024x4096xbf16>) -> tensor<1024x4096xf32>
  return %1 : tensor<1024x4096xf32>
}

// -----

// Rows of 8190 bytes: no tensor map describes the result.
// CHECK-LABEL: tile.kernel @linear
// CHECK-NOT: warp.store
// CHECK: tile.store
func.func @main(%x: tensor<4096x384xbf16>, %w: tensor<4095x384xbf16>) -> tensor<4096x4095xbf16> {
  %0 = tenon.linear %x, %w : (tensor<4096x384xbf16>, tensor<4095x384xbf16>) -> tensor<4096x4095xbf16>
  return %0 : tensor<4096x4095xbf16>
}

// -----

// Results of 8 bits: slabs of 128 columns, written two elements at a time, which one instruction converts and brings
// into range.
// CHECK-LABEL: tile.kernel @linear_quantise
// CHECK: warp.store %{{.*}} slots 2 : tensor<128x256xf8E4M3FN
// CHECK-NOT: tile.store
// THREAD-LABEL: llvm.func @linear_quantise
// THREAD: %[[INVERSE:.*]] = arith.divf
// THREAD-NOT: arith.divf
// THREAD-NOT: arith.m{{ax|in}}imumf
// THREAD: arith.mulf %{{.*}}, %[[INVERSE]]
// THREAD-NOT: arith.truncf %{{.*}} : f32 to f8E4M3FN
// THREAD: ptx.cvt.f8x2 %{{.*}}, %{{.*}} {element = f8E4M3FN}
// THREAD: llvm.store %{{.*}} {alignment = 2 : i64} : vector<2xi8>, !llvm.ptr<3>
// THREAD: nvvm.cp.async.bulk.tensor.global.shared.cta
func.func @main(%x: tensor<1024x4096xbf16>, %w: tensor<4096x4096xbf16>, %s: tensor<f32>) -> tensor<1024x4096xf8E4M3FN> {
  %0 = tenon.linear %x, %w : (tensor<1024x4096xbf16>, tensor<4096x4096xbf16>) -> tensor<1024x4096xbf16>
  %1 = tenon.quantise %0, %s : (tensor<1024x4096xbf16>, tensor<f32>) -> tensor<1024x4096xf8E4M3FN>
  return %1 : tensor<1024x4096xf8E4M3FN>
}
