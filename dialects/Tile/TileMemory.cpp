// Verifiers of the reads and writes of views.
#include "dialects/Tile/Tile.h"

using namespace mlir;
using namespace tenon::tile;

/// (C1) to (C3), which loads, stores and gathers share.
static LogicalResult checkAccess(Operation *op, ViewType view, RankedTensorType tile, size_t places) {
  if (int64_t(places) != view.getRank())
    return op->emitOpError("(C1) has ") << places << " places in " << view << ", expected one for each dimension";
  if (tile.getRank() > view.getRank())
    return op->emitOpError("(C2) has a tile of type ") << tile << ", expected at most the rank of " << view;
  if (tile.getElementType() != view.getElementType())
    return op->emitOpError("(C3) has a tile of ") << tile.getElementType() << ", expected " << view.getElementType();
  return success();
}

LogicalResult LoadOp::verify() {
  if (failed(checkAccess(*this, getView().getType(), getResult().getType(), getPlace().size())))
    return failure();
  if (getPad() && getPad()->getType() != getView().getType().getElementType())
    return emitOpError("(C4) pad is of type ")
           << getPad()->getType() << ", expected " << getView().getType().getElementType();
  return success();
}

LogicalResult StoreOp::verify() {
  return checkAccess(*this, getView().getType(), getTile().getType(), getPlace().size());
}

LogicalResult GatherOp::verify() {
  ViewType view = getView().getType();
  RankedTensorType tile = getResult().getType();
  if (failed(checkAccess(*this, view, tile, getPlace().size())))
    return failure();
  int64_t axis = int64_t(getAxis()) - (view.getRank() - tile.getRank());
  if (int64_t(getAxis()) >= view.getRank() || axis < 0)
    return emitOpError("(C2) axis is ") << int64_t(getAxis()) << ", expected a dimension of " << view
                                        << " along which the tile lies";
  RankedTensorType rows = getRows().getType();
  if (rows.getRank() != 1 || rows.getDimSize(0) != tile.getDimSize(axis))
    return emitOpError("(C4) rows are ") << rows << ", expected one number for each of " << tile.getDimSize(axis);
  return success();
}
