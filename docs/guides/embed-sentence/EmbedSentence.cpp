// Embeds a sentence with a sentence-transformer compiled by Tenon. The sentence is given as the token ids that the
// model's tokenizer makes of it; out come the numbers of its embedding, of length 1, one a line.
//
//   c++ -std=c++17 EmbedSentence.cpp -I include -L lib -ltenon-runtime -Wl,-rpath,'$ORIGIN/lib' -o embed-sentence
//   ./embed-sentence minilm.tnx 101 7592 2088 102
//
// This is all that a program needs: tenon-c/tenon.h, libtenon-runtime.so (no LLVM, no Python) and the artefact.
#include "tenon-c/tenon.h"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

// Every call that can fail gives an error object or null; here it becomes an exception with its message.
static void check(tenon_error *error) {
  if (!error)
    return;
  std::string message = tenon_error_message(error);
  tenon_error_free(error);
  throw std::runtime_error(message);
}

// Handles free themselves.
using Artefact = std::unique_ptr<tenon_artefact, decltype(&tenon_artefact_free)>;
using Executable = std::unique_ptr<tenon_executable, decltype(&tenon_executable_free)>;
using Context = std::unique_ptr<tenon_context, decltype(&tenon_context_free)>;

// The executable is immutable: load it once and share it between threads.
static Executable load(const char *path) {
  tenon_artefact *opened = nullptr;
  check(tenon_artefact_open(path, &opened));
  Artefact artefact(opened, tenon_artefact_free);
  tenon_executable *loaded = nullptr;
  check(tenon_executable_load(artefact.get(), nullptr, &loaded)); // the weights are inside the artefact
  return Executable(loaded, tenon_executable_free);
}

// What each input of a BERT-like model holds, by its name.
static std::vector<int64_t> valuesOf(const std::string &input, const std::vector<int64_t> &ids) {
  if (input == "input_ids")
    return ids;
  if (input == "attention_mask") // all tokens count: there is no padding
    return std::vector<int64_t>(ids.size(), 1);
  if (input == "token_type_ids") // one sentence, not a pair
    return std::vector<int64_t>(ids.size(), 0);
  throw std::runtime_error("the model has an input '" + input + "' that this program does not know");
}

static std::vector<float> embed(const tenon_executable *executable, const std::vector<int64_t> &ids) {
  // A context holds the memory of a call. It belongs to one thread, which keeps it for its next calls.
  tenon_context *created = nullptr;
  check(tenon_context_create(executable, &created));
  Context context(created, tenon_context_free);

  const int64_t shape[2] = {1, static_cast<int64_t>(ids.size())}; // batch, tokens
  std::vector<std::vector<int64_t>> data(tenon_executable_num_inputs(executable));
  std::vector<tenon_tensor> inputs(data.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    tenon_io_info info = {};
    info.struct_size = sizeof(info);
    check(tenon_executable_input(executable, i, &info));
    data[i] = valuesOf(info.name, ids);
    inputs[i] = {sizeof(tenon_tensor), data[i].data(), TENON_I64, 2, shape, nullptr, TENON_HOST, 0};
  }

  // The shapes of the outputs follow from those of the inputs; their memory is ours.
  std::vector<tenon_tensor> outputs(tenon_executable_num_outputs(executable));
  for (tenon_tensor &output : outputs)
    output.struct_size = sizeof(tenon_tensor);
  check(tenon_context_output_shapes(context.get(), inputs.data(), inputs.size(), outputs.data(), outputs.size()));
  std::vector<std::vector<float>> results(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].dtype != TENON_F32)
      throw std::runtime_error(std::string("output ") + std::to_string(i) + " is " +
                               tenon_dtype_name(outputs[i].dtype) + ", this program reads f32");
    size_t elements = 1;
    for (int32_t axis = 0; axis < outputs[i].rank; ++axis)
      elements *= static_cast<size_t>(outputs[i].shape[axis]);
    results[i].resize(elements);
    outputs[i].data = results[i].data();
  }
  check(tenon_context_run(context.get(), inputs.data(), inputs.size(), outputs.data(), outputs.size()));

  // [1, tokens, width] is the last hidden state, whose mean over the tokens is the embedding; [1, width] is one
  // already.
  size_t width = static_cast<size_t>(outputs[0].shape[outputs[0].rank - 1]);
  std::vector<float> embedding(width, 0);
  for (size_t i = 0; i < results[0].size(); ++i)
    embedding[i % width] += results[0][i];
  double squares = 0;
  for (float value : embedding)
    squares += static_cast<double>(value) * value;
  for (float &value : embedding)
    value = static_cast<float>(value / std::sqrt(squares));
  return embedding;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: embed-sentence MODEL.tnx ID...\n");
    return 2;
  }
  try {
    std::vector<int64_t> ids;
    for (int i = 2; i < argc; ++i)
      ids.push_back(std::strtoll(argv[i], nullptr, 10));
    Executable executable = load(argv[1]);
    for (float value : embed(executable.get(), ids))
      std::printf("%.8g\n", value);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "embed-sentence: %s\n", error.what());
    return 1;
  }
  return 0;
}
