#include "passes/cpu/RegisterBlock.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tenon;

SmallVector<Value> RegisterBlock::accumulate(ImplicitLocOpBuilder &b, Value begin, Value end, ValueRange sums,
                                             Factor element, Factor vector) {
  auto type = cast<VectorType>(sums.front().getType());
  auto loop = scf::ForOp::create(b, begin, end, arith::ConstantIndexOp::create(b, 1), sums);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value step = loop.getInductionVar();
  SmallVector<Value> columns, next;
  for (int64_t v = 0; v < vectors; ++v)
    columns.push_back(vector(v, step));
  for (int64_t row = 0; row < rows; ++row) {
    Value wide = element(row, step);
    if (!wide || llvm::is_contained(columns, Value()))
      return {};
    Value counts;
    if (skipsNegativeZeros) {
      Type bits = b.getIntegerType(wide.getType().getIntOrFloatBitWidth());
      counts = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, arith::BitcastOp::create(b, bits, wide),
                                     arith::ConstantOp::create(b, b.getIntegerAttr(bits, 0)));
    }
    if (!isa<VectorType>(wide.getType()))
      wide = vector::BroadcastOp::create(b, type, wide);
    for (int64_t v = 0; v < vectors; ++v) {
      Value sum = loop.getRegionIterArg(row * vectors + v);
      if (isa<FloatType>(type.getElementType()))
        next.push_back(vector::FMAOp::create(b, wide, columns[v], sum));
      else
        next.push_back(arith::AddIOp::create(b, sum, arith::MulIOp::create(b, wide, columns[v])));
      if (counts)
        next.back() = arith::SelectOp::create(b, counts, next.back(), sum);
    }
  }
  scf::YieldOp::create(b, next);
  return SmallVector<Value>(loop.getResults());
}

/// Chains of one length where the depth allows: the loop over a chain then has a constant number of steps.
static int64_t chainFor(std::optional<int64_t> depth) {
  if (!depth)
    return RegisterBlock::chainSteps;
  for (int64_t chains = llvm::divideCeil(*depth, RegisterBlock::chainSteps); chains * 64 <= *depth; ++chains)
    if (*depth % chains == 0)
      return *depth / chains;
  return RegisterBlock::chainSteps;
}

SmallVector<Value> RegisterBlock::accumulateDeep(ImplicitLocOpBuilder &b, VectorType type, Value steps, Factor element,
                                                 Factor vector) {
  Value zero = arith::ConstantIndexOp::create(b, 0);
  SmallVector<Value> zeros(rows * vectors, arith::ConstantOp::create(b, b.getZeroAttr(type)));
  std::optional<int64_t> known = getConstantIntValue(steps);
  if ((known && *known <= chainSteps) || !isa<FloatType>(type.getElementType()))
    return accumulate(b, zero, steps, zeros, element, vector);
  int64_t length = chainFor(known);
  Value chain = arith::ConstantIndexOp::create(b, length);
  auto chains = scf::ForOp::create(b, zero, steps, chain, zeros);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(chains.getBody());
  Value begin = chains.getInductionVar();
  Value end = arith::AddIOp::create(b, begin, chain);
  if (!known || *known % length != 0)
    end = arith::MinUIOp::create(b, end, steps);
  SmallVector<Value> sums = accumulate(b, begin, end, zeros, element, vector), totals;
  if (sums.empty())
    return {};
  for (auto [total, sum] : llvm::zip_equal(chains.getRegionIterArgs(), sums))
    totals.push_back(arith::AddFOp::create(b, total, sum));
  scf::YieldOp::create(b, totals);
  return SmallVector<Value>(chains.getResults());
}
