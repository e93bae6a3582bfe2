// wgmma and its wait as calls. Before them, every op that may read an accumulator under way gets a check.
#include "dialects/Ptx/Ptx.h"
#include "lib/Sim/DeviceFunctions.h"
#include "passes/sim/DeviceOps.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"

using namespace mlir;
using tenon::sim::MmaType;

namespace tenon {

/// Values that may name an accumulator: results of wgmma, and what carries them through waits that leave some pending,
/// loops, branches and selections.
static llvm::SetVector<Value> mayBeUnderWay(ModuleOp kernels) {
  llvm::SetVector<Value> values;
  kernels.walk([&](ptx::WgmmaOp op) { values.insert(op.getResults().begin(), op.getResults().end()); });
  for (size_t index = 0; index < values.size(); ++index)
    for (OpOperand &use : values[index].getUses()) {
      Operation *user = use.getOwner();
      unsigned number = use.getOperandNumber();
      if (auto wait = dyn_cast<ptx::WgmmaWaitOp>(user)) {
        if (wait.getPending() > 0)
          values.insert(wait.getResults()[number]);
      } else if (auto loop = dyn_cast<LoopLikeOpInterface>(user)) {
        if (OpResult result = loop.getTiedLoopResult(&use))
          values.insert(result);
        if (BlockArgument argument = loop.getTiedLoopRegionIterArg(&use))
          values.insert(argument);
      } else if (isa<scf::YieldOp>(user)) {
        Operation *parent = user->getParentOp();
        values.insert(parent->getResult(number));
        if (auto loop = dyn_cast<scf::ForOp>(parent))
          values.insert(loop.getRegionIterArg(number));
      } else if (auto branch = dyn_cast<BranchOpInterface>(user)) {
        if (std::optional<BlockArgument> argument = branch.getSuccessorBlockArgument(number))
          values.insert(*argument);
      }
    }
  return values;
}

void checkAccumulators(ModuleOp kernels, CallBuilder &calls) {
  for (Value value : mayBeUnderWay(kernels))
    for (OpOperand &use : llvm::make_early_inc_range(value.getUses())) {
      Operation *user = use.getOwner();
      if (isa<ptx::WgmmaOp, ptx::WgmmaWaitOp, LoopLikeOpInterface, BranchOpInterface, scf::YieldOp>(user))
        continue;
      calls.startAt(user);
      calls.call("tenon_sim_accumulator", {calls.bits(value), calls.i32(value.getType().isInteger())});
    }
}

static void storeAll(CallBuilder &calls, Location loc, ValueRange values, Value registers) {
  for (auto [index, value] : llvm::enumerate(values))
    LLVM::StoreOp::create(calls.builder(), loc, value, calls.registerAt(registers, static_cast<int64_t>(index)), 4);
}

static void loadAll(CallBuilder &calls, Location loc, ResultRange results, Value registers) {
  for (auto [index, result] : llvm::enumerate(results))
    result.replaceAllUsesWith(LLVM::LoadOp::create(calls.builder(), loc, result.getType(),
                                                   calls.registerAt(registers, static_cast<int64_t>(index)), 4));
}

static MmaType typeOf(Type element) {
  return element.isF16()                  ? MmaType::F16
         : element.isBF16()               ? MmaType::BF16
         : element.isTF32()               ? MmaType::TF32
         : isa<Float8E4M3FNType>(element) ? MmaType::E4M3
         : isa<Float8E5M2Type>(element)   ? MmaType::E5M2
         : element.isUnsignedInteger()    ? MmaType::U8
                                          : MmaType::S8;
}

/// Each step of the depth is a call, with the accumulators in memory from one to the next.
static void replaceWgmma(ptx::WgmmaOp op, CallBuilder &calls) {
  OpBuilder &ops = calls.builder();
  Location loc = op.getLoc();
  Type i64 = ops.getI64Type();
  auto count = static_cast<int64_t>(op.getAccumulators().size());
  Value sums = calls.registers(count), names = calls.registers(count), words = calls.registers(4);
  storeAll(calls, loc, op.getAccumulators(), sums);
  Value isInteger = calls.i32(op.getAccumulators().front().getType().isInteger());
  calls.call("tenon_sim_wgmma_begin", {sums, names, calls.i32(count), isInteger});
  bool isInRegisters = op.getLhs().front().getType().isInteger(32);
  uint32_t step =
      sim::packWgmma({typeOf(op.getElement()), typeOf(op.elementOfRhs()), isInRegisters, op.getTransposeLhs(),
                      op.getTransposeRhs(), op.getNegateLhs(), op.getNegateRhs(), static_cast<uint32_t>(2 * count)});
  auto advanced = [&](Value descriptor, int64_t offset) {
    return LLVM::AddOp::create(ops, loc, descriptor,
                               LLVM::ConstantOp::create(ops, loc, i64, ops.getI64IntegerAttr(offset)));
  };
  for (auto [number, offset] : llvm::enumerate(op.getRhsOffsets())) {
    Value a;
    if (isInRegisters) {
      a = LLVM::ConstantOp::create(ops, loc, i64, ops.getI64IntegerAttr(0));
      for (int64_t word = 0; word < 4; ++word)
        LLVM::StoreOp::create(ops, loc, op.getLhs()[4 * number + word], calls.registerAt(words, word), 4);
    } else {
      a = advanced(op.getLhs().front(), op.getLhsOffsets()[number]);
    }
    calls.call("tenon_sim_wgmma_step", {sums, words, a, advanced(op.getRhs(), offset), calls.i32(step)});
  }
  calls.call("tenon_sim_wgmma_commit", {sums, names, calls.i32(count), isInteger});
  loadAll(calls, loc, op.getResults(), sums);
}

std::optional<LogicalResult> replaceWarpgroupOp(Operation *op, CallBuilder &calls) {
  calls.startAt(op);
  if (auto product = dyn_cast<ptx::WgmmaOp>(op)) {
    replaceWgmma(product, calls);
  } else if (auto wait = dyn_cast<ptx::WgmmaWaitOp>(op)) {
    auto count = static_cast<int64_t>(wait.getValues().size());
    Value registers = calls.registers(count);
    storeAll(calls, op->getLoc(), wait.getValues(), registers);
    calls.call("tenon_sim_wgmma_wait", {registers, calls.i32(count), calls.i32(wait.getPending()),
                                        calls.i32(count > 0 && wait.getValues().front().getType().isInteger())});
    loadAll(calls, op->getLoc(), wait.getResults(), registers);
  } else {
    return std::nullopt;
  }
  op->erase();
  return success();
}

} // namespace tenon
