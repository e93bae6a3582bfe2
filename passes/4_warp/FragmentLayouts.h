// Layouts for tiles that no matrix instruction asks for.
#pragma once

#include "dialects/Warp/Warp.h"

namespace tenon::warp {

/// For a tile that lies in memory row by row: neighbouring lanes have neighbouring 16 bytes of the innermost dimension,
/// less where there is not as much for each lane; the other lanes and the warps go to the dimensions before it as far
/// as there are places, then along the innermost.
LayoutAttr rowLayout(mlir::RankedTensorType tile, int64_t numWarps);

/// For a tile that lies in memory row by row and comes from rows that are its columns: a thread has 16 bytes of a row
/// of several rows, of which it reads a word, as many lanes side by side as a sector of memory has; so that it
/// transposes words by itself. Null where warps or the tile's sides do not come out even.
LayoutAttr transposedLayout(mlir::RankedTensorType tile, int64_t numWarps);

/// Of a tile's equal parts along a dimension, where each thread has as much of all of them; null where it has not.
LayoutAttr partOf(LayoutAttr layout, int64_t dimension, int64_t parts);

} // namespace tenon::warp
