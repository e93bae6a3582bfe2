// A bf16 is the upper half of an f32. Where memory gives two of them in a register, each is widened by one instruction
// from that register; taken out first they would have a register each.
#include "passes/6_ptx/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"

namespace tenon {
#define GEN_PASS_DEF_WIDENPACKEDFLOATSPASS
#include "passes/6_ptx/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static void widen(arith::ExtFOp op) {
  auto element = op.getIn().getDefiningOp<LLVM::ExtractElementOp>();
  if (!element || !op.getIn().getType().isBF16() || !op.getType().isF32())
    return;
  auto packed = cast<VectorType>(element.getVector().getType());
  APInt number;
  if (packed.getNumElements() % 2 != 0 || !matchPattern(element.getPosition(), m_ConstantInt(&number)))
    return;
  ImplicitLocOpBuilder b(op.getLoc(), op);
  Type word = b.getI32Type();
  auto constant = [&](int32_t value) -> Value { return LLVM::ConstantOp::create(b, word, b.getI32IntegerAttr(value)); };
  Value words = LLVM::BitcastOp::create(b, VectorType::get(packed.getNumElements() / 2, word), element.getVector());
  Value both = LLVM::ExtractElementOp::create(b, words, constant(number.getZExtValue() / 2));
  Value bits = number[0] ? LLVM::AndOp::create(b, both, constant(0xffff0000)).getResult()
                         : LLVM::ShlOp::create(b, both, constant(16)).getResult();
  op.replaceAllUsesWith(LLVM::BitcastOp::create(b, op.getType(), bits).getResult());
  op.erase();
  if (element->use_empty())
    element.erase();
}

namespace {
struct WidenPackedFloats : tenon::impl::WidenPackedFloatsPassBase<WidenPackedFloats> {
  using WidenPackedFloatsPassBase::WidenPackedFloatsPassBase;
  void runOnOperation() override { getOperation()->walk(widen); }
};
} // namespace
