// What the plan's values are that are known when a model is loaded, wherever they then lie: for the CPU where they are,
// for a GPU in its memory.
#pragma once

#include "lib/Runtime/LaunchPlan.h"
#include "lib/Runtime/Weights.h"

#include <map>
#include <set>

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

/// What entries of one artefact have in common: a weight by its key, and what launches at load made of weights by its
/// name. Each is in memory once. Lives while the entries are loaded, one after the other.
class SharedValues {
public:
  explicit SharedValues(const std::vector<const LaunchPlan *> &plans);

  struct Place {
    void *address = nullptr;
    int64_t bytes = 0;
    std::shared_ptr<const void> owner; ///< of the memory
  };
  /// Null: no entry before has it, or it goes by no name.
  const Place *find(const PlanValue &value) const;
  void add(const PlanValue &value, Place place);
  /// Whether calls of any entry read it.
  bool isReadByCalls(const PlanValue &value) const;

private:
  std::map<std::string, Place> places;
  std::set<std::string> readByAny;
};

/// What is left to do at load where some values are there already.
struct LoadNeeds {
  std::vector<bool> values;   ///< by id: read by calls, or by launches at load that run
  std::vector<bool> launches; ///< of LaunchPlan::init: which run
};
/// `shared` may be null: then nothing is there.
LoadNeeds loadNeeds(const LaunchPlan &plan, const SharedValues *shared);

} // namespace tenon
