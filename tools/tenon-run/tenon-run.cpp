// Runs a model on arrays or random numbers, keeps and compares what comes out, and times it.
#include "lib/Compiler/Compiler.h"
#include "lib/Runtime/Context.h"
#include "tools/tenon-run/Checks.h"
#include "tools/tenon-run/Simulation.h"
#include "tools/tenon-run/SimulationArguments.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

using namespace tenon;
using namespace tenon::tool;
using Json = nlohmann::ordered_json;

namespace {
struct Arguments {
  ModelOptions model;
  InputOptions inputs;
  std::string output;
  Expectation expectation;
  int64_t repeat = 0;
  bool check = false, json = false;
  SimulationArguments simulation;
};
} // namespace

static Status timeCalls(Context &context, const std::vector<TensorRef> &inputs, const std::vector<TensorRef> &outputs,
                        int64_t repeat, Report &report) {
  std::vector<double> times;
  for (int64_t i = 0; i < repeat; ++i) {
    auto begin = std::chrono::steady_clock::now();
    TENON_TRY(context.run(inputs, outputs));
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  reportTimes(std::move(times), report);
  return {};
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
                   makeInputs(plan, arguments.inputs, reference ? reference->inputLimits() : InputLimits()));
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
  if (!arguments.expectation.file.empty())
    TENON_TRY(compareWithFile(arguments.expectation, outputs, report));
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
            arguments.expectation.file);
  line.number("rtol", "X",
              "for --expected: |got - expected| <= atol + rtol |expected| (default: by type,\n"
              "f32 1e-5)",
              arguments.expectation.rtol);
  line.number("atol", "X", "(default: rtol times the root mean square of the expected array)",
              arguments.expectation.atol);
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
