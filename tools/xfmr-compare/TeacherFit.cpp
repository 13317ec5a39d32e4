// See TeacherFit.h.
#include "tools/xfmr-compare/TeacherFit.h"
#include <algorithm>
#include <cmath>

namespace xfmr::compare {

void TeacherFit::add(const TeacherFit &other) {
  tokens += other.tokens;
  klLeast += other.klLeast;
  klMost += other.klMost;
  left += other.left;
  nllTeacher += other.nllTeacher;
  nllB += other.nllB;
  sameTop1 += other.sameTop1;
}

void TeacherFit::add(const TeacherRun &run, const TeacherShard &shard, int64_t position, const double *logits,
                     int32_t target) {
  const double largest = *std::max_element(logits, logits + run.vocab);
  double sum = 0;
  for (int64_t i = 0; i < run.vocab; ++i)
    sum += std::exp(logits[i] - largest);
  const double norm = largest + std::log(sum);
  const int32_t *tokens = shard.tokens.data() + position * run.topK;
  const float *told = shard.logProbabilities.data() + position * run.topK;
  std::vector<bool> isTold(run.vocab);
  double kl = 0;
  for (int64_t i = 0; i < run.topK; ++i) {
    isTold[tokens[i]] = true;
    kl += std::exp(static_cast<double>(told[i])) * (told[i] - (logits[tokens[i]] - norm));
  }
  const double mass = shard.left[position];
  double least = kl, most = kl;
  if (mass > 0 && run.topK < run.vocab) {
    std::vector<double> others; // log-probabilities under B
    double massB = 0;
    for (int64_t i = 0; i < run.vocab; ++i)
      if (!isTold[i]) {
        others.push_back(logits[i] - norm);
        massB += std::exp(others.back());
      }
    least += mass * (std::log(mass) - std::log(massB));
    const double cap = std::exp(static_cast<double>(told[run.topK - 1]));
    // f32 may have rounded the cap down below the mean of what is left.
    const auto full = std::min<size_t>(static_cast<size_t>(mass / cap), others.size() - 1);
    std::nth_element(others.begin(), others.begin() + full, others.end());
    for (size_t i = 0; i < full; ++i)
      most += cap * (told[run.topK - 1] - others[i]);
    const double rest = std::max(mass - cap * static_cast<double>(full), 0.0);
    if (rest > 0)
      most += rest * (std::log(rest) - others[full]);
  }
  klLeast += least;
  klMost += std::max(most, least);
  left += mass;
  nllTeacher -= shard.next[position];
  nllB += norm - logits[target];
  sameTop1 += std::max_element(logits, logits + run.vocab) - logits == tokens[0];
  ++this->tokens;
}

} // namespace xfmr::compare
