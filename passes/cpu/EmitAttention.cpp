// Attention without its score matrix (online softmax, Milakov and Gimelshein 2018; tiled as FlashAttention, Dao et al.
// 2022). A task has one head and a chunk of queries. For each block of keys it transposes them into scratch once; then,
// a register block of queries at a time, it computes the scores, updates each query's maximum, sum of powers and
// weighted sum of values, which wait in scratch for the next block. Operands are read through the views that split the
// heads, and the result is written through those that join them.
#include "dialects/Tenon/Tenon.h"
#include "lib/Arithmetic/ClampedIndex.h"
#include "lib/Arithmetic/ScorePowers.h"
#include "passes/cpu/Emitters.h"
#include "passes/cpu/RegisterBlock.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace tenon;

static constexpr int64_t mostValueVectors = 4; // of a register block of results

namespace {
class AttentionEmitter {
public:
  AttentionEmitter(KernelFunction &kernel, AttentionOp op, CpuAttentionAttr schedule)
      : kernel(kernel), b(kernel.b), points(kernel.points), op(op), queries(schedule.getQueries()),
        keys(schedule.getKeys()), lanes(schedule.getLanes()), chunk(schedule.getChunk()) {}
  bool run();

private:
  bool check();
  void openTask();
  void startRows();
  void emitKeyBlock(Value firstKey);
  void transposeKeys(Value firstKey, Value numKeys);
  void emitQueryBlock(Value firstKey, Value numKeys, Value firstQuery);
  SmallVector<Value> scores(Value firstKey, Value numKeys, Value firstQuery);
  Value masked(Value score, Value query, Value firstKey, int64_t vector);
  void mask(MutableArrayRef<Value> scores, Value firstKey, Value numKeys, Value firstQuery);
  void addValues(Value firstKey, Value numKeys, Value firstRow, bool skipsHidden);
  Value hasNonFinite(Value firstKey, Value numKeys);
  Value valueAt(Value firstKey, Value step, int64_t column);
  void storeRows();
  bool good() const { return points.error().empty(); }

  Value at(int64_t constant) { return arith::ConstantIndexOp::create(b, constant); }
  Value number(double value) { return arith::ConstantOp::create(b, b.getFloatAttr(type, value)); }
  Value wide(Value scalar) { return points.widen(scalar); }
  Value widened(Value element);
  Value scaleAt(Value scale, const Point &full);
  /// The greater one, in one instruction: a NaN may get lost here, it is kept by the powers.
  Value greater(Value l, Value r) {
    return arith::SelectOp::create(b, arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, l, r), l, r);
  }
  Value greatestLane(Value vector);
  Value powerOf(Value score, Value base) {
    return powerOfScore(b, arith::SubFOp::create(b, score, base), op.getSoftCap().has_value());
  }
  void updateMaxima(ArrayRef<Value> block, Value firstRow);
  /// The query's number, the last one's where a block reaches past it.
  Value queryOf(Value firstQuery, int64_t row);
  AffineExpr keyHead() { return head.floorDiv(group); }
  /// The batch, or page, of the keys from `first` on, which has them all, and which one the first is there.
  std::pair<AffineExpr, AffineExpr> placeOfKeys(AffineExpr first);
  /// To the buffer that a result of the attention goes to, at a point of that result.
  bool store(Value value, Value tensor, const Point &point);

  KernelFunction &kernel;
  ImplicitLocOpBuilder &b;
  PointEmitter &points;
  AttentionOp op;
  int64_t queries, keys, lanes, chunk;
  int64_t headSize, valueSize, group;
  FloatType type; // of scores and sums
  Value lengthOf(Value lengths, Value most);
  Value numQueries, allKeys, shift;
  Value endOfKeys, endOfQueries;                   // of the task's batch
  Value transposed, powers, outputs, maxima, sums; // scratch
  Value bases, corrections;                        // scratch: of the rows of a block
  AffineExpr batch, head;
  Value nonFinite;                 // whether a value of the block of keys is NaN or infinite
  Value firstOfChunk, rowsOfChunk; // rowsOfChunk: as many as there are queries left
};
} // namespace

bool AttentionEmitter::check() {
  auto query = op.getQuery().getType(), key = op.getKey().getType(), value = op.getValue().getType();
  auto q = cast<RankedTensorType>(query), k = cast<RankedTensorType>(key), v = cast<RankedTensorType>(value);
  headSize = q.getDimSize(3);
  valueSize = v.getDimSize(3);
  if (ShapedType::isDynamic(headSize))
    headSize = k.getDimSize(3);
  if (ShapedType::isDynamic(headSize) || ShapedType::isDynamic(valueSize) || q.isDynamicDim(1) || k.isDynamicDim(1))
    return points.fail("head size or number of heads is dynamic"), false;
  if (q.getDimSize(1) == 0 || k.getDimSize(1) == 0 || valueSize == 0)
    return points.fail("it has no heads"), false;
  // The keys of a vector are in one page.
  if (op.getBlockTable() && (k.isDynamicDim(2) || k.getDimSize(2) == 0 || k.getDimSize(2) % lanes != 0))
    return points.fail("its pages have no multiple of as many keys as a vector"), false;
  group = q.getDimSize(1) / k.getDimSize(1);
  type = cast<FloatType>(q.getElementType().getIntOrFloatBitWidth() < 32 ? Type(b.getF32Type()) : q.getElementType());
  return true;
}

Value AttentionEmitter::widened(Value element) {
  Type element_ = getElementTypeOrSelf(element.getType());
  if (element_ == type)
    return element;
  Type to = type;
  if (auto vector = dyn_cast<VectorType>(element.getType()))
    to = vector.clone(type);
  return arith::ExtFOp::create(b, to, element);
}

void AttentionEmitter::openTask() {
  numQueries = points.sizeValue(op.getQuery(), 2);
  allKeys = points.sizeValue(op.getKey(), 2);
  if (Value table = op.getBlockTable())
    allKeys = arith::MulIOp::create(b, allKeys, points.sizeValue(table, 1));
  shift = arith::SubIOp::create(b, allKeys, numQueries);
  Value chunks = arith::CeilDivUIOp::create(b, numQueries, at(chunk));
  SmallVector<OpFoldResult> sizes = {points.size(op.getQuery(), 0), points.size(op.getQuery(), 1),
                                     getAsOpFoldResult(chunks)};
  Value tasks = chunks;
  for (OpFoldResult size : ArrayRef(sizes).take_front(2))
    tasks = arith::MulIOp::create(b, tasks, getValueOrCreateConstantIndexOp(b, b.getLoc(), size));
  Value task = kernel.openTasks(getAsOpFoldResult(tasks), 1);
  if (!task)
    return;
  SmallVector<Value> places = kernel.split(task, sizes);
  batch = points.dim(places[0]);
  head = points.dim(places[1]);
  firstOfChunk = arith::MulIOp::create(b, places[2], at(chunk));
  rowsOfChunk = arith::MinUIOp::create(b, at(chunk), arith::SubIOp::create(b, numQueries, firstOfChunk));
  endOfKeys = lengthOf(op.getKeyLengths(), allKeys);
  endOfQueries = lengthOf(op.getQueryLengths(), numQueries);
  auto index = [&](int64_t size) { return OpFoldResult(b.getIndexAttr(size)); };
  transposed = kernel.scratch({index(headSize), index(keys)}, type);
  powers = kernel.scratch({index(queries), index(keys)}, type);
  outputs = kernel.scratch({index(chunk), index(llvm::alignTo(valueSize, lanes))}, type);
  maxima = kernel.scratch({index(chunk + lanes)}, type); // read by vectors
  bases = kernel.scratch({index(llvm::alignTo(queries, lanes))}, type);
  corrections = kernel.scratch({index(llvm::alignTo(queries, lanes))}, type);
  sums = kernel.scratch({index(chunk), index(lanes)}, type);
}

/// Of the task's batch, from 0 to `most`; that where there are no lengths.
Value AttentionEmitter::lengthOf(Value lengths, Value most) {
  if (!lengths)
    return most;
  Value length = points.at(lengths, {batch});
  return length ? clampedIndex(b, length, most) : most;
}

std::pair<AffineExpr, AffineExpr> AttentionEmitter::placeOfKeys(AffineExpr first) {
  Value table = op.getBlockTable();
  if (!table)
    return {batch, first};
  Value page = points.sizeValue(op.getKey(), 2), key = points.index(first);
  Value number = points.at(table, {batch, points.dim(arith::DivUIOp::create(b, key, page))});
  if (!number)
    return {batch, first};
  Value last = arith::SubIOp::create(b, points.sizeValue(op.getKey(), 0), at(1));
  return {points.dim(clampedIndex(b, number, last)), points.dim(arith::RemUIOp::create(b, key, page))};
}

void AttentionEmitter::startRows() {
  auto loop = scf::ForOp::create(b, at(0), at(chunk), at(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  AffineExpr row = points.dim(loop.getInductionVar());
  points.store(number(-std::numeric_limits<double>::infinity()), maxima, {row});
  points.store(wide(number(0)), sums, {row, points.lane()});
  for (int64_t column = 0; column < valueSize; column += lanes)
    points.store(wide(number(0)), outputs, {row, points.lane() + column});
}

/// transposed[d, j] = key[firstKey + j, d]: afterwards neighbouring keys are neighbouring lanes.
void AttentionEmitter::transposeKeys(Value firstKey, Value numKeys) {
  auto loop = scf::ForOp::create(b, at(0), at(headSize), at(lanes));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  AffineExpr known; // of the vector of keys that is turned
  std::pair<AffineExpr, AffineExpr> there;
  kernel.overBlock(loop.getInductionVar(), b.getIndexAttr(headSize), getAsOpFoldResult(numKeys),
                   [&](AffineExpr d, AffineExpr place) {
                     AffineExpr first = points.dim(firstKey) + place.replace(points.lane(), points.constant(0));
                     if (first != known)
                       known = first, there = placeOfKeys(first);
                     Point point = {there.first, keyHead(), there.second + points.lane(), d};
                     if (Value key = points.at(op.getKey(), point))
                       points.store(widened(key), transposed, {d, place});
                   });
}

Value AttentionEmitter::queryOf(Value firstQuery, int64_t row) {
  Value last = arith::SubIOp::create(b, numQueries, at(1));
  return arith::MinUIOp::create(b, arith::AddIOp::create(b, firstQuery, at(row)), last);
}

Value AttentionEmitter::masked(Value score, Value query, Value firstKey, int64_t vector) {
  AffineExpr key = points.dim(firstKey) + vector * lanes + points.lane();
  Value visible;
  auto require = [&](Value condition) {
    visible = visible ? arith::AndIOp::create(b, visible, condition).getResult() : condition;
  };
  if (Value mask = op.getMask()) {
    auto maskType = cast<RankedTensorType>(mask.getType());
    SmallVector<AffineExpr> full = {batch, head, points.dim(query), key};
    Point place;
    for (auto [dimension, size] : llvm::enumerate(maskType.getShape()))
      place.push_back(size == 1 ? points.constant(0) : full[4 - maskType.getRank() + dimension]);
    Value element = points.at(mask, place);
    if (!element)
      return score;
    if (maskType.getElementType().isInteger(1))
      require(wide(element));
    else
      score = arith::AddFOp::create(b, score, wide(widened(element)));
  }
  if (op.getCausal() || op.getWindow()) {
    auto indexVector = VectorType::get(lanes, b.getIndexType());
    Value number = arith::AddIOp::create(b, vector::StepOp::create(b, indexVector),
                                         wide(arith::AddIOp::create(b, firstKey, at(vector * lanes))));
    Value last = arith::AddIOp::create(b, query, shift);
    if (op.getCausal())
      require(arith::CmpIOp::create(b, arith::CmpIPredicate::sle, number, wide(last)));
    if (std::optional<uint64_t> window = op.getWindow())
      require(arith::CmpIOp::create(b, arith::CmpIPredicate::sgt, number,
                                    wide(arith::SubIOp::create(b, last, at(*window)))));
  }
  if (visible)
    score = arith::SelectOp::create(b, visible, score, wide(number(-std::numeric_limits<double>::infinity())));
  return score;
}

/// Masks on a block of scores, row by row; keys that do not exist are hidden.
void AttentionEmitter::mask(MutableArrayRef<Value> scores, Value firstKey, Value numKeys, Value firstQuery) {
  Value hidden = wide(number(-std::numeric_limits<double>::infinity()));
  const int64_t vectors = keys / lanes;
  SmallVector<Value> rows, left, exists;
  for (int64_t row = 0; row < queries; ++row)
    rows.push_back(queryOf(firstQuery, row));
  for (int64_t vector = 0; vector < vectors; ++vector) {
    left.push_back(arith::MaxSIOp::create(b, arith::SubIOp::create(b, numKeys, at(vector * lanes)), at(0)));
    exists.push_back(vector::CreateMaskOp::create(b, VectorType::get(lanes, b.getI1Type()), left.back()));
  }
  for (auto [place, score] : llvm::enumerate(scores)) {
    int64_t vector = place % vectors;
    // Keys past the last are read as the mask has them, so they are hidden after it.
    points.setMask(arith::MinSIOp::create(b, left[vector], at(lanes)));
    score = masked(score, rows[place / vectors], firstKey, vector);
    points.clearMask();
    score = arith::SelectOp::create(b, exists[vector], score, hidden);
  }
}

/// The masked scores of a block, row by row.
SmallVector<Value> AttentionEmitter::scores(Value firstKey, Value numKeys, Value firstQuery) {
  RegisterBlock block{queries, keys / lanes};
  SmallVector<Value> rows;
  for (int64_t row = 0; row < queries; ++row)
    rows.push_back(queryOf(firstQuery, row));
  SmallVector<Value> products(block.rows * block.vectors, wide(number(0)));
  products = block.accumulate(
      b, at(0), at(headSize), products,
      [&](int64_t row, Value step) -> Value {
        Value query = points.at(op.getQuery(), {batch, head, points.dim(rows[row]), points.dim(step)});
        return query ? widened(query) : Value();
      },
      [&](int64_t vector, Value step) {
        return points.load(transposed, {points.dim(step), points.lane() + vector * lanes});
      });
  if (products.empty())
    return {};
  double scale = op.getScale() ? op.getScale()->convertToDouble() : 1.0 / std::sqrt(static_cast<double>(headSize));
  std::optional<APFloat> softCap = op.getSoftCap();
  double cap = softCap ? softCap->convertToDouble() : 1;
  Value ofKeys = scaleAt(op.getKeyScale(), {batch, keyHead(), points.constant(0), points.constant(0)});
  SmallVector<Value> factors;
  for (Value row : rows) {
    Value ofQuery = scaleAt(op.getQueryScale(), {batch, head, points.dim(row), points.constant(0)});
    Value factor = number(scale / cap);
    for (Value given : {ofKeys, ofQuery})
      if (given)
        factor = arith::MulFOp::create(b, given, factor);
    factors.push_back(wide(factor));
  }
  for (auto [place, product] : llvm::enumerate(products)) {
    product = arith::MulFOp::create(b, product, factors[place / block.vectors]);
    if (softCap)
      product = arith::MulFOp::create(b, math::TanhOp::create(b, product), wide(number(cap)));
  }
  mask(products, firstKey, numKeys, firstQuery);
  return products;
}

/// A scale at a point of what it broadcasts to; null where there is none.
Value AttentionEmitter::scaleAt(Value scale, const Point &full) {
  if (!scale)
    return {};
  auto scaleType = cast<RankedTensorType>(scale.getType());
  Point place;
  for (auto [dimension, size] : llvm::enumerate(scaleType.getShape()))
    place.push_back(size == 1 ? points.constant(0) : full[4 - scaleType.getRank() + dimension]);
  return points.at(scale, place);
}

/// Lanes `column` and on of a key's value.
Value AttentionEmitter::valueAt(Value firstKey, Value step, int64_t column) {
  if (column + lanes > valueSize)
    points.setMask(at(valueSize - column));
  auto [of, key] = placeOfKeys(points.dim(firstKey) + points.dim(step));
  Value value = points.at(op.getValue(), {of, keyHead(), key, points.lane() + column});
  points.clearMask();
  return value ? widened(value) : Value();
}

/// Whether a value of the block is NaN or infinite: what a hidden key's is must not count, not even times 0.
Value AttentionEmitter::hasNonFinite(Value firstKey, Value numKeys) {
  Value zero = wide(number(0));
  auto loop = scf::ForOp::create(b, at(0), numKeys, at(1), ValueRange{zero});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value sum = loop.getRegionIterArg(0);
    for (int64_t column = 0; column < valueSize; column += lanes)
      if (Value value = valueAt(firstKey, loop.getInductionVar(), column))
        sum = vector::FMAOp::create(b, value, zero, sum);
    scf::YieldOp::create(b, sum);
  }
  Value total =
      vector::ReductionOp::create(b, vector::CombiningKind::ADD, loop.getResult(0), arith::FastMathFlags::reassoc);
  return arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, total, total);
}

/// outputs[row, :] = outputs[row, :] * correction + sum over the block's keys of power * value.
void AttentionEmitter::addValues(Value firstKey, Value numKeys, Value firstRow, bool skipsHidden) {
  int64_t vectors = llvm::divideCeil(valueSize, lanes);
  for (int64_t first = 0; first < vectors; first += mostValueVectors) {
    RegisterBlock block{queries, std::min(mostValueVectors, vectors - first), skipsHidden};
    SmallVector<Point> places;
    SmallVector<Value> results;
    for (int64_t row = 0; row < queries; ++row) {
      Value correction = wide(points.load(corrections, {points.constant(row)}));
      for (int64_t vector = 0; vector < block.vectors; ++vector) {
        places.push_back({points.dim(firstRow) + row, points.lane() + (first + vector) * lanes});
        results.push_back(arith::MulFOp::create(b, points.load(outputs, places.back()), correction));
      }
    }
    results = block.accumulate(
        b, at(0), numKeys, results,
        [&](int64_t row, Value step) { return points.load(powers, {points.constant(row), points.dim(step)}); },
        [&](int64_t vector, Value step) { return valueAt(firstKey, step, (first + vector) * lanes); });
    for (auto [place, result] : llvm::zip(places, results))
      points.store(result, outputs, place);
  }
}

/// By halves: a reduction op would keep NaN, at several instructions a step.
Value AttentionEmitter::greatestLane(Value vector) {
  for (int64_t width = lanes / 2; width >= 1; width /= 2) {
    SmallVector<int64_t> low = llvm::to_vector(llvm::seq<int64_t>(0, width)),
                         high = llvm::to_vector(llvm::seq<int64_t>(width, 2 * width));
    vector =
        greater(vector::ShuffleOp::create(b, vector, vector, low), vector::ShuffleOp::create(b, vector, vector, high));
  }
  return vector::ExtractOp::create(b, vector, 0);
}

/// The rows' maxima with this block's scores; what their powers are based on, and what corrects those of earlier
/// blocks. Rows are lanes here: one vector does for a block of them.
void AttentionEmitter::updateMaxima(ArrayRef<Value> block, Value firstRow) {
  Value lowest = number(-std::numeric_limits<double>::infinity());
  int64_t vectors = keys / lanes;
  for (int64_t first = 0; first < queries; first += lanes) {
    SmallVector<Value> greatest(lanes, lowest);
    for (int64_t row = first; row < std::min(queries, first + lanes); ++row) {
      ArrayRef<Value> own = block.slice(row * vectors, vectors);
      Value highest = own.front();
      for (Value next : own.drop_front())
        highest = greater(highest, next);
      greatest[row - first] = greatestLane(highest);
    }
    // Lanes past the block's rows hold those of the next one, which -infinity does not change.
    Point place = {points.dim(firstRow) + first + points.lane()}, own = {points.lane() + first};
    Value before = points.load(maxima, place);
    Value now = greater(vector::FromElementsOp::create(b, cast<VectorType>(before.getType()), greatest), before);
    points.store(now, maxima, place);
    // As long as no key is visible the powers are 0, not those of -infinity less itself.
    Value isEmpty = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, now, wide(lowest));
    Value base = arith::SelectOp::create(b, isEmpty, wide(number(0)), now);
    points.store(base, bases, own);
    points.store(powerOf(before, base), corrections, own);
  }
}

void AttentionEmitter::emitQueryBlock(Value firstKey, Value numKeys, Value firstQuery) {
  SmallVector<Value> block = scores(firstKey, numKeys, firstQuery);
  if (block.empty())
    return;
  Value firstRow = arith::SubIOp::create(b, firstQuery, firstOfChunk);
  int64_t vectors = keys / lanes;
  updateMaxima(block, firstRow);
  SmallVector<Value> all;
  for (int64_t row = 0; row < queries; ++row) {
    Value base = wide(points.load(bases, {points.constant(row)}));
    Point sumPlace = {points.dim(firstRow) + row, points.lane()};
    Value sum =
        arith::MulFOp::create(b, points.load(sums, sumPlace), wide(points.load(corrections, {points.constant(row)})));
    for (auto [vector, score] : llvm::enumerate(ArrayRef(block).slice(row * vectors, vectors))) {
      Value power = powerOf(score, base);
      sum = arith::AddFOp::create(b, sum, power);
      points.store(power, powers, {points.constant(row), points.lane() + vector * lanes});
      all.push_back(power);
    }
    points.store(sum, sums, sumPlace);
  }
  Value lowest = number(-std::numeric_limits<double>::infinity());
  auto branch = scf::IfOp::create(b, nonFinite, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  // A hidden key is marked by the sign of its power 0. It is one for the masks, which are put on scores of 0, and not
  // for a score of -Inf of its own.
  SmallVector<Value> ofMasks(block.size(), wide(number(0)));
  mask(ofMasks, firstKey, numKeys, firstQuery);
  for (auto [place, score] : llvm::enumerate(ofMasks)) {
    Value isHidden = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, score, wide(lowest));
    Value marked = arith::SelectOp::create(b, isHidden, wide(number(-0.0)), all[place]);
    points.store(marked, powers, {points.constant(place / vectors), points.lane() + place % vectors * lanes});
  }
  addValues(firstKey, numKeys, firstRow, /*skipsHidden=*/true);
  b.setInsertionPointToStart(branch.elseBlock());
  addValues(firstKey, numKeys, firstRow, /*skipsHidden=*/false);
}

void AttentionEmitter::emitKeyBlock(Value firstKey) {
  Value numKeys = arith::MinUIOp::create(b, at(keys), arith::SubIOp::create(b, endOfKeys, firstKey));
  transposeKeys(firstKey, numKeys);
  nonFinite = hasNonFinite(firstKey, numKeys);
  Value end = arith::AddIOp::create(b, firstOfChunk, rowsOfChunk);
  if (op.getQueryLengths())
    end = arith::MinUIOp::create(b, end, endOfQueries);
  auto loop = scf::ForOp::create(b, firstOfChunk, end, at(queries));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value firstQuery = loop.getInductionVar();
  if (op.getCausal()) {
    // A block of which no query sees a key is left out.
    Value last = arith::AddIOp::create(b, arith::AddIOp::create(b, firstQuery, at(queries - 1)), shift);
    Value isSeen = arith::CmpIOp::create(b, arith::CmpIPredicate::sle, firstKey, last);
    b.setInsertionPointToStart(scf::IfOp::create(b, isSeen, /*withElseRegion=*/false).thenBlock());
  }
  emitQueryBlock(firstKey, numKeys, firstQuery);
}

bool AttentionEmitter::store(Value value, Value tensor, const Point &point) {
  Point place = point;
  auto bufferOf = [&](Value of) {
    const auto *found = llvm::find_if(kernel.results(), [&](auto &result) { return result.tensor == of; });
    return found == kernel.results().end() ? Value() : found->buffer;
  };
  while (!bufferOf(tensor)) {
    auto readers = llvm::make_filter_range(tensor.getUsers(), [](Operation *op) { return !isa<tensor::DimOp>(op); });
    Operation *user = llvm::hasSingleElement(readers) ? *readers.begin() : nullptr;
    if (auto transpose = dyn_cast_or_null<linalg::TransposeOp>(user)) {
      Point next;
      for (int64_t from : transpose.getPermutation())
        next.push_back(place[from]);
      place = next;
      tensor = transpose.getResult()[0];
    } else if (auto collapse = dyn_cast_or_null<tensor::CollapseShapeOp>(user)) {
      Point next;
      for (const ReassociationIndices &joined : collapse.getReassociationIndices()) {
        AffineExpr linear = place[joined.front()];
        for (int64_t from : ArrayRef(joined).drop_front()) {
          OpFoldResult size = points.size(tensor, from);
          if (std::optional<int64_t> known = getConstantIntValue(size))
            linear = linear * *known + place[from];
          else if (!PointEmitter::hasLane(linear))
            linear = points.dim(arith::MulIOp::create(b, points.index(linear), cast<Value>(size))) + place[from];
          else
            return points.fail("its result is joined across a dynamic size"), false;
        }
        next.push_back(linear);
      }
      place = next;
      tensor = collapse.getResult();
    } else if (auto castOp = dyn_cast_or_null<tensor::CastOp>(user)) {
      tensor = castOp.getResult();
    } else {
      return points.fail("its result is not written through transposes and joins alone"), false;
    }
  }
  points.store(value, bufferOf(tensor), place);
  return true;
}

void AttentionEmitter::storeRows() {
  auto loop = scf::ForOp::create(b, at(0), rowsOfChunk, at(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  AffineExpr row = points.dim(loop.getInductionVar());
  Value sum = vector::ReductionOp::create(b, vector::CombiningKind::ADD, points.load(sums, {row, points.lane()}),
                                          arith::FastMathFlags::reassoc);
  Value isEmpty = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, sum, number(0));
  if (op.getQueryLengths()) {
    Value query = arith::AddIOp::create(b, firstOfChunk, loop.getInductionVar());
    Value isPast = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, query, endOfQueries);
    isEmpty = arith::OrIOp::create(b, isEmpty, isPast);
  }
  if (Value logSumExp = op.getLse()) {
    Value known = arith::AddFOp::create(b, points.load(maxima, {row}), math::LogOp::create(b, sum));
    known = arith::SelectOp::create(b, isEmpty, number(-std::numeric_limits<double>::infinity()), known);
    if (!store(known, logSumExp, {batch, head, points.dim(firstOfChunk) + row}))
      return;
  }
  Value factor = arith::DivFOp::create(b, number(1), sum);
  Type stored = cast<RankedTensorType>(op.getResult().getType()).getElementType();
  for (int64_t column = 0; column < valueSize; column += lanes) {
    if (column + lanes > valueSize)
      points.setMask(at(valueSize - column));
    Value value = points.load(outputs, {row, points.lane() + column});
    value = arith::MulFOp::create(b, value, wide(factor));
    if (Value scale = scaleAt(op.getValueScale(), {batch, keyHead(), points.constant(0), points.lane() + column}))
      value = arith::MulFOp::create(b, value, wide(scale));
    value = arith::SelectOp::create(b, isEmpty, wide(number(0)), value);
    if (stored != type)
      value = arith::TruncFOp::create(b, VectorType::get(lanes, stored), value);
    bool done = store(value, op.getResult(), {batch, head, points.dim(firstOfChunk) + row, points.lane() + column});
    points.clearMask();
    if (!done)
      return;
  }
}

bool AttentionEmitter::run() {
  if (!check())
    return false;
  openTask();
  if (!good())
    return false;
  startRows();
  Value firstKey = at(0), endKey = endOfKeys;
  if (op.getCausal()) { // no query of the chunk sees a later key
    Value end = arith::AddIOp::create(b, arith::AddIOp::create(b, firstOfChunk, rowsOfChunk), shift);
    endKey = arith::MaxSIOp::create(b, at(0), arith::MinSIOp::create(b, endOfKeys, end));
  }
  if (std::optional<uint64_t> window = op.getWindow()) { // nor an earlier one
    Value first = arith::SubIOp::create(b, arith::AddIOp::create(b, firstOfChunk, shift), at(*window - 1));
    first = arith::MaxSIOp::create(b, at(0), first);
    firstKey = arith::SubIOp::create(b, first, arith::RemUIOp::create(b, first, at(keys)));
  }
  auto loop = scf::ForOp::create(b, firstKey, endKey, at(keys));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    emitKeyBlock(loop.getInductionVar());
  }
  if (good())
    storeRows();
  return good();
}

bool tenon::emitAttention(KernelFunction &kernel) {
  auto attentions = kernel.source().getOps<AttentionOp>();
  auto schedule = kernel.source()->getAttrOfType<CpuAttentionAttr>("tenon.schedule");
  if (!llvm::hasSingleElement(attentions))
    return kernel.points.fail("it has several attentions"), false;
  return AttentionEmitter(kernel, *attentions.begin(), schedule).run();
}
