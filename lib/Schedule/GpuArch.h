// The one table of hardware facts of the GPUs Tenon compiles for. Cost models, legality checks, code generation and the
// gates on finished kernels all read it, so that no number of a chip stands anywhere else. Free of IR.
#pragma once

#include "lib/Support/Status.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace tenon {

/// Multiply-adds that an SM finishes in a clock, dense; two floating-point operations each. 0: not in hardware.
struct GpuRates {
  int tensor16;   ///< f16 or bf16 with f32 accumulation
  int tensorTf32; ///< f32 operands rounded to tf32
  int tensor8;    ///< i8 with i32 accumulation
  int tensorF8;   ///< e4m3, e5m2
  int f32;        ///< FFMA
  int special;    ///< MUFU results (ex2, lg2, rcp, tanh), not multiply-adds
};

struct GpuArch {
  const char *name;      ///< as ptxas takes it: "sm_90a"
  int capability;        ///< 10 * major + minor
  const char *reference; ///< the part whose counts, clock and memory stand below

  int numSms;
  int sharedBytesPerSm;
  int sharedBytesPerBlock; ///< static and dynamic together, after opt-in
  int sharedBytesReserved; ///< that the system takes of an SM's for each resident block
  int registersPerSm;      ///< of 32 bits
  int registersPerThread;  ///< most that a thread may use
  int maxWarpsPerSm, maxBlocksPerSm;
  int maxClusterBlocks; ///< of a portable cluster; 0 where there are none

  int64_t l2Bytes;
  double memoryBytesPerSecond;
  double clockHz; ///< boost; what the vendor's peak rates are given at
  GpuRates rates; ///< per SM and clock

  bool hasAsyncCopy; ///< cp.async
  bool hasLdmatrix;
  bool hasStmatrix;
  bool hasTma;   ///< cp.async.bulk.tensor
  bool hasWgmma; ///< and setmaxnreg

  int ptxVersion;        ///< 10 * major + minor of the PTX that is written for it
  int minToolkitVersion; ///< 10 * major + minor of the first CUDA release whose ptxas reads that

  double peak(int multiplyAddsPerClock) const { return 2.0 * multiplyAddsPerClock * numSms * clockHz; }
};

/// In order of capability.
const std::array<GpuArch, 4> &gpuArchs();

/// By exact name. Errors: InvalidArgument with the names there are.
Result<const GpuArch *> findGpuArch(std::string_view name);

} // namespace tenon
