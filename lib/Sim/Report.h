// What a simulated launch found: each finding is a sentence that names op, place in the source, thread and bytes.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace tenon::sim {

/// An op of the kernel that calls into the simulator.
struct Site {
  std::string op;       ///< "nvvm.ldmatrix"
  std::string location; ///< "gemm.mlir:52:7", as precise as the IR knows
};

enum class FindingKind {
  Race,          ///< two accesses, one a write, that nothing orders
  AsyncCopy,     ///< bytes of a cp.async touched before its wait
  Uninitialised, ///< read before anything was written
  OutOfBounds,
  Misaligned,
  Deadlock,
  Divergence, ///< lanes of a warp apart at an op that all must execute together
  Misuse,     ///< operands that the op does not take
  StackOverflow,
};

const char *findingKindName(FindingKind kind);

struct Finding {
  FindingKind kind;
  std::string text;              ///< without the kind
  std::array<uint32_t, 2> sites; ///< the op at fault, and the other one or 0
  int64_t numRepeats = 0;        ///< of the same kind and ops
};

/// What the accesses of an op asked of the memory, of all warps together.
struct AccessCount {
  uint32_t site = 0;
  bool isShared = false;
  uint64_t accesses = 0;             ///< of a warp, or copies of TMA
  uint64_t bytes = 0;                ///< of all lanes
  uint64_t sectors = 0;              ///< 32 bytes of global memory each
  uint64_t turns = 0, conflicts = 0; ///< of shared memory; those beyond what the bytes need
};

struct Report {
  std::vector<AccessCount> counts; ///< where asked for, in the order of the ops
  uint64_t seed = 0;               ///< under which the findings were made
  std::vector<Finding> findings;   ///< one for each kind and pair of ops, in the order found
  int64_t numRepeats = 0;          ///< further findings like those
  int64_t numSwitches = 0;         ///< between threads
  bool hasStopped = false;         ///< ahead of the launch's end: results are not all written

  bool ok() const { return findings.empty(); }
  /// "race: ..", a line a finding, and how often they repeat.
  std::string text() const;
  const Finding *find(FindingKind kind) const;
};

} // namespace tenon::sim
