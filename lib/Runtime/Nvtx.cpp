#include "lib/Runtime/Nvtx.h"

#include <cstdlib>
#include <dlfcn.h>

namespace tenon {

const NvtxRange::Functions &NvtxRange::functions() {
  static const Functions found = [] {
    Functions functions;
    const char *given = std::getenv("TENON_NVTX");
    void *library = ::dlopen(given && *given ? given : "libnvToolsExt.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library)
      return functions;
    functions.pop = reinterpret_cast<int (*)()>(::dlsym(library, "nvtxRangePop"));
    if (functions.pop)
      functions.push = reinterpret_cast<int (*)(const char *)>(::dlsym(library, "nvtxRangePushA"));
    return functions;
  }();
  return found;
}

} // namespace tenon
