// Relocatable objects -> a shared object, by lld in this process: nobody has to have a linker installed.
#pragma once

#include "lib/Support/Status.h"

#include <string>
#include <vector>

namespace tenon {

/// Deterministic: no build id, no paths. Calls take turns: lld keeps global state.
Result<std::string> linkSharedObject(const std::vector<std::string> &objects);

} // namespace tenon
