// Every form of wgmma under the simulator against products of small integers: types, widths, swizzles, both orders of
// 16-bit operands, A from registers, signs. Layouts here are those of the PTX manual's figures ("Shared Memory Matrix
// Layout", "Register Fragments"), said as places of elements and not, as in lib/Sim, as bits of addresses.
#include "lib/Pipelines/Phases.h"
#include "lib/Sim/Numbers.h"
#include "lib/Target/SimulatedModule.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;

namespace tenon::test {
namespace {

struct Form {
  std::string element, rhsElement;
  int bits, n;
  int span; ///< bytes of a row that the swizzle mixes: 128, 64, 32; 16 without
  bool isInRegisters = false, isTransposedA = false, isTransposedB = false, isNegatedA = false, isNegatedB = false;
};

void PrintTo(const Form &form, std::ostream *stream) {
  *stream << form.element << " x " << form.rhsElement << ", n " << form.n << ", span " << form.span
          << (form.isInRegisters ? ", A in registers" : "") << (form.isTransposedA ? ", A transposed" : "")
          << (form.isTransposedB ? ", B transposed" : "");
}

constexpr int rowsOfA = 64, numSteps = 2;

/// A small integer as an element: its bits.
uint32_t encode(const std::string &type, int value) {
  if (type == "i8" || type == "ui8")
    return static_cast<uint8_t>(value);
  if (value == 0)
    return 0;
  uint32_t sign = value < 0, magnitude = static_cast<uint32_t>(std::abs(value)); // 1, 2 or 3
  uint32_t exponent = magnitude > 1, fraction = magnitude == 3;                  // 1.5 times 2
  auto pack = [&](uint32_t exponentBits, uint32_t fractionBits) {
    uint32_t bias = (1U << (exponentBits - 1)) - 1;
    return sign << (exponentBits + fractionBits) | (bias + exponent) << fractionBits | fraction << (fractionBits - 1);
  };
  if (type == "f16")
    return pack(5, 10);
  if (type == "bf16")
    return pack(8, 7);
  if (type == "tf32")
    return pack(8, 23);
  return type == "f8E4M3FN" ? pack(4, 3) : pack(5, 2);
}

/// An operand in shared memory. Along its contiguous side ("inner") it has slabs of `span` bytes; in a slab, groups of
/// 8 lines follow each other, and 16 bytes of a line are moved within it as the swizzle says.
struct Layout {
  int bits, span, outer; ///< outer: lines of a slab

  int place(int inner, int line) const { // of an element, in bytes
    int at = inner * bits / 8, slab = at / span, chunk = at % span / 16, chunks = span / 16;
    int turn = chunks == 8 ? line % 8 : chunks == 4 ? line / 2 % 4 : chunks == 2 ? line / 4 % 2 : 0;
    return slab * outer * span + line * span + ((chunk ^ turn) * 16 + at % 16);
  }
  /// Offsets of the descriptor: from slab to slab, and from 8 lines to the next 8.
  uint64_t descriptor(int address) const {
    uint64_t swizzle = span == 128 ? 1 : span == 64 ? 2 : span == 32 ? 3 : 0;
    auto units = [](int bytes) { return static_cast<uint64_t>(bytes / 16); };
    return units(address) | units(outer * span) << 16 | units(8 * span) << 32 | swizzle << 62;
  }
};

class SimWgmmaFaults : public testing::Test {
protected:
  SimWgmmaFaults() {
    DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
  }
  MLIRContext context;
};
class SimWgmma : public SimWgmmaFaults, public testing::WithParamInterface<Form> {};

std::string kernelText(const Form &form, int words, uint64_t a, uint64_t b, const std::string &aSteps,
                       const std::string &bSteps) {
  int count = form.n / 2;
  bool isInteger = form.element == "i8" || form.element == "ui8";
  std::string sum = isInteger ? "i32" : "f32", text = R"(
  llvm.mlir.global internal @tiles() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<)" +
                                                      std::to_string(4 * words) + R"( x i8>
  llvm.func @k(%image: !llvm.ptr<1>, %registers: !llvm.ptr<1>, %y: !llvm.ptr<1>, %w: !llvm.ptr<1>) attributes {
      nvvm.kernel, nvvm.reqntid = array<i32: 128>} {
    %tiles = llvm.mlir.addressof @tiles : !llvm.ptr<3>
    %t = nvvm.read.ptx.sreg.tid.x : i32
    %c0 = arith.constant 0 : i32
    %c128 = arith.constant 128 : i32
    %words = arith.constant )" + std::to_string(words) +
                                                      R"( : i32
    scf.for %i = %t to %words step %c128 : i32 {
      %from = llvm.getelementptr %image[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
      %to = llvm.getelementptr %tiles[%i] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
      %v = llvm.load %from : !llvm.ptr<1> -> i32
      llvm.store %v, %to : i32, !llvm.ptr<3>
    }
    nvvm.fence.proxy {kind = #nvvm.proxy_kind<async>}
    nvvm.barrier0
    %start = llvm.ptrtoint %tiles : !llvm.ptr<3> to i64
    %c4 = arith.constant 4 : i64
    %units = arith.shrui %start, %c4 : i64
    %abits = arith.constant )" + std::to_string(static_cast<int64_t>(a)) +
                                                      R"( : i64
    %a = arith.addi %units, %abits : i64
    %bbits = arith.constant )" + std::to_string(static_cast<int64_t>(b)) +
                                                      R"( : i64
    %b = arith.addi %units, %bbits : i64
    %zero = arith.constant )" + (isInteger ? "5 : i32" : "5.0 : f32") +
                                                      "\n";
  std::string lhs = "%a", lhsType = "i64";
  if (form.isInRegisters) {
    lhs.clear();
    lhsType = "i32";
    for (int word = 0; word < 4 * numSteps; ++word) {
      std::string name = "%r" + std::to_string(word), at = name + "at";
      text += name + "i = arith.constant " + std::to_string(128 * word) + " : i32\n" + name + "n = arith.addi %t, " +
              name + "i : i32\n" + at + " = llvm.getelementptr %registers[" + name +
              "n] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32\n" + name + " = llvm.load " + at +
              " : !llvm.ptr<1> -> i32\n";
      lhs += (word ? ", " : "") + name;
    }
  }
  std::string zeros, results;
  for (int index = 0; index < count; ++index) {
    zeros += index ? ", %zero" : "%zero";
    results += (index ? ", %d#" : "%d#") + std::to_string(index);
  }
  text += "%d:" + std::to_string(count) + " = ptx.wgmma " + lhs + ", %b, (" + zeros + ") {element = " + form.element +
          (form.rhsElement == form.element ? "" : ", rhs_element = " + form.rhsElement) + ", lhs_offsets = array<i64" +
          (form.isInRegisters ? "" : ": " + aSteps) + ">, rhs_offsets = array<i64: " + bSteps + ">" +
          (form.isTransposedA ? ", transpose_lhs" : "") + (form.isTransposedB ? ", transpose_rhs" : "") +
          (form.isNegatedA ? ", negate_lhs" : "") + (form.isNegatedB ? ", negate_rhs" : "") + "} : " + lhsType +
          "\n%e:" + std::to_string(count) + " = ptx.wgmma.wait " + results + " {pending = 0 : i64}" +
          (isInteger ? " : i32" : "") + "\n";
  for (int index = 0; index < count; ++index) {
    std::string name = "%y" + std::to_string(index);
    text += name + "i = arith.constant " + std::to_string(128 * index) + " : i32\n" + name + "n = arith.addi %t, " +
            name + "i : i32\n" + name + " = llvm.getelementptr %y[" + name +
            "n] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32\nllvm.store %e#" + std::to_string(index) + ", " + name +
            " : " + sum + ", !llvm.ptr<1>\n";
  }
  return text + "llvm.return\n}\n";
}

TEST_P(SimWgmma, MultipliesAsTheManualSays) {
  const Form &form = GetParam();
  int each = 32 / form.bits, depth = numSteps * 8 * each; // elements of a word, of all steps
  bool isUnsigned = form.element == "ui8";
  std::mt19937 random(7);
  auto numbers = [&](size_t count, bool isPositive) {
    std::vector<int> values(count);
    for (int &value : values)
      value = isPositive ? static_cast<int>(random() % 4) : static_cast<int>(random() % 7) - 3;
    return values;
  };
  std::vector<int> a = numbers(rowsOfA * depth, isUnsigned), b = numbers(form.n * depth, form.rhsElement == "ui8");

  // The contiguous side is the depth, or rows where transposed. A slab may be wider than what there is.
  auto layoutOf = [&](bool isTransposed, int rows) {
    return Layout{form.bits, form.span, isTransposed ? depth : rows};
  };
  Layout layoutA = layoutOf(form.isTransposedA, rowsOfA), layoutB = layoutOf(form.isTransposedB, form.n);
  auto bytesOf = [&](const Layout &layout, int inner) {
    int slabs = (inner * form.bits / 8 + form.span - 1) / form.span;
    return (slabs * layout.outer * form.span + 1023) / 1024 * 1024;
  };
  int bytesA = bytesOf(layoutA, form.isTransposedA ? rowsOfA : depth),
      bytesB = bytesOf(layoutB, form.isTransposedB ? form.n : depth);
  std::vector<char> image(static_cast<size_t>(bytesA + bytesB));
  auto put = [&](int at, uint32_t value) { std::memcpy(&image[at], &value, static_cast<size_t>(form.bits / 8)); };
  for (int k = 0; k < depth; ++k) {
    for (int row = 0; row < rowsOfA; ++row)
      put(form.isTransposedA ? layoutA.place(row, k) : layoutA.place(k, row), encode(form.element, a[row * depth + k]));
    for (int column = 0; column < form.n; ++column)
      put(bytesA + (form.isTransposedB ? layoutB.place(column, k) : layoutB.place(k, column)),
          encode(form.rhsElement, b[column * depth + k]));
  }
  std::vector<uint32_t> registers(128 * 4 * numSteps);
  for (int thread = 0; thread < 128; ++thread)
    for (int word = 0; word < 4 * numSteps; ++word)
      for (int index = 0; index < each; ++index) {
        int row = 16 * (thread / 32) + thread % 32 / 4 + 8 * (word % 2);
        int k = word / 4 * 8 * each + word % 4 / 2 * 4 * each + thread % 4 * each + index;
        registers[word * 128 + thread] |= encode(form.element, a[row * depth + k]) << form.bits * index;
      }
  // A step is 32 bytes along the depth where that is contiguous, else as many lines as it has elements.
  auto steps = [&](const Layout &layout, bool isTransposed) {
    std::string text;
    for (int step = 0; step < numSteps; ++step) {
      int at = isTransposed ? step * 8 * each * form.span
                            : 32 * step / form.span * layout.outer * form.span + 32 * step % form.span;
      text += (step ? ", " : "") + std::to_string(at / 16);
    }
    return text;
  };
  std::string text =
      kernelText(form, static_cast<int>(image.size() / 4), layoutA.descriptor(0), layoutB.descriptor(bytesA),
                 steps(layoutA, form.isTransposedA), steps(layoutB, form.isTransposedB));
  OwningOpRef<ModuleOp> source = parseSourceString<ModuleOp>(text, &context);
  ASSERT_TRUE(source) << text;
  auto compiled = SimulatedModule::compile(*source);
  ASSERT_TRUE(compiled.ok()) << compiled.status().message();
  std::vector<uint32_t> y(64 * form.n);
  auto buffer = [](const char *name, auto &values) {
    return sim::Buffer{name, values.data(), static_cast<int64_t>(values.size() * sizeof(values[0]))};
  };
  auto report = (*compiled)->run("k", {{buffer("image", image), buffer("registers", registers)}, {buffer("y", y)}, {}});
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_TRUE(report->ok()) << report->text();
  int sign = form.isNegatedA == form.isNegatedB ? 1 : -1;
  for (int thread = 0; thread < 128; ++thread)
    for (int index = 0; index < form.n / 2; ++index) {
      int row = 16 * (thread / 32) + thread % 32 / 4 + 8 * (index / 2 % 2),
          column = index / 4 * 8 + thread % 4 * 2 + index % 2;
      int expected = 5;
      for (int k = 0; k < depth; ++k)
        expected += sign * a[row * depth + k] * b[column * depth + k];
      uint32_t bits = y[index * 128 + thread];
      bool isInteger = form.element == "i8" || isUnsigned;
      ASSERT_EQ(isInteger ? static_cast<int>(bits) : static_cast<int>(sim::asFloat(bits)), expected)
          << row << ", " << column;
    }
}

TEST_F(SimWgmmaFaults, AreNamed) {
  // 64 rows of A and 8 of B, without a swizzle, for one step of bf16.
  Form form = {"bf16", "bf16", 16, 8, 32};
  Layout a = {16, 32, rowsOfA}, b = {16, 32, 8};
  auto run = [&](uint64_t bitsOfB, bool isLastWarpGone, int threads = 128) {
    std::string text = kernelText(form, 1024, a.descriptor(0), b.descriptor(2048) ^ bitsOfB, "0", "0");
    text.replace(text.find("i32: 128"), 8, "i32: " + std::to_string(threads));
    if (isLastWarpGone) {
      std::string start = "%start = llvm.ptrtoint", end = "llvm.return\n}\n";
      text.replace(text.find(start), 0,
                   "%first = arith.constant " + std::to_string(threads - 32) +
                       " : i32\n%isLast = arith.cmpi uge, %t, %first : i32\n"
                       "cf.cond_br %isLast, ^end, ^go\n^go:\n");
      text.replace(text.rfind(end), end.size(), "llvm.return\n^end:\nllvm.return\n}\n");
    }
    OwningOpRef<ModuleOp> source = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(source) << text;
    auto compiled = SimulatedModule::compile(*source);
    EXPECT_TRUE(compiled.ok()) << compiled.status().message();
    std::vector<char> image(4096), registers(4), y(4 * 64 * 8);
    auto buffer = [](const char *name, std::vector<char> &values) {
      return sim::Buffer{name, values.data(), static_cast<int64_t>(values.size())};
    };
    auto report =
        (*compiled)->run("k", {{buffer("image", image), buffer("registers", registers)}, {buffer("y", y)}, {}});
    EXPECT_TRUE(report.ok()) << report.status().message();
    return report.take();
  };
  auto expectFinding = [](const sim::Report &report, sim::FindingKind kind, const std::string &part) {
    const sim::Finding *finding = report.find(kind);
    ASSERT_TRUE(finding) << report.text();
    EXPECT_EQ(finding->text.find("ptx.wgmma at -:"), 0u) << finding->text;
    EXPECT_NE(finding->text.find(part), std::string::npos) << finding->text;
  };
  EXPECT_TRUE(run(0, false).ok()) << run(0, false).text();
  expectFinding(run(0, true), sim::FindingKind::Divergence, "needs the four warps of a warpgroup");
  EXPECT_TRUE(run(0, true, 160).ok()) << run(0, true, 160).text(); // a warpgroup, and a warp that does something else
  expectFinding(run(0, false, 160), sim::FindingKind::Misuse, "needs whole warpgroups; the CTA has 160 threads");
  expectFinding(run(uint64_t{1} << 49, false), sim::FindingKind::Misuse, "has a descriptor with bit 49 set");
  expectFinding(run(uint64_t{1} << 15, false), sim::FindingKind::Misuse, "has a descriptor with bit 15 set");
}

std::vector<Form> forms() {
  std::vector<Form> all;
  const std::tuple<const char *, const char *, int> types[] = {
      {"f16", "f16", 16},        {"bf16", "bf16", 16},      {"tf32", "tf32", 32},    {"f8E4M3FN", "f8E4M3FN", 8},
      {"f8E4M3FN", "f8E5M2", 8}, {"f8E5M2", "f8E4M3FN", 8}, {"f8E5M2", "f8E5M2", 8}, {"i8", "i8", 8},
      {"i8", "ui8", 8},          {"ui8", "i8", 8},          {"ui8", "ui8", 8}};
  for (auto [element, rhs, bits] : types)
    for (int span : {16, 32, 64, 128})
      for (bool isInRegisters : {false, true})
        all.push_back({element, rhs, bits, span == 128 ? 48 : 8, span, isInRegisters});
  for (int span : {32, 64, 128}) // a slab of rows has to hold 64 rows of A, or n of B
    for (auto [isTransposedA, isTransposedB] : {std::pair(true, false), {false, true}, {true, true}})
      all.push_back({"bf16", "bf16", 16, 64, span, false, isTransposedA, isTransposedB});
  for (int n : {16, 104, 256})
    all.push_back({"f16", "f16", 16, n, 128});
  all.push_back({"bf16", "bf16", 16, 16, 64, false, false, false, true, false});
  all.push_back({"f8E5M2", "f8E4M3FN", 8, 16, 64, true, false, false, false, true});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Sim, SimWgmma, testing::ValuesIn(forms()));

} // namespace
} // namespace tenon::test
