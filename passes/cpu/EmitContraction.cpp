// A matrix product with what follows it. A task computes one panel of columns for a chunk of rows, a register block at
// a time; when its sums are complete, the kernel's results are computed from them in registers and stored. The panel is
// the packed weight's, or, where the right-hand side is computed by the model, packed into scratch by the task.
#include "dialects/Tenon/Tenon.h"
#include "lib/Analysis/ContractionKernel.h"
#include "passes/cpu/Emitters.h"
#include "passes/cpu/RegisterBlock.h"

using namespace mlir;
using namespace tenon;

namespace {
class ContractionEmitter {
public:
  ContractionEmitter(KernelFunction &kernel, ContractionKernel contraction, CpuGemmAttr schedule)
      : kernel(kernel), b(kernel.b), points(kernel.points), product(contraction), schedule(schedule),
        block{schedule.getRows(), schedule.getColumns() / schedule.getLanes()} {}
  bool run();

private:
  bool check();
  Value at(int64_t constant) { return arith::ConstantIndexOp::create(b, constant); }
  Value extent(unsigned loop);
  void openTask();
  void packPanel();
  bool emitBlock(Value firstRow);
  bool emitRow(int64_t row, ArrayRef<Value> sums);
  void storeVector(int64_t row, int64_t vector, Value sum);

  KernelFunction &kernel;
  ImplicitLocOpBuilder &b;
  PointEmitter &points;
  ContractionKernel product;
  CpuGemmAttr schedule;
  RegisterBlock block;
  Value rows, columns, depth; // sizes
  Value panel, firstOfChunk, endOfChunk;
  Value packed; // this task's own panel, where the rhs is not packed
  SmallVector<AffineExpr> batchPlace;
  SmallVector<Point> rowPlaces; // of the rows of a block, each a place of the row loops
};
} // namespace

Value ContractionEmitter::extent(unsigned loop) {
  for (auto [input, map] : llvm::zip(product.op.getDpsInputs(), product.op.getIndexingMapsArray()))
    for (auto [dimension, expr] : llvm::enumerate(map.getResults()))
      if (expr == getAffineDimExpr(loop, b.getContext()))
        return points.sizeValue(input, dimension);
  // A packed weight says its columns by panels; the result says them exactly.
  AffineMap out = product.op.getIndexingMapsArray().back();
  for (auto [dimension, expr] : llvm::enumerate(out.getResults()))
    if (expr == getAffineDimExpr(loop, b.getContext()))
      return points.sizeValue(product.op.getResult(0), dimension);
  return points.fail("a loop of the product has no size");
}

bool ContractionEmitter::check() {
  auto fill = product.op.getDpsInits().front().getDefiningOp<linalg::FillOp>();
  auto zero = fill ? fill.getInputs().front().getDefiningOp<arith::ConstantOp>() : nullptr;
  if (!zero || !(matchPattern(zero.getResult(), m_AnyZeroFloat()) || matchPattern(zero.getResult(), m_Zero())))
    return points.fail("its sums do not start at zero"), false;
  if (int64_t columns = product.panelColumns(); columns && columns != schedule.getColumns())
    return points.fail("its weight is packed in panels of " + Twine(columns) + " columns, the schedule wants " +
                       Twine(schedule.getColumns())),
           false;
  auto sums = cast<RankedTensorType>(product.op.getResultTypes().front());
  for (const KernelFunction::Result &result : kernel.results())
    if (cast<RankedTensorType>(result.tensor.getType()).getShape() != sums.getShape())
      return points.fail("a result has another shape than the product"), false;
  if (!product.op.getIndexingMapsArray().back().isIdentity() &&
      product.op.getIndexingMapsArray().back() !=
          AffineMap::getMultiDimIdentityMap(product.op.getNumLoops(), b.getContext()).getMajorSubMap(sums.getRank()))
    return points.fail("the product's dimensions are permuted"), false;
  return true;
}

/// Tasks are numbered batch by batch, panel by panel, chunk by chunk: neighbours share a panel.
void ContractionEmitter::openTask() {
  columns = extent(product.column);
  depth = extent(product.depth);
  SmallVector<OpFoldResult> batchSizes;
  for (unsigned loop : product.batch)
    batchSizes.push_back(getAsOpFoldResult(extent(loop)));
  rows = at(1);
  for (unsigned loop : product.rows)
    rows = arith::MulIOp::create(b, rows, extent(loop));
  Value panels = arith::CeilDivUIOp::create(b, columns, at(schedule.getColumns()));
  Value chunks = arith::CeilDivUIOp::create(b, rows, at(schedule.getChunk()));
  Value tasks = arith::MulIOp::create(b, panels, chunks);
  for (OpFoldResult size : batchSizes)
    tasks = arith::MulIOp::create(b, tasks, getValueOrCreateConstantIndexOp(b, b.getLoc(), size));
  Value task = kernel.openTasks(getAsOpFoldResult(tasks), 1);
  if (!task)
    return;
  SmallVector<OpFoldResult> sizes(batchSizes);
  sizes.append({getAsOpFoldResult(panels), getAsOpFoldResult(chunks)});
  SmallVector<Value> places = kernel.split(task, sizes);
  for (size_t d = 0; d < batchSizes.size(); ++d)
    batchPlace.push_back(points.dim(places[d]));
  panel = places[batchSizes.size()];
  firstOfChunk = arith::MulIOp::create(b, places.back(), at(schedule.getChunk()));
  endOfChunk = arith::MinUIOp::create(b, rows, arith::AddIOp::create(b, firstOfChunk, at(schedule.getChunk())));
}

/// The rhs's columns of this panel side by side in scratch, as the factor that is multiplied; 0 past the last column.
void ContractionEmitter::packPanel() {
  if (product.panelColumns())
    return;
  auto type = cast<RankedTensorType>(product.op.getResultTypes().front()).getElementType();
  packed = kernel.scratch({getAsOpFoldResult(depth), b.getIndexAttr(schedule.getColumns())}, type);
  if (!packed)
    return;
  Value first = arith::MulIOp::create(b, panel, at(schedule.getColumns()));
  Value left = arith::MinUIOp::create(b, arith::SubIOp::create(b, columns, first), at(schedule.getColumns()));
  // A matrix whose columns lie along the depth is turned a block of steps at a time.
  bool isTurned = product.rhsMap().getResults().back() == b.getAffineDimExpr(product.depth);
  auto loop = scf::ForOp::create(b, at(0), depth, at(isTurned ? schedule.getLanes() : 1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Point loops(product.op.getNumLoops(), points.constant(0));
  for (auto [d, place] : llvm::zip_equal(product.batch, batchPlace))
    loops[d] = place;
  auto pack = [&](AffineExpr step, AffineExpr place) {
    loops[product.depth] = step;
    loops[product.column] = points.dim(first) + place;
    Value element =
        points.at(product.rhsTensor(), llvm::map_to_vector(product.rhsMap().getResults(),
                                                           [&](AffineExpr expr) { return expr.replaceDims(loops); }));
    if (!element)
      return;
    Value factor = points.element(product.rhsFactor, product.op.getBody()->getArgument(product.rhs), element);
    if (factor)
      points.store(factor, packed, {step, place});
  };
  bool isFull = product.staticColumns() > 0 && product.staticColumns() % schedule.getColumns() == 0;
  OpFoldResult width = isFull ? OpFoldResult(b.getIndexAttr(schedule.getColumns())) : getAsOpFoldResult(left);
  if (isTurned)
    kernel.overBlock(loop.getInductionVar(), getAsOpFoldResult(depth), width, pack);
  else
    kernel.overLanes(width, {}, [&](AffineExpr place, ValueRange) -> SmallVector<Value> {
      pack(points.dim(loop.getInductionVar()), place);
      return {};
    });
}

void ContractionEmitter::storeVector(int64_t row, int64_t vector, Value sum) {
  Point place(product.op.getNumLoops() - 1, {});
  for (auto [d, expr] : llvm::zip_equal(product.batch, batchPlace))
    place[d] = expr;
  for (auto [d, expr] : llvm::zip_equal(product.rows, rowPlaces[row]))
    place[d] = expr;
  place[product.column] = points.dim(panel) * schedule.getColumns() + vector * schedule.getLanes() + points.lane();
  points.give(product.op.getResult(0), place, sum);
  for (const KernelFunction::Result &result : kernel.results())
    if (Value value = points.at(result.tensor, place))
      points.store(value, result.buffer, place);
}

/// The results of one row of a block. The last panel may have fewer columns.
bool ContractionEmitter::emitRow(int64_t row, ArrayRef<Value> sums) {
  int64_t known = product.staticColumns();
  auto full = [&] {
    for (auto [vector, sum] : llvm::enumerate(sums))
      storeVector(row, vector, sum);
  };
  if (known > 0 && known % schedule.getColumns() == 0) {
    full();
    return points.error().empty();
  }
  OpBuilder::InsertionGuard guard(b);
  Value first = arith::MulIOp::create(b, panel, at(schedule.getColumns()));
  Value left = arith::SubIOp::create(b, columns, first);
  Value isFull = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, left, at(schedule.getColumns()));
  auto branch = scf::IfOp::create(b, isFull, /*withElseRegion=*/true);
  b.setInsertionPointToStart(branch.thenBlock());
  full();
  b.setInsertionPointToStart(branch.elseBlock());
  for (auto [vector, sum] : llvm::enumerate(sums)) {
    Value begin = at(vector * schedule.getLanes());
    Value isInside = arith::CmpIOp::create(b, arith::CmpIPredicate::ugt, left, begin);
    auto inside = scf::IfOp::create(b, isInside, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard inner(b);
    b.setInsertionPointToStart(inside.thenBlock());
    points.setMask(arith::MinUIOp::create(b, arith::SubIOp::create(b, left, begin), at(schedule.getLanes())));
    storeVector(row, vector, sum);
    points.clearMask();
  }
  return points.error().empty();
}

bool ContractionEmitter::emitBlock(Value firstRow) {
  // Rows past the last repeat it, and are not stored.
  SmallVector<OpFoldResult> rowSizes;
  for (unsigned loop : product.rows)
    rowSizes.push_back(getAsOpFoldResult(extent(loop)));
  int64_t known = product.staticRows();
  bool isWhole = known > 0 && known % schedule.getRows() == 0;
  Value last = arith::SubIOp::create(b, rows, at(1));
  rowPlaces.clear();
  SmallVector<Point> loops;
  for (int64_t row = 0; row < block.rows; ++row) {
    Value number = arith::AddIOp::create(b, firstRow, at(row));
    if (!isWhole)
      number = arith::MinUIOp::create(b, number, last);
    Point place = llvm::map_to_vector(kernel.split(number, rowSizes), [&](Value d) { return points.dim(d); });
    rowPlaces.push_back(place);
    Point full(product.op.getNumLoops(), points.constant(0));
    for (auto [d, expr] : llvm::zip_equal(product.batch, batchPlace))
      full[d] = expr;
    for (auto [d, expr] : llvm::zip_equal(product.rows, place))
      full[d] = expr;
    loops.push_back(full);
  }
  Type type = cast<RankedTensorType>(product.op.getResultTypes().front()).getElementType();
  Block *body = product.op.getBody();
  auto element = [&](int64_t row, Value step) -> Value {
    loops[row][product.depth] = points.dim(step);
    Value value = points.at(product.lhsTensor(),
                            llvm::map_to_vector(product.lhsMap().getResults(),
                                                [&](AffineExpr expr) { return expr.replaceDims(loops[row]); }));
    return value ? points.element(product.lhsFactor, body->getArgument(product.lhs), value) : Value();
  };
  auto vector = [&](int64_t v, Value step) -> Value {
    AffineExpr lane = points.constant(v * schedule.getLanes()) + points.lane();
    if (packed)
      return points.load(packed, {points.dim(step), lane});
    Value value = points.at(product.rhsTensor(), {points.dim(panel), points.dim(step), lane});
    return value ? points.element(product.rhsFactor, body->getArgument(product.rhs), value) : Value();
  };
  SmallVector<Value> sums = block.accumulateDeep(b, VectorType::get(schedule.getLanes(), type), depth, element, vector);
  if (sums.empty())
    return false;
  for (int64_t row = 0; row < block.rows; ++row) {
    OpBuilder::InsertionGuard guard(b);
    if (!isWhole && row > 0) {
      Value number = arith::AddIOp::create(b, firstRow, at(row));
      Value isInside = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, number, rows);
      b.setInsertionPointToStart(scf::IfOp::create(b, isInside, /*withElseRegion=*/false).thenBlock());
    }
    if (!emitRow(row, ArrayRef(sums).slice(row * block.vectors, block.vectors)))
      return false;
  }
  return true;
}

bool ContractionEmitter::run() {
  if (!check())
    return false;
  openTask();
  if (!points.error().empty())
    return false;
  packPanel();
  auto loop = scf::ForOp::create(b, firstOfChunk, endOfChunk, at(schedule.getRows()));
  b.setInsertionPointToStart(loop.getBody());
  return points.error().empty() && emitBlock(loop.getInductionVar()) && points.error().empty();
}

bool tenon::emitContraction(KernelFunction &kernel) {
  std::optional<ContractionKernel> contraction = findContraction(kernel.source().getBody().front());
  auto schedule = kernel.source()->getAttrOfType<CpuGemmAttr>("tenon.schedule");
  if (!contraction)
    return kernel.points.fail("its product is of no known form"), false;
  return ContractionEmitter(kernel, *contraction, schedule).run();
}
