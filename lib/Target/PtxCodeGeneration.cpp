#include "lib/Target/PtxCodeGeneration.h"

#include "lib/Target/Optimise.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/CodeGen/CodeGenTargetMachineImpl.h"
#include "llvm/CodeGen/MachineModuleInfo.h"
#include "llvm/CodeGen/Passes.h"
#include "llvm/CodeGen/TargetPassConfig.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IRReader/IRReader.h"
#include "llvm/Linker/Linker.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/IPO/Internalize.h"

#include <mutex>

// Of the NVPTX back end alone: InitializeAllTargets would ask for those this build may not link.
extern "C" {
void LLVMInitializeNVPTXTarget();
void LLVMInitializeNVPTXTargetInfo();
void LLVMInitializeNVPTXTargetMC();
void LLVMInitializeNVPTXAsmPrinter();
}

using namespace mlir;

namespace tenon {
namespace {

/// TargetMachine::addPassesToEmitFile; without machine sinking where warps vote. What stands before such a branch hides
/// behind long latencies there (docs/decisions/0013), and ptxas does not move it back.
/// Elsewhere sinking saves registers.
bool emit(llvm::Module &module, llvm::TargetMachine &target, llvm::raw_pwrite_stream &stream) {
  auto &machine = static_cast<llvm::CodeGenTargetMachineImpl &>(target);
  llvm::legacy::PassManager passes;
  llvm::TargetPassConfig *config = machine.createPassConfig(passes);
  if (module.getFunction("llvm.nvvm.vote.any.sync"))
    config->disablePass(&llvm::MachineSinkingLegacyID);
  passes.add(config);
  auto *info = new llvm::MachineModuleInfoWrapperPass(&machine);
  passes.add(info);
  if (config->addISelPasses())
    return false;
  config->addMachinePasses();
  config->setInitialized();
  if (machine.addAsmPrinter(passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile, info->getMMI().getContext()))
    return false;
  passes.add(llvm::createFreeMachineFunctionPass());
  passes.run(module);
  return true;
}

Result<std::unique_ptr<llvm::TargetMachine>> createMachine(const GpuArch &arch, bool wantLocations) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
  llvm::Triple triple("nvptx64-nvidia-cuda");
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return internalError("LLVM has no NVPTX code generator: " + error);
  llvm::TargetOptions options;
  options.MCOptions.AsmVerbose = wantLocations; // else the comments only tell LLVM's own block names
  std::unique_ptr<llvm::TargetMachine> machine(
      target->createTargetMachine(triple, arch.name, "+ptx" + std::to_string(arch.ptxVersion), options, std::nullopt,
                                  std::nullopt, llvm::CodeGenOptLevel::Aggressive));
  if (!machine)
    return internalError(std::string("LLVM makes no target machine for ") + arch.name);
  return machine;
}

/// LLVM reports what it cannot compile (a constraint of inline assembly, ..) to the context, which by default ends the
/// process.
struct CollectedErrors : llvm::DiagnosticHandler {
  std::string &text;
  explicit CollectedErrors(std::string &text) : text(text) {}
  bool handleDiagnostics(const llvm::DiagnosticInfo &info) override {
    if (info.getSeverity() != llvm::DS_Error)
      return true;
    llvm::raw_string_ostream stream(text);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    stream << (text.empty() ? "" : "; ");
    info.print(printer);
    return true;
  }
};

/// What the hardware must have for an intrinsic whose name has `part`.
struct IntrinsicNeed {
  const char *part;
  bool (*has)(const GpuArch &);
  const char *first; ///< the first architecture that has it
};

const IntrinsicNeed *findNeed(llvm::StringRef intrinsic) {
  auto never = [](const GpuArch &) { return false; };
  auto fp8 = [](const GpuArch &arch) { return arch.rates.tensorF8 > 0; };
  auto clusters = [](const GpuArch &arch) { return arch.maxClusterBlocks > 0; };
  auto tma = [](const GpuArch &arch) { return arch.hasTma; };
  auto wgmma = [](const GpuArch &arch) { return arch.hasWgmma; };
  // The first that fits counts.
  static const IntrinsicNeed needs[] = {
      {"tcgen05", never, "sm_100a"},
      {"clusterlaunchcontrol", never, "sm_100"},
      {"gather4", never, "sm_100"},
      {"scatter4", never, "sm_100"},
      {"st.bulk", never, "sm_100"},
      {"redux.sync.f", never, "sm_100a"},
      {"block.scale", never, "sm_120a"},
      {".kind.", never, "sm_120a"},
      {"e2m1", never, "sm_100a"},
      {"e2m3", never, "sm_100a"},
      {"e3m2", never, "sm_100a"},
      {"ue8m0", never, "sm_100a"},
      {"e4m3", fp8, "sm_89"},
      {"e5m2", fp8, "sm_89"},
      {"wgmma", wgmma, "sm_90a"},
      {"setmaxnreg", wgmma, "sm_90a"},
      {"cluster", clusters, "sm_90a"},
      {"mapa", clusters, "sm_90a"},
      {"bulk", tma, "sm_90a"},
      {"tensormap", tma, "sm_90a"},
      {"fence.proxy", tma, "sm_90a"},
      {"elect.sync", tma, "sm_90a"},
      {"griddepcontrol", tma, "sm_90a"},
      {"stmatrix", [](const GpuArch &arch) { return arch.hasStmatrix; }, "sm_90a"},
  };
  if (intrinsic.starts_with("llvm.nvvm."))
    for (const IntrinsicNeed &need : needs)
      if (intrinsic.contains(need.part))
        return &need;
  return nullptr;
}

/// On what `arch` lacks LLVM ends the process ("Cannot select").
Status checkInstructions(const llvm::Module &module, const GpuArch &arch) {
  auto lacks = [&](const llvm::Function &function, const std::string &what, const std::string &first) {
    return unsupported("kernel '" + function.getName().str() + "' uses " + what + ", which " + arch.name +
                       " lacks; compile for " + first + ", or choose another atom or way to copy in its schedule");
  };
  llvm::SyncScope::ID cluster = module.getContext().getOrInsertSyncScopeID("cluster");
  for (const llvm::Function &function : module)
    for (const llvm::BasicBlock &block : function)
      for (const llvm::Instruction &instruction : block) {
        if (arch.maxClusterBlocks == 0 && llvm::getAtomicSyncScopeID(&instruction) == cluster)
          return lacks(function, "an atomic access of cluster scope", "sm_90a");
        const auto *call = dyn_cast<llvm::IntrinsicInst>(&instruction);
        if (!call)
          continue;
        llvm::StringRef name = call->getCalledFunction()->getName();
        if (const IntrinsicNeed *need = findNeed(name); need && !need->has(arch))
          return lacks(function, name.str(), need->first);
      }
  return {};
}

/// Links those functions of libdevice that are called; what else is called must be defined, or known to ptxas.
Status linkCalled(llvm::Module &module, const PtxOptions &options) {
  std::vector<std::string> fromLibdevice;
  for (const llvm::Function &function : module) {
    if (!function.isDeclaration() || function.isIntrinsic() || function.use_empty())
      continue;
    llvm::StringRef name = function.getName();
    if (name.starts_with("__nv_"))
      fromLibdevice.push_back(name.str());
    else if (name != "vprintf" && name != "__assertfail" && name != "malloc" && name != "free")
      return invalidArgument("the kernels call '" + name.str() + "', which nobody defines; a lowering to a function " +
                             "of libdevice (__nv_..) or to code is missing");
  }
  if (fromLibdevice.empty())
    return {};
  Result<std::string> path = findLibdevice(options.places, options.ptxas);
  if (!path.ok())
    return path.status().in("the kernels call " + fromLibdevice.front());
  llvm::SMDiagnostic diagnostic;
  std::unique_ptr<llvm::Module> library = llvm::getLazyIRFileModule(*path, diagnostic, module.getContext());
  if (!library)
    return corrupt("'" + *path + "' is no LLVM bitcode: " + diagnostic.getMessage().str() + "; reinstall the toolkit");
  // Its own names for the target, so that the linker does not warn that they differ.
  library->setTargetTriple(module.getTargetTriple());
  library->setDataLayout(module.getDataLayout());
  bool hasFailed = llvm::Linker::linkModules(module, std::move(library), llvm::Linker::Flags::LinkOnlyNeeded,
                                             [](llvm::Module &linked, const llvm::StringSet<> &names) {
                                               // What was linked is private, so that unused code goes.
                                               llvm::internalizeModule(linked, [&](const llvm::GlobalValue &value) {
                                                 return !names.contains(value.getName());
                                               });
                                             });
  if (hasFailed)
    return internalError("'" + *path + "' does not link");
  for (const std::string &name : fromLibdevice)
    if (const llvm::Function *function = module.getFunction(name); function && function->isDeclaration())
      return invalidArgument("the kernels call '" + name + "', which is not in '" + *path + "'");
  return {};
}

/// ptxas (13.0) takes a comparison of a 16-bit maximum with its operand from the instruction that computes two maxima,
/// and has the upper one's answer in the lower one's place: a branch goes the wrong way. LLVM narrows what it knows to
/// be small; minima and maxima become 32 bits wide again.
void widenExtrema(llvm::Module &module) {
  for (llvm::Function &function : module)
    for (llvm::BasicBlock &block : function)
      for (llvm::Instruction &instruction : llvm::make_early_inc_range(block)) {
        auto *extremum = llvm::dyn_cast<llvm::MinMaxIntrinsic>(&instruction);
        if (!extremum || !extremum->getType()->isIntegerTy() || extremum->getType()->getIntegerBitWidth() >= 32)
          continue;
        llvm::IRBuilder<> b(extremum);
        auto wide = [&](llvm::Value *value) { return b.CreateIntCast(value, b.getInt32Ty(), extremum->isSigned()); };
        llvm::Value *made =
            b.CreateBinaryIntrinsic(extremum->getIntrinsicID(), wide(extremum->getLHS()), wide(extremum->getRHS()));
        extremum->replaceAllUsesWith(b.CreateTrunc(made, extremum->getType()));
        extremum->eraseFromParent();
      }
}

/// The functions with nvvm.kernel.
Result<std::vector<std::string>> kernelsOf(Operation *module) {
  if (module->getNumRegions() != 1 || !module->hasTrait<OpTrait::SymbolTable>())
    return invalidArgument("'" + module->getName().getStringRef().str() +
                           "' is no module; expected gpu.module or module");
  std::vector<std::string> kernels;
  for (Operation &op : module->getRegion(0).getOps())
    if (op.hasAttr(NVVM::NVVMDialect::getKernelFuncAttrName()) && isa<LLVM::LLVMFuncOp>(op))
      kernels.push_back(cast<LLVM::LLVMFuncOp>(op).getName().str());
  if (kernels.empty())
    return invalidArgument("the module has no kernel: an llvm.func with the attribute nvvm.kernel");
  return kernels;
}

/// The module in a builtin one, which pass and translation take, with what debug directives need.
Result<OwningOpRef<ModuleOp>> wrap(Operation *module, bool wantLocations) {
  OwningOpRef<ModuleOp> wrapped(ModuleOp::create(module->getLoc()));
  for (Operation &op : module->getRegion(0).getOps())
    if (!op.hasTrait<OpTrait::IsTerminator>())
      wrapped->push_back(op.clone());
  if (!wantLocations)
    return wrapped;
  PassManager passes(module->getContext());
  // Directives only: no DWARF sections, which would grow the PTX tenfold and hold the compiler's folder.
  LLVM::DIScopeForLLVMFuncOpPassOptions options;
  options.emissionKind = LLVM::DIEmissionKind::DebugDirectivesOnly;
  passes.addPass(LLVM::createDIScopeForLLVMFuncOpPass(options));
  if (failed(passes.run(*wrapped)))
    return internalError("source locations cannot be attached to the kernels");
  return wrapped;
}

} // namespace

Result<GeneratedPtx> generatePtx(Operation *module, const GpuArch &arch, const PtxOptions &options) {
  GeneratedPtx generated;
  TENON_TRY_ASSIGN(generated.kernels, kernelsOf(module));
  TENON_TRY_ASSIGN(std::unique_ptr<llvm::TargetMachine> machine, createMachine(arch, options.wantLocations));
  TENON_TRY_ASSIGN(OwningOpRef<ModuleOp> wrapped, wrap(module, options.wantLocations));

  std::string errors;
  llvm::LLVMContext context;
  context.setDiagnosticHandler(std::make_unique<CollectedErrors>(errors));
  std::unique_ptr<llvm::Module> translated = translateModuleToLLVMIR(*wrapped, context, "kernels");
  if (!translated)
    return internalError("the kernels do not translate to LLVM IR");
  translated->setDataLayout(machine->createDataLayout());
  translated->setTargetTriple(machine->getTargetTriple());
  TENON_TRY(checkInstructions(*translated, arch));
  TENON_TRY(linkCalled(*translated, options));
  optimise(*translated, *machine, llvm::OptimizationLevel::O3);
  widenExtrema(*translated);
  if (options.wantIr) {
    llvm::raw_string_ostream stream(generated.ir);
    stream << *translated;
  }
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  if (!emit(*translated, *machine, stream))
    return internalError(std::string("LLVM cannot emit PTX for ") + arch.name);
  if (!errors.empty())
    return internalError("LLVM refuses the kernels: " + errors);
  generated.ptx.assign(bytes.data(), bytes.size());
  return generated;
}

} // namespace tenon
