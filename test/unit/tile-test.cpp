// The interpreter of tiles: whole kernels against formulas, what lies outside of a view, and what it must refuse.
#include "lib/Pipelines/Phases.h"
#include "lib/Reference/TileInterpreter.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace mlir;
using namespace tenon;

namespace {

class TileTest : public testing::Test {
protected:
  TileTest() {
    DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
  }
  /// Runs the one kernel of `text`; `error` gets what was said.
  bool run(llvm::StringRef text, std::vector<ReferenceTensor> &arguments) {
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      error += diagnostic.str();
      return success();
    });
    module = parseSourceString<ModuleOp>(text, &context);
    if (!module)
      return false;
    return succeeded(runTileKernel(*module->getOps<tile::KernelOp>().begin(), arguments));
  }
  ReferenceTensor f32(llvm::ArrayRef<int64_t> shape, std::function<double(int64_t)> element) {
    ReferenceTensor tensor(Float32Type::get(&context), shape);
    for (int64_t at = 0; at < tensor.size(); ++at)
      tensor.floats[at] = element(at);
    return tensor;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  std::string error;
};

// Sizes that no tile divides: what is outside reads 0 and is not written.
TEST_F(TileTest, MatrixProductWithTails) {
  const char *text = R"(
    tile.kernel @linear(%X: !tile.view<?x?xf32>, %W: !tile.view<?x?xf32>, %Y: !tile.view<?x?xf32>) {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      %m = tile.dim %Y {axis = 0 : i64} : !tile.view<?x?xf32>
      %n = tile.dim %Y {axis = 1 : i64} : !tile.view<?x?xf32>
      %k = tile.dim %X {axis = 1 : i64} : !tile.view<?x?xf32>
      %rows = arith.ceildivui %m, %c8 : index
      %columns = arith.ceildivui %n, %c8 : index
      tile.grid (%i, %j) = (%rows, %columns) {
        %row = arith.muli %i, %c8 : index
        %column = arith.muli %j, %c8 : index
        %zero = arith.constant dense<0.0> : tensor<8x8xf32>
        %sum = scf.for %l = %c0 to %k step %c8 iter_args(%acc = %zero) -> tensor<8x8xf32> {
          %x = tile.load %X[%row, %l] : !tile.view<?x?xf32> -> tensor<8x8xf32>
          %w = tile.load %W[%column, %l] : !tile.view<?x?xf32> -> tensor<8x8xf32>
          %d = tile.dot %x, %w, %acc {transpose_b} : tensor<8x8xf32>, tensor<8x8xf32> -> tensor<8x8xf32>
          scf.yield %d : tensor<8x8xf32>
        }
        tile.store %sum, %Y[%row, %column] : tensor<8x8xf32>, !tile.view<?x?xf32>
      }
    })";
  const int64_t m = 11, n = 9, k = 13;
  auto x = [](int64_t at) { return double(at % 5 - 2); };
  auto w = [](int64_t at) { return double(at % 7 - 3); };
  std::vector<ReferenceTensor> arguments = {f32({m, k}, x), f32({n, k}, w), f32({m, n}, [](int64_t) { return NAN; })};
  ASSERT_TRUE(run(text, arguments)) << error;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t l = 0; l < k; ++l)
        sum += x(i * k + l) * w(j * k + l);
      EXPECT_EQ(arguments[2].floats[i * n + j], sum) << i << ", " << j;
    }
}

// Programs that share a sum: two groups of three, of which each program or the last has the sum.
TEST_F(TileTest, SumsOfPrograms) {
  auto textOf = [](std::string op, std::string tile, std::string column) {
    return R"(
    tile.kernel @sums(%X: !tile.view<2x3x6xf32>, %Y: !tile.view<2x6xf32>) {
      %c0 = arith.constant 0 : index
      %c2 = arith.constant 2 : index
      %c3 = arith.constant 3 : index
      tile.grid (%p, %i) = (%c3, %c2) {
        %own = arith.muli %p, %c2 : index
        %x = tile.load %X[%i, %p, %c0] : !tile.view<2x3x6xf32> -> tensor<6xf32>
        %r = )" +
           op + R"(
        tile.store %r, %Y[%i, )" +
           column + "] : " + tile + R"(, !tile.view<2x6xf32>
      }
    })";
  };
  for (const std::string &text :
       {textOf("tile.reduce_to_last %x {axis = 0 : i64} : tensor<6xf32>", "tensor<6xf32>", "%c0"),
        textOf("tile.reduce_scatter %x {axis = 0 : i64, dimension = 0 : i64} : tensor<6xf32> -> tensor<2xf32>",
               "tensor<2xf32>", "%own")}) {
    std::vector<ReferenceTensor> arguments = {f32({2, 3, 6}, [](int64_t at) { return double(at * at); }),
                                              f32({2, 6}, [](int64_t) { return NAN; })};
    ASSERT_TRUE(run(text, arguments)) << error;
    for (int64_t i = 0; i < 2; ++i)
      for (int64_t k = 0; k < 6; ++k) {
        double sum = 0;
        for (int64_t p = 0; p < 3; ++p)
          sum += std::pow(double((i * 3 + p) * 6 + k), 2);
        EXPECT_EQ(arguments[1].floats[i * 6 + k], sum) << i << ", " << k;
      }
  }
}

TEST_F(TileTest, TilesOfProgramsSideBySide) {
  const char *text = R"(
    tile.kernel @gather(%X: !tile.view<2x4x6xf32>, %Y: !tile.view<2x6x4xf32>, %Z: !tile.view<2x4xi64>) {
      %c0 = arith.constant 0 : index
      %c2 = arith.constant 2 : index
      %c4 = arith.constant 4 : index
      tile.grid (%i, %p) = (%c2, %c4) {
        %x = tile.load %X[%i, %p, %c0] : !tile.view<2x4x6xf32> -> tensor<6xf32>
        %number = arith.index_cast %p : index to i64
        %n = tensor.splat %number : tensor<i64>
        %y, %z = tile.gather_to_last %x, %n {axis = 1 : i64} : tensor<6xf32>, tensor<i64> -> tensor<6x4xf32>, tensor<4xi64>
        tile.store %y, %Y[%i, %c0, %c0] : tensor<6x4xf32>, !tile.view<2x6x4xf32>
        tile.store %z, %Z[%i, %c0] : tensor<4xi64>, !tile.view<2x4xi64>
      }
    })";
  std::vector<ReferenceTensor> arguments = {f32({2, 4, 6}, [](int64_t at) { return double(at); }),
                                            f32({2, 6, 4}, [](int64_t) { return NAN; }),
                                            ReferenceTensor(IntegerType::get(&context, 64), {2, 4})};
  ASSERT_TRUE(run(text, arguments)) << error;
  for (int64_t i = 0; i < 2; ++i)
    for (int64_t p = 0; p < 4; ++p) {
      EXPECT_EQ(arguments[2].integers[i * 4 + p], p);
      for (int64_t k = 0; k < 6; ++k)
        EXPECT_EQ(arguments[1].floats[(i * 6 + k) * 4 + p], (i * 4 + p) * 6 + k) << i << ", " << p << ", " << k;
    }
}

TEST_F(TileTest, SoftmaxOfARow) {
  const char *text = R"(
    tile.kernel @softmax(%X: !tile.view<?x16xf32>, %Y: !tile.view<?x16xf32>) {
      %c0 = arith.constant 0 : index
      %m = tile.dim %X {axis = 0 : i64} : !tile.view<?x16xf32>
      tile.grid (%i) = (%m) {
        %x = tile.load %X[%i, %c0] : !tile.view<?x16xf32> -> tensor<1x16xf32>
        %max = tile.reduce max %x {axis = 1 : i64} : tensor<1x16xf32> -> tensor<1xf32>
        %wide = tile.broadcast %max {dims = array<i64: 0>} : tensor<1xf32> -> tensor<1x16xf32>
        %shifted = arith.subf %x, %wide : tensor<1x16xf32>
        %power = math.exp %shifted : tensor<1x16xf32>
        %sum = tile.reduce add %power {axis = 1 : i64} : tensor<1x16xf32> -> tensor<1xf32>
        %all = tile.broadcast %sum {dims = array<i64: 0>} : tensor<1xf32> -> tensor<1x16xf32>
        %y = arith.divf %power, %all : tensor<1x16xf32>
        tile.store %y, %Y[%i, %c0] : tensor<1x16xf32>, !tile.view<?x16xf32>
      }
    })";
  auto x = [](int64_t at) { return double(at % 11) / 2; };
  std::vector<ReferenceTensor> arguments = {f32({3, 16}, x), f32({3, 16}, [](int64_t) { return NAN; })};
  ASSERT_TRUE(run(text, arguments)) << error;
  for (int64_t row = 0; row < 3; ++row) {
    double sum = 0, max = 5;
    for (int64_t l = 0; l < 16; ++l)
      sum += std::exp(x(row * 16 + l) - max);
    for (int64_t l = 0; l < 16; ++l)
      EXPECT_NEAR(arguments[1].floats[row * 16 + l], std::exp(x(row * 16 + l) - max) / sum, 1e-7);
  }
}

// A transposed view, rows that data choose (one of them not there), a running sum and places.
TEST_F(TileTest, ViewsGathersAndScans) {
  const char *text = R"(
    tile.kernel @k(%X: !tile.view<4x3xf32>, %T: !tile.view<3x4xf32>, %G: !tile.view<4x3xf32>, %S: !tile.view<4x3xf32>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      %c4 = arith.constant 4 : index
      %v = tile.strided %X at %c0 sizes(%c3, %c4) strides(%c1, %c3) : !tile.view<4x3xf32> -> !tile.view<3x4xf32>
      tile.grid () = () {
        %t = tile.load %v[%c0, %c0] : !tile.view<3x4xf32> -> tensor<3x4xf32>
        tile.store %t, %T[%c0, %c0] : tensor<3x4xf32>, !tile.view<3x4xf32>
        %k = tile.iota {axis = 0 : i64} : tensor<4xi32>
        %two = arith.constant dense<2> : tensor<4xi32>
        %rows = arith.addi %k, %two : tensor<4xi32>
        %g = tile.gather %X[%c0, %c0] rows(%rows) {axis = 0 : i64} : !tile.view<4x3xf32>, tensor<4xi32> -> tensor<4x3xf32>
        tile.store %g, %G[%c0, %c0] : tensor<4x3xf32>, !tile.view<4x3xf32>
        %x = tile.load %X[%c0, %c0] : !tile.view<4x3xf32> -> tensor<4x3xf32>
        %s = tile.scan add %x {axis = 0 : i64} : tensor<4x3xf32>
        tile.store %s, %S[%c0, %c0] : tensor<4x3xf32>, !tile.view<4x3xf32>
      }
    })";
  auto x = [](int64_t at) { return double(at + 1); };
  auto nan = [](int64_t) { return NAN; };
  std::vector<ReferenceTensor> arguments = {f32({4, 3}, x), f32({3, 4}, nan), f32({4, 3}, nan), f32({4, 3}, nan)};
  ASSERT_TRUE(run(text, arguments)) << error;
  EXPECT_EQ(arguments[1].floats, (std::vector<double>{1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12}));
  EXPECT_EQ(arguments[2].floats, (std::vector<double>{7, 8, 9, 10, 11, 12, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(arguments[3].floats, (std::vector<double>{1, 2, 3, 5, 7, 9, 12, 15, 18, 22, 26, 30}));
}

// Maxima keep NaN; 16-bit results are rounded.
TEST_F(TileTest, NaNAndRounding) {
  const char *text = R"(
    tile.kernel @k(%X: !tile.view<4xf32>, %M: !tile.view<f32>, %Y: !tile.view<4xbf16>) {
      %c0 = arith.constant 0 : index
      tile.grid () = () {
        %x = tile.load %X[%c0] : !tile.view<4xf32> -> tensor<4xf32>
        %m = tile.reduce max %x {axis = 0 : i64} : tensor<4xf32> -> tensor<f32>
        tile.store %m, %M[] : tensor<f32>, !tile.view<f32>
        %y = arith.truncf %x : tensor<4xf32> to tensor<4xbf16>
        tile.store %y, %Y[%c0] : tensor<4xbf16>, !tile.view<4xbf16>
      }
    })";
  std::vector<double> x = {1.00390625, NAN, 3, -1.01171875};
  std::vector<ReferenceTensor> arguments = {f32({4}, [&](int64_t at) { return x[at]; }),
                                            f32({}, [](int64_t) { return 0; }),
                                            ReferenceTensor(BFloat16Type::get(&context), {4})};
  ASSERT_TRUE(run(text, arguments)) << error;
  EXPECT_TRUE(std::isnan(arguments[1].floats[0]));
  EXPECT_EQ(arguments[2].floats[0], 1.0);
  EXPECT_TRUE(std::isnan(arguments[2].floats[1]));
  EXPECT_EQ(arguments[2].floats[3], -1.015625);
}

TEST_F(TileTest, RefusesWhatDoesNotFit) {
  const char *text = R"(
    tile.kernel @k(%X: !tile.view<4xf32>) {
      %c2 = arith.constant 2 : index
      %c4 = arith.constant 4 : index
      %c1 = arith.constant 1 : index
      %c0 = arith.constant 0 : index
      %v = tile.strided %X at %c2 sizes(%c4) strides(%c1) : !tile.view<4xf32> -> !tile.view<4xf32>
      tile.grid () = () {
        %x = tile.load %v[%c0] : !tile.view<4xf32> -> tensor<4xf32>
      }
    })";
  std::vector<ReferenceTensor> arguments = {f32({4}, [](int64_t) { return 0; })};
  EXPECT_FALSE(run(text, arguments));
  EXPECT_NE(error.find("reaches element 4 of a tensor of 4"), std::string::npos) << error;
  error.clear();
  arguments = {f32({5}, [](int64_t) { return 0; })};
  EXPECT_FALSE(run(text, arguments));
  EXPECT_NE(error.find("argument 0 is given a tensor that does not fit"), std::string::npos) << error;
  error.clear();
  EXPECT_FALSE(run(R"(
    tile.kernel @k(%X: !tile.view<4xf32>) {
      tile.grid () = () {
        %c = arith.constant dense<1> : tensor<4xi32>
        %y = math.ctpop %c : tensor<4xi32>
      }
    })",
                   arguments = {f32({4}, [](int64_t) { return 0; })}));
  EXPECT_NE(error.find("is not known to the interpreter of tiles"), std::string::npos) << error;
}

} // namespace
