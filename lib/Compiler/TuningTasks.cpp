#include "lib/Compiler/TuningTasks.h"

#include "dialects/Tenon/Tenon.h"
#include "dialects/Tile/Tile.h"
#include "lib/Compiler/CompileTarget.h"
#include "lib/Compiler/ReferenceKernel.h"
#include "lib/Pipelines/Phases.h"
#include "lib/Support/Version.h"
#include "passes/3_tile/TileCandidates.h"
#include "passes/3_tile/TuningKeyOf.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <nlohmann/json.hpp>

using namespace mlir;

namespace tenon {

/// A module with nothing but the kernel, whose operands are @main's.
static OwningOpRef<ModuleOp> cutOut(KernelOp kernel) {
  OwningOpRef<ModuleOp> module(ModuleOp::create(UnknownLoc::get(kernel.getContext())));
  OpBuilder b = OpBuilder::atBlockEnd(module->getBody());
  auto type = b.getFunctionType(kernel.getInputs().getTypes(), kernel.getResultTypes());
  auto main = func::FuncOp::create(b, module->getLoc(), "main", type);
  Block *block = main.addEntryBlock();
  b.setInsertionPointToEnd(block);
  Operation *clone = b.clone(*kernel);
  clone->setOperands(block->getArguments());
  func::ReturnOp::create(b, module->getLoc(), clone->getResults());
  return module;
}

static std::string textOf(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream(text) << module << "\n";
  return text;
}

/// The task of a kernel, or why there is none. `module` is the kernel by itself.
static Result<TuningTask> taskOf(ModuleOp module, const GpuArch &arch, bool tf32) {
  TuningTask task;
  task.text = textOf(module);
  KernelOp kernel;
  module.walk([&](KernelOp op) { kernel = op; });
  TENON_TRY_ASSIGN(TuningKey known, tuningKeyOf(kernel, arch, tf32));
  task.kernel = kernel.getKernelName().str();
  task.op = known.op;
  task.shape = known.shape;
  task.types = known.types;
  task.epilogue = known.epilogue;
  task.arch = known.arch;
  task.isProduct = known.epilogue.empty();
  task.depth = gemmShapeOf(kernel, *findProduct(kernel.getBlock()), tf32).depth;
  TENON_TRY_ASSIGN(ReferenceKernel reference, makeReference(module));
  task.reference = textOf(*reference.exact);
  if (reference.rounded)
    task.rounded = textOf(*reference.rounded);
  for (const TileCandidate &candidate : rankTileSchedules(kernel, arch, tf32)) {
    std::string schedule;
    llvm::raw_string_ostream(schedule) << candidate.schedule;
    task.candidates.push_back({schedule, candidate.reason, candidate.seconds});
  }
  return task;
}

Result<TuningTasks> findTuningTasks(std::string_view text, const CompileOptions &options) {
  TENON_TRY_ASSIGN(CompileTarget target, CompileTarget::parse(options.target));
  if (!target.gpu)
    return invalidArgument("'" + options.target + "' is no GPU; schedules are measured for one, as sm_90a");
  TENON_TRY_ASSIGN(std::string formed, compileTo(text, options, "kernel"));
  DialectRegistry registry;
  registerDialects(registry);
  MLIRContext context(registry);
  context.loadDialect<tile::TileDialect>(); // of schedules
  std::string errors;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      errors += (errors.empty() ? "" : "; ") + diagnostic.str();
    return success();
  });
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(formed, ParserConfig(&context));
  if (!module)
    return internalError("what phase kernel printed cannot be read: " + errors);
  // Kernels are what schedules are chosen for: gates with the activation that reads them are one.
  PassManager manager(&context);
  buildBeforeTileSchedules(manager, *target.gpu);
  if (failed(manager.run(*module)))
    return internalError("the passes ahead of the choice of schedules fail: " + errors);
  TuningTasks found;
  found.build = version;
  std::map<std::vector<std::string>, size_t> known;
  SmallVector<KernelOp> kernels; // of all entries
  module->walk([&](KernelOp kernel) { kernels.push_back(kernel); });
  for (KernelOp kernel : kernels) {
    OwningOpRef<ModuleOp> alone = cutOut(kernel);
    Result<TuningTask> task = taskOf(*alone, *target.gpu, options.tf32);
    if (!task.ok()) {
      found.leftOut.emplace_back(kernel.getKernelName().str(), task.status().message());
      continue;
    }
    auto [at, isNew] = known.try_emplace({task->op, task->shape, task->types, task->epilogue}, found.tasks.size());
    if (isNew)
      found.tasks.push_back(task.take());
    else
      ++found.tasks[at->second].uses;
  }
  return found;
}

std::string toJson(const TuningTasks &tasks) {
  using Json = nlohmann::ordered_json;
  Json json = {{"build", tasks.build}, {"tasks", Json::array()}, {"left_out", Json::array()}};
  for (const TuningTask &task : tasks.tasks) {
    Json entry = {{"kernel", task.kernel},      {"op", task.op},
                  {"shape", task.shape},        {"types", task.types},
                  {"epilogue", task.epilogue},  {"arch", task.arch},
                  {"uses", task.uses},          {"depth", task.depth},
                  {"text", task.text},          {"reference", task.reference},
                  {"rounded", task.rounded},    {"is_product", task.isProduct},
                  {"candidates", Json::array()}};
    for (const TuningCandidate &candidate : task.candidates)
      entry["candidates"].push_back(
          {{"schedule", candidate.schedule}, {"reason", candidate.reason}, {"seconds", candidate.seconds}});
    json["tasks"].push_back(std::move(entry));
  }
  for (const auto &[kernel, why] : tasks.leftOut)
    json["left_out"].push_back({{"kernel", kernel}, {"why", why}});
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace tenon
