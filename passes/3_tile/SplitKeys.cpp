// An attention of few queries is few programs, each with all the keys to go through, while most of the processor has
// nothing to do. Its loop carries a recurrence (maximum, sum, weighted sum) whose states can be put together: where its
// schedule says so, programs share the keys (FlashDecoding, Dao et al. 2023). One kernel makes each part's state, in
// the precision that it is carried in, and another puts them together and does what followed the attention.
#include "dialects/Tile/Tile.h"
#include "lib/Analysis/GpuOfModule.h"
#include "lib/Analysis/SymbolicSizes.h"
#include "lib/Arithmetic/ScorePowers.h"
#include "passes/3_tile/AttentionUnits.h"
#include "passes/3_tile/DerivedKernel.h"
#include "passes/3_tile/PagedKeys.h"
#include "passes/3_tile/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"

#include <cmath>

namespace tenon {
#define GEN_PASS_DEF_SPLITKEYSPASS
#include "passes/3_tile/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static RankedTensorType typeOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()); }

/// The shapes of maximum, sum and total; none where a size is not known, null where all are static.
static std::optional<ArrayAttr> shapesOfParts(KernelOp kernel, AttentionOp op, int64_t parts) {
  if (typeOf(op.getResult()).hasStaticShape())
    return ArrayAttr();
  std::string reason;
  std::optional<SymbolicSizes> sizes = SymbolicSizes::find(kernel->getParentOfType<func::FuncOp>(), reason);
  if (!sizes)
    return std::nullopt;
  MLIRContext *context = kernel.getContext();
  SmallVector<AffineExpr> shape = {getAffineConstantExpr(parts, context)};
  for (int64_t d = 0; d < 4; ++d)
    shape.push_back(sizeOver(*sizes, kernel, op.getResult(), d));
  if (llvm::is_contained(shape, AffineExpr()))
    return std::nullopt;
  auto attribute = [&](ArrayRef<AffineExpr> of) -> Attribute {
    return AffineMapAttr::get(AffineMap::get(0, sizes->dims().names.size(), of, context));
  };
  Attribute ofRow = attribute(ArrayRef(shape).drop_back());
  return ArrayAttr::get(context, {ofRow, ofRow, attribute(shape)});
}

static AttentionPartsOp partsOf(DerivedKernel &kernel, AttentionOp op, int64_t parts) {
  Value query = kernel.copy(op.getQuery()), key = kernel.copy(op.getKey()), value = kernel.copy(op.getValue());
  auto given = [&](Value operand) { return operand ? kernel.copy(operand) : Value(); };
  Value mask = given(op.getMask()), keyLengths = given(op.getKeyLengths()), queryLengths = given(op.getQueryLengths());
  Value blockTable = given(op.getBlockTable()), queryScale = given(op.getQueryScale()),
        keyScale = given(op.getKeyScale());
  RankedTensorType result = typeOf(op.getResult());
  Type sum = result.getElementType().isF64() ? result.getElementType() : kernel.b.getF32Type();
  SmallVector<int64_t> shape = {parts};
  llvm::append_range(shape, result.getShape());
  auto total = RankedTensorType::get(shape, sum), ofRow = RankedTensorType::get(ArrayRef(shape).drop_back(), sum);
  return AttentionPartsOp::create(kernel.b, TypeRange{ofRow, ofRow, total}, query, key, value, mask, keyLengths,
                                  queryLengths, blockTable, queryScale, keyScale, op.getScaleAttr(), op.getCausalAttr(),
                                  op.getWindowAttr(), op.getSoftCapAttr(), kernel.b.getI64IntegerAttr(parts));
}

/// Where the scale of a value lies, which broadcasts to [batch, heads of the keys, one, columns], over the loops of a
/// result [batch, heads, queries, columns].
static AffineMap mapOfValueScale(AttentionOp op) {
  MLIRContext *context = op.getContext();
  auto group = typeOf(op.getQuery()).getDimSize(1) / typeOf(op.getKey()).getDimSize(1);
  AffineExpr zero = getAffineConstantExpr(0, context), batch, heads, queries, columns;
  bindDims(context, batch, heads, queries, columns);
  AffineExpr full[] = {batch, heads.floorDiv(group), zero, columns};
  SmallVector<AffineExpr> place;
  ArrayRef<int64_t> shape = typeOf(op.getValueScale()).getShape();
  for (auto [d, size] : llvm::enumerate(shape))
    place.push_back(size == 1 ? zero : full[4 - shape.size() + d]);
  return AffineMap::get(4, 0, place, context);
}

namespace {
/// The states of the parts put together, as loops over [batch, heads, queries (, columns), part].
class Combination {
public:
  /// `unit`: of the maximum, to base 2.
  Combination(ImplicitLocOpBuilder &b, double unit, bool isCapped, Value maximum, Value sum, Value total)
      : b(b), unit(unit), isCapped(isCapped), maximum(maximum), sum(sum), total(total),
        element(typeOf(maximum).getElementType()) {}
  /// `scale`: of the values, at a place that `scaleMap` says; null where there is none.
  Value build(Type result, Value scale, AffineMap scaleMap);
  Value logSumExp();

private:
  using Body = llvm::function_ref<Value(OpBuilder &, Location, ValueRange)>;
  AffineMap map(unsigned loops, ArrayRef<unsigned> results) {
    return AffineMap::getMultiDimMapWithTargets(loops, results, b.getContext());
  }
  Value number(double value) { return arith::ConstantOp::create(b, b.getFloatAttr(element, value)); }
  /// A tensor shaped as a part of `like`.
  Value empty(Value like, Type of) {
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), like);
    return tensor::EmptyOp::create(b, ArrayRef(sizes).drop_front(), of);
  }
  Value loops(ValueRange inputs, Value init, ArrayRef<AffineMap> maps, bool isReduced, Body body) {
    SmallVector<utils::IteratorType> iterators(maps.front().getNumDims(), utils::IteratorType::parallel);
    if (isReduced)
      iterators.back() = utils::IteratorType::reduction;
    return linalg::GenericOp::create(b, TypeRange{init.getType()}, inputs, ValueRange{init}, maps, iterators,
                                     [&](OpBuilder &inner, Location at, ValueRange x) {
                                       linalg::YieldOp::create(inner, at, body(inner, at, x));
                                     })
        .getResult(0);
  }
  Value filled(Value like, double value) {
    return linalg::FillOp::create(b, number(value), empty(like, element)).getResult(0);
  }
  static constexpr double infinity = std::numeric_limits<double>::infinity();
  /// x[3] and a part's x[2], which is relative to x[0], made relative to the largest, x[1]. These are finite where no
  /// key is visible: the loops over keys begin with a base that is.
  /// `keepsInfinities`: but where an f64 would have a power of 0.
  Value weighted(ValueRange inputs, ArrayRef<AffineMap> maps, bool keepsInfinities = false) {
    Value factor = unit == 1 ? Value() : number(unit), lowest, infinite;
    if (keepsInfinities)
      lowest = number(lowestLogarithm), infinite = number(infinity);
    return loops(inputs, filled(inputs.back(), 0), maps, true,
                 [&](OpBuilder &inner, Location at, ValueRange x) -> Value {
                   Value logarithm = arith::SubFOp::create(inner, at, x[0], x[1]);
                   if (factor)
                     logarithm = arith::MulFOp::create(inner, at, logarithm, factor);
                   Value product = arith::MulFOp::create(inner, at, math::Exp2Op::create(inner, at, logarithm), x[2]);
                   if (keepsInfinities) {
                     using P = arith::CmpFPredicate;
                     Value isSome = arith::CmpFOp::create(inner, at, P::OGE, logarithm, lowest);
                     Value isInfinite =
                         arith::CmpFOp::create(inner, at, P::OEQ, math::AbsFOp::create(inner, at, x[2]), infinite);
                     Value isKept = arith::AndIOp::create(inner, at, isSome, isInfinite);
                     product = arith::SelectOp::create(inner, at, isKept, x[2], product);
                   }
                   return arith::AddFOp::create(inner, at, x[3], product);
                 });
  }
  /// The largest maximum, and the sum relative to it.
  std::pair<Value, Value> statistics() {
    AffineMap part = map(4, {3, 0, 1, 2}), row = map(4, {0, 1, 2});
    Value largest = loops({maximum}, filled(maximum, -infinity), {part, row}, true,
                          [](OpBuilder &inner, Location at, ValueRange x) -> Value {
                            return arith::MaximumFOp::create(inner, at, x[1], x[0]);
                          });
    return {largest, weighted({maximum, largest, sum}, {part, row, part, row})};
  }

  ImplicitLocOpBuilder &b;
  double unit;
  bool isCapped;             ///< parts that are far apart may all be finite
  Value maximum, sum, total; ///< the total may be null for the log-sum-exp
  Type element;
};
} // namespace

Value Combination::logSumExp() {
  auto [largest, sums] = statistics();
  AffineMap row = map(3, {0, 1, 2});
  return loops({largest, sums}, empty(maximum, element), {row, row, row}, false,
               [&](OpBuilder &inner, Location at, ValueRange x) -> Value {
                 // With a unit of its own the maximum may be as low as a float is.
                 Value natural = math::Log2Op::create(inner, at, x[1]), base = number(std::log(2.0));
                 if (unit == 1)
                   natural = arith::MulFOp::create(inner, at, arith::AddFOp::create(inner, at, x[0], natural), base);
                 else
                   natural = math::FmaOp::create(inner, at, natural, base, x[0]);
                 Value isEmpty = arith::CmpFOp::create(inner, at, arith::CmpFPredicate::OEQ, x[1], number(0));
                 return arith::SelectOp::create(inner, at, isEmpty, number(-infinity), natural);
               });
}

Value Combination::build(Type result, Value scale, AffineMap scaleMap) {
  auto [largest, sums] = statistics();
  AffineMap partOfAll = map(5, {4, 0, 1, 2}), rowOfAll = map(5, {0, 1, 2}), all = map(5, {0, 1, 2, 3});
  Value totals = weighted({maximum, largest, total}, {partOfAll, rowOfAll, map(5, {4, 0, 1, 2, 3}), all}, isCapped);
  Type stored = getElementTypeOrSelf(result);
  Value zero = number(0);
  SmallVector<Value> inputs = {totals, sums};
  SmallVector<AffineMap> maps = {map(4, {0, 1, 2, 3}), map(4, {0, 1, 2}), map(4, {0, 1, 2, 3})};
  if (scale) {
    inputs.push_back(scale);
    maps.insert(maps.begin() + 2, scaleMap);
  }
  return loops(inputs, empty(total, stored), maps, false, [&](OpBuilder &inner, Location at, ValueRange x) -> Value {
    Value isEmpty = arith::CmpFOp::create(inner, at, arith::CmpFPredicate::OEQ, x[1], zero);
    Value quotient = arith::DivFOp::create(inner, at, x[0], x[1]);
    if (scale)
      quotient = arith::MulFOp::create(inner, at, quotient, x[2]);
    Value whole = arith::SelectOp::create(inner, at, isEmpty, zero, quotient);
    return stored == element ? whole : arith::TruncFOp::create(inner, at, stored, whole).getResult();
  });
}

/// Whether a yielded tensor is the second result of an attention under another shape.
static bool isOfLogSumExp(Value tensor) {
  while (Operation *op = tensor.getDefiningOp()) {
    if (auto attention = dyn_cast<AttentionOp>(op))
      return tensor == attention.getLse();
    if (op->getNumOperands() == 0)
      return false;
    tensor = op->getOperand(0);
  }
  return false;
}

/// Why the kernel cannot be split; empty where it was.
static std::string splitKeys(KernelOp kernel, tile::AttentionAttr schedule, const GpuArch &arch) {
  auto attentions = kernel.getBlock().getOps<AttentionOp>();
  if (!llvm::hasSingleElement(attentions))
    return "it holds no attention, or several";
  AttentionOp op = *attentions.begin();
  if (op.getPacked())
    return "its values are packed";
  if (op.getBlockTable() && !fitPages(typeOf(op.getKey()).getDimSize(2), schedule.getKeys()))
    return "its pages do not fit tiles of " + std::to_string(schedule.getKeys()) + " keys";
  int64_t parts = schedule.getSplitKeys();
  std::optional<ArrayAttr> shapes = shapesOfParts(kernel, op, parts);
  if (!shapes)
    return "the sizes of its parts are no expression of the model's";

  DerivedKernel first(kernel, "_parts");
  AttentionPartsOp made = partsOf(first, op, parts);
  double unit = unitOfMaximum(op.getMask());
  KernelOp states = first.finish(made.getResults(), *shapes);
  states->setAttr("tenon.schedule",
                  tile::AttentionAttr::get(kernel.getContext(), schedule.getQueries(), schedule.getKeys(),
                                           /*split_keys=*/1, schedule.getMaximum()));

  // What is made of the sums alone has another rank than what is made of the total: rows of another kernel.
  auto results = [&](StringRef suffix, bool isOfTotal) {
    DerivedKernel made(kernel, suffix);
    SmallVector<Value> given, yielded, replaced;
    for (Value state : isOfTotal ? states.getResults() : states.getResults().drop_back())
      given.push_back(made.argument(state.getType(), state));
    if (isOfTotal) {
      Value scale = op.getValueScale() ? made.copy(op.getValueScale()) : Value();
      made.mapping.map(op.getResult(),
                       Combination(made.b, unit, op.getSoftCap().has_value(), given[0], given[1], given[2])
                           .build(op.getResult().getType(), scale, scale ? mapOfValueScale(op) : AffineMap()));
    } else
      made.mapping.map(op.getLse(),
                       Combination(made.b, unit, op.getSoftCap().has_value(), given[0], given[1], Value()).logSumExp());
    SmallVector<Attribute> shapes;
    auto known = kernel->getAttrOfType<ArrayAttr>("tenon.result_shapes");
    for (auto [number, value] : llvm::enumerate(kernel.getYielded())) {
      if (isOfLogSumExp(value) == isOfTotal)
        continue;
      yielded.push_back(made.copy(value));
      replaced.push_back(kernel.getResult(number));
      if (known)
        shapes.push_back(known[number]);
    }
    if (yielded.empty())
      return;
    KernelOp rows = made.finishByRows(yielded, known ? made.b.getArrayAttr(shapes) : ArrayAttr(), arch);
    if (isOfTotal && rows.getNumResults() == 1)
      rows->setAttr(sumOfPartsAttrName, made.b.getUnitAttr());
    for (auto [before, after] : llvm::zip_equal(replaced, rows.getResults()))
      before.replaceAllUsesWith(after);
  };
  results("_sum", /*isOfTotal=*/true);
  if (op.getLse())
    results("_log_sum_exp", /*isOfTotal=*/false);
  kernel.erase();
  return "";
}

namespace {
struct SplitKeys : tenon::impl::SplitKeysPassBase<SplitKeys> {
  using SplitKeysPassBase::SplitKeysPassBase;
  void runOnOperation() override {
    FailureOr<const GpuArch *> found = gpuNamed(getOperation(), arch);
    if (failed(found))
      return signalPassFailure();
    SmallVector<KernelOp> kernels;
    getOperation()->walk([&](KernelOp kernel) { kernels.push_back(kernel); });
    for (KernelOp kernel : kernels) {
      auto attention = dyn_cast_or_null<tile::AttentionAttr>(kernel->getDiscardableAttr("tenon.schedule"));
      if (!attention || attention.getSplitKeys() == 1 || kernel->hasAttr(generalAttrName))
        continue;
      std::string why = splitKeys(kernel, attention, **found);
      if (why.empty())
        continue;
      remark::missed(kernel.getLoc(), remark::RemarkOpts::name("split").category("tenon-split-keys"))
          << ("@" + kernel.getKernelName() + " keeps its keys in one program: " + why).str();
      kernel->setAttr("tenon.schedule",
                      tile::AttentionAttr::get(&getContext(), attention.getQueries(), attention.getKeys(),
                                               /*split_keys=*/1, attention.getMaximum()));
    }
  }
};
} // namespace
