// A tile's arithmetic is expanded op by op, each for all of a thread's registers, so that an epilogue of several ops
// has several registers alive an element, in the order it is written: with 128 elements a thread they do not fit. Here
// what a store writes is computed just before it, so that little more is alive than what was there before. Loads come a
// few stores early, in groups, as each alone would wait for memory.
#include "passes/5_thread/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/DenseSet.h"

namespace tenon {
#define GEN_PASS_DEF_ORDERSTORESPASS
#include "passes/5_thread/Passes.h.inc"
} // namespace tenon

using namespace mlir;

/// Loads before the first store, and how many more for each that is no longer needed: a load of two 16-bit elements
/// takes one register, and its store frees it and the two of the accumulator.
static constexpr size_t firstLoads = 16, loadsForOne = 3;

static bool isStore(Operation *op) { return isa<LLVM::StoreOp, NVVM::StMatrixOp>(op); }

static bool isInvariantLoad(Operation *op) {
  auto load = dyn_cast<LLVM::LoadOp>(op);
  return load && load.getInvariant() && !load.getVolatile_();
}

namespace {
class StoreOrder {
public:
  explicit StoreOrder(Block &block) : block(block) {}

  void run() {
    findWork();
    if (stores.size() < 2)
      return;
    SmallVector<Operation *> loads;
    SmallVector<size_t> loadsUntil; // those of this store and the ones before
    DenseSet<Operation *> seen;
    for (Operation *store : stores) {
      findLoads(store, loads, seen);
      loadsUntil.push_back(loads.size());
    }
    size_t next = 0, done = 0;
    for (auto [number, store] : llvm::enumerate(stores)) {
      for (; next < loads.size() && next < firstLoads + loadsForOne * done && isReady(loads[next], store); ++next)
        place(loads[next], store);
      placeOperands(store, store);
      done = loadsUntil[number];
    }
  }

private:
  /// What stores alone need, as far as nothing but straight code stands between; and the stores.
  void findWork() {
    for (Operation &op : llvm::reverse(block)) {
      if (isa<LoopLikeOpInterface>(op))
        break;
      if (isStore(&op))
        stores.push_back(&op);
      else if (op.getNumRegions() == 0 && !op.use_empty() && (isMemoryEffectFree(&op) || isInvariantLoad(&op)) &&
               llvm::all_of(op.getUsers(), [&](Operation *user) {
                 return user->getBlock() == &block && (isStore(user) || work.contains(user));
               }))
        work.insert(&op);
    }
    std::reverse(stores.begin(), stores.end());
  }

  void findLoads(Operation *op, SmallVectorImpl<Operation *> &loads, DenseSet<Operation *> &seen) const {
    for (Value operand : op->getOperands()) {
      Operation *source = operand.getDefiningOp();
      if (!source || !work.contains(source) || !seen.insert(source).second)
        continue;
      findLoads(source, loads, seen);
      if (isInvariantLoad(source))
        loads.push_back(source);
    }
  }

  /// Whether all that `op` needs and that is not placed with it stands before `place`.
  bool isReady(Operation *op, Operation *place) const {
    return llvm::all_of(op->getOperands(), [&](Value operand) {
      Operation *source = operand.getDefiningOp();
      if (!source || source->getBlock() != &block)
        return true;
      return work.contains(source) ? isReady(source, place) : source->isBeforeInBlock(place);
    });
  }

  void place(Operation *op, Operation *before) {
    if (!work.erase(op))
      return;
    placeOperands(op, before);
    op->moveBefore(before);
  }
  void placeOperands(Operation *op, Operation *before) {
    for (Value operand : op->getOperands())
      if (Operation *source = operand.getDefiningOp())
        place(source, before);
  }

  Block &block;
  SmallVector<Operation *> stores;
  DenseSet<Operation *> work; // not placed yet
};

struct OrderStores : tenon::impl::OrderStoresPassBase<OrderStores> {
  void runOnOperation() override {
    getOperation()->walk(
        [](LLVM::LLVMFuncOp function) { function.walk([](Block *block) { StoreOrder(*block).run(); }); });
  }
};
} // namespace
