// Which channels of a feed-forward network fire on a text, and what they add to a logit.
#pragma once

#include "passes/analysis/Units.h"
#include "tools/xfmr-inspect/look/ChannelSums.h"
#include "tools/xfmr-inspect/look/Streams.h"

namespace xfmr::inspect {

/// Activity of one network, batch by batch.
class Channels {
public:
  /// `down` [D, F] is its weight. Rows of `out` beyond the first `details` are not told apart.
  Channels(int64_t layer, const MatrixF &down, int64_t rows, int64_t details, int64_t top);

  /// h [rows, F] of a batch of the text, and the directions [rows, D] of its chosen logits at what the projection gives; none where
  /// contributions are not told.
  void add(const LookText &text, const LookBatch &batch, const MatrixF &h, const MatrixF *directions,
           const MatrixF &down);

  /// The channels that contribute most, then that of number `asked` (-1: none), and their columns [n, D].
  void finish(int64_t top, int64_t asked, const MatrixF &down, FfnLook &out, MatrixF &columns) const;

private:
  FfnLook look_;
  ChannelSums sums_;
};

} // namespace xfmr::inspect
