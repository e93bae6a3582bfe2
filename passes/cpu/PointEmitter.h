// Values of a kernel's tensors at single points, as code: the one way from linalg on tensors to vectors.
// An emitter of loops asks for a tensor at a point, and gets the operations that compute it there, in registers, from
// what lies in memory: producers are inlined, views become addresses. A point is one affine expression a dimension
// over loop values (dims) and the lane (symbol 0): where the lane occurs, the value is a vector of consecutive points,
// elsewhere a scalar that all lanes share.
#pragma once

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <variant>

namespace tenon {

using Point = llvm::SmallVector<mlir::AffineExpr>;

class PointEmitter {
public:
  /// Code is built at `b`'s place; what does not depend on loops goes before `prologueEnd`. `arguments` maps the
  /// buffers that tensors are read from (operands of bufferization.to_tensor) to those of the function being built.
  PointEmitter(mlir::ImplicitLocOpBuilder &b, mlir::Operation *prologueEnd, int64_t lanes,
               const llvm::DenseMap<mlir::Value, mlir::Value> &arguments)
      : b(b), prologueEnd(prologueEnd), lanes(lanes), arguments(arguments) {}

  mlir::AffineExpr dim(mlir::Value index);
  mlir::AffineExpr lane() { return mlir::getAffineSymbolExpr(0, b.getContext()); }
  mlir::AffineExpr constant(int64_t value) { return mlir::getAffineConstantExpr(value, b.getContext()); }
  /// The value of an expression without lane.
  mlir::Value index(mlir::AffineExpr expr);
  int64_t getLanes() const { return lanes; }

  /// The tensor at a point; null, with a reason in error(), where it cannot be computed that way.
  mlir::Value at(mlir::Value tensor, const Point &point);
  /// All results of a reduction at a point of its kept dimensions.
  llvm::SmallVector<mlir::Value> reduceAt(mlir::linalg::GenericOp op, const Point &point);
  /// The body of `op` for the given elements at a point of its loops.
  llvm::SmallVector<mlir::Value> body(mlir::linalg::GenericOp op, const Point &loops, mlir::ValueRange elements);

  /// What the body of a generic computes from `argument` alone, for a given element.
  mlir::Value element(mlir::Value computed, mlir::Value argument, mlir::Value value);

  /// From now on `tensor` at `point` is this value.
  void give(mlir::Value tensor, const Point &point, mlir::Value element);
  /// From now on `tensor` is in `buffer`, whose dimensions are those of the tensor that `point` leaves empty; the
  /// others have to be at `point`.
  void giveBuffer(mlir::Value tensor, const Point &point, mlir::Value buffer);
  void forget() { given.clear(), buffers.clear(), memo.clear(); }

  /// Between setMask(limit) and clearMask() only the first `limit` lanes are read and written.
  void setMask(mlir::Value limit);
  void clearMask() { mask = limit = {}; }
  /// From openBlock(first) to closeBlock() the block of points first, .., first + lanes - 1 is gone through, `first`
  /// being a dim; the step last set says which of them is meant. What lies along the block in memory, while its lanes
  /// are far apart, is then read by vectors along the block, once, and turned in registers.
  void openBlock(mlir::AffineExpr first) { blockFirst = first, blockStep = 0, turned.clear(); }
  void setBlockStep(int64_t step) { blockStep = step; }
  void closeBlock() { blockFirst = {}, turned.clear(); }
  /// Whether a block along the dim `step` turns `tensor`, read at `point`, where `lane` is the dim that the lanes are
  /// of.
  bool isTurned(mlir::Value tensor, const Point &point, mlir::AffineExpr step, mlir::AffineExpr lane);
  void setPrologueEnd(mlir::Operation *op) { prologueEnd = op; }
  mlir::Value getMask() const { return mask; }

  /// Reads or writes memory at a point.
  mlir::Value load(mlir::Value buffer, const Point &point);
  void store(mlir::Value value, mlir::Value buffer, const Point &point);
  /// A scalar in all lanes; a vector as it is.
  mlir::Value widen(mlir::Value value);

  /// The buffer that holds the tensor, under its shape, where the tensor is an operand or a view of one; else null.
  mlir::Value viewOf(mlir::Value tensor);
  mlir::OpFoldResult size(mlir::Value tensor, int64_t dimension);
  mlir::Value sizeValue(mlir::Value tensor, int64_t dimension);
  /// A scalar computed outside of all loops.
  mlir::Value uniform(mlir::Value scalar);

  /// The loops of a generic at a point of its result.
  Point loopsAt(mlir::linalg::GenericOp op, unsigned result, const Point &point);
  static bool hasLane(mlir::AffineExpr expr) { return expr.isFunctionOfSymbol(0); }
  static bool hasLane(const Point &point) {
    return llvm::any_of(point, [](auto expr) { return hasLane(expr); });
  }

  /// Where a reshaping op reads its source; empty on failure, unless that has rank 0.
  Point sourcePoint(mlir::Value tensor, const Point &point);
  llvm::StringRef error() const { return reason; }
  mlir::Value fail(const llvm::Twine &why);

private:
  /// An index is kept as an expression as long as it is one.
  using Element = std::variant<mlir::Value, mlir::AffineExpr>;
  mlir::Value compute(mlir::Value tensor, const Point &point);
  mlir::Value valueOf(Element element);
  mlir::AffineExpr exprOf(Element element);
  mlir::Value vectorIndex(mlir::AffineExpr expr);
  mlir::Value extractAt(mlir::Value tensor, llvm::ArrayRef<Element> indices);
  mlir::Value insertAt(mlir::Value tensor, const Point &point);
  /// Computes each lane by itself.
  mlir::Value byLane(const Point &point, llvm::function_ref<mlir::Value(const Point &)> compute);
  mlir::AffineExpr laneConstant(int64_t lane);
  Point substituteLane(const Point &point, mlir::AffineExpr lane);
  bool isContiguous(mlir::Value buffer, const Point &point);
  /// Whether a value made before is there where code is built.
  bool isVisible(mlir::Value value) const;
  mlir::Value unitLast(mlir::Value buffer, unsigned unit);
  mlir::Value loadTurned(mlir::Value buffer, const Point &point);
  Element evaluate(mlir::Operation *op, llvm::DenseMap<mlir::Value, Element> &values, const Point &loops);

  mlir::ImplicitLocOpBuilder &b;
  mlir::Operation *prologueEnd;
  int64_t lanes;
  const llvm::DenseMap<mlir::Value, mlir::Value> &arguments;
  llvm::SmallVector<mlir::Value> dims;
  mlir::Value mask, limit;
  mlir::AffineExpr blockFirst;
  int64_t blockStep = 0;
  struct Turned {
    mlir::Value buffer;
    Point point; // at the block's first step
    llvm::SmallVector<mlir::Value> steps;
  };
  llvm::SmallVector<Turned> turned;
  llvm::DenseMap<mlir::Value, mlir::Value> views, uniforms;
  llvm::DenseMap<mlir::Value, std::pair<Point, mlir::Value>> given, buffers;
  struct Computed {
    Point point;
    mlir::Value value, mask;
  };
  llvm::DenseMap<mlir::Value, llvm::SmallVector<Computed>> memo;
  std::string reason;
};

} // namespace tenon
