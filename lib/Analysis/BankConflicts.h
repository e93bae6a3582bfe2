// How often the banks of shared memory serve the warps of a program, and how often they would have to at least: counted
// from layouts and swizzles alone, before there is any code.
#pragma once

#include "dialects/Warp/Warp.h"

namespace tenon {

struct Wavefronts {
  int64_t count = 0, least = 0;
  int64_t over() const { return count - least; }
  Wavefronts &operator+=(const Wavefronts &other) {
    count += other.count;
    least += other.least;
    return *this;
  }
};

/// Of one access of a warp: the lanes' addresses, in bytes, nothing for a lane that takes no part, and the bytes each
/// moves. There are 32 banks of 4 bytes. Up to 4 bytes a lane are served for the whole warp at once, 8 for half of it,
/// 16 for a quarter; a wavefront gives each bank's word to whoever wants it, so that it takes as many as there are
/// different words in one bank. (NVIDIA, "CUDA C++ Best Practices Guide", Shared Memory; Nsight Compute,
/// l1tex__data_bank_conflicts.)
Wavefronts countWavefronts(llvm::ArrayRef<std::optional<int64_t>> addresses, int64_t bytes);

/// Of all warps, each op once, whatever loop it stands in. What TMA writes and wgmma reads has the layout these want.
struct BankConflicts {
  Wavefronts copies;    ///< warp.copy by threads
  Wavefronts fragments; ///< warp.stage and warp.read
  Wavefronts dots;      ///< operands of warp.dot, by ldmatrix or by multiply-adds
  Wavefronts exchanges; ///< warp.relayout and tile.reshape: see Exchange
  Wavefronts total() const;
};

/// How elements lie while they move between threads (warp.relayout, tile.reshape): row by row, `padding` elements free
/// behind every `rows` of them, so that lanes which have a column meet in few banks. What a thread has side by side it
/// writes and reads `writeWidth` and `readWidth` elements at once.
struct Exchange {
  int64_t padding, rows, writeWidth, readWidth;
  int64_t bytes; ///< all rows
  Wavefronts wavefronts = {};
};
/// The padding of the fewest wavefronts, and of these the least; none but for tiles of two dimensions that keep them.
Exchange planExchange(mlir::RankedTensorType from, mlir::RankedTensorType to, int64_t numWarps);

/// The kernel's tiles have layouts (tenon-assign-layouts).
BankConflicts countBankConflicts(tile::KernelOp kernel);

} // namespace tenon
