// Layouts: text, normal form and what follows from the digits; MMA atoms and where their fragments lie.
#include "dialects/Warp/Warp.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace tenon::warp;

//===--- #warp.layout --------------------------------------------------------------------------------------------===//

static char letterOf(DigitKind kind) { return kind == DigitKind::Register ? 'r' : kind == DigitKind::Lane ? 'l' : 'w'; }

/// "r4", "l8*4"; null where the text is no digit.
static ParseResult parseDigit(AsmParser &parser, SmallVectorImpl<Digit> &dim) {
  SMLoc location = parser.getCurrentLocation();
  StringRef word;
  Digit digit{DigitKind::Register, 0};
  if (parser.parseKeyword(&word))
    return failure();
  StringRef number = word.drop_front();
  std::optional<DigitKind> kind;
  for (DigitKind candidate : {DigitKind::Register, DigitKind::Lane, DigitKind::Warp})
    if (word.front() == letterOf(candidate))
      kind = candidate;
  if (!kind || number.getAsInteger(10, digit.size) || digit.size < 1)
    return parser.emitError(location, "'") << word << "' is no digit; a digit is r, l or w and a size, as in l8*4";
  digit.kind = *kind;
  if (succeeded(parser.parseOptionalStar())) {
    if (digit.kind == DigitKind::Register)
      return parser.emitError(location, "'") << word << "' has a stride; only lanes and warps have one";
    if (parser.parseInteger(digit.stride))
      return failure();
  }
  dim.push_back(digit);
  return success();
}

/// Digits in normal form.
static SmallVector<Digit> normalize(ArrayRef<SmallVector<Digit>> dims) {
  SmallVector<Digit> digits;
  for (auto [dimension, dim] : llvm::enumerate(dims)) {
    size_t first = digits.size();
    for (Digit digit : dim) {
      digit.dim = dimension;
      if (digit.kind == DigitKind::Register)
        digit.stride = 1;
      if (digit.size == 1)
        continue;
      // Slower neighbour: it goes on where this digit ends.
      Digit *slower = digits.size() > first ? &digits.back() : nullptr;
      if (slower && slower->kind == digit.kind &&
          (digit.kind == DigitKind::Register || slower->stride == digit.stride * digit.size)) {
        slower->size *= digit.size;
        slower->stride = digit.stride;
        continue;
      }
      digits.push_back(digit);
    }
  }
  return digits;
}

LayoutAttr LayoutAttr::get(MLIRContext *context, ArrayRef<SmallVector<Digit>> dims) {
  return get(context, dims.size(), normalize(dims));
}

Attribute LayoutAttr::parse(AsmParser &parser, Type) {
  SmallVector<SmallVector<Digit>> dims;
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseLess())
    return {};
  if (failed(parser.parseOptionalGreater())) {
    do {
      SmallVector<Digit> dim;
      if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] { return parseDigit(parser, dim); }))
        return {};
      dims.push_back(dim);
    } while (succeeded(parser.parseOptionalComma()));
    if (parser.parseGreater())
      return {};
  }
  SmallVector<Digit> digits = normalize(dims);
  if (failed(verify([&] { return parser.emitError(location); }, dims.size(), digits)))
    return {};
  return get(parser.getContext(), dims.size(), digits);
}

void LayoutAttr::print(AsmPrinter &printer) const {
  printer << '<';
  for (int64_t dimension = 0; dimension < getRank(); ++dimension) {
    printer << (dimension ? ", [" : "[");
    llvm::interleaveComma(getDim(dimension), printer, [&](const Digit &digit) {
      printer << letterOf(digit.kind) << digit.size;
      if (digit.kind != DigitKind::Register && digit.stride != 1)
        printer << '*' << digit.stride;
    });
    printer << ']';
  }
  printer << '>';
}

LogicalResult LayoutAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, int64_t rank,
                                 ArrayRef<Digit> digits) {
  for (auto [kind, name, most] :
       {std::tuple(DigitKind::Lane, "lane", int64_t(32)), {DigitKind::Warp, "warp", int64_t(32)}}) {
    // Digits of one kind read disjoint parts of the number: sorted by stride, each begins where another has ended.
    SmallVector<std::pair<int64_t, int64_t>> spans;
    for (const Digit &digit : digits) {
      if (digit.kind != kind)
        continue;
      if (digit.stride < 1)
        return emitError() << "a digit has stride " << digit.stride << ", expected at least 1";
      spans.push_back({digit.stride, std::min(digit.stride, most + 1) * std::min(digit.size, most + 1)});
    }
    llvm::sort(spans);
    int64_t end = 1;
    for (auto [begin, next] : spans) {
      if (begin < end || begin % end != 0)
        return emitError() << "digits read the same part of the " << name << "'s number";
      end = next;
    }
    if (end > most)
      return emitError() << "digits count to more than " << most << " " << name << "s";
  }
  // More than any thread has, and few enough to list.
  constexpr int64_t mostRegisters = 1 << 16;
  int64_t registers = 1;
  for (const Digit &digit : digits)
    if (digit.kind == DigitKind::Register && (digit.size > mostRegisters || (registers *= digit.size) > mostRegisters))
      return emitError() << "digits count to more than " << mostRegisters << " registers";
  return success();
}

SmallVector<Digit> LayoutAttr::getDim(int64_t dimension) const {
  SmallVector<Digit> dim;
  for (const Digit &digit : getDigits())
    if (digit.dim == dimension)
      dim.push_back(digit);
  return dim;
}

int64_t LayoutAttr::getReach(int64_t dimension) const {
  int64_t reach = 1;
  for (const Digit &digit : getDigits())
    reach *= digit.dim == dimension ? digit.size : 1;
  return reach;
}

static int64_t count(LayoutAttr layout, DigitKind kind) {
  int64_t product = 1;
  for (const Digit &digit : layout.getDigits())
    product *= digit.kind == kind ? digit.size : 1;
  return product;
}
int64_t LayoutAttr::getNumRegisters() const { return count(*this, DigitKind::Register); }
int64_t LayoutAttr::getNumWarps() const { return count(*this, DigitKind::Warp); }
int64_t LayoutAttr::getNumLanes() const { return count(*this, DigitKind::Lane); }

LayoutAttr LayoutAttr::pick(ArrayRef<int64_t> dims) const {
  SmallVector<SmallVector<Digit>> picked;
  for (int64_t dimension : dims)
    picked.push_back(getDim(dimension));
  return get(getContext(), picked);
}

LayoutAttr LayoutAttr::drop(int64_t dimension) const {
  auto dims = llvm::to_vector(llvm::seq<int64_t>(0, getRank()));
  dims.erase(dims.begin() + dimension);
  return pick(dims);
}

/// Takes from the fast end of `digits` those that count to `size`, a digit in part where it is a multiple of what is
/// missing; false where they do not.
static bool takeDigits(SmallVectorImpl<Digit> &digits, int64_t size, SmallVectorImpl<Digit> &taken) {
  while (size > 1) {
    if (digits.empty())
      return false;
    Digit digit = digits.pop_back_val();
    int64_t part = std::min(size, digit.size);
    if (size % part != 0 || digit.size % part != 0)
      return false;
    if (int64_t slower = digit.size / part; slower > 1)
      digits.push_back({digit.kind, slower, digit.stride * part});
    digit.size = part;
    taken.insert(taken.begin(), digit);
    size /= part;
  }
  return true;
}

LayoutAttr LayoutAttr::reshape(ArrayRef<int64_t> from, ArrayRef<int64_t> to) const {
  SmallVector<SmallVector<Digit>> dims(to.size());
  // Dimensions of size 1 have no digits.
  auto withoutUnits = [](ArrayRef<int64_t> shape) {
    auto all = llvm::seq<int64_t>(0, shape.size());
    return llvm::to_vector(llvm::make_filter_range(all, [&](int64_t d) { return shape[d] != 1; }));
  };
  SmallVector<int64_t> sources = withoutUnits(from), targets = withoutUnits(to);
  for (size_t s = 0, t = 0; s < sources.size() && t < targets.size();) {
    // The next dimensions of both that have as many elements.
    size_t firstSource = s, firstTarget = t;
    int64_t numSources = from[sources[s++]], numTargets = to[targets[t++]];
    while (numSources != numTargets)
      if (numSources < numTargets)
        numSources *= from[sources[s++]];
      else
        numTargets *= to[targets[t++]];
    ArrayRef<int64_t> left = ArrayRef(sources).slice(firstSource, s - firstSource),
                      right = ArrayRef(targets).slice(firstTarget, t - firstTarget);
    if (left.size() == 1 && right.size() == 1) { // whose digits may count past its end
      dims[right.front()] = getDim(left.front());
      continue;
    }
    SmallVector<Digit> digits;
    for (int64_t d : left) {
      if (getReach(d) != from[d])
        return {};
      llvm::append_range(digits, getDim(d));
    }
    for (int64_t d : llvm::reverse(right))
      if (!takeDigits(digits, to[d], dims[d]))
        return {};
  }
  return get(getContext(), dims);
}

LayoutAttr LayoutAttr::dropRegisters(int64_t dimension) const {
  SmallVector<SmallVector<Digit>> dims;
  for (int64_t d = 0; d < getRank(); ++d)
    dims.push_back(getDim(d));
  llvm::erase_if(dims[dimension], [](const Digit &digit) { return digit.kind == DigitKind::Register; });
  return get(getContext(), dims);
}

SmallVector<SmallVector<int64_t>> LayoutAttr::registerPlaces() const {
  SmallVector<SmallVector<int64_t>> places(1);
  places.front().assign(getRank(), 0);
  SmallVector<int64_t> weights(getDigits().size(), 1);
  for (int64_t index = int64_t(weights.size()) - 2; index >= 0; --index)
    if (getDigits()[index].dim == getDigits()[index + 1].dim)
      weights[index] = weights[index + 1] * getDigits()[index + 1].size;
  for (auto [digit, weight] : llvm::zip_equal(getDigits(), weights)) {
    if (digit.kind != DigitKind::Register)
      continue;
    SmallVector<SmallVector<int64_t>> next;
    for (ArrayRef<int64_t> place : places)
      for (int64_t value = 0; value < digit.size; ++value) {
        next.emplace_back(place);
        next.back()[digit.dim] += value * weight;
      }
    places = std::move(next);
  }
  return places;
}

int64_t LayoutAttr::threadPlace(int64_t dimension, int64_t lane, int64_t warp) const {
  int64_t place = 0;
  for (const Digit &digit : getDim(dimension)) {
    int64_t number = digit.kind == DigitKind::Lane ? lane : digit.kind == DigitKind::Warp ? warp : 0;
    place = place * digit.size + number / digit.stride % digit.size;
  }
  return place;
}

int64_t LayoutAttr::getRun(int64_t dimension) const {
  SmallVector<Digit> dim = getDim(dimension);
  return dim.empty() || dim.back().kind != DigitKind::Register ? 1 : dim.back().size;
}

//===--- atoms and schedules -------------------------------------------------------------------------------------===//

LogicalResult MmaSyncAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, int64_t m, int64_t n, int64_t k) {
  if (m != 16 || n != 8 || (k != 8 && k != 16 && k != 32))
    return emitError() << "mma.sync of " << m << " x " << n << " x " << k << ", expected 16 x 8 x 8, 16 or 32";
  return success();
}

static bool isF8(Type element) { return isa<Float8E4M3FNType, Float8E5M2Type>(element); }

bool MmaSyncAttr::takes(Type element) const {
  return getK() == 16  ? element.isF16() || element.isBF16()
         : getK() == 8 ? element.isF32()
                       : element.isInteger(8) || isF8(element);
}

int64_t MmaSyncAttr::getRows() const { return getM(); }
int64_t MmaSyncAttr::getDepth() const { return getK(); }

SmallVector<SmallVector<Digit>> MmaSyncAttr::lhsDigits(int64_t rows, int64_t depth, int64_t warpsM,
                                                       int64_t warpsN) const {
  // PTX ISA, "Matrix Fragments for mma.m16n8k16" and its neighbours: 32 bits of the depth a thread and register.
  int64_t run = getK() / 8;
  return {{warps(warpsM, warpsN), registers(rows / (8 * warpsM)), lanes(8, 4)},
          {registers(depth / (4 * run)), lanes(4), registers(run)}};
}

bool FmaAttr::takes(Type element) const {
  return element.isF32() || element.isF64() || element.isF16() || element.isBF16();
}
int64_t FmaAttr::getRows() const { return 8; }
int64_t FmaAttr::getDepth() const { return 4; }
SmallVector<SmallVector<Digit>> FmaAttr::lhsDigits(int64_t, int64_t, int64_t, int64_t) const { return {}; }

LogicalResult WgmmaAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, int64_t k) {
  if (k != 8 && k != 16 && k != 32)
    return emitError() << "wgmma of a depth of " << k << ", expected 8, 16 or 32";
  return success();
}

bool WgmmaAttr::takes(Type element) const {
  return getK() == 8 ? element.isTF32() : MmaSyncAttr::get(getContext(), 16, 8, getK()).takes(element);
}
int64_t WgmmaAttr::getRows() const { return 16; }
int64_t WgmmaAttr::getDepth() const { return getK(); }
SmallVector<SmallVector<Digit>> WgmmaAttr::lhsDigits(int64_t rows, int64_t depth, int64_t warpsM,
                                                     int64_t warpsN) const {
  // PTX ISA, "Register Fragments for wgmma.mma_async.m64nNk16", k8 and k32: each warp's 16 rows are those of mma.sync.
  return MmaSyncAttr::get(getContext(), 16, 8, getK()).lhsDigits(rows, depth, warpsM, warpsN);
}

LogicalResult ScheduleAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, int64_t warpsM, int64_t warpsN,
                                   int64_t stages, bool, bool wgmma, bool producer, int64_t outerStages, bool turns,
                                   int64_t cluster, int64_t teams, int64_t early, int64_t resident) {
  if (wgmma && (warpsM % 4 != 0 || warpsN != 1))
    return emitError() << "wgmma has " << warpsM << " x " << warpsN
                       << " warps, expected a multiple of 4 along the rows, 1 along the columns";
  if (producer && !wgmma)
    return emitError() << "a producer fills rings for wgmma only";
  if (turns && (!producer || warpsM < 8))
    return emitError() << "warpgroups take turns where there are two at least, beside a producer";
  if (cluster != 1 && ((cluster != 2 && cluster != 4) || !producer))
    return emitError() << "a cluster has " << cluster << " CTAs, expected 1, or with a producer 2 or 4";
  if (teams != 1 && (teams != 2 || !producer || turns || warpsM != 4))
    return emitError() << "a CTA has " << teams << " teams of " << warpsM << " x " << warpsN
                       << " warps, expected 1, or with a producer and without turns 2 of 4 x 1 warps";
  if (early < 0 || (early > 0 && (!producer || teams != 1)))
    return emitError() << "what is streamed comes through " << early
                       << " slots of its own, expected none, or with a producer and without teams a positive number";
  if (resident < 1 || (resident > 1 && (!producer || teams != 1)))
    return emitError() << "a multiprocessor has " << resident
                       << " CTAs at a time, expected 1, or with a producer and without teams a positive number";
  if (warpsM < 1 || warpsN < 1 || warpsM * warpsN > 32)
    return emitError() << "a program has " << warpsM << " x " << warpsN << " warps, expected 1 to 32";
  if (std::min(stages, outerStages) < 1)
    return emitError() << "rings have " << std::min(stages, outerStages) << " slots, expected at least 1";
  return success();
}

LogicalResult OrderAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, int64_t longest, int64_t group) {
  if (longest < 0 || group < 1)
    return emitError() << "programs are ordered along axis " << longest << " in groups of " << group
                       << ", expected an axis of the grid and at least 1";
  return success();
}

LogicalResult ClusterAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, int64_t axis, int64_t size) {
  if (axis < 0 || (size != 2 && size != 4))
    return emitError() << "a cluster has " << size << " programs along axis " << axis
                       << ", expected 2 or 4 along an axis of the grid";
  return success();
}

LayoutAttr ScheduleAttr::accumulatorLayout(int64_t rows, int64_t columns, int64_t run) const {
  return LayoutAttr::get(
      getContext(), {{warps(getWarpsM(), getWarpsN()), registers(rows / (8 * getWarpsM())), lanes(8, 4)},
                     {warps(getWarpsN()), registers(columns / (4 * run * getWarpsN())), lanes(4), registers(run)}});
}

#include "dialects/Warp/WarpInterfaces.cpp.inc"
