// Kernels that the compiler makes, for the device simulator, and what is left of them when an op is taken out or
// changed.
#pragma once

#include "lib/Target/SimulatedModule.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>
#include <vector>

namespace tenon::test {

enum class Change {
  Remove,       ///< the op
  WaitForLess,  ///< one more group stays pending
  OneMore,      ///< an mbarrier waits for one more arrival, a named barrier for 32 more threads
  OneLess,      ///< the same for fewer
  OtherParity,  ///< of a wait at an mbarrier
  MoreBytes,    ///< 16 more are expected than come
  LessBytes,    ///< 16 fewer
  OtherBits,    ///< `bits` of the descriptor of B of wgmma are turned
  AheadOfWait,  ///< the op, with the branch around it, comes before the wait for products ahead of it
  TailMoved,    ///< the comparison that keeps an access inside holds for one more
  RoleMoved,    ///< one warp of those that multiply takes the branch of those that load, or the other way round
  Unconditional ///< the predicate holds
};

struct Mutant {
  std::string name, op;                ///< which is changed
  std::vector<sim::FindingKind> kinds; ///< of which one must be found
  std::string part;                    ///< of a finding's text
  Change change = Change::Remove;
  int index = -1;    ///< which of the ops of that name; -1: all
  uint64_t bits = 0; ///< of OtherBits
};

/// A context with all of Tenon's dialects and passes.
void prepare(mlir::MLIRContext &context);
/// From a model to functions of one thread. Schedules by hand, of a kernel's tiles and of its warps, or empty.
mlir::OwningOpRef<mlir::ModuleOp> lowerToThreads(mlir::MLIRContext &context, const std::string &model,
                                                 const std::string &arch, const std::string &tiles = "",
                                                 const std::string &warps = "");
/// How many ops were changed.
int mutate(mlir::ModuleOp module, const Mutant &mutant);
bool isFound(const sim::Report &report, const Mutant &mutant);

} // namespace tenon::test
