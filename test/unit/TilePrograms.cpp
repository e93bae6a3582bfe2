#include "test/unit/TilePrograms.h"

#include "dialects/Tenon/Tenon.h"
#include "lib/Analysis/ContractionKernel.h"
#include "lib/Analysis/DimNames.h"
#include "lib/Analysis/UpdatedOperand.h"
#include "lib/Pipelines/Phases.h"
#include "lib/Reference/Reference.h"
#include "lib/Reference/TileInterpreter.h"
#include "passes/3_tile/ResultDimensions.h"

#include "mlir/IR/SymbolTable.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

#include <cmath>
#include <random>

using namespace mlir;

namespace tenon::test {

void PrintTo(const TileCase &one, std::ostream *out) { *out << one.name; }

TilePrograms::TilePrograms() {
  DialectRegistry registry;
  registerDialects(registry);
  context.appendDialectRegistry(registry);
  context.loadDialect<tile::TileDialect>();
  [[maybe_unused]] static bool registered = (registerPasses(), registerTransformsPasses(), true);
}

/// Runs @main: launches by the interpreter, reshapes as they are.
static std::vector<ReferenceTensor> interpret(ModuleOp module, std::vector<ReferenceTensor> inputs,
                                              ArrayRef<int64_t> sizes) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  DenseMap<Value, ReferenceTensor> values;
  for (auto [argument, input] : llvm::zip_equal(main.getArguments(), inputs))
    values[argument] = input;
  SymbolTableCollection symbols;
  for (Operation &op : main.getBody().front().without_terminator()) {
    auto launch = dyn_cast<LaunchOp>(op);
    if (!launch) {
      ADD_FAILURE() << "left in @main: " << op.getName().getStringRef().str();
      return {};
    }
    auto kernel = cast<tile::KernelOp>(symbols.lookupSymbolIn(module, launch.getCallee()));
    std::vector<ReferenceTensor> arguments;
    for (Value operand : launch.getInputs())
      arguments.push_back(values[operand]);
    for (OpResult result : launch->getResults()) {
      auto type = cast<RankedTensorType>(result.getType());
      ReferenceShape shape(type.getShape());
      if (!type.hasStaticShape()) {
        auto map =
            cast<AffineMapAttr>(launch->getAttrOfType<ArrayAttr>("tenon.result_shapes")[result.getResultNumber()]);
        shape.clear();
        for (AffineExpr size : map.getValue().getResults()) {
          SmallVector<AffineExpr> known;
          for (int64_t value : sizes)
            known.push_back(getAffineConstantExpr(value, module.getContext()));
          shape.push_back(cast<AffineConstantExpr>(simplifyAffineExpr(size.replaceSymbols(known), 0, 0)).getValue());
        }
      }
      ReferenceTensor empty(type.getElementType(), shape);
      llvm::fill(empty.floats, NAN);
      llvm::fill(empty.integers, -77);
      auto updates = kernel->getAttrOfType<DenseI64ArrayAttr>(updatesAttrName);
      int64_t updated = updates ? updates[result.getResultNumber()] : -1;
      arguments.push_back(updated < 0 ? empty : arguments[updated]);
    }
    EXPECT_TRUE(succeeded(runTileKernel(kernel, arguments))) << launch.getCallee().getLeafReference().str();
    for (auto [result, value] : llvm::zip(launch->getResults(), llvm::drop_begin(arguments, launch.getInputs().size())))
      values[result] = value;
  }
  std::vector<ReferenceTensor> results;
  for (Value value : main.getBody().front().getTerminator()->getOperands())
    results.push_back(values[value]);
  return results;
}

static void compare(const TileCase &one, const std::vector<ReferenceTensor> &results,
                    std::vector<ReferenceTensor> expected) {
  ASSERT_EQ(results.size(), expected.size());
  for (auto [number, result, wanted] : llvm::enumerate(results, expected)) {
    ASSERT_EQ(result.shape, wanted.shape);
    wanted.roundToStorage();
    double largest = 0;
    for (int64_t at = 0; at < wanted.size(); ++at)
      largest = std::isfinite(wanted.at(at)) ? std::max(largest, std::fabs(wanted.at(at))) : largest;
    for (int64_t at = 0; at < wanted.size(); ++at)
      if (std::isnan(wanted.at(at)))
        ASSERT_TRUE(std::isnan(result.at(at))) << "result " << number << " element " << at << ": " << result.at(at);
      else if (std::isinf(wanted.at(at)))
        ASSERT_EQ(result.at(at), wanted.at(at)) << "result " << number << " element " << at;
      else
        ASSERT_LE(std::fabs(result.at(at) - wanted.at(at)), one.bound * largest)
            << "result " << number << " element " << at << ": got " << result.at(at) << ", expected " << wanted.at(at);
  }
}

/// Small integers for the arguments of @main.
static std::vector<ReferenceTensor> drawInputs(const TileCase &one, func::FuncOp main) {
  std::mt19937 random(7);
  std::vector<ReferenceTensor> inputs;
  for (auto [number, type] : llvm::enumerate(main.getArgumentTypes())) {
    auto tensor = cast<RankedTensorType>(type);
    ReferenceShape shape(tensor.getShape());
    auto names = main.getArgAttrOfType<ArrayAttr>(number, "tenon.dims");
    for (auto [d, size] : llvm::enumerate(shape))
      if (ShapedType::isDynamic(size))
        size = one.dims.at(cast<StringAttr>(names[d]).str());
    ReferenceTensor input(tensor.getElementType(), shape);
    for (double &value : input.floats)
      value = std::array{-2.0, -1.0, 1.0, 2.0}[random() % (one.isNegative ? 2 : 4)];
    if (int(number) == one.strange)
      for (double &value : input.floats)
        if (random() % 400 == 0)
          value = std::array{double(NAN), double(INFINITY), double(-INFINITY)}[random() % 3];
    for (int64_t &value : input.integers)
      value = tensor.getElementType().isInteger(1) ? random() % 2 : random() % 5;
    inputs.push_back(input);
  }
  return inputs;
}

TEST_P(TilePrograms, MatchTheReference) {
  const TileCase &one = GetParam();
  std::string bounds;
  for (auto &[name, size] : one.dims)
    bounds += (bounds.empty() ? "" : ", ") + name + " = array<i64: 1, 512>";
  std::string text = "module attributes {tenon.dim_bounds = {" + bounds + "}} {\n" + one.text + "\n}";
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  ASSERT_TRUE(module);
  auto main = module->lookupSymbol<func::FuncOp>("main");
  std::vector<ReferenceTensor> inputs = drawInputs(one, main);
  std::vector<int64_t> sizes;
  for (auto &[name, size] : one.dims)
    sizes.push_back(size);
  auto expected = evaluateReference(main, inputs, nullptr, ReferenceRounding::exact);
  ASSERT_TRUE(succeeded(expected));
  auto run = [&](ModuleOp on, const char *pipeline) {
    PassManager manager(&context);
    return succeeded(parsePassPipeline(pipeline, manager)) && succeeded(manager.run(on));
  };
  ASSERT_TRUE(run(*module, "tenon-phases{to=kernel},tenon-resolve-sizes,tenon-join-concats,tenon-collapse-dimensions,"
                           "tenon-pack-queries"));
  // Schedules by hand, tiles that no size is a multiple of, with and without parts of keys, each way to
  // scale sums; and those that are chosen.
  bool isAttention = one.name.find("attention") != std::string::npos;
  for (int64_t keySplits : isAttention ? std::vector<int64_t>{1, 2, 3, 0} : std::vector<int64_t>{1, 2, 0}) {
    bool isSwapped = !isAttention && keySplits == 2; // rows and columns of products
    SCOPED_TRACE(isSwapped   ? "small tiles, swapped"
                 : keySplits ? "small tiles, " + std::to_string(keySplits) + " parts of keys"
                             : "chosen tiles");
    OwningOpRef<ModuleOp> tiled = module->clone();
    if (keySplits)
      tiled->walk([&](KernelOp kernel) {
        if (findContraction(kernel.getBlock()))
          kernel->setAttr("tenon.schedule",
                          tile::GemmAttr::get(&context, 8, 8, 4, one.splits, 1, false, isSwapped, false, false));
        else if (!kernel.getBlock().getOps<AttentionOp>().empty())
          kernel->setAttr("tenon.schedule", tile::AttentionAttr::get(&context, 7, one.keys, keySplits,
                                                                     keySplits == 1   ? tile::Maximum::Lazy
                                                                     : keySplits == 2 ? tile::Maximum::Online
                                                                                      : tile::Maximum::First));
        else if (RowShape shape = rowShapeOf(kernel); // programs share a fold of a known number of results
                 isSwapped && shape.mayShareFold && !llvm::is_contained(shape.sizes, -1))
          kernel->setAttr("tenon.schedule", tile::RowAttr::get(&context, 4, 24, 8, /*splits=*/4));
        else
          kernel->setAttr("tenon.schedule", tile::RowAttr::get(&context, 4, 24, 50));
      });
    ASSERT_TRUE(run(*tiled, "tenon-choose-tile-schedules,tenon-split-depth,tenon-split-keys,tenon-tile-kernels,"
                            "canonicalize,cse"));
    bool isSplit = false;
    tiled->walk([&](tile::KernelOp kernel) { isSplit |= kernel.getName().ends_with("_parts"); });
    EXPECT_TRUE(!isAttention || keySplits != 3 || isSplit);
    compare(one, interpret(*tiled, inputs, sizes), *expected);
  }
}

} // namespace tenon::test
