// A kernel without a program on tiles still has to run. This is the general path: a thread computes one element of the
// result, all that it takes for it, from the operands in memory (ElementEmitter.h). Slow, as nothing is shared between
// threads, and certain, as nothing is shared between threads; a remark says that it was taken.
#include "lib/Analysis/KernelModule.h"
#include "lib/Arithmetic/Expansions.h"
#include "passes/5_thread/ElementEmitter.h"
#include "passes/5_thread/ElementMemory.h"
#include "passes/5_thread/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"
#include "llvm/ADT/StringSet.h"

namespace tenon {
#define GEN_PASS_DEF_THREADGENERALKERNELSPASS
#include "passes/5_thread/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static constexpr StringLiteral category = "tenon-thread-general-kernels";
static constexpr int64_t threadsPerBlock = 256;

/// 32 where no tensor in or around the kernel has a byte further away than that.
static unsigned indexWidth(KernelOp kernel) {
  auto isSmall = [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor)
      return true;
    int64_t bytes = std::max<int64_t>(tensor.getElementType().isIndex() ? 8 : tensor.getElementTypeBitWidth() / 8, 1);
    for (int64_t size : tensor.getShape())
      if (ShapedType::isDynamic(size) || llvm::MulOverflow(bytes, std::max<int64_t>(size, 1), bytes) ||
          bytes > std::numeric_limits<int32_t>::max())
        return false;
    return true;
  };
  bool isAllSmall = llvm::all_of(kernel.getBody().getArgumentTypes(), isSmall);
  kernel.walk([&](Operation *op) { isAllSmall &= llvm::all_of(op->getResultTypes(), isSmall); });
  return isAllSmall ? 32 : 64;
}

namespace {
/// One kernel's function.
class ThreadFunction {
public:
  ThreadFunction(KernelOp kernel, OpBuilder &module);
  LogicalResult build(const FrozenRewritePatternSet &expansions);

private:
  Value threadNumber(IndexEmitter &index);
  void setAttributes();

  KernelOp kernel;
  ImplicitLocOpBuilder b;
  LLVM::LLVMFuncOp function;
  SmallVector<RankedTensorType> types; // of operands, then results
};
} // namespace

ThreadFunction::ThreadFunction(KernelOp kernel, OpBuilder &module) : kernel(kernel), b(kernel.getLoc(), module) {
  for (Type type : llvm::concat<const Type>(kernel.getInputs().getTypes(), kernel.getResultTypes()))
    types.push_back(cast<RankedTensorType>(type));
  auto pointer = LLVM::LLVMPointerType::get(b.getContext(), unsigned(NVVM::NVVMMemorySpace::Global));
  SmallVector<Type> arguments(types.size(), pointer);
  for (RankedTensorType type : types)
    arguments.append(type.getNumDynamicDims(), b.getI64Type());
  arguments.push_back(pointer); // workspace
  function = LLVM::LLVMFuncOp::create(b, kernel.getKernelName(),
                                      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), arguments));
  for (size_t buffer = 0; buffer < types.size(); ++buffer) {
    function.setArgAttr(buffer, LLVM::LLVMDialect::getNoAliasAttrName(), b.getUnitAttr());
    function.setArgAttr(buffer, LLVM::LLVMDialect::getAlignAttrName(), b.getI64IntegerAttr(16));
    if (buffer < kernel.getNumOperands())
      function.setArgAttr(buffer, LLVM::LLVMDialect::getReadonlyAttrName(), b.getUnitAttr());
  }
}

Value ThreadFunction::threadNumber(IndexEmitter &index) {
  Value thread = NVVM::ThreadIdXOp::create(b, b.getI32Type()), block = NVVM::BlockIdXOp::create(b, b.getI32Type());
  if (index.type() != b.getI32Type()) {
    thread = arith::ExtUIOp::create(b, index.type(), thread);
    block = arith::ExtUIOp::create(b, index.type(), block);
  }
  return index.add(index.mul(block, index.constant(threadsPerBlock)), thread);
}

void ThreadFunction::setAttributes() {
  for (NamedAttribute attribute : kernel->getDiscardableAttrs())
    if (attribute.getName() != "tenon.result_shapes" && attribute.getName() != "tenon.schedule")
      function->setAttr(attribute.getName(), attribute.getValue());
  function->setAttr("tenon.schedule", b.getStringAttr("one thread an element"));
  if (ArrayAttr sources = sourcesOf(kernel); !sources.empty())
    function->setAttr("tenon.sources", sources);
  unsigned numDims = 0, symbol = 0;
  for (RankedTensorType type : types)
    numDims += type.getNumDynamicDims();
  // Results have equal sizes: those of the first say how many threads there are.
  for (Value input : kernel.getInputs())
    symbol += cast<RankedTensorType>(input.getType()).getNumDynamicDims();
  RankedTensorType result = types[kernel.getNumOperands()];
  AffineExpr elements = b.getAffineConstantExpr(1), one = elements;
  for (int64_t size : result.getShape())
    elements =
        elements * (ShapedType::isDynamic(size) ? b.getAffineSymbolExpr(symbol++) : b.getAffineConstantExpr(size));
  AffineExpr blocks = elements.ceilDiv(elementsPerStore(result.getElementType())).ceilDiv(threadsPerBlock);
  auto map = [&](ArrayRef<AffineExpr> results) {
    return AffineMapAttr::get(simplifyAffineMap(AffineMap::get(0, numDims, results, b.getContext())));
  };
  function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), b.getUnitAttr());
  function->setAttr(NVVM::NVVMDialect::getReqntidAttrName(), b.getDenseI32ArrayAttr({threadsPerBlock, 1, 1}));
  function->setAttr("tenon.block", b.getDenseI64ArrayAttr({threadsPerBlock, 1, 1}));
  function->setAttr("tenon.grid", map({blocks, one, one}));
  function->setAttr("tenon.shared_bytes", b.getI64IntegerAttr(0));
  function->setAttr("tenon.scratch_bytes", map({b.getAffineConstantExpr(0)}));
}

LogicalResult ThreadFunction::build(const FrozenRewritePatternSet &expansions) {
  setAttributes();
  Block *entry = function.addEntryBlock(b);
  b.setInsertionPointToStart(entry);
  IndexEmitter index(b, entry, indexWidth(kernel));
  ElementEmitter emitter(b, index);
  auto dim = function.getArguments().begin() + types.size();
  SmallVector<Value> resultSizes;
  for (auto [position, type] : llvm::enumerate(types)) {
    SmallVector<Value> sizes;
    for (int64_t size : type.getShape())
      sizes.push_back(ShapedType::isDynamic(size) ? index.fromDim(*dim++) : index.constant(size));
    if (position < kernel.getNumOperands())
      emitter.give(kernel.getBody().getArgument(position), function.getArgument(position), sizes);
    else if (position == kernel.getNumOperands())
      resultSizes = sizes;
  }
  // A size of the result that is one of an operand is that argument: places are in one form then.
  for (auto [dimension, size] : llvm::enumerate(resultSizes))
    if (Value same = getConstantIntValue(size) ? Value() : emitter.operandSize(kernel.getYielded()[0], dimension))
      size = same;
  Value number = threadNumber(index), count = index.constant(1);
  for (Value size : resultSizes)
    count = index.mul(count, size);
  int64_t share = elementsPerStore(types[kernel.getNumOperands()].getElementType());
  Value threads = index.div(index.add(count, index.constant(share - 1)), index.constant(share));
  auto inside = scf::IfOp::create(b, index.isBelow(number, threads), /*withElseRegion=*/false);
  LLVM::ReturnOp::create(b, ValueRange());

  b.setInsertionPointToStart(inside.thenBlock());
  for (auto [position, yielded] : llvm::enumerate(kernel.getYielded())) {
    SmallVector<Value> elements;
    for (int64_t part = 0; part < share; ++part) {
      Value at = index.add(index.mul(number, index.constant(share)), index.constant(part));
      if (part > 0) // a byte has room for more than there is
        at = index.min(at, index.sub(count, index.constant(1)));
      elements.push_back(emitter.at(yielded, index.delinearise(at, resultSizes)));
    }
    if (!emitter.error().empty())
      return kernel.emitOpError("@") << kernel.getKernelName() << " has no form for one thread: " << emitter.error();
    storeElements(b, elements, function.getArgument(kernel.getNumOperands() + position), number);
  }
  walkAndApplyPatterns(function, expansions);
  return success();
}

/// Whether a thread can compute an element of each result: they have one shape, and share bytes alike.
static LogicalResult checkResults(KernelOp kernel) {
  if (kernel.getNumResults() == 0)
    return kernel.emitOpError("@") << kernel.getKernelName() << " has no result";
  auto first = cast<RankedTensorType>(kernel.getResult(0).getType());
  for (Type type : kernel.getResultTypes()) {
    auto other = cast<RankedTensorType>(type);
    if (other.getShape() != first.getShape() ||
        elementsPerStore(other.getElementType()) != elementsPerStore(first.getElementType()))
      return kernel.emitOpError("@") << kernel.getKernelName() << " has results " << first << " and " << other
                                     << ", which a thread does not compute together; run tenon-split-kernels first";
  }
  return success();
}

/// Kernels of one name are equal: they share a function.
static LogicalResult lowerKernels(ModuleOp module, bool failOnFallback, const FrozenRewritePatternSet &expansions) {
  SmallVector<KernelOp> kernels = kernelsOf(module);
  if (kernels.empty())
    return success();
  FailureOr<ModuleOp> home = kernelModuleOf(module);
  if (failed(home))
    return failure();
  OpBuilder inside = OpBuilder::atBlockEnd(home->getBody());
  llvm::StringSet<> done;
  for (KernelOp kernel : kernels) {
    StringRef name = kernel.getKernelName();
    if (done.insert(name).second) {
      auto reason = kernel->getAttrOfType<StringAttr>(noProgramAttribute);
      std::string why = reason ? ": " + reason.str() : "";
      if (failOnFallback)
        return kernel.emitOpError("@") << name << " has no program on tiles" << why
                                       << "; each thread would compute one element of its result, which is slow: allow "
                                          "it by leaving out fail-on-fallback";
      if (failed(checkResults(kernel)) || failed(ThreadFunction(kernel, inside).build(expansions)))
        return failure();
      remark::missed(kernel.getLoc(), remark::RemarkOpts::name("general-path").category(category))
          << ("kernel @" + name + " runs as one thread an element, as it has no program on tiles" + why).str();
    }
    replaceByLaunch(kernel, name.str());
  }
  return success();
}

namespace {
struct ThreadGeneralKernels : tenon::impl::ThreadGeneralKernelsPassBase<ThreadGeneralKernels> {
  using ThreadGeneralKernelsPassBase::ThreadGeneralKernelsPassBase;
  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet set(context);
    populateConversionExpansions(set);
    populateMathExpansions(set);
    populateExtremumExpansions(set);
    expansions = std::move(set);
    return success();
  }

  void runOnOperation() override {
    if (failed(lowerKernels(getOperation(), failOnFallback, expansions)))
      signalPassFailure();
  }

  FrozenRewritePatternSet expansions; // the arithmetic of the CPU
};
} // namespace
