// The assembler as a subprocess: where it is searched for, and every way in which a run can end.
#include "test/unit/GpuToolkit.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <sys/stat.h>

namespace fs = std::filesystem;

namespace tenon::test {
namespace {

const GpuArch &arch(const char *name) { return **findGpuArch(name); }

/// `text` contains every one of `parts`.
void expectAll(const std::string &text, std::initializer_list<const char *> parts) {
  for (const char *part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << "no '" << part << "' in: " << text;
}

/// Temporary folders of ours under a TMPDIR of our own while a test runs.
struct OwnTemporary {
  TemporaryFolder folder = TemporaryFolder::create("tenon-test-").take();
  std::string before = std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "";
  OwnTemporary() { setenv("TMPDIR", folder.path().c_str(), 1); }
  ~OwnTemporary() {
    if (before.empty())
      unsetenv("TMPDIR");
    else
      setenv("TMPDIR", before.c_str(), 1);
  }
  size_t numLeft() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()));
  }
};

TEST(Ptxas, SearchOrder) {
  TemporaryFolder folder = TemporaryFolder::create("tenon-search-").take();
  auto install = [&](const std::string &path) {
    fs::create_directories(fs::path(folder.file(path)).parent_path());
    EXPECT_TRUE(folder.write(path, "#!/bin/sh\n").ok());
    chmod(folder.file(path).c_str(), 0700);
    return folder.file(path);
  };
  ToolkitPlaces places;
  places.path = {folder.file("path1"), folder.file("path2")};
  places.cudaHome = folder.file("home");
  places.usualRoot = folder.file("usual");
  places.pythonPrefix = folder.file("venv");

  auto none = findPtxas(places);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.status().kind(), ErrorKind::NotFound);
  expectAll(none.status().message(), {"path1/ptxas", "path2/ptxas", "home/bin/ptxas", "usual/bin/ptxas", "venv/lib",
                                      "TENON_PTXAS is not set", "pip install", "nvidia-cuda-nvcc==13.0.88"});

  // From the last place to the first.
  std::vector<std::string> order = {"venv/lib/python3.11/site-packages/nvidia/cuda_nvcc/bin/ptxas",
                                    "venv/lib/python3.11/site-packages/nvidia/cu13/bin/ptxas",
                                    "usual/bin/ptxas",
                                    "home/bin/ptxas",
                                    "path2/ptxas",
                                    "path1/ptxas"};
  for (const std::string &place : order) {
    std::string path = install(place);
    auto found = findPtxas(places);
    ASSERT_TRUE(found.ok()) << found.status().message();
    EXPECT_EQ(*found, path);
  }
  places.ptxasVariable = install("variable/ptxas");
  EXPECT_EQ(*findPtxas(places), places.ptxasVariable);
  places.ptxas = install("option/ptxas");
  EXPECT_EQ(*findPtxas(places), places.ptxas);

  // Who names one does not get another.
  chmod(places.ptxas.c_str(), 0600);
  expectAll(findPtxas(places).status().message(), {"option/ptxas", "the option", "no executable file"});
  places.ptxas.clear();
  fs::remove(places.ptxasVariable);
  expectAll(findPtxas(places).status().message(), {"variable/ptxas", "TENON_PTXAS"});

  auto library = findLibdevice(places, folder.file("home/bin/ptxas"));
  ASSERT_FALSE(library.ok());
  expectAll(library.status().message(), {"home/nvvm/libdevice/libdevice.10.bc", "cu13", "nvidia-nvvm==13.0.88"});
  std::string bitcode = install("venv/lib/python3.11/site-packages/nvidia/cu13/nvvm/libdevice/libdevice.10.bc");
  EXPECT_EQ(*findLibdevice(places, ""), bitcode);
  bitcode = install("home/nvvm/libdevice/libdevice.10.bc");
  EXPECT_EQ(*findLibdevice(places, folder.file("home/bin/ptxas")), bitcode);
}

TEST(Ptxas, EnvironmentIsRead) {
  setenv("TENON_PTXAS", "/somewhere/ptxas", 1);
  ToolkitPlaces places = ToolkitPlaces::fromEnvironment("", "/venv");
  unsetenv("TENON_PTXAS");
  EXPECT_EQ(places.ptxasVariable, "/somewhere/ptxas");
  EXPECT_EQ(places.pythonPrefix, "/venv");
  EXPECT_FALSE(places.path.empty());
}

TEST(Ptxas, Versions) {
  EXPECT_EQ(FakePtxas("").find().version(), "13.0.88");
  Ptxas old = FakePtxas("", "11.8.89").find();
  Status status = old.checkSupports(arch("sm_90a"));
  EXPECT_EQ(status.kind(), ErrorKind::Unsupported);
  expectAll(status.message(), {"11.8.89", "sm_90a", "12.4", "TENON_PTXAS"});
  EXPECT_TRUE(FakePtxas("", "12.0.76").find().checkSupports(arch("sm_80")).ok());
  EXPECT_TRUE(FakePtxas("", "12.4.99").find().checkSupports(arch("sm_90a")).ok());
  EXPECT_FALSE(FakePtxas("", "12.3.107").find().checkSupports(arch("sm_90a")).ok());
  EXPECT_FALSE(FakePtxas("", "12.3.107").find().checkSupports(arch("sm_89")).ok());
  auto none = Ptxas::find(FakePtxas("", "unknown").places());
  EXPECT_FALSE(none.ok());
  FakePtxas old13("exit 0", "11.0.1");
  EXPECT_EQ(old13.find().assemble("k", "", arch("sm_80")).end, Assembly::End::NotRun);
}

TEST(Ptxas, EveryEnd) {
  using End = Assembly::End;
  OwnTemporary temporary;
  SubprocessLimits limits;
  limits.cpuSeconds = 7;
  limits.outputBytes = 1 << 16;
  limits.fileBytes = 1 << 16;
  struct Case {
    const char *body;
    End end;
    std::initializer_list<const char *> message;
  } cases[] = {
      {"printf cubin > kernel.cubin", End::Assembled, {}},
      {"kill -SEGV $$", End::Crashed, {"kernel 'k'", "signal 11", "TENON_PTXAS"}},
      {"echo before >&2; kill -ABRT $$", End::Crashed, {"it printed last: before"}},
      {"sleep 30", End::TimedOut, {"0.3"}},
      {"sleep 30 & exec >/dev/null 2>&1; wait", End::TimedOut, {}},
      {"trap '' TERM INT; while :; do :; done", End::TimedOut, {}},
      {"sleep 30 & printf cubin > kernel.cubin", End::Assembled, {}}, // its child holds the pipe
      {"kill -XCPU $$", End::TimedOut, {"7 s of the processor"}},
      {"test $(ulimit -S -t) = 7 && test $(ulimit -c) = 0 && printf c > kernel.cubin", End::Assembled, {}},
      {"exit 3", End::Crashed, {"exits with 3 and without an error"}},
      {"exit 0", End::NotRun, {"wrote no cubin"}},
      {"yes", End::TimedOut, {}},
      {"head -c 100000 /dev/zero >&2", End::Crashed, {"printed more than 65536 bytes"}},
      {"head -c 200000 /dev/zero > kernel.cubin || kill -XFSZ $$", End::Crashed, {"signal"}},
      {"echo 'ptxas kernel.ptx, line 2; error   : Unknown symbol'\\''x'\\'' ' >&2; exit 255",
       End::Rejected,
       {"line 2; error", "2 | second", "m.mlir:7:3"}},
      {"echo \"ptxas fatal   : (C7602) Insufficient registers\" >&2; exit 255", End::Rejected, {"C7602"}},
      {"echo 'ptxas error   : uses too much shared data (0x101d0 bytes, 0xc000 max)' >&2; exit 255",
       End::Rejected,
       {"0x101d0"}},
      {"echo 'ptxas info    : Compiling entry function' >&2; printf c > kernel.cubin", End::Crashed, {"form Tenon"}},
      {"cat kernel.ptx > kernel.cubin; test \"$2 $3 $4 $5 $6\" = '-O3 -arch=sm_80 kernel.ptx -o kernel.cubin'",
       End::Assembled,
       {}},
      {"test -z \"$TENON_SECRET\" && test \"$PWD\" = \"$TMPDIR\" && printf c > kernel.cubin", End::Assembled, {}},
  };
  setenv("TENON_SECRET", "x", 1);
  for (const Case &c : cases) {
    FakePtxas fake(c.body);
    limits.wallTime = std::chrono::milliseconds(c.end == End::TimedOut ? 300 : 60000);
    Ptxas ptxas = fake.find(limits);
    size_t before = temporary.numLeft(); // the fake's own folder
    Assembly assembly = ptxas.assemble("k", ".loc 1 7 3 // m.mlir:7:3\nsecond\n", arch("sm_80"));
    EXPECT_EQ(static_cast<int>(assembly.end), static_cast<int>(c.end)) << c.body << ": " << assembly.status.message();
    EXPECT_EQ(assembly.status.ok(), c.end == End::Assembled) << c.body;
    expectAll(assembly.status.message(), c.message);
    EXPECT_EQ(temporary.numLeft(), before) << c.body << " left its folder";
  }
  unsetenv("TENON_SECRET");

  FakePtxas gone("exit 0");
  Ptxas ptxas = gone.find();
  fs::remove(gone.folder.file("ptxas"));
  Assembly notRun = ptxas.assemble("k", "", arch("sm_80"));
  EXPECT_EQ(static_cast<int>(notRun.end), static_cast<int>(End::NotRun));
  expectAll(notRun.status.message(), {"cannot start", "No such file"});
}

TEST(Ptxas, LogInNumbers) {
  auto log = parsePtxasLog("ptxas info    : 0 bytes gmem\n"
                           "ptxas info    : Compiling entry function 'a' for 'sm_80'\n"
                           "ptxas info    : Function properties for a\n"
                           "    16 bytes stack frame, 8 bytes spill stores, 12 bytes spill loads\n"
                           "ptxas info    : Function properties for helper\n"
                           "    32 bytes stack frame, 4 bytes spill stores, 0 bytes spill loads\n"
                           "ptxas info    : Used 168 registers, used 16 barriers, 6000 bytes smem, 360 bytes cmem[0]\n"
                           "ptxas info    : Compile time = 17.329 ms\n"
                           "ptxas info    : (C7514) Potential Performance Loss: serialized in function 'b'\n"
                           "ptxas info    : Compiling entry function 'b' for 'sm_80'\n"
                           "ptxas info    : Function properties for b\n"
                           "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
                           "ptxas info    : Used 6 registers, used 0 barriers\n");
  ASSERT_TRUE(log.ok()) << log.status().message();
  ASSERT_EQ(log->kernels.size(), 2u);
  const PtxasKernelInfo &a = *log->find("a"), &b = *log->find("b");
  EXPECT_EQ(a.registers, 168);
  EXPECT_EQ(a.barriers, 16);
  EXPECT_EQ(a.sharedBytes, 6000);
  EXPECT_EQ(a.stackBytes, 16);
  EXPECT_EQ(a.spillStoreBytes, 12);
  EXPECT_EQ(a.spillLoadBytes, 12);
  EXPECT_EQ(b.registers, 6);
  EXPECT_EQ(b.spillStoreBytes + b.spillLoadBytes + b.sharedBytes, 0);
  ASSERT_EQ(log->codedLines.size(), 1u);
  EXPECT_TRUE(log->error.empty());
  EXPECT_EQ(stripPtxasTimes("a\nptxas info    : Compile time = 1 ms\nb\n"), "a\nb\n");
  for (const char *line : {"    many bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n",
                           "    0 bytes stack frame, 0 spilled bytes\n"})
    EXPECT_EQ(parsePtxasLog(line).status().kind(), ErrorKind::Corrupt) << line;
}

TEST(Ptxas, RealOneAssemblesAndRejects) {
  std::string ptx = inputText("opcodes-sm80.ptx");
  Assembly first = assembleReal(ptx, "sm_80"), second = assembleReal(ptx, "sm_80");
  EXPECT_EQ(first.cubin, second.cubin) << "the same input gives the same bytes";
  EXPECT_EQ(first.log, second.log);
  auto log = parsePtxasLog(first.log);
  ASSERT_TRUE(log.ok()) << log.status().message();
  EXPECT_EQ(log->kernels.at(0).stackBytes, 256);
  size_t at = ptx.find("membar.gl");
  Assembly wrong = realPtxas().assemble("broken", ptx.replace(at, 9, "membra.gl"), arch("sm_80"));
  EXPECT_EQ(static_cast<int>(wrong.end), static_cast<int>(Assembly::End::Rejected));
  expectAll(wrong.status.message(), {"kernel 'broken'", "membra", "| "});
}

} // namespace
} // namespace tenon::test
