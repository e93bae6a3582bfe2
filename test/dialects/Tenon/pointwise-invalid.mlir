// RUN: tenon-opt %s -verify-diagnostics -split-input-file
// Every constraint of elementwise ops of several operands, cast, rope, broken once.

func.func @add_c1(%a: tensor<2x3xf32>, %b: tensor<3xf32>) {
  // expected-error@+1 {{'tenon.add' op (C1) result 0 is 'tensor<3xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.add %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @add_c2(%a: tensor<2x3xf32>, %b: tensor<3xf16>) {
  // expected-error@+1 {{'tenon.add' op (C2) rhs has element type 'f16', expected 'f32'}}
  %r = tenon.add %a, %b : (tensor<2x3xf32>, tensor<3xf16>) -> tensor<2x3xf32>
  return
}

// -----

func.func @add_c3(%a: tensor<2x3xf32>, %b: tensor<2xf32>) {
  // expected-error@+1 {{'tenon.add' op (C3) cannot broadcast 2 of rhs with 3 in result dimension 1; sizes must be equal or 1}}
  %r = tenon.add %a, %b : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @sub_c1(%a: tensor<2x3xf32>, %b: tensor<3xf32>) {
  // expected-error@+1 {{'tenon.sub' op (C1) result 0 is 'tensor<3xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.sub %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @sub_c2(%a: tensor<2x3xf32>, %b: tensor<3xf16>) {
  // expected-error@+1 {{'tenon.sub' op (C2) rhs has element type 'f16', expected 'f32'}}
  %r = tenon.sub %a, %b : (tensor<2x3xf32>, tensor<3xf16>) -> tensor<2x3xf32>
  return
}

// -----

func.func @sub_c3(%a: tensor<2x3xf32>, %b: tensor<2xf32>) {
  // expected-error@+1 {{'tenon.sub' op (C3) cannot broadcast 2 of rhs with 3 in result dimension 1; sizes must be equal or 1}}
  %r = tenon.sub %a, %b : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @mul_c1(%a: tensor<2x3xf32>, %b: tensor<3xf32>) {
  // expected-error@+1 {{'tenon.mul' op (C1) result 0 is 'tensor<3xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.mul %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @mul_c2(%a: tensor<2x3xf32>, %b: tensor<3xf16>) {
  // expected-error@+1 {{'tenon.mul' op (C2) rhs has element type 'f16', expected 'f32'}}
  %r = tenon.mul %a, %b : (tensor<2x3xf32>, tensor<3xf16>) -> tensor<2x3xf32>
  return
}

// -----

func.func @mul_c3(%a: tensor<2x3xf32>, %b: tensor<2xf32>) {
  // expected-error@+1 {{'tenon.mul' op (C3) cannot broadcast 2 of rhs with 3 in result dimension 1; sizes must be equal or 1}}
  %r = tenon.mul %a, %b : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @div_c1(%a: tensor<2x3xf32>, %b: tensor<3xf32>) {
  // expected-error@+1 {{'tenon.div' op (C1) result 0 is 'tensor<3xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.div %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @div_c2(%a: tensor<2x3xf32>, %b: tensor<3xf16>) {
  // expected-error@+1 {{'tenon.div' op (C2) rhs has element type 'f16', expected 'f32'}}
  %r = tenon.div %a, %b : (tensor<2x3xf32>, tensor<3xf16>) -> tensor<2x3xf32>
  return
}

// -----

func.func @div_c3(%a: tensor<2x3xf32>, %b: tensor<2xf32>) {
  // expected-error@+1 {{'tenon.div' op (C3) cannot broadcast 2 of rhs with 3 in result dimension 1; sizes must be equal or 1}}
  %r = tenon.div %a, %b : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @floor_div_c1(%a: tensor<2x3xf32>, %b: tensor<3xf32>) {
  // expected-error@+1 {{'tenon.floor_div' op (C1) result 0 is 'tensor<3xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.floor_div %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @floor_div_c2(%a: tensor<2x3xf32>, %b: tensor<3xf16>) {
  // expected-error@+1 {{'tenon.floor_div' op (C2) rhs has element type 'f16', expected 'f32'}}
  %r = tenon.floor_div %a, %b : (tensor<2x3xf32>, tensor<3xf16>) -> tensor<2x3xf32>
  return
}

// -----

func.func @floor_div_c3(%a: tensor<2x3xf32>, %b: tensor<2xf32>) {
  // expected-error@+1 {{'tenon.floor_div' op (C3) cannot broadcast 2 of rhs with 3 in result dimension 1; sizes must be equal or 1}}
  %r = tenon.floor_div %a, %b : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @rem_c1(%a: tensor<2x3xf32>, %b: tensor<3xf32>) {
  // expected-error@+1 {{'tenon.rem' op (C1) result 0 is 'tensor<3xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.rem %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @rem_c2(%a: tensor<2x3xf32>, %b: tensor<3xf16>) {
  // expected-error@+1 {{'tenon.rem' op (C2) rhs has element type 'f16', expected 'f32'}}
  %r = tenon.rem %a, %b : (tensor<2x3xf32>, tensor<3xf16>) -> tensor<2x3xf32>
  return
}

// -----

func.func @rem_c3(%a: tensor<2x3xf32>, %b: tensor<2xf32>) {
  // expected-error@+1 {{'tenon.rem' op (C3) cannot broadcast 2 of rhs with 3 in result dimension 1; sizes must be equal or 1}}
  %r = tenon.rem %a, %b : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @pow_c1(%a: tensor<2x3xf32>, %b: tensor<3xf32>) {
  // expected-error@+1 {{'tenon.pow' op (C1) result 0 is 'tensor<3xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.pow %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @pow_c2(%a: tensor<2x3xf32>, %b: tensor<3xf16>) {
  // expected-error@+1 {{'tenon.pow' op (C2) rhs has element type 'f16', expected 'f32'}}
  %r = tenon.pow %a, %b : (tensor<2x3xf32>, tensor<3xf16>) -> tensor<2x3xf32>
  return
}

// -----

func.func @pow_c3(%a: tensor<2x3xf32>, %b: tensor<2xf32>) {
  // expected-error@+1 {{'tenon.pow' op (C3) cannot broadcast 2 of rhs with 3 in result dimension 1; sizes must be equal or 1}}
  %r = tenon.pow %a, %b : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @max_c1(%a: tensor<2x3xf32>, %b: tensor<3xf32>) {
  // expected-error@+1 {{'tenon.max' op (C1) result 0 is 'tensor<3xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.max %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @max_c2(%a: tensor<2x3xf32>, %b: tensor<3xf16>) {
  // expected-error@+1 {{'tenon.max' op (C2) rhs has element type 'f16', expected 'f32'}}
  %r = tenon.max %a, %b : (tensor<2x3xf32>, tensor<3xf16>) -> tensor<2x3xf32>
  return
}

// -----

func.func @max_c3(%a: tensor<2x3xf32>, %b: tensor<2xf32>) {
  // expected-error@+1 {{'tenon.max' op (C3) cannot broadcast 2 of rhs with 3 in result dimension 1; sizes must be equal or 1}}
  %r = tenon.max %a, %b : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @min_c1(%a: tensor<2x3xf32>, %b: tensor<3xf32>) {
  // expected-error@+1 {{'tenon.min' op (C1) result 0 is 'tensor<3xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.min %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @min_c2(%a: tensor<2x3xf32>, %b: tensor<3xf16>) {
  // expected-error@+1 {{'tenon.min' op (C2) rhs has element type 'f16', expected 'f32'}}
  %r = tenon.min %a, %b : (tensor<2x3xf32>, tensor<3xf16>) -> tensor<2x3xf32>
  return
}

// -----

func.func @min_c3(%a: tensor<2x3xf32>, %b: tensor<2xf32>) {
  // expected-error@+1 {{'tenon.min' op (C3) cannot broadcast 2 of rhs with 3 in result dimension 1; sizes must be equal or 1}}
  %r = tenon.min %a, %b : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @logical_and_c1(%a: tensor<2x3xi1>, %b: tensor<3xi1>) {
  // expected-error@+1 {{'tenon.logical_and' op (C1) result 0 is 'tensor<3xi1>', expected 'tensor<2x3xi1>'}}
  %r = tenon.logical_and %a, %b : (tensor<2x3xi1>, tensor<3xi1>) -> tensor<3xi1>
  return
}

// -----

func.func @logical_and_c2(%a: tensor<2x3xi1>, %b: tensor<2xi1>) {
  // expected-error@+1 {{'tenon.logical_and' op (C2) cannot broadcast 2 of rhs with 3 in result dimension 1; sizes must be equal or 1}}
  %r = tenon.logical_and %a, %b : (tensor<2x3xi1>, tensor<2xi1>) -> tensor<2x3xi1>
  return
}

// -----

func.func @logical_or_c1(%a: tensor<2x3xi1>, %b: tensor<3xi1>) {
  // expected-error@+1 {{'tenon.logical_or' op (C1) result 0 is 'tensor<3xi1>', expected 'tensor<2x3xi1>'}}
  %r = tenon.logical_or %a, %b : (tensor<2x3xi1>, tensor<3xi1>) -> tensor<3xi1>
  return
}

// -----

func.func @logical_or_c2(%a: tensor<2x3xi1>, %b: tensor<2xi1>) {
  // expected-error@+1 {{'tenon.logical_or' op (C2) cannot broadcast 2 of rhs with 3 in result dimension 1; sizes must be equal or 1}}
  %r = tenon.logical_or %a, %b : (tensor<2x3xi1>, tensor<2xi1>) -> tensor<2x3xi1>
  return
}

// -----

func.func @logical_xor_c1(%a: tensor<2x3xi1>, %b: tensor<3xi1>) {
  // expected-error@+1 {{'tenon.logical_xor' op (C1) result 0 is 'tensor<3xi1>', expected 'tensor<2x3xi1>'}}
  %r = tenon.logical_xor %a, %b : (tensor<2x3xi1>, tensor<3xi1>) -> tensor<3xi1>
  return
}

// -----

func.func @logical_xor_c2(%a: tensor<2x3xi1>, %b: tensor<2xi1>) {
  // expected-error@+1 {{'tenon.logical_xor' op (C2) cannot broadcast 2 of rhs with 3 in result dimension 1; sizes must be equal or 1}}
  %r = tenon.logical_xor %a, %b : (tensor<2x3xi1>, tensor<2xi1>) -> tensor<2x3xi1>
  return
}

// -----

func.func @compare_c1(%a: tensor<2x3xf32>, %b: tensor<3xf32>) {
  // expected-error@+1 {{'tenon.compare' op (C1) result 0 is 'tensor<3xi1>', expected 'tensor<2x3xi1>'}}
  %r = tenon.compare %a, %b {predicate = #tenon.compare<lt>} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<3xi1>
  return
}

// -----

func.func @compare_c2(%a: tensor<2x3xf32>, %b: tensor<3xi64>) {
  // expected-error@+1 {{'tenon.compare' op (C2) rhs has element type 'i64', expected 'f32'}}
  %r = tenon.compare %a, %b {predicate = #tenon.compare<lt>} : (tensor<2x3xf32>, tensor<3xi64>) -> tensor<2x3xi1>
  return
}

// -----

func.func @compare_c3(%a: tensor<2x3xf32>, %b: tensor<2xf32>) {
  // expected-error@+1 {{'tenon.compare' op (C3) cannot broadcast 2 of rhs with 3 in result dimension 1; sizes must be equal or 1}}
  %r = tenon.compare %a, %b {predicate = #tenon.compare<lt>} : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xi1>
  return
}

// -----

func.func @compare_c4(%a: tensor<2x3xi1>, %b: tensor<3xi1>) {
  // expected-error@+1 {{'tenon.compare' op (C4) orders booleans by lt, expected eq or ne}}
  %r = tenon.compare %a, %b {predicate = #tenon.compare<lt>} : (tensor<2x3xi1>, tensor<3xi1>) -> tensor<2x3xi1>
  return
}

// -----

func.func @select_c1(%a: tensor<3xi1>, %b: tensor<2x3xf32>, %c: tensor<f32>) {
  // expected-error@+1 {{'tenon.select' op (C1) result 0 is 'tensor<3xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.select %a, %b, %c : (tensor<3xi1>, tensor<2x3xf32>, tensor<f32>) -> tensor<3xf32>
  return
}

// -----

func.func @select_c2(%a: tensor<3xi1>, %b: tensor<2x3xf32>, %c: tensor<f16>) {
  // expected-error@+1 {{'tenon.select' op (C2) on_false has element type 'f16', expected 'f32'}}
  %r = tenon.select %a, %b, %c : (tensor<3xi1>, tensor<2x3xf32>, tensor<f16>) -> tensor<2x3xf32>
  return
}

// -----

func.func @select_c3(%a: tensor<2xi1>, %b: tensor<2x3xf32>, %c: tensor<f32>) {
  // expected-error@+1 {{'tenon.select' op (C3) cannot broadcast 2 of condition with 3 in result dimension 1; sizes must be equal or 1}}
  %r = tenon.select %a, %b, %c : (tensor<2xi1>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @cast_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.cast' op (C1) result 0 is 'tensor<3x2xf16>', expected 'tensor<2x3xf16>'}}
  %r = tenon.cast %a : (tensor<2x3xf32>) -> tensor<3x2xf16>
  return
}

// -----

func.func @rope_c1(%a: tensor<1x8x5x64xf32>, %b: tensor<5x32xf32>, %c: tensor<5x32xf32>) {
  // expected-error@+1 {{'tenon.rope' op (C1) result 0 is 'tensor<1x8x5x32xf32>', expected 'tensor<1x8x5x64xf32>'}}
  %r = tenon.rope %a, %b, %c : (tensor<1x8x5x64xf32>, tensor<5x32xf32>, tensor<5x32xf32>) -> tensor<1x8x5x32xf32>
  return
}

// -----

func.func @rope_c2(%a: tensor<64xf32>, %b: tensor<5x32xf32>, %c: tensor<5x32xf32>) {
  // expected-error@+1 {{'tenon.rope' op (C2) input has rank 1, expected at least 2: [.., S, D]}}
  %r = tenon.rope %a, %b, %c : (tensor<64xf32>, tensor<5x32xf32>, tensor<5x32xf32>) -> tensor<64xf32>
  return
}

// -----

func.func @rope_c2_odd(%a: tensor<5x63xf32>, %b: tensor<5x32xf32>, %c: tensor<5x32xf32>) {
  // expected-error@+1 {{'tenon.rope' op (C2) head size D is 63, expected a static even number}}
  %r = tenon.rope %a, %b, %c : (tensor<5x63xf32>, tensor<5x32xf32>, tensor<5x32xf32>) -> tensor<5x63xf32>
  return
}

// -----

func.func @rope_c3(%a: tensor<1x8x5x64xf32>, %b: tensor<5x32xf32>, %c: tensor<5x32xf16>) {
  // expected-error@+1 {{'tenon.rope' op (C3) sin has element type 'f16', expected 'f32'}}
  %r = tenon.rope %a, %b, %c : (tensor<1x8x5x64xf32>, tensor<5x32xf32>, tensor<5x32xf16>) -> tensor<1x8x5x64xf32>
  return
}

// -----

func.func @rope_c4(%a: tensor<1x8x5x64xf32>, %b: tensor<5x32xf32>, %c: tensor<6x32xf32>) {
  // expected-error@+1 {{'tenon.rope' op (C4) sin has shape [6, 32], expected one that broadcasts to [1, 8, 5, 32] or [1, 8, 5, 64]}}
  %r = tenon.rope %a, %b, %c : (tensor<1x8x5x64xf32>, tensor<5x32xf32>, tensor<6x32xf32>) -> tensor<1x8x5x64xf32>
  return
}

// -----

func.func @rope_c5(%a: tensor<1x8x5x64xf32>, %b: tensor<5x32xf32>, %c: tensor<5x64xf32>) {
  // expected-error@+1 {{'tenon.rope' op (C5) cos ends in 32 and sin in 64, expected the same size}}
  %r = tenon.rope %a, %b, %c : (tensor<1x8x5x64xf32>, tensor<5x32xf32>, tensor<5x64xf32>) -> tensor<1x8x5x64xf32>
  return
}
