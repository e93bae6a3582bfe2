// A decode step rotates queries, rotates and appends keys, and appends values: three launches in a row that do not need
// one another, of a microsecond or two each, in which few multiprocessors have anything to do. This pass makes small
// programs that could run at the same time one launch: the first programs of its grid are those of the one kernel, the
// others those of the other.
#include "dialects/Tenon/Tenon.h"
#include "dialects/Tile/Tile.h"
#include "lib/Analysis/UpdatedOperand.h"
#include "lib/Analysis/WeightOperands.h"
#include "passes/3_tile/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_JOINLAUNCHESPASS
#include "passes/3_tile/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

/// What one warp computes: kernels of more than that have multiprocessors to themselves, or other numbers of warps.
static constexpr int64_t mostElements = 512;
/// A row that a few warps share. Beside one such kernel, one of a warp takes no longer by as many.
static constexpr int64_t mostWideElements = 8192;
/// Beyond that time goes to memory, not to launches.
static constexpr int64_t mostBytes = 1 << 22;

static int64_t constantOf(tile::KernelOp kernel, StringRef name) {
  auto map = kernel->getAttrOfType<AffineMapAttr>(name);
  return map && map.getValue().isSingleConstant() ? map.getValue().getSingleConstantResult() : -1;
}

/// Programs of known number, each of `elements` at most, without products, and each by itself.
static bool isSmall(tile::KernelOp kernel, int64_t elements) {
  auto isKnown = [](Value extent) { return getConstantIntValue(extent).has_value(); };
  int64_t bytes = constantOf(kernel, "tenon.bytes");
  if (bytes < 0 || bytes > mostBytes || !llvm::all_of(kernel.getGrid().getExtents(), isKnown) ||
      llvm::any_of(kernel.getArgumentTypes(),
                   [](Type type) { return ShapedType::isDynamicShape(cast<tile::ViewType>(type).getShape()); }))
    return false;
  WalkResult result = kernel.walk([&](Operation *op) {
    bool isLarge =
        isa<tile::DotOp, tile::RedoOp, tile::GatherToLastOp>(op) || llvm::any_of(op->getResultTypes(), [&](Type type) {
          auto tensor = dyn_cast<RankedTensorType>(type);
          return tensor && tensor.getNumElements() > elements;
        });
    return isLarge ? WalkResult::interrupt() : WalkResult::advance();
  });
  return !result.wasInterrupted();
}

static int64_t programsOf(tile::KernelOp kernel) {
  int64_t programs = 1;
  for (Value extent : kernel.getGrid().getExtents())
    programs *= *getConstantIntValue(extent);
  return programs;
}

static SmallVector<int64_t> updatesOf(tile::KernelOp kernel, size_t numResults) {
  auto updates = kernel->getAttrOfType<DenseI64ArrayAttr>(updatesAttrName);
  return updates ? SmallVector<int64_t>(updates.asArrayRef()) : SmallVector<int64_t>(numResults, -1);
}

namespace {
class LaunchJoiner {
public:
  void joinIn(func::FuncOp main);
  void eraseUnused() {
    for (auto [kernel, uses] : numUses)
      if (uses == 0)
        kernel->erase();
  }

private:
  tile::KernelOp kernelOf(LaunchOp launch) {
    return symbols.lookupNearestSymbolFrom<tile::KernelOp>(launch, launch.getCallee());
  }
  bool canJoin(LaunchOp first, LaunchOp second);
  LaunchOp join(LaunchOp first, LaunchOp second);
  tile::KernelOp joined(tile::KernelOp first, tile::KernelOp second, LaunchOp a, LaunchOp b);

  SymbolTableCollection symbols;
  llvm::MapVector<tile::KernelOp, int64_t> numUses;
  DenseMap<std::pair<Operation *, Operation *>, tile::KernelOp> made;
};
} // namespace

/// Whether the value is computed before the launch, or could be: weights and other shapes of what is there.
static bool isThere(Value value, LaunchOp at) {
  Operation *op = value.getDefiningOp();
  return !op || op->isBeforeInBlock(at) ||
         (op != at && !isa<LaunchOp>(op) && isMemoryEffectFree(op) &&
          llvm::all_of(op->getOperands(), [&](Value operand) { return isThere(operand, at); }));
}

static void moveBefore(Value value, LaunchOp at) {
  Operation *op = value.getDefiningOp();
  if (!op || op->isBeforeInBlock(at))
    return;
  for (Value operand : op->getOperands())
    moveBefore(operand, at);
  op->moveBefore(at);
}

/// Whether `second` can be launched where `first` is: it needs nothing that comes behind that, and what it replaces
/// parts of nobody in between reads, nor the other kernel.
bool LaunchJoiner::canJoin(LaunchOp first, LaunchOp second) {
  if (!isSmall(kernelOf(first), mostElements) && !isSmall(kernelOf(second), mostElements))
    return false;
  if (!llvm::all_of(second.getInputs(), [&](Value input) { return isThere(input, first); }))
    return false;
  SmallVector<int64_t> updates = updatesOf(kernelOf(second), second->getNumResults());
  SmallVector<int64_t> others = updatesOf(kernelOf(first), first->getNumResults());
  for (int64_t number : others)
    if (number >= 0 && llvm::is_contained(second.getInputs(), first.getInputs()[number]))
      return false;
  for (int64_t number : updates)
    if (number >= 0)
      for (Operation *user : second.getInputs()[number].getUsers())
        if (user == first ||
            (user->getBlock() == first->getBlock() && first->isBeforeInBlock(user) && user->isBeforeInBlock(second)))
          return false;
  return true;
}

/// Program `number` of the kernel, at the builder's place.
static void copyProgram(ImplicitLocOpBuilder &b, tile::KernelOp kernel, Value number, IRMapping &mapping) {
  tile::GridOp grid = kernel.getGrid();
  // The last axis counts fastest.
  Value rest = number;
  SmallVector<Value> places(grid.getExtents().size());
  for (int64_t axis = places.size() - 1; axis >= 0; --axis) {
    Value extent = arith::ConstantIndexOp::create(b, *getConstantIntValue(grid.getExtents()[axis]));
    places[axis] = b.createOrFold<arith::RemUIOp>(rest, extent);
    rest = b.createOrFold<arith::DivUIOp>(rest, extent);
  }
  mapping.map(grid.getBody().getArguments(), places);
  for (Operation &op : grid.getBody().front().without_terminator())
    b.clone(op, mapping);
}

tile::KernelOp LaunchJoiner::joined(tile::KernelOp first, tile::KernelOp second, LaunchOp a, LaunchOp b) {
  tile::KernelOp &known = made[{first, second}];
  if (known)
    return known;
  unsigned inputsOfA = a.getInputs().size(), inputsOfB = b.getInputs().size();
  SmallVector<Type> types;
  ArrayRef<Type> ofA = first.getArgumentTypes(), ofB = second.getArgumentTypes();
  for (ArrayRef<Type> part :
       {ofA.take_front(inputsOfA), ofB.take_front(inputsOfB), ofA.drop_front(inputsOfA), ofB.drop_front(inputsOfB)})
    llvm::append_range(types, part);

  ImplicitLocOpBuilder builder(FusedLoc::get(first.getContext(), {first.getLoc(), second.getLoc()}), first);
  OperationState state(builder.getLoc(), tile::KernelOp::getOperationName());
  std::string name = (first.getName() + "_and_" + second.getName()).str();
  state.addAttribute(first.getSymNameAttrName(), builder.getStringAttr(name));
  state.addAttribute(first.getFunctionTypeAttrName(), TypeAttr::get(builder.getFunctionType(types, {})));
  for (StringRef work : {"tenon.flops", "tenon.bytes"})
    state.addAttribute(work, AffineMapAttr::get(AffineMap::getConstantMap(
                                 constantOf(first, work) + constantOf(second, work), first.getContext())));
  if (Attribute schedule = first->getAttr("tenon.schedule"); schedule && schedule == second->getAttr("tenon.schedule"))
    state.addAttribute("tenon.schedule", schedule);
  SmallVector<Attribute> sources;
  SmallVector<int64_t> updates;
  for (auto [kernel, launch, offset] : {std::tuple(first, a, 0u), std::tuple(second, b, inputsOfA)}) {
    if (auto own = kernel->getAttrOfType<ArrayAttr>("tenon.sources"))
      llvm::append_range(sources, own);
    for (int64_t number : updatesOf(kernel, launch->getNumResults()))
      updates.push_back(number < 0 ? -1 : number + offset);
  }
  if (!sources.empty())
    state.addAttribute("tenon.sources", builder.getArrayAttr(sources));
  if (llvm::any_of(updates, [](int64_t number) { return number >= 0; }))
    state.addAttribute(updatesAttrName, builder.getDenseI64ArrayAttr(updates));
  Block *body = new Block();
  state.addRegion()->push_back(body);
  body->addArguments(types, SmallVector<Location>(types.size(), builder.getLoc()));
  known = cast<tile::KernelOp>(builder.create(state));

  builder.setInsertionPointToStart(body);
  IRMapping mapping[2];
  auto map = [&](IRMapping &part, tile::KernelOp kernel, unsigned inputs, unsigned firstInput, unsigned firstResult) {
    for (BlockArgument argument : kernel.getBody().getArguments()) {
      unsigned number = argument.getArgNumber();
      part.map(argument, body->getArgument(number < inputs ? firstInput + number : firstResult + number - inputs));
    }
    for (Operation &op : kernel.getBody().front().without_terminator())
      if (!isa<tile::GridOp>(op))
        builder.clone(op, part);
  };
  unsigned results = inputsOfA + inputsOfB;
  map(mapping[0], first, inputsOfA, 0, results);
  map(mapping[1], second, inputsOfB, inputsOfA, results + ofA.size() - inputsOfA);
  Value programs = arith::ConstantIndexOp::create(builder, programsOf(first));
  Value all = arith::ConstantIndexOp::create(builder, programsOf(first) + programsOf(second));
  auto grid = tile::GridOp::create(builder, ValueRange{all});
  tile::EndOp::create(builder);
  Block *program = builder.createBlock(&grid.getBody(), {}, {builder.getIndexType()}, {builder.getLoc()});
  builder.setInsertionPoint(tile::EndOp::create(builder));
  Value number = program->getArgument(0);
  Value isFirst = arith::CmpIOp::create(builder, arith::CmpIPredicate::ult, number, programs);
  auto branch = scf::IfOp::create(builder, isFirst, /*withElseRegion=*/true);
  builder.setInsertionPointToStart(branch.thenBlock());
  copyProgram(builder, first, number, mapping[0]);
  builder.setInsertionPointToStart(branch.elseBlock());
  copyProgram(builder, second, arith::SubIOp::create(builder, number, programs), mapping[1]);
  symbols.invalidateSymbolTable(first->getParentOp());
  return known;
}

LaunchOp LaunchJoiner::join(LaunchOp first, LaunchOp second) {
  tile::KernelOp a = kernelOf(first), b = kernelOf(second), kernel = joined(a, b, first, second);
  remark::passed(second.getLoc(), remark::RemarkOpts::name("join").category("tenon-join-launches"))
      << ("@" + a.getName() + " and @" + b.getName() + " are one launch").str();
  for (Value input : second.getInputs())
    moveBefore(input, first);
  OpBuilder builder(first);
  SmallVector<Value> inputs(first.getInputs());
  llvm::append_range(inputs, second.getInputs());
  SmallVector<Type> types(first.getResultTypes());
  llvm::append_range(types, second.getResultTypes());
  auto callee =
      SymbolRefAttr::get(first.getCallee().getRootReference(), {FlatSymbolRefAttr::get(kernel.getNameAttr())});
  auto launch =
      LaunchOp::create(builder, builder.getFusedLoc({first.getLoc(), second.getLoc()}), types, callee, inputs);
  first.replaceAllUsesWith(launch.getResults().take_front(first->getNumResults()));
  second.replaceAllUsesWith(launch.getResults().drop_front(first->getNumResults()));
  --numUses[a], --numUses[b], ++numUses[kernel];
  first.erase();
  second.erase();
  return launch;
}

void LaunchJoiner::joinIn(func::FuncOp main) {
  SmallVector<LaunchOp> launches(main.getOps<LaunchOp>()), open;
  for (LaunchOp launch : launches) {
    tile::KernelOp kernel = kernelOf(launch);
    if (!kernel)
      continue;
    ++numUses[kernel];
    // What is computed of weights alone is computed once, when the model is loaded.
    if (!isSmall(kernel, mostWideElements) || isOfWeights(launch->getResult(0)))
      continue;
    auto found = llvm::find_if(llvm::reverse(open), [&](LaunchOp before) { return canJoin(before, launch); });
    if (found == open.rend())
      open.push_back(launch);
    else
      *found = join(*found, launch);
  }
}

namespace {
struct JoinLaunches : tenon::impl::JoinLaunchesPassBase<JoinLaunches> {
  void runOnOperation() override {
    LaunchJoiner joiner;
    for (auto main : getOperation().getOps<func::FuncOp>())
      joiner.joinIn(main);
    joiner.eraseUnused();
  }
};
} // namespace
