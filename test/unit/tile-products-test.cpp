// Products as programs on tiles: sides that are no multiple of a tile, batches, split depths, what is fused behind.
#include "test/unit/TilePrograms.h"

using namespace tenon::test;

namespace {

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
    {"linear_of_the_first_token", R"(
      func.func @main(%x: tensor<6x5x12xf32>, %w: tensor<17x12xf32>) -> tensor<6x1x17xf32> {
        %0 = tenon.slice %x {starts = array<i64: 0, 2, 0>, ends = array<i64: 6, 3, 12>, steps = array<i64: 1, 1, 1>} : (tensor<6x5x12xf32>) -> tensor<6x1x12xf32>
        %1 = tenon.linear %0, %w : (tensor<6x1x12xf32>, tensor<17x12xf32>) -> tensor<6x1x17xf32>
        return %1 : tensor<6x1x17xf32>
      })"},
};

INSTANTIATE_TEST_SUITE_P(Products, TilePrograms, testing::ValuesIn(cases),
                         [](const auto &info) { return info.param.name; });

} // namespace
