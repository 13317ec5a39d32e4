// Names of values in printed IR: %q_proj, %attn, %h1. For people only: names are computed afresh at each print from
// what a value is, so they survive no renaming and nothing depends on them.
#pragma once

#include "mlir/IR/OpImplementation.h"

namespace xfmr {

/// Suggests a name for each result of an xfmr op; MLIR makes them unique.
void nameResults(mlir::Operation *op, mlir::OpAsmSetValueNameFn setName);

/// Suggests names for the arguments of the entry block of a region of an xfmr op.
void nameBlockArguments(mlir::Region &region, mlir::OpAsmSetValueNameFn setName);

} // namespace xfmr
