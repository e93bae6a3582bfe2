// Phase llvm leaves kernels of the llvm dialect that state grid and scratch memory.
// RUN: tenon-opt %s --split-input-file --tenon-verify-llvm --verify-diagnostics

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
    // expected-error @below {{'arith.constant' op is left in kernel @left after phase llvm}}
    %0 = arith.constant 1 : i64
    llvm.return
  }
}
}

// -----

module {
module @kernels {
  // expected-error @below {{'func.func' op is left in module @kernels after phase llvm}}
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
