#include "passes/5_thread/KernelParts.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace tenon;

namespace {
/// How often an element of a tensor is read, if it is computed anew for each read: a few times is by a few readers.
enum class Reads { none, once, few, many };

class PartFinder {
public:
  explicit PartFinder(KernelOp kernel) : kernel(kernel) {}
  SmallVector<KernelPart> run();

private:
  void read(Value tensor, Reads how);
  void readOperands(Operation *op, Reads how);
  bool isWorthAPart(Operation *op, Reads how);

  KernelOp kernel;
  llvm::DenseMap<Value, Reads> reads;
};
} // namespace

void PartFinder::read(Value tensor, Reads how) {
  if (!isa<RankedTensorType>(tensor.getType()))
    return;
  Reads &known = reads[tensor];
  known = known == Reads::none ? how : std::max({known, how, Reads::few});
}

/// Whether each element of the operand is read for one element of the loops only.
static bool isReadOnce(linalg::GenericOp op, OpOperand &operand) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  if (!map.isProjectedPermutation())
    return false;
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  llvm::SmallBitVector unused = getUnusedDimsBitVector({map});
  return llvm::all_of(unused.set_bits(), [&](unsigned loop) { return ranges[loop] == 1; });
}

/// What `op` reads where each element of its own is computed `how` often.
void PartFinder::readOperands(Operation *op, Reads how) {
  if (isa<tensor::DimOp>(op))
    return;
  auto generic = dyn_cast<linalg::GenericOp>(op);
  for (OpOperand &operand : op->getOpOperands()) {
    bool isOnce = generic && isa<RankedTensorType>(operand.get().getType()) ? isReadOnce(generic, operand)
                                                                            : !isa<tensor::ExtractOp>(op);
    read(operand.get(), isOnce ? how : Reads::many);
  }
  // Inside of regions a tensor is read wherever the body says.
  op->walk([&](Operation *inner) {
    if (inner == op || isa<tensor::DimOp>(inner))
      return;
    for (Value operand : inner->getOperands())
      if (operand.getParentBlock() == &kernel.getBlock())
        read(operand, Reads::many);
  });
}

/// Whether one more computation costs more than a read from memory.
static bool isCostly(linalg::GenericOp op) {
  unsigned count = 0;
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (isa<math::MathDialect>(inner.getDialect()) || isa<arith::DivFOp, arith::RemFOp, arith::DivSIOp>(inner))
      return true;
    ++count;
  }
  return count > 8;
}

bool PartFinder::isWorthAPart(Operation *op, Reads how) {
  bool canBeStored = llvm::all_of(op->getResultTypes(), [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && isa<IntegerType, FloatType>(tensor.getElementType());
  });
  if (!canBeStored)
    return false;
  if (isa<scf::ForOp>(op))
    return how >= Reads::few;
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic)
    return false;
  return generic.getNumReductionLoops() > 0 ? how >= Reads::few : how == Reads::many && isCostly(generic);
}

SmallVector<KernelPart> PartFinder::run() {
  llvm::SetVector<Value> yielded(kernel.getYielded().begin(), kernel.getYielded().end());
  llvm::SetVector<Value> made;
  for (Operation &op : llvm::reverse(kernel.getBlock().without_terminator())) {
    Reads how = Reads::none;
    bool isYielded = false;
    for (Value result : op.getResults()) {
      how = std::max(how, reads.lookup(result));
      isYielded |= yielded.contains(result);
    }
    // A scalar is computed in each thread.
    if (op.getNumResults() == 1 && !isa<RankedTensorType>(op.getResult(0).getType()) && !op.use_empty())
      how = Reads::many;
    if (isYielded || (how != Reads::none && isWorthAPart(&op, how))) {
      for (Value result : llvm::reverse(op.getResults()))
        if (yielded.contains(result) || reads.lookup(result) != Reads::none)
          made.insert(result);
      how = Reads::once;
    }
    if (how != Reads::none)
      readOperands(&op, how);
  }
  SmallVector<KernelPart> parts;
  for (Value value : llvm::reverse(made)) {
    auto sameShape = [&](Value other) {
      return cast<RankedTensorType>(other.getType()).getShape() == cast<RankedTensorType>(value.getType()).getShape();
    };
    bool isTogether = !parts.empty() && parts.back().front().getDefiningOp() == value.getDefiningOp() &&
                      isa<linalg::GenericOp>(value.getDefiningOp()) && sameShape(parts.back().front());
    if (isTogether)
      parts.back().push_back(value);
    else
      parts.push_back({value});
  }
  for (Value value : yielded)
    if (isa<BlockArgument>(value))
      parts.push_back({value});
  return parts;
}

SmallVector<KernelPart> tenon::findParts(KernelOp kernel) { return PartFinder(kernel).run(); }
