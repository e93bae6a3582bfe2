// A sum that the programs of a cluster share: each sends the others what it has of their parts, from registers into
// their shared memory, and adds what it gets of its own. An mbarrier counts the bytes that come, another the warps
// elsewhere that have read what was sent before.
#include "passes/5_thread/ThreadEmitter.h"

#include "dialects/Ptx/Ptx.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

#include <map>

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

/// Words that a thread sends at once.
static constexpr int64_t sentWords = 4;

void ThreadEmitter::initSumBarriers() {
  if (sharedPlan.sums < 0)
    return;
  int64_t others = cluster.getSize() - 1;
  NVVM::MBarrierInitOp::create(b, sharedAt(i32(sharedPlan.sums)), i32(1), Value());
  NVVM::MBarrierInitOp::create(b, sharedAt(i32(sharedPlan.sums + 8)), i32(others * schedule.getNumWarps()), Value());
}

LogicalResult ThreadEmitter::emitReduceScatter(tile::ReduceScatterOp op) {
  LayoutAttr part = layoutOf(op.getResult());
  RankedTensorType type = op.getResult().getType();
  Type element = type.getElementType(), word = b.getI32Type(), words = VectorType::get({sentWords}, word);
  int64_t numParts = op.getParts(), numRegisters = part.getNumRegisters();
  int64_t dimension = op.getDimension(), size = type.getDimSize(dimension);
  if (element.getIntOrFloatBitWidth() != 32 || numRegisters % sentWords != 0)
    return op.emitOpError("is of ") << numRegisters << " registers of " << element << " a thread, expected groups of "
                                    << sentWords << " of 32 bits; choose a wider tile in `tenon.schedule`";
  std::map<SmallVector<int64_t>, Value> byPlace;
  for (auto [place, value] : llvm::zip_equal(layoutOf(op.getTile()).registerPlaces(), valuesOf(op.getTile())))
    byPlace[place] = value;
  SmallVector<SmallVector<Value>> parts(numParts);
  for (int64_t number = 0; number < numParts; ++number)
    for (SmallVector<int64_t> place : part.registerPlaces()) {
      place[dimension] += number * size;
      parts[number].push_back(byPlace.at(place));
    }
  // Which part has what number is known at run time, where registers have none.
  auto partOf = [&](Value number) {
    SmallVector<Value> values(parts.back());
    for (int64_t other = numParts - 2; other >= 0; --other) {
      Value isOther = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, number, i32(other));
      for (auto [value, otherValue] : llvm::zip_equal(values, parts[other]))
        value = arith::SelectOp::create(b, isOther, otherValue, value);
    }
    return values;
  };
  auto peerOf = [&](Value distance) -> Value { return arith::XOrIOp::create(b, clusterRank, distance); };

  // With a producer a CTA has many programs, of one sum each, and all of them have as many transfers.
  Value round = i32(0);
  if (SmallVector<RingCreateOp> rings = producedRings(); !rings.empty())
    round = b.createOrFold<arith::DivUIOp>(ringBases.at(rings.front().getRing()), transfersOf(rings.front()));
  Value parity = arith::AndIOp::create(b, round, i32(1));
  Value full = sharedAt(i32(sharedPlan.sums)), empty = sharedAt(i32(sharedPlan.sums + 8));
  int64_t numThreads = 32 * schedule.getNumWarps();
  auto placeOf = [&](int64_t distance, int64_t first) {
    int64_t offset = sharedPlan.offsets.at(op) + ((distance - 1) * numRegisters + first) * numThreads * 4;
    return sharedAt(add(mul(thread, 4 * sentWords), i32(offset)));
  };

  SmallVector<Value> sums = partOf(clusterRank);
  auto expect = scf::IfOp::create(b, arith::CmpIOp::create(b, arith::CmpIPredicate::eq, thread, i32(0)),
                                  /*withElseRegion=*/false);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(expect.thenYield());
    NVVM::MBarrierArriveExpectTxOp::create(b, Type(), full, i32(sharedSumBytes(op)), NVVM::MemScopeKind::CTA,
                                           /*relaxed=*/false, /*predicate=*/Value());
  }
  ptx::MbarrierWaitOp::create(b, empty, arith::XOrIOp::create(b, parity, i32(1)));
  for (int64_t distance = 1; distance < numParts; ++distance) {
    Value peer = peerOf(i32(distance));
    SmallVector<Value> sent = partOf(peer);
    for (int64_t first = 0; first < numRegisters; first += sentWords) {
      Value packed = LLVM::PoisonOp::create(b, words);
      for (int64_t number = 0; number < sentWords; ++number) {
        Value bits = b.createOrFold<arith::BitcastOp>(word, sent[first + number]);
        packed = LLVM::InsertElementOp::create(b, packed, bits, i32(number));
      }
      ptx::StAsyncOp::create(b, packed, placeOf(distance, first), full, peer);
    }
  }
  ptx::MbarrierWaitOp::create(b, full, parity);
  for (int64_t distance = 1; distance < numParts; ++distance)
    for (int64_t first = 0; first < numRegisters; first += sentWords) {
      Value packed = LLVM::LoadOp::create(b, words, placeOf(distance, first), /*alignment=*/4 * sentWords);
      for (int64_t number = 0; number < sentWords; ++number) {
        Value bits = LLVM::ExtractElementOp::create(b, packed, i32(number));
        Value &sum = sums[first + number];
        sum = fold(tile::Fold::add, sum, b.createOrFold<arith::BitcastOp>(element, bits));
      }
    }
  NVVM::SyncWarpOp::create(b, i32(-1));
  Value isPeer = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, lane, i32(numParts - 1));
  ptx::MbarrierArriveClusterOp::create(b, empty, peerOf(add(lane, i32(1))), isPeer);
  values[op.getResult()] = sums;
  return success();
}
