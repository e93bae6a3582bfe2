#include "lib/Compiler/GpuCodeGeneration.h"

#include "dialects/Tile/Tile.h"
#include "lib/Target/PtxCodeGeneration.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/ThreadPool.h"

using namespace mlir;

namespace tenon {
namespace {

struct Part {
  LLVM::LLVMFuncOp kernel;
  OwningOpRef<ModuleOp> module; // the kernel and what it refers to
  CubinRequest request;
};

/// The kernel with the functions and globals that it uses, in the order they stand in.
OwningOpRef<ModuleOp> isolate(ModuleOp kernels, LLVM::LLVMFuncOp kernel) {
  llvm::SetVector<Operation *> used;
  used.insert(kernel);
  for (size_t index = 0; index < used.size(); ++index)
    used[index]->walk([&](Operation *op) {
      for (NamedAttribute attribute : op->getAttrs())
        if (auto symbol = dyn_cast<FlatSymbolRefAttr>(attribute.getValue()))
          if (Operation *found = kernels.lookupSymbol(symbol.getAttr()))
            used.insert(found);
    });
  OwningOpRef<ModuleOp> module(ModuleOp::create(kernels.getLoc()));
  for (Operation &op : kernels.getOps())
    if (used.contains(&op))
      module->push_back(op.clone());
  return module;
}

KernelExpectation expectationOf(LLVM::LLVMFuncOp kernel) {
  KernelExpectation expectation;
  expectation.name = kernel.getName().str();
  if (auto bytes = kernel->getAttrOfType<IntegerAttr>("tenon.shared_bytes"))
    expectation.dynamicSharedBytes = bytes.getInt();
  expectation.needsTensorCore = kernel->hasAttr("tenon.tensor_core");
  expectation.needsWarpgroups = kernel->hasAttr("tenon.warpgroup_dots");
  expectation.isProduct = kernel->getAttrOfType<tile::GemmAttr>("tenon.schedule") != nullptr;
  // The general path says in words how it works; a schedule is an attribute of its own.
  expectation.maySpill = kernel->getAttrOfType<StringAttr>("tenon.schedule") != nullptr;
  return expectation;
}

std::vector<Part> partsOf(ModuleOp kernels) {
  std::vector<Part> parts;
  for (auto function : kernels.getOps<LLVM::LLVMFuncOp>())
    if (function->hasAttr(NVVM::NVVMDialect::getKernelFuncAttrName()))
      parts.push_back(
          {function, isolate(kernels, function), {function.getName().str(), "", {expectationOf(function)}}});
  return parts;
}

/// `work` for every part on some threads; the errors of all in one.
Status onEach(std::vector<Part> &parts, llvm::function_ref<Status(Part &)> work) {
  std::vector<Status> statuses(parts.size());
  llvm::StdThreadPool pool(llvm::hardware_concurrency(parts.size()));
  for (size_t index = 0; index < parts.size(); ++index)
    pool.async([&, index] { statuses[index] = work(parts[index]); });
  pool.wait();
  std::string messages;
  std::optional<ErrorKind> kind;
  for (size_t index = 0; index < parts.size(); ++index)
    if (!statuses[index].ok()) {
      kind = kind.value_or(statuses[index].kind());
      messages += (messages.empty() ? "" : "\n") + statuses[index].message();
    }
  return kind ? Status(*kind, messages) : Status();
}

Status makePtx(std::vector<Part> &parts, const GpuArch &arch, const PtxOptions &options) {
  return onEach(parts, [&](Part &part) -> Status {
    Result<GeneratedPtx> generated = generatePtx(*part.module, arch, options);
    if (!generated.ok())
      return generated.status().in("kernel '" + part.request.name + "'");
    part.request.ptx = std::move(generated->ptx);
    return {};
  });
}

/// What is assembled has no source locations but where they are asked for, so that a cubin does not depend on the line
/// a model's op stands in. The PTX is given back, in the order of the parts.
Result<std::vector<std::string>> dumpPtx(const std::vector<Part> &parts, const GpuArch &arch, PtxOptions options,
                                         const GpuCodeOptions &into) {
  options.wantLocations = options.wantIr = true;
  std::vector<std::string> texts;
  for (const Part &part : parts) {
    TENON_TRY_ASSIGN(GeneratedPtx generated, generatePtx(*part.module, arch, options));
    TENON_TRY(into.dump(part.request.name + ".ll", generated.ir));
    TENON_TRY(into.dump(part.request.name + ".ptx", generated.ptx));
    texts.push_back(std::move(generated.ptx));
  }
  return texts;
}

} // namespace

GpuCode printKernels(ModuleOp kernels) {
  GpuCode code;
  for (Part &part : partsOf(kernels)) {
    llvm::raw_string_ostream stream(code.cubins[part.request.name]);
    // In the generic form: the parser of nvvm.barrier takes a location behind it for its reduction.
    part.module->print(stream, OpPrintingFlags().enableDebugInfo().printGenericOpForm());
  }
  return code;
}

Result<GpuCode> generateGpuCode(ModuleOp kernels, const GpuArch &arch, const GpuCodeOptions &options) {
  std::vector<Part> parts = partsOf(kernels);
  PtxOptions ptxOptions;
  ptxOptions.places = ToolkitPlaces::fromEnvironment(options.ptxas);
  ptxOptions.wantLocations = options.lineInfo;
  TENON_TRY_ASSIGN(Ptxas ptxas, Ptxas::find(ptxOptions.places));
  ptxOptions.ptxas = ptxas.path();
  TENON_TRY(makePtx(parts, arch, ptxOptions));
  std::vector<std::string> dumped(parts.size());
  if (options.dump) {
    TENON_TRY_ASSIGN(dumped, dumpPtx(parts, arch, ptxOptions, options));
  }

  std::vector<CubinRequest> requests;
  for (Part &part : parts)
    requests.push_back(std::move(part.request));
  CubinCache cache(CubinCache::defaultFolder(), options.log ? options.log : [](const std::string &) {});
  std::vector<Result<GeneratedCubin>> cubins = generateCubins(requests, arch, ptxas, cache);
  GpuCode code;
  for (auto [request, cubin, text] : llvm::zip_equal(requests, cubins, dumped)) {
    if (!cubin.ok()) {
      code.refused[request.name] = cubin.status().message();
      continue;
    }
    if (options.dump) {
      TENON_TRY(options.dump(request.name + ".ptxas.txt", cubin->log));
      if (cubin->isSecondTry)
        TENON_TRY(options.dump(request.name + ".ptx", forSecondTry(text)));
    }
    code.facts[request.name] = std::move(cubin->facts.front());
    code.cubins[request.name] = std::move(cubin->cubin);
  }
  return code;
}

} // namespace tenon
