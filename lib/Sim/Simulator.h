// Runs one kernel of the thread level on this machine: threads as fibers, memory with red zones, and every access,
// barrier and asynchronous copy followed, so that races and deadlocks are found where a GPU would only give a wrong
// number now and then. The kernel is host code that calls the functions of DeviceFunctions.h for what only a GPU has.
#pragma once

#include "lib/Sim/Report.h"
#include "lib/Support/Status.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace tenon::sim {

/// Host code of a kernel, and what a launch must know of it.
struct Kernel {
  std::string name;
  void (*entry)(void *const *arguments) = nullptr; ///< each argument's address, as cuLaunchKernel takes them
  std::array<int64_t, 3> block = {1, 1, 1};
  int64_t staticShared = 0; ///< bytes of the module's own shared arrays, ahead of the dynamic part
  int64_t dynamicShared = 0;
  const std::vector<Site> *sites = nullptr; ///< what the calls' site numbers mean; [0] stands for none
};

/// An argument that is an address. Written back after the launch when it is writable.
struct Buffer {
  std::string name;
  void *data = nullptr;
  int64_t bytes = 0;
  bool isWritable = false;
  int64_t initialised = 0; ///< of a writable one: bytes at its start that may be read before they are written
  bool isStatic = false;   ///< weights and constants: no launch ahead writes or reads them
};

/// Elements of tensor maps, as CUtensorMapDataType numbers them.
enum class MapElement : uint8_t { U8, U16, U32, I32, U64, I64, F16, F32, F64, BF16, F32_FTZ, TF32 };

/// What cuTensorMapEncodeTiled is given, innermost dimension first.
struct TensorMap {
  int buffer = 0; ///< index in buffers
  MapElement element = MapElement::U8;
  int64_t offset = 0;                     ///< bytes
  std::vector<int64_t> sizes, strides;    ///< elements; bytes, of the dimensions but the first
  std::vector<int64_t> box;               ///< elements
  int64_t elementBytes = 1, swizzle = 16; ///< 128, 64 or 32 bytes; 16 or 0 for none
  bool fillsNan = false;
  char *base = nullptr; ///< set by simulate()
};

struct Argument {
  static constexpr int number = -1, null = -2, map = -3;
  int buffer = number; ///< index in buffers, or one of these
  int64_t value = 0;   ///< the number, or the map's index
};

struct Launch {
  std::vector<Buffer> buffers;
  std::vector<TensorMap> maps;
  std::vector<Argument> arguments; ///< all of the kernel, in order
  std::array<int64_t, 3> grid = {1, 1, 1};
  std::array<int64_t, 3> cluster = {1, 1, 1}; ///< CTAs
  bool isProgrammatic = false; ///< starts while the launch ahead still runs: griddepcontrol.wait ends that

  /// Null where the address is none of a map.
  const TensorMap *findMap(const void *descriptor) const;
};

struct Options {
  bool races = true;         ///< and bytes under an asynchronous copy
  bool uninitialised = true; ///< reads of what nobody wrote
  uint64_t seed = 0;         ///< of the order of threads, see Cta::schedule
  int64_t numSeeds = 1;      ///< further orders, of the seeds that follow, until one has findings
  bool counts = false;       ///< Report::counts
  bool shortSums = false;    ///< products of fp8 are added up in 14 bits, as an H100 does, else as those of f16
  class Trace *trace = nullptr;
  int64_t stackBytes = 256 << 10; ///< of a thread, of which the simulator's own functions need some
  int64_t hostThreads = 0;        ///< that run clusters side by side, at most; 0: as many as the host has
};

/// Which findings are looked for: "races,init,deadlock" or some of them (also with + between). Deadlocks and what ends
/// a launch are found always.
Status setChecks(Options &options, const std::string &words);

/// An error when the launch cannot be made; what the kernel does wrong is in the report.
Result<Report> simulate(const Kernel &kernel, Launch &launch, const Options &options = {});

} // namespace tenon::sim
