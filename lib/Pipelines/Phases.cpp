#include "lib/Pipelines/Phases.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"

using namespace mlir;

namespace tenon {

StringRef name(Phase phase) {
  switch (phase) {
  case Phase::graph:
    return "graph";
  case Phase::kernel:
    return "kernel";
  case Phase::tile:
    return "tile";
  case Phase::warp:
    return "warp";
  case Phase::thread:
    return "thread";
  case Phase::ptx:
    return "ptx";
  case Phase::cpu:
    return "cpu";
  case Phase::llvm:
    return "llvm";
  }
  llvm_unreachable("a phase has a name");
}

std::optional<Phase> parsePhase(StringRef text) {
  for (Phase phase : allPhases)
    if (text == name(phase))
      return phase;
  return std::nullopt;
}

static std::string namesOf(ArrayRef<Phase> phases) {
  return llvm::join(llvm::map_range(phases, [](Phase phase) { return name(phase); }), ", ");
}

ArrayRef<Phase> phasesOf(const PhaseOptions &options) {
  static const Phase ofCpu[] = {Phase::graph, Phase::kernel, Phase::cpu, Phase::llvm};
  static const Phase ofGpu[] = {Phase::graph, Phase::kernel, Phase::tile, Phase::warp, Phase::thread, Phase::ptx};
  return options.gpu ? ArrayRef<Phase>(ofGpu).drop_back(options.isSimulated ? 1 : 0) : ArrayRef<Phase>(ofCpu);
}

static std::string machineText(const PhaseOptions &options) {
  return options.gpu ? std::string(options.isSimulated ? "simulated GPU (" : "GPU (") + options.gpu->name + ")"
                     : std::string("CPU");
}

Result<Phase> findPhase(StringRef text, const PhaseOptions &options) {
  std::optional<Phase> phase = parsePhase(text);
  if (!phase)
    return invalidArgument("phase '" + text.str() + "' is unknown; on a " + machineText(options) +
                           " a phase is one of " + namesOf(phasesOf(options)));
  if (llvm::is_contained(phasesOf(options), *phase))
    return *phase;
  return invalidArgument("phase '" + text.str() + "' is none of a " + machineText(options) + ", which has " +
                         namesOf(phasesOf(options)) + "; " +
                         (options.gpu ? "a CPU has it" : "a GPU has it: name one as target, sm_90a say"));
}

Status backwardPhases(StringRef from, StringRef to, const PhaseOptions &options) {
  return invalidArgument("phase '" + to.str() + "' comes before '" + from.str() + "'; phases run in the order " +
                         namesOf(phasesOf(options)));
}

void buildPhase(OpPassManager &manager, Phase phase, const PhaseOptions &options) {
  switch (phase) {
  case Phase::graph:
    return buildGraphPhase(manager, options);
  case Phase::kernel:
    return buildKernelPhase(manager, options);
  case Phase::tile:
    return buildTilePhase(manager, options);
  case Phase::warp:
    return buildWarpPhase(manager, options);
  case Phase::thread:
    return buildThreadPhase(manager, options);
  case Phase::ptx:
    return buildPtxPhase(manager, options);
  case Phase::cpu:
    return buildCpuPhase(manager, options);
  case Phase::llvm:
    return buildLlvmPhase(manager, options);
  }
}

} // namespace tenon
