#include "lib/Support/Safetensors.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>

namespace tenon {

using Json = nlohmann::json;

static constexpr uint64_t maxHeader = 100'000'000; // the reference implementation's cap
static constexpr std::pair<DataType, const char *> typeNames[] = {
    {DataType::F64, "F64"},          {DataType::F32, "F32"},        {DataType::F16, "F16"}, {DataType::BF16, "BF16"},
    {DataType::F8E4M3FN, "F8_E4M3"}, {DataType::F8E5M2, "F8_E5M2"}, {DataType::I64, "I64"}, {DataType::I32, "I32"},
    {DataType::I16, "I16"},          {DataType::I8, "I8"},          {DataType::U8, "U8"},   {DataType::I1, "BOOL"},
};

// A non-negative integer that fits in 63 bits, or -1.
static int64_t sizeIn(const Json &json) {
  if (!json.is_number_unsigned())
    return -1;
  uint64_t value = json.get<uint64_t>();
  return value <= static_cast<uint64_t>(INT64_MAX) ? static_cast<int64_t>(value) : -1;
}

static Result<SafetensorsEntry> readEntry(const Json &json, std::string_view data, const std::string &where) {
  if (!json.is_object() || json.size() != 3 || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets"))
    return corrupt(where + ": expected an object with dtype, shape and data_offsets");
  const Json &dtype = json["dtype"], &shape = json["shape"], &offsets = json["data_offsets"];
  SafetensorsEntry entry;
  if (!dtype.is_string())
    return corrupt(where + ": its dtype is not a string");
  bool known = false;
  for (auto [type, name] : typeNames)
    if (dtype.get_ref<const std::string &>() == name) {
      entry.dtype = type;
      known = true;
    }
  if (!known)
    return unsupported(where + ": dtype " + dtype.get<std::string>() + " is not known");
  if (!shape.is_array() || shape.size() > 32)
    return corrupt(where + ": its shape is not an array of at most 32 sizes");
  for (const Json &size : shape) {
    entry.shape.push_back(sizeIn(size));
    if (entry.shape.back() < 0)
      return corrupt(where + ": its shape has an entry that is no size");
  }
  std::optional<int64_t> expected = bytesOfShape(entry.dtype, entry.shape);
  int64_t begin = offsets.is_array() && offsets.size() == 2 ? sizeIn(offsets[0]) : -1;
  int64_t end = offsets.is_array() && offsets.size() == 2 ? sizeIn(offsets[1]) : -1;
  if (begin < 0 || end < begin || static_cast<uint64_t>(end) > data.size())
    return corrupt(where + ": its data_offsets lie outside the " + std::to_string(data.size()) + " bytes of data");
  if (!expected || *expected != end - begin)
    return corrupt(where + ": " + std::to_string(end - begin) + " bytes of data do not fit its dtype and shape");
  entry.bytes = data.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
  return entry;
}

Result<std::map<std::string, SafetensorsEntry>> readSafetensors(std::string_view file) {
  uint64_t headerSize = 0;
  if (file.size() < 8)
    return corrupt("safetensors: " + std::to_string(file.size()) + " bytes are too few");
  std::memcpy(&headerSize, file.data(), 8);
  if (headerSize > maxHeader || headerSize > file.size() - 8)
    return corrupt("safetensors: a header of " + std::to_string(headerSize) + " bytes does not fit into a file of " +
                   std::to_string(file.size()));
  std::string_view data = file.substr(8 + headerSize);
  Json header = Json::parse(file.substr(8, headerSize), nullptr, /*allow_exceptions=*/false);
  if (header.is_discarded() || !header.is_object())
    return corrupt("safetensors: the header is not a JSON object");
  std::map<std::string, SafetensorsEntry> entries;
  std::vector<std::pair<size_t, size_t>> extents;
  for (const auto &[name, json] : header.items()) {
    if (name == "__metadata__")
      continue;
    std::string where = "safetensors: tensor '" + name + "'";
    TENON_TRY_ASSIGN(SafetensorsEntry entry, readEntry(json, data, where));
    size_t begin = static_cast<size_t>(entry.bytes.data() - data.data());
    extents.push_back({begin, begin + entry.bytes.size()});
    if (!entries.emplace(name, std::move(entry)).second)
      return corrupt(where + " is given twice");
  }
  std::sort(extents.begin(), extents.end());
  size_t at = 0;
  for (auto [begin, end] : extents) {
    if (begin != at)
      return corrupt("safetensors: the data has a gap or an overlap at byte " + std::to_string(std::min(at, begin)));
    at = end;
  }
  if (at != data.size())
    return corrupt("safetensors: " + std::to_string(data.size() - at) + " bytes at the end belong to no tensor");
  return entries;
}

} // namespace tenon
