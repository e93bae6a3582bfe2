// What attributes written by hand may say.
#include "dialects/Tenon/Tenon.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tenon;

using EmitError = llvm::function_ref<InFlightDiagnostic()>;

static LogicalResult checkLanes(EmitError emitError, int64_t lanes) {
  if (lanes >= 1 && lanes <= 64 && llvm::isPowerOf2_64(lanes))
    return success();
  return emitError() << "lanes is " << lanes << ", expected a power of two from 1 to 64";
}

static LogicalResult checkMultiple(EmitError emitError, StringRef what, int64_t size, StringRef unit, int64_t of) {
  if (of >= 1 && size >= of && size % of == 0)
    return success();
  return emitError() << what << " is " << size << ", expected a multiple of " << unit << " = " << of;
}

LogicalResult SizeConditionAttr::verify(EmitError emitError, SizeRelation, AffineMapAttr sizes, StringRef) {
  if (sizes.getValue().getNumResults() == 2 && sizes.getValue().getNumDims() == 0)
    return success();
  return emitError() << "sizes are " << sizes << ", expected a map of symbols alone with two results";
}

LogicalResult CpuLoopsAttr::verify(EmitError emitError, int64_t lanes) { return checkLanes(emitError, lanes); }

LogicalResult CpuGemmAttr::verify(EmitError emitError, int64_t rows, int64_t columns, int64_t lanes, int64_t chunk) {
  if (failed(checkLanes(emitError, lanes)) || failed(checkMultiple(emitError, "columns", columns, "lanes", lanes)))
    return failure();
  return checkMultiple(emitError, "chunk", chunk, "rows", rows);
}

LogicalResult CpuAttentionAttr::verify(EmitError emitError, int64_t queries, int64_t keys, int64_t lanes,
                                       int64_t chunk) {
  if (failed(checkLanes(emitError, lanes)) || failed(checkMultiple(emitError, "keys", keys, "lanes", lanes)))
    return failure();
  return checkMultiple(emitError, "chunk", chunk, "queries", queries);
}
