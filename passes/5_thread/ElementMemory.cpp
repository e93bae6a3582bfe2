#include "passes/5_thread/ElementMemory.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace tenon;

/// What a register holds after a load.
static Type storedType(Type element) {
  if (element.getIntOrFloatBitWidth() < 8 || (isa<FloatType>(element) && element.getIntOrFloatBitWidth() == 8))
    return IntegerType::get(element.getContext(), 8);
  return element;
}

static Value addressOf(ImplicitLocOpBuilder &b, Value address, Type stored, Value number) {
  return LLVM::GEPOp::create(b, address.getType(), stored, address, LLVM::GEPArg(number));
}

static Value byteConstant(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantOp::create(b, b.getI8IntegerAttr(value));
}

Value tenon::loadElement(ImplicitLocOpBuilder &b, IndexEmitter &index, Value address, Type element, Value number) {
  Type stored = storedType(element);
  bool isNibble = element.isInteger(4);
  Value place = isNibble ? index.div(number, index.constant(2)) : number;
  Value value = LLVM::LoadOp::create(b, stored, addressOf(b, address, stored, place));
  if (isNibble) {
    Value isHigh = arith::TruncIOp::create(b, b.getI8Type(), index.rem(number, index.constant(2)));
    Value shift = arith::MulIOp::create(b, isHigh, byteConstant(b, 4));
    return arith::TruncIOp::create(b, element, arith::ShRUIOp::create(b, value, shift));
  }
  if (element.isInteger(1))
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, value, byteConstant(b, 0));
  return stored == element ? value : arith::BitcastOp::create(b, element, value).getResult();
}

int64_t tenon::elementsPerStore(Type element) { return element.isInteger(4) ? 2 : 1; }

void tenon::storeElements(ImplicitLocOpBuilder &b, ValueRange elements, Value address, Value number) {
  Value value = elements.front();
  Type element = value.getType(), stored = storedType(element);
  if (element.isInteger(4)) {
    Value low = arith::ExtUIOp::create(b, stored, value), high = arith::ExtUIOp::create(b, stored, elements[1]);
    value = arith::OrIOp::create(b, low, arith::ShLIOp::create(b, high, byteConstant(b, 4)));
  } else if (element.isInteger(1)) {
    value = arith::ExtUIOp::create(b, stored, value);
  } else if (stored != element) {
    value = arith::BitcastOp::create(b, stored, value);
  }
  LLVM::StoreOp::create(b, value, addressOf(b, address, stored, number));
}
