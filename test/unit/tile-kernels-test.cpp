// Models as programs on tiles against the float64 reference of the graph: phases graph and kernel, tenon-tile-kernels,
// then the interpreter launch by launch. Small tiles, so that sizes have tails; data are small integers where sums are
// exact, so a wrong place, a missing element or one too many shows in every bit.
#include "dialects/Tenon/Tenon.h"
#include "lib/Analysis/ContractionKernel.h"
#include "lib/Analysis/DimNames.h"
#include "lib/Analysis/UpdatedOperand.h"
#include "lib/Pipelines/Phases.h"
#include "lib/Reference/Reference.h"
#include "lib/Reference/TileInterpreter.h"

#include "mlir/IR/SymbolTable.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace mlir;
using namespace tenon;

namespace {

struct TileCase {
  std::string name, text;
  std::map<std::string, int64_t> dims = {};
  double bound = 0;        ///< relative to the largest magnitude of the result; 0: bit-equal
  int strange = -1;        ///< an argument that gets NaN and infinities here and there
  bool isNegative = false; ///< all elements are
  int64_t splits = 1;      ///< of the depth of products
};

std::string linear(const std::string &type, const std::string &m) {
  return "func.func @main(%x: tensor<" + m + "x13x" + type + "> {tenon.dims = [\"m\", \"\"]}, %w: tensor<19x13x" +
         type + ">, %b: tensor<19x" + type + ">) -> tensor<" + m + "x19x" + type +
         "> {\n%y = tenon.linear %x, %w, %b : (tensor<" + m + "x13x" + type + ">, tensor<19x13x" + type +
         ">, tensor<19x" + type + ">) -> tensor<" + m + "x19x" + type + ">\nreturn %y : tensor<" + m + "x19x" + type +
         ">\n}";
}

const TileCase cases[] = {
    {"linear_f32", linear("f32", "?"), {{"m", 11}}},
    {"linear_bf16", linear("bf16", "?"), {{"m", 9}}},
    {"linear_one_row", linear("f32", "?"), {{"m", 1}}},
    {"matmul_batched_and_transposed", R"(
      func.func @main(%x: tensor<3x13x10xf32>, %y: tensor<3x13x9xf32>) -> tensor<3x10x9xf32> {
        %0 = tenon.matmul %x, %y {transpose_a} : (tensor<3x13x10xf32>, tensor<3x13x9xf32>) -> tensor<3x10x9xf32>
        return %0 : tensor<3x10x9xf32>
      })"},
    {"linear_gelu_add",
     R"(
      func.func @main(%x: tensor<2x10x12xf32>, %w: tensor<17x12xf32>, %r: tensor<2x10x17xf32>) -> tensor<2x10x17xf32> {
        %0 = tenon.linear %x, %w : (tensor<2x10x12xf32>, tensor<17x12xf32>) -> tensor<2x10x17xf32>
        %1 = tenon.gelu %0 : (tensor<2x10x17xf32>) -> tensor<2x10x17xf32>
        %2 = tenon.add %1, %r : (tensor<2x10x17xf32>, tensor<2x10x17xf32>) -> tensor<2x10x17xf32>
        return %2 : tensor<2x10x17xf32>
      })",
     {},
     1e-6},
    {"linear_of_few_tokens",
     R"(
      func.func @main(%x: tensor<?x?x12xf32> {tenon.dims = ["b", "s", ""]}, %w: tensor<17x12xf32>, %p: tensor<1x?x17xf32> {tenon.dims = ["", "s", ""]}) -> (tensor<?x?x17xf32>, tensor<?x?x17xf32>) {
        %0 = tenon.linear %x, %w : (tensor<?x?x12xf32>, tensor<17x12xf32>) -> tensor<?x?x17xf32>
        %1 = tenon.add %0, %p : (tensor<?x?x17xf32>, tensor<1x?x17xf32>) -> tensor<?x?x17xf32>
        %2 = tenon.relu %x : (tensor<?x?x12xf32>) -> tensor<?x?x12xf32>
        %3 = tenon.linear %2, %w : (tensor<?x?x12xf32>, tensor<17x12xf32>) -> tensor<?x?x17xf32>
        return %1, %3 : tensor<?x?x17xf32>, tensor<?x?x17xf32>
      })",
     {{"b", 5}, {"s", 3}}},
    {"linear_in_parts",
     R"(
      func.func @main(%x: tensor<?x?x12xbf16> {tenon.dims = ["b", "s", ""]}, %w: tensor<17x12xbf16>, %r: tensor<?x?x17xbf16> {tenon.dims = ["b", "s", ""]}) -> tensor<?x?x17xbf16> {
        %0 = tenon.linear %x, %w : (tensor<?x?x12xbf16>, tensor<17x12xbf16>) -> tensor<?x?x17xbf16>
        %1 = tenon.add %0, %r : (tensor<?x?x17xbf16>, tensor<?x?x17xbf16>) -> tensor<?x?x17xbf16>
        return %1 : tensor<?x?x17xbf16>
      })",
     {{"b", 5}, {"s", 3}},
     0,
     -1,
     false,
     3},
    {"matmul_in_parts",
     R"(
      func.func @main(%x: tensor<3x12x10xf32>, %y: tensor<3x12x9xf32>) -> tensor<3x10x9xf32> {
        %0 = tenon.matmul %x, %y {transpose_a} : (tensor<3x12x10xf32>, tensor<3x12x9xf32>) -> tensor<3x10x9xf32>
        return %0 : tensor<3x10x9xf32>
      })",
     {},
     0,
     -1,
     false,
     4},
    {"linear_of_one_row_and_long_depth", R"(
      func.func @main(%x: tensor<1x1x4096xbf16>, %w: tensor<64x4096xbf16>, %b: tensor<64xbf16>) -> tensor<1x1x64xbf16> {
        %0 = tenon.linear %x, %w, %b : (tensor<1x1x4096xbf16>, tensor<64x4096xbf16>, tensor<64xbf16>) -> tensor<1x1x64xbf16>
        return %0 : tensor<1x1x64xbf16>
      })"},
    {"attention_of_one_query",
     R"(
      func.func @main(%q: tensor<?x6x1x8xf32> {tenon.dims = ["b", "", "", ""]}, %k: tensor<?x2x?x8xf32> {tenon.dims = ["b", "", "m", ""]}, %v: tensor<?x2x?x6xf32> {tenon.dims = ["b", "", "m", ""]}, %mask: tensor<?x1x1x?xi1> {tenon.dims = ["b", "", "", "m"]}, %bias: tensor<6x1x?xf32> {tenon.dims = ["", "", "m"]}) -> (tensor<?x6x1x6xf32>, tensor<?x6x1x6xf32>, tensor<?x6x1x6xf32>) {
        %0 = tenon.attention %q, %k, %v mask(%mask) {causal} : (tensor<?x6x1x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x6xf32>, tensor<?x1x1x?xi1>) -> tensor<?x6x1x6xf32>
        %2 = tenon.attention %q, %k, %v mask(%bias) {scale = 0.5 : f64} : (tensor<?x6x1x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x6xf32>, tensor<6x1x?xf32>) -> tensor<?x6x1x6xf32>
        %3 = tenon.attention %q, %k, %v {causal, window = 5 : i64} : (tensor<?x6x1x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x6xf32>) -> tensor<?x6x1x6xf32>
        return %0, %2, %3 : tensor<?x6x1x6xf32>, tensor<?x6x1x6xf32>, tensor<?x6x1x6xf32>
      })",
     {{"b", 3}, {"m", 150}},
     2e-6},
    {"linear_of_the_first_token", R"(
      func.func @main(%x: tensor<6x5x12xf32>, %w: tensor<17x12xf32>) -> tensor<6x1x17xf32> {
        %0 = tenon.slice %x {starts = array<i64: 0, 2, 0>, ends = array<i64: 6, 3, 12>, steps = array<i64: 1, 1, 1>} : (tensor<6x5x12xf32>) -> tensor<6x1x12xf32>
        %1 = tenon.linear %0, %w : (tensor<6x1x12xf32>, tensor<17x12xf32>) -> tensor<6x1x17xf32>
        return %1 : tensor<6x1x17xf32>
      })"},
    {"softmax",
     R"(
      func.func @main(%x: tensor<3x?x21xf32> {tenon.dims = ["", "n", ""]}) -> tensor<3x?x21xf32> {
        %0 = tenon.softmax %x {axis = 2 : i64} : (tensor<3x?x21xf32>) -> tensor<3x?x21xf32>
        return %0 : tensor<3x?x21xf32>
      })",
     {{"n", 205}},
     1e-6},
    {"softmax_over_the_middle",
     R"(
      func.func @main(%x: tensor<3x7x21xf32>) -> tensor<3x7x21xf32> {
        %0 = tenon.softmax %x {axis = 1 : i64} : (tensor<3x7x21xf32>) -> tensor<3x7x21xf32>
        return %0 : tensor<3x7x21xf32>
      })",
     {},
     1e-6},
    {"softmax_of_a_dynamic_row",
     R"(
      func.func @main(%x: tensor<3x?xf32> {tenon.dims = ["", "n"]}) -> tensor<3x?xf32> {
        %0 = tenon.softmax %x {axis = 1 : i64} : (tensor<3x?xf32>) -> tensor<3x?xf32>
        return %0 : tensor<3x?xf32>
      })",
     {{"n", 300}},
     1e-6},
    {"layer_norm",
     R"(
      func.func @main(%x: tensor<5x24xf32>, %g: tensor<24xf32>, %b: tensor<24xf32>) -> tensor<5x24xf32> {
        %0 = tenon.layer_norm %x weight(%g) bias(%b) {epsilon = 1.0e-5 : f64} : (tensor<5x24xf32>, tensor<24xf32>, tensor<24xf32>) -> tensor<5x24xf32>
        return %0 : tensor<5x24xf32>
      })",
     {},
     1e-6},
    {"reductions",
     R"(
      func.func @main(%x: tensor<6x?x9xf32> {tenon.dims = ["", "n", ""]}) -> (tensor<6x9xf32>, tensor<?x9xf32>, tensor<6x?xf32>) {
        %0 = tenon.reduce_sum %x {axes = array<i64: 1>} : (tensor<6x?x9xf32>) -> tensor<6x9xf32>
        %1 = tenon.reduce_max %x {axes = array<i64: 0>} : (tensor<6x?x9xf32>) -> tensor<?x9xf32>
        %2 = tenon.reduce_min %x {axes = array<i64: 2>} : (tensor<6x?x9xf32>) -> tensor<6x?xf32>
        return %0, %1, %2 : tensor<6x9xf32>, tensor<?x9xf32>, tensor<6x?xf32>
      })",
     {{"n", 131}}},
    {"reductions_of_odd_sizes", R"(
      func.func @main(%x: tensor<5x37x45xf32>) -> (tensor<5x37xf32>, tensor<5x45xf32>, tensor<37x45xf32>, tensor<5xf32>, tensor<5x37xf32>) {
        %0 = tenon.reduce_sum %x {axes = array<i64: 2>} : (tensor<5x37x45xf32>) -> tensor<5x37xf32>
        %1 = tenon.reduce_max %x {axes = array<i64: 1>} : (tensor<5x37x45xf32>) -> tensor<5x45xf32>
        %2 = tenon.reduce_min %x {axes = array<i64: 0>} : (tensor<5x37x45xf32>) -> tensor<37x45xf32>
        %3 = tenon.reduce_sum %x {axes = array<i64: 1, 2>} : (tensor<5x37x45xf32>) -> tensor<5xf32>
        %4 = tenon.reduce_max %x {axes = array<i64: 2>} : (tensor<5x37x45xf32>) -> tensor<5x37xf32>
        return %0, %1, %2, %3, %4 : tensor<5x37xf32>, tensor<5x45xf32>, tensor<37x45xf32>, tensor<5xf32>, tensor<5x37xf32>
      })"},
    {"integer_reductions", R"(
      func.func @main(%x: tensor<5x37xi64>) -> (tensor<5xi64>, tensor<37xi64>, tensor<5xi64>) {
        %0 = tenon.reduce_sum %x {axes = array<i64: 1>} : (tensor<5x37xi64>) -> tensor<5xi64>
        %1 = tenon.reduce_max %x {axes = array<i64: 0>} : (tensor<5x37xi64>) -> tensor<37xi64>
        %2 = tenon.reduce_max %x {axes = array<i64: 1>} : (tensor<5x37xi64>) -> tensor<5xi64>
        return %0, %1, %2 : tensor<5xi64>, tensor<37xi64>, tensor<5xi64>
      })"},
    {"row_longer_than_a_tile",
     R"(
      func.func @main(%x: tensor<3x7x150xf32>, %g: tensor<150xf32>, %b: tensor<150xf32>) -> (tensor<3x7x150xf32>, tensor<3x7x150xf32>, tensor<3x7x150xf32>) {
        %0 = tenon.softmax %x {axis = 2 : i64} : (tensor<3x7x150xf32>) -> tensor<3x7x150xf32>
        %1 = tenon.layer_norm %x weight(%g) bias(%b) {epsilon = 1.0e-5 : f64} : (tensor<3x7x150xf32>, tensor<150xf32>, tensor<150xf32>) -> tensor<3x7x150xf32>
        %2 = tenon.log_softmax %x {axis = 2 : i64} : (tensor<3x7x150xf32>) -> tensor<3x7x150xf32>
        return %0, %1, %2 : tensor<3x7x150xf32>, tensor<3x7x150xf32>, tensor<3x7x150xf32>
      })",
     {},
     3e-6},
    {"rows_of_odd_sizes",
     R"(
      func.func @main(%x: tensor<3x7x21xbf16>, %r: tensor<3x7x21xbf16>, %g: tensor<21xbf16>) -> (tensor<3x7x21xbf16>, tensor<3x7x21xbf16>, tensor<3x7x21xbf16>) {
        %0 = tenon.softmax %x {axis = 2 : i64} : (tensor<3x7x21xbf16>) -> tensor<3x7x21xbf16>
        %1 = tenon.add %x, %r : (tensor<3x7x21xbf16>, tensor<3x7x21xbf16>) -> tensor<3x7x21xbf16>
        %2 = tenon.rms_norm %1, %g {epsilon = 1.0e-5 : f64} : (tensor<3x7x21xbf16>, tensor<21xbf16>) -> tensor<3x7x21xbf16>
        %3 = tenon.log_softmax %x {axis = 1 : i64} : (tensor<3x7x21xbf16>) -> tensor<3x7x21xbf16>
        return %0, %2, %3 : tensor<3x7x21xbf16>, tensor<3x7x21xbf16>, tensor<3x7x21xbf16>
      })",
     {},
     1e-2},
    {"group_norm",
     R"(
      func.func @main(%x: tensor<2x6x5x9xf32>, %g: tensor<6xf32>, %b: tensor<6xf32>) -> tensor<2x6x5x9xf32> {
        %0 = tenon.group_norm %x weight(%g) bias(%b) {groups = 2 : i64, epsilon = 1.0e-5 : f64} : (tensor<2x6x5x9xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<2x6x5x9xf32>
        return %0 : tensor<2x6x5x9xf32>
      })",
     {},
     2e-6},
    {"argmax",
     R"(
      func.func @main(%x: tensor<4x?xf32> {tenon.dims = ["", "n"]}, %y: tensor<6x37x5xf32>) -> (tensor<4xi64>, tensor<4xi64>, tensor<6x37xi64>, tensor<6x5xi64>) {
        %0 = tenon.argmax %x {axis = 1 : i64} : (tensor<4x?xf32>) -> tensor<4xi64>
        %1 = tenon.argmin %x {axis = 1 : i64} : (tensor<4x?xf32>) -> tensor<4xi64>
        %2 = tenon.argmax %y {axis = 2 : i64} : (tensor<6x37x5xf32>) -> tensor<6x37xi64>
        %3 = tenon.argmin %y {axis = 1 : i64} : (tensor<6x37x5xf32>) -> tensor<6x5xi64>
        return %0, %1, %2, %3 : tensor<4xi64>, tensor<4xi64>, tensor<6x37xi64>, tensor<6x5xi64>
      })",
     {{"n", 131}}},
    {"argmax_of_what_is_not_a_number",
     R"(
      func.func @main(%x: tensor<4x?xf32> {tenon.dims = ["", "n"]}, %y: tensor<6x37xf32>) -> (tensor<4xi64>, tensor<4xi64>) {
        %0 = tenon.argmax %x {axis = 1 : i64} : (tensor<4x?xf32>) -> tensor<4xi64>
        %1 = tenon.argmin %x {axis = 1 : i64} : (tensor<4x?xf32>) -> tensor<4xi64>
        return %0, %1 : tensor<4xi64>, tensor<4xi64>
      })",
     {{"n", 131}},
     0,
     0},
    {"cumsum",
     R"(
      func.func @main(%x: tensor<4x?xf32> {tenon.dims = ["", "n"]}, %y: tensor<6x17x5xi64>, %z: tensor<3x150xbf16>) -> (tensor<4x?xf32>, tensor<6x17x5xi64>, tensor<3x150xbf16>) {
        %0 = tenon.cumsum %x {axis = 1 : i64} : (tensor<4x?xf32>) -> tensor<4x?xf32>
        %1 = tenon.cumsum %y {axis = 1 : i64} : (tensor<6x17x5xi64>) -> tensor<6x17x5xi64>
        %2 = tenon.cumsum %z {axis = 1 : i64} : (tensor<3x150xbf16>) -> tensor<3x150xbf16>
        return %0, %1, %2 : tensor<4x?xf32>, tensor<6x17x5xi64>, tensor<3x150xbf16>
      })",
     {{"n", 131}}},
    {"concat",
     R"(
      func.func @main(%x: tensor<2x?x9xf32> {tenon.dims = ["", "n", ""]}, %y: tensor<2x5x9xf32>, %z: tensor<2x5x70xf32>) -> (tensor<2x?x9xf32>, tensor<2x5x88xf32>) {
        %0 = tenon.concat %x, %y, %x {axis = 1 : i64} : (tensor<2x?x9xf32>, tensor<2x5x9xf32>, tensor<2x?x9xf32>) -> tensor<2x?x9xf32>
        %1 = tenon.concat %y, %z, %y {axis = 2 : i64} : (tensor<2x5x9xf32>, tensor<2x5x70xf32>, tensor<2x5x9xf32>) -> tensor<2x5x88xf32>
        return %0, %1 : tensor<2x?x9xf32>, tensor<2x5x88xf32>
      })",
     {{"n", 33}}},
    {"pad", R"(
      func.func @main(%x: tensor<4x10x6xf32>) -> (tensor<7x10x6xf32>, tensor<4x13x31xf32>) {
        %0 = tenon.pad %x {low = array<i64: 1, 0, 0>, high = array<i64: 2, 0, 0>, value = 3.0 : f64} : (tensor<4x10x6xf32>) -> tensor<7x10x6xf32>
        %1 = tenon.pad %x {low = array<i64: 0, 2, 25>, high = array<i64: 0, 1, 0>, value = 0.0 : f64} : (tensor<4x10x6xf32>) -> tensor<4x13x31xf32>
        return %0, %1 : tensor<7x10x6xf32>, tensor<4x13x31xf32>
      })"},
    {"rope",
     R"(
      func.func @main(%x: tensor<2x?x3x16xf32> {tenon.dims = ["", "n", "", ""]}, %c: tensor<?x1x16xf32> {tenon.dims = ["n", "", ""]}, %s: tensor<?x1x16xf32> {tenon.dims = ["n", "", ""]}) -> tensor<2x?x3x16xf32> {
        %0 = tenon.rope %x, %c, %s : (tensor<2x?x3x16xf32>, tensor<?x1x16xf32>, tensor<?x1x16xf32>) -> tensor<2x?x3x16xf32>
        return %0 : tensor<2x?x3x16xf32>
      })",
     {{"n", 7}},
     1e-6},
    {"scatter", R"(
      func.func @main(%x: tensor<9x6xf32>, %i: tensor<5xi64>, %u: tensor<5x6xf32>, %j: tensor<2x3xi64>, %v: tensor<9x2x3xf32>) -> (tensor<9x6xf32>, tensor<9x6xf32>) {
        %0 = tenon.scatter %x, %i, %u {axis = 0 : i64} : (tensor<9x6xf32>, tensor<5xi64>, tensor<5x6xf32>) -> tensor<9x6xf32>
        %1 = tenon.scatter %x, %j, %v {axis = 1 : i64} : (tensor<9x6xf32>, tensor<2x3xi64>, tensor<9x2x3xf32>) -> tensor<9x6xf32>
        return %0, %1 : tensor<9x6xf32>, tensor<9x6xf32>
      })"},
    {"kv_cache", R"(
      func.func @main(%c: tensor<2x3x40x6xf32>, %u: tensor<2x3x4x6xf32>, %p: tensor<i64>) -> tensor<2x3x40x6xf32> {
        %0 = tenon.kv_cache_append %c, %u, %p : (tensor<2x3x40x6xf32>, tensor<2x3x4x6xf32>, tensor<i64>) -> tensor<2x3x40x6xf32>
        return %0 : tensor<2x3x40x6xf32>
      })"},
    {"rotated_keys",
     R"(
      func.func @main(%x: tensor<2x5x24xf32>, %y: tensor<2x1x24xf32>, %cos: tensor<5x1x4xf32>, %sin: tensor<5x1x4xf32>, %t: tensor<4xf32>, %c: tensor<2x3x40x8xf32>, %d: tensor<2x3x40x8xf32>, %p: tensor<i64>) -> (tensor<2x3x40x8xf32>, tensor<2x3x40x8xf32>) {
        %0 = tenon.reshape %x : (tensor<2x5x24xf32>) -> tensor<2x5x3x8xf32>
        %1 = tenon.rope %0, %cos, %sin : (tensor<2x5x3x8xf32>, tensor<5x1x4xf32>, tensor<5x1x4xf32>) -> tensor<2x5x3x8xf32>
        %2 = tenon.transpose %1 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x5x3x8xf32>) -> tensor<2x3x5x8xf32>
        %3 = tenon.kv_cache_append %c, %2, %p : (tensor<2x3x40x8xf32>, tensor<2x3x5x8xf32>, tensor<i64>) -> tensor<2x3x40x8xf32>
        %4 = tenon.reshape %y : (tensor<2x1x24xf32>) -> tensor<2x1x3x8xf32>
        %5 = tenon.rope %4, %t, %t : (tensor<2x1x3x8xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<2x1x3x8xf32>
        %6 = tenon.reshape %5 : (tensor<2x1x3x8xf32>) -> tensor<2x3x1x8xf32>
        %7 = tenon.kv_cache_append %d, %6, %p : (tensor<2x3x40x8xf32>, tensor<2x3x1x8xf32>, tensor<i64>) -> tensor<2x3x40x8xf32>
        return %3, %7 : tensor<2x3x40x8xf32>, tensor<2x3x40x8xf32>
      })",
     {},
     1e-6},
    {"transposes", R"(
      func.func @main(%x: tensor<70x33xf32>, %y: tensor<3x70x5x33xf32>) -> (tensor<33x70xf32>, tensor<33x5x70x3xf32>, tensor<3x5x70x33xf32>) {
        %0 = tenon.transpose %x {permutation = array<i64: 1, 0>} : (tensor<70x33xf32>) -> tensor<33x70xf32>
        %1 = tenon.transpose %y {permutation = array<i64: 3, 2, 1, 0>} : (tensor<3x70x5x33xf32>) -> tensor<33x5x70x3xf32>
        %2 = tenon.transpose %y {permutation = array<i64: 0, 2, 1, 3>} : (tensor<3x70x5x33xf32>) -> tensor<3x5x70x33xf32>
        return %0, %1, %2 : tensor<33x70xf32>, tensor<33x5x70x3xf32>, tensor<3x5x70x33xf32>
      })"},
    {"embedding_with_positions",
     R"(
      func.func @main(%t: tensor<5x9xf32>, %i: tensor<?x?xi64> {tenon.dims = ["b", "n"]}, %p: tensor<1x?x9xf32> {tenon.dims = ["", "n", ""]}) -> tensor<?x?x9xf32> {
        %0 = tenon.embedding %t, %i : (tensor<5x9xf32>, tensor<?x?xi64>) -> tensor<?x?x9xf32>
        %1 = tenon.add %0, %p : (tensor<?x?x9xf32>, tensor<1x?x9xf32>) -> tensor<?x?x9xf32>
        return %1 : tensor<?x?x9xf32>
      })",
     {{"b", 3}, {"n", 7}}},
    {"maxima_of_negative_numbers",
     R"(
      func.func @main(%x: tensor<5x37x45xf32>) -> (tensor<5x37xf32>, tensor<5x45xf32>, tensor<5xf32>, tensor<5x37xf32>, tensor<5x37xi64>) {
        %0 = tenon.reduce_max %x {axes = array<i64: 2>} : (tensor<5x37x45xf32>) -> tensor<5x37xf32>
        %1 = tenon.reduce_max %x {axes = array<i64: 1>} : (tensor<5x37x45xf32>) -> tensor<5x45xf32>
        %2 = tenon.reduce_max %x {axes = array<i64: 1, 2>} : (tensor<5x37x45xf32>) -> tensor<5xf32>
        %3 = tenon.mul %x, %x : (tensor<5x37x45xf32>, tensor<5x37x45xf32>) -> tensor<5x37x45xf32>
        %4 = tenon.reduce_min %3 {axes = array<i64: 2>} : (tensor<5x37x45xf32>) -> tensor<5x37xf32>
        %5 = tenon.argmax %x {axis = 2 : i64} : (tensor<5x37x45xf32>) -> tensor<5x37xi64>
        return %0, %1, %2, %4, %5 : tensor<5x37xf32>, tensor<5x45xf32>, tensor<5xf32>, tensor<5x37xf32>, tensor<5x37xi64>
      })",
     {},
     0,
     -1,
     true},
    {"whole_sum", R"(
      func.func @main(%x: tensor<6x7xf32>) -> tensor<f32> {
        %0 = tenon.reduce_sum %x {axes = array<i64: 0, 1>} : (tensor<6x7xf32>) -> tensor<f32>
        return %0 : tensor<f32>
      })"},
    {"embedding",
     R"(
      func.func @main(%t: tensor<5x9xf32>, %i: tensor<3x?xi64> {tenon.dims = ["", "n"]}) -> tensor<3x?x9xf32> {
        %0 = tenon.embedding %t, %i : (tensor<5x9xf32>, tensor<3x?xi64>) -> tensor<3x?x9xf32>
        return %0 : tensor<3x?x9xf32>
      })",
     {{"n", 7}}},
    {"views", R"(
      func.func @main(%x: tensor<4x10x6xf32>) -> (tensor<6x10x4xf32>, tensor<4x3x6xf32>) {
        %0 = tenon.transpose %x {permutation = array<i64: 2, 1, 0>} : (tensor<4x10x6xf32>) -> tensor<6x10x4xf32>
        %1 = tenon.slice %x {starts = array<i64: 0, 1, 0>, ends = array<i64: 4, 10, 6>, steps = array<i64: 1, 3, 1>} : (tensor<4x10x6xf32>) -> tensor<4x3x6xf32>
        %2 = tenon.neg %1 : (tensor<4x3x6xf32>) -> tensor<4x3x6xf32>
        return %0, %2 : tensor<6x10x4xf32>, tensor<4x3x6xf32>
      })"},
    {"pointwise_broadcast", R"(
      func.func @main(%x: tensor<4x1x6xf32>, %y: tensor<5x1xf32>, %c: tensor<6xi1>) -> tensor<4x5x6xf32> {
        %0 = tenon.add %x, %y : (tensor<4x1x6xf32>, tensor<5x1xf32>) -> tensor<4x5x6xf32>
        %1 = tenon.select %c, %0, %y : (tensor<6xi1>, tensor<4x5x6xf32>, tensor<5x1xf32>) -> tensor<4x5x6xf32>
        return %1 : tensor<4x5x6xf32>
      })"},
    {"iota", R"(
      func.func @main(%x: tensor<4x6xi64>) -> tensor<4x6xi64> {
        %0 = tenon.iota {axis = 1 : i64, start = 3.0 : f64, step = 2.0 : f64} : () -> tensor<4x6xi64>
        %1 = tenon.add %0, %x : (tensor<4x6xi64>, tensor<4x6xi64>) -> tensor<4x6xi64>
        return %1 : tensor<4x6xi64>
      })"},
    {"attention",
     R"(
      func.func @main(%q: tensor<2x4x?x8xf32> {tenon.dims = ["", "", "n", ""]}, %k: tensor<2x2x?x8xf32> {tenon.dims = ["", "", "m", ""]}, %v: tensor<2x2x?x6xf32> {tenon.dims = ["", "", "m", ""]}) -> tensor<2x4x?x6xf32> {
        %0 = tenon.attention %q, %k, %v : (tensor<2x4x?x8xf32>, tensor<2x2x?x8xf32>, tensor<2x2x?x6xf32>) -> tensor<2x4x?x6xf32>
        return %0 : tensor<2x4x?x6xf32>
      })",
     {{"n", 11}, {"m", 150}},
     2e-6},
    {"attention_causal",
     R"(
      func.func @main(%q: tensor<2x4x?x8xf32> {tenon.dims = ["", "", "n", ""]}, %k: tensor<2x2x?x8xf32> {tenon.dims = ["", "", "m", ""]}, %v: tensor<2x2x?x6xf32> {tenon.dims = ["", "", "m", ""]}) -> tensor<2x4x?x6xf32> {
        %0 = tenon.attention %q, %k, %v {causal} : (tensor<2x4x?x8xf32>, tensor<2x2x?x8xf32>, tensor<2x2x?x6xf32>) -> tensor<2x4x?x6xf32>
        return %0 : tensor<2x4x?x6xf32>
      })",
     {{"n", 11}, {"m", 150}},
     2e-6},
    {"attention_hidden_is_not_a_number",
     R"(
      func.func @main(%q: tensor<2x4x?x8xf32> {tenon.dims = ["", "", "n", ""]}, %k: tensor<2x2x?x8xf32> {tenon.dims = ["", "", "m", ""]}, %v: tensor<2x2x?x6xf32> {tenon.dims = ["", "", "m", ""]}) -> tensor<2x4x?x6xf32> {
        %0 = tenon.attention %q, %k, %v {causal} : (tensor<2x4x?x8xf32>, tensor<2x2x?x8xf32>, tensor<2x2x?x6xf32>) -> tensor<2x4x?x6xf32>
        return %0 : tensor<2x4x?x6xf32>
      })",
     {{"n", 150}, {"m", 150}},
     2e-6,
     2},
    {"attention_window",
     R"(
      func.func @main(%q: tensor<2x4x?x8xf32> {tenon.dims = ["", "", "n", ""]}, %k: tensor<2x2x?x8xf32> {tenon.dims = ["", "", "m", ""]}, %v: tensor<2x2x?x6xf32> {tenon.dims = ["", "", "m", ""]}) -> tensor<2x4x?x6xf32> {
        %0 = tenon.attention %q, %k, %v {causal, window = 5 : i64, scale = 0.3 : f64} : (tensor<2x4x?x8xf32>, tensor<2x2x?x8xf32>, tensor<2x2x?x6xf32>) -> tensor<2x4x?x6xf32>
        return %0 : tensor<2x4x?x6xf32>
      })",
     {{"n", 11}, {"m", 150}},
     2e-6},
    {"attention_boolean_mask",
     R"(
      func.func @main(%q: tensor<2x4x?x8xf32> {tenon.dims = ["", "", "n", ""]}, %k: tensor<2x2x?x8xf32> {tenon.dims = ["", "", "m", ""]}, %v: tensor<2x2x?x6xf32> {tenon.dims = ["", "", "m", ""]}, %mask: tensor<2x1x1x?xi1> {tenon.dims = ["", "", "", "m"]}) -> tensor<2x4x?x6xf32> {
        %0 = tenon.attention %q, %k, %v mask(%mask) : (tensor<2x4x?x8xf32>, tensor<2x2x?x8xf32>, tensor<2x2x?x6xf32>, tensor<2x1x1x?xi1>) -> tensor<2x4x?x6xf32>
        return %0 : tensor<2x4x?x6xf32>
      })",
     {{"n", 11}, {"m", 150}},
     2e-6},
    {"attention_float_mask",
     R"(
      func.func @main(%q: tensor<2x4x?x8xf32> {tenon.dims = ["", "", "n", ""]}, %k: tensor<2x2x?x8xf32> {tenon.dims = ["", "", "m", ""]}, %v: tensor<2x2x?x6xf32> {tenon.dims = ["", "", "m", ""]}, %mask: tensor<?x?xf32> {tenon.dims = ["n", "m"]}) -> tensor<2x4x?x6xf32> {
        %0 = tenon.attention %q, %k, %v mask(%mask) : (tensor<2x4x?x8xf32>, tensor<2x2x?x8xf32>, tensor<2x2x?x6xf32>, tensor<?x?xf32>) -> tensor<2x4x?x6xf32>
        return %0 : tensor<2x4x?x6xf32>
      })",
     {{"n", 11}, {"m", 150}},
     2e-6},
    {"attention_more_queries",
     R"(
      func.func @main(%q: tensor<2x4x?x8xf32> {tenon.dims = ["", "", "n", ""]}, %k: tensor<2x2x?x8xf32> {tenon.dims = ["", "", "m", ""]}, %v: tensor<2x2x?x6xf32> {tenon.dims = ["", "", "m", ""]}) -> tensor<2x4x?x6xf32> {
        %0 = tenon.attention %q, %k, %v {causal} : (tensor<2x4x?x8xf32>, tensor<2x2x?x8xf32>, tensor<2x2x?x6xf32>) -> tensor<2x4x?x6xf32>
        return %0 : tensor<2x4x?x6xf32>
      })",
     {{"n", 150}, {"m", 9}},
     2e-6},
    {"attention_lengths",
     R"(
      func.func @main(%q: tensor<7x4x?x8xf32> {tenon.dims = ["", "", "n", ""]}, %k: tensor<7x2x?x8xf32> {tenon.dims = ["", "", "m", ""]}, %v: tensor<7x2x?x6xf32> {tenon.dims = ["", "", "m", ""]}, %a: tensor<7xi32>, %b: tensor<7xi64>) -> tensor<7x4x?x6xf32> {
        %0 = tenon.attention %q, %k, %v key_lengths(%a) query_lengths(%b) {causal} : (tensor<7x4x?x8xf32>, tensor<7x2x?x8xf32>, tensor<7x2x?x6xf32>, tensor<7xi32>, tensor<7xi64>) -> tensor<7x4x?x6xf32>
        return %0 : tensor<7x4x?x6xf32>
      })",
     {{"n", 3}, {"m", 5}},
     2e-6},
    {"attention_lengths_of_strange_values",
     R"(
      func.func @main(%q: tensor<9x4x1x8xbf16>, %k: tensor<9x2x40x8xbf16>, %v: tensor<9x2x40x6xbf16>, %a: tensor<9xi64>) -> tensor<9x4x1x6xbf16> {
        %0 = tenon.attention %q, %k, %v key_lengths(%a) : (tensor<9x4x1x8xbf16>, tensor<9x2x40x8xbf16>, tensor<9x2x40x6xbf16>, tensor<9xi64>) -> tensor<9x4x1x6xbf16>
        return %0 : tensor<9x4x1x6xbf16>
      })",
     {},
     1e-2,
     2},
    {"attention_log_sum_exp",
     R"(
      func.func @main(%q: tensor<7x?x4x8xf32> {tenon.dims = ["", "n", "", ""]}, %k: tensor<7x2x?x8xf32> {tenon.dims = ["", "", "m", ""]}, %v: tensor<7x2x?x6xf32> {tenon.dims = ["", "", "m", ""]}, %a: tensor<7xi32>, %b: tensor<7xi64>) -> (tensor<7x?x4x6xf32>, tensor<7x4x?xf32>) {
        %p = tenon.transpose %q {permutation = array<i64: 0, 2, 1, 3>} : (tensor<7x?x4x8xf32>) -> tensor<7x4x?x8xf32>
        %0, %l = tenon.attention %p, %k, %v key_lengths(%a) query_lengths(%b) {log_sum_exp} : (tensor<7x4x?x8xf32>, tensor<7x2x?x8xf32>, tensor<7x2x?x6xf32>, tensor<7xi32>, tensor<7xi64>) -> (tensor<7x4x?x6xf32>, tensor<7x4x?xf32>)
        %t = tenon.transpose %0 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<7x4x?x6xf32>) -> tensor<7x?x4x6xf32>
        return %t, %l : tensor<7x?x4x6xf32>, tensor<7x4x?xf32>
      })",
     {{"n", 5}, {"m", 150}},
     2e-6},
    {"attention_log_sum_exp_of_one_query",
     R"(
      func.func @main(%q: tensor<1x4x1x8xf32>, %k: tensor<1x2x4000x8xf32>, %v: tensor<1x2x4000x6xf32>) -> (tensor<1x4x1x6xf32>, tensor<1x4x1xf32>) {
        %0, %l = tenon.attention %q, %k, %v {log_sum_exp, window = 2900 : i64} : (tensor<1x4x1x8xf32>, tensor<1x2x4000x8xf32>, tensor<1x2x4000x6xf32>) -> (tensor<1x4x1x6xf32>, tensor<1x4x1xf32>)
        return %0, %l : tensor<1x4x1x6xf32>, tensor<1x4x1xf32>
      })",
     {},
     3e-6},
    {"attention_soft_cap_f16_of_strange_values",
     R"(
      func.func @main(%q: tensor<2x2x9x8xf16>, %k: tensor<2x2x40x8xf16>, %v: tensor<2x2x40x6xf16>) -> tensor<2x2x9x6xf16> {
        %0 = tenon.attention %q, %k, %v {scale = 4.0 : f64, soft_cap = 1000.0 : f64} : (tensor<2x2x9x8xf16>, tensor<2x2x40x8xf16>, tensor<2x2x40x6xf16>) -> tensor<2x2x9x6xf16>
        return %0 : tensor<2x2x9x6xf16>
      })",
     {},
     2e-2,
     2},
    {"attention_soft_cap",
     R"(
      func.func @main(%q: tensor<2x4x?x8xf32> {tenon.dims = ["", "", "n", ""]}, %k: tensor<2x2x?x8xf32> {tenon.dims = ["", "", "m", ""]}, %v: tensor<2x2x?x6xf32> {tenon.dims = ["", "", "m", ""]}, %mask: tensor<?x?xf32> {tenon.dims = ["n", "m"]}) -> tensor<2x4x?x6xf32> {
        %0 = tenon.attention %q, %k, %v mask(%mask) {causal, soft_cap = 0.5 : f64} : (tensor<2x4x?x8xf32>, tensor<2x2x?x8xf32>, tensor<2x2x?x6xf32>, tensor<?x?xf32>) -> tensor<2x4x?x6xf32>
        return %0 : tensor<2x4x?x6xf32>
      })",
     {{"n", 11}, {"m", 150}},
     2e-6},
    {"attention_soft_cap_bf16",
     R"(
      func.func @main(%q: tensor<2x4x?x8xbf16> {tenon.dims = ["", "", "n", ""]}, %k: tensor<2x2x?x8xbf16> {tenon.dims = ["", "", "m", ""]}, %v: tensor<2x2x?x6xbf16> {tenon.dims = ["", "", "m", ""]}) -> tensor<2x4x?x6xbf16> {
        %0 = tenon.attention %q, %k, %v {window = 40 : i64, soft_cap = 0.5 : f64} : (tensor<2x4x?x8xbf16>, tensor<2x2x?x8xbf16>, tensor<2x2x?x6xbf16>) -> tensor<2x4x?x6xbf16>
        return %0 : tensor<2x4x?x6xbf16>
      })",
     {{"n", 11}, {"m", 150}},
     1e-2},
    {"attention_bf16",
     R"(
      func.func @main(%q: tensor<2x4x?x8xbf16> {tenon.dims = ["", "", "n", ""]}, %k: tensor<2x2x?x8xbf16> {tenon.dims = ["", "", "m", ""]}, %v: tensor<2x2x?x6xbf16> {tenon.dims = ["", "", "m", ""]}) -> tensor<2x4x?x6xbf16> {
        %0 = tenon.attention %q, %k, %v : (tensor<2x4x?x8xbf16>, tensor<2x2x?x8xbf16>, tensor<2x2x?x6xbf16>) -> tensor<2x4x?x6xbf16>
        return %0 : tensor<2x4x?x6xbf16>
      })",
     {{"n", 11}, {"m", 150}},
     1e-2},
    {"attention_of_a_projection",
     R"(
      func.func @main(%x: tensor<2x9x48xf32>) -> tensor<2x9x16xf32> {
        %q, %k, %v = tenon.split %x {axis = 2 : i64, sizes = array<i64: 16, 16, 16>} : (tensor<2x9x48xf32>) -> (tensor<2x9x16xf32>, tensor<2x9x16xf32>, tensor<2x9x16xf32>)
        %q4 = tenon.reshape %q : (tensor<2x9x16xf32>) -> tensor<2x9x4x4xf32>
        %k4 = tenon.reshape %k : (tensor<2x9x16xf32>) -> tensor<2x9x4x4xf32>
        %v4 = tenon.reshape %v : (tensor<2x9x16xf32>) -> tensor<2x9x4x4xf32>
        %qt = tenon.transpose %q4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x9x4x4xf32>) -> tensor<2x4x9x4xf32>
        %kt = tenon.transpose %k4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x9x4x4xf32>) -> tensor<2x4x9x4xf32>
        %vt = tenon.transpose %v4 {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x9x4x4xf32>) -> tensor<2x4x9x4xf32>
        %a = tenon.attention %qt, %kt, %vt : (tensor<2x4x9x4xf32>, tensor<2x4x9x4xf32>, tensor<2x4x9x4xf32>) -> tensor<2x4x9x4xf32>
        %at = tenon.transpose %a {permutation = array<i64: 0, 2, 1, 3>} : (tensor<2x4x9x4xf32>) -> tensor<2x9x4x4xf32>
        %y = tenon.reshape %at : (tensor<2x9x4x4xf32>) -> tensor<2x9x16xf32>
        return %y : tensor<2x9x16xf32>
      })",
     {},
     2e-6},
};

void PrintTo(const TileCase &one, std::ostream *out) { *out << one.name; }

class TileKernels : public testing::TestWithParam<TileCase> {
protected:
  TileKernels() {
    DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadDialect<tile::TileDialect>();
    [[maybe_unused]] static bool registered = (registerPasses(), registerTransformsPasses(), true);
  }

  /// Runs @main: launches by the interpreter, reshapes as they are.
  std::vector<ReferenceTensor> interpret(ModuleOp module, std::vector<ReferenceTensor> inputs,
                                         ArrayRef<int64_t> sizes) {
    auto main = module.lookupSymbol<func::FuncOp>("main");
    DenseMap<Value, ReferenceTensor> values;
    for (auto [argument, input] : llvm::zip_equal(main.getArguments(), inputs))
      values[argument] = input;
    SymbolTableCollection symbols;
    for (Operation &op : main.getBody().front().without_terminator()) {
      auto launch = dyn_cast<LaunchOp>(op);
      if (!launch) {
        ADD_FAILURE() << "left in @main: " << op.getName().getStringRef().str();
        return {};
      }
      auto kernel = cast<tile::KernelOp>(symbols.lookupSymbolIn(module, launch.getCallee()));
      std::vector<ReferenceTensor> arguments;
      for (Value operand : launch.getInputs())
        arguments.push_back(values[operand]);
      for (OpResult result : launch->getResults()) {
        auto type = cast<RankedTensorType>(result.getType());
        ReferenceShape shape(type.getShape());
        if (!type.hasStaticShape()) {
          auto map =
              cast<AffineMapAttr>(launch->getAttrOfType<ArrayAttr>("tenon.result_shapes")[result.getResultNumber()]);
          shape.clear();
          for (AffineExpr size : map.getValue().getResults()) {
            SmallVector<AffineExpr> known;
            for (int64_t value : sizes)
              known.push_back(getAffineConstantExpr(value, &context));
            shape.push_back(cast<AffineConstantExpr>(simplifyAffineExpr(size.replaceSymbols(known), 0, 0)).getValue());
          }
        }
        ReferenceTensor empty(type.getElementType(), shape);
        llvm::fill(empty.floats, NAN);
        llvm::fill(empty.integers, -77);
        auto updates = kernel->getAttrOfType<DenseI64ArrayAttr>(updatesAttrName);
        int64_t updated = updates ? updates[result.getResultNumber()] : -1;
        arguments.push_back(updated < 0 ? empty : arguments[updated]);
      }
      EXPECT_TRUE(succeeded(runTileKernel(kernel, arguments))) << launch.getCallee().getLeafReference().str();
      for (auto [result, value] :
           llvm::zip(launch->getResults(), llvm::drop_begin(arguments, launch.getInputs().size())))
        values[result] = value;
    }
    std::vector<ReferenceTensor> results;
    for (Value value : main.getBody().front().getTerminator()->getOperands())
      results.push_back(values[value]);
    return results;
  }

  void compare(const TileCase &one, const std::vector<ReferenceTensor> &results,
               std::vector<ReferenceTensor> expected) {
    ASSERT_EQ(results.size(), expected.size());
    for (auto [number, result, wanted] : llvm::enumerate(results, expected)) {
      ASSERT_EQ(result.shape, wanted.shape);
      wanted.roundToStorage();
      double largest = 0;
      for (int64_t at = 0; at < wanted.size(); ++at)
        largest = std::isfinite(wanted.at(at)) ? std::max(largest, std::fabs(wanted.at(at))) : largest;
      for (int64_t at = 0; at < wanted.size(); ++at)
        if (std::isnan(wanted.at(at)))
          ASSERT_TRUE(std::isnan(result.at(at))) << "result " << number << " element " << at << ": " << result.at(at);
        else if (std::isinf(wanted.at(at)))
          ASSERT_EQ(result.at(at), wanted.at(at)) << "result " << number << " element " << at;
        else
          ASSERT_LE(std::fabs(result.at(at) - wanted.at(at)), one.bound * largest)
              << "result " << number << " element " << at << ": got " << result.at(at) << ", expected "
              << wanted.at(at);
    }
  }

  MLIRContext context;
};

TEST_P(TileKernels, MatchTheReference) {
  const TileCase &one = GetParam();
  std::string bounds;
  for (auto &[name, size] : one.dims)
    bounds += (bounds.empty() ? "" : ", ") + name + " = array<i64: 1, 512>";
  std::string text = "module attributes {tenon.dim_bounds = {" + bounds + "}} {\n" + one.text + "\n}";
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  ASSERT_TRUE(module);
  auto main = module->lookupSymbol<func::FuncOp>("main");
  std::mt19937 random(7);
  std::vector<ReferenceTensor> inputs;
  std::vector<int64_t> sizes;
  for (auto &[name, size] : one.dims)
    sizes.push_back(size);
  for (auto [number, type] : llvm::enumerate(main.getArgumentTypes())) {
    auto tensor = cast<RankedTensorType>(type);
    ReferenceShape shape(tensor.getShape());
    auto names = main.getArgAttrOfType<ArrayAttr>(number, "tenon.dims");
    for (auto [d, size] : llvm::enumerate(shape))
      if (ShapedType::isDynamic(size))
        size = one.dims.at(cast<StringAttr>(names[d]).str());
    ReferenceTensor input(tensor.getElementType(), shape);
    for (double &value : input.floats)
      value = std::array{-2.0, -1.0, 1.0, 2.0}[random() % (one.isNegative ? 2 : 4)];
    if (int(number) == one.strange)
      for (double &value : input.floats)
        if (random() % 400 == 0)
          value = std::array{double(NAN), double(INFINITY), double(-INFINITY)}[random() % 3];
    for (int64_t &value : input.integers)
      value = tensor.getElementType().isInteger(1) ? random() % 2 : random() % 5;
    inputs.push_back(input);
  }
  auto expected = evaluateReference(main, inputs, nullptr, ReferenceRounding::exact);
  ASSERT_TRUE(succeeded(expected));
  auto run = [&](ModuleOp on, const char *pipeline) {
    PassManager manager(&context);
    return succeeded(parsePassPipeline(pipeline, manager)) && succeeded(manager.run(on));
  };
  ASSERT_TRUE(run(*module, "tenon-phases{to=kernel},tenon-resolve-sizes,tenon-collapse-dimensions,tenon-pack-queries"));
  // Schedules by hand, tiles that no size is a multiple of, with and without parts of keys, each way to
  // scale sums; and those that are chosen.
  bool isAttention = one.name.find("attention") != std::string::npos;
  for (int64_t keySplits : isAttention ? std::vector<int64_t>{1, 2, 3, 0} : std::vector<int64_t>{1, 2, 0}) {
    bool isSwapped = !isAttention && keySplits == 2; // rows and columns of products
    SCOPED_TRACE(isSwapped   ? "small tiles, swapped"
                 : keySplits ? "small tiles, " + std::to_string(keySplits) + " parts of keys"
                             : "chosen tiles");
    OwningOpRef<ModuleOp> tiled = module->clone();
    if (keySplits)
      tiled->walk([&](KernelOp kernel) {
        if (findContraction(kernel.getBlock()))
          kernel->setAttr("tenon.schedule",
                          tile::GemmAttr::get(&context, 8, 8, 4, one.splits, 1, false, isSwapped, false));
        else if (!kernel.getBlock().getOps<AttentionOp>().empty())
          kernel->setAttr("tenon.schedule", tile::AttentionAttr::get(&context, 7, 20, keySplits,
                                                                     keySplits == 1   ? tile::Maximum::Lazy
                                                                     : keySplits == 2 ? tile::Maximum::Online
                                                                                      : tile::Maximum::First));
        else
          kernel->setAttr("tenon.schedule", tile::RowAttr::get(&context, 4, 24, 50));
      });
    ASSERT_TRUE(run(*tiled, "tenon-choose-tile-schedules,tenon-split-depth,tenon-split-keys,tenon-tile-kernels,"
                            "canonicalize,cse"));
    bool isSplit = false;
    tiled->walk([&](tile::KernelOp kernel) { isSplit |= kernel.getName().ends_with("_parts"); });
    EXPECT_TRUE(!isAttention || keySplits != 3 || isSplit);
    compare(one, interpret(*tiled, inputs, sizes), *expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Programs, TileKernels, testing::ValuesIn(cases),
                         [](const auto &info) { return info.param.name; });

} // namespace
