#ifndef TENON_PASSES_4_WARP_PASSES
#define TENON_PASSES_4_WARP_PASSES

include "mlir/Pass/PassBase.td"

def ChooseWarpSchedulesPass : Pass<"tenon-choose-warp-schedules", "::mlir::ModuleOp"> {
  let summary = "each program on tiles gets its warps and stages";
  let description = [{
    Why: how many warps carry a program out and how far its copies run ahead is chosen here, by lib/Schedule, and stands on
    the kernel as an attribute; a choice by hand overrides it.

    Before:
    ```mlir
    tile.kernel @negate(%X: !tile.view<64x512xf32>, %Y: !tile.view<64x512xf32>) {
      %c0 = arith.constant 0 : index
      %c64 = arith.constant 64 : index
      tile.grid (%i) = (%c64) {
        %x = tile.load %X[%i, %c0] : !tile.view<64x512xf32> -> tensor<512xf32>
        %y = arith.negf %x : tensor<512xf32>
        tile.store %y, %Y[%i, %c0] : tensor<512xf32>, !tile.view<64x512xf32>
      }
    }
    ```
    After:
    ```mlir
    tile.kernel @negate(%X: !tile.view<64x512xf32>, %Y: !tile.view<64x512xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
      %c0 = arith.constant 0 : index
      %c64 = arith.constant 64 : index
      tile.grid (%i) = (%c64) {
        %x = tile.load %X[%i, %c0] : !tile.view<64x512xf32> -> tensor<512xf32>
        %y = arith.negf %x : tensor<512xf32>
        tile.store %y, %Y[%i, %c0] : tensor<512xf32>, !tile.view<64x512xf32>
      }
    }
    ```
    Requires: programs on tiles.
    Ensures: every tile.kernel has `warp.schedule`.
    Leaves alone: schedules that are there already, but for those that the file `schedules` names: `@kernel =
    #warp.schedule<..>`, a line each.
  }];
  let options = [Option<"arch", "arch", "std::string", "\"sm_90a\"", "architecture that is chosen for">,
                 Option<"schedules", "schedules", "std::string", "\"\"", "file of schedules by hand">,
                 Option<"tf32", "tf32", "bool", "false", "f32 products may be rounded to tf32">];
  let dependentDialects = ["::tenon::warp::WarpDialect"];
}

def StageCopiesPass : Pass<"tenon-stage-copies", "::mlir::ModuleOp"> {
  let summary = "operands of dots come through rings in shared memory";
  let description = [{
    Why: a loop that multiplies what it has just loaded waits for memory at each turn, and each warp loads what its
    neighbours load too.

    Before:
    ```mlir
    tile.kernel @product(%X: !tile.view<16x64xf16>, %W: !tile.view<16x64xf16>, %Y: !tile.view<16x16xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
      %c0 = arith.constant 0 : index
      %c32 = arith.constant 32 : index
      %c64 = arith.constant 64 : index
      %zero = arith.constant dense<0.0> : tensor<16x16xf32>
      tile.grid () = () {
        %sum = scf.for %k = %c0 to %c64 step %c32 iter_args(%acc = %zero) -> (tensor<16x16xf32>) {
          %x = tile.load %X[%c0, %k] : !tile.view<16x64xf16> -> tensor<16x32xf16>
          %w = tile.load %W[%c0, %k] : !tile.view<16x64xf16> -> tensor<16x32xf16>
          %d = tile.dot %x, %w, %acc {transpose_b} : tensor<16x32xf16>, tensor<16x32xf16> -> tensor<16x16xf32>
          scf.yield %d : tensor<16x16xf32>
        }
        tile.store %sum, %Y[%c0, %c0] : tensor<16x16xf32>, !tile.view<16x16xf32>
      }
    }
    ```
    After:
    ```mlir
    !slot = !warp.smem<16x32xf16, 64>
    !ring = !warp.ring<2, !slot, !slot>
    tile.kernel @product(%X: !tile.view<16x64xf16>, %W: !tile.view<16x64xf16>, %Y: !tile.view<16x16xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
      %c2 = arith.constant 2 : index
      %c1 = arith.constant 1 : index
      %c0 = arith.constant 0 : index
      %c32 = arith.constant 32 : index
      %c64 = arith.constant 64 : index
      %zero = arith.constant dense<0.0> : tensor<16x16xf32>
      tile.grid () = () {
        %ring = warp.ring.create : !ring
        scf.for %s = %c0 to %c1 step %c1 {
          %isTurn = arith.cmpi slt, %s, %c2 : index
          scf.if %isTurn {
            %t:2 = warp.ring.acquire %ring[%s] : !ring -> !slot, !slot
            %at = arith.muli %s, %c32 : index
            warp.copy %X[%c0, %at], %t#0 {within = array<i1: true, true>} : !tile.view<16x64xf16>, !slot
            warp.copy %W[%c0, %at], %t#1 {within = array<i1: true, true>} : !tile.view<16x64xf16>, !slot
          }
          warp.ring.commit %ring[%s] : !ring
        }
        %sum = scf.for %k = %c0 to %c64 step %c32 iter_args(%acc = %zero) -> (tensor<16x16xf32>) {
          %i = arith.divui %k, %c32 : index
          %slot:2 = warp.ring.wait %ring[%i] {ahead = 0 : i64} : !ring -> !slot, !slot
          %x = warp.read %slot#0 : !slot -> tensor<16x32xf16>
          %w = warp.read %slot#1 : !slot -> tensor<16x32xf16>
          %n = arith.addi %i, %c1 : index
          %isTurn = arith.cmpi slt, %n, %c2 : index
          scf.if %isTurn {
            %at = arith.muli %n, %c32 : index
            %t:2 = warp.ring.acquire %ring[%n] : !ring -> !slot, !slot
            warp.copy %X[%c0, %at], %t#0 {within = array<i1: true, true>} : !tile.view<16x64xf16>, !slot
            warp.copy %W[%c0, %at], %t#1 {within = array<i1: true, true>} : !tile.view<16x64xf16>, !slot
          }
          warp.ring.commit %ring[%n] : !ring
          %d = tile.dot %x, %w, %acc {transpose_b} : tensor<16x32xf16>, tensor<16x32xf16> -> tensor<16x16xf32>
          warp.ring.release %ring[%i] : !ring
          scf.yield %d : tensor<16x16xf32>
        }
        tile.store %sum, %Y[%c0, %c0] : tensor<16x16xf32>, !tile.view<16x16xf32>
      }
    }
    ```
    Requires: `warp.schedule` (tenon-choose-warp-schedules).
    Ensures: a transfer is committed for each turn, in order, and waited for before it is read. With a producer each dot's
    operands have a ring of their own, and so has what is loaded once a program and multiplied, or read behind a loop in its
    sums' shape where there is room, and with `early` what is streamed. 8-bit floats
    that are made f16 for a dot's right side come as bytes, where an instruction widens them as mma.sync takes them.
    Leaves alone: loads outside loops unless there is a producer, loads at places that data decide, rows that are no multiple of 16 bytes.
  }];
  let options = [Option<"arch", "arch", "std::string", "\"sm_90a\"", "architecture that is compiled for">];
  let dependentDialects = ["::tenon::warp::WarpDialect", "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def FormClustersPass : Pass<"tenon-form-clusters", "::mlir::ModuleOp"> {
  let summary = "CTAs that need the same tiles bring them once";
  let description = [{
    Why: programs that are neighbours along an axis of the grid read the same tile of the operand that does not follow it.
    Where the second-level cache is what they wait for, or what takes the power, one reading is enough for a cluster.

    Before:
    ```mlir
    !slot = !warp.smem<16x64xbf16, 128>
    !ring = !warp.ring<2, !slot, !slot>
    tile.kernel @product(%X: !tile.view<64x64xbf16>, %W: !tile.view<16x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true, cluster = 2>} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      tile.grid (%i) = (%c3) {
        %r = warp.ring.create transfers(%c1) : !ring
        warp.produce {
          %s:2 = warp.ring.acquire %r[%c0] : !ring -> !slot, !slot
          %at = affine.apply affine_map<(d0) -> (d0 * 16)>(%i)
          warp.copy %X[%at, %c0], %s#0 {within = array<i1: true, true>} : !tile.view<64x64xbf16>, !slot
          warp.copy %W[%c0, %c0], %s#1 {within = array<i1: true, true>} : !tile.view<16x64xbf16>, !slot
          warp.ring.commit %r[%c0] : !ring
        }
        %s:2 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot, !slot
        warp.ring.release %r[%c0] : !ring
      }
    }
    ```
    After:
    ```mlir
    !slot = !warp.smem<16x64xbf16, 128>
    !ring = !warp.ring<2, !slot, !slot>
    tile.kernel @product(%X: !tile.view<64x64xbf16>, %W: !tile.view<16x64xbf16>) attributes {warp.cluster = #warp.cluster<axis = 0, size = 2>, warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true, cluster = 2>} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c4 = arith.constant 4 : index
      tile.grid (%i) = (%c4) {
        %r = warp.ring.create transfers(%c1) : !ring
        warp.produce {
          %s:2 = warp.ring.acquire %r[%c0] : !ring -> !slot, !slot
          %at = affine.apply affine_map<(d0) -> (d0 * 16)>(%i)
          warp.copy %X[%at, %c0], %s#0 {within = array<i1: false, true>} : !tile.view<64x64xbf16>, !slot
          warp.copy %W[%c0, %c0], %s#1 {multicast, within = array<i1: true, true>} : !tile.view<16x64xbf16>, !slot
          warp.ring.commit %r[%c0] : !ring
        }
        %s:2 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !ring -> !slot, !slot
        warp.ring.release %r[%c0] : !ring
      }
    }
    ```
    Requires: copies (tenon-stage-copies), and `cluster` in `warp.schedule`.
    Ensures: `warp.cluster` along the axis along which the most bytes are shared; the grid's extent there is a multiple of
    the cluster's size, and all its programs have as many transfers. Programs that share a sum (`tile.reduce_scatter`) are
    the CTAs of a cluster, whatever the schedule says.
    Leaves alone: kernels without a producer, axes along which programs differ in length, tiles of fewer than 8 rows a CTA.
  }];
  let dependentDialects = ["::tenon::warp::WarpDialect", "::mlir::affine::AffineDialect"];
}

def OrderProgramsPass : Pass<"tenon-order-programs", "::mlir::ModuleOp"> {
  let summary = "programs that take longer come first";
  let description = [{
    Why: under a causal mask the last queries see all keys and the first one tile of them. CTAs that run many programs end
    together only where the last to begin are short, and take the next as they get free.

    Before:
    ```mlir
    !ring = !warp.ring<2, !warp.smem<16x64xbf16, 128>>
    tile.kernel @rising(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true>} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c8 = arith.constant 8 : index
      tile.grid (%head, %i) = (%c8, %c8) {
        %turns = arith.addi %i, %c1 : index
        %r = warp.ring.create transfers(%turns) : !ring
        warp.produce {
          scf.for %n = %c0 to %turns step %c1 {
            %s = warp.ring.acquire %r[%n] : !ring -> !warp.smem<16x64xbf16, 128>
            warp.copy %X[%c0, %c0], %s : !tile.view<?x64xbf16>, !warp.smem<16x64xbf16, 128>
            warp.ring.commit %r[%n] : !ring
          }
        }
      }
    }
    ```
    After:
    ```mlir
    !ring = !warp.ring<2, !warp.smem<16x64xbf16, 128>>
    tile.kernel @rising(%X: !tile.view<?x64xbf16>) attributes {warp.order = #warp.order<longest = 1, group = 8>, warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true>} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c8 = arith.constant 8 : index
      tile.grid (%head, %i) = (%c8, %c8) {
        %turns = arith.addi %i, %c1 : index
        %r = warp.ring.create transfers(%turns) : !ring
        warp.produce {
          scf.for %n = %c0 to %turns step %c1 {
            %s = warp.ring.acquire %r[%n] : !ring -> !warp.smem<16x64xbf16, 128>
            warp.copy %X[%c0, %c0], %s : !tile.view<?x64xbf16>, !warp.smem<16x64xbf16, 128>
            warp.ring.commit %r[%n] : !ring
          }
        }
      }
    }
    ```
    Requires: rings of a producer (tenon-stage-copies).
    Ensures: `warp.order` where what the producer brings rises along one axis of the grid.
    Leaves alone: an order that is there already, programs of equal length, numbers of turns that change in another way.
  }];
  let options = [Option<"arch", "arch", "std::string", "\"sm_90a\"", "architecture whose L2 cache there is">];
  let dependentDialects = ["::tenon::warp::WarpDialect"];
}

def AssignLayoutsPass : Pass<"tenon-assign-layouts", "::mlir::ModuleOp"> {
  let summary = "each tile gets a layout, each dot an atom";
  let description = [{
    Why: which thread has which element decides how memory is accessed, what a fold has to exchange and what a matrix
    instruction can take; it is decided once for a whole program, and stands in the types.

    Before:
    ```mlir
    tile.kernel @sums(%X: !tile.view<64x512xf32>, %Y: !tile.view<64xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
      %c0 = arith.constant 0 : index
      %c64 = arith.constant 64 : index
      tile.grid (%i) = (%c64) {
        %x = tile.load %X[%i, %c0] : !tile.view<64x512xf32> -> tensor<512xf32>
        %y = tile.reduce add %x {axis = 0 : i64} : tensor<512xf32> -> tensor<f32>
        tile.store %y, %Y[%i] : tensor<f32>, !tile.view<64xf32>
      }
    }
    ```
    After:
    ```mlir
    tile.kernel @sums(%X: !tile.view<64x512xf32>, %Y: !tile.view<64xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
      %c0 = arith.constant 0 : index
      %c64 = arith.constant 64 : index
      tile.grid (%i) = (%c64) {
        %x = tile.load %X[%i, %c0] : !tile.view<64x512xf32> -> tensor<512xf32, #warp.layout<[r4, l32, r4]>>
        %y = tile.reduce add %x {axis = 0 : i64} : tensor<512xf32, #warp.layout<[r4, l32, r4]>> -> tensor<f32, #warp.layout<>>
        tile.store %y, %Y[%i] : tensor<f32, #warp.layout<>>, !tile.view<64xf32>
      }
    }
    ```
    Requires: `warp.schedule`; rings where they are wanted (tenon-stage-copies).
    Ensures: every tile has a layout; every dot is a warp.dot with an atom, its right operand in shared memory.
    Leaves alone: copies and rings.
  }];
  let dependentDialects = ["::tenon::warp::WarpDialect"];
}

def OverlapDotsPass : Pass<"tenon-overlap-dots", "::mlir::ModuleOp"> {
  let summary = "a turn's dot runs on while the next turn begins";
  let description = [{
    Why: wgmma runs beside the warps that begin it; a loop that waits for each product leaves the Tensor Cores idle while it
    looks for the next.

    Before:
    ```mlir
    #acc = #warp.layout<[w4, r2, l8*4], [r2, l4, r2]>
    !ring = !warp.ring<3, !warp.smem<64x64xbf16, 128>, !warp.smem<16x64xbf16, 128>>
    tile.kernel @sum(%Y: !tile.view<64x16xf32>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 3, tf32 = false, wgmma = true>} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c8 = arith.constant 8 : index
      %zero = arith.constant dense<0.0> : tensor<64x16xf32, #acc>
      tile.grid () = () {
        %r = warp.ring.create : !ring
        %sum = scf.for %i = %c0 to %c8 step %c1 iter_args(%a = %zero) -> (tensor<64x16xf32, #acc>) {
          %s:2 = warp.ring.wait %r[%i] {ahead = 0 : i64} : !ring -> !warp.smem<64x64xbf16, 128>, !warp.smem<16x64xbf16, 128>
          %d = warp.dot %s#0, %s#1, %a {atom = #warp.wgmma, transpose_b} : !warp.smem<64x64xbf16, 128>, !warp.smem<16x64xbf16, 128> -> tensor<64x16xf32, #acc>
          scf.yield %d : tensor<64x16xf32, #acc>
        }
        tile.store %sum, %Y[%c0, %c0] : tensor<64x16xf32, #acc>, !tile.view<64x16xf32>
      }
    }
    ```
    After:
    ```mlir
    #acc = #warp.layout<[w4, r2, l8*4], [r2, l4, r2]>
    !ring = !warp.ring<3, !warp.smem<64x64xbf16, 128>, !warp.smem<16x64xbf16, 128>>
    tile.kernel @sum(%Y: !tile.view<64x16xf32>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 3, tf32 = false, wgmma = true>} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c8 = arith.constant 8 : index
      %zero = arith.constant dense<0.0> : tensor<64x16xf32, #acc>
      tile.grid () = () {
        %r = warp.ring.create : !ring
        %sum = scf.for %i = %c0 to %c8 step %c1 iter_args(%a = %zero) -> (tensor<64x16xf32, #acc>) {
          %s:2 = warp.ring.wait %r[%i] {ahead = 0 : i64} : !ring -> !warp.smem<64x64xbf16, 128>, !warp.smem<16x64xbf16, 128>
          %d = warp.dot %s#0, %s#1, %a {async, atom = #warp.wgmma, transpose_b} : !warp.smem<64x64xbf16, 128>, !warp.smem<16x64xbf16, 128> -> tensor<64x16xf32, #acc>
          %e = warp.dot_wait %d {pending = 1 : i64} : tensor<64x16xf32, #acc>
          scf.yield %e : tensor<64x16xf32, #acc>
        }
        %done = warp.dot_wait %sum {pending = 0 : i64} : tensor<64x16xf32, #acc>
        tile.store %done, %Y[%c0, %c0] : tensor<64x16xf32, #acc>, !tile.view<64x16xf32>
      }
    }
    ```
    Requires: atoms (tenon-assign-layouts); a ring that fills a slot two turns after it was read (tenon-stage-copies).
    Ensures: a sum is waited for before anything but the next dot has it.
    Leaves alone: other atoms, dots whose left operand is in registers, loops with several dots.
  }];
}

def FoldInLanesPass : Pass<"tenon-fold-in-lanes", "::mlir::ModuleOp"> {
  let summary = "lanes fold what they have, and exchange it where the whole is needed";
  let description = [{
    Why: a fold's exchange between lanes takes four shuffles a row, one waiting for the other. A sum that a loop carries
    is needed at its end, and whether a maximum has passed a limit each lane can tell of its own part.

    Before:
    ```mlir
    #acc = #warp.layout<[r2, l8*4], [r8, l4, r2]>
    #row = #warp.layout<[r2, l8*4]>
    tile.kernel @sums(%X: !tile.view<?x64xf32>, %Y: !tile.view<16xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
      %c0 = arith.constant 0 : index
      %c16 = arith.constant 16 : index
      %n = tile.dim %X {axis = 0 : i64} : !tile.view<?x64xf32>
      %zero = arith.constant dense<0.0> : tensor<16xf32, #row>
      tile.grid () = () {
        %sum = scf.for %i = %c0 to %n step %c16 iter_args(%s = %zero) -> (tensor<16xf32, #row>) {
          %x = tile.load %X[%i, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32, #acc>
          %more = tile.reduce add %x {axis = 1 : i64} : tensor<16x64xf32, #acc> -> tensor<16xf32, #row>
          %t = arith.addf %s, %more : tensor<16xf32, #row>
          scf.yield %t : tensor<16xf32, #row>
        }
        tile.store %sum, %Y[%c0] : tensor<16xf32, #row>, !tile.view<16xf32>
      }
    }
    ```
    After:
    ```mlir
    #acc = #warp.layout<[r2, l8*4], [r8, l4, r2]>
    #part = #warp.layout<[r2, l8*4], [l4]>
    #row = #warp.layout<[r2, l8*4]>
    tile.kernel @sums(%X: !tile.view<?x64xf32>, %Y: !tile.view<16xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 2, tf32 = false>} {
      %c0 = arith.constant 0 : index
      %c16 = arith.constant 16 : index
      %n = tile.dim %X {axis = 0 : i64} : !tile.view<?x64xf32>
      %zero = arith.constant dense<0.0> : tensor<16x4xf32, #part>
      tile.grid () = () {
        %parts = scf.for %i = %c0 to %n step %c16 iter_args(%s = %zero) -> (tensor<16x4xf32, #part>) {
          %x = tile.load %X[%i, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32, #acc>
          %more = warp.partial_reduce add %x {axis = 1 : i64} : tensor<16x64xf32, #acc> -> tensor<16x4xf32, #part>
          %t = arith.addf %s, %more : tensor<16x4xf32, #part>
          scf.yield %t : tensor<16x4xf32, #part>
        }
        %sum = tile.reduce add %parts {axis = 1 : i64} : tensor<16x4xf32, #part> -> tensor<16xf32, #row>
        tile.store %sum, %Y[%c0] : tensor<16xf32, #row>, !tile.view<16xf32>
      }
    }
    ```
    Requires: layouts (tenon-assign-layouts).
    Ensures: the same sums but for the order of their terms; the same choice of ways, within what `tile.unlikely` allows.
    Leaves alone: folds over warps, sums that more is done with than adding folds and multiplying, conditions of other ops.
  }];
  let dependentDialects = ["::tenon::warp::WarpDialect"];
}

def SplitLoopsPass : Pass<"tenon-split-loops", "::mlir::ModuleOp"> {
  let summary = "turns that a mask does not touch have a loop of their own";
  let description = [{
    Why: most turns of a loop over keys see whole tiles; a condition in the loop costs them instructions and keeps
    addresses out of the registers that all threads share.

    Before:
    ```mlir
    #acc = #warp.layout<[w4, r2, l8*4], [r2, l4, r2]>
    !ring = !warp.ring<2, !warp.smem<16x16xbf16, 32>>
    tile.kernel @masked(%Y: !tile.view<64x16xf32>, %X: !tile.view<64x16xbf16>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true>} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c8 = arith.constant 8 : index
      %zero = arith.constant dense<0.0> : tensor<64x16xf32, #acc>
      tile.grid (%n) = (%c8) {
        %x = tile.load %X[%c0, %c0] : !tile.view<64x16xbf16> -> tensor<64x16xbf16, #acc>
        %K = warp.ring.create transfers(%c8) : !ring
        %sum = scf.for %i = %c0 to %c8 step %c1 iter_args(%o = %zero) -> (tensor<64x16xf32, #acc>) {
          %k = warp.ring.wait %K[%i] {ahead = 0 : i64} : !ring -> !warp.smem<16x16xbf16, 32>
          %s = warp.dot %x, %k, %o {atom = #warp.wgmma} : tensor<64x16xbf16, #acc>, !warp.smem<16x16xbf16, 32> -> tensor<64x16xf32, #acc>
          warp.ring.release %K[%i] : !ring
          %isLate = arith.cmpi slt, %n, %i : index
          %r = scf.if %isLate -> (tensor<64x16xf32, #acc>) {
            %negated = arith.negf %s : tensor<64x16xf32, #acc>
            scf.yield %negated : tensor<64x16xf32, #acc>
          } else {
            scf.yield %s : tensor<64x16xf32, #acc>
          }
          scf.yield %r : tensor<64x16xf32, #acc>
        }
        tile.store %sum, %Y[%c0, %c0] : tensor<64x16xf32, #acc>, !tile.view<64x16xf32>
      }
    }
    ```
    After:
    ```mlir
    #acc = #warp.layout<[w4, r2, l8*4], [r2, l4, r2]>
    !ring = !warp.ring<2, !warp.smem<16x16xbf16, 32>>
    tile.kernel @masked(%Y: !tile.view<64x16xf32>, %X: !tile.view<64x16xbf16>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true>} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c8 = arith.constant 8 : index
      %zero = arith.constant dense<0.0> : tensor<64x16xf32, #acc>
      tile.grid (%n) = (%c8) {
        %x = tile.load %X[%c0, %c0] : !tile.view<64x16xbf16> -> tensor<64x16xbf16, #acc>
        %K = warp.ring.create transfers(%c8) : !ring
        %one = arith.constant 1 : index
        %late = arith.addi %n, %one : index
        %distance = arith.subi %late, %c0 : index
        %turns = arith.ceildivsi %distance, %c1 : index
        %none = arith.constant 0 : index
        %before = arith.maxsi %turns, %none : index
        %length = arith.muli %before, %c1 : index
        %turn = arith.addi %c0, %length : index
        %last = arith.minsi %c8, %turn : index
        %end = arith.minsi %last, %c8 : index
        %early = scf.for %i = %c0 to %end step %c1 iter_args(%o = %zero) -> (tensor<64x16xf32, #acc>) {
          %k = warp.ring.wait %K[%i] {ahead = 0 : i64} : !ring -> !warp.smem<16x16xbf16, 32>
          %s = warp.dot %x, %k, %o {atom = #warp.wgmma} : tensor<64x16xbf16, #acc>, !warp.smem<16x16xbf16, 32> -> tensor<64x16xf32, #acc>
          warp.ring.release %K[%i] : !ring
          %isLate = arith.cmpi slt, %n, %i : index
          scf.yield %s : tensor<64x16xf32, #acc>
        }
        %sum = scf.for %i = %last to %c8 step %c1 iter_args(%o = %early) -> (tensor<64x16xf32, #acc>) {
          %k = warp.ring.wait %K[%i] {ahead = 0 : i64} : !ring -> !warp.smem<16x16xbf16, 32>
          %s = warp.dot %x, %k, %o {atom = #warp.wgmma} : tensor<64x16xbf16, #acc>, !warp.smem<16x16xbf16, 32> -> tensor<64x16xf32, #acc>
          warp.ring.release %K[%i] : !ring
          %isLate = arith.cmpi slt, %n, %i : index
          %negated = arith.negf %s : tensor<64x16xf32, #acc>
          scf.yield %negated : tensor<64x16xf32, #acc>
        }
        tile.store %sum, %Y[%c0, %c0] : tensor<64x16xf32, #acc>, !tile.view<64x16xf32>
      }
    }
    ```
    Requires: nothing; best after tenon-skew-dots, so that only one turn is left without a dot beside.
    Ensures: the same turns in the same order.
    Leaves alone: loops without dots, loops in loops, conditions that data decide.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def StageStoresPass : Pass<"tenon-stage-stores", "::mlir::ModuleOp"> {
  let summary = "results leave through shared memory, by TMA";
  let description = [{
    Why: four lanes share a row of an accumulator, so that its stores are narrow, and the program waits to issue them all;
    by TMA whole lines leave while the CTA's next program multiplies.

    Before:
    ```mlir
    #acc = #warp.layout<[w4, r2, l8*4], [r8, l4, r2]>
    !ring = !warp.ring<2, !warp.smem<64x64xbf16, 128>>
    tile.kernel @copy(%X: !tile.view<64x64xbf16>, %Y: !tile.view<64x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true>} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      tile.grid () = () {
        %ring = warp.ring.create transfers(%c1) : !ring
        warp.produce {
          %t = warp.ring.acquire %ring[%c0] : !ring -> !warp.smem<64x64xbf16, 128>
          warp.copy %X[%c0, %c0], %t {within = array<i1: true, true>} : !tile.view<64x64xbf16>, !warp.smem<64x64xbf16, 128>
          warp.ring.commit %ring[%c0] : !ring
        }
        %s = warp.ring.wait %ring[%c0] {ahead = 0 : i64} : !ring -> !warp.smem<64x64xbf16, 128>
        %x = warp.read %s : !warp.smem<64x64xbf16, 128> -> tensor<64x64xbf16, #acc>
        warp.ring.release %ring[%c0] : !ring
        tile.store %x, %Y[%c0, %c0] : tensor<64x64xbf16, #acc>, !tile.view<64x64xbf16>
      }
    }
    ```
    After:
    ```mlir
    #acc = #warp.layout<[w4, r2, l8*4], [r8, l4, r2]>
    !ring = !warp.ring<2, !warp.smem<64x64xbf16, 128>>
    tile.kernel @copy(%X: !tile.view<64x64xbf16>, %Y: !tile.view<64x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true>} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      tile.grid () = () {
        %ring = warp.ring.create transfers(%c1) : !ring
        warp.produce {
          %t = warp.ring.acquire %ring[%c0] : !ring -> !warp.smem<64x64xbf16, 128>
          warp.copy %X[%c0, %c0], %t {within = array<i1: true, true>} : !tile.view<64x64xbf16>, !warp.smem<64x64xbf16, 128>
          warp.ring.commit %ring[%c0] : !ring
        }
        %s = warp.ring.wait %ring[%c0] {ahead = 0 : i64} : !ring -> !warp.smem<64x64xbf16, 128>
        %x = warp.read %s : !warp.smem<64x64xbf16, 128> -> tensor<64x64xbf16, #acc>
        warp.ring.release %ring[%c0] : !ring
        warp.store %x, %Y[%c0, %c0] slots 1 : tensor<64x64xbf16, #acc>, !tile.view<64x64xbf16>
      }
    }
    ```
    Requires: layouts (tenon-assign-layouts); a producer (tenon-stage-copies).
    Ensures: a tile of 16 bits or more in an accumulator's layout leaves by warp.store, through at most four slots.
    Leaves alone: stores in loops and conditions, views that no tensor map describes, tiles for which no shared memory is
    left.
  }];
  let options = [Option<"arch", "arch", "std::string", "\"sm_90a\"", "architecture whose shared memory there is">];
  let dependentDialects = ["::tenon::warp::WarpDialect"];
}

def SkewDotsPass : Pass<"tenon-skew-dots", "::mlir::ModuleOp"> {
  let summary = "a loop's second dot runs beside the next turn's first";
  let description = [{
    Why: a loop that multiplies, computes with the product and multiplies again (attention) waits for the Tensor Cores twice
    a turn. Begun together, the dots are waited for once, and another warpgroup's fill the time in which this one computes.

    Before:
    ```mlir
    #acc = #warp.layout<[w4, r2, l8*4], [r2, l4, r2]>
    #row = #warp.layout<[w4, r2, l8*4]>
    !tile = !warp.smem<16x16xbf16, 32>
    !ring = !warp.ring<2, !tile>
    tile.kernel @sum(%Y: !tile.view<64x16xf32>, %q: !tile.view<64x16xbf16>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true>} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c8 = arith.constant 8 : index
      %zero = arith.constant dense<0.0> : tensor<64x16xf32, #acc>
      tile.grid () = () {
        %x = tile.load %q[%c0, %c0] : !tile.view<64x16xbf16> -> tensor<64x16xbf16, #acc>
        %K = warp.ring.create transfers(%c8) : !ring
        %V = warp.ring.create transfers(%c8) : !ring
        %sum = scf.for %i = %c0 to %c8 step %c1 iter_args(%o = %zero) -> (tensor<64x16xf32, #acc>) {
          %k = warp.ring.wait %K[%i] {ahead = 0 : i64} : !ring -> !tile
          %s = warp.dot %x, %k, %zero {atom = #warp.wgmma, transpose_b} : tensor<64x16xbf16, #acc>, !tile -> tensor<64x16xf32, #acc>
          warp.ring.release %K[%i] : !ring
          %m = tile.reduce max %s {axis = 1 : i64} : tensor<64x16xf32, #acc> -> tensor<64xf32, #row>
          %b = tile.broadcast %m {dims = array<i64: 0>} : tensor<64xf32, #row> -> tensor<64x16xf32, #acc>
          %p = arith.divf %s, %b : tensor<64x16xf32, #acc>
          %t = arith.truncf %p : tensor<64x16xf32, #acc> to tensor<64x16xbf16, #acc>
          %v = warp.ring.wait %V[%i] {ahead = 0 : i64} : !ring -> !tile
          %d = warp.dot %t, %v, %o {atom = #warp.wgmma} : tensor<64x16xbf16, #acc>, !tile -> tensor<64x16xf32, #acc>
          warp.ring.release %V[%i] : !ring
          scf.yield %d : tensor<64x16xf32, #acc>
        }
        tile.store %sum, %Y[%c0, %c0] : tensor<64x16xf32, #acc>, !tile.view<64x16xf32>
      }
    }
    ```
    After:
    ```mlir
    #acc = #warp.layout<[w4, r2, l8*4], [r2, l4, r2]>
    #row = #warp.layout<[w4, r2, l8*4]>
    !tile = !warp.smem<16x16xbf16, 32>
    !ring = !warp.ring<2, !tile>
    tile.kernel @sum(%Y: !tile.view<64x16xf32>, %q: !tile.view<64x16xbf16>) attributes {warp.schedule = #warp.schedule<warps = [4, 1], stages = 2, tf32 = false, wgmma = true, producer = true>} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c8 = arith.constant 8 : index
      %zero = arith.constant dense<0.0> : tensor<64x16xf32, #acc>
      tile.grid () = () {
        %x = tile.load %q[%c0, %c0] : !tile.view<64x16xbf16> -> tensor<64x16xbf16, #acc>
        %K = warp.ring.create transfers(%c8) : !ring
        %V = warp.ring.create transfers(%c8) : !ring
        %zeroP = arith.constant dense<0.0> : tensor<64x16xbf16, #acc>
        %k0 = warp.ring.wait %K[%c0] {ahead = 0 : i64} : !ring -> !tile
        %s0 = warp.dot %x, %k0, %zero {atom = #warp.wgmma, transpose_b} : tensor<64x16xbf16, #acc>, !tile -> tensor<64x16xf32, #acc>
        warp.ring.release %K[%c0] : !ring
        %m0 = tile.reduce max %s0 {axis = 1 : i64} : tensor<64x16xf32, #acc> -> tensor<64xf32, #row>
        %b0 = tile.broadcast %m0 {dims = array<i64: 0>} : tensor<64xf32, #row> -> tensor<64x16xf32, #acc>
        %p0 = arith.divf %s0, %b0 : tensor<64x16xf32, #acc>
        %t0 = arith.truncf %p0 : tensor<64x16xf32, #acc> to tensor<64x16xbf16, #acc>
        %next = arith.addi %c0, %c1 : index
        %sum:2 = scf.for %i = %next to %c8 step %c1 iter_args(%o = %zero, %t1 = %t0) -> (tensor<64x16xf32, #acc>, tensor<64x16xbf16, #acc>) {
          %k = warp.ring.wait %K[%i] {ahead = 0 : i64} : !ring -> !tile
          %s = warp.dot %x, %k, %zero {async, atom = #warp.wgmma, transpose_b} : tensor<64x16xbf16, #acc>, !tile -> tensor<64x16xf32, #acc>
          %one = arith.constant 1 : index
          %before = arith.subi %i, %one : index
          %v = warp.ring.wait %V[%before] {ahead = 0 : i64} : !ring -> !tile
          %d = warp.dot %t1, %v, %o {async, atom = #warp.wgmma} : tensor<64x16xbf16, #acc>, !tile -> tensor<64x16xf32, #acc>
          %sDone = warp.dot_wait %s {pending = 1 : i64} : tensor<64x16xf32, #acc>
          warp.ring.release %K[%i] : !ring
          %m = tile.reduce max %sDone {axis = 1 : i64} : tensor<64x16xf32, #acc> -> tensor<64xf32, #row>
          %dDone = warp.dot_wait %d {pending = 0 : i64} : tensor<64x16xf32, #acc>
          warp.ring.release %V[%before] : !ring
          %b = tile.broadcast %m {dims = array<i64: 0>} : tensor<64xf32, #row> -> tensor<64x16xf32, #acc>
          %p = arith.divf %sDone, %b : tensor<64x16xf32, #acc>
          %t = arith.truncf %p : tensor<64x16xf32, #acc> to tensor<64x16xbf16, #acc>
          scf.yield %dDone, %t : tensor<64x16xf32, #acc>, tensor<64x16xbf16, #acc>
        }
        %one1 = arith.constant 1 : index
        %last = arith.subi %c8, %one1 : index
        %vLast = warp.ring.wait %V[%last] {ahead = 0 : i64} : !ring -> !tile
        %all = warp.dot %sum#1, %vLast, %sum#0 {atom = #warp.wgmma} : tensor<64x16xbf16, #acc>, !tile -> tensor<64x16xf32, #acc>
        warp.ring.release %V[%last] : !ring
        tile.store %all, %Y[%c0, %c0] : tensor<64x16xf32, #acc>, !tile.view<64x16xf32>
      }
    }
    ```
    Requires: atoms (tenon-assign-layouts); for each dot a ring of its own that a producer fills (tenon-stage-copies).
    Ensures: transfers are waited for and released as before, in the same order. A second dot that starts at zero and is
    added (sums of 8-bit floats) is added where it is waited for; where no mask cuts a turn, it begins in its own turn, the
    next one's first dot behind it, and is added beside that.
    Leaves alone: other atoms, loops with one dot or more than two, and those in which something else takes the second
    dot's sum.
  }];
  let dependentDialects = ["::tenon::warp::WarpDialect", "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def DescribePipelinesPass : Pass<"tenon-describe-pipelines", "::mlir::ModuleOp"> {
  let summary = "each kernel says in words what its pipeline is";
  let description = [{
    Why: threads, registers, rings and what bounds a turn follow from a program of warps, but from all of it. Who tunes a
    kernel wants them together, in a dump and beside the kernel in its artefact (tenon-inspect).

    Before:
    ```mlir
    tile.kernel @sums(%X: !tile.view<64x512xf32>, %Y: !tile.view<64xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
      %c0 = arith.constant 0 : index
      %c64 = arith.constant 64 : index
      tile.grid (%i) = (%c64) {
        %x = tile.load %X[%i, %c0] : !tile.view<64x512xf32> -> tensor<512xf32, #warp.layout<[r4, l32, r4]>>
        %y = tile.reduce add %x {axis = 0 : i64} : tensor<512xf32, #warp.layout<[r4, l32, r4]>> -> tensor<f32, #warp.layout<>>
        tile.store %y, %Y[%i] : tensor<f32, #warp.layout<>>, !tile.view<64xf32>
      }
    }
    ```
    After:
    ```mlir
    tile.kernel @sums(%X: !tile.view<64x512xf32>, %Y: !tile.view<64xf32>) attributes {tenon.pipeline = ["32 threads a CTA: 1 warps of 255 registers a thread", "0 of 232448 bytes of shared memory: 0 for tiles, 0 for exchanges, 0 for barriers"], warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
      %c0 = arith.constant 0 : index
      %c64 = arith.constant 64 : index
      tile.grid (%i) = (%c64) {
        %x = tile.load %X[%i, %c0] : !tile.view<64x512xf32> -> tensor<512xf32, #warp.layout<[r4, l32, r4]>>
        %y = tile.reduce add %x {axis = 0 : i64} : tensor<512xf32, #warp.layout<[r4, l32, r4]>> -> tensor<f32, #warp.layout<>>
        tile.store %y, %Y[%i] : tensor<f32, #warp.layout<>>, !tile.view<64xf32>
      }
    }
    ```
    Requires: kernels of phase warp, verified.
    Ensures: `tenon.pipeline` has a line for threads and registers, one for shared memory, one for each ring and what leaves
    through shared memory, and one for each loop that multiplies: the clocks that its dots, their reads of shared memory and
    the copies into it take at the least; where sizes are known, one for what memory and Tensor Cores take of all programs.
    Leaves alone: what the kernel computes.
  }];
  let options = [Option<"arch", "arch", "std::string", "\"sm_90a\"", "architecture that the kernels are for">];
}

def VerifyWarpPass : Pass<"tenon-verify-warp", "::mlir::ModuleOp"> {
  let summary = "what holds after phase warp is checked";
  let description = [{
    Why: the expansion to threads takes layouts, rings and dots at their word. A fold in the wrong layout, a slot that is
    read before it is full, or more shared memory than a block has would show on the device, or not at all.

    Before:
    ```mlir
    tile.kernel @sums(%X: !tile.view<64x512xf32>, %Y: !tile.view<64xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
      %c0 = arith.constant 0 : index
      %c64 = arith.constant 64 : index
      tile.grid (%i) = (%c64) {
        %x = tile.load %X[%i, %c0] : !tile.view<64x512xf32> -> tensor<512xf32, #warp.layout<[r4, l32, r4]>>
        %y = tile.reduce add %x {axis = 0 : i64} : tensor<512xf32, #warp.layout<[r4, l32, r4]>> -> tensor<f32, #warp.layout<>>
        tile.store %y, %Y[%i] : tensor<f32, #warp.layout<>>, !tile.view<64xf32>
      }
    }
    ```
    After:
    ```mlir
    tile.kernel @sums(%X: !tile.view<64x512xf32>, %Y: !tile.view<64xf32>) attributes {warp.schedule = #warp.schedule<warps = [1, 1], stages = 1, tf32 = false>} {
      %c0 = arith.constant 0 : index
      %c64 = arith.constant 64 : index
      tile.grid (%i) = (%c64) {
        %x = tile.load %X[%i, %c0] : !tile.view<64x512xf32> -> tensor<512xf32, #warp.layout<[r4, l32, r4]>>
        %y = tile.reduce add %x {axis = 0 : i64} : tensor<512xf32, #warp.layout<[r4, l32, r4]>> -> tensor<f32, #warp.layout<>>
        tile.store %y, %Y[%i] : tensor<f32, #warp.layout<>>, !tile.view<64xf32>
      }
    }
    ```
    Requires: nothing.
    Ensures: every tile has a layout that reaches all of it and fits the warps there are; operands are in the layouts that
    go with results; a result under way is waited for; on every path that was tried, each transfer of a ring is acquired in
    a free slot, filled, committed in order, waited for, read and released; shared memory is within a block's, and the
    registers that dots' sums take, within a thread's.
    Leaves alone: everything, unless `marks-budget`: what is over its budget then says so in `tenon.over_budget`, for who
    chose its schedule to choose another one.
  }];
  let options = [
    Option<"arch", "arch", "std::string", "\"sm_90a\"", "architecture whose limits hold; empty: none">,
    Option<"marksBudget", "marks-budget", "bool", "false", "a kernel over its budget is marked, and no error">
  ];
}

#endif
