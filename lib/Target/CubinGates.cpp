#include "lib/Target/CubinGates.h"

namespace tenon {
namespace {

Status gateFailure(const std::string &kernel, const GpuArch &arch, const char *gate, const std::string &what) {
  return internalError("kernel '" + kernel + "' for " + arch.name + " fails the gate " + gate + ": " + what);
}

Status checkSpills(const PtxasKernelInfo &info, const GpuArch &arch) {
  if (info.spillStoreBytes == 0 && info.spillLoadBytes == 0)
    return {};
  return gateFailure(info.name, arch, "no-spills",
                     std::to_string(info.spillStoreBytes) + " bytes of spill stores and " +
                         std::to_string(info.spillLoadBytes) + " of spill loads, expected 0, with " +
                         std::to_string(info.registers) +
                         " registers; choose a smaller tile a warp, or fewer threads "
                         "a block, so that a thread may have more registers");
}

/// What is known to cause a line.
std::string remedyOf(const std::string &line) {
  static const struct {
    const char *code, *remedy;
  } table[] = {
      {"(C7508)", "give the kernel nvvm.reqntid or nvvm.maxntid, without which setmaxnreg is ignored"},
      {"(C7513)", "write a register operand of wgmma only after the wait for the wgmma that reads it"},
      {"(C7514)", "touch accumulators only after wait_group 0"},
      {"(C7517)", "end the use of accumulators with wait_group 0"},
      {"(C7519)", "put wgmma.fence before the first wgmma of a group"},
  };
  for (const auto &row : table)
    if (line.find(row.code) != std::string::npos)
      return row.remedy;
  return "find what it names in the kernel's PTX";
}

/// A line belongs to the kernel it quotes; one that quotes none, to the first.
Status checkCodedLines(const PtxasLog &log, const GpuArch &arch, const std::vector<KernelExpectation> &expected) {
  for (const std::string &line : log.codedLines) {
    std::string kernel = expected.empty() ? "?" : expected.front().name;
    for (const KernelExpectation &candidate : expected)
      if (line.find("'" + candidate.name + "'") != std::string::npos)
        kernel = candidate.name;
    return gateFailure(kernel, arch, "no-coded-lines",
                       "ptxas says '" + line + "' (" + std::to_string(log.codedLines.size()) +
                           " such lines, expected 0); " + remedyOf(line));
  }
  return {};
}

Status checkSharedMemory(const PtxasKernelInfo &info, const GpuArch &arch, const KernelExpectation &expected) {
  if (expected.dynamicSharedBytes < 0)
    return gateFailure(info.name, arch, "shared-memory", "a launch with a negative number of bytes");
  if (info.sharedBytes <= arch.sharedBytesPerBlock &&
      expected.dynamicSharedBytes <= arch.sharedBytesPerBlock - info.sharedBytes)
    return {};
  return gateFailure(info.name, arch, "shared-memory",
                     std::to_string(info.sharedBytes) + " static and " + std::to_string(expected.dynamicSharedBytes) +
                         " dynamic bytes, a block has " + std::to_string(arch.sharedBytesPerBlock) +
                         "; choose fewer stages or a smaller tile");
}

Status checkTensorCore(const CubinFunction &code, const GpuArch &arch, const KernelExpectation &expected) {
  if (!expected.needsTensorCore || code.numTensorCore() > 0)
    return {};
  return gateFailure(code.name, arch, "tensor-core",
                     "it holds a contraction, but none of its " + std::to_string(code.numInstructions) +
                         " instructions runs on the Tensor Cores (" + std::to_string(code.count("FFMA")) +
                         " FFMA); choose a schedule with an mma atom, or ask for plain multiply-adds");
}

/// The loop of a product waits for slots and begins dots. A read or write of shared memory by threads between them
/// means that operands or sums go a way that no schedule asked for, at a fraction of the speed.
Status checkWarpgroupDots(const CubinFunction &code, const GpuArch &arch, const KernelExpectation &expected) {
  if (!expected.needsWarpgroups)
    return {};
  if (code.numWarpgroupDots() == 0)
    return gateFailure(
        code.name, arch, "warpgroup-dots",
        "its schedule has `wgmma = true`, but it has no HGMMA, IGMMA or QGMMA (" +
            std::to_string(code.numTensorCore()) +
            " other instructions of Tensor Cores); see which atom its dots have in the dump of phase warp");
  if (expected.isProduct && code.numSharedBetweenDots > 0)
    return gateFailure(code.name, arch, "async-loop",
                       std::to_string(code.numSharedBetweenDots) +
                           " reads and writes of shared memory by threads between its dots, expected 0; see in its PTX "
                           "what stands in the loop beside wgmma");
  return {};
}

} // namespace

Result<std::vector<KernelFacts>> checkCubin(std::string_view bytes, std::string_view logText, const GpuArch &arch,
                                            const std::vector<KernelExpectation> &expected) {
  TENON_TRY_ASSIGN(Cubin cubin, readCubin(bytes));
  TENON_TRY_ASSIGN(PtxasLog log, parsePtxasLog(logText));
  std::vector<KernelFacts> facts;
  for (const KernelExpectation &kernel : expected) {
    const CubinFunction *code = cubin.find(kernel.name);
    const PtxasKernelInfo *info = log.find(kernel.name);
    if (!code || !code->isKernel || !info)
      return corrupt("kernel '" + kernel.name + "' is not in the " +
                     (code && code->isKernel ? "log of ptxas" : "cubin") +
                     "; the PTX and the expectations belong to different kernels");
    if (!kernel.maySpill)
      TENON_TRY(checkSpills(*info, arch));
    TENON_TRY(checkSharedMemory(*info, arch, kernel));
    TENON_TRY(checkTensorCore(*code, arch, kernel));
    TENON_TRY(checkWarpgroupDots(*code, arch, kernel));
    facts.push_back({*info, *code});
  }
  TENON_TRY(checkCodedLines(log, arch, expected));
  return facts;
}

} // namespace tenon
