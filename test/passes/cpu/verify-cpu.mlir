// Phase cpu leaves launches, and kernels of the llvm dialect that state grid and scratch memory.
// RUN: tenon-opt %s --split-input-file --tenon-verify-cpu --verify-diagnostics

module {
module @kernels {
  llvm.func @good(%buffers: !llvm.ptr) attributes {tenon.grid = affine_map<() -> (1)>, tenon.scratch_bytes = affine_map<() -> (0)>} {
    llvm.return
  }
  llvm.func internal @good.tasks() {
    llvm.return
  }
  llvm.func @expf(f32) -> f32
}
}

// -----

module {
module @kernels {
  llvm.func @left(%x: i64) attributes {tenon.grid = affine_map<() -> (1)>, tenon.scratch_bytes = affine_map<() -> (0)>} {
    // expected-error @below {{'arith.constant' op is left in kernel @left after phase cpu}}
    %0 = arith.constant 1 : i64
    llvm.return
  }
}
}

// -----

module {
module @kernels {
  // expected-error @below {{'func.func' op is left in module @kernels after phase cpu}}
  func.func private @helper()
}
}

// -----

module {
module @kernels {
  // expected-error @below {{kernel @no_scratch has no `tenon.scratch_bytes`}}
  llvm.func @no_scratch() attributes {tenon.grid = affine_map<() -> (1)>} {
    llvm.return
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
