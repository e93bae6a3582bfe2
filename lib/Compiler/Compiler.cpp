#include "lib/Compiler/Compiler.h"

#include "dialects/Tenon/Tenon.h"
#include "dialects/Tile/Tile.h"
#include "lib/Analysis/ContractionKernel.h"
#include "lib/Compiler/CompileTarget.h"
#include "lib/Compiler/GpuCodeGeneration.h"
#include "lib/Compiler/PlanBuilder.h"
#include "lib/Compiler/SharedObject.h"
#include "lib/Compiler/SharedValueNames.h"
#include "lib/Compiler/TextGuard.h"
#include "lib/Pipelines/Phases.h"
#include "lib/Runtime/Artefact.h"
#include "lib/Support/Version.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"

#include <chrono>
#include <cstdlib>

using namespace mlir;

namespace tenon {
namespace {

/// "file:line:column", and behind it the path of the module of a model's op: "model.py:7:0 (encoder.layer.0)".
std::string locationText(Location location) {
  auto file = location->findInstanceOf<FileLineColLoc>();
  if (!file)
    return {};
  std::string text =
      file.getFilename().str() + ":" + std::to_string(file.getLine()) + ":" + std::to_string(file.getColumn());
  auto named = location->findInstanceOf<NameLoc>();
  return named && named.getChildLoc() == file ? text + " (" + named.getName().str() + ")" : text;
}

/// Where measured schedules come from.
std::string tuningOf(const CompileOptions &options) {
  const char *named = std::getenv("TENON_TUNING");
  return options.tuning.empty() && named ? named : options.tuning;
}

class CollectingStreamer : public remark::detail::MLIRRemarkStreamerBase {
public:
  explicit CollectingStreamer(std::vector<Remark> &into) : into(into) {}
  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    std::string message;
    for (const remark::detail::Remark::Arg &argument : remark.getArgs())
      message += (message.empty() ? "" : ", ") + (argument.key == "Remark" ? "" : argument.key + "=") + argument.val;
    into.push_back({remark.getRemarkTypeString().lower(), remark.getCombinedCategoryName().str(),
                    locationText(remark.getLocation()), message});
  }

private:
  std::vector<Remark> &into;
};

/// One compilation: a context, the module of one entry after the other, and the errors said so far.
class Driver {
public:
  Driver(const CompileOptions &options, CompileReport &report) : options(options), report(report) {}

  Status start(std::string_view text);
  /// Of the entries that are to be compiled. Each is selected before it is run.
  size_t numEntries() const { return entries.size(); }
  Status select(size_t entry);
  /// The phases to come, up to and with that one.
  Status lower(std::optional<Phase> last = {});
  /// The whole text, each entry as it is now.
  std::string print();
  Status generate(CompiledEntry &into);
  /// After lower() or generate(): goes back to where the refused kernels were formed, and has them made another way.
  bool retry();
  /// The target's phases that the text is not yet past.
  llvm::ArrayRef<Phase> phasesToCome() const;

private:
  Status run(Phase phase);
  Status refuseOverBudget();
  /// Runs `step`, whose time goes into the report under `name`; `kind` where it fails.
  template <typename Step>
  Status timed(const std::string &name, ErrorKind kind, Step step) {
    auto begin = std::chrono::steady_clock::now();
    bool good = succeeded(step());
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    report.seconds.emplace_back((isOneOfSeveral() ? names[selected] + " " : "") + name, took.count());
    if (good)
      return {};
    return {kind, errors.empty() ? name + " failed without saying why" : errors};
  }
  Status dump(const std::string &file, llvm::StringRef text);
  Result<std::string> dumpFolder(llvm::StringRef name);
  Status dumpModule(const std::string &file);
  Status dumpKernels(const std::string &file);
  Status generateCpu(ModuleOp kernels, CompiledEntry &into);
  Status generateGpu(ModuleOp kernels, CompiledEntry &into);
  LogicalResult collect(Diagnostic &diagnostic);
  Status findEntries();
  bool isOneOfSeveral() const { return whole && entries.size() > 1; }

  const CompileOptions &options;
  CompileReport &report;
  std::optional<Phase> first; // none: past them all
  CompileTarget target;
  std::string errors;
  unsigned numErrors = 0;
  std::unique_ptr<MLIRContext> context;
  std::unique_ptr<ScopedDiagnosticHandler> handler;
  OwningOpRef<ModuleOp> whole;                // of modules, each an entry; null where the text is an entry itself
  std::vector<OwningOpRef<ModuleOp>> entries; // but for the one that is selected
  std::vector<std::string> names;
  size_t selected = 0;
  OwningOpRef<ModuleOp> module;
  OwningOpRef<ModuleOp> formed; // for a GPU: before phase tile
  std::vector<KernelCode> codes;
  std::map<std::string, std::string> refused;
};

LogicalResult Driver::collect(Diagnostic &diagnostic) {
  if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
    return success();
  if (++numErrors > 10)
    return success();
  auto append = [&](Diagnostic &part, const char *kind) {
    std::string where = locationText(part.getLocation()), text = part.str();
    if (text.find("-allow-unregistered-dialect") != std::string::npos) // no option of ours
      text = "this operation is of a dialect that Tenon does not know; a model is made of ops of the `tenon` dialect, "
             "which its documentation lists, or imported by the Python package";
    errors += (errors.empty() ? "" : "\n") + where + (where.empty() ? "" : ": ") + kind + text;
  };
  // With a reproducer, one more error follows that of the pass: what it says stands in its note.
  bool isAboutReproducer = StringRef(diagnostic.str()).contains("detected while processing an MLIR pass pipeline");
  if (!isAboutReproducer)
    append(diagnostic, "error: ");
  for (Diagnostic &note : diagnostic.getNotes())
    if (!isa<UnknownLoc>(note.getLocation()))
      append(note, "note: ");
  if (errors.size() > 16384)
    errors.resize(16384);
  return success();
}

Status Driver::start(std::string_view text) {
  first = parsePhase(options.from);
  TENON_TRY_ASSIGN(target, CompileTarget::parse(options.target));
  TENON_TRY(guardText(text).in(options.filename));
  if (!options.dumpDir.empty())
    if (std::error_code error = llvm::sys::fs::create_directories(options.dumpDir))
      return ioError(options.dumpDir + ": " + error.message() + "; the dump folder cannot be made");
  DialectRegistry registry;
  registerDialects(registry);
  context = std::make_unique<MLIRContext>(registry);
  context->printOpOnDiagnostic(false); // a message is for the model's author: place and reason, not a dump of IR
  handler = std::make_unique<ScopedDiagnosticHandler>(context.get(), [this](Diagnostic &d) { return collect(d); });
  if (options.remarks) {
    // One pattern a kind: a pattern for all of them is added to each, but alone enables none.
    remark::RemarkCategories all{std::nullopt, ".*", ".*", ".*", ".*"};
    if (failed(remark::enableOptimizationRemarks(*context, std::make_unique<CollectingStreamer>(report.remarks),
                                                 std::make_unique<remark::RemarkEmittingPolicyAll>(), all)))
      return internalError("remarks cannot be collected");
  }
  TENON_TRY(timed("parse", ErrorKind::InvalidArgument, [&]() -> LogicalResult {
    llvm::SourceMgr sources;
    sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(text, options.filename), SMLoc());
    module = parseSourceFile<ModuleOp>(sources, ParserConfig(context.get()));
    return success(bool(module));
  }));
  return findEntries();
}

/// A module that has no @main and nothing but modules with names is a model with several entries.
Status Driver::findEntries() {
  Block &body = *module->getBody();
  bool isOfEntries = !body.empty() && llvm::all_of(body, [](Operation &op) {
    auto nested = dyn_cast<ModuleOp>(op);
    return nested && nested.getSymName();
  });
  if (!isOfEntries) {
    if (!options.entry.empty() && options.entry != mainEntry)
      return notFound(options.filename + " has no entry '" + options.entry + "'; it is one itself, 'main'");
    names.emplace_back(mainEntry);
    entries.push_back(std::move(module));
    return {};
  }
  std::string known;
  for (auto nested : body.getOps<ModuleOp>()) {
    std::string name = nested.getSymName()->str();
    known += (known.empty() ? "'" : ", '") + name + "'";
    if (!options.entry.empty() && options.entry != name)
      continue;
    names.push_back(name);
    entries.emplace_back(nested.clone());
  }
  if (entries.empty())
    return notFound(options.filename + " has no entry '" + options.entry + "'; its entries are " + known);
  if (options.oneEntry && entries.size() > 1)
    return invalidArgument(options.filename + " has the entries " + known + ": say which");
  if (!options.entry.empty()) { // a model of its own
    names.front() = mainEntry;
    module = nullptr;
    return {};
  }
  whole = std::move(module);
  body.clear();
  return {};
}

Status Driver::select(size_t entry) {
  if (module)
    entries[selected] = std::move(module);
  selected = entry;
  module = std::move(entries[entry]);
  formed = nullptr;
  first = parsePhase(options.from);
  codes.clear();
  if (options.dumpDir.empty())
    return {};
  if (isOneOfSeveral())
    TENON_TRY(dumpFolder("").status());
  return dumpModule("00-input.mlir");
}

/// Where what is dumped goes: of several entries, each has a folder.
Result<std::string> Driver::dumpFolder(llvm::StringRef name) {
  llvm::SmallString<128> path(options.dumpDir);
  llvm::sys::path::append(path, isOneOfSeveral() ? names[selected] : "", name);
  if (std::error_code error = llvm::sys::fs::create_directories(path))
    return ioError(path.str().str() + ": " + error.message() + "; the dump folder cannot be made");
  return name.str();
}

Status Driver::dump(const std::string &file, llvm::StringRef text) {
  llvm::SmallString<128> path(options.dumpDir);
  llvm::sys::path::append(path, isOneOfSeveral() ? names[selected] : "", file);
  std::error_code error;
  llvm::raw_fd_ostream stream(path, error);
  if (!error) {
    stream << text;
    stream.close();
    error = stream.error();
    stream.clear_error();
  }
  return error ? ioError(path.str().str() + ": " + error.message()) : Status();
}

llvm::ArrayRef<Phase> Driver::phasesToCome() const {
  llvm::ArrayRef<Phase> phases = phasesOf(target.phaseOptions());
  return first ? phases.drop_while([&](Phase phase) { return phase != *first; }) : llvm::ArrayRef<Phase>();
}

Status Driver::lower(std::optional<Phase> last) {
  for (Phase phase : phasesToCome()) {
    TENON_TRY(run(phase));
    if (phase == Phase::warp)
      TENON_TRY(refuseOverBudget());
    if (phase == last)
      break;
  }
  return {};
}

/// What has more of a multiprocessor than there is need not become machine code to be refused.
Status Driver::refuseOverBudget() {
  std::string messages;
  module->walk([&](tile::KernelOp kernel) {
    auto why = kernel->getAttrOfType<StringAttr>(overBudgetAttrName);
    if (!why)
      return;
    refused[kernel.getSymName().str()] = why.str();
    messages += (messages.empty() ? "" : "\n") + why.str();
  });
  return refused.empty() ? Status() : Status(ErrorKind::Unsupported, messages);
}

Status Driver::run(Phase phase) {
  PhaseOptions phaseOptions = target.phaseOptions();
  phaseOptions.failOnFallback = options.failOnFallback;
  phaseOptions.tf32 = options.tf32;
  phaseOptions.schedules = options.schedules;
  phaseOptions.tuning = tuningOf(options);
  if (phase == Phase::tile)
    formed = module->clone();
  TENON_TRY(timed(name(phase).str(), ErrorKind::Unsupported, [&] {
    PassManager manager(context.get());
    if (!options.reproducer.empty())
      manager.enableCrashReproducerGeneration(options.reproducer);
    buildPhase(manager, phase, phaseOptions);
    return manager.run(*module);
  }));
  if (options.dumpDir.empty())
    return {};
  llvm::ArrayRef<Phase> phases = phasesOf(phaseOptions);
  auto number = llvm::find(phases, phase) - phases.begin() + 1;
  std::string file = "0" + std::to_string(number) + "-" + name(phase).str() + ".mlir";
  TENON_TRY(dumpModule(file));
  return target.gpu ? dumpKernels(file) : Status();
}

/// Each kernel by itself, as kernels/NAME.03-tile.mlir: sorted by name, its files are its way down.
Status Driver::dumpKernels(const std::string &file) {
  auto kernels = module->lookupSymbol<ModuleOp>("kernels");
  if (!kernels)
    return {};
  TENON_TRY_ASSIGN(std::string folder, dumpFolder("kernels"));
  for (Operation &op : kernels.getOps()) {
    auto function = dyn_cast<LLVM::LLVMFuncOp>(op);
    if (!isa<tile::KernelOp>(op) && !(function && function->hasAttr(NVVM::NVVMDialect::getKernelFuncAttrName())))
      continue;
    OwningOpRef<ModuleOp> alone(ModuleOp::create(kernels.getLoc())); // which has its maps and layouts named
    alone->push_back(op.clone());
    std::string text;
    if (auto lines = op.getAttrOfType<ArrayAttr>(pipelineAttrName); lines && isa<tile::KernelOp>(op)) {
      for (Attribute line : lines)
        text += "// " + cast<StringAttr>(line).str() + "\n";
      alone->getBody()->front().removeAttr(pipelineAttrName);
    }
    llvm::raw_string_ostream(text) << *alone << "\n";
    TENON_TRY(dump(folder + "/" + SymbolTable::getSymbolName(&op).str() + "." + file, text));
  }
  return {};
}

static std::string printed(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, OpPrintingFlags().useLocalScope(false));
  stream << "\n";
  return text;
}

Status Driver::dumpModule(const std::string &file) { return dump(file, printed(*module)); }

std::string Driver::print() {
  if (!whole)
    return printed(module ? *module : *entries.front());
  OwningOpRef<ModuleOp> together = whole->clone();
  for (size_t entry = 0; entry < entries.size(); ++entry)
    together->push_back((module && entry == selected ? *module : *entries[entry]).clone());
  return printed(*together);
}

Status Driver::generate(CompiledEntry &into) {
  into = {};
  into.name = names[selected];
  TENON_TRY(timed("plan", ErrorKind::Unsupported, [&]() -> LogicalResult {
    FailureOr<BuiltPlan> built = buildPlan(*module, target.gpu != nullptr);
    if (failed(built))
      return failure();
    into.plan = std::move(built->plan);
    into.constants = std::move(built->constants);
    return success();
  }));
  into.plan.format = target.gpu ? LaunchPlan::cudaFormat : LaunchPlan::cpuFormat;
  for (const auto &[name, kernel] : into.plan.kernels) {
    bool rounds = kernel.cuda && llvm::any_of(kernel.cuda->tensorMaps, [](auto &map) { return map.roundsToTf32; });
    int64_t needed = rounds ? LaunchPlan::tf32Format : kernel.updates.empty() ? 0 : LaunchPlan::updatesFormat;
    into.plan.format = std::max(into.plan.format, needed);
  }
  into.plan.compiler = std::string("tenon ") + version + ", LLVM " LLVM_VERSION_STRING;
  into.plan.target = target.name();
  if (!target.gpu)
    into.plan.features = target.cpu.requiredFeatures();
  if (Status valid = validateLaunchPlan(into.plan); !valid.ok())
    return internalError("the launch plan made from @main is not valid: " + valid.message());
  auto kernels = module->lookupSymbol<ModuleOp>("kernels");
  if (!kernels)
    return into.plan.kernels.empty() ? Status() : internalError("there is no module @kernels after the last phase");
  if (whole)
    nameSharedValues(into.plan, into.constants, kernels);
  Status generated;
  TENON_TRY(timed("code", ErrorKind::Internal, [&] {
    generated = target.gpu ? generateGpu(kernels, into) : generateCpu(kernels, into);
    if (!generated.ok())
      errors += (errors.empty() ? "" : "\n") + generated.message();
    return success(generated.ok());
  }));
  return generated;
}

Status Driver::generateCpu(ModuleOp kernels, CompiledEntry &into) {
  TENON_TRY_ASSIGN(GeneratedCode code, generateCode(kernels, target.cpu, !options.dumpDir.empty()));
  into.objects = std::move(code.objects);
  if (options.dumpDir.empty())
    return {};
  TENON_TRY(dump("kernels.ll", code.ir));
  return dump("kernels.s", code.assembly);
}

Status Driver::generateGpu(ModuleOp kernels, CompiledEntry &into) {
  GpuCodeOptions codeOptions;
  codeOptions.ptxas = options.ptxas;
  codeOptions.lineInfo = options.lineInfo;
  codeOptions.log = [&](const std::string &text) { report.remarks.push_back({"analysis", "cubin-cache", "", text}); };
  if (!options.dumpDir.empty()) {
    TENON_TRY_ASSIGN(std::string folder, dumpFolder("kernels"));
    codeOptions.dump = [this, folder](const std::string &file, const std::string &text) {
      return dump(folder + "/" + file, text);
    };
  }
  GpuCode code;
  if (target.isSimulated) {
    code = printKernels(kernels);
  } else {
    TENON_TRY_ASSIGN(code, generateGpuCode(kernels, *target.gpu, codeOptions));
  }
  for (const auto &[kernel, facts] : code.facts)
    codes.push_back({(isOneOfSeveral() ? into.name + "/" : "") + kernel, facts.info.registers,
                     facts.code.numInstructions, facts.code.numTensorCore(), facts.code.opcodes});
  into.cubins = std::move(code.cubins);
  refused = std::move(code.refused);
  if (refused.empty()) {
    report.kernels.insert(report.kernels.end(), codes.begin(), codes.end());
    return {};
  }
  std::string messages;
  for (const auto &[kernel, why] : refused)
    messages += (messages.empty() ? "" : "\n") + why;
  return internalError(messages);
}

/// What the name of a refused kernel has behind that of one it comes from: derived kernels are named after it, and
/// kernels in one launch after all of them. None where it does not come from that.
static std::optional<StringRef> derivationOf(StringRef refused, StringRef kernel) {
  SmallVector<StringRef> launched;
  refused.split(launched, "_and_");
  for (StringRef part : launched)
    if (part.consume_front(kernel) && (part.empty() || part.starts_with("_part") || part.starts_with("_sum") ||
                                       part.starts_with("_gated_") || part.starts_with("_read_by_")))
      return part;
  return std::nullopt;
}

/// Products and attentions get other schedules first, and a concatenation is a kernel apart from who reads it; what is
/// refused again, and all else, goes the general path, which has to do, unless that is an error. With schedules by hand
/// a refusal is an error.
bool Driver::retry() {
  constexpr size_t mostRefusals = 2;
  if (refused.empty() || !formed || !options.schedules.empty())
    return false;
  bool isAny = false, isFinal = false;
  formed->walk([&](KernelOp kernel) {
    auto why = llvm::find_if(
        refused, [&](const auto &entry) { return derivationOf(entry.first, kernel.getKernelName()).has_value(); });
    if (why == refused.end() || kernel->hasAttr(generalAttrName))
      return;
    isAny = true;
    Builder b(kernel.getContext());
    auto before = kernel->getAttrOfType<ArrayAttr>(refusalsAttrName);
    SmallVector<Attribute> refusals(before ? before.getValue() : ArrayRef<Attribute>());
    refusals.push_back(b.getStringAttr(why->second));
    bool isJoined = derivationOf(why->first, kernel.getKernelName())->starts_with("_read_by_");
    bool hasOthers = isJoined || findContraction(kernel.getBlock()) || !kernel.getBlock().getOps<AttentionOp>().empty();
    if (hasOthers && refusals.size() <= mostRefusals)
      kernel->setAttr(refusalsAttrName, b.getArrayAttr(refusals));
    else if (options.failOnFallback)
      isFinal = true;
    else
      kernel->setAttr(generalAttrName, b.getStringAttr(why->second));
  });
  if (!isAny || isFinal)
    return false;
  refused.clear();
  errors.clear();
  codes.clear();
  module = formed->clone();
  first = Phase::tile;
  return true;
}

} // namespace

Status checkUse(const CompileOptions &options, const std::string &to) {
  TENON_TRY_ASSIGN(CompileTarget target, CompileTarget::parse(options.target));
  PhaseOptions phases = target.phaseOptions();
  std::optional<Phase> first, last;
  if (options.from != "artefact") {
    TENON_TRY_ASSIGN(first, findPhase(options.from, phases));
  }
  if (to != "artefact") {
    TENON_TRY_ASSIGN(last, findPhase(to, phases));
  }
  if (last && (!first || *last < *first))
    return backwardPhases(options.from, to, phases);
  return {};
}

Result<Compilation> compile(std::string_view text, const CompileOptions &options) {
  TENON_TRY(checkUse(options));
  Compilation result;
  Driver driver(options, result.report);
  TENON_TRY(driver.start(text));
  // As it was read: a check of the artefact against this model covers every phase.
  if (options.keepModel && options.from == "graph")
    result.model = driver.print();
  for (size_t entry = 0; entry < driver.numEntries(); ++entry) {
    TENON_TRY(driver.select(entry));
    result.entries.emplace_back();
    for (bool isDone = false; !isDone;) {
      Status made = driver.lower();
      if (made.ok())
        made = driver.generate(result.entries.back());
      isDone = made.ok();
      if (!isDone && !driver.retry())
        return made;
    }
  }
  return result;
}

Result<std::string> compileTo(std::string_view text, const CompileOptions &options, const std::string &to,
                              CompileReport *report) {
  TENON_TRY(checkUse(options, to));
  CompileReport own;
  Driver driver(options, report ? *report : own);
  TENON_TRY(driver.start(text));
  for (size_t entry = 0; entry < driver.numEntries(); ++entry) {
    TENON_TRY(driver.select(entry));
    Status lowered = driver.lower(parsePhase(to));
    while (!lowered.ok() && driver.retry())
      lowered = driver.lower(parsePhase(to));
    TENON_TRY(lowered);
  }
  return driver.print();
}

Result<std::string> makeArtefact(const Compilation &compilation, std::string_view weights) {
  std::vector<std::string> kernels(compilation.entries.size());
  ArtefactParts parts = {{}, weights, compilation.model};
  for (const CompiledEntry &entry : compilation.entries) {
    std::string &linked = kernels[parts.entries.size()];
    if (!entry.objects.empty() && !entry.plan.kernels.empty()) {
      TENON_TRY_ASSIGN(linked, linkSharedObject(entry.objects));
    }
    parts.entries.push_back({entry.name, entry.plan, linked, entry.constants,
                             std::map<std::string, std::string_view>(entry.cubins.begin(), entry.cubins.end())});
  }
  return writeArtefact(parts);
}

} // namespace tenon
