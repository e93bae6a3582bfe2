// A weight lies in the file row by row, a register block reads it panel by panel: columns side by side, depth after
// depth. Reordering it is a kernel of its own that runs once, when the model is loaded (docs/decisions/0001); the
// contraction then reads through a map that says where an element went.
#include "lib/Analysis/ContractionKernel.h"
#include "passes/cpu/LoadTime.h"
#include "passes/cpu/Passes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_CPUPACKWEIGHTSPASS
#include "passes/cpu/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

bool tenon::isLoadTime(Value value) {
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<WeightOp, ConstantOp>(op))
    return true;
  return op && op->getNumOperands() > 0 && cast<RankedTensorType>(value.getType()).hasStaticShape() &&
         llvm::all_of(op->getOperands(), [](Value operand) { return isLoadTime(operand); });
}

bool tenon::isLoadTime(KernelOp kernel, Value inner) {
  auto argument = dyn_cast<BlockArgument>(inner);
  return argument && argument.getOwner() == &kernel.getBlock() &&
         isLoadTime(kernel.getInputs()[argument.getArgNumber()]);
}

/// A kernel on `matrix`, whose element (n, k) is read by `map` of (n, k): [ceil(N / columns), K, columns], columns past
/// the last are 0.
static KernelOp buildPacking(OpBuilder &builder, Location location, Value matrix, AffineMap map, int64_t n, int64_t k,
                             int64_t columns) {
  auto type = cast<RankedTensorType>(matrix.getType());
  auto packed = RankedTensorType::get({(n + columns - 1) / columns, k, columns}, type.getElementType());
  std::string name = "pack_" + std::to_string(columns) + "_of";
  llvm::raw_string_ostream text(name);
  for (int64_t size : type.getShape())
    text << "_" << size;
  text << "_" << type.getElementType() << (map.isIdentity() ? "" : "_transposed");

  OperationState state(location, KernelOp::getOperationName());
  state.addOperands(matrix);
  state.addTypes(packed);
  state.addAttribute("kernel_name", builder.getStringAttr(name));
  Block *block = new Block();
  state.addRegion()->push_back(block);
  ImplicitLocOpBuilder b(location, builder.getContext());
  b.setInsertionPointToStart(block);
  BlockArgument source = block->addArgument(type, location);
  Value init = tensor::EmptyOp::create(b, packed.getShape(), packed.getElementType());
  SmallVector<utils::IteratorType> iterators(3, utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      b, TypeRange{packed}, ValueRange{}, ValueRange{init}, ArrayRef<AffineMap>{b.getMultiDimIdentityMap(3)}, iterators,
      [&](OpBuilder &nested, Location, ValueRange) {
        ImplicitLocOpBuilder inner(location, nested);
        Value panel = linalg::IndexOp::create(inner, 0), depth = linalg::IndexOp::create(inner, 1),
              lane = linalg::IndexOp::create(inner, 2);
        AffineExpr place = inner.getAffineDimExpr(0) * columns + inner.getAffineDimExpr(1);
        bool isWhole = n % columns == 0;
        Value column = affine::AffineApplyOp::create(inner, AffineMap::get(2, 0, place), ValueRange{panel, lane});
        Value last = arith::ConstantIndexOp::create(inner, n - 1);
        Value read = isWhole ? column : arith::MinSIOp::create(inner, column, last).getResult();
        SmallVector<Value> at = {read, depth};
        if (!map.isIdentity())
          std::swap(at[0], at[1]);
        Value value = tensor::ExtractOp::create(inner, source, at);
        if (!isWhole) {
          Value isInside = arith::CmpIOp::create(inner, arith::CmpIPredicate::sle, column, last);
          Value zero = arith::ConstantOp::create(inner, inner.getZeroAttr(packed.getElementType()));
          value = arith::SelectOp::create(inner, isInside, value, zero);
        }
        linalg::YieldOp::create(inner, value);
      });
  YieldOp::create(b, generic.getResult(0));
  return cast<KernelOp>(builder.create(state));
}

/// Packs the right-hand side of `kernel` where it is a matrix known at load that nothing else in the kernel reads.
static bool packWeight(KernelOp kernel, CpuGemmAttr schedule) {
  int64_t columns = schedule.getColumns();
  std::optional<ContractionKernel> contraction = findContraction(kernel.getBlock());
  if (!contraction || contraction->panelColumns() != 0)
    return false;
  auto argument = dyn_cast<BlockArgument>(contraction->rhsTensor());
  if (!argument || !isLoadTime(kernel, argument) || !argument.hasOneUse() ||
      cast<RankedTensorType>(argument.getType()).getRank() != 2)
    return false;
  // The map that reads element (n, k).
  AffineMap map = contraction->rhsMap();
  AffineExpr n = getAffineDimExpr(contraction->column, kernel.getContext()),
             k = getAffineDimExpr(contraction->depth, kernel.getContext());
  bool isIdentity = map.getResult(0) == n && map.getResult(1) == k;
  if (!isIdentity && (map.getResult(0) != k || map.getResult(1) != n))
    return false;
  SmallVector<unsigned> order = {0, 1};
  if (!isIdentity)
    std::swap(order[0], order[1]);
  AffineMap read = AffineMap::getPermutationMap(order, kernel.getContext());
  int64_t size = contraction->staticColumns(), depth = contraction->staticDepth();
  if (size <= 0 || depth <= 0)
    return false;
  OpBuilder builder(kernel);
  OpOperand &operand = kernel->getOpOperand(argument.getArgNumber());
  KernelOp packing = buildPacking(builder, kernel.getLoc(), operand.get(), read, size, depth, columns);
  packing->setAttr("tenon.schedule", CpuLoopsAttr::get(kernel.getContext(), schedule.getLanes()));
  operand.set(packing.getResult(0));
  argument.setType(packing.getResult(0).getType());
  SmallVector<AffineMap> maps = contraction->op.getIndexingMapsArray();
  maps[contraction->rhs] =
      AffineMap::get(map.getNumDims(), 0, {n.floorDiv(columns), k, n % columns}, kernel.getContext());
  contraction->op.setIndexingMapsAttr(builder.getAffineMapArrayAttr(maps));
  remark::passed(kernel.getLoc(), remark::RemarkOpts::name("packing").category("tenon-cpu-pack-weights"))
      << ("@" + kernel.getKernelName() + " reads its weight in panels of " + Twine(columns) + " columns").str();
  return true;
}

namespace {
struct PackWeights : tenon::impl::CpuPackWeightsPassBase<PackWeights> {
  void runOnOperation() override {
    for (auto main : getOperation().getOps<func::FuncOp>())
      for (auto kernel : llvm::make_early_inc_range(main.getOps<KernelOp>()))
        if (auto schedule = kernel->getAttrOfType<CpuGemmAttr>("tenon.schedule"))
          packWeight(kernel, schedule);
  }
};
} // namespace
