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
};

const char *findingKindName(FindingKind kind);

struct Finding {
  FindingKind kind;
  std::string text;              ///< without the kind
  std::array<uint32_t, 2> sites; ///< the op at fault, and the other one or 0
};

struct Report {
  std::vector<Finding> findings; ///< one for each kind and pair of ops, in the order found
  int64_t numRepeats = 0;        ///< further findings like those
  int64_t numSwitches = 0;       ///< between threads
  bool hasStopped = false;       ///< ahead of the launch's end: results are not all written

  bool ok() const { return findings.empty(); }
  /// "race: ..", a line a finding, and how often they repeat.
  std::string text() const;
  const Finding *find(FindingKind kind) const;
};

} // namespace tenon::sim
