#include "lib/Analysis/KernelWork.h"

#include "lib/Analysis/UpdatedOperand.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

using namespace mlir;

namespace tenon {
namespace {

class Counter {
public:
  explicit Counter(KernelOp kernel) : kernel(kernel), context(kernel.getContext()) {
    auto number = [&](Value value) {
      auto type = cast<RankedTensorType>(value.getType());
      for (int64_t dim = 0; dim < type.getRank(); ++dim)
        if (type.isDynamicDim(dim))
          dims[{value, dim}] = numDims++;
    };
    for (Value argument : kernel.getBody().getArguments())
      number(argument);
    for (Value result : kernel.getResults())
      number(result);
  }

  FailureOr<KernelWork> count() {
    AffineExpr flops = constant(0), bytes = constant(0);
    WalkResult walked = kernel.walk([&](Operation *op) {
      FailureOr<AffineExpr> work = constant(0);
      if (auto loops = dyn_cast<linalg::LinalgOp>(op))
        work = ofLoops(loops);
      else if (auto attention = dyn_cast<AttentionOp>(op))
        work = ofAttention(attention);
      else if (auto parts = dyn_cast<AttentionPartsOp>(op))
        work = ofAttention(parts);
      if (failed(work))
        return WalkResult::interrupt();
      flops = flops + *work;
      return WalkResult::advance();
    });
    if (walked.wasInterrupted())
      return failure();
    SmallVector<std::optional<unsigned>> updated;
    for (unsigned number = 0; number < kernel.getNumResults(); ++number)
      updated.push_back(updatedOperand(kernel, number));
    for (BlockArgument argument : kernel.getBody().getArguments()) {
      if (llvm::is_contained(updated, std::optional(argument.getArgNumber())))
        continue;
      FailureOr<AffineExpr> read = bytesRead(argument);
      if (failed(read))
        return failure();
      bytes = bytes + *read;
    }
    for (auto [result, yielded, operand] : llvm::zip_equal(kernel.getResults(), kernel.getYielded(), updated)) {
      FailureOr<AffineExpr> written = operand ? bytesInserted(yielded) : bytesFor(elementsOf(result), result);
      if (failed(written))
        return failure();
      bytes = bytes + *written;
    }
    return KernelWork{AffineMap::get(0, numDims, flops), AffineMap::get(0, numDims, bytes)};
  }

private:
  AffineExpr constant(int64_t value) const { return getAffineConstantExpr(value, context); }

  /// The size of a dimension over those of the kernel's operands.
  FailureOr<AffineExpr> size(Value tensor, int64_t dim) const {
    auto type = cast<RankedTensorType>(tensor.getType());
    if (!type.isDynamicDim(dim))
      return constant(type.getDimSize(dim));
    AffineMap map;
    ValueDimList operands;
    auto isKnown = [&](Value value, std::optional<int64_t> at, ValueBoundsConstraintSet &) {
      return at && dims.contains({value, *at});
    };
    if (failed(
            ValueBoundsConstraintSet::computeBound(map, operands, presburger::BoundType::EQ, {tensor, dim}, isKnown)))
      return failure();
    SmallVector<AffineExpr> replaced;
    for (auto [value, at] : operands) {
      if (!at || !dims.contains({value, *at}))
        return failure();
      replaced.push_back(getAffineSymbolExpr(dims.lookup({value, *at}), context));
    }
    ArrayRef<AffineExpr> all(replaced);
    return map.getResult(0).replaceDimsAndSymbols(all.take_front(map.getNumDims()), all.drop_front(map.getNumDims()));
  }

  FailureOr<AffineExpr> product(Value tensor, ArrayRef<int64_t> of) const {
    AffineExpr result = constant(1);
    for (int64_t dim : of) {
      FailureOr<AffineExpr> factor = size(tensor, dim);
      if (failed(factor))
        return failure();
      result = result * *factor;
    }
    return result;
  }

  /// How often a linalg op's body runs.
  FailureOr<AffineExpr> iterations(linalg::LinalgOp op) const {
    AffineExpr result = constant(1);
    for (unsigned loop = 0; loop < op.getNumLoops(); ++loop) {
      Value operand;
      unsigned dim;
      if (failed(op.mapIterationSpaceDimToOperandDim(loop, operand, dim)))
        return failure();
      FailureOr<AffineExpr> factor = size(operand, dim);
      if (failed(factor))
        return failure();
      result = result * *factor;
    }
    return result;
  }

  FailureOr<AffineExpr> ofLoops(linalg::LinalgOp op) const {
    int64_t each = 0;
    bool isProduct = linalg::isaContractionOpInterface(op);
    op.getBlock()->walk([&](Operation *inner) {
      bool isFloat = inner->getNumResults() == 1 && isa<FloatType>(inner->getResult(0).getType());
      each += isProduct && isa<arith::AddIOp, arith::MulIOp>(inner); // of integers, by the same units
      bool counts = isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::MaximumFOp,
                        arith::MinimumFOp, arith::MaxNumFOp, arith::MinNumFOp, arith::RemFOp>(inner) ||
                    isa_and_nonnull<math::MathDialect>(inner->getDialect());
      each += isFloat && counts;
    });
    if (each == 0)
      return constant(0);
    FailureOr<AffineExpr> times = iterations(op);
    if (failed(times))
      return failure();
    return *times * each;
  }

  static int64_t columnDimension(AttentionOp op) { return op.getColumnDimension(); }
  static int64_t columnDimension(AttentionPartsOp) { return 3; }

  /// Two products of every query with every key, and 5 for each probability: scale, maximum, difference, exp, sum; 2
  /// more for a cap: tanh, scale.
  template <typename Op>
  FailureOr<AffineExpr> ofAttention(Op op) const {
    FailureOr<AffineExpr> queries = product(op.getQuery(), {0, 1, 2}), keys = size(op.getKey(), 2);
    FailureOr<AffineExpr> pages = op.getBlockTable() ? size(op.getBlockTable(), 1) : constant(1);
    FailureOr<AffineExpr> width = size(op.getQuery(), 3), valueWidth = size(op.getValue(), columnDimension(op));
    if (failed(queries) || failed(keys) || failed(pages) || failed(width) || failed(valueWidth))
      return failure();
    return *queries * *keys * *pages * (*width * 2 + *valueWidth * 2 + (op.getSoftCap() ? 7 : 5));
  }

  AffineExpr elementsOf(Value tensor) const {
    auto type = cast<RankedTensorType>(tensor.getType());
    AffineExpr elements = constant(1);
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      elements = elements * (type.isDynamicDim(dim) ? getAffineSymbolExpr(dims.lookup({tensor, dim}), context)
                                                    : constant(type.getDimSize(dim)));
    return elements;
  }

  AffineExpr bytesFor(AffineExpr elements, Value tensor) const {
    unsigned bits = cast<RankedTensorType>(tensor.getType()).getElementTypeBitWidth();
    return bits >= 8 || bits == 1 ? elements * std::max<int64_t>(bits / 8, 1) : (elements * bits).ceilDiv(8);
  }

  FailureOr<AffineExpr> bytesInserted(Value tensor) const {
    AffineExpr bytes = constant(0);
    for (tensor::InsertSliceOp insert : insertionsOf(tensor).inserts) {
      auto all = llvm::to_vector(llvm::seq<int64_t>(0, insert.getSourceType().getRank()));
      FailureOr<AffineExpr> elements = product(insert.getSource(), all);
      if (failed(elements))
        return failure();
      bytes = bytes + bytesFor(*elements, tensor);
    }
    return bytes;
  }

  /// An operand whose elements a body fetches one by one is read where it is indexed, and a table may be huge.
  FailureOr<AffineExpr> bytesRead(Value argument) const {
    bool isLookedUp = !argument.use_empty();
    AffineExpr fetched = constant(0);
    for (Operation *user : argument.getUsers()) {
      auto loops = user->getParentOfType<linalg::LinalgOp>();
      if (!isa<tensor::ExtractOp>(user) || !loops) {
        isLookedUp &= isa<tensor::DimOp>(user);
        continue;
      }
      FailureOr<AffineExpr> times = iterations(loops);
      if (failed(times))
        return failure();
      fetched = fetched + *times;
    }
    return bytesFor(isLookedUp ? fetched : elementsOf(argument), argument);
  }

  KernelOp kernel;
  MLIRContext *context;
  llvm::DenseMap<std::pair<Value, int64_t>, unsigned> dims;
  unsigned numDims = 0;
};

} // namespace

FailureOr<KernelWork> KernelWork::of(KernelOp kernel) { return Counter(kernel).count(); }

} // namespace tenon
