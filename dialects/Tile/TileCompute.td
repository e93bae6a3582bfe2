// What is computed of tiles beyond arith and math.
#ifndef TENON_DIALECTS_TILE_TILECOMPUTE_TD
#define TENON_DIALECTS_TILE_TILECOMPUTE_TD

def DotOp : TileOp<"dot", [Pure, AllTypesMatch<["accumulator", "result"]>]> {
  let summary = "a matrix product of tiles, added to another";
  let description = [{
    Formula: `r[m, n] = accumulator[m, n] + sum over k of lhs[m, k] * rhs[k, n]`; with `transpose_a` `lhs[k, m]` is read,
    with `transpose_b` `rhs[n, k]`.

    (C1) All tiles have two dimensions.

    (C2) Both operands have the same K.

    (C3) The accumulator is M x N.

    (C4) `lhs` and `rhs` have the same element type, or are both 8-bit floats.

    (C5) The accumulator is f32 for floats of up to 32 bits, f64 for f64, i32 for i8.

    Accumulation: in the accumulator's type, in an order the schedule chooses and keeps. NaN and Inf follow IEEE arithmetic.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xf32>, %Y: !tile.view<?x64xf32>) {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      tile.grid (%i) = (%c8) {
        %a = tile.load %X[%i, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
        %b = tile.load %Y[%i, %c0] : !tile.view<?x64xf32> -> tensor<32x64xf32>
        %zero = arith.constant dense<0.0> : tensor<16x32xf32>
        %d = tile.dot %a, %b, %zero {transpose_b} : tensor<16x64xf32>, tensor<32x64xf32> -> tensor<16x32xf32>
      }
    }
    ```
  }];
  let arguments = (ins TileT:$lhs, TileT:$rhs, TileT:$accumulator, UnitAttr:$transpose_a, UnitAttr:$transpose_b);
  let results = (outs TileT:$result);
  let assemblyFormat = "$lhs `,` $rhs `,` $accumulator attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)";
  let hasCanonicalizer = 1;
}

def Tile_FoldAdd : I32EnumAttrCase<"add", 0>;
def Tile_FoldMax : I32EnumAttrCase<"max", 1>;
def Tile_FoldMin : I32EnumAttrCase<"min", 2>;
def Tile_Fold : I32EnumAttr<"Fold", "how elements are folded", [Tile_FoldAdd, Tile_FoldMax, Tile_FoldMin]> {
  let cppNamespace = "::tenon::tile";
}

def ReduceOp : TileOp<"reduce", [Pure]> {
  let summary = "a tile folded along a dimension";
  let description = [{
    Formula: `r[i.., j..] = fold over k of tile[i.., k, j..]`, k standing at `axis`; `add`, `max` or `min`. A maximum or
    minimum with a NaN among its elements is NaN; integers are signed.

    (C1) `axis` is a dimension of the tile.

    (C2) The result is the tile's type without that dimension.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xf32>, %Y: !tile.view<?x64xf32>) {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      tile.grid (%i) = (%c8) {
        %x = tile.load %X[%i, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
        %m = tile.reduce max %x {axis = 1 : i64} : tensor<16x64xf32> -> tensor<16xf32>
      }
    }
    ```
  }];
  let arguments = (ins Tile_Fold:$fold, TileT:$tile, I64Attr:$axis);
  let results = (outs TileT:$result);
  let assemblyFormat = "$fold $tile attr-dict `:` type($tile) `->` type($result)";
}

def ReduceScatterOp : TileOp<"reduce_scatter", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "a sum over programs, of which each gets its part";
  let description = [{
    Formula: `r[i.., k, j..] = sum over programs p of tile_p[i.., place * n + k, j..]`: the programs that differ in their
    place along axis `axis` of the grid alone, of which this one has `place`; k stands at `dimension`, where the result has
    n elements. Each element is added up by one program, in an order of the lowering that is always the same.

    (C1) `dimension` is a dimension of the tile.

    (C2) The result is the tile's type with fewer elements there, which divide the tile's.

    (C3) `axis` is an axis of the grid, whose extent is how often they do.

    (C4) The op stands in `tile.grid`, in no loop or branch, and no other like it does.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xf32>, %Y: !tile.view<?x64xf32>) {
      %c0 = arith.constant 0 : index
      %c2 = arith.constant 2 : index
      tile.grid (%p) = (%c2) {
        %x = tile.load %X[%p, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
        %r = tile.reduce_scatter %x {axis = 0 : i64, dimension = 1 : i64} : tensor<16x64xf32> -> tensor<16x32xf32>
        %column = affine.apply affine_map<(d0) -> (d0 * 32)>(%p)
        tile.store %r, %Y[%c0, %column] : tensor<16x32xf32>, !tile.view<?x64xf32>
      }
    }
    ```
  }];
  let arguments = (ins TileT:$tile, I64Attr:$axis, I64Attr:$dimension);
  let results = (outs TileT:$result);
  let assemblyFormat = "$tile attr-dict `:` type($tile) `->` type($result)";
  let extraClassDeclaration = [{
    /// Programs that share the sum.
    int64_t getParts() {
      return getTile().getType().getDimSize(getDimension()) / getResult().getType().getDimSize(getDimension());
    }
  }];
}

def ReduceToLastOp : TileOp<"reduce_to_last", [SameOperandsAndResultType, MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "a sum over programs, with which the last of them goes on";
  let description = [{
    Formula: `r = sum over programs p of tile_p`: the programs that differ in their place along axis `axis` of the grid
    alone. Whoever of them comes here last has the sum, added up in the order of their places whoever that is, and goes on;
    the others end here. Nobody waits, so that it does not matter how many programs run at a time.

    (C1) `axis` is an axis of the grid, which has 2 to 8 places.

    (C2) The other axes have a known number of places, all together 256 at most: who is last is found by a counter for
    each, which stays in memory from launch to launch.

    (C3) The op stands in `tile.grid`, in no loop or branch, and no other like it does.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xf32>, %Y: !tile.view<16x64xf32>) {
      %c0 = arith.constant 0 : index
      %c2 = arith.constant 2 : index
      tile.grid (%p) = (%c2) {
        %row = affine.apply affine_map<(d0) -> (d0 * 16)>(%p)
        %x = tile.load %X[%row, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
        %r = tile.reduce_to_last %x {axis = 0 : i64} : tensor<16x64xf32>
        tile.store %r, %Y[%c0, %c0] : tensor<16x64xf32>, !tile.view<16x64xf32>
      }
    }
    ```
  }];
  let arguments = (ins TileT:$tile, I64Attr:$axis);
  let results = (outs TileT:$result);
  let assemblyFormat = "$tile attr-dict `:` type($tile)";
  let extraClassDeclaration = [{
    static constexpr int64_t mostParts = 8, mostTiles = 256;
    /// Programs that share the sum, and sums.
    int64_t getParts();
    int64_t getTiles();
  }];
}

def GatherToLastOp : TileOp<"gather_to_last", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "the tiles of several programs side by side, with which the last of them goes on";
  let description = [{
    Formula: `r[i.., p] = tile_p[i..]`, of each of the tiles: the programs p that differ in their place along axis `axis` of
    the grid alone. Whoever of them comes here last has what all of them have, in the order of their places whoever that
    is, and goes on; the others end here, as at `tile.reduce_to_last`.

    (C1) `axis` is an axis of the grid, which has 2 to 128 places, a power of two.

    (C2) The other axes have a known number of places, all together 256 at most.

    (C3) The op stands in `tile.grid`, in no loop or branch, and no other like it does, nor `tile.reduce_to_last`.

    (C4) A result is its tile with one more dimension behind the others, of as many elements as the axis has places.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xf32>, %Y: !tile.view<16xf32>) {
      %c0 = arith.constant 0 : index
      %c4 = arith.constant 4 : index
      tile.grid (%p) = (%c4) {
        %column = affine.apply affine_map<(d0) -> (d0 * 16)>(%p)
        %x = tile.load %X[%c0, %column] : !tile.view<?x64xf32> -> tensor<16x16xf32>
        %m = tile.reduce max %x {axis = 1 : i64} : tensor<16x16xf32> -> tensor<16xf32>
        %all = tile.gather_to_last %m {axis = 0 : i64} : tensor<16xf32> -> tensor<16x4xf32>
        %r = tile.reduce max %all {axis = 1 : i64} : tensor<16x4xf32> -> tensor<16xf32>
        tile.store %r, %Y[%c0] : tensor<16xf32>, !tile.view<16xf32>
      }
    }
    ```
  }];
  let arguments = (ins Variadic<TileT>:$tiles, I64Attr:$axis);
  let results = (outs Variadic<TileT>:$results);
  let assemblyFormat = "$tiles attr-dict `:` type($tiles) `->` type($results)";
  let extraClassDeclaration = [{
    static constexpr int64_t mostParts = 128, mostTiles = 256;
    /// Programs whose tiles are gathered, and how many times there are so many.
    int64_t getParts();
    int64_t getGroups();
  }];
}

def AnyOp : TileOp<"any", [Pure]> {
  let summary = "whether some element holds";
  let description = [{
    Formula: `r = the disjunction of all elements`: one value for the program.

    (C1) The elements are i1.

    ```mlir
    func.func @example(%c: tensor<16x64xi1>) -> i1 {
      %r = tile.any %c : tensor<16x64xi1>
      return %r : i1
    }
    ```
  }];
  let arguments = (ins TileT:$tile);
  let results = (outs I1:$result);
  let assemblyFormat = "$tile attr-dict `:` type($tile)";
}

def ScanOp : TileOp<"scan", [Pure, AllTypesMatch<["tile", "result"]>]> {
  let summary = "the running fold along a dimension";
  let description = [{
    Formula: `r[i.., k, j..] = fold over l <= k of tile[i.., l, j..]`, k standing at `axis`; `add`, `max` or `min`.

    (C1) `axis` is a dimension of the tile.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xf32>, %Y: !tile.view<?x64xf32>) {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      tile.grid (%i) = (%c8) {
        %x = tile.load %X[%i, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
        %s = tile.scan add %x {axis = 1 : i64} : tensor<16x64xf32>
      }
    }
    ```
  }];
  let arguments = (ins Tile_Fold:$fold, TileT:$tile, I64Attr:$axis);
  let results = (outs TileT:$result);
  let assemblyFormat = "$fold $tile attr-dict `:` type($tile)";
}

def BroadcastOp : TileOp<"broadcast", [Pure]> {
  let summary = "a tile repeated along new dimensions";
  let description = [{
    Formula: `r[i..] = tile[i_dims..]`: dimension d of the tile is dimension `dims[d]` of the result; along the others the
    tile is repeated.

    (C1) `dims` has one dimension of the result for each of the tile, in increasing order.

    (C2) Those have the tile's sizes.

    (C3) The result has the tile's element type.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xf32>, %Y: !tile.view<?x64xf32>) {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      tile.grid (%i) = (%c8) {
        %x = tile.load %X[%i, %c0] : !tile.view<?x64xf32> -> tensor<64xf32>
        %r = tile.broadcast %x {dims = array<i64: 1>} : tensor<64xf32> -> tensor<16x64xf32>
      }
    }
    ```
  }];
  let arguments = (ins TileT:$tile, DenseI64ArrayAttr:$dims);
  let results = (outs TileT:$result);
  let assemblyFormat = "$tile attr-dict `:` type($tile) `->` type($result)";
  let hasFolder = 1;
}

def IotaOp : TileOp<"iota", [Pure]> {
  let summary = "the elements' places along a dimension";
  let description = [{
    Formula: `r[i..] = i_axis`.

    (C1) `axis` is a dimension of the result.

    (C2) The result is of integers or indices.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xf32>, %Y: !tile.view<?x64xf32>) {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      tile.grid (%i) = (%c8) {
        %k = tile.iota {axis = 1 : i64} : tensor<16x64xi32>
      }
    }
    ```
  }];
  let arguments = (ins I64Attr:$axis);
  let results = (outs TileT:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def TransOp : TileOp<"trans", [Pure]> {
  let summary = "a tile with its dimensions in another order";
  let description = [{
    Formula: `r[i_0, ..] = tile[j..]` with `j[permutation[d]] = i[d]`: dimension d of the result is dimension
    `permutation[d]` of the tile.

    (C1) `permutation` has every dimension of the tile once.

    (C2) The result is of that shape and the tile's element type.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xf32>, %Y: !tile.view<?x64xf32>) {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      tile.grid (%i) = (%c8) {
        %x = tile.load %X[%i, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
        %t = tile.trans %x {permutation = array<i64: 1, 0>} : tensor<16x64xf32> -> tensor<64x16xf32>
      }
    }
    ```
  }];
  let arguments = (ins TileT:$tile, DenseI64ArrayAttr:$permutation);
  let results = (outs TileT:$result);
  let assemblyFormat = "$tile attr-dict `:` type($tile) `->` type($result)";
  let hasFolder = 1;
}

def JoinOp : TileOp<"join", [Pure]> {
  let summary = "tiles one after the other along a dimension";
  let description = [{
    Formula: `r[.., n_0 + .. + n_(t-1) + i, ..] = tiles[t][.., i, ..]` along dimension `axis`, of which tile t has `n_t`.

    (C1) `axis` is a dimension of the result.

    (C2) The tiles have the result's element type and, but for `axis`, its sizes; along that they add up to the result's.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xf32>, %Y: !tile.view<?x64xf32>) {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      tile.grid (%i) = (%c8) {
        %x = tile.load %X[%i, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
        %y = tile.load %Y[%i, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
        %r = tile.join %x, %y {axis = 0 : i64} : tensor<16x64xf32>, tensor<16x64xf32> -> tensor<32x64xf32>
      }
    }
    ```
  }];
  let arguments = (ins Variadic<TileT>:$tiles, I64Attr:$axis);
  let results = (outs TileT:$result);
  let assemblyFormat = "$tiles attr-dict `:` type($tiles) `->` type($result)";
}

def ReshapeOp : TileOp<"reshape", [Pure]> {
  let summary = "a tile's elements under another shape";
  let description = [{
    Formula: `r[i..] = tile[j..]` where i and j have the same place in row-major order.

    (C1) Both have the same number of elements and element type.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xf32>, %Y: !tile.view<?x64xf32>) {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      tile.grid (%i) = (%c8) {
        %x = tile.load %X[%i, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
        %r = tile.reshape %x : tensor<16x64xf32> -> tensor<4x4x64xf32>
      }
    }
    ```
  }];
  let arguments = (ins TileT:$tile);
  let results = (outs TileT:$result);
  let assemblyFormat = "$tile attr-dict `:` type($tile) `->` type($result)";
  let hasFolder = 1;
}

def YieldOp : TileOp<"yield", [Terminator, Pure]> {
  let summary = "what a region gives";
  let description = [{
    Formula: the results of the op around it.

    (C1) Stands in `tile.unlikely`.

    ```mlir
    func.func @example(%c: tensor<16xi1>, %x: tensor<16xf32>) -> tensor<16xf32> {
      %r = tile.unlikely %c : tensor<16xi1> -> tensor<16xf32> {
        %n = arith.negf %x : tensor<16xf32>
        tile.yield %n : tensor<16xf32>
      } else(%x)
      return %r : tensor<16xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<TileT>:$tiles);
  let assemblyFormat = "$tiles attr-dict `:` type($tiles)";
}

def UnlikelyOp : TileOp<"unlikely", [SingleBlock, RecursiveMemoryEffects, RecursivelySpeculatable,
                                     RangedTypesMatchWith<"otherwise has the results' types", "results", "otherwise",
                                                          "$_self">]> {
  let summary = "work that is seldom needed";
  let description = [{
    Formula: `results = any of condition ? what the region yields : otherwise`, for each part of the tile by itself that a
    lowering chooses, a warp's rows for example. Rows that share a part with one that needs the region get the region's
    results too: both have to be right for rows of which no condition holds. Where the condition compares a sum of terms
    that are not negative with a limit, parts of the sum may be compared with it, 32 at most: the limit has to leave room
    for that.

    (C1) The condition is a tile of i1.

    (C2) The region yields the results' types.

    (C3) The region has no effects and no dots.

    ```mlir
    func.func @example(%c: tensor<16xi1>, %x: tensor<16xf32>) -> tensor<16xf32> {
      %r = tile.unlikely %c : tensor<16xi1> -> tensor<16xf32> {
        %n = arith.negf %x : tensor<16xf32>
        tile.yield %n : tensor<16xf32>
      } else(%x)
      return %r : tensor<16xf32>
    }
    ```
  }];
  let arguments = (ins TileT:$condition, Variadic<TileT>:$otherwise);
  let results = (outs Variadic<TileT>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$condition `:` type($condition) `->` type($results) $body `else` `(` $otherwise `)` attr-dict";
}

def RedoOp : TileOp<"redo", [NoTerminator, SingleBlock, RecursiveMemoryEffects]> {
  let summary = "results that seldom have to be stored anew";
  let description = [{
    Formula: where any element of the condition holds, the region, once or several times, after all else that the program
    does. Others of a CTA's programs may come before it: what it stores, nothing but it reads or stores later.

    (C1) The condition is a tile of i1.

    (C2) The region takes from outside what is computed of numbers alone: no tile of memory, but those of rank 0 or 1.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xf32>, %Y: !tile.view<?x64xf32>) {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      tile.grid (%i) = (%c8) {
        %x = tile.load %X[%i, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
        tile.store %x, %Y[%i, %c0] : tensor<16x64xf32>, !tile.view<?x64xf32>
        %c = arith.cmpf uno, %x, %x : tensor<16x64xf32>
        tile.redo %c : tensor<16x64xi1> {
          %zero = arith.constant dense<0.0> : tensor<16x64xf32>
          tile.store %zero, %Y[%i, %c0] : tensor<16x64xf32>, !tile.view<?x64xf32>
        }
      }
    }
    ```
  }];
  let arguments = (ins TileT:$condition);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$condition `:` type($condition) attr-dict-with-keyword $body";
  let extraClassDeclaration = [{
    /// Ops of the op's own block that the region needs the results of, in order, those they need included. Null among
    /// them: one that is not computed of numbers alone.
    ::llvm::SmallVector<::mlir::Operation *> getNeeded();
  }];
}

#endif
