// Where heads look: scores of patterns that are counted over a text, and the largest weights of each row.
#pragma once

#include "passes/calibration/AttentionWeights.h"
#include "tools/xfmr-inspect/look/Look.h"
#include "tools/xfmr-inspect/look/Streams.h"

namespace xfmr::inspect {

/// Sums over rows for one head; means of them are its scores.
struct HeadSums {
  double previous = 0, next = 0, first = 0, last = 0, self = 0, same = 0, induction = 0, chance = 0, repeated = 0;
  double entropy = 0, distance = 0, sink = 0;
  int64_t rows = 0, sameRows = 0, inductionRows = 0, repeatedRows = 0;
  void add(const HeadSums &other);
  HeadLook look(int64_t layer, int64_t head, bool encoder) const;
};

/// Adds one batch of one attention: q and k [rows, …] of the batch. `sums` [H]; entries of `out`'s maps of `layer` are set for
/// the first rows that they hold.
void addHeads(const AttentionInputs &inputs, const LookBatch &batch, int64_t layer,
              llvm::MutableArrayRef<HeadSums> sums, Look &out);

/// In words, from the numbers alone.
std::string sentenceOf(const HeadLook &head, bool encoder);

} // namespace xfmr::inspect
