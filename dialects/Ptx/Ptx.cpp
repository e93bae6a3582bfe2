#include "dialects/Ptx/Ptx.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace tenon::ptx;

#include "dialects/Ptx/PtxDialect.cpp.inc"

void PtxDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Ptx/Ptx.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dialects/Ptx/Ptx.cpp.inc"
