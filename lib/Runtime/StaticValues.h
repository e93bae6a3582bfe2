// What the plan's values are that are known when a model is loaded, wherever they then lie: for the CPU where they are,
// for a GPU in its memory.
#pragma once

#include "lib/Runtime/LaunchPlan.h"
#include "lib/Runtime/Weights.h"

namespace tenon {

/// The shape of a weight, constant or persistent value; Corrupt when its bytes overflow 64 bits.
Result<std::vector<int64_t>> staticShape(const PlanValue &value);

/// The bytes of a constant in constants.bin; Corrupt when it reaches past the end.
Result<std::string_view> constantBytes(const PlanValue &value, std::string_view constants);

/// The weight of this value with type and shape checked. `weights` may be null: then none were given.
Result<TensorRef> findWeight(const PlanValue &value, const WeightSource *weights);

/// By value id: whether launches of a call read it, themselves or through views, or an output copies it. What only
/// launches at load read is not needed after them.
std::vector<bool> readByCalls(const LaunchPlan &plan);

} // namespace tenon
