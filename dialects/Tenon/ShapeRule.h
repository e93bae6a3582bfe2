// What one rule an op says about its result, used three times.
// Verification, type inference and "this size as a value" all need the same formula for a result's sizes; written three
// times they drift apart. Here an op writes it once, `static LogicalResult infer(ShapeRule &, Adaptor)`, over sizes
// that are affine expressions: a constant where the size is static, a symbol where it is known only at run time. A
// constant result size is a static dimension of the inferred type; any other is `?` there and an affine.apply when
// reified.
//
// Two `?` that meet are equal sizes at run time (the dialect's rule), a `?` that meets a static size has that size: the
// rule notes it as a condition, which tenon-require-sizes hands on to the host.
#pragma once

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"

namespace tenon {

using Shape = llvm::SmallVector<mlir::AffineExpr>;

/// How two sizes must relate at run time; see SizeConditionAttr.
enum class SizeRelation : uint32_t;
struct SizeCondition {
  SizeRelation relation;
  mlir::AffineExpr a, b;
};

/// One run of an op's rule: the sizes it may speak about, the results it has stated, and where its errors go.
class ShapeRule {
public:
  /// Errors go to `op` where it is given, else to `location`, else nowhere.
  ShapeRule(mlir::MLIRContext *context, llvm::StringRef name, mlir::Operation *op,
            std::optional<mlir::Location> location)
      : context(context), name(name), op(op), location(location) {}

  mlir::AffineExpr size(int64_t constant) const { return mlir::getAffineConstantExpr(constant, context); }
  mlir::AffineExpr dim(mlir::Value tensor, int64_t dimension);
  Shape shape(mlir::Value tensor);
  /// The size that a rank-0 integer tensor holds.
  mlir::AffineExpr held(mlir::Value scalar) { return symbol({Kind::Held, scalar, 0, {}, {}}); }
  mlir::AffineExpr max(mlir::AffineExpr a, mlir::AffineExpr b);
  mlir::AffineExpr min(mlir::AffineExpr a, mlir::AffineExpr b);

  /// A condition on sizes that are not static.
  void ask(SizeRelation relation, mlir::AffineExpr a, mlir::AffineExpr b) { asked.push_back({relation, a, b}); }
  // Whether sizes may relate so. Static ones do or do not; of others the op asks it.
  bool mayEqual(mlir::AffineExpr a, mlir::AffineExpr b);
  bool mayEqual(llvm::ArrayRef<mlir::AffineExpr> a, llvm::ArrayRef<mlir::AffineExpr> b);
  bool mayBeAtMost(mlir::AffineExpr a, mlir::AffineExpr b);
  /// Where a is not 0, neither is b.
  bool mayNeed(mlir::AffineExpr a, mlir::AffineExpr b);

  /// The declared type of a result; only in the rule of an op whose type is not inferred.
  mlir::RankedTensorType declared(unsigned result) const;
  /// Declares the next result of a rule that is run without its op.
  void declare(mlir::RankedTensorType type) { declaredTypes.push_back(type); }

  /// States the next result.
  mlir::LogicalResult result(llvm::ArrayRef<mlir::AffineExpr> shape, mlir::Type element);

  /// Reports a broken constraint; the text begins with its number, "(C2) ...".
  template <typename... Parts>
  mlir::LogicalResult fail(Parts &&...parts) const {
    if (!op && !location)
      return mlir::failure();
    mlir::InFlightDiagnostic error = op ? op->emitOpError() : mlir::emitError(*location);
    if (!op)
      error << "'" << name << "' op ";
    (error << ... << std::forward<Parts>(parts));
    return error;
  }

  llvm::ArrayRef<mlir::RankedTensorType> types() const { return results; }
  llvm::ArrayRef<Shape> stated() const { return shapes; }
  /// What must hold at run time, that declared static sizes are the stated ones included.
  llvm::SmallVector<SizeCondition> conditions() const;
  /// Sizes as values and attributes at the builder's place.
  llvm::SmallVector<mlir::OpFoldResult> reify(mlir::OpBuilder &builder, mlir::Location at,
                                              llvm::ArrayRef<mlir::AffineExpr> sizes) const;
  /// The stated sizes of every result.
  void reify(mlir::OpBuilder &builder, mlir::Location at, mlir::ReifiedRankedShapedTypeDims &sizes) const;

private:
  enum class Kind { Dim, Held, Max, Min };
  struct Symbol {
    Kind kind;
    mlir::Value value;
    int64_t dimension;
    mlir::AffineExpr a, b; // of Max and Min, over earlier symbols
  };
  mlir::AffineExpr symbol(Symbol symbol);

  mlir::MLIRContext *context;
  llvm::StringRef name;
  mlir::Operation *op;
  std::optional<mlir::Location> location;
  llvm::SmallVector<Symbol> symbols;
  llvm::SmallVector<SizeCondition> asked;
  llvm::SmallVector<Shape> shapes;
  llvm::SmallVector<mlir::RankedTensorType> results, declaredTypes;
};

/// "5" of a static size, "?" of another.
std::string describe(mlir::AffineExpr size);
std::string describe(llvm::ArrayRef<mlir::AffineExpr> shape);
/// The static value of a size.
std::optional<int64_t> constant(mlir::AffineExpr size);
inline mlir::Type elementOf(mlir::Value tensor) {
  return llvm::cast<mlir::ShapedType>(tensor.getType()).getElementType();
}

/// Whether declared types agree with inferred ones: element types equal, sizes equal or one of them `?`.
bool areCompatible(mlir::TypeRange inferred, mlir::TypeRange declared);
/// (C1) of every op: the declared results are those of the rule.
mlir::LogicalResult checkResults(mlir::Operation *op, const ShapeRule &rule);

template <typename OpT>
mlir::LogicalResult inferByRule(mlir::MLIRContext *context, std::optional<mlir::Location> location,
                                typename OpT::Adaptor adaptor, llvm::SmallVectorImpl<mlir::Type> &types) {
  ShapeRule rule(context, OpT::getOperationName(), nullptr, location);
  for (mlir::Type type : adaptor.getOperands().getTypes())
    if (!llvm::isa<mlir::RankedTensorType>(type))
      return rule.fail("takes ranked tensors, got ", type);
  if (failed(OpT::infer(rule, adaptor)))
    return mlir::failure();
  types.append(rule.types().begin(), rule.types().end());
  return mlir::success();
}

template <typename OpT>
mlir::LogicalResult reifyByRule(OpT op, mlir::OpBuilder &builder, mlir::ReifiedRankedShapedTypeDims &sizes) {
  ShapeRule rule(op.getContext(), OpT::getOperationName(), op, std::nullopt);
  if (failed(OpT::infer(rule, typename OpT::Adaptor(op))))
    return mlir::failure();
  rule.reify(builder, op.getLoc(), sizes);
  return mlir::success();
}

/// The trait of ops whose operands broadcast.
template <typename OpT>
class Broadcasts : public mlir::OpTrait::TraitBase<OpT, Broadcasts> {};

/// The trait that verifies by the rule.
template <typename OpT>
class ChecksShapes : public mlir::OpTrait::TraitBase<OpT, ChecksShapes> {
public:
  static mlir::LogicalResult verifyTrait(mlir::Operation *op) {
    ShapeRule rule(op->getContext(), OpT::getOperationName(), op, std::nullopt);
    if (failed(OpT::infer(rule, typename OpT::Adaptor(llvm::cast<OpT>(op)))))
      return mlir::failure();
    return checkResults(op, rule);
  }
};

} // namespace tenon
