#include "lib/Runtime/Manifest.h"

#include "lib/Runtime/LaunchPlanJson.h"

#include <algorithm>
#include <map>

namespace tenon {

static constexpr int64_t entriesFormat = 4; ///< plans themselves have others, up to LaunchPlan::currentFormat
static constexpr int64_t newestFormat = std::max(entriesFormat, LaunchPlan::currentFormat);
static constexpr size_t longestName = 100;

static bool isName(std::string_view name) {
  return !name.empty() && name.size() <= longestName &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; });
}

// What loads them takes what has one name for one thing.
static Status checkTogether(const std::vector<NamedPlan> &plans) {
  if (plans.empty())
    return corrupt("manifest: it has no entries");
  std::map<std::string_view, std::string_view> names;
  std::map<std::pair<ValueKind, std::string_view>, const PlanValue *> values;
  for (const auto &[name, plan] : plans) {
    if (!isName(name))
      return corrupt("manifest: the name of entry '" + name + "' must be letters, digits, '_' and '-', at most " +
                     std::to_string(longestName));
    if (!names.try_emplace(name, name).second)
      return corrupt("manifest: there are two entries '" + name + "'");
    if (plan->target != plans.front().plan->target)
      return corrupt("manifest: entry '" + name + "' is for '" + plan->target + "', entry '" + plans.front().name +
                     "' for '" + plans.front().plan->target + "'");
    for (const PlanValue &value : plan->values) {
      if (value.kind != ValueKind::Weight && (value.kind != ValueKind::Persistent || value.name.empty()))
        continue;
      const PlanValue &first = *values.try_emplace({value.kind, value.name}, &value).first->second;
      if (first.dtype != value.dtype || !(first.shape == value.shape))
        return corrupt("manifest: the " + std::string(valueKindName(value.kind)) + " '" + value.name +
                       "' has another type in entry '" + name + "' than in one before");
    }
  }
  return {};
}

Result<std::string> writeManifest(const std::vector<NamedPlan> &plans) {
  for (const NamedPlan &named : plans)
    TENON_TRY(validateLaunchPlan(*named.plan));
  TENON_TRY(checkTogether(plans));
  if (isPlainEntry(plans.size(), plans.front().name))
    return writeLaunchPlan(*plans.front().plan);
  nlohmann::ordered_json json = {{"format", entriesFormat}, {"entries", nlohmann::ordered_json::array()}};
  for (const auto &[name, plan] : plans)
    json["entries"].push_back({{"name", name}, {"plan", launchPlanToJson(*plan)}});
  return manifestText(json);
}

Result<std::vector<std::pair<std::string, LaunchPlan>>> readManifest(std::string_view text) {
  nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_object())
    return corrupt("manifest: not a JSON object");
  std::vector<std::pair<std::string, LaunchPlan>> plans;
  auto format = json.find("format");
  bool isInteger = format != json.end() && format->is_number_integer();
  if (isInteger && *format > newestFormat)
    return unsupported("manifest: format " + format->dump() + ", this runtime reads 1 to " +
                       std::to_string(newestFormat) +
                       ": update the runtime, or rebuild the artefact with tenon-compile of this version");
  if (!isInteger || *format != entriesFormat) {
    TENON_TRY_ASSIGN(LaunchPlan plan, launchPlanFromJson(json));
    plans.emplace_back(mainEntry, std::move(plan));
    return plans;
  }
  auto entries = json.find("entries");
  if (json.size() != 2 || entries == json.end() || !entries->is_array())
    return corrupt("manifest: of format 4 it has 'format' and an array 'entries', and nothing else");
  for (const nlohmann::json &entry : *entries) {
    auto name = entry.is_object() ? entry.find("name") : entry.end();
    auto plan = entry.is_object() ? entry.find("plan") : entry.end();
    if (!entry.is_object() || entry.size() != 2 || name == entry.end() || !name->is_string() || plan == entry.end())
      return corrupt("manifest: entry " + std::to_string(plans.size()) + " is no object of 'name' and 'plan'");
    Result<LaunchPlan> read = launchPlanFromJson(*plan);
    if (!read.ok())
      return read.status().in("entry '" + name->get<std::string>() + "'");
    plans.emplace_back(name->get<std::string>(), read.take());
  }
  std::vector<NamedPlan> named;
  for (const auto &[name, plan] : plans)
    named.push_back({name, &plan});
  TENON_TRY(checkTogether(named));
  return plans;
}

} // namespace tenon
