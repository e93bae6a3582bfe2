// Reads and writes of global memory.
#ifndef TENON_DIALECTS_TILE_TILEMEMORY_TD
#define TENON_DIALECTS_TILE_TILEMEMORY_TD

def LoadOp : TileOp<"load", [MemoryEffects<[MemRead]>]> {
  let summary = "a tile of a view";
  let description = [{
    Formula: `r[i..] = view[place_0, .., place_k + i_0, ..]`: the tile lies along the view's innermost dimensions, from
    `place` on, and is one element thick along the others. Where an index is not within the view, the element is `pad`
    (default 0).

    (C1) There is a place for each dimension of the view.

    (C2) The tile has at most as many dimensions as the view.

    (C3) The tile has the view's element type.

    (C4) `pad` is of the element type.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xf32>, %Y: !tile.view<?x64xf32>) {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      tile.grid (%i) = (%c8) {
        %x = tile.load %X[%i, %c0] {pad = 1.0 : f32} : !tile.view<?x64xf32> -> tensor<16x64xf32>
      }
    }
    ```
  }];
  let arguments = (ins Tile_View:$view, Variadic<Index>:$place, OptionalAttr<TypedAttrInterface>:$pad);
  let results = (outs TileT:$result);
  let assemblyFormat = "$view `[` $place `]` attr-dict `:` type($view) `->` type($result)";
}

def StoreOp : TileOp<"store", [MemoryEffects<[MemWrite]>]> {
  let summary = "writes a tile to a view";
  let description = [{
    Formula: `view[place_0, .., place_k + i_0, ..] = tile[i..]`, where that is within the view; other elements are dropped.

    (C1) There is a place for each dimension of the view.

    (C2) The tile has at most as many dimensions as the view.

    (C3) The tile has the view's element type.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xf32>, %Y: !tile.view<?x64xf32>) {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      tile.grid (%i) = (%c8) {
        %x = tile.load %X[%i, %c0] : !tile.view<?x64xf32> -> tensor<16x64xf32>
        tile.store %x, %Y[%i, %c0] : tensor<16x64xf32>, !tile.view<?x64xf32>
      }
    }
    ```
  }];
  let arguments = (ins TileT:$tile, Tile_View:$view, Variadic<Index>:$place);
  let assemblyFormat = "$tile `,` $view `[` $place `]` attr-dict `:` type($tile) `,` type($view)";
}

def GatherOp : TileOp<"gather", [MemoryEffects<[MemRead]>]> {
  let summary = "a tile of rows that data choose";
  let description = [{
    Formula: as `tile.load`, but along the view's dimension `axis` element k of the tile is read at `rows[k]` instead of
    `place + k`. The tile's dimension for `axis` is that of a load. Where an index is not within the view, the element is 0.

    (C1) There is a place for each dimension of the view.

    (C2) The tile has at most as many dimensions as the view, and one along `axis`.

    (C3) The tile has the view's element type.

    (C4) `rows` has one dimension, of the tile's size along `axis`.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xf32>, %Y: !tile.view<?x64xf32>) {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      tile.grid (%i) = (%c8) {
        %rows = tile.iota {axis = 0 : i64} : tensor<16xi32>
        %x = tile.gather %X[%c0, %c0] rows(%rows) {axis = 0 : i64} : !tile.view<?x64xf32>, tensor<16xi32> -> tensor<16x64xf32>
      }
    }
    ```

    Pages are rows that a table names: here a program has one page of 16 keys.

    ```mlir
    tile.kernel @paged(%Table: !tile.view<?xi32>, %Keys: !tile.view<?x64xbf16>, %Y: !tile.view<?x64xbf16>) {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      %c16 = arith.constant dense<16> : tensor<i32>
      tile.grid (%i) = (%c8) {
        %page = tile.load %Table[%i] : !tile.view<?xi32> -> tensor<i32>
        %first = arith.muli %page, %c16 : tensor<i32>
        %start = tile.broadcast %first {dims = array<i64>} : tensor<i32> -> tensor<16xi32>
        %number = tile.iota {axis = 0 : i64} : tensor<16xi32>
        %rows = arith.addi %start, %number : tensor<16xi32>
        %keys = tile.gather %Keys[%c0, %c0] rows(%rows) {axis = 0 : i64} : !tile.view<?x64xbf16>, tensor<16xi32> -> tensor<16x64xbf16>
      }
    }
    ```
  }];
  let arguments = (ins Tile_View:$view, Variadic<Index>:$place, IntTileT:$rows, I64Attr:$axis);
  let results = (outs TileT:$result);
  let assemblyFormat = [{
    $view `[` $place `]` `rows` `(` $rows `)` attr-dict `:` type($view) `,` type($rows) `->` type($result)
  }];
}

#endif
