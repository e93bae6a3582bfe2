// Elements that other threads need, warp.relayout, or that have another place in a tile of another shape, tile.reshape:
// all are written to scratch memory in rows, in their order, and read from there. How rows lie apart is in
// lib/Analysis/BankConflicts.
#include "passes/5_thread/ThreadEmitter.h"

#include "lib/Analysis/BankConflicts.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

LogicalResult ThreadEmitter::emitRelayout(Operation *op, Value from, Value to) {
  auto source = cast<RankedTensorType>(from.getType()), target = cast<RankedTensorType>(to.getType());
  Type element = source.getElementType();
  if (layoutOf(from) == layoutOf(to) && source.getShape() == target.getShape()) {
    values[to] = llvm::to_vector(valuesOf(from));
    return success();
  }
  Type held = element.isIndex() ? Type(b.getI32Type()) : element;
  Type memory = memoryType(held);
  int64_t bytes = memory.getIntOrFloatBitWidth() / 8;
  const Exchange exchange = planExchange(source, target, schedule.getNumWarps());
  auto addressOf = [&](RankedTensorType tile, ArrayRef<int64_t> place, Value &inside) {
    LayoutAttr layout = layoutOf(tile);
    Value offset;
    int64_t known = 0, weight = bytes;
    for (int64_t d = tile.getRank() - 1; d >= 0; --d) {
      ThreadPlace part = threadPlace(layout, d);
      offset = add(offset, mul(part.thread, weight));
      known += place[d] * weight;
      if (exchange.padding > 0 && d == 0) { // of two dimensions: the row
        bool isSplit = place[d] % exchange.rows == 0;
        Value row = isSplit ? part.thread : sum(part.thread, place[d]);
        if (row && exchange.rows > 1)
          row = arith::DivUIOp::create(b, row, i32(exchange.rows));
        offset = add(offset, mul(row, exchange.padding * bytes));
        known += isSplit ? place[d] / exchange.rows * exchange.padding * bytes : 0;
      }
      if (part.bound + place[d] > tile.getDimSize(d)) {
        Value is =
            arith::CmpIOp::create(b, arith::CmpIPredicate::ult, sum(part.thread, place[d]), i32(tile.getDimSize(d)));
        inside = inside ? arith::AndIOp::create(b, inside, is).getResult() : is;
      }
      weight *= tile.getDimSize(d);
    }
    Value address = scratch();
    if (offset)
      address = LLVM::GEPOp::create(b, address.getType(), b.getI8Type(), address, ValueRange(offset));
    if (known != 0)
      address =
          LLVM::GEPOp::create(b, address.getType(), b.getI8Type(), address, ArrayRef<LLVM::GEPArg>(int32_t(known)));
    return address;
  };
  barrier();
  Value isFirst = isFirstOf(layoutOf(from));
  ArrayRef<Value> list = valuesOf(from);
  for (const Access &access : accessesOf(layoutOf(from), source.getRank() - 1, exchange.writeWidth)) {
    Value inside = isFirst;
    Value address = addressOf(source, access.place, inside);
    SmallVector<Value> elements;
    for (unsigned number : access.registers)
      elements.push_back(list[number]);
    Value stored = pack(elements, held);
    OpBuilder::InsertionGuard restore(b);
    if (inside)
      b.setInsertionPoint(scf::IfOp::create(b, inside, /*withElseRegion=*/false).thenYield());
    LLVM::StoreOp::create(b, stored, address, /*alignment=*/exchange.writeWidth * bytes);
  }
  barrier();
  SmallVector<Value> results(layoutOf(to).getNumRegisters());
  const int64_t width = exchange.readWidth;
  Type loadedType = width == 1 ? memory : Type(VectorType::get(width, memory));
  for (const Access &access : accessesOf(layoutOf(to), target.getRank() - 1, width)) {
    Value inside;
    Value address = addressOf(target, access.place, inside);
    if (inside)
      address = arith::SelectOp::create(b, inside, address, scratch());
    Value loaded = LLVM::LoadOp::create(b, loadedType, address, /*alignment=*/width * bytes);
    for (auto [number, value] : llvm::zip_equal(access.registers, unpack(loaded, held, width)))
      results[number] = value;
  }
  values[to] = results;
  return success();
}
