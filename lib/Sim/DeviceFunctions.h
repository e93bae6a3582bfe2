// The functions that a kernel's host code calls for what only a GPU has, by name. passes/sim writes the calls, one
// function an op; docs/guides/simulator.md has the table. Each takes the number of its call site last.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace tenon::sim {

struct DeviceFunction {
  std::string_view name;
  void *address;
};

template <typename Function>
DeviceFunction deviceFunction(std::string_view name, Function *function) {
  return {name, reinterpret_cast<void *>(function)};
}

/// All of them, and the library functions (`__nv_expf`) that stand for the device's.
const std::vector<DeviceFunction> &deviceFunctions();
bool hasDeviceFunction(std::string_view name);

void addMathFunctions(std::vector<DeviceFunction> &table);
void addMatrixFunctions(std::vector<DeviceFunction> &table);
void addMemoryFunctions(std::vector<DeviceFunction> &table);
void addStoreFunctions(std::vector<DeviceFunction> &table);
void addThreadFunctions(std::vector<DeviceFunction> &table);
void addTransferFunctions(std::vector<DeviceFunction> &table);
void addUpdateFunctions(std::vector<DeviceFunction> &table);
void addWarpgroupFunctions(std::vector<DeviceFunction> &table);

/// What tenon_sim_access is told.
enum AccessFlags : uint32_t {
  accessWrites = 1,
  accessReads = 2,
  accessAtomic = 4,
  accessSpins = 8,
  accessReleases = 16,
  accessAcquires = 32,
  accessSpaceShift = 8
};

/// Registers of tenon_sim_special.
enum class SpecialRegister : uint32_t {
  TidX,
  TidY,
  TidZ,
  NtidX,
  NtidY,
  NtidZ,
  CtaidX,
  CtaidY,
  CtaidZ,
  NctaidX,
  NctaidY,
  NctaidZ,
  ClusterCtaRank,
  ClusterNumCtas,
  ClusterCtaX,
  ClusterCtaY,
  ClusterCtaZ,
  ClusterNctaX,
  ClusterNctaY,
  ClusterNctaZ,
  ClusterIdX,
  ClusterIdY,
  ClusterIdZ,
  NclusterX,
  NclusterY,
  NclusterZ,
  LaneId,
  WarpSize,
  LaneMaskEq,
  LaneMaskLe,
  LaneMaskLt,
  LaneMaskGe,
  LaneMaskGt,
};

/// Kinds of tenon_sim_vote, _reduce and _shuffle, in nvvm's order.
enum class Vote : uint32_t { Any, All, Ballot, Uniform };
enum class Reduce : uint32_t { Add, And, Max, Min, Or, UMax, UMin, Xor, FMin, FMax };
enum class Shuffle : uint32_t { Butterfly, Up, Down, Index };

/// What tenon_sim_bulk_store makes of an element of global memory, and tenon_sim_update of a float; from Add on in
/// nvvm's order.
enum class BulkWrite : uint32_t { Replace, Add, Min, Max, Increment, Decrement, And, Or, Xor };

/// What tenon_sim_mma multiplies and adds up.
enum class MmaType : uint32_t { F16, BF16, TF32, S8, U8, E4M3, E5M2 };
constexpr bool isInteger(MmaType type) { return type == MmaType::S8 || type == MmaType::U8; }
struct MmaShape {
  MmaType a, b;
  bool isF16Sum;
  bool saturates; ///< integers
  uint32_t k;
};
constexpr uint32_t packMma(MmaShape shape) {
  return static_cast<uint32_t>(shape.a) | static_cast<uint32_t>(shape.b) << 4 | uint32_t{shape.isF16Sum} << 8 |
         uint32_t{shape.saturates} << 9 | shape.k << 16;
}
constexpr MmaShape unpackMma(uint32_t packed) {
  return {static_cast<MmaType>(packed & 15), static_cast<MmaType>(packed >> 4 & 15), (packed >> 8 & 1) != 0,
          (packed >> 9 & 1) != 0, packed >> 16};
}

/// One wgmma.mma_async, of 32 bytes of the depth: f32 sums of floats, s32 sums of integers.
struct WgmmaStep {
  MmaType a, b;
  bool isInRegisters; ///< A
  bool isTransposedA, isTransposedB;
  bool isNegatedA, isNegatedB;
  uint32_t n;
};
constexpr uint32_t packWgmma(WgmmaStep step) {
  return static_cast<uint32_t>(step.a) | static_cast<uint32_t>(step.b) << 4 | uint32_t{step.isInRegisters} << 8 |
         uint32_t{step.isTransposedA} << 9 | uint32_t{step.isTransposedB} << 10 | uint32_t{step.isNegatedA} << 11 |
         uint32_t{step.isNegatedB} << 12 | step.n << 16;
}
constexpr WgmmaStep unpackWgmma(uint32_t packed) {
  auto isSet = [&](uint32_t bit) { return (packed >> bit & 1) != 0; };
  return {static_cast<MmaType>(packed & 15),
          static_cast<MmaType>(packed >> 4 & 15),
          isSet(8),
          isSet(9),
          isSet(10),
          isSet(11),
          isSet(12),
          packed >> 16};
}

} // namespace tenon::sim
