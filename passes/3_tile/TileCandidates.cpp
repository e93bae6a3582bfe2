#include "passes/3_tile/TileCandidates.h"

#include "dialects/Tile/Tile.h"
#include "passes/3_tile/ResultDimensions.h"
#include "passes/3_tile/SumReader.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"

#include <numeric>

using namespace mlir;
using namespace tenon;

static int64_t sizeOf(int64_t size) { return ShapedType::isDynamic(size) ? -1 : size; }

static int64_t productOf(ArrayRef<int64_t> sizes, ArrayRef<unsigned> loops) {
  int64_t product = 1;
  for (unsigned loop : loops)
    product = product < 0 || ShapedType::isDynamic(sizes[loop]) ? -1 : product * sizes[loop];
  return product;
}

static int64_t bitsOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getElementType().getIntOrFloatBitWidth();
}

static bool isFloat8(Value tensor) {
  return isa<Float8E4M3FNType, Float8E5M2Type>(getElementTypeOrSelf(tensor.getType()));
}

static std::string microseconds(double seconds) { return llvm::formatv("{0:F1} us", seconds * 1e6).str(); }

static std::string splitsOf(const GemmTile &tile) {
  if (tile.splits == 1)
    return "";
  const char *who = tile.isJoined ? ", joined" : tile.isByLast ? ", added up by the last" : "";
  return llvm::formatv(" in {0} splits{1}", tile.splits, who).str();
}

/// Whether Tensor Cores may multiply f32 as tf32: they take elements of 32 bits along the depth alone.
static bool isTf32(ContractionKernel &product, bool tf32) {
  AffineExpr depth = getAffineDimExpr(product.depth, product.op.getContext());
  auto isAlongDepth = [&](AffineMap map) { return map.getNumResults() > 0 && map.getResults().back() == depth; };
  return tf32 && getElementTypeOrSelf(product.rhsTensor().getType()).isF32() && isAlongDepth(product.lhsMap()) &&
         isAlongDepth(product.rhsMap());
}

/// Over how many elements of its depth a product adds up before that is added to the sum by itself; 0: all. A sum of
/// f32 by multiply-adds is one chain else, of which cuBLAS has several: MiniLM's error was 1.33 times PyTorch's.
static int64_t promotedDepth(ContractionKernel &product, bool tf32) {
  constexpr int64_t block = 128;
  bool isF32 = getElementTypeOrSelf(product.rhsTensor().getType()).isF32() && !isTf32(product, tf32);
  int64_t depth = product.staticDepth();
  // Blocks are sums of their own by what the kernel says.
  if (product.blocks || !(isFloat8(product.rhsTensor()) || (isF32 && (ShapedType::isDynamic(depth) || depth > block))))
    return 0;
  return block;
}

/// As simple instructions; conversions are none. What is rounded to 16 bits has short forms (ThreadApproximations.cpp):
/// an erfc is mostly a gelu's.
static int64_t costOf(Operation &op, bool isApproximate) {
  return TypeSwitch<Operation *, int64_t>(&op)
      .Case<math::ErfOp, math::ErfcOp>([&](auto) { return isApproximate ? 9 : 20; })
      .Case<math::ExpOp>([](auto) { return 4; })
      .Case<arith::DivFOp>([](auto) { return 8; })
      .Case<CastOpInterface>([](auto) { return 0; })
      .Default([](Operation *op) {
        return op->hasTrait<OpTrait::ConstantLike>() || op->hasTrait<OpTrait::IsTerminator>() ? 0 : 1;
      });
}

/// Of each result, behind the product.
static int64_t opsBehind(KernelOp kernel, ContractionKernel &product) {
  int64_t ops = 0;
  bool isApproximate = bitsOf(kernel.getYielded().front()) <= 16;
  for (Operation *op = product.op->getNextNode(); op; op = op->getNextNode())
    if (auto generic = dyn_cast<linalg::GenericOp>(op))
      for (Operation &scalar : *generic.getBody())
        ops += costOf(scalar, isApproximate);
  return ops;
}

/// Whether an element of its own is read for each result, behind the product.
static bool readsBehind(ContractionKernel &product) {
  auto isRead = [](Value tensor) {
    while (isa_and_nonnull<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(tensor.getDefiningOp()))
      tensor = tensor.getDefiningOp()->getOperand(0);
    return isa<BlockArgument>(tensor);
  };
  for (Operation *op = product.op->getNextNode(); op; op = op->getNextNode())
    if (auto generic = dyn_cast<linalg::GenericOp>(op))
      for (OpOperand *operand : generic.getDpsInputOperands())
        if (isRead(operand->get()) && generic.getMatchingIndexingMap(operand).getNumResults() == generic.getNumLoops())
          return true;
  return false;
}

GemmShape tenon::gemmShapeOf(KernelOp kernel, ContractionKernel product, bool tf32) {
  SmallVector<int64_t> sizes = product.op.getStaticLoopRanges();
  // A program's rows are places of the innermost row dimension: the others are numbered.
  SmallVector<unsigned> numbered(product.batch);
  int64_t depth = sizeOf(product.staticDepth());
  if (product.blocks) {
    llvm::erase(numbered, product.block);
    int64_t count = sizeOf(sizes[product.block]);
    depth = count < 0 || depth < 0 ? -1 : count * depth;
  }
  if (!product.rows.empty())
    numbered.append(product.rows.begin(), product.rows.end() - 1);
  int64_t rows = product.rows.empty() ? 1 : sizeOf(sizes[product.rows.back()]);
  int64_t bits = bitsOf(product.rhsTensor());
  GemmShape shape{productOf(sizes, numbered),
                  rows,
                  sizeOf(product.staticColumns()),
                  depth,
                  bits,
                  bitsOf(kernel.getYielded().front()),
                  bits <= 16 || isTf32(product, tf32)};
  // Across their depth an instruction takes rows by 16.
  AffineExpr depthLoop = getAffineDimExpr(product.depth, kernel.getContext());
  shape.swappedRows = product.lhsMap().getResults().back() == depthLoop ? 8 : 16;
  shape.isInteger = getElementTypeOrSelf(product.rhsTensor().getType()).isInteger();
  shape.hasRows = !product.rows.empty();
  shape.opsBehind = std::max<int64_t>(0, opsBehind(kernel, product) - 1);
  shape.readsBehind = readsBehind(product);
  // Gates are parts of the product's columns (tenon-join-gates).
  auto gates = llvm::count_if(kernel.getBlock().getOps<tensor::ExtractSliceOp>(), [](tensor::ExtractSliceOp part) {
    return isa_and_nonnull<linalg::GenericOp>(part.getSource().getDefiningOp());
  });
  if (gates > 1 && shape.columns % gates == 0) {
    shape.products = gates;
    shape.columns /= gates;
  }
  if (product.blocks) {
    shape.depthBlock = product.staticDepth();
    shape.columnBlock = product.columnsPerScale();
  }
  return shape;
}

static SmallVector<TileCandidate> rankGemms(KernelOp kernel, ContractionKernel &product, const GpuArch &arch, bool tf32,
                                            int64_t refusals) {
  GemmShape shape = gemmShapeOf(kernel, product, tf32);
  const int64_t promote = promotedDepth(product, tf32);
  shape.isPromoted = product.blocks || promote > 0;
  shape.isAddedByReader = bool(findSumReader(kernel));
  std::vector<GemmCandidate> ranked = rankGemmTiles(shape, arch, refusals);
  SmallVector<TileCandidate> candidates;
  for (const GemmCandidate &candidate : ranked) {
    const GemmTile &tile = candidate.tile;
    auto gemm = tile::GemmAttr::get(kernel.getContext(), tile.rows, tile.columns, tile.depth, tile.splits, tile.parts,
                                    promote > 0 ? std::max(promote, tile.depth) : 0, tile.isSwapped, tile.isJoined,
                                    tile.isByLast);
    candidates.push_back(
        {gemm, candidate.reason + ", " + microseconds(candidate.seconds) + " by the model", candidate.seconds});
  }
  if (tf32 && shape.operandBits == 32 && !shape.isTensorCore)
    candidates.front().reason += "; by multiply-adds, for Tensor Cores take tf32 along the depth alone";
  if (ranked.size() > 1)
    candidates.front().reason +=
        llvm::formatv("; next of {0}: {1} x {2}{3}, {4}", ranked.size() - 1, ranked[1].tile.rows,
                      ranked[1].tile.columns, splitsOf(ranked[1].tile), microseconds(ranked[1].seconds));
  return candidates;
}

SmallVector<TileCandidate> tenon::rankTileSchedules(KernelOp kernel, const GpuArch &arch, bool tf32, int64_t refusals) {
  MLIRContext *context = kernel.getContext();
  if (std::optional<ContractionKernel> product = findProduct(kernel.getBlock()))
    return rankGemms(kernel, *product, arch, tf32, refusals);
  auto attentions = kernel.getBlock().getOps<AttentionOp>();
  if (!attentions.empty()) {
    AttentionOp op = *attentions.begin();
    auto query = cast<RankedTensorType>(op.getQuery().getType()), key = cast<RankedTensorType>(op.getKey().getType());
    int64_t keys = sizeOf(key.getDimSize(2));
    if (Value table = op.getBlockTable()) {
      int64_t pages = sizeOf(cast<RankedTensorType>(table.getType()).getDimSize(1));
      keys = keys < 0 || pages < 0 ? -1 : keys * pages;
    }
    TileAttentionShape shape{sizeOf(query.getDimSize(0)),
                             sizeOf(query.getDimSize(1)),
                             sizeOf(query.getDimSize(2)),
                             keys,
                             sizeOf(query.getDimSize(3)),
                             bitsOf(op.getQuery()),
                             op.getCausal(),
                             op.getWindow() || op.getMask()};
    auto [tile, reason] = chooseAttentionTile(shape, arch, refusals);
    // A tile of keys is made of whole pages or within one, and no dot has fewer than 16 of them.
    int64_t page = op.getBlockTable() ? sizeOf(key.getDimSize(2)) : -1;
    if (page > 0 && page % 16 == 0 && tile.keys % page != 0)
      tile.keys = page < tile.keys ? tile.keys / page * page : std::gcd(tile.keys, page);
    // Pages are put side by side by copies into a ring, and without a second turn there is none.
    if (page > 0 && page % 16 == 0 && keys >= 0 && keys <= tile.keys * tile.splits)
      tile.keys = std::min(tile.keys, page);
    auto maximum = tile.byFirst ? tile::Maximum::First : tile::Maximum::Lazy;
    return {{tile::AttentionAttr::get(context, tile.queries, tile.keys, tile.splits, maximum), reason}};
  }
  auto [tile, reason] = chooseRowTile(rowShapeOf(kernel), arch);
  return {{tile::RowAttr::get(context, tile.rows, tile.columns, tile.part, tile.splits), reason}};
}
