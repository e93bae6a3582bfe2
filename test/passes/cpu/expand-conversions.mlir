// In: conversions of 8-bit floats and bf16. Out: integer arithmetic, without branches, on scalars and vectors.
// RUN: tenon-opt %s --tenon-cpu-expand-conversions | FileCheck %s

// CHECK-LABEL: func.func @round_vector_to_bf16
// CHECK: %[[BITS:.*]] = arith.bitcast %{{.*}} : vector<16xf32> to vector<16xi32>
// CHECK: %[[HIGH:.*]] = arith.shrui %[[BITS]]
// CHECK: arith.addi %[[BITS]]
// CHECK: %[[NAN:.*]] = arith.cmpf uno
// CHECK: arith.select %[[NAN]]
// CHECK: arith.trunci %{{.*}} : vector<16xi32> to vector<16xi16>
// CHECK-NOT: arith.truncf
func.func @round_vector_to_bf16(%x: vector<16xf32>) -> vector<16xbf16> {
  %y = arith.truncf %x : vector<16xf32> to vector<16xbf16>
  return %y : vector<16xbf16>
}

// CHECK-LABEL: func.func @widen_bf16
// CHECK: %[[BITS:.*]] = arith.bitcast %{{.*}} : bf16 to i16
// CHECK: %[[WIDE:.*]] = arith.extui %[[BITS]] : i16 to i32
// CHECK: arith.shli %[[WIDE]], %c16
// CHECK-NOT: arith.extf
func.func @widen_bf16(%x: bf16) -> f32 {
  %y = arith.extf %x : bf16 to f32
  return %y : f32
}

// f64 to a byte rounds once: by way of an f32 with an odd mantissa where it is not exact.
// CHECK-LABEL: func.func @double_to_byte
// CHECK: %[[NEAR:.*]] = arith.truncf %{{.*}} : f64 to f32
// CHECK: %[[BACK:.*]] = arith.extf %[[NEAR]] : f32 to f64
// CHECK: arith.cmpf one, %[[BACK]], %{{.*}} : f64
// CHECK: arith.bitcast %{{.*}} : i8 to f8E4M3FN
// CHECK-NOT: arith.truncf
func.func @double_to_byte(%x: f64) -> f8E4M3FN {
  %y = arith.truncf %x : f64 to f8E4M3FN
  return %y : f8E4M3FN
}

// CHECK-LABEL: func.func @byte_to_half
// CHECK: arith.bitcast %{{.*}} : f8E5M2 to i8
// CHECK: arith.truncf %{{.*}} : f32 to f16
// CHECK-NOT: arith.extf
func.func @byte_to_half(%x: f8E5M2) -> f16 {
  %y = arith.extf %x : f8E5M2 to f16
  return %y : f16
}

// CHECK-LABEL: func.func @negative_instructions
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK: arith.extf %{{.*}} : f32 to f64
// CHECK: arith.truncf %{{.*}} : f64 to f32
// CHECK: arith.truncf %{{.*}} : f32 to f16
func.func @negative_instructions(%x: f16) -> f16 {
  %0 = arith.extf %x : f16 to f32
  %1 = arith.extf %0 : f32 to f64
  %2 = arith.truncf %1 : f64 to f32
  %3 = arith.truncf %2 : f32 to f16
  return %3 : f16
}

// CHECK-LABEL: func.func @integer_to_byte
// CHECK: arith.sitofp %{{.*}} : vector<16xi64> to vector<16xf32>
// CHECK: arith.bitcast %{{.*}} : vector<16xi8> to vector<16xf8E4M3FN>
// CHECK: arith.uitofp %{{.*}} : i1 to f32
// CHECK: arith.bitcast %{{.*}} : i8 to f8E5M2
func.func @integer_to_byte(%x: vector<16xi64>, %y: i1) -> (vector<16xf8E4M3FN>, f8E5M2) {
  %0 = arith.sitofp %x : vector<16xi64> to vector<16xf8E4M3FN>
  %1 = arith.uitofp %y : i1 to f8E5M2
  return %0, %1 : vector<16xf8E4M3FN>, f8E5M2
}

// An integer of 64 bits is first a double with an odd last bit where it is not exact.
// CHECK-LABEL: func.func @integer_to_bf16
// CHECK: arith.sitofp %{{.*}} : i64 to f64
// CHECK: arith.shrsi
// CHECK: arith.truncf %{{.*}} : f64 to f32
// CHECK: arith.bitcast %{{.*}} : i16 to bf16
func.func @integer_to_bf16(%x: i64) -> bf16 {
  %y = arith.sitofp %x : i64 to bf16
  return %y : bf16
}

// CHECK-LABEL: func.func @compare_bf16
// CHECK: arith.cmpf olt, %{{.*}}, %{{.*}} : vector<8xf32>
func.func @compare_bf16(%x: vector<8xbf16>, %y: vector<8xbf16>) -> vector<8xi1> {
  %z = arith.cmpf olt, %x, %y : vector<8xbf16>
  return %z : vector<8xi1>
}
