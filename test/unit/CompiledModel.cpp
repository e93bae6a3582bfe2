#include "test/unit/CompiledModel.h"

#include "dialects/Tenon/Tenon.h"
#include "lib/Reference/Reference.h"
#include "lib/Runtime/Context.h"

#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

using namespace mlir;

namespace tenon::test {

void PrintTo(const ModelCase &test, std::ostream *os) { *os << test.name; }

namespace {
/// A tensor as the reference and as the runtime see it.
struct Data {
  ReferenceTensor values;
  std::vector<char> bytes;
  Tensor tensor;
};

DataType dataType(Type element) {
  std::string name;
  llvm::raw_string_ostream(name) << element;
  return *dataTypeFromName(name);
}

Data makeData(const ModelCase &test, unsigned index, Type element, llvm::ArrayRef<int64_t> shape,
              std::mt19937 &random) {
  Data data;
  data.values = ReferenceTensor(element, shape);
  std::normal_distribution<double> normal;
  std::uniform_int_distribution<int64_t> integer(0, (element.isInteger(1) ? 2 : test.integerLimit) - 1);
  for (double &value : data.values.floats)
    value = normal(random);
  for (int64_t &value : data.values.integers)
    value = integer(random);
  if (test.fill)
    test.fill(index, data.values);
  data.values.roundToStorage();
  data.bytes = data.values.toStorage();
  data.tensor = *Tensor::allocate(dataType(element), std::vector<int64_t>(shape.begin(), shape.end()));
  std::copy(data.bytes.begin(), data.bytes.end(), static_cast<char *>(data.tensor.buffer.data()));
  return data;
}

/// Half a unit in the last place of the storage type at `value`.
double rounding(Type element, double value) {
  auto type = dyn_cast<FloatType>(element);
  if (!type)
    return 0;
  const llvm::fltSemantics &semantics = type.getFloatSemantics();
  int exponent = std::max(std::ilogb(value), llvm::APFloat::semanticsMinExponent(semantics));
  return std::ldexp(0.5, exponent + 1 - int(type.getFPMantissaWidth()));
}

void compare(const ModelCase &test, const ReferenceTensor &expected, const ReferenceTensor &got, size_t output) {
  ASSERT_EQ(expected.shape, got.shape) << "output " << output;
  int shown = 0;
  for (int64_t at = 0; at < expected.size() && shown < 5; ++at) {
    double want = expected.at(at), have = got.at(at);
    bool good = std::isnan(want) || std::isnan(have) ? std::isnan(want) && std::isnan(have)
                : std::isinf(want) || std::isinf(have)
                    ? want == have
                    : std::fabs(want - have) <= test.slack + rounding(expected.elementType, want);
    if (!good) {
      ADD_FAILURE() << "output " << output << " element " << at << " is " << have << ", expected " << want;
      ++shown;
    }
  }
}
} // namespace

void expectMatchesReference(const ModelCase &test) {
  MLIRContext context;
  context.loadDialect<TenonDialect, func::FuncDialect>();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(test.text, &context);
  ASSERT_TRUE(module) << test.text;
  auto main = module->lookupSymbol<func::FuncOp>("main");
  std::mt19937 random(20240607);

  std::vector<Data> inputs;
  for (BlockArgument argument : main.getArguments()) {
    auto type = cast<RankedTensorType>(argument.getType());
    llvm::SmallVector<int64_t> shape(type.getShape());
    auto names = main.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), "tenon.dims");
    for (auto [dimension, size] : llvm::enumerate(shape))
      if (size == ShapedType::kDynamic)
        size = test.dims.at(cast<StringAttr>(names[dimension]).str());
    inputs.push_back(makeData(test, inputs.size(), type.getElementType(), shape, random));
  }
  std::map<std::string, Data> weights;
  main.walk([&](WeightOp weight) {
    auto type = cast<RankedTensorType>(weight.getResult().getType());
    weights[weight.getKey().str()] =
        makeData(test, inputs.size() + weights.size(), type.getElementType(), type.getShape(), random);
  });

  std::vector<ReferenceTensor> values;
  for (const Data &input : inputs)
    values.push_back(input.values);
  FailureOr<std::vector<ReferenceTensor>> expected =
      evaluateReference(main, values, [&](llvm::StringRef key, RankedTensorType) -> FailureOr<ReferenceTensor> {
        return weights.at(key.str()).values;
      });
  ASSERT_TRUE(succeeded(expected));

  CompileOptions options;
  Result<Compilation> compiled = compile(test.text, options);
  ASSERT_TRUE(compiled) << compiled.status().message();
  Result<std::shared_ptr<KernelLibrary>> library = loadObjects(compiled->objects);
  ASSERT_TRUE(library) << library.status().message();
  std::map<std::string, TensorRef> weightRefs;
  for (const auto &[key, data] : weights)
    weightRefs[key] = data.tensor.ref();
  auto executable =
      Executable::create(compiled->plan, *library, compiled->constants, weightsFromTensors(std::move(weightRefs)));
  ASSERT_TRUE(executable) << executable.status().message();
  Context runner(*executable);
  std::vector<TensorRef> arguments;
  for (const Data &input : inputs)
    arguments.push_back(input.tensor.ref());
  Result<std::vector<Tensor>> first = runner.run(arguments), second = runner.run(arguments);
  ASSERT_TRUE(first) << first.status().message();
  ASSERT_TRUE(second) << second.status().message();

  ASSERT_EQ(first->size(), expected->size());
  for (auto [index, reference] : llvm::enumerate(*expected)) {
    const Tensor &output = (*first)[index];
    llvm::ArrayRef<char> bytes(static_cast<const char *>(output.buffer.data()), output.ref().bytes());
    llvm::ArrayRef<char> again(static_cast<const char *>((*second)[index].buffer.data()), bytes.size());
    EXPECT_EQ(bytes, again) << "output " << index << " differs between two runs";
    FailureOr<ReferenceTensor> got = ReferenceTensor::fromStorage(reference.elementType, output.shape, bytes);
    ASSERT_TRUE(succeeded(got));
    compare(test, reference, *got, index);
  }
}

} // namespace tenon::test
