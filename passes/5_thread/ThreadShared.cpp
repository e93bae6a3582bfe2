// Shared memory: where rings, staged tiles and scratch lie, copies into it, and fragments through it.
#include "passes/5_thread/ThreadEmitter.h"

#include "dialects/Ptx/Ptx.h"
#include "lib/Analysis/TileBounds.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/MathExtras.h"

#include <map>

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

static constexpr llvm::StringLiteral sharedName = "shared";

/// Places come from lib/Analysis; here the program gets its base address.
void ThreadEmitter::planSharedMemory() {
  sharedPlan = tenon::planSharedMemory(kernel);
  if (sharedPlan.getBytes() == 0)
    return;
  auto module = kernel->getParentOfType<ModuleOp>();
  auto global = module.lookupSymbol<LLVM::GlobalOp>(sharedName);
  if (!global) {
    OpBuilder outside = OpBuilder::atBlockBegin(module.getBody());
    global = LLVM::GlobalOp::create(outside, module.getLoc(), LLVM::LLVMArrayType::get(b.getI8Type(), 0),
                                    /*isConstant=*/false, LLVM::Linkage::External, sharedName, Attribute(),
                                    /*alignment=*/1024, /*addrSpace=*/3);
  }
  sharedBase = LLVM::AddressOfOp::create(b, LLVM::LLVMPointerType::get(b.getContext(), 3), sharedName);
}

/// The producer is not waited for.
void ThreadEmitter::barrier() {
  if (!hasProducer) {
    NVVM::Barrier0Op::create(b);
    return;
  }
  NVVM::BarrierOp::create(b, Type(), add(team, i32(1)), i32(32 * schedule.getNumWarps()), NVVM::BarrierReductionAttr(),
                          Value());
}

/// Where what each team has lies, so many bytes of it from that place on.
Value ThreadEmitter::ofTeam(int64_t offset, int64_t bytes) { return add(mul(team, bytes), i32(offset)); }

void ThreadEmitter::publish() {
  if (hasWgmma)
    NVVM::FenceProxyOp::create(b, NVVM::ProxyKind::async_shared,
                               NVVM::SharedSpaceAttr::get(b.getContext(), NVVM::SharedSpace::shared_cta));
  barrier();
}

Value ThreadEmitter::sharedAt(Value byteOffset) {
  if (getConstantIntValue(byteOffset) == 0)
    return sharedBase;
  return LLVM::GEPOp::create(b, sharedBase.getType(), b.getI8Type(), sharedBase, ValueRange(byteOffset));
}

/// The address of an element; see !warp.smem. The thread's part and the constant part are kept apart as long as their
/// bits are: what does not change in a loop is then computed outside, and the constant is in the instruction.
Value ThreadEmitter::smemAddress(Value base, SmemType type, ThreadPlace row, ThreadPlace column) {
  int64_t span = type.getSwizzle(), bytes = type.getElementBytes(), perSpan = span / bytes;
  int64_t slab = type.getShape()[0] * span, chunks = span / 16, rowsPerLine = std::max<int64_t>(1, 128 / span);
  bool isSplit = row.known % 8 == 0 && llvm::isPowerOf2_64(llvm::PowerOf2Ceil(column.bound)) &&
                 column.known % llvm::PowerOf2Ceil(column.bound) == 0 && column.bound <= perSpan;
  if (!isSplit) {
    row = {sum(row.thread, row.known), row.bound, 0};
    column = {sum(column.thread, column.known), 0, 0};
  }
  int64_t known = row.known * span + column.known / perSpan * slab + column.known % (16 / bytes) * bytes;
  int64_t knownChunk = column.known % perSpan * bytes / 16;
  Value columnThread = column.thread, offset;
  if (!isSplit) { // which slab is known only to the thread
    Value number = arith::DivUIOp::create(b, columnThread, i32(perSpan));
    offset = mul(number, slab);
    columnThread = arith::RemUIOp::create(b, columnThread, i32(perSpan));
  }
  Value chunk;
  if (columnThread) {
    Value at = mul(columnThread, bytes);
    chunk = arith::ShRUIOp::create(b, at, i32(4));
    if (bytes < 16)
      offset = add(offset, arith::AndIOp::create(b, at, i32(15)));
  }
  if (row.thread) {
    offset = add(offset, mul(row.thread, span));
    if (chunks > 1) {
      Value line = row.thread;
      if (rowsPerLine > 1)
        line = arith::DivUIOp::create(b, line, i32(rowsPerLine));
      Value phase = arith::AndIOp::create(b, line, i32(chunks - 1));
      chunk = chunk ? arith::XOrIOp::create(b, chunk, phase).getResult() : phase;
    }
  }
  if (knownChunk != 0)
    chunk = chunk ? arith::XOrIOp::create(b, chunk, i32(knownChunk)).getResult() : i32(knownChunk);
  if (chunk)
    offset = add(offset, mul(chunk, 16));
  Value address = base;
  if (offset)
    address = LLVM::GEPOp::create(b, base.getType(), b.getI8Type(), address, ValueRange(offset));
  if (known != 0)
    address = LLVM::GEPOp::create(b, base.getType(), b.getI8Type(), address, ArrayRef<LLVM::GEPArg>(int32_t(known)));
  return address;
}

/// The addresses of a transfer's tiles.
SmallVector<Value> ThreadEmitter::slotOf(Value ring, Value number) {
  auto type = cast<RingType>(ring.getType());
  Value slot = numberOf(ring, number);
  slot = type.getDepth() == 1 ? Value() : arith::RemUIOp::create(b, slot, i32(type.getDepth())).getResult();
  Value offset = mul(slot, type.getSlotBytes());
  offset = offset ? add(offset, i32(sharedPlan.offsets.at(ring.getDefiningOp())))
                  : i32(sharedPlan.offsets.at(ring.getDefiningOp()));
  Value base = sharedAt(offset);
  SmallVector<Value> tiles;
  int64_t at = 0;
  for (SmemType tile : type.getTiles()) {
    tiles.push_back(
        at == 0 ? base
                : LLVM::GEPOp::create(b, base.getType(), b.getI8Type(), base, ArrayRef<LLVM::GEPArg>(int32_t(at)))
                      .getResult());
    at += tile.getBytes();
  }
  return tiles;
}

/// Where the copied rows of a shared tile begin. Swizzles repeat each 8 rows.
Value ThreadEmitter::partOf(CopyOp op) {
  Value target = scalarOf(op.getTarget());
  int64_t offset = op.firstRow() * op.getTarget().getType().getSwizzle();
  if (offset == 0)
    return target;
  return LLVM::GEPOp::create(b, target.getType(), b.getI8Type(), target, ArrayRef<LLVM::GEPArg>(int32_t(offset)));
}

/// 16 bytes a thread at once by cp.async where they are aligned in memory; else, or where they are rounded, as many
/// elements as are, by way of registers.
LogicalResult ThreadEmitter::emitCopy(CopyOp op) {
  SmemType target = op.getTarget().getType();
  tile::ViewType type = op.getView().getType();
  ThreadView view = viewOf(op.getView());
  Type element = target.getHeldType();
  bool isRounded = element != target.getElementType(); // to tf32
  int64_t leading = type.getRank() - 2, bytes = target.getElementBytes(), chunk = 16 / bytes;
  int64_t columns = target.getShape()[1], rows = op.getCopied().getShape()[0], numWarps = schedule.getNumWarps();
  // Neighbouring lanes copy neighbouring chunks of a row.
  int64_t alongRow = copyLanesAlongRow(target);
  int64_t rowLanes = 32 / alongRow, step = rowLanes * numWarps;
  ThreadPlace row{digitValue(lanes(rowLanes, alongRow)), rowLanes, 0};
  if (rowLanes == 1)
    row.thread = Value();
  if (numWarps > 1)
    row.thread = add(row.thread, mul(warpNumber, rowLanes));
  row.bound = step;
  ThreadPlace column{alongRow == 1 ? Value() : mul(digitValue(lanes(alongRow)), chunk), (alongRow - 1) * chunk + 1, 0};

  auto isKept = [&](int64_t d) { return op.getWithin() && (*op.getWithin())[d]; };
  auto divides = [&](int64_t by, int64_t number) { return number % by == 0; };
  auto known = [&](OpFoldResult value) { return getConstantIntValue(value); };
  int64_t along = leading + 1;
  bool isAsync = !isRounded && known(view.strides[along]) == 1 && divides(chunk, view.offsetDivisor) &&
                 divides(chunk, divisorOf(op.getPlace()[along]));
  for (int64_t d = 0; d < type.getRank(); ++d)
    if (d != along)
      isAsync &= known(view.strides[d]) && divides(chunk, *known(view.strides[d]));
  isAsync &= isKept(along) || (known(view.sizes[along]) && divides(chunk, *known(view.sizes[along])));

  auto value = [&](OpFoldResult mixed) { return known(mixed) ? index(*known(mixed)) : cast<Value>(mixed); };
  auto scaled = [&](Value by, OpFoldResult stride) -> Value {
    return known(stride) ? mul(by, *known(stride)) : arith::MulIOp::create(b, by, cast<Value>(stride)).getResult();
  };
  auto isBelow = [&](Value number, int64_t d) -> Value {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, number, value(view.sizes[d]));
  };
  auto both = [&](Value a, Value other) {
    return a && other ? arith::AndIOp::create(b, a, other).getResult() : (a ? a : other);
  };
  Value shared, offset;
  for (int64_t d = 0; d < leading; ++d) {
    Value start = scalarOf(op.getPlace()[d]);
    offset = add(offset, scaled(start, view.strides[d]));
    if (!isKept(d))
      shared = both(shared, isBelow(start, d));
  }
  Value firstRow = scalarOf(op.getPlace()[leading]), firstColumn = scalarOf(op.getPlace()[along]);
  if (row.thread)
    firstRow = add(firstRow, toIndex(row.thread));
  if (column.thread)
    firstColumn = add(firstColumn, toIndex(column.thread));
  offset = add(offset, scaled(firstRow, view.strides[leading]));
  offset = add(offset, scaled(firstColumn, view.strides[along]));
  Type memory = memoryType(element);
  Value base = LLVM::GEPOp::create(b, view.base.getType(), memory, view.base, ValueRange(toI64(offset)));
  Value slot = partOf(op);
  for (int64_t r = 0; r < rows; r += step)
    for (int64_t c = 0; c < columns; c += alongRow * chunk) {
      Value predicate = shared;
      ThreadPlace atRow = row, atColumn = column;
      atRow.known = r;
      atColumn.known = c;
      auto shifted = [&](Value first, int64_t by) { return by == 0 ? first : add(first, index(by)); };
      if (!isKept(leading))
        predicate = both(predicate, isBelow(shifted(firstRow, r), leading));
      if (r + row.bound > rows) {
        Value inside = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, sum(row.thread, r), i32(rows));
        // Rows past the tile's end are nobody's: not even zeros are written there.
        auto guard = scf::IfOp::create(b, inside, /*withElseRegion=*/false);
        b.setInsertionPoint(guard.thenYield());
        predicate = both(predicate, inside);
      }
      Operation *guard = b.getInsertionBlock()->getParentOp();
      if (isAsync && !isKept(along))
        predicate = both(predicate, isBelow(shifted(firstColumn, c), along));
      Value address = base;
      int64_t constant = 0;
      Value dynamic;
      for (auto [by, stride] : {std::pair(r, view.strides[leading]), std::pair(c, view.strides[along])}) {
        if (by == 0)
          continue;
        if (known(stride))
          constant += by * *known(stride);
        else
          dynamic = add(dynamic, scaled(index(by), stride));
      }
      if (dynamic)
        address = LLVM::GEPOp::create(b, base.getType(), memory, address, ValueRange(toI64(dynamic)));
      if (constant != 0)
        address = LLVM::GEPOp::create(b, base.getType(), memory, address,
                                      ValueRange(LLVM::ConstantOp::create(b, b.getI64Type(), constant)));
      Value to = smemAddress(slot, target, atRow, atColumn);
      if (isAsync) {
        Value size;
        if (predicate) {
          size = arith::SelectOp::create(b, predicate, i32(16), i32(0));
          address = arith::SelectOp::create(b, predicate, address, view.base);
        }
        NVVM::CpAsyncOp::create(b, to, address, 16, NVVM::LoadCacheModifierKind::CG, size);
      } else {
        SmallVector<Value> elements;
        for (int64_t e = 0; e < chunk; ++e) {
          Value here = predicate;
          if (!isKept(along))
            here = both(here, isBelow(shifted(firstColumn, c + e), along));
          Value from = e == 0 ? address
                              : LLVM::GEPOp::create(b, base.getType(), memory, address,
                                                    ValueRange(toI64(scaled(index(e), view.strides[along]))))
                                    .getResult();
          Value loaded = loadWords(from, here, element, 1, view.isReadOnly);
          elements.push_back(isRounded ? roundedToTf32(loaded) : loaded);
        }
        Value vector = LLVM::PoisonOp::create(b, VectorType::get(chunk, memory));
        for (auto [number, loaded] : llvm::enumerate(elements))
          vector = LLVM::InsertElementOp::create(b, vector, loaded, i32(number));
        LLVM::StoreOp::create(b, vector, to, /*alignment=*/16);
      }
      if (isa<scf::IfOp>(guard) && r + row.bound > rows)
        b.setInsertionPointAfter(guard);
    }
  return success();
}

/// A fragment's registers in turn, as long as they lie side by side along a row of shared memory.
void ThreadEmitter::writeTile(Value base, SmemType type, Value tile) {
  LayoutAttr layout = layoutOf(tile);
  auto shape = cast<RankedTensorType>(tile.getType()).getShape();
  ThreadPlace row = threadPlace(layout, 0), column = threadPlace(layout, 1);
  int64_t width = fragmentWidth(layout, type);
  ArrayRef<Value> list = valuesOf(tile);
  Value isFirst = isFirstOf(layout);
  for (const Access &access : accessesOf(layout, 1, width)) {
    row.known = access.place[0];
    column.known = access.place[1];
    auto write = [&] {
      SmallVector<Value> elements;
      for (unsigned number : access.registers)
        elements.push_back(type.getElementType().isTF32() ? roundedToTf32(list[number]) : list[number]);
      LLVM::StoreOp::create(b, pack(elements, type.getHeldType()), smemAddress(base, type, row, column),
                            /*alignment=*/width * type.getElementBytes());
    };
    Value inside = isFirst;
    for (auto [place, size] : {std::pair(row, shape[0]), std::pair(column, shape[1])})
      if (place.bound + place.known > size) {
        Value is = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, sum(place.thread, place.known), i32(size));
        inside = inside ? arith::AndIOp::create(b, inside, is).getResult() : is;
      }
    if (!inside) {
      write();
      continue;
    }
    auto guard = scf::IfOp::create(b, inside, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard restore(b);
    b.setInsertionPoint(guard.thenYield());
    write();
  }
}

SmallVector<Value> ThreadEmitter::readTile(Value base, SmemType type, RankedTensorType tile) {
  LayoutAttr layout = layoutOf(tile);
  ThreadPlace row = threadPlace(layout, 0), column = threadPlace(layout, 1);
  int64_t width = fragmentWidth(layout, type);
  SmallVector<Value> list(layout.getNumRegisters());
  Type memory = memoryType(tile.getElementType());
  for (const Access &access : accessesOf(layout, 1, width)) {
    // What lies past the tile's end is nobody's: the last row and column are read in its place.
    auto clamped = [&](ThreadPlace place, int64_t known, int64_t size) {
      place.known = known;
      if (place.bound + known <= size)
        return place;
      Value at = arith::MinUIOp::create(b, sum(place.thread, known), i32(size - 1));
      return ThreadPlace{at, size, 0};
    };
    ThreadPlace atRow = clamped(row, access.place[0], tile.getDimSize(0));
    ThreadPlace atColumn = clamped(column, access.place[1], tile.getDimSize(1) - width + 1);
    Type loaded = width == 1 ? memory : Type(VectorType::get(width, memory));
    Value words = LLVM::LoadOp::create(b, loaded, smemAddress(base, type, atRow, atColumn),
                                       /*alignment=*/width * type.getElementBytes());
    for (auto [number, value] : llvm::zip_equal(access.registers, unpack(words, tile.getElementType(), width)))
      list[number] = value;
  }
  return list;
}

/// Whether the memory may still be read by a turn or a program before, or by what had it before.
bool ThreadEmitter::isRepeated(Operation *op) {
  return hasProducer || op->getParentOfType<scf::ForOp>() || sharedPlan.reuses.contains(op);
}

/// Neighbours that wait for the same dots do so as one: between two waits ptxas would have registers of the second's
/// tile in use by a dot, and wait by itself.
void ThreadEmitter::emitDotWait(DotWaitOp wait) {
  auto before = dyn_cast_or_null<DotWaitOp>(wait->getPrevNode());
  if (before && before.getPending() == wait.getPending())
    return; // done with it
  SmallVector<DotWaitOp> waits;
  SmallVector<Value> sums;
  for (Operation *op = wait; op; op = op->getNextNode()) {
    auto next = dyn_cast<DotWaitOp>(op);
    if (!next || next.getPending() != wait.getPending())
      break;
    waits.push_back(next);
    llvm::append_range(sums, valuesOf(next.getTile()));
  }
  auto done = ptx::WgmmaWaitOp::create(b, llvm::to_vector(ValueRange(sums).getTypes()), sums, wait.getPending());
  ValueRange left = done.getResults();
  for (DotWaitOp each : waits) {
    size_t count = valuesOf(each.getTile()).size();
    values[each.getResult()] = llvm::to_vector(left.take_front(count));
    left = left.drop_front(count);
  }
}

/// Without a producer all threads fill and read a ring: copies are groups of cp.async, and a barrier tells that
/// everybody has waited.
LogicalResult ThreadEmitter::emitRing(Operation *op) {
  if (isa<RingCreateOp>(op)) {
    // A producer waits for each slot. Else, around an outer loop or program, slots may still be read by the turn
    // before, or by what had this memory.
    if (!sharedPlan.barriers.contains(op->getResult(0)) && isRepeated(op))
      barrier();
    if (isTeam()) // which has counted programs
      ringBases[op->getResult(0)] =
          arith::MulIOp::create(b, ringBases.at(op->getResult(0)), transfersOf(cast<RingCreateOp>(op)));
    return success();
  }
  bool isProduced = isa<RingType>(op->getNumOperands() ? op->getOperand(0).getType() : Type(b.getI1Type())) &&
                    sharedPlan.barriers.contains(op->getOperand(0));
  if (auto acquire = dyn_cast<RingAcquireOp>(op)) {
    if (isProduced) {
      Transfer transfer = transferOf(acquire.getRing(), acquire.getNumber());
      ptx::MbarrierWaitOp::create(b, transfer.empty, arith::XOrIOp::create(b, transfer.parity, i32(1)));
      int64_t bytes = 0;
      for (SmemType tile : acquire.getRing().getType().getTiles())
        bytes += tile.getShape()[0] * tile.getShape()[1] * tile.getElementBytes();
      NVVM::MBarrierArriveExpectTxOp::create(b, Type(), transfer.full, i32(bytes), NVVM::MemScopeKind::CTA,
                                             /*relaxed=*/false, /*predicate=*/Value());
      for (Value slot : acquire.getSlot())
        fullBarriers[slot] = transfer.full;
    } else if (acquire.getRing().getType().getDepth() == 1)
      barrier();
    for (auto [slot, address] : llvm::zip_equal(acquire.getSlot(), slotOf(acquire.getRing(), acquire.getNumber())))
      values[slot] = {address};
    return success();
  }
  if (auto early = dyn_cast<RingIsEarlyOp>(op)) {
    Value before = ringBases.lookup(early.getRing()), number = scalarOf(early.getNumber());
    Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, before, i32(0));
    Value fits =
        arith::CmpIOp::create(b, arith::CmpIPredicate::ult, number, index(early.getRing().getType().getDepth()));
    values[early.getEarly()] = {arith::AndIOp::create(b, isFirst, fits)};
    return success();
  }
  if (isa<RingCommitOp>(op)) {
    if (!isProduced)
      NVVM::CpAsyncCommitGroupOp::create(b);
    return success();
  }
  if (auto wait = dyn_cast<RingWaitOp>(op)) {
    if (isProduced) {
      Transfer transfer = transferOf(wait.getRing(), wait.getNumber());
      ptx::MbarrierWaitOp::create(b, transfer.full, transfer.parity);
    } else {
      NVVM::CpAsyncWaitGroupOp::create(b, uint32_t(wait.getAhead()));
      publish();
    }
    for (auto [slot, address] : llvm::zip_equal(wait.getSlot(), slotOf(wait.getRing(), wait.getNumber())))
      values[slot] = {address};
    return success();
  }
  if (auto release = dyn_cast<RingReleaseOp>(op)) {
    if (isProduced)
      arriveAtEmpty(transferOf(release.getRing(), release.getNumber()).empty);
    return success();
  }
  if (auto wait = dyn_cast<DotWaitOp>(op)) {
    emitDotWait(wait);
    return success();
  }
  if (auto copy = dyn_cast<CopyOp>(op)) {
    if (!isByProducer(copy))
      return emitCopy(copy);
    emitTma(copy);
    return success();
  }
  if (auto stage = dyn_cast<StageOp>(op)) {
    Value base = sharedAt(ofTeam(sharedPlan.offsets.at(op), stage.getTarget().getType().getBytes()));
    if (isRepeated(op))
      barrier();
    writeTile(base, stage.getTarget().getType(), stage.getTile());
    publish();
    values[stage.getTarget()] = {base};
    return success();
  }
  if (auto read = dyn_cast<ReadOp>(op)) {
    values[read.getTile()] = readTile(scalarOf(read.getSource()), read.getSource().getType(), read.getTile().getType());
    return success();
  }
  return op->emitOpError("has no form for one thread");
}
