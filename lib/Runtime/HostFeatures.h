// What a processor must have to run the kernels of a plan. An instruction it lacks ends the process, so a plan is
// refused before its code is loaded; a feature of an unknown name is one that nobody has checked for.
#pragma once

#include "lib/Runtime/LaunchPlan.h"

#include <map>

namespace tenon {

/// The features this runtime knows, by LLVM's names, and whether this machine has each.
const std::map<std::string, bool> &hostFeatures();

Status checkFeatures(const LaunchPlan &plan, const std::map<std::string, bool> &host = hostFeatures());

} // namespace tenon
