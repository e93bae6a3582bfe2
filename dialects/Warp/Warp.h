#pragma once

#include "dialects/Tile/Tile.h"

namespace tenon::warp {

enum class DigitKind { Register, Lane, Warp };

/// One digit of an element's place along a dimension: see #warp.layout.
struct Digit {
  DigitKind kind;
  int64_t size;
  int64_t stride = 1; ///< of lanes and warps
  int64_t dim = 0;
  bool operator==(const Digit &other) const {
    return kind == other.kind && size == other.size && stride == other.stride && dim == other.dim;
  }
};
inline llvm::hash_code hash_value(const Digit &digit) {
  return llvm::hash_combine(int(digit.kind), digit.size, digit.stride, digit.dim);
}

inline Digit registers(int64_t size) { return {DigitKind::Register, size}; }
inline Digit lanes(int64_t size, int64_t stride = 1) { return {DigitKind::Lane, size, stride}; }
inline Digit warps(int64_t size, int64_t stride = 1) { return {DigitKind::Warp, size, stride}; }

} // namespace tenon::warp

#include "dialects/Warp/WarpDialect.h.inc"
#include "dialects/Warp/WarpInterfaces.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/Warp/WarpAttrs.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Warp/WarpTypes.h.inc"
#define GET_OP_CLASSES
#include "dialects/Warp/Warp.h.inc"

namespace tenon::warp {

/// The layout of a fragment; null for a tensor without.
inline LayoutAttr layoutOf(mlir::Type type) {
  auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
  return tensor ? mlir::dyn_cast_or_null<LayoutAttr>(tensor.getEncoding()) : LayoutAttr();
}
inline LayoutAttr layoutOf(mlir::Value value) { return layoutOf(value.getType()); }

/// Whether every thread has the elements of the result in the registers in which it has the tile's.
inline bool isInPlace(tile::ReshapeOp op) {
  mlir::RankedTensorType from = op.getTile().getType(), to = op.getResult().getType();
  return layoutOf(from).reshape(from.getShape(), to.getShape()) == layoutOf(to);
}

/// How warp.store cuts a warp's block of a tile: slabs of all its rows, from a column of the block on, the widest
/// first.
struct StoreSlab {
  int64_t start;
  SmemType tile;
};
/// None where the tile is not in an accumulator's layout, or a warp's block too narrow.
llvm::SmallVector<StoreSlab> storeSlabsOf(mlir::RankedTensorType tile);

/// Whether the op is the producer's: in warp.produce or warp.early.
bool isByProducer(mlir::Operation *op);

} // namespace tenon::warp
