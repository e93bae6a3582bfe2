// Which elements a thread has, and where views lie in memory.
#include "passes/5_thread/ThreadEmitter.h"

#include "lib/Analysis/TileBounds.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

Value ThreadEmitter::i32(int64_t value) { return arith::ConstantOp::create(b, b.getI32IntegerAttr(value)); }
Value ThreadEmitter::index(int64_t value) { return arith::ConstantIndexOp::create(b, value); }

Value ThreadEmitter::add(Value a, Value other) {
  if (!a || !other)
    return a ? a : other;
  return b.createOrFold<arith::AddIOp>(a, other);
}

Value ThreadEmitter::mul(Value a, int64_t by) {
  if (!a || by == 1)
    return a;
  TypedAttr factor = b.getIntegerAttr(a.getType(), by);
  return b.createOrFold<arith::MulIOp>(a, arith::ConstantOp::create(b, factor).getResult());
}

Value ThreadEmitter::toIndex(Value value) {
  if (value.getType().isIndex())
    return value;
  return arith::IndexCastOp::create(b, b.getIndexType(), value);
}

Value ThreadEmitter::toI64(Value value) {
  if (value.getType().isInteger(64))
    return value;
  return arith::IndexCastOp::create(b, b.getI64Type(), toIndex(value));
}

Value ThreadEmitter::sum(Value threadPart, int64_t known) {
  if (!threadPart)
    return i32(known);
  return known == 0 ? threadPart : add(threadPart, i32(known));
}

Value ThreadEmitter::uniformOf(Value value) {
  return NVVM::ShflOp::create(b, b.getI32Type(), i32(-1), value, i32(0), i32(31), NVVM::ShflKind::idx, UnitAttr());
}

Value ThreadEmitter::digitValue(const Digit &digit) {
  auto key = std::pair(int64_t(digit.kind), std::pair(digit.size, digit.stride));
  Value &known = digitValues[key];
  if (known)
    return known;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(entryEnd->getBlock(), std::next(warpNumber.getDefiningOp()->getIterator()));
  int64_t most = digit.kind == DigitKind::Lane ? 32 : schedule.getNumWarps();
  Value value = digit.kind == DigitKind::Lane ? lane : warpNumber;
  if (digit.stride != 1)
    value = arith::DivUIOp::create(b, value, i32(digit.stride));
  if (digit.stride * digit.size < most)
    value = arith::RemUIOp::create(b, value, i32(digit.size));
  return known = value;
}

Value ThreadEmitter::isFirstOf(LayoutAttr layout) {
  Value isFirst;
  for (DigitKind kind : {DigitKind::Lane, DigitKind::Warp}) {
    // What of the lane's or warp's number is in no digit has to be 0.
    SmallVector<Digit> digits;
    for (const Digit &digit : layout.getDigits())
      if (digit.kind == kind)
        digits.push_back(digit);
    llvm::sort(digits, [](const Digit &a, const Digit &b) { return a.stride < b.stride; });
    int64_t counted = 1, all = kind == DigitKind::Lane ? 32 : schedule.getNumWarps();
    digits.push_back({kind, 1, all});
    for (const Digit &digit : digits) {
      if (digit.stride > counted) {
        Value unused = digitValue({kind, digit.stride / counted, counted});
        Value isZero = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, unused, i32(0));
        isFirst = isFirst ? arith::AndIOp::create(b, isFirst, isZero).getResult() : isZero;
      }
      counted = digit.stride * digit.size;
    }
  }
  return isFirst;
}

ThreadPlace ThreadEmitter::threadPlace(LayoutAttr layout, int64_t dimension) {
  ThreadPlace place;
  int64_t weight = 1, most = 0;
  SmallVector<Digit> digits = layout.getDim(dimension);
  for (const Digit &digit : llvm::reverse(digits)) {
    if (digit.kind != DigitKind::Register) {
      place.thread = add(place.thread, mul(digitValue(digit), weight));
      most += (digit.size - 1) * weight;
    }
    weight *= digit.size;
  }
  place.bound = most + 1;
  return place;
}

ThreadView ThreadEmitter::viewOf(Value view) {
  auto [found, isNew] = views.try_emplace(view);
  if (!isNew)
    return found->second;
  ThreadView made;
  auto type = cast<tile::ViewType>(view.getType());
  if (auto argument = dyn_cast<BlockArgument>(view)) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(entryEnd->getBlock(), std::next(warpNumber.getDefiningOp()->getIterator()));
    made.base = function.getArgument(argument.getArgNumber());
    unsigned number = 0;
    for (Type earlier : ArrayRef(kernel.getArgumentTypes()).take_front(argument.getArgNumber()))
      for (int64_t d = 0; d < cast<tile::ViewType>(earlier).getRank(); ++d)
        number += cast<tile::ViewType>(earlier).isDynamicDim(d);
    for (int64_t d = 0; d < type.getRank(); ++d)
      made.sizes.push_back(type.isDynamicDim(d) ? OpFoldResult(toIndex(dims[number++]))
                                                : OpFoldResult(b.getIndexAttr(type.getShape()[d])));
    OpFoldResult stride = b.getIndexAttr(1);
    made.strides.assign(type.getRank(), stride);
    auto value = [&](OpFoldResult mixed) {
      std::optional<int64_t> known = getConstantIntValue(mixed);
      return known ? index(*known) : cast<Value>(mixed);
    };
    for (int64_t d = type.getRank() - 1; d > 0; --d) {
      std::optional<int64_t> size = getConstantIntValue(made.sizes[d]), so = getConstantIntValue(made.strides[d]);
      made.strides[d - 1] =
          size && so ? OpFoldResult(b.getIndexAttr(*size * *so))
                     : OpFoldResult(b.createOrFold<arith::MulIOp>(value(made.strides[d]), value(made.sizes[d])));
    }
    made.isReadOnly = !written.contains(view);
  } else {
    auto strided = view.getDefiningOp<tile::StridedOp>();
    ThreadView base = viewOf(strided.getBase());
    auto mixed = [&](Value value) {
      std::optional<int64_t> known = getConstantIntValue(value);
      return known ? OpFoldResult(b.getIndexAttr(*known)) : OpFoldResult(scalarOf(value));
    };
    made.base = LLVM::GEPOp::create(b, base.base.getType(), memoryType(type.getElementType()), base.base,
                                    ValueRange(toI64(scalarOf(strided.getOffset()))));
    made.sizes = llvm::map_to_vector(strided.getSizes(), mixed);
    made.strides = llvm::map_to_vector(strided.getStrides(), mixed);
    made.offsetDivisor = std::gcd(base.offsetDivisor, divisorOf(strided.getOffset()));
    made.isReadOnly = base.isReadOnly;
  }
  return views[view] = made;
}
