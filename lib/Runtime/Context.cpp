#include "lib/Runtime/Context.h"

#include "lib/Runtime/CudaContext.h"
#include "lib/Runtime/ShapePlan.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

namespace tenon {

static constexpr size_t maxShapePlans = 1024; // a context that sees more tuples of sizes starts afresh

struct Context::State {
  std::map<std::vector<int64_t>, std::unique_ptr<ShapePlan>> plans;
  std::vector<int64_t> key;
  std::vector<void *> addresses, buffers;
  AlignedBuffer arena, scratch;
  std::vector<AlignedBuffer> staging; // of the inputs, then the outputs, that came at an address kernels cannot use
};

// Kernels are compiled for addresses that are multiples of this; a caller's tensor may begin anywhere.
static constexpr uintptr_t kernelAlignment = 64;

static bool needsStaging(const void *address) { return reinterpret_cast<uintptr_t>(address) % kernelAlignment != 0; }

static Result<void *> stagingFor(AlignedBuffer &buffer, int64_t bytes) {
  if (bytes > buffer.size()) {
    buffer = {};
    TENON_TRY_ASSIGN(buffer, AlignedBuffer::allocate(bytes));
  }
  return buffer.data();
}

Context::Context(std::shared_ptr<const Executable> executable)
    : exe(std::move(executable)), state(std::make_unique<State>()) {
  if (exe->cuda()) {
    cudaState = std::make_shared<cuda::ContextState>(exe);
    return;
  }
  const LaunchPlan &plan = exe->plan();
  state->addresses.assign(plan.values.size(), nullptr);
  size_t most = 0;
  for (const PlanLaunch &launch : plan.launches)
    most = std::max(most, launch.operands.size() + launch.results.size());
  state->buffers.assign(most, nullptr);
  state->staging.resize(plan.inputs.size() + plan.outputs.size());
}

Context::~Context() = default;

int64_t Context::arenaBytes() const {
  if (cudaState)
    return cudaState->bytes();
  int64_t bytes = state->arena.size() + state->scratch.size();
  for (const AlignedBuffer &buffer : state->staging)
    bytes += buffer.size();
  return bytes;
}

// Tensors are in host memory, or on the GPU that the model is on.
Status Context::checkPlaces(const std::vector<TensorRef> &tensors, const char *what) const {
  for (size_t i = 0; i < tensors.size(); ++i)
    if (int32_t at = tensors[i].device; at != TensorRef::host && (!exe->cuda() || at != exe->cuda()->device().index()))
      return invalidArgument(std::string(what) + " " + std::to_string(i) + " is in " + placeText(at) +
                             ", expected host memory" +
                             (exe->cuda() ? " or " + placeText(exe->cuda()->device().index()) + ", where the model is"
                                          : ": the model was compiled for the CPU"));
  return {};
}

Result<ShapePlan *> Context::shapePlanFor(const std::vector<TensorRef> &inputs) {
  TENON_TRY(checkPlaces(inputs, "input"));
  TENON_TRY(bindDims(exe->plan(), inputs, state->key));
  auto found = state->plans.find(state->key);
  if (found != state->plans.end())
    return found->second.get();
  TENON_TRY_ASSIGN(std::unique_ptr<ShapePlan> made, makeShapePlan(*exe, state->key));
  if (cudaState) {
    TENON_TRY(cudaState->reserve(*made));
  } else if (made->arena.bytes > state->arena.size()) {
    state->arena = {}; // freed first: the peak is the new arena alone
    TENON_TRY_ASSIGN(state->arena, AlignedBuffer::allocate(made->arena.bytes));
  }
  if (made->scratch > state->scratch.size()) { // never on a GPU
    TENON_TRY_ASSIGN(state->scratch, AlignedBuffer::allocate(made->scratch));
  }
  if (state->plans.size() >= maxShapePlans)
    state->plans.clear();
  return (state->plans[state->key] = std::move(made)).get();
}

Result<std::vector<std::vector<int64_t>>> Context::outputShapes(const std::vector<TensorRef> &inputs) {
  TENON_TRY_ASSIGN(ShapePlan * plan, shapePlanFor(inputs));
  return plan->outputShapes;
}

static bool overlap(const TensorRef &a, int64_t aBytes, const TensorRef &b, int64_t bBytes) {
  auto *aBegin = static_cast<const char *>(a.data), *bBegin = static_cast<const char *>(b.data);
  return aBytes && bBytes && aBegin < bBegin + bBytes && bBegin < aBegin + aBytes;
}

Status Context::checkOutputs(const ShapePlan &shapes, const std::vector<TensorRef> &inputs,
                             const std::vector<TensorRef> &outputs) const {
  const LaunchPlan &plan = exe->plan();
  if (outputs.size() != plan.outputs.size())
    return invalidArgument("got " + std::to_string(outputs.size()) + " outputs, expected " +
                           std::to_string(plan.outputs.size()));
  TENON_TRY(checkPlaces(outputs, "output"));
  for (size_t i = 0; i < outputs.size(); ++i) {
    const PlanValue &value = plan.values[plan.outputs[i]];
    auto where = [&] { return "output " + std::to_string(i) + " '" + value.name + "'"; };
    const TensorRef &output = outputs[i];
    if (output.dtype != value.dtype)
      return invalidArgument(where() + " is " + std::string(dataTypeName(output.dtype)) + ", expected " +
                             std::string(dataTypeName(value.dtype)));
    if (output.shape != shapes.outputShapes[i])
      return invalidArgument(where() + " has the shape " + shapeText(output.shape) + ", expected " +
                             shapeText(shapes.outputShapes[i]));
    TENON_TRY(checkAddress(output, where));
    for (size_t j = 0; j < inputs.size(); ++j)
      if (overlap(output, shapes.outputBytes[i], inputs[j], inputs[j].bytes()) &&
          !(value.over == plan.inputs[j] && output.data == inputs[j].data && output.device == inputs[j].device))
        return invalidArgument(where() + " overlaps input " + std::to_string(j) + " '" +
                               plan.values[plan.inputs[j]].name + "': give it memory of its own" +
                               (value.over == plan.inputs[j] ? ", or all of that input's" : ""));
    for (size_t j = 0; j < i; ++j)
      if (overlap(output, shapes.outputBytes[i], outputs[j], shapes.outputBytes[j]))
        return invalidArgument(where() + " overlaps output " + std::to_string(j) + ": give it memory of its own");
  }
  return {};
}

Status Context::run(const std::vector<TensorRef> &inputs, const std::vector<TensorRef> &outputs) {
  TENON_TRY_ASSIGN(ShapePlan * shapes, shapePlanFor(inputs));
  TENON_TRY(checkOutputs(*shapes, inputs, outputs));
  if (cudaState)
    return cudaState->run(*shapes, inputs, outputs);
  const LaunchPlan &plan = exe->plan();
  std::vector<void *> &addresses = state->addresses;
  for (const PlanValue &value : plan.values)
    if (value.kind == ValueKind::Temp)
      addresses[value.id] = static_cast<char *>(state->arena.data()) + shapes->tempOffsets[value.id];
    else if (value.kind == ValueKind::Size)
      addresses[value.id] = &shapes->sizes[value.id];
    else
      addresses[value.id] = exe->staticAddress(value.id);
  for (size_t i = 0; i < inputs.size(); ++i) {
    void *&address = addresses[plan.inputs[i]] = inputs[i].data;
    if (int64_t bytes = inputs[i].bytes(); bytes && needsStaging(address)) {
      TENON_TRY_ASSIGN(address, stagingFor(state->staging[i], bytes));
      std::memcpy(address, inputs[i].data, static_cast<size_t>(bytes));
    }
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    void *&address = addresses[plan.outputs[i]] = outputs[i].data;
    bool isCopied = plan.values[plan.outputs[i]].source >= 0;
    if (!isCopied && shapes->outputBytes[i] && needsStaging(address)) {
      TENON_TRY_ASSIGN(address, stagingFor(state->staging[inputs.size() + i], shapes->outputBytes[i]));
    }
  }
  for (const PlanValue &value : plan.values) // a source comes before its views
    if (value.kind == ValueKind::View)
      addresses[value.id] = addresses[value.source];

  for (const PreparedLaunch &launch : shapes->launches) {
    for (const Update &update : launch.updates)
      if (addresses[update.to] != addresses[update.from] && update.bytes)
        std::memcpy(addresses[update.to], addresses[update.from], static_cast<size_t>(update.bytes));
    void **buffer = state->buffers.data();
    for (int64_t id : launch.launch->operands)
      *buffer++ = addresses[id];
    for (int64_t id : launch.launch->results)
      *buffer++ = addresses[id];
    runLaunch(launch, state->buffers.data(), state->scratch.data());
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    const PlanValue &value = plan.values[plan.outputs[i]];
    const void *from = addresses[value.source >= 0 ? value.source : value.id];
    if (from != outputs[i].data && shapes->outputBytes[i])
      std::memcpy(outputs[i].data, from, static_cast<size_t>(shapes->outputBytes[i]));
  }
  return {};
}

Result<std::vector<Tensor>> Context::run(const std::vector<TensorRef> &inputs) {
  TENON_TRY_ASSIGN(ShapePlan * shapes, shapePlanFor(inputs));
  std::vector<Tensor> outputs;
  std::vector<TensorRef> refs;
  for (size_t i = 0; i < shapes->outputShapes.size(); ++i) {
    DataType dtype = exe->plan().values[exe->plan().outputs[i]].dtype;
    TENON_TRY_ASSIGN(Tensor output, Tensor::allocate(dtype, shapes->outputShapes[i]));
    refs.push_back(output.ref());
    outputs.push_back(std::move(output));
  }
  TENON_TRY(run(inputs, refs));
  return outputs;
}

//===--- what only a GPU has -------------------------------------------------------------------------------------===//

static Status onlyForGpu(const char *what, const LaunchPlan &plan) {
  return unsupported(std::string(what) + " are for models on a GPU; this one was compiled for '" + plan.target + "'");
}

Status Context::setStream(void *stream) {
  if (!cudaState)
    return onlyForGpu("streams", exe->plan());
  return cudaState->setStream(static_cast<cuda::CUstream>(stream));
}

Result<std::vector<Context::LaunchTime>> Context::timeLaunches(const std::vector<TensorRef> &inputs,
                                                               const std::vector<TensorRef> &outputs) {
  const LaunchPlan &plan = exe->plan();
  if (!cudaState)
    return onlyForGpu("times of launches", plan);
  TENON_TRY_ASSIGN(ShapePlan * shapes, shapePlanFor(inputs));
  TENON_TRY(checkOutputs(*shapes, inputs, outputs));
  TENON_TRY_ASSIGN(std::vector<double> milliseconds, cudaState->timeLaunches(*shapes, inputs, outputs));
  auto sizeOf = [&](std::string_view name) -> const int64_t * {
    for (size_t d = 0; d < plan.dims.size(); ++d)
      if (plan.dims[d].name == name)
        return &state->key[d];
    return nullptr;
  };
  std::vector<LaunchTime> times;
  for (size_t i = 0; i < milliseconds.size(); ++i) {
    const PlanLaunch &launch = plan.launches[i];
    const PlanKernel &kernel = plan.kernels.at(launch.kernel);
    TENON_TRY_ASSIGN(int64_t flops, kernel.flops.substitute(launch.dims).evaluate(sizeOf));
    TENON_TRY_ASSIGN(int64_t bytes, kernel.bytes.substitute(launch.dims).evaluate(sizeOf));
    times.push_back({launch.kernel, milliseconds[i], flops, bytes});
  }
  return times;
}

Status Context::synchronize() { return cudaState ? cudaState->synchronize() : Status(); }

static Status checkLaunched(const LaunchPlan &plan, const std::vector<std::string> &kernels) {
  std::set<std::string_view> launched;
  for (const PlanLaunch &launch : plan.launches)
    launched.insert(launch.kernel);
  for (const std::string &kernel : kernels)
    if (!launched.count(kernel)) {
      std::string names;
      for (std::string_view name : launched)
        names.append(names.empty() ? "" : ", ").append(name);
      return notFound("a call launches no kernel '" + kernel + "'; it launches " + (names.empty() ? "none" : names));
    }
  return {};
}

Result<std::shared_ptr<cuda::Graph>> Context::capture(const std::vector<TensorRef> &inputs,
                                                      const std::vector<std::string> &without) {
  if (!cudaState)
    return onlyForGpu("graphs", exe->plan());
  TENON_TRY(checkLaunched(exe->plan(), without));
  TENON_TRY_ASSIGN(ShapePlan * shapes, shapePlanFor(inputs));
  return cudaState->capture(*shapes, inputs, without);
}

} // namespace tenon
