// A kernel's name says which program it is: those of one name share theirs. Whoever makes kernels names them after what
// they are made of, which several different ones may be.
#pragma once

#include "dialects/Tenon/Tenon.h"

namespace tenon {

/// Gives a number behind its name to each kernel whose name another function of its operands has: one earlier in the
/// list, which has equal kernels under one name afterwards.
void nameKernels(llvm::ArrayRef<KernelOp> kernels);

} // namespace tenon
