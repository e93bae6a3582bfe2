// Decides, before anything is lowered, how each kernel is cut into programs: lib/Schedule has the reasons, this pass
// asks it and writes the answer down. A schedule that stands there already is somebody's choice.
#include "dialects/Tenon/Tenon.h"
#include "dialects/Tile/Tile.h"
#include "dialects/Warp/Warp.h"
#include "lib/Analysis/ContractionKernel.h"
#include "lib/Analysis/HandSchedules.h"
#include "lib/Schedule/TileSchedule.h"
#include "passes/3_tile/Passes.h"
#include "passes/3_tile/ResultDimensions.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/FormatVariadic.h"

namespace tenon {
#define GEN_PASS_DEF_CHOOSETILESCHEDULESPASS
#include "passes/3_tile/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static int64_t sizeOf(int64_t size) { return ShapedType::isDynamic(size) ? -1 : size; }

static int64_t productOf(ArrayRef<int64_t> sizes, ArrayRef<unsigned> loops) {
  int64_t product = 1;
  for (unsigned loop : loops)
    product = product < 0 || ShapedType::isDynamic(sizes[loop]) ? -1 : product * sizes[loop];
  return product;
}

static int64_t bitsOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getElementType().getIntOrFloatBitWidth();
}

static bool isFloat8(Value tensor) {
  return isa<Float8E4M3FNType, Float8E5M2Type>(getElementTypeOrSelf(tensor.getType()));
}

namespace {
struct Choice {
  Attribute schedule;
  std::string reason;
};
} // namespace

static std::string microseconds(double seconds) { return llvm::formatv("{0:F1} us", seconds * 1e6).str(); }

/// Over how many elements of its depth a product adds up before that is added to the sum by itself; 0: all. A sum of
/// f32 by multiply-adds is one chain else, of which cuBLAS has several: MiniLM's error was 1.33 times PyTorch's.
static int64_t promotedDepth(ContractionKernel &product, bool tf32) {
  constexpr int64_t block = 128;
  bool isF32 = getElementTypeOrSelf(product.rhsTensor().getType()).isF32() && !tf32;
  int64_t depth = product.staticDepth();
  // Blocks are sums of their own by what the kernel says.
  if (product.blocks || !(isFloat8(product.rhsTensor()) || (isF32 && (ShapedType::isDynamic(depth) || depth > block))))
    return 0;
  return block;
}

static Choice chooseGemm(ContractionKernel &product, Value result, const GpuArch &arch, int64_t refusals, bool tf32) {
  SmallVector<int64_t> sizes = product.op.getStaticLoopRanges();
  // A program's rows are places of the innermost row dimension: the others are numbered.
  SmallVector<unsigned> numbered(product.batch);
  int64_t depth = sizeOf(product.staticDepth());
  if (product.blocks) {
    llvm::erase(numbered, product.block);
    int64_t count = sizeOf(sizes[product.block]);
    depth = count < 0 || depth < 0 ? -1 : count * depth;
  }
  if (!product.rows.empty())
    numbered.append(product.rows.begin(), product.rows.end() - 1);
  int64_t rows = product.rows.empty() ? 1 : sizeOf(sizes[product.rows.back()]);
  int64_t bits = bitsOf(product.rhsTensor());
  int64_t promote = promotedDepth(product, tf32);
  GemmShape shape{
      productOf(sizes, numbered),   rows, sizeOf(product.staticColumns()), depth, bits, bitsOf(result), bits <= 16,
      product.blocks || promote > 0};
  if (product.blocks) {
    shape.depthBlock = product.staticDepth();
    shape.columnBlock = product.columnsPerScale();
  }
  std::vector<GemmCandidate> ranked = rankGemmTiles(shape, arch, refusals);
  const GemmTile &best = ranked.front().tile;
  std::string reason = ranked.front().reason + ", " + microseconds(ranked.front().seconds) + " by the model";
  if (ranked.size() > 1)
    reason += llvm::formatv("; next of {0}: {1} x {2}{3}, {4}", ranked.size() - 1, ranked[1].tile.rows,
                            ranked[1].tile.columns,
                            ranked[1].tile.splits > 1 ? " in " + std::to_string(ranked[1].tile.splits) + " splits" : "",
                            microseconds(ranked[1].seconds));
  return {tile::GemmAttr::get(result.getContext(), best.rows, best.columns, best.depth, best.splits, best.parts,
                              promote > 0 ? std::max(promote, best.depth) : 0),
          reason};
}

static Choice chooseFor(KernelOp kernel, const GpuArch &arch, bool tf32) {
  MLIRContext *context = kernel.getContext();
  auto refused = kernel->getAttrOfType<ArrayAttr>(refusalsAttrName);
  int64_t refusals = refused ? refused.size() : 0;
  if (std::optional<ContractionKernel> product = findProduct(kernel.getBlock()))
    return chooseGemm(*product, kernel.getYielded().front(), arch, refusals, tf32);
  auto attentions = kernel.getBlock().getOps<AttentionOp>();
  if (!attentions.empty()) {
    AttentionOp op = *attentions.begin();
    auto query = cast<RankedTensorType>(op.getQuery().getType()), key = cast<RankedTensorType>(op.getKey().getType());
    TileAttentionShape shape{sizeOf(query.getDimSize(0)), sizeOf(query.getDimSize(1)), sizeOf(query.getDimSize(2)),
                             sizeOf(key.getDimSize(2)),   sizeOf(query.getDimSize(3)), bitsOf(op.getQuery())};
    auto [tile, reason] = chooseAttentionTile(shape, arch, refusals);
    return {tile::AttentionAttr::get(context, tile.queries, tile.keys, tile.splits, tile::Maximum::Lazy), reason};
  }
  auto [tile, reason] = chooseRowTile(rowShapeOf(kernel), arch);
  return {tile::RowAttr::get(context, tile.rows, tile.columns, tile.part), reason};
}

namespace {
struct ChooseTileSchedules : tenon::impl::ChooseTileSchedulesPassBase<ChooseTileSchedules> {
  using ChooseTileSchedulesPassBase::ChooseTileSchedulesPassBase;
  void runOnOperation() override {
    ModuleOp module = getOperation();
    Result<const GpuArch *> found = findGpuArch(arch);
    if (!found.ok()) {
      module.emitError(found.status().message());
      return signalPassFailure();
    }
    FailureOr<HandSchedules> byHand = readHandSchedules(module, schedules);
    if (failed(byHand))
      return signalPassFailure();
    llvm::StringSet<> names;
    for (auto main : module.getOps<func::FuncOp>())
      for (auto kernel : main.getOps<KernelOp>()) {
        names.insert(kernel.getKernelName());
        choose(kernel, **found, byHand->tile.lookup(kernel.getKernelName()));
      }
    if (failed(checkHandNames(module, schedules, byHand->tile, names,
                              "of the model; tenon-compile --to=kernel shows them")))
      signalPassFailure();
  }

  void choose(KernelOp kernel, const GpuArch &arch, Attribute byHand) {
    if ((kernel->hasAttr("tenon.schedule") && !byHand) || kernel->getNumResults() == 0)
      return;
    std::optional<ContractionKernel> product = findProduct(kernel.getBlock());
    if (product && arch.rates.tensorF8 == 0 && isFloat8(product->lhsTensor()) && isFloat8(product->rhsTensor())) {
      kernel->setAttr(generalAttrName,
                      StringAttr::get(kernel.getContext(), Twine(arch.name) + " multiplies no 8-bit floats"));
      return;
    }
    Choice choice = byHand ? Choice{byHand, "by hand"} : chooseFor(kernel, arch, tf32);
    if (auto refused = kernel->getAttrOfType<ArrayAttr>(refusalsAttrName); refused && !refused.empty())
      if (auto why = dyn_cast<StringAttr>(refused.getValue().back()))
        choice.reason += "; a larger one was refused as machine code: " + why.str();
    kernel->setAttr("tenon.schedule", choice.schedule);
    std::string text;
    llvm::raw_string_ostream(text) << "@" << kernel.getKernelName() << " has " << choice.schedule << ": "
                                   << choice.reason;
    remark::passed(kernel.getLoc(), remark::RemarkOpts::name("schedule").category("tenon-choose-tile-schedules"))
        << text;
  }
};
} // namespace
