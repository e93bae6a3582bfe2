// RUN: tenon-opt %s -verify-diagnostics -split-input-file
// Every constraint of softmax, scans and norms, broken once.

func.func @softmax_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.softmax' op (C1) result 0 is 'tensor<3x2xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.softmax %a {axis = 1 : i64} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @softmax_c2(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.softmax' op (C2) axis is 2, expected 0 <= axis < rank 2}}
  %r = tenon.softmax %a {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @log_softmax_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.log_softmax' op (C1) result 0 is 'tensor<3x2xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.log_softmax %a {axis = 1 : i64} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @log_softmax_c2(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.log_softmax' op (C2) axis is 2, expected 0 <= axis < rank 2}}
  %r = tenon.log_softmax %a {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @cumsum_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.cumsum' op (C1) result 0 is 'tensor<3x2xf32>', expected 'tensor<2x3xf32>'}}
  %r = tenon.cumsum %a {axis = 1 : i64} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @cumsum_c2(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.cumsum' op (C2) axis is 2, expected 0 <= axis < rank 2}}
  %r = tenon.cumsum %a {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @softmax_c2_negative(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.softmax' op (C2) axis is -1, expected 0 <= axis < rank 2}}
  %r = tenon.softmax %a {axis = -1 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @layer_norm_c1(%a: tensor<2x8xf32>, %b: tensor<8xf32>, %c: tensor<8xf32>) {
  // expected-error@+1 {{'tenon.layer_norm' op (C1) result 0 is 'tensor<2x9xf32>', expected 'tensor<2x8xf32>'}}
  %r = tenon.layer_norm %a weight(%b) bias(%c) {epsilon = 1.0e-5 : f64} : (tensor<2x8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<2x9xf32>
  return
}

// -----

func.func @layer_norm_c2(%a: tensor<2x8xf32>) {
  // expected-error@+1 {{'tenon.layer_norm' op (C2) normalises 3 dimensions of rank 2, expected 1 to rank}}
  %r = tenon.layer_norm %a {epsilon = 1.0e-5 : f64, num_dims = 3 : i64} : (tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @layer_norm_c3(%a: tensor<2x8xf32>, %b: tensor<8xf32>, %c: tensor<2xf32>) {
  // expected-error@+1 {{'tenon.layer_norm' op (C3) bias has shape [2], expected [8]}}
  %r = tenon.layer_norm %a weight(%b) bias(%c) {epsilon = 1.0e-5 : f64} : (tensor<2x8xf32>, tensor<8xf32>, tensor<2xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @layer_norm_c4(%a: tensor<2x8xf32>, %b: tensor<8xf16>, %c: tensor<8xf32>) {
  // expected-error@+1 {{'tenon.layer_norm' op (C4) weight has element type 'f16', expected 'f32'}}
  %r = tenon.layer_norm %a weight(%b) bias(%c) {epsilon = 1.0e-5 : f64} : (tensor<2x8xf32>, tensor<8xf16>, tensor<8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @layer_norm_c5(%a: tensor<2x8xf32>, %b: tensor<8xf32>, %c: tensor<8xf32>) {
  // expected-error@+1 {{'tenon.layer_norm' op (C5) epsilon is -1.000000e+00, expected a finite number of at least 0}}
  %r = tenon.layer_norm %a weight(%b) bias(%c) {epsilon = -1.0 : f64} : (tensor<2x8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @rms_norm_c1(%a: tensor<2x8xf32>, %b: tensor<8xf32>) {
  // expected-error@+1 {{'tenon.rms_norm' op (C1) result 0 is 'tensor<2x9xf32>', expected 'tensor<2x8xf32>'}}
  %r = tenon.rms_norm %a, %b {epsilon = 1.0e-5 : f64} : (tensor<2x8xf32>, tensor<8xf32>) -> tensor<2x9xf32>
  return
}

// -----

func.func @rms_norm_c2(%a: tensor<f32>) {
  // expected-error@+1 {{'tenon.rms_norm' op (C2) input has rank 0, expected at least 1}}
  %r = tenon.rms_norm %a {epsilon = 1.0e-5 : f64} : (tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func @rms_norm_c3(%a: tensor<2x8xf32>, %b: tensor<2xf32>) {
  // expected-error@+1 {{'tenon.rms_norm' op (C3) weight has shape [2], expected [8]}}
  %r = tenon.rms_norm %a, %b {epsilon = 1.0e-5 : f64} : (tensor<2x8xf32>, tensor<2xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @rms_norm_c4(%a: tensor<2x8xf32>, %b: tensor<8xf16>) {
  // expected-error@+1 {{'tenon.rms_norm' op (C4) weight has element type 'f16', expected 'f32'}}
  %r = tenon.rms_norm %a, %b {epsilon = 1.0e-5 : f64} : (tensor<2x8xf32>, tensor<8xf16>) -> tensor<2x8xf32>
  return
}

// -----

func.func @rms_norm_c5(%a: tensor<2x8xf32>, %b: tensor<8xf32>) {
  // expected-error@+1 {{'tenon.rms_norm' op (C5) epsilon is INF, expected a finite number of at least 0}}
  %r = tenon.rms_norm %a, %b {epsilon = 0x7FF0000000000000 : f64} : (tensor<2x8xf32>, tensor<8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @group_norm_c1(%a: tensor<2x8x4xf32>, %b: tensor<8xf32>, %c: tensor<8xf32>) {
  // expected-error@+1 {{'tenon.group_norm' op (C1) result 0 is 'tensor<2x8x5xf32>', expected 'tensor<2x8x4xf32>'}}
  %r = tenon.group_norm %a weight(%b) bias(%c) {epsilon = 1.0e-5 : f64, groups = 2 : i64} : (tensor<2x8x4xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<2x8x5xf32>
  return
}

// -----

func.func @group_norm_c2(%a: tensor<8xf32>) {
  // expected-error@+1 {{'tenon.group_norm' op (C2) input has rank 1, expected at least 2: [N, C, spatial...]}}
  %r = tenon.group_norm %a {epsilon = 1.0e-5 : f64, groups = 2 : i64} : (tensor<8xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @group_norm_c3(%a: tensor<2x8x4xf32>, %b: tensor<8xf32>, %c: tensor<4xf32>) {
  // expected-error@+1 {{'tenon.group_norm' op (C3) bias has shape [4], expected [8]}}
  %r = tenon.group_norm %a weight(%b) bias(%c) {epsilon = 1.0e-5 : f64, groups = 2 : i64} : (tensor<2x8x4xf32>, tensor<8xf32>, tensor<4xf32>) -> tensor<2x8x4xf32>
  return
}

// -----

func.func @group_norm_c4(%a: tensor<2x8x4xf32>, %b: tensor<8xf16>, %c: tensor<8xf32>) {
  // expected-error@+1 {{'tenon.group_norm' op (C4) weight has element type 'f16', expected 'f32'}}
  %r = tenon.group_norm %a weight(%b) bias(%c) {epsilon = 1.0e-5 : f64, groups = 2 : i64} : (tensor<2x8x4xf32>, tensor<8xf16>, tensor<8xf32>) -> tensor<2x8x4xf32>
  return
}

// -----

func.func @group_norm_c5(%a: tensor<2x8x4xf32>, %b: tensor<8xf32>, %c: tensor<8xf32>) {
  // expected-error@+1 {{'tenon.group_norm' op (C5) epsilon is -1.000000e+00, expected a finite number of at least 0}}
  %r = tenon.group_norm %a weight(%b) bias(%c) {epsilon = -1.0 : f64, groups = 2 : i64} : (tensor<2x8x4xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<2x8x4xf32>
  return
}

// -----

func.func @group_norm_c6(%a: tensor<2x8x4xf32>, %b: tensor<8xf32>, %c: tensor<8xf32>) {
  // expected-error@+1 {{'tenon.group_norm' op (C6) has 3 groups of 8 channels, expected a divisor}}
  %r = tenon.group_norm %a weight(%b) bias(%c) {epsilon = 1.0e-5 : f64, groups = 3 : i64} : (tensor<2x8x4xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<2x8x4xf32>
  return
}
