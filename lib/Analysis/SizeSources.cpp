#include "lib/Analysis/SizeSources.h"

#include "dialects/Tenon/Tenon.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

using namespace mlir;

namespace tenon {

std::optional<SizeSource> sizeSource(Value tensor, int64_t dimension) {
  Operation *op = tensor.getDefiningOp();
  if (!op)
    return std::nullopt;
  Builder b(tensor.getContext());
  auto of = [](Value other, int64_t at) { return SizeSource{{}, {{other, at}}}; };
  if (auto empty = dyn_cast<tensor::EmptyOp>(op))
    return SizeSource{empty.getMixedSizes()[dimension], {}};
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return SizeSource{expand.getMixedOutputShape()[dimension], {}};
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    int64_t next = 0;
    for (auto [position, extent] : llvm::enumerate(slice.getMixedSizes()))
      if (!dropped.test(position) && next++ == dimension)
        return SizeSource{extent, {}};
  }
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return of(loop.getInitArgs()[cast<OpResult>(tensor).getResultNumber()], dimension);
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
    return of(insert.getDest(), dimension);
  if (auto castOp = dyn_cast<tensor::CastOp>(op))
    return of(castOp.getSource(), dimension);
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    SizeSource product;
    ReassociationIndices joined = collapse.getReassociationIndices()[dimension];
    for (int64_t from : joined)
      product.sizes.push_back({collapse.getSrc(), from});
    return product;
  }
  if (auto attention = dyn_cast<AttentionOp>(op))
    return dimension == 3 ? of(attention.getValue(), attention.getColumnDimension())
                          : of(attention.getQuery(), dimension);
  if (auto attention = dyn_cast<AttentionPartsOp>(op))
    return dimension == 0   ? SizeSource{b.getIndexAttr(attention.getParts()), {}}
           : dimension == 4 ? of(attention.getValue(), 3)
                            : of(attention.getQuery(), dimension - 1);
  if (auto packed = dyn_cast<PackValuesOp>(op); packed && dimension < 3)
    return of(packed.getValue(), dimension == 2 ? 3 : dimension);
  if (auto destination = dyn_cast<DestinationStyleOpInterface>(op))
    return of(destination.getTiedOpOperand(cast<OpResult>(tensor))->get(), dimension);
  return std::nullopt;
}

OpFoldResult emitSize(ImplicitLocOpBuilder &b, const SizeSource &source, llvm::function_ref<Value(Value)> scalarOf,
                      llvm::function_ref<Value(Value, int64_t)> sizeOf) {
  if (source.known) {
    auto value = dyn_cast<Value>(source.known);
    return value ? getAsOpFoldResult(scalarOf(value)) : source.known;
  }
  Value product;
  for (auto [other, at] : source.sizes) {
    Value factor = sizeOf(other, at);
    product = product ? b.createOrFold<arith::MulIOp>(product, factor) : factor;
  }
  return getAsOpFoldResult(product);
}

} // namespace tenon
