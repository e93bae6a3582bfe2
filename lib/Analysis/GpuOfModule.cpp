#include "lib/Analysis/GpuOfModule.h"

using namespace mlir;

namespace tenon {

FailureOr<const GpuArch *> gpuNamed(Operation *op, StringRef name) {
  Result<const GpuArch *> found = findGpuArch(std::string_view(name.data(), name.size()));
  if (found.ok())
    return *found;
  return op->emitError(found.status().message());
}

} // namespace tenon
