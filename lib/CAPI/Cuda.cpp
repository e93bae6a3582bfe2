// What the C API has for GPUs alone: streams, graphs, devices.
#include "lib/CAPI/Handles.h"

using namespace tenon;
using tenon::capi::guarded;
using tenon::capi::readStruct;
using tenon::capi::readTensors;

extern "C" {

tenon_error *tenon_context_create_with_options(const tenon_executable *executable, const tenon_context_options *given,
                                               tenon_context **out) {
  return guarded([&]() -> Status {
    if (!executable || !out)
      return invalidArgument("tenon_context_create_with_options: executable and result must not be null");
    tenon_context_options options = {};
    TENON_TRY(readStruct(given, options, "tenon_context_options"));
    auto context = std::make_unique<tenon_context>(executable->executable);
    if (options.use_stream)
      TENON_TRY(context->context.setStream(options.stream));
    *out = context.release();
    return {};
  });
}

tenon_error *tenon_context_set_stream(tenon_context *context, void *stream) {
  return guarded([&]() -> Status {
    if (!context)
      return invalidArgument("tenon_context_set_stream: context must not be null");
    return context->context.setStream(stream);
  });
}

tenon_error *tenon_context_synchronize(tenon_context *context) {
  return guarded([&]() -> Status {
    if (!context)
      return invalidArgument("tenon_context_synchronize: context must not be null");
    return context->context.synchronize();
  });
}

tenon_error *tenon_context_time_launches(tenon_context *context, const tenon_tensor *inputs, size_t numInputs,
                                         const tenon_tensor *outputs, size_t numOutputs, tenon_launch_time *launches,
                                         size_t numLaunches) {
  return guarded([&]() -> Status {
    if (!context || (numLaunches && !launches))
      return invalidArgument("tenon_context_time_launches: context and launches must not be null");
    size_t expected = context->context.executable().plan().launches.size();
    if (numLaunches != expected)
      return invalidArgument("got " + std::to_string(numLaunches) + " launches, expected " + std::to_string(expected));
    TENON_TRY(readTensors(inputs, numInputs, "input", context->inputs));
    TENON_TRY(readTensors(outputs, numOutputs, "output", context->outputs));
    TENON_TRY_ASSIGN(std::vector<Context::LaunchTime> times,
                     context->context.timeLaunches(context->inputs, context->outputs));
    context->timedKernels.clear();
    for (const Context::LaunchTime &time : times)
      context->timedKernels.emplace_back(time.kernel);
    for (size_t i = 0; i < times.size(); ++i) {
      size_t size = launches[i].struct_size;
      if (size != launches[0].struct_size || size < sizeof(size_t) || size > sizeof(tenon_launch_time))
        return invalidArgument("tenon_launch_time: struct_size is " + std::to_string(size) + ", expected " +
                               std::to_string(sizeof(tenon_launch_time)));
      tenon_launch_time filled = {size, context->timedKernels[i].c_str(), times[i].milliseconds, times[i].flops,
                                  times[i].bytes};
      std::memcpy(&launches[i], &filled, size);
    }
    return {};
  });
}

//===--- graphs --------------------------------------------------------------------------------------------------===//

static Status capture(tenon_context *context, const tenon_tensor *inputs, size_t numInputs,
                      const std::vector<std::string> &without, tenon_graph **out) {
  TENON_TRY(readTensors(inputs, numInputs, "input", context->inputs));
  TENON_TRY_ASSIGN(std::shared_ptr<cuda::Graph> graph, context->context.capture(context->inputs, without));
  *out = new tenon_graph{std::move(graph), {}, {}};
  return {};
}

tenon_error *tenon_graph_capture(tenon_context *context, const tenon_tensor *inputs, size_t numInputs,
                                 tenon_graph **out) {
  return guarded([&]() -> Status {
    if (!context || !out)
      return invalidArgument("tenon_graph_capture: context and result must not be null");
    return capture(context, inputs, numInputs, {}, out);
  });
}

tenon_error *tenon_graph_capture_without(tenon_context *context, const tenon_tensor *inputs, size_t numInputs,
                                         const char *const *kernels, size_t numKernels, tenon_graph **out) {
  return guarded([&]() -> Status {
    if (!context || !out || (numKernels && !kernels) || std::count(kernels, kernels + numKernels, nullptr))
      return invalidArgument("tenon_graph_capture_without: context, result and names must not be null");
    return capture(context, inputs, numInputs, {kernels, kernels + numKernels}, out);
  });
}

tenon_error *tenon_graph_run(tenon_graph *graph, const tenon_tensor *inputs, size_t numInputs,
                             const tenon_tensor *outputs, size_t numOutputs) {
  return guarded([&]() -> Status {
    if (!graph)
      return invalidArgument("tenon_graph_run: graph must not be null");
    TENON_TRY(readTensors(inputs, numInputs, "input", graph->inputs));
    TENON_TRY(readTensors(outputs, numOutputs, "output", graph->outputs));
    return graph->graph->run(graph->inputs, graph->outputs);
  });
}

static Status fillTensor(const std::vector<TensorRef> &tensors, size_t index, const char *what, tenon_tensor *to) {
  if (!to || to->struct_size < sizeof(size_t) || to->struct_size > 4096)
    return invalidArgument("tenon_tensor: null, or struct_size is not set");
  if (index >= tensors.size())
    return invalidArgument(std::string(what) + " " + std::to_string(index) + " of " + std::to_string(tensors.size()));
  const TensorRef &tensor = tensors[index];
  tenon_tensor filled = {to->struct_size,
                         tensor.data,
                         static_cast<int32_t>(tensor.dtype),
                         static_cast<int32_t>(tensor.shape.size()),
                         tensor.shape.data(),
                         nullptr,
                         TENON_CUDA,
                         tensor.device};
  std::memcpy(to, &filled, std::min(to->struct_size, sizeof(filled)));
  return {};
}

tenon_error *tenon_graph_input(const tenon_graph *graph, size_t index, tenon_tensor *tensor) {
  return guarded([&]() -> Status {
    if (!graph)
      return invalidArgument("tenon_graph_input: graph must not be null");
    return fillTensor(graph->graph->inputs(), index, "input", tensor);
  });
}

tenon_error *tenon_graph_output(const tenon_graph *graph, size_t index, tenon_tensor *tensor) {
  return guarded([&]() -> Status {
    if (!graph)
      return invalidArgument("tenon_graph_output: graph must not be null");
    return fillTensor(graph->graph->outputs(), index, "output", tensor);
  });
}

void tenon_graph_free(tenon_graph *graph) { delete graph; }

//===--- devices -------------------------------------------------------------------------------------------------===//

tenon_error *tenon_cuda_device_count(int32_t *count) {
  return guarded([&]() -> Status {
    if (!count)
      return invalidArgument("tenon_cuda_device_count: count must not be null");
    TENON_TRY_ASSIGN(*count, cuda::Device::count());
    return {};
  });
}

tenon_error *tenon_cuda_memory(int32_t index, int64_t *freeBytes, int64_t *totalBytes) {
  return guarded([&]() -> Status {
    if (!freeBytes || !totalBytes)
      return invalidArgument("tenon_cuda_memory: results must not be null");
    TENON_TRY_ASSIGN(std::shared_ptr<cuda::Device> device, cuda::Device::open(index));
    return device->memoryInfo(*freeBytes, *totalBytes);
  });
}

} // extern "C"
