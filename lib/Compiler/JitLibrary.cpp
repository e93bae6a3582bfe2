// The kernels of relocatable objects in this process, by ORC: no file, no linker, ready in milliseconds.
#include "lib/Compiler/Compiler.h"

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"

namespace tenon {
namespace {
class JitLibrary : public KernelLibrary {
public:
  explicit JitLibrary(std::unique_ptr<llvm::orc::LLJIT> jit) : jit(std::move(jit)) {}
  void *lookup(const std::string &symbol) override {
    llvm::Expected<llvm::orc::ExecutorAddr> address = jit->lookup(symbol);
    if (!address) {
      llvm::consumeError(address.takeError());
      return nullptr;
    }
    return address->toPtr<void *>();
  }

private:
  std::unique_ptr<llvm::orc::LLJIT> jit;
};
} // namespace

Result<std::shared_ptr<KernelLibrary>> loadObjects(const std::vector<std::string> &objects) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>> jit = llvm::orc::LLJITBuilder().create();
  if (!jit)
    return internalError("no JIT on this machine: " + llvm::toString(jit.takeError()));
  for (const std::string &object : objects)
    if (llvm::Error error = (*jit)->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(object, "kernels")))
      return internalError("the kernels do not load: " + llvm::toString(std::move(error)));
  return std::shared_ptr<KernelLibrary>(std::make_shared<JitLibrary>(std::move(*jit)));
}

} // namespace tenon
