// RUN: tenon-opt %s -verify-diagnostics -split-input-file
// Every constraint of data movement, constants, weights, broken once.

func.func @constant_c1() {
  // expected-error@+1 {{'tenon.constant' op (C1) value is 'vector<2xf32>', expected a ranked tensor}}
  %r = tenon.constant dense<1.0> : vector<2xf32>
  return
}

// -----

func.func @weight_c1() {
  // expected-error@+1 {{'tenon.weight' op (C1) result is 'tensor<?x2xf32>', expected a static shape}}
  %r = tenon.weight "w" : tensor<?x2xf32>
  return
}

// -----

func.func @weight_c2() {
  // expected-error@+1 {{'tenon.weight' op (C2) key is empty, expected the tensor's name in the weights file}}
  %r = tenon.weight "" : tensor<2xf32>
  return
}

// -----

func.func @iota_c1(%a: tensor<i64>) {
  // expected-error@+1 {{'tenon.iota' op (C1) axis is 2, expected 0 <= axis < rank 2}}
  %r = tenon.iota %a {axis = 2 : i64} : (tensor<i64>) -> tensor<2x?xi64>
  return
}

// -----

func.func @iota_c2(%a: tensor<i64>, %b: tensor<i64>) {
  // expected-error@+1 {{'tenon.iota' op (C2) has 2 sizes, expected one for each of the 1 dynamic dimensions of 'tensor<2x?xi64>'}}
  %r = tenon.iota %a, %b {axis = 1 : i64} : (tensor<i64>, tensor<i64>) -> tensor<2x?xi64>
  return
}

// -----

func.func @iota_c2_rank(%a: tensor<1xi64>) {
  // expected-error@+1 {{'tenon.iota' op (C2) a size is 'tensor<1xi64>', expected tensor<i64>}}
  %r = tenon.iota %a {axis = 1 : i64} : (tensor<1xi64>) -> tensor<2x?xi64>
  return
}

// -----

func.func @dim_c1(%a: tensor<?x2xf32>) {
  // expected-error@+1 {{'tenon.dim' op (C1) result 0 is 'tensor<1xi64>', expected 'tensor<i64>'}}
  %r = tenon.dim %a {axis = 0 : i64} : (tensor<?x2xf32>) -> tensor<1xi64>
  return
}

// -----

func.func @dim_c2(%a: tensor<?x2xf32>) {
  // expected-error@+1 {{'tenon.dim' op (C2) axis is 2, expected 0 <= axis < rank 2}}
  %r = tenon.dim %a {axis = 2 : i64} : (tensor<?x2xf32>) -> tensor<i64>
  return
}

// -----

func.func @reshape_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.reshape' op (C1) result has element type 'f16', expected 'f32'}}
  %r = tenon.reshape %a : (tensor<2x3xf32>) -> tensor<6xf16>
  return
}

// -----

func.func @reshape_c2(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.reshape' op (C2) reshapes 'tensor<2x3xf32>' of 6 elements to 'tensor<2x4xf32>'}}
  %r = tenon.reshape %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @reshape_c2_dynamic(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.reshape' op (C2) reshapes 'tensor<2x3xf32>' of 6 elements to 'tensor<4x?xf32>'}}
  %r = tenon.reshape %a : (tensor<2x3xf32>) -> tensor<4x?xf32>
  return
}

// -----

func.func @reshape_c3(%a: tensor<?x3xf32>) {
  // expected-error@+1 {{'tenon.reshape' op (C3) has no size for the dynamic dimension 0 of 'tensor<?x?xf32>'; give one rank-0 i64 tensor for each dynamic dimension}}
  %r = tenon.reshape %a : (tensor<?x3xf32>) -> tensor<?x?xf32>
  return
}

// -----

func.func @reshape_c3_count(%a: tensor<?x3xf32>, %b: tensor<i64>) {
  // expected-error@+1 {{'tenon.reshape' op (C3) has 1 sizes, expected one for each of the 2 dynamic dimensions of 'tensor<?x?xf32>'}}
  %r = tenon.reshape %a, %b : (tensor<?x3xf32>, tensor<i64>) -> tensor<?x?xf32>
  return
}

// -----

func.func @transpose_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.transpose' op (C1) result 0 is 'tensor<2x3xf32>', expected 'tensor<3x2xf32>'}}
  %r = tenon.transpose %a {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @transpose_c2(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.transpose' op (C2) permutation entry 1 is out of range or named twice, expected each of 0 to 1 once}}
  %r = tenon.transpose %a {permutation = array<i64: 1, 1>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @transpose_c2_short(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.transpose' op (C2) permutation has 1 entries for rank 2}}
  %r = tenon.transpose %a {permutation = array<i64: 0>} : (tensor<2x3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @expand_c1(%a: tensor<1x3xf32>) {
  // expected-error@+1 {{'tenon.expand' op (C1) result has element type 'f16', expected 'f32'}}
  %r = tenon.expand %a : (tensor<1x3xf32>) -> tensor<2x3xf16>
  return
}

// -----

func.func @expand_c2(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.expand' op (C2) expands [2, 3] to [4, 3]; sizes align at the innermost dimension and must be equal or 1}}
  %r = tenon.expand %a : (tensor<2x3xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @expand_c3(%a: tensor<1x3xf32>) {
  // expected-error@+1 {{'tenon.expand' op (C3) has no size for the dynamic dimension 0 of 'tensor<?x3xf32>'; give one rank-0 i64 tensor for each dynamic dimension}}
  %r = tenon.expand %a : (tensor<1x3xf32>) -> tensor<?x3xf32>
  return
}

// -----

func.func @slice_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.slice' op (C1) result 0 is 'tensor<2x3xf32>', expected 'tensor<1x2xf32>'}}
  %r = tenon.slice %a {starts = array<i64: 0, 0>, ends = array<i64: 1, 2>, steps = array<i64: 1, 1>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @slice_c2(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.slice' op (C2) starts has 1 entries for rank 2}}
  %r = tenon.slice %a {starts = array<i64: 0>, ends = array<i64: 1, 2>, steps = array<i64: 1, 1>} : (tensor<2x3xf32>) -> tensor<1x2xf32>
  return
}

// -----

func.func @slice_c3(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.slice' op (C3) steps has an entry 0, expected at least 1}}
  %r = tenon.slice %a {starts = array<i64: 0, 0>, ends = array<i64: 1, 2>, steps = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<1x2xf32>
  return
}

// -----

func.func @concat_c1(%a: tensor<2x3xf32>, %b: tensor<2x4xf32>) {
  // expected-error@+1 {{'tenon.concat' op (C1) result 0 is 'tensor<2x8xf32>', expected 'tensor<2x7xf32>'}}
  %r = tenon.concat %a, %b {axis = 1 : i64} : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @concat_c2() {
  // expected-error@+1 {{'tenon.concat' op (C2) has no input, expected at least one}}
  %r = tenon.concat  {axis = 1 : i64} : () -> tensor<2x8xf32>
  return
}

// -----

func.func @concat_c3(%a: tensor<2x3xf32>, %b: tensor<2x4xf32>) {
  // expected-error@+1 {{'tenon.concat' op (C3) axis is 2, expected 0 <= axis < rank 2}}
  %r = tenon.concat %a, %b {axis = 2 : i64} : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<2x7xf32>
  return
}

// -----

func.func @concat_c4(%a: tensor<2x3xf32>, %b: tensor<2x4xf16>) {
  // expected-error@+1 {{'tenon.concat' op (C4) an input has element type 'f16', expected 'f32'}}
  %r = tenon.concat %a, %b {axis = 1 : i64} : (tensor<2x3xf32>, tensor<2x4xf16>) -> tensor<2x7xf32>
  return
}

// -----

func.func @concat_c5(%a: tensor<2x3xf32>, %b: tensor<3x4xf32>) {
  // expected-error@+1 {{'tenon.concat' op (C5) an input has shape [3, 4], expected [2, 4]}}
  %r = tenon.concat %a, %b {axis = 1 : i64} : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x7xf32>
  return
}

// -----

func.func @split_c1(%a: tensor<2x6xf32>) {
  // expected-error@+1 {{'tenon.split' op (C1) result 1 is 'tensor<2x3xf32>', expected 'tensor<2x2xf32>'}}
  %r0, %r1 = tenon.split %a {axis = 1 : i64, sizes = array<i64: 4, 2>} : (tensor<2x6xf32>) -> (tensor<2x4xf32>, tensor<2x3xf32>)
  return
}

// -----

func.func @split_c1_count(%a: tensor<2x6xf32>) {
  // expected-error@+1 {{'tenon.split' op (C1) has 3 results, expected 2}}
  %r0, %r1, %r2 = tenon.split %a {axis = 1 : i64, sizes = array<i64: 4, 2>} : (tensor<2x6xf32>) -> (tensor<2x4xf32>, tensor<2x1xf32>, tensor<2x1xf32>)
  return
}

// -----

func.func @split_c2(%a: tensor<2x6xf32>) {
  // expected-error@+1 {{'tenon.split' op (C2) axis is 2, expected 0 <= axis < rank 2}}
  %r0, %r1 = tenon.split %a {axis = 2 : i64, sizes = array<i64: 4, 2>} : (tensor<2x6xf32>) -> (tensor<2x4xf32>, tensor<2x2xf32>)
  return
}

// -----

func.func @split_c3(%a: tensor<2x6xf32>) {
  // expected-error@+1 {{'tenon.split' op (C3) pieces add up to 7, expected 6 of axis 1}}
  %r0, %r1 = tenon.split %a {axis = 1 : i64, sizes = array<i64: 4, 3>} : (tensor<2x6xf32>) -> (tensor<2x4xf32>, tensor<2x3xf32>)
  return
}

// -----

func.func @pad_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.pad' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x5xf32>'}}
  %r = tenon.pad %a {low = array<i64: 0, 1>, high = array<i64: 0, 1>, value = 0.0 : f64} : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @pad_c2(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.pad' op (C2) low has an entry -1, expected at least 0}}
  %r = tenon.pad %a {low = array<i64: 0, -1>, high = array<i64: 0, 1>, value = 0.0 : f64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @slice_c4(%a: tensor<9xf32>) {
  // expected-error@+1 {{'tenon.slice' op (C4) has 0 bounds, expected 1: one for each start or end that is INT64_MIN}}
  %r = tenon.slice %a {starts = array<i64: 0>, ends = array<i64: -9223372036854775808>, steps = array<i64: 1>} : (tensor<9xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @slice_c5(%a: tensor<9xf32>, %b: tensor<1xi64>) {
  // expected-error@+1 {{'tenon.slice' op (C5) a bound is 'tensor<1xi64>', expected rank 0}}
  %r = tenon.slice %a, %b {starts = array<i64: 0>, ends = array<i64: -9223372036854775808>, steps = array<i64: 1>} : (tensor<9xf32>, tensor<1xi64>) -> tensor<?xf32>
  return
}
