// Processors have no instructions for 8-bit floats, and few for bf16; LLVM calls a library function an element, where
// it knows the type at all. Here the conversions become integer arithmetic (lib/Arithmetic).
#include "lib/Arithmetic/Expansions.h"
#include "passes/cpu/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace tenon {
#define GEN_PASS_DEF_CPUEXPANDCONVERSIONSPASS
#include "passes/cpu/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

namespace {
struct ExpandConversions : tenon::impl::CpuExpandConversionsPassBase<ExpandConversions> {
  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet set(context);
    populateConversionExpansions(set);
    patterns = std::move(set);
    return success();
  }

  void runOnOperation() override {
    getOperation()->walk([&](func::FuncOp function) { walkAndApplyPatterns(function, patterns); });
  }

  FrozenRewritePatternSet patterns;
};
} // namespace
