// A tenon.kernel says what is computed, as loops over whole tensors. A GPU computes it in many programs at once, each
// of them a part of the results: this pass decides which part, and writes the program as loads, stores and arithmetic
// of tiles (TileEmitter.h). Along the innermost dimension a program has a whole row where it is static and fits.
#include "lib/Analysis/ContractionKernel.h"
#include "lib/Analysis/KernelModule.h"
#include "lib/Analysis/TileBounds.h"
#include "lib/Analysis/UpdatedOperand.h"
#include "lib/Schedule/TileSchedule.h"
#include "passes/3_tile/JoinPrograms.h"
#include "passes/3_tile/Passes.h"
#include "passes/3_tile/ResultDimensions.h"
#include "passes/3_tile/TileEmitter.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/StringSet.h"

namespace tenon {
#define GEN_PASS_DEF_TILEKERNELSPASS
#include "passes/3_tile/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

namespace {
class ProgramBuilder {
public:
  ProgramBuilder(KernelOp kernel, ImplicitLocOpBuilder &b) : kernel(kernel), b(b) {}
  /// The tile.kernel at the builder's place; null, with a reason in `error`, where the kernel has no form on tiles.
  tile::KernelOp build();
  std::string error;

private:
  /// How a program goes along a dimension of the result: it has its own `size` elements of it, or all of them, at once
  /// or `size` after `size`.
  struct Dimension {
    int64_t size;
    enum { own, whole, walked } how;
  };
  /// By the schedule; empty, with the reason in `error`, where it is not of the kernel's kind.
  SmallVector<Dimension> dimensionsOf(ArrayRef<Value> tensors, const ResultDimensions &result);
  SmallVector<Dimension> rowDimensions(ArrayRef<int64_t> shape, tile::RowAttr row, const ResultDimensions &result);
  Value extentOf(const TilePieces &pieces, int64_t d, Dimension dimension, TileEmitter &emitter);
  void buildProgram(ArrayRef<TilePiece> pieces, ArrayRef<Dimension> dimensions, Block *program,
                    const ResultDimensions &result, TileEmitter &emitter);

  /// That the results' parts lie along: the columns of the dot.
  int64_t sharedDimension(int64_t rank) const { return isSwapped ? rank - 2 : rank - 1; }
  /// Its number along a dimension of the results. Programs of a sum whose last adds it up are far apart in the grid's
  /// order, so that those that run at the same time read the same parts of the operands.
  Value numberOf(Block *program, int64_t d) const { return program->getArgument(d + int64_t(isByLast)); }

  KernelOp kernel;
  ImplicitLocOpBuilder &b;
  int64_t sharedFolds = 1; ///< programs that share what a row kernel folds
  int64_t sharedParts = 1; ///< programs that share a product's sum
  bool isByLast = false;   ///< which the last of them adds up
  bool isSwapped = false;
  std::optional<PlacedSlices> placed; ///< of an update that is such
  SmallVector<Value> stateViews;      ///< of an attention's parts: maximum, sum, total
  Value logSumExpView;                ///< of an attention's second result
};
} // namespace

static ArrayRef<int64_t> shapeOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getShape(); }

/// The largest static size of dimension `d` of the tensors; dynamic where one is.
static int64_t largest(ArrayRef<Value> tensors, int64_t d) {
  int64_t size = 0;
  for (Value tensor : tensors)
    size = ShapedType::isDynamic(shapeOf(tensor)[d]) || ShapedType::isDynamic(size)
               ? ShapedType::kDynamic
               : std::max(size, shapeOf(tensor)[d]);
  return size;
}

/// Rows are places of the dimensions before the last, from the innermost on; where operands are neighbours along one of
/// them, that one comes first.
SmallVector<ProgramBuilder::Dimension> ProgramBuilder::rowDimensions(ArrayRef<int64_t> shape, tile::RowAttr row,
                                                                     const ResultDimensions &result) {
  int64_t rank = shape.size(), rows = row.getRows();
  SmallVector<Dimension> dimensions(rank, {1, Dimension::own});
  SmallVector<int64_t> order = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, rank)));
  if (int64_t first = result.transposed(); first >= 0)
    std::rotate(order.begin() + 1, llvm::find(order, first), llvm::find(order, first) + 1);
  for (int64_t d : order) {
    if (placed && placed->isPlaced(d))
      continue;
    bool isLast = d == rank - 1, isKnown = !ShapedType::isDynamic(shape[d]);
    int64_t most = isLast ? row.getColumns() : result.isFolded(d) ? row.getPart() : rows;
    int64_t needed = isKnown ? paddedTile(shape[d]) : most;
    if (result.isFolded(d)) {
      dimensions[d] = {std::min(needed, most), isKnown && needed <= most ? Dimension::whole : Dimension::walked};
      continue;
    }
    dimensions[d] = {std::min(needed, most), isKnown && needed <= most ? Dimension::whole : Dimension::own};
    if (!isLast)
      rows = std::max<int64_t>(1, rows / dimensions[d].size);
  }
  return dimensions;
}

/// Columns of values that a program of an attention has at once. Sums that are promoted take registers twice; programs
/// share wide values, and have the scores each for themselves.
static int64_t mostColumnsOf(KernelOp kernel) {
  constexpr int64_t mostPromoted = 128;
  auto attentions = kernel.getBlock().getOps<AttentionOp>();
  bool isPromoted = !attentions.empty() && (*attentions.begin()).getPacked();
  return isPromoted ? mostPromoted : std::numeric_limits<int64_t>::max();
}

SmallVector<ProgramBuilder::Dimension> ProgramBuilder::dimensionsOf(ArrayRef<Value> tensors,
                                                                    const ResultDimensions &result) {
  int64_t rank = shapeOf(tensors.front()).size();
  SmallVector<int64_t> shape;
  for (int64_t d = 0; d < rank; ++d)
    shape.push_back(largest(tensors, d));
  auto innermost = [&](int64_t rows, int64_t columns) {
    SmallVector<Dimension> dimensions(rank, {1, Dimension::own});
    for (auto [d, size] : {std::pair(rank - 2, rows), std::pair(rank - 1, columns)})
      if (d >= 0)
        dimensions[d] = {size,
                         !ShapedType::isDynamic(shape[d]) && shape[d] <= size ? Dimension::whole : Dimension::own};
    return dimensions;
  };
  Attribute schedule = kernel->getDiscardableAttr("tenon.schedule");
  bool isProduct = findProduct(kernel.getBlock()).has_value();
  bool isAttention =
      !kernel.getBlock().getOps<AttentionOp>().empty() || !kernel.getBlock().getOps<AttentionPartsOp>().empty();
  if (auto gemm = dyn_cast_or_null<tile::GemmAttr>(schedule); gemm && isProduct)
    return innermost(gemm.getRows() / gemm.getParts(), gemm.getColumns());
  if (auto attention = dyn_cast_or_null<tile::AttentionAttr>(schedule); attention && isAttention)
    return innermost(attention.getQueries(), std::min(paddedDepth(shape.back()), mostColumnsOf(kernel)));
  if (auto row = dyn_cast_or_null<tile::RowAttr>(schedule); row && !isProduct && !isAttention)
    return rowDimensions(shape, row, result);
  error = schedule ? "its schedule is not of its kind" : "it has no schedule";
  return {};
}

/// The number of programs along a dimension of the results. Parts that are put together along it differ in size, as
/// results may: each program has its share of every one, as far as it goes. Of sizes known only at run time the larger
/// is no expression over them, but their sum is enough.
Value ProgramBuilder::extentOf(const TilePieces &pieces, int64_t d, Dimension dimension, TileEmitter &emitter) {
  if (dimension.how != Dimension::own)
    return arith::ConstantIndexOp::create(b, 1);
  auto programs = [&](Value size) {
    return b.createOrFold<arith::CeilDivUIOp>(size, arith::ConstantIndexOp::create(b, dimension.size));
  };
  auto made = cast<tile::KernelOp>(b.getInsertionBlock()->getParentOp());
  // The least of two sizes, say, is no expression of a launch: there it is the size of the result.
  auto sizeOf = [&](const TilePiece &part) -> Value {
    Value size = emitter.sizeValue(part.tensor, d);
    if (!sizeExprOf(made, size) && isa<BlockArgument>(part.view))
      return tile::DimOp::create(b, part.view, d);
    return size;
  };
  Value first = sizeOf(pieces.parts.front());
  auto isAsFirst = [&](const TilePiece &part) { return sizeExprOf(made, sizeOf(part)) == sizeExprOf(made, first); };
  if (!llvm::is_contained(pieces.along, d) && llvm::all_of(pieces.parts, isAsFirst))
    return programs(first);
  int64_t known = 0;
  Value sum;
  for (const TilePiece &part : pieces.parts) {
    int64_t size = shapeOf(part.tensor)[d];
    if (!ShapedType::isDynamic(size)) {
      known = std::max(known, size);
      continue;
    }
    Value other = programs(sizeOf(part));
    sum = sum ? b.createOrFold<arith::AddIOp>(sum, other) : other;
  }
  Value most = programs(arith::ConstantIndexOp::create(b, known));
  return !sum ? most : known == 0 ? sum : b.createOrFold<arith::AddIOp>(sum, most);
}

void ProgramBuilder::buildProgram(ArrayRef<TilePiece> pieces, ArrayRef<Dimension> dimensions, Block *program,
                                  const ResultDimensions &result, TileEmitter &emitter) {
  int64_t rank = dimensions.size();
  // Parts of one size share an axis, and with it what is computed along it.
  DenseMap<std::pair<int64_t, int64_t>, AffineExpr> places;
  auto placeOf = [&](Value tensor, int64_t d) {
    int64_t known = shapeOf(tensor)[d];
    Dimension dimension = dimensions[d];
    bool isWhole = dimension.how == Dimension::whole;
    auto [entry, isNew] = places.try_emplace({d, isWhole ? known : 0});
    if (isNew) {
      AffineExpr first = isWhole ? emitter.constant(0) : emitter.dim(numberOf(program, d)) * dimension.size;
      if (sharedParts > 1 && d == sharedDimension(rank)) {
        unsigned axis = isByLast ? 0 : rank;
        Value part = program->getArgument(axis);
        int64_t size = dimension.size / sharedParts;
        unsigned own = isByLast ? 0 : emitter.addAxis(size);
        unsigned all = isWhole ? emitter.addWholeAxis(dimension.size, known) : emitter.addAxis(dimension.size);
        emitter.sharedSums = {sharedParts, axis, part, isByLast ? all : own, all};
        entry->second = isByLast ? first + emitter.axis(all) : first + emitter.dim(part) * size + emitter.axis(own);
      } else if (isWhole)
        entry->second =
            known == 1 && dimension.size == 1 ? first : emitter.axis(emitter.addWholeAxis(dimension.size, known));
      else
        entry->second = dimension.size == 1 ? first : first + emitter.axis(emitter.addAxis(dimension.size));
    }
    return entry->second;
  };
  SmallVector<int64_t> walked;
  for (int64_t d = 0; d < rank; ++d)
    if (dimensions[d].how == Dimension::walked)
      walked.push_back(d);
  TilePlace place(rank);
  for (int64_t d = 0; d < rank; ++d)
    if (!llvm::is_contained(walked, d))
      place[d] = placeOf(pieces.front().tensor, d);
  // Statistics come first: before the loop that goes through the row with them, and for their say in how it is read.
  for (Operation *op : result.ops()) {
    auto structured = dyn_cast<linalg::GenericOp>(op);
    if (!structured || op->getNumResults() != 1 || (walked.empty() && structured.getNumReductionLoops() == 0))
      continue;
    ArrayRef<int> known = result.of(op->getResult(0));
    auto isFixed = [&](int d) { return d >= 0 && !llvm::is_contained(walked, d); };
    if (llvm::all_of(known, isFixed) && known.size() == shapeOf(op->getResult(0)).size())
      emitter.at(op->getResult(0), llvm::map_to_vector(known, [&](int d) { return place[d]; }));
  }
  SmallVector<scf::ForOp> loops;
  SmallVector<ResultDimensions::RunningSum> sums;
  for (int64_t d : walked) {
    Value end = emitter.sizeValue(pieces.front().tensor, d);
    SmallVector<Value> initial;
    if (walked.size() == 1)
      for (ResultDimensions::RunningSum sum : result.runningSums())
        if (sum.along == d) {
          sums.push_back(sum);
          TilePlace others(place);
          others[d] = emitter.constant(0);
          Type element = cast<RankedTensorType>(sum.loop.getResult(1).getType()).getElementType();
          initial.push_back(emitter.zeros(others, element));
        }
    auto loop = scf::ForOp::create(b, arith::ConstantIndexOp::create(b, 0), end,
                                   arith::ConstantIndexOp::create(b, dimensions[d].size), initial);
    loops.push_back(loop);
    b.setInsertionPointToStart(loop.getBody());
    for (auto [sum, before] : llvm::zip(sums, loop.getRegionIterArgs()))
      emitter.carried[sum.loop] = {before, before};
    unsigned axis =
        emitter.addWalkedAxis(dimensions[d].size, shapeOf(pieces.front().tensor)[d], loop.getInductionVar(), end);
    place[d] = emitter.dim(loop.getInductionVar()) + emitter.axis(axis);
  }
  for (const TilePiece &piece : pieces) {
    Value tensor = piece.tensor;
    for (int64_t d = 0; placed && d < rank; ++d)
      if (scf::ForOp loop = placed->loopAlong(d))
        emitter.setCounter(loop.getInductionVar(), program->getArgument(d));
    for (int64_t d = 0; d < rank; ++d)
      if (!llvm::is_contained(walked, d))
        place[d] = placeOf(tensor, d);
    if (auto parts = tensor.getDefiningOp<AttentionPartsOp>()) {
      emitter.storeAttentionParts(parts, stateViews, place);
      continue;
    }
    if (auto attention = tensor.getDefiningOp<AttentionOp>()) {
      emitter.storeAttention(attention, piece.view, logSumExpView, place);
      continue;
    }
    if (TileValue value = emitter.at(tensor, place))
      emitter.store(value, emitter.viewOfPiece(piece), place);
  }
  if (!sums.empty())
    scf::YieldOp::create(b, llvm::map_to_vector(sums, [&](auto &sum) { return emitter.carried[sum.loop].after; }));
}

/// Why programs cannot have parts of what the kernel folds; empty where they can.
static std::string whyNotShared(const ResultDimensions &result, const TilePieces &pieces, ArrayRef<Value> extents) {
  if (result.reductions().size() != 1 || result.reductions()[0].along >= 0 || !result.runningSums().empty())
    return "it is no one fold along a dimension that is none of the result's";
  if (pieces.parts.size() != 1 || pieces.parts[0].placed)
    return "it has several results";
  int64_t programs = 1;
  for (Value extent : extents) {
    int64_t places = getConstantIntValue(extent).value_or(mostTilesByLast + 1);
    programs = std::min(programs * std::min(places, mostTilesByLast + 1), mostTilesByLast + 1);
  }
  return programs <= mostTilesByLast ? "" : "there are more than " + std::to_string(mostTilesByLast) + " results";
}

tile::KernelOp ProgramBuilder::build() {
  SmallVector<Type> types;
  auto viewOf = [&](Type type) -> Type {
    auto tensor = cast<RankedTensorType>(type);
    return tile::ViewType::get(b.getContext(), tensor.getShape(), tensor.getElementType());
  };
  for (Type type : llvm::concat<const Type>(kernel.getInputs().getTypes(), kernel.getResultTypes()))
    types.push_back(viewOf(type));
  auto made = tile::KernelOp::create(b, kernel.getKernelName(), b.getFunctionType(types, {}), ArrayAttr(), ArrayAttr());
  if (llvm::any_of(types, [](Type type) { return cast<tile::ViewType>(type).getElementType().isInteger(4); }))
    return error = "two elements share a byte", made;
  for (NamedAttribute attribute : kernel->getDiscardableAttrs())
    if (attribute.getName() != "tenon.result_shapes")
      made->setAttr(attribute.getName(), attribute.getValue());
  Block *block = b.createBlock(&made.getBody(), {}, types, SmallVector<Location>(types.size(), b.getLoc()));
  Operation *end = tile::EndOp::create(b);
  b.setInsertionPoint(end);
  DenseMap<Value, Value> arguments;
  for (auto [inner, view] : llvm::zip(kernel.getBody().getArguments(), block->getArguments()))
    arguments[inner] = view;

  TileEmitter emitter(b, end, arguments);
  TilePieces pieces;
  SmallVector<int64_t> updates;
  for (auto [value, view] : llvm::zip(kernel.getYielded(), block->getArguments().drop_front(kernel.getNumOperands()))) {
    std::optional<unsigned> updated = updatedOperand(kernel, updates.size());
    updates.push_back(updated ? int64_t(*updated) : -1);
    // The states of an attention's parts are stored together, by the programs of the largest.
    if (auto parts = value.getDefiningOp<AttentionPartsOp>()) {
      stateViews.push_back(view);
      if (value != parts.getTotal())
        continue;
    }
    TilePieces more = emitter.piecesOf(value, view, updated.has_value());
    // So is the second result of an attention, by the programs of the first.
    Value tensor = more.parts.front().tensor;
    if (auto attention = tensor.getDefiningOp<AttentionOp>(); attention && tensor == attention.getLse()) {
      logSumExpView = more.parts.front().view;
      continue;
    }
    if (more.parts.front().placed)
      placed = more.parts.front().placed;
    pieces.parts.append(more.parts);
    pieces.along.append(more.along);
  }
  if (placed && pieces.parts.size() > 1)
    return error = "it has other results than slices that go where data say", made;
  if (llvm::any_of(updates, [](int64_t operand) { return operand >= 0; }))
    made->setAttr(updatesAttrName, b.getDenseI64ArrayAttr(updates));
  auto tensors = llvm::map_to_vector(pieces.parts, [](const TilePiece &piece) { return piece.tensor; });
  bool isStored = llvm::any_of(tensors, [](Value tensor) { return bool(tensor.getDefiningOp<AttentionOp>()); });
  if (logSumExpView && !isStored)
    return error = "the log-sum-exp of an attention is yielded, and the attention is not", made;
  for (Value tensor : tensors)
    if (shapeOf(tensor).size() != shapeOf(tensors.front()).size())
      return error = "its results have different numbers of dimensions", made;
  ResultDimensions result(tensors);
  SmallVector<Dimension> dimensions = dimensionsOf(tensors, result);
  if (!error.empty())
    return made;
  Attribute schedule = kernel->getDiscardableAttr("tenon.schedule");
  auto gemm = dyn_cast_or_null<tile::GemmAttr>(schedule);
  if (gemm) {
    emitter.depthTile = gemm.getDepth();
    emitter.promotedDepth = gemm.getPromote();
    emitter.isSwapped = isSwapped = gemm.getSwapped();
    sharedParts = gemm.getJoinedParts();
    isByLast = gemm.getByLast();
    if (auto product = findProduct(kernel.getBlock()); product && product->blocks) {
      SmallVector<unsigned> loops;
      product->blocks.getReductionDims(loops);
      emitter.reductionTiles[{product->blocks, loops.front()}] = 1;
    }
  }
  if (auto attention = dyn_cast_or_null<tile::AttentionAttr>(schedule)) {
    emitter.keyTile = attention.getKeys();
    emitter.maximum = attention.getMaximum();
  }
  if (auto row = dyn_cast_or_null<tile::RowAttr>(schedule)) {
    emitter.reductionTile = row.getPart();
    sharedFolds = row.getSplits();
    for (const ResultDimensions::Reduction &reduction : result.reductions())
      if (reduction.along >= 0)
        emitter.reductionTiles[{reduction.op, reduction.loop}] = dimensions[reduction.along].size;
  }
  SmallVector<Value> extents;
  for (auto [d, dimension] : llvm::enumerate(dimensions))
    extents.push_back(extentOf(pieces, d, dimension, emitter));
  if (sharedFolds > 1) {
    if (std::string why = whyNotShared(result, pieces, extents); !why.empty())
      return error = "programs cannot share what it folds: " + why, made;
    extents.push_back(arith::ConstantIndexOp::create(b, sharedFolds)); // counts fastest: neighbours read neighbours
  }
  if (sharedParts > 1)
    extents.insert(isByLast ? extents.begin() : extents.end(), arith::ConstantIndexOp::create(b, sharedParts));
  if (!emitter.error().empty())
    return error = emitter.error().str(), made;
  if (llvm::any_of(extents, [&](Value extent) { return !sizeExprOf(made, extent); }))
    return error = "its number of programs is no expression of sizes", made;
  auto grid = tile::GridOp::create(b, extents);
  emitter.setPrograms(grid);
  Block *program = b.createBlock(&grid.getBody(), {}, SmallVector<Type>(extents.size(), b.getIndexType()),
                                 SmallVector<Location>(extents.size(), b.getLoc()));
  b.setInsertionPoint(tile::EndOp::create(b));
  if (sharedFolds > 1) {
    unsigned axis = extents.size() - 1;
    emitter.sharedFold = {sharedFolds, axis, program->getArgument(axis)};
  }
  buildProgram(pieces.parts, dimensions, program, result, emitter);
  error = emitter.error().str();
  if (error.empty() && gemm)
    joinLoops(grid);
  int64_t rows = int64_t(dimensions.size()) - 2;
  if (error.empty() && gemm && gemm.getParts() > 1 && rows >= 0 && dimensions[rows].how == Dimension::own &&
      failed(joinPrograms(grid, rows, gemm.getParts())))
    error = "its rows cannot be computed in parts";
  return made;
}

/// Kernels of one name are equal: they share a program. What has no form on tiles stays a tenon.kernel.
static LogicalResult tileKernels(ModuleOp module) {
  SmallVector<KernelOp> kernels = kernelsOf(module);
  if (kernels.empty())
    return success();
  FailureOr<ModuleOp> home = makeKernelModule(module);
  if (failed(home))
    return failure();
  llvm::StringMap<std::string> reasons; // why there is no program; empty where there is one
  for (KernelOp kernel : kernels) {
    auto [entry, isNew] = reasons.try_emplace(kernel.getKernelName());
    if (isNew) {
      ImplicitLocOpBuilder b(kernel.getLoc(), module.getContext());
      b.setInsertionPointToEnd(home->getBody());
      ProgramBuilder program(kernel, b);
      tile::KernelOp made;
      if (auto why = kernel->getAttrOfType<StringAttr>(generalAttrName))
        program.error = why.str();
      else
        made = program.build();
      auto options = remark::RemarkOpts::name("tiles").category("tenon-tile-kernels");
      entry->second = program.error;
      if (program.error.empty()) {
        remark::passed(kernel.getLoc(), options) << ("@" + kernel.getKernelName() + " became a program on tiles").str();
      } else {
        remark::missed(kernel.getLoc(), options)
            << ("@" + kernel.getKernelName() + " has no program on tiles: " + program.error).str();
        if (made)
          made.erase();
      }
    }
    if (entry->second.empty())
      replaceByLaunch(kernel, kernel.getKernelName().str());
    else
      kernel->setAttr(noProgramAttribute, StringAttr::get(module.getContext(), entry->second));
  }
  return success();
}

namespace {
struct TileKernels : tenon::impl::TileKernelsPassBase<TileKernels> {
  void runOnOperation() override {
    if (failed(tileKernels(getOperation())))
      signalPassFailure();
  }
};
} // namespace
