#include "lib/Compiler/CodeGeneration.h"

#include "lib/Target/Optimise.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Analysis/TargetTransformInfo.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/Transforms/Utils/Cloning.h"

#include <mutex>

using namespace mlir;

namespace tenon {

static void initialiseTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
  });
}

Result<CpuTarget> CpuTarget::parse(const std::string &text) {
  initialiseTargets();
  CpuTarget target;
  if (text == "cpu") {
    target.cpu = llvm::sys::getHostCPUName().str();
    std::vector<std::string> features;
    for (const auto &feature : llvm::sys::getHostCPUFeatures())
      features.push_back((feature.second ? "+" : "-") + feature.first().str());
    llvm::sort(features);
    target.features = llvm::join(features, ",");
    return target;
  }
  if (text.rfind("cpu:", 0) != 0)
    return invalidArgument("target '" + text + "' is unknown; it is 'cpu' (this machine) or 'cpu:<llvm name>'");
  target.cpu = text.substr(4);
  TENON_TRY_ASSIGN(std::unique_ptr<llvm::TargetMachine> generic, CpuTarget({"generic", ""}).machine());
  if (!generic->getMCSubtargetInfo()->isCPUStringValid(target.cpu))
    return invalidArgument("target '" + text +
                           "' names no processor LLVM knows; `llc -mcpu=help` lists them, for example " +
                           "cpu:haswell, cpu:skylake-avx512, cpu:znver4");
  return target;
}

Result<std::unique_ptr<llvm::TargetMachine>> CpuTarget::machine() const {
  initialiseTargets();
  llvm::Triple triple(llvm::sys::getProcessTriple());
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return internalError("LLVM has no code generator for " + triple.str() + ": " + error);
  llvm::TargetOptions options;
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, cpu, features, options, llvm::Reloc::PIC_, std::nullopt, llvm::CodeGenOptLevel::Aggressive));
  if (!machine)
    return internalError("LLVM makes no target machine for " + triple.str());
  return machine;
}

std::vector<std::string> CpuTarget::requiredFeatures() const {
  std::vector<std::string> needed;
  Result<std::unique_ptr<llvm::TargetMachine>> made = machine();
  if (!made)
    return needed;
  for (const char *feature : {"avx", "avx2", "avx512f", "avx512bw", "avx512dq", "avx512vl", "f16c", "fma"})
    if ((*made)->getMCSubtargetInfo()->checkFeatures(std::string("+") + feature))
      needed.push_back(feature);
  return needed;
}

int64_t CpuTarget::vectorBits() const {
  std::vector<std::string> features = requiredFeatures();
  auto has = [&](const char *feature) { return llvm::is_contained(features, feature); };
  return has("avx512f") ? 512 : has("avx") ? 256 : 128;
}

namespace {

/// Masked stores of one known lane become stores of an element. LLVM 22 does so itself for x86, but where the vector is
/// truncated on its way it stores the element before the truncation: an i8 store of a truncated i32 writes four bytes.
void scalariseStoresOfOneLane(llvm::Module &module) {
  for (llvm::Function &function : module)
    for (llvm::BasicBlock &block : function)
      for (llvm::Instruction &instruction : llvm::make_early_inc_range(block)) {
        auto *store = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction);
        if (!store || store->getIntrinsicID() != llvm::Intrinsic::masked_store)
          continue;
        auto *mask = llvm::dyn_cast<llvm::Constant>(store->getArgOperand(2));
        auto *type = llvm::dyn_cast<llvm::FixedVectorType>(store->getArgOperand(0)->getType());
        if (!mask || !type)
          continue;
        llvm::SmallVector<unsigned> lanes;
        bool isKnown = true;
        for (unsigned lane = 0; lane < type->getNumElements(); ++lane) {
          auto *bit = llvm::dyn_cast_or_null<llvm::ConstantInt>(mask->getAggregateElement(lane));
          isKnown &= bit != nullptr;
          if (bit && bit->isOne())
            lanes.push_back(lane);
        }
        if (!isKnown || lanes.size() != 1)
          continue;
        llvm::IRBuilder<> builder(store);
        llvm::Value *element = builder.CreateExtractElement(store->getArgOperand(0), lanes.front());
        llvm::Value *address =
            builder.CreateConstInBoundsGEP1_32(type->getElementType(), store->getArgOperand(1), lanes.front());
        builder.CreateAlignedStore(element, address, llvm::Align(1));
        store->eraseFromParent();
      }
}

/// Optimises and emits one module of LLVM IR.
Status emit(llvm::Module &module, const CpuTarget &target, bool wantText, std::string &object, std::string &ir,
            std::string &assembly) {
  TENON_TRY_ASSIGN(std::unique_ptr<llvm::TargetMachine> machine, target.machine());
  module.setDataLayout(machine->createDataLayout());
  module.setTargetTriple(machine->getTargetTriple());
  module.setSourceFileName("kernels");
  for (llvm::Function &function : module) {
    function.addFnAttr("target-cpu", target.cpu);
    if (!target.features.empty())
      function.addFnAttr("target-features", target.features);
    // Without it vectors of 512 bits are split on processors that LLVM thinks prefer 256.
    function.addFnAttr("prefer-vector-width", "512");
  }
  // The loops are as wide as the registers allow already: a second copy of a body has its sums spilled (half the
  // speed).
  llvm::PipelineTuningOptions tuning;
  tuning.LoopUnrolling = false;
  optimise(module, *machine, llvm::OptimizationLevel::O3, tuning);
  scalariseStoresOfOneLane(module);

  auto generate = [&](llvm::CodeGenFileType type, std::string &text) -> Status {
    llvm::SmallVector<char, 0> bytes;
    llvm::raw_svector_ostream stream(bytes);
    llvm::legacy::PassManager passes;
    if (machine->addPassesToEmitFile(passes, stream, nullptr, type))
      return internalError("LLVM cannot emit code for " + target.cpu);
    passes.run(module);
    text.assign(bytes.data(), bytes.size());
    return {};
  };
  if (wantText) {
    llvm::raw_string_ostream stream(ir);
    stream << module;
    // Code generation changes the module: the text comes from a copy.
    std::unique_ptr<llvm::Module> copy = llvm::CloneModule(module);
    llvm::SmallVector<char, 0> bytes;
    llvm::raw_svector_ostream out(bytes);
    llvm::legacy::PassManager passes;
    if (machine->addPassesToEmitFile(passes, out, nullptr, llvm::CodeGenFileType::AssemblyFile))
      return internalError("LLVM cannot emit assembly for " + target.cpu);
    passes.run(*copy);
    assembly.assign(bytes.data(), bytes.size());
  }
  return generate(llvm::CodeGenFileType::ObjectFile, object);
}

/// Removes private functions that nothing calls any more.
void dropUnused(ModuleOp part) {
  bool changed = true;
  while (changed) {
    changed = false;
    llvm::StringSet<> called;
    part.walk([&](Operation *op) {
      for (NamedAttribute attribute : op->getAttrs())
        if (auto symbol = dyn_cast<FlatSymbolRefAttr>(attribute.getValue()))
          called.insert(symbol.getValue());
    });
    for (auto function : llvm::make_early_inc_range(part.getOps<LLVM::LLVMFuncOp>()))
      if ((function.isExternal() || function.getLinkage() != LLVM::Linkage::External) &&
          !called.contains(function.getName())) {
        function.erase();
        changed = true;
      }
  }
}

/// The kernels (public functions) of a module shared out by their number of ops, largest first. Private functions go
/// where they are called from.
std::vector<OwningOpRef<ModuleOp>> partition(ModuleOp kernels, unsigned parts) {
  llvm::StringMap<int64_t> ops;
  for (auto function : kernels.getOps<LLVM::LLVMFuncOp>())
    function.walk([&](Operation *) { ++ops[function.getName()]; });
  std::vector<std::pair<int64_t, std::string>> sizes;
  for (auto function : kernels.getOps<LLVM::LLVMFuncOp>())
    if (!function.isExternal() && function.getLinkage() == LLVM::Linkage::External) {
      int64_t size = ops[function.getName()];
      function.walk([&](LLVM::CallOp call) { size += call.getCallee() ? ops.lookup(*call.getCallee()) : 0; });
      sizes.emplace_back(-size, function.getName().str());
    }
  llvm::sort(sizes);
  std::vector<std::pair<int64_t, llvm::StringSet<>>> bins(std::min<size_t>(parts, std::max<size_t>(sizes.size(), 1)));
  for (const auto &[size, name] : sizes) {
    auto least = llvm::min_element(bins, [](const auto &a, const auto &b) { return a.first < b.first; });
    least->first -= size;
    least->second.insert(name);
  }
  std::vector<OwningOpRef<ModuleOp>> result;
  for (const auto &bin : bins) {
    OwningOpRef<ModuleOp> part(kernels.clone());
    for (auto function : llvm::make_early_inc_range(part->getOps<LLVM::LLVMFuncOp>()))
      if (!function.isExternal() && function.getLinkage() == LLVM::Linkage::External &&
          !bin.second.contains(function.getName()))
        function.erase();
    dropUnused(*part);
    result.push_back(std::move(part));
  }
  return result;
}

} // namespace

Result<GeneratedCode> generateCode(ModuleOp kernels, const CpuTarget &target, bool wantText) {
  unsigned threads = llvm::hardware_concurrency().compute_thread_count();
  std::vector<OwningOpRef<ModuleOp>> parts = partition(kernels, std::min(threads, 8u));
  struct Emitted {
    Status status;
    std::string object, ir, assembly;
  };
  std::vector<Emitted> emitted(parts.size());
  auto work = [&](size_t index) {
    llvm::LLVMContext context;
    std::unique_ptr<llvm::Module> module = translateModuleToLLVMIR(*parts[index], context, "kernels");
    Emitted &mine = emitted[index];
    mine.status = module ? emit(*module, target, wantText, mine.object, mine.ir, mine.assembly)
                         : internalError("the kernels do not translate to LLVM IR: start from an earlier phase");
  };
  llvm::StdThreadPool pool(llvm::hardware_concurrency(parts.size()));
  for (size_t index = 0; index < parts.size(); ++index)
    pool.async(work, index);
  pool.wait();
  GeneratedCode code;
  for (Emitted &part : emitted) {
    TENON_TRY(part.status);
    code.objects.push_back(std::move(part.object));
    code.ir += part.ir;
    code.assembly += part.assembly;
  }
  return code;
}

} // namespace tenon
