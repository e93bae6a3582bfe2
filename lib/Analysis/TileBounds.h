// What is known of places in views before any code runs: ranges and divisors of index values of a program on tiles.
#pragma once

#include "dialects/Tile/Tile.h"

#include <optional>

namespace tenon {

/// The least and the greatest value that an index can have; nothing where they are not known.
struct IndexRange {
  int64_t least, greatest;
};
std::optional<IndexRange> rangeOf(mlir::Value index);

/// A number that divides the index, whatever its value; 0 divides only 0.
int64_t divisorOf(mlir::Value index);

/// Whether `extent` elements from `start` on lie within the view's dimension, for every start that occurs.
bool isWithin(tenon::tile::ViewType view, int64_t dimension, mlir::Value start, int64_t extent);

} // namespace tenon
