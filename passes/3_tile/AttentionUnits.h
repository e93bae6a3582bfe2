// What the scores of an attention's states are logarithms of, for those who make states and who put them together.
#pragma once

#include "mlir/IR/TypeUtilities.h"
#include "mlir/IR/Value.h"

namespace tenon {

/// The logarithm to base 2 of the base of maxima and scores. It is 2; e where a float mask is added (not null), whose
/// lowest elements are no finite logarithms to base 2.
inline double unitOfMaximum(mlir::Value mask) {
  return mask && !mlir::getElementTypeOrSelf(mask).isInteger(1) ? 1.4426950408889634 : 1;
}

} // namespace tenon
