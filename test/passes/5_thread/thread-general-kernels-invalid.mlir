// What tenon-thread-general-kernels refuses.
// RUN: tenon-opt %s --split-input-file --tenon-thread-general-kernels -verify-diagnostics

func.func @main(%x: tensor<4xf32>, %y: tensor<5xf32>) -> (tensor<4xf32>, tensor<5xf32>) {
  // expected-error @+1 {{'tenon.kernel' op @both has results 'tensor<4xf32>' and 'tensor<5xf32>', which a thread does not compute together; run tenon-split-kernels first}}
  %0, %1 = tenon.kernel @both(%X = %x, %Y = %y) : (tensor<4xf32>, tensor<5xf32>) -> (tensor<4xf32>, tensor<5xf32>) {
    tenon.yield %X, %Y : tensor<4xf32>, tensor<5xf32>
  }
  return %0, %1 : tensor<4xf32>, tensor<5xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'tenon.kernel' op @negate has no form for one thread: linalg.negf is not computed element by element}}
  %0 = tenon.kernel @negate(%X = %x) : (tensor<4xf32>) -> tensor<4xf32> {
    %1 = linalg.negf ins(%X : tensor<4xf32>) outs(%X : tensor<4xf32>) -> tensor<4xf32>
    tenon.yield %1 : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'tenon.kernel' op @shifts has no form for one thread: a loop reads what it carries at places that change from turn to turn}}
  %0 = tenon.kernel @shifts(%X = %x) : (tensor<4xf32>) -> tensor<4xf32> {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %1 = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %X) -> tensor<4xf32> {
      %s = tensor.extract_slice %a[%i] [1] [1] : tensor<4xf32> to tensor<1xf32>
      %next = arith.addi %i, %c1 : index
      %b = tensor.insert_slice %s into %a[%next] [1] [1] : tensor<1xf32> into tensor<4xf32>
      scf.yield %b : tensor<4xf32>
    }
    tenon.yield %1 : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}
