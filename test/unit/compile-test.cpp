// Small models through the whole compiler, on this machine, against the float64 reference.
#include "test/unit/CompiledModel.h"

#include <gtest/gtest.h>

namespace tenon::test {
namespace {

const double ulp = 0x1p-24;

class CompiledModel : public testing::TestWithParam<ModelCase> {};

TEST_P(CompiledModel, MatchesTheReference) { expectMatchesReference(GetParam()); }

const ModelCase cases[] = {
    {"softmax_linear_gelu_select",
     R"(
       module attributes {tenon.dim_bounds = {n = array<i64: 0, 64>}} {
         func.func @main(%x: tensor<?x8xf32> {tenon.dims = ["n", ""]}, %m: tensor<?x8xi1> {tenon.dims = ["n", ""]})
             -> (tensor<?x16xf32>, tensor<?x8xf32>) {
           %w = tenon.weight "w" : tensor<16x8xf32>
           %0 = tenon.softmax %x {axis = 1} : (tensor<?x8xf32>) -> tensor<?x8xf32>
           %1 = tenon.linear %0, %w : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
           %2 = tenon.gelu %1 : (tensor<?x16xf32>) -> tensor<?x16xf32>
           %3 = tenon.select %m, %x, %0 : (tensor<?x8xi1>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
           return %2, %3 : tensor<?x16xf32>, tensor<?x8xf32>
         }
       })",
     {{"n", 5}},
     8 * ulp},
};

INSTANTIATE_TEST_SUITE_P(Compile, CompiledModel, testing::ValuesIn(cases),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace tenon::test
