#include "lib/Analysis/ContractionKernel.h"

using namespace mlir;
using namespace tenon;

/// The one block argument that `value` is computed from, by ops of one operand; null if there are others.
static BlockArgument sourceOf(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (op->getNumOperands() != 1)
      return {};
    value = op->getOperand(0);
  }
  return dyn_cast<BlockArgument>(value);
}

/// Recognises `yield acc + f(l) * g(r)`.
static bool matchBody(ContractionKernel &kernel) {
  Block *body = kernel.op.getBody();
  Value sum = body->getTerminator()->getOperand(0);
  Operation *add = sum.getDefiningOp();
  BlockArgument accumulator = kernel.op.getRegionOutputArgs().front();
  if (!isa_and_nonnull<arith::AddFOp, arith::AddIOp>(add) || !accumulator.hasOneUse())
    return false;
  Value product = add->getOperand(0) == accumulator ? add->getOperand(1) : add->getOperand(0);
  if (add->getOperand(0) != accumulator && add->getOperand(1) != accumulator)
    return false;
  Operation *multiply = product.getDefiningOp();
  if (!isa_and_nonnull<arith::MulFOp, arith::MulIOp>(multiply))
    return false;
  for (Value factor : multiply->getOperands()) {
    BlockArgument source = sourceOf(factor);
    if (!source || source.getOwner() != body)
      return false;
    if (source.getArgNumber() == kernel.lhs)
      kernel.lhsFactor = factor;
    else if (source.getArgNumber() == kernel.rhs)
      kernel.rhsFactor = factor;
  }
  return kernel.lhsFactor && kernel.rhsFactor;
}

static bool readsLoop(AffineMap map, unsigned loop) {
  return llvm::any_of(map.getResults(), [&](AffineExpr expr) { return expr.isFunctionOfDim(loop); });
}

int64_t ContractionKernel::panelColumns() {
  AffineMap map = rhsMap();
  if (map.getNumResults() != 3 || rhsTensor().getType() == nullptr)
    return 0;
  AffineExpr n = getAffineDimExpr(column, op.getContext());
  int64_t columns = cast<RankedTensorType>(rhsTensor().getType()).getShape().back();
  if (ShapedType::isDynamic(columns) || columns < 1)
    return 0;
  bool isPacked = map.getResult(0) == n.floorDiv(columns) && map.getResult(2) == n % columns;
  return isPacked ? columns : 0;
}

int64_t ContractionKernel::staticRows() {
  int64_t product = 1;
  for (unsigned row : rows) {
    int64_t size = op.getStaticLoopRanges()[row];
    if (ShapedType::isDynamic(size))
      return ShapedType::kDynamic;
    product *= size;
  }
  return product;
}

static std::optional<ContractionKernel> match(linalg::GenericOp op) {
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1 || op.getNumReductionLoops() != 1)
    return std::nullopt;
  for (Value input : op.getDpsInputs())
    if (!isa<RankedTensorType>(input.getType()))
      return std::nullopt;
  auto maps = op.getIndexingMapsArray();
  AffineMap out = maps[2];
  if (!out.isProjectedPermutation() || out.getNumResults() == 0)
    return std::nullopt;
  ContractionKernel kernel;
  kernel.op = op;
  kernel.column = cast<AffineDimExpr>(out.getResults().back()).getPosition();
  bool inFirst = readsLoop(maps[0], kernel.column), inSecond = readsLoop(maps[1], kernel.column);
  if (inFirst == inSecond)
    return std::nullopt;
  kernel.rhs = inSecond ? 1 : 0;
  kernel.lhs = 1 - kernel.rhs;
  SmallVector<unsigned> reduced;
  op.getReductionDims(reduced);
  kernel.depth = reduced.front();
  if (!readsLoop(maps[0], kernel.depth) || !readsLoop(maps[1], kernel.depth))
    return std::nullopt;
  for (AffineExpr expr : out.getResults().drop_back()) {
    unsigned loop = cast<AffineDimExpr>(expr).getPosition();
    bool inLhs = readsLoop(kernel.lhsMap(), loop), inRhs = readsLoop(kernel.rhsMap(), loop);
    if (inRhs)
      kernel.batch.push_back(loop);
    else if (inLhs)
      kernel.rows.push_back(loop);
    else
      return std::nullopt;
  }
  if (!matchBody(kernel))
    return std::nullopt;
  return kernel;
}

std::optional<ContractionKernel> tenon::findContraction(Block &block) {
  std::optional<ContractionKernel> found;
  for (auto op : block.getOps<linalg::GenericOp>()) {
    if (op.getNumReductionLoops() == 0)
      continue;
    if (found)
      return std::nullopt;
    found = match(op);
    if (!found)
      return std::nullopt;
  }
  return found;
}

/// The block's sums, and the op that scales and adds them.
static std::optional<ContractionKernel> matchBlocks(linalg::GenericOp sums, linalg::GenericOp total) {
  std::optional<ContractionKernel> kernel = match(sums);
  if (!kernel || total.getNumReductionLoops() != 1 || total.getNumDpsInits() != 1 ||
      !isa<FloatType>(getElementTypeOrSelf(total.getResult(0).getType())) || !sums.getResult(0).hasOneUse())
    return std::nullopt;
  Operation *add = total.getBody()->getTerminator()->getOperand(0).getDefiningOp();
  if (!isa_and_nonnull<arith::AddFOp>(add) || !llvm::is_contained(add->getOperands(), total.getRegionOutputArgs()[0]))
    return std::nullopt;
  SmallVector<unsigned> reduced;
  total.getReductionDims(reduced);
  for (OpOperand *operand : total.getDpsInputOperands()) {
    if (operand->get() != sums.getResult(0))
      continue;
    auto loop = getAffineDimExpr(reduced.front(), sums.getContext());
    std::optional<unsigned> at = total.getMatchingIndexingMap(operand).getResultPosition(loop);
    if (!at)
      return std::nullopt;
    AffineMap out = sums.getMatchingIndexingMap(sums.getDpsInitOperand(0));
    kernel->block = cast<AffineDimExpr>(out.getResult(*at)).getPosition();
    kernel->blocks = total;
    if (llvm::is_contained(kernel->batch, kernel->block))
      return kernel;
  }
  return std::nullopt;
}

std::optional<ContractionKernel> tenon::findProduct(Block &block) {
  SmallVector<linalg::GenericOp> reductions;
  for (auto op : block.getOps<linalg::GenericOp>())
    if (op.getNumReductionLoops() != 0)
      reductions.push_back(op);
  if (reductions.size() == 2)
    return matchBlocks(reductions[0], reductions[1]);
  return findContraction(block);
}

int64_t ContractionKernel::columnsPerScale() {
  int64_t columns = 0;
  if (blocks)
    for (AffineMap map : blocks.getIndexingMapsArray())
      for (AffineExpr expr : map.getResults())
        if (auto quotient = dyn_cast<AffineBinaryOpExpr>(expr); quotient && expr.getKind() == AffineExprKind::FloorDiv)
          if (auto by = dyn_cast<AffineConstantExpr>(quotient.getRHS()))
            columns = by.getValue();
  return columns;
}
