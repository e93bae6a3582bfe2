#include "passes/3_tile/DerivedKernel.h"

#include "dialects/Tile/Tile.h"
#include "lib/Analysis/KernelWork.h"
#include "lib/Analysis/SizeSources.h"
#include "passes/3_tile/ResultDimensions.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace tenon;

DerivedKernel::DerivedKernel(KernelOp from, StringRef suffix)
    : from(from), name((from.getKernelName() + suffix).str()), b(from.getLoc(), from.getContext()) {
  body.push_back(new Block());
  b.setInsertionPointToStart(&body.front());
}

Value DerivedKernel::argument(Type type, Value outside) {
  inputs.push_back(outside);
  return body.front().addArgument(type, from.getLoc());
}

Value DerivedKernel::copy(Value value) {
  if (Value known = mapping.lookupOrNull(value))
    return known;
  if (auto outer = dyn_cast<BlockArgument>(value)) {
    mapping.map(value, argument(value.getType(), from.getInputs()[outer.getArgNumber()]));
    return mapping.lookup(value);
  }
  Operation *op = value.getDefiningOp();
  for (Value operand : op->getOperands())
    copy(operand);
  op->walk([&](Operation *inner) {
    for (Value operand : inner->getOperands())
      if (operand.getParentBlock() == &from.getBlock())
        copy(operand);
  });
  b.clone(*op, mapping);
  return mapping.lookup(value);
}

KernelOp DerivedKernel::finish(ValueRange yielded, Attribute shapes) {
  YieldOp::create(b, yielded);
  OpBuilder outside(from);
  OperationState state(from.getLoc(), KernelOp::getOperationName());
  state.addOperands(inputs);
  state.addTypes(yielded.getTypes());
  state.addAttribute(from.getKernelNameAttrName(), outside.getStringAttr(name));
  if (Attribute sources = from->getAttr("tenon.sources"))
    state.addAttribute("tenon.sources", sources);
  if (shapes)
    state.addAttribute("tenon.result_shapes", shapes);
  state.addRegion()->takeBody(body);
  auto kernel = cast<KernelOp>(outside.create(state));
  if (FailureOr<KernelWork> work = KernelWork::of(kernel); succeeded(work)) {
    kernel->setAttr("tenon.flops", AffineMapAttr::get(work->flops));
    kernel->setAttr("tenon.bytes", AffineMapAttr::get(work->bytes));
  }
  return kernel;
}

void DerivedKernel::replace(ValueRange yielded) {
  KernelOp kernel = finish(yielded, from->getAttr("tenon.result_shapes"));
  for (NamedAttribute attribute : from->getDiscardableAttrs())
    if (!kernel->hasAttr(attribute.getName()))
      kernel->setAttr(attribute.getName(), attribute.getValue());
  from.replaceAllUsesWith(kernel.getResults());
  from.erase();
}

KernelOp DerivedKernel::finishByRows(ValueRange yielded, Attribute shapes, const GpuArch &arch) {
  KernelOp kernel = finish(yielded, shapes);
  RowTile rows = chooseRowTile(rowShapeOf(kernel), arch).tile;
  kernel->setAttr("tenon.schedule",
                  tile::RowAttr::get(kernel.getContext(), rows.rows, rows.columns, rows.part, rows.splits));
  return kernel;
}

void DerivedKernel::replaceByRows(ValueRange yielded, Attribute shapes, const GpuArch &arch) {
  KernelOp kernel = finishByRows(yielded, shapes, arch);
  kernel->setAttr(sumOfPartsAttrName, b.getUnitAttr());
  if (Attribute refusals = from->getAttr(refusalsAttrName))
    kernel->setAttr(refusalsAttrName, refusals);
  from.replaceAllUsesWith(kernel.getResults());
  from.erase();
}

AffineExpr tenon::sizeOver(const SymbolicSizes &sizes, KernelOp kernel, Value tensor, int64_t dimension) {
  if (int64_t known = cast<RankedTensorType>(tensor.getType()).getDimSize(dimension); !ShapedType::isDynamic(known))
    return getAffineConstantExpr(known, kernel.getContext());
  if (auto argument = dyn_cast<BlockArgument>(tensor)) {
    Value outside = kernel.getInputs()[argument.getArgNumber()];
    return sizes.has(outside) ? sizes.of(outside)[dimension] : AffineExpr();
  }
  std::optional<SizeSource> source = sizeSource(tensor, dimension);
  if (!source)
    return {};
  if (source->known) {
    auto value = dyn_cast<Value>(source->known);
    auto dim = value ? value.getDefiningOp<tensor::DimOp>() : tensor::DimOp();
    std::optional<int64_t> at = dim ? dim.getConstantIndex() : std::nullopt;
    return at ? sizeOver(sizes, kernel, dim.getSource(), *at) : AffineExpr();
  }
  AffineExpr product = getAffineConstantExpr(1, kernel.getContext());
  for (auto [other, at] : source->sizes) {
    AffineExpr factor = sizeOver(sizes, kernel, other, at);
    if (!factor)
      return {};
    product = product * factor;
  }
  return product;
}
