// Where the code of kernels comes from: a shared object in an artefact, or a JIT in the compiler's process. The runtime
// knows only this interface, so that it links no LLVM.
#pragma once

#include "lib/Support/Status.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tenon {

/// buffers: base pointers of operands, then results, dense row-major. dims: see PlanLaunch::dims. Runs the tasks
/// [first, last) of the grid. scratch: 64-byte aligned and this thread's own.
using KernelFunction = void (*)(void *const *buffers, const int64_t *dims, int64_t first, int64_t last, void *scratch);

class KernelLibrary {
public:
  virtual ~KernelLibrary() = default;
  /// The address of a kernel, or null. Valid as long as the library lives.
  virtual void *lookup(const std::string &symbol) = 0;
};

/// A shared object held in memory, never written to disk: memfd_create, then dlopen of /proc/self/fd/N. Only the
/// headers are checked before (ELF64, this machine, a shared object): code from an artefact is trusted like any
/// program.
Result<std::shared_ptr<KernelLibrary>> openSharedObject(std::string_view elf);

} // namespace tenon
