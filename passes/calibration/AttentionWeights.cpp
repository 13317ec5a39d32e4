// See AttentionWeights.h.
#include "passes/calibration/AttentionWeights.h"
#include "passes/codegen/Attention.h"

#include <algorithm>
#include <cmath>

namespace xfmr {

// As xfmr.attention says.
static double alibiSlope(int64_t head, int64_t heads, double b) {
  const int64_t n = codegen::alibiHeads(static_cast<uint32_t>(heads));
  return head < n ? std::exp2(-b * static_cast<double>(head + 1) / static_cast<double>(n))
                  : std::exp2(-b * static_cast<double>(2 * (head - n) + 1) / static_cast<double>(2 * n));
}

MatrixF attentionWeights(const AttentionInputs &inputs, int64_t window, int64_t start, int64_t head, int64_t begin,
                         int64_t count, int64_t &from) {
  AttentionOp op = inputs.op;
  const int64_t width = op.getHeadDim(), group = static_cast<int64_t>(op.getNumHeads()) / op.getNumKvHeads();
  const auto scale = static_cast<float>(op.getScale().convertToDouble());
  const int64_t back = op.getWindow().value_or(window);
  // The keys that the query at `at` sees end here.
  const auto endOf = [&](int64_t at) { return op.getCausal() ? at + 1 : std::min(window, at + back); };
  // and begin here.
  const auto beginOf = [&](int64_t at) {
    const int64_t chunk = op.getChunk().value_or(0), near = std::max<int64_t>(0, at - back + 1);
    return chunk ? std::max(near, at / chunk * chunk) : near;
  };
  const int64_t to = endOf(begin + count - 1);
  from = beginOf(begin);
  const auto queries = inputs.q.block(start + begin, head * width, count, width);
  const auto keys = inputs.k.block(start + from, head / group * width, to - from, width);
  MatrixF scores(count, to - from);
  scores.noalias() = queries * keys.transpose();
  scores *= scale;
  if (op.getSoftcap()) {
    const auto cap = static_cast<float>(op.getSoftcap()->convertToDouble());
    scores = (scores.array() / cap).tanh() * cap;
  }
  if (op.getAlibi()) {
    const double slope = alibiSlope(head, op.getNumHeads(), op.getAlibi()->convertToDouble());
    for (int64_t i = 0; i < count; ++i)
      for (int64_t j = from; j < to; ++j)
        scores(i, j - from) += static_cast<float>(slope * static_cast<double>(j - begin - i));
  }
  for (int64_t i = 0; i < count; ++i) {
    const int64_t first = beginOf(begin + i) - from;
    const int64_t end = endOf(begin + i) - from;
    auto row = scores.row(i);
    auto seen = row.segment(first, end - first);
    float most = seen.maxCoeff();
    if (inputs.sinks)
      most = std::max(most, (*inputs.sinks)(head, 0));
    seen = (seen.array() - most).exp();
    const float sum = seen.sum() + (inputs.sinks ? std::exp((*inputs.sinks)(head, 0) - most) : 0.0f);
    seen *= 1.0f / sum;
    row.head(first).setZero();
    row.tail(scores.cols() - end).setZero();
  }
  return scores;
}

} // namespace xfmr
