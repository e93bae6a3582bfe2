// Functions in tensor form become loops of vector operations over tasks: what runs is decided here, in one place, not
// found by a vectoriser. Each family of kernels has an emitter of its own; all compute elements by PointEmitter.
#include "dialects/Tenon/Tenon.h"
#include "passes/cpu/Emitters.h"
#include "passes/cpu/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_CPUEMITVECTORSPASS
#include "passes/cpu/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static bool emit(KernelFunction &kernel, bool hasAttention) {
  if (hasAttention)
    return kernel.points.fail("attention is not emitted yet"), false;
  return isCopy(kernel) ? emitCopies(kernel) : emitLoops(kernel);
}

static void emitVectors(func::FuncOp function, int64_t lanes) {
  auto said = [&](auto remark, const Twine &text) { remark << text.str(); };
  std::string name = function.getName().str();
  Location location = function.getLoc();
  auto options = [&](StringRef what) { return remark::RemarkOpts::name(what).category("tenon-cpu-emit-vectors"); };
  bool hasAttention = !function.getOps<AttentionOp>().empty();
  KernelFunction kernel(function, lanes);
  if (emit(kernel, hasAttention)) {
    kernel.finish();
    return said(remark::passed(location, options("vectors")), "@" + name + " became vector loops");
  }
  std::string reason = kernel.points.error().str();
  kernel.abandon();
  said(remark::missed(location, options("vectors")), "@" + name + " did not become vector loops: " + reason);
}

namespace {
struct EmitVectors : tenon::impl::CpuEmitVectorsPassBase<EmitVectors> {
  using CpuEmitVectorsPassBase::CpuEmitVectorsPassBase;
  void runOnOperation() override {
    SmallVector<func::FuncOp> functions;
    getOperation().walk([&](func::FuncOp function) {
      if (function->hasAttr("tenon.kernel") && !function.getOps<bufferization::MaterializeInDestinationOp>().empty())
        functions.push_back(function);
    });
    for (func::FuncOp function : functions)
      emitVectors(function, lanes);
  }
};
} // namespace
