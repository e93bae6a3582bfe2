// What a launch plan says, for people and for programs: signature, weights, and every kernel with its schedule and what
// it costs at given sizes. Shared by tenon-inspect and the report of tenon-compile.
#pragma once

#include "lib/Runtime/Manifest.h"

#include <nlohmann/json.hpp>

#include <map>
#include <string>

namespace tenon::tool {

using Sizes = std::map<std::string, int64_t>;

/// A size for every dimension of the plan: the one in `given`, else 16 or the nearest bound. InvalidArgument for a name
/// the plan has not or a size outside its bounds.
Result<Sizes> completeSizes(const LaunchPlan &plan, const Sizes &given);

/// Costs are evaluated at `sizes`, which has every dimension.
Result<nlohmann::ordered_json> describePlan(const LaunchPlan &plan, const Sizes &sizes);

/// The plans of entries by name: describePlan of each under "entries", or of the only "main" by itself. A size in
/// `given` may be of a dimension that only some have.
Result<nlohmann::ordered_json> describePlans(const std::vector<NamedPlan> &plans, const Sizes &given);

/// `description`: what describePlan or describePlans gave.
std::string planText(const nlohmann::ordered_json &description);

/// Columns under each other, two blanks between; a column of numbers stands to the right.
std::string tableText(const std::vector<std::vector<std::string>> &rows);

/// "1.5 MB"; powers of 1000.
std::string bytesText(int64_t bytes);

} // namespace tenon::tool
