#include "lib/Reference/TileScalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;

namespace tenon {
namespace {
using X = llvm::ArrayRef<TileScalar>;

TileScalar real(double value) { return {value, 0}; }
TileScalar whole(int64_t value) { return {0, value}; }

bool compareReal(arith::CmpFPredicate predicate, double l, double r) {
  using P = arith::CmpFPredicate;
  bool isUnordered = std::isnan(l) || std::isnan(r);
  switch (predicate) {
  case P::AlwaysFalse:
    return false;
  case P::OEQ:
    return l == r;
  case P::OGT:
    return l > r;
  case P::OGE:
    return l >= r;
  case P::OLT:
    return l < r;
  case P::OLE:
    return l <= r;
  case P::ONE:
    return !isUnordered && l != r;
  case P::ORD:
    return !isUnordered;
  case P::UEQ:
    return isUnordered || l == r;
  case P::UGT:
    return isUnordered || l > r;
  case P::UGE:
    return isUnordered || l >= r;
  case P::ULT:
    return isUnordered || l < r;
  case P::ULE:
    return isUnordered || l <= r;
  case P::UNE:
    return isUnordered || l != r;
  case P::UNO:
    return isUnordered;
  case P::AlwaysTrue:
    return true;
  }
  llvm_unreachable("a predicate");
}

bool compareWhole(arith::CmpIPredicate predicate, int64_t l, int64_t r) {
  using P = arith::CmpIPredicate;
  uint64_t ul = l, ur = r;
  switch (predicate) {
  case P::eq:
    return l == r;
  case P::ne:
    return l != r;
  case P::slt:
    return l < r;
  case P::sle:
    return l <= r;
  case P::sgt:
    return l > r;
  case P::sge:
    return l >= r;
  case P::ult:
    return ul < ur;
  case P::ule:
    return ul <= ur;
  case P::ugt:
    return ul > ur;
  case P::uge:
    return ul >= ur;
  }
  llvm_unreachable("a predicate");
}

/// NaN if either is; +0 is greater than -0.
double extreme(double l, double r, bool wantMax) {
  if (std::isnan(l) || std::isnan(r))
    return std::nan("");
  if (l == 0 && r == 0)
    return std::signbit(l) == wantMax ? r : l;
  return (l > r) == wantMax ? l : r;
}

/// Floor of the quotient; 0 where the divisor is 0, which the machine would trap on.
int64_t floorDiv(int64_t l, int64_t r) {
  if (r == 0)
    return 0;
  int64_t quotient = l / r;
  return l % r != 0 && (l < 0) != (r < 0) ? quotient - 1 : quotient;
}
} // namespace

std::optional<TileScalar> evaluateScalar(Operation *op, X x) {
  using Result = std::optional<TileScalar>;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](arith::AddFOp) { return real(x[0].real + x[1].real); })
      .Case([&](arith::SubFOp) { return real(x[0].real - x[1].real); })
      .Case([&](arith::MulFOp) { return real(x[0].real * x[1].real); })
      .Case([&](arith::DivFOp) { return real(x[0].real / x[1].real); })
      .Case([&](arith::RemFOp) { return real(std::fmod(x[0].real, x[1].real)); })
      .Case([&](arith::NegFOp) { return real(-x[0].real); })
      .Case([&](arith::MaximumFOp) { return real(extreme(x[0].real, x[1].real, true)); })
      .Case([&](arith::MinimumFOp) { return real(extreme(x[0].real, x[1].real, false)); })
      .Case<arith::ExtFOp, arith::TruncFOp>([&](auto) { return real(x[0].real); })
      .Case([&](arith::SIToFPOp) { return real(static_cast<double>(x[0].integer)); })
      .Case([&](arith::UIToFPOp) { return real(static_cast<double>(static_cast<uint64_t>(x[0].integer))); })
      .Case([&](arith::FPToSIOp) { return whole(static_cast<int64_t>(x[0].real)); })
      .Case([&](arith::CmpFOp compare) { return whole(compareReal(compare.getPredicate(), x[0].real, x[1].real)); })
      .Case([&](arith::CmpIOp compare) {
        return whole(compareWhole(compare.getPredicate(), x[0].integer, x[1].integer));
      })
      .Case([&](arith::SelectOp) { return x[0].integer ? x[1] : x[2]; })
      .Case([&](arith::AddIOp) { return whole(x[0].integer + x[1].integer); })
      .Case([&](arith::SubIOp) { return whole(x[0].integer - x[1].integer); })
      .Case([&](arith::MulIOp) { return whole(x[0].integer * x[1].integer); })
      .Case([&](arith::DivSIOp) { return whole(x[1].integer ? x[0].integer / x[1].integer : 0); })
      .Case([&](arith::FloorDivSIOp) { return whole(floorDiv(x[0].integer, x[1].integer)); })
      .Case<arith::CeilDivSIOp, arith::CeilDivUIOp>([&](auto) { return whole(-floorDiv(-x[0].integer, x[1].integer)); })
      .Case([&](arith::DivUIOp) { return whole(x[1].integer ? x[0].integer / x[1].integer : 0); })
      .Case<arith::RemUIOp, arith::RemSIOp>([&](auto) { return whole(x[1].integer ? x[0].integer % x[1].integer : 0); })
      .Case<arith::MaxSIOp, arith::MaxUIOp>([&](auto) { return whole(std::max(x[0].integer, x[1].integer)); })
      .Case<arith::MinSIOp, arith::MinUIOp>([&](auto) { return whole(std::min(x[0].integer, x[1].integer)); })
      .Case([&](arith::AndIOp) { return whole(x[0].integer & x[1].integer); })
      .Case([&](arith::OrIOp) { return whole(x[0].integer | x[1].integer); })
      .Case([&](arith::XOrIOp) { return whole(x[0].integer ^ x[1].integer); })
      .Case<arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp, arith::IndexCastOp>(
          [&](auto) { return whole(x[0].integer); })
      .Case([&](math::ExpOp) { return real(std::exp(x[0].real)); })
      .Case([&](math::Exp2Op) { return real(std::exp2(x[0].real)); })
      .Case([&](math::ExpM1Op) { return real(std::expm1(x[0].real)); })
      .Case([&](math::LogOp) { return real(std::log(x[0].real)); })
      .Case([&](math::Log2Op) { return real(std::log2(x[0].real)); })
      .Case([&](math::Log1pOp) { return real(std::log1p(x[0].real)); })
      .Case([&](math::SqrtOp) { return real(std::sqrt(x[0].real)); })
      .Case([&](math::RsqrtOp) { return real(1 / std::sqrt(x[0].real)); })
      .Case([&](math::TanhOp) { return real(std::tanh(x[0].real)); })
      .Case([&](math::ErfOp) { return real(std::erf(x[0].real)); })
      .Case([&](math::ErfcOp) { return real(std::erfc(x[0].real)); })
      .Case([&](math::SinOp) { return real(std::sin(x[0].real)); })
      .Case([&](math::CosOp) { return real(std::cos(x[0].real)); })
      .Case([&](math::AbsFOp) { return real(std::fabs(x[0].real)); })
      .Case([&](math::FloorOp) { return real(std::floor(x[0].real)); })
      .Case([&](math::CeilOp) { return real(std::ceil(x[0].real)); })
      .Case([&](math::RoundEvenOp) { return real(std::nearbyint(x[0].real)); })
      .Case([&](math::PowFOp) { return real(std::pow(x[0].real, x[1].real)); })
      .Case([&](math::FmaOp) { return real(std::fma(x[0].real, x[1].real, x[2].real)); })
      .Default([](Operation *) { return Result(); });
}

} // namespace tenon
