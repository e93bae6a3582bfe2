// Elements of a kernel's tensors as scalar code: the one way from linalg on tensors to the work of a thread.
// Whoever asks for an element at a place gets the operations that compute it there, in registers, from what lies in
// memory: producers are inlined, views become places, a reduction becomes a loop that carries its sums, a loop over
// tensors a loop that carries the elements of them that are read. No thread writes what another one reads, so there is
// no order between threads and no memory for what is in between.
#pragma once

#include "passes/5_thread/IndexEmitter.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace tenon {

/// One index a dimension, of the IndexEmitter's type.
using Place = llvm::SmallVector<mlir::Value>;

class ElementEmitter {
public:
  ElementEmitter(mlir::ImplicitLocOpBuilder &b, IndexEmitter &index) : b(b), index(index), elements(1), scalars(1) {}

  /// `tensor` lies in memory from `address` on.
  void give(mlir::Value tensor, mlir::Value address, llvm::ArrayRef<mlir::Value> sizes) {
    memory[tensor] = {address, Place(sizes)};
  }
  /// The element of `tensor` at `place`; null, with a reason in error(), where it cannot be computed.
  mlir::Value at(mlir::Value tensor, llvm::ArrayRef<mlir::Value> place);
  mlir::Value size(mlir::Value tensor, int64_t dimension);
  Place sizes(mlir::Value tensor);
  /// The size of an operand that this one is by the way the tensor is made; null where it is none.
  mlir::Value operandSize(mlir::Value tensor, int64_t dimension);
  llvm::StringRef error() const { return reason; }

private:
  struct InMemory {
    mlir::Value address;
    Place sizes;
  };
  /// A loop over tensors that is being built: which elements of what it carries are read, and their values.
  struct Carrying {
    mlir::scf::ForOp source;
    llvm::SmallVector<std::pair<unsigned, Place>> reads;
    llvm::SmallVector<mlir::Value> values;
  };
  /// What is computed inside a region is not seen outside.
  struct RegionScope {
    explicit RegionScope(ElementEmitter &emitter) : emitter(emitter) {
      emitter.elements.emplace_back();
      emitter.scalars.emplace_back();
    }
    ~RegionScope() {
      emitter.elements.pop_back();
      emitter.scalars.pop_back();
    }
    ElementEmitter &emitter;
  };

  mlir::Value fail(const llvm::Twine &why);
  mlir::Value compute(mlir::Value tensor, const Place &place);
  Place sourcePlace(mlir::Operation *view, const Place &place);
  mlir::Value pick(llvm::ArrayRef<mlir::Value> values, mlir::Value tensor, const Place &place);
  mlir::Value insertAt(mlir::tensor::InsertSliceOp insert, const Place &place);
  mlir::Value mixed(mlir::OpFoldResult size);

  // ElementBodies.cpp
  mlir::Value genericAt(mlir::linalg::GenericOp op, unsigned result, const Place &place);
  mlir::Value loopSize(mlir::linalg::GenericOp op, unsigned loop);
  Place operandPlace(mlir::AffineMap map, llvm::ArrayRef<mlir::Value> loops);
  mlir::Value carriedScalar(mlir::Value yielded);
  llvm::SmallVector<mlir::Value> body(mlir::linalg::GenericOp op, const Place &loops,
                                      llvm::function_ref<mlir::Value(unsigned)> carried);
  mlir::Value loopAt(mlir::scf::ForOp loop, unsigned result, const Place &place);
  llvm::SmallVector<mlir::Value> turn(mlir::scf::ForOp made, Carrying &carrying);
  mlir::Value carriedAt(mlir::BlockArgument argument, const Place &place);
  mlir::Value scalar(mlir::Value value);
  mlir::Value computeScalar(mlir::Value value);

  mlir::ImplicitLocOpBuilder &b;
  IndexEmitter &index;
  llvm::DenseMap<mlir::Value, InMemory> memory;
  llvm::SmallVector<Carrying *> loops;
  // What is there already, by the regions around the builder's place, outermost first.
  llvm::SmallVector<llvm::DenseMap<mlir::Value, llvm::SmallVector<std::pair<Place, mlir::Value>>>> elements;
  llvm::SmallVector<llvm::DenseMap<mlir::Value, mlir::Value>> scalars;
  std::string reason;
};

} // namespace tenon
