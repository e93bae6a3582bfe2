// A kernel that is made of parts of another one: how a kernel becomes several launches, one after another.
#pragma once

#include "dialects/Tenon/Tenon.h"
#include "lib/Analysis/SymbolicSizes.h"
#include "lib/Schedule/GpuArch.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tenon {

/// On a kernel: it puts the parts together that programs of the one ahead have computed.
inline constexpr llvm::StringLiteral sumOfPartsAttrName = "tenon.sum_of_parts";

class DerivedKernel {
public:
  /// Named after the other one, with a suffix.
  DerivedKernel(KernelOp from, llvm::StringRef suffix);
  mlir::Value argument(mlir::Type type, mlir::Value outside);
  /// The value of the other kernel, with all that computes it.
  mlir::Value copy(mlir::Value value);
  /// The kernel, before the other one, with its work counted. `shapes`: those of its results, null where all are
  /// static.
  KernelOp finish(mlir::ValueRange yielded, mlir::Attribute shapes);
  /// The same with the schedule of row kernels.
  KernelOp finishByRows(mlir::ValueRange yielded, mlir::Attribute shapes, const GpuArch &arch);
  /// The kernel, with what else the other one says, in the place of that, which is erased.
  void replace(mlir::ValueRange yielded);
  /// The kernel with the schedule of row kernels, in the place of the other one, which is erased.
  void replaceByRows(mlir::ValueRange yielded, mlir::Attribute shapes, const GpuArch &arch);

  KernelOp from;
  std::string name;
  mlir::ImplicitLocOpBuilder b;
  /// What stands for a value of the other kernel here.
  mlir::IRMapping mapping;

private:
  llvm::SmallVector<mlir::Value> inputs;
  mlir::Region body;
};

/// A size inside the kernel over the model's dimensions; null where it is no such expression.
mlir::AffineExpr sizeOver(const SymbolicSizes &sizes, KernelOp kernel, mlir::Value tensor, int64_t dimension);

} // namespace tenon
