#include "lib/Reference/TileInterpreter.h"

#include "lib/Reference/TileScalars.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <map>
#include <numeric>

using namespace mlir;

namespace tenon {
namespace {

/// Where a view's elements lie: in which argument, and at which distances.
struct PlacedView {
  size_t argument = 0;
  int64_t offset = 0;
  ReferenceShape shape, strides;

  /// The element's place, or none outside of the view.
  std::optional<int64_t> place(ArrayRef<int64_t> index) const {
    int64_t at = offset;
    for (auto [d, i] : llvm::enumerate(index)) {
      if (i < 0 || i >= shape[d])
        return std::nullopt;
      at += i * strides[d];
    }
    return at;
  }
};

class Interpreter {
public:
  explicit Interpreter(MutableArrayRef<ReferenceTensor> memory) : memory(memory) {}
  LogicalResult run(tile::KernelOp kernel);

private:
  LogicalResult runBlock(Block &block);
  LogicalResult runOp(Operation *op);
  LogicalResult runGrid(tile::GridOp grid);
  void runPrograms(tile::GridOp grid, LogicalResult &result);
  std::optional<ReferenceTensor> sumOfPrograms(Value tile, int64_t axis);
  LogicalResult runFor(scf::ForOp loop);
  LogicalResult runIf(scf::IfOp branch);
  LogicalResult runUnlikely(tile::UnlikelyOp op);
  LogicalResult runRedo(tile::RedoOp op);
  LogicalResult load(tile::LoadOp op);
  LogicalResult store(tile::StoreOp op);
  LogicalResult gather(tile::GatherOp op);
  LogicalResult elementwise(Operation *op);
  LogicalResult reduceToLast(tile::ReduceToLastOp op);
  LogicalResult gatherToLast(tile::GatherToLastOp op);
  LogicalResult reduceScatter(tile::ReduceScatterOp op);
  void dot(tile::DotOp op);
  void fold(Value from, Value to, int64_t axis, tile::Fold kind, bool isRunning);
  void strided(tile::StridedOp op);

  /// A result of the value's type: tiles as they are, scalars of rank 0.
  ReferenceTensor fresh(Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type ? ReferenceTensor(type.getElementType(), type.getShape()) : ReferenceTensor(value.getType(), {});
  }
  void set(Value value, ReferenceTensor tensor) {
    if (!tensor.elementType.isIndex())
      tensor.isFloat() ? tensor.roundToStorage() : tensor.wrapIntegers();
    tiles[value] = std::move(tensor);
  }
  int64_t index(Value value) { return tiles[value].integers[0]; }
  SmallVector<int64_t> indices(ValueRange values) {
    return llvm::map_to_vector(values, [&](Value value) { return index(value); });
  }
  /// `to[i] = element(i)` for every index, from any tensor's place.
  void fill(Value to, llvm::function_ref<std::pair<const ReferenceTensor *, int64_t>(ArrayRef<int64_t>)> element);

  MutableArrayRef<ReferenceTensor> memory;
  DenseMap<Value, ReferenceTensor> tiles;
  DenseMap<Value, PlacedView> views;
  SmallVector<int64_t> program; ///< the one that runs
  bool hasEnded = false;        ///< before its end
  /// Of programs that share a sum the tiles, in their order: they run a first time as far as these.
  std::map<std::vector<int64_t>, std::vector<ReferenceTensor>> shared;
  bool isFirstTime = false;
};

void copyElement(const ReferenceTensor &from, int64_t at, ReferenceTensor &to, int64_t place) {
  if (from.isFloat())
    to.floats[place] = from.floats[at];
  else
    to.integers[place] = from.integers[at];
}

void Interpreter::fill(Value to,
                       llvm::function_ref<std::pair<const ReferenceTensor *, int64_t>(ArrayRef<int64_t>)> element) {
  ReferenceTensor result = fresh(to);
  forEachIndex(result.shape, [&](ArrayRef<int64_t> index, int64_t place) {
    auto [from, at] = element(index);
    copyElement(*from, at, result, place);
  });
  set(to, std::move(result));
}

LogicalResult Interpreter::run(tile::KernelOp kernel) {
  if (memory.size() != kernel.getNumArguments())
    return kernel.emitOpError("is given ") << memory.size() << " arguments, expected " << kernel.getNumArguments();
  for (auto [number, argument] : llvm::enumerate(kernel.getArguments())) {
    auto type = cast<tile::ViewType>(argument.getType());
    const ReferenceTensor &given = memory[number];
    bool fits = given.elementType == type.getElementType() && given.rank() == type.getRank();
    for (int64_t d = 0; fits && d < type.getRank(); ++d)
      fits = type.isDynamicDim(d) || type.getShape()[d] == given.shape[d];
    if (!fits)
      return kernel.emitOpError("argument ") << number << " is given a tensor that does not fit " << type;
    views[argument] = {number, 0, given.shape, stridesOf(given.shape)};
  }
  return runBlock(kernel.getBody().front());
}

LogicalResult Interpreter::runBlock(Block &block) {
  for (Operation &op : block.without_terminator()) {
    if (failed(runOp(&op)))
      return failure();
    if (hasEnded)
      break;
  }
  return success();
}

LogicalResult Interpreter::runOp(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](tile::GridOp grid) { return runGrid(grid); })
      .Case([&](scf::ForOp loop) { return runFor(loop); })
      .Case([&](scf::IfOp branch) { return runIf(branch); })
      .Case([&](tile::UnlikelyOp unlikely) { return runUnlikely(unlikely); })
      .Case([&](tile::RedoOp redo) { return runRedo(redo); })
      .Case([&](tile::LoadOp load) { return this->load(load); })
      .Case([&](tile::StoreOp store) { return this->store(store); })
      .Case([&](tile::GatherOp gather) { return this->gather(gather); })
      .Case([&](tile::ReduceToLastOp reduce) { return reduceToLast(reduce); })
      .Case([&](tile::GatherToLastOp gather) { return gatherToLast(gather); })
      .Case([&](tile::ReduceScatterOp reduce) { return reduceScatter(reduce); })
      .Case([&](tile::StridedOp view) { return strided(view), success(); })
      .Case([&](tile::DotOp product) { return dot(product), success(); })
      .Case([&](tile::ReduceOp reduce) {
        return fold(reduce.getTile(), reduce.getResult(), reduce.getAxis(), reduce.getFold(), false), success();
      })
      .Case([&](tile::AnyOp any) {
        ReferenceTensor holds = fresh(any.getResult());
        holds.integers[0] = llvm::any_of(tiles[any.getTile()].integers, [](int64_t element) { return element != 0; });
        return set(any.getResult(), std::move(holds)), success();
      })
      .Case([&](tile::ScanOp scan) {
        return fold(scan.getTile(), scan.getResult(), scan.getAxis(), scan.getFold(), true), success();
      })
      .Case([&](tile::DimOp dim) {
        ReferenceTensor size = fresh(dim.getResult());
        size.integers[0] = views[dim.getView()].shape[dim.getAxis()];
        return set(dim.getResult(), size), success();
      })
      .Case([&](tile::IotaOp iota) {
        ReferenceTensor result = fresh(iota.getResult());
        forEachIndex(result.shape,
                     [&](ArrayRef<int64_t> index, int64_t place) { result.integers[place] = index[iota.getAxis()]; });
        return set(iota.getResult(), std::move(result)), success();
      })
      .Case([&](tile::BroadcastOp broadcast) {
        const ReferenceTensor from = tiles[broadcast.getTile()];
        ReferenceShape strides = stridesOf(from.shape);
        fill(broadcast.getResult(), [&](ArrayRef<int64_t> index) {
          int64_t at = 0;
          for (auto [d, target] : llvm::enumerate(broadcast.getDims()))
            at += index[target] * strides[d];
          return std::pair(&from, at);
        });
        return success();
      })
      .Case([&](tile::JoinOp join) {
        auto tileOf = [&](unsigned number) -> const ReferenceTensor & { return tiles[join.getTiles()[number]]; };
        fill(join.getResult(), [&](ArrayRef<int64_t> index) {
          ReferenceShape at(index);
          unsigned number = 0;
          while (at[join.getAxis()] >= tileOf(number).shape[join.getAxis()])
            at[join.getAxis()] -= tileOf(number++).shape[join.getAxis()];
          ReferenceShape strides = stridesOf(tileOf(number).shape);
          return std::pair(&tileOf(number), std::inner_product(at.begin(), at.end(), strides.begin(), int64_t(0)));
        });
        return success();
      })
      .Case([&](tile::TransOp trans) {
        const ReferenceTensor from = tiles[trans.getTile()];
        ReferenceShape strides = stridesOf(from.shape);
        fill(trans.getResult(), [&](ArrayRef<int64_t> index) {
          int64_t at = 0;
          for (auto [d, source] : llvm::enumerate(trans.getPermutation()))
            at += index[d] * strides[source];
          return std::pair(&from, at);
        });
        return success();
      })
      .Case([&](tile::ReshapeOp reshape) {
        ReferenceTensor result = tiles[reshape.getTile()];
        result.shape = ReferenceShape(reshape.getResult().getType().getShape());
        return set(reshape.getResult(), std::move(result)), success();
      })
      .Case([&](tensor::SplatOp splat) {
        const ReferenceTensor from = tiles[splat.getInput()];
        fill(splat.getResult(), [&](ArrayRef<int64_t>) { return std::pair(&from, int64_t(0)); });
        return success();
      })
      .Case([&](tensor::ExtractOp extract) {
        const ReferenceTensor from = tiles[extract.getTensor()];
        ReferenceShape strides = stridesOf(from.shape);
        int64_t at = 0;
        for (auto [d, place] : llvm::enumerate(extract.getIndices()))
          at += index(place) * strides[d];
        fill(extract.getResult(), [&](ArrayRef<int64_t>) { return std::pair(&from, at); });
        return success();
      })
      .Case([&](affine::AffineApplyOp apply) {
        SmallVector<Attribute> operands, results;
        for (Value operand : apply.getMapOperands())
          operands.push_back(IntegerAttr::get(IndexType::get(apply.getContext()), index(operand)));
        if (failed(apply.getAffineMap().constantFold(operands, results)))
          return failure();
        ReferenceTensor value = fresh(apply.getResult());
        value.integers[0] = cast<IntegerAttr>(results.front()).getInt();
        return set(apply.getResult(), value), success();
      })
      .Default([&](Operation *other) { return elementwise(other); });
}

void Interpreter::runPrograms(tile::GridOp grid, LogicalResult &result) {
  SmallVector<int64_t> extents = indices(grid.getExtents());
  forEachIndex(extents, [&](ArrayRef<int64_t> point, int64_t) {
    if (failed(result))
      return;
    for (auto [argument, place] : llvm::zip_equal(grid.getBody().getArguments(), point)) {
      ReferenceTensor value = fresh(argument);
      value.integers[0] = place;
      set(argument, value);
    }
    program.assign(point.begin(), point.end());
    result = runBlock(grid.getBody().front());
    hasEnded = false;
  });
}

LogicalResult Interpreter::runGrid(tile::GridOp grid) {
  LogicalResult result = success();
  shared.clear();
  isFirstTime = llvm::any_of(grid.getBody().getOps(), [](Operation &op) {
    return isa<tile::ReduceScatterOp, tile::ReduceToLastOp, tile::GatherToLastOp>(op);
  });
  if (isFirstTime)
    runPrograms(grid, result);
  isFirstTime = false;
  runPrograms(grid, result);
  return result;
}

/// The sum of the tiles of all programs that differ along the axis alone; none, and the program ends, the first time.
std::optional<ReferenceTensor> Interpreter::sumOfPrograms(Value tile, int64_t axis) {
  std::vector<int64_t> others(program.begin(), program.end());
  others[axis] = 0;
  std::vector<ReferenceTensor> &parts = shared[others];
  if (isFirstTime) {
    parts.push_back(tiles[tile]);
    hasEnded = true;
    return std::nullopt;
  }
  ReferenceTensor sum = parts.front();
  for (const ReferenceTensor &part : llvm::drop_begin(parts)) {
    for (auto [to, from] : llvm::zip(sum.floats, part.floats))
      to += from;
    for (auto [to, from] : llvm::zip(sum.integers, part.integers))
      to += from;
  }
  return sum;
}

LogicalResult Interpreter::reduceToLast(tile::ReduceToLastOp op) {
  std::optional<ReferenceTensor> sum = sumOfPrograms(op.getTile(), op.getAxis());
  bool isLast = program[op.getAxis()] + 1 == op.getParts();
  hasEnded |= !isLast;
  if (sum && isLast)
    set(op.getResult(), std::move(*sum));
  return success();
}

/// The first time each program leaves its tiles, the second the last one takes all.
LogicalResult Interpreter::gatherToLast(tile::GatherToLastOp op) {
  int64_t axis = op.getAxis(), count = op.getTiles().size();
  std::vector<int64_t> others(program.begin(), program.end());
  others[axis] = 0;
  std::vector<ReferenceTensor> &parts = shared[others];
  hasEnded = isFirstTime || program[axis] + 1 != op.getParts();
  if (isFirstTime)
    for (Value tile : op.getTiles())
      parts.push_back(tiles[tile]);
  if (hasEnded)
    return success();
  for (int64_t number = 0; number < count; ++number)
    fill(op.getResults()[number], [&](ArrayRef<int64_t> index) {
      const ReferenceTensor &part = parts[index.back() * count + number];
      ReferenceShape strides = stridesOf(part.shape);
      int64_t at = 0;
      for (auto [d, i] : llvm::enumerate(index.drop_back()))
        at += i * strides[d];
      return std::pair<const ReferenceTensor *, int64_t>(&part, at);
    });
  return success();
}

LogicalResult Interpreter::reduceScatter(tile::ReduceScatterOp op) {
  std::optional<ReferenceTensor> sum = sumOfPrograms(op.getTile(), op.getAxis());
  if (!sum)
    return success();
  int64_t dimension = op.getDimension(), first = program[op.getAxis()] * op.getResult().getType().getDimSize(dimension);
  ReferenceShape strides = stridesOf(sum->shape);
  fill(op.getResult(), [&](ArrayRef<int64_t> index) {
    int64_t at = first * strides[dimension];
    for (auto [d, i] : llvm::enumerate(index))
      at += i * strides[d];
    return std::pair<const ReferenceTensor *, int64_t>(&*sum, at);
  });
  return success();
}

LogicalResult Interpreter::runFor(scf::ForOp loop) {
  SmallVector<ReferenceTensor> carried;
  for (Value init : loop.getInitArgs())
    carried.push_back(tiles[init]);
  int64_t last = index(loop.getUpperBound()), step = index(loop.getStep());
  if (step <= 0)
    return loop.emitOpError("steps by ") << step << ", expected more than 0";
  for (int64_t at = index(loop.getLowerBound()); at < last; at += step) {
    ReferenceTensor turn = fresh(loop.getInductionVar());
    turn.integers[0] = at;
    set(loop.getInductionVar(), turn);
    for (auto [argument, value] : llvm::zip_equal(loop.getRegionIterArgs(), carried))
      tiles[argument] = value;
    if (failed(runBlock(*loop.getBody())))
      return failure();
    for (auto [value, yielded] : llvm::zip_equal(carried, loop.getBody()->getTerminator()->getOperands()))
      value = tiles[yielded];
  }
  for (auto [result, value] : llvm::zip_equal(loop.getResults(), carried))
    tiles[result] = value;
  return success();
}

LogicalResult Interpreter::runIf(scf::IfOp branch) {
  Block *block = index(branch.getCondition()) ? branch.thenBlock() : branch.elseBlock();
  if (!block)
    return success();
  if (failed(runBlock(*block)))
    return failure();
  for (auto [result, yielded] : llvm::zip_equal(branch.getResults(), block->getTerminator()->getOperands()))
    tiles[result] = ReferenceTensor(tiles[yielded]);
  return success();
}

/// The tile is one part.
LogicalResult Interpreter::runUnlikely(tile::UnlikelyOp op) {
  ValueRange taken = op.getOtherwise();
  if (llvm::any_of(tiles[op.getCondition()].integers, [](int64_t holds) { return holds != 0; })) {
    if (failed(runBlock(op.getBody().front())))
      return failure();
    taken = op.getBody().front().getTerminator()->getOperands();
  }
  for (auto [result, value] : llvm::zip_equal(op.getResults(), taken))
    tiles[result] = ReferenceTensor(tiles[value]);
  return success();
}

LogicalResult Interpreter::runRedo(tile::RedoOp op) {
  if (llvm::any_of(tiles[op.getCondition()].integers, [](int64_t holds) { return holds != 0; }))
    for (Operation &inner : op.getBody().front())
      if (failed(runOp(&inner)))
        return failure();
  return success();
}

void Interpreter::strided(tile::StridedOp op) {
  PlacedView base = views[op.getBase()];
  views[op.getResult()] = {base.argument, base.offset + index(op.getOffset()), ReferenceShape(indices(op.getSizes())),
                           ReferenceShape(indices(op.getStrides()))};
}

/// The index in a view of a tile's element.
static SmallVector<int64_t> viewIndex(ArrayRef<int64_t> place, ArrayRef<int64_t> index) {
  SmallVector<int64_t> at(place);
  for (auto [d, i] : llvm::enumerate(index))
    at[place.size() - index.size() + d] += i;
  return at;
}

/// Elements of a view's memory have to be there, whatever the view says.
static LogicalResult checkPlace(Operation *op, const ReferenceTensor &memory, int64_t place) {
  if (place >= 0 && place < memory.size())
    return success();
  return op->emitOpError("reaches element ") << place << " of a tensor of " << memory.size();
}

LogicalResult Interpreter::load(tile::LoadOp op) {
  const PlacedView &view = views[op.getView()];
  SmallVector<int64_t> place = indices(op.getPlace());
  ReferenceTensor result = fresh(op.getResult());
  LogicalResult good = success();
  forEachIndex(result.shape, [&](ArrayRef<int64_t> index, int64_t to) {
    if (std::optional<int64_t> at = view.place(viewIndex(place, index))) {
      good = failed(good) ? good : checkPlace(op, memory[view.argument], *at);
      if (succeeded(good))
        copyElement(memory[view.argument], *at, result, to);
    } else if (auto pad = dyn_cast_or_null<FloatAttr>(op.getPadAttr())) {
      result.floats[to] = pad.getValueAsDouble();
    } else if (auto pad = dyn_cast_or_null<IntegerAttr>(op.getPadAttr())) {
      result.integers[to] = pad.getInt();
    }
  });
  set(op.getResult(), std::move(result));
  return good;
}

LogicalResult Interpreter::store(tile::StoreOp op) {
  const PlacedView &view = views[op.getView()];
  SmallVector<int64_t> place = indices(op.getPlace());
  const ReferenceTensor &tile = tiles[op.getTile()];
  LogicalResult good = success();
  forEachIndex(tile.shape, [&](ArrayRef<int64_t> index, int64_t from) {
    std::optional<int64_t> at = view.place(viewIndex(place, index));
    if (!at || failed(good))
      return;
    good = checkPlace(op, memory[view.argument], *at);
    if (succeeded(good))
      copyElement(tile, from, memory[view.argument], *at);
  });
  return good;
}

LogicalResult Interpreter::gather(tile::GatherOp op) {
  const PlacedView &view = views[op.getView()];
  SmallVector<int64_t> place = indices(op.getPlace());
  const ReferenceTensor rows = tiles[op.getRows()];
  ReferenceTensor result = fresh(op.getResult());
  size_t along = op.getAxis() - (place.size() - result.shape.size());
  LogicalResult good = success();
  forEachIndex(result.shape, [&](ArrayRef<int64_t> index, int64_t to) {
    SmallVector<int64_t> from = viewIndex(place, index);
    from[op.getAxis()] = rows.integers[index[along]];
    std::optional<int64_t> at = view.place(from);
    if (!at || failed(good))
      return;
    good = checkPlace(op, memory[view.argument], *at);
    if (succeeded(good))
      copyElement(memory[view.argument], *at, result, to);
  });
  set(op.getResult(), std::move(result));
  return good;
}

void Interpreter::dot(tile::DotOp op) {
  const ReferenceTensor lhs = tiles[op.getLhs()], rhs = tiles[op.getRhs()];
  ReferenceTensor sum = tiles[op.getAccumulator()];
  int64_t m = sum.shape[0], n = sum.shape[1], k = lhs.shape[op.getTransposeA() ? 0 : 1];
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j)
      for (int64_t l = 0; l < k; ++l) {
        int64_t a = op.getTransposeA() ? l * m + i : i * k + l, b = op.getTransposeB() ? j * k + l : l * n + j;
        if (sum.isFloat())
          sum.floats[i * n + j] += lhs.floats[a] * rhs.floats[b];
        else
          sum.integers[i * n + j] += lhs.integers[a] * rhs.integers[b];
      }
  set(op.getResult(), std::move(sum));
}

void Interpreter::fold(Value from, Value to, int64_t axis, tile::Fold kind, bool isRunning) {
  const ReferenceTensor source = tiles[from];
  ReferenceTensor result = fresh(to);
  ReferenceShape strides = stridesOf(result.shape);
  auto combine = [&](int64_t place, int64_t at, bool isFirst) {
    if (source.isFloat()) {
      double &sum = result.floats[place], x = source.floats[at];
      bool takes = kind == tile::Fold::max ? x > sum : x < sum;
      sum = isFirst ? x : kind == tile::Fold::add ? sum + x : std::isnan(sum) || (!takes && !std::isnan(x)) ? sum : x;
    } else {
      int64_t &sum = result.integers[place], x = source.integers[at];
      sum = isFirst                   ? x
            : kind == tile::Fold::add ? sum + x
            : kind == tile::Fold::max ? std::max(sum, x)
                                      : std::min(sum, x);
    }
  };
  forEachIndex(source.shape, [&](ArrayRef<int64_t> index, int64_t at) {
    SmallVector<int64_t> kept(index);
    if (!isRunning)
      kept.erase(kept.begin() + axis);
    int64_t place = 0;
    for (auto [d, i] : llvm::enumerate(kept))
      place += i * strides[d];
    if (isRunning && index[axis] > 0) {
      if (result.isFloat())
        result.floats[place] = result.floats[place - strides[axis]];
      else
        result.integers[place] = result.integers[place - strides[axis]];
    }
    combine(place, at, index[axis] == 0);
  });
  set(to, std::move(result));
}

LogicalResult Interpreter::elementwise(Operation *op) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    ReferenceTensor result = fresh(constant.getResult());
    auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
    for (int64_t place = 0; place < result.size(); ++place) {
      Attribute value = elements ? *(elements.value_begin<Attribute>() + place) : Attribute(constant.getValue());
      if (auto real = dyn_cast<FloatAttr>(value))
        result.floats[place] = real.getValueAsDouble();
      else
        result.integers[place] = cast<IntegerAttr>(value).getType().isInteger(1)
                                     ? int64_t(cast<IntegerAttr>(value).getValue().getZExtValue())
                                     : cast<IntegerAttr>(value).getInt();
    }
    set(constant.getResult(), std::move(result));
    return success();
  }
  if (op->getNumResults() != 1 || op->getNumRegions() != 0)
    return op->emitOpError("is not known to the interpreter of tiles");
  ReferenceTensor result = fresh(op->getResult(0));
  SmallVector<const ReferenceTensor *> operands;
  for (Value operand : op->getOperands())
    operands.push_back(&tiles[operand]);
  SmallVector<TileScalar> elements(operands.size());
  for (int64_t place = 0; place < result.size(); ++place) {
    for (auto [element, operand] : llvm::zip_equal(elements, operands)) {
      int64_t at = operand->size() == 1 ? 0 : place; // arith.select takes one condition for all
      element = operand->isFloat() ? TileScalar{operand->floats[at], 0} : TileScalar{0, operand->integers[at]};
    }
    std::optional<TileScalar> value = evaluateScalar(op, elements);
    if (!value)
      return op->emitOpError("is not known to the interpreter of tiles");
    if (result.isFloat())
      result.floats[place] = value->real;
    else
      result.integers[place] = value->integer;
  }
  set(op->getResult(0), std::move(result));
  return success();
}

} // namespace

LogicalResult runTileKernel(tile::KernelOp kernel, MutableArrayRef<ReferenceTensor> arguments) {
  return Interpreter(arguments).run(kernel);
}

} // namespace tenon
