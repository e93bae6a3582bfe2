// In: kernels without a program on tiles. Out: functions in which a thread computes one element of the result.
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-thread-general-kernels --canonicalize --cse | FileCheck %s
// RUN: tenon-opt %s --split-input-file --tenon-phases="to=kernel" --tenon-thread-general-kernels --remark-format=emitRemark \
// RUN:   --remarks-filter-missed=tenon-thread-general-kernels 2>&1 | FileCheck %s --check-prefix=REMARK

// Places are i32 where no tensor reaches further; a number past the last element does nothing.
// CHECK: #[[$GRID:map[0-9]*]] = affine_map<() -> (2, 1, 1)>
// CHECK: tenon.launch @kernels::@add_relu
// CHECK: llvm.func @add_relu(%[[X:.*]]: !llvm.ptr<1> {{.*}}llvm.readonly}, %[[Y:.*]]: !llvm.ptr<1> {{.*}}llvm.readonly}, %[[Z:.*]]: !llvm.ptr<1> {llvm.align = 16 : i64, llvm.noalias}, %{{.*}}: !llvm.ptr<1>)
// CHECK-SAME: nvvm.kernel, nvvm.reqntid = array<i32: 256, 1, 1>
// CHECK-SAME: tenon.grid = #[[$GRID]]
// CHECK-DAG: %[[THREAD:.*]] = nvvm.read.ptx.sreg.tid.x : i32
// CHECK-DAG: %[[BLOCK:.*]] = nvvm.read.ptx.sreg.ctaid.x : i32
// CHECK: %[[FIRST:.*]] = arith.muli %[[BLOCK]], %c256_i32
// CHECK: %[[NUMBER:.*]] = arith.addi %[[FIRST]], %[[THREAD]]
// CHECK: %[[INSIDE:.*]] = arith.cmpi ult, %[[NUMBER]], %c300_i32
// CHECK: %[[COLUMN:.*]] = arith.remui %[[NUMBER]], %c100_i32
// CHECK: scf.if %[[INSIDE]] {
// CHECK: llvm.getelementptr %[[Y]][%[[COLUMN]]]
// CHECK: arith.addf
// CHECK: arith.select
// CHECK: llvm.getelementptr %[[Z]][%[[NUMBER]]]
// CHECK-NEXT: llvm.store
// REMARK: kernel @add_relu runs as one thread an element, as it has no program on tiles
func.func @main(%x: tensor<3x100xf32>, %y: tensor<100xf32>) -> tensor<3x100xf32> {
  %0 = tenon.add %x, %y : (tensor<3x100xf32>, tensor<100xf32>) -> tensor<3x100xf32>
  %1 = tenon.relu %0 : (tensor<3x100xf32>) -> tensor<3x100xf32>
  return %1 : tensor<3x100xf32>
}

// -----

// A dynamic size is an argument, behind the addresses; a sum stays in a register.
// CHECK: #[[$GRID:map[0-9]*]] = affine_map<()[s0] -> (1, 1, 1)>
// CHECK: llvm.func @reduce_sum(%[[X:.*]]: !llvm.ptr<1> {{.*}}, %[[Y:.*]]: !llvm.ptr<1> {{.*}}, %[[ROWS:.*]]: i64, %{{.*}}: !llvm.ptr<1>)
// CHECK-SAME: tenon.grid = #[[$GRID]]
// CHECK: %[[SUM:.*]] = scf.for %{{.*}} = %c0_i64 to %[[ROWS]] step %c1_i64 iter_args(%[[SO_FAR:.*]] = %cst) -> (f32)
// CHECK: %[[ELEMENT:.*]] = llvm.load
// CHECK: arith.addf %[[SO_FAR]], %[[ELEMENT]]
// CHECK: llvm.store %[[SUM]]
func.func @main(%x: tensor<?x9xf32> {tenon.dims = ["rows", ""]}) -> tensor<9xf32> {
  %0 = tenon.reduce_sum %x {axes = array<i64: 0>} : (tensor<?x9xf32>) -> tensor<9xf32>
  return %0 : tensor<9xf32>
}

// -----

// What lies beside a piece is a branch; empty and of one element.
// CHECK: #[[$GRID:map[0-9]*]] = affine_map<() -> (0, 1, 1)>
// CHECK: llvm.func @concat
// CHECK: scf.if %{{.*}} -> (f16)
// CHECK: llvm.func @neg
// CHECK: %[[ONLY:.*]] = arith.cmpi ult, %{{.*}}, %c1_i32
// CHECK: scf.if %[[ONLY]]
// CHECK: llvm.func @neg_1
// CHECK-SAME: tenon.grid = #[[$GRID]]
func.func @main(%x: tensor<2x3xf16>, %y: tensor<2x4xf16>, %z: tensor<f32>, %e: tensor<4x0xf32>) -> (tensor<2x7xf16>, tensor<f32>, tensor<4x0xf32>) {
  %0 = tenon.concat %x, %y {axis = 1 : i64} : (tensor<2x3xf16>, tensor<2x4xf16>) -> tensor<2x7xf16>
  %1 = tenon.neg %z : (tensor<f32>) -> tensor<f32>
  %2 = tenon.neg %e : (tensor<4x0xf32>) -> tensor<4x0xf32>
  return %0, %1, %2 : tensor<2x7xf16>, tensor<f32>, tensor<4x0xf32>
}

// -----

// Halves of a byte are one thread's; the last byte may have one element only.
// CHECK: llvm.func @quantise
// CHECK: arith.minui %{{.*}}, %c8_i32
// CHECK: arith.ori %{{.*}} : i8
// CHECK: llvm.store %{{.*}} : i8, !llvm.ptr<1>
func.func @main(%x: tensor<3x3xf32>, %s: tensor<1xf32>) -> tensor<3x3xi4> {
  %0 = tenon.quantise %x, %s : (tensor<3x3xf32>, tensor<1xf32>) -> tensor<3x3xi4>
  return %0 : tensor<3x3xi4>
}

// -----

// A running sum carries the sum and the one element that is asked for; a scatter the element, which the last write wins.
// CHECK: llvm.func @cumsum
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) -> (f32, f32)
// CHECK: llvm.func @scatter
// CHECK: %[[WRITTEN:.*]] = scf.for {{.*}} iter_args(%[[KEPT:.*]] = %{{.*}}) -> (f32)
// CHECK: scf.if
// CHECK: scf.yield %[[KEPT]]
// CHECK: llvm.store %[[WRITTEN]]
func.func @main(%x: tensor<4x6xf32>, %i: tensor<5xi64>, %u: tensor<4x5xf32>) -> (tensor<4x6xf32>, tensor<4x6xf32>) {
  %0 = tenon.cumsum %x {axis = 1 : i64} : (tensor<4x6xf32>) -> tensor<4x6xf32>
  %1 = tenon.scatter %x, %i, %u {axis = 1 : i64} : (tensor<4x6xf32>, tensor<5xi64>, tensor<4x5xf32>) -> tensor<4x6xf32>
  return %0, %1 : tensor<4x6xf32>, tensor<4x6xf32>
}

// -----

// Elementary functions of f32 and conversions are arithmetic, as on the CPU; others are what they are.
// CHECK: llvm.func @exp(
// CHECK-NOT: math.exp
// CHECK-NOT: arith.truncf
// CHECK: math.fma
// CHECK: llvm.func @sin(
// CHECK: math.sin %{{.*}} : f64
func.func @main(%x: tensor<8xbf16>, %y: tensor<8xf64>) -> (tensor<8xbf16>, tensor<8xf64>) {
  %0 = tenon.exp %x : (tensor<8xbf16>) -> tensor<8xbf16>
  %1 = tenon.sin %y : (tensor<8xf64>) -> tensor<8xf64>
  return %0, %1 : tensor<8xbf16>, tensor<8xf64>
}
