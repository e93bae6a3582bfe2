#pragma once

#include "dialects/Tenon/ShapeRule.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/Tenon/TenonDialect.h.inc"
#include "dialects/Tenon/TenonEnums.h.inc"
#include "dialects/Tenon/TenonInterfaces.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/Tenon/TenonAttrs.h.inc"
#define GET_OP_CLASSES
#include "dialects/Tenon/Tenon.h.inc"

namespace tenon {
/// On a kernel: why it goes the general path of a GPU though it may have a program on tiles.
inline constexpr llvm::StringLiteral generalAttrName = "tenon.general";
/// On a kernel: why its schedules so far, strings in their order, were refused, in phase warp or as machine code.
inline constexpr llvm::StringLiteral refusalsAttrName = "tenon.refusals";
/// On a kernel: more of a multiprocessor than there is, and what to choose instead; it has to have another schedule.
inline constexpr llvm::StringLiteral overBudgetAttrName = "tenon.over_budget";
/// On a kernel: lines that say what its pipeline is, for people.
inline constexpr llvm::StringLiteral pipelineAttrName = "tenon.pipeline";
} // namespace tenon
