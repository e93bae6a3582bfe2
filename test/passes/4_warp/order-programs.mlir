// In: attention whose programs differ in length, or do not. Out: an order where they do.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=tile gpu=sm_90a" --tenon-choose-warp-schedules --tenon-stage-copies \
// RUN:   --tenon-order-programs | FileCheck %s
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=thread gpu=sm_90a" | FileCheck %s --check-prefix=THREAD
// RUN: not tenon-opt %s --split-input-file --tenon-order-programs="arch=sm_70" 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: error: GPU architecture 'sm_70' is unknown

// 4 MB of keys and values a head: all eight heads fit 0.6 of the L2 cache, and the 128 programs of two fill the
// multiprocessors.
// CHECK: tile.kernel @attention({{.*}}warp.order = #warp.order<longest = 2, group = 2>
// The producer takes numbers from a counter that wraps to zero at a launch's last question, and hands them to the other
// warps. Behind the counters in the workspace each of the eight warps has a link for each of the 512 programs.
// THREAD-DAG: #[[LINKS:map[0-9]*]] = affine_map<() -> (24576)>
// THREAD: llvm.func @attention({{.*}}tenon.counter_bytes = 8192 : i64, {{.*}}tenon.scratch_bytes = #[[LINKS]]
// THREAD-NOT: tenon.zeroed_bytes
// THREAD: %[[LAST:.*]] = arith.constant 511 : i32
// THREAD: scf.while
// THREAD: ptx.mbarrier.wait
// THREAD: llvm.atomicrmw uinc_wrap %{{.*}}, %[[LAST]] syncscope("device") monotonic : !llvm.ptr<1>, i32
// THREAD: llvm.store
// THREAD: ptx.mbarrier.arrive
// THREAD: scf.condition
// THREAD: } else {
// THREAD: scf.while
// THREAD: ptx.mbarrier.wait
// THREAD: llvm.load
// THREAD: ptx.mbarrier.arrive
// THREAD: scf.condition
func.func @main(%q: tensor<2x4x8192x128xf16>, %k: tensor<2x4x8192x128xf16>, %v: tensor<2x4x8192x128xf16>) -> tensor<2x4x8192x128xf16> {
  %0 = tenon.attention %q, %k, %v {causal} : (tensor<2x4x8192x128xf16>, tensor<2x4x8192x128xf16>, tensor<2x4x8192x128xf16>) -> tensor<2x4x8192x128xf16>
  return %0 : tensor<2x4x8192x128xf16>
}

// -----

// Neither the 192 programs of all heads nor those of fewer fill the rounds that they begin: as many as the cache holds.
// CHECK: tile.kernel @attention({{.*}}warp.order = #warp.order<longest = 2, group = 12>
// THREAD: llvm.func @attention(
// THREAD: llvm.atomicrmw uinc_wrap
func.func @main(%q: tensor<1x12x1024x64xf16>, %k: tensor<1x12x1024x64xf16>, %v: tensor<1x12x1024x64xf16>) -> tensor<1x12x1024x64xf16> {
  %0 = tenon.attention %q, %k, %v {causal} : (tensor<1x12x1024x64xf16>, tensor<1x12x1024x64xf16>, tensor<1x12x1024x64xf16>) -> tensor<1x12x1024x64xf16>
  return %0 : tensor<1x12x1024x64xf16>
}

// -----

// CHECK: tile.kernel @attention(
// CHECK-NOT: warp.order
// THREAD: llvm.func @attention(
// THREAD-NOT: scf.while
func.func @main(%q: tensor<2x64x512x64xf16>, %k: tensor<2x64x512x64xf16>, %v: tensor<2x64x512x64xf16>) -> tensor<2x64x512x64xf16> {
  %0 = tenon.attention %q, %k, %v : (tensor<2x64x512x64xf16>, tensor<2x64x512x64xf16>, tensor<2x64x512x64xf16>) -> tensor<2x64x512x64xf16>
  return %0 : tensor<2x64x512x64xf16>
}

// -----

// A product.
// CHECK: tile.kernel @linear(
// CHECK-NOT: warp.order
func.func @main(%x: tensor<8192x384xbf16>, %w: tensor<1024x384xbf16>) -> tensor<8192x1024xbf16> {
  %0 = tenon.linear %x, %w : (tensor<8192x384xbf16>, tensor<1024x384xbf16>) -> tensor<8192x1024xbf16>
  return %0 : tensor<8192x1024xbf16>
}

// -----

// Data say how many keys a program goes through: who is free takes the next. The producer reads the length itself.
// CHECK: tile.kernel @attention({{.*}}warp.order = #warp.order<longest = 2, group = 8>
// CHECK: %[[LENGTH:.*]] = tensor.extract
// CHECK: %[[NUMBER:.*]] = arith.index_cast %[[LENGTH]] : i32 to index
// CHECK: %[[LEAST:.*]] = arith.minsi %[[NUMBER]]
// CHECK: %[[END:.*]] = arith.maxsi %[[LEAST]]
// THREAD: llvm.func @attention(
// THREAD: nvvm.setmaxregister decrease
// THREAD: ptx.mbarrier.arrive
// THREAD: llvm.load %{{.*}} : !llvm.ptr<1> -> i32
// THREAD: nvvm.cp.async.bulk.tensor
// THREAD: } else {
func.func @main(%q: tensor<2x8x8192x128xf16>, %k: tensor<2x8x8192x128xf16>, %v: tensor<2x8x8192x128xf16>, %n: tensor<2xi32>) -> tensor<2x8x8192x128xf16> {
  %0 = tenon.attention %q, %k, %v key_lengths(%n) : (tensor<2x8x8192x128xf16>, tensor<2x8x8192x128xf16>, tensor<2x8x8192x128xf16>, tensor<2xi32>) -> tensor<2x8x8192x128xf16>
  return %0 : tensor<2x8x8192x128xf16>
}
