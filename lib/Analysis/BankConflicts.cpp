#include "lib/Analysis/BankConflicts.h"

#include "lib/Analysis/SharedMemory.h"

#include "llvm/ADT/SmallSet.h"

#include <array>
#include <set>

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

Wavefronts tenon::countWavefronts(ArrayRef<std::optional<int64_t>> addresses, int64_t bytes) {
  constexpr int64_t banks = 32, wordBytes = 4;
  size_t lanesAtOnce = bytes <= 4 ? 32 : bytes <= 8 ? 16 : 8;
  Wavefronts wavefronts;
  for (size_t first = 0; first < addresses.size(); first += lanesAtOnce) {
    std::array<llvm::SmallSet<int64_t, 8>, banks> words;
    for (std::optional<int64_t> address : addresses.slice(first, std::min(lanesAtOnce, addresses.size() - first)))
      if (address)
        for (int64_t word = *address / wordBytes; word <= (*address + bytes - 1) / wordBytes; ++word)
          words[word % banks].insert(word);
    int64_t most = 0, all = 0;
    for (const auto &bank : words) {
      most = std::max<int64_t>(most, bank.size());
      all += bank.size();
    }
    wavefronts += {most, (all + banks - 1) / banks};
  }
  return wavefronts;
}

Wavefronts BankConflicts::total() const {
  Wavefronts sum = copies;
  sum += fragments;
  sum += dots;
  sum += exchanges;
  return sum;
}

namespace {
/// Of one program: accesses as ThreadEmitter makes them.
class BankCounter {
public:
  explicit BankCounter(int64_t numWarps) : numWarps(numWarps) {}
  Wavefronts copy(SmemType tile);
  Wavefronts fragment(SmemType tile, RankedTensorType type, bool isWrite);
  Wavefronts dot(warp::DotOp op);
  Wavefronts slab(SmemType slab);
  Wavefronts exchange(RankedTensorType type, const Exchange &plan, bool isWrite, int64_t bytes);

private:
  using Address = std::optional<int64_t>;
  Wavefronts mmaSync(warp::DotOp op);
  Wavefronts fma(warp::DotOp op);
  /// One access: every warp's lanes.
  Wavefronts access(int64_t bytes, function_ref<Address(int64_t lane, int64_t warp)> address);

  int64_t numWarps;
};
} // namespace

Wavefronts BankCounter::access(int64_t bytes, function_ref<Address(int64_t, int64_t)> address) {
  Wavefronts wavefronts;
  for (int64_t warp = 0; warp < numWarps; ++warp) {
    SmallVector<Address, 32> addresses;
    for (int64_t lane = 0; lane < 32; ++lane)
      addresses.push_back(address(lane, warp));
    wavefronts += countWavefronts(addresses, bytes);
  }
  return wavefronts;
}

Wavefronts BankCounter::copy(SmemType tile) {
  int64_t chunk = 16 / tile.getElementBytes(), alongRow = copyLanesAlongRow(tile), rowLanes = 32 / alongRow;
  Wavefronts wavefronts;
  for (int64_t r = 0; r < tile.getShape()[0]; r += rowLanes * numWarps)
    for (int64_t c = 0; c < tile.getShape()[1]; c += alongRow * chunk)
      wavefronts += access(16, [&](int64_t lane, int64_t warp) -> Address {
        int64_t row = r + warp * rowLanes + lane / alongRow;
        if (row >= tile.getShape()[0])
          return std::nullopt;
        return tile.offsetOf(row, c + lane % alongRow * chunk);
      });
  return wavefronts;
}

Wavefronts BankCounter::fragment(SmemType tile, RankedTensorType type, bool isWrite) {
  LayoutAttr layout = layoutOf(type);
  int64_t width = fragmentWidth(layout, tile);
  std::set<std::pair<int64_t, int64_t>> places; // of accesses
  for (ArrayRef<int64_t> place : layout.registerPlaces())
    places.insert({place[0], place[1] - place[1] % width});
  Wavefronts wavefronts;
  for (auto [first, next] : places) {
    int64_t firstRow = first, firstColumn = next;
    wavefronts += access(width * tile.getElementBytes(), [&](int64_t lane, int64_t warp) -> Address {
      int64_t row = firstRow + layout.threadPlace(0, lane, warp);
      int64_t column = firstColumn + layout.threadPlace(1, lane, warp);
      if (isWrite && (row >= type.getDimSize(0) || column >= type.getDimSize(1)))
        return std::nullopt;
      // Past the end the last place is read.
      return tile.offsetOf(std::min(row, type.getDimSize(0) - 1), std::min(column, type.getDimSize(1) - width));
    });
  }
  return wavefronts;
}

/// Every warp writes a slab of its own, which start at multiples of all banks: 16-bit elements by stmatrix, to which
/// each quarter of the lanes gives the rows of 8 x 16 bytes, others two at a time.
Wavefronts BankCounter::slab(SmemType slab) {
  bool isMatrix = slab.getElementBytes() == 2;
  BlockTurn turn = blockTurnOf(slab);
  int64_t step = isMatrix ? 16 : 8;
  Wavefronts wavefronts;
  for (int64_t r = 0; r < slab.getShape()[0]; r += step)
    for (int64_t c = 0; c < slab.getShape()[1]; c += step)
      wavefronts += access(isMatrix ? 16 : 2 * slab.getElementBytes(), [&](int64_t lane, int64_t) -> Address {
        return isMatrix ? slab.offsetOf(r + lane % 16, c + lane / 16 * 8)
                        : slab.offsetOf(r + lane / 4, (c ^ (lane / 4 & turn.rowBit ? turn.columns : 0)) + lane % 4 * 2);
      });
  return wavefronts;
}

Wavefronts BankCounter::mmaSync(warp::DotOp op) {
  int64_t warpsM = 1, warpsN = 1;
  for (const Digit &digit : layoutOf(op.getResult()).getDigits())
    if (digit.kind == DigitKind::Warp)
      (digit.dim == 0 ? warpsM : warpsN) *= digit.size;
  auto rhs = cast<SmemType>(op.getRhs().getType());
  auto lhs = dyn_cast<SmemType>(op.getLhs().getType());
  int64_t perChunk = 16 / rhs.getElementBytes(), depth = op.getAtom().getDepth();
  int64_t k = rhs.getShape()[op.getTransposeB() ? 1 : 0];
  int64_t partRows = op.getType().getDimSize(0) / warpsM, partColumns = op.getType().getDimSize(1) / warpsN;
  // An ldmatrix: a quarter of the lanes gives the rows of each of four matrices of 8 x 16 bytes. Matrix 1 lies 8 rows
  // or a chunk further, matrix 2 the other.
  auto load = [&](SmemType tile, bool firstAlongRows, int64_t row, int64_t column, bool isRhs, bool alongColumns,
                  int64_t numLanes = 32) {
    return access(16, [&](int64_t lane, int64_t warp) -> Address {
      if (lane >= numLanes)
        return std::nullopt;
      int64_t start = isRhs ? warp % warpsN * partColumns : warp / warpsN % warpsM * partRows;
      int64_t eighth = lane / 8 % 2, sixteenth = lane / 16;
      int64_t atRow = row + lane % 8 + 8 * (firstAlongRows ? eighth : sixteenth) + (alongColumns ? 0 : start);
      int64_t atColumn = column + perChunk * (firstAlongRows ? sixteenth : eighth) + (alongColumns ? start : 0);
      return tile.offsetOf(atRow, atColumn);
    });
  };
  Wavefronts wavefronts;
  for (int64_t step = 0; step < k; step += depth) {
    for (int64_t block = 0; lhs && block < partRows; block += 16)
      wavefronts += op.getTransposeA() ? load(lhs, /*firstAlongRows=*/false, step, block, /*isRhs=*/false, true)
                                       : load(lhs, /*firstAlongRows=*/true, block, step, /*isRhs=*/false, false);
    for (int64_t block = 0; op.isWidening() && !op.getTransposeB() && block < partColumns; block += 32)
      wavefronts +=
          load(rhs, /*firstAlongRows=*/true, step, block, /*isRhs=*/true, true, block + 16 == partColumns ? 16 : 32);
    for (int64_t block = 0; (!op.isWidening() || op.getTransposeB()) && block < partColumns; block += 16) {
      // An odd last block: the one before comes along.
      int64_t first = block + 8 == partColumns && block > 0 ? block - 8 : block;
      wavefronts += op.getTransposeB() ? load(rhs, /*firstAlongRows=*/false, first, step, /*isRhs=*/true, false)
                                       : load(rhs, /*firstAlongRows=*/true, step, first, /*isRhs=*/true, true);
    }
  }
  return wavefronts;
}

Wavefronts BankCounter::fma(warp::DotOp op) {
  LayoutAttr layout = layoutOf(op.getResult());
  Wavefronts wavefronts;
  auto readAll = [&](SmemType tile, bool depthIsInner, int64_t dimension) {
    std::set<int64_t> places;
    for (ArrayRef<int64_t> place : layout.registerPlaces())
      places.insert(place[dimension]);
    int64_t bytes = tile.getElementBytes(), k = tile.getShape()[depthIsInner ? 1 : 0];
    int64_t width = depthIsInner ? std::max<int64_t>(1, 16 / bytes) : 1;
    for (int64_t known : places)
      for (int64_t at = 0; at < k; at += width)
        wavefronts += access(width * bytes, [&](int64_t lane, int64_t warp) -> Address {
          int64_t place = known + layout.threadPlace(dimension, lane, warp);
          return depthIsInner ? tile.offsetOf(place, at) : tile.offsetOf(at, place);
        });
  };
  readAll(cast<SmemType>(op.getLhs().getType()), !op.getTransposeA(), 0);
  readAll(cast<SmemType>(op.getRhs().getType()), op.getTransposeB(), 1);
  return wavefronts;
}

Wavefronts BankCounter::dot(warp::DotOp op) {
  if (isa<MmaSyncAttr>(Attribute(op.getAtom())))
    return mmaSync(op);
  return isa<FmaAttr>(Attribute(op.getAtom())) ? fma(op) : Wavefronts();
}

Wavefronts BankCounter::exchange(RankedTensorType type, const Exchange &plan, bool isWrite, int64_t bytes) {
  LayoutAttr layout = layoutOf(type);
  int64_t width = isWrite ? plan.writeWidth : plan.readWidth;
  Wavefronts wavefronts;
  for (const SmallVector<int64_t> &known : layout.registerPlaces()) {
    if (type.getRank() > 0 && known.back() % width != 0)
      continue;
    wavefronts += access(width * bytes, [&](int64_t lane, int64_t warp) -> Address {
      int64_t offset = 0, row = 0;
      for (int64_t d = 0; d < type.getRank(); ++d) {
        int64_t place = known[d] + layout.threadPlace(d, lane, warp);
        if (place >= type.getDimSize(d))
          return isWrite ? Address() : Address(0); // reads past the end take the first elements
        row = offset;
        offset = offset * type.getDimSize(d) + place;
      }
      return (offset + row / plan.rows * plan.padding) * bytes;
    });
  }
  return wavefronts;
}

/// Elements that are always side by side in a thread, in a row, and at a multiple of their size: 16 bytes at most.
static int64_t exchangeWidth(RankedTensorType type, int64_t padding, int64_t bytes) {
  if (type.getRank() == 0)
    return 1;
  int64_t run = layoutOf(type).getRun(type.getRank() - 1), size = type.getShape().back(), width = 16 / bytes;
  while (width > 1 && (run % width != 0 || size % width != 0 || padding % width != 0))
    width /= 2;
  return width;
}

Exchange tenon::planExchange(RankedTensorType from, RankedTensorType to, int64_t numWarps) {
  constexpr int64_t lineBytes = 128; // all banks
  Type element = from.getElementType();
  int64_t bytes = element.isIndex() ? 4 : std::max<int64_t>(1, element.getIntOrFloatBitWidth() / 8);
  BankCounter counter(numWarps);
  auto plan = [&](int64_t padding) {
    int64_t row = from.getRank() > 0 ? from.getShape().back() : 1;
    Exchange exchange{padding, std::max<int64_t>(1, lineBytes / (row * bytes)), exchangeWidth(from, padding, bytes),
                      exchangeWidth(to, padding, bytes), 0};
    exchange.bytes = (from.getNumElements() + from.getNumElements() / row / exchange.rows * padding) * bytes;
    exchange.wavefronts = counter.exchange(from, exchange, /*isWrite=*/true, bytes);
    exchange.wavefronts += counter.exchange(to, exchange, /*isWrite=*/false, bytes);
    return exchange;
  };
  Exchange best = plan(0);
  if (from.getShape() == to.getShape() && from.getRank() == 2)
    for (int64_t freeBytes = std::max<int64_t>(4, bytes); freeBytes <= 16; freeBytes *= 2)
      if (Exchange other = plan(freeBytes / bytes); other.wavefronts.count < best.wavefronts.count)
        best = other;
  return best;
}

BankConflicts tenon::countBankConflicts(tile::KernelOp kernel) {
  BankConflicts conflicts;
  int64_t numWarps = kernel->getAttrOfType<ScheduleAttr>("warp.schedule").getNumWarps();
  BankCounter counter(numWarps);
  kernel.walk([&](Operation *op) {
    if (auto copy = dyn_cast<CopyOp>(op)) {
      if (!isByProducer(op)) // TMA
        conflicts.copies += counter.copy(copy.getCopied());
    } else if (auto stage = dyn_cast<StageOp>(op)) {
      conflicts.fragments += counter.fragment(stage.getTarget().getType(), stage.getTile().getType(), /*isWrite=*/true);
    } else if (auto store = dyn_cast<StoreOp>(op)) {
      for (const StoreSlab &slab : storeSlabsOf(store.getTile().getType()))
        conflicts.fragments += counter.slab(slab.tile);
    } else if (auto read = dyn_cast<ReadOp>(op)) {
      conflicts.fragments += counter.fragment(read.getSource().getType(), read.getTile().getType(), /*isWrite=*/false);
    } else if (auto dot = dyn_cast<warp::DotOp>(op)) {
      conflicts.dots += counter.dot(dot);
    } else if (auto reshape = dyn_cast<tile::ReshapeOp>(op); isa<RelayoutOp>(op) || (reshape && !isInPlace(reshape))) {
      auto from = cast<RankedTensorType>(op->getOperand(0).getType());
      auto to = cast<RankedTensorType>(op->getResult(0).getType());
      if (from != to)
        conflicts.exchanges += planExchange(from, to, numWarps).wavefronts;
    }
  });
  return conflicts;
}
