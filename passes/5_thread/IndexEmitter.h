// Arithmetic on places and sizes in the code of one thread: integers of one width, i32 or i64, that are not negative.
// Constants fold, equal expressions are one value, and each stands in front of every loop that it does not depend on.
#pragma once

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/OpDefinition.h"

namespace tenon {

class IndexEmitter {
public:
  /// Code is built at `b`'s place, inside `entry`, the function's first block.
  IndexEmitter(mlir::ImplicitLocOpBuilder &b, mlir::Block *entry, unsigned width) : b(b), entry(entry), width(width) {}

  mlir::Type type() const { return b.getIntegerType(width); }
  mlir::Value constant(int64_t value);
  mlir::Value add(mlir::Value x, mlir::Value y);
  /// Wraps where y is larger: the result is compared by isBelow, which is false then.
  mlir::Value sub(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, mlir::Value y);
  /// By a size of 0 as by 1: such code is never reached, but stands where it may be computed.
  mlir::Value div(mlir::Value x, mlir::Value y);
  mlir::Value rem(mlir::Value x, mlir::Value y);
  mlir::Value min(mlir::Value x, mlir::Value y);
  /// x < y as unsigned numbers: an i1.
  mlir::Value isBelow(mlir::Value x, mlir::Value y);

  /// From and to `index`, which scalars of a kernel have.
  mlir::Value fromIndex(mlir::Value index);
  mlir::Value toIndex(mlir::Value value);
  /// From an argument of the function, an i64.
  mlir::Value fromDim(mlir::Value dim);
  mlir::Value fromMixed(mlir::OpFoldResult size, llvm::function_ref<mlir::Value(mlir::Value)> scalar);

  /// Row-major: the number of a place, and back. Of a place that was made of a number it is that number.
  mlir::Value linearise(llvm::ArrayRef<mlir::Value> place, llvm::ArrayRef<mlir::Value> sizes);
  llvm::SmallVector<mlir::Value> delinearise(mlir::Value number, llvm::ArrayRef<mlir::Value> sizes);

  /// Values inside `op`, which is about to be erased, are not used again.
  void forget(mlir::Operation *op);

private:
  template <typename OpT>
  mlir::Value emit(mlir::Value x, mlir::Value y);
  void moveOut(mlir::ValueRange operands);
  bool isVisible(mlir::Value value);

  mlir::ImplicitLocOpBuilder &b;
  mlir::Block *entry;
  unsigned width;
  using Key = std::tuple<const void *, mlir::Value, mlir::Value>;
  llvm::DenseMap<Key, mlir::Value> known;
  llvm::DenseMap<int64_t, mlir::Value> constants;
  struct Split {
    llvm::SmallVector<mlir::Value> place, sizes;
    mlir::Value number;
  };
  llvm::SmallVector<Split> splits;
};

} // namespace tenon
