// The bounds of a check: as quality demands for a single product; wide enough for an implementation that rounds every
// result to its storage type, and narrow enough to see a wrong one.
#include "dialects/Tenon/Tenon.h"
#include "lib/Reference/ErrorBounds.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

using namespace mlir;
using namespace tenon;

namespace {

struct Module {
  explicit Module(MLIRContext &context, const std::string &function) {
    context.loadDialect<TenonDialect, func::FuncDialect>();
    module = parseSourceString<ModuleOp>(function, &context);
    EXPECT_TRUE(module) << function;
  }
  func::FuncOp main() { return *module->getOps<func::FuncOp>().begin(); }
  OwningOpRef<ModuleOp> module;
};

std::vector<ReferenceTensor> randomInputs(func::FuncOp function) {
  std::mt19937 random(7);
  std::vector<ReferenceTensor> inputs;
  for (Type type : function.getArgumentTypes()) {
    auto tensorType = cast<RankedTensorType>(type);
    ReferenceTensor input(tensorType.getElementType(), tensorType.getShape());
    for (double &value : input.floats)
      value = (static_cast<double>(random() % 20001) - 10000) / 5000;
    for (int64_t &value : input.integers)
      value = random() % 2;
    input.roundToStorage();
    inputs.push_back(std::move(input));
  }
  return inputs;
}

FailureOr<ReferenceTensor> noWeights(llvm::StringRef, RankedTensorType) { return failure(); }

/// The largest difference of two results as a share of the first's bounds.
double worstShare(const BoundedTensor &bounded, const ReferenceTensor &other) {
  double worst = 0;
  for (int64_t i = 0; i < other.size(); ++i)
    if (double difference = std::fabs(other.at(i) - bounded.value.at(i)); difference > 0)
      worst = std::max(worst, difference / bounded.bound[i]);
  return worst;
}

struct Case {
  const char *name, *right, *wrong;
};
void PrintTo(const Case &test, std::ostream *os) { *os << test.name; }
class Bounds : public testing::TestWithParam<Case> {};

TEST_P(Bounds, HoldForRoundedResultsAndNotForWrongOnes) {
  MLIRContext context;
  Module right(context, GetParam().right), wrong(context, GetParam().wrong);
  std::vector<ReferenceTensor> inputs = randomInputs(right.main());
  auto bounded = evaluateWithBounds(right.main(), inputs, noWeights);
  ASSERT_TRUE(succeeded(bounded));
  auto rounded = evaluateReference(right.main(), inputs, noWeights, ReferenceRounding::perOp);
  auto mutant = evaluateReference(wrong.main(), inputs, noWeights, ReferenceRounding::perOp);
  ASSERT_TRUE(succeeded(rounded) && succeeded(mutant));
  EXPECT_LE(worstShare(bounded->front(), rounded->front()), 1);
  EXPECT_GT(worstShare(bounded->front(), mutant->front()), 1);
}

#define MLP(body)                                                                                                      \
  "func.func @main(%x: tensor<5x32xf32>, %w: tensor<48x32xf32>, %b: tensor<48xf32>, %v: tensor<32x48xf32>) "           \
  "-> tensor<5x32xf32> {\n"                                                                                            \
  "%h = tenon.linear %x, %w, %b : (tensor<5x32xf32>, tensor<48x32xf32>, tensor<48xf32>) -> tensor<5x48xf32>\n" body    \
  "%y = tenon.linear %g, %v : (tensor<5x48xf32>, tensor<32x48xf32>) -> tensor<5x32xf32>\n"                             \
  "return %y : tensor<5x32xf32> }"
#define ATTENTION(attributes)                                                                                          \
  "func.func @main(%q: tensor<1x2x9x16xbf16>, %k: tensor<1x2x9x16xbf16>, %v: tensor<1x2x9x16xbf16>) "                  \
  "-> tensor<1x2x9x16xbf16> {\n"                                                                                       \
  "%y = tenon.attention %q, %k, %v " attributes                                                                        \
  ": (tensor<1x2x9x16xbf16>, tensor<1x2x9x16xbf16>, tensor<1x2x9x16xbf16>) -> tensor<1x2x9x16xbf16>\n"                 \
  "return %y : tensor<1x2x9x16xbf16> }"
#define ROWS(type, op)                                                                                                 \
  "func.func @main(%x: tensor<4x33x" type ">) -> tensor<4x33x" type "> {\n%y = tenon." op " : (tensor<4x33x" type      \
  ">) -> tensor<4x33x" type ">\nreturn %y : tensor<4x33x" type "> }"

INSTANTIATE_TEST_SUITE_P(
    Functions, Bounds,
    testing::Values(
        Case{"mlp_gelu", MLP("%g = tenon.gelu %h : (tensor<5x48xf32>) -> tensor<5x48xf32>\n"),
             MLP("%g = tenon.gelu %h {approximation = #tenon.gelu<tanh>} : (tensor<5x48xf32>) -> "
                 "tensor<5x48xf32>\n")},
        Case{"attention_bf16", ATTENTION("{causal} "), ATTENTION("{causal, scale = 0.26 : f64} ")},
        Case{"attention_soft_cap_bf16", ATTENTION("{soft_cap = 2.0 : f64} "), ATTENTION("{soft_cap = 2.2 : f64} ")},
        Case{"layer_norm_f32", ROWS("f32", "layer_norm %x {epsilon = 1.0e-5 : f64}"),
             ROWS("f32", "layer_norm %x {epsilon = 2.0e-4 : f64}")},
        Case{"softmax_f16", ROWS("f16", "softmax %x {axis = 1 : i64}"), ROWS("f16", "softmax %x {axis = 0 : i64}")},
        Case{"gelu_f32", ROWS("f32", "gelu %x"), ROWS("f32", "gelu %x {approximation = #tenon.gelu<tanh>}")}),
    [](const auto &info) { return std::string(info.param.name); });

TEST(Bounds, OfAProductIsTheStatedFormula) {
  MLIRContext context;
  Module module(context, "func.func @main(%a: tensor<3x50xf32>, %b: tensor<50x4xf32>) -> tensor<3x4xf32> {\n"
                         "%y = tenon.matmul %a, %b : (tensor<3x50xf32>, tensor<50x4xf32>) -> tensor<3x4xf32>\n"
                         "return %y : tensor<3x4xf32> }");
  std::vector<ReferenceTensor> inputs = randomInputs(module.main());
  auto bounded = evaluateWithBounds(module.main(), inputs, noWeights);
  ASSERT_TRUE(succeeded(bounded));
  for (int64_t i = 0; i < 3; ++i)
    for (int64_t j = 0; j < 4; ++j) {
      double sum = 0, magnitude = 0;
      for (int64_t k = 0; k < 50; ++k) {
        sum += inputs[0].floats[i * 50 + k] * inputs[1].floats[k * 4 + j];
        magnitude += std::fabs(inputs[0].floats[i * 50 + k] * inputs[1].floats[k * 4 + j]);
      }
      double bound = 0x1p-24 * std::fabs(sum) + 4 * std::sqrt(50.0) * 0x1p-24 * magnitude;
      EXPECT_NEAR(bounded->front().bound[i * 4 + j], bound, 1e-6 * bound);
    }
}

// 4e9 / 3 has no room for the fraction in f32: the quotient is rounded first, to either side of an integer.
TEST(Bounds, AStepOfFloorIsOnePastTheEdge) {
  MLIRContext context;
  Module module(context, "func.func @main(%a: tensor<2xf32>, %b: tensor<2xf32>) -> tensor<2xf32> {\n"
                         "%y = tenon.floor_div %a, %b : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>\n"
                         "return %y : tensor<2xf32> }");
  std::vector<ReferenceTensor> inputs = randomInputs(module.main());
  inputs[0].floats = {4e9, 7.5};
  inputs[1].floats = {3, 3};
  auto bounded = evaluateWithBounds(module.main(), inputs, noWeights);
  ASSERT_TRUE(succeeded(bounded));
  EXPECT_GE(bounded->front().bound[0], 64); // an f32 near 1.3e9 is a multiple of 128
  EXPECT_LT(bounded->front().bound[1], 1e-5);
}

// In rows of one element nothing is usual in a row, and with random signs alone the errors of two ops of like size
// cancel in all of four evaluations for one element in sixteen.
TEST(Bounds, ErrorsThatCancelInAllSamplesStillCount) {
  MLIRContext context;
  Module module(context, "func.func @main(%x: tensor<400x1xbf16>) -> tensor<20x20x1xbf16> {\n"
                         "%t = tenon.tanh %x : (tensor<400x1xbf16>) -> tensor<400x1xbf16>\n"
                         "%s = tenon.tanh %t : (tensor<400x1xbf16>) -> tensor<400x1xbf16>\n"
                         "%y = tenon.reshape %s : (tensor<400x1xbf16>) -> tensor<20x20x1xbf16>\n"
                         "return %y : tensor<20x20x1xbf16> }");
  std::vector<ReferenceTensor> inputs = randomInputs(module.main());
  auto bounded = evaluateWithBounds(module.main(), inputs, noWeights);
  auto rounded = evaluateReference(module.main(), inputs, noWeights, ReferenceRounding::perOp);
  ASSERT_TRUE(succeeded(bounded) && succeeded(rounded));
  EXPECT_LE(worstShare(bounded->front(), rounded->front()), 1);
}

TEST(Bounds, WhatMovesDataIsExact) {
  MLIRContext context;
  Module module(context,
                "func.func @main(%a: tensor<3x4xf32>) -> tensor<4x3xf32> {\n"
                "%t = tenon.transpose %a {permutation = array<i64: 1, 0>} : (tensor<3x4xf32>) -> tensor<4x3xf32>\n"
                "%y = tenon.relu %t : (tensor<4x3xf32>) -> tensor<4x3xf32>\n"
                "return %y : tensor<4x3xf32> }");
  auto bounded = evaluateWithBounds(module.main(), randomInputs(module.main()), noWeights);
  ASSERT_TRUE(succeeded(bounded));
  for (double bound : bounded->front().bound)
    EXPECT_EQ(bound, 0);
}

} // namespace
