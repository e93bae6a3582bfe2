// A kernel's function while an emitter writes it anew: the old one, in tensor form, is only read; the new one takes its
// place when the emitter is through, or is dropped when it finds something it cannot do.
#pragma once

#include "passes/cpu/PointEmitter.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tenon {

class KernelFunction {
public:
  KernelFunction(mlir::func::FuncOp tensorForm, int64_t lanes);

  /// What the kernel computes, and the buffer it goes to.
  struct Result {
    mlir::Value tensor, buffer;
  };
  llvm::ArrayRef<Result> results() const { return outputs; }
  mlir::func::FuncOp source() const { return old; }
  mlir::Value first() { return argument(3); }
  mlir::Value last() { return argument(2); }

  /// Memory of this thread, uninitialised, 64-byte aligned.
  mlir::Value scratch(llvm::ArrayRef<mlir::OpFoldResult> shape, mlir::Type element);

  /// A size in terms of the function's dynamic dimensions; null where it is none.
  mlir::AffineExpr symbolic(mlir::OpFoldResult size);

  /// `for task in [first, last)`, then `for item in the task's share of [0, items)`: tasks of `perTask` items. Ends the
  /// body with the builder inside the inner loop.
  mlir::Value openTasks(mlir::OpFoldResult items, int64_t perTask);
  /// The whole body in one task.
  void openSingleTask();
  /// Splits a row-major number into indices below `sizes`.
  llvm::SmallVector<mlir::Value> split(mlir::Value number, llvm::ArrayRef<mlir::OpFoldResult> sizes);
  /// Loops over [0, size) lane by lane: full vectors, then, unless `size` is a multiple, one masked turn. `carried`
  /// goes through the loops; the body gives it anew.
  llvm::SmallVector<mlir::Value>
  overLanes(mlir::OpFoldResult size, mlir::ValueRange carried,
            llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::AffineExpr place, mlir::ValueRange carried)> body);
  /// The points [first, first + lanes), as far as they are below `end`, by [0, size) lane by lane: in a whole block
  /// what lies along it is turned in registers (PointEmitter::openBlock), else each point has its own loop of lanes.
  void overBlock(mlir::Value first, mlir::OpFoldResult end, mlir::OpFoldResult size,
                 llvm::function_ref<void(mlir::AffineExpr point, mlir::AffineExpr lane)> body);

  /// The one result is this argument but for what the function writes.
  void setUpdated(unsigned argument) { updated = argument; }
  /// The new function takes the place of the old one.
  void finish();
  void abandon() { made.erase(); }

  mlir::ImplicitLocOpBuilder b;
  PointEmitter points;

private:
  mlir::Value argument(unsigned fromEnd) { return made.getArgument(made.getNumArguments() - fromEnd); }
  mlir::func::FuncOp old, made;
  llvm::DenseMap<mlir::Value, mlir::Value> arguments;
  llvm::SmallVector<Result> outputs;
  mlir::AffineExpr grid, scratchBytes;
  std::optional<unsigned> updated;
  mlir::Operation *prologueEnd;
};

} // namespace tenon
