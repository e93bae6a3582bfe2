// The C API on a GPU (the fake), and programs built against an older header.
#include "test/unit/CudaModel.h"

#include "tenon-c/tenon.h"

#include <gtest/gtest.h>

#include <cstring>

using namespace tenon;
using namespace tenon::test;

static std::string messageOf(tenon_error *error, int32_t kind) {
  EXPECT_EQ(tenon_error_get_kind(error), kind) << tenon_error_message(error);
  std::string message = tenon_error_message(error);
  tenon_error_free(error);
  return message;
}

#define EXPECT_FINE(call)                                                                                              \
  do {                                                                                                                 \
    tenon_error *error = (call);                                                                                       \
    EXPECT_EQ(error, nullptr) << tenon_error_message(error);                                                           \
  } while (false)

TEST(CudaApi, LoadsOnAGpuRunsAndReplays) {
  FakeCuda fake;
  addModelKernels(fake);
  int32_t count = 0;
  EXPECT_FINE(tenon_cuda_device_count(&count));
  EXPECT_EQ(count, 2);
  std::string bytes = cudaModelArtefact();
  tenon_artefact *artefact = nullptr;
  ASSERT_EQ(tenon_artefact_open_bytes(bytes.data(), bytes.size(), &artefact), nullptr);
  tenon_load_options options = {};
  options.struct_size = sizeof options;
  options.device_index = 2;
  tenon_executable *exe = nullptr;
  EXPECT_NE(messageOf(tenon_executable_load(artefact, &options, &exe), TENON_INVALID_ARGUMENT).find("no GPU 2"),
            std::string::npos);
  options.device_index = 1;
  EXPECT_FINE(tenon_executable_load(artefact, &options, &exe));
  tenon_artefact_free(artefact);
  EXPECT_GT(tenon_executable_persistent_bytes(exe), 0);
  int64_t freeBytes = 0, totalBytes = 0;
  EXPECT_FINE(tenon_cuda_memory(1, &freeBytes, &totalBytes));
  EXPECT_LT(freeBytes, totalBytes);
  {
    auto device = *cuda::Device::open(1);
    DeviceTensors tensors(*device, 3);
    auto toC = [](const TensorRef &tensor) {
      return tenon_tensor{sizeof(tenon_tensor),
                          tensor.data,
                          static_cast<int32_t>(tensor.dtype),
                          static_cast<int32_t>(tensor.shape.size()),
                          tensor.shape.data(),
                          nullptr,
                          TENON_CUDA,
                          tensor.device};
    };
    tenon_tensor input = toC(tensors.x), outputs[3] = {toC(tensors.y), toC(tensors.z), toC(tensors.n)};
    tenon_context_options contextOptions = {sizeof(tenon_context_options), nullptr, 1};
    tenon_context *context = nullptr;
    EXPECT_FINE(tenon_context_create_with_options(exe, &contextOptions, &context));
    EXPECT_FINE(tenon_context_run(context, &input, 1, outputs, 3));
    EXPECT_FINE(tenon_context_synchronize(context));
    tensors.check();
    EXPECT_FINE(tenon_context_set_stream(context, nullptr));

    const size_t count = cudaModelPlan().launches.size();
    std::vector<tenon_launch_time> times(count, {sizeof(tenon_launch_time), nullptr, 0, 0, 0});
    EXPECT_NE(messageOf(tenon_context_time_launches(context, &input, 1, outputs, 3, times.data(), count + 1),
                        TENON_INVALID_ARGUMENT)
                  .find("got " + std::to_string(count + 1) + " launches, expected " + std::to_string(count)),
              std::string::npos);
    std::memset(tensors.y.data, 0, 16);
    EXPECT_FINE(tenon_context_time_launches(context, &input, 1, outputs, 3, times.data(), count));
    tensors.check();
    for (size_t i = 0; i < count; ++i) {
      EXPECT_EQ(times[i].kernel, cudaModelPlan().launches[i].kernel);
      EXPECT_GE(times[i].milliseconds, 1); // of the fake: what was queued since the event before
    }

    tenon_graph *graph = nullptr;
    EXPECT_FINE(tenon_graph_capture(context, &input, 1, &graph));
    tenon_tensor own = {};
    own.struct_size = sizeof own;
    EXPECT_FINE(tenon_graph_output(graph, 0, &own));
    EXPECT_EQ(own.device_type, TENON_CUDA);
    EXPECT_EQ(own.device_index, 1);
    EXPECT_EQ(own.shape[0], 3);
    EXPECT_NE(own.data, tensors.y.data);
    EXPECT_FINE(tenon_graph_input(graph, 0, &own));
    EXPECT_NE(messageOf(tenon_graph_input(graph, 1, &own), TENON_INVALID_ARGUMENT).find("input 1 of 1"),
              std::string::npos);
    std::memset(tensors.y.data, 0, 16);
    EXPECT_FINE(tenon_graph_run(graph, &input, 1, outputs, 3));
    EXPECT_FINE(tenon_context_synchronize(context));
    tensors.check();
    EXPECT_FINE(tenon_graph_run(graph, nullptr, 0, nullptr, 0));

    const char *names[] = {"scale", "add"}, *unknown[] = {"scale", "scales"}, *missing[] = {nullptr};
    tenon_graph *rest = nullptr;
    EXPECT_NE(messageOf(tenon_graph_capture_without(context, &input, 1, unknown, 2, &rest), TENON_NOT_FOUND)
                  .find("launches no kernel 'scales'; it launches add, scale"),
              std::string::npos);
    messageOf(tenon_graph_capture_without(context, &input, 1, missing, 1, &rest), TENON_INVALID_ARGUMENT);
    messageOf(tenon_graph_capture_without(context, &input, 1, nullptr, 1, &rest), TENON_INVALID_ARGUMENT);
    for (size_t leftOut : {2, 0}) {
      EXPECT_FINE(tenon_graph_capture_without(context, &input, 1, names, leftOut, &rest));
      std::memset(tensors.y.data, 0, 16);
      EXPECT_FINE(tenon_graph_run(rest, &input, 1, outputs, 3));
      EXPECT_FINE(tenon_context_synchronize(context));
      if (leftOut == 0)
        tensors.check();
      tenon_graph_free(rest);
    }

    input.device_type = 7;
    EXPECT_NE(messageOf(tenon_context_run(context, &input, 1, outputs, 3), TENON_INVALID_ARGUMENT)
                  .find("device type 7, expected 0 (host) or 1 (CUDA)"),
              std::string::npos);
    input.device_type = TENON_CUDA;
    input.device_index = -1;
    EXPECT_NE(
        messageOf(tenon_context_run(context, &input, 1, outputs, 3), TENON_INVALID_ARGUMENT).find("device index -1"),
        std::string::npos);
    tenon_context_free(context);
    tenon_graph_free(graph);
  }
  tenon_executable_free(exe);
  EXPECT_EQ(fake.live(), 0);
  EXPECT_STREQ(fake.violations(), "");
}

// tenon_tensor as the first header had it.
struct FirstTensor {
  size_t struct_size;
  void *data;
  int32_t dtype, rank;
  const int64_t *shape, *strides;
};
static_assert(sizeof(FirstTensor) == offsetof(tenon_tensor, device_type));

TEST(CudaApi, AnOlderTensorIsInHostMemory) {
  FakeCuda fake;
  addModelKernels(fake);
  std::string bytes = cudaModelArtefact();
  tenon_artefact *artefact = nullptr;
  ASSERT_EQ(tenon_artefact_open_bytes(bytes.data(), bytes.size(), &artefact), nullptr);
  tenon_executable *exe = nullptr;
  EXPECT_FINE(tenon_executable_load(artefact, nullptr, &exe));
  tenon_artefact_free(artefact);
  tenon_context *context = nullptr;
  EXPECT_FINE(tenon_context_create(exe, &context));
  ModelTensors tensors(2);
  int64_t shape[] = {2, 4};
  FirstTensor x = {sizeof(FirstTensor), tensors.x.data(), TENON_F32, 2, shape, nullptr}, outputs[3] = {};
  for (FirstTensor &output : outputs)
    output.struct_size = sizeof(FirstTensor);
  auto *input = reinterpret_cast<const tenon_tensor *>(&x);
  auto *first = reinterpret_cast<tenon_tensor *>(outputs);
  EXPECT_FINE(tenon_context_output_shapes(context, input, 1, first, 3));
  outputs[0].data = tensors.y.data();
  outputs[1].data = tensors.z.data();
  outputs[2].data = &tensors.n;
  EXPECT_FINE(tenon_context_run(context, input, 1, first, 3));
  tensors.check();
  tenon_context_free(context);
  tenon_executable_free(exe);
}
