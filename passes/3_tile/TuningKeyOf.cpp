// The epilogue is told op by op in the order of the kernel, without conversions, constants and reshapes: `addf(n) mulf
// mulf erfc mulf` is a bias and a gelu. Kernels that differ in more than that share a key, and a schedule that is legal
// for both.
#include "passes/3_tile/TuningKeyOf.h"

#include "passes/3_tile/TileCandidates.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace tenon;

static std::string typeText(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << getElementTypeOrSelf(type);
  return text;
}

static bool isSilent(Operation &op) {
  return op.hasTrait<OpTrait::ConstantLike>() || op.hasTrait<OpTrait::IsTerminator>() ||
         isa<arith::ExtFOp, arith::TruncFOp, arith::ExtSIOp, arith::SIToFPOp, tensor::EmptyOp, tensor::DimOp,
             linalg::FillOp, tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op);
}

/// Whether a value is an operand of the kernel, reshaped perhaps.
static bool isOperand(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op))
      return false;
    value = op->getOperand(0);
  }
  return true;
}

/// The dimensions of the result that an operand has: `mn` where it has both, `n` where one a column.
static std::string dimensionsOf(AffineMap map) {
  std::string text;
  unsigned rank = map.getNumDims();
  for (AffineExpr expr : map.getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim)
      text += "*";
    else if (rank <= 2)
      text += dim.getPosition() + 1 == rank ? "n" : "m";
    else
      text += std::to_string(dim.getPosition());
  }
  return text.empty() ? "1" : text;
}

static std::string epilogueOf(KernelOp kernel, ContractionKernel &product) {
  SmallVector<std::string> words;
  for (Operation &op : kernel.getBlock()) {
    if (isSilent(op) || &op == product.op)
      continue;
    auto generic = dyn_cast<linalg::GenericOp>(op);
    if (!generic) {
      words.push_back(op.getName().stripDialect().str());
      continue;
    }
    SmallVector<std::string> inner;
    for (Operation &scalar : *generic.getBody())
      if (!isSilent(scalar))
        inner.push_back(scalar.getName().stripDialect().str());
    std::string operands;
    for (OpOperand *operand : generic.getDpsInputOperands())
      if (isOperand(operand->get()))
        operands += (operands.empty() ? "" : ",") + dimensionsOf(generic.getMatchingIndexingMap(operand));
    if (!operands.empty())
      (inner.empty() ? inner.emplace_back("read") : inner.front()) += "(" + operands + ")";
    llvm::append_range(words, inner);
  }
  return llvm::join(words, " ");
}

/// "n" where the depth lies innermost in the left operand and "t" where it does in the right, as BLAS names them.
static std::string formOf(ContractionKernel &product) {
  AffineExpr depth = getAffineDimExpr(product.depth, product.op.getContext());
  auto isInnermost = [&](AffineMap map) { return map.getNumResults() > 0 && map.getResults().back() == depth; };
  return std::string("product ") + (isInnermost(product.lhsMap()) ? "n" : "t") +
         (isInnermost(product.rhsMap()) ? "t" : "n");
}

Result<TuningKey> tenon::tuningKeyOf(KernelOp kernel, const GpuArch &arch, bool tf32) {
  std::optional<ContractionKernel> product = findProduct(kernel.getBlock());
  if (!product)
    return unsupported("it is no product");
  GemmShape shape = gemmShapeOf(kernel, *product, tf32);
  if (shape.operandBits > 32)
    return unsupported("its operands have more than 32 bits");
  if (shape.batch < 0 || shape.rows < 0 || shape.columns < 0 || shape.depth < 0)
    return unsupported("its sizes are known only at run time");
  TuningKey key;
  key.op = formOf(*product);
  // Multiply-adds, or Tensor Cores: other schedules are fast for each.
  if (tf32 && getElementTypeOrSelf(product->rhsTensor().getType()).isF32())
    key.op += ", tf32";
  if (shape.products > 1)
    key.op += ", gated";
  if (product->blocks)
    key.op += llvm::formatv(", blocks of {0} x {1}", shape.columnBlock, shape.depthBlock);
  key.shape = llvm::formatv("{0}x{1}x{2}x{3}", shape.batch, tuningRowsOf(shape.rows), shape.columns, shape.depth).str();
  key.types = typeText(product->lhsTensor().getType()) + "*" + typeText(product->rhsTensor().getType()) + "->";
  for (auto [number, type] : llvm::enumerate(kernel.getResultTypes()))
    key.types += (number ? "," : "") + typeText(type);
  key.epilogue = epilogueOf(kernel, *product);
  key.arch = arch.name;
  return key;
}
