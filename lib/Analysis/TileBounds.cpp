#include "lib/Analysis/TileBounds.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <numeric>

using namespace mlir;
using namespace tenon;

/// Beyond this nothing is known: sums and products of such values do not overflow. A range that ends there is open.
static constexpr int64_t limit = int64_t(1) << 40;

static std::optional<IndexRange> checked(int64_t least, int64_t greatest) {
  if (least < -limit || greatest > limit)
    return std::nullopt;
  return IndexRange{least, greatest};
}

static std::optional<IndexRange> product(IndexRange a, IndexRange b) {
  __int128 products[] = {__int128(a.least) * b.least, __int128(a.least) * b.greatest, __int128(a.greatest) * b.least,
                         __int128(a.greatest) * b.greatest};
  __int128 least = *std::min_element(products, products + 4), greatest = *std::max_element(products, products + 4);
  if (least < -limit || greatest > limit)
    return std::nullopt;
  return IndexRange{int64_t(least), int64_t(greatest)};
}

static int64_t divisorOf(AffineExpr expr, ValueRange operands, unsigned numDims);

static std::optional<IndexRange> rangeOf(AffineExpr expr, ValueRange operands, unsigned numDims) {
  if (auto known = dyn_cast<AffineConstantExpr>(expr))
    return checked(known.getValue(), known.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return tenon::rangeOf(operands[dim.getPosition()]);
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return tenon::rangeOf(operands[numDims + symbol.getPosition()]);
  auto binary = cast<AffineBinaryOpExpr>(expr);
  std::optional<IndexRange> left = rangeOf(binary.getLHS(), operands, numDims);
  std::optional<IndexRange> right = rangeOf(binary.getRHS(), operands, numDims);
  if (!left || !right)
    return std::nullopt;
  if (expr.getKind() == AffineExprKind::Add)
    return checked(left->least + right->least, left->greatest + right->greatest);
  if (expr.getKind() == AffineExprKind::Mul)
    return product(*left, *right);
  if (right->least != right->greatest || right->least <= 0 || left->least < 0)
    return std::nullopt;
  int64_t by = right->least;
  if (expr.getKind() == AffineExprKind::FloorDiv)
    return checked(left->least / by, left->greatest / by);
  if (expr.getKind() == AffineExprKind::CeilDiv)
    return checked((left->least + by - 1) / by, (left->greatest + by - 1) / by);
  // A multiple of what divides both.
  int64_t step = std::gcd(divisorOf(binary.getLHS(), operands, numDims), by);
  return checked(0, std::min(left->greatest, by - step));
}

std::optional<IndexRange> tenon::rangeOf(Value index) {
  if (std::optional<int64_t> known = getConstantIntValue(index))
    return checked(*known, *known);
  if (auto argument = dyn_cast<BlockArgument>(index)) {
    Operation *parent = argument.getOwner()->getParentOp();
    if (auto grid = dyn_cast<tile::GridOp>(parent)) {
      std::optional<int64_t> extent = getConstantIntValue(grid.getExtents()[argument.getArgNumber()]);
      return extent ? checked(0, std::max<int64_t>(0, *extent - 1)) : std::nullopt;
    }
    auto loop = dyn_cast<scf::ForOp>(parent);
    if (!loop || argument != loop.getInductionVar())
      return std::nullopt;
    std::optional<IndexRange> lower = rangeOf(loop.getLowerBound()), upper = rangeOf(loop.getUpperBound());
    std::optional<int64_t> first = getConstantIntValue(loop.getLowerBound()),
                           step = getConstantIntValue(loop.getStep());
    if (!lower || !upper)
      return std::nullopt;
    int64_t last = std::max(lower->least, upper->greatest - 1);
    if (first && step && *step > 0 && last >= *first)
      last = *first + (last - *first) / *step * *step;
    return checked(lower->least, last);
  }
  Operation *op = index.getDefiningOp();
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op))
    return ::rangeOf(apply.getAffineMap().getResult(0), apply.getMapOperands(), apply.getAffineMap().getNumDims());
  if (auto select = dyn_cast<arith::SelectOp>(op)) {
    std::optional<IndexRange> yes = rangeOf(select.getTrueValue()), no = rangeOf(select.getFalseValue());
    return yes && no ? checked(std::min(yes->least, no->least), std::max(yes->greatest, no->greatest)) : std::nullopt;
  }
  if (!isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::DivUIOp, arith::CeilDivSIOp, arith::MinSIOp,
           arith::MaxSIOp>(op))
    return std::nullopt;
  std::optional<IndexRange> left = rangeOf(op->getOperand(0)), right = rangeOf(op->getOperand(1));
  // What data say is kept within bounds by what is known.
  if (isa<arith::MinSIOp>(op) && (left || right) && !(left && right))
    return IndexRange{-limit, left ? left->greatest : right->greatest};
  if (isa<arith::MaxSIOp>(op) && (left || right) && !(left && right))
    return IndexRange{left ? left->least : right->least, limit};
  if (!left || !right)
    return std::nullopt;
  if (isa<arith::AddIOp>(op))
    return checked(left->least + right->least, left->greatest + right->greatest);
  if (isa<arith::SubIOp>(op))
    return checked(left->least - right->greatest, left->greatest - right->least);
  if (isa<arith::MulIOp>(op))
    return product(*left, *right);
  if (isa<arith::MinSIOp>(op))
    return checked(std::min(left->least, right->least), std::min(left->greatest, right->greatest));
  if (isa<arith::MaxSIOp>(op))
    return checked(std::max(left->least, right->least), std::max(left->greatest, right->greatest));
  if (left->least < 0 || right->least <= 0)
    return std::nullopt;
  auto quotient = [&](int64_t of, int64_t by) { return (of + (isa<arith::CeilDivSIOp>(op) ? by - 1 : 0)) / by; };
  return checked(quotient(left->least, right->greatest), quotient(left->greatest, right->least));
}

/// 0 divides 0 alone. A product too large to keep: one factor still divides.
static int64_t productOfDivisors(int64_t left, int64_t right) {
  if (left == 0 || right == 0)
    return 0;
  return left > limit / right ? right : left * right;
}

static int64_t divisorOf(AffineExpr expr, ValueRange operands, unsigned numDims) {
  if (auto known = dyn_cast<AffineConstantExpr>(expr))
    return std::abs(known.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return tenon::divisorOf(operands[dim.getPosition()]);
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return tenon::divisorOf(operands[numDims + symbol.getPosition()]);
  auto binary = cast<AffineBinaryOpExpr>(expr);
  if (expr.getKind() != AffineExprKind::Add && expr.getKind() != AffineExprKind::Mul)
    return 1;
  int64_t left = divisorOf(binary.getLHS(), operands, numDims), right = divisorOf(binary.getRHS(), operands, numDims);
  return expr.getKind() == AffineExprKind::Add ? std::gcd(left, right) : productOfDivisors(left, right);
}

int64_t tenon::divisorOf(Value index) {
  if (std::optional<int64_t> known = getConstantIntValue(index))
    return std::abs(*known);
  if (auto argument = dyn_cast<BlockArgument>(index)) {
    auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
    if (!loop || argument != loop.getInductionVar())
      return 1;
    return std::gcd(divisorOf(loop.getLowerBound()), divisorOf(loop.getStep()));
  }
  Operation *op = index.getDefiningOp();
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op))
    return ::divisorOf(apply.getAffineMap().getResult(0), apply.getMapOperands(), apply.getAffineMap().getNumDims());
  if (isa<arith::AddIOp, arith::SubIOp>(op))
    return std::gcd(divisorOf(op->getOperand(0)), divisorOf(op->getOperand(1)));
  if (isa<arith::MulIOp>(op))
    return productOfDivisors(divisorOf(op->getOperand(0)), divisorOf(op->getOperand(1)));
  return 1;
}

bool tenon::mayDependOn(Value index, BlockArgument axis) {
  if (index == axis)
    return true;
  if (auto argument = dyn_cast<BlockArgument>(index)) {
    Operation *parent = argument.getOwner()->getParentOp();
    if (isa<tile::GridOp, tile::KernelOp>(parent))
      return false;
    auto loop = dyn_cast<scf::ForOp>(parent);
    return !loop || argument != loop.getInductionVar() || mayDependOn(loop.getLowerBound(), axis) ||
           mayDependOn(loop.getUpperBound(), axis) || mayDependOn(loop.getStep(), axis);
  }
  Operation *op = index.getDefiningOp();
  return !isPure(op) || op->getNumRegions() > 0 ||
         llvm::any_of(op->getOperands(), [&](Value operand) { return mayDependOn(operand, axis); });
}

bool tenon::isWithin(tile::ViewType view, int64_t dimension, Value start, int64_t extent) {
  std::optional<IndexRange> range = rangeOf(start);
  return range && range->least >= 0 && !view.isDynamicDim(dimension) &&
         range->greatest + extent <= view.getShape()[dimension];
}

AffineExpr tenon::sizeExprOf(tile::KernelOp kernel, Value index) {
  MLIRContext *context = kernel.getContext();
  if (std::optional<int64_t> known = getConstantIntValue(index))
    return getAffineConstantExpr(*known, context);
  Operation *op = index.getDefiningOp();
  if (!op)
    return {};
  if (auto dimension = dyn_cast<tile::DimOp>(op)) {
    auto argument = dyn_cast<BlockArgument>(dimension.getView());
    if (!argument)
      return {};
    // Symbols are counted over the arguments' dynamic dimensions.
    unsigned number = 0;
    for (auto [position, type] : llvm::enumerate(kernel.getArgumentTypes()))
      for (int64_t d = 0; d < cast<tile::ViewType>(type).getRank(); ++d) {
        if (position == argument.getArgNumber() && d == int64_t(dimension.getAxis()))
          return getAffineSymbolExpr(number, context);
        number += cast<tile::ViewType>(type).isDynamicDim(d);
      }
    return {};
  }
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op)) {
    SmallVector<AffineExpr> operands;
    for (Value operand : apply.getMapOperands())
      operands.push_back(sizeExprOf(kernel, operand));
    if (llvm::is_contained(operands, AffineExpr()))
      return {};
    unsigned numDims = apply.getAffineMap().getNumDims();
    return apply.getAffineMap().getResult(0).replaceDimsAndSymbols(ArrayRef(operands).take_front(numDims),
                                                                   ArrayRef(operands).drop_front(numDims));
  }
  if (!isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::DivUIOp, arith::CeilDivUIOp>(op))
    return {};
  AffineExpr left = sizeExprOf(kernel, op->getOperand(0)), right = sizeExprOf(kernel, op->getOperand(1));
  if (!left || !right)
    return {};
  if (isa<arith::AddIOp>(op))
    return left + right;
  if (isa<arith::SubIOp>(op))
    return left - right;
  if (isa<arith::MulIOp>(op))
    return left * right;
  return isa<arith::DivUIOp>(op) ? left.floorDiv(right) : left.ceilDiv(right);
}

std::optional<ViewMemory> tenon::memoryOf(tile::KernelOp kernel, Value view) {
  MLIRContext *context = kernel.getContext();
  ViewMemory memory;
  if (auto argument = dyn_cast<BlockArgument>(view)) {
    auto type = cast<tile::ViewType>(view.getType());
    unsigned symbol = 0;
    for (Type earlier : ArrayRef(kernel.getArgumentTypes()).take_front(argument.getArgNumber()))
      symbol += llvm::count_if(cast<tile::ViewType>(earlier).getShape(), ShapedType::isDynamic);
    memory.argument = argument.getArgNumber();
    memory.offset = getAffineConstantExpr(0, context);
    for (int64_t size : type.getShape())
      memory.sizes.push_back(ShapedType::isDynamic(size) ? getAffineSymbolExpr(symbol++, context)
                                                         : getAffineConstantExpr(size, context));
    AffineExpr stride = getAffineConstantExpr(1, context);
    memory.strides.assign(type.getRank(), stride);
    for (int64_t d = type.getRank() - 1; d > 0; --d)
      memory.strides[d - 1] = memory.strides[d] * memory.sizes[d];
    return memory;
  }
  auto strided = view.getDefiningOp<tile::StridedOp>();
  std::optional<ViewMemory> base = memoryOf(kernel, strided.getBase());
  AffineExpr offset = sizeExprOf(kernel, strided.getOffset());
  if (!base || !offset)
    return std::nullopt;
  memory.argument = base->argument;
  memory.offset = base->offset + offset;
  for (Value size : strided.getSizes())
    memory.sizes.push_back(sizeExprOf(kernel, size));
  for (Value stride : strided.getStrides())
    memory.strides.push_back(sizeExprOf(kernel, stride));
  if (llvm::is_contained(memory.sizes, AffineExpr()) || llvm::is_contained(memory.strides, AffineExpr()))
    return std::nullopt;
  return memory;
}

bool tenon::fitsTensorMap(const ViewMemory &memory, int64_t elementBytes) {
  auto isAligned = [&](AffineExpr elements) { return elements.getLargestKnownDivisor() * elementBytes % 16 == 0; };
  if (memory.sizes.size() > 5 || memory.sizes.empty() || !isAligned(memory.offset))
    return false;
  auto innermost = dyn_cast<AffineConstantExpr>(memory.strides.back());
  return innermost && innermost.getValue() == 1 && llvm::all_of(ArrayRef(memory.strides).drop_back(), isAligned);
}
