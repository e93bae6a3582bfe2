// Special registers, barriers, warp-wide ops and matrix fragments as calls.
#include "dialects/Ptx/Ptx.h"
#include "lib/Sim/DeviceFunctions.h"
#include "passes/sim/DeviceOps.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using tenon::sim::MmaType;
using tenon::sim::SpecialRegister;

namespace tenon {

static std::optional<SpecialRegister> specialRegister(Operation *op) {
  static const llvm::StringMap<SpecialRegister> table = {
      {"tid.x", SpecialRegister::TidX},
      {"tid.y", SpecialRegister::TidY},
      {"tid.z", SpecialRegister::TidZ},
      {"ntid.x", SpecialRegister::NtidX},
      {"ntid.y", SpecialRegister::NtidY},
      {"ntid.z", SpecialRegister::NtidZ},
      {"ctaid.x", SpecialRegister::CtaidX},
      {"ctaid.y", SpecialRegister::CtaidY},
      {"ctaid.z", SpecialRegister::CtaidZ},
      {"nctaid.x", SpecialRegister::NctaidX},
      {"nctaid.y", SpecialRegister::NctaidY},
      {"nctaid.z", SpecialRegister::NctaidZ},
      {"cluster.ctarank", SpecialRegister::ClusterCtaRank},
      {"cluster.nctarank", SpecialRegister::ClusterNumCtas},
      {"cluster.ctaid.x", SpecialRegister::ClusterCtaX},
      {"cluster.ctaid.y", SpecialRegister::ClusterCtaY},
      {"cluster.ctaid.z", SpecialRegister::ClusterCtaZ},
      {"cluster.nctaid.x", SpecialRegister::ClusterNctaX},
      {"cluster.nctaid.y", SpecialRegister::ClusterNctaY},
      {"cluster.nctaid.z", SpecialRegister::ClusterNctaZ},
      {"clusterid.x", SpecialRegister::ClusterIdX},
      {"clusterid.y", SpecialRegister::ClusterIdY},
      {"clusterid.z", SpecialRegister::ClusterIdZ},
      {"nclusterid.x", SpecialRegister::NclusterX},
      {"nclusterid.y", SpecialRegister::NclusterY},
      {"nclusterid.z", SpecialRegister::NclusterZ},
      {"laneid", SpecialRegister::LaneId},
      {"warpsize", SpecialRegister::WarpSize},
      {"lanemask.eq", SpecialRegister::LaneMaskEq},
      {"lanemask.le", SpecialRegister::LaneMaskLe},
      {"lanemask.lt", SpecialRegister::LaneMaskLt},
      {"lanemask.ge", SpecialRegister::LaneMaskGe},
      {"lanemask.gt", SpecialRegister::LaneMaskGt},
  };
  StringRef name = op->getName().getStringRef();
  if (!name.consume_front("nvvm.read.ptx.sreg."))
    return std::nullopt;
  auto found = table.find(name);
  return found == table.end() ? std::nullopt : std::optional(found->second);
}

static void replaceShuffle(NVVM::ShflOp op, CallBuilder &calls) {
  OpBuilder &ops = calls.builder();
  Location loc = op.getLoc();
  Type valueType = op.getVal().getType();
  Value both = calls.call("tenon_sim_shuffle",
                          {calls.i32(static_cast<int64_t>(op.getKind())), op.getThreadMask(), calls.bits(op.getVal()),
                           op.getOffset(), op.getMaskAndClamp()},
                          ops.getI64Type());
  Value value = calls.fromBits(LLVM::TruncOp::create(ops, loc, ops.getI32Type(), both), valueType);
  if (op.getReturnValueAndIsValid()) {
    Value shift = LLVM::ConstantOp::create(ops, loc, ops.getI64Type(), ops.getI64IntegerAttr(32));
    Value isValid = LLVM::TruncOp::create(ops, loc, ops.getI1Type(), LLVM::LShrOp::create(ops, loc, both, shift));
    Value result = LLVM::UndefOp::create(ops, loc, op.getType());
    result = LLVM::InsertValueOp::create(ops, loc, result, value, ArrayRef<int64_t>{0});
    value = LLVM::InsertValueOp::create(ops, loc, result, isValid, ArrayRef<int64_t>{1});
  }
  op.replaceAllUsesWith(value);
}

static LogicalResult replaceMatrixMove(Operation *op, CallBuilder &calls, NVVM::LdStMatrixShapeAttr shape,
                                       NVVM::LdStMatrixEltType type) {
  if (shape.getM() != 8 || shape.getN() != 8 || type != NVVM::LdStMatrixEltType::B16)
    return op->emitOpError("has no simulation of this form; expected 8 x 8 matrices of b16");
  OpBuilder &ops = calls.builder();
  Location loc = op->getLoc();
  if (auto load = dyn_cast<NVVM::LdMatrixOp>(op)) {
    auto num = static_cast<int64_t>(load.getNum());
    Value registers = calls.registers(num);
    calls.call("tenon_sim_ldmatrix",
               {registers, load.getPtr(), calls.i32(num), calls.i32(load.getLayout() == NVVM::MMALayout::col)});
    op->replaceAllUsesWith(LLVM::LoadOp::create(ops, loc, load.getType(), registers, 4));
    return success();
  }
  auto store = cast<NVVM::StMatrixOp>(op);
  auto num = static_cast<int64_t>(store.getSources().size());
  Value registers = calls.registers(num);
  for (auto [index, source] : llvm::enumerate(store.getSources()))
    LLVM::StoreOp::create(ops, loc, source, calls.registerAt(registers, static_cast<int64_t>(index)), 4);
  calls.call("tenon_sim_stmatrix",
             {registers, store.getPtr(), calls.i32(num), calls.i32(store.getLayout() == NVVM::MMALayout::col)});
  return success();
}

static std::optional<MmaType> mmaType(std::optional<NVVM::MMATypes> type) {
  if (!type)
    return std::nullopt;
  switch (*type) {
  case NVVM::MMATypes::f16:
    return MmaType::F16;
  case NVVM::MMATypes::bf16:
    return MmaType::BF16;
  case NVVM::MMATypes::tf32:
    return MmaType::TF32;
  case NVVM::MMATypes::s8:
    return MmaType::S8;
  case NVVM::MMATypes::u8:
    return MmaType::U8;
  default:
    return std::nullopt;
  }
}

static LogicalResult replaceMma(NVVM::MmaOp op, CallBuilder &calls) {
  OpBuilder &ops = calls.builder();
  Location loc = op.getLoc();
  std::optional<MmaType> a = mmaType(op.getMultiplicandAPtxType()), b = mmaType(op.getMultiplicandBPtxType());
  if (!a || !b || op.getShape().getM() != 16 || op.getShape().getN() != 8 || op.getLayoutA() != NVVM::MMALayout::row ||
      op.getLayoutB() != NVVM::MMALayout::col)
    return op.emitOpError(
        "has no simulation of this form; expected m16n8, row by column, of f16, bf16, tf32, s8 or u8");
  bool isF16Sum = isa<VectorType>(op.getOperandC().front().getType());
  bool saturates = op.getIntOverflowBehavior() == NVVM::MMAIntOverflow::satfinite;
  Value registers = calls.registers(14);
  auto storeAt = [&](int64_t first, ValueRange values) {
    for (auto [index, value] : llvm::enumerate(values))
      LLVM::StoreOp::create(ops, loc, value, calls.registerAt(registers, first + static_cast<int64_t>(index)), 4);
  };
  storeAt(0, op.getOperandA());
  storeAt(4, op.getOperandB());
  storeAt(6, op.getOperandC());
  uint32_t shape = sim::packMma({*a, *b, isF16Sum, saturates, static_cast<uint32_t>(op.getShape().getK())});
  calls.call("tenon_sim_mma", {registers, calls.i32(shape)});
  op.replaceAllUsesWith(LLVM::LoadOp::create(ops, loc, op.getType(), calls.registerAt(registers, 10), 4).getResult());
  return success();
}

static void replaceMmaF8(ptx::MmaF8Op op, CallBuilder &calls) {
  auto typeOf = [](Type element) { return isa<Float8E4M3FNType>(element) ? MmaType::E4M3 : MmaType::E5M2; };
  Location loc = op.getLoc();
  Value registers = calls.registers(14);
  for (auto [index, value] : llvm::enumerate(op->getOperands()))
    LLVM::StoreOp::create(calls.builder(), loc, value, calls.registerAt(registers, static_cast<int64_t>(index)), 4);
  uint32_t shape = sim::packMma({typeOf(op.getLhsElement()), typeOf(op.getRhsElement()), false, false, 32});
  calls.call("tenon_sim_mma", {registers, calls.i32(shape)});
  for (auto [index, result] : llvm::enumerate(op->getResults()))
    result.replaceAllUsesWith(LLVM::LoadOp::create(calls.builder(), loc, result.getType(),
                                                   calls.registerAt(registers, 10 + static_cast<int64_t>(index)), 4));
}

static int64_t roundingOf(NVVM::ConvertFloatToTF32Op op) {
  return op.getRnd() == NVVM::FPRoundingMode::RN ? 0 : op.getRnd() == NVVM::FPRoundingMode::RNA ? 1 : 2;
}

static void replaceBarrier(Operation *op, CallBuilder &calls) {
  Value id = calls.i32(0), count = calls.i32(0), predicate = calls.i32(0);
  int64_t waits = 1, reduction = -1;
  if (auto barrier = dyn_cast<NVVM::BarrierOp>(op)) {
    id = barrier.getBarrierId() ? barrier.getBarrierId() : id;
    count = barrier.getNumberOfThreads() ? barrier.getNumberOfThreads() : count;
    if (barrier.getReductionOp()) {
      reduction = static_cast<int64_t>(*barrier.getReductionOp());
      predicate = barrier.getReductionPredicate();
    }
  } else if (auto arrive = dyn_cast<NVVM::BarrierArriveOp>(op)) {
    id = arrive.getBarrierId() ? arrive.getBarrierId() : id;
    count = arrive.getNumberOfThreads();
    waits = 0;
  }
  Value result = calls.call("tenon_sim_barrier", {id, count, calls.i32(waits), calls.i32(reduction), predicate},
                            calls.builder().getI32Type());
  if (op->getNumResults() == 1)
    op->replaceAllUsesWith(ValueRange{result});
}

/// What CallLibdevice makes of an approximate exp2.
static bool isEx2(Operation *op) {
  auto call = dyn_cast<LLVM::CallIntrinsicOp>(op);
  return call && call.getIntrin() == "llvm.nvvm.ex2.approx.ftz";
}

static Value truth(CallBuilder &calls, Location loc, Value word, Type type) {
  if (!type.isInteger(1))
    return word;
  return LLVM::ICmpOp::create(calls.builder(), loc, LLVM::ICmpPredicate::ne, word, calls.i32(0));
}

static LogicalResult replaceMatch(NVVM::MatchSyncOp op, CallBuilder &calls) {
  if (!op.getVal().getType().isInteger(32))
    return op.emitOpError("has no simulation of this type; expected i32");
  bool isAny = op.getKind() == NVVM::MatchSyncKind::any;
  Value mask = calls.call(isAny ? "tenon_sim_match_any" : "tenon_sim_match_all", {op.getThreadMask(), op.getVal()},
                          calls.builder().getI32Type());
  Value result = mask;
  if (!isAny) { // all equal, or no lane in the mask
    Location loc = op.getLoc();
    result = LLVM::UndefOp::create(calls.builder(), loc, op.getType());
    result = LLVM::InsertValueOp::create(calls.builder(), loc, result, mask, ArrayRef<int64_t>{0});
    Value isEqual = truth(calls, loc, mask, calls.builder().getI1Type());
    result = LLVM::InsertValueOp::create(calls.builder(), loc, result, isEqual, ArrayRef<int64_t>{1});
  }
  op.replaceAllUsesWith(result);
  return success();
}

std::optional<LogicalResult> replaceWarpOp(Operation *op, CallBuilder &calls) {
  calls.startAt(op);
  Location loc = op->getLoc();
  Type i32 = calls.builder().getI32Type();
  if (std::optional<SpecialRegister> which = specialRegister(op)) {
    op->replaceAllUsesWith(ValueRange{calls.call("tenon_sim_special", {calls.i32(static_cast<int64_t>(*which))}, i32)});
  } else if (isa<NVVM::Barrier0Op, NVVM::BarrierOp, NVVM::BarrierArriveOp>(op)) {
    replaceBarrier(op, calls);
  } else if (auto arrive = dyn_cast<NVVM::ClusterArriveOp>(op)) {
    calls.call("tenon_sim_cluster_arrive", {calls.i32(0), calls.i32(arrive.getAligned().value_or(false))});
  } else if (auto relaxed = dyn_cast<NVVM::ClusterArriveRelaxedOp>(op)) {
    calls.call("tenon_sim_cluster_arrive", {calls.i32(1), calls.i32(relaxed.getAligned().value_or(false))});
  } else if (auto wait = dyn_cast<NVVM::ClusterWaitOp>(op)) {
    calls.call("tenon_sim_cluster_wait", {calls.i32(wait.getAligned().value_or(false))});
  } else if (auto barrier = dyn_cast<ptx::BarrierOrOp>(op)) {
    Value predicate = LLVM::ZExtOp::create(calls.builder(), loc, i32, barrier.getPredicate());
    auto disjunction = static_cast<int64_t>(NVVM::BarrierReduction::OR);
    Value result = calls.call(
        "tenon_sim_barrier",
        {calls.i32(barrier.getId()), calls.i32(barrier.getThreads()), calls.i32(1), calls.i32(disjunction), predicate},
        i32);
    barrier.replaceAllUsesWith(
        LLVM::ICmpOp::create(calls.builder(), loc, LLVM::ICmpPredicate::ne, result, calls.i32(0)).getResult());
  } else if (auto sync = dyn_cast<NVVM::SyncWarpOp>(op)) {
    calls.call("tenon_sim_sync_warp", {sync.getMask()});
  } else if (auto registers = dyn_cast<NVVM::SetMaxRegisterOp>(op)) {
    calls.call("tenon_sim_set_registers", {calls.i32(registers.getRegCount()),
                                           calls.i32(registers.getAction() == NVVM::SetMaxRegisterAction::increase)});
  } else if (auto shuffle = dyn_cast<NVVM::ShflOp>(op)) {
    replaceShuffle(shuffle, calls);
  } else if (auto vote = dyn_cast<NVVM::VoteSyncOp>(op)) {
    Value word =
        calls.call("tenon_sim_vote",
                   {calls.i32(static_cast<int64_t>(vote.getKind())), vote.getMask(), calls.bits(vote.getPred())}, i32);
    vote.replaceAllUsesWith(truth(calls, loc, word, vote.getType()));
  } else if (auto redux = dyn_cast<NVVM::ReduxOp>(op)) {
    if (redux.getAbs() || redux.getNan())
      return op->emitOpError("has no simulation with `abs` or `nan`");
    // nvvm's kinds count from 1.
    Value word = calls.call(
        "tenon_sim_reduce",
        {calls.i32(static_cast<int64_t>(redux.getKind()) - 1), redux.getMaskAndClamp(), calls.bits(redux.getVal())},
        i32);
    redux.replaceAllUsesWith(calls.fromBits(word, redux.getType()));
  } else if (auto elect = dyn_cast<NVVM::ElectSyncOp>(op)) {
    Value mask = elect.getMembermask() ? elect.getMembermask() : calls.i32(-1);
    elect.replaceAllUsesWith(truth(calls, loc, calls.call("tenon_sim_elect", {mask}, i32), elect.getType()));
  } else if (auto match = dyn_cast<NVVM::MatchSyncOp>(op)) {
    if (failed(replaceMatch(match, calls)))
      return failure();
  } else if (auto load = dyn_cast<NVVM::LdMatrixOp>(op)) {
    if (failed(replaceMatrixMove(op, calls, load.getShape(), load.getEltType())))
      return failure();
  } else if (auto store = dyn_cast<NVVM::StMatrixOp>(op)) {
    if (failed(replaceMatrixMove(op, calls, store.getShape(), store.getEltType())))
      return failure();
  } else if (auto mma = dyn_cast<NVVM::MmaOp>(op)) {
    if (failed(replaceMma(mma, calls)))
      return failure();
  } else if (auto mma = dyn_cast<ptx::MmaF8Op>(op)) {
    replaceMmaF8(mma, calls);
  } else if (isa<ptx::Ex2Op, ptx::RcpOp, ptx::TanhOp>(op) || isEx2(op)) {
    StringRef function = isa<ptx::RcpOp>(op)    ? "tenon_sim_rcp"
                         : isa<ptx::TanhOp>(op) ? "tenon_sim_tanh"
                                                : "tenon_sim_ex2";
    op->replaceAllUsesWith(ValueRange{calls.call(function, op->getOperands(), calls.builder().getF32Type())});
  } else if (auto convert = dyn_cast<ptx::CvtF8Op>(op)) {
    Value isE5M2 = calls.i32(isa<Float8E5M2Type>(convert.getElement()));
    Value pair = calls.call("tenon_sim_float8s", {convert.getHigh(), convert.getLow(), isE5M2}, i32);
    convert.replaceAllUsesWith(LLVM::TruncOp::create(calls.builder(), loc, convert.getType(), pair).getResult());
  } else if (auto widen = dyn_cast<ptx::WidenF8Op>(op)) {
    Value pair = LLVM::ZExtOp::create(calls.builder(), loc, i32, widen.getPair());
    Value isE5M2 = calls.i32(isa<Float8E5M2Type>(widen.getElement()));
    widen.replaceAllUsesWith(calls.call("tenon_sim_widen_float8s", {pair, isE5M2}, i32));
  } else if (auto convert = dyn_cast<NVVM::ConvertFloatToTF32Op>(op)) {
    if (convert.getRelu() || convert.getSat() != NVVM::SaturationMode::NONE)
      return op->emitOpError("has no simulation with `relu` or a saturation");
    convert.replaceAllUsesWith(calls.call("tenon_sim_tf32", {convert.getSrc(), calls.i32(roundingOf(convert))}, i32));
  } else {
    return std::nullopt;
  }
  op->erase();
  return success();
}

} // namespace tenon
