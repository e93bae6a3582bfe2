// The safetensors format: 8 bytes of header length, a JSON header {name: {dtype, shape, data_offsets}}, then the data.
// Read in place from untrusted bytes: every length is checked in 64 bits before it is used.
#pragma once

#include "lib/Support/DataType.h"
#include "lib/Support/Status.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tenon {

struct SafetensorsEntry {
  DataType dtype = DataType::F32;
  std::vector<int64_t> shape;
  std::string_view bytes;
};

/// The entries point into `file`. Offsets must cover the data without gap or overlap, as the format demands.
Result<std::map<std::string, SafetensorsEntry>> readSafetensors(std::string_view file);

} // namespace tenon
