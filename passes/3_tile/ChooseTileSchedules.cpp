// Decides, before anything is lowered, how each kernel is cut into programs: lib/Schedule has the reasons, this pass
// asks it and writes the answer down. A schedule that stands there already is somebody's choice.
#include "dialects/Tenon/Tenon.h"
#include "dialects/Tile/Tile.h"
#include "lib/Analysis/ContractionKernel.h"
#include "lib/Schedule/TileSchedule.h"
#include "passes/3_tile/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tenon {
#define GEN_PASS_DEF_CHOOSETILESCHEDULESPASS
#include "passes/3_tile/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

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
  ArrayRef<int64_t> shape = cast<RankedTensorType>(kernel.getResultTypes().front()).getShape();
  RowTile tile = chooseRowTile(shape.size() < 2 ? 1 : shape[shape.size() - 2], shape.empty() ? 1 : shape.back());
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
