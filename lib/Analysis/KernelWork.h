// What a kernel costs, whatever runs it: floating-point operations, and bytes that must cross memory at least once.
// With a machine's peak rates that is its roofline, the time no schedule can beat.
#pragma once

#include "dialects/Tenon/Tenon.h"

namespace tenon {

/// Maps of one result each. Dimension i is the i-th `?` of the operands' and then the results' types.
struct KernelWork {
  mlir::AffineMap flops; ///< an addition, a product, a comparison of extremes, a division or a function: one each; of
                         ///< products of integers theirs, too
  mlir::AffineMap
      bytes; ///< every operand and result once; of a table what is looked up, of an updated operand the parts

  /// Of a kernel whose inside is linalg; fails where a loop's size is no expression over the dimensions.
  static mlir::FailureOr<KernelWork> of(KernelOp kernel);
};

} // namespace tenon
