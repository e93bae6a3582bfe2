#include "test/unit/FakeCuda.h"

#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>

namespace tenon::test {

// The runtime looks for the library of ranges once a process, before the first launch, whichever test that is in.
[[maybe_unused]] static const int rangesAreFake = ::setenv("TENON_NVTX", TENON_FAKE_CUDA, 1);

FakeCuda::FakeCuda(const std::string &path) {
  std::string library = path.empty() ? TENON_FAKE_CUDA : path;
  void *handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    std::fprintf(stderr, "%s\n", ::dlerror());
    std::abort();
  }
  auto find = [&](const char *name, auto &into) {
    into = reinterpret_cast<std::decay_t<decltype(into)>>(::dlsym(handle, name));
    if (!into)
      std::abort();
  };
  find("fakeReset", reset);
  find("fakeFail", fail);
  find("fakeFailKernel", failKernel);
  find("fakeCalls", calls);
  find("fakeLive", live);
  find("fakeLeaked", leaked);
  find("fakeViolations", violations);
  find("fakeAddKernel", addKernel);
  find("fakeSetMemory", setMemory);
  find("fakeSetVersion", setVersion);
  find("fakeSetCapability", setCapability);
  find("fakeRanges", ranges);
  reset();
  ::setenv("TENON_CUDA_DRIVER", library.c_str(), 1);
}

FakeCuda::~FakeCuda() { ::unsetenv("TENON_CUDA_DRIVER"); }

} // namespace tenon::test
