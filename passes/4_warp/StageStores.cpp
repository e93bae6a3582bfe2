// Stores from an accumulator's registers are narrow, four lanes to a row, and the program waits to issue them all. With
// a producer the kernel runs many programs a CTA: after this pass their results leave by way of shared memory and TMA,
// while the next program's dots run.
#include "dialects/Warp/Warp.h"
#include "lib/Analysis/GpuOfModule.h"
#include "lib/Analysis/SharedMemory.h"
#include "lib/Analysis/TileBounds.h"
#include "passes/4_warp/Passes.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_STAGESTORESPASS
#include "passes/4_warp/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

/// More than these are never waited for: what a slab takes to leave is short beside what a warp takes to write two.
static constexpr int64_t mostSlots = 4;

static void stageStores(tile::KernelOp kernel, const GpuArch &arch) {
  auto schedule = kernel->getAttrOfType<ScheduleAttr>("warp.schedule");
  if (!schedule || !schedule.getProducer() || kernel.getGrid().getBody().getOps<ProduceOp>().empty())
    return;
  SmallVector<tile::StoreOp> stores(kernel.getGrid().getBody().getOps<tile::StoreOp>());
  for (auto [number, store] : llvm::enumerate(stores)) {
    RankedTensorType tile = store.getTile().getType();
    SmallVector<StoreSlab> slabs = storeSlabsOf(tile);
    std::optional<ViewMemory> memory = memoryOf(kernel, store.getView());
    if (slabs.empty() || !memory || memory->sizes.size() < 2 ||
        !fitsTensorMap(*memory, slabs.front().tile.getElementBytes()))
      continue;
    // An equal share of what is left: a plain store beside one by TMA would wait for it.
    int64_t free = (arch.sharedBytesPerBlock - planSharedMemory(kernel).getBytes()) / int64_t(stores.size() - number);
    int64_t slotBytes = schedule.getTeams() * storeSlotBytes(slabs, schedule);
    int64_t slots = std::min({mostSlots, int64_t(slabs.size()), free / slotBytes});
    if (slots < 1)
      continue;
    ImplicitLocOpBuilder b(store.getLoc(), store);
    StoreOp::create(b, store.getTile(), store.getView(), store.getPlace(), slots);
    remark::passed(store.getLoc(), remark::RemarkOpts::name("store").category("tenon-stage-stores"))
        << (Twine(slabs.size()) + " slabs a warp leave by TMA through " + Twine(slots) + " slots").str();
    store.erase();
  }
}

namespace {
struct StageStores : tenon::impl::StageStoresPassBase<StageStores> {
  using StageStoresPassBase::StageStoresPassBase;
  void runOnOperation() override {
    FailureOr<const GpuArch *> arch = gpuNamed(getOperation(), this->arch);
    if (failed(arch))
      return signalPassFailure();
    getOperation()->walk([&](tile::KernelOp kernel) { stageStores(kernel, **arch); });
  }
};
} // namespace
