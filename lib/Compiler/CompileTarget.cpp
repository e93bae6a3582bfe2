#include "lib/Compiler/CompileTarget.h"

#include "lib/Runtime/CudaDevice.h"

#include "llvm/ADT/StringExtras.h"

namespace tenon {

static std::string archNames() {
  return llvm::join(llvm::map_range(gpuArchs(), [](const GpuArch &arch) { return arch.name; }), ", ");
}

/// The newest architecture whose code runs on the GPU: sm_90a on 9.0 alone, sm_86 on 8.7 too.
static Result<const GpuArch *> archOfMachine() {
  Result<std::shared_ptr<cuda::Device>> device = cuda::Device::open(0);
  if (!device.ok())
    return device.status().in("target 'cuda' is this machine's GPU; name one to compile without it, " + archNames());
  int capability = (*device)->capability();
  const GpuArch *best = nullptr;
  for (const GpuArch &arch : gpuArchs())
    if (arch.capability == capability ||
        (!arch.hasWgmma && arch.capability / 10 == capability / 10 && arch.capability < capability))
      best = &arch;
  if (!best)
    return unsupported("target 'cuda': " + (*device)->name() + " has compute capability " +
                       std::to_string(capability / 10) + "." + std::to_string(capability % 10) +
                       "; there is code for " + archNames());
  return best;
}

Result<CompileTarget> CompileTarget::parse(const std::string &text) {
  CompileTarget target;
  if (text == "cuda") {
    TENON_TRY_ASSIGN(target.gpu, archOfMachine());
    return target;
  }
  if (text.rfind("sim:", 0) == 0) {
    target.isSimulated = true;
    TENON_TRY_ASSIGN(target.gpu, findGpuArch(std::string_view(text).substr(4)));
    return target;
  }
  if (text.rfind("sm_", 0) == 0) {
    TENON_TRY_ASSIGN(target.gpu, findGpuArch(text));
    return target;
  }
  if (text != "cpu" && text.rfind("cpu:", 0) != 0)
    return invalidArgument("target '" + text + "' is unknown; it is 'cpu' (this machine), 'cpu:<llvm name>', 'cuda' " +
                           "(this machine's GPU), a GPU architecture, " + archNames() +
                           ", or one to simulate, 'sim:sm_90a'");
  TENON_TRY_ASSIGN(target.cpu, CpuTarget::parse(text));
  return target;
}

PhaseOptions CompileTarget::phaseOptions() const {
  PhaseOptions options;
  options.gpu = gpu;
  options.isSimulated = isSimulated;
  if (gpu)
    return options;
  options.cpu = cpu.cpu;
  options.features = cpu.features;
  options.vectorBits = cpu.vectorBits();
  return options;
}

} // namespace tenon
