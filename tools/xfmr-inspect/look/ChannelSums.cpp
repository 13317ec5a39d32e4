// See ChannelSums.h.
#include "tools/xfmr-inspect/look/ChannelSums.h"

#include <numeric>

namespace xfmr::inspect {

constexpr int64_t kFirings = 5; // rows that are kept of a channel

std::vector<int64_t> largest(const Eigen::ArrayXf &scores, int64_t count) {
  std::vector<int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  count = std::min<int64_t>(count, scores.size());
  std::partial_sort(order.begin(), order.begin() + count, order.end(),
                    [&](int64_t a, int64_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  order.resize(count);
  return order;
}

Channel FfnLook::channelOf(int64_t number) const {
  const double all = meanAbs.dot(columnNorm);
  Channel channel;
  channel.channel = number % width;
  channel.expert = experts ? number / width : -1;
  channel.meanAbs = meanAbs[number];
  channel.positiveShare = positive[number];
  channel.columnNorm = columnNorm[number];
  channel.share = all > 0 ? meanAbs[number] * columnNorm[number] / all : 0;
  return channel;
}

ChannelSums::ChannelSums(int64_t channels)
    : absolute(VectorD::Zero(channels)), positive(absolute), norms(absolute), firings_(channels, kFirings) {}

void ChannelSums::tell(int64_t top, int64_t asked, FfnLook &out) const {
  out.zero = all_ ? static_cast<double>(zeros_) / static_cast<double>(all_) : 0;
  const double count = static_cast<double>(std::max<int64_t>(tokens, 1));
  out.meanAbs = absolute / count;
  out.positive = positive / count;
  out.columnNorm = norms;
  std::vector<int64_t> shown = largest(out.meanAbs.cwiseProduct(norms).cast<float>().array(), top);
  if (asked >= 0 && !llvm::is_contained(shown, asked))
    shown.push_back(asked);
  for (int64_t number : shown) {
    out.channels.push_back(out.channelOf(number));
    out.channels.back().rows = firings_.of(number);
  }
}

} // namespace xfmr::inspect
