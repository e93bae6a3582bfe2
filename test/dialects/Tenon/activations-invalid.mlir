// RUN: tenon-opt %s -verify-diagnostics -split-input-file
// Every constraint of elementwise ops of one operand and gated activations, broken once.

func.func @abs_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.abs' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.abs %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @neg_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.neg' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.neg %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @sign_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.sign' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.sign %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @exp_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.exp' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.exp %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @exp2_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.exp2' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.exp2 %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @log_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.log' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.log %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @log2_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.log2' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.log2 %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @sqrt_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.sqrt' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.sqrt %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @rsqrt_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.rsqrt' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.rsqrt %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @reciprocal_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.reciprocal' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.reciprocal %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @sin_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.sin' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.sin %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @cos_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.cos' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.cos %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @tanh_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.tanh' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.tanh %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @erf_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.erf' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.erf %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @floor_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.floor' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.floor %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @ceil_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.ceil' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.ceil %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @round_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.round' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.round %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @square_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.square' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.square %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @relu_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.relu' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.relu %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @sigmoid_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.sigmoid' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.sigmoid %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @silu_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.silu' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.silu %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @softplus_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.softplus' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.softplus %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @mish_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.mish' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.mish %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @hard_sigmoid_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.hard_sigmoid' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.hard_sigmoid %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @hard_swish_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.hard_swish' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.hard_swish %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @quick_gelu_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.quick_gelu' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.quick_gelu %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @gelu_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.gelu' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.gelu %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @logical_not_c1(%a: tensor<2x3xi1>) {
  // expected-error@+1 {{'tenon.logical_not' op (C1) result 0 is 'tensor<2x4xi1>', expected 'tensor<2x3xi1>'}}
  %r = tenon.logical_not %a : (tensor<2x3xi1>) -> tensor<2x4xi1>
  return
}

// -----

func.func @abs_c1_element(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.abs' op (C1) result 0 is 'tensor<2x3xf16>', expected 'tensor<2x3xf32>'}}
  %r = tenon.abs %a : (tensor<2x3xf32>) -> tensor<2x3xf16>
  return
}

// -----

func.func @leaky_relu_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.leaky_relu' op (C1) result 0 is 'tensor<3x2xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.leaky_relu %a {slope = 0.1 : f64} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @elu_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.elu' op (C1) result 0 is 'tensor<2xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.elu %a {alpha = 1.0 : f64} : (tensor<2x3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @clamp_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.clamp' op (C1) result 0 is 'tensor<2xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.clamp %a {low = 0.0 : f64, high = 1.0 : f64} : (tensor<2x3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @clamp_c2(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.clamp' op (C2) low is 2.000000e+00 and high 1.000000e+00, expected low <= high}}
  %r = tenon.clamp %a {low = 2.0 : f64, high = 1.0 : f64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @clamp_c2_nan(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.clamp' op (C2) low is nan and high 1.000000e+00, expected low <= high}}
  %r = tenon.clamp %a {low = 0x7FF8000000000000 : f64, high = 1.0 : f64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @swiglu_c1(%a: tensor<2x3xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.swiglu' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.swiglu %a, %b : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @swiglu_c2(%a: tensor<2x3xf32>, %b: tensor<3xf32>) {
  // expected-error@+1 {{'tenon.swiglu' op (C2) up has shape [3], expected [2, 3]}}
  %r = tenon.swiglu %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @swiglu_c3(%a: tensor<2x3xf32>, %b: tensor<2x3xf16>) {
  // expected-error@+1 {{'tenon.swiglu' op (C3) up has element type 'f16', expected 'f32'}}
  %r = tenon.swiglu %a, %b : (tensor<2x3xf32>, tensor<2x3xf16>) -> tensor<2x3xf32>
  return
}

// -----

func.func @geglu_c1(%a: tensor<2x3xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.geglu' op (C1) result 0 is 'tensor<2x4xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.geglu %a, %b : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @geglu_c2(%a: tensor<2x3xf32>, %b: tensor<3xf32>) {
  // expected-error@+1 {{'tenon.geglu' op (C2) up has shape [3], expected [2, 3]}}
  %r = tenon.geglu %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @geglu_c3(%a: tensor<2x3xf32>, %b: tensor<2x3xf16>) {
  // expected-error@+1 {{'tenon.geglu' op (C3) up has element type 'f16', expected 'f32'}}
  %r = tenon.geglu %a, %b : (tensor<2x3xf32>, tensor<2x3xf16>) -> tensor<2x3xf32>
  return
}
