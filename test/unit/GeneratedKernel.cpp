#include "test/unit/GeneratedKernel.h"

#include "dialects/Ptx/Ptx.h"
#include "lib/Pipelines/Phases.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/SetVector.h"

#include <gtest/gtest.h>

using namespace mlir;

namespace tenon::test {

void prepare(MLIRContext &context) {
  static const bool registered = [] {
    registerTransformsPasses();
    registerPasses();
    return true;
  }();
  EXPECT_TRUE(registered);
  DialectRegistry registry;
  registerDialects(registry);
  context.appendDialectRegistry(registry);
}

OwningOpRef<ModuleOp> lowerToThreads(MLIRContext &context, const std::string &model, const std::string &arch,
                                     const std::string &tiles, const std::string &warps) {
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(model, &context);
  auto run = [&](const std::string &from, const std::string &to) {
    PassManager passes(&context);
    return module &&
           succeeded(parsePassPipeline("tenon-phases{from=" + from + " to=" + to + " gpu=" + arch + "}", passes)) &&
           succeeded(passes.run(*module));
  };
  auto choose = [&](StringRef kernel, StringRef name, StringRef schedule) {
    module->walk([&](Operation *op) {
      if (!schedule.empty() && op->getName().getStringRef() == kernel)
        op->setAttr(name, parseAttribute(schedule, &context));
    });
  };
  EXPECT_TRUE(run("graph", "kernel"));
  choose("tenon.kernel", "tenon.schedule", tiles);
  EXPECT_TRUE(run("tile", "tile"));
  choose("tile.kernel", "warp.schedule", warps);
  EXPECT_TRUE(run("warp", "thread"));
  unsigned line = 0;
  module->walk<WalkOrder::PreOrder>(
      [&](Operation *op) { op->setLoc(FileLineColLoc::get(&context, "thread", ++line, 1)); });
  return module;
}

/// Adds to an operand.
static void addTo(Operation *op, unsigned operand, int64_t more) {
  OpBuilder b(op);
  Value value = op->getOperand(operand);
  Value amount = arith::ConstantOp::create(b, op->getLoc(), b.getIntegerAttr(value.getType(), more));
  op->setOperand(operand, arith::AddIOp::create(b, op->getLoc(), value, amount));
}

static void addToAttribute(Operation *op, StringRef name) {
  auto before = op->getAttrOfType<IntegerAttr>(name);
  ASSERT_TRUE(before) << name.str();
  op->setAttr(name, IntegerAttr::get(before.getType(), before.getInt() + 1));
}

/// Comparisons that a value is made of.
static void findComparisons(Value value, llvm::SetVector<Operation *> &found) {
  Operation *op = value.getDefiningOp();
  if (auto compare = dyn_cast_or_null<arith::CmpIOp>(op))
    found.insert(compare);
  else if (auto select = dyn_cast_or_null<arith::SelectOp>(op))
    findComparisons(select.getCondition(), found);
  else if (isa_and_nonnull<arith::AndIOp>(op))
    for (Value operand : op->getOperands())
      findComparisons(operand, found);
}

/// The predicate of an access, or the bytes that a copy takes from its source.
static Value predicateOf(Operation *op) {
  if (auto load = dyn_cast<ptx::LdGlobalOp>(op))
    return load.getPredicate();
  if (auto store = dyn_cast<ptx::StGlobalOp>(op))
    return store.getPredicate();
  return cast<NVVM::CpAsyncOp>(op).getCpSize();
}

/// Whatever it is that keeps the access inside: "less than n" becomes "less than n + 1".
static std::vector<Operation *> tailComparisons(ArrayRef<Operation *> accesses) {
  llvm::SetVector<Operation *> all;
  std::vector<Operation *> tails;
  for (Operation *access : accesses)
    if (Value predicate = predicateOf(access))
      findComparisons(predicate, all);
  for (Operation *each : all) {
    auto compare = cast<arith::CmpIOp>(each);
    if (compare.getPredicate() == arith::CmpIPredicate::slt || compare.getPredicate() == arith::CmpIPredicate::ult)
      tails.push_back(each);
  }
  return tails;
}

static ptx::WgmmaWaitOp waitAheadOf(Operation *op) {
  for (Operation *before = op->getPrevNode(); before; before = before->getPrevNode())
    if (auto wait = dyn_cast<ptx::WgmmaWaitOp>(before))
      return wait;
  return nullptr;
}

/// The op, or the branch that it is in, in front of the wait for products ahead of it.
static bool moveAheadOfWait(Operation *op) {
  for (Operation *moved = op; moved; moved = moved->getParentOfType<scf::IfOp>())
    if (Operation *wait = waitAheadOf(moved)) {
      for (Operation *each = wait->getNextNode(); each != moved;) { // what it needs goes with it
        Operation *next = each->getNextNode();
        if (isMemoryEffectFree(each) &&
            llvm::none_of(each->getOperands(), [&](Value value) { return value.getDefiningOp() == wait; }))
          each->moveBefore(wait);
        each = next;
      }
      moved->moveBefore(wait);
      return true;
    }
  return false;
}

/// Whether the op is the branch of the roles: one of them loads, the other multiplies.
static bool splitsRoles(Operation *op) {
  auto branch = dyn_cast<scf::IfOp>(op);
  return branch && branch.elseBlock() &&
         branch.getThenRegion()
             .walk([](NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp) { return WalkResult::interrupt(); })
             .wasInterrupted() &&
         branch.getElseRegion().walk([](ptx::WgmmaOp) { return WalkResult::interrupt(); }).wasInterrupted();
}

/// Whether it was changed.
static bool apply(Operation *op, const Mutant &mutant) {
  OpBuilder b(op);
  switch (mutant.change) {
  case Change::Remove:
    if (auto wait = dyn_cast<ptx::WgmmaWaitOp>(op))
      op->replaceAllUsesWith(wait.getValues());
    op->erase();
    return true;
  case Change::OfTheCta:
    if (!isa<NVVM::ClusterWaitOp>(op->getNextNode()))
      return false;
    NVVM::Barrier0Op::create(b, op->getLoc());
    op->getNextNode()->erase();
    op->erase();
    return true;
  case Change::OtherMask:
    cast<NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp>(op).getMulticastMaskMutable().assign(
        arith::ConstantOp::create(b, op->getLoc(), b.getI16IntegerAttr(static_cast<int16_t>(mutant.bits))));
    return true;
  case Change::WaitForLess:
    addToAttribute(op, isa<ptx::WgmmaWaitOp>(op) ? "pending" : isa<NVVM::CpAsyncWaitGroupOp>(op) ? "n" : "group");
    return true;
  case Change::OneMore:
  case Change::OneLess: {
    int64_t sign = mutant.change == Change::OneMore ? 1 : -1;
    if (auto arrive = dyn_cast<ptx::MbarrierArriveClusterOp>(op)) {
      addTo(arrive.getPredicate().getDefiningOp(), 1, sign);
      return true;
    }
    if (!isa<NVVM::MBarrierInitOp>(op)) {
      addTo(op, op->getNumOperands() - 1, 32 * sign);
      return true;
    }
    APInt count;
    if (sign < 0 && matchPattern(op->getOperand(1), m_ConstantInt(&count)) && count == 1)
      return false; // none at all is another error
    addTo(op, 1, sign);
    return true;
  }
  case Change::OtherParity:
    addTo(op, 1, 1);
    return true;
  case Change::MoreBytes:
  case Change::LessBytes:
    addTo(op, 1, mutant.change == Change::MoreBytes ? 16 : -16);
    return true;
  case Change::OtherBits: {
    auto product = cast<ptx::WgmmaOp>(op);
    Value bits = arith::ConstantOp::create(b, op->getLoc(), b.getI64IntegerAttr(static_cast<int64_t>(mutant.bits)));
    product.getRhsMutable().assign(arith::XOrIOp::create(b, op->getLoc(), product.getRhs(), bits));
    return true;
  }
  case Change::AheadOfWait:
    return moveAheadOfWait(op);
  case Change::TailMoved:
    addTo(op, 1, 1);
    return true;
  case Change::RoleMoved:
    if (!splitsRoles(op))
      return false;
    addTo(cast<scf::IfOp>(op).getCondition().getDefiningOp(), 1, 1);
    return true;
  case Change::Unconditional: {
    Value always = arith::ConstantOp::create(b, op->getLoc(), b.getBoolAttr(true));
    if (auto load = dyn_cast<ptx::LdGlobalOp>(op))
      load.getPredicateMutable().assign(always);
    else
      cast<ptx::StGlobalOp>(op).getPredicateMutable().assign(always);
    return true;
  }
  }
  return false;
}

/// In the order of their lines.
static std::vector<Operation *> opsNamed(ModuleOp module, StringRef name) {
  std::vector<Operation *> found;
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (op->getName().getStringRef() == name)
      found.push_back(op);
  });
  return found;
}

int mutate(ModuleOp module, const Mutant &mutant) {
  std::vector<Operation *> found = opsNamed(module, mutant.op);
  if (mutant.change == Change::TailMoved)
    found = tailComparisons(found);
  if (mutant.index >= 0)
    found = mutant.index < static_cast<int>(found.size()) ? std::vector{found[static_cast<size_t>(mutant.index)]}
                                                          : std::vector<Operation *>();
  return static_cast<int>(llvm::count_if(found, [&](Operation *op) { return apply(op, mutant); }));
}

/// "nvvm.barrier0 2": the op, and which of those of its name it is.
static std::string placeText(const sim::Site &site, ModuleOp kernel) {
  std::vector<Operation *> all = opsNamed(kernel, site.op);
  for (size_t index = 0; index < all.size(); ++index)
    if (site.location == "thread:" + std::to_string(cast<FileLineColLoc>(all[index]->getLoc()).getLine()) + ":1")
      return site.op + " " + std::to_string(index);
  return site.op + " at " + site.location;
}

std::string differs(const sim::Report &report, const std::vector<sim::Site> &sites, const Expected &expected,
                    ModuleOp kernel) {
  for (const sim::Finding &finding : report.findings)
    if (finding.kind != expected.kind && finding.kind != expected.follows)
      return std::string("a finding of kind ") + sim::findingKindName(finding.kind);
  if (report.findings.empty())
    return "no finding";
  const sim::Finding &first = report.findings.front();
  if (first.kind != expected.kind)
    return std::string("the first is of kind ") + sim::findingKindName(first.kind);
  auto text = [](const Place &place) { return place.op + " " + std::to_string(place.index); };
  if (expected.kind == sim::FindingKind::Deadlock) { // groups of threads that wait for the same
    for (const sim::Site &site : sites) {
      std::string waits = "wait at " + site.op + " at " + site.location + " for ";
      for (size_t from = first.text.find(waits); from != std::string::npos; from = first.text.find(waits, from + 1))
        if (placeText(site, kernel) == text(expected.at) &&
            first.text.substr(from, first.text.find(';', from) - from).find(expected.part) != std::string::npos)
          return "";
    }
    return "nobody waits at " + text(expected.at) + " for " + expected.part;
  }
  std::string at = placeText(sites[first.sites[0]], kernel);
  std::string with = first.sites[1] == 0 ? "" : placeText(sites[first.sites[1]], kernel);
  if (at != text(expected.at) || with != (expected.with.op.empty() ? "" : text(expected.with)))
    return "the first is at " + at + (with.empty() ? "" : " with " + with);
  return first.text.find(expected.part) == std::string::npos ? "no '" + expected.part + "' in it" : "";
}

} // namespace tenon::test
