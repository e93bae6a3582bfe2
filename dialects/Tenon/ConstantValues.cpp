#include "dialects/Tenon/ConstantValues.h"

#include "dialects/Tenon/Tenon.h"

#include <cmath>

using namespace mlir;

namespace tenon {

static SplatElementsAttr splatOf(Value value) {
  Operation *op = value.getDefiningOp();
  while (isa_and_nonnull<ExpandOp, ReshapeOp, TransposeOp>(op))
    op = op->getOperand(0).getDefiningOp();
  auto constant = dyn_cast_or_null<ConstantOp>(op);
  return constant ? dyn_cast<SplatElementsAttr>(constant.getValue()) : SplatElementsAttr();
}

std::optional<double> floatSplat(Value value) {
  SplatElementsAttr splat = splatOf(value);
  if (!splat || !isa<FloatType>(splat.getElementType()))
    return std::nullopt;
  return splat.getSplatValue<APFloat>().convertToDouble();
}

std::optional<int64_t> integerSplat(Value value) {
  SplatElementsAttr splat = splatOf(value);
  if (!splat || !isa<IntegerType>(splat.getElementType()))
    return std::nullopt;
  APInt number = splat.getSplatValue<APInt>();
  return number.getBitWidth() == 1 ? int64_t(number.getZExtValue()) : number.getSExtValue();
}

bool isSplat(Value value, double number) {
  if (std::optional<double> known = floatSplat(value))
    return *known == number && std::signbit(*known) == std::signbit(number);
  std::optional<int64_t> known = integerSplat(value);
  return known && double(*known) == number;
}

DenseElementsAttr splatAttr(RankedTensorType type, double number) {
  Type element = type.getElementType();
  if (auto integer = dyn_cast<IntegerType>(element))
    return DenseElementsAttr::get(
        type, APInt(integer.getWidth(), uint64_t(int64_t(number)), /*isSigned=*/false, /*implicitTrunc=*/true));
  APFloat value(number);
  bool losesInfo;
  value.convert(cast<FloatType>(element).getFloatSemantics(), APFloat::rmNearestTiesToEven, &losesInfo);
  return DenseElementsAttr::get(type, value);
}

Value createSplat(OpBuilder &builder, Location location, RankedTensorType type, double number) {
  return ConstantOp::create(builder, location, type, splatAttr(type, number));
}

} // namespace tenon
