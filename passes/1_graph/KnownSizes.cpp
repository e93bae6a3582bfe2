#include "passes/1_graph/KnownSizes.h"

using namespace mlir;

namespace tenon {

KnownSizes::KnownSizes(func::FuncOp function) : sizes(SymbolicSizes::find(function, reason)) {
  if (sizes)
    values.emplace(function, *sizes);
}

Value KnownSizes::sizeOf(Value tensor, int64_t dimension) {
  return sizes && sizes->has(tensor) ? values->get(sizes->of(tensor)[dimension]) : Value();
}

bool KnownSizes::areEqual(Value a, int64_t dimA, Value b, int64_t dimB) const {
  auto typeA = cast<RankedTensorType>(a.getType()), typeB = cast<RankedTensorType>(b.getType());
  if (!typeA.isDynamicDim(dimA) && !typeB.isDynamicDim(dimB))
    return typeA.getDimSize(dimA) == typeB.getDimSize(dimB);
  return (a == b && dimA == dimB) ||
         (sizes && sizes->has(a) && sizes->has(b) && tenon::areEqual(sizes->of(a)[dimA], sizes->of(b)[dimB]));
}

bool KnownSizes::haveEqualShapes(Value a, Value b) const {
  int64_t rank = cast<RankedTensorType>(a.getType()).getRank();
  return cast<RankedTensorType>(b.getType()).getRank() == rank &&
         llvm::all_of(llvm::seq(rank), [&](int64_t dimension) { return areEqual(a, dimension, b, dimension); });
}

bool KnownSizes::addsLastOne(Value with, Value without) const {
  auto typeWith = cast<RankedTensorType>(with.getType()), typeWithout = cast<RankedTensorType>(without.getType());
  int64_t rank = typeWithout.getRank();
  return typeWith.getRank() == rank + 1 && typeWith.getShape().back() == 1 &&
         llvm::all_of(llvm::seq(rank),
                      [&](int64_t dimension) { return areEqual(with, dimension, without, dimension); });
}

void KnownSizes::notifyOperationInserted(Operation *op, OpBuilder::InsertPoint) {
  if (!sizes)
    return;
  ScopedDiagnosticHandler quiet(op->getContext(), [](Diagnostic &) { return success(); });
  if (failed(sizes->add(op)))
    values.reset(), sizes.reset(); // from here on the types alone
}

} // namespace tenon
