// Functions in tensor form become loops of vector operations over tasks: what runs is decided here, in one place, not
// found by a vectoriser. Each family of kernels has an emitter of its own; all compute elements by PointEmitter.
#include "dialects/Tenon/Tenon.h"
#include "passes/cpu/Emitters.h"
#include "passes/cpu/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/TypeSwitch.h"

namespace tenon {
#define GEN_PASS_DEF_CPUEMITVECTORSPASS
#include "passes/cpu/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static bool emit(KernelFunction &kernel, Attribute schedule) {
  if (isa<CpuAttentionAttr>(schedule))
    return emitAttention(kernel);
  if (isa<CpuGemmAttr>(schedule))
    return emitContraction(kernel);
  if (placedSlices(kernel))
    return emitPlacedSlices(kernel);
  return isCopy(kernel) ? emitCopies(kernel) : emitLoops(kernel);
}

/// Null where the schedule is none of the CPU's.
static std::optional<int64_t> lanesOf(Attribute schedule) {
  if (!schedule)
    return std::nullopt;
  return llvm::TypeSwitch<Attribute, std::optional<int64_t>>(schedule)
      .Case<CpuLoopsAttr, CpuGemmAttr, CpuAttentionAttr>([](auto chosen) { return chosen.getLanes(); })
      .Default([](Attribute) { return std::nullopt; });
}

static void emitVectors(func::FuncOp function) {
  auto said = [&](auto remark, const Twine &text) { remark << text.str(); };
  std::string name = function.getName().str();
  Location location = function.getLoc();
  auto options = [&](StringRef what) { return remark::RemarkOpts::name(what).category("tenon-cpu-emit-vectors"); };
  Attribute schedule = function->getDiscardableAttr("tenon.schedule");
  std::optional<int64_t> lanes = lanesOf(schedule);
  if (!lanes)
    return said(remark::missed(location, options("vectors")),
                "@" + name + " did not become vector loops: it has no schedule for the CPU");
  KernelFunction kernel(function, *lanes);
  if (emit(kernel, schedule)) {
    kernel.finish();
    return said(remark::passed(location, options("vectors")), "@" + name + " became vector loops");
  }
  std::string reason = kernel.points.error().str();
  kernel.abandon();
  said(remark::missed(location, options("vectors")), "@" + name + " did not become vector loops: " + reason);
}

namespace {
struct EmitVectors : tenon::impl::CpuEmitVectorsPassBase<EmitVectors> {
  void runOnOperation() override {
    SmallVector<func::FuncOp> functions;
    getOperation().walk([&](func::FuncOp function) {
      if (function->hasAttr("tenon.kernel") && !function.getOps<bufferization::MaterializeInDestinationOp>().empty())
        functions.push_back(function);
    });
    for (func::FuncOp function : functions)
      emitVectors(function);
  }
};
} // namespace
