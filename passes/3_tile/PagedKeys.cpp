#include "passes/3_tile/PagedKeys.h"
#include "lib/Arithmetic/ClampedIndex.h"

using namespace mlir;
using namespace tenon;

bool tenon::fitPages(int64_t page, int64_t tile) {
  constexpr int64_t rows = 8; // of shared memory, of which a part of a tile has a multiple
  if (ShapedType::isDynamic(page) || page == 0)
    return false;
  return page % tile == 0 || (tile % page == 0 && page % rows == 0);
}

Value tenon::clampedNumber(ImplicitLocOpBuilder &b, Value tile, Value most) {
  return clampedIndex(b, tensor::ExtractOp::create(b, tile, ValueRange()), most);
}

SmallVector<PlaceOfKeys> tenon::placesInPages(TileEmitter &emitter, ImplicitLocOpBuilder &b, Value pool, Value table,
                                              AffineExpr batch, Value first, unsigned keys) {
  int64_t page = cast<RankedTensorType>(pool.getType()).getDimSize(2), tile = emitter.axisSize(keys);
  if (!fitPages(page, tile)) {
    emitter.fail("a tile of keys is neither within a page nor made of whole ones of a multiple of 8 keys");
    return {};
  }
  int64_t inPage = std::min(page, tile);
  AffineExpr at = emitter.dim(first), own = emitter.axis(inPage == tile ? keys : emitter.addAxis(inPage));
  Value last = emitter.index(emitter.dim(emitter.sizeValue(pool, 0)) - 1);
  SmallVector<PlaceOfKeys> places;
  for (int64_t part = 0; part < tile; part += inPage) {
    // The loop goes through tiles from a multiple of them on.
    TileValue number = emitter.at(table, {batch, at.floorDiv(page) + part / page});
    if (!number)
      return {};
    places.push_back({emitter.dim(clampedNumber(b, number.tile, last)), inPage == page ? own : at % page + own});
  }
  return places;
}

TileValue tenon::atKeys(TileEmitter &emitter, ImplicitLocOpBuilder &b, Value tensor, ArrayRef<PlaceOfKeys> places,
                        unsigned keys, llvm::function_ref<TilePlace(const PlaceOfKeys &)> placeOf) {
  TileValue whole;
  SmallVector<Value> parts;
  for (const PlaceOfKeys &at : places) {
    if (whole = emitter.at(tensor, placeOf(at)); !whole)
      return {};
    parts.push_back(whole.tile);
  }
  if (parts.size() == 1)
    return whole;
  unsigned *own = llvm::find(whole.axes, emitter.axesOf(places.front().key).front());
  int64_t dimension = own - whole.axes.begin(), along = dimension;
  // As they are read they can come to lie in one shared tile.
  auto turned = whole.tile.getDefiningOp<tile::TransOp>();
  SmallVector<int64_t> order;
  if (turned) {
    llvm::append_range(order, turned.getPermutation());
    along = order[dimension];
    for (Value &part : parts)
      part = part.getDefiningOp<tile::TransOp>().getTile();
  }
  auto joinedType = [&](Value tile, int64_t d) {
    auto type = cast<RankedTensorType>(tile.getType());
    SmallVector<int64_t> shape(type.getShape());
    shape[d] = emitter.axisSize(keys);
    return type.clone(shape);
  };
  Value joined = tile::JoinOp::create(b, joinedType(parts.front(), along), parts, along);
  if (turned)
    joined = tile::TransOp::create(b, joinedType(whole.tile, dimension), joined, order);
  *own = keys;
  return {joined, whole.axes};
}
