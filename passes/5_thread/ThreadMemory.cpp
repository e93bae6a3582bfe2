// Reads and writes of global memory: as wide as alignment and layout allow, predicated where an index may be outside.
#include "passes/5_thread/ThreadEmitter.h"

#include "dialects/Ptx/Ptx.h"
#include "lib/Analysis/TileBounds.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

#include <map>
#include <numeric>

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

/// How an element is stored: an i1 as a byte, an 8-bit float as its bits.
Type ThreadEmitter::memoryType(Type element) {
  if (element.isInteger(1))
    return b.getI8Type();
  if (isa<FloatType>(element) && element.getIntOrFloatBitWidth() == 8)
    return b.getI8Type();
  return element;
}

static int64_t bytesOf(Type element) { return std::max<int64_t>(1, element.getIntOrFloatBitWidth() / 8); }

SmallVector<ThreadEmitter::Access> ThreadEmitter::accessesOf(LayoutAttr layout, int64_t along, int64_t width) {
  std::map<SmallVector<int64_t>, Access> byPlace;
  SmallVector<SmallVector<int64_t>> order;
  for (auto [number, place] : llvm::enumerate(layout.registerPlaces())) {
    SmallVector<int64_t> first = place;
    if (width > 1)
      first[along] -= first[along] % width;
    Access &access = byPlace[first];
    if (access.registers.empty()) {
      access.place = first;
      order.push_back(first);
    }
    access.registers.push_back(number);
  }
  return llvm::map_to_vector(order, [&](const SmallVector<int64_t> &place) { return byPlace[place]; });
}

std::pair<int64_t, int64_t> ThreadEmitter::widthOf(const ThreadView &view, tile::ViewType type, ValueRange place,
                                                   RankedTensorType tile, LayoutAttr layout) {
  int64_t leading = type.getRank() - tile.getRank();
  int64_t along = -1;
  for (int64_t d = 0; d < tile.getRank(); ++d)
    if (getConstantIntValue(view.strides[leading + d]) == 1 && tile.getDimSize(d) > 1)
      along = d;
  if (along < 0)
    return {1, 0};
  int64_t width = std::min<int64_t>(16 / bytesOf(type.getElementType()), layout.getRun(along));
  auto divides = [&](int64_t number) { return number % width == 0; };
  auto isAligned = [&] {
    if (!divides(layout.getRun(along)) || !divides(view.offsetDivisor) || !divides(divisorOf(place[leading + along])))
      return false;
    for (int64_t d = 0; d < type.getRank(); ++d)
      if (std::optional<int64_t> stride = getConstantIntValue(view.strides[d]); d != leading + along)
        if (!stride || !divides(*stride))
          return false;
    // All of an access is inside, or none.
    bool isInside = isWithin(type, leading + along, place[leading + along], tile.getDimSize(along));
    std::optional<int64_t> size = getConstantIntValue(view.sizes[leading + along]);
    bool reaches = layout.getReach(along) > tile.getDimSize(along);
    return (isInside || (size && divides(*size))) && (!reaches || divides(tile.getDimSize(along)));
  };
  // Three elements may divide all sides, too, but no instruction moves as many.
  while (width > 1 && !(llvm::isPowerOf2_64(width) && isAligned()))
    --width;
  return {width, along};
}

/// The vector that these are the elements of, in order; null where there is none. LLVM does not see it across blocks.
static Value unpackedOf(ArrayRef<Value> list) {
  Value whole;
  for (auto [number, value] : llvm::enumerate(list)) {
    auto extract = value.getDefiningOp<LLVM::ExtractElementOp>();
    if (!extract || getConstantIntValue(extract.getPosition()) != int64_t(number) ||
        (whole && extract.getVector() != whole))
      return {};
    whole = extract.getVector();
  }
  return cast<VectorType>(whole.getType()).getNumElements() == int64_t(list.size()) ? whole : Value();
}

Value ThreadEmitter::pack(ArrayRef<Value> list, Type element) {
  Type memory = memoryType(element);
  SmallVector<Value> stored;
  for (Value value : list) {
    auto cast = value.getDefiningOp<arith::BitcastOp>();
    if (element.isInteger(1))
      value = arith::ExtUIOp::create(b, memory, value);
    else if (cast && cast.getIn().getType() == memory)
      value = cast.getIn();
    else if (memory != element)
      value = arith::BitcastOp::create(b, memory, value);
    stored.push_back(value);
  }
  if (stored.size() == 1)
    return stored.front();
  if (Value whole = unpackedOf(stored))
    return whole;
  Value vector = LLVM::PoisonOp::create(b, VectorType::get(stored.size(), memory));
  for (auto [number, value] : llvm::enumerate(stored))
    vector = LLVM::InsertElementOp::create(b, vector, value, i32(number));
  return vector;
}

SmallVector<Value> ThreadEmitter::unpack(Value loaded, Type element, int64_t width) {
  Type memory = memoryType(element);
  SmallVector<Value> list;
  for (int64_t number = 0; number < width; ++number) {
    Value value = width == 1 ? loaded : LLVM::ExtractElementOp::create(b, loaded, i32(number)).getResult();
    if (element.isInteger(1))
      value = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, value,
                                    arith::ConstantOp::create(b, b.getIntegerAttr(memory, 0)));
    else if (memory != element)
      value = arith::BitcastOp::create(b, element, value);
    list.push_back(value);
  }
  return list;
}

/// The bits of a value in the registers that a predicated access takes.
static Type wordType(ImplicitLocOpBuilder &b, int64_t bits) {
  return bits <= 64 ? Type(b.getIntegerType(bits)) : Type(VectorType::get(bits / 32, b.getI32Type()));
}

Value ThreadEmitter::loadWords(Value address, Value predicate, Type element, int64_t width, bool isReadOnly) {
  Type memory = memoryType(element);
  Type type = width == 1 ? memory : Type(VectorType::get(width, memory));
  if (!predicate)
    return LLVM::LoadOp::create(b, type, address, /*alignment=*/width * bytesOf(memory), /*isVolatile=*/false,
                                /*isNonTemporal=*/false, /*isInvariant=*/isReadOnly);
  Type words = wordType(b, width * bytesOf(memory) * 8);
  Value loaded = ptx::LdGlobalOp::create(b, words, address, predicate, isReadOnly);
  return words == type ? loaded : LLVM::BitcastOp::create(b, type, loaded).getResult();
}

void ThreadEmitter::storeWords(ArrayRef<Value> list, Value address, Value predicate, Type element) {
  Value packed = pack(list, element);
  int64_t bytes = list.size() * bytesOf(memoryType(element));
  if (!predicate) {
    LLVM::StoreOp::create(b, packed, address, /*alignment=*/bytes);
    return;
  }
  Type words = wordType(b, bytes * 8);
  if (packed.getType() != words)
    packed = LLVM::BitcastOp::create(b, words, packed);
  ptx::StGlobalOp::create(b, packed, address, predicate);
}

/// Loads where `stored` is empty. With `rows`, one for each register, dimension `gathered` of the tile is read there
/// instead of one after another.
LogicalResult ThreadEmitter::emitAccesses(Operation *op, Value viewValue, ValueRange place, RankedTensorType tile,
                                          ArrayRef<Value> stored, Attribute pad, ArrayRef<Value> rows, int64_t gathered,
                                          SmallVectorImpl<Value> &loaded) {
  ThreadView view = viewOf(viewValue);
  auto type = cast<tile::ViewType>(viewValue.getType());
  LayoutAttr layout = layoutOf(tile);
  int64_t leading = type.getRank() - tile.getRank();
  Type element = tile.getElementType();
  auto [width, along] = widthOf(view, type, place, tile, layout);
  if (!rows.empty() && along == gathered)
    width = 1;
  auto isGathered = [&](int64_t d) { return !rows.empty() && d == gathered; };
  auto sizeOf = [&](int64_t d) {
    std::optional<int64_t> known = getConstantIntValue(view.sizes[d]);
    return known ? index(*known) : cast<Value>(view.sizes[d]);
  };
  auto scaled = [&](Value by, OpFoldResult stride) -> Value {
    if (std::optional<int64_t> known = getConstantIntValue(stride))
      return mul(by, *known);
    return arith::MulIOp::create(b, by, cast<Value>(stride));
  };
  auto isBelow = [&](Value number, Value size) -> Value {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, number, size);
  };
  auto both = [&](Value a, Value other) {
    return a && other ? arith::AndIOp::create(b, a, other).getResult() : (a ? a : other);
  };

  // What all of the thread's accesses share: its own first element, and the dimensions of one element. Of threads that
  // have the same elements one stores them.
  Value offset, shared = stored.empty() ? Value() : isFirstOf(layout);
  SmallVector<ThreadPlace> threads;
  SmallVector<Value> starts;
  for (int64_t d = 0; d < type.getRank(); ++d) {
    Value start = scalarOf(place[d]);
    starts.push_back(start);
    bool isZero = getConstantIntValue(place[d]) == 0;
    if (d < leading) {
      if (!isZero)
        offset = add(offset, scaled(start, view.strides[d]));
      if (!isWithin(type, d, place[d], 1))
        shared = both(shared, isBelow(start, sizeOf(d)));
      continue;
    }
    ThreadPlace part = threadPlace(layout, d - leading);
    threads.push_back(part);
    if (isGathered(d - leading))
      continue;
    Value first = isZero ? Value() : start;
    if (part.thread)
      first = add(first, toIndex(part.thread));
    if (first)
      offset = add(offset, scaled(first, view.strides[d]));
  }
  Type pointer = view.base.getType();
  Type memory = memoryType(element);
  Value base =
      offset ? LLVM::GEPOp::create(b, pointer, memory, view.base, ValueRange(toI64(offset))).getResult() : view.base;

  Value padValue;
  if (pad && stored.empty())
    padValue = arith::ConstantOp::create(b, cast<TypedAttr>(pad));
  loaded.assign(layout.getNumRegisters(), Value());
  std::map<std::pair<int64_t, int64_t>, Value> checks; // by dimension and constant part
  for (const Access &access : accessesOf(layout, along, width)) {
    Value predicate = shared, dynamic;
    int64_t constant = 0;
    for (int64_t d = 0; d < tile.getRank(); ++d) {
      int64_t known = access.place[d];
      OpFoldResult stride = view.strides[leading + d];
      Value &check = checks[{d, isGathered(d) ? int64_t(access.registers.front()) * 4096 + known : known}];
      bool isNew = !check;
      if (isGathered(d)) {
        Value row = rows[access.registers.front()];
        Value wide = toIndex(row);
        dynamic = add(dynamic, scaled(wide, stride));
        if (isNew)
          check = isBelow(wide, sizeOf(leading + d));
      } else {
        if (std::optional<int64_t> step = getConstantIntValue(stride))
          constant += known * *step;
        else if (known != 0)
          dynamic = add(dynamic, scaled(index(known), stride));
        if (isNew && !isWithin(type, leading + d, place[leading + d], tile.getDimSize(d))) {
          Value number = add(starts[leading + d], toIndex(sum(threads[d].thread, known)));
          check = isBelow(number, sizeOf(leading + d));
        }
      }
      if (isNew && threads[d].bound + known > tile.getDimSize(d))
        check = both(check, isBelow(toIndex(sum(threads[d].thread, known)), index(tile.getDimSize(d))));
      predicate = both(predicate, check);
    }
    Value address = base;
    if (dynamic)
      address = LLVM::GEPOp::create(b, pointer, memory, address, ValueRange(toI64(dynamic)));
    if (constant != 0)
      address = LLVM::GEPOp::create(b, pointer, memory, address, ArrayRef<LLVM::GEPArg>(int32_t(constant)));
    if (std::abs(constant) > std::numeric_limits<int32_t>::max())
      return op->emitOpError("spans more than 2^31 elements; choose a smaller tile in `tenon.schedule`");
    if (!stored.empty()) {
      SmallVector<Value> list;
      for (unsigned number : access.registers)
        list.push_back(stored[number]);
      storeWords(list, address, predicate, element);
      continue;
    }
    Value words = loadWords(address, predicate, element, width, view.isReadOnly);
    for (auto [number, value] : llvm::zip_equal(access.registers, unpack(words, element, width))) {
      if (padValue && predicate)
        value = arith::SelectOp::create(b, predicate, value, padValue);
      loaded[number] = value;
    }
  }
  return success();
}

LogicalResult ThreadEmitter::emitLoad(tile::LoadOp op) {
  SmallVector<Value> loaded;
  if (failed(emitAccesses(op, op.getView(), op.getPlace(), op.getType(), {}, op.getPadAttr(), {}, 0, loaded)))
    return failure();
  values[op.getResult()] = loaded;
  return success();
}

LogicalResult ThreadEmitter::emitGather(tile::GatherOp op) {
  RankedTensorType tile = op.getType();
  LayoutAttr layout = layoutOf(tile);
  int64_t axis = int64_t(op.getAxis()) - (op.getView().getType().getRank() - tile.getRank());
  // The row of each register: by its place along the axis.
  std::map<int64_t, Value> byPlace;
  for (auto [place, value] : llvm::zip_equal(layoutOf(op.getRows()).registerPlaces(), valuesOf(op.getRows())))
    byPlace[place.front()] = value;
  SmallVector<Value> rows, loaded;
  for (ArrayRef<int64_t> place : layout.registerPlaces())
    rows.push_back(byPlace.at(place[axis]));
  if (failed(emitAccesses(op, op.getView(), op.getPlace(), tile, {}, {}, rows, axis, loaded)))
    return failure();
  values[op.getResult()] = loaded;
  return success();
}

LogicalResult ThreadEmitter::emitStore(tile::StoreOp op) {
  if (hasAsyncStores) { // which may write the same elements
    waitForStores(0, /*onlyRead=*/false);
    barrier();
  }
  SmallVector<Value> unused, stored(valuesOf(op.getTile()));
  return emitAccesses(op, op.getView(), op.getPlace(), op.getTile().getType(), stored, {}, {}, 0, unused);
}
