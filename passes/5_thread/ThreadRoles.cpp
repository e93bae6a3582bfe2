// A producer beside the other warps: it has the rings filled by TMA, program after program, as far ahead as slots are
// free. Every slot has two mbarriers: `full` counts the bytes of its copies, `empty` the warps that have read it.
// Phases follow from the number of the transfer, counted over all programs of the CTA.
#include "passes/5_thread/ThreadEmitter.h"

#include "dialects/Ptx/Ptx.h"
#include "lib/Analysis/ThreadRegisters.h"
#include "lib/Analysis/TileBounds.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

/// What the runtime encodes for a copy or a store: boxes of one slab of the tile.
static Attribute tensorMapFor(OpBuilder &b, const ViewMemory &memory, SmemType tile, unsigned numDims) {
  MLIRContext *context = b.getContext();
  int64_t bytes = tile.getElementBytes(), rank = memory.sizes.size();
  SmallVector<AffineExpr> sizes, strides;
  SmallVector<int64_t> box(rank, 1);
  for (int64_t d = rank - 1; d >= 0; --d) { // innermost first
    sizes.push_back(memory.sizes[d]);
    if (d < rank - 1)
      strides.push_back(memory.strides[d] * bytes);
  }
  box[0] = tile.getSwizzle() / bytes;
  box[1] = tile.getShape()[0];
  auto map = [&](ArrayRef<AffineExpr> results) {
    return AffineMapAttr::get(AffineMap::get(0, numDims, results, context));
  };
  return b.getDictionaryAttr({b.getNamedAttr("argument", b.getI64IntegerAttr(memory.argument)),
                              b.getNamedAttr("box", b.getDenseI64ArrayAttr(box)),
                              b.getNamedAttr("element", TypeAttr::get(tile.getElementType())),
                              b.getNamedAttr("offset", map(memory.offset * bytes)), b.getNamedAttr("sizes", map(sizes)),
                              b.getNamedAttr("strides", map(strides)),
                              b.getNamedAttr("swizzle", b.getI64IntegerAttr(tile.getSwizzle()))});
}

/// What one CTA brings of the copy: of a multicast one its part of the rows.
SmemType ThreadEmitter::boxOf(CopyOp copy) {
  SmemType tile = copy.getCopied();
  if (!copy.getMulticast())
    return tile;
  return SmemType::get(b.getContext(), {tile.getShape()[0] / cluster.getSize(), tile.getShape()[1]},
                       tile.getElementType(), tile.getSwizzle());
}

LogicalResult ThreadEmitter::planTensorMaps() {
  unsigned numDims = 0;
  for (Type type : kernel.getArgumentTypes())
    numDims += llvm::count_if(cast<tile::ViewType>(type).getShape(), ShapedType::isDynamic);
  auto plan = [&](Operation *op, Value view, SmemType tile) -> WalkResult {
    std::optional<ViewMemory> memory = memoryOf(kernel, view);
    if (!memory || !fitsTensorMap(*memory, tile.getElementBytes()))
      return op->emitOpError("has a view that no tensor map describes");
    Attribute map = tensorMapFor(b, *memory, tile, numDims);
    auto found = llvm::find(tensorMaps, map);
    tensorMapOf[{op, tile}] = found - tensorMaps.begin();
    if (found == tensorMaps.end())
      tensorMaps.push_back(map);
    return WalkResult::advance();
  };
  WalkResult result = kernel.walk([&](Operation *op) {
    if (auto copy = dyn_cast<CopyOp>(op); copy && isByProducer(copy))
      return plan(op, copy.getView(), boxOf(copy));
    if (auto store = dyn_cast<warp::StoreOp>(op))
      for (const StoreSlab &slab : storeSlabsOf(store.getTile().getType()))
        if (plan(op, store.getView(), slab.tile).wasInterrupted())
          return WalkResult::interrupt();
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

Value ThreadEmitter::tensorMap(Operation *op, SmemType box) { return tensorMapArgument(tensorMapOf.at({op, box})); }

Value ThreadEmitter::numberOf(Value ring, Value number) {
  Value own = arith::IndexCastOp::create(b, b.getI32Type(), scalarOf(number));
  Value before = ringBases.lookup(ring);
  return before ? add(before, own) : own;
}

ThreadEmitter::Transfer ThreadEmitter::transferOf(Value ring, Value number) {
  int64_t depth = cast<RingType>(ring.getType()).getDepth();
  Value all = numberOf(ring, number), slot = arith::RemUIOp::create(b, all, i32(depth));
  Value parity = arith::AndIOp::create(b, arith::DivUIOp::create(b, all, i32(depth)), i32(1));
  Value full = sharedAt(add(mul(slot, 16), i32(sharedPlan.barriers.at(ring))));
  Value empty = LLVM::GEPOp::create(b, full.getType(), b.getI8Type(), full, ArrayRef<LLVM::GEPArg>(int32_t(8)));
  return {full, empty, parity};
}

/// Every thread of the cluster's CTAs is here.
void ThreadEmitter::clusterBarrier() {
  NVVM::ClusterArriveOp::create(b, UnitAttr());
  NVVM::ClusterWaitOp::create(b, UnitAttr());
}

/// A slot is filled again by the producers of all CTAs that share what comes into it.
int64_t ThreadEmitter::numReaders() { return schedule.getNumWarps() * (hasMulticast ? cluster.getSize() : 1); }

/// A warp has read what the barrier is about.
void ThreadEmitter::arriveAtEmpty(Value empty) {
  NVVM::SyncWarpOp::create(b, i32(-1)); // once all of its lanes have
  if (!hasMulticast) {
    ptx::MbarrierArriveOp::create(b, empty, arith::CmpIOp::create(b, arith::CmpIPredicate::eq, lane, i32(0)));
    return;
  }
  Value isPeer = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, lane, i32(cluster.getSize()));
  ptx::MbarrierArriveClusterOp::create(b, empty, lane, isPeer);
}

void ThreadEmitter::initBarriers() {
  Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, thread, i32(0));
  auto guard = scf::IfOp::create(b, isFirst, /*withElseRegion=*/false);
  {
    OpBuilder::InsertionGuard inside(b);
    b.setInsertionPoint(guard.thenYield());
    kernel.walk([&](RingCreateOp ring) {
      if (!ring.getTransfers())
        return;
      for (int64_t slot = 0; slot < ring.getRing().getType().getDepth(); ++slot) {
        int64_t at = sharedPlan.barriers.at(ring.getRing()) + 16 * slot;
        NVVM::MBarrierInitOp::create(b, sharedAt(i32(at)), i32(1), Value());
        NVVM::MBarrierInitOp::create(b, sharedAt(i32(at + 8)), i32(numReaders()), Value());
      }
    });
    for (int64_t slot = 0; sharedPlan.programs >= 0 && slot < 2; ++slot) {
      int64_t at = sharedPlan.programs + 32 * slot;
      NVVM::MBarrierInitOp::create(b, sharedAt(i32(at)), i32(1), Value());
      NVVM::MBarrierInitOp::create(b, sharedAt(i32(at + 8)), i32(schedule.getNumWarps()), Value());
    }
    initSumBarriers();
    NVVM::FenceMbarrierInitOp::create(b);
    // The first copy of each would wait for it.
    for (size_t number = 0; number < tensorMaps.size(); ++number)
      NVVM::PrefetchOp::create(b, /*cacheLevel=*/nullptr, /*evictPriority=*/nullptr, tensorMapArgument(number),
                               /*predicate=*/Value(), /*tensormap=*/b.getUnitAttr(), /*uniform=*/nullptr,
                               /*in_param_space=*/nullptr);
  }
  if (hasMulticast)
    return clusterBarrier();
  // A CTA copies for itself, and waits for the others to have begun before it sends them sums: awaitPeers.
  NVVM::Barrier0Op::create(b);
  if (cluster)
    NVVM::ClusterArriveOp::create(b, UnitAttr());
}

/// The other half of the cluster's barrier at the start, where CTAs do not copy for each other.
void ThreadEmitter::awaitPeers() {
  if (cluster && !hasMulticast)
    NVVM::ClusterWaitOp::create(b, UnitAttr());
}

/// One copy a slab, counted on the slot's barrier; elements outside of the view arrive as zeros.
void ThreadEmitter::emitTma(CopyOp op) {
  SmemType tile = op.getTarget().getType(), box = boxOf(op);
  int64_t perSlab = tile.getSwizzle() / tile.getElementBytes(), slabBytes = tile.getShape()[0] * tile.getSwizzle();
  Value map = tensorMap(op, box);
  Value target = partOf(op), barrier = fullBarriers.at(op.getTarget());
  SmallVector<Value> place;
  for (Value start : llvm::reverse(op.getPlace()))
    place.push_back(arith::IndexCastOp::create(b, b.getI32Type(), scalarOf(start)));
  Value everyCta;
  if (op.getMulticast()) {
    int64_t rows = box.getShape()[0];
    place[1] = add(place[1], mul(clusterRank, rows));
    target = LLVM::GEPOp::create(b, target.getType(), b.getI8Type(), target,
                                 ValueRange(mul(clusterRank, rows * tile.getSwizzle())));
    everyCta = arith::ConstantIntOp::create(b, (1 << cluster.getSize()) - 1, 16);
  }
  auto inCluster = LLVM::LLVMPointerType::get(b.getContext(), 7);
  for (int64_t slab = 0; slab * perSlab < tile.getShape()[1]; ++slab) {
    SmallVector<Value> at(place);
    at[0] = slab == 0 ? place[0] : add(place[0], i32(slab * perSlab));
    Value to = slab == 0 ? target
                         : LLVM::GEPOp::create(b, target.getType(), b.getI8Type(), target,
                                               ArrayRef<LLVM::GEPArg>(int32_t(slab * slabBytes)))
                               .getResult();
    NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp::create(
        b, LLVM::AddrSpaceCastOp::create(b, inCluster, to), map, at, barrier, /*im2colOffsets=*/ValueRange(), everyCta,
        /*l2CacheHint=*/Value(), NVVM::TMALoadMode::TILE, /*isCTAOnly=*/false, NVVM::CTAGroupKindAttr(),
        /*predicate=*/Value());
  }
}

SmallVector<RingCreateOp> ThreadEmitter::producedRings() {
  SmallVector<RingCreateOp> rings;
  for (auto ring : kernel.getGrid().getBody().getOps<RingCreateOp>())
    if (ring.getTransfers())
      rings.push_back(ring);
  return rings;
}

Value ThreadEmitter::transfersOf(RingCreateOp ring) {
  return arith::IndexCastOp::create(b, b.getI32Type(), scalarOf(ring.getTransfers()));
}

/// What the producer computes beside its copies.
static bool isPlace(Operation &op) {
  return isPure(&op) && op.getNumRegions() == 0 && llvm::none_of(op.getOperandTypes(), llvm::IsaPred<ShapedType>) &&
         llvm::none_of(op.getResultTypes(), llvm::IsaPred<ShapedType>);
}

/// Whether the op is part of reading a number that data say and places depend on: the length of a sequence, a page.
static bool isNumberRead(Operation &op) {
  if (isa<tensor::ExtractOp>(op))
    return true;
  return isa<tile::LoadOp>(op) && llvm::all_of(op.getUsers(), llvm::IsaPred<tensor::ExtractOp>);
}

/// `before`: of each ring the transfers of the programs before. A team counts those programs instead, for it does not
/// see all of them; they all have as many transfers. As this role sees it. Behind waits, which each lane leaves by
/// itself, ptxas takes nothing that a loop carries to be the same in all lanes. What comes from one lane it does, and
/// keeps addresses made of it in registers that lanes share. (The producer is one thread.)
FailureOr<SmallVector<Value>> ThreadEmitter::emitProgram(tile::GridOp grid, Value number, ValueRange before) {
  auto uniform = [&](Value value) { return role == Role::Consumer ? uniformOf(value) : value; };
  SmallVector<RingCreateOp> rings = producedRings();
  for (auto [ring, done] : llvm::zip(rings, before))
    ringBases[ring.getRing()] = uniform(done);
  listHeads = llvm::to_vector(before.drop_front(rings.size()));
  program = uniform(number);
  emitGrid(grid, program);
  // A team sees by a slot's parity whether its transfer is there: no other phase may be open, so that it begins once
  // the team before it has all of its own.
  SmallVector<Operation *> waiting;
  if (isTeam())
    for (Operation &op : grid.getBody().front())
      if (op.walk([](RingWaitOp) { return WalkResult::interrupt(); }).wasInterrupted())
        waiting.push_back(&op);
  for (Operation &op : grid.getBody().front()) {
    if (!waiting.empty() && &op == waiting.front())
      emitTurn(/*isWait=*/true, team);
    bool isForProducer = isa<ProduceOp, RingCreateOp>(op) || isPlace(op) || isNumberRead(op);
    if ((role != Role::Producer || isForProducer) && failed(emitOp(&op)))
      return failure();
    if (!waiting.empty() && &op == waiting.back())
      emitTurn(/*isWait=*/false, team);
  }
  if (ofLast && role == Role::Consumer)
    b.setInsertionPointAfter(ofLast);
  SmallVector<Value> after;
  for (auto [ring, done] : llvm::zip(rings, before))
    after.push_back(add(done, isTeam() ? i32(schedule.getTeams()) : transfersOf(ring)));
  llvm::append_range(after, listHeads);
  return after;
}

/// The producer takes numbers from a counter in the workspace, the first of each CTA its own, and hands them to the
/// others through two slots of shared memory, with mbarriers as a ring has them. Each CTA asks until there are none: in
/// all as often as there are programs, so that the counter wraps to 0 and is ready for the next launch.
Value ThreadEmitter::nextProgram(Value round) {
  constexpr int64_t slotBytes = 32;
  Value slot = arith::AndIOp::create(b, round, i32(1));
  Value parity = arith::AndIOp::create(b, arith::ShRUIOp::create(b, round, i32(1)), i32(1));
  auto at = [&](int64_t offset) { return sharedAt(add(mul(slot, slotBytes), i32(sharedPlan.programs + offset))); };
  Value full = at(0), empty = at(8), place = at(16);
  if (role == Role::Consumer) {
    ptx::MbarrierWaitOp::create(b, full, parity);
    Value number = LLVM::LoadOp::create(b, b.getI32Type(), place, /*alignment=*/4);
    NVVM::SyncWarpOp::create(b, i32(-1));
    ptx::MbarrierArriveOp::create(b, empty, arith::CmpIOp::create(b, arith::CmpIPredicate::eq, lane, i32(0)));
    return uniformOf(number);
  }
  ptx::MbarrierWaitOp::create(b, empty, arith::XOrIOp::create(b, parity, i32(1)));
  Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, round, i32(0));
  auto branch = scf::IfOp::create(b, TypeRange{b.getI32Type()}, isFirst, /*withElseRegion=*/true);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(b, ValueRange{NVVM::BlockIdXOp::create(b, b.getI32Type())});
    b.setInsertionPointToStart(branch.elseBlock());
    Value last = arith::SubIOp::create(b, countOf(kernel.getGrid()), i32(1));
    Value taken = LLVM::AtomicRMWOp::create(b, LLVM::AtomicBinOp::uinc_wrap, workspace(), last,
                                            LLVM::AtomicOrdering::monotonic, "device");
    scf::YieldOp::create(b, ValueRange{add(taken, NVVM::GridDimXOp::create(b, b.getI32Type()))});
  }
  LLVM::StoreOp::create(b, branch.getResult(0), place, /*alignment=*/4);
  ptx::MbarrierArriveOp::create(b, full, arith::ConstantIntOp::create(b, 1, 1));
  return branch.getResult(0);
}

/// Of a number of CTAs or programs that of clusters; they divide without a rest, or it is of no account.
Value ThreadEmitter::perCluster(Value number) {
  return cluster ? b.createOrFold<arith::DivUIOp>(number, i32(cluster.getSize())) : number;
}

/// Programs, or those that clusters carry out as one.
Value ThreadEmitter::countOf(tile::GridOp grid) {
  Value count = index(1);
  for (Value extent : grid.getExtents())
    count = b.createOrFold<arith::MulIOp>(count, scalarOf(extent));
  return perCluster(arith::IndexCastOp::create(b, b.getI32Type(), count));
}

/// Who would take the CTA's next program, if there was one.
Value ThreadEmitter::nextTeam(tile::GridOp grid) {
  Value first = perCluster(NVVM::BlockIdXOp::create(b, b.getI32Type()));
  Value step = perCluster(NVVM::GridDimXOp::create(b, b.getI32Type()));
  Value rest = arith::SubIOp::create(b, countOf(grid), first);
  return arith::RemUIOp::create(b, arith::CeilDivUIOp::create(b, rest, step), i32(schedule.getTeams()));
}

/// The CTA's programs one after another: each `gridDim`-th, or, where they differ in length, the next that nobody has.
LogicalResult ThreadEmitter::emitPrograms(tile::GridOp grid, Role asRole) {
  role = asRole;
  Value count = countOf(grid);
  SmallVector<Value> none(producedRings().size(), isTeam() ? team : i32(0));
  llvm::append_range(none, emptyLists());
  Operation *loop;
  if (kernel->hasAttr("warp.order")) {
    SmallVector<Value> inits{i32(0)};
    llvm::append_range(inits, none);
    SmallVector<Type> types(ValueRange(inits).getTypes()), withNumber(types);
    withNumber.push_back(b.getI32Type());
    auto made = scf::WhileOp::create(b, withNumber, inits);
    loop = made;
    OpBuilder::InsertionGuard guard(b);
    Block *before = b.createBlock(&made.getBefore(), {}, types, SmallVector<Location>(types.size(), b.getLoc()));
    Value number = nextProgram(before->getArgument(0));
    SmallVector<Value> handedOn(before->getArguments());
    handedOn.push_back(number);
    Value isAny = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, number, count);
    scf::ConditionOp::create(b, isAny, handedOn);
    Block *after =
        b.createBlock(&made.getAfter(), {}, withNumber, SmallVector<Location>(withNumber.size(), b.getLoc()));
    FailureOr<SmallVector<Value>> transfers =
        emitProgram(grid, after->getArguments().back(), after->getArguments().drop_front().drop_back());
    if (failed(transfers))
      return failure();
    SmallVector<Value> next{add(after->getArgument(0), i32(1))};
    llvm::append_range(next, *transfers);
    scf::YieldOp::create(b, next);
  } else {
    Value first = perCluster(NVVM::BlockIdXOp::create(b, b.getI32Type()));
    Value step = perCluster(NVVM::GridDimXOp::create(b, b.getI32Type()));
    if (isTeam()) {
      first = add(first, arith::MulIOp::create(b, team, step));
      step = mul(step, schedule.getTeams());
    }
    auto made = scf::ForOp::create(b, first, count, step, none, nullptr, /*unsignedCmp=*/true);
    loop = made;
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(made.getBody());
    FailureOr<SmallVector<Value>> transfers = emitProgram(grid, made.getInductionVar(), made.getRegionIterArgs());
    if (failed(transfers))
      return failure();
    scf::YieldOp::create(b, *transfers);
  }
  b.setInsertionPointAfter(loop);
  if (role == Role::Consumer && !sharedPlan.lists.empty()) {
    int64_t first = kernel->hasAttr("warp.order") ? 1 : 0; // behind the round
    return emitPutOff(grid, loop->getResults().slice(first + producedRings().size(), sharedPlan.lists.size()));
  }
  // Shared memory is the CTA's until it ends.
  if (role == Role::Consumer && hasAsyncStores)
    waitForStores(0, /*onlyRead=*/true);
  return success();
}

/// A barrier for each warpgroup, behind those of the CTA and its teams: it waits there itself, and the one before it
/// arrives.
void ThreadEmitter::emitTurn(bool isWait, Value group) {
  constexpr int64_t firstBarrier = 3, threads = 256;
  int64_t numGroups = schedule.getAllWarps() / 4;
  if (!isWait)
    group = arith::RemUIOp::create(b, add(group, i32(1)), i32(numGroups));
  Value barrier = add(group, i32(firstBarrier));
  if (isWait)
    NVVM::BarrierOp::create(b, Type(), barrier, i32(threads), NVVM::BarrierReductionAttr(), Value());
  else
    NVVM::BarrierArriveOp::create(b, barrier, i32(threads));
}

void ThreadEmitter::awaitLaunchAhead() { NVVM::GriddepcontrolOp::create(b, NVVM::GridDepActionKind::wait); }

/// Of the CTA's first program; then the producer waits for the launch ahead, whose results it copies next.
LogicalResult ThreadEmitter::emitEarly(tile::GridOp grid) {
  role = Role::Producer;
  emitGrid(grid, perCluster(NVVM::BlockIdXOp::create(b, b.getI32Type())));
  DenseSet<Value> readLater; // what is computed of numbers in memory
  for (Operation &op : grid.getBody().front()) {
    auto early = dyn_cast<EarlyOp>(op);
    bool isKnown = !isNumberRead(op) && llvm::none_of(op.getOperands(), [&](Value v) { return readLater.contains(v); });
    if (!isKnown)
      readLater.insert(op.result_begin(), op.result_end());
    if (early ? failed(emitBlock(early.getBody().front())) : isKnown && isPlace(op) && failed(emitOp(&op)))
      return failure();
  }
  awaitLaunchAhead();
  return success();
}

LogicalResult ThreadEmitter::emitRoles(tile::GridOp grid) {
  initBarriers();
  bool hasEarly = !grid.getBody().getOps<EarlyOp>().empty();
  if (hasEarly)
    function->setAttr("tenon.programmatic", b.getUnitAttr());
  auto [few, many] = registerSharesOf(kernel);
  if (few || schedule.getResident() > 1) // ptxas shares out only what it knows a CTA to start with
    function->setAttr("nvvm.minctasm", b.getI32IntegerAttr(schedule.getResident()));
  auto isEqual = [&](Value number, int64_t to) -> Value {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, number, i32(to));
  };
  Value isProducer = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, ctaWarp, i32(schedule.getAllWarps()));
  auto roles = scf::IfOp::create(b, isProducer, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(roles.thenYield());
  if (few)
    NVVM::SetMaxRegisterOp::create(b, few, NVVM::SetMaxRegisterAction::decrease);
  auto one = scf::IfOp::create(b, isEqual(thread, 32 * schedule.getAllWarps()), /*withElseRegion=*/false);
  awaitPeers();
  b.setInsertionPoint(one.thenYield());
  if ((hasEarly && failed(emitEarly(grid))) || failed(emitPrograms(grid, Role::Producer)))
    return failure();
  b.setInsertionPoint(roles.elseYield());
  if (many)
    NVVM::SetMaxRegisterOp::create(b, many, NVVM::SetMaxRegisterAction::increase);
  awaitPeers();
  if (hasEarly) {
    awaitLaunchAhead();
    NVVM::GriddepcontrolOp::create(b, NVVM::GridDepActionKind::launch_dependents);
  }
  if (cluster) { // others may still arrive at barriers of a CTA that is done
    OpBuilder::InsertionGuard after(b);
    b.setInsertionPointAfter(roles);
    clusterBarrier();
  }
  bool hasTurns = schedule.getTeams() > 1;
  grid.walk([&](TurnWaitOp) { hasTurns = true; });
  if (!hasTurns)
    return emitPrograms(grid, Role::Consumer);
  // The first turn is passed to the first warpgroup before all programs; who would have the next one takes it back
  // behind them: the first again, or of teams, which take as many only of an even number of programs, that one.
  Value group = warpgroup();
  auto atEnd = [&](Value of, bool isWait) {
    auto branch = scf::IfOp::create(b, arith::CmpIOp::create(b, arith::CmpIPredicate::eq, group, of),
                                    /*withElseRegion=*/false);
    OpBuilder::InsertionGuard inside(b);
    b.setInsertionPoint(branch.thenYield());
    emitTurn(isWait, of);
  };
  atEnd(i32(schedule.getAllWarps() / 4 - 1), /*isWait=*/false);
  if (failed(emitPrograms(grid, Role::Consumer)))
    return failure();
  atEnd(schedule.getTeams() > 1 ? nextTeam(grid) : i32(0), /*isWait=*/true);
  return success();
}
