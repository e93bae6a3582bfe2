// The cubin cache: what is kept comes back, whatever is damaged does not, and no trouble of the disk is the compiler's.
#include "lib/Support/Version.h"
#include "lib/Target/CubinGeneration.h"
#include "test/unit/GpuToolkit.h"
#include "test/unit/RuntimeModel.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace tenon::test {
namespace {

struct Folder {
  TemporaryFolder folder = TemporaryFolder::create("tenon-cache-").take();
  std::mutex mutex;
  std::vector<std::string> lines;
  CubinCache::Log log() {
    return [this](const std::string &line) {
      std::lock_guard<std::mutex> lock(mutex);
      lines.push_back(line);
    };
  }
  std::string path() const { return folder.file("cache/inner"); }
};

const CubinKey key = {"0.1.0", "13.0.88", "sm_90a", "text of the PTX"};
const CubinEntry entry = {std::string("cubin\0bytes", 11), "log\n"};

size_t numFiles(const std::string &folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(CubinCache, KeepsByTheWholeKey) {
  Folder folder;
  CubinCache cache(folder.path() + "/", folder.log());
  ASSERT_TRUE(cache.isOn());
  struct stat info;
  ASSERT_EQ(stat(folder.path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  EXPECT_FALSE(cache.load(key));
  cache.store(key, entry);
  auto loaded = CubinCache(folder.path(), folder.log()).load(key);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->cubin, entry.cubin);
  EXPECT_EQ(loaded->log, entry.log);
  for (CubinKey other :
       {CubinKey{"0.1.1", key.assembler, key.arch, key.ptx}, CubinKey{key.compiler, "13.0.89", key.arch, key.ptx},
        CubinKey{key.compiler, key.assembler, "sm_80", key.ptx},
        CubinKey{key.compiler, key.assembler, key.arch, key.ptx + " "}}) {
    EXPECT_NE(cache.pathOf(other), cache.pathOf(key));
    EXPECT_FALSE(cache.load(other));
    // Not even under its name.
    fs::copy_file(cache.pathOf(key), cache.pathOf(other));
    EXPECT_FALSE(cache.load(other));
    EXPECT_FALSE(fs::exists(cache.pathOf(other)));
  }
  EXPECT_EQ(folder.lines.size(), 4u);
  cache.store(key, {"", ""});
  EXPECT_EQ(cache.load(key)->cubin, "");
}

TEST(CubinCache, DamagedEntriesAreMisses) {
  Folder folder;
  CubinCache cache(folder.path(), folder.log());
  cache.store(key, entry);
  std::string whole = readAll(cache.pathOf(key));
  std::vector<std::string> damaged;
  for (size_t at = 0; at < whole.size(); ++at) { // every byte changed, and the file cut there
    damaged.push_back(whole);
    damaged.back()[at] = static_cast<char>(damaged.back()[at] ^ (1 << at % 8));
    damaged.push_back(whole.substr(0, at));
  }
  damaged.push_back(whole + "x");
  damaged.push_back(whole + whole);
  for (const char *lengths :
       {"log 999999999\ncubin 11", "log 4\ncubin 99999999999999999999", "log 15\ncubin 0", "log 4"}) {
    damaged.push_back(whole);
    damaged.back().replace(whole.find("log 4"), sizeof("log 4\ncubin 11") - 1, lengths);
  }
  EXPECT_GT(damaged.size(), 200u);
  for (const std::string &file : damaged) {
    folder.lines.clear();
    std::ofstream(cache.pathOf(key), std::ios::binary) << file; // no fsync: there are many
    EXPECT_FALSE(cache.load(key));
    EXPECT_FALSE(fs::exists(cache.pathOf(key)));
    ASSERT_EQ(folder.lines.size(), 1u);
    EXPECT_NE(folder.lines[0].find(cache.pathOf(key)), std::string::npos);
  }
  // A link and a folder under its name.
  ASSERT_TRUE(folder.folder.write("elsewhere", whole).ok());
  fs::create_symlink(folder.folder.file("elsewhere"), cache.pathOf(key));
  EXPECT_FALSE(cache.load(key));
  fs::create_directory(cache.pathOf(key));
  EXPECT_FALSE(cache.load(key));
  cache.store(key, entry);
  EXPECT_FALSE(cache.load(key));
}

TEST(CubinCache, RunsWithoutWhereItCannot) {
  Folder folder;
  EXPECT_FALSE(CubinCache("", folder.log()).isOn());
  EXPECT_TRUE(folder.lines.empty());
  ASSERT_TRUE(folder.folder.write("file", "").ok());
  for (const std::string &path :
       {folder.folder.file("file"), folder.folder.file("file/inner"), std::string("/proc/tenon")}) {
    folder.lines.clear();
    CubinCache cache(path, folder.log());
    EXPECT_FALSE(cache.isOn());
    ASSERT_EQ(folder.lines.size(), 1u) << path;
    EXPECT_NE(folder.lines[0].find("TENON_CACHE_DIR"), std::string::npos);
    cache.store(key, entry);
    EXPECT_FALSE(cache.load(key));
    EXPECT_EQ(folder.lines.size(), 1u);
  }
  fs::create_directory_symlink("/tmp", folder.folder.file("link"));
  EXPECT_FALSE(CubinCache(folder.folder.file("link"), folder.log()).isOn());

  // No space: one line, and what is there stays.
  CubinCache cache(folder.path(), folder.log());
  cache.store(key, entry);
  folder.lines.clear();
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small{100, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  for (const char *name : {"a", "b", "c"})
    cache.store({key.compiler, key.assembler, key.arch, name}, entry);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(folder.lines.size(), 1u);
  EXPECT_EQ(numFiles(folder.path()), 1u) << "no half file is left";
  EXPECT_TRUE(cache.load(key));
}

TEST(CubinCache, DefaultFolder) {
  auto with = [](const char *own, const char *xdg, const char *home) {
    pid_t child = fork(); // the environment stays as it is here
    if (child == 0) {
      for (auto [name, value] : {std::pair("TENON_CACHE_DIR", own), {"XDG_CACHE_HOME", xdg}, {"HOME", home}})
        value ? setenv(name, value, 1) : unsetenv(name);
      std::string folder = CubinCache::defaultFolder();
      _exit(folder == "/own"                 ? 1
            : folder == "/xdg/tenon"         ? 2
            : folder == "/home/.cache/tenon" ? 3
            : folder.empty()                 ? 4
                                             : 5);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  };
  EXPECT_EQ(with("/own", "/xdg", "/home"), 1);
  EXPECT_EQ(with(nullptr, "/xdg", "/home"), 2);
  EXPECT_EQ(with(nullptr, "", "/home"), 3);
  EXPECT_EQ(with(nullptr, "relative", nullptr), 4);
  EXPECT_EQ(with("", "/xdg", "/home"), 4);
}

TEST(CubinCache, ManyProcessesAtOnce) {
  Folder folder;
  std::string path = folder.path();
  std::vector<pid_t> children;
  for (int number = 0; number < 64; ++number) {
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      int complaints = 0;
      CubinCache cache(path, [&](const std::string &) { ++complaints; });
      bool ok = cache.isOn();
      for (int round = 0; round < 3; ++round) {
        CubinKey shared = {"1", "2", "sm_80", "kernel " + std::to_string((number + round) % 4)};
        char mine = static_cast<char>('0' + number);
        cache.store(shared, {std::string(20000, mine), std::string(100, mine)});
        std::optional<CubinEntry> got = cache.load(shared);
        // Another's, perhaps, but one's alone.
        ok &= got && got->cubin == std::string(20000, got->cubin[0]) && got->log == std::string(100, got->cubin[0]);
      }
      _exit(ok && complaints == 0 ? 0 : 1);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(numFiles(path), 4u);
}

TEST(CubinGeneration, InParallelThenFromTheCache) {
  Folder folder;
  CubinCache cache(folder.path(), folder.log());
  const GpuArch &arch = **findGpuArch("sm_80");
  std::string good = inputText("opcodes-sm80.ptx"), bad = good, plain = good;
  bad.replace(bad.find("membar.gl"), 9, "membra.gl");
  std::vector<CubinRequest> requests;
  for (int number = 0; number < 6; ++number)
    requests.push_back(
        {"k" + std::to_string(number), good + "// " + std::to_string(number) + "\n", {{"opcodes", 0, true}}});
  requests[2].ptx = bad;
  requests[4].kernels = {{"another"}};
  for (bool again : {false, true}) {
    auto results = generateCubins(requests, arch, realPtxas(), cache, 3);
    ASSERT_EQ(results.size(), 6u);
    for (size_t index : {0, 1, 3, 5}) {
      ASSERT_TRUE(results[index].ok()) << results[index].status().message();
      EXPECT_EQ(results[index]->wasCached, again);
      EXPECT_EQ(results[index]->facts.at(0).code.count("HMMA"), 2);
      EXPECT_EQ(results[index]->cubin, results[0]->cubin);
    }
    EXPECT_NE(results[2].status().message().find("kernel 'k2': ptxas rejects"), std::string::npos);
    EXPECT_NE(results[4].status().message().find("'another'"), std::string::npos);
  }
  // A damaged entry costs one assembly; a gate is checked although the cubin is cached.
  CubinKey first = {version, realPtxas().version(), arch.name, requests[0].ptx};
  fs::resize_file(cache.pathOf(first), 100);
  requests[1].kernels[0].dynamicSharedBytes = 1 << 20;
  auto results = generateCubins(requests, arch, realPtxas(), cache);
  EXPECT_TRUE(results[0].ok() && !results[0]->wasCached);
  EXPECT_NE(results[1].status().message().find("shared-memory"), std::string::npos);
  EXPECT_EQ(folder.lines.size(), 1u);
  EXPECT_TRUE(generateCubins({}, arch, realPtxas(), cache).empty());
}

/// More values alive than 24 registers hold.
std::string manyValues(const std::string &bounds) {
  std::string loads, stores;
  for (int i = 0; i < 40; ++i) {
    loads += "ld.volatile.global.f32 f" + std::to_string(i) + ", [d+" + std::to_string(4 * i) + "];\n";
    stores += "st.volatile.global.f32 [d+" + std::to_string(4 * i) + "], f" + std::to_string(39 - i) + ";\n";
  }
  return ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k(.param .u64 p)\n.reqntid 32, 1, 1\n" +
         bounds + "{ .reg .f32 f<40>; .reg .b64 d; ld.param.u64 d, [p];\n" + loads + stores + "ret; }\n";
}

// ptxas may leave itself few registers so that one CTA more fits a multiprocessor, and spill. The first does until it
// is told that one CTA is enough, the second, which is told so, until it has the option.
TEST(CubinGeneration, SpillsAreAssembledAgain) {
  for (auto [unless, bounds] : {std::pair("grep -q minnctapersm kernel.ptx", ""),
                                std::pair("echo \"$*\" | grep -q -- --register-usage-level=0", ".minnctapersm 1\n")}) {
    FakePtxas sparing(std::string("test ! -f kernel.ptx || ") + unless +
                      " || sed -i '/^.minnctapersm/d; s/^.reqntid.*/&\\n.maxnreg 24/' kernel.ptx\nexec " +
                      realPtxas().path() + " \"$@\"");
    std::string ptx = manyValues(bounds);
    Folder folder;
    CubinCache cache(folder.path(), folder.log());
    auto results = generateCubins({{"k", ptx, {{"k"}}}}, **findGpuArch("sm_80"), sparing.find(), cache);
    ASSERT_TRUE(results[0].ok()) << results[0].status().message();
    EXPECT_GT(results[0]->facts.at(0).info.registers, 24);
    EXPECT_TRUE(results[0]->isSecondTry);
    auto atOnce = generateCubins({{"k", forSecondTry(ptx), {{"k"}}}}, **findGpuArch("sm_80"), sparing.find(), cache);
    EXPECT_TRUE(atOnce[0].ok() && atOnce[0]->wasCached && !atOnce[0]->isSecondTry);
  }
}

} // namespace
} // namespace tenon::test
