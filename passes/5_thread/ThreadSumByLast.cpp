// A sum, or what else several programs have, that the last of them goes on with. Each stores what it has; then one
// thread counts the program in. Whoever makes the count full reads what the others stored and goes on. The counter
// wraps to 0 by that, so that it is ready for the next launch. Parts of a sum lie in the order of registers, where the
// same thread of another program reads them; what is gathered lies dense, the programs' elements side by side.
#include "passes/5_thread/KernelCounters.h"
#include "passes/5_thread/ThreadEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

/// Words that a thread stores at once.
static constexpr int64_t storedWords = 4;

static int64_t bytesOf(Type element) { return std::max<int64_t>(1, element.getIntOrFloatBitWidth() / 8); }

/// Of a tile of all groups, in memory.
static int64_t gatheredBytes(tile::GatherToLastOp op, Value tile) {
  auto type = cast<RankedTensorType>(tile.getType());
  return llvm::alignTo(op.getGroups() * op.getParts() * type.getNumElements() * bytesOf(type.getElementType()), 16);
}

/// What the launch needs for it: counters, then each program's part.
void ThreadEmitter::setSumMemory(int64_t numDims) {
  int64_t bytes = 0;
  for (Operation &op : kernel.getGrid().getBody().front()) {
    if (auto sum = dyn_cast<tile::ReduceToLastOp>(op))
      bytes = counterBytes + sum.getTiles() * sum.getParts() * partBytes(sum);
    if (auto gather = dyn_cast<tile::GatherToLastOp>(op)) {
      bytes = counterBytes;
      for (Value tile : gather.getTiles())
        bytes += gatheredBytes(gather, tile);
    }
  }
  if (bytes == 0)
    return;
  function->setAttr("tenon.counter_bytes", b.getI64IntegerAttr(counterBytes));
  function->setAttr("tenon.scratch_bytes",
                    AffineMapAttr::get(AffineMap::get(0, numDims, b.getAffineConstantExpr(bytes), b.getContext())));
}

int64_t ThreadEmitter::partBytes(tile::ReduceToLastOp op) {
  return layoutOf(op.getTile()).getNumRegisters() * 32 * schedule.getNumWarps() * 4;
}

Value ThreadEmitter::atByteOfWorkspace(Value byte) {
  return LLVM::GEPOp::create(b, workspace().getType(), b.getI8Type(), workspace(), byte);
}

Value ThreadEmitter::numberAlong(int64_t axis) {
  Value number = scalarOf(kernel.getGrid().getBody().getArgument(axis));
  return b.createOrFold<arith::IndexCastOp>(b.getI32Type(), number);
}

Value ThreadEmitter::numberBeside(int64_t axis) {
  Value group = i32(0);
  for (auto [other, extent] : llvm::enumerate(kernel.getGrid().getExtents()))
    if (int64_t(other) != axis)
      group = add(mul(group, *getConstantIntValue(extent)), numberAlong(other));
  return group;
}

void ThreadEmitter::countIn(Value group, int64_t programs) {
  Type word = b.getI32Type();
  Value answer = sharedAt(i32(sharedPlan.last));
  // What all threads stored is there before the count, what others stored is read after it.
  barrier();
  auto isFirst = scf::IfOp::create(b, arith::CmpIOp::create(b, arith::CmpIPredicate::eq, thread, i32(0)),
                                   /*withElseRegion=*/false);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(isFirst.thenYield());
    Value counter = atByteOfWorkspace(toI64(mul(group, counterStride)));
    LLVM::FenceOp::create(b, LLVM::AtomicOrdering::acq_rel, "device");
    Value before = LLVM::AtomicRMWOp::create(b, LLVM::AtomicBinOp::uinc_wrap, counter, i32(programs - 1),
                                             LLVM::AtomicOrdering::monotonic, "device");
    LLVM::FenceOp::create(b, LLVM::AtomicOrdering::acq_rel, "device");
    LLVM::StoreOp::create(b, before, answer, /*alignment=*/4);
  }
  barrier();
  Value counted = LLVM::LoadOp::create(b, word, answer, /*alignment=*/4);
  Value isLast = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, uniformOf(counted), i32(programs - 1));
  ofLast = scf::IfOp::create(b, isLast, /*withElseRegion=*/false);
  b.setInsertionPoint(ofLast.thenYield());
}

LogicalResult ThreadEmitter::emitReduceToLast(tile::ReduceToLastOp op) {
  Type element = op.getType().getElementType(), word = b.getI32Type(), words = VectorType::get({storedWords}, word);
  SmallVector<Value> own = llvm::to_vector(valuesOf(op.getTile()));
  int64_t numParts = op.getParts(), numRegisters = own.size();
  if (element.getIntOrFloatBitWidth() != 32 || numRegisters % storedWords != 0)
    return op.emitOpError("is of ") << numRegisters << " registers of " << element << " a thread, expected groups of "
                                    << storedWords << " of 32 bits; choose a wider tile in `tenon.schedule`";
  Value rank = numberAlong(op.getAxis()), tile = numberBeside(op.getAxis());
  int64_t numThreads = 32 * schedule.getNumWarps();
  Value ofThread = toI64(add(mul(thread, 4 * storedWords), i32(counterBytes)));
  auto partOf = [&](Value number) {
    Value part = toI64(add(mul(tile, numParts), number));
    return atByteOfWorkspace(add(mul(part, partBytes(op)), ofThread));
  };
  auto placeIn = [&](Value part, int64_t first) -> Value {
    return LLVM::GEPOp::create(b, part.getType(), b.getI8Type(), part,
                               ArrayRef<LLVM::GEPArg>(int32_t(first * numThreads * 4)));
  };

  Value ownPart = partOf(rank);
  for (int64_t first = 0; first < numRegisters; first += storedWords) {
    Value packed = LLVM::PoisonOp::create(b, words);
    for (int64_t number = 0; number < storedWords; ++number) {
      Value bits = b.createOrFold<arith::BitcastOp>(word, own[first + number]);
      packed = LLVM::InsertElementOp::create(b, packed, bits, i32(number));
    }
    LLVM::StoreOp::create(b, packed, placeIn(ownPart, first), /*alignment=*/4 * storedWords);
  }
  countIn(tile, numParts);

  // Of two parts one's own need not be read: which is first does not matter. Loads stay in their order, so that no more
  // of them are on their way than a thread has registers for.
  SmallVector<Value> sums(own), numbers{arith::XOrIOp::create(b, rank, i32(1))};
  if (numParts > 2) {
    sums.assign(numRegisters, Value());
    numbers = llvm::map_to_vector(llvm::seq<int64_t>(numParts), [&](int64_t number) { return i32(number); });
  }
  SmallVector<Value> parts = llvm::map_to_vector(numbers, partOf);
  for (int64_t first = 0; first < numRegisters; first += storedWords)
    for (Value part : parts) {
      Value packed = LLVM::LoadOp::create(b, words, placeIn(part, first), /*alignment=*/4 * storedWords,
                                          /*isVolatile=*/numRegisters > 64);
      for (int64_t number = 0; number < storedWords; ++number) {
        Value bits = LLVM::ExtractElementOp::create(b, packed, i32(number)), &sum = sums[first + number];
        Value value = b.createOrFold<arith::BitcastOp>(element, bits);
        sum = sum ? fold(tile::Fold::add, sum, value) : value;
      }
    }
  values[op.getResult()] = sums;
  return success();
}

SmallVector<ThreadEmitter::DenseAccess> ThreadEmitter::denseAccesses(RankedTensorType tile, Value base, int64_t step,
                                                                     int64_t width) {
  LayoutAttr layout = layoutOf(tile);
  Type memory = memoryType(tile.getElementType());
  SmallVector<int64_t> strides(tile.getRank());
  SmallVector<ThreadPlace> threads;
  Value offset;
  for (int64_t d = tile.getRank() - 1, stride = step; d >= 0; stride *= tile.getDimSize(d--))
    strides[d] = stride;
  for (int64_t d = 0; d < tile.getRank(); ++d) {
    threads.push_back(threadPlace(layout, d));
    offset = add(offset, mul(threads.back().thread, strides[d]));
  }
  if (offset)
    base = LLVM::GEPOp::create(b, base.getType(), memory, base, ValueRange(toI64(offset)));
  SmallVector<DenseAccess> made;
  for (const Access &access : accessesOf(layout, tile.getRank() - 1, width)) {
    Value predicate;
    int64_t known = 0;
    for (int64_t d = 0; d < tile.getRank(); ++d) {
      known += access.place[d] * strides[d];
      if (threads[d].bound + access.place[d] <= tile.getDimSize(d))
        continue;
      Value isInside = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, sum(threads[d].thread, access.place[d]),
                                             i32(tile.getDimSize(d)));
      predicate = predicate ? arith::AndIOp::create(b, predicate, isInside).getResult() : isInside;
    }
    Value address =
        known == 0
            ? base
            : LLVM::GEPOp::create(b, base.getType(), memory, base, ArrayRef<LLVM::GEPArg>(int32_t(known))).getResult();
    made.push_back({address, predicate, SmallVector<unsigned>(access.registers.begin(), access.registers.end())});
  }
  return made;
}

LogicalResult ThreadEmitter::emitGatherToLast(tile::GatherToLastOp op) {
  int64_t parts = op.getParts(), first = counterBytes;
  Value rank = numberAlong(op.getAxis()), group = numberBeside(op.getAxis());
  SmallVector<Value> memory; // of the group, for each tile
  for (Value tile : op.getTiles()) {
    auto type = cast<RankedTensorType>(tile.getType());
    if (type.getElementType().isIndex())
      return op.emitOpError("gathers positions, which have no size in memory; expected integers or floats");
    int64_t bytes = bytesOf(type.getElementType());
    Value byte = add(mul(group, parts * type.getNumElements() * bytes), i32(first));
    memory.push_back(atByteOfWorkspace(toI64(byte)));
    first += gatheredBytes(op, tile);
    Value own = LLVM::GEPOp::create(b, memory.back().getType(), memoryType(type.getElementType()), memory.back(),
                                    ValueRange(toI64(rank)));
    ArrayRef<Value> held = valuesOf(tile);
    Value isFirst = isFirstOf(layoutOf(tile));
    for (const DenseAccess &access : denseAccesses(type, own, /*step=*/parts, /*width=*/1)) {
      Value predicate = access.predicate && isFirst ? arith::AndIOp::create(b, access.predicate, isFirst).getResult()
                        : access.predicate          ? access.predicate
                                                    : isFirst;
      storeWords(held[access.registers.front()], access.address, predicate, type.getElementType());
    }
  }
  countIn(group, parts);
  for (auto [result, base] : llvm::zip_equal(op.getResults(), memory)) {
    auto type = cast<RankedTensorType>(result.getType());
    Type element = type.getElementType();
    int64_t run = layoutOf(type).getRun(type.getRank() - 1), width = std::min(16 / bytesOf(element), parts);
    while (run % width != 0)
      width /= 2;
    SmallVector<Value> loaded(layoutOf(type).getNumRegisters());
    for (const DenseAccess &access : denseAccesses(type, base, /*step=*/1, width)) {
      Value words = loadWords(access.address, access.predicate, element, width, /*isReadOnly=*/false);
      for (auto [number, value] : llvm::zip_equal(access.registers, unpack(words, element, width)))
        loaded[number] = value;
    }
    values[result] = loaded;
  }
  return success();
}
