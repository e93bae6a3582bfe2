#include "passes/3_tile/DerivedKernel.h"

#include "dialects/Tile/Tile.h"
#include "lib/Analysis/KernelWork.h"
#include "passes/3_tile/ResultDimensions.h"

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

KernelOp DerivedKernel::finishByRows(ValueRange yielded, Attribute shapes, const GpuArch &arch) {
  KernelOp kernel = finish(yielded, shapes);
  RowTile rows = chooseRowTile(rowShapeOf(kernel), arch).tile;
  kernel->setAttr("tenon.schedule", tile::RowAttr::get(kernel.getContext(), rows.rows, rows.columns, rows.part));
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
