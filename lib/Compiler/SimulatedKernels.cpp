#include "lib/Compiler/SimulatedKernels.h"

#include "lib/Compiler/TextGuard.h"
#include "lib/Pipelines/Phases.h"
#include "lib/Sim/TensorMapRules.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"

#include <chrono>
#include <cstdlib>
#include <cstring>

using namespace mlir;

namespace tenon {

static std::function<void(const SimulatedLaunch &)> observer;
static sim::Options observedOptions;
void observeSimulatedLaunches(std::function<void(const SimulatedLaunch &)> given, const sim::Options &options) {
  observer = std::move(given);
  observedOptions = options;
}

namespace simulated {
namespace {

/// One for all modules, which must not outlive it.
MLIRContext &sharedContext() {
  static auto *context = [] {
    DialectRegistry registry;
    registerDialects(registry);
    return new MLIRContext(registry, MLIRContext::Threading::DISABLED);
  }();
  return *context;
}

/// The words of TENON_CUDA_DRIVER behind the first comma.
Result<sim::Options> optionsFromEnvironment() {
  sim::Options options;
  const char *given = std::getenv("TENON_CUDA_DRIVER");
  SmallVector<StringRef> words;
  StringRef(given ? given : "").split(words, ',');
  for (StringRef word : words) {
    if (word.consume_front("seed="))
      word.getAsInteger(10, options.seed);
    else if (word.consume_front("seeds="))
      word.getAsInteger(10, options.numSeeds);
    else if (word.consume_front("threads="))
      word.getAsInteger(10, options.hostThreads);
    else if (word == "short-sums")
      options.shortSums = true;
    else if (word.consume_front("check="))
      TENON_TRY(sim::setChecks(options, word.str()));
  }
  return options;
}

/// What encodeMap() leaves in a tensor map.
struct EncodedMap {
  uint64_t address;
  uint64_t sizes[5], strides[4];
  uint16_t box[5];
  uint8_t rank, element, elementBytes, swizzle, fillsNan; // swizzle in bytes
};
static_assert(sizeof(EncodedMap) <= sizeof(cuda::CUtensorMap));

/// The map for these buffers. None where it was not encoded: it has no elements, and the kernel must not touch it.
std::optional<sim::TensorMap> decodeMap(const void *encoded, const std::vector<sim::Buffer> &buffers) {
  EncodedMap from;
  std::memcpy(&from, encoded, sizeof from);
  for (const auto &[index, buffer] : llvm::enumerate(buffers)) {
    auto begin = reinterpret_cast<uint64_t>(buffer.data);
    if (from.rank == 0 || from.address < begin || from.address >= begin + static_cast<uint64_t>(buffer.bytes))
      continue;
    sim::TensorMap map;
    map.buffer = static_cast<int>(index);
    map.offset = static_cast<int64_t>(from.address - begin);
    map.sizes.assign(from.sizes, from.sizes + from.rank);
    map.strides.assign(from.strides, from.strides + from.rank - 1);
    map.box.assign(from.box, from.box + from.rank);
    map.element = static_cast<sim::MapElement>(from.element);
    map.elementBytes = from.elementBytes;
    map.swizzle = from.swizzle;
    map.fillsNan = from.fillsNan != 0;
    return map;
  }
  return std::nullopt;
}

cuda::CUresult resultOf(const sim::Report &report, const std::string &kernel) {
  if (report.ok())
    return cuda::CUDA_SUCCESS;
  std::string text = report.text();
  lastError() = "kernel '" + kernel + "' under the device simulator:\n" + text.substr(0, text.size() - 1);
  return findings;
}

cuda::CUresult run(const sim::Kernel &kernel, sim::Launch launch) {
  auto begin = std::chrono::steady_clock::now();
  Result<sim::Options> options = observer ? Result<sim::Options>(observedOptions) : optionsFromEnvironment();
  Result<sim::Report> report =
      options.ok() ? sim::simulate(kernel, launch, *options) : Result<sim::Report>(options.status());
  if (!report.ok()) {
    lastError() = report.status().message();
    return noSimulation;
  }
  if (!observer)
    return resultOf(*report, kernel.name);
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  observer({kernel.name, *report, *kernel.sites, took.count()});
  return report->hasStopped ? resultOf(*report, kernel.name) : cuda::CUDA_SUCCESS;
}

} // namespace

std::string &lastError() {
  thread_local std::string text;
  return text;
}

Result<std::unique_ptr<SimulatedModule>> loadImage(const char *image) {
  StringRef text(image);
  if (text.starts_with("\x7f"
                       "ELF"))
    return invalidArgument("a cubin does not run in the device simulator: compile the model for sim:sm_90a, say");
  TENON_TRY(guardText(text));
  MLIRContext &context = sharedContext();
  std::string errors;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) { errors += diagnostic.str() + "; "; });
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, ParserConfig(&context));
  if (!module)
    return corrupt("the text of the kernel does not parse: " + errors);
  return SimulatedModule::compile(*module);
}

Result<Work> makeWork(const SimulatedModule &module, const std::string &name, const cuda::CUlaunchConfig &config,
                      void **parameters, const cuda::LaunchMemory &memory) {
  sim::Kernel kernel = *module.find(name);
  const std::vector<size_t> &sizes = module.parameters(name);
  size_t numMaps = static_cast<size_t>(llvm::count(sizes, sizeof(cuda::CUtensorMap))),
         numWords = sizes.size() - numMaps;
  if (memory.bytes.size() + 1 > numWords)
    return internalError("kernel '" + name + "' has " + std::to_string(numWords) + " parameters but for maps; " +
                         std::to_string(memory.bytes.size()) + " arguments were described, and the workspace is one");
  if (std::array<int64_t, 3>{config.blockDimX, config.blockDimY, config.blockDimZ} != kernel.block)
    return invalidArgument("kernel '" + name + "' is launched with another block than it states");
  kernel.dynamicShared = config.sharedMemBytes;
  auto word = [&](size_t index) { return *static_cast<const uint64_t *>(parameters[index]); };
  sim::Launch launch;
  launch.grid = {config.gridDimX, config.gridDimY, config.gridDimZ};
  for (unsigned index = 0; index < config.numAttrs; ++index) {
    const cuda::CUlaunchAttribute &attribute = config.attrs[index];
    if (attribute.id == cuda::CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION)
      launch.isProgrammatic = attribute.value.programmaticStreamSerializationAllowed != 0;
    else if (attribute.id == cuda::CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION)
      launch.cluster = {attribute.value.clusterDim.x, attribute.value.clusterDim.y, attribute.value.clusterDim.z};
    else
      return unsupported("kernel '" + name + "' is launched with attribute " + std::to_string(attribute.id) +
                         ", which has no simulation");
  }
  auto addBuffer = [&](sim::Buffer buffer) {
    launch.arguments.push_back({static_cast<int>(launch.buffers.size()), 0});
    launch.buffers.push_back(std::move(buffer));
  };
  for (size_t index = 0; index < memory.bytes.size(); ++index) {
    bool isResult = index >= memory.numOperands;
    size_t number = isResult ? index - memory.numOperands : index;
    addBuffer({(isResult ? "result" : "operand") + std::to_string(number), reinterpret_cast<void *>(word(index)),
               memory.bytes[index], isResult, 0, memory.isStatic[index]});
  }
  for (size_t index = memory.bytes.size(); index + 1 < numWords; ++index)
    launch.arguments.push_back({sim::Argument::number, static_cast<int64_t>(word(index))});
  if (memory.workspace == 0)
    launch.arguments.push_back({sim::Argument::null, 0});
  else
    addBuffer({"workspace", reinterpret_cast<void *>(word(numWords - 1)), memory.workspace, true, memory.zeroed,
               /*isStatic=*/false});
  for (size_t index = numWords; index < sizes.size(); ++index) {
    std::optional<sim::TensorMap> map = decodeMap(parameters[index], launch.buffers);
    launch.arguments.push_back(
        {map ? sim::Argument::map : sim::Argument::null, static_cast<int64_t>(launch.maps.size())});
    if (map)
      launch.maps.push_back(std::move(*map));
  }
  return Work([kernel, launch] { return run(kernel, launch); });
}

Status encodeMap(cuda::CUtensorMap *map, int type, uint32_t rank, void *address, const uint64_t *sizes,
                 const uint64_t *strides, const uint32_t *box, const uint32_t *elementStrides, int interleave,
                 int swizzle, int l2Promotion, int fill) {
  sim::TensorMapArguments arguments;
  arguments.type = type;
  arguments.rank = rank;
  arguments.address = reinterpret_cast<uint64_t>(address);
  arguments.interleave = interleave;
  arguments.swizzle = swizzle;
  arguments.promotion = l2Promotion;
  arguments.fill = fill;
  for (uint32_t axis = 0; axis < std::min(rank, 5U); ++axis) {
    arguments.sizes[axis] = sizes[axis];
    arguments.box[axis] = box[axis];
    arguments.steps[axis] = elementStrides[axis];
    if (axis > 0)
      arguments.strides[axis - 1] = strides[axis - 1];
  }
  TENON_TRY(sim::checkTensorMap(arguments).in("cuTensorMapEncodeTiled"));
  bool hasSteps = std::any_of(elementStrides, elementStrides + rank, [](uint32_t step) { return step != 1; });
  constexpr int bf16 = static_cast<int>(sim::MapElement::BF16), tf32 = static_cast<int>(sim::MapElement::TF32);
  if ((type > bf16 && (type != tf32 || fill != 0)) || interleave != 0 || hasSteps)
    return unsupported("cuTensorMapEncodeTiled: interleave, element strides and types with 0 for denormals, or with "
                       "NaN around tf32, have no simulation");
  EncodedMap made = {};
  made.address = arguments.address;
  made.rank = static_cast<uint8_t>(rank);
  made.element = static_cast<uint8_t>(type);
  made.elementBytes = sim::bytesOfMapTypes[static_cast<size_t>(type)];
  made.swizzle = static_cast<uint8_t>(swizzle == 0 ? 0 : 16 << swizzle);
  made.fillsNan = static_cast<uint8_t>(fill);
  for (uint32_t axis = 0; axis < rank; ++axis) {
    made.sizes[axis] = sizes[axis];
    made.box[axis] = static_cast<uint16_t>(box[axis]);
    if (axis > 0)
      made.strides[axis - 1] = strides[axis - 1];
  }
  std::memcpy(map, &made, sizeof made);
  return {};
}

} // namespace simulated
} // namespace tenon
