// The phases of a compilation: one word each, used everywhere.
// A phase's name is the value of `--from` and `--to`, the folder under passes/, the file in a dump folder and the test
// folder. A target decides which phases there are: the first two are the same for all. Each phase is one builder
// function, in a file of its own; the driver, tenon-opt and the C API run the same.
#pragma once

#include "lib/Schedule/GpuArch.h"

#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <optional>
#include <string>

namespace tenon {

/// Of one target, in the order they run.
enum class Phase { graph, kernel, tile, warp, thread, ptx, cpu, llvm };

constexpr Phase allPhases[] = {Phase::graph,  Phase::kernel, Phase::tile, Phase::warp,
                               Phase::thread, Phase::ptx,    Phase::cpu,  Phase::llvm};

llvm::StringRef name(Phase phase);
std::optional<Phase> parsePhase(llvm::StringRef text);

/// What a phase must know beyond the IR.
struct PhaseOptions {
  std::string cpu;              // LLVM name of the processor compiled for; empty: this machine's
  int64_t vectorBits = 512;     // of its vector registers
  std::string features;         // LLVM feature string ("+avx2,-avx512f"), added to the processor's own
  const GpuArch *gpu = nullptr; // the GPU compiled for; null: a CPU
  bool isSimulated = false;     // the GPU is the device simulator, which runs the code of threads
  bool failOnFallback = false;  // a kernel without a program on tiles is an error, on a GPU
  bool tf32 = false;            // products of f32 may be rounded to tf32, on a GPU
  std::string schedules;        // a file of schedules by hand, for a GPU; empty: none
  std::string tuning;           // a file of measured schedules, for a GPU; empty: what comes with Tenon; "none"
};

/// On a CPU: graph, kernel, cpu, llvm. On a GPU: graph, kernel, tile, warp, thread, ptx; the last for a real one.
llvm::ArrayRef<Phase> phasesOf(const PhaseOptions &options);
/// The phase of that name. Errors: InvalidArgument for a name that is no phase, or none of this target's.
Result<Phase> findPhase(llvm::StringRef text, const PhaseOptions &options);
/// InvalidArgument where `to` runs before `from`, which are names for the message too ("artefact" is past all).
Status backwardPhases(llvm::StringRef from, llvm::StringRef to, const PhaseOptions &options);

void buildGraphPhase(mlir::OpPassManager &manager, const PhaseOptions &options);
void buildKernelPhase(mlir::OpPassManager &manager, const PhaseOptions &options);
void buildTilePhase(mlir::OpPassManager &manager, const PhaseOptions &options);
/// What runs before schedules are chosen in phase tile.
void buildBeforeTileSchedules(mlir::OpPassManager &manager, const GpuArch &arch);
void buildWarpPhase(mlir::OpPassManager &manager, const PhaseOptions &options);
void buildThreadPhase(mlir::OpPassManager &manager, const PhaseOptions &options);
void buildPtxPhase(mlir::OpPassManager &manager, const PhaseOptions &options);
void buildCpuPhase(mlir::OpPassManager &manager, const PhaseOptions &options);
void buildLlvmPhase(mlir::OpPassManager &manager, const PhaseOptions &options);

void buildPhase(mlir::OpPassManager &manager, Phase phase, const PhaseOptions &options);

/// Every dialect that a phase reads or writes, with the extensions that lowering and translation to LLVM IR need.
void registerDialects(mlir::DialectRegistry &registry);
/// Every pass of Tenon, by its argument, and the pipeline `tenon-phases{from= to= cpu= gpu=}`.
void registerPasses();

} // namespace tenon
