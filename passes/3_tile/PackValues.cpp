// A matrix instruction takes 8-bit operands with their depth innermost. Of an attention's values the depth are the
// keys, and they are rows; of the powers a thread has neighbouring pairs where the instruction wants four in a row.
// After this pass a kernel ahead writes the values transposed, the keys in the order in which threads have the powers,
// so that the second dot takes both as they are: 2 bytes more of memory traffic a value, and nothing in the attention's
// loop.
#include "dialects/Tile/Tile.h"
#include "lib/Analysis/GpuOfModule.h"
#include "passes/3_tile/DerivedKernel.h"
#include "passes/3_tile/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_PACKVALUESPASS
#include "passes/3_tile/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static RankedTensorType typeOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()); }

/// That of the packed values; none where a size is not known, null where all are static.
static std::optional<ArrayAttr> shapeOfPacked(KernelOp kernel, Value value) {
  if (typeOf(value).hasStaticShape())
    return ArrayAttr();
  std::string reason;
  std::optional<SymbolicSizes> sizes = SymbolicSizes::find(kernel->getParentOfType<func::FuncOp>(), reason);
  if (!sizes)
    return std::nullopt;
  SmallVector<AffineExpr> shape;
  for (int64_t d : {0, 1, 3, 2})
    shape.push_back(sizeOver(*sizes, kernel, value, d));
  if (llvm::is_contained(shape, AffineExpr()))
    return std::nullopt;
  shape.back() = shape.back().ceilDiv(16) * 16;
  AffineMap map = AffineMap::get(0, sizes->dims().names.size(), shape, kernel.getContext());
  return ArrayAttr::get(kernel.getContext(), {AffineMapAttr::get(map)});
}

/// Why the values stay as they are; empty where they are packed.
static std::string packValues(KernelOp kernel, AttentionOp op) {
  if (op.getBlockTable())
    return "its values are in pages, which no kernel puts in order";
  if (typeOf(op.getQuery()).isDynamicDim(1) || typeOf(op.getKey()).isDynamicDim(1) ||
      typeOf(op.getValue()).isDynamicDim(3) || typeOf(op.getKey()).isDynamicDim(3))
    return "numbers of heads or their sizes are known only at run time";
  // Those of a warpgroup. What asks fewer is bound by memory.
  constexpr int64_t fewQueries = 64;
  if (int64_t queries = typeOf(op.getQuery()).getDimSize(2); !ShapedType::isDynamic(queries) && queries < fewQueries)
    return std::to_string(queries) + " queries are too few to read the values twice for";
  std::optional<ArrayAttr> shape = shapeOfPacked(kernel, op.getValue());
  if (!shape)
    return "the sizes of the values are no expression of the model's";
  DerivedKernel ahead(kernel, "_values");
  Value values = PackValuesOp::create(ahead.b, ahead.copy(op.getValue()));
  KernelOp packing = ahead.finish(values, *shape);
  constexpr int64_t valuesAtOnce = 128 * 128; // of which each of 256 threads transposes 4 x 16
  int64_t columnsAtOnce = typeOf(values).getDimSize(2) % 128 == 0 ? 128 : 64, keysAtOnce = valuesAtOnce / columnsAtOnce;
  packing->setAttr("tenon.schedule", tile::RowAttr::get(kernel.getContext(), columnsAtOnce, keysAtOnce, keysAtOnce));

  DerivedKernel rest(kernel, "");
  for (OpOperand &operand : op->getOpOperands())
    if (&operand != &op.getValueMutable())
      rest.copy(operand.get());
  Value packed = rest.argument(values.getType(), packing.getResult(0));
  if (!rest.mapping.contains(op.getValue())) // else they are the keys, too
    rest.mapping.map(op.getValue(), packed);
  auto made = cast<AttentionOp>(rest.b.clone(*op, rest.mapping));
  made.getValueMutable().assign(packed);
  made.setPacked(true);
  SmallVector<Value> yielded;
  for (Value value : kernel.getYielded())
    yielded.push_back(rest.copy(value));
  rest.replace(yielded);
  return "";
}

namespace {
struct PackValues : tenon::impl::PackValuesPassBase<PackValues> {
  using PackValuesPassBase::PackValuesPassBase;
  void runOnOperation() override {
    FailureOr<const GpuArch *> found = gpuNamed(getOperation(), arch);
    if (failed(found))
      return signalPassFailure();
    SmallVector<AttentionOp> ops;
    getOperation()->walk([&](AttentionOp op) {
      auto kernel = dyn_cast<KernelOp>(op->getParentOp());
      if (kernel && op.isFloat8() && !op.getPacked() && !kernel->hasAttr(generalAttrName))
        ops.push_back(op);
    });
    auto options = remark::RemarkOpts::name("values").category("tenon-pack-values");
    for (AttentionOp op : ops) {
      auto kernel = cast<KernelOp>(op->getParentOp());
      std::string name = kernel.getKernelName().str();
      Location location = kernel.getLoc();
      std::string why =
          (*found)->rates.tensorF8 == 0 ? "its Tensor Cores multiply no 8-bit floats" : packValues(kernel, op);
      if (why.empty())
        remark::passed(location, options) << ("@" + name + "_values transposes the values of @" + name);
      else
        remark::missed(location, options) << ("@" + name + " multiplies in f16: " + why);
    }
  }
};
} // namespace
