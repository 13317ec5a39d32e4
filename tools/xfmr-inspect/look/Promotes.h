// The tokens that listed channels write.
#pragma once

#include "passes/calibration/Forward.h"
#include "tools/xfmr-inspect/look/Look.h"

namespace xfmr::inspect {

/// What the channels of one list write, and where.
struct Columns {
  mlir::Value written; // the sum of all of them, in a block
  MatrixF columns;     // [channels, D]
};

/// Fills `promotes` of the channels of `lists`, of which `columns` holds the columns in order. The head is read once for all
/// layers. Nothing is filled where tokens have no texts, or no one linear map leads to the logits.
void readPromotes(ModelOp model, llvm::ArrayRef<Columns> columns, Forward &forward,
                  llvm::ArrayRef<std::vector<Channel> *> lists);

} // namespace xfmr::inspect
