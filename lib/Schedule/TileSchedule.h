// Decides how a kernel is cut into programs on tiles, from its shape. Free of IR. The processor does not enter yet:
// that comes with the level that knows registers and shared memory.
#pragma once

#include <cstdint>

namespace tenon {

/// Sizes of a contraction or attention; negative where known only at run time.
struct GemmTile {
  int64_t rows, columns, depth;
};
GemmTile chooseGemmTile(int64_t rows, int64_t columns, int64_t depth, int64_t operandBits);

struct AttentionTile {
  int64_t queries, keys;
};
AttentionTile chooseAttentionTile(int64_t queries, int64_t headSize);

struct RowTile {
  int64_t rows, columns, part;
};
/// Of a result's innermost dimension and the one before (1 where there is none).
RowTile chooseRowTile(int64_t rows, int64_t columns);

} // namespace tenon
