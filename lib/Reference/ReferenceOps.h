// What the op families of the reference share: the values computed so far and the table from op name to evaluation.
#pragma once

#include "dialects/Tenon/Tenon.h"
#include "lib/Reference/Reference.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"

#include <functional>
#include <memory>

namespace tenon {

/// The tensors behind SSA values. One that is set never changes, so that values and sets of values can share it.
class ReferenceValues {
public:
  ReferenceValues(WeightLookup weights, ReferenceRounding rounding) : weights(weights), rounding(rounding) {}

  const ReferenceTensor &operator[](mlir::Value value) const { return *tensors.find(value)->second; }
  void set(mlir::Value value, ReferenceTensor tensor) {
    tensors[value] = std::make_shared<const ReferenceTensor>(std::move(tensor));
  }
  /// `value` is the tensor that `source` is in `from`.
  void share(mlir::Value value, const ReferenceValues &from, mlir::Value source) {
    std::shared_ptr<const ReferenceTensor> tensor = from.tensors.find(source)->second;
    tensors[value] = std::move(tensor);
  }
  void erase(mlir::Value value) { tensors.erase(value); }

  const WeightLookup weights;
  const ReferenceRounding rounding;

private:
  llvm::DenseMap<mlir::Value, std::shared_ptr<const ReferenceTensor>> tensors;
};

/// Op name -> evaluation. An evaluation sets the op's results and reports on the op when it cannot.
class ReferenceTable {
public:
  using Evaluation = std::function<mlir::LogicalResult(mlir::Operation *, ReferenceValues &)>;

  template <typename OpT>
  void add(mlir::LogicalResult (*evaluate)(OpT, ReferenceValues &)) {
    evaluations[OpT::getOperationName()] = [evaluate](mlir::Operation *op, ReferenceValues &values) {
      return evaluate(llvm::cast<OpT>(op), values);
    };
  }
  void add(llvm::StringRef name, Evaluation evaluate) { evaluations[name] = std::move(evaluate); }
  const Evaluation *find(llvm::StringRef name) const {
    auto found = evaluations.find(name);
    return found == evaluations.end() ? nullptr : &found->second;
  }

private:
  llvm::StringMap<Evaluation> evaluations;
};

/// Every op the reference knows.
const ReferenceTable &referenceTable();

/// Evaluates a function, op by op, in several sets of values that start from the same inputs; `afterOp` sees each op
/// once all sets have its results and may change them. A value is dropped after its last use; the operands of the
/// terminator are there at the end.
llvm::LogicalResult walkReference(mlir::func::FuncOp function, llvm::ArrayRef<ReferenceTensor> inputs,
                                  llvm::ArrayRef<ReferenceValues *> sets,
                                  llvm::function_ref<llvm::LogicalResult(mlir::Operation *)> afterOp = nullptr);

/// What a GPU's short sums may add to the error of a product of 8-bit floats (docs/decisions/0014): an instruction cuts
/// off 32 products and what they are added to at 2^-13 of the largest of them, and a sum goes on for 128 of the depth,
/// or a block of scales.
std::vector<double> shortSumError(QuantisedMatmulOp op, const ReferenceValues &values);

void addReferenceContractions(ReferenceTable &table);
void addReferencePointwise(ReferenceTable &table);
void addReferenceQuantisation(ReferenceTable &table);
void addReferenceRows(ReferenceTable &table);
void addReferenceShapes(ReferenceTable &table);

inline mlir::Type elementTypeOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType()).getElementType();
}

/// An axis attribute with negative values counted from the end; fails, with an error on the op, when out of range.
llvm::FailureOr<int64_t> resolveAxis(mlir::Operation *op, int64_t axis, int64_t rank);

} // namespace tenon
