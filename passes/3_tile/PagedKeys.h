// Keys and values in pages: where a tile of them lies, and the tile.
#pragma once

#include "passes/3_tile/TileEmitter.h"

namespace tenon {

/// Where keys lie: of which batch or page, and from which of its keys on, along an axis.
struct PlaceOfKeys {
  mlir::AffineExpr of, key;
};

/// Whether tiles of so many keys are within a page, or made of whole ones that can be parts of a shared tile.
bool fitPages(int64_t page, int64_t tile);

/// The number that a tile of rank 0 holds, from 0 to `most`.
mlir::Value clampedNumber(mlir::ImplicitLocOpBuilder &b, mlir::Value tile, mlir::Value most);

/// Of the tile along axis `keys` from key `first` of the batch on: one place where a page is some tiles, several where
/// a tile is some pages; none, and a reason in the emitter's error(), where it is neither: see fitPages.
llvm::SmallVector<PlaceOfKeys> placesInPages(TileEmitter &emitter, mlir::ImplicitLocOpBuilder &b, mlir::Value pool,
                                             mlir::Value table, mlir::AffineExpr batch, mlir::Value first,
                                             unsigned keys);

/// The tensor at these places, one after the other along axis `keys`.
TileValue atKeys(TileEmitter &emitter, mlir::ImplicitLocOpBuilder &b, mlir::Value tensor,
                 llvm::ArrayRef<PlaceOfKeys> places, unsigned keys,
                 llvm::function_ref<TilePlace(const PlaceOfKeys &)> placeOf);

} // namespace tenon
