// Named ranges in the time line of NVIDIA's profilers. The library is taken if the process can load it (TENON_NVTX
// names another one than libnvToolsExt.so.1); without it a range costs a look at one pointer.
#pragma once

#include <string>

namespace tenon {

class NvtxRange {
public:
  /// `name` lives as long as the range.
  explicit NvtxRange(const std::string &name) : isOpen(functions().push != nullptr) {
    if (isOpen)
      functions().push(name.c_str());
  }
  ~NvtxRange() {
    if (isOpen)
      functions().pop();
  }
  NvtxRange(const NvtxRange &) = delete;
  NvtxRange &operator=(const NvtxRange &) = delete;

private:
  struct Functions {
    int (*push)(const char *) = nullptr;
    int (*pop)() = nullptr;
  };
  static const Functions &functions();
  bool isOpen;
};

} // namespace tenon
