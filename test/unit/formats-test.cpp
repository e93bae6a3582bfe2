// The readers and writers of files: round trips, tables of what must be refused, and seeded mutations, each of which
// must end in success or a typed error.
#include "test/unit/RuntimeModel.h"

#include "lib/Runtime/Arena.h"
#include "lib/Support/Npy.h"
#include "lib/Support/Safetensors.h"
#include "lib/Support/Sha256.h"
#include "lib/Support/StoredZip.h"
#include "test/unit/SafetensorsFile.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

using namespace tenon;
using namespace tenon::test;

TEST(Sha256, KnownDigests) {
  EXPECT_EQ(sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256Hex(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(StoredZip, RoundTripAlignedAndChecked) {
  EXPECT_EQ(crc32("123456789"), 0xCBF43926u);
  std::string archive = *writeStoredZip({{"a", "one"}, {"folder/b", ""}, {"c", std::string(1000, 'x')}});
  auto entries = readStoredZip(archive);
  ASSERT_TRUE(entries.ok()) << entries.status().message();
  ASSERT_EQ(entries->size(), 3u);
  EXPECT_EQ((*entries)[0].bytes, "one");
  EXPECT_EQ((*entries)[1].name, "folder/b");
  for (const ZipEntry &entry : *entries)
    EXPECT_EQ((entry.bytes.data() - archive.data()) % 64, 0);
  std::string inside = *writeStoredZip({{"a", "one"}, {"b", "headernumbers", 6}});
  EXPECT_EQ(inside.find("numbers") % 64, 0u);
  archive[archive.find("one")] = 'O';
  EXPECT_EQ(readStoredZip(archive).status().kind(), ErrorKind::Corrupt);
}

TEST(Npy, RoundTripAndRefusals) {
  for (std::vector<int64_t> shape : {std::vector<int64_t>{}, {3}, {2, 3}, {0, 5}}) {
    std::string data(static_cast<size_t>(*bytesOfShape(DataType::F32, shape)), '\7');
    std::string file = *writeNpy(DataType::F32, shape, data);
    auto array = readNpy(file);
    ASSERT_TRUE(array.ok()) << array.status().message();
    EXPECT_EQ(array->shape, shape);
    EXPECT_EQ(array->bytes, data);
    EXPECT_EQ((array->bytes.data() - file.data()) % 64, 0);
  }
  auto npy = [](const std::string &header) {
    return std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(header.size()) + '\0' + header;
  };
  struct Case {
    std::string file;
    ErrorKind kind;
  } cases[] = {
      {"", ErrorKind::Corrupt},
      {npy("{'descr': '>f4', 'fortran_order': False, 'shape': (0,)}"), ErrorKind::Unsupported},
      {npy("{'descr': '|O', 'fortran_order': False, 'shape': (0,)}"), ErrorKind::Unsupported},
      {npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}"), ErrorKind::Corrupt},
      {npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 16)}"), ErrorKind::Corrupt},
      {npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}"), ErrorKind::Corrupt},
      {npy("{'descr': '<f4', 'shape': (0,)}"), ErrorKind::Corrupt},
  };
  for (const Case &c : cases)
    EXPECT_EQ(readNpy(c.file).status().kind(), c.kind) << c.file;
}

TEST(Safetensors, RoundTripAndRefusals) {
  auto entries = readSafetensors(modelWeights());
  ASSERT_TRUE(entries.ok());
  EXPECT_EQ(entries->at("w").shape, std::vector<int64_t>{4});
  auto file = [](const std::string &header, size_t data) {
    uint64_t size = header.size();
    return std::string(reinterpret_cast<const char *>(&size), 8) + header + std::string(data, 'd');
  };
  struct Case {
    std::string file;
    ErrorKind kind;
  } cases[] = {
      {"abc", ErrorKind::Corrupt},
      {std::string(8, '\xff') + "{}", ErrorKind::Corrupt},
      {file("[]", 0), ErrorKind::Corrupt},
      {file(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4), ErrorKind::Corrupt},
      {file(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", 4), ErrorKind::Corrupt},
      {file(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8), ErrorKind::Corrupt},
      {file(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 5), ErrorKind::Corrupt},
      {file(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4), ErrorKind::Corrupt},
      {file(R"({"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}})", 8), ErrorKind::Unsupported},
      {file(R"({"a":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,4]}})", 4), ErrorKind::Corrupt},
  };
  for (const Case &c : cases)
    EXPECT_EQ(readSafetensors(c.file).status().kind(), c.kind) << c.file;
}

TEST(LaunchPlan, RoundTripAndRules) {
  LaunchPlan plan = modelPlan();
  std::string text = writeLaunchPlan(plan);
  auto read = readLaunchPlan(text);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(writeLaunchPlan(*read), text);

  auto broken = [](auto change) {
    LaunchPlan plan = modelPlan();
    change(plan);
    return validateLaunchPlan(plan).message();
  };
  using P = LaunchPlan;
  EXPECT_NE(broken([](P &p) { p.values[4].source = 7; }).find("views value 7"), std::string::npos);
  EXPECT_NE(broken([](P &p) { std::swap(p.launches[0], p.launches[1]); }).find("used before"), std::string::npos);
  EXPECT_NE(broken([](P &p) { p.launches[0].results = {1}; }).find("must not write"), std::string::npos);
  EXPECT_NE(broken([](P &p) { p.launches[1].results = {3}; }).find("already written"), std::string::npos);
  EXPECT_NE(broken([](P &p) { p.launches[0].kernel = "k"; }).find("no such kernel"), std::string::npos);
  EXPECT_NE(broken([](P &p) { p.values[1].shape = {Expr::dimension("batch")}; }).find("static"), std::string::npos);
  EXPECT_NE(broken([](P &p) { p.init[0].operands = {0}; }).find("used before"), std::string::npos);
  EXPECT_NE(broken([](P &p) { p.outputs.pop_back(); }).find("outputs lists 2 values of 3"), std::string::npos);

  EXPECT_NE(broken([](P &p) { p.conditions[0].b = Expr::dimension("rows"); }).find("unknown dimension: rows"),
            std::string::npos);

  std::string unrelated = text;
  unrelated.replace(unrelated.find("at_most"), 7, "at_best");
  EXPECT_NE(readLaunchPlan(unrelated).status().message().find("conditions[0]: unknown relation 'at_best'"),
            std::string::npos);
  std::string newer = text;
  newer.replace(newer.find("\"format\": 1"), 11, "\"format\": 9");
  EXPECT_EQ(readLaunchPlan(newer).status().kind(), ErrorKind::Unsupported);
  std::string deep = "{\"format\": 1, \"x\": " + std::string(200000, '[') + std::string(200000, ']') + "}";
  EXPECT_EQ(readLaunchPlan(deep).status().kind(), ErrorKind::Corrupt);
}

TEST(LaunchPlan, CudaRoundTripAndRules) {
  LaunchPlan plan = cudaModelPlan();
  std::string text = writeLaunchPlan(plan);
  auto read = readLaunchPlan(text);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(writeLaunchPlan(*read), text);
  EXPECT_NE(text.find("\"format\": 2"), std::string::npos); // what older runtimes refuse
  EXPECT_EQ(writeLaunchPlan(modelPlan()).find("cuda"), std::string::npos);
  plan.format = LaunchPlan::tf32Format;
  plan.kernels["scale"].cuda->tensorMaps[0].roundsToTf32 = true;
  text = writeLaunchPlan(plan);
  EXPECT_NE(text.find("\"dtype\": \"tf32\""), std::string::npos);
  read = readLaunchPlan(text);
  ASSERT_TRUE(read.ok()) << read.status().message();
  const PlanTensorMap &map = read->kernels["scale"].cuda->tensorMaps[0];
  EXPECT_TRUE(map.roundsToTf32 && map.dtype == DataType::F32);
  EXPECT_EQ(writeLaunchPlan(*read), text);

  using P = LaunchPlan;
  auto scale = [](P &p) -> PlanCudaKernel & { return *p.kernels["scale"].cuda; };
  struct Case {
    std::function<void(P &)> change;
    const char *message;
  } cases[] = {
      {[](P &p) { p.target = "cuda:90"; }, "expected one like 'cuda:sm_90a'"},
      {[](P &p) { p.target = "cuda:sm_x"; }, "expected one like 'cuda:sm_90a'"},
      {[](P &p) { p.target = "cpu"; }, "format 2 for the target 'cpu', expected 1"},
      {[](P &p) { p.format = 1; }, "format 1 for the target 'cuda:sm_90a', expected 2"},
      {[](P &p) { p.kernels["add"].cuda.reset(); }, "kernel 'add' is not for the target"},
      {[&](P &p) { scale(p).cubin = "../x"; }, "the name of its cubin"},
      {[&](P &p) { scale(p).cubin = ""; }, "the name of its cubin"},
      {[&](P &p) { scale(p).block = {32, 64, 1}; }, "a block of [32, 64, 1] threads"},
      {[&](P &p) { scale(p).block = {1, 1, 65}; }, "a block of"},
      {[&](P &p) { scale(p).block = {INT64_MAX, INT64_MAX, 1}; }, "a block of"},
      {[&](P &p) { scale(p).cluster = {8, 4, 1}; }, "a cluster of [8, 4, 1] CTAs"},
      {[&](P &p) { scale(p).fallback = "none"; }, "its fallback 'none'"},
      {[&](P &p) { scale(p).fallback = "scale"; }, "its fallback 'scale'"},
      {[&](P &p) { scale(p).tensorMaps[0].argument = 3; }, "a tensor map of argument 3 of 3"},
      {[&](P &p) { scale(p).tensorMaps[0].sizes.clear(); }, "rank 0"},
      {[&](P &p) { scale(p).tensorMaps[0].strides.clear(); }, "rank 2 with 0 strides"},
      {[&](P &p) { scale(p).tensorMaps[0].dtype = DataType::I4; }, "elements of 4 bits"},
      {[&](P &p) { scale(p).tensorMaps[0].box = {4, 257}; }, "a box side of 257"},
      {[&](P &p) { scale(p).tensorMaps[0].box = {3, 8}; }, "a box of 12 bytes inside, expected a multiple of 16"},
      {[&](P &p) { scale(p).tensorMaps[0].box = {16, 8}; }, "swizzle 32 with a box of 64 bytes inside"},
      {[&](P &p) { scale(p).tensorMaps[0].swizzle = 16; }, "swizzle 16"},
      {[&](P &p) { scale(p).tensorMaps[0].l2Promotion = 32; }, "L2 promotion 32"},
      {[&](P &p) { scale(p).tensorMaps[0] = {0, DataType::I32, {}, {Expr::constant(4)}, {}, {4}, 0, 0, true}; },
       "NaN as fill of i32"},
      {[&](P &p) { scale(p).tensorMaps[0].roundsToTf32 = true; }, "rounds to tf32, which format 2 cannot say"},
      {[&](P &p) {
         p.format = P::tf32Format;
         scale(p).tensorMaps[0].roundsToTf32 = true;
         scale(p).tensorMaps[0].dtype = DataType::I32;
       },
       "i32 rounded to tf32, expected f32"},
      {[](P &p) { p.format = 4; }, "format 4 for the target 'cuda:sm_90a', expected 2"},
      {[&](P &p) { scale(p).tensorMaps.resize(256, scale(p).tensorMaps[0]); }, "bytes of parameters"},
  };
  for (const Case &c : cases) {
    LaunchPlan changed = cudaModelPlan();
    c.change(changed);
    EXPECT_NE(validateLaunchPlan(changed).message().find(c.message), std::string::npos)
        << c.message << " | " << validateLaunchPlan(changed).message();
  }
  LaunchPlan early = modelPlan();
  early.launches[0].programmatic = true;
  EXPECT_NE(validateLaunchPlan(early).message().find("which only CUDA has"), std::string::npos);
}

TEST(LaunchPlan, Expressions) {
  using K = Expr::Kind;
  Expr d0 = Expr::dimension("d0"), sixteen = Expr::constant(16);
  struct Case {
    K kind;
    int64_t d0, expected;
  } cases[] = {
      {K::CeilDiv, 0, 0},    {K::CeilDiv, 1, 1},    {K::CeilDiv, 16, 1}, {K::CeilDiv, 17, 2}, {K::FloorDiv, 31, 1},
      {K::FloorDiv, -1, -1}, {K::CeilDiv, -17, -1}, {K::Mod, -1, 15},    {K::Mod, 33, 1},     {K::Max, 3, 16},
      {K::Min, 3, 3},        {K::Add, 1, 17},       {K::Mul, 3, 48},
  };
  for (const Case &c : cases)
    EXPECT_EQ(*Expr::binary(c.kind, d0, sixteen).evaluate(std::vector<int64_t>{c.d0}), c.expected) << c.d0;
  EXPECT_FALSE(Expr::binary(K::Mul, d0, sixteen).evaluate(std::vector<int64_t>{INT64_MAX / 2}).ok());
  EXPECT_FALSE(Expr::binary(K::CeilDiv, sixteen, d0).evaluate(std::vector<int64_t>{0}).ok());
  EXPECT_FALSE(d0.evaluate(std::vector<int64_t>{}).ok());
  EXPECT_TRUE(Expr::binary(K::Mul, Expr::constant(3), sixteen).isConstant());
  Expr tasks = Expr::binary(K::CeilDiv, Expr::binary(K::Mul, d0, Expr::dimension("d1")), sixteen);
  EXPECT_EQ(tasks.substitute({Expr::dimension("batch"), Expr::dimension("seq")}).str(), "((batch * seq) ceildiv 16)");
  EXPECT_EQ(tasks.substitute({Expr::constant(3), Expr::constant(11)}), Expr::constant(3));
}

TEST(Arena, BuffersAliveTogetherNeverMeet) {
  std::mt19937_64 random(testSeed());
  for (int round = 0; round < 200; ++round) {
    std::vector<Lifetime> lifetimes;
    for (int i = 0; i < 30; ++i) {
      int64_t first = static_cast<int64_t>(random() % 20);
      lifetimes.push_back({static_cast<int64_t>(random() % 1000), first, first + static_cast<int64_t>(random() % 6)});
    }
    ArenaPlan plan = planArena(lifetimes);
    for (size_t i = 0; i < lifetimes.size(); ++i) {
      EXPECT_EQ(plan.offsets[i] % 64, 0);
      EXPECT_LE(plan.offsets[i] + lifetimes[i].bytes, plan.bytes);
      for (size_t j = 0; j < i; ++j) {
        bool together = lifetimes[i].first <= lifetimes[j].last && lifetimes[j].first <= lifetimes[i].last;
        bool apart = plan.offsets[i] + lifetimes[i].bytes <= plan.offsets[j] ||
                     plan.offsets[j] + lifetimes[j].bytes <= plan.offsets[i];
        EXPECT_TRUE(!together || apart) << round;
      }
    }
  }
  EXPECT_EQ(planArena({{64, 0, 1}, {64, 1, 2}, {64, 2, 3}}).bytes, 128);
  EXPECT_EQ(planArena({{64, 0, 1}, {64, 1, 2}, {64, 2, 3}}, 256).bytes, 512);
}

//===--- mutations -----------------------------------------------------------------------------------------------===//

// One to four edits: a bit, a byte, a block removed or doubled, a number replaced by an extreme one.
static std::string mutate(std::string bytes, std::mt19937_64 &random, size_t within) {
  int edits = 1 + static_cast<int>(random() % 4);
  for (int i = 0; i < edits && !bytes.empty(); ++i) {
    size_t limit = std::min(within, bytes.size()), at = random() % limit;
    switch (random() % 6) {
    case 0:
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
      break;
    case 1:
      bytes[at] = static_cast<char>(random());
      break;
    case 2:
      bytes.erase(at, 1 + random() % 16);
      break;
    case 3:
      bytes.insert(at, bytes.substr(at, 1 + random() % 16));
      break;
    case 4:
      bytes.resize(at);
      break;
    case 5:
      for (size_t k = at; k < std::min(at + 8, bytes.size()); ++k)
        bytes[k] = static_cast<char>(random() % 2 ? 0xFF : 0);
      break;
    }
  }
  return bytes;
}

template <typename Check>
static void fuzz(const std::string &seedFile, size_t within, Check check) {
  std::mt19937_64 random(testSeed());
  for (int i = 0, count = numMutations(); i < count; ++i) {
    // In memory of exactly its size, so that a sanitizer sees the first byte read past it.
    std::string mutated = mutate(seedFile, random, within);
    std::vector<char> exact(mutated.begin(), mutated.end());
    check(std::string_view(exact.data(), exact.size()), i);
  }
}

TEST(Mutations, Npy) {
  std::string file = *writeNpy(DataType::F32, {3, 5}, std::string(60, 'x'));
  fuzz(file, 128, [](std::string_view bytes, int i) {
    auto array = readNpy(bytes);
    ASSERT_TRUE(array.ok() || !array.status().message().empty()) << i;
    if (array.ok()) {
      EXPECT_EQ(bytesOfShape(array->dtype, array->shape), static_cast<int64_t>(array->bytes.size())) << i;
      EXPECT_LE(array->bytes.size(), bytes.size()) << i;
    }
  });
}

TEST(Mutations, SafetensorsHeader) {
  std::string data(256, 'w');
  std::map<std::string, SafetensorsEntry> tensors;
  auto add = [&](const char *name, DataType type, std::vector<int64_t> shape) {
    size_t size = static_cast<size_t>(*bytesOfShape(type, shape));
    tensors[name] = {type, std::move(shape), std::string_view(data).substr(0, size)};
  };
  add("encoder.layer.0.weight", DataType::F32, {4, 8});
  add("encoder.layer.0.bias", DataType::BF16, {5});
  add("mask", DataType::I1, {3});
  add("empty", DataType::I64, {0, 7});
  add("scalar", DataType::F64, {});
  std::string file = safetensorsFile(tensors);
  uint64_t header;
  std::memcpy(&header, file.data(), 8);
  fuzz(file, 8 + header, [](std::string_view bytes, int i) {
    auto entries = readSafetensors(bytes);
    ASSERT_TRUE(entries.ok() || !entries.status().message().empty()) << i;
    size_t sum = 0; // every byte that an entry claims is there
    for (const auto &item : entries.ok() ? *entries : std::map<std::string, SafetensorsEntry>())
      for (char c : item.second.bytes)
        sum += static_cast<unsigned char>(c);
    EXPECT_LT(sum, 256 * bytes.size() + 1) << i;
  });
}

TEST(Mutations, Artefact) {
  std::string file = modelArtefact();
  fuzz(file, file.size(), [](std::string_view bytes, int i) {
    auto artefact = openArtefactBytes(std::string(bytes));
    ASSERT_TRUE(artefact.ok() || !artefact.status().message().empty()) << i;
    if (artefact.ok()) { // a byte of padding: it must still load, or say why
      auto exe = Executable::load(*artefact);
      EXPECT_TRUE(exe.ok() || !exe.status().message().empty()) << i;
    }
  });
}

// Behind the checksums: a manifest changed by hand reaches the reader of plans.
TEST(Mutations, Manifest) {
  for (const LaunchPlan &seed : {modelPlan(), cudaModelPlan()})
    for (size_t numEntries : {1, 2}) {
      std::vector<NamedPlan> plans = {{"main", &seed}, {"other", &seed}};
      plans.resize(numEntries);
      fuzz(*writeManifest(plans), SIZE_MAX, [](std::string_view bytes, int i) {
        auto read = readManifest(bytes);
        EXPECT_TRUE(read.ok() || !read.status().message().empty()) << i;
      });
    }
}
