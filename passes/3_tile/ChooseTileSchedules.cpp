// Decides, before anything is lowered, how each kernel is cut into programs: lib/Schedule has the reasons, this pass
// asks it and writes the answer down. A schedule that stands there already is somebody's choice.
#include "dialects/Tenon/Tenon.h"
#include "dialects/Tile/Tile.h"
#include "dialects/Warp/Warp.h"
#include "lib/Analysis/ContractionKernel.h"
#include "lib/Analysis/GpuOfModule.h"
#include "lib/Analysis/HandSchedules.h"
#include "lib/Schedule/TuningDatabase.h"
#include "lib/Support/Version.h"
#include "passes/3_tile/Passes.h"
#include "passes/3_tile/SumReader.h"
#include "passes/3_tile/TileCandidates.h"
#include "passes/3_tile/TuningKeyOf.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/FormatVariadic.h"

namespace tenon {
#define GEN_PASS_DEF_CHOOSETILESCHEDULESPASS
#include "passes/3_tile/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

static bool isFloat8(Value tensor) {
  return isa<Float8E4M3FNType, Float8E5M2Type>(getElementTypeOrSelf(tensor.getType()));
}

namespace {
struct Choice {
  Attribute schedule;
  std::string reason;
};
} // namespace

static Choice fromRecord(const TuningRecord &record, Attribute schedule) {
  std::string reason = llvm::formatv("from {0}: {1:F1} us on {2} on {3}, the fastest of {4}", record.source,
                                     record.seconds * 1e6, record.device, record.date, record.candidates);
  if (record.schedule == record.modelSchedule)
    reason += ", which is the model's first";
  else
    reason +=
        llvm::formatv("; {0}, the model's first, took {1:F1} us", record.modelSchedule, record.modelSeconds * 1e6);
  if (record.build != version)
    reason += llvm::formatv("; measured with version {0}", record.build);
  return {schedule, reason};
}

/// How long a split may take, to what was measured with a kernel of its own behind it, where who reads the sum adds the
/// parts. Products of few rows are bound by memory with splits and without: decoding is 1.02 to 1.05 times as fast
/// without. Parts of a small product are soon read: in BERT, MiniLM and ViT of one sequence all were faster that took
/// 0.86 to 1.00 of the record by the model. Of GPT-2's 1024 rows and of Llama's 64 none was.
static double worthASplit(int64_t rows, double record) {
  if (rows <= 16)
    return 0;
  return rows <= 256 && record < 12e-6 ? 1.02 : 0.95;
}

/// What was refused before is not looked for in the database.
static FailureOr<Choice> chooseFor(KernelOp kernel, const GpuArch &arch, const TuningDatabase &database, bool tf32) {
  auto refused = kernel->getAttrOfType<ArrayAttr>(refusalsAttrName);
  int64_t refusals = refused ? refused.size() : 0;
  Result<TuningKey> key = tuningKeyOf(kernel, arch, tf32);
  if (const TuningRecord *record = key.ok() && refusals == 0 ? database.find(*key, version) : nullptr) {
    Attribute schedule = parseAttribute(record->schedule, kernel.getContext());
    if (!isa_and_nonnull<tile::GemmAttr>(schedule))
      return kernel.emitError() << "@" << kernel.getKernelName() << ": " << record->source << " has '"
                                << record->schedule << "' for " << key->op << " " << key->shape
                                << ", which is no schedule of a product, `#tile.gemm<..>`";
    // A record was measured with the second kernel of a split product. Who reads the sum may add the parts instead.
    std::optional<ContractionKernel> product = findProduct(kernel.getBlock());
    double worth = findSumReader(kernel) ? worthASplit(gemmShapeOf(kernel, *product, tf32).rows, record->seconds) : 0;
    SmallVector<TileCandidate> ranked =
        worth > 0 ? rankTileSchedules(kernel, arch, tf32) : SmallVector<TileCandidate>();
    auto split = llvm::find_if(ranked, [](TileCandidate &candidate) {
      auto gemm = cast<tile::GemmAttr>(candidate.schedule);
      return gemm.getSplitK() > 1 && gemm.getJoinedParts() == 1;
    });
    if (split != ranked.end() && split->seconds <= worth * record->seconds)
      return Choice{split->schedule, split->reason + "; the parts are added by who reads the sum"};
    return fromRecord(*record, schedule);
  }
  TileCandidate best = rankTileSchedules(kernel, arch, tf32, refusals).front();
  return Choice{best.schedule, best.reason};
}

/// A schedule of another kind is none that programs are made by: the kernel would have a thread an element.
static LogicalResult checkKind(KernelOp kernel, Attribute schedule) {
  struct Kind {
    bool fits;
    const char *is, *schedule;
  };
  Kind kind{isa<tile::RowAttr>(schedule), "rows, without a product", "#tile.row<rows = .., columns = .., part = ..>"};
  if (findProduct(kernel.getBlock()))
    kind = {isa<tile::GemmAttr>(schedule), "a product", "#tile.gemm<rows = .., columns = .., depth = ..>"};
  else if (!kernel.getBlock().getOps<AttentionOp>().empty())
    kind = {isa<tile::AttentionAttr>(schedule), "an attention", "#tile.attention<queries = .., keys = ..>"};
  if (kind.fits)
    return success();
  return kernel.emitError() << "@" << kernel.getKernelName() << " is " << kind.is << ", which " << schedule
                            << " does not cut into programs; give it a schedule `" << kind.schedule << "`";
}

namespace {
struct ChooseTileSchedules : tenon::impl::ChooseTileSchedulesPassBase<ChooseTileSchedules> {
  using ChooseTileSchedulesPassBase::ChooseTileSchedulesPassBase;
  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<const GpuArch *> found = gpuNamed(module, arch);
    if (failed(found))
      return signalPassFailure();
    FailureOr<HandSchedules> byHand = readHandSchedules(module, schedules);
    if (failed(byHand))
      return signalPassFailure();
    Result<TuningDatabase> database = TuningDatabase::open(tuning);
    if (!database.ok()) {
      module.emitError(database.status().message());
      return signalPassFailure();
    }
    llvm::StringSet<> names;
    for (auto main : module.getOps<func::FuncOp>())
      for (auto kernel : main.getOps<KernelOp>()) {
        names.insert(kernel.getKernelName());
        if (failed(choose(kernel, **found, *database, byHand->tile.lookup(kernel.getKernelName()))))
          return signalPassFailure();
      }
    if (failed(checkHandNames(module, schedules, byHand->tile, names,
                              "of the model; tenon-compile --to=kernel shows them")))
      signalPassFailure();
  }

  LogicalResult choose(KernelOp kernel, const GpuArch &arch, const TuningDatabase &database, Attribute byHand) {
    if ((kernel->hasAttr("tenon.schedule") && !byHand) || kernel->getNumResults() == 0)
      return success();
    std::optional<ContractionKernel> product = findProduct(kernel.getBlock());
    if (product && arch.rates.tensorF8 == 0 && isFloat8(product->lhsTensor()) && isFloat8(product->rhsTensor())) {
      kernel->setAttr(generalAttrName,
                      StringAttr::get(kernel.getContext(), Twine(arch.name) + " multiplies no 8-bit floats"));
      return success();
    }
    if (byHand && failed(checkKind(kernel, byHand)))
      return failure();
    FailureOr<Choice> choice =
        byHand ? FailureOr<Choice>({byHand, "by hand"}) : chooseFor(kernel, arch, database, tf32);
    if (failed(choice))
      return failure();
    if (auto refused = kernel->getAttrOfType<ArrayAttr>(refusalsAttrName); refused && !refused.empty())
      if (auto why = dyn_cast<StringAttr>(refused.getValue().back()))
        choice->reason += "; a larger one was refused: " + why.str();
    kernel->setAttr("tenon.schedule", choice->schedule);
    std::string text;
    llvm::raw_string_ostream(text) << "@" << kernel.getKernelName() << " has " << choice->schedule << ": "
                                   << choice->reason;
    remark::passed(kernel.getLoc(), remark::RemarkOpts::name("schedule").category("tenon-choose-tile-schedules"))
        << text;
    return success();
  }
};
} // namespace
