#include "test/unit/ThreadsOnCpu.h"

#include "dialects/Tenon/Tenon.h"
#include "lib/Pipelines/Phases.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace tenon::test {
namespace {

/// The CPU's kernels have other names: some of these are the C library's.
std::string nameOnCpu(StringRef kernel) { return (kernel + "_on_threads").str(); }

/// The function on the CPU in the place of `kernel`.
LogicalResult replace(LLVM::LLVMFuncOp kernel) {
  Block &old = kernel.getBody().front();
  auto grid = kernel->getAttrOfType<AffineMapAttr>("tenon.grid");
  auto block = kernel->getAttrOfType<DenseI64ArrayAttr>("tenon.block");
  if (!kernel.getBody().hasOneBlock() || !grid || grid.getValue().getNumResults() != 3 || !block || block.size() != 3)
    return kernel.emitError("is no kernel of one block of code with `tenon.grid` and `tenon.block`");
  ImplicitLocOpBuilder b(kernel.getLoc(), OpBuilder(kernel));
  Type pointer = LLVM::LLVMPointerType::get(b.getContext()), number = b.getI64Type();
  auto made = LLVM::LLVMFuncOp::create(b, nameOnCpu(kernel.getSymName()),
                                       LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                                                   {pointer, pointer, number, number, pointer}));
  for (StringRef attribute : {"tenon.scratch_bytes", "tenon.flops", "tenon.bytes", "tenon.sources"})
    if (Attribute value = kernel->getDiscardableAttr(attribute))
      made->setAttr(attribute, value);
  made->setAttr("tenon.grid", AffineMapAttr::get(grid.getValue().getSubMap({0})));
  b.setInsertionPointToStart(made.addEntryBlock(b));
  auto element = [&](unsigned array, Type type, int32_t at) -> Value {
    Value address = LLVM::GEPOp::create(b, pointer, type, made.getArgument(array), LLVM::GEPArg(at));
    return LLVM::LoadOp::create(b, type, address);
  };
  int32_t buffers = 0, dims = 0;
  for (BlockArgument argument : old.getArguments()) {
    bool isWorkspace = argument.getArgNumber() + 1 == old.getNumArguments();
    Value value = isWorkspace                    ? made.getArgument(4)
                  : argument.getType() == number ? element(1, number, dims++)
                                                 : element(0, pointer, buffers++);
    if (argument.getType() != value.getType())
      value = LLVM::AddrSpaceCastOp::create(b, argument.getType(), value);
    argument.replaceAllUsesWith(value);
  }
  auto constant = [&](int64_t value) -> Value { return arith::ConstantOp::create(b, b.getI64IntegerAttr(value)); };
  auto blocks = scf::ForOp::create(b, made.getArgument(2), made.getArgument(3), constant(1));
  LLVM::ReturnOp::create(b, ValueRange());
  b.setInsertionPointToStart(blocks.getBody());
  auto threads = scf::ForOp::create(b, constant(0), constant(block[0]), constant(1));
  b.setInsertionPointToStart(threads.getBody());
  Value thread = arith::TruncIOp::create(b, b.getI32Type(), threads.getInductionVar());
  Value task = arith::TruncIOp::create(b, b.getI32Type(), blocks.getInductionVar());
  old.getTerminator()->erase();
  Block *body = threads.getBody();
  body->getOperations().splice(std::prev(body->end()), old.getOperations());
  made.walk([&](Operation *op) {
    if (!isa<NVVM::ThreadIdXOp, NVVM::BlockIdXOp>(op))
      return;
    op->getResult(0).replaceAllUsesWith(isa<NVVM::ThreadIdXOp>(op) ? thread : task);
    op->erase();
  });
  kernel.erase();
  return success();
}

} // namespace

LogicalResult runThreadsOnCpu(ModuleOp module) {
  auto kernels = module.lookupSymbol<ModuleOp>("kernels");
  if (!kernels)
    return success();
  for (auto function : llvm::make_early_inc_range(kernels.getOps<LLVM::LLVMFuncOp>()))
    if (failed(replace(function)))
      return failure();
  module.walk([](LaunchOp launch) {
    auto leaf = FlatSymbolRefAttr::get(launch.getContext(), nameOnCpu(launch.getCallee().getLeafReference()));
    launch.setCalleeAttr(SymbolRefAttr::get(launch.getContext(), "kernels", {leaf}));
  });
  return success();
}

LogicalResult runPasses(ModuleOp module, const std::string &pipeline) {
  static const bool registered = [] {
    registerTransformsPasses();
    registerPasses();
    return true;
  }();
  PassManager manager(module.getContext());
  return success(registered && succeeded(parsePassPipeline(pipeline, manager)) && succeeded(manager.run(module)));
}

LogicalResult takeGeneralPath(ModuleOp module) {
  return runPasses(module, "tenon-phases{from=graph to=kernel}, tenon-resolve-sizes, tenon-expand-attention, "
                           "tenon-split-kernels, canonicalize, cse, tenon-resolve-sizes, tenon-thread-general-kernels, "
                           "canonicalize, cse");
}

std::string onThreads(const std::string &text) {
  DialectRegistry registry;
  registerDialects(registry);
  MLIRContext context(registry);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  std::string lowered;
  if (module && succeeded(takeGeneralPath(*module)) && succeeded(runThreadsOnCpu(*module)))
    llvm::raw_string_ostream(lowered) << *module;
  return lowered;
}

} // namespace tenon::test
