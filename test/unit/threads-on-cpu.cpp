// tenon-threads-on-cpu < model.mlir > threads.mlir: a model whose kernels are the code of GPU threads, as input of
// `tenon-compile --from=llvm`. Tests on the CPU run what a GPU would run (test/python/exec_cpu --threads).
#include "test/unit/ThreadsOnCpu.h"

#include "llvm/Support/raw_ostream.h"

#include <iostream>
#include <iterator>

int main() {
  std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  std::string lowered = tenon::test::onThreads(text);
  llvm::outs() << lowered;
  return lowered.empty();
}
