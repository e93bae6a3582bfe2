// Models as programs on tiles against the float64 reference of the graph: phases graph and kernel, tenon-tile-kernels,
// then the interpreter launch by launch. Small tiles, so that sizes have tails; data are small integers where sums are
// exact, so a wrong place, a missing element or one too many shows in every bit.
#pragma once

#include "lib/Reference/ReferenceTensor.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

#include <map>
#include <string>

namespace tenon::test {

struct TileCase {
  std::string name, text;
  std::map<std::string, int64_t> dims = {};
  double bound = 0;        ///< relative to the largest magnitude of the result; 0: bit-equal
  int strange = -1;        ///< an argument that gets NaN and infinities here and there
  bool isNegative = false; ///< all elements are
  int64_t splits = 1;      ///< of the depth of products
  int64_t keys = 20;       ///< of a tile of an attention, where it is not chosen
};

void PrintTo(const TileCase &one, std::ostream *out);

/// The test itself, MatchTheReference, is in TilePrograms.cpp; a file of cases instantiates it.
class TilePrograms : public testing::TestWithParam<TileCase> {
protected:
  TilePrograms();

  mlir::MLIRContext context;
};

} // namespace tenon::test
