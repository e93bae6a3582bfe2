// The element types Tenon stores, with the one table of their names and sizes. i1 takes a byte; i4 packs two to a byte,
// the low nibble first, so sizes are asked for a number of elements, never for one.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tenon {

/// The values are part of the C API and of files: append only.
enum class DataType : int32_t { F64, F32, F16, BF16, F8E4M3FN, F8E5M2, I64, I32, I16, I8, I4, I1, U8 };

inline constexpr int numDataTypes = 13;

/// The spelling of MLIR: "f32", "bf16", "f8E4M3FN", "i64", "ui8".
std::string_view dataTypeName(DataType type);
std::optional<DataType> dataTypeFromName(std::string_view name);
int64_t bitsPerElement(DataType type);

/// Bytes of `elements` elements, or nothing on overflow or a negative count.
std::optional<int64_t> bytesOf(DataType type, int64_t elements);
/// The product of `rank` sizes, or nothing on overflow or a negative size.
std::optional<int64_t> numElements(const int64_t *shape, size_t rank);

template <typename Shape>
std::optional<int64_t> numElements(const Shape &shape) {
  return numElements(shape.data(), shape.size());
}
template <typename Shape>
std::optional<int64_t> bytesOfShape(DataType type, const Shape &shape) {
  std::optional<int64_t> elements = numElements(shape.data(), shape.size());
  return elements ? bytesOf(type, *elements) : std::nullopt;
}

} // namespace tenon
