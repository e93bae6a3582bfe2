#include "lib/Runtime/Executable.h"

#include "lib/Runtime/CudaModel.h"
#include "lib/Runtime/HostFeatures.h"
#include "lib/Runtime/Launch.h"
#include "lib/Runtime/StaticValues.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

namespace tenon {

static bool aligned(const void *address, int64_t to) { return reinterpret_cast<uintptr_t>(address) % to == 0; }

Executable::Executable() = default;
Executable::~Executable() = default;

Result<std::shared_ptr<const Executable>> Executable::create(LaunchPlan plan, std::shared_ptr<KernelLibrary> kernels,
                                                             std::string_view constants,
                                                             std::shared_ptr<const WeightSource> weights,
                                                             std::shared_ptr<const void> keepAlive,
                                                             SharedValues *shared) {
  TENON_TRY(validateLaunchPlan(plan));
  if (isCudaTarget(plan.target))
    return invalidArgument("a plan for '" + plan.target + "' has cubins, not a library of CPU kernels");
  TENON_TRY(checkFeatures(plan));
  std::shared_ptr<Executable> exe(new Executable);
  exe->launchPlan = std::move(plan);
  exe->library = std::move(kernels);
  exe->weightSource = std::move(weights);
  exe->constants = constants;
  exe->keepAlive = std::move(keepAlive);
  exe->staticAddresses.assign(exe->launchPlan.values.size(), nullptr);
  TENON_TRY(exe->checkDims());
  TENON_TRY(exe->bindKernels());
  TENON_TRY(exe->bindConstants());
  LoadNeeds needs = loadNeeds(exe->launchPlan, shared);
  TENON_TRY(exe->bindWeights(shared, needs));
  TENON_TRY(exe->runInit(shared, needs));
  return std::shared_ptr<const Executable>(std::move(exe));
}

Result<std::shared_ptr<const Executable>>
Executable::createCuda(LaunchPlan plan, const std::map<std::string, std::string_view> &cubins,
                       std::string_view constants, std::shared_ptr<const WeightSource> weights, int device,
                       std::shared_ptr<const void> keepAlive, SharedValues *shared) {
  TENON_TRY(validateLaunchPlan(plan));
  std::shared_ptr<Executable> exe(new Executable);
  exe->launchPlan = std::move(plan);
  exe->weightSource = std::move(weights);
  exe->keepAlive = std::move(keepAlive);
  TENON_TRY(exe->checkDims());
  TENON_TRY_ASSIGN(exe->cudaModel,
                   cuda::Model::load(exe->launchPlan, cubins, constants, exe->weightSource.get(), device, shared));
  exe->staticAddresses = exe->cudaModel->addresses();
  exe->ownedBytes = exe->cudaModel->bytes();
  return std::shared_ptr<const Executable>(std::move(exe));
}

Result<std::shared_ptr<const Executable>> Executable::load(std::shared_ptr<const Artefact> artefact,
                                                           std::shared_ptr<const WeightSource> weights, int device,
                                                           const std::string &entry) {
  TENON_TRY_ASSIGN(const ArtefactEntry *found, findEntry(*artefact, entry));
  TENON_TRY_ASSIGN(weights, weightsOf(*artefact, std::move(weights)));
  return load(artefact, *found, std::move(weights), device, nullptr);
}

Result<std::shared_ptr<const Executable>> Executable::load(const std::shared_ptr<const Artefact> &artefact,
                                                           const ArtefactEntry &entry,
                                                           std::shared_ptr<const WeightSource> weights, int device,
                                                           SharedValues *shared) {
  if (isCudaTarget(entry.plan.target)) {
    Result<std::shared_ptr<const Executable>> exe =
        createCuda(entry.plan, entry.cubins, entry.constants, std::move(weights), device, artefact, shared);
    return exe.ok() ? std::move(exe) : exe.status().in(artefact->origin);
  }
  TENON_TRY(checkFeatures(entry.plan));   // before the system is asked to load the code
  std::shared_ptr<KernelLibrary> kernels; // none where the outputs are inputs, weights and views of them
  if (!entry.kernels.empty()) {
    Result<std::shared_ptr<KernelLibrary>> opened = openSharedObject(entry.kernels);
    if (!opened.ok())
      return opened.status().in(artefact->origin);
    kernels = opened.take();
  }
  Result<std::shared_ptr<const Executable>> exe =
      create(entry.plan, kernels, entry.constants, std::move(weights), artefact, shared);
  return exe.ok() ? std::move(exe) : exe.status().in(artefact->origin);
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

// Whether an entry loaded before has it; then it is used where it is.
bool Executable::takeShared(SharedValues *shared, const PlanValue &value) {
  const SharedValues::Place *place = shared ? shared->find(value) : nullptr;
  if (!place)
    return false;
  staticAddresses[value.id] = place->address;
  sharedMemory.push_back(place->owner);
  return true;
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

Status Executable::bindConstants() {
  bool inPlace = aligned(constants.data(), 64);
  if (!inPlace) {
    TENON_TRY_ASSIGN(void *copy, own(static_cast<int64_t>(constants.size())));
    std::memcpy(copy, constants.data(), constants.size());
    constants = {static_cast<const char *>(copy), constants.size()};
  }
  for (const PlanValue &value : launchPlan.values) {
    if (value.kind != ValueKind::Constant)
      continue;
    TENON_TRY_ASSIGN(std::string_view bytes, constantBytes(value, constants));
    staticAddresses[value.id] = const_cast<char *>(bytes.data());
  }
  return {};
}

// A weight is used where it lies. Launches of a call want it 64-byte aligned, else one copy is made; launches at load
// read it once, so there any alignment of its elements does.
Status Executable::bindWeights(SharedValues *shared, const LoadNeeds &needs) {
  const std::vector<PlanValue> &values = launchPlan.values;
  std::vector<bool> everyCall = readByCalls(launchPlan);
  for (const PlanValue &value : values) {
    if (value.kind != ValueKind::Weight || !needs.values[value.id] || takeShared(shared, value))
      continue;
    TENON_TRY_ASSIGN(TensorRef weight, findWeight(value, weightSource.get()));
    if (weight.device != TensorRef::host)
      return invalidArgument("weight '" + value.name + "' is on cuda:" + std::to_string(weight.device) +
                             ", but the model was compiled for the CPU: give it in host memory");
    int64_t needed = everyCall[value.id] ? 64 : std::max<int64_t>(1, bitsPerElement(value.dtype) / 8);
    if (!aligned(weight.data, needed)) {
      TENON_TRY_ASSIGN(void *copy, own(weight.bytes()));
      std::memcpy(copy, weight.data, static_cast<size_t>(weight.bytes()));
      weight.data = copy;
      if (shared)
        shared->add(value, {copy, weight.bytes(), std::make_shared<AlignedBuffer>(owned.back())});
    }
    staticAddresses[value.id] = weight.data;
  }
  return {};
}

// What only other launches at load read (weights joined before they are packed) goes with the last of them.
Status Executable::runInit(SharedValues *shared, const LoadNeeds &needs) {
  const std::vector<PlanValue> &values = launchPlan.values;
  std::vector<bool> isKept = readByCalls(launchPlan);
  std::vector<size_t> lastReader(values.size(), 0);
  for (size_t index = 0; index < launchPlan.init.size(); ++index) {
    for (int64_t id : launchPlan.init[index].operands)
      lastReader[viewedValue(launchPlan, id)] = index;
    for (int64_t id : launchPlan.init[index].results)
      if (!needs.launches[index] && needs.values[id])
        takeShared(shared, values[id]);
  }
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
    if (!needs.launches[index])
      continue;
    std::map<int64_t, int64_t> resultBytes;
    for (int64_t id : launch.results) {
      TENON_TRY_ASSIGN(std::vector<int64_t> shape, staticShape(values[id]));
      int64_t bytes = resultBytes[id] = *bytesOfShape(values[id].dtype, shape);
      if (isKept[id]) {
        TENON_TRY_ASSIGN(staticAddresses[id], own(bytes));
        if (shared)
          shared->add(values[id], {staticAddresses[id], bytes, std::make_shared<AlignedBuffer>(owned.back())});
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
    for (const Update &update : updatesOf(launchPlan, launch, [&](int64_t id) { return resultBytes.at(id); }))
      std::memcpy(staticAddresses[update.to], staticAddresses[update.from], static_cast<size_t>(update.bytes));
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
