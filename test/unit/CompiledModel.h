// A model from text to numbers on this machine, beside the float64 reference: what tests of generated code share.
#pragma once

#include "lib/Compiler/Compiler.h"
#include "lib/Reference/ReferenceTensor.h"

#include <functional>
#include <map>

namespace tenon::test {

using NamedTensors = std::map<std::string, ReferenceTensor>;

struct HowToCompile {
  std::string from = "graph"; ///< phase
  std::string target = "cpu";
  /// Makes of the model what is compiled in its place, from phase `from` on; the reference is that of the model.
  std::function<std::string(const std::string &)> lowered = nullptr;
};

/// Whether this machine runs code for an AVX2 processor, a target beside its own.
bool runsHaswell();

/// Compiles @main of `text`, runs it twice, checks that both runs are equal bit by bit, and gives
/// its outputs. Failures are failures of the test; then there are no outputs.
std::vector<ReferenceTensor> runCompiled(const std::string &text, const std::vector<ReferenceTensor> &inputs,
                                         const NamedTensors &weights = {}, const HowToCompile &how = {});

struct ModelCase {
  std::string name;
  std::string text;                    ///< with a function @main
  std::map<std::string, int64_t> dims; ///< the size of each named dimension
  /// How far an element may be from the reference beyond half a unit of its own storage type: an absolute error, for
  /// accumulations `c sqrt(terms) 2^-24 sum |terms|` of the data below.
  double slack = 0;
  /// What integers are drawn from: indices must fit their table.
  int64_t integerLimit = 4;
  /// Changes an argument or weight before it is rounded to its type; by default floats are N(0, 1), integers and i1
  /// uniform. The index counts arguments, then weights in the text's order.
  std::function<void(unsigned, ReferenceTensor &)> fill = nullptr;
};

void PrintTo(const ModelCase &test, std::ostream *os);

/// runCompiled on drawn inputs and weights; compares each element of each output with the reference.
void expectMatchesReference(const ModelCase &test, const HowToCompile &how = {});

} // namespace tenon::test
