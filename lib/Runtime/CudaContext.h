// The GPU half of a context: arena, stream, staging, and graphs. All work of a context is in order, on whichever stream
// it was queued, so that calls and graphs share one arena.
#pragma once

#include "lib/Runtime/CudaModel.h"
#include "lib/Runtime/ShapePlan.h"

namespace tenon::cuda {

class Graph;

class ContextState : public std::enable_shared_from_this<ContextState> {
public:
  explicit ContextState(std::shared_ptr<const Executable> executable);
  ~ContextState();

  /// Memory for calls with these shapes.
  Status reserve(ShapePlan &shapes);
  Status run(ShapePlan &shapes, const std::vector<TensorRef> &inputs, const std::vector<TensorRef> &outputs);
  /// run(), with an event of the device between launches: milliseconds from each to the next, in their order. What a
  /// launch copies or zeroes first is its own, and none starts early. Waits.
  Result<std::vector<double>> timeLaunches(ShapePlan &shapes, const std::vector<TensorRef> &inputs,
                                           const std::vector<TensorRef> &outputs);
  /// `without`: kernels whose launches are left out, with what each copies or zeroes first; a whole call of the inputs
  /// comes before, for what the others read of them. That leaves a graph which runs as any does: a launch waits for the
  /// end of the one ahead, whichever that is, and that end is the end of all before it; counters are 0 between
  /// launches; and places that data give are clamped (lib/Arithmetic/ClampedIndex.h).
  Result<std::shared_ptr<Graph>> capture(ShapePlan &shapes, const std::vector<TensorRef> &inputs,
                                         const std::vector<std::string> &without);
  Status setStream(CUstream stream);
  Status synchronize();
  /// GPU memory held.
  int64_t bytes() const;

private:
  friend class Graph;
  Status begin();
  Status clearCounters(int64_t bytes);
  Status record();
  Status waitUntilIdle();
  Status finish(Status status, bool wait);
  void bindFixed(const ShapePlan &shapes);
  void bindViews();
  Status queueLaunch(PreparedLaunch &launch, CUstream on);
  Status queueLaunches(ShapePlan &shapes, CUstream on, bool waitForEach, const std::vector<std::string> &without = {});
  Status keepResults(Graph &graph, ShapePlan &shapes, const std::vector<TensorRef> &inputs,
                     const std::vector<std::string> &without);
  Status queueOutputs(const ShapePlan &shapes, const std::vector<TensorRef> &outputs, CUstream on);
  Result<void *> stagingFor(size_t slot, int64_t bytes);
  Status copy(const TensorRef &to, const TensorRef &from, int64_t bytes, CUstream on);
  std::string queuedKernels() const;
  /// The same for Device::check, put together only when there is an error to tell.
  auto queued() const {
    return [this] { return queuedKernels(); };
  }

  std::shared_ptr<const Executable> exe; ///< first, so that it ends last
  Device &device;
  const bool isChecking;     ///< TENON_CHECK=1: every launch is waited for
  Stream ownStream;          ///< made when first needed: the caller may bring one before
  CUstream stream = nullptr; ///< where calls are queued
  bool hasStream = false;    ///< `stream` is the caller's, who may end it once it is replaced or the context has ended
  bool hasWork = false;      ///< something was queued that nobody has waited for
  Event lastUse;
  bool isRecorded = false;  ///< lastUse is behind all that was queued
  bool isReordered = false; ///< the stream was replaced: the new one must wait for lastUse first
  std::shared_ptr<Memory> arena;
  std::vector<Memory> staging; ///< of the inputs, then the outputs
  std::vector<void *> addresses;
  std::vector<Event> marks; ///< of launches that are timed: ahead of the first, and behind each; else none
  const Kernel *firstQueued = nullptr, *lastQueued = nullptr; ///< since the last wait
};

/// The launches of one call as a CUDA graph with input and output memory of its own: a call costs one launch. An input
/// on the GPU that an output is an update of is used where it lies, for both, and must outlive the graph. Used by the
/// thread that has its context, in order with the context's calls; lives on when the context has ended.
class Graph {
public:
  ~Graph();
  Graph(const Graph &) = delete;
  Graph &operator=(const Graph &) = delete;

  /// Copies the inputs in, runs, copies the outputs out to the caller's memory; so results are never overwritten by a
  /// later call. Either list may be empty: then the graph's own tensors are read, or keep the results until the next
  /// run.
  Status run(const std::vector<TensorRef> &inputs, const std::vector<TensorRef> &outputs);
  /// The graph's own, in GPU memory.
  const std::vector<TensorRef> &inputs() const { return ownInputs; }
  const std::vector<TensorRef> &outputs() const { return ownOutputs; }

private:
  friend class ContextState;
  Graph() = default;
  Status check(const std::vector<TensorRef> &given, const std::vector<TensorRef> &own, const std::vector<int64_t> &ids,
               const char *what) const;

  std::shared_ptr<ContextState> context; ///< first, so that it ends last
  std::shared_ptr<Memory> arena, sizes;  ///< what the launches refer to
  std::vector<Memory> memories;
  std::vector<TensorRef> ownInputs, ownOutputs;
  GraphExec exec;
};

} // namespace tenon::cuda
