// See Comparison.h.
#include "tools/xfmr-compare/Comparison.h"
#include <algorithm>
#include <cmath>

namespace xfmr::compare {

// log of the sum of e^x.
static double logSumExp(const double *x, int64_t count) {
  const double largest = *std::max_element(x, x + count);
  double sum = 0;
  for (int64_t i = 0; i < count; ++i)
    sum += std::exp(x[i] - largest);
  return largest + std::log(sum);
}

void Comparison::add(const Comparison &other) {
  tokens += other.tokens;
  kl += other.kl;
  nllA += other.nllA;
  nllB += other.nllB;
  maxAbsLogitDiff = std::max(maxAbsLogitDiff, other.maxAbsLogitDiff);
  sameTop1 += other.sameTop1;
}

void Comparison::add(const double *a, const double *b, int64_t vocab, int64_t target) {
  const double normA = logSumExp(a, vocab), normB = logSumExp(b, vocab);
  for (int64_t i = 0; i < vocab; ++i) {
    const double logA = a[i] - normA, logB = b[i] - normB;
    kl += std::exp(logA) * (logA - logB);
    maxAbsLogitDiff = std::max(maxAbsLogitDiff, std::abs(a[i] - b[i]));
  }
  nllA += normA - a[target];
  nllB += normB - b[target];
  sameTop1 += std::max_element(a, a + vocab) - a == std::max_element(b, b + vocab) - b;
  ++tokens;
}

} // namespace xfmr::compare
