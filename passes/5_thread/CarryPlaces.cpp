// A loop whose turn waits for all of its products has nothing to multiply while it finds out where the next operands
// lie: which slot of a ring that is, its barrier and phase, its descriptor. They follow from the counter by a chain of
// operations, each of which waits for the one before. After this pass a turn finds the next turn's out while its own
// products run, and hands them on.
//
//   for i { d = f(i); s = wgmma .., d; .. wait for s .. }
//   ->  for i iter_args(d = f(first)) { s = wgmma .., d; e = f(i + step); .. wait for s ..; yield e }
#include "passes/5_thread/Passes.h"

#include "dialects/Ptx/Ptx.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

namespace tenon {
#define GEN_PASS_DEF_CARRYPLACESPASS
#include "passes/5_thread/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

namespace {
class PlacesOfLoop {
public:
  explicit PlacesOfLoop(scf::ForOp loop) : loop(loop), b(loop) {}
  bool match();
  void carry();

private:
  bool followsFromCounter(Operation &op);
  void need(Value place, SetVector<Operation *> &ops);
  /// What is carried, of the turn whose counter is `counter`.
  SmallVector<Value> placesOf(Value counter);

  scf::ForOp loop;
  OpBuilder b;
  Operation *lastProduct = nullptr; ///< of a turn
  DenseSet<Value> known;            ///< by the counter alone
  SetVector<Value> places;          ///< of these, what a turn takes until its last product begins
};
} // namespace

/// Numbers and addresses of one turn: cheap, and without an effect where there is no such turn.
bool PlacesOfLoop::followsFromCounter(Operation &op) {
  auto isNumber = [](Type type) {
    auto pointer = dyn_cast<LLVM::LLVMPointerType>(type);
    return type.isIndex() || type.isInteger(32) || type.isInteger(64) || (pointer && pointer.getAddressSpace() == 3);
  };
  if (op.getNumRegions() != 0 || op.getNumResults() != 1 || !isNumber(op.getResult(0).getType()) || !isPure(&op))
    return false;
  bool isOfTurn = false;
  for (Value operand : op.getOperands()) {
    bool isOfCounter = operand == loop.getInductionVar() || known.contains(operand);
    if (!isOfCounter && !loop.isDefinedOutsideOfLoop(operand))
      return false;
    isOfTurn |= isOfCounter;
  }
  return isOfTurn;
}

bool PlacesOfLoop::match() {
  bool waitsForAll = false;
  for (Operation &op : *loop.getBody()) {
    if (isa<ptx::WgmmaOp>(op))
      lastProduct = &op;
    // What is computed ahead of the products takes longer than places do, which take no registers meanwhile.
    else if (!lastProduct && llvm::any_of(op.getResultTypes(), llvm::IsaPred<FloatType>))
      return false;
    auto wait = dyn_cast<ptx::WgmmaWaitOp>(op);
    waitsForAll |= wait && wait.getPending() == 0;
    if (followsFromCounter(op))
      known.insert(op.getResult(0));
  }
  if (!lastProduct || !waitsForAll)
    return false;
  for (Operation &op : *loop.getBody()) {
    if (op.getNumResults() != 1 || !known.contains(op.getResult(0)))
      op.walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          if (known.contains(operand))
            places.insert(operand);
      });
    if (&op == lastProduct)
      break;
  }
  return !places.empty();
}

void PlacesOfLoop::need(Value place, SetVector<Operation *> &ops) {
  Operation *op = place.getDefiningOp();
  if (!known.contains(place) || ops.contains(op))
    return;
  for (Value operand : op->getOperands())
    need(operand, ops);
  ops.insert(op);
}

SmallVector<Value> PlacesOfLoop::placesOf(Value counter) {
  SetVector<Operation *> ops;
  for (Value place : places)
    need(place, ops);
  IRMapping mapping;
  mapping.map(loop.getInductionVar(), counter);
  for (Operation *op : ops)
    b.clone(*op, mapping);
  return llvm::map_to_vector(places, [&](Value place) { return mapping.lookup(place); });
}

void PlacesOfLoop::carry() {
  SmallVector<Value> first = placesOf(loop.getLowerBound());
  b.setInsertionPointAfter(lastProduct);
  Value counter = loop.getInductionVar();
  Value next = arith::AddIOp::create(b, loop.getLoc(), counter, loop.getStep());
  SmallVector<Value> following = placesOf(next);
  IRRewriter rewriter(b);
  auto made = cast<scf::ForOp>(
      *loop.replaceWithAdditionalYields(rewriter, first, /*replaceInitOperandUsesInLoop=*/false,
                                        [&](OpBuilder &, Location, ArrayRef<BlockArgument>) { return following; }));
  for (auto [place, carried] : llvm::zip_equal(places, made.getRegionIterArgs().take_back(places.size())))
    Value(place).replaceAllUsesWith(carried);
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(*made.getBody())))
    if (isOpTriviallyDead(&op))
      op.erase();
  remark::passed(made.getLoc(), remark::RemarkOpts::name("carried").category("tenon-carry-places"))
      << ("numbers and addresses that are found out a turn ahead: " + Twine(places.size())).str();
}

namespace {
struct CarryPlaces : tenon::impl::CarryPlacesPassBase<CarryPlaces> {
  void runOnOperation() override {
    SmallVector<scf::ForOp> loops;
    getOperation()->walk([&](scf::ForOp loop) { loops.push_back(loop); });
    for (scf::ForOp loop : loops)
      if (PlacesOfLoop places(loop); places.match())
        places.carry();
  }
};
} // namespace
