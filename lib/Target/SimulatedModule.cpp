#include "lib/Target/SimulatedModule.h"

#include "lib/Sim/DeviceFunctions.h"
#include "lib/Sim/TensorMapRules.h"
#include "lib/Target/Optimise.h"
#include "passes/6_ptx/Passes.h"
#include "passes/sim/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

#include <mutex>

using namespace mlir;

namespace tenon {

struct SimulatedModule::Code {
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

SimulatedModule::SimulatedModule() : code(std::make_unique<Code>()) {}
SimulatedModule::~SimulatedModule() = default;

namespace {

/// A builtin module with copies of the kernels and what is beside them.
Result<OwningOpRef<ModuleOp>> copyKernels(Operation *module) {
  if (auto nested = dyn_cast<ModuleOp>(module))
    if (auto kernels = nested.lookupSymbol<ModuleOp>("kernels"))
      module = kernels;
  if (module->getNumRegions() != 1 || !module->hasTrait<OpTrait::SymbolTable>())
    return invalidArgument("'" + module->getName().getStringRef().str() +
                           "' is no module; expected gpu.module or module");
  OwningOpRef<ModuleOp> copy(ModuleOp::create(module->getLoc()));
  for (Operation &op : module->getRegion(0).getOps()) {
    if (op.hasTrait<OpTrait::IsTerminator>())
      continue;
    if (!isa<LLVM::LLVMFuncOp, LLVM::GlobalOp>(op))
      return invalidArgument(
          "'" + op.getName().getStringRef().str() +
          "' stands beside the kernels; expected functions of the llvm dialect, as they are after phase "
          "thread, or a module @kernels of them");
    copy->push_back(op.clone());
  }
  return copy;
}

Status lower(ModuleOp module) {
  std::string errors;
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
      return failure();
    llvm::raw_string_ostream stream(errors);
    stream << (errors.empty() ? "" : "; ");
    if (auto place = diagnostic.getLocation()->findInstanceOf<FileLineColLoc>())
      stream << place.getFilename().getValue() << ":" << place.getLine() << ":" << place.getColumn() << ": ";
    stream << diagnostic;
    return success();
  });
  PassManager passes(module.getContext());
  passes.addPass(createCallLibdevicePass()); // as for the device, whose library is the simulator's here
  passes.addPass(createSimReplaceDeviceOpsPass());
  passes.addPass(createLowerAffinePass());
  passes.addPass(arith::createArithExpandOpsPass());
  passes.addPass(createSCFToControlFlowPass());
  passes.addPass(createConvertVectorToLLVMPass());
  passes.addPass(createConvertToLLVMPass());
  passes.addPass(createReconcileUnrealizedCastsPass());
  if (failed(passes.run(module)))
    return unsupported("the kernels cannot be simulated: " + errors);
  return {};
}

/// This machine's code without the conversions to bf16 that take denormals for zero.
Result<llvm::orc::JITTargetMachineBuilder> hostMachine() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
  llvm::Expected<llvm::orc::JITTargetMachineBuilder> machine = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!machine)
    return internalError("no JIT for this machine: " + llvm::toString(machine.takeError()));
  if (machine->getTargetTriple().isX86())
    machine->addFeatures({"-avx512bf16", "-avxneconvert", "-avx10.2", "-avx10.2-512"});
  machine->setCodeGenOptLevel(llvm::CodeGenOptLevel::Less);
  return std::move(*machine);
}

Result<std::unique_ptr<llvm::orc::LLJIT>> load(ModuleOp module) {
  auto context = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> translated = translateModuleToLLVMIR(module, *context, "kernels");
  if (!translated)
    return internalError("the kernels do not translate to LLVM IR for the simulator");
  TENON_TRY_ASSIGN(llvm::orc::JITTargetMachineBuilder builder, hostMachine());
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine = builder.createTargetMachine();
  if (!machine)
    return internalError("no target machine: " + llvm::toString(machine.takeError()));
  translated->setDataLayout((*machine)->createDataLayout());
  translated->setTargetTriple((*machine)->getTargetTriple());
  for (llvm::Function &function : *translated) // a frame beyond the stack's end must not jump over the guard there
    function.addFnAttr("probe-stack", "inline-asm");
  optimise(*translated, **machine, llvm::OptimizationLevel::O1);

  llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>> jit =
      llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(builder)).create();
  if (!jit)
    return internalError("no JIT on this machine: " + llvm::toString(jit.takeError()));
  llvm::orc::SymbolMap symbols;
  for (const sim::DeviceFunction &function : sim::deviceFunctions())
    symbols[(*jit)->mangleAndIntern(llvm::StringRef(function.name))] = {
        llvm::orc::ExecutorAddr::fromPtr(function.address),
        llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
  llvm::Error error = (*jit)->getMainJITDylib().define(llvm::orc::absoluteSymbols(std::move(symbols)));
  if (!error)
    error = (*jit)->addIRModule(llvm::orc::ThreadSafeModule(std::move(translated), std::move(context)));
  if (error)
    return internalError("the kernels do not load: " + llvm::toString(std::move(error)));
  return std::move(*jit);
}

std::vector<sim::Site> readSites(ModuleOp module) {
  std::vector<sim::Site> sites;
  for (Attribute each : module->getAttrOfType<ArrayAttr>("tenon.sim_sites")) {
    auto parts = cast<ArrayAttr>(each);
    sites.push_back({cast<StringAttr>(parts[0]).str(), cast<StringAttr>(parts[1]).str()});
  }
  return sites;
}

Result<sim::Kernel> readKernel(LLVM::LLVMFuncOp function, llvm::orc::LLJIT &jit, int64_t staticShared) {
  sim::Kernel kernel;
  kernel.name = function.getSymName().str();
  kernel.staticShared = staticShared;
  if (auto shared = function->getAttrOfType<IntegerAttr>("tenon.shared_bytes"))
    kernel.dynamicShared = shared.getInt();
  auto setBlock = [&](auto sizes) {
    for (auto [axis, size] : llvm::enumerate(sizes))
      kernel.block[axis] = size;
  };
  if (auto block = function->getAttrOfType<DenseI64ArrayAttr>("tenon.block"))
    setBlock(block.asArrayRef());
  else if (auto required = function->getAttrOfType<DenseI32ArrayAttr>("nvvm.reqntid"))
    setBlock(required.asArrayRef());
  else
    return invalidArgument("kernel @" + kernel.name +
                           " does not say how many threads a CTA has; expected tenon.block or nvvm.reqntid");
  llvm::Expected<llvm::orc::ExecutorAddr> entry = jit.lookup("tenon_sim_launch_" + kernel.name);
  if (!entry)
    return internalError("kernel @" + kernel.name + " has no code: " + llvm::toString(entry.takeError()));
  kernel.entry = entry->toPtr<void (*)(void *const *)>();
  return kernel;
}

std::array<int64_t, 3> clusterOf(LLVM::LLVMFuncOp function) {
  std::array<int64_t, 3> cluster = {1, 1, 1};
  if (auto given = function->getAttrOfType<DenseI64ArrayAttr>("tenon.cluster"))
    std::copy_n(given.asArrayRef().begin(), std::min<int64_t>(given.size(), 3), cluster.begin());
  return cluster;
}

/// By the parameters of the launch function: addresses where the kernel takes a map by value.
std::vector<size_t> parameterBytes(LLVM::LLVMFuncOp function) {
  auto maps = function->getAttrOfType<ArrayAttr>("tenon.tensor_maps");
  std::vector<size_t> bytes(function.getNumArguments(), 8);
  size_t numMaps = std::min(maps ? maps.size() : 0, bytes.size());
  std::fill(bytes.end() - static_cast<std::ptrdiff_t>(numMaps), bytes.end(), 128);
  return bytes;
}

} // namespace

Result<std::unique_ptr<SimulatedModule>> SimulatedModule::compile(Operation *module) {
  TENON_TRY_ASSIGN(OwningOpRef<ModuleOp> copy, copyKernels(module));
  TENON_TRY(lower(*copy));
  std::unique_ptr<SimulatedModule> result(new SimulatedModule());
  TENON_TRY_ASSIGN(result->code->jit, load(*copy));
  result->sites = readSites(*copy);
  int64_t staticShared = (*copy)->getAttrOfType<IntegerAttr>("tenon.sim_static_shared").getInt();
  for (auto function : copy->getOps<LLVM::LLVMFuncOp>())
    if (function->hasAttr("tenon.sim_kernel")) {
      TENON_TRY_ASSIGN(sim::Kernel kernel, readKernel(function, *result->code->jit, staticShared));
      kernel.sites = &result->sites;
      auto map = [&, &function = function](const char *name) {
        auto attribute = function->getAttrOfType<AffineMapAttr>(name);
        return attribute ? attribute.getValue() : AffineMap();
      };
      auto counters = function->getAttrOfType<IntegerAttr>("tenon.counter_bytes");
      int64_t counterBytes = counters ? counters.getInt() : 0;
      auto wave = function->getAttrOfType<IntegerAttr>("tenon.one_wave");
      result->kernels[kernel.name] = {kernel,
                                      parameterBytes(function),
                                      map("tenon.grid"),
                                      map("tenon.scratch_bytes"),
                                      map("tenon.zeroed_bytes"),
                                      function->getAttrOfType<ArrayAttr>("tenon.tensor_maps"),
                                      clusterOf(function),
                                      counterBytes,
                                      wave ? wave.getInt() : 0};
    }
  if (result->kernels.empty())
    return invalidArgument("the module has no kernel: an llvm.func with the attribute nvvm.kernel");
  return result;
}

std::vector<std::string> SimulatedModule::kernelNames() const {
  std::vector<std::string> names;
  for (const auto &[name, kernel] : kernels)
    names.push_back(name);
  return names;
}

const sim::Kernel *SimulatedModule::find(const std::string &kernel) const {
  auto found = kernels.find(kernel);
  return found == kernels.end() ? nullptr : &found->second.kernel;
}

const std::vector<size_t> &SimulatedModule::parameters(const std::string &kernel) const {
  return kernels.at(kernel).parameters;
}

/// The map's results for the dims, which it may take as symbols; `otherwise` without a map.
static Result<std::vector<int64_t>> evaluate(AffineMap map, ArrayRef<int64_t> dims, const std::string &what,
                                             std::vector<int64_t> otherwise) {
  if (!map)
    return otherwise;
  if (map.getNumInputs() != dims.size() || map.getNumResults() != otherwise.size())
    return invalidArgument(what + " has " + std::to_string(map.getNumInputs()) + " inputs and " +
                           std::to_string(map.getNumResults()) + " results; expected " + std::to_string(dims.size()) +
                           " and " + std::to_string(otherwise.size()));
  std::vector<int64_t> results;
  MLIRContext *context = map.getContext();
  SmallVector<AffineExpr> values;
  for (int64_t dim : dims)
    values.push_back(getAffineConstantExpr(dim, context));
  ArrayRef<AffineExpr> inputs(values);
  for (AffineExpr result : map.getResults()) {
    auto constant = dyn_cast<AffineConstantExpr>(
        result.replaceDimsAndSymbols(inputs.take_front(map.getNumDims()), inputs.drop_front(map.getNumDims())));
    if (!constant)
      return invalidArgument(what + " has no value for these dims");
    results.push_back(constant.getValue());
  }
  return results;
}

/// As the runtime encodes it: what TMA only moves, by its size.
static sim::MapElement mapElement(Type type) {
  using sim::MapElement;
  if (type.isF16() || type.isBF16())
    return type.isF16() ? MapElement::F16 : MapElement::BF16;
  if (type.isTF32())
    return MapElement::TF32;
  switch (type.getIntOrFloatBitWidth()) {
  case 64:
    return type.isF64() ? MapElement::F64 : MapElement::I64;
  case 32:
    return type.isF32() ? MapElement::F32 : MapElement::I32;
  case 16:
    return MapElement::U16;
  default:
    return MapElement::U8;
  }
}

/// A recipe of `tenon.tensor_maps` for these dims.
static Result<sim::TensorMap> encode(DictionaryAttr recipe, ArrayRef<int64_t> dims, const std::string &what) {
  auto argument = recipe.getAs<IntegerAttr>("argument"), swizzle = recipe.getAs<IntegerAttr>("swizzle");
  auto box = recipe.getAs<DenseI64ArrayAttr>("box");
  auto element = recipe.getAs<TypeAttr>("element");
  auto offset = recipe.getAs<AffineMapAttr>("offset"), sizes = recipe.getAs<AffineMapAttr>("sizes"),
       strides = recipe.getAs<AffineMapAttr>("strides");
  if (!argument || !swizzle || !box || !element || !offset || !sizes || !strides)
    return invalidArgument(what + " has no {argument, box, element, offset, sizes, strides, swizzle}");
  sim::TensorMap map;
  map.buffer = static_cast<int>(argument.getInt());
  map.box = {box.asArrayRef().begin(), box.asArrayRef().end()};
  map.element = mapElement(element.getValue());
  map.elementBytes = sim::bytesOfMapTypes[static_cast<size_t>(map.element)];
  map.swizzle = swizzle.getInt();
  map.fillsNan = recipe.contains("fill_nan");
  std::vector<int64_t> none(map.box.size());
  TENON_TRY_ASSIGN(map.sizes, evaluate(sizes.getValue(), dims, what, none));
  none.pop_back();
  TENON_TRY_ASSIGN(map.strides, evaluate(strides.getValue(), dims, what, none));
  TENON_TRY_ASSIGN(std::vector<int64_t> start, evaluate(offset.getValue(), dims, what, {0}));
  map.offset = start[0];
  return map;
}

Result<sim::Report> SimulatedModule::run(const std::string &name, const SimulatedCall &call,
                                         const sim::Options &options) const {
  auto found = kernels.find(name);
  if (found == kernels.end())
    return notFound("the module has no kernel @" + name + "; it has " + llvm::join(kernelNames(), ", "));
  const Entry &entry = found->second;
  ArrayRef<Attribute> recipes = entry.tensorMaps ? entry.tensorMaps.getValue() : ArrayRef<Attribute>();
  size_t numArguments = call.operands.size() + call.results.size() + call.dims.size() + 1 + recipes.size();
  if (entry.parameters.size() != numArguments)
    return invalidArgument("kernel @" + name + " takes " + std::to_string(entry.parameters.size()) +
                           " arguments; given " + std::to_string(call.operands.size()) + " operands, " +
                           std::to_string(call.results.size()) + " results, " + std::to_string(call.dims.size()) +
                           " dims, the workspace and " + std::to_string(recipes.size()) + " tensor maps");
  std::string of = "of kernel @" + name;
  TENON_TRY_ASSIGN(std::vector<int64_t> grid, evaluate(entry.grid, call.dims, "tenon.grid " + of, {1, 1, 1}));
  TENON_TRY_ASSIGN(std::vector<int64_t> scratch,
                   evaluate(entry.scratchBytes, call.dims, "tenon.scratch_bytes " + of, {0}));
  TENON_TRY_ASSIGN(std::vector<int64_t> zeroed,
                   evaluate(entry.zeroedBytes, call.dims, "tenon.zeroed_bytes " + of, {0}));

  sim::Launch launch;
  constexpr int64_t numSimulatedSms = 4; // few, so that CTAs take several programs each
  launch.cluster = entry.cluster;
  if (entry.waveCtas) {
    int64_t clusters = numSimulatedSms * entry.waveCtas / entry.cluster[0];
    grid[0] = std::min(grid[0], std::max(clusters, int64_t{1}) * entry.cluster[0]);
  }
  std::copy(grid.begin(), grid.end(), launch.grid.begin());
  launch.isProgrammatic = call.isProgrammatic;
  auto add = [&](sim::Buffer buffer, bool isWritable) {
    buffer.isWritable = isWritable;
    launch.arguments.push_back({static_cast<int>(launch.buffers.size()), 0});
    launch.buffers.push_back(std::move(buffer));
  };
  for (const sim::Buffer &operand : call.operands)
    add(operand, false);
  for (const sim::Buffer &result : call.results)
    add(result, true);
  for (int64_t dim : call.dims)
    launch.arguments.push_back({sim::Argument::number, dim});
  std::vector<char> workspace(static_cast<size_t>(scratch[0]), static_cast<char>(0xFF));
  int64_t known = std::min(std::max(zeroed[0], entry.counterBytes), scratch[0]);
  std::fill_n(workspace.begin(), known, 0);
  if (workspace.empty())
    launch.arguments.push_back({sim::Argument::null, 0});
  else
    add({"workspace", workspace.data(), scratch[0], true, known}, true);
  for (Attribute recipe : recipes) {
    TENON_TRY_ASSIGN(sim::TensorMap map,
                     encode(cast<DictionaryAttr>(recipe), call.dims, "tenon.tensor_maps of kernel @" + name));
    launch.arguments.push_back({sim::Argument::map, static_cast<int64_t>(launch.maps.size())});
    launch.maps.push_back(std::move(map));
  }
  TENON_TRY_ASSIGN(sim::Report report, sim::simulate(entry.kernel, launch, options));
  auto isLeft = [](char byte) { return byte != 0; };
  if (report.ok() &&
      std::any_of(workspace.begin(), workspace.begin() + std::min(entry.counterBytes, scratch[0]), isLeft))
    report.findings.push_back({sim::FindingKind::Misuse,
                               "kernel @" + name +
                                   " leaves counters that are not 0 in its workspace: the next launch "
                                   "takes them for its own",
                               {0, 0}});
  return report;
}

} // namespace tenon
