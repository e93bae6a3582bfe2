// Who computes which element, and in what memory tiles lie (level L4): warps, layouts, shared memory, rings.
#ifndef TENON_DIALECTS_WARP_WARP_TD
#define TENON_DIALECTS_WARP_WARP_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/Tile/Tile.td"

def WarpDialect : Dialect {
  let name = "warp";
  let cppNamespace = "::tenon::warp";
  let description = [{
    The level a schedule is seen at (L4). Programs are still those of dialect `tile`, with the same ops; what is new is
    where tiles lie. A tile in registers (a fragment) is a tensor whose encoding is a `#warp.layout`; a tile in shared
    memory is a `!warp.smem`; a ring of such tiles lets copies run ahead of what computes. How many warps a program has
    stands on its kernel as `warp.schedule`.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::tenon::tile::TileDialect"];
}

include "dialects/Warp/WarpLayouts.td"

def Warp_Smem : TypeDef<WarpDialect, "Smem"> {
  let mnemonic = "smem";
  let summary = "a tile in shared memory";
  let description = [{
    `!warp.smem<128x64xbf16, 128>`: shape, element type, and the swizzle's span in bytes: 32, 64, 128, or 16 for none. Rows
    are cut into slabs of one span; a slab has its rows one after another; in a row, 16-byte chunk c of row r lies at
    `c xor (address / 128) mod (span / 16)`, so that 8 rows of one column of chunks touch all banks once. This is the
    layout that TMA writes and wgmma reads (PTX ISA, "Shared Memory Matrix Layout"). Of `tf32` each element takes 32 bits:
    an f32 that was rounded to nearest when it was written.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "::mlir::Type":$elementType, "int64_t":$swizzle);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Bytes of an element, of a row within a slab, and of the tile, rounded up to 1024.
    int64_t getElementBytes() const { return std::max<int64_t>(1, getHeldType().getIntOrFloatBitWidth() / 8); }
    /// What an element is in memory and in registers: f32 for tf32.
    ::mlir::Type getHeldType() const { return heldTypeOf(getElementType()); }
    static ::mlir::Type heldTypeOf(::mlir::Type element) {
      return element.isTF32() ? ::mlir::Float32Type::get(element.getContext()) : element;
    }
    int64_t getBytes() const;
    /// Where an element lies, in bytes from the tile's first.
    int64_t offsetOf(int64_t row, int64_t column) const;
    /// Rows after which the swizzle begins anew.
    static constexpr int64_t rowsOfSwizzle = 8;
    /// The widest swizzle for rows of that many bytes.
    static int64_t widestSwizzle(int64_t rowBytes);
  }];
}

def Warp_Ring : TypeDef<WarpDialect, "Ring"> {
  let mnemonic = "ring";
  let summary = "slots of shared memory that are filled in turn";
  let description = [{
    `!warp.ring<4, !warp.smem<..>, ..>`: that many slots, each with one tile of each type. A transfer has a number, counted
    from 0; transfer i uses slot `i mod depth`. Which barriers and which phases that takes is derived below this level.
  }];
  let parameters = (ins "int64_t":$depth, ArrayRefParameter<"::tenon::warp::SmemType">:$tiles);
  let assemblyFormat = "`<` $depth `,` $tiles `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getSlotBytes() const;
  }];
}

class WarpOp<string mnemonic, list<Trait> traits = []> : Op<WarpDialect, mnemonic, traits> { let hasVerifier = 1; }

def SmemOrTile : AnyTypeOf<[Warp_Smem, TileT]>;

def RingCreateOp : WarpOp<"ring.create", [MemoryEffects<[MemAlloc]>]> {
  let summary = "a ring of empty slots";
  let description = [{
    Formula: the ring's memory, for the rest of the program; in a loop, a ring of its own for each time round. With
    `transfers`, that many a program, a producer fills it (`warp.produce`), for the programs that a CTA runs one after
    another without a stop.

    (C1) It stands in a kernel.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xbf16>) {
      tile.grid () = () {
        %r = warp.ring.create : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
      }
    }
    ```
  }];
  let arguments = (ins Optional<Index>:$transfers);
  let results = (outs Warp_Ring:$ring);
  let assemblyFormat = "(`transfers` `(` $transfers^ `)`)? attr-dict `:` type($ring)";
}

class RingSlots<string mnemonic> : WarpOp<mnemonic, [MemoryEffects<[MemRead, MemWrite]>]> {
  let arguments = (ins Warp_Ring:$ring, Index:$number);
  let results = (outs Variadic<Warp_Smem>:$slot);
  let assemblyFormat = "$ring `[` $number `]` attr-dict `:` type($ring) `->` type($slot)";
}

class RingSignal<string mnemonic> : WarpOp<mnemonic, [MemoryEffects<[MemRead, MemWrite]>]> {
  let arguments = (ins Warp_Ring:$ring, Index:$number);
  let assemblyFormat = "$ring `[` $number `]` attr-dict `:` type($ring)";
}

def RingAcquireOp : RingSlots<"ring.acquire"> {
  let summary = "a slot to fill";
  let description = [{
    Formula: `slot = ring[number mod depth]`, once every reader of transfer `number - depth` has released it.

    (C1) The results are the ring's tiles.

    (C2) A number that is known is not negative.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xbf16>) {
      %c0 = arith.constant 0 : index
      tile.grid () = () {
        %r = warp.ring.create : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
        %s = warp.ring.acquire %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>> -> !warp.smem<16x64xbf16, 128>
        warp.copy %X[%c0, %c0], %s : !tile.view<?x64xbf16>, !warp.smem<16x64xbf16, 128>
        warp.ring.commit %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
      }
    }
    ```
  }];
}

def RingCommitOp : RingSignal<"ring.commit"> {
  let summary = "a slot's copies are all under way";
  let description = [{
    Formula: transfer `number` is full once the copies begun since the commit before have ended. Transfers are committed
    in order, each once, empty ones too.

    (C1) A number that is known is not negative.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xbf16>) {
      %c0 = arith.constant 0 : index
      tile.grid () = () {
        %r = warp.ring.create : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
        warp.ring.commit %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
      }
    }
    ```
  }];
}

def RingWaitOp : RingSlots<"ring.wait"> {
  let summary = "a full slot to read";
  let description = [{
    Formula: `slot = ring[number mod depth]`, once transfer `number` is full, for every thread of the program. With
    `ahead = n` the n transfers after it have been committed and may be still under way.

    (C1) The results are the ring's tiles.

    (C2) `ahead` is less than the ring's depth.

    (C3) A number that is known is not negative.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xbf16>) {
      %c0 = arith.constant 0 : index
      tile.grid () = () {
        %r = warp.ring.create : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
        warp.ring.commit %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
        %s = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !warp.ring<2, !warp.smem<16x64xbf16, 128>> -> !warp.smem<16x64xbf16, 128>
      }
    }
    ```
  }];
  let arguments = (ins Warp_Ring:$ring, Index:$number, I64Attr:$ahead);
}

def RingReleaseOp : RingSignal<"ring.release"> {
  let summary = "a slot has been read";
  let description = [{
    Formula: the slot of transfer `number` may be filled again, once each thread that waited for it is here. Where all
    threads both fill and read a ring, that is known at the next `ring.wait`, and nothing is done here.

    (C1) A number that is known is not negative.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xbf16>) {
      %c0 = arith.constant 0 : index
      tile.grid () = () {
        %r = warp.ring.create : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
        warp.ring.release %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
      }
    }
    ```
  }];
}

def CopyOp : WarpOp<"copy", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "begins a copy of global to shared memory";
  let description = [{
    Formula: `target[i..] = view[place_0, .., place_k + i_0, ..]` as `tile.load` has it, 0 where that is not within the
    view; done when its transfer is full. `within` says of each dimension of the view that no index is outside of it.
    `multicast`: the CTAs of a cluster (`#warp.cluster`) make the same copy, each its part of the rows to all of them.
    `rows` = [r, n]: the copy is of n rows of the target, `target[r + i_0, i_1] = view[..]` with `i_0 < n`.

    (C1) There is a place for each dimension of the view, and at least as many as the target has.

    (C2) The target has the view's element type, or rounds f32 to tf32.

    (C3) `within` has a value for each dimension of the view.

    (C4) A `multicast` copy stands in `warp.produce` of a kernel with `warp.cluster`, and the target's rows are a multiple
    of 8 for each CTA.

    (C5) `rows` are within the target, multiples of 8, and not multicast.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xbf16>) {
      %c0 = arith.constant 0 : index
      tile.grid () = () {
        %r = warp.ring.create : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
        %s = warp.ring.acquire %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>> -> !warp.smem<16x64xbf16, 128>
        warp.copy %X[%c0, %c0], %s : !tile.view<?x64xbf16>, !warp.smem<16x64xbf16, 128>
      }
    }
    ```
  }];
  let arguments = (ins Tile_View:$view, Variadic<Index>:$place, Warp_Smem:$target, OptionalAttr<DenseBoolArrayAttr>:$within,
                       UnitAttr:$multicast, OptionalAttr<DenseI64ArrayAttr>:$rows);
  let assemblyFormat = "$view `[` $place `]` `,` $target attr-dict `:` type($view) `,` type($target)";
  let extraClassDeclaration = [{
    int64_t firstRow() { return getRows() ? (*getRows())[0] : 0; }
    /// What is copied: the target, or some rows of it.
    SmemType getCopied();
  }];
}

def ProduceOp : WarpOp<"produce", [NoTerminator, SingleBlock, RecursiveMemoryEffects]> {
  let summary = "what the producer does of a program";
  let description = [{
    Formula: the region, on a warp of its own beside those of `warp.schedule`, which do all else: it fills rings by TMA
    as far ahead as they have free slots, and goes on with the CTA's next program while this one is still computed. It
    sees only indices and rings from outside.

    (C1) Stands in `tile.grid`.

    (C2) Fills rings with `transfers`, and each of those.

    (C3) Takes no tile from outside, in registers or in shared memory.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xbf16>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      tile.grid () = () {
        %r = warp.ring.create transfers(%c1) : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
        warp.produce {
          %s = warp.ring.acquire %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>> -> !warp.smem<16x64xbf16, 128>
          warp.copy %X[%c0, %c0], %s : !tile.view<?x64xbf16>, !warp.smem<16x64xbf16, 128>
          warp.ring.commit %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
        }
      }
    }
    ```
  }];
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "attr-dict-with-keyword $body";
}

def EarlyOp : WarpOp<"early", [NoTerminator, SingleBlock, RecursiveMemoryEffects]> {
  let summary = "what the producer does before the launch ahead is done";
  let description = [{
    Formula: the region, by the producer, once: of the CTA's first program, in which `warp.ring.is_early` holds for the
    transfers it fills. Kernels launched before may still run, so that it copies only what none of them writes, weights.

    (C1) Stands in `tile.grid`.

    (C2) Fills rings with `transfers`, as many slots as each has or all of its transfers.

    (C3) Takes no tile from outside, in registers or in shared memory.

    ```mlir
    tile.kernel @example(%W: !tile.view<?x64xbf16>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      tile.grid () = () {
        %r = warp.ring.create transfers(%c1) : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
        warp.early {
          %s = warp.ring.acquire %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>> -> !warp.smem<16x64xbf16, 128>
          warp.copy %W[%c0, %c0], %s : !tile.view<?x64xbf16>, !warp.smem<16x64xbf16, 128>
          warp.ring.commit %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
        }
        warp.produce {
          %early = warp.ring.is_early %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
          scf.if %early {
          } else {
            %s = warp.ring.acquire %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>> -> !warp.smem<16x64xbf16, 128>
            warp.copy %W[%c0, %c0], %s : !tile.view<?x64xbf16>, !warp.smem<16x64xbf16, 128>
            warp.ring.commit %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
          }
        }
      }
    }
    ```
  }];
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "attr-dict-with-keyword $body";
}

def RingIsEarlyOp : WarpOp<"ring.is_early", [MemoryEffects<[MemRead]>]> {
  let summary = "whether a transfer was filled early";
  let description = [{
    Formula: the program is the CTA's first, and the number less than the ring's slots: `warp.early` has filled it.

    (C1) Stands in `warp.produce`.

    ```mlir
    tile.kernel @example(%W: !tile.view<?x64xbf16>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      tile.grid () = () {
        %r = warp.ring.create transfers(%c1) : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
        warp.produce {
          %early = warp.ring.is_early %r[%c0] : !warp.ring<2, !warp.smem<16x64xbf16, 128>>
        }
      }
    }
    ```
  }];
  let arguments = (ins Warp_Ring:$ring, Index:$number);
  let results = (outs I1:$early);
  let assemblyFormat = "$ring `[` $number `]` attr-dict `:` type($ring)";
}

def StageOp : WarpOp<"stage", [MemoryEffects<[MemAlloc, MemWrite]>]> {
  let summary = "a fragment written to shared memory";
  let description = [{
    Formula: `target[i..] = tile[i..]`, to be read by every thread of the program. Until the next time round, if it stands
    in a loop: it waits for the readers of the time before.

    (C1) Both have the same shape and element type, or f32 is rounded to tf32.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xbf16>) {
      %c0 = arith.constant 0 : index
      tile.grid () = () {
        %x = tile.load %X[%c0, %c0] : !tile.view<?x64xbf16> -> tensor<16x64xbf16, #warp.layout<[r4, l4*8], [l8, r8]>>
        %s = warp.stage %x : tensor<16x64xbf16, #warp.layout<[r4, l4*8], [l8, r8]>> -> !warp.smem<16x64xbf16, 128>
      }
    }
    ```
  }];
  let arguments = (ins TileT:$tile);
  let results = (outs Warp_Smem:$target);
  let assemblyFormat = "$tile attr-dict `:` type($tile) `->` type($target)";
}

def ReadOp : WarpOp<"read", [MemoryEffects<[MemRead]>]> {
  let summary = "a fragment of a tile in shared memory";
  let description = [{
    Formula: `r[i..] = source[i..]`.

    (C1) Both have the same shape and element type, f32 where the source has tf32.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xbf16>) {
      %c0 = arith.constant 0 : index
      tile.grid () = () {
        %r = warp.ring.create : !warp.ring<1, !warp.smem<16x64xbf16, 128>>
        %s = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !warp.ring<1, !warp.smem<16x64xbf16, 128>> -> !warp.smem<16x64xbf16, 128>
        %x = warp.read %s : !warp.smem<16x64xbf16, 128> -> tensor<16x64xbf16, #warp.layout<[r4, l4*8], [l8, r8]>>
      }
    }
    ```
  }];
  let arguments = (ins Warp_Smem:$source);
  let results = (outs TileT:$tile);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($tile)";
}

def Warp_StoreOp : WarpOp<"store", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "a fragment written to global memory by way of shared memory";
  let description = [{
    Formula: `view[place_0, .., place_k + i_0, ..] = tile[i..]` as `tile.store` has it, by TMA. Each warp writes its own
    block of the tile into shared memory, `slots` slabs of columns at a time, and goes on while they are copied out; a
    slab is written again once its copy has read it. A slab spans 128 bytes of a row, the last ones 64 or 32. A `tile.store`
    after it waits for it.

    (C1) The tile has two dimensions, a place for each of the view, and the view's element type.

    (C2) It is in an accumulator's layout: each warp has whole blocks of 16 rows and at least 32 bytes of columns, of
    16-bit or wider elements.

    (C3) There is at least one slot.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xbf16>) {
      %c0 = arith.constant 0 : index
      tile.grid () = () {
        %x = tile.load %X[%c0, %c0] : !tile.view<?x64xbf16> -> tensor<16x64xbf16, #warp.layout<[r2, l8*4], [r8, l4, r2]>>
        warp.store %x, %X[%c0, %c0] slots 1 : tensor<16x64xbf16, #warp.layout<[r2, l8*4], [r8, l4, r2]>>, !tile.view<?x64xbf16>
      }
    }
    ```
  }];
  let arguments = (ins TileT:$tile, Tile_View:$view, Variadic<Index>:$place, I64Attr:$slots);
  let assemblyFormat = "$tile `,` $view `[` $place `]` `slots` $slots attr-dict `:` type($tile) `,` type($view)";
}

def TurnWaitOp : WarpOp<"turn.wait", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "a warpgroup's turn";
  let description = [{
    Formula: a warpgroup goes on once the one before it has passed its turn on, the first once the last has; the first turn
    of all is the first warpgroup's. Dots that are begun between this and `warp.turn.pass` run one warpgroup after the
    other, so that one computes while another multiplies. Every warpgroup takes as many turns.

    (C1) The kernel's `warp.schedule` has `turns = true`. The op is not the producer's.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [8, 1], stages = 2, tf32 = false, wgmma = true, producer = true, turns = true>} {
      tile.grid () = () {
        warp.turn.wait
        warp.turn.pass
      }
    }
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def TurnPassOp : WarpOp<"turn.pass", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "the end of a warpgroup's turn";
  let description = [{
    Formula: the next warpgroup's `warp.turn.wait` may go on; see there.

    (C1) The kernel's `warp.schedule` has `turns = true`. The op is not the producer's.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xbf16>) attributes {warp.schedule = #warp.schedule<warps = [8, 1], stages = 2, tf32 = false, wgmma = true, producer = true, turns = true>} {
      tile.grid () = () {
        warp.turn.wait
        warp.turn.pass
      }
    }
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def PartialReduceOp : WarpOp<"partial_reduce", [Pure]> {
  let summary = "each thread's part of a fold";
  let description = [{
    Formula: `r[i.., p, j..] = fold over k of tile[i.., k, j..]`, those k that the thread of place p along `axis` has. A
    `tile.reduce` of the result along `axis` is the fold of the tile.

    (C1) `axis` is a dimension of the tile.

    (C2) The result is the tile's type with as many places along `axis` as the layout has lanes and warps there.

    ```mlir
    #acc = #warp.layout<[r2, l8*4], [r8, l4, r2]>
    #parts = #warp.layout<[r2, l8*4], [l4]>
    func.func @example(%x: tensor<16x64xf32, #acc>) -> tensor<16x4xf32, #parts> {
      %y = warp.partial_reduce add %x {axis = 1 : i64} : tensor<16x64xf32, #acc> -> tensor<16x4xf32, #parts>
      return %y : tensor<16x4xf32, #parts>
    }
    ```
  }];
  let arguments = (ins Tile_Fold:$fold, TileT:$tile, I64Attr:$axis);
  let results = (outs TileT:$result);
  let assemblyFormat = "$fold $tile attr-dict `:` type($tile) `->` type($result)";
}

def RelayoutOp : WarpOp<"relayout", [Pure]> {
  let summary = "a fragment in another layout";
  let description = [{
    Formula: `r[i..] = tile[i..]`: elements move between threads, through shared memory.

    (C1) Both have the same shape and element type.

    ```mlir
    tile.kernel @example(%X: !tile.view<?x64xbf16>) {
      %c0 = arith.constant 0 : index
      tile.grid () = () {
        %x = tile.load %X[%c0, %c0] : !tile.view<?x64xbf16> -> tensor<16x64xbf16, #warp.layout<[r4, l4*8], [l8, r8]>>
        %y = warp.relayout %x : tensor<16x64xbf16, #warp.layout<[r4, l4*8], [l8, r8]>> -> tensor<16x64xbf16, #warp.layout<[r2, l8*4], [r8, l4, r2]>>
      }
    }
    ```
  }];
  let arguments = (ins TileT:$tile);
  let results = (outs TileT:$result);
  let assemblyFormat = "$tile attr-dict `:` type($tile) `->` type($result)";
  let hasFolder = 1;
}

def Warp_DotOp : WarpOp<"dot", [MemoryEffects<[MemRead]>, AllTypesMatch<["accumulator", "result"]>]> {
  let summary = "a matrix product by an MMA atom";
  let description = [{
    Formula: `r[m, n] = accumulator[m, n] + sum over k of lhs[m, k] * rhs[k, n]`; with `transpose_a` `lhs[k, m]` is read,
    with `transpose_b` `rhs[n, k]`. The order of the sum is the atom's: k ascends in steps of its own.

    (C1) `lhs` is in shared memory, or a fragment in the atom's layout and then not transposed; `rhs` is in shared memory.

    (C2) The shapes are those of a product.

    (C3) The accumulator has the atom's layout.

    (C4) The atom multiplies elements of that type, the same on both sides or both 8-bit floats, or it widens (C9), or rounds
    a fragment of f32 beside tf32; the accumulator is of i32 for i8, of f64 for f64, else of f32.

    (C5) By `#warp.wgmma` each warp has 16 rows, the warps are whole warpgroups, and there are at most 256 columns.

    (C6) With `async` the atom is `#warp.wgmma`. The dot is then only begun: nothing but the next dot's accumulator and
    `warp.dot_wait` may have its result, and its operands stay as they are until the wait.

    (C7) Each warp has whole blocks of the atom's rows, and of 8 columns.

    (C8) By `#warp.wgmma<k = 32>` and `k = 8` the depth of both operands is contiguous: `lhs` is not transposed, `rhs` is.

    (C9) An `rhs` of 8-bit floats beside a fragment of f16 is widened to f16, which has them all, as it is read. With
    `transpose_b` that is by `#warp.mma_sync<m = 16, n = 8, k = 32>`: a lane reads words of four of the depth, and so has
    four neighbours of the fragment. Else by `k = 16`: a lane reads two columns of two rows as a word, and so has four
    neighbouring columns of the accumulator, `[.., rN, l4, r4]`; each warp has whole blocks of 16 columns.

    ```mlir
    #acc = #warp.layout<[r2, l8*4], [r2, l4, r2]>
    tile.kernel @example(%X: !tile.view<?x64xbf16>) {
      %c0 = arith.constant 0 : index
      tile.grid () = () {
        %r = warp.ring.create : !warp.ring<1, !warp.smem<16x64xbf16, 128>>
        %s = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !warp.ring<1, !warp.smem<16x64xbf16, 128>> -> !warp.smem<16x64xbf16, 128>
        %zero = arith.constant dense<0.0> : tensor<16x16xf32, #acc>
        %d = warp.dot %s, %s, %zero {atom = #warp.mma_sync<m = 16, n = 8, k = 16>, transpose_b} : !warp.smem<16x64xbf16, 128>, !warp.smem<16x64xbf16, 128> -> tensor<16x16xf32, #acc>
      }
    }
    ```
  }];
  let arguments = (ins SmemOrTile:$lhs, SmemOrTile:$rhs, TileT:$accumulator, Warp_MmaAtom:$atom, UnitAttr:$transpose_a,
                   UnitAttr:$transpose_b, UnitAttr:$async);
  let results = (outs TileT:$result);
  let assemblyFormat = "$lhs `,` $rhs `,` $accumulator attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)";
  let extraClassDeclaration = [{
    /// Whether the right operand is widened as it is read.
    bool isWidening();
  }];
}

def DotWaitOp : WarpOp<"dot_wait", [MemoryEffects<[MemRead, MemWrite]>, AllTypesMatch<["tile", "result"]>]> {
  let summary = "waits for dots that were begun";
  let description = [{
    Formula: `r = tile`, once all async dots begun before are done but the last `pending`. With `pending` above 0 the tile
    itself may be still under way.

    (C1) `pending` is at least 0.

    ```mlir
    #acc = #warp.layout<[w4, r2, l8*4], [r2, l4, r2]>
    tile.kernel @example(%X: !tile.view<?x64xbf16>) {
      %c0 = arith.constant 0 : index
      tile.grid () = () {
        %r = warp.ring.create : !warp.ring<1, !warp.smem<64x64xbf16, 128>, !warp.smem<16x64xbf16, 128>>
        %s:2 = warp.ring.wait %r[%c0] {ahead = 0 : i64} : !warp.ring<1, !warp.smem<64x64xbf16, 128>, !warp.smem<16x64xbf16, 128>> -> !warp.smem<64x64xbf16, 128>, !warp.smem<16x64xbf16, 128>
        %zero = arith.constant dense<0.0> : tensor<64x16xf32, #acc>
        %d = warp.dot %s#0, %s#1, %zero {atom = #warp.wgmma, transpose_b, async} : !warp.smem<64x64xbf16, 128>, !warp.smem<16x64xbf16, 128> -> tensor<64x16xf32, #acc>
        %e = warp.dot_wait %d {pending = 0 : i64} : tensor<64x16xf32, #acc>
      }
    }
    ```
  }];
  let arguments = (ins TileT:$tile, I64Attr:$pending);
  let results = (outs TileT:$result);
  let assemblyFormat = "$tile attr-dict `:` type($tile)";
}

#endif
