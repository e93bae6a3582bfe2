// What a program of warps is, in a few lines for who tunes it: its threads and registers, its rings, and what bounds a
// turn of its loops. They follow from the IR, but from all of it; here they stand together, in the dump of the phase
// and in the launch plan.
#include "dialects/Tenon/Tenon.h"
#include "lib/Analysis/GpuOfModule.h"
#include "lib/Analysis/SharedMemory.h"
#include "lib/Analysis/ThreadRegisters.h"
#include "lib/Schedule/GemmModel.h"
#include "passes/4_warp/Passes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/FormatVariadic.h"

namespace tenon {
#define GEN_PASS_DEF_DESCRIBEPIPELINESPASS
#include "passes/4_warp/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

static std::string threadsLine(tile::KernelOp kernel, const GpuArch &arch) {
  auto schedule = kernel->getAttrOfType<ScheduleAttr>("warp.schedule");
  std::string line = llvm::formatv("{0} threads a CTA: {1} warps", threadsOf(kernel), schedule.getAllWarps());
  if (schedule.getTeams() > 1)
    line += llvm::formatv(" in {0} teams", schedule.getTeams());
  RegisterShares shares = registerSharesOf(kernel);
  line += llvm::formatv(" of {0} registers a thread", registersOfThread(kernel, arch));
  if (int64_t tiles = registersOfTiles(kernel))
    line += llvm::formatv(", {0} for dots", tiles);
  if (hasProducer(kernel))
    line += shares.producer ? llvm::formatv(", and a producer of {0}", shares.producer).str() : ", and a producer";
  if (auto cluster = kernel->getAttrOfType<ClusterAttr>("warp.cluster"))
    line += llvm::formatv("; clusters of {0} CTAs", cluster.getSize());
  if (schedule.getResident() > 1)
    line += llvm::formatv("; {0} CTAs a multiprocessor", schedule.getResident());
  return line;
}

static std::string sharedLine(tile::KernelOp kernel, const GpuArch &arch) {
  SharedMemoryPlan plan = planSharedMemory(kernel);
  return llvm::formatv("{0} of {1} bytes of shared memory: {2} for tiles, {3} for exchanges, {4} for barriers",
                       plan.getBytes(), arch.sharedBytesPerBlock, plan.tileBytes, plan.scratchBytes, plan.barrierBytes);
}

static std::string ringLine(RingCreateOp ring) {
  RingType type = ring.getRing().getType();
  std::string tiles;
  llvm::raw_string_ostream stream(tiles);
  llvm::interleaveComma(type.getTiles(), stream, [&](SmemType tile) {
    llvm::interleave(tile.getShape(), stream, "x");
    stream << "x" << tile.getElementType();
  });
  return llvm::formatv("ring of {0} slots of {1} bytes ({2}) {3}", type.getDepth(), type.getSlotBytes(), tiles,
                       ring.getTransfers() ? "by TMA" : "by cp.async");
}

static std::string storeLine(StoreOp store, ScheduleAttr schedule) {
  return llvm::formatv("results leave through {0} slots of {1} bytes by TMA", store.getSlots(),
                       storeSlotBytes(storeSlabsOf(store.getTile().getType()), schedule));
}

/// 0: the table has no rate for it.
static double multiplyAddsPerClock(warp::DotOp dot, const GpuArch &arch) {
  if (isa<FmaAttr>(dot.getAtom()))
    return arch.rates.f32;
  auto right = cast<SmemType>(dot.getRhs().getType());
  Type element = dot.isWidening() ? getElementTypeOrSelf(dot.getLhs().getType()) : right.getElementType();
  switch (element.getIntOrFloatBitWidth()) {
  case 8:
    return isa<IntegerType>(element) ? arch.rates.tensor8 : arch.rates.tensorF8;
  case 16:
    return arch.rates.tensor16;
  case 64:
    return 0;
  default:
    return arch.rates.tensorTf32;
  }
}

static const char *unitOf(warp::DotOp dot) { return isa<FmaAttr>(dot.getAtom()) ? "multiply-adds" : "Tensor Cores"; }

namespace {
/// Clocks of one turn of a loop on one multiprocessor, by what may bound it.
struct Turn {
  int64_t dots = 0;
  double multiply = 0, shared = 0, copy = 0;
};
} // namespace

/// A warpgroup reads its own rows, unless it has them in registers, and all columns.
static void addDot(warp::DotOp dot, const GpuArch &arch, Turn &turn) {
  auto type = cast<RankedTensorType>(dot.getResult().getType());
  auto right = cast<SmemType>(dot.getRhs().getType());
  double rows = type.getDimSize(0), columns = type.getDimSize(1), depth = right.getShape()[dot.getTransposeB() ? 1 : 0];
  ++turn.dots;
  if (double rate = multiplyAddsPerClock(dot, arch))
    turn.multiply += rows * columns * depth / rate;
  constexpr double rowsOfGroup = 64;
  double left = isa<SmemType>(dot.getLhs().getType()) ? rows : 0;
  if (isa<WgmmaAttr>(dot.getAtom()))
    turn.shared += (left + columns * rows / rowsOfGroup) * depth * right.getElementBytes() / sharedBytesPerClock;
}

/// Of a loop that multiplies; nothing of another.
static std::string turnLine(scf::ForOp loop, const GpuArch &arch) {
  Turn turn;
  for (warp::DotOp dot : loop.getBody()->getOps<warp::DotOp>())
    addDot(dot, arch, turn);
  SmallPtrSet<Operation *, 4> rings; // a slot of each a turn
  loop.walk([&](RingWaitOp wait) {
    auto ring = wait.getRing().getDefiningOp<RingCreateOp>();
    if (ring && ring.getTransfers() && rings.insert(ring).second)
      turn.copy +=
          ring.getRing().getType().getSlotBytes() / std::min(tmaBytesPerClock, cacheBytesPerClock / arch.numSms);
  });
  if (!turn.dots)
    return "";
  warp::DotOp first = *loop.getBody()->getOps<warp::DotOp>().begin();
  std::string line = llvm::formatv("a turn of {0} dot{1} takes at least {2:F0} clocks of {3}", turn.dots,
                                   turn.dots > 1 ? "s" : "", turn.multiply, unitOf(first));
  if (turn.shared > 0)
    line += llvm::formatv(", {0:F0} of reads of shared memory", turn.shared);
  if (turn.copy > 0)
    line += llvm::formatv(", {0:F0} of copies by TMA", turn.copy);
  return line;
}

/// Of all programs together, where sizes are known.
static std::string limitLine(tile::KernelOp kernel, const GpuArch &arch) {
  auto constantOf = [&](StringRef name) -> std::optional<double> {
    auto map = kernel->getAttrOfType<AffineMapAttr>(name);
    if (!map || !map.getValue().isSingleConstant())
      return std::nullopt;
    return map.getValue().getSingleConstantResult();
  };
  std::optional<double> flops = constantOf("tenon.flops"), bytes = constantOf("tenon.bytes");
  if (!flops || !bytes)
    return "";
  std::string line =
      llvm::formatv("all of it takes at least {0:F1} us of memory", *bytes / arch.memoryBytesPerSecond * 1e6);
  warp::DotOp first;
  kernel.walk([&](warp::DotOp dot) { first = first ? first : dot; });
  if (double rate = first ? multiplyAddsPerClock(first, arch) : 0)
    line += llvm::formatv(", {0:F1} of {1}", *flops / arch.peak(rate) * 1e6, unitOf(first));
  return line + ", at the peak rates of " + arch.reference;
}

static SmallVector<std::string> linesOf(tile::KernelOp kernel, const GpuArch &arch) {
  SmallVector<std::string> lines = {threadsLine(kernel, arch), sharedLine(kernel, arch)};
  kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
    std::string line;
    if (auto ring = dyn_cast<RingCreateOp>(op))
      line = ringLine(ring);
    else if (auto loop = dyn_cast<scf::ForOp>(op))
      line = turnLine(loop, arch);
    else if (auto store = dyn_cast<StoreOp>(op))
      line = storeLine(store, kernel->getAttrOfType<ScheduleAttr>("warp.schedule"));
    // Copies of a loop, for another range, say the same.
    if (!line.empty() && !(isa<scf::ForOp>(op) && llvm::is_contained(lines, line)))
      lines.push_back(line);
  });
  if (std::string limit = limitLine(kernel, arch); !limit.empty())
    lines.push_back(limit);
  return lines;
}

namespace {
struct DescribePipelines : tenon::impl::DescribePipelinesPassBase<DescribePipelines> {
  using DescribePipelinesPassBase::DescribePipelinesPassBase;
  void runOnOperation() override {
    FailureOr<const GpuArch *> found = gpuNamed(getOperation(), arch);
    if (failed(found))
      return signalPassFailure();
    Builder b(&getContext());
    getOperation()->walk([&](tile::KernelOp kernel) {
      if (!kernel->hasAttr("warp.schedule"))
        return;
      SmallVector<std::string> lines = linesOf(kernel, **found);
      kernel->setAttr(pipelineAttrName, b.getStrArrayAttr(SmallVector<StringRef>(lines.begin(), lines.end())));
    });
    markAllAnalysesPreserved();
  }
};
} // namespace
