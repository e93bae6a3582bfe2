#include "lib/Runtime/StaticValues.h"

namespace tenon {

Result<std::vector<int64_t>> staticShape(const PlanValue &value) {
  std::vector<int64_t> shape;
  for (const Expr &size : value.shape)
    shape.push_back(size.value);
  if (!bytesOfShape(value.dtype, shape))
    return corrupt("launch plan: the size of value " + std::to_string(value.id) + " " + shapeText(shape) +
                   " overflows 64 bits");
  return shape;
}

Result<std::string_view> constantBytes(const PlanValue &value, std::string_view constants) {
  TENON_TRY_ASSIGN(std::vector<int64_t> shape, staticShape(value));
  int64_t bytes = *bytesOfShape(value.dtype, shape), whole = static_cast<int64_t>(constants.size());
  if (value.offset > whole || bytes > whole - value.offset)
    return corrupt("launch plan: constant " + std::to_string(value.id) + " reaches past the " + std::to_string(whole) +
                   " bytes of constants.bin");
  return constants.substr(static_cast<size_t>(value.offset), static_cast<size_t>(bytes));
}

Result<TensorRef> findWeight(const PlanValue &value, const WeightSource *weights) {
  if (!weights)
    return notFound("weight '" + value.name +
                    "' is needed, but no weights were given: name the model's .safetensors file (--weights=FILE), or "
                    "try it on made-up ones (--weights=random)");
  TENON_TRY_ASSIGN(std::vector<int64_t> shape, staticShape(value));
  TENON_TRY_ASSIGN(TensorRef weight, weights->find(value.name));
  if (weight.dtype != value.dtype || weight.shape != shape)
    return invalidArgument("weight '" + value.name + "' is " + std::string(dataTypeName(weight.dtype)) + " " +
                           shapeText(weight.shape) + ", expected " + std::string(dataTypeName(value.dtype)) + " " +
                           shapeText(shape) + ": give the weights the model was compiled for");
  return weight;
}

std::vector<bool> readByCalls(const LaunchPlan &plan) {
  std::vector<bool> isRead(plan.values.size(), false);
  for (const PlanLaunch &launch : plan.launches)
    for (int64_t id : launch.operands)
      isRead[viewedValue(plan, id)] = true;
  for (const PlanValue &value : plan.values)
    if (value.kind == ValueKind::Output && value.source >= 0)
      isRead[viewedValue(plan, value.source)] = true;
  return isRead;
}

//===--- what entries share --------------------------------------------------------------------------------------===//

static std::string sharedName(const PlanValue &value) {
  if (value.kind == ValueKind::Weight)
    return "weight " + value.name;
  return value.kind == ValueKind::Persistent && !value.name.empty() ? "made " + value.name : std::string();
}

SharedValues::SharedValues(const std::vector<const LaunchPlan *> &plans) {
  for (const LaunchPlan *plan : plans) {
    std::vector<bool> isRead = readByCalls(*plan);
    for (const PlanValue &value : plan->values)
      if (isRead[value.id])
        readByAny.insert(sharedName(value));
  }
}

const SharedValues::Place *SharedValues::find(const PlanValue &value) const {
  auto found = places.find(sharedName(value));
  return found == places.end() ? nullptr : &found->second;
}

void SharedValues::add(const PlanValue &value, Place place) {
  if (std::string name = sharedName(value); !name.empty())
    places.emplace(std::move(name), std::move(place));
}

bool SharedValues::isReadByCalls(const PlanValue &value) const {
  std::string name = sharedName(value);
  return !name.empty() && readByAny.count(name) != 0;
}

LoadNeeds loadNeeds(const LaunchPlan &plan, const SharedValues *shared) {
  LoadNeeds needs = {readByCalls(plan), std::vector<bool>(plan.init.size(), false)};
  for (size_t index = plan.init.size(); index-- > 0;) {
    for (int64_t id : plan.init[index].results)
      if (needs.values[id] && !(shared && shared->find(plan.values[id])))
        needs.launches[index] = true;
    if (needs.launches[index])
      for (int64_t id : plan.init[index].operands)
        needs.values[viewedValue(plan, id)] = true;
  }
  return needs;
}

} // namespace tenon
