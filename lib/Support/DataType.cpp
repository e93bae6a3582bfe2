#include "lib/Support/DataType.h"

namespace tenon {

namespace {
struct Entry {
  std::string_view name;
  int64_t bits;
};
constexpr Entry table[numDataTypes] = {
    {"f64", 64}, {"f32", 32}, {"f16", 16}, {"bf16", 16}, {"f8E4M3FN", 8}, {"f8E5M2", 8}, {"i64", 64},
    {"i32", 32}, {"i16", 16}, {"i8", 8},   {"i4", 4},    {"i1", 8},       {"ui8", 8},
};
} // namespace

std::string_view dataTypeName(DataType type) { return table[static_cast<int>(type)].name; }

std::optional<DataType> dataTypeFromName(std::string_view name) {
  for (int i = 0; i < numDataTypes; ++i)
    if (table[i].name == name)
      return static_cast<DataType>(i);
  return std::nullopt;
}

int64_t bitsPerElement(DataType type) { return table[static_cast<int>(type)].bits; }

std::optional<int64_t> bytesOf(DataType type, int64_t elements) {
  int64_t bits;
  if (elements < 0 || __builtin_mul_overflow(elements, bitsPerElement(type), &bits) || bits > INT64_MAX - 7)
    return std::nullopt;
  return (bits + 7) / 8;
}

std::optional<int64_t> numElements(const int64_t *shape, size_t rank) {
  int64_t product = 1;
  bool empty = false;
  for (size_t i = 0; i < rank; ++i) {
    if (shape[i] < 0)
      return std::nullopt;
    if (shape[i] == 0)
      empty = true;
    else if (__builtin_mul_overflow(product, shape[i], &product))
      return std::nullopt;
  }
  return empty ? 0 : product;
}

} // namespace tenon
