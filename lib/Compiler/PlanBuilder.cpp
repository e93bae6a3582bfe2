#include "lib/Compiler/PlanBuilder.h"

#include "dialects/Tenon/Tenon.h"
#include "lib/Analysis/SymbolicSizes.h"
#include "lib/Analysis/UpdatedOperand.h"
#include "lib/Compiler/ConstantBytes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace tenon {
namespace {

/// `name(i)` is what symbol i stands for.
Expr toExpr(AffineExpr size, llvm::function_ref<std::string(unsigned)> name) {
  if (auto known = dyn_cast<AffineConstantExpr>(size))
    return Expr::constant(known.getValue());
  if (auto symbol = dyn_cast<AffineSymbolExpr>(size))
    return Expr::dimension(name(symbol.getPosition()));
  if (auto dim = dyn_cast<AffineDimExpr>(size))
    return Expr::dimension(name(dim.getPosition()));
  auto binary = cast<AffineBinaryOpExpr>(size);
  auto kind = [&] {
    switch (size.getKind()) {
    case AffineExprKind::Add:
      return Expr::Kind::Add;
    case AffineExprKind::Mul:
      return Expr::Kind::Mul;
    case AffineExprKind::CeilDiv:
      return Expr::Kind::CeilDiv;
    case AffineExprKind::FloorDiv:
      return Expr::Kind::FloorDiv;
    default:
      return Expr::Kind::Mod;
    }
  }();
  return Expr::binary(kind, toExpr(binary.getLHS(), name), toExpr(binary.getRHS(), name));
}

std::string textOf(Attribute attribute) {
  if (auto text = dyn_cast<StringAttr>(attribute))
    return text.str();
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << attribute;
  return text;
}

/// What is written on a kernel's function, over its dims "d0", "d1", ..
class KernelAttributes {
public:
  explicit KernelAttributes(Operation *function) : function(function) {}
  LogicalResult readCpu(PlanKernel &into) {
    return success(succeeded(one("tenon.grid", into.grid, /*isRequired=*/true)) &&
                   succeeded(one("tenon.scratch_bytes", into.scratch, /*isRequired=*/true)));
  }
  LogicalResult readGpu(PlanKernel &into);
  /// A number, or an affine map of one result; `into` stays as it is where there is none.
  LogicalResult one(StringRef attribute, Expr &into, bool isRequired = false);

private:
  LogicalResult wrong(StringRef attribute, StringRef expected) {
    return function->emitError("kernel without `") << attribute << "`, " << expected;
  }
  static Expr exprOf(AffineExpr expr) {
    return toExpr(expr, [](unsigned dim) { return "d" + std::to_string(dim); });
  }
  LogicalResult three(StringRef attribute, std::array<int64_t, 3> &into, bool isRequired);
  LogicalResult tensorMaps(std::vector<PlanTensorMap> &into);

  Operation *function;
};

LogicalResult KernelAttributes::one(StringRef attribute, Expr &into, bool isRequired) {
  Attribute given = function->getAttr(attribute);
  if (!given && !isRequired)
    return success();
  if (auto number = dyn_cast_or_null<IntegerAttr>(given)) {
    into = Expr::constant(number.getInt());
    return success();
  }
  auto map = dyn_cast_or_null<AffineMapAttr>(given);
  if (!map || map.getValue().getNumResults() != 1)
    return wrong(attribute, "an affine map of one result over its dims");
  into = exprOf(map.getValue().getResult(0));
  return success();
}

LogicalResult KernelAttributes::three(StringRef attribute, std::array<int64_t, 3> &into, bool isRequired) {
  if (!function->hasAttr(attribute) && !isRequired)
    return success();
  auto given = function->getAttrOfType<DenseI64ArrayAttr>(attribute);
  if (!given || given.size() != 3)
    return wrong(attribute, "three numbers, as array<i64: 128, 1, 1>");
  llvm::copy(given.asArrayRef(), into.begin());
  return success();
}

LogicalResult KernelAttributes::tensorMaps(std::vector<PlanTensorMap> &into) {
  auto maps = function->getAttrOfType<ArrayAttr>("tenon.tensor_maps");
  for (Attribute each : maps ? maps.getValue() : ArrayRef<Attribute>()) {
    auto map = dyn_cast<DictionaryAttr>(each);
    auto argument = map ? map.getAs<IntegerAttr>("argument") : IntegerAttr();
    auto swizzle = map ? map.getAs<IntegerAttr>("swizzle") : IntegerAttr();
    auto box = map ? map.getAs<DenseI64ArrayAttr>("box") : DenseI64ArrayAttr();
    auto element = map ? map.getAs<TypeAttr>("element") : TypeAttr();
    auto exprs = [&](StringRef name) { return map ? map.getAs<AffineMapAttr>(name) : AffineMapAttr(); };
    AffineMapAttr offset = exprs("offset"), sizes = exprs("sizes"), strides = exprs("strides");
    bool isTf32 = element && element.getValue().isTF32();
    std::optional<DataType> dtype = isTf32 ? DataType::F32 : element ? dataTypeFromName(textOf(element)) : std::nullopt;
    if (!argument || !swizzle || !box || !dtype || !offset || offset.getValue().getNumResults() != 1 || !sizes ||
        !strides)
      return wrong("tenon.tensor_maps", "{argument, box, element, offset, sizes, strides, swizzle} each");
    PlanTensorMap &planned = into.emplace_back();
    planned.argument = argument.getInt();
    planned.dtype = *dtype;
    planned.roundsToTf32 = isTf32;
    planned.offset = exprOf(offset.getValue().getResult(0));
    for (AffineExpr size : sizes.getValue().getResults())
      planned.sizes.push_back(exprOf(size));
    for (AffineExpr stride : strides.getValue().getResults())
      planned.strides.push_back(exprOf(stride));
    planned.box.assign(box.asArrayRef().begin(), box.asArrayRef().end());
    planned.swizzle = swizzle.getInt();
    planned.l2Promotion = 128;                  // a line, of which neighbours read the rest
    planned.fillNan = map.contains("fill_nan"); // a unit, in hand-written kernels alone
  }
  return success();
}

LogicalResult KernelAttributes::readGpu(PlanKernel &into) {
  PlanCudaKernel cuda;
  cuda.cubin = into.symbol;
  auto grid = function->getAttrOfType<AffineMapAttr>("tenon.grid");
  if (!grid || grid.getValue().getNumResults() != 3)
    return wrong("tenon.grid", "an affine map of three results over its dims");
  for (auto [axis, expr] : llvm::zip_equal(cuda.grid, grid.getValue().getResults()))
    axis = exprOf(expr);
  if (failed(three("tenon.block", cuda.block, true)) || failed(three("tenon.cluster", cuda.cluster, false)) ||
      failed(one("tenon.shared_bytes", cuda.sharedBytes)) || failed(one("tenon.zeroed_bytes", cuda.zeroedBytes)) ||
      failed(one("tenon.scratch_bytes", into.scratch)) || failed(tensorMaps(cuda.tensorMaps)))
    return failure();
  if (auto counters = function->getAttrOfType<IntegerAttr>("tenon.counter_bytes"))
    cuda.counterBytes = counters.getInt();
  if (auto resident = function->getAttrOfType<IntegerAttr>("tenon.one_wave"))
    cuda.waveCtas = resident.getInt();
  if (auto sizes = function->getAttrOfType<AffineMapAttr>("tenon.counted_sizes"))
    for (AffineExpr size : sizes.getValue().getResults())
      cuda.countedSizes.push_back(exprOf(size));
  into.cuda = std::move(cuda);
  return success();
}

class PlanBuilder {
public:
  PlanBuilder(ModuleOp module, func::FuncOp main, SymbolicSizes sizes, bool forGpu)
      : module(module), main(main), sizes(std::move(sizes)), forGpu(forGpu) {}
  FailureOr<BuiltPlan> build();

private:
  FailureOr<PlanValue *> add(Value value, ValueKind kind);
  LogicalResult addConditions();
  LogicalResult visit(Operation *op);
  LogicalResult visitConstant(ConstantOp op);
  LogicalResult visitLaunch(LaunchOp op);
  LogicalResult visitReturn(func::ReturnOp op);
  LogicalResult addKernel(LaunchOp op, StringRef kernel);
  Expr expr(AffineExpr size) const {
    return toExpr(size, [&](unsigned symbol) { return sizes.dims().names[symbol].str(); });
  }
  PlanValue &valueOf(Value value) { return built.plan.values[ids.lookup(value)]; }

  ModuleOp module;
  func::FuncOp main;
  SymbolicSizes sizes;
  bool forGpu;
  BuiltPlan built;
  llvm::DenseMap<Value, int64_t> ids;
  llvm::DenseSet<Value> loadTime; // known once the weights are
  llvm::DenseMap<Attribute, int64_t> constantOffsets;
};

FailureOr<PlanValue *> PlanBuilder::add(Value value, ValueKind kind) {
  auto type = cast<RankedTensorType>(value.getType());
  std::optional<DataType> dtype = dataTypeFromName(textOf(TypeAttr::get(type.getElementType())));
  if (!dtype)
    return emitError(value.getLoc()) << "element type " << type.getElementType() << " cannot be stored in a buffer";
  PlanValue &planned = built.plan.values.emplace_back();
  planned.id = built.plan.values.size() - 1;
  planned.dtype = *dtype;
  planned.kind = kind;
  for (AffineExpr size : sizes.of(value))
    planned.shape.push_back(expr(size));
  ids[value] = planned.id;
  return &planned;
}

LogicalResult PlanBuilder::visitConstant(ConstantOp op) {
  FailureOr<PlanValue *> planned = add(op.getResult(), ValueKind::Constant);
  if (failed(planned))
    return failure();
  auto [found, isNew] = constantOffsets.try_emplace(op.getValueAttr(), 0);
  if (isNew) {
    built.constants.resize(llvm::alignTo(built.constants.size(), 64));
    found->second = built.constants.size();
    if (failed(appendBytes(op.getValue(), built.constants)))
      return op.emitError("the value of this constant is not in the text; a constant is `dense<...>`");
  }
  (*planned)->offset = found->second;
  loadTime.insert(op.getResult());
  return success();
}

LogicalResult PlanBuilder::addKernel(LaunchOp op, StringRef kernel) {
  if (built.plan.kernels.count(kernel.str()))
    return success();
  auto function = module.lookupSymbol(op.getCallee()) ? SymbolTable::lookupSymbolIn(module, op.getCallee()) : nullptr;
  if (!function)
    return op.emitError("calls ") << op.getCallee() << ", which is not in the module";
  PlanKernel planned;
  planned.symbol = kernel.str();
  KernelAttributes attributes(function);
  if (failed(forGpu ? attributes.readGpu(planned) : attributes.readCpu(planned)) ||
      failed(attributes.one("tenon.flops", planned.flops)) || failed(attributes.one("tenon.bytes", planned.bytes)))
    return failure();
  if (auto updates = function->getAttrOfType<DenseI64ArrayAttr>(updatesAttrName))
    planned.updates.assign(updates.asArrayRef().begin(), updates.asArrayRef().end());
  if (Attribute schedule = function->getDiscardableAttr("tenon.schedule"))
    planned.schedule = textOf(schedule);
  if (auto warps = function->getAttrOfType<StringAttr>("tenon.warps"))
    planned.schedule += (planned.schedule.empty() ? "" : " ") + warps.str();
  if (auto lines = function->getAttrOfType<ArrayAttr>(pipelineAttrName))
    for (Attribute line : lines)
      planned.schedule += "\n" + cast<StringAttr>(line).str();
  if (auto sources = function->getAttrOfType<ArrayAttr>("tenon.sources"))
    for (Attribute source : sources)
      planned.sources.push_back(textOf(source));
  built.plan.kernels[kernel.str()] = std::move(planned);
  return success();
}

LogicalResult PlanBuilder::visitLaunch(LaunchOp op) {
  StringRef kernel = op.getCallee().getLeafReference().getValue();
  if (failed(addKernel(op, kernel)))
    return failure();
  bool isInit =
      llvm::all_of(op.getInputs(), [&](Value input) { return loadTime.contains(input); }) &&
      llvm::all_of(op.getResultTypes(), [](Type type) { return cast<RankedTensorType>(type).hasStaticShape(); });
  PlanLaunch launch;
  launch.kernel = kernel.str();
  auto addDims = [&](Value value) {
    for (auto [dimension, size] : llvm::enumerate(cast<RankedTensorType>(value.getType()).getShape()))
      if (ShapedType::isDynamic(size))
        launch.dims.push_back(expr(sizes.of(value)[dimension]));
  };
  for (Value input : op.getInputs()) {
    launch.operands.push_back(ids.lookup(input));
    addDims(input);
  }
  for (Value result : op.getResults()) {
    FailureOr<PlanValue *> planned = add(result, isInit ? ValueKind::Persistent : ValueKind::Temp);
    if (failed(planned))
      return failure();
    launch.results.push_back((*planned)->id);
    addDims(result);
    if (isInit)
      loadTime.insert(result);
  }
  // What is computed at load is computed once: it need not start early.
  launch.programmatic = !isInit && SymbolTable::lookupSymbolIn(module, op.getCallee())->hasAttr("tenon.programmatic");
  (isInit ? built.plan.init : built.plan.launches).push_back(std::move(launch));
  return success();
}

LogicalResult PlanBuilder::visitReturn(func::ReturnOp op) {
  for (auto [index, value] : llvm::enumerate(op.getOperands())) {
    auto named = main.getResultAttrOfType<StringAttr>(index, "tenon.name");
    std::string name = named ? named.str() : "output" + std::to_string(index);
    // A launch writes to the caller's memory where it can; anything else is copied there.
    bool isWritten = value.getDefiningOp<LaunchOp>() && valueOf(value).kind == ValueKind::Temp;
    if (isWritten) {
      valueOf(value).kind = ValueKind::Output;
    } else {
      int64_t source = ids.lookup(value);
      FailureOr<PlanValue *> copied = add(value, ValueKind::Output);
      if (failed(copied))
        return failure();
      (*copied)->source = source;
      ids[value] = source;
      built.plan.outputs.push_back((*copied)->id);
      (*copied)->name = name;
      continue;
    }
    valueOf(value).name = name;
    built.plan.outputs.push_back(ids.lookup(value));
  }
  return success();
}

LogicalResult PlanBuilder::visit(Operation *op) {
  if (auto constant = dyn_cast<ConstantOp>(op))
    return visitConstant(constant);
  if (auto launch = dyn_cast<LaunchOp>(op))
    return visitLaunch(launch);
  if (auto weight = dyn_cast<WeightOp>(op)) {
    FailureOr<PlanValue *> planned = add(weight.getResult(), ValueKind::Weight);
    if (failed(planned))
      return failure();
    (*planned)->name = weight.getKey().str();
    loadTime.insert(weight.getResult());
    return success();
  }
  if (auto reshape = dyn_cast<ReshapeOp>(op)) {
    FailureOr<PlanValue *> planned = add(reshape.getResult(), ValueKind::View);
    if (failed(planned))
      return failure();
    (*planned)->source = ids.lookup(reshape.getInput());
    if (loadTime.contains(reshape.getInput()))
      loadTime.insert(reshape.getResult());
    return success();
  }
  if (AffineExpr held = op->getNumResults() == 1 ? sizes.held(op->getResult(0)) : AffineExpr()) {
    FailureOr<PlanValue *> planned = add(op->getResult(0), ValueKind::Size);
    if (failed(planned))
      return failure();
    (*planned)->size = expr(held);
    return success();
  }
  return op->emitOpError(
      "is left in @main after the last phase, expected weights, constants, views, sizes and launches: "
      "a launch plan has no place for it; start from an earlier phase");
}

LogicalResult PlanBuilder::addConditions() {
  Attribute stated = main->getAttr("tenon.size_conditions");
  auto conditions = stated ? dyn_cast<ArrayAttr>(stated) : ArrayAttr::get(main.getContext(), {});
  size_t dims = sizes.dims().names.size();
  bool areRead = conditions && llvm::all_of(conditions, [&](Attribute attribute) {
                   auto condition = dyn_cast<SizeConditionAttr>(attribute);
                   return condition && condition.getSizes().getValue().getNumSymbols() == dims;
                 });
  if (!areRead)
    return main.emitError("`tenon.size_conditions` is ")
           << stated << ", expected an array of #tenon.size_condition over the " << dims
           << " named dimensions of @main; tenon-require-sizes writes it";
  for (auto condition : conditions.getAsRange<SizeConditionAttr>()) {
    AffineMap map = condition.getSizes().getValue();
    built.plan.conditions.push_back({static_cast<PlanCondition::Relation>(condition.getRelation()),
                                     expr(map.getResult(0)), expr(map.getResult(1)), condition.getSource().str()});
  }
  return success();
}

FailureOr<BuiltPlan> PlanBuilder::build() {
  if (auto metadata = module->getAttrOfType<StringAttr>("tenon.metadata"))
    built.plan.metadata = metadata.str();
  const DimNames &dims = sizes.dims();
  for (auto [name, lo, hi] : llvm::zip_equal(dims.names, dims.lo, dims.hi))
    built.plan.dims.push_back({name.str(), lo, hi});
  if (failed(addConditions()))
    return failure();
  for (BlockArgument argument : main.getArguments()) {
    FailureOr<PlanValue *> planned = add(argument, ValueKind::Input);
    if (failed(planned))
      return failure();
    auto named = main.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "tenon.name");
    (*planned)->name = named ? named.str() : "input" + std::to_string(argument.getArgNumber());
    built.plan.inputs.push_back((*planned)->id);
  }
  for (Operation &op : main.getBody().front().without_terminator())
    if (failed(visit(&op)))
      return failure();
  if (failed(visitReturn(cast<func::ReturnOp>(main.getBody().front().getTerminator()))))
    return failure();
  for (int64_t output : built.plan.outputs)
    built.plan.values[output].over = inputUnder(built.plan, output);
  return std::move(built);
}

} // namespace

FailureOr<BuiltPlan> buildPlan(ModuleOp module, bool forGpu) {
  FailureOr<func::FuncOp> main = findMain(module);
  if (failed(main))
    return failure();
  FailureOr<SymbolicSizes> sizes = SymbolicSizes::compute(*main);
  if (failed(sizes))
    return failure();
  return PlanBuilder(module, *main, *std::move(sizes), forGpu).build();
}

} // namespace tenon
