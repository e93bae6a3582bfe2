// A tenon.kernel stands where it is used and computes on tensors; what runs is a function on addresses. This pass makes
// one function of all kernels of a name, whose boundary says how tensors lie in memory (BufferStorage.h), and leaves a
// launch in its place. The inside stays tensors: the passes after this one turn whole functions into loops.
#include "lib/Analysis/KernelModule.h"
#include "passes/cpu/BufferStorage.h"
#include "passes/cpu/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"

namespace tenon {
#define GEN_PASS_DEF_CPUOUTLINEKERNELSPASS
#include "passes/cpu/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

/// Whether generated code may call a function of this name: a kernel that has it would be called in its place.
static bool isLibraryFunction(StringRef name) {
  auto isNamed = [](StringRef name) {
    return llvm::StringSwitch<bool>(name)
        .Cases({"acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "cos", "cosh"}, true)
        .Cases({"erf", "erfc", "exp", "exp2", "expm1", "fabs", "floor", "fma", "fmod", "log", "log10"}, true)
        .Cases({"log1p", "log2", "pow", "round", "roundeven", "sin", "sinh", "sqrt", "tan", "tanh", "trunc"}, true)
        .Cases({"memcpy", "memmove", "memset"}, true)
        .Default(false);
  };
  return isNamed(name) || (name.consume_back("f") && isNamed(name)); // expf
}

/// The name of the kernel's function.
static std::string symbolOf(KernelOp kernel) {
  StringRef name = kernel.getKernelName();
  return isLibraryFunction(name) ? (name + "_kernel").str() : name.str();
}

static FailureOr<SmallVector<Type>> argumentTypes(KernelOp kernel) {
  SmallVector<Type> types;
  auto add = [&](Type type) -> LogicalResult {
    MemRefType buffer = bufferTypeOf(cast<RankedTensorType>(type));
    if (!buffer)
      return kernel.emitOpError("@") << kernel.getKernelName() << " reads or writes " << type
                                     << ": i4 tensors of a dynamic shape need an even innermost size, as two elements "
                                        "share a byte; pad that dimension";
    types.push_back(buffer);
    return success();
  };
  for (Type type : kernel.getInputs().getTypes())
    if (failed(add(type)))
      return failure();
  for (Type type : kernel.getResultTypes())
    if (failed(add(type)))
      return failure();
  Type index = IndexType::get(kernel.getContext());
  types.append({index, index, MemRefType::get({ShapedType::kDynamic}, IntegerType::get(kernel.getContext(), 8))});
  return types;
}

static LogicalResult outline(KernelOp kernel, OpBuilder &module) {
  FailureOr<SmallVector<Type>> types = argumentTypes(kernel);
  if (failed(types))
    return failure();
  ImplicitLocOpBuilder b(kernel.getLoc(), module);
  auto function = func::FuncOp::create(b, symbolOf(kernel), b.getFunctionType(*types, {}));
  for (NamedAttribute attribute : kernel->getDiscardableAttrs())
    if (attribute.getName() != "tenon.result_shapes")
      function->setAttr(attribute.getName(), attribute.getValue());
  function->setAttr("tenon.kernel", b.getUnitAttr());
  if (ArrayAttr sources = sourcesOf(kernel); !sources.empty())
    function->setAttr("tenon.sources", sources);

  b.setInsertionPointToStart(function.addEntryBlock());
  IRMapping mapping;
  for (auto [argument, inner] : llvm::zip(function.getArguments(), kernel.getBody().getArguments())) {
    auto type = cast<RankedTensorType>(inner.getType());
    auto buffer = cast<MemRefType>(argument.getType());
    Value stored = bufferization::ToTensorOp::create(
        b, RankedTensorType::get(buffer.getShape(), buffer.getElementType()), argument, /*restrict=*/true);
    mapping.map(inner, unpackElements(b, stored, type));
  }
  for (Operation &op : kernel.getBlock().without_terminator())
    b.clone(op, mapping);
  for (auto [buffer, yielded] :
       llvm::zip(function.getArguments().drop_front(kernel.getNumOperands()), kernel.getYielded()))
    bufferization::MaterializeInDestinationOp::create(b, Type(), packElements(b, mapping.lookup(yielded)), buffer,
                                                      /*restrict=*/true, /*writable=*/true);
  func::ReturnOp::create(b);
  return success();
}

static LogicalResult outlineKernels(ModuleOp module) {
  SmallVector<KernelOp> kernels = kernelsOf(module);
  if (kernels.empty())
    return success();
  FailureOr<ModuleOp> home = makeKernelModule(module);
  if (failed(home))
    return failure();
  OpBuilder inside = OpBuilder::atBlockEnd(home->getBody());
  llvm::StringSet<> done;
  for (KernelOp kernel : kernels) {
    std::string symbol = symbolOf(kernel);
    if (done.insert(symbol).second && failed(outline(kernel, inside)))
      return failure();
    replaceByLaunch(kernel, symbol);
  }
  return success();
}

namespace {
struct OutlineKernels : tenon::impl::CpuOutlineKernelsPassBase<OutlineKernels> {
  void runOnOperation() override {
    if (failed(outlineKernels(getOperation())))
      signalPassFailure();
  }
};
} // namespace
