#include "lib/Compiler/ConstantBytes.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;

namespace tenon {

static void append(std::string &bytes, const APInt &value, unsigned width) {
  uint64_t raw = value.getZExtValue();
  for (unsigned byte = 0; byte < width; ++byte)
    bytes.push_back(char(raw >> (8 * byte)));
}

LogicalResult appendBytes(ElementsAttr elements, std::string &bytes) {
  unsigned bits = elements.getElementType().getIntOrFloatBitWidth();
  unsigned width = (bits + 7) / 8;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(elements)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob || bits < 8 || blob->getData().size() != size_t(resource.getNumElements()) * width)
      return failure();
    bytes.append(blob->getData().data(), blob->getData().size());
    return success();
  }
  auto dense = dyn_cast<DenseElementsAttr>(elements);
  if (!dense)
    return failure();
  if (bits >= 8 && !dense.isSplat()) {
    bytes.append(dense.getRawData().data(), dense.getRawData().size());
    return success();
  }
  auto at = [&](int64_t index) {
    return isa<FloatType>(dense.getElementType()) ? dense.getValues<APFloat>()[index].bitcastToAPInt()
                                                  : dense.getValues<APInt>()[index];
  };
  int64_t count = dense.getNumElements();
  if (bits == 4) {
    for (int64_t index = 0; index < count; index += 2) {
      uint64_t low = at(index).getZExtValue() & 15, high = index + 1 < count ? at(index + 1).getZExtValue() & 15 : 0;
      bytes.push_back(char(low | high << 4));
    }
    return success();
  }
  if (dense.isSplat() && count > 0) {
    std::string one;
    append(one, at(0), width);
    for (int64_t index = 0; index < count; ++index)
      bytes += one;
    return success();
  }
  for (int64_t index = 0; index < count; ++index)
    append(bytes, at(index), width);
  return success();
}

} // namespace tenon
