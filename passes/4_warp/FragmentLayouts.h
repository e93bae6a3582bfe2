// Layouts for tiles that no matrix instruction asks for.
#pragma once

#include "dialects/Warp/Warp.h"

namespace tenon::warp {

/// For a tile that lies in memory row by row: neighbouring lanes have neighbouring 16 bytes of the innermost dimension,
/// the other lanes and the warps go to the dimensions before it as far as there are places, then along the innermost.
LayoutAttr rowLayout(mlir::RankedTensorType tile, int64_t numWarps);

/// Of a tile's equal parts along a dimension, where each thread has as much of all of them; null where it has not.
LayoutAttr partOf(LayoutAttr layout, int64_t dimension, int64_t parts);

} // namespace tenon::warp
