// A GPU has no C library, and its own instructions for elementary functions are approximations. The vendor's bitcode
// library libdevice has every function to one or two units in the last place, for f32 and f64; it is linked, inlined
// and optimised where PTX is made. An op with `afn` asks for the instruction, or for libdevice's short form around it.
#include "passes/6_ptx/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringSwitch.h"

namespace tenon {
#define GEN_PASS_DEF_CALLLIBDEVICEPASS
#include "passes/6_ptx/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

/// The function of libdevice without `__nv_` and the suffix of its type; empty for what LLVM lowers itself.
static StringRef functionOf(Operation *op) {
  return llvm::StringSwitch<StringRef>(op->getName().getStringRef())
      .Case("math.acos", "acos")
      .Case("math.acosh", "acosh")
      .Case("math.asin", "asin")
      .Case("math.asinh", "asinh")
      .Case("math.atan", "atan")
      .Case("math.atan2", "atan2")
      .Case("math.atanh", "atanh")
      .Case("math.cbrt", "cbrt")
      .Case("math.cos", "cos")
      .Case("math.cosh", "cosh")
      .Case("math.erf", "erf")
      .Case("math.erfc", "erfc")
      .Case("math.exp", "exp")
      .Case("math.exp2", "exp2")
      .Case("math.expm1", "expm1")
      .Case("math.log", "log")
      .Case("math.log10", "log10")
      .Case("math.log1p", "log1p")
      .Case("math.log2", "log2")
      .Case("math.powf", "pow")
      .Case("math.rsqrt", "rsqrt")
      .Case("math.sin", "sin")
      .Case("math.sinh", "sinh")
      .Case("math.tan", "tan")
      .Case("math.tanh", "tanh")
      .Case("arith.remf", "fmod")
      .Default("");
}

/// libdevice's form around the approximate instruction, of f32 only.
static bool hasShortForm(StringRef function) {
  return llvm::StringSwitch<bool>(function)
      .Cases({"cos", "exp", "log", "log10", "log2", "pow", "sin", "tan", "tanh"}, true)
      .Default(false);
}

namespace {
class Caller {
public:
  explicit Caller(Operation *op) : op(op), function(functionOf(op)), b(op->getLoc(), op) {}
  void replace();

private:
  bool isApproximate() const {
    auto math = dyn_cast<arith::ArithFastMathInterface>(op);
    return math && bitEnumContainsAny(math.getFastMathFlagsAttr().getValue(), arith::FastMathFlags::afn);
  }
  /// `arguments`: scalars of the op's type.
  Value scalar(ArrayRef<Value> arguments);
  Value call(Type type, ArrayRef<Value> arguments);
  FlatSymbolRefAttr declare(const std::string &name, LLVM::LLVMFunctionType type);

  Operation *op;
  StringRef function;
  ImplicitLocOpBuilder b;
};
} // namespace

FlatSymbolRefAttr Caller::declare(const std::string &name, LLVM::LLVMFunctionType type) {
  Operation *home = SymbolTable::getNearestSymbolTable(op);
  if (!SymbolTable::lookupSymbolIn(home, name)) {
    OpBuilder top = OpBuilder::atBlockBegin(&home->getRegion(0).front());
    auto declared = LLVM::LLVMFuncOp::create(top, home->getLoc(), name, type);
    auto none = LLVM::ModRefInfo::NoModRef;
    declared.setMemoryEffectsAttr(LLVM::MemoryEffectsAttr::get(b.getContext(), {none, none, none, none, none, none}));
    declared.setNoUnwind(true);
    declared.setWillReturn(true);
  }
  return FlatSymbolRefAttr::get(b.getContext(), name);
}

/// `type`: f32 or f64.
Value Caller::call(Type type, ArrayRef<Value> arguments) {
  bool isShort = isApproximate() && type.isF32();
  if (isShort && function == "exp2")
    return LLVM::CallIntrinsicOp::create(b, type, b.getStringAttr("llvm.nvvm.ex2.approx.ftz"), arguments).getResult(0);
  std::string name = "__nv_";
  if (isShort && hasShortForm(function))
    name += "fast_";
  name += function;
  if (type.isF32())
    name += "f";
  SmallVector<Type> types(arguments.size(), type);
  FlatSymbolRefAttr callee = declare(name, LLVM::LLVMFunctionType::get(type, types));
  return LLVM::CallOp::create(b, TypeRange(type), callee, arguments).getResult();
}

Value Caller::scalar(ArrayRef<Value> arguments) {
  Type type = arguments.front().getType();
  if (type.isF64() || type.isF32())
    return call(type, arguments);
  SmallVector<Value> wide;
  for (Value argument : arguments)
    wide.push_back(arith::ExtFOp::create(b, b.getF32Type(), argument));
  return arith::TruncFOp::create(b, type, call(b.getF32Type(), wide));
}

void Caller::replace() {
  auto vector = dyn_cast<VectorType>(op->getResult(0).getType());
  if (!vector) {
    op->replaceAllUsesWith(ValueRange(scalar(llvm::to_vector(op->getOperands()))));
    return op->erase();
  }
  Value result = arith::ConstantOp::create(b, b.getZeroAttr(vector));
  SmallVector<int64_t> at(vector.getRank(), 0);
  for (int64_t index = 0; index < vector.getNumElements(); ++index) {
    int64_t rest = index;
    for (int64_t d = vector.getRank() - 1; d >= 0; --d) {
      at[d] = rest % vector.getDimSize(d);
      rest /= vector.getDimSize(d);
    }
    SmallVector<Value> arguments;
    for (Value operand : op->getOperands())
      arguments.push_back(vector::ExtractOp::create(b, operand, at));
    result = vector::InsertOp::create(b, scalar(arguments), result, at);
  }
  op->replaceAllUsesWith(ValueRange(result));
  op->erase();
}

namespace {
struct CallLibdevice : tenon::impl::CallLibdevicePassBase<CallLibdevice> {
  void runOnOperation() override {
    SmallVector<Operation *> calls;
    getOperation().walk([&](Operation *op) {
      if (!functionOf(op).empty() && op->getParentOfType<LLVM::LLVMFuncOp>())
        calls.push_back(op);
    });
    for (Operation *op : calls)
      Caller(op).replace();
  }
};
} // namespace
