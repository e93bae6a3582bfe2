// Finding and opening the CUDA driver, and the declarations that stand for cuda.h.
#include "test/unit/CudaModel.h"

#include "lib/Runtime/CudaDevice.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

using namespace tenon;
using namespace tenon::test;

// A fake of its own: an opened driver is kept by its path, and these must fail to open.
static std::string copyOfFake(const std::string &name) {
  std::string path = temporaryPath(name);
  std::ofstream(path, std::ios::binary) << readAll(TENON_FAKE_CUDA);
  return path;
}

static void expectRefused(ErrorKind kind, std::initializer_list<const char *> texts) {
  auto driver = cuda::Driver::get();
  ASSERT_FALSE(driver.ok());
  EXPECT_EQ(driver.status().kind(), kind) << driver.status().message();
  for (const char *text : texts)
    EXPECT_NE(driver.status().message().find(text), std::string::npos) << text << " | " << driver.status().message();
}

TEST(CudaDriver, MissingIsNotFoundWithTheRemedy) {
  setenv("TENON_CUDA_DRIVER", "/nonexistent/libcuda.so.1", 1);
  expectRefused(ErrorKind::NotFound, {"no CUDA driver", "/nonexistent/libcuda.so.1", "TENON_CUDA_DRIVER names it"});
  setenv("TENON_CUDA_DRIVER", TENON_TEST_KERNELS, 1);
  expectRefused(ErrorKind::Unsupported, {"is not a CUDA driver"});
  unsetenv("TENON_CUDA_DRIVER");
}

TEST(CudaDriver, TooOldNamesBothVersions) {
  FakeCuda fake(copyOfFake("old.so"));
  fake.setVersion(11080);
  expectRefused(ErrorKind::Unsupported, {"speaks CUDA 11.8, at least 12.0 is needed", "update the NVIDIA driver"});
  fake.setVersion(12000); // mended: asked again
  EXPECT_TRUE(cuda::Driver::get().ok());
}

TEST(CudaDriver, NoGpuOrNoStart) {
  FakeCuda fake(copyOfFake("none.so"));
  fake.fail("cuInit", 0, cuda::CUDA_ERROR_NO_DEVICE);
  expectRefused(ErrorKind::NotFound, {"finds no GPU", "CUDA_VISIBLE_DEVICES", "compile the model for the CPU"});
  fake.fail("cuInit", 0, 803);
  expectRefused(ErrorKind::Unsupported, {"cannot start", "(803)", "driver and kernel module"});
  fake.fail("cuInit", 0, 0);
  EXPECT_TRUE(cuda::Driver::get().ok());
}

TEST(CudaDriver, GpusAreNumberedAndShared) {
  FakeCuda fake;
  EXPECT_EQ(*cuda::Device::count(), 2);
  auto device = cuda::Device::open(1);
  ASSERT_TRUE(device.ok()) << device.status().message();
  EXPECT_EQ((*device)->name(), "cuda:1 (Fake GPU)");
  EXPECT_EQ((*device)->capability(), 90);
  EXPECT_EQ(cuda::Device::open(1)->get(), device->get());
  for (int index : {-1, 2}) {
    auto none = cuda::Device::open(index);
    ASSERT_FALSE(none.ok());
    EXPECT_EQ(none.status().kind(), ErrorKind::InvalidArgument);
    EXPECT_NE(none.status().message().find("this process sees 2"), std::string::npos) << none.status().message();
  }
}

TEST(CudaDriver, ErrorsHaveAClass) {
  using cuda::classify;
  using C = cuda::ErrorClass;
  for (int result : {4, 214, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 999})
    EXPECT_EQ(classify(result), C::Fatal) << result;
  for (int result : {1, 100, 200, 201, 400, 500, 701, 720, 900, 912})
    EXPECT_EQ(classify(result), C::Caller) << result;
  EXPECT_EQ(classify(2), C::Recoverable);
  EXPECT_EQ(classify(0), C::None);
}
