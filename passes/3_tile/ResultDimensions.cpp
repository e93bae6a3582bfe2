#include "passes/3_tile/ResultDimensions.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/3_tile/TileEmitter.h"

using namespace mlir;
using namespace tenon;

static int64_t rankOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getRank(); }

/// Ops that a tensor is computed by, operands first.
static void collect(Value tensor, llvm::SetVector<Operation *> &ops) {
  Operation *op = tensor.getDefiningOp();
  if (!op || ops.contains(op))
    return;
  for (Value operand : op->getOperands())
    if (isa<RankedTensorType>(operand.getType()))
      collect(operand, ops);
  ops.insert(op);
}

ResultDimensions::ResultDimensions(ArrayRef<Value> results) {
  llvm::SetVector<Operation *> ops;
  for (Value result : results) {
    collect(result, ops);
    label(result, llvm::to_vector(llvm::seq<int>(0, rankOf(result))));
  }
  order.assign(ops.begin(), ops.end());
  for (Operation *op : llvm::reverse(order)) {
    if (auto structured = dyn_cast<linalg::GenericOp>(op)) {
      visit(structured);
    } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
      std::optional<ScanLoop> scan = matchScan(loop);
      ArrayRef<int> known = of(loop.getResult(0));
      if (!scan || known.empty())
        continue;
      sums.push_back({loop, known[scan->axis]});
      label(scan->input, SmallVector<int>(known));
    } else if (auto transpose = dyn_cast<linalg::TransposeOp>(op)) {
      ArrayRef<int> known = of(transpose->getResult(0));
      if (known.empty())
        continue;
      SmallVector<int> before(known.size());
      for (auto [to, from] : llvm::enumerate(transpose.getPermutation()))
        before[from] = known[to];
      label(transpose.getInput(), before);
    } else if (isa<tensor::ExtractSliceOp, tensor::InsertSliceOp, tensor::CastOp>(op)) {
      ArrayRef<int> known = of(op->getResult(0));
      if (!known.empty() && rankOf(op->getOperand(0)) == rankOf(op->getResult(0)))
        label(op->getOperand(0), SmallVector<int>(known));
    }
  }
  int last = results.empty() ? -1 : static_cast<int>(rankOf(results.front())) - 1;
  for (auto &[tensor, known] : labels) {
    Operation *op = tensor.getDefiningOp();
    bool isMemory = !op || isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::ExtractSliceOp>(op);
    if (isMemory && llvm::is_contained(known, last) && known.back() != last)
      otherNeighbours = std::max(otherNeighbours, known.back());
  }
  // Loops that reduce go along the result's dimension when a tensor that they read lies along it elsewhere.
  for (Reduction &reduction : all)
    for (OpOperand &operand : reduction.op->getOpOperands()) {
      ArrayRef<int> known = of(operand.get());
      for (auto [expr, dimension] : llvm::zip(reduction.op.getMatchingIndexingMap(&operand).getResults(), known))
        if (expr == getAffineDimExpr(reduction.loop, reduction.op.getContext()))
          reduction.along = std::max(reduction.along, dimension);
    }
}

/// Two ways of lying agree where they are equal.
void ResultDimensions::label(Value tensor, SmallVector<int> given) {
  auto [found, isNew] = labels.try_emplace(tensor, given);
  if (isNew)
    return;
  for (auto [known, other] : llvm::zip(found->second, given))
    if (known != other)
      known = std::max(known, other); // a fold's own dimension is none (-1): the other says what it goes along
}

void ResultDimensions::visit(linalg::GenericOp op) {
  SmallVector<int> loops(op.getNumLoops(), -1);
  for (OpResult result : op->getResults()) {
    ArrayRef<int> known = of(result);
    AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(result.getResultNumber()));
    for (auto [expr, dimension] : llvm::zip(map.getResults(), known))
      if (auto loop = dyn_cast<AffineDimExpr>(expr))
        loops[loop.getPosition()] = std::max(loops[loop.getPosition()], dimension);
  }
  SmallVector<unsigned> reduced;
  op.getReductionDims(reduced);
  for (unsigned loop : reduced)
    all.push_back({op, loop, -1});
  for (Value operand : op->getOperands()) {
    if (!isa<RankedTensorType>(operand.getType()) || isa_and_nonnull<tensor::EmptyOp>(operand.getDefiningOp()))
      continue;
    SmallVector<int> read;
    for (OpOperand &use : op->getOpOperands())
      if (use.get() == operand)
        for (AffineExpr expr : op.getMatchingIndexingMap(&use).getResults()) {
          auto loop = dyn_cast<AffineDimExpr>(expr);
          read.push_back(loop ? loops[loop.getPosition()] : -1);
        }
    read.resize(rankOf(operand), -1);
    label(operand, read);
  }
}

ArrayRef<int> ResultDimensions::of(Value tensor) const {
  auto found = labels.find(tensor);
  return found == labels.end() ? ArrayRef<int>() : ArrayRef<int>(found->second);
}

int ResultDimensions::alongOf(linalg::GenericOp op, unsigned loop) const {
  for (const Reduction &reduction : all)
    if (reduction.op == op && reduction.loop == loop)
      return reduction.along;
  return -1;
}

bool ResultDimensions::isFolded(unsigned dimension) const {
  return llvm::any_of(all, [&](const Reduction &one) { return one.along == int(dimension); }) ||
         llvm::any_of(sums, [&](const RunningSum &one) { return one.along == int(dimension); });
}

static Value withoutReshapes(Value result) {
  while (isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(result.getDefiningOp()))
    result = result.getDefiningOp()->getOperand(0);
  return result;
}

RowShape tenon::rowShapeOf(KernelOp kernel) {
  Value result = withoutReshapes(kernel.getYielded().front());
  std::optional<PlacedSlices> placed = placedSlicesOf(result);
  while (auto insert = result.getDefiningOp<tensor::InsertSliceOp>())
    result = insert.getSource();
  if (placed)
    result = placed->from;
  RowShape shape;
  for (int64_t size : cast<RankedTensorType>(result.getType()).getShape())
    shape.sizes.push_back(ShapedType::isDynamic(size) ? -1 : size);
  if (placed) { // a program has one slice
    SmallVector<int64_t> ofSlices, ofSlice;
    for (auto [d, size] : llvm::enumerate(shape.sizes))
      (placed->isPlaced(d) ? ofSlices : ofSlice).push_back(size);
    shape.sizes.assign(ofSlices.begin(), ofSlices.end());
    shape.sizes.insert(shape.sizes.end(), ofSlice.begin(), ofSlice.end());
  }
  // Of several results one may be no fold, the sum beside its norm say.
  SmallVector<Value> results = {result};
  if (!placed)
    for (Value other : kernel.getYielded().drop_front())
      if (Value computed = withoutReshapes(other);
          cast<RankedTensorType>(computed.getType()).getShape() == cast<RankedTensorType>(result.getType()).getShape())
        results.push_back(computed);
  ResultDimensions dimensions(results);
  shape.foldsRows = !shape.sizes.empty() && dimensions.isFolded(shape.sizes.size() - 1);
  shape.isTransposed = dimensions.transposed() >= 0;
  for (ResultDimensions::Reduction one : dimensions.reductions()) {
    if (one.along >= 0)
      continue;
    int64_t size = one.op.getStaticLoopRanges()[one.loop];
    shape.reduced = ShapedType::isDynamic(size) || shape.reduced < 0 ? -1 : std::max(shape.reduced, size);
    AffineMap map = one.op.getMatchingIndexingMap(one.op.getDpsInputOperand(0));
    shape.reducesNeighbours |= map.getNumResults() > 0 && map.getResults().back().isFunctionOfDim(one.loop);
  }
  bool isPieces = placed || kernel.getYielded().front().getDefiningOp<tensor::InsertSliceOp>();
  shape.mayShareFold = !shape.foldsRows && kernel->getNumResults() == 1 && !isPieces &&
                       dimensions.reductions().size() == 1 && dimensions.runningSums().empty();
  return shape;
}
