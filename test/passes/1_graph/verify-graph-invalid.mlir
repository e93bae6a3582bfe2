// What must not be there after phase graph.
// RUN: tenon-opt %s --tenon-verify-graph --split-input-file --verify-diagnostics

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'tenon.weight' op has no reader after phase graph}}
  %w = tenon.weight "unused" : tensor<4xf32>
  return %x : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<2x3x4xf32>) -> tensor<24xf32> {
  %0 = tenon.reshape %x : (tensor<2x3x4xf32>) -> tensor<6x4xf32>
  // expected-error @+1 {{'tenon.reshape' op reads another tenon.reshape after phase graph}}
  %1 = tenon.reshape %0 : (tensor<6x4xf32>) -> tensor<24xf32>
  return %1 : tensor<24xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'tenon.launch' op is no op of the graph after phase graph}}
  %0 = tenon.launch @kernels::@k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'tensor.empty' op is no op of the graph after phase graph}}
  %0 = tensor.empty() : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// expected-error @+1 {{'func.func' op has 2 blocks after phase graph, expected one}}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  cf.br ^next
^next:
  return %x : tensor<4xf32>
}
