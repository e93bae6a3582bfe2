// mbarriers, and copies of TMA, as calls.
#include "dialects/Ptx/Ptx.h"
#include "lib/Sim/DeviceFunctions.h"
#include "passes/sim/DeviceOps.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using tenon::sim::BulkWrite;

namespace tenon {

/// Memory with the coordinates of a box.
static Value placeOf(OperandRange coordinates, CallBuilder &calls) {
  Value place = calls.registers(static_cast<int64_t>(coordinates.size()));
  for (auto [index, coordinate] : llvm::enumerate(coordinates))
    LLVM::StoreOp::create(calls.builder(), coordinate.getLoc(), coordinate,
                          calls.registerAt(place, static_cast<int64_t>(index)), 4);
  return place;
}

static LogicalResult replaceBulkCopy(NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp op, CallBuilder &calls) {
  if (op.getMode() != NVVM::TMALoadMode::TILE || op.getGroup() || op.getIsCTAOnly())
    return op.emitOpError("has no simulation of this form; expected a tile, without group, to a CTA of the cluster");
  Value mask = calls.i32(0);
  if (op.getMulticastMask())
    mask = LLVM::ZExtOp::create(calls.builder(), op.getLoc(), calls.builder().getI32Type(), op.getMulticastMask());
  calls.call("tenon_sim_bulk_copy",
             {op.getDstMem(), op.getTmaDescriptor(), op.getMbar(), placeOf(op.getCoordinates(), calls),
              calls.i32(static_cast<int64_t>(op.getCoordinates().size())), mask,
              calls.i32(op.getMulticastMask() != nullptr),
              op.getPredicate() ? calls.bits(op.getPredicate()) : calls.i32(1)});
  return success();
}

static LogicalResult replaceBulkStore(NVVM::CpAsyncBulkTensorSharedCTAToGlobalOp op, CallBuilder &calls) {
  if (op.getMode() != NVVM::TMAStoreMode::TILE)
    return op.emitOpError("has no simulation of this mode; expected a tile");
  calls.call("tenon_sim_bulk_store", {op.getTmaDescriptor(), op.getSrcMem(), placeOf(op.getCoordinates(), calls),
                                      calls.i32(static_cast<int64_t>(op.getCoordinates().size())),
                                      calls.i32(static_cast<int64_t>(BulkWrite::Replace)),
                                      op.getPredicate() ? calls.bits(op.getPredicate()) : calls.i32(1)});
  return success();
}

static LogicalResult replaceBulkReduction(NVVM::CpAsyncBulkTensorReduceOp op, CallBuilder &calls) {
  if (op.getMode() != NVVM::TMAStoreMode::TILE)
    return op.emitOpError("has no simulation of this mode; expected a tile");
  auto kind = static_cast<int64_t>(BulkWrite::Add) + static_cast<int64_t>(op.getRedKind());
  calls.call("tenon_sim_bulk_store",
             {op.getTmaDescriptor(), op.getSrcMem(), placeOf(op.getCoordinates(), calls),
              calls.i32(static_cast<int64_t>(op.getCoordinates().size())), calls.i32(kind), calls.i32(1)});
  return success();
}

std::optional<LogicalResult> replaceTransferOp(Operation *op, CallBuilder &calls) {
  calls.startAt(op);
  auto isOfCluster = [&](NVVM::MemScopeKind scope) { return calls.i32(scope != NVVM::MemScopeKind::CTA); };
  auto orTrue = [&](Value predicate) { return predicate ? calls.bits(predicate) : calls.i32(1); };
  if (auto init = dyn_cast<NVVM::MBarrierInitOp>(op)) {
    if (init.getPredicate())
      return op->emitOpError("has no simulation with a predicate");
    calls.call("tenon_sim_mbarrier_init", {init.getAddr(), init.getCount()});
  } else if (auto expect = dyn_cast<NVVM::MBarrierArriveExpectTxOp>(op)) {
    if (expect.getNumResults() > 0 || expect.getRelaxed())
      return op->emitOpError("has no simulation with a state as its result, or relaxed");
    calls.call("tenon_sim_mbarrier_arrive",
               {expect.getAddr(), expect.getTxcount(), orTrue(expect.getPredicate()), isOfCluster(expect.getScope())});
  } else if (auto arrive = dyn_cast<NVVM::MBarrierArriveOp>(op)) {
    if (!op->use_empty() || arrive.getCount() || arrive.getRelaxed())
      return op->emitOpError("has no simulation with a state that is used, a count, or relaxed");
    calls.call("tenon_sim_mbarrier_arrive",
               {arrive.getAddr(), calls.i32(0), calls.i32(1), isOfCluster(arrive.getScope())});
  } else if (auto arrive = dyn_cast<ptx::MbarrierArriveOp>(op)) {
    calls.call("tenon_sim_mbarrier_arrive",
               {arrive.getBarrier(), calls.i32(0), orTrue(arrive.getPredicate()), calls.i32(0)});
  } else if (auto arrive = dyn_cast<ptx::MbarrierArriveClusterOp>(op)) {
    // A rank counts where the predicate holds.
    Value rank =
        LLVM::SelectOp::create(calls.builder(), op->getLoc(), arrive.getPredicate(), arrive.getRank(), calls.i32(0));
    Value peer =
        calls.call("tenon_sim_mapa", {arrive.getBarrier(), rank}, LLVM::LLVMPointerType::get(op->getContext()));
    calls.call("tenon_sim_mbarrier_arrive", {peer, calls.i32(0), calls.bits(arrive.getPredicate()), calls.i32(0)});
  } else if (auto store = dyn_cast<ptx::StAsyncOp>(op)) {
    Value registers = calls.registers(4);
    LLVM::StoreOp::create(calls.builder(), op->getLoc(), store.getValue(), registers, 16);
    Type pointer = LLVM::LLVMPointerType::get(op->getContext());
    Value place = calls.call("tenon_sim_mapa", {store.getAddress(), store.getRank()}, pointer);
    Value barrier = calls.call("tenon_sim_mapa", {store.getBarrier(), store.getRank()}, pointer);
    calls.call("tenon_sim_st_async", {registers, place, barrier});
  } else if (auto wait = dyn_cast<ptx::MbarrierWaitOp>(op)) {
    calls.call("tenon_sim_mbarrier_wait", {wait.getBarrier(), wait.getParity()});
  } else if (auto tryWait = dyn_cast<NVVM::MBarrierTryWaitParityOp>(op)) {
    calls.call("tenon_sim_mbarrier_wait", {tryWait.getAddr(), tryWait.getPhase()});
  } else if (auto copy = dyn_cast<NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp>(op)) {
    if (failed(replaceBulkCopy(copy, calls)))
      return failure();
  } else if (auto store = dyn_cast<NVVM::CpAsyncBulkTensorSharedCTAToGlobalOp>(op)) {
    if (failed(replaceBulkStore(store, calls)))
      return failure();
  } else if (auto reduction = dyn_cast<NVVM::CpAsyncBulkTensorReduceOp>(op)) {
    if (failed(replaceBulkReduction(reduction, calls)))
      return failure();
  } else if (isa<NVVM::CpAsyncBulkCommitGroupOp>(op)) {
    calls.call("tenon_sim_bulk_commit", {});
  } else if (auto wait = dyn_cast<NVVM::CpAsyncBulkWaitGroupOp>(op)) {
    calls.call("tenon_sim_bulk_wait", {calls.i32(wait.getGroup()), calls.i32(wait.getRead().value_or(false))});
  } else if (auto control = dyn_cast<NVVM::GriddepcontrolOp>(op)) {
    if (control.getKind() == NVVM::GridDepActionKind::wait)
      calls.call("tenon_sim_grid_wait", {});
  } else if (isa<NVVM::FenceMbarrierInitOp>(op)) {
    calls.call("tenon_sim_fence_mbarrier_init", {});
  } else {
    return std::nullopt;
  }
  op->erase();
  return success();
}

} // namespace tenon
