#include "tools/PlanDescription.h"

#include <algorithm>
#include <cstdio>
#include <set>

namespace tenon::tool {

using Json = nlohmann::ordered_json;

static constexpr int64_t usualSize = 16;

Result<Sizes> completeSizes(const LaunchPlan &plan, const Sizes &given) {
  Sizes sizes;
  for (const PlanDim &dim : plan.dims) {
    auto found = given.find(dim.name);
    int64_t size = found == given.end() ? std::clamp(usualSize, dim.lo, dim.hi) : found->second;
    if (size < dim.lo || size > dim.hi)
      return invalidArgument("dimension '" + dim.name + "' is " + std::to_string(size) + ", expected " +
                             std::to_string(dim.lo) + " to " + std::to_string(dim.hi));
    sizes[dim.name] = size;
  }
  for (const auto &[name, size] : given)
    if (!sizes.count(name)) {
      std::string known;
      for (const auto &item : sizes)
        known += (known.empty() ? "" : ", ") + item.first;
      return invalidArgument("the model has no dimension '" + name + "'; " +
                             (known.empty() ? "all its sizes are fixed" : "its dimensions are " + known));
    }
  return sizes;
}

//===--- as JSON -------------------------------------------------------------------------------------------------===//

static Json toJson(const Expr &expr) {
  if (expr.isConstant())
    return expr.value;
  return expr.str();
}

static Json signature(const LaunchPlan &plan, const std::vector<int64_t> &ids) {
  Json list = Json::array();
  for (int64_t id : ids) {
    const PlanValue &value = plan.values[id];
    Json shape = Json::array();
    for (const Expr &size : value.shape)
      shape.push_back(toJson(size));
    list.push_back({{"name", value.name}, {"dtype", dataTypeName(value.dtype)}, {"shape", shape}});
  }
  return list;
}

static std::vector<int64_t> idsOfKind(const LaunchPlan &plan, ValueKind kind) {
  std::vector<int64_t> ids;
  for (const PlanValue &value : plan.values)
    if (value.kind == kind)
      ids.push_back(value.id);
  return ids;
}

static int64_t staticBytes(const LaunchPlan &plan, ValueKind kind) {
  int64_t total = 0;
  for (int64_t id : idsOfKind(plan, kind)) {
    std::vector<int64_t> shape;
    for (const Expr &size : plan.values[id].shape)
      shape.push_back(size.value);
    total += bytesOfShape(plan.values[id].dtype, shape).value_or(0);
  }
  return total;
}

namespace {
/// A kernel's launches, with what they cost together.
struct Launches {
  int64_t count = 0, flops = 0, bytes = 0;
  Json grid = nullptr; ///< of the first
};
} // namespace

// Tasks, or for CUDA the CTAs on three axes.
static Json gridOf(const PlanKernel &kernel, const PlanLaunch &launch) {
  if (!kernel.cuda)
    return toJson(kernel.grid.substitute(launch.dims));
  Json grid = Json::array();
  for (const Expr &axis : kernel.cuda->grid)
    grid.push_back(toJson(axis.substitute(launch.dims)));
  return grid;
}

/// Of a CTA; nothing on a CPU.
static Json threadsOf(const PlanKernel &kernel) {
  if (!kernel.cuda)
    return nullptr;
  auto [x, y, z] = kernel.cuda->block;
  return x * y * z;
}

static Status add(const LaunchPlan &plan, const PlanLaunch &launch, const Sizes &sizes, Launches &into) {
  const PlanKernel &kernel = plan.kernels.at(launch.kernel);
  auto lookup = [&](std::string_view name) -> const int64_t * {
    auto found = sizes.find(std::string(name));
    return found == sizes.end() ? nullptr : &found->second;
  };
  TENON_TRY_ASSIGN(int64_t flops, kernel.flops.substitute(launch.dims).evaluate(lookup));
  TENON_TRY_ASSIGN(int64_t bytes, kernel.bytes.substitute(launch.dims).evaluate(lookup));
  if (into.count++ == 0)
    into.grid = gridOf(kernel, launch);
  if (__builtin_add_overflow(into.flops, flops, &into.flops) || __builtin_add_overflow(into.bytes, bytes, &into.bytes))
    return invalidArgument("the cost of kernel '" + launch.kernel + "' passes 64 bits: give smaller sizes (--dim)");
  return {};
}

Result<Json> describePlan(const LaunchPlan &plan, const Sizes &sizes) {
  std::map<std::string, Launches> calls, inits;
  for (const PlanLaunch &launch : plan.launches)
    TENON_TRY(add(plan, launch, sizes, calls[launch.kernel]));
  for (const PlanLaunch &launch : plan.init)
    TENON_TRY(add(plan, launch, sizes, inits[launch.kernel]));

  Json dims = Json::array();
  for (const PlanDim &dim : plan.dims)
    dims.push_back({{"name", dim.name}, {"lo", dim.lo}, {"hi", dim.hi}, {"size", sizes.at(dim.name)}});
  Json kernels = Json::array();
  int64_t flops = 0, bytes = 0;
  for (const auto &[name, kernel] : plan.kernels) {
    const Launches &call = calls[name], &init = inits[name];
    kernels.push_back({{"name", name},
                       {"launches", call.count},
                       {"init_launches", init.count},
                       {"grid", call.count ? call.grid : init.grid},
                       {"threads", threadsOf(kernel)},
                       {"shared", kernel.cuda ? toJson(kernel.cuda->sharedBytes) : Json(nullptr)},
                       {"scratch", toJson(kernel.scratch)},
                       {"flops", call.flops},
                       {"bytes", call.bytes},
                       {"schedule", kernel.schedule},
                       {"sources", kernel.sources}});
    if (__builtin_add_overflow(flops, call.flops, &flops) || __builtin_add_overflow(bytes, call.bytes, &bytes))
      return invalidArgument("the cost of a call passes 64 bits: give smaller sizes (--dim)");
  }
  return Json{{"compiler", plan.compiler},
              {"format", plan.format},
              {"target", plan.target},
              {"features", plan.features},
              {"dims", dims},
              {"inputs", signature(plan, plan.inputs)},
              {"outputs", signature(plan, plan.outputs)},
              {"weights", signature(plan, idsOfKind(plan, ValueKind::Weight))},
              {"weight_bytes", staticBytes(plan, ValueKind::Weight)},
              {"constant_bytes", staticBytes(plan, ValueKind::Constant)},
              {"persistent_bytes", staticBytes(plan, ValueKind::Persistent)},
              {"launches", plan.launches.size()},
              {"init_launches", plan.init.size()},
              {"call_flops", flops},
              {"call_bytes", bytes},
              {"kernels", kernels}};
}

Result<Json> describePlans(const std::vector<NamedPlan> &plans, const Sizes &given) {
  if (isPlainEntry(plans.size(), plans.front().name)) {
    TENON_TRY_ASSIGN(Sizes sizes, completeSizes(*plans.front().plan, given));
    return describePlan(*plans.front().plan, sizes);
  }
  std::set<std::string> known;
  for (const NamedPlan &named : plans)
    for (const PlanDim &dim : named.plan->dims)
      known.insert(dim.name);
  Json entries = Json::object();
  for (const auto &[name, plan] : plans) {
    Sizes own = given;
    for (const std::string &dim : known) // what nobody knows is an error of the first
      if (std::none_of(plan->dims.begin(), plan->dims.end(), [&](const PlanDim &each) { return each.name == dim; }))
        own.erase(dim);
    TENON_TRY_ASSIGN(Sizes sizes, completeSizes(*plan, own));
    TENON_TRY_ASSIGN(entries[name], describePlan(*plan, sizes));
  }
  return Json{{"entries", entries}};
}

//===--- as text -------------------------------------------------------------------------------------------------===//

static std::string scaled(double value, const char *unit) {
  const char *prefixes[] = {"", "k", "M", "G", "T", "P"};
  int power = 0;
  for (; value >= 999.95 && power < 5; ++power)
    value /= 1000;
  char text[64];
  std::snprintf(text, sizeof text, power ? "%.1f %s%s" : "%.0f %s%s", value, prefixes[power], unit);
  return text;
}

std::string bytesText(int64_t bytes) { return scaled(static_cast<double>(bytes), "B"); }

std::string tableText(const std::vector<std::vector<std::string>> &rows) {
  std::vector<size_t> widths;
  for (const std::vector<std::string> &row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  }
  auto isNumber = [](const std::string &cell) { return !cell.empty() && cell[0] >= '0' && cell[0] <= '9'; };
  std::string text;
  for (const std::vector<std::string> &row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      std::string blanks(widths[i] - row[i].size(), ' ');
      bool right = rows.size() > 1 && i < rows[1].size() && isNumber(rows[1][i]) && isNumber(rows.back()[i]);
      line += "  " + (right ? blanks + row[i] : row[i] + blanks);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

static std::string shapeOf(const Json &value) {
  std::string text = value["dtype"].get<std::string>() + " [";
  for (size_t i = 0; i < value["shape"].size(); ++i) {
    const Json &size = value["shape"][i];
    text += (i ? ", " : "") + (size.is_string() ? size.get<std::string>() : size.dump());
  }
  return text + "]";
}

static std::string signatureText(const Json &values) {
  std::vector<std::vector<std::string>> rows;
  for (const Json &value : values)
    rows.push_back({value["name"], shapeOf(value)});
  return tableText(rows);
}

static std::string cell(const Json &json) { return json.is_string() ? json.get<std::string>() : json.dump(); }

/// How the kernel was cut, and what its pipeline is, a line each.
static std::string scheduleText(const Json &kernel) {
  std::string schedule = kernel["schedule"];
  if (schedule.empty())
    return "";
  std::string text = "\n" + cell(kernel["name"]) + "\n";
  for (size_t at = 0; at < schedule.size();) {
    size_t end = std::min(schedule.find('\n', at), schedule.size());
    text += "  " + schedule.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return text;
}

std::string planText(const Json &plan) {
  if (plan.contains("entries")) {
    std::string all;
    for (const auto &[name, entry] : plan["entries"].items())
      all += (all.empty() ? "" : "\n") + ("entry " + name) + "\n" + planText(entry);
    return all;
  }
  std::string text = "target    " + cell(plan["target"]) + "\ncompiler  " + cell(plan["compiler"]) + "\n";
  if (!plan["features"].empty()) {
    text += "needs    ";
    for (const Json &feature : plan["features"])
      text += " " + cell(feature);
    text += "\n";
  }
  if (!plan["dims"].empty()) {
    text += "\ndimensions\n";
    std::vector<std::vector<std::string>> rows;
    for (const Json &dim : plan["dims"])
      rows.push_back({dim["name"],
                      dim["hi"].get<int64_t>() == INT64_MAX ? "at least " + cell(dim["lo"])
                                                            : cell(dim["lo"]) + " to " + cell(dim["hi"]),
                      "costs below are at " + cell(dim["size"])});
    text += tableText(rows);
  }
  text += "\ninputs\n" + signatureText(plan["inputs"]);
  text += "\noutputs\n" + signatureText(plan["outputs"]);
  text += "\nweights: " + std::to_string(plan["weights"].size()) + ", " + bytesText(plan["weight_bytes"]) +
          "; packed at load: " + bytesText(plan["persistent_bytes"]) +
          "; constants: " + bytesText(plan["constant_bytes"]) + "\n";
  if (plan["kernels"].empty())
    return text + "\nno kernels: every output is an input, a weight, a constant or a view of one\n";
  std::vector<std::vector<std::string>> rows = {
      {"kernel", "launches", "grid", "threads", "shared", "flops", "bytes", "source"}};
  std::string schedules;
  bool isGpu = false;
  for (const Json &kernel : plan["kernels"]) {
    bool atLoad = kernel["launches"] == 0;
    isGpu |= !kernel["threads"].is_null();
    rows.push_back({kernel["name"], atLoad ? cell(kernel["init_launches"]) + " at load" : cell(kernel["launches"]),
                    cell(kernel["grid"]), cell(kernel["threads"]), cell(kernel["shared"]),
                    atLoad ? "-" : scaled(kernel["flops"].get<double>(), ""), atLoad ? "-" : bytesText(kernel["bytes"]),
                    kernel["sources"].empty() ? "" : cell(kernel["sources"][0])});
    schedules += scheduleText(kernel);
  }
  if (!isGpu) // whose CTAs have threads and shared memory
    for (std::vector<std::string> &row : rows)
      row.erase(row.begin() + 3, row.begin() + 5);
  text += "\nkernels: " + std::to_string(plan["kernels"].size()) + ", launches of a call: " + cell(plan["launches"]) +
          ", at load: " + cell(plan["init_launches"]) + "\n" + tableText(rows) + schedules;
  return text + "\na call: " + scaled(plan["call_flops"].get<double>(), "flop") + ", " + bytesText(plan["call_bytes"]) +
         " read and written by kernels\n";
}

} // namespace tenon::tool
