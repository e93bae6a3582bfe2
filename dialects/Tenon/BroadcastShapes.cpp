#include "dialects/Tenon/BroadcastShapes.h"

#include "dialects/Tenon/Tenon.h"

using namespace mlir;

namespace tenon {

AffineExpr known(AffineExpr a, AffineExpr b) { return constant(b) ? b : a; }

LogicalResult broadcastInto(ShapeRule &rule, StringRef number, Shape &shape, ArrayRef<AffineExpr> next,
                            StringRef what) {
  if (shape.size() < next.size())
    shape.insert(shape.begin(), next.size() - shape.size(), rule.size(1));
  for (unsigned back = 1; back <= next.size(); ++back) {
    AffineExpr &mine = shape[shape.size() - back];
    AffineExpr theirs = next[next.size() - back];
    if (constant(theirs) == 1)
      continue;
    if (constant(mine) != 1 && !rule.mayEqual(mine, theirs))
      return rule.fail(number, " cannot broadcast ", describe(theirs), " of ", what, " with ", describe(mine),
                       " in result dimension ", shape.size() - back, "; sizes must be equal or 1");
    mine = constant(mine) == 1 ? theirs : known(mine, theirs);
  }
  return success();
}

bool broadcastsTo(ShapeRule &rule, ArrayRef<AffineExpr> small, ArrayRef<AffineExpr> shape) {
  if (small.size() > shape.size())
    return false;
  return llvm::all_of(llvm::zip_equal(small, shape.take_back(small.size())), [&](auto pair) {
    auto [mine, theirs] = pair;
    return constant(mine) == 1 || rule.mayEqual(mine, theirs);
  });
}

LogicalResult inferSameType(ShapeRule &rule, Value input) { return rule.result(rule.shape(input), elementOf(input)); }

LogicalResult checkElement(ShapeRule &rule, StringRef number, StringRef what, Value tensor, Value like) {
  if (elementOf(tensor) == elementOf(like))
    return success();
  return rule.fail(number, " ", what, " has element type ", elementOf(tensor), ", expected ", elementOf(like));
}

LogicalResult checkAxis(ShapeRule &rule, StringRef number, int64_t axis, int64_t rank) {
  if (axis >= 0 && axis < rank)
    return success();
  return rule.fail(number, " axis is ", axis, ", expected 0 <= axis < rank ", rank);
}

LogicalResult checkShape(ShapeRule &rule, StringRef number, StringRef what, Value tensor,
                         ArrayRef<AffineExpr> expected) {
  Shape got = rule.shape(tensor);
  if (rule.mayEqual(got, expected))
    return success();
  return rule.fail(number, " ", what, " has shape ", describe(got), ", expected ", describe(expected));
}

LogicalResult checkEntries(ShapeRule &rule, StringRef number, StringRef what, ArrayRef<int64_t> entries, size_t count,
                           int64_t least) {
  if (entries.size() != count)
    return rule.fail(number, " ", what, " has ", entries.size(), " entries, expected ", count);
  for (int64_t entry : entries)
    if (entry < least)
      return rule.fail(number, " ", what, " has an entry ", entry, ", expected at least ", least);
  return success();
}

FailureOr<AffineExpr> windowCount(ShapeRule &rule, StringRef number, AffineExpr size, AffineExpr window, int64_t stride,
                                  int64_t padding, int64_t dilation) {
  AffineExpr room = size + 2 * padding - ((window - 1) * dilation + 1);
  if (!rule.mayBeAtMost(rule.size(0), room))
    return rule.fail(number, " window ", describe(window), " with dilation ", dilation, " does not fit into ",
                     describe(size), " with padding ", padding);
  return room.floorDiv(stride) + 1;
}

LogicalResult resultOfSizes(ShapeRule &rule, StringRef number, ValueRange sizes,
                            function_ref<AffineExpr(unsigned)> otherwise) {
  RankedTensorType type = rule.declared(0);
  if (!sizes.empty() && sizes.size() != type.getNumDynamicDims())
    return rule.fail(number, " has ", sizes.size(), " sizes, expected one for each of the ", type.getNumDynamicDims(),
                     " dynamic dimensions of ", type);
  for (Value size : sizes)
    if (cast<RankedTensorType>(size.getType()).getRank() != 0)
      return rule.fail(number, " a size is ", size.getType(), ", expected tensor<i64>");
  Shape shape;
  unsigned next = 0;
  for (int64_t dimension : llvm::seq<int64_t>(type.getRank())) {
    if (!type.isDynamicDim(dimension)) {
      shape.push_back(rule.size(type.getDimSize(dimension)));
    } else if (!sizes.empty()) {
      shape.push_back(rule.held(sizes[next++]));
      rule.ask(SizeRelation::AtMost, rule.size(0), shape.back());
    } else if (AffineExpr size = otherwise(dimension)) {
      shape.push_back(size);
    } else {
      return rule.fail(number, " has no size for the dynamic dimension ", dimension, " of ", type,
                       "; give one rank-0 i64 tensor for each dynamic dimension");
    }
  }
  return rule.result(shape, type.getElementType());
}

} // namespace tenon
