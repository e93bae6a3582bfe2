// Families of kernels that the compiler makes, for both kinds of GPU, and mutants of each.
//
// What a mutant is expected to be found as: one kind of finding and no other in the order of seed 0, and in the first
// finding the op that is right to name, with its place:
//
// - the changed op itself, where it does what it may not: an access outside, a descriptor that does not fit, a copy to
//   shared memory in which its change left no mbarrier or the wrong number of bytes;
// - for what ordered two ops and no longer does (a barrier, a wait, a fence, a commit, a release, the split of roles):
// the
//   two ops that now collide, the later one first;
// - for what somebody waits for (an arrival, bytes): the wait, with what it lacks.
#pragma once

#include "test/unit/GeneratedKernel.h"

#include <ostream>

namespace tenon::test {

/// A model of one kernel at a size, and the elements of its operands and its result.
struct Model {
  std::string text;
  std::vector<int64_t> operands;
  int64_t result;
};

struct Family {
  std::string name, arch;
  int64_t elementBytes;
  Model (*model)(int64_t size);
  std::vector<int64_t> sizes; ///< the first is that of the mutants
  std::vector<Mutant> mutants;
  std::string tiles = "", warps = ""; ///< schedules by hand, or empty
  bool hasNan = false;                ///< the first element of the first operand
};

inline void PrintTo(const Family &family, std::ostream *stream) { *stream << family.name; }

const std::vector<Family> &families();

} // namespace tenon::test
