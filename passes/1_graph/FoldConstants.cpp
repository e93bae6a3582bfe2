// Ops whose operands are all constants are evaluated by the float64 reference, each result rounded to its element type,
// and replaced by a constant: what the op itself would give with perfect arithmetic. A result that is large beside its
// operands stays an op, as it is cheaper to compute than to keep in the artefact.
#include "dialects/Tenon/Tenon.h"
#include "lib/Reference/Reference.h"
#include "passes/1_graph/Passes.h"

#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_FOLDCONSTANTSPASS
#include "passes/1_graph/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static constexpr StringLiteral category = "tenon-fold-constants";
static constexpr int64_t alwaysBytes = 1024, mostBytes = 64 * 1024, mostGrowth = 4;

static int64_t bytesOf(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return (type.getNumElements() * type.getElementTypeBitWidth() + 7) / 8;
}

/// The bound on what is kept in place of what is computed.
static bool isSmall(Operation *op) {
  int64_t read = 0, written = 0;
  for (Value operand : op->getOperands())
    read += bytesOf(operand);
  for (Value result : op->getResults()) {
    if (!cast<RankedTensorType>(result.getType()).hasStaticShape())
      return false;
    written += bytesOf(result);
  }
  return written <= alwaysBytes || (written <= mostBytes && written <= mostGrowth * read);
}

static ReferenceTensor toReference(DenseElementsAttr elements) {
  ReferenceTensor tensor(elements.getElementType(), elements.getType().getShape());
  if (tensor.isFloat())
    for (auto [to, from] : llvm::zip_equal(tensor.floats, elements.getValues<APFloat>()))
      to = from.convertToDouble();
  else
    for (auto [to, from] : llvm::zip_equal(tensor.integers, elements.getValues<APInt>()))
      to = from.getBitWidth() == 1 ? int64_t(from.getZExtValue()) : from.getSExtValue();
  return tensor;
}

static DenseElementsAttr toAttribute(const ReferenceTensor &tensor) {
  auto type = RankedTensorType::get(tensor.shape, tensor.elementType);
  if (!tensor.isFloat()) {
    unsigned width = tensor.elementType.getIntOrFloatBitWidth();
    return DenseElementsAttr::get(type, llvm::map_to_vector(tensor.integers, [&](int64_t value) {
                                    return APInt(width, uint64_t(value), /*isSigned=*/false, /*implicitTrunc=*/true);
                                  }));
  }
  const llvm::fltSemantics &semantics = cast<FloatType>(tensor.elementType).getFloatSemantics();
  return DenseElementsAttr::get(type, llvm::map_to_vector(tensor.floats, [&](double value) {
                                  APFloat number(value);
                                  bool losesInfo; // nothing: the reference has rounded
                                  number.convert(semantics, APFloat::rmNearestTiesToEven, &losesInfo);
                                  return number;
                                }));
}

/// The op's results as constants, or why not.
static FailureOr<SmallVector<DenseElementsAttr>> evaluate(Operation *op, std::string &reason) {
  SmallVector<ReferenceTensor> operands;
  for (Value operand : op->getOperands())
    operands.push_back(toReference(cast<DenseElementsAttr>(operand.getDefiningOp<ConstantOp>().getValue())));
  // What has no value is no error: the op may never be reached with it, and whoever runs it will say so.
  ScopedDiagnosticHandler quiet(op->getContext(), [&](Diagnostic &diagnostic) {
    reason = diagnostic.str();
    return success();
  });
  FailureOr<std::vector<ReferenceTensor>> results = evaluateReference(op, operands, ReferenceRounding::perOp);
  if (failed(results))
    return failure();
  return llvm::map_to_vector(*results, toAttribute);
}

static bool readsConstantsAlone(Operation *op) {
  if (!isa_and_nonnull<TenonDialect>(op->getDialect()) || isa<KernelOp, LaunchOp, YieldOp>(op) || !isPure(op))
    return false;
  return op->getNumOperands() > 0 && llvm::all_of(op->getOperands(), [](Value operand) {
           auto constant = operand.getDefiningOp<ConstantOp>();
           return constant && isa<DenseElementsAttr>(constant.getValue());
         });
}

/// Replaces an op that reads constants alone by constants of its results.
static LogicalResult foldConstants(RewriterBase &rewriter, Operation *op) {
  if (!readsConstantsAlone(op) || !isSmall(op))
    return failure();
  std::string reason;
  FailureOr<SmallVector<DenseElementsAttr>> values = evaluate(op, reason);
  if (failed(values)) {
    remark::missed(op->getLoc(), remark::RemarkOpts::name("constant").category(category))
        << (op->getName().stripDialect() + " of constants not computed: " + reason).str();
    return failure();
  }
  rewriter.setInsertionPoint(op);
  SmallVector<Value> constants;
  for (auto [result, value] : llvm::zip_equal(op->getResults(), *values))
    constants.push_back(ConstantOp::create(rewriter, op->getLoc(), result.getType(), value));
  SmallVector<Operation *> read = llvm::map_to_vector(op->getOperands(), [](Value v) { return v.getDefiningOp(); });
  rewriter.replaceOp(op, constants);
  for (Operation *constant : llvm::SetVector<Operation *>(read.begin(), read.end()))
    if (isOpTriviallyDead(constant))
      rewriter.eraseOp(constant);
  return success();
}

namespace {
struct FoldConstants : tenon::impl::FoldConstantsPassBase<FoldConstants> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    // In program order, so that what an op reads has been folded before it.
    for (auto function : getOperation().getOps<func::FuncOp>())
      for (Block &block : function.getBody())
        for (Operation &op : llvm::make_early_inc_range(block))
          (void)foldConstants(rewriter, &op);
  }
};
} // namespace
