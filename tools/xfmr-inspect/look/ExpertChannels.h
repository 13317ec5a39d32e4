// Which channels of a mixture's experts fire on a text: as Channels.h, channel j of expert e being number e * width + j. Its
// activation is h_j times the weight that the router gives the expert, so that channels sum to what the mixture gives.
#pragma once

#include "passes/analysis/Units.h"
#include "passes/calibration/Forward.h"
#include "tools/xfmr-inspect/look/ChannelSums.h"
#include "tools/xfmr-inspect/look/Streams.h"

namespace xfmr::inspect {

/// The network of each expert of a mixture, if what an expert gives is its down projection; else `down` is null.
FeedForwardUnits expertNetworkOf(MoeOp mixture);

class ExpertChannels {
public:
  /// Rows of `out` beyond the first `details` are not told apart.
  ExpertChannels(int64_t layer, MoeOp mixture, FeedForwardUnits network, const LookText &text, int64_t details,
                 int64_t top);

  FeedForwardUnits &network() { return network_; }

  /// The text's tokens of a batch; before the experts of it.
  void count(const LookText &text, const LookBatch &batch);
  /// What expert `expert` computes of the tokens it is given: h [n, F]; `down` [D, F] is its projection. `directions`
  /// [rows of the batch, D] are those of the chosen logits at what the mixture gives, or null.
  void add(const LookBatch &batch, int64_t expert, const ExpertTokens &given, const MatrixF &h,
           const MatrixF *directions, const MatrixF &down);

  /// The channels that contribute most, then that of number `asked` (-1: none), and their columns [n, D]. Errors are emitted.
  mlir::LogicalResult finish(int64_t top, int64_t asked, Forward &forward, FfnLook &out, MatrixF &columns) const;

private:
  MoeOp mixture_;
  FeedForwardUnits network_;
  FfnLook look_;
  Table strength_;           // [N, k], of what look_ holds
  std::vector<char> added_; // rows of the batch that are begin tokens
  ChannelSums sums_;
};

} // namespace xfmr::inspect
