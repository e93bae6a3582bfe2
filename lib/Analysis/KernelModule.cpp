#include "lib/Analysis/KernelModule.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace tenon {

SmallVector<KernelOp> kernelsOf(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  return main ? llvm::to_vector(main.getOps<KernelOp>()) : SmallVector<KernelOp>();
}

FailureOr<ModuleOp> makeKernelModule(ModuleOp module) {
  if (Operation *taken = module.lookupSymbol("kernels"))
    return taken->emitError("the symbol @kernels is taken; the compiler puts the kernels' functions there");
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  return ModuleOp::create(builder, module.getLoc(), "kernels");
}

FailureOr<ModuleOp> kernelModuleOf(ModuleOp module) {
  if (auto made = module.lookupSymbol<ModuleOp>("kernels"))
    return made;
  return makeKernelModule(module);
}

ArrayAttr sourcesOf(KernelOp kernel) {
  llvm::SetVector<Attribute> sources;
  kernel.getLoc()->walk([&](Location location) {
    auto named = dyn_cast<NameLoc>(location);
    auto file = dyn_cast<FileLineColLoc>(named ? named.getChildLoc() : location);
    if (!file)
      return WalkResult::advance();
    std::string text = (file.getFilename().getValue() + ":" + Twine(file.getLine())).str();
    if (named)
      text += (" (" + named.getName().getValue() + ")").str();
    sources.insert(StringAttr::get(kernel.getContext(), text));
    return named ? WalkResult::skip() : WalkResult::advance();
  });
  return ArrayAttr::get(kernel.getContext(), sources.getArrayRef());
}

void replaceByLaunch(KernelOp kernel, StringRef symbol) {
  OpBuilder builder(kernel);
  auto callee =
      SymbolRefAttr::get(builder.getContext(), "kernels", {FlatSymbolRefAttr::get(builder.getContext(), symbol)});
  auto launch = LaunchOp::create(builder, kernel.getLoc(), kernel.getResultTypes(), callee, kernel.getInputs());
  if (Attribute shapes = kernel->getAttr("tenon.result_shapes"))
    launch->setAttr("tenon.result_shapes", shapes);
  kernel.replaceAllUsesWith(launch.getResults());
  kernel.erase();
}

} // namespace tenon
