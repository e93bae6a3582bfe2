// Shows what is in an artefact. Needs no LLVM: it reads the launch plan as the runtime does.
#include "lib/Runtime/Artefact.h"
#include "lib/Support/Safetensors.h"
#include "tools/CommandLine.h"
#include "tools/PlanDescription.h"

#include <cstdio>

using namespace tenon;
using namespace tenon::tool;
using Json = nlohmann::ordered_json;

// Weights inside the file are compared with what the plan names: an artefact that cannot run says so here.
static Status describeWeights(const Artefact &artefact, Json &description) {
  if (artefact.weights.empty())
    return {};
  Result<std::map<std::string, SafetensorsEntry>> inside = readSafetensors(artefact.weights);
  if (!inside.ok())
    return inside.status().in(artefact.origin);
  for (Json &weight : description["weights"])
    weight["inside"] = inside->count(weight["name"].get<std::string>()) != 0;
  return {};
}

static Result<Json> describe(const Artefact &artefact, const Sizes &sizes) {
  Json files = Json::object();
  const std::pair<const char *, std::string_view> entries[] = {{"manifest.json", artefact.manifest},
                                                               {"kernels.so", artefact.kernels},
                                                               {"constants.bin", artefact.constants},
                                                               {"model.mlir", artefact.model},
                                                               {"weights.safetensors", artefact.weights}};
  for (auto [name, bytes] : entries)
    if (!bytes.empty())
      files[name] = bytes.size();
  for (const auto &[name, cubin] : artefact.cubins)
    files["kernels/" + name + ".cubin"] = cubin.size();
  Json description = {{"file", artefact.origin}, {"bytes", artefact.bytes.size()}, {"entries", files}};
  TENON_TRY_ASSIGN(Json plan, describePlan(artefact.plan, sizes));
  description.update(plan);
  TENON_TRY(describeWeights(artefact, description));
  return description;
}

static void print(const Json &description, bool listWeights) {
  std::printf("%s  %s\n", description["file"].get<std::string>().c_str(), bytesText(description["bytes"]).c_str());
  std::vector<std::vector<std::string>> rows;
  for (const auto &[name, bytes] : description["entries"].items())
    rows.push_back({name, bytesText(bytes)});
  std::printf("%s\n%s", tableText(rows).c_str(), planText(description).c_str());
  if (!listWeights)
    return;
  std::vector<std::vector<std::string>> weights;
  for (const Json &weight : description["weights"]) {
    std::string shape = weight["dtype"].get<std::string>() + " " + weight["shape"].dump();
    weights.push_back({weight["name"], shape, weight.value("inside", false) ? "inside" : "from a file at load"});
  }
  std::printf("\nweights\n%s", tableText(weights).c_str());
}

int main(int argc, char **argv) {
  std::string path;
  Sizes sizes;
  bool json = false, weights = false;
  CommandLine line("tenon-inspect", "[options] MODEL.tnx",
                   "Shows what is in an artefact: dimensions, inputs and outputs, weights, and every kernel with its\n"
                   "schedule, grid, floating-point operations and bytes.");
  line.positional("MODEL.tnx", path);
  line.sizes("dim", "the size of a dimension, for the costs (default: 16 or its nearest bound)", sizes);
  line.flag("weights", "list every weight", weights);
  line.flag("json", "the same as JSON", json);
  line.example("tenon-inspect m.tnx --dim batch=8 --dim seq=128", "with the costs of a call of that size");
  line.example("tenon-inspect m.tnx --json | python3 -m json.tool", "for a program");
  line.example("unzip -p m.tnx manifest.json", "the launch plan itself: an artefact is a stored zip");
  if (std::optional<int> code = line.parse(argc, argv))
    return *code;
  Result<std::shared_ptr<const Artefact>> artefact = openArtefact(path);
  if (!artefact)
    return fail(line.tool(), artefact.status(), json);
  Result<Sizes> complete = completeSizes((*artefact)->plan, sizes);
  if (!complete)
    return fail(line.tool(), complete.status(), json, exitWrongUse);
  Result<Json> description = describe(**artefact, *complete);
  if (!description)
    return fail(line.tool(), description.status(), json);
  if (json)
    std::printf("%s\n", description->dump(1, ' ', false, Json::error_handler_t::replace).c_str());
  else
    print(*description, weights);
  return finish(line.tool());
}
