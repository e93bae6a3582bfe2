#include "tools/tenon-run/ModelReference.h"

#include "dialects/Tenon/Tenon.h"
#include "lib/Analysis/DimNames.h"
#include "lib/Compiler/TextGuard.h"
#include "lib/Pipelines/Phases.h"
#include "tools/tenon-run/Values.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;

namespace tenon::tool {

/// The module of an entry is one of the text's, but for a text that is one itself.
static ModuleOp entryModule(ModuleOp whole, const std::string &entry) {
  if (whole.lookupSymbol("main"))
    return whole;
  if (auto named = whole.lookupSymbol<ModuleOp>(entry))
    return named;
  auto nested = whole.getOps<ModuleOp>();
  return llvm::hasSingleElement(nested) ? *nested.begin() : whole;
}

Result<std::unique_ptr<ModelReference>> ModelReference::parse(const std::string &text, const std::string &filename,
                                                              const std::string &entry) {
  TENON_TRY(guardText(text).in(filename));
  std::unique_ptr<ModelReference> reference(new ModelReference);
  DialectRegistry registry;
  registerDialects(registry);
  reference->context = std::make_unique<MLIRContext>(registry);
  reference->context->printOpOnDiagnostic(false);
  std::string &messages = reference->messages;
  reference->handler =
      std::make_unique<ScopedDiagnosticHandler>(reference->context.get(), [&messages](Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
          return;
        if (!messages.empty())
          messages += "\n";
        if (auto place = diagnostic.getLocation()->findInstanceOf<FileLineColLoc>())
          messages += place.getFilename().str() + ":" + std::to_string(place.getLine()) + ":" +
                      std::to_string(place.getColumn()) + ": ";
        messages += "error: " + diagnostic.str();
      });
  reference->module = parseSourceString<ModuleOp>(text, ParserConfig(reference->context.get()), filename);
  if (!reference->module)
    return invalidArgument(messages);
  reference->entry = entryModule(*reference->module, entry);
  if (failed(findMain(reference->entry)))
    return invalidArgument(messages);
  return reference;
}

func::FuncOp ModelReference::main() const { return *findMain(entry); }

/// Follows an index back from a table look-up through casts and views to the argument it is.
static BlockArgument argumentBehind(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<CastOp, ReshapeOp, TransposeOp, ExpandOp, SliceOp>(op))
      return {};
    value = op->getOperand(0);
  }
  return cast<BlockArgument>(value);
}

InputLimits ModelReference::inputLimits() const {
  InputLimits limits;
  func::FuncOp function = main();
  auto nameOf = [&](BlockArgument argument) {
    auto named = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "tenon.name");
    return named ? named.str() : "input" + std::to_string(argument.getArgNumber());
  };
  auto limit = [&](Value indices, int64_t rows) {
    BlockArgument argument = argumentBehind(indices);
    if (!argument || rows == ShapedType::kDynamic || rows < 1)
      return;
    auto [found, isNew] = limits.ranges.try_emplace(nameOf(argument), 0, rows - 1);
    found->second.second = std::min(found->second.second, rows - 1);
  };
  function.walk([&](Operation *op) {
    if (auto embedding = dyn_cast<EmbeddingOp>(op))
      limit(embedding.getIndices(), cast<RankedTensorType>(embedding.getTable().getType()).getDimSize(0));
    else if (auto gather = dyn_cast<GatherOp>(op))
      limit(gather.getIndices(), cast<RankedTensorType>(gather.getInput().getType()).getDimSize(gather.getAxis()));
    else if (auto attention = dyn_cast<AttentionOp>(op))
      for (Value scale : {attention.getQueryScale(), attention.getKeyScale(), attention.getValueScale()})
        if (BlockArgument argument = scale ? argumentBehind(scale) : BlockArgument())
          limits.atLeastZero.insert(nameOf(argument));
  });
  return limits;
}

Result<std::vector<BoundedTensor>> ModelReference::evaluate(const std::vector<Input> &inputs,
                                                            const WeightSource *weights, uint64_t seed,
                                                            bool hasShortSums) {
  func::FuncOp function = main();
  std::vector<ReferenceTensor> numbers;
  for (auto [input, type] : llvm::zip_equal(inputs, function.getArgumentTypes())) {
    numbers.push_back(toNumbers(input.tensor.ref()));
    numbers.back().elementType = cast<RankedTensorType>(type).getElementType(); // the same, in this context
  }
  auto lookup = [&](llvm::StringRef key, RankedTensorType type) -> FailureOr<ReferenceTensor> {
    Result<TensorRef> found = weights ? weights->find(key.str()) : notFound("no weights were given");
    if (!found.ok())
      return emitError(function.getLoc(), found.status().message());
    llvm::ArrayRef<char> bytes(static_cast<const char *>(found->data), static_cast<size_t>(found->bytes()));
    return ReferenceTensor::fromStorage(type.getElementType(), type.getShape(), bytes);
  };
  messages.clear();
  FailureOr<std::vector<BoundedTensor>> results = evaluateWithBounds(function, numbers, lookup, 4, seed, hasShortSums);
  if (failed(results))
    return unsupported("the reference cannot evaluate the model: " + messages);
  return std::move(*results);
}

} // namespace tenon::tool
