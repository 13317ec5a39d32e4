// sample where no chance is left: greedy with a penalty, and a draw of which top-p leaves one id.
#include "passes/witness/CaseBuilder.h"
#include "passes/witness/Cases.h"
#include "runtime/plan/State.h"
#include <cmath>

using namespace xfmr;
using namespace xfmr::witness;
using codegen::paddedWidth;

namespace {

constexpr uint32_t kVocab = 1003, kRow = 1, kPosition = 7, kOutputs = 3, kCapacity = 8;

selftest::CaseT caseOf(const codegen::SampleSpec &spec, float temperature, uint32_t topK, float topP, float penalty) {
  CaseBuilder c(spec.name(), 15);
  codegen::SampleParams p;
  p.vocab = kVocab, p.rowStride = paddedWidth(kVocab), p.outputCapacity = kCapacity;
  c.launch(spec, p);
  std::vector<uint32_t> words(state::kWords);
  words[state::kPosition] = kPosition, words[state::kCount] = 1, words[state::kLimit] = 100,
  words[state::kOutputCount] = kOutputs;
  words[state::kSampleRow] = kRow, words[state::kTemperature] = selftest::bitsOf(temperature),
  words[state::kTopK] = topK;
  words[state::kTopP] = selftest::bitsOf(topP), words[state::kPenalty] = penalty > 0 ? selftest::bitsOf(penalty) : 0;
  c.words(words);
  // Ties are frequent; the lowest id wins. With a penalty those at the top were there before.
  Tensor logits = c.rows(kRow + 1, kVocab, {paddedWidth(kVocab), 0});
  std::vector<uint32_t> seen((kVocab + 31) / 32);
  uint32_t best = 0;
  double largest = -INFINITY;
  for (uint32_t id = 0; id < kVocab; ++id) {
    double logit = logits.row(kRow)[id];
    if (penalty > 0 && logit > 0.95) {
      seen[id / 32] |= 1u << id % 32;
      logit /= penalty;
    }
    if (logit > largest)
      largest = logit, best = id;
  }
  c.out(kCapacity);
  c.out(2);
  c.words(seen);
  c.expectWords(2, kOutputs, {best});
  c.expectWords(3, 0, {best});
  c.expectWords(0, state::kPosition, {kPosition + 1});
  c.expectWords(0, state::kOutputCount, {kOutputs + 1, 0});
  return c.take();
}

} // namespace

Cases witness::casesOf(const codegen::SampleSpec &spec) {
  Cases made;
  made.push_back(caseOf(spec, 0, 0, 1, 2));
  made.push_back(caseOf(spec, 0.8f, 40, 1e-6f, 0));
  return made;
}
