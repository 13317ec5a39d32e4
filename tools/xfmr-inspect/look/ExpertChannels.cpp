// See ExpertChannels.h. Experts come one after another, so the largest of a row are kept in order as they come.
#include "tools/xfmr-inspect/look/ExpertChannels.h"

#include "passes/calibration/Parallel.h"

#include <limits>

using namespace mlir;

namespace xfmr::inspect {

FeedForwardUnits expertNetworkOf(MoeOp mixture) {
  FeedForwardUnits found{};
  Value yielded = mixture.getExpert().front().getTerminator()->getOperand(0);
  for (FeedForwardUnits &network : findFeedForwards(mixture->getParentOfType<BlockOp>()))
    if (network.mixture == mixture && network.down && network.down.getResult() == yielded)
      found = network;
  return found;
}

ExpertChannels::ExpertChannels(int64_t layer, MoeOp mixture, FeedForwardUnits network, const LookText &text,
                               int64_t details, int64_t top)
    : mixture_(mixture), network_(network) {
  look_.layer = layer;
  look_.width = network_.width();
  look_.experts = mixture.getNumExperts();
  top = std::min<int64_t>(top, look_.width * mixture.getRouting().getTopK());
  look_.index = Table({std::min(text.rows(), details), top}, -1);
  look_.value = strength_ = Table(look_.index.shape);
  look_.logit = Table(look_.index.shape, std::numeric_limits<float>::quiet_NaN());
  sums_ = ChannelSums(look_.width * look_.experts);
}

void ExpertChannels::count(const LookText &text, const LookBatch &batch) {
  added_ = addedTokens(text, batch);
  sums_.tokens += llvm::count(added_, 0);
}

void ExpertChannels::add(const LookBatch &batch, int64_t expert, const ExpertTokens &given, const MatrixF &h,
                         const MatrixF *directions, const MatrixF &down) {
  const int64_t width = look_.width, first = expert * width, top = look_.index.shape[1];
  const bool onInput = mixture_.getRouting().getWeightOnInput();
  const VectorD norms = down.cast<double>().colwise().norm().transpose();
  sums_.norms.segment(first, width) = norms;
  const Eigen::ArrayXf norm = norms.cast<float>().array();
  auto weightOf = [&](int64_t i) { return onInput ? 1.0f : given.gates[i]; };
  for (int64_t i = 0; i < h.rows(); ++i)
    if (!added_[given.rows[i]])
      sums_.add(h.row(i).transpose().array(), weightOf(i), first, batch.first + given.rows[i]);
  parallelFor(h.rows(), [&](int64_t i) {
    const int64_t row = batch.first + given.rows[i];
    if (row >= look_.index.shape[0])
      return;
    const Eigen::ArrayXf strengths = h.row(i).transpose().array().abs() * norm * std::abs(weightOf(i));
    for (int64_t channel : largest(strengths, top)) {
      int64_t at = top; // behind those that are as strong
      while (at > 0 && (look_.index.at(row, at - 1) < 0 || strength_.at(row, at - 1) < strengths[channel]))
        --at;
      if (at == top)
        break; // the next are weaker
      for (Table *table : {&look_.index, &look_.value, &look_.logit, &strength_})
        std::copy_backward(&table->at(row, at), &table->at(row, 0) + top - 1, &table->at(row, 0) + top);
      look_.index.at(row, at) = static_cast<float>(first + channel);
      look_.value.at(row, at) = h(i, channel) * weightOf(i);
      strength_.at(row, at) = strengths[channel];
      look_.logit.at(row, at) = directions
                                    ? look_.value.at(row, at) * directions->row(given.rows[i]).dot(down.col(channel))
                                    : std::numeric_limits<float>::quiet_NaN();
    }
  });
}

LogicalResult ExpertChannels::finish(int64_t top, int64_t asked, Forward &forward, FfnLook &out,
                                     MatrixF &columns) const {
  out = look_;
  sums_.tell(top, asked, out);
  LinearOp projection(network_.down);
  columns.resize(out.channels.size(), cast<RankedTensorType>(projection.getType()).getDimSize(1));
  for (size_t i = 0; i < out.channels.size(); ++i) {
    const MatrixF *down = forward.weight(projection.getWeight(), out.channels[i].expert);
    if (!down)
      return failure();
    columns.row(i) = down->col(out.channels[i].channel).transpose();
  }
  return success();
}

} // namespace xfmr::inspect
