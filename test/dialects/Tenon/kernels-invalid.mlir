// RUN: tenon-opt %s -verify-diagnostics -split-input-file -allow-unregistered-dialect
// Every constraint of kernels and launches, broken once.

func.func @kernel_c1(%a: tensor<2xf32>) {
  // expected-error@+1 {{'tenon.kernel' op (C1) needs one block argument of the same type for each operand}}
  %r = "tenon.kernel"(%a) <{kernel_name = "k"}> ({
  ^entry(%x: tensor<3xf32>):
    "tenon.yield"(%x) : (tensor<3xf32>) -> ()
  }) : (tensor<2xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @kernel_c2(%a: tensor<2xf32>) {
  // expected-error@+1 {{'tenon.kernel' op (C2) must end in tenon.yield, ends in test.end}}
  %r = tenon.kernel @k(%x = %a) : (tensor<2xf32>) -> tensor<2xf32> {
    "test.end"() : () -> ()
  }
  return
}

// -----

func.func @kernel_c3(%a: tensor<2xf32>) {
  // expected-error@+1 {{'tenon.kernel' op (C3) yields 'tensor<2xf32>' for results 'tensor<3xf32>'}}
  %r = tenon.kernel @k(%x = %a) : (tensor<2xf32>) -> tensor<3xf32> {
    tenon.yield %x : tensor<2xf32>
  }
  return
}

// -----

func.func @launch_c1(%a: tensor<2xf32>) {
  // expected-error@+1 {{'tenon.launch' op (C1) callee is @k, expected @module::@function}}
  %r = tenon.launch @k(%a) : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @attention_parts_c1(%q: tensor<2x4x1x64xf32>, %k: tensor<2x2x9x32xf32>) {
  // expected-error@+1 {{'tenon.attention_parts' op (C1) has operands of types 'tensor<2x4x1x64xf32>', 'tensor<2x2x9x32xf32>', 'tensor<2x2x9x32xf32>', which tenon.attention does not take together}}
  %m, %l, %o = tenon.attention_parts %q, %k, %k {parts = 3 : i64} : (tensor<2x4x1x64xf32>, tensor<2x2x9x32xf32>, tensor<2x2x9x32xf32>) -> (tensor<3x2x4x1xf32>, tensor<3x2x4x1xf32>, tensor<3x2x4x1x32xf32>)
  return
}

// -----

func.func @attention_parts_c1_scales(%q: tensor<2x4x1x32xbf16>, %s: tensor<f32>) {
  // expected-error@+1 {{'tenon.attention_parts' op (C1) has operands of types 'tensor<2x4x1x32xbf16>', 'tensor<2x4x1x32xbf16>', 'tensor<2x4x1x32xbf16>', 'tensor<f32>', 'tensor<f32>', which}}
  %m, %l, %o = tenon.attention_parts %q, %q, %q scales(%s, %s) {parts = 3 : i64} : (tensor<2x4x1x32xbf16>, tensor<2x4x1x32xbf16>, tensor<2x4x1x32xbf16>, tensor<f32>, tensor<f32>) -> (tensor<3x2x4x1xf32>, tensor<3x2x4x1xf32>, tensor<3x2x4x1x32xf32>)
  return
}

// -----

func.func @attention_parts_c2(%q: tensor<2x4x1x32xf32>, %k: tensor<2x2x9x32xf32>) {
  // expected-error@+1 {{'tenon.attention_parts' op (C2) has 0 parts, expected at least 1}}
  %m, %l, %o = tenon.attention_parts %q, %k, %k {parts = 0 : i64} : (tensor<2x4x1x32xf32>, tensor<2x2x9x32xf32>, tensor<2x2x9x32xf32>) -> (tensor<0x2x4x1xf32>, tensor<0x2x4x1xf32>, tensor<0x2x4x1x32xf32>)
  return
}

// -----

func.func @attention_parts_c3(%q: tensor<2x4x1x32xbf16>, %k: tensor<2x2x9x32xbf16>) {
  // expected-error@+1 {{'tenon.attention_parts' op (C3) has results of types 'tensor<3x2x4x1xbf16>', 'tensor<3x2x4x1xf32>', 'tensor<3x2x4x1x32xf32>', expected 'tensor<3x2x4x1xf32>' twice and 'tensor<3x2x4x1x32xf32>'}}
  %m, %l, %o = tenon.attention_parts %q, %k, %k {parts = 3 : i64} : (tensor<2x4x1x32xbf16>, tensor<2x2x9x32xbf16>, tensor<2x2x9x32xbf16>) -> (tensor<3x2x4x1xbf16>, tensor<3x2x4x1xf32>, tensor<3x2x4x1x32xf32>)
  return
}
