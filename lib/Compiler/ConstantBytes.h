// A constant's elements as the runtime stores them: row-major, i1 one to a byte, i4 two to a byte with the low first.
#pragma once

#include "mlir/IR/BuiltinAttributes.h"

#include <string>

namespace tenon {

mlir::LogicalResult appendBytes(mlir::ElementsAttr elements, std::string &bytes);

} // namespace tenon
