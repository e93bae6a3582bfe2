// Results that seldom have to be stored anew. Where a CTA has one program, all its threads find out together. Where it
// has many, that would hold up warps and their producer at each one's end: there a warp that finds the need puts the
// program on its list, and what is on some list is carried out behind all programs. A list is a link in the workspace
// for each program, and its head, which the warp carries along. Numbers of a CTA's programs rise: of all lists' heads
// the greatest is next.
#include "passes/5_thread/KernelCounters.h"
#include "passes/5_thread/ThreadEmitter.h"

#include "dialects/Ptx/Ptx.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

static constexpr int64_t endOfList = -1;

SmallVector<Value> ThreadEmitter::emptyLists() {
  return SmallVector<Value>(role == Role::Consumer ? sharedPlan.lists.size() : 0, i32(endOfList));
}

AffineExpr ThreadEmitter::scratchWords(AffineExpr programs) {
  bool isCounted = hasProducer && kernel->hasAttr("warp.order");
  AffineExpr counters = getAffineConstantExpr(isCounted ? counterBytes / 4 : 0, b.getContext());
  return counters + programs * int64_t(sharedPlan.lists.size() * schedule.getNumWarps());
}

/// The word of the workspace that has what follows a program in a warp's list.
Value ThreadEmitter::linkOf(tile::RedoOp op, Value number, Value warp) {
  Value at = toI64(add(mul(number, schedule.getNumWarps()), warp));
  if (int64_t before = std::distance(sharedPlan.lists.begin(), sharedPlan.lists.find(op))) {
    Value words = index(before * schedule.getNumWarps());
    for (Value extent : kernel.getGrid().getExtents())
      words = b.createOrFold<arith::MulIOp>(words, scalarOf(extent));
    at = add(at, toI64(words));
  }
  if (kernel->hasAttr("warp.order"))
    at = add(at, arith::ConstantIntOp::create(b, counterBytes / 4, 64));
  return LLVM::GEPOp::create(b, workspace().getType(), b.getI32Type(), workspace(), at);
}

LogicalResult ThreadEmitter::emitRedo(tile::RedoOp op) {
  if (sharedPlan.lists.contains(op))
    return putOff(op), success();
  auto branch = scf::IfOp::create(b, anyOf(op.getCondition()), /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(branch.thenYield());
  if (hasAsyncStores) {
    waitForStores(0, /*onlyRead=*/false);
    barrier();
  }
  return emitBlock(op.getBody().front());
}

/// Without a branch: behind one that lanes take apart, ptxas takes nothing that the loop carries to be the same in all.
void ThreadEmitter::putOff(tile::RedoOp op) {
  Value isNeeded = anyOfWarp(anyOfRegisters(op.getCondition()));
  Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, lane, i32(0));
  Value &head = listHeads[std::distance(sharedPlan.lists.begin(), sharedPlan.lists.find(op))];
  ptx::StGlobalOp::create(b, head, linkOf(op, program, warpNumber), arith::AndIOp::create(b, isNeeded, isFirst));
  head = arith::SelectOp::create(b, isNeeded, program, head);
}

/// All threads go through the lists together: no lane goes a way of its own. A barrier behind such
/// a way, at a loop's start, would hang: LLVM lets each way jump there by itself, and a warp takes a barrier as one.
LogicalResult ThreadEmitter::emitPutOff(tile::GridOp grid, ValueRange heads) {
  if (hasAsyncStores)
    waitForStores(0, /*onlyRead=*/false);
  Type word = b.getI32Type();
  int64_t numWarps = schedule.getNumWarps();
  auto headOf = [&](int64_t list, Value warp) { return sharedAt(add(mul(warp, 4), i32(list))); };
  auto isFirst = scf::IfOp::create(b, arith::CmpIOp::create(b, arith::CmpIPredicate::eq, lane, i32(0)), false);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(isFirst.thenYield());
    for (auto [list, head] : llvm::zip_equal(sharedPlan.lists, heads))
      LLVM::StoreOp::create(b, head, headOf(list.second, warpNumber), /*alignment=*/4);
  }
  NVVM::SyncWarpOp::create(b, i32(-1));
  barrier();
  // Each lane has the head of one list.
  Value ofWarp = arith::MinUIOp::create(b, lane, i32(numWarps - 1));
  for (std::pair<Operation *, int64_t> each : sharedPlan.lists) {
    auto redo = cast<tile::RedoOp>(each.first);
    Value first = LLVM::LoadOp::create(b, word, headOf(each.second, ofWarp), /*alignment=*/4);
    auto loop = scf::WhileOp::create(b, TypeRange{word}, ValueRange{first});
    OpBuilder::InsertionGuard guard(b);
    auto greatest = [&](Value head) {
      return NVVM::ReduxOp::create(b, word, head, NVVM::ReduxKind::MAX, i32(-1)).getResult();
    };
    Value head = b.createBlock(&loop.getBefore(), {}, word, b.getLoc())->getArgument(0);
    Value isAny = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, greatest(head), i32(endOfList));
    scf::ConditionOp::create(b, isAny, head);
    head = b.createBlock(&loop.getAfter(), {}, word, b.getLoc())->getArgument(0);
    program = greatest(head);
    emitGrid(grid, program);
    for (Operation *needed : redo.getNeeded()) {
      views.erase(needed->getResult(0)); // another program's
      if (failed(emitOp(needed)))
        return failure();
    }
    if (failed(emitBlock(redo.getBody().front())))
      return failure();
    Value isDone = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, head, program);
    Value next = ptx::LdGlobalOp::create(b, word, linkOf(redo, program, ofWarp), isDone, /*nc=*/UnitAttr());
    scf::YieldOp::create(b, ValueRange{arith::SelectOp::create(b, isDone, next, head)});
  }
  return success();
}
