// The rules of a launch plan for CUDA: what can be known to fail without the sizes of a call is refused here, so that a
// plan which is read can be prepared. Limits are those of every GPU with compute capability 8.0 or more; what differs
// between GPUs (shared memory, clusters) the driver judges.
#include "lib/Runtime/LaunchPlan.h"

#include <algorithm>

namespace tenon {

static constexpr std::string_view cudaPrefix = "cuda:sm_";
static constexpr size_t maxParameterBytes = 32764; // of one launch

bool isCudaTarget(std::string_view target) { return target.substr(0, 5) == "cuda:"; }

// "cuda:sm_80", "cuda:sm_90a".
static bool isKnownTarget(std::string_view target) {
  if (target.substr(0, cudaPrefix.size()) != cudaPrefix)
    return false;
  std::string_view arch = target.substr(cudaPrefix.size());
  if (!arch.empty() && (arch.back() == 'a' || arch.back() == 'f'))
    arch.remove_suffix(1);
  return arch.size() >= 2 && arch.size() <= 3 &&
         std::all_of(arch.begin(), arch.end(), [](char c) { return c >= '0' && c <= '9'; });
}

static bool isOneOf(int64_t value, std::initializer_list<int64_t> values) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

static std::string triple(const std::array<int64_t, 3> &sizes) {
  return "[" + std::to_string(sizes[0]) + ", " + std::to_string(sizes[1]) + ", " + std::to_string(sizes[2]) + "]";
}

static Status checkTensorMap(const PlanTensorMap &map, const std::string &where) {
  size_t rank = map.sizes.size();
  if (rank < 1 || rank > 5 || map.strides.size() + 1 != rank || map.box.size() != rank)
    return corrupt(where + "rank " + std::to_string(rank) + " with " + std::to_string(map.strides.size()) +
                   " strides and a box of " + std::to_string(map.box.size()) +
                   ", expected 1 to 5, one less and as many");
  if (map.roundsToTf32 && map.dtype != DataType::F32)
    return corrupt(where + std::string(dataTypeName(map.dtype)) + " rounded to tf32, expected f32");
  int64_t bits = bitsPerElement(map.dtype);
  if (bits < 8)
    return corrupt(where + "elements of " + std::to_string(bits) + " bits, expected whole bytes");
  for (int64_t side : map.box)
    if (side < 1 || side > 256)
      return corrupt(where + "a box side of " + std::to_string(side) + ", expected 1 to 256");
  int64_t inner = map.box[0] * bits / 8;
  if (inner % 16)
    return corrupt(where + "a box of " + std::to_string(inner) + " bytes inside, expected a multiple of 16");
  if (!isOneOf(map.swizzle, {0, 32, 64, 128}) || (map.swizzle && inner > map.swizzle))
    return corrupt(where + "swizzle " + std::to_string(map.swizzle) + " with a box of " + std::to_string(inner) +
                   " bytes inside, expected 0, 32, 64 or 128 and no less than the box");
  if (!isOneOf(map.l2Promotion, {0, 64, 128, 256}))
    return corrupt(where + "L2 promotion " + std::to_string(map.l2Promotion) + ", expected 0, 64, 128 or 256");
  if (map.fillNan && !isOneOf(static_cast<int64_t>(map.dtype),
                              {static_cast<int64_t>(DataType::F64), static_cast<int64_t>(DataType::F32),
                               static_cast<int64_t>(DataType::F16), static_cast<int64_t>(DataType::BF16)}))
    return corrupt(where + "NaN as fill of " + std::string(dataTypeName(map.dtype)));
  return {};
}

int64_t counterBytesOf(const LaunchPlan &plan) {
  int64_t bytes = 0;
  for (const auto &[name, kernel] : plan.kernels)
    if (kernel.cuda)
      bytes = std::max(bytes, kernel.cuda->counterBytes);
  return bytes;
}

static Status checkKernel(const LaunchPlan &plan, const std::string &name, const PlanCudaKernel &kernel) {
  std::string where = "launch plan: kernel '" + name + "': ";
  bool named = !kernel.cubin.empty() && kernel.cubin.size() <= 200 &&
               std::all_of(kernel.cubin.begin(), kernel.cubin.end(),
                           [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-' || c == '.'; });
  if (!named)
    return corrupt(where + "the name of its cubin must be letters, digits, '_', '-' and '.'");
  int64_t threads = 1, ctas = 1;
  for (int axis = 0; axis < 3; ++axis) {
    int64_t block = kernel.block[axis], cluster = kernel.cluster[axis];
    if (block < 1 || block > (axis == 2 ? 64 : 1024) || (threads *= block) > 1024)
      return corrupt(where + "a block of " + triple(kernel.block) + " threads, expected 1 to 1024");
    if (cluster < 1 || cluster > 16 || (ctas *= cluster) > 16)
      return corrupt(where + "a cluster of " + triple(kernel.cluster) + " CTAs, expected 1 to 16");
  }
  for (size_t i = 0; i < kernel.tensorMaps.size(); ++i)
    TENON_TRY(checkTensorMap(kernel.tensorMaps[i], where + "tensor map " + std::to_string(i) + ": "));
  if (kernel.counterBytes < 0 || (kernel.counterBytes && kernel.counterBytes != counterBytesOf(plan)))
    return corrupt(where + std::to_string(kernel.counterBytes) + " bytes of counters, expected " +
                   std::to_string(counterBytesOf(plan)) + " as of the plan's other kernels");
  if (kernel.fallback.empty())
    return {};
  auto fallback = plan.kernels.find(kernel.fallback);
  if (fallback == plan.kernels.end() || !fallback->second.cuda || !fallback->second.cuda->tensorMaps.empty())
    return corrupt(where + "its fallback '" + kernel.fallback + "' is no kernel without tensor maps");
  return {};
}

static Status checkLaunch(const LaunchPlan &plan, const PlanLaunch &launch) {
  auto found = plan.kernels.find(launch.kernel);
  if (found == plan.kernels.end())
    return {}; // refused with the other rules of a launch
  std::string where = "launch plan: launch of '" + launch.kernel + "': ";
  const PlanCudaKernel &kernel = *found->second.cuda;
  size_t arguments = launch.operands.size() + launch.results.size();
  for (const PlanTensorMap &map : kernel.tensorMaps)
    if (map.argument < 0 || map.argument >= static_cast<int64_t>(arguments))
      return corrupt(where + "a tensor map of argument " + std::to_string(map.argument) + " of " +
                     std::to_string(arguments));
  size_t bytes = 8 * (arguments + launch.dims.size() + 1) + 64 + 128 * kernel.tensorMaps.size();
  if (bytes > maxParameterBytes)
    return corrupt(where + std::to_string(bytes) + " bytes of parameters, at most " +
                   std::to_string(maxParameterBytes) + " are possible");
  return {};
}

Status validateCudaKernels(const LaunchPlan &plan) {
  bool cuda = isCudaTarget(plan.target);
  if (cuda && !isKnownTarget(plan.target))
    return corrupt("launch plan: target '" + plan.target + "', expected one like 'cuda:sm_90a'");
  int64_t format = cuda ? LaunchPlan::cudaFormat : LaunchPlan::cpuFormat;
  bool isNewer = plan.format == LaunchPlan::updatesFormat || (cuda && plan.format == LaunchPlan::tf32Format);
  if (plan.format != format && !isNewer)
    return corrupt("launch plan: format " + std::to_string(plan.format) + " for the target '" + plan.target +
                   "', expected " + std::to_string(format));
  for (const auto &[name, kernel] : plan.kernels) {
    if (kernel.cuda.has_value() != cuda)
      return corrupt("launch plan: kernel '" + name + "' is not for the target '" + plan.target + "'");
    if (!cuda)
      continue;
    TENON_TRY(checkKernel(plan, name, *kernel.cuda));
    for (const PlanTensorMap &map : kernel.cuda->tensorMaps)
      if (map.roundsToTf32 && plan.format < LaunchPlan::tf32Format)
        return corrupt("launch plan: kernel '" + name + "' rounds to tf32, which format " +
                       std::to_string(plan.format) + " cannot say");
  }
  for (const std::vector<PlanLaunch> *launches : {&plan.init, &plan.launches})
    for (const PlanLaunch &launch : *launches) {
      if (launch.programmatic && !cuda)
        return corrupt("launch plan: launch of '" + launch.kernel + "': programmatic, which only CUDA has");
      if (cuda)
        TENON_TRY(checkLaunch(plan, launch));
    }
  return {};
}

} // namespace tenon
