// ldmatrix, stmatrix and mma.sync, with the fragments of the PTX manual: of a 32-bit register a lane holds, in row
// lane / 4, the elements that follow (lane % 4) times as many as fit.
#include "lib/Sim/DeviceFunctions.h"
#include "lib/Sim/MemoryAccess.h"
#include "lib/Sim/Numbers.h"
#include "lib/Sim/TensorCore.h"

#include <algorithm>

namespace tenon::sim {
namespace {

constexpr uint32_t rowBytes = 16;

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
                      Space::Shared, isWrite, false, site, nullptr, rows});
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

/// Of fp8, as an H200 does it, which multiplies 16 f16 in its place, twice: of four elements in a register the first
/// two, from zero, and the others on top. Their sum with the accumulator is rounded to nearest.
float sumOfBytes(const double *a, const double *b, MmaShape shape, float c) {
  float sum = 0;
  for (uint32_t half = 0; half < 2; ++half) {
    double x[16], y[16];
    for (uint32_t index = 0; index < 16; ++index) {
      uint32_t k = index / 2 * 4 + 2 * half + index % 2;
      x[index] = a[k];
      y[index] = b[k];
    }
    sum = sumOfProducts(x, y, shape.a, shape.b, 16, sum);
  }
  sum += c;
  return std::isnan(sum) ? asFloat(0x7FFFFFFF) : sum;
}

void multiply(Cta &cta, uint32_t warp, void *const *arguments, uint32_t site) {
  if (Trace *trace = cta.trace())
    trace->add(Trace::Kind::Product, warp, cta.siteText(site), trace->time());
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
  for (uint32_t lane = 0; lane < 32; ++lane) {
    const uint32_t *c = registersOf(lane) + firstOfC;
    uint32_t *d = registersOf(lane) + firstOfD;
    for (uint32_t index = 0; index < 4; ++index) {
      uint32_t row = lane / 4 + 8 * (index / 2), column = 2 * (lane % 4) + index % 2;
      if (isInteger(shape.a)) {
        d[index] = sumOfIntegers(a[row], b[column], shape.k, c[index], shape.saturates);
      } else if (shape.isF16Sum) {
        uint32_t shift = 16 * (index % 2);
        float start = fromF16(static_cast<uint16_t>(c[index / 2] >> shift));
        uint32_t sum = toF16(sumOfProducts(a[row], b[column], shape.a, shape.b, shape.k, start));
        d[index / 2] = (d[index / 2] & ~(0xFFFFU << shift)) | sum << shift;
      } else if (bitsOf(shape.a) == 8) {
        d[index] = asBits(sumOfBytes(a[row], b[column], shape, asFloat(c[index])));
      } else {
        d[index] = asBits(sumOfProducts(a[row], b[column], shape.a, shape.b, shape.k, asFloat(c[index])));
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
