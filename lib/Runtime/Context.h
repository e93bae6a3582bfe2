// One thread's means to run an executable. The first call with a tuple of dimensions evaluates every shape, plans the
// arena by lifetimes and keeps the result; later calls with it allocate nothing. On a GPU the calls of a context are
// queued on one stream, the caller's or its own.
#pragma once

#include "lib/Runtime/Executable.h"

namespace tenon {

struct ShapePlan;
namespace cuda {
class ContextState;
class Graph;
} // namespace cuda

class Context {
public:
  explicit Context(std::shared_ptr<const Executable> executable);
  ~Context();
  Context(const Context &) = delete;
  Context &operator=(const Context &) = delete;

  const Executable &executable() const { return *exe; }

  /// Checks the inputs as run() does and gives the shape of each output.
  Result<std::vector<std::vector<int64_t>>> outputShapes(const std::vector<TensorRef> &inputs);
  /// Count, type, rank and shape of every argument are checked before anything runs; the message names the argument,
  /// what it got and what was expected. Outputs must not overlap each other or the inputs, but one that is an update of
  /// an input (PlanValue::over) may have that input's memory: then only the new part is written. On a GPU, tensors may
  /// be in its memory or the host's; with one in host memory the call waits for the result, else it returns once all is
  /// queued.
  Status run(const std::vector<TensorRef> &inputs, const std::vector<TensorRef> &outputs);
  /// Allocates the outputs, in host memory.
  Result<std::vector<Tensor>> run(const std::vector<TensorRef> &inputs);

  /// Bytes held now: the arena, the threads' scratch, and copies of tensors that came at an address kernels cannot use.
  int64_t arenaBytes() const;

  /// For a GPU: later calls are queued on this CUstream (null is the driver's default stream), after all earlier ones.
  /// It must live until it is replaced or the context has ended.
  Status setStream(void *stream);
  /// For a GPU: waits for all calls; errors of kernels show here at the latest.
  Status synchronize();
  /// For a GPU: the launches of a call with inputs of these types and shapes as a CUDA graph. Their data is not read;
  /// but an input on the GPU that an output is an update of is the graph's own, input and output.
  /// `without`: kernels whose launches are left out, to measure what a call costs without them. Results are wrong then:
  /// the other launches read what a kernel's last launch of a call of these inputs gives, so their data are read, and
  /// what is an update is updated. NotFound where a call launches no kernel of that name.
  Result<std::shared_ptr<cuda::Graph>> capture(const std::vector<TensorRef> &inputs,
                                               const std::vector<std::string> &without = {});

  /// For a GPU: run() that waits and tells of each launch what it took on the device, with nothing beside it.
  struct LaunchTime {
    std::string_view kernel; ///< as long as the executable lives
    double milliseconds;
    int64_t flops, bytes; ///< of its kernel at these sizes
  };
  Result<std::vector<LaunchTime>> timeLaunches(const std::vector<TensorRef> &inputs,
                                               const std::vector<TensorRef> &outputs);

private:
  struct State;
  Status checkPlaces(const std::vector<TensorRef> &tensors, const char *what) const;
  Result<ShapePlan *> shapePlanFor(const std::vector<TensorRef> &inputs);
  Status checkOutputs(const ShapePlan &plan, const std::vector<TensorRef> &inputs,
                      const std::vector<TensorRef> &outputs) const;

  std::shared_ptr<const Executable> exe;
  std::unique_ptr<State> state;
  std::shared_ptr<cuda::ContextState> cudaState; ///< null for the CPU
};

} // namespace tenon
