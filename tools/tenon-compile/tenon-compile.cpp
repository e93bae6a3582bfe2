// From text to an artefact, or to the IR after any phase.
#include "lib/Compiler/Compiler.h"
#include "lib/Runtime/Artefact.h"
#include "lib/Support/AtomicFile.h"
#include "tools/CommandLine.h"
#include "tools/ExportedProgram.h"
#include "tools/PlanDescription.h"

#include <cstdio>

using namespace tenon;
using namespace tenon::tool;
using Json = nlohmann::ordered_json;

namespace {
struct Arguments {
  std::string input, output, to = "artefact", weights;
  bool json = false, report = false, remarks = false, noModel = false;
  CompileOptions compile;

  bool makesArtefact() const { return to == "artefact"; }
};

/// What came of it: IR or an artefact, and what to tell about it.
struct Outcome {
  std::string bytes;
  CompileReport report;
  Json plan; ///< null when no artefact was made
};
} // namespace

static Result<Outcome> work(const Arguments &arguments) {
  std::string text;
  std::shared_ptr<const MappedFile> weights;
  if (isExportedProgram(arguments.input)) {
    TENON_TRY_ASSIGN(ExportedProgram program, importExportedProgram(arguments.input));
    text = std::move(program.text);
    weights = program.weights;
  } else {
    TENON_TRY_ASSIGN(text, readText(arguments.input));
  }
  if (text.rfind("PK\3\4", 0) == 0)
    return invalidArgument("'" + arguments.input +
                           "' is a zip, an artefact perhaps, but text is compiled: tenon-run runs an artefact, "
                           "`unzip -p` takes its model.mlir out");
  if (!arguments.weights.empty()) {
    TENON_TRY_ASSIGN(weights, MappedFile::open(arguments.weights));
  }
  Outcome outcome;
  if (!arguments.makesArtefact()) {
    TENON_TRY_ASSIGN(outcome.bytes, compileTo(text, arguments.compile, arguments.to, &outcome.report));
    return outcome;
  }
  TENON_TRY_ASSIGN(Compilation compilation, compile(text, arguments.compile));
  TENON_TRY_ASSIGN(outcome.bytes, makeArtefact(compilation, weights ? weights->bytes() : std::string_view()));
  std::vector<NamedPlan> plans;
  for (const CompiledEntry &entry : compilation.entries)
    plans.push_back({entry.name, &entry.plan});
  TENON_TRY_ASSIGN(outcome.plan, describePlans(plans, {}));
  outcome.report = std::move(compilation.report);
  return outcome;
}

static Json toJson(const Arguments &arguments, const Outcome &outcome) {
  Json json = {{"input", arguments.input}, {"output", arguments.output}, {"bytes", outcome.bytes.size()}};
  json["seconds"] = Json::object();
  for (const auto &[step, seconds] : outcome.report.seconds)
    json["seconds"][step] = seconds;
  if (!outcome.report.kernels.empty())
    json["code"] = Json::array();
  for (const KernelCode &kernel : outcome.report.kernels)
    json["code"].push_back({{"name", kernel.name},
                            {"registers", kernel.registers},
                            {"instructions", kernel.instructions},
                            {"tensor_core", kernel.tensorCore},
                            {"opcodes", kernel.opcodes}});
  if (arguments.remarks) {
    json["remarks"] = Json::array();
    for (const Remark &remark : outcome.report.remarks)
      json["remarks"].push_back({{"kind", remark.kind},
                                 {"category", remark.category},
                                 {"location", remark.location},
                                 {"message", remark.message}});
  }
  if (!outcome.plan.is_null())
    json["plan"] = outcome.plan;
  return json;
}

static void printReport(const Outcome &outcome) {
  std::vector<std::vector<std::string>> rows = {{"step", "ms"}};
  double total = 0;
  auto milliseconds = [](double seconds) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", seconds * 1e3);
    return std::string(text);
  };
  for (const auto &[step, seconds] : outcome.report.seconds) {
    rows.push_back({step, milliseconds(seconds)});
    total += seconds;
  }
  rows.push_back({"all", milliseconds(total)});
  std::printf("%s", tableText(rows).c_str());
  if (!outcome.plan.is_null())
    std::printf("\n%s", planText(outcome.plan).c_str());
  if (outcome.report.kernels.empty())
    return;
  rows = {{"kernel", "registers", "instructions", "tensor core"}};
  for (const KernelCode &kernel : outcome.report.kernels)
    rows.push_back({kernel.name, std::to_string(kernel.registers), std::to_string(kernel.instructions),
                    std::to_string(kernel.tensorCore)});
  std::printf("\ncode of the kernels\n%s", tableText(rows).c_str());
}

static int run(const std::string &tool, const Arguments &arguments) {
  Result<Outcome> outcome = work(arguments);
  if (!outcome)
    return fail(tool, outcome.status(), arguments.json);
  if (arguments.remarks && !arguments.json)
    for (const Remark &remark : outcome->report.remarks)
      std::fprintf(stderr, "%s%sremark: [%s] %s: %s\n", remark.location.c_str(), remark.location.empty() ? "" : ": ",
                   remark.category.c_str(), remark.kind.c_str(), remark.message.c_str());
  if (arguments.output == "-")
    std::fwrite(outcome->bytes.data(), 1, outcome->bytes.size(), stdout);
  else if (Status saved = writeFileAtomically(arguments.output, outcome->bytes); !saved.ok())
    return fail(tool, saved, arguments.json);
  if (arguments.json)
    std::printf("%s\n", toJson(arguments, *outcome).dump(1, ' ', false, Json::error_handler_t::replace).c_str());
  if (arguments.report)
    printReport(*outcome);
  return finish(tool);
}

// "models/bert.mlir" -> "bert.tnx", in the folder one works in; IR goes to stdout.
static std::string defaultOutput(const Arguments &arguments) {
  if (!arguments.makesArtefact())
    return "-";
  if (arguments.input == "-")
    return "model.tnx";
  std::string name = arguments.input.substr(arguments.input.find_last_of('/') + 1);
  size_t dot = name.find_last_of('.');
  return (dot == 0 || dot == std::string::npos ? name : name.substr(0, dot)) + ".tnx";
}

int main(int argc, char **argv) {
  Arguments arguments;
  CommandLine line(
      "tenon-compile", "[options] MODEL.mlir | MODEL.pt2",
      "Compiles a model, text in the tenon dialect (- for standard input) or an exported PyTorch program, to an\n"
      "artefact, or shows it after any phase: graph, kernel, then cpu, llvm for a CPU and tile, warp, thread, ptx\n"
      "for a GPU. TENON_PYTHON names the Python that reads .pt2.");
  line.positional("MODEL.mlir", arguments.input);
  line.text("o", "FILE", "where the result goes, - for standard output\n(default: MODEL.tnx here; IR: standard output)",
            arguments.output);
  line.text("target", "TARGET",
            "cpu (this machine, default), cpu:<LLVM name> as cpu:haswell, sm_80, sm_86,\n"
            "sm_89, sm_90a (needs no GPU, but CUDA's ptxas), or cuda (this machine's GPU)",
            arguments.compile.target);
  line.text("from", "PHASE", "the first phase to run (default: graph), or artefact: the text is past all",
            arguments.compile.from);
  line.text("to", "PHASE", "the last phase to run, or artefact (default)", arguments.to);
  line.text(
      "entry", "NAME",
      "of a text with several entries, modules with names, only this one, as a model\nof its own (default: all, in "
      "one artefact)",
      arguments.compile.entry);
  line.text("weights", "FILE", "a .safetensors file to put into the artefact\n(default: those of a .pt2, else none)",
            arguments.weights);
  line.text("dump", "FOLDER",
            "the IR after each phase, LLVM IR and assembly or PTX; each .mlir can be\ncompiled on with --from",
            arguments.compile.dumpDir);
  line.text("ptxas", "FILE",
            "for a GPU: the assembler (default: TENON_PTXAS, PATH, CUDA_HOME, the Python\n"
            "package nvidia-cuda-nvcc)",
            arguments.compile.ptxas);
  line.flag("fail-on-fallback", "for a GPU: a kernel that has no program on tiles is an error",
            arguments.compile.failOnFallback);
  line.text("schedule", "FILE",
            "for a GPU: schedules by hand, a line a kernel as `@linear = #tile.gemm<..>` or\n"
            "`@linear = #warp.schedule<..>`",
            arguments.compile.schedules);
  line.text("tuning", "FILE",
            "for a GPU: schedules that tenon-tune measured, ahead of those that come with\n"
            "Tenon; none: models choose (default: TENON_TUNING)",
            arguments.compile.tuning);
  line.flag("tf32", "for a GPU: products of f32 may be rounded to tf32, on its Tensor Cores", arguments.compile.tf32);
  line.flag("line-info", "for a GPU: the code says which of the model's lines it is of, for profilers",
            arguments.compile.lineInfo);
  line.flag("report", "print the time of each step and what the artefact holds", arguments.report);
  line.flag("remarks", "print what passes did, did not do, and why", arguments.remarks);
  line.flag("json", "print the report, or the error, as JSON", arguments.json);
  line.flag("no-model", "leave the model's IR out of the artefact (--check then has no reference)", arguments.noModel);
  line.text("reproducer", "FILE", "if a pass fails or crashes: its IR and the pipeline, for tenon-opt",
            arguments.compile.reproducer);
  line.example("tenon-compile bert.mlir --weights=bert.safetensors", "makes bert.tnx, all in one file");
  line.example("tenon-compile bert.pt2", "the same from what torch.export.save wrote");
  line.example("tenon-compile bert.mlir --target=cpu:skylake-avx512 -o bert-avx512.tnx", "for another machine");
  line.example("tenon-compile bert.mlir --target=sm_90a --weights=bert.safetensors", "for an H100 or H200");
  line.example("tenon-compile bert.mlir --to=kernel", "shows which ops became one kernel");
  line.example("tenon-compile bert.mlir --dump=dump && tenon-compile dump/02-kernel.mlir --from=cpu",
               "goes on from a phase's IR, edited perhaps");
  if (std::optional<int> code = line.parse(argc, argv))
    return *code;
  arguments.compile.filename = arguments.input == "-" ? "<stdin>" : arguments.input;
  arguments.compile.remarks = arguments.remarks;
  arguments.compile.keepModel = !arguments.noModel;
  if (arguments.output.empty())
    arguments.output = defaultOutput(arguments);
  auto wrongUse = [&](const char *what) {
    std::fprintf(stderr, "%s: %s\n", line.tool().c_str(), what);
    return exitWrongUse;
  };
  if (arguments.output == "-" && (arguments.json || arguments.report))
    return wrongUse("--json and --report need -o FILE: the result goes to standard output already");
  if (arguments.json && arguments.report)
    return wrongUse("--json is the report as JSON: leave --report out");
  if (!arguments.makesArtefact() && !arguments.weights.empty())
    return wrongUse("--weights goes with an artefact, and --to stops before there is one");
  if (Status use = checkUse(arguments.compile, arguments.to); !use)
    return fail(line.tool(), use, arguments.json, exitWrongUse);
  return run(line.tool(), arguments);
}
