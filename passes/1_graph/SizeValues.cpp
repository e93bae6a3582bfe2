#include "passes/1_graph/SizeValues.h"

#include "dialects/Tenon/ConstantValues.h"
#include "dialects/Tenon/Tenon.h"

using namespace mlir;

namespace tenon {

SizeValues::SizeValues(func::FuncOp function, SymbolicSizes &sizes)
    : function(function), sizes(sizes), builder(function.getContext()), sources(sizes.dims().names.size()) {
  builder.setInsertionPointToStart(&function.getBody().front());
  for (BlockArgument argument : llvm::reverse(function.getArguments())) // the first argument of a name wins
    if (auto dims = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), "tenon.dims"))
      for (auto [dimension, name] : llvm::enumerate(dims.getAsValueRange<StringAttr>()))
        if (cast<RankedTensorType>(argument.getType()).isDynamicDim(dimension))
          sources[*sizes.dims().indexOf(name)] = {argument, dimension};
}

Value SizeValues::get(AffineExpr size) {
  if (auto found = values.find(size); found != values.end())
    return found->second;
  Value value = make(size);
  if (value)
    (void)sizes.add(value.getDefiningOp());
  return values[size] = value;
}

Value SizeValues::make(AffineExpr size) {
  auto type = RankedTensorType::get({}, builder.getI64Type());
  Location location = function.getLoc();
  if (auto known = dyn_cast<AffineConstantExpr>(size))
    return ConstantOp::create(builder, location, type, DenseElementsAttr::get(type, known.getValue()));
  if (auto symbol = dyn_cast<AffineSymbolExpr>(size)) {
    auto [argument, dimension] = sources[symbol.getPosition()];
    return DimOp::create(builder, location, type, argument, dimension);
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(size);
  if (!binary)
    return {};
  Value a = get(binary.getLHS()), b = get(binary.getRHS());
  if (!a || !b)
    return {};
  switch (size.getKind()) {
  case AffineExprKind::Add:
    return AddOp::create(builder, location, type, a, b);
  case AffineExprKind::Mul:
    return MulOp::create(builder, location, type, a, b);
  case AffineExprKind::FloorDiv:
    return FloorDivOp::create(builder, location, type, a, b);
  default:
    return {};
  }
}

FailureOr<SmallVector<Value>> SizeValues::operandsFor(RankedTensorType type, ArrayRef<AffineExpr> sizes) {
  SmallVector<Value> operands;
  if (type.getNumDynamicDims() < 2)
    return operands; // a single unknown size is what the others leave
  for (auto [dimension, size] : llvm::enumerate(sizes)) {
    if (!type.isDynamicDim(dimension))
      continue;
    operands.push_back(get(size));
    if (!operands.back())
      return failure();
  }
  return operands;
}

} // namespace tenon
