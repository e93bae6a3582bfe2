#include "dialects/Tenon/Tenon.h"
#include "dialects/Tenon/CanonicalPatterns.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon;

#include "dialects/Tenon/TenonDialect.cpp.inc"
#include "dialects/Tenon/TenonEnums.cpp.inc"
#include "dialects/Tenon/TenonInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Tenon/TenonAttrs.cpp.inc"

void TenonDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Tenon/TenonAttrs.cpp.inc"
      >();
  addActivations();
  addContractions();
  addKernels();
  addPointwise();
  addQuantisation();
  addRows();
  addShapes();
}

void TenonDialect::getCanonicalizationPatterns(RewritePatternSet &patterns) const {
  addPointwisePatterns(patterns);
  addBroadcastPatterns(patterns);
  addCastPatterns(patterns);
}

Operation *TenonDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location location) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || elements.getType() != type)
    return nullptr;
  return ConstantOp::create(builder, location, type, elements);
}
