// See Channels.h.
#include "tools/xfmr-inspect/look/Channels.h"

#include "passes/calibration/Parallel.h"

#include <limits>

namespace xfmr::inspect {
namespace {

constexpr float kNotTold = std::numeric_limits<float>::quiet_NaN();

} // namespace

Channels::Channels(int64_t layer, const MatrixF &down, int64_t rows, int64_t details, int64_t top) {
  look_.layer = layer;
  look_.width = down.cols();
  top = std::min(top, look_.width);
  look_.index = look_.value = look_.logit = Table({std::min(rows, details), top});
  sums_ = ChannelSums(look_.width);
  sums_.norms = down.cast<double>().colwise().norm().transpose();
}

void Channels::add(const LookText &text, const LookBatch &batch, const MatrixF &h, const MatrixF *directions,
                   const MatrixF &down) {
  const std::vector<char> added = addedTokens(text, batch);
  for (int64_t row = 0; row < batch.rows; ++row)
    if (!added[row])
      sums_.add(h.row(row).transpose().array(), 1, 0, batch.first + row);
  sums_.tokens += llvm::count(added, 0);
  const Eigen::ArrayXf norms = sums_.norms.cast<float>().array();
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

void Channels::finish(int64_t top, int64_t asked, const MatrixF &down, FfnLook &out, MatrixF &columns) const {
  out = look_;
  sums_.tell(top, asked, out);
  columns.resize(out.channels.size(), down.rows());
  for (size_t i = 0; i < out.channels.size(); ++i)
    columns.row(i) = down.col(out.channels[i].channel).transpose();
}

} // namespace xfmr::inspect
