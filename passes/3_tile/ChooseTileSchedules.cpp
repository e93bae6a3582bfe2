// Decides, before anything is lowered, how each kernel is cut into programs: lib/Schedule has the reasons, this pass
// asks it and writes the answer down. A schedule that stands there already is somebody's choice.
#include "dialects/Tenon/Tenon.h"
#include "dialects/Tile/Tile.h"
#include "lib/Analysis/ContractionKernel.h"
#include "lib/Schedule/TileSchedule.h"
#include "passes/3_tile/Passes.h"
#include "passes/3_tile/ResultDimensions.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace tenon {
#define GEN_PASS_DEF_CHOOSETILESCHEDULESPASS
#include "passes/3_tile/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

/// Of what is computed before dimensions are split or parts are put together.
static RowShape rowShapeOf(KernelOp kernel) {
  Value result = kernel.getYielded().front();
  while (auto expand = result.getDefiningOp<tensor::ExpandShapeOp>())
    result = expand.getSrc();
  while (auto insert = result.getDefiningOp<tensor::InsertSliceOp>())
    result = insert.getSource();
  RowShape shape;
  for (int64_t size : cast<RankedTensorType>(result.getType()).getShape())
    shape.sizes.push_back(ShapedType::isDynamic(size) ? -1 : size);
  ResultDimensions dimensions(result);
  shape.foldsRows = !shape.sizes.empty() && dimensions.isFolded(shape.sizes.size() - 1);
  shape.isTransposed = dimensions.transposed() >= 0;
  for (ResultDimensions::Reduction one : dimensions.reductions()) {
    if (one.along >= 0)
      continue;
    int64_t size = one.op.getStaticLoopRanges()[one.loop];
    shape.reduced = ShapedType::isDynamic(size) || shape.reduced < 0 ? -1 : std::max(shape.reduced, size);
    AffineMap map = one.op.getMatchingIndexingMap(one.op.getDpsInputOperand(0));
    shape.reducesNeighbours |= map.getNumResults() > 0 && map.getResults().back().isFunctionOfDim(one.loop);
  }
  return shape;
}

static Attribute chooseFor(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  if (std::optional<ContractionKernel> product = findContraction(kernel.getBlock())) {
    // A program's rows are places of the innermost row dimension: the others are numbered.
    SmallVector<int64_t> sizes = product->op.getStaticLoopRanges();
    int64_t rows = product->rows.empty() ? 1 : sizes[product->rows.back()];
    int64_t bits = cast<RankedTensorType>(product->rhsTensor().getType()).getElementType().getIntOrFloatBitWidth();
    GemmTile tile = chooseGemmTile(rows, product->staticColumns(), product->staticDepth(), bits);
    return tile::GemmAttr::get(context, tile.rows, tile.columns, tile.depth);
  }
  auto attentions = kernel.getBlock().getOps<AttentionOp>();
  if (!attentions.empty()) {
    auto query = cast<RankedTensorType>((*attentions.begin()).getQuery().getType());
    AttentionTile tile = chooseAttentionTile(query.getDimSize(2), query.getDimSize(3));
    return tile::AttentionAttr::get(context, tile.queries, tile.keys);
  }
  RowTile tile = chooseRowTile(rowShapeOf(kernel));
  return tile::RowAttr::get(context, tile.rows, tile.columns, tile.part);
}

namespace {
struct ChooseTileSchedules : tenon::impl::ChooseTileSchedulesPassBase<ChooseTileSchedules> {
  void runOnOperation() override {
    for (auto main : getOperation().getOps<func::FuncOp>())
      for (auto kernel : main.getOps<KernelOp>())
        if (!kernel->hasAttr("tenon.schedule") && kernel->getNumResults() > 0)
          kernel->setAttr("tenon.schedule", chooseFor(kernel));
  }
};
} // namespace
