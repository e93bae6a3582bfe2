// Models write rows as [batch, sequence, ..]; a program takes its rows along one dimension, and a sequence of one token
// would leave it one row. Dimensions that lie next to each other in memory and that every loop of a kernel runs through
// together are one dimension, here and inside the kernel only: arguments are collapsed where they are read, results
// expanded where they are yielded, and both are views.
// Which pairs of neighbouring dimensions join is the largest answer that every op agrees to: all pairs are taken at
// first, and one that an op reads apart falls, and with it whatever that op ties to it, until nothing changes.
#include "dialects/Tenon/Tenon.h"
#include "lib/Analysis/ContractionKernel.h"
#include "passes/3_tile/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tenon {
#define GEN_PASS_DEF_COLLAPSEDIMENSIONSPASS
#include "passes/3_tile/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static RankedTensorType typeOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()); }

namespace {
/// For each tensor, whether dimension i and i + 1 are one.
class JoinedDimensions {
public:
  explicit JoinedDimensions(KernelOp kernel);
  bool any() const {
    return llvm::any_of(joined, [](const auto &entry) { return entry.second.any(); });
  }
  SmallVector<ReassociationIndices> groups(Value tensor) const;
  /// The loops that become one, in order.
  SmallVector<SmallVector<unsigned>> loops(linalg::GenericOp op) const;

private:
  void visit(Operation *op);
  void visitGeneric(linalg::GenericOp op);
  /// Whether these loops, each the next one's neighbour, can be one: every operand runs through all of them, one after
  /// the other, or through none; a loop of one turn is nothing to run through.
  bool canJoin(linalg::GenericOp op, ArrayRef<unsigned> group) const;
  void separate(Value tensor, int64_t pair) {
    auto found = joined.find(tensor);
    if (found != joined.end() && found->second.test(pair)) {
      found->second.reset(pair);
      hasChanged = true;
    }
  }
  void tieAll(Value a, Value b) {
    for (int64_t pair = 0; pair + 1 < typeOf(a).getRank(); ++pair)
      tie(a, pair, b, pair);
  }
  void separateAll(Value tensor) {
    if (auto found = joined.find(tensor); found != joined.end())
      for (int64_t pair = 0; pair < int64_t(found->second.size()); ++pair)
        separate(tensor, pair);
  }
  bool isJoined(Value tensor, int64_t pair) const { return joined.lookup(tensor).test(pair); }
  void tie(Value a, int64_t pairOfA, Value b, int64_t pairOfB) {
    if (!isJoined(a, pairOfA))
      separate(b, pairOfB);
    if (!isJoined(b, pairOfB))
      separate(a, pairOfA);
  }

  DenseMap<Value, llvm::SmallBitVector> joined;
  /// Batch, rows and columns of a product stay apart, even one row: they are sides of a matrix instruction.
  std::optional<ContractionKernel> product;
  bool hasChanged = true;
};
} // namespace

/// The sizes that a result is made with; none where the op does not state them.
static std::optional<SmallVector<OpFoldResult>> statedSizes(Value tensor) {
  while (Operation *op = tensor.getDefiningOp()) {
    if (auto empty = dyn_cast<tensor::EmptyOp>(op))
      return empty.getMixedSizes();
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op); slice && slice.getDroppedDims().none())
      return slice.getMixedSizes();
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
      tensor = insert.getDest();
    else if (auto structured = dyn_cast<linalg::LinalgOp>(op))
      tensor = structured.getDpsInits()[cast<OpResult>(tensor).getResultNumber()];
    else
      return std::nullopt;
  }
  return std::nullopt;
}

/// Whether `size` is that of the tensor, as far as one can see: a dynamic one may be less.
static bool isSizeOf(OpFoldResult size, Value tensor, int64_t dimension) {
  if (std::optional<int64_t> known = getConstantIntValue(size))
    return *known == typeOf(tensor).getDimSize(dimension);
  auto dim = cast<Value>(size).getDefiningOp<tensor::DimOp>();
  if (dim && dim.getSource() == tensor && dim.getConstantIndex() == dimension)
    return true;
  std::optional<SmallVector<OpFoldResult>> stated = statedSizes(tensor);
  return stated && (*stated)[dimension] == size;
}

JoinedDimensions::JoinedDimensions(KernelOp kernel) : product(findContraction(kernel.getBlock())) {
  auto add = [&](Value value) {
    if (auto type = dyn_cast<RankedTensorType>(value.getType()); type && type.getRank() > 1)
      joined[value] = llvm::SmallBitVector(type.getRank() - 1, true);
  };
  llvm::for_each(kernel.getBody().getArguments(), add);
  for (Operation &op : kernel.getBlock())
    llvm::for_each(op.getResults(), add);
  while (hasChanged) {
    hasChanged = false;
    for (Operation &op : kernel.getBlock())
      visit(&op);
  }
}

bool JoinedDimensions::canJoin(linalg::GenericOp op, ArrayRef<unsigned> group) const {
  auto iterators = op.getIteratorTypesArray();
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  auto sideOf = [&](unsigned loop) {
    return !product || product->op != op             ? 0
           : llvm::is_contained(product->rows, loop) ? 1
           : loop == product->column                 ? 2
                                                     : 3;
  };
  for (unsigned loop : group) {
    if (iterators[loop] != iterators[group.front()] || sideOf(loop) != sideOf(group.front()))
      return false;
    for (auto index : op.getBody()->getOps<linalg::IndexOp>())
      if (index.getDim() == loop)
        return false;
  }
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    std::optional<int64_t> last;
    bool hasLong = false, lacksLong = false;
    for (unsigned loop : group) {
      (map.isFunctionOfDim(loop) ? hasLong : lacksLong) |= sizes[loop] != 1;
      if (!map.isFunctionOfDim(loop))
        continue;
      std::optional<unsigned> at = map.getResultPosition(getAffineDimExpr(loop, op.getContext()));
      if (!at || llvm::count_if(map.getResults(), [&](AffineExpr e) { return e.isFunctionOfDim(loop); }) != 1 ||
          (last && (*at != *last + 1 || !isJoined(operand.get(), *last))))
        return false;
      last = *at;
    }
    if (hasLong && lacksLong)
      return false;
  }
  return true;
}

SmallVector<SmallVector<unsigned>> JoinedDimensions::loops(linalg::GenericOp op) const {
  SmallVector<SmallVector<unsigned>> result;
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop) {
    if (loop > 0) {
      result.back().push_back(loop);
      if (canJoin(op, result.back()))
        continue;
      result.back().pop_back();
    }
    result.push_back({loop});
  }
  return result;
}

void JoinedDimensions::visitGeneric(linalg::GenericOp op) {
  // What the body looks up is read element by element.
  for (Operation &inner : *op.getBody())
    if (auto read = dyn_cast<tensor::ExtractOp>(inner))
      separateAll(read.getTensor());
  SmallVector<unsigned> groupOf(op.getNumLoops());
  for (auto [number, group] : llvm::enumerate(loops(op)))
    for (unsigned loop : group)
      groupOf[loop] = number;
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (int64_t pair = 0; pair + 1 < int64_t(map.getNumResults()); ++pair) {
      auto first = dyn_cast<AffineDimExpr>(map.getResult(pair));
      auto second = dyn_cast<AffineDimExpr>(map.getResult(pair + 1));
      if (!first || !second || groupOf[first.getPosition()] != groupOf[second.getPosition()])
        separate(operand.get(), pair);
    }
  }
  for (auto [init, result] : llvm::zip_equal(op.getDpsInits(), op->getResults()))
    tieAll(init, result);
}

void JoinedDimensions::visit(Operation *op) {
  if (auto structured = dyn_cast<linalg::GenericOp>(op))
    return visitGeneric(structured);
  if (auto fill = dyn_cast<linalg::FillOp>(op))
    return tieAll(fill.getOutputs()[0], fill.getResult(0));
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op)) {
    ArrayRef<int64_t> order = transpose.getPermutation();
    Value input = transpose.getInput(), result = transpose->getResult(0);
    tieAll(transpose.getInit(), result);
    for (int64_t pair = 0; pair + 1 < int64_t(order.size()); ++pair) {
      if (order[pair] + 1 == order[pair + 1])
        tie(input, order[pair], result, pair);
      else
        separate(result, pair);
      int64_t to = llvm::find(order, pair) - order.begin();
      if (to + 1 == int64_t(order.size()) || order[to + 1] != pair + 1)
        separate(input, pair);
    }
    return;
  }
  // A slice's dimensions that are whole may join.
  auto visitSlice = [&](OffsetSizeAndStrideOpInterface slice, Value whole, Value part, Value result) {
    if (typeOf(whole).getRank() != typeOf(part).getRank())
      return separateAll(whole), separateAll(part), separateAll(result);
    auto isWhole = [&](int64_t d) {
      return isConstantIntValue(slice.getMixedOffsets()[d], 0) && isConstantIntValue(slice.getMixedStrides()[d], 1) &&
             isSizeOf(slice.getMixedSizes()[d], whole, d);
    };
    // Behind dimensions of one element a part of the next is a part of both; but for parts of columns, which a row is
    // not: the product of one row that gates read in halves has both dimensions.
    auto isOne = [&](int64_t d) { return typeOf(whole).getDimSize(d) == 1 && typeOf(part).getDimSize(d) == 1; };
    for (int64_t pair = 0; pair + 1 < typeOf(whole).getRank(); ++pair) {
      bool isOfColumns = pair + 2 == typeOf(whole).getRank();
      bool isBehindOnes = !isOfColumns && llvm::all_of(llvm::seq<int64_t>(0, pair + 1), isOne);
      if (!isBehindOnes && (!isWhole(pair) || !isWhole(pair + 1))) {
        separate(whole, pair);
        // A dimension of which one place is read is none: it goes with the one before it.
        if (part == result && typeOf(part).getDimSize(pair + 1) == 1)
          continue;
      }
      tie(whole, pair, part, pair);
      tie(whole, pair, result, pair);
    }
  };
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    return visitSlice(slice, slice.getSource(), slice.getResult(), slice.getResult());
  if (auto slice = dyn_cast<tensor::InsertSliceOp>(op))
    return visitSlice(slice, slice.getDest(), slice.getSource(), slice.getResult());
  if (auto yield = dyn_cast<YieldOp>(op)) {
    for (Value value : yield.getOperands())
      if (!isa<BlockArgument>(value) && !statedSizes(value))
        separateAll(value);
    return;
  }
  if (isa<tensor::EmptyOp>(op))
    return;
  // A size of an argument stays one; every other op wants its tensors as they are.
  if (isa<tensor::DimOp>(op) && isa<BlockArgument>(op->getOperand(0)))
    return;
  op->walk([&](Operation *inner) { llvm::for_each(inner->getOperands(), [&](Value value) { separateAll(value); }); });
  llvm::for_each(op->getResults(), [&](Value value) { separateAll(value); });
}

SmallVector<ReassociationIndices> JoinedDimensions::groups(Value tensor) const {
  SmallVector<ReassociationIndices> result;
  for (int64_t d = 0; d < typeOf(tensor).getRank(); ++d)
    if (d > 0 && isJoined(tensor, d - 1))
      result.back().push_back(d);
    else
      result.push_back({d});
  return result;
}

namespace {
/// Builds every op of the kernel again on joined dimensions.
class Collapser {
public:
  Collapser(KernelOp kernel, const JoinedDimensions &dimensions)
      : kernel(kernel), dimensions(dimensions), b(kernel.getLoc(), kernel.getContext()) {}
  void run();

private:
  bool isChanged(Value tensor) {
    return isa<RankedTensorType>(tensor.getType()) &&
           int64_t(dimensions.groups(tensor).size()) != typeOf(tensor).getRank();
  }
  RankedTensorType collapsedType(Value tensor) {
    return tensor::CollapseShapeOp::inferCollapsedType(typeOf(tensor), dimensions.groups(tensor));
  }
  /// Of each group of the tensor's dimensions: the product of their sizes, the offset or stride of the first that has
  /// more than one element.
  SmallVector<OpFoldResult> products(Value tensor, ArrayRef<OpFoldResult> sizes);
  SmallVector<OpFoldResult> firsts(Value tensor, ArrayRef<OpFoldResult> values) {
    return llvm::map_to_vector(dimensions.groups(tensor), [&](const ReassociationIndices &group) {
      auto isLong = [&](int64_t d) { return typeOf(tensor).getDimSize(d) != 1; };
      const int64_t *found = llvm::find_if(group, isLong);
      return values[found == group.end() ? group.front() : *found];
    });
  }
  Value known(Value value) { return mapping.lookupOrDefault(value); }
  void rebuild(Operation *op);
  void rebuildGeneric(linalg::GenericOp op);

  KernelOp kernel;
  const JoinedDimensions &dimensions;
  ImplicitLocOpBuilder b;
  IRMapping mapping;
};
} // namespace

SmallVector<OpFoldResult> Collapser::products(Value tensor, ArrayRef<OpFoldResult> sizes) {
  return llvm::map_to_vector(dimensions.groups(tensor), [&](const ReassociationIndices &group) {
    OpFoldResult product = sizes[group.front()];
    for (int64_t d : ArrayRef(group).drop_front()) {
      std::optional<int64_t> left = getConstantIntValue(product), right = getConstantIntValue(sizes[d]);
      if (left && right)
        product = b.getIndexAttr(*left * *right);
      else
        product = b.createOrFold<arith::MulIOp>(getValueOrCreateConstantIndexOp(b, b.getLoc(), product),
                                                getValueOrCreateConstantIndexOp(b, b.getLoc(), sizes[d]));
    }
    return product;
  });
}

void Collapser::rebuildGeneric(linalg::GenericOp op) {
  SmallVector<SmallVector<unsigned>> loops = dimensions.loops(op);
  // Each old loop is its group's new one; what reads a group reads it once.
  SmallVector<AffineExpr> joined(op.getNumLoops());
  SmallVector<utils::IteratorType> iterators;
  for (auto [number, group] : llvm::enumerate(loops)) {
    iterators.push_back(op.getIteratorTypesArray()[group.front()]);
    for (unsigned loop : group)
      joined[loop] = b.getAffineDimExpr(number);
  }
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  /// Where an operand has no loop of a group but those of one turn, it is read at 0.
  auto read = [&](AffineMap map) {
    SmallVector<AffineExpr> exprs(joined);
    for (ArrayRef<unsigned> group : loops)
      if (llvm::any_of(group, [&](unsigned loop) { return sizes[loop] != 1 && !map.isFunctionOfDim(loop); }))
        for (unsigned loop : group)
          exprs[loop] = b.getAffineConstantExpr(0);
    return exprs;
  };
  SmallVector<AffineMap> maps;
  SmallVector<Value> operands;
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    SmallVector<AffineExpr> exprs;
    if (isa<RankedTensorType>(operand.get().getType()))
      for (const ReassociationIndices &group : dimensions.groups(operand.get()))
        exprs.push_back(map.getResult(group.front()).replaceDims(read(map)));
    maps.push_back(AffineMap::get(loops.size(), 0, exprs, b.getContext()));
    operands.push_back(known(operand.get()));
  }
  ArrayRef<Value> all(operands);
  size_t numInputs = op.getNumDpsInputs();
  SmallVector<Type> types = llvm::map_to_vector(op->getResults(), [&](Value v) -> Type { return collapsedType(v); });
  auto made =
      linalg::GenericOp::create(b, types, all.take_front(numInputs), all.drop_front(numInputs), maps, iterators);
  made->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  op.getRegion().cloneInto(&made.getRegion(), mapping);
  for (auto index : made.getBody()->getOps<linalg::IndexOp>())
    index.setDim(cast<AffineDimExpr>(joined[index.getDim()]).getPosition());
  mapping.map(op->getResults(), made->getResults());
}

void Collapser::rebuild(Operation *op) {
  b.setLoc(op->getLoc());
  b.setInsertionPoint(op);
  auto mapped = [&](ArrayRef<OpFoldResult> values) {
    return llvm::map_to_vector(values, [&](OpFoldResult value) -> OpFoldResult {
      auto dynamic = dyn_cast<Value>(value);
      return dynamic ? OpFoldResult(known(dynamic)) : value;
    });
  };
  if (auto structured = dyn_cast<linalg::GenericOp>(op))
    return rebuildGeneric(structured);
  if (auto yield = dyn_cast<YieldOp>(op)) {
    for (OpOperand &operand : yield->getOpOperands()) {
      Value value = operand.get();
      if (isa<BlockArgument>(value))
        continue;
      operand.set(isChanged(value)
                      ? tensor::ExpandShapeOp::create(b, typeOf(value), known(value), dimensions.groups(value),
                                                      mapped(*statedSizes(value)))
                      : known(value));
    }
    return;
  }
  if (!llvm::any_of(
          llvm::concat<const Value>(SmallVector<Value>(op->getOperands()), SmallVector<Value>(op->getResults())),
          [&](Value value) { return isChanged(value); })) {
    b.clone(*op, mapping);
    return;
  }
  Value made, result = op->getResult(0);
  if (auto size = dyn_cast<tensor::DimOp>(op)) {
    made = tensor::DimOp::create(b, size.getSource(), known(size.getIndex())); // of the argument as it is
  } else if (auto empty = dyn_cast<tensor::EmptyOp>(op)) {
    Type element = typeOf(result).getElementType();
    made = tensor::EmptyOp::create(b, products(result, mapped(empty.getMixedSizes())), element);
  } else if (auto fill = dyn_cast<linalg::FillOp>(op)) {
    made = linalg::FillOp::create(b, known(fill.getInputs()[0]), known(fill.getOutputs()[0])).getResult(0);
  } else if (auto transpose = dyn_cast<linalg::TransposeOp>(op)) {
    SmallVector<int64_t> order;
    SmallVector<ReassociationIndices> from = dimensions.groups(transpose.getInput());
    for (const ReassociationIndices &group : dimensions.groups(result))
      order.push_back(llvm::find_if(from,
                                    [&](const ReassociationIndices &source) {
                                      return source.front() == transpose.getPermutation()[group.front()];
                                    }) -
                      from.begin());
    made = linalg::TransposeOp::create(b, known(transpose.getInput()), known(transpose.getInit()), order)->getResult(0);
  } else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    Value source = slice.getSource();
    made = tensor::ExtractSliceOp::create(
        b, collapsedType(result), known(source), firsts(source, mapped(slice.getMixedOffsets())),
        products(source, mapped(slice.getMixedSizes())), firsts(source, mapped(slice.getMixedStrides())));
  } else {
    auto insert = cast<tensor::InsertSliceOp>(op);
    made = tensor::InsertSliceOp::create(
        b, known(insert.getSource()), known(insert.getDest()), firsts(result, mapped(insert.getMixedOffsets())),
        products(result, mapped(insert.getMixedSizes())), firsts(result, mapped(insert.getMixedStrides())));
  }
  mapping.map(result, made);
}

void Collapser::run() {
  SmallVector<Operation *> ops = llvm::map_to_vector(kernel.getBlock(), [](Operation &op) { return &op; });
  b.setInsertionPointToStart(&kernel.getBlock());
  for (Value argument : kernel.getBody().getArguments())
    if (isChanged(argument))
      mapping.map(argument, tensor::CollapseShapeOp::create(b, argument, dimensions.groups(argument)).getResult());
  for (Operation *op : ops)
    rebuild(op);
  for (Operation *op : llvm::reverse(ArrayRef(ops).drop_back()))
    op->erase();
}

namespace {
struct CollapseDimensions : tenon::impl::CollapseDimensionsPassBase<CollapseDimensions> {
  void runOnOperation() override {
    getOperation()->walk([](KernelOp kernel) {
      JoinedDimensions dimensions(kernel);
      if (dimensions.any())
        Collapser(kernel, dimensions).run();
    });
  }
};
} // namespace
