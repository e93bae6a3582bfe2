// A model from text to numbers on this machine, beside the float64 reference: what tests of generated code share.
#pragma once

#include "lib/Compiler/Compiler.h"
#include "lib/Reference/ReferenceTensor.h"

#include <functional>
#include <map>

namespace tenon::test {

struct ModelCase {
  std::string name;
  std::string text;                    ///< with a function @main
  std::map<std::string, int64_t> dims; ///< the size of each named dimension
  /// How far an element may be from the reference beyond half a unit of its own storage type: an absolute error, for
  /// accumulations `c sqrt(terms) 2^-24 sum |terms|` of the data below.
  double slack = 0;
  /// What integers are drawn from: indices must fit their table.
  int64_t integerLimit = 4;
  /// Fills an argument or weight before it is rounded to its type; by default floats are N(0, 1), integers and i1
  /// uniform. The index counts arguments, then weights in the text's order.
  std::function<void(unsigned, ReferenceTensor &)> fill = nullptr;
};

void PrintTo(const ModelCase &test, std::ostream *os);

/// Compiles, runs twice (both runs bit-equal) and compares each element of each output with the reference.
void expectMatchesReference(const ModelCase &test);

} // namespace tenon::test
