#include "tools/tenon-run/Comparison.h"

#include "tools/tenon-run/Values.h"

#include <cmath>

namespace tenon::tool {

Comparison compare(const ReferenceTensor &got, const ReferenceTensor &expected,
                   llvm::function_ref<double(int64_t)> boundOf) {
  Comparison result;
  result.count = got.size();
  for (int64_t i = 0; i < result.count; ++i) {
    double a = got.at(i), b = expected.at(i);
    bool same = got.isFloat() ? a == b || (std::isnan(a) && std::isnan(b)) : got.integers[i] == expected.integers[i];
    if (same)
      continue;
    double bound = boundOf(i), difference = std::fabs(a - b);
    // Of another class: one of them is no number, or an infinity that the other is not. No bound covers that, unless
    // it says that this element may be anything.
    bool comparable = std::isfinite(a) && std::isfinite(b);
    double share = std::isinf(bound) ? 0
                   : !comparable     ? std::numeric_limits<double>::infinity()
                   : bound > 0       ? difference / bound
                                     : std::numeric_limits<double>::infinity();
    if (comparable)
      result.largest = std::max(result.largest, difference);
    result.outside += share > 1;
    if (result.worst < 0 || share > result.share) {
      result.worst = i;
      result.share = share;
      result.got = a;
      result.expected = b;
      result.bound = bound;
    }
  }
  return result;
}

static std::string number(double value, const char *format) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string comparisonText(const Comparison &c, llvm::ArrayRef<int64_t> shape) {
  if (c.worst < 0)
    return "equal in all " + std::to_string(c.count) + " elements";
  return "largest error " + number(c.largest, "%.3g") + "; worst at " + indexText(shape, c.worst) + ": got " +
         number(c.got, "%.9g") + ", expected " + number(c.expected, "%.9g") + ", " + number(c.share, "%.3g") +
         " of its bound " + number(c.bound, "%.3g") + "; " + std::to_string(c.outside) + " of " +
         std::to_string(c.count) + " elements outside";
}

// JSON has no infinity: null stands for one, and for NaN.
static nlohmann::ordered_json finite(double value) {
  if (std::isfinite(value))
    return value;
  return nullptr;
}

nlohmann::ordered_json comparisonJson(const Comparison &c, llvm::ArrayRef<int64_t> shape) {
  nlohmann::ordered_json json = {{"ok", c.ok()},
                                 {"elements", c.count},
                                 {"outside", c.outside},
                                 {"largest_error", finite(c.largest)},
                                 {"share_of_bound", finite(c.share)}};
  if (c.worst >= 0)
    json["worst"] = {{"index", indexText(shape, c.worst)},
                     {"got", finite(c.got)},
                     {"expected", finite(c.expected)},
                     {"bound", finite(c.bound)}};
  return json;
}

} // namespace tenon::tool
