// Kernels that the compiler makes, for the device simulator, and what is left of them when an op is taken out or
// changed.
#pragma once

#include "lib/Target/SimulatedModule.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <optional>
#include <string>
#include <vector>

namespace tenon::test {

enum class Change {
  Remove,       ///< the op
  OfTheCta,     ///< an arrival at the barrier of the cluster, and the wait behind it, become a barrier of the CTA
  WaitForLess,  ///< one more group stays pending
  OneMore,      ///< an mbarrier waits for one more arrival, a named barrier for 32 more threads
  OneLess,      ///< the same for fewer; an arrival at the CTAs of a cluster leaves the last one out
  OtherParity,  ///< of a wait at an mbarrier
  MoreBytes,    ///< 16 more are expected than come
  LessBytes,    ///< 16 fewer
  OtherBits,    ///< `bits` of the descriptor of B of wgmma are turned
  OtherMask,    ///< `bits` in place of the mask of a multicast
  AheadOfWait,  ///< the op, with the branch around it, comes before the wait for products ahead of it
  TailMoved,    ///< the comparison that keeps an access inside holds for one more
  RoleMoved,    ///< one warp of those that multiply takes the branch of those that load, or the other way round
  Unconditional ///< the predicate holds
};

/// The `index`th op of that name, in the kernel as the compiler made it.
struct Place {
  std::string op = "";
  int index = 0;
};

/// What the simulator says of a mutant: findings of this kind, the first of all at these ops, and none of others but
/// the one that follows from it.
struct Expected {
  sim::FindingKind kind;
  Place at;
  Place with = {};       ///< the other access; empty: none
  std::string part = ""; ///< of the finding's text; of a deadlock, what that op waits for
  std::optional<sim::FindingKind> follows = std::nullopt;
};

struct Mutant {
  std::string name, op; ///< which is changed
  Expected expected;
  Change change = Change::Remove;
  int index = -1;    ///< which of the ops of that name; -1: all
  uint64_t bits = 0; ///< of OtherBits and OtherMask
};

/// A context with all of Tenon's dialects and passes.
void prepare(mlir::MLIRContext &context);
/// From a model to functions of one thread, in which each op has a line of its own. Schedules by hand, of a kernel's
/// tiles and of its warps, or empty.
mlir::OwningOpRef<mlir::ModuleOp> lowerToThreads(mlir::MLIRContext &context, const std::string &model,
                                                 const std::string &arch, const std::string &tiles = "",
                                                 const std::string &warps = "");
/// How many ops were changed.
int mutate(mlir::ModuleOp module, const Mutant &mutant);
/// What differs from what is expected, or an empty text. `kernel`: as the compiler made it; `sites`: of the report.
std::string differs(const sim::Report &report, const std::vector<sim::Site> &sites, const Expected &expected,
                    mlir::ModuleOp kernel);

} // namespace tenon::test
