// A gated activation multiplies one half of a product's columns by a function of the other. As two kernels the product
// is written, and read again by a launch of its own. A program that computes the same columns of both halves, two
// products in one loop, has all that the activation needs in registers: this pass makes them one kernel.
#include "lib/Analysis/ContractionKernel.h"
#include "lib/Analysis/KernelModule.h"
#include "lib/Analysis/KernelNames.h"
#include "passes/3_tile/DerivedKernel.h"
#include "passes/3_tile/Passes.h"
#include "passes/3_tile/SumReader.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_JOINGATESPASS
#include "passes/3_tile/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

/// Whether the value is read as parts of its columns alone, two or more that are all of them.
static bool isReadInParts(Value value, SmallVectorImpl<tensor::ExtractSliceOp> &parts) {
  for (Operation *user : value.getUsers()) {
    auto slice = dyn_cast<tensor::ExtractSliceOp>(user);
    if (!slice || slice.getDroppedDims().any() || ShapedType::isDynamicShape(slice.getStaticOffsets()) ||
        !slice.getType().hasStaticShape() || !slice.hasUnitStride())
      return false;
    parts.push_back(slice);
  }
  auto whole = cast<RankedTensorType>(value.getType());
  int64_t columns = whole.getShape().back(), covered = 0;
  for (tensor::ExtractSliceOp part : parts) {
    if (part.getType().getShape().drop_back() != whole.getShape().drop_back() ||
        part.getType().getShape().back() * int64_t(parts.size()) != columns)
      return false;
    covered |= int64_t(1) << (part.getStaticOffsets().back() / part.getType().getShape().back());
  }
  return parts.size() == 2 && covered == 3;
}

/// What the reader works on: its argument, in the product's own shape.
static Value readValue(KernelOp reader, unsigned number) {
  Value value = reader.getBlock().getArgument(number);
  if (value.hasOneUse())
    if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(*value.getUsers().begin()))
      return collapse.getResult();
  return value;
}

static KernelOp findGate(KernelOp product) {
  if (product->getNumResults() != 1 || !product->getResult(0).hasOneUse() || product->hasAttr(refusalsAttrName))
    return {};
  std::optional<ContractionKernel> contraction = findContraction(product.getBlock());
  OpOperand &use = *product->getResult(0).getUses().begin();
  auto reader = dyn_cast<KernelOp>(use.getOwner());
  if (!contraction || !reader || reader->getNumResults() != 1)
    return {};
  // Pointwise, but for the parts.
  for (Operation &op : reader.getBlock().without_terminator())
    if (auto structured = dyn_cast<linalg::GenericOp>(op);
        structured ? structured.getNumReductionLoops() > 0
                   : !isa<tensor::ExtractSliceOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::EmptyOp,
                          arith::ConstantOp>(op))
      return {};
  Value read = readValue(reader, use.getOperandNumber());
  SmallVector<tensor::ExtractSliceOp> parts;
  return read.getType() == computedValue(product).getType() && isReadInParts(read, parts) ? reader : KernelOp();
}

static void join(KernelOp product, KernelOp reader) {
  DerivedKernel joined(reader, "");
  joined.name = (product.getKernelName() + "_gated_" + reader.getKernelName()).str();
  IRMapping inner;
  for (auto [argument, outside] : llvm::zip_equal(product.getBlock().getArguments(), product.getInputs()))
    inner.map(argument, joined.argument(argument.getType(), outside));
  for (Operation &op : product.getBlock().without_terminator())
    joined.b.clone(op, inner);
  OpOperand &use = *product->getResult(0).getUses().begin();
  joined.mapping.map(readValue(reader, use.getOperandNumber()), inner.lookup(computedValue(product)));
  KernelOp made = joined.finish(joined.copy(reader.getYielded()[0]), reader->getAttr("tenon.result_shapes"));
  remark::passed(reader.getLoc(), remark::RemarkOpts::name("join").category("tenon-join-gates"))
      << ("@" + product.getKernelName() + " and @" + reader.getKernelName() + " are one kernel").str();
  reader.replaceAllUsesWith(made.getResults());
  reader.erase();
  product.erase();
}

namespace {
struct JoinGates : tenon::impl::JoinGatesPassBase<JoinGates> {
  void runOnOperation() override {
    SmallVector<KernelOp> kernels;
    getOperation()->walk([&](KernelOp kernel) {
      if (findContraction(kernel.getBlock()))
        kernels.push_back(kernel);
    });
    for (KernelOp product : kernels)
      if (KernelOp reader = findGate(product)) // pointwise: no product that comes later
        join(product, reader);
    nameKernels(kernelsOf(getOperation()));
  }
};
} // namespace
