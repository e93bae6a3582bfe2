// The float64 reference on small cases worked out by hand: each row is a function, its inputs and what it must give.
#include "dialects/Tenon/Tenon.h"
#include "lib/Reference/Reference.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

using namespace mlir;
using namespace tenon;

namespace {
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();

struct Case {
  const char *name;
  const char *signature; // of @main, arguments named %0, %1, ..
  const char *body;      // ends in `return`
  std::vector<std::vector<double>> inputs;
  std::vector<double> expected;
  std::vector<int64_t> shape;
  ReferenceRounding rounding = ReferenceRounding::exact;
};

void PrintTo(const Case &test, std::ostream *os) { *os << test.name; }

class ReferenceCase : public testing::TestWithParam<Case> {};

/// Dynamic dimensions of an argument are one: the elements that are left.
ReferenceTensor tensorOf(RankedTensorType type, const std::vector<double> &elements) {
  llvm::SmallVector<int64_t> shape(type.getShape());
  int64_t known = 1;
  for (int64_t size : shape)
    known *= size == ShapedType::kDynamic ? 1 : size;
  for (int64_t &size : shape)
    if (size == ShapedType::kDynamic)
      size = known ? static_cast<int64_t>(elements.size()) / known : 0;
  ReferenceTensor tensor(type.getElementType(), shape);
  EXPECT_EQ(tensor.size(), static_cast<int64_t>(elements.size()));
  for (int64_t i = 0; i < tensor.size(); ++i) {
    if (tensor.isFloat())
      tensor.floats[i] = elements[i];
    else
      tensor.integers[i] = static_cast<int64_t>(elements[i]);
  }
  return tensor;
}

TEST_P(ReferenceCase, GivesTheNumbers) {
  const Case &test = GetParam();
  MLIRContext context;
  context.loadDialect<TenonDialect, func::FuncDialect>();
  std::string text = std::string("func.func @main") + test.signature + " {\n" + test.body + "\n}";
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  ASSERT_TRUE(module) << text;
  auto function = module->lookupSymbol<func::FuncOp>("main");
  std::vector<ReferenceTensor> inputs;
  for (auto [argument, elements] : llvm::zip_equal(function.getArguments(), test.inputs))
    inputs.push_back(tensorOf(cast<RankedTensorType>(argument.getType()), elements));
  auto weights = [](llvm::StringRef key, RankedTensorType type) -> FailureOr<ReferenceTensor> {
    if (key != "known")
      return failure();
    ReferenceTensor weight(type.getElementType(), type.getShape());
    std::fill(weight.floats.begin(), weight.floats.end(), 2.0);
    return weight;
  };
  FailureOr<std::vector<ReferenceTensor>> results = evaluateReference(function, inputs, weights, test.rounding);
  ASSERT_TRUE(succeeded(results));
  const ReferenceTensor &result = results->front();
  EXPECT_EQ(std::vector<int64_t>(result.shape.begin(), result.shape.end()), test.shape);
  ASSERT_EQ(result.size(), static_cast<int64_t>(test.expected.size()));
  for (int64_t i = 0; i < result.size(); ++i) {
    double expected = test.expected[i];
    if (std::isnan(expected))
      EXPECT_TRUE(std::isnan(result.at(i))) << "element " << i << " is " << result.at(i);
    else if (std::isinf(expected))
      EXPECT_EQ(result.at(i), expected) << "element " << i;
    else
      EXPECT_NEAR(result.at(i), expected, 1e-14 * std::max(1.0, std::fabs(expected))) << "element " << i;
  }
}

const double third = 1.0 / 3;
const double half = std::sqrt(0.5);

const Case cases[] = {
    {"matmul",
     "(%0: tensor<2x3xf32>, %1: tensor<3x2xf32>) -> tensor<2x2xf32>",
     "%r = tenon.matmul %0, %1 : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x2xf32> return %r : tensor<2x2xf32>",
     {{1, 2, 3, 4, 5, 6}, {1, 0, 0, 1, 1, 1}},
     {4, 5, 10, 11},
     {2, 2}},
    {"matmul_transposed_both",
     "(%0: tensor<3x2xf32>, %1: tensor<2x3xf32>) -> tensor<2x2xf32>",
     "%r = tenon.matmul %0, %1 {transpose_a, transpose_b} : (tensor<3x2xf32>, tensor<2x3xf32>) -> tensor<2x2xf32> "
     "return %r : tensor<2x2xf32>",
     {{1, 4, 2, 5, 3, 6}, {1, 0, 1, 0, 1, 1}},
     {4, 5, 10, 11},
     {2, 2}},
    {"matmul_sums_nothing",
     "(%0: tensor<2x0xf32>, %1: tensor<0x1xf32>) -> tensor<2x1xf32>",
     "%r = tenon.matmul %0, %1 : (tensor<2x0xf32>, tensor<0x1xf32>) -> tensor<2x1xf32> return %r : tensor<2x1xf32>",
     {{}, {}},
     {0, 0},
     {2, 1}},
    {"linear_dynamic_rows",
     "(%0: tensor<?x2xf32>, %1: tensor<3x2xf32>, %2: tensor<3xf32>) -> tensor<?x3xf32>",
     "%r = tenon.linear %0, %1, %2 : (tensor<?x2xf32>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<?x3xf32> "
     "return %r : tensor<?x3xf32>",
     {{1, 2, 3, 4}, {1, 0, 0, 1, 1, 1}, {10, 20, 30}},
     {11, 22, 33, 13, 24, 37},
     {2, 3}},
    {"attention_causal_sees_more_keys",
     "(%0: tensor<1x1x2x1xf32>, %1: tensor<1x1x3x1xf32>, %2: tensor<1x1x3x1xf32>) -> tensor<1x1x2x1xf32>",
     "%r = tenon.attention %0, %1, %2 {causal} : (tensor<1x1x2x1xf32>, tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32>) -> "
     "tensor<1x1x2x1xf32> return %r : tensor<1x1x2x1xf32>",
     {{0, 0}, {5, 6, 7}, {1, 2, 6}},
     {1.5, 3},
     {1, 1, 2, 1}},
    {"attention_soft_cap",
     "(%0: tensor<1x1x2x1xf32>, %1: tensor<1x1x2x1xf32>, %2: tensor<1x1x2x1xf32>) -> tensor<1x1x2x1xf32>",
     "%r = tenon.attention %0, %1, %2 {soft_cap = 2.0 : f64} : (tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>, "
     "tensor<1x1x2x1xf32>) -> tensor<1x1x2x1xf32> return %r : tensor<1x1x2x1xf32>",
     {{2, inf}, {0.5, 3.5}, {0, 1}},
     {1 / (1 + std::exp(2 * (std::tanh(0.5) - std::tanh(3.5)))), 0.5},
     {1, 1, 2, 1}},
    {"attention_lengths",
     "(%0: tensor<3x1x2x1xf32>, %1: tensor<3x1x2x1xf32>, %2: tensor<3x1x2x1xf32>, %3: tensor<3xi32>, %4: "
     "tensor<3xi64>) "
     "-> tensor<3x1x2x1xf32>",
     "%r = tenon.attention %0, %1, %2 key_lengths(%3) query_lengths(%4) : (tensor<3x1x2x1xf32>, tensor<3x1x2x1xf32>, "
     "tensor<3x1x2x1xf32>, tensor<3xi32>, tensor<3xi64>) -> tensor<3x1x2x1xf32> return %r : tensor<3x1x2x1xf32>",
     {{0, 0, 0, 0, 0, 0}, {1, 1, 1, 1, 1, 1}, {4, inf, 5, 6, 2, 4}, {1, -3, 9}, {2, 2, 1}},
     {4, 4, 0, 0, 3, 0},
     {3, 1, 2, 1}},
    {"attention_log_sum_exp",
     "(%0: tensor<1x1x3x1xf32>, %1: tensor<1x1x2x1xf32>, %2: tensor<1x1x2x1xf32>, %3: tensor<3x2xi1>) -> "
     "tensor<1x1x3xf32>",
     "%r, %l = tenon.attention %0, %1, %2 mask(%3) {log_sum_exp} : (tensor<1x1x3x1xf32>, tensor<1x1x2x1xf32>, "
     "tensor<1x1x2x1xf32>, tensor<3x2xi1>) -> (tensor<1x1x3x1xf32>, tensor<1x1x3xf32>) return %l : tensor<1x1x3xf32>",
     {{1, 2, 3}, {400, 400}, {1, 1}, {1, 1, 0, 1, 0, 0}},
     {400 + std::log(2), 800, -inf},
     {1, 1, 3}},
    {"attention_masked_row_is_zero",
     "(%0: tensor<1x1x1x1xf32>, %1: tensor<1x1x2x1xf32>, %2: tensor<1x1x2x1xf32>, %3: tensor<1x1x1x2xi1>) -> "
     "tensor<1x1x1x1xf32>",
     "%r = tenon.attention %0, %1, %2 mask(%3) : (tensor<1x1x1x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>, "
     "tensor<1x1x1x2xi1>) -> tensor<1x1x1x1xf32> return %r : tensor<1x1x1x1xf32>",
     {{1}, {1, 1}, {3, inf}, {0, 0}},
     {0},
     {1, 1, 1, 1}},
    {"softmax",
     "(%0: tensor<1x3xf32>) -> tensor<1x3xf32>",
     "%r = tenon.softmax %0 {axis = 1 : i64} : (tensor<1x3xf32>) -> tensor<1x3xf32> return %r : tensor<1x3xf32>",
     {{1000, 1000, 1000}},
     {third, third, third},
     {1, 3}},
    {"layer_norm",
     "(%0: tensor<1x2xf32>, %1: tensor<2xf32>, %2: tensor<2xf32>) -> tensor<1x2xf32>",
     "%r = tenon.layer_norm %0 weight(%1) bias(%2) {epsilon = 0.0 : f64} : (tensor<1x2xf32>, tensor<2xf32>, "
     "tensor<2xf32>) -> tensor<1x2xf32> return %r : tensor<1x2xf32>",
     {{3, 5}, {2, 3}, {0, 1}},
     {-2, 4},
     {1, 2}},
    {"rms_norm",
     "(%0: tensor<1x2xf32>) -> tensor<1x2xf32>",
     "%r = tenon.rms_norm %0 {epsilon = 0.0 : f64} : (tensor<1x2xf32>) -> tensor<1x2xf32> return %r : tensor<1x2xf32>",
     {{1, 1}},
     {1, 1},
     {1, 2}},
    {"gelu_erf",
     "(%0: tensor<3xf32>) -> tensor<3xf32>",
     "%r = tenon.gelu %0 : (tensor<3xf32>) -> tensor<3xf32> return %r : tensor<3xf32>",
     {{0, 1, -1}},
     {0, 0.8413447460685429, -0.15865525393145705},
     {3}},
    {"add_broadcasts",
     "(%0: tensor<2x1xf32>, %1: tensor<3xf32>) -> tensor<2x3xf32>",
     "%r = tenon.add %0, %1 : (tensor<2x1xf32>, tensor<3xf32>) -> tensor<2x3xf32> return %r : tensor<2x3xf32>",
     {{10, 20}, {1, 2, 3}},
     {11, 12, 13, 21, 22, 23},
     {2, 3}},
    {"max_keeps_nan",
     "(%0: tensor<3xf32>, %1: tensor<3xf32>) -> tensor<3xf32>",
     "%r = tenon.max %0, %1 : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32> return %r : tensor<3xf32>",
     {{nan, 1, 2}, {1, nan, 3}},
     {nan, nan, 3},
     {3}},
    {"integer_division_truncates",
     "(%0: tensor<2xi32>, %1: tensor<2xi32>) -> tensor<2xi32>",
     "%r = tenon.div %0, %1 : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32> return %r : tensor<2xi32>",
     {{-7, 7}, {2, 2}},
     {-3, 3},
     {2}},
    {"remainder_takes_the_sign_of_the_divisor",
     "(%0: tensor<2xi64>, %1: tensor<2xi64>) -> tensor<2xi64>",
     "%r = tenon.rem %0, %1 : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64> return %r : tensor<2xi64>",
     {{-7, 7}, {3, -3}},
     {2, -2},
     {2}},
    {"integers_wrap",
     "(%0: tensor<1xi8>, %1: tensor<1xi8>) -> tensor<1xi8>",
     "%r = tenon.add %0, %1 : (tensor<1xi8>, tensor<1xi8>) -> tensor<1xi8> return %r : tensor<1xi8>",
     {{127}, {1}},
     {-128},
     {1}},
    {"bf16_rounds_per_op",
     "(%0: tensor<1xbf16>, %1: tensor<1xbf16>) -> tensor<1xbf16>",
     "%r = tenon.add %0, %1 : (tensor<1xbf16>, tensor<1xbf16>) -> tensor<1xbf16> return %r : tensor<1xbf16>",
     {{256}, {1}},
     {256},
     {1},
     ReferenceRounding::perOp},
    {"bf16_stays_exact",
     "(%0: tensor<1xbf16>, %1: tensor<1xbf16>) -> tensor<1xbf16>",
     "%r = tenon.add %0, %1 : (tensor<1xbf16>, tensor<1xbf16>) -> tensor<1xbf16> return %r : tensor<1xbf16>",
     {{256}, {1}},
     {257},
     {1}},
    {"cast_saturates",
     "(%0: tensor<4xf32>) -> tensor<4xi8>",
     "%r = tenon.cast %0 : (tensor<4xf32>) -> tensor<4xi8> return %r : tensor<4xi8>",
     {{-1.9, 300, -inf, nan}},
     {-1, 127, -128, 0},
     {4}},
    {"rope_half_split",
     "(%0: tensor<1x4xf32>, %1: tensor<1x2xf32>, %2: tensor<1x2xf32>) -> tensor<1x4xf32>",
     "%r = tenon.rope %0, %1, %2 : (tensor<1x4xf32>, tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x4xf32> "
     "return %r : tensor<1x4xf32>",
     {{1, 2, 3, 4}, {0, 1}, {1, 0}},
     {-3, 2, 1, 4},
     {1, 4}},
    {"reduce_mean_keeps",
     "(%0: tensor<2x2xf32>) -> tensor<1x2xf32>",
     "%r = tenon.reduce_mean %0 {axes = array<i64: 0>, keep_dims} : (tensor<2x2xf32>) -> tensor<1x2xf32> "
     "return %r : tensor<1x2xf32>",
     {{1, 2, 3, 4}},
     {2, 3},
     {1, 2}},
    {"reduce_max_of_nothing",
     "(%0: tensor<2x0xf32>) -> tensor<2xf32>",
     "%r = tenon.reduce_max %0 {axes = array<i64: 1>} : (tensor<2x0xf32>) -> tensor<2xf32> return %r : tensor<2xf32>",
     {{}},
     {-inf, -inf},
     {2}},
    {"reduce_min_of_no_integers",
     "(%0: tensor<0xi8>) -> tensor<i8>",
     "%r = tenon.reduce_min %0 {axes = array<i64: 0>} : (tensor<0xi8>) -> tensor<i8> return %r : tensor<i8>",
     {{}},
     {127},
     {}},
    {"gather_nd",
     "(%0: tensor<2x2xf32>, %1: tensor<2x2xi64>) -> tensor<2xf32>",
     "%r = tenon.gather_nd %0, %1 : (tensor<2x2xf32>, tensor<2x2xi64>) -> tensor<2xf32> return %r : tensor<2xf32>",
     {{1, 2, 3, 4}, {1, 0, 0, 1}},
     {3, 2},
     {2}},
    {"cumsum",
     "(%0: tensor<2x2xi64>) -> tensor<2x2xi64>",
     "%r = tenon.cumsum %0 {axis = 0 : i64} : (tensor<2x2xi64>) -> tensor<2x2xi64> return %r : tensor<2x2xi64>",
     {{1, 2, 3, 4}},
     {1, 2, 4, 6},
     {2, 2}},
    {"transpose",
     "(%0: tensor<2x3xf32>) -> tensor<3x2xf32>",
     "%r = tenon.transpose %0 {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32> "
     "return %r : tensor<3x2xf32>",
     {{1, 2, 3, 4, 5, 6}},
     {1, 4, 2, 5, 3, 6},
     {3, 2}},
    {"slice_from_the_end",
     "(%0: tensor<5xf32>) -> tensor<2xf32>",
     "%r = tenon.slice %0 {starts = array<i64: -4>, ends = array<i64: 9223372036854775807>, steps = array<i64: 2>} : "
     "(tensor<5xf32>) -> tensor<2xf32> return %r : tensor<2xf32>",
     {{0, 1, 2, 3, 4}},
     {1, 3},
     {2}},
    {"concat",
     "(%0: tensor<1x1xf32>, %1: tensor<1x2xf32>) -> tensor<1x3xf32>",
     "%r = tenon.concat %0, %1 {axis = 1 : i64} : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x3xf32> "
     "return %r : tensor<1x3xf32>",
     {{1}, {2, 3}},
     {1, 2, 3},
     {1, 3}},
    {"embedding",
     "(%0: tensor<3x2xf32>, %1: tensor<2xi64>) -> tensor<2x2xf32>",
     "%r = tenon.embedding %0, %1 : (tensor<3x2xf32>, tensor<2xi64>) -> tensor<2x2xf32> return %r : tensor<2x2xf32>",
     {{1, 2, 3, 4, 5, 6}, {2, 0}},
     {5, 6, 1, 2},
     {2, 2}},
    {"weight",
     "(%0: tensor<2xf32>) -> tensor<2xf32>",
     "%w = tenon.weight \"known\" : tensor<2xf32> %r = tenon.mul %0, %w : (tensor<2xf32>, tensor<2xf32>) -> "
     "tensor<2xf32> return %r : tensor<2xf32>",
     {{1, 2}},
     {2, 4},
     {2}},
    {"convolution_padded",
     "(%0: tensor<1x1x3xf32>, %1: tensor<1x1x3xf32>) -> tensor<1x1x3xf32>",
     "%r = tenon.convolution %0, %1 {stride = array<i64: 1>, padding = array<i64: 1>, dilation = array<i64: 1>} : "
     "(tensor<1x1x3xf32>, tensor<1x1x3xf32>) -> tensor<1x1x3xf32> return %r : tensor<1x1x3xf32>",
     {{1, 2, 3}, {1, 10, 100}},
     {210, 321, 32},
     {1, 1, 3}},
    {"quantise_halves_to_even",
     "(%0: tensor<4xf32>, %1: tensor<f32>) -> tensor<4xi8>",
     "%r = tenon.quantise %0, %1 : (tensor<4xf32>, tensor<f32>) -> tensor<4xi8> return %r : tensor<4xi8>",
     {{1, 3, 5, 1000}, {2}},
     {0, 2, 2, 127},
     {4}},
    {"kernel_region",
     "(%0: tensor<2xf32>) -> tensor<2xf32>",
     "%r = tenon.kernel @k(%a = %0) : (tensor<2xf32>) -> tensor<2xf32> { %s = tenon.square %a : (tensor<2xf32>) -> "
     "tensor<2xf32> tenon.yield %s : tensor<2xf32> } return %r : tensor<2xf32>",
     {{2, half}},
     {4, 0.5},
     {2}},
};

INSTANTIATE_TEST_SUITE_P(Reference, ReferenceCase, testing::ValuesIn(cases),
                         [](const testing::TestParamInfo<Case> &info) { return std::string(info.param.name); });

TEST(ReferenceTensor, StorageRoundTrips) {
  MLIRContext context;
  Builder builder(&context);
  ReferenceTensor packed(builder.getIntegerType(4), {3});
  packed.integers = {-8, 7, 1};
  std::vector<char> bytes = packed.toStorage();
  ASSERT_EQ(bytes.size(), 2u);
  EXPECT_EQ(static_cast<unsigned char>(bytes[0]), 0x78); // the low nibble first
  FailureOr<ReferenceTensor> back = ReferenceTensor::fromStorage(builder.getIntegerType(4), {3}, bytes);
  ASSERT_TRUE(succeeded(back));
  EXPECT_EQ(back->integers, packed.integers);

  ReferenceTensor half(builder.getF16Type(), {2});
  half.floats = {1.0 / 3, 65536};
  back = ReferenceTensor::fromStorage(builder.getF16Type(), {2}, half.toStorage());
  ASSERT_TRUE(succeeded(back));
  EXPECT_EQ(back->floats[0], 0.333251953125);
  EXPECT_EQ(back->floats[1], inf);

  EXPECT_TRUE(failed(ReferenceTensor::fromStorage(builder.getF32Type(), {2}, std::vector<char>(7))));
}
} // namespace
