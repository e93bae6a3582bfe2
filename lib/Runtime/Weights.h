// Where the weights of a model come from: a safetensors file mapped into memory, the one inside an artefact, or tensors
// of the caller (a framework's parameters). The executable uses their bytes in place where the alignment allows it.
#pragma once

#include "lib/Runtime/Tensor.h"
#include "lib/Support/MappedFile.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace tenon {

class WeightSource {
public:
  virtual ~WeightSource() = default;
  /// NotFound names the nearest keys there are. The bytes live as long as the source.
  virtual Result<TensorRef> find(const std::string &key) const = 0;
  /// The pages of this source may be dropped from memory: they come back from the file when touched.
  virtual void releasePages() const {}
};

Result<std::shared_ptr<const WeightSource>> openWeights(const std::string &path);
/// `owner` keeps the bytes; `file` is the mapping they are in, if they are in one.
Result<std::shared_ptr<const WeightSource>> weightsFromBytes(std::string_view safetensors,
                                                             std::shared_ptr<const void> owner, std::string origin,
                                                             std::shared_ptr<const MappedFile> file = nullptr);
/// The caller keeps the tensors alive as long as the executable.
std::shared_ptr<const WeightSource> weightsFromTensors(std::map<std::string, TensorRef> tensors);

} // namespace tenon
