// The phases of a compilation: one word each, used everywhere.
// A phase's name is the value of `--from` and `--to`, the folder under passes/, the file in a dump folder and the test
// folder. Each phase is one builder function, in a file of its own; the driver, tenon-opt and the C API run the same.
#pragma once

#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringRef.h"

#include <optional>
#include <string>

namespace tenon {

enum class Phase { graph, kernel, cpu, llvm };

constexpr Phase allPhases[] = {Phase::graph, Phase::kernel, Phase::cpu, Phase::llvm};

llvm::StringRef name(Phase phase);
std::optional<Phase> parsePhase(llvm::StringRef text);
/// "graph, kernel, cpu, llvm", for messages and help texts.
std::string phaseNames();
/// What to say of a name that is no phase, and of a range that runs backwards.
std::string unknownPhaseText(llvm::StringRef given);
std::string backwardPhasesText(llvm::StringRef from, llvm::StringRef to);

/// What a phase must know beyond the IR.
struct PhaseOptions {
  std::string cpu;          // LLVM name of the processor compiled for; empty: this machine's
  int64_t vectorBits = 512; // of its vector registers
  std::string features;     // LLVM feature string ("+avx2,-avx512f"), added to the processor's own
};

void buildGraphPhase(mlir::OpPassManager &manager, const PhaseOptions &options);
void buildKernelPhase(mlir::OpPassManager &manager, const PhaseOptions &options);
void buildCpuPhase(mlir::OpPassManager &manager, const PhaseOptions &options);
void buildLlvmPhase(mlir::OpPassManager &manager, const PhaseOptions &options);

void buildPhase(mlir::OpPassManager &manager, Phase phase, const PhaseOptions &options);

/// Every dialect that a phase reads or writes, with the extensions that lowering and translation to LLVM IR need.
void registerDialects(mlir::DialectRegistry &registry);
/// Every pass of Tenon, by its argument, and the pipeline `tenon-phases{from= to= cpu=}`.
void registerPasses();

} // namespace tenon
