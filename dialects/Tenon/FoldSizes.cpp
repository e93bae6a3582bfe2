// The size of a dimension is asked of whatever value is at hand, and each such question is one more reader of that
// value, which then cannot stay in registers. Here the question moves up to where the size comes from: an argument, a
// size that was given as data, or a constant.
#include "dialects/Tenon/Tenon.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon;

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

namespace {
/// Where a dimension's size comes from: the dimension of another value, or a rank-0 tensor that holds it.
struct SizeSource {
  Value value;
  int64_t axis = -1; // of `value`; -1: it holds the size
};
} // namespace

/// The size operand of a dynamic result dimension.
static SizeSource given(ValueRange sizes, RankedTensorType type, int64_t axis) {
  return {sizes[llvm::count_if(type.getShape().take_front(axis), ShapedType::isDynamic)]};
}

/// The same size of the operand that the result's dimension `axis` is a dimension of.
static SizeSource ofOperand(Value operand, int64_t axis) {
  if (axis < 0 || axis >= typeOf(operand).getRank())
    return {};
  return {operand, axis};
}

/// Where one unknown size goes in and one comes out beside the same product of known ones, it is the same.
static SizeSource ofReshape(ReshapeOp op, int64_t axis) {
  if (!op.getSizes().empty())
    return given(op.getSizes(), op.getType(), axis);
  auto from = typeOf(op.getInput());
  auto known = [](RankedTensorType type) {
    int64_t product = 1;
    for (int64_t size : type.getShape())
      product *= ShapedType::isDynamic(size) ? 1 : size;
    return product;
  };
  if (from.getNumDynamicDims() != 1 || known(from) != known(op.getType()) || known(from) == 0)
    return {};
  return {op.getInput(), int64_t(llvm::find_if(from.getShape(), ShapedType::isDynamic) - from.getShape().begin())};
}

static SizeSource sourceOf(Value value, int64_t axis) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return {};
  auto type = typeOf(value);
  if (op->hasTrait<Broadcasts>()) {
    // An unknown size never repeats: whichever operand has one there has the result's.
    for (Value operand : op->getOperands()) {
      int64_t at = axis - (type.getRank() - typeOf(operand).getRank());
      if (at >= 0 && typeOf(operand).isDynamicDim(at))
        return {operand, at};
    }
    return {};
  }
  if (op->hasTrait<OpTrait::Elementwise>() ||
      isa<SoftmaxOp, LogSoftmaxOp, LayerNormOp, RmsNormOp, GroupNormOp, CumsumOp, RopeOp, ScatterOp, KvCacheAppendOp,
          KvPagesAppendOp, QuantiseOp, DequantiseOp>(op))
    return ofOperand(op->getOperand(0), axis);
  return llvm::TypeSwitch<Operation *, SizeSource>(op)
      .Case([&](ReshapeOp reshape) { return ofReshape(reshape, axis); })
      .Case([&](IotaOp iota) { return given(iota.getSizes(), type, axis); })
      .Case([&](ExpandOp expand) {
        return expand.getSizes().empty()
                   ? ofOperand(expand.getInput(), axis - (type.getRank() - typeOf(expand.getInput()).getRank()))
                   : given(expand.getSizes(), type, axis);
      })
      .Case([&](TransposeOp transpose) { return SizeSource{transpose.getInput(), transpose.getPermutation()[axis]}; })
      .Case([&](SliceOp slice) {
        bool whole = slice.getStarts()[axis] == 0 && slice.getSteps()[axis] == 1 &&
                     slice.getEnds()[axis] == std::numeric_limits<int64_t>::max();
        return whole ? SizeSource{slice.getInput(), axis} : SizeSource();
      })
      .Case([&](PadOp pad) {
        return pad.getLow()[axis] == 0 && pad.getHigh()[axis] == 0 ? SizeSource{pad.getInput(), axis} : SizeSource();
      })
      .Case([&](SplitOp split) { return SizeSource{split.getInput(), axis}; }) // along its axis sizes are static
      .Case([&](ConcatOp concat) {
        for (Value input : concat.getInputs())
          if (axis != int64_t(concat.getAxis()) && typeOf(input).isDynamicDim(axis))
            return SizeSource{input, axis};
        return SizeSource();
      })
      .Case<LinearOp, QuantisedMatmulOp>([&](auto linear) {
        return axis + 1 < type.getRank() ? SizeSource{linear.getInput(), axis} : SizeSource{linear.getWeight(), 0};
      })
      .Case([&](MatmulOp matmul) {
        bool columns = axis + 1 == type.getRank();
        Value operand = columns ? matmul.getRhs() : matmul.getLhs();
        int64_t rank = typeOf(operand).getRank();
        if (axis + 2 >= type.getRank())
          return SizeSource{operand, columns != (columns ? matmul.getTransposeB() : matmul.getTransposeA()) ? rank - 1
                                                                                                            : rank - 2};
        for (Value batched : {matmul.getLhs(), matmul.getRhs()}) {
          int64_t at = axis - (type.getRank() - typeOf(batched).getRank());
          if (at >= 0 && typeOf(batched).isDynamicDim(at))
            return SizeSource{batched, at};
        }
        return SizeSource();
      })
      .Case([&](AttentionOp attention) {
        return axis < 3 ? SizeSource{attention.getQuery(), axis} : SizeSource{attention.getValue(), 3};
      })
      .Case([&](EmbeddingOp embedding) {
        return axis + 1 < type.getRank() ? SizeSource{embedding.getIndices(), axis}
                                         : SizeSource{embedding.getTable(), 1};
      })
      .Default(SizeSource());
}

OpFoldResult DimOp::fold(FoldAdaptor) {
  int64_t axis = getAxis();
  if (auto type = typeOf(getInput()); !type.isDynamicDim(axis))
    return DenseElementsAttr::get(cast<ShapedType>(getType()), type.getDimSize(axis));
  SizeSource source = sourceOf(getInput(), axis);
  if (!source.value)
    return {};
  if (source.axis < 0)
    return source.value;
  getInputMutable().assign(source.value);
  setAxis(source.axis);
  return getResult();
}
