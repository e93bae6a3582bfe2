// The part of an executable that is on a GPU: modules, weights, constants and the results of the init launches. Made
// once, never changed, shared by contexts of many threads.
#pragma once

#include "lib/Runtime/CudaLaunch.h"
#include "lib/Runtime/Weights.h"

namespace tenon::cuda {

class Model {
public:
  /// `plan` must live as long as the model. `weights` may be null; those which are on this GPU already are used in
  /// place and must stay there.
  static Result<std::unique_ptr<Model>> load(const LaunchPlan &plan,
                                             const std::map<std::string, std::string_view> &cubins,
                                             std::string_view constants, const WeightSource *weights, int device);

  Device &device() const { return *gpu; }
  const std::map<std::string, Kernel> &kernels() const { return functions; }
  /// By value id: of weights, constants, persistent values and views of them; null for others and for what only init
  /// launches read.
  const std::vector<void *> &addresses() const { return staticAddresses; }
  /// Bytes of GPU memory held.
  int64_t bytes() const;

private:
  Model() = default;
  Status loadKernels(const std::map<std::string, std::string_view> &cubins);
  Status place(std::string_view constants, const WeightSource *weights, CUstream stream, Memory &untilInit);
  Status runInit(CUstream stream);
  void bindViews();

  const LaunchPlan *plan = nullptr;
  std::shared_ptr<Device> gpu;
  std::map<std::string, Module> modules;
  std::map<std::string, Kernel> functions;
  std::vector<void *> staticAddresses;
  std::vector<int64_t> staticBytes; ///< by value id
  Memory memory;
};

} // namespace tenon::cuda
