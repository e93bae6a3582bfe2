// Inside a cubin: the census of machine instructions against real ones, the gates, and files that are none.
#include "lib/Target/CubinGates.h"
#include "test/unit/GpuToolkit.h"
#include "test/unit/RuntimeModel.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <sstream>

namespace tenon::test {
namespace {

const GpuArch &arch(const char *name) { return **findGpuArch(name); }

std::string replaced(std::string text, const std::string &from, const std::string &to) {
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

CubinFunction onlyFunction(const std::string &ptx, const char *archName) {
  auto cubin = readCubin(assembleReal(ptx, archName).cubin);
  if (!cubin.ok() || cubin->functions.size() != 1) {
    ADD_FAILURE() << cubin.status().message();
    return {};
  }
  EXPECT_TRUE(cubin->functions[0].isKernel);
  return cubin->functions[0];
}

TEST(Cubin, OpcodesAreWhatPtxasWrites) {
  struct Case {
    const char *name;
    int64_t atLeast, atMost;
  };
  const int64_t any = 1000;
  std::string ampere = inputText("opcodes-sm80.ptx");
  for (const char *name : {"sm_80", "sm_86", "sm_89"}) {
    CubinFunction code = onlyFunction(ampere, name);
    for (const Case &c :
         {Case{"HMMA", 2, 2},  Case{"IMMA", 1, 1},     Case{"DMMA", 1, 1},   Case{"FFMA", 5, 5},    Case{"HFMA2", 1, 1},
          Case{"MUFU", 2, 2},  Case{"F2FP", 1, 1},     Case{"LDGSTS", 1, 1}, Case{"LDSM", 1, 1},    Case{"LDG", 6, 6},
          Case{"STG", 9, 9},   Case{"LDS", 1, any},    Case{"STS", 1, 1},    Case{"LDL", 1, 1},     Case{"STL", 1, 1},
          Case{"BAR", 1, 1},   Case{"MEMBAR", 1, any}, Case{"SHFL", 2, any}, Case{"ATOMG", 1, any}, Case{"EXIT", 1, 1},
          Case{"HGMMA", 0, 0}, Case{"UTMALDG", 0, 0},  Case{"SYNCS", 0, 0}}) {
      EXPECT_GE(code.count(c.name), c.atLeast) << c.name << " on " << name;
      EXPECT_LE(code.count(c.name), c.atMost) << c.name << " on " << name;
    }
    EXPECT_EQ(code.numTensorCore(), 4) << name;
  }
  std::string fp8 = replaced(replaced(ampere, "version 8.0", "version 8.4"), "m16n8k8.row.col.f32.tf32.tf32.f32",
                             "m16n8k32.row.col.f32.e4m3.e4m3.f32");
  EXPECT_EQ(onlyFunction(replaced(fp8, "sm_80", "sm_89"), "sm_89").count("QMMA"), 1);

  CubinFunction hopper = onlyFunction(inputText("opcodes-sm90a.ptx"), "sm_90a");
  for (const Case &c :
       {Case{"HGMMA", 2, 2}, Case{"QGMMA", 2, 2}, Case{"IGMMA", 2, 2}, Case{"WARPGROUP", 2, any}, Case{"UTMALDG", 1, 1},
        Case{"UTMASTG", 1, 1}, Case{"UBLKCP", 1, 1}, Case{"SYNCS", 3, any}, Case{"STSM", 1, 1}, Case{"HMMA", 0, 0}}) {
    EXPECT_GE(hopper.count(c.name), c.atLeast) << c.name;
    EXPECT_LE(hopper.count(c.name), c.atMost) << c.name;
  }
  EXPECT_EQ(hopper.numTensorCore(), 6);
}

TEST(Cubin, TableHasOneNameForACode) {
  std::vector<int> seen(1 << 12);
  for (const SassOpcode &opcode : sassOpcodes()) {
    ASSERT_LT(opcode.code, seen.size());
    EXPECT_EQ(seen[opcode.code]++, 0) << opcode.name;
  }
}

/// Two kernels and a function that one of them calls, with static shared memory in one.
const char *const twoKernels = R"(.version 8.0
.target sm_80
.address_size 64
.func (.param .b32 result) helper(.param .b32 x)
{ .reg .b32 r; ld.param.b32 r, [x]; mul.lo.s32 r, r, r; st.param.b32 [result], r; ret; }
.visible .entry first(.param .u64 out)
{ .reg .b64 d; .reg .b32 r; .shared .align 4 .b8 tile[6000]; ld.param.u64 d, [out]; mov.u32 r, %tid.x;
  st.shared.u32 [tile], r; bar.sync 0; ld.shared.u32 r, [tile+4]; st.global.u32 [d], r; ret; }
.visible .entry second(.param .u64 out)
{ .reg .b64 d; .reg .b32 r; ld.param.u64 d, [out]; mov.u32 r, %tid.x;
  { .param .b32 x; .param .b32 result; st.param.b32 [x], r; call (result), helper, (x); ld.param.b32 r, [result]; }
  st.global.u32 [d], r; ret; }
)";

TEST(Cubin, SeveralKernels) {
  Assembly assembly = assembleReal(twoKernels, "sm_80");
  auto cubin = readCubin(assembly.cubin);
  ASSERT_TRUE(cubin.ok()) << cubin.status().message();
  ASSERT_TRUE(cubin->find("first") && cubin->find("second"));
  EXPECT_TRUE(cubin->find("first")->isKernel);
  EXPECT_TRUE(cubin->find("second")->isKernel);
  EXPECT_GT(cubin->find("second")->numInstructions, 10) << "what it calls lies in its section";
  auto facts = checkCubin(assembly.cubin, assembly.log, arch("sm_80"), {{"second"}, {"first", 1000}});
  ASSERT_TRUE(facts.ok()) << facts.status().message();
  EXPECT_EQ(facts->at(0).info.name, "second");
  EXPECT_EQ(facts->at(1).info.sharedBytes, 6000);
  EXPECT_EQ(facts->at(1).code.count("BAR"), 1);
}

TEST(CubinGates, EachFailsByItsNumber) {
  Assembly assembly = assembleReal(twoKernels, "sm_80");
  auto log = [](const char *line) {
    return "ptxas info    : Compiling entry function 'first' for 'sm_80'\n"
           "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
           "ptxas info    : Used 40 registers, used 1 barriers, 6000 bytes smem\n"
           "ptxas info    : Compiling entry function 'second' for 'sm_80'\n" +
           std::string(line) + "\nptxas info    : Used 255 registers, used 0 barriers\n";
  };
  struct Case {
    std::string log;
    KernelExpectation expected;
    ErrorKind kind;
    std::vector<const char *> message;
  } cases[] = {
      {log("    8 bytes stack frame, 8 bytes spill stores, 12 bytes spill loads"),
       {"second"},
       ErrorKind::Internal,
       {"kernel 'second' for sm_80", "no-spills", "8 bytes of spill stores and 12", "255 registers", "smaller tile"}},
      {log("ptxas info    : (C7514) Potential Performance Loss: serialized in function 'second'"),
       {"second"},
       ErrorKind::Internal,
       {"kernel 'second'", "no-coded-lines", "(C7514)", "wait_group 0"}},
      {log("ptxas info    : (C7999) Something new"), {"first"}, ErrorKind::Internal, {"no-coded-lines", "(C7999)"}},
      {assembly.log,
       {"first", 163 * 1024 - 5999},
       ErrorKind::Internal,
       {"kernel 'first'", "shared-memory", "6000 static and 160913 dynamic", "166912", "fewer stages"}},
      {assembly.log, {"first", -1}, ErrorKind::Internal, {"negative"}},
      {assembly.log, {"first", INT64_MAX}, ErrorKind::Internal, {"shared-memory"}},
      {assembly.log,
       {"second", 0, true},
       ErrorKind::Internal,
       {"kernel 'second'", "tensor-core", "0 FFMA", "mma atom"}},
      {assembly.log, {"third"}, ErrorKind::Corrupt, {"kernel 'third' is not in the cubin"}},
      {"", {"first"}, ErrorKind::Corrupt, {"log of ptxas"}},
  };
  for (const Case &c : cases) {
    auto facts = checkCubin(assembly.cubin, c.log, arch("sm_80"), {c.expected});
    ASSERT_FALSE(facts.ok()) << c.message.front();
    EXPECT_EQ(facts.status().kind(), c.kind);
    for (const char *part : c.message)
      EXPECT_NE(facts.status().message().find(part), std::string::npos) << part << ": " << facts.status().message();
  }
  EXPECT_TRUE(checkCubin(assembly.cubin, assembly.log, arch("sm_80"), {{"first", 163 * 1024 - 6000}}).ok());
}

TEST(CubinGates, DotsOfWarpgroups) {
  KernelExpectation expected = {"opcodes", 0, true};
  expected.needsWarpgroups = expected.isProduct = true;
  auto messageOf = [&](const std::string &ptx) {
    Assembly assembly = assembleReal(ptx, "sm_90a");
    return checkCubin(assembly.cubin, assembly.log, arch("sm_90a"), {expected}).status().message();
  };
  std::string ptx = inputText("opcodes-sm90a.ptx"), before = "wgmma.mma_async.sync.aligned.m64n8k32.f32";
  EXPECT_EQ(messageOf(ptx), "");
  size_t second = ptx.find(before);
  ASSERT_NE(second, std::string::npos);
  std::string between =
      ptx.substr(0, second) +
      "wgmma.wait_group.sync.aligned 0;\n  st.volatile.shared.u32 [r10], r0;\n  wgmma.fence.sync.aligned;\n  " +
      ptx.substr(second);
  EXPECT_NE(messageOf(between).find("gate async-loop: 1 reads and writes of shared memory"), std::string::npos)
      << "was: " << messageOf(between);
  expected.isProduct = false;
  EXPECT_EQ(messageOf(between), "");

  expected.needsTensorCore = false;
  Assembly without = assembleReal(twoKernels, "sm_80");
  expected.name = "first";
  EXPECT_NE(checkCubin(without.cubin, without.log, arch("sm_80"), {expected})
                .status()
                .message()
                .find("gate warpgroup-dots: its schedule has `wgmma = true`, but it has no HGMMA"),
            std::string::npos);
}

TEST(CubinGates, TensorCores) {
  Assembly tensor = assembleReal(inputText("opcodes-sm90a.ptx"), "sm_90a");
  EXPECT_TRUE(checkCubin(tensor.cubin, tensor.log, arch("sm_90a"), {{"opcodes", 0, true}}).ok());
}

TEST(CubinGates, WhatPtxasReallySays) {
  // More values alive than 24 registers hold.
  std::string loads, stores;
  for (int i = 0; i < 40; ++i) {
    loads += "ld.volatile.global.f32 f" + std::to_string(i) + ", [d+" + std::to_string(4 * i) + "];\n";
    stores += "st.volatile.global.f32 [d+" + std::to_string(4 * i) + "], f" + std::to_string(39 - i) + ";\n";
  }
  Assembly spilt = assembleReal(".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k(.param .u64 p)\n"
                                ".maxntid 32\n.maxnreg 24\n{ .reg .f32 f<40>; .reg .b64 d; ld.param.u64 d, [p];\n" +
                                    loads + stores + "ret; }\n",
                                "sm_80");
  Status status = checkCubin(spilt.cubin, spilt.log, arch("sm_80"), {{"k"}}).status();
  EXPECT_NE(status.message().find("no-spills"), std::string::npos) << status.message() << spilt.log;
  KernelExpectation general = {"k"};
  general.maySpill = true;
  EXPECT_TRUE(checkCubin(spilt.cubin, spilt.log, arch("sm_80"), {general}).ok());

  std::string ptx = replaced(replaced(inputText("opcodes-sm90a.ptx"), ".reqntid 128\n", ""), "bar.sync 0;",
                             "setmaxnreg.inc.sync.aligned.u32 232;");
  Assembly ignored = assembleReal(ptx, "sm_90a");
  status = checkCubin(ignored.cubin, ignored.log, arch("sm_90a"), {{"opcodes"}}).status();
  EXPECT_NE(status.message().find("(C7508)"), std::string::npos) << status.message() << ignored.log;
  EXPECT_NE(status.message().find("nvvm.reqntid"), std::string::npos);
}

TEST(Cubin, WhatIsNone) {
  std::string cubin = assembleReal(twoKernels, "sm_80").cubin;
  auto with = [&](size_t at, uint64_t value, size_t bytes) {
    std::string changed = cubin;
    std::memcpy(changed.data() + at, &value, bytes);
    return changed;
  };
  for (const std::string &bytes :
       {std::string(), std::string(63, 'x'), std::string(64, '\0'), std::string("\177ELF\1\1") + cubin.substr(6),
        with(18, 62, 2), with(40, UINT64_MAX, 8), with(40, cubin.size() - 8, 8), with(58, 40, 2), with(60, 65535, 2),
        with(60, 0, 2), with(62, 65535, 2)}) {
    auto read = readCubin(bytes);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.status().kind(), ErrorKind::Corrupt);
    EXPECT_NE(read.status().message().find("the cubin is malformed: "), std::string::npos) << read.status().message();
  }
  // Cut anywhere. (What follows the last section, program headers, is not read.)
  size_t whole = 0;
  for (size_t size = 0; size < cubin.size(); size += 7)
    whole += readCubin(std::string_view(cubin).substr(0, size)).ok();
  EXPECT_LT(whole * 7, cubin.size() / 4);
}

TEST(Mutations, Cubin) {
  std::mt19937_64 random(testSeed());
  std::string cubin = assembleReal(twoKernels, "sm_80").cubin;
  int failures = 0;
  for (int i = 0; i < numMutations(); ++i) {
    std::string bytes = cubin;
    for (uint64_t edits = 1 + random() % 4; edits; --edits) {
      // Half of the edits hit the header or the section headers, where offsets and sizes are.
      size_t table;
      std::memcpy(&table, cubin.data() + 40, sizeof(table));
      size_t at = random() % 2 ? table + random() % (cubin.size() - table) : random() % cubin.size();
      if (random() % 8 == 0)
        at = random() % 64;
      bytes[at] = static_cast<char>(random() % 3 ? random() : (random() % 2 ? 0xff : 0));
    }
    if (random() % 8 == 0)
      bytes.resize(random() % bytes.size());
    auto read = readCubin(bytes);
    if (!read.ok()) {
      ++failures;
      EXPECT_EQ(read.status().kind(), ErrorKind::Corrupt);
      EXPECT_FALSE(read.status().message().empty());
    }
  }
  EXPECT_GT(failures, numMutations() / 10) << "the mutations hit nothing";
}

} // namespace
} // namespace tenon::test
