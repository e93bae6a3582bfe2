#include "passes/cpu/KernelSizes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace tenon;

KernelSizes::KernelSizes(func::FuncOp kernel) : kernel(kernel) {
  for (BlockArgument buffer : kernelBuffers(kernel))
    for (auto [dimension, size] : llvm::enumerate(cast<MemRefType>(buffer.getType()).getShape()))
      if (ShapedType::isDynamic(size)) {
        symbols.push_back(getAffineSymbolExpr(dims.size(), kernel.getContext()));
        dims.emplace_back(buffer.getArgNumber(), dimension);
      }
}

void KernelSizes::equateResults() {
  kernel.walk([&](bufferization::MaterializeInDestinationOp write) {
    auto buffer = dyn_cast<BlockArgument>(write.getDest());
    if (!buffer)
      return;
    for (auto [symbol, dim] : llvm::enumerate(dims))
      if (dim.first == buffer.getArgNumber())
        if (AffineExpr size = resolveTensorDim(write.getSource(), dim.second))
          symbols[symbol] = size;
  });
}

AffineExpr KernelSizes::resolveTensorDim(Value tensor, int64_t dimension) const {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(dimension))
    return getAffineConstantExpr(type.getDimSize(dimension), kernel.getContext());
  auto result = dyn_cast<OpResult>(tensor);
  if (!result)
    return {};
  Operation *op = result.getOwner();
  if (auto read = dyn_cast<bufferization::ToTensorOp>(op))
    return resolveDim(read.getBuffer(), dimension, /*exact=*/true);
  if (auto empty = dyn_cast<tensor::EmptyOp>(op))
    return exact(empty.getMixedSizes()[dimension]);
  if (auto destination = dyn_cast<DestinationStyleOpInterface>(op))
    return resolveTensorDim(destination.getTiedOpOperand(result)->get(), dimension);
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return resolveTensorDim(loop.getTiedLoopInit(result)->get(), dimension);
  return {};
}

AffineMap KernelSizes::map(AffineExpr expr) const {
  return AffineMap::get(0, numDims(), simplifyAffineExpr(expr, 0, numDims()));
}

SmallVector<Value> KernelSizes::values(OpBuilder &builder, Location location) const {
  return llvm::map_to_vector(dims, [&](auto dim) -> Value {
    return memref::DimOp::create(builder, location, kernel.getArgument(dim.first), dim.second);
  });
}

/// An expression that is at least max(expr, 0): what may be negative is dropped.
static AffineExpr positivePart(AffineExpr expr) {
  if (auto known = dyn_cast<AffineConstantExpr>(expr))
    return getAffineConstantExpr(std::max<int64_t>(known.getValue(), 0), expr.getContext());
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return expr; // a size
  AffineExpr lhs = positivePart(binary.getLHS()), rhs = binary.getRHS();
  auto factor = dyn_cast<AffineConstantExpr>(rhs);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return lhs + positivePart(rhs);
  case AffineExprKind::Mul:
    return factor && factor.getValue() < 0 ? getAffineConstantExpr(0, expr.getContext()) : lhs * positivePart(rhs);
  case AffineExprKind::FloorDiv:
    return lhs.floorDiv(rhs);
  case AffineExprKind::CeilDiv:
    return lhs.ceilDiv(rhs);
  default:
    return expr; // a remainder
  }
}

AffineExpr KernelSizes::extremum(ArrayRef<AffineExpr> candidates, bool wantMax) const {
  AffineExpr best;
  for (AffineExpr candidate : candidates) {
    if (!candidate) {
      if (wantMax)
        return {};
      continue;
    }
    if (!best) {
      best = candidate;
      continue;
    }
    auto isAtLeast = [&](AffineExpr a, AffineExpr b) {
      AffineExpr lead = simplifyAffineExpr(a - b, 0, numDims());
      return positivePart(lead) == lead && lead.getKind() != AffineExprKind::Mod;
    };
    if (isAtLeast(best, candidate))
      best = wantMax ? best : candidate;
    else if (isAtLeast(candidate, best))
      best = wantMax ? candidate : best;
    else if (wantMax)
      best = positivePart(best) + positivePart(candidate);
    else if (isa<AffineConstantExpr>(candidate))
      best = candidate;
  }
  return best;
}

AffineExpr KernelSizes::applied(AffineMap map, ValueRange operands, unsigned result) const {
  SmallVector<AffineExpr> values;
  for (Value operand : operands) {
    // A bound could make the result smaller: it may be subtracted.
    values.push_back(resolve(operand, /*exact=*/true));
    if (!values.back())
      return {};
  }
  auto dimensions = ArrayRef(values).take_front(map.getNumDims());
  AffineExpr expr =
      map.getResult(result).replaceDimsAndSymbols(dimensions, ArrayRef(values).drop_front(map.getNumDims()));
  return simplifyAffineExpr(expr, 0, numDims());
}

AffineExpr KernelSizes::resolve(OpFoldResult size, bool exact) const {
  if (std::optional<int64_t> known = getConstantIntValue(size))
    return getAffineConstantExpr(*known, kernel.getContext());
  auto value = dyn_cast<Value>(size);
  Operation *op = value ? value.getDefiningOp() : nullptr;
  if (!op)
    return {};
  auto operand = [&](unsigned index, bool exactOperand) { return resolve(op->getOperand(index), exactOperand); };
  if (auto dim = dyn_cast<memref::DimOp>(op)) {
    std::optional<int64_t> index = dim.getConstantIndex();
    return index ? resolveDim(dim.getSource(), *index, exact) : AffineExpr();
  }
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    std::optional<int64_t> index = dim.getConstantIndex();
    return index ? resolveTensorDim(dim.getSource(), *index) : AffineExpr();
  }
  if (isa<arith::IndexCastOp>(op))
    return operand(0, exact);
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op))
    return applied(apply.getAffineMap(), apply.getOperands(), 0);
  if (isa<arith::AddIOp, arith::MulIOp>(op)) {
    AffineExpr lhs = operand(0, exact), rhs = operand(1, exact);
    if (!lhs || !rhs)
      return {};
    return isa<arith::AddIOp>(op) ? lhs + rhs : lhs * rhs;
  }
  if (isa<arith::SubIOp>(op)) {
    AffineExpr lhs = operand(0, exact), rhs = operand(1, /*exact=*/true);
    return lhs && rhs ? lhs - rhs : AffineExpr();
  }
  if (isa<arith::DivSIOp, arith::DivUIOp, arith::FloorDivSIOp, arith::CeilDivSIOp>(op)) {
    AffineExpr lhs = operand(0, exact);
    std::optional<int64_t> divisor = getConstantIntValue(op->getOperand(1));
    if (!lhs || !divisor || *divisor <= 0)
      return {};
    return isa<arith::CeilDivSIOp>(op) ? lhs.ceilDiv(*divisor) : lhs.floorDiv(*divisor);
  }
  if (exact)
    return {};
  auto ofMap = [&](AffineMap map, bool wantMax) {
    SmallVector<AffineExpr> candidates;
    for (unsigned result : llvm::seq(map.getNumResults()))
      candidates.push_back(applied(map, op->getOperands(), result));
    return extremum(candidates, wantMax);
  };
  if (auto min = dyn_cast<affine::AffineMinOp>(op))
    return ofMap(min.getAffineMap(), /*wantMax=*/false);
  if (auto max = dyn_cast<affine::AffineMaxOp>(op))
    return ofMap(max.getAffineMap(), /*wantMax=*/true);
  if (isa<arith::MinSIOp, arith::MaxSIOp>(op))
    return extremum({operand(0, false), operand(1, false)}, isa<arith::MaxSIOp>(op));
  return {};
}

AffineExpr KernelSizes::resolveDim(Value memref, int64_t dimension, bool exact) const {
  auto type = cast<MemRefType>(memref.getType());
  if (!type.isDynamicDim(dimension))
    return getAffineConstantExpr(type.getDimSize(dimension), kernel.getContext());
  if (auto argument = dyn_cast<BlockArgument>(memref)) {
    if (argument.getOwner() == &kernel.getBody().front())
      for (auto [symbol, dim] : llvm::enumerate(dims))
        if (dim == std::pair(argument.getArgNumber(), dimension))
          return symbols[symbol];
    auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
    return loop ? resolveDim(loop.getTiedLoopInit(argument)->get(), dimension, exact) : AffineExpr();
  }
  Operation *op = memref.getDefiningOp();
  auto dynamicOperand = [&](ValueRange sizes) { return resolve(sizes[type.getDynamicDimIndex(dimension)], exact); };
  if (auto alloc = dyn_cast<memref::AllocOp>(op))
    return dynamicOperand(alloc.getDynamicSizes());
  if (auto view = dyn_cast<memref::ViewOp>(op))
    return dynamicOperand(view.getSizes());
  if (auto cast = dyn_cast<memref::CastOp>(op))
    return isa<MemRefType>(cast.getSource().getType()) ? resolveDim(cast.getSource(), dimension, exact) : AffineExpr();
  if (auto transpose = dyn_cast<memref::TransposeOp>(op))
    return resolveDim(transpose.getIn(), transpose.getPermutation().getDimPosition(dimension), exact);
  if (auto expand = dyn_cast<memref::ExpandShapeOp>(op))
    return resolve(expand.getMixedOutputShape()[dimension], exact);
  if (auto collapse = dyn_cast<memref::CollapseShapeOp>(op)) {
    AffineExpr product = getAffineConstantExpr(1, kernel.getContext());
    ReassociationIndices joined = collapse.getReassociationIndices()[dimension];
    for (int64_t part : joined) {
      AffineExpr size = resolveDim(collapse.getSrc(), part, exact);
      if (!size)
        return {};
      product = product * size;
    }
    return product;
  }
  if (auto subview = dyn_cast<memref::SubViewOp>(op)) {
    llvm::SmallBitVector dropped = subview.getDroppedDims();
    int64_t kept = 0;
    for (auto [index, size] : llvm::enumerate(subview.getMixedSizes()))
      if (!dropped.test(index) && kept++ == dimension)
        return resolve(size, exact);
  }
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return resolveDim(loop.getInits()[cast<OpResult>(memref).getResultNumber()], dimension, exact);
  return {};
}
