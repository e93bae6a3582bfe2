// Which loops a kernel of pointwise work and reductions needs: what each of its tensors is read at, which of them are
// statistics, and which dimensions of the results those keep.
#pragma once

#include "passes/cpu/KernelFunction.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallBitVector.h"

namespace tenon {

/// Where a tensor is read, over the results' dims and, past them, the reduced ones.
struct Place {
  Point point;
  llvm::SmallBitVector varies; // dimensions read at several dims
};

/// The innermost dimension in memory is reduced: a row's elements are consecutive.
bool reducesInnermost(mlir::linalg::GenericOp op);

class LoopAnalysis {
public:
  explicit LoopAnalysis(PointEmitter &points) : points(points) {}
  /// False, with the reason in the emitter's error(), where the results have no common loops.
  bool run(llvm::ArrayRef<KernelFunction::Result> results);

  mlir::Value shape; // a tensor of the loops' sizes
  unsigned rank = 0;
  llvm::MapVector<mlir::Value, Place> places;
  llvm::SetVector<mlir::Operation *> statistics;
  llvm::SmallVector<bool> isRow;
  bool lanesAreRows = true;
  /// A dimension of the results along which an operand is consecutive that the lanes would read an element at a time
  /// (PointEmitter::openBlock); none where a reduction is among the loops.
  std::optional<unsigned> turnedDimension() const;

  /// Whether it is the same along a row.
  bool isRowOnly(mlir::AffineExpr expr) const;
  bool isRowOnly(const Place &place) const;

private:
  bool trace(mlir::Value tensor, const Point &point);
  bool traceGeneric(mlir::linalg::GenericOp op, unsigned result, const Point &point);
  bool chooseLoops();
  bool dependsOnReduced(mlir::AffineExpr expr) const;

  PointEmitter &points;
  unsigned nextReduced = 0;
};

} // namespace tenon
