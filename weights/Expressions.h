// Small weight expressions that importers, passes and exports build.
#pragma once
#include "dialect/Xfmr.h"

namespace xfmr {

/// Weights have static shapes, activations have a dynamic number of tokens.
bool isWeight(mlir::Value value);

/// The stacked weight that a slice in an expert region stands for; null for any other value.
mlir::Value stackedWeight(mlir::Value slice);

/// Entries `indices` of the weight along `axis`, in their order.
mlir::Value gatherWeight(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value weight, int64_t axis,
                         llvm::ArrayRef<int64_t> indices);

/// The same expression over the same stored tensors.
bool sameExpression(mlir::Value a, mlir::Value b);

/// A weight of the same type that is all zeros.
mlir::Value zerosLike(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value weight);

/// What arithmetic reads: the weight itself, or the numbers of a quantised one in f32.
mlir::Value numbersOf(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value weight);

/// The weight with `count` entries of zeros behind its last along `axis`.
mlir::Value padWeight(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value weight, int64_t axis, int64_t count);

} // namespace xfmr
