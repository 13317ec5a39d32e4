// How far two models are apart on a text: sums over scored positions, as plain numbers.
#pragma once
#include <cstdint>

namespace xfmr::compare {

/// Sums over positions; the means are taken by the functions below.
struct Comparison {
  int64_t tokens = 0;               // scored positions
  double kl = 0;                    // nats, sum of KL(A || B) over the full vocabulary
  double nllA = 0, nllB = 0;        // nats, sums of -log p(target)
  double maxAbsLogitDiff = 0;       // of any logit at a scored position
  int64_t sameTop1 = 0;             // positions where both have the same largest logit, lowest id on a tie

  double klMean() const { return kl / tokens; }
  double nllMeanA() const { return nllA / tokens; }
  double nllMeanB() const { return nllB / tokens; }
  double top1Agreement() const { return static_cast<double>(sameTop1) / tokens; }

  /// Adds the sums of other positions.
  void add(const Comparison &other);
  /// Adds one position: logits a and b [vocab], and the token that follows in the text.
  void add(const double *a, const double *b, int64_t vocab, int64_t target);
};

} // namespace xfmr::compare
