// A loaded model, ready to run: plan, kernels, weights and the results of the init launches. Immutable, shared between
// threads. What a call changes (arena, scratch, bound addresses) is in a Context, one per thread.
#pragma once

#include "lib/Runtime/Artefact.h"
#include "lib/Runtime/KernelLibrary.h"
#include "lib/Runtime/Tensor.h"
#include "lib/Runtime/Weights.h"

namespace tenon {

class Executable {
public:
  /// Loads the weights named by the plan, resolves every kernel and runs the init launches. `weights` may be null when
  /// the plan names none. `constants` must stay valid as long as `keepAlive`.
  static Result<std::shared_ptr<const Executable>> create(LaunchPlan plan, std::shared_ptr<KernelLibrary> kernels,
                                                          std::string_view constants,
                                                          std::shared_ptr<const WeightSource> weights,
                                                          std::shared_ptr<const void> keepAlive = nullptr);
  /// From an artefact; `weights` overrides the ones inside.
  static Result<std::shared_ptr<const Executable>> load(std::shared_ptr<const Artefact> artefact,
                                                        std::shared_ptr<const WeightSource> weights = nullptr);
  static Result<std::shared_ptr<const Executable>> load(const std::string &path, const std::string &weightsPath = "");

  const LaunchPlan &plan() const { return launchPlan; }
  /// Bytes held by init launches' results and by weights that had to be copied for alignment.
  int64_t persistentBytes() const { return ownedBytes; }

  /// Address of a Weight, Constant or Persistent value, or of a view of one; null for others.
  void *staticAddress(int64_t id) const { return staticAddresses[id]; }
  KernelFunction kernelOf(const PlanLaunch &launch) const { return functions.at(launch.kernel); }

private:
  Executable() = default;
  Status checkDims() const;
  Status bindKernels();
  Status bindConstants();
  Status bindWeights();
  Status runInit();
  Result<void *> own(int64_t bytes);

  LaunchPlan launchPlan;
  std::shared_ptr<KernelLibrary> library;
  std::shared_ptr<const WeightSource> weightSource;
  std::shared_ptr<const void> keepAlive;
  std::string_view constantBytes;
  std::map<std::string, KernelFunction> functions;
  std::vector<void *> staticAddresses;
  std::vector<AlignedBuffer> owned;
  int64_t ownedBytes = 0;
};

} // namespace tenon
