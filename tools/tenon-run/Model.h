// What is run: an artefact, or text or an exported PyTorch program, compiled here and now.
#pragma once

#include "lib/Runtime/Executable.h"
#include "lib/Runtime/Weights.h"

#include <memory>
#include <string>

namespace tenon::tool {

struct ModelOptions {
  std::string path;
  std::string weights;                ///< a .safetensors file, "random", or empty: those that come with the model
  std::string target, from = "graph"; ///< for text; target empty: that of the device
  std::string entry;                  ///< of a model with several, or empty where there is one
  std::string device;                 ///< "cpu", "cuda", "cuda:1", "sim", "sim:sm_80"; empty: what it is compiled for
  int64_t seed = 0;                   ///< of random weights
};

struct Model {
  std::shared_ptr<const Executable> executable;
  std::shared_ptr<const WeightSource> weights; ///< null where the model needs none
  std::string text, filename;                  ///< the model's IR, or empty where the artefact keeps none
  std::string entry;                           ///< which of the text's it is
  double compileSeconds = 0, loadSeconds = 0;
};

/// Sets the target that the device asks for, where none is given. Errors: a device that is none, or not the target's.
Status checkDevice(ModelOptions &options);
Result<Model> loadModel(const ModelOptions &options);

} // namespace tenon::tool
