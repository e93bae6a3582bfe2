// Attention as programs on tiles: masks, lengths, windows, soft caps, one query, values that are no numbers.
#include "test/unit/TilePrograms.h"

using namespace tenon::test;

namespace {

const TileCase cases[] = {
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
    {"attention_log_sum_exp_of_lowest_scores",
     R"(
      func.func @main(%q: tensor<2x4x?x8xf32> {tenon.dims = ["", "", "n", ""]}, %k: tensor<2x2x?x8xf32> {tenon.dims = ["", "", "m", ""]}, %v: tensor<2x2x?x6xf32> {tenon.dims = ["", "", "m", ""]}, %m: tensor<?x1xf32> {tenon.dims = ["n", ""]}) -> (tensor<2x4x?x6xf32>, tensor<2x4x?xf32>) {
        %c = tenon.constant dense<0x7EFFFFFF> : tensor<f32>
        %mask = tenon.mul %m, %c : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
        %0, %l = tenon.attention %q, %k, %v mask(%mask) {scale = 0.0 : f64, log_sum_exp} : (tensor<2x4x?x8xf32>, tensor<2x2x?x8xf32>, tensor<2x2x?x6xf32>, tensor<?x1xf32>) -> (tensor<2x4x?x6xf32>, tensor<2x4x?xf32>)
        return %0, %l : tensor<2x4x?x6xf32>, tensor<2x4x?xf32>
      })",
     {{"n", 9}, {"m", 150}},
     2e-6,
     -1,
     true},
    {"attention_soft_cap_f32_of_strange_values",
     R"(
      func.func @main(%q: tensor<2x2x9x8xf32>, %k: tensor<2x2x40x8xf32>, %v: tensor<2x2x40x6xf32>) -> tensor<2x2x9x6xf32> {
        %0 = tenon.attention %q, %k, %v {scale = 8.0 : f64, soft_cap = 1000.0 : f64} : (tensor<2x2x9x8xf32>, tensor<2x2x40x8xf32>, tensor<2x2x40x6xf32>) -> tensor<2x2x9x6xf32>
        return %0 : tensor<2x2x9x6xf32>
      })",
     {},
     2e-5,
     2},
    {"attention_soft_cap_f16_of_strange_values",
     R"(
      func.func @main(%q: tensor<2x2x9x8xf16>, %k: tensor<2x2x40x8xf16>, %v: tensor<2x2x40x6xf16>) -> tensor<2x2x9x6xf16> {
        %0 = tenon.attention %q, %k, %v {scale = 4.0 : f64, soft_cap = 1000.0 : f64} : (tensor<2x2x9x8xf16>, tensor<2x2x40x8xf16>, tensor<2x2x40x6xf16>) -> tensor<2x2x9x6xf16>
        return %0 : tensor<2x2x9x6xf16>
      })",
     {},
     2e-2,
     2},
    {"attention_in_pages_of_tiles",
     R"(
      func.func @main(%q: tensor<7x4x?x8xf32> {tenon.dims = ["", "", "n", ""]}, %k: tensor<3x2x80x8xf32>, %v: tensor<3x2x80x6xf32>, %t: tensor<7x?xi64> {tenon.dims = ["", "p"]}) -> (tensor<7x4x?x6xf32>, tensor<7x4x?xf32>) {
        %0, %l = tenon.attention %q, %k, %v block_table(%t) {causal, log_sum_exp} : (tensor<7x4x?x8xf32>, tensor<3x2x80x8xf32>, tensor<3x2x80x6xf32>, tensor<7x?xi64>) -> (tensor<7x4x?x6xf32>, tensor<7x4x?xf32>)
        return %0, %l : tensor<7x4x?x6xf32>, tensor<7x4x?xf32>
      })",
     {{"n", 5}, {"p", 3}},
     2e-6},
    {"attention_in_pages_of_which_tiles_are_some",
     R"(
      func.func @main(%q: tensor<7x4x?x8xf32> {tenon.dims = ["", "", "n", ""]}, %k: tensor<3x2x16x8xf32>, %v: tensor<3x2x16x6xf32>, %t: tensor<7x?xi64> {tenon.dims = ["", "p"]}, %m: tensor<7xi32>) -> (tensor<7x4x?x6xf32>, tensor<7x4x?xf32>) {
        %0, %l = tenon.attention %q, %k, %v key_lengths(%m) block_table(%t) {log_sum_exp} : (tensor<7x4x?x8xf32>, tensor<3x2x16x8xf32>, tensor<3x2x16x6xf32>, tensor<7xi32>, tensor<7x?xi64>) -> (tensor<7x4x?x6xf32>, tensor<7x4x?xf32>)
        return %0, %l : tensor<7x4x?x6xf32>, tensor<7x4x?xf32>
      })",
     {{"n", 5}, {"p", 4}},
     2e-6,
     -1,
     false,
     1,
     48},
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

INSTANTIATE_TEST_SUITE_P(Attention, TilePrograms, testing::ValuesIn(cases),
                         [](const auto &info) { return info.param.name; });

} // namespace
