// How many numbers a weight expression is made of.
#pragma once
#include "dialect/Xfmr.h"

namespace xfmr {

/// The elements of the expression's shape, without repetition and padding: a row, or column, that a gather names
/// several times counts once, and what is scaled by zero not at all. So attention that is written out with shared or
/// padded rows counts what its checkpoint stores.
int64_t distinctElements(mlir::Value weight);

/// The same of rows alone: entries of a linear layer's output that differ and are not always zero.
int64_t distinctRows(mlir::Value weight);

} // namespace xfmr
