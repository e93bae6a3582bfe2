// Decides, before anything is lowered, how each kernel is to be computed on this processor: lib/Schedule has the
// reasons, this pass asks it and writes the answer down. A schedule that stands there already is somebody's choice.
#include "dialects/Tenon/Tenon.h"
#include "lib/Analysis/ContractionKernel.h"
#include "lib/Schedule/CpuSchedule.h"
#include "passes/cpu/LoadTime.h"
#include "passes/cpu/LoopAnalysis.h"
#include "passes/cpu/Passes.h"

namespace tenon {
#define GEN_PASS_DEF_CPUCHOOSESCHEDULESPASS
#include "passes/cpu/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static int64_t bitsOf(Type element) { return std::max<int64_t>(element.getIntOrFloatBitWidth(), 32); }

/// Narrow elements are widened to compute with them; only f64 and i64 results have fewer lanes.
static int64_t loopBits(KernelOp kernel) {
  int64_t bits = 32;
  for (Type type : kernel.getResultTypes())
    if (Type element = cast<RankedTensorType>(type).getElementType(); isa<FloatType>(element))
      bits = std::max(bits, bitsOf(element));
  return bits;
}

/// A sum down the columns of a matrix takes up several vectors of each row: a row is then read by cache lines side by
/// side, and the additions of one vector need not wait for each other.
static int64_t vectorsSideBySide(KernelOp kernel, int64_t lanes) {
  constexpr int64_t most = 4;
  auto reductions = kernel.getBlock().getOps<linalg::GenericOp>();
  auto downColumns = llvm::find_if(
      reductions, [](linalg::GenericOp op) { return op.getNumReductionLoops() != 0 && !reducesInnermost(op); });
  if (downColumns == reductions.end())
    return 1;
  int64_t vectors = most;
  for (Type type : kernel.getResultTypes()) {
    auto tensor = cast<RankedTensorType>(type);
    int64_t columns = tensor.getRank() ? tensor.getShape().back() : 1;
    vectors = ShapedType::isDynamic(columns) ? 1 : std::min(vectors, columns / lanes);
  }
  return vectors == most ? most : 1;
}

static Attribute chooseFor(KernelOp kernel, const CpuFacts &facts) {
  MLIRContext *context = kernel.getContext();
  if (std::optional<ContractionKernel> contraction = findContraction(kernel.getBlock())) {
    auto element = cast<RankedTensorType>(contraction->op.getResultTypes().front()).getElementType();
    GemmSchedule chosen =
        chooseGemm(facts, {contraction->staticRows(), contraction->staticColumns(), contraction->staticDepth(),
                           bitsOf(element), isLoadTime(kernel, contraction->rhsTensor())});
    return CpuGemmAttr::get(context, chosen.rows, chosen.columns, chosen.lanes, chosen.chunk);
  }
  auto attentions = kernel.getBlock().getOps<AttentionOp>();
  if (!attentions.empty()) {
    auto type = cast<RankedTensorType>((*attentions.begin()).getQuery().getType());
    AttentionSchedule chosen = chooseAttention(facts, {type.getDimSize(2), bitsOf(type.getElementType())});
    return CpuAttentionAttr::get(context, chosen.queries, chosen.keys, chosen.lanes, chosen.chunk);
  }
  int64_t lanes = chooseLanes(facts, loopBits(kernel));
  return CpuLoopsAttr::get(context, lanes * vectorsSideBySide(kernel, lanes));
}

namespace {
struct ChooseSchedules : tenon::impl::CpuChooseSchedulesPassBase<ChooseSchedules> {
  using CpuChooseSchedulesPassBase::CpuChooseSchedulesPassBase;
  void runOnOperation() override {
    CpuFacts facts = CpuFacts::ofVectorBits(vectorBits);
    for (auto main : getOperation().getOps<func::FuncOp>())
      for (auto kernel : main.getOps<KernelOp>())
        if (!kernel->hasAttr("tenon.schedule"))
          kernel->setAttr("tenon.schedule", chooseFor(kernel, facts));
  }
};
} // namespace
