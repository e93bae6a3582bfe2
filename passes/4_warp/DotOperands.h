// How the operands of a dot lie where they are read: a transposition in front of a dot is the dot's own.
#pragma once

#include "dialects/Warp/Warp.h"

namespace tenon::warp {

/// What is behind transpositions, whose number flips `transpose`.
inline mlir::Value withoutTrans(mlir::Value operand, bool &transpose) {
  while (auto trans = operand.getDefiningOp<tile::TransOp>()) {
    operand = trans.getTile();
    transpose = !transpose;
  }
  return operand;
}

/// Whether neighbours of the depth are neighbours in both operands.
inline bool isAlongDepth(tile::DotOp dot) {
  bool transposeA = dot.getTransposeA(), transposeB = dot.getTransposeB();
  withoutTrans(dot.getLhs(), transposeA);
  withoutTrans(dot.getRhs(), transposeB);
  return !transposeA && transposeB;
}

/// Whether warpgroups multiply f32 as tf32: its operands are rounded on their way to shared memory.
inline bool isTf32ByWarpgroups(tile::DotOp dot, ScheduleAttr schedule) {
  return schedule.getWgmma() && schedule.getTf32() && dot.getLhs().getType().getElementType().isF32() &&
         isAlongDepth(dot);
}

} // namespace tenon::warp
