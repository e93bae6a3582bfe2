// One thread's means to run an executable. The first call with a tuple of dimensions evaluates every shape, plans the
// arena by lifetimes and keeps the result; later calls with it allocate nothing.
#pragma once

#include "lib/Runtime/Executable.h"

namespace tenon {

struct ShapePlan;

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
  /// what it got and what was expected. Outputs must not overlap each other or the inputs.
  Status run(const std::vector<TensorRef> &inputs, const std::vector<TensorRef> &outputs);
  /// Allocates the outputs.
  Result<std::vector<Tensor>> run(const std::vector<TensorRef> &inputs);

  /// Bytes held now: the arena, the threads' scratch, and copies of tensors that came at an address kernels cannot use.
  int64_t arenaBytes() const;

private:
  struct State;
  Result<ShapePlan *> shapePlanFor(const std::vector<TensorRef> &inputs);
  Status checkOutputs(const ShapePlan &plan, const std::vector<TensorRef> &inputs,
                      const std::vector<TensorRef> &outputs) const;

  std::shared_ptr<const Executable> exe;
  std::unique_ptr<State> state;
};

} // namespace tenon
