// A model puts a token before those that it has computed, adds positions to all, and norms the sum: the concatenation
// is a launch that only copies, as its parts are stored one by one, and the next reads the copy. Who works on rows can
// have each from the part that it is of: this pass makes a concatenation and its only reader one kernel. On a processor
// the copy is cheap and the choice of a part an element is not, so that kernels are formed without it.
#include "lib/Analysis/ContractionKernel.h"
#include "lib/Analysis/KernelModule.h"
#include "lib/Analysis/KernelNames.h"
#include "lib/Analysis/UpdatedOperand.h"
#include "lib/Analysis/WeightOperands.h"
#include "passes/3_tile/DerivedKernel.h"
#include "passes/3_tile/Passes.h"

#include "mlir/IR/Remarks.h"
#include "llvm/ADT/SmallVectorExtras.h"

namespace tenon {
#define GEN_PASS_DEF_JOINCONCATSPASS
#include "passes/3_tile/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

/// Whoever reads an element looks for it in each part: a load that takes place or not, and a choice, 3 instructions. To
/// copy 2 bytes takes memory as long as a multiprocessor takes for 28.
static constexpr size_t mostParts = 8;

/// Whether somebody has a say in how the kernel is computed: a schedule that stands there, or a refusal, of what may
/// have been the two as one.
static bool isDecided(KernelOp kernel) {
  return kernel->hasAttr("tenon.schedule") || kernel->hasAttr(generalAttrName) || kernel->hasAttr(refusalsAttrName);
}

/// Whether the kernel does nothing but put its arguments side by side, in whole rows.
static bool isConcatOfRows(KernelOp kernel) {
  if (kernel->getNumResults() != 1 || isDecided(kernel) || isOfWeights(kernel->getResult(0)))
    return false;
  Value yielded = kernel.getYielded()[0];
  auto type = cast<RankedTensorType>(yielded.getType());
  Insertions parts = insertionsOf(yielded);
  return type.hasStaticShape() && type.getRank() > 1 && !parts.inserts.empty() && parts.inserts.size() <= mostParts &&
         parts.rest.getDefiningOp<tensor::EmptyOp>() && llvm::all_of(parts.inserts, [&](tensor::InsertSliceOp insert) {
           RankedTensorType part = insert.getSourceType();
           return isa<BlockArgument>(insert.getSource()) && insert.hasUnitStride() && part.hasStaticShape() &&
                  !ShapedType::isDynamicShape(insert.getStaticOffsets()) && part.getRank() == type.getRank() &&
                  part.getShape().back() == type.getShape().back();
         });
}

/// Whether all that the kernel does is in loops over whole tensors, which read the argument where they are.
static bool isStructured(KernelOp kernel, BlockArgument argument) {
  // What a loop's body takes elements of is no operand of the loop.
  return llvm::all_of(argument.getUsers(), llvm::IsaPred<linalg::GenericOp>) &&
         llvm::all_of(kernel.getBlock().without_terminator(), [](Operation &op) {
           auto generic = dyn_cast<linalg::GenericOp>(op);
           return generic ? llvm::all_of(
                                generic.getIndexingMapsArray(),
                                [](AffineMap map) { return map.isProjectedPermutation(/*allowZeroInResults=*/true); })
                          : isa<linalg::FillOp, tensor::EmptyOp, arith::ConstantOp>(op);
         });
}

/// The only kernel that reads the result, if it computes results of that shape by structured ops on the whole of it.
static KernelOp findReader(KernelOp concat) {
  Value result = concat->getResult(0);
  auto reader = result.hasOneUse() ? dyn_cast<KernelOp>(*result.getUsers().begin()) : KernelOp();
  if (!reader || isDecided(reader) || findContraction(reader.getBlock()))
    return {};
  auto shape = cast<RankedTensorType>(result.getType()).getShape();
  bool areAlike = llvm::all_of(reader.getResultTypes(),
                               [&](Type type) { return cast<RankedTensorType>(type).getShape() == shape; });
  unsigned number = result.getUses().begin()->getOperandNumber();
  return areAlike && isStructured(reader, reader.getBlock().getArgument(number)) ? reader : KernelOp();
}

static void join(KernelOp concat, KernelOp reader) {
  DerivedKernel joined(reader, "");
  joined.name = (concat.getKernelName() + "_read_by_" + reader.getKernelName()).str();
  IRMapping inner;
  for (auto [argument, outside] : llvm::zip_equal(concat.getBlock().getArguments(), concat.getInputs()))
    inner.map(argument, joined.argument(argument.getType(), outside));
  for (Operation &op : concat.getBlock().without_terminator())
    joined.b.clone(op, inner);
  OpOperand &use = *concat->getResult(0).getUses().begin();
  joined.mapping.map(reader.getBlock().getArgument(use.getOperandNumber()), inner.lookup(concat.getYielded()[0]));
  SmallVector<Value> yielded =
      llvm::map_to_vector(reader.getYielded(), [&](Value value) { return joined.copy(value); });
  KernelOp made = joined.finish(yielded, reader->getAttr("tenon.result_shapes"));
  remark::passed(reader.getLoc(), remark::RemarkOpts::name("join").category("tenon-join-concats"))
      << ("@" + concat.getKernelName() + " and @" + reader.getKernelName() + " are one kernel").str();
  reader.replaceAllUsesWith(made.getResults());
  reader.erase();
  concat.erase();
}

namespace {
struct JoinConcats : tenon::impl::JoinConcatsPassBase<JoinConcats> {
  void runOnOperation() override {
    SmallVector<KernelOp> concats = llvm::filter_to_vector(kernelsOf(getOperation()), isConcatOfRows);
    for (KernelOp concat : concats)
      if (KernelOp reader = findReader(concat)) // it computes, so it is no concatenation itself
        join(concat, reader);
    nameKernels(kernelsOf(getOperation()));
  }
};
} // namespace
