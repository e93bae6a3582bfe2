// RUN: tenon-opt %s -verify-diagnostics -split-input-file
// Every constraint of the dialect, broken once.

// expected-error@+1 {{'tile.kernel' op (C1) argument 0 is 'index', expected a view}}
"tile.kernel"() <{sym_name = "k", function_type = (index) -> ()}> ({
^entry(%n: index):
  tile.grid () = () {
  }
  tile.end
}) : () -> ()

// -----

// expected-error@+1 {{'tile.kernel' op (C2) has 1 results, expected none}}
"tile.kernel"() <{sym_name = "k", function_type = () -> index}> ({
  tile.grid () = () {
  }
  tile.end
}) : () -> ()

// -----

// expected-error@+1 {{'tile.kernel' op (C3) holds 0 grids, expected one tile.grid, then tile.end}}
tile.kernel @k() {
  tile.end
}

// -----

tile.kernel @k() {
  %c1 = arith.constant 1 : index
  // expected-error@+1 {{'tile.grid' op (C1) has 2 arguments for 1 extents}}
  tile.grid (%i, %j) = (%c1) {
  }
}

// -----

func.func @f() {
  // expected-error@+1 {{'tile.grid' op (C2) stands in func.func, expected tile.kernel}}
  tile.grid () = () {
  }
  return
}

// -----

func.func @f() {
  // expected-error@+1 {{'tile.end' op expects parent op to be one of 'tile.kernel, tile.grid'}}
  tile.end
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{'tile.dim' op (C1) axis is 2, expected a dimension of}}
  %d = tile.dim %X {axis = 2 : i64} : !tile.view<?x64xf32>
  tile.grid () = () {
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{'tile.strided' op (C1) has 1 sizes and 2 strides for}}
  %v = tile.strided %X at %c0 sizes(%c0) strides(%c0, %c0) : !tile.view<?x64xf32> -> !tile.view<?x?xf32>
  tile.grid () = () {
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{'tile.strided' op (C2) size 1 of}}
  %v = tile.strided %X at %c0 sizes(%c0, %c0) strides(%c0, %c0) : !tile.view<?x64xf32> -> !tile.view<?x32xf32>
  tile.grid () = () {
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{'tile.strided' op (C3) result has elements of 'bf16', the base of 'f32'}}
  %v = tile.strided %X at %c0 sizes(%c0) strides(%c0) : !tile.view<?x64xf32> -> !tile.view<?xbf16>
  tile.grid () = () {
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    // expected-error@+1 {{'tile.load' op (C1) has 1 places in}}
    %x = tile.load %X[%c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    // expected-error@+1 {{'tile.load' op (C2) has a tile of type 'tensor<2x16x64xf32>', expected at most the rank}}
    %x = tile.load %X[%c0, %c0] : !tile.view<?x64xf32> -> tensor<2x16x64xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    // expected-error@+1 {{'tile.load' op (C3) has a tile of 'bf16', expected 'f32'}}
    %x = tile.load %X[%c0, %c0] : !tile.view<?x64xf32> -> tensor<16x64xbf16>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    // expected-error@+1 {{'tile.load' op (C4) pad is of type 'bf16', expected 'f32'}}
    %x = tile.load %X[%c0, %c0] {pad = 0.0 : bf16} : !tile.view<?x64xf32> -> tensor<16x64xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
    // expected-error@+1 {{'tile.store' op (C1) has 1 places in}}
    tile.store %x, %X[%c0] : tensor<16x64xf32>, !tile.view<?x64xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %z = arith.constant dense<0.0> : tensor<1x16x64xf32>
    // expected-error@+1 {{'tile.store' op (C2) has a tile of type}}
    tile.store %z, %X[%c0, %c0] : tensor<1x16x64xf32>, !tile.view<?x64xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %z = arith.constant dense<0.0> : tensor<16x64xf64>
    // expected-error@+1 {{'tile.store' op (C3) has a tile of 'f64', expected 'f32'}}
    tile.store %z, %X[%c0, %c0] : tensor<16x64xf64>, !tile.view<?x64xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %r = tile.iota {axis = 0 : i64} : tensor<16xi32>
    // expected-error@+1 {{'tile.gather' op (C1) has 1 places in}}
    %x = tile.gather %X[%c0] rows(%r) {axis = 0 : i64} : !tile.view<?x64xf32>, tensor<16xi32> -> tensor<16x64xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %r = tile.iota {axis = 0 : i64} : tensor<16xi32>
    // expected-error@+1 {{'tile.gather' op (C2) axis is 0, expected a dimension of}}
    %x = tile.gather %X[%c0, %c0] rows(%r) {axis = 0 : i64} : !tile.view<?x64xf32>, tensor<16xi32> -> tensor<64xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %r = tile.iota {axis = 0 : i64} : tensor<16xi32>
    // expected-error@+1 {{'tile.gather' op (C3) has a tile of 'bf16'}}
    %x = tile.gather %X[%c0, %c0] rows(%r) {axis = 0 : i64} : !tile.view<?x64xf32>, tensor<16xi32> -> tensor<16x64xbf16>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %r = tile.iota {axis = 0 : i64} : tensor<16xi32>
    // expected-error@+1 {{'tile.gather' op (C4) rows are 'tensor<16xi32>', expected one number for each of 8}}
    %x = tile.gather %X[%c0, %c0] rows(%r) {axis = 0 : i64} : !tile.view<?x64xf32>, tensor<16xi32> -> tensor<8x64xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %a = arith.constant dense<0.0> : tensor<8xf32>
    %b = arith.constant dense<0.0> : tensor<8x4xf32>
    %c = arith.constant dense<0.0> : tensor<8x4xf32>
    // expected-error@+1 {{'tile.dot' op (C1) has tiles of rank 1, 2 and 2}}
    %d = tile.dot %a, %b, %c : tensor<8xf32>, tensor<8x4xf32> -> tensor<8x4xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %a = arith.constant dense<0.0> : tensor<4x8xf32>
    %b = arith.constant dense<0.0> : tensor<16x4xf32>
    %c = arith.constant dense<0.0> : tensor<4x4xf32>
    // expected-error@+1 {{'tile.dot' op (C2) contracts 8 of lhs with 16 of rhs}}
    %d = tile.dot %a, %b, %c : tensor<4x8xf32>, tensor<16x4xf32> -> tensor<4x4xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %a = arith.constant dense<0.0> : tensor<4x8xf32>
    %b = arith.constant dense<0.0> : tensor<8x4xf32>
    %c = arith.constant dense<0.0> : tensor<4x8xf32>
    // expected-error@+1 {{'tile.dot' op (C3) accumulates in 'tensor<4x8xf32>', expected 4 x 4}}
    %d = tile.dot %a, %b, %c : tensor<4x8xf32>, tensor<8x4xf32> -> tensor<4x8xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %a = arith.constant dense<0.0> : tensor<4x8xbf16>
    %b = arith.constant dense<0.0> : tensor<8x4xf16>
    %c = arith.constant dense<0.0> : tensor<4x4xf32>
    // expected-error@+1 {{'tile.dot' op (C4) multiplies 'bf16' with 'f16'}}
    %d = tile.dot %a, %b, %c : tensor<4x8xbf16>, tensor<8x4xf16> -> tensor<4x4xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %a = arith.constant dense<0.0> : tensor<4x8xbf16>
    %b = arith.constant dense<0.0> : tensor<8x4xbf16>
    %c = arith.constant dense<0.0> : tensor<4x4xbf16>
    // expected-error@+1 {{'tile.dot' op (C5) accumulates 'bf16' in 'bf16', expected 'f32'}}
    %d = tile.dot %a, %b, %c : tensor<4x8xbf16>, tensor<8x4xbf16> -> tensor<4x4xbf16>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
    // expected-error@+1 {{'tile.reduce' op (C1) axis is 2, expected a dimension}}
    %r = tile.reduce add %x {axis = 2 : i64} : tensor<16x64xf32> -> tensor<16xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
    // expected-error@+1 {{'tile.reduce' op (C2) result is 'tensor<64xf32>', expected 'tensor<16xf32>'}}
    %r = tile.reduce add %x {axis = 1 : i64} : tensor<16x64xf32> -> tensor<64xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
    // expected-error@+1 {{'tile.scan' op (C1) axis is -1, expected a dimension}}
    %r = tile.scan add %x {axis = -1 : i64} : tensor<16x64xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %v = arith.constant dense<[0.0, 1.0]> : tensor<2xf32>
    // expected-error@+1 {{'tile.broadcast' op (C1) dims is [2], expected 1 increasing dimensions of}}
    %r = tile.broadcast %v {dims = array<i64: 2>} : tensor<2xf32> -> tensor<4x2xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %v = arith.constant dense<[0.0, 1.0]> : tensor<2xf32>
    // expected-error@+1 {{'tile.broadcast' op (C2) dimension 0 of the result has size 4, expected 2}}
    %r = tile.broadcast %v {dims = array<i64: 0>} : tensor<2xf32> -> tensor<4x2xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %v = arith.constant dense<[0.0, 1.0]> : tensor<2xf32>
    // expected-error@+1 {{'tile.broadcast' op (C3) result has elements of 'f64', expected 'f32'}}
    %r = tile.broadcast %v {dims = array<i64: 1>} : tensor<2xf32> -> tensor<4x2xf64>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    // expected-error@+1 {{'tile.iota' op (C1) axis is 1, expected a dimension}}
    %r = tile.iota {axis = 1 : i64} : tensor<4xi32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    // expected-error@+1 {{'tile.iota' op (C2) gives elements of 'f32', expected integers}}
    %r = tile.iota {axis = 0 : i64} : tensor<4xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
    // expected-error@+1 {{'tile.join' op (C1) axis is 2, expected a dimension of 'tensor<16x64xf32>'}}
    %r = tile.join %x {axis = 2 : i64} : tensor<16x64xf32> -> tensor<16x64xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
    // expected-error@+1 {{'tile.join' op (C2) joins 'tensor<16x64xf32>' along dimension 0 of 'tensor<32x32xf32>'}}
    %r = tile.join %x, %x {axis = 0 : i64} : tensor<16x64xf32>, tensor<16x64xf32> -> tensor<32x32xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
    // expected-error@+1 {{'tile.join' op (C2) joins 32 elements along dimension 0, expected 48}}
    %r = tile.join %x, %x {axis = 0 : i64} : tensor<16x64xf32>, tensor<16x64xf32> -> tensor<48x64xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
    // expected-error@+1 {{'tile.trans' op (C1) permutation is [0, 0], expected each of 2 dimensions once}}
    %r = tile.trans %x {permutation = array<i64: 0, 0>} : tensor<16x64xf32> -> tensor<64x16xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
    // expected-error@+1 {{'tile.trans' op (C2) result is 'tensor<16x64xf32>', expected 'tensor<64x16xf32>'}}
    %r = tile.trans %x {permutation = array<i64: 1, 0>} : tensor<16x64xf32> -> tensor<16x64xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
    // expected-error@+1 {{'tile.reshape' op (C1) gives 'tensor<4x4xf32>' of 'tensor<16x64xf32>'}}
    %r = tile.reshape %x : tensor<16x64xf32> -> tensor<4x4xf32>
  }
}

// -----

func.func @f(%c: tensor<16xi8>) {
  // expected-error@+1 {{'tile.any' op (C1) folds 'tensor<16xi8>', expected i1}}
  %r = tile.any %c : tensor<16xi8>
  return
}

// -----

func.func @f(%c: tensor<16xi8>, %x: tensor<16xf32>) -> tensor<16xf32> {
  // expected-error@+1 {{'tile.unlikely' op (C1) condition is 'tensor<16xi8>', expected i1}}
  %r = tile.unlikely %c : tensor<16xi8> -> tensor<16xf32> {
    tile.yield %x : tensor<16xf32>
  } else(%x)
  return %r : tensor<16xf32>
}

// -----

func.func @f(%c: tensor<16xi1>, %x: tensor<16xf32>) -> tensor<16xf32> {
  // expected-error@+1 {{'tile.unlikely' op (C2) has a region that does not yield 'tensor<16xf32>'}}
  %r = tile.unlikely %c : tensor<16xi1> -> tensor<16xf32> {
    tile.yield %x, %x : tensor<16xf32>, tensor<16xf32>
  } else(%x)
  return %r : tensor<16xf32>
}

// -----

func.func @f(%c: tensor<16xi1>, %x: tensor<16x16xf32>) -> tensor<16x16xf32> {
  // expected-error@+1 {{'tile.unlikely' op (C3) has a region with effects or dots}}
  %r = tile.unlikely %c : tensor<16xi1> -> tensor<16x16xf32> {
    %y = tile.dot %x, %x, %x : tensor<16x16xf32>, tensor<16x16xf32> -> tensor<16x16xf32>
    tile.yield %y : tensor<16x16xf32>
  } else(%x)
  return %r : tensor<16x16xf32>
}

// -----

func.func @f(%x: tensor<16xf32>) {
  // expected-error@+1 {{'tile.yield' op (C1) stands in func.func, expected tile.unlikely}}
  "tile.yield"(%x) : (tensor<16xf32>) -> ()
}

// -----

// expected-error@+1 {{a view's elements are floats or integers, got 'index'}}
func.func private @v(!tile.view<4xindex>)

// -----

// expected-error@+1 {{depth is 0, expected at least 1}}
func.func private @s() attributes {s = #tile.gemm<rows = 1, columns = 1, depth = 0>}

// -----

// expected-error@+1 {{split_k is 0, expected at least 1}}
func.func private @s() attributes {s = #tile.gemm<rows = 1, columns = 1, depth = 1, split_k = 0>}

// -----

// expected-error@+1 {{parts is 2, expected a number that divides 3 rows}}
func.func private @s() attributes {s = #tile.gemm<rows = 3, columns = 1, depth = 1, parts = 2>}

// -----

// expected-error@+1 {{promote is 96, expected 0 or a multiple of the depth, 64}}
func.func private @s() attributes {s = #tile.gemm<rows = 1, columns = 1, depth = 64, promote = 96>}

// -----

// expected-error @below {{swapped rows and columns have 2 parts, expected 1}}
func.func private @s() attributes {s = #tile.gemm<rows = 4, columns = 64, depth = 64, parts = 2, swapped = true>}

// -----

// expected-error@+1 {{queries is -1, expected at least 1}}
func.func private @s() attributes {s = #tile.attention<queries = -1, keys = 1>}

// -----

// expected-error@+1 {{split_keys is 0, expected at least 1}}
func.func private @s() attributes {s = #tile.attention<queries = 1, keys = 1, split_keys = 0>}

// -----

// expected-error@+1 {{columns is 0, expected at least 1}}
func.func private @s() attributes {s = #tile.row<rows = 1, columns = 0, part = 1>}

// -----

tile.kernel @redo_c1(%Y: !tile.view<16xf32>) {
  %x = arith.constant dense<1.0> : tensor<16xf32>
  tile.grid () = () {
    // expected-error@+1 {{'tile.redo' op (C1) condition is 'tensor<16xf32>', expected i1}}
    tile.redo %x : tensor<16xf32> {
    }
  }
}

// -----

tile.kernel @redo_c2(%X: !tile.view<16x4xf32>, %Y: !tile.view<16x4xf32>) {
  %c0 = arith.constant 0 : index
  tile.grid () = () {
    %x = tile.load %X[%c0, %c0] : !tile.view<16x4xf32> -> tensor<16x4xf32>
    %c = arith.cmpf uno, %x, %x : tensor<16x4xf32>
    // expected-error@+1 {{'tile.redo' op (C2) takes a tile of memory from outside, expected what is computed of numbers; load it again}}
    tile.redo %c : tensor<16x4xi1> {
      tile.store %x, %Y[%c0, %c0] : tensor<16x4xf32>, !tile.view<16x4xf32>
    }
  }
}

// -----

// expected-error @below {{joined programs share a sum by 8 and have 1 parts, expected 2 or 4, and 1}}
func.func private @s() attributes {s = #tile.gemm<rows = 64, columns = 64, depth = 64, split_k = 8, joined = true>}

// -----

tile.kernel @k() {
  %c2 = arith.constant 2 : index
  %x = arith.constant dense<0.0> : tensor<16x64xf32>
  tile.grid (%p) = (%c2) {
    // expected-error@+1 {{'tile.reduce_scatter' op (C1) axis is 2, expected a dimension}}
    %r = tile.reduce_scatter %x {axis = 0 : i64, dimension = 2 : i64} : tensor<16x64xf32> -> tensor<16x32xf32>
  }
}

// -----

tile.kernel @k() {
  %c2 = arith.constant 2 : index
  %x = arith.constant dense<0.0> : tensor<16x64xf32>
  tile.grid (%p) = (%c2) {
    // expected-error@+1 {{'tile.reduce_scatter' op (C2) result is 'tensor<16x48xf32>', expected a part of 'tensor<16x64xf32>' along dimension 1}}
    %r = tile.reduce_scatter %x {axis = 0 : i64, dimension = 1 : i64} : tensor<16x64xf32> -> tensor<16x48xf32>
  }
}

// -----

tile.kernel @k() {
  %c2 = arith.constant 2 : index
  %x = arith.constant dense<0.0> : tensor<16x64xf32>
  tile.grid (%p) = (%c2) {
    // expected-error@+1 {{'tile.reduce_scatter' op (C3) adds up 4 parts along axis 0, expected an axis of the grid with as many programs}}
    %r = tile.reduce_scatter %x {axis = 0 : i64, dimension = 1 : i64} : tensor<16x64xf32> -> tensor<16x16xf32>
  }
}

// -----

tile.kernel @k() {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %x = arith.constant dense<0.0> : tensor<16x64xf32>
  tile.grid (%p) = (%c2) {
    %b = arith.cmpi eq, %p, %c0 : index
    scf.if %b {
      // expected-error@+1 {{'tile.reduce_scatter' op (C4) stands where some programs may not come to it, expected tile.grid, and no other there}}
      %r = tile.reduce_scatter %x {axis = 0 : i64, dimension = 1 : i64} : tensor<16x64xf32> -> tensor<16x32xf32>
    }
  }
}

// -----

// expected-error @below {{the last program adds up a sum of 1 and has 1 parts, expected 2 to 8, and 1, without `joined`}}
func.func private @s() attributes {s = #tile.gemm<rows = 64, columns = 64, depth = 64, by_last = true>}

// -----

// expected-error @below {{the last program adds up a sum of 2 and has 1 parts, and they are joined, expected 2 to 8, and 1, without `joined`}}
func.func private @s() attributes {s = #tile.gemm<rows = 64, columns = 64, depth = 64, split_k = 2, joined = true, by_last = true>}

// -----

tile.kernel @k() {
  %c2 = arith.constant 2 : index
  %x = arith.constant dense<0.0> : tensor<16x64xf32>
  tile.grid (%p) = (%c2) {
    // expected-error@+1 {{'tile.reduce_to_last' op (C1) adds up the programs along axis 1, expected an axis of the grid with 2 to 8 of them}}
    %r = tile.reduce_to_last %x {axis = 1 : i64} : tensor<16x64xf32>
  }
}

// -----

tile.kernel @k() {
  %c9 = arith.constant 9 : index
  %x = arith.constant dense<0.0> : tensor<16x64xf32>
  tile.grid (%p) = (%c9) {
    // expected-error@+1 {{'tile.reduce_to_last' op (C1) adds up the programs along axis 0, expected an axis of the grid with 2 to 8 of them}}
    %r = tile.reduce_to_last %x {axis = 0 : i64} : tensor<16x64xf32>
  }
}

// -----

tile.kernel @k() {
  %c2 = arith.constant 2 : index
  %c16 = arith.constant 16 : index
  %c17 = arith.constant 17 : index
  %x = arith.constant dense<0.0> : tensor<16x64xf32>
  tile.grid (%p, %i, %j) = (%c2, %c16, %c17) {
    // expected-error@+1 {{'tile.reduce_to_last' op (C2) has more sums than 256, or a number of them that is not known, along axis 2 of the grid}}
    %r = tile.reduce_to_last %x {axis = 0 : i64} : tensor<16x64xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c2 = arith.constant 2 : index
  %n = tile.dim %X {axis = 0 : i64} : !tile.view<?x64xf32>
  %x = arith.constant dense<0.0> : tensor<16x64xf32>
  tile.grid (%p, %i) = (%c2, %n) {
    // expected-error@+1 {{'tile.reduce_to_last' op (C2) has more sums than 256, or a number of them that is not known, along axis 1 of the grid}}
    %r = tile.reduce_to_last %x {axis = 0 : i64} : tensor<16x64xf32>
  }
}

// -----

tile.kernel @k() {
  %c2 = arith.constant 2 : index
  %x = arith.constant dense<0.0> : tensor<16x64xf32>
  tile.grid (%p) = (%c2) {
    %r = tile.reduce_to_last %x {axis = 0 : i64} : tensor<16x64xf32>
    // expected-error@-1 {{'tile.reduce_to_last' op (C3) stands where some programs may not come to it, expected tile.grid, and no other there}}
    %s = tile.reduce_to_last %r {axis = 0 : i64} : tensor<16x64xf32>
  }
}

// -----

tile.kernel @k() {
  %c6 = arith.constant 6 : index
  %x = arith.constant dense<0.0> : tensor<16xf32>
  tile.grid (%p) = (%c6) {
    // expected-error@+1 {{'tile.gather_to_last' op (C1) gathers from the programs along axis 0, expected an axis of the grid with 2 to 128 of them, a power of two}}
    %r = tile.gather_to_last %x {axis = 0 : i64} : tensor<16xf32> -> tensor<16x6xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>) {
  %c2 = arith.constant 2 : index
  %n = tile.dim %X {axis = 0 : i64} : !tile.view<?x64xf32>
  %x = arith.constant dense<0.0> : tensor<16xf32>
  tile.grid (%p, %i) = (%c2, %n) {
    // expected-error@+1 {{'tile.gather_to_last' op (C2) has more sums than 256, or a number of them that is not known, along axis 1 of the grid}}
    %r = tile.gather_to_last %x {axis = 0 : i64} : tensor<16xf32> -> tensor<16x2xf32>
  }
}

// -----

tile.kernel @k() {
  %c2 = arith.constant 2 : index
  %x = arith.constant dense<0.0> : tensor<16xf32>
  tile.grid (%p) = (%c2) {
    %r = tile.reduce_to_last %x {axis = 0 : i64} : tensor<16xf32>
    // expected-error@-1 {{'tile.reduce_to_last' op (C3) stands where some programs may not come to it, expected tile.grid, and no other there}}
    %s = tile.gather_to_last %r {axis = 0 : i64} : tensor<16xf32> -> tensor<16x2xf32>
  }
}

// -----

tile.kernel @k() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %x = arith.constant dense<0.0> : tensor<16xf32>
  tile.grid (%p) = (%c2) {
    scf.for %i = %c0 to %c2 step %c1 {
      // expected-error@+1 {{'tile.gather_to_last' op (C3) stands where some programs may not come to it, expected tile.grid, and no other there}}
      %r = tile.gather_to_last %x {axis = 0 : i64} : tensor<16xf32> -> tensor<16x2xf32>
    }
  }
}

// -----

tile.kernel @k() {
  %c2 = arith.constant 2 : index
  %x = arith.constant dense<0.0> : tensor<16xf32>
  tile.grid (%p) = (%c2) {
    // expected-error@+1 {{'tile.gather_to_last' op (C4) gives 'tensor<2x16xf32>', expected 'tensor<16x2xf32>'}}
    %r = tile.gather_to_last %x {axis = 0 : i64} : tensor<16xf32> -> tensor<2x16xf32>
  }
}

// -----

tile.kernel @k() {
  %c2 = arith.constant 2 : index
  %x = arith.constant dense<0.0> : tensor<16xf32>
  tile.grid (%p) = (%c2) {
    // expected-error@+1 {{'tile.gather_to_last' op (C4) gives 1 tiles, expected as many as it has, and one at least}}
    %r = tile.gather_to_last %x, %x {axis = 0 : i64} : tensor<16xf32>, tensor<16xf32> -> tensor<16x2xf32>
  }
}

// -----

// expected-error @below {{splits is 3, expected a power of two, 128 at most}}
func.func private @s() attributes {s = #tile.row<rows = 1, columns = 1, part = 1024, splits = 3>}
