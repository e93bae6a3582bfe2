// In: floats that become 8 bits wide. Out: where they are brought into range first, from both sides, one instruction does
// all of it for two neighbours, on architectures that have it; else nothing changes.
// RUN: tenon-opt %s --split-input-file --tenon-expand-to-threads --canonicalize --cse | FileCheck %s
// RUN: tenon-opt %s --split-input-file --tenon-expand-to-threads=arch=sm_80 --canonicalize --cse | FileCheck %s --check-prefix=SM80

// SM80-LABEL: llvm.func @in_range
// SM80-NOT: ptx.cvt
// CHECK-LABEL: llvm.func @in_range
// CHECK-COUNT-4: ptx.cvt.f8x2 %{{.*}}, %{{.*}} {element = f8E5M2}
// CHECK-NOT: ptx.cvt
#rows = #warp.layout<[], [l32, r8]>
module @kernels {
  tile.kernel @in_range(%X: !tile.view<8x256xf32>, %Y: !tile.view<8x256xf8E5M2>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
    %c0 = arith.constant 0 : index
    %c8 = arith.constant 8 : index
    %most = arith.constant dense<5.734400e+04> : tensor<1x256xf32, #rows>
    %least = arith.constant dense<-5.734400e+04> : tensor<1x256xf32, #rows>
    tile.grid (%i) = (%c8) {
      %x = tile.load %X[%i, %c0] : !tile.view<8x256xf32> -> tensor<1x256xf32, #rows>
      %above = arith.maximumf %x, %least : tensor<1x256xf32, #rows>
      %within = arith.minimumf %above, %most : tensor<1x256xf32, #rows>
      %y = arith.truncf %within : tensor<1x256xf32, #rows> to tensor<1x256xf8E5M2, #rows>
      tile.store %y, %Y[%i, %c0] : tensor<1x256xf8E5M2, #rows>, !tile.view<8x256xf8E5M2>
    }
  }
}

// -----

// The range of another type, and of one side.
// CHECK-LABEL: llvm.func @negative_other_range
// CHECK-NOT: ptx.cvt
#rows = #warp.layout<[], [l32, r8]>
module @kernels {
  tile.kernel @negative_other_range(%X: !tile.view<8x256xf32>, %Y: !tile.view<8x256xf8E4M3FN>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
    %c0 = arith.constant 0 : index
    %c8 = arith.constant 8 : index
    %most = arith.constant dense<4.480000e+02> : tensor<1x256xf32, #rows>
    %least = arith.constant dense<-5.734400e+04> : tensor<1x256xf32, #rows>
    tile.grid (%i) = (%c8) {
      %x = tile.load %X[%i, %c0] : !tile.view<8x256xf32> -> tensor<1x256xf32, #rows>
      %above = arith.maximumf %x, %least : tensor<1x256xf32, #rows>
      %within = arith.minimumf %above, %most : tensor<1x256xf32, #rows>
      %y = arith.truncf %within : tensor<1x256xf32, #rows> to tensor<1x256xf8E4M3FN, #rows>
      tile.store %y, %Y[%i, %c0] : tensor<1x256xf8E4M3FN, #rows>, !tile.view<8x256xf8E4M3FN>
      %half = arith.truncf %above : tensor<1x256xf32, #rows> to tensor<1x256xf8E4M3FN, #rows>
      tile.store %half, %Y[%i, %c0] : tensor<1x256xf8E4M3FN, #rows>, !tile.view<8x256xf8E4M3FN>
    }
  }
}

// -----

// What a loop hands on as words are those that the conversions gave: no byte is taken out and put back, which LLVM leaves
// in where a branch is between.
// CHECK-LABEL: llvm.func @words
// CHECK: scf.for
// CHECK-COUNT-4: ptx.cvt.f8x2
// CHECK-NOT: llvm.insertelement %{{.*}} : vector<4xi8>
// CHECK: scf.yield %{{.*}}, %{{.*}} : i32, i32
#rows = #warp.layout<[], [l32, r8]>
module @kernels {
  tile.kernel @words(%X: !tile.view<8x256xf32>, %Y: !tile.view<8x256xf8E4M3FN>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %most = arith.constant dense<4.480000e+02> : tensor<1x256xf32, #rows>
    %least = arith.constant dense<-4.480000e+02> : tensor<1x256xf32, #rows>
    %none = arith.constant dense<0.0> : tensor<1x256xf8E4M3FN, #rows>
    tile.grid () = () {
      %last = scf.for %i = %c0 to %c8 step %c1 iter_args(%before = %none) -> (tensor<1x256xf8E4M3FN, #rows>) {
        tile.store %before, %Y[%i, %c0] : tensor<1x256xf8E4M3FN, #rows>, !tile.view<8x256xf8E4M3FN>
        %x = tile.load %X[%i, %c0] : !tile.view<8x256xf32> -> tensor<1x256xf32, #rows>
        %above = arith.maximumf %x, %least : tensor<1x256xf32, #rows>
        %within = arith.minimumf %above, %most : tensor<1x256xf32, #rows>
        %y = arith.truncf %within : tensor<1x256xf32, #rows> to tensor<1x256xf8E4M3FN, #rows>
        scf.yield %y : tensor<1x256xf8E4M3FN, #rows>
      }
      tile.store %last, %Y[%c0, %c0] : tensor<1x256xf8E4M3FN, #rows>, !tile.view<8x256xf8E4M3FN>
    }
  }
}
