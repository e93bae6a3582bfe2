#include "test/unit/GeneratedKernel.h"

#include "dialects/Ptx/Ptx.h"
#include "lib/Pipelines/Phases.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

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

static void apply(Operation *op, Change change) {
  OpBuilder b(op);
  switch (change) {
  case Change::Remove:
    if (auto wait = dyn_cast<ptx::WgmmaWaitOp>(op))
      op->replaceAllUsesWith(wait.getValues());
    return op->erase();
  case Change::WaitForLess:
    return addToAttribute(op, isa<ptx::WgmmaWaitOp>(op)           ? "pending"
                              : isa<NVVM::CpAsyncWaitGroupOp>(op) ? "n"
                                                                  : "group");
  case Change::OneMore:
    return isa<NVVM::MBarrierInitOp>(op) ? addTo(op, 1, 1) : addTo(op, op->getNumOperands() - 1, 32);
  case Change::OtherParity:
    return addTo(op, 1, 1);
  case Change::MoreBytes:
    return addTo(op, 1, 16);
  case Change::Unconditional: {
    Value always = arith::ConstantOp::create(b, op->getLoc(), b.getBoolAttr(true));
    if (auto load = dyn_cast<ptx::LdGlobalOp>(op))
      return load.getPredicateMutable().assign(always);
    return cast<ptx::StGlobalOp>(op).getPredicateMutable().assign(always);
  }
  }
}

int mutate(ModuleOp module, const Mutant &mutant) {
  std::vector<Operation *> found;
  module.walk([&](Operation *op) {
    if (op->getName().getStringRef() == mutant.op)
      found.push_back(op);
  });
  if (mutant.index >= 0)
    found = mutant.index < static_cast<int>(found.size()) ? std::vector{found[static_cast<size_t>(mutant.index)]}
                                                          : std::vector<Operation *>();
  for (Operation *op : found)
    apply(op, mutant.change);
  return static_cast<int>(found.size());
}

bool isFound(const sim::Report &report, const Mutant &mutant) {
  return llvm::any_of(report.findings, [&](const sim::Finding &finding) {
    return llvm::is_contained(mutant.kinds, finding.kind) && finding.text.find(mutant.part) != std::string::npos;
  });
}

} // namespace tenon::test
