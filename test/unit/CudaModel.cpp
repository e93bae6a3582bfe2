#include "test/unit/CudaModel.h"

#include <gtest/gtest.h>

#include <cstring>

namespace tenon::test {

static void add(const FakeLaunch &launch) {
  auto *a = launch.get<const float *>(0), *b = launch.get<const float *>(1);
  auto *y = launch.get<float *>(2);
  int64_t rows = launch.get<int64_t>(3);
  auto *workspace = launch.get<float *>(4);
  EXPECT_EQ(launch.cluster[0], 2u);
  EXPECT_EQ(launch.grid[0], static_cast<unsigned>((rows + 1) / 2 * 2));
  EXPECT_EQ(launch.block[1], 4u);
  EXPECT_EQ(launch.shared, 64u << 10);
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(workspace[i], 0);
  for (int64_t i = 0; i < 4 * rows; ++i) // through the workspace, so that memory it shares would show
    workspace[i] = a[i] + b[i];
  for (int64_t i = 0; i < 4 * rows; ++i)
    y[i] = workspace[i];
}

static void scaleRows(const float *x, const float *w, float *y, int64_t rows) {
  for (int64_t i = 0; i < 4 * rows; ++i)
    y[i] = x[i] * w[i % 4];
}

static void scale(const FakeLaunch &launch) {
  EXPECT_TRUE(launch.programmatic);
  EXPECT_EQ(launch.get<void *>(4), nullptr); // it has no workspace
  auto map = launch.get<FakeTensorMap>(5);
  int64_t rows = launch.get<int64_t>(3);
  EXPECT_EQ(map.address, launch.get<uint64_t>(0));
  EXPECT_EQ(map.rank, 2u);
  EXPECT_EQ(map.sizes[1], static_cast<uint64_t>(rows));
  EXPECT_EQ(map.strides[0], 16u);
  EXPECT_EQ(map.box[1], 8u);
  EXPECT_EQ(map.type, 7);
  EXPECT_EQ(map.swizzle, 1);
  EXPECT_EQ(map.l2Promotion, 2);
  scaleRows(reinterpret_cast<const float *>(map.address), launch.get<const float *>(1), launch.get<float *>(2), rows);
}

static void scalePlain(const FakeLaunch &launch) {
  scaleRows(launch.get<const float *>(0), launch.get<const float *>(1), launch.get<float *>(2), launch.get<int64_t>(3));
}

static void pack(const FakeLaunch &launch) {
  for (int j = 0; j < 4; ++j)
    launch.get<float *>(1)[j] = 2 * launch.get<const float *>(0)[j];
}

void addModelKernels(const FakeCuda &fake) {
  static const size_t five[] = {8, 8, 8, 8, 8, 0}, mapped[] = {8, 8, 8, 8, 8, 128, 0}, three[] = {8, 8, 8, 0};
  fake.addKernel("fake_add", add, five);
  fake.addKernel("fake_scale", scale, mapped);
  fake.addKernel("fake_scale_plain", scalePlain, five);
  fake.addKernel("fake_pack", pack, three);
}

std::shared_ptr<const WeightSource> modelWeightSource() {
  static const std::string bytes = modelWeights();
  return *weightsFromBytes(bytes, nullptr, "w");
}

std::string cudaModelArtefact(const LaunchPlan &plan) {
  std::string weights = modelWeights();
  ArtefactParts parts;
  ArtefactEntry &entry = parts.entries.emplace_back();
  entry.plan = plan;
  parts.weights = weights;
  entry.cubins = {{"model", modelCubin}};
  return *writeArtefact(parts);
}

Result<std::shared_ptr<const Executable>> loadCudaModel(int device) {
  TENON_TRY_ASSIGN(std::shared_ptr<const Artefact> artefact, openArtefactBytes(cudaModelArtefact()));
  return Executable::load(artefact, nullptr, device);
}

ModelTensors::ModelTensors(int64_t batch) : batch(batch) {
  x.resize(static_cast<size_t>(4 * batch));
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(i % 17);
  y.assign(x.size(), -1);
  z.assign(x.size(), -1);
}

std::vector<TensorRef> ModelTensors::inputs() { return {{x.data(), DataType::F32, {batch, 4}}}; }

std::vector<TensorRef> ModelTensors::outputs() {
  return {{y.data(), DataType::F32, {batch, 4}}, {z.data(), DataType::F32, {batch, 4}}, {&n, DataType::I64, {}}};
}

void ModelTensors::check() const {
  for (size_t i = 0; i < x.size(); ++i) {
    ASSERT_EQ(y[i], 2 * x[i] * 2 * static_cast<float>(i % 4 + 1)) << i;
    ASSERT_EQ(z[i], x[i]) << i;
  }
  EXPECT_EQ(n, batch);
}

DeviceTensors::DeviceTensors(cuda::Device &device, int64_t batch, size_t shift) {
  auto make = [&](DataType dtype, std::vector<int64_t> shape) {
    TensorRef tensor{nullptr, dtype, std::move(shape), device.index()};
    auto memory = device.allocate(tensor.bytes() + static_cast<int64_t>(shift), "a test");
    EXPECT_TRUE(memory.ok()) << memory.status().message();
    tensor.data = memory->data() + shift;
    memories.push_back(memory.take());
    return tensor;
  };
  x = make(DataType::F32, {batch, 4});
  y = make(DataType::F32, {batch, 4});
  z = make(DataType::F32, {batch, 4});
  n = make(DataType::I64, {});
  ModelTensors values(batch);
  std::memcpy(x.data, values.x.data(), static_cast<size_t>(x.bytes()));
}

void DeviceTensors::check() const {
  ModelTensors host(x.shape[0]);
  std::memcpy(host.x.data(), x.data, static_cast<size_t>(x.bytes()));
  std::memcpy(host.y.data(), y.data, static_cast<size_t>(y.bytes()));
  std::memcpy(host.z.data(), z.data, static_cast<size_t>(z.bytes()));
  std::memcpy(&host.n, n.data, sizeof host.n);
  host.check();
}

} // namespace tenon::test
