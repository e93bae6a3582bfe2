// mbarriers, and copies of TMA, as calls.
#include "dialects/Ptx/Ptx.h"
#include "passes/sim/DeviceOps.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace tenon {

static LogicalResult replaceBulkCopy(NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp op, CallBuilder &calls) {
  if (op.getMode() != NVVM::TMALoadMode::TILE || op.getMulticastMask() || op.getPredicate() || op.getGroup())
    return op.emitOpError("has no simulation of this form; expected a tile, without multicast, group or predicate");
  Value place = calls.registers(static_cast<int64_t>(op.getCoordinates().size()));
  for (auto [index, coordinate] : llvm::enumerate(op.getCoordinates()))
    LLVM::StoreOp::create(calls.builder(), op.getLoc(), coordinate,
                          calls.registerAt(place, static_cast<int64_t>(index)), 4);
  calls.call("tenon_sim_bulk_copy", {op.getDstMem(), op.getTmaDescriptor(), op.getMbar(), place,
                                     calls.i32(static_cast<int64_t>(op.getCoordinates().size()))});
  return success();
}

std::optional<LogicalResult> replaceTransferOp(Operation *op, CallBuilder &calls) {
  calls.startAt(op);
  auto orTrue = [&](Value predicate) { return predicate ? calls.bits(predicate) : calls.i32(1); };
  if (auto init = dyn_cast<NVVM::MBarrierInitOp>(op)) {
    if (init.getPredicate())
      return op->emitOpError("has no simulation with a predicate");
    calls.call("tenon_sim_mbarrier_init", {init.getAddr(), init.getCount()});
  } else if (auto expect = dyn_cast<NVVM::MBarrierArriveExpectTxOp>(op)) {
    if (expect.getNumResults() > 0 || expect.getRelaxed())
      return op->emitOpError("has no simulation with a state as its result, or relaxed");
    calls.call("tenon_sim_mbarrier_arrive", {expect.getAddr(), expect.getTxcount(), orTrue(expect.getPredicate())});
  } else if (auto arrive = dyn_cast<ptx::MbarrierArriveOp>(op)) {
    calls.call("tenon_sim_mbarrier_arrive", {arrive.getBarrier(), calls.i32(0), orTrue(arrive.getPredicate())});
  } else if (auto wait = dyn_cast<ptx::MbarrierWaitOp>(op)) {
    calls.call("tenon_sim_mbarrier_wait", {wait.getBarrier(), wait.getParity()});
  } else if (auto tryWait = dyn_cast<NVVM::MBarrierTryWaitParityOp>(op)) {
    calls.call("tenon_sim_mbarrier_wait", {tryWait.getAddr(), tryWait.getPhase()});
  } else if (auto copy = dyn_cast<NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp>(op)) {
    if (failed(replaceBulkCopy(copy, calls)))
      return failure();
  } else if (!isa<NVVM::FenceMbarrierInitOp, NVVM::SetMaxRegisterOp>(op)) {
    return std::nullopt;
  }
  op->erase();
  return success();
}

} // namespace tenon
