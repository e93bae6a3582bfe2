// Places that data give: wrong data name a wrong place and never one outside.
#pragma once

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tenon {

/// An integer or index as an index from 0 to `most`.
inline mlir::Value clampedIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value number, mlir::Value most) {
  if (!llvm::isa<mlir::IndexType>(number.getType()))
    number = mlir::arith::IndexCastOp::create(b, b.getIndexType(), number);
  number = mlir::arith::MinSIOp::create(b, number, most);
  return mlir::arith::MaxSIOp::create(b, number, mlir::arith::ConstantIndexOp::create(b, 0));
}

} // namespace tenon
