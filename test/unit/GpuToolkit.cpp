#include "test/unit/GpuToolkit.h"

#include "test/unit/RuntimeModel.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

namespace tenon::test {

ToolkitPlaces testToolkit() { return ToolkitPlaces::fromEnvironment("", TENON_SOURCE_DIR "/.venv"); }

const Ptxas &realPtxas() {
  static const Ptxas ptxas = [] {
    auto found = Ptxas::find(testToolkit());
    if (!found.ok()) {
      ADD_FAILURE() << found.status().message();
      std::exit(1);
    }
    return found.take();
  }();
  return ptxas;
}

std::string inputText(const std::string &name) { return readAll(TENON_SOURCE_DIR "/test/unit/Inputs/" + name); }

Assembly assembleReal(const std::string &ptx, const char *arch) {
  Assembly assembly = realPtxas().assemble("test", ptx, **findGpuArch(arch));
  EXPECT_TRUE(assembly.status.ok()) << assembly.status.message();
  return assembly;
}

static TemporaryFolder newFolder() {
  auto folder = TemporaryFolder::create("tenon-fake-");
  EXPECT_TRUE(folder.ok()) << folder.status().message();
  return folder.take();
}

FakePtxas::FakePtxas(const std::string &body, const std::string &version) : folder(newFolder()) {
  std::string script = "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'Cuda compilation tools, release x, V" +
                       version + "'; exit 0; fi\n" + body + "\n";
  EXPECT_TRUE(folder.write("ptxas", script).ok());
  chmod(folder.file("ptxas").c_str(), 0700);
}

ToolkitPlaces FakePtxas::places() const {
  ToolkitPlaces places;
  places.ptxas = folder.file("ptxas");
  return places;
}

Ptxas FakePtxas::find(const SubprocessLimits &limits) const {
  auto found = Ptxas::find(places(), limits);
  EXPECT_TRUE(found.ok()) << found.status().message();
  return found.take();
}

} // namespace tenon::test
