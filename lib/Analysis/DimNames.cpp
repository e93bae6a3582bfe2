#include "lib/Analysis/DimNames.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/CheckedArithmetic.h"

#include <limits>
#include <set>

using namespace mlir;

namespace tenon {

static constexpr int64_t unbounded = std::numeric_limits<int32_t>::max();

FailureOr<func::FuncOp> findMain(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal())
    return module.emitError("no function @main with a body; the entry of a model is `func.func @main`");
  if (!llvm::hasSingleElement(main.getBody()))
    return main.emitError("@main has ") << main.getBody().getBlocks().size() << " blocks, expected one";
  return main;
}

std::optional<unsigned> DimNames::indexOf(StringRef name) const {
  auto found = llvm::lower_bound(names, name);
  if (found == names.end() || *found != name)
    return std::nullopt;
  return found - names.begin();
}

FailureOr<DimNames> DimNames::of(func::FuncOp main) {
  std::set<StringRef> found;
  for (BlockArgument argument : main.getArguments()) {
    unsigned index = argument.getArgNumber();
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type)
      return main.emitError("argument ") << index << " of @main is " << argument.getType() << ", expected a tensor";
    auto dims = main.getArgAttrOfType<ArrayAttr>(index, "tenon.dims");
    if (!dims && type.hasStaticShape())
      continue;
    if (!dims || int64_t(dims.size()) != type.getRank() ||
        !llvm::all_of(dims, [](Attribute dim) { return isa<StringAttr>(dim); }))
      return main.emitError("argument ") << index << " of @main is " << type
                                         << ", its attribute `tenon.dims` must be an array of " << type.getRank()
                                         << " strings, one a dimension";
    for (auto [dimension, dim] : llvm::enumerate(dims.getAsValueRange<StringAttr>())) {
      if (type.isDynamicDim(dimension) && dim.empty())
        return main.emitError("argument ")
               << index << " of @main has a dynamic dimension " << dimension << " without a name in `tenon.dims`";
      if (type.isDynamicDim(dimension))
        found.insert(dim);
    }
  }
  DimNames result;
  auto bounds = main->getParentOfType<ModuleOp>()->getAttrOfType<DictionaryAttr>("tenon.dim_bounds");
  for (StringRef name : found) {
    int64_t lo = 0, hi = unbounded;
    if (Attribute given = bounds ? bounds.get(name) : Attribute()) {
      auto range = dyn_cast<DenseI64ArrayAttr>(given);
      if (!range || range.size() != 2 || range[0] < 0 || range[0] > range[1])
        return main.emitError("`tenon.dim_bounds` of ")
               << name << " is " << given << ", expected array<i64: least, greatest> with 0 <= least <= greatest";
      lo = range[0];
      hi = range[1];
    }
    result.names.push_back(name);
    result.lo.push_back(lo);
    result.hi.push_back(hi);
  }
  return result;
}

std::pair<int64_t, int64_t> DimNames::range(AffineExpr size) const {
  constexpr int64_t least = std::numeric_limits<int64_t>::min() / 4, greatest = std::numeric_limits<int64_t>::max() / 4;
  if (auto known = dyn_cast<AffineConstantExpr>(size))
    return {known.getValue(), known.getValue()};
  if (auto symbol = dyn_cast<AffineSymbolExpr>(size))
    return {lo[symbol.getPosition()], hi[symbol.getPosition()]};
  auto binary = dyn_cast<AffineBinaryOpExpr>(size);
  if (!binary)
    return {least, greatest};
  auto [a, b] = range(binary.getLHS());
  auto [c, d] = range(binary.getRHS());
  auto clamp = [&](std::optional<int64_t> value, bool negative) {
    return std::min(std::max(value.value_or(negative ? least : greatest), least), greatest);
  };
  auto product = [&](int64_t x, int64_t y) { return clamp(llvm::checkedMul(x, y), (x < 0) != (y < 0)); };
  switch (size.getKind()) {
  case AffineExprKind::Add:
    return {clamp(a + c, true), clamp(b + d, false)};
  case AffineExprKind::Mul: {
    auto corners = {product(a, c), product(a, d), product(b, c), product(b, d)};
    return {std::min(corners), std::max(corners)};
  }
  case AffineExprKind::FloorDiv:
  case AffineExprKind::CeilDiv:
    if (c != d || c <= 0)
      return {least, greatest};
    if (size.getKind() == AffineExprKind::FloorDiv)
      return {llvm::divideFloorSigned(a, c), llvm::divideFloorSigned(b, c)};
    return {llvm::divideCeilSigned(a, c), llvm::divideCeilSigned(b, c)};
  case AffineExprKind::Mod:
    if (c != d || c <= 0)
      return {least, greatest};
    return {0, c - 1};
  default:
    return {least, greatest};
  }
}

} // namespace tenon
