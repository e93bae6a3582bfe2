// Element by element: every difference against its own bound, and where the worst one is.
#pragma once

#include "lib/Reference/ReferenceTensor.h"
#include "lib/Support/Status.h"

#include <nlohmann/json.hpp>

namespace tenon::tool {

struct Comparison {
  int64_t count = 0, outside = 0; ///< elements; those past their bound
  double largest = 0;             ///< the largest difference
  double share = 0;               ///< the largest difference as a share of its bound, at `worst`
  int64_t worst = -1;
  double got = 0, expected = 0, bound = 0; ///< at `worst`
  bool ok() const { return outside == 0; }
};

/// NaN meets NaN and an infinity itself; integers must be equal unless their bound says otherwise. Shapes are equal.
Comparison compare(const ReferenceTensor &got, const ReferenceTensor &expected,
                   llvm::function_ref<double(int64_t)> boundOf);

/// "largest error 3.1e-07 (0.21 of its bound at [3, 0]: got 0.5, expected 0.5); 0 of 64 elements outside".
std::string comparisonText(const Comparison &comparison, llvm::ArrayRef<int64_t> shape);
nlohmann::ordered_json comparisonJson(const Comparison &comparison, llvm::ArrayRef<int64_t> shape);

} // namespace tenon::tool
