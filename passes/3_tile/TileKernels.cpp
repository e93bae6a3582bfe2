// A tenon.kernel says what is computed, as loops over whole tensors. A GPU computes it in many programs at once, each
// of them a part of the results: this pass decides which part, and writes the program as loads, stores and arithmetic
// of tiles (TileEmitter.h). Along the innermost dimension a program has a whole row where it is static and fits.
#include "lib/Analysis/ContractionKernel.h"
#include "lib/Analysis/KernelModule.h"
#include "passes/3_tile/Passes.h"
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
  /// How many elements a program has along each dimension of the results, by the schedule; 1: one, by its number.
  /// Empty, with the reason in `error`, where the schedule is not of the kernel's kind.
  SmallVector<int64_t> tileOf(RankedTensorType type);
  /// The tensor that programs compute a part of, and where it goes: the yielded one, or what it was before its
  /// dimensions were split, or the attention behind transposes and joins, then with the view of the result that has its
  /// shape.
  std::pair<Value, Value> partOf(Value yielded, Value view, TileEmitter &emitter);
  KernelOp kernel;
  ImplicitLocOpBuilder &b;
};
} // namespace

SmallVector<int64_t> ProgramBuilder::tileOf(RankedTensorType type) {
  int64_t rank = type.getRank();
  SmallVector<int64_t> tile(rank, 1);
  auto innermost = [&](int64_t rows, int64_t columns) {
    if (rank >= 2)
      tile[rank - 2] = rows;
    if (rank >= 1)
      tile[rank - 1] = columns;
    return tile;
  };
  Attribute schedule = kernel->getDiscardableAttr("tenon.schedule");
  bool isProduct = findContraction(kernel.getBlock()).has_value();
  bool isAttention = !kernel.getBlock().getOps<AttentionOp>().empty();
  if (auto gemm = dyn_cast_or_null<tile::GemmAttr>(schedule); gemm && isProduct)
    return innermost(gemm.getRows(), gemm.getColumns());
  if (auto attention = dyn_cast_or_null<tile::AttentionAttr>(schedule); attention && isAttention)
    return innermost(attention.getQueries(), std::max<int64_t>(1, type.getShape().back()));
  if (auto row = dyn_cast_or_null<tile::RowAttr>(schedule); row && !isProduct && !isAttention)
    return innermost(row.getRows(), row.getColumns());
  error = schedule ? "its schedule is not of its kind" : "it has no schedule";
  return {};
}

std::pair<Value, Value> ProgramBuilder::partOf(Value yielded, Value view, TileEmitter &emitter) {
  SmallVector<Operation *> joins;
  Value tensor = yielded;
  while (isa_and_nonnull<linalg::TransposeOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::CastOp>(
      tensor.getDefiningOp())) {
    joins.push_back(tensor.getDefiningOp());
    tensor = tensor.getDefiningOp()->getOperand(0);
  }
  // Without an attention behind them, only dimensions that were one all along are seen through.
  if (!tensor.getDefiningOp<AttentionOp>()) {
    tensor = yielded;
    joins.clear();
    while (auto expand = tensor.getDefiningOp<tensor::ExpandShapeOp>()) {
      joins.push_back(expand);
      tensor = expand.getSrc();
    }
  }
  if (joins.empty())
    return {yielded, view};
  // Distances of the yielded tensor's dimensions, then back through the joins.
  auto rankOf = [](Value value) { return cast<RankedTensorType>(value.getType()).getRank(); };
  SmallVector<Value> strides(rankOf(yielded));
  Value stride = arith::ConstantIndexOp::create(b, 1);
  for (int64_t d = rankOf(yielded) - 1; d >= 0; --d) {
    strides[d] = stride;
    stride = b.createOrFold<arith::MulIOp>(stride, emitter.sizeValue(yielded, d));
  }
  for (Operation *join : joins) {
    SmallVector<Value> before(rankOf(join->getOperand(0)));
    if (auto transpose = dyn_cast<linalg::TransposeOp>(join)) {
      for (auto [to, from] : llvm::enumerate(transpose.getPermutation()))
        before[from] = strides[to];
    } else if (auto expand = dyn_cast<tensor::ExpandShapeOp>(join)) {
      for (auto [from, group] : llvm::enumerate(expand.getReassociationIndices()))
        before[from] = strides[group.back()];
    } else if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(join)) {
      for (auto [to, group] : llvm::enumerate(collapse.getReassociationIndices())) {
        Value inner = strides[to];
        for (int64_t from : llvm::reverse(group)) {
          before[from] = inner;
          inner = b.createOrFold<arith::MulIOp>(inner, emitter.sizeValue(collapse.getSrc(), from));
        }
      }
    } else {
      before = strides;
    }
    strides = before;
  }
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<Value> sizes;
  for (int64_t d = 0; d < type.getRank(); ++d)
    sizes.push_back(emitter.sizeValue(tensor, d));
  auto viewType = tile::ViewType::get(b.getContext(), type.getShape(), type.getElementType());
  return {tensor, tile::StridedOp::create(b, viewType, view, arith::ConstantIndexOp::create(b, 0), sizes, strides)};
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
  Attribute schedule = kernel->getDiscardableAttr("tenon.schedule");
  if (auto gemm = dyn_cast_or_null<tile::GemmAttr>(schedule))
    emitter.depthTile = gemm.getDepth();
  if (auto attention = dyn_cast_or_null<tile::AttentionAttr>(schedule))
    emitter.reductionTile = attention.getKeys();
  if (auto row = dyn_cast_or_null<tile::RowAttr>(schedule))
    emitter.reductionTile = row.getPart();
  SmallVector<Value> yielded, views;
  for (auto [value, view] : llvm::zip(kernel.getYielded(), block->getArguments().drop_front(kernel.getNumOperands()))) {
    auto [tensor, place] = partOf(value, view, emitter);
    yielded.push_back(tensor);
    views.push_back(place);
  }
  auto shape = cast<RankedTensorType>(yielded.front().getType());
  for (Value value : yielded)
    if (cast<RankedTensorType>(value.getType()).getShape() != shape.getShape())
      return error = "its results have different shapes", made;
  SmallVector<int64_t> tile = tileOf(shape);
  if (!error.empty())
    return made;
  SmallVector<Value> extents;
  for (int64_t d = 0; d < shape.getRank(); ++d) {
    Value size = emitter.sizeValue(yielded.front(), d);
    extents.push_back(b.createOrFold<arith::CeilDivUIOp>(size, arith::ConstantIndexOp::create(b, tile[d])));
  }
  if (!emitter.error().empty())
    return error = emitter.error().str(), made;
  auto grid = tile::GridOp::create(b, extents);
  emitter.setPrograms(grid);
  Block *program = b.createBlock(&grid.getBody(), {}, SmallVector<Type>(extents.size(), b.getIndexType()),
                                 SmallVector<Location>(extents.size(), b.getLoc()));
  b.setInsertionPoint(tile::EndOp::create(b));
  TilePlace place;
  for (auto [number, size, known] : llvm::zip_equal(program->getArguments(), tile, shape.getShape())) {
    AffineExpr first = size == known ? emitter.constant(0) : emitter.dim(number) * size;
    place.push_back(size == 1 ? first : first + emitter.axis(emitter.addAxis(size, /*isWhole=*/size == known)));
  }
  for (auto [value, view] : llvm::zip(yielded, views)) {
    TileValue result = emitter.at(value, place);
    if (result)
      emitter.store(result, view, place);
  }
  error = emitter.error().str();
  return made;
}

/// Kernels of one name are equal: they share a program. What has no form on tiles stays a tenon.kernel.
static LogicalResult tileKernels(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main)
    return success();
  SmallVector<KernelOp> kernels(main.getOps<KernelOp>());
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
      tile::KernelOp made = program.build();
      auto options = remark::RemarkOpts::name("tiles").category("tenon-tile-kernels");
      entry->second = program.error;
      if (program.error.empty()) {
        remark::passed(kernel.getLoc(), options) << ("@" + kernel.getKernelName() + " became a program on tiles").str();
      } else {
        remark::missed(kernel.getLoc(), options)
            << ("@" + kernel.getKernelName() + " has no program on tiles: " + program.error).str();
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
