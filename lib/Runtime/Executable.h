// A loaded model, ready to run: plan, kernels, weights and the results of the init launches. Immutable, shared between
// threads. What a call changes (arena, scratch, bound addresses) is in a Context, one per thread.
#pragma once

#include "lib/Runtime/Artefact.h"
#include "lib/Runtime/KernelLibrary.h"
#include "lib/Runtime/Tensor.h"
#include "lib/Runtime/Weights.h"

namespace tenon {

namespace cuda {
class Model;
}
class SharedValues;
struct LoadNeeds;

class Executable {
public:
  ~Executable();
  /// Loads the weights named by the plan, resolves every kernel and runs the init launches. `weights` may be null when
  /// the plan names none. `constants` must stay valid as long as `keepAlive`. `shared`: what entries loaded before have
  /// in memory, or null.
  static Result<std::shared_ptr<const Executable>> create(LaunchPlan plan, std::shared_ptr<KernelLibrary> kernels,
                                                          std::string_view constants,
                                                          std::shared_ptr<const WeightSource> weights,
                                                          std::shared_ptr<const void> keepAlive = nullptr,
                                                          SharedValues *shared = nullptr);
  /// The same for a plan for CUDA, on GPU `device`: uploads what is static and runs the init launches there. Nothing
  /// but weights that are on that GPU already is used after this. `cubins` by the names the plan has for them.
  static Result<std::shared_ptr<const Executable>>
  createCuda(LaunchPlan plan, const std::map<std::string, std::string_view> &cubins, std::string_view constants,
             std::shared_ptr<const WeightSource> weights, int device, std::shared_ptr<const void> keepAlive = nullptr,
             SharedValues *shared = nullptr);
  /// One entry of an artefact by itself, by its name or, where there is only one, by none; all of them together are a
  /// Program. `weights` overrides the ones inside. `device`: which GPU, where it is for one.
  static Result<std::shared_ptr<const Executable>> load(std::shared_ptr<const Artefact> artefact,
                                                        std::shared_ptr<const WeightSource> weights = nullptr,
                                                        int device = 0, const std::string &entry = "");
  static Result<std::shared_ptr<const Executable>> load(const std::shared_ptr<const Artefact> &artefact,
                                                        const ArtefactEntry &entry,
                                                        std::shared_ptr<const WeightSource> weights, int device,
                                                        SharedValues *shared);

  const LaunchPlan &plan() const { return launchPlan; }
  /// Bytes held by init launches' results and by weights that had to be copied, for alignment or to a GPU; but for
  /// those that an entry loaded before had in memory.
  int64_t persistentBytes() const { return ownedBytes; }

  /// What is on the GPU, or null: a model for the CPU.
  const cuda::Model *cuda() const { return cudaModel.get(); }
  /// Address of a Weight, Constant or Persistent value, or of a view of one; null for others.
  void *staticAddress(int64_t id) const { return staticAddresses[id]; }
  KernelFunction kernelOf(const PlanLaunch &launch) const { return functions.at(launch.kernel); }

private:
  Executable();
  Status checkDims() const;
  Status bindKernels();
  Status bindConstants();
  Status bindWeights(SharedValues *shared, const LoadNeeds &needs);
  Status runInit(SharedValues *shared, const LoadNeeds &needs);
  Result<void *> own(int64_t bytes);
  bool takeShared(SharedValues *shared, const PlanValue &value);

  LaunchPlan launchPlan;
  std::shared_ptr<KernelLibrary> library;
  std::shared_ptr<const WeightSource> weightSource;
  std::shared_ptr<const void> keepAlive;
  std::string_view constants;
  std::map<std::string, KernelFunction> functions;
  std::vector<void *> staticAddresses;
  std::vector<AlignedBuffer> owned;
  std::vector<std::shared_ptr<const void>> sharedMemory; ///< of entries loaded before
  int64_t ownedBytes = 0;
  std::unique_ptr<cuda::Model> cudaModel;
};

} // namespace tenon
