#include "lib/Runtime/Executable.h"

#include "lib/Runtime/HostFeatures.h"
#include "lib/Runtime/Launch.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

namespace tenon {

static bool aligned(const void *address, int64_t to) { return reinterpret_cast<uintptr_t>(address) % to == 0; }

Result<std::shared_ptr<const Executable>> Executable::create(LaunchPlan plan, std::shared_ptr<KernelLibrary> kernels,
                                                             std::string_view constants,
                                                             std::shared_ptr<const WeightSource> weights,
                                                             std::shared_ptr<const void> keepAlive) {
  TENON_TRY(validateLaunchPlan(plan));
  TENON_TRY(checkFeatures(plan));
  std::shared_ptr<Executable> exe(new Executable);
  exe->launchPlan = std::move(plan);
  exe->library = std::move(kernels);
  exe->weightSource = std::move(weights);
  exe->constantBytes = constants;
  exe->keepAlive = std::move(keepAlive);
  exe->staticAddresses.assign(exe->launchPlan.values.size(), nullptr);
  TENON_TRY(exe->checkDims());
  TENON_TRY(exe->bindKernels());
  TENON_TRY(exe->bindConstants());
  TENON_TRY(exe->bindWeights());
  TENON_TRY(exe->runInit());
  return std::shared_ptr<const Executable>(std::move(exe));
}

Result<std::shared_ptr<const Executable>> Executable::load(std::shared_ptr<const Artefact> artefact,
                                                           std::shared_ptr<const WeightSource> weights) {
  TENON_TRY(checkFeatures(artefact->plan)); // before the system is asked to load the code
  std::shared_ptr<KernelLibrary> kernels;   // none where the outputs are inputs, weights and views of them
  if (!artefact->kernels.empty()) {
    Result<std::shared_ptr<KernelLibrary>> opened = openSharedObject(artefact->kernels);
    if (!opened.ok())
      return opened.status().in(artefact->origin);
    kernels = opened.take();
  }
  if (!weights && !artefact->weights.empty()) {
    TENON_TRY_ASSIGN(weights, weightsFromBytes(artefact->weights, artefact->storage, artefact->origin, artefact->file));
  }
  Result<std::shared_ptr<const Executable>> exe =
      create(artefact->plan, kernels, artefact->constants, std::move(weights), artefact);
  return exe.ok() ? std::move(exe) : exe.status().in(artefact->origin);
}

Result<std::shared_ptr<const Executable>> Executable::load(const std::string &path, const std::string &weightsPath) {
  TENON_TRY_ASSIGN(std::shared_ptr<const Artefact> artefact, openArtefact(path));
  std::shared_ptr<const WeightSource> weights;
  if (!weightsPath.empty()) {
    TENON_TRY_ASSIGN(weights, openWeights(weightsPath));
  }
  return load(std::move(artefact), std::move(weights));
}

// Every dimension must be the size of some input, so that a call can know it.
Status Executable::checkDims() const {
  std::set<std::string> known;
  for (int64_t id : launchPlan.inputs)
    for (const Expr &size : launchPlan.values[id].shape)
      if (size.kind == Expr::Kind::Dim)
        known.insert(size.dim);
  for (const PlanDim &dim : launchPlan.dims)
    if (!known.count(dim.name))
      return corrupt("launch plan: no input has the dimension '" + dim.name + "' among its sizes");
  return {};
}

Result<void *> Executable::own(int64_t bytes) {
  TENON_TRY_ASSIGN(AlignedBuffer buffer, AlignedBuffer::allocate(bytes));
  owned.push_back(buffer);
  ownedBytes += bytes;
  return buffer.data();
}

Status Executable::bindKernels() {
  for (const auto &[name, kernel] : launchPlan.kernels) {
    void *address = library ? library->lookup(kernel.symbol) : nullptr;
    if (!address)
      return notFound("kernel '" + name + "': its symbol '" + kernel.symbol + "' is not in the kernels' library");
    functions[name] = reinterpret_cast<KernelFunction>(address);
  }
  return {};
}

static Result<std::vector<int64_t>> staticShape(const PlanValue &value) {
  std::vector<int64_t> shape;
  for (const Expr &size : value.shape)
    shape.push_back(size.value);
  if (!bytesOfShape(value.dtype, shape))
    return corrupt("launch plan: the size of value " + std::to_string(value.id) + " " + shapeText(shape) +
                   " overflows 64 bits");
  return shape;
}

Status Executable::bindConstants() {
  bool inPlace = aligned(constantBytes.data(), 64);
  if (!inPlace) {
    TENON_TRY_ASSIGN(void *copy, own(static_cast<int64_t>(constantBytes.size())));
    std::memcpy(copy, constantBytes.data(), constantBytes.size());
    constantBytes = {static_cast<const char *>(copy), constantBytes.size()};
  }
  for (const PlanValue &value : launchPlan.values) {
    if (value.kind != ValueKind::Constant)
      continue;
    TENON_TRY_ASSIGN(std::vector<int64_t> shape, staticShape(value));
    int64_t bytes = *bytesOfShape(value.dtype, shape), whole = static_cast<int64_t>(constantBytes.size());
    if (value.offset > whole || bytes > whole - value.offset)
      return corrupt("launch plan: constant " + std::to_string(value.id) + " reaches past the " +
                     std::to_string(whole) + " bytes of constants.bin");
    staticAddresses[value.id] = const_cast<char *>(constantBytes.data()) + value.offset;
  }
  return {};
}

// The values that calls read, themselves or by a view; the others serve launches at load alone.
static std::vector<bool> readByCalls(const LaunchPlan &plan) {
  std::vector<bool> isRead(plan.values.size(), false);
  auto mark = [&](int64_t id) {
    while (plan.values[id].kind == ValueKind::View)
      id = plan.values[id].source;
    isRead[id] = true;
  };
  for (const PlanLaunch &launch : plan.launches)
    for (int64_t id : launch.operands)
      mark(id);
  for (int64_t id : plan.outputs)
    if (int64_t source = plan.values[id].source; source >= 0)
      mark(source);
  return isRead;
}

// A weight is used where it lies. Launches of a call want it 64-byte aligned, else one copy is made; launches at load
// read it once, so there any alignment of its elements does.
Status Executable::bindWeights() {
  const std::vector<PlanValue> &values = launchPlan.values;
  std::vector<bool> everyCall = readByCalls(launchPlan);
  for (const PlanValue &value : values) {
    if (value.kind != ValueKind::Weight)
      continue;
    if (!weightSource)
      return notFound("weight '" + value.name +
                      "' is needed, but no weights were given: name the model's .safetensors file (--weights=FILE), or "
                      "try it on made-up ones "
                      "(--weights=random)");
    TENON_TRY_ASSIGN(std::vector<int64_t> shape, staticShape(value));
    TENON_TRY_ASSIGN(TensorRef weight, weightSource->find(value.name));
    if (weight.dtype != value.dtype || weight.shape != shape)
      return invalidArgument("weight '" + value.name + "' is " + std::string(dataTypeName(weight.dtype)) + " " +
                             shapeText(weight.shape) + ", expected " + std::string(dataTypeName(value.dtype)) + " " +
                             shapeText(shape) + ": give the weights the model was compiled for");
    int64_t needed = everyCall[value.id] ? 64 : std::max<int64_t>(1, bitsPerElement(value.dtype) / 8);
    if (!aligned(weight.data, needed)) {
      TENON_TRY_ASSIGN(void *copy, own(weight.bytes()));
      std::memcpy(copy, weight.data, static_cast<size_t>(weight.bytes()));
      weight.data = copy;
    }
    staticAddresses[value.id] = weight.data;
  }
  return {};
}

// What only other launches at load read (weights joined before they are packed) goes with the last of them.
Status Executable::runInit() {
  const std::vector<PlanValue> &values = launchPlan.values;
  std::vector<bool> isKept = readByCalls(launchPlan);
  auto owner = [&](int64_t id) {
    while (values[id].kind == ValueKind::View)
      id = values[id].source;
    return id;
  };
  std::vector<size_t> lastReader(values.size(), 0);
  for (size_t index = 0; index < launchPlan.init.size(); ++index)
    for (int64_t id : launchPlan.init[index].operands)
      lastReader[owner(id)] = index;
  std::map<int64_t, AlignedBuffer> passing;
  auto bindViews = [&] {
    for (const PlanValue &value : values)
      if (value.kind == ValueKind::View)
        staticAddresses[value.id] = staticAddresses[value.source];
  };
  bindViews();
  std::vector<void *> buffers;
  for (size_t index = 0; index < launchPlan.init.size(); ++index) {
    const PlanLaunch &launch = launchPlan.init[index];
    for (int64_t id : launch.results) {
      TENON_TRY_ASSIGN(std::vector<int64_t> shape, staticShape(values[id]));
      int64_t bytes = *bytesOfShape(values[id].dtype, shape);
      if (isKept[id]) {
        TENON_TRY_ASSIGN(staticAddresses[id], own(bytes));
      } else {
        TENON_TRY_ASSIGN(passing[id], AlignedBuffer::allocate(bytes));
        staticAddresses[id] = passing[id].data();
      }
    }
    bindViews();
    TENON_TRY_ASSIGN(PreparedLaunch prepared,
                     prepareLaunch(*this, launch, [](std::string_view) -> const int64_t * { return nullptr; }));
    TENON_TRY_ASSIGN(AlignedBuffer scratch, AlignedBuffer::allocate(prepared.scratchOfAll()));
    buffers.clear();
    for (int64_t id : launch.operands)
      buffers.push_back(staticAddresses[id]);
    for (int64_t id : launch.results)
      buffers.push_back(staticAddresses[id]);
    runLaunch(prepared, buffers.data(), scratch.data());
    for (auto value = passing.begin(); value != passing.end();)
      if (lastReader[value->first] <= index) {
        staticAddresses[value->first] = nullptr;
        value = passing.erase(value);
      } else {
        ++value;
      }
  }
  bindViews(); // those of what is gone are null, as nothing reads them
  if (weightSource && !launchPlan.init.empty())
    weightSource->releasePages();
  return {};
}

} // namespace tenon
