// Names for what launches at load make (packed and joined weights), by what it is made of: the code of the kernel and
// what it reads. Entries of one model that make the same thing have the same name for it, and the runtime makes it
// once.
#pragma once

#include "lib/Runtime/LaunchPlan.h"

#include "mlir/IR/BuiltinOps.h"

#include <string_view>

namespace tenon {

/// `kernels`: the module after the last phase, which has the functions of the plan's kernels.
void nameSharedValues(LaunchPlan &plan, std::string_view constants, mlir::ModuleOp kernels);

} // namespace tenon
