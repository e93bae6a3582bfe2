// What TMA's reductions and atomic accesses make of two numbers, with the bits that a GPU gives them.
#include "lib/Sim/DeviceFunctions.h"
#include "lib/Sim/MemoryAccess.h"
#include "lib/Sim/Numbers.h"
#include "lib/Sim/Transfers.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace tenon::sim {

template <typename Number>
static Number combineNumbers(BulkWrite kind, Number old, Number given) {
  if constexpr (std::is_floating_point_v<Number>)
    if (kind == BulkWrite::Min || kind == BulkWrite::Max) { // the number of a number and NaN; -0 is less than 0
      if (old == 0 && given == 0)
        return std::signbit(old) == (kind == BulkWrite::Min) ? old : given;
      return kind == BulkWrite::Min ? std::fmin(old, given) : std::fmax(old, given);
    }
  switch (kind) {
  case BulkWrite::Add:
    return old + given;
  case BulkWrite::Min:
    return std::min(old, given);
  case BulkWrite::Max:
    return std::max(old, given);
  case BulkWrite::Increment:
    return old >= given ? 0 : old + 1;
  case BulkWrite::Decrement:
    return old == 0 || old > given ? given : old - 1;
  default:
    return given;
  }
}

uint64_t combined(BulkWrite kind, MapElement element, uint64_t old, uint64_t given) {
  switch (kind) {
  case BulkWrite::Replace:
    return given;
  case BulkWrite::And:
    return old & given;
  case BulkWrite::Or:
    return old | given;
  case BulkWrite::Xor:
    return old ^ given;
  default:
    break;
  }
  auto ofShort = [&](uint64_t bits) {
    auto word = static_cast<uint16_t>(bits);
    return element == MapElement::F16 ? fromF16(word) : fromBF16(word);
  };
  switch (element) {
  case MapElement::I32: // unsigned sums, which wrap
    return kind == BulkWrite::Add
               ? static_cast<uint32_t>(old + given)
               : static_cast<uint32_t>(combineNumbers(kind, static_cast<int32_t>(old), static_cast<int32_t>(given)));
  case MapElement::I64:
    return kind == BulkWrite::Add
               ? old + given
               : static_cast<uint64_t>(combineNumbers(kind, static_cast<int64_t>(old), static_cast<int64_t>(given)));
  case MapElement::F32: {
    float result = combineNumbers(kind, asFloat(static_cast<uint32_t>(old)), asFloat(static_cast<uint32_t>(given)));
    return std::isnan(result) ? 0x7FFFFFFF : asBits(result);
  }
  case MapElement::F64:
    return asBits(combineNumbers(kind, asDouble(old), asDouble(given)));
  case MapElement::F16:
    return toF16(combineNumbers(kind, ofShort(old), ofShort(given)));
  case MapElement::BF16:
    return toBF16(combineNumbers(kind, ofShort(old), ofShort(given)));
  case MapElement::U32:
    return combineNumbers(kind, static_cast<uint32_t>(old), static_cast<uint32_t>(given));
  default:
    return combineNumbers(kind, old, given);
  }
}

namespace {

uint32_t withoutDenormal(uint32_t bits) { return bits & 0x7F800000 ? bits : bits & 0x80000000; }

/// atomicrmw, after its check: one f32, or one or two short floats. Gives what was there.
uint32_t update(void *pointer, uint32_t given, uint32_t kind, uint32_t elementNumber, uint32_t bytes, uint32_t) {
  auto element = static_cast<MapElement>(elementNumber);
  uint32_t old = 0, result = 0;
  std::memcpy(&old, pointer, bytes);
  if (element == MapElement::F32) {
    Allocation *allocation = Cta::current().memory().find(reinterpret_cast<uintptr_t>(pointer));
    bool flushes =
        allocation && allocation->isGlobal; // as the PTX manual says of atom.add.f32; shared memory keeps them
    auto rounded = [&](uint64_t bits) {
      auto word = static_cast<uint32_t>(bits);
      return flushes ? withoutDenormal(word) : word;
    };
    result = rounded(combined(static_cast<BulkWrite>(kind), element, rounded(old), rounded(given)));
  } else {
    for (uint32_t shift = 0; shift < 8 * bytes; shift += 16)
      result |= static_cast<uint32_t>(
                    combined(static_cast<BulkWrite>(kind), element, old >> shift & 0xFFFF, given >> shift & 0xFFFF))
                << shift;
  }
  std::memcpy(pointer, &result, bytes);
  return old;
}

} // namespace

void addUpdateFunctions(std::vector<DeviceFunction> &table) {
  table.push_back(deviceFunction("tenon_sim_update", update));
}

} // namespace tenon::sim
