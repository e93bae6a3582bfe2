#include "passes/2_kernel/KernelClosure.h"

#include "passes/2_kernel/RepeatedWork.h"

#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace tenon;

bool tenon::isSizeComputation(Operation *op) {
  if (isa<DimOp>(op))
    return true;
  // Those that a size of a launch plan is made of; anything else is computed where tensors are.
  if (!isa<ConstantOp, CastOp, ReshapeOp, AddOp, SubOp, MulOp, FloorDivOp>(op))
    return false;
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (type.getRank() != 0 || !type.getElementType().isInteger())
    return false;
  if (isa<ConstantOp>(op))
    return true;
  return llvm::all_of(op->getOperands(), [](Value operand) {
    return operand.getDefiningOp() && isSizeComputation(operand.getDefiningOp());
  });
}

bool tenon::staysOutside(Operation *op) {
  return isa<WeightOp, ConstantOp, ReshapeOp, KernelOp, LaunchOp>(op) || isSizeComputation(op) ||
         op->hasTrait<OpTrait::IsTerminator>();
}

static KernelKind kindOf(Operation *op) {
  if (isa<MatmulOp, LinearOp, QuantisedMatmulOp, ConvolutionOp>(op))
    return KernelKind::Contraction;
  if (isa<AttentionOp>(op))
    return KernelKind::Attention;
  if (isa<SoftmaxOp, LogSoftmaxOp, LayerNormOp, RmsNormOp, GroupNormOp, ReduceSumOp, ReduceMeanOp, ReduceMaxOp,
          ReduceMinOp, ArgmaxOp, ArgminOp, CumsumOp, MaxPoolOp, AvgPoolOp>(op))
    return KernelKind::Row;
  if (isa<RopeOp, TransposeOp, SliceOp, SplitOp, ConcatOp, PadOp, ScatterOp, KvCacheAppendOp, KvPagesAppendOp,
          KvCacheReadOp>(op))
    return KernelKind::Copy;
  return KernelKind::Pointwise; // each element of the result is computed alone, gathers and iota included
}

/// Reads of a buffer that only change how it is addressed.
static bool isView(Operation *op) { return isa_and_nonnull<ReshapeOp, TransposeOp, SliceOp, SplitOp>(op); }

static StringRef nameOf(Operation *op) { return op->getName().stripDialect(); }

namespace {
class Closure {
public:
  explicit Closure(func::FuncOp main) : block(main.getBody().front()), repeated(findRepeatedWork(main)) {}

  KernelGroups run() {
    for (Operation &op : block) {
      if (dependsOnWeightsOnly(op))
        initial.insert(&op);
      if (staysOutside(&op) || member.contains(&op) || repeated.contains(&op))
        continue;
      int group = open(&op);
      repeatWork(group, &op);
      if (auto attention = dyn_cast<AttentionOp>(op))
        closeAttention(group, attention);
      else if (auto rope = dyn_cast<RopeOp>(op))
        repeatViews(group, {rope.getInput()});
      else if (auto append = dyn_cast<KvCacheAppendOp>(op))
        closeAppend(group, append);
      else if (auto append = dyn_cast<KvPagesAppendOp>(op))
        repeatViews(group, {append.getUpdate()});
      else if (groups[group].kind == KernelKind::Row)
        takeProducers(group, &op);
      else if (groups[group].kind == KernelKind::Pointwise)
        takePointwise(group, &op);
    }
    KernelGroups result;
    for (KernelGroup &group : groups)
      if (!group.ops.empty()) {
        auto inOrder = [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); };
        llvm::sort(group.ops, inOrder);
        llvm::sort(group.repeated, inOrder);
        group.repeated.erase(llvm::unique(group.repeated), group.repeated.end());
        result.groups.push_back(std::move(group));
      }
    result.missed = std::move(missed);
    return result;
  }

private:
  int open(Operation *op) {
    groups.push_back({kindOf(op), op, {op}, {}, {}, false});
    return member[op] = groups.size() - 1;
  }
  int groupOf(Value value) const {
    auto found = member.find(value.getDefiningOp());
    return value.getDefiningOp() && found != member.end() ? found->second : -1;
  }
  bool dependsOnWeightsOnly(Operation &op) const {
    if (isa<WeightOp, ConstantOp>(op))
      return true;
    return op.getNumOperands() > 0 && llvm::all_of(op.getOperands(), [&](Value operand) {
             return operand.getDefiningOp() && initial.contains(operand.getDefiningOp());
           });
  }
  void miss(Operation *op, const Twine &reason) { missed.push_back({op, reason.str()}); }

  void merge(int into, int from) {
    for (Operation *op : groups[from].ops)
      member[op] = into;
    groups[into].ops.append(groups[from].ops);
    groups[into].views.append(groups[from].views);
    groups[into].repeated.append(groups[from].repeated);
    groups[from].ops.clear();
  }

  /// Whether `value` is read by members of `group` alone.
  bool isPrivate(Value value, int group) const {
    return llvm::all_of(value.getUsers(), [&](Operation *user) {
      auto found = member.find(user);
      return found != member.end() && found->second == group;
    });
  }

  /// Whether `value`, the result of pointwise work that others read too, may be one more result of the kernel of
  /// `reader`: a program has its rows of both, each element of which is read once.
  bool mayBeSecondResult(Value value, Operation *reader) const {
    return isa<SoftmaxOp, LogSoftmaxOp, LayerNormOp, RmsNormOp>(reader) &&
           groups[groupOf(value)].kind == KernelKind::Pointwise &&
           cast<RankedTensorType>(value.getType()).getShape() ==
               cast<RankedTensorType>(reader->getResult(0).getType()).getShape();
  }

  /// Whether something outside of two groups is computed from the one and read by the other: it could be launched
  /// neither before nor behind the two as one.
  bool liesBetween(int group, int producer) const {
    auto isInside = [&](Operation *op) {
      auto found = member.find(op);
      return found != member.end() && (found->second == group || found->second == producer);
    };
    SmallVector<Operation *> work(groups[group].ops);
    work.append(groups[producer].ops);
    llvm::DenseSet<Operation *> seen(work.begin(), work.end());
    while (!work.empty()) {
      Operation *from = work.pop_back_val();
      for (Operation *user : from->getUsers()) {
        if (isInside(user)) {
          if (!isInside(from))
            return true;
          continue;
        }
        // A kernel comes as a whole.
        SmallVector<Operation *> together = {user};
        if (auto found = member.find(user); found != member.end())
          together.append(groups[found->second].ops);
        for (Operation *op : together)
          if (seen.insert(op).second)
            work.push_back(op);
      }
    }
    return false;
  }

  /// Joins the group that computes `value` with `group`, whose op `reader` reads it; says why not.
  bool join(int group, Value value, Operation *reader, bool sameShape) {
    int producer = groupOf(value);
    if (producer < 0 || producer == group)
      return false;
    Operation *from = value.getDefiningOp();
    if (groups[producer].kind == KernelKind::Copy || groups[producer].kind == KernelKind::Attention)
      return miss(reader, "not fused with " + nameOf(from) + ": its loops do not compute one element at a time"), false;
    if (initial.contains(from) != initial.contains(reader))
      return miss(reader, "not fused with " + nameOf(from) + ": that is computed once, from weights alone"), false;
    bool isPointwise = groups[producer].kind == KernelKind::Pointwise;
    auto shapeOf = [&](Value tensor) { // ones in front change no loop of a pointwise op
      ArrayRef<int64_t> shape = cast<RankedTensorType>(tensor.getType()).getShape();
      return isPointwise ? shape.drop_while([](int64_t size) { return size == 1; }) : shape;
    };
    if (sameShape && shapeOf(value) != shapeOf(reader->getResult(0)))
      return miss(reader, "not fused with " + nameOf(from) + ": the shape changes from " + print(value.getType()) +
                              " to " + print(reader->getResult(0).getType())),
             false;
    if (!isPrivate(value, group) && !mayBeSecondResult(value, reader))
      return miss(reader, "not fused with " + nameOf(from) + ": its result has several uses"), false;
    if (groups[producer].hasSharedResult || !isPrivate(value, group)) {
      if (liesBetween(group, producer))
        return miss(reader, "not fused with " + nameOf(from) + ": what others compute of its result is read, too"),
               false;
      groups[group].hasSharedResult = true;
    }
    KernelKind kind = groups[producer].kind;
    if (kind != KernelKind::Pointwise) {
      groups[group].kind = kind;
      groups[group].anchor = groups[producer].anchor;
    }
    merge(group, producer);
    return true;
  }

  static std::string print(Type type) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return text;
  }

  /// A pointwise op ends the group of the operand that costs most to keep apart; others join if they are pointwise.
  void takePointwise(int group, Operation *op) {
    // The halves of a row that one product computed are read where they lie.
    if (isa<SwigluOp, GegluOp>(op) && isa_and_nonnull<SplitOp>(op->getOperand(0).getDefiningOp()) &&
        op->getOperand(0).getDefiningOp() == op->getOperand(1).getDefiningOp())
      return repeatViews(group, {op->getOperand(0)});
    for (KernelKind kind : {KernelKind::Contraction, KernelKind::Row, KernelKind::Pointwise})
      for (Value operand : llvm::to_vector(llvm::reverse(op->getOperands()))) {
        int producer = groupOf(operand);
        if (producer < 0 || producer == group || groups[producer].kind != kind)
          continue;
        if (kind != KernelKind::Pointwise && groups[group].kind != KernelKind::Pointwise) {
          miss(op, "not fused with " + nameOf(operand.getDefiningOp()) + ": the kernel has an anchor already, " +
                       nameOf(groups[group].anchor));
          continue;
        }
        join(group, operand, op, /*sameShape=*/true);
      }
    for (Value operand : op->getOperands())
      if (int producer = groupOf(operand);
          producer >= 0 && producer != group &&
          (groups[producer].kind == KernelKind::Attention || groups[producer].kind == KernelKind::Copy))
        miss(op,
             "not fused with " + nameOf(operand.getDefiningOp()) + ": its loops do not compute one element at a time");
  }

  /// A row op reads its input through the arithmetic that makes it.
  void takeProducers(int group, Operation *op) {
    Value input = op->getOperand(0);
    int producer = groupOf(input);
    if (producer < 0)
      return;
    StringRef from = nameOf(input.getDefiningOp());
    if (groups[producer].kind != KernelKind::Pointwise)
      return miss(op, "not fused with " + from + ": a row is complete only when the whole of " +
                          nameOf(groups[producer].anchor) + " is, its statistics reduce over a tiled dimension");
    if (llvm::any_of(groups[producer].ops, [](Operation *member) {
          return isa<EmbeddingOp, GatherOp, GatherElementsOp, GatherNdOp, IotaOp>(member);
        }))
      return miss(op, "not fused with " + from + ": its gathers would be repeated for each statistic");
    join(group, input, op, /*sameShape=*/false);
  }

  /// These values, as far as they are views, are read in the kernel from what they are views of.
  void repeatViews(int group, SmallVector<Value> work) {
    while (!work.empty()) {
      Operation *op = work.pop_back_val().getDefiningOp();
      if (!isView(op) || llvm::is_contained(groups[group].views, op))
        continue;
      groups[group].views.push_back(op);
      // The view is repeated in the kernel; the copy that stood for it stays only where others read it.
      work.push_back(op->getOperand(0));
    }
  }

  /// What the op reads of such work is computed in its kernel.
  void repeatWork(int group, Operation *op) {
    for (Value operand : op->getOperands())
      if (Operation *producer = operand.getDefiningOp();
          producer && repeated.contains(producer) && !llvm::is_contained(groups[group].repeated, producer)) {
        groups[group].repeated.push_back(producer);
        repeatWork(group, producer);
      }
  }

  /// What goes into a cache is computed where it goes: rotated keys, arithmetic of one element at a time, views.
  void closeAppend(int group, KvCacheAppendOp append) {
    SmallVector<Operation *> views;
    Value source = append.getUpdate();
    while (isa_and_nonnull<ReshapeOp, TransposeOp>(source.getDefiningOp()) && source.hasOneUse()) {
      views.push_back(source.getDefiningOp());
      source = views.back()->getOperand(0);
    }
    int producer = groupOf(source);
    if (producer < 0 || (groups[producer].kind != KernelKind::Pointwise && !isa<RopeOp>(groups[producer].anchor)))
      return repeatViews(group, {append.getUpdate()});
    if (initial.contains(source.getDefiningOp()) || !source.hasOneUse())
      return miss(append, "not fused with " + nameOf(source.getDefiningOp()) +
                              ": others read its result, or it is computed once, from weights alone");
    merge(group, producer);
    for (Operation *view : views) {
      if (auto own = member.find(view); own != member.end()) {
        merge(group, own->second);
        continue;
      }
      groups[group].ops.push_back(view);
      member[view] = group;
    }
  }

  /// Attention reads its operands through views and writes through the transpose and reshape that joins the heads.
  void closeAttention(int group, AttentionOp attention) {
    repeatViews(group, {attention.getQuery(), attention.getKey(), attention.getValue()});
    auto next = [&](Value value) { return value.hasOneUse() ? *value.getUsers().begin() : nullptr; };
    auto transpose = dyn_cast_or_null<TransposeOp>(next(attention.getResult()));
    if (!transpose)
      return miss(attention, "writes its heads as they are: no transpose alone reads the result");
    groups[group].ops.push_back(transpose);
    member[transpose] = group;
    if (auto reshape = dyn_cast_or_null<ReshapeOp>(next(transpose.getResult()))) {
      groups[group].ops.push_back(reshape);
      member[reshape] = group;
    }
  }

  Block &block;
  llvm::DenseSet<Operation *> repeated; // computed by who reads it
  SmallVector<KernelGroup> groups;
  DenseMap<Operation *, int> member;
  llvm::DenseSet<Operation *> initial; // computed once, when the model is loaded
  SmallVector<MissedFusion> missed;
};
} // namespace

/// Drops groups of views that were made for kernels that repeat them.
static void dropDeadViews(KernelGroups &result) {
  llvm::DenseSet<Operation *> repeated, dead;
  for (KernelGroup &group : result.groups)
    repeated.insert(group.views.begin(), group.views.end());
  llvm::DenseMap<Operation *, KernelGroup *> home;
  for (KernelGroup &group : result.groups)
    for (Operation *op : group.ops)
      home[op] = &group;
  // Users first: a view is dead when every user repeats it.
  SmallVector<Operation *> order(repeated.begin(), repeated.end());
  llvm::sort(order, [](Operation *a, Operation *b) { return b->isBeforeInBlock(a); });
  for (Operation *view : order)
    if (llvm::all_of(view->getUsers(), [&](Operation *user) {
          if (dead.contains(user))
            return true;
          KernelGroup *group = home.lookup(user);
          return group && llvm::is_contained(group->views, view);
        }))
      dead.insert(view);
  // A view that stays with the op whose result it shows is read as that kernel writes it; the result itself is not
  // written.
  for (KernelGroup &group : result.groups)
    llvm::erase_if(group.views, [&](Operation *view) {
      KernelGroup *own = home.lookup(view);
      return own && own->anchor != view && !dead.contains(view);
    });
  for (KernelGroup &group : result.groups)
    llvm::erase_if(group.ops, [&](Operation *op) { return dead.contains(op); });
  llvm::erase_if(result.groups, [](const KernelGroup &group) { return group.ops.empty(); });
}

KernelGroups tenon::closeKernels(func::FuncOp main) {
  KernelGroups result = Closure(main).run();
  dropDeadViews(result);
  return result;
}
