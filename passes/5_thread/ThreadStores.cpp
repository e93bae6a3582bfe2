// Results that leave by way of shared memory: each warp writes its own block, slab by slab, and one of its lanes has
// TMA copy each slab out. No warp waits for another.
#include "passes/5_thread/ThreadEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

#include <map>

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

/// Where the warp's block starts along a dimension.
Value ThreadEmitter::warpStart(LayoutAttr layout, int64_t dimension) {
  Value start;
  int64_t weight = 1;
  SmallVector<Digit> digits = layout.getDim(dimension);
  for (const Digit &digit : llvm::reverse(digits)) {
    if (digit.kind == DigitKind::Warp)
      start = add(start, mul(digitValue(digit), weight));
    weight *= digit.size;
  }
  return start;
}

/// The slab's elements of a thread: 16-bit ones by stmatrix, of which each gives four blocks of 8 rows and 8 columns,
/// else two neighbours at a time, in some rows with other columns first (blockTurnOf).
void ThreadEmitter::writeSlab(Value base, const StoreSlab &slab, Value tile) {
  LayoutAttr layout = layoutOf(tile);
  ArrayRef<Value> list = valuesOf(tile);
  std::map<std::pair<int64_t, int64_t>, Value> byPlace;
  for (auto [number, place] : llvm::enumerate(layout.registerPlaces()))
    byPlace[{place[0], place[1]}] = list[number];
  SmemType type = slab.tile;
  auto at = [&](int64_t row, int64_t column) { return byPlace.at({row, slab.start + column}); };
  auto pair = [&](int64_t row, int64_t column) {
    return pack({at(row, column), at(row, column + 1)}, type.getElementType());
  };
  int64_t rows = type.getShape()[0], columns = type.getShape()[1];
  if (type.getElementBytes() == 2) {
    ThreadPlace row{arith::AndIOp::create(b, lane, i32(15)), 16, 0};
    ThreadPlace column{mul(arith::ShRUIOp::create(b, lane, i32(4)), 8), 9, 0};
    for (row.known = 0; row.known < rows; row.known += 16)
      for (column.known = 0; column.known < columns; column.known += 16) {
        SmallVector<Value> words;
        for (auto [r, c] : {std::pair(0, 0), std::pair(8, 0), std::pair(0, 8), std::pair(8, 8)})
          words.push_back(LLVM::BitcastOp::create(b, b.getI32Type(), pair(row.known + r, column.known + c)));
        NVVM::StMatrixOp::create(b, smemAddress(base, type, row, column), words, NVVM::MMALayout::row,
                                 NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8), NVVM::LdStMatrixEltType::B16);
      }
    return;
  }
  ThreadPlace row{digitValue(lanes(8, 4)), 8, 0}, column{mul(digitValue(lanes(4)), 2), 7, 0};
  BlockTurn turn = blockTurnOf(type);
  Value isTurned;
  if (turn.columns > 0) {
    Value bit = arith::AndIOp::create(b, row.thread, i32(turn.rowBit));
    isTurned = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, bit, i32(0));
    // The bit of the columns is none that the four lanes count through: with the known ones it is the other block's.
    column.thread = add(column.thread, arith::SelectOp::create(b, isTurned, i32(turn.columns), i32(0)));
  }
  auto turned = [&](int64_t row, int64_t column) {
    Value value = at(row, column);
    return isTurned ? arith::SelectOp::create(b, isTurned, at(row, column ^ turn.columns), value).getResult() : value;
  };
  for (row.known = 0; row.known < rows; row.known += 8)
    for (column.known = 0; column.known < columns; column.known += 8) {
      Value stored =
          pack({turned(row.known, column.known), turned(row.known, column.known + 1)}, type.getElementType());
      LLVM::StoreOp::create(b, stored, smemAddress(base, type, row, column), /*alignment=*/2 * type.getElementBytes());
    }
}

/// Groups of copies are counted by the lane that begins them; the others have none and do not wait.
void ThreadEmitter::waitForStores(int64_t pending, bool onlyRead) {
  NVVM::CpAsyncBulkWaitGroupOp::create(b, pending, onlyRead ? b.getUnitAttr() : UnitAttr());
  NVVM::SyncWarpOp::create(b, i32(-1));
}

LogicalResult ThreadEmitter::emitAsyncStore(StoreOp op) {
  SmallVector<StoreSlab> slabs = storeSlabsOf(op.getTile().getType());
  LayoutAttr layout = layoutOf(op.getTile());
  int64_t slotBytes = storeSlotBytes(slabs, schedule), slots = op.getSlots();
  Value own = sharedAt(
      add(mul(warpNumber, slabs.front().tile.getBytes()), ofTeam(sharedPlan.offsets.at(op), slots * slotBytes)));
  // TMA takes the innermost dimension first.
  SmallVector<Value> place;
  for (Value start : llvm::reverse(op.getPlace()))
    place.push_back(arith::IndexCastOp::create(b, b.getI32Type(), scalarOf(start)));
  place[0] = add(place[0], warpStart(layout, 1));
  place[1] = add(place[1], warpStart(layout, 0));
  Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, lane, i32(0));
  SmallVector<std::pair<Value, const StoreSlab *>> written; // and not yet copied out
  for (auto [number, slab] : llvm::enumerate(slabs)) {
    int64_t slot = int64_t(number) % slots;
    // The first slab waits for all that the program before has begun: they have long been read.
    if (number == 0 || int64_t(number) >= slots)
      waitForStores(number == 0 ? 0 : slots - 1, /*onlyRead=*/true);
    Value base = slot == 0 ? own
                           : LLVM::GEPOp::create(b, own.getType(), b.getI8Type(), own,
                                                 ArrayRef<LLVM::GEPArg>(int32_t(slot * slotBytes)))
                                 .getResult();
    writeSlab(base, slab, op.getTile());
    written.push_back({base, &slab});
    // Where there is room for all, one fence is for all: a warp waits at each until what it wrote is there.
    if (int64_t(slabs.size()) <= slots && number + 1 < slabs.size())
      continue;
    NVVM::FenceProxyOp::create(b, NVVM::ProxyKind::async_shared,
                               NVVM::SharedSpaceAttr::get(b.getContext(), NVVM::SharedSpace::shared_cta));
    NVVM::SyncWarpOp::create(b, i32(-1));
    auto guard = scf::IfOp::create(b, isFirst, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard restore(b);
    b.setInsertionPoint(guard.thenYield());
    for (auto [from, of] : written) {
      SmallVector<Value> at(place);
      if (of->start != 0)
        at[0] = add(at[0], i32(of->start));
      NVVM::CpAsyncBulkTensorSharedCTAToGlobalOp::create(b, tensorMap(op, of->tile), from, at, /*l2CacheHint=*/Value(),
                                                         NVVM::TMAStoreMode::TILE, /*predicate=*/Value());
    }
    NVVM::CpAsyncBulkCommitGroupOp::create(b);
    written.clear();
  }
  return success();
}
