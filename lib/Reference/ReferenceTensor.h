// A dense tensor whose floats are doubles and whose integers are int64, whatever their storage type: what the reference
// computes with. The element type is kept beside the values, for rounding and for the way back to bytes.
#pragma once

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/LogicalResult.h"

#include <cstdint>
#include <vector>

namespace tenon {

using ReferenceShape = llvm::SmallVector<int64_t, 6>;

struct ReferenceTensor {
  mlir::Type elementType;
  ReferenceShape shape;
  std::vector<double> floats;    // filled when elementType is a float
  std::vector<int64_t> integers; // filled when it is an integer; i1 is 0 or 1

  ReferenceTensor() = default;
  /// Zeros.
  ReferenceTensor(mlir::Type elementType, llvm::ArrayRef<int64_t> shape);

  bool isFloat() const { return llvm::isa<mlir::FloatType>(elementType); }
  int64_t rank() const { return static_cast<int64_t>(shape.size()); }
  int64_t size() const;
  /// The element at a row-major offset as a double, whichever kind it is.
  double at(int64_t offset) const { return isFloat() ? floats[offset] : static_cast<double>(integers[offset]); }

  /// Rounds floats to the element type, to nearest even (f64: nothing changes); wraps integers to their width.
  void roundToStorage();
  /// Wraps integers to the width of their type; leaves floats.
  void wrapIntegers();

  /// Row-major storage: i1 one byte each, i4 two to a byte with the low nibble first, else the type's own bytes.
  /// Fails when the number of bytes is not what the shape needs.
  static llvm::FailureOr<ReferenceTensor> fromStorage(mlir::Type elementType, llvm::ArrayRef<int64_t> shape,
                                                      llvm::ArrayRef<char> bytes);
  /// Rounds to the element type on the way.
  std::vector<char> toStorage() const;
};

/// A double rounded to a float type, to nearest even; f8 E4M3FN has no infinity and gives NaN above its range.
double roundTo(mlir::Type floatType, double value);

int64_t numElements(llvm::ArrayRef<int64_t> shape);
/// Row-major strides in elements.
ReferenceShape stridesOf(llvm::ArrayRef<int64_t> shape);
/// Calls `body(index, row-major offset)` for every index of `shape`, in row-major order.
void forEachIndex(llvm::ArrayRef<int64_t> shape, llvm::function_ref<void(llvm::ArrayRef<int64_t>, int64_t)> body);
/// NumPy broadcasting; fails on sizes that differ and are not 1.
llvm::FailureOr<ReferenceShape> broadcastShapes(llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b);
/// The offset in a tensor of shape `shape` of the element that `index` (of a shape it broadcasts to) reads.
int64_t broadcastOffset(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> index);

} // namespace tenon
