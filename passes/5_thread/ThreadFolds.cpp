// Folds along a dimension: within a thread's registers, then over lanes by shuffles, then over warps by scratch memory.
// The order is fixed by the layout, so that repeated runs are equal bit by bit.
#include "passes/5_thread/ThreadEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

#include <map>

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

Value ThreadEmitter::fold(tile::Fold kind, Value a, Value other) {
  bool isFloat = isa<FloatType>(a.getType());
  switch (kind) {
  case tile::Fold::add:
    return isFloat ? arith::AddFOp::create(b, a, other).getResult() : arith::AddIOp::create(b, a, other).getResult();
  case tile::Fold::max:
    return isFloat ? arith::MaximumFOp::create(b, a, other).getResult()
                   : arith::MaxSIOp::create(b, a, other).getResult();
  case tile::Fold::min:
    return isFloat ? arith::MinimumFOp::create(b, a, other).getResult()
                   : arith::MinSIOp::create(b, a, other).getResult();
  }
  llvm_unreachable("a fold is one of three");
}

Value ThreadEmitter::identity(tile::Fold kind, Type element) {
  if (kind == tile::Fold::add)
    return arith::ConstantOp::create(b, b.getZeroAttr(element));
  if (auto type = dyn_cast<FloatType>(element))
    return arith::ConstantOp::create(
        b, b.getFloatAttr(type, APFloat::getInf(type.getFloatSemantics(), /*Negative=*/kind == tile::Fold::max)));
  unsigned width = element.getIntOrFloatBitWidth();
  return arith::ConstantOp::create(b, b.getIntegerAttr(element, kind == tile::Fold::max
                                                                    ? APInt::getSignedMinValue(width)
                                                                    : APInt::getSignedMaxValue(width)));
}

/// The value of the lane whose number differs in these bits. Shuffles move 32 bits.
Value ThreadEmitter::shuffle(Value value, int64_t laneMask) {
  Type type = value.getType();
  unsigned width = type.getIntOrFloatBitWidth();
  Value all = i32(-1), mask = i32(laneMask), clamp = i32(31);
  auto move = [&](Value word) -> Value {
    return NVVM::ShflOp::create(b, word.getType(), all, word, mask, clamp, NVVM::ShflKind::bfly, UnitAttr());
  };
  if (type.isF32() || type.isInteger(32))
    return move(value);
  if (width == 64) {
    auto pair = VectorType::get(2, b.getI32Type());
    Value words = LLVM::BitcastOp::create(b, pair, value);
    Value moved = LLVM::PoisonOp::create(b, pair);
    for (int64_t number : {0, 1})
      moved = LLVM::InsertElementOp::create(b, moved, move(LLVM::ExtractElementOp::create(b, words, i32(number))),
                                            i32(number));
    return LLVM::BitcastOp::create(b, type, moved);
  }
  Type bits = b.getIntegerType(width);
  Value word = type == bits ? value : arith::BitcastOp::create(b, bits, value).getResult();
  Value moved = arith::TruncIOp::create(b, bits, move(arith::ExtUIOp::create(b, b.getI32Type(), word)));
  return type == bits ? moved : arith::BitcastOp::create(b, type, moved).getResult();
}

LogicalResult ThreadEmitter::emitReduce(tile::ReduceOp op) {
  RankedTensorType type = op.getTile().getType();
  LayoutAttr layout = layoutOf(type), kept = layout.drop(op.getAxis());
  int64_t axis = op.getAxis(), size = type.getDimSize(axis);
  tile::Fold kind = op.getFold();
  ThreadPlace part = threadPlace(layout, axis);
  for (const Digit &digit : layout.getDim(axis))
    if (digit.kind != DigitKind::Register && !llvm::isPowerOf2_64(digit.size))
      return op.emitOpError("folds over ") << digit.size << " lanes or warps, expected a power of two";
  // Registers of one place of the other dimensions, in order; what lies past the end takes no part.
  std::map<SmallVector<int64_t>, Value> partial;
  for (auto [place, held] : llvm::zip_equal(layout.registerPlaces(), valuesOf(op.getTile()))) {
    Value value = held;
    SmallVector<int64_t> rest(place);
    rest.erase(rest.begin() + axis);
    if (part.bound + place[axis] > size) {
      Value inside = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, sum(part.thread, place[axis]), i32(size));
      value = arith::SelectOp::create(b, inside, value, identity(kind, value.getType()));
    }
    Value &folded = partial[rest];
    folded = folded ? fold(kind, folded, value) : value;
  }
  SmallVector<Value> results;
  for (const SmallVector<int64_t> &place : kept.registerPlaces())
    results.push_back(partial.at(place));
  SmallVector<Digit> digits = layout.getDim(axis);
  for (const Digit &digit : llvm::reverse(digits)) {
    if (digit.kind != DigitKind::Lane)
      continue;
    for (int64_t mask = digit.stride; mask < digit.stride * digit.size; mask *= 2)
      for (Value &value : results)
        value = fold(kind, value, shuffle(value, mask));
  }
  // Over warps: each writes what it has, then each folds all of them in the order of their places.
  int64_t warpMask = 0, numFolded = 1;
  for (const Digit &digit : layout.getDim(axis))
    if (digit.kind == DigitKind::Warp) {
      numFolded *= digit.size;
      warpMask |= (digit.size - 1) * digit.stride;
    }
  if (numFolded > 1) {
    Type element = results.front().getType(), memory = memoryType(element);
    int64_t bytes = std::max<int64_t>(1, memory.getIntOrFloatBitWidth() / 8), numWarps = schedule.getNumWarps();
    Value laneAt = mul(lane, bytes);
    auto at = [&](Value warpAt, int64_t knownWarp, int64_t number) {
      Value offset = add(laneAt, mul(warpAt, 32 * bytes));
      Value address = LLVM::GEPOp::create(b, sharedBase.getType(), b.getI8Type(), scratch(), ValueRange(offset));
      int64_t known = (number * numWarps + knownWarp) * 32 * bytes;
      return known == 0 ? address
                        : LLVM::GEPOp::create(b, sharedBase.getType(), b.getI8Type(), address,
                                              ArrayRef<LLVM::GEPArg>(int32_t(known)))
                              .getResult();
    };
    barrier();
    for (auto [number, value] : llvm::enumerate(results))
      LLVM::StoreOp::create(b, pack({value}, element), at(warpNumber, 0, number), /*alignment=*/bytes);
    barrier();
    Value others =
        warpMask + 1 == numWarps ? Value() : arith::AndIOp::create(b, warpNumber, i32(~warpMask)).getResult();
    for (auto [number, value] : llvm::enumerate(results)) {
      Value folded;
      for (int64_t warpAt = 0; warpAt < numWarps; ++warpAt) {
        if ((warpAt & ~warpMask) != 0)
          continue;
        Value loaded = LLVM::LoadOp::create(b, memory, at(others, warpAt, number), /*alignment=*/bytes);
        loaded = unpack(loaded, element, 1).front();
        folded = folded ? fold(kind, folded, loaded) : loaded;
      }
      value = folded;
    }
  }
  values[op.getResult()] = results;
  return success();
}

LogicalResult ThreadEmitter::emitIota(tile::IotaOp op) {
  RankedTensorType type = op.getType();
  LayoutAttr layout = layoutOf(type);
  int64_t axis = op.getAxis();
  ThreadPlace part = threadPlace(layout, axis);
  SmallVector<Value> results;
  for (ArrayRef<int64_t> place : layout.registerPlaces()) {
    Value value = sum(part.thread, place[axis]);
    if (type.getElementType().isInteger(64))
      value = arith::ExtUIOp::create(b, b.getI64Type(), value);
    results.push_back(value);
  }
  values[op.getResult()] = results;
  return success();
}
