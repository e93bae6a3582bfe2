#include "passes/5_thread/IndexEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace tenon;

template <typename OpT>
static const void *identityOf() {
  return TypeID::get<OpT>().getAsOpaquePointer();
}

Value IndexEmitter::constant(int64_t value) {
  Value &known = constants[value];
  if (!known) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(entry);
    known = arith::ConstantOp::create(b, b.getIntegerAttr(type(), value));
  }
  return known;
}

/// To the outermost block in which all operands can be seen.
void IndexEmitter::moveOut(ValueRange operands) {
  while (b.getInsertionBlock() != entry) {
    Operation *parent = b.getInsertionBlock()->getParentOp();
    if (llvm::any_of(operands, [&](Value value) { return parent->isAncestor(value.getParentBlock()->getParentOp()); }))
      return;
    b.setInsertionPoint(parent);
  }
}

bool IndexEmitter::isVisible(Value value) {
  for (Block *block = b.getInsertionBlock(); block; block = block->getParentOp()->getBlock()) {
    if (block == value.getParentBlock())
      return true;
    if (block == entry)
      return false;
  }
  return false;
}

template <typename OpT>
Value IndexEmitter::emit(Value x, Value y) {
  Key key(identityOf<OpT>(), x, y);
  if (Value value = known.lookup(key); value && isVisible(value))
    return value;
  OpBuilder::InsertionGuard guard(b);
  moveOut({x, y});
  return known[key] = OpT::create(b, x, y);
}

void IndexEmitter::forget(Operation *op) {
  for (auto &[key, value] : known)
    if (value && op->isAncestor(value.getParentBlock()->getParentOp()))
      value = {};
  llvm::erase_if(splits, [&](Split &split) { return op->isAncestor(split.number.getParentBlock()->getParentOp()); });
}

Value IndexEmitter::add(Value x, Value y) {
  std::optional<int64_t> a = getConstantIntValue(x), c = getConstantIntValue(y);
  if (a && c)
    return constant(*a + *c);
  if (a == 0 || c == 0)
    return a == 0 ? y : x;
  return emit<arith::AddIOp>(x, y);
}

Value IndexEmitter::sub(Value x, Value y) {
  std::optional<int64_t> a = getConstantIntValue(x), c = getConstantIntValue(y);
  if (a && c)
    return constant(*a - *c);
  if (c == 0)
    return x;
  return x == y ? constant(0) : emit<arith::SubIOp>(x, y);
}

Value IndexEmitter::mul(Value x, Value y) {
  std::optional<int64_t> a = getConstantIntValue(x), c = getConstantIntValue(y);
  if (a && c)
    return constant(*a * *c);
  if (a == 0 || c == 0)
    return constant(0);
  if (a == 1 || c == 1)
    return a == 1 ? y : x;
  return emit<arith::MulIOp>(x, y);
}

Value IndexEmitter::div(Value x, Value y) {
  std::optional<int64_t> a = getConstantIntValue(x), c = getConstantIntValue(y);
  if (a == 0 || c == 0 || c == 1)
    return x;
  if (a && c)
    return constant(*a / *c);
  return emit<arith::DivUIOp>(x, c ? y : emit<arith::MaxUIOp>(y, constant(1)));
}

Value IndexEmitter::rem(Value x, Value y) {
  std::optional<int64_t> a = getConstantIntValue(x), c = getConstantIntValue(y);
  if (a == 0 || c == 0 || c == 1)
    return constant(0);
  if (a && c)
    return constant(*a % *c);
  return emit<arith::RemUIOp>(x, c ? y : emit<arith::MaxUIOp>(y, constant(1)));
}

Value IndexEmitter::min(Value x, Value y) {
  std::optional<int64_t> a = getConstantIntValue(x), c = getConstantIntValue(y);
  if (a && c)
    return constant(std::min(*a, *c));
  return emit<arith::MinUIOp>(x, y);
}

Value IndexEmitter::isBelow(Value x, Value y) { return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, x, y); }

Value IndexEmitter::fromIndex(Value index) {
  if (std::optional<int64_t> number = getConstantIntValue(index))
    return constant(*number);
  if (auto cast = index.getDefiningOp<arith::IndexCastOp>(); cast && cast.getIn().getType() == type())
    return cast.getIn();
  return arith::IndexCastOp::create(b, type(), index);
}

Value IndexEmitter::toIndex(Value value) {
  if (std::optional<int64_t> number = getConstantIntValue(value))
    return arith::ConstantIndexOp::create(b, *number);
  return arith::IndexCastOp::create(b, b.getIndexType(), value);
}

Value IndexEmitter::fromDim(Value dim) {
  return width == 64 ? dim : arith::TruncIOp::create(b, type(), dim).getResult();
}

Value IndexEmitter::fromMixed(OpFoldResult size, llvm::function_ref<Value(Value)> scalar) {
  if (std::optional<int64_t> number = getConstantIntValue(size))
    return constant(*number);
  Value value = scalar(cast<Value>(size));
  return value ? fromIndex(value) : Value();
}

Value IndexEmitter::linearise(ArrayRef<Value> place, ArrayRef<Value> sizes) {
  for (Split &split : splits)
    if (place == ArrayRef(split.place) && sizes == ArrayRef(split.sizes) && isVisible(split.number))
      return split.number;
  Value number = constant(0);
  for (auto [at, size] : llvm::zip_equal(place, sizes))
    number = add(mul(number, size), at);
  return number;
}

SmallVector<Value> IndexEmitter::delinearise(Value number, ArrayRef<Value> sizes) {
  SmallVector<Value> place(sizes.size());
  Value rest = number;
  for (size_t dimension = sizes.size(); dimension-- > 0;) {
    place[dimension] = dimension == 0 ? rest : rem(rest, sizes[dimension]);
    if (dimension > 0)
      rest = div(rest, sizes[dimension]);
  }
  if (!place.empty())
    splits.push_back({place, SmallVector<Value>(sizes), number});
  return place;
}
