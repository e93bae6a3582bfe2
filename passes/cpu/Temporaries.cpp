#include "passes/cpu/Temporaries.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace tenon;

static bool isSmall(Type element) {
  return isa<IntegerType, FloatType>(element) && (element.isInteger(1) || element.getIntOrFloatBitWidth() < 8 ||
                                                  (isa<FloatType>(element) && element.getIntOrFloatBitWidth() == 8));
}

static bool isSmallMemref(Value value) {
  auto type = dyn_cast<MemRefType>(value.getType());
  return type && isSmall(type.getElementType());
}

static Value toByte(OpBuilder &b, Location location, Value value) {
  Type byte = b.getI8Type();
  if (isa<FloatType>(value.getType()))
    return arith::BitcastOp::create(b, location, byte, value);
  if (value.getType().isInteger(1))
    return arith::ExtUIOp::create(b, location, byte, value);
  return arith::ExtSIOp::create(b, location, byte, value);
}

static Value fromByte(OpBuilder &b, Location location, Value byte, Type element) {
  if (isa<FloatType>(element))
    return arith::BitcastOp::create(b, location, element, byte);
  return arith::TruncIOp::create(b, location, element, byte);
}

void tenon::storeTemporariesAsBytes(func::FuncOp kernel) {
  // All that touches elements first, while the types still say what they are.
  OpBuilder b(kernel.getContext());
  kernel.walk([&](Operation *op) {
    if (auto load = dyn_cast<memref::LoadOp>(op); load && isSmallMemref(load.getMemRef())) {
      b.setInsertionPointAfter(load);
      Type element = load.getType();
      load.getResult().setType(b.getI8Type());
      Value value = fromByte(b, load.getLoc(), load, element);
      load.getResult().replaceAllUsesExcept(value, value.getDefiningOp());
    } else if (auto store = dyn_cast<memref::StoreOp>(op); store && isSmallMemref(store.getMemRef())) {
      b.setInsertionPoint(store);
      store.getValueMutable().assign(toByte(b, store.getLoc(), store.getValueToStore()));
    }
  });
  auto retype = [&](Value value) {
    if (isSmallMemref(value))
      value.setType(MemRefType::Builder(cast<MemRefType>(value.getType())).setElementType(b.getI8Type()));
  };
  kernel.walk([&](Operation *op) {
    for (Value result : op->getResults())
      retype(result);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (Value argument : block.getArguments())
          retype(argument);
  });
}

FailureOr<AffineExpr> tenon::placeTemporaries(func::FuncOp kernel, const KernelSizes &sizes) {
  MLIRContext *context = kernel.getContext();
  AffineExpr end = getAffineConstantExpr(0, context);
  SmallVector<std::pair<memref::AllocOp, AffineExpr>> places;
  WalkResult walked = kernel.walk([&](memref::AllocOp alloc) {
    MemRefType type = alloc.getType();
    int64_t elementBytes = type.getElementType().isIndex() ? 8 : type.getElementTypeBitWidth() / 8;
    AffineExpr bytes = getAffineConstantExpr(elementBytes, context);
    auto dynamic = alloc.getDynamicSizes().begin();
    for (int64_t size : type.getShape()) {
      AffineExpr bound = ShapedType::isDynamic(size) ? sizes.bound(*dynamic++) : getAffineConstantExpr(size, context);
      if (!bound) {
        alloc.emitError("kernel @") << kernel.getSymName() << " needs a temporary " << type
                                    << " whose size depends on data, not only on its operands' sizes; give the op it "
                                       "comes from a static size or a bound";
        return WalkResult::interrupt();
      }
      bytes = bytes * bound;
    }
    places.emplace_back(alloc, end);
    end = end + bytes.ceilDiv(64) * 64;
    return WalkResult::advance();
  });
  if (walked.wasInterrupted())
    return failure();
  if (places.empty())
    return end;
  // Offsets are known at entry; a view stands where its sizes are.
  OpBuilder entry = OpBuilder::atBlockBegin(&kernel.getBody().front());
  SmallVector<Value> dims = sizes.values(entry, kernel.getLoc());
  SmallVector<Value> offsets;
  for (auto [alloc, offset] : places)
    offsets.push_back(affine::AffineApplyOp::create(entry, alloc.getLoc(), sizes.map(offset), dims));
  for (auto [place, offset] : llvm::zip_equal(places, offsets)) {
    memref::AllocOp alloc = place.first;
    OpBuilder here(alloc);
    Value view = memref::ViewOp::create(here, alloc.getLoc(), alloc.getType(), scratchOf(kernel), offset,
                                        alloc.getDynamicSizes());
    alloc.replaceAllUsesWith(view);
    alloc.erase();
  }
  kernel.walk([](memref::DeallocOp dealloc) { dealloc.erase(); });
  return end;
}
