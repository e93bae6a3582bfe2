#include "dialects/Tenon/Tenon.h"

#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon;

#include "dialects/Tenon/TenonDialect.cpp.inc"
#include "dialects/Tenon/TenonEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Tenon/TenonAttrs.cpp.inc"

void TenonDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Tenon/TenonAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Tenon/Tenon.cpp.inc"
      >();
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

#define GET_OP_CLASSES
#include "dialects/Tenon/Tenon.cpp.inc"
