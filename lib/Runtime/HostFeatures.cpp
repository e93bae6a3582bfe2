#include "lib/Runtime/HostFeatures.h"

namespace tenon {

// Only features that kernels are compiled for and that hosts differ in.
const std::map<std::string, bool> &hostFeatures() {
  static const std::map<std::string, bool> features = {
#if defined(__x86_64__)
      {"avx", __builtin_cpu_supports("avx")},
      {"avx2", __builtin_cpu_supports("avx2")},
      {"avx512bf16", __builtin_cpu_supports("avx512bf16")},
      {"avx512bw", __builtin_cpu_supports("avx512bw")},
      {"avx512dq", __builtin_cpu_supports("avx512dq")},
      {"avx512f", __builtin_cpu_supports("avx512f")},
      {"avx512vbmi", __builtin_cpu_supports("avx512vbmi")},
      {"avx512vl", __builtin_cpu_supports("avx512vl")},
      {"avx512vnni", __builtin_cpu_supports("avx512vnni")},
      {"f16c", __builtin_cpu_supports("f16c")},
      {"fma", __builtin_cpu_supports("fma")},
#endif
  };
  return features;
}

Status checkFeatures(const LaunchPlan &plan, const std::map<std::string, bool> &host) {
  for (const std::string &feature : plan.features) {
    auto found = host.find(feature);
    if (found != host.end() && found->second)
      continue;
    return unsupported("the kernels were compiled for " + plan.target + " and need " + feature + ", which " +
                       (found == host.end() ? "this runtime does not know: update the runtime, or "
                                              "compile the model for this machine"
                                            : "this machine lacks: compile the model for this machine"));
  }
  return {};
}

} // namespace tenon
