// Kernels of the thread level as host code for the device simulator: what only a GPU has becomes calls into lib/Sim,
// the rest goes through LLVM for this machine, and ORC puts it into this process.
#pragma once

#include "lib/Sim/Simulator.h"
#include "lib/Support/Status.h"

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Operation.h"

#include <map>
#include <memory>
#include <string>

namespace tenon {

/// A kernel's arguments by docs/pipeline.md, "Calling a GPU kernel".
struct SimulatedCall {
  std::vector<sim::Buffer> operands, results;
  std::vector<int64_t> dims;
  bool isProgrammatic = false; ///< starts while the launch ahead still runs
};

class SimulatedModule {
public:
  /// `module`: a module or gpu.module with kernels, or one whose module @kernels has them; it is left as it is. Its
  /// context needs the translations to LLVM IR (registerDialects), and must outlive what this returns.
  static Result<std::unique_ptr<SimulatedModule>> compile(mlir::Operation *module);
  ~SimulatedModule();

  std::vector<std::string> kernelNames() const;
  /// Null where there is none of that name.
  const sim::Kernel *find(const std::string &kernel) const;
  /// Bytes of each parameter; 128 are a tensor map's.
  const std::vector<size_t> &parameters(const std::string &kernel) const;
  /// Runs every CTA of the grid that the kernel states for these dims; results are written where the call says.
  Result<sim::Report> run(const std::string &kernel, const SimulatedCall &call, const sim::Options &options = {}) const;

private:
  SimulatedModule();
  struct Code;
  std::unique_ptr<Code> code;
  std::vector<sim::Site> sites;
  struct Entry {
    sim::Kernel kernel;
    std::vector<size_t> parameters;                  ///< bytes of each
    mlir::AffineMap grid, scratchBytes, zeroedBytes; ///< over the dims; null where the function has none
    mlir::ArrayAttr tensorMaps;                      ///< dictionaries, or null
    std::array<int64_t, 3> cluster = {1, 1, 1};
    int64_t counterBytes = 0; ///< at the workspace's start, which a launch leaves 0
    int64_t waveCtas = 0;     ///< CTAs take turns: so many a multiprocessor, 0: they do not
  };
  std::map<std::string, Entry> kernels;
};

} // namespace tenon
