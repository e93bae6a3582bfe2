// A product of few rows and columns is few programs, each with the whole depth to go through, while most of the
// processor has nothing to do. Where its schedule says so, programs share the depth: one kernel makes the parts' sums,
// one more product in the batch of which each part of the depth is one, and another adds them and does what followed
// the product. With `joined` or `by_last` they stay one kernel, whose programs add the sum up themselves
// (tenon-tile-kernels).
#include "dialects/Tile/Tile.h"
#include "lib/Analysis/ContractionKernel.h"
#include "lib/Analysis/GpuOfModule.h"
#include "passes/3_tile/DerivedKernel.h"
#include "passes/3_tile/Passes.h"
#include "passes/3_tile/TileCandidates.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_SPLITDEPTHPASS
#include "passes/3_tile/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static RankedTensorType typeOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()); }

/// An operand's dimension `at` as two: the part of the depth, and the place in it.
static Value splitDimension(ImplicitLocOpBuilder &b, Value tensor, int64_t at, int64_t parts) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), tensor);
  SmallVector<int64_t> shape(typeOf(tensor).getShape());
  sizes[at] = b.getIndexAttr(shape[at] / parts);
  sizes.insert(sizes.begin() + at, b.getIndexAttr(parts));
  shape[at] /= parts;
  shape.insert(shape.begin() + at, parts);
  SmallVector<ReassociationIndices> groups;
  for (int64_t from = 0, to = 0; from < typeOf(tensor).getRank(); ++from) {
    groups.push_back({to++});
    if (from == at)
      groups.back().push_back(to++);
  }
  return tensor::ExpandShapeOp::create(b, typeOf(tensor).clone(shape), tensor, groups, sizes);
}

/// The groups of a reshape, behind one more dimension that stays.
static SmallVector<ReassociationIndices> behindParts(ArrayRef<ReassociationIndices> groups) {
  SmallVector<ReassociationIndices> result = {{0}};
  for (const ReassociationIndices &group : groups)
    result.push_back(llvm::map_to_vector<2>(group, [](int64_t d) { return d + 1; }));
  return result;
}

/// The sums of each part: the product with the parts of the depth as one more dimension of its batch, outermost.
static Value partialSums(DerivedKernel &kernel, ContractionKernel &product, int64_t parts) {
  ImplicitLocOpBuilder &b = kernel.b;
  linalg::GenericOp op = product.op;
  MLIRContext *context = b.getContext();
  unsigned numLoops = op.getNumLoops();
  AffineExpr part = b.getAffineDimExpr(0), depth = getAffineDimExpr(product.depth, context);
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(operand);
    int64_t at = *map.getResultPosition(depth);
    SmallVector<AffineExpr> exprs =
        llvm::map_to_vector(map.getResults(), [&](AffineExpr expr) { return expr.shiftDims(numLoops, 1); });
    exprs.insert(exprs.begin() + at, part);
    maps.push_back(AffineMap::get(numLoops + 1, 0, exprs, context));
    operands.push_back(splitDimension(b, kernel.copy(operand->get()), at, parts));
  }
  AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  SmallVector<AffineExpr> exprs = {part};
  for (AffineExpr expr : out.getResults())
    exprs.push_back(expr.shiftDims(numLoops, 1));
  maps.push_back(AffineMap::get(numLoops + 1, 0, exprs, context));
  Value single = kernel.copy(op.getDpsInits()[0]);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), single);
  sizes.insert(sizes.begin(), b.getIndexAttr(parts));
  Type element = typeOf(single).getElementType();
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(element));
  Value init = linalg::FillOp::create(b, zero, tensor::EmptyOp::create(b, sizes, element).getResult()).getResult(0);
  SmallVector<utils::IteratorType> iterators = {utils::IteratorType::parallel};
  llvm::append_range(iterators, op.getIteratorTypesArray());
  auto made = linalg::GenericOp::create(b, TypeRange{init.getType()}, operands, ValueRange{init}, maps, iterators);
  IRMapping inner;
  op.getRegion().cloneInto(&made.getRegion(), inner);
  return made.getResult(0);
}

/// The parts added, in the place of the product.
static Value sumOfParts(DerivedKernel &kernel, linalg::GenericOp op, Value parts) {
  ImplicitLocOpBuilder &b = kernel.b;
  int64_t rank = typeOf(op.getResult(0)).getRank();
  SmallVector<AffineExpr> exprs = {b.getAffineDimExpr(rank)};
  for (int64_t d = 0; d < rank; ++d)
    exprs.push_back(b.getAffineDimExpr(d));
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  Value init = kernel.copy(op.getDpsInits()[0]);
  SmallVector<AffineMap> maps = {AffineMap::get(rank + 1, 0, exprs, b.getContext()),
                                 AffineMap::get(rank + 1, 0, ArrayRef(exprs).drop_front(), b.getContext())};
  return linalg::GenericOp::create(b, TypeRange{init.getType()}, ValueRange{parts}, ValueRange{init}, maps, iterators,
                                   [](OpBuilder &inner, Location location, ValueRange x) {
                                     Value sum = isa<FloatType>(x[0].getType())
                                                     ? arith::AddFOp::create(inner, location, x[1], x[0]).getResult()
                                                     : arith::AddIOp::create(inner, location, x[1], x[0]).getResult();
                                     linalg::YieldOp::create(inner, location, sum);
                                   })
      .getResult(0);
}

/// Parts of a sum that each begin with something would have it as often.
static bool startsAtZero(linalg::GenericOp op) {
  auto fill = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  return fill && (matchPattern(fill.getInputs()[0], m_AnyZeroFloat()) || matchPattern(fill.getInputs()[0], m_Zero()));
}

/// Why the kernel cannot be split; empty where it was.
static std::string splitDepth(KernelOp kernel, tile::GemmAttr gemm, const GpuArch &arch) {
  std::optional<ContractionKernel> product = findContraction(kernel.getBlock());
  int64_t parts = gemm.getSplitK();
  if (!product || kernel->getNumResults() != 1)
    return "it is no product with one result";
  linalg::GenericOp op = product->op;
  int64_t depth = product->staticDepth();
  if (ShapedType::isDynamic(depth) || depth % parts != 0)
    return "its depth is no multiple of " + std::to_string(parts);
  AffineExpr loop = getAffineDimExpr(product->depth, kernel.getContext());
  for (OpOperand *operand : op.getDpsInputOperands())
    if (AffineMap map = op.getMatchingIndexingMap(operand); !map.getResultPosition(loop))
      return "an operand's depth is no dimension of it";
  if (!startsAtZero(op))
    return "it does not start at 0";
  // The parts are shaped as the result is, so that their sizes are known where its are.
  Value yielded = kernel.getYielded().front();
  auto expand = yielded.getDefiningOp<tensor::ExpandShapeOp>();
  if (typeOf(expand ? expand.getSrc() : yielded).getShape() != typeOf(op.getResult(0)).getShape())
    return "its result has another shape than the product";

  DerivedKernel first(kernel, "_parts");
  Value sums = partialSums(first, *product, parts);
  SmallVector<ReassociationIndices> groups;
  if (expand) {
    groups = behindParts(expand.getReassociationIndices());
    SmallVector<OpFoldResult> sizes = {first.b.getIndexAttr(parts)};
    for (OpFoldResult size : expand.getMixedOutputShape())
      sizes.push_back(isa<Value>(size) ? OpFoldResult(first.copy(cast<Value>(size))) : size);
    SmallVector<int64_t> shape = {parts};
    llvm::append_range(shape, typeOf(expand).getShape());
    sums = tensor::ExpandShapeOp::create(first.b, typeOf(sums).clone(shape), sums, groups, sizes);
  }
  Attribute shapes = kernel->getAttr("tenon.result_shapes");
  Attribute partShapes;
  if (shapes) {
    AffineMap map = cast<AffineMapAttr>(cast<ArrayAttr>(shapes)[0]).getValue();
    SmallVector<AffineExpr> exprs = {getAffineConstantExpr(parts, kernel.getContext())};
    llvm::append_range(exprs, map.getResults());
    map = AffineMap::get(map.getNumDims(), map.getNumSymbols(), exprs, kernel.getContext());
    partShapes = ArrayAttr::get(kernel.getContext(), AffineMapAttr::get(map));
  }
  KernelOp made = first.finish(sums, partShapes);
  made->setAttr("tenon.schedule", gemm.withoutSplit());

  DerivedKernel second(kernel, "_sum");
  Value given = second.argument(sums.getType(), made->getResult(0));
  if (expand)
    given = tensor::CollapseShapeOp::create(second.b, given, groups);
  second.mapping.map(op.getResult(0), sumOfParts(second, op, given));
  second.replaceByRows(second.copy(yielded), shapes, arch);
  return "";
}

static_assert(mostTilesByLast == tile::ReduceToLastOp::mostTiles && mostTilesByLast == tile::GatherToLastOp::mostTiles);

/// Why the programs of a sum cannot add it up themselves; empty where they can.
static std::string whyNotJoined(KernelOp kernel, tile::GemmAttr gemm, const GpuArch &arch, bool tf32) {
  std::optional<ContractionKernel> product = findContraction(kernel.getBlock());
  if (!product || kernel->getNumResults() != 1)
    return "it is no product with one result";
  if (!startsAtZero(product->op))
    return "it does not start at 0";
  GemmTile tile{gemm.getRows(),  gemm.getColumns(), gemm.getDepth(),  gemm.getSplitK(),
                gemm.getParts(), gemm.getSwapped(), gemm.getJoined(), gemm.getByLast()};
  return whyNotJoined(gemmShapeOf(kernel, *product, tf32), tile, arch);
}

namespace {
struct SplitDepth : tenon::impl::SplitDepthPassBase<SplitDepth> {
  using SplitDepthPassBase::SplitDepthPassBase;
  void runOnOperation() override {
    FailureOr<const GpuArch *> found = gpuNamed(getOperation(), arch);
    if (failed(found))
      return signalPassFailure();
    SmallVector<KernelOp> kernels;
    getOperation()->walk([&](KernelOp kernel) { kernels.push_back(kernel); });
    for (KernelOp kernel : kernels) {
      auto gemm = dyn_cast_or_null<tile::GemmAttr>(kernel->getDiscardableAttr("tenon.schedule"));
      if (!gemm || gemm.getSplitK() == 1 || kernel->hasAttr(generalAttrName))
        continue;
      Location location = kernel.getLoc();
      std::string name = kernel.getKernelName().str();
      if (gemm.getJoinedParts() > 1) {
        std::string reason = whyNotJoined(kernel, gemm, **found, tf32);
        if (reason.empty())
          continue;
        remark::missed(location, remark::RemarkOpts::name("join").category("tenon-split-depth"))
            << ("a second kernel adds up the sums of @" + name + ": " + reason);
      }
      std::string why = splitDepth(kernel, gemm, **found);
      if (why.empty())
        continue;
      remark::missed(location, remark::RemarkOpts::name("split").category("tenon-split-depth"))
          << ("@" + name + " keeps its depth in one program: " + why);
      kernel->setAttr("tenon.schedule", gemm.withoutSplit());
    }
  }
};
} // namespace
