#include "lib/Runtime/CudaModel.h"

#include "lib/Runtime/CudaUpload.h"

#include <algorithm>

namespace tenon::cuda {

static constexpr int64_t alignment = 256; // of every value

// Dynamic shared memory that a kernel gets without being asked, as driver and hardware have it.
static constexpr int64_t usualShared = 48 << 10;
static constexpr int64_t portableCluster = 8; // CTAs that every GPU with clusters can do

//===--- kernels -------------------------------------------------------------------------------------------------===//

// "cuda:sm_90a" runs on 9.0 alone, "cuda:sm_80" on every 8.x.
static Status checkTarget(const LaunchPlan &plan, const Device &device) {
  std::string arch = plan.target.substr(plan.target.find("sm_") + 3);
  bool exact = arch.back() == 'a' || arch.back() == 'f';
  int wanted = std::atoi(arch.c_str()), have = device.capability();
  if (wanted == have || (!exact && wanted / 10 == have / 10 && wanted < have))
    return {};
  return unsupported("the kernels were compiled for sm_" + arch + ", " + device.name() + " is sm_" +
                     std::to_string(have) + ": compile the model for sm_" + std::to_string(have));
}

// What the cubin says its parameters are must be what will be passed; a driver that cannot tell is believed.
static Status checkParameters(Device &device, const PlanLaunch &launch, const Kernel &kernel) {
  if (!device.driver().cuFuncGetParamInfo)
    return {};
  size_t words = launch.operands.size() + launch.results.size() + launch.dims.size() + 1;
  size_t count = words + kernel.plan->cuda->tensorMaps.size();
  for (size_t i = 0; i <= count; ++i) {
    size_t offset = 0, size = 0;
    CUresult result = device.driver().cuFuncGetParamInfo(kernel.function, i, &offset, &size);
    size_t expected = i == count ? 0 : i < words ? 8 : sizeof(CUtensorMap);
    if (result == CUDA_ERROR_INVALID_VALUE)
      size = 0; // there is no parameter i
    else
      TENON_TRY(device.check(result, "cuFuncGetParamInfo", kernel.name));
    if (size != expected)
      return corrupt("kernel '" + kernel.name + "': its cubin has " +
                     (size ? std::to_string(size) + " bytes for" : std::string("no")) + " parameter " +
                     std::to_string(i) + ", the launch plan " +
                     (expected ? std::to_string(expected) + " bytes" : std::string("none")));
  }
  return {};
}

/// CTAs that run at a time, as many each multiprocessor as the plan says. The CTAs of a cluster lie in one part of the
/// GPU, so that of clusters there may be fewer than multiprocessors have room for.
static Result<int64_t> waveOf(Device &gpu, const Kernel &kernel) {
  const PlanCudaKernel &plan = *kernel.plan->cuda;
  int64_t size = plan.cluster[0] * plan.cluster[1] * plan.cluster[2];
  if (size == 1 || !plan.waveCtas)
    return gpu.numSms() * plan.waveCtas;
  auto narrow = [](int64_t size) { return static_cast<unsigned int>(size); };
  CUlaunchAttribute attribute = {};
  attribute.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
  attribute.value.clusterDim = {narrow(plan.cluster[0]), narrow(plan.cluster[1]), narrow(plan.cluster[2])};
  CUlaunchConfig config = {};
  config.gridDimX = attribute.value.clusterDim.x;
  config.gridDimY = attribute.value.clusterDim.y;
  config.gridDimZ = attribute.value.clusterDim.z;
  config.blockDimX = narrow(plan.block[0]);
  config.blockDimY = narrow(plan.block[1]);
  config.blockDimZ = narrow(plan.block[2]);
  int64_t shared = plan.sharedBytes.isConstant() ? plan.sharedBytes.value : kernel.maxShared;
  config.sharedMemBytes = narrow(std::min(shared, kernel.maxShared));
  config.attrs = &attribute;
  config.numAttrs = 1;
  int clusters = 0;
  TENON_TRY(gpu.check(gpu.driver().cuOccupancyMaxActiveClusters(&clusters, kernel.function, &config),
                      "cuOccupancyMaxActiveClusters", kernel.name));
  return std::min<int64_t>(clusters * size, gpu.numSms() * plan.waveCtas);
}

Status Model::loadKernels(const std::map<std::string, std::string_view> &cubins) {
  const Driver &driver = gpu->driver();
  for (const auto &[name, planned] : plan->kernels) {
    const PlanCudaKernel &cuda = *planned.cuda;
    Module &module = modules[cuda.cubin];
    if (!module) {
      auto found = cubins.find(cuda.cubin);
      if (found == cubins.end())
        return notFound("kernel '" + name + "': there is no cubin '" + cuda.cubin + "'");
      // Ended by 0, so that PTX can be given as well; the driver takes the size of a cubin from its header.
      std::string image(found->second);
      CUmodule loaded = nullptr;
      TENON_TRY(gpu->check(driver.cuModuleLoadData(&loaded, image.c_str()), "cuModuleLoadData", cuda.cubin));
      module = Module(gpu, loaded);
    }
    Kernel kernel;
    kernel.plan = &planned;
    kernel.name = "kernel '" + name + "'";
    TENON_TRY(gpu->check(driver.cuModuleGetFunction(&kernel.function, module.get(), planned.symbol.c_str()),
                         "cuModuleGetFunction", kernel.name + ", symbol '" + planned.symbol + "'"));
    int fixed = 0;
    TENON_TRY(gpu->check(driver.cuFuncGetAttribute(&fixed, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, kernel.function),
                         "cuFuncGetAttribute", kernel.name));
    kernel.maxShared = std::max<int64_t>(0, gpu->sharedMemory() - fixed);
    if (!cuda.sharedBytes.isConstant() || cuda.sharedBytes.value + fixed > usualShared)
      TENON_TRY(gpu->check(driver.cuFuncSetAttribute(kernel.function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                                     static_cast<int>(kernel.maxShared)),
                           "cuFuncSetAttribute", kernel.name));
    if (cuda.cluster[0] * cuda.cluster[1] * cuda.cluster[2] > portableCluster)
      TENON_TRY(
          gpu->check(driver.cuFuncSetAttribute(kernel.function, CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED, 1),
                     "cuFuncSetAttribute", kernel.name));
    TENON_TRY_ASSIGN(kernel.wave, waveOf(*gpu, kernel));
    functions[name] = std::move(kernel);
  }
  for (const std::vector<PlanLaunch> *launches : {&plan->init, &plan->launches})
    for (const PlanLaunch &launch : *launches) {
      const Kernel &kernel = functions.at(launch.kernel);
      TENON_TRY(checkParameters(*gpu, launch, kernel));
      if (!kernel.plan->cuda->fallback.empty())
        TENON_TRY(checkParameters(*gpu, launch, functions.at(kernel.plan->cuda->fallback)));
    }
  return {};
}

//===--- values --------------------------------------------------------------------------------------------------===//

namespace {
/// Blocks of memory laid out one after the other.
struct Layout {
  int64_t bytes = 0;
  Result<int64_t> add(int64_t size) {
    int64_t at = bytes;
    if (__builtin_add_overflow(bytes, size, &bytes) || bytes > INT64_MAX - alignment)
      return outOfMemory("the weights and constants pass 63 bits of bytes");
    bytes = (bytes + alignment - 1) / alignment * alignment;
    return at;
  }
};

struct Source {
  int64_t id = 0, at = 0;
  TensorRef from;
  bool isKept = true; ///< after the init launches
};
} // namespace

bool Model::takeShared(const PlanValue &value, const SharedValues &shared, bool isKept) {
  const SharedValues::Place *there = shared.find(value);
  if (!there)
    return false;
  staticAddresses[value.id] = there->address;
  staticBytes[value.id] = there->bytes;
  if (isKept)
    sharedMemory.push_back(there->owner);
  return true;
}

// Two blocks: what calls use, and what only init launches read, which is freed after them, or with the last entry's.
Status Model::place(std::string_view constants, const WeightSource *weights, CUstream stream, SharedValues *shared,
                    const LoadNeeds &needs, std::shared_ptr<Memory> &untilInit) {
  std::vector<bool> everyCall = readByCalls(*plan), isMade(plan->values.size(), false);
  for (size_t index = 0; index < plan->init.size(); ++index)
    for (int64_t id : plan->init[index].results)
      isMade[id] = needs.launches[index];
  Layout keptLayout, initLayout;
  std::vector<Source> sources;
  staticBytes.assign(plan->values.size(), 0);
  for (const PlanValue &value : plan->values) {
    Source source;
    source.id = value.id;
    source.isKept = everyCall[value.id] || (shared && shared->isReadByCalls(value));
    bool isStatic = value.kind == ValueKind::Weight || value.kind == ValueKind::Persistent;
    if (isStatic && !needs.values[value.id] && !isMade[value.id])
      continue;
    if (isStatic && !isMade[value.id] && shared && takeShared(value, *shared, everyCall[value.id]))
      continue;
    if (value.kind == ValueKind::Constant) {
      TENON_TRY_ASSIGN(std::string_view bytes, constantBytes(value, constants));
      staticBytes[value.id] = static_cast<int64_t>(bytes.size());
      source.from.data = const_cast<char *>(bytes.data());
    } else if (value.kind == ValueKind::Weight) {
      TENON_TRY_ASSIGN(source.from, findWeight(value, weights));
      staticBytes[value.id] = source.from.bytes();
      int32_t device = source.from.device;
      if (device != TensorRef::host && device != gpu->index())
        return invalidArgument("weight '" + value.name + "' is on " + placeText(device) +
                               ", but the model is loaded on " + placeText(gpu->index()) +
                               ": give it there or in host memory");
      if (device != TensorRef::host && reinterpret_cast<uintptr_t>(source.from.data) % 16 == 0) {
        staticAddresses[value.id] = source.from.data; // in place
        continue;
      }
    } else if (value.kind == ValueKind::Persistent) {
      TENON_TRY_ASSIGN(std::vector<int64_t> shape, staticShape(value));
      staticBytes[value.id] = *bytesOfShape(value.dtype, shape);
      source.from.data = nullptr; // written by a launch
    } else {
      continue;
    }
    TENON_TRY_ASSIGN(source.at, (source.isKept ? keptLayout : initLayout).add(staticBytes[value.id]));
    sources.push_back(source);
  }
  TENON_TRY_ASSIGN(Memory kept, gpu->allocate(keptLayout.bytes, "weights and constants"));
  memory = std::make_shared<Memory>(std::move(kept));
  TENON_TRY_ASSIGN(Memory init, gpu->allocate(initLayout.bytes, "what only launches at load read"));
  untilInit = std::make_shared<Memory>(std::move(init));
  Upload upload(*gpu, stream);
  for (const Source &source : sources) {
    const std::shared_ptr<Memory> &block = source.isKept ? memory : untilInit;
    char *to = block->data() + source.at;
    staticAddresses[source.id] = to;
    if (shared)
      shared->add(plan->values[source.id], {to, staticBytes[source.id], block});
    if (source.from.data)
      TENON_TRY(upload.copy(to, source.from, staticBytes[source.id]));
  }
  return upload.finish();
}

void Model::bindViews() {
  for (const PlanValue &value : plan->values)
    if (value.kind == ValueKind::View) { // a source comes before its views
      staticAddresses[value.id] = staticAddresses[value.source];
      staticBytes[value.id] = staticBytes[value.source];
    }
}

Status Model::runInit(CUstream stream, const LoadNeeds &needs) {
  std::vector<PreparedLaunch> prepared;
  Layout workspaces;
  for (size_t index = 0; index < plan->init.size(); ++index) {
    const PlanLaunch &launch = plan->init[index];
    if (!needs.launches[index])
      continue;
    TENON_TRY_ASSIGN(
        PreparedLaunch ready,
        prepareLaunch(
            *plan, functions, launch, [](std::string_view) -> const int64_t * { return nullptr; }, staticBytes));
    workspaces.bytes = std::max(workspaces.bytes, ready.workspace); // one at a time uses it
    prepared.push_back(std::move(ready));
  }
  TENON_TRY_ASSIGN(Memory workspace, gpu->allocate(workspaces.bytes, "workspace of the launches at load"));
  Status status;
  for (PreparedLaunch &launch : prepared) {
    if (status.ok() && launch.counters)
      status =
          gpu->check(gpu->driver().cuMemsetD8Async(workspace.get(), 0, static_cast<size_t>(launch.counters), stream),
                     "cuMemsetD8Async", launch.kernel->name);
    if (status.ok())
      status = enqueue(*gpu, launch, staticAddresses, workspace.data(), stream);
  }
  Status done = gpu->check(gpu->driver().cuStreamSynchronize(stream), "cuStreamSynchronize", "launches at load");
  return status.ok() ? done : status;
}

Result<std::unique_ptr<Model>> Model::load(const LaunchPlan &plan,
                                           const std::map<std::string, std::string_view> &cubins,
                                           std::string_view constants, const WeightSource *weights, int device,
                                           SharedValues *shared) {
  std::unique_ptr<Model> model(new Model);
  model->plan = &plan;
  TENON_TRY_ASSIGN(model->gpu, Device::open(device));
  Device &gpu = *model->gpu;
  TENON_TRY(gpu.lost());
  TENON_TRY(checkTarget(plan, gpu));
  model->staticAddresses.assign(plan.values.size(), nullptr);
  Current current(gpu);
  TENON_TRY(current.status);
  TENON_TRY(model->loadKernels(cubins));
  LoadNeeds needs = loadNeeds(plan, shared);
  std::shared_ptr<Memory> untilInit;
  TENON_TRY_ASSIGN(Stream stream, makeStream(gpu));
  TENON_TRY(model->place(constants, weights, stream.get(), shared, needs, untilInit));
  model->bindViews();
  TENON_TRY(model->runInit(stream.get(), needs));
  std::vector<bool> everyCall = readByCalls(plan);
  for (const PlanValue &value : plan.values)
    if (value.kind != ValueKind::View && !everyCall[value.id])
      model->staticAddresses[value.id] = nullptr;
  model->bindViews();
  if (weights && !plan.init.empty())
    weights->releasePages();
  return model;
}

int64_t Model::bytes() const { return memory->size(); }

} // namespace tenon::cuda
