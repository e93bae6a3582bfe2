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
  Option<std::string> to{*this, "to", llvm::cl::desc("last phase"), llvm::cl::init("llvm")};
  Option<std::string> cpu{*this, "cpu", llvm::cl::desc("LLVM name of the processor; empty: this machine's")};
};
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
  registerTenonSimPasses();
  registerTenonThreadPasses();
  registerTenonTilePasses();
  registerTenonWarpPasses();
  PassPipelineRegistration<PhasesPipelineOptions>(
      "tenon-phases", "a range of phases, each as the compiler runs it",
      [](OpPassManager &manager, const PhasesPipelineOptions &options) {
        std::optional<Phase> from = parsePhase(options.from), to = parsePhase(options.to);
        auto refuse = [](const std::string &why) {
          llvm::report_fatal_error("tenon-phases: " + Twine(why), /*gen_crash_diag=*/false);
        };
        if (!from || !to)
          refuse(unknownPhaseText(from ? options.to : options.from));
        if (*to < *from)
          refuse(backwardPhasesText(options.from, options.to));
        PhaseOptions phaseOptions;
        phaseOptions.cpu = options.cpu;
        for (Phase phase : allPhases)
          if (*from <= phase && phase <= *to)
            buildPhase(manager, phase, phaseOptions);
      });
}

} // namespace tenon
