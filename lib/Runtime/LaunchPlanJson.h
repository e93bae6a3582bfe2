// A launch plan as the JSON object that it is in manifest.json.
#pragma once

#include "lib/Runtime/LaunchPlan.h"

#include <nlohmann/json.hpp>

namespace tenon {

nlohmann::ordered_json launchPlanToJson(const LaunchPlan &plan);
Result<LaunchPlan> launchPlanFromJson(const nlohmann::json &json);
/// As it stands in the file.
std::string manifestText(const nlohmann::ordered_json &json);

} // namespace tenon
