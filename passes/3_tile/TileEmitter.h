// Tiles of a kernel's tensors, as code: the one way from linalg on tensors to programs on tiles.
// A program computes its part of the results; it asks for a tensor at a place and gets the tile ops that compute it
// there from what lies in memory. A place is one affine expression a dimension over scalars (dims) and axes (symbols):
// where axis a occurs, the tile extends along it, from there on; elsewhere it is one element thick.
#pragma once

#include "dialects/Tenon/Tenon.h"
#include "dialects/Tile/Tile.h"
#include "lib/Analysis/UpdatedOperand.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <map>
#include <variant>
#include <vector>

namespace tenon {

using TilePlace = llvm::SmallVector<mlir::AffineExpr>;

/// A tile and the axes of its dimensions, in increasing order. Without axes it is of rank 0.
struct TileValue {
  mlir::Value tile;
  llvm::SmallVector<unsigned> axes;
  /// Where the tile reaches past the end of an axis's extent: what stands there, if that is known.
  enum class Outside { zero, lowest, highest };
  llvm::SmallVector<std::pair<unsigned, Outside>> outside = {};
  std::optional<Outside> outsideOf(unsigned axis) const {
    for (auto [known, what] : outside)
      if (known == axis)
        return what;
    return std::nullopt;
  }
  explicit operator bool() const { return bool(tile); }
};

/// A tensor that programs compute and the view that it goes to. Where data say at which place of the view, as in a
/// cache that is appended to, `steps` lead there, the outermost first: what it is put into, and as what shape.
struct TilePiece {
  mlir::Value tensor, view;
  llvm::SmallVector<mlir::Operation *> steps = {};
  /// Slices of the tensor go where data say, each by itself.
  std::optional<PlacedSlices> placed = std::nullopt;
};

/// Parts of one tensor, put together along some dimensions.
struct TilePieces {
  llvm::SmallVector<TilePiece> parts;
  llvm::SmallVector<int64_t> along;
};

/// The loop that a running sum is before it is tiles: a slice of `input` along `axis` a turn.
struct ScanLoop {
  mlir::Value input;
  int64_t axis;
};
std::optional<ScanLoop> matchScan(mlir::scf::ForOp loop);

class TileEmitter {
public:
  /// Code is built at `b`'s place; what programs share goes before `programs`, the op that holds them. `arguments` maps
  /// the arguments of the kernel's region to views.
  TileEmitter(mlir::ImplicitLocOpBuilder &b, mlir::Operation *programs,
              const llvm::DenseMap<mlir::Value, mlir::Value> &arguments)
      : b(b), programs(programs), arguments(arguments) {}

  void setPrograms(mlir::Operation *op) { programs = op; }
  /// What a counter of a loop of the kernel's region is in the program.
  void setCounter(mlir::Value counter, mlir::Value inProgram) { scalars[counter] = inProgram; }
  /// A new axis of that many elements: of a part of a dimension; of a whole one, which has `extent` of them; or of one
  /// that is walked through from `start` on, part by part.
  unsigned addAxis(int64_t size);
  unsigned addWholeAxis(int64_t size, int64_t extent);
  unsigned addWalkedAxis(int64_t size, int64_t extent, mlir::Value start, mlir::Value end);
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
  /// Rows in the order of tenon.pack_values.
  mlir::Value packed(mlir::Value tile);
  /// Zeros along the axes of a place.
  mlir::Value zeros(const TilePlace &place, mlir::Type element);
  void store(const TileValue &value, mlir::Value view, const TilePlace &place);
  /// Computes an attention that nothing is computed of at a place and stores it to its view; the logarithm of its sums
  /// too, where there is a view for that.
  void storeAttention(AttentionOp op, mlir::Value view, mlir::Value logSumExpView, const TilePlace &place);
  /// Computes the part of each result at a place of the total, and stores it to its view.
  void storeAttentionParts(AttentionPartsOp op, llvm::ArrayRef<mlir::Value> views, const TilePlace &place);

  mlir::OpFoldResult size(mlir::Value tensor, int64_t dimension);
  mlir::Value sizeValue(mlir::Value tensor, int64_t dimension);
  /// The view that has the tensor's elements, where it is an operand or made of one by slices, transposes and reshapes.
  mlir::Value viewOf(mlir::Value tensor);
  /// What programs compute in a yielded tensor's stead, and the views that it goes to: the parts that the tensor is put
  /// together of, or what it was before its shape changed.
  /// `isUpdate`: of a tensor that is an operand with parts put into it only those.
  TilePieces piecesOf(mlir::Value yielded, mlir::Value view, bool isUpdate = false);
  /// The view that a piece goes to, at the builder's place in a program.
  mlir::Value viewOfPiece(const TilePiece &piece);

  /// Elements that the depth of a matrix product and the keys of an attention are cut into.
  int64_t depthTile = 32, keyTile = 128;
  /// What a product adds up over so many elements of its depth is added to the sum by itself; 0: there is one sum.
  int64_t promotedDepth = 0;
  bool isSwapped = false; ///< a product's dot is the transposed one
  /// Of a product whose programs share sums: they differ in `program` along that axis of the grid alone, have parts of
  /// the depth, and finish `own` of the `all` elements along an axis of their tile; where that is the same axis, the
  /// last of them finishes the tile.
  struct SharedSums {
    int64_t parts;
    unsigned gridAxis;
    mlir::Value program;
    unsigned own, all;
  };
  std::optional<SharedSums> sharedSums;
  /// Of the one reduction that there is: programs that differ in `program` along that axis of the grid alone have parts
  /// of what is folded, and the last of them goes on with the fold of all.
  struct SharedFold {
    int64_t parts;
    unsigned gridAxis;
    mlir::Value program;
  };
  std::optional<SharedFold> sharedFold;
  tile::Maximum maximum = tile::Maximum::Lazy; ///< when an attention's sums are scaled anew
  /// The same for each loop that reduces; others have `reductionTile`.
  int64_t reductionTile = 128;
  llvm::DenseMap<std::pair<mlir::Operation *, unsigned>, int64_t> reductionTiles;
  /// Of a running sum along a dimension that is walked through: the sum so far, and with the part that is computed.
  struct Carried {
    mlir::Value before, after;
  };
  llvm::DenseMap<mlir::Operation *, Carried> carried;
  llvm::SmallVector<unsigned> axesOf(mlir::AffineExpr expr) const;
  llvm::StringRef error() const { return reason; }
  TileValue fail(const llvm::Twine &why);

private:
  struct Axis {
    int64_t size;
    int64_t extent;         ///< of the dimension, where programs go through all of it; may be dynamic
    mlir::AffineExpr start; ///< where the axis starts then; null for an axis of a part
    mlir::Value end;        ///< of a dynamic extent
    bool isPast = false;    ///< some parts begin behind the end
  };
  struct ViewParts {
    mlir::Value base, offset;
    llvm::SmallVector<mlir::Value> strides;
  };
  /// The view's dimension that data choose, and the tile of numbers, of one axis.
  using Gathered = std::optional<std::pair<unsigned, TileValue>>;
  /// An index is kept as an expression as long as it is one.
  using Element = std::variant<TileValue, mlir::AffineExpr>;
  TileValue compute(mlir::Value tensor, const TilePlace &place);
  TileValue generic(mlir::linalg::GenericOp op, unsigned result, const TilePlace &place);
  TileValue reduce(mlir::linalg::GenericOp op, const TilePlace &place);
  TileValue dot(mlir::linalg::GenericOp op, const TilePlace &place);
  TileValue attention(AttentionOp op, const TilePlace &place);
  bool isPlaceOfAttention(const TilePlace &place); ///< fails otherwise
  TileValue packing(PackValuesOp op, const TilePlace &place);
  /// Where what was stored is not finite: `redo` at the places of a few columns of the values after the others.
  void redoNonFinite(mlir::Value stored, mlir::Value numColumns, TilePlace place,
                     llvm::function_ref<void(const TilePlace &)> redo);
  TileValue insertion(mlir::tensor::InsertSliceOp op, const TilePlace &place);
  TileValue argument(mlir::linalg::GenericOp op, const TilePlace &place);
  TileValue scan(mlir::scf::ForOp loop, const TilePlace &place);
  TileValue scatter(mlir::scf::ForOp loop, const TilePlace &place);
  /// `pad`: what stands outside of the view; null: 0.
  TileValue load(mlir::Value view, const TilePlace &place, const Gathered &gathered, mlir::TypedAttr pad = {});
  TileValue body(mlir::linalg::GenericOp op, mlir::Value yielded, const TilePlace &loops,
                 llvm::ArrayRef<TileValue> elements);
  Element evaluate(mlir::Operation *op, llvm::DenseMap<mlir::Value, Element> &values, const TilePlace &loops);
  TileValue extract(mlir::Value tensor, llvm::ArrayRef<Element> indices);
  /// Quotients that are the same along a whole axis lose it.
  mlir::AffineExpr simplified(mlir::AffineExpr expr) const;
  /// Whether quotients of places along an axis are left, which no tile's places are, and such an index as a tile.
  bool hasQuotient(mlir::AffineExpr expr) const;
  TileValue quotientTile(mlir::AffineExpr expr);
  TileValue tileOf(const Element &element);
  mlir::AffineExpr exprOf(const Element &element);
  /// Loops over what a reduction has no axis for. `kept` are the result's axes.
  struct Reduction {
    llvm::SmallVector<unsigned> own;           ///< axes that are folded
    llvm::SmallVector<mlir::scf::ForOp> loops; ///< outermost first
    llvm::SmallVector<mlir::Value> values;     ///< carried through them, as the innermost sees them
  };
  /// `initial` goes through the loops along all axes; where there are folded ones a sum begins at zero instead.
  Reduction openReduction(mlir::linalg::GenericOp op, TilePlace &loops, llvm::ArrayRef<unsigned> kept,
                          llvm::ArrayRef<TileValue> initial, bool isSum);
  llvm::SmallVector<mlir::Value> closeReduction(Reduction &reduction, llvm::ArrayRef<mlir::Value> values);
  struct Walk {
    mlir::Value end; ///< of the loop
    mlir::AffineExpr start;
    bool isPast; ///< may begin behind the end of the dimension
  };
  Walk walkOf(int64_t size, mlir::Value end, int64_t turn);
  bool reachesPast(unsigned axis) const;
  /// What all programs have of the values of a shared fold, along an axis that is the reduction's then.
  llvm::SmallVector<mlir::Value> gathered(Reduction &reduction, llvm::ArrayRef<unsigned> kept,
                                          llvm::ArrayRef<mlir::Value> values);
  /// The extreme along the folded axes, and the least place that has it.
  std::pair<mlir::Value, mlir::Value> extremeOf(mlir::Value value, mlir::Value number, llvm::ArrayRef<unsigned> kept,
                                                llvm::ArrayRef<unsigned> gone, tile::Fold fold);
  /// The value where it is inside the folded axes, else what changes no such fold; along all the given axes.
  TileValue masked(TileValue value, llvm::ArrayRef<unsigned> all, llvm::ArrayRef<unsigned> folded, tile::Fold fold);
  TileValue folded(TileValue value, llvm::ArrayRef<unsigned> gone, tile::Fold fold);
  void loadForFold(mlir::linalg::GenericOp op, mlir::Value element, const TilePlace &loops, tile::Fold fold);
  TilePlace loopsAt(mlir::linalg::GenericOp op, unsigned result, const TilePlace &place);
  TilePlace sourcePlace(mlir::Value tensor, const TilePlace &place);
  /// The elements of an op's tensor operands at a point of its loops, the others' scalars splat; empty on failure.
  llvm::SmallVector<TileValue> elementsAt(mlir::linalg::GenericOp op, const TilePlace &loops);
  mlir::Value loopSize(mlir::linalg::GenericOp op, unsigned loop);
  llvm::SmallVector<unsigned> axesOf(const TilePlace &place) const;
  mlir::RankedTensorType typeOf(llvm::ArrayRef<unsigned> of, mlir::Type element) const;
  bool isShared(mlir::Value outside) const;
  mlir::Value scalar(mlir::Value outside);
  mlir::Value indexScalar(mlir::OpFoldResult mixed);
  ViewParts partsOf(mlir::Value view);
  std::pair<mlir::Value, TilePlace> withAxesLast(mlir::Value view, const TilePlace &place);
  mlir::Value joinedView(mlir::Value tensor, int64_t first, int64_t count);
  mlir::Value makeView(const ViewParts &parts, mlir::Value tensor);
  void moveInto(ViewParts &parts, mlir::tensor::InsertSliceOp insert);
  void moveThrough(ViewParts &parts, mlir::Operation *reshape);
  std::pair<mlir::Value, mlir::Value> throughReshapes(mlir::Value yielded, mlir::Value view);

  mlir::ImplicitLocOpBuilder &b;
  mlir::Operation *programs;
  const llvm::DenseMap<mlir::Value, mlir::Value> &arguments;
  llvm::SmallVector<Axis> axes;
  llvm::SmallVector<mlir::Value> dims;
  llvm::DenseMap<mlir::Value, mlir::Value> views, scalars;
  std::map<std::pair<void *, std::vector<int64_t>>, mlir::Value> permuted;
  mlir::Operation *lastScalar = nullptr; // that programs start with
  struct Computed {
    TilePlace place;
    TileValue value;
  };
  llvm::DenseMap<mlir::Value, llvm::SmallVector<Computed>> memo;
  std::string reason;
};

} // namespace tenon
