// The dialect's types and the verifiers of its ops.
#include "dialects/Warp/Warp.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

#define GET_ATTRDEF_CLASSES
#include "dialects/Warp/WarpAttrs.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Warp/WarpTypes.cpp.inc"

#include "dialects/Warp/WarpDialect.cpp.inc"

void WarpDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/Warp/WarpTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Warp/WarpAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Warp/Warp.cpp.inc"
      >();
}

//===--- types ---------------------------------------------------------------------------------------------------===//

Type SmemType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type element;
  int64_t swizzle = 0;
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseDimensionList(shape, /*allowDynamic=*/false) || parser.parseType(element) ||
      parser.parseComma() || parser.parseInteger(swizzle) || parser.parseGreater())
    return {};
  return parser.getChecked<SmemType>(location, parser.getContext(), shape, element, swizzle);
}

void SmemType::print(AsmPrinter &printer) const {
  printer << '<';
  for (int64_t size : getShape())
    printer << size << 'x';
  printer << getElementType() << ", " << getSwizzle() << '>';
}

LogicalResult SmemType::verify(llvm::function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> shape,
                               Type element, int64_t swizzle) {
  if (shape.size() != 2 || !isa<FloatType, IntegerType>(element))
    return emitError() << "a tile in shared memory has two dimensions of floats or integers";
  if (!llvm::is_contained({16, 32, 64, 128}, swizzle))
    return emitError() << "the swizzle spans " << swizzle << " bytes, expected 16, 32, 64 or 128";
  int64_t rowBytes = shape[1] * std::max<int64_t>(1, heldTypeOf(element).getIntOrFloatBitWidth() / 8);
  if (rowBytes % swizzle != 0)
    return emitError() << "rows of " << rowBytes << " bytes are no multiple of the swizzle's span, " << swizzle;
  return success();
}

int64_t SmemType::getBytes() const { return llvm::alignTo(getShape()[0] * getShape()[1] * getElementBytes(), 1024); }

int64_t SmemType::offsetOf(int64_t row, int64_t column) const {
  int64_t span = getSwizzle(), at = column * getElementBytes(), line = row * span;
  int64_t slab = at / span, chunk = at % span / 16;
  return slab * getShape()[0] * span + line + (chunk ^ (line / 128 % (span / 16))) * 16 + at % 16;
}

int64_t SmemType::widestSwizzle(int64_t rowBytes) {
  for (int64_t span : {128, 64, 32})
    if (rowBytes % span == 0)
      return span;
  return 16;
}

LogicalResult RingType::verify(llvm::function_ref<InFlightDiagnostic()> emitError, int64_t depth,
                               ArrayRef<SmemType> tiles) {
  if (depth < 1 || tiles.empty())
    return emitError() << "a ring of " << depth << " slots of " << tiles.size()
                       << " tiles, expected at least 1 of each";
  return success();
}

int64_t RingType::getSlotBytes() const {
  int64_t bytes = 0;
  for (SmemType tile : getTiles())
    bytes += tile.getBytes();
  return bytes;
}

//===--- ops -----------------------------------------------------------------------------------------------------===//

static LogicalResult checkSlot(Operation *op, RingType ring, TypeRange slot) {
  if (llvm::equal(slot, ring.getTiles()))
    return success();
  return op->emitOpError("(C1) gives ") << slot << ", expected the tiles of " << ring;
}

static LogicalResult checkNumber(Operation *op, Value number, unsigned constraint) {
  std::optional<int64_t> known = getConstantIntValue(number);
  if (!known || *known >= 0)
    return success();
  return op->emitOpError("(C") << constraint << ") has transfer " << *known << ", expected a number from 0 on";
}

LogicalResult RingCreateOp::verify() {
  if ((*this)->getParentOfType<tile::KernelOp>())
    return success();
  return emitOpError("(C1) stands outside of a tile.kernel");
}
LogicalResult RingAcquireOp::verify() {
  if (failed(checkSlot(*this, getRing().getType(), getSlot().getTypes())))
    return failure();
  return checkNumber(*this, getNumber(), 2);
}
LogicalResult RingCommitOp::verify() { return checkNumber(*this, getNumber(), 1); }
LogicalResult RingReleaseOp::verify() { return checkNumber(*this, getNumber(), 1); }
LogicalResult RingWaitOp::verify() {
  if (failed(checkSlot(*this, getRing().getType(), getSlot().getTypes())))
    return failure();
  int64_t ahead = getAhead(), depth = getRing().getType().getDepth();
  if (ahead < 0 || ahead >= depth)
    return emitOpError("(C2) lets ") << ahead << " transfers run ahead, expected less than the " << depth << " slots";
  return checkNumber(*this, getNumber(), 3);
}

LogicalResult CopyOp::verify() {
  tile::ViewType view = getView().getType();
  SmemType target = getTarget().getType();
  if (int64_t(getPlace().size()) != view.getRank() || view.getRank() < int64_t(target.getShape().size()))
    return emitOpError("(C1) has ") << getPlace().size() << " places in " << view << " for " << target;
  if (view.getElementType() != target.getHeldType())
    return emitOpError("(C2) copies ") << view.getElementType() << " to " << target;
  if (getWithin() && int64_t(getWithin()->size()) != view.getRank())
    return emitOpError("(C3) says of ") << getWithin()->size() << " dimensions that they are kept, expected "
                                        << view.getRank();
  if (std::optional<ArrayRef<int64_t>> rows = getRows()) {
    auto isWhole = [](int64_t number) { return number >= 0 && number % SmemType::rowsOfSwizzle == 0; };
    if (rows->size() != 2 || !llvm::all_of(*rows, isWhole) || (*rows)[0] + (*rows)[1] > target.getShape()[0] ||
        getMulticast())
      return emitOpError("(C5) copies the rows [")
             << *rows << "] of " << target.getShape()[0] << ", expected a first one and a number, multiples of "
             << SmemType::rowsOfSwizzle << ", and no multicast";
  }
  if (!getMulticast())
    return success();
  auto kernel = (*this)->getParentOfType<tile::KernelOp>();
  auto cluster = kernel ? kernel->getAttrOfType<ClusterAttr>("warp.cluster") : ClusterAttr();
  if (!cluster || !isByProducer(*this))
    return emitOpError("(C4) is multicast outside of warp.produce or without `warp.cluster` on the kernel");
  int64_t part = cluster.getSize() * SmemType::rowsOfSwizzle;
  if (target.getShape()[0] % part != 0)
    return emitOpError("(C4) brings ") << target.getShape()[0] << " rows by " << cluster.getSize()
                                       << " CTAs, expected a multiple of " << part;
  return success();
}

SmemType CopyOp::getCopied() {
  SmemType tile = getTarget().getType();
  if (!getRows())
    return tile;
  return SmemType::get(getContext(), {(*getRows())[1], tile.getShape()[1]}, tile.getElementType(), tile.getSwizzle());
}

bool tenon::warp::isByProducer(Operation *op) {
  return op->getParentOfType<ProduceOp>() || op->getParentOfType<EarlyOp>();
}

static LogicalResult verifyProduced(Operation *op) {
  if (!isa_and_nonnull<tile::GridOp>(op->getParentOp()))
    return op->emitOpError("(C1) stands in ") << op->getParentOp()->getName() << ", expected tile.grid";
  WalkResult result = op->walk([&](RingAcquireOp acquire) -> WalkResult {
    auto ring = acquire.getRing().getDefiningOp<RingCreateOp>();
    if (ring && ring.getTransfers())
      return WalkResult::advance();
    return op->emitOpError("(C2) fills a ring that does not say its `transfers`");
  });
  if (result.wasInterrupted())
    return failure();
  WalkResult crossing = op->walk([&](Operation *inner) -> WalkResult {
    for (Value operand : inner->getOperands())
      if (isa<RankedTensorType, SmemType>(operand.getType()) &&
          !op->isAncestor(operand.getParentBlock()->getParentOp())) {
        auto error = op->emitOpError("(C3) takes ") << operand.getType() << " from outside, where other warps compute; "
                                                    << "expected indices, views and rings alone from there";
        error.attachNote(inner->getLoc()) << "by " << inner->getName();
        return error;
      }
    return success();
  });
  return failure(crossing.wasInterrupted());
}
LogicalResult ProduceOp::verify() { return verifyProduced(*this); }
LogicalResult EarlyOp::verify() { return verifyProduced(*this); }
LogicalResult RingIsEarlyOp::verify() {
  if (!(*this)->getParentOfType<ProduceOp>())
    return emitOpError("(C1) stands outside of warp.produce");
  return success();
}

static LogicalResult checkSame(Operation *op, ShapedType tile, ArrayRef<int64_t> shape, Type element, Type other) {
  if (tile.getShape() == shape && tile.getElementType() == element)
    return success();
  return op->emitOpError("(C1) has ") << tile << " and " << other << ", expected equal shapes and element types";
}

LogicalResult StageOp::verify() {
  SmemType target = getTarget().getType();
  return checkSame(*this, getTile().getType(), target.getShape(), target.getHeldType(), target);
}
LogicalResult ReadOp::verify() {
  SmemType source = getSource().getType();
  return checkSame(*this, getTile().getType(), source.getShape(), source.getHeldType(), source);
}
SmallVector<StoreSlab> tenon::warp::storeSlabsOf(RankedTensorType tile) {
  LayoutAttr layout = layoutOf(tile);
  int64_t bits = tile.getElementType().isIntOrFloat() ? tile.getElementTypeBitWidth() : 0, bytes = bits / 8;
  if (!layout || tile.getRank() != 2 || bits < 8)
    return {};
  int64_t block[2] = {1, 1};
  for (int64_t dim : {0, 1}) {
    SmallVector<Digit> digits = layout.getDim(dim);
    ArrayRef<Digit> inner(digits);
    while (!inner.empty() && inner.front().kind == DigitKind::Warp)
      inner = inner.drop_front();
    // Eight rows of lanes, four lanes with two columns each; registers count through the rest.
    SmallVector<Digit> last{lanes(8, 4)};
    if (dim == 1)
      last = {lanes(4), registers(2)};
    if (layout.getReach(dim) != tile.getDimSize(dim) || inner.size() < last.size())
      return {};
    for (const Digit &digit : inner)
      block[dim] *= digit.size;
    for (Digit &digit : last)
      digit.dim = dim;
    ArrayRef<Digit> registerDigits = inner.drop_back(last.size());
    if (!llvm::equal(inner.take_back(last.size()), last) ||
        llvm::any_of(registerDigits, [](const Digit &digit) { return digit.kind != DigitKind::Register; }))
      return {};
  }
  auto [rows, columns] = block;
  if (rows % 16 != 0 || columns % 16 != 0 || columns * bytes % 32 != 0)
    return {};
  SmallVector<StoreSlab> slabs;
  for (int64_t start = 0, span = 128; start < columns; start += span / bytes) {
    while (span > (columns - start) * bytes)
      span /= 2;
    slabs.push_back({start, SmemType::get(tile.getContext(), {rows, span / bytes}, tile.getElementType(), span)});
  }
  return slabs;
}

LogicalResult StoreOp::verify() {
  RankedTensorType tile = getTile().getType();
  tile::ViewType view = getView().getType();
  if (tile.getRank() != 2 || int64_t(getPlace().size()) != view.getRank() || view.getRank() < 2 ||
      tile.getElementType() != view.getElementType())
    return emitOpError("(C1) stores ")
           << tile << " at " << getPlace().size() << " places of " << view
           << ", expected two dimensions, a place for each of the view, and its element type";
  if (storeSlabsOf(tile).empty())
    return emitOpError("(C2) stores ")
           << tile
           << ", expected an accumulator's layout with whole blocks of 16 rows and 32 bytes "
              "of columns a warp";
  if (getSlots() < 1)
    return emitOpError("(C3) has ") << getSlots() << " slots, expected at least 1";
  return success();
}

static LogicalResult verifyTurns(Operation *op) {
  auto kernel = op->getParentOfType<tile::KernelOp>();
  auto schedule = kernel ? kernel->getAttrOfType<ScheduleAttr>("warp.schedule") : ScheduleAttr();
  if (!schedule || !schedule.getTurns())
    return op->emitOpError("(C1) stands in a kernel without turns, expected `warp.schedule` with `turns = true`");
  if (isByProducer(op))
    return op->emitOpError("(C1) stands in warp.produce, expected it beside: the producer takes no turns");
  return success();
}
LogicalResult TurnWaitOp::verify() { return verifyTurns(*this); }
LogicalResult TurnPassOp::verify() { return verifyTurns(*this); }

LogicalResult PartialReduceOp::verify() {
  RankedTensorType tile = getTile().getType(), result = getResult().getType();
  int64_t axis = getAxis();
  if (axis < 0 || axis >= tile.getRank())
    return emitOpError("(C1) axis is ") << axis << ", expected a dimension of " << tile;
  SmallVector<int64_t> shape(tile.getShape());
  if (LayoutAttr layout = layoutOf(tile))
    shape[axis] = layout.dropRegisters(axis).getReach(axis);
  else if (result.getRank() == tile.getRank())
    shape[axis] = result.getDimSize(axis);
  if (result.getShape() == ArrayRef(shape) && result.getElementType() == tile.getElementType())
    return success();
  return emitOpError("(C2) gives ") << result << ", expected " << RankedTensorType::get(shape, tile.getElementType());
}

LogicalResult RelayoutOp::verify() {
  RankedTensorType result = getResult().getType();
  return checkSame(*this, getTile().getType(), result.getShape(), result.getElementType(), result);
}

OpFoldResult RelayoutOp::fold(FoldAdaptor) {
  return getTile().getType() == getResult().getType() ? OpFoldResult(getTile()) : OpFoldResult();
}

static Type elementOf(Type tile) {
  auto smem = dyn_cast<SmemType>(tile);
  return smem ? smem.getElementType() : cast<RankedTensorType>(tile).getElementType();
}

bool warp::DotOp::isWidening() {
  return elementOf(getLhs().getType()).isF16() && isa<Float8E4M3FNType, Float8E5M2Type>(elementOf(getRhs().getType()));
}

/// (C9)
static LogicalResult checkWidening(warp::DotOp op, int64_t columnsOfWarp) {
  auto atom = dyn_cast<MmaSyncAttr>(Attribute(op.getAtom()));
  int64_t depth = op.getTransposeB() ? 32 : 16;
  if (!atom || atom.getK() != depth || !isa<RankedTensorType>(op.getLhs().getType()) ||
      (!op.getTransposeB() && columnsOfWarp % 16 != 0))
    return op.emitOpError("(C9) widens ")
           << op.getRhs().getType() << " by " << op.getAtom() << " beside " << op.getLhs().getType() << " for "
           << columnsOfWarp << " columns a warp, expected #warp.mma_sync of a depth of " << depth
           << ", a fragment and blocks of 16 columns";
  return success();
}

LogicalResult warp::DotOp::verify() {
  auto shapeOf = [](Type type) {
    auto smem = dyn_cast<SmemType>(type);
    return smem ? smem.getShape() : cast<RankedTensorType>(type).getShape();
  };
  Type lhs = getLhs().getType(), rhs = getRhs().getType();
  LayoutAttr fragment = layoutOf(lhs);
  if (!isa<SmemType>(rhs) || (!isa<SmemType>(lhs) && (!fragment || getTransposeA())))
    return emitOpError("(C1) multiplies ")
           << lhs << " with " << rhs << ", expected tiles in shared memory, or a fragment on the left";
  ArrayRef<int64_t> l = shapeOf(lhs), r = shapeOf(rhs), sum = getAccumulator().getType().getShape();
  if (l.size() != 2 || r.size() != 2 || sum.size() != 2)
    return emitOpError("(C2) multiplies ") << lhs << " with " << rhs << ", expected two dimensions each";
  int64_t m = l[getTransposeA() ? 1 : 0], k = l[getTransposeA() ? 0 : 1];
  int64_t n = r[getTransposeB() ? 0 : 1], k2 = r[getTransposeB() ? 1 : 0];
  if (k != k2 || sum[0] != m || sum[1] != n || k % getAtom().getDepth() != 0)
    return emitOpError("(C2) multiplies ")
           << lhs << " with " << rhs << " into " << getAccumulator().getType()
           << ", expected M x K, K x N and M x N, K a multiple of " << getAtom().getDepth();
  LayoutAttr layout = layoutOf(getAccumulator());
  int64_t warpsM = 1, warpsN = 1;
  if (layout)
    for (const Digit &digit : layout.getDigits())
      if (digit.kind == DigitKind::Warp)
        (digit.dim == 0 ? warpsM : warpsN) *= digit.size;
  int64_t blockRows = getAtom().getRows();
  if (m % (blockRows * warpsM) != 0 || n % (8 * warpsN) != 0)
    return emitOpError("(C7) gives ") << warpsM << " x " << warpsN << " warps " << m << " x " << n
                                      << " results, expected a multiple of " << blockRows << " x 8 for each";
  auto schedule = ScheduleAttr::get(getContext(), warpsM, warpsN, 1, false, false, false, 1, false, 1, 1, 0, 1);
  bool isWidened = isWidening();
  if (isWidened && failed(checkWidening(*this, n / warpsN)))
    return failure();
  LayoutAttr expected = schedule.accumulatorLayout(m, n, isWidened && !getTransposeB() ? 4 : 2);
  if (!layout || layout != expected)
    return emitOpError("(C3) accumulates in ") << getAccumulator().getType() << ", expected layout " << expected;
  if (fragment && fragment != LayoutAttr::get(getContext(), getAtom().lhsDigits(m, k, warpsM, warpsN)))
    return emitOpError("(C1) has a left fragment of layout ") << fragment << ", which is not the atom's";
  Type element = elementOf(lhs), added = getAccumulator().getType().getElementType();
  if (fragment && element.isF32() && elementOf(rhs).isTF32())
    element = elementOf(rhs);
  bool isSum = element.isInteger() ? added.isInteger(32) : element.isF64() ? added.isF64() : added.isF32();
  bool areAlike = element == elementOf(rhs) ||
                  (element.getIntOrFloatBitWidth() == 8 && isa<FloatType>(element) && isa<FloatType>(elementOf(rhs)));
  bool isTaken = isWidened || (getAtom().takes(element) && getAtom().takes(elementOf(rhs)) && areAlike);
  if (!isTaken || !isSum)
    return emitOpError("(C4) multiplies ")
           << element << " with " << elementOf(rhs) << " into " << added << " by " << getAtom()
           << ", expected operands of one type that it takes, and i32, f64 or f32 for their sum";
  auto wgmma = dyn_cast<WgmmaAttr>(Attribute(getAtom()));
  if (wgmma && wgmma.getK() != 16 && (getTransposeA() || !getTransposeB()))
    return emitOpError("(C8) reads ") << element << " across its depth, which " << getAtom() << " does not do";
  bool isWgmma = bool(wgmma);
  if (isWgmma && (m != 16 * warpsM || warpsM % 4 != 0 || warpsN != 1 || n > 256))
    return emitOpError("(C5) multiplies ")
           << m << " rows with " << n << " columns by " << warpsM << " x " << warpsN
           << " warps, expected 16 rows a warp, whole warpgroups and at most 256 columns";
  if (getAsync() && !isWgmma)
    return emitOpError("(C6) is async by ") << getAtom() << ", expected #warp.wgmma";
  return success();
}

LogicalResult DotWaitOp::verify() {
  if (int64_t(getPending()) >= 0)
    return success();
  return emitOpError("(C1) leaves ") << int64_t(getPending()) << " dots under way, expected at least 0";
}

#define GET_OP_CLASSES
#include "dialects/Warp/Warp.cpp.inc"
