// Expressions over dimensions, and the rules that make a launch plan safe to run without further checks.
#include "lib/Runtime/LaunchPlan.h"

#include <set>

namespace tenon {

//===--- expressions ---------------------------------------------------------------------------------------------===//

Expr Expr::constant(int64_t value) {
  Expr e;
  e.value = value;
  return e;
}

Expr Expr::dimension(std::string name) {
  Expr e;
  e.kind = Kind::Dim;
  e.dim = std::move(name);
  return e;
}

static const char *operatorName(Expr::Kind kind) {
  switch (kind) {
  case Expr::Kind::Add:
    return "+";
  case Expr::Kind::Mul:
    return "*";
  case Expr::Kind::CeilDiv:
    return "ceildiv";
  case Expr::Kind::FloorDiv:
    return "floordiv";
  case Expr::Kind::Mod:
    return "mod";
  case Expr::Kind::Max:
    return "max";
  case Expr::Kind::Min:
    return "min";
  case Expr::Kind::Constant:
  case Expr::Kind::Dim:
    break;
  }
  return "";
}

// Division rounds as affine maps do: towards minus infinity (floordiv), towards plus infinity (ceildiv).
static Result<int64_t> apply(Expr::Kind kind, int64_t a, int64_t b) {
  int64_t out = 0;
  switch (kind) {
  case Expr::Kind::Add:
    if (__builtin_add_overflow(a, b, &out))
      return invalidArgument("size expression overflows 64 bits");
    return out;
  case Expr::Kind::Mul:
    if (__builtin_mul_overflow(a, b, &out))
      return invalidArgument("size expression overflows 64 bits");
    return out;
  case Expr::Kind::CeilDiv:
  case Expr::Kind::FloorDiv:
  case Expr::Kind::Mod: {
    if (b < 1)
      return invalidArgument(std::string("size expression has ") + operatorName(kind) + " by " + std::to_string(b) +
                             ", expected a positive divisor");
    int64_t quotient = a / b, remainder = a % b;
    int64_t floor = quotient - (remainder < 0);
    if (kind == Expr::Kind::FloorDiv)
      return floor;
    if (kind == Expr::Kind::CeilDiv)
      return quotient + (remainder > 0);
    return remainder < 0 ? remainder + b : remainder;
  }
  case Expr::Kind::Max:
    return a > b ? a : b;
  case Expr::Kind::Min:
    return a < b ? a : b;
  case Expr::Kind::Constant:
  case Expr::Kind::Dim:
    break;
  }
  return internalError("not an operator");
}

Expr Expr::binary(Kind kind, Expr lhs, Expr rhs) {
  if (lhs.isConstant() && rhs.isConstant())
    if (Result<int64_t> folded = apply(kind, lhs.value, rhs.value); folded.ok())
      return constant(*folded);
  if (kind == Kind::Mul && lhs == constant(1))
    return rhs;
  if (kind == Kind::Mul && rhs == constant(1))
    return lhs;
  if (kind == Kind::Add && lhs == constant(0))
    return rhs;
  if (kind == Kind::Add && rhs == constant(0))
    return lhs;
  if ((kind == Kind::CeilDiv || kind == Kind::FloorDiv) && rhs == constant(1))
    return lhs;
  Expr e;
  e.kind = kind;
  e.operands = {std::move(lhs), std::move(rhs)};
  return e;
}

std::string Expr::str() const {
  if (kind == Kind::Constant)
    return std::to_string(value);
  if (kind == Kind::Dim)
    return dim;
  std::string text = "(";
  for (size_t i = 0; i < operands.size(); ++i)
    text += (i ? std::string(" ") + operatorName(kind) + " " : "") + operands[i].str();
  return text + ")";
}

Result<int64_t> Expr::evaluate(const std::function<const int64_t *(std::string_view)> &dims) const {
  if (kind == Kind::Constant)
    return value;
  if (kind == Kind::Dim) {
    const int64_t *size = dims(dim);
    if (!size)
      return invalidArgument("size expression names the unknown dimension '" + dim + "'");
    return *size;
  }
  if (operands.empty())
    return internalError("size expression without operands");
  TENON_TRY_ASSIGN(int64_t result, operands[0].evaluate(dims));
  for (size_t i = 1; i < operands.size(); ++i) {
    TENON_TRY_ASSIGN(int64_t next, operands[i].evaluate(dims));
    TENON_TRY_ASSIGN(result, apply(kind, result, next));
  }
  return result;
}

// "d12" -> 12, or -1. At most three digits: no kernel has more dimensions.
static int64_t kernelDimIndex(std::string_view name) {
  if (name.size() < 2 || name.size() > 4 || name[0] != 'd')
    return -1;
  int64_t index = 0;
  for (char c : name.substr(1)) {
    if (c < '0' || c > '9')
      return -1;
    index = index * 10 + (c - '0');
  }
  return index;
}

Result<int64_t> Expr::evaluate(const std::vector<int64_t> &kernelDims) const {
  return evaluate([&](std::string_view name) -> const int64_t * {
    int64_t index = kernelDimIndex(name);
    return index >= 0 && index < static_cast<int64_t>(kernelDims.size()) ? &kernelDims[index] : nullptr;
  });
}

Expr Expr::substitute(const std::function<const Expr *(std::string_view)> &dims) const {
  if (kind == Kind::Constant)
    return *this;
  if (kind == Kind::Dim) {
    const Expr *replaced = dims(dim);
    return replaced ? *replaced : *this;
  }
  if (operands.size() == 2)
    return binary(kind, operands[0].substitute(dims), operands[1].substitute(dims));
  Expr result = *this;
  for (Expr &operand : result.operands)
    operand = operand.substitute(dims);
  return result;
}

Expr Expr::substitute(const std::vector<Expr> &kernelDims) const {
  return substitute([&](std::string_view name) -> const Expr * {
    int64_t index = kernelDimIndex(name);
    return index >= 0 && index < static_cast<int64_t>(kernelDims.size()) ? &kernelDims[index] : nullptr;
  });
}

bool Expr::operator==(const Expr &other) const {
  return kind == other.kind && value == other.value && dim == other.dim && operands == other.operands;
}

std::string_view valueKindName(ValueKind kind) {
  static constexpr std::string_view names[] = {"input", "output",     "weight", "constant",
                                               "temp",  "persistent", "view",   "size"};
  return names[static_cast<int>(kind)];
}

std::string_view relationName(PlanCondition::Relation relation) {
  static constexpr std::string_view names[] = {"equal", "at_most", "needs"};
  return names[static_cast<int>(relation)];
}

//===--- values ---------------------------------------------------------------------------------------------------===//

int64_t viewedValue(const LaunchPlan &plan, int64_t id) {
  while (plan.values[id].kind == ValueKind::View)
    id = plan.values[id].source;
  return id;
}

std::vector<Update> updatesOf(const LaunchPlan &plan, const PlanLaunch &launch,
                              const std::function<int64_t(int64_t id)> &bytes) {
  std::vector<Update> updates;
  const std::vector<int64_t> &operands = plan.kernels.at(launch.kernel).updates;
  for (size_t result = 0; result < operands.size(); ++result)
    if (operands[result] >= 0) {
      int64_t from = launch.operands[static_cast<size_t>(operands[result])], to = launch.results[result];
      updates.push_back({from, to, bytes(to)});
    }
  return updates;
}

int64_t inputUnder(const LaunchPlan &plan, int64_t output) {
  int64_t input = -1;
  for (const PlanLaunch &launch : plan.launches) {
    int64_t readAs = -1; // operands that are only updated are not read
    const std::vector<int64_t> &updates = plan.kernels.at(launch.kernel).updates;
    for (size_t result = 0; result < launch.results.size() && !updates.empty(); ++result)
      if (launch.results[result] == output && updates[result] >= 0)
        readAs = updates[result];
    if (readAs >= 0)
      input = launch.operands[static_cast<size_t>(readAs)];
    for (size_t operand = 0; operand < launch.operands.size() && input >= 0; ++operand)
      if (viewedValue(plan, launch.operands[operand]) == input && static_cast<int64_t>(operand) != readAs)
        return -1;
  }
  if (input < 0 || plan.values[input].kind != ValueKind::Input)
    return -1;
  for (int64_t id : plan.outputs) {
    int64_t source = plan.values[id].source;
    if (source >= 0 && viewedValue(plan, source) == input) // copied at the end
      return -1;
  }
  return input;
}

//===--- rules of a plan -----------------------------------------------------------------------------------------===//

namespace {
class Validator {
public:
  explicit Validator(const LaunchPlan &plan) : plan(plan), defined(plan.values.size(), false) {}

  Status run() {
    for (const PlanDim &dim : plan.dims) {
      if (dim.name.empty() || !dimNames.insert(dim.name).second)
        return corrupt("launch plan: dimension '" + dim.name + "' is empty or given twice");
      if (dim.lo < 0 || dim.hi < dim.lo)
        return corrupt("launch plan: dimension '" + dim.name + "' has the bounds [" + std::to_string(dim.lo) + ", " +
                       std::to_string(dim.hi) + "]");
    }
    for (const PlanCondition &condition : plan.conditions)
      for (const Expr &size : {condition.a, condition.b})
        if (!knownDims(size))
          return corrupt("launch plan: a condition of " + condition.source +
                         " names an unknown dimension: " + size.str());
    for (size_t i = 0; i < plan.values.size(); ++i)
      TENON_TRY(checkValue(plan.values[i], static_cast<int64_t>(i)));
    TENON_TRY(checkSignature(plan.inputs, ValueKind::Input, "inputs"));
    TENON_TRY(checkSignature(plan.outputs, ValueKind::Output, "outputs"));
    for (const auto &[name, kernel] : plan.kernels)
      if (kernel.symbol.empty())
        return corrupt("launch plan: kernel '" + name + "' has no symbol");
      else if (!kernel.updates.empty() && plan.format < LaunchPlan::updatesFormat)
        return corrupt("launch plan: kernel '" + name + "' updates operands, which format " +
                       std::to_string(plan.format) + " cannot say");
    TENON_TRY(validateCudaKernels(plan));
    for (const PlanLaunch &launch : plan.init)
      TENON_TRY(checkLaunch(launch, true));
    for (const PlanLaunch &launch : plan.launches)
      TENON_TRY(checkLaunch(launch, false));
    for (const PlanValue &value : plan.values) {
      if (value.kind == ValueKind::Output && !isDefined(value.source >= 0 ? value.source : value.id))
        return corrupt("launch plan: output '" + value.name + "' is never written");
      if (value.over != -1 && (value.kind != ValueKind::Output || inputUnder(plan, value.id) != value.over))
        return fail(value, "is said to be over value " + std::to_string(value.over) +
                               ", which is no input that it updates and nothing reads after it");
    }
    return {};
  }

private:
  Status fail(const PlanValue &value, const std::string &what) {
    return corrupt("launch plan: value " + std::to_string(value.id) + " (" + std::string(valueKindName(value.kind)) +
                   "): " + what);
  }

  bool knownDims(const Expr &expr) {
    if (expr.kind == Expr::Kind::Dim)
      return dimNames.count(expr.dim) != 0;
    for (const Expr &operand : expr.operands)
      if (!knownDims(operand))
        return false;
    return true;
  }

  Status checkValue(const PlanValue &value, int64_t position) {
    if (value.id != position)
      return fail(value, "stands at position " + std::to_string(position));
    if (value.shape.size() > 32)
      return fail(value, "rank " + std::to_string(value.shape.size()) + " is over 32");
    bool fixed = true;
    for (const Expr &size : value.shape) {
      if (!knownDims(size))
        return fail(value, "its shape names an unknown dimension: " + size.str());
      if (size.isConstant() && size.value < 0)
        return fail(value, "negative size " + size.str());
      fixed &= size.isConstant();
    }
    switch (value.kind) {
    case ValueKind::Weight:
    case ValueKind::Constant:
    case ValueKind::Persistent:
      if (!fixed)
        return fail(value, "must have a static shape");
      if (value.kind == ValueKind::Constant && (value.offset < 0 || value.offset % 64 != 0))
        return fail(value, "offset " + std::to_string(value.offset) + " is not a multiple of 64");
      break;
    case ValueKind::View:
      if (value.source < 0 || value.source >= position)
        return fail(value, "views value " + std::to_string(value.source) + ", expected an earlier one");
      break;
    case ValueKind::Output:
      if (value.source < -1 || value.source >= static_cast<int64_t>(plan.values.size()))
        return fail(value, "copies the unknown value " + std::to_string(value.source));
      if (value.source >= 0 && plan.values[value.source].kind == ValueKind::Output &&
          plan.values[value.source].source >= 0)
        return fail(value, "copies an output that is a copy itself");
      break;
    case ValueKind::Size:
      if (value.dtype != DataType::I64 || !value.shape.empty() || !knownDims(value.size))
        return fail(value, "must be a rank-0 i64 over known dimensions");
      break;
    case ValueKind::Input:
    case ValueKind::Temp:
      break;
    }
    return {};
  }

  Status checkSignature(const std::vector<int64_t> &ids, ValueKind kind, const std::string &what) {
    std::set<int64_t> seen;
    size_t expected = 0;
    for (const PlanValue &value : plan.values)
      expected += value.kind == kind;
    for (int64_t id : ids)
      if (id < 0 || id >= static_cast<int64_t>(plan.values.size()) || plan.values[id].kind != kind ||
          !seen.insert(id).second)
        return corrupt("launch plan: " + what + " lists value " + std::to_string(id) +
                       ", which is none or given twice");
    if (ids.size() != expected)
      return corrupt("launch plan: " + what + " lists " + std::to_string(ids.size()) + " values of " +
                     std::to_string(expected));
    return {};
  }

  // Follows views; at load (init) only what is static is there.
  bool isDefined(int64_t id, bool atLoad = false) {
    const PlanValue *value = &plan.values[id];
    while (value->kind == ValueKind::View)
      value = &plan.values[value->source];
    switch (value->kind) {
    case ValueKind::Weight:
    case ValueKind::Constant:
      return true;
    case ValueKind::Input:
    case ValueKind::Size:
      return !atLoad;
    default:
      return defined[value->id] && (!atLoad || value->kind == ValueKind::Persistent);
    }
  }

  Status checkLaunch(const PlanLaunch &launch, bool atLoad) {
    std::string where = "launch plan: launch of '" + launch.kernel + "': ";
    auto kernel = plan.kernels.find(launch.kernel);
    if (kernel == plan.kernels.end())
      return corrupt(where + "there is no such kernel");
    const std::vector<int64_t> &updates = kernel->second.updates;
    if (!updates.empty() && updates.size() != launch.results.size())
      return corrupt(where + "says of " + std::to_string(updates.size()) + " results what they update");
    for (int64_t operand : updates)
      if (operand < -1 || operand >= static_cast<int64_t>(launch.operands.size()))
        return corrupt(where + "a result updates operand " + std::to_string(operand) + ", which there is not");
    for (const Expr &dim : launch.dims)
      if (!knownDims(dim) || (atLoad && !dim.isConstant()))
        return corrupt(where + "dimension " + dim.str() + " is not known there");
    for (int64_t id : launch.operands) {
      if (id < 0 || id >= static_cast<int64_t>(plan.values.size()))
        return corrupt(where + "operand " + std::to_string(id) + " does not exist");
      if (!isDefined(id, atLoad))
        return corrupt(where + "operand " + std::to_string(id) + " is used before it is written");
    }
    for (int64_t id : launch.results) {
      if (id < 0 || id >= static_cast<int64_t>(plan.values.size()))
        return corrupt(where + "result " + std::to_string(id) + " does not exist");
      const PlanValue &value = plan.values[id];
      bool writable = atLoad ? value.kind == ValueKind::Persistent
                             : value.kind == ValueKind::Temp || (value.kind == ValueKind::Output && value.source < 0);
      if (!writable || defined[id])
        return corrupt(where + "result " + std::to_string(id) + " is a " + std::string(valueKindName(value.kind)) +
                       (defined[id] ? " already written" : ", which a launch here must not write"));
      defined[id] = true;
    }
    return {};
  }

  const LaunchPlan &plan;
  std::set<std::string> dimNames;
  std::vector<bool> defined;
};
} // namespace

Status validateLaunchPlan(const LaunchPlan &plan) { return Validator(plan).run(); }

} // namespace tenon
