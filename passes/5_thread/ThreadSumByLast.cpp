// A sum that the last of its programs adds up. Each stores what it has, in the order of its registers, where the same
// thread of another reads it; then one thread counts the program in. Whoever makes the count full reads what the others
// stored and goes on. The counter wraps to 0 by that, so that it is ready for the next launch.
#include "passes/5_thread/KernelCounters.h"
#include "passes/5_thread/ThreadEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

/// Words that a thread stores at once.
static constexpr int64_t storedWords = 4;

/// What the launch needs for it: counters, then each program's part.
void ThreadEmitter::setSumMemory(int64_t numDims) {
  auto sums = kernel.getGrid().getBody().getOps<tile::ReduceToLastOp>();
  if (sums.empty())
    return;
  tile::ReduceToLastOp sum = *sums.begin();
  int64_t bytes = counterBytes + sum.getTiles() * sum.getParts() * partBytes(sum);
  function->setAttr("tenon.counter_bytes", b.getI64IntegerAttr(counterBytes));
  function->setAttr("tenon.scratch_bytes",
                    AffineMapAttr::get(AffineMap::get(0, numDims, b.getAffineConstantExpr(bytes), b.getContext())));
}

int64_t ThreadEmitter::partBytes(tile::ReduceToLastOp op) {
  return layoutOf(op.getTile()).getNumRegisters() * 32 * schedule.getNumWarps() * 4;
}

LogicalResult ThreadEmitter::emitReduceToLast(tile::ReduceToLastOp op) {
  Type element = op.getType().getElementType(), word = b.getI32Type(), words = VectorType::get({storedWords}, word);
  SmallVector<Value> own = llvm::to_vector(valuesOf(op.getTile()));
  int64_t numParts = op.getParts(), numRegisters = own.size(), others = numParts - 1;
  if (element.getIntOrFloatBitWidth() != 32 || numRegisters % storedWords != 0)
    return op.emitOpError("is of ") << numRegisters << " registers of " << element << " a thread, expected groups of "
                                    << storedWords << " of 32 bits; choose a wider tile in `tenon.schedule`";
  auto numberAlong = [&](int64_t axis) -> Value {
    Value number = scalarOf(kernel.getGrid().getBody().getArgument(axis));
    return b.createOrFold<arith::IndexCastOp>(word, number);
  };
  Value rank = numberAlong(op.getAxis()), tile = i32(0);
  for (auto [axis, extent] : llvm::enumerate(kernel.getGrid().getExtents()))
    if (axis != op.getAxis())
      tile = add(mul(tile, *getConstantIntValue(extent)), numberAlong(axis));
  auto atByte = [&](Value byte) -> Value {
    return LLVM::GEPOp::create(b, workspace().getType(), b.getI8Type(), workspace(), byte);
  };
  int64_t numThreads = 32 * schedule.getNumWarps();
  Value ofThread = toI64(add(mul(thread, 4 * storedWords), i32(counterBytes)));
  auto partOf = [&](Value number) {
    Value part = toI64(add(mul(tile, numParts), number));
    return atByte(add(mul(part, partBytes(op)), ofThread));
  };
  auto placeIn = [&](Value part, int64_t first) -> Value {
    return LLVM::GEPOp::create(b, part.getType(), b.getI8Type(), part,
                               ArrayRef<LLVM::GEPArg>(int32_t(first * numThreads * 4)));
  };

  Value answer = sharedAt(i32(sharedPlan.last));
  Value ownPart = partOf(rank);
  for (int64_t first = 0; first < numRegisters; first += storedWords) {
    Value packed = LLVM::PoisonOp::create(b, words);
    for (int64_t number = 0; number < storedWords; ++number) {
      Value bits = b.createOrFold<arith::BitcastOp>(word, own[first + number]);
      packed = LLVM::InsertElementOp::create(b, packed, bits, i32(number));
    }
    LLVM::StoreOp::create(b, packed, placeIn(ownPart, first), /*alignment=*/4 * storedWords);
  }
  // What all threads stored is there before the count, what others stored is read after it.
  barrier();
  auto isFirst = scf::IfOp::create(b, arith::CmpIOp::create(b, arith::CmpIPredicate::eq, thread, i32(0)),
                                   /*withElseRegion=*/false);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(isFirst.thenYield());
    Value counter = atByte(toI64(mul(tile, counterStride)));
    LLVM::FenceOp::create(b, LLVM::AtomicOrdering::acq_rel, "device");
    Value before = LLVM::AtomicRMWOp::create(b, LLVM::AtomicBinOp::uinc_wrap, counter, i32(others),
                                             LLVM::AtomicOrdering::monotonic, "device");
    LLVM::FenceOp::create(b, LLVM::AtomicOrdering::acq_rel, "device");
    LLVM::StoreOp::create(b, before, answer, /*alignment=*/4);
  }
  barrier();
  Value counted = LLVM::LoadOp::create(b, word, answer, /*alignment=*/4);
  Value isLast = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, uniformOf(counted), i32(others));
  ofLast = scf::IfOp::create(b, isLast, /*withElseRegion=*/false);
  b.setInsertionPoint(ofLast.thenYield());

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
