#include "test/unit/CompiledModel.h"

#include "dialects/Tenon/Tenon.h"
#include "lib/Reference/Reference.h"
#include "lib/Runtime/Context.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

using namespace mlir;

namespace tenon::test {

void PrintTo(const ModelCase &test, std::ostream *os) { *os << test.name; }

bool runsHaswell() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

static std::string spelling(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

static Tensor toRuntime(const ReferenceTensor &tensor) {
  std::vector<char> bytes = tensor.toStorage();
  Tensor result = *Tensor::allocate(*dataTypeFromName(spelling(tensor.elementType)),
                                    std::vector<int64_t>(tensor.shape.begin(), tensor.shape.end()));
  std::copy(bytes.begin(), bytes.end(), static_cast<char *>(result.buffer.data()));
  return result;
}

static llvm::ArrayRef<char> bytesOf(const Tensor &tensor) {
  return {static_cast<const char *>(tensor.buffer.data()), size_t(tensor.ref().bytes())};
}

/// Compiles, loads and runs twice.
static Result<std::pair<std::vector<Tensor>, std::vector<Tensor>>>
compileAndRun(const std::string &text, const HowToCompile &how, const std::vector<TensorRef> &inputs,
              std::map<std::string, TensorRef> weights) {
  CompileOptions options;
  options.from = how.from;
  options.target = how.target;
  TENON_TRY_ASSIGN(Compilation compiled, compile(text, options));
  const CompiledEntry &entry = compiled.entries.front();
  TENON_TRY_ASSIGN(std::shared_ptr<KernelLibrary> library, loadObjects(entry.objects));
  TENON_TRY_ASSIGN(std::shared_ptr<const Executable> executable,
                   Executable::create(entry.plan, library, entry.constants, weightsFromTensors(std::move(weights))));
  Context context(executable);
  TENON_TRY_ASSIGN(std::vector<Tensor> first, context.run(inputs));
  TENON_TRY_ASSIGN(std::vector<Tensor> second, context.run(inputs));
  return std::pair(std::move(first), std::move(second));
}

std::vector<ReferenceTensor> runCompiled(const std::string &text, const std::vector<ReferenceTensor> &inputs,
                                         const NamedTensors &weights, const HowToCompile &how) {
  MLIRContext *context = inputs.empty() ? nullptr : inputs.front().elementType.getContext();
  std::vector<Tensor> memory; // of arguments and weights
  std::vector<TensorRef> arguments;
  for (const ReferenceTensor &input : inputs)
    arguments.push_back(memory.emplace_back(toRuntime(input)).ref());
  std::map<std::string, TensorRef> named;
  for (const auto &[key, weight] : weights)
    named[key] = memory.emplace_back(toRuntime(weight)).ref();
  auto runs = compileAndRun(text, how, arguments, std::move(named));
  EXPECT_TRUE(runs) << runs.status().message();
  if (!runs)
    return {};
  std::vector<ReferenceTensor> outputs;
  for (auto [index, output] : llvm::enumerate(runs->first)) {
    EXPECT_EQ(bytesOf(output), bytesOf(runs->second[index])) << "output " << index << " differs between two runs";
    Type element = parseType(dataTypeName(output.dtype), context);
    FailureOr<ReferenceTensor> values = ReferenceTensor::fromStorage(element, output.shape, bytesOf(output));
    EXPECT_TRUE(succeeded(values));
    outputs.push_back(std::move(*values));
  }
  return outputs;
}

/// Half a unit in the last place of the storage type at `value`.
static double rounding(Type element, double value) {
  auto type = dyn_cast<FloatType>(element);
  if (!type || value == 0)
    return 0;
  int least = llvm::APFloat::semanticsMinExponent(type.getFloatSemantics());
  return std::ldexp(1.0, std::max(std::ilogb(value), least) - int(type.getFPMantissaWidth()));
}

static void compare(const ReferenceTensor &expected, const ReferenceTensor &got, double slack, size_t output) {
  ASSERT_EQ(expected.shape, got.shape) << "output " << output;
  int shown = 0;
  for (int64_t at = 0; at < expected.size() && shown < 5; ++at) {
    double want = expected.at(at), have = got.at(at);
    bool good;
    if (std::isnan(want) || std::isnan(have))
      good = std::isnan(want) && std::isnan(have);
    else if (std::isinf(want) || std::isinf(have))
      good = want == have;
    else
      good = std::fabs(want - have) <= slack + rounding(expected.elementType, want);
    if (good)
      continue;
    ADD_FAILURE() << "output " << output << " element " << at << " is " << have << ", expected " << want;
    ++shown;
  }
}

void expectMatchesReference(const ModelCase &test, const HowToCompile &how) {
  MLIRContext context;
  context.loadDialect<TenonDialect, func::FuncDialect>();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(test.text, &context);
  ASSERT_TRUE(module) << test.text;
  auto main = module->lookupSymbol<func::FuncOp>("main");

  std::mt19937 random(20240607);
  unsigned drawn = 0;
  auto draw = [&](Type element, llvm::ArrayRef<int64_t> shape) {
    ReferenceTensor tensor(element, shape);
    std::normal_distribution<double> normal;
    std::uniform_int_distribution<int64_t> integer(0, element.isInteger(1) ? 1 : test.integerLimit - 1);
    for (double &value : tensor.floats)
      value = normal(random);
    for (int64_t &value : tensor.integers)
      value = integer(random);
    if (test.fill)
      test.fill(drawn, tensor);
    ++drawn;
    tensor.roundToStorage();
    return tensor;
  };
  std::vector<ReferenceTensor> inputs;
  for (BlockArgument argument : main.getArguments()) {
    auto type = cast<RankedTensorType>(argument.getType());
    llvm::SmallVector<int64_t> shape(type.getShape());
    auto names = main.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), "tenon.dims");
    for (auto [dimension, size] : llvm::enumerate(shape))
      if (size == ShapedType::kDynamic)
        size = test.dims.at(cast<StringAttr>(names[dimension]).str());
    inputs.push_back(draw(type.getElementType(), shape));
  }
  NamedTensors weights;
  main.walk([&](WeightOp weight) {
    auto type = cast<RankedTensorType>(weight.getResult().getType());
    weights[weight.getKey().str()] = draw(type.getElementType(), type.getShape());
  });

  auto lookup = [&](llvm::StringRef key, RankedTensorType) -> FailureOr<ReferenceTensor> {
    return weights.at(key.str());
  };
  FailureOr<std::vector<ReferenceTensor>> expected = evaluateReference(main, inputs, lookup);
  ASSERT_TRUE(succeeded(expected));
  std::vector<ReferenceTensor> outputs =
      runCompiled(how.lowered ? how.lowered(test.text) : test.text, inputs, weights, how);
  ASSERT_EQ(outputs.size(), expected->size());
  for (auto [index, reference] : llvm::enumerate(*expected))
    compare(reference, outputs[index], test.slack, index);
}

} // namespace tenon::test
