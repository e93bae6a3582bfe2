// PTX is made of @kernels as it is, and the launch plan of the attributes of its functions: whatever a pass left undone
// would surface there without a name. Here it has one.
#include "dialects/Tenon/Tenon.h"
#include "passes/6_ptx/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

namespace tenon {
#define GEN_PASS_DEF_VERIFYPTXPASS
#include "passes/6_ptx/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static LogicalResult verifyOps(ModuleOp kernels) {
  WalkResult walked = kernels.walk([&](Operation *op) {
    if (op == kernels.getOperation() || isa_and_nonnull<LLVM::LLVMDialect, NVVM::NVVMDialect>(op->getDialect()))
      return WalkResult::advance();
    auto function = op->getParentOfType<LLVM::LLVMFuncOp>();
    op->emitOpError("is left in ")
        << (function ? "kernel @" + function.getSymName() : StringRef("module @kernels")).str()
        << " after phase ptx; only llvm and nvvm have a translation, lower it in phase thread or in passes/6_ptx";
    return WalkResult::interrupt();
  });
  return failure(walked.wasInterrupted());
}

/// How many dims there are, where the parameters are those of docs/pipeline.md, "Calling a GPU kernel".
static FailureOr<unsigned> verifyParameters(LLVM::LLVMFuncOp kernel) {
  auto address = LLVM::LLVMPointerType::get(kernel.getContext(), 1);
  ArrayRef<Type> types = kernel.getArgumentTypes();
  size_t at = 0;
  auto take = [&](llvm::function_ref<bool()> fits) {
    size_t first = at;
    while (at < types.size() && fits())
      ++at;
    return at - first;
  };
  auto isAddress = [&] { return types[at] == address; };
  size_t addresses = take(isAddress), dims = take([&] { return types[at].isInteger(64); });
  bool hasWorkspace = dims ? take(isAddress) == 1 : addresses > 0; // without dims it is the last address
  take([&] { return kernel.getArgAttr(at, LLVM::LLVMDialect::getByValAttrName()) != nullptr; });
  if (!hasWorkspace || at != types.size())
    return kernel.emitError("kernel @") << kernel.getSymName() << " has the parameters " << kernel.getFunctionType()
                                        << ", expected the addresses of its operands and results (!llvm.ptr<1>), an "
                                           "i64 a dim, a workspace (!llvm.ptr<1>), and tensor maps by value";
  return dims;
}

static LogicalResult verifyKernel(LLVM::LLVMFuncOp kernel) {
  auto wrong = [&] { return kernel.emitError("kernel @") << kernel.getSymName(); };
  FailureOr<unsigned> dims = verifyParameters(kernel);
  if (failed(dims))
    return failure();
  auto grid = kernel->getAttrOfType<AffineMapAttr>("tenon.grid");
  if (!grid || grid.getValue().getNumResults() != 3 || grid.getValue().getNumInputs() > *dims)
    return wrong() << " has no `tenon.grid`, a map of its " << *dims
                   << " dims to three numbers of CTAs; phase thread sets it";
  auto block = kernel->getAttrOfType<DenseI64ArrayAttr>("tenon.block");
  if (!block || block.size() != 3)
    return wrong() << " has no `tenon.block`, three numbers of threads; phase thread sets it";
  auto required = kernel->getAttrOfType<DenseI32ArrayAttr>("nvvm.reqntid");
  SmallVector<int64_t> threads;
  if (required)
    threads.append(required.asArrayRef().begin(), required.asArrayRef().end());
  threads.resize(3, 1);
  if (!required || ArrayRef<int64_t>(threads) != block.asArrayRef())
    return wrong() << " needs the `nvvm.reqntid` that repeats its `tenon.block`: ptxas counts registers by it";
  return success();
}

static LogicalResult verifyPtx(ModuleOp module) {
  if (auto main = module.lookupSymbol<func::FuncOp>("main"))
    for (auto kernel : main.getOps<KernelOp>())
      return kernel.emitOpError("@") << kernel.getKernelName()
                                     << " is left in place after phase ptx: it became no function of one thread; phase "
                                        "thread has to make one";
  auto kernels = module.lookupSymbol<ModuleOp>("kernels");
  if (!kernels)
    return success();
  if (failed(verifyOps(kernels)))
    return failure();
  for (auto function : kernels.getOps<LLVM::LLVMFuncOp>())
    if (function->hasAttr(NVVM::NVVMDialect::getKernelFuncAttrName()) && failed(verifyKernel(function)))
      return failure();
  return success();
}

namespace {
struct VerifyPtx : tenon::impl::VerifyPtxPassBase<VerifyPtx> {
  void runOnOperation() override {
    if (failed(verifyPtx(getOperation())))
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
