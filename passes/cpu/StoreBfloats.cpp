// After the conversions are expanded nothing computes with bf16: it is loaded, moved and stored. Without instructions
// for the type LLVM still makes arithmetic of that, an f32 a lane and back by a call, wherever a vector is taken apart,
// as masked stores are for AVX2. As an i16 it is bits.
#include "passes/cpu/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AttrTypeSubElements.h"

namespace tenon {
#define GEN_PASS_DEF_CPUSTOREBFLOATSPASS
#include "passes/cpu/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static void storeBfloats(ModuleOp kernels) {
  Type bits = IntegerType::get(kernels.getContext(), 16);
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](BFloat16Type) -> std::optional<Type> { return bits; });
  replacer.addReplacement([&](FloatAttr number) -> std::optional<Attribute> {
    if (!number.getType().isBF16())
      return std::nullopt;
    return IntegerAttr::get(bits, number.getValue().bitcastToAPInt());
  });
  replacer.addReplacement([&](DenseElementsAttr numbers) -> std::optional<Attribute> {
    if (!numbers.getElementType().isBF16())
      return std::nullopt;
    return numbers.bitcast(bits);
  });
  replacer.recursivelyReplaceElementsIn(kernels, /*replaceAttrs=*/true, /*replaceLocs=*/false, /*replaceTypes=*/true);
  kernels.walk([](arith::BitcastOp cast) {
    if (cast.getIn().getType() != cast.getType())
      return;
    cast.replaceAllUsesWith(cast.getIn());
    cast.erase();
  });
}

namespace {
struct StoreBfloats : tenon::impl::CpuStoreBfloatsPassBase<StoreBfloats> {
  void runOnOperation() override {
    for (auto kernels : getOperation().getOps<ModuleOp>())
      storeBfloats(kernels);
  }
};
} // namespace
