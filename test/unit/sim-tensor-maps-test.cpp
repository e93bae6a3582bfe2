// Tensor maps at the boundaries of the driver's rules: the simulated driver takes those that a real one took.
#include "lib/Compiler/SimulatedKernels.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"

using namespace tenon;
namespace json = llvm::json;

namespace {

template <typename Number, size_t count>
std::array<Number, count> numbers(const json::Object &map, const char *field) {
  std::array<Number, count> result = {};
  for (auto [index, value] : llvm::enumerate(*map.getArray(field)))
    result[index] = static_cast<Number>(*value.getAsUINT64());
  return result;
}

TEST(SimTensorMaps, AreTakenWhereADriverTookThem) {
  auto file = llvm::MemoryBuffer::getFile(TENON_SOURCE_DIR "/test/sim/device/tensor-maps.json");
  ASSERT_TRUE(file) << file.getError().message();
  llvm::Expected<json::Value> table = json::parse((*file)->getBuffer());
  ASSERT_TRUE(static_cast<bool>(table)) << llvm::toString(table.takeError());
  size_t count = 0, taken = 0, unsimulated = 0;
  for (const auto &[name, value] : *table->getAsObject()->getObject("maps")) {
    const json::Object &map = *value.getAsObject();
    auto mode = [&](const char *field) { return static_cast<int>(*map.getInteger(field)); };
    // In the table an address is a number, or so many bytes behind the begin of an allocation.
    constexpr uint64_t allocation = uint64_t{1} << 32;
    const json::Object *within = map.getObject("address");
    uint64_t address =
        within ? allocation + static_cast<uint64_t>(*within->getInteger("at")) : *map.get("address")->getAsUINT64();
    auto box = numbers<uint32_t, 6>(map, "box"), steps = numbers<uint32_t, 6>(map, "steps");
    cuda::CUtensorMap encoded;
    Status status = simulated::encodeMap(&encoded, mode("type"), static_cast<uint32_t>(mode("rank")),
                                         reinterpret_cast<void *>(address), numbers<uint64_t, 6>(map, "sizes").data(),
                                         numbers<uint64_t, 6>(map, "strides").data(), box.data(), steps.data(),
                                         mode("interleave"), mode("swizzle"), mode("promotion"), mode("fill"));
    bool isRefused = !status.ok() && status.kind() == ErrorKind::InvalidArgument;
    EXPECT_EQ(isRefused, mode("answer") != 0) << name.str() << ": " << status.message();
    bool isTf32 = mode("type") == 11 && mode("fill") == 0;
    bool needsMore = (mode("type") > 9 && !isTf32) || mode("interleave") != 0 ||
                     std::any_of(steps.begin(), steps.end(), [](uint32_t step) { return step > 1; });
    EXPECT_EQ(status.ok(), !isRefused && !needsMore) << name.str();
    ++count;
    taken += status.ok();
    unsimulated += !status.ok() && !isRefused;
  }
  EXPECT_EQ(count, 338U);
  EXPECT_EQ(taken, 126U);
  EXPECT_EQ(unsimulated, 44U); // of those that a driver took
}

} // namespace
