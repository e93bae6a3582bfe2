// Elements of tensors in the GPU's memory, dense and row-major: i1 is a byte, i4 half of one, the low half first, and
// 8-bit floats are their bits.
#pragma once

#include "passes/5_thread/IndexEmitter.h"

namespace tenon {

/// Element number `number` of the tensor at `address`.
mlir::Value loadElement(mlir::ImplicitLocOpBuilder &b, IndexEmitter &index, mlir::Value address, mlir::Type element,
                        mlir::Value number);

/// How many elements a thread writes: as many as share a byte.
int64_t elementsPerStore(mlir::Type element);

/// Writes elements `number` * elementsPerStore and those after it.
void storeElements(mlir::ImplicitLocOpBuilder &b, mlir::ValueRange elements, mlir::Value address, mlir::Value number);

} // namespace tenon
