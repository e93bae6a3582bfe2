// Slices that data place in a tensor, as new keys in pages of a pool. Where the tensor is an operand that nothing else
// reads they are written where it lies, and nothing else is: tasks share out the slices.
#include "lib/Analysis/UpdatedOperand.h"
#include "passes/cpu/Emitters.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"

using namespace mlir;
using namespace tenon;

static constexpr int64_t elementsPerTask = 16384; // some 5 us of copying

/// The number of the argument that the slices are put into; nothing where others read it, too.
static std::optional<unsigned> updatedArgument(PlacedSlices &placed) {
  auto stored = placed.into.getDefiningOp<bufferization::ToTensorOp>();
  auto argument = stored ? dyn_cast<BlockArgument>(stored.getBuffer()) : BlockArgument();
  auto readers = [](Value of, auto isSize) {
    return llvm::count_if(of.getUsers(), [&](Operation *user) { return !isSize(user); });
  };
  if (!argument || readers(argument, llvm::IsaPred<memref::DimOp>) != 1 ||
      readers(placed.into, llvm::IsaPred<tensor::DimOp>) != 1)
    return std::nullopt;
  return argument.getArgNumber();
}

std::optional<PlacedSlices> tenon::placedSlices(const KernelFunction &kernel) {
  std::optional<PlacedSlices> placed;
  if (kernel.results().size() == 1)
    placed = placedSlicesOf(kernel.results().front().tensor);
  return placed && updatedArgument(*placed) ? placed : std::nullopt;
}

namespace {
class SliceEmitter {
public:
  SliceEmitter(KernelFunction &kernel, PlacedSlices placed)
      : kernel(kernel), b(kernel.b), points(kernel.points), placed(placed) {}
  bool run();

private:
  Value inTask(Value scalar);
  AffineExpr offset(int64_t dimension);
  void copySlice(const Point &slice);

  KernelFunction &kernel;
  ImplicitLocOpBuilder &b;
  PointEmitter &points;
  PlacedSlices placed;
  DenseMap<Value, Value> known; ///< scalars of the loops, the counters first
};
} // namespace

/// A scalar of the loops' body.
Value SliceEmitter::inTask(Value scalar) {
  if (Value found = known.lookup(scalar))
    return found;
  Operation *op = scalar.getDefiningOp();
  bool isInLoops = op && llvm::any_of(placed.loops, [&](scf::ForOp loop) { return loop->isProperAncestor(op); });
  if (!isInLoops)
    return points.uniform(scalar);
  if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
    Point place;
    for (Value index : extract.getIndices())
      place.push_back(points.dim(inTask(index)));
    return known[scalar] = points.at(extract.getTensor(), place);
  }
  IRMapping mapping;
  for (Value operand : op->getOperands()) {
    if (isa<ShapedType>(operand.getType()))
      return points.uniform(scalar);
    mapping.map(operand, inTask(operand));
  }
  return known[scalar] = b.clone(*op, mapping)->getResult(0);
}

AffineExpr SliceEmitter::offset(int64_t dimension) {
  OpFoldResult mixed = placed.insert.getMixedOffsets()[dimension];
  if (std::optional<int64_t> constant = getConstantIntValue(mixed))
    return points.constant(*constant);
  return points.dim(inTask(cast<Value>(mixed)));
}

void SliceEmitter::copySlice(const Point &slice) {
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  OpBuilder::InsertionGuard guard(b);
  Point from(slice), to;
  unsigned last = slice.size() - 1;
  for (unsigned d = 0; d < last; ++d) {
    to.push_back(offset(d));
    if (placed.isPlaced(d))
      continue;
    auto loop = scf::ForOp::create(b, zero, points.sizeValue(placed.from, d), one);
    b.setInsertionPointToStart(loop.getBody());
    from[d] = points.dim(loop.getInductionVar());
    to.back() = to.back() + from[d];
  }
  to.push_back(offset(last));
  OpFoldResult innermost = placed.isPlaced(last) ? OpFoldResult(b.getIndexAttr(1)) : points.size(placed.from, last);
  kernel.overLanes(innermost, {}, [&](AffineExpr at, ValueRange) -> SmallVector<Value> {
    Point source(from), target(to);
    source[last] = source[last] + at, target[last] = target[last] + at;
    if (Value value = points.at(placed.from, source))
      points.store(value, kernel.results().front().buffer, target);
    return {};
  });
}

bool SliceEmitter::run() {
  int64_t rank = placed.insert.getType().getRank(), elements = 1;
  SmallVector<unsigned> dimensions;
  SmallVector<OpFoldResult> sizes;
  OpFoldResult slices = b.getIndexAttr(1);
  for (int64_t d = 0; d < rank; ++d) {
    OpFoldResult size = points.size(placed.from, d);
    if (!placed.isPlaced(d)) {
      elements *= std::max<int64_t>(1, getConstantIntValue(size).value_or(256));
      continue;
    }
    dimensions.push_back(d);
    sizes.push_back(size);
    slices = affine::makeComposedFoldedAffineApply(b, b.getLoc(), b.getAffineSymbolExpr(0) * b.getAffineSymbolExpr(1),
                                                   {slices, size});
  }
  kernel.setUpdated(*updatedArgument(placed));
  Value slice = kernel.openTasks(slices, std::max<int64_t>(1, elementsPerTask / elements));
  if (!slice)
    return false;
  Point from(rank, points.constant(0));
  for (auto [d, place] : llvm::zip_equal(dimensions, kernel.split(slice, sizes))) {
    from[d] = points.dim(place);
    if (scf::ForOp loop = placed.loopAlong(d))
      known[loop.getInductionVar()] = place;
  }
  Value isThere =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ne, inTask(placed.isThere), arith::ConstantIndexOp::create(b, 0));
  auto branch = scf::IfOp::create(b, isThere, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  copySlice(from);
  return points.error().empty();
}

bool tenon::emitPlacedSlices(KernelFunction &kernel) { return SliceEmitter(kernel, *placedSlices(kernel)).run(); }
