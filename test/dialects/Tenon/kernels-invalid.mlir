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
