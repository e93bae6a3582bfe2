// RUN: tenon-opt %s -verify-diagnostics -split-input-file
// Every constraint of reductions and pooling, broken once.

func.func @reduce_sum_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.reduce_sum' op (C1) result 0 is 'tensor<3xf32>', expected 'tensor<2xf32>'}}
  %r = tenon.reduce_sum %a {axes = array<i64: 1>} : (tensor<2x3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @reduce_sum_c2(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.reduce_sum' op (C2) axis is 2, expected 0 <= axis < rank 2}}
  %r = tenon.reduce_sum %a {axes = array<i64: 2>} : (tensor<2x3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @reduce_sum_c3(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.reduce_sum' op (C3) names axis 1 twice}}
  %r = tenon.reduce_sum %a {axes = array<i64: 1, 1>} : (tensor<2x3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @reduce_mean_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.reduce_mean' op (C1) result 0 is 'tensor<3xf32>', expected 'tensor<2xf32>'}}
  %r = tenon.reduce_mean %a {axes = array<i64: 1>} : (tensor<2x3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @reduce_mean_c2(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.reduce_mean' op (C2) axis is 2, expected 0 <= axis < rank 2}}
  %r = tenon.reduce_mean %a {axes = array<i64: 2>} : (tensor<2x3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @reduce_mean_c3(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.reduce_mean' op (C3) names axis 1 twice}}
  %r = tenon.reduce_mean %a {axes = array<i64: 1, 1>} : (tensor<2x3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @reduce_max_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.reduce_max' op (C1) result 0 is 'tensor<3xf32>', expected 'tensor<2xf32>'}}
  %r = tenon.reduce_max %a {axes = array<i64: 1>} : (tensor<2x3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @reduce_max_c2(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.reduce_max' op (C2) axis is 2, expected 0 <= axis < rank 2}}
  %r = tenon.reduce_max %a {axes = array<i64: 2>} : (tensor<2x3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @reduce_max_c3(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.reduce_max' op (C3) names axis 1 twice}}
  %r = tenon.reduce_max %a {axes = array<i64: 1, 1>} : (tensor<2x3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @reduce_min_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.reduce_min' op (C1) result 0 is 'tensor<3xf32>', expected 'tensor<2xf32>'}}
  %r = tenon.reduce_min %a {axes = array<i64: 1>} : (tensor<2x3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @reduce_min_c2(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.reduce_min' op (C2) axis is 2, expected 0 <= axis < rank 2}}
  %r = tenon.reduce_min %a {axes = array<i64: 2>} : (tensor<2x3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @reduce_min_c3(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.reduce_min' op (C3) names axis 1 twice}}
  %r = tenon.reduce_min %a {axes = array<i64: 1, 1>} : (tensor<2x3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @reduce_mean_c4(%a: tensor<2x3xi64>) {
  // expected-error@+1 {{'tenon.reduce_mean' op (C4) takes the mean of 'i64', expected a float; cast first}}
  %r = tenon.reduce_mean %a {axes = array<i64: 1>} : (tensor<2x3xi64>) -> tensor<2xi64>
  return
}

// -----

func.func @reduce_sum_c1_keep_dims(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.reduce_sum' op (C1) result 0 is 'tensor<2xf32>', expected 'tensor<2x1xf32>'}}
  %r = tenon.reduce_sum %a {axes = array<i64: 1>, keep_dims} : (tensor<2x3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @argmax_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.argmax' op (C1) result 0 is 'tensor<3xi64>', expected 'tensor<2xi64>'}}
  %r = tenon.argmax %a {axis = 1 : i64} : (tensor<2x3xf32>) -> tensor<3xi64>
  return
}

// -----

func.func @argmax_c2(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.argmax' op (C2) axis is 2, expected 0 <= axis < rank 2}}
  %r = tenon.argmax %a {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<2xi64>
  return
}

// -----

func.func @argmax_c3(%a: tensor<2x0xf32>) {
  // expected-error@+1 {{'tenon.argmax' op (C3) axis 1 has size 0, expected at least 1}}
  %r = tenon.argmax %a {axis = 1 : i64} : (tensor<2x0xf32>) -> tensor<2xi64>
  return
}

// -----

func.func @argmin_c1(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.argmin' op (C1) result 0 is 'tensor<3xi64>', expected 'tensor<2xi64>'}}
  %r = tenon.argmin %a {axis = 1 : i64} : (tensor<2x3xf32>) -> tensor<3xi64>
  return
}

// -----

func.func @argmin_c2(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{'tenon.argmin' op (C2) axis is 2, expected 0 <= axis < rank 2}}
  %r = tenon.argmin %a {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<2xi64>
  return
}

// -----

func.func @argmin_c3(%a: tensor<2x0xf32>) {
  // expected-error@+1 {{'tenon.argmin' op (C3) axis 1 has size 0, expected at least 1}}
  %r = tenon.argmin %a {axis = 1 : i64} : (tensor<2x0xf32>) -> tensor<2xi64>
  return
}

// -----

func.func @max_pool_c1(%a: tensor<1x3x8x8xf32>) {
  // expected-error@+1 {{'tenon.max_pool' op (C1) result 0 is 'tensor<1x3x8x8xf32>', expected 'tensor<1x3x4x4xf32>'}}
  %r = tenon.max_pool %a {window = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32>
  return
}

// -----

func.func @max_pool_c2(%a: tensor<3x8xf32>) {
  // expected-error@+1 {{'tenon.max_pool' op (C2) input has rank 2, expected 3 or 4: [N, C, spatial...]}}
  %r = tenon.max_pool %a {window = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0>} : (tensor<3x8xf32>) -> tensor<3x4xf32>
  return
}

// -----

func.func @max_pool_c3(%a: tensor<1x3x8x8xf32>) {
  // expected-error@+1 {{'tenon.max_pool' op (C3) window has 1 entries, expected 2}}
  %r = tenon.max_pool %a {window = array<i64: 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x4x4xf32>
  return
}

// -----

func.func @max_pool_c4(%a: tensor<1x3x8x8xf32>) {
  // expected-error@+1 {{'tenon.max_pool' op (C4) padding 2 is not below window 2}}
  %r = tenon.max_pool %a {window = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 2, 2>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x4x4xf32>
  return
}

// -----

func.func @max_pool_c5(%a: tensor<1x3x8x8xf32>) {
  // expected-error@+1 {{'tenon.max_pool' op (C5) window 9 with dilation 1 does not fit into 8 with padding 0}}
  %r = tenon.max_pool %a {window = array<i64: 9, 9>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x4x4xf32>
  return
}

// -----

func.func @avg_pool_c1(%a: tensor<1x3x8x8xf32>) {
  // expected-error@+1 {{'tenon.avg_pool' op (C1) result 0 is 'tensor<1x3x8x8xf32>', expected 'tensor<1x3x4x4xf32>'}}
  %r = tenon.avg_pool %a {window = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32>
  return
}

// -----

func.func @avg_pool_c2(%a: tensor<3x8xf32>) {
  // expected-error@+1 {{'tenon.avg_pool' op (C2) input has rank 2, expected 3 or 4: [N, C, spatial...]}}
  %r = tenon.avg_pool %a {window = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0>} : (tensor<3x8xf32>) -> tensor<3x4xf32>
  return
}

// -----

func.func @avg_pool_c3(%a: tensor<1x3x8x8xf32>) {
  // expected-error@+1 {{'tenon.avg_pool' op (C3) window has 1 entries, expected 2}}
  %r = tenon.avg_pool %a {window = array<i64: 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x4x4xf32>
  return
}

// -----

func.func @avg_pool_c4(%a: tensor<1x3x8x8xf32>) {
  // expected-error@+1 {{'tenon.avg_pool' op (C4) padding 2 is not below window 2}}
  %r = tenon.avg_pool %a {window = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 2, 2>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x4x4xf32>
  return
}

// -----

func.func @avg_pool_c5(%a: tensor<1x3x8x8xf32>) {
  // expected-error@+1 {{'tenon.avg_pool' op (C5) window 9 with dilation 1 does not fit into 8 with padding 0}}
  %r = tenon.avg_pool %a {window = array<i64: 9, 9>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x4x4xf32>
  return
}
