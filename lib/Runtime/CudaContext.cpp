#include "lib/Runtime/CudaContext.h"

#include "lib/Runtime/Nvtx.h"

#include <algorithm>
#include <cstdlib>
#include <map>

namespace tenon::cuda {

// Kernels read and write 16 bytes at once, and TMA wants its base there.
static constexpr uintptr_t kernelAlignment = 16;
static constexpr size_t sizeDistance = 64; // between values of kind Size

static CUdeviceptr toDevice(const void *address) { return reinterpret_cast<CUdeviceptr>(address); }

static bool isOn(const std::vector<TensorRef> &tensors, int32_t device) {
  return std::any_of(tensors.begin(), tensors.end(), [&](const TensorRef &t) { return t.device == device; });
}

static bool isUsable(const TensorRef &tensor) {
  return tensor.device != TensorRef::host && reinterpret_cast<uintptr_t>(tensor.data) % kernelAlignment == 0;
}

static bool wantsChecks() {
  const char *given = std::getenv("TENON_CHECK");
  return given && std::string_view(given) == "1";
}

ContextState::ContextState(std::shared_ptr<const Executable> executable)
    : exe(std::move(executable)), device(exe->cuda()->device()), isChecking(wantsChecks()) {
  const LaunchPlan &plan = exe->plan();
  addresses.assign(plan.values.size(), nullptr);
  staging.resize(plan.inputs.size() + plan.outputs.size());
}

// What is freed now may still be in use by queued work.
ContextState::~ContextState() { (void)waitUntilIdle(); }

int64_t ContextState::bytes() const {
  int64_t bytes = arena ? arena->size() : 0;
  for (const Memory &memory : staging)
    bytes += memory.size();
  return bytes;
}

//===--- order ---------------------------------------------------------------------------------------------------===//

Status ContextState::begin() {
  if (!hasStream && !ownStream) {
    TENON_TRY_ASSIGN(ownStream, makeStream(device));
    stream = ownStream.get();
  }
  if (hasWork && isReordered && isRecorded)
    TENON_TRY(device.check(device.driver().cuStreamWaitEvent(stream, lastUse.get(), 0), "cuStreamWaitEvent"));
  isReordered = isRecorded = false;
  return {};
}

Status ContextState::record() {
  if (!lastUse) {
    TENON_TRY_ASSIGN(lastUse, makeEvent(device));
  }
  TENON_TRY(device.check(device.driver().cuEventRecord(lastUse.get(), stream), "cuEventRecord", queued()));
  isRecorded = true;
  return {};
}

Status ContextState::setStream(CUstream given) {
  if (hasStream && given == stream)
    return {};
  TENON_TRY(device.lost());
  Current current(device);
  TENON_TRY(current.status);
  if (hasWork && !isRecorded)
    TENON_TRY(record());
  stream = given;
  hasStream = isReordered = true;
  return {};
}

Status ContextState::waitUntilIdle() {
  if (!hasWork)
    return {};
  Current current(device);
  TENON_TRY(current.status);
  const Driver &driver = device.driver();
  if (isRecorded)
    TENON_TRY(device.check(driver.cuEventSynchronize(lastUse.get()), "cuEventSynchronize", queued()));
  else
    TENON_TRY(device.check(driver.cuStreamSynchronize(stream), "cuStreamSynchronize", queued()));
  hasWork = false;
  firstQueued = lastQueued = nullptr;
  return {};
}

Status ContextState::synchronize() {
  TENON_TRY(device.lost());
  return waitUntilIdle();
}

std::string ContextState::queuedKernels() const {
  if (!firstQueued)
    return "";
  if (firstQueued == lastQueued)
    return firstQueued->name;
  return "one of the launches from " + firstQueued->name + " to " + lastQueued->name;
}

//===--- memory --------------------------------------------------------------------------------------------------===//

// The first launch finds them 0, on whichever stream it is.
Status ContextState::clearCounters(int64_t bytes) {
  if (bytes == 0)
    return {};
  TENON_TRY(begin());
  Status status = device.check(device.driver().cuMemsetD8Async(arena->get(), 0, static_cast<size_t>(bytes), stream),
                               "cuMemsetD8Async");
  Status done = device.check(device.driver().cuStreamSynchronize(stream), "cuStreamSynchronize", queued());
  if (!status.ok() || !done.ok())
    arena.reset();
  return status.ok() ? done : status;
}

Status ContextState::reserve(ShapePlan &shapes) {
  TENON_TRY(device.lost());
  Current current(device);
  TENON_TRY(current.status);
  if (!arena || shapes.arena.bytes > arena->size()) {
    TENON_TRY(waitUntilIdle());
    arena.reset(); // freed first: the peak is the new arena alone. A graph may keep it
    TENON_TRY_ASSIGN(Memory made, device.allocate(shapes.arena.bytes, "temporaries"));
    arena = std::make_shared<Memory>(std::move(made));
    TENON_TRY(clearCounters(shapes.counters));
  }
  const std::vector<PlanValue> &values = exe->plan().values;
  if (std::none_of(values.begin(), values.end(), [](const PlanValue &v) { return v.kind == ValueKind::Size; }))
    return {};
  TENON_TRY_ASSIGN(Memory made, device.allocate(static_cast<int64_t>(values.size() * sizeDistance), "sizes"));
  TENON_TRY(begin());
  Status status;
  for (const PlanValue &value : values)
    if (value.kind == ValueKind::Size && status.ok())
      status = device.check(device.driver().cuMemcpyHtoDAsync(made.get() + sizeDistance * static_cast<size_t>(value.id),
                                                              &shapes.sizes[value.id], sizeof(int64_t), stream),
                            "cuMemcpyHtoDAsync");
  Status done = device.check(device.driver().cuStreamSynchronize(stream), "cuStreamSynchronize", queued());
  shapes.deviceSizes = std::make_shared<Memory>(std::move(made));
  return status.ok() ? done : status;
}

Result<void *> ContextState::stagingFor(size_t slot, int64_t bytes) {
  Memory &memory = staging[slot];
  if (bytes > memory.size()) {
    TENON_TRY(waitUntilIdle());
    memory = {};
    TENON_TRY_ASSIGN(memory, device.allocate(bytes, "copies of the caller's tensors"));
  }
  return static_cast<void *>(memory.data());
}

Status ContextState::copy(const TensorRef &to, const TensorRef &from, int64_t bytes, CUstream on) {
  const Driver &driver = device.driver();
  auto size = static_cast<size_t>(bytes);
  if (!bytes || to.data == from.data)
    return {};
  if (from.device == TensorRef::host)
    return device.check(driver.cuMemcpyHtoDAsync(toDevice(to.data), from.data, size, on), "cuMemcpyHtoDAsync",
                        queued());
  if (to.device == TensorRef::host)
    return device.check(driver.cuMemcpyDtoHAsync(to.data, toDevice(from.data), size, on), "cuMemcpyDtoHAsync",
                        queued());
  return device.check(driver.cuMemcpyDtoDAsync(toDevice(to.data), toDevice(from.data), size, on), "cuMemcpyDtoDAsync",
                      queued());
}

//===--- a call --------------------------------------------------------------------------------------------------===//

void ContextState::bindFixed(const ShapePlan &shapes) {
  for (const PlanValue &value : exe->plan().values)
    if (value.kind == ValueKind::Temp)
      addresses[value.id] = arena->data() + shapes.tempOffsets[value.id];
    else if (value.kind == ValueKind::Size)
      addresses[value.id] = shapes.deviceSizes->data() + sizeDistance * static_cast<size_t>(value.id);
    else
      addresses[value.id] = exe->staticAddress(value.id);
}

void ContextState::bindViews() {
  for (const PlanValue &value : exe->plan().values) // a source comes before its views
    if (value.kind == ValueKind::View)
      addresses[value.id] = addresses[value.source];
}

Status ContextState::queueLaunch(PreparedLaunch &launch, CUstream on) {
  const std::vector<std::string> &sources = launch.kernel->plan->sources;
  NvtxRange range(sources.empty() ? launch.kernel->name : sources[0]);
  TENON_TRY(enqueue(device, launch, addresses, arena->data(), on));
  lastQueued = launch.kernel;
  firstQueued = firstQueued ? firstQueued : lastQueued;
  return {};
}

static bool isOneOf(const std::vector<std::string> &kernels, const PreparedLaunch &launch) {
  return std::find(kernels.begin(), kernels.end(), launch.launch->kernel) != kernels.end();
}

Status ContextState::queueLaunches(ShapePlan &shapes, CUstream on, bool waitForEach,
                                   const std::vector<std::string> &without) {
  auto mark = [&](size_t number) {
    return marks.empty()
               ? Status()
               : device.check(device.driver().cuEventRecord(marks[number].get(), on), "cuEventRecord", queued());
  };
  size_t number = 0;
  TENON_TRY(mark(number++));
  for (PreparedLaunch &launch : shapes.cudaLaunches) {
    if (isOneOf(without, launch))
      continue;
    TENON_TRY(queueLaunch(launch, on));
    TENON_TRY(mark(number++));
    if (waitForEach)
      TENON_TRY(device.check(device.driver().cuStreamSynchronize(on), "cuStreamSynchronize", launch.kernel->name));
  }
  return {};
}

Status ContextState::queueOutputs(const ShapePlan &shapes, const std::vector<TensorRef> &outputs, CUstream on) {
  const LaunchPlan &plan = exe->plan();
  for (size_t i = 0; i < outputs.size(); ++i) {
    const PlanValue &value = plan.values[plan.outputs[i]];
    TensorRef from;
    from.data = addresses[value.source >= 0 ? value.source : value.id];
    from.device = device.index();
    TENON_TRY(copy(outputs[i], from, shapes.outputBytes[i], on));
  }
  return {};
}

// After an error too, nothing that is queued may still use the caller's memory. A stream of the caller's is recorded
// now, as it may be gone when the context next needs to wait for it.
Status ContextState::finish(Status status, bool wait) {
  hasWork = true;
  if (status.ok() && wait)
    status = waitUntilIdle();
  else if (status.ok() && hasStream)
    status = record();
  if (!status.ok())
    (void)waitUntilIdle();
  return status;
}

Status ContextState::run(ShapePlan &shapes, const std::vector<TensorRef> &inputs,
                         const std::vector<TensorRef> &outputs) {
  TENON_TRY(device.lost());
  Current current(device);
  TENON_TRY(current.status);
  TENON_TRY(begin());
  const LaunchPlan &plan = exe->plan();
  bindFixed(shapes);
  auto bind = [&](const TensorRef &given, int64_t id, size_t slot, int64_t bytes) -> Status {
    addresses[id] = given.data;
    if (bytes && !isUsable(given)) {
      TENON_TRY_ASSIGN(addresses[id], stagingFor(slot, bytes));
    }
    return {};
  };
  for (size_t i = 0; i < inputs.size(); ++i)
    TENON_TRY(bind(inputs[i], plan.inputs[i], i, inputs[i].bytes()));
  for (size_t i = 0; i < outputs.size(); ++i)
    if (plan.values[plan.outputs[i]].source < 0)
      TENON_TRY(bind(outputs[i], plan.outputs[i], inputs.size() + i, shapes.outputBytes[i]));
  bindViews();

  auto queueAll = [&]() -> Status {
    for (size_t i = 0; i < inputs.size(); ++i) {
      TensorRef to = inputs[i];
      to.data = addresses[plan.inputs[i]];
      to.device = device.index();
      TENON_TRY(copy(to, inputs[i], inputs[i].bytes(), stream));
    }
    TENON_TRY(queueLaunches(shapes, stream, isChecking));
    return queueOutputs(shapes, outputs, stream);
  };
  bool wait = isOn(inputs, TensorRef::host) || isOn(outputs, TensorRef::host);
  return finish(queueAll(), wait);
}

Result<std::vector<double>> ContextState::timeLaunches(ShapePlan &shapes, const std::vector<TensorRef> &inputs,
                                                       const std::vector<TensorRef> &outputs) {
  TENON_TRY(device.lost());
  Current current(device);
  TENON_TRY(current.status);
  std::vector<Event> made;
  for (size_t i = 0; i <= shapes.cudaLaunches.size(); ++i) {
    TENON_TRY_ASSIGN(Event event, makeEvent(device, /*flags=*/0));
    made.push_back(std::move(event));
  }
  marks = std::move(made);
  Status status = run(shapes, inputs, outputs);
  if (status.ok())
    status = waitUntilIdle();
  std::vector<double> milliseconds;
  for (size_t i = 0; i + 1 < marks.size() && status.ok(); ++i) {
    float each = 0;
    status = device.check(device.driver().cuEventElapsedTime(&each, marks[i].get(), marks[i + 1].get()),
                          "cuEventElapsedTime");
    milliseconds.push_back(each);
  }
  marks.clear();
  if (!status.ok())
    return status;
  return milliseconds;
}

//===--- graphs --------------------------------------------------------------------------------------------------===//

// Launches that are left out leave results all the same, for with numbers of any kind, NaN among them, the others take
// another time: a whole call makes them. They are in memory that nothing else writes, the last launch's for all of a
// kernel, so that the L2 cache has them as it has what was just written.
Status ContextState::keepResults(Graph &graph, ShapePlan &shapes, const std::vector<TensorRef> &inputs,
                                 const std::vector<std::string> &without) {
  using Place = std::pair<std::string_view, size_t>; // a kernel, and the number of its result
  std::map<Place, int64_t> sizes;
  std::map<Place, void *> kept;
  auto forResults = [&](const PreparedLaunch &launch, auto use) -> Status {
    for (size_t i = 0; i < launch.launch->results.size() && isOneOf(without, launch); ++i)
      if (int64_t id = launch.launch->results[i]; exe->plan().values[id].kind == ValueKind::Temp)
        TENON_TRY(use(Place(launch.launch->kernel, i), id, launch.memory.bytes[launch.memory.numOperands + i]));
    return {};
  };
  for (const PreparedLaunch &launch : shapes.cudaLaunches)
    TENON_TRY(forResults(launch, [&](const Place &place, int64_t, int64_t bytes) {
      sizes[place] = std::max(sizes[place], bytes);
      return Status();
    }));
  for (const auto &[place, bytes] : sizes) {
    TENON_TRY_ASSIGN(Memory memory, device.allocate(bytes, "results that a graph does without"));
    kept[place] = memory.data();
    graph.memories.push_back(std::move(memory));
  }
  auto call = [&]() -> Status {
    for (size_t i = 0; i < inputs.size(); ++i)
      TENON_TRY(copy(graph.ownInputs[i], inputs[i], inputs[i].bytes(), stream));
    for (PreparedLaunch &launch : shapes.cudaLaunches) {
      TENON_TRY(queueLaunch(launch, stream));
      TENON_TRY(forResults(launch, [&](const Place &place, int64_t id, int64_t bytes) {
        TensorRef from, to;
        from.data = addresses[id], to.data = kept[place];
        from.device = to.device = device.index();
        return copy(to, from, bytes, stream);
      }));
    }
    return {};
  };
  TENON_TRY(begin());
  TENON_TRY(finish(call(), /*wait=*/true));
  for (const PreparedLaunch &launch : shapes.cudaLaunches)
    TENON_TRY(forResults(launch, [&](const Place &place, int64_t id, int64_t) {
      addresses[id] = kept[place];
      return Status();
    }));
  bindViews();
  return {};
}

Result<std::shared_ptr<Graph>> ContextState::capture(ShapePlan &shapes, const std::vector<TensorRef> &inputs,
                                                     const std::vector<std::string> &without) {
  TENON_TRY(device.lost());
  Current current(device);
  TENON_TRY(current.status);
  const LaunchPlan &plan = exe->plan();
  const Driver &driver = device.driver();
  std::shared_ptr<Graph> graph(new Graph);
  graph->context = shared_from_this();
  graph->arena = arena;
  graph->sizes = shapes.deviceSizes;
  bindFixed(shapes);
  auto add = [&](int64_t id, std::vector<int64_t> shape, std::vector<TensorRef> &own) -> Status {
    TensorRef tensor{nullptr, plan.values[id].dtype, std::move(shape), device.index()};
    TENON_TRY_ASSIGN(Memory memory, device.allocate(tensor.bytes(), "inputs and outputs of a graph"));
    tensor.data = addresses[id] = memory.data();
    graph->memories.push_back(std::move(memory));
    own.push_back(std::move(tensor));
    return {};
  };
  auto isUpdated = [&](int64_t id) {
    return std::any_of(plan.outputs.begin(), plan.outputs.end(),
                       [&](int64_t output) { return plan.values[output].over == id; });
  };
  for (size_t i = 0; i < inputs.size(); ++i) {
    int64_t id = plan.inputs[i];
    if (isUpdated(id) && inputs[i].data && isUsable(inputs[i])) { // stays where it is, call after call
      graph->ownInputs.push_back(inputs[i]);
      addresses[id] = inputs[i].data;
    } else {
      TENON_TRY(add(id, inputs[i].shape, graph->ownInputs));
    }
  }
  for (size_t i = 0; i < plan.outputs.size(); ++i) {
    int64_t id = plan.outputs[i], over = plan.values[id].over;
    if (over < 0) {
      TENON_TRY(add(id, shapes.outputShapes[i], graph->ownOutputs));
      continue;
    }
    auto input = std::find(plan.inputs.begin(), plan.inputs.end(), over) - plan.inputs.begin();
    graph->ownOutputs.push_back(graph->ownInputs[static_cast<size_t>(input)]);
    addresses[id] = addresses[over];
  }
  bindViews();
  if (!without.empty())
    TENON_TRY(keepResults(*graph, shapes, inputs, without));

  // On a stream of its own: the driver's default stream cannot be captured.
  TENON_TRY_ASSIGN(Stream recording, makeStream(device));
  const Kernel *first = firstQueued, *last = lastQueued; // recording queues nothing
  TENON_TRY(device.check(driver.cuStreamBeginCapture(recording.get(), CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
                         "cuStreamBeginCapture"));
  Status status = queueLaunches(shapes, recording.get(), false, without);
  if (status.ok())
    status = queueOutputs(shapes, graph->ownOutputs, recording.get());
  firstQueued = first, lastQueued = last;
  CUgraph recorded = nullptr;
  Status ended = device.check(driver.cuStreamEndCapture(recording.get(), &recorded), "cuStreamEndCapture");
  GraphTemplate owned(device.shared_from_this(), recorded);
  TENON_TRY(status);
  TENON_TRY(ended);
  CUgraphExec exec = nullptr;
  TENON_TRY(device.check(driver.cuGraphInstantiate(&exec, recorded, 0), "cuGraphInstantiate"));
  graph->exec = GraphExec(device.shared_from_this(), exec);
  return graph;
}

Graph::~Graph() {
  if (context)
    (void)context->waitUntilIdle();
}

Status Graph::check(const std::vector<TensorRef> &given, const std::vector<TensorRef> &own,
                    const std::vector<int64_t> &ids, const char *what) const {
  if (given.empty())
    return {};
  if (given.size() != own.size())
    return invalidArgument("got " + std::to_string(given.size()) + " " + what + "s, expected " +
                           std::to_string(own.size()) + ", or none to use the graph's own");
  for (size_t i = 0; i < given.size(); ++i) {
    auto where = [&] {
      return std::string(what) + " " + std::to_string(i) + " '" + context->exe->plan().values[ids[i]].name + "'";
    };
    const TensorRef &got = given[i], &expected = own[i];
    if (got.dtype != expected.dtype || got.shape != expected.shape)
      return invalidArgument(where() + " is " + std::string(dataTypeName(got.dtype)) + " " + shapeText(got.shape) +
                             ", but the graph was captured for " + std::string(dataTypeName(expected.dtype)) + " " +
                             shapeText(expected.shape) + ": capture one for these sizes");
    if (got.device != TensorRef::host && got.device != expected.device)
      return invalidArgument(where() + " is in " + placeText(got.device) + ", expected host memory or " +
                             placeText(expected.device));
    TENON_TRY(checkAddress(got, where));
  }
  return {};
}

Status Graph::run(const std::vector<TensorRef> &inputs, const std::vector<TensorRef> &outputs) {
  const LaunchPlan &plan = context->exe->plan();
  Device &device = context->device;
  TENON_TRY(device.lost());
  TENON_TRY(check(inputs, ownInputs, plan.inputs, "input"));
  TENON_TRY(check(outputs, ownOutputs, plan.outputs, "output"));
  Current current(device);
  TENON_TRY(current.status);
  TENON_TRY(context->begin());
  CUstream stream = context->stream;
  auto queueAll = [&]() -> Status {
    for (size_t i = 0; i < inputs.size(); ++i)
      TENON_TRY(context->copy(ownInputs[i], inputs[i], inputs[i].bytes(), stream));
    if (!plan.launches.empty()) {
      auto kernelOf = [&](const PlanLaunch &launch) { return &context->exe->cuda()->kernels().at(launch.kernel); };
      context->firstQueued = context->firstQueued ? context->firstQueued : kernelOf(plan.launches.front());
      context->lastQueued = kernelOf(plan.launches.back());
    }
    TENON_TRY(device.check(device.driver().cuGraphLaunch(exec.get(), stream), "cuGraphLaunch", context->queued()));
    for (size_t i = 0; i < outputs.size(); ++i)
      TENON_TRY(context->copy(outputs[i], ownOutputs[i], outputs[i].bytes(), stream));
    return {};
  };
  bool wait = isOn(inputs, TensorRef::host) || isOn(outputs, TensorRef::host);
  return context->finish(queueAll(), wait);
}

} // namespace tenon::cuda
