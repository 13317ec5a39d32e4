// The xfmr dialect: ops, attributes and enums in C++. The meaning of each op is in its .td file.
#pragma once

#include "dialect/Quantised.h"
#include "dialect/WeightBox.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialect/kernels/Kernels.h"

#include "dialect/Dialect.h.inc"
#include "dialect/Enums.h.inc"
#include "dialect/OpInterfaces.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialect/Types.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialect/Attributes.h.inc"
#define GET_OP_CLASSES
#include "dialect/Ops.h.inc"

namespace xfmr {

/// `type` with another extent of one axis.
inline mlir::RankedTensorType withExtent(mlir::RankedTensorType type, int64_t axis, int64_t extent) {
  llvm::SmallVector<int64_t> shape(type.getShape());
  shape[axis] = extent;
  return type.clone(shape);
}

/// The code of a kernel: best first; on Vulkan the portable one is the last. None before codegen.
llvm::SmallVector<VariantOp> variantsOf(ExecutableOp executable);

} // namespace xfmr
