// Debian builds LLVM with Polly linked in, and its static libLLVMLTO, which lld's archive needs, asks for Polly's
// passes by name; the library with them is no part of the packages here. Link-time optimisation, the only one to ask,
// never runs: lld gets machine code. So there are no such passes.
#include "llvm/Plugins/PassPlugin.h"

llvm::PassPluginLibraryInfo getPollyPluginInfo();
llvm::PassPluginLibraryInfo getPollyPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "Polly", "absent", [](llvm::PassBuilder &) {}, nullptr};
}
