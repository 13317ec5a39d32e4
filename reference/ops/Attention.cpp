// See Attention.h.
#include "reference/ops/Attention.h"
#include "reference/Parallel.h"
#include <algorithm>
#include <cmath>

namespace xfmr::reference {

// One query row of one head: scores of the visible keys, softmax, weighted sum of values.
static void attendRow(const double *q, const Tensor &k, const Tensor &v, int64_t kvOffset,
                      int64_t begin, int64_t end, const double *sink, double slope, int64_t head,
                      int64_t position, const AttentionShape &shape,
                      std::vector<double> &scores, double *out) {
  double largest = sink ? *sink : -INFINITY;
  for (int64_t j = begin; j < end; ++j) {
    const double *key = k.row(j) + kvOffset;
    double score = 0;
    for (int64_t d = 0; d < shape.headDim; ++d)
      score += q[d] * key[d];
    score *= shape.scale;
    if (shape.softcap)
      score = *shape.softcap * std::tanh(score / *shape.softcap);
    score += slope * static_cast<double>(j - position);
    if (shape.bias)
      score += shape.bias->row(bucketOf(j - position, shape.bias->rows(), shape.maxDistance, shape.causal))[head];
    scores[j] = score;
    largest = std::max(largest, score);
  }
  double sum = sink ? std::exp(*sink - largest) : 0;
  for (int64_t j = begin; j < end; ++j)
    sum += scores[j] = std::exp(scores[j] - largest);
  for (int64_t j = begin; j < end; ++j) {
    const double weight = scores[j] / sum;
    const double *value = v.row(j) + kvOffset;
    for (int64_t d = 0; d < shape.headDim; ++d)
      out[d] += weight * value[d];
  }
}

double alibiSlope(int64_t head, int64_t heads, double b) {
  int64_t n = 1;
  while (2 * n <= heads)
    n *= 2;
  const double base = std::exp2(-b / static_cast<double>(n)), between = std::exp2(-b / static_cast<double>(2 * n));
  return head < n ? std::pow(base, static_cast<double>(head + 1)) : std::pow(between, static_cast<double>(2 * (head - n) + 1));
}

int64_t bucketOf(int64_t distance, int64_t buckets, int64_t maxDistance, bool causal) {
  if (!causal) { // half of them for each side
    const int64_t half = buckets / 2;
    return distance > 0 ? half + bucketOf(-distance, half, maxDistance, true) : bucketOf(distance, half, maxDistance, true);
  }
  const int64_t back = std::max<int64_t>(-distance, 0), single = buckets / 2;
  if (back < single)
    return back;
  // A hair more, so that a power of the ratio that is reached exactly is not lost to rounding.
  const double grown = std::log(static_cast<double>(back) / static_cast<double>(single)) /
                       std::log(static_cast<double>(maxDistance) / static_cast<double>(single)) * static_cast<double>(buckets - single);
  return std::min(buckets - 1, single + static_cast<int64_t>(grown + 1e-9));
}

Tensor attention(const Tensor &q, const Tensor &k, const Tensor &v, const Tensor *sinks,
                 const AttentionShape &shape) {
  Tensor y(q.shape);
  const int64_t before = k.rows() - q.rows(), group = shape.heads / shape.kvHeads;
  const double work = 4.0 * q.rows() * k.rows() * q.columns();
  parallelRanges(q.rows(), work, [&](int64_t first, int64_t last) {
    std::vector<double> scores(k.rows());
    for (int64_t t = first; t < last; ++t) {
      const int64_t position = before + t;
      int64_t end = shape.causal ? position + 1 : k.rows();
      if (shape.window)
        end = std::min(end, position + *shape.window);
      int64_t begin = shape.window ? std::max<int64_t>(0, position - *shape.window + 1) : 0;
      if (shape.chunk)
        begin = std::max(begin, position / *shape.chunk * *shape.chunk);
      for (int64_t head = 0; head < shape.heads; ++head)
        attendRow(q.row(t) + head * shape.headDim, k, v, head / group * shape.headDim, begin, end,
                  sinks ? &sinks->values[head] : nullptr, shape.alibi ? alibiSlope(head, shape.heads, *shape.alibi) : 0.0,
                  head, position, shape, scores,
                  y.row(t) + head * shape.headDim);
    }
  });
  return y;
}

static void append(Tensor &kept, const Tensor &rows) {
  kept.values.insert(kept.values.end(), rows.values.begin(), rows.values.end());
  kept.shape[0] += rows.rows();
}

Status evaluate(AttentionOp op, Evaluation &evaluation) {
  AttentionShape shape;
  shape.heads = op.getNumHeads();
  shape.kvHeads = op.getNumKvHeads();
  shape.headDim = op.getHeadDim();
  shape.causal = op.getCausal();
  shape.scale = op.getScale().convertToDouble();
  if (op.getSoftcap())
    shape.softcap = op.getSoftcap()->convertToDouble();
  if (op.getWindow())
    shape.window = *op.getWindow();
  if (op.getChunk())
    shape.chunk = *op.getChunk();
  if (op.getAlibi())
    shape.alibi = op.getAlibi()->convertToDouble();

  const Tensor &q = evaluation.get(op.getQuery());
  const Tensor &k = evaluation.get(op.getKey()), &v = evaluation.get(op.getValue());
  if (const Tensor *bias = evaluation.find(op.getBias())) {
    shape.bias = bias;
    shape.maxDistance = static_cast<int64_t>(*op.getMaxDistance());
  }
  if (op.getCross()) {
    evaluation.set(op.getResult(), attention(q, k, v, nullptr, shape));
    return Status::success();
  }
  if (q.rows() != k.rows() || q.rows() != v.rows())
    return Status::error("query, key and value have different numbers of rows");
  std::vector<Tensor> &kept = evaluation.kept(op);
  if (kept.empty())
    kept = {Tensor({0, k.columns()}), Tensor({0, v.columns()})};
  append(kept[0], k);
  append(kept[1], v);
  evaluation.set(op.getResult(),
                 attention(q, kept[0], kept[1], evaluation.find(op.getSinks()), shape));
  return Status::success();
}

} // namespace xfmr::reference
