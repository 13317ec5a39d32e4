// Quantised weights in IR: what their type says, and which columns can be taken from them without rounding again.
#pragma once

#include "mlir/IR/BuiltinTypes.h"
#include "passes/codegen/QuantScheme.h"

namespace xfmr {

inline llvm::hash_code hash_value(const QuantScheme &scheme) {
  return llvm::hash_combine(scheme.code, scheme.group, scheme.scale, scheme.minimum, scheme.super, scheme.sub);
}

/// The scheme of a tensor type with quantised elements, else nothing.
std::optional<QuantScheme> quantSchemeOf(mlir::Type tensor);

/// `type` with f32 elements.
mlir::RankedTensorType withFloats(mlir::RankedTensorType type);

/// Whether taking columns `indices` of rows of `columns` takes whole runs of columns that share scales, so that codes and
/// scales can be taken as they are. Only the last run of a row may be shorter, and it stays the last. Of rows with one scale any.
bool takesWholeRuns(const QuantScheme &scheme, int64_t columns, llvm::ArrayRef<int64_t> indices);

} // namespace xfmr
