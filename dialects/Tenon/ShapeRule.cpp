#include "dialects/Tenon/ShapeRule.h"

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
  return cast<RankedTensorType>(op->getResult(result).getType());
}

LogicalResult ShapeRule::result(ArrayRef<AffineExpr> shape, Type element) {
  SmallVector<int64_t> sizes;
  for (AffineExpr size : shape)
    sizes.push_back(constant(size).value_or(ShapedType::kDynamic));
  shapes.emplace_back(shape);
  results.push_back(RankedTensorType::get(sizes, element));
  return success();
}

void ShapeRule::reify(OpBuilder &builder, Location at, ReifiedRankedShapedTypeDims &sizes) {
  SmallVector<OpFoldResult> values;
  auto apply = [&](AffineExpr expr) {
    return affine::makeComposedFoldedAffineApply(builder, at, AffineMap::get(0, values.size(), expr), values);
  };
  // Only what a result size speaks about becomes IR.
  SmallVector<bool> used(symbols.size(), false);
  auto mark = [&](AffineExpr expr) {
    if (expr)
      expr.walk([&](AffineExpr part) {
        if (auto symbol = dyn_cast<AffineSymbolExpr>(part))
          used[symbol.getPosition()] = true;
      });
  };
  for (const Shape &shape : shapes)
    llvm::for_each(shape, mark);
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
  for (auto [shape, declaredResult] : llvm::zip_equal(shapes, op->getResults())) {
    auto type = cast<RankedTensorType>(declaredResult.getType());
    SmallVector<OpFoldResult> &row = sizes.emplace_back();
    for (auto [dimension, size] : llvm::enumerate(shape))
      row.push_back(type.isDynamicDim(dimension) ? apply(size)
                                                 : OpFoldResult(builder.getIndexAttr(type.getDimSize(dimension))));
  }
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
