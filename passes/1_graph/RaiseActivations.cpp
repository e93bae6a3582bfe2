// Activations taken apart are four to eight pointwise ops, each rounding to the storage type. Exporters associate and
// order the factors in every way, so a product is matched as a set of factors, and what is under erf or tanh as a
// polynomial in x.
#include "dialects/Tenon/ConstantValues.h"
#include "passes/1_graph/Passes.h"
#include "passes/1_graph/RowForms.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"

#include <array>
#include <cmath>

namespace tenon {
#define GEN_PASS_DEF_RAISEACTIVATIONSPASS
#include "passes/1_graph/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static constexpr StringLiteral category = "tenon-raise-activations";

/// Whether a number is this constant, give or take two roundings to the element type, or to f32 on the way to f64.
static bool isNumber(double number, double constant, Type element) {
  int digits = std::min<int>(APFloat::semanticsPrecision(cast<FloatType>(element).getFloatSemantics()), 24);
  return std::fabs(number - constant) <= std::ldexp(std::fabs(constant), 2 - digits);
}

static ArrayRef<int64_t> shapeOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }

//===-- Polynomials
//---------------------------------------------------------------------------------------------------===//

using Polynomial = std::array<double, 4>; // coefficients of 1, x, x^2, x^3

static std::optional<Polynomial> multiply(const Polynomial &a, const Polynomial &b) {
  Polynomial product = {};
  for (size_t i = 0; i < a.size(); ++i)
    for (size_t j = 0; j < b.size(); ++j) {
      if (a[i] == 0 || b[j] == 0)
        continue;
      if (i + j >= product.size())
        return std::nullopt;
      product[i + j] += a[i] * b[j];
    }
  return product;
}

/// A value as a polynomial in x of degree 3 at most; `form` gets the ops. Casts between floats round and no more:
/// frameworks multiply 16 bits by a number in f32.
static std::optional<Polynomial> polynomialIn(Value x, Value value, FormOps &form) {
  if (value == x)
    return Polynomial{0, 1, 0, 0};
  if (std::optional<double> number = floatSplat(value))
    return Polynomial{*number, 0, 0, 0};
  Operation *op = value.getDefiningOp();
  if (!isa_and_nonnull<AddOp, SubOp, MulOp, DivOp, SquareOp, NegOp, PowOp, CastOp>(op) ||
      shapeOf(value) != shapeOf(x) || !isa<FloatType>(elementOf(value)) ||
      !isa<FloatType>(elementOf(op->getOperand(0))))
    return std::nullopt;
  std::optional<Polynomial> a = polynomialIn(x, op->getOperand(0), form), b, result;
  if (op->getNumOperands() == 2)
    b = polynomialIn(x, op->getOperand(1), form);
  if (!a || (op->getNumOperands() == 2 && !b))
    return std::nullopt;
  auto sum = [&](double sign) {
    Polynomial added = *a;
    for (size_t i = 0; i < added.size(); ++i)
      added[i] += sign * (*b)[i];
    return added;
  };
  bool bIsNumber = b && (*b)[1] == 0 && (*b)[2] == 0 && (*b)[3] == 0;
  if (isa<AddOp>(op))
    result = sum(1);
  else if (isa<SubOp>(op))
    result = sum(-1);
  else if (isa<NegOp>(op))
    result = multiply(*a, {-1, 0, 0, 0});
  else if (isa<CastOp>(op))
    result = a;
  else if (isa<MulOp>(op))
    result = multiply(*a, *b);
  else if (isa<SquareOp>(op))
    result = multiply(*a, *a);
  else if (isa<DivOp>(op) && bIsNumber)
    result = multiply(*a, {1 / (*b)[0], 0, 0, 0});
  else if (isa<PowOp>(op) && bIsNumber && ((*b)[0] == 2 || (*b)[0] == 3))
    result = (*b)[0] == 2 ? multiply(*a, *a) : multiply(*a, multiply(*a, *a).value_or(Polynomial{0, 0, 0, 1}));
  if (result)
    form.add(op);
  return result;
}

//===-- Products
//------------------------------------------------------------------------------------------------------===//

namespace {
/// A tree of products, divisions by a number and doublings as a number and factors.
struct Product {
  double number = 1;
  SmallVector<Value> factors;
};
} // namespace

static void factorise(Value value, Product &product, FormOps &form, Operation *root) {
  Operation *op = value.getDefiningOp();
  // A product that others read stays whole.
  bool opens = op && (op == root || op->hasOneUse());
  if (std::optional<double> number = floatSplat(value)) {
    product.number *= *number;
    return;
  }
  if (auto mul = dyn_cast_or_null<MulOp>(op); mul && opens) {
    form.add(op);
    factorise(mul.getLhs(), product, form, root);
    return factorise(mul.getRhs(), product, form, root);
  }
  auto div = dyn_cast_or_null<DivOp>(op);
  if (std::optional<double> divisor = div && opens ? floatSplat(div.getRhs()) : std::nullopt) {
    form.add(op);
    product.number /= *divisor;
    return factorise(div.getLhs(), product, form, root);
  }
  product.factors.push_back(value);
}

/// 1 + f(..): the op f; null for another value.
template <typename OpT>
static OpT onePlus(Value value, FormOps &form) {
  auto add = value.getDefiningOp<AddOp>();
  auto function = add && isSplat(add.getRhs(), 1) ? add.getLhs().getDefiningOp<OpT>() : OpT();
  if (function) {
    form.add(add);
    form.add(function);
  }
  return function;
}

/// x/2 * (1 + erf(x / sqrt(2))), or with tanh(sqrt(2/pi) (x + 0.044715 x^3)).
static std::optional<GeluApproximation> matchGelu(const Product &product, Value x, Value other, FormOps &form) {
  Type element = elementOf(x);
  if (!isNumber(product.number, 0.5, element))
    return std::nullopt;
  if (auto erf = onePlus<ErfOp>(other, form)) {
    std::optional<Polynomial> inner = polynomialIn(x, erf.getInput(), form);
    bool matches =
        inner && (*inner)[0] == 0 && (*inner)[2] == 0 && (*inner)[3] == 0 && isNumber((*inner)[1], M_SQRT1_2, element);
    return matches ? std::optional(GeluApproximation::Erf) : std::nullopt;
  }
  if (auto tanh = onePlus<TanhOp>(other, form)) {
    std::optional<Polynomial> inner = polynomialIn(x, tanh.getInput(), form);
    double factor = M_2_SQRTPI * M_SQRT1_2; // sqrt(2 / pi)
    bool matches = inner && (*inner)[0] == 0 && (*inner)[2] == 0 && isNumber((*inner)[1], factor, element) &&
                   isNumber((*inner)[3], 0.044715 * factor, element);
    return matches ? std::optional(GeluApproximation::Tanh) : std::nullopt;
  }
  return std::nullopt;
}

/// 1 / (1 + exp(-x)): x; null for another value.
static Value sigmoidOf(Value value, FormOps &form) {
  Operation *op = value.getDefiningOp();
  if (auto sigmoid = dyn_cast_or_null<SigmoidOp>(op)) {
    form.add(op);
    return sigmoid.getInput();
  }
  Value divisor;
  if (auto reciprocal = dyn_cast_or_null<ReciprocalOp>(op))
    divisor = reciprocal.getInput();
  else if (auto div = dyn_cast_or_null<DivOp>(op); div && isSplat(div.getLhs(), 1))
    divisor = div.getRhs();
  auto exp = divisor ? onePlus<ExpOp>(divisor, form) : ExpOp();
  auto neg = exp ? exp.getInput().getDefiningOp<NegOp>() : NegOp();
  if (!neg)
    return {};
  form.add(op);
  form.add(neg);
  return neg.getInput();
}

static LogicalResult replaceIfPrivate(RewriterBase &rewriter, Operation *op, FormOps &form, StringRef name,
                                      function_ref<Operation *()> make) {
  if (!form.areReadInsideOnly(op)) {
    remark::missed(op->getLoc(), remark::RemarkOpts::name("activation").category(category))
        << ("no " + name + ": others read what is inside").str();
    return failure();
  }
  rewriter.setInsertionPoint(op);
  rewriter.replaceOp(op, make());
  form.eraseDead(rewriter, op);
  return success();
}

/// gelu, silu and quick_gelu, as products with x.
static LogicalResult raiseProduct(RewriterBase &rewriter, MulOp op) {
  Product product;
  FormOps factors;
  factorise(op.getResult(), product, factors, op);
  if (product.factors.size() != 2)
    return failure();
  for (auto [x, other] :
       {std::pair(product.factors[0], product.factors[1]), std::pair(product.factors[1], product.factors[0])}) {
    Value input = x; // captured below
    if (x.getType() != op.getType() || other.getType() != op.getType())
      continue;
    FormOps form = factors;
    if (std::optional<GeluApproximation> gelu = matchGelu(product, x, other, form))
      return replaceIfPrivate(rewriter, op, form, "gelu", [&]() -> Operation * {
        return GeluOp::create(rewriter, op.getLoc(), op.getType(), input, *gelu);
      });
    form = factors;
    Value inner = sigmoidOf(other, form);
    if (!inner || product.number != 1)
      continue;
    if (inner == x)
      return replaceIfPrivate(rewriter, op, form, "silu", [&]() -> Operation * {
        return SiluOp::create(rewriter, op.getLoc(), op.getType(), input);
      });
    std::optional<Polynomial> scaled = polynomialIn(x, inner, form);
    if (scaled && (*scaled)[0] == 0 && (*scaled)[2] == 0 && (*scaled)[3] == 0 &&
        isNumber((*scaled)[1], 1.702, elementOf(x)))
      return replaceIfPrivate(rewriter, op, form, "quick_gelu", [&]() -> Operation * {
        return QuickGeluOp::create(rewriter, op.getLoc(), op.getType(), input);
      });
  }
  return failure();
}

/// x / (1 + exp(-x)) -> silu(x); 1 / (1 + exp(-x)) -> sigmoid(x).
static LogicalResult raiseQuotient(RewriterBase &rewriter, Operation *op) {
  FormOps form;
  if (Value x = isa<SigmoidOp>(op) ? Value() : sigmoidOf(op->getResult(0), form);
      x && x.getType() == op->getResult(0).getType())
    return replaceIfPrivate(rewriter, op, form, "sigmoid",
                            [&]() -> Operation * { return SigmoidOp::create(rewriter, op->getLoc(), x.getType(), x); });
  auto div = dyn_cast<DivOp>(op);
  auto exp = div ? onePlus<ExpOp>(div.getRhs(), form) : ExpOp();
  auto neg = exp ? exp.getInput().getDefiningOp<NegOp>() : NegOp();
  if (!neg || neg.getInput() != div.getLhs() || neg.getInput().getType() != div.getType())
    return failure();
  form.add(neg);
  return replaceIfPrivate(rewriter, op, form, "silu", [&]() -> Operation * {
    return SiluOp::create(rewriter, op->getLoc(), div.getType(), div.getLhs());
  });
}

/// silu(gate) * up -> swiglu(gate, up); gelu(gate) * up -> geglu(gate, up). Between casts from 16 bits and back the
/// activation rounds once more than the gated op does.
static LogicalResult raiseGated(RewriterBase &rewriter, MulOp op) {
  for (auto [activated, up] : {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())}) {
    auto rounded = activated.getDefiningOp<CastOp>();
    Operation *activation = (rounded ? rounded.getInput() : activated).getDefiningOp();
    if (!isa_and_nonnull<SiluOp, GeluOp>(activation) || activated.getType() != op.getType() ||
        up.getType() != op.getType())
      continue;
    Value gate = activation->getOperand(0);
    if (rounded) {
      auto widened = gate.getDefiningOp<CastOp>();
      gate = widened && widened.getInput().getType() == op.getType() ? widened.getInput() : Value();
    }
    if (!gate)
      continue;
    if (!activation->hasOneUse() || !activated.hasOneUse()) {
      remark::missed(op.getLoc(), remark::RemarkOpts::name("activation").category(category))
          << "no gated activation: others read the gate";
      continue;
    }
    rewriter.setInsertionPoint(op);
    Location location = rewriter.getFusedLoc({activation->getLoc(), op.getLoc()});
    if (auto gelu = dyn_cast<GeluOp>(activation))
      rewriter.replaceOp(op, GegluOp::create(rewriter, location, op.getType(), gate, up, gelu.getApproximation()));
    else
      rewriter.replaceOp(op, SwigluOp::create(rewriter, location, op.getType(), gate, up));
    if (rounded)
      rewriter.eraseOp(rounded);
    rewriter.eraseOp(activation);
    return success();
  }
  return failure();
}

namespace {
struct RaiseActivations : tenon::impl::RaiseActivationsPassBase<RaiseActivations> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation().walk([&](Operation *op) {
      if (auto mul = dyn_cast<MulOp>(op); mul && isa<FloatType>(elementOf(mul.getResult())))
        (void)raiseProduct(rewriter, mul);
      else if (isa<DivOp, ReciprocalOp>(op))
        (void)raiseQuotient(rewriter, op);
    });
    getOperation().walk([&](MulOp op) {
      if (isa<FloatType>(elementOf(op.getResult())))
        (void)raiseGated(rewriter, op);
    });
  }
};
} // namespace
