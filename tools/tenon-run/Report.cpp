#include "tools/tenon-run/Report.h"

#include "lib/Runtime/ThreadPool.h"
#include "tools/tenon-run/SimulationArguments.h"
#include "tools/tenon-run/Values.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

using Json = nlohmann::ordered_json;

namespace tenon::tool {

static std::string number(double value, const char *format) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// With three significant digits, but no fewer than all before the point.
static std::string milliseconds(double value) {
  double decimals = value > 0 ? 2 - std::floor(std::log10(value)) : 0;
  return number(value, ("%." + std::to_string(std::clamp(static_cast<int>(decimals), 0, 9)) + "f").c_str());
}

static std::string described(const Tensor &tensor) {
  return std::string(dataTypeName(tensor.dtype)) + " " + shapeText(tensor.shape);
}

void reportTensors(const std::vector<Input> &inputs, const std::vector<Array> &outputs, Report &report) {
  std::vector<std::vector<std::string>> rows;
  report.json["inputs"] = Json::array();
  for (const Input &input : inputs) {
    rows.push_back({"input", input.name, described(input.tensor), input.origin});
    report.json["inputs"].push_back({{"name", input.name},
                                     {"dtype", dataTypeName(input.tensor.dtype)},
                                     {"shape", input.tensor.shape},
                                     {"from", input.origin}});
  }
  report.json["outputs"] = Json::array();
  for (const Array &output : outputs) {
    ReferenceTensor numbers = toNumbers(output.tensor.ref());
    double least = INFINITY, greatest = -INFINITY;
    int64_t nans = 0;
    for (int64_t i = 0; i < numbers.size(); ++i) {
      nans += std::isnan(numbers.at(i));
      least = std::fmin(least, numbers.at(i));
      greatest = std::fmax(greatest, numbers.at(i));
    }
    std::string range = numbers.size() ? number(least, "%.6g") + " to " + number(greatest, "%.6g") : "empty";
    rows.push_back(
        {"output", output.name, described(output.tensor), range + (nans ? ", " + std::to_string(nans) + " NaN" : "")});
    report.json["outputs"].push_back(
        {{"name", output.name}, {"dtype", dataTypeName(output.tensor.dtype)}, {"shape", output.tensor.shape}});
  }
  report.lines += tableText(rows);
}

void reportLaunches(const std::vector<SimulatedLaunch> &launches, Report &report) {
  std::vector<std::vector<std::string>> rows, counts;
  std::string findings;
  report.json["launches"] = Json::array();
  for (const SimulatedLaunch &launch : launches) {
    size_t count = launch.report.findings.size();
    report.ok &= launch.report.ok();
    rows.push_back({"sim", launch.kernel, number(launch.seconds, "%.2f s"),
                    count == 0 ? "no findings" : std::to_string(count) + (count == 1 ? " finding" : " findings")});
    Json json = {{"kernel", launch.kernel}, {"seconds", launch.seconds}, {"findings", Json::array()}};
    if (!launch.report.ok() && launch.report.seed != 0)
      rows.back().back() += " in the order of seed " + std::to_string(launch.report.seed);
    for (const sim::Finding &finding : launch.report.findings) {
      std::string text = std::string(sim::findingKindName(finding.kind)) + ": " + finding.text;
      findings += launch.kernel + ": " + text + "\n";
      json["findings"].push_back(text);
    }
    json["seed"] = launch.report.seed;
    for (const sim::AccessCount &count : launch.report.counts) {
      const sim::Site &site = launch.sites[count.site];
      json["counts"].push_back({{"op", site.op},
                                {"place", site.location},
                                {"shared", count.isShared},
                                {"accesses", count.accesses},
                                {"bytes", count.bytes},
                                {"sectors", count.sectors},
                                {"turns", count.turns},
                                {"conflicts", count.conflicts}});
    }
    for (std::vector<std::string> &row : countRows(launch.report.counts, launch.sites)) {
      row.insert(row.begin(), launch.kernel);
      counts.push_back(std::move(row));
    }
    report.json["launches"].push_back(json);
  }
  report.lines += tableText(rows) + tableText(counts) + findings;
}

void reportComparison(Report &report, const char *what, const std::string &name, const Comparison &comparison,
                      llvm::ArrayRef<int64_t> shape) {
  report.ok &= comparison.ok();
  report.line(std::string(what) + "  " + name + ": " + (comparison.ok() ? "ok, " : "WRONG, ") +
              comparisonText(comparison, shape));
  Json json = comparisonJson(comparison, shape);
  json["output"] = name;
  report.json[what].push_back(json);
}

void reportTimes(std::vector<double> times, Report &report) {
  std::sort(times.begin(), times.end());
  size_t middle = times.size() / 2;
  double median = times.size() % 2 ? times[middle] : (times[middle - 1] + times[middle]) / 2;
  int threads = ThreadPool::global().numThreads();
  report.line("time    " + std::to_string(times.size()) + " calls, ms: min " + milliseconds(times.front()) +
              ", median " + milliseconds(median) + ", max " + milliseconds(times.back()) + "; threads " +
              std::to_string(threads));
  report.json["time"] = {{"calls", times.size()},
                         {"min_ms", times.front()},
                         {"median_ms", median},
                         {"max_ms", times.back()},
                         {"threads", threads}};
}

} // namespace tenon::tool
