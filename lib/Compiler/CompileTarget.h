// What a model is compiled for: a processor, or a GPU, as the user names it.
#pragma once

#include "lib/Compiler/CodeGeneration.h"
#include "lib/Pipelines/Phases.h"

namespace tenon {

struct CompileTarget {
  CpuTarget cpu;                ///< where there is no GPU
  const GpuArch *gpu = nullptr; ///< null: a CPU
  bool isSimulated = false;     ///< the GPU is the device simulator

  /// "cpu" (this machine), "cpu:<llvm name>", the name of a GPU architecture ("sm_90a"), "sim:<one>" for the device
  /// simulator, or "cuda": that of this machine's first GPU.
  static Result<CompileTarget> parse(const std::string &text);
  /// As the launch plan has it: "cpu:znver4", "cuda:sm_90a" (also where it is simulated).
  std::string name() const { return gpu ? std::string("cuda:") + gpu->name : "cpu:" + cpu.cpu; }
  PhaseOptions phaseOptions() const;
};

} // namespace tenon
