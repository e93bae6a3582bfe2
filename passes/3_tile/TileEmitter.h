// Tiles of a kernel's tensors, as code: the one way from linalg on tensors to programs on tiles.
// A program computes its part of the results; it asks for a tensor at a place and gets the tile ops that compute it
// there from what lies in memory. A place is one affine expression a dimension over scalars (dims) and axes (symbols):
// where axis a occurs, the tile extends along it, from there on; elsewhere it is one element thick.
#pragma once

#include "dialects/Tenon/Tenon.h"
#include "dialects/Tile/Tile.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <variant>

namespace tenon {

using TilePlace = llvm::SmallVector<mlir::AffineExpr>;

/// A tile and the axes of its dimensions, in increasing order. Without axes it is of rank 0.
struct TileValue {
  mlir::Value tile;
  llvm::SmallVector<unsigned> axes;
  explicit operator bool() const { return bool(tile); }
};

class TileEmitter {
public:
  /// Code is built at `b`'s place; what programs share goes before `programs`, the op that holds them. `arguments` maps
  /// the arguments of the kernel's region to views.
  TileEmitter(mlir::ImplicitLocOpBuilder &b, mlir::Operation *programs,
              const llvm::DenseMap<mlir::Value, mlir::Value> &arguments)
      : b(b), programs(programs), arguments(arguments) {}

  void setPrograms(mlir::Operation *op) { programs = op; }
  /// A new axis of that many elements; `isWhole`: it starts at 0 and has all of a dimension.
  unsigned addAxis(int64_t size, bool isWhole);
  int64_t axisSize(unsigned axis) const { return axes[axis].size; }
  mlir::AffineExpr axis(unsigned number) { return mlir::getAffineSymbolExpr(number, b.getContext()); }
  mlir::AffineExpr dim(mlir::Value index);
  mlir::AffineExpr constant(int64_t value) { return mlir::getAffineConstantExpr(value, b.getContext()); }
  mlir::Value index(mlir::AffineExpr expr);

  /// The tensor at a place; without tile, and with a reason in error(), where it cannot be computed that way.
  TileValue at(mlir::Value tensor, const TilePlace &place);
  /// A scalar, and an index that varies along axes, as tiles.
  TileValue splat(mlir::Value scalar);
  TileValue indexTile(mlir::AffineExpr expr);
  /// The same tile along more axes.
  mlir::Value widen(const TileValue &value, llvm::ArrayRef<unsigned> to);
  void store(const TileValue &value, mlir::Value view, const TilePlace &place);

  mlir::OpFoldResult size(mlir::Value tensor, int64_t dimension);
  mlir::Value sizeValue(mlir::Value tensor, int64_t dimension);
  /// The view that has the tensor's elements, where it is an operand or made of one by slices, transposes and reshapes.
  mlir::Value viewOf(mlir::Value tensor);

  /// Elements that the depth of a matrix product and a dynamic reduction are cut into.
  int64_t depthTile = 32, reductionTile = 128;
  llvm::StringRef error() const { return reason; }
  TileValue fail(const llvm::Twine &why);

private:
  struct Axis {
    int64_t size;
    bool isWhole;
  };
  /// An index is kept as an expression as long as it is one.
  using Element = std::variant<TileValue, mlir::AffineExpr>;
  TileValue compute(mlir::Value tensor, const TilePlace &place);
  TileValue generic(mlir::linalg::GenericOp op, unsigned result, const TilePlace &place);
  TileValue reduce(mlir::linalg::GenericOp op, const TilePlace &place);
  TileValue dot(mlir::linalg::GenericOp op, const TilePlace &place);
  TileValue attention(AttentionOp op, const TilePlace &place);
  TileValue load(mlir::Value view, const TilePlace &place, std::optional<std::pair<unsigned, TileValue>> gathered);
  TileValue body(mlir::linalg::GenericOp op, mlir::Value yielded, const TilePlace &loops,
                 llvm::ArrayRef<TileValue> elements);
  Element evaluate(mlir::Operation *op, llvm::DenseMap<mlir::Value, Element> &values, const TilePlace &loops);
  TileValue extract(mlir::Value tensor, llvm::ArrayRef<Element> indices);
  TileValue tileOf(const Element &element);
  mlir::AffineExpr exprOf(const Element &element);
  TilePlace loopsAt(mlir::linalg::GenericOp op, unsigned result, const TilePlace &place);
  TilePlace sourcePlace(mlir::Value tensor, const TilePlace &place);
  /// The elements of an op's tensor operands at a point of its loops, the others' scalars splat; empty on failure.
  llvm::SmallVector<TileValue> elementsAt(mlir::linalg::GenericOp op, const TilePlace &loops);
  mlir::Value loopSize(mlir::linalg::GenericOp op, unsigned loop);
  llvm::SmallVector<unsigned> axesOf(mlir::AffineExpr expr) const;
  llvm::SmallVector<unsigned> axesOf(const TilePlace &place) const;
  mlir::RankedTensorType typeOf(llvm::ArrayRef<unsigned> of, mlir::Type element) const;
  mlir::Value scalar(mlir::Value outside);

  mlir::ImplicitLocOpBuilder &b;
  mlir::Operation *programs;
  const llvm::DenseMap<mlir::Value, mlir::Value> &arguments;
  llvm::SmallVector<Axis> axes;
  llvm::SmallVector<mlir::Value> dims;
  llvm::DenseMap<mlir::Value, mlir::Value> views, scalars;
  struct Computed {
    TilePlace place;
    TileValue value;
  };
  llvm::DenseMap<mlir::Value, llvm::SmallVector<Computed>> memo;
  std::string reason;
};

} // namespace tenon
