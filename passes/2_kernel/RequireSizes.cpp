// Types say which sizes are equal only where these are static. Of the others an op believes what its rule asks: that
// two
// `?` of an addition are one size, that a cache has room for what is appended, that a table which is indexed has a row.
// A call with other sizes would read and write out of bounds. Here, while every op still knows its rule, what it asks
// becomes conditions over the named dimensions; the host checks them before anything runs. What follows from names and
// bounds is left out, and in a model whose front end named its sizes well nothing is left.
#include "dialects/Tenon/Tenon.h"
#include "lib/Analysis/SymbolicSizes.h"
#include "passes/2_kernel/Passes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Remarks.h"

namespace tenon {
#define GEN_PASS_DEF_REQUIRESIZESPASS
#include "passes/2_kernel/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

/// The conditions of `op` over the names. The values made on the way are erased again.
static SmallVector<SizeCondition> conditionsOf(ShapeRuleOpInterface op, const SymbolicSizes &sizes) {
  ShapeRule rule(op.getContext(), op->getName().getStringRef(), op, std::nullopt);
  if (failed(op.applyRule(rule)))
    return {};
  SmallVector<AffineExpr> asked;
  for (const SizeCondition &condition : rule.conditions())
    asked.append({condition.a, condition.b});
  OpBuilder builder(op);
  Operation *before = op->getPrevNode();
  SmallVector<OpFoldResult> values = rule.reify(builder, op.getLoc(), asked);
  SmallVector<SizeCondition> conditions;
  for (auto [index, condition] : llvm::enumerate(rule.conditions()))
    conditions.push_back({condition.relation, sizes.resolve(values[2 * index]), sizes.resolve(values[2 * index + 1])});
  while (op->getPrevNode() != before)
    op->getPrevNode()->erase();
  return conditions;
}

/// Whether the condition holds whatever the named dimensions are within their bounds.
static bool isSure(const SizeCondition &condition, const DimNames &dims) {
  auto simplified = [&](AffineExpr expr) { return simplifyAffineExpr(expr, 0, dims.names.size()); };
  switch (condition.relation) {
  case SizeRelation::Equal:
    return areEqual(simplified(condition.a), simplified(condition.b));
  case SizeRelation::AtMost:
    return dims.range(simplified(condition.b - condition.a)).first >= 0;
  case SizeRelation::Needs:
    return dims.range(condition.b).first > 0 || dims.range(condition.a) == std::pair<int64_t, int64_t>(0, 0);
  }
}

static std::string sourceOf(Operation *op) {
  std::string source = op->getName().getStringRef().str();
  if (auto file = op->getLoc()->findInstanceOf<FileLineColLoc>())
    source += " at " + file.getFilename().str() + ":" + std::to_string(file.getLine());
  return source;
}

static void requireSizes(func::FuncOp main) {
  std::string reason;
  std::optional<SymbolicSizes> sizes = SymbolicSizes::find(main, reason);
  if (!sizes) {
    remark::missed(main.getLoc(), remark::RemarkOpts::name("sizes").category("tenon-require-sizes"))
        << ("sizes of @" + main.getName() + " are not known: " + reason).str();
    return;
  }
  MLIRContext *context = main.getContext();
  llvm::DenseSet<std::pair<SizeRelation, AffineMap>> seen; // equal ones are of the first op that asks
  SmallVector<Attribute> attributes;
  for (Operation &op : llvm::make_early_inc_range(main.getBody().front().without_terminator())) {
    auto ruled = dyn_cast<ShapeRuleOpInterface>(op);
    if (!ruled)
      continue;
    for (const SizeCondition &condition : conditionsOf(ruled, *sizes)) {
      if (!condition.a || !condition.b || isSure(condition, sizes->dims()))
        continue;
      auto map = AffineMap::get(0, sizes->dims().names.size(), {condition.a, condition.b}, context);
      if (seen.insert({condition.relation, map}).second)
        attributes.push_back(
            SizeConditionAttr::get(context, condition.relation, AffineMapAttr::get(map), sourceOf(&op)));
    }
  }
  main->removeAttr("tenon.size_conditions");
  if (!attributes.empty())
    main->setAttr("tenon.size_conditions", ArrayAttr::get(context, attributes));
}

namespace {
struct RequireSizesPass : public tenon::impl::RequireSizesPassBase<RequireSizesPass> {
  void runOnOperation() override {
    for (auto main : getOperation().getOps<func::FuncOp>())
      requireSizes(main);
  }
};
} // namespace
