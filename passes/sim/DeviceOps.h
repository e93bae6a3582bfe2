// What the replacement of one op by a call into the simulator needs: call sites, constants, declarations.
#pragma once

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

#include <optional>

namespace tenon {

class CallBuilder {
public:
  explicit CallBuilder(mlir::ModuleOp module);

  /// Calls are made before the op, as the op's site.
  void startAt(mlir::Operation *op);
  mlir::OpBuilder &builder() { return ops; }
  mlir::Value i32(int64_t value);
  /// The value as an i32: f32 and pairs of halves by their bits, i1 by zero extension.
  mlir::Value bits(mlir::Value value);
  mlir::Value fromBits(mlir::Value bits, mlir::Type type);
  /// Calls the function of lib/Sim with the site as one more argument; null where it gives nothing.
  mlir::Value call(llvm::StringRef function, mlir::ValueRange operands, mlir::Type result = nullptr);
  /// Memory for `words` 32-bit registers, on the stack of the function.
  mlir::Value registers(int64_t words);
  mlir::Value registerAt(mlir::Value registers, int64_t index);

  mlir::ModuleOp module() { return kernels; }
  mlir::ArrayAttr sites();

private:
  int64_t site();

  mlir::ModuleOp kernels;
  mlir::OpBuilder ops;
  mlir::Operation *current = nullptr;
  int64_t currentSite = 0;
  mlir::SmallVector<mlir::Attribute> allSites;
};

/// Nothing where the op is of another kind; else whether it was replaced (and erased), or stays as it is.
std::optional<mlir::LogicalResult> replaceHostOp(mlir::Operation *op, CallBuilder &calls);
std::optional<mlir::LogicalResult> replaceWarpOp(mlir::Operation *op, CallBuilder &calls);
std::optional<mlir::LogicalResult> replaceWarpgroupOp(mlir::Operation *op, CallBuilder &calls);
std::optional<mlir::LogicalResult> replaceTransferOp(mlir::Operation *op, CallBuilder &calls);
std::optional<mlir::LogicalResult> replaceMemoryOp(mlir::Operation *op, CallBuilder &calls);

/// A check in front of each op that may read a result of wgmma ahead of its wait. Before anything is replaced.
void checkAccumulators(mlir::ModuleOp kernels, CallBuilder &calls);

} // namespace tenon
