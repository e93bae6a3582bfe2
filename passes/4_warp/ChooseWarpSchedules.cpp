// Decides, before anything of it is carried out, how many warps a program on tiles has and how deep its rings are:
// lib/Schedule has the reasons. A schedule that stands there already is somebody's choice.
#include "dialects/Warp/Warp.h"
#include "lib/Analysis/GpuOfModule.h"
#include "lib/Analysis/HandSchedules.h"
#include "lib/Analysis/SharedMemory.h"
#include "lib/Analysis/TileBounds.h"
#include "lib/Analysis/WeightOperands.h"
#include "lib/Schedule/TileSchedule.h"
#include "lib/Schedule/WarpSchedule.h"
#include "passes/4_warp/DotOperands.h"
#include "passes/4_warp/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace tenon {
#define GEN_PASS_DEF_CHOOSEWARPSCHEDULESPASS
#include "passes/4_warp/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static int64_t bytesOf(RankedTensorType type) {
  return type.getNumElements() * std::max<int64_t>(1, type.getElementTypeBitWidth() / 8);
}

/// What a block's own loads of tiles copy, where all programs come to them.
static int64_t tileBytesIn(Block &block) {
  int64_t bytes = 0;
  if (!block.getOps<tile::ReduceToLastOp>().empty())
    return 0;
  for (auto load : block.getOps<tile::LoadOp>())
    if (load.getType().getRank() == 2)
      bytes += bytesOf(load.getType());
  return bytes;
}

/// Whether a tile is computed from a dot's result.
static bool comesFromDot(Value tile, unsigned depth = 0) {
  Operation *op = tile.getDefiningOp();
  if (!op || depth > 32)
    return false;
  if (isa<tile::DotOp>(op))
    return true;
  if (auto branch = dyn_cast<scf::IfOp>(op)) {
    unsigned number = cast<OpResult>(tile).getResultNumber();
    return llvm::any_of(branch->getRegions(), [&](Region &region) {
      return !region.empty() && comesFromDot(region.front().getTerminator()->getOperand(number), depth + 1);
    });
  }
  return llvm::any_of(op->getOperands(), [&](Value operand) { return comesFromDot(operand, depth + 1); });
}

/// Whether it multiplies 8-bit floats as f16, which mma.sync widens as it reads them; a warpgroup's operand is made f16
/// in shared memory first.
static bool isWidened(tile::DotOp dot) {
  Operation *op = dot.getRhs().getDefiningOp();
  while (isa_and_nonnull<tile::TransOp>(op))
    op = op->getOperand(0).getDefiningOp();
  return isa_and_nonnull<arith::ExtFOp>(op) && dot.getRhs().getType().getElementType().isF16() &&
         getElementTypeOrSelf(op->getOperand(0).getType()).getIntOrFloatBitWidth() == 8;
}

namespace {
/// What says how many warps a program without products needs.
struct RowWork {
  int64_t elements = 1;            ///< of the largest tile in memory
  int64_t rowsOfWarps = 0;         ///< that are folded, each of which a warp can have to itself
  bool needsManyRegisters = false; ///< f64, and functions that are calls of libdevice

  void add(Operation *op);
};
} // namespace

void RowWork::add(Operation *op) {
  if (isa<tile::LoadOp, tile::GatherOp, tile::StoreOp>(op))
    for (Type type : llvm::concat<Type>(op->getOperandTypes(), op->getResultTypes()))
      if (auto tensor = dyn_cast<RankedTensorType>(type))
        elements = std::max(elements, tensor.getNumElements());
  if (auto reduce = dyn_cast<tile::ReduceOp>(op)) {
    RankedTensorType type = reduce.getTile().getType();
    int64_t columns = type.getShape().back();
    if (int64_t(reduce.getAxis()) + 1 == type.getRank() && isRowOfWarp(columns))
      rowsOfWarps = std::max(rowsOfWarps, type.getNumElements() / columns);
  }
  bool isCalled = isa<math::SinOp, math::CosOp, math::TanOp, math::PowFOp>(op);
  bool isDouble = op->getNumResults() == 1 && getElementTypeOrSelf(op->getResult(0).getType()).isF64() &&
                  isa_and_nonnull<math::MathDialect, arith::ArithDialect>(op->getDialect()) &&
                  !isa<arith::ConstantOp>(op);
  needsManyRegisters |= isCalled || isDouble;
}

/// Programs that share a grid, the branches of an `if` that gives nothing, are each chosen for by itself; all get the
/// warps of whichever needs most.
static WarpSchedule chooseRowWarps(Block &program) {
  WarpSchedule most;
  RowWork work;
  for (Operation &op : program)
    if (auto branch = dyn_cast<scf::IfOp>(op); branch && branch->getNumResults() == 0) {
      for (Region &region : branch->getRegions())
        if (!region.empty())
          most.warpsM = std::max(most.warpsM, chooseRowWarps(region.front()).warpsM);
    } else {
      op.walk([&](Operation *inner) { work.add(inner); });
    }
  WarpSchedule own = chooseRowWarps(work.elements, work.rowsOfWarps, work.needsManyRegisters);
  own.warpsM = std::max(own.warpsM, most.warpsM);
  return own;
}

/// What a program gets of other CTAs.
static int64_t exchangedBytesOf(tile::KernelOp kernel) {
  int64_t bytes = 0;
  kernel.walk([&](tile::ReduceScatterOp op) { bytes += sharedSumBytes(op); });
  return bytes;
}

/// Whether a program is over before its warpgroups are in step: attention to 512 keys is 1.02 to 1.03 times as fast
/// without turns.
static bool isOfFewTurns(tile::KernelOp kernel) {
  constexpr uint64_t few = 4;
  auto loops = kernel.getGrid().getBody().getOps<scf::ForOp>();
  return loops.empty() || llvm::any_of(loops, [](scf::ForOp loop) {
           std::optional<llvm::APInt> turns = loop.getStaticTripCount();
           return turns && turns->ule(few);
         });
}

/// f32 may be rounded to tf32 where all operands lie along the depth; where only some do, as of attention, a warp's
/// instructions multiply those.
static DotKind kindOf(ArrayRef<tile::DotOp> dots, bool isOfRows, bool tf32) {
  Type element = tile::DotOp(dots.front()).getLhs().getType().getElementType();
  if (element.getIntOrFloatBitWidth() <= 16)
    return isOfRows && llvm::any_of(dots, isWidened) ? DotKind::Warp : DotKind::Warpgroup;
  if (!element.isF32() || !tf32 || llvm::none_of(dots, warp::isAlongDepth))
    return DotKind::Fma;
  return !isOfRows && llvm::all_of(dots, warp::isAlongDepth) ? DotKind::Warpgroup : DotKind::Warp;
}

static WarpSchedule chooseFor(tile::KernelOp kernel, const GpuArch &arch, bool tf32) {
  SmallVector<tile::DotOp> dots;
  kernel.walk([&](tile::DotOp dot) { dots.push_back(dot); });
  if (dots.empty())
    return chooseRowWarps(kernel.getGrid().getBody().front());
  // What one turn of the loop copies, and what is copied once: without a loop all of it.
  int64_t bytes = 0, outerBytes = tileBytesIn(kernel.getGrid().getBody().front());
  for (tile::DotOp dot : dots)
    if (auto loop = dot->getParentOfType<scf::ForOp>(); loop && bytes == 0)
      bytes = tileBytesIn(*loop.getBody());
  RankedTensorType sum = dots.front().getType();
  bool isOfRows = llvm::any_of(dots, [](tile::DotOp dot) { return comesFromDot(dot.getLhs()); });
  DotKind kind = kindOf(dots, isOfRows, tf32);
  int64_t columns = 0;
  for (tile::DotOp dot : dots)
    columns = std::max(columns, dot.getType().getDimSize(1));
  if (isOfRows) {
    bool isPlain = kernel.getGrid().getBody().getOps<tile::RedoOp>().empty();
    return chooseRowDotWarps(sum.getDimSize(0), columns, bytes, outerBytes, isPlain, kind, arch);
  }
  auto gemm = kernel->getAttrOfType<tile::GemmAttr>("tenon.schedule");
  return chooseDotWarps(sum.getDimSize(0), columns, bytes, outerBytes, exchangedBytesOf(kernel), kind, arch,
                        gemm ? gemm.getParts() : 1);
}

/// Whether TMA takes what the kernel's loops load: teams are handed their programs by a producer.
static bool fitsProducer(tile::KernelOp kernel) {
  WalkResult result = kernel.walk([&](tile::LoadOp load) {
    if (!load->getParentOfType<scf::ForOp>() || load.getType().getRank() != 2)
      return WalkResult::advance();
    std::optional<ViewMemory> memory = memoryOf(kernel, load.getView());
    int64_t elementBytes = load.getType().getElementTypeBitWidth() / 8;
    return memory && fitsTensorMap(*memory, elementBytes) ? WalkResult::advance() : WalkResult::interrupt();
  });
  return !result.wasInterrupted();
}

static bool isBoundByMemory(tile::KernelOp kernel, const GpuArch &arch) {
  auto of = [&](StringRef name) -> double {
    auto map = kernel->getAttrOfType<AffineMapAttr>(name);
    return map && map.getValue().isSingleConstant() ? double(map.getValue().getSingleConstantResult()) : 0;
  };
  bool isTf32 = false;
  kernel.walk([&](tile::DotOp dot) { isTf32 |= dot.getLhs().getType().getElementType().isF32(); });
  double flops = of("tenon.flops"), bytes = of("tenon.bytes");
  double peak = arch.peak(isTf32 ? arch.rates.tensorTf32 : arch.rates.tensor16);
  return flops > 0 && flops / peak < bytes / arch.memoryBytesPerSecond;
}

/// Where weights are what takes the time, they begin to come as soon as there is room. 0: the program's only loop has
/// none.
static int64_t earlySlots(tile::KernelOp kernel, const WarpSchedule &schedule, const llvm::BitVector &weights,
                          const GpuArch &arch) {
  auto loops = kernel.getGrid().getBody().getOps<scf::ForOp>();
  auto dots = llvm::hasSingleElement(loops) ? llvm::to_vector((*loops.begin()).getBody()->getOps<tile::DotOp>())
                                            : SmallVector<tile::DotOp>();
  if (dots.empty())
    return 0;
  int64_t weightBytes = 0, otherBytes = 0;
  for (auto load : (*loops.begin()).getBody()->getOps<tile::LoadOp>()) {
    std::optional<ViewMemory> memory = memoryOf(kernel, load.getView());
    bool isWeight = memory && memory->argument < weights.size() && weights[memory->argument];
    (isWeight ? weightBytes : otherBytes) += bytesOf(load.getType());
  }
  std::optional<llvm::APInt> turns = (*loops.begin()).getStaticTripCount();
  if (weightBytes == 0)
    return 0;
  int64_t outerBytes = tileBytesIn(kernel.getGrid().getBody().front());
  return chooseEarlySlots(schedule, dots[0].getType().getDimSize(0), turns ? turns->getSExtValue() : schedule.stages,
                          weightBytes, otherBytes, outerBytes, exchangedBytesOf(kernel), arch);
}

namespace {
struct ChooseWarpSchedules : tenon::impl::ChooseWarpSchedulesPassBase<ChooseWarpSchedules> {
  using ChooseWarpSchedulesPassBase::ChooseWarpSchedulesPassBase;
  void runOnOperation() override {
    FailureOr<const GpuArch *> arch = gpuNamed(getOperation(), this->arch);
    if (failed(arch))
      return signalPassFailure();
    FailureOr<HandSchedules> byHand = readHandSchedules(getOperation(), schedules);
    if (failed(byHand))
      return signalPassFailure();
    WeightOperands weights = findWeightOperands(getOperation());
    llvm::StringSet<> names;
    getOperation()->walk([&](tile::KernelOp kernel) {
      names.insert(kernel.getName());
      if (Attribute schedule = byHand->warp.lookup(kernel.getName()))
        kernel->setAttr("warp.schedule", schedule);
      if (kernel->hasAttr("warp.schedule"))
        return;
      WarpSchedule chosen = chooseFor(kernel, **arch, tf32);
      if (chosen.teams > 1 && !fitsProducer(kernel))
        chosen.teams = 1;
      if (chosen.wgmma && chosen.teams == 1 && isBoundByMemory(kernel, **arch))
        chosen.early = earlySlots(kernel, chosen, weights.lookup(kernel), **arch);
      // Warpgroups that look at no maxima fall into step, unless they begin their dots in turns.
      auto attention = kernel->getAttrOfType<tile::AttentionAttr>("tenon.schedule");
      bool turns = attention && attention.getMaximum() == tile::Maximum::First && chosen.wgmma && chosen.warpsM >= 8 &&
                   !isOfFewTurns(kernel);
      // A tile by hand may be larger than all warps of a CTA can hold.
      auto refuse = [&] {
        InFlightDiagnostic error = kernel.emitError();
        error << "@" << kernel.getName() << " has tiles too large for a CTA; choose smaller ones: ";
        return error;
      };
      if (failed(warp::ScheduleAttr::verify(refuse, chosen.warpsM, chosen.warpsN, chosen.stages, tf32, chosen.wgmma,
                                            chosen.wgmma, chosen.outerStages, turns, chosen.cluster, chosen.teams,
                                            chosen.early, chosen.resident)))
        return signalPassFailure();
      kernel->setAttr("warp.schedule",
                      warp::ScheduleAttr::get(&getContext(), chosen.warpsM, chosen.warpsN, chosen.stages, tf32,
                                              chosen.wgmma, chosen.wgmma, chosen.outerStages, turns, chosen.cluster,
                                              chosen.teams, chosen.early, chosen.resident));
    });
    if (failed(checkHandNames(getOperation(), schedules, byHand->warp, names,
                              "on tiles; tenon-compile --to=tile shows them")))
      signalPassFailure();
  }
};
} // namespace
