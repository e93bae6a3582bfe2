#include "tools/tenon-run/Inputs.h"

#include "tools/tenon-run/Values.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace tenon::tool {

//===--- random numbers ------------------------------------------------------------------------------------------===//

// The library's distributions differ between implementations; these do not.
static double uniform(std::mt19937_64 &random) { return (static_cast<double>(random() >> 11) + 0.5) * 0x1p-53; }
static double normal(std::mt19937_64 &random) {
  double radius = std::sqrt(-2 * std::log(uniform(random)));
  return radius * std::cos(6.283185307179586 * uniform(random));
}

Result<Tensor> randomTensor(DataType type, std::vector<int64_t> shape, const std::string &kind, uint64_t seed,
                            std::pair<int64_t, int64_t> range, double scale) {
  std::mt19937_64 random(seed);
  if (!bytesOfShape(type, shape))
    return invalidArgument("an input of the shape " + shapeText(shape) + " is too big: give smaller sizes (--dim)");
  ReferenceTensor numbers(elementType(type), shape);
  for (int64_t &value : numbers.integers)
    value = range.first + static_cast<int64_t>(random() % (static_cast<uint64_t>(range.second - range.first) + 1));
  for (double &value : numbers.floats) {
    if (kind == "normal")
      value = normal(random);
    else if (kind == "integers")
      value = std::array<double, 4>{-2, -1, 1, 2}[random() % 4];
    else if (kind == "positive")
      value = uniform(random);
    else
      value = std::ldexp(normal(random), static_cast<int>(random() % 29) - 14);
    value *= scale;
  }
  return toTensor(numbers, type);
}

static Result<Tensor> absolute(const Tensor &tensor) {
  ReferenceTensor numbers = toNumbers(tensor.ref());
  for (double &value : numbers.floats)
    value = std::fabs(value);
  return toTensor(numbers, tensor.dtype);
}

//===--- from files ----------------------------------------------------------------------------------------------===//

static std::string inputNames(const LaunchPlan &plan) {
  std::string names;
  for (int64_t input : plan.inputs)
    names += (names.empty() ? "" : ", ") + plan.values[input].name;
  return names.empty() ? "it takes none" : "its inputs are " + names;
}

namespace {
class InputMaker {
public:
  InputMaker(const LaunchPlan &plan, const InputOptions &options) : plan(plan), options(options) {
    inputs.resize(plan.inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i)
      inputs[i].name = value(i).name;
  }

  Status readFiles() {
    for (const std::string &given : options.files) {
      size_t equals = given.find('=');
      std::string path = equals == std::string::npos ? given : given.substr(equals + 1);
      TENON_TRY_ASSIGN(std::vector<Array> arrays, readArrays(path));
      if (equals != std::string::npos && arrays.size() != 1)
        return invalidArgument("--input " + given + ": the file has " + std::to_string(arrays.size()) +
                               " arrays, expected one; leave the name out and they go by their own");
      for (Array &array : arrays) {
        if (equals != std::string::npos)
          array.name = given.substr(0, equals);
        TENON_TRY_ASSIGN(size_t index, indexOf(array, path));
        TENON_TRY(put(index, std::move(array.tensor), path));
      }
    }
    return {};
  }

  Result<std::vector<Input>> fill(const InputLimits &limits) {
    Ranges ranges = options.ranges;
    ranges.insert(limits.ranges.begin(), limits.ranges.end());
    TENON_TRY_ASSIGN(Sizes sizes, completeSizes(plan, knownSizes()));
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!inputs[i].origin.empty())
        continue;
      std::vector<int64_t> shape;
      for (const Expr &size : value(i).shape) {
        TENON_TRY_ASSIGN(int64_t number, size.evaluate([&](std::string_view name) -> const int64_t * {
          auto found = sizes.find(std::string(name));
          return found == sizes.end() ? nullptr : &found->second;
        }));
        shape.push_back(number);
      }
      auto found = ranges.find(inputs[i].name);
      std::pair<int64_t, int64_t> range = found == ranges.end() ? std::pair<int64_t, int64_t>(0, 1) : found->second;
      uint64_t seed = static_cast<uint64_t>(options.seed) * 1000003 + i;
      TENON_TRY_ASSIGN(inputs[i].tensor, randomTensor(value(i).dtype, shape, options.random, seed, range));
      bool isAtLeastZero = limits.atLeastZero.count(inputs[i].name) != 0;
      if (isAtLeastZero) {
        TENON_TRY_ASSIGN(inputs[i].tensor, absolute(inputs[i].tensor));
      }
      bool isFloat = elementType(value(i).dtype).isIntOrIndex() == false;
      inputs[i].origin =
          "random " + (isFloat ? options.random : std::to_string(range.first) + " to " + std::to_string(range.second)) +
          (isAtLeastZero ? ", at least 0" : "") + ", seed " + std::to_string(options.seed);
    }
    return std::move(inputs);
  }

private:
  const PlanValue &value(size_t input) const { return plan.values[plan.inputs[input]]; }

  Result<size_t> indexOf(const Array &array, const std::string &path) const {
    for (size_t i = 0; i < inputs.size(); ++i)
      if (array.name.empty() ? inputs[i].origin.empty() : array.name == inputs[i].name)
        return i;
    if (array.name.empty())
      return invalidArgument("'" + path + "' is one array too many; " + inputNames(plan));
    return invalidArgument("'" + path + "': the model has no input '" + array.name + "'; " + inputNames(plan));
  }

  Status put(size_t index, Tensor tensor, const std::string &path) {
    Input &input = inputs[index];
    if (!input.origin.empty())
      return invalidArgument("input '" + input.name + "' is given twice, by '" + input.origin + "' and '" + path + "'");
    DataType wanted = value(index).dtype;
    if (tensor.dtype != wanted) {
      if (!options.cast)
        return invalidArgument("'" + path + "': input '" + input.name + "' is " +
                               std::string(dataTypeName(tensor.dtype)) + ", expected " +
                               std::string(dataTypeName(wanted)) + ": convert it, or let --cast do it");
      TENON_TRY_ASSIGN(tensor, toTensor(toNumbers(tensor.ref()), wanted));
    }
    input.tensor = std::move(tensor);
    input.origin = path;
    return {};
  }

  /// --dim, and what the arrays from files say; a contradiction is found when the model is called.
  Sizes knownSizes() const {
    Sizes sizes = options.dims;
    for (size_t i = 0; i < inputs.size(); ++i)
      if (!inputs[i].origin.empty())
        for (size_t axis = 0; axis < value(i).shape.size() && axis < inputs[i].tensor.shape.size(); ++axis)
          if (value(i).shape[axis].kind == Expr::Kind::Dim)
            sizes.try_emplace(value(i).shape[axis].dim, inputs[i].tensor.shape[axis]);
    return sizes;
  }

  const LaunchPlan &plan;
  const InputOptions &options;
  std::vector<Input> inputs;
};
} // namespace

Status checkNames(const LaunchPlan &plan, const InputOptions &options) {
  TENON_TRY(completeSizes(plan, options.dims).status());
  for (const auto &[name, bounds] : options.ranges)
    if (std::none_of(plan.inputs.begin(), plan.inputs.end(),
                     [&, &wanted = name](int64_t input) { return plan.values[input].name == wanted; }))
      return invalidArgument("--range: the model has no input '" + name + "'; " + inputNames(plan));
  return {};
}

Result<std::vector<Input>> makeInputs(const LaunchPlan &plan, const InputOptions &options, const InputLimits &limits) {
  InputMaker maker(plan, options);
  TENON_TRY(maker.readFiles());
  return maker.fill(limits);
}

} // namespace tenon::tool
