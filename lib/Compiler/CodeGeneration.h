// @kernels in the LLVM dialect -> machine code: LLVM's O3 pipeline for one processor, then a relocatable ELF object.
// Half of a compilation's time is spent here, so the kernels are shared out over threads, each with a context of its
// own.
#pragma once

#include "lib/Support/Status.h"

#include "mlir/IR/BuiltinOps.h"

#include <memory>
#include <string>
#include <vector>

namespace llvm {
class TargetMachine;
}

namespace tenon {

/// A processor as LLVM names it.
struct CpuTarget {
  std::string cpu;      ///< "znver4"
  std::string features; ///< LLVM feature string; of this machine where it is the target
  /// "cpu" (this machine) or "cpu:<llvm name>".
  static Result<CpuTarget> parse(const std::string &text);
  Result<std::unique_ptr<llvm::TargetMachine>> machine() const;
  /// What the runtime must check for before it runs the code: "avx2", "avx512f", "fma", ..
  std::vector<std::string> requiredFeatures() const;
  /// Bits of its vector registers: 128, 256 or 512.
  int64_t vectorBits() const;
};

struct GeneratedCode {
  std::vector<std::string> objects; ///< relocatable ELF, in a fixed order
  std::string ir, assembly;         ///< where asked for
};

/// `wantText`: IR after optimisation and assembly too.
Result<GeneratedCode> generateCode(mlir::ModuleOp kernels, const CpuTarget &target, bool wantText);

} // namespace tenon
