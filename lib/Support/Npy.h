// NumPy's .npy: a magic, a version, a Python dictionary as header, then the data. Read in place from untrusted bytes;
// only little-endian C-order arrays of the types Tenon stores. bf16 and f8 have no code in NumPy: they are written as
// raw bytes of that width ("|V2", "|V1"), as ml_dtypes does.
#pragma once

#include "lib/Support/DataType.h"
#include "lib/Support/Status.h"

#include <string>
#include <string_view>
#include <vector>

namespace tenon {

struct NpyArray {
  DataType dtype = DataType::F32;
  std::vector<int64_t> shape;
  std::string_view bytes;
  bool fortran = false; ///< column-major: the caller must transpose
};

/// `bytes` points into `file`. "|V2" is read as bf16, "|V1" as f8E4M3FN.
Result<NpyArray> readNpy(std::string_view file);

/// Version 1.0, data at a multiple of 64. i4 is Unsupported.
Result<std::string> writeNpy(DataType dtype, const std::vector<int64_t> &shape, std::string_view bytes);

} // namespace tenon
