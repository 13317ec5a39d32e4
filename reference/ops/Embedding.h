// xfmr.embedding.
#pragma once
#include "reference/Evaluation.h"

namespace xfmr::reference {

/// y[t] = table[ids[t]] (+ positions[firstPosition + t]); ids [T], table [V, D], positions [P, D] or
/// null, y [T, D]. Errors: an id outside the table, a position outside `positions`.
Status embedding(const Tensor &ids, const Tensor &table, const Tensor *positions,
                 int64_t firstPosition, Tensor &y);

Status evaluate(EmbeddingOp op, Evaluation &evaluation);

} // namespace xfmr::reference
