// An op of the ptx dialect is one instruction; LLVM knows it only as inline assembly, whose text and constraints are
// made here. An access under a predicate holds its predicate itself, so that no branch is needed: the result is set to
// 0 first, then loaded where the predicate holds.
#include "dialects/Ptx/Ptx.h"
#include "passes/6_ptx/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

namespace tenon {
#define GEN_PASS_DEF_LOWERPTXPASS
#include "passes/6_ptx/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

namespace {
/// A value as the registers that an instruction names.
struct Registers {
  SmallVector<Type> types; // of each, 16 bits at least
  std::string constraint;  // of each: "h", "r", "l"
  std::string suffix;      // of the instruction: ".v4.b32"
  unsigned bits;           // of each in memory

  explicit Registers(Type type) {
    auto vector = dyn_cast<VectorType>(type);
    Type element = vector ? vector.getElementType() : type;
    bits = element.getIntOrFloatBitWidth();
    Type held = IntegerType::get(type.getContext(), std::max(bits, 16u));
    types.assign(vector ? vector.getNumElements() : 1, held);
    constraint = bits <= 16 ? "h" : bits == 32 ? "r" : "l";
    suffix = (vector ? ".v" + std::to_string(vector.getNumElements()) : "") + ".b" + std::to_string(bits);
  }
  /// "$2" or "{$2, $3}".
  std::string names(unsigned first) const {
    std::string text;
    for (unsigned index = 0; index < types.size(); ++index)
      text += (index ? ", $" : "$") + std::to_string(first + index);
    return types.size() == 1 ? text : "{" + text + "}";
  }
};
} // namespace

static Value assembly(ImplicitLocOpBuilder &b, TypeRange results, ValueRange operands, StringRef text,
                      StringRef constraints, bool hasEffects) {
  auto made = LLVM::InlineAsmOp::create(
      b, results, operands, text, constraints, hasEffects, /*is_align_stack=*/false, LLVM::TailCallKind::None,
      LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT), /*operand_attrs=*/ArrayAttr());
  return results.empty() ? Value() : made.getResult(0);
}

static Value lowerLoad(ptx::LdGlobalOp op, ImplicitLocOpBuilder &b) {
  Registers registers(op.getType());
  unsigned count = registers.types.size();
  std::string text, constraints;
  for (unsigned index = 0; index < count; ++index) {
    text += "mov.b" + std::to_string(registers.types[index].getIntOrFloatBitWidth()) + " $" + std::to_string(index) +
            ", 0;\n";
    constraints += "=&" + registers.constraint + ",";
  }
  text += "@$" + std::to_string(count + 1) + " ld.global" + (op.getNc() ? ".nc" : "") + registers.suffix + " " +
          registers.names(0) + ", [$" + std::to_string(count) + "];";
  constraints += "l,b";
  bool mayChange = !op.getNc();
  if (mayChange)
    constraints += ",~{memory}";
  Type held = count == 1 ? registers.types[0] : LLVM::LLVMStructType::getLiteral(b.getContext(), registers.types);
  Value loaded = assembly(b, held, {op.getAddress(), op.getPredicate()}, text, constraints, mayChange);
  if (count == 1)
    return held == op.getType() ? loaded : LLVM::TruncOp::create(b, op.getType(), loaded).getResult();
  Value vector = LLVM::PoisonOp::create(b, op.getType());
  for (unsigned index = 0; index < count; ++index) {
    Value position = LLVM::ConstantOp::create(b, b.getI32Type(), b.getI32IntegerAttr(index));
    vector = LLVM::InsertElementOp::create(b, vector, LLVM::ExtractValueOp::create(b, loaded, index), position);
  }
  return vector;
}

static void lowerStore(ptx::StGlobalOp op, ImplicitLocOpBuilder &b) {
  Registers registers(op.getValue().getType());
  unsigned count = registers.types.size();
  SmallVector<Value> operands;
  for (unsigned index = 0; index < count; ++index) {
    Value value = op.getValue();
    if (count > 1) {
      Value position = LLVM::ConstantOp::create(b, b.getI32Type(), b.getI32IntegerAttr(index));
      value = LLVM::ExtractElementOp::create(b, value, position);
    }
    if (value.getType() != registers.types[index])
      value = LLVM::ZExtOp::create(b, registers.types[index], value);
    operands.push_back(value);
  }
  operands.append({op.getAddress(), op.getPredicate()});
  std::string constraints;
  for (unsigned index = 0; index < count; ++index)
    constraints += registers.constraint + ",";
  assembly(b, {}, operands,
           "@$" + std::to_string(count + 1) + " st.global" + registers.suffix + " [$" + std::to_string(count) + "], " +
               registers.names(0) + ";",
           constraints + "l,b,~{memory}", /*hasEffects=*/true);
}

static void lowerStoreAsync(ptx::StAsyncOp op, ImplicitLocOpBuilder &b) {
  SmallVector<Value> operands;
  for (int64_t index = 0; index < 4; ++index) {
    Value position = LLVM::ConstantOp::create(b, b.getI32Type(), b.getI32IntegerAttr(index));
    operands.push_back(LLVM::ExtractElementOp::create(b, op.getValue(), position));
  }
  operands.append({op.getAddress(), op.getBarrier(), op.getRank()});
  assembly(b, {}, operands,
           "{\n.reg .b32 place, counted;\nmapa.shared::cluster.u32 place, $4, $6;\n"
           "mapa.shared::cluster.u32 counted, $5, $6;\n"
           "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.v4.b32 [place], {$0, $1, $2, $3}, [counted];\n}",
           "r,r,r,r,r,r,r,~{memory}", /*hasEffects=*/true);
}

/// An instruction in place on values of 32 bits: `others` are operands of its text before them. What it gives back.
static SmallVector<Value> inPlace(ValueRange values, ValueRange others, StringRef text, const std::string &constraints,
                                  ImplicitLocOpBuilder &b) {
  std::string all, tied;
  for (size_t index = 0; index < values.size(); ++index) {
    all += values[index].getType().isInteger() ? "=r," : "=f,";
    tied += std::to_string(index) + ",";
  }
  all += constraints + tied + "~{memory}";
  SmallVector<Value> operands(others);
  llvm::append_range(operands, values);
  SmallVector<Type> types(values.getTypes());
  if (values.size() < 2) {
    Value result = assembly(b, types, operands, text, all, /*hasEffects=*/true);
    return values.empty() ? SmallVector<Value>() : SmallVector<Value>{result};
  }
  Value packed = assembly(b, LLVM::LLVMStructType::getLiteral(b.getContext(), types), operands, text, all,
                          /*hasEffects=*/true);
  SmallVector<Value> results;
  for (size_t index = 0; index < values.size(); ++index)
    results.push_back(LLVM::ExtractValueOp::create(b, packed, index));
  return results;
}

static std::string typeName(Type element) {
  return element.isF16()                  ? "f16"
         : element.isBF16()               ? "bf16"
         : element.isTF32()               ? "tf32"
         : isa<Float8E4M3FNType>(element) ? "e4m3"
         : isa<Float8E5M2Type>(element)   ? "e5m2"
         : element.isUnsignedInteger()    ? "u8"
                                          : "s8";
}

static SmallVector<Value> lowerMmaF8(ptx::MmaF8Op op, ImplicitLocOpBuilder &b) {
  auto four = LLVM::LLVMStructType::getLiteral(b.getContext(), SmallVector<Type>(4, b.getF32Type()));
  std::string text = "mma.sync.aligned.m16n8k32.row.col.f32." + typeName(op.getLhsElement()) + "." +
                     typeName(op.getRhsElement()) +
                     ".f32 {$0, $1, $2, $3}, {$4, $5, $6, $7}, {$8, $9}, {$10, $11, $12, $13};";
  Value packed = assembly(b, four, op->getOperands(), text, "=f,=f,=f,=f,r,r,r,r,r,r,f,f,f,f", /*hasEffects=*/false);
  SmallVector<Value> results;
  for (int64_t index = 0; index < 4; ++index)
    results.push_back(LLVM::ExtractValueOp::create(b, packed, index));
  return results;
}

/// Sums that start at zero need no register set: the first step writes them.
static SmallVector<Value> lowerWgmma(ptx::WgmmaOp op, ImplicitLocOpBuilder &b) {
  SmallVector<Value> sums(op.getAccumulators());
  bool isInteger = sums.front().getType().isInteger();
  bool startsAtZero =
      llvm::all_of(sums, [](Value sum) { return matchPattern(sum, m_PosZeroFloat()) || matchPattern(sum, m_Zero()); });
  if (startsAtZero)
    sums.assign(sums.size(), LLVM::UndefOp::create(b, sums.front().getType()));
  size_t count = op.getAccumulators().size(), steps = op.getRhsOffsets().size();
  bool isDescriptor = !op.getLhsOffsets().empty();
  std::string accumulators, constraints,
      text = "{\n.reg .pred p, q;\nsetp.ne.b32 p, 1, 0;\nsetp.ne.b32 q, 0, 0;\nwgmma.fence.sync.aligned;\n";
  for (size_t index = 0; index < count; ++index)
    accumulators += (index ? ", $" : "$") + std::to_string(index);
  SmallVector<Value> operands;
  auto use = [&](Value value, const char *constraint) {
    operands.push_back(value);
    constraints += std::string(constraint) + ",";
    return "$" + std::to_string(count + operands.size() - 1);
  };
  auto at = [&](Value descriptor, int64_t offset) -> Value {
    if (offset == 0)
      return descriptor;
    Value distance = LLVM::ConstantOp::create(b, b.getI64Type(), b.getI64IntegerAttr(offset));
    return LLVM::AddOp::create(b, descriptor, distance);
  };
  std::string instruction = "wgmma.mma_async.sync.aligned.m64n" + std::to_string(2 * count) + "k" +
                            std::to_string(op.depthOfStep()) + (isInteger ? ".s32." : ".f32.") +
                            typeName(op.getElement()) + "." + typeName(op.elementOfRhs()) + " {";
  std::string signs = isInteger ? "" : op.getNegateLhs() ? ", -1" : ", 1";
  signs += isInteger ? "" : op.getNegateRhs() ? ", -1" : ", 1";
  for (size_t step = 0; step < steps; ++step) {
    std::string lhs;
    if (isDescriptor)
      lhs = use(at(op.getLhs().front(), op.getLhsOffsets()[step]), "l");
    for (size_t word = 0; !isDescriptor && word < 4; ++word)
      lhs += (word ? ", " : "{") + use(op.getLhs()[4 * step + word], "r") + (word == 3 ? "}" : "");
    std::string rhs = use(at(op.getRhs(), op.getRhsOffsets()[step]), "l");
    text += instruction + accumulators + "}, " + lhs + ", " + rhs + (startsAtZero && step == 0 ? ", q" : ", p") + signs;
    if (op.elementBits() == 16 && isDescriptor)
      text += op.getTransposeLhs() ? ", 1" : ", 0";
    if (op.elementBits() == 16)
      text += op.getTransposeRhs() ? ", 1" : ", 0";
    text += ";\n";
  }
  text += "wgmma.commit_group.sync.aligned;\n}";
  return inPlace(sums, operands, text, constraints, b);
}

static Value lowerFunction(Operation *op, StringRef instruction, ImplicitLocOpBuilder &b) {
  return assembly(b, op->getResultTypes(), op->getOperands(), (instruction + ".f32 $0, $1;").str(), "=f,f",
                  /*hasEffects=*/false);
}

static Value lowerCvtF8(ptx::CvtF8Op op, ImplicitLocOpBuilder &b) {
  std::string text = "cvt.rn.satfinite." + typeName(op.getElement()) + "x2.f32 $0, $1, $2;";
  return assembly(b, op.getType(), {op.getHigh(), op.getLow()}, text, "=h,f,f", /*hasEffects=*/false);
}

static Value lowerWidenF8(ptx::WidenF8Op op, ImplicitLocOpBuilder &b) {
  std::string text = "cvt.rn.f16x2." + typeName(op.getElement()) + "x2 $0, $1;";
  return assembly(b, op.getType(), {op.getPair()}, text, "=r,h", /*hasEffects=*/false);
}

/// Two f32 are rounded by one instruction. Said as a truncation of two, LLVM would take them apart where one alone is
/// read, and the conversion of one takes four times as long.
static void roundPair(arith::TruncFOp op, ImplicitLocOpBuilder &b) {
  auto from = dyn_cast<VectorType>(op.getIn().getType()), to = dyn_cast<VectorType>(op.getType());
  if (!from || from.getNumElements() != 2 || !from.getElementType().isF32())
    return;
  const char *name = to.getElementType().isBF16()  ? "llvm.nvvm.ff2bf16x2.rn"
                     : to.getElementType().isF16() ? "llvm.nvvm.ff2f16x2.rn"
                                                   : nullptr;
  if (!name)
    return;
  SmallVector<Value> parts;
  for (int64_t number : {1, 0}) { // the upper half first
    Value index = LLVM::ConstantOp::create(b, b.getI32Type(), b.getI32IntegerAttr(number));
    parts.push_back(LLVM::ExtractElementOp::create(b, op.getIn(), index));
  }
  auto rounded = LLVM::CallIntrinsicOp::create(b, to, b.getStringAttr(name), parts);
  op.replaceAllUsesWith(rounded.getResult(0));
  op.erase();
}

namespace {
struct LowerPtx : tenon::impl::LowerPtxPassBase<LowerPtx> {
  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      ImplicitLocOpBuilder b(op->getLoc(), op);
      llvm::TypeSwitch<Operation *>(op)
          .Case([&](ptx::LdGlobalOp load) { load.replaceAllUsesWith(lowerLoad(load, b)); })
          .Case([&](ptx::StGlobalOp store) { lowerStore(store, b); })
          .Case([&](ptx::MmaF8Op mma) { mma.replaceAllUsesWith(lowerMmaF8(mma, b)); })
          .Case([&](ptx::WgmmaOp wgmma) { wgmma.replaceAllUsesWith(lowerWgmma(wgmma, b)); })
          .Case([&](ptx::WgmmaWaitOp wait) {
            std::string text = "wgmma.wait_group.sync.aligned " + std::to_string(wait.getPending()) + ";";
            wait.replaceAllUsesWith(inPlace(wait.getValues(), {}, text, "", b));
          })
          .Case([&](ptx::BarrierOrOp barrier) {
            std::string numbers = std::to_string(barrier.getId()) + ", " + std::to_string(barrier.getThreads());
            Value holds = assembly(b, b.getI1Type(), {barrier.getPredicate()},
                                   "barrier.cta.red.or.pred.aligned $0, " + numbers + ", $1;", "=b,b,~{memory}",
                                   /*hasEffects=*/true);
            barrier.replaceAllUsesWith(holds);
          })
          .Case([&](ptx::MbarrierWaitOp wait) {
            assembly(b, {}, {wait.getBarrier(), wait.getParity()},
                     "{\n.reg .pred p;\nWAIT${:uid}:\nmbarrier.try_wait.parity.shared::cta.b64 p, [$0], $1;\n"
                     "@!p bra WAIT${:uid};\n}",
                     "r,r,~{memory}", /*hasEffects=*/true);
          })
          .Case([&](ptx::MbarrierArriveOp arrive) {
            assembly(b, {}, {arrive.getBarrier(), arrive.getPredicate()},
                     "@$1 mbarrier.arrive.shared::cta.b64 _, [$0];", "r,b,~{memory}", /*hasEffects=*/true);
          })
          .Case([&](ptx::StAsyncOp store) { lowerStoreAsync(store, b); })
          .Case([&](ptx::CvtF8Op pair) { pair.replaceAllUsesWith(lowerCvtF8(pair, b)); })
          .Case([&](ptx::WidenF8Op pair) { pair.replaceAllUsesWith(lowerWidenF8(pair, b)); })
          .Case([&](ptx::MbarrierArriveClusterOp arrive) {
            assembly(b, {}, {arrive.getBarrier(), arrive.getRank(), arrive.getPredicate()},
                     "{\n.reg .b32 peer;\n@$2 mapa.shared::cluster.u32 peer, $0, $1;\n"
                     "@$2 mbarrier.arrive.shared::cluster.b64 _, [peer];\n}",
                     "r,r,b,~{memory}", /*hasEffects=*/true);
          })
          .Case([&](arith::TruncFOp pair) { roundPair(pair, b); })
          .Case<ptx::Ex2Op, ptx::RcpOp, ptx::TanhOp>([&](Operation *function) {
            StringRef instruction = function->getName().stripDialect();
            function->replaceAllUsesWith(ValueRange(lowerFunction(function, instruction, b)));
          });
      if (isa<ptx::PtxDialect>(op->getDialect()) && op->use_empty())
        op->erase();
    });
  }
};
} // namespace
