// Dots: by mma.sync on fragments from ldmatrix, or by multiply-adds.
#include "passes/5_thread/ThreadEmitter.h"

#include "dialects/Ptx/Ptx.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

LogicalResult ThreadEmitter::emitDot(warp::DotOp op) {
  if (op.isWidening())
    return emitWideningDot(op);
  if (auto atom = dyn_cast<MmaSyncAttr>(Attribute(op.getAtom())))
    return emitMmaSync(op, atom);
  if (isa<WgmmaAttr>(Attribute(op.getAtom())))
    return emitWgmma(op);
  return emitFma(op);
}

ThreadEmitter::WarpTile ThreadEmitter::warpTileOf(warp::DotOp op) {
  LayoutAttr layout = layoutOf(op.getResult());
  WarpTile tile{0, 0, 1, 1, Value(), Value()};
  for (const Digit &digit : layout.getDigits())
    if (digit.kind == DigitKind::Warp)
      (digit.dim == 0 ? tile.warpsM : tile.warpsN) *= digit.size;
  tile.rowBlocks = op.getType().getDimSize(0) / (8 * tile.warpsM);
  tile.columnBlocks = op.getType().getDimSize(1) / (8 * tile.warpsN);
  Value warpM = tile.warpsM == 1 ? Value() : digitValue(warps(tile.warpsM, tile.warpsN));
  Value warpN = tile.warpsN == 1 ? Value() : digitValue(warps(tile.warpsN));
  tile.firstRow = mul(warpM, tile.rowBlocks * 8);
  tile.firstColumn = mul(warpN, tile.columnBlocks * 8);
  return tile;
}

/// Matrices 0 to 3 are read from rows of lanes 0-7, 8-15, 16-23, 24-31.
SmallVector<Value> ThreadEmitter::loadMatrices(Value base, SmemType type, const MatrixRead &read) {
  int64_t perChunk = 16 / type.getElementBytes();
  Value low = arith::AndIOp::create(b, lane, i32(7));
  Value eighth = arith::AndIOp::create(b, arith::ShRUIOp::create(b, lane, i32(3)), i32(1));
  Value sixteenth = arith::ShRUIOp::create(b, lane, i32(4));
  Value further = read.firstAlongRows ? eighth : sixteenth, other = read.firstAlongRows ? sixteenth : eighth;
  ThreadPlace atRow{add(low, mul(further, 8)), 16, read.row};
  ThreadPlace atColumn{mul(other, perChunk), perChunk + 1, read.column};
  if (read.warpRow)
    atRow.thread = add(atRow.thread, read.warpRow);
  if (read.warpColumn) {
    atColumn.thread = add(atColumn.thread, read.warpColumn);
    atColumn.bound = type.getShape()[1];
  }
  Value address = smemAddress(base, type, atRow, atColumn);
  Type word = b.getI32Type();
  auto words = LLVM::LLVMStructType::getLiteral(b.getContext(), SmallVector<Type>(read.count, word));
  auto layout = read.isTransposed ? NVVM::MMALayout::col : NVVM::MMALayout::row;
  Value loaded =
      NVVM::LdMatrixOp::create(b, words, address, read.count, layout,
                               NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8), NVVM::LdStMatrixEltType::B16);
  SmallVector<Value> list;
  for (uint32_t number = 0; number < read.count; ++number)
    list.push_back(LLVM::ExtractValueOp::create(b, loaded, ArrayRef<int64_t>(number)));
  return list;
}

Value ThreadEmitter::roundedToTf32(Value number) {
  Type type = number.getType();
  if (!type.isF32())
    number = LLVM::BitcastOp::create(b, b.getF32Type(), number);
  Value word = NVVM::ConvertFloatToTF32Op::create(b, b.getI32Type(), number, NVVM::FPRoundingMode::RNA,
                                                  NVVM::SaturationMode::NONE, /*relu=*/false);
  return type.isF32() ? LLVM::BitcastOp::create(b, type, word).getResult() : word;
}

/// k steps of 32 bytes: 16 elements of 16 bits, 8 of 32, 32 of 8. An ldmatrix gives each thread 32 bits of each of four
/// 8 x 16 byte matrices, which is what mma.sync takes, whatever the elements are; transposed it takes 16-bit ones only.
LogicalResult ThreadEmitter::emitMmaSync(warp::DotOp op, MmaSyncAttr atom) {
  WarpTile tile = warpTileOf(op);
  auto rhsType = cast<SmemType>(op.getRhs().getType());
  auto lhsType = dyn_cast<SmemType>(op.getLhs().getType());
  Type element = rhsType.getElementType();
  Type lhsElement = lhsType ? lhsType.getElementType() : cast<RankedTensorType>(op.getLhs().getType()).getElementType();
  int64_t bits = element.getIntOrFloatBitWidth(), perChunk = 128 / bits, depth = 2 * perChunk;
  int64_t k = op.getTransposeB() ? rhsType.getShape()[1] : rhsType.getShape()[0];
  if (bits != 16 && ((lhsType && op.getTransposeA()) || !op.getTransposeB()))
    return op.emitOpError("reads ") << element << " across its depth, which ldmatrix does for 16-bit elements only; "
                                    << "transpose the operand, or choose plain multiply-adds";
  Type i32Type = b.getI32Type();
  auto word = [&](Value structure, int64_t number) -> Value {
    return LLVM::ExtractValueOp::create(b, structure, ArrayRef<int64_t>(number));
  };
  bool isTf32 = atom.getK() == 8;
  auto rounded = [&](SmallVector<Value> words) {
    for (Value &word : words)
      word = isTf32 ? roundedToTf32(word) : word;
    return words;
  };

  /// The left operand's four words for rows 16 * block on, depth step `step`.
  auto lhsWords = [&](int64_t block, int64_t step) -> SmallVector<Value> {
    if (lhsType && op.getTransposeA())
      return loadMatrices(
          scalarOf(op.getLhs()), lhsType,
          {/*firstAlongRows=*/false, /*isTransposed=*/true, {}, tile.firstRow, step * depth, block * 16});
    if (lhsType)
      return rounded(
          loadMatrices(scalarOf(op.getLhs()), lhsType,
                       {/*firstAlongRows=*/true, /*isTransposed=*/false, tile.firstRow, {}, block * 16, step * depth}));
    ArrayRef<Value> list = valuesOf(op.getLhs());
    int64_t run = 32 / bits, blocks = k / (4 * run);
    SmallVector<Value> words;
    for (auto [half, part] : {std::pair(0, 0), {1, 0}, {0, 1}, {1, 1}}) {
      SmallVector<Value> elements(list.slice(((2 * block + half) * blocks + 2 * step + part) * run, run));
      Value packed = pack(elements, lhsElement);
      words.push_back(packed.getType() == i32Type ? packed : LLVM::BitcastOp::create(b, i32Type, packed).getResult());
    }
    return rounded(words);
  };
  /// The right operand's words for columns 8 * block on, two for each of two blocks.
  auto rhsWords = [&](int64_t block, int64_t step) -> SmallVector<Value> {
    // An odd last block: the one before comes along, where there is one.
    int64_t first = block + 1 == tile.columnBlocks && block > 0 ? block - 1 : block;
    uint32_t count = tile.columnBlocks == 1 ? 2 : 4;
    MatrixRead alongDepth{false, false, tile.firstColumn, {}, first * 8, step * depth, count},
        across{true, true, {}, tile.firstColumn, step * depth, first * 8, count};
    SmallVector<Value> words = loadMatrices(scalarOf(op.getRhs()), rhsType, op.getTransposeB() ? alongDepth : across);
    words = rounded(words);
    if (first != block)
      return {words[2], words[3]};
    return words;
  };

  SmallVector<Value> sums(valuesOf(op.getAccumulator()));
  Type sumType = op.getType().getElementType();
  auto result = LLVM::LLVMStructType::getLiteral(b.getContext(), SmallVector<Type>(4, sumType));
  auto kindOf = [](Type type) {
    return type.isF16()        ? NVVM::MMATypes::f16
           : type.isBF16()     ? NVVM::MMATypes::bf16
           : type.isInteger(8) ? NVVM::MMATypes::s8
                               : NVVM::MMATypes::tf32;
  };
  auto multiply = [&](ArrayRef<Value> a, ArrayRef<Value> w, ArrayRef<Value> c) -> SmallVector<Value> {
    if (bits == 8 && !element.isInteger(8)) {
      auto mma = ptx::MmaF8Op::create(b, TypeRange(result.getBody()), a[0], a[1], a[2], a[3], w[0], w[1], c[0], c[1],
                                      c[2], c[3], TypeAttr::get(lhsElement), TypeAttr::get(element));
      return {mma.getD0(), mma.getD1(), mma.getD2(), mma.getD3()};
    }
    std::optional<NVVM::MMAIntOverflow> overflow;
    if (element.isInteger(8))
      overflow = NVVM::MMAIntOverflow::wrapped;
    Value d = NVVM::MmaOp::create(b, result, a, w, c, ArrayRef<int64_t>{atom.getM(), atom.getN(), atom.getK()},
                                  /*b1Op=*/std::nullopt, overflow,
                                  std::array<NVVM::MMATypes, 2>{kindOf(lhsElement), kindOf(element)},
                                  std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row, NVVM::MMALayout::col});
    return {word(d, 0), word(d, 1), word(d, 2), word(d, 3)};
  };
  auto operand = [&](Value word) -> Value {
    return element.isF16() ? LLVM::BitcastOp::create(b, VectorType::get(2, element), word).getResult() : word;
  };
  for (int64_t step = 0; step < k / depth; ++step) {
    SmallVector<SmallVector<Value>> lhs, rhs;
    for (int64_t block = 0; block < tile.rowBlocks / 2; ++block)
      lhs.push_back(lhsWords(block, step));
    for (int64_t block = 0; block < tile.columnBlocks; block += 2) {
      SmallVector<Value> words = rhsWords(block, step);
      for (size_t number = 0; number + 1 < words.size() && int64_t(rhs.size()) < tile.columnBlocks; number += 2)
        rhs.push_back({words[number], words[number + 1]});
    }
    for (int64_t i = 0; i < tile.rowBlocks / 2; ++i)
      for (int64_t j = 0; j < tile.columnBlocks; ++j) {
        int64_t upper = ((2 * i) * tile.columnBlocks + j) * 2, lower = ((2 * i + 1) * tile.columnBlocks + j) * 2;
        SmallVector<Value> a = llvm::map_to_vector(lhs[i], operand), w = llvm::map_to_vector(rhs[j], operand);
        SmallVector<Value> c{sums[upper], sums[upper + 1], sums[lower], sums[lower + 1]};
        SmallVector<Value> d = multiply(a, w, c);
        sums[upper] = d[0];
        sums[upper + 1] = d[1];
        sums[lower] = d[2];
        sums[lower + 1] = d[3];
      }
  }
  values[op.getResult()] = sums;
  return success();
}

/// The constant part of an operand's descriptor, and where its steps begin, in units of 16 bytes. `isDepthInner`: the
/// depth is the contiguous dimension.
static std::pair<int64_t, SmallVector<int64_t>> descriptorOf(SmemType type, bool isDepthInner) {
  int64_t span = type.getSwizzle(), slab = type.getShape()[0] * span, eightRows = 8 * span;
  int64_t layout = span == 128 ? 1 : span == 64 ? 2 : span == 32 ? 3 : 0;
  // Stride: from 8 rows to the next. Leading: from one slab to the next, where N or M reaches over several.
  int64_t leading = isDepthInner ? 1 : slab / 16;
  int64_t bits = layout << 62 | (eightRows / 16) << 32 | leading << 16;
  int64_t depth = type.getShape()[isDepthInner ? 1 : 0], bytes = type.getElementBytes();
  SmallVector<int64_t> steps;
  for (int64_t k = 0; k < depth; k += 32 / bytes) {
    int64_t at = isDepthInner ? k * bytes / span * slab + k * bytes % span : k * span;
    steps.push_back(at / 16);
  }
  return {bits, steps};
}

/// The four warps of a warpgroup have 64 rows. What was written to shared memory by threads is fenced where it becomes
/// visible (rings, staged tiles).
LogicalResult ThreadEmitter::emitWgmma(warp::DotOp op) {
  auto rhsType = cast<SmemType>(op.getRhs().getType());
  auto lhsType = dyn_cast<SmemType>(op.getLhs().getType());
  Type element = rhsType.getElementType();
  Type lhsElement = lhsType ? lhsType.getElementType() : cast<RankedTensorType>(op.getLhs().getType()).getElementType();
  bool isTf32 = element.isTF32();
  for (SmemType type : {rhsType, lhsType})
    if (type && type.getSwizzle() < 32)
      return op.emitOpError("has rows of ")
             << type.getShape()[1] << " elements, expected a multiple of " << 32 / type.getElementBytes();
  auto descriptor = [&](Value base, int64_t bits, Value rowBytes) -> Value {
    Value address = LLVM::PtrToIntOp::create(b, b.getI32Type(), base);
    if (rowBytes)
      address = add(address, rowBytes);
    if (cluster) // in whose addresses the CTA's rank stands, where descriptors have a stride
      address = arith::AndIOp::create(b, address, i32(0x3FFFF));
    Value units = arith::ExtUIOp::create(b, b.getI64Type(), arith::ShRUIOp::create(b, address, i32(4)));
    Value constant = arith::ConstantOp::create(b, b.getI64IntegerAttr(bits));
    return arith::OrIOp::create(b, units, constant);
  };
  auto [rhsBits, rhsSteps] = descriptorOf(rhsType, op.getTransposeB());
  SmallVector<Value> lhs;
  SmallVector<int64_t> lhsSteps;
  if (lhsType) {
    auto [bits, steps] = descriptorOf(lhsType, !op.getTransposeA());
    lhsSteps = steps;
    // 64 rows further for each warpgroup: 64 rows of a slab, or a slab of 64 columns.
    Value group = schedule.getNumWarps() == 4 ? Value() : digitValue(warps(schedule.getNumWarps() / 4, 4));
    int64_t perGroup = op.getTransposeA() ? 128 / lhsType.getSwizzle() * lhsType.getShape()[0] * lhsType.getSwizzle()
                                          : 64 * lhsType.getSwizzle();
    lhs = {descriptor(scalarOf(op.getLhs()), bits, mul(group, perGroup))};
  } else {
    // Neighbours of the depth share a word; a step has rows g and g + 8 of its first half, then of its second.
    ArrayRef<Value> list = valuesOf(op.getLhs());
    int64_t run = 32 / lhsElement.getIntOrFloatBitWidth();
    int64_t blocks = list.size() / (2 * run); // halves of steps, for each of the two rows
    for (int64_t step = 0; step < int64_t(rhsSteps.size()); ++step)
      for (auto [half, part] : {std::pair(0, 0), {1, 0}, {0, 1}, {1, 1}}) {
        SmallVector<Value> word(list.slice((half * blocks + 2 * step + part) * run, run));
        lhs.push_back(LLVM::BitcastOp::create(b, b.getI32Type(), pack(word, lhsElement)));
      }
    for (Value &word : lhs)
      word = isTf32 ? roundedToTf32(word) : word;
  }
  // The instruction's order: for each 8 columns rows g, then g + 8.
  ArrayRef<Value> held = valuesOf(op.getAccumulator());
  int64_t columnBlocks = op.getType().getDimSize(1) / 8;
  SmallVector<Value> sums;
  for (int64_t block = 0; block < columnBlocks; ++block)
    for (int64_t half : {0, 1})
      for (int64_t column : {0, 1})
        sums.push_back(held[(half * columnBlocks + block) * 2 + column]);
  SmallVector<Type> types(sums.size(), op.getType().getElementType());
  if (isTf32)
    lhsElement = element;
  TypeAttr rhsElement = element == lhsElement ? TypeAttr() : TypeAttr::get(element);
  auto dot = ptx::WgmmaOp::create(b, types, lhs, descriptor(scalarOf(op.getRhs()), rhsBits, {}), sums, lhsElement,
                                  rhsElement, lhsSteps, rhsSteps, op.getTransposeA(), !op.getTransposeB(),
                                  /*negate_lhs=*/false, /*negate_rhs=*/false);
  ValueRange results = dot.getResults();
  if (!op.getAsync())
    results = ptx::WgmmaWaitOp::create(b, types, results, /*pending=*/0).getResults();
  SmallVector<Value> ordered(sums.size());
  size_t next = 0;
  for (int64_t block = 0; block < columnBlocks; ++block)
    for (int64_t half : {0, 1})
      for (int64_t column : {0, 1})
        ordered[(half * columnBlocks + block) * 2 + column] = results[next++];
  values[op.getResult()] = ordered;
  return success();
}

/// Each thread multiplies its rows with its columns, 16 bytes of the depth at a time where they lie side by side.
LogicalResult ThreadEmitter::emitFma(warp::DotOp op) {
  auto rhsType = cast<SmemType>(op.getRhs().getType());
  auto lhsType = cast<SmemType>(op.getLhs().getType());
  LayoutAttr layout = layoutOf(op.getResult());
  Type element = rhsType.getElementType(), sumType = op.getType().getElementType();
  int64_t perStep = std::max<int64_t>(1, 16 / rhsType.getElementBytes());
  int64_t k = op.getTransposeB() ? rhsType.getShape()[1] : rhsType.getShape()[0];
  ThreadPlace row = threadPlace(layout, 0), column = threadPlace(layout, 1);
  SmallVector<SmallVector<int64_t>> places = layout.registerPlaces();
  llvm::SmallSetVector<int64_t, 16> rows, columns;
  for (ArrayRef<int64_t> place : places) {
    rows.insert(place[0]);
    columns.insert(place[1]);
  }
  // One step of the depth after the other: the code stays small.
  SmallVector<Value> inits(valuesOf(op.getAccumulator()));
  auto loop = scf::ForOp::create(b, i32(0), i32(k), i32(perStep), inits);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value first = loop.getInductionVar();
    // Elements `first` to `first + perStep` of the depth at one place of the other dimension.
    auto read = [&](Value base, SmemType type, bool depthIsInner, ThreadPlace place, int64_t known) {
      place.known = known;
      SmallVector<Value> elements;
      Type memory = memoryType(element);
      if (depthIsInner) {
        Value words = LLVM::LoadOp::create(b, VectorType::get(perStep, memory),
                                           smemAddress(base, type, place, {first, type.getShape()[1], 0}),
                                           /*alignment=*/16);
        elements = unpack(words, element, perStep);
      } else {
        for (int64_t step = 0; step < perStep; ++step) {
          ThreadPlace depth{step == 0 ? first : add(first, i32(step)), k, 0};
          Value words = LLVM::LoadOp::create(b, memory, smemAddress(base, type, depth, place),
                                             /*alignment=*/type.getElementBytes());
          elements.push_back(unpack(words, element, 1).front());
        }
      }
      if (element != sumType)
        for (Value &value : elements)
          value = arith::ExtFOp::create(b, sumType, value);
      return elements;
    };
    llvm::DenseMap<int64_t, SmallVector<Value>> lhs, rhs;
    for (int64_t known : rows)
      lhs[known] = read(scalarOf(op.getLhs()), lhsType, !op.getTransposeA(), row, known);
    for (int64_t known : columns)
      rhs[known] = read(scalarOf(op.getRhs()), rhsType, op.getTransposeB(), column, known);
    SmallVector<Value> sums(loop.getRegionIterArgs());
    for (int64_t step = 0; step < perStep; ++step)
      for (auto [number, place] : llvm::enumerate(places))
        sums[number] = math::FmaOp::create(b, lhs[place[0]][step], rhs[place[1]][step], sums[number]);
    scf::YieldOp::create(b, sums);
  }
  values[op.getResult()] = llvm::to_vector(ValueRange(loop.getResults()));
  return success();
}
