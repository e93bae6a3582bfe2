#include "passes/cpu/LoopAnalysis.h"

using namespace mlir;
using namespace tenon;

bool LoopAnalysis::isRowOnly(AffineExpr expr) const {
  for (unsigned d = 0; d < rank; ++d)
    if (expr.isFunctionOfDim(d) && !isRow[d])
      return false;
  return !dependsOnReduced(expr);
}

bool LoopAnalysis::isRowOnly(const Place &place) const {
  return place.varies.none() && llvm::all_of(place.point, [&](AffineExpr expr) { return isRowOnly(expr); });
}

bool LoopAnalysis::dependsOnReduced(AffineExpr expr) const {
  bool found = false;
  expr.walk([&](AffineExpr e) {
    if (auto dim = dyn_cast<AffineDimExpr>(e))
      found |= dim.getPosition() >= rank;
  });
  return found;
}

bool LoopAnalysis::traceGeneric(linalg::GenericOp op, unsigned result, const Point &point) {
  Point loops = points.loopsAt(op, result, point);
  if (loops.empty() && op.getNumLoops() != 0)
    return points.fail("a generic writes through a map that is no permutation"), false;
  for (AffineExpr &loop : loops)
    if (!loop)
      loop = getAffineDimExpr(rank + nextReduced++, shape.getContext());
  if (op.getNumReductionLoops() != 0)
    statistics.insert(op);
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<RankedTensorType>(operand.get().getType()) ||
        (op.isDpsInit(&operand) && !op.payloadUsesValueFromOperand(&operand)))
      continue;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (!trace(operand.get(),
               llvm::map_to_vector(map.getResults(), [&](AffineExpr expr) { return expr.replaceDims(loops); })))
      return false;
  }
  bool extractsComputed = false;
  op.getBody()->walk([&](tensor::ExtractOp extract) { extractsComputed |= !points.viewOf(extract.getTensor()); });
  if (extractsComputed)
    return points.fail("a computed tensor is read at indices that are data"), false;
  return true;
}

/// Walks from a result to what it is made of, noting at which point each tensor is read.
bool LoopAnalysis::trace(Value tensor, const Point &point) {
  auto [found, isNew] = places.insert({tensor, Place{point, llvm::SmallBitVector(point.size())}});
  if (!isNew) {
    for (auto [dimension, expr] : llvm::enumerate(point))
      if (expr != found->second.point[dimension])
        found->second.varies.set(dimension);
    return true;
  }
  Operation *op = tensor.getDefiningOp();
  if (points.viewOf(tensor))
    return true;
  if (auto generic = dyn_cast_or_null<linalg::GenericOp>(op))
    return traceGeneric(generic, cast<OpResult>(tensor).getResultNumber(), point);
  if (isa_and_nonnull<linalg::FillOp, arith::ConstantOp, tensor::FromElementsOp, tensor::EmptyOp>(op))
    return true;
  if (isa_and_nonnull<tensor::InsertSliceOp>(op)) // its parts are computed where they are needed
    return true;
  if (isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::ExtractSliceOp, linalg::TransposeOp,
                      tensor::CastOp>(op)) {
    Point source = points.sourcePoint(tensor, point);
    return points.error().empty() && trace(op->getOperand(0), source);
  }
  return points.fail(op ? op->getName().getStringRef() + " has no loops of its own" : Twine("a region's argument")),
         false;
}

/// The innermost dimension in memory is reduced: a row's elements are consecutive. A window's are not: its input is
/// read at `p * stride + w`.
bool tenon::reducesInnermost(linalg::GenericOp op) {
  for (OpOperand *input : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(input);
    if (map.getNumResults() == 0)
      continue;
    auto dim = dyn_cast<AffineDimExpr>(map.getResults().back());
    return dim && op.getIteratorTypesArray()[dim.getPosition()] == utils::IteratorType::reduction;
  }
  return false;
}

bool LoopAnalysis::chooseLoops() {
  isRow.assign(rank, statistics.empty());
  for (Operation *op : statistics)
    for (Value result : op->getResults()) {
      auto place = places.find(result);
      if (place == places.end())
        continue;
      if (place->second.varies.any())
        return points.fail("a statistic is read at several places"), false;
      for (AffineExpr expr : place->second.point) {
        if (dependsOnReduced(expr))
          return points.fail("a statistic is reduced again"), false;
        for (unsigned d = 0; d < rank; ++d)
          if (expr.isFunctionOfDim(d))
            isRow[d] = true;
      }
    }
  if (statistics.empty())
    lanesAreRows = rank > 0;
  else
    lanesAreRows = rank > 0 && isRow[rank - 1] && !reducesInnermost(cast<linalg::GenericOp>(statistics.front()));
  return true;
}

std::optional<unsigned> LoopAnalysis::turnedDimension() const {
  if (!statistics.empty() || rank < 2)
    return std::nullopt;
  MLIRContext *context = shape.getContext();
  AffineExpr lane = getAffineDimExpr(rank - 1, context);
  auto type = cast<RankedTensorType>(shape.getType());
  for (unsigned d = 0; d + 1 < rank; ++d)
    if (type.isDynamicDim(d) || type.getDimSize(d) >= points.getLanes())
      for (auto &[tensor, place] : places)
        if (place.varies.none() && points.isTurned(tensor, place.point, getAffineDimExpr(d, context), lane))
          return d;
  return std::nullopt;
}

bool LoopAnalysis::run(ArrayRef<KernelFunction::Result> results) {
  if (results.empty())
    return points.fail("it has no result"), false;
  shape = results.front().tensor;
  auto type = cast<RankedTensorType>(shape.getType());
  rank = type.getRank();
  Point root;
  for (unsigned d = 0; d < rank; ++d)
    root.push_back(getAffineDimExpr(d, shape.getContext()));
  for (const KernelFunction::Result &result : results) {
    if (cast<RankedTensorType>(result.tensor.getType()).getShape() != type.getShape())
      return points.fail("its results have different shapes"), false;
    if (!trace(result.tensor, root))
      return false;
  }
  return chooseLoops();
}
