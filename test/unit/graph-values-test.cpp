// Every lit test of a fold or a graph pass is also a numeric test: each of its functions is evaluated by the float64
// reference before and after the passes of its RUN line, on random and on special values, and must give the same.
// A file is exact, bit for bit (signed zeros included, any NaN for a NaN), unless it says `// VALUES: <bound>`: then
// the results may differ by that much relative to the largest magnitude in the tensor, as where a sum is reordered.
#include "lib/Pipelines/Phases.h"
#include "lib/Reference/Reference.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

using namespace mlir;
using namespace tenon;

namespace {
constexpr const char *folders[] = {"test/dialects/Tenon", "test/passes/1_graph", "test/pipelines"};
constexpr int64_t unnamedSize = 3; // of a `?` that no name speaks of: equal everywhere, as the dialect has it
const double specials[] = {0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, INFINITY, -INFINITY, NAN, 1e30, -1e-30};

/// The lit tests of folds and graph passes, relative to the root of the sources.
std::vector<std::string> testFiles() {
  std::vector<std::string> files;
  for (const char *folder : folders) {
    std::error_code error;
    std::string path = std::string(TENON_SOURCE_DIR "/") + folder;
    for (llvm::sys::fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
      StringRef name = llvm::sys::path::filename(entry->path());
      bool isInvalid = name.ends_with("-invalid.mlir") || name.ends_with("-remarks.mlir");
      if (name.ends_with(".mlir") && !isInvalid)
        files.push_back((Twine(folder) + "/" + name).str());
    }
  }
  llvm::sort(files);
  return files;
}

/// What follows a marker on its line.
StringRef after(StringRef text, StringRef marker) {
  size_t at = text.find(marker);
  return at == StringRef::npos ? StringRef() : text.substr(at + marker.size()).split('\n').first.trim();
}

/// The pass pipeline of a RUN line: its options up to the first `|` that name passes.
std::string pipelineOf(StringRef text) {
  SmallVector<StringRef> words;
  after(text, "RUN: tenon-opt").split('|').first.split(words, ' ', -1, false);
  std::string pipeline;
  for (StringRef word : words) {
    if (!word.consume_front("--") || word.starts_with("split-input") || word.starts_with("verify-"))
      continue;
    auto [name, options] = word.split('=');
    pipeline += (pipeline.empty() ? "" : ",") + name.str();
    if (!options.empty())
      pipeline += "{" + options.trim('"').str() + "}";
  }
  return pipeline;
}

class Values {
public:
  Values(uint64_t seed, bool special) : generator(seed), special(special) {}

  ReferenceTensor of(RankedTensorType type, ArrayRef<int64_t> shape) {
    ReferenceTensor tensor(type.getElementType(), shape);
    for (double &value : tensor.floats)
      value = special ? specials[generator() % std::size(specials)] : std::normal_distribution<double>()(generator);
    for (int64_t &value : tensor.integers)
      value = int64_t(generator() % (type.getElementType().isInteger(1) ? 2 : unnamedSize));
    tensor.roundToStorage();
    return tensor;
  }
  ReferenceTensor argument(func::FuncOp function, unsigned index) {
    auto type = cast<RankedTensorType>(function.getArgumentTypes()[index]);
    auto dims = function.getArgAttrOfType<ArrayAttr>(index, "tenon.dims");
    SmallVector<int64_t> shape(type.getShape());
    for (auto [dimension, size] : llvm::enumerate(shape))
      if (ShapedType::isDynamic(size))
        size = dims ? sizeOf(cast<StringAttr>(dims[dimension]).getValue()) : unnamedSize;
    ReferenceTensor tensor = of(type, shape);
    if (type.getRank() == 0 && type.getElementType().isInteger(64))
      tensor.integers[0] = unnamedSize; // most likely a size
    return tensor;
  }
  /// 2 to 6, of the name alone.
  static int64_t sizeOf(StringRef name) {
    int64_t sum = 0;
    for (char letter : name)
      sum += letter;
    return 2 + sum % 5;
  }

private:
  std::mt19937_64 generator;
  bool special;
};

/// A weight's elements depend on its key alone.
FailureOr<ReferenceTensor> weight(StringRef key, RankedTensorType type) {
  uint64_t seed = 1;
  for (char letter : key)
    seed = seed * 131 + static_cast<unsigned char>(letter);
  return Values(seed, false).of(type, type.getShape());
}

bool same(double a, double b, double bound) {
  if (std::isnan(a) || std::isnan(b))
    return std::isnan(a) && std::isnan(b);
  if (bound == 0 || std::isinf(a) || std::isinf(b))
    return a == b && (bound != 0 || std::signbit(a) == std::signbit(b));
  return std::fabs(a - b) <= bound;
}

void compare(const std::vector<ReferenceTensor> &before, const std::vector<ReferenceTensor> &after, double bound) {
  ASSERT_EQ(before.size(), after.size());
  for (auto [number, pair] : llvm::enumerate(llvm::zip_equal(before, after))) {
    auto &[expected, got] = pair;
    ASSERT_EQ(expected.shape, got.shape) << "shape of result " << number;
    double largest = 0;
    for (double value : expected.floats)
      largest = std::isfinite(value) ? std::max(largest, std::fabs(value)) : largest;
    for (int64_t at = 0; at < expected.size(); ++at)
      ASSERT_TRUE(same(expected.at(at), got.at(at), bound * std::max(largest, 1.0)))
          << "result " << number << " element " << at << ": " << expected.at(at) << " before, " << got.at(at)
          << " after";
  }
}

void checkModule(ModuleOp module, StringRef pipeline, double bound, bool hasSpecials) {
  OwningOpRef<ModuleOp> changed = module.clone();
  PassManager manager(module.getContext());
  ASSERT_TRUE(succeeded(parsePassPipeline(pipeline, manager, llvm::errs()))) << pipeline.str();
  ASSERT_TRUE(succeeded(manager.run(*changed)));
  auto rounding = bound == 0 ? ReferenceRounding::perOp : ReferenceRounding::exact;
  for (auto function : module.getOps<func::FuncOp>()) {
    SCOPED_TRACE(function.getName().str());
    auto other = changed->lookupSymbol<func::FuncOp>(function.getName());
    ASSERT_TRUE(other);
    for (uint64_t seed = 1; seed <= (hasSpecials ? 8u : 2u); ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      Values values(seed, hasSpecials && seed > 2);
      std::vector<ReferenceTensor> inputs;
      for (unsigned index = 0; index < function.getNumArguments(); ++index)
        inputs.push_back(values.argument(function, index));
      auto before = evaluateReference(function, inputs, weight, rounding);
      ASSERT_TRUE(succeeded(before)) << "before the passes";
      auto after = evaluateReference(other, inputs, weight, rounding);
      ASSERT_TRUE(succeeded(after)) << "after the passes";
      ASSERT_NO_FATAL_FAILURE(compare(*before, *after, bound));
    }
  }
}

class GraphValues : public testing::TestWithParam<std::string> {};

TEST_P(GraphValues, StayTheSame) {
  static const bool registered = (registerPasses(), registerTransformsPasses(), true);
  ASSERT_TRUE(registered);
  auto file = llvm::MemoryBuffer::getFile(std::string(TENON_SOURCE_DIR "/") + GetParam());
  ASSERT_TRUE(bool(file));
  StringRef text = (*file)->getBuffer();
  double bound = 0;
  if (StringRef stated = after(text, "// VALUES:"); !stated.empty())
    ASSERT_FALSE(stated.getAsDouble(bound)) << "VALUES takes a number";
  DialectRegistry registry;
  registerDialects(registry);
  MLIRContext context(registry);
  SmallVector<StringRef> parts;
  text.split(parts, "// -----");
  for (StringRef part : parts) {
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(part, &context);
    ASSERT_TRUE(module);
    checkModule(*module, pipelineOf(text), bound, bound == 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Files, GraphValues, testing::ValuesIn(testFiles()),
                         [](const testing::TestParamInfo<std::string> &info) {
                           std::string name = llvm::sys::path::stem(info.param).str();
                           std::replace_if(name.begin(), name.end(), [](char c) { return !isalnum(c); }, '_');
                           return name;
                         });
} // namespace
