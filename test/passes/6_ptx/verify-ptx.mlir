// What would surface without a name behind phase ptx has one here.
// RUN: tenon-opt --tenon-verify-ptx --split-input-file --verify-diagnostics %s

#one = affine_map<() -> (1, 1, 1)>
module @right {
  module @kernels {
    llvm.mlir.global external @shared() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>
    llvm.func @kernel(%x: !llvm.ptr<1>, %n: i64, %m: i64, %workspace: !llvm.ptr<1>, %map: !llvm.ptr {llvm.byval = !llvm.array<128 x i8>})
        attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32>, tenon.block = array<i64: 32, 1, 1>,
                    tenon.grid = affine_map<(d0, d1) -> (d0, d1, 1)>} {
      llvm.return
    }
    llvm.func @called(%x: f32) -> f32 {
      llvm.return %x : f32
    }
  }
}

// -----

module @arith_left {
  module @kernels {
    llvm.func @kernel(%workspace: !llvm.ptr<1>) attributes {nvvm.kernel} {
      // expected-error @+1 {{'arith.constant' op is left in kernel @kernel after phase ptx; only llvm and nvvm have a translation}}
      %0 = arith.constant 1 : i32
      llvm.return
    }
  }
}

// -----

module @function_left {
  module @kernels {
    // expected-error @+1 {{'func.func' op is left in module @kernels after phase ptx}}
    func.func private @kernel()
  }
}

// -----

module @parameters {
  module @kernels {
    // expected-error @+1 {{kernel @kernel has the parameters '!llvm.func<void (ptr, ptr<1>)>', expected the addresses of its operands and results (!llvm.ptr<1>), an i64 a dim, a workspace (!llvm.ptr<1>), and tensor maps by value}}
    llvm.func @kernel(%x: !llvm.ptr, %workspace: !llvm.ptr<1>) attributes {nvvm.kernel} {
      llvm.return
    }
  }
}

// -----

module @no_workspace {
  module @kernels {
    // expected-error @+1 {{kernel @kernel has the parameters}}
    llvm.func @kernel(%x: !llvm.ptr<1>, %n: i64) attributes {nvvm.kernel} {
      llvm.return
    }
  }
}

// -----

module @no_grid {
  module @kernels {
    // expected-error @+1 {{kernel @kernel has no `tenon.grid`, a map of its 1 dims to three numbers of CTAs; phase thread sets it}}
    llvm.func @kernel(%x: !llvm.ptr<1>, %n: i64, %workspace: !llvm.ptr<1>)
        attributes {nvvm.kernel, tenon.grid = affine_map<(d0, d1) -> (d0, d1, 1)>} {
      llvm.return
    }
  }
}

// -----

#one = affine_map<() -> (1, 1, 1)>
module @no_block {
  module @kernels {
    // expected-error @+1 {{kernel @kernel has no `tenon.block`, three numbers of threads}}
    llvm.func @kernel(%workspace: !llvm.ptr<1>) attributes {nvvm.kernel, tenon.grid = #one} {
      llvm.return
    }
  }
}

// -----

#one = affine_map<() -> (1, 1, 1)>
module @other_block {
  module @kernels {
    // expected-error @+1 {{kernel @kernel needs the `nvvm.reqntid` that repeats its `tenon.block`}}
    llvm.func @kernel(%workspace: !llvm.ptr<1>)
        attributes {nvvm.kernel, tenon.grid = #one, tenon.block = array<i64: 32, 2, 1>, nvvm.reqntid = array<i32: 32>} {
      llvm.return
    }
  }
}

// -----

module @kernel_left {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error @+1 {{'tenon.kernel' op @negate is left in place after phase ptx: it became no function of one thread}}
    %y = tenon.kernel @negate(%X = %x) : (tensor<4xf32>) -> tensor<4xf32> {
      tenon.yield %X : tensor<4xf32>
    }
    return %y : tensor<4xf32>
  }
}
