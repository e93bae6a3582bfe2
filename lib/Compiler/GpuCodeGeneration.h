// @kernels in the llvm and nvvm dialects -> a cubin a kernel: PTX by LLVM in this process, shared out over threads,
// then ptxas, likewise, or the cache; every cubin passes the gates of lib/Target/CubinGates.h.
#pragma once

#include "lib/Target/CubinGeneration.h"

#include "mlir/IR/BuiltinOps.h"

#include <map>
#include <string>

namespace tenon {

struct GpuCodeOptions {
  std::string ptxas;                            ///< its path, or empty: looked for
  bool lineInfo = false;                        ///< cubins have the model's places, for profilers
  std::function<void(const std::string &)> log; ///< what goes wrong with the cache
  /// Gets the PTX of each kernel, with the model's places as comments, its LLVM IR, and what ptxas said; or null.
  std::function<Status(const std::string &file, const std::string &text)> dump;
};

struct GpuCode {
  std::map<std::string, std::string> cubins; ///< by kernel
  std::map<std::string, KernelFacts> facts;  ///< likewise
  /// Kernels without a cubin, and why: ptxas or a gate refused what another schedule may do.
  std::map<std::string, std::string> refused;
};

/// Errors: those of generatePtx, each led by its kernel; of several kernels, all in one.
Result<GpuCode> generateGpuCode(mlir::ModuleOp kernels, const GpuArch &arch, const GpuCodeOptions &options);

/// For the device simulator: the text of each kernel, with the model's places, in place of a cubin. Nothing is refused:
/// budgets were checked in phase warp, and ptxas is not asked.
GpuCode printKernels(mlir::ModuleOp kernels);

} // namespace tenon
