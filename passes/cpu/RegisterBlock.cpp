#include "passes/cpu/RegisterBlock.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tenon;

SmallVector<Value> RegisterBlock::accumulate(ImplicitLocOpBuilder &b, Value steps, ValueRange sums,
                                             llvm::function_ref<Value(int64_t row, Value step)> element,
                                             llvm::function_ref<Value(int64_t vector, Value step)> vector) {
  auto type = cast<VectorType>(sums.front().getType());
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  auto loop = scf::ForOp::create(b, zero, steps, one, sums);
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
