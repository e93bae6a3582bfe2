#include "test/unit/SafetensorsFile.h"

#include <nlohmann/json.hpp>

namespace tenon::test {

std::string safetensorsFile(const std::map<std::string, SafetensorsEntry> &tensors) {
  const std::map<DataType, const char *> types = {{DataType::F64, "F64"},
                                                  {DataType::F32, "F32"},
                                                  {DataType::BF16, "BF16"},
                                                  {DataType::I64, "I64"},
                                                  {DataType::I1, "BOOL"}};
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  std::string data;
  for (const auto &[name, tensor] : tensors) {
    size_t begin = data.size();
    data += tensor.bytes;
    header[name] = {{"dtype", types.at(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  std::string text = header.dump();
  text.append((64 - (8 + text.size()) % 64) % 64, ' ');
  uint64_t size = text.size();
  return std::string(reinterpret_cast<const char *>(&size), 8) + text + data;
}

} // namespace tenon::test
