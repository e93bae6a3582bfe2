// See the card. What HostOps.cpp does not have among what a host does alike, nor the files beside it replace, is
// refused by name: a skipped op would make every finding after it worthless.
#include "lib/Sim/DeviceFunctions.h"
#include "passes/sim/DeviceOps.h"
#include "passes/sim/Passes.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/DataLayoutInterfaces.h"
#include "llvm/ADT/SmallBitVector.h"

namespace tenon {
#define GEN_PASS_DEF_SIMREPLACEDEVICEOPSPASS
#include "passes/sim/Passes.h.inc"
} // namespace tenon

using namespace mlir;

namespace tenon {

/// "model.mlir:12:3": the innermost place that is in a file.
static std::string placeText(Location location) {
  auto place = location->findInstanceOf<FileLineColLoc>();
  if (!place)
    return "an unknown place";
  return place.getFilename().str() + ":" + std::to_string(place.getLine()) + ":" + std::to_string(place.getColumn());
}

CallBuilder::CallBuilder(ModuleOp module) : kernels(module), ops(module.getContext()) {
  allSites.push_back(ops.getStrArrayAttr({"", ""})); // site 0: none
}

void CallBuilder::startAt(Operation *op) {
  ops.setInsertionPoint(op);
  current = op;
  currentSite = 0;
}

int64_t CallBuilder::site() {
  if (currentSite == 0) {
    currentSite = static_cast<int64_t>(allSites.size());
    allSites.push_back(ops.getStrArrayAttr({current->getName().getStringRef(), placeText(current->getLoc())}));
  }
  return currentSite;
}

ArrayAttr CallBuilder::sites() { return ops.getArrayAttr(allSites); }

Value CallBuilder::i32(int64_t value) {
  return LLVM::ConstantOp::create(ops, current->getLoc(), ops.getI32Type(),
                                  ops.getI32IntegerAttr(static_cast<int32_t>(value)));
}

Value CallBuilder::bits(Value value) {
  if (value.getType().isInteger(32))
    return value;
  if (value.getType().isInteger(1))
    return LLVM::ZExtOp::create(ops, current->getLoc(), ops.getI32Type(), value);
  return LLVM::BitcastOp::create(ops, current->getLoc(), ops.getI32Type(), value);
}

Value CallBuilder::fromBits(Value bits, Type type) {
  return type.isInteger(32) ? bits : LLVM::BitcastOp::create(ops, current->getLoc(), type, bits).getResult();
}

Value CallBuilder::call(StringRef function, ValueRange operands, Type result) {
  SmallVector<Value> all(operands);
  all.push_back(i32(site()));
  auto declared = kernels.lookupSymbol<LLVM::LLVMFuncOp>(function);
  if (!declared) {
    SmallVector<Type> types;
    for (Value each : all) {
      Type type = each.getType(); // pointers of every space are addresses here
      types.push_back(isa<LLVM::LLVMPointerType>(type) ? LLVM::LLVMPointerType::get(ops.getContext()) : type);
    }
    OpBuilder atStart = OpBuilder::atBlockBegin(kernels.getBody());
    auto type = LLVM::LLVMFunctionType::get(result ? result : LLVM::LLVMVoidType::get(ops.getContext()), types);
    declared = LLVM::LLVMFuncOp::create(atStart, kernels.getLoc(), function, type);
  }
  for (auto [index, type] : llvm::enumerate(declared.getFunctionType().getParams()))
    if (all[index].getType() != type)
      all[index] = LLVM::AddrSpaceCastOp::create(ops, current->getLoc(), type, all[index]);
  auto made = LLVM::CallOp::create(ops, current->getLoc(), declared, all);
  return result ? made.getResult() : Value();
}

Value CallBuilder::registers(int64_t words) {
  auto function = current->getParentOfType<LLVM::LLVMFuncOp>();
  OpBuilder atStart = OpBuilder::atBlockBegin(&function.getBody().front());
  Value count = LLVM::ConstantOp::create(atStart, current->getLoc(), ops.getI32Type(),
                                         ops.getI32IntegerAttr(static_cast<int32_t>(words)));
  return LLVM::AllocaOp::create(atStart, current->getLoc(), LLVM::LLVMPointerType::get(ops.getContext()),
                                ops.getI32Type(), count, 16);
}

Value CallBuilder::registerAt(Value registers, int64_t index) {
  return LLVM::GEPOp::create(ops, current->getLoc(), registers.getType(), ops.getI32Type(), registers,
                             ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(index)});
}

namespace {

LogicalResult checkCall(LLVM::CallOp call, ModuleOp kernels) {
  std::optional<StringRef> callee = call.getCallee();
  if (!callee)
    return call.emitOpError("has no simulation of calls through pointers");
  auto function = kernels.lookupSymbol<LLVM::LLVMFuncOp>(*callee);
  if ((function && !function.isExternal()) || sim::hasDeviceFunction(*callee))
    return success();
  return call.emitOpError("calls @") << *callee
                                     << ", which the simulator does not know; lib/Sim/DeviceFunctions.cpp has "
                                        "the functions of the device";
}

/// Names the op for the case that the stack ends in it.
void tellFrame(Operation *op, CallBuilder &calls) {
  calls.startAt(op);
  calls.call("tenon_sim_frame", {});
}

LogicalResult replaceOp(Operation *op, CallBuilder &calls) {
  if (isa<LLVM::CallOp, LLVM::AllocaOp>(op)) // what a stack may have no room for
    tellFrame(op, calls);
  if (auto call = dyn_cast<LLVM::CallOp>(op))
    return checkCall(call, calls.module());
  if (std::optional<LogicalResult> done = replaceHostOp(op, calls))
    return *done;
  if (std::optional<LogicalResult> done = replaceWarpOp(op, calls))
    return *done;
  if (std::optional<LogicalResult> done = replaceWarpgroupOp(op, calls))
    return *done;
  if (std::optional<LogicalResult> done = replaceTransferOp(op, calls))
    return *done;
  if (std::optional<LogicalResult> done = replaceMemoryOp(op, calls))
    return *done;
  if (isa<LLVM::PtrToIntOp, LLVM::IntToPtrOp>(op)) // of global memory
    return success();
  return op->emitOpError(
      "has no simulation; docs/guides/simulator.md lists the ops that have one, and passes/sim is where "
      "one is added");
}

/// Shared arrays get their place: the module's own from 0 on, then the dynamic memory.
struct SharedLayout {
  llvm::StringMap<int64_t> offsets;
  int64_t bytes = 0;
};

bool isShared(LLVM::GlobalOp global) { return global.getAddrSpace() == 3; }

SharedLayout layOutShared(ModuleOp kernels) {
  SharedLayout layout;
  DataLayout types(kernels);
  for (bool isDynamic : {false, true})
    for (auto global : kernels.getOps<LLVM::GlobalOp>()) {
      bool isOfLaunch = global.getLinkage() == LLVM::Linkage::External && !global.getValueOrNull();
      if (!isShared(global) || isOfLaunch != isDynamic)
        continue;
      int64_t alignment =
          static_cast<int64_t>(global.getAlignment().value_or(types.getTypeABIAlignment(global.getGlobalType())));
      layout.bytes = llvm::alignTo(layout.bytes, alignment);
      layout.offsets[global.getSymName()] = layout.bytes;
      if (!isDynamic)
        layout.bytes += static_cast<int64_t>(types.getTypeSize(global.getGlobalType()).getFixedValue());
    }
  return layout;
}

LogicalResult replaceSharedArrays(ModuleOp kernels, const SharedLayout &layout, CallBuilder &calls) {
  WalkResult walked = kernels.walk([&](LLVM::AddressOfOp op) {
    auto global = kernels.lookupSymbol<LLVM::GlobalOp>(op.getGlobalName());
    if (!global || !isShared(global)) {
      op.emitOpError("names @") << op.getGlobalName() << ", which has no simulation: no shared array of this module";
      return WalkResult::interrupt();
    }
    calls.startAt(op);
    Value address = calls.call("tenon_sim_shared", {calls.i32(layout.offsets.lookup(op.getGlobalName()))},
                               LLVM::LLVMPointerType::get(op.getContext()));
    op.replaceAllUsesWith(
        LLVM::AddrSpaceCastOp::create(calls.builder(), op.getLoc(), op.getType(), address).getResult());
    op.erase();
    return WalkResult::advance();
  });
  if (walked.wasInterrupted())
    return failure();
  for (auto global : llvm::make_early_inc_range(kernels.getOps<LLVM::GlobalOp>()))
    if (isShared(global))
      global.erase();
  return success();
}

/// A function that takes the arguments' addresses, as a launch has them; `byValue`: those that the kernel takes as
/// these.
void addLaunch(LLVM::LLVMFuncOp kernel, const llvm::SmallBitVector &byValue, CallBuilder &calls) {
  OpBuilder builder(kernel->getContext());
  builder.setInsertionPointAfter(kernel);
  Location loc = kernel.getLoc();
  auto pointer = LLVM::LLVMPointerType::get(kernel->getContext());
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(kernel->getContext()), {pointer});
  auto launch = LLVM::LLVMFuncOp::create(builder, loc, ("tenon_sim_launch_" + kernel.getSymName()).str(), type);
  Block *entry = launch.addEntryBlock(builder);
  builder.setInsertionPointToStart(entry);
  SmallVector<Value> arguments;
  for (auto [index, argument] : llvm::enumerate(kernel.getFunctionType().getParams())) {
    Value place = LLVM::GEPOp::create(builder, loc, pointer, pointer, entry->getArgument(0),
                                      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(index)});
    Value address = LLVM::LoadOp::create(builder, loc, pointer, place);
    arguments.push_back(byValue[index] ? address : LLVM::LoadOp::create(builder, loc, argument, address).getResult());
  }
  tellFrame(LLVM::CallOp::create(builder, loc, kernel, arguments), calls);
  LLVM::ReturnOp::create(builder, loc, ValueRange());
}

/// A host function: no calling convention of the device, and no promises about arguments. A tensor map comes as its
/// address.
void makeHostFunction(LLVM::LLVMFuncOp function) {
  function.removeArgAttrsAttr();
  function.setCConv(LLVM::CConv::C);
  function.setNoInline(true); // so that what is told of a frame comes ahead of it
}

struct SimReplaceDeviceOps : tenon::impl::SimReplaceDeviceOpsPassBase<SimReplaceDeviceOps> {
  void runOnOperation() override {
    ModuleOp kernels = getOperation();
    SharedLayout layout = layOutShared(kernels);
    CallBuilder calls(kernels);
    SmallVector<Operation *> body;
    SmallVector<LLVM::LLVMFuncOp> functions;
    for (auto function : kernels.getOps<LLVM::LLVMFuncOp>()) {
      if (function.isExternal())
        continue;
      functions.push_back(function);
      function.getBody().walk([&](Operation *op) {
        if (!isa<LLVM::AddressOfOp>(op))
          body.push_back(op);
      });
    }
    checkAccumulators(kernels, calls);
    if (failed(replaceSharedArrays(kernels, layout, calls)))
      return signalPassFailure();
    for (Operation *op : body)
      if (failed(replaceOp(op, calls)))
        return signalPassFailure();
    for (LLVM::LLVMFuncOp function : functions) {
      llvm::SmallBitVector byValue(function.getNumArguments());
      for (unsigned index = 0; index < function.getNumArguments(); ++index)
        byValue[index] = bool(function.getArgAttr(index, LLVM::LLVMDialect::getByValAttrName()));
      makeHostFunction(function);
      if (!function->removeAttr(NVVM::NVVMDialect::getKernelFuncAttrName()))
        continue;
      function->setAttr("tenon.sim_kernel", UnitAttr::get(&getContext()));
      addLaunch(function, byValue, calls);
    }
    OpBuilder builder(&getContext());
    kernels->setAttr("tenon.sim_sites", calls.sites());
    kernels->setAttr("tenon.sim_static_shared", builder.getI64IntegerAttr(layout.bytes));
  }
};

} // namespace
} // namespace tenon
