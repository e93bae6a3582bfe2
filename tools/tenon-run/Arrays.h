// Tensors in NumPy's files: .npy holds one array, .npz (stored, as numpy.savez writes it) several with names.
#pragma once

#include "lib/Runtime/Tensor.h"

#include <string>
#include <vector>

namespace tenon::tool {

struct Array {
  std::string name; ///< empty in a .npy
  Tensor tensor;
};

/// By what the file holds, not by its name. Column-major arrays are transposed.
Result<std::vector<Array>> readArrays(const std::string &path);
/// By the name's ending: .npz, or .npy for a single array.
Status writeArrays(const std::string &path, const std::vector<Array> &arrays);

} // namespace tenon::tool
