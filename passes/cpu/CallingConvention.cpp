// A kernel is a function on memrefs; the runtime calls every kernel alike, with two arrays: addresses and sizes
// (docs/pipeline.md). Each kernel becomes two functions. The public one, of the runtime's signature, only unpacks the
// arrays. The private one does the tasks; its arguments are the addresses and sizes themselves, so that LLVM can be
// told of each address that it is aligned and that what is written through it is read through no other. What a launch
// at load reads may be a weight that lies anywhere in a file, and is aligned for its elements only.
#include "dialects/Tenon/Tenon.h"
#include "passes/cpu/KernelSizes.h"
#include "passes/cpu/LoadTime.h"
#include "passes/cpu/Passes.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tenon {
#define GEN_PASS_DEF_CPUCALLINGCONVENTIONPASS
#include "passes/cpu/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static constexpr int64_t alignment = 64;

/// The memref of `type` at `pointer`; `dims` gives its `?` in order and is moved past them.
static Value memrefAt(ImplicitLocOpBuilder &b, const LLVMTypeConverter &converter, MemRefType type, Value pointer,
                      ArrayRef<Value> &dims) {
  auto number = [&](int64_t value) -> Value {
    return LLVM::ConstantOp::create(b, b.getI64Type(), b.getI64IntegerAttr(value));
  };
  SmallVector<Value> sizes, strides(type.getRank());
  for (int64_t size : type.getShape()) {
    if (!ShapedType::isDynamic(size)) {
      sizes.push_back(number(size));
      continue;
    }
    sizes.push_back(dims.front());
    dims = dims.drop_front();
  }
  Value stride = number(1);
  for (int64_t dimension = type.getRank() - 1; dimension >= 0; --dimension) {
    strides[dimension] = stride;
    stride = LLVM::MulOp::create(b, stride, sizes[dimension]);
  }
  SmallVector<Value> fields = {pointer, pointer, number(0)};
  fields.append(sizes);
  fields.append(strides);
  Value descriptor = MemRefDescriptor::pack(b, b.getLoc(), converter, type, fields);
  return UnrealizedConversionCastOp::create(b, type, descriptor).getResult(0);
}

/// The public function: loads every address and every size, and calls `tasks`.
static void buildEntry(ImplicitLocOpBuilder &b, func::FuncOp entry, func::FuncOp tasks, size_t numBuffers,
                       size_t numDims) {
  b.setInsertionPointToStart(entry.addEntryBlock());
  auto element = [&](Value array, Type type, size_t index) -> Value {
    Value address = LLVM::GEPOp::create(b, array.getType(), type, array, LLVM::GEPArg(int32_t(index)));
    return LLVM::LoadOp::create(b, type, address);
  };
  ValueRange arguments = entry.getArguments();
  SmallVector<Value> operands;
  for (size_t index : llvm::seq(numBuffers))
    operands.push_back(element(arguments[0], arguments[0].getType(), index));
  operands.push_back(arguments[4]);
  for (size_t index : llvm::seq(numDims))
    operands.push_back(element(arguments[1], b.getI64Type(), index));
  operands.append({arguments[2], arguments[3]});
  func::CallOp::create(b, tasks, operands);
  func::ReturnOp::create(b);
}

/// How many operands each kernel that is launched at load has, by its name.
static llvm::StringMap<size_t> operandsAtLoad(ModuleOp module) {
  llvm::StringMap<size_t> found;
  module.walk([&](LaunchOp launch) {
    if (llvm::all_of(launch.getInputs(), [](Value input) { return isLoadTime(input); }))
      found[launch.getCallee().getLeafReference()] = launch.getInputs().size();
  });
  return found;
}

/// Gives `kernel`, a function on memrefs, the runtime's signature. Its first `numAnywhere` buffers are aligned for
/// their elements alone.
static void setCallingConvention(func::FuncOp kernel, size_t numAnywhere, const LLVMTypeConverter &converter) {
  ImplicitLocOpBuilder b(kernel.getLoc(), OpBuilder(kernel));
  Type pointer = LLVM::LLVMPointerType::get(b.getContext()), number = b.getI64Type();
  size_t numBuffers = kernelBuffers(kernel).size(), numDims = KernelSizes(kernel).numDims();

  SmallVector<Type> types(numBuffers + 1, pointer); // and the scratch memory
  types.append(numDims + 2, number);
  auto tasks = func::FuncOp::create(b, (kernel.getSymName() + ".tasks").str(), b.getFunctionType(types, {}));
  tasks.setPrivate();
  tasks->setAttr("llvm.linkage", LLVM::LinkageAttr::get(b.getContext(), LLVM::Linkage::Internal));
  // Inlined into its only caller, it would lose what is said of its arguments.
  tasks->setAttr("passthrough", b.getStrArrayAttr({"noinline"}));
  for (size_t index : llvm::seq(numBuffers + 1)) {
    tasks.setArgAttr(index, "llvm.noalias", b.getUnitAttr());
    if (index >= numAnywhere)
      tasks.setArgAttr(index, "llvm.align", b.getI64IntegerAttr(alignment));
  }

  auto entry =
      func::FuncOp::create(b, kernel.getSymName(), b.getFunctionType({pointer, pointer, number, number, pointer}, {}));
  for (NamedAttribute attribute : kernel->getDiscardableAttrs())
    if (attribute.getName() != "tenon.kernel")
      entry->setAttr(attribute.getName(), attribute.getValue());
  buildEntry(b, entry, tasks, numBuffers, numDims);

  Block *body = tasks.addEntryBlock();
  b.setInsertionPointToStart(body);
  ArrayRef<BlockArgument> arguments = tasks.getArguments();
  SmallVector<Value> dimValues(arguments.slice(numBuffers + 1, numDims));
  ArrayRef<Value> dims = dimValues;
  SmallVector<Value> replacements;
  for (auto [buffer, address] : llvm::zip(kernelBuffers(kernel), arguments))
    replacements.push_back(memrefAt(b, converter, cast<MemRefType>(buffer.getType()), address, dims));
  for (Value task : arguments.take_back(2))
    replacements.push_back(UnrealizedConversionCastOp::create(b, b.getIndexType(), task).getResult(0));
  // Nobody asks for the size of the scratch memory: it is what tenon.scratch_bytes says.
  Value unknown = LLVM::ConstantOp::create(b, number, b.getI64IntegerAttr(std::numeric_limits<int64_t>::max()));
  ArrayRef<Value> scratchDims = unknown;
  replacements.push_back(
      memrefAt(b, converter, cast<MemRefType>(scratchOf(kernel).getType()), arguments[numBuffers], scratchDims));
  Block &old = kernel.getBody().front();
  for (auto [argument, replacement] : llvm::zip_equal(old.getArguments(), replacements))
    argument.replaceAllUsesWith(replacement);
  body->getOperations().splice(body->end(), old.getOperations());
  kernel.erase();
}

namespace {
struct CallingConvention : tenon::impl::CpuCallingConventionPassBase<CallingConvention> {
  void runOnOperation() override {
    LLVMTypeConverter converter(&getContext());
    SmallVector<func::FuncOp> kernels;
    WalkResult walked =
        getOperation()->walk(
            [&](func::FuncOp function) {
              if (!function->hasAttr("tenon.kernel"))
                return WalkResult::advance();
              kernels.push_back(function);
              if (function->hasAttr("tenon.grid") && function->hasAttr("tenon.scratch_bytes"))
                return WalkResult::advance();
              function.emitError("kernel @")
                  << function.getSymName()
                  << " has no `tenon.grid` or no `tenon.scratch_bytes`; the pass that made its loops "
                     "has to state both";
              return WalkResult::interrupt();
            });
    if (walked.wasInterrupted())
      return signalPassFailure();
    llvm::StringMap<size_t> atLoad = operandsAtLoad(getOperation());
    for (func::FuncOp kernel : kernels)
      setCallingConvention(kernel, atLoad.lookup(kernel.getSymName()), converter);
  }
};
} // namespace
