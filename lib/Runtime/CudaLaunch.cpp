#include "lib/Runtime/CudaLaunch.h"

#include "lib/Runtime/StaticValues.h"

#include <algorithm>
#include <climits>

namespace tenon::cuda {

static constexpr int64_t maxWorkspace = int64_t(1) << 40;
static constexpr uint64_t maxMapSize = uint64_t(1) << 32, maxMapStride = uint64_t(1) << 40;

//===--- preparing -----------------------------------------------------------------------------------------------===//

static int dataTypeOfMap(const PlanTensorMap &map) {
  if (map.roundsToTf32)
    return 11;
  switch (map.dtype) {
  case DataType::F64:
    return 8;
  case DataType::F32:
    return 7;
  case DataType::F16:
    return 6;
  case DataType::BF16:
    return 9;
  case DataType::I64:
    return 5;
  case DataType::I32:
    return 3;
  case DataType::I16:
    return 1;
  case DataType::F8E4M3FN:
  case DataType::F8E5M2:
  case DataType::I8:
  case DataType::I4: // refused when the plan was validated
  case DataType::I1:
  case DataType::U8:
    return 0;
  }
  return 0;
}

// Whether TMA can take it; where not, `reason` says why. Other errors are the plan's.
static Result<bool> prepareMap(const PlanTensorMap &plan, const std::vector<int64_t> &dims, int64_t argumentBytes,
                               PreparedMap &map, std::string &reason) {
  map.plan = &plan;
  int64_t element = bitsPerElement(plan.dtype) / 8;
  TENON_TRY_ASSIGN(map.offset, plan.offset.evaluate(dims));
  bool outside = map.offset < 0, fits = true;
  int64_t end = map.offset + element; // one past the last byte of the last element
  for (size_t axis = 0; axis < plan.sizes.size(); ++axis) {
    TENON_TRY_ASSIGN(int64_t size, plan.sizes[axis].evaluate(dims));
    int64_t stride = element;
    if (axis) {
      TENON_TRY_ASSIGN(stride, plan.strides[axis - 1].evaluate(dims));
      map.strides[axis - 1] = static_cast<uint64_t>(stride);
    }
    map.sizes[axis] = static_cast<uint64_t>(size);
    map.isEmpty |= size == 0;
    int64_t reach = 0;
    if (size < 0 || stride < 0 || __builtin_mul_overflow(std::max<int64_t>(size, 1) - 1, stride, &reach) ||
        __builtin_add_overflow(end, reach, &end))
      return corrupt("size " + std::to_string(size) + " and stride " + std::to_string(stride) + " of dimension " +
                     std::to_string(axis) + " make no sense");
    if (map.sizes[axis] > maxMapSize) {
      fits = false;
      reason = "size " + std::to_string(size) + " of dimension " + std::to_string(axis) + " is over 2^32";
    }
    if (axis && (stride % 16 || map.strides[axis - 1] >= maxMapStride)) {
      fits = false;
      reason = "stride " + std::to_string(stride) + " of dimension " + std::to_string(axis) +
               ", expected a multiple of 16 below 2^40";
    }
  }
  if (!map.isEmpty && (outside || end > argumentBytes))
    return corrupt("it reaches to byte " + std::to_string(end) + " of " + std::to_string(argumentBytes));
  if (map.offset % 16) {
    fits = false;
    reason = "offset " + std::to_string(map.offset) + ", expected a multiple of 16";
  }
  return fits || map.isEmpty;
}

// Sets the maps and leaves true, or leaves false and why when one of them cannot be encoded.
static Result<bool> prepareMaps(PreparedLaunch &prepared, const std::vector<int64_t> &dims,
                                const std::vector<int64_t> &bytes, std::string &reason) {
  const PlanCudaKernel &plan = *prepared.kernel->plan->cuda;
  const PlanLaunch &launch = *prepared.launch;
  prepared.maps.assign(plan.tensorMaps.size(), {});
  for (size_t i = 0; i < plan.tensorMaps.size(); ++i) {
    size_t argument = static_cast<size_t>(plan.tensorMaps[i].argument), operands = launch.operands.size();
    int64_t id = argument < operands ? launch.operands[argument] : launch.results[argument - operands];
    Result<bool> fits = prepareMap(plan.tensorMaps[i], dims, bytes[id], prepared.maps[i], reason);
    std::string where = "tensor map " + std::to_string(i) + " of argument " + std::to_string(argument);
    if (!fits.ok())
      return fits.status().in(where);
    if (!*fits) {
      reason = where + ": " + reason;
      return false;
    }
  }
  return true;
}

static Status prepareConfig(PreparedLaunch &prepared, const std::vector<int64_t> &dims) {
  const PlanCudaKernel &plan = *prepared.kernel->plan->cuda;
  for (const Expr &counted : plan.countedSizes) {
    TENON_TRY_ASSIGN(int64_t size, counted.evaluate(dims));
    if (size > INT_MAX)
      return unsupported("a dimension of " + std::to_string(size) +
                         " elements, which it counts in 32 bits: 2^31 - 1 at most; call the model with smaller sizes");
  }
  int64_t grid[3];
  for (int axis = 0; axis < 3; ++axis) {
    TENON_TRY_ASSIGN(grid[axis], plan.grid[axis].evaluate(dims));
    if (axis == 0 && plan.waveCtas && grid[0] <= INT_MAX)
      grid[0] = std::min(grid[0], std::max<int64_t>(prepared.kernel->wave / plan.cluster[0], 1) * plan.cluster[0]);
    int64_t most = axis == 0 ? INT_MAX : 65535;
    if (grid[axis] < 0 || grid[axis] > most || grid[axis] % plan.cluster[axis])
      return corrupt("a grid of " + std::to_string(grid[axis]) + " CTAs on axis " + std::to_string(axis) +
                     ", expected 0 to " + std::to_string(most) + " in clusters of " +
                     std::to_string(plan.cluster[axis]));
    prepared.isEmpty |= grid[axis] == 0;
  }
  TENON_TRY_ASSIGN(int64_t shared, plan.sharedBytes.evaluate(dims));
  if (shared < 0)
    return corrupt(std::to_string(shared) + " bytes of shared memory");
  if (shared > prepared.kernel->maxShared)
    return unsupported(std::to_string(shared) + " bytes of dynamic shared memory, this GPU has " +
                       std::to_string(prepared.kernel->maxShared) + " for it: compile the model for this GPU");
  auto narrow = [](int64_t size) { return static_cast<unsigned int>(size); };
  prepared.config = {narrow(grid[0]),
                     narrow(grid[1]),
                     narrow(grid[2]),
                     narrow(plan.block[0]),
                     narrow(plan.block[1]),
                     narrow(plan.block[2]),
                     narrow(shared),
                     nullptr,
                     nullptr,
                     0};
  if (plan.cluster != std::array<int64_t, 3>{1, 1, 1}) {
    CUlaunchAttribute &attribute = prepared.attributes[prepared.config.numAttrs++];
    attribute.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
    attribute.value.clusterDim = {narrow(plan.cluster[0]), narrow(plan.cluster[1]), narrow(plan.cluster[2])};
  }
  prepared.numFixedAttributes = prepared.config.numAttrs;
  if (prepared.launch->programmatic) {
    CUlaunchAttribute &attribute = prepared.attributes[prepared.config.numAttrs++];
    attribute.id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
    attribute.value.programmaticStreamSerializationAllowed = 1;
  }
  TENON_TRY_ASSIGN(prepared.workspace, prepared.kernel->plan->scratch.evaluate(dims));
  TENON_TRY_ASSIGN(prepared.zeroed, plan.zeroedBytes.evaluate(dims));
  prepared.counters = plan.counterBytes;
  if (prepared.workspace < 0 || prepared.workspace > maxWorkspace || prepared.zeroed < 0 ||
      prepared.zeroed > prepared.workspace || prepared.counters > prepared.workspace ||
      (prepared.counters && prepared.zeroed))
    return corrupt("a workspace of " + std::to_string(prepared.workspace) + " bytes with " +
                   std::to_string(prepared.zeroed) + " of them zero and " + std::to_string(prepared.counters) +
                   " of counters makes no sense");
  return {};
}

// Of a launch whose workspace is known.
static LaunchMemory memoryOf(const LaunchPlan &plan, const PreparedLaunch &prepared,
                             const std::vector<int64_t> &bytes) {
  LaunchMemory memory;
  const PlanLaunch &launch = *prepared.launch;
  for (const std::vector<int64_t> *ids : {&launch.operands, &launch.results})
    for (int64_t id : *ids) {
      ValueKind kind = plan.values[viewedValue(plan, id)].kind;
      memory.bytes.push_back(bytes[id]);
      memory.isStatic.push_back(kind == ValueKind::Weight || kind == ValueKind::Constant ||
                                kind == ValueKind::Persistent);
    }
  memory.workspace = prepared.workspace;
  memory.zeroed = std::max(prepared.zeroed, prepared.counters);
  memory.numOperands = launch.operands.size();
  return memory;
}

Result<PreparedLaunch> prepareLaunch(const LaunchPlan &plan, const std::map<std::string, Kernel> &kernels,
                                     const PlanLaunch &launch,
                                     const std::function<const int64_t *(std::string_view)> &dims,
                                     const std::vector<int64_t> &bytes) {
  std::string where = "kernel '" + launch.kernel + "'";
  PreparedLaunch prepared;
  prepared.launch = &launch;
  prepared.kernel = &kernels.at(launch.kernel);
  std::vector<int64_t> sizes;
  for (const Expr &dim : launch.dims) {
    TENON_TRY_ASSIGN(int64_t size, dim.evaluate(dims));
    sizes.push_back(size);
  }
  std::string reason;
  Result<bool> mapped = prepareMaps(prepared, sizes, bytes, reason);
  if (!mapped.ok())
    return mapped.status().in(where);
  if (!*mapped) {
    const std::string &fallback = prepared.kernel->plan->cuda->fallback;
    if (fallback.empty())
      return unsupported(where + ": " + reason + ", and it has no fallback: compile the model with sizes that fit");
    prepared.kernel = &kernels.at(fallback);
    prepared.maps.clear();
  }
  if (Status status = prepareConfig(prepared, sizes); !status.ok())
    return status.in(where);

  prepared.memory = memoryOf(plan, prepared, bytes);
  prepared.updates = updatesOf(plan, launch, [&](int64_t id) { return bytes[id]; });
  size_t arguments = launch.operands.size() + launch.results.size();
  prepared.words.assign(arguments, 0);
  for (int64_t size : sizes)
    prepared.words.push_back(static_cast<uint64_t>(size));
  prepared.words.push_back(0); // the workspace
  for (uint64_t &word : prepared.words)
    prepared.parameters.push_back(&word);
  for (PreparedMap &map : prepared.maps)
    prepared.parameters.push_back(&map.encoded);
  return prepared;
}

//===--- launching -----------------------------------------------------------------------------------------------===//

static Status encode(Device &device, const PreparedLaunch &launch, PreparedMap &map, CUdeviceptr argument) {
  if (map.isEmpty || map.encodedFor == argument)
    return {};
  const PlanTensorMap &plan = *map.plan;
  auto *address = reinterpret_cast<char *>(argument) + map.offset;
  if (reinterpret_cast<uintptr_t>(address) % 16)
    return internalError("a tensor map's address is not a multiple of 16");
  uint32_t box[5], elementStrides[5];
  for (size_t axis = 0; axis < plan.box.size(); ++axis) {
    box[axis] = static_cast<uint32_t>(plan.box[axis]);
    elementStrides[axis] = 1;
  }
  auto log = [](int64_t bytes, int64_t first) { // 0, first, 2 * first, .. -> 0, 1, 2, ..
    int power = 0;
    for (; bytes >= first; bytes /= 2)
      ++power;
    return power;
  };
  TENON_TRY(device.check(
      device.driver().cuTensorMapEncodeTiled(&map.encoded, dataTypeOfMap(plan), static_cast<uint32_t>(plan.box.size()),
                                             address, map.sizes, map.strides, box, elementStrides, /*interleave=*/0,
                                             log(plan.swizzle, 32), log(plan.l2Promotion, 64), plan.fillNan ? 1 : 0),
      "cuTensorMapEncodeTiled", launch.kernel->name));
  map.encodedFor = argument;
  return {};
}

Status enqueue(Device &device, PreparedLaunch &launch, const std::vector<void *> &addresses, char *arena,
               CUstream stream) {
  CUlaunchConfig config = launch.config;
  config.hStream = stream;
  config.attrs = launch.attributes;
  for (const Update &update : launch.updates) {
    auto from = reinterpret_cast<CUdeviceptr>(addresses[update.from]),
         to = reinterpret_cast<CUdeviceptr>(addresses[update.to]);
    if (from == to || !update.bytes)
      continue;
    TENON_TRY(device.check(device.driver().cuMemcpyDtoDAsync(to, from, static_cast<size_t>(update.bytes), stream),
                           "cuMemcpyDtoDAsync", launch.kernel->name));
    config.numAttrs = launch.numFixedAttributes; // it waits for the copy as a whole
  }
  if (launch.isEmpty)
    return {};
  size_t word = 0;
  for (const std::vector<int64_t> *ids : {&launch.launch->operands, &launch.launch->results})
    for (int64_t id : *ids)
      launch.words[word++] = reinterpret_cast<uint64_t>(addresses[id]);
  char *workspace = launch.workspace ? arena + launch.workspaceAt : nullptr;
  launch.words.back() = reinterpret_cast<uint64_t>(workspace);
  for (PreparedMap &map : launch.maps)
    TENON_TRY(encode(device, launch, map, launch.words[static_cast<size_t>(map.plan->argument)]));
  if (launch.zeroed)
    TENON_TRY(device.check(
        device.driver().cuMemsetD8Async(launch.words.back(), 0, static_cast<size_t>(launch.zeroed), stream),
        "cuMemsetD8Async", launch.kernel->name));
  if (device.driver().describeLaunch)
    device.driver().describeLaunch(launch.memory);
  return device.check(
      device.driver().cuLaunchKernelEx(&config, launch.kernel->function, launch.parameters.data(), nullptr),
      "cuLaunchKernelEx", launch.kernel->name);
}

} // namespace tenon::cuda
