// What no emitter turned into vector loops still has to run. This is the general path: any function of linalg, tensor
// and scf on tensors becomes scalar loops over buffers by upstream bufferization, its temporaries get places in the
// scratch memory of the call, and outer loops that all share become tasks. Slow and certain; a remark says that it was
// taken.
#include "dialects/Tenon/Tenon.h"
#include "passes/cpu/DistributeTasks.h"
#include "passes/cpu/Passes.h"
#include "passes/cpu/Temporaries.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Transforms/CSE.h"

namespace tenon {
#define GEN_PASS_DEF_CPULOWERTOLOOPSPASS
#include "passes/cpu/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static constexpr StringLiteral category = "tenon-cpu-lower-to-loops";

static bool hasTensors(func::FuncOp kernel) {
  auto isTensor = [](Type type) { return isa<TensorType>(type); };
  return kernel
      .walk([&](Operation *op) {
        bool found = llvm::any_of(op->getOperandTypes(), isTensor) || llvm::any_of(op->getResultTypes(), isTensor);
        return found ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

/// A producer goes into its only consumer where it is computed no more often there than before.
static bool isWorthFusing(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::LinalgOp>();
  auto consumer = cast<linalg::LinalgOp>(operand->getOwner());
  return producer && operand->get().hasOneUse() && producer->getNumResults() == 1 &&
         consumer.getNumLoops() == producer.getNumLoops() && consumer.getMatchingIndexingMap(operand).isPermutation();
}

namespace {
/// The patterns of this pass, made once.
struct Patterns {
  explicit Patterns(MLIRContext *context) {
    RewritePatternSet fusionSet(context), cleaningSet(context);
    linalg::populateElementwiseToLinalgConversionPatterns(fusionSet);
    linalg::populateElementwiseOpsFusionPatterns(fusionSet, isWorthFusing);
    memref::CastOp::getCanonicalizationPatterns(cleaningSet, context);
    memref::CopyOp::getCanonicalizationPatterns(cleaningSet, context);
    memref::SubViewOp::getCanonicalizationPatterns(cleaningSet, context);
    scf::ForOp::getCanonicalizationPatterns(cleaningSet, context);
    fusion = std::move(fusionSet);
    cleaning = std::move(cleaningSet);
  }
  FrozenRewritePatternSet fusion, cleaning;
};
} // namespace

/// Until nothing is left to do: each rewrite leaves less of what these patterns match, however many rounds it takes.
static void rewriteToTheEnd(func::FuncOp kernel, const FrozenRewritePatternSet &patterns) {
  auto config = GreedyRewriteConfig().setMaxIterations(GreedyRewriteConfig::kNoLimit);
  [[maybe_unused]] LogicalResult settled = applyPatternsGreedily(kernel, patterns, config);
  assert(succeeded(settled) && "only a limit of rounds leaves something to do");
}

/// Transposes, broadcasts and arithmetic on whole tensors are elementwise loops like others.
static LogicalResult generalise(func::FuncOp kernel) {
  IRRewriter rewriter(kernel.getContext());
  SmallVector<linalg::LinalgOp> named;
  kernel.walk([&](linalg::LinalgOp op) {
    if (isa<linalg::TransposeOp, linalg::BroadcastOp>(*op))
      named.push_back(op);
  });
  for (linalg::LinalgOp op : named) {
    rewriter.setInsertionPoint(op);
    if (failed(linalg::generalizeNamedOp(rewriter, op)))
      return op->emitOpError("does not become a linalg.generic");
  }
  return success();
}

/// Whether `value` is made by writing into `buffer`, as far as one can see.
static bool isWrittenInto(Value value, Value buffer) {
  while (value != buffer) {
    auto result = dyn_cast<OpResult>(value);
    if (!result)
      return false;
    if (auto destination = dyn_cast<DestinationStyleOpInterface>(result.getOwner()))
      value = destination.getTiedOpOperand(result)->get();
    else if (auto loop = dyn_cast<scf::ForOp>(result.getOwner()))
      value = loop.getTiedLoopInit(result)->get();
    else
      return false;
  }
  return true;
}

/// A turn of a loop that makes a tensor of its own for the next one writes it into the carried one instead: nothing
/// allocated in a turn outlives it.
static void carryInPlace(scf::ForOp loop) {
  auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
  OpBuilder builder(yield);
  for (auto [operand, carried] : llvm::zip_equal(yield->getOpOperands(), loop.getRegionIterArgs()))
    if (isa<RankedTensorType>(carried.getType()) && !isWrittenInto(operand.get(), carried))
      operand.set(bufferization::MaterializeInDestinationOp::create(builder, yield.getLoc(), carried.getType(),
                                                                    operand.get(), carried)
                      .getResult());
}

static LogicalResult bufferize(func::FuncOp kernel, const FrozenRewritePatternSet &cleaning) {
  IRRewriter rewriter(kernel.getContext());
  kernel.walk([](scf::ForOp loop) { carryInPlace(loop); });
  if (failed(bufferization::eliminateEmptyTensors(rewriter, kernel)))
    return failure();
  bufferization::BufferizationState state;
  if (failed(bufferization::runOneShotBufferize(kernel, bufferization::OneShotBufferizationOptions(), state)))
    return failure();
  // What was written in place is still copied to itself, through a second view of the same memory.
  DominanceInfo dominance;
  eliminateCommonSubExpressions(rewriter, dominance, kernel);
  rewriteToTheEnd(kernel, cleaning);
  return success();
}

static LogicalResult expandToLoops(func::FuncOp kernel) {
  IRRewriter rewriter(kernel.getContext());
  SmallVector<linalg::LinalgOp> ops;
  kernel.walk([&](Operation *op) {
    if (auto copy = dyn_cast<memref::CopyOp>(op)) {
      rewriter.setInsertionPoint(copy);
      ops.push_back(rewriter.replaceOpWithNewOp<linalg::CopyOp>(copy, copy.getSource(), copy.getTarget()));
    } else if (auto structured = dyn_cast<linalg::LinalgOp>(op)) {
      ops.push_back(structured);
    }
  });
  for (linalg::LinalgOp op : ops) {
    rewriter.setInsertionPoint(op);
    if (failed(linalg::linalgOpToLoops(rewriter, op)))
      return op->emitOpError("does not become loops: its iteration space is not known from its operands");
    rewriter.eraseOp(op);
  }
  return success();
}

/// The call does something only where it got the one task there is.
static void guard(func::FuncOp kernel) {
  Block &body = kernel.getBody().front();
  OpBuilder builder = OpBuilder::atBlockBegin(&body);
  Location location = kernel.getLoc();
  Value mine = arith::CmpIOp::create(builder, location, arith::CmpIPredicate::slt, firstTask(kernel), lastTask(kernel));
  auto branch = scf::IfOp::create(builder, location, mine, /*withElseRegion=*/false);
  Block *then = branch.thenBlock();
  then->getOperations().splice(then->begin(), body.getOperations(), std::next(branch->getIterator()),
                               std::prev(body.end()));
}

static LogicalResult lowerToLoops(func::FuncOp kernel, const Patterns &patterns) {
  if (kernel.walk([](AttentionOp) { return WalkResult::interrupt(); }).wasInterrupted())
    return kernel.emitError("kernel @") << kernel.getSymName()
                                        << " still has tenon.attention; run tenon-expand-attention first";
  if (failed(generalise(kernel)))
    return failure();
  rewriteToTheEnd(kernel, patterns.fusion);
  KernelSizes sizes(kernel);
  sizes.equateResults();
  if (failed(bufferize(kernel, patterns.cleaning)) || failed(expandToLoops(kernel)))
    return failure();
  storeTemporariesAsBytes(kernel);
  AffineExpr tasks = distributeTasks(kernel, sizes);
  FailureOr<AffineExpr> scratchBytes = placeTemporaries(kernel, sizes);
  if (failed(scratchBytes))
    return failure();
  if (!tasks)
    guard(kernel);
  kernel->setAttr("tenon.grid",
                  AffineMapAttr::get(sizes.map(tasks ? tasks : getAffineConstantExpr(1, kernel.getContext()))));
  kernel->setAttr("tenon.scratch_bytes", AffineMapAttr::get(sizes.map(*scratchBytes)));
  remark::missed(kernel.getLoc(), remark::RemarkOpts::name("general-path").category(category))
      << ("kernel @" + kernel.getSymName() + " runs as " +
          (tasks ? "scalar loops, a task for each turn of its outer ones" : "one task of scalar loops") +
          ": no emitter took it")
             .str();
  return success();
}

namespace {
struct LowerToLoops : tenon::impl::CpuLowerToLoopsPassBase<LowerToLoops> {
  LogicalResult initialize(MLIRContext *context) override {
    patterns = std::make_shared<Patterns>(context);
    return success();
  }

  void runOnOperation() override {
    SmallVector<func::FuncOp> kernels;
    getOperation()->walk([&](func::FuncOp function) {
      if (function->hasAttr("tenon.kernel") && hasTensors(function))
        kernels.push_back(function);
    });
    for (func::FuncOp kernel : kernels)
      if (failed(lowerToLoops(kernel, *patterns)))
        return signalPassFailure();
  }

  std::shared_ptr<const Patterns> patterns;
};
} // namespace
