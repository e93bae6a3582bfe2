#include "dialects/Tenon/ShapeRule.h"

#include "dialects/Tenon/Tenon.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AffineMap.h"

using namespace mlir;

namespace tenon {

std::optional<int64_t> constant(AffineExpr size) {
  if (auto known = dyn_cast<AffineConstantExpr>(size))
    return known.getValue();
  return std::nullopt;
}

std::string describe(AffineExpr size) {
  std::optional<int64_t> known = constant(size);
  return known ? std::to_string(*known) : "?";
}

std::string describe(ArrayRef<AffineExpr> shape) {
  std::string text = "[";
  for (auto [index, size] : llvm::enumerate(shape))
    text += (index ? ", " : "") + describe(size);
  return text + "]";
}

AffineExpr ShapeRule::symbol(Symbol symbol) {
  symbols.push_back(symbol);
  return getAffineSymbolExpr(symbols.size() - 1, context);
}

AffineExpr ShapeRule::dim(Value tensor, int64_t dimension) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(dimension))
    return size(type.getDimSize(dimension));
  return symbol({Kind::Dim, tensor, dimension, {}, {}});
}

Shape ShapeRule::shape(Value tensor) {
  Shape sizes;
  for (int64_t dimension : llvm::seq<int64_t>(cast<RankedTensorType>(tensor.getType()).getRank()))
    sizes.push_back(dim(tensor, dimension));
  return sizes;
}

AffineExpr ShapeRule::max(AffineExpr a, AffineExpr b) {
  if (auto x = constant(a), y = constant(b); x && y)
    return size(std::max(*x, *y));
  return symbol({Kind::Max, {}, 0, a, b});
}

AffineExpr ShapeRule::min(AffineExpr a, AffineExpr b) {
  if (auto x = constant(a), y = constant(b); x && y)
    return size(std::min(*x, *y));
  return symbol({Kind::Min, {}, 0, a, b});
}

RankedTensorType ShapeRule::declared(unsigned result) const {
  return op ? cast<RankedTensorType>(op->getResult(result).getType()) : declaredTypes[result];
}

LogicalResult ShapeRule::result(ArrayRef<AffineExpr> shape, Type element) {
  SmallVector<int64_t> sizes;
  for (AffineExpr size : shape)
    sizes.push_back(constant(size).value_or(ShapedType::kDynamic));
  shapes.emplace_back(shape);
  results.push_back(RankedTensorType::get(sizes, element));
  return success();
}

SmallVector<OpFoldResult> ShapeRule::reify(OpBuilder &builder, Location at, ArrayRef<AffineExpr> sizes) const {
  SmallVector<OpFoldResult> values;
  // Only what a size speaks about becomes IR.
  SmallVector<bool> used(symbols.size(), false);
  auto mark = [&](AffineExpr expr) {
    if (expr)
      expr.walk([&](AffineExpr part) {
        if (auto symbol = dyn_cast<AffineSymbolExpr>(part))
          used[symbol.getPosition()] = true;
      });
  };
  llvm::for_each(sizes, mark);
  for (unsigned index = symbols.size(); index-- > 0;)
    if (used[index]) {
      mark(symbols[index].a);
      mark(symbols[index].b);
    }
  for (auto [index, symbol] : llvm::enumerate(symbols)) {
    if (!used[index]) {
      values.push_back(builder.getIndexAttr(0));
      continue;
    }
    switch (symbol.kind) {
    case Kind::Dim:
      values.push_back(tensor::DimOp::create(builder, at, symbol.value, symbol.dimension).getResult());
      break;
    case Kind::Held: {
      Value held = tensor::ExtractOp::create(builder, at, symbol.value, ValueRange());
      values.push_back(arith::IndexCastOp::create(builder, at, builder.getIndexType(), held).getResult());
      break;
    }
    case Kind::Max:
    case Kind::Min: {
      auto map = AffineMap::get(0, values.size(), {symbol.a, symbol.b}, context);
      values.push_back(symbol.kind == Kind::Max ? affine::makeComposedFoldedAffineMax(builder, at, map, values)
                                                : affine::makeComposedFoldedAffineMin(builder, at, map, values));
      break;
    }
    }
  }
  return llvm::map_to_vector(sizes, [&](AffineExpr size) {
    return affine::makeComposedFoldedAffineApply(builder, at, AffineMap::get(0, values.size(), size), values);
  });
}

void ShapeRule::reify(OpBuilder &builder, Location at, ReifiedRankedShapedTypeDims &sizes) const {
  SmallVector<AffineExpr> dynamic;
  for (auto [shape, result] : llvm::zip_equal(shapes, op->getResults()))
    for (auto [dimension, size] : llvm::enumerate(shape))
      dynamic.push_back(cast<RankedTensorType>(result.getType()).isDynamicDim(dimension) ? size : this->size(0));
  SmallVector<OpFoldResult> values = reify(builder, at, dynamic);
  auto next = values.begin();
  for (Value result : op->getResults()) {
    SmallVector<OpFoldResult> &row = sizes.emplace_back();
    for (int64_t size : cast<RankedTensorType>(result.getType()).getShape()) {
      OpFoldResult value = *next++;
      row.push_back(ShapedType::isDynamic(size) ? value : OpFoldResult(builder.getIndexAttr(size)));
    }
  }
}

bool ShapeRule::mayEqual(AffineExpr a, AffineExpr b) {
  if (auto x = constant(a), y = constant(b); x && y)
    return *x == *y;
  ask(SizeRelation::Equal, a, b);
  return true;
}

bool ShapeRule::mayEqual(ArrayRef<AffineExpr> a, ArrayRef<AffineExpr> b) {
  return a.size() == b.size() &&
         llvm::all_of(llvm::zip_equal(a, b), [&](auto pair) { return mayEqual(std::get<0>(pair), std::get<1>(pair)); });
}

bool ShapeRule::mayBeAtMost(AffineExpr a, AffineExpr b) {
  if (auto x = constant(a), y = constant(b); x && y)
    return *x <= *y;
  ask(SizeRelation::AtMost, a, b);
  return true;
}

bool ShapeRule::mayNeed(AffineExpr a, AffineExpr b) {
  if (auto x = constant(a), y = constant(b); x && y)
    return *x == 0 || *y != 0;
  ask(SizeRelation::Needs, a, b);
  return true;
}

SmallVector<SizeCondition> ShapeRule::conditions() const {
  SmallVector<SizeCondition> all = asked;
  for (auto [shape, result] : llvm::zip_equal(shapes, op->getResults()))
    for (auto [size, declared] : llvm::zip_equal(shape, cast<RankedTensorType>(result.getType()).getShape()))
      if (!constant(size) && !ShapedType::isDynamic(declared))
        all.push_back({SizeRelation::Equal, size, this->size(declared)});
  return all;
}

bool areCompatible(TypeRange inferred, TypeRange declared) {
  if (inferred.size() != declared.size())
    return false;
  return llvm::all_of(llvm::zip_equal(inferred, declared), [](auto pair) {
    auto [a, b] = pair;
    return getElementTypeOrSelf(a) == getElementTypeOrSelf(b) && succeeded(verifyCompatibleShape(a, b));
  });
}

LogicalResult checkResults(Operation *op, const ShapeRule &rule) {
  if (rule.types().size() != op->getNumResults())
    return rule.fail("(C1) has ", op->getNumResults(), " results, expected ", rule.types().size());
  for (auto [index, expected] : llvm::enumerate(rule.types()))
    if (Type got = op->getResult(index).getType(); !areCompatible(TypeRange(Type(expected)), TypeRange(got)))
      return rule.fail("(C1) result ", index, " is ", got, ", expected ", expected);
  return success();
}

} // namespace tenon
