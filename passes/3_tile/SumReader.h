// Who can add the parts of a product that programs share: a choice of tiles counts on it, tenon-join-sums does it.
#pragma once

#include "dialects/Tenon/Tenon.h"

namespace tenon {

/// The kernel that reads the kernel's one result before all others do, if it folds the result's rows and has results of
/// that shape, a norm say; null: there is none.
KernelOp findSumReader(KernelOp sum);

/// The kernel's one result before it is shaped for who reads it.
mlir::Value computedValue(KernelOp kernel);

} // namespace tenon
