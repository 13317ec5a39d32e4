// Simpler modules, one op at a time, as long as a script finds them interesting: what MLIR's reduction tree, which erases ranges of ops,
// cannot do to a model, where every value is used.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Reducer/Tester.h"

namespace xfmr {

/// Ops become the operand that has the type of their result (a layer its input, a norm what it normalises, a sum a term), and
/// what nothing uses goes, last op first, until nothing more can be taken away.
void simplify(mlir::OwningOpRef<mlir::ModuleOp> &module, const mlir::Tester &tester);

} // namespace xfmr
