// What is inside a cubin: its kernels and how often each machine instruction stands in them. A cubin is an ELF file of
// which the vendor documents the outside only; what is read here (sections .text.<function>, the entry flag of symbols,
// 16-byte instructions whose low 12 bits are the opcode) holds for compute capabilities 7.0 to 9.0.
#pragma once

#include "lib/Support/Status.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tenon {

struct CubinFunction {
  std::string name;
  bool isKernel = false;                  ///< launched by the host, else called by kernels
  int64_t numInstructions = 0;            ///< padding (NOP) not counted
  std::map<std::string, int64_t> opcodes; ///< by name, those of `sassOpcodes` only
  /// Reads and writes of shared memory by threads, LDS and the like, between the first and the last dot of a warpgroup.
  int64_t numSharedBetweenDots = 0;
  int64_t count(const std::string &opcode) const;
  /// Instructions that the Tensor Cores execute.
  int64_t numTensorCore() const;
  /// Those of them that a warpgroup begins.
  int64_t numWarpgroupDots() const { return count("HGMMA") + count("IGMMA") + count("QGMMA"); }
};

struct Cubin {
  std::vector<CubinFunction> functions; ///< by name
  const CubinFunction *find(std::string_view name) const;
};

/// Errors: Corrupt, with what is wrong and where, for anything that is not a whole cubin.
Result<Cubin> readCubin(std::string_view bytes);

/// An opcode that gates, reports and tests ask for. One instruction has an opcode for each form of its operands.
struct SassOpcode {
  uint16_t code;
  const char *name;
  bool isTensorCore;
};
const std::vector<SassOpcode> &sassOpcodes();

} // namespace tenon
