// Accesses, asynchronous copies and fences. An access stays as it is, after a call that checks it: global memory is
// memory of this process, and shared memory is too, where an i32 can name it.
#include "dialects/Ptx/Ptx.h"
#include "lib/Sim/DeviceFunctions.h"
#include "lib/Sim/Simulator.h"
#include "passes/sim/DeviceOps.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/DataLayoutInterfaces.h"

using namespace mlir;

namespace tenon {

/// `value`: what is written by a plain store, or null.
static void checkAccess(CallBuilder &calls, Value address, Value value, Value bytes, int64_t alignment,
                        uint32_t flags) {
  auto pointer = cast<LLVM::LLVMPointerType>(address.getType());
  flags |= pointer.getAddressSpace() << sim::accessSpaceShift;
  Location loc = address.getLoc();
  auto plain = LLVM::LLVMPointerType::get(address.getContext());
  Value copy;
  if (value) {
    DataLayout layout(calls.module());
    copy = calls.registers(static_cast<int64_t>(layout.getTypeSize(value.getType()).getFixedValue() + 3) / 4);
    LLVM::StoreOp::create(calls.builder(), loc, value, copy, 4);
  } else {
    copy = LLVM::ZeroOp::create(calls.builder(), loc, plain);
  }
  calls.call("tenon_sim_access", {address, copy, bytes, calls.i32(alignment), calls.i32(flags)});
}

/// What licenses the host's optimiser to read early or twice, where calls stand between.
static void dropPromises(Operation *op) {
  for (StringRef name :
       {"invariant", "invariantGroup", "alias_scopes", "noalias_scopes", "tbaa", "access_groups", "dereferenceable"})
    op->removeAttr(name);
}

static LogicalResult checkValue(CallBuilder &calls, Operation *op, Value address, Type type,
                                std::optional<uint64_t> alignment, uint32_t flags, Value value = nullptr) {
  auto space = cast<LLVM::LLVMPointerType>(address.getType()).getAddressSpace();
  if (space != 0 && space != 1 && space != 3 && space != 7)
    return op->emitOpError("has no simulation in address space ")
           << space << "; expected 0, 1 (global), 3 (shared) or 7 (of the cluster)";
  DataLayout layout(calls.module());
  Value bytes = calls.i32(static_cast<int64_t>(layout.getTypeSize(type).getFixedValue()));
  checkAccess(calls, address, value, bytes, static_cast<int64_t>(alignment.value_or(layout.getTypeABIAlignment(type))),
              flags);
  dropPromises(op);
  return success();
}

/// What an atomic access orders beside itself.
static uint32_t orderFlags(LLVM::AtomicOrdering ordering) {
  using LLVM::AtomicOrdering;
  bool both = ordering == AtomicOrdering::acq_rel || ordering == AtomicOrdering::seq_cst;
  return (both || ordering == AtomicOrdering::release ? sim::accessReleases : 0) |
         (both || ordering == AtomicOrdering::acquire ? sim::accessAcquires : 0);
}

/// Fences of less than the GPU order what barriers do.
static bool isOfGpu(Operation *op) {
  if (auto barrier = dyn_cast<NVVM::MembarOp>(op))
    return barrier.getScope() == NVVM::MemScopeKind::GPU || barrier.getScope() == NVVM::MemScopeKind::SYS;
  std::optional<StringRef> scope = cast<LLVM::FenceOp>(op).getSyncscope();
  return !scope || scope->empty() || *scope == "device";
}

/// Sums of f32 have the GPU's denormals and NaN. Of short floats the host makes a loop that compares what it loaded
/// after a conversion, which has no end where that is NaN.
static LogicalResult replaceFloatUpdate(LLVM::AtomicRMWOp op, CallBuilder &calls) {
  using LLVM::AtomicBinOp;
  Type type = op.getVal().getType(), element = getElementTypeOrSelf(type);
  AtomicBinOp kind = op.getBinOp();
  bool isSum = kind == AtomicBinOp::fadd || kind == AtomicBinOp::fsub;
  bool isShort = element.isF16() || element.isBF16();
  if (!(isShort && kind != AtomicBinOp::xchg) && !(type.isF32() && kind == AtomicBinOp::fadd))
    return success();
  auto vector = dyn_cast<VectorType>(type);
  if ((!isSum && kind != AtomicBinOp::fmax && kind != AtomicBinOp::fmin) || (vector && vector.getNumElements() != 2))
    return op.emitOpError("has no simulation with elements of ")
           << element << "; expected fadd, fsub, fmax or fmin, of one or two of them";
  OpBuilder &ops = calls.builder();
  Location loc = op.getLoc();
  Value given = op.getVal();
  if (kind == AtomicBinOp::fsub)
    given = LLVM::FNegOp::create(ops, loc, given);
  bool isWord = !isShort || vector;
  if (!isWord)
    given =
        LLVM::ZExtOp::create(ops, loc, ops.getI32Type(), LLVM::BitcastOp::create(ops, loc, ops.getI16Type(), given));
  auto number = [&](auto value) { return calls.i32(static_cast<int64_t>(value)); };
  Value old = calls.call("tenon_sim_update",
                         {op.getPtr(), calls.bits(given),
                          number(isSum                       ? sim::BulkWrite::Add
                                 : kind == AtomicBinOp::fmax ? sim::BulkWrite::Max
                                                             : sim::BulkWrite::Min),
                          number(element.isF16()    ? sim::MapElement::F16
                                 : element.isBF16() ? sim::MapElement::BF16
                                                    : sim::MapElement::F32),
                          number(isWord ? 4 : 2)},
                         ops.getI32Type());
  if (!isWord)
    old = LLVM::TruncOp::create(ops, loc, ops.getI16Type(), old);
  op.replaceAllUsesWith(LLVM::BitcastOp::create(ops, loc, type, old).getResult());
  op.erase();
  return success();
}

static std::optional<LogicalResult> checkLlvmAccess(Operation *op, CallBuilder &calls) {
  using namespace sim;
  if (auto load = dyn_cast<LLVM::LoadOp>(op)) {
    bool isAtomic = load.getOrdering() != LLVM::AtomicOrdering::not_atomic;
    uint32_t flags = accessReads | (isAtomic ? accessAtomic : 0) | (isAtomic || load.getVolatile_() ? accessSpins : 0) |
                     orderFlags(load.getOrdering());
    return checkValue(calls, op, load.getAddr(), load.getType(), load.getAlignment(), flags);
  }
  if (auto store = dyn_cast<LLVM::StoreOp>(op)) {
    bool isAtomic = store.getOrdering() != LLVM::AtomicOrdering::not_atomic;
    return checkValue(calls, op, store.getAddr(), store.getValue().getType(), store.getAlignment(),
                      accessWrites | (isAtomic ? accessAtomic : 0) | orderFlags(store.getOrdering()),
                      isAtomic ? Value() : store.getValue());
  }
  if (auto update = dyn_cast<LLVM::AtomicRMWOp>(op)) {
    if (failed(checkValue(calls, op, update.getPtr(), update.getVal().getType(), std::nullopt,
                          accessReads | accessWrites | accessAtomic | orderFlags(update.getOrdering()))))
      return failure();
    return replaceFloatUpdate(update, calls);
  }
  if (auto exchange = dyn_cast<LLVM::AtomicCmpXchgOp>(op))
    return checkValue(calls, op, exchange.getPtr(), exchange.getVal().getType(), std::nullopt,
                      accessReads | accessWrites | accessAtomic | accessSpins |
                          orderFlags(exchange.getSuccessOrdering()));
  return std::nullopt;
}

static void replaceCpAsync(NVVM::CpAsyncOp op, CallBuilder &calls) {
  Value bytes = calls.i32(op.getSize());
  calls.call("tenon_sim_cp_async", {op.getDst(), op.getSrc(), bytes, op.getCpSize() ? op.getCpSize() : bytes});
}

static Value bytesOf(CallBuilder &calls, Type type) {
  return calls.i32(static_cast<int64_t>(DataLayout(calls.module()).getTypeSize(type).getFixedValue()));
}

static void replaceLoad(ptx::LdGlobalOp op, CallBuilder &calls) {
  Value registers = calls.registers(4);
  calls.call("tenon_sim_load",
             {registers, op.getAddress(), bytesOf(calls, op.getType()), calls.bits(op.getPredicate())});
  op.replaceAllUsesWith(LLVM::LoadOp::create(calls.builder(), op.getLoc(), op.getType(), registers, 16).getResult());
}

static void replaceStore(ptx::StGlobalOp op, CallBuilder &calls) {
  Value registers = calls.registers(4);
  LLVM::StoreOp::create(calls.builder(), op.getLoc(), op.getValue(), registers, 16);
  calls.call("tenon_sim_store",
             {registers, op.getAddress(), bytesOf(calls, op.getValue().getType()), calls.bits(op.getPredicate())});
}

static bool isShared(Value pointer) {
  auto type = dyn_cast<LLVM::LLVMPointerType>(pointer.getType());
  return type && (type.getAddressSpace() == 3 || type.getAddressSpace() == 7);
}

static Value resized(CallBuilder &calls, Value integer, Type type) {
  unsigned from = integer.getType().getIntOrFloatBitWidth(), to = type.getIntOrFloatBitWidth();
  Location loc = integer.getLoc();
  return from == to  ? integer
         : from > to ? LLVM::TruncOp::create(calls.builder(), loc, type, integer).getResult()
                     : LLVM::ZExtOp::create(calls.builder(), loc, type, integer).getResult();
}

std::optional<LogicalResult> replaceMemoryOp(Operation *op, CallBuilder &calls) {
  calls.startAt(op);
  if (std::optional<LogicalResult> checked = checkLlvmAccess(op, calls))
    return checked;
  if (auto copy = dyn_cast<NVVM::CpAsyncOp>(op))
    replaceCpAsync(copy, calls);
  else if (isa<NVVM::CpAsyncCommitGroupOp>(op))
    calls.call("tenon_sim_cp_async_commit", {});
  else if (auto wait = dyn_cast<NVVM::CpAsyncWaitGroupOp>(op))
    calls.call("tenon_sim_cp_async_wait", {calls.i32(wait.getN())});
  else if (auto fence = dyn_cast<NVVM::FenceProxyOp>(op)) {
    if (fence.getKind() != NVVM::ProxyKind::async && fence.getKind() != NVVM::ProxyKind::async_shared &&
        fence.getKind() != NVVM::ProxyKind::async_global)
      return op->emitOpError("has no simulation of this proxy; expected async, async.shared or async.global");
    calls.call("tenon_sim_fence_proxy", {});
  } else if (auto load = dyn_cast<ptx::LdGlobalOp>(op)) {
    replaceLoad(load, calls);
  } else if (auto store = dyn_cast<ptx::StGlobalOp>(op)) {
    replaceStore(store, calls);
  } else if (auto toInteger = dyn_cast<LLVM::PtrToIntOp>(op); toInteger && isShared(toInteger.getArg())) {
    Value address = calls.call("tenon_sim_shared_address", {toInteger.getArg()}, calls.builder().getI64Type());
    toInteger.replaceAllUsesWith(resized(calls, address, toInteger.getType()));
  } else if (auto toPointer = dyn_cast<LLVM::IntToPtrOp>(op); toPointer && isShared(toPointer.getResult())) {
    Value address = resized(calls, toPointer.getArg(), calls.builder().getI64Type());
    Value pointer = calls.call("tenon_sim_shared_pointer", {address}, LLVM::LLVMPointerType::get(op->getContext()));
    toPointer.replaceAllUsesWith(
        LLVM::AddrSpaceCastOp::create(calls.builder(), op->getLoc(), toPointer.getType(), pointer).getResult());
  } else if (auto peer = dyn_cast<NVVM::MapaOp>(op)) {
    Value pointer =
        calls.call("tenon_sim_mapa", {peer.getA(), peer.getB()}, LLVM::LLVMPointerType::get(op->getContext()));
    if (peer.getType() != pointer.getType())
      pointer = LLVM::AddrSpaceCastOp::create(calls.builder(), op->getLoc(), peer.getType(), pointer);
    peer.replaceAllUsesWith(pointer);
  } else if (isa<NVVM::NanosleepOp>(op))
    calls.call("tenon_sim_yield", {});
  // Threads of the simulator see each other's writes at once; a fence orders with what atomic accesses tell.
  else if (isa<NVVM::MembarOp, LLVM::FenceOp>(op)) {
    if (isOfGpu(op))
      calls.call("tenon_sim_fence", {});
  } else if (!isa<NVVM::PrefetchOp>(op))
    return std::nullopt;
  op->erase();
  return success();
}

} // namespace tenon
