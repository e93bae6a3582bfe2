// Runs one kernel of a module after phase thread under the device simulator, on arrays or random numbers.
#include "lib/Pipelines/Phases.h"
#include "lib/Target/SimulatedModule.h"
#include "tools/CommandLine.h"
#include "tools/PlanDescription.h"
#include "tools/tenon-run/Arrays.h"
#include "tools/tenon-run/Inputs.h"
#include "tools/tenon-run/SimulationArguments.h"
#include "tools/tenon-run/Values.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"

#include <algorithm>
#include <cstdio>

using namespace mlir;
using namespace tenon;
using namespace tenon::tool;

namespace {

struct Arguments {
  std::string file, kernel, output, random = "normal";
  std::vector<std::string> operands, results, dims;
  int64_t seed = 0;
  bool print = false, programmatic = false;
  SimulationArguments simulation;
};

/// "bf16[64x32]", or "f32[]".
Result<std::pair<DataType, std::vector<int64_t>>> parseType(const std::string &text) {
  Status wrong = invalidArgument("'" + text + "' is no type; expected for example bf16[64x32]");
  size_t open = text.find('[');
  if (open == std::string::npos || text.back() != ']')
    return wrong;
  std::optional<DataType> type = dataTypeFromName(text.substr(0, open));
  if (!type)
    return wrong;
  std::vector<int64_t> shape;
  llvm::SmallVector<llvm::StringRef> sizes;
  llvm::StringRef(text).slice(open + 1, text.size() - 1).split(sizes, 'x', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef each : sizes)
    if (each.getAsInteger(10, shape.emplace_back()) || shape.back() < 0)
      return wrong;
  return std::pair(*type, shape);
}

Result<Tensor> makeOperand(const std::string &text, const Arguments &arguments, size_t index) {
  if (llvm::StringRef(text).ends_with(".npy")) {
    TENON_TRY_ASSIGN(std::vector<Array> arrays, readArrays(text));
    return std::move(arrays.front().tensor);
  }
  TENON_TRY_ASSIGN(auto typed, parseType(text));
  return randomTensor(typed.first, typed.second, arguments.random,
                      static_cast<uint64_t>(arguments.seed) * 1000003 + index, {0, 1});
}

sim::Buffer bufferOf(std::string name, const Tensor &tensor) {
  return {std::move(name), tensor.buffer.data(), tensor.ref().bytes()};
}

void print(const std::string &name, const Tensor &tensor) {
  ReferenceTensor numbers = toNumbers(tensor.ref());
  std::printf("%s %s%s:", name.c_str(), std::string(dataTypeName(tensor.dtype)).c_str(),
              shapeText(tensor.shape).c_str());
  for (int64_t i = 0; i < numbers.size(); ++i)
    std::printf(" %.9g", numbers.at(i));
  std::printf("\n");
}

Result<sim::Report> work(const Arguments &arguments) {
  DialectRegistry registry;
  registerDialects(registry);
  MLIRContext context(registry);
  TENON_TRY_ASSIGN(std::string text, readText(arguments.file));
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context, arguments.file);
  if (!module)
    return invalidArgument("'" + arguments.file + "' does not parse");
  TENON_TRY_ASSIGN(std::unique_ptr<SimulatedModule> simulated, SimulatedModule::compile(*module));
  std::string kernel = arguments.kernel;
  if (kernel.empty() && simulated->kernelNames().size() == 1)
    kernel = simulated->kernelNames().front();

  SimulatedCall call;
  std::vector<Tensor> operands;
  std::vector<Array> results;
  for (const std::string &each : arguments.operands) {
    std::string name = "operand" + std::to_string(operands.size());
    TENON_TRY_ASSIGN(Tensor tensor, makeOperand(each, arguments, operands.size()));
    operands.push_back(tensor);
    call.operands.push_back(bufferOf(name, tensor));
  }
  for (const std::string &each : arguments.results) {
    std::string name = "result" + std::to_string(results.size());
    TENON_TRY_ASSIGN(auto typed, parseType(each));
    TENON_TRY_ASSIGN(Tensor tensor, Tensor::allocate(typed.first, typed.second));
    std::fill_n(static_cast<char *>(tensor.buffer.data()), tensor.ref().bytes(), static_cast<char>(0xFF));
    results.push_back({name, tensor});
    call.results.push_back(bufferOf(name, tensor));
  }
  for (const std::string &each : arguments.dims)
    if (llvm::StringRef(each).getAsInteger(10, call.dims.emplace_back()))
      return invalidArgument("--dim " + each + " is no integer");
  call.isProgrammatic = arguments.programmatic;
  TENON_TRY_ASSIGN(sim::Options options, arguments.simulation.options());
  sim::Trace trace;
  if (!arguments.simulation.trace.empty())
    options.trace = &trace;
  TENON_TRY_ASSIGN(sim::Report report, simulated->run(kernel, call, options));
  if (options.trace)
    TENON_TRY(writeTrace(trace, arguments.simulation.trace));
  if (options.counts)
    std::printf("%s", tableText(countRows(report.counts, *simulated->find(kernel)->sites)).c_str());
  if (arguments.print)
    for (const Array &result : results)
      print(result.name, result.tensor);
  if (!arguments.output.empty())
    TENON_TRY(writeArrays(arguments.output, results));
  return report;
}

} // namespace

int main(int argc, char **argv) {
  Arguments arguments;
  CommandLine line(
      "tenon-sim", "[options] FILE.mlir",
      "Runs one kernel of a module after phase thread on this machine, under a model of the GPU: gives the\n"
      "results, and every race, deadlock and access out of bounds with its op and place.");
  line.positional("FILE.mlir", arguments.file);
  line.text("kernel", "NAME", "the kernel (default: the only one)", arguments.kernel);
  line.texts("operand", "TYPE|FILE", "in order: bf16[64x32] of random numbers, or a .npy file", arguments.operands);
  line.texts("result", "TYPE", "in order; filled with NaN before", arguments.results);
  line.texts("dim", "N", "the i64 arguments, in order", arguments.dims);
  line.choice("random", "KIND", {"normal", "integers", "positive", "wide"},
              "random floats: normal, integers (-2, -1, 1, 2), positive or wide", arguments.random);
  line.integer("seed", "N", "of random operands (default: 0)", 0, arguments.seed);
  arguments.simulation.addTo(line);
  line.flag("programmatic",
            "the launch may start while the one ahead of it runs, which writes operands and reads results",
            arguments.programmatic);
  line.flag("print", "print the results", arguments.print);
  line.text("output", "FILE", "where the results go: .npz, or .npy when there is one", arguments.output);
  line.example(
      "tenon-sim gemm.mlir --operand=bf16[64x32] --operand=bf16[64x32] --result=f32[64x64] --dim=64 --dim=64 --dim=32",
      "a kernel with three dynamic sizes on random numbers");
  if (std::optional<int> code = line.parse(argc, argv))
    return *code;
  Result<sim::Report> report = work(arguments);
  if (!report)
    return fail(line.tool(), report.status());
  std::printf("%s", report->ok() ? "no findings\n" : report->text().c_str());
  int code = finish(line.tool());
  return code == exitDone && !report->ok() ? exitFailed : code;
}
