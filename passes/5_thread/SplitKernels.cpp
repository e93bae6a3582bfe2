// On the general path a thread computes one element, and all that it takes for it. Where many elements take the same, a
// row's sum or the scores of an attention, each thread would compute it again. Afterwards such a kernel is several, one
// after the other: what is dear and read more than once is a result of its own, computed once, in memory. A launch
// starts when the one before it is through, which is all the order there has to be.
#include "lib/Analysis/KernelModule.h"
#include "lib/Analysis/KernelWork.h"
#include "passes/5_thread/KernelParts.h"
#include "passes/5_thread/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"

namespace tenon {
#define GEN_PASS_DEF_SPLITKERNELSPASS
#include "passes/5_thread/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

/// One form for all structured ops but fills.
static LogicalResult generalise(KernelOp kernel, const FrozenRewritePatternSet &patterns) {
  IRRewriter rewriter(kernel.getContext());
  SmallVector<linalg::LinalgOp> named;
  kernel.walk([&](linalg::LinalgOp op) {
    if (!isa<linalg::GenericOp, linalg::FillOp>(*op))
      named.push_back(op);
  });
  for (linalg::LinalgOp op : named) {
    rewriter.setInsertionPoint(op);
    if (failed(linalg::generalizeNamedOp(rewriter, op)))
      return op->emitOpError("does not become a linalg.generic");
  }
  return applyPatternsGreedily(kernel, patterns);
}

namespace {
/// The kernels that take the place of one.
class KernelSplitter {
public:
  KernelSplitter(KernelOp kernel, ArrayRef<KernelPart> parts) : kernel(kernel), parts(parts) {
    for (const KernelPart &part : parts)
      made.insert(part.begin(), part.end());
  }
  void split(ArrayRef<std::string> names);

private:
  /// What computes the part from the kernel's operands and from other parts, in order; these go to `read`.
  SmallVector<Operation *> membersOf(const KernelPart &part, llvm::SetVector<Value> &read);
  void build(const KernelPart &part, StringRef name);

  KernelOp kernel;
  ArrayRef<KernelPart> parts;
  llvm::DenseSet<Value> made;
  IRMapping outside; // of values of the kernel: operands, then results of parts
};
} // namespace

SmallVector<Operation *> KernelSplitter::membersOf(const KernelPart &part, llvm::SetVector<Value> &read) {
  llvm::SetVector<Operation *> members;
  SmallVector<Value> open;
  auto need = [&](Value value) {
    if (value.getParentBlock() == &kernel.getBlock())
      open.push_back(value);
  };
  auto enter = [&](Operation *op) {
    if (!members.insert(op))
      return;
    llvm::for_each(op->getOperands(), need);
    llvm::SetVector<Value> captured;
    getUsedValuesDefinedAbove(op->getRegions(), captured);
    llvm::for_each(captured, need);
  };
  for (Value value : part)
    if (Operation *op = value.getDefiningOp())
      enter(op);
    else
      read.insert(value);
  while (!open.empty()) {
    Value value = open.pop_back_val();
    Operation *op = value.getDefiningOp();
    // What this part computes itself it does not read, whoever else may.
    if (op && (members.contains(op) || !made.contains(value)))
      enter(op);
    else
      read.insert(value);
  }
  // Operands of the kernel first, each in its order.
  SmallVector<Value> operands = read.takeVector();
  llvm::sort(operands, [](Value a, Value b) {
    Operation *first = a.getDefiningOp(), *second = b.getDefiningOp();
    if (first && second && first != second)
      return first->isBeforeInBlock(second);
    auto number = [](Value value) {
      auto argument = dyn_cast<BlockArgument>(value);
      return argument ? argument.getArgNumber() : cast<OpResult>(value).getResultNumber();
    };
    return !first != !second ? !first : number(a) < number(b);
  });
  read.insert(operands.begin(), operands.end());
  SmallVector<Operation *> ordered(members.begin(), members.end());
  llvm::sort(ordered, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  return ordered;
}

void KernelSplitter::build(const KernelPart &part, StringRef name) {
  llvm::SetVector<Value> read;
  SmallVector<Operation *> members = membersOf(part, read);
  Region body;
  body.push_back(new Block());
  OpBuilder inside(kernel.getContext());
  inside.setInsertionPointToStart(&body.front());
  IRMapping mapping;
  SmallVector<Value> inputs;
  for (Value value : read) {
    mapping.map(value, body.front().addArgument(value.getType(), value.getLoc()));
    inputs.push_back(outside.lookup(value));
  }
  SmallVector<Location> locations;
  for (Operation *op : members) {
    inside.clone(*op, mapping);
    locations.push_back(op->getLoc());
  }
  Location location = members.empty() ? kernel.getLoc() : FusedLoc::get(kernel.getContext(), locations);
  SmallVector<Value> yielded = llvm::map_to_vector(part, [&](Value value) { return mapping.lookup(value); });
  YieldOp::create(inside, location, yielded);

  OpBuilder builder(kernel);
  OperationState state(location, KernelOp::getOperationName());
  state.addOperands(inputs);
  state.addTypes(ValueRange(yielded).getTypes());
  state.addAttribute(KernelOp::getKernelNameAttrName(kernel->getName()), builder.getStringAttr(name));
  for (NamedAttribute attribute : kernel->getDiscardableAttrs())
    if (attribute.getName() != "tenon.result_shapes")
      state.addAttribute(attribute.getName(), attribute.getValue());
  state.addRegion()->takeBody(body);
  auto built = cast<KernelOp>(builder.create(state));
  if (FailureOr<KernelWork> work = KernelWork::of(built); succeeded(work)) {
    built->setAttr("tenon.flops", AffineMapAttr::get(work->flops));
    built->setAttr("tenon.bytes", AffineMapAttr::get(work->bytes));
  }
  for (auto [value, result] : llvm::zip_equal(part, built.getResults()))
    outside.map(value, result);
}

void KernelSplitter::split(ArrayRef<std::string> names) {
  outside.map(kernel.getBody().getArguments(), kernel.getInputs());
  for (auto [part, name] : llvm::zip_equal(parts, names))
    build(part, name);
  for (auto [result, yielded] : llvm::zip_equal(kernel.getResults(), kernel.getYielded()))
    result.replaceAllUsesWith(outside.lookup(yielded));
  kernel.erase();
}

/// Names that nothing else has: kernels of one name are equal.
static SmallVector<std::string> partNames(StringRef kernel, size_t count, llvm::StringSet<> &taken) {
  SmallVector<std::string> names;
  for (unsigned number = 1; names.size() < count; ++number) {
    std::string name = (kernel + "_part" + Twine(number)).str();
    if (taken.insert(name).second)
      names.push_back(name);
  }
  return names;
}

static LogicalResult splitKernels(ModuleOp module, const FrozenRewritePatternSet &patterns) {
  SmallVector<KernelOp> kernels = kernelsOf(module);
  llvm::StringSet<> taken;
  for (KernelOp kernel : kernels)
    taken.insert(kernel.getKernelName());
  if (auto home = module.lookupSymbol<ModuleOp>("kernels"))
    for (auto symbol : home.getOps<SymbolOpInterface>())
      taken.insert(symbol.getName());
  llvm::StringMap<SmallVector<std::string>> known;
  for (KernelOp kernel : kernels) {
    if (failed(generalise(kernel, patterns)))
      return failure();
    SmallVector<KernelPart> parts = findParts(kernel);
    if (parts.size() < 2)
      continue;
    auto [entry, isNew] = known.try_emplace(kernel.getKernelName());
    if (isNew) {
      entry->second = partNames(kernel.getKernelName(), parts.size(), taken);
      remark::passed(kernel.getLoc(), remark::RemarkOpts::name("parts").category("tenon-split-kernels"))
          << ("kernel @" + kernel.getKernelName() + " became " + Twine(parts.size()) + " launches").str();
    }
    KernelSplitter(kernel, parts).split(entry->second);
  }
  return success();
}

namespace {
struct SplitKernels : tenon::impl::SplitKernelsPassBase<SplitKernels> {
  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet set(context);
    linalg::populateElementwiseToLinalgConversionPatterns(set);
    patterns = std::move(set);
    return success();
  }

  void runOnOperation() override {
    if (failed(splitKernels(getOperation(), patterns)))
      signalPassFailure();
  }

  FrozenRewritePatternSet patterns;
};
} // namespace
