// A weight lies in the file row by row, a register block reads it panel by panel: columns side by side, depth after
// depth. Reordering it is a kernel of its own that runs once, when the model is loaded (docs/decisions/0001); the
// contraction then reads through a map that says where an element went.
#include "lib/Analysis/ContractionKernel.h"
#include "passes/cpu/LoadTime.h"
#include "passes/cpu/Passes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"

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

/// `matrix`, whose element (n, k) is read by `map` of (n, k), as panels [n / columns, k, columns]; columns past the
/// last are 0.
static Value panelsOf(ImplicitLocOpBuilder &b, Value matrix, AffineMap map, int64_t n, int64_t k, int64_t columns) {
  unsigned column = map.isIdentity() ? 0 : 1; // the dimension of the matrix that columns are
  // Columns [first, first + size) as panels of `width`, which divides the size.
  auto part = [&](int64_t first, int64_t size, int64_t width) -> Value {
    Value rows = matrix;
    auto element = cast<RankedTensorType>(matrix.getType()).getElementType();
    auto shape = [&](int64_t outer) { // of the matrix with `outer` in place of n
      return column == 0 ? SmallVector<int64_t>{outer, k} : SmallVector<int64_t>{k, outer};
    };
    if (size != n) {
      SmallVector<int64_t> begin(2, 0), step(2, 1);
      begin[column] = first;
      rows = tensor::ExtractSliceOp::create(b, RankedTensorType::get(shape(size), element), rows, ValueRange{},
                                            ValueRange{}, ValueRange{}, begin, shape(size), step);
    }
    SmallVector<ReassociationIndices> groups = {{0}, {1, 2}};
    SmallVector<int64_t> split = {k, size / width, width}, permutation = {1, 0, 2};
    if (column == 0) {
      groups = {{0, 1}, {2}};
      split = {size / width, width, k};
      permutation = {0, 2, 1};
    }
    Value expanded = tensor::ExpandShapeOp::create(b, RankedTensorType::get(split, element), rows, groups);
    Value init = tensor::EmptyOp::create(b, ArrayRef<int64_t>{size / width, k, width}, element);
    return linalg::TransposeOp::create(b, expanded, init, permutation).getResult()[0];
  };
  if (n % columns == 0)
    return part(0, n, columns);
  int64_t whole = n / columns, rest = n % columns;
  auto element = cast<RankedTensorType>(matrix.getType()).getElementType();
  Value packed = tensor::EmptyOp::create(b, ArrayRef<int64_t>{whole + 1, k, columns}, element);
  auto insert = [&](Value source, int64_t panel, int64_t lane) {
    ArrayRef<int64_t> sizes = cast<RankedTensorType>(source.getType()).getShape();
    packed = tensor::InsertSliceOp::create(b, source, packed, ValueRange{}, ValueRange{}, ValueRange{},
                                           ArrayRef<int64_t>{panel, 0, lane}, sizes, ArrayRef<int64_t>{1, 1, 1});
  };
  if (whole)
    insert(part(0, whole * columns, columns), 0, 0);
  insert(part(whole * columns, rest, rest), whole, 0);
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(element));
  Value none = tensor::EmptyOp::create(b, ArrayRef<int64_t>{1, k, columns - rest}, element);
  insert(linalg::FillOp::create(b, zero, none).getResult(0), whole, rest);
  return packed;
}

/// A kernel on `matrix` that packs it.
static KernelOp buildPacking(OpBuilder &builder, Location location, Value matrix, AffineMap map, int64_t n, int64_t k,
                             int64_t columns) {
  auto type = cast<RankedTensorType>(matrix.getType());
  std::string name = "pack_" + std::to_string(columns) + "_of";
  llvm::raw_string_ostream text(name);
  for (int64_t size : type.getShape())
    text << "_" << size;
  text << "_" << type.getElementType() << (map.isIdentity() ? "" : "_transposed");

  OperationState state(location, KernelOp::getOperationName());
  state.addOperands(matrix);
  state.addAttribute("kernel_name", builder.getStringAttr(name));
  Block *block = new Block();
  state.addRegion()->push_back(block);
  ImplicitLocOpBuilder b(location, builder.getContext());
  b.setInsertionPointToStart(block);
  Value packed = panelsOf(b, block->addArgument(type, location), map, n, k, columns);
  state.addTypes(packed.getType());
  YieldOp::create(b, packed);
  return cast<KernelOp>(builder.create(state));
}

/// A transposed matrix is packed from the one it is the transpose of: what `operand` is read by, where its kernel does
/// nothing but that.
static Value untransposed(Value operand, SmallVectorImpl<unsigned> &order) {
  auto kernel = operand.getDefiningOp<KernelOp>();
  if (!kernel || kernel->getNumOperands() != 1 || kernel.getInputs().size() != 1)
    return operand;
  auto transpose = kernel.getBlock().getTerminator()->getOperand(0).getDefiningOp<linalg::TransposeOp>();
  if (!transpose || transpose.getInput() != kernel.getBlock().getArgument(0) ||
      transpose.getPermutation() != ArrayRef<int64_t>{1, 0})
    return operand;
  std::swap(order[0], order[1]);
  return kernel.getInputs().front();
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
  OpOperand &operand = kernel->getOpOperand(argument.getArgNumber());
  Value matrix = untransposed(operand.get(), order);
  AffineMap read = AffineMap::getPermutationMap(order, kernel.getContext());
  int64_t size = contraction->staticColumns(), depth = contraction->staticDepth();
  if (size <= 0 || depth <= 0)
    return false;
  OpBuilder builder(kernel);
  KernelOp packing = buildPacking(builder, kernel.getLoc(), matrix, read, size, depth, columns);
  packing->setAttr("tenon.schedule", CpuLoopsAttr::get(kernel.getContext(), schedule.getLanes()));
  Operation *before = operand.get().getDefiningOp();
  operand.set(packing.getResult(0));
  if (before && isOpTriviallyDead(before))
    before->erase();
  argument.setType(packing.getResult(0).getType());
  SmallVector<AffineMap> maps = contraction->op.getIndexingMapsArray();
  maps[contraction->rhs] =
      AffineMap::get(map.getNumDims(), 0, {n.floorDiv(columns), k, n % columns}, kernel.getContext());
  contraction->op.setIndexingMapsAttr(builder.getAffineMapArrayAttr(maps));
  remark::passed(kernel.getLoc(), remark::RemarkOpts::name("packing").category("tenon-cpu-pack-weights"))
      << ("@" + kernel.getKernelName() + " reads its weight in panels of " + Twine(columns) + " columns").str();
  return true;
}

/// Kernels of one name are one function: of two that were equal, one whose weight is known at load and one whose matrix
/// is an argument, the first is another function now.
static void renamePacked(func::FuncOp main, const llvm::SetVector<Operation *> &packed) {
  llvm::StringSet<> others;
  for (auto kernel : main.getOps<KernelOp>())
    if (!packed.contains(kernel))
      others.insert(kernel.getKernelName());
  for (Operation *op : packed)
    if (auto kernel = cast<KernelOp>(op); others.contains(kernel.getKernelName()))
      kernel.setKernelName((kernel.getKernelName() + "_packed").str());
}

namespace {
struct PackWeights : tenon::impl::CpuPackWeightsPassBase<PackWeights> {
  void runOnOperation() override {
    for (auto main : getOperation().getOps<func::FuncOp>()) {
      llvm::SetVector<Operation *> packed;
      for (auto kernel : llvm::make_early_inc_range(main.getOps<KernelOp>()))
        if (auto schedule = kernel->getAttrOfType<CpuGemmAttr>("tenon.schedule");
            schedule && packWeight(kernel, schedule))
          packed.insert(kernel);
      renamePacked(main, packed);
    }
  }
};
} // namespace
