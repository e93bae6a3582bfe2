// @main is one op after another, each of which would read and write whole tensors. Afterwards it is tenon.kernel after
// tenon.kernel, each of them one launch that reads its operands once and keeps what is between in registers. Which ops
// belong together is decided by KernelClosure; here the regions are built, named and, where equal, named alike.
#include "lib/Analysis/KernelNames.h"
#include "passes/2_kernel/KernelClosure.h"
#include "passes/2_kernel/Passes.h"

#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"

namespace tenon {
#define GEN_PASS_DEF_FORMKERNELSPASS
#include "passes/2_kernel/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static constexpr StringLiteral category = "tenon-form-kernels";

/// All that the kernel computes, in program order.
static SmallVector<Operation *> workOf(const KernelGroup &group) {
  SmallVector<Operation *> work;
  std::merge(group.repeated.begin(), group.repeated.end(), group.ops.begin(), group.ops.end(), std::back_inserter(work),
             [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  return work;
}

/// The ops' names in order, one that follows itself once; long chains are cut.
static std::string describe(ArrayRef<Operation *> ops) {
  SmallVector<StringRef> parts;
  for (Operation *op : ops)
    if (StringRef name = op->getName().stripDialect();
        !isa<TransposeOp, ReshapeOp>(op) && (parts.empty() || parts.back() != name))
      parts.push_back(name);
  if (parts.empty())
    parts.push_back(ops.front()->getName().stripDialect());
  if (parts.size() > 4)
    parts.truncate(4);
  return llvm::join(parts, "_");
}

namespace {
/// Fills one kernel: members are cloned in order, what they read becomes an argument, or is repeated inside where it is
/// cheaper there: sizes, splat constants, the views of attention, and what the group says.
struct KernelBuilder {
  KernelBuilder(const KernelGroup &group, OpBuilder &builder) : group(group), builder(builder) {}

  void clone(Operation *op) {
    for (Value operand : op->getOperands())
      provide(operand);
    builder.clone(*op, mapping);
  }

  void provide(Value value) {
    if (mapping.contains(value))
      return;
    Operation *producer = value.getDefiningOp();
    if (producer && (isRepeated(producer) || llvm::is_contained(group.views, producer) ||
                     llvm::is_contained(group.repeated, producer)))
      return clone(producer);
    inputs.push_back(value);
    mapping.map(value, builder.getInsertionBlock()->addArgument(value.getType(), value.getLoc()));
  }

  static bool isRepeated(Operation *op) {
    if (auto constant = dyn_cast<ConstantOp>(op))
      return isa<SplatElementsAttr>(constant.getValue());
    // Arithmetic on sizes stays outside, where the host does it: inside, it would be data that no shape can depend on.
    return isa<DimOp>(op);
  }

  const KernelGroup &group;
  OpBuilder &builder;
  IRMapping mapping;
  SmallVector<Value> inputs;
};
} // namespace

/// What the group computes that others read.
static SmallVector<Value> resultsOf(ArrayRef<Operation *> ops) {
  llvm::DenseSet<Operation *> inside(ops.begin(), ops.end());
  SmallVector<Value> results;
  for (Operation *op : ops)
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !inside.contains(user); }))
        results.push_back(result);
  return results;
}

static KernelOp formKernel(const KernelGroup &group, ArrayRef<Value> results) {
  SmallVector<Location> locations;
  for (Operation *op : workOf(group))
    locations.push_back(op->getLoc());
  Location location = FusedLoc::get(group.anchor->getContext(), locations);
  Region body;
  body.push_back(new Block());
  OpBuilder inside(group.anchor->getContext());
  inside.setInsertionPointToStart(&body.front());
  KernelBuilder kernel(group, inside);
  for (Operation *op : group.ops)
    kernel.clone(op);
  SmallVector<Value> yielded = llvm::map_to_vector(results, [&](Value value) { return kernel.mapping.lookup(value); });
  YieldOp::create(inside, location, yielded);

  OpBuilder outside(group.ops.back());
  OperationState state(location, KernelOp::getOperationName());
  state.addOperands(kernel.inputs);
  state.addTypes(ValueRange(yielded).getTypes());
  state.addAttribute(KernelOp::getKernelNameAttrName(OperationName(KernelOp::getOperationName(), outside.getContext())),
                     outside.getStringAttr(describe(workOf(group))));
  state.addRegion()->takeBody(body);
  return cast<KernelOp>(outside.create(state));
}

static void formKernels(func::FuncOp main) {
  KernelGroups plan = closeKernels(main);
  for (const MissedFusion &missed : plan.missed)
    remark::missed(missed.op->getLoc(), remark::RemarkOpts::name("fusion").category(category))
        << (missed.op->getName().stripDialect() + " " + missed.reason).str();
  SmallVector<KernelOp> kernels;
  SmallVector<std::string> opNames; // of each kernel
  SmallVector<std::pair<Value, Value>> replacements;
  for (const KernelGroup &group : plan.groups) {
    SmallVector<Value> results = resultsOf(group.ops);
    if (results.empty())
      continue;
    KernelOp kernel = formKernel(group, results);
    kernels.push_back(kernel);
    for (auto [value, result] : llvm::zip_equal(results, kernel.getResults()))
      replacements.push_back({value, result});
    opNames.push_back(
        llvm::join(llvm::map_range(workOf(group), [](Operation *op) { return op->getName().stripDialect(); }), ", "));
  }
  for (auto [from, to] : replacements)
    from.replaceAllUsesWith(to);
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(main.getBody().front())))
    if (isOpTriviallyDead(&op))
      op.erase();
  sortTopologically(&main.getBody().front());
  nameKernels(kernels);
  for (auto [kernel, names] : llvm::zip_equal(kernels, opNames))
    remark::passed(kernel.getLoc(), remark::RemarkOpts::name("kernel").category(category))
        << ("formed @" + kernel.getKernelName() + " of " + names).str();
}

namespace {
struct FormKernels : tenon::impl::FormKernelsPassBase<FormKernels> {
  void runOnOperation() override {
    for (auto main : getOperation().getOps<func::FuncOp>())
      if (main.getSymName() == "main" && main.getBody().hasOneBlock())
        formKernels(main);
  }
};
} // namespace
