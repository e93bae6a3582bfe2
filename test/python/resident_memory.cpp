// What a process that embeds sentences holds in memory: the deployment guide's program, with its own main replaced.
// Prints the bytes of its own (anonymous and shared) memory, of packed weights and copies made at load, and of the
// arena, after calls of 128 tokens. Pages of the mapped file are the system's: it holds them in large folios, for all
// processes.
#define main embedSentence
#include "docs/guides/embed-sentence/EmbedSentence.cpp"
#undef main

#include <fstream>

int main(int, char **arguments) {
  Executable executable = load(arguments[1]);
  tenon_context *created = nullptr;
  check(tenon_context_create(executable.get(), &created));
  Context context(created, tenon_context_free);
  std::vector<int64_t> ids(128, 1012), ones(128, 1);
  int64_t shape[2] = {1, 128};
  std::vector<tenon_tensor> inputs;
  for (size_t index = 0; index < tenon_executable_num_inputs(executable.get()); ++index) {
    tenon_io_info info{};
    info.struct_size = sizeof info;
    check(tenon_executable_input(executable.get(), index, &info));
    inputs.push_back({sizeof(tenon_tensor), std::string(info.name) == "input_ids" ? ids.data() : ones.data(), TENON_I64,
                      2, shape, nullptr});
  }
  std::vector<float> embedding(384);
  int64_t outputShape[2] = {1, 384};
  tenon_tensor output{sizeof(tenon_tensor), embedding.data(), TENON_F32, 2, outputShape, nullptr};
  for (int call = 0; call < 5; ++call)
    check(tenon_context_run(context.get(), inputs.data(), inputs.size(), &output, 1));
  std::ifstream status("/proc/self/status");
  long long own = 0, kilobytes = 0;
  for (std::string word; status >> word;)
    if ((word == "RssAnon:" || word == "RssShmem:") && status >> kilobytes)
      own += kilobytes * 1024;
  std::printf("%lld %lld %lld\n", own, static_cast<long long>(tenon_executable_persistent_bytes(executable.get())),
              static_cast<long long>(tenon_context_arena_bytes(context.get())));
}
