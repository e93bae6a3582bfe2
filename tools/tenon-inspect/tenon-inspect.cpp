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
static Status describeWeights(const Artefact &artefact, Json &plan) {
  if (artefact.weights.empty())
    return {};
  Result<std::map<std::string, SafetensorsEntry>> inside = readSafetensors(artefact.weights);
  if (!inside.ok())
    return inside.status().in(artefact.origin);
  for (Json &weight : plan["weights"])
    weight["inside"] = inside->count(weight["name"].get<std::string>()) != 0;
  return {};
}

static Json filesOf(const Artefact &artefact) {
  Json files = Json::object();
  auto add = [&](const std::string &name, std::string_view bytes) {
    if (!bytes.empty())
      files[name] = bytes.size();
  };
  add("manifest.json", artefact.manifest);
  for (const ArtefactEntry &entry : artefact.entries) {
    std::string folder = isPlainEntry(artefact.entries.size(), entry.name) ? "" : entry.name + "/";
    add(folder + "kernels.so", entry.kernels);
    add(folder + "constants.bin", entry.constants);
    for (const auto &[name, cubin] : entry.cubins)
      add(folder + "kernels/" + name + ".cubin", cubin);
  }
  add("model.mlir", artefact.model);
  add("weights.safetensors", artefact.weights);
  return files;
}

static Result<Json> describe(const Artefact &artefact, const std::string &only, const Sizes &sizes) {
  std::vector<NamedPlan> plans;
  if (only.empty()) {
    for (const ArtefactEntry &entry : artefact.entries)
      plans.push_back({entry.name, &entry.plan});
  } else {
    TENON_TRY_ASSIGN(const ArtefactEntry *entry, findEntry(artefact, only));
    plans.push_back({entry->name, &entry->plan});
  }
  Json description = {{"file", artefact.origin}, {"bytes", artefact.bytes.size()}, {"files", filesOf(artefact)}};
  TENON_TRY_ASSIGN(Json plan, describePlans(plans, sizes));
  description.update(plan);
  if (!description.contains("entries"))
    TENON_TRY(describeWeights(artefact, description));
  else
    for (Json &entry : description["entries"])
      TENON_TRY(describeWeights(artefact, entry));
  return description;
}

static void printWeights(const Json &plan, const std::string &title) {
  std::vector<std::vector<std::string>> weights;
  for (const Json &weight : plan["weights"]) {
    std::string shape = weight["dtype"].get<std::string>() + " " + weight["shape"].dump();
    weights.push_back({weight["name"], shape, weight.value("inside", false) ? "inside" : "from a file at load"});
  }
  std::printf("\n%s\n%s", title.c_str(), tableText(weights).c_str());
}

static void print(const Json &description, bool listWeights) {
  std::printf("%s  %s\n", description["file"].get<std::string>().c_str(), bytesText(description["bytes"]).c_str());
  std::vector<std::vector<std::string>> rows;
  for (const auto &[name, bytes] : description["files"].items())
    rows.push_back({name, bytesText(bytes)});
  std::printf("%s\n%s", tableText(rows).c_str(), planText(description).c_str());
  if (listWeights && !description.contains("entries"))
    printWeights(description, "weights");
  else if (listWeights)
    for (const auto &[name, entry] : description["entries"].items())
      printWeights(entry, "weights of " + name);
}

int main(int argc, char **argv) {
  std::string path, entry;
  Sizes sizes;
  bool json = false, weights = false;
  CommandLine line("tenon-inspect", "[options] MODEL.tnx",
                   "Shows what is in an artefact: dimensions, inputs and outputs, weights, and every kernel with its\n"
                   "schedule, grid, floating-point operations and bytes.");
  line.positional("MODEL.tnx", path);
  line.text("entry", "NAME", "one of the model's entries (default: all)", entry);
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
  Result<Json> description = describe(**artefact, entry, sizes);
  if (!description) {
    bool isUse = description.status().kind() != ErrorKind::Corrupt; // a name or a size that the model has not
    return fail(line.tool(), description.status(), json, isUse ? exitWrongUse : exitFailed);
  }
  if (json)
    std::printf("%s\n", description->dump(1, ' ', false, Json::error_handler_t::replace).c_str());
  else
    print(*description, weights);
  return finish(line.tool());
}
