// Kernels without contraction or attention: pointwise work, copies, reductions, norms, softmax.
// Results are written by loops over their dimensions, the innermost by lanes. Statistics are computed once a row, where
// a row is one choice of the dimensions they keep: along the lanes where the reduced dimension lies innermost in
// memory, else many rows at a time, one a lane. What two of a row's loops need and is costly (the powers of softmax) is
// kept in scratch memory.
#include "passes/cpu/Emitters.h"
#include "passes/cpu/LoopAnalysis.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon;

static constexpr int64_t elementsPerTask = 16384; // some 5 us of simple work

namespace {
class LoopEmitter {
public:
  explicit LoopEmitter(KernelFunction &kernel) : kernel(kernel), b(kernel.b), points(kernel.points), loops(points) {}
  bool run();

private:
  bool emitRows();
  bool emitStatistics();
  bool emitInner();
  Value reduceAlongLanes(linalg::GenericOp op, const Point &point);
  bool keepRow(linalg::GenericOp op);
  Point atRoot(const Point &traced) const {
    return llvm::map_to_vector(traced, [&](AffineExpr expr) { return expr ? expr.replaceDims(root) : expr; });
  }
  bool good() const { return points.error().empty(); }
  KernelFunction &kernel;
  ImplicitLocOpBuilder &b;
  PointEmitter &points;
  LoopAnalysis loops;
  Point root;
};
} // namespace

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
  Point place = points.loopsAt(op, 0, point);
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
    if (!innermost) // a window's input is read at a sum of place
      continue;
    llvm::erase(reduced, innermost.getPosition());
    reduced.push_back(innermost.getPosition());
    break;
  }
  Point initPlace = llvm::map_to_vector(op.getMatchingIndexingMap(op.getDpsInitOperand(0)).getResults(),
                                        [&](AffineExpr expr) { return expr.replaceDims(place); });
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
    place[loop] = points.dim(next.getInductionVar());
    carried = {next.getRegionIterArg(0)};
    b.setInsertionPointToStart(next.getBody());
    nest.push_back(next);
  }
  SmallVector<Value> partial = kernel.overLanes(
      sizeOf(reduced.back()), carried, [&](AffineExpr lanePlace, ValueRange state) -> SmallVector<Value> {
        place[reduced.back()] = lanePlace;
        SmallVector<Value> elements;
        for (OpOperand *input : op.getDpsInputOperands()) {
          if (!isa<RankedTensorType>(input->get().getType())) {
            elements.push_back(points.uniform(input->get()));
            continue;
          }
          elements.push_back(
              points.at(input->get(), llvm::map_to_vector(op.getMatchingIndexingMap(input).getResults(),
                                                          [&](AffineExpr expr) { return expr.replaceDims(place); })));
          if (!elements.back())
            return SmallVector<Value>(state);
        }
        elements.push_back(state.front());
        SmallVector<Value> folded = points.body(op, place, elements);
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
  const Place &place = loops.places.find(op->getResult(0))->second;
  SmallVector<OpFoldResult> extents;
  Point fixed(place.point.size()), inner = atRoot(place.point);
  SmallVector<unsigned> free;
  for (auto [dimension, expr] : llvm::enumerate(place.point)) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (dim && (dim.getPosition() >= loops.rank || !loops.isRow[dim.getPosition()])) {
      free.push_back(dimension);
      extents.push_back(points.size(op->getResult(0), dimension));
      continue;
    }
    if (!loops.isRowOnly(expr) || place.varies.test(dimension))
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
  for (auto &[tensor, place] : loops.places)
    if (auto generic = tensor.getDefiningOp<linalg::GenericOp>(); generic && !llvm::is_contained(order, generic))
      order.push_back(generic);
  llvm::sort(order, [](Operation *l, Operation *r) { return l->isBeforeInBlock(r); });
  for (Operation *op : order) {
    auto generic = cast<linalg::GenericOp>(op);
    if (loops.statistics.contains(op)) {
      for (OpResult result : op->getResults()) {
        auto place = loops.places.find(result);
        if (place == loops.places.end())
          continue;
        Point at = atRoot(place->second.point);
        Value value = !loops.lanesAreRows ? reduceAlongLanes(generic, at) : Value();
        if (good() && !value)
          value = points.at(result, at);
        if (!value)
          return false;
        points.give(result, at, value);
      }
      continue;
    }
    auto place = loops.places.find(op->getResult(0));
    if (!loops.statistics.empty() && place != loops.places.end() && loops.isRowOnly(place->second)) {
      if (!points.at(op->getResult(0), atRoot(place->second.point)))
        return false;
    } else if (!loops.lanesAreRows && place != loops.places.end() && isWorthKeeping(generic, loops.statistics) &&
               !keepRow(generic)) {
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
  for (unsigned d = 0; d < loops.rank; ++d)
    if (!loops.isRow[d])
      inner.push_back(d);
  bool lanesInside = !inner.empty() && inner.back() == loops.rank - 1 && !loops.lanesAreRows;
  OpBuilder::InsertionGuard guard(b);
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  for (unsigned d : lanesInside ? ArrayRef(inner).drop_back() : ArrayRef(inner)) {
    auto loop = scf::ForOp::create(b, zero, points.sizeValue(loops.shape, d), one);
    root[d] = points.dim(loop.getInductionVar());
    b.setInsertionPointToStart(loop.getBody());
  }
  if (!lanesInside)
    return store();
  kernel.overLanes(points.size(loops.shape, loops.rank - 1), {},
                   [&](AffineExpr place, ValueRange) -> SmallVector<Value> {
                     root[loops.rank - 1] = place;
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
  for (unsigned d = 0; d < loops.rank; ++d) {
    OpFoldResult extent = points.size(loops.shape, d);
    if (loops.isRow[d] && !(loops.lanesAreRows && d == loops.rank - 1)) {
      rowDims.push_back(d);
      rowSizes.push_back(extent);
    } else {
      rowElements *= getConstantIntValue(extent).value_or(256);
    }
  }
  for (Operation *op : loops.statistics) {
    auto generic = cast<linalg::GenericOp>(op);
    SmallVector<unsigned> reduced;
    generic.getReductionDims(reduced);
    int64_t elements = 1;
    for (unsigned loop : reduced)
      elements *=
          ShapedType::isDynamic(generic.getStaticLoopRanges()[loop]) ? 256 : generic.getStaticLoopRanges()[loop];
    // With lanes as rows each of a row's elements is a sum of its own.
    rowElements = loops.lanesAreRows ? rowElements * elements : std::max(rowElements, elements);
  }
  rowElements = std::max<int64_t>(rowElements, 1);
  std::optional<unsigned> turned = loops.turnedDimension();
  if (turned) {
    // A row is a block of as many points as there are lanes.
    AffineExpr size = b.getAffineSymbolExpr(0);
    rowElements *= points.getLanes();
    rowSizes[*turned] = affine::makeComposedFoldedAffineApply(b, b.getLoc(), size.ceilDiv(points.getLanes()),
                                                              {points.size(loops.shape, *turned)});
  }
  // A long vector without rows is cut into pieces.
  int64_t piece = elementsPerTask / 4;
  bool isCut =
      loops.rank == 1 && loops.lanesAreRows && cast<RankedTensorType>(loops.shape.getType()).getShape()[0] > piece;
  isCut |= loops.rank == 1 && loops.lanesAreRows && cast<RankedTensorType>(loops.shape.getType()).isDynamicDim(0);
  Value row;
  OpFoldResult innermost = loops.rank > 0 ? points.size(loops.shape, loops.rank - 1) : OpFoldResult(b.getIndexAttr(1));
  AffineExpr begin = points.constant(0);
  if (isCut) {
    Value all = points.sizeValue(loops.shape, 0);
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
  if (!loops.lanesAreRows || loops.rank == 0)
    return emitStatistics() && emitInner();
  if (turned) {
    Value first = points.index(root[*turned] * points.getLanes());
    kernel.overBlock(first, points.size(loops.shape, *turned), innermost, [&](AffineExpr point, AffineExpr place) {
      root[*turned] = point;
      root[loops.rank - 1] = place;
      if (good())
        emitInner();
    });
    return good();
  }
  kernel.overLanes(innermost, {}, [&](AffineExpr place, ValueRange) -> SmallVector<Value> {
    points.forget();
    root[loops.rank - 1] = begin + place;
    if (good() && emitStatistics())
      emitInner();
    return {};
  });
  return good();
}

bool LoopEmitter::run() {
  if (!loops.run(kernel.results()))
    return false;
  for (unsigned d = 0; d < loops.rank; ++d)
    root.push_back(getAffineDimExpr(d, b.getContext()));
  return emitRows() && good();
}

bool tenon::emitLoops(KernelFunction &kernel) { return LoopEmitter(kernel).run(); }
