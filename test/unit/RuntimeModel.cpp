#include "test/unit/RuntimeModel.h"

#include "test/unit/SafetensorsFile.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <unistd.h>

namespace tenon::test {

static PlanValue value(int64_t id, ValueKind kind, std::vector<Expr> shape, DataType dtype = DataType::F32) {
  PlanValue v;
  v.id = id;
  v.kind = kind;
  v.shape = std::move(shape);
  v.dtype = dtype;
  return v;
}

LaunchPlan modelPlan() {
  Expr batch = Expr::dimension("batch"), four = Expr::constant(4), d0 = Expr::dimension("d0");
  LaunchPlan plan;
  plan.compiler = "test";
  plan.target = "cpu";
  plan.dims = {{"batch", 1, 100}};
  plan.conditions = {{PlanCondition::Relation::AtMost, batch, Expr::constant(100), "op at model.py:1"}};
  plan.values = {
      value(0, ValueKind::Input, {batch, four}),
      value(1, ValueKind::Weight, {four}),
      value(2, ValueKind::Persistent, {four}),
      value(3, ValueKind::Temp, {batch, four}),
      value(4, ValueKind::View, {Expr::binary(Expr::Kind::Mul, batch, four)}),
      value(5, ValueKind::View, {batch, four}),
      value(6, ValueKind::Output, {batch, four}),
      value(7, ValueKind::Output, {batch, four}),
      value(8, ValueKind::Size, {}, DataType::I64),
      value(9, ValueKind::Output, {}, DataType::I64),
  };
  plan.values[0].name = "x";
  plan.values[1].name = "w";
  plan.values[4].source = 3;
  plan.values[5].source = 4;
  plan.values[6].name = "y";
  plan.values[7].name = "z";
  plan.values[7].source = 0;
  plan.values[8].size = batch;
  plan.values[9].name = "n";
  plan.values[9].source = 8;
  plan.metadata = "{\"front end\": 1}";
  plan.inputs = {0};
  plan.outputs = {6, 7, 9};
  plan.init = {{"pack", {1}, {2}, {}}};
  plan.launches = {{"add", {0, 0}, {3}, {batch}}, {"scale", {5, 2}, {6}, {batch}}};
  auto kernel = [&](const char *symbol, Expr grid, int64_t scratch) {
    PlanKernel k;
    k.symbol = symbol;
    k.grid = std::move(grid);
    k.scratch = Expr::constant(scratch);
    k.schedule = "#cpu.rows<1>";
    k.sources = {"model.py:1"};
    return k;
  };
  plan.kernels = {{"add", kernel("test_add", d0, 16)},
                  {"scale", kernel("test_scale", d0, 0)},
                  {"pack", kernel("test_pack", Expr::constant(1), 0)}};
  return plan;
}

LaunchPlan cudaModelPlan() {
  using K = Expr::Kind;
  Expr d0 = Expr::dimension("d0"), two = Expr::constant(2);
  LaunchPlan plan = modelPlan();
  plan.format = LaunchPlan::cudaFormat;
  plan.target = "cuda:sm_90a";
  for (auto &[name, kernel] : plan.kernels) {
    kernel.symbol = "fake_" + name;
    kernel.grid = Expr::constant(1);
    kernel.scratch = Expr::constant(0);
    kernel.cuda.emplace();
    kernel.cuda->cubin = "model";
    kernel.cuda->block = {32, 4, 1};
  }
  PlanKernel &add = plan.kernels["add"], &scale = plan.kernels["scale"];
  add.scratch = Expr::binary(K::Mul, d0, Expr::constant(16));
  add.cuda->zeroedBytes = Expr::constant(16);
  add.cuda->grid[0] = Expr::binary(K::Mul, Expr::binary(K::CeilDiv, d0, two), two);
  add.cuda->cluster = {2, 1, 1};
  add.cuda->sharedBytes = Expr::constant(64 << 10);
  scale.cuda->grid = {Expr::constant(1), d0, Expr::constant(1)};
  plan.kernels["scale_plain"] = scale;
  plan.kernels["scale_plain"].symbol = "fake_scale_plain";
  PlanTensorMap map;
  map.sizes = {Expr::constant(4), d0};
  map.strides = {Expr::constant(16)};
  map.box = {4, 8};
  map.swizzle = 32;
  map.l2Promotion = 128;
  scale.cuda->tensorMaps = {map};
  scale.cuda->fallback = "scale_plain";
  plan.launches[1].programmatic = true;
  return plan;
}

std::string modelWeights() {
  static const float w[4] = {1, 2, 3, 4};
  SafetensorsEntry entry{DataType::F32, {4}, {reinterpret_cast<const char *>(w), sizeof(w)}};
  return safetensorsFile({{"w", entry}});
}

std::string readAll(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string testKernels() { return readAll(TENON_TEST_KERNELS); }

std::string modelArtefact(bool withWeights) {
  std::string kernels = testKernels(), weights = withWeights ? modelWeights() : "";
  ArtefactParts parts;
  parts.entries = {{"main", modelPlan(), kernels}};
  parts.weights = weights;
  parts.model = "module {}\n";
  return *writeArtefact(parts);
}

std::string temporaryPath(const std::string &name) {
  static const std::string folder = [] {
    std::string pattern = std::string(std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "/tmp") + "/tenon-test-XXXXXX";
    if (!::mkdtemp(pattern.data()))
      std::abort();
    return pattern;
  }();
  return folder + "/" + name;
}

uint64_t testSeedQuiet() {
  const char *rerun = std::getenv("RERUN");
  return rerun ? std::strtoull(rerun, nullptr, 10) : 20240607;
}

int numMutations() {
  const char *given = std::getenv("MUTATIONS");
  return given ? std::atoi(given) : 2000;
}

uint64_t testSeed() {
  uint64_t seed = testSeedQuiet();
  std::printf("seed %llu (RERUN=%llu repeats it)\n", static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(seed));
  return seed;
}

} // namespace tenon::test
