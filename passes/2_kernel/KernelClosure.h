// Which ops of @main become one launch.
// An anchor (contraction, attention, row statistics, or nothing but pointwise work) takes in the ops around it that its
// loops can compute on the way: pointwise consumers of its result, pointwise producers of a row op's input, the views
// of attention. What costs less than a launch has no kernel, who reads it repeats it. Two groups join through a value
// that nothing else reads: no third can lie on a path between them, so the launches can be ordered. Of rows a pointwise
// input may have other readers, a residual stream say: it is one more result then, where nothing lies between.
#pragma once

#include "dialects/Tenon/Tenon.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tenon {

enum class KernelKind { Contraction, Attention, Row, Pointwise, Copy };

struct KernelGroup {
  KernelKind kind;
  mlir::Operation *anchor;                       // the op that gave the kind
  llvm::SmallVector<mlir::Operation *> ops;      // in program order
  llvm::SmallVector<mlir::Operation *> views;    // read through: cloned into the kernel, in no order
  llvm::SmallVector<mlir::Operation *> repeated; // of no kernel, cloned into each that reads them; in program order
  bool hasSharedResult = false;                  // of an op that others of the group read, too
};

struct MissedFusion {
  mlir::Operation *op; // that stayed outside
  std::string reason;
};

struct KernelGroups {
  llvm::SmallVector<KernelGroup> groups;
  llvm::SmallVector<MissedFusion> missed;
};

KernelGroups closeKernels(mlir::func::FuncOp main);

/// Part of no launch: weights, constants, views of a whole buffer, and sizes.
bool staysOutside(mlir::Operation *op);
/// A rank-0 integer that a size of a launch plan can be: of sizes and constants, by sums, differences, products and
/// quotients alone. The host computes it.
bool isSizeComputation(mlir::Operation *op);

} // namespace tenon
