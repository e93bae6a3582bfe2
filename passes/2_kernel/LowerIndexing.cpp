// Ops whose addresses are data: embedding, gathers, scatter, the key/value cache; and iota, whose data are addresses.
// An index outside the table is moved to its nearest end, so that wrong data gives a wrong row and never a memory
// fault.
#include "lib/Arithmetic/ClampedIndex.h"
#include "passes/2_kernel/Lowering.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tenon;

/// `value` as an index, moved into 0 .. size - 1.
static Value clampIndex(ImplicitLocOpBuilder &b, Value value, Value size) {
  return clampedIndex(b, value, arith::SubIOp::create(b, size, arith::ConstantIndexOp::create(b, 1)));
}

/// result[..] = input[.., indices[..], .., indices[..], ..]: dimension `axis + t` of the input is read at the index
/// that `maps[t]` reads; the other dimensions of the input are read at the result's dimensions `others`, in order.
static Lowered gather(Operation *op, ImplicitLocOpBuilder &b, Value input, Value indices, int64_t axis,
                      ArrayRef<AffineMap> maps, ArrayRef<int64_t> others) {
  auto sizes = resultSizes(b, op->getResult(0));
  if (failed(sizes))
    return failure();
  SmallVector<Value> reads(maps.size(), indices), limits;
  for (size_t named = 0; named < maps.size(); ++named)
    limits.push_back(tensor::DimOp::create(b, input, axis + named));
  return SmallVector<Value>{elementwise(b, *sizes, tensorOf(input).getElementType(), reads, maps,
                                        [&](ImplicitLocOpBuilder &inner, ValueRange x) {
                                          SmallVector<Value> at, named;
                                          for (int64_t other : others)
                                            at.push_back(linalg::IndexOp::create(inner, other));
                                          for (auto [index, limit] : llvm::zip_equal(x, limits))
                                            named.push_back(clampIndex(inner, index, limit));
                                          at.insert(at.begin() + axis, named.begin(), named.end());
                                          return tensor::ExtractOp::create(inner, input, at);
                                        })};
}

/// The map that reads dimensions first .. first + count - 1 of `rank`.
static AffineMap readsDims(ImplicitLocOpBuilder &b, int64_t rank, int64_t first, int64_t count) {
  SmallVector<AffineExpr> dims;
  for (int64_t dimension = first; dimension < first + count; ++dimension)
    dims.push_back(b.getAffineDimExpr(dimension));
  return AffineMap::get(rank, 0, dims, b.getContext());
}

static Lowered gatherSlices(Operation *op, ImplicitLocOpBuilder &b, Value input, Value indices, int64_t axis) {
  int64_t rank = tensorOf(op->getResult(0)).getRank(), taken = tensorOf(indices).getRank();
  SmallVector<int64_t> others;
  for (int64_t dimension = 0; dimension < rank; ++dimension)
    if (dimension < axis || dimension >= axis + taken)
      others.push_back(dimension);
  return gather(op, b, input, indices, axis, readsDims(b, rank, axis, taken), others);
}

static Lowered lowerEmbedding(EmbeddingOp op, ImplicitLocOpBuilder &b) {
  return gatherSlices(op, b, op.getTable(), op.getIndices(), 0);
}
static Lowered lowerGather(GatherOp op, ImplicitLocOpBuilder &b) {
  return gatherSlices(op, b, op.getInput(), op.getIndices(), op.getAxis());
}
static Lowered lowerGatherElements(GatherElementsOp op, ImplicitLocOpBuilder &b) {
  int64_t rank = tensorOf(op.getResult()).getRank();
  SmallVector<int64_t> others;
  for (int64_t dimension = 0; dimension < rank; ++dimension)
    if (dimension != int64_t(op.getAxis()))
      others.push_back(dimension);
  return gather(op, b, op.getInput(), op.getIndices(), op.getAxis(), b.getMultiDimIdentityMap(rank), others);
}

static Lowered lowerGatherNd(GatherNdOp op, ImplicitLocOpBuilder &b) {
  int64_t rank = tensorOf(op.getResult()).getRank(), tuples = tensorOf(op.getIndices()).getRank() - 1;
  SmallVector<AffineMap> maps;
  for (int64_t named = 0; named < tensorOf(op.getIndices()).getDimSize(tuples); ++named) {
    AffineMap tuple = readsDims(b, rank, 0, tuples);
    maps.push_back(tuple.insertResult(b.getAffineConstantExpr(named), tuples));
  }
  return gather(op, b, op.getInput(), op.getIndices(), 0, maps, llvm::to_vector(llvm::seq(tuples, rank)));
}

/// A loop over the indices in row-major order, each of which overwrites one slice: the last write wins.
static Lowered lowerScatter(ScatterOp op, ImplicitLocOpBuilder &b) {
  int64_t axis = op.getAxis(), rank = tensorOf(op.getInput()).getRank(), taken = tensorOf(op.getIndices()).getRank();
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), op.getInput());
  Value limit = indexValue(b, sizes[axis]);
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  SmallVector<Value> lower(taken, zero), upper, steps(taken, one);
  for (int64_t dimension = 0; dimension < taken; ++dimension)
    upper.push_back(tensor::DimOp::create(b, op.getIndices(), dimension));
  sizes[axis] = b.getIndexAttr(1);

  auto write = [&](ImplicitLocOpBuilder &inner, ValueRange at, Value target) -> Value {
    SmallVector<OpFoldResult> from(axis, inner.getIndexAttr(0)), fromSizes(ArrayRef(sizes).take_front(axis));
    for (Value position : at) {
      from.push_back(position);
      fromSizes.push_back(inner.getIndexAttr(1));
    }
    from.append(rank - axis - 1, inner.getIndexAttr(0));
    fromSizes.append(sizes.begin() + axis + 1, sizes.end());
    // The slice without the dimensions of the indices, as the target's slice without the axis.
    SmallVector<int64_t> shape(tensorOf(op.getInput()).getShape());
    shape.erase(shape.begin() + axis);
    auto sliceType = RankedTensorType::get(shape, tensorOf(op.getInput()).getElementType());
    SmallVector<OpFoldResult> ones(from.size(), inner.getIndexAttr(1));
    Value slice = tensor::ExtractSliceOp::create(inner, sliceType, op.getUpdates(), from, fromSizes, ones);
    SmallVector<OpFoldResult> offsets(rank, inner.getIndexAttr(0));
    offsets[axis] = clampIndex(inner, tensor::ExtractOp::create(inner, op.getIndices(), at), limit);
    return tensor::InsertSliceOp::create(inner, slice, target, offsets, sizes,
                                         SmallVector<OpFoldResult>(rank, inner.getIndexAttr(1)));
  };
  if (taken == 0)
    return SmallVector<Value>{write(b, {}, op.getInput())};
  scf::LoopNest nest = scf::buildLoopNest(
      b, b.getLoc(), lower, upper, steps, ValueRange{op.getInput()},
      [&](OpBuilder &nested, Location location, ValueRange at, ValueRange carried) -> scf::ValueVector {
        ImplicitLocOpBuilder inner(location, nested);
        return {write(inner, at, carried[0])};
      });
  return SmallVector<Value>(nest.results.begin(), nest.results.end());
}

static Lowered lowerIota(IotaOp op, ImplicitLocOpBuilder &b) {
  auto sizes = resultSizes(b, op->getResult(0));
  if (failed(sizes))
    return failure();
  Type stored = tensorOf(op.getResult()).getElementType(), compute = computeType(stored);
  double start = op.getStart().convertToDouble(), step = op.getStep().convertToDouble();
  return SmallVector<Value>{
      elementwise(b, *sizes, stored, {}, {}, [&](ImplicitLocOpBuilder &inner, ValueRange) -> Value {
        Value index = convertScalar(inner, linalg::IndexOp::create(inner, op.getAxis()), compute);
        Value first = scalar(inner, compute, start), factor = scalar(inner, compute, step);
        Value value =
            isa<FloatType>(compute)
                ? arith::AddFOp::create(inner, arith::MulFOp::create(inner, index, factor), first).getResult()
                : arith::AddIOp::create(inner, arith::MulIOp::create(inner, index, factor), first).getResult();
        return convertScalar(inner, value, stored);
      })};
}

/// The new positions go where there is room for all of them.
static Lowered lowerKvCacheAppend(KvCacheAppendOp op, ImplicitLocOpBuilder &b) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), op.getUpdate());
  Value room = arith::SubIOp::create(b, tensor::DimOp::create(b, op.getCache(), 2), indexValue(b, sizes[2]));
  Value places = arith::AddIOp::create(b, room, arith::ConstantIndexOp::create(b, 1));
  SmallVector<OpFoldResult> offsets(4, b.getIndexAttr(0)), strides(4, b.getIndexAttr(1));
  offsets[2] = clampIndex(b, heldIndex(b, op.getPosition()), places);
  return SmallVector<Value>{tensor::InsertSliceOp::create(b, op.getUpdate(), op.getCache(), offsets, sizes, strides)};
}

/// A loop over the new positions, each of which overwrites the heads of one key of one page, or of none: that is a loop
/// of one turn or of none.
static Lowered lowerKvPagesAppend(KvPagesAppendOp op, ImplicitLocOpBuilder &b) {
  auto size = [&](Value of, int64_t d) { return indexValue(b, tensor::getMixedSize(b, b.getLoc(), of, d)); };
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  Value pages = size(op.getPool(), 0), page = size(op.getPool(), 2);
  Value keys = b.createOrFold<arith::MulIOp>(size(op.getBlockTable(), 1), page);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), op.getPool());
  SmallVector<OpFoldResult> strides(4, b.getIndexAttr(1));
  sizes[0] = sizes[2] = b.getIndexAttr(1);
  auto write = [&](ImplicitLocOpBuilder &inner, Value sequence, Value added, Value target) -> Value {
    auto read = [&](Value from, ValueRange at) -> Value {
      Value number = tensor::ExtractOp::create(inner, from, at);
      return arith::IndexCastOp::create(inner, inner.getIndexType(), number);
    };
    // As unsigned numbers those below 0 are no smaller than any size.
    auto isBelow = [&](Value number, Value limit) -> Value {
      return arith::CmpIOp::create(inner, arith::CmpIPredicate::ult, number, limit);
    };
    Value key = arith::AddIOp::create(inner, read(op.getPosition(), sequence), added);
    Value isKey = isBelow(key, keys);
    key = arith::SelectOp::create(inner, isKey, key, zero);
    Value number = read(op.getBlockTable(), {sequence, arith::DivUIOp::create(inner, key, page)});
    Value isPlace = arith::AndIOp::create(inner, isKey, isBelow(number, pages));
    Value turns = arith::SelectOp::create(inner, isPlace, one, zero);
    OpFoldResult row = arith::RemUIOp::create(inner, key, page).getResult(), none = inner.getIndexAttr(0);
    auto loop = scf::ForOp::create(
        inner, zero, turns, one, target, [&](OpBuilder &nested, Location location, Value, ValueRange carried) {
          SmallVector<OpFoldResult> from = {sequence, none, added, none}, to = {number, none, row, none};
          Value slice = tensor::ExtractSliceOp::create(nested, location, op.getUpdate(), from, sizes, strides);
          Value made = tensor::InsertSliceOp::create(nested, location, slice, carried[0], to, sizes, strides);
          scf::YieldOp::create(nested, location, made);
        });
    return loop.getResult(0);
  };
  scf::LoopNest nest = scf::buildLoopNest(
      b, b.getLoc(), {zero, zero}, {size(op.getUpdate(), 0), size(op.getUpdate(), 2)}, {one, one},
      ValueRange{op.getPool()},
      [&](OpBuilder &nested, Location location, ValueRange at, ValueRange carried) -> scf::ValueVector {
        ImplicitLocOpBuilder inner(location, nested);
        return {write(inner, at[0], at[1], carried[0])};
      });
  return SmallVector<Value>(nest.results.begin(), nest.results.end());
}

static Lowered lowerKvCacheRead(KvCacheReadOp op, ImplicitLocOpBuilder &b) {
  auto sizes = resultSizes(b, op->getResult(0));
  if (failed(sizes))
    return failure();
  SmallVector<OpFoldResult> offsets(4, b.getIndexAttr(0)), strides(4, b.getIndexAttr(1));
  return SmallVector<Value>{tensor::ExtractSliceOp::create(b, op.getCache(), offsets, *sizes, strides)};
}

void tenon::populateIndexLowerings(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<LowerBy<EmbeddingOp>>(context, &lowerEmbedding);
  patterns.add<LowerBy<GatherOp>>(context, &lowerGather);
  patterns.add<LowerBy<GatherElementsOp>>(context, &lowerGatherElements);
  patterns.add<LowerBy<GatherNdOp>>(context, &lowerGatherNd);
  patterns.add<LowerBy<ScatterOp>>(context, &lowerScatter);
  patterns.add<LowerBy<IotaOp>>(context, &lowerIota);
  patterns.add<LowerBy<KvCacheAppendOp>>(context, &lowerKvCacheAppend);
  patterns.add<LowerBy<KvPagesAppendOp>>(context, &lowerKvPagesAppend);
  patterns.add<LowerBy<KvCacheReadOp>>(context, &lowerKvCacheRead);
}
