#include "lib/Reference/ErrorBounds.h"

#include "lib/Reference/LocalErrors.h"

#include <cmath>
#include <deque>
#include <limits>
#include <random>

using namespace mlir;

namespace tenon {
namespace {

class Sampler {
public:
  Sampler(func::FuncOp function, WeightLookup weights, int samples, uint64_t seed, bool hasShortSums)
      : function(function), hasShortSums(hasShortSums) {
    for (int set = 0; set < samples + 2; ++set)
      storage.emplace_back(weights, ReferenceRounding::exact);
    for (ReferenceValues &values : storage)
      sets.push_back(&values);
    for (int sample = 0; sample < samples; ++sample)
      randoms.emplace_back(seed * 7919 + sample);
  }

  FailureOr<std::vector<BoundedTensor>> run(ArrayRef<ReferenceTensor> inputs) {
    if (failed(walkReference(function, inputs, sets, [&](Operation *op) { return afterOp(op); })))
      return failure();
    std::vector<BoundedTensor> results;
    for (Value returned : function.getBody().front().getTerminator()->getOperands()) {
      // An argument that is returned as it is has no error.
      auto found = bounds.find(returned);
      const ReferenceTensor &exact = (*sets.front())[returned];
      results.push_back({exact, found == bounds.end() ? std::vector<double>(exact.size(), 0) : found->second});
    }
    return results;
  }

private:
  LogicalResult afterOp(Operation *op) {
    for (OpResult result : op->getResults()) {
      FailureOr<std::vector<double>> local = localError(result, *sets.front(), hasShortSums);
      if (failed(local))
        return failure();
      if (llvm::is_contained(function.getBody().front().getTerminator()->getOperands(), result))
        bounds[result] = boundOf(result, *local);
      if (!local->empty() && (*sets.front())[result].isFloat())
        disturb(result, *local);
    }
    return success();
  }

  /// Its own error on top of twice what the samples carry in from before: the most at this element, but no less than
  /// is usual in its row, since few samples may happen to cancel.
  std::vector<double> boundOf(Value result, ArrayRef<double> local) {
    const ReferenceTensor &exact = (*sets.front())[result];
    int64_t size = exact.size(), row = exact.rank() ? std::max<int64_t>(exact.shape.back(), 1) : 1;
    std::vector<double> bound(size, 0), usual((size + row - 1) / row, 0);
    for (ReferenceValues *values : ArrayRef(sets).drop_front()) {
      const ReferenceTensor &sample = (*values)[result];
      for (int64_t i = 0; i < size; ++i) {
        double difference = std::fabs(sample.at(i) - exact.at(i));
        if (std::isnan(difference)) // equal infinities, or NaN in both; else this element is on the brink of overflow
          difference = std::isfinite(exact.at(i)) ? std::numeric_limits<double>::infinity() : 0;
        bound[i] = std::max(bound[i], difference);
        if (std::isfinite(difference))
          usual[i / row] += difference * difference;
      }
    }
    double terms = static_cast<double>(row) * static_cast<double>(sets.size() - 1);
    for (int64_t i = 0; i < size; ++i) {
      double floor = exact.isFloat() ? std::sqrt(usual[i / row] / terms) : 0;
      bound[i] = 2 * std::max(bound[i], floor) + (local.empty() ? 0 : local[i]);
    }
    return bound;
  }

  /// One evaluation moves everything up: along a chain of increasing ops the errors of each then add up, while with
  /// random signs those of two ops of like size cancel in one of two evaluations, and all may be such.
  void disturb(Value result, ArrayRef<double> local) {
    ReferenceTensor up = (*sets.back())[result];
    for (auto [value, error] : llvm::zip_equal(up.floats, local))
      value += error;
    sets.back()->set(result, std::move(up));
    for (auto [values, random] : llvm::zip_equal(ArrayRef(sets).drop_front().drop_back(), randoms)) {
      ReferenceTensor moved = (*values)[result];
      uint64_t bits = 0;
      for (int64_t i = 0, size = moved.size(); i < size; ++i) {
        if (i % 64 == 0)
          bits = random();
        moved.floats[i] += (bits >> (i % 64) & 1) ? local[i] : -local[i];
      }
      values->set(result, std::move(moved));
    }
  }

  func::FuncOp function;
  bool hasShortSums;
  std::deque<ReferenceValues> storage;
  std::vector<ReferenceValues *> sets; // the exact values first, those moved up last
  std::vector<std::mt19937_64> randoms;
  llvm::DenseMap<Value, std::vector<double>> bounds;
};

} // namespace

FailureOr<std::vector<BoundedTensor>> evaluateWithBounds(func::FuncOp function, ArrayRef<ReferenceTensor> inputs,
                                                         WeightLookup weights, int samples, uint64_t seed,
                                                         bool hasShortSums) {
  return Sampler(function, weights, samples, seed, hasShortSums).run(inputs);
}

} // namespace tenon
