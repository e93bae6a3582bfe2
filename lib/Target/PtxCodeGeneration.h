// Kernels in the LLVM dialect (a gpu.module's body after the last lowering, or a builtin module) -> PTX text: LLVM IR,
// libdevice where it is called, LLVM's O3 pipeline and its NVPTX back end, all in this process.
#pragma once

#include "lib/Schedule/GpuArch.h"
#include "lib/Target/CudaToolkit.h"

#include "mlir/IR/Operation.h"

namespace tenon {

struct PtxOptions {
  /// Source locations: a `.loc` line, with file, line and column as a comment, where they change.
  bool wantLocations = false;
  /// The LLVM IR after optimisation too.
  bool wantIr = false;
  /// Where libdevice is looked for, only when it is called; and the ptxas it may lie beside.
  ToolkitPlaces places;
  std::string ptxas;
};

struct GeneratedPtx {
  std::string ptx, ir;
  std::vector<std::string> kernels; ///< names of the functions with nvvm.kernel, in order
};

/// `module` is left as it is. The same input gives the same text. Errors: InvalidArgument for what is no module of
/// kernels, or calls what nobody defines; Unsupported, with kernel and intrinsic, for what `arch` lacks; NotFound for
/// libdevice; Internal with LLVM's reason.
Result<GeneratedPtx> generatePtx(mlir::Operation *module, const GpuArch &arch, const PtxOptions &options);

} // namespace tenon
