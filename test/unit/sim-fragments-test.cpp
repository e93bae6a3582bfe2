// Where each lane's registers lie in the matrices of mma.sync, ldmatrix and stmatrix, and where the swizzles put bytes:
// the simulator against the tables of the PTX manual (PTX ISA 8.7, "Matrix Fragments for mma.m16n8k..", "ldmatrix",
// "stmatrix", "Swizzling Modes"), written down form by form as they stand there, with its names: groupID is lane / 4,
// threadID_in_group lane % 4, i the element among those of a lane. Fragments of wgmma are in sim-wgmma-test.cpp.
#include "lib/Pipelines/Phases.h"
#include "lib/Sim/Numbers.h"
#include "lib/Target/SimulatedModule.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>
#include <random>

using namespace mlir;

namespace tenon::test {
namespace {

using Words = std::vector<uint32_t>;

class SimFragments : public testing::Test {
protected:
  SimFragments() {
    DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
  }

  /// The kernel @k of one warp on words.
  Words run(const std::string &text, Words x, size_t numResults) {
    OwningOpRef<ModuleOp> source = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(source) << text;
    if (!source)
      return {};
    auto compiled = SimulatedModule::compile(*source);
    EXPECT_TRUE(compiled.ok()) << compiled.status().message();
    Words y(numResults);
    auto buffer = [](const char *name, Words &words) {
      return sim::Buffer{name, words.data(), static_cast<int64_t>(4 * words.size())};
    };
    if (!compiled.ok())
      return y;
    auto report = (*compiled)->run("k", {{buffer("x", x)}, {buffer("y", y)}, {}});
    EXPECT_TRUE(report.ok() && report->ok()) << (report.ok() ? report->text() : report.status().message());
    return y;
  }

  MLIRContext context;
};

/// A kernel whose lanes' nth words are at x[32 n + lane] and go to y[32 n + lane].
struct Kernel {
  std::string text;
  int numValues = 0;

  explicit Kernel(int sharedBytes = 0, const std::string &maps = "", const std::string &attributes = "") {
    text = "llvm.mlir.global external @shared() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>\n"
           "llvm.func @k(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %w: !llvm.ptr<1>" +
           maps + ") attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32>, tenon.shared_bytes = " +
           std::to_string(sharedBytes) + " : i64" + attributes +
           "} {\n%t = nvvm.read.ptx.sreg.tid.x : i32\n%shared = llvm.mlir.addressof @shared : !llvm.ptr<3>\n";
  }
  std::string add(const std::string &op) {
    std::string name = "%v" + std::to_string(numValues++);
    text += name + " = " + op + "\n";
    return name;
  }
  std::string place(int number, const std::string &base, const std::string &pointer) {
    std::string first = add("arith.constant " + std::to_string(32 * number) + " : i32");
    std::string at = add("arith.addi %t, " + first + " : i32");
    return add("llvm.getelementptr " + base + "[" + at + "] : (" + pointer + ", i32) -> " + pointer + ", i32");
  }
  std::string load(int number, const std::string &type = "i32") {
    return add("llvm.load " + place(number, "%x", "!llvm.ptr<1>") + " : !llvm.ptr<1> -> " + type);
  }
  void store(int number, const std::string &value, const std::string &type = "i32") {
    std::string to = place(number, "%y", "!llvm.ptr<1>");
    text += "llvm.store " + value + ", " + to + " : " + type + ", !llvm.ptr<1>\n";
  }
  /// Shared memory, whole, to y.
  void spill(int words) {
    for (int number = 0; number < words / 32; ++number)
      store(number, add("llvm.load " + place(number, "%shared", "!llvm.ptr<3>") + " : !llvm.ptr<3> -> i32"));
  }
  std::string end() { return text + "llvm.return\n}\n"; }
};

//===--- mma.sync ------------------------------------------------------------------------------------------------===//

struct Place {
  int row, column;
};
using Table = Place (*)(int groupID, int threadID_in_group, int i);

// The manual's tables. Of B a row is one of the depth.
Place a16n8k4(int groupID, int threadID_in_group, int i) { return {i == 0 ? groupID : groupID + 8, threadID_in_group}; }
Place b16n8k4(int groupID, int threadID_in_group, int) { return {threadID_in_group, groupID}; }
Place a16n8k8TF32(int groupID, int threadID_in_group, int i) {
  return {i == 0 || i == 2 ? groupID : groupID + 8, i == 0 || i == 1 ? threadID_in_group : threadID_in_group + 4};
}
Place b16n8k8TF32(int groupID, int threadID_in_group, int i) {
  return {i == 0 ? threadID_in_group : threadID_in_group + 4, groupID};
}
Place a16n8k8(int groupID, int threadID_in_group, int i) {
  return {i < 2 ? groupID : groupID + 8, threadID_in_group * 2 + (i & 0x1)};
}
Place b16n8k8(int groupID, int threadID_in_group, int i) { return {threadID_in_group * 2 + i, groupID}; }
Place a16n8k16(int groupID, int threadID_in_group, int i) {
  return {(0 <= i && i < 2) || (4 <= i && i < 6) ? groupID : groupID + 8,
          i < 4 ? threadID_in_group * 2 + (i & 0x1) : threadID_in_group * 2 + (i & 0x1) + 8};
}
Place b16n8k16(int groupID, int threadID_in_group, int i) {
  return {i < 2 ? threadID_in_group * 2 + (i & 0x1) : threadID_in_group * 2 + (i & 0x1) + 8, groupID};
}
Place a16n8k16Bytes(int groupID, int threadID_in_group, int i) {
  return {i < 4 ? groupID : groupID + 8, threadID_in_group * 4 + (i & 0x3)};
}
Place b16n8k16Bytes(int groupID, int threadID_in_group, int i) { return {threadID_in_group * 4 + (i & 0x3), groupID}; }
Place a16n8k32Bytes(int groupID, int threadID_in_group, int i) {
  return {(0 <= i && i < 4) || (8 <= i && i < 12) ? groupID : groupID + 8,
          i < 8 ? threadID_in_group * 4 + (i & 0x3) : threadID_in_group * 4 + (i & 0x3) + 16};
}
Place b16n8k32Bytes(int groupID, int threadID_in_group, int i) {
  return {i < 4 ? threadID_in_group * 4 + (i & 0x3) : threadID_in_group * 4 + (i & 0x3) + 16, groupID};
}
Place c16n8(int groupID, int threadID_in_group, int i) {
  return {i < 2 ? groupID : groupID + 8, threadID_in_group * 2 + (i & 0x1)};
}

struct Form {
  const char *lhs, *rhs; ///< as PTX names them
  int bits, k;
  Table a, b;
  const char *sum;
};

/// Bits of an integer from -3 to 3, or 0 to 3, as an element.
uint32_t encode(const std::string &type, int value) {
  if (type == "s8" || type == "u8")
    return static_cast<uint8_t>(value);
  if (type == "s32")
    return static_cast<uint32_t>(value);
  if (type == "f32" || type == "tf32" || type == "bf16") {
    uint32_t bits = sim::asBits(static_cast<float>(value));
    return type == "bf16" ? bits >> 16 : bits;
  }
  int magnitude = std::abs(value), exponentBits = type == "e4m3" ? 4 : 5;
  int fractionBits = type == "f16" ? 10 : type == "e4m3" ? 3 : 2;
  if (magnitude == 0)
    return 0;
  uint32_t bias = (1U << (exponentBits - 1)) - 1, exponent = bias + (magnitude > 1), fraction = magnitude == 3;
  return (value < 0 ? 1U << (exponentBits + fractionBits) : 0) | exponent << fractionBits |
         fraction << (fractionBits - 1);
}

/// A whole number of f16 or f32.
int decodeSum(const std::string &type, uint32_t bits) {
  if (type == "s32")
    return static_cast<int>(bits);
  if (type == "f32")
    return static_cast<int>(sim::asFloat(bits));
  int exponent = static_cast<int>(bits >> 10 & 31), fraction = static_cast<int>(bits & 1023) + 1024;
  int magnitude = exponent == 0 ? 0 : exponent >= 25 ? fraction << (exponent - 25) : fraction >> (25 - exponent);
  return bits >> 15 & 1 ? -magnitude : magnitude;
}

std::string mmaText(const Form &form) {
  int each = 32 / form.bits, numA = 16 * form.k / 32 / each, numB = numA / 2;
  std::string sum = form.sum, lhs = form.lhs;
  bool isF8 = lhs == "e4m3" || lhs == "e5m2";
  std::string type = lhs == "f16" ? "vector<2xf16>" : "i32";
  std::string sumType = sum == "f16" ? "vector<2xf16>" : sum == "s32" ? "i32" : "f32";
  int numC = sum == "f16" ? 2 : 4;
  Kernel kernel;
  auto loads = [&](int first, int count, const std::string &as) {
    std::string names;
    for (int number = 0; number < count; ++number)
      names += (number ? ", " : "") + kernel.load(first + number, as);
    return names;
  };
  std::string a = loads(0, numA, type), b = loads(numA, numB, type), c = loads(numA + numB, numC, sumType);
  if (isF8) {
    auto element = [](const std::string &name) { return name == "e4m3" ? "f8E4M3FN" : "f8E5M2"; };
    kernel.text += "%d:4 = ptx.mma.f8 " + a + ", " + b + ", " + c + " {lhs_element = " + element(lhs) +
                   ", rhs_element = " + element(form.rhs) + "}\n";
    for (int number = 0; number < 4; ++number)
      kernel.store(number, "%d#" + std::to_string(number), "f32");
    return kernel.end();
  }
  std::string parts = sumType, overflow = sum == "s32" ? ", intOverflowBehavior = #nvvm.mma_int_overflow<wrapped>" : "";
  for (int number = 1; number < numC; ++number)
    parts += ", " + sumType;
  std::string d = kernel.add("nvvm.mma.sync A[" + a + "] B[" + b + "] C[" + c +
                             "] {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, shape = "
                             "#nvvm.shape<m = 16, n = 8, k = " +
                             std::to_string(form.k) + ">, multiplicandAPtxType = #nvvm.mma_type<" + lhs +
                             ">, multiplicandBPtxType = #nvvm.mma_type<" + form.rhs + ">" + overflow + "} : (" + type +
                             ", " + type + ", " + sumType + ") -> !llvm.struct<(" + parts + ")>");
  for (int number = 0; number < numC; ++number)
    kernel.store(
        number,
        kernel.add("llvm.extractvalue " + d + "[" + std::to_string(number) + "] : !llvm.struct<(" + parts + ")>"),
        sumType);
  return kernel.end();
}

class SimMmaFragments : public SimFragments, public testing::WithParamInterface<Form> {};

void PrintTo(const Form &form, std::ostream *stream) {
  *stream << "m16n8k" << form.k << "." << form.sum << "." << form.lhs << "." << form.rhs;
}

TEST_P(SimMmaFragments, AreTheManuals) {
  const Form &form = GetParam();
  int each = 32 / form.bits, numA = 16 * form.k / 32 / each, numB = numA / 2;
  std::string sum = form.sum;
  int numC = sum == "f16" ? 2 : 4, sumsOfWord = 4 / numC;
  std::mt19937 random(11);
  auto numbers = [&](int count, const std::string &type) {
    std::vector<int> values(static_cast<size_t>(count));
    for (int &value : values)
      value = type == "u8" ? static_cast<int>(random() % 4) : static_cast<int>(random() % 7) - 3;
    return values;
  };
  std::vector<int> a = numbers(16 * form.k, form.lhs), b = numbers(form.k * 8, form.rhs), c = numbers(16 * 8, "s8");
  Words x(static_cast<size_t>(32 * (numA + numB + numC)));
  for (int lane = 0; lane < 32; ++lane) {
    int groupID = lane >> 2, threadID_in_group = lane % 4;
    auto put = [&](int first, int bits, uint32_t value, int i) {
      x[static_cast<size_t>(32 * (first + i / (32 / bits)) + lane)] |= value << bits * (i % (32 / bits));
    };
    for (int i = 0; i < numA * each; ++i) {
      Place at = form.a(groupID, threadID_in_group, i);
      put(0, form.bits, encode(form.lhs, a[static_cast<size_t>(at.row * form.k + at.column)]), i);
    }
    for (int i = 0; i < numB * each; ++i) {
      Place at = form.b(groupID, threadID_in_group, i);
      put(numA, form.bits, encode(form.rhs, b[static_cast<size_t>(at.row * 8 + at.column)]), i);
    }
    for (int i = 0; i < 4; ++i) {
      Place at = c16n8(groupID, threadID_in_group, i);
      put(numA + numB, 32 / sumsOfWord, encode(sum, c[static_cast<size_t>(at.row * 8 + at.column)]), i);
    }
  }
  Words y = run(mmaText(form), x, static_cast<size_t>(32 * numC));
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 4; ++i) {
      Place at = c16n8(lane >> 2, lane % 4, i);
      int expected = c[static_cast<size_t>(at.row * 8 + at.column)];
      for (int k = 0; k < form.k; ++k)
        expected += a[static_cast<size_t>(at.row * form.k + k)] * b[static_cast<size_t>(k * 8 + at.column)];
      uint32_t word = y[static_cast<size_t>(32 * (i / sumsOfWord) + lane)] >> (sumsOfWord == 2 ? 16 * (i % 2) : 0);
      ASSERT_EQ(decodeSum(sum, word), expected) << "lane " << lane << ", element " << i;
    }
}

std::vector<Form> mmaForms() {
  std::vector<Form> forms = {
      {"tf32", "tf32", 32, 4, a16n8k4, b16n8k4, "f32"},  {"tf32", "tf32", 32, 8, a16n8k8TF32, b16n8k8TF32, "f32"},
      {"f16", "f16", 16, 8, a16n8k8, b16n8k8, "f32"},    {"f16", "f16", 16, 8, a16n8k8, b16n8k8, "f16"},
      {"bf16", "bf16", 16, 8, a16n8k8, b16n8k8, "f32"},  {"f16", "f16", 16, 16, a16n8k16, b16n8k16, "f32"},
      {"f16", "f16", 16, 16, a16n8k16, b16n8k16, "f16"}, {"bf16", "bf16", 16, 16, a16n8k16, b16n8k16, "f32"}};
  for (const char *lhs : {"s8", "u8"})
    for (const char *rhs : {"s8", "u8"}) {
      forms.push_back({lhs, rhs, 8, 16, a16n8k16Bytes, b16n8k16Bytes, "s32"});
      forms.push_back({lhs, rhs, 8, 32, a16n8k32Bytes, b16n8k32Bytes, "s32"});
    }
  for (const char *lhs : {"e4m3", "e5m2"})
    for (const char *rhs : {"e4m3", "e5m2"})
      forms.push_back({lhs, rhs, 8, 32, a16n8k32Bytes, b16n8k32Bytes, "f32"});
  return forms;
}

INSTANTIATE_TEST_SUITE_P(Sim, SimMmaFragments, testing::ValuesIn(mmaForms()));

//===--- ldmatrix, stmatrix --------------------------------------------------------------------------------------===//

struct Move {
  bool isLoad, isTransposed;
  int num;
};

void PrintTo(const Move &move, std::ostream *stream) {
  *stream << (move.isLoad ? "ldmatrix.x" : "stmatrix.x") << move.num << (move.isTransposed ? ".trans" : "");
}

class SimMatrixMoves : public SimFragments, public testing::WithParamInterface<Move> {};

// "Each thread of 8 names a row of 16 bytes: threads 0-7 those of the first matrix, 8-15 of the second, ..; thread i
// holds elements 2 (i % 4) and the next of row i / 4"; with .trans, of column i / 4.
TEST_P(SimMatrixMoves, AreTheManuals) {
  Move move = GetParam();
  constexpr int numRows = 32, rowBytes = 16, wordsOfShared = numRows * rowBytes / 4;
  // Row r of all lies where row 7 r + 5 would: addresses are the lanes' to say.
  auto rowAt = [](int row) { return (7 * row + 5) % numRows; };
  Kernel kernel(4 * wordsOfShared);
  std::string seven = kernel.add("arith.constant 7 : i32"), five = kernel.add("arith.constant 5 : i32");
  std::string last = kernel.add("arith.constant 31 : i32"), four = kernel.add("arith.constant 4 : i32");
  std::string times = kernel.add("arith.muli %t, " + seven + " : i32");
  std::string moved = kernel.add("arith.addi " + times + ", " + five + " : i32");
  std::string row = kernel.add("arith.andi " + moved + ", " + last + " : i32");
  std::string word = kernel.add("arith.muli " + row + ", " + four + " : i32");
  std::string address =
      kernel.add("llvm.getelementptr %shared[" + word + "] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32");
  std::string attributes = std::string("eltType = #nvvm.ld_st_matrix_elt_type<b16>, layout = #nvvm.mma_layout<") +
                           (move.isTransposed ? "col" : "row") + ">, shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>";
  for (int number = 0; number < wordsOfShared / 32; ++number)
    kernel.text += "llvm.store " + kernel.load(number) + ", " + kernel.place(number, "%shared", "!llvm.ptr<3>") +
                   " : i32, !llvm.ptr<3>\n";
  kernel.text += "nvvm.barrier0\n";
  std::mt19937 random(12);
  Words x(wordsOfShared + 32 * 4);
  for (uint32_t &each : x)
    each = static_cast<uint32_t>(random());
  auto half = [](const Words &words, int index) { return words[index / 2] >> 16 * (index % 2) & 0xFFFF; };
  // The half of a lane's register: element (row, column) of its matrix, in shared memory.
  auto placeOf = [&](int lane, int matrix, int h) {
    int row = lane / 4, column = 2 * (lane % 4) + h;
    if (move.isTransposed)
      std::swap(row, column);
    return 8 * rowAt(8 * matrix + row) + column;
  };
  if (move.isLoad) {
    std::string type = "i32", parts = "i32, i32, i32, i32";
    if (move.num > 1)
      type = "!llvm.struct<(" + parts.substr(0, static_cast<size_t>(5 * move.num - 2)) + ")>";
    std::string values = kernel.add("nvvm.ldmatrix " + address + " {num = " + std::to_string(move.num) + " : i32, " +
                                    attributes + "} : (!llvm.ptr<3>) -> " + type);
    for (int number = 0; number < move.num; ++number)
      kernel.store(number, move.num == 1 ? values
                                         : kernel.add("llvm.extractvalue " + values + "[" + std::to_string(number) +
                                                      "] : " + type));
    Words y = run(kernel.end(), x, static_cast<size_t>(32 * move.num));
    for (int lane = 0; lane < 32; ++lane)
      for (int matrix = 0; matrix < move.num; ++matrix)
        for (int h = 0; h < 2; ++h)
          ASSERT_EQ(y[static_cast<size_t>(32 * matrix + lane)] >> 16 * h & 0xFFFF, half(x, placeOf(lane, matrix, h)))
              << "lane " << lane << ", matrix " << matrix;
    return;
  }
  std::string values, types;
  for (int number = 0; number < move.num; ++number) {
    values += ", " + kernel.load(wordsOfShared / 32 + number);
    types += ", i32";
  }
  kernel.text +=
      "nvvm.stmatrix " + address + values + " {" + attributes + "} : !llvm.ptr<3>" + types + "\nnvvm.barrier0\n";
  kernel.spill(wordsOfShared);
  Words y = run(kernel.end(), x, wordsOfShared), expected(x.begin(), x.begin() + wordsOfShared);
  for (int lane = 0; lane < 32; ++lane)
    for (int matrix = 0; matrix < move.num; ++matrix)
      for (int h = 0; h < 2; ++h) {
        uint32_t value = x[static_cast<size_t>(wordsOfShared + 32 * matrix + lane)] >> 16 * h & 0xFFFF;
        int at = placeOf(lane, matrix, h);
        uint32_t &to = expected[static_cast<size_t>(at / 2)];
        to = (to & ~(0xFFFFU << 16 * (at % 2))) | value << 16 * (at % 2);
      }
  EXPECT_EQ(y, expected);
}

std::vector<Move> moves() {
  std::vector<Move> all;
  for (bool isLoad : {true, false})
    for (bool isTransposed : {false, true})
      for (int num : {1, 2, 4})
        all.push_back({isLoad, isTransposed, num});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Sim, SimMatrixMoves, testing::ValuesIn(moves()));

//===--- swizzles ------------------------------------------------------------------------------------------------===//

// "Swizzling Modes": which 16 bytes of each 128 a line of 128 bytes holds, until the pattern repeats.
const std::vector<std::array<int, 8>> swizzle32 = {{0, 1, 2, 3, 4, 5, 6, 7}, {1, 0, 3, 2, 5, 4, 7, 6}};
const std::vector<std::array<int, 8>> swizzle64 = {
    {0, 1, 2, 3, 4, 5, 6, 7}, {1, 0, 3, 2, 5, 4, 7, 6}, {2, 3, 0, 1, 6, 7, 4, 5}, {3, 2, 1, 0, 7, 6, 5, 4}};
const std::vector<std::array<int, 8>> swizzle128 = {
    {0, 1, 2, 3, 4, 5, 6, 7}, {1, 0, 3, 2, 5, 4, 7, 6}, {2, 3, 0, 1, 6, 7, 4, 5}, {3, 2, 1, 0, 7, 6, 5, 4},
    {4, 5, 6, 7, 0, 1, 2, 3}, {5, 4, 7, 6, 1, 0, 3, 2}, {6, 7, 4, 5, 2, 3, 0, 1}, {7, 6, 5, 4, 3, 2, 1, 0}};

TEST_F(SimFragments, SwizzlesOfTma) {
  const std::vector<std::array<int, 8>> none = {{0, 1, 2, 3, 4, 5, 6, 7}};
  for (auto [span, table] : {std::pair(0, &none), {32, &swizzle32}, {64, &swizzle64}, {128, &swizzle128}}) {
    constexpr int rows = 64;
    int rowWords = (span == 0 ? 64 : span) / 4, words = rows * rowWords;
    Kernel kernel(4 * words + 1024,
                  ", %map: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant}",
                  ", tenon.tensor_maps = [{argument = 0 : i64, box = array<i64: " + std::to_string(rowWords) + ", " +
                      std::to_string(rows) +
                      ">, element = i32, offset = affine_map<() -> (0)>, sizes = affine_map<() -> (" +
                      std::to_string(rowWords) + ", " + std::to_string(rows) + ")>, strides = affine_map<() -> (" +
                      std::to_string(4 * rowWords) + ")>, swizzle = " + std::to_string(span) + " : i64}]");
    kernel.text += R"(
      %zero = arith.constant 0 : i32
      %one = arith.constant 1 : i32
      %bytes = arith.constant )" +
                   std::to_string(4 * words) + R"( : i32
      %isFirst = arith.cmpi eq, %t, %zero : i32
      %barrier = llvm.getelementptr %shared[%bytes] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
      scf.if %isFirst {
        nvvm.mbarrier.init %barrier, %one : !llvm.ptr<3>, i32
        nvvm.fence.mbarrier.init
        nvvm.mbarrier.arrive.expect_tx %barrier, %bytes : !llvm.ptr<3>, i32
        %to = llvm.addrspacecast %shared : !llvm.ptr<3> to !llvm.ptr<7>
        nvvm.cp.async.bulk.tensor.shared.cluster.global %to, %map, %barrier, box[%zero, %zero] : !llvm.ptr<7>, !llvm.ptr
      }
      nvvm.barrier0
      ptx.mbarrier.wait %barrier, %zero
)";
    kernel.spill(words);
    Words x(static_cast<size_t>(words));
    for (int i = 0; i < words; ++i)
      x[static_cast<size_t>(i)] = static_cast<uint32_t>(i);
    Words y = run(kernel.end(), x, x.size());
    for (int i = 0; i < words; ++i) {
      int line = i / 32, chunk = i % 32 / 4;
      int from = (*table)[static_cast<size_t>(line) % table->size()][static_cast<size_t>(chunk)];
      ASSERT_EQ(y[static_cast<size_t>(i)], static_cast<uint32_t>(32 * line + 4 * from + i % 4)) << span << ": " << i;
    }
  }
}

} // namespace
} // namespace tenon::test
