// The launch plan as JSON. The reader trusts nothing: every field is fetched with its type, unknown fields are refused
// (a newer writer raises the format number instead), nesting of expressions is capped, and the whole is validated.
#include "lib/Runtime/LaunchPlanJson.h"

#include <algorithm>

namespace tenon {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json; // keeps the writer's order; its look-up is linear, so never for reading

static constexpr int maxExprDepth = 64;
static constexpr std::pair<Expr::Kind, const char *> operators[] = {
    {Expr::Kind::Add, "+"},           {Expr::Kind::Mul, "*"},
    {Expr::Kind::CeilDiv, "ceildiv"}, {Expr::Kind::FloorDiv, "floordiv"},
    {Expr::Kind::Mod, "mod"},         {Expr::Kind::Max, "max"},
    {Expr::Kind::Min, "min"},
};

//===--- writing -------------------------------------------------------------------------------------------------===//

static OrderedJson toJson(const Expr &expr) {
  if (expr.kind == Expr::Kind::Constant)
    return expr.value;
  if (expr.kind == Expr::Kind::Dim)
    return expr.dim;
  OrderedJson array = OrderedJson::array();
  for (auto [kind, name] : operators)
    if (kind == expr.kind)
      array.push_back(name);
  for (const Expr &operand : expr.operands)
    array.push_back(toJson(operand));
  return array;
}

static OrderedJson toJson(const std::vector<Expr> &exprs) {
  OrderedJson array = OrderedJson::array();
  for (const Expr &expr : exprs)
    array.push_back(toJson(expr));
  return array;
}

static OrderedJson toJson(const PlanValue &value) {
  OrderedJson json = {{"id", value.id}, {"kind", valueKindName(value.kind)}, {"dtype", dataTypeName(value.dtype)}};
  json["shape"] = toJson(value.shape);
  if (value.kind == ValueKind::Input || value.kind == ValueKind::Output || value.kind == ValueKind::Weight ||
      !value.name.empty())
    json["name"] = value.name;
  if (value.source >= 0)
    json["source"] = value.source;
  if (value.over >= 0)
    json["over"] = value.over;
  if (value.kind == ValueKind::Constant)
    json["offset"] = value.offset;
  if (value.kind == ValueKind::Size)
    json["size"] = toJson(value.size);
  if (!value.sha256.empty())
    json["sha256"] = value.sha256;
  return json;
}

static OrderedJson toJson(const std::vector<PlanLaunch> &launches) {
  OrderedJson array = OrderedJson::array();
  for (const PlanLaunch &launch : launches) {
    array.push_back({{"kernel", launch.kernel},
                     {"operands", launch.operands},
                     {"results", launch.results},
                     {"dims", toJson(launch.dims)}});
    if (launch.programmatic)
      array.back()["programmatic"] = true;
  }
  return array;
}

static constexpr std::string_view tf32Name = "tf32";

static OrderedJson toJson(const PlanTensorMap &map) {
  return {{"argument", map.argument},
          {"dtype", map.roundsToTf32 ? tf32Name : dataTypeName(map.dtype)},
          {"offset", toJson(map.offset)},
          {"sizes", toJson(map.sizes)},
          {"strides", toJson(map.strides)},
          {"box", map.box},
          {"swizzle", map.swizzle},
          {"l2_promotion", map.l2Promotion},
          {"fill", map.fillNan ? "nan" : "zero"}};
}

static OrderedJson toJson(const PlanCudaKernel &kernel) {
  OrderedJson json = {{"cubin", kernel.cubin},
                      {"grid", toJson(std::vector<Expr>(kernel.grid.begin(), kernel.grid.end()))},
                      {"block", kernel.block},
                      {"cluster", kernel.cluster},
                      {"shared", toJson(kernel.sharedBytes)},
                      {"zeroed", toJson(kernel.zeroedBytes)}};
  json["tensor_maps"] = OrderedJson::array();
  for (const PlanTensorMap &map : kernel.tensorMaps)
    json["tensor_maps"].push_back(toJson(map));
  if (kernel.counterBytes)
    json["counters"] = kernel.counterBytes;
  if (kernel.waveCtas)
    json["one_wave"] = true;
  if (kernel.waveCtas > 1)
    json["resident"] = kernel.waveCtas;
  if (!kernel.countedSizes.empty())
    json["counted_sizes"] = toJson(kernel.countedSizes);
  if (!kernel.fallback.empty())
    json["fallback"] = kernel.fallback;
  return json;
}

// A kernel has a grid of tasks (CPU) or a field `cuda`.
static OrderedJson toJson(const PlanKernel &kernel) {
  OrderedJson json = {{"symbol", kernel.symbol}};
  if (kernel.cuda)
    json["cuda"] = toJson(*kernel.cuda);
  else
    json["grid"] = toJson(kernel.grid);
  json["scratch"] = toJson(kernel.scratch);
  json["flops"] = toJson(kernel.flops);
  json["bytes"] = toJson(kernel.bytes);
  json["schedule"] = kernel.schedule;
  json["sources"] = kernel.sources;
  if (!kernel.updates.empty())
    json["updates"] = kernel.updates;
  return json;
}

OrderedJson launchPlanToJson(const LaunchPlan &plan) {
  OrderedJson json = {{"format", plan.format}, {"compiler", plan.compiler}, {"target", plan.target}};
  json["features"] = plan.features;
  if (!plan.metadata.empty())
    json["metadata"] = plan.metadata;
  json["dims"] = OrderedJson::array();
  for (const PlanDim &dim : plan.dims)
    json["dims"].push_back({{"name", dim.name}, {"lo", dim.lo}, {"hi", dim.hi}});
  for (const PlanCondition &condition : plan.conditions)
    json["conditions"].push_back({{"a", toJson(condition.a)},
                                  {"is", relationName(condition.relation)},
                                  {"b", toJson(condition.b)},
                                  {"source", condition.source}});
  json["inputs"] = plan.inputs;
  json["outputs"] = plan.outputs;
  json["values"] = OrderedJson::array();
  for (const PlanValue &value : plan.values)
    json["values"].push_back(toJson(value));
  json["init"] = toJson(plan.init);
  json["launches"] = toJson(plan.launches);
  json["kernels"] = OrderedJson::object();
  for (const auto &[name, kernel] : plan.kernels)
    json["kernels"][name] = toJson(kernel);
  return json;
}

std::string manifestText(const OrderedJson &json) {
  return json.dump(1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

std::string writeLaunchPlan(const LaunchPlan &plan) { return manifestText(launchPlanToJson(plan)); }

//===--- reading -------------------------------------------------------------------------------------------------===//

namespace {
/// Reads one plan; the first error stays and all later reads give empty values.
class PlanReader {
public:
  Result<LaunchPlan> read(const Json &json) {
    if (!json.is_object())
      return corrupt("launch plan: not a JSON object");
    LaunchPlan plan;
    plan.format = integer(json, "format", "launch plan");
    if (!status.ok())
      return status;
    if (plan.format > LaunchPlan::currentFormat || plan.format < 1)
      return unsupported("launch plan: format " + std::to_string(plan.format) + ", this runtime reads 1 to " +
                         std::to_string(LaunchPlan::currentFormat) +
                         ": update the runtime, or rebuild the artefact with tenon-compile of this version");
    only(json,
         {"format", "compiler", "target", "features", "metadata", "dims", "conditions", "inputs", "outputs", "values",
          "init", "launches", "kernels"},
         "launch plan");
    plan.compiler = textField(json, "compiler", "launch plan");
    plan.target = textField(json, "target", "launch plan");
    plan.features = strings(json, "features", "launch plan");
    if (json.contains("metadata"))
      plan.metadata = textField(json, "metadata", "launch plan");
    each(json, "dims", [&](const Json &item, const std::string &where) {
      only(item, {"name", "lo", "hi"}, where);
      plan.dims.push_back({textField(item, "name", where), integer(item, "lo", where), integer(item, "hi", where)});
    });
    if (json.contains("conditions"))
      each(json, "conditions",
           [&](const Json &item, const std::string &where) { plan.conditions.push_back(condition(item, where)); });
    plan.inputs = integers(json, "inputs", "launch plan");
    plan.outputs = integers(json, "outputs", "launch plan");
    each(json, "values",
         [&](const Json &item, const std::string &where) { plan.values.push_back(value(item, where)); });
    each(json, "init", [&](const Json &item, const std::string &where) { plan.init.push_back(launch(item, where)); });
    each(json, "launches",
         [&](const Json &item, const std::string &where) { plan.launches.push_back(launch(item, where)); });
    const Json *kernels = field(json, "kernels", "launch plan");
    if (kernels && !kernels->is_object())
      fail("launch plan: 'kernels' is not an object");
    else if (kernels)
      for (const auto &[name, item] : kernels->items())
        plan.kernels[name] = kernel(item, "kernel '" + name + "'");
    if (!status.ok())
      return status;
    TENON_TRY(validateLaunchPlan(plan));
    return plan;
  }

private:
  void fail(const std::string &message) {
    if (status.ok())
      status = corrupt(message);
  }

  const Json *field(const Json &object, const char *name, const std::string &where) {
    auto found = object.is_object() ? object.find(name) : object.end();
    if (!object.is_object() || found == object.end()) {
      fail(where + ": field '" + name + "' is missing");
      return nullptr;
    }
    return &*found;
  }

  void only(const Json &object, std::initializer_list<std::string_view> names, const std::string &where) {
    if (!object.is_object())
      return fail(where + ": not an object");
    for (const auto &[name, unused] : object.items())
      if (std::find(names.begin(), names.end(), name) == names.end())
        return fail(where + ": unknown field '" + name + "'");
  }

  static bool isInteger(const Json &json) {
    return json.is_number_integer() &&
           (!json.is_number_unsigned() || json.get<uint64_t>() <= static_cast<uint64_t>(INT64_MAX));
  }

  int64_t integer(const Json &object, const char *name, const std::string &where) {
    const Json *json = field(object, name, where);
    if (json && isInteger(*json))
      return json->get<int64_t>();
    fail(where + ": field '" + name + "' is not a 64-bit integer");
    return 0;
  }

  std::string textField(const Json &object, const char *name, const std::string &where) {
    const Json *json = field(object, name, where);
    if (json && json->is_string())
      return json->get<std::string>();
    fail(where + ": field '" + name + "' is not a string");
    return "";
  }

  template <typename Function>
  void each(const Json &object, const char *name, Function function, const std::string &parent = "") {
    const Json *json = field(object, name, parent.empty() ? "launch plan" : parent);
    if (!json || !json->is_array())
      return fail(std::string("launch plan: field '") + name + "' is not an array");
    for (size_t i = 0; i < json->size() && status.ok(); ++i)
      function((*json)[i], (parent.empty() ? "" : parent + ": ") + name + "[" + std::to_string(i) + "]");
  }

  std::vector<int64_t> integers(const Json &object, const char *name, const std::string &where) {
    std::vector<int64_t> result;
    each(
        object, name,
        [&](const Json &item, const std::string &place) {
          if (!isInteger(item))
            return fail(place + ": not a 64-bit integer");
          result.push_back(item.get<int64_t>());
        },
        where);
    return result;
  }

  std::vector<std::string> strings(const Json &object, const char *name, const std::string &where) {
    std::vector<std::string> result;
    each(
        object, name,
        [&](const Json &item, const std::string &place) {
          if (!item.is_string())
            return fail(place + ": not a string");
          result.push_back(item.get<std::string>());
        },
        where);
    return result;
  }

  Expr expr(const Json &json, const std::string &where, int depth = 0) {
    if (isInteger(json))
      return Expr::constant(json.get<int64_t>());
    if (json.is_string())
      return Expr::dimension(json.get<std::string>());
    Expr result;
    if (json.is_array() && json.size() >= 3 && json[0].is_string() && depth < maxExprDepth)
      for (auto [kind, name] : operators)
        if (json[0] == name)
          result.kind = kind;
    bool exactlyTwo =
        result.kind == Expr::Kind::CeilDiv || result.kind == Expr::Kind::FloorDiv || result.kind == Expr::Kind::Mod;
    if (result.kind == Expr::Kind::Constant || (exactlyTwo && json.size() != 3)) {
      fail(where + ": expected an integer, a dimension's name or [operator, expr, expr, ..], nested at most " +
           std::to_string(maxExprDepth) + " deep");
      return result;
    }
    for (size_t i = 1; i < json.size() && status.ok(); ++i)
      result.operands.push_back(expr(json[i], where, depth + 1));
    return result;
  }

  Expr exprField(const Json &object, const char *name, const std::string &where) {
    const Json *json = field(object, name, where);
    return json ? expr(*json, where + ": '" + name + "'") : Expr();
  }

  std::vector<Expr> exprs(const Json &object, const char *name, const std::string &where) {
    std::vector<Expr> result;
    each(object, name, [&](const Json &item, const std::string &place) { result.push_back(expr(item, place)); }, where);
    return result;
  }

  PlanCondition condition(const Json &json, const std::string &where) {
    using Relation = PlanCondition::Relation;
    only(json, {"a", "is", "b", "source"}, where);
    PlanCondition result;
    std::string is = textField(json, "is", where);
    bool isKnown = false;
    for (Relation relation : {Relation::Equal, Relation::AtMost, Relation::Needs})
      if (relationName(relation) == is)
        result.relation = relation, isKnown = true;
    if (!isKnown)
      fail(where + ": unknown relation '" + is + "'");
    result.a = exprField(json, "a", where);
    result.b = exprField(json, "b", where);
    result.source = textField(json, "source", where);
    return result;
  }

  PlanValue value(const Json &json, const std::string &where) {
    PlanValue result;
    only(json, {"id", "kind", "dtype", "shape", "name", "source", "over", "offset", "size", "sha256"}, where);
    result.id = integer(json, "id", where);
    std::string kind = textField(json, "kind", where);
    bool known = false;
    for (int i = 0; i <= static_cast<int>(ValueKind::Size); ++i)
      if (valueKindName(static_cast<ValueKind>(i)) == kind) {
        result.kind = static_cast<ValueKind>(i);
        known = true;
      }
    if (!known)
      fail(where + ": unknown kind '" + kind + "'");
    result.dtype = dtypeField(json, where);
    result.shape = exprs(json, "shape", where);
    if (!status.ok())
      return result;
    bool named =
        result.kind == ValueKind::Input || result.kind == ValueKind::Output || result.kind == ValueKind::Weight;
    if (named || json.contains("name"))
      result.name = textField(json, "name", where);
    if (result.kind == ValueKind::View || json.contains("source"))
      result.source = integer(json, "source", where);
    if (json.contains("over"))
      result.over = integer(json, "over", where);
    if (result.kind == ValueKind::Constant || json.contains("offset"))
      result.offset = integer(json, "offset", where);
    if (result.kind == ValueKind::Size || json.contains("size"))
      result.size = exprField(json, "size", where);
    if (json.contains("sha256"))
      result.sha256 = textField(json, "sha256", where);
    return result;
  }

  /// False where it is not there.
  bool flag(const Json &json, const char *name, const std::string &where) {
    if (!status.ok() || !json.contains(name))
      return false;
    if (!json[name].is_boolean())
      fail(where + ": field '" + name + "' is not a boolean");
    return status.ok() && json[name].get<bool>();
  }

  PlanLaunch launch(const Json &json, const std::string &where) {
    only(json, {"kernel", "operands", "results", "dims", "programmatic"}, where);
    PlanLaunch result{textField(json, "kernel", where), integers(json, "operands", where),
                      integers(json, "results", where), exprs(json, "dims", where)};
    result.programmatic = flag(json, "programmatic", where);
    return result;
  }

  DataType dtypeField(const Json &json, const std::string &where) {
    std::string name = textField(json, "dtype", where);
    if (std::optional<DataType> type = dataTypeFromName(name))
      return *type;
    fail(where + ": unknown dtype '" + name + "'");
    return DataType::F32;
  }

  PlanTensorMap tensorMap(const Json &json, const std::string &where) {
    only(json, {"argument", "dtype", "offset", "sizes", "strides", "box", "swizzle", "l2_promotion", "fill"}, where);
    PlanTensorMap result;
    result.argument = integer(json, "argument", where);
    result.roundsToTf32 = textField(json, "dtype", where) == tf32Name;
    result.dtype = result.roundsToTf32 ? DataType::F32 : dtypeField(json, where);
    result.offset = exprField(json, "offset", where);
    result.sizes = exprs(json, "sizes", where);
    result.strides = exprs(json, "strides", where);
    result.box = integers(json, "box", where);
    result.swizzle = integer(json, "swizzle", where);
    result.l2Promotion = integer(json, "l2_promotion", where);
    std::string fill = textField(json, "fill", where);
    result.fillNan = fill == "nan";
    if (fill != "nan" && fill != "zero")
      fail(where + ": 'fill' is '" + fill + "', expected 'zero' or 'nan'");
    return result;
  }

  template <typename Item>
  std::array<Item, 3> three(std::vector<Item> items, const char *name, const std::string &where) {
    if (items.size() == 3)
      return {items[0], items[1], items[2]};
    fail(where + ": '" + name + "' has " + std::to_string(items.size()) + " sizes, expected 3");
    return {};
  }

  PlanCudaKernel cudaKernel(const Json &json, const std::string &where) {
    only(json,
         {"cubin", "grid", "block", "cluster", "shared", "zeroed", "tensor_maps", "counters", "one_wave", "resident",
          "counted_sizes", "fallback"},
         where);
    PlanCudaKernel result;
    result.cubin = textField(json, "cubin", where);
    result.grid = three(exprs(json, "grid", where), "grid", where);
    result.block = three(integers(json, "block", where), "block", where);
    result.cluster = three(integers(json, "cluster", where), "cluster", where);
    result.sharedBytes = exprField(json, "shared", where);
    result.zeroedBytes = exprField(json, "zeroed", where);
    each(
        json, "tensor_maps",
        [&](const Json &item, const std::string &place) { result.tensorMaps.push_back(tensorMap(item, place)); },
        where);
    if (status.ok() && json.contains("counters"))
      result.counterBytes = integer(json, "counters", where);
    result.waveCtas = flag(json, "one_wave", where);
    if (status.ok() && json.contains("resident")) {
      constexpr int64_t most = 32; // CTAs that a multiprocessor of any GPU holds
      int64_t resident = integer(json, "resident", where);
      if (!result.waveCtas || resident < 1 || resident > most)
        fail(where + ": " + std::to_string(resident) + " resident CTAs, expected 1 to " + std::to_string(most) +
             " of a kernel of one wave");
      result.waveCtas = resident;
    }
    if (status.ok() && json.contains("counted_sizes"))
      result.countedSizes = exprs(json, "counted_sizes", where);
    if (status.ok() && json.contains("fallback"))
      result.fallback = textField(json, "fallback", where);
    return result;
  }

  PlanKernel kernel(const Json &json, const std::string &where) {
    only(json, {"symbol", "grid", "cuda", "scratch", "flops", "bytes", "schedule", "sources", "updates"}, where);
    PlanKernel result;
    result.symbol = textField(json, "symbol", where);
    if (status.ok() && json.contains("cuda") && json.contains("grid"))
      fail(where + ": has both 'grid' and 'cuda'");
    else if (status.ok() && json.contains("cuda"))
      result.cuda = cudaKernel(json["cuda"], where + ": cuda");
    else
      result.grid = exprField(json, "grid", where);
    result.scratch = exprField(json, "scratch", where);
    result.flops = exprField(json, "flops", where);
    result.bytes = exprField(json, "bytes", where);
    result.schedule = textField(json, "schedule", where);
    result.sources = strings(json, "sources", where);
    if (json.contains("updates"))
      result.updates = integers(json, "updates", where);
    return result;
  }

  Status status;
};
} // namespace

Result<LaunchPlan> launchPlanFromJson(const Json &json) { return PlanReader().read(json); }

Result<LaunchPlan> readLaunchPlan(std::string_view text) {
  return launchPlanFromJson(Json::parse(text, nullptr, /*allow_exceptions=*/false));
}

} // namespace tenon
