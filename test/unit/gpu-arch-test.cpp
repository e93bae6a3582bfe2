// The hardware table against the peak rates that vendors state for the same parts.
#include "lib/Schedule/GpuArch.h"

#include <gtest/gtest.h>

namespace tenon::test {
namespace {

TEST(GpuArch, PeaksAreTheVendors) {
  struct Case {
    const char *name;
    double bf16, tf32, i8, f8, f32; // TFLOP/s or TOP/s, dense
  } cases[] = {
      {"sm_80", 312, 156, 624, 0, 19.5},
      {"sm_86", 154.8, 77.4, 309.7, 0, 38.7},
      {"sm_89", 364.2, 182.1, 728.5, 728.5, 91.1},
      {"sm_90a", 989.4, 494.7, 1978.9, 1978.9, 61.8},
  };
  for (const Case &c : cases) {
    auto arch = findGpuArch(c.name);
    ASSERT_TRUE(arch.ok()) << arch.status().message();
    const GpuRates &rates = (*arch)->rates;
    auto check = [&](double expected, int rate) {
      EXPECT_NEAR((*arch)->peak(rate) / 1e12, expected, 0.002 * expected) << c.name;
    };
    check(c.bf16, rates.tensor16);
    check(c.tf32, rates.tensorTf32);
    check(c.i8, rates.tensor8);
    check(c.f8, rates.tensorF8);
    check(c.f32, rates.f32);
  }
}

TEST(GpuArch, LimitsFitTogether) {
  int before = 0;
  for (const GpuArch &arch : gpuArchs()) {
    EXPECT_LT(before, arch.capability) << "in order";
    before = arch.capability;
    EXPECT_EQ(arch.sharedBytesPerSm, arch.sharedBytesPerBlock + arch.sharedBytesReserved) << arch.name;
    EXPECT_EQ(std::string(arch.name).substr(0, 5), "sm_" + std::to_string(arch.capability));
    EXPECT_EQ(arch.hasTma, arch.maxClusterBlocks > 0) << arch.name;
  }
  EXPECT_EQ((*findGpuArch("sm_90a"))->sharedBytesPerBlock, 232448);
}

TEST(GpuArch, UnknownNames) {
  for (const char *name : {"", "sm_70", "sm_90", "sm_90A", "sm_9", "cuda"}) {
    auto arch = findGpuArch(name);
    ASSERT_FALSE(arch.ok());
    EXPECT_EQ(arch.status().kind(), ErrorKind::InvalidArgument);
    EXPECT_NE(arch.status().message().find("sm_80, sm_86, sm_89, sm_90a"), std::string::npos);
  }
  EXPECT_NE(findGpuArch("sm_90").status().message().find("sm_90a only"), std::string::npos);
}

} // namespace
} // namespace tenon::test
