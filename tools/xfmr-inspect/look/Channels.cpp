// See Channels.h.
#include "tools/xfmr-inspect/look/Channels.h"

#include "passes/calibration/Parallel.h"

#include <limits>
#include <numeric>

namespace xfmr::inspect {
namespace {

constexpr float kNotTold = std::numeric_limits<float>::quiet_NaN();

std::vector<int64_t> largest(const Eigen::ArrayXf &scores, int64_t count) {
  std::vector<int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  count = std::min<int64_t>(count, scores.size());
  std::partial_sort(order.begin(), order.begin() + count, order.end(),
                    [&](int64_t a, int64_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  order.resize(count);
  return order;
}

} // namespace

Channels::Channels(int64_t layer, const MatrixF &down, int64_t rows, int64_t details, int64_t top) {
  look_.layer = layer;
  look_.width = down.cols();
  top = std::min(top, look_.width);
  look_.index = look_.value = look_.logit = Table({std::min(rows, details), top});
  absolute_ = positive_ = VectorD::Zero(look_.width);
  norms_ = down.cast<double>().colwise().norm().transpose();
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

void Channels::finish(int64_t top, const MatrixF &down, FfnLook &out, MatrixF &columns) const {
  out = look_;
  out.zero = all_ ? static_cast<double>(zeros_) / static_cast<double>(all_) : 0;
  const VectorD contributions = absolute_.cwiseProduct(norms_);
  const double all = contributions.sum(), tokens = static_cast<double>(std::max<int64_t>(tokens_, 1));
  const std::vector<int64_t> shown = largest(contributions.cast<float>().array(), top);
  columns.resize(shown.size(), down.rows());
  for (size_t i = 0; i < shown.size(); ++i) {
    const int64_t number = shown[i];
    Channel &channel = out.channels.emplace_back();
    channel.channel = number;
    channel.meanAbs = absolute_[number] / tokens;
    channel.positiveShare = positive_[number] / tokens;
    channel.columnNorm = norms_[number];
    channel.share = all > 0 ? contributions[number] / all : 0;
    columns.row(i) = down.col(number).transpose();
  }
}

} // namespace xfmr::inspect
