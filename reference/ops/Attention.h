// xfmr.attention.
#pragma once
#include "reference/Evaluation.h"
#include <optional>

namespace xfmr::reference {

struct AttentionShape {
  int64_t heads, kvHeads, headDim;
  bool causal;
  double scale;
  std::optional<double> softcap;
  std::optional<int64_t> window, chunk;
  std::optional<double> alibi; // exponent of the last head
  const Tensor *bias = nullptr; // [B, H] by bucket of the distance
  int64_t maxDistance = 0;      // with bias
  bool cross = false;           // k and v are those of another text: every row sees all of them
};

/// 2^(-b (i + 1) / n) for the first n of `heads` heads, n a power of two, and between these for the others: as in BLOOM's
/// build_alibi_tensor.
double alibiSlope(int64_t head, int64_t heads, double b);

/// The bucket of B that a key at j - i = `distance` from its query is in: see `bias` of xfmr.attention.
int64_t bucketOf(int64_t distance, int64_t buckets, int64_t maxDistance, bool causal);

/// softmax(scale * q k^T + mask) v, head by head. q and the result [T, H*h]; k and v [S, K*h] with
/// S >= T: row t of q is at position S - T + t of k and v. Query head i reads key/value head
/// floor(i / (H/K)). `causal` hides later positions, `window` w hides key j from query i unless
/// i - w < j < i + w; `chunk` c hides keys of other runs of c positions. `softcap` c turns a score s into c tanh(s / c), then
/// `alibi` adds slope (j - i). sinks [H] or null: one more logit a head in the denominator, without a value.
Tensor attention(const Tensor &q, const Tensor &k, const Tensor &v, const Tensor *sinks,
                 const AttentionShape &shape);

/// Keeps [k, v] of all earlier rows. An attention that is not causal takes the whole text at once: later rows would be missing.
Status evaluate(AttentionOp op, Evaluation &evaluation);

} // namespace xfmr::reference
