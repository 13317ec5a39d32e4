// Which function evaluates which op.
#pragma once
#include "reference/Evaluation.h"
#include "llvm/ADT/StringMap.h"

namespace xfmr::reference {

/// Evaluates one op: reads operands, sets results. The error is a bare text; the interpreter says
/// which op it concerns.
using OpFunction = std::function<Status(mlir::Operation *, Evaluation &)>;

struct OpEntry {
  OpFunction evaluate;
  bool isWeight = false; // a weight expression: evaluated when it is first used, then cached
};

/// Null for an op that the witness does not know.
const OpEntry *findOp(llvm::StringRef name);
inline const OpEntry *findOp(mlir::Operation *op) { return findOp(op->getName().getStringRef()); }

} // namespace xfmr::reference
