// RUN: tenon-opt %s -verify-diagnostics -split-input-file
// Every constraint of quantised storage, broken once.

func.func @quantise_c1(%a: tensor<4x64xf32>, %b: tensor<4x1xf32>) {
  // expected-error@+1 {{'tenon.quantise' op (C1) result 0 is 'tensor<4x32xi8>', expected 'tensor<4x64xi8>'}}
  %r = tenon.quantise %a, %b : (tensor<4x64xf32>, tensor<4x1xf32>) -> tensor<4x32xi8>
  return
}

// -----

func.func @quantise_c2(%a: tensor<4x64xf32>, %b: tensor<3x1xf32>) {
  // expected-error@+1 {{'tenon.quantise' op (C2) scale has shape [3, 1], expected [] or [4, 1]}}
  %r = tenon.quantise %a, %b : (tensor<4x64xf32>, tensor<3x1xf32>) -> tensor<4x64xi8>
  return
}

// -----

func.func @quantise_c2_block(%a: tensor<4x64xf32>, %b: tensor<4x1xf32>) {
  // expected-error@+1 {{'tenon.quantise' op (C2) scale has shape [4, 1], expected [] or [2, 2]}}
  %r = tenon.quantise %a, %b {block = array<i64: 2, 32>} : (tensor<4x64xf32>, tensor<4x1xf32>) -> tensor<4x64xi8>
  return
}

// -----

func.func @quantise_c3(%a: tensor<4x64xf32>, %b: tensor<2x2xf32>) {
  // expected-error@+1 {{'tenon.quantise' op (C3) block 30 does not divide 64}}
  %r = tenon.quantise %a, %b {block = array<i64: 2, 30>} : (tensor<4x64xf32>, tensor<2x2xf32>) -> tensor<4x64xi8>
  return
}

// -----

func.func @dequantise_c1(%a: tensor<4x64xi8>, %b: tensor<4x1xf32>) {
  // expected-error@+1 {{'tenon.dequantise' op (C1) result 0 is 'tensor<4x32xf32>', expected 'tensor<4x64xf32>'}}
  %r = tenon.dequantise %a, %b : (tensor<4x64xi8>, tensor<4x1xf32>) -> tensor<4x32xf32>
  return
}

// -----

func.func @dequantise_c2(%a: tensor<4x64xi8>, %b: tensor<3x1xf32>) {
  // expected-error@+1 {{'tenon.dequantise' op (C2) scale has shape [3, 1], expected [] or [4, 1]}}
  %r = tenon.dequantise %a, %b : (tensor<4x64xi8>, tensor<3x1xf32>) -> tensor<4x64xf32>
  return
}

// -----

func.func @dequantise_c2_block(%a: tensor<4x64xi8>, %b: tensor<4x1xf32>) {
  // expected-error@+1 {{'tenon.dequantise' op (C2) scale has shape [4, 1], expected [] or [2, 2]}}
  %r = tenon.dequantise %a, %b {block = array<i64: 2, 32>} : (tensor<4x64xi8>, tensor<4x1xf32>) -> tensor<4x64xf32>
  return
}

// -----

func.func @dequantise_c3(%a: tensor<4x64xi8>, %b: tensor<2x2xf32>) {
  // expected-error@+1 {{'tenon.dequantise' op (C3) block 30 does not divide 64}}
  %r = tenon.dequantise %a, %b {block = array<i64: 2, 30>} : (tensor<4x64xi8>, tensor<2x2xf32>) -> tensor<4x64xf32>
  return
}

// -----

func.func @quantised_matmul_c1(%a: tensor<4x64xi8>, %b: tensor<4x1xf32>, %c: tensor<16x64xi8>, %d: tensor<16x1xf32>) {
  // expected-error@+1 {{'tenon.quantised_matmul' op (C1) result 0 is 'tensor<4x8xf32>', expected 'tensor<4x16xf32>'}}
  %r = tenon.quantised_matmul %a scale(%b), %c scale(%d) : (tensor<4x64xi8>, tensor<4x1xf32>, tensor<16x64xi8>, tensor<16x1xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @quantised_matmul_c2(%a: tensor<4x64xi8>, %b: tensor<4x1xf32>, %c: tensor<16x32xi8>, %d: tensor<16x1xf32>) {
  // expected-error@+1 {{'tenon.quantised_matmul' op (C2) contracts 64 of input with 32 of weight}}
  %r = tenon.quantised_matmul %a scale(%b), %c scale(%d) : (tensor<4x64xi8>, tensor<4x1xf32>, tensor<16x32xi8>, tensor<16x1xf32>) -> tensor<4x16xf32>
  return
}

// -----

func.func @quantised_matmul_c3(%a: tensor<4x64xi8>, %b: tensor<4x1xf32>, %c: tensor<64xi8>, %d: tensor<16x1xf32>) {
  // expected-error@+1 {{'tenon.quantised_matmul' op (C3) has input of rank 2 and weight of rank 1, expected at least 1 and exactly 2}}
  %r = tenon.quantised_matmul %a scale(%b), %c scale(%d) : (tensor<4x64xi8>, tensor<4x1xf32>, tensor<64xi8>, tensor<16x1xf32>) -> tensor<4x16xf32>
  return
}

// -----

func.func @quantised_matmul_c4(%a: tensor<4x64xi8>, %b: tensor<16x64xi8>, %c: tensor<16x1xf32>) {
  // expected-error@+1 {{'tenon.quantised_matmul' op (C4) input of 'i8' has no scale, expected one}}
  %r = tenon.quantised_matmul %a, %b scale(%c) : (tensor<4x64xi8>, tensor<16x64xi8>, tensor<16x1xf32>) -> tensor<4x16xf32>
  return
}

// -----

func.func @quantised_matmul_c4_float(%a: tensor<4x64xf32>, %b: tensor<4x1xf32>, %c: tensor<16x64xi8>, %d: tensor<16x1xf32>) {
  // expected-error@+1 {{'tenon.quantised_matmul' op (C4) input of 'f32' has a scale, expected none}}
  %r = tenon.quantised_matmul %a scale(%b), %c scale(%d) : (tensor<4x64xf32>, tensor<4x1xf32>, tensor<16x64xi8>, tensor<16x1xf32>) -> tensor<4x16xf32>
  return
}

// -----

func.func @quantised_matmul_c5(%a: tensor<4x64xf8E5M2>, %b: tensor<4x1xf32>, %c: tensor<16x64xi8>, %d: tensor<16x1xf32>) {
  // expected-error@+1 {{'tenon.quantised_matmul' op (C5) multiplies 'f8E5M2' by 'i8', expected i8 or i4 by i8 or i4, or f8 by f8}}
  %r = tenon.quantised_matmul %a scale(%b), %c scale(%d) : (tensor<4x64xf8E5M2>, tensor<4x1xf32>, tensor<16x64xi8>, tensor<16x1xf32>) -> tensor<4x16xf32>
  return
}

// -----

func.func @quantised_matmul_c6(%a: tensor<4x64xi8>, %b: tensor<4x1xf32>, %c: tensor<16x64xi8>, %d: tensor<8x1xf32>) {
  // expected-error@+1 {{'tenon.quantised_matmul' op (C6) weight scale has shape [8, 1], expected [] or [16, 1]}}
  %r = tenon.quantised_matmul %a scale(%b), %c scale(%d) : (tensor<4x64xi8>, tensor<4x1xf32>, tensor<16x64xi8>, tensor<8x1xf32>) -> tensor<4x16xf32>
  return
}

// -----

func.func @quantised_matmul_c6_input_blocks(%a: tensor<4x64xi8>, %b: tensor<4x3xf32>, %c: tensor<16x64xi8>, %d: tensor<2x2xf32>) {
  // expected-error@+1 {{'tenon.quantised_matmul' op (C6) input scale has shape [4, 3], expected [] or [4, 2]}}
  %r = tenon.quantised_matmul %a scale(%b), %c scale(%d) {block = array<i64: 8, 32>} : (tensor<4x64xi8>, tensor<4x3xf32>, tensor<16x64xi8>, tensor<2x2xf32>) -> tensor<4x16xf32>
  return
}

// -----

func.func @quantised_matmul_c6_input(%a: tensor<4x64xi8>, %b: tensor<3x1xf32>, %c: tensor<16x64xi8>, %d: tensor<16x1xf32>) {
  // expected-error@+1 {{'tenon.quantised_matmul' op (C6) input scale has shape [3, 1], expected [] or [4, 1]}}
  %r = tenon.quantised_matmul %a scale(%b), %c scale(%d) : (tensor<4x64xi8>, tensor<3x1xf32>, tensor<16x64xi8>, tensor<16x1xf32>) -> tensor<4x16xf32>
  return
}

// -----

func.func @quantised_matmul_c7(%a: tensor<4x64xi8>, %b: tensor<4x1xf32>, %c: tensor<16x64xi8>, %d: tensor<16x2xf32>) {
  // expected-error@+1 {{'tenon.quantised_matmul' op (C7) block has an entry 0, expected at least 1}}
  %r = tenon.quantised_matmul %a scale(%b), %c scale(%d) {block = array<i64: 0, 32>} : (tensor<4x64xi8>, tensor<4x1xf32>, tensor<16x64xi8>, tensor<16x2xf32>) -> tensor<4x16xf32>
  return
}
