// Tensors as they cross the C API.
#include "lib/CAPI/Handles.h"

namespace tenon::capi {

Status readTensor(const tenon_tensor *from, const std::string &what, TensorRef &to) {
  tenon_tensor tensor = {};
  TENON_TRY(readStruct(from, tensor, what.c_str()));
  if (tensor.dtype < 0 || tensor.dtype >= numDataTypes)
    return invalidArgument(what + ": dtype " + std::to_string(tensor.dtype) + " is none of tenon_dtype");
  if (tensor.rank < 0 || tensor.rank > 32 || (tensor.rank && !tensor.shape))
    return invalidArgument(what + ": rank " + std::to_string(tensor.rank) + ", expected 0 to 32 with a shape");
  to.data = tensor.data;
  to.dtype = static_cast<DataType>(tensor.dtype);
  if (tensor.device_type != TENON_HOST && tensor.device_type != TENON_CUDA)
    return invalidArgument(what + ": device type " + std::to_string(tensor.device_type) +
                           ", expected 0 (host) or 1 (CUDA)");
  if (tensor.device_type == TENON_CUDA && tensor.device_index < 0)
    return invalidArgument(what + ": device index " + std::to_string(tensor.device_index) + ", expected 0 or more");
  to.device = tensor.device_type == TENON_CUDA ? tensor.device_index : TensorRef::host;
  to.shape.assign(tensor.shape, tensor.shape + tensor.rank);
  int64_t dense = 1;
  bool empty = numElements(to.shape) == 0;
  for (int axis = tensor.rank - 1; axis >= 0 && tensor.strides && !empty; --axis) {
    if (to.shape[axis] != 1 && tensor.strides[axis] != dense)
      return invalidArgument(what + " is not dense row-major: its stride at axis " + std::to_string(axis) + " is " +
                             std::to_string(tensor.strides[axis]) + ", expected " + std::to_string(dense) +
                             ": pass a contiguous copy");
    if (__builtin_mul_overflow(dense, to.shape[axis], &dense))
      return invalidArgument(what + ": its shape overflows 64 bits");
  }
  return {};
}

Status readTensors(const tenon_tensor *from, size_t count, const char *what, std::vector<TensorRef> &to) {
  if (count > 100000 || (count && !from))
    return invalidArgument(std::string(what) + "s: " + std::to_string(count) + " tensors at a null address");
  to.resize(count);
  size_t distance = count ? from->struct_size : 0;
  for (size_t i = 0; i < count; ++i) {
    auto *element = reinterpret_cast<const tenon_tensor *>(reinterpret_cast<const char *>(from) + i * distance);
    TENON_TRY(readTensor(element, std::string(what) + " " + std::to_string(i), to[i]));
  }
  return {};
}

} // namespace tenon::capi
