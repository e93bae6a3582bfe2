// Whether a run's outputs are right: against the float64 reference, or against arrays from elsewhere.
#pragma once

#include "tools/tenon-run/Model.h"
#include "tools/tenon-run/ModelReference.h"
#include "tools/tenon-run/Report.h"

#include <optional>

namespace tenon::tool {

/// Against the float64 reference (null: the artefact has none), each element within the bound that the model's
/// arithmetic gives.
Status check(const Model &model, const std::vector<Input> &inputs, const std::vector<Array> &outputs,
             ModelReference *reference, bool hasShortSums, Report &report);

/// Arrays from elsewhere, and how far the outputs may be from them.
struct Expectation {
  std::string file; ///< empty: none
  std::optional<double> rtol, atol;
};

/// |got - expected| <= atol + rtol |expected|.
Status compareWithFile(const Expectation &expectation, const std::vector<Array> &outputs, Report &report);

} // namespace tenon::tool
