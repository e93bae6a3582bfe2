// ldmatrix, stmatrix and mma.sync, with the fragments of the PTX manual: of a 32-bit register a lane holds, in row
// lane / 4, the elements that follow (lane % 4) times as many as fit.
//
// Sums are modelled as Tensor Cores are known to form them (Fasi, Higham, Mikaitis, Pranesh 2021, "Numerical behavior
// of NVIDIA tensor cores"): products are exact; products and accumulator are aligned to the largest exponent among them
// and cut off there, some bits below the accumulator's last; the sum of these is exact and cut off to f32. So all is
// exact, in any order, as long as the sums are integers below 2^24 of one scale.
#include "lib/Sim/DeviceFunctions.h"
#include "lib/Sim/MemoryAccess.h"
#include "lib/Sim/Numbers.h"

#include <algorithm>

namespace tenon::sim {
namespace {

constexpr uint32_t rowBytes = 16;
/// Bits below the last of f32 that terms keep when they are aligned.
constexpr int guardBits = 2;

struct MatrixArguments {
  uintptr_t address;
  uint32_t num;
  bool isTransposed;
  uint32_t *values;
};

/// The two bytes that hold element (row, column) of the 8 x 8 matrix `matrix`; its rows are where lanes 8 matrix to
/// 8 matrix + 7 say.
char *element(void *const *arguments, uint32_t matrix, uint32_t row, uint32_t column) {
  return reinterpret_cast<char *>(static_cast<MatrixArguments *>(arguments[8 * matrix + row])->address) + 2 * column;
}

void touchRows(Cta &cta, uint32_t warp, void *const *arguments, uint32_t site, bool isWrite) {
  uint32_t rows = 8 * static_cast<MatrixArguments *>(arguments[0])->num;
  for (uint32_t lane = 0; lane < rows; ++lane)
    recordTouch(cta, {warp * 32 + lane, static_cast<MatrixArguments *>(arguments[lane])->address, rowBytes, rowBytes,
                      Space::Shared, isWrite, false, site});
}

/// Visits each half register with the memory that it stands for.
template <typename Visit>
void forEachHalf(void *const *arguments, Visit &&visit) {
  for (uint32_t lane = 0; lane < 32; ++lane) {
    auto &mine = *static_cast<MatrixArguments *>(arguments[lane]);
    for (uint32_t matrix = 0; matrix < mine.num; ++matrix)
      for (uint32_t half = 0; half < 2; ++half) {
        uint32_t row = lane / 4, column = 2 * (lane % 4) + half;
        if (mine.isTransposed)
          std::swap(row, column);
        visit(reinterpret_cast<char *>(&mine.values[matrix]) + 2 * half, element(arguments, matrix, row, column));
      }
  }
}

void loadMatrix(Cta &cta, uint32_t warp, void *const *arguments, uint32_t site) {
  touchRows(cta, warp, arguments, site, /*isWrite=*/false);
  forEachHalf(arguments, [](char *value, const char *memory) { std::memcpy(value, memory, 2); });
}

void storeMatrix(Cta &cta, uint32_t warp, void *const *arguments, uint32_t site) {
  touchRows(cta, warp, arguments, site, /*isWrite=*/true);
  forEachHalf(arguments, [](const char *value, char *memory) { std::memcpy(memory, value, 2); });
}

/// The operands' registers of a lane, then its result's.
struct MmaArguments {
  MmaShape shape;
  uint32_t *registers;
};
constexpr uint32_t firstOfB = 4, firstOfC = 6, firstOfD = 10;

uint32_t bitsOf(MmaType type) {
  return type == MmaType::TF32 ? 32 : type == MmaType::S8 || type == MmaType::U8 ? 8 : 16;
}

double decode(MmaType type, uint32_t word, uint32_t index) {
  switch (type) {
  case MmaType::F16:
    return fromF16(static_cast<uint16_t>(word >> 16 * index));
  case MmaType::BF16:
    return fromBF16(static_cast<uint16_t>(word >> 16 * index));
  case MmaType::TF32:
    return asFloat(word & ~0x1FFFU);
  case MmaType::S8:
    return static_cast<int8_t>(word >> 8 * index);
  case MmaType::U8:
    return static_cast<uint8_t>(word >> 8 * index);
  }
  return 0;
}

/// Of a number as the format has it: denormals have the exponent of the least normal number.
int exponentOf(double value, MmaType type) {
  int least = type == MmaType::F16 ? -14 : -126;
  return value == 0 ? least : std::max(std::ilogb(value), least);
}

float sumOfProducts(const double *a, const double *b, MmaType type, uint32_t count, float c) {
  double plain = c;
  int top = c == 0 ? -2000 : std::max(std::ilogb(c), -126);
  for (uint32_t k = 0; k < count; ++k) {
    plain += a[k] * b[k];
    if (a[k] * b[k] != 0)
      top = std::max(top, exponentOf(a[k], type) + exponentOf(b[k], type));
  }
  if (!std::isfinite(plain))
    return std::isnan(plain) ? asFloat(0x7FFFFFFF) : static_cast<float>(plain);
  if (top == -2000)
    return static_cast<float>(plain); // zeros, and the sign of their sum
  int scale = 23 + guardBits - top;
  auto sum = static_cast<int64_t>(std::ldexp(static_cast<double>(c), scale));
  for (uint32_t k = 0; k < count; ++k)
    sum += static_cast<int64_t>(std::ldexp(a[k] * b[k], scale));
  auto magnitude = static_cast<uint64_t>(std::abs(sum));
  int extra = 0;
  for (; magnitude >> extra >= (uint64_t{1} << 24);)
    ++extra;
  magnitude = magnitude >> extra << extra;
  double result = std::ldexp(static_cast<double>(magnitude), -scale);
  float rounded = result > 3.4028234663852886e38 ? INFINITY : static_cast<float>(result);
  return sum < 0 ? -rounded : rounded;
}

uint32_t sumOfIntegers(const double *a, const double *b, uint32_t count, uint32_t c, bool saturates) {
  int64_t sum = static_cast<int32_t>(c);
  for (uint32_t k = 0; k < count; ++k)
    sum += static_cast<int64_t>(a[k] * b[k]);
  if (saturates)
    sum = std::clamp<int64_t>(sum, INT32_MIN, INT32_MAX);
  return static_cast<uint32_t>(sum);
}

void multiply(Cta &, uint32_t, void *const *arguments, uint32_t) {
  MmaShape shape = static_cast<MmaArguments *>(arguments[0])->shape;
  auto registersOf = [&](uint32_t lane) { return static_cast<MmaArguments *>(arguments[lane])->registers; };
  uint32_t each = 32 / bitsOf(shape.a); // elements a register
  double a[16][64], b[8][64];
  for (uint32_t lane = 0; lane < 32; ++lane) {
    const uint32_t *mine = registersOf(lane);
    for (uint32_t k0 = 0; k0 < shape.k; k0 += 4 * each)
      for (uint32_t index = 0; index < each; ++index) {
        uint32_t k = k0 + lane % 4 * each + index, slice = k0 / (4 * each);
        a[lane / 4][k] = decode(shape.a, mine[2 * slice], index);
        a[lane / 4 + 8][k] = decode(shape.a, mine[2 * slice + 1], index);
        b[lane / 4][k] = decode(shape.b, mine[firstOfB + slice], index);
      }
  }
  bool isInteger = shape.a == MmaType::S8 || shape.a == MmaType::U8;
  for (uint32_t lane = 0; lane < 32; ++lane) {
    const uint32_t *c = registersOf(lane) + firstOfC;
    uint32_t *d = registersOf(lane) + firstOfD;
    for (uint32_t index = 0; index < 4; ++index) {
      uint32_t row = lane / 4 + 8 * (index / 2), column = 2 * (lane % 4) + index % 2;
      if (isInteger) {
        d[index] = sumOfIntegers(a[row], b[column], shape.k, c[index], shape.saturates);
      } else if (shape.isF16Sum) {
        uint32_t shift = 16 * (index % 2);
        float start = fromF16(static_cast<uint16_t>(c[index / 2] >> shift));
        uint32_t sum = toF16(sumOfProducts(a[row], b[column], shape.a, shape.k, start));
        d[index / 2] = (d[index / 2] & ~(0xFFFFU << shift)) | sum << shift;
      } else {
        d[index] = asBits(sumOfProducts(a[row], b[column], shape.a, shape.k, asFloat(c[index])));
      }
    }
  }
}

void moveMatrix(Together together, uint32_t *values, void *address, uint32_t num, uint32_t isTransposed,
                uint32_t site) {
  MatrixArguments mine = {reinterpret_cast<uintptr_t>(address), num, isTransposed != 0, values};
  Cta &cta = Cta::current();
  cta.collective(together, num, cta.warpMask(cta.thread().warp), /*isAligned=*/true, &mine, site);
}

// What the kernel calls.

void loadMatrixCall(uint32_t *values, void *address, uint32_t num, uint32_t isTransposed, uint32_t site) {
  moveMatrix(loadMatrix, values, address, num, isTransposed, site);
}

void storeMatrixCall(uint32_t *values, void *address, uint32_t num, uint32_t isTransposed, uint32_t site) {
  moveMatrix(storeMatrix, values, address, num, isTransposed, site);
}

void mmaCall(uint32_t *registers, uint32_t shape, uint32_t site) {
  MmaArguments mine = {unpackMma(shape), registers};
  Cta &cta = Cta::current();
  cta.collective(multiply, shape, cta.warpMask(cta.thread().warp), /*isAligned=*/true, &mine, site);
}

} // namespace

void addMatrixFunctions(std::vector<DeviceFunction> &table) {
  table.insert(table.end(), {
                                deviceFunction("tenon_sim_ldmatrix", loadMatrixCall),
                                deviceFunction("tenon_sim_stmatrix", storeMatrixCall),
                                deviceFunction("tenon_sim_mma", mmaCall),
                            });
}

} // namespace tenon::sim
