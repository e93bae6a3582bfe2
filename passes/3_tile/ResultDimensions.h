// Which dimension of a kernel's result each dimension of its other tensors is, and which of them are folded on the way:
// a norm folds along the dimension that its result has, a sum along one that is gone. Schedules and programs ask.
#pragma once

#include "dialects/Tenon/Tenon.h"
#include "lib/Schedule/TileSchedule.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace tenon {

class ResultDimensions {
public:
  /// `results` are what programs compute, all of one rank.
  explicit ResultDimensions(llvm::ArrayRef<mlir::Value> results);

  /// For each dimension of a tensor the result's, -1 where it is none; empty where the tensor is not known to lie that
  /// way.
  llvm::ArrayRef<int> of(mlir::Value tensor) const;
  /// The result's dimension that a reducing loop goes along; -1 where the result lacks it.
  int alongOf(mlir::linalg::GenericOp op, unsigned loop) const;
  /// Whether a program must go through the whole dimension: elements of the result depend on others along it.
  bool isFolded(unsigned dimension) const;
  /// Loops that reduce, each with the dimension it goes along or -1; running sums along a dimension of the result.
  struct Reduction {
    mlir::linalg::GenericOp op;
    unsigned loop;
    int along;
  };
  llvm::ArrayRef<Reduction> reductions() const { return all; }
  struct RunningSum {
    mlir::scf::ForOp loop;
    int along;
  };
  llvm::ArrayRef<RunningSum> runningSums() const { return sums; }
  /// Ops between memory and the results, operands first.
  llvm::ArrayRef<mlir::Operation *> ops() const { return order; }
  /// The dimension of the result, other than its last, along which an operand's elements are neighbours in memory; -1
  /// where there is none.
  int transposed() const { return otherNeighbours; }

private:
  void label(mlir::Value tensor, llvm::SmallVector<int> labels);
  void visit(mlir::linalg::GenericOp op);

  llvm::DenseMap<mlir::Value, llvm::SmallVector<int>> labels;
  llvm::SmallVector<Reduction> all;
  llvm::SmallVector<RunningSum> sums;
  llvm::SmallVector<mlir::Operation *> order;
  int otherNeighbours = -1;
};

/// Of what a kernel computes before dimensions are split or parts are put together.
RowShape rowShapeOf(KernelOp kernel);

} // namespace tenon
