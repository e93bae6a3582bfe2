#include "lib/Runtime/Weights.h"

#include "lib/Support/Safetensors.h"

#include <algorithm>

namespace tenon {

// A few keys that a wrong one may stand for: those which end alike (frameworks differ by a prefix).
template <typename Map>
static std::string nearKeys(const Map &map, const std::string &key) {
  std::vector<std::pair<size_t, std::string>> ranked;
  for (const auto &item : map) {
    const std::string &other = item.first;
    size_t common = 0, shorter = std::min(key.size(), other.size());
    while (common < shorter && key[key.size() - 1 - common] == other[other.size() - 1 - common])
      ++common;
    ranked.push_back({common, other});
  }
  std::sort(ranked.begin(), ranked.end(), [](auto &a, auto &b) { return a.first > b.first; });
  std::string text;
  for (size_t i = 0; i < ranked.size() && i < 3; ++i)
    text += (i ? ", '" : " '") + ranked[i].second + "'";
  return text.empty() ? "it has no weights at all" : "nearest of its " + std::to_string(map.size()) + ":" + text;
}

namespace {
class SafetensorsWeights : public WeightSource {
public:
  std::map<std::string, SafetensorsEntry> entries;
  std::shared_ptr<const void> owner;
  std::shared_ptr<const MappedFile> file; // null when the bytes are in memory
  std::string origin;

  Result<TensorRef> find(const std::string &key) const override {
    auto found = entries.find(key);
    if (found == entries.end())
      return notFound("weight '" + key + "' is not in " + origin + "; " + nearKeys(entries, key));
    // Read only: the plan never lists a weight among results.
    void *data = const_cast<char *>(found->second.bytes.data());
    return TensorRef{data, found->second.dtype, found->second.shape};
  }
  void releasePages() const override {
    if (file)
      file->releasePages();
  }
};

class TensorWeights : public WeightSource {
public:
  std::map<std::string, TensorRef> tensors;

  Result<TensorRef> find(const std::string &key) const override {
    auto found = tensors.find(key);
    if (found == tensors.end())
      return notFound("weight '" + key + "' is not among the given tensors; " + nearKeys(tensors, key));
    return found->second;
  }
};
} // namespace

Result<std::shared_ptr<const WeightSource>> weightsFromBytes(std::string_view safetensors,
                                                             std::shared_ptr<const void> owner, std::string origin,
                                                             std::shared_ptr<const MappedFile> file) {
  Result<std::map<std::string, SafetensorsEntry>> entries = readSafetensors(safetensors);
  if (!entries.ok())
    return entries.status().in(origin);
  auto weights = std::make_shared<SafetensorsWeights>();
  weights->entries = entries.take();
  weights->owner = std::move(owner);
  weights->file = std::move(file);
  weights->origin = "'" + origin + "'";
  return std::shared_ptr<const WeightSource>(std::move(weights));
}

Result<std::shared_ptr<const WeightSource>> openWeights(const std::string &path) {
  TENON_TRY_ASSIGN(std::shared_ptr<const MappedFile> file, MappedFile::open(path));
  return weightsFromBytes(file->bytes(), file, path, file);
}

std::shared_ptr<const WeightSource> weightsFromTensors(std::map<std::string, TensorRef> tensors) {
  auto weights = std::make_shared<TensorWeights>();
  weights->tensors = std::move(tensors);
  return weights;
}

} // namespace tenon
