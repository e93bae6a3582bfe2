// The run-only half of the C API: artefacts, executables, contexts.
#include "lib/CAPI/Handles.h"

#include "lib/Runtime/ThreadPool.h"
#include "lib/Support/AtomicFile.h"
#include "lib/Support/Version.h"

#include <algorithm>
#include <cstring>

using namespace tenon;
using tenon::capi::guarded;
using tenon::capi::readStruct;
using tenon::capi::readTensor;
using tenon::capi::readTensors;

extern "C" {

int32_t tenon_api_version(void) { return TENON_API_VERSION; }
const char *tenon_version(void) { return version; }
int32_t tenon_num_threads(void) { return ThreadPool::global().numThreads(); }

//===--- errors and types ----------------------------------------------------------------------------------------===//

int32_t tenon_error_get_kind(const tenon_error *error) { return error ? static_cast<int32_t>(error->kind) + 1 : 0; }
const char *tenon_error_message(const tenon_error *error) { return error ? error->message.c_str() : ""; }
void tenon_error_free(tenon_error *error) { delete error; }

const char *tenon_dtype_name(int32_t dtype) {
  return dtype >= 0 && dtype < numDataTypes ? dataTypeName(static_cast<DataType>(dtype)).data() : nullptr;
}

//===--- artefacts -----------------------------------------------------------------------------------------------===//

tenon_error *tenon_artefact_open(const char *path, tenon_artefact **out) {
  return guarded([&]() -> Status {
    if (!path || !out)
      return invalidArgument("tenon_artefact_open: path and result must not be null");
    TENON_TRY_ASSIGN(std::shared_ptr<const Artefact> artefact, openArtefact(path));
    *out = new tenon_artefact{std::move(artefact), {}};
    return {};
  });
}

tenon_error *tenon_artefact_open_bytes(const void *data, size_t size, tenon_artefact **out) {
  return guarded([&]() -> Status {
    if ((!data && size) || !out)
      return invalidArgument("tenon_artefact_open_bytes: data and result must not be null");
    TENON_TRY_ASSIGN(std::shared_ptr<const Artefact> artefact,
                     openArtefactBytes(std::string(static_cast<const char *>(data), size)));
    *out = new tenon_artefact{std::move(artefact), {}};
    return {};
  });
}

tenon_error *tenon_artefact_save(const tenon_artefact *artefact, const char *path) {
  return guarded([&]() -> Status {
    if (!artefact || !path)
      return invalidArgument("tenon_artefact_save: artefact and path must not be null");
    return writeFileAtomically(path, artefact->artefact->bytes);
  });
}

tenon_error *tenon_artefact_save_with_weights(const tenon_artefact *artefact, const char *path,
                                              const char *weightsPath) {
  return guarded([&]() -> Status {
    if (!artefact || !path || !weightsPath)
      return invalidArgument("tenon_artefact_save_with_weights: artefact and paths must not be null");
    const Artefact &from = *artefact->artefact;
    TENON_TRY(openWeights(weightsPath).status()); // a file that is none is refused here, not when it is loaded
    TENON_TRY_ASSIGN(std::shared_ptr<const MappedFile> weights, MappedFile::open(weightsPath));
    TENON_TRY_ASSIGN(std::string bytes, writeArtefact({from.entries, weights->bytes(), from.model}));
    return writeFileAtomically(path, bytes);
  });
}

void tenon_artefact_bytes(const tenon_artefact *artefact, const void **data, size_t *size) {
  *data = artefact->artefact->bytes.data();
  *size = artefact->artefact->bytes.size();
}

void tenon_artefact_manifest(const tenon_artefact *artefact, const char **json, size_t *size) {
  *json = artefact->artefact->manifest.data();
  *size = artefact->artefact->manifest.size();
}

void tenon_artefact_report(const tenon_artefact *artefact, const char **json, size_t *size) {
  *json = artefact->report.data();
  *size = artefact->report.size();
}

void tenon_artefact_free(tenon_artefact *artefact) { delete artefact; }

//===--- executables ---------------------------------------------------------------------------------------------===//

namespace {
/// Looks among the tensors of the caller first, then in the file or artefact.
class LayeredWeights : public WeightSource {
public:
  LayeredWeights(std::shared_ptr<const WeightSource> first, std::shared_ptr<const WeightSource> then)
      : first(std::move(first)), then(std::move(then)) {}
  Result<TensorRef> find(const std::string &key) const override {
    Result<TensorRef> found = first->find(key);
    return found.ok() || !then ? found : then->find(key);
  }
  void releasePages() const override {
    if (then)
      then->releasePages();
  }

private:
  std::shared_ptr<const WeightSource> first, then;
};
} // namespace

static Result<std::shared_ptr<const WeightSource>> weightsFor(const tenon_load_options &options,
                                                              const Artefact &artefact) {
  std::shared_ptr<const WeightSource> weights;
  if (options.weights_path) {
    TENON_TRY_ASSIGN(weights, openWeights(options.weights_path));
  }
  TENON_TRY_ASSIGN(weights, weightsOf(artefact, std::move(weights)));
  if (!options.num_named_weights)
    return weights;
  if (!options.named_weights)
    return invalidArgument("tenon_executable_load: named_weights is null");
  std::map<std::string, TensorRef> tensors;
  for (size_t i = 0; i < options.num_named_weights; ++i) {
    auto *element = reinterpret_cast<const tenon_named_tensor *>(reinterpret_cast<const char *>(options.named_weights) +
                                                                 i * options.named_weights->struct_size);
    if (!element->name)
      return invalidArgument("tenon_executable_load: named weight " + std::to_string(i) + " has no name");
    TENON_TRY(readTensor(&element->tensor, "weight '" + std::string(element->name) + "'", tensors[element->name]));
  }
  return std::shared_ptr<const WeightSource>(
      std::make_shared<LayeredWeights>(weightsFromTensors(std::move(tensors)), std::move(weights)));
}

static tenon_executable::Io describe(const LaunchPlan &plan, const PlanValue &value) {
  tenon_executable::Io io;
  for (const Expr &size : value.shape) {
    int64_t fixed = size.isConstant() ? size.value : -1, lower = fixed, upper = fixed;
    const char *name = "";
    if (!size.isConstant())
      lower = 0, upper = INT64_MAX;
    for (const PlanDim &dim : plan.dims)
      if (size.kind == Expr::Kind::Dim && dim.name == size.dim)
        lower = dim.lo, upper = dim.hi, name = dim.name.c_str();
    io.shape.push_back(fixed);
    io.lower.push_back(lower);
    io.upper.push_back(upper);
    io.dims.push_back(name);
  }
  return io;
}

static tenon_executable *handleOf(std::shared_ptr<const Program> program, size_t entry) {
  auto handle = std::make_unique<tenon_executable>();
  handle->executable = program->entry(entry);
  handle->program = std::move(program);
  const LaunchPlan &plan = handle->executable->plan();
  for (const std::vector<int64_t> *ids : {&plan.inputs, &plan.outputs})
    for (int64_t id : *ids)
      handle->io.push_back(describe(plan, plan.values[id]));
  return handle.release();
}

tenon_error *tenon_executable_load(const tenon_artefact *artefact, const tenon_load_options *given,
                                   tenon_executable **out) {
  return guarded([&]() -> Status {
    if (!artefact || !out)
      return invalidArgument("tenon_executable_load: artefact and result must not be null");
    tenon_load_options options = {};
    TENON_TRY(readStruct(given, options, "tenon_load_options"));
    TENON_TRY_ASSIGN(std::shared_ptr<const WeightSource> weights, weightsFor(options, *artefact->artefact));
    TENON_TRY_ASSIGN(std::shared_ptr<const Program> program,
                     Program::load(artefact->artefact, std::move(weights), options.device_index));
    *out = handleOf(std::move(program), 0);
    return {};
  });
}

size_t tenon_executable_num_entries(const tenon_executable *executable) { return executable->program->numEntries(); }

const char *tenon_executable_entry_name(const tenon_executable *executable, size_t index) {
  bool isThere = executable && index < executable->program->numEntries();
  return isThere ? executable->program->name(index).c_str() : nullptr;
}

tenon_error *tenon_executable_entry(const tenon_executable *executable, const char *name, tenon_executable **out) {
  return guarded([&]() -> Status {
    if (!executable || !name || !out)
      return invalidArgument("tenon_executable_entry: executable, name and result must not be null");
    TENON_TRY_ASSIGN(size_t entry, executable->program->find(name));
    *out = handleOf(executable->program, entry);
    return {};
  });
}

void tenon_executable_free(tenon_executable *executable) { delete executable; }

size_t tenon_executable_num_inputs(const tenon_executable *executable) {
  return executable->executable->plan().inputs.size();
}
size_t tenon_executable_num_outputs(const tenon_executable *executable) {
  return executable->executable->plan().outputs.size();
}
int64_t tenon_executable_persistent_bytes(const tenon_executable *executable) {
  return executable->program->persistentBytes();
}

static Status fillInfo(const tenon_executable *executable, size_t index, bool output, tenon_io_info *info) {
  if (!executable || !info || info->struct_size < sizeof(size_t) || info->struct_size > 4096)
    return invalidArgument("tenon_io_info: null, or struct_size is not set");
  const LaunchPlan &plan = executable->executable->plan();
  const std::vector<int64_t> &ids = output ? plan.outputs : plan.inputs;
  if (index >= ids.size())
    return invalidArgument(std::string(output ? "output " : "input ") + std::to_string(index) + " of " +
                           std::to_string(ids.size()));
  const PlanValue &value = plan.values[ids[index]];
  const tenon_executable::Io &io = executable->io[index + (output ? plan.inputs.size() : 0)];
  tenon_io_info filled = {info->struct_size,
                          value.name.c_str(),
                          static_cast<int32_t>(value.dtype),
                          static_cast<int32_t>(value.shape.size()),
                          io.shape.data(),
                          io.dims.data(),
                          io.lower.data(),
                          io.upper.data()};
  std::memcpy(info, &filled, std::min(info->struct_size, sizeof(filled)));
  return {};
}

tenon_error *tenon_executable_input(const tenon_executable *executable, size_t index, tenon_io_info *info) {
  return guarded([&] { return fillInfo(executable, index, false, info); });
}
tenon_error *tenon_executable_output(const tenon_executable *executable, size_t index, tenon_io_info *info) {
  return guarded([&] { return fillInfo(executable, index, true, info); });
}

//===--- running -------------------------------------------------------------------------------------------------===//

tenon_error *tenon_context_create(const tenon_executable *executable, tenon_context **out) {
  return guarded([&]() -> Status {
    if (!executable || !out)
      return invalidArgument("tenon_context_create: executable and result must not be null");
    *out = new tenon_context(executable->executable);
    return {};
  });
}

void tenon_context_free(tenon_context *context) { delete context; }

int64_t tenon_context_arena_bytes(const tenon_context *context) { return context->context.arenaBytes(); }

tenon_error *tenon_context_output_shapes(tenon_context *context, const tenon_tensor *inputs, size_t numInputs,
                                         tenon_tensor *outputs, size_t numOutputs) {
  return guarded([&]() -> Status {
    if (!context || (numOutputs && !outputs))
      return invalidArgument("tenon_context_output_shapes: context and outputs must not be null");
    TENON_TRY(readTensors(inputs, numInputs, "input", context->inputs));
    TENON_TRY_ASSIGN(context->outputShapes, context->context.outputShapes(context->inputs));
    const LaunchPlan &plan = context->context.executable().plan();
    if (numOutputs != plan.outputs.size())
      return invalidArgument("got " + std::to_string(numOutputs) + " outputs, expected " +
                             std::to_string(plan.outputs.size()));
    size_t distance = numOutputs ? outputs->struct_size : 0;
    constexpr size_t least = offsetof(tenon_tensor, device_type); // all but what came with API version 1's GPUs
    if (numOutputs && distance < least)
      return invalidArgument("tenon_tensor: struct_size is " + std::to_string(distance) + ", expected " +
                             std::to_string(sizeof(tenon_tensor)));
    for (size_t i = 0; i < numOutputs; ++i) {
      auto *output = reinterpret_cast<tenon_tensor *>(reinterpret_cast<char *>(outputs) + i * distance);
      output->dtype = static_cast<int32_t>(plan.values[plan.outputs[i]].dtype);
      output->rank = static_cast<int32_t>(context->outputShapes[i].size());
      output->shape = context->outputShapes[i].data();
      output->strides = nullptr;
    }
    return {};
  });
}

tenon_error *tenon_context_run(tenon_context *context, const tenon_tensor *inputs, size_t numInputs,
                               const tenon_tensor *outputs, size_t numOutputs) {
  return guarded([&]() -> Status {
    if (!context)
      return invalidArgument("tenon_context_run: context must not be null");
    TENON_TRY(readTensors(inputs, numInputs, "input", context->inputs));
    TENON_TRY(readTensors(outputs, numOutputs, "output", context->outputs));
    return context->context.run(context->inputs, context->outputs);
  });
}

} // extern "C"
