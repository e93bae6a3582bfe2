// What every matrix instruction says of itself.
#ifndef TENON_DIALECTS_WARP_WARPINTERFACES_TD
#define TENON_DIALECTS_WARP_WARPINTERFACES_TD

include "mlir/IR/OpBase.td"

def Warp_MmaAtom : AttrInterface<"MmaAtom"> {
  let cppNamespace = "::tenon::warp";
  let description = [{
    What a matrix instruction takes and where its fragments lie. Accumulators of all atoms of one warp have one layout,
    `[.., rM, l8*4], [.., rN, l4, r2]`, so that what follows a dot does not depend on its atom.
  }];
  let methods = [
    InterfaceMethod<"whether it multiplies elements of that type", "bool", "takes", (ins "::mlir::Type":$element)>,
    InterfaceMethod<"rows of the result that one step computes", "int64_t", "getRows">,
    InterfaceMethod<"elements of the depth that one step multiplies", "int64_t", "getDepth">,
    InterfaceMethod<"the digits of a left operand in registers, for that many warps along M and N; none where the atom takes none",
                    "::llvm::SmallVector<::llvm::SmallVector<::tenon::warp::Digit>>", "lhsDigits",
                    (ins "int64_t":$rows, "int64_t":$depth, "int64_t":$warpsM, "int64_t":$warpsN)>,
  ];
}

#endif
