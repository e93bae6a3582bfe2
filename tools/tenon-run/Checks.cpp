#include "tools/tenon-run/Checks.h"

#include "tools/tenon-run/Values.h"

#include <algorithm>
#include <cmath>

using Json = nlohmann::ordered_json;

namespace tenon::tool {

/// What is past the range of the output's type is an infinity there; else the exact value stands, unrounded.
static void becomeInfinite(ReferenceTensor &exact) {
  for (double &value : exact.floats)
    if (double rounded = roundTo(exact.elementType, value); !std::isfinite(rounded))
      value = rounded;
}

/// A bound is twice the most that few evaluations saw, and one element in some millions has a rarer alignment of
/// errors. So what is outside is looked at again, with other evaluations; what is wrong is so far outside that it stays
/// there.
static constexpr uint64_t looks = 8;

Status check(const Model &model, const std::vector<Input> &inputs, const std::vector<Array> &outputs,
             ModelReference *reference, bool hasShortSums, Report &report) {
  if (!reference)
    return invalidArgument("--check needs the model's IR, which this artefact does not keep: compile it without "
                           "--no-model");
  std::vector<ReferenceTensor> got;
  for (const Array &output : outputs)
    got.push_back(toNumbers(output.tensor.ref()));
  std::vector<BoundedTensor> expected;
  std::vector<Comparison> comparisons;
  bool ok = false;
  for (uint64_t look = 1; look <= looks && !ok; ++look) {
    TENON_TRY_ASSIGN(std::vector<BoundedTensor> seen,
                     reference->evaluate(inputs, model.weights.get(), look, hasShortSums));
    ok = true;
    comparisons.clear();
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (got[i].shape != seen[i].value.shape)
        return internalError("output '" + outputs[i].name + "' has another shape than the reference gives");
      becomeInfinite(seen[i].value);
      if (look > 1)
        for (size_t at = 0; at < seen[i].bound.size(); ++at)
          seen[i].bound[at] = std::max(seen[i].bound[at], expected[i].bound[at]);
      comparisons.push_back(compare(got[i], seen[i].value, [&](int64_t at) { return seen[i].bound[at]; }));
      ok &= comparisons.back().ok();
    }
    expected = std::move(seen);
  }
  report.json["check"] = Json::array();
  for (size_t i = 0; i < outputs.size(); ++i)
    reportComparison(report, "check", outputs[i].name, comparisons[i], got[i].shape);
  return {};
}

/// What two right implementations of a model may differ by, of the largest numbers around; 16-bit floats have 3 to 4
/// digits, of which a few roundings in a row take one.
static double usualTolerance(DataType type) {
  switch (type) {
  case DataType::F64:
    return 1e-12;
  case DataType::F32:
    return 1e-5;
  case DataType::F16:
    return 4e-3;
  case DataType::BF16:
    return 3e-2;
  default:
    return 0;
  }
}

Status compareWithFile(const Expectation &expectation, const std::vector<Array> &outputs, Report &report) {
  TENON_TRY_ASSIGN(std::vector<Array> arrays, readArrays(expectation.file));
  report.json["expected"] = Json::array();
  for (const Array &output : outputs) {
    const Array *found = nullptr;
    std::string names;
    for (const Array &array : arrays) {
      if (array.name == output.name || (array.name.empty() && outputs.size() == 1))
        found = &array;
      names += (names.empty() ? "" : ", ") + array.name;
    }
    if (!found)
      return invalidArgument("'" + expectation.file + "' has no array '" + output.name + "'; it has " + names);
    if (found->tensor.shape != output.tensor.shape)
      return invalidArgument("'" + expectation.file + "': output '" + output.name + "' has the shape " +
                             shapeText(output.tensor.shape) + ", the expected array " + shapeText(found->tensor.shape));
    ReferenceTensor got = toNumbers(output.tensor.ref()), expected = toNumbers(found->tensor.ref());
    if (got.isFloat() != expected.isFloat())
      return invalidArgument("'" + expectation.file + "': output '" + output.name + "' is " +
                             std::string(dataTypeName(output.tensor.dtype)) + ", the expected array " +
                             std::string(dataTypeName(found->tensor.dtype)));
    double squares = 0;
    for (int64_t i = 0; i < expected.size(); ++i)
      squares += std::isfinite(expected.at(i)) ? expected.at(i) * expected.at(i) : 0;
    double usual = std::sqrt(squares / static_cast<double>(std::max<int64_t>(expected.size(), 1)));
    double rtol = expectation.rtol.value_or(usualTolerance(output.tensor.dtype));
    double atol = expectation.atol.value_or(rtol * usual);
    Comparison comparison =
        compare(got, expected, [&](int64_t at) { return atol + rtol * std::fabs(expected.at(at)); });
    reportComparison(report, "expected", output.name, comparison, got.shape);
    report.json["expected"].back()["rtol"] = rtol;
    report.json["expected"].back()["atol"] = atol;
  }
  return {};
}

} // namespace tenon::tool
