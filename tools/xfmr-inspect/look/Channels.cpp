// See Channels.h.
#include "tools/xfmr-inspect/look/Channels.h"

#include "passes/calibration/Parallel.h"

#include <limits>
#include <numeric>

namespace xfmr::inspect {
namespace {

constexpr float kNotTold = std::numeric_limits<float>::quiet_NaN();

} // namespace

std::vector<int64_t> largest(const Eigen::ArrayXf &scores, int64_t count) {
  std::vector<int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  count = std::min<int64_t>(count, scores.size());
  std::partial_sort(order.begin(), order.begin() + count, order.end(),
                    [&](int64_t a, int64_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  order.resize(count);
  return order;
}

Channels::Channels(int64_t layer, const MatrixF &down, int64_t rows, int64_t details, int64_t top) {
  look_.layer = layer;
  look_.width = down.cols();
  top = std::min(top, look_.width);
  look_.index = look_.value = look_.logit = Table({std::min(rows, details), top});
  absolute_ = positive_ = VectorD::Zero(look_.width);
  norms_ = down.cast<double>().colwise().norm().transpose();
  firings_ = Firings(look_.width, kFirings);
}

void Channels::add(const LookText &text, const LookBatch &batch, const MatrixF &h, const MatrixF *directions,
                   const MatrixF &down) {
  std::vector<char> begins(batch.rows, 0); // begin tokens are not of the text
  for (const LookWindow &window : text.windows)
    if (window.begins && window.first >= batch.first && window.first < batch.first + batch.rows)
      begins[window.first - batch.first] = 1;
  for (int64_t row = 0; row < batch.rows; ++row) {
    if (begins[row])
      continue;
    const auto values = h.row(row).transpose().array();
    absolute_.array() += values.abs().cast<double>();
    positive_.array() += (values > 0).cast<double>();
    firings_.add(values, 0, batch.first + row);
    zeros_ += (values == 0).count();
    all_ += values.size();
    ++tokens_;
  }
  const Eigen::ArrayXf norms = norms_.cast<float>().array();
  const int64_t shown = std::clamp<int64_t>(look_.index.shape[0] - batch.first, 0, batch.rows),
                top = look_.index.shape[1];
  parallelFor(shown, [&](int64_t i) {
    const Eigen::ArrayXf weights = h.row(i).transpose().array().abs() * norms;
    int64_t at = 0;
    for (int64_t channel : largest(weights, top)) {
      look_.index.at(batch.first + i, at) = static_cast<float>(channel);
      look_.value.at(batch.first + i, at) = h(i, channel);
      look_.logit.at(batch.first + i, at) =
          directions ? h(i, channel) * directions->row(i).dot(down.col(channel)) : kNotTold;
      ++at;
    }
  });
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

void Channels::finish(int64_t top, int64_t asked, const MatrixF &down, FfnLook &out, MatrixF &columns) const {
  out = look_;
  out.zero = all_ ? static_cast<double>(zeros_) / static_cast<double>(all_) : 0;
  const double tokens = static_cast<double>(std::max<int64_t>(tokens_, 1));
  out.meanAbs = absolute_ / tokens;
  out.positive = positive_ / tokens;
  out.columnNorm = norms_;
  std::vector<int64_t> shown = largest(out.meanAbs.cwiseProduct(norms_).cast<float>().array(), top);
  if (asked >= 0 && !llvm::is_contained(shown, asked))
    shown.push_back(asked);
  columns.resize(shown.size(), down.rows());
  for (size_t i = 0; i < shown.size(); ++i) {
    out.channels.push_back(out.channelOf(shown[i]));
    out.channels.back().rows = firings_.of(shown[i]);
    columns.row(i) = down.col(shown[i]).transpose();
  }
}

} // namespace xfmr::inspect
