#include "tools/tenon-run/Model.h"

#include "lib/Compiler/Compiler.h"
#include "tools/CommandLine.h"
#include "tools/ExportedProgram.h"
#include "tools/tenon-run/Inputs.h"
#include "tools/tenon-run/Simulation.h"

#include <chrono>
#include <cmath>

namespace tenon::tool {

namespace {
/// Made up, for runs that ask how fast and not what: normal, scaled so that products keep their size.
class RandomWeights : public WeightSource {
public:
  static Result<std::shared_ptr<const WeightSource>> make(const LaunchPlan &plan, int64_t seed) {
    auto weights = std::make_shared<RandomWeights>();
    for (const PlanValue &value : plan.values) {
      if (value.kind != ValueKind::Weight)
        continue;
      std::vector<int64_t> shape;
      for (const Expr &size : value.shape)
        shape.push_back(size.value);
      double scale = shape.size() < 2 ? 1 : 1 / std::sqrt(static_cast<double>(std::max<int64_t>(shape.back(), 1)));
      TENON_TRY_ASSIGN(weights->tensors[value.name],
                       randomTensor(value.dtype, shape, "normal",
                                    static_cast<uint64_t>(seed) * 1000003 + 500000 + static_cast<uint64_t>(value.id),
                                    {-7, 7}, scale));
    }
    return std::shared_ptr<const WeightSource>(std::move(weights));
  }
  Result<TensorRef> find(const std::string &key) const override {
    auto found = tensors.find(key);
    if (found == tensors.end())
      return notFound("weight '" + key + "' is not one of the plan's");
    return found->second.ref();
  }

private:
  std::map<std::string, Tensor> tensors;
};

class Clock {
public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); }

private:
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};
} // namespace

/// `own`: those that came with the model, or null.
static Result<std::shared_ptr<const WeightSource>> weightsFor(const ModelOptions &options, const LaunchPlan &plan,
                                                              const std::shared_ptr<const MappedFile> &own) {
  if (options.weights == "random")
    return RandomWeights::make(plan, options.seed);
  if (!options.weights.empty())
    return openWeights(options.weights);
  if (own)
    return weightsFromBytes(own->bytes(), own, "the weights of " + options.path, own);
  return std::shared_ptr<const WeightSource>();
}

/// Which GPU; 0 where it is not said.
static int gpuOf(const std::string &device) { return device.rfind("cuda:", 0) == 0 ? std::atoi(&device[5]) : 0; }

/// A model compiled for `target` runs on `device`, as far as their kinds go.
static Status checkKinds(const std::string &target, bool isGpu, const std::string &device) {
  if (device.empty() || isGpu == (device != "cpu"))
    return {};
  return invalidArgument("the model is compiled for '" + target + "', which does not run on the device '" + device +
                         "'; " +
                         (isGpu ? "leave --device out, or compile for cpu" : "compile with --target=sm_90a, say"));
}

Status checkDevice(ModelOptions &options) {
  const std::string &device = options.device;
  bool isNumbered = device.rfind("cuda:", 0) == 0 && device.size() > 5 && device.size() < 9 &&
                    device.find_first_not_of("0123456789", 5) == std::string::npos;
  if (!device.empty() && device != "cpu" && device != "cuda" && !isNumbered && !isSimulator(device))
    return invalidArgument("device '" + device +
                           "' is unknown; it is cpu, cuda, a GPU by its number, cuda:1, or sim, "
                           "the device simulator");
  if (options.target.empty())
    options.target = device.empty() || device == "cpu" ? "cpu" : isSimulator(device) ? simulatedTarget(device) : "cuda";
  if (isSimulator(options.target) != isSimulator(device))
    return invalidArgument("target '" + options.target + "' and device '" + device +
                           "' do not go together; the simulator runs what is compiled for it: --device=sim:sm_90a");
  return checkKinds(options.target, options.target != "cpu" && options.target.rfind("cpu:", 0) != 0, device);
}

static Result<Model> loadArtefact(const ModelOptions &options) {
  Clock clock;
  Model model;
  TENON_TRY_ASSIGN(std::shared_ptr<const Artefact> artefact, openArtefact(options.path));
  TENON_TRY_ASSIGN(const ArtefactEntry *entry, findEntry(*artefact, options.entry));
  TENON_TRY_ASSIGN(model.weights, weightsFor(options, entry->plan, nullptr));
  TENON_TRY_ASSIGN(model.weights, weightsOf(*artefact, std::move(model.weights)));
  TENON_TRY(checkKinds(entry->plan.target, isCudaTarget(entry->plan.target), options.device));
  TENON_TRY_ASSIGN(model.executable, Executable::load(artefact, model.weights, gpuOf(options.device), entry->name));
  model.entry = entry->name;
  model.text = std::string(artefact->model);
  model.filename = options.path + ":model.mlir";
  model.loadSeconds = clock.seconds();
  return model;
}

static Result<Model> compileText(const ModelOptions &options, std::string text,
                                 const std::shared_ptr<const MappedFile> &weights) {
  Clock compileClock;
  Model model;
  CompileOptions compileOptions;
  compileOptions.filename = options.path == "-" ? "<stdin>" : options.path;
  compileOptions.target = options.target;
  compileOptions.from = options.from;
  compileOptions.keepModel = false;
  compileOptions.entry = options.entry;
  compileOptions.oneEntry = true;
  TENON_TRY_ASSIGN(Compilation compiled, compile(text, compileOptions));
  auto compilation = std::make_shared<const CompiledEntry>(std::move(compiled.entries.front()));
  model.compileSeconds = compileClock.seconds();

  Clock loadClock;
  TENON_TRY_ASSIGN(model.weights, weightsFor(options, compilation->plan, weights));
  if (isCudaTarget(compilation->plan.target)) {
    std::map<std::string, std::string_view> cubins(compilation->cubins.begin(), compilation->cubins.end());
    TENON_TRY_ASSIGN(model.executable, Executable::createCuda(compilation->plan, cubins, compilation->constants,
                                                              model.weights, gpuOf(options.device), compilation));
  } else {
    TENON_TRY_ASSIGN(std::shared_ptr<KernelLibrary> kernels, loadObjects(compilation->objects));
    TENON_TRY_ASSIGN(model.executable, Executable::create(compilation->plan, kernels, compilation->constants,
                                                          model.weights, compilation));
  }
  model.text = std::move(text);
  model.entry = options.entry;
  model.filename = compileOptions.filename;
  model.loadSeconds = loadClock.seconds();
  return model;
}

Result<Model> loadModel(const ModelOptions &options) {
  if (isExportedProgram(options.path)) {
    TENON_TRY_ASSIGN(ExportedProgram program, importExportedProgram(options.path));
    return compileText(options, std::move(program.text), program.weights);
  }
  if (options.path != "-") {
    // A zip is an artefact: read in place, since weights may be inside.
    std::string magic(4, '\0');
    if (std::FILE *file = std::fopen(options.path.c_str(), "rb")) {
      magic.resize(std::fread(magic.data(), 1, magic.size(), file));
      std::fclose(file);
    }
    bool hasEnding = options.path.size() > 4 && options.path.compare(options.path.size() - 4, 4, ".tnx") == 0;
    if (hasEnding || magic == "PK\3\4")
      return loadArtefact(options);
  }
  TENON_TRY_ASSIGN(std::string text, readText(options.path));
  return compileText(options, std::move(text), nullptr);
}

} // namespace tenon::tool
