// Results made of parts: concat, pad, rotary embedding, cache appends. Each part is a segment of the result's buffer
// and is written by loops of its own, in order, so that nothing has to be chosen an element at a time. Tasks share out
// the dimensions that no part divides. Of a cache that is appended to only the new part is written.
#include "lib/Analysis/UpdatedOperand.h"
#include "passes/cpu/Emitters.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"

using namespace mlir;
using namespace tenon;

static constexpr int64_t elementsPerTask = 16384; // some 5 us of copying

namespace {
/// `tensor` goes to `offsets` of the result's buffer, in `steps`.
struct Segment {
  Value tensor;
  SmallVector<OpFoldResult> offsets;
  SmallVector<int64_t> steps;
};

class CopyEmitter {
public:
  explicit CopyEmitter(KernelFunction &kernel) : kernel(kernel), b(kernel.b), points(kernel.points) {}
  bool run();

private:
  bool findSegments();
  bool findSegments(tensor::InsertSliceOp insert, const Segment &outer);
  std::optional<unsigned> turnedDimension(const Segment &segment);
  bool emit(const Segment &segment, ArrayRef<unsigned> rowDims, ValueRange row);

  KernelFunction &kernel;
  ImplicitLocOpBuilder &b;
  PointEmitter &points;
  SmallVector<Segment> segments;
  llvm::SmallBitVector isDivided;
  std::optional<unsigned> blocked; // the dimension that tasks share out by blocks of as many places as there are lanes
};
} // namespace

/// The number of the argument that the result is an update of: it is read nowhere else.
static std::optional<unsigned> updatedArgument(Value result) {
  Insertions parts = insertionsOf(result);
  auto stored = parts.rest.getDefiningOp<bufferization::ToTensorOp>();
  auto argument = stored ? dyn_cast<BlockArgument>(stored.getBuffer()) : BlockArgument();
  if (!argument || parts.inserts.empty() || !isUpdate(parts))
    return std::nullopt;
  bool isReadElsewhere =
      llvm::any_of(argument.getUsers(), [&](Operation *user) { return user != stored && !isa<memref::DimOp>(user); });
  return isReadElsewhere ? std::nullopt : std::optional(argument.getArgNumber());
}

/// The parts of what `insert` puts into a tensor that lies at `outer`'s offsets, in its steps.
bool CopyEmitter::findSegments(tensor::InsertSliceOp insert, const Segment &outer) {
  unsigned rank = isDivided.size();
  if (insert.getSourceType().getRank() != rank)
    return points.fail("a slice of another rank is inserted"), false;
  Segment segment{insert.getSource(), {}, {}};
  for (unsigned d = 0; d < rank; ++d) {
    std::optional<int64_t> step = getConstantIntValue(insert.getMixedStrides()[d]);
    if (!step)
      return points.fail("a slice is inserted with dynamic steps"), false;
    segment.steps.push_back(*step * outer.steps[d]);
    OpFoldResult offset = insert.getMixedOffsets()[d];
    if (auto value = dyn_cast<Value>(offset))
      offset = getAsOpFoldResult(points.uniform(value));
    AffineExpr part = kernel.symbolic(points.size(insert.getSource(), d));
    bool isWhole = isConstantIntValue(offset, 0) && *step == 1 && part &&
                   part == kernel.symbolic(points.size(insert.getDest(), d));
    if (!isWhole)
      isDivided.set(d);
    segment.offsets.push_back(affine::makeComposedFoldedAffineApply(
        b, b.getLoc(), b.getAffineSymbolExpr(0) + b.getAffineSymbolExpr(1) * outer.steps[d],
        {outer.offsets[d], offset}));
  }
  Insertions inner = insertionsOf(insert.getSource());
  if (inner.inserts.empty() || !inner.rest.getDefiningOp<tensor::EmptyOp>()) {
    segments.push_back(segment);
    return true;
  }
  return llvm::all_of(inner.inserts, [&](tensor::InsertSliceOp part) { return findSegments(part, segment); });
}

bool CopyEmitter::findSegments() {
  Value tensor = kernel.results().front().tensor;
  unsigned rank = cast<RankedTensorType>(tensor.getType()).getRank();
  isDivided.resize(rank);
  SmallVector<OpFoldResult> noOffsets(rank, b.getIndexAttr(0));
  SmallVector<int64_t> noSteps(rank, 1);
  while (auto insert = tensor.getDefiningOp<tensor::InsertSliceOp>()) {
    if (!findSegments(insert, {{}, noOffsets, noSteps}))
      return false;
    tensor = insert.getDest();
  }
  if (std::optional<unsigned> updated = updatedArgument(kernel.results().front().tensor))
    kernel.setUpdated(*updated); // the rest is in the result's memory already
  else if (!tensor.getDefiningOp<tensor::EmptyOp>())
    segments.push_back({tensor, noOffsets, noSteps});
  std::reverse(segments.begin(), segments.end());
  return points.error().empty();
}

/// The dimension along which a part that lies in memory is consecutive, where the lanes are not.
std::optional<unsigned> CopyEmitter::turnedDimension(const Segment &segment) {
  if (!points.viewOf(segment.tensor))
    return std::nullopt;
  auto type = cast<RankedTensorType>(segment.tensor.getType());
  Point place;
  for (int64_t d = 0; d < type.getRank(); ++d)
    place.push_back(b.getAffineDimExpr(d));
  for (int64_t d = 0; d + 1 < type.getRank(); ++d)
    if ((type.isDynamicDim(d) || type.getDimSize(d) >= points.getLanes()) &&
        points.isTurned(segment.tensor, place, place[d], place.back()))
      return d;
  return std::nullopt;
}

bool CopyEmitter::emit(const Segment &segment, ArrayRef<unsigned> rowDims, ValueRange row) {
  OpBuilder::InsertionGuard guard(b);
  unsigned rank = segment.steps.size();
  Point from(rank), to(rank);
  auto place = [&](unsigned d, AffineExpr at) {
    auto offset = dyn_cast<Value>(segment.offsets[d]);
    from[d] = at;
    to[d] = at * segment.steps[d] +
            (offset ? points.dim(offset) : points.constant(*getConstantIntValue(segment.offsets[d])));
  };
  std::optional<unsigned> turned = blocked;
  if (!turned)
    if (turned = turnedDimension(segment); turned && llvm::is_contained(rowDims, *turned))
      turned = std::nullopt;
  Value first; // of the block
  for (auto [d, value] : llvm::zip_equal(rowDims, row))
    if (d == turned)
      first = points.index(points.dim(value) * points.getLanes());
    else
      place(d, points.dim(value));
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  for (unsigned d = 0; d + 1 < rank; ++d) {
    if (llvm::is_contained(rowDims, d))
      continue;
    Value step = d == turned ? arith::ConstantIndexOp::create(b, points.getLanes()) : one;
    auto loop = scf::ForOp::create(b, zero, points.sizeValue(segment.tensor, d), step);
    if (d == turned)
      first = loop.getInductionVar();
    else
      place(d, points.dim(loop.getInductionVar()));
    b.setInsertionPointToStart(loop.getBody());
  }
  OpFoldResult innermost = points.size(segment.tensor, rank - 1);
  auto copy = [&](AffineExpr at) {
    place(rank - 1, at);
    if (Value value = points.at(segment.tensor, from))
      points.store(value, kernel.results().front().buffer, to);
  };
  if (turned)
    kernel.overBlock(first, points.size(segment.tensor, *turned), innermost, [&](AffineExpr at, AffineExpr lane) {
      place(*turned, at);
      copy(lane);
    });
  else
    kernel.overLanes(innermost, {}, [&](AffineExpr at, ValueRange) -> SmallVector<Value> {
      copy(at);
      return {};
    });
  return points.error().empty();
}

bool CopyEmitter::run() {
  if (!findSegments())
    return false;
  Value result = kernel.results().front().tensor;
  unsigned rank = isDivided.size();
  for (const Segment &segment : segments)
    if (std::optional<unsigned> turned = turnedDimension(segment); turned && !isDivided.test(*turned))
      blocked = turned;
  SmallVector<unsigned> rowDims;
  SmallVector<OpFoldResult> sizes;
  int64_t rowElements = blocked ? points.getLanes() : 1;
  OpFoldResult rows = b.getIndexAttr(1);
  for (unsigned d = 0; d < rank; ++d) {
    OpFoldResult extent = points.size(result, d);
    if (isDivided.test(d) || d + 1 == rank) {
      rowElements *= std::max<int64_t>(1, getConstantIntValue(extent).value_or(256));
      continue;
    }
    if (d == blocked)
      extent = affine::makeComposedFoldedAffineApply(b, b.getLoc(), b.getAffineSymbolExpr(0).ceilDiv(points.getLanes()),
                                                     {extent});
    rowDims.push_back(d);
    sizes.push_back(extent);
    rows = affine::makeComposedFoldedAffineApply(b, b.getLoc(), b.getAffineSymbolExpr(0) * b.getAffineSymbolExpr(1),
                                                 {rows, extent});
  }
  Value row = kernel.openTasks(rows, std::max<int64_t>(1, elementsPerTask / rowElements));
  if (!row)
    return false;
  SmallVector<Value> places = kernel.split(row, sizes);
  return llvm::all_of(segments, [&](const Segment &segment) { return emit(segment, rowDims, places); });
}

bool tenon::emitCopies(KernelFunction &kernel) { return CopyEmitter(kernel).run(); }

bool tenon::isCopy(const KernelFunction &kernel) {
  return kernel.results().size() == 1 && kernel.results().front().tensor.getDefiningOp<tensor::InsertSliceOp>();
}
