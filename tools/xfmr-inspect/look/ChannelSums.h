// What is summed, over the tokens of a text, of the channels of a network or of all experts of a mixture.
#pragma once

#include "tools/xfmr-inspect/look/Firings.h"

namespace xfmr::inspect {

/// Numbers of the `count` largest scores, the largest first and of equal ones the lowest.
std::vector<int64_t> largest(const Eigen::ArrayXf &scores, int64_t count);

struct ChannelSums {
  VectorD absolute, positive, norms; // of every channel: the sum of |h|, how often h > 0, |D_j|
  int64_t tokens = 0;

  ChannelSums() = default;
  explicit ChannelSums(int64_t channels);

  /// h [width] of channels first … at a row, and the weight at which the network's sum takes them.
  template <typename Values> void add(const Values &h, float weight, int64_t first, int64_t row) {
    const Eigen::ArrayXf values = h * weight;
    absolute.segment(first, h.size()).array() += values.abs().template cast<double>();
    positive.segment(first, h.size()).array() += (values > 0).template cast<double>();
    firings_.add(values, first, row);
    zeros_ += (h == 0).count();
    all_ += h.size();
  }

  /// Fills in what is told of every channel, and `channels`: the `top` that contribute most, then number `asked` (-1: none).
  void tell(int64_t top, int64_t asked, FfnLook &out) const;

private:
  Firings firings_;
  int64_t zeros_ = 0, all_ = 0;
};

} // namespace xfmr::inspect
