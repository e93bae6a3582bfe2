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

std::string phaseNames() {
  return llvm::join(llvm::map_range(allPhases, [](Phase phase) { return name(phase); }), ", ");
}

std::string unknownPhaseText(StringRef given) {
  return "phase '" + given.str() + "' is unknown; a phase is one of " + phaseNames();
}

std::string backwardPhasesText(StringRef from, StringRef to) {
  return "phase '" + to.str() + "' comes before '" + from.str() + "'; phases run in the order " + phaseNames();
}

void buildPhase(OpPassManager &manager, Phase phase, const PhaseOptions &options) {
  switch (phase) {
  case Phase::graph:
    return buildGraphPhase(manager, options);
  case Phase::kernel:
    return buildKernelPhase(manager, options);
  case Phase::cpu:
    return buildCpuPhase(manager, options);
  case Phase::llvm:
    return buildLlvmPhase(manager, options);
  }
}

} // namespace tenon
