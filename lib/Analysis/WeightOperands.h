// Which operands of kernels are there before a call begins: no launch of it writes them.
#pragma once

#include "dialects/Tile/Tile.h"

#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseMap.h"

namespace tenon {

/// Whether the value is a weight, a constant, or computed of such alone, when the model is loaded.
bool isOfWeights(mlir::Value value);

/// Of each kernel of tiles a bit an operand: wherever it is launched, that is of weights. Kernels that run when the
/// model is loaded have none.
using WeightOperands = llvm::DenseMap<mlir::Operation *, llvm::BitVector>;
WeightOperands findWeightOperands(mlir::ModuleOp module);

} // namespace tenon
