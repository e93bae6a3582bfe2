// A program on tiles as the code of one thread. Each op is expanded by its layouts alone: a fragment becomes the values
// of the registers that its layout gives a thread, a tile in shared memory an address. Nothing is decided here: what a
// program does, and in which layouts, stands in the IR.
#pragma once

#include "dialects/Warp/Warp.h"
#include "lib/Analysis/SharedMemory.h"
#include "lib/Schedule/GpuArch.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tenon {

/// A place along one dimension: what depends on the thread (an i32, null: nothing), below `bound`, plus a constant.
struct ThreadPlace {
  mlir::Value thread;
  int64_t bound = 1, known = 0;
};

/// A view's memory: element (i, j, ..) lies at `base + i * strides[0] + j * strides[1] ..`, counted in elements.
struct ThreadView {
  mlir::Value base;
  llvm::SmallVector<mlir::OpFoldResult> sizes, strides;
  int64_t offsetDivisor = 0; ///< divides how far `base` is from 16-byte aligned memory, in elements; 0: it is aligned
  bool isReadOnly = false;
};

/// Elements of a tile in registers. Positions are i32: see `limitSizes`.
inline mlir::Type registerType(mlir::Type element) {
  return element.isIndex() ? mlir::Type(mlir::IntegerType::get(element.getContext(), 32)) : element;
}

class ThreadEmitter {
public:
  ThreadEmitter(tile::KernelOp kernel, const GpuArch &arch, mlir::ImplicitLocOpBuilder &b);
  /// The thread's function at the builder's place; an error on the op that has no form.
  mlir::LogicalResult emit();
  mlir::LLVM::LLVMFuncOp getFunction() const { return function; }

private:
  //===--- structure (ThreadEmitter.cpp), arithmetic (ThreadArithmetic.cpp), programs (ThreadFunction.cpp) ---===//
  mlir::LogicalResult emitBlock(mlir::Block &block);
  mlir::LogicalResult emitOp(mlir::Operation *op);
  mlir::LogicalResult emitFor(mlir::scf::ForOp op);
  mlir::LogicalResult emitIf(mlir::scf::IfOp op);
  mlir::LogicalResult emitUnlikely(tile::UnlikelyOp op);
  mlir::LogicalResult emitPointwise(mlir::Operation *op);
  /// A function of f32 in a few instructions, where that is exact enough; null: as it stands.
  mlir::Value approximate(mlir::Operation *op, llvm::ArrayRef<mlir::Value> operands);
  mlir::LogicalResult emitScalar(mlir::Operation *op);
  void emitGrid(tile::GridOp grid, mlir::Value number);
  llvm::SmallVector<mlir::Value> gridExtents(tile::GridOp grid);
  void emitOrderedGrid(tile::GridOp grid, warp::OrderAttr order, mlir::Value number);
  //===--- a producer beside the other warps, many programs a CTA (ThreadRoles.cpp) ---===//
  enum class Role { All, Producer, Consumer };
  mlir::LogicalResult limitSizes(int64_t numDims);
  mlir::LogicalResult emitRoles(tile::GridOp grid);
  mlir::LogicalResult emitEarly(tile::GridOp grid);
  void awaitLaunchAhead();
  mlir::LogicalResult emitPrograms(tile::GridOp grid, Role role);
  /// Program `number`; the transfers of each produced ring, then the heads of lists, before and after it.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> emitProgram(tile::GridOp grid, mlir::Value number,
                                                              mlir::ValueRange before);
  /// Of CTAs that take programs as they get free: the number of the next one.
  mlir::Value nextProgram(mlir::Value round);
  //===--- what programs need seldom, behind them all (ThreadRedo.cpp) ---===//
  mlir::LogicalResult emitRedo(tile::RedoOp op);
  void putOff(tile::RedoOp op);
  mlir::LogicalResult emitPutOff(tile::GridOp grid, mlir::ValueRange heads);
  llvm::SmallVector<mlir::Value> emptyLists();
  /// Words of the workspace: the counter that CTAs take programs from, then links for each tile.redo.
  mlir::AffineExpr scratchWords(mlir::AffineExpr programs);
  mlir::Value workspace() { return function.getArgument(function.getNumArguments() - tensorMaps.size() - 1); }
  mlir::Value linkOf(tile::RedoOp op, mlir::Value number, mlir::Value warp);
  void emitTurn(bool isWait, mlir::Value group);
  mlir::Value warpgroup() { return team ? team : digitValue(warp::warps(schedule.getNumWarps() / 4, 4)); }
  llvm::SmallVector<warp::RingCreateOp> producedRings();
  mlir::LogicalResult planTensorMaps();
  void initBarriers();
  /// A transfer of a produced ring: its slot's barriers, and the parity of its phase.
  struct Transfer {
    mlir::Value full, empty, parity;
  };
  Transfer transferOf(mlir::Value ring, mlir::Value number);
  mlir::Value transfersOf(warp::RingCreateOp ring);
  warp::SmemType boxOf(warp::CopyOp copy);
  void clusterBarrier();
  void awaitPeers();
  mlir::Value perCluster(mlir::Value number);
  mlir::Value countOf(tile::GridOp grid);
  mlir::Value nextTeam(tile::GridOp grid);
  bool isTeam() const { return role == Role::Consumer && team; }
  mlir::Value ofTeam(int64_t offset, int64_t bytes);
  int64_t numReaders();
  void arriveAtEmpty(mlir::Value empty);
  mlir::Value numberOf(mlir::Value ring, mlir::Value number);
  void emitTma(warp::CopyOp op);
  mlir::Value partOf(warp::CopyOp op);
  llvm::SmallVector<mlir::Type> expandTypes(mlir::TypeRange types);
  void mapResults(mlir::ValueRange olds, mlir::ValueRange news);
  llvm::SmallVector<mlir::Value> flatten(mlir::ValueRange values);

  /// The values of a fragment's registers; of a scalar, its one value.
  llvm::ArrayRef<mlir::Value> valuesOf(mlir::Value value);
  mlir::Value scalarOf(mlir::Value value) { return valuesOf(value).front(); }

  //===--- constants and thread numbers (ThreadPlaces.cpp) ---===//
  mlir::Value i32(int64_t value);
  mlir::Value index(int64_t value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, int64_t by);
  mlir::Value toIndex(mlir::Value value);
  mlir::Value toI64(mlir::Value value);
  /// `number / stride % size` of the lane's or warp's number, i32.
  mlir::Value digitValue(const warp::Digit &digit);
  /// Whether the thread is the first of those that have the same elements; null: no two have.
  mlir::Value isFirstOf(warp::LayoutAttr layout);
  /// The thread's part of places along a dimension.
  ThreadPlace threadPlace(warp::LayoutAttr layout, int64_t dimension);
  ThreadView viewOf(mlir::Value view);
  mlir::Value sum(mlir::Value thread, int64_t known);
  /// An i32 that is the same in all lanes, so that ptxas knows it: lane 0's.
  mlir::Value uniformOf(mlir::Value value);

  //===--- global memory (ThreadMemory.cpp) ---===//
  /// Registers that are accessed as one, and where the first lies.
  struct Access {
    llvm::SmallVector<unsigned> registers;
    llvm::SmallVector<int64_t> place;
  };
  llvm::SmallVector<Access> accessesOf(warp::LayoutAttr layout, int64_t along, int64_t width);
  /// How many elements along the dimension of stride 1 can be accessed as one, and that dimension.
  std::pair<int64_t, int64_t> widthOf(const ThreadView &view, tile::ViewType type, mlir::ValueRange place,
                                      mlir::RankedTensorType tile, warp::LayoutAttr layout);
  mlir::LogicalResult emitAccesses(mlir::Operation *op, mlir::Value view, mlir::ValueRange place,
                                   mlir::RankedTensorType tile, llvm::ArrayRef<mlir::Value> stored, mlir::Attribute pad,
                                   llvm::ArrayRef<mlir::Value> rows, int64_t gathered,
                                   llvm::SmallVectorImpl<mlir::Value> &loaded);
  mlir::Value loadWords(mlir::Value address, mlir::Value predicate, mlir::Type element, int64_t width, bool isReadOnly);
  void storeWords(llvm::ArrayRef<mlir::Value> values, mlir::Value address, mlir::Value predicate, mlir::Type element);
  llvm::SmallVector<mlir::Value> unpack(mlir::Value loaded, mlir::Type element, int64_t width);
  mlir::Value pack(llvm::ArrayRef<mlir::Value> values, mlir::Type element);
  mlir::Type memoryType(mlir::Type element);
  mlir::LogicalResult emitLoad(tile::LoadOp op);
  mlir::LogicalResult emitGather(tile::GatherOp op);
  mlir::LogicalResult emitStore(tile::StoreOp op);

  //===--- shared memory (ThreadShared.cpp) ---===//
  void planSharedMemory();
  void barrier();
  bool isRepeated(mlir::Operation *op);
  /// A barrier behind which the Tensor Cores, too, see what threads wrote to shared memory.
  void publish();
  mlir::Value sharedAt(mlir::Value byteOffset);
  mlir::Value scratch() {
    return sharedAt(ofTeam(sharedPlan.tileBytes, sharedPlan.scratchBytes / schedule.getTeams()));
  }
  mlir::Value smemAddress(mlir::Value base, warp::SmemType type, ThreadPlace row, ThreadPlace column);
  llvm::SmallVector<mlir::Value> slotOf(mlir::Value ring, mlir::Value number);
  mlir::LogicalResult emitCopy(warp::CopyOp op);
  void writeTile(mlir::Value base, warp::SmemType type, mlir::Value tile);
  llvm::SmallVector<mlir::Value> readTile(mlir::Value base, warp::SmemType type, mlir::RankedTensorType tile);
  mlir::LogicalResult emitRelayout(mlir::Operation *op, mlir::Value from, mlir::Value to); // ThreadRelayout.cpp
  mlir::LogicalResult emitRing(mlir::Operation *op);
  void emitDotWait(warp::DotWaitOp wait);

  //===--- results through shared memory (ThreadStores.cpp) ---===//
  mlir::Value warpStart(warp::LayoutAttr layout, int64_t dimension);
  void writeSlab(mlir::Value base, const warp::StoreSlab &slab, mlir::Value tile);
  void waitForStores(int64_t pending, bool onlyRead);
  mlir::LogicalResult emitAsyncStore(warp::StoreOp op);

  //===--- sums over programs (ThreadExchange.cpp) ---===//
  void initSumBarriers();
  mlir::LogicalResult emitReduceScatter(tile::ReduceScatterOp op);
  mlir::LogicalResult emitReduceToLast(tile::ReduceToLastOp op); // ThreadSumByLast.cpp
  mlir::LogicalResult emitGatherToLast(tile::GatherToLastOp op); // there, too
  void setSumMemory(int64_t numDims);
  int64_t partBytes(tile::ReduceToLastOp op);
  mlir::Value atByteOfWorkspace(mlir::Value byte);
  /// A program's number along an axis of the grid, and that of what programs along it share, in 32 bits.
  mlir::Value numberAlong(int64_t axis);
  mlir::Value numberBeside(int64_t axis);
  /// What follows is done by the last of so many programs alone.
  void countIn(mlir::Value group, int64_t programs);
  /// Where a thread has which elements of a tile in dense memory: an address for each access, and whether it is inside.
  struct DenseAccess {
    mlir::Value address, predicate;
    llvm::SmallVector<unsigned> registers;
  };
  llvm::SmallVector<DenseAccess> denseAccesses(mlir::RankedTensorType tile, mlir::Value base, int64_t step,
                                               int64_t width);

  //===--- dots (ThreadDot.cpp) ---===//
  mlir::LogicalResult emitDot(warp::DotOp op);
  /// The part of a dot that one warp computes.
  struct WarpTile {
    int64_t rowBlocks, columnBlocks, warpsM, warpsN; ///< blocks of 8 rows, of 8 columns
    mlir::Value firstRow, firstColumn;               ///< of the warp; null: 0
  };
  WarpTile warpTileOf(warp::DotOp op);
  /// An ldmatrix: of four matrices of 8 x 16 bytes number 1 lies 8 rows further and number 2 a chunk of 16 bytes, or,
  /// not `firstAlongRows`, the other way round. Two: the first two.
  struct MatrixRead {
    bool firstAlongRows, isTransposed;
    mlir::Value warpRow, warpColumn; ///< the warp's part of the place; null: 0
    int64_t row, column;
    uint32_t count = 4;
  };
  llvm::SmallVector<mlir::Value> loadMatrices(mlir::Value base, warp::SmemType type, const MatrixRead &read);
  mlir::LogicalResult emitMmaSync(warp::DotOp op, warp::MmaSyncAttr atom);
  mlir::LogicalResult emitWgmma(warp::DotOp op);
  /// An f32, or the word that has its bits, to the nearest that tf32 has.
  mlir::Value roundedToTf32(mlir::Value number);
  mlir::LogicalResult emitFma(warp::DotOp op);

  //===--- 8-bit floats as f16 (ThreadWideningDot.cpp) ---===//
  /// The right operand for a step of 16 of the depth, two words for each block of 8 columns.
  using StepOfRhs = llvm::SmallVector<std::array<mlir::Value, 2>>;
  std::array<mlir::Value, 2> widenWord(mlir::Value word, mlir::Type element);
  llvm::SmallVector<mlir::Value> widenFloat8(llvm::ArrayRef<mlir::Value> from, mlir::Type element);
  std::array<StepOfRhs, 2> widenAlongDepth(warp::DotOp op, const WarpTile &tile, int64_t number);
  StepOfRhs widenAcrossDepth(warp::DotOp op, const WarpTile &tile, int64_t number);
  mlir::LogicalResult emitWideningDot(warp::DotOp op);

  //===--- folds (ThreadFolds.cpp) ---===//
  mlir::Value fold(tile::Fold kind, mlir::Value a, mlir::Value b);
  mlir::Value identity(tile::Fold kind, mlir::Type element);
  mlir::Value shuffle(mlir::Value value, mlir::NVVM::ShflKind kind, mlir::Value offset);
  llvm::SmallVector<llvm::SmallVector<mlir::Value>> exchangeOverWarps(llvm::ArrayRef<mlir::Value> list,
                                                                      int64_t warpMask);
  mlir::Value anyOfRegisters(mlir::Value tile);
  mlir::Value anyOfWarp(mlir::Value holds);
  mlir::Value anyOf(mlir::Value tile);
  llvm::SmallVector<mlir::Value> foldRegisters(mlir::Value tile, int64_t axis, tile::Fold kind);
  mlir::LogicalResult emitReduce(tile::ReduceOp op);
  mlir::LogicalResult emitScan(tile::ScanOp op);
  mlir::LogicalResult emitIota(tile::IotaOp op);

  tile::KernelOp kernel;
  mlir::ImplicitLocOpBuilder &b;
  warp::ScheduleAttr schedule;
  warp::ClusterAttr cluster; ///< null: CTAs by themselves
  bool hasMulticast = false; ///< a cluster's CTAs fill each other's slots
  mlir::Value clusterRank;
  mlir::LLVM::LLVMFuncOp function;
  mlir::Operation *entryEnd = nullptr; ///< what is computed once stands before it
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Value>> values;
  llvm::DenseMap<mlir::Value, ThreadView> views;
  Role role = Role::All;
  mlir::Value program;                      ///< its number, where a CTA has several
  llvm::SmallVector<mlir::Value> listHeads; ///< of programs that are not done yet, for each tile.redo
  mlir::scf::IfOp ofLast; ///< what of a program is behind its sum, which the last of those that share it does
  bool hasProducer = false;
  llvm::DenseMap<mlir::Value, mlir::Value> ringBases;    ///< transfers of the programs before, i32
  llvm::DenseMap<mlir::Value, mlir::Value> fullBarriers; ///< of slots that are being filled
  /// Of copies and stores by TMA, for boxes like that tile.
  llvm::DenseMap<std::pair<mlir::Operation *, mlir::Type>, unsigned> tensorMapOf;
  mlir::Value tensorMapArgument(size_t number) {
    return function.getArgument(function.getNumArguments() - tensorMaps.size() + number);
  }
  mlir::Value tensorMap(mlir::Operation *op, warp::SmemType box);
  llvm::SmallVector<mlir::Attribute> tensorMaps;
  llvm::DenseSet<mlir::Value> written;              ///< arguments that the program stores to
  llvm::SmallVector<mlir::Value> dims;              ///< the function's i64 sizes
  mlir::Value thread, lane, warpNumber, sharedBase; ///< the warp's number in its team
  mlir::Value team, ctaWarp;                        ///< null: there is one; the warp's number in the CTA
  llvm::DenseMap<std::pair<int64_t, std::pair<int64_t, int64_t>>, mlir::Value> digitValues;
  SharedMemoryPlan sharedPlan;
  bool hasTensorCore = false, hasWgmma = false, hasAsyncStores = false;
  bool hasFloat8; ///< the architecture has instructions for 8-bit floats
  /// Significant bits of the results, the most of all; of 11, f16's, or less functions may have an error of a few
  /// 2^-22, gelu one of 2^-16, of 8 and less 2^-12.
  unsigned resultPrecision = 0;
  static constexpr unsigned exactPrecision = 64;
  bool isApproximate() const { return resultPrecision <= 11; }
};

} // namespace tenon
