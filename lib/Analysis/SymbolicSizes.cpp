#include "lib/Analysis/SymbolicSizes.h"

#include "dialects/Tenon/Tenon.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

using namespace mlir;

namespace tenon {

FailureOr<SymbolicSizes> SymbolicSizes::compute(func::FuncOp main) {
  FailureOr<DimNames> names = DimNames::of(main);
  if (failed(names))
    return failure();
  SymbolicSizes result(*std::move(names));
  for (BlockArgument argument : main.getArguments()) {
    auto type = cast<RankedTensorType>(argument.getType());
    auto dims = main.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), "tenon.dims");
    SmallVector<AffineExpr> sizes;
    for (auto [dimension, size] : llvm::enumerate(type.getShape()))
      sizes.push_back(ShapedType::isDynamic(size)
                          ? getAffineSymbolExpr(*result.names.indexOf(cast<StringAttr>(dims[dimension]).getValue()),
                                                main.getContext())
                          : getAffineConstantExpr(size, main.getContext()));
    result.set(argument, sizes);
  }
  for (Operation &op : llvm::make_early_inc_range(main.getBody().front().without_terminator()))
    if (failed(result.visit(&op)))
      return failure();
  return result;
}

std::optional<SymbolicSizes> SymbolicSizes::find(func::FuncOp function, std::string &reason) {
  if (function.isExternal() || !function.getBody().hasOneBlock()) {
    reason = "the function is not one block";
    return std::nullopt;
  }
  ScopedDiagnosticHandler quiet(function.getContext(), [&](Diagnostic &diagnostic) {
    reason = diagnostic.str();
    return success();
  });
  FailureOr<SymbolicSizes> sizes = compute(function);
  return succeeded(sizes) ? std::optional(*std::move(sizes)) : std::nullopt;
}

void SymbolicSizes::set(Value tensor, ArrayRef<AffineExpr> sizes) {
  // What the type says wins: it is a constant.
  SmallVector<AffineExpr> known(sizes);
  for (auto [dimension, size] : llvm::enumerate(cast<RankedTensorType>(tensor.getType()).getShape()))
    if (!ShapedType::isDynamic(size))
      known[dimension] = getAffineConstantExpr(size, tensor.getContext());
  shapes[tensor] = std::move(known);
}

LogicalResult SymbolicSizes::visit(Operation *op) {
  if (llvm::any_of(op->getResultTypes(), [](Type type) { return isa<RankedTensorType>(type); }))
    visitHeld(op);
  if (auto stated = op->getAttrOfType<ArrayAttr>(attribute)) {
    for (auto [result, map] : llvm::zip_equal(op->getResults(), stated.getAsValueRange<AffineMapAttr>()))
      set(result, map.getResults());
    return success();
  }
  bool isStatic = llvm::all_of(op->getResultTypes(), [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return !tensor || tensor.hasStaticShape();
  });
  if (isStatic) {
    for (Value result : op->getResults())
      if (auto type = dyn_cast<RankedTensorType>(result.getType()))
        set(result, SmallVector<AffineExpr>(type.getRank()));
    return success();
  }
  if (isa<KernelOp>(op))
    return visitKernel(op);
  return reify(op);
}

LogicalResult SymbolicSizes::visitKernel(Operation *op) {
  auto kernel = cast<KernelOp>(op);
  for (auto [argument, input] : llvm::zip_equal(kernel.getBody().getArguments(), kernel.getInputs())) {
    set(argument, shapes[input]);
    if (AffineExpr size = heldSizes.lookup(input))
      heldSizes[argument] = size;
  }
  for (Operation &inner : llvm::make_early_inc_range(kernel.getBlock().without_terminator()))
    if (failed(visit(&inner)))
      return failure();
  for (auto [result, yielded] : llvm::zip_equal(kernel.getResults(), kernel.getYielded())) {
    set(result, shapes[yielded]);
    if (AffineExpr size = heldSizes.lookup(yielded))
      heldSizes[result] = size;
  }
  return success();
}

LogicalResult SymbolicSizes::reify(Operation *op) {
  if (auto destination = dyn_cast<DestinationStyleOpInterface>(op)) {
    for (OpResult result : op->getResults())
      if (isa<RankedTensorType>(result.getType()))
        set(result, SmallVector<AffineExpr>(shapes[destination.getTiedOpOperand(result)->get()]));
    return success();
  }
  // What a loop carries keeps its sizes.
  if (auto loop = dyn_cast<LoopLikeOpInterface>(op)) {
    for (auto [result, init] : llvm::zip_equal(op->getResults(), loop.getInits()))
      if (isa<RankedTensorType>(result.getType()))
        set(result, SmallVector<AffineExpr>(shapes[init]));
    return success();
  }
  auto interface = dyn_cast<ReifyRankedShapedTypeOpInterface>(op);
  if (!interface)
    return op->emitError("the sizes of its result are not known: the op has no rule for them; give it a static shape");
  OpBuilder builder(op);
  Operation *before = op->getPrevNode();
  ReifiedRankedShapedTypeDims reified;
  LogicalResult done = interface.reifyResultShapes(builder, reified);
  if (succeeded(done))
    for (auto [result, dims] : llvm::zip_equal(op->getResults(), reified)) {
      SmallVector<AffineExpr> sizes;
      for (OpFoldResult size : dims)
        sizes.push_back(resolve(size));
      auto type = cast<RankedTensorType>(result.getType());
      for (auto [dimension, size] : llvm::enumerate(sizes))
        if (!size && type.isDynamicDim(dimension)) {
          done = op->emitOpError("size ") << dimension << " of " << type
                                          << " is not an expression over the named dimensions of @main; sizes come of "
                                             "constants and `tenon.dim`, not of what a tensor holds";
          break;
        }
      set(result, sizes);
    }
  else
    op->emitError("the sizes of its result are not known");
  while (op->getPrevNode() != before)
    op->getPrevNode()->erase();
  return done;
}

/// Sizes as data: rank-0 integer tensors computed from tenon.dim.
void SymbolicSizes::visitHeld(Operation *op) {
  if (op->getNumResults() != 1)
    return;
  Value result = op->getResult(0);
  auto type = cast<RankedTensorType>(result.getType());
  if (type.getRank() != 0 || !type.getElementType().isInteger())
    return;
  auto operand = [&](unsigned index) { return heldSizes.lookup(op->getOperand(index)); };
  AffineExpr size;
  if (auto dim = dyn_cast<DimOp>(op))
    size = shapes[dim.getInput()][dim.getAxis()];
  else if (auto constant = dyn_cast<ConstantOp>(op)) {
    if (auto elements = dyn_cast<DenseIntElementsAttr>(constant.getValue()))
      size = getAffineConstantExpr(elements.getSplatValue<APInt>().getSExtValue(), op->getContext());
  } else if (isa<CastOp, ReshapeOp>(op))
    size = operand(0);
  else if (isa<AddOp, SubOp, MulOp, FloorDivOp>(op) && operand(0) && operand(1)) {
    AffineExpr a = operand(0), b = operand(1);
    if (isa<AddOp>(op))
      size = a + b;
    else if (isa<SubOp>(op))
      size = a - b;
    else if (isa<MulOp>(op))
      size = a * b;
    else if (names.range(b).first > 0)
      size = a.floorDiv(b);
  }
  if (size)
    heldSizes[result] = size;
}

AffineExpr SymbolicSizes::resolve(AffineMap map, ValueRange operands, unsigned result) const {
  SmallVector<AffineExpr> values;
  for (Value operand : operands) {
    values.push_back(resolve(OpFoldResult(operand)));
    if (!values.back())
      return {};
  }
  auto dims = ArrayRef(values).take_front(map.getNumDims()), symbols = ArrayRef(values).drop_front(map.getNumDims());
  AffineExpr size = map.getResult(result).replaceDimsAndSymbols(dims, symbols);
  return simplifyAffineExpr(size, 0, names.names.size());
}

AffineExpr SymbolicSizes::resolveExtremum(AffineMap map, ValueRange operands, bool wantMax) const {
  // The launch plan's sizes have no cases: one result must be the extremum wherever the names are within their bounds.
  SmallVector<AffineExpr> values;
  for (unsigned index : llvm::seq(map.getNumResults())) {
    values.push_back(resolve(map, operands, index));
    if (!values.back())
      return {};
  }
  for (AffineExpr candidate : values) {
    bool rules = llvm::all_of(values, [&](AffineExpr other) {
      AffineExpr lead = simplifyAffineExpr(wantMax ? candidate - other : other - candidate, 0, names.names.size());
      return names.range(lead).first >= 0;
    });
    if (rules)
      return candidate;
  }
  return {};
}

AffineExpr SymbolicSizes::resolve(OpFoldResult size) const {
  MLIRContext *context = size.getContext();
  if (std::optional<int64_t> known = getConstantIntValue(size))
    return getAffineConstantExpr(*known, context);
  auto value = dyn_cast<Value>(size);
  Operation *op = value ? value.getDefiningOp() : nullptr;
  if (!op)
    return {};
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    std::optional<int64_t> index = dim.getConstantIndex();
    auto shape = shapes.find(dim.getSource());
    return index && shape != shapes.end() ? shape->second[*index] : AffineExpr();
  }
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op))
    return resolve(apply.getAffineMap(), apply.getOperands(), 0);
  if (auto extremum = dyn_cast<affine::AffineMaxOp>(op))
    return resolveExtremum(extremum.getAffineMap(), extremum.getOperands(), /*wantMax=*/true);
  if (auto extremum = dyn_cast<affine::AffineMinOp>(op))
    return resolveExtremum(extremum.getAffineMap(), extremum.getOperands(), /*wantMax=*/false);
  if (auto cast = dyn_cast<arith::IndexCastOp>(op))
    return resolve(OpFoldResult(cast.getIn()));
  if (auto extract = dyn_cast<tensor::ExtractOp>(op))
    return extract.getIndices().empty() ? heldSizes.lookup(extract.getTensor()) : AffineExpr();
  return {};
}

/// Multiplies `size`, factor by factor, into a number and the factors that are none.
static void factorise(AffineExpr size, int64_t &number, SmallVectorImpl<AffineExpr> &factors) {
  if (auto known = dyn_cast<AffineConstantExpr>(size)) {
    number *= known.getValue();
  } else if (auto binary = dyn_cast<AffineBinaryOpExpr>(size); binary && size.getKind() == AffineExprKind::Mul) {
    factorise(binary.getLHS(), number, factors);
    factorise(binary.getRHS(), number, factors);
  } else {
    factors.push_back(size);
  }
}

bool haveEqualProducts(ArrayRef<AffineExpr> a, ArrayRef<AffineExpr> b) {
  int64_t numberA = 1, numberB = 1;
  SmallVector<AffineExpr> factorsA, factorsB;
  for (AffineExpr size : a)
    factorise(size, numberA, factorsA);
  for (AffineExpr size : b)
    factorise(size, numberB, factorsB);
  if (numberA == 0 || numberB == 0)
    return numberA == numberB;
  // Equal expressions are one object, so that each factor of one list is found in the other or is not there.
  for (AffineExpr factor : factorsA) {
    auto found = llvm::find(factorsB, factor);
    if (found == factorsB.end())
      return false;
    factorsB.erase(found);
  }
  return factorsB.empty() && numberA == numberB;
}

bool areEqual(AffineExpr a, AffineExpr b) { return a == b || haveEqualProducts(a, b); }

bool areEqual(ArrayRef<AffineExpr> a, ArrayRef<AffineExpr> b) {
  return a.size() == b.size() &&
         llvm::all_of(llvm::zip_equal(a, b), [](auto pair) { return areEqual(std::get<0>(pair), std::get<1>(pair)); });
}

} // namespace tenon
