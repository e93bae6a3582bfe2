// What the op families of the reference share: the values computed so far and the table from op name to evaluation.
#pragma once

#include "dialects/Tenon/Tenon.h"
#include "lib/Reference/Reference.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"

#include <functional>

namespace tenon {

/// The tensors behind SSA values.
class ReferenceValues {
public:
  ReferenceValues(WeightLookup weights, ReferenceRounding rounding) : weights(weights), rounding(rounding) {}

  const ReferenceTensor &operator[](mlir::Value value) const { return tensors.find(value)->second; }
  void set(mlir::Value value, ReferenceTensor tensor) { tensors[value] = std::move(tensor); }
  void erase(mlir::Value value) { tensors.erase(value); }

  const WeightLookup weights;
  const ReferenceRounding rounding;

private:
  llvm::DenseMap<mlir::Value, ReferenceTensor> tensors;
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
