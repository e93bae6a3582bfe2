// Folds along a dimension: within a thread's registers, then over lanes by shuffles, then over warps by scratch memory.
// The order is fixed by the layout, so that repeated runs are equal bit by bit.
#include "passes/5_thread/ThreadEmitter.h"

#include "dialects/Ptx/Ptx.h"

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

/// Shuffles move 32 bits: longer values go in parts, shorter ones in a word.
Value ThreadEmitter::shuffle(Value value, NVVM::ShflKind kind, Value offset) {
  Type type = value.getType();
  unsigned width = type.getIntOrFloatBitWidth();
  Value all = i32(-1), clamp = i32(kind == NVVM::ShflKind::up ? 0 : 31);
  auto move = [&](Value word) -> Value {
    return NVVM::ShflOp::create(b, word.getType(), all, word, offset, clamp, kind, UnitAttr());
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

/// For each of a thread's values those of the warps whose numbers differ in these bits, in ascending order of the bits.
SmallVector<SmallVector<Value>> ThreadEmitter::exchangeOverWarps(ArrayRef<Value> list, int64_t warpMask) {
  Type element = list.front().getType(), memory = memoryType(element);
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
  for (auto [number, value] : llvm::enumerate(list))
    LLVM::StoreOp::create(b, pack({value}, element), at(warpNumber, 0, number), /*alignment=*/bytes);
  barrier();
  Value others = warpMask + 1 == numWarps ? Value() : arith::AndIOp::create(b, warpNumber, i32(~warpMask)).getResult();
  SmallVector<SmallVector<Value>> all(list.size());
  for (size_t number = 0; number < list.size(); ++number)
    for (int64_t warpAt = 0; warpAt < numWarps; ++warpAt) {
      if ((warpAt & ~warpMask) != 0)
        continue;
      Value loaded = LLVM::LoadOp::create(b, memory, at(others, warpAt, number), /*alignment=*/bytes);
      all[number].push_back(unpack(loaded, element, 1).front());
    }
  return all;
}

/// A thread's registers of one place of the other dimensions, folded: sums in order, beside what computes their terms;
/// maxima, of which the order makes no difference, as a tree, whose steps do not wait for each other. What lies past
/// the end takes no part.
SmallVector<Value> ThreadEmitter::foldRegisters(Value tile, int64_t axis, tile::Fold kind) {
  auto type = cast<RankedTensorType>(tile.getType());
  LayoutAttr layout = layoutOf(type);
  ThreadPlace part = threadPlace(layout, axis);
  std::map<SmallVector<int64_t>, SmallVector<Value>> terms;
  for (auto [place, held] : llvm::zip_equal(layout.registerPlaces(), valuesOf(tile))) {
    Value value = held;
    SmallVector<int64_t> rest(place);
    rest.erase(rest.begin() + axis);
    if (part.bound + place[axis] > type.getDimSize(axis)) {
      Value size = i32(type.getDimSize(axis));
      Value inside = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, sum(part.thread, place[axis]), size);
      value = arith::SelectOp::create(b, inside, value, identity(kind, value.getType()));
    }
    terms[rest].push_back(value);
  }
  SmallVector<Value> results;
  for (const SmallVector<int64_t> &place : layout.drop(axis).registerPlaces()) {
    SmallVector<Value> open = terms.at(place);
    while (open.size() > 1) {
      if (kind == tile::Fold::add) {
        open[1] = fold(kind, open[0], open[1]);
        open.erase(open.begin());
        continue;
      }
      for (size_t at = 0; at + 1 < open.size(); ++at) {
        open[at] = fold(kind, open[at], open[at + 1]);
        open.erase(open.begin() + at + 1);
      }
    }
    results.push_back(open.front());
  }
  return results;
}

LogicalResult ThreadEmitter::emitReduce(tile::ReduceOp op) {
  LayoutAttr layout = layoutOf(op.getTile());
  int64_t axis = op.getAxis();
  tile::Fold kind = op.getFold();
  SmallVector<Digit> digits = layout.getDim(axis);
  for (const Digit &digit : digits)
    if (digit.kind != DigitKind::Register && !llvm::isPowerOf2_64(digit.size))
      return op.emitOpError("folds over ") << digit.size << " lanes or warps, expected a power of two";
  SmallVector<Value> results = foldRegisters(op.getTile(), axis, kind);
  for (const Digit &digit : llvm::reverse(digits)) {
    if (digit.kind != DigitKind::Lane)
      continue;
    for (int64_t mask = digit.stride; mask < digit.stride * digit.size; mask *= 2)
      for (Value &value : results)
        value = fold(kind, value, shuffle(value, NVVM::ShflKind::bfly, i32(mask)));
  }
  // Over warps: each writes what it has, then each folds all of them in the order of their places.
  int64_t warpMask = 0, numFolded = 1;
  for (const Digit &digit : digits)
    if (digit.kind == DigitKind::Warp) {
      numFolded *= digit.size;
      warpMask |= (digit.size - 1) * digit.stride;
    }
  if (numFolded > 1) {
    SmallVector<SmallVector<Value>> all = exchangeOverWarps(results, warpMask);
    for (auto [value, parts] : llvm::zip_equal(results, all)) {
      value = parts.front();
      for (Value part : ArrayRef(parts).drop_front())
        value = fold(kind, value, part);
    }
  }
  values[op.getResult()] = results;
  return success();
}

/// Whether one of the thread's own elements holds.
Value ThreadEmitter::anyOfRegisters(Value tile) {
  auto type = cast<RankedTensorType>(tile.getType());
  LayoutAttr layout = layoutOf(type);
  Value holds;
  for (auto [place, value] : llvm::zip_equal(layout.registerPlaces(), valuesOf(tile))) {
    Value term = value;
    for (int64_t d = 0; d < type.getRank(); ++d)
      if (ThreadPlace part = threadPlace(layout, d); part.bound + place[d] > type.getDimSize(d)) {
        Value inside =
            arith::CmpIOp::create(b, arith::CmpIPredicate::ult, sum(part.thread, place[d]), i32(type.getDimSize(d)));
        term = arith::AndIOp::create(b, term, inside);
      }
    holds = holds ? arith::OrIOp::create(b, holds, term).getResult() : term;
  }
  return holds;
}

Value ThreadEmitter::anyOfWarp(Value holds) {
  return NVVM::VoteSyncOp::create(b, b.getI1Type(), i32(-1), holds, NVVM::VoteSyncKind::any);
}

/// A thread's registers, then all threads by one barrier that folds; a warp by itself votes.
Value ThreadEmitter::anyOf(Value tile) {
  Value holds = anyOfRegisters(tile);
  if (schedule.getNumWarps() == 1)
    return anyOfWarp(holds);
  return ptx::BarrierOrOp::create(b, b.getI1Type(), holds, hasProducer ? 1 : 0, 32 * schedule.getNumWarps());
}

/// Digit by digit, the fastest first: within the places that the digits so far count through, each register has its
/// running fold, and `totals` have the whole; the next digit adds what stands before.
LogicalResult ThreadEmitter::emitScan(tile::ScanOp op) {
  RankedTensorType type = op.getTile().getType();
  LayoutAttr layout = layoutOf(type);
  int64_t axis = op.getAxis();
  tile::Fold kind = op.getFold();
  SmallVector<Value> running(valuesOf(op.getTile()));
  // A register's group: its place, of the axis only what slower registers say.
  SmallVector<SmallVector<int64_t>> group = layout.registerPlaces();
  std::map<SmallVector<int64_t>, Value> totals;
  for (auto [place, value] : llvm::zip_equal(group, running))
    totals[place] = value;
  auto addBefore = [&](ArrayRef<int64_t> place, Value before, Value isAny) {
    for (auto [of, value] : llvm::zip_equal(group, running))
      if (ArrayRef(of) == place) {
        Value with = fold(kind, before, value);
        value = isAny ? arith::SelectOp::create(b, isAny, with, value).getResult() : with;
      }
  };
  SmallVector<Digit> digits = layout.getDim(axis);
  int64_t weight = 1;
  for (const Digit &digit : llvm::reverse(digits)) {
    if (digit.kind != DigitKind::Register && !llvm::isPowerOf2_64(digit.size))
      return op.emitOpError("folds over ") << digit.size << " lanes or warps, expected a power of two";
    if (digit.kind == DigitKind::Register) {
      std::map<SmallVector<int64_t>, Value> joined;
      for (auto &[place, total] : totals) { // in ascending order of the digit
        SmallVector<int64_t> rest(place);
        rest[axis] -= place[axis] / weight % digit.size * weight;
        Value &sum = joined[rest];
        if (sum)
          addBefore(place, sum, {});
        sum = sum ? fold(kind, sum, total) : total;
      }
      for (SmallVector<int64_t> &place : group)
        place[axis] -= place[axis] / weight % digit.size * weight;
      totals = std::move(joined);
    } else if (digit.kind == DigitKind::Lane) {
      Value number = digitValue(digit);
      auto isFrom = [&](int64_t least) -> Value {
        return arith::CmpIOp::create(b, arith::CmpIPredicate::uge, number, i32(least));
      };
      for (auto &[place, total] : totals) {
        Value sum = total;
        for (int64_t step = 1; step < digit.size; step *= 2) {
          Value before = shuffle(sum, NVVM::ShflKind::up, i32(step * digit.stride));
          sum = arith::SelectOp::create(b, isFrom(step), fold(kind, before, sum), sum);
        }
        addBefore(place, shuffle(sum, NVVM::ShflKind::up, i32(digit.stride)), isFrom(1));
        // Everybody has what the last lane has.
        Value last = add(lane, mul(arith::SubIOp::create(b, i32(digit.size - 1), number), digit.stride));
        total = shuffle(sum, NVVM::ShflKind::idx, last);
      }
    } else {
      SmallVector<Value> list;
      for (auto &[place, total] : totals)
        list.push_back(total);
      SmallVector<SmallVector<Value>> all = exchangeOverWarps(list, (digit.size - 1) * digit.stride);
      Value number = digitValue(digit);
      for (auto [entry, parts] : llvm::zip_equal(totals, all)) {
        // The sum before each warp's place: chosen among the running sums.
        Value sum = parts.front(), before = parts.front();
        for (int64_t at = 1; at < digit.size; ++at) {
          Value isHere = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, number, i32(at));
          before = arith::SelectOp::create(b, isHere, sum, before);
          sum = fold(kind, sum, parts[at]);
        }
        addBefore(entry.first, before, arith::CmpIOp::create(b, arith::CmpIPredicate::uge, number, i32(1)));
        entry.second = sum;
      }
    }
    weight *= digit.size;
  }
  values[op.getResult()] = running;
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
