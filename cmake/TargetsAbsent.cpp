// lld starts every target that LLVM was built with, and so would pull some twenty code generators into a static link:
// half of the library. Tenon makes code for this kind of processor and for NVIDIA's GPUs; of the others the archives
// are left out (TenonTargets.cmake), and what lld and MLIR call does nothing.
#define ABSENT(target)                                                                                                 \
  extern "C" void LLVMInitialize##target##TargetInfo() {}                                                              \
  extern "C" void LLVMInitialize##target##Target() {}                                                                  \
  extern "C" void LLVMInitialize##target##TargetMC() {}                                                                \
  extern "C" void LLVMInitialize##target##AsmPrinter() {}                                                              \
  extern "C" void LLVMInitialize##target##AsmParser() {}

TENON_ABSENT_TARGETS
