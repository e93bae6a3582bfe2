// Dots of f16 with 8-bit floats, which are widened between shared memory and mma.sync. An ldmatrix gives a thread words
// of four bytes, and an instruction takes pairs of f16 that are neighbours of the depth. Where the depth is contiguous
// a word is two such pairs: the sum over the depth goes in their order, which is the left fragment's, too. Where it is
// not, a transposing ldmatrix moves pairs of bytes: a word has two columns of two neighbours of the depth, one
// permutation of its bytes puts each column's together, and columns 0, 2, 4, .. of 16 are one instruction's, 1, 3, 5,
// .. the next one's.
#include "passes/5_thread/ThreadEmitter.h"

#include "dialects/Ptx/Ptx.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::warp;

/// Two pairs of f16 of a word of four 8-bit floats.
std::array<Value, 2> ThreadEmitter::widenWord(Value word, Type element) {
  word = LLVM::BitcastOp::create(b, VectorType::get(2, b.getI16Type()), word);
  auto halves = VectorType::get(2, b.getF16Type());
  std::array<Value, 2> wide;
  for (int64_t number : {0, 1}) {
    Value pair = LLVM::ExtractElementOp::create(b, word, i32(number));
    wide[number] = LLVM::BitcastOp::create(b, halves, ptx::WidenF8Op::create(b, b.getI32Type(), pair, element));
  }
  return wide;
}

SmallVector<Value> ThreadEmitter::widenFloat8(ArrayRef<Value> from, Type element) {
  SmallVector<Value> results;
  for (size_t index = 0; index < from.size(); index += 4)
    for (Value pair :
         widenWord(LLVM::BitcastOp::create(b, b.getI32Type(), pack(from.slice(index, 4), element)), element))
      results.append(unpack(pair, b.getF16Type(), 2));
  return results;
}

/// Steps 2 * number and 2 * number + 1 of an operand whose depth is contiguous.
std::array<ThreadEmitter::StepOfRhs, 2> ThreadEmitter::widenAlongDepth(warp::DotOp op, const WarpTile &tile,
                                                                       int64_t number) {
  auto type = cast<SmemType>(op.getRhs().getType());
  std::array<StepOfRhs, 2> steps;
  for (int64_t block = 0; block < tile.columnBlocks; block += 2) {
    uint32_t count = block + 1 == tile.columnBlocks ? 2 : 4;
    MatrixRead read{/*firstAlongRows=*/false,
                    /*isTransposed=*/false,   tile.firstColumn, {}, block * 8, number * 32, count};
    SmallVector<Value> words = loadMatrices(scalarOf(op.getRhs()), type, read);
    for (auto [at, word] : llvm::enumerate(words))
      steps[at % 2].push_back(widenWord(word, type.getElementType()));
  }
  return steps;
}

/// Step `number` of an operand whose columns are contiguous.
ThreadEmitter::StepOfRhs ThreadEmitter::widenAcrossDepth(warp::DotOp op, const WarpTile &tile, int64_t number) {
  auto type = cast<SmemType>(op.getRhs().getType());
  auto bytes = VectorType::get(4, b.getI8Type());
  StepOfRhs step;
  for (int64_t block = 0; block < tile.columnBlocks; block += 4) {
    uint32_t count = block + 2 == tile.columnBlocks ? 2 : 4;
    MatrixRead read{/*firstAlongRows=*/true,
                    /*isTransposed=*/true,   {}, tile.firstColumn, number * 16, block * 8, count};
    SmallVector<Value> words = loadMatrices(scalarOf(op.getRhs()), type, read);
    for (uint32_t first = 0; first < count; first += 2) { // the first 8 of the depth, then the others
      std::array<std::array<Value, 2>, 2> wide;
      for (int64_t half : {0, 1}) {
        Value list = LLVM::BitcastOp::create(b, bytes, words[first + half]);
        list = LLVM::ShuffleVectorOp::create(b, list, list, ArrayRef<int32_t>{0, 2, 1, 3});
        wide[half] = widenWord(LLVM::BitcastOp::create(b, b.getI32Type(), list), type.getElementType());
      }
      for (int64_t parity : {0, 1})
        step.push_back({wide[0][parity], wide[1][parity]});
    }
  }
  return step;
}

LogicalResult ThreadEmitter::emitWideningDot(warp::DotOp op) {
  if (!hasFloat8)
    return op.emitOpError(
        "widens 8-bit floats, for which the architecture has no instruction; make its right operand f16 "
        "first, and put it into shared memory");
  WarpTile tile = warpTileOf(op);
  bool isAlong = op.getTransposeB();
  int64_t depth = cast<SmemType>(op.getRhs().getType()).getShape()[isAlong ? 1 : 0];
  auto result = LLVM::LLVMStructType::getLiteral(b.getContext(), SmallVector<Type>(4, b.getF32Type()));
  ArrayRef<Value> lhs = valuesOf(op.getLhs());
  /// A thread has depth / 4 elements of each row: pairs `part` of the step for rows g and g + 8 of a block of 16.
  auto lhsWords = [&](int64_t block, int64_t step) {
    SmallVector<Value> words;
    for (auto [half, part] : {std::pair(0, 0), {1, 0}, {0, 1}, {1, 1}})
      words.push_back(pack(lhs.slice((2 * block + half) * (depth / 4) + 4 * step + 2 * part, 2), b.getF16Type()));
    return words;
  };
  /// Registers of the sum that an instruction for block `block` gives: columns 2 t and 2 t + 1 of row g, then of g + 8.
  auto placesOf = [&](int64_t rows, int64_t block) {
    std::array<int64_t, 4> places;
    for (int64_t half : {0, 1}) {
      int64_t row = 2 * rows + half;
      places[2 * half] =
          isAlong ? (row * tile.columnBlocks + block) * 2 : (row * (tile.columnBlocks / 2) + block / 2) * 4 + block % 2;
      places[2 * half + 1] = places[2 * half] + (isAlong ? 1 : 2);
    }
    return places;
  };
  SmallVector<Value> sums(valuesOf(op.getAccumulator()));
  auto multiply = [&](const StepOfRhs &rhs, int64_t step) {
    for (int64_t rows = 0; rows < tile.rowBlocks / 2; ++rows) {
      SmallVector<Value> a = lhsWords(rows, step);
      for (int64_t block = 0; block < tile.columnBlocks; ++block) {
        std::array<int64_t, 4> places = placesOf(rows, block);
        SmallVector<Value> w(rhs[block].begin(), rhs[block].end()),
            c = llvm::map_to_vector(places, [&](int64_t place) { return sums[place]; });
        Value d = NVVM::MmaOp::create(b, result, a, w, c, ArrayRef<int64_t>{16, 8, 16}, /*b1Op=*/std::nullopt,
                                      /*intOverflow=*/std::nullopt,
                                      std::array<NVVM::MMATypes, 2>{NVVM::MMATypes::f16, NVVM::MMATypes::f16},
                                      std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row, NVVM::MMALayout::col});
        for (auto [number, place] : llvm::enumerate(places))
          sums[place] = LLVM::ExtractValueOp::create(b, d, ArrayRef<int64_t>(number));
      }
    }
  };
  for (int64_t step = 0; step < depth / 16; step += isAlong ? 2 : 1) {
    if (!isAlong) {
      multiply(widenAcrossDepth(op, tile, step), step);
      continue;
    }
    std::array<StepOfRhs, 2> both = widenAlongDepth(op, tile, step / 2);
    multiply(both[0], step);
    multiply(both[1], step + 1);
  }
  values[op.getResult()] = sums;
  return success();
}
