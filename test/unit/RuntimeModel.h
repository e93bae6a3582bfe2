// A small model for tests of the runtime: y = (x + x) * pack(w), z = view of x, n = the batch; with kernels by hand.
#pragma once

#include "lib/Runtime/Context.h"

namespace tenon::test {

/// Values: 0 x [batch, 4] input, 1 w [4] weight, 2 packed (persistent), 3 x + x (temp), 4 its view [batch * 4],
/// 5 back to [batch, 4], 6 y output, 7 z output copied from x, 8 n size, 9 n output.
LaunchPlan modelPlan();
/// The same for sm_90a: `add` in clusters with a workspace whose start is zero, `scale` reads x through a tensor map,
/// starts early, and has the fallback `scale_plain`. All in the cubin "model".
LaunchPlan cudaModelPlan();
/// {"w": [1, 2, 3, 4]} as safetensors.
std::string modelWeights();
/// The shared object beside the test program.
std::string testKernels();
/// Bytes of an artefact of it all.
std::string modelArtefact(bool withWeights = true);

std::string readAll(const std::string &path);
std::string temporaryPath(const std::string &name);
/// The seed of this run: RERUN, or a fixed one; printed.
uint64_t testSeed();
/// The same, not printed.
uint64_t testSeedQuiet();
/// How many mutations of a file or text a test tries: MUTATIONS, for long runs under a sanitizer, else 2,000.
int numMutations();

} // namespace tenon::test
