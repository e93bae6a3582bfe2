// What a tool registers before it reads IR or a pass name.
#include "dialects/Ptx/Ptx.h"
#include "dialects/Tenon/Tenon.h"
#include "dialects/Tile/Tile.h"
#include "dialects/Warp/Warp.h"
#include "lib/Pipelines/Phases.h"
#include "passes/1_graph/Passes.h"
#include "passes/2_kernel/Passes.h"
#include "passes/3_tile/Passes.h"
#include "passes/4_warp/Passes.h"
#include "passes/5_thread/Passes.h"
#include "passes/6_ptx/Passes.h"
#include "passes/cpu/Passes.h"
#include "passes/host/Passes.h"
#include "passes/sim/Passes.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"

using namespace mlir;

namespace tenon {
namespace {
struct PhasesPipelineOptions : PassPipelineOptions<PhasesPipelineOptions> {
  Option<std::string> from{*this, "from", llvm::cl::desc("first phase"), llvm::cl::init("graph")};
  Option<std::string> to{*this, "to", llvm::cl::desc("last phase; empty: the target's last")};
  Option<std::string> cpu{*this, "cpu", llvm::cl::desc("LLVM name of the processor; empty: this machine's")};
  Option<std::string> gpu{*this, "gpu", llvm::cl::desc("the GPU compiled for, as sm_90a; empty: a CPU")};
};

Status addPhases(OpPassManager &manager, const PhasesPipelineOptions &given) {
  PhaseOptions options;
  options.cpu = given.cpu;
  if (!given.gpu.empty()) {
    TENON_TRY_ASSIGN(options.gpu, findGpuArch(given.gpu));
  }
  ArrayRef<Phase> phases = phasesOf(options);
  TENON_TRY_ASSIGN(Phase first, findPhase(given.from, options));
  Phase last = phases.back();
  if (!given.to.empty()) {
    TENON_TRY_ASSIGN(last, findPhase(given.to, options));
  }
  if (last < first)
    return backwardPhases(given.from, given.to, options);
  for (Phase phase : phases)
    if (first <= phase && phase <= last)
      buildPhase(manager, phase, options);
  return {};
}
} // namespace

void registerDialects(DialectRegistry &registry) {
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAllToLLVMIRTranslations(registry);
  registry.insert<TenonDialect, ptx::PtxDialect, tile::TileDialect, warp::WarpDialect>();
}

void registerPasses() {
  registerTenonCpuPasses();
  registerTenonGraphPasses();
  registerTenonHostPasses();
  registerTenonKernelPasses();
  registerTenonPtxPasses();
  registerTenonSimPasses();
  registerTenonThreadPasses();
  registerTenonTilePasses();
  registerTenonWarpPasses();
  PassPipelineRegistration<PhasesPipelineOptions>(
      "tenon-phases", "a range of phases, each as the compiler runs it",
      [](OpPassManager &manager, const PhasesPipelineOptions &options) {
        if (Status added = addPhases(manager, options); !added.ok())
          llvm::report_fatal_error("tenon-phases: " + Twine(added.message()), /*gen_crash_diag=*/false);
      });
}

} // namespace tenon
