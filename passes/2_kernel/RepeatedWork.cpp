#include "passes/2_kernel/RepeatedWork.h"

#include "passes/2_kernel/KernelClosure.h"

using namespace mlir;
using namespace tenon;

/// How often an op is computed, all readers together, that is repeated: by one core in less time than a launch takes.
static constexpr int64_t mostEvaluations = 1 << 14;

/// An instruction or two an element.
static bool isCheap(Operation *op) {
  return isa<CastOp, AddOp, SubOp, MulOp, MinOp, MaxOp, NegOp, AbsOp, SquareOp, ReluOp, ClampOp, CompareOp, SelectOp,
             LogicalNotOp, LogicalAndOp, LogicalOrOp, LogicalXorOp, ExpandOp>(op);
}

/// Whether an element of the result is computed from elements of the operands at the same place, or repeated ones.
static bool isArithmetic(Operation *op) {
  return op->hasTrait<OpTrait::Elementwise>() || op->hasTrait<Broadcasts>() || isa<ExpandOp>(op);
}

static RankedTensorType typeOf(Operation *op) { return cast<RankedTensorType>(op->getResult(0).getType()); }

static bool haveOneShape(Operation *a, Operation *b) {
  auto shapeOf = [](Operation *op) { return typeOf(op).getShape().drop_while([](int64_t size) { return size == 1; }); };
  return shapeOf(a) == shapeOf(b);
}

namespace {
class RepeatedWork {
public:
  DenseSet<Operation *> findIn(Block &block) {
    for (Operation &op : block)
      if (isWorkOnInputs(&op))
        candidates.insert(&op);
    for (Operation &op : llvm::reverse(block))
      if (candidates.contains(&op))
        decide(&op);
    DenseSet<Operation *> repeated;
    for (auto [op, count] : evaluations)
      repeated.insert(op);
    return repeated;
  }

private:
  /// Cheap, of known size, and of nothing that a kernel of this call computes, which could take the op in. What depends
  /// on no input is computed once, when the model is loaded.
  bool isWorkOnInputs(Operation *op) {
    if (!isCheap(op) || isSizeComputation(op) || !typeOf(op).hasStaticShape())
      return false;
    bool dependsOnInput = false;
    bool isOfInputs = llvm::all_of(op->getOperands(), [&](Value operand) {
      Operation *producer = operand.getDefiningOp();
      while (auto view = dyn_cast_or_null<ReshapeOp>(producer))
        producer = view.getInput().getDefiningOp();
      bool isOfCandidate = candidates.contains(producer);
      dependsOnInput |= !producer || isOfCandidate;
      return !producer || isOfCandidate || isa<ConstantOp, WeightOp>(producer);
    });
    return isOfInputs && dependsOnInput;
  }

  void decide(Operation *op) {
    int64_t count = 0;
    for (Operation *user : op->getUsers()) {
      if (!isArithmetic(user) || !typeOf(user).hasStaticShape())
        return;
      auto repeated = evaluations.find(user);
      if (repeated == evaluations.end() && op->getResult(0).hasOneUse() && haveOneShape(op, user))
        return;
      count += repeated == evaluations.end() ? typeOf(user).getNumElements() : repeated->second;
    }
    if (count <= mostEvaluations)
      evaluations[op] = count;
  }

  DenseSet<Operation *> candidates;
  DenseMap<Operation *, int64_t> evaluations;
};
} // namespace

llvm::DenseSet<Operation *> tenon::findRepeatedWork(func::FuncOp main) {
  return RepeatedWork().findIn(main.getBody().front());
}
