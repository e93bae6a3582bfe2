// manifest.json of an artefact: the launch plan of its only entry, or, since format 4, the plans of several by their
// names. An entry is one way into a model, as of a prompt and of one token after it; all have the same weights.
#pragma once

#include "lib/Runtime/LaunchPlan.h"

#include <utility>

namespace tenon {

/// What the only entry of a model is called, whose manifest is a plan and nothing else, as older runtimes read it.
inline constexpr std::string_view mainEntry = "main";
inline bool isPlainEntry(size_t numEntries, std::string_view name) { return numEntries == 1 && name == mainEntry; }

struct NamedPlan {
  std::string name;
  const LaunchPlan *plan;
};

/// Errors: as of readManifest, but that the plans are not valid is Corrupt of whoever made them.
Result<std::string> writeManifest(const std::vector<NamedPlan> &plans);

/// Each plan is valid by itself; names are letters, digits, '_' and '-', no two alike; all plans are for one target;
/// what goes by one name in several of them has one type.
Result<std::vector<std::pair<std::string, LaunchPlan>>> readManifest(std::string_view json);

} // namespace tenon
