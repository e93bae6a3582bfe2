#include "passes/cpu/DistributeTasks.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace tenon;

namespace {
/// The perfectly nested loops that a nest begins with, from the outside.
struct Nest {
  SmallVector<scf::ForOp> loops;
  SmallVector<AffineExpr> sizes;
};

class Distribution {
public:
  Distribution(func::FuncOp kernel, const KernelSizes &sizes) : kernel(kernel), sizes(sizes) {}

  bool findNests();
  /// The number of outer loops that are tasks; 0 where there are none.
  unsigned depth() const;
  AffineExpr distribute(unsigned depth);

private:
  Nest nestOf(scf::ForOp outer) const;
  bool isShared(unsigned level) const;
  bool isIndependent(unsigned depth) const;
  void shrinkTemporaries(unsigned depth);

  func::FuncOp kernel;
  const KernelSizes &sizes;
  SmallVector<Nest> nests;
  llvm::DenseSet<Value> written; // arguments and allocations
};
} // namespace

/// The argument or allocation that `memref` is, or is a view of.
static Value rootOf(Value memref) {
  while (auto view = memref.getDefiningOp<ViewLikeOpInterface>())
    memref = view.getViewSource();
  return memref;
}

/// Through maps that change nothing.
static Value plainIndex(Value index) {
  while (auto apply = index.getDefiningOp<affine::AffineApplyOp>()) {
    if (!apply.getAffineMap().isIdentity() || apply.getNumOperands() != 1)
      break;
    index = apply.getOperand(0);
  }
  return index;
}

Nest Distribution::nestOf(scf::ForOp outer) const {
  Nest nest;
  for (scf::ForOp loop = outer; loop;) {
    AffineExpr size = sizes.exact(loop.getUpperBound());
    if (!size || loop.getNumResults() || getConstantIntValue(loop.getLowerBound()) != 0 ||
        getConstantIntValue(loop.getStep()) != 1)
      break;
    nest.loops.push_back(loop);
    nest.sizes.push_back(size);
    auto inner = dyn_cast<scf::ForOp>(loop.getBody()->front());
    loop = inner && loop.getBody()->getOperations().size() == 2 ? inner : scf::ForOp();
  }
  return nest;
}

/// Whether the body is nests, and between them nothing but what can stand before all of them.
bool Distribution::findNests() {
  kernel.walk([&](memref::StoreOp store) { written.insert(rootOf(store.getMemRef())); });
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      nests.push_back(nestOf(loop));
      continue;
    }
    auto load = dyn_cast<memref::LoadOp>(op);
    bool readsOperand = load && !written.contains(rootOf(load.getMemRef()));
    if (!readsOperand && !isa<memref::AllocOp>(op) && !isMemoryEffectFree(&op))
      return false;
  }
  return !nests.empty();
}

bool Distribution::isShared(unsigned level) const {
  return llvm::all_of(nests, [&](const Nest &nest) {
    return nest.loops.size() > level && nest.sizes[level] == nests.front().sizes[level];
  });
}

/// Whether each turn of the `depth` outer loops has its own part of all that is written: the loops' variables are its
/// first indices.
bool Distribution::isIndependent(unsigned depth) const {
  for (Nest nest : nests) {
    auto isOwn = [&](Value memref, ValueRange indices) {
      Value root = rootOf(memref);
      auto isInside = [&](scf::ForOp loop) { return loop.getBodyRegion().isAncestor(root.getParentRegion()); };
      if (!written.contains(root) || isInside(nest.loops[depth - 1]))
        return true;
      if (memref != root || indices.size() < depth)
        return false;
      return llvm::all_of(llvm::seq(depth), [&](unsigned level) {
        return plainIndex(indices[level]) == nest.loops[level].getInductionVar();
      });
    };
    scf::ForOp outer = nest.loops.front();
    WalkResult walked = outer.walk([&](Operation *op) {
      bool good;
      if (auto load = dyn_cast<memref::LoadOp>(op))
        good = isOwn(load.getMemRef(), load.getIndices());
      else if (auto store = dyn_cast<memref::StoreOp>(op))
        good = isOwn(store.getMemRef(), store.getIndices());
      else
        good = isa<scf::ForOp, scf::IfOp, memref::AllocOp>(op) || isMemoryEffectFree(op);
      return good ? WalkResult::advance() : WalkResult::interrupt();
    });
    if (walked.wasInterrupted())
      return false;
  }
  // What is to shrink is used in no other way.
  return llvm::all_of(written, [](Value root) {
    return !root.getDefiningOp<memref::AllocOp>() || llvm::all_of(root.getUsers(), [](Operation *user) {
      return isa<memref::LoadOp, memref::StoreOp, memref::DimOp>(user);
    });
  });
}

unsigned Distribution::depth() const {
  // A task has a loop of its own in one nest at least: tasks of single elements cost more than they do.
  unsigned deepest = 0, depth = 0;
  for (const Nest &nest : nests)
    deepest = std::max<unsigned>(deepest, nest.loops.size());
  while (depth + 1 < deepest && isShared(depth))
    ++depth;
  while (depth > 0 && !isIndependent(depth))
    --depth;
  // One turn is no gain, and none no task.
  ArrayRef<AffineExpr> turns = ArrayRef(nests.front().sizes).take_front(depth);
  bool isOne = llvm::all_of(turns, [](AffineExpr size) { return size == 1; });
  bool isNone = llvm::any_of(turns, [](AffineExpr size) { return size == 0; });
  return isOne || isNone ? 0 : depth;
}

/// One task's part: the loops' dimensions have size 1, and index 0.
void Distribution::shrinkTemporaries(unsigned depth) {
  OpBuilder b(kernel.getContext());
  for (Value root : written) {
    auto alloc = root.getDefiningOp<memref::AllocOp>();
    if (!alloc || alloc->getParentOp() != kernel)
      continue;
    b.setInsertionPoint(alloc);
    SmallVector<int64_t> shape(alloc.getType().getShape());
    SmallVector<Value> dynamic;
    for (auto [dimension, size] : llvm::enumerate(alloc.getMixedSizes())) {
      if (dimension < depth)
        shape[dimension] = 1;
      else if (auto value = dyn_cast<Value>(size))
        dynamic.push_back(value);
    }
    auto smaller = memref::AllocOp::create(b, alloc.getLoc(), MemRefType::get(shape, alloc.getType().getElementType()),
                                           dynamic, alloc.getAlignmentAttr());
    Value zero = arith::ConstantIndexOp::create(b, alloc.getLoc(), 0);
    for (Operation *user : llvm::make_early_inc_range(alloc->getUsers())) {
      // Loads and stores, and memref.dim, whose answer is that of the large one.
      if (auto dim = dyn_cast<memref::DimOp>(user)) {
        OpFoldResult size = alloc.getMixedSizes()[*dim.getConstantIndex()];
        b.setInsertionPoint(dim);
        dim.replaceAllUsesWith(getValueOrCreateConstantIndexOp(b, dim.getLoc(), size));
        dim.erase();
        continue;
      }
      unsigned firstIndex = isa<memref::StoreOp>(user) ? 2 : 1;
      for (unsigned level : llvm::seq(depth))
        user->setOperand(firstIndex + level, zero);
      user->replaceUsesOfWith(alloc, smaller);
    }
    alloc.erase();
  }
}

AffineExpr Distribution::distribute(unsigned depth) {
  shrinkTemporaries(depth);
  Operation *end = kernel.getBody().front().getTerminator();
  IRRewriter b(kernel.getContext());
  b.setInsertionPoint(end);
  Location location = kernel.getLoc();
  SmallVector<OpFoldResult> counts;
  AffineExpr tasks = getAffineConstantExpr(1, kernel.getContext());
  for (unsigned level : llvm::seq(depth)) {
    counts.push_back(nests.front().loops[level].getUpperBound());
    tasks = tasks * nests.front().sizes[level];
  }
  // Inner loops' bounds may stand between the nests; all that does, stands before the first task.
  auto loop = scf::ForOp::create(b, location, firstTask(kernel), lastTask(kernel),
                                 arith::ConstantIndexOp::create(b, location, 1));
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> indices = {loop.getInductionVar()};
  if (depth > 1)
    indices = affine::AffineDelinearizeIndexOp::create(b, location, loop.getInductionVar(), counts).getResults();
  for (Nest &nest : nests) {
    Block *body = nest.loops[depth - 1].getBody();
    for (unsigned level : llvm::seq(depth))
      nest.loops[level].getInductionVar().replaceAllUsesWith(indices[level]);
    Block *into = loop.getBody();
    into->getOperations().splice(std::prev(into->end()), body->getOperations(), body->begin(), std::prev(body->end()));
    b.eraseOp(nest.loops.front());
  }
  return tasks;
}

AffineExpr tenon::distributeTasks(func::FuncOp kernel, const KernelSizes &sizes) {
  Distribution distribution(kernel, sizes);
  if (!distribution.findNests())
    return {};
  unsigned depth = distribution.depth();
  return depth == 0 ? AffineExpr() : distribution.distribute(depth);
}
