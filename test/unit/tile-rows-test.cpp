// Rows as programs on tiles: norms, softmax, folds and scans, of rows that fit a tile and of longer ones.
#include "test/unit/TilePrograms.h"

using namespace tenon::test;

namespace {

const TileCase cases[] = {
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
    {"argmax_of_equal_values",
     R"(
      func.func @main(%x: tensor<4x?xf32> {tenon.dims = ["", "n"]}, %y: tensor<6x37xf32>) -> (tensor<4xi64>, tensor<4xi64>, tensor<6xi32>, tensor<6xi64>) {
        %0 = tenon.cast %x : (tensor<4x?xf32>) -> tensor<4x?xi64>
        %1 = tenon.argmax %0 {axis = 1 : i64} : (tensor<4x?xi64>) -> tensor<4xi64>
        %2 = tenon.floor %x : (tensor<4x?xf32>) -> tensor<4x?xf32>
        %3 = tenon.argmin %2 {axis = 1 : i64} : (tensor<4x?xf32>) -> tensor<4xi64>
        %4 = tenon.floor %y : (tensor<6x37xf32>) -> tensor<6x37xf32>
        %5 = tenon.argmax %4 {axis = 1 : i64} : (tensor<6x37xf32>) -> tensor<6xi32>
        %zero = tenon.sub %y, %y : (tensor<6x37xf32>, tensor<6x37xf32>) -> tensor<6x37xf32>
        %lowest = tenon.log %zero : (tensor<6x37xf32>) -> tensor<6x37xf32>
        %7 = tenon.argmax %lowest {axis = 1 : i64} : (tensor<6x37xf32>) -> tensor<6xi64>
        return %1, %3, %5, %7 : tensor<4xi64>, tensor<4xi64>, tensor<6xi32>, tensor<6xi64>
      })",
     {{"n", 131}}},
    {"sums_of_a_number_that_programs_do_not_divide",
     R"(
      func.func @main(%x: tensor<3x1xf32>, %y: tensor<3x33xf32>, %z: tensor<2x?xf32> {tenon.dims = ["", "n"]}) -> (tensor<3xf32>, tensor<3x1xf32>, tensor<2xf32>, tensor<2xf32>) {
        %0 = tenon.reduce_sum %x {axes = array<i64: 1>} : (tensor<3x1xf32>) -> tensor<3xf32>
        %1 = tenon.reduce_mean %y {axes = array<i64: 1>, keep_dims} : (tensor<3x33xf32>) -> tensor<3x1xf32>
        %2 = tenon.mul %z, %z : (tensor<2x?xf32>, tensor<2x?xf32>) -> tensor<2x?xf32>
        %3 = tenon.reduce_sum %2 {axes = array<i64: 1>} : (tensor<2x?xf32>) -> tensor<2xf32>
        %4 = tenon.reduce_min %z {axes = array<i64: 1>} : (tensor<2x?xf32>) -> tensor<2xf32>
        return %0, %1, %3, %4 : tensor<3xf32>, tensor<3x1xf32>, tensor<2xf32>, tensor<2xf32>
      })",
     {{"n", 5}},
     1e-6},
    {"a_sum_and_its_norm",
     R"(
      func.func @main(%x: tensor<2x3x24xf32>, %r: tensor<2x3x24xf32>, %w: tensor<24xf32>) -> (tensor<2x3x24xf32>, tensor<2x3x24xf32>) {
        %s = tenon.add %x, %r : (tensor<2x3x24xf32>, tensor<2x3x24xf32>) -> tensor<2x3x24xf32>
        %y = tenon.rms_norm %s, %w {epsilon = 1.0e-5 : f64} : (tensor<2x3x24xf32>, tensor<24xf32>) -> tensor<2x3x24xf32>
        return %s, %y : tensor<2x3x24xf32>, tensor<2x3x24xf32>
      })",
     {},
     1e-6},
    {"a_long_sum_and_its_norm",
     R"(
      func.func @main(%x: tensor<3x?xf32> {tenon.dims = ["", "n"]}, %r: tensor<3x?xf32> {tenon.dims = ["", "n"]}) -> (tensor<3x?xf32>, tensor<3x?xf32>) {
        %s = tenon.add %x, %r : (tensor<3x?xf32>, tensor<3x?xf32>) -> tensor<3x?xf32>
        %y = tenon.softmax %s {axis = 1 : i64} : (tensor<3x?xf32>) -> tensor<3x?xf32>
        return %y, %s : tensor<3x?xf32>, tensor<3x?xf32>
      })",
     {{"n", 101}},
     1e-6},
    {"cumsum",
     R"(
      func.func @main(%x: tensor<4x?xf32> {tenon.dims = ["", "n"]}, %y: tensor<6x17x5xi64>, %z: tensor<3x150xbf16>) -> (tensor<4x?xf32>, tensor<6x17x5xi64>, tensor<3x150xbf16>) {
        %0 = tenon.cumsum %x {axis = 1 : i64} : (tensor<4x?xf32>) -> tensor<4x?xf32>
        %1 = tenon.cumsum %y {axis = 1 : i64} : (tensor<6x17x5xi64>) -> tensor<6x17x5xi64>
        %2 = tenon.cumsum %z {axis = 1 : i64} : (tensor<3x150xbf16>) -> tensor<3x150xbf16>
        return %0, %1, %2 : tensor<4x?xf32>, tensor<6x17x5xi64>, tensor<3x150xbf16>
      })",
     {{"n", 131}}},
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
};

INSTANTIATE_TEST_SUITE_P(Rows, TilePrograms, testing::ValuesIn(cases),
                         [](const auto &info) { return info.param.name; });

} // namespace
