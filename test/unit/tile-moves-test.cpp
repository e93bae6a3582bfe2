// Programs on tiles that move elements: concatenations, pads, gathers, scatters, caches, transposes, broadcasts.
#include "test/unit/TilePrograms.h"

using namespace tenon::test;

namespace {

const TileCase cases[] = {
    {"concat",
     R"(
      func.func @main(%x: tensor<2x?x9xf32> {tenon.dims = ["", "n", ""]}, %y: tensor<2x5x9xf32>, %z: tensor<2x5x70xf32>) -> (tensor<2x?x9xf32>, tensor<2x5x88xf32>) {
        %0 = tenon.concat %x, %y, %x {axis = 1 : i64} : (tensor<2x?x9xf32>, tensor<2x5x9xf32>, tensor<2x?x9xf32>) -> tensor<2x?x9xf32>
        %1 = tenon.concat %y, %z, %y {axis = 2 : i64} : (tensor<2x5x9xf32>, tensor<2x5x70xf32>, tensor<2x5x9xf32>) -> tensor<2x5x88xf32>
        return %0, %1 : tensor<2x?x9xf32>, tensor<2x5x88xf32>
      })",
     {{"n", 33}}},
    // Programs of several rows have some of two parts, or of three.
    {"concat_read_by_rows", R"(
      func.func @main(%a: tensor<3x1x33xf32>, %b: tensor<3x10x33xf32>, %c: tensor<3x1x33xf32>, %p: tensor<1x12x33xf32>) -> (tensor<3x12x33xf32>, tensor<3x12x33xf32>) {
        %0 = tenon.concat %a, %b, %c {axis = 1 : i64} : (tensor<3x1x33xf32>, tensor<3x10x33xf32>, tensor<3x1x33xf32>) -> tensor<3x12x33xf32>
        %1 = tenon.sub %0, %p : (tensor<3x12x33xf32>, tensor<1x12x33xf32>) -> tensor<3x12x33xf32>
        %2 = tenon.concat %c, %b, %a {axis = 1 : i64} : (tensor<3x1x33xf32>, tensor<3x10x33xf32>, tensor<3x1x33xf32>) -> tensor<3x12x33xf32>
        %3 = tenon.sub %1, %2 : (tensor<3x12x33xf32>, tensor<3x12x33xf32>) -> tensor<3x12x33xf32>
        return %1, %3 : tensor<3x12x33xf32>, tensor<3x12x33xf32>
      })"},
    {"parts_of_one_sequence",
     R"(
      func.func @main(%a: tensor<1x1x33xf32>, %b: tensor<1x10x33xf32>, %n: tensor<1x1x?x5xf32> {tenon.dims = ["", "", "n", ""]}) -> (tensor<1x11x33xf32>, tensor<1x4x33xf32>, tensor<1x1x?x5xf32>) {
        %0 = tenon.concat %a, %b {axis = 1 : i64} : (tensor<1x1x33xf32>, tensor<1x10x33xf32>) -> tensor<1x11x33xf32>
        %1 = tenon.sub %0, %a : (tensor<1x11x33xf32>, tensor<1x1x33xf32>) -> tensor<1x11x33xf32>
        %2 = tenon.slice %b {starts = array<i64: 0, 2, 0>, ends = array<i64: 1, 10, 33>, steps = array<i64: 1, 2, 1>} : (tensor<1x10x33xf32>) -> tensor<1x4x33xf32>
        %3 = tenon.sub %2, %a : (tensor<1x4x33xf32>, tensor<1x1x33xf32>) -> tensor<1x4x33xf32>
        %4 = tenon.concat %n, %n {axis = 2 : i64} : (tensor<1x1x?x5xf32>, tensor<1x1x?x5xf32>) -> tensor<1x1x?x5xf32>
        return %1, %3, %4 : tensor<1x11x33xf32>, tensor<1x4x33xf32>, tensor<1x1x?x5xf32>
      })",
     {{"n", 19}}},
    {"concat_read_by_folds",
     R"(
      func.func @main(%x: tensor<2x70xf32>, %y: tensor<9x70xf32>) -> (tensor<11x70xf32>, tensor<11x70xf32>) {
        %0 = tenon.concat %x, %y {axis = 0 : i64} : (tensor<2x70xf32>, tensor<9x70xf32>) -> tensor<11x70xf32>
        %1 = tenon.softmax %0 {axis = 1} : (tensor<11x70xf32>) -> tensor<11x70xf32>
        %2 = tenon.concat %y, %x {axis = 0 : i64} : (tensor<9x70xf32>, tensor<2x70xf32>) -> tensor<11x70xf32>
        %3 = tenon.softmax %2 {axis = 0} : (tensor<11x70xf32>) -> tensor<11x70xf32>
        return %1, %3 : tensor<11x70xf32>, tensor<11x70xf32>
      })",
     {},
     1e-6},
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
    {"kv_pages", R"(
      func.func @main(%c: tensor<3x2x16x6xf32>, %u: tensor<1x9x2x6xf32>, %p: tensor<1xi64>, %t: tensor<1x2xi32>, %d: tensor<4x2x8x6xf32>, %v: tensor<1x2x1x6xf32>) -> (tensor<3x2x16x6xf32>, tensor<4x2x8x6xf32>) {
        %w = tenon.transpose %u {permutation = array<i64: 0, 2, 1, 3>} : (tensor<1x9x2x6xf32>) -> tensor<1x2x9x6xf32>
        %0 = tenon.kv_pages_append %c, %w, %p, %t : (tensor<3x2x16x6xf32>, tensor<1x2x9x6xf32>, tensor<1xi64>, tensor<1x2xi32>) -> tensor<3x2x16x6xf32>
        %1 = tenon.kv_pages_append %d, %v, %p, %t : (tensor<4x2x8x6xf32>, tensor<1x2x1x6xf32>, tensor<1xi64>, tensor<1x2xi32>) -> tensor<4x2x8x6xf32>
        return %0, %1 : tensor<3x2x16x6xf32>, tensor<4x2x8x6xf32>
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
};

INSTANTIATE_TEST_SUITE_P(Moves, TilePrograms, testing::ValuesIn(cases),
                         [](const auto &info) { return info.param.name; });

} // namespace
