// The model of RuntimeModel.h on the fake GPU.
#pragma once

#include "lib/Runtime/Context.h"
#include "lib/Runtime/CudaContext.h"
#include "test/unit/FakeCuda.h"
#include "test/unit/RuntimeModel.h"

#include <memory>
#include <string>
#include <vector>

namespace tenon::test {

/// Makes the kernels of cudaModelPlan() known to the fake.
void addModelKernels(const FakeCuda &fake);
/// What the fake takes for the plan's cubin.
inline constexpr const char *modelCubin = "FAKE\nfake_add\nfake_scale\nfake_scale_plain\nfake_pack";
std::shared_ptr<const WeightSource> modelWeightSource();
std::string cudaModelArtefact(const LaunchPlan &plan = cudaModelPlan());
Result<std::shared_ptr<const Executable>> loadCudaModel(int device = 0);

/// Three outputs y, z, n of a batch, and x; where they are is up to the test.
struct ModelTensors {
  explicit ModelTensors(int64_t batch);
  std::vector<TensorRef> inputs(), outputs();
  void check() const; ///< with gtest

  int64_t batch;
  std::vector<float> x, y, z;
  int64_t n = -1;
};

/// The same in memory of a GPU, which for the fake the test can read and write.
struct DeviceTensors {
  DeviceTensors(cuda::Device &device, int64_t batch, size_t shift = 0);
  std::vector<TensorRef> inputs() const { return {x}; }
  std::vector<TensorRef> outputs() const { return {y, z, n}; }
  void check() const;

  TensorRef x, y, z, n;
  std::vector<cuda::Memory> memories;
};

} // namespace tenon::test
