// Kernels without contraction or attention: pointwise work, copies, reductions, norms, softmax.
// Results are written by loops over their dimensions, the innermost by lanes. Statistics are computed once a row, where
// a row is one choice of the dimensions they keep: along the lanes where the reduced dimension lies innermost in
// memory, else many rows at a time, one a lane. What two of a row's loops need and is costly (the powers of softmax) is
// kept in scratch memory.
#include "passes/cpu/Emitters.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon;

static constexpr int64_t elementsPerTask = 16384; // some 5 us of simple work

namespace {
/// Where a tensor is read, over the results' dims and, past them, the reduced ones.
struct Place {
  Point point;
  llvm::SmallBitVector varies; // dimensions read at several dims
};

class LoopEmitter {
public:
  explicit LoopEmitter(KernelFunction &kernel) : kernel(kernel), b(kernel.b), points(kernel.points) {}
  bool run();

private:
  bool trace(Value tensor, const Point &point);
  bool traceGeneric(linalg::GenericOp op, unsigned result, const Point &point);
  bool chooseLoops();
  bool emitRows();
  bool emitStatistics();
  bool emitInner();
  Value reduceAlongLanes(linalg::GenericOp op, const Point &point);
  bool keepRow(linalg::GenericOp op);
  Point atRoot(const Point &traced) const {
    return llvm::map_to_vector(traced, [&](AffineExpr expr) { return expr ? expr.replaceDims(root) : expr; });
  }
  bool good() const { return points.error().empty(); }
  /// Whether it is the same along a row.
  bool isRowOnly(AffineExpr expr) const {
    for (unsigned d = 0; d < rank; ++d)
      if (expr.isFunctionOfDim(d) && !isRow[d])
        return false;
    return !dependsOnReduced(expr);
  }
  bool isRowOnly(const Place &place) const {
    return place.varies.none() && llvm::all_of(place.point, [&](AffineExpr expr) { return isRowOnly(expr); });
  }
  bool dependsOnReduced(AffineExpr expr) const {
    bool found = false;
    expr.walk([&](AffineExpr e) {
      if (auto dim = dyn_cast<AffineDimExpr>(e))
        found |= dim.getPosition() >= rank;
    });
    return found;
  }

  KernelFunction &kernel;
  ImplicitLocOpBuilder &b;
  PointEmitter &points;
  Value shape; // a tensor of the loops' sizes
  unsigned rank = 0;
  unsigned nextReduced = 0;
  llvm::MapVector<Value, Place> places;
  llvm::SetVector<Operation *> statistics;
  SmallVector<bool> isRow;
  bool lanesAreRows = true;
  Point root;
};
} // namespace

//===--- what is computed ----------------------------------------------------------------------------------------===//

bool LoopEmitter::traceGeneric(linalg::GenericOp op, unsigned result, const Point &point) {
  Point loops = points.loopsAt(op, result, point);
  if (loops.empty() && op.getNumLoops() != 0)
    return points.fail("a generic writes through a map that is no permutation"), false;
  for (AffineExpr &loop : loops)
    if (!loop)
      loop = getAffineDimExpr(rank + nextReduced++, b.getContext());
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
bool LoopEmitter::trace(Value tensor, const Point &point) {
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
    return good() && trace(op->getOperand(0), source);
  }
  return points.fail(op ? op->getName().getStringRef() + " has no loops of its own" : Twine("a region's argument")),
         false;
}

//===--- which loops ---------------------------------------------------------------------------------------------===//

/// The innermost dimension in memory is reduced: a row's elements are consecutive. A window's are not: its input is
/// read at `p * stride + w`.
static bool reducesInnermost(linalg::GenericOp op) {
  for (OpOperand *input : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(input);
    if (map.getNumResults() == 0)
      continue;
    auto dim = dyn_cast<AffineDimExpr>(map.getResults().back());
    return dim && op.getIteratorTypesArray()[dim.getPosition()] == utils::IteratorType::reduction;
  }
  return false;
}

bool LoopEmitter::chooseLoops() {
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

//===--- code ----------------------------------------------------------------------------------------------------===//

/// The op that folds an element into the accumulator at the end of the body, if the accumulator goes nowhere else.
static Operation *combinerOf(linalg::GenericOp op) {
  if (op->getNumResults() != 1)
    return nullptr;
  Operation *combiner = op.getBody()->getTerminator()->getOperand(0).getDefiningOp();
  Value accumulator = op.getRegionOutputArgs().front();
  if (!combiner || !accumulator.hasOneUse() || *accumulator.getUsers().begin() != combiner ||
      combiner->getNumOperands() != 2)
    return nullptr;
  return combiner;
}

static std::optional<vector::CombiningKind> kindOf(Operation *combiner) {
  using Kind = vector::CombiningKind;
  return llvm::TypeSwitch<Operation *, std::optional<Kind>>(combiner)
      .Case<arith::AddFOp, arith::AddIOp>([](auto) { return Kind::ADD; })
      .Case<arith::MaximumFOp>([](auto) { return Kind::MAXIMUMF; })
      .Case<arith::MinimumFOp>([](auto) { return Kind::MINIMUMF; })
      .Case<arith::MaxSIOp>([](auto) { return Kind::MAXSI; })
      .Case<arith::MinSIOp>([](auto) { return Kind::MINSI; })
      .Default([](Operation *) { return std::nullopt; });
}

/// One statistic of one row, by a vector of partial ones; null (without error) where it has no such form.
Value LoopEmitter::reduceAlongLanes(linalg::GenericOp op, const Point &point) {
  Operation *combiner = combinerOf(op);
  std::optional<vector::CombiningKind> kind = combiner ? kindOf(combiner) : std::nullopt;
  if (!kind || !reducesInnermost(op))
    return {};
  SmallVector<unsigned> reduced;
  op.getReductionDims(reduced);
  Point loops = points.loopsAt(op, 0, point);
  auto sizeOf = [&](unsigned loop) -> OpFoldResult {
    for (OpOperand *input : op.getDpsInputOperands())
      for (auto [dimension, expr] : llvm::enumerate(op.getMatchingIndexingMap(input).getResults()))
        if (expr == getAffineDimExpr(loop, b.getContext()))
          return points.size(input->get(), dimension);
    return {};
  };
  // The loop that is innermost in memory goes last.
  for (OpOperand *input : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(input);
    auto innermost = dyn_cast_or_null<AffineDimExpr>(map.getNumResults() ? map.getResults().back() : AffineExpr());
    if (!innermost) // a window's input is read at a sum of loops
      continue;
    llvm::erase(reduced, innermost.getPosition());
    reduced.push_back(innermost.getPosition());
    break;
  }
  Point initPlace = llvm::map_to_vector(op.getMatchingIndexingMap(op.getDpsInitOperand(0)).getResults(),
                                        [&](AffineExpr expr) { return expr.replaceDims(loops); });
  Value init = points.at(op.getDpsInits().front(), initPlace);
  if (!init)
    return {};
  TypedAttr neutral = arith::getIdentityValueAttr(
      *arith::symbolizeAtomicRMWKind(*kind == vector::CombiningKind::ADD
                                         ? (isa<FloatType>(init.getType()) ? "addf" : "addi")
                                     : *kind == vector::CombiningKind::MAXIMUMF ? "maximumf"
                                     : *kind == vector::CombiningKind::MINIMUMF ? "minimumf"
                                     : *kind == vector::CombiningKind::MAXSI    ? "maxs"
                                                                                : "mins"),
      init.getType(), b, b.getLoc());
  Value start = points.widen(arith::ConstantOp::create(b, neutral));
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Value> carried = {start};
  SmallVector<scf::ForOp> nest;
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  for (unsigned loop : ArrayRef(reduced).drop_back()) {
    Value extent = getValueOrCreateConstantIndexOp(b, b.getLoc(), sizeOf(loop));
    auto next = scf::ForOp::create(b, zero, extent, one, carried);
    loops[loop] = points.dim(next.getInductionVar());
    carried = {next.getRegionIterArg(0)};
    b.setInsertionPointToStart(next.getBody());
    nest.push_back(next);
  }
  SmallVector<Value> partial =
      kernel.overLanes(sizeOf(reduced.back()), carried, [&](AffineExpr place, ValueRange state) -> SmallVector<Value> {
        loops[reduced.back()] = place;
        SmallVector<Value> elements;
        for (OpOperand *input : op.getDpsInputOperands()) {
          if (!isa<RankedTensorType>(input->get().getType())) {
            elements.push_back(points.uniform(input->get()));
            continue;
          }
          elements.push_back(
              points.at(input->get(), llvm::map_to_vector(op.getMatchingIndexingMap(input).getResults(),
                                                          [&](AffineExpr expr) { return expr.replaceDims(loops); })));
          if (!elements.back())
            return SmallVector<Value>(state);
        }
        elements.push_back(state.front());
        SmallVector<Value> folded = points.body(op, loops, elements);
        if (folded.empty())
          return SmallVector<Value>(state);
        Value next = points.widen(folded.front());
        if (points.getMask())
          next = arith::SelectOp::create(b, points.getMask(), next, state.front());
        return {next};
      });
  for (scf::ForOp loop : llvm::reverse(nest)) {
    b.setInsertionPointToEnd(loop.getBody());
    scf::YieldOp::create(b, partial);
    partial = {loop.getResult(0)};
    b.setInsertionPointAfter(loop);
  }
  if (!nest.empty())
    b.setInsertionPointAfter(nest.front());
  auto fast = arith::FastMathFlags::reassoc;
  return vector::ReductionOp::create(b, *kind, partial.front(), init,
                                     isa<FloatType>(init.getType()) ? fast : arith::FastMathFlags::none);
}

/// Whether one of a row's loops computes `op` for another: it is costly and a statistic reads it.
static bool isWorthKeeping(linalg::GenericOp op, const llvm::SetVector<Operation *> &statistics) {
  bool isCostly = false;
  op.getBody()->walk([&](Operation *inner) { isCostly |= isa<math::MathDialect>(inner->getDialect()); });
  unsigned readers = 0;
  bool isReduced = false;
  for (Operation *user : op->getUsers()) {
    ++readers;
    isReduced |= statistics.contains(user);
  }
  return isCostly && readers > 1 && isReduced;
}

/// Computes a row of `op` into scratch memory. Its row dims must be single dims of the loops.
bool LoopEmitter::keepRow(linalg::GenericOp op) {
  const Place &place = places.find(op->getResult(0))->second;
  SmallVector<OpFoldResult> extents;
  Point fixed(place.point.size()), inner = atRoot(place.point);
  SmallVector<unsigned> free;
  for (auto [dimension, expr] : llvm::enumerate(place.point)) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (dim && (dim.getPosition() >= rank || !isRow[dim.getPosition()])) {
      free.push_back(dimension);
      extents.push_back(points.size(op->getResult(0), dimension));
      continue;
    }
    if (!isRowOnly(expr) || place.varies.test(dimension))
      return true; // computed at each place
    fixed[dimension] = inner[dimension];
  }
  if (free.empty() || free.back() + 1 != place.point.size())
    return true;
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  Value buffer = kernel.scratch(extents, type.getElementType());
  if (!buffer)
    return false;
  {
    OpBuilder::InsertionGuard guard(b);
    Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
    Point at;
    for (auto [dimension, extent] : llvm::zip(ArrayRef(free).drop_back(), extents)) {
      auto loop = scf::ForOp::create(b, zero, getValueOrCreateConstantIndexOp(b, b.getLoc(), extent), one);
      inner[dimension] = points.dim(loop.getInductionVar());
      at.push_back(inner[dimension]);
      b.setInsertionPointToStart(loop.getBody());
    }
    at.push_back({});
    kernel.overLanes(extents.back(), {}, [&](AffineExpr lanePlace, ValueRange) -> SmallVector<Value> {
      inner[free.back()] = at.back() = lanePlace;
      if (Value value = points.at(op->getResult(0), inner))
        points.store(value, buffer, at);
      return {};
    });
  }
  points.giveBuffer(op->getResult(0), fixed, buffer);
  return good();
}

/// All that is the same along a row, in program order.
bool LoopEmitter::emitStatistics() {
  SmallVector<Operation *> order;
  for (auto &[tensor, place] : places)
    if (auto generic = tensor.getDefiningOp<linalg::GenericOp>(); generic && !llvm::is_contained(order, generic))
      order.push_back(generic);
  llvm::sort(order, [](Operation *l, Operation *r) { return l->isBeforeInBlock(r); });
  for (Operation *op : order) {
    auto generic = cast<linalg::GenericOp>(op);
    if (statistics.contains(op)) {
      for (OpResult result : op->getResults()) {
        auto place = places.find(result);
        if (place == places.end())
          continue;
        Point at = atRoot(place->second.point);
        Value value = !lanesAreRows ? reduceAlongLanes(generic, at) : Value();
        if (good() && !value)
          value = points.at(result, at);
        if (!value)
          return false;
        points.give(result, at, value);
      }
      continue;
    }
    auto place = places.find(op->getResult(0));
    if (!statistics.empty() && place != places.end() && isRowOnly(place->second)) {
      if (!points.at(op->getResult(0), atRoot(place->second.point)))
        return false;
    } else if (!lanesAreRows && place != places.end() && isWorthKeeping(generic, statistics) && !keepRow(generic)) {
      return false;
    }
  }
  return true;
}

/// Loops over the dimensions of a row, and the stores.
bool LoopEmitter::emitInner() {
  auto store = [&]() -> bool {
    for (const KernelFunction::Result &result : kernel.results()) {
      Value value = points.at(result.tensor, root);
      if (!value)
        return false;
      points.store(value, result.buffer, root);
    }
    return true;
  };
  SmallVector<unsigned> inner;
  for (unsigned d = 0; d < rank; ++d)
    if (!isRow[d])
      inner.push_back(d);
  bool lanesInside = !inner.empty() && inner.back() == rank - 1 && !lanesAreRows;
  OpBuilder::InsertionGuard guard(b);
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  for (unsigned d : lanesInside ? ArrayRef(inner).drop_back() : ArrayRef(inner)) {
    auto loop = scf::ForOp::create(b, zero, points.sizeValue(shape, d), one);
    root[d] = points.dim(loop.getInductionVar());
    b.setInsertionPointToStart(loop.getBody());
  }
  if (!lanesInside)
    return store();
  kernel.overLanes(points.size(shape, rank - 1), {}, [&](AffineExpr place, ValueRange) -> SmallVector<Value> {
    root[rank - 1] = place;
    if (good())
      store();
    return {};
  });
  return good();
}

bool LoopEmitter::emitRows() {
  // Rows are numbered row-major over the row dims; with lanes as rows the innermost dim is run through by lanes.
  SmallVector<unsigned> rowDims;
  SmallVector<OpFoldResult> rowSizes;
  int64_t rowElements = 1;
  for (unsigned d = 0; d < rank; ++d) {
    OpFoldResult extent = points.size(shape, d);
    if (isRow[d] && !(lanesAreRows && d == rank - 1)) {
      rowDims.push_back(d);
      rowSizes.push_back(extent);
    } else {
      rowElements *= getConstantIntValue(extent).value_or(256);
    }
  }
  for (Operation *op : statistics) {
    auto generic = cast<linalg::GenericOp>(op);
    SmallVector<unsigned> reduced;
    generic.getReductionDims(reduced);
    int64_t elements = 1;
    for (unsigned loop : reduced)
      elements *=
          ShapedType::isDynamic(generic.getStaticLoopRanges()[loop]) ? 256 : generic.getStaticLoopRanges()[loop];
    rowElements = std::max(rowElements, elements);
  }
  rowElements = std::max<int64_t>(rowElements, 1);
  // A long vector without rows is cut into pieces.
  int64_t piece = elementsPerTask / 4;
  bool isCut = rank == 1 && lanesAreRows && cast<RankedTensorType>(shape.getType()).getShape()[0] > piece;
  isCut |= rank == 1 && lanesAreRows && cast<RankedTensorType>(shape.getType()).isDynamicDim(0);
  Value row;
  OpFoldResult innermost = rank > 0 ? points.size(shape, rank - 1) : OpFoldResult(b.getIndexAttr(1));
  AffineExpr begin = points.constant(0);
  if (isCut) {
    Value all = points.sizeValue(shape, 0);
    Value pieces = arith::CeilDivUIOp::create(b, all, arith::ConstantIndexOp::create(b, piece));
    row = kernel.openTasks(getAsOpFoldResult(pieces), 1);
    if (!row)
      return false;
    Value first = arith::MulIOp::create(b, row, arith::ConstantIndexOp::create(b, piece));
    Value rest = arith::SubIOp::create(b, all, first);
    innermost = arith::MinUIOp::create(b, rest, arith::ConstantIndexOp::create(b, piece)).getResult();
    begin = points.dim(first);
  } else {
    OpFoldResult rows = b.getIndexAttr(1);
    if (!rowSizes.empty()) {
      rows = rowSizes.front();
      for (OpFoldResult extent : ArrayRef(rowSizes).drop_front())
        rows = affine::makeComposedFoldedAffineApply(b, b.getLoc(), b.getAffineSymbolExpr(0) * b.getAffineSymbolExpr(1),
                                                     {rows, extent});
    }
    row = kernel.openTasks(rows, std::max<int64_t>(1, elementsPerTask / rowElements));
    if (!row)
      return false;
    for (auto [d, place] : llvm::zip_equal(rowDims, kernel.split(row, rowSizes)))
      root[d] = points.dim(place);
  }
  if (!lanesAreRows || rank == 0)
    return emitStatistics() && emitInner();
  kernel.overLanes(innermost, {}, [&](AffineExpr place, ValueRange) -> SmallVector<Value> {
    points.forget();
    root[rank - 1] = begin + place;
    if (good() && emitStatistics())
      emitInner();
    return {};
  });
  return good();
}

bool LoopEmitter::run() {
  if (kernel.results().empty())
    return points.fail("it has no result"), false;
  shape = kernel.results().front().tensor;
  rank = cast<RankedTensorType>(shape.getType()).getRank();
  for (unsigned d = 0; d < rank; ++d)
    root.push_back(getAffineDimExpr(d, b.getContext()));
  for (const KernelFunction::Result &result : kernel.results()) {
    if (cast<RankedTensorType>(result.tensor.getType()).getShape() !=
        cast<RankedTensorType>(shape.getType()).getShape())
      return points.fail("its results have different shapes"), false;
    if (!trace(result.tensor, root))
      return false;
  }
  return chooseLoops() && emitRows() && good();
}

bool tenon::emitLoops(KernelFunction &kernel) { return LoopEmitter(kernel).run(); }
