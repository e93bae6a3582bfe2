// Phase cpu leaves launches, and kernels of loops on memory that state grid and scratch memory.
// RUN: tenon-opt %s --split-input-file --tenon-verify-cpu --verify-diagnostics

module {
module @kernels {
  func.func @good(%X: memref<4xf32>, %first: index, %last: index, %scratch: memref<?xi8>)
      attributes {tenon.kernel, tenon.grid = affine_map<() -> (1)>, tenon.scratch_bytes = affine_map<() -> (0)>} {
    return
  }
  func.func private @helper(%x: f32) -> f32
}
}

// -----

module {
module @kernels {
  func.func @left(%X: memref<4xf32>)
      attributes {tenon.kernel, tenon.grid = affine_map<() -> (1)>, tenon.scratch_bytes = affine_map<() -> (0)>} {
    // expected-error @below {{'bufferization.to_tensor' op is left on tensors in kernel @left after phase cpu; tenon-cpu-emit-vectors or tenon-cpu-lower-to-loops gives it loops}}
    %0 = bufferization.to_tensor %X restrict : memref<4xf32> to tensor<4xf32>
    return
  }
}
}

// -----

module {
module @kernels {
  // expected-error @below {{kernel @no_scratch has no `tenon.scratch_bytes`}}
  func.func @no_scratch() attributes {tenon.kernel, tenon.grid = affine_map<() -> (1)>} {
    return
  }
}
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{@copy is left in place after phase cpu; tenon-cpu-outline-kernels makes a launch of it}}
  %y = tenon.kernel @copy(%X = %x) : (tensor<4xf32>) -> tensor<4xf32> {
    tenon.yield %X : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}

// -----

// What phase kernel was not run on.
func.func @main(%x: tensor<4xf32> {tenon.dims = [""]}) -> tensor<4xf32> {
  %n = tenon.dim %x {axis = 0} : (tensor<4xf32>) -> tensor<i64>
  // expected-error @below {{'tenon.relu' op is in @main after phase cpu, expected weights, constants, reshapes, sizes and launches; phase kernel puts it into a kernel}}
  %y = tenon.relu %x : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
