// Runs a model on arrays or random numbers, keeps and compares what comes out, and times it.
#include "lib/Compiler/Compiler.h"
#include "lib/Runtime/Context.h"
#include "lib/Runtime/ThreadPool.h"
#include "tools/CommandLine.h"
#include "tools/tenon-run/Comparison.h"
#include "tools/tenon-run/Inputs.h"
#include "tools/tenon-run/Model.h"
#include "tools/tenon-run/ModelReference.h"
#include "tools/tenon-run/Simulation.h"
#include "tools/tenon-run/SimulationArguments.h"
#include "tools/tenon-run/Values.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

using namespace tenon;
using namespace tenon::tool;
using Json = nlohmann::ordered_json;

namespace {
struct Arguments {
  ModelOptions model;
  InputOptions inputs;
  std::string output, expected;
  std::optional<double> rtol, atol;
  int64_t repeat = 0;
  bool check = false, json = false;
  SimulationArguments simulation;
};

/// What a run has to tell, filled in step by step.
struct Report {
  Json json = Json::object();
  bool ok = true; ///< all comparisons
  void line(const std::string &text) { lines += text + "\n"; }
  std::string lines;
};
} // namespace

static std::string number(double value, const char *format) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// With three significant digits, but no fewer than all before the point.
static std::string milliseconds(double value) {
  double decimals = value > 0 ? 2 - std::floor(std::log10(value)) : 0;
  return number(value, ("%." + std::to_string(std::clamp(static_cast<int>(decimals), 0, 9)) + "f").c_str());
}

static std::string described(const Tensor &tensor) {
  return std::string(dataTypeName(tensor.dtype)) + " " + shapeText(tensor.shape);
}

//===--- comparing -----------------------------------------------------------------------------------------------===//

static void reportComparison(Report &report, const char *what, const std::string &name, const Comparison &comparison,
                             llvm::ArrayRef<int64_t> shape) {
  report.ok &= comparison.ok();
  report.line(std::string(what) + "  " + name + ": " + (comparison.ok() ? "ok, " : "WRONG, ") +
              comparisonText(comparison, shape));
  Json json = comparisonJson(comparison, shape);
  json["output"] = name;
  report.json[what].push_back(json);
}

/// What is past the range of the output's type is an infinity there; else the exact value stands, unrounded.
static void becomeInfinite(ReferenceTensor &exact) {
  for (double &value : exact.floats)
    if (double rounded = roundTo(exact.elementType, value); !std::isfinite(rounded))
      value = rounded;
}

/// A bound is twice the most that few evaluations saw, and one element in some millions has a rarer alignment of
/// errors. So what is outside is looked at again, with other evaluations; what is wrong is so far outside that it stays
/// there.
static constexpr uint64_t looks = 8;

/// Against the float64 reference, each element within the bound that the model's arithmetic gives.
static Status check(const Model &model, const std::vector<Input> &inputs, const std::vector<Array> &outputs,
                    ModelReference *reference, bool hasShortSums, Report &report) {
  if (!reference)
    return invalidArgument("--check needs the model's IR, which this artefact does not keep: compile it without "
                           "--no-model");
  std::vector<ReferenceTensor> got;
  for (const Array &output : outputs)
    got.push_back(toNumbers(output.tensor.ref()));
  std::vector<BoundedTensor> expected;
  std::vector<Comparison> comparisons;
  bool ok = false;
  for (uint64_t look = 1; look <= looks && !ok; ++look) {
    TENON_TRY_ASSIGN(std::vector<BoundedTensor> seen,
                     reference->evaluate(inputs, model.weights.get(), look, hasShortSums));
    ok = true;
    comparisons.clear();
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (got[i].shape != seen[i].value.shape)
        return internalError("output '" + outputs[i].name + "' has another shape than the reference gives");
      becomeInfinite(seen[i].value);
      if (look > 1)
        for (size_t at = 0; at < seen[i].bound.size(); ++at)
          seen[i].bound[at] = std::max(seen[i].bound[at], expected[i].bound[at]);
      comparisons.push_back(compare(got[i], seen[i].value, [&](int64_t at) { return seen[i].bound[at]; }));
      ok &= comparisons.back().ok();
    }
    expected = std::move(seen);
  }
  report.json["check"] = Json::array();
  for (size_t i = 0; i < outputs.size(); ++i)
    reportComparison(report, "check", outputs[i].name, comparisons[i], got[i].shape);
  return {};
}

/// What two right implementations of a model may differ by, of the largest numbers around; 16-bit floats have 3 to 4
/// digits, of which a few roundings in a row take one.
static double usualTolerance(DataType type) {
  switch (type) {
  case DataType::F64:
    return 1e-12;
  case DataType::F32:
    return 1e-5;
  case DataType::F16:
    return 4e-3;
  case DataType::BF16:
    return 3e-2;
  default:
    return 0;
  }
}

/// Against arrays from elsewhere: |got - expected| <= atol + rtol |expected|.
static Status compareWithFile(const Arguments &arguments, const std::vector<Array> &outputs, Report &report) {
  TENON_TRY_ASSIGN(std::vector<Array> arrays, readArrays(arguments.expected));
  report.json["expected"] = Json::array();
  for (const Array &output : outputs) {
    const Array *found = nullptr;
    std::string names;
    for (const Array &array : arrays) {
      if (array.name == output.name || (array.name.empty() && outputs.size() == 1))
        found = &array;
      names += (names.empty() ? "" : ", ") + array.name;
    }
    if (!found)
      return invalidArgument("'" + arguments.expected + "' has no array '" + output.name + "'; it has " + names);
    if (found->tensor.shape != output.tensor.shape)
      return invalidArgument("'" + arguments.expected + "': output '" + output.name + "' has the shape " +
                             shapeText(output.tensor.shape) + ", the expected array " + shapeText(found->tensor.shape));
    ReferenceTensor got = toNumbers(output.tensor.ref()), expected = toNumbers(found->tensor.ref());
    if (got.isFloat() != expected.isFloat())
      return invalidArgument("'" + arguments.expected + "': output '" + output.name + "' is " +
                             std::string(dataTypeName(output.tensor.dtype)) + ", the expected array " +
                             std::string(dataTypeName(found->tensor.dtype)));
    double squares = 0;
    for (int64_t i = 0; i < expected.size(); ++i)
      squares += std::isfinite(expected.at(i)) ? expected.at(i) * expected.at(i) : 0;
    double usual = std::sqrt(squares / static_cast<double>(std::max<int64_t>(expected.size(), 1)));
    double rtol = arguments.rtol.value_or(usualTolerance(output.tensor.dtype));
    double atol = arguments.atol.value_or(rtol * usual);
    Comparison comparison =
        compare(got, expected, [&](int64_t at) { return atol + rtol * std::fabs(expected.at(at)); });
    reportComparison(report, "expected", output.name, comparison, got.shape);
    report.json["expected"].back()["rtol"] = rtol;
    report.json["expected"].back()["atol"] = atol;
  }
  return {};
}

//===--- running -------------------------------------------------------------------------------------------------===//

static Status timeCalls(Context &context, const std::vector<TensorRef> &inputs, const std::vector<TensorRef> &outputs,
                        int64_t repeat, Report &report) {
  std::vector<double> times;
  for (int64_t i = 0; i < repeat; ++i) {
    auto begin = std::chrono::steady_clock::now();
    TENON_TRY(context.run(inputs, outputs));
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  std::sort(times.begin(), times.end());
  size_t middle = times.size() / 2;
  double median = times.size() % 2 ? times[middle] : (times[middle - 1] + times[middle]) / 2;
  int threads = ThreadPool::global().numThreads();
  report.line("time    " + std::to_string(repeat) + " calls, ms: min " + milliseconds(times.front()) + ", median " +
              milliseconds(median) + ", max " + milliseconds(times.back()) + "; threads " + std::to_string(threads));
  report.json["time"] = {{"calls", repeat},
                         {"min_ms", times.front()},
                         {"median_ms", median},
                         {"max_ms", times.back()},
                         {"threads", threads}};
  return {};
}

static void reportTensors(const std::vector<Input> &inputs, const std::vector<Array> &outputs, Report &report) {
  std::vector<std::vector<std::string>> rows;
  report.json["inputs"] = Json::array();
  for (const Input &input : inputs) {
    rows.push_back({"input", input.name, described(input.tensor), input.origin});
    report.json["inputs"].push_back({{"name", input.name},
                                     {"dtype", dataTypeName(input.tensor.dtype)},
                                     {"shape", input.tensor.shape},
                                     {"from", input.origin}});
  }
  report.json["outputs"] = Json::array();
  for (const Array &output : outputs) {
    ReferenceTensor numbers = toNumbers(output.tensor.ref());
    double least = INFINITY, greatest = -INFINITY;
    int64_t nans = 0;
    for (int64_t i = 0; i < numbers.size(); ++i) {
      nans += std::isnan(numbers.at(i));
      least = std::fmin(least, numbers.at(i));
      greatest = std::fmax(greatest, numbers.at(i));
    }
    std::string range = numbers.size() ? number(least, "%.6g") + " to " + number(greatest, "%.6g") : "empty";
    rows.push_back(
        {"output", output.name, described(output.tensor), range + (nans ? ", " + std::to_string(nans) + " NaN" : "")});
    report.json["outputs"].push_back(
        {{"name", output.name}, {"dtype", dataTypeName(output.tensor.dtype)}, {"shape", output.tensor.shape}});
  }
  report.lines += tableText(rows);
}

/// A line a launch, and what is wrong with it.
static void reportLaunches(const std::vector<SimulatedLaunch> &launches, Report &report) {
  std::vector<std::vector<std::string>> rows, counts;
  std::string findings;
  report.json["launches"] = Json::array();
  for (const SimulatedLaunch &launch : launches) {
    size_t count = launch.report.findings.size();
    report.ok &= launch.report.ok();
    rows.push_back({"sim", launch.kernel, number(launch.seconds, "%.2f s"),
                    count == 0 ? "no findings" : std::to_string(count) + (count == 1 ? " finding" : " findings")});
    Json json = {{"kernel", launch.kernel}, {"seconds", launch.seconds}, {"findings", Json::array()}};
    if (!launch.report.ok() && launch.report.seed != 0)
      rows.back().back() += " in the order of seed " + std::to_string(launch.report.seed);
    for (const sim::Finding &finding : launch.report.findings) {
      std::string text = std::string(sim::findingKindName(finding.kind)) + ": " + finding.text;
      findings += launch.kernel + ": " + text + "\n";
      json["findings"].push_back(text);
    }
    json["seed"] = launch.report.seed;
    for (const sim::AccessCount &count : launch.report.counts) {
      const sim::Site &site = launch.sites[count.site];
      json["counts"].push_back({{"op", site.op},
                                {"place", site.location},
                                {"shared", count.isShared},
                                {"accesses", count.accesses},
                                {"bytes", count.bytes},
                                {"sectors", count.sectors},
                                {"turns", count.turns},
                                {"conflicts", count.conflicts}});
    }
    for (std::vector<std::string> &row : countRows(launch.report.counts, launch.sites)) {
      row.insert(row.begin(), launch.kernel);
      counts.push_back(std::move(row));
    }
    report.json["launches"].push_back(json);
  }
  report.lines += tableText(rows) + tableText(counts) + findings;
}

static Result<Report> work(const Arguments &arguments, const Model &model, const Simulation *simulation) {
  Report report;
  const LaunchPlan &plan = model.executable->plan();
  std::unique_ptr<ModelReference> reference;
  bool hasIntegerInput = std::any_of(plan.inputs.begin(), plan.inputs.end(), [&](int64_t id) {
    return plan.values[id].dtype >= DataType::I64 && plan.values[id].dtype != DataType::I1;
  });
  if (!model.text.empty() && arguments.model.from == "graph" && (arguments.check || hasIntegerInput)) {
    TENON_TRY_ASSIGN(reference, ModelReference::parse(model.text, model.filename, model.entry));
  }
  TENON_TRY_ASSIGN(std::vector<Input> inputs,
                   makeInputs(plan, arguments.inputs, reference ? reference->inputRanges() : Ranges()));
  std::vector<TensorRef> inputRefs, outputRefs;
  for (const Input &input : inputs)
    inputRefs.push_back(input.tensor.ref());
  Context context(model.executable);
  TENON_TRY_ASSIGN(std::vector<Tensor> results, context.run(inputRefs));
  std::vector<Array> outputs;
  for (size_t i = 0; i < results.size(); ++i) {
    outputs.push_back({plan.values[plan.outputs[i]].name, results[i]});
    outputRefs.push_back(results[i].ref());
  }
  report.json["model"] = arguments.model.path;
  report.json["target"] = plan.target;
  if (!arguments.model.entry.empty())
    report.json["entry"] = arguments.model.entry;
  reportTensors(inputs, outputs, report);
  if (simulation)
    reportLaunches(simulation->launches(), report);
  if (simulation && !arguments.simulation.trace.empty())
    TENON_TRY(writeTrace(simulation->trace(), arguments.simulation.trace));
  if (!arguments.output.empty())
    TENON_TRY(writeArrays(arguments.output, outputs));
  if (!arguments.expected.empty())
    TENON_TRY(compareWithFile(arguments, outputs, report));
  if (arguments.check)
    TENON_TRY(check(model, inputs, outputs, reference.get(),
                    simulation ? arguments.simulation.shortSums : isCudaTarget(plan.target), report));
  if (arguments.repeat)
    TENON_TRY(timeCalls(context, inputRefs, outputRefs, arguments.repeat, report));
  report.line("memory  arena " + bytesText(context.arenaBytes()) + ", packed at load " +
              bytesText(model.executable->persistentBytes()));
  report.json["memory"] = {{"arena_bytes", context.arenaBytes()},
                           {"persistent_bytes", model.executable->persistentBytes()}};
  report.json["seconds"] = {{"compile", model.compileSeconds}, {"load", model.loadSeconds}};
  report.json["ok"] = report.ok;
  return report;
}

int main(int argc, char **argv) {
  Arguments arguments;
  CommandLine line(
      "tenon-run", "[options] MODEL.tnx | MODEL.mlir | MODEL.pt2",
      "Runs a model: an artefact, text in the tenon dialect (- for standard input) or an exported PyTorch\n"
      "program, compiled in place. Inputs without an array are seeded random numbers. TENON_THREADS sets the number of "
      "threads.");
  line.positional("model", arguments.model.path);
  line.texts("input", "[NAME=]FILE",
             "an array for an input: .npy (the named input, else the next without one)\n"
             "or .npz (each by its name); may be given many times",
             arguments.inputs.files);
  line.flag("cast", "arrays of another type than the input's are converted", arguments.inputs.cast);
  line.sizes("dim", "a dimension's size, for random inputs (default: 16 or its nearest bound)", arguments.inputs.dims);
  line.choice("random", "KIND", {"normal", "integers", "positive", "wide"},
              "normal (default), integers (of -2, -1, 1, 2), positive (0 to 1) or\n"
              "wide (normal, scaled by 2^-14 to 2^14)",
              arguments.inputs.random);
  line.ranges("range",
              "the integers of a random input, both inclusive (default: the rows of\n"
              "the table it indexes, else 0:1)",
              arguments.inputs.ranges);
  line.integer("seed", "N", "of everything random (default: 0)", 0, arguments.inputs.seed);
  line.text("entry", "NAME", "which entry, of a model with several", arguments.model.entry);
  line.text("weights", "FILE", "a .safetensors file, or random (default: those in the artefact)",
            arguments.model.weights);
  line.text("output", "FILE", "where the outputs go: .npz, or .npy when there is one", arguments.output);
  line.text("expected", "FILE", "arrays (.npz, or .npy for one output) that the outputs are compared with",
            arguments.expected);
  line.number("rtol", "X",
              "for --expected: |got - expected| <= atol + rtol |expected| (default: by type,\n"
              "f32 1e-5)",
              arguments.rtol);
  line.number("atol", "X", "(default: rtol times the root mean square of the expected array)", arguments.atol);
  line.flag("check",
            "compare with the float64 reference, each element within the bound that\n"
            "the model's arithmetic gives",
            arguments.check);
  line.integer("repeat", "N", "time N further calls", 1, arguments.repeat);
  line.text("device", "DEVICE",
            "cpu, cuda, a GPU by its number, cuda:1, or the device simulator, sim or sim:sm_80\n"
            "(default: what the model is compiled for)",
            arguments.model.device);
  arguments.simulation.addTo(line);
  line.text("target", "TARGET",
            "for text: cpu (this machine), cpu:<LLVM name>, sm_90a and the like, or cuda (this\n"
            "machine's GPU) (default: that of the device, else cpu)",
            arguments.model.target);
  line.text("from", "PHASE", "for text: the first phase to run (default: graph)", arguments.model.from);
  line.flag("json", "print the report, or the error, as JSON", arguments.json);
  line.example("tenon-run m.tnx --dim batch=8 --dim seq=128 --repeat=50", "times calls of that size on random inputs");
  line.example("tenon-run m.mlir --weights=m.safetensors --check", "compiles, runs and compares with the reference");
  line.example("tenon-run m.mlir --device=cuda --weights=random --check", "the same on this machine's GPU");
  line.example("tenon-run m.mlir --device=sim --dim seq=16 --check", "the GPU's kernels without one, with their races");
  line.example("tenon-run m.tnx --input=x.npy --output=y.npz", "from arrays to arrays");
  line.example("tenon-run m.tnx --input=inputs.npz --expected=torch.npz --rtol=1e-5", "against another framework's");
  line.example("tenon-run dump/02-kernel.mlir --from=cpu --weights=random", "an edited phase of a dump folder");
  if (std::optional<int> code = line.parse(argc, argv))
    return *code;
  arguments.model.seed = arguments.inputs.seed;
  if (Status use = checkDevice(arguments.model); !use)
    return fail(line.tool(), use, arguments.json, exitWrongUse);
  CompileOptions compile;
  // Whether this machine has a GPU is no matter of use, and an artefact does not ask it; the phases are every GPU's.
  compile.target = arguments.model.target == "cuda" ? "sm_90a" : arguments.model.target;
  compile.from = arguments.model.from;
  if (Status use = checkUse(compile); !use)
    return fail(line.tool(), use, arguments.json, exitWrongUse);
  Result<sim::Options> options = arguments.simulation.options();
  if (!options)
    return fail(line.tool(), options.status(), arguments.json, exitWrongUse);
  std::optional<Simulation> simulation;
  if (isSimulator(arguments.model.device))
    simulation.emplace(arguments.model.device, *options, !arguments.simulation.trace.empty());
  Result<Model> model = loadModel(arguments.model);
  if (!model)
    return fail(line.tool(), model.status(), arguments.json);
  if (Status use = checkNames(model->executable->plan(), arguments.inputs); !use)
    return fail(line.tool(), use, arguments.json, exitWrongUse);
  Result<Report> report = work(arguments, *model, simulation ? &*simulation : nullptr);
  if (!report)
    return fail(line.tool(), report.status(), arguments.json);
  if (arguments.json)
    std::printf("%s\n", report->json.dump(1, ' ', false, Json::error_handler_t::replace).c_str());
  else
    std::printf("%s", report->lines.c_str());
  int code = finish(line.tool());
  return code == exitDone && !report->ok ? exitFailed : code;
}
