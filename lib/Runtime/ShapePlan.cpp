#include "lib/Runtime/ShapePlan.h"

#include "lib/Runtime/CudaModel.h"
#include "lib/Runtime/StaticValues.h"

#include <algorithm>

namespace tenon {

//===--- from inputs to dimensions -------------------------------------------------------------------------------===//

static std::string expectedShape(const PlanValue &value) {
  std::string text = "[";
  for (size_t i = 0; i < value.shape.size(); ++i)
    text += (i ? ", " : "") + value.shape[i].str();
  return text + "]";
}

static constexpr int64_t unbound = -1;

Status bindDims(const LaunchPlan &plan, const std::vector<TensorRef> &inputs, std::vector<int64_t> &dims) {
  dims.assign(plan.dims.size(), unbound);
  if (inputs.size() != plan.inputs.size())
    return invalidArgument("got " + std::to_string(inputs.size()) + " inputs, expected " +
                           std::to_string(plan.inputs.size()));
  auto where = [&](size_t i) { return "input " + std::to_string(i) + " '" + plan.values[plan.inputs[i]].name + "'"; };
  for (size_t i = 0; i < inputs.size(); ++i) {
    const PlanValue &value = plan.values[plan.inputs[i]];
    const TensorRef &input = inputs[i];
    if (input.dtype != value.dtype)
      return invalidArgument(where(i) + " is " + std::string(dataTypeName(input.dtype)) + ", expected " +
                             std::string(dataTypeName(value.dtype)));
    if (input.shape.size() != value.shape.size())
      return invalidArgument(where(i) + " has rank " + std::to_string(input.shape.size()) + " " +
                             shapeText(input.shape) + ", expected rank " + std::to_string(value.shape.size()) + " " +
                             expectedShape(value));
    if (!bytesOfShape(input.dtype, input.shape))
      return invalidArgument(where(i) + " has the impossible shape " + shapeText(input.shape));
    TENON_TRY(checkAddress(input, [&] { return where(i); }));
    for (size_t axis = 0; axis < input.shape.size(); ++axis) {
      const Expr &size = value.shape[axis];
      if (size.kind != Expr::Kind::Dim)
        continue;
      size_t d = 0;
      while (plan.dims[d].name != size.dim)
        ++d;
      int64_t got = input.shape[axis];
      if (got < plan.dims[d].lo || got > plan.dims[d].hi)
        return invalidArgument(where(i) + " has size " + std::to_string(got) + " at axis " + std::to_string(axis) +
                               " (" + size.dim + "), expected " + std::to_string(plan.dims[d].lo) + " to " +
                               std::to_string(plan.dims[d].hi));
      if (dims[d] != unbound && dims[d] != got)
        return invalidArgument(where(i) + " has size " + std::to_string(got) + " at axis " + std::to_string(axis) +
                               " (" + size.dim + "), but an earlier input has " + std::to_string(dims[d]) +
                               " for the same dimension");
      dims[d] = got;
    }
  }
  // Static sizes, and sizes that follow from dimensions bound by now.
  for (size_t i = 0; i < inputs.size(); ++i)
    for (size_t axis = 0; axis < inputs[i].shape.size(); ++axis) {
      const Expr &size = plan.values[plan.inputs[i]].shape[axis];
      if (size.kind == Expr::Kind::Dim)
        continue;
      int64_t expected = size.value;
      if (!size.isConstant()) {
        TENON_TRY_ASSIGN(expected, size.evaluate([&](std::string_view name) -> const int64_t * {
          for (size_t d = 0; d < dims.size(); ++d)
            if (plan.dims[d].name == name)
              return &dims[d];
          return nullptr;
        }));
      }
      if (inputs[i].shape[axis] != expected)
        return invalidArgument(where(i) + " has size " + std::to_string(inputs[i].shape[axis]) + " at axis " +
                               std::to_string(axis) + ", expected " + std::to_string(expected) +
                               (size.isConstant() ? "" : " = " + size.str()) + "; its shape is " +
                               expectedShape(plan.values[plan.inputs[i]]));
    }
  return {};
}

static Status checkConditions(const LaunchPlan &plan, const std::vector<int64_t> &dims) {
  using Relation = PlanCondition::Relation;
  auto lookup = [&](std::string_view name) -> const int64_t * {
    for (size_t d = 0; d < dims.size(); ++d)
      if (plan.dims[d].name == name)
        return &dims[d];
    return nullptr;
  };
  for (const PlanCondition &condition : plan.conditions) {
    TENON_TRY_ASSIGN(int64_t a, condition.a.evaluate(lookup));
    TENON_TRY_ASSIGN(int64_t b, condition.b.evaluate(lookup));
    bool holds = condition.relation == Relation::Equal    ? a == b
                 : condition.relation == Relation::AtMost ? a <= b
                                                          : a == 0 || b != 0;
    if (holds)
      continue;
    auto side = [](const Expr &expr, int64_t value) {
      return expr.isConstant() ? expr.str() : expr.str() + " (" + std::to_string(value) + ")";
    };
    std::string left = side(condition.a, a), right = side(condition.b, b);
    return invalidArgument("the sizes of the inputs do not fit together: " + condition.source + " takes " +
                           (condition.relation == Relation::Equal    ? left + " = " + right
                            : condition.relation == Relation::AtMost ? left + " <= " + right
                                                                     : right + " above 0 where " + left + " is"));
  }
  return {};
}

//===--- from dimensions to a plan -------------------------------------------------------------------------------===//

static constexpr int64_t hostAlignment = 64, deviceAlignment = 256;

// Temporaries live from the launch that writes them to the last that reads them or a view of them; a GPU's workspace
// lives during its launch. One with counters lies at the arena's start, where all such and nothing else do: each launch
// leaves the counters as it found them, and the next one touches them when it has ended.
static Status placeTemps(const LaunchPlan &plan, const std::vector<int64_t> &bytes, ShapePlan &shapes) {
  std::vector<Lifetime> lifetimes;
  std::vector<int64_t> slot(plan.values.size(), -1);
  int64_t total = 0, alignment = shapes.cudaLaunches.empty() ? hostAlignment : deviceAlignment;
  auto add = [&](int64_t size, int64_t step) -> Status {
    if (size > INT64_MAX - alignment ||
        __builtin_add_overflow(total, (size + alignment - 1) / alignment * alignment, &total))
      return outOfMemory("the temporaries of this call pass 63 bits of bytes");
    lifetimes.push_back({size, step, step});
    return {};
  };
  for (size_t step = 0; step < plan.launches.size(); ++step) {
    int64_t now = static_cast<int64_t>(step);
    for (int64_t id : plan.launches[step].operands)
      if (int64_t place = slot[viewedValue(plan, id)]; place >= 0)
        lifetimes[place].last = now;
    for (int64_t id : plan.launches[step].results) {
      if (plan.values[id].kind != ValueKind::Temp)
        continue;
      slot[id] = static_cast<int64_t>(lifetimes.size());
      TENON_TRY(add(bytes[id], now));
    }
  }
  for (int64_t id : plan.outputs)
    if (plan.values[id].source >= 0)
      if (int64_t place = slot[viewedValue(plan, plan.values[id].source)]; place >= 0)
        lifetimes[place].last = static_cast<int64_t>(plan.launches.size());
  size_t firstWorkspace = lifetimes.size();
  int64_t front = shapes.counters;
  for (size_t step = 0; step < shapes.cudaLaunches.size(); ++step) {
    const cuda::PreparedLaunch &launch = shapes.cudaLaunches[step];
    front = std::max(front, launch.counters ? launch.workspace : 0);
    TENON_TRY(add(launch.counters ? 0 : launch.workspace, static_cast<int64_t>(step)));
  }
  TENON_TRY(add(front, 0)); // that all of them pass no bounds
  lifetimes.pop_back();
  front = (front + alignment - 1) / alignment * alignment;
  shapes.arena = planArena(lifetimes, alignment);
  shapes.arena.bytes += front;
  for (int64_t &offset : shapes.arena.offsets)
    offset += front;
  for (size_t step = 0; step < shapes.cudaLaunches.size(); ++step)
    shapes.cudaLaunches[step].workspaceAt =
        shapes.cudaLaunches[step].counters ? 0 : shapes.arena.offsets[firstWorkspace + step];
  shapes.tempOffsets.assign(plan.values.size(), 0);
  for (size_t id = 0; id < slot.size(); ++id)
    if (slot[id] >= 0)
      shapes.tempOffsets[id] = shapes.arena.offsets[slot[id]];
  return {};
}

Result<std::unique_ptr<ShapePlan>> makeShapePlan(const Executable &executable, const std::vector<int64_t> &dims) {
  const LaunchPlan &plan = executable.plan();
  auto lookup = [&](std::string_view name) -> const int64_t * {
    for (size_t d = 0; d < dims.size(); ++d)
      if (plan.dims[d].name == name)
        return &dims[d];
    return nullptr;
  };
  TENON_TRY(checkConditions(plan, dims));
  auto shapes = std::make_unique<ShapePlan>();
  std::vector<int64_t> bytes(plan.values.size(), 0);
  std::vector<std::vector<int64_t>> valueShapes(plan.values.size());
  shapes->sizes.assign(plan.values.size(), 0);
  for (const PlanValue &value : plan.values) {
    std::vector<int64_t> &shape = valueShapes[value.id];
    for (const Expr &size : value.shape) {
      TENON_TRY_ASSIGN(int64_t number, size.evaluate(lookup));
      shape.push_back(number);
    }
    std::optional<int64_t> needed = bytesOfShape(value.dtype, shape);
    if (!needed)
      return invalidArgument("these input sizes give value " + std::to_string(value.id) + " (" +
                             std::string(valueKindName(value.kind)) + ") the impossible shape " + shapeText(shape));
    bytes[value.id] = *needed;
    if (value.kind == ValueKind::Size) {
      TENON_TRY_ASSIGN(shapes->sizes[value.id], value.size.evaluate(lookup));
    }
    int64_t source = value.source;
    if ((value.kind == ValueKind::View && bytes[value.id] != bytes[source]))
      return corrupt("launch plan: view " + std::to_string(value.id) + " has " + std::to_string(bytes[value.id]) +
                     " bytes, its source " + std::to_string(bytes[source]));
  }
  for (int64_t id : plan.outputs) {
    int64_t source = plan.values[id].source;
    if (source >= 0 && bytes[source] != bytes[id])
      return corrupt("launch plan: output '" + plan.values[id].name + "' has another size than the value it copies");
    shapes->outputShapes.push_back(valueShapes[id]);
    shapes->outputBytes.push_back(bytes[id]);
  }
  if (const cuda::Model *model = executable.cuda()) {
    for (const PlanLaunch &launch : plan.launches) {
      TENON_TRY_ASSIGN(cuda::PreparedLaunch prepared,
                       cuda::prepareLaunch(plan, model->kernels(), launch, lookup, bytes));
      shapes->cudaLaunches.push_back(std::move(prepared));
    }
    shapes->counters = counterBytesOf(plan);
    TENON_TRY(placeTemps(plan, bytes, *shapes));
    return shapes;
  }
  TENON_TRY(placeTemps(plan, bytes, *shapes));
  for (const PlanLaunch &launch : plan.launches) {
    TENON_TRY_ASSIGN(PreparedLaunch prepared, prepareLaunch(executable, launch, lookup));
    prepared.updates = updatesOf(plan, launch, [&](int64_t id) { return bytes[id]; });
    shapes->scratch = std::max(shapes->scratch, prepared.scratchOfAll());
    shapes->launches.push_back(std::move(prepared));
  }
  return shapes;
}

} // namespace tenon
