// The part of an executable that is on a GPU: modules, weights, constants and the results of the init launches. Made
// once, never changed, shared by contexts of many threads.
#pragma once

#include "lib/Runtime/CudaLaunch.h"
#include "lib/Runtime/StaticValues.h"

namespace tenon::cuda {

class Model {
public:
  /// `plan` must live as long as the model. `weights` may be null; those which are on this GPU already are used in
  /// place and must stay there. `shared`: what entries loaded before have on that GPU, or null.
  static Result<std::unique_ptr<Model>> load(const LaunchPlan &plan,
                                             const std::map<std::string, std::string_view> &cubins,
                                             std::string_view constants, const WeightSource *weights, int device,
                                             SharedValues *shared);

  Device &device() const { return *gpu; }
  const std::map<std::string, Kernel> &kernels() const { return functions; }
  /// By value id: of weights, constants, persistent values and views of them; null for others and for what only init
  /// launches read.
  const std::vector<void *> &addresses() const { return staticAddresses; }
  /// Bytes of GPU memory held, but for what an entry loaded before brought there.
  int64_t bytes() const;

private:
  Model() = default;
  Status loadKernels(const std::map<std::string, std::string_view> &cubins);
  Status place(std::string_view constants, const WeightSource *weights, CUstream stream, SharedValues *shared,
               const LoadNeeds &needs, std::shared_ptr<Memory> &untilInit);
  /// Whether an entry loaded before has it there; then it is used where it is.
  bool takeShared(const PlanValue &value, const SharedValues &shared, bool isKept);
  Status runInit(CUstream stream, const LoadNeeds &needs);
  void bindViews();

  const LaunchPlan *plan = nullptr;
  std::shared_ptr<Device> gpu;
  std::map<std::string, Module> modules;
  std::map<std::string, Kernel> functions;
  std::vector<void *> staticAddresses;
  std::vector<int64_t> staticBytes; ///< by value id
  std::shared_ptr<Memory> memory;
  std::vector<std::shared_ptr<const void>> sharedMemory; ///< of entries loaded before
};

} // namespace tenon::cuda
