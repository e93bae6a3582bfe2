#include "lib/Compiler/ReferenceKernel.h"

#include "dialects/Tenon/Tenon.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace tenon {

static Type widened(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return tensor.clone(widened(tensor.getElementType()));
  return isa<FloatType>(type) ? Float64Type::get(type.getContext()) : type;
}

static TypedAttr widened(TypedAttr constant) {
  auto exactly = [](APFloat value) {
    bool loses = false;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &loses);
    return value;
  };
  Type type = widened(constant.getType());
  if (auto number = dyn_cast<FloatAttr>(constant))
    return FloatAttr::get(type, exactly(number.getValue()));
  auto dense = dyn_cast<DenseFPElementsAttr>(constant);
  if (!dense)
    return constant;
  return dense.mapValues(getElementTypeOrSelf(type), [&](const APFloat &x) { return exactly(x).bitcastToAPInt(); });
}

/// Whether what it gives is a result of the kernel, element by element.
static bool isOfResult(arith::TruncFOp op) {
  auto generic = op->getParentOfType<linalg::GenericOp>();
  if (!generic)
    return llvm::all_of(op->getUsers(), [](Operation *user) { return isa<YieldOp>(user); });
  return llvm::all_of(op->getUsers(), [](Operation *user) { return isa<linalg::YieldOp>(user); }) &&
         llvm::all_of(generic->getUsers(), [](Operation *user) {
           return isa<YieldOp>(user) || (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(user) &&
                                         llvm::all_of(user->getUsers(), llvm::IsaPred<YieldOp>));
         });
}

static OwningOpRef<ModuleOp> widen(ModuleOp module, bool rounds) {
  OwningOpRef<ModuleOp> made = module.clone();
  SmallVector<arith::ExtFOp> extensions;
  SmallVector<arith::TruncFOp> truncations;
  DenseMap<Operation *, Type> roundedTo;
  made->walk([&](Operation *op) {
    if (auto truncation = dyn_cast<arith::TruncFOp>(op)) {
      truncations.push_back(truncation);
      if (rounds && !isOfResult(truncation))
        roundedTo[op] = truncation.getType();
    }
    if (auto extension = dyn_cast<arith::ExtFOp>(op))
      extensions.push_back(extension);
  });
  made->walk([&](Operation *op) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op))
      constant.setValueAttr(widened(constant.getValue()));
    if (auto function = dyn_cast<func::FuncOp>(op)) {
      auto types = [](TypeRange range) { return llvm::map_to_vector(range, [](Type type) { return widened(type); }); };
      function.setType(
          FunctionType::get(op->getContext(), types(function.getArgumentTypes()), types(function.getResultTypes())));
    }
    for (Value result : op->getResults())
      result.setType(widened(result.getType()));
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (BlockArgument argument : block.getArguments())
          argument.setType(widened(argument.getType()));
  });
  for (arith::ExtFOp op : extensions) {
    op.replaceAllUsesWith(op.getIn());
    op.erase();
  }
  for (arith::TruncFOp op : truncations) {
    Value value = op.getIn();
    if (Type type = roundedTo.lookup(op)) {
      OpBuilder b(op);
      Value narrow = arith::TruncFOp::create(b, op.getLoc(), type, value);
      value = arith::ExtFOp::create(b, op.getLoc(), widened(type), narrow);
    }
    op.replaceAllUsesWith(value);
    op.erase();
  }
  return made;
}

Result<ReferenceKernel> makeReference(ModuleOp module) {
  std::string strange;
  bool rounds = false;
  module.walk([&](Operation *op) {
    bool isKnown =
        isa<ModuleOp, func::FuncOp, func::ReturnOp, KernelOp, YieldOp>(op) ||
        isa_and_nonnull<arith::ArithDialect, math::MathDialect, linalg::LinalgDialect, tensor::TensorDialect>(
            op->getDialect());
    if (!isKnown || isa<arith::BitcastOp>(op))
      strange = "it has a " + op->getName().getStringRef().str() + ", which has no form in f64";
    auto truncation = dyn_cast<arith::TruncFOp>(op);
    if (!truncation || isOfResult(truncation))
      return;
    rounds = true;
    if (getElementTypeOrSelf(truncation.getType()).getIntOrFloatBitWidth() < 16)
      strange = "it rounds to 8 bits on its way to the result";
  });
  if (!strange.empty())
    return unsupported(strange);
  ReferenceKernel reference;
  reference.exact = widen(module, false);
  if (rounds)
    reference.rounded = widen(module, true);
  return reference;
}

} // namespace tenon
