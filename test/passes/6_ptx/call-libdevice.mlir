// Functions that PTX has no exact instruction for are calls of libdevice, in f32 for shorter floats, one a lane; an op
// that allows an approximation is the instruction, or libdevice's short form; what LLVM has instructions for stays.
// RUN: tenon-opt --tenon-call-libdevice %s | FileCheck %s

// CHECK: llvm.func @__nv_fast_tanhf(f32) -> f32 attributes {memory_effects = {{.*}}other = none{{.*}}, no_unwind, will_return}
// CHECK-DAG: llvm.func @__nv_expf(f32) -> f32
// CHECK-DAG: llvm.func @__nv_exp(f64) -> f64
// CHECK-DAG: llvm.func @__nv_powf(f32, f32) -> f32
module @kernels {
  // CHECK-LABEL: llvm.func @single_double
  // CHECK-SAME: %[[X:.*]]: f32, %[[Y:.*]]: f64
  // CHECK: llvm.call @__nv_expf(%[[X]]) : (f32) -> f32
  // CHECK: llvm.call @__nv_exp(%[[Y]]) : (f64) -> f64
  // CHECK: llvm.call @__nv_powf(%[[X]], %{{.*}}) : (f32, f32) -> f32
  // CHECK: llvm.call @__nv_fmodf
  llvm.func @single_double(%x: f32, %y: f64, %px: !llvm.ptr, %py: !llvm.ptr) {
    %0 = math.exp %x : f32
    %1 = math.exp %y : f64
    %2 = math.powf %x, %0 : f32
    %3 = arith.remf %2, %x : f32
    llvm.store %3, %px : f32, !llvm.ptr
    llvm.store %1, %py : f64, !llvm.ptr
    llvm.return
  }

  // CHECK-LABEL: llvm.func @vector_bf16
  // CHECK: %[[A:.*]] = vector.extract %{{.*}}[0] : bf16 from vector<2xbf16>
  // CHECK: %[[WIDE:.*]] = arith.extf %[[A]] : bf16 to f32
  // CHECK: %[[ERF:.*]] = llvm.call @__nv_erff(%[[WIDE]])
  // CHECK: %[[SHORT:.*]] = arith.truncf %[[ERF]] : f32 to bf16
  // CHECK: vector.insert %[[SHORT]], %{{.*}} [0] : bf16 into vector<2xbf16>
  // CHECK: vector.extract %{{.*}}[1]
  // CHECK: vector.insert {{.*}} [1]
  llvm.func @vector_bf16(%x: vector<2xbf16>) -> vector<2xbf16> {
    %0 = math.erf %x : vector<2xbf16>
    llvm.return %0 : vector<2xbf16>
  }

  // CHECK-LABEL: llvm.func @approximate
  // CHECK: llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz"
  // CHECK: llvm.call @__nv_fast_tanhf
  // CHECK: llvm.call @__nv_exp2(
  llvm.func @approximate(%x: f32, %y: f64) -> f64 {
    %0 = math.exp2 %x fastmath<afn> : f32
    %1 = math.tanh %0 fastmath<afn> : f32
    %2 = arith.extf %1 : f32 to f64
    %3 = math.exp2 %2 fastmath<afn> : f64
    llvm.return %3 : f64
  }

  // CHECK-LABEL: llvm.func @negative_instructions
  // CHECK: math.sqrt
  // CHECK: math.absf
  // CHECK: math.fma
  llvm.func @negative_instructions(%x: f32) -> f32 {
    %0 = math.sqrt %x : f32
    %1 = math.absf %0 : f32
    %2 = math.fma %1, %x, %0 : f32
    llvm.return %2 : f32
  }
}

// CHECK-LABEL: func.func @negative_main
// CHECK: math.exp
func.func @negative_main(%x: f32) -> f32 {
  %0 = math.exp %x : f32
  return %0 : f32
}
