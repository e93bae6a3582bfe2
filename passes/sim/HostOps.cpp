// Ops of registers: what a host does alike stays, and what it does otherwise than a GPU becomes what the GPU does.
#include "passes/sim/DeviceOps.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Index/IR/IndexDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace tenon {

static bool isHostDialect(Operation *op) {
  return isa<affine::AffineDialect, arith::ArithDialect, math::MathDialect, scf::SCFDialect, cf::ControlFlowDialect,
             index::IndexDialect, ub::UBDialect, vector::VectorDialect>(op->getDialect());
}

/// Functions that the host's C library has and no instruction of a GPU; of `math` those that libdevice has are calls by
/// now.
static bool isLibraryFunction(Operation *op) {
  static const llvm::StringSet<> names = {"llvm.intr.acos",  "llvm.intr.asin",  "llvm.intr.atan",    "llvm.intr.atan2",
                                          "llvm.intr.cos",   "llvm.intr.cosh",  "llvm.intr.exp",     "llvm.intr.exp10",
                                          "llvm.intr.exp2",  "llvm.intr.frexp", "llvm.intr.ldexp",   "llvm.intr.log",
                                          "llvm.intr.log10", "llvm.intr.log2",  "llvm.intr.llrint",  "llvm.intr.lround",
                                          "llvm.intr.lrint", "llvm.intr.pow",   "llvm.intr.llround", "llvm.intr.powi",
                                          "llvm.intr.sin",   "llvm.intr.sinh",  "llvm.intr.tan",     "llvm.intr.sincos",
                                          "llvm.intr.tanh",  "math.fpowi",      "math.sincos"};
  return names.contains(op->getName().getStringRef());
}

static bool isHostOp(Operation *op) {
  if (isLibraryFunction(op))
    return false;
  if (isHostDialect(op))
    return !isa<affine::AffineLoadOp, affine::AffineStoreOp, vector::LoadOp, vector::StoreOp, vector::TransferReadOp,
                vector::TransferWriteOp, vector::GatherOp, vector::ScatterOp, vector::MaskedLoadOp,
                vector::MaskedStoreOp>(op);
  if (!isa<LLVM::LLVMDialect>(op->getDialect()) ||
      isa<LLVM::InlineAsmOp, LLVM::CallIntrinsicOp, LLVM::CallOp, LLVM::PtrToIntOp, LLVM::IntToPtrOp>(op))
    return false;
  return isa<LLVM::AllocaOp, LLVM::LifetimeStartOp, LLVM::LifetimeEndOp, LLVM::AssumeOp>(op) ||
         op->hasTrait<OpTrait::IsTerminator>() || isMemoryEffectFree(op);
}

/// A GPU rounds once; a host has it by way of f32, where it rounds before.
static Value fmaOfBF16(ValueRange operands, Location loc, CallBuilder &calls) {
  OpBuilder &ops = calls.builder();
  SmallVector<Value> wide;
  for (Value operand : operands)
    wide.push_back(LLVM::FPExtOp::create(ops, loc, ops.getF32Type(), operand));
  Value bits = calls.call("tenon_sim_fma_bf16", wide, ops.getI32Type());
  return LLVM::BitcastOp::create(ops, loc, ops.getBF16Type(), LLVM::TruncOp::create(ops, loc, ops.getI16Type(), bits));
}

static Value fmaOfBF16s(Operation *op, CallBuilder &calls) {
  OpBuilder &ops = calls.builder();
  Location loc = op->getLoc();
  auto vector = dyn_cast<VectorType>(op->getResult(0).getType());
  if (!vector)
    return fmaOfBF16(op->getOperands(), loc, calls);
  auto flat = VectorType::get(vector.getNumElements(), vector.getElementType());
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(vector::ShapeCastOp::create(ops, loc, flat, operand));
  Value result = LLVM::PoisonOp::create(ops, loc, flat);
  for (int64_t number = 0; number < flat.getNumElements(); ++number) {
    SmallVector<Value> parts;
    for (Value operand : operands)
      parts.push_back(vector::ExtractOp::create(ops, loc, operand, number));
    result = vector::InsertOp::create(ops, loc, fmaOfBF16(parts, loc, calls), result, number);
  }
  return vector::ShapeCastOp::create(ops, loc, vector, result);
}

std::optional<LogicalResult> replaceHostOp(Operation *op, CallBuilder &calls) {
  if (isa<math::FmaOp, vector::FMAOp, LLVM::FMAOp, LLVM::FMulAddOp>(op) &&
      getElementTypeOrSelf(op->getResult(0)).isBF16()) {
    calls.startAt(op);
    op->replaceAllUsesWith(ValueRange{fmaOfBF16s(op, calls)});
    op->erase();
    return success();
  }
  if (auto sum = dyn_cast<LLVM::FMulAddOp>(op)) { // one instruction on a GPU, perhaps two here
    calls.startAt(op);
    sum.replaceAllUsesWith(
        LLVM::FMAOp::create(calls.builder(), op->getLoc(), sum.getType(), sum->getOperands()).getResult());
    op->erase();
    return success();
  }
  return isHostOp(op) ? std::optional(success()) : std::nullopt;
}

} // namespace tenon
